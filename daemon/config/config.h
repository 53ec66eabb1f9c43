/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* /etc/trailguard.conf: read by libconfig, checked against one table of options that also gives defaults,
 * bounds and --dump. */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "daemon/core/model_alert.h"
#include "daemon/core/model_guard.h"

#define CONFIG_PATH_DEFAULT  "/etc/trailguard.conf"
#define CONFIG_SECRETS_DIR   "/etc/trailguard" /* keys and secrets, for LoadCredential= and for root */
#define CONFIG_SIZE_MAX      (1024 * 1024)
#define CONFIG_CHANNELS_MAX  16
#define CONFIG_LIST_MAX      1000 /* strings in one array */
#define CONFIG_ACCOUNTS_MAX  1000
#define CONFIG_RESTORE_UNSET UINT32_MAX

#define CONFIG_EXPECT_MAX      1000
#define CONFIG_MAINTENANCE_MAX 100
#define CONFIG_REASON_MAX      200 /* bytes */

/* One group of `expect` that is about one trail. */
typedef struct TrailExpect {
    char *trail; /* name or ARN */
    Expect expect;
} TrailExpect;

/* A time in which changes are expected. */
typedef struct MaintenanceConfig {
    char *trail;                    /* name or ARN; NULL: all */
    uint64_t from_usec, until_usec; /* real; until is the first moment after it */
    char *reason;                   /* NULL: none given */
    bool stop_allowed;              /* logging may be stopped, too */
} MaintenanceConfig;

typedef struct StringList {
    char **items; /* NULL behind the last; NULL when the option is not given */
    size_t n;
    bool all; /* the option was "all" */
} StringList;

typedef enum ChannelType {
    CHANNEL_SNS,
    CHANNEL_WEBHOOK,
    CHANNEL_COMMAND,
    CHANNEL_ALERTMANAGER,
    _CHANNEL_TYPE_MAX,
} ChannelType;

typedef struct ChannelConfig {
    ChannelType type;
    char *name;         /* NULL: config_channel_key() makes one */
    char *topic_arn;    /* CHANNEL_SNS */
    bool chat;          /* ... for Amazon Q Developer in chat applications */
    char *url;          /* CHANNEL_WEBHOOK: this, or the file that has it; may hold a secret */
    char *url_file;     /* ... a bare name is one of systemd's credentials */
    char *secret_file;  /* ... the key of the signature, or the receiver's; NULL: none */
    AlertFormat format; /* ... */
    StringList command; /* CHANNEL_COMMAND: the program and its arguments */
    StringList urls;    /* CHANNEL_ALERTMANAGER: all members of the cluster */
    StringList events;  /* as given */
    AlertFilter filter; /* events: of that list */
} ChannelConfig;

/* Something that the environment decides where the file does not. */
typedef enum Switch {
    SWITCH_UNSET,
    SWITCH_OFF,
    SWITCH_ON,
} Switch;

typedef struct AwsConfig {
    char *profile;                  /* NULL: $AWS_DEFAULT_PROFILE, $AWS_PROFILE, else "default" */
    char *credentials_file;         /* NULL: the search order of the manual; a bare name was resolved in
                                       $CREDENTIALS_DIRECTORY or CONFIG_SECRETS_DIR */
    char *config_file;              /* NULL: $AWS_CONFIG_FILE, else ~/.aws/config; a bare name as above */
    char *endpoint_url;             /* NULL: AWS */
    char *ca_bundle;                /* NULL: $AWS_CA_BUNDLE, else the system's */
    char *proxy;                    /* NULL: $HTTPS_PROXY; may hold a password */
    StringList process_environment; /* names of variables that a credential_process gets besides */
    Switch use_fips;                /* unset: $AWS_USE_FIPS_ENDPOINT */
    Switch use_dualstack;           /* unset: $AWS_USE_DUALSTACK_ENDPOINT */
    unsigned connect_timeout_sec, request_timeout_sec, max_attempts, max_connections;
} AwsConfig;

/* One group of `accounts`. What it does not set is the top level's: ask config_account_*. */
typedef struct AccountConfig {
    char *name;                 /* for people; NULL */
    char *role_arn;             /* NULL: the account that the base credentials belong to */
    char *external_id;          /* NULL: none */
    char *session_name;         /* NULL: "trailguard-HOST" */
    StringList regions, trails; /* neither all nor items: not set */
    Mode mode;                  /* _MODE_MAX: not set */
    uint32_t restore;           /* RESTORE_BITs; CONFIG_RESTORE_UNSET: not set */
} AccountConfig;

typedef struct OrganizationConfig {
    char *role_name;    /* in every member; may have a path in front. NULL: no organization */
    StringList exclude; /* account ids */
    unsigned refresh_sec;
} OrganizationConfig;

