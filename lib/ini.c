/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/ini.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/hash.h"
#include "lib/util/macros.h"

#define BLANK " \t"

typedef struct IniReader {
    IniVisit visit;
    void *userdata;
    const char *section; /* NULL before the first */
    const char *bare;    /* the last key when it had no value, else NULL */
    size_t bare_indent;
    unsigned line;
} IniReader;

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* What may follow a section's bracket, or stand alone. */
static bool is_empty_or_comment(const char *s) {
    return *s == '\0' || *s == '#' || *s == ';';
}

/* Cuts white space off both ends, in place. */
static char *trim(char *s) {
    size_t n;

    s += strspn(s, BLANK);
    n = strlen(s);
    while (n > 0 && is_blank(s[n - 1]))
        n--;
    s[n] = '\0';
    return s;
}

static void collapse(char *s) {
    char *to = s;

    for (const char *from = s; *from; from++)
        if (!is_blank(*from))
            *to++ = *from;
        else if (!is_blank(from[1]))
            *to++ = ' ';
    *to = '\0';
}

static void to_lower(char *s) {
    for (; *s; s++)
        if (*s >= 'A' && *s <= 'Z')
            *s = (char)(*s - 'A' + 'a');
}

/* s is what follows the opening bracket. */
static int read_section(IniReader *reader, char *s) {
    char *end = strchr(s, ']');

    if (!end || !is_empty_or_comment(end + 1 + strspn(end + 1, BLANK)))
        return -EINVAL;
    *end = '\0';
    s = trim(s);
    if (*s == '\0')
        return -EINVAL;
    collapse(s);

    reader->section = s;
    reader->bare = NULL;
    return 0;
}

static int read_key(IniReader *reader, char *s, size_t indent) {
    char *equals = strchr(s, '=');
    IniEntry entry;

    if (!equals || !reader->section)
        return -EINVAL;
    *equals = '\0';

    if (reader->bare && indent <= reader->bare_indent)
        reader->bare = NULL;
    entry = (IniEntry){
        .section = reader->section,
        .parent = reader->bare,
        .key = trim(s),
        .value = trim(equals + 1),
        .line = reader->line,
    };
    if (entry.key[0] == '\0')
        return -EINVAL;
    to_lower(s);

    if (!entry.parent && entry.value[0] == '\0') {
        reader->bare = entry.key;
        reader->bare_indent = indent;
    }
    return reader->visit(&entry, reader->userdata);
}

static int read_line(IniReader *reader, char *s) {
    size_t indent = strspn(s, BLANK);

    s += indent;
    if (is_empty_or_comment(s))
        return 0;
    if (*s == '[')
        return read_section(reader, s + 1);
    return read_key(reader, s, indent);
}

/* Goes over a private copy, line by line; each line is terminated in place. */
static int read_lines(IniReader *reader, char *text, size_t len) {
    char *end = text + len;
    int r = 0;

    for (char *next, *s = text; r == 0 && s < end; s = next) {
        char *stop = memchr(s, '\n', (size_t)(end - s));

        stop = stop ? stop : end;
        next = stop + 1;
        reader->line++;
        if (memchr(s, '\0', (size_t)(stop - s)))
            return -EINVAL;
        if (stop > s && stop[-1] == '\r')
            stop--;
        *stop = '\0';
        r = read_line(reader, s);
    }
    return r;
}

int ini_parse(const char *text, size_t len, IniVisit visit, void *userdata, unsigned *ret_line) {
    static const char bom[] = "\xef\xbb\xbf";
    IniReader reader = { .visit = visit, .userdata = userdata };
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
    if (r == -EINVAL && ret_line)
        *ret_line = reader.line;
    hash_wipe(copy, len);
    free(copy);
    return r;
}
