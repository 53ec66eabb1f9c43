/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* /etc/trailguard.conf: read by libconfig, checked against one table of options that also gives defaults,
 * bounds and --dump. */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "daemon/types.h"

#define CONFIG_PATH_DEFAULT "/etc/trailguard.conf"
#define CONFIG_SIZE_MAX     (1024 * 1024)
#define CONFIG_CHANNELS_MAX 16
#define CONFIG_LIST_MAX     1000 /* strings in one array */
#define CONFIG_ACCOUNTS_MAX 1000

typedef enum ChannelType {
    CHANNEL_SNS,
    _CHANNEL_TYPE_MAX,
} ChannelType;

typedef struct ChannelConfig {
    ChannelType type;
    char *topic_arn;
    Severity min_severity;
} ChannelConfig;

typedef struct StringList {
    char **items;
    size_t n;
    bool all; /* the option was "all" */
} StringList;

typedef struct AwsConfig {
    char *profile;          /* NULL: $AWS_PROFILE, else "default" */
    char *credentials_file; /* NULL: the search order of the manual; a bare name was resolved in
                               $CREDENTIALS_DIRECTORY */
    char *endpoint_url;     /* NULL: AWS */
    char *ca_bundle;        /* NULL: $AWS_CA_BUNDLE, else the system's */
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
} AccountConfig;

typedef struct OrganizationConfig {
    char *role_name;    /* in every member; may have a path in front. NULL: no organization */
    StringList exclude; /* account ids */
    unsigned refresh_sec;
} OrganizationConfig;

typedef struct Config {
    char *path;
    StringList regions;
    StringList trails; /* names or ARNs */
    StringList ignore;
    Mode mode;
    unsigned poll_interval_sec;
    unsigned settings_interval_sec;
    unsigned blind_after;
    unsigned reminder_interval_sec;
    bool attribution;        /* accepted; takes effect in a later version */
    AccountConfig *accounts; /* none: the base credentials' own account, or the organization */
    size_t n_accounts;
    OrganizationConfig organization;
    ChannelConfig *channels;
    size_t n_channels;
    AwsConfig aws;
    int log_level; /* LOG_DEBUG..LOG_ERR */
} Config;

#define CONFIG_ERROR_MAX 512

/* Reads and checks a file. 0, or -errno with one line in error: "FILE:LINE: what is wrong, what is allowed"
 * (or "FILE: ..." where there is no line: -ENOENT, -EACCES names the uid too). The caller frees with
 * config_free. */
int config_load(const char *path, Config **ret, char error[static CONFIG_ERROR_MAX]);

/* The same from memory; path is for messages only. For tests and fuzzing. */
int config_parse(const char *path, const char *text, size_t len, Config **ret,
                 char error[static CONFIG_ERROR_MAX]);

void config_free(Config *config);

/* Writes the effective configuration, every option, in a form that config_load reads to the same values. 0
 * or -EIO. */
int config_dump(const Config *config, FILE *out);

/* Names of all options in table order ("aws.profile" for members of groups), NULL-terminated, static; for
 * the documentation check and completion. */
const char *const *config_option_names(void);

Policy config_policy(const Config *config);

/* What holds in one account; NULL for an account that is not in `accounts`. */
const StringList *config_account_regions(const Config *config, const AccountConfig *account);
const StringList *config_account_trails(const Config *config, const AccountConfig *account);
Policy config_account_policy(const Config *config, const AccountConfig *account);
