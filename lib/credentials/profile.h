/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A profile of AWS's shared files as a provider: its key, its program, its web identity, or the role at the
 * end of its chain. */

#include <stdbool.h>

#include "lib/call.h"

typedef struct ProfileOptions {
    const char *credentials_file;   /* path; NULL: none */
    const char *config_file;        /* path; NULL: none */
    const char *profile;            /* NULL: "default" */
    bool file_required;             /* a credentials file that is not there is an error */
    bool config_required;           /* so is a configuration file */
    bool file_named, config_named;  /* one that is there and may not be read is an error; else it is as if it were
                                     * not there, as with AWS's tools */
    bool profile_required;          /* a profile that is not there is an error; one without credentials only when
                                     * its file is required */
    const char *region;             /* whose STS roles are assumed by */
    const char *session_name;       /* of roles whose profile gives none */
    const char *const *environment; /* for credential_process: "NAME=value", NULL-terminated */

    /* What credential_source may name; taken over, also on error; each may be NULL. */
    CredentialsProvider *from_environment, *from_instance, *from_container;
} ProfileOptions;

/* Both files are read at each get, so that changed ones are picked up. NONE when files, profile, or the
 * credentials in it are not there and not required. FAILED when a file cannot be read or parsed, for what
 * profile_plan refuses, for a role that STS would refuse by its shape, and when what it leads to gives NONE
 * or fails; DENIED as assume_role. client is borrowed and must outlive the provider; texts are copied. 0 or
 * -ENOMEM.
 */
int credentials_profile_new(AwsClient *client, const ProfileOptions *options, CredentialsProvider **ret);
