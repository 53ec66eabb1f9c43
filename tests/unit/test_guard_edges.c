/* SPDX-License-Identifier: Apache-2.0 */
/* What comes seldom, in an odd order or at an odd time: a clock that was never set, answers that contradict
 * each other, trouble in the midst of an action, a guard that ends before its action does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/guard_life.h"

#include "daemon/core/guard_private.h"
#include "lib/util/text.h"

#define BUCKET FIELD_BIT(FIELD_BUCKET)
#define TOPIC  FIELD_BIT(FIELD_SNS_TOPIC)

static char was[] = "before", evil[] = "evil", worse[] = "worse";

static Drift drift_of(uint32_t fields, char *actual, bool as_recorded) {
    Drift drift = { .n = 0 };

    for (Field f = 0; f < _FIELD_MAX; f++)
        if (fields & FIELD_BIT(f))
            drift.changes[drift.n++] =
                    (Change){ .field = f, .expected = was, .actual = actual, .as_recorded = as_recorded };
    return drift;
}

static void compare(Life *l, const Drift *drift) {
    Observation seen = logging(STARTED, 0);

    decide(l, (TrailInput){ .kind = GUARD_POLLED, .seen = &seen, .drift = drift });
}

static void changed(Life *l, uint32_t fields) {
    Drift drift = drift_of(fields, evil, false);

    compare(l, &drift);
}

static void came_of(Life *l, Outcome outcome) {
    decide(l, (TrailInput){ .kind = GUARD_ACTED, .outcome = &outcome });
}

static void restore_held(Life *l, uint32_t fields_left) {
    came_of(l,
            (Outcome){ .action = ACTION_RESTORE, .result = RESULT_CONFIRMED, .fields_left = fields_left });
}

static bool notes(const Life *l, JournalLine line) {
    for (unsigned i = 0; i < l->plan.n_entries; i++)
        if (l->plan.entries[i].line == line)
            return true;
    return false;
}

/* ---- clocks and times ---- */

static void a_search_begins_at_0_where_the_clock_was_never_set(void **state _unused_) {
    Life l = life(MODE_OBSERVE, true);

    l.policy.attribution = true;
    l.now.real_usec = 10 * SEC;
    result(&l, absent());
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_MISSING);
    assert_true(l.state.attributing.wanted);
    assert_int_equal(l.state.attributing.from_usec, 0);
}

/* The start that AWS gives lies before the stop: another replica answered. The gap ends when it was seen to.
 */
static void a_gap_does_not_end_before_it_begins(void **state _unused_) {
    static const bool seen_stopped[] = { false, true };

    for (size_t i = 0; i < ARRAY_SIZE(seen_stopped); i++) {
        Life l = life(MODE_RESTART, true);

        result(&l, logging(STARTED, 0));
        if (seen_stopped[i]) {
            result(&l, stopped(STARTED, STOP_NOW));
            pass_time(&l, SEC);
            held(&l, STARTED, STOP_NOW);
        } else
            result(&l, logging(STARTED, STOP_NOW));
        assert_int_equal(l.plan.n_events, 1);
        assert_int_equal(l.plan.events[0].gap.from_usec, STOP_NOW);
        assert_int_equal(l.plan.events[0].gap.to_usec, l.now.real_usec);
    }
}

static void a_stop_without_any_time_counts_from_now(void **state _unused_) {
    Life l = life(MODE_RESTART, true);

    result(&l, stopped(0, 0));
    pass_time(&l, SEC);
    held(&l, 0, 0);
    assert_int_equal(l.state.contest.n, 1);
    assert_int_equal(l.state.contest.since_usec, l.now.real_usec);
    assert_int_equal(l.state.contest.last_usec, l.now.real_usec);
    assert_int_equal(l.state.contest.lost_usec, 0);
}

static void a_trail_that_never_delivered_is_not_stale(void **state _unused_) {
    Life l = life(MODE_OBSERVE, true);

    l.policy.stale_after_usec = HOUR;
    result(&l, logging(0, 0));
    assert_int_equal(l.state.findings, 0);
    result(&l, logging(EPOCH - 2 * HOUR, 0));
    assert_int_equal(l.state.findings, FINDING_BIT(FINDING_STALE));
}

