/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config/config_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "daemon/core/events.h"
#include "daemon/core/scope.h"
#include "lib/arn.h"
#include "lib/endpoint.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

static const char *const mode_words[] = { "observe", "restart", "restore", NULL };
static const char *const trust_words[] = { "ask", "watch", "keep", NULL };
static const char *const severity_words[] = { "info", "warning", "critical", NULL };
static const char *const level_words[] = {
    "err", "warning", "notice", "info", "debug", NULL
}; /* from LOG_ERR on */

static const char *const restore_words[] = { "settings", "selectors", "insights", "deleted",
                                             NULL }; /* RestoreKind */

static const char *const channel_types[] = { "sns", "webhook", "command", "alertmanager",
                                             NULL };                        /* ChannelType */
static const char *const contain_words[] = { "off", "propose", "enforce", NULL }; /* ContainMode */
static const char *const style_words[] = { "healthchecks", "plain", NULL }; /* HeartbeatStyle */
static const char *const format_words[] = {
    "json", "slack", "teams", "pagerduty", "opsgenie", NULL
};                                                                              /* AlertFormat */
static const char *const management_words[] = { "all", "write", "read", NULL }; /* from MANAGEMENT_ALL on */

/* ---- validators: return NULL when the string is valid, else what is allowed ---- */

static const char *check_region(const char *text) {
    return endpoint_region_is_valid(text)
                   ? NULL
                   : "names of AWS regions such as \"eu-central-1\", or \"all\" instead of the array";
}

static const char *check_trail(const char *text) {
    Arn arn;

    if (arn_trail_name_is_valid(text) || (arn_parse(text, &arn) == 0 && arn_is_trail(&arn)))
        return NULL;
    return "names of trails, or ARNs such as \"arn:aws:cloudtrail:eu-central-1:111122223333:trail/main\"";
}

static const char *check_url(const char *text) {
    return endpoint_override_is_valid(text) ? NULL
                                            : "https://HOST[:PORT], or http:// for a loopback address only";
}

static const char *check_hook(const char *text) {
    return endpoint_hook_is_valid(text) ? NULL : ENDPOINT_HOOK_ALLOWED;
}

uint64_t config_events_named(const char *pattern) {
    size_t n = strlen(pattern);
    bool group = text_ends_with(pattern, ".*");
    uint64_t bits = 0;

    for (unsigned e = 0; e < _EVENT_MAX; e++)
        if (group ? strncmp(event_to_string(e), pattern, n - 1) == 0
                  : text_equal(event_to_string(e), pattern))
            bits |= UINT64_C(1) << e;
    return bits;
}

/* Accepts names and groups of events: "trail.stopped", "trail.*". */
static const char *check_event(const char *text) {
    return config_events_named(text) != 0
                   ? NULL
                   : "names of events, such as \"trail.stopped\", or \"trail.*\" for all "
                     "that begin so; trailguard.conf(5) lists them";
}

static const char *check_variable(const char *text) {
    static const char allowed[] =
            "names of environment variables, such as \"VAULT_ADDR\"; the values are those of "
            "TrailGuard's own environment";
    size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    return n > 0 && n < 256 && !text[n] && !strchr("0123456789", text[0]) ? NULL : allowed;
}

static const char *check_proxy(const char *text) {
    return endpoint_proxy_is_valid(text) ? NULL : ENDPOINT_PROXY_ALLOWED;
}

static const char *check_text(const char *text) {
    return text[0] ? NULL : "a text that is not empty";
}

/* Accepts any argument for a program, including an empty one. */
static const char *check_argument(const char *text) {
    return strlen(text) < 4096 ? NULL : "a path and arguments of less than 4096 bytes each";
}

static const char *check_role(const char *text) {
    Arn arn;

    if (arn_parse(text, &arn) == 0 && arn_is_role(&arn))
        return NULL;
    return "the ARN of an IAM role, such as \"arn:aws:iam::111122223333:role/TrailGuard\"";
}

