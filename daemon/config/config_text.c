/* SPDX-License-Identifier: Apache-2.0 */
/* The file's text before libconfig has it: where each value stands, every mistake of the text, what libconfig's
 * versions read differently, or read as nobody means it. Sources: libconfig's scanner.l and grammar.y of 1.5, 1.7 and
 * 1.8. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config_private.h"
#include "lib/util/text.h"

#define DEPTH_MAX     16
#define NAMES_MAX     2000 /* before it, that a name is compared with */
#define PATH_LEN      160
#define SHOWN_LEN     64
#define MARK_LEN      3 /* of a quotation mark that is none, in UTF-8 */
#define BLANKS        " \t\r\n\f"
#define NAME_CHARS    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-*"
#define LETTERS       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS        "0123456789"
#define WORD_CHARS    LETTERS DIGITS "_-.:/@*+%$"
#define SECONDS_A_DAY 86400UL

typedef struct Text {
    const char *at, *end;
    unsigned line;
    const char *counted; /* where the last column was counted to, in the line */
    unsigned column;     /* there */
    unsigned depth;
    bool blank_reported; /* one blank that is none is enough */
    StrBuf *out;
    Reading *reading;
} Text;

static bool is_character(char c) {
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* Counts from the place before: a line may be as long as the file. */
static Place place_at(Text *t, const char *at) {
    for (; t->counted < at; t->counted++)
        t->column += is_character(*t->counted);
    for (; t->counted > at; t->counted--)
        t->column -= is_character(t->counted[-1]);
    return (Place){ t->line, t->column };
}

static void begin_line(Text *t) {
    t->counted = t->at;
    t->column = 1;
}

static Place here(Text *t) {
    return place_at(t, t->at);
}

static bool begins(const Text *t, const char *with) {
    return (size_t)(t->end - t->at) >= strlen(with) && memcmp(t->at, with, strlen(with)) == 0;
}

static size_t span(const Text *t, const char *chars) {
    size_t n = 0;

    while (t->at + n < t->end && t->at[n] && strchr(chars, t->at[n]))
        n++;
    return n;
}

static void put(const Text *t, const char *text, size_t len) {
    (void)strbuf_add_mem(t->out, text, len);
}

/* ---- blanks and comments ---- */

static void take_newline(Text *t) {
    t->at++;
    t->line++;
    begin_line(t);
    put(t, "\n", 1);
}

static void take_comment(Text *t) {
    Place start = here(t);

    for (t->at += 2; t->at < t->end && !begins(t, "*/");)
        if (*t->at == '\n')
            take_newline(t);
        else
            t->at++;
    if (t->at >= t->end)
        (void)config_mistake(t->reading, start, "this comment has no end; write */ behind it");
    t->at = t->at < t->end ? t->at + 2 : t->end;
}

/* What looks like a blank, and comes from a web page or a word processor. Its length, 0 when there is none. */
static size_t foreign_blank(const Text *t) {
    static const char *const blanks[] = { "\xc2\xa0",     "\xe2\x80\x8b", "\xe2\x80\xaf",
                                          "\xef\xbb\xbf", "\xe2\x80\x89", "\xe3\x80\x80" };

    for (size_t i = 0; i < ARRAY_SIZE(blanks); i++)
        if (begins(t, blanks[i]))
            return strlen(blanks[i]);
    return 0;
}

/* Moves behind white space and comments. True when there is something left. */
static bool skip(Text *t) {
    while (t->at < t->end) {
        size_t foreign = foreign_blank(t);

        if (*t->at == '\n')
            take_newline(t);
        else if (*t->at && strchr(BLANKS, *t->at))
            t->at++;
        else if (*t->at == '#' || begins(t, "//"))
            while (t->at < t->end && *t->at != '\n')
                t->at++;
        else if (begins(t, "/*"))
            take_comment(t);
        else if (foreign > 0) {
            if (!t->blank_reported)
                (void)config_mistake(t->reading, here(t),
                                     "a non-breaking space, as in text from web pages; write a plain space");
            t->blank_reported = true;
            t->at += foreign;
        } else
            break;
    }
    put(t, " ", 1);
    return t->at < t->end;
}

/* ---- what was found instead ---- */

static const char *found_at(const Text *t) {
    static const char *const marks[] = { "=", ":", ";", ",", "(", ")", "[", "]", "{", "}" };

    for (size_t i = 0; t->at < t->end && i < ARRAY_SIZE(marks); i++)
        if (*t->at == marks[i][0])
            return marks[i];
    return t->at >= t->end                        ? "the end of the file"
           : *t->at == '"'                        ? "a text"
           : isdigit((unsigned char)*t->at)       ? "a number"
           : isalpha((unsigned char)*t->at)       ? "a word"
           : isprint((unsigned char)*t->at)       ? "a character that has no meaning here"
                                                  : "something that is no plain text";
}

static int is_not(Text *t, const char *path, const char *expected) {
    return config_mistake(t->reading, here(t), "syntax error: %s%sfound %s where %s is expected", path,
                          path[0] ? ": " : "", found_at(t), expected);
}

/* A line that sets an option: where reading can go on. */
static bool begins_setting(const Text *t) {
    Text ahead = *t;

    if (!isalpha((unsigned char)*t->at))
        return false;
    ahead.at += span(&ahead, NAME_CHARS);
    ahead.at += span(&ahead, " \t");
    return ahead.at < ahead.end && (*ahead.at == '=' || *ahead.at == ':');
}

/* The end of a text that begins here and ends in this line; NULL: there is none. */
static const char *end_of_text(const Text *t) {
    const char *c = t->at + 1;

    if (*t->at != '"' && *t->at != '\'')
        return NULL;
    for (; c < t->end && *c != *t->at && *c != '\n'; c++)
        if (*c == '\\' && *t->at == '"' && c + 1 < t->end && c[1] != '\n')
            c++;
    return c < t->end && *c == *t->at ? c + 1 : NULL;
}

/* The end of a comment that begins here, NULL when none does. A URL without quotation marks has none. */
static const char *end_of_comment(const Text *t) {
    const char *end;

    if (begins(t, "/*")) {
        end = memmem(t->at + 2, (size_t)(t->end - t->at) - 2, "*/", 2);
        return end ? end + 2 : t->end;
    }
    if (*t->at != '#' && (!begins(t, "//") || t->at[-1] == ':'))
        return NULL;
    end = memchr(t->at, '\n', (size_t)(t->end - t->at));
    return end ? end : t->end;
}

/* Past a text or a comment, in which brackets and ";" mean nothing. */
static bool pass_text_or_comment(Text *t) {
    const char *end = end_of_text(t);

    end = end ? end : end_of_comment(t);
    if (!end)
        return false;
    while (t->at < end)
        if (*t->at == '\n')
            take_newline(t);
        else
            t->at++;
    return true;
}

/* Past the rest of a setting, in which that many brackets are open: behind its ";", before the bracket that closes the
 * group, or before the next line that sets an option. */
static void recover(Text *t, unsigned open) {
    bool new_line = false;

    while (t->at < t->end && !(new_line && open == 0 && begins_setting(t))) {
        char c = *t->at;

        if (pass_text_or_comment(t)) {
            new_line = false;
            continue;
        }
        if (c && strchr(")]}", c) && open-- == 0)
            return;
        open += c && strchr("([{", c);
        new_line = c == '\n' || (new_line && (c == ' ' || c == '\t'));
        if (c == '\n')
            take_newline(t);
        else
            t->at++;
        if (c == ';' && open == 0)
            return;
    }
}

/* ---- values ---- */

static int take_value(Text *t, const char *path, size_t i);

/* What a mistake may show of a value: one that may hold a password is not shown. */
static const char *shown(char dst[static SHOWN_LEN], const char *path, const char *text, size_t len) {
    const Option *option = config_option_named(path);
    char part[SHOWN_LEN];

    if (!option || option->secret)
        return "...";
    (void)snprintf(part, sizeof(part), "%.*s", (int)MIN(len, sizeof(part) - 1), text);
    return text_escaped(dst, SHOWN_LEN, part);
}

static void put_quoted(const Text *t, const char *text, size_t len) {
    put(t, "\"", 1);
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"' || text[i] == '\\')
            put(t, "\\", 1);
        put(t, text + i, 1);
    }
    put(t, "\"", 1);
}

