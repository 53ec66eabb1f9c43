/* SPDX-License-Identifier: Apache-2.0 */
/* The file's text before libconfig has it: where each value stands, every mistake of the text, what
 * libconfig's versions read differently, or read as nobody means it. Sources: libconfig's scanner.l and
 * grammar.y of 1.5, 1.7 and 1.8. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "daemon/config/config_scalars.h"
#include "lib/util/text.h"

#define DEPTH_MAX 16
#define NAMES_MAX 2000 /* before it, that a name is compared with */
#define PATH_LEN  160

/* The index of a new position, which is where the text stands; -ENOMEM. */
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

/* A closing bracket is missing; what is in the brackets is read. */
static void is_open(const Scan *t, const char *path, Place start, char bracket) {
    (void)config_mistake(t->reading, start, "syntax error: %s: this %c is not closed before the %s", path,
                         bracket, t->at < t->end ? "next option" : "end of the file");
}

/* A group in an array, and entries of several kinds: libconfig wants a list for both. */
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

/* The comma behind an entry. 0: none has to follow. */
static int take_comma(Scan *t, const char *path) {
    Place place = scan_here(t);

    if (at_closing(t) || scan_begins_setting(t))
        return 0;
    if (*t->at == '"' || *t->at == '{' || isalnum((unsigned char)*t->at) || scan_foreign_quote(t) > 0)
        return config_mistake(t->reading, place, "syntax error: %s: a comma is missing before this", path) <
               0;
    if (*t->at != ',')
        return scan_is_not(t, path, "a comma or the closing bracket");
    t->at++;
    if (scan_skip(t) && at_closing(t))
        (void)config_mistake(t->reading, place,
                             "%s: only newer versions of libconfig read a comma before %c; take it out",
                             path, *t->at);
    return 1;
}

static int take_value(Scan *t, const char *path, size_t i);

static int take_sequence(Scan *t, const char *path) {
    char bracket = *t->at, closing = bracket == '[' ? ']' : ')';
    size_t opened = t->out->len;
    Place start = scan_here(t);
    bool first = true;

    scan_put(t, t->at++, 1);
    for (; scan_skip(t) && !at_closing(t) && !scan_begins_setting(t); first = false) {
        ssize_t i = add_position(t, NULL, 0, 0);
        Place place = scan_here(t);
        size_t entry;
        int e;

        scan_put(t, ",", !first);
        entry = t->out->len;
        e = i < 0 ? (int)i : take_value(t, path, (size_t)i);
        if (e >= 0 && scan_skip(t))
            e = take_comma(t, path);
        if (e < 0)
            return e;
        make_list(t, opened, entry, &closing, path, place);
    }
    scan_put(t, &closing, 1);
    if (t->at >= t->end || !at_closing(t))
        is_open(t, path, start, bracket);
    else {
        if (*t->at != (bracket == '[' ? ']' : ')'))
            (void)scan_is_not(t, path, bracket == '[' ? "]" : ")");
        t->at++;
    }
    return 0;
}

static void config_take_settings(Scan *t, const char *prefix);

static int take_group(Scan *t, const char *path) {
    Place start = scan_here(t);

    scan_put(t, t->at++, 1);
    config_take_settings(t, path);
    scan_put(t, "}", 1);
    if (t->at >= t->end)
        is_open(t, path, start, '{');
    else
        t->at++;
    return 0;
}

static int take_value(Scan *t, const char *path, size_t i) {
    Position *position = &t->reading->positions[i];
    unsigned char c = (unsigned char)*t->at;
    int e;

    position->value = scan_here(t);
    if (c == '"')
        return scan_strings(t, path, !position->name);
    if (scan_foreign_quote(t) > 0)
        scan_foreign_string(t, path);
    else if (isdigit(c) || (c && strchr("+-.", c) && (isdigit((unsigned char)t->at[1]) || t->at[1] == '.')))
        scan_number(t, path, position);
    else if (isalpha(c))
        scan_word(t, path, position);
    else if (!c || !strchr("[({", c))
        return scan_is_not(t, path, "a value");
    else if (t->depth == DEPTH_MAX)
        return config_mistake(t->reading, scan_here(t), "%s: too many brackets in one another", path);
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
    if (before)
        return config_mistake(t->reading, scan_here(t), "%s: given twice, first in line %u; take one out",
                              path, before->at.line);
    scan_put(t, name, len);
    t->at += len;
    if (!scan_skip(t) || (*t->at != '=' && *t->at != ':')) /* an unknown word may be a part of a password */
        return scan_is_not(t, config_option_named(path) ? path : "", "=");
    t->at++;
    scan_put(t, "=", 1);
    if (!scan_skip(t))
        return scan_is_not(t, path, "a value");
    return take_value(t, path, (size_t)i);
}

/* What has a mistake that leaves no value is not there for libconfig; its lines are. */
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

/* What is no setting. */
static void take_stray(Scan *t) {
    if (*t->at == '@') {
        (void)config_mistake(t->reading, scan_here(t),
                             "@include: not supported; put all options into this file");
        t->at += strcspn(t->at, "\n");
    } else if (*t->at == ';' || *t->at == ',' || at_closing(t)) {
        (void)config_mistake(t->reading, scan_here(t),
                             at_closing(t) ? "syntax error: this %c closes nothing; take it out"
                                           : "syntax error: this %c ends nothing; take it out",
                             *t->at);
        t->at++;
    } else {
        (void)scan_is_not(t, "", "the name of an option");
        leave_out(t, t->depth, t->out->len, t->reading->n_positions, t->line);
    }
}

/* Up to the end of the text or, in a group, to its closing bracket. */
static void config_take_settings(Scan *t, const char *prefix) {
    size_t group = t->reading->n_positions;

    while (t->reading->error >= 0 && scan_skip(t) && !(prefix[0] && *t->at == '}')) {
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
