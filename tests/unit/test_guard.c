/* SPDX-License-Identifier: Apache-2.0 */
/* The guard as a table of cases, and its promises as properties over random lives of a trail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/guard_life.h"

/* ---- verdict x what was seen x mode ---- */

typedef struct Case {
    const char *name;
    Mode mode;
    bool writable, known;
    Observation seen;
    /* expected */
    Verdict verdict;
    Action action;
    int event; /* of the one message at once; -1: none, or it waits for the action */
    Severity severity;
    bool hold;
} Case;

static const Case cases[] = {
#define STATUS(log, start, stop, ...)                                                                       \
    { .kind = OBSERVED_STATUS, .is_logging = log, .start_usec = start, .stop_usec = stop, __VA_ARGS__ }
    { "well", MODE_RESTART, true, true, STATUS(true, STARTED, 0), VERDICT_LOGGING, ACTION_NONE, -1, 0,
      false },
    { "well, never seen", MODE_RESTART, true, false, STATUS(true, STARTED, STOP_NOW), VERDICT_LOGGING,
      ACTION_NONE, -1, 0, false },
    { "well, not ours", MODE_RESTART, false, true, STATUS(true, STARTED, 0), VERDICT_PROTECTED, ACTION_NONE,
      -1, 0, false },
    { "stopped, restart", MODE_RESTART, true, true, STATUS(false, STARTED, STOP_NOW), VERDICT_STOPPED,
      ACTION_RESTART, -1, 0, true },
    { "stopped, observe", MODE_OBSERVE, true, true, STATUS(false, STARTED, STOP_NOW), VERDICT_STOPPED,
      ACTION_NONE, EVENT_TRAIL_STOPPED, SEVERITY_CRITICAL, false },
    { "stopped, not ours", MODE_RESTART, false, true, STATUS(false, STARTED, STOP_NOW), VERDICT_STOPPED,
      ACTION_NONE, EVENT_TRAIL_STOPPED, SEVERITY_CRITICAL, false },
    { "stopped at first sight", MODE_RESTART, true, false, STATUS(false, STARTED, STOP_NOW), VERDICT_STOPPED,
      ACTION_RESTART, -1, 0, true },
    { "never started", MODE_RESTART, true, false, STATUS(false, 0, 0), VERDICT_STOPPED, ACTION_RESTART, -1,
      0, true },
    { "interrupted", MODE_RESTART, true, true, STATUS(true, STOP_NOW + SEC, STOP_NOW), VERDICT_INTERRUPTED,
      ACTION_NONE, EVENT_TRAIL_INTERRUPTED, SEVERITY_CRITICAL, false },
    { "interrupted, observe", MODE_OBSERVE, true, true, STATUS(true, STOP_NOW + SEC, STOP_NOW),
      VERDICT_INTERRUPTED, ACTION_NONE, EVENT_TRAIL_INTERRUPTED, SEVERITY_CRITICAL, false },
    { "interrupted, not ours", MODE_RESTART, false, true, STATUS(true, STOP_NOW + SEC, STOP_NOW),
      VERDICT_INTERRUPTED, ACTION_NONE, EVENT_TRAIL_INTERRUPTED, SEVERITY_CRITICAL, false },
    { "absent",
      MODE_RESTART,
      true,
      true,
      { .kind = OBSERVED_ABSENT },
      VERDICT_MISSING,
      ACTION_NONE,
      EVENT_TRAIL_MISSING,
      SEVERITY_CRITICAL,
      false },
    { "absent at first sight",
      MODE_RESTART,
      true,
      false,
      { .kind = OBSERVED_ABSENT },
      VERDICT_MISSING,
      ACTION_NONE,
      EVENT_TRAIL_MISSING,
      SEVERITY_CRITICAL,
      false },
    { "absent, not ours",
      MODE_RESTART,
      false,
      true,
      { .kind = OBSERVED_ABSENT },
      VERDICT_MISSING,
      ACTION_NONE,
      EVENT_TRAIL_MISSING,
      SEVERITY_CRITICAL,
      false },
    { "delivery fails", MODE_RESTART, true, true, STATUS(true, STARTED, 0, .delivery_error = "AccessDenied"),
      VERDICT_FAILING, ACTION_NONE, EVENT_TRAIL_FAILING, SEVERITY_CRITICAL, false },
    { "digest fails", MODE_RESTART, true, true, STATUS(true, STARTED, 0, .digest_error = "NoSuchBucket"),
      VERDICT_FAILING, ACTION_NONE, EVENT_TRAIL_FAILING, SEVERITY_CRITICAL, false },
    { "log group fails", MODE_OBSERVE, true, true, STATUS(true, STARTED, 0, .log_group_error = "x"),
      VERDICT_FAILING, ACTION_NONE, EVENT_TRAIL_FAILING, SEVERITY_WARNING, false },
    { "notification fails", MODE_RESTART, false, true, STATUS(true, STARTED, 0, .notification_error = "x"),
      VERDICT_FAILING, ACTION_NONE, EVENT_TRAIL_FAILING, SEVERITY_WARNING, false },
    { "first look in vain",
      MODE_RESTART,
      true,
      true,
      { .kind = OBSERVED_ERROR, .error = POLL_THROTTLED },
      VERDICT_LOGGING,
      ACTION_NONE,
      -1,
      0,
      false },
    { "in vain, never seen",
      MODE_RESTART,
      true,
      false,
      { .kind = OBSERVED_ERROR, .error = POLL_DENIED },
      VERDICT_UNKNOWN,
      ACTION_NONE,
      -1,
      0,
      false },
};

