/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/codec.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/enum_names.h"
#include "daemon/core/events.h"
#include "lib/util/json_text.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define FOUND_MAX 48U /* bytes of a wrong value in a message */

/* ---- errors ---- */

/* Text is only shown in place of an enum's name: other text may be confidential for the reader of the
 * message. */
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
        text = json_text_dump(found, JSON_ENCODE_ANY);
        (void)text_escape(&b, text ? text : "something else", FOUND_MAX);
        (void)text_copy(dst, 4 * FOUND_MAX, strbuf_str(&b));
    }
    return dst;
}

int codec_refuse(CodecReader *reader, const json_t *found, const char *wanted) {
    char shown[4 * FOUND_MAX];

    if (!found)
        (void)snprintf(reader->reason, reader->reason_size, "%s is missing", reader->path);
    else if (!reader->reason[0]) /* an inner error is more specific */
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

static int set(json_t *value, json_t **ret) {
    *ret = value;
    return value ? 0 : -ENOMEM;
}

static json_t *number(uint64_t value) {
    return json_integer((json_int_t)MIN(value, (uint64_t)INT64_MAX));
}

static int codec_write_bool(const CodecMember *m, const void *base, json_t **ret) {
    bool value = *(const bool *)codec_field(m, base);

    return value || m->always ? set(json_boolean(value), ret) : 0;
}

static int read_bool(const CodecMember *m, const json_t *value, void *base, CodecReader *reader _unused_) {
    if (!json_is_boolean(value))
        return -EINVAL;
    *(bool *)codec_field(m, base) = json_is_true(value);
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

static int codec_write_uint(const CodecMember *m, const void *base, json_t **ret) {
    return write_number(m, *(const unsigned *)codec_field(m, base), ret);
}

static int read_uint(const CodecMember *m, const json_t *value, void *base, CodecReader *reader _unused_) {
    uint64_t n;
    int r = read_number(value, m->max ? m->max : UINT_MAX, &n);

    if (r >= 0)
        *(unsigned *)codec_field(m, base) = (unsigned)n;
    return r;
}

static int write_usec(const CodecMember *m, const void *base, json_t **ret) {
    return write_number(m, *(const uint64_t *)codec_field(m, base), ret);
}

static int read_usec(const CodecMember *m, const json_t *value, void *base, CodecReader *reader _unused_) {
    return read_number(value, INT64_MAX, codec_field(m, base));
}

static int codec_write_time(const CodecMember *m, const void *base, json_t **ret) {
    uint64_t usec = *(const uint64_t *)codec_field(m, base);
    char text[TIMETEXT_MAX];

    return usec != 0 ? set(json_string(timetext_iso(text, usec)), ret) : 0;
}

static int read_time(const CodecMember *m, const json_t *value, void *base, CodecReader *reader _unused_) {
    const char *text = json_string_value(value);

    return text && timetext_parse_iso(text, codec_field(m, base)) >= 0 ? 0 : -EINVAL;
}

/* ---- text ---- */

static int write_chars(const CodecMember *m, const char *s, json_t **ret) {
    return s[0] || m->always ? set(json_text_new(s), ret) : 0;
}

static int write_shown(const CodecMember *m, const char *s, json_t **ret) {
    _cleanup_strbuf_ StrBuf b =
            STRBUF_INIT(4 * (size_t)m->max + 8); /* each as \xNN, plus the mark of truncation */

    (void)text_escape(&b, s, (size_t)m->max);
    return write_chars(m, strbuf_str(&b), ret);
}

int codec_write_text(const CodecMember *m, const void *base, json_t **ret) {
    return write_chars(m, codec_field(m, base), ret);
}

static int write_shown_text(const CodecMember *m, const void *base, json_t **ret) {
    CodecMember cut = *m;

    cut.max = m->size;
    return write_shown(&cut, codec_field(m, base), ret);
}

static int codec_read_text(const CodecMember *m, const json_t *value, void *base,
                           CodecReader *reader _unused_) {
    if (!json_is_string(value))
        return -EINVAL;
    (void)text_copy(codec_field(m, base), m->size, json_string_value(value));
    return 0;
}

int codec_read_ascii(const CodecMember *m, const json_t *value, void *base, CodecReader *reader _unused_) {
    const char *s = json_string_value(value);
    bool good = s && text_copy(codec_field(m, base), m->size, s);

    for (; good && *s; s++)
        good = *s >= 0x20 && *s <= 0x7e;
    return good ? 0 : -EINVAL;
}

static int read_hex(const CodecMember *m, const json_t *value, void *base, CodecReader *reader) {
    const char *s = codec_field(m, base);

    if (codec_read_ascii(m, value, base, reader) < 0)
        return -EINVAL;
    return strlen(s) == m->size - 1 && strspn(s, "0123456789abcdef") == m->size - 1 ? 0 : -EINVAL;
}

int codec_write_string(const CodecMember *m, const void *base, json_t **ret) {
    const char *s = *(char *const *)codec_field(m, base);

    return s ? write_chars(m, s, ret) : 0;
}

static int write_shown_string(const CodecMember *m, const void *base, json_t **ret) {
    const char *s = *(char *const *)codec_field(m, base);

    return s ? write_shown(m, s, ret) : 0;
}

int codec_read_string(const CodecMember *m, const json_t *value, void *base, CodecReader *reader _unused_) {
    if (!json_is_string(value) || (m->max && json_string_length(value) > m->max))
        return -EINVAL;
    return text_set(codec_field(m, base), json_string_value(value));
}

static int init_string(const CodecMember *m, void *base) {
    return text_set(codec_field(m, base), "");
}

void codec_done_string(const CodecMember *m, void *base) {
    free(*(char **)codec_field(m, base));
    *(char **)codec_field(m, base) = NULL;
}

/* ---- enums, by name, so that files do not depend on their order ---- */

/* Names written by earlier versions. */
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

static unsigned codec_value_of(const CodecNames *names, const char *word) {
    unsigned value = names->from_string(word);

    for (size_t i = 0; value == names->max && i < ARRAY_SIZE(old_words); i++)
        if (text_equal(old_words[i].old, word))
            value = names->from_string(old_words[i].now);
    return value;
}

static int write_word(const CodecMember *m, const void *base, json_t **ret) {
    unsigned value = *(const unsigned *)codec_field(m, base);

    if (value >= m->names->max || (value == m->preset && !m->always))
        return 0;
    return set(json_string(m->names->to_string(value)), ret);
}

static int read_word(const CodecMember *m, const json_t *value, void *base, CodecReader *reader _unused_) {
    unsigned word = codec_value_of(m->names, json_string_value(value));

    if (word == m->names->max)
        return -EINVAL;
    *(unsigned *)codec_field(m, base) = word;
    return 0;
}

static int init_word(const CodecMember *m, void *base) {
    *(unsigned *)codec_field(m, base) = m->preset;
    return 0;
}

static int write_bits(const CodecMember *m, const void *base, json_t **ret) {
    uint32_t bits = *(const uint32_t *)codec_field(m, base);
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
        unsigned bit = codec_value_of(m->names, json_string_value(json_array_get(value, i)));

        if (bit == m->names->max)
            return codec_refuse_entry(reader, value, i, codec_word.wanted);
        bits |= 1U << bit;
    }
    *(uint32_t *)codec_field(m, base) = bits;
    return 0;
}

/* ---- arrays of numbers ---- */

static int write_numbers(const CodecMember *m, const void *base, json_t **ret) {
    const uint64_t *numbers = codec_field(m, base);
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

/* Numbers that do not fit are ignored. */
static int read_numbers(const CodecMember *m, const json_t *value, void *base, CodecReader *reader) {
    uint64_t *numbers = codec_field(m, base);
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
    const uint64_t *times = codec_field(m, base);
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
    memset(codec_field(m, base), 0, m->size);
    json_object_foreach((json_t *)value, name, time) {
        unsigned i = codec_value_of(m->names, name);

        if (i < m->names->max && read_number(time, INT64_MAX, (uint64_t *)codec_field(m, base) + i) < 0)
            return codec_refuse(reader, time, m->kind->wanted);
    }
    return 0;
}

/* ---- the kinds ---- */

const CodecKind codec_bool = { "true or false", codec_write_bool, read_bool, NULL, NULL };
const CodecKind codec_uint = { "a count", codec_write_uint, read_uint, NULL, NULL };
const CodecKind codec_usec = { "microseconds since 1970", write_usec, read_usec, NULL, NULL };
const CodecKind codec_time = { "a time", codec_write_time, read_time, NULL, NULL };
const CodecKind codec_text = { "a string", codec_write_text, codec_read_text, NULL, NULL };
const CodecKind codec_shown_text = { "a string", write_shown_text, codec_read_text, NULL, NULL };
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
