/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* /etc/trailguard.conf: read by libconfig, checked against one table of options, which also has the defaults
 * and bounds and drives --dump. */

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

/* A group of `expect` for one trail. */
typedef struct TrailExpect {
    char *trail; /* name or ARN */
    Expect expect;
} TrailExpect;

/* A maintenance window. */
typedef struct MaintenanceConfig {
    char *trail;                    /* name or ARN; NULL: all */
    uint64_t from_usec, until_usec; /* real; until is the first moment after the window */
    char *reason;                   /* NULL: none given */
    bool stop_allowed;              /* logging may be stopped, too */
} MaintenanceConfig;

typedef struct StringList {
    char **items; /* NULL-terminated; NULL if the option is not set */
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
    char *name;         /* NULL: config_channel_key() derives one */
    char *topic_arn;    /* CHANNEL_SNS */
    bool chat;          /* ... for Amazon Q Developer in chat applications */
    char *url;          /* CHANNEL_WEBHOOK: either this or url_file; may contain a secret */
    char *url_file;     /* ... a bare name means one of systemd's credentials */
    char *secret_file;  /* ... the signing key or the receiver's key; NULL: none */
    AlertFormat format; /* ... */
    StringList command; /* CHANNEL_COMMAND: the program and its arguments */
    StringList urls;    /* CHANNEL_ALERTMANAGER: all members of the cluster */
    StringList events;  /* as given */
    AlertFilter filter; /* events: of that list */
} ChannelConfig;

/* A setting that the environment decides unless the file does. */
typedef enum Switch {
    SWITCH_UNSET,
    SWITCH_OFF,
    SWITCH_ON,
} Switch;

typedef struct AwsConfig {
    char *profile;                  /* NULL: $AWS_DEFAULT_PROFILE, $AWS_PROFILE, else "default" */
    char *credentials_file;         /* NULL: the search order in the manual; bare names were resolved in
                                       $CREDENTIALS_DIRECTORY or CONFIG_SECRETS_DIR */
    char *config_file;              /* NULL: $AWS_CONFIG_FILE, else ~/.aws/config; a bare name as above */
    char *endpoint_url;             /* NULL: AWS */
    char *ca_bundle;                /* NULL: $AWS_CA_BUNDLE, else the system's */
    char *proxy;                    /* NULL: $HTTPS_PROXY; may contain a password */
    StringList process_environment; /* names of additional variables for a credential_process */
    Switch use_fips;                /* unset: $AWS_USE_FIPS_ENDPOINT */
    Switch use_dualstack;           /* unset: $AWS_USE_DUALSTACK_ENDPOINT */
    unsigned connect_timeout_sec, request_timeout_sec, max_attempts, max_connections;
} AwsConfig;

/* A group of `accounts`. Unset options have the value of the top level: use config_account_*. */
typedef struct AccountConfig {
    char *name;                 /* for people; NULL */
    char *role_arn;             /* NULL: the base credentials' own account */
    char *external_id;          /* NULL: none */
    char *session_name;         /* NULL: "trailguard-HOST" */
    StringList regions, trails; /* neither all nor items: not set */
    Mode mode;                  /* _MODE_MAX: not set */
    uint32_t restore;           /* RESTORE_BITs; CONFIG_RESTORE_UNSET: not set */
} AccountConfig;

typedef struct OrganizationConfig {
    char *role_name;    /* in every member; may have a path prefix. NULL: no organization */
    StringList exclude; /* account ids */
    unsigned refresh_sec;
} OrganizationConfig;

typedef enum HeartbeatStyle {
    HEARTBEAT_HEALTHCHECKS, /* POST with the status; also URL/start and URL/fail */
    HEARTBEAT_PLAIN,        /* GET, only after success */
    _HEARTBEAT_STYLE_MAX,
} HeartbeatStyle;

