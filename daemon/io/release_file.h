/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* DIR/release.json in the state directory: by it `trailguard release` has the daemon give a user or role its
 * rights again. Nobody who has rights in AWS only can write it. */

#include <stddef.h>

#include "daemon/core/model.h"

#define RELEASE_FILE "release.json"

typedef struct ReleaseFile {
    char arn[ACTOR_ARN_MAX]; /* of the user or role */
    char by[160];             /* who wants it */
} ReleaseFile;

/* 0; -ENOENT; -EINVAL with one line in reason when it counts for nothing; else -errno. */
int release_file_read(const char *dir, ReleaseFile *ret, char *reason, size_t reason_size);
/* The same of a text: 0, -EINVAL, -ENOMEM. Pure. */
int release_file_parse(const char *text, size_t len, ReleaseFile *ret, char *reason, size_t reason_size);
/* Durable. 0 or -errno. */
int release_file_write(const char *dir, const ReleaseFile *file);
/* 0, also when it was not there; else -errno. */
int release_file_remove(const char *dir);
