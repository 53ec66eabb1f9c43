/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A place in the text of the configuration file that moves on, and what libconfig is given of the text so
 * far. Private to config_text. */

#include "daemon/config/config_private.h"

#define SCAN_BLANKS     " \t\r\n\f"
#define SCAN_DEPTH_MAX  16 /* of brackets */
#define SCAN_NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-*"

typedef struct Scan {
    const char *at, *end;
    unsigned line;
    const char *counted; /* where the last column was counted to, in the line */
    unsigned column;     /* there */
    char open[SCAN_DEPTH_MAX]; /* what closes the brackets that are open, the innermost last */
    unsigned depth;
    const char *open_at; /* where a bracket was taken as closed that is not; NULL */
    unsigned n_open;     /* brackets that were looked for and not found */
    bool blank_reported; /* one blank that is none is enough */
    StrBuf *out;
    Reading *reading;
} Scan;

Place scan_here(Scan *t);
/* Of a place in the line of t. */
Place scan_place_at(Scan *t, const char *at);
/* t stands at the first character of a line. */
void scan_begin_line(Scan *t);
bool scan_begins(const Scan *t, const char *with);
/* How many of these characters follow. */
size_t scan_span(const Scan *t, const char *chars);
/* Gives a text to libconfig. */
void scan_put(const Scan *t, const char *text, size_t len);

/* Moves behind white space and comments. True when there is something left. */
bool scan_skip(Scan *t);
/* The end of a text that begins here and ends in this line; NULL: there is none. */
const char *scan_text_end(const Scan *t);
/* What stands behind this character, blanks and comments aside; NUL: nothing. */
char scan_next(const Scan *t);
/* Moves to that place, and counts the lines. */
void scan_pass(Scan *t, const char *to);
/* Is the innermost bracket closed by one of its kind? */
bool scan_is_closed(Scan *t);
/* A closing bracket of another kind than the innermost one has: does it stand in its place? Else it closes
 * one further out. */
bool scan_closes_instead(Scan *t);
/* Does a line begin here that sets an option? Reading can go on there. */
bool scan_begins_setting(const Scan *t);
/* Past the rest of a setting, in which that many brackets are open: behind its ";", before the bracket that
 * closes the group, or before the next line that sets an option. */
void scan_recover(Scan *t, unsigned open);
/* A mistake: what is here is not what is expected. path: of the setting, "" for none. -EINVAL. */
int scan_is_not(Scan *t, const char *path, const char *expected);
