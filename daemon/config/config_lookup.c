/* SPDX-License-Identifier: Apache-2.0 */
/* Looks up what the configuration says about one account, trail or channel. */
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config.h"
#include "daemon/core/enum_names.h"
#include "daemon/core/settings.h"
#include "lib/arn.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

/* ---- names of channels ---- */

static char *make_key(const char *type, const char *name, size_t len) {
    char *key;

    return asprintf(&key, "%s:%.*s", type, (int)len, name) < 0 ? NULL : key;
}

char *config_channel_key(const ChannelConfig *channel) {
    static const char *const types[_CHANNEL_TYPE_MAX] = { "sns", "webhook", "command", "alertmanager" };
    const char *type = types[channel->type],
               *url = channel->urls.items ? channel->urls.items[0] : channel->url;
    const char *host = url ? strstr(url, "://") : NULL;
    const char *file = channel->url_file        ? channel->url_file
                       : channel->command.items ? channel->command.items[0]
                                                : alert_format_to_string(channel->format);
    const char *slash = strrchr(file, '/');

    if (channel->name || channel->topic_arn)
        return make_key(type, channel->name ? channel->name : channel->topic_arn, ARN_MAX);
    if (host)
        return make_key(type, host + strlen("://"), strcspn(host + strlen("://"), "/?"));
    return make_key(type, slash ? slash + 1 : file, ARN_MAX);
}

/* ---- settings of an account ---- */

Policy config_policy(const Config *config) {
    return (Policy){
        .mode = config->mode,
        .unreachable_after = config->unreachable_after,
        .reminder_interval_usec = config->reminder_interval_sec * USEC_PER_SEC,
        .restore = config->restore,
        .max_restores_per_hour = config->max_restores_per_hour,
        .stale_after_usec = config->stale_after_sec * USEC_PER_SEC,
        .attribution = config->attribution,
        .trust_new = config->trust_new,
    };
}

static bool is_set(const StringList *list) {
    return list->all || list->items;
}

bool config_list_has(const StringList *list, const char *text) {
    for (size_t i = 0; i < list->n; i++)
        if (text_equal(list->items[i], text))
            return true;
    return false;
}

const AccountConfig *config_base_account(const Config *config) {
    for (size_t i = 0; i < config->n_accounts; i++)
        if (!config->accounts[i].role_arn)
            return &config->accounts[i];
    return NULL;
}

bool config_guards_base(const Config *config) {
    return config_base_account(config) || config->n_accounts == 0 || config->organization.role_name;
}

const StringList *config_account_regions(const Config *config, const AccountConfig *account) {
    return account && is_set(&account->regions) ? &account->regions : &config->regions;
}

const StringList *config_account_trails(const Config *config, const AccountConfig *account) {
    return account && is_set(&account->trails) ? &account->trails : &config->trails;
}

Policy config_account_policy(const Config *config, const AccountConfig *account) {
    Policy policy = config_policy(config);

    if (account && account->mode != _MODE_MAX)
        policy.mode = account->mode;
    if (account && account->restore != CONFIG_RESTORE_UNSET)
        policy.restore = account->restore;
    return policy;
}

/* ---- settings of a trail ---- */

static int lay_over(const Expect *over, Expect *ret) {
    int r = 0;

    for (Field f = 0; r >= 0 && f <= SETTING_BUCKET_OWNER; f++)
        if (over->pins.values[f])
            r = settings_set(&ret->pins, f, over->pins.values[f]);
    if (over->management_events != MANAGEMENT_NOT_PINNED)
        ret->management_events = over->management_events;
    return r;
}

static int lay_over_named(const Config *config, const char *trail, Expect *ret) {
    for (size_t i = 0; i < config->n_trail_expects; i++)
        if (text_equal(config->trail_expects[i].trail, trail))
            return lay_over(&config->trail_expects[i].expect, ret);
    return 0;
}

int config_expect_of(const Config *config, const char *name, const char *arn, Expect *ret) {
    Expect expect = { .management_events = MANAGEMENT_NOT_PINNED };
    int r = lay_over(&config->expect, &expect);

    if (r >= 0)
        r = lay_over_named(config, name, &expect);
    if (r >= 0)
        r = lay_over_named(config, arn, &expect);
    if (r < 0) {
        settings_done(&expect.pins);
        return r;
    }
    *ret = expect;
    return 0;
}

static bool is_open(const MaintenanceConfig *window, const char *name, const char *arn, uint64_t now_usec) {
    if (now_usec < window->from_usec || now_usec >= window->until_usec)
        return false;
    return !window->trail || text_equal(window->trail, name) || text_equal(window->trail, arn);
}

const MaintenanceConfig *config_maintenance_at(const Config *config, const char *name, const char *arn,
                                               uint64_t now_real_usec) {
    const MaintenanceConfig *best = NULL;

    for (size_t i = 0; i < config->n_maintenance; i++) {
        const MaintenanceConfig *window = &config->maintenance[i];

        if (!is_open(window, name, arn, now_real_usec))
            continue;
        if (!best || window->stop_allowed > best->stop_allowed ||
            (window->stop_allowed == best->stop_allowed && window->until_usec > best->until_usec))
            best = window;
    }
    return best;
}

size_t config_topics(const Config *config, const char *ret[static CONFIG_CHANNELS_MAX]) {
    size_t n = 0;

    for (size_t i = 0; i < config->n_channels; i++)
        if (config->channels[i].type == CHANNEL_SNS)
            ret[n++] = config->channels[i].topic_arn;
    return n;
}