/* As a state file that was edited has it: what came of it is no news of an incident that is over. */
static void a_restore_without_an_incident_reports_nothing(void **state _unused_) {
    for (unsigned open = 0; open < 2; open++) {
        Life l = life(MODE_RESTORE, true);
        Outcome outcome = { .action = ACTION_RESTORE,
                            .result = RESULT_FAILED,
                            .fields_left = FIELD_BIT(FIELD_PREFIX),
                            .error_text = "denied" };

        l.state.known = l.state.acting = true;
        l.state.findings = FINDING_BIT(FINDING_CHANGED);
        l.state.fields = l.state.restoring = FIELD_BIT(FIELD_PREFIX);
        l.state.incident.open = open;
        decide(&l, (TrailInput){ .kind = GUARD_ACTED, .outcome = &outcome });
        assert_int_equal(l.plan.n_events, open);
    }
}

static void a_stop_is_sought_within_the_times_of_its_search(void **state _unused_) {
    static const struct {
        uint64_t stop_usec, sought_usec;
    } rows[] = { { 99, 0 }, { 100, 100 }, { 200, 200 }, { 201, 0 } };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        TrailState s = {
            .stop_usec = rows[i].stop_usec,
            .attributing = { .findings = FINDING_BIT(FINDING_STOPPED), .from_usec = 100, .until_usec = 200 }
        };

        assert_int_equal(guard_sought_stop(&s), rows[i].sought_usec);
    }
}

/* ---- what holds for a state ---- */

