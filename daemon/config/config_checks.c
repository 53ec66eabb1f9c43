/* SPDX-License-Identifier: Apache-2.0 */
/* Checks for conflicts: between a group and earlier ones, and within the file as a whole. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config_private.h"
#include "daemon/core/settings.h"
#include "lib/arn.h"
#include "lib/util/file.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define DAYS_MAX 30 /* of a maintenance window */

static const config_setting_t *member(const config_setting_t *group, const char *name) {
    return group ? config_setting_get_member((config_setting_t *)group, name) : NULL;
}

/* ---- groups that conflict with earlier ones ---- */

/* True when both strings are set and equal. */
static bool same(const char *a, const char *b) {
    return a && b && text_equal(a, b);
}

/* True for two roles of one account: they would give the same targets twice. */
static bool same_account(const char *role_a, const char *role_b) {
    Arn a, b;

    return role_a && role_b && arn_parse(role_a, &a) >= 0 && arn_parse(role_b, &b) >= 0 &&
           text_equal(a.account, b.account);
}

static int config_account_added(Reading *r, const config_setting_t *group) {
    const Config *config = r->config;
    const AccountConfig *last = &config->accounts[config->n_accounts - 1];
    const char *clash = NULL;

    if (!last->role_arn && (last->external_id || last->session_name))
        clash = "external_id and session_name belong to a role; allowed: with role_arn";
    for (const AccountConfig *other = config->accounts; !clash && other < last; other++)
        if (!last->role_arn && !other->role_arn)
            clash = "two groups without role_arn; allowed: one, for the base credentials' own account";
        else if (same_account(last->role_arn, other->role_arn))
            clash = "this role's account is listed twice; allowed: each account once";
        else if (same(last->name, other->name))
            clash = "this name is given twice; allowed: each name once";
    return clash ? config_refuse(r, group, "accounts: %s", clash) : 0;
}

/* Members that only one type of channel has. */
static const struct {
    const char *name;
    ChannelType type;
    size_t offset; /* of a char *, or of the items of a list: NULL when not given */
} channel_members[] = {
    { "topic_arn", CHANNEL_SNS, offsetof(ChannelConfig, topic_arn) },
    { "url", CHANNEL_WEBHOOK, offsetof(ChannelConfig, url) },
    { "url_file", CHANNEL_WEBHOOK, offsetof(ChannelConfig, url_file) },
    { "secret_file", CHANNEL_WEBHOOK, offsetof(ChannelConfig, secret_file) },
    { "command", CHANNEL_COMMAND, offsetof(ChannelConfig, command.items) },
    { "urls", CHANNEL_ALERTMANAGER, offsetof(ChannelConfig, urls.items) },
};

/* Returns what a webhook lacks, or NULL. */
static const char *webhook_lacks(const ChannelConfig *channel) {
    bool keyed = channel->format == ALERT_FORMAT_PAGERDUTY || channel->format == ALERT_FORMAT_OPSGENIE;

    if (channel->url && channel->url_file)
        return "url and url_file; allowed: one of them";
    if (keyed && !channel->secret_file)
        return "this format needs secret_file = \"...\", the file with the receiver's key";
    if (!keyed && !channel->url && !channel->url_file)
        return "type \"webhook\" needs url = \"https://...\" or url_file = \"...\"";
    if ((channel->format == ALERT_FORMAT_SLACK || channel->format == ALERT_FORMAT_TEAMS) &&
        channel->secret_file)
        return "secret_file: this format has no key; its URL is the secret: put it into url_file";
    return NULL;
}

static const char *channel_lacks(const ChannelConfig *channel) {
    switch (channel->type) {
    case CHANNEL_SNS: return channel->topic_arn ? NULL : "type \"sns\" needs topic_arn = \"arn:...\"";
    case CHANNEL_WEBHOOK: return webhook_lacks(channel);
    case CHANNEL_COMMAND:
        return channel->command.n > 0 && channel->command.items[0][0] == '/'
                       ? NULL
                       : "type \"command\" needs command = [ \"/PATH/PROGRAM\", \"ARGUMENT\", ... ]; no "
                         "shell reads it";
    case CHANNEL_ALERTMANAGER:
        if (!channel->filter.resolved)
            return "resolved = false: Alertmanager must hear when an alert is over";
        return channel->urls.n > 0 ? NULL
                                   : "type \"alertmanager\" needs urls = [ \"https://HOST:9093\", ... ]";
    case _CHANNEL_TYPE_MAX: break;
    }
    return "a channel needs a type; allowed: type = \"sns\", \"webhook\", \"command\" or \"alertmanager\"";
}

