/* SPDX-License-Identifier: Apache-2.0 */
/* What follows from a decision besides what its plan names, in tables of cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/guard_life.h"

#define WAKE (7 * SEC)

typedef struct Case {
    TrailState before, next;
    Plan plan;
    Decided decided;
    FollowUp follow;
} Case;

static void check(const Case *cases, size_t n) {
    const Now now = { .real_usec = 100 * SEC, .mono_usec = 50 * SEC };

    for (size_t i = 0; i < n; i++) {
        const FollowUp *want = &cases[i].follow;
        Decided decided = cases[i].decided;
        FollowUp follow;

        decided.before = &cases[i].before;
        decided.next = &cases[i].next;
        decided.plan = &cases[i].plan;
        follow = guard_follow_up(&decided, now);
        if (follow.is_news != want->is_news || follow.is_saved_now != want->is_saved_now ||
            follow.reported_alone != want->reported_alone || follow.acts != want->acts ||
            follow.searches != want->searches || follow.contested != want->contested ||
            follow.wake_mono_usec != want->wake_mono_usec)
            fail_msg("row %zu", i);
    }
}

/* A quiet poll moves times only: ten thousand trails must not write files for it. */
static void what_is_shown_and_saved(void **state _unused_) {
    static const Case cases[] = {
        { .decided.kind = GUARD_POLLED },
        { .plan.n_events = 1, .follow = { .is_news = true, .is_saved_now = true } },
        { .plan.n_entries = 1, .follow = { .is_news = true, .is_saved_now = true } },
        { .before.verdict = VERDICT_LOGGING,
          .next.verdict = VERDICT_STOPPED,
          .follow = { .is_news = true, .is_saved_now = true } },
        { .decided.kind = GUARD_ACTED, .follow = { .is_news = true, .is_saved_now = true } },
        { .decided.kind = GUARD_COMPARED },
        /* what was held may be on the disk now */
        { .decided = { .was_held = true }, .follow = { .is_news = true, .is_saved_now = true } },
        { .decided = { .was_held = true, .is_held = true } },
        { .decided = { .is_held = true } },
        /* from the first poll on a difference is a change: that it was seen is on the disk soon */
        { .decided = { .is_known = true }, .follow = { .is_saved_now = true } },
        { .decided = { .was_known = true, .is_known = true } },
        { .decided = { .was_known = true } },
    };

    check(cases, ARRAY_SIZE(cases));
}

