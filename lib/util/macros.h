/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Small helpers that every file may use: cleanup attributes, ownership moves, array sizes. */

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(freep)
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _unused_ __attribute__((unused))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* <sys/param.h> has the same two. The arguments are evaluated twice. */
#undef MIN
#undef MAX
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* Moves a pointer out of a variable that has a cleanup: the variable is NULL afterwards. */
#define TAKE_PTR(p)                                                                                         \
    ({                                                                                                      \
        __typeof__(p) *_slot = &(p);                                                                        \
        __typeof__(p) _taken = *_slot;                                                                      \
        *_slot = NULL;                                                                                      \
        _taken;                                                                                             \
    })

/* The same for a file descriptor: the variable is -1 afterwards. */
#define TAKE_FD(fd)                                                                                         \
    ({                                                                                                      \
        int *_slot = &(fd), _taken = *_slot;                                                                \
        *_slot = -1;                                                                                        \
        _taken;                                                                                             \
    })

/* Adds an item to an array of malloc(3), and counts it; whether there was memory. */
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

/* Takes an item out of an array of pointers; whether it was there. */
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

/* The struct of which `ptr` is the member `member`. */
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

/* Defines funcp(), the form that a cleanup attribute calls, from func(). Wants a semicolon after it. */
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