static void every_case(void **unused) {
    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const Case *c = &cases[i];
        Life l = life(c->mode, c->writable);

        if (c->known)
            result(&l, logging(STARTED, 0));
        result(&l, c->seen);
        print_message("%s\n", c->name);
        assert_int_equal(l.state.verdict, c->verdict);
        assert_int_equal(l.plan.action, c->action);
        assert_int_equal(l.plan.hold, c->hold);
        assert_int_equal(l.plan.n_events, c->event >= 0 ? 1 : 0);
        if (c->event >= 0) {
            assert_int_equal(l.plan.events[0].kind, c->event);
            assert_int_equal(l.plan.events[0].severity, c->severity);
            assert_int_equal(l.plan.events[0].sequence, 1);
            assert_int_equal(l.plan.events[0].first_sight, !c->known);
        }
    }
}

static void digest_is_a_warning_without_validation(void **unused) {
    const TrailFacts facts = { .validation = false };

    (void)unused;
    assert_int_equal(guard_severity(FINDING_DIGEST, &facts), SEVERITY_WARNING);
}

/* ---- lives ---- */

static void restart_that_holds_is_one_message(void **unused) {
    Life l = life(MODE_RESTART, true);
    const Event *t = &l.plan.events[0];

    (void)unused;
    result(&l, logging(STARTED, 0));
    result(&l, stopped(STARTED, STOP_NOW));
    assert_int_equal(l.plan.n_events, 0);
    pass_time(&l, SEC);
    held(&l, EPOCH + SEC, STOP_NOW);
    assert_int_equal(l.plan.n_events, 1);
    assert_true(t->resolves);
    assert_int_equal(t->kind, EVENT_TRAIL_STOPPED);
    assert_int_equal(t->action.result, RESULT_CONFIRMED);
    assert_int_equal(t->action.attempts, 1);
    assert_true(t->gap.from_usec == STOP_NOW && t->gap.to_usec == EPOCH + SEC);
    assert_false(l.state.incident.open);
    assert_false(l.plan.hold);
    assert_int_equal(l.state.verdict, VERDICT_LOGGING);
    result(&l, logging(EPOCH + SEC, STOP_NOW));
    assert_int_equal(l.plan.n_events, 0);
}

static void slow_restart_is_told_after_five_seconds_and_again_when_it_holds(void **unused) {
    Life l = life(MODE_RESTART, true);

    (void)unused;
    result(&l, logging(STARTED, 0));
    result(&l, stopped(STARTED, STOP_NOW));
    assert_true(l.plan.wake_mono_usec == l.now.mono_usec + GUARD_HOLD_USEC);
    pass_time(&l, GUARD_HOLD_USEC);
    wake(&l);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].action.result, RESULT_PENDING);
    assert_false(l.plan.hold);
    pass_time(&l, 7 * SEC);
    held(&l, l.now.real_usec, STOP_NOW);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_RESOLVED);
    assert_int_equal(l.plan.events[0].sequence, 2);
}