/* What stands between quotation marks. */
static int take_string(Text *t, const char *path) {
    const char *start = t->at++;
    Place place = place_at(t, start);

    for (; t->at < t->end && *t->at != '"' && *t->at != '\n'; t->at++)
        if (*t->at == '\\' && t->at + 1 < t->end && t->at[1] != '\n')
            t->at++;
    if (t->at >= t->end || *t->at != '"')
        return config_mistake(t->reading, place,
                              "syntax error: %s: this text has no closing quotation mark in its line; write "
                              "\"...\", and \\n for a line break in it",
                              path);
    t->at++;
    put(t, start, (size_t)(t->at - start));
    return 0;
}

/* A text, also of several parts: libconfig joins them. */
static int take_strings(Text *t, const char *path, bool in_sequence) {
    const char *before = t->at;
    char one[SHOWN_LEN], other[SHOWN_LEN];
    int e = take_string(t, path);
    size_t before_len = (size_t)(t->at - before);

    while (e >= 0 && skip(t) && *t->at == '"') {
        const char *start = t->at;
        Place place = here(t);

        e = take_string(t, path);
        if (e >= 0 && in_sequence)
            (void)config_mistake(t->reading, place,
                                 "%s: \"%s\" \"%s\" is one text for libconfig, and could be meant as two; "
                                 "write a comma between them, or one text",
                                 path, shown(one, path, before + 1, before_len - 2),
                                 shown(other, path, start + 1, (size_t)(t->at - start) - 2));
        before = start;
        before_len = (size_t)(t->at - start);
    }
    return e;
}