static void who_is_polled_fast(void **state _unused_) {
    static const Now now = { .real_usec = EPOCH, .mono_usec = 1000 * SEC };
    static const struct {
        TrailState s;
        bool contested;
    } rows[] = {
        { { .known = true }, false },
        { { .contest.until_mono_usec = 1001 * SEC }, true },
        { { .contest.until_mono_usec = 1000 * SEC }, false },
        { { .contest.until_mono_usec = 1001 * SEC, .provisional = true }, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(guard_is_contested(&rows[i].s, now), rows[i].contested);
}

static void who_is_done_with(void **state _unused_) {
#define GONE .provisional = true, .findings = FINDING_BIT(FINDING_MISSING)
    static const struct {
        TrailState s;
        bool done;
    } rows[] = {
        { { GONE }, true },
        { { .findings = FINDING_BIT(FINDING_MISSING) }, false },
        { { .provisional = true }, false },
        { { GONE, .acting = true }, false },
        { { GONE, .attributing.wanted = true }, false },
        { { GONE, .pending.set = true }, false },
        { { GONE, .pending_restore.set = true }, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(guard_is_done_with(&rows[i].s), rows[i].done);
}

/* A plan has room for all that one decision can want; if it had not, it would say so. */
static void a_plan_that_is_full_says_so(void **state _unused_) {
    static Plan plan;
    Incident inc = { .event = _EVENT_MAX };
    Now now = { .real_usec = EPOCH };

    plan_begin(&plan);
    for (unsigned i = 0; i < PLAN_ENTRIES_MAX; i++)
        (void)plan_entry(&plan, LINE_STOPPED);
    for (unsigned i = 0; i < PLAN_EVENTS_MAX; i++)
        (void)incident_report(&inc, &plan, PHASE_OPENED, EVENT_TRAIL_STOPPED, SEVERITY_CRITICAL, i, now);
    assert_false(plan.overflowed);
    assert_ptr_equal(plan_entry(&plan, LINE_MISSING), &plan.entries[PLAN_ENTRIES_MAX - 1]);
    assert_true(plan.overflowed);
    plan.overflowed = false;
    assert_ptr_equal(
            incident_report(&inc, &plan, PHASE_OPENED, EVENT_TRAIL_STOPPED, SEVERITY_CRITICAL, 0, now),
            &plan.events[PLAN_EVENTS_MAX - 1]);
    assert_true(plan.overflowed);
    assert_true(plan.n_entries == PLAN_ENTRIES_MAX && plan.n_events == PLAN_EVENTS_MAX);
}

/* ---- actions ---- */

/* What a read-back shows of deliveries is as much news as a poll's. */
static void a_trail_that_runs_again_and_delivers_nothing_is_failing(void **state _unused_) {
    static const Action actions[] = { ACTION_RESTART, ACTION_RECREATE };

    for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
        Life l = life(MODE_RESTORE, true);
        Outcome outcome = { .action = actions[i],
                            .result = RESULT_CONFIRMED,
                            .seen = logging(EPOCH, STOP_NOW) };

        l.policy.restore = RESTORE_ALL;
        (void)strcpy(outcome.seen.delivery_error, "NoSuchBucket");
        result(&l, logging(STARTED, 0));
        result(&l, actions[i] == ACTION_RESTART ? stopped(STARTED, STOP_NOW) : absent());
        assert_int_equal(l.plan.action, actions[i]);
        came_of(&l, outcome);
        assert_int_equal(l.plan.n_events, 2);
        assert_false(l.plan.events[0].resolves);
        assert_int_equal(l.plan.events[1].kind, EVENT_TRAIL_FAILING);
        assert_string_equal(l.plan.events[1].detail, "NoSuchBucket");
        assert_true(notes(&l, LINE_FAILING));
    }
}

/* Deleted while its settings were written: whatever came of that is of no trail that there is. */
static void a_restore_of_a_trail_that_was_deleted_meanwhile_is_no_success(void **state _unused_) {
    static const ActionResult results[] = { RESULT_CONFIRMED, RESULT_FAILED };

    for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
        Life l = life(MODE_RESTORE, true);

        changed(&l, 0);
        changed(&l, BUCKET);
        assert_int_equal(l.plan.action, ACTION_RESTORE);
        result(&l, absent());
        assert_int_equal(l.plan.events[l.plan.n_events - 1].kind, EVENT_TRAIL_MISSING);
        came_of(&l,
                (Outcome){ .action = ACTION_RESTORE, .result = results[i], .error_text = "TrailNotFound" });
        assert_int_equal(l.plan.n_events + l.plan.n_entries, 0);
        assert_int_equal(l.state.incident.restore.result, RESULT_NONE);
        assert_false(l.state.acting);
        result(&l, logging(EPOCH, 0));
        assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_RESOLVED);
        assert_int_equal(l.plan.events[0].action.result, RESULT_NONE);
    }
}

/* "Restored" is said of settings that are. */
static void a_restore_that_changed_nothing_is_no_success(void **state _unused_) {
    Life l = life(MODE_RESTORE, true);

    changed(&l, 0);
    changed(&l, BUCKET);
    restore_held(&l, BUCKET);
    assert_false(notes(&l, LINE_RESTORED));
    assert_true(notes(&l, LINE_RESTORE_FAILED));
    assert_int_equal(l.plan.events[0].action.result, RESULT_FAILED);
}

/* ---- the ceiling of restores ---- */

/* What was reported to be paused is not awaited again while the hour lasts, and is once it is over. */
static void a_pause_is_known_the_next_time(void **state _unused_) {
    static const struct {
        bool deleted;
        uint64_t later_usec;
        Action action;
    } rows[] = {
        { false, 60 * SEC, ACTION_NONE },
        { false, HOUR, ACTION_RESTORE },
        { true, 60 * SEC, ACTION_NONE },
        { true, HOUR, ACTION_RECREATE },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Life l = life(MODE_RESTORE, true);
        Outcome made = { .action = ACTION_RECREATE, .result = RESULT_CONFIRMED, .seen = logging(EPOCH, 0) };

        l.policy.max_restores_per_hour = 1;
        l.policy.restore = RESTORE_ALL;
        changed(&l, 0);
        for (unsigned n = 0; n < 2; n++) {
            if (rows[i].deleted)
                result(&l, absent());
            else
                changed(&l, BUCKET);
            if (l.plan.action != ACTION_NONE) {
                if (rows[i].deleted)
                    came_of(&l, made);
                else
                    restore_held(&l, 0);
            }
        }
        assert_true(notes(&l, rows[i].deleted ? LINE_RECREATIONS_PAUSED : LINE_RESTORES_PAUSED));
        changed(&l, 0); /* another caller put it back */
        pass_time(&l, rows[i].later_usec);
        if (rows[i].deleted)
            result(&l, absent());
        else
            changed(&l, BUCKET);
        assert_int_equal(l.plan.action, rows[i].action);
        assert_int_equal(l.plan.hold, rows[i].action != ACTION_NONE);
        assert_int_equal(l.plan.n_events, rows[i].action == ACTION_NONE);
    }
}

static void two_settings_are_paused_with_one_message(void **state _unused_) {
    Life l = life(MODE_RESTORE, true);

    l.policy.max_restores_per_hour = 1;
    changed(&l, 0);
    changed(&l, BUCKET | TOPIC);
    restore_held(&l, 0);
    changed(&l, BUCKET | TOPIC);
    assert_int_equal(l.plan.action, ACTION_NONE);
    assert_int_equal(l.plan.n_events, 1);
    assert_true(l.plan.events[0].restores_paused);
    assert_int_equal(l.plan.events[0].severity, SEVERITY_CRITICAL);
    assert_int_equal(l.plan.events[0].fields, BUCKET | TOPIC);
    assert_false(l.plan.hold);
}

/* The message that waits is about both, and waits for the one that is written. */
static void a_pause_of_one_setting_leaves_the_message_about_both_waiting(void **state _unused_) {
    Life l = life(MODE_RESTORE, true);

    l.policy.max_restores_per_hour = 1;
    changed(&l, 0);
    changed(&l, BUCKET);
    restore_held(&l, 0);
    changed(&l, BUCKET | TOPIC);
    assert_int_equal(l.plan.action, ACTION_RESTORE);
    assert_int_equal(l.plan.fields, TOPIC);
    assert_true(notes(&l, LINE_RESTORES_PAUSED));
    assert_true(l.plan.hold && l.state.pending_restore.set);
    restore_held(&l, BUCKET);
    assert_false(l.state.pending_restore.set);
}

/* Nobody changed it: the configuration asks for more than the trail had. */
static void a_pin_that_is_undone_all_the_time_is_paused_as_unmet(void **state _unused_) {
    Life l = life(MODE_RESTORE, true);
    Drift pinned = drift_of(BUCKET, evil, true), none = { .n = 0 };

    l.policy.max_restores_per_hour = 1;
    compare(&l, &none);
    for (uint64_t mark = 7; mark < 9; mark++) {
        l.facts.pins_mark = mark;
        compare(&l, &pinned);
        if (mark == 7)
            restore_held(&l, 0);
    }
    assert_int_equal(l.plan.action, ACTION_NONE);
    assert_true(notes(&l, LINE_UNMET_PAUSED));
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].kind, EVENT_EXPECTATION_UNMET);
    assert_true(l.plan.events[0].unmet && l.plan.events[0].restores_paused);
}