/* Rejects two channels of the same name: they would share their receipts. */
static int refuse_same_channel(Reading *r, const config_setting_t *group, const ChannelConfig *last) {
    _cleanup_free_ char *key = config_channel_key(last);

    for (const ChannelConfig *other = r->config->channels; key && other < last; other++) {
        _cleanup_free_ char *before = config_channel_key(other);

        if (!before)
            return -ENOMEM;
        if (text_equal(key, before) && last->topic_arn && !last->name)
            return config_refuse(r, group, "alerts: this topic is listed twice");
        if (text_equal(key, before))
            return config_refuse(
                    r, group,
                    "alerts: two channels are \"%.100s\"; allowed: each with a name = \"...\" of its own",
                    key);
    }
    return key ? 0 : -ENOMEM;
}

/* Returns the first member that belongs to another type, or NULL. Defaults do not count as set, because
 * --dump prints them for each type. */
static const char *foreign_member(const ChannelConfig *channel) {
    for (size_t i = 0; i < ARRAY_SIZE(channel_members); i++)
        if (channel_members[i].type != channel->type &&
            *(void *const *)(const void *)((const char *)channel + channel_members[i].offset))
            return channel_members[i].name;
    if (channel->type != CHANNEL_SNS && channel->chat)
        return "chat";
    return channel->type != CHANNEL_WEBHOOK && channel->format != ALERT_FORMAT_JSON ? "format" : NULL;
}

static int note_topic(Reading *r, const config_setting_t *group, const char *topic_arn) {
    Arn arn;

    if (!topic_arn || arn_parse(topic_arn, &arn) < 0)
        return 0;
    return config_note_region(r, member(group, "topic_arn"), "alerts.topic_arn", arn.region);
}

static int channel_added(Reading *r, const config_setting_t *group) {
    ChannelConfig *last = &r->config->channels[r->config->n_channels - 1];
    const char *lacks = channel_lacks(last),
               *foreign = last->type == _CHANNEL_TYPE_MAX ? NULL : foreign_member(last);

    if (foreign)
        return config_refuse(r, group, "alerts: %s does not belong to this type", foreign);
    if (lacks)
        return config_refuse(r, group, "alerts: %s", lacks);
    for (size_t i = 0; i < last->events.n; i++)
        last->filter.events |= config_events_named(last->events.items[i]);
    last->filter.keeps_incidents =
            last->type == CHANNEL_ALERTMANAGER ||
            (last->type == CHANNEL_WEBHOOK &&
             (last->format == ALERT_FORMAT_PAGERDUTY || last->format == ALERT_FORMAT_OPSGENIE));
    return config_worse_of(note_topic(r, group, last->topic_arn), refuse_same_channel(r, group, last));
}

static int window_added(Reading *r, const config_setting_t *group) {
    const MaintenanceConfig *last = &r->config->maintenance[r->config->n_maintenance - 1];

    if (last->from_usec == 0 || last->until_usec == 0)
        return config_refuse(r, group, "maintenance: needs from and until: a window ends by itself");
    if (last->until_usec <= last->from_usec ||
        last->until_usec - last->from_usec > DAYS_MAX * 86400 * USEC_PER_SEC)
        return config_refuse_value(r, member(group, "until"),
                                   "maintenance.until: \"%.40s\" cannot be used; allowed: after from, by at "
                                   "most %d days",
                                   config_setting_get_string(member(group, "until")), DAYS_MAX);
    return 0;
}

/* A group without a trail applies to all trails and may occur only once. */
static int expect_added(Reading *r, const config_setting_t *group) {
    Config *config = r->config;
    TrailExpect *last = &config->trail_expects[config->n_trail_expects - 1];

    for (const TrailExpect *other = config->trail_expects; last->trail && other < last; other++)
        if (text_equal(other->trail, last->trail))
            return config_refuse(r, group, "expect: trail \"%.100s\" has two groups", last->trail);
    if (last->trail)
        return 0;
    if (r->expects_all)
        return config_refuse(r, group, "expect: two groups without trail: one is for all");
    r->expects_all = true;
    settings_done(&config->expect.pins);
    config->expect = last->expect;
    *last = (TrailExpect){ 0 };
    config->n_trail_expects--;
    return 0;
}

int config_check_group(Reading *r, const config_setting_t *group, OptionScope scope) {
    static int (*const checks[_OPTION_SCOPE_MAX])(Reading * r, const config_setting_t *group) = {
        [SCOPE_ACCOUNT] = config_account_added,
        [SCOPE_CHANNEL] = channel_added,
        [SCOPE_MAINTENANCE] = window_added,
        [SCOPE_EXPECT] = expect_added,
    };

    return checks[scope](r, group);
}

/* ---- conflicts in the file; an option that already has an error is not compared ---- */

/* A bare file name is a systemd credential. Outside the unit it is the file that the manual loads the
 * credential from, so that `config` and `check` run by root read what the unit reads. */
static int resolve_file(char **path) {
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    char *joined;

    if (!*path || strchr(*path, '/'))
        return 0;
    joined = file_join(directory && directory[0] ? directory : CONFIG_SECRETS_DIR, *path);
    if (!joined)
        return -ENOMEM;
    free(*path);
    *path = joined;
    return 0;
}

