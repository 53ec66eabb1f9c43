/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/codec.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/enum_names.h"
#include "daemon/core/events.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define FOUND_MAX 48U /* bytes of a wrong value that a message shows */

/* ---- text ---- */

/* While a text is read, jansson's allocations are watched. */
static struct {
    json_malloc_t real;
    bool failed;
} watched;

static void *watched_malloc(size_t size) {
    void *p = watched.real(size);

    watched.failed |= !p;
    return p;
}

int json_text_parse(const char *text, size_t len, size_t flags, json_error_t *error, json_t **ret) {
    json_free_t real_free;
    json_t *value;

    json_get_alloc_funcs(&watched.real, &real_free);
    watched.failed = false;
    json_set_alloc_funcs(watched_malloc, real_free);
    value = json_loadb(text, len, flags, error);
    json_set_alloc_funcs(watched.real, real_free);
    if (!value)
        return watched.failed ? -ENOMEM : -EINVAL;
    *ret = value;
    return 0;
}

/* What is wrong with a text, without a word of it: an error may be shown to those who may not read the file.
 */
static const char *json_text_why(const json_error_t *error) {
    static const struct {
        enum json_error_code code;
        const char *why;
    } whys[] = {
        { json_error_stack_overflow, "nested too deep" },
        { json_error_invalid_utf8, "not UTF-8" },
        { json_error_premature_end_of_input, "it ends too early" },
        { json_error_end_of_input_expected, "something follows its end" },
        { json_error_null_character, "a NUL character" },
        { json_error_null_byte_in_key, "a NUL character" },
        { json_error_duplicate_key, "a member is there twice" },
        { json_error_numeric_overflow, "a number is too big" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(whys); i++)
        if (json_error_code(error) == whys[i].code)
            return whys[i].why;
    return "not JSON";
}

json_t *json_text_new(const char *s) {
    _cleanup_free_ char *ascii = NULL;
    json_t *value = json_string(s);

    if (value)
        return value;
    ascii = strdup(s);
    if (!ascii)
        return NULL;
    for (char *p = ascii; *p; p++)
        if (*p & 0x80)
            *p = '?';
    return json_string(ascii);
}

/* ---- what is wrong, and where ---- */

/* A text is shown only where a known word should be: any other may be what its readers may not read. */
static const char *describe(const json_t *found, bool shows_text, char dst[static 4 * FOUND_MAX]) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(4 * FOUND_MAX);
    _cleanup_free_ const char *text = NULL;

    if (json_is_object(found))
        return "an object";
    if (json_is_array(found) && json_array_size(found) == 0)
        return "an empty list";
    if (json_is_array(found))
        (void)snprintf(dst, 4 * FOUND_MAX, "a list of %zu", json_array_size(found));
    else if (json_is_string(found) && !shows_text)
        (void)snprintf(dst, 4 * FOUND_MAX, "a text of %zu bytes", json_string_length(found));
    else {
        text = json_dumps(found, JSON_ENCODE_ANY);
        (void)text_escape(&b, text ? text : "something else", FOUND_MAX);
        (void)text_copy(dst, 4 * FOUND_MAX, strbuf_str(&b));
    }
    return dst;
}

int codec_refuse(CodecReader *reader, const json_t *found, const char *wanted) {
    char shown[4 * FOUND_MAX];

    if (!found && !reader->reason[0])
        (void)snprintf(reader->reason, reader->reason_size, "%s is missing", reader->path);
    if (!reader->reason[0])
        (void)snprintf(reader->reason, reader->reason_size, "%s is %s, not %s", reader->path,
                       describe(found, text_equal(wanted, codec_word.wanted), shown), wanted);
    return -EINVAL;
}

int codec_refuse_entry(CodecReader *reader, const json_t *list, size_t i, const char *wanted) {
    size_t len = strlen(reader->path);

    (void)snprintf(reader->path + len, sizeof(reader->path) - len, "[%zu]", i);
    return codec_refuse(reader, json_array_get(list, i), wanted);
}