static void failing_restart_backs_off_and_never_gives_up(void **unused) {
    Life l = life(MODE_RESTART, true);
    uint64_t waited[8];

    (void)unused;
    result(&l, logging(STARTED, 0));
    result(&l, stopped(STARTED, STOP_NOW));
    for (unsigned i = 0; i < ARRAY_SIZE(waited); i++) {
        failed(&l);
        assert_int_equal(l.plan.n_events, i == 0 ? 1 : 0);
        assert_int_equal(l.plan.action, ACTION_NONE);
        waited[i] = l.plan.wake_mono_usec - l.now.mono_usec;
        pass_time(&l, waited[i]);
        wake(&l);
        assert_int_equal(l.plan.action, ACTION_RESTART);
    }
    assert_true(waited[0] == 1 * SEC && waited[1] == 2 * SEC && waited[5] == 32 * SEC &&
                waited[6] == 60 * SEC && waited[7] == 60 * SEC);
    held(&l, l.now.real_usec, STOP_NOW);
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_RESOLVED);
    assert_int_equal(l.plan.events[0].action.attempts, 9);
}

static void stopped_again_after_a_restart_that_held_is_restarted_at_once(void **unused) {
    Life l = life(MODE_RESTART, true);

    (void)unused;
    result(&l, logging(STARTED, 0));
    for (unsigned i = 0; i < 50; i++) {
        uint64_t stop = l.now.real_usec;

        result(&l, stopped(STARTED, stop));
        assert_int_equal(l.plan.action, ACTION_RESTART);
        pass_time(&l, SEC);
        held(&l, l.now.real_usec, stop);
    }
}

/* Whoever stops the trail before the restart could be read back must not win time by that. */
static void stopped_again_before_the_restart_was_read_back_is_restarted_at_once(void **unused) {
    Life l = life(MODE_RESTART, true);
    uint64_t stop = EPOCH, start;

    (void)unused;
    result(&l, logging(STARTED, 0));
    result(&l, stopped(STARTED, stop));
    for (unsigned i = 0; i < 50; i++) {
        Outcome outcome = { .action = ACTION_RESTART, .result = RESULT_CONFIRMED };

        assert_int_equal(l.plan.action, ACTION_RESTART);
        assert_int_equal(l.state.verdict, VERDICT_STOPPED);
        assert_true(l.plan.hold);
        pass_time(&l, SEC);
        start = l.now.real_usec;
        outcome.seen = stopped(start, start + SEC / 2);
        pass_time(&l, SEC);
        decide(&l, (TrailInput){ .kind = GUARD_ACTED, .outcome = &outcome });
        /* the gap that ended is told as any other, until the message that it goes on so */
        assert_int_equal(l.plan.n_events, i < GUARD_CONTEST_STOPS ? 1 : 0);
        if (i < GUARD_CONTEST_STOPS)
            assert_true(l.plan.events[0].gap.from_usec == stop && l.plan.events[0].gap.to_usec == start);
        assert_true(l.state.incident.open);
        assert_int_equal(l.state.n_action_failures, 0);
        stop = start + SEC / 2;
        assert_true(l.state.incident.gap.from_usec == stop && l.state.incident.gap.to_usec == 0);
    }
    held(&l, l.now.real_usec, stop);
    assert_int_equal(l.state.verdict, VERDICT_LOGGING);
    assert_false(l.state.incident.open);
}

/* Stops that were undone: from when on the trail counts as contested, what is reported of that, and until
 * when it is polled fast. */
