/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Structs to JSON and back, by tables: a row has a member's name, its kind, its place in the struct, its
 * bounds and default. Used for state.json, intents, the outbox, baselines and status.json. Pure except for
 * allocation. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- codec_kinds.c: the rows of the tables, and the kinds of a single value: numbers, texts, times,
 * enums ---- */

typedef struct CodecMember CodecMember;
typedef struct CodecReader CodecReader;

/* base is the struct, member->offset the place of the field in it. */
typedef struct CodecKind {
    const char *wanted; /* what a reader expects, for messages */
    /* Creates a value; *ret stays NULL for the default. 0 or -ENOMEM. */
    int (*write)(const CodecMember *member, const void *base, json_t **ret);
    /* 0, -EINVAL for an unexpected value, or -ENOMEM. */
    int (*read)(const CodecMember *member, const json_t *value, void *base, CodecReader *reader);
    int (*init)(const CodecMember *member, void *base);
    void (*done)(const CodecMember *member, void *base);
} CodecKind;

/* The names of an enum's values. */
typedef struct CodecNames {
    const char *(*to_string)(unsigned value);
    unsigned (*from_string)(const char *word);
    unsigned max;
} CodecNames;

/* A row without a kind ends the table. */
struct CodecMember {
    const char *name;     /* NULL: the inner struct's members are members of the outer one */
    const char *old_name; /* written by earlier versions; read if `name` is missing */
    const CodecKind *kind;
    size_t offset, size;               /* of the field; ref, list: of a struct */
    size_t count;                      /* list: the place of its length, a size_t */
    const CodecMember *members;        /* object, ref, list */
    const CodecNames *names;           /* word, bits, times */
    uint64_t max;                     /* the most entries, or the largest number; 0: the limit of the type */
    unsigned preset;                   /* word: the value if it is not written */
    bool required;                     /* a file without it is rejected */
    bool always;                       /* written even if it has its default; null if it has none */
    bool (*is_set)(const void *field); /* false: not written, whatever its value is */
    /* list of a document: returns entry i, valid until the next call; NULL: it is left out. Without this
     * function the entries are those at the pointer. */
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

/* bool; unsigned; uint64_t (limited to INT64_MAX) */
extern const CodecKind codec_bool, codec_uint, codec_usec;
/* uint64_t as "2026-11-24T10:02:11Z", null for 0 */
extern const CodecKind codec_time;
/* char array: truncated to fit when read; escaped when written; printable ASCII that fits; hex digits that
 * fill it. char pointer: owned; borrowed and escaped when written. */
extern const CodecKind codec_text, codec_shown_text, codec_ascii, codec_hex, codec_string,
        codec_shown_string;
/* enum by name; uint32_t of bits as a list of names */
extern const CodecKind codec_word, codec_bits;
/* uint64_t array: a list of numbers without trailing zeros; an object of them by name */
extern const CodecKind codec_numbers, codec_times;

/* The functions of codec_text, codec_ascii and codec_string, for kinds of one table. */
int codec_write_text(const CodecMember *m, const void *base, json_t **ret);
int codec_read_ascii(const CodecMember *m, const json_t *value, void *base, CodecReader *reader);
int codec_write_string(const CodecMember *m, const void *base, json_t **ret);
int codec_read_string(const CodecMember *m, const json_t *value, void *base, CodecReader *reader);
void codec_done_string(const CodecMember *m, void *base);

extern const CodecNames codec_verdicts, codec_events, codec_severities, codec_findings, codec_fields,
        codec_poll_errors, codec_causes, codec_actions, codec_action_results, codec_drill_actors,
        codec_modes;

/* The reader's position, and its first error: "trails[0].verdict is "fine", not a known word". */
struct CodecReader {
    char path[160];
    char *reason;
    size_t reason_size;
};

/* Writes what was found at the reader's position and what is expected. Returns -EINVAL. */
int codec_refuse(CodecReader *reader, const json_t *found, const char *wanted);
int codec_refuse_entry(CodecReader *reader, const json_t *list, size_t i, const char *wanted);

/* ---- codec.c: tables and documents ---- */

/* A pointer to a struct. */
#define CODEC_REF(Type, path, name_, ...)                                                                   \
    {                                                                                                       \
        .name = name_, .kind = &codec_ref, .offset = offsetof(Type, path),                                  \
        .size = sizeof(*((Type *)0)->path), __VA_ARGS__                                                     \
    }
/* An array at a pointer; the member `n` has its length. */
#define CODEC_LIST(Type, path, n, name_, ...)                                                               \
    {                                                                                                       \
        .name = name_, .kind = &codec_list, .offset = offsetof(Type, path),                                 \
        .size = sizeof(*((Type *)0)->path), .count = offsetof(Type, n), __VA_ARGS__                         \
    }
#define CODEC_END                                                                                           \
    { .kind = NULL }

/* struct; a pointer to one, owned, NULL when there is none; a list of structs, owned; a list of char
 * pointers */
extern const CodecKind codec_object, codec_ref, codec_list, codec_strings;

/* 0 and a new object, or -ENOMEM. */
int codec_write(const CodecMember *members, const void *base, json_t **ret);
/* Adds the members to an object. 0 or -ENOMEM. */
int codec_write_members(const CodecMember *members, const void *base, json_t *object);
/* {"schema": SCHEMA, MEMBERS}, one line per entry of each list. Besides the text, only one entry is in
 * memory at a time. The caller frees. 0, -ENOMEM, or -E2BIG if it exceeds max bytes or a list exceeds its
 * row's limit. */
int codec_write_document(const char *schema, const CodecMember *members, const void *base, size_t max,
                         char **ret, size_t *ret_len);

/* Reads a document of this schema, ignoring unknown members. 0, -EINVAL with one escaped line in reason, or
 * -ENOMEM. After an error there is nothing to free. */
int codec_read_document(const char *text, size_t len, const char *schema, const CodecMember *members,
                        void *base, char *reason, size_t reason_size);
/* 0, -EINVAL or -ENOMEM. */
int codec_read_members(const CodecMember *members, const json_t *object, void *base, CodecReader *reader);

/* Frees the memory of the members. */
void codec_done(const CodecMember *members, void *base);
