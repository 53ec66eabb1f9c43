/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Reading AWS's JSON answers, and making JSON texts for comparison or requests. Pure.
 *
 * An absent member and null are the same: AWS means "not set" by both. A member of the wrong type is
 * -EBADMSG. Other members are ignored. */

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/util/text.h"

/* The fault of an answer: "trailList[2].IsLogging is missing". Only our own text, never AWS's. */
typedef struct AnswerFault {
    char text[128];
} AnswerFault;

/* Sets the text unless fault is NULL. Returns -EBADMSG. */
int answer_fault(AnswerFault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prepends a place to the text: "trailList[2].". Returns r, which must be an error. */
int answer_fault_in(AnswerFault *fault, int r, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* Parses a whole answer, which must be an object. The caller releases *ret. 0, -EBADMSG, -ENOMEM. */
int answer_load(const char *body, size_t len, json_t **ret);

/* The member, borrowed; NULL if it is absent or null, or object is NULL or no object. */
const json_t *answer_member(const json_t *object, const char *name);

typedef enum AnswerKind {
    ANSWER_TEXT,  /* char *, owned; "" when absent */
    ANSWER_CHARS, /* char[size], truncated to it; "" if absent */
    ANSWER_BOOL,  /* bool */
    ANSWER_TIME,  /* uint64_t, microseconds; 0 if absent. AWS has seconds since the epoch, as any kind of
                     number; others have a text, see answer_time() */
} AnswerKind;

/* A row of a reader's table: a member, and its place in a struct. */
typedef struct AnswerField {
    const char *name;
    AnswerKind kind;
    bool required; /* a text must not be empty then */
    size_t offset, size;
} AnswerField;

#define ANSWER_FIELD(name_, kind_, required_, Type, member)                                                 \
    { name_, kind_, required_, offsetof(Type, member), sizeof(((Type *)NULL)->member) }

/* Reads all members of a table into the struct at ret. 0, -EBADMSG, -ENOMEM; after an error the remaining
 * texts of the struct are unchanged. */
int answer_fields(const json_t *object, const AnswerField *fields, size_t n, void *ret, AnswerFault *fault);

/* Parses a time: seconds since the epoch, ISO 8601 (UTC if without a zone), an HTTP date. "" is 0, no time.
 * 0 or -EBADMSG. */
int answer_time(const char *text, uint64_t *ret_usec);

/* The member's text, borrowed; "" if absent. 0 or -EBADMSG. */
int answer_text(const json_t *object, const char *name, const char **ret);
/* The list, borrowed; NULL if absent and not required. 0, -EBADMSG, -E2BIG over max members. */
int answer_list(const json_t *object, const char *name, bool required, size_t max, const json_t **ret,
                AnswerFault *fault);
/* NextToken, an owned text; NULL if absent or empty. */
int answer_token(const json_t *object, char **ret, AnswerFault *fault);

/* A copy, truncated to max bytes between characters. NULL when out of memory. */
char *answer_cut(const char *text, size_t max);

/* The value as JSON text that can be compared byte by byte: compact, sorted keys, without null members.
 * Arrays keep their order. The caller frees *ret. 0, -E2BIG over max bytes, -ENOMEM. */
int answer_dump(const json_t *value, size_t max, char **ret);

/* Why jansson failed on a text or its container: -EINVAL if it is not UTF-8, else -ENOMEM. NULL: there was
 * none. */
static inline int answer_refusal(const char *text) {
    return text && !text_is_utf8(text) ? -EINVAL : -ENOMEM;
}

/* A request body as text; releases root. The caller frees *ret. 0, -ENOMEM; if root is NULL, answer_refusal
 * of its text. */
int answer_request(json_t *root, const char *text, char **ret);