/* ---- numbers and flags ---- */

static void *field_of(const CodecMember *m, const void *base) {
    return (char *)base + m->offset;
}

static int set(json_t *value, json_t **ret) {
    *ret = value;
    return value ? 0 : -ENOMEM;
}

static json_t *number(uint64_t value) {
    return json_integer((json_int_t)MIN(value, (uint64_t)INT64_MAX));
}

static int write_bool(const CodecMember *m, const void *base, json_t **ret) {
    bool value = *(const bool *)field_of(m, base);

    return value || m->always ? set(json_boolean(value), ret) : 0;
}

static int read_bool(const CodecMember *m, const json_t *value, void *base, CodecReader *reader _unused_) {
    if (!json_is_boolean(value))
        return -EINVAL;
    *(bool *)field_of(m, base) = json_is_true(value);
    return 0;
}

static int write_number(const CodecMember *m, uint64_t value, json_t **ret) {
    return value != 0 || m->always ? set(number(value), ret) : 0;
}

static int read_number(const json_t *value, uint64_t max, uint64_t *ret) {
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        (uint64_t)json_integer_value(value) > max)
        return -EINVAL;
    *ret = (uint64_t)json_integer_value(value);
    return 0;
}

static int write_uint(const CodecMember *m, const void *base, json_t **ret) {
    return write_number(m, *(const unsigned *)field_of(m, base), ret);
}

static int read_uint(const CodecMember *m, const json_t *value, void *base, CodecReader *reader _unused_) {
    uint64_t n;
    int r = read_number(value, m->max ? m->max : UINT_MAX, &n);

    if (r >= 0)
        *(unsigned *)field_of(m, base) = (unsigned)n;
    return r;
}

static int write_usec(const CodecMember *m, const void *base, json_t **ret) {
    return write_number(m, *(const uint64_t *)field_of(m, base), ret);
}

static int read_usec(const CodecMember *m, const json_t *value, void *base, CodecReader *reader _unused_) {
    return read_number(value, INT64_MAX, field_of(m, base));
}

static int write_time(const CodecMember *m, const void *base, json_t **ret) {
    uint64_t usec = *(const uint64_t *)field_of(m, base);
    char text[TIMETEXT_MAX];

    return usec != 0 ? set(json_string(timetext_iso(text, usec)), ret) : 0;
}

static int read_time(const CodecMember *m, const json_t *value, void *base, CodecReader *reader _unused_) {
    const char *text = json_string_value(value);

    return text && timetext_parse_iso(text, field_of(m, base)) >= 0 ? 0 : -EINVAL;
}

/* ---- text ---- */

static int write_chars(const CodecMember *m, const char *s, json_t **ret) {
    return s[0] || m->always ? set(json_text_new(s), ret) : 0;
}

static int write_shown(const CodecMember *m, const char *s, json_t **ret) {
    _cleanup_strbuf_ StrBuf b =
            STRBUF_INIT(4 * (size_t)m->max + 8); /* each as \xNN, and the mark of a cut */

    (void)text_escape(&b, s, (size_t)m->max);
    return write_chars(m, strbuf_str(&b), ret);
}

int codec_write_text(const CodecMember *m, const void *base, json_t **ret) {
    return write_chars(m, field_of(m, base), ret);
}

static int write_shown_text(const CodecMember *m, const void *base, json_t **ret) {
    CodecMember cut = *m;

    cut.max = m->size;
    return write_shown(&cut, field_of(m, base), ret);
}

static int read_text(const CodecMember *m, const json_t *value, void *base, CodecReader *reader _unused_) {
    if (!json_is_string(value))
        return -EINVAL;
    (void)text_copy(field_of(m, base), m->size, json_string_value(value));
    return 0;
}

int codec_read_ascii(const CodecMember *m, const json_t *value, void *base, CodecReader *reader _unused_) {
    const char *s = json_string_value(value);
    bool good = s && text_copy(field_of(m, base), m->size, s);

    for (; good && *s; s++)
        good = *s >= 0x20 && *s <= 0x7e;
    return good ? 0 : -EINVAL;
}

