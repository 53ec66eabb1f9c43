/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Bounded text: copies, comparison, and making foreign text fit to be shown. Pure. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/util/strbuf.h"

/* Copies src (NULL counts as "") into dst of `size` > 0 bytes, always terminated, cut on a UTF-8 boundary.
 * Returns false when it had to cut. */
bool text_copy(char *dst, size_t size, const char *src);

/* Puts a copy of text, NULL for NULL, into *slot, and frees what was there. 0, or -ENOMEM and *slot is as
 * before. */
int text_set(char **slot, const char *text);

/* NULL-safe equality; two NULLs are equal. */
bool text_equal(const char *a, const char *b);
/* NULL starts and ends with nothing. */
bool text_starts_with(const char *s, const char *prefix);
bool text_ends_with(const char *s, const char *suffix);

/* Well-formed UTF-8 (RFC 3629); NULL counts as "". */
bool text_is_utf8(const char *s);

/* Appends s (NULL counts as "") as printable UTF-8 on one line. Control bytes, DEL and invalid UTF-8 become
 * \xNN; C1 controls, line separators, bidirectional controls and characters without width become \uNNNN;
 * backslash becomes \\. What has such a form already keeps it, so that text is escaped once however many
 * stages it passes. Text from AWS or callers goes through this before it reaches a log, a mail or a
 * terminal. At most max_in bytes of s are taken; "..." marks a cut. Returns the buffer's error. */
int text_escape(StrBuf *b, const char *s, size_t max_in);

/* The same into a fixed buffer of `size` > 0 bytes, cut between characters and marked by "..." where that
 * fits. Returns dst. */
const char *text_escaped(char *dst, size_t size, const char *s);

/* Which of several words was meant by one that is none of them. Start with { .text = ... }, and try each. */
typedef struct TextNearest {
    const char *text; /* NULL: nothing is near it */
    const char *best; /* of those tried so far, the first of equals; NULL: none is near enough */
    unsigned distance;
} TextNearest;

/* Near: a third of the characters, at most 3, are left out, added, replaced or swapped with their neighbour,
 * upper and lower case alike; or text is how the candidate begins. An empty word, and one of more than 63
 * bytes, is near to none. */
void text_nearest(TextNearest *nearest, const char *candidate);
