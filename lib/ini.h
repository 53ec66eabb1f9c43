/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Reader of AWS's configuration dialect: [section] lines, key = value (or key: value), '#' and ';' comment
 * lines, and sub-keys that are indented deeper than a bare "key =" above them. A value runs to the end of
 * its line: there are no comments behind values, no quotes and no escapes. Pure; no line length limit beyond
 * the file's own ceiling. It reads as Python's configparser does, which botocore is built on; what that
 * refuses a whole file for is one entry here, so that whoever reads a section can say what is wrong with it
 * alone. */

#include <stddef.h>

typedef enum IniKind {
    INI_SECTION,    /* a header; key and value are NULL */
    INI_KEY,
    INI_SUBKEY,     /* indented under the bare key parent */
    INI_CONTINUED,  /* indented under a key with a value, which goes on here; key is that key */
    INI_ODD,        /* a line that is none of these; key is NULL, value the line */
} IniKind;

typedef struct IniEntry {
    IniKind kind;
    const char *section; /* "default", "profile ops", as it stands between the brackets; "" before the first,
                          * and after a header that cannot be read, which is odd in the one before */
    const char *parent;     /* of a sub-key */
    const char *key;        /* lower case */
    const char *value;      /* trimmed; "" is possible */
    unsigned line;
} IniEntry;

/* Called for each entry in file order; a non-zero return stops and is returned by ini_parse. Pointers are
 * valid inside the call only. */
typedef int (*IniVisit)(const IniEntry *entry, void *userdata);

#define INI_FILE_MAX (1024 * 1024)

/* 0; what visit returned; -E2BIG over INI_FILE_MAX; -ENOMEM. Scratch copies are wiped: values may be
 * secrets. */
int ini_parse(const char *text, size_t len, IniVisit visit, void *userdata);