static int read_hex(const CodecMember *m, const json_t *value, void *base, CodecReader *reader) {
    const char *s = field_of(m, base);

    if (codec_read_ascii(m, value, base, reader) < 0)
        return -EINVAL;
    return strlen(s) == m->size - 1 && strspn(s, "0123456789abcdef") == m->size - 1 ? 0 : -EINVAL;
}

int codec_write_string(const CodecMember *m, const void *base, json_t **ret) {
    const char *s = *(char *const *)field_of(m, base);

    return s ? write_chars(m, s, ret) : 0;
}

static int write_shown_string(const CodecMember *m, const void *base, json_t **ret) {
    const char *s = *(char *const *)field_of(m, base);

    return s ? write_shown(m, s, ret) : 0;
}

static int replace(char **string, const char *by) {
    char *copy = strdup(by);

    if (!copy)
        return -ENOMEM;
    free(*string);
    *string = copy;
    return 0;
}

int codec_read_string(const CodecMember *m, const json_t *value, void *base, CodecReader *reader _unused_) {
    if (!json_is_string(value) || (m->max && json_string_length(value) > m->max))
        return -EINVAL;
    return replace(field_of(m, base), json_string_value(value));
}

static int init_string(const CodecMember *m, void *base) {
    return replace(field_of(m, base), "");
}

void codec_done_string(const CodecMember *m, void *base) {
    free(*(char **)field_of(m, base));
    *(char **)field_of(m, base) = NULL;
}

/* ---- words: enums by name, so that a file does not depend on their order ---- */

/* What earlier versions wrote. */
static const struct {
    const char *old, *now;
} old_words[] = {
    { "unseen", "selectors_unreadable" },
    { "flapped", "interrupted" },
    { "recreated", "replaced" },
    { "blind", "unreachable" },
    { "held", "confirmed" },
    { "trail.flapped", "trail.interrupted" },
    { "trail.reminder", "incident.reminder" },
    { "guard.blind", "target.unreachable" },
    { "guard.sighted", "target.reachable" },
    { "guard.channel_failed", "channel.failed" },
    { "guard.channel_recovered", "channel.recovered" },
};

static unsigned value_of(const CodecNames *names, const char *word) {
    unsigned value = names->from_string(word);

    for (size_t i = 0; value == names->max && i < ARRAY_SIZE(old_words); i++)
        if (text_equal(old_words[i].old, word))
            value = names->from_string(old_words[i].now);
    return value;
}

static int write_word(const CodecMember *m, const void *base, json_t **ret) {
    unsigned value = *(const unsigned *)field_of(m, base);

    if (value >= m->names->max || (value == m->preset && !m->always))
        return 0;
    return set(json_string(m->names->to_string(value)), ret);
}

static int read_word(const CodecMember *m, const json_t *value, void *base, CodecReader *reader _unused_) {
    unsigned word = value_of(m->names, json_string_value(value));

    if (word == m->names->max)
        return -EINVAL;
    *(unsigned *)field_of(m, base) = word;
    return 0;
}

static int init_word(const CodecMember *m, void *base) {
    *(unsigned *)field_of(m, base) = m->preset;
    return 0;
}

static int write_bits(const CodecMember *m, const void *base, json_t **ret) {
    uint32_t bits = *(const uint32_t *)field_of(m, base);
    json_auto_t *array = json_array();

    for (unsigned i = 0; array && i < m->names->max; i++)
        if ((bits & (1U << i)) && json_array_append_new(array, json_string(m->names->to_string(i))) < 0)
            return -ENOMEM;
    if (!array)
        return -ENOMEM;
    if (json_array_size(array) > 0 || m->always)
        *ret = TAKE_PTR(array);
    return 0;
}

