/* SPDX-License-Identifier: Apache-2.0 */
/* Scans the file's text before libconfig parses it. Records the position of each value, reports every syntax
 * error, and catches what libconfig versions read differently or not as the writer meant it. Based on
 * scanner.l and grammar.y of libconfig 1.5, 1.7 and 1.8. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "daemon/config/config_scalars.h"
#include "lib/util/text.h"

#define NAMES_MAX 2000 /* earlier names that a name is compared with */
#define PATH_LEN  160

/* Adds a position at the current place in the text. Returns its index, or -ENOMEM. */
static ssize_t add_position(Scan *t, const char *name, size_t name_len, size_t group) {
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
        .at = scan_here(t), .value = scan_here(t), .name = name, .name_len = name_len, .group = group
    };
    return (ssize_t)r->n_positions++;
}

static bool at_closing(const Scan *t) {
    return *t->at == ')' || *t->at == ']' || *t->at == '}';
}

/* Pushes the bracket at the current place. */
static void open_bracket(Scan *t) {
    t->open[t->depth++] = *t->at == '[' ? ']' : *t->at == '(' ? ')' : '}';
}

static char closing_bracket(const Scan *t) {
    return t->open[t->depth - 1];
}

/* Names what follows a missing closing bracket. An unknown word is not shown: it may be part of a
 * password. */
static const char *what_follows(char dst[static PATH_LEN], const Scan *t) {
    size_t len = MIN(scan_span(t, SCAN_NAME_CHARS), (size_t)80);
    char name[81];

    (void)snprintf(name, sizeof(name), "%.*s", (int)len, t->at);
    if (t->at >= t->end)
        return "the end of the file";
    if (len > 0)
        (void)snprintf(dst, PATH_LEN, "%s in line %u", config_option_named(name) ? name : "the next option",
                       t->line);
    else
        (void)snprintf(dst, PATH_LEN, "the %c in line %u", *t->at, t->line);
    return dst;
}

/* Reads the closing bracket. Reports a wrong or missing one; the entries inside are still read. */
static void take_closing(Scan *t, const char *path, Place start) {
    char closing = closing_bracket(t), dst[PATH_LEN];
    const char expected[] = { closing, '\0' };

    if (t->at < t->end && *t->at == closing)
        t->at++;
    else if (t->at < t->end && at_closing(t) && scan_closes_instead(t)) {
        (void)scan_is_not(t, path, expected);
        t->at++;
    } else {
        (void)config_mistake(t->reading, start,
                             "syntax error: %s: this %c is not closed; write %c before %s", path,
                             closing == ']'   ? '['
                             : closing == ')' ? '('
                                              : '{',
                             closing, what_follows(dst, t));
        t->open_at = t->at;
    }
}

/* Turns an array into a list when it holds a group, or entries of several types. libconfig requires a list
 * for both. */
static void make_list(Scan *t, size_t opened, size_t entry, char *closing, const char *path, Place place) {
    const char *out = strbuf_str(t->out);
    bool group;

    if (strbuf_error(t->out) < 0 || *closing == ')')
        return;
    group = strchr("{[(", out[entry]);
    if (!group && (out[entry] == '"') == (out[opened + 1 + strspn(out + opened + 1, SCAN_BLANKS)] == '"'))
        return;
    if (group)
        (void)config_mistake(t->reading, place, "%s: groups stand in ( ), not in [ ]", path);
    t->out->data[opened] = '(';
    *closing = ')';
}

/* True for values that cannot be confused with a name, whatever the option. */
static bool begins_value(char c) {
    return c == '"' || isdigit((unsigned char)c) || (c && strchr("([{", c));
}

/* Handles a semicolon after an entry: in place of the comma, superfluous, or as the end of the setting. */
static int take_semicolon(Scan *t, const char *path) {
    char next = scan_next(t);

    if (begins_value(next))
        (void)scan_is_not(t, path, "a comma");
    else if (next == closing_bracket(t))
        (void)config_mistake(t->reading, scan_here(t), "syntax error: %s: this ; ends nothing; remove it",
                             path);
    else
        return 0;
    t->at++;
    return 1;
}

