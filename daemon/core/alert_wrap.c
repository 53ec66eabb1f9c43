/* SPDX-License-Identifier: Apache-2.0 */
/* Long lines of a mail -> lines that fit a screen. */
#include <stdint.h>
#include <string.h>

#include "daemon/core/alert_parts.h"

#define COMMAND "  aws " /* to be copied into a shell: stays on its line */

/* The bytes of at most `width` columns, taking a character for one. */
static size_t within_width(const char *s, size_t len, size_t width) {
    size_t n = 0;

    for (size_t i = 0; i < len; i++)
        if (((unsigned char)s[i] & 0xc0) != 0x80 && n++ == width)
            return i;
    return len;
}

/* How far what continues a line is indented: never not at all, so that foreign text cannot begin a line that
 * looks like one of ours. */
static size_t hanging(const char *line) {
    size_t indent = strspn(line, " "), digits = strspn(line + indent, "0123456789");

    if (digits > 0 && line[indent + digits] == '.' && line[indent + digits + 1] == ' ')
        return indent + digits + 2;
    return indent > 0 ? indent : 2;
}

/* The length of the longest part of a text, without the space after it, that ends before a space and fits;
 * that of its first word when none fits. */
static size_t fitting(const char *s, size_t len, size_t width) {
    size_t room = within_width(s, len, width), best = 0, at = strspn(s, " ");

    while (at < len) {
        const char *space = memchr(s + at, ' ', len - at);
        size_t end = space ? (size_t)(space - s) : len;

        if (best > 0 && end > room)
            break;
        best = at = end;
        while (at < len && s[at] == ' ')
            at++;
    }
    return best > 0 ? best : len;
}

static bool stays_whole(const char *line, size_t len) {
    size_t indent = strspn(line, " ");

    return strncmp(line, COMMAND, strlen(COMMAND)) == 0 || memmem(line + indent, len - indent, "  ", 2);
}

static void wrap_line(const char *line, size_t len, StrBuf *ret) {
    size_t hang = hanging(line), width = stays_whole(line, len) ? SIZE_MAX : ALERT_WIDTH;

    while (within_width(line, len, width) < len) {
        size_t taken = fitting(line, len, width);

        (void)strbuf_add_mem(ret, line, taken);
        while (taken < len && line[taken] == ' ')
            taken++;
        line += taken;
        len -= taken;
        if (len == 0)
            return;
        (void)strbuf_addf(ret, "\n%*s", (int)hang, "");
        width = ALERT_WIDTH - hang;
    }
    (void)strbuf_add_mem(ret, line, len);
}

int alert_wrap(const char *text, StrBuf *ret) {
    while (*text) {
        size_t len = strcspn(text, "\n");

        wrap_line(text, len, ret);
        text += len;
        if (*text == '\n') {
            (void)strbuf_add_char(ret, '\n');
            text++;
        }
    }
    return strbuf_error(ret);
}
