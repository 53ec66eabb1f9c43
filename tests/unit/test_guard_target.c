/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts that cannot be reached or have left their organization, and who did that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/guard.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define T0  (1800000000ULL * USEC_PER_SEC)
#define DAY (86400ULL * USEC_PER_SEC)

typedef struct Life {
    Policy policy;
    TargetState state;
    Now now;
    Plan plan;
} Life;

static Life life_of_an_account(void) {
    Life l = { .policy = { .unreachable_after = 2, .attribution = true },
               .now = { .real_usec = T0, .mono_usec = T0 } };

    l.state.reach.event = l.state.cover.event = l.state.list.event = _EVENT_MAX;
    return l;
}

static void pass(Life *l, uint64_t sec) {
    l->now.real_usec += sec * USEC_PER_SEC;
    l->now.mono_usec += sec * USEC_PER_SEC;
}

static void poll(Life *l, PollError error) {
    PollResult result = { .reachable = error == POLL_OK, .error = error };

    (void)text_copy(result.error_text, sizeof(result.error_text), error == POLL_OK ? "" : "an error");
    guard_target(&l->policy, &l->state, &result, l->now, &l->plan, &l->state);
}

static void wake(Life *l) {
    assert_int_not_equal(l->plan.wake_mono_usec, 0);
    if (l->plan.wake_mono_usec > l->now.mono_usec)
        pass(l, (l->plan.wake_mono_usec - l->now.mono_usec + USEC_PER_SEC - 1) / USEC_PER_SEC);
    guard_target(&l->policy, &l->state, NULL, l->now, &l->plan, &l->state);
}

static void answer(Life *l, const Attribution *found) {
    guard_target_attributed(&l->policy, &l->state, found, NULL, l->now, &l->plan, &l->state);
}

static Attribution call_at(uint64_t usec, const char *departure) {
    Attribution found = { .searched = true, .found = true, .actor = { .event_usec = usec } };

    (void)text_copy(found.actor.departure, sizeof(found.actor.departure), departure);
    return found;
}

static void the_search_for_who_made_an_account_leave(void **unused) {
    Life l = life_of_an_account();
    Attribution nobody = { .searched = true }, found = call_at(T0 - DAY, "");

    (void)unused;
    poll(&l, POLL_GONE); /* once is enough */
    assert_int_equal(l.plan.n_events, 1);
    assert_false(l.plan.attribute);
    wake(&l);
    assert_true(l.plan.attribute);
    answer(&l, &nobody);
    assert_int_equal(l.plan.n_events, 0);
    wake(&l);
    assert_true(l.plan.attribute);
    answer(&l, &found);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_ATTRIBUTED);
    assert_true(l.plan.events[0].has_actor && !l.plan.events[0].resolves);
    assert_int_equal(l.plan.events[0].incident_dedup_usec, l.state.reach.dedup_usec);
    assert_int_equal(l.plan.events[0].sequence, 2);
    assert_false(l.state.attributing.wanted); /* found: not searched again */
    assert_int_equal(l.plan.wake_mono_usec, T0 + GUARD_UNREACHABLE_CRITICAL_USEC);
}

/* Its id comes from the account: what opened without one ends without one. */
static void what_began_before_the_account_was_known_names_none_to_the_end(void **unused) {
    Life l = life_of_an_account();

    (void)unused;
    l.policy.unnamed = true;
    poll(&l, POLL_CREDENTIALS);
    poll(&l, POLL_CREDENTIALS);
    assert_true(l.plan.n_events == 1 && l.plan.events[0].unnamed);
    l.policy.unnamed = false;
    poll(&l, POLL_OK);
    assert_true(l.plan.events[0].phase == PHASE_RESOLVED && l.plan.events[0].unnamed);
    poll(&l, POLL_CREDENTIALS);
    poll(&l, POLL_CREDENTIALS);
    assert_true(l.plan.events[0].phase == PHASE_REOPENED && l.plan.events[0].unnamed);
    poll(&l, POLL_OK);
    pass(&l, 301);
    poll(&l, POLL_CREDENTIALS);
    poll(&l, POLL_CREDENTIALS);
    assert_true(l.plan.events[0].phase == PHASE_OPENED && !l.plan.events[0].unnamed);
}

