/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/state_kinds.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/enum_names.h"
#include "daemon/core/json_text.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"

#define VALUE_MAX (1024U * 1024)

/* ---- numbers and flags ---- */

static int write_bool(const Member *member _unused_, const void *field, json_t **ret) {
    if (*(const bool *)field)
        *ret = json_true();
    return 0;
}

static int read_bool(const Member *member _unused_, const json_t *value, void *field) {
    if (!json_is_boolean(value))
        return -EINVAL;
    *(bool *)field = json_is_true(value);
    return 0;
}

static int write_number(uint64_t value, json_t **ret) {
    if (value == 0)
        return 0;
    *ret = json_integer((json_int_t)MIN(value, (uint64_t)INT64_MAX));
    return *ret ? 0 : -ENOMEM;
}

static int write_uint(const Member *member _unused_, const void *field, json_t **ret) {
    return write_number(*(const unsigned *)field, ret);
}

static int read_uint(const Member *member _unused_, const json_t *value, void *field) {
    json_int_t number = json_integer_value(value);

    if (!json_is_integer(value) || number < 0 || number > (json_int_t)UINT_MAX)
        return -EINVAL;
    *(unsigned *)field = (unsigned)number;
    return 0;
}

static int write_usec(const Member *member _unused_, const void *field, json_t **ret) {
    return write_number(*(const uint64_t *)field, ret);
}

static int read_usec(const Member *member _unused_, const json_t *value, void *field) {
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return -EINVAL;
    *(uint64_t *)field = (uint64_t)json_integer_value(value);
    return 0;
}

/* ---- text ---- */

static int write_text(const Member *member _unused_, const void *field, json_t **ret) {
    if (*(const char *)field == '\0')
        return 0;
    *ret = json_text_new(field);
    return *ret ? 0 : -ENOMEM;
}

static int read_text(const Member *member, const json_t *value, void *field) {
    if (!json_is_string(value))
        return -EINVAL;
    (void)text_copy(field, member->size, json_string_value(value));
    return 0;
}

static int write_string(const Member *member, const void *field, json_t **ret) {
    const char *s = *(char *const *)field;

    return s ? write_text(member, s, ret) : 0;
}

static int read_string(const Member *member _unused_, const json_t *value, void *field) {
    char *s;

    if (!json_is_string(value))
        return -EINVAL;
    s = strdup(json_string_value(value));
    if (!s)
        return -ENOMEM;
    free(*(char **)field);
    *(char **)field = s;
    return 0;
}

/* ---- words: enums by name, so that the file does not depend on their order ---- */

#define DEFINE_WORD_KIND(name, Type, max)                                                                   \
    static int write_##name(const Member *member _unused_, const void *field, json_t **ret) {               \
        Type value = *(const Type *)field;                                                                  \
                                                                                                            \
        if ((unsigned)value >= (unsigned)(max))                                                             \
            return 0;                                                                                       \
        *ret = json_string(name##_to_string(value));                                                        \
        return *ret ? 0 : -ENOMEM;                                                                          \
    }                                                                                                       \
    static int read_##name(const Member *member _unused_, const json_t *json, void *field) {                \
        Type value = name##_from_string(json_string_value(json));                                           \
                                                                                                            \
        if (value == (max))                                                                                 \
            return -EINVAL;                                                                                 \
        *(Type *)field = value;                                                                             \
        return 0;                                                                                           \
    }                                                                                                       \
    const Kind state_kind_##name = { "a known word", write_##name, read_##name, NULL }

DEFINE_WORD_KIND(verdict, Verdict, _VERDICT_MAX);
DEFINE_WORD_KIND(event, Event, _EVENT_MAX);
DEFINE_WORD_KIND(severity, Severity, _SEVERITY_MAX);
DEFINE_WORD_KIND(poll_error, PollError, _POLL_ERROR_MAX);
DEFINE_WORD_KIND(action, Action, _ACTION_MAX);
DEFINE_WORD_KIND(action_result, ActionResult, _RESULT_MAX);

/* ---- bits: lists of their names ---- */

static int write_bits(uint32_t bits, unsigned max, const char *(*to_string)(unsigned), json_t **ret) {
    json_auto_t *array = NULL;

    if (bits == 0)
        return 0;
    array = json_array();
    if (!array)
        return -ENOMEM;
    for (unsigned i = 0; i < max; i++)
        if ((bits & (1U << i)) && json_array_append_new(array, json_string(to_string(i))) < 0)
            return -ENOMEM;
    *ret = TAKE_PTR(array);
    return 0;
}

static int read_bits(const json_t *value, unsigned max, unsigned (*from_string)(const char *),
                     uint32_t *ret) {
    uint32_t bits = 0;

    if (!json_is_array(value))
        return -EINVAL;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *word = json_string_value(json_array_get(value, i));
        unsigned bit =
                from_string(text_equal(word, "unseen") ? "selectors_unreadable" : word); /* until 0.9 */

        if (bit == max)
            return -EINVAL;
        bits |= 1U << bit;
    }
    *ret = bits;
    return 0;
}

