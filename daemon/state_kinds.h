/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Members of the state file that are lists: how they are written and read. Private to the state; the forms
 * are those of the kinds in state_json.c. Writers leave *ret NULL where there is nothing: 0 or -ENOMEM.
 * Readers give 0, -EINVAL for what is not such a list, or -ENOMEM. */

#include <jansson.h>

#include "daemon/types.h"

struct Member;

/* uint32_t: FIELD_BITs as a list of the fields' names. */
int state_write_fields(const struct Member *member, const void *field, json_t **ret);
int state_read_fields(const struct Member *member, const json_t *value, void *field);

/* uint64_t[MARKS_MAX]: a list of numbers, without the zeros at its end. */
int state_write_marks(const struct Member *member, const void *field, json_t **ret);
int state_read_marks(const struct Member *member, const json_t *value, void *field);

/* Drift: a list of {field, loses_events, was, now}, each field once. Reading takes what was there before for
 * empty; free with state_changes_done, also after an error. */
int state_write_changes(const struct Member *member, const void *field, json_t **ret);
int state_read_changes(const struct Member *member, const json_t *value, void *field);
void state_changes_done(Drift *changes);
