/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Shared by the tables of status.json. */

#include <errno.h>
#include <jansson.h>

#include "daemon/core/codec.h"
#include "daemon/io/report.h"

/* A constant string. */
static inline int report_word(const char *word, json_t **ret) {
    *ret = json_string(word);
    return *ret ? 0 : -ENOMEM;
}

#define DERIVED(name_, kind_)                                                                               \
    { .name = name_, .kind = &(kind_), .always = true }
/* Shows a member even if it has its default. */
#define SHOW(Type, path, name_, kind_, ...)                                                                 \
    {                                                                                                       \
        .name = name_, .kind = &codec_##kind_, .offset = offsetof(Type, path),                              \
        .size = sizeof(((Type *)0)->path), .always = true, __VA_ARGS__                                      \
    }
#define SHOWN(Type, path, name_) SHOW(Type, path, name_, shown_string, .max = ERROR_TEXT_MAX)

/* report_status_guard.c: contained identities, and the rights that the guard lacks. */
extern const CodecMember report_hold_members[], report_loss_members[];
/* NULL if it has all of its rights. */
const void *report_loss_at(const void *status, size_t i);