/* An account that fails with others is in their incident: a message about it under an id of its own would
 * open an incident that nothing ends. */
static void who_did_it_is_reported_in_the_incident_that_the_account_shares(void **unused) {
    static const struct {
        bool shares, open, begun;
        bool in_it, resolves;
    } rows[] = {
        { true, true, true, true, false },
        { true, false, true, true, true },   /* over in the meantime */
        { true, false, false, false, true }, /* the others were not reported yet */
        { false, true, true, false, false }, /* by itself, whatever others have in common */
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Life l = life_of_an_account();
        Attribution found = call_at(T0 - 1, "");
        Incident shared = { .open = rows[i].open,
                            .dedup_usec = T0 - DAY,
                            .opened_usec = rows[i].begun ? T0 - DAY : 0,
                            .event = EVENT_TARGET_UNREACHABLE,
                            .severity = SEVERITY_CRITICAL,
                            .sequence = 7 };
        const SharedIncident in = { .incident = &shared, .subject = { "", "", "111122223333", "" } };
        PollResult result = { .error = POLL_DENIED, .cause = rows[i].shares ? CAUSE_ROLE : CAUSE_OWN };
        const Event *event = &l.plan.events[0];
        unsigned before;

        guard_target(&l.policy, &l.state, &result, l.now, &l.plan, &l.state);
        guard_target(&l.policy, &l.state, &result, l.now, &l.plan, &l.state);
        before = l.state.reach.sequence;
        wake(&l);
        assert_true(l.plan.attribute);
        guard_target_attributed(&l.policy, &l.state, &found, &in, l.now, &l.plan, &l.state);
        assert_int_equal(l.plan.n_events, 1);
        assert_int_equal(event->kind, EVENT_TRAIL_ATTRIBUTED);
        assert_ptr_equal(event->incident_of, rows[i].in_it ? &in.subject : NULL);
        assert_int_equal(event->incident_dedup_usec, rows[i].in_it ? T0 - DAY : l.state.reach.dedup_usec);
        assert_int_equal(event->sequence, rows[i].in_it ? 8 : before + 1);
        assert_int_equal(event->opened_usec, rows[i].in_it ? T0 - DAY : T0);
        assert_int_equal(event->severity, rows[i].in_it ? SEVERITY_CRITICAL : SEVERITY_WARNING);
        assert_int_equal(event->resolves, rows[i].resolves);
        assert_int_equal(shared.sequence, rows[i].in_it ? 8 : 7);
        assert_int_equal(l.state.reach.sequence, rows[i].in_it ? before : before + 1);
    }
}

static void what_ends_a_search(void **unused) {
    static const struct {
        PollError error;
        bool attribution, events;
        Attribution found;
    } cases[] = {
        { POLL_GONE, true, true, { .searched = true } },
        { POLL_GONE, true, true, { .error_text = "denied" } },
        { POLL_GONE,
          true,
          true,
          { .searched = true, .found = true, .incomplete = true, .actor = { .event_usec = T0 } } },
        { POLL_DENIED, true, false, { .searched = true } },
        { POLL_DENIED,
          true,
          true,
          { .searched = true, .found = true, .incomplete = true, .actor = { .event_usec = T0 } } },
        /* from another time */
        { POLL_DENIED, true, false,
          { .searched = true, .found = true, .actor = { .event_usec = T0 - DAY } } },
        { POLL_THROTTLED, true, false, { 0 } },
        { POLL_UNREACHABLE, true, false, { 0 } },
        { POLL_CREDENTIALS, true, false, { 0 } },
        { POLL_GONE, false, false, { 0 } },
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Life l = life_of_an_account();
        unsigned n_searches = 0, n_events = 0;

        l.policy.unreachable_after = 1;
        l.policy.attribution = cases[i].attribution;
        poll(&l, cases[i].error);
        for (unsigned k = 0; k < 40 && l.plan.wake_mono_usec != 0; k++) {
            wake(&l);
            if (!l.plan.attribute)
                continue;
            assert_int_equal(n_events, 0);
            n_searches++;
            answer(&l, &cases[i].found);
            for (unsigned t = 0; t < l.plan.n_events; t++) /* at that time it becomes critical, too */
                n_events += l.plan.events[t].kind == EVENT_TRAIL_ATTRIBUTED;
        }
        if (n_events != cases[i].events || (n_searches != 0 && n_searches != 8))
            fail_msg("%zu: %u messages after %u searches", i, n_events, n_searches);
    }
}

