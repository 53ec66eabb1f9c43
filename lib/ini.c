/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/ini.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/hash.h"
#include "lib/util/macros.h"

#define BLANK " \t\v\f"

typedef struct IniReader {
    IniVisit visit;
    void *userdata;
    const char *section; /* "" before the first */
    const char *option;  /* the last key, NULL after a header */
    bool bare;           /* it has no value */
    size_t indent;       /* in front of it */
    unsigned line;
} IniReader;

static bool is_empty_or_comment(const char *s) {
    return *s == '\0' || *s == '#' || *s == ';';
}

/* A no-break space, of two bytes. */
static bool is_nbsp(const char *s) {
    return s[0] == '\xc2' && s[1] == '\xa0';
}

static size_t blank_before(const char *s, const char *end) {
    return end - s >= 2 && is_nbsp(s) ? 2 : s < end && strchr(BLANK, *s) ? 1 : 0;
}

static size_t blank_behind(const char *s, size_t n) {
    if (n > 0 && strchr(BLANK, s[n - 1]))
        return 1;
    return n >= 2 && is_nbsp(s + n - 2) ? 2 : 0;
}

/* Cuts white space off both ends, in place: what Python and JavaScript both call so. s ends with a NUL at
 * end. */
static char *ini_trim(char *s, const char *end) {
    size_t n, blank;

    while ((blank = blank_before(s, end)) > 0)
        s += blank;
    n = (size_t)(end - s);
    for (; (blank = blank_behind(s, n)) > 0; s[n] = '\0')
        n -= blank;
    return s;
}

static void to_lower(char *s) {
    for (; *s; s++)
        if (*s >= 'A' && *s <= 'Z')
            *s = (char)(*s - 'A' + 'a');
}

static int give(const IniReader *reader, IniKind kind, const char *key, const char *value) {
    return reader->visit(
            &(IniEntry){
                    .kind = kind,
                    .section = reader->section,
                    .parent = kind == INI_SUBKEY ? reader->option : NULL,
                    .key = key,
                    .value = value,
                    .line = reader->line,
            },
            reader->userdata);
}

/* s is what follows the opening bracket. Up to the last that closes, and what is behind it is not read. */
static int read_section(IniReader *reader, char *s) {
    char *end = strrchr(s, ']');

    reader->option = NULL;
    if (!end || end == s) {
        int r = give(reader, INI_ODD, NULL, s);

        reader->section = "";
        return r;
    }
    *end = '\0';
    reader->section = s;
    return give(reader, INI_SECTION, NULL, NULL);
}

/* NULL when there is no key in it; else s is cut in two. */
static char *cut_at(char *s, const char *delimiters, char **ret_value) {
    char *at = strpbrk(s, delimiters), *key;

    if (!at || at == s)
        return NULL;
    *at = '\0';
    *ret_value = ini_trim(at + 1, at + 1 + strlen(at + 1));
    key = ini_trim(s, at);
    to_lower(key);
    return key;
}

static int read_key(IniReader *reader, char *s, size_t indent) {
    const char *key;
    char *value;

    key = cut_at(s, "=:", &value);
    if (!key)
        return give(reader, INI_ODD, NULL, s);
    reader->option = key;
    reader->bare = value[0] == '\0';
    reader->indent = indent;
    return give(reader, INI_KEY, key, value);
}

static int read_below(IniReader *reader, char *s) {
    const char *key;
    char *value;

    if (!reader->bare)
        return give(reader, INI_CONTINUED, reader->option, s);
    key = cut_at(s, "=", &value);
    return key ? give(reader, INI_SUBKEY, key, value) : give(reader, INI_ODD, NULL, s);
}

static int read_line(IniReader *reader, char *s, const char *end) {
    size_t indent = strspn(s, BLANK);

    s = ini_trim(s, end);
    if (is_empty_or_comment(s))
        return 0;
    if (reader->option && indent > reader->indent)
        return read_below(reader, s);
    if (*s == '[')
        return read_section(reader, s + 1);
    return read_key(reader, s, indent);
}

/* Goes over a private copy, line by line; each line is terminated in place. A lone CR ends one too. */
static int read_lines(IniReader *reader, char *text, size_t len) {
    const char *end = text + len;
    int r = 0;

    for (char *next, *s = text; r == 0 && s < end; s = next) {
        char *stop = s;

        while (stop < end && *stop != '\n' && *stop != '\r')
            stop++;
        next = stop + (stop + 1 < end && stop[0] == '\r' && stop[1] == '\n' ? 2 : 1);
        reader->line++;
        *stop = '\0';
        r = strlen(s) == (size_t)(stop - s) ? read_line(reader, s, stop) : give(reader, INI_ODD, NULL, s);
    }
    return r;
}

int ini_parse(const char *text, size_t len, IniVisit visit, void *userdata) {
    static const char bom[] = "\xef\xbb\xbf";
    IniReader reader = { .visit = visit, .userdata = userdata, .section = "" };
    char *copy;
    int r;

    if (len > INI_FILE_MAX)
        return -E2BIG;
    if (len >= strlen(bom) && memcmp(text, bom, strlen(bom)) == 0) {
        text += strlen(bom);
        len -= strlen(bom);
    }

    copy = malloc(len + 1);
    if (!copy)
        return -ENOMEM;
    if (len > 0)
        memcpy(copy, text, len);
    copy[len] = '\0';

    r = read_lines(&reader, copy, len);
    hash_wipe(copy, len);
    free(copy);
    return r;
}