typedef struct HeartbeatConfig {
    char *url;      /* either this or url_file; both NULL: no heartbeat. May contain a secret */
    char *url_file; /* a bare name means one of systemd's credentials */
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
    uint64_t modified_usec; /* real: the last change of the file before it was read; 0: from memory */
    char *notes; /* allowed but probably wrong: lines like those of mistakes; NULL: none */
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
    StringList guards;       /* principals of other guards of the same trails, see arn_principal_is() */
    AccountConfig *accounts; /* none: the base credentials' own account, or the organization */
    size_t n_accounts;
    OrganizationConfig organization;
    Shard shard; /* of those accounts; total 0: all */
    ChannelConfig *channels;
    size_t n_channels;
    HeartbeatConfig heartbeat;
    char *metrics_file; /* a bare name means a file in the runtime directory; NULL: none */
    AwsConfig aws;
    int log_level; /* LOG_DEBUG..LOG_ERR */

    /* what a trail must be like, and what is done about differences */
    uint32_t restore; /* RESTORE_BITs; only used in MODE_RESTORE */
    TrustNew trust_new;
    unsigned max_restores_per_hour;
    unsigned stale_after_sec; /* 0: off */
    bool bucket_checks;
    bool owner_check; /* without bucket_checks: check only who owns the bucket */
    bool guard_checks;
    unsigned guard_interval_sec;
    Expect expect;    /* of all trails */
    TrailExpect *trail_expects;
    size_t n_trail_expects;
    MaintenanceConfig *maintenance;
    size_t n_maintenance;
} Config;

#define CONFIG_ERROR_MAX 16384

/* Reads and checks a file. 0, or -errno with a line per mistake in error, in the order of the file, without
 * a final line break: "FILE:LINE:COLUMN: what is wrong, what is allowed" ("FILE: ..." if no line applies:
 * -ENOENT, -EACCES also names the uid). Free with config_free. */
int config_load(const char *path, Config **ret, char error[static CONFIG_ERROR_MAX]);

/* The same from memory; path is only for messages. For tests and fuzzing. */
int config_parse(const char *path, const char *text, size_t len, Config **ret,
                 char error[static CONFIG_ERROR_MAX]);

void config_free(Config *config);

/* Writes every option of the effective configuration, in a form that config_load reads to the same values;
 * of a password only that there is one. 0 or -EIO. */
int config_dump(const Config *config, FILE *out);

/* The pins for a trail (name, ARN): those for all trails, overridden by those for its name, overridden by
 * those for its ARN. 0, or -ENOMEM; the caller frees ret->pins with settings_done(). */
int config_expect_of(const Config *config, const char *name, const char *arn, Expect *ret);

/* The `maintenance` window that is open for a trail (name, ARN; "" if unknown) at this real time, NULL if
 * there is none. Of several, one that allows stopping, else the one that ends last. */
const MaintenanceConfig *config_maintenance_at(const Config *config, const char *name, const char *arn,
                                               uint64_t now_real_usec);

/* The name of a channel in the outbox, the journal and `test-alert --channel`: "sns:arn:...",
 * "webhook:NAME", in a new string; NULL when out of memory. Contains no secret: only the host of a URL. */
char *config_channel_key(const ChannelConfig *channel);
/* The ARNs of the alerts' topics; returns their number. Borrowed. */
size_t config_topics(const Config *config, const char *ret[static CONFIG_CHANNELS_MAX]);

Policy config_policy(const Config *config);

/* The group of the base credentials' own account, which has no role; NULL if there is none. */
const AccountConfig *config_base_account(const Config *config);
/* True if the configuration includes the base credentials' account. With `accounts`, only listed accounts
 * are guarded. */
bool config_guards_base(const Config *config);

bool config_list_has(const StringList *list, const char *text);

/* The settings of one account; NULL for an account that is not in `accounts`. */
const StringList *config_account_regions(const Config *config, const AccountConfig *account);
const StringList *config_account_trails(const Config *config, const AccountConfig *account);
Policy config_account_policy(const Config *config, const AccountConfig *account);