/* The journal has it once; what is forgotten has no search, and an answer that comes late is none. */
static void a_search_that_aws_throttles_waits(void **unused) {
    Life l = life_of_an_account();
    Attribution throttled = { .throttled = true, .error_text = "ThrottlingException" };
    Attribution found = call_at(T0, "");

    (void)unused;
    poll(&l, POLL_GONE);
    for (unsigned i = 0; i < 2; i++) {
        wake(&l);
        assert_true(l.plan.attribute);
        answer(&l, &throttled);
        assert_int_equal(l.plan.n_events, 0);
        assert_int_equal(l.plan.n_entries, i == 0);
        assert_true(l.state.attributing.wanted && l.state.attributing.n_tries == 0);
    }
    guard_target_forgotten(&l.policy, &l.state, "a reason", l.now, &l.plan, &l.state);
    answer(&l, &found);
    assert_int_equal(l.plan.n_events + l.plan.n_entries, 0);
}

static void an_account_that_was_out_of_reach_and_left(void **unused) {
    Life l = life_of_an_account();
    Event first;

    (void)unused;
    poll(&l, POLL_DENIED);
    poll(&l, POLL_DENIED);
    assert_int_equal(l.plan.n_events, 1);
    first = l.plan.events[0];
    pass(&l, 100);
    poll(&l, POLL_GONE);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].error, POLL_GONE);
    assert_int_equal(l.plan.events[0].incident_dedup_usec, first.incident_dedup_usec);
    assert_int_not_equal(l.plan.events[0].dedup_usec, first.dedup_usec);
    assert_int_equal(l.state.attributing.findings, FINDING_BIT(FINDING_MISSING));
    assert_int_equal(l.plan.events[0].since_usec,
                     l.now.real_usec); /* it left now, and was out of reach before */
    poll(&l, POLL_GONE);
    assert_int_equal(l.plan.n_events, 0);
}

static void a_search_goes_no_further_back_than_when_it_was_well(void **unused) {
    Life l = life_of_an_account();
    Attribution earlier = call_at(T0, "");

    (void)unused;
    l.policy.unreachable_after = 1;
    poll(&l, POLL_GONE);
    wake(&l);
    answer(&l, &earlier);
    assert_int_equal(l.plan.n_events, 1);
    pass(&l, 3600);
    poll(&l, POLL_OK);
    pass(&l, 3600);
    poll(&l, POLL_GONE);
    wake(&l);
    assert_true(l.plan.attribute);
    answer(&l, &earlier);
    assert_int_equal(l.plan.n_events, 0);
}

static void who_is_found_after_the_account_is_back(void **unused) {
    Life l = life_of_an_account();
    Attribution found = call_at(T0, "");

    (void)unused;
    l.policy.unreachable_after = 1;
    poll(&l, POLL_GONE);
    wake(&l);
    poll(&l, POLL_OK);
    answer(&l, &found);
    assert_int_equal(l.plan.n_events, 1);
    assert_true(l.plan.events[0].resolves);
}