/* Consumes the comma after the entry that begins at `previous`. Returns 0 when none is needed. */
static int take_comma(Scan *t, const char *path, const char *previous) {
    Place place = scan_here(t);

    if (t->at == t->open_at && *t->at != ',') /* missing together with a bracket, which is reported */
        return 1;
    if (at_closing(t) || scan_begins_setting(t))
        return 0;
    if (*t->at == ';')
        return take_semicolon(t, path);
    if (*t->at == '"' && *previous == '"')
        return config_mistake(t->reading, place,
                              "syntax error: %s: a comma is missing before this; libconfig would join the "
                              "two texts",
                              path) < 0;
    if (*t->at == '"' || *t->at == '{' || isalnum((unsigned char)*t->at) || scan_foreign_quote(t) > 0)
        return config_mistake(t->reading, place, "syntax error: %s: a comma is missing before this", path) <
               0;
    if (*t->at != ',')
        return scan_is_not(t, path, "a comma or the closing bracket");
    t->at++;
    if (scan_skip(t) && at_closing(t))
        (void)config_mistake(t->reading, place,
                             "%s: only newer versions of libconfig read a comma before %c; remove it",
                             path, *t->at);
    return 1;
}

static int take_value(Scan *t, const char *path, size_t i);
static void config_take_settings(Scan *t, const char *prefix);

/* True when a group without brackets begins here. */
static bool lacks_brackets(const Scan *t, const char *path) {
    char name[81], member[PATH_LEN];

    (void)snprintf(name, sizeof(name), "%.*s", (int)MIN(scan_span(t, SCAN_NAME_CHARS), sizeof(name) - 1),
                   t->at);
    (void)snprintf(member, sizeof(member), "%s.%s", path, name);
    return scan_begins_setting(t) && t->depth < SCAN_DEPTH_MAX && config_option_named(member) &&
           !config_option_named(name);
}

static int take_bare_group(Scan *t, const char *path) {
    (void)config_mistake(t->reading, scan_here(t),
                         "syntax error: %s: an entry needs braces; write { before this",
                         path);
    t->open[t->depth++] = '}';
    scan_put(t, "{", 1);
    config_take_settings(t, path);
    scan_put(t, "}", 1);
    t->at += t->at < t->end && *t->at == '}';
    t->depth--;
    return 0;
}

static int take_sequence(Scan *t, const char *path) {
    char closing = closing_bracket(t); /* as passed to libconfig */
    size_t opened = t->out->len;
    Place start = scan_here(t);
    bool first = true;

    scan_put(t, t->at++, 1);
    for (; scan_skip(t) && !at_closing(t) && *t->at != ';'; first = false) {
        bool bare = lacks_brackets(t, path);
        const char *begins = t->at;
        Place place = scan_here(t);
        ssize_t i;
        size_t entry;
        int e;

        if (!bare && scan_begins_setting(t))
            break;
        i = add_position(t, NULL, 0, 0);
        scan_put(t, ",", !first);
        entry = t->out->len;
        e = i < 0 ? (int)i : bare ? take_bare_group(t, path) : take_value(t, path, (size_t)i);
        if (e >= 0 && scan_skip(t))
            e = take_comma(t, path, begins);
        if (e < 0)
            return e;
        make_list(t, opened, entry, &closing, path, place);
    }
    scan_put(t, &closing, 1);
    take_closing(t, path, start);
    return 0;
}

static int take_group(Scan *t, const char *path) {
    Place start = scan_here(t);

    scan_put(t, t->at++, 1);
    config_take_settings(t, path);
    scan_put(t, "}", 1);
    take_closing(t, path, start);
    return 0;
}

/* True for strings with commas between them: an array that lacks one or both brackets. */
static bool begins_bare_array(const Scan *t, const char *path) {
    const Option *option = config_option_named(path);
    const char *end = scan_text_end(t);

    if (!end || !option || (option->kind != OPTION_LIST && option->kind != OPTION_WORDS))
        return false;
    end += strspn(end, " \t");
    return *end == ',' && end[1 + strspn(end + 1, SCAN_BLANKS)] == '"';
}

static int take_bare_array(Scan *t, const char *path) {
    ssize_t i;

    (void)config_mistake(t->reading, scan_here(t),
                         "syntax error: %s: an array needs brackets; write [ before this", path);
    scan_put(t, "[", 1);
    do {
        i = add_position(t, NULL, 0, 0);
        if (i < 0)
            return (int)i;
        scan_strings(t, path, &t->reading->positions[i]);
        if (!scan_skip(t) || *t->at != ',')
            break;
        scan_put(t, t->at++, 1);
    } while (scan_skip(t) && *t->at == '"');
    scan_put(t, "]", 1);
    t->at += t->at < t->end && (*t->at == ']' || *t->at == ')');
    return 0;
}

