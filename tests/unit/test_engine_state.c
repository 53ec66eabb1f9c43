/* SPDX-License-Identifier: Apache-2.0 */
/* link: -Wl,--wrap=log_line */
/* The state file that cannot be written: the engine says so once, tries again soon without being asked, and
 * says when it is written again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/engine_private.h"
#include "daemon/log.h"
#include "tests/unit/fake_loop.h"

#define AGAIN_MAX_USEC (10 * USEC_PER_SEC)

void __wrap_log_line(int level, const char *format, ...) _printf_(2, 3);

static struct {
    unsigned n[LOG_DEBUG + 1]; /* lines by level */
    char last[1024];
} logged;

void __wrap_log_line(int level, const char *format, ...) {
    va_list ap;

    logged.n[level]++;
    va_start(ap, format);
    (void)vsnprintf(logged.last, sizeof(logged.last), format, ap);
    va_end(ap);
}

typedef struct Fixture {
    FakeLoop *loop;
    Engine engine;
    char dir[64], file[96];
} Fixture;

static void begin(Fixture *f) {
    memset(&logged, 0, sizeof(logged));
    *f = (Fixture){ .loop = fake_loop_new(), .dir = "/tmp/test_engine_state.XXXXXX" };
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(f->file, sizeof(f->file), "%s/state.json", f->dir);
    f->engine.aws.loop = fake_loop_loop(f->loop);
    f->engine.state_dir = f->dir;
}

static void end(Fixture *f) {
    if (f->engine.save.timer)
        loop_cancel(f->engine.aws.loop, f->engine.save.timer);
    (void)unlink(f->file);
    (void)rmdir(f->dir);
    fake_loop_free(f->loop);
}

static void what_cannot_be_written_is_tried_again_within_10_s(void **state _unused_) {
    Fixture f;

    begin(&f);
    assert_int_equal(rmdir(f.dir), 0);
    engine_save_state(&f.engine);
    assert_int_equal(logged.n[LOG_ERR], 1);
    assert_non_null(strstr(logged.last, "state.json: cannot be written: "));
    for (unsigned i = 0; i < 6; i++) {
        assert_non_null(f.engine.save.timer);
        fake_loop_advance(f.loop, AGAIN_MAX_USEC);
    }
    assert_int_equal(logged.n[LOG_ERR], 1); /* said once */
    assert_int_equal(mkdir(f.dir, 0700), 0);
    fake_loop_advance(f.loop, AGAIN_MAX_USEC);
    assert_int_equal(access(f.file, R_OK), 0);
    assert_int_equal(logged.n[LOG_NOTICE], 1);
    assert_non_null(strstr(logged.last, "state.json: written again"));
    assert_null(f.engine.save.timer);
    end(&f);
}

/* A crash would lose an alert that the state says was raised. */
static void the_state_waits_for_alerts_that_are_only_in_memory(void **state _unused_) {
    Alert alert = { .id = "0", .text = strdup("text"), .sms = strdup("sms"), .document = strdup("{}") };
    Fixture f;
    char path[96], error[256];

    begin(&f);
    assert_int_equal(outbox_open(f.dir, &f.engine.outbox, error, sizeof(error)), 0);
    (void)snprintf(path, sizeof(path), "%s/outbox", f.dir);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(symlink("nowhere", path), 0); /* which is not followed */
    assert_int_equal(outbox_add(f.engine.outbox, &alert), OUTBOX_IN_MEMORY);
    engine_save_state(&f.engine);
    assert_int_not_equal(access(f.file, F_OK), 0);
    assert_non_null(strstr(logged.last, "state.json: cannot be written while alerts are only in memory"));
    assert_int_equal(unlink(path), 0);
    fake_loop_advance(f.loop, AGAIN_MAX_USEC);
    assert_int_not_equal(access(f.file, F_OK), 0);
    (void)outbox_try_again(f.engine.outbox);
    fake_loop_advance(f.loop, AGAIN_MAX_USEC);
    assert_int_equal(access(f.file, F_OK), 0);
    outbox_acknowledge(f.engine.outbox, outbox_first(f.engine.outbox), "a", &(const char *){ "a" }, 1);
    outbox_close(f.engine.outbox);
    assert_int_equal(rmdir(path), 0);
    end(&f);
}

static void what_was_written_is_left_alone(void **state _unused_) {
    Fixture f;

    begin(&f);
    engine_save_state(&f.engine);
    assert_int_equal(access(f.file, R_OK), 0);
    assert_null(f.engine.save.timer);
    assert_int_equal(unlink(f.file), 0);
    fake_loop_advance(f.loop, AGAIN_MAX_USEC);
    assert_int_not_equal(access(f.file, R_OK), 0);
    assert_int_equal(logged.n[LOG_ERR] + logged.n[LOG_NOTICE], 0);
    end(&f);
}

static void a_check_writes_nothing(void **state _unused_) {
    Fixture f;

    begin(&f);
    f.engine.once = true;
    engine_save_state(&f.engine);
    engine_save_soon(&f.engine, true);
    fake_loop_advance(f.loop, AGAIN_MAX_USEC);
    assert_int_not_equal(access(f.file, R_OK), 0);
    end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_written_is_tried_again_within_10_s),
        cmocka_unit_test(the_state_waits_for_alerts_that_are_only_in_memory),
        cmocka_unit_test(what_was_written_is_left_alone),
        cmocka_unit_test(a_check_writes_nothing),
    };

    return cmocka_run_group_tests_name("engine_state", tests, NULL, NULL);
}
