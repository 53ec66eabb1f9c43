/* SPDX-License-Identifier: Apache-2.0 */
/* link: -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc,--wrap=sd_event_add_time */
/* Timers that there is no memory for: neither for us nor for sd-event. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-event.h>

#include <cmocka.h>

#include "lib/loop_event.h"
#include "lib/util/macros.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/between.h"

#define SPARE         32U
#define PATIENCE_USEC (20 * USEC_PER_SEC)

static bool add_time_fails; /* what a test has arranged */

int __real_sd_event_add_time(sd_event *event, sd_event_source **ret, clockid_t clock, uint64_t usec,
                             uint64_t accuracy, sd_event_time_handler_t callback, void *userdata);
int __wrap_sd_event_add_time(sd_event *event, sd_event_source **ret, clockid_t clock, uint64_t usec,
                             uint64_t accuracy, sd_event_time_handler_t callback, void *userdata);

int __wrap_sd_event_add_time(sd_event *event, sd_event_source **ret, clockid_t clock, uint64_t usec,
                             uint64_t accuracy, sd_event_time_handler_t callback, void *userdata) {
    return add_time_fails ? -ENOMEM
                          : __real_sd_event_add_time(event, ret, clock, usec, accuracy, callback, userdata);
}

typedef struct Poor {
    sd_event *event;
    Loop *loop;
    char order[64]; /* of those that fired */
    size_t n_fired;
    LoopTimer *other;
} Poor;

typedef struct Named {
    Poor *poor;
    char name;
    uint64_t fired_at_usec;
} Named;

static int set_up(void **state) {
    Poor *poor = calloc(1, sizeof(*poor));

    assert_non_null(poor);
    assert_true(sd_event_new(&poor->event) >= 0);
    assert_int_equal(loop_event_new(poor->event, &poor->loop), 0);
    *state = poor;
    return 0;
}

static int tear_down(void **state) {
    Poor *poor = *state;

    loop_event_free(poor->loop);
    sd_event_unref(poor->event);
    free(poor);
    return 0;
}

static void poor_fired(void *userdata) {
    Named *named = userdata;
    Poor *poor = named->poor;

    assert_true(poor->n_fired < sizeof(poor->order) - 1);
    poor->order[poor->n_fired++] = named->name;
    named->fired_at_usec = poor->loop ? loop_monotonic_usec(poor->loop) : 0;
}

/* Without any memory. */
static int after(Poor *poor, uint64_t delay_usec, LoopFired fired, void *userdata, LoopTimer **ret) {
    int r;

    add_time_fails = true;
    alloc_fail_after(0);
    r = loop_after(poor->loop, delay_usec, fired, userdata, ret);
    add_time_fails = false;
    (void)alloc_fail_end();
    return r;
}

static void run_until(Poor *poor, size_t want) {
    uint64_t start = loop_monotonic_usec(poor->loop);

    while (poor->n_fired < want) {
        assert_true(loop_monotonic_usec(poor->loop) - start < PATIENCE_USEC);
        assert_true(sd_event_run(poor->event, 100000) >= 0);
    }
}

static void run_dry(Poor *poor) {
    while (sd_event_run(poor->event, 0) > 0)
        ;
}

/* They fire in time, beside those that have all they need. */
static void test_timers_without_memory_fire_in_time(void **state) {
    Poor *poor = *state;
    Named named[] = { { poor, 'c', 0 }, { poor, 'a', 0 }, { poor, 'd', 0 }, { poor, 'b', 0 } };
    static const uint64_t delays[] = { 30000, 0, 60000, 10000 };
    uint64_t start = loop_monotonic_usec(poor->loop);

    for (size_t i = 0; i < ARRAY_SIZE(named); i++)
        assert_int_equal(i == 0 ? loop_after(poor->loop, delays[i], poor_fired, &named[i], NULL)
                                : after(poor, delays[i], poor_fired, &named[i], NULL),
                         0);
    assert_int_equal(poor->n_fired, 0);
    run_until(poor, ARRAY_SIZE(named));
    run_dry(poor);
    assert_string_equal(poor->order, "abcd");
    for (size_t i = 0; i < ARRAY_SIZE(named); i++)
        assert_true(named[i].fired_at_usec >= start + delays[i]);
}