static void a_trail_that_is_stopped_again_and_again_is_contested(void **unused) {
    static const struct {
        const char *name;
        Mode mode;
        bool writable, maintenance;
        unsigned n_stops;
        uint64_t every_usec;
        bool by_others; /* started again between two polls */
        bool fast;      /* polled fast after the last stop */
        unsigned n_contested;
    } contests[] = {
        { "one stop", MODE_RESTART, true, false, 1, 2 * SEC, false, true, 0 },
        { "two stops", MODE_RESTART, true, false, 2, 2 * SEC, false, true, 0 },
        { "three stops", MODE_RESTART, true, false, 3, 2 * SEC, false, true, 1 },
        { "many stops", MODE_RESTART, true, false, 90, 2 * SEC, false, true, 1 },
        { "slow stops", MODE_RESTORE, true, false, 5, 540 * SEC, false, true, 3 },
        { "unrelated stops", MODE_RESTART, true, false, 9, 700 * SEC, false, true, 0 },
        { "interrupted", MODE_RESTART, true, false, 3, 2 * SEC, true, true, 1 },
        { "observed", MODE_OBSERVE, true, false, 9, 2 * SEC, true, false, 0 },
        { "not ours", MODE_RESTART, false, false, 9, 2 * SEC, true, false, 0 },
        { "maintenance", MODE_RESTART, true, true, 9, 2 * SEC, false, true, 0 },
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(contests); i++) {
        Life l = life(contests[i].mode, contests[i].writable);
        unsigned n = 0;

        l.facts.maintenance = contests[i].maintenance;
        result(&l, logging(STARTED, 0));
        assert_false(guard_is_contested(&l.state, l.now));
        for (unsigned k = 0; k < contests[i].n_stops; k++) {
            uint64_t stop;

            pass_time(&l, contests[i].every_usec);
            wake(&l);
            stop = l.now.real_usec;
            if (!contests[i].by_others) {
                result(&l, stopped(STARTED, stop));
                assert_int_equal(l.plan.action, ACTION_RESTART);
            }
            pass_time(&l, SEC);
            if (contests[i].by_others)
                result(&l, logging(l.now.real_usec, stop));
            else
                held(&l, l.now.real_usec, stop);
            for (unsigned e = 0; e < l.plan.n_events; e++)
                if (l.plan.events[e].kind == EVENT_TRAIL_CONTESTED) {
                    n++;
                    assert_true(l.plan.events[e].contest.count >= GUARD_CONTEST_STOPS);
                    assert_true(l.plan.events[e].contest.total_usec > 0);
                }
        }
        if (n != contests[i].n_contested || guard_is_contested(&l.state, l.now) != contests[i].fast)
            fail_msg("%s: %u messages, %s", contests[i].name, n,
                     guard_is_contested(&l.state, l.now) ? "fast" : "as usual");
        pass_time(&l, GUARD_CONTEST_USEC - SEC);
        assert_int_equal(guard_is_contested(&l.state, l.now), contests[i].fast);
        pass_time(&l, SEC);
        wake(&l);
        assert_false(guard_is_contested(&l.state, l.now));
        assert_int_equal(l.state.contest.n, 0);
    }
}

static void a_contest_is_summed_up_every_five_minutes_with_its_numbers(void **unused) {
    Life l = life(MODE_RESTART, true);
    unsigned n_summaries = 0, n_others = 0, n = 0;

    (void)unused;
    result(&l, logging(STARTED, 0));
    for (unsigned k = 0; k < 900; k++) {
        uint64_t stop = l.now.real_usec;

        result(&l, stopped(STARTED, stop));
        pass_time(&l, SEC);
        held(&l, l.now.real_usec, stop);
        n++;
        for (unsigned e = 0; e < l.plan.n_events; e++) {
            const Event *t = &l.plan.events[e];

            if (t->phase != PHASE_SUMMARY) {
                n_others++;
                continue;
            }
            n_summaries++;
            assert_int_equal(t->kind, EVENT_TRAIL_CONTESTED);
            assert_int_equal(t->contest.count, n);
            assert_true(t->contest.total_usec == n * SEC);
            assert_true(t->repeats.count <= 151);
        }
        pass_time(&l, SEC);
    }
    assert_int_equal(n_others, 3); /* stopped, stopped again, war */
    assert_true(n_summaries == 5 || n_summaries == 6);
}