/* The length of a quotation mark that libconfig does not know; 0. */
static size_t foreign_quote(const Text *t) {
    static const char *const quotes[] = { "\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x9e", "\xe2\x80\x9f",
                                          "\xe2\x80\x98", "\xe2\x80\x99", "\xe2\x80\x9a", "\xe2\x80\xb3",
                                          "\xc2\xab",     "\xc2\xbb",     "'",            "`" };

    for (size_t i = 0; t->at < t->end && i < ARRAY_SIZE(quotes); i++)
        if (begins(t, quotes[i]))
            return strlen(quotes[i]);
    return 0;
}

/* A text between marks that a word processor, or another language, has. */
static void take_foreign_string(Text *t, const char *path) {
    const char *mark = t->at, *start = mark + foreign_quote(t);
    Place place = here(t);
    char dst[SHOWN_LEN];
    size_t len;

    for (t->at = start; t->at < t->end && !strchr("\"\n", *t->at) && foreign_quote(t) == 0;)
        t->at++;
    len = (size_t)(t->at - start);
    (void)config_mistake(t->reading, place, "%s: %.*s is no quotation mark here; write \"%s\", with straight ones",
                         path, (int)(start - mark), mark, shown(dst, path, start, len));
    put_quoted(t, start, len);
    t->at += t->at < t->end && *t->at == '"' ? 1 : foreign_quote(t);
}

static bool is_bool(const char *path) {
    const Option *option = config_option_named(path);

    return option && (option->kind == OPTION_BOOL || option->kind == OPTION_SWITCH || option->kind == OPTION_PIN_BOOL);
}

/* What other languages call it: 1, 0, or -1 for none of these. */
static int truth_of(const char *word, size_t len) {
    static const char *const words[] = { "no", "yes", "off", "on", "disabled", "enabled", "n", "y" };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strlen(words[i]) == len && strncasecmp(words[i], word, len) == 0)
            return i % 2;
    return -1;
}

