/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/util/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"

/* Room for the longest form that one character takes: "\uNNNN". */
#define FORM_MAX 8

static bool is_continuation(unsigned char c) {
    return (c & 0xc0) == 0x80;
}

/* The largest n <= len at which s can be cut without splitting a character; len itself when s is not UTF-8
 * there. */
static size_t boundary(const char *s, size_t len) {
    size_t n = len;

    while (n > 0 && len - n < 3 && is_continuation(s[n]))
        n--;
    return is_continuation(s[n]) ? len : n;
}

bool text_copy(char *dst, size_t size, const char *src) {
    const char *s = src ? src : "";
    size_t n = strlen(s);
    bool fits = n < size;

    if (!fits)
        n = boundary(s, size - 1);
    memcpy(dst, s, n);
    dst[n] = '\0';
    return fits;
}

int text_set(char **slot, const char *text) {
    char *copy = text ? strdup(text) : NULL;

    if (text && !copy)
        return -ENOMEM;
    free(*slot);
    *slot = copy;
    return 0;
}

bool text_equal(const char *a, const char *b) {
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool text_starts_with(const char *s, const char *prefix) {
    return s && strncmp(s, prefix, strlen(prefix)) == 0;
}

bool text_ends_with(const char *s, const char *suffix) {
    size_t n = s ? strlen(s) : 0, m = strlen(suffix);

    return s && n >= m && strcmp(s + n - m, suffix) == 0;
}

/* Decodes one well-formed UTF-8 character (RFC 3629: no overlong forms, no surrogates, up to U+10FFFF) of at
 * most n bytes. Returns its length, 0 when there is none. */
static size_t decode(const unsigned char *s, size_t n, uint32_t *ret) {
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
    uint32_t c;

    if (len == 0 || len > n)
        return 0;

    c = len == 1 ? s[0] : s[0] & (0xffU >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if (!is_continuation(s[i]))
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *ret = c;
    return len;
}

bool text_is_utf8(const char *s) {
    const unsigned char *u = (const unsigned char *)(s ? s : "");
    uint32_t c;

    for (size_t n = strlen((const char *)u), taken; n > 0; u += taken, n -= taken) {
        taken = decode(u, n, &c);
        if (taken == 0)
            return false;
    }
    return true;
}

/* Characters that are well-formed and yet could make a line look like something else (Unicode 15, general
 * categories Cc, Cf, Zl, Zp as far as they occur below U+10000). */
static bool misleads(uint32_t c) {
    static const struct {
        uint32_t from, to;
    } ranges[] = {
        { 0x80, 0x9f },     /* C1 controls */
        { 0xad, 0xad },     /* soft hyphen */
        { 0x61c, 0x61c },   /* Arabic letter mark */
        { 0x180e, 0x180e }, /* Mongolian vowel separator */
        { 0x200b, 0x200f }, /* zero width, LRM, RLM */
        { 0x2028, 0x202e }, /* line and paragraph separator, bidi embeddings and overrides */
        { 0x2060, 0x206f }, /* word joiner, invisible operators, bidi isolates */
        { 0xfeff, 0xfeff }, /* byte order mark */
        { 0xfff9, 0xfffb }, /* interlinear annotation */
    };

    for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
        if (c >= ranges[i].from && c <= ranges[i].to)
            return true;
    return false;
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* How long the escape is that s begins with, if it is one that escape_one() writes; else 0. */
static size_t escape_len(const char *s, size_t n) {
    size_t len = n < 2 ? 0 : s[1] == '\\' ? 2 : s[1] == 'x' ? 4 : s[1] == 'u' ? 6 : 0;
    uint32_t c = 0;

    if (len == 0 || len > n)
        return 0;
    for (size_t i = 2; i < len; i++) {
        int digit = hex_digit(s[i]);

        if (digit < 0)
            return 0;
        c = c << 4 | (uint32_t)digit;
    }
    return len == 2 || (len == 4 && (c < 0x20 || c >= 0x7f)) || (len == 6 && misleads(c)) ? len : 0;
}

/* Writes the form of the first character of s (n > 0 bytes) into out and tells how many bytes it took from
 * s. */
static size_t escape_one(const char *s, size_t n, char out[static FORM_MAX], size_t *ret_len) {
    const unsigned char *u = (const unsigned char *)s;
    uint32_t c = 0;
    size_t taken;

    taken = decode(u, n, &c);
    if (taken == 0 || c < 0x20 || c == 0x7f)
        *ret_len = snprintf(out, FORM_MAX, "\\x%02x", u[0]);
    else if (c == '\\' && escape_len(s, n) > 0) {
        taken = *ret_len = escape_len(s, n);
        memcpy(out, s, taken);
    } else if (c == '\\')
        *ret_len = snprintf(out, FORM_MAX, "\\\\");
    else if (misleads(c))
        *ret_len = snprintf(out, FORM_MAX, "\\u%04x", (unsigned)c);
    else {
        memcpy(out, s, taken);
        *ret_len = taken;
    }
    return taken > 0 ? taken : 1;
}

int text_escape(StrBuf *b, const char *s, size_t max_in) {
    size_t n, cut;

    if (!s)
        return b->error;
    n = strnlen(s, max_in);
    cut = s[n] == '\0' ? n : boundary(s, n);

    for (size_t i = 0; i < cut;) {
        char form[FORM_MAX];
        size_t len;

        i += escape_one(s + i, cut - i, form, &len);
        (void) strbuf_add_mem(b, form, len);
    }
    if (s[n] != '\0')
        (void) strbuf_add(b, "...");
    return b->error;
}

const char *text_escaped(char *dst, size_t size, const char *s) {
    size_t n = strlen(s ? s : ""), pos = 0, keep = 0;

    for (size_t i = 0; i < n;) {
        char form[FORM_MAX];
        size_t len;

        i += escape_one(s + i, n - i, form, &len);
        if (pos + len >= size) {
            pos = keep;
            for (int dots = 0; dots < 3 && pos + 1 < size; dots++)
                dst[pos++] = '.';
            break;
        }
        memcpy(dst + pos, form, len);
        pos += len;
        if (pos + 3 < size) /* the last place at which "..." still fits */
            keep = pos;
    }
    dst[pos] = '\0';
    return dst;
}

/* ---- which word was meant ---- */

#define WORD_MAX     63
#define DISTANCE_MAX 3U

static char lower(char c) {
    return (char)tolower((unsigned char)c);
}

/* Optimal string alignment: Levenshtein's distance, where swapped neighbours count once. Both have at most
 * WORD_MAX bytes. */
static unsigned word_distance(const char *a, const char *b) {
    unsigned rows[3][WORD_MAX + 1], *before = rows[0], *last = rows[1], *row = rows[2];
    size_t n = strlen(b);

    for (size_t k = 0; k <= n; k++)
        last[k] = (unsigned)k;
    for (size_t i = 0; a[i]; i++) {
        unsigned *free_row = before;

        row[0] = (unsigned)i + 1;
        for (size_t k = 0; k < n; k++) {
            bool swapped =
                    i > 0 && k > 0 && lower(a[i]) == lower(b[k - 1]) && lower(a[i - 1]) == lower(b[k]);

            row[k + 1] = MIN(MIN(last[k + 1], row[k]) + 1, last[k] + (lower(a[i]) != lower(b[k])));
            if (swapped)
                row[k + 1] = MIN(row[k + 1], before[k - 1] + 1);
        }
        before = last;
        last = row;
        row = free_row;
    }
    return last[n];
}

void text_nearest(TextNearest *nearest, const char *candidate) {
    size_t n = nearest->text ? strlen(nearest->text) : 0;
    unsigned distance, near = MIN((unsigned)(n + 2) / 3, DISTANCE_MAX);

    if (n == 0 || n > WORD_MAX || !candidate[0] || strlen(candidate) > WORD_MAX)
        return;
    distance = word_distance(nearest->text, candidate);
    if (distance > near && n >= 3 && strncmp(candidate, nearest->text, n) == 0)
        distance = near;
    if (distance > near || (nearest->best && distance >= nearest->distance))
        return;
    nearest->best = candidate;
    nearest->distance = distance;
}
