/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The rows of a codec's tables, and the kinds of a single value: numbers, texts, times, words. Pure but for
 * allocation. codec.h has the tables. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct CodecMember CodecMember;
typedef struct CodecReader CodecReader;

/* base is the struct, member->offset where the field is in it. */
typedef struct CodecKind {
    const char *wanted; /* what a reader must find, for messages */
    /* A new value; *ret stays NULL where the field has its default. 0 or -ENOMEM. */
    int (*write)(const CodecMember *member, const void *base, json_t **ret);
    /* 0, -EINVAL for what is not wanted, or -ENOMEM. */
    int (*read)(const CodecMember *member, const json_t *value, void *base, CodecReader *reader);
    int (*init)(const CodecMember *member, void *base);
    void (*done)(const CodecMember *member, void *base);
} CodecKind;

/* The words of an enum. */
typedef struct CodecNames {
    const char *(*to_string)(unsigned value);
    unsigned (*from_string)(const char *word);
    unsigned max;
} CodecNames;

/* A table ends with a row that has no kind. */
struct CodecMember {
    const char *name;     /* NULL: the members of the inner struct stand among those of the outer one */
    const char *old_name; /* that earlier versions wrote; read where `name` is not there */
    const CodecKind *kind;
    size_t offset, size;               /* of the field; ref, list: of a struct */
    size_t count;                      /* list: where its length is, a size_t */
    const CodecMember *members;        /* object, ref, list */
    const CodecNames *names;           /* word, bits, times */
    uint64_t max;                      /* most entries, or the greatest number; 0: what the type takes */
    unsigned preset;                   /* word: what it is where it is not written */
    bool required;                     /* a file without it is refused */
    bool always;                       /* written with its default too: what has none to show is null */
    bool (*is_set)(const void *field); /* false: not written, whatever is in it */
    /* list of a document: entry i, which is valid until the next is asked for; NULL: it is left out. Without
     * this the entries are those that the list points to. */
    const void *(*entry)(const void *base, size_t i);
};

#define CODEC(Type, path, name_, kind_, ...)                                                                \
    {                                                                                                       \
        .name = name_, .kind = &codec_##kind_, .offset = offsetof(Type, path),                              \
        .size = sizeof(((Type *)0)->path), __VA_ARGS__                                                      \
    }

/* The member's field in the struct. */
static inline void *codec_field(const CodecMember *m, const void *base) {
    return (char *)base + m->offset;
}

/* bool; unsigned; uint64_t (over INT64_MAX it becomes that) */
extern const CodecKind codec_bool, codec_uint, codec_usec;
/* uint64_t as "2026-11-24T10:02:11Z", null for 0 */
extern const CodecKind codec_time;
/* char array: cut to fit when read; escaped when written; printable ASCII that fits; hex digits that fill
 * it. char pointer, owned; a borrowed one that is written escaped. */
extern const CodecKind codec_text, codec_shown_text, codec_ascii, codec_hex, codec_string,
        codec_shown_string;
/* enum by its name; uint32_t of bits: a list of their names */
extern const CodecKind codec_word, codec_bits;
/* uint64_t array: a list of numbers without the zeros at its end; an object of them by name */
extern const CodecKind codec_numbers, codec_times;

/* Of codec_text, codec_ascii and codec_string, for kinds of one table. */
int codec_write_text(const CodecMember *m, const void *base, json_t **ret);
int codec_read_ascii(const CodecMember *m, const json_t *value, void *base, CodecReader *reader);
int codec_write_string(const CodecMember *m, const void *base, json_t **ret);
int codec_read_string(const CodecMember *m, const json_t *value, void *base, CodecReader *reader);
void codec_done_string(const CodecMember *m, void *base);

extern const CodecNames codec_verdicts, codec_events, codec_severities, codec_findings, codec_fields,
        codec_poll_errors, codec_causes, codec_actions, codec_action_results, codec_drill_actors,
        codec_modes;

/* Where a reader is, and what it found wrong there first: "trails[0].verdict is "fine", not a known word".
 */
struct CodecReader {
    char path[160];
    char *reason;
    size_t reason_size;
};

/* Says what is at the reader's place, and what should be there. -EINVAL. */
int codec_refuse(CodecReader *reader, const json_t *found, const char *wanted);
int codec_refuse_entry(CodecReader *reader, const json_t *list, size_t i, const char *wanted);
