/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Bounded text: copies, comparison, and making foreign text fit to be shown. Pure. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/util/strbuf.h"

/* Copies src (NULL counts as "") into dst of `size` > 0 bytes, always terminated, cut on a UTF-8 boundary.
 * Returns false when it had to cut. */
bool text_copy(char *dst, size_t size, const char *src);

/* NULL-safe equality; two NULLs are equal. */
bool text_equal(const char *a, const char *b);
bool text_starts_with(const char *s, const char *prefix);
bool text_ends_with(const char *s, const char *suffix);

/* Appends s as printable UTF-8 on one line: control bytes, DEL, C1 controls, invalid UTF-8, bidi overrides
 * (U+202A..E, U+2066..9), U+2028 and U+2029 become \xNN or \uNNNN, backslash becomes \\. Text from AWS or callers goes through this before it
 * reaches a log, a mail or a terminal. At most max_in bytes of s are looked at; "..." marks a cut. */
int text_escape(StrBuf *b, const char *s, size_t max_in);

/* The same into a fixed buffer; returns dst. */
const char *text_escaped(char *dst, size_t size, const char *s);

/* As text_escape, and every byte outside 0x20..0x7e becomes '?' : for SNS subjects and SMS. */
int text_ascii(StrBuf *b, const char *s, size_t max_in);

