/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fake_loop.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"

struct LoopTimer {
    LoopTimer *next;
    uint64_t due_usec;
    LoopFired fired;
    void *userdata;
    LoopTimer **place;
};

struct LoopChild {
    LoopChild *next;
    FakeLoop *fake;
    LoopTimer *deadline;
    char arguments[1000], environment[1000];
    LoopExited exited;
    void *userdata;
};

struct FakeLoop {
    Loop loop;
    uint64_t monotonic_usec;
    uint64_t realtime_usec;
    uint64_t random;
    unsigned until_failure;
    LoopChild *children; /* the oldest first */
    int spawn_error;
    LoopTimer *timers; /* by due time, then by age */
};

static void die(const char *why) {
    fprintf(stderr, "fake loop: %s\n", why);
    abort();
}

/* A test may make one allocation fail, and that one is not meant for us: a second try is enough. */
static void *allocate(size_t size) {
    void *p = calloc(1, size);

    if (!p)
        p = calloc(1, size);
    if (!p)
        die("out of memory");
    return p;
}

static int fake_after(Loop *loop, uint64_t delay_usec, LoopFired fired, void *userdata, LoopTimer **timer) {
    FakeLoop *f = CONTAINER_OF(loop, FakeLoop, loop);
    LoopTimer *t, **p;

    if (f->until_failure != UINT_MAX && f->until_failure-- == 0)
        return -ENOMEM;
    t = allocate(sizeof(*t));
    t->due_usec = f->monotonic_usec + MIN(delay_usec, UINT64_MAX - f->monotonic_usec);
    t->fired = fired;
    t->userdata = userdata;
    t->place = timer;
    for (p = &f->timers; *p && (*p)->due_usec <= t->due_usec; p = &(*p)->next)
        ;
    t->next = *p;
    *p = t;
    if (timer)
        *timer = t;
    return 0;
}

static void fake_cancel(Loop *loop, LoopTimer *timer) {
    FakeLoop *f = CONTAINER_OF(loop, FakeLoop, loop);
    LoopTimer **p;

    if (!timer)
        return;
    for (p = &f->timers; *p && *p != timer; p = &(*p)->next)
        ;
    if (!*p)
        die("a timer was cancelled that is not armed");
    *p = timer->next;
    free(timer);
}

static void join(char *dst, size_t size, const char *const *list) {
    dst[0] = '\0';
    for (; *list; list++) {
        size_t n = strlen(dst);

        if ((size_t)snprintf(dst + n, size - n, "%s%s", n ? "\n" : "", *list) >= size - n)
            die("a program has too much to remember");
    }
}

static void child_unlink(LoopChild *child) {
    LoopChild **p;

    for (p = &child->fake->children; *p && *p != child; p = &(*p)->next)
        ;
    if (!*p)
        die("a program was ended that does not run");
    *p = child->next;
}

static void fake_kill(Loop *loop, LoopChild *child) {
    if (!child)
        return;
    child_unlink(child);
    fake_cancel(loop, child->deadline);
    free(child);
}

static void child_end(LoopChild *child, const LoopExit *ended) {
    LoopExited exited = child->exited;
    void *userdata = child->userdata;

    fake_kill(&child->fake->loop, child);
    exited(ended, userdata);
}

static void on_child_deadline(void *userdata) {
    LoopChild *child = userdata;

    child->deadline = NULL;
    child_end(child, &(LoopExit){ .ending = LOOP_TIMED_OUT, .output = "", .errors = "" });
}

static int fake_spawn(Loop *loop, const LoopProgram *program, LoopExited exited, void *userdata,
                      LoopChild **ret) {
    FakeLoop *f = CONTAINER_OF(loop, FakeLoop, loop);
    LoopChild *child, **p;
    int r = f->spawn_error;

    f->spawn_error = 0;
    if (r < 0)
        return r;
    child = allocate(sizeof(*child));
    child->fake = f;
    child->exited = exited;
    child->userdata = userdata;
    join(child->arguments, sizeof(child->arguments), program->arguments);
    join(child->environment, sizeof(child->environment), program->environment);
    r = fake_after(loop, program->timeout_usec, on_child_deadline, child, &child->deadline);
    if (r < 0) {
        free(child);
        return r;
    }
    for (p = &f->children; *p; p = &(*p)->next)
        ;
    *p = child;
    if (ret)
        *ret = child;
    return 0;
}

