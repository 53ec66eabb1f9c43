/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/codec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/json_text.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"

/* ---- structs and lists of them ---- */

static int write_struct(const CodecMember *m, const void *inner, json_t **ret) {
    json_auto_t *object = NULL;
    int r = codec_write(m->members, inner, &object);

    if (r >= 0 && (json_object_size(object) > 0 || m->always))
        *ret = TAKE_PTR(object);
    return r;
}

static int write_object(const CodecMember *m, const void *base, json_t **ret) {
    return write_struct(m, codec_field(m, base), ret);
}

static int read_object(const CodecMember *m, const json_t *value, void *base, CodecReader *reader) {
    return codec_read_members(m->members, value, codec_field(m, base), reader);
}

/* Strings become "" and enums their presets; entries of lists are initialized when read. 0 or -ENOMEM. */
static int codec_init(const CodecMember *members, void *base) {
    int r = 0;

    for (const CodecMember *m = members; m->kind; m++)
        if (m->kind->init && m->kind->init(m, base) < 0)
            r = -ENOMEM; /* the rest is initialized anyway, so that it can be freed */
    return r;
}

static int init_object(const CodecMember *m, void *base) {
    return codec_init(m->members, codec_field(m, base));
}

static void done_object(const CodecMember *m, void *base) {
    codec_done(m->members, codec_field(m, base));
}

static int write_ref(const CodecMember *m, const void *base, json_t **ret) {
    const void *inner = *(void *const *)codec_field(m, base);

    return inner ? write_struct(m, inner, ret) : 0;
}

static int read_ref(const CodecMember *m, const json_t *value, void *base, CodecReader *reader) {
    void **inner = codec_field(m, base);

    if (!*inner)
        *inner = calloc(1, m->size);
    return *inner ? codec_read_members(m->members, value, *inner, reader) : -ENOMEM;
}

static void done_ref(const CodecMember *m, void *base) {
    void **inner = codec_field(m, base);

    if (*inner)
        codec_done(m->members, *inner);
    free(*inner);
    *inner = NULL;
}

static size_t *count_of(const CodecMember *m, const void *base) {
    return (size_t *)((char *)base + m->count);
}

static int write_list(const CodecMember *m, const void *base, json_t **ret) {
    const char *entries = *(const void *const *)codec_field(m, base);
    json_auto_t *array = NULL;

    if (*count_of(m, base) == 0)
        return 0;
    array = json_array();
    for (size_t i = 0; array && i < *count_of(m, base); i++) {
        json_t *object = NULL;
        int r = codec_write(m->members, entries + i * m->size, &object);

        if (r < 0)
            return r;
        if (json_array_append_new(array, object) < 0)
            return -ENOMEM;
    }
    *ret = TAKE_PTR(array);
    return *ret ? 0 : -ENOMEM;
}

static int refuse_list(const CodecMember *m, const json_t *value, CodecReader *reader) {
    char wanted[64];

    (void)snprintf(wanted, sizeof(wanted), "a list of at most %llu", (unsigned long long)m->max);
    return codec_refuse(reader, value, wanted);
}

/* After an error, entries that were started count, too. */
static int read_list(const CodecMember *m, const json_t *value, void *base, CodecReader *reader) {
    char **entries = codec_field(m, base);
    size_t n = json_array_size(value), len = strlen(reader->path);
    int r = 0;

    if (!json_is_array(value) || n > m->max)
        return refuse_list(m, value, reader);
    if (n == 0)
        return 0;
    *entries = calloc(n, m->size);
    if (!*entries)
        return -ENOMEM;
    for (size_t i = 0; r >= 0 && i < n; i++) {
        (void)snprintf(reader->path + len, sizeof(reader->path) - len, "[%zu]", i);
        *count_of(m, base) = i + 1;
        r = codec_init(m->members, *entries + i * m->size);
        if (r >= 0)
            r = codec_read_members(m->members, json_array_get(value, i), *entries + i * m->size, reader);
    }
    reader->path[len] = '\0';
    return r;
}

static void done_list(const CodecMember *m, void *base) {
    char **entries = codec_field(m, base);

    for (size_t i = 0; i < *count_of(m, base); i++)
        codec_done(m->members, *entries + i * m->size);
    free(*entries);
    *entries = NULL;
    *count_of(m, base) = 0;
}

static int write_strings(const CodecMember *m, const void *base, json_t **ret) {
    char *const *strings = *(char *const *const *)codec_field(m, base);
    json_auto_t *array = json_array();

    for (size_t i = 0; array && i < *count_of(m, base); i++)
        if (json_array_append_new(array, json_text_new(strings[i])) < 0)
            return -ENOMEM;
    *ret = TAKE_PTR(array);
    return *ret ? 0 : -ENOMEM;
}