/* A daemon that starts again amid a contest goes on with it. */
static void a_contest_goes_on_after_a_restart_of_the_guard(void **unused) {
    Life l = life(MODE_RESTART, true);

    (void)unused;
    l.state.contest = (Contest){ .n = 7, .since_usec = EPOCH, .last_usec = EPOCH, .reported = true };
    guard_resume(&l.state, l.now);
    assert_true(guard_is_contested(&l.state, l.now));
    l.state.contest = (Contest){ 0 };
    guard_resume(&l.state, l.now);
    assert_false(guard_is_contested(&l.state, l.now));
}

static void flips_are_one_incident_with_few_messages_and_every_gap_counted(void **unused) {
    Life l = life(MODE_RESTART, true);
    unsigned n_told = 0, n_counted = 0, n_summaries = 0;
    uint64_t mark = 0;

    (void)unused;
    result(&l, logging(STARTED, 0));
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t stop = l.now.real_usec;

        pass_time(&l, SEC);
        result(&l, logging(l.now.real_usec, stop));
        for (unsigned k = 0; k < l.plan.n_events; k++) {
            const Event *t = &l.plan.events[k];

            n_told++;
            n_counted += t->phase == PHASE_SUMMARY ? t->repeats.count : 1;
            n_summaries += t->phase == PHASE_SUMMARY;
            mark = mark != 0 ? mark : t->incident_dedup_usec;
            assert_true(t->incident_dedup_usec == mark);
        }
        pass_time(&l, 9 * SEC);
    }
    pass_time(&l, GUARD_SUMMARY_USEC);
    wake(&l);
    for (unsigned k = 0; k < l.plan.n_events; k++)
        n_counted += l.plan.events[k].repeats.count;
    assert_int_equal(n_counted, 1000);
    /* 10,000 s: one opening, three one by one, then one in five minutes */
    assert_true(n_told <= 4 + 10000 / 300 + 1);
    assert_true(n_summaries >= 30);
}

static void quiet_for_five_minutes_is_a_new_incident(void **unused) {
    Life l = life(MODE_OBSERVE, true);
    uint64_t first;

    (void)unused;
    result(&l, logging(STARTED, 0));
    result(&l, logging(EPOCH + SEC, EPOCH));
    first = l.state.incident.dedup_usec;
    pass_time(&l, GUARD_REOPEN_USEC);
    result(&l, logging(EPOCH + 3 * SEC, EPOCH + 2 * SEC));
    assert_int_equal(l.plan.events[0].phase, PHASE_REOPENED);
    assert_true(l.state.incident.dedup_usec == first);
    pass_time(&l, GUARD_REOPEN_USEC + SEC);
    result(&l, logging(EPOCH + 5 * SEC, EPOCH + 4 * SEC));
    assert_int_equal(l.plan.events[0].phase, PHASE_OPENED);
    assert_int_equal(l.plan.events[0].sequence, 1);
    assert_true(l.state.incident.dedup_usec != first);
}

static void started_by_others_resolves(void **unused) {
    Life l = life(MODE_OBSERVE, true);

    (void)unused;
    result(&l, logging(STARTED, 0));
    result(&l, stopped(STARTED, STOP_NOW));
    pass_time(&l, 60 * SEC);
    result(&l, logging(EPOCH + 59 * SEC, STOP_NOW));
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_RESOLVED);
    assert_true(l.plan.events[0].gap.to_usec == EPOCH + 59 * SEC);
}

static void unreachable_on_one_trail(void **unused) {
    Life l = life(MODE_RESTART, true);

    (void)unused;
    result(&l, logging(STARTED, 0));
    for (unsigned i = 1; i <= 3; i++) {
        result(&l, in_vain(POLL_DENIED, true));
        assert_int_equal(l.state.verdict, i < 3 ? VERDICT_LOGGING : VERDICT_UNKNOWN);
    }
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].kind, EVENT_TARGET_UNREACHABLE);
    assert_int_equal(l.plan.events[0].severity, SEVERITY_WARNING);
    pass_time(&l, GUARD_UNREACHABLE_CRITICAL_USEC);
    result(&l, in_vain(POLL_DENIED, true));
    assert_int_equal(l.plan.events[0].severity, SEVERITY_CRITICAL);
    result(&l, in_vain(POLL_DENIED, true));
    assert_int_equal(l.plan.n_events, 0);
    result(&l, logging(STARTED, 0));
    assert_int_equal(l.plan.events[0].kind, EVENT_TARGET_REACHABLE);
    assert_int_equal(l.state.verdict, VERDICT_LOGGING);
}