/* True for options that hold groups in a list. `expect` may be a single group. */
static bool takes_list(const char *path) {
    const Option *option = config_option_named(path);

    return option && option->kind == OPTION_GROUPS && option->members != SCOPE_EXPECT;
}

/* Reads groups that lack the brackets of their list, or the opening one. */
static int take_bare_list(Scan *t, const char *path) {
    char allowed[CONFIG_GROUPS_MAX];
    int e = 0;

    (void)config_mistake(t->reading, scan_here(t), "%s: a group cannot be used; allowed: %s", path,
                         config_groups_allowed(allowed, config_option_named(path)));
    t->open[t->depth++] = ')';
    scan_put(t, "(", 1);
    for (bool more = true; e >= 0 && more;) {
        ssize_t i = add_position(t, NULL, 0, 0);

        e = i < 0 ? (int)i : take_value(t, path, (size_t)i);
        more = e >= 0 && scan_skip(t) && *t->at == ',' && scan_next(t) == '{';
        if (more) {
            scan_put(t, t->at++, 1);
            more = scan_skip(t);
        }
    }
    scan_put(t, ")", 1);
    t->at += t->at < t->end && *t->at == ')';
    t->depth--;
    return e;
}

static int take_value(Scan *t, const char *path, size_t i) {
    Position *position = &t->reading->positions[i];
    unsigned char c = (unsigned char)*t->at;
    int e;

    position->value = scan_here(t);
    if (position->name && begins_bare_array(t, path))
        return take_bare_array(t, path);
    if (position->name && c == '{' && takes_list(path) && t->depth + 1 < SCAN_DEPTH_MAX)
        return take_bare_list(t, path);
    if (c == '"')
        scan_strings(t, path, position);
    else if (scan_foreign_quote(t) > 0)
        scan_foreign_string(t, path);
    else if (isdigit(c) || (c && strchr("+-.", c) && (isdigit((unsigned char)t->at[1]) || t->at[1] == '.')))
        scan_number(t, path, position);
    else if (isalpha(c))
        scan_word(t, path, position);
    else if (!c || !strchr("[({", c))
        return scan_is_not(t, path, "a value");
    else if (t->depth == SCAN_DEPTH_MAX)
        return config_mistake(t->reading, scan_here(t), "%s: too many brackets in one another", path);
    else {
        open_bracket(t);
        e = c == '{' ? take_group(t, path) : take_sequence(t, path);
        t->depth -= e >= 0; /* otherwise leave_out() must know which brackets are open */
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

/* Reports an option that is set twice. Its second value is also checked, under a unique name. That stops
 * after too many mistakes, because libconfig compares each name with all others. */
static int take_second(Scan *t, const char *path, size_t i, const Position *before) {
    char number[32];

    (void)config_mistake(t->reading, scan_here(t), "%s: given twice, first in line %u; take one out", path,
                         before->at.line);
    if (t->reading->n_mistakes > CONFIG_MISTAKES_MAX)
        return -EINVAL;
    t->reading->positions[i].again = true;
    (void)snprintf(number, sizeof(number), "*%zu", i);
    scan_put(t, number, strlen(number));
    return 0;
}

/* Reads NAME = VALUE. group is an index that is unique to the enclosing group. */
static int take_setting(Scan *t, const char *prefix, size_t group) {
    const char *name = t->at;
    size_t len = scan_span(t, SCAN_NAME_CHARS);
    ssize_t i = add_position(t, name, len, group);
    const Position *before = i < 0 ? NULL : find_before(t->reading, (size_t)i);
    char path[PATH_LEN];

    (void)snprintf(path, sizeof(path), "%s%s%.*s", prefix, prefix[0] ? "." : "", (int)MIN(len, (size_t)80),
                   name);
    if (!prefix[0])
        (void)text_copy(t->reading->topic, sizeof(t->reading->topic), path);
    if (i < 0)
        return (int)i;
    scan_put(t, name, len);
    if (before && take_second(t, path, (size_t)i, before) < 0)
        return -EINVAL;
    t->at += len;
    if (!scan_skip(t) || (*t->at != '=' && *t->at != ':')) {
        /* do not show an unknown word: it may be part of a password */
        int e = scan_is_not(t, config_option_named(path) ? path : "", "=");

        if (!config_option_named(path) || t->at >= t->end || !begins_value(*t->at))
            return e;
    } else
        t->at++;
    scan_put(t, "=", 1);
    if (!scan_skip(t))
        return scan_is_not(t, path, "a value");
    return take_value(t, path, (size_t)i);
}

/* Hides a setting whose error leaves no value from libconfig, but keeps its lines so that line numbers stay
 * right. */
static void leave_out(Scan *t, unsigned depth, size_t out_len, size_t n_positions, unsigned line) {
    t->reading->incomplete = true;
    scan_recover(t, t->depth - depth);
    t->depth = depth;
    if (strbuf_error(t->out) >= 0)
        strbuf_truncate(t->out, out_len);
    for (; line < t->line; line++)
        scan_put(t, "\n", 1);
    t->reading->n_positions = n_positions;
}

/* True for a line of words after a semicolon, which is a comment in other formats. */
static bool begins_remark(Scan *t) {
    const char *word = t->at + 1 + strspn(t->at + 1, "; \t"), *end = word + strcspn(word, "=:;{\n");

    return scan_here(t).column == 1 && isalpha((unsigned char)*word) && (*end == '\n' || !*end);
}

/* Reports text that is not a setting. */
static void take_stray(Scan *t) {
    if (*t->at == '@') {
        (void)config_mistake(t->reading, scan_here(t),
                             "@include: not supported; put all options into this file");
        t->at += strcspn(t->at, "\n");
    } else if (*t->at == ';' && begins_remark(t)) {
        (void)config_mistake(t->reading, scan_here(t), "this ; begins no comment; write # instead");
        t->at += strcspn(t->at, "\n");
    } else if (*t->at == ';' || *t->at == ',') {
        (void)config_mistake(t->reading, scan_here(t), "syntax error: this %c ends nothing; remove it",
                             *t->at);
        t->at++;
    } else if (at_closing(t)) {
        (void)config_mistake(t->reading, scan_here(t), "syntax error: this %c closes nothing; remove it",
                             *t->at);
        t->at += t->at[1] == ';' ? 2 : 1;
    } else {
        (void)scan_is_not(t, "", "the name of an option");
        leave_out(t, t->depth, t->out->len, t->reading->n_positions, t->line);
    }
}

/* In a group that lacks its closing bracket: true when the next setting belongs outside of it. */
static bool is_outside(const Scan *t, const char *prefix) {
    char name[81], path[PATH_LEN];

    if (at_closing(t) || strchr("{[(,", *t->at))
        return true;
    (void)snprintf(name, sizeof(name), "%.*s", (int)MIN(scan_span(t, SCAN_NAME_CHARS), sizeof(name) - 1),
                   t->at);
    (void)snprintf(path, sizeof(path), "%s.%s", prefix, name);
    return config_option_named(name) && !config_option_named(path);
}

/* Reads settings up to the end of the text or, inside a group, up to its closing bracket or the place where
 * that is missing. */
static void config_take_settings(Scan *t, const char *prefix) {
    size_t group = t->reading->n_positions;
    bool closed = !prefix[0] || scan_is_closed(t);

    while (t->reading->error >= 0 && scan_skip(t) &&
           !(prefix[0] && (*t->at == '}' || (!closed && is_outside(t, prefix))))) {
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
        else if (scan_skip(t) && (*t->at == ';' || *t->at == ',')) {
            t->at++;
            scan_put(t, ";", 1);
        }
    }
}

int config_check_text(Reading *r, const char *text, size_t len, StrBuf *out) {
    Scan t = {
        .at = text, .end = text + len, .line = 1, .counted = text, .column = 1, .out = out, .reading = r
    };

    if (memchr(text, '\0', len))
        return config_mistake(r, (Place){ 0, 0 }, "a NUL byte: this is no text; save it as UTF-8");
    if (scan_begins(&t, "\xef\xbb\xbf")) {
        (void)config_mistake(r, (Place){ 1, 1 },
                             "the file begins with a byte order mark (BOM); save it as UTF-8 without one");
        t.at += strlen("\xef\xbb\xbf");
        scan_begin_line(&t);
    }
    config_take_settings(&t, "");
    r->topic[0] = '\0';
    return r->error < 0 ? r->error : strbuf_error(out);
}