#define DEFINE_BITS_KIND(name, bit, Type, max)                                                              \
    static const char *bit##_word(unsigned value) {                                                         \
        return bit##_to_string((Type)value);                                                                \
    }                                                                                                       \
    static unsigned bit##_value(const char *word) {                                                         \
        return (unsigned)bit##_from_string(word);                                                           \
    }                                                                                                       \
    static int write_##name(const Member *member _unused_, const void *field, json_t **ret) {               \
        return write_bits(*(const uint32_t *)field & ((1U << (max)) - 1), (max), bit##_word, ret);          \
    }                                                                                                       \
    static int read_##name(const Member *member _unused_, const json_t *value, void *field) {               \
        return read_bits(value, (max), bit##_value, field);                                                 \
    }                                                                                                       \
    const Kind state_kind_##name = { "a list of known " #name, write_##name, read_##name, NULL }

DEFINE_BITS_KIND(findings, finding, Finding, _FINDING_MAX);
DEFINE_BITS_KIND(fields, field, Field, _FIELD_MAX);

/* ---- marks ---- */

static int write_marks(const Member *member _unused_, const void *field, json_t **ret) {
    const uint64_t *marks = field;
    json_auto_t *array = NULL;
    size_t n = MARKS_MAX;

    while (n > 0 && marks[n - 1] == 0)
        n--;
    if (n == 0)
        return 0;
    array = json_array();
    if (!array)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        if (json_array_append_new(array, json_integer((json_int_t)MIN(marks[i], (uint64_t)INT64_MAX))) < 0)
            return -ENOMEM;
    *ret = TAKE_PTR(array);
    return 0;
}

/* More than fit are older ones. */
static int read_marks(const Member *member _unused_, const json_t *value, void *field) {
    uint64_t marks[MARKS_MAX] = { 0 };

    if (!json_is_array(value))
        return -EINVAL;
    for (size_t i = 0; i < MIN(json_array_size(value), (size_t)MARKS_MAX); i++) {
        const json_t *mark = json_array_get(value, i);

        if (!json_is_integer(mark) || json_integer_value(mark) < 0)
            return -EINVAL;
        marks[i] = (uint64_t)json_integer_value(mark);
    }
    memcpy(field, marks, sizeof(marks));
    return 0;
}

/* ---- changes ---- */

/* NULL is null. jansson refuses text that is not UTF-8; such text is kept as people would be shown it. */
static json_t *new_value(const char *s) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(VALUE_MAX);
    json_t *value = s ? json_string(s) : json_null();

    if (value)
        return value;
    return text_escape(&b, s, VALUE_MAX / 4) < 0 ? NULL : json_stringn(b.data, b.len);
}

static json_t *new_change(const Change *change) {
    return json_pack("{s:s, s:b, s:o, s:o}", "field", field_to_string(change->field), "loses_events",
                     change->loses_events, "expected", new_value(change->was), "actual",
                     new_value(change->now));
}

static int write_changes(const Member *member _unused_, const void *field, json_t **ret) {
    const Drift *changes = field;
    json_auto_t *array = NULL;

    if (changes->n == 0)
        return 0;
    array = json_array();
    if (!array)
        return -ENOMEM;
    for (unsigned i = 0; i < changes->n; i++)
        if (json_array_append_new(array, new_change(&changes->changes[i])) < 0)
            return -ENOMEM;
    *ret = TAKE_PTR(array);
    return 0;
}

static int read_value(const json_t *value, char **ret) {
    if (!value || json_is_null(value))
        return 0;
    if (!json_is_string(value))
        return -EINVAL;
    *ret = strdup(json_string_value(value));
    return *ret ? 0 : -ENOMEM;
}

static int read_change(const json_t *value, Change *ret) {
    Field field = field_from_string(json_string_value(json_object_get(value, "field")));
    int r;

    if (field == _FIELD_MAX)
        return -EINVAL;
    *ret = (Change){ .field = field, .loses_events = json_is_true(json_object_get(value, "loses_events")) };
    r = read_value(json_object_get(value, "expected"), &ret->was);
    if (r >= 0)
        r = read_value(json_object_get(value, "actual"), &ret->now);
    return r;
}

static int read_changes(const Member *member _unused_, const json_t *value, void *field) {
    Drift *changes = field;
    uint32_t seen = 0;

    if (!json_is_array(value) || json_array_size(value) > _FIELD_MAX)
        return -EINVAL;
    for (size_t i = 0; i < json_array_size(value); i++) {
        Change *change = &changes->changes[changes->n];
        int r;

        *change = (Change){ .was = NULL };
        changes->n++;
        r = read_change(json_array_get(value, i), change);
        if (r < 0)
            return r;
        if (seen & FIELD_BIT(change->field))
            return -EINVAL;
        seen |= FIELD_BIT(change->field);
    }
    return 0;
}

/* ---- all of them ---- */

const Kind state_kind_bool = { "true or false", write_bool, read_bool, NULL };
const Kind state_kind_uint = { "a count", write_uint, read_uint, NULL };
const Kind state_kind_usec = { "microseconds since 1970", write_usec, read_usec, NULL };
const Kind state_kind_text = { "a string", write_text, read_text, NULL };
const Kind state_kind_string = { "a string", write_string, read_string, NULL };
const Kind state_kind_marks = { "a list of numbers", write_marks, read_marks, NULL };
const Kind state_kind_changes = { "a list of changes", write_changes, read_changes, NULL };
