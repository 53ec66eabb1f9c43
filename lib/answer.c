/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/answer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/json_text.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

/* ---- what is wrong ---- */

int answer_fault(AnswerFault *fault, const char *format, ...) {
    va_list args;

    if (!fault)
        return -EBADMSG;
    va_start(args, format);
    (void)vsnprintf(fault->text, sizeof(fault->text), format, args);
    va_end(args);
    return -EBADMSG;
}

int answer_fault_in(AnswerFault *fault, int r, const char *format, ...) {
    char place[64];
    AnswerFault inner;
    va_list args;

    if (r != -EBADMSG || !fault)
        return r;
    va_start(args, format);
    (void)vsnprintf(place, sizeof(place), format, args);
    va_end(args);
    inner = *fault;
    (void)snprintf(fault->text, sizeof(fault->text), "%s%.*s", place,
                   (int)(sizeof(inner.text) - sizeof(place)), inner.text);
    return r;
}

/* ---- members ---- */

int answer_load(const char *body, size_t len, json_t **ret) {
    json_t *root;
    int r;

    r = json_text_parse(body, len, 0, NULL, &root);
    if (r < 0)
        return r == -ENOMEM ? r : -EBADMSG;
    if (!json_is_object(root)) {
        json_decref(root);
        return -EBADMSG;
    }
    *ret = root;
    return 0;
}

const json_t *answer_member(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);

    return json_is_null(value) ? NULL : value;
}

/* jansson refuses NUL characters inside strings by itself. */
int answer_text(const json_t *object, const char *name, const char **ret) {
    const json_t *value = answer_member(object, name);

    if (value && !json_is_string(value))
        return -EBADMSG;
    *ret = value ? json_string_value(value) : "";
    return 0;
}

/* "1735689600", "1.7356896E9". */
static bool read_seconds(const char *text, double *ret) {
    char *end;

    *ret = strtod(text, &end);
    return text[strspn(text, "0123456789.Ee+-")] == '\0' && end != text && !*end;
}

int answer_time(const char *text, uint64_t *ret_usec) {
    char in_utc[64];
    double seconds;

    if (!*text) {
        *ret_usec = 0;
        return 0;
    }
    if (read_seconds(text, &seconds)) {
        *ret_usec = timetext_from_epoch(seconds);
        return 0;
    }
    if (timetext_parse_lenient(text, ret_usec) >= 0)
        return 0;
    return (size_t)snprintf(in_utc, sizeof(in_utc), "%sZ", text) < sizeof(in_utc) &&
                           timetext_parse_lenient(in_utc, ret_usec) >= 0
                   ? 0
                   : -EBADMSG;
}

static int read_time(const json_t *value, const AnswerField *field, uint64_t *slot, AnswerFault *fault) {
    if (json_is_string(value))
        return answer_time(json_string_value(value), slot) < 0
                       ? answer_fault(fault, "%s is no time", field->name)
                       : 0;
    if (value && !json_is_number(value))
        return answer_fault(fault, "%s is no time", field->name);
    *slot = value ? timetext_from_epoch(json_number_value(value)) : 0;
    return 0;
}

static int read_text(const char *text, const AnswerField *field, void *slot) {
    char *copy;

    if (field->kind == ANSWER_CHARS) {
        (void)text_copy(slot, field->size, text);
        return 0;
    }
    copy = strdup(text);
    if (!copy)
        return -ENOMEM;
    *(char **)slot = copy;
    return 0;
}

static int read_field(const json_t *object, const AnswerField *field, void *slot, AnswerFault *fault) {
    const json_t *value = answer_member(object, field->name);
    const char *text = json_string_value(value);

    if (field->required && (!value || (text && !*text)))
        return answer_fault(fault, "%s is missing", field->name);
    switch (field->kind) {
    case ANSWER_BOOL:
        if (value && !json_is_boolean(value))
            return answer_fault(fault, "%s is no boolean", field->name);
        *(bool *)slot = json_is_true(value);
        return 0;
    case ANSWER_TIME: return read_time(value, field, slot, fault);
    default:
        if (value && !text)
            return answer_fault(fault, "%s is no text", field->name);
        return read_text(text ? text : "", field, slot);
    }
}

int answer_fields(const json_t *object, const AnswerField *fields, size_t n, void *ret, AnswerFault *fault) {
    if (!json_is_object(object))
        return answer_fault(fault, "an object is missing");
    for (size_t i = 0; i < n; i++) {
        int r = read_field(object, &fields[i], (char *)ret + fields[i].offset, fault);

        if (r < 0)
            return r;
    }
    return 0;
}

int answer_list(const json_t *object, const char *name, bool required, size_t max, const json_t **ret,
                AnswerFault *fault) {
    const json_t *list = answer_member(object, name);

    if (!list && required)
        return answer_fault(fault, "%s is missing", name);
    if (list && !json_is_array(list))
        return answer_fault(fault, "%s is no list", name);
    if (json_array_size(list) > max)
        return -E2BIG;
    *ret = list;
    return 0;
}

int answer_token(const json_t *object, char **ret, AnswerFault *fault) {
    const char *text;

    if (answer_text(object, "NextToken", &text) < 0)
        return answer_fault(fault, "NextToken is no text");
    return text_set(ret, *text ? text : NULL);
}

char *answer_cut(const char *text, size_t max) {
    size_t size = MIN(strlen(text), max) + 1;
    char *copy = malloc(size);

    if (copy)
        (void)text_copy(copy, size, text);
    return copy;
}

/* ---- texts that can be compared ---- */

/* Nesting is what jansson's parser let through at most, 2048 levels. */
static void drop_nulls(json_t *value) {
    const char *key;
    json_t *member;
    void *next;

    if (json_is_array(value))
        for (size_t i = 0; i < json_array_size(value); i++)
            drop_nulls(json_array_get(value, i));
    json_object_foreach_safe(value, next, key, member) {
        if (json_is_null(member))
            (void)json_object_del(value, key);
        else
            drop_nulls(member);
    }
}

static int add_piece(const char *text, size_t len, void *userdata) {
    return strbuf_add_mem(userdata, text, len) < 0 ? -1 : 0;
}

int answer_dump(const json_t *value, size_t max, char **ret) {
    _cleanup_strbuf_ StrBuf text = STRBUF_INIT(max);
    json_t *copy;
    int r;

    copy = json_deep_copy(value);
    if (!copy)
        return -ENOMEM;
    drop_nulls(copy);
    r = json_dump_callback(copy, add_piece, &text, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    json_decref(copy);
    if (r < 0)
        return strbuf_error(&text) < 0 ? strbuf_error(&text) : -ENOMEM;
    return strbuf_take(&text, ret);
}

int answer_request(json_t *root, const char *text, char **ret) {
    char *body;

    if (!root)
        return answer_refusal(text);
    body = json_text_dump(root, JSON_COMPACT);
    json_decref(root);
    if (!body)
        return -ENOMEM;
    *ret = body;
    return 0;
}
