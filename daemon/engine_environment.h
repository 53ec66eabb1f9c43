/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The environment of a credential_process: what it needs to reach AWS or a vault as TrailGuard itself does,
 * and none of TrailGuard's keys. Pure. */

#include "daemon/config/config.h"

/* own: TrailGuard's environment, NULL-terminated; home: the user's home directory, NULL when it is not
 * known. *ret is NULL-terminated and freed by engine_environment_free(). 0 or -ENOMEM. */
int engine_environment_new(const AwsConfig *config, char *const *own, const char *home, char ***ret);
void engine_environment_free(char **environment);

/* The first name of aws.process_environment from *at on that TrailGuard's own environment does not have,
 * NULL when there is none; *at is where to go on. */
const char *engine_environment_missing(const AwsConfig *config, char *const *own, size_t *at);
