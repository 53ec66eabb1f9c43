/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/loop_event.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/random.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "lib/loop_child.h"
#include "lib/util/macros.h"

/* sd-event may fire this much late so as to wake up once for several timers. */
#define ACCURACY_USEC (1 * USEC_PER_MSEC)

typedef struct LoopEvent {
    Loop loop;
    sd_event *event;
    clockid_t clock; /* CLOCK_BOOTTIME, or CLOCK_MONOTONIC where the kernel has no timers on it */
    LoopTimer *timers;
    LoopChildList children;
} LoopEvent;

struct LoopTimer {
    LoopEvent *owner;
    LoopTimer *prev, *next;
    sd_event_source *source;
    LoopFired fired;
    void *userdata;
};

static uint64_t clock_usec(clockid_t id) {
    struct timespec ts = { 0 };

    if (clock_gettime(id, &ts) < 0)
        return 0;
    return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

static LoopTimer *timer_free(LoopTimer *t) {
    if (t->prev)
        t->prev->next = t->next;
    else
        t->owner->timers = t->next;
    if (t->next)
        t->next->prev = t->prev;
    sd_event_source_disable_unref(t->source);
    free(t);
    return NULL;
}

static void timer_fire(LoopTimer *t) {
    LoopFired fired = t->fired;
    void *userdata = t->userdata;

    /* Gone before the call: the callback may free the whole loop. */
    timer_free(t);
    fired(userdata);
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata) {
    (void)source;
    (void)usec;
    timer_fire(userdata);
    return 0;
}

static int on_defer(sd_event_source *source, void *userdata) {
    (void)source;
    timer_fire(userdata);
    return 0;
}

static int timer_arm(LoopTimer *t, uint64_t delay_usec) {
    LoopEvent *l = t->owner;
    uint64_t now = clock_usec(l->clock);

    /* A defer source costs no system call. */
    if (delay_usec == 0)
        return sd_event_add_defer(l->event, &t->source, on_defer, t);
    /* UINT64_MAX means "never" to sd-event. */
    if (delay_usec > UINT64_MAX - 1 - now)
        delay_usec = UINT64_MAX - 1 - now;
    return sd_event_add_time(l->event, &t->source, l->clock, now + delay_usec, ACCURACY_USEC, on_time, t);
}

static int loop_event_after(Loop *loop, uint64_t delay_usec, LoopFired fired, void *userdata,
                            LoopTimer **ret) {
    LoopEvent *l = CONTAINER_OF(loop, LoopEvent, loop);
    LoopTimer *t;
    int r;

    t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    t->owner = l;
    t->fired = fired;
    t->userdata = userdata;
    t->next = l->timers;
    if (l->timers)
        l->timers->prev = t;
    l->timers = t;

    r = timer_arm(t, delay_usec);
    if (r < 0) {
        timer_free(t);
        return r;
    }
    if (ret)
        *ret = t;
    return 0;
}

static void loop_event_cancel(Loop *loop, LoopTimer *timer) {
    (void)loop;
    if (timer)
        timer_free(timer);
}

static int loop_event_spawn(Loop *loop, const LoopProgram *program, LoopExited exited, void *userdata,
                            LoopChild **ret) {
    LoopEvent *l = CONTAINER_OF(loop, LoopEvent, loop);

    return loop_child_spawn(&l->children, loop, l->event, program, exited, userdata, ret);
}

static void loop_event_kill(Loop *loop, LoopChild *child) {
    (void)loop;
    if (child)
        loop_child_abandon(child);
}

static uint64_t loop_event_monotonic(Loop *loop) {
    return clock_usec(CONTAINER_OF(loop, LoopEvent, loop)->clock);
}

static uint64_t loop_event_realtime(Loop *loop) {
    (void)loop;
    return clock_usec(CLOCK_REALTIME);
}

static uint64_t loop_event_random(Loop *loop) {
    uint64_t value = 0;
    ssize_t n;

    do
        n = getrandom(&value, sizeof(value), 0);
    while (n < 0 && errno == EINTR);
    /* Only spreads retries: where the kernel has no answer the clock's low bits must do. */
    if (n != (ssize_t)sizeof(value))
        value = loop_event_monotonic(loop) * UINT64_C(0x9e3779b97f4a7c15);
    return value;
}

static const LoopOps loop_event_ops = {
    .after = loop_event_after,
    .cancel = loop_event_cancel,
    .spawn = loop_event_spawn,
    .kill = loop_event_kill,
    .monotonic_usec = loop_event_monotonic,
    .realtime_usec = loop_event_realtime,
    .random = loop_event_random,
};

/* sd-event knows at once whether the kernel can wait on a clock. */
static clockid_t choose_clock(sd_event *event) {
    sd_event_source *probe = NULL;
    int r;

    r = sd_event_add_time(event, &probe, CLOCK_BOOTTIME, UINT64_MAX, 0, on_time, NULL);
    sd_event_source_disable_unref(probe);
    return r < 0 ? CLOCK_MONOTONIC : CLOCK_BOOTTIME;
}

int loop_event_new(sd_event *event, Loop **ret) {
    LoopEvent *l;

    l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    l->loop.ops = &loop_event_ops;
    l->event = sd_event_ref(event);
    l->clock = choose_clock(event);
    *ret = &l->loop;
    return 0;
}

void loop_event_free(Loop *loop) {
    LoopEvent *l;

    if (!loop)
        return;
    l = CONTAINER_OF(loop, LoopEvent, loop);
    loop_child_list_done(&l->children);
    while (l->timers)
        timer_free(l->timers);
    sd_event_unref(l->event);
    free(l);
}