static const char *check_principal(const char *text) {
    return arn_principal_is_valid(text) ? NULL
                                        : "ARNs of users, roles or sessions, such as "
                                          "\"arn:aws:iam::111122223333:role/TrailGuard\", \"*\" "
                                          "for any account";
}

static const char *check_role_name(const char *text) {
    char role[ARN_MAX];

    (void)snprintf(role, sizeof(role), "arn:aws:iam::111122223333:role/%s", text);
    /* a path may contain a colon, but a value with one is most likely an ARN */
    return strlen(text) < 256 && text[0] != '/' && !strchr(text, ':') && !check_role(role)
                   ? NULL
                   : "the name of an IAM role, such as \"TrailGuard\", with its path when it has one";
}

#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-"

static bool is_made_of(const char *text, size_t min, size_t max, const char *chars) {
    size_t n = strlen(text);

    return n >= min && n <= max && strspn(text, chars) == n;
}

/* node_exporter reads only *.prom files and skips hidden ones. */
static const char *check_metrics_file(const char *text) {
    const char *slash = strrchr(text, '/'), *name = slash ? slash + 1 : text;

    return (!slash || text[0] == '/') && name[0] != '.' && text_ends_with(name, ".prom")
                   ? NULL
                   : "a name, for a file in /run/trailguard, or a path; it ends with \".prom\"";
}