static void blindness_of_the_target_is_not_the_trails_incident(void **unused) {
    Life l = life(MODE_RESTART, true);

    (void)unused;
    result(&l, logging(STARTED, 0));
    for (unsigned i = 0; i < 10; i++) {
        result(&l, in_vain(POLL_UNREACHABLE, false));
        assert_int_equal(l.plan.n_events, 0);
    }
    assert_int_equal(l.state.verdict, VERDICT_UNKNOWN);
}

static void unknown_never_closes_an_incident(void **unused) {
    Life l = life(MODE_OBSERVE, true);

    (void)unused;
    result(&l, logging(STARTED, 0));
    result(&l, stopped(STARTED, STOP_NOW));
    for (unsigned i = 0; i < 10; i++)
        result(&l, in_vain(POLL_UNREACHABLE, false));
    assert_true(l.state.incident.open);
    assert_int_equal(l.state.verdict, VERDICT_STOPPED);
}

static void missing_then_back(void **unused) {
    Life l = life(MODE_RESTART, true);

    (void)unused;
    result(&l, logging(STARTED, 0));
    result(&l, absent());
    result(&l, absent());
    assert_int_equal(l.plan.n_events, 0);
    result(&l, logging(EPOCH, 0));
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_RESOLVED);
    assert_int_equal(l.state.verdict, VERDICT_LOGGING);
}

static void stopped_and_failing_stays_open_until_both_are_over(void **unused) {
    Life l = life(MODE_RESTART, true);
    Observation seen = stopped(STARTED, STOP_NOW);

    (void)unused;
    result(&l, logging(STARTED, 0));
    (void)strcpy(seen.delivery_error, "AccessDenied");
    result(&l, seen);
    assert_int_equal(l.plan.n_events, 1); /* the failing; the stop waits */
    held(&l, EPOCH, STOP_NOW);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_STOPPED);
    assert_int_equal(l.plan.events[0].sequence, 2);
    assert_true(l.plan.events[0].resolves);
    assert_false(l.state.incident.open);
}

/* What is shown of an incident that is open again is why it is open now, also when that is not reported by
 * itself. */
static void a_reopened_incident_is_about_what_reopened_it(void **unused) {
    Life l = life(MODE_OBSERVE, true);

    (void)unused;
    result(&l, logging(STARTED, 0));
    for (unsigned i = 0; i < 6; i++) {
        bool gone = i % 2 == 0;

        pass_time(&l, 10 * SEC);
        result(&l, gone ? absent() : stopped(STARTED, l.now.real_usec));
        assert_true(l.state.incident.open);
        assert_int_equal(l.state.incident.event, gone ? EVENT_TRAIL_MISSING : EVENT_TRAIL_STOPPED);
        result(&l, logging(STARTED, l.state.stop_usec));
        assert_false(l.state.incident.open);
    }
    assert_true(l.state.incident.suppressed);
}

/* AWS's replicas differ for seconds: one that is behind says what was so before, and then the others say
 * what was known all the time. */
static void a_replica_that_is_behind_is_no_news(void **unused) {
    static const uint64_t stop = EPOCH - 20 * SEC, start = EPOCH - 10 * SEC;
    const struct {
        const char *name;
        Observation known, behind;
    } rows[] = {
        { "before its start", logging(start, stop), stopped(STARTED, stop) },
        { "before its stop and start", logging(start, stop), logging(STARTED, 0) },
        { "before its latest stop", stopped(start, EPOCH - SEC), logging(start, stop) },
        { "before the stop before", stopped(start, EPOCH - SEC), stopped(STARTED, stop) },
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Life l = life(MODE_OBSERVE, true);
        Verdict verdict;

        print_message("%s\n", rows[i].name);
        result(&l, rows[i].known);
        verdict = l.state.verdict;
        for (unsigned k = 0; k < 6; k++) {
            pass_time(&l, 9 * SEC);
            result(&l, k % 2 ? rows[i].known : rows[i].behind);
            assert_int_equal(l.plan.n_events, 0);
            assert_int_equal(l.plan.n_entries, 0);
            assert_int_equal(l.state.verdict, verdict);
            assert_true(l.state.start_usec == start && l.state.stop_usec == rows[i].known.stop_usec);
        }
        /* nothing but what is behind for a minute: it is so */
        for (unsigned k = 0; k < 7; k++) {
            pass_time(&l, 10 * SEC);
            result(&l, rows[i].behind);
        }
        assert_true(l.state.start_usec == rows[i].behind.start_usec);
        assert_int_equal(l.state.verdict,
                         rows[i].behind.is_logging ? VERDICT_LOGGING : VERDICT_STOPPED);
    }
}

