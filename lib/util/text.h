/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Bounded text: copies, comparison, and escaping of foreign text for display. Pure. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/util/strbuf.h"

/* Copies src (NULL counts as "") into dst of `size` > 0 bytes, always NUL-terminated, cut at a UTF-8
 * boundary. False if it had to cut. */
bool text_copy(char *dst, size_t size, const char *src);

/* Frees *slot and stores a copy of text there, or NULL for NULL. Returns 0, or -ENOMEM and leaves *slot
 * unchanged. */
int text_set(char **slot, const char *text);

/* True if both are equal or both are NULL. */
bool text_equal(const char *a, const char *b);
/* False if s is NULL. */
bool text_starts_with(const char *s, const char *prefix);
bool text_ends_with(const char *s, const char *suffix);

/* True if s is well-formed UTF-8 (RFC 3629); NULL counts as "". */
bool text_is_utf8(const char *s);

/* Appends s (NULL counts as "") as printable UTF-8 on one line. Control bytes, DEL and invalid UTF-8 become
 * \xNN; C1 controls, line separators, bidirectional controls and zero-width characters become \uNNNN;
 * backslash becomes \\. Existing escapes are kept, so text is escaped once even if it passes several times.
 * Escape text from AWS or callers before it reaches a log, a mail or a terminal. Takes at most max_in bytes
 * of s; "..." marks a cut. Returns the buffer's error. */
int text_escape(StrBuf *b, const char *s, size_t max_in);

/* Like text_escape, into a buffer of `size` > 0 bytes; cut between characters, with "..." if that fits.
 * Returns dst. */
const char *text_escaped(char *dst, size_t size, const char *s);

/* Finds the known word closest to a mistyped one. Start with { .text = ... }, then try each candidate. */
typedef struct TextNearest {
    const char *text; /* NULL matches nothing */
    const char *best; /* closest candidate so far, the first among equals; NULL if none is close enough */
    unsigned distance;
} TextNearest;

/* A candidate is close if at most a third of the characters (rounded up, at most 3) are omitted, added,
 * replaced or swapped with a neighbour, ignoring case; or if it starts with text. Empty words and words of
 * more than 63 bytes match nothing. */
void text_nearest(TextNearest *nearest, const char *candidate);