static void again(void *userdata) {
    Named *named = userdata;

    poor_fired(named);
    if (named->poor->n_fired < 3 * SPARE / 2)
        assert_int_equal(after(named->poor, named->poor->n_fired % 2 ? 0 : 100, again, named, NULL), 0);
}

/* What goes on by a timer goes on for as long as there is no memory. */
static void test_timers_that_make_the_next_go_on(void **state) {
    Poor *poor = *state;
    Named named = { poor, 'x', 0 };

    assert_int_equal(after(poor, 100, again, &named, NULL), 0);
    run_until(poor, 3 * SPARE / 2);
}

/* There are so many, and no more; one that ends, or is cancelled, can be used again. */
static void test_spare_timers_are_counted_and_come_back(void **state) {
    Poor *poor = *state;
    Named named = { poor, 'x', 0 };
    LoopTimer *timers[SPARE];

    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < SPARE; i++)
            assert_int_equal(after(poor, i % 2 ? 1 : UINT64_MAX, poor_fired, &named, &timers[i]), 0);
        assert_int_equal(after(poor, 1, poor_fired, &named, NULL), -ENOMEM);
        assert_int_equal(after(poor, 0, poor_fired, &named, NULL), -ENOMEM);
        for (unsigned i = 0; i < SPARE; i++)
            loop_cancel(poor->loop, timers[i]);
        run_dry(poor);
        assert_int_equal(poor->n_fired, 0);
    }
    assert_int_equal(after(poor, 1, poor_fired, &named, NULL), 0);
    run_until(poor, 1);
}

static void cancel_other(void *userdata) {
    Named *named = userdata;

    poor_fired(named);
    loop_cancel(named->poor->loop, TAKE_PTR(named->poor->other));
}

static void test_one_cancels_another(void **state) {
    Poor *poor = *state;
    Named named[] = { { poor, 'a', 0 }, { poor, 'b', 0 } };

    assert_int_equal(after(poor, 1, cancel_other, &named[0], NULL), 0);
    assert_int_equal(after(poor, 1, poor_fired, &named[1], &poor->other), 0);
    run_until(poor, 1);
    run_dry(poor);
    assert_string_equal(poor->order, "a");
}

static void free_loop(void *userdata) {
    Named *named = userdata;

    loop_event_free(TAKE_PTR(named->poor->loop));
    poor_fired(named);
}

static void test_free_from_inside(void **state) {
    Poor *poor = *state;
    Named named[] = { { poor, 'a', 0 }, { poor, 'b', 0 } };

    assert_int_equal(after(poor, 1, free_loop, &named[0], NULL), 0);
    assert_int_equal(after(poor, 1, poor_fired, &named[1], NULL), 0);
    assert_int_equal(after(poor, 1000, poor_fired, &named[1], NULL), 0);
    while (poor->loop)
        assert_true(sd_event_run(poor->event, 100000) >= 0);
    run_dry(poor);
    assert_string_equal(poor->order, "a");
}

static void test_a_loop_needs_its_memory(void **state _unused_) {
    sd_event *event = NULL;
    Loop *loop = NULL;
    unsigned n = 0;
    bool failed;

    assert_true(sd_event_new(&event) >= 0);
    do {
        int r;

        alloc_fail_after(n++);
        r = loop_event_new(event, &loop);
        failed = alloc_fail_end();
        assert_int_equal(r, failed ? -ENOMEM : 0);
    } while (failed);
    loop_event_free(loop);
    add_time_fails = true;
    assert_int_equal(loop_event_new(event, &loop), -ENOMEM);
    add_time_fails = false;
    sd_event_unref(event);
    assert_between(n, SPARE + 1, SPARE + 10);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(test_timers_without_memory_fire_in_time),
        T(test_timers_that_make_the_next_go_on),
        T(test_spare_timers_are_counted_and_come_back),
        T(test_one_cancels_another),
        T(test_free_from_inside),
        cmocka_unit_test(test_a_loop_needs_its_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
