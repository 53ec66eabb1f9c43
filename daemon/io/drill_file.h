/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* DIR/drill.json in the state directory: what `trailguard drill` announces to the daemon before it stops a
 * trail or adds a tag to it. Nobody who has rights in AWS only can write it. */

#include <stddef.h>

#include "daemon/core/model_guard.h"

#define DRILL_FILE     "drill.json"
#define DRILL_MAX_USEC (900ULL * 1000000) /* how long one can be announced for */

typedef struct DrillFile {
    char trail[ACTOR_TEXT_MAX]; /* ARN */
    Drill drill;
} DrillFile;

/* Also one whose time is over: who stopped the trail is found later. 0; -ENOENT; -EINVAL with one line in
 * reason when it is no announcement that counts; else -errno. */
int drill_file_read(const char *dir, DrillFile *ret, char *reason, size_t reason_size);
/* What the file holds. 0, or -EINVAL with one line in reason. */
int drill_file_parse(const char *text, size_t len, DrillFile *ret, char *reason, size_t reason_size);
/* Durable. 0 or -errno. */
int drill_file_write(const char *dir, const DrillFile *file);
/* 0, also when it was not there; else -errno. */
int drill_file_remove(const char *dir);
