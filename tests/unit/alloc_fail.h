/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Makes the n-th allocation of the code under test fail, for every n, until it gets by with what it is
 * given. A test that includes this asks the makefile for "link:
 * -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc" in a comment of its own, and may add "--wrap=strdup" and
 * "--wrap=reallocarray". Of what shared libraries allocate, that of jansson counts. */

#include <jansson.h>
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *s);

static struct {
    bool armed, failed, once;
    unsigned left; /* allocations that still succeed */
} alloc_fail;

static bool alloc_fails(void) {
    if (!alloc_fail.armed)
        return false;
    if (alloc_fail.left > 0) {
        alloc_fail.left--;
        return false;
    }
    alloc_fail.armed = !alloc_fail.once;
    alloc_fail.failed = true;
    return true;
}

void *__wrap_malloc(size_t size) {
    return alloc_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
    return alloc_fails() ? NULL : __real_calloc(n, size);
}

/* Always moves, so that the old block is freed: for those who keep pointers into it, or secrets in it. */
void *__wrap_realloc(void *p, size_t size) {
    size_t old = p ? malloc_usable_size(p) : 0;
    void *moved = alloc_fails() ? NULL : __real_malloc(size);

    if (!moved)
        return NULL;
    if (p)
        memcpy(moved, p, old < size ? old : size);
    free(p);
    return moved;
}

void *__wrap_reallocarray(void *p, size_t n, size_t size) {
    size_t whole;

    return __builtin_mul_overflow(n, size, &whole) ? NULL : __wrap_realloc(p, whole);
}

char *__wrap_strdup(const char *s) {
    size_t size = strlen(s) + 1;
    char *copy = __wrap_malloc(size);

    return copy ? memcpy(copy, s, size) : NULL;
}

__attribute__((constructor)) static void count_jansson(void) {
    json_set_alloc_funcs(__wrap_malloc, free);
}

/* From here on the first n allocations succeed and all others fail. */
static inline void alloc_fail_after(unsigned n) {
    alloc_fail.armed = true;
    alloc_fail.failed = alloc_fail.once = false;
    alloc_fail.left = n;
}

/* The first n allocations succeed, the next one fails, and all others succeed: for tests with the fakes,
 * which try a second time. */
static inline void alloc_fail_once(unsigned n) {
    alloc_fail_after(n);
    alloc_fail.once = true;
}

/* Ends that; true when an allocation failed. */
static bool alloc_fail_end(void) {
    alloc_fail.armed = false;
    return alloc_fail.failed;
}