static int read_strings(const CodecMember *m, const json_t *value, void *base, CodecReader *reader) {
    char ***strings = codec_field(m, base);
    size_t n = json_array_size(value);

    if (!json_is_array(value) || n > m->max)
        return refuse_list(m, value, reader);
    *strings = calloc(n + 1, sizeof(**strings));
    if (!*strings)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const char *string = json_string_value(json_array_get(value, i));

        if (!string)
            return codec_refuse_entry(reader, value, i, "a string");
        (*strings)[i] = strdup(string);
        if (!(*strings)[i])
            return -ENOMEM;
        *count_of(m, base) = i + 1;
    }
    return 0;
}

static void done_strings(const CodecMember *m, void *base) {
    char ***strings = codec_field(m, base);

    for (size_t i = 0; i < *count_of(m, base); i++)
        free((*strings)[i]);
    free(*strings);
    *strings = NULL;
    *count_of(m, base) = 0;
}

const CodecKind codec_object = { "an object", write_object, read_object, init_object, done_object };
const CodecKind codec_ref = { "an object", write_ref, read_ref, NULL, done_ref };
/* A document writes its own lists one entry at a time. */
const CodecKind codec_list = { "a list", write_list, read_list, NULL, done_list };
const CodecKind codec_strings = { "a list of strings", write_strings, read_strings, NULL, done_strings };

/* ---- tables ---- */

void codec_done(const CodecMember *members, void *base) {
    for (const CodecMember *m = members; m->kind; m++)
        if (m->kind->done)
            m->kind->done(m, base);
}

int codec_write_members(const CodecMember *members, const void *base, json_t *object) {
    for (const CodecMember *m = members; m->kind; m++) {
        json_t *value = NULL;
        int r = 0;

        if (!m->name) {
            const void *inner = codec_field(m, base);

            r = codec_write_members(m->members, m->kind == &codec_ref ? *(void *const *)inner : inner,
                                    object);
        } else if (!m->is_set || m->is_set(codec_field(m, base)))
            r = m->kind->write(m, base, &value);
        if (r < 0)
            return r;
        if (!value && m->name && m->always)
            value = json_null();
        if (value && json_object_set_new_nocheck(object, m->name, value) < 0)
            return -ENOMEM;
    }
    return 0;
}

int codec_write(const CodecMember *members, const void *base, json_t **ret) {
    json_auto_t *object = json_object();
    int r = object ? codec_write_members(members, base, object) : -ENOMEM;

    if (r >= 0)
        *ret = TAKE_PTR(object);
    return r;
}

int codec_read_members(const CodecMember *members, const json_t *object, void *base, CodecReader *reader) {
    size_t len = strlen(reader->path);
    int r = 0;

    if (!json_is_object(object))
        return codec_refuse(reader, object, "an object");
    for (const CodecMember *m = members; r >= 0 && m->kind; m++) {
        const json_t *value = m->name ? json_object_get(object, m->name) : object;
        const char *name = m->name;

        if (!value && m->old_name && json_object_get(object, m->old_name))
            value = json_object_get(object, name = m->old_name);
        if ((!value && !m->required) || !m->kind->read)
            continue;
        if (name)
            (void)snprintf(reader->path + len, sizeof(reader->path) - len, "%s%s", len > 0 ? "." : "", name);
        r = value ? m->kind->read(m, value, base, reader) : -EINVAL;
        if (r == -EINVAL)
            (void)codec_refuse(reader, value, m->kind->wanted);
        reader->path[len] = '\0';
    }
    return r;
}

/* ---- documents ---- */

static int print_members(StrBuf *b, const CodecMember *members, const void *base, bool *printed);

/* jansson handles text that must be escaped, which is rare. */
static bool is_plain(const char *s, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (s[i] < 0x20 || s[i] > 0x7e || s[i] == '"' || s[i] == '\\')
            return false;
    return true;
}

