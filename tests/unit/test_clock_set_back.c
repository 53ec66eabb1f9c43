/* SPDX-License-Identifier: Apache-2.0 */
/* A clock that was ahead, and is set right: nothing waits until it has come round to where it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "daemon/core/contain.h"
#include "daemon/core/hold.h"
#include "lib/util/text.h"
#include "tests/unit/guard_life.h"

#define AHEAD (1000 * HOUR)
#define BOB   "arn:aws:iam::111122223333:user/bob"
#define TOPIC "arn:aws:sns:eu-central-1:111122223333:alerts"

/* ---- a trail ---- */

static void reminders_go_on(void **state _unused_) {
    Life l = life(MODE_OBSERVE, true);

    result(&l, logging(STARTED, 0));
    result(&l, stopped(STARTED, STOP_NOW));
    assert_int_equal(l.plan.n_events, 1);
    l.now.real_usec -= AHEAD;
    wake(&l);
    assert_true(l.plan.wake_mono_usec <= l.now.mono_usec + HOUR);
    wait_for_wake(&l, HOUR);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].phase, PHASE_REMINDER);
}

static void trouble_much_later_is_an_incident_of_its_own(void **state _unused_) {
    Life l = life(MODE_OBSERVE, true);

    result(&l, logging(STARTED, 0));
    result(&l, stopped(STARTED, STOP_NOW));
    result(&l, logging(EPOCH, STOP_NOW));
    l.now.real_usec -= AHEAD;
    wake(&l);
    pass_time(&l, GUARD_REOPEN_USEC + SEC);
    l.sequence = 0;
    result(&l, stopped(EPOCH, EPOCH + SEC));
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].phase, PHASE_OPENED);
}

/* A war is summed up every few minutes. */
static void summaries_go_on(void **state _unused_) {
    Life l = life(MODE_OBSERVE, true);
    uint64_t at = EPOCH;

    result(&l, logging(STARTED, 0));
    while (!l.state.incident.suppressed) {
        pass_time(&l, SEC);
        result(&l, stopped(at, at + SEC));
        result(&l, logging(at + 2 * SEC, at + SEC));
        at += 2 * SEC;
        assert_true(at < EPOCH + HOUR);
    }
    l.now.real_usec -= AHEAD;
    wake(&l);
    for (unsigned i = 0; l.plan.n_events == 0; i++) {
        assert_true(i < 10);
        wait_for_wake(&l, GUARD_SUMMARY_USEC);
    }
    assert_int_equal(l.plan.events[0].phase, PHASE_SUMMARY);
}

static void what_cannot_be_seen_becomes_critical(void **state _unused_) {
    Life l = life(MODE_OBSERVE, true);

    result(&l, logging(STARTED, 0));
    for (unsigned i = 0; i < 3; i++)
        result(&l, in_vain(POLL_DENIED, true));
    assert_int_equal(l.plan.events[0].severity, SEVERITY_WARNING);
    l.now.real_usec -= AHEAD;
    wake(&l);
    assert_true(l.plan.wake_mono_usec <= l.now.mono_usec + GUARD_UNREACHABLE_CRITICAL_USEC);
    wait_for_wake(&l, HOUR);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].severity, SEVERITY_CRITICAL);
}

/* AWS refuses a search whose end is before its begin. */
static void who_did_it_is_searched_where_it_can_be_found(void **state _unused_) {
    Life l = life(MODE_OBSERVE, true);

    l.policy.attribution = true;
    result(&l, logging(STARTED, 0));
    l.now.real_usec -= AHEAD;
    result(&l, absent());
    assert_true(l.state.attributing.wanted);
    assert_true(l.state.attributing.from_usec <= l.now.real_usec);
}

/* ---- a region, and what several have in common ---- */

static TargetState regions_state(void) {
    return (TargetState){ .reach.event = _EVENT_MAX, .cover.event = _EVENT_MAX, .list.event = _EVENT_MAX };
}

static void regions_are_reminded_of_and_become_critical(void **state _unused_) {
    Policy policy = { .unreachable_after = 1, .reminder_interval_usec = HOUR };
    const PollResult failed = { .error = POLL_DENIED, .error_text = "no" };
    TargetState s = regions_state();
    Now now = { EPOCH, 1000 * SEC };
    Plan plan;

    guard_target(&policy, &s, &failed, now, &plan, &s);
    assert_int_equal(plan.n_events, 1);
    now.real_usec -= AHEAD;
    guard_target(&policy, &s, NULL, now, &plan, &s);
    assert_int_equal(plan.n_events, 0);
    assert_true(plan.wake_mono_usec <= now.mono_usec + GUARD_UNREACHABLE_CRITICAL_USEC);
    for (unsigned i = 0; i < 2; i++) {
        now = (Now){ now.real_usec + (plan.wake_mono_usec - now.mono_usec), plan.wake_mono_usec };
        guard_target(&policy, &s, NULL, now, &plan, &s);
        assert_int_equal(plan.n_events, 1);
        assert_int_equal(plan.events[0].severity, SEVERITY_CRITICAL);
        assert_int_equal(plan.events[0].phase, i == 0 ? PHASE_OPENED : PHASE_REMINDER);
    }
}

