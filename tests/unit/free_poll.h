/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Looks into every block that the code under test frees, for a secret that should have been wiped. A test
 * that includes this asks the makefile for "link: -Wl,--wrap=free" in a comment of its own. */

#include <malloc.h>
#include <stdbool.h>
#include <string.h>

/* Most of a block was never written to, and looking there is what this is for: valgrind need not object. */
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define VALGRIND_MAKE_MEM_DEFINED(p, size) ((void)(p), (void)(size))
#endif

void __real_free(void *p);
void __wrap_free(void *p);

static struct {
    const char *secret; /* NULL: not watching */
    unsigned found;
} free_watch;

void __wrap_free(void *p) {
    if (p && free_watch.secret) {
        size_t size = malloc_usable_size(p);

        (void)VALGRIND_MAKE_MEM_DEFINED(p, size);
        if (memmem(p, size, free_watch.secret, strlen(free_watch.secret)))
            free_watch.found++;
    }
    __real_free(p);
}

static void free_watch_start(const char *secret) {
    free_watch.secret = secret;
    free_watch.found = 0;
}

/* Ends that; true when no freed block held the secret. */
static bool free_watch_clean(void) {
    free_watch.secret = NULL;
    return free_watch.found == 0;
}
