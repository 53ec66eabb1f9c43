/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/loop_event.h"
#include "lib/util/macros.h"
#include "tests/unit/between.h"

#define PATIENCE_USEC (20 * USEC_PER_SEC)

typedef struct Fixture {
    sd_event *event;
    Loop *loop;
    unsigned n_fired;
    unsigned n_steps, read_after;
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

static void fired_and_gone(void *userdata) {
    const Fixture *f = userdata;

    assert_null(f->other);
    fired(userdata);
}

/* Its owner cannot cancel it twice. */
static void test_a_timer_that_fires_is_gone(void **state) {
    static const uint64_t delays[] = { 0, 1000 };
    Fixture *f = *state;

    for (unsigned i = 0; i < ARRAY_SIZE(delays); i++) {
        assert_int_equal(loop_after(f->loop, delays[i], fired_and_gone, f, &f->other), 0);
        assert_non_null(f->other);
        run_until(f, i + 1);
    }
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

static void step(void *userdata) {
    Fixture *f = userdata;

    fired(f);
    if (f->n_fired < f->n_steps)
        assert_int_equal(loop_after(f->loop, 0, step, f, NULL), 0);
}

/* The steps of a poll follow each other at once: one turn of sd-event is enough for them. */
static void test_steps_take_one_turn(void **state) {
    Fixture *f = *state;

    f->n_steps = 10;
    assert_int_equal(loop_after(f->loop, 0, step, f, NULL), 0);
    assert_int_equal(loop_after(f->loop, 0, step, f, NULL), 0);
    assert_true(sd_event_run(f->event, 0) > 0);
    assert_int_equal(f->n_fired, 11);
}

static int on_pipe(sd_event_source *source, int fd, uint32_t events, void *userdata) {
    Fixture *f = userdata;

    (void)fd;
    (void)events;
    f->read_after = f->n_fired;
    return sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

/* Steps without end leave the sockets their turn. */
static void test_steps_without_end(void **state) {
    Fixture *f = *state;
    sd_event_source *source = NULL;
    int ends[2];

    f->n_steps = UINT_MAX;
    assert_int_equal(loop_after(f->loop, 0, step, f, NULL), 0);
    assert_true(sd_event_run(f->event, 0) > 0);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_true(sd_event_add_io(f->event, &source, ends[0], EPOLLIN, on_pipe, f) >= 0);
    for (unsigned i = 0; i < 10 && f->read_after == 0; i++)
        assert_true(sd_event_run(f->event, 0) > 0);
    assert_between(f->read_after, 1, 1000);
    sd_event_source_disable_unref(source);
    (void)close(ends[0]);
    (void)close(ends[1]);
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
    assert_between(now, before, after);

    before = loop_monotonic_usec(f->loop);
    assert_true(before > 0);
    assert_true(loop_monotonic_usec(f->loop) >= before);

    /* That one bit stays the same in 64 numbers has a chance of one in 2^58. */
    for (unsigned i = 0; i < 64; i++)
        seen |= loop_random(f->loop);
    assert_true(seen == UINT64_MAX);
    assert_true(loop_random(f->loop) != loop_random(f->loop));
}

/* ---- children ---- */

typedef struct Child {
    Fixture *f;
    unsigned n;
    LoopEnding ending;
    int code;
    char output[200], errors[200];
    size_t output_len;
    bool free_loop;
} Child;

static void child_ended(const LoopExit *ended, void *userdata) {
    Child *c = userdata;

    c->n++;
    c->ending = ended->ending;
    c->code = ended->code;
    c->output_len = ended->output_len;
    assert_int_equal(ended->output[ended->output_len], '\0');
    assert_int_equal(ended->errors[ended->errors_len], '\0');
    snprintf(c->output, sizeof(c->output), "%s", ended->output);
    snprintf(c->errors, sizeof(c->errors), "%s", ended->errors);
    c->f->n_fired++;
    if (c->free_loop)
        loop_event_free(TAKE_PTR(c->f->loop));
}

static LoopProgram shell(const char *const *arguments) {
    static const char *const environment[] = { "PATH=/usr/bin:/bin", "WORD=given", NULL };

    return (LoopProgram){
        .arguments = arguments,
        .environment = environment,
        .output_max = 100,
        .errors_max = 10,
        .timeout_usec = PATIENCE_USEC,
    };
}

#define SHELL(script) ((const char *const[]){ "sh", "-c", script, NULL })

static Child run_child(Fixture *f, const LoopProgram *program) {
    Child c = { .f = f };

    f->n_fired = 0;
    assert_int_equal(loop_spawn(f->loop, program, child_ended, &c, NULL), 0);
    assert_int_equal(c.n, 0);
    run_until(f, 1);
    assert_int_equal(c.n, 1);
    return c;
}

static void assert_no_children(Fixture *f) {
    siginfo_t info;

    for (unsigned i = 0; i < 200 && waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0; i++)
        assert_true(sd_event_run(f->event, 100000) >= 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void test_children(void **state) {
    static const struct {
        const char *script;
        LoopEnding ending;
        int code;
        const char *output, *errors;
    } cases[] = {
        { "echo hello; echo oops >&2", LOOP_EXITED, 0, "hello\n", "oops\n" },
        { "exit 3", LOOP_EXITED, 3, "", "" },
        { "kill -9 $$", LOOP_SIGNALLED, SIGKILL, "", "" },
        /* What is too long on standard error is cut, on standard output it is the end. */
        { "printf 123456789012345 >&2; exit 1", LOOP_EXITED, 1, "", "1234567890" },
        { "printf '%0101d' 7; sleep 60", LOOP_TOO_MUCH, 0, NULL, "" },
        { "printf '%0101d' 7", LOOP_TOO_MUCH, 0, NULL, "" },
        { "printf '%099d' 7 >/dev/null; printf '%03d' 7", LOOP_EXITED, 0, "007", "" },
        /* Only the environment that it was given, no descriptor of ours, nothing on its standard input. */
        { "env | sort | grep -v ^PWD= | grep -v ^_=; cat", LOOP_EXITED, 0,
          "PATH=/usr/bin:/bin\nWORD=given\n", "" },
        { "for i in 3 4 5 6 7 8 9 10 11 12 13 14; do test -e /proc/$$/fd/$i && echo $i; done; :",
          LOOP_EXITED, 0, "", "" },
        /* One that is left behind and holds the pipes goes with its parent. */
        { "sleep 60 & echo parent", LOOP_EXITED, 0, "parent\n", "" },
    };
    Fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        LoopProgram program = shell(SHELL(cases[i].script));
        Child c = run_child(f, &program);

        if (c.ending != cases[i].ending || c.code != cases[i].code)
            fail_msg("%s: %d, %d, %s", cases[i].script, (int)c.ending, c.code, c.errors);
        if (cases[i].output)
            assert_string_equal(c.output, cases[i].output);
        assert_string_equal(c.errors, cases[i].errors);
    }
    assert_no_children(f);
}

/* We block what our own loop wants to hear of, and ignore SIGPIPE. */
static void test_child_signals(void **state) {
    Fixture *f = *state;
    LoopProgram program = shell(SHELL("exec grep -E '^Sig(Blk|Ign)' /proc/self/status"));
    const char *preload = getenv("LD_PRELOAD");
    void (*before)(int);
    unsigned long blocked, ignored;
    sigset_t set, old;
    Child c;

    if (preload && strstr(preload, "vgpreload"))
        skip(); /* valgrind's own mask is what its children get */
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    assert_int_equal(sigprocmask(SIG_BLOCK, &set, &old), 0);
    before = signal(SIGPIPE, SIG_IGN);
    c = run_child(f, &program);
    (void)signal(SIGPIPE, before);
    assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
    assert_int_equal(sscanf(c.output, "SigBlk: %lx SigIgn: %lx", &blocked, &ignored), 2);
    assert_int_equal(blocked, 0);
    assert_int_equal(ignored & (1UL << (SIGPIPE - 1)), 0);
}

static void test_child_input(void **state) {
    static const char input[] = "line\n\0more";
    Fixture *f = *state;
    LoopProgram program = shell(SHELL("cat; cat /dev/stdin"));
    Child c;

    program.input = input;
    program.input_len = sizeof(input) - 1;
    c = run_child(f, &program);
    assert_int_equal(c.ending, LOOP_EXITED);
    assert_int_equal(c.output_len, 2 * (sizeof(input) - 1));

    /* Nobody reads it. */
    program = shell(SHELL("exit 0"));
    program.input = input;
    program.input_len = sizeof(input) - 1;
    c = run_child(f, &program);
    assert_int_equal(c.ending, LOOP_EXITED);
    assert_int_equal(c.code, 0);
}

static void test_child_deadline(void **state) {
    Fixture *f = *state;
    LoopProgram program = shell(SHELL("trap '' TERM; echo begun; sleep 60 & sleep 60"));
    uint64_t before = loop_monotonic_usec(f->loop);
    Child c;

    program.timeout_usec = 200 * USEC_PER_MSEC;
    c = run_child(f, &program);
    assert_int_equal(c.ending, LOOP_TIMED_OUT);
    assert_true(loop_monotonic_usec(f->loop) - before >= program.timeout_usec);
    assert_no_children(f);
}

static void test_child_that_cannot_start(void **state) {
    Fixture *f = *state;
    LoopProgram program = shell((const char *const[]){ "/nonexistent/program", NULL });
    Child c = { .f = f };

    int r;

    r = loop_spawn(f->loop, &program, child_ended, &c, NULL);
    if (r == 0) {
        /* valgrind makes a fork of the vfork: the news arrives this way. */
        run_until(f, 1);
        assert_int_equal(c.code, 127);
        return;
    }
    assert_int_equal(r, -ENOENT);
    program.arguments = (const char *const[]){ "/etc/passwd", NULL };
    assert_int_equal(loop_spawn(f->loop, &program, child_ended, &c, NULL), -EACCES);
    assert_int_equal(c.n, 0);
    assert_no_children(f);
}

static void test_child_killed_and_loop_freed(void **state) {
    Fixture *f = *state;
    LoopProgram program = shell(SHELL("sleep 60"));
    Child c = { .f = f };
    LoopChild *child;

    loop_kill(f->loop, NULL);
    assert_int_equal(loop_spawn(f->loop, &program, child_ended, &c, &child), 0);
    loop_kill(f->loop, child);
    assert_no_children(f);

    assert_int_equal(loop_spawn(f->loop, &program, child_ended, &c, NULL), 0);
    loop_event_free(TAKE_PTR(f->loop));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(c.n, 0);

    /* From inside, when it ended and when it did not. */
    for (int late = 0; late < 2; late++) {
        assert_int_equal(loop_event_new(f->event, &f->loop), 0);
        program = shell(late ? SHELL("sleep 60") : SHELL("exit 0"));
        program.timeout_usec = late ? 50 * USEC_PER_MSEC : PATIENCE_USEC;
        c = (Child){ .f = f, .free_loop = true };
        assert_int_equal(loop_spawn(f->loop, &program, child_ended, &c, NULL), 0);
        while (c.n == 0)
            assert_true(sd_event_run(f->event, 100000) >= 0);
        assert_null(f->loop);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    }
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
        T(test_a_timer_that_fires_is_gone),
        T(test_cancel_from_inside),
        T(test_arm_from_inside),
        T(test_steps_take_one_turn),
        T(test_steps_without_end),
        T(test_free_from_inside),
        T(test_clocks_and_randomness),
        T(test_children),
        T(test_child_signals),
        T(test_child_input),
        T(test_child_deadline),
        T(test_child_that_cannot_start),
        T(test_child_killed_and_loop_freed),
        cmocka_unit_test(test_free_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
