/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The sources of the base credentials: the environment, a profile and its files, a credential_process, a
 * container, an instance. Only this part of aws_setup requests keys. */

#include "daemon/aws_setup.h"
#include "daemon/config/config.h"
#include "lib/profile.h"

/* An environment variable, NULL when unset or empty. */
const char *aws_env(const char *name);
bool aws_env_is_true(const char *name);

/* Where to look for the profile of this process. */
typedef struct AwsLocation {
    const char *name; /* borrowed */
    bool named;       /* by the configuration or $AWS_PROFILE: then it must exist */
    char *credentials_file;
    char *config_file;             /* NULL: none */
    bool file_named, config_named; /* set explicitly: then an unreadable file is an error, and not "no such
                                      file" */
} AwsLocation;

/* 0 or -ENOMEM. Free with aws_location_done(). ret borrows the name from config or the environment. */
int aws_location_find(const Config *config, AwsLocation *ret);
void aws_location_done(AwsLocation *location);
/* Reads the profile; nothing of a file that cannot be read, which its provider reports. Warns if others may
 * read a key file. */
void aws_location_load(const AwsLocation *location, Profile *ret);

/* Sets aws->credentials, a cache over the chain; everything else in aws must be open. 0 or -errno. */
int aws_credentials_open(const Config *config, const AwsLocation *location, AwsSetup *aws);

/* ---- the environment of a credential_process: what it needs to reach AWS or a vault in the same way as
 * TrailGuard, without TrailGuard's keys. Pure. ---- */

/* own: TrailGuard's environment, NULL-terminated; home: the user's home directory, NULL if unknown. *ret is
 * NULL-terminated; free it with credentials_free_list(). 0 or -ENOMEM. */
int aws_process_environment_new(const AwsConfig *config, char *const *own, const char *home, char ***ret);

/* The first name in aws.process_environment, from *at on, that TrailGuard's own environment does not have;
 * NULL if there is none. *at is advanced. */
const char *aws_process_environment_missing(const AwsConfig *config, char *const *own, size_t *at);