/* Polls of one target overlap where answers are slow. Each row: one poll ends, then another. */
static void the_poll_that_began_last_says_whether_a_target_can_be_reached(void **unused) {
    static const struct {
        unsigned began_sec[2];
        PollError error[2];
        unsigned n_failed;
        bool unreachable;
    } cases[] = {
        { { 10, 12 }, { POLL_UNREACHABLE, POLL_OK }, 0, false },
        { { 10, 12 }, { POLL_OK, POLL_UNREACHABLE }, 1, true },
        /* the older one ends last, and is news of the past */
        { { 12, 10 }, { POLL_UNREACHABLE, POLL_OK }, 1, true },
        { { 12, 10 }, { POLL_OK, POLL_UNREACHABLE }, 0, false },
        /* ... unless it says the same */
        { { 12, 10 }, { POLL_UNREACHABLE, POLL_UNREACHABLE }, 2, true },
        { { 12, 10 }, { POLL_OK, POLL_OK }, 0, false },
        /* when it began is not known: just now */
        { { 12, 0 }, { POLL_UNREACHABLE, POLL_OK }, 0, false },
        { { 12, 12 }, { POLL_UNREACHABLE, POLL_OK }, 0, false },
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Life l = life_of_an_account();
        PollResult result = { .error_text = "an error" };

        l.policy.unreachable_after = 1;
        for (size_t k = 0; k < 2; k++) {
            result.began_usec = cases[i].began_sec[k] * USEC_PER_SEC;
            result.error = cases[i].error[k];
            result.reachable = result.error == POLL_OK;
            guard_target(&l.policy, &l.state, &result, l.now, &l.plan, &l.state);
        }
        assert_int_equal(l.state.n_failed, cases[i].n_failed);
        assert_int_equal(l.state.unreachable, cases[i].unreachable);
    }
}

/* ---- ends ---- */

static Life life_of_a_region(void) {
    Life l = life_of_an_account();

    l.policy.attribution = false;
    return l;
}

static void go_and_come(Life *l) {
    pass(l, 20);
    poll(l, POLL_UNREACHABLE);
    poll(l, POLL_UNREACHABLE);
}

/* The last episode was left for a summary: whoever keeps incidents has this one open until it ends. */
static void what_is_forgotten_ends_also_when_a_summary_was_due(void **unused) {
    static const struct { bool over; } cases[] = { { false }, { true } };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Life l = life_of_a_region();
        unsigned n_told = 0;

        for (unsigned k = 0; k < 8 && !l.state.reach.suppressed; k++) {
            go_and_come(&l);
            n_told += l.plan.n_events;
            if (!l.state.reach.suppressed || cases[i].over)
                poll(&l, POLL_OK);
        }
        assert_true(n_told > 1 && l.state.reach.suppressed && l.state.reach.open != cases[i].over);
        assert_true(guard_owes_end(&l.state.reach));
        guard_target_forgotten(&l.policy, &l.state, "a reason", l.now, &l.plan, &l.state);
        assert_int_equal(l.plan.n_events, 1);
        assert_true(l.plan.events[0].forgotten && l.plan.events[0].phase == PHASE_RESOLVED);
        assert_string_equal(l.plan.events[0].detail, "a reason");
        assert_false(guard_owes_end(&l.state.reach));
        guard_target_forgotten(&l.policy, &l.state, "a reason", l.now, &l.plan, &l.state);
        assert_int_equal(l.plan.n_events, 0);
    }
}

/* A region that is taken out of the configuration while it fails, and later put back, still fails. */
static void what_was_forgotten_is_reported_again(void **unused) {
    Life l = life_of_a_region();

    (void)unused;
    go_and_come(&l);
    assert_int_equal(l.plan.n_events, 1);
    guard_target_forgotten(&l.policy, &l.state, "a reason", l.now, &l.plan, &l.state);
    assert_false(l.state.unreachable || l.state.error_text[0] || l.state.n_failed);
    pass(&l, 3600);
    go_and_come(&l);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].phase, PHASE_OPENED);
}

