/* SPDX-License-Identifier: Apache-2.0 */
/* The file's text before libconfig has it: what its versions read differently, or read as nobody means it.
 * Sources: libconfig's scanner.l and grammar.y of 1.5, 1.7 and 1.8. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config_private.h"
#include "lib/util/text.h"

#define DEPTH_MAX      64
#define NAME_MAX_SHOWN 80
#define TEXT_MAX_SHOWN 40

typedef struct Text {
    const char *at, *end;
    unsigned line;
    const char *name; /* the option that is being set, for messages */
    int name_len;
    char brackets[DEPTH_MAX]; /* those that are open */
    unsigned depth;
    const char *string; /* the token before was one; between its quotes */
    int string_len;
    bool comma; /* the token before was one */
    Reading *reading;
} Text;

static int _printf_(2, 3) refuse(Text *t, const char *format, ...) {
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(t->reading->what, sizeof(t->reading->what), format, ap);
    va_end(ap);
    t->reading->line = t->line;
    return -EINVAL;
}

static bool begins(const Text *t, const char *with) {
    return (size_t)(t->end - t->at) >= strlen(with) && memcmp(t->at, with, strlen(with)) == 0;
}

/* At a comment or white space: moves behind it. */
static bool skip_blank(Text *t) {
    const char *start = t->at;

    if (*t->at == '#' || begins(t, "//"))
        while (t->at < t->end && *t->at != '\n')
            t->at++;
    else if (begins(t, "/*")) {
        for (t->at += 2; t->at < t->end && !begins(t, "*/"); t->at++)
            t->line += *t->at == '\n';
        t->at = t->end - t->at >= 2 ? t->at + 2 : t->end;
    } else if (strchr(" \t\r\n\f", *t->at) && *t->at) {
        t->line += *t->at == '\n';
        t->at++;
    }
    return t->at > start;
}

static char innermost(const Text *t) {
    return t->depth > 0 && t->depth <= DEPTH_MAX ? t->brackets[t->depth - 1] : '\0';
}

static bool in_sequence(const Text *t) {
    return innermost(t) == '[' || innermost(t) == '(';
}

static int take_string(Text *t) {
    const char *before = t->string, *start = ++t->at;
    int before_len = t->string_len, len;

    for (; t->at < t->end && *t->at != '"'; t->at++) {
        t->line += *t->at == '\n';
        if (*t->at == '\\' && t->at + 1 < t->end)
            t->at++;
    }
    len = (int)MIN(t->at - start, TEXT_MAX_SHOWN);
    if (before && in_sequence(t))
        return refuse(t,
                      "%.*s: \"%.*s\" \"%.*s\" is one text for libconfig, and could be meant as two; write "
                      "a comma "
                      "between them, or one text",
                      t->name_len, t->name, before_len, before, len, start);
    t->at += t->at < t->end;
    t->string = start;
    t->string_len = len;
    return 0;
}

/* What digits mean by which version: 010 is 10 with libconfig 1.5 and 1.8 and 8 with 1.7, 08 an error with
 * some; 0b1 and 0o7 came late; 1.5 wraps what is over 32 bits without a word. */
static int take_number(Text *t) {
    const char *start = t->at, *digits = start;
    unsigned long long value;
    char base;
    int len;

    while (t->at < t->end && (isalnum((unsigned char)*t->at) || *t->at == '.'))
        t->at++;
    len = (int)MIN(t->at - start, TEXT_MAX_SHOWN);
    while (*digits == '0' && isdigit((unsigned char)digits[1]))
        digits++;
    base = start[0] == '0' ? (char)tolower((unsigned char)start[1]) : '\0';
    if (base == 'b' || base == 'o' || base == 'q')
        return refuse(t, "%.*s: %.*s: only newer versions of libconfig read this; write it in decimal",
                      t->name_len, t->name, len, start);
    if (digits > start && !memchr(start, '.', (size_t)(t->at - start)))
        return refuse(
                t,
                "%.*s: %.*s: a number with a leading zero is decimal, octal or an error, by the version of "
                "libconfig; write %.*s if it is decimal",
                t->name_len, t->name, len, start, MIN((int)(t->at - digits), TEXT_MAX_SHOWN), digits);
    errno = 0;
    value = strtoull(start, NULL, 0);
    if (errno != 0 || value > INT32_MAX)
        return refuse(t, "%.*s: too large; allowed: a whole number up to %d", t->name_len, t->name,
                      INT32_MAX);
    return 0;
}

static void take_name(Text *t) {
    const char *start = t->at;

    while (t->at < t->end && (isalnum((unsigned char)*t->at) || *t->at == '_' || *t->at == '-'))
        t->at++;
    if (in_sequence(t))
        return; /* true and false */
    t->name = start;
    t->name_len = (int)MIN(t->at - start, NAME_MAX_SHOWN);
}

static int take_bracket(Text *t, bool after_comma) {
    char c = *t->at++;

    if (strchr("[({", c)) {
        if (t->depth < DEPTH_MAX)
            t->brackets[t->depth] = c;
        t->depth++;
        return 0;
    }
    if (after_comma && in_sequence(t))
        return refuse(t, "%.*s: only newer versions of libconfig read a comma before %c; take it out",
                      t->name_len, t->name, c);
    t->depth -= t->depth > 0;
    return 0;
}

static int take_token(Text *t) {
    bool after_comma = t->comma;
    unsigned char c = (unsigned char)*t->at;

    t->comma = c == ',';
    if (c == '"')
        return take_string(t);
    t->string = NULL;
    if (c == '\0')
        return refuse(t, "a NUL byte");
    if (c == '@')
        return refuse(t, "@include: not supported; put all options into this file");
    if (isdigit(c))
        return take_number(t);
    if (strchr("[({])}", c))
        return take_bracket(t, after_comma);
    if (isalpha(c) || c == '_')
        take_name(t);
    else
        t->at++;
    return 0;
}

int config_check_text(Reading *r, const char *text, size_t len) {
    static const char nothing[] = "a value";
    Text t = { .at = text,
               .end = text + len,
               .line = 1,
               .name = nothing,
               .name_len = (int)strlen(nothing),
               .reading = r };
    int e = 0;

    while (e == 0 && t.at < t.end)
        if (!skip_blank(&t))
            e = take_token(&t);
    return e;
}
