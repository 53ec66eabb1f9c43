/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How each kind of member of the state file is written and read. Private to the state. */

#include <jansson.h>

#include "daemon/core/model.h"

typedef struct Member Member;

typedef struct Kind {
    const char *wanted; /* what a reader must find, for messages */
    /* A new value; *ret stays NULL where the field has its default. 0 or -ENOMEM. */
    int (*write)(const Member *member, const void *field, json_t **ret);
    /* 0, -EINVAL for what is not wanted, or -ENOMEM. */
    int (*read)(const Member *member, const json_t *value, void *field);
    const Member *members; /* of an object; else NULL */
} Kind;

/* One member of a JSON object and the field of a struct that it stands for. A table ends with a NULL name.
 */
struct Member {
    const char *name;
    const Kind *kind;
    size_t offset;
    size_t size; /* text: of the array */
};

/* A bool; an unsigned; a uint64_t; a char array; a char pointer, owned. */
extern const Kind state_kind_bool, state_kind_uint, state_kind_usec, state_kind_text, state_kind_string;
/* Enums by name, so that the file does not depend on their order. */
extern const Kind state_kind_verdict, state_kind_event, state_kind_severity, state_kind_poll_error,
        state_kind_action, state_kind_action_result;
/* uint32_t of FINDING_BITs, uint32_t of FIELD_BITs: a list of their names. */
extern const Kind state_kind_findings, state_kind_fields;
/* uint64_t[MARKS_MAX]: a list of numbers, without the zeros at its end. */
extern const Kind state_kind_marks;
/* Drift: a list of {field, loses_events, was, now}, each field once. Reading takes what was there before for
 * empty; free with drift_done, also after an error. */
extern const Kind state_kind_changes;