static const char *check_channel_name(const char *text) {
    return is_made_of(text, 1, 64, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
                   ? NULL
                   : "1 to 64 of A-Z a-z 0-9 . _ -";
}

/* Limits of AssumeRole (AWS STS API Reference). */
static const char *check_session_name(const char *text) {
    return is_made_of(text, 2, 64, NAME_CHARS) ? NULL : "2 to 64 of A-Z a-z 0-9 _ + = , . @ -";
}

static const char *check_external_id(const char *text) {
    return is_made_of(text, 2, 1224, NAME_CHARS ":/") ? NULL : "2 to 1224 of A-Z a-z 0-9 _ + = , . @ : / -";
}

static const char *check_account_id(const char *text) {
    return is_made_of(text, 12, 12, "0123456789") ? NULL : "account ids of 12 digits, as strings";
}

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define HEX   "0123456789abcdefABCDEF"

static bool consists_of(const char *s, const char *set) {
    return s[strspn(s, set)] == '\0';
}

/* Old buckets have names that are no longer allowed for new ones. */
static const char *config_check_bucket(const char *s) {
    size_t n = strlen(s);

    return n >= 3 && n <= 255 && consists_of(s, ALNUM "._-") ? NULL : "the name of an S3 bucket";
}

/* S3KeyPrefix (AWS CloudTrail API Reference, CreateTrail). */
static const char *check_prefix(const char *s) {
    bool good = strlen(s) <= 200;

    for (; *s; s++)
        good = good && (unsigned char)*s >= 0x20 && *s != 0x7f;
    return good ? NULL : "at most 200 characters, or \"\" for no prefix";
}

/* The four forms of KmsKeyId. */
static const char *check_key(const char *s) {
    const char *name = s;
    Arn arn;

    if (text_starts_with(s, "arn:")) {
        if (arn_parse(s, &arn) < 0 || strcmp(arn.service, "kms") != 0)
            return "the ARN of a KMS key or of its alias";
        name = arn.resource;
        name += text_starts_with(name, "key/") ? strlen("key/") : 0;
    }
    if (text_starts_with(name, "alias/") && name[strlen("alias/")] && consists_of(name, ALNUM "/_-"))
        return NULL;
    if ((strlen(name) == 36 && consists_of(name, HEX "-")) ||
        (strlen(name) == 36 && text_starts_with(name, "mrk-") && consists_of(name + 4, HEX)))
        return NULL;
    return "a KMS key's id or ARN, \"alias/NAME\", or an alias' ARN";
}

static const char *check_log_group(const char *s) {
    Arn arn;

    if (arn_parse(s, &arn) >= 0 && strcmp(arn.service, "logs") == 0 &&
        text_starts_with(arn.resource, "log-group:"))
        return NULL;
    return "the ARN of a log group, such as \"arn:aws:logs:eu-central-1:111122223333:log-group:NAME:*\"";
}

static const char *check_pinned_topic(const char *s) {
    char whole[ARN_MAX];
    Arn arn;

    (void)snprintf(whole, sizeof(whole), "%s%s",
                   text_starts_with(s, "arn:") ? "" : "arn:aws:sns:us-east-1:111122223333:", s);
    return arn_parse(whole, &arn) >= 0 && arn_is_topic(&arn) ? NULL : "the name or ARN of an SNS topic";
}

static bool is_of_its_partition(const Arn *arn) {
    const Partition *partition = endpoint_partition_of(arn->region);

    return partition && text_equal(partition->id, arn->partition);
}

static const char *config_check_topic(const char *text) {
    Arn arn;

    if (arn_parse(text, &arn) == 0 && arn_is_topic(&arn))
        return is_of_its_partition(&arn)
                       ? NULL
                       : "the ARN of an SNS topic whose region is one of its partition, such as "
                         "\"arn:aws:sns:eu-central-1:111122223333:trailguard\"";
    return "the ARN of an SNS topic, such as \"arn:aws:sns:eu-central-1:111122223333:trailguard\"";
}

static const char *check_identity_pattern(const char *text) {
    return is_made_of(text, 1, ARN_MAX - 1, NAME_CHARS ":/*?")
                   ? NULL
                   : "names or ARNs of users and roles, such as \"arn:aws:iam::*:role/ops/*\"; * and ? "
                     "stand for others";
}

static const char *check_reason(const char *text) {
    return text[0] && strlen(text) <= CONFIG_REASON_MAX ? NULL : "a text of 1 to 200 bytes";
}

#define AT(member) offsetof(Config, member)
#define SECONDS(name_, member_, min_, max_, default_)                                                       \
    {                                                                                                       \
        .name = name_, .kind = OPTION_NUMBER, .offset = AT(member_), .min = min_, .max = max_,              \
        .number = default_, .unit = " seconds"                                                              \
    }
#define COUNT(name_, member_, min_, max_, default_)                                                         \
    {                                                                                                       \
        .name = name_, .kind = OPTION_NUMBER, .offset = AT(member_), .min = min_, .max = max_,              \
        .number = default_, .unit = ""                                                                      \
    }
#define TEXT(name_, member_, check_)                                                                        \
    { .name = name_, .kind = OPTION_TEXT, .offset = AT(member_), .check = check_ }
/* members of `accounts` */
#define ACCOUNT(member_) .scope = SCOPE_ACCOUNT, .offset = offsetof(AccountConfig, member_)
#define ACCOUNT_TEXT(name_, member_, check_)                                                                \
    { .name = name_, .kind = OPTION_TEXT, ACCOUNT(member_), .check = check_ }
#define ACCOUNT_LIST(name_, member_, check_)                                                                \
    { .name = name_, .kind = OPTION_LIST, ACCOUNT(member_), .check = check_, .all = true, .inherits = true }

#define CHANNEL(member_) .scope = SCOPE_CHANNEL, .offset = offsetof(ChannelConfig, member_)
#define GROUPS(name_, members_, items_, n_, min_, max_, example_)                                           \
    {                                                                                                       \
        .name = name_, .kind = OPTION_GROUPS, .offset = AT(items_), .n_offset = AT(n_),                     \
        .size = sizeof(*((Config *)0)->items_), .members = members_, .min = min_, .max = max_,              \
        .example = example_                                                                                 \
    }
#define EXPECT(name_, kind_, member_, check_)                                                               \
    {                                                                                                       \
        .name = name_, .kind = kind_, .scope = SCOPE_EXPECT, .offset = offsetof(TrailExpect, member_),      \
        .check = check_                                                                                     \
    }
#define PIN(name_, field_, check_) EXPECT(name_, OPTION_TEXT, expect.pins.values[field_], check_)
#define PIN_BOOL(name_, field_)    EXPECT(name_, OPTION_PIN_BOOL, expect.pins.values[field_], NULL)
#define WINDOW(name_, kind_, member_, check_)                                                               \
    {                                                                                                       \
        .name = name_, .kind = kind_, .scope = SCOPE_MAINTENANCE,                                           \
        .offset = offsetof(MaintenanceConfig, member_), .check = check_                                     \
    }

const Option config_options[] = {
    { .name = "regions", .kind = OPTION_LIST, .offset = AT(regions), .check = check_region, .all = true },
    { .name = "trails", .kind = OPTION_LIST, .offset = AT(trails), .check = check_trail, .all = true },
    { .name = "ignore", .kind = OPTION_LIST, .offset = AT(ignore), .check = check_trail },
    { .name = "mode", .kind = OPTION_WORD, .offset = AT(mode), .words = mode_words, .number = MODE_RESTART },
    { .name = "restore",
      .kind = OPTION_WORDS,
      .offset = AT(restore),
      .words = restore_words,
      .number = RESTORE_BIT(RESTORE_SETTINGS) | RESTORE_BIT(RESTORE_SELECTORS) |
                RESTORE_BIT(RESTORE_INSIGHTS) },
    { .name = "trust_new", .kind = OPTION_WORD, .offset = AT(trust_new), .words = trust_words },
    COUNT("max_restores_per_hour", max_restores_per_hour, 1, 1000, 30),
    GROUPS("expect", SCOPE_EXPECT, trail_expects, n_trail_expects, 0, CONFIG_EXPECT_MAX,
           "{ trail = \"NAME\"; multi_region = true; ... }"),
    EXPECT("expect.trail", OPTION_TEXT, trail, check_trail),
    PIN_BOOL("expect.multi_region", FIELD_MULTI_REGION),
    PIN_BOOL("expect.global_events", FIELD_GLOBAL_EVENTS),
    PIN_BOOL("expect.validation", FIELD_VALIDATION),
    PIN("expect.bucket", FIELD_BUCKET, config_check_bucket),
    PIN("expect.prefix", FIELD_PREFIX, check_prefix),
    PIN("expect.kms_key", FIELD_KMS_KEY, check_key),
    PIN("expect.log_group", FIELD_LOG_GROUP, check_log_group),
    PIN("expect.sns_topic", FIELD_SNS_TOPIC, check_pinned_topic),
    PIN("expect.bucket_owner", SETTING_BUCKET_OWNER, check_account_id),
    { .name = "expect.management_events",
      .kind = OPTION_WORD,
      .scope = SCOPE_EXPECT,
      .offset = offsetof(TrailExpect, expect.management_events),
      .words = management_words,
      .min = MANAGEMENT_ALL,
      .number = (unsigned)MANAGEMENT_NOT_PINNED - MANAGEMENT_ALL, /* wraps; adding min gives 0 again */
      .inherits = true },
    GROUPS("maintenance", SCOPE_MAINTENANCE, maintenance, n_maintenance, 0, CONFIG_MAINTENANCE_MAX,
           "( { from = \"2026-11-24T22:00:00Z\"; until = \"2026-11-25T02:00:00+01:00\"; reason = \"...\"; } "
           ")"),
    WINDOW("maintenance.trail", OPTION_TEXT, trail, check_trail),
    WINDOW("maintenance.from", OPTION_TIME, from_usec, NULL),
    WINDOW("maintenance.until", OPTION_TIME, until_usec, NULL),
    WINDOW("maintenance.reason", OPTION_TEXT, reason, check_reason),
    WINDOW("maintenance.stop_allowed", OPTION_BOOL, stop_allowed, NULL),
    { .name = "bucket_checks", .kind = OPTION_BOOL, .offset = AT(bucket_checks) },
    { .name = "owner_check", .kind = OPTION_BOOL, .offset = AT(owner_check), .number = true },
    { .name = "guard_checks", .kind = OPTION_BOOL, .offset = AT(guard_checks) },
    SECONDS("guard_interval", guard_interval_sec, 10, 604800, 86400),
    SECONDS("poll_interval", poll_interval_sec, 1, 3600, 10),
    SECONDS("settings_interval", settings_interval_sec, 1, 86400, 60),
    { .name = "stale_after",
      .kind = OPTION_NUMBER,
      .offset = AT(stale_after_sec),
      .min = 600,
      .max = 604800,
      .off = true,
      .number = 7200,
      .unit = " seconds" },
    COUNT("unreachable_after", unreachable_after, 1, 100, 3),
    { .name = "attribution", .kind = OPTION_BOOL, .offset = AT(attribution), .number = true },
    { .name = "contain", .kind = OPTION_GROUP },
    { .name = "contain.mode", .kind = OPTION_WORD, .offset = AT(contain.mode), .words = contain_words },
    COUNT("contain.after", contain.after, 1, CONTAIN_AFTER_MAX, 3),
    COUNT("contain.max_per_day", contain.max_per_day, 1, 100, 3),
    { .name = "contain.never",
      .kind = OPTION_LIST,
      .offset = AT(contain.never),
      .check = check_identity_pattern },
    { .name = "guards", .kind = OPTION_LIST, .offset = AT(guards), .check = check_principal },
    GROUPS("accounts", SCOPE_ACCOUNT, accounts, n_accounts, 1, CONFIG_ACCOUNTS_MAX,
           "( { role_arn = \"arn:aws:iam::111122223333:role/TrailGuard\"; }, ... )"),
    ACCOUNT_TEXT("accounts.name", name, check_text),
    ACCOUNT_TEXT("accounts.role_arn", role_arn, check_role),
    ACCOUNT_TEXT("accounts.external_id", external_id, check_external_id),
    ACCOUNT_TEXT("accounts.session_name", session_name, check_session_name),
    ACCOUNT_LIST("accounts.regions", regions, check_region),
    ACCOUNT_LIST("accounts.trails", trails, check_trail),
    { .name = "accounts.mode",
      .kind = OPTION_WORD,
      ACCOUNT(mode),
      .words = mode_words,
      .number = _MODE_MAX,
      .inherits = true },
    { .name = "accounts.restore",
      .kind = OPTION_WORDS,
      ACCOUNT(restore),
      .words = restore_words,
      .number = CONFIG_RESTORE_UNSET,
      .inherits = true },
    { .name = "organization", .kind = OPTION_GROUP },
    TEXT("organization.role_name", organization.role_name, check_role_name),
    { .name = "organization.exclude",
      .kind = OPTION_LIST,
      .offset = AT(organization.exclude),
      .check = check_account_id },
    SECONDS("organization.refresh", organization.refresh_sec, 60, 86400, 3600),
    { .name = "shard", .kind = OPTION_SHARD, .offset = AT(shard), .max = SHARDS_MAX },
    GROUPS("alerts", SCOPE_CHANNEL, channels, n_channels, 0, CONFIG_CHANNELS_MAX,
           "( { type = \"sns\"; topic_arn = \"...\"; } )"),
    { .name = "alerts.type",
      .kind = OPTION_WORD,
      CHANNEL(type),
      .words = channel_types,
      .number = _CHANNEL_TYPE_MAX },
    { .name = "alerts.name", .kind = OPTION_TEXT, CHANNEL(name), .check = check_channel_name },
    { .name = "alerts.topic_arn", .kind = OPTION_TEXT, CHANNEL(topic_arn), .check = config_check_topic },
    { .name = "alerts.chat", .kind = OPTION_BOOL, CHANNEL(chat) },
    { .name = "alerts.url", .kind = OPTION_TEXT, CHANNEL(url), .check = check_hook, .secret = true },
    { .name = "alerts.url_file", .kind = OPTION_TEXT, CHANNEL(url_file), .check = check_text },
    { .name = "alerts.secret_file", .kind = OPTION_TEXT, CHANNEL(secret_file), .check = check_text },
    { .name = "alerts.format", .kind = OPTION_WORD, CHANNEL(format), .words = format_words },
    { .name = "alerts.command",
      .kind = OPTION_LIST,
      CHANNEL(command),
      .check = check_argument,
      .inherits = true,
      .repeats = true },
    { .name = "alerts.urls", .kind = OPTION_LIST, CHANNEL(urls), .check = check_url, .inherits = true },
    { .name = "alerts.min_severity",
      .kind = OPTION_WORD,
      CHANNEL(filter.min_severity),
      .words = severity_words },
    { .name = "alerts.events", .kind = OPTION_LIST, CHANNEL(events), .check = check_event, .all = true },
    { .name = "alerts.resolved", .kind = OPTION_BOOL, CHANNEL(filter.resolved), .number = true },
    SECONDS("reminder_interval", reminder_interval_sec, 0, 604800, 3600),
    { .name = "heartbeat", .kind = OPTION_GROUP },
    { .name = "heartbeat.url",
      .kind = OPTION_TEXT,
      .offset = AT(heartbeat.url),
      .check = check_hook,
      .secret = true },
    TEXT("heartbeat.url_file", heartbeat.url_file, check_text),
    SECONDS("heartbeat.interval", heartbeat.interval_sec, 1, 86400, 60),
    { .name = "heartbeat.style", .kind = OPTION_WORD, .offset = AT(heartbeat.style), .words = style_words },
    TEXT("metrics_file", metrics_file, check_metrics_file),
    { .name = "aws", .kind = OPTION_GROUP },
    TEXT("aws.profile", aws.profile, check_text),
    TEXT("aws.credentials_file", aws.credentials_file, check_text),
    TEXT("aws.config_file", aws.config_file, check_text),
    TEXT("aws.endpoint_url", aws.endpoint_url, check_url),
    TEXT("aws.ca_bundle", aws.ca_bundle, check_text),
    { .name = "aws.proxy",
      .kind = OPTION_TEXT,
      .offset = AT(aws.proxy),
      .check = check_proxy,
      .secret = true },
    { .name = "aws.process_environment",
      .kind = OPTION_LIST,
      .offset = AT(aws.process_environment),
      .check = check_variable },
    { .name = "aws.use_fips", .kind = OPTION_SWITCH, .offset = AT(aws.use_fips) },
    { .name = "aws.use_dualstack", .kind = OPTION_SWITCH, .offset = AT(aws.use_dualstack) },
    SECONDS("aws.connect_timeout", aws.connect_timeout_sec, 1, 60, 5),
    SECONDS("aws.request_timeout", aws.request_timeout_sec, 1, 60, 10),
    COUNT("aws.max_attempts", aws.max_attempts, 1, 10, 3),
    COUNT("aws.max_connections", aws.max_connections, 1, 1024, 64),
    { .name = "log_level",
      .kind = OPTION_WORD,
      .offset = AT(log_level),
      .words = level_words,
      .min = LOG_ERR,
      .number = LOG_INFO - LOG_ERR },
};

const size_t config_n_options = ARRAY_SIZE(config_options);

const Option *config_option_named(const char *name) {
    for (size_t i = 0; i < config_n_options; i++)
        if (text_equal(config_options[i].name, name))
            return &config_options[i];
    return NULL;
}

bool config_is_region(const Option *option) {
    return option->check == check_region;
}

const char *config_nearest(const Option *option, const char *text) {
    TextNearest nearest = { .text = text };

    for (size_t i = 0; option->words && option->words[i]; i++)
        text_nearest(&nearest, option->words[i]);
    for (unsigned e = 0; option->check == check_event && e < _EVENT_MAX; e++)
        text_nearest(&nearest, event_to_string(e));
    return config_is_region(option) ? endpoint_region_nearest(text) : nearest.best;
}

/* ---- --dump ---- */

static void put_text(FILE *out, const char *text) {
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (*c < 0x20 || *c == 0x7f)
            fprintf(out, "\\x%02x", *c);
        else
            fputc(*c, out);
    fputc('"', out);
}

static void put_list(FILE *out, const StringList *list) {
    if (list->all) {
        put_text(out, "all");
        return;
    }
    fputc('[', out);
    for (size_t i = 0; i < list->n; i++) {
        fputs(i == 0 ? " " : ", ", out);
        put_text(out, list->items[i]);
    }
    fputs(" ]", out);
}

static void put_words(FILE *out, const Option *option, uint32_t bits) {
    const char *between = "[ ";

    for (unsigned i = 0; option->words[i]; i++)
        if (bits & 1U << i) {
            fputs(between, out);
            put_text(out, option->words[i]);
            between = ", ";
        }
    fputs(bits ? " ]" : "[ ]", out);
}

static bool is_unset(const Option *option, const void *base);

static bool has_no_pins(const Config *config) {
    TrailExpect for_all = { .expect = config->expect };

    for (size_t i = 0; i < config_n_options; i++)
        if (config_options[i].scope == SCOPE_EXPECT && !is_unset(&config_options[i], &for_all))
            return false;
    return true;
}

/* True when a list of groups is empty and must not be printed: an empty list would mean something else, or
 * nothing. */
static bool has_no_groups(const Option *option, const Config *config) {
    if (*(const size_t *)(const void *)((const char *)config + option->n_offset) > 0)
        return false;
    return option->members == SCOPE_EXPECT ? has_no_pins(config) : option->min > 0;
}

/* True for an empty group whose mere presence would turn something on. */
static bool is_unset_group(const char *name, const Config *config) {
    if (text_equal(name, "organization"))
        return !config->organization.role_name;
    return text_equal(name, "heartbeat") && !config->heartbeat.url && !config->heartbeat.url_file;
}

/* True for an unset option, which means "leave alone" or "inherit from the top level". No value expresses
 * that. */
static bool is_unset(const Option *option, const void *base) {
    const void *slot = option_slot(option, base);

    switch (option->kind) {
    case OPTION_TEXT:
    case OPTION_PIN_BOOL: return !*(char *const *)slot;
    case OPTION_SWITCH: return *(const Switch *)slot == SWITCH_UNSET;
    case OPTION_TIME: return *(const uint64_t *)slot == 0;
    case OPTION_SHARD: return ((const Shard *)slot)->total == 0;
    case OPTION_LIST:
        return option->inherits && !((const StringList *)slot)->all && !((const StringList *)slot)->items;
    case OPTION_WORD: return option->inherits && *(const int *)slot == (int)(option->number + option->min);
    case OPTION_WORDS: return option->inherits && *(const uint32_t *)slot == option->number;
    case OPTION_GROUPS: return has_no_groups(option, base);
    case OPTION_GROUP: /* top level only: base is the Config */
        return option->scope == SCOPE_FILE && is_unset_group(option->name, base);
    default: return false;
    }
}

static void put_shard(FILE *out, const Shard *shard) {
    fprintf(out, "\"%u/%u\"", shard->number, shard->total);
}

static void put_groups(FILE *out, const Option *option, const Config *config);

/* Prints a URL up to its host. The path may be a secret, as with Slack and Teams. */
static void put_url(FILE *out, const char *url) {
    const char *host = strstr(url, "://");
    size_t n = host ? (size_t)(host - url) + strlen("://") : 0;

    n += strcspn(url + n, "/?");
    fprintf(out, "\"%.*s%s\"", (int)n, url, url[n] ? "/not-shown" : "");
}

/* Hides user and password, but shows that they are set, and the host. */
static void put_proxy(FILE *out, const char *proxy) {
    fprintf(out, "  proxy = \"http://not-shown:not-shown%s\"; # user and password are not shown\n",
            strrchr(proxy, '@'));
}

static void put_value(FILE *out, const Option *option, const void *base) {
    const void *slot = option_slot(option, base);
    char time[TIMETEXT_MAX];

    switch (option->kind) {
    case OPTION_NUMBER: fprintf(out, "%u", *(const unsigned *)slot); break;
    case OPTION_BOOL: fputs(*(const bool *)slot ? "true" : "false", out); break;
    case OPTION_SWITCH: fputs(*(const Switch *)slot == SWITCH_ON ? "true" : "false", out); break;
    case OPTION_PIN_BOOL: fputs(*(char *const *)slot, out); break;
    case OPTION_WORD: put_text(out, option->words[*(const int *)slot - (int)option->min]); break;
    case OPTION_WORDS: put_words(out, option, *(const uint32_t *)slot); break;
    case OPTION_TEXT: put_text(out, *(char *const *)slot); break;
    case OPTION_TIME: put_text(out, timetext_iso(time, *(const uint64_t *)slot)); break;
    case OPTION_SHARD: put_shard(out, slot); break;
    case OPTION_LIST: put_list(out, slot); break;
    case OPTION_GROUPS: put_groups(out, option, base); break;
    case OPTION_GROUP: break;
    }
}

/* Prints the members that are set of one group of a list, on a line of its own. */
static void put_row(FILE *out, OptionScope scope, const void *base) {
    fputs("\n  { ", out);
    for (size_t i = 0; i < config_n_options; i++) {
        const Option *option = &config_options[i];

        if (option->scope != scope || is_unset(option, base))
            continue;
        fprintf(out, "%s = ", strchr(option->name, '.') + 1);
        if (option->secret)
            put_url(out, *(char *const *)option_slot(option, base));
        else
            put_value(out, option, base);
        fputs("; ", out);
    }
    fputc('}', out);
}

static void put_groups(FILE *out, const Option *option, const Config *config) {
    const char *items = *(char *const *)option_slot(option, config);
    size_t n = *(const size_t *)(const void *)((const char *)config + option->n_offset);
    bool first = true;

    fputc('(', out);
    if (option->members == SCOPE_EXPECT) {
        TrailExpect for_all = { .expect = config->expect };

        put_row(out, option->members, &for_all);
        first = false;
    }
    for (size_t i = 0; i < n; i++, first = false) {
        fputs(first ? "" : ",", out);
        put_row(out, option->members, items + i * option->size);
    }
    fputs(first ? ")" : "\n)", out);
}

/* True when the option is a member of this group. */
static bool is_member(const Option *option, const Option *group) {
    size_t n = strlen(group->name);

    return text_starts_with(option->name, group->name) && option->name[n] == '.';
}

static void put_unset(FILE *out, const Option *option) {
    fprintf(out, "# %s is not set\n", option->name);
    for (size_t i = 0; i < config_n_options; i++)
        if (is_member(&config_options[i], option))
            fprintf(out, "# %s is not set\n", config_options[i].name);
}

static void put_group(FILE *out, const Option *group, const Config *config) {
    fprintf(out, "%s = {\n", group->name);
    for (size_t i = 0; i < config_n_options; i++) {
        const Option *option = &config_options[i];

        if (!is_member(option, group))
            continue;
        if (is_unset(option, config))
            fprintf(out, "  # %s is not set\n", option->name);
        else if (option->secret && endpoint_proxy_has_user(*(char *const *)option_slot(option, config)))
            put_proxy(out, *(char *const *)option_slot(option, config));
        else {
            fprintf(out, "  %s = ", strchr(option->name, '.') + 1);
            if (option->secret && option->check == check_hook)
                put_url(out, *(char *const *)option_slot(option, config));
            else
                put_value(out, option, config);
            fputs(";\n", out);
        }
    }
    fputs("};\n", out);
}

int config_dump(const Config *config, FILE *out) {
    for (size_t i = 0; i < config_n_options; i++) {
        const Option *option = &config_options[i];

        if (strchr(option->name, '.'))
            continue; /* printed with its group */
        if (is_unset(option, config))
            put_unset(out, option);
        else if (option->kind == OPTION_GROUP)
            put_group(out, option, config);
        else {
            fprintf(out, "%s = ", option->name);
            put_value(out, option, config);
            fputs(";\n", out);
        }
    }
    return ferror(out) ? -EIO : 0;
}
