/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Reader of AWS's configuration dialect: [section] lines, key = value, '#' and ';' comment lines, and indented sub-keys
 * under a bare "key =". Pure; no line length limit beyond the file's own ceiling. */

#include <stddef.h>

typedef struct IniEntry {
    const char *section;    /* "default", "profile ops"; inner white space collapsed */
    const char *parent;     /* the bare key this one is indented under, or NULL */
    const char *key;        /* lower case */
    const char *value;      /* trimmed; "" is possible */
    unsigned line;
} IniEntry;

/* Called for each entry in file order; a non-zero return stops and is returned by ini_parse. Pointers are valid inside the call only. */
typedef int (*IniVisit)(const IniEntry *entry, void *userdata);

#define INI_FILE_MAX (1024 * 1024)

/* 0; what visit returned; -EINVAL with *ret_line (may be NULL) set to the first bad line (a key outside a section, an unclosed bracket, a
 * line that is neither, a NUL byte); -E2BIG over INI_FILE_MAX; -ENOMEM. Scratch copies are wiped: values may be secrets. */
int ini_parse(const char *text, size_t len, IniVisit visit, void *userdata, unsigned *ret_line);
