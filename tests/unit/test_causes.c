/* SPDX-License-Identifier: Apache-2.0 */
/* link: -Wl,--wrap=realloc,--wrap=calloc */
/* link: -Wl,--wrap=engine_queue_messages,--wrap=engine_save_mark,--wrap=engine_save_soon */
/* What several targets have in common, where there is no memory or no timer for it once: it is decided about
 * soon, though no target comes to it or goes from it any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/causes.h"
#include "daemon/engine_private.h"
#include "daemon/sinks.h"
#include "tests/unit/fake_loop.h"

#define SOON_USEC USEC_PER_SEC

static bool no_realloc, no_calloc; /* once */

void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

int __wrap_engine_queue_messages(Engine *engine, const Subject *subject, const Plan *plan);
void __wrap_engine_save_mark(Engine *engine, uint64_t taken_usec);
void __wrap_engine_save_soon(Engine *engine, bool now);

/* What is decided goes nowhere here. */
int __wrap_engine_queue_messages(Engine *engine, const Subject *subject, const Plan *plan) {
    (void)engine;
    (void)subject;
    (void)plan;
    return 0;
}

void __wrap_engine_save_mark(Engine *engine, uint64_t taken_usec) {
    (void)engine;
    (void)taken_usec;
}

void __wrap_engine_save_soon(Engine *engine, bool now) {
    (void)engine;
    (void)now;
}

static bool fails(bool *once) {
    bool now = *once;

    *once = false;
    return now;
}

void *__wrap_realloc(void *block, size_t size) {
    return fails(&no_realloc) ? NULL : __real_realloc(block, size);
}

void *__wrap_calloc(size_t n, size_t size) {
    return fails(&no_calloc) ? NULL : __real_calloc(n, size);
}

/* One account that cannot be reached, for a reason that it may share with others. */
typedef struct Fixture {
    FakeLoop *loop;
    Config config;
    Account account, *accounts[1];
    Engine engine;
} Fixture;

static void begin(Fixture *f) {
    TargetState state;

    *f = (Fixture){ .loop = fake_loop_new() };
    fake_loop_advance(f->loop, 60 * USEC_PER_SEC);
    f->account = (Account){ .engine = &f->engine, .id = "111122223333", .partition = "aws" };
    f->accounts[0] = &f->account;
    assert_int_equal(states_new_target(&f->account.state), 0);
    state = states_target(f->account.state);
    state.reach.open = true;
    state.cause = CAUSE_CREDENTIALS;
    assert_int_equal(states_keep_target(&f->account.state, &state), 0);
    f->engine = (Engine){ .config = &f->config,
                          .aws.loop = fake_loop_loop(f->loop),
                          .accounts = f->accounts,
                          .n_accounts = 1,
                          .base = &f->account };
}

static void end(Fixture *f) {
    no_realloc = no_calloc = false;
    loop_cancel(f->engine.aws.loop, f->engine.cause_timer);
    free(f->engine.causes);
    sparse_free(f->account.state);
    fake_loop_free(f->loop);
}

/* As the engine does when it is due. */
static void run_due(Fixture *f) {
    assert_int_equal(f->engine.due, DUE_CAUSES);
    f->engine.due = 0;
    engine_decide_causes(&f->engine);
}

static void assert_soon(Fixture *f) {
    assert_int_equal(f->engine.n_causes, 0);
    assert_true(f->engine.causes_are_left);
    fake_loop_advance(f->loop, SOON_USEC);
    run_due(f);
    assert_int_equal(f->engine.n_causes, 1);
    assert_false(f->engine.causes_are_left);
}

static void the_first_cause_has_no_memory(void **state _unused_) {
    Fixture f;

    begin(&f);
    no_realloc = true;
    engine_decide_causes(&f.engine);
    assert_false(no_realloc);
    assert_soon(&f);
    end(&f);
}

static void there_is_no_memory_to_gather(void **state _unused_) {
    Fixture f;

    begin(&f);
    no_calloc = true;
    engine_decide_causes(&f.engine);
    assert_false(no_calloc);
    assert_soon(&f);
    end(&f);
}

/* Then the next round of polls is its turn. */
static void there_is_no_timer_either(void **state _unused_) {
    Fixture f;

    begin(&f);
    no_realloc = true;
    fake_loop_fail_after(f.loop, 0);
    engine_decide_causes(&f.engine);
    assert_false(no_realloc);
    assert_null(f.engine.cause_timer);
    assert_true(f.engine.causes_are_left);
    end(&f);
}

static void what_is_decided_is_not_left(void **state _unused_) {
    Fixture f;

    begin(&f);
    engine_decide_causes(&f.engine);
    assert_int_equal(f.engine.n_causes, 1);
    assert_false(f.engine.causes_are_left);
    end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_cause_has_no_memory),
        cmocka_unit_test(there_is_no_memory_to_gather),
        cmocka_unit_test(there_is_no_timer_either),
        cmocka_unit_test(what_is_decided_is_not_left),
    };

    return cmocka_run_group_tests_name("causes", tests, NULL, NULL);
}