static void a_region_that_is_turned_off_shows_no_error(void **unused) {
    PollResult off = { .not_enabled = true };
    Life l = life_of_a_region();

    (void)unused;
    go_and_come(&l);
    guard_target(&l.policy, &l.state, &off, l.now, &l.plan, &l.state);
    assert_int_equal(l.plan.n_events, 1);
    assert_true(l.plan.events[0].forgotten);
    assert_true(l.state.not_enabled && !l.state.error_text[0] && l.state.error == POLL_OK);
    assert_true(l.state.settled); /* a trail in it, once it is enabled, is new */
}

/* The next poll may be minutes away. */
static void it_becomes_critical_in_time(void **unused) {
    Life l = life_of_a_region();

    (void)unused;
    go_and_come(&l);
    assert_int_equal(l.plan.events[0].severity, SEVERITY_WARNING);
    assert_int_equal(l.plan.wake_mono_usec, l.now.mono_usec + GUARD_UNREACHABLE_CRITICAL_USEC);
    wake(&l);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].severity, SEVERITY_CRITICAL);
    assert_int_equal(l.plan.wake_mono_usec, 0);
}

/* ---- one cause ---- */

#define SCP_DENIES                                                                                          \
    "DescribeTrails: AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/g/g is not "       \
    "authorized to perform: cloudtrail:DescribeTrails with an explicit deny in a service control policy"

static void what_has_a_cause_with_others(void **unused) {
    static const struct {
        PollError error;
        const char *text;
        Place place;
        CauseKind kind;
        size_t n_failing;
        bool open, shared;
    } cases[] = {
        { POLL_DENIED, SCP_DENIES, PLACE_EMPTY, CAUSE_CLOSED, 15, false, true },
        { POLL_DENIED, SCP_DENIES, PLACE_EMPTY, CAUSE_CLOSED, 1, false, true },
        { POLL_DENIED, SCP_DENIES, PLACE_EMPTY, CAUSE_CLOSED, 1, true, true },
        { POLL_DENIED, SCP_DENIES, PLACE_TRAILS, CAUSE_OWN, 15, true, false },
        /* nothing of the account can be polled: whatever denies it, that is never quiet */
        { POLL_DENIED, SCP_DENIES, PLACE_ACCOUNT, CAUSE_ROLE, 1, false, false },
        { POLL_DENIED, SCP_DENIES, PLACE_ACCOUNT, CAUSE_ROLE, 2, false, true },
        { POLL_DENIED, "AccessDenied: no identity-based policy allows it", PLACE_EMPTY, CAUSE_OWN, 15, true,
          false },
        { POLL_SERVICE, SCP_DENIES, PLACE_EMPTY, CAUSE_OUTAGE, 1, false, false },
        { POLL_SERVICE, "InternalFailure", PLACE_TRAILS, CAUSE_OUTAGE, 2, false, true },
        { POLL_UNREACHABLE, "no route", PLACE_ACCOUNT, CAUSE_OWN, 9, true, false },
        { POLL_THROTTLED, "ThrottlingException", PLACE_EMPTY, CAUSE_OWN, 9, true, false },
        { POLL_CREDENTIALS, "ExpiredToken", PLACE_EMPTY, CAUSE_CREDENTIALS, 1, false, false },
        { POLL_CREDENTIALS, "ExpiredToken", PLACE_TRAILS, CAUSE_CREDENTIALS, 2, false, true },
        { POLL_CREDENTIALS, "ExpiredToken", PLACE_EMPTY, CAUSE_CREDENTIALS, 1, true, true },
        { POLL_UNREACHABLE, "no route", PLACE_EMPTY, CAUSE_OUTAGE, 1, true, true },
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CauseKind kind = guard_cause_of(cases[i].error, cases[i].text, cases[i].place);

        assert_int_equal(kind, cases[i].kind);
        assert_int_equal(guard_cause_is_shared(kind, cases[i].n_failing, cases[i].open), cases[i].shared);
    }
}

