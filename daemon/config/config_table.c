/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config/config_table.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "lib/arn.h"
#include "lib/endpoint.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

const char *const config_mode_words[] = { "observe", "restart", "restore", NULL };
const char *const config_severity_words[] = { "info", "warning", "critical", NULL };
const char *const config_level_words[] = {
    "err", "warning", "notice", "info", "debug", NULL
}; /* from LOG_ERR on */

static const char *const restore_words[] = { "settings", "selectors", "insights", "deleted",
                                             NULL }; /* RestoreKind */

const char *const config_later_options[] = {
    "heartbeat",
    "metrics_file",
    NULL,
};

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

const char *config_check_trail(const char *text) {
    return check_trail(text);
}

static const char *check_url(const char *text) {
    return endpoint_override_is_valid(text) ? NULL
                                            : "https://HOST[:PORT], or http:// for a loopback address only";
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
    return strlen(text) < 256 && text[0] != '/' && !check_role(role)
                   ? NULL
                   : "the name of an IAM role, such as \"TrailGuard\", with its path when it has one";
}

#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-"

static bool is_made_of(const char *text, size_t min, size_t max, const char *chars) {
    size_t n = strlen(text);

    return n >= min && n <= max && strspn(text, chars) == n;
}

/* As AssumeRole has them (AWS STS API Reference). */
static const char *check_session_name(const char *text) {
    return is_made_of(text, 2, 64, NAME_CHARS) ? NULL : "2 to 64 of A-Z a-z 0-9 _ + = , . @ -";
}

static const char *check_external_id(const char *text) {
    return is_made_of(text, 2, 1224, NAME_CHARS ":/") ? NULL : "2 to 1224 of A-Z a-z 0-9 _ + = , . @ : / -";
}

static const char *check_account_id(const char *text) {
    return is_made_of(text, 12, 12, "0123456789") ? NULL : "account ids of 12 digits, as strings";
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

const Option config_options[] = {
    { .name = "regions", .kind = OPTION_LIST, .offset = AT(regions), .check = check_region, .all = true },
    { .name = "trails", .kind = OPTION_LIST, .offset = AT(trails), .check = check_trail, .all = true },
    { .name = "ignore", .kind = OPTION_LIST, .offset = AT(ignore), .check = check_trail },
    { .name = "mode",
      .kind = OPTION_WORD,
      .offset = AT(mode),
      .words = config_mode_words,
      .number = MODE_RESTART },
    { .name = "restore",
      .kind = OPTION_WORDS,
      .offset = AT(restore),
      .words = restore_words,
      .number = RESTORE_BIT(RESTORE_SETTINGS) | RESTORE_BIT(RESTORE_SELECTORS) |
                RESTORE_BIT(RESTORE_INSIGHTS) },
    COUNT("max_restores_per_hour", max_restores_per_hour, 1, 1000, 30),
    { .name = "expect", .kind = OPTION_EXPECT, .offset = AT(expect) },
    { .name = "maintenance", .kind = OPTION_MAINTENANCE },
    { .name = "bucket_checks", .kind = OPTION_BOOL, .offset = AT(bucket_checks) },
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
    { .name = "guards", .kind = OPTION_LIST, .offset = AT(guards), .check = check_principal },
    { .name = "accounts", .kind = OPTION_ACCOUNTS },
    ACCOUNT_TEXT("accounts.name", name, check_text),
    ACCOUNT_TEXT("accounts.role_arn", role_arn, check_role),
    ACCOUNT_TEXT("accounts.external_id", external_id, check_external_id),
    ACCOUNT_TEXT("accounts.session_name", session_name, check_session_name),
    ACCOUNT_LIST("accounts.regions", regions, check_region),
    ACCOUNT_LIST("accounts.trails", trails, check_trail),
    { .name = "accounts.mode",
      .kind = OPTION_WORD,
      ACCOUNT(mode),
      .words = config_mode_words,
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
    { .name = "alerts", .kind = OPTION_CHANNELS },
    SECONDS("reminder_interval", reminder_interval_sec, 0, 604800, 3600),
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
      .words = config_level_words,
      .min = LOG_ERR,
      .number = LOG_INFO - LOG_ERR },
};

const size_t config_n_options = ARRAY_SIZE(config_options);

const char *const *config_option_names(void) {
    static const char *names[ARRAY_SIZE(config_options) + 1]; /* filled once, the same each time */

    for (size_t i = 0; i < config_n_options; i++)
        names[i] = config_options[i].name;
    return names;
}

Policy config_policy(const Config *config) {
    return (Policy){
        .mode = config->mode,
        .unreachable_after = config->unreachable_after,
        .reminder_interval_usec = config->reminder_interval_sec * USEC_PER_SEC,
        .restore = config->restore,
        .max_restores_per_hour = config->max_restores_per_hour,
        .stale_after_usec = config->stale_after_sec * USEC_PER_SEC,
        .attribution = config->attribution,
    };
}
