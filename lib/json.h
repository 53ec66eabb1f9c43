/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the readers of JSON answers share. Pure. */

#include <jansson.h>
#include <stddef.h>

/* Parses an object; the caller gives it back by json_decref. 0, -EBADMSG for anything else, -ENOMEM. */
int json_read_object(const char *text, size_t len, json_t **ret);

/* The member, or NULL when it is absent or null: AWS means the same by both. Borrowed. */
const json_t *json_member(const json_t *object, const char *name);

/* The member's text, "" when it is absent or null; borrowed. 0, or -EBADMSG when it is of another type. */
int json_read_text(const json_t *object, const char *name, const char **ret);
