/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Structs to JSON and back, by tables: a row has a member's name, its kind, its place in the struct, its
 * bounds and default. Used for state.json, intents, the outbox, baselines and status.json. Pure except for
 * allocation. */

#include "daemon/core/codec_kinds.h"

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
