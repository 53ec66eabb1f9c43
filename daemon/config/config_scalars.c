/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config/config_scalars.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"

#define SHOWN_LEN     64
#define LETTERS       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS        "0123456789"
#define WORD_CHARS    LETTERS DIGITS "_-.:/@*+%$"
#define URL_CHARS     WORD_CHARS "?=&#~"
#define SECONDS_A_DAY 86400UL

/* Returns the part of a value that an error message may show. A value that may hold a password is not
 * shown. */
static const char *shown(char dst[static SHOWN_LEN], const char *path, const char *text, size_t len) {
    const Option *option = config_option_named(path);
    char part[SHOWN_LEN];

    if (!option || option->secret)
        return "...";
    (void)snprintf(part, sizeof(part), "%.*s", (int)MIN(len, sizeof(part) - 1), text);
    return text_escaped(dst, SHOWN_LEN, part);
}

static void put_quoted(const Scan *t, const char *text, size_t len) {
    scan_put(t, "\"", 1);
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"' || text[i] == '\\')
            scan_put(t, "\\", 1);
        scan_put(t, text + i, 1);
    }
    scan_put(t, "\"", 1);
}

/* ---- strings ---- */

/* Returns the closing quotation mark of the string that begins at start, or the end of its line. */
static const char *end_of_string(const Scan *t, const char *start) {
    const char *c = start + 1;

    for (; c < t->end && *c != '"' && *c != '\n'; c++)
        if (*c == '\\' && c + 1 < t->end && c[1] != '\n')
            c++;
    return c;
}

/* Guesses the end of a string without a closing mark: before the end of the entry or setting, or before a
 * comment. */
static const char *likely_end(const char *start, const char *limit) {
    const char *end = start;

    while (end < limit && !strchr(";,", *end) &&
           !(end > start && strchr(" \t", end[-1]) && (*end == '#' || (*end == '/' && end[1] == '/'))))
        end++;
    while (end > start && strchr(" \t\r)]}", end[-1]))
        end--;
    return end;
}

/* Finds the closing mark of a string that continues on the next lines, or returns NULL. */
static const char *end_in_next_lines(const Scan *t, const char *c) {
    while (c < t->end && *c != '"' && *c != '=')
        c++;
    if (c >= t->end || *c != '"')
        return NULL;
    return strchr(";,)]}\r\n", c[1 + strspn(c + 1, " \t")]) ? c : NULL;
}

/* True when the mark that ends this string actually opens the next one: [ "a, "b" ]. */
static bool opens_another(const Scan *t, const char *start, const char *end) {
    return end + 1 < t->end && isalnum((unsigned char)end[1]) && end > start &&
           strcspn(start + 1, ",;=") < (size_t)(end - start - 1);
}

/* Reads a quoted string. When a mark is missing, guesses what was meant. */
static void take_string(Scan *t, const char *path, Position *position) {
    const char *start = t->at, *end = end_of_string(t, start), *likely, *next = NULL;
    Place place = scan_here(t);
    char dst[SHOWN_LEN];

    if (end < t->end && *end == '"' && !opens_another(t, start, end)) {
        t->at = end + 1;
        scan_put(t, start, (size_t)(t->at - start));
        return;
    }
    likely = likely_end(start + 1, end);
    if (likely == end || (likely + 1 == end && end[-1] == '\r'))
        next = end_in_next_lines(t, end);
    if (next)
        (void)config_mistake(t->reading, place,
                             "%s: a string must end on its line; write \\n for a line break in it", path);
    else
        (void)config_mistake(t->reading, place,
                             "syntax error: %s: this string has no closing quotation mark; write \"%s\"",
                             path, shown(dst, path, start + 1, (size_t)(likely - start - 1)));
    position->bad = true;
    put_quoted(t, start + 1, (size_t)(likely - start - 1));
    scan_pass(t, next ? next + 1 : likely);
}

/* Reads a string, which may have several parts: libconfig joins them. In an array or list they may be meant
 * as two. */
