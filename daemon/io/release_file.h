/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* DIR/release.json in the state directory: with it `trailguard release` asks the daemon to give a user or
 * role its rights back. Rights in AWS are not enough to write it. */

#include <stddef.h>

#include "daemon/core/model.h"

#define RELEASE_FILE "release.json"

typedef struct ReleaseFile {
    char arn[ACTOR_ARN_MAX]; /* of the user or role */
    char by[160];             /* who asked for it */
} ReleaseFile;

/* 0; -ENOENT; -EINVAL with one line in reason if it is invalid; else -errno. */
int release_file_read(const char *dir, ReleaseFile *ret, char *reason, size_t reason_size);
/* The same for a text: 0, -EINVAL, -ENOMEM. Pure. */
int release_file_parse(const char *text, size_t len, ReleaseFile *ret, char *reason, size_t reason_size);
/* Durable. 0 or -errno. */
int release_file_write(const char *dir, const ReleaseFile *file);
/* 0 even if it did not exist; else -errno. */
int release_file_remove(const char *dir);