static void what_regions_have_in_common_is_reminded_of(void **state _unused_) {
    Policy policy = { .unreachable_after = 1, .reminder_interval_usec = HOUR };
    Cause cause = { .kind = CAUSE_UNCOVERED, .incident.event = _EVENT_MAX };
    const TargetState first = regions_state();
    const Subject members[] = { { "", "", "111122223333", "eu-central-1" },
                                { "", "", "111122223333", "eu-west-1" } };
    const CauseMembers in = {
        .members = members, .n = 2, .n_begun = 2, .n_answering = 1, .since_usec = EPOCH, .first = &first
    };
    Now now = { EPOCH, 1000 * SEC };
    Plan plan;
    bool alone;

    guard_cause(&policy, &cause, &in, now, &plan, &cause, &alone);
    now = (Now){ now.real_usec + GUARD_HOLD_USEC, now.mono_usec + GUARD_HOLD_USEC };
    guard_cause(&policy, &cause, &in, now, &plan, &cause, &alone);
    assert_int_equal(plan.n_events, 1);
    now.real_usec -= AHEAD;
    guard_cause(&policy, &cause, &in, now, &plan, &cause, &alone);
    now = (Now){ now.real_usec + HOUR, now.mono_usec + HOUR };
    guard_cause(&policy, &cause, &in, now, &plan, &cause, &alone);
    assert_int_equal(plan.n_events, 1);
    assert_int_equal(plan.events[0].phase, PHASE_REMINDER);
}

/* ---- who attacks trails ---- */

/* at_usec: by AWS's clock, which was right all the time; now_usec: by ours. */
static Containment attacks(ContainHistory *history, const char *name, uint64_t at_usec, uint64_t now_usec) {
    static unsigned n_calls; /* each is another event */
    const ContainPolicy policy = {
        .mode = CONTAIN_PROPOSE, .after = 1, .max_per_day = 1, .own = { "arn:aws:iam::111122223333:user/g" }
    };
    Actor actor = { .event_usec = at_usec, .type = "IAMUser", .event_name = "StopLogging" };
    const ContainDeed deed = { &actor, "111122223333", "incident", true, false, true };
    Containment contain;

    (void)snprintf(actor.arn, sizeof(actor.arn), "arn:aws:iam::111122223333:user/%s", name);
    (void)snprintf(actor.event_id, sizeof(actor.event_id), "event-%u", ++n_calls);
    (void)text_copy(actor.account, sizeof(actor.account), "111122223333");
    assert_int_equal(contain_take(&policy, history, &deed, now_usec, &contain), 0);
    return contain;
}

static void the_day_of_max_per_day_ends(void **state _unused_) {
    ContainHistory history = { 0 };

    assert_int_equal(attacks(&history, "bob", EPOCH, EPOCH + AHEAD).verdict, CONTAIN_PROPOSED);
    assert_int_equal(attacks(&history, "eve", EPOCH, EPOCH).verdict, CONTAIN_REFUSED);
    assert_int_equal(attacks(&history, "ann", EPOCH + 25 * HOUR, EPOCH + 25 * HOUR).verdict,
                     CONTAIN_PROPOSED);
    contain_history_done(&history);
}

static void who_was_released_counts_again(void **state _unused_) {
    ContainHistory history = { 0 };

    assert_int_equal(attacks(&history, "bob", EPOCH, EPOCH + AHEAD).verdict, CONTAIN_PROPOSED);
    contain_forgive(&history, BOB, EPOCH + AHEAD);
    /* it may have been done before the release */
    assert_int_equal(attacks(&history, "bob", EPOCH + SEC, EPOCH + HOUR).verdict, CONTAIN_NOTHING);
    assert_int_equal(attacks(&history, "bob", EPOCH + 2 * HOUR, EPOCH + 2 * HOUR).verdict,
                     CONTAIN_PROPOSED);
    contain_history_done(&history);
}

static HoldNews takes(ContainHold *hold, HoldAction action, HoldSeen seen, Now now) {
    static const char *const topics[] = { TOPIC };
    const HoldOutcome outcome = { .action = action, .seen = seen };

    return hold_take(hold, &outcome, topics, ARRAY_SIZE(topics), now);
}

/* It is given up after so many within a day, and not after so many. */
static void a_policy_that_is_removed_now_and_then_is_put_again(void **state _unused_) {
    static const char *const topics[] = { TOPIC };
    ContainHistory history = { 0 };
    const Containment contain = { .time_usec = EPOCH, .arn = BOB, .account = "111122223333" };
    Now now = { EPOCH, 1000 * SEC };
    ContainHold *hold;

    assert_int_equal(hold_add(&history, &contain, topics, ARRAY_SIZE(topics)), 0);
    hold = hold_find(&history, BOB);
    (void)takes(hold, HOLD_PUT, HOLD_SEEN_OURS, now);
    now.real_usec -= AHEAD;
    for (unsigned i = 0; i < 2 * HOLD_PUTS_MAX; i++) {
        now = (Now){ now.real_usec + 20 * HOUR, now.mono_usec + 20 * HOUR };
        assert_int_equal(takes(hold, HOLD_CHECK, HOLD_SEEN_ABSENT, now).step, CONTAIN_STEP_REMOVED);
        (void)takes(hold, HOLD_PUT, HOLD_SEEN_OURS, now);
    }
    contain_history_done(&history);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reminders_go_on),
        cmocka_unit_test(trouble_much_later_is_an_incident_of_its_own),
        cmocka_unit_test(summaries_go_on),
        cmocka_unit_test(what_cannot_be_seen_becomes_critical),
        cmocka_unit_test(who_did_it_is_searched_where_it_can_be_found),
        cmocka_unit_test(regions_are_reminded_of_and_become_critical),
        cmocka_unit_test(what_regions_have_in_common_is_reminded_of),
        cmocka_unit_test(the_day_of_max_per_day_ends),
        cmocka_unit_test(who_was_released_counts_again),
        cmocka_unit_test(a_policy_that_is_removed_now_and_then_is_put_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
