/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A string that grows up to a ceiling. Errors stick: after the first failed append the buffer is empty,
 * every later append fails the same way, and strbuf_error() says why; so a run of appends needs one check at
 * its end. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/util/macros.h"

typedef struct StrBuf {
    char *data;       /* NUL-terminated once anything was appended; may be NULL when len is 0 */
    size_t len;
    size_t allocated;
    size_t max;       /* ceiling for len, in bytes without the NUL */
    bool wipe;        /* overwrite memory before it is given back (secrets) */
    int error;        /* 0, -ENOMEM or -E2BIG */
} StrBuf;

/* An empty buffer that never holds more than max bytes. Nothing is allocated yet. */
#define STRBUF_INIT(max_) ((StrBuf){ .max = (max_) })

/* Appends; returns 0 or the buffer's error (-E2BIG past the ceiling, -ENOMEM). `s` may be NULL (nothing),
 * but may not point into the buffer itself. */
int strbuf_add(StrBuf *b, const char *s);
int strbuf_add_mem(StrBuf *b, const void *data, size_t len);
int strbuf_add_char(StrBuf *b, char c);
int strbuf_addf(StrBuf *b, const char *format, ...) _printf_(2, 3);
/* Another buffer's text; its error becomes that of b, so that nothing is missing in silence. */
int strbuf_add_buf(StrBuf *b, const StrBuf *more);

/* Shortens to len bytes (no effect when already shorter); clears nothing else. */
void strbuf_truncate(StrBuf *b, size_t len);

/* The text so far, never NULL ("" when empty or failed). Valid until the next change of the buffer. */
const char *strbuf_str(const StrBuf *b);
int strbuf_error(const StrBuf *b);

/* Moves the text out (caller frees; *ret is "" for an empty buffer, never NULL). Returns 0 or the sticky
 * error. The buffer is empty afterwards. */
int strbuf_take(StrBuf *b, char **ret);

/* Frees; fine to call twice. Wipes first when b->wipe. The buffer is empty and without error afterwards. */
void strbuf_done(StrBuf *b);
#define _cleanup_strbuf_ _cleanup_(strbuf_done)
