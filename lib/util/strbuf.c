/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/util/strbuf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/util/hash.h"

#define FIRST_ALLOCATION 64

static void give_back(StrBuf *b) {
    if (b->wipe)
        hash_wipe(b->data, b->allocated);
    free(b->data);
    b->data = NULL;
    b->len = b->allocated = 0;
}

static int fail(StrBuf *b, int error) {
    give_back(b);
    b->error = error;
    return error;
}

/* realloc() may leave a copy of the old bytes behind, so secrets are moved by hand. */
static char *resize(StrBuf *b, size_t size) {
    char *p;

    if (!b->wipe)
        return realloc(b->data, size);

    p = malloc(size);
    if (!p)
        return NULL;
    if (b->data) {
        memcpy(p, b->data, b->len);
        hash_wipe(b->data, b->allocated);
        free(b->data);
    }
    return p;
}

/* Makes room for `more` bytes and the NUL. */
static int reserve(StrBuf *b, size_t more) {
    size_t need, size;
    char *p;

    if (b->error < 0)
        return b->error;
    if (b->len > b->max || more > b->max - b->len || more > SIZE_MAX / 4 || b->len > SIZE_MAX / 4)
        return fail(b, -E2BIG);

    need = b->len + more + 1;
    if (need <= b->allocated)
        return 0;

    size = MAX(need, MAX(b->allocated * 2, (size_t)FIRST_ALLOCATION));
    if (b->max < SIZE_MAX / 4)
        size = MIN(size, b->max + 1);
    p = resize(b, size);
    if (!p)
        return fail(b, -ENOMEM);
    b->data = p;
    b->allocated = size;
    return 0;
}

int strbuf_add_mem(StrBuf *b, const void *data, size_t len) {
    int r;

    r = reserve(b, len);
    if (r < 0)
        return r;

    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
    return 0;
}

int strbuf_add(StrBuf *b, const char *s) {
    return s ? strbuf_add_mem(b, s, strlen(s)) : b->error;
}

int strbuf_add_buf(StrBuf *b, const StrBuf *more) {
    if (b->error == 0 && more->error < 0)
        return fail(b, more->error);
    return strbuf_add_mem(b, more->data, more->len);
}

int strbuf_add_char(StrBuf *b, char c) {
    return strbuf_add_mem(b, &c, 1);
}

int strbuf_addf(StrBuf *b, const char *format, ...) {
    va_list args;
    int n, r;

    r = reserve(b, 0);
    if (r < 0)
        return r;

    va_start(args, format);
    n = vsnprintf(b->data + b->len, b->allocated - b->len, format, args);
    va_end(args);
    if (n < 0) /* over INT_MAX, or not to be formatted at all */
        return fail(b, -E2BIG);

    if ((size_t)n >= b->allocated - b->len) {
        b->data[b->len] = '\0';
        r = reserve(b, n);
        if (r < 0)
            return r;
        va_start(args, format);
        (void) vsnprintf(b->data + b->len, b->allocated - b->len, format, args);
        va_end(args);
    }
    b->len += n;
    return 0;
}

void strbuf_truncate(StrBuf *b, size_t len) {
    if (len >= b->len)
        return;
    b->len = len;
    b->data[len] = '\0';
}

const char *strbuf_str(const StrBuf *b) {
    return b->data ? b->data : "";
}

int strbuf_error(const StrBuf *b) {
    return b->error;
}

int strbuf_take(StrBuf *b, char **ret) {
    int r;

    r = reserve(b, 0);
    if (r < 0)
        return r;

    b->data[b->len] = '\0';
    *ret = TAKE_PTR(b->data);
    b->len = b->allocated = 0;
    return 0;
}

void strbuf_done(StrBuf *b) {
    give_back(b);
    b->error = 0;
}
