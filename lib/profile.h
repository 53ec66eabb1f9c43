/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Profiles of AWS's shared files, and the plan by which a profile yields credentials. Pure: the caller
 * passes the files' texts. Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials
 * files", "Assume role credential provider", "Process credential provider", "Service-specific endpoints";
 * botocore's credentials.py for details the guide leaves open. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/endpoint.h"

typedef enum ProfileKey {
    PROFILE_KEY_ID,             /* aws_access_key_id */
    PROFILE_KEY_SECRET,
    PROFILE_KEY_TOKEN,
    PROFILE_REGION,
    PROFILE_ROLE_ARN,
    PROFILE_SOURCE_PROFILE,
    PROFILE_CREDENTIAL_SOURCE,
    PROFILE_EXTERNAL_ID,
    PROFILE_SESSION_NAME,
    PROFILE_DURATION,
    PROFILE_MFA_SERIAL,
    PROFILE_PROCESS,            /* credential_process */
    PROFILE_WEB_TOKEN_FILE,
    PROFILE_SSO_SESSION,
    PROFILE_SSO_START_URL,
    PROFILE_ENDPOINT_URL,
    PROFILE_SERVICES,
    PROFILE_CA_BUNDLE,
    _PROFILE_KEY_MAX,
} ProfileKey;

#define PROFILE_VALUE_MAX (64 * 1024) /* bytes: AWS documents no limit for session tokens */

/* Owns its texts. NULL means that the profile does not set the key, or sets it to nothing. */
typedef struct Profile {
    bool found;
    bool key_in_config; /* the key comes from the config file, not the credentials file */
    char *values[_PROFILE_KEY_MAX];
    char *service_urls[_AWS_SERVICE_MAX]; /* endpoint_url from the section [services NAME] it refers to */
} Profile;

/* Overwrites and frees the texts, and leaves the profile empty. */
void profile_done(Profile *profile);

/* text is NULL if the file does not exist. Messages use path even then; NULL if none is configured. */
typedef struct ProfileFile {
    const char *path;
    const char *text;
    size_t len;
} ProfileFile;

typedef struct ProfileFiles {
    ProfileFile credentials;    /* [NAME] */
    ProfileFile config;         /* [profile NAME], where NAME may be quoted; [default] as well for "default";
                                 * [services NAME] */
} ProfileFiles;

/* Merges a profile from both files. Values in the credentials file take precedence; the three parts of a key
 * come from one file. A profile in neither file is not found, which is no error. A line that is malformed,
 * or that AWS's tools parse differently, makes only its own profile unusable. Returns 0, or -EINVAL, -E2BIG
 * or -ENOMEM with one line in message (size bytes) that names file and line but no values. */
int profile_read(const ProfileFiles *files, const char *name, Profile *ret, char *message, size_t size);

typedef enum ProfileBase {
    PROFILE_BASE_KEYS,          /* the key in the plan's profile */
    PROFILE_BASE_PROCESS,       /* the output of its credential_process */
    PROFILE_BASE_WEB_IDENTITY,  /* a session of its role_arn, by its web_identity_token_file */
    PROFILE_BASE_ENVIRONMENT,   /* credential_source: AWS_ACCESS_KEY_ID and related variables */
    PROFILE_BASE_INSTANCE,      /* credential_source: instance metadata */
    PROFILE_BASE_CONTAINER,     /* credential_source: the container's endpoint */
} ProfileBase;

#define PROFILE_ROLES_MAX 5

/* How to obtain credentials: start at the base, then assume one role after another. */
typedef struct ProfilePlan {
    ProfileBase base;
    Profile profile;                    /* of the base; unused if credential_source names the base */
    size_t n_roles;
    Profile roles[PROFILE_ROLES_MAX];   /* assumed from last to first */
    unsigned durations_sec[PROFILE_ROLES_MAX];  /* 0 means not set; cut to AWS's limit for chains */
    unsigned web_duration_sec;          /* for PROFILE_BASE_WEB_IDENTITY */
} ProfilePlan;

void profile_plan_done(ProfilePlan *plan);

/* Follows source_profile to the base. In the named profile a role takes precedence over keys; in a source
 * profile keys take precedence. A profile that is its own source must hold a key. Returns 0; -ENOENT if the
 * profile does not exist; -ENODATA if nothing in it yields credentials; -EINVAL for half a key, a role
 * without a source or with two, a missing source, a cycle, more than PROFILE_ROLES_MAX roles, mfa_serial or
 * single sign-on (a daemon cannot prompt), or a duration outside AWS's bounds; or an error of profile_read.
 * message gets one line that names file and profile but no secrets. */
int profile_plan(const ProfileFiles *files, const char *name, ProfilePlan *ret, char *message, size_t size);

/* ---- command lines ---- */

/* Splits a command line into words as a shell would, without running a shell or expanding anything. The
 * rules are those of Python's shlex.split(), which AWS's own tools use for credential_process. Pure. */

#define SHELL_WORDS_MAX 64
#define SHELL_TEXT_MAX  16384 /* bytes of a command line */

/* Splits at white space (blank, tab, line feed). 'x' keeps everything literally; so does "x", except that a
 * backslash escapes '"' and '\'. Elsewhere a backslash escapes any character. '' is an empty word. *ret is
 * NULL-terminated, in one allocation that the caller frees. Returns the number of words; -EINVAL for an
 * unclosed quote or a trailing backslash; -E2BIG above a limit; -ENOMEM. */
int shell_split(const char *text, char ***ret);