static int read_bits(const CodecMember *m, const json_t *value, void *base, CodecReader *reader) {
    uint32_t bits = 0;

    if (!json_is_array(value))
        return -EINVAL;
    for (size_t i = 0; i < json_array_size(value); i++) {
        unsigned bit = value_of(m->names, json_string_value(json_array_get(value, i)));

        if (bit == m->names->max)
            return codec_refuse_entry(reader, value, i, codec_word.wanted);
        bits |= 1U << bit;
    }
    *(uint32_t *)field_of(m, base) = bits;
    return 0;
}

/* ---- arrays of numbers ---- */

static int write_numbers(const CodecMember *m, const void *base, json_t **ret) {
    const uint64_t *numbers = field_of(m, base);
    size_t n = m->size / sizeof(*numbers);
    json_auto_t *array = NULL;

    while (n > 0 && numbers[n - 1] == 0)
        n--;
    if (n == 0 && !m->always)
        return 0;
    array = json_array();
    if (!array)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        if (json_array_append_new(array, number(numbers[i])) < 0)
            return -ENOMEM;
    *ret = TAKE_PTR(array);
    return 0;
}

/* More than fit are passed over. */
static int read_numbers(const CodecMember *m, const json_t *value, void *base, CodecReader *reader) {
    uint64_t *numbers = field_of(m, base);
    size_t n = MIN(json_array_size(value), m->size / sizeof(*numbers));

    if (!json_is_array(value))
        return -EINVAL;
    memset(numbers, 0, m->size);
    for (size_t i = 0; i < n; i++)
        if (read_number(json_array_get(value, i), INT64_MAX, &numbers[i]) < 0)
            return codec_refuse_entry(reader, value, i, "a number");
    return 0;
}

static int write_times(const CodecMember *m, const void *base, json_t **ret) {
    const uint64_t *times = field_of(m, base);
    json_auto_t *object = json_object();

    for (unsigned i = 0; object && i < m->names->max; i++)
        if (times[i] != 0 && json_object_set_new(object, m->names->to_string(i), number(times[i])) < 0)
            return -ENOMEM;
    if (!object)
        return -ENOMEM;
    if (json_object_size(object) > 0 || m->always)
        *ret = TAKE_PTR(object);
    return 0;
}

static int read_times(const CodecMember *m, const json_t *value, void *base, CodecReader *reader) {
    const char *name;
    json_t *time;

    if (!json_is_object(value))
        return -EINVAL;
    memset(field_of(m, base), 0, m->size);
    json_object_foreach((json_t *)value, name, time) {
        unsigned i = value_of(m->names, name);

        if (i < m->names->max && read_number(time, INT64_MAX, (uint64_t *)field_of(m, base) + i) < 0)
            return codec_refuse(reader, time, m->kind->wanted);
    }
    return 0;
}

/* ---- structs and lists of them ---- */

static int write_struct(const CodecMember *m, const void *inner, json_t **ret) {
    json_auto_t *object = NULL;
    int r = codec_write(m->members, inner, &object);

    if (r >= 0 && (json_object_size(object) > 0 || m->always))
        *ret = TAKE_PTR(object);
    return r;
}

static int write_object(const CodecMember *m, const void *base, json_t **ret) {
    return write_struct(m, field_of(m, base), ret);
}

static int read_object(const CodecMember *m, const json_t *value, void *base, CodecReader *reader) {
    return codec_read_members(m->members, value, field_of(m, base), reader);
}

/* Strings become "" and words their presets; codec_read does so with the entries of lists. 0 or -ENOMEM. */
static int codec_init(const CodecMember *members, void *base) {
    int r = 0;

    for (const CodecMember *m = members; m->kind; m++)
        if (m->kind->init && m->kind->init(m, base) < 0)
            r = -ENOMEM; /* the rest is still begun, so that it can be freed */
    return r;
}

static int init_object(const CodecMember *m, void *base) {
    return codec_init(m->members, field_of(m, base));
}

static void done_object(const CodecMember *m, void *base) {
    codec_done(m->members, field_of(m, base));
}

static int write_ref(const CodecMember *m, const void *base, json_t **ret) {
    const void *inner = *(void *const *)field_of(m, base);

    return inner ? write_struct(m, inner, ret) : 0;
}