/* A region that stays alone reports by itself, under its own name. */
static void an_uncovered_region_that_stays_alone(void **unused) {
    Life l = life_of_a_region();
    PollResult uncovered = { .reachable = true, .list_read = true, .listed = true, .cover_is_shared = true };

    (void)unused;
    guard_target(&l.policy, &l.state, &uncovered, l.now, &l.plan, &l.state);
    assert_int_equal(l.plan.n_events, 0);
    assert_true(guard_cause_has(CAUSE_UNCOVERED, &l.state, PLACE_EMPTY));
    guard_target_alone(&l.policy, &l.state, CAUSE_UNCOVERED, l.now, &l.plan, &l.state);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].kind, EVENT_REGION_UNCOVERED);
    assert_false(guard_cause_has(CAUSE_UNCOVERED, &l.state, PLACE_EMPTY));
    uncovered.covered = true;
    guard_target(&l.policy, &l.state, &uncovered, l.now, &l.plan, &l.state);
    assert_int_equal(l.plan.events[0].kind, EVENT_REGION_COVERED);
    /* a trail came before its turn: nothing to report, and nobody has it */
    guard_target_alone(&l.policy, &l.state, CAUSE_UNCOVERED, l.now, &l.plan, &l.state);
    assert_int_equal(l.plan.n_events, 0);
    assert_false(guard_cause_has(CAUSE_UNCOVERED, &l.state, PLACE_EMPTY));
}

/* It says nothing by itself, neither when it begins nor later nor when it ends. */
static void what_is_shared_is_reported_by_nobody_alone(void **unused) {
    PollResult closed = { .error = POLL_DENIED, .error_text = SCP_DENIES, .cause = CAUSE_CLOSED };
    Life l = life_of_a_region();

    (void)unused;
    l.policy.reminder_interval_usec = 3600 * USEC_PER_SEC;
    guard_target(&l.policy, &l.state, &closed, l.now, &l.plan, &l.state);
    /* not yet often enough: on the list */
    assert_true(guard_cause_has(CAUSE_CLOSED, &l.state, PLACE_EMPTY));
    assert_false(guard_cause_has(CAUSE_CLOSED, &l.state, PLACE_TRAILS));
    guard_target(&l.policy, &l.state, &closed, l.now, &l.plan, &l.state);
    assert_true(l.state.unreachable && l.state.reach.open);
    assert_int_equal(l.plan.n_events, 0);
    assert_int_equal(l.plan.wake_mono_usec, 0);
    pass(&l, 7200);
    guard_target(&l.policy, &l.state, &closed, l.now, &l.plan, &l.state);
    assert_int_equal(l.plan.n_events, 0);
    poll(&l, POLL_OK);
    assert_int_equal(l.plan.n_events, 0);
    assert_false(guard_cause_has(CAUSE_CLOSED, &l.state, PLACE_EMPTY));
    assert_false(guard_owes_end(&l.state.reach));
}

/* It was reported by itself, was well, and failed again with others: theirs says how that ends. */
static void what_is_forgotten_while_it_is_shared_is_ended_by_the_cause(void **unused) {
    PollResult closed = { .error = POLL_DENIED, .error_text = SCP_DENIES, .cause = CAUSE_CLOSED };
    Life l = life_of_a_region();

    (void)unused;
    poll(&l, POLL_UNREACHABLE);
    poll(&l, POLL_UNREACHABLE);
    poll(&l, POLL_OK);
    assert_int_equal(l.plan.events[0].kind, EVENT_TARGET_REACHABLE);
    for (unsigned n = 0; n < l.policy.unreachable_after; n++)
        guard_target(&l.policy, &l.state, &closed, l.now, &l.plan, &l.state);
    assert_true(guard_owes_end(&l.state.reach));
    /* what was not reported leaves nothing */
    assert_false(guard_cause_is_left(&(TargetState){ .cause = CAUSE_CLOSED }, PLACE_TRAILS));
    guard_target_forgotten(&l.policy, &l.state, "gone", l.now, &l.plan, &l.state);
    assert_int_equal(l.plan.n_events, 0);
    assert_false(l.state.reach.open);
}

/* A policy closes regions quietly while they are empty. Once one is the home of a guarded trail, or what it
 * closes is a whole account, it is reported like any other. */
