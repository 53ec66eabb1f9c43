/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What library code may ask of the event loop: one-shot timers, child processes, the two clocks, and
 * randomness. Tests drive a fake. */

#include <stddef.h>
#include <stdint.h>

typedef struct Loop Loop;
typedef struct LoopTimer LoopTimer;
typedef void (*LoopFired)(void *userdata);

/* A program to run, without a shell. All is borrowed for the duration of spawn(). */
typedef struct LoopProgram {
    const char *const *arguments;   /* NULL-terminated; the first is a path, or a name looked for in $PATH */
    const char *const *environment; /* "NAME=value", NULL-terminated: all that the program gets */
    const void *input;              /* what its standard input holds; NULL: nothing */
    size_t input_len;
    size_t output_max;              /* bytes; more on its standard output ends the program */
    size_t errors_max;              /* bytes kept of its standard error; the rest is read and dropped */
    uint64_t timeout_usec;          /* > 0; then it is ended */
} LoopProgram;

typedef enum LoopEnding {
    LOOP_EXITED,        /* by itself; code is its exit status */
    LOOP_SIGNALLED,     /* by a signal; code is its number */
    LOOP_TIMED_OUT,
    LOOP_TOO_MUCH,      /* output_max was passed */
    LOOP_LOST,          /* its output or its end could not be read; code is an errno value */
} LoopEnding;

/* Valid inside the callback only. Texts have a NUL after them that does not count; they may hold NULs. */
typedef struct LoopExit {
    LoopEnding ending;
    int code;
    const char *output;
    size_t output_len;
    const char *errors;
    size_t errors_len;
} LoopExit;

typedef struct LoopChild LoopChild;
typedef void (*LoopExited)(const LoopExit *exit, void *userdata);

typedef struct LoopOps {
    /* Calls fired once, delay_usec from now (0: at the next turn of the loop, never from inside after). The
     * timer is gone then, and *timer is NULL again before the call: it has to be there until then. NULL:
     * nobody cancels it. 0 or -errno. */
    int (*after)(Loop *loop, uint64_t delay_usec, LoopFired fired, void *userdata, LoopTimer **timer);
    /* Ends a timer that has not fired; NULL is fine. */
    void (*cancel)(Loop *loop, LoopTimer *timer);
    /* Runs a program in a process group of its own. exited is called once, never from inside spawn: when the
     * program ended, when it had to be ended, or at its deadline, and then all of its process group is
     * killed. Output is wiped after use. 0, or -errno (-ENOENT, -EACCES: no such program, not one) and then
     * exited is not called. */
    int (*spawn)(Loop *loop, const LoopProgram *program, LoopExited exited, void *userdata, LoopChild **ret);
    /* Kills a program and all of its process group; exited will not be called. NULL is fine. */
    void (*kill)(Loop *loop, LoopChild *child);
    uint64_t (*monotonic_usec)(Loop *loop); /* CLOCK_BOOTTIME: also counts suspend */
    uint64_t (*realtime_usec)(Loop *loop);
    /* Uniform in 0..UINT64_MAX. */
    uint64_t (*random)(Loop *loop);
} LoopOps;

struct Loop {
    const LoopOps *ops;
};

static inline int loop_after(Loop *loop, uint64_t delay_usec, LoopFired fired, void *userdata,
                             LoopTimer **timer) {
    return loop->ops->after(loop, delay_usec, fired, userdata, timer);
}
static inline void loop_cancel(Loop *loop, LoopTimer *timer) {
    loop->ops->cancel(loop, timer);
}
/* Calls fired once, delay_usec from now, in place of *timer (NULL: none). 0, or -errno and no timer. */
static inline int loop_rearm(Loop *loop, uint64_t delay_usec, LoopFired fired, void *userdata,
                             LoopTimer **timer) {
    loop->ops->cancel(loop, *timer);
    *timer = NULL;
    return loop->ops->after(loop, delay_usec, fired, userdata, timer);
}
static inline int loop_spawn(Loop *loop, const LoopProgram *program, LoopExited exited, void *userdata,
                             LoopChild **ret) {
    return loop->ops->spawn(loop, program, exited, userdata, ret);
}
static inline void loop_kill(Loop *loop, LoopChild *child) {
    loop->ops->kill(loop, child);
}
static inline uint64_t loop_monotonic_usec(Loop *loop) {
    return loop->ops->monotonic_usec(loop);
}
static inline uint64_t loop_realtime_usec(Loop *loop) {
    return loop->ops->realtime_usec(loop);
}
static inline uint64_t loop_random(Loop *loop) {
    return loop->ops->random(loop);
}