static int read_ref(const CodecMember *m, const json_t *value, void *base, CodecReader *reader) {
    void **inner = field_of(m, base);

    if (!*inner)
        *inner = calloc(1, m->size);
    return *inner ? codec_read_members(m->members, value, *inner, reader) : -ENOMEM;
}

static void done_ref(const CodecMember *m, void *base) {
    void **inner = field_of(m, base);

    if (*inner)
        codec_done(m->members, *inner);
    free(*inner);
    *inner = NULL;
}

static size_t *count_of(const CodecMember *m, const void *base) {
    return (size_t *)((char *)base + m->count);
}

static int write_list(const CodecMember *m, const void *base, json_t **ret) {
    const char *entries = *(void *const *)field_of(m, base);
    json_auto_t *array = NULL;

    if (*count_of(m, base) == 0 && !m->always)
        return 0;
    array = json_array();
    if (!array)
        return -ENOMEM;
    for (size_t i = 0; i < *count_of(m, base); i++) {
        json_t *object = NULL;
        int r = codec_write(m->members, entries + i * m->size, &object);

        if (r < 0)
            return r;
        if (json_array_append_new(array, object) < 0)
            return -ENOMEM;
    }
    *ret = TAKE_PTR(array);
    return 0;
}

static int refuse_list(const CodecMember *m, const json_t *value, CodecReader *reader) {
    char wanted[64];

    (void)snprintf(wanted, sizeof(wanted), "a list of at most %llu", (unsigned long long)m->max);
    return codec_refuse(reader, value, wanted);
}

/* Entries that were begun count also after an error. */
static int read_list(const CodecMember *m, const json_t *value, void *base, CodecReader *reader) {
    char **entries = field_of(m, base);
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
    char **entries = field_of(m, base);

    for (size_t i = 0; i < *count_of(m, base); i++)
        codec_done(m->members, *entries + i * m->size);
    free(*entries);
    *entries = NULL;
    *count_of(m, base) = 0;
}

static int write_strings(const CodecMember *m, const void *base, json_t **ret) {
    char *const *strings = *(char *const *const *)field_of(m, base);
    json_auto_t *array = json_array();

    for (size_t i = 0; array && i < *count_of(m, base); i++)
        if (json_array_append_new(array, json_text_new(strings[i])) < 0)
            return -ENOMEM;
    return set(TAKE_PTR(array), ret);
}

static int read_strings(const CodecMember *m, const json_t *value, void *base, CodecReader *reader) {
    char ***strings = field_of(m, base);
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
    char ***strings = field_of(m, base);

    for (size_t i = 0; i < *count_of(m, base); i++)
        free((*strings)[i]);
    free(*strings);
    *strings = NULL;
    *count_of(m, base) = 0;
}

/* ---- all kinds ---- */

const CodecKind codec_bool = { "true or false", write_bool, read_bool, NULL, NULL };
const CodecKind codec_uint = { "a count", write_uint, read_uint, NULL, NULL };
const CodecKind codec_usec = { "microseconds since 1970", write_usec, read_usec, NULL, NULL };
const CodecKind codec_time = { "a time", write_time, read_time, NULL, NULL };
const CodecKind codec_text = { "a string", codec_write_text, read_text, NULL, NULL };
const CodecKind codec_shown_text = { "a string", write_shown_text, read_text, NULL, NULL };
const CodecKind codec_ascii = { "a short line of printable ASCII", codec_write_text, codec_read_ascii, NULL,
                                NULL };
const CodecKind codec_hex = { "an id of hex digits", codec_write_text, read_hex, NULL, NULL };
const CodecKind codec_string = { "a string", codec_write_string, codec_read_string, init_string,
                                 codec_done_string };