/* ---- a guard that ended before its action did ---- */

static void what_ended_while_the_guard_was_off_is_its_own_doing(void **state _unused_) {
    Life l = life(MODE_RESTORE, true);

    changed(&l, 0);
    changed(&l, BUCKET);
    assert_int_equal(l.plan.action, ACTION_RESTORE);
    guard_resume(&l.state, l.now);
    l.facts.pins_mark = 7; /* whatever else changed while it was off */
    changed(&l, 0);
    assert_true(notes(&l, LINE_RESTORED));
    assert_false(l.plan.events[0].reconfigured);
    assert_int_equal(l.plan.entries[0].detail[0], '\0');
    assert_int_equal(l.plan.events[0].action.result, RESULT_CONFIRMED);

    l = life(MODE_RESTORE, true);
    l.policy.restore = RESTORE_ALL;
    result(&l, logging(STARTED, 0));
    result(&l, absent());
    assert_int_equal(l.plan.action, ACTION_RECREATE);
    guard_resume(&l.state, l.now);
    result(&l, logging(EPOCH, 0));
    assert_true(notes(&l, LINE_RECREATED));
    assert_int_equal(l.plan.events[0].action.result, RESULT_CONFIRMED);
}

/* Both a new baseline and a new configuration: what was accepted is meant. */
static void what_was_accepted_is_not_called_reconfigured(void **state _unused_) {
    Life l = life(MODE_OBSERVE, true);

    l.state.accepted_usec = EPOCH;
    changed(&l, 0);
    changed(&l, BUCKET);
    l.state.accepted_usec = EPOCH + SEC;
    l.facts.pins_mark = 7;
    changed(&l, 0);
    assert_true(l.plan.events[0].accepted && !l.plan.events[0].reconfigured);
}

/* ---- further changes ---- */

