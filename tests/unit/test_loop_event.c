/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <systemd/sd-event.h>
#include <time.h>

#include <cmocka.h>

#include "lib/loop_event.h"
#include "lib/util/macros.h"

#define PATIENCE_USEC (20 * USEC_PER_SEC)

typedef struct Fixture {
    sd_event *event;
    Loop *loop;
    unsigned n_fired;
    uint64_t fired_at_usec;
    LoopTimer *other;
} Fixture;

static int set_up(void **state) {
    Fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    assert_true(sd_event_new(&f->event) >= 0);
    assert_int_equal(loop_event_new(f->event, &f->loop), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    Fixture *f = *state;

    loop_event_free(f->loop);
    sd_event_unref(f->event);
    free(f);
    return 0;
}

static void fired(void *userdata) {
    Fixture *f = userdata;

    f->n_fired++;
    f->fired_at_usec = f->loop ? loop_monotonic_usec(f->loop) : 0;
}

static void run_until(Fixture *f, unsigned want) {
    uint64_t start = loop_monotonic_usec(f->loop);

    while (f->n_fired < want) {
        assert_true(loop_monotonic_usec(f->loop) - start < PATIENCE_USEC);
        assert_true(sd_event_run(f->event, 100000) >= 0);
    }
}

static void run_dry(Fixture *f) {
    while (sd_event_run(f->event, 0) > 0)
        ;
}

static void test_timers_fire_in_time(void **state) {
    static const uint64_t delays[] = { 0, 1, 5000, 60000 };
    Fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(delays); i++) {
        uint64_t start = loop_monotonic_usec(f->loop);

        f->n_fired = 0;
        assert_int_equal(loop_after(f->loop, delays[i], fired, f, NULL), 0);
        assert_int_equal(f->n_fired, 0); /* never from inside */
        run_until(f, 1);
        assert_true(f->fired_at_usec >= start + delays[i]);
        run_dry(f);
        assert_int_equal(f->n_fired, 1); /* once */
    }
}

static void test_cancelled_timers_do_not_fire(void **state) {
    Fixture *f = *state;
    LoopTimer *timers[4];
    static const uint64_t delays[] = { 0, 1, 1000, UINT64_MAX };

    loop_cancel(f->loop, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(delays); i++)
        assert_int_equal(loop_after(f->loop, delays[i], fired, f, &timers[i]), 0);
    loop_cancel(f->loop, timers[2]);
    loop_cancel(f->loop, timers[0]);
    loop_cancel(f->loop, timers[3]);
    loop_cancel(f->loop, timers[1]);
    assert_int_equal(loop_after(f->loop, 3000, fired, f, NULL), 0);
    run_until(f, 1);
    run_dry(f);
    assert_int_equal(f->n_fired, 1);
}

/* The largest delay is a delay: it must not wrap and fire now. */
static void test_far_away(void **state) {
    Fixture *f = *state;
    uint64_t start = loop_monotonic_usec(f->loop);

    assert_int_equal(loop_after(f->loop, UINT64_MAX, fired, f, NULL), 0);
    assert_int_equal(loop_after(f->loop, UINT64_MAX - start, fired, f, NULL), 0);
    assert_int_equal(loop_after(f->loop, 5000, fired, f, NULL), 0);
    run_until(f, 1);
    assert_true(f->fired_at_usec >= start + 5000);
    run_dry(f);
    assert_int_equal(f->n_fired, 1);
}

static void cancel_other(void *userdata) {
    Fixture *f = userdata;

    fired(f);
    loop_cancel(f->loop, TAKE_PTR(f->other));
}

static void test_cancel_from_inside(void **state) {
    Fixture *f = *state;

    /* Both are due at once; the first takes the second away. */
    assert_int_equal(loop_after(f->loop, 0, cancel_other, f, NULL), 0);
    assert_int_equal(loop_after(f->loop, 0, fired, f, &f->other), 0);
    run_until(f, 1);
    run_dry(f);
    assert_int_equal(f->n_fired, 1);
}

static void again(void *userdata) {
    Fixture *f = userdata;

    fired(f);
    if (f->n_fired < 20)
        assert_int_equal(loop_after(f->loop, f->n_fired % 2 ? 0 : 100, again, f, NULL), 0);
}

static void test_arm_from_inside(void **state) {
    Fixture *f = *state;

    assert_int_equal(loop_after(f->loop, 0, again, f, NULL), 0);
    run_until(f, 20);
}

static void free_loop(void *userdata) {
    Fixture *f = userdata;

    loop_event_free(TAKE_PTR(f->loop));
    fired(f);
}

static void test_free_from_inside(void **state) {
    Fixture *f = *state;

    assert_int_equal(loop_after(f->loop, 0, free_loop, f, NULL), 0);
    assert_int_equal(loop_after(f->loop, 0, fired, f, NULL), 0);
    assert_int_equal(loop_after(f->loop, 10, fired, f, NULL), 0);
    while (f->loop)
        assert_true(sd_event_run(f->event, 100000) >= 0);
    run_dry(f);
    assert_int_equal(f->n_fired, 1);
}

static void test_clocks_and_randomness(void **state) {
    Fixture *f = *state;
    struct timespec ts;
    uint64_t before, after, now, seen = 0;

    assert_int_equal(clock_gettime(CLOCK_REALTIME, &ts), 0);
    before = (uint64_t)ts.tv_sec * USEC_PER_SEC;
    now = loop_realtime_usec(f->loop);
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &ts), 0);
    after = ((uint64_t)ts.tv_sec + 1) * USEC_PER_SEC;
    assert_in_range(now, before, after);

    before = loop_monotonic_usec(f->loop);
    assert_true(before > 0);
    assert_true(loop_monotonic_usec(f->loop) >= before);

    /* That one bit stays the same in 64 numbers has a chance of one in 2^58. */
    for (unsigned i = 0; i < 64; i++)
        seen |= loop_random(f->loop);
    assert_true(seen == UINT64_MAX);
    assert_true(loop_random(f->loop) != loop_random(f->loop));
}

static void test_free_nothing(void **state) {
    (void)state;
    loop_event_free(NULL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(test_timers_fire_in_time),
        T(test_cancelled_timers_do_not_fire),
        T(test_far_away),
        T(test_cancel_from_inside),
        T(test_arm_from_inside),
        T(test_free_from_inside),
        T(test_clocks_and_randomness),
        cmocka_unit_test(test_free_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