static void what_a_policy_closes_is_quiet_only_while_it_is_empty(void **unused) {
    static const struct {
        PollError error;
        CauseKind cause;
        Place place;
        bool has, left;
    } cases[] = {
        { POLL_DENIED, CAUSE_CLOSED, PLACE_EMPTY, true, false },
        { POLL_DENIED, CAUSE_CLOSED, PLACE_TRAILS, false, true },
        { POLL_DENIED, CAUSE_CLOSED, PLACE_ACCOUNT, false, true },
        { POLL_DENIED, CAUSE_OWN, PLACE_TRAILS, false, false },
        { POLL_CREDENTIALS, CAUSE_CREDENTIALS, PLACE_TRAILS, true, false },
        { POLL_CREDENTIALS, CAUSE_CREDENTIALS, PLACE_ACCOUNT, true, false },
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        PollResult denied = { .error = cases[i].error, .error_text = SCP_DENIES, .cause = cases[i].cause };
        CauseKind kind = cases[i].cause == CAUSE_OWN ? CAUSE_CLOSED : cases[i].cause;
        Life l = life_of_a_region();
        const Event *t = &l.plan.events[0];

        for (unsigned n = 0; n < l.policy.unreachable_after; n++)
            guard_target(&l.policy, &l.state, &denied, l.now, &l.plan, &l.state);
        assert_true(l.state.reach.open);
        assert_int_equal(guard_cause_has(kind, &l.state, cases[i].place), cases[i].has);
        assert_int_equal(guard_cause_is_left(&l.state, cases[i].place), cases[i].left);
        if (!cases[i].left)
            continue;
        guard_target_alone(&l.policy, &l.state, CAUSE_CLOSED, l.now, &l.plan, &l.state);
        assert_true(l.plan.n_events == 1 && t->kind == EVENT_TARGET_UNREACHABLE && t->phase == PHASE_OPENED);
        assert_true(t->severity == SEVERITY_WARNING && t->cause == CAUSE_OWN && t->error == POLL_DENIED);
        assert_int_equal(l.plan.wake_mono_usec, l.now.mono_usec + GUARD_UNREACHABLE_CRITICAL_USEC);
        assert_false(guard_cause_is_left(&l.state, cases[i].place));
        wake(&l);
        assert_true(l.plan.n_events == 1 && t->severity == SEVERITY_CRITICAL);
        poll(&l, POLL_OK);
        assert_true(l.plan.n_events == 1 && t->kind == EVENT_TARGET_REACHABLE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_search_for_who_made_an_account_leave),
        cmocka_unit_test(what_began_before_the_account_was_known_names_none_to_the_end),
        cmocka_unit_test(who_did_it_is_reported_in_the_incident_that_the_account_shares),
        cmocka_unit_test(what_ends_a_search),
        cmocka_unit_test(a_search_that_aws_throttles_waits),
        cmocka_unit_test(an_account_that_was_out_of_reach_and_left),
        cmocka_unit_test(a_search_goes_no_further_back_than_when_it_was_well),
        cmocka_unit_test(who_is_found_after_the_account_is_back),
        cmocka_unit_test(the_poll_that_began_last_says_whether_a_target_can_be_reached),
        cmocka_unit_test(what_is_forgotten_ends_also_when_a_summary_was_due),
        cmocka_unit_test(what_was_forgotten_is_reported_again),
        cmocka_unit_test(a_region_that_is_turned_off_shows_no_error),
        cmocka_unit_test(it_becomes_critical_in_time),
        cmocka_unit_test(what_has_a_cause_with_others),
        cmocka_unit_test(what_a_policy_closes_is_quiet_only_while_it_is_empty),
        cmocka_unit_test(an_uncovered_region_that_stays_alone),
        cmocka_unit_test(what_is_shared_is_reported_by_nobody_alone),
        cmocka_unit_test(what_is_forgotten_while_it_is_shared_is_ended_by_the_cause),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