static LoopChild *oldest_child(const FakeLoop *fake) {
    if (!fake->children)
        die("no program runs");
    return fake->children;
}

const char *fake_loop_child_arguments(const FakeLoop *fake) {
    return oldest_child(fake)->arguments;
}

const char *fake_loop_child_environment(const FakeLoop *fake) {
    return oldest_child(fake)->environment;
}

void fake_loop_end_child(FakeLoop *fake, LoopEnding ending, int code, const char *output,
                         const char *errors) {
    child_end(oldest_child(fake), &(LoopExit){
                                          .ending = ending,
                                          .code = code,
                                          .output = output ? output : "",
                                          .output_len = output ? strlen(output) : 0,
                                          .errors = errors ? errors : "",
                                          .errors_len = errors ? strlen(errors) : 0,
                                  });
}

unsigned fake_loop_n_children(const FakeLoop *fake) {
    unsigned n = 0;

    for (const LoopChild *c = fake->children; c; c = c->next)
        n++;
    return n;
}

void fake_loop_fail_spawn(FakeLoop *fake, int error) {
    fake->spawn_error = error;
}

static uint64_t fake_monotonic(Loop *loop) {
    return CONTAINER_OF(loop, FakeLoop, loop)->monotonic_usec;
}

static uint64_t fake_realtime(Loop *loop) {
    return CONTAINER_OF(loop, FakeLoop, loop)->realtime_usec;
}

static uint64_t fake_random(Loop *loop) {
    return CONTAINER_OF(loop, FakeLoop, loop)->random;
}

static const LoopOps fake_loop_ops = {
    .after = fake_after,
    .cancel = fake_cancel,
    .spawn = fake_spawn,
    .kill = fake_kill,
    .monotonic_usec = fake_monotonic,
    .realtime_usec = fake_realtime,
    .random = fake_random,
};

FakeLoop *fake_loop_new(void) {
    FakeLoop *f;

    f = allocate(sizeof(*f));
    f->loop.ops = &fake_loop_ops;
    f->monotonic_usec = 1000 * USEC_PER_SEC;
    f->realtime_usec = 1795489800 * USEC_PER_SEC;
    f->until_failure = UINT_MAX;
    return f;
}

void fake_loop_free(FakeLoop *fake) {
    if (!fake)
        return;
    if (fake->timers)
        die("a timer was left armed");
    free(fake);
}

Loop *fake_loop_loop(FakeLoop *fake) {
    return &fake->loop;
}

/* Fires the first timer if it is due by `until`, having moved time there. */
static bool fire_one(FakeLoop *f, uint64_t until) {
    LoopTimer *t = f->timers;
    LoopFired fired;
    void *userdata;

    if (!t || t->due_usec > until)
        return false;
    f->timers = t->next;
    if (t->due_usec > f->monotonic_usec) {
        f->realtime_usec += t->due_usec - f->monotonic_usec;
        f->monotonic_usec = t->due_usec;
    }
    fired = t->fired;
    userdata = t->userdata;
    if (t->place)
        *t->place = NULL;
    free(t);
    fired(userdata);
    return true;
}

void fake_loop_run(FakeLoop *fake) {
    while (fire_one(fake, fake->monotonic_usec))
        ;
}

bool fake_loop_next(FakeLoop *fake) {
    if (!fake->timers)
        return false;
    (void)fire_one(fake, fake->timers->due_usec);
    fake_loop_run(fake);
    return true;
}

void fake_loop_advance(FakeLoop *fake, uint64_t span_usec) {
    uint64_t until = fake->monotonic_usec + span_usec;

    while (fire_one(fake, until))
        ;
    fake->realtime_usec += until - fake->monotonic_usec;
    fake->monotonic_usec = until;
}

void fake_loop_stall(FakeLoop *fake, uint64_t span_usec) {
    fake->realtime_usec += span_usec;
    fake->monotonic_usec += span_usec;
}

void fake_loop_step_clock(FakeLoop *fake, int64_t by_usec) {
    fake->realtime_usec += (uint64_t)by_usec;
}

void fake_loop_set_random(FakeLoop *fake, uint64_t value) {
    fake->random = value;
}

void fake_loop_fail_after(FakeLoop *fake, unsigned n) {
    fake->until_failure = n;
}

unsigned fake_loop_n_timers(const FakeLoop *fake) {
    unsigned n = 0;

    for (const LoopTimer *t = fake->timers; t; t = t->next)
        n++;
    return n;
}
