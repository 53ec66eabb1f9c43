/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* DIR/drill.json in the state directory: the announcement of `trailguard drill` to the daemon, before it
 * stops or tags a trail. Rights in AWS are not enough to write it. */

#include <stddef.h>

#include "daemon/core/model_guard.h"

#define DRILL_FILE     "drill.json"
#define DRILL_MAX_USEC (900ULL * 1000000) /* the longest time that one can cover */

typedef struct DrillFile {
    char trail[ACTOR_TEXT_MAX]; /* ARN */
    Drill drill;
} DrillFile;

/* Also returns one whose time is over, because the caller is found later. 0; -ENOENT; -EINVAL with one line
 * in reason if it is invalid; else -errno. */
int drill_file_read(const char *dir, DrillFile *ret, char *reason, size_t reason_size);
/* Parses the file's content. 0, or -EINVAL with one line in reason. */
int drill_file_parse(const char *text, size_t len, DrillFile *ret, char *reason, size_t reason_size);
/* Durable. 0 or -errno. */
int drill_file_write(const char *dir, const DrillFile *file);
/* 0 even if it did not exist; else -errno. */
int drill_file_remove(const char *dir);