const CodecKind codec_shown_string = { "a string", write_shown_string, NULL, NULL, NULL };
const CodecKind codec_word = { "a known word", write_word, read_word, init_word, NULL };
const CodecKind codec_bits = { "a list of known words", write_bits, read_bits, NULL, NULL };
const CodecKind codec_numbers = { "a list of numbers", write_numbers, read_numbers, NULL, NULL };
const CodecKind codec_times = { "an object of times", write_times, read_times, NULL, NULL };
const CodecKind codec_object = { "an object", write_object, read_object, init_object, done_object };
const CodecKind codec_ref = { "an object", write_ref, read_ref, NULL, done_ref };
const CodecKind codec_list = { "a list", write_list, read_list, NULL, done_list };
const CodecKind codec_strings = { "a list of strings", write_strings, read_strings, NULL, done_strings };

#define DEFINE_NAMES(names, name, Type, max_)                                                               \
    static const char *name##_word(unsigned value) {                                                        \
        return name##_to_string((Type)value);                                                               \
    }                                                                                                       \
    static unsigned name##_value(const char *word) {                                                        \
        return (unsigned)name##_from_string(word);                                                          \
    }                                                                                                       \
    const CodecNames codec_##names = { name##_word, name##_value, (max_) }

DEFINE_NAMES(verdicts, verdict, Verdict, _VERDICT_MAX);
DEFINE_NAMES(events, event, EventKind, _EVENT_MAX);
DEFINE_NAMES(severities, severity, Severity, _SEVERITY_MAX);
DEFINE_NAMES(findings, finding, Finding, _FINDING_MAX);
DEFINE_NAMES(fields, field, Field, _FIELD_MAX);
DEFINE_NAMES(poll_errors, poll_error, PollError, _POLL_ERROR_MAX);
DEFINE_NAMES(causes, cause, CauseKind, _CAUSE_MAX);
DEFINE_NAMES(actions, action, Action, _ACTION_MAX);
DEFINE_NAMES(action_results, action_result, ActionResult, _RESULT_MAX);
DEFINE_NAMES(drill_actors, drill_actor, DrillActor, _DRILL_ACTOR_MAX);
DEFINE_NAMES(modes, mode, Mode, _MODE_MAX);

/* ---- tables: the one way through them ---- */

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
            const void *inner = field_of(m, base);

            r = codec_write_members(m->members, m->kind == &codec_ref ? *(void *const *)inner : inner,
                                    object);
        } else if (!m->is_set || m->is_set(field_of(m, base)))
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

/* What JSON has to escape is left to jansson; hardly any text of ours has it. */
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
    text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
    return text ? strbuf_add(b, text) : -ENOMEM;
}

static int print_name(StrBuf *b, const CodecMember *m, bool *printed) {
    int r = strbuf_addf(b, "%s\"%s\": ", *printed ? ", " : "", m->name);

    *printed = true;
    return r;
}

/* As write_object and write_ref, without a tree of values: an object without members goes again. */
static int print_struct(StrBuf *b, const CodecMember *m, const void *base, bool *printed) {
    const void *inner = m->kind == &codec_ref ? *(void *const *)field_of(m, base) : field_of(m, base);
    bool was_printed = *printed, has_members = false;
    size_t len = b->len;
    int r;

    if (!inner || (m->is_set && !m->is_set(field_of(m, base)))) {
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
        const void *inner = field_of(m, base);

        return print_members(b, m->members, m->kind == &codec_ref ? *(void *const *)inner : inner, printed);
    }
    if (m->kind == &codec_object || m->kind == &codec_ref)
        return print_struct(b, m, base, printed);
    if (!m->is_set || m->is_set(field_of(m, base)))
        r = m->kind->write(m, base, &value);
    if (r < 0 || (!value && !m->always))
        return r;
    (void)print_name(b, m, printed);
    return value ? print_value(b, value) : strbuf_add(b, "null");
}

/* The text of codec_write_members without the tree of values in between. */
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

/* Line by line, so that a document of many entries is not in memory a second time. */
static int print_list(StrBuf *b, const CodecMember *m, const void *base) {
    const char *entries = *(void *const *)field_of(m, base);
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
    r = strbuf_add(&b, "\n}\n");
    len = b.len;
    if (r >= 0)
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
