/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A string that grows up to a ceiling. Errors are sticky: after a failed append the buffer is empty, later
 * appends fail too, and strbuf_error() returns the first error. One check after a series of appends is
 * enough. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/util/macros.h"

typedef struct StrBuf {
    char *data;       /* NUL-terminated after the first append; may be NULL if len is 0 */
    size_t len;
    size_t allocated;
    size_t max;       /* ceiling for len, in bytes without the NUL */
    bool wipe;        /* overwrite memory before freeing it (secrets) */
    int error;        /* 0, -ENOMEM or -E2BIG */
} StrBuf;

/* An empty buffer for at most max bytes. Allocates nothing yet. */
#define STRBUF_INIT(max_) ((StrBuf){ .max = (max_) })

/* Appends. Returns 0 or the buffer's error (-E2BIG above the ceiling, -ENOMEM). `s` may be NULL (appends
 * nothing) but must not point into the buffer. */
int strbuf_add(StrBuf *b, const char *s);
int strbuf_add_mem(StrBuf *b, const void *data, size_t len);
int strbuf_add_char(StrBuf *b, char c);
int strbuf_addf(StrBuf *b, const char *format, ...) _printf_(2, 3);
/* Appends another buffer's text. If that buffer failed, b fails with the same error. */
int strbuf_add_buf(StrBuf *b, const StrBuf *more);

/* Shortens to len bytes. No effect if the text is not longer. */
void strbuf_truncate(StrBuf *b, size_t len);

/* Returns the text, "" if the buffer is empty or failed, never NULL. Valid until the buffer changes. */
const char *strbuf_str(const StrBuf *b);
int strbuf_error(const StrBuf *b);

/* Moves the text to the caller, who frees it ("" if the buffer is empty, never NULL), and empties the
 * buffer. Returns 0 or the sticky error. */
int strbuf_take(StrBuf *b, char **ret);

/* Frees the buffer, wiped first if b->wipe, and leaves it empty without error. May be called twice. */
void strbuf_done(StrBuf *b);
#define _cleanup_strbuf_ _cleanup_(strbuf_done)