static int print_value(StrBuf *b, const json_t *value) {
    _cleanup_free_ const char *text = NULL;

    if (json_is_string(value) && is_plain(json_string_value(value), json_string_length(value))) {
        (void)strbuf_add_char(b, '"');
        (void)strbuf_add_mem(b, json_string_value(value), json_string_length(value));
        return strbuf_add_char(b, '"');
    }
    if (json_is_integer(value))
        return strbuf_addf(b, "%lld", (long long)json_integer_value(value));
    if (json_is_null(value) || json_is_boolean(value))
        return strbuf_add(b, json_is_null(value) ? "null" : json_is_true(value) ? "true" : "false");
    text = json_text_dump(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
    return text ? strbuf_add(b, text) : -ENOMEM;
}

static int print_name(StrBuf *b, const CodecMember *m, bool *printed) {
    int r = strbuf_addf(b, "%s\"%s\": ", *printed ? ", " : "", m->name);

    *printed = true;
    return r;
}

/* Like write_object and write_ref without a tree of values; an object without members is removed again. */
static int print_struct(StrBuf *b, const CodecMember *m, const void *base, bool *printed) {
    const void *inner = m->kind == &codec_ref ? *(void *const *)codec_field(m, base) : codec_field(m, base);
    bool was_printed = *printed, has_members = false;
    size_t len = b->len;
    int r;

    if (!inner || (m->is_set && !m->is_set(codec_field(m, base)))) {
        if (!m->always)
            return 0;
        (void)print_name(b, m, printed);
        return strbuf_add(b, "null");
    }
    (void)print_name(b, m, printed);
    (void)strbuf_add_char(b, '{');
    r = print_members(b, m->members, inner, &has_members);
    if (r < 0)
        return r;
    if (has_members || m->always)
        return strbuf_add_char(b, '}');
    strbuf_truncate(b, len);
    *printed = was_printed;
    return strbuf_error(b);
}

static int print_member(StrBuf *b, const CodecMember *m, const void *base, bool *printed) {
    json_auto_t *value = NULL;
    int r = 0;

    if (!m->name) {
        const void *inner = codec_field(m, base);

        return print_members(b, m->members, m->kind == &codec_ref ? *(void *const *)inner : inner, printed);
    }
    if (m->kind == &codec_object || m->kind == &codec_ref)
        return print_struct(b, m, base, printed);
    if (!m->is_set || m->is_set(codec_field(m, base)))
        r = m->kind->write(m, base, &value);
    if (r < 0 || (!value && !m->always))
        return r;
    (void)print_name(b, m, printed);
    return value ? print_value(b, value) : strbuf_add(b, "null");
}

/* The text of codec_write_members, without a tree of values. */
static int print_members(StrBuf *b, const CodecMember *members, const void *base, bool *printed) {
    for (const CodecMember *m = members; m->kind; m++) {
        int r = print_member(b, m, base, printed);

        if (r < 0)
            return r;
    }
    return strbuf_error(b);
}

static int print_entry(StrBuf *b, const CodecMember *m, const void *entry) {
    bool printed = false;
    int r;

    (void)strbuf_add_char(b, '{');
    r = print_members(b, m->members, entry, &printed);
    return r < 0 ? r : strbuf_add_char(b, '}');
}

/* Line by line, so that a document of many entries is not in memory twice. */
static int print_list(StrBuf *b, const CodecMember *m, const void *base) {
    const char *entries = *(void *const *)codec_field(m, base);
    size_t n = *count_of(m, base), n_printed = 0;

    if (m->max && n > m->max)
        return -E2BIG;
    if (n == 0 && !m->always)
        return 0;
    (void)strbuf_addf(b, ",\n  \"%s\": [", m->name);
    for (size_t i = 0; i < n; i++) {
        const void *entry = m->entry ? m->entry(base, i) : entries + i * m->size;
        int r;

        if (!entry)
            continue;
        (void)strbuf_add(b, n_printed++ > 0 ? ",\n    " : "\n    ");
        r = print_entry(b, m, entry);
        if (r < 0)
            return r;
    }
    return strbuf_add(b, n_printed > 0 ? "\n  ]" : "]");
}

int codec_write_document(const char *schema, const CodecMember *members, const void *base, size_t max,
                         char **ret, size_t *ret_len) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(max);
    size_t len;
    int r;

    (void)strbuf_addf(&b, "{\n  \"schema\": \"%s\"", schema);
    for (const CodecMember *m = members; m->kind; m++) {
        if (m->kind == &codec_list)
            r = print_list(&b, m, base);
        else {
            bool printed = false;

            len = b.len;
            (void)strbuf_add(&b, ",\n  ");
            r = print_member(&b, m, base, &printed);
            if (!printed)
                strbuf_truncate(&b, len);
        }
        if (r < 0)
            return r;
    }
    (void)strbuf_add(&b, "\n}\n");
    len = b.len;
    r = strbuf_take(&b, ret);
    if (r >= 0)
        *ret_len = len;
    return r;
}

int codec_read_document(const char *text, size_t len, const char *schema, const CodecMember *members,
                        void *base, char *reason, size_t reason_size) {
    CodecReader reader = { .reason = reason, .reason_size = reason_size };
    json_auto_t *root = NULL;
    json_error_t error;
    int r = json_text_parse(text, len, JSON_REJECT_DUPLICATES, &error, &root);

    reason[0] = '\0';
    if (r == -EINVAL)
        (void)snprintf(reason, reason_size, "line %d: %s", error.line, json_text_why(&error));
    if (r < 0)
        return r;
    if (!text_equal(json_string_value(json_object_get(root, "schema")), schema)) {
        (void)snprintf(reason, reason_size, "its schema is not %s", schema);
        return -EINVAL;
    }
    r = codec_read_members(members, root, base, &reader);
    if (r < 0)
        codec_done(members, base);
    return r;
}