/* true, false, or a text that lacks its quotation marks. */
static void take_word(Text *t, const char *path, Position *position) {
    const char *start = t->at;
    size_t len = span(t, WORD_CHARS);
    int truth = is_bool(path) ? truth_of(start, len) : -1;
    Place place = here(t);
    char dst[SHOWN_LEN];

    t->at += len;
    if ((len == 4 && strncasecmp(start, "true", 4) == 0) || (len == 5 && strncasecmp(start, "false", 5) == 0)) {
        put(t, start, len);
        return;
    }
    if (is_bool(path)) {
        (void)config_mistake(t->reading, place, "%s: %s cannot be used; %sallowed: true, false", path,
                             shown(dst, path, start, len),
                             truth < 0 ? ""
                             : truth   ? "write true; "
                                       : "write false; ");
        position->bad = true;
        put(t, "true", 4);
        return;
    }
    (void)config_mistake(t->reading, place, "%s: a text needs quotation marks; write \"%s\"", path,
                         shown(dst, path, start, len));
    put_quoted(t, start, len);
}

/* ---- numbers ---- */

/* How many seconds one of that unit is; 0: no unit of time. */
static unsigned long unit_seconds(const char *unit, size_t len) {
    static const struct {
        const char *name;
        unsigned long seconds;
    } units[] = { { "s", 1 },       { "sec", 1 },    { "secs", 1 },         { "second", 1 },
                  { "seconds", 1 }, { "m", 60 },     { "min", 60 },         { "mins", 60 },
                  { "minute", 60 }, { "h", 3600 },   { "minutes", 60 },     { "hour", 3600 },
                  { "hours", 3600 }, { "hr", 3600 }, { "d", SECONDS_A_DAY }, { "day", SECONDS_A_DAY },
                  { "days", SECONDS_A_DAY } };

    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        if (strlen(units[i].name) == len && strncasecmp(units[i].name, unit, len) == 0)
            return units[i].seconds;
    return 0;
}

/* A number with a unit, such as 10s, or 10 s: what to write instead. The unit is at `unit`, and at is behind it. */
static void refuse_unit(Text *t, const char *path, const char *start, size_t digits, const char *unit, size_t len) {
    const Option *option = config_option_named(path);
    unsigned long seconds = unit_seconds(unit, len), number = strtoul(start, NULL, 10);
    bool in_seconds = option && option->unit && option->unit[0];
    char write[32];

    (void)snprintf(write, sizeof(write), "%.*s", (int)MIN(digits, sizeof(write) - 1), start);
    if (in_seconds && seconds > 0 && number < UINT32_MAX)
        (void)snprintf(write, sizeof(write), "%lu", number * seconds);
    put(t, write, strlen(write));
    (void)config_mistake(t->reading, place_at(t, start), "%s: %.*s: a number has no unit; write %s%s", path,
                          (int)MIN((size_t)(unit + len - start), (size_t)SHOWN_LEN), start, write,
                          in_seconds ? ": it is in seconds" : "");
}

/* What stands behind a number in its line, and is not the next option's name. */
static size_t unit_behind(const Text *t) {
    Text ahead = *t;
    size_t blank = span(t, " \t"), len;

    ahead.at += blank;
    len = span(&ahead, LETTERS);
    ahead.at += len;
    ahead.at += span(&ahead, " \t");
    return len > 0 && (ahead.at >= ahead.end || strchr(";,)]}\n\r#", *ahead.at)) ? blank + len : 0;
}

/* What digits mean by which version: 010 is 10 with libconfig 1.5 and 1.8 and 8 with 1.7, 08 an error with
 * some; 0b1 and 0o7 came late; 1.5 wraps what is over 32 bits without a word. */
static int check_integer(Text *t, const char *path, const char *start, size_t len) {
    const char *digits = start + (*start == '-' || *start == '+');
    Place place = place_at(t, start);
    unsigned long long value;

    while (*digits == '0' && isdigit((unsigned char)digits[1]))
        digits++;
    if (digits > start + (*start == '-' || *start == '+'))
        return config_mistake(t->reading, place,
                              "%s: %.*s: a number with a leading zero is decimal, octal or an error, by the version "
                              "of libconfig; write %.*s if it is decimal",
                              path, (int)MIN(len, (size_t)SHOWN_LEN), start,
                              (int)MIN(len - (size_t)(digits - start), (size_t)SHOWN_LEN), digits);
    errno = 0;
    value = strtoull(digits, NULL, 0);
    if (errno != 0 || value > INT32_MAX)
        return config_mistake(t->reading, place, "%s: too large; allowed: a whole number up to %d", path, INT32_MAX);
    return 0;
}