static int check_files(Reading *r, const config_setting_t *root _unused_) {
    AwsConfig *aws = &r->config->aws;

    return config_worse_of(resolve_file(&aws->credentials_file), resolve_file(&aws->config_file));
}

/* An own endpoint cannot be combined with FIPS or dual-stack: only its operator knows which kind it is. */
static int check_endpoint(Reading *r, const config_setting_t *root) {
    const AwsConfig *aws = &r->config->aws;
    const char *name = aws->use_fips == SWITCH_ON        ? "use_fips"
                       : aws->use_dualstack == SWITCH_ON ? "use_dualstack"
                                                         : NULL;

    if (!name || !aws->endpoint_url)
        return 0;
    return config_refuse(
            r, member(member(root, "aws"), name),
            "aws.%s: cannot be combined with aws.endpoint_url; name an endpoint of that kind there, or "
            "leave endpoint_url out",
            name);
}

/* True for a combination that AWS refuses. Pins of a trail override the pins for all trails. */
static bool regions_clash(const Config *config, const Settings *pins) {
    const Settings *all = &config->expect.pins;
    const char *multi = pins->values[FIELD_MULTI_REGION], *global = pins->values[FIELD_GLOBAL_EVENTS];

    multi = multi ? multi : all->values[FIELD_MULTI_REGION];
    global = global ? global : all->values[FIELD_GLOBAL_EVENTS];
    return text_equal(multi, "true") && text_equal(global, "false");
}

static int check_regions(Reading *r, const config_setting_t *root) {
    const Config *config = r->config;
    bool clash = regions_clash(config, &config->expect.pins);

    for (size_t i = 0; !clash && i < config->n_trail_expects; i++)
        clash = regions_clash(config, &config->trail_expects[i].expect.pins);
    return clash ? config_refuse(r, member(root, "expect"),
                                 "expect: a trail of all regions records global events too; allowed: "
                                 "global_events = true with multi_region = true")
                 : 0;
}

static int check_intervals(Reading *r, const config_setting_t *root) {
    Config *config = r->config;

    if (config->settings_interval_sec >= config->poll_interval_sec || !config_is_clean(r, "poll_interval"))
        return 0;
    if (member(root, "settings_interval"))
        return config_refuse_value(
                r, member(root, "settings_interval"),
                "settings_interval: %u cannot be used; allowed: poll_interval (%u) to 86400 "
                "seconds",
                config->settings_interval_sec, config->poll_interval_sec);
    config->settings_interval_sec = config->poll_interval_sec;
    return 0;
}

static int check_alerts(Reading *r, const config_setting_t *root) {
    return member(root, "alerts") || r->incomplete
                   ? 0
                   : config_refuse(r, NULL,
                                   "alerts: missing; allowed: alerts = ( { type = \"sns\"; topic_arn = "
                                   "\"arn:...\"; } ); or alerts = (); for none");
}

static int check_organization(Reading *r, const config_setting_t *root) {
    return !member(root, "organization") || r->config->organization.role_name
                   ? 0
                   : config_refuse(
                             r, member(root, "organization"),
                             "organization: needs role_name = \"...\", the role to assume in every account");
}

static int check_shard(Reading *r, const config_setting_t *root) {
    const Config *config = r->config;

    return config->shard.total == 0 || config->organization.role_name || config->n_accounts > 0 ||
                           !config_is_clean(r, "organization") || !config_is_clean(r, "accounts")
                   ? 0
                   : config_refuse(r, member(root, "shard"),
                                   "shard: there are no accounts to split; allowed: with organization or "
                                   "accounts");
}

static int check_heartbeat(Reading *r, const config_setting_t *root) {
    const HeartbeatConfig *heartbeat = &r->config->heartbeat;

    return !member(root, "heartbeat") || !heartbeat->url != !heartbeat->url_file
                   ? 0
                   : config_refuse(
                             r, member(root, "heartbeat"),
                             "heartbeat: needs url = \"https://...\" or url_file = \"...\"; allowed: one of "
                             "them");
}

static int check_contain(Reading *r, const config_setting_t *root) {
    return r->config->contain.mode == CONTAIN_OFF || r->config->attribution
                   ? 0
                   : config_refuse(
                             r, member(root, "contain"),
                             "contain: without attribution nobody is found; allowed: with attribution = "
                             "true");
}

int config_check_whole(Reading *r, const config_setting_t *root) {
    static const struct {
        const char *topic;
        int (*check)(Reading *r, const config_setting_t *root);
    } checks[] = {
        { "alerts", check_alerts },
        { "organization", check_organization },
        { "shard", check_shard },
        { "heartbeat", check_heartbeat },
        { "contain", check_contain },
        { "aws", check_endpoint },
        { "aws", check_files },
        { "expect", check_regions },
        { "settings_interval", check_intervals },
    };
    int e = 0;

    for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
        if (!config_is_clean(r, checks[i].topic))
            continue;
        (void)text_copy(r->topic, sizeof(r->topic), "");
        e = config_worse_of(e, checks[i].check(r, root));
    }
    return e;
}