/* It answers, whatever it says. */
static void a_replica_that_is_behind_is_reachable(void **unused) {
    Life l = life(MODE_OBSERVE, true);

    (void)unused;
    result(&l, logging(EPOCH, EPOCH - SEC));
    for (unsigned i = 0; i < 3; i++)
        result(&l, in_vain(POLL_DENIED, true));
    assert_int_equal(l.state.verdict, VERDICT_UNKNOWN);
    result(&l, logging(STARTED, 0));
    assert_int_equal(l.state.verdict, VERDICT_LOGGING);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].kind, EVENT_TARGET_REACHABLE);
}

static void reminders_come_while_it_lasts(void **unused) {
    Life l = life(MODE_OBSERVE, true);

    (void)unused;
    result(&l, logging(STARTED, 0));
    result(&l, stopped(STARTED, STOP_NOW));
    for (unsigned i = 1; i <= 3; i++) {
        pass_time(&l, l.plan.wake_mono_usec - l.now.mono_usec);
        wake(&l);
        assert_int_equal(l.plan.n_events, 1);
        assert_int_equal(l.plan.events[0].kind, EVENT_INCIDENT_REMINDER);
        assert_int_equal(l.plan.events[0].n_reminders, i);
    }
}

/* ---- properties ---- */

static uint64_t random_state;

static uint64_t seed(void) {
    const char *given = getenv("TEST_SEED");

    return given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
}

static unsigned pick(unsigned n) {
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)((random_state >> 33) % n);
}

/* An account without keys counts poll by poll; one that left counts at once. A trail of it has no incident
 * of its own. */
static void a_trail_whose_account_cannot_be_polled(void **state _unused_) {
    static const struct {
        PollError error;
        unsigned n_polls, n_failed;
        Verdict verdict;
    } rows[] = {
        { POLL_CREDENTIALS, 1, 1, VERDICT_LOGGING }, { POLL_CREDENTIALS, 2, 2, VERDICT_LOGGING },
        { POLL_CREDENTIALS, 3, 3, VERDICT_UNKNOWN }, { POLL_GONE, 1, 3, VERDICT_UNKNOWN },
        { POLL_GONE, 2, 4, VERDICT_UNKNOWN },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const PollResult poll = { .error = rows[i].error, .error_text = "no" };
        const TrailInput input = { .kind = GUARD_UNREACHABLE, .result = &poll };
        Life l = life(MODE_RESTART, true);

        result(&l, logging(STARTED, 0));
        for (unsigned k = 0; k < rows[i].n_polls; k++)
            decide(&l, input);
        assert_int_equal(l.state.n_failed, rows[i].n_failed);
        assert_int_equal(l.state.error, rows[i].error);
        assert_int_equal(l.state.verdict, rows[i].verdict);
        assert_int_equal(l.plan.n_events, 0);
        assert_int_equal(l.plan.n_entries, 0);
    }
}

/* A trail that `trails` names, and that no list shows, is missing at first sight; found, it is over. */
static void a_named_trail_that_is_not_found(void **state _unused_) {
    Life l = life(MODE_RESTART, true);

    decide(&l, (TrailInput){ .kind = GUARD_NOT_LISTED });
    assert_int_equal(l.state.verdict, VERDICT_MISSING);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_MISSING);
    decide(&l, (TrailInput){ .kind = GUARD_NOT_LISTED });
    assert_int_equal(l.plan.n_events, 0);
    pass_time(&l, 60 * SEC);
    decide(&l, (TrailInput){ .kind = GUARD_LISTED });
    assert_int_equal(l.state.verdict, VERDICT_LOGGING);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_RESOLVED);
    decide(&l, (TrailInput){ .kind = GUARD_LISTED });
    assert_int_equal(l.plan.n_events, 0);
}

