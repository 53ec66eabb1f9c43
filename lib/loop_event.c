/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/loop_event.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/random.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "lib/util/macros.h"

/* sd-event may fire this much late so as to wake up once for several timers. */
#define ACCURACY_USEC (1 * USEC_PER_MSEC)
/* What is due at once is fired in one turn of sd-event, and so is what that makes due: a turn costs a system
 * call that looks at all sockets, and a poll has some six such steps. After so many, sockets and signals
 * have their turn. */
#define FIRED_IN_A_TURN_MAX 64
#define RANDOM_KEPT         32
/* Much goes on only by the timer that its last turn has made: one that there is no memory for would end that
 * for good. So many may wait without any. */
#define SPARE_TIMERS 32

typedef struct TimerList {
    LoopTimer *first, *last;
} TimerList;

typedef struct LoopEvent {
    Loop loop;
    sd_event *event;
    clockid_t clock;       /* CLOCK_BOOTTIME, or CLOCK_MONOTONIC where the kernel has no timers on it */
    TimerList later;         /* each has a source of its own */
    TimerList poor;          /* there was no memory for one: they share the next */
    sd_event_source *shared; /* on while there are such */
    TimerList due;           /* first come, first fired */
    sd_event_source *turn;   /* on while there are due ones */
    LoopTimer *spare;        /* by their next */
    unsigned n_spare;
    bool in_turn, freed; /* freed by what is fired in a turn: the turn's end frees the struct */
    uint64_t random[RANDOM_KEPT];
    unsigned n_random; /* that are left of them */
    LoopChildList children;
} LoopEvent;

struct LoopTimer {
    LoopEvent *owner;
    TimerList *list;
    LoopTimer *prev, *next;
    sd_event_source *source; /* NULL: it is due, or shares one */
    uint64_t at_usec;        /* of one that shares its source */
    LoopFired fired;
    void *userdata;
    LoopTimer **place; /* where its owner has it; NULL: nowhere */
};