void scan_strings(Scan *t, const char *path, Position *position) {
    take_string(t, path, position);
    while (position->name && !position->bad && scan_skip(t) && *t->at == '"')
        take_string(t, path, position);
}

/* Returns the length of a typographic quotation mark, which libconfig does not accept, or 0. */
size_t scan_foreign_quote(const Scan *t) {
    static const char *const quotes[] = { "\xe2\x80\x9c",
                                          "\xe2\x80\x9d",
                                          "\xe2\x80\x9e",
                                          "\xe2\x80\x9f",
                                          "\xe2\x80\x98",
                                          "\xe2\x80\x99",
                                          "\xe2\x80\x9a",
                                          "\xe2\x80\xb3",
                                          "\xc2\xab",
                                          "\xc2\xbb",
                                          "'",
                                          "`" };

    for (size_t i = 0; t->at < t->end && i < ARRAY_SIZE(quotes); i++)
        if (scan_begins(t, quotes[i]))
            return strlen(quotes[i]);
    return 0;
}

/* Reports a string between typographic quotation marks. */
void scan_foreign_string(Scan *t, const char *path) {
    const char *mark = t->at, *start = mark + scan_foreign_quote(t);
    Place place = scan_here(t);
    char dst[SHOWN_LEN];
    size_t len;

    for (t->at = start; t->at < t->end && !strchr("\"\n", *t->at) && scan_foreign_quote(t) == 0;)
        t->at++;
    len = (size_t)(t->at - start);
    (void)config_mistake(t->reading, place,
                         "%s: %.*s is no quotation mark here; write \"%s\", with straight ones", path,
                         (int)(start - mark), mark, shown(dst, path, start, len));
    put_quoted(t, start, len);
    t->at += t->at < t->end && *t->at == '"' ? 1 : scan_foreign_quote(t);
}

static bool is_bool(const char *path) {
    const Option *option = config_option_named(path);

    return option &&
           (option->kind == OPTION_BOOL || option->kind == OPTION_SWITCH || option->kind == OPTION_PIN_BOOL);
}

/* Returns the truth value of a word from another language: 1, 0, or -1 when it is none. */
static int truth_of(const char *word, size_t len) {
    static const char *const words[] = { "no", "yes", "off", "on", "disabled", "enabled", "n", "y" };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strlen(words[i]) == len && strncasecmp(words[i], word, len) == 0)
            return i % 2;
    return -1;
}

/* True when the word lacks only its quotation marks. Otherwise its value is refused, with what is
 * allowed. */
static bool takes_text(const char *path, const Position *position, const char *word, size_t len) {
    const Option *option = config_option_named(path);

    switch (option ? option->kind : OPTION_TEXT) {
    case OPTION_NUMBER:
    case OPTION_GROUP:
    case OPTION_GROUPS: return false;
    case OPTION_LIST: return !position->name || (len == 3 && memcmp(word, "all", 3) == 0);
    case OPTION_WORDS: return !position->name;
    default: return true;
    }
}

/* Reads true, false, or a string without quotation marks. */
void scan_word(Scan *t, const char *path, Position *position) {
    const char *start = t->at;
    size_t len = scan_span(t, memmem(start, scan_span(t, WORD_CHARS), "://", 3) ? URL_CHARS : WORD_CHARS);
    int truth = is_bool(path) ? truth_of(start, len) : -1;
    Place place = scan_here(t);
    char dst[SHOWN_LEN];

    t->at += len;
    if ((len == 4 && strncasecmp(start, "true", 4) == 0) ||
        (len == 5 && strncasecmp(start, "false", 5) == 0)) {
        scan_put(t, start, len);
        return;
    }
    if (is_bool(path)) {
        (void)config_mistake(t->reading, place, "%s: %s cannot be used; %sallowed: true, false", path,
                             shown(dst, path, start, len),
                             truth < 0 ? ""
                             : truth   ? "write true; "
                                       : "write false; ");
        position->bad = true;
        scan_put(t, "true", 4);
        return;
    }
    if (takes_text(path, position, start, len))
        (void)config_mistake(t->reading, place, "%s: a string needs quotation marks; write \"%s\"", path,
                             shown(dst, path, start, len));
    put_quoted(t, start, len);
    t->at += t->at < t->end && *t->at == '"'; /* only the opening mark is missing */
}

