/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which files and variables credentials come from, and in which order. */

#include "daemon/aws_setup.h"
#include "lib/profile.h"

/* Where the profile of this process is looked for. */
typedef struct ProfileLocation {
    const char *name; /* borrowed */
    bool named;       /* by the configuration or $AWS_PROFILE: then it must be there */
    char *credentials_file;
    char *config_file;             /* NULL: none */
    bool file_named, config_named; /* by somebody: unreadable is an error then, not "no such file" */
} ProfileLocation;

/* 0 or -ENOMEM. */
int engine_profile_find(const Config *config, ProfileLocation *ret);
void engine_profile_done(ProfileLocation *location);

/* The settings that the profile holds, for what else wants to know; empty when the files cannot be read,
 * which the credentials' own source tells about. Warns of keys that others may read. */
void engine_profile_load(const ProfileLocation *location, Profile *ret);

/* A cache over: the environment (unless the configuration names a profile or a file), the profile, web
 * identity, the container's endpoint, instance metadata. aws must be complete but for its credentials. 0 or
 * -ENOMEM. */
int engine_credentials_open(const Config *config, const ProfileLocation *location, AwsSetup *aws);