/* Whatever happens: a stopped trail that may be restarted is being restarted or waits for a known time, a
 * well trail has no open incident, nothing is told twice under one identity, and sequences count up. */
static void random_lives(void **unused) {
    (void)unused;
    random_state = seed();
    print_message("seed %llu\n", (unsigned long long)random_state);
    for (unsigned life_no = 0; life_no < 300; life_no++) {
        Life l = life(pick(3) ? MODE_RESTART : MODE_OBSERVE, pick(8) != 0);
        uint64_t start = STARTED, stop = 0;
        bool on = true;

        for (unsigned step = 0; step < 200; step++) {
            switch (pick(8)) {
            case 0:
                if (on)
                    stop = l.now.real_usec;
                on = false;
                break;
            case 1:
                if (!on)
                    start = l.now.real_usec;
                on = true;
                break;
            case 2: result(&l, in_vain(pick(2) ? POLL_DENIED : POLL_UNREACHABLE, pick(2))); break;
            case 3: wake(&l); break;
            case 4:
                if (l.state.acting && pick(2)) {
                    failed(&l);
                    break;
                }
                if (l.state.acting) {
                    start = on ? start : l.now.real_usec;
                    on = true;
                    held(&l, start, stop);
                }
                break;
            default:
                if (!l.state.acting)
                    result(&l, on ? logging(start, stop) : stopped(start, stop));
                if (!l.state.acting && l.state.n_failed == 0 && on && l.state.known && !(l.state.findings))
                    assert_false(l.state.incident.open);
            }
            if ((l.state.findings & FINDING_BIT(FINDING_STOPPED)) && l.policy.mode == MODE_RESTART &&
                l.facts.writable)
                assert_true(l.state.acting || l.state.act_after_mono_usec != 0);
            pass_time(&l, (1 + pick(20)) * SEC);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case),
        cmocka_unit_test(digest_is_a_warning_without_validation),
        cmocka_unit_test(restart_that_holds_is_one_message),
        cmocka_unit_test(slow_restart_is_told_after_five_seconds_and_again_when_it_holds),
        cmocka_unit_test(failing_restart_backs_off_and_never_gives_up),
        cmocka_unit_test(stopped_again_after_a_restart_that_held_is_restarted_at_once),
        cmocka_unit_test(stopped_again_before_the_restart_was_read_back_is_restarted_at_once),
        cmocka_unit_test(a_trail_that_is_stopped_again_and_again_is_contested),
        cmocka_unit_test(a_contest_is_summed_up_every_five_minutes_with_its_numbers),
        cmocka_unit_test(a_contest_goes_on_after_a_restart_of_the_guard),
        cmocka_unit_test(flips_are_one_incident_with_few_messages_and_every_gap_counted),
        cmocka_unit_test(quiet_for_five_minutes_is_a_new_incident),
        cmocka_unit_test(started_by_others_resolves),
        cmocka_unit_test(unreachable_on_one_trail),
        cmocka_unit_test(blindness_of_the_target_is_not_the_trails_incident),
        cmocka_unit_test(unknown_never_closes_an_incident),
        cmocka_unit_test(missing_then_back),
        cmocka_unit_test(stopped_and_failing_stays_open_until_both_are_over),
        cmocka_unit_test(a_reopened_incident_is_about_what_reopened_it),
        cmocka_unit_test(a_replica_that_is_behind_is_no_news),
        cmocka_unit_test(a_replica_that_is_behind_is_reachable),
        cmocka_unit_test(reminders_come_while_it_lasts),
        cmocka_unit_test(a_trail_whose_account_cannot_be_polled),
        cmocka_unit_test(a_named_trail_that_is_not_found),
        cmocka_unit_test(random_lives),
    };

    return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