/* Digits with at most libconfig's own suffix, or hexadecimal ones. */
static bool is_integer(const char *text, size_t len) {
    size_t sign = *text == '-' || *text == '+', n;

    if (len > sign + 2 && text[sign] == '0' && tolower((unsigned char)text[sign + 1]) == 'x')
        n = sign + 2 + strspn(text + sign + 2, DIGITS "abcdefABCDEF");
    else
        n = sign + strspn(text + sign, DIGITS);
    while (n < len && text[n] == 'L')
        n++;
    return n == len && len > sign;
}

static bool is_fraction(const char *text, size_t len) {
    char *end;

    (void)strtod(text, &end);
    return end == text + len && !memchr(text, 'x', len) && !memchr(text, 'X', len);
}

static size_t number_span(const Text *t) {
    size_t n = 0;

    while (t->at + n < t->end && t->at[n] && strchr(WORD_CHARS, t->at[n]) &&
           !(t->at[n] == '/' && t->at + n + 1 < t->end && strchr("/*", t->at[n + 1])))
        n++;
    return n;
}

/* Digits, and what libconfig reads besides them. */
static void take_plain_number(Text *t, const char *path, const char *start, size_t len, Position *position) {
    size_t behind = unit_behind(t), blank = span(t, " \t");
    const char *unit = t->at + blank;

    if (behind > 0) {
        t->at += behind;
        refuse_unit(t, path, start, len, unit, behind - blank);
        return;
    }
    position->bad = is_integer(start, len) && check_integer(t, path, start, len) < 0;
    put(t, position->bad ? "0" : start, position->bad ? 1 : len);
}

static void take_number(Text *t, const char *path, Position *position) {
    const char *start = t->at;
    size_t len = number_span(t), sign = *start == '-' || *start == '+',
           digits = sign + strspn(start + sign, DIGITS);
    char base = start[sign] == '0' ? (char)tolower((unsigned char)start[sign + 1]) : '\0', dst[SHOWN_LEN];

    t->at += len;
    if (is_integer(start, len) || is_fraction(start, len))
        take_plain_number(t, path, start, len, position);
    else if (base && strchr("boq", base)) {
        (void)config_mistake(t->reading, place_at(t, start),
                             "%s: %.*s: only newer versions of libconfig read this; write it in decimal", path,
                             (int)MIN(len, (size_t)SHOWN_LEN), start);
        position->bad = true;
        put(t, "0", 1);
    } else if (digits > sign && digits + strspn(start + digits, LETTERS) == len)
        refuse_unit(t, path, start, digits, start + digits, len - digits);
    else {
        (void)config_mistake(t->reading, place_at(t, start),
                             "%s: a text needs quotation marks; write \"%s\"", path,
                             shown(dst, path, start, len));
        put_quoted(t, start, len);
    }
}

/* ---- groups, arrays and lists ---- */

/* The index of a new position, which is where the text stands; -ENOMEM. */
static ssize_t add_position(Text *t, const char *name, size_t name_len, size_t group) {
    Reading *r = t->reading;
    Position *positions;

    if (r->n_positions == r->positions_allocated) {
        r->positions_allocated = r->positions_allocated * 2 + 64;
        positions = reallocarray(r->positions, r->positions_allocated, sizeof(*positions));
        if (!positions)
            return r->error = -ENOMEM;
        r->positions = positions;
    }
    r->positions[r->n_positions] = (Position){
        .at = here(t), .value = here(t), .name = name, .name_len = name_len, .group = group
    };
    return (ssize_t)r->n_positions++;
}

static bool at_closing(const Text *t) {
    return *t->at == ')' || *t->at == ']' || *t->at == '}';
}

/* A closing bracket is missing; what is in the brackets is read. */
static void is_open(const Text *t, const char *path, Place start, char bracket) {
    (void)config_mistake(t->reading, start, "syntax error: %s: this %c is not closed before the %s", path, bracket,
                         t->at < t->end ? "next option" : "end of the file");
}