static void which_incident_lines_belong_to(void **state _unused_) {
    static const Subject own = { .name = "main" }, several = { .account = "111122223333" };
    static const struct {
        Plan plan;
        Incident incident;
        const Subject *about;
        uint64_t dedup_usec;
    } cases[] = {
        { .incident = { .dedup_usec = 7 }, .about = NULL },
        { .incident = { .opened_usec = 5, .dedup_usec = 7 }, .about = &own, .dedup_usec = 7 },
        { .incident = { .opened_usec = 5, .dedup_usec = 7 },
          .plan = { .n_events = 1, .events = { { .incident_dedup_usec = 9 } } },
          .about = &own,
          .dedup_usec = 7 },
        { .incident = { .opened_usec = 5, .dedup_usec = 7 },
          .plan = { .n_events = 1, .events = { { .incident_of = &several, .incident_dedup_usec = 9 } } },
          .about = &several,
          .dedup_usec = 9 },
        { .plan = { .n_events = 1, .events = { { .incident_of = &several, .incident_dedup_usec = 9 } } },
          .about = &several,
          .dedup_usec = 9 },
        /* what is left of an event that was not made counts for nothing */
        { .plan = { .events = { { .incident_of = &several, .incident_dedup_usec = 9 } } }, .about = NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t dedup_usec = 0;

        if (guard_lines_are_about(&cases[i].plan, &own, &cases[i].incident, &dedup_usec) != cases[i].about ||
            (cases[i].about && dedup_usec != cases[i].dedup_usec))
            fail_msg("case %zu", i);
    }
}

static void what_is_begun(void **state _unused_) {
    static const Case cases[] = {
        { .plan.action = ACTION_RESTART, .follow.acts = true },
        { .plan.action = ACTION_RESTORE, .decided.once = true, .follow.acts = true },
        /* a check acts once, however often the trail is stopped again; the daemon always */
        { .plan.action = ACTION_RESTART,
          .decided = { .once = true, .kind = GUARD_ACTED },
          .follow = { .is_news = true, .is_saved_now = true } },
        { .plan.action = ACTION_RESTART,
          .decided.kind = GUARD_ACTED,
          .follow = { .is_news = true, .is_saved_now = true, .acts = true } },
        { .plan.attribute = true, .follow.searches = true },
        { .plan.attribute = true, .decided.once = true },
        { .next.contest.until_mono_usec = 51 * SEC, .follow.contested = true },
        { .next.contest.until_mono_usec = 51 * SEC, .decided.once = true },
        { .next.contest.until_mono_usec = 49 * SEC },
        { .plan.wake_mono_usec = WAKE, .follow.wake_mono_usec = WAKE },
        /* of an account that has left its own incident says more than reminders; a message still goes out */
        { .plan.wake_mono_usec = WAKE, .decided.left = true },
        { .plan = { .wake_mono_usec = WAKE, .hold = true },
          .decided.left = true,
          .follow.wake_mono_usec = WAKE },
    };

    check(cases, ARRAY_SIZE(cases));
}

/* Those that are reported one by one are counted: a further one may be summed up. */
static void what_nobody_has_accepted_is_counted_once(void **state _unused_) {
    static const Case cases[] = {
        { .next = { .provisional = true, .incident.opened_usec = 5 }, .follow.reported_alone = true },
        { .before.incident.opened_usec = 5, .next = { .provisional = true, .incident.opened_usec = 5 } },
        { .next = { .provisional = true } },
        { .next.incident.opened_usec = 5 },
        { .next = { .provisional = true, .incident.opened_usec = 5 }, .plan.summed_up = true },
    };

    check(cases, ARRAY_SIZE(cases));
}

static void whose_the_bucket_is_is_asked_while_a_message_may_name_it(void **state _unused_) {
    static const struct {
        TrailState state;
        bool asks;
    } rows[] = {
        { { .provisional = true }, true },
        { { .provisional = true, .known = true, .pending_restore.set = true }, true },
        { { .provisional = true, .known = true }, false },
        { { .known = false }, false },
        { { .pending_restore.set = true }, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(guard_asks_destination(&rows[i].state), rows[i].asks);
}

static void what_is_news_of_a_target(void **state _unused_) {
    static const struct {
        TargetState before, next;
        Plan plan;
        bool is_news;
    } rows[] = {
        { .is_news = false },
        { .plan.n_events = 1, .is_news = true },
        { .plan.n_entries = 1, .is_news = true },
        { .next.unreachable = true, .is_news = true },
        { .before.unreachable = true, .is_news = true },
        { .before.unreachable = true, .next.unreachable = true, .is_news = false },
        { .next.list_unreadable = true, .is_news = true },
        { .next.n_failed = 1, .is_news = false }, /* one failed poll is none */
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (guard_target_is_news(&rows[i].before, &rows[i].next, &rows[i].plan) != rows[i].is_news)
            fail_msg("row %zu", i);
}

static void when_an_intent_may_go(void **state _unused_) {
    static const struct {
        TrailState reported, state;
        bool may_go;
    } rows[] = {
        { { .intent_usec = 5 }, { .intent_usec = 5 }, true },
        { { .intent_usec = 4 }, { .intent_usec = 5 }, false }, /* the file knows an earlier action only */
        { { .intent_usec = 5, .pending.set = true }, { .intent_usec = 5 }, false },
        { { .intent_usec = 5, .pending_restore.set = true }, { .intent_usec = 5 }, false },
        /* a message waits of which the file has the end */
        { { .intent_usec = 5 }, { .intent_usec = 5, .pending.set = true }, true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(guard_intent_is_reported(&rows[i].reported, &rows[i].state), rows[i].may_go);
}

/* The intent on the disk is known by it: two within a microsecond must differ. */
static void each_action_has_a_time_of_its_own(void **state _unused_) {
    Life l = life(MODE_RESTART, true);
    Observation stopped = { .kind = OBSERVED_STATUS, .start_usec = STARTED, .stop_usec = STARTED + 1 };
    const TrailInput seen = { .kind = GUARD_POLLED, .seen = &stopped };
    TrailState again;

    guard_trail(&l.policy, &l.facts, &l.state, &seen, l.now, &l.plan, &again);
    assert_int_equal(l.plan.action, ACTION_RESTART);
    assert_true(again.intent_usec == l.now.real_usec);
    again.acting = false;
    guard_trail(&l.policy, &l.facts, &again, &seen, l.now, &l.plan, &again);
    assert_int_equal(l.plan.action, ACTION_RESTART);
    assert_true(again.intent_usec == l.now.real_usec + 1);
    /* without an action it stays */
    guard_trail(&l.policy, &l.facts, &again, &(TrailInput){ .kind = GUARD_TIME }, l.now, &l.plan, &again);
    assert_int_equal(l.plan.action, ACTION_NONE);
    assert_true(again.intent_usec == l.now.real_usec + 1);
}

static void what_a_message_shows_besides(void **state _unused_) {
    static const Settings actual;
    static const Drift drift = { .n = 1 }, changes = { .n = 2 };
    static const Episode known = { .has_actor = true, .actor.arn = "bob" }, unknown = { .n_attempts = 1 };
    static const struct {
        Event event;
        const Episode *episode;
        const Drift *changes;
        bool appeared, has_actor;
    } rows[] = {
        { .event = { .kind = EVENT_TRAIL_STOPPED }, .episode = &known },
        { .event = { .kind = EVENT_TRAIL_WEAKENED, .fields = 1 }, .changes = &changes },
        { .event = { .kind = EVENT_TRAIL_STRENGTHENED }, .changes = &drift },
        { .event = { .kind = EVENT_TRAIL_STRENGTHENED, .fields = 1 }, .changes = &drift },
        { .event = { .kind = EVENT_TRAIL_APPEARED }, .appeared = true },
        { .event = { .kind = EVENT_TRAIL_CONTESTED }, .episode = &known, .has_actor = true },
        { .event = { .kind = EVENT_TRAIL_CONTESTED }, .episode = &unknown },
        { .event = { .kind = EVENT_TRAIL_CONTESTED } },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const TrailExtras extras = { &drift, &changes, &actual, "444455556666", rows[i].episode };
        Event event = rows[i].event;

        guard_complete_event(&event, &extras);
        if (event.changes != rows[i].changes || event.delivers != (rows[i].appeared ? &actual : NULL) ||
            event.has_actor != rows[i].has_actor)
            fail_msg("row %zu", i);
        assert_string_equal(event.detail, rows[i].appeared ? "444455556666" : "");
        assert_string_equal(event.actor.arn, rows[i].has_actor ? "bob" : "");
    }
}

static void the_last_attempt_that_failed_is_shown_until_one_is_confirmed(void **state _unused_) {
    const Incident incident = { .action.attempts = 3, .restore.attempts = 5 };
    const Now now = { .real_usec = 100 * SEC };
    Outcome outcome = { .action = ACTION_RESTORE,
                        .result = RESULT_FAILED,
                        .error_code = "AccessDenied",
                        .error_text = "no" };
    Episode episode = { .failed = ACTION_NONE };

    assert_true(guard_episode_shows(NULL, &outcome));
    guard_episode_take(&episode, &outcome, &incident, now);
    assert_int_equal(episode.failed, ACTION_RESTORE);
    assert_int_equal(episode.n_attempts, 5);
    assert_true(episode.failed_usec == now.real_usec);
    assert_string_equal(episode.failed_code, "AccessDenied");
    assert_string_equal(episode.failed_text, "no");
    /* another kind of action says nothing of it */
    outcome = (Outcome){ .action = ACTION_RESTART, .result = RESULT_CONFIRMED };
    assert_false(guard_episode_shows(&episode, &outcome));
    outcome.result = RESULT_FAILED;
    assert_true(guard_episode_shows(&episode, &outcome));
    guard_episode_take(&episode, &outcome, &incident, now);
    assert_int_equal(episode.failed, ACTION_RESTART);
    assert_int_equal(episode.n_attempts, 3);
    outcome.result = RESULT_CONFIRMED;
    assert_true(guard_episode_shows(&episode, &outcome));
    guard_episode_take(&episode, &outcome, &incident, now);
    assert_int_equal(episode.failed, ACTION_NONE);
    assert_false(guard_episode_shows(NULL, &outcome));
    assert_false(guard_episode_shows(&episode, &outcome));
}

static void one_contest_has_one_caller(void **state _unused_) {
    assert_true(guard_episode_keeps_actor(&(TrailState){ .contest.n = 1 }));
    assert_false(guard_episode_keeps_actor(&(TrailState){ .known = true }));
}

static void what_an_action_needs_and_shows(void **state _unused_) {
    static const struct {
        Action action;
        bool needs_baseline, shows_status;
    } rows[] = {
        { ACTION_RESTART, false, true },
        { ACTION_RESTORE, true, false },
        { ACTION_RECREATE, true, true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Outcome outcome = { .action = rows[i].action, .result = RESULT_CONFIRMED };

        assert_int_equal(guard_lacks_baseline(rows[i].action, false), rows[i].needs_baseline);
        assert_false(guard_lacks_baseline(rows[i].action, true));
        assert_int_equal(guard_outcome_shows_status(&outcome), rows[i].shows_status);
        outcome.result = RESULT_FAILED;
        assert_false(guard_outcome_shows_status(&outcome));
    }
}

static void which_incident_a_targets_lines_belong_to(void **state _unused_) {
    TargetState s = { .cover.open = true };

    assert_ptr_equal(guard_target_incident(&s), &s.cover);
    s.list.open = true;
    assert_ptr_equal(guard_target_incident(&s), &s.list);
    s.reach.open = true;
    assert_ptr_equal(guard_target_incident(&s), &s.reach);
    s.list.open = s.cover.open = false;
    assert_ptr_equal(guard_target_incident(&s), &s.reach);
}

static void what_a_target_owes(void **state _unused_) {
    const Incident open = { .open = true, .sequence = 1 };

    assert_false(guard_target_owes_end(&(TargetState){ .unreachable = true }));
    assert_true(guard_target_owes_end(&(TargetState){ .reach = open }));
    assert_true(guard_target_owes_end(&(TargetState){ .cover = open }));
    assert_true(guard_target_owes_end(&(TargetState){ .list = open }));
    assert_false(guard_target_owes_end(&(TargetState){ .list.open = true })); /* no message was sent */
}

static void which_trails_the_state_file_has(void **state _unused_) {
    static const struct {
        TrailState state;
        bool has_row, was_guarded;
    } rows[] = {
        { { .known = true }, true, true },
        { { .incident.opened_usec = 5 }, true, false },
        { { .findings = FINDING_BIT(FINDING_MISSING), .incident.opened_usec = 5 }, true, true },
        { { .findings = FINDING_BIT(FINDING_UNREACHABLE) }, false, false },
        { { .n_failed = 2 }, false, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(guard_has_row(&rows[i].state), rows[i].has_row);
        assert_int_equal(guard_was_guarded(&rows[i].state), rows[i].was_guarded);
    }
}

static void what_was_never_found_was_changed_by_nobody(void **state _unused_) {
    Life l = life(MODE_OBSERVE, true);

    l.policy.attribution = true;
    l.facts.never_found = true;
    decide(&l, (TrailInput){ .kind = GUARD_NOT_LISTED });
    assert_int_equal(l.plan.n_events, 1);
    assert_false(l.state.attributing.wanted);
    pass_time(&l, HOUR / 2);
    decide(&l, (TrailInput){ .kind = GUARD_TIME });
    assert_false(l.plan.attribute);
}

/* A trail whose key, topic and log group are gone takes longer to create than the message about it waits.
 * What it lacks then was in none. */
static void what_a_new_trail_lacks_is_reported_when_the_message_did_not_wait(void **unused) {
    const uint32_t left = FIELD_BIT(FIELD_KMS_KEY) | FIELD_BIT(FIELD_LOG_GROUP);

    (void)unused;
    for (unsigned late = 0; late < 2; late++) {
        Life l = life(MODE_RESTORE, true);
        Outcome made = { .action = ACTION_RECREATE,
                         .result = RESULT_CONFIRMED,
                         .fields_left = left,
                         .seen = logging(STARTED + HOUR, 0) },
                refused = { .action = ACTION_RESTORE,
                            .result = RESULT_FAILED,
                            .fields_left = left,
                            .error_text = "no such key" };

        l.policy.restore = RESTORE_ALL;
        result(&l, logging(STARTED, 0));
        result(&l, absent());
        assert_int_equal(l.plan.action, ACTION_RECREATE);
        if (late) {
            pass_time(&l, 6 * SEC);
            wake(&l);
            assert_int_equal(l.plan.n_events, 1);
            assert_int_equal(l.plan.events[0].action.result, RESULT_PENDING);
        }
        decide(&l, (TrailInput){ .kind = GUARD_ACTED, .outcome = &made });
        assert_int_equal(l.plan.action, ACTION_RESTORE);
        if (!late) {
            assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_MISSING);
            assert_int_equal(l.plan.events[0].fields_left, left);
            continue;
        }
        decide(&l, (TrailInput){ .kind = GUARD_ACTED, .outcome = &refused });
        assert_int_equal(l.plan.n_events, 1);
        assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_WEAKENED);
        assert_int_equal(l.plan.events[0].fields, left);
        assert_int_equal(l.plan.events[0].action.result, RESULT_FAILED);
    }
}

/* ---- what was missed ---- */

static void what_was_missed_is_read_from_the_times(void **state _unused_) {
    static const TrailState before = { .known = true,
                                       .start_usec = STARTED,
                                       .delivery_usec = STARTED + SEC };
    static const struct {
        TrailState now;
        Missed missed;
    } rows[] = {
        { { .known = true, .start_usec = STARTED, .delivery_usec = STARTED + SEC }, MISSED_NOTHING },
        { { .known = true, .start_usec = EPOCH, .stop_usec = STOP_NOW, .delivery_usec = STARTED + SEC },
          MISSED_INTERRUPTION },
        { { .known = true, .start_usec = EPOCH }, MISSED_REPLACEMENT },
        { { .start_usec = EPOCH }, MISSED_NOTHING },
        { { .known = true, .start_usec = EPOCH, .findings = FINDING_BIT(FINDING_MISSING) }, MISSED_NOTHING },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(guard_missed(&before, &rows[i].now), rows[i].missed);
}

/* A trail that was stopped may have been started and no more; what shows another stop, or a start before the
 * stop that is known, was created again. */
static void a_start_alone_is_no_new_trail(void **state _unused_) {
    static const TrailState before = { .known = true,
                                       .findings = FINDING_BIT(FINDING_STOPPED),
                                       .start_usec = STARTED,
                                       .stop_usec = STOP_NOW };
    static const struct {
        TrailState now;
        Missed missed;
    } rows[] = {
        { { .known = true, .start_usec = EPOCH }, MISSED_NOTHING },
        { { .known = true, .start_usec = EPOCH, .stop_usec = STARTED }, MISSED_REPLACEMENT },
        { { .known = true, .start_usec = STOP_NOW - 1 }, MISSED_REPLACEMENT },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(guard_missed(&before, &rows[i].now), rows[i].missed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_missed_is_read_from_the_times),
        cmocka_unit_test(a_start_alone_is_no_new_trail),
        cmocka_unit_test(what_is_shown_and_saved),
        cmocka_unit_test(what_is_begun),
        cmocka_unit_test(which_incident_lines_belong_to),
        cmocka_unit_test(what_nobody_has_accepted_is_counted_once),
        cmocka_unit_test(whose_the_bucket_is_is_asked_while_a_message_may_name_it),
        cmocka_unit_test(what_is_news_of_a_target),
        cmocka_unit_test(when_an_intent_may_go),
        cmocka_unit_test(each_action_has_a_time_of_its_own),
        cmocka_unit_test(what_a_message_shows_besides),
        cmocka_unit_test(the_last_attempt_that_failed_is_shown_until_one_is_confirmed),
        cmocka_unit_test(one_contest_has_one_caller),
        cmocka_unit_test(what_an_action_needs_and_shows),
        cmocka_unit_test(which_incident_a_targets_lines_belong_to),
        cmocka_unit_test(what_a_target_owes),
        cmocka_unit_test(which_trails_the_state_file_has),
        cmocka_unit_test(what_was_never_found_was_changed_by_nobody),
        cmocka_unit_test(what_a_new_trail_lacks_is_reported_when_the_message_did_not_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
