/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Reading AWS's JSON answers, and making JSON texts to be compared or sent. Pure.
 *
 * A member that is absent and one that is null are the same: AWS means "not set" by both. A member of the
 * wrong type is -EBADMSG, members that are not asked for are passed over. */

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/util/text.h"

/* What is wrong with an answer: "trailList[2].IsLogging is missing". Texts of ours alone, never AWS's. */
typedef struct AnswerFault {
    char text[128];
} AnswerFault;

/* Sets it, where fault is not NULL. Returns -EBADMSG. */
int answer_fault(AnswerFault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Puts the place in front of what answer_fault() said: "trailList[2].". Returns r, which must be an error.
 */
int answer_fault_in(AnswerFault *fault, int r, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* Parses a whole answer, which must be an object. The caller releases *ret. 0, -EBADMSG, -ENOMEM. */
int answer_load(const char *body, size_t len, json_t **ret);

/* The member, borrowed, or NULL when it is absent or null; NULL too when object is NULL or none. */
const json_t *answer_member(const json_t *object, const char *name);

typedef enum AnswerKind {
    ANSWER_TEXT,  /* char *, owned; "" when absent */
    ANSWER_CHARS, /* char[size], cut to it; "" when absent */
    ANSWER_BOOL,  /* bool */
    ANSWER_TIME,  /* uint64_t, microseconds; 0 when absent. AWS has seconds since the epoch, as any kind of
                     number; others have a text, see answer_time() */
} AnswerKind;

/* A row of a reader's table: which member goes where in a struct. */
typedef struct AnswerField {
    const char *name;
    AnswerKind kind;
    bool required; /* a text must not be empty then */
    size_t offset, size;
} AnswerField;

#define ANSWER_FIELD(name_, kind_, required_, Type, member)                                                 \
    { name_, kind_, required_, offsetof(Type, member), sizeof(((Type *)NULL)->member) }

/* Reads all of a table into the struct that ret points to. 0, -EBADMSG, -ENOMEM; the texts of the struct
 * that were not read stay as they are. */
int answer_fields(const json_t *object, const AnswerField *fields, size_t n, void *ret, AnswerFault *fault);

/* A time that is a text: seconds since the epoch, ISO 8601 (UTC where no zone stands there), an HTTP date.
 * "" is 0, no time. 0 or -EBADMSG. */
int answer_time(const char *text, uint64_t *ret_usec);

/* The member's text, borrowed; "" when it is absent. 0 or -EBADMSG. */
int answer_text(const json_t *object, const char *name, const char **ret);
/* The list, borrowed; NULL when it is absent and need not be there. 0, -EBADMSG, -E2BIG past max members. */
int answer_list(const json_t *object, const char *name, bool required, size_t max, const json_t **ret,
                AnswerFault *fault);
/* The same as an owned text; NULL when it is absent or empty. */
int answer_token(const json_t *object, const char *name, char **ret, AnswerFault *fault);

/* A string of its own of at most max bytes, cut between characters. NULL when out of memory. */
char *answer_cut(const char *text, size_t max);

/* The value as JSON text in the one form that can be compared byte by byte: compact, keys sorted, members
 * that are null left out. The order of arrays is kept. The caller frees *ret. 0, -E2BIG past max bytes,
 * -ENOMEM. */
int answer_dump(const json_t *value, size_t max, char **ret);

/* Why jansson made nothing of a text, or of what has it: -EINVAL when it is not UTF-8, else -ENOMEM. NULL:
 * there was none. */
static inline int answer_refusal(const char *text) {
    return text && !text_is_utf8(text) ? -EINVAL : -ENOMEM;
}

/* The body of a request as text; root is released. The caller frees *ret. 0, -ENOMEM; when root is NULL,
 * what answer_refusal says of the text that it has. */
int answer_request(json_t *root, const char *text, char **ret);