/* ---- numbers ---- */

/* Returns the seconds in a unit of time, or 0 when it is not one. */
static unsigned long unit_seconds(const char *unit, size_t len) {
    static const struct {
        const char *name;
        unsigned long seconds;
    } units[] = { { "s", 1 },
                  { "sec", 1 },
                  { "secs", 1 },
                  { "second", 1 },
                  { "seconds", 1 },
                  { "m", 60 },
                  { "min", 60 },
                  { "mins", 60 },
                  { "minute", 60 },
                  { "h", 3600 },
                  { "minutes", 60 },
                  { "hour", 3600 },
                  { "hours", 3600 },
                  { "hr", 3600 },
                  { "d", SECONDS_A_DAY },
                  { "day", SECONDS_A_DAY },
                  { "days", SECONDS_A_DAY } };

    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        if (strlen(units[i].name) == len && strncasecmp(units[i].name, unit, len) == 0)
            return units[i].seconds;
    return 0;
}

/* Reports a number with a unit, such as 10s or 10 s, and says what to write instead. The unit begins at
 * `unit`; the scanner is already past it. */
static void refuse_unit(Scan *t, const char *path, const char *start, size_t digits, const char *unit,
                        size_t len) {
    const Option *option = config_option_named(path);
    unsigned long seconds = unit_seconds(unit, len), number = strtoul(start, NULL, 10);
    bool in_seconds = option && option->unit && option->unit[0];
    char write[32];

    (void)snprintf(write, sizeof(write), "%.*s", (int)MIN(digits, sizeof(write) - 1), start);
    if (in_seconds && seconds > 0 && number < UINT32_MAX)
        (void)snprintf(write, sizeof(write), "%lu", number * seconds);
    scan_put(t, write, strlen(write));
    (void)config_mistake(t->reading, scan_place_at(t, start), "%s: %.*s: a number has no unit; write %s%s",
                         path, (int)MIN((size_t)(unit + len - start), (size_t)SHOWN_LEN), start, write,
                         in_seconds ? ": it is in seconds" : "");
}

/* Returns the length of a unit after a number on the same line. The name of the next option is not a
 * unit. */
static size_t unit_behind(const Scan *t) {
    Scan ahead = *t;
    size_t blank = scan_span(t, " \t"), len;

    ahead.at += blank;
    len = scan_span(&ahead, LETTERS);
    ahead.at += len;
    ahead.at += scan_span(&ahead, " \t");
    return len > 0 && (ahead.at >= ahead.end || strchr(";,)]}\n\r#", *ahead.at)) ? blank + len : 0;
}

/* True for account ids and the like, which are strings: a leading zero is part of them. */
static bool wants_text(const char *path) {
    const Option *option = config_option_named(path);

    return option && !option->secret && (option->kind == OPTION_TEXT || option->kind == OPTION_LIST);
}

/* Reports a number that does not fit into 32 bits. */
static int refuse_large(Scan *t, const char *path, const char *start, size_t len) {
    const Option *option = config_option_named(path);
    char dst[SHOWN_LEN], bounds[CONFIG_NUMBER_MAX] = "a whole number up to 2147483647";

    if (option && option->kind == OPTION_NUMBER)
        (void)config_number_allowed(bounds, option);
    else if (option && option->kind == OPTION_TEXT)
        (void)text_copy(bounds, sizeof(bounds), "a text in quotation marks");
    return config_mistake(t->reading, scan_place_at(t, start), "%s: %s cannot be used; allowed: %s", path,
                          shown(dst, path, start, len), bounds);
}

/* Rejects integers whose meaning depends on libconfig's version. 010 is 10 in 1.5 and 1.8 but 8 in 1.7, and
 * 08 is an error in some. 0b1 and 0o7 are recent. 1.5 silently wraps numbers over 32 bits. */
