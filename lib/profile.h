/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Profiles of AWS's shared files, and how the credentials of one are come by. Pure: the files' texts come in
 * as values. Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files", "Assume role
 * credential provider", "Process credential provider", "Service-specific endpoints"; botocore's
 * credentials.py for what is not written there. */

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

#define PROFILE_VALUE_MAX (64 * 1024) /* bytes: a session token has no agreed limit and is a few KiB today */

/* All texts are owned; NULL where the profile says nothing, or nothing after the equals sign. */
typedef struct Profile {
    bool found;
    bool key_in_config; /* and not in the credentials file */
    char *values[_PROFILE_KEY_MAX];
    char *service_urls[_AWS_SERVICE_MAX]; /* endpoint_url of its section [services NAME] */
} Profile;

/* Overwrites and frees the texts; the profile is empty afterwards. */
void profile_done(Profile *profile);

/* text is NULL when there is no such file; path is for messages then too, and NULL when nobody asked for
 * one. */
typedef struct ProfileFile {
    const char *path;
    const char *text;
    size_t len;
} ProfileFile;

typedef struct ProfileFiles {
    ProfileFile credentials;    /* [NAME] */
    ProfileFile config;         /* [profile NAME], NAME perhaps in quotes, for "default" [default] too;
                                 * [services NAME] */
} ProfileFiles;

/* Gathers a profile from both files; what the credentials file says wins, and the three that make up a key
 * come from one file. A profile that is in neither is not found, and that is no error. A line that cannot be
 * read, or that AWS's tools read in different ways, spoils the profile that it stands in, and no other. 0;
 * -EINVAL, -E2BIG, -ENOMEM with one line in message (size bytes) that names file and line, no values. */
int profile_read(const ProfileFiles *files, const char *name, Profile *ret, char *message, size_t size);

typedef enum ProfileBase {
    PROFILE_BASE_KEYS,          /* the key in base */
    PROFILE_BASE_PROCESS,       /* what its credential_process says */
    PROFILE_BASE_WEB_IDENTITY,  /* a session of its role_arn for the token in its web_identity_token_file */
    PROFILE_BASE_ENVIRONMENT,   /* credential_source: AWS_ACCESS_KEY_ID and its like */
    PROFILE_BASE_INSTANCE,      /* credential_source: instance metadata */
    PROFILE_BASE_CONTAINER,     /* credential_source: the container's endpoint */
} ProfileBase;

#define PROFILE_ROLES_MAX 5

/* How to come by credentials: from a base, and then by role after role. */
typedef struct ProfilePlan {
    ProfileBase base;
    Profile profile;                    /* of the base, unless credential_source named it */
    size_t n_roles;
    Profile roles[PROFILE_ROLES_MAX];   /* the first to assume is the last of these */
    unsigned durations_sec[PROFILE_ROLES_MAX];  /* 0: not said. What AWS would refuse in a chain is cut */
    unsigned web_duration_sec;          /* of a PROFILE_BASE_WEB_IDENTITY */
} ProfilePlan;

void profile_plan_done(ProfilePlan *plan);

/* Follows source_profile to its end. A role comes before keys in the named profile, after them in one that
 * is somebody's source; a profile that is its own source must hold a key. 0; -ENOENT when there is no such
 * profile, -ENODATA when nothing in it makes credentials; -EINVAL for all that is wrong with it: half a key,
 * a role without a source or with two, a source that is not there, a circle, more than PROFILE_ROLES_MAX
 * roles, mfa_serial and single sign-on (a daemon has nobody to ask), a duration out of AWS's bounds; or as
 * profile_read. message gets one line that names file and profile, no secrets. */
int profile_plan(const ProfileFiles *files, const char *name, ProfilePlan *ret, char *message, size_t size);

/* ---- command lines ---- */

/* A command line into words, as a shell would split it, without a shell: nothing is expanded and nothing is
 * run. The rules are those of Python's shlex.split(), by which AWS's own tools read credential_process.
 * Pure. */

#define SHELL_WORDS_MAX 64
#define SHELL_TEXT_MAX  16384 /* bytes of a command line */

/* Splits at white space (blank, tab, line feeds). 'x' takes all literally; "x" too, but for a backslash
 * before '"' or '\'; elsewhere a backslash takes the next character literally. '' is an empty word. *ret is
 * NULL-terminated, one allocation that the caller frees. The number of words, 0 and more; -EINVAL for a
 * quote that is not closed or a backslash at the end; -E2BIG past a ceiling; -ENOMEM. */
int shell_split(const char *text, char ***ret);
