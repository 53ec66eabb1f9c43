/* SPDX-License-Identifier: Apache-2.0 */
/* Trails whose polls fail: they are started without a poll, and that is reported. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/util/text.h"
#include "tests/unit/guard_life.h"

/* A trail that cannot be polled is started blindly where that can help, and slowly. */
static void what_cannot_be_polled_is_started_blindly(void **unused) {
    static const struct {
        const char *name;
        Mode mode;
        bool writable, stop_allowed;
        PollError error;
        unsigned n_polls; /* that fail, one a second */
        unsigned n_starts;
    } blinds[] = {
        { "denied", MODE_RESTART, true, false, POLL_DENIED, 3, 1 },
        { "throttled", MODE_RESTORE, true, false, POLL_THROTTLED, 3, 1 },
        { "too early", MODE_RESTART, true, false, POLL_DENIED, 2, 0 },
        { "for two minutes", MODE_RESTART, true, false, POLL_THROTTLED, 120, 4 },
        { "network", MODE_RESTART, true, false, POLL_UNREACHABLE, 60, 0 },
        { "keys", MODE_RESTART, true, false, POLL_CREDENTIALS, 60, 0 },
        { "observe", MODE_OBSERVE, true, false, POLL_DENIED, 60, 0 },
        { "not ours", MODE_RESTART, false, false, POLL_DENIED, 60, 0 },
        { "a stop is allowed", MODE_RESTART, true, true, POLL_DENIED, 60, 0 },
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(blinds); i++)
        for (unsigned reachable = 0; reachable < 2; reachable++) {
            Life l = life(blinds[i].mode, blinds[i].writable);
            Observation fails = { .kind = OBSERVED_ERROR,
                                  .error = blinds[i].error,
                                  .target_reachable = reachable,
                                  .error_text = "GetTrailStatus: no" };
            unsigned n = 0;

            l.facts.maintenance = l.facts.stop_allowed = blinds[i].stop_allowed;
            result(&l, logging(STARTED, 0));
            for (unsigned k = 0; k < blinds[i].n_polls; k++) {
                pass_time(&l, SEC);
                result(&l, fails);
                if (l.plan.action == ACTION_NONE)
                    continue;
                n++;
                assert_int_equal(l.plan.action, ACTION_RESTART);
                failed(&l);
                assert_true(l.plan.action == ACTION_NONE && l.plan.wake_mono_usec > l.now.mono_usec);
            }
            if (n != blinds[i].n_starts)
                fail_msg("%s: %u", blinds[i].name, n);
        }
}

/* It was stopped while it could not be polled: what the read-back shows is reported as any gap. */
static void a_blind_restart_that_is_read_back_tells_of_the_stop(void **unused) {
    Life l = life(MODE_RESTART, true);
    Observation fails = { .kind = OBSERVED_ERROR, .error = POLL_THROTTLED, .error_text = "no" };

    (void)unused;
    result(&l, logging(STARTED, 0));
    for (unsigned k = 0; k < 3; k++) {
        pass_time(&l, SEC);
        result(&l, fails);
    }
    assert_int_equal(l.plan.action, ACTION_RESTART);
    pass_time(&l, SEC);
    held(&l, l.now.real_usec, l.now.real_usec - 2 * SEC);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_INTERRUPTED);
    assert_int_equal(l.state.n_failed, 0);
    assert_int_equal(l.state.n_unpolled_restarts, 0);
}

/* Without a poll nothing shows it; that AWS gave the request an id and no error does. */
static void an_unpolled_restart_counts_as_accepted_by_aws_own_answer(void **state _unused_) {
    static const struct {
        const char *request_id, *error_code;
        bool accepted;
    } rows[] = { { "", "", false }, { "r-1", "", true }, { "r-1", "AccessDenied", false } };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Life l = life(MODE_RESTART, true);
        Outcome outcome = { .action = ACTION_RESTART,
                            .result = RESULT_FAILED,
                            .error_text = "not read back" };

        (void)text_copy(outcome.request_id, sizeof(outcome.request_id), rows[i].request_id);
        (void)text_copy(outcome.error_code, sizeof(outcome.error_code), rows[i].error_code);
        result(&l, logging(STARTED, 0));
        for (unsigned k = 0; k < l.policy.unreachable_after; k++)
            result(&l, in_vain(POLL_DENIED, true));
        assert_true(l.state.is_restarting_unpolled);
        decide(&l, (TrailInput){ .kind = GUARD_ACTED, .outcome = &outcome });
        assert_int_equal(l.state.unpolled_accepted, rows[i].accepted);
    }
}

/* What is sent without a poll is in a message: the target's own, or the trail's until that one has begun. */
static void what_is_started_blindly_is_reported(void **unused) {
    static const struct {
        const char *name;
        Mode mode;
        PollError error;
        bool target_reachable, target_pending; /* of the poll that makes it count as unreachable */
        bool starts, reported;
    } rows[] = {
        { "only the trail", MODE_RESTART, POLL_THROTTLED, true, false, true, true },
        { "the whole target", MODE_RESTART, POLL_THROTTLED, false, false, true, false },
        { "the target, later", MODE_RESTART, POLL_THROTTLED, false, true, true, true },
        { "denied", MODE_RESTORE, POLL_DENIED, false, true, true, true },
        { "nothing is sent", MODE_OBSERVE, POLL_DENIED, false, true, false, false },
        { "of no use", MODE_RESTART, POLL_UNREACHABLE, false, true, false, false },
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Life l = life(rows[i].mode, true);
        Observation fails = in_vain(rows[i].error, true);

        result(&l, logging(STARTED, 0));
        for (unsigned k = 1; k < l.policy.unreachable_after; k++)
            result(&l, fails);
        assert_int_equal(l.n_events, 0);
        fails.target_reachable = rows[i].target_reachable;
        fails.target_pending = rows[i].target_pending;
        result(&l, fails);
        if ((l.plan.action == ACTION_RESTART) != rows[i].starts ||
            (l.plan.n_events == 1) != rows[i].reported)
            fail_msg("%s: action %d, %u events", rows[i].name, l.plan.action, l.plan.n_events);
        if (!rows[i].reported)
            continue;
        assert_int_equal(l.plan.events[0].kind, EVENT_TARGET_UNREACHABLE);
        assert_int_equal(l.plan.events[0].n_unpolled_restarts, 0); /* it says what will be sent */
        assert_true(l.plan.events[0].may_act);
        failed(&l);
        result(&l, logging(STARTED, 0));
        assert_int_equal(l.plan.events[0].kind, EVENT_TARGET_REACHABLE);
    }
}

/* A target that has failed less often than its trail: another of its calls was answered meanwhile. */
static void a_target_counts_as_unreachable_with_its_last_failed_poll(void **unused) {
    static const struct {
        unsigned n_failed;
        bool unreachable, pending;
    } rows[] = {
        { 0, false, true }, { 1, false, true }, { 2, false, false }, { 3, true, false }, { 0, true, false },
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(guard_target_is_pending(&(Policy){ .unreachable_after = 3 }, rows[i].n_failed,
                                                 rows[i].unreachable),
                         rows[i].pending);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_polled_is_started_blindly),
        cmocka_unit_test(a_blind_restart_that_is_read_back_tells_of_the_stop),
        cmocka_unit_test(an_unpolled_restart_counts_as_accepted_by_aws_own_answer),
        cmocka_unit_test(what_is_started_blindly_is_reported),
        cmocka_unit_test(a_target_counts_as_unreachable_with_its_last_failed_poll),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
