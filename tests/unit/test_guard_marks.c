/* SPDX-License-Identifier: Apache-2.0 */
/* What identifies a message is the same when the daemon dies behind it, with the state file as it was
 * before: the next one takes up what guard_target_marks and guard_trail_marks had put there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guard_life.h"

/* ---- targets ---- */

/* One message, which this state leads to at that time. */
static Event report_of(const TargetState *state, const PollResult *result, uint64_t now_usec,
                       TargetState *ret_next) {
    const Policy policy = { .unreachable_after = 1 };
    Plan plan;

    guard_target(&policy, state, result, (Now){ now_usec, now_usec }, &plan, ret_next);
    assert_true(plan.n_events > 0); /* that it lasts five minutes may be the next one */
    return plan.events[0];
}

static void of_a_target(void **state _unused_) {
    static const PollResult rows[] = {
        { .error = POLL_DENIED, .error_text = "denied" },
        { .error = POLL_GONE, .error_text = "gone" },
        { .reachable = true, .list_error = POLL_DENIED },
        { .reachable = true, .list_read = true, .listed = true, .covered = false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        TargetState before = { 0 }, next, marked, again;
        Event first, second;

        before.reach.event = before.cover.event = before.list.event = _EVENT_MAX;
        first = report_of(&before, &rows[i], EPOCH, &next);
        assert_int_equal(guard_target_marks(&before, &next, &marked), EPOCH);
        /* nothing of it counts as reported */
        assert_false(marked.reach.open || marked.cover.open || marked.list.open || marked.unreachable);
        second = report_of(&marked, &rows[i], EPOCH + HOUR, &again);
        assert_int_equal(second.kind, first.kind);
        assert_int_equal(second.dedup_usec, first.dedup_usec);
        assert_int_equal(second.incident_dedup_usec, first.incident_dedup_usec);
        /* what had ended meanwhile begins at its own time */
        guard_target(&(Policy){ .unreachable_after = 1 }, &marked,
                     &(PollResult){ .reachable = true, .list_read = true, .listed = true, .covered = true },
                     (Now){ EPOCH + HOUR, EPOCH + HOUR }, &(Plan){ 0 }, &again);
        assert_int_not_equal(report_of(&again, &rows[i], EPOCH + 2 * HOUR, &next).dedup_usec,
                             first.dedup_usec);
    }
}

/* An account that could not be reached has left: another fact, at its own time. */
static void of_an_account_that_leaves(void **state _unused_) {
    static const PollResult denied = { .error = POLL_DENIED }, gone = { .error = POLL_GONE };
    TargetState before = { 0 }, next, marked, again;
    Event first, second;

    before.reach.event = before.cover.event = before.list.event = _EVENT_MAX;
    (void)report_of(&before, &denied, EPOCH, &before);
    first = report_of(&before, &gone, EPOCH + SEC, &next);
    assert_int_equal(first.dedup_usec, EPOCH + SEC);
    assert_int_equal(guard_target_marks(&before, &next, &marked), EPOCH + SEC);
    second = report_of(&marked, &gone, EPOCH + HOUR, &again);
    assert_int_equal(second.dedup_usec, first.dedup_usec);
    /* while it is gone, its mark stays */
    next = again;
    next.left_usec = EPOCH + 2 * HOUR;
    (void)guard_target_marks(&again, &next, &marked);
    assert_int_equal(marked.left_usec, EPOCH + SEC);
    /* back, out of reach, and left once more */
    (void)report_of(&again, &(PollResult){ .reachable = true }, EPOCH + 2 * HOUR, &again);
    (void)report_of(&again, &denied, EPOCH + 3 * HOUR, &again);
    assert_int_equal(report_of(&again, &gone, EPOCH + 4 * HOUR, &again).dedup_usec, EPOCH + 4 * HOUR);
}

/* ---- causes ---- */

static void of_who_joined_a_cause(void **state _unused_) {
    const Policy policy = { .unreachable_after = 1 };
    Subject members[2] = { { .account = "1", .region = "a" }, { .account = "1", .region = "b" } };
    TargetState failing = { .error = POLL_DENIED, .n_failed = 1 };
    CauseMembers in = {
        .members = members, .n = 1, .n_begun = 1, .n_answering = 1, .since_usec = EPOCH, .first = &failing
    };
    Cause cause = { .kind = CAUSE_CLOSED }, next;
    uint64_t marks[3];
    Plan plan;
    bool alone;

    cause.incident.event = _EVENT_MAX;
    guard_cause(&policy, &cause, &in, (Now){ EPOCH, EPOCH }, &plan, &cause, &alone);
    assert_int_equal(plan.n_events, 1);
    for (unsigned i = 0; i < 3; i++) {
        uint64_t now = EPOCH + (i < 2 ? 10 : 20) * 60 * SEC + i;

        in.n = i < 2 ? 2 : 1;
        guard_cause(&policy, &cause, &in, (Now){ now, now }, &plan, &next, &alone);
        assert_int_equal(plan.n_events, 1);
        marks[i] = plan.events[0].dedup_usec;
        if (i > 0) /* the first time the daemon dies */
            cause = next;
    }
    assert_int_equal(marks[0], marks[1]);
    assert_int_not_equal(marks[1], marks[2]);
}

/* ---- trails ---- */

static Drift moved(const char *bucket) {
    Drift drift = { .n = 1 };

    drift.changes[0] = (Change){
        .field = FIELD_BUCKET, .loses_events = true, .expected = (char *)"logs", .actual = (char *)bucket
    };
    return drift;
}

static void of_a_change_whose_hour_is_over(void **state _unused_) {
    Observation seen = logging(STARTED, 0);
    Drift drift = moved("elsewhere"), none = { 0 };
    TrailInput status = { .kind = GUARD_POLLED, .seen = &seen },
               compared = { .kind = GUARD_COMPARED, .seen = &seen, .drift = &drift };
    Life l = life(MODE_RESTART, true);
    TrailState before, marked;
    Event first;

    guard_trail(&l.policy, &l.facts, &l.state, &status, l.now, &l.plan, &l.state);
    before = l.state;
    guard_trail(&l.policy, &l.facts, &before, &compared, l.now, &l.plan, &l.state);
    assert_int_equal(l.plan.n_events, 1);
    first = l.plan.events[0];
    assert_int_equal(guard_trail_marks(&before, &l.state, &marked), l.now.real_usec);
    assert_false(marked.incident.open);

    pass_time(&l, 2 * HOUR);
    guard_trail(&l.policy, &l.facts, &marked, &status, l.now, &l.plan, &l.state);
    assert_int_equal(l.plan.n_events, 0);
    guard_trail(&l.policy, &l.facts, &l.state, &compared, l.now, &l.plan, &l.state);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].dedup_usec, first.dedup_usec);
    assert_int_equal(l.state.marking_usec, 0);

    /* put back while the daemon was down, and made once more afterwards: another fact */
    guard_trail(&l.policy, &l.facts, &marked,
                &(TrailInput){ .kind = GUARD_COMPARED, .seen = &seen, .drift = &none }, l.now, &l.plan,
                &l.state);
    assert_int_equal(l.plan.n_events, 0);
    guard_trail(&l.policy, &l.facts, &l.state, &compared, l.now, &l.plan, &l.state);
    assert_int_not_equal(l.plan.events[0].dedup_usec, first.dedup_usec);
}

