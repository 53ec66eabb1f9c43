/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Reader of AWS's configuration dialect: [section] lines, key = value, '#' and ';' comment lines, and
 * sub-keys that are indented deeper than a bare "key =" above them. A value runs to the end of its line:
 * there are no comments behind values, no quotes and no escapes. Pure; no line length limit beyond the
 * file's own ceiling. */

#include <stddef.h>

typedef struct IniEntry {
    const char *section;    /* "default", "profile ops"; inner white space collapsed */
    const char *parent;     /* the bare key this one is indented under, or NULL */
    const char *key;        /* lower case */
    const char *value;      /* trimmed; "" is possible */
    unsigned line;
} IniEntry;

/* Called for each entry in file order (a bare key too, before its sub-keys); a non-zero return stops and is
 * returned by ini_parse. Pointers are valid inside the call only. */
typedef int (*IniVisit)(const IniEntry *entry, void *userdata);

#define INI_FILE_MAX (1024 * 1024)

/* 0; what visit returned; -EINVAL with *ret_line (may be NULL) set to the first bad line (a key outside a
 * section, an unclosed or empty bracket, text after it that is no comment, a line that is neither, a NUL
 * byte); entries before it were visited. -E2BIG over INI_FILE_MAX; -ENOMEM. Scratch copies are wiped: values
 * may be secrets. */
int ini_parse(const char *text, size_t len, IniVisit visit, void *userdata, unsigned *ret_line);