static int check_integer(Scan *t, const char *path, const char *start, size_t len) {
    const char *digits = start + (*start == '-' || *start == '+');
    Place place = scan_place_at(t, start);
    unsigned long long value;
    bool zeros;

    while (*digits == '0' && isdigit((unsigned char)digits[1]))
        digits++;
    errno = 0;
    value = strtoull(digits, NULL, 0);
    zeros = digits > start + (*start == '-' || *start == '+');
    if ((zeros || errno != 0 || value > INT32_MAX) && wants_text(path))
        return config_mistake(t->reading, place, "%s: a string needs quotation marks; write \"%.*s\"", path,
                              (int)MIN(len, (size_t)SHOWN_LEN), start);
    if (zeros)
        return config_mistake(
                t->reading, place,
                "%s: %.*s: a number with a leading zero is decimal, octal or an error, by the version "
                "of libconfig; write %.*s if it is decimal",
                path, (int)MIN(len, (size_t)SHOWN_LEN), start,
                (int)MIN(len - (size_t)(digits - start), (size_t)SHOWN_LEN), digits);
    return errno != 0 || value > INT32_MAX ? refuse_large(t, path, start, len) : 0;
}

/* Accepts decimal digits with libconfig's own suffix at most, or hexadecimal digits. */
static bool is_integer(const char *text, size_t len) {
    size_t sign = *text == '-' || *text == '+', n;

    if (len > sign + 2 && text[sign] == '0' && tolower((unsigned char)text[sign + 1]) == 'x')
        n = sign + 2 + strspn(text + sign + 2, DIGITS "abcdefABCDEF");
    else
        n = sign + strspn(text + sign, DIGITS);
    n += strspn(text + n, "L");
    return n == len && len > sign && (len < 3 || text[len - 3] != 'L'); /* libconfig accepts at most two */
}

static bool is_fraction(const char *text, size_t len) {
    char *end;

    (void)strtod(text, &end);
    return end == text + len && !memchr(text, 'x', len) && !memchr(text, 'X', len);
}

static size_t number_span(const Scan *t) {
    size_t n = 0;

    while (t->at + n < t->end && t->at[n] && strchr(WORD_CHARS, t->at[n]) &&
           !(t->at[n] == '/' && t->at + n + 1 < t->end && strchr("/*", t->at[n + 1])))
        n++;
    return n;
}

/* Reads an integer or another number that libconfig accepts. */
static void take_plain_number(Scan *t, const char *path, const char *start, size_t len, Position *position) {
    size_t behind = unit_behind(t), blank = scan_span(t, " \t");
    const char *unit = t->at + blank;

    if (behind > 0) {
        t->at += behind;
        refuse_unit(t, path, start, len, unit, behind - blank);
        return;
    }
    position->bad = is_integer(start, len) && check_integer(t, path, start, len) < 0;
    scan_put(t, position->bad ? "0" : start, position->bad ? 1 : len);
}

void scan_number(Scan *t, const char *path, Position *position) {
    const char *start = t->at;
    size_t len = number_span(t), sign = *start == '-' || *start == '+',
           digits = sign + strspn(start + sign, DIGITS);
    char base = start[sign] == '0' ? (char)tolower((unsigned char)start[sign + 1]) : '\0', dst[SHOWN_LEN];

    t->at += len;
    if (is_integer(start, len) || is_fraction(start, len))
        take_plain_number(t, path, start, len, position);
    else if (base && strchr("boq", base)) {
        (void)config_mistake(t->reading, scan_place_at(t, start),
                             "%s: %.*s: only newer versions of libconfig read this; write it in decimal",
                             path, (int)MIN(len, (size_t)SHOWN_LEN), start);
        position->bad = true;
        scan_put(t, "0", 1);
    } else if (digits > sign && digits + strspn(start + digits, LETTERS) == len)
        refuse_unit(t, path, start, digits, start + digits, len - digits);
    else {
        (void)config_mistake(t->reading, scan_place_at(t, start),
                             "%s: a string needs quotation marks; write \"%s\"", path,
                             shown(dst, path, start, len));
        put_quoted(t, start, len);
    }
}
