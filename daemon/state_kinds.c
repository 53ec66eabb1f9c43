/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/state_kinds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/words.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"

#define VALUE_MAX (1024U * 1024)

/* ---- fields ---- */

int state_write_fields(const struct Member *member _unused_, const void *field, json_t **ret) {
    uint32_t fields = *(const uint32_t *)field;
    json_auto_t *array = NULL;

    if (!(fields & FIELDS_ALL))
        return 0;
    array = json_array();
    if (!array)
        return -ENOMEM;
    for (Field f = 0; f < _FIELD_MAX; f++)
        if ((fields & FIELD_BIT(f)) && json_array_append_new(array, json_string(field_to_string(f))) < 0)
            return -ENOMEM;
    *ret = TAKE_PTR(array);
    return 0;
}

int state_read_fields(const struct Member *member _unused_, const json_t *value, void *field) {
    uint32_t fields = 0;

    if (!json_is_array(value))
        return -EINVAL;
    for (size_t i = 0; i < json_array_size(value); i++) {
        Field f = field_from_string(json_string_value(json_array_get(value, i)));

        if (f == _FIELD_MAX)
            return -EINVAL;
        fields |= FIELD_BIT(f);
    }
    *(uint32_t *)field = fields;
    return 0;
}

/* ---- marks ---- */

int state_write_marks(const struct Member *member _unused_, const void *field, json_t **ret) {
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
int state_read_marks(const struct Member *member _unused_, const json_t *value, void *field) {
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
                     change->loses_events, "was", new_value(change->was), "now", new_value(change->now));
}

int state_write_changes(const struct Member *member _unused_, const void *field, json_t **ret) {
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
    r = read_value(json_object_get(value, "was"), &ret->was);
    if (r >= 0)
        r = read_value(json_object_get(value, "now"), &ret->now);
    return r;
}

int state_read_changes(const struct Member *member _unused_, const json_t *value, void *field) {
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

void state_changes_done(Drift *changes) {
    for (unsigned i = 0; i < changes->n; i++) {
        free(changes->changes[i].was);
        free(changes->changes[i].now);
    }
    *changes = (Drift){ .n = 0 };
}