/* The restore of the first gave way to a restart; the message about it waits, and takes the next with it. */
static void a_message_that_waits_takes_further_changes_with_it(void **state _unused_) {
    const struct {
        Drift drift;
        bool pinned;
        JournalLine line;
        uint32_t noted, fields;
    } rows[] = {
        { drift_of(BUCKET | TOPIC, evil, false), false, LINE_CHANGED, TOPIC, BUCKET | TOPIC },
        { drift_of(BUCKET, worse, false), false, LINE_CHANGED, BUCKET, BUCKET },
        { drift_of(BUCKET | TOPIC, evil, true), true, LINE_UNMET, TOPIC, BUCKET | TOPIC },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Life l = life(MODE_RESTORE, true);
        Observation seen = stopped(STARTED, STOP_NOW);

        changed(&l, 0);
        changed(&l, BUCKET);
        result(&l, seen);
        assert_int_equal(l.plan.action, ACTION_RESTART);
        assert_true(l.state.pending_restore.set);
        l.facts.pins_mark = rows[i].pinned ? 7 : 0;
        decide(&l, (TrailInput){ .kind = GUARD_POLLED, .seen = &seen, .drift = &rows[i].drift });
        assert_int_equal(l.plan.n_events, 0);
        assert_int_equal(l.plan.entries[0].line, rows[i].line);
        assert_int_equal(l.plan.entries[0].fields, rows[i].noted);
        assert_int_equal(l.state.incident.fields, rows[i].fields);
        assert_int_equal(l.state.unmet_fields, rows[i].pinned ? TOPIC : 0);
        held(&l, EPOCH, STOP_NOW);
        restore_held(&l, 0);
        assert_int_equal(l.plan.events[0].fields & BUCKET, BUCKET);
        assert_true(l.plan.events[0].resolves);
    }
}

static void what_is_put_back_in_part_is_no_news(void **state _unused_) {
    Life l = life(MODE_OBSERVE, true);

    changed(&l, 0);
    changed(&l, BUCKET | TOPIC);
    changed(&l, BUCKET);
    assert_int_equal(l.plan.n_events, 0);
    assert_int_equal(l.state.fields, BUCKET);
}

/* What a pin wants and the trail never had is said once, whatever it has instead. */
static void another_value_that_was_recorded_is_no_news(void **state _unused_) {
    Life l = life(MODE_OBSERVE, true);
    Drift first = drift_of(BUCKET, evil, true), second = drift_of(BUCKET, worse, true);

    changed(&l, 0);
    l.facts.pins_mark = 7;
    compare(&l, &first);
    assert_int_equal(l.plan.events[0].kind, EVENT_EXPECTATION_UNMET);
    compare(&l, &second);
    assert_int_equal(l.plan.n_events, 0);
    assert_int_equal(l.state.unmet_fields, BUCKET);
}

/* The summary of what was suppressed is owed also when a person changes the configuration before it comes.
 */
static void a_new_pin_does_not_swallow_a_summary(void **state _unused_) {
    Life l = life(MODE_OBSERVE, true);
    Drift pinned = drift_of(BUCKET, evil, true);
    unsigned n_summaries = 0;

    changed(&l, 0);
    for (unsigned i = 0; i < 6; i++) {
        uint64_t stop = l.now.real_usec + SEC;

        pass_time(&l, 10 * SEC);
        result(&l, logging(stop + SEC, stop));
    }
    assert_true(l.state.incident.pending_gaps.count > 0 && !l.state.incident.open);
    l.facts.pins_mark = 7;
    {
        Observation seen = logging(l.state.start_usec, l.state.stop_usec);

        decide(&l, (TrailInput){ .kind = GUARD_POLLED, .seen = &seen, .drift = &pinned });
    }
    assert_int_equal(l.plan.events[0].kind, EVENT_EXPECTATION_UNMET);
    for (unsigned i = 0; i < 3; i++) {
        wait_for_wake(&l, HOUR);
        for (unsigned k = 0; k < l.plan.n_events; k++)
            n_summaries += l.plan.events[k].phase == PHASE_SUMMARY && l.plan.events[k].repeats.count > 0;
    }
    assert_int_equal(n_summaries, 1);
}

static void settings_of_a_trail_that_is_gone_are_old(void **state _unused_) {
    Life l = life(MODE_OBSERVE, true);
    Observation seen = logging(STARTED, 0);

    (void)strcpy(seen.bucket_error, "NoSuchBucket");
    result(&l, logging(STARTED, 0));
    /* without a comparison: only what the checks say of bucket and key */
    decide(&l, (TrailInput){ .kind = GUARD_COMPARED, .seen = &seen });
    assert_int_equal(l.state.findings, FINDING_BIT(FINDING_BUCKET));
    result(&l, absent());
    decide(&l, (TrailInput){ .kind = GUARD_COMPARED, .seen = &seen });
    assert_int_equal(l.state.findings, FINDING_BIT(FINDING_MISSING));
    assert_int_equal(l.plan.n_events, 0);
}