/* A group in an array, and entries of several kinds: libconfig wants a list for both. */
static void make_list(Text *t, size_t opened, size_t entry, char *closing, const char *path, Place place) {
    const char *out = strbuf_str(t->out);
    bool group;

    if (strbuf_error(t->out) < 0 || *closing == ')')
        return;
    group = strchr("{[(", out[entry]);
    if (!group && (out[entry] == '"') == (out[opened + 1 + strspn(out + opened + 1, BLANKS)] == '"'))
        return;
    if (group)
        (void)config_mistake(t->reading, place, "%s: groups stand in ( ), not in [ ]", path);
    t->out->data[opened] = '(';
    *closing = ')';
}

/* The comma behind an entry. 0: none has to follow. */
static int take_comma(Text *t, const char *path) {
    Place place = here(t);

    if (at_closing(t) || begins_setting(t))
        return 0;
    if (*t->at == '"' || *t->at == '{' || isalnum((unsigned char)*t->at) || foreign_quote(t) > 0)
        return config_mistake(t->reading, place, "syntax error: %s: a comma is missing before this", path) < 0;
    if (*t->at != ',')
        return is_not(t, path, "a comma or the closing bracket");
    t->at++;
    if (skip(t) && at_closing(t))
        (void)config_mistake(t->reading, place,
                             "%s: only newer versions of libconfig read a comma before %c; take it out", path, *t->at);
    return 1;
}

static int take_sequence(Text *t, const char *path) {
    char bracket = *t->at, closing = bracket == '[' ? ']' : ')';
    size_t opened = t->out->len;
    Place start = here(t);
    bool first = true;

    put(t, t->at++, 1);
    for (; skip(t) && !at_closing(t) && !begins_setting(t); first = false) {
        ssize_t i = add_position(t, NULL, 0, 0);
        Place place = here(t);
        size_t entry;
        int e;

        put(t, ",", !first);
        entry = t->out->len;
        e = i < 0 ? (int)i : take_value(t, path, (size_t)i);
        if (e >= 0 && skip(t))
            e = take_comma(t, path);
        if (e < 0)
            return e;
        make_list(t, opened, entry, &closing, path, place);
    }
    put(t, &closing, 1);
    if (t->at >= t->end || !at_closing(t))
        is_open(t, path, start, bracket);
    else {
        if (*t->at != (bracket == '[' ? ']' : ')'))
            (void)is_not(t, path, bracket == '[' ? "]" : ")");
        t->at++;
    }
    return 0;
}

static void take_settings(Text *t, const char *prefix);

static int take_group(Text *t, const char *path) {
    Place start = here(t);

    put(t, t->at++, 1);
    take_settings(t, path);
    put(t, "}", 1);
    if (t->at >= t->end)
        is_open(t, path, start, '{');
    else
        t->at++;
    return 0;
}

static int take_value(Text *t, const char *path, size_t i) {
    Position *position = &t->reading->positions[i];
    unsigned char c = (unsigned char)*t->at;
    int e;

    position->value = here(t);
    if (c == '"')
        return take_strings(t, path, !position->name);
    if (foreign_quote(t) > 0)
        take_foreign_string(t, path);
    else if (isdigit(c) || (c && strchr("+-.", c) && (isdigit((unsigned char)t->at[1]) || t->at[1] == '.')))
        take_number(t, path, position);
    else if (isalpha(c))
        take_word(t, path, position);
    else if (!c || !strchr("[({", c))
        return is_not(t, path, "a value");
    else if (t->depth == DEPTH_MAX)
        return config_mistake(t->reading, here(t), "%s: too many brackets in one another", path);
    else {
        t->depth++;
        e = c == '{' ? take_group(t, path) : take_sequence(t, path);
        t->depth -= e >= 0; /* else leave_out() has to know what is open */
        return e;
    }
    return 0;
}

static const Position *find_before(const Reading *r, size_t i) {
    const Position *position = &r->positions[i];

    for (size_t k = i; k > 0 && i - k < NAMES_MAX;) {
        const Position *other = &r->positions[--k];

        if (other->name && other->group == position->group && other->name_len == position->name_len &&
            memcmp(other->name, position->name, position->name_len) == 0)
            return other;
    }
    return NULL;
}

