/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Reading AWS's JSON answers, and making JSON texts to be compared or sent. Pure.
 *
 * A member that is absent and one that is null are the same: AWS means "not set" by both. A member of the
 * wrong type is -EBADMSG, members that are not asked for are passed over. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Parses a whole answer, which must be an object. The caller releases *ret. 0, -EBADMSG, -ENOMEM. */
int answer_load(const char *body, size_t len, json_t **ret);

/* The member, borrowed, or NULL when it is absent or null; NULL too when object is NULL or none. */
const json_t *answer_member(const json_t *object, const char *name);

/* Absent is false, 0, "". 0 or -EBADMSG. *ret of answer_text() is borrowed from the object. */
int answer_bool(const json_t *object, const char *name, bool *ret);
/* Seconds since the epoch, as any kind of number. */
int answer_time(const json_t *object, const char *name, uint64_t *ret_usec);
int answer_text(const json_t *object, const char *name, const char **ret);

/* The text in a string of its own, which the caller frees. 0, -EBADMSG, -ENOMEM. */
int answer_string(const json_t *object, const char *name, char **ret);

/* A string of its own of at most max bytes, cut between characters. NULL when out of memory. */
char *answer_cut(const char *text, size_t max);

/* The value as JSON text in the one form that can be compared byte by byte: compact, keys sorted, members
 * that are null left out. The order of arrays is kept. The caller frees *ret. 0, -E2BIG past max bytes,
 * -ENOMEM. */
int answer_dump(const json_t *value, size_t max, char **ret);

/* The body of a request as text; root is released. The caller frees *ret. 0, -EINVAL when root is NULL (what
 * json_pack() gives for text that is not UTF-8), -ENOMEM. */
int answer_request(json_t *root, char **ret);