static uint64_t clock_usec(clockid_t id) {
    struct timespec ts = { 0 };

    if (clock_gettime(id, &ts) < 0)
        return 0;
    return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

static void list_add(TimerList *list, LoopTimer *t) {
    t->list = list;
    t->prev = list->last;
    t->next = NULL;
    *(list->last ? &list->last->next : &list->first) = t;
    list->last = t;
}

static void list_remove(LoopTimer *t) {
    *(t->prev ? &t->prev->next : &t->list->first) = t->next;
    *(t->next ? &t->next->prev : &t->list->last) = t->prev;
}

static void spare_add(LoopEvent *l, LoopTimer *t) {
    t->next = l->spare;
    l->spare = t;
    l->n_spare++;
}

static LoopTimer *spare_take(LoopEvent *l) {
    LoopTimer *t = l->spare;

    if (t) {
        l->spare = t->next;
        l->n_spare--;
    }
    return t;
}

/* Until the spare ones are all there again, each that ends is one. */
static void timer_free(LoopTimer *t) {
    list_remove(t);
    sd_event_source_disable_unref(t->source);
    if (t->owner->n_spare < SPARE_TIMERS)
        spare_add(t->owner, t);
    else
        free(t);
}

static void timer_fire(LoopTimer *t) {
    LoopFired fired = t->fired;
    void *userdata = t->userdata;

    if (t->place)
        *t->place = NULL;
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

/* ---- those without a source of their own ---- */

static void share_source(LoopEvent *l) {
    uint64_t first_usec = UINT64_MAX;

    for (const LoopTimer *t = l->poor.first; t; t = t->next)
        first_usec = MIN(first_usec, t->at_usec);
    if (first_usec == UINT64_MAX)
        return;
    (void)sd_event_source_set_time(l->shared, first_usec);
    (void)sd_event_source_set_enabled(l->shared, SD_EVENT_ONESHOT);
}

static LoopTimer *find_overdue(const LoopEvent *l, uint64_t now_usec) {
    LoopTimer *t = l->poor.first;

    while (t && t->at_usec > now_usec)
        t = t->next;
    return t;
}

static int on_shared(sd_event_source *source, uint64_t usec, void *userdata) {
    LoopEvent *l = userdata;
    uint64_t now_usec = clock_usec(l->clock);
    LoopTimer *t;

    (void)source;
    (void)usec;
    l->in_turn = true;
    while ((t = find_overdue(l, now_usec)))
        timer_fire(t);
    l->in_turn = false;
    if (l->freed)
        free(l);
    else
        share_source(l);
    return 0;
}

/* ---- those that are due ---- */

static int on_turn(sd_event_source *source, void *userdata);

/* To sd-event a source of this kind is pending since it was made, so that it goes before sockets and timers.
 * A new one goes behind those that are pending now. */
static void turn_behind_others(LoopEvent *l) {
    sd_event_source *turn = NULL;

    if (sd_event_add_defer(l->event, &turn, on_turn, l) < 0) {
        (void)sd_event_source_set_enabled(l->turn, SD_EVENT_ONESHOT);
        return;
    }
    sd_event_source_disable_unref(l->turn);
    l->turn = turn;
}

static int on_turn(sd_event_source *source, void *userdata) {
    LoopEvent *l = userdata;

    (void)source;
    l->in_turn = true;
    for (unsigned n = 0; l->due.first && n < FIRED_IN_A_TURN_MAX; n++)
        timer_fire(l->due.first);
    l->in_turn = false;
    if (l->freed)
        free(l);
    else if (l->due.first)
        turn_behind_others(l);
    return 0;
}

/* ---- making one ---- */

static int timer_arm(LoopTimer *t, uint64_t delay_usec) {
    LoopEvent *l = t->owner;
    uint64_t now;
    int r;

    if (delay_usec == 0)
        return sd_event_source_set_enabled(l->turn, SD_EVENT_ONESHOT);
    now = clock_usec(l->clock);
    /* UINT64_MAX means "never" to sd-event. */
    if (delay_usec > UINT64_MAX - 1 - now)
        delay_usec = UINT64_MAX - 1 - now;
    t->at_usec = now + delay_usec;
    r = sd_event_add_time(l->event, &t->source, l->clock, t->at_usec, ACCURACY_USEC, on_time, t);
    if (r != -ENOMEM)
        return r;
    list_remove(t);
    list_add(&l->poor, t);
    share_source(l);
    return 0;
}

static int loop_event_after(Loop *loop, uint64_t delay_usec, LoopFired fired, void *userdata,
                            LoopTimer **timer) {
    LoopEvent *l = CONTAINER_OF(loop, LoopEvent, loop);
    LoopTimer *t;
    int r;

    t = calloc(1, sizeof(*t));
    if (!t)
        t = spare_take(l);
    if (!t)
        return -ENOMEM;
    *t = (LoopTimer){ .owner = l, .fired = fired, .userdata = userdata, .place = timer };
    list_add(delay_usec == 0 ? &l->due : &l->later, t);
    r = timer_arm(t, delay_usec);
    if (r < 0) {
        timer_free(t);
        return r;
    }
    if (timer)
        *timer = t;
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

/* Some are fetched at once, and each is given out once: every answer of AWS takes one. */
static uint64_t loop_event_random(Loop *loop) {
    LoopEvent *l = CONTAINER_OF(loop, LoopEvent, loop);
    ssize_t n;

    if (l->n_random == 0) {
        do
            n = getrandom(l->random, sizeof(l->random), 0);
        while (n < 0 && errno == EINTR);
        /* Only spreads retries: where the kernel has no answer the clock's low bits must do. */
        if (n != (ssize_t)sizeof(l->random))
            return loop_event_monotonic(loop) * UINT64_C(0x9e3779b97f4a7c15);
        l->n_random = RANDOM_KEPT;
    }
    return l->random[--l->n_random];
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

/* sd-event knows at once whether the kernel can wait on a clock. That there was no memory says nothing. */
static int choose_clock(LoopEvent *l) {
    sd_event_source *probe = NULL;
    int r;

    r = sd_event_add_time(l->event, &probe, CLOCK_BOOTTIME, UINT64_MAX, 0, on_time, NULL);
    sd_event_source_disable_unref(probe);
    l->clock = r < 0 ? CLOCK_MONOTONIC : CLOCK_BOOTTIME;
    return r == -ENOMEM ? r : 0;
}

static int add_sources(LoopEvent *l) {
    int r;

    r = sd_event_add_defer(l->event, &l->turn, on_turn, l);
    if (r >= 0)
        r = sd_event_source_set_enabled(l->turn, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_time(l->event, &l->shared, l->clock, UINT64_MAX, ACCURACY_USEC, on_shared, l);
    return r < 0 ? r : sd_event_source_set_enabled(l->shared, SD_EVENT_OFF);
}

static int add_spare_timers(LoopEvent *l) {
    while (l->n_spare < SPARE_TIMERS) {
        LoopTimer *t = calloc(1, sizeof(*t));

        if (!t)
            return -ENOMEM;
        spare_add(l, t);
    }
    return 0;
}

int loop_event_new(sd_event *event, Loop **ret) {
    LoopEvent *l;
    int r;

    l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    l->loop.ops = &loop_event_ops;
    l->event = sd_event_ref(event);
    r = choose_clock(l);
    if (r >= 0)
        r = add_sources(l);
    if (r >= 0)
        r = add_spare_timers(l);
    if (r < 0) {
        loop_event_free(&l->loop);
        return r;
    }
    *ret = &l->loop;
    return 0;
}

void loop_event_free(Loop *loop) {
    LoopEvent *l;
    LoopTimer *t;

    if (!loop)
        return;
    l = CONTAINER_OF(loop, LoopEvent, loop);
    loop_child_list_done(&l->children);
    while ((t = l->due.first) || (t = l->later.first) || (t = l->poor.first))
        timer_free(t);
    while ((t = spare_take(l)))
        free(t);
    sd_event_source_disable_unref(l->turn);
    sd_event_source_disable_unref(l->shared);
    sd_event_unref(l->event);
    l->freed = true;
    if (!l->in_turn)
        free(l);
}