/* ---- messages ---- */

/* A reminder about a stop does not say why a restore failed. */
static void a_reminder_gives_the_reason_of_its_own_action(void **state _unused_) {
    Life l = life(MODE_RESTORE, true);
    bool reminded = false;

    changed(&l, 0);
    changed(&l, BUCKET);
    result(&l, stopped(STARTED, STOP_NOW));
    failed(&l);
    assert_int_equal(l.plan.action, ACTION_RESTORE);
    came_of(&l, (Outcome){ .action = ACTION_RESTORE,
                           .result = RESULT_FAILED,
                           .fields_left = BUCKET,
                           .error_text = "InsufficientEncryptionPolicy" });
    l.state.acting = true; /* the next restart is under way when the hour is over */
    l.state.action = ACTION_RESTART;
    pass_time(&l, HOUR);
    wake(&l);
    for (unsigned i = 0; i < l.plan.n_events; i++)
        if (l.plan.events[i].kind == EVENT_INCIDENT_REMINDER) {
            reminded = true;
            assert_int_equal(l.plan.events[i].action.taken, ACTION_RESTART);
            assert_string_equal(l.plan.events[i].detail, "");
        }
    assert_true(reminded);
}

/* Others count it: nothing more is said of it, however long it lasts. */
static void an_unreachable_trail_that_is_summed_up_does_not_become_critical(void **state _unused_) {
    Life l = life(MODE_OBSERVE, true);

    result(&l, logging(STARTED, 0));
    l.state.provisional = l.facts.summed_up = true;
    for (unsigned i = 0; i < l.policy.unreachable_after; i++)
        result(&l, in_vain(POLL_SERVICE, true));
    assert_true(l.plan.summed_up && (l.state.findings & FINDING_BIT(FINDING_UNREACHABLE)));
    pass_time(&l, HOUR);
    wake(&l);
    assert_int_equal(l.n_events, 0);
}

/* Its trail was forgotten, or the search was switched off, while AWS was asked. */
static void an_answer_that_nobody_waits_for_is_none(void **state _unused_) {
    static const bool forgotten[] = { false, true };
    Attribution found = { .searched = true, .found = true, .n_attempts = 1 };

    found.actor.event_usec = found.attempts[0].event_usec = EPOCH;
    for (size_t i = 0; i < ARRAY_SIZE(forgotten); i++) {
        Life l = life(MODE_OBSERVE, true);

        found.n_attempts = forgotten[i];
        l.policy.attribution = true;
        result(&l, stopped(STARTED, STOP_NOW));
        pass_time(&l, 5 * SEC);
        wake(&l);
        assert_true(l.plan.attribute);
        if (forgotten[i])
            decide(&l, (TrailInput){ .kind = GUARD_FORGOTTEN, .why = "accepted" });
        else
            l.policy.attribution = false;
        wake(&l);
        decide(&l, (TrailInput){ .kind = GUARD_ATTRIBUTED, .attribution = &found });
        assert_int_equal(l.plan.n_events + l.plan.n_entries, 0);
    }
}

/* A stop was critical, and is over. Then something lesser reopens the incident: its reminder and its end
 * page nobody, and the next stop is as critical as the first. */
static void a_reopened_incident_is_as_severe_as_what_reopened_it(void **state _unused_) {
    Life l = life(MODE_OBSERVE, true);
    Observation lesser = logging(STARTED, STOP_NOW);

    (void)strcpy(lesser.notification_error, "AuthorizationError");
    result(&l, logging(STARTED, 0));
    result(&l, stopped(STARTED, STOP_NOW));
    assert_int_equal(l.plan.events[0].severity, SEVERITY_CRITICAL);
    pass_time(&l, 10 * SEC);
    result(&l, logging(STARTED, STOP_NOW));
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_RESOLVED);
    assert_int_equal(l.plan.events[0].severity, SEVERITY_CRITICAL);
    pass_time(&l, 10 * SEC);
    result(&l, lesser);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].severity, SEVERITY_WARNING);
    assert_int_equal(l.state.incident.severity, SEVERITY_WARNING);
    pass_time(&l, HOUR);
    result(&l, lesser);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].kind, EVENT_INCIDENT_REMINDER);
    assert_int_equal(l.plan.events[0].severity, SEVERITY_WARNING);
    result(&l, logging(STARTED, STOP_NOW));
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_RESOLVED);
    assert_int_equal(l.plan.events[0].severity, SEVERITY_WARNING);
    pass_time(&l, 10 * SEC);
    result(&l, stopped(STARTED, l.now.real_usec));
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].phase, PHASE_REOPENED);
    assert_int_equal(l.plan.events[0].severity, SEVERITY_CRITICAL);
}