typedef enum HeartbeatStyle {
    HEARTBEAT_HEALTHCHECKS, /* POST with the status; also URL/start and URL/fail */
    HEARTBEAT_PLAIN,        /* GET, and nothing but success */
    _HEARTBEAT_STYLE_MAX,
} HeartbeatStyle;

typedef struct HeartbeatConfig {
    char *url;      /* this, or the file that has it; both NULL: no heartbeat. May hold a secret */
    char *url_file; /* a bare name is one of systemd's credentials */
    unsigned interval_sec;
    HeartbeatStyle style;
} HeartbeatConfig;

/* What is done about an identity that attacks trails. */
typedef struct ContainConfig {
    ContainMode mode;
    unsigned after; /* tamperings within an hour */
    unsigned max_per_day;
    StringList never; /* patterns of names or ARNs */
} ContainConfig;

typedef struct Config {
    char *path;
    uint64_t modified_usec; /* real: when the file was changed last, before it was read; 0: from memory */
    char *notes; /* what is allowed, and probably wrong: lines like those of mistakes; NULL: nothing is */
    StringList regions;
    StringList trails; /* names or ARNs */
    StringList ignore;
    Mode mode;
    unsigned poll_interval_sec;
    unsigned settings_interval_sec;
    unsigned unreachable_after;
    unsigned reminder_interval_sec;
    bool attribution;
    ContainConfig contain;
    StringList guards;       /* principals: other guards of the same trails, see arn_principal_is() */
    AccountConfig *accounts; /* none: the base credentials' own account, or the organization */
    size_t n_accounts;
    OrganizationConfig organization;
    Shard shard; /* of those accounts; total 0: all */
    ChannelConfig *channels;
    size_t n_channels;
    HeartbeatConfig heartbeat;
    char *metrics_file; /* a bare name is a file in the runtime directory; NULL: none */
    AwsConfig aws;
    int log_level; /* LOG_DEBUG..LOG_ERR */

    /* what a trail must be like, and what is done about it */
    uint32_t restore; /* RESTORE_BITs; heeded in MODE_RESTORE only */
    TrustNew trust_new;
    unsigned max_restores_per_hour;
    unsigned stale_after_sec; /* 0: off */
    bool bucket_checks;
    bool owner_check; /* without bucket_checks: only whose the bucket is */
    bool guard_checks;
    unsigned guard_interval_sec;
    Expect expect;    /* of all trails */
    TrailExpect *trail_expects;
    size_t n_trail_expects;
    MaintenanceConfig *maintenance;
    size_t n_maintenance;
} Config;

#define CONFIG_ERROR_MAX 16384

/* Reads and checks a file. 0, or -errno with a line for each mistake in error, in the order of the file,
 * without a line break behind the last: "FILE:LINE:COLUMN: what is wrong, what is allowed" (or "FILE: ..."
 * where there is no line: -ENOENT, -EACCES names the uid too). The caller frees with config_free. */
int config_load(const char *path, Config **ret, char error[static CONFIG_ERROR_MAX]);

/* The same from memory; path is for messages only. For tests and fuzzing. */
int config_parse(const char *path, const char *text, size_t len, Config **ret,
                 char error[static CONFIG_ERROR_MAX]);

void config_free(Config *config);

/* Writes the effective configuration, every option, in a form that config_load reads to the same values;
 * only of a password it says no more than that there is one. 0 or -EIO. */
int config_dump(const Config *config, FILE *out);

/* What is pinned for a trail (name, ARN): what holds for all, over that what names it, over that what gives
 * its ARN. 0, or -ENOMEM; the caller frees ret->pins by settings_done(). */
int config_expect_of(const Config *config, const char *name, const char *arn, Expect *ret);

/* The window of `maintenance` that is open for a trail (name, ARN; "" when unknown) at that moment of real
 * time, NULL when there is none. Of several the one that allows stopping, else the one that ends last. */
const MaintenanceConfig *config_maintenance_at(const Config *config, const char *name, const char *arn,
                                               uint64_t now_real_usec);

/* What a channel is called in the outbox, in the journal and by `test-alert --channel`: "sns:arn:...",
 * "webhook:NAME", in a new string; NULL when out of memory. It holds no secret: of a URL it has the host. */
char *config_channel_key(const ChannelConfig *channel);
/* The ARNs of the topics that alerts go to; returns how many. Borrowed. */
size_t config_topics(const Config *config, const char *ret[static CONFIG_CHANNELS_MAX]);

Policy config_policy(const Config *config);

/* The group of the base credentials' own account, which has no role; NULL: there is none. */
const AccountConfig *config_base_account(const Config *config);
/* Is that account guarded, as far as the configuration says? With `accounts` only those that it lists
 * are. */
bool config_guards_base(const Config *config);

/* What holds in one account; NULL for an account that is not in `accounts`. */
const StringList *config_account_regions(const Config *config, const AccountConfig *account);
const StringList *config_account_trails(const Config *config, const AccountConfig *account);
Policy config_account_policy(const Config *config, const AccountConfig *account);
