/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Helpers for every file: cleanup attributes, ownership moves, array sizes. */

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(freep)
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _unused_ __attribute__((unused))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* <sys/param.h> defines the same two. Both evaluate their arguments twice. */
#undef MIN
#undef MAX
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* Moves a pointer out of a variable with a cleanup, which becomes NULL. */
#define TAKE_PTR(p)                                                                                         \
    ({                                                                                                      \
        __typeof__(p) *_slot = &(p);                                                                        \
        __typeof__(p) _taken = *_slot;                                                                      \
        *_slot = NULL;                                                                                      \
        _taken;                                                                                             \
    })

/* Like TAKE_PTR for a file descriptor: the variable becomes -1. */
#define TAKE_FD(fd)                                                                                         \
    ({                                                                                                      \
        int *_slot = &(fd), _taken = *_slot;                                                                \
        *_slot = -1;                                                                                        \
        _taken;                                                                                             \
    })

/* Appends an item to a malloc(3) array and increments n. False if out of memory. */
#define ARRAY_APPEND(array, n, item)                                                                        \
    ({                                                                                                      \
        __typeof__(array) _grown = reallocarray((array), (n) + 1, sizeof(*_grown));                         \
                                                                                                            \
        if (_grown) {                                                                                       \
            (array) = _grown;                                                                               \
            (array)[n] = (item);                                                                            \
            (n) += 1;                                                                                       \
        }                                                                                                   \
        _grown != NULL;                                                                                     \
    })

/* Removes an item from an array of pointers. True if it was found. */
#define ARRAY_REMOVE(array, n, item)                                                                        \
    ({                                                                                                      \
        size_t _i = 0;                                                                                      \
        bool _found;                                                                                        \
                                                                                                            \
        while (_i < (n) && (array)[_i] != (item))                                                           \
            _i++;                                                                                           \
        _found = _i < (n);                                                                                  \
        if (_found)                                                                                         \
            memmove(&(array)[_i], &(array)[_i + 1], (--(n)-_i) * sizeof(*(array)));                         \
        _found;                                                                                             \
    })

/* Returns the struct whose member `member` is at `ptr`. */
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

/* Defines funcp(), which a cleanup attribute calls, from func(). Needs a semicolon. */
#define DEFINE_CLEANUP(type, func)                                                                          \
    static inline void func##p(type *p) {                                                                   \
        if (*p)                                                                                             \
            func(*p);                                                                                       \
    }                                                                                                       \
    struct _swallow_semicolon_

static inline void freep(void *p) {
    free(*(void **)p);
}

#define USEC_PER_SEC 1000000ULL
#define USEC_PER_MSEC 1000ULL