/* What is summed up is as severe as the worst of it, whatever the incident is about now. */
static void a_summary_is_as_severe_as_what_it_sums_up(void **state _unused_) {
    Life l = life(MODE_OBSERVE, true);
    Observation lesser = logging(STARTED, STOP_NOW);

    result(&l, logging(STARTED, 0));
    for (unsigned i = 0; i < 6; i++) {
        pass_time(&l, 10 * SEC);
        result(&l, i % 2 == 0 ? absent() : stopped(STARTED, l.now.real_usec));
        result(&l, logging(STARTED, l.state.stop_usec));
    }
    assert_true(l.state.incident.suppressed);
    pass_time(&l, 10 * SEC);
    lesser = logging(STARTED, l.state.stop_usec);
    (void)strcpy(lesser.notification_error, "AuthorizationError");
    result(&l, lesser);
    for (unsigned i = 0; i < 40 && (l.plan.n_events == 0 || l.plan.events[0].phase != PHASE_SUMMARY); i++) {
        pass_time(&l, 10 * SEC);
        result(&l, lesser);
    }
    assert_int_equal(l.plan.events[0].phase, PHASE_SUMMARY);
    assert_int_equal(l.plan.events[0].severity, SEVERITY_CRITICAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_search_begins_at_0_where_the_clock_was_never_set),
        cmocka_unit_test(a_gap_does_not_end_before_it_begins),
        cmocka_unit_test(a_stop_without_any_time_counts_from_now),
        cmocka_unit_test(a_trail_that_never_delivered_is_not_stale),
        cmocka_unit_test(a_restore_without_an_incident_reports_nothing),
        cmocka_unit_test(a_stop_is_sought_within_the_times_of_its_search),
        cmocka_unit_test(who_is_polled_fast),
        cmocka_unit_test(who_is_done_with),
        cmocka_unit_test(a_plan_that_is_full_says_so),
        cmocka_unit_test(a_trail_that_runs_again_and_delivers_nothing_is_failing),
        cmocka_unit_test(a_restore_of_a_trail_that_was_deleted_meanwhile_is_no_success),
        cmocka_unit_test(a_restore_that_changed_nothing_is_no_success),
        cmocka_unit_test(a_pause_is_known_the_next_time),
        cmocka_unit_test(two_settings_are_paused_with_one_message),
        cmocka_unit_test(a_pause_of_one_setting_leaves_the_message_about_both_waiting),
        cmocka_unit_test(a_pin_that_is_undone_all_the_time_is_paused_as_unmet),
        cmocka_unit_test(what_ended_while_the_guard_was_off_is_its_own_doing),
        cmocka_unit_test(what_was_accepted_is_not_called_reconfigured),
        cmocka_unit_test(a_message_that_waits_takes_further_changes_with_it),
        cmocka_unit_test(what_is_put_back_in_part_is_no_news),
        cmocka_unit_test(another_value_that_was_recorded_is_no_news),
        cmocka_unit_test(a_new_pin_does_not_swallow_a_summary),
        cmocka_unit_test(settings_of_a_trail_that_is_gone_are_old),
        cmocka_unit_test(a_reminder_gives_the_reason_of_its_own_action),
        cmocka_unit_test(an_unreachable_trail_that_is_summed_up_does_not_become_critical),
        cmocka_unit_test(a_reopened_incident_is_as_severe_as_what_reopened_it),
        cmocka_unit_test(a_summary_is_as_severe_as_what_it_sums_up),
        cmocka_unit_test(an_answer_that_nobody_waits_for_is_none),
    };

    return cmocka_run_group_tests_name("guard_edges", tests, NULL, NULL);
}
