/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What library code uses of the event loop: one-shot timers, child processes, clocks, random numbers. */

#include <stddef.h>
#include <stdint.h>

typedef struct Loop Loop;
typedef struct LoopTimer LoopTimer;
typedef void (*LoopFired)(void *userdata);

/* A program to run without a shell. spawn() borrows everything until it returns. */
typedef struct LoopProgram {
    const char *const *arguments;   /* NULL-terminated; the first is a path, or a name to search in $PATH */
    const char *const *environment; /* "NAME=value", NULL-terminated; the complete environment */
    const void *input;              /* content of standard input; NULL means empty */
    size_t input_len;
    size_t output_max;              /* bytes; the program is killed if it writes more to standard output */
    size_t errors_max;              /* bytes of standard error that are kept; the rest is discarded */
    uint64_t timeout_usec;          /* > 0; the program is killed afterwards */
} LoopProgram;

typedef enum LoopEnding {
    LOOP_EXITED,        /* code is the exit status */
    LOOP_SIGNALLED,     /* code is the signal number */
    LOOP_TIMED_OUT,
    LOOP_TOO_MUCH,      /* the program wrote more than output_max */
    LOOP_LOST,          /* its output or its end could not be read; code is an errno value */
} LoopEnding;

/* Valid during the callback only. Texts may contain NULs; their lengths exclude the terminating NUL. */
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
    /* Calls fired once, delay_usec from now; 0 means as soon as the loop runs, never from inside after().
     * Stores the timer in *timer and sets it to NULL before the call, so timer must stay valid until then;
     * NULL means that the timer is never cancelled. Returns 0 or -errno. */
    int (*after)(Loop *loop, uint64_t delay_usec, LoopFired fired, void *userdata, LoopTimer **timer);
    /* Cancels a timer that has not fired. timer may be NULL. */
    void (*cancel)(Loop *loop, LoopTimer *timer);
    /* Runs a program in a new process group. Calls exited once, never from inside spawn(), when the program
     * has ended or was killed, for example at the deadline; then its process group is killed. Output is
     * wiped after use. Returns 0, or -errno without calling exited (-ENOENT, -EACCES: no executable
     * program). */
    int (*spawn)(Loop *loop, const LoopProgram *program, LoopExited exited, void *userdata, LoopChild **ret);
    /* Kills a program and its process group without calling exited. child may be NULL. */
    void (*kill)(Loop *loop, LoopChild *child);
    uint64_t (*monotonic_usec)(Loop *loop); /* CLOCK_BOOTTIME, which includes suspend */
    uint64_t (*realtime_usec)(Loop *loop);
    /* Returns a uniform random number in 0..UINT64_MAX. */
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
/* Replaces *timer (may be NULL) with one that fires delay_usec from now. Returns 0, or -errno and no
 * timer. */
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