/* NAME = VALUE; group: a number that only this group has. */
static int take_setting(Text *t, const char *prefix, size_t group) {
    const char *name = t->at;
    size_t len = span(t, NAME_CHARS);
    ssize_t i = add_position(t, name, len, group);
    const Position *before = i < 0 ? NULL : find_before(t->reading, (size_t)i);
    char path[PATH_LEN];

    (void)snprintf(path, sizeof(path), "%s%s%.*s", prefix, prefix[0] ? "." : "", (int)MIN(len, (size_t)80), name);
    if (!prefix[0])
        (void)text_copy(t->reading->topic, sizeof(t->reading->topic), path);
    if (i < 0)
        return (int)i;
    if (before)
        return config_mistake(t->reading, here(t), "%s: given twice, first in line %u; take one out", path,
                              before->at.line);
    put(t, name, len);
    t->at += len;
    if (!skip(t) || (*t->at != '=' && *t->at != ':')) /* an unknown word may be a part of a password */
        return is_not(t, config_option_named(path) ? path : "", "=");
    t->at++;
    put(t, "=", 1);
    if (!skip(t))
        return is_not(t, path, "a value");
    return take_value(t, path, (size_t)i);
}

/* What has a mistake that leaves no value is not there for libconfig; its lines are. */
static void leave_out(Text *t, unsigned depth, size_t out_len, size_t n_positions, unsigned line) {
    recover(t, t->depth - depth);
    t->depth = depth;
    if (strbuf_error(t->out) >= 0)
        strbuf_truncate(t->out, out_len);
    for (; line < t->line; line++)
        put(t, "\n", 1);
    t->reading->n_positions = n_positions;
}

/* What is no setting. */
static void take_stray(Text *t) {
    if (*t->at == '@') {
        (void)config_mistake(t->reading, here(t), "@include: not supported; put all options into this file");
        t->at += strcspn(t->at, "\n");
    } else if (*t->at == ';' || *t->at == ',' || at_closing(t)) {
        (void)config_mistake(t->reading, here(t),
                             at_closing(t) ? "syntax error: this %c closes nothing; take it out"
                                           : "syntax error: this %c ends nothing; take it out",
                             *t->at);
        t->at++;
    } else {
        (void)is_not(t, "", "the name of an option");
        leave_out(t, t->depth, t->out->len, t->reading->n_positions, t->line);
    }
}

/* Up to the end of the text or, in a group, to its closing bracket. */
static void take_settings(Text *t, const char *prefix) {
    size_t group = t->reading->n_positions;

    while (t->reading->error >= 0 && skip(t) && !(prefix[0] && *t->at == '}')) {
        size_t out_len = t->out->len, n_positions = t->reading->n_positions;
        unsigned line = t->line, depth = t->depth;

        if (!prefix[0])
            t->reading->topic[0] = '\0';
        if (!isalpha((unsigned char)*t->at)) {
            take_stray(t);
            continue;
        }
        if (take_setting(t, prefix, group) < 0)
            leave_out(t, depth, out_len, n_positions, line);
        else if (skip(t) && (*t->at == ';' || *t->at == ',')) {
            t->at++;
            put(t, ";", 1);
        }
    }
}

int config_check_text(Reading *r, const char *text, size_t len, StrBuf *out) {
    Text t = { .at = text, .end = text + len, .line = 1, .counted = text, .column = 1, .out = out, .reading = r };

    if (memchr(text, '\0', len))
        return config_mistake(r, (Place){ 0, 0 }, "a NUL byte: this is no text; save it as UTF-8");
    if (begins(&t, "\xef\xbb\xbf")) {
        (void)config_mistake(r, (Place){ 1, 1 },
                             "the file begins with a byte order mark (BOM); save it as UTF-8 without one");
        t.at += strlen("\xef\xbb\xbf");
        begin_line(&t);
    }
    take_settings(&t, "");
    r->topic[0] = '\0';
    return r->error < 0 ? r->error : strbuf_error(out);
}