static void of_a_trail_that_cannot_be_polled(void **state _unused_) {
    Observation well = logging(STARTED, 0), denied = in_vain(POLL_DENIED, true);
    Life l = life(MODE_RESTART, true);
    TrailState before, marked;
    uint64_t mark;

    l.policy.unreachable_after = 1;
    guard_trail(&l.policy, &l.facts, &l.state, &(TrailInput){ .kind = GUARD_POLLED, .seen = &well }, l.now,
                &l.plan, &l.state);
    before = l.state;
    guard_trail(&l.policy, &l.facts, &before, &(TrailInput){ .kind = GUARD_POLLED, .seen = &denied }, l.now,
                &l.plan, &l.state);
    assert_int_equal(l.plan.n_events, 1);
    mark = l.plan.events[0].dedup_usec;
    (void)guard_trail_marks(&before, &l.state, &marked);
    pass_time(&l, HOUR);
    guard_trail(&l.policy, &l.facts, &marked, &(TrailInput){ .kind = GUARD_POLLED, .seen = &denied }, l.now,
                &l.plan, &l.state);
    assert_true(l.plan.n_events > 0);
    assert_int_equal(l.plan.events[0].dedup_usec, mark);
    /* killed once more, with a mark that is there */
    before = marked;
    l.state.failed_since_usec = l.now.real_usec;
    assert_int_equal(guard_trail_marks(&before, &l.state, &marked), l.now.real_usec);
    assert_int_equal(marked.failed_since_usec, mark);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_target),
        cmocka_unit_test(of_an_account_that_leaves),
        cmocka_unit_test(of_who_joined_a_cause),
        cmocka_unit_test(of_a_change_whose_hour_is_over),
        cmocka_unit_test(of_a_trail_that_cannot_be_polled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
