/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config/config_scan.h"

#include <ctype.h>
#include <string.h>

#include "lib/util/macros.h"

static bool is_character(char c) {
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* Counts from the previous place instead of from the line's start: a line may be as long as the file. */
Place scan_place_at(Scan *t, const char *at) {
    for (; t->counted < at; t->counted++)
        t->column += is_character(*t->counted);
    for (; t->counted > at; t->counted--)
        t->column -= is_character(t->counted[-1]);
    return (Place){ t->line, t->column };
}

void scan_begin_line(Scan *t) {
    t->counted = t->at;
    t->column = 1;
}

Place scan_here(Scan *t) {
    return scan_place_at(t, t->at);
}

bool scan_begins(const Scan *t, const char *with) {
    return (size_t)(t->end - t->at) >= strlen(with) && memcmp(t->at, with, strlen(with)) == 0;
}

size_t scan_span(const Scan *t, const char *chars) {
    size_t n = 0;

    while (t->at + n < t->end && t->at[n] && strchr(chars, t->at[n]))
        n++;
    return n;
}

void scan_put(const Scan *t, const char *text, size_t len) {
    (void)strbuf_add_mem(t->out, text, len);
}

/* ---- blanks and comments ---- */

static void take_newline(Scan *t) {
    t->at++;
    t->line++;
    scan_begin_line(t);
    scan_put(t, "\n", 1);
}

static void take_any(Scan *t) {
    if (*t->at == '\n')
        take_newline(t);
    else
        t->at++;
}

void scan_pass(Scan *t, const char *to) {
    while (t->at < to)
        take_any(t);
}

static void take_comment(Scan *t) {
    Place start = scan_here(t);

    for (t->at += 2; t->at < t->end && !scan_begins(t, "*/");)
        take_any(t);
    if (t->at >= t->end) {
        t->reading->incomplete = true;
        (void)config_mistake(t->reading, start, "this comment has no end; write */ behind it");
    }
    t->at = t->at < t->end ? t->at + 2 : t->end;
}

/* Returns the length of a foreign blank: one that comes from a web page or a word processor. Returns 0 when
 * there is none. */
static size_t foreign_blank(const Scan *t) {
    static const char *const blanks[] = { "\xc2\xa0",     "\xe2\x80\x8b", "\xe2\x80\xaf",
                                          "\xef\xbb\xbf", "\xe2\x80\x89", "\xe3\x80\x80" };

    for (size_t i = 0; i < ARRAY_SIZE(blanks); i++)
        if (scan_begins(t, blanks[i]))
            return strlen(blanks[i]);
    return 0;
}

/* Skips white space and comments. Returns true when text is left. */
bool scan_skip(Scan *t) {
    while (t->at < t->end) {
        size_t foreign = foreign_blank(t);

        if (*t->at == '\n')
            take_newline(t);
        else if (*t->at && strchr(SCAN_BLANKS, *t->at))
            t->at++;
        else if (*t->at == '#' || scan_begins(t, "//"))
            while (t->at < t->end && *t->at != '\n')
                t->at++;
        else if (scan_begins(t, "/*"))
            take_comment(t);
        else if (foreign > 0) {
            if (!t->blank_reported)
                (void)config_mistake(t->reading, scan_here(t),
                                     "a non-breaking space, as in text from web pages; write a plain space");
            t->blank_reported = true;
            t->at += foreign;
        } else
            break;
    }
    scan_put(t, " ", 1);
    return t->at < t->end;
}

/* ---- what was found instead ---- */

#define FOUND_MAX 24

static const char *found_at(char dst[static FOUND_MAX], const Scan *t) {
    static const char *const marks[] = { "=", ":", ";", ",", "(", ")", "[", "]", "{", "}" };

    for (size_t i = 0; t->at < t->end && i < ARRAY_SIZE(marks); i++)
        if (*t->at == marks[i][0])
            return marks[i];
    (void)snprintf(dst, FOUND_MAX, "the character %c", t->at < t->end ? *t->at : ' ');
    return t->at >= t->end                  ? "the end of the file"
           : *t->at == '"'                  ? "a text"
           : isdigit((unsigned char)*t->at) ? "a number"
           : isalpha((unsigned char)*t->at) ? "a word"
           : isprint((unsigned char)*t->at) ? dst
                                            : "something that is no plain text";
}

int scan_is_not(Scan *t, const char *path, const char *expected) {
    char dst[FOUND_MAX];

    return config_mistake(t->reading, scan_here(t), "syntax error: %s%sfound %s where %s is expected", path,
                          path[0] ? ": " : "", found_at(dst, t), expected);
}

/* Returns true at the beginning of a line that sets an option, where reading can resume. */
bool scan_begins_setting(const Scan *t) {
    Scan ahead = *t;

    if (!isalpha((unsigned char)*t->at))
        return false;
    ahead.at += scan_span(&ahead, SCAN_NAME_CHARS);
    ahead.at += scan_span(&ahead, " \t");
    if (ahead.at >= ahead.end || (*ahead.at != '=' && *ahead.at != ':'))
        return false;
    /* an unquoted ARN or URL does not set an option */
    return *ahead.at == '=' || !(isalpha((unsigned char)ahead.at[1]) || strchr(":/*", ahead.at[1]));
}

const char *scan_text_end(const Scan *t) {
    const char *c = t->at + 1;

    if (*t->at != '"' && *t->at != '\'')
        return NULL;
    for (; c < t->end && *c != *t->at && *c != '\n'; c++)
        if (*c == '\\' && *t->at == '"' && c + 1 < t->end && c[1] != '\n')
            c++;
    return c < t->end && *c == *t->at ? c + 1 : NULL;
}

/* Returns the end of a comment that begins here, or NULL. The "//" of an unquoted URL does not begin a
 * comment. */
static const char *end_of_comment(const Scan *t) {
    const char *end;

    if (scan_begins(t, "/*")) {
        end = memmem(t->at + 2, (size_t)(t->end - t->at) - 2, "*/", 2);
        return end ? end + 2 : t->end;
    }
    if (*t->at != '#' && (!scan_begins(t, "//") || t->at[-1] == ':'))
        return NULL;
    end = memchr(t->at, '\n', (size_t)(t->end - t->at));
    return end ? end : t->end;
}

char scan_next(const Scan *t) {
    Scan ahead = *t;

    for (ahead.at++; ahead.at < ahead.end;) {
        const char *end = end_of_comment(&ahead);

        if (!end && !strchr(SCAN_BLANKS, *ahead.at))
            return *ahead.at;
        ahead.at = end ? end : ahead.at + 1;
    }
    return '\0';
}

/* Skips a string or a comment, in which brackets and ";" have no meaning. */
static bool pass_text_or_comment(Scan *t) {
    const char *end = scan_text_end(t);

    end = end ? end : end_of_comment(t);
    if (!end)
        return false;
    scan_pass(t, end);
    return true;
}

/* Skips the rest of a setting that has so many brackets open. Stops after its ";", before the bracket that
 * closes the group, or before the next line that sets an option. */
void scan_recover(Scan *t, unsigned open) {
    bool new_line = false;

    while (t->at < t->end && !(new_line && open == 0 && scan_begins_setting(t))) {
        char c = *t->at;

        if (pass_text_or_comment(t)) {
            new_line = false;
            continue;
        }
        if (c && strchr(")]}", c) && open-- == 0)
            return;
        open += c && strchr("([{", c);
        new_line = c == '\n' || (new_line && (c == ' ' || c == '\t'));
        take_any(t);
        if (c == ';' && open == 0)
            return;
    }
}

/* ---- brackets ---- */

#define AHEAD_MAX (4 * SCAN_DEPTH_MAX)

/* Returns which of the n open brackets, from 1, this closing bracket closes, or 0. Brackets that were opened
 * inside it end with it. A bracket that closes none replaces that of the innermost one above `level`. */
static unsigned close_one(const char *open, unsigned *n, unsigned level, char c) {
    unsigned k = *n;

    while (k > 0 && open[k - 1] != c)
        k--;
    if (k > level)
        *n = k - 1;
    else if (k == 0 && *n > level)
        (*n)--;
    return k;
}

/* True when the innermost of so many open brackets is closed by one of its kind after `at`, before an outer
 * one is closed. */
static bool is_closed(const Scan *t, const char *at, unsigned level) {
    Scan ahead = *t;
    char open[AHEAD_MAX];
    unsigned n = level;

    memcpy(open, t->open, level);
    for (ahead.at = at; ahead.at < ahead.end;) {
        const char *end = scan_text_end(&ahead), *bracket;

        end = end ? end : end_of_comment(&ahead);
        if (end) {
            ahead.at = end;
            continue;
        }
        bracket = *ahead.at ? strchr("([{)]}", *ahead.at) : NULL;
        if (bracket && strlen(bracket) > 3) {
            if (n == AHEAD_MAX)
                return true;
            open[n++] = bracket[3];
        } else if (bracket) {
            unsigned closed = close_one(open, &n, level, *bracket);

            if (closed > 0 && closed <= level)
                return closed == level;
        }
        ahead.at++;
    }
    return false;
}

/* Limits the search: each unclosed bracket is a mistake that has cost a search through the whole file. */
static bool look_for_end(Scan *t, const char *at, unsigned level) {
    bool closed = t->n_open > CONFIG_MISTAKES_MAX || is_closed(t, at, level);

    t->n_open += !closed;
    return closed;
}

bool scan_is_closed(Scan *t) {
    return look_for_end(t, t->at, t->depth);
}

bool scan_closes_instead(Scan *t) {
    return t->depth < 2 || look_for_end(t, t->at + 1, t->depth - 1);
}
