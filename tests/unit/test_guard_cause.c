/* SPDX-License-Identifier: Apache-2.0 */
/* What several targets have in common: who is asked about it, what is reported of it from its first message
 * to its last, and when it may be forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/core/guard.h"
#include "lib/util/macros.h"

#define T0      (1800000000ULL * USEC_PER_SEC)
#define A_LATER (T0 + GUARD_REOPEN_USEC)

#define SCP "is not authorized, with an explicit deny in a service control policy"

/* A poll that neither answers nor makes its target unreachable asks for nobody else's. */
static void a_failed_poll_asks_who_else_fails_once_it_counts(void **state _unused_) {
    static const struct {
        PollResult result;
        TargetState state;
        unsigned unreachable_after;
        Place place;
        CauseKind kind;
    } rows[] = {
        { { .error = POLL_CREDENTIALS }, { .n_failed = 2 }, 3, PLACE_TRAILS, CAUSE_CREDENTIALS },
        { { .error = POLL_CREDENTIALS }, { .n_failed = 0 }, 1, PLACE_TRAILS, CAUSE_CREDENTIALS },
        { { .error = POLL_UNREACHABLE }, { .n_failed = 2 }, 3, PLACE_TRAILS, CAUSE_OUTAGE },
        { { .error = POLL_DENIED }, { .n_failed = 5 }, 3, PLACE_ACCOUNT, CAUSE_ROLE },
        { { .error = POLL_DENIED, .error_text = SCP }, { .n_failed = 2 }, 3, PLACE_EMPTY, CAUSE_CLOSED },
        /* a trail lives there: who denies it hides that trail, and no other */
        { { .error = POLL_DENIED, .error_text = SCP }, { .n_failed = 2 }, 3, PLACE_TRAILS, CAUSE_OWN },
        { { .error = POLL_DENIED }, { .n_failed = 2 }, 3, PLACE_EMPTY, CAUSE_OWN },
        { { .error = POLL_THROTTLED }, { .n_failed = 2 }, 3, PLACE_TRAILS, CAUSE_OWN },
        /* not yet, not any more, and not at all */
        { { .error = POLL_UNREACHABLE }, { .n_failed = 1 }, 3, PLACE_TRAILS, CAUSE_OWN },
        { { .error = POLL_SERVICE }, { .n_failed = 4, .unreachable = true }, 3, PLACE_TRAILS, CAUSE_OWN },
        { { .error = POLL_CREDENTIALS, .not_enabled = true }, { .n_failed = 2 }, 3, PLACE_EMPTY, CAUSE_OWN },
        { { .error = POLL_DENIED, .reachable = true }, { .n_failed = 2 }, 3, PLACE_ACCOUNT, CAUSE_OWN },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (guard_cause_to_share(&rows[i].result, &rows[i].state, rows[i].unreachable_after,
                                 rows[i].place) != rows[i].kind)
            fail_msg("row %zu", i);
}

static void the_first_denial_calls_for_a_look_at_our_rights(void **state _unused_) {
    static const struct {
        PollError error;
        unsigned n_failed;
        bool is_news;
    } rows[] = {
        { POLL_DENIED, 0, true },       { POLL_DENIED, 1, false }, { POLL_OK, 0, false },
        { POLL_CREDENTIALS, 0, false }, { POLL_GONE, 0, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(guard_denial_is_news(&(TargetState){ .n_failed = rows[i].n_failed },
                                              &(PollResult){ .error = rows[i].error }),
                         rows[i].is_news);
}

/* What a gathering takes of one of them, for which it has room. */
static bool take(CauseGathering *g, const Cause *cause, const TargetState *state, Place place,
                 bool configured) {
    static Subject members[8], rest[8];
    const Subject subject = { "", "", "111122223333", "eu-central-1" };

    g->cause = cause;
    g->members = members;
    g->rest = rest;
    return guard_cause_take(g, &subject, state, place, configured);
}

static void a_region_answers_until_it_counts_as_unreachable(void **state _unused_) {
    static const struct {
        TargetState state;
        Place place;
        bool answers;
    } rows[] = {
        { { .ever_reachable = true }, PLACE_EMPTY, true },
        { { .ever_reachable = true }, PLACE_TRAILS, true },
        { { 0 }, PLACE_EMPTY, false }, /* not polled yet */
        { { .ever_reachable = true, .unreachable = true }, PLACE_EMPTY, false },
        { { .ever_reachable = true, .not_enabled = true }, PLACE_EMPTY, false },
        /* one failed poll is no news ... */
        { { .ever_reachable = true, .n_failed = 1, .error = POLL_UNREACHABLE }, PLACE_EMPTY, true },
        { { .ever_reachable = true, .n_failed = 1, .error = POLL_DENIED }, PLACE_EMPTY, true },
        /* ... unless a policy has closed it: that is done for good */
        { { .ever_reachable = true,
            .n_failed = 1,
            .error = POLL_DENIED,
            .error_text = "with an explicit deny in a service control policy" },
          PLACE_EMPTY,
          false },
        { { .ever_reachable = true,
            .n_failed = 1,
            .error = POLL_DENIED,
            .error_text = "with an explicit deny in a service control policy" },
          PLACE_TRAILS,
          true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const Cause closed = { .kind = CAUSE_CLOSED };
        CauseGathering g = { 0 };

        (void)take(&g, &closed, &rows[i].state, rows[i].place, true);
        if (g.in.n_answering != rows[i].answers)
            fail_msg("row %zu", i);
    }
}

static void a_decision_touches_a_cause_by_what_it_is_made_of(void **state _unused_) {
    static const struct {
        TargetState was, is;
        bool touched;
    } rows[] = {
        { { 0 }, { 0 }, false },
        { { 0 }, { .n_failed = 1 }, true },
        { { .n_failed = 1 }, { .n_failed = 2 }, false },
        { { .n_failed = 2 }, { 0 }, true },
        { { 0 }, { .reach.open = true }, true },
        { { .reach.open = true }, { 0 }, true },
        { { .reach.open = true, .reach.sequence = 1 }, { .reach.open = true, .reach.sequence = 2 }, false },
        { { 0 }, { .cover.open = true }, true },
        { { .cover.open = true }, { .cover.open = true, .cover_is_shared = true }, true },
        { { .cause = CAUSE_OWN }, { .cause = CAUSE_ROLE }, true },
        { { .covered = true }, { .covered = false }, false },
        { { 0 }, { .list.open = true }, false }, /* that is its own */
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(guard_cause_is_touched(&rows[i].was, &rows[i].is), rows[i].touched);
}

/* Sorted as the table of causes is. */
static void whose_a_cause_can_be(void **state _unused_) {
    static const struct {
        Cause cause;
        const char *account, *region;
        bool covers;
    } rows[] = {
        { { .kind = CAUSE_CREDENTIALS }, "1", "", true },
        { { .kind = CAUSE_CREDENTIALS }, "2", "here", true },
        { { .kind = CAUSE_CLOSED, .account = "1" }, "1", "here", true },
        { { .kind = CAUSE_CLOSED, .account = "1" }, "2", "here", false },
        { { .kind = CAUSE_UNCOVERED, .account = "1" }, "1", "there", true },
        { { .kind = CAUSE_OUTAGE, .region = "here" }, "1", "here", true },
        { { .kind = CAUSE_OUTAGE, .region = "here" }, "2", "here", true },
        { { .kind = CAUSE_OUTAGE, .region = "here" }, "1", "", false },
        { { .kind = CAUSE_ROLE }, "1", "", true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Cause key = guard_cause_key(rows[i].cause.kind, rows[i].account, rows[i].region);

        if (guard_cause_covers(&rows[i].cause, rows[i].account, rows[i].region) != rows[i].covers ||
            (guard_cause_compare(&rows[i].cause, &key) == 0) != rows[i].covers)
            fail_msg("row %zu", i);
    }
}

static void causes_have_an_order(void **state _unused_) {
    static const Cause sorted[] = {
        { .kind = CAUSE_CLOSED, .account = "1" },
        { .kind = CAUSE_CLOSED, .account = "2" },
        { .kind = CAUSE_CLOSED, .account = "2", .region = "a" },
        { .kind = CAUSE_OUTAGE, .region = "a" },
        { .kind = CAUSE_OUTAGE, .region = "b" },
    };

    assert_true(CAUSE_CLOSED < CAUSE_OUTAGE);
    for (size_t i = 0; i < ARRAY_SIZE(sorted); i++)
        for (size_t k = 0; k < ARRAY_SIZE(sorted); k++) {
            int order = guard_cause_compare(&sorted[i], &sorted[k]);

            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
}

static void a_cause_of_anybody_is_shown_with_the_base_account(void **state _unused_) {
    const Cause anybody = { .kind = CAUSE_CREDENTIALS, .home = "base" },
                region = { .kind = CAUSE_OUTAGE, .region = "here", .home = "base" },
                account = { .kind = CAUSE_CLOSED, .account = "1", .home = "base" };

    assert_string_equal(guard_cause_subject(&anybody).account, "base");
    assert_string_equal(guard_cause_subject(&anybody).region, "");
    assert_string_equal(guard_cause_subject(&region).account, "");
    assert_string_equal(guard_cause_subject(&region).region, "here");
    assert_string_equal(guard_cause_subject(&account).account, "1");
}

/* Reported with others, reported by itself before there were any, or failing and not reported yet. */
static void members_are_counted_as_far_as_they_are_reported(void **state _unused_) {
    static const struct {
        CauseKind kind;
        TargetState state;
        bool lists;
        size_t n_begun;
        uint64_t since_usec; /* 0: it is not the first */
    } rows[] = {
        { CAUSE_OUTAGE,
          { .reach.open = true, .cause = CAUSE_OUTAGE, .n_failed = 3, .failed_since_usec = 7 },
          true,
          1,
          7 },
        { CAUSE_OUTAGE, { .n_failed = 1, .error = POLL_UNREACHABLE, .failed_since_usec = 8 }, true, 0, 8 },
        { CAUSE_OUTAGE,
          { .reach.open = true, .cause = CAUSE_OWN, .n_failed = 3, .error = POLL_SERVICE },
          true,
          0,
          0 },
        { CAUSE_UNCOVERED,
          { .cover = { .open = true, .last_dedup_usec = 9 }, .cover_is_shared = true },
          true,
          1,
          9 },
        { CAUSE_UNCOVERED, { .cover.open = true }, false, 1, 0 },
        { CAUSE_OUTAGE, { 0 }, false, 0, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const Cause cause = { .kind = rows[i].kind };
        CauseGathering g = { 0 };

        if (take(&g, &cause, &rows[i].state, PLACE_TRAILS, true) != rows[i].lists || g.in.n != rows[i].lists)
            fail_msg("row %zu", i);
        if (!rows[i].lists)
            continue;
        if (g.in.n_begun != rows[i].n_begun || g.in.since_usec != rows[i].since_usec ||
            (g.in.first != NULL) != (rows[i].since_usec != 0))
            fail_msg("row %zu", i);
        assert_string_equal(g.members[0].region, "eu-central-1");
    }
}

static void the_first_member_is_the_one_that_failed_first(void **state _unused_) {
    static const uint64_t since_usec[] = { 7, 8, 6, 9 };
    const Cause outage = { .kind = CAUSE_OUTAGE };
    CauseGathering g = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(since_usec); i++) {
        const TargetState member = { .n_failed = (unsigned)i + 1,
                                     .error = POLL_UNREACHABLE,
                                     .failed_since_usec = since_usec[i] };

        assert_true(take(&g, &outage, &member, PLACE_TRAILS, true));
    }
    assert_int_equal(g.in.n, 4);
    assert_int_equal(g.in.since_usec, 6);
    assert_ptr_equal(g.in.first, &g.first);
    assert_int_equal(g.first.n_failed, 3);
    assert_int_equal(g.in.silent_usec, 0);
}

static void only_closed_regions_have_a_rest(void **state _unused_) {
    static const struct {
        CauseKind kind;
        bool configured, not_enabled, rest;
    } rows[] = {
        { CAUSE_CLOSED, true, false, true },
        { CAUSE_CLOSED, false, false, false },
        { CAUSE_CLOSED, true, true, false },
        { CAUSE_OUTAGE, true, false, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const TargetState member = { .not_enabled = rows[i].not_enabled, .failed_since_usec = 5 };
        const Cause cause = { .kind = rows[i].kind };
        CauseGathering g = { 0 };

        assert_false(take(&g, &cause, &member, PLACE_EMPTY, rows[i].configured));
        assert_int_equal(g.in.n_rest, rows[i].rest);
        assert_int_equal(g.in.n_answering, 0);
        assert_int_equal(g.in.silent_usec, rows[i].kind == CAUSE_CLOSED ? 5 : 0);
    }
}

/* A whole account has what may be anybody's, and no region's cause. */
static void an_account_as_a_whole_has_its_own_causes(void **state _unused_) {
    static const struct {
        CauseKind kind;
        TargetState state;
        bool has;
    } rows[] = {
        { CAUSE_ROLE, { .n_failed = 1, .error = POLL_DENIED }, true },
        { CAUSE_CREDENTIALS, { .n_failed = 1, .error = POLL_CREDENTIALS }, true },
        { CAUSE_ROLE, { .n_failed = 0 }, false },
        { CAUSE_CLOSED, { .reach.open = true, .cause = CAUSE_CLOSED }, false },
        { CAUSE_OUTAGE, { .reach.open = true, .cause = CAUSE_OUTAGE }, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const Cause cause = { .kind = rows[i].kind };
        CauseGathering g = { 0 };

        if (take(&g, &cause, &rows[i].state, PLACE_ACCOUNT, false) != rows[i].has || g.in.n != rows[i].has ||
            g.in.n_rest > 0 || g.in.silent_usec > 0)
            fail_msg("row %zu", i);
    }
}

static void the_newest_time_is_on_the_disk_before_a_message(void **state _unused_) {
    const Cause cause = { .incident = { .last_dedup_usec = 5, .reported_usec = 7 } };

    assert_int_equal(guard_cause_mark(&cause, &(CauseMembers){ .since_usec = 6 }), 7);
    assert_int_equal(guard_cause_mark(&cause, &(CauseMembers){ .since_usec = 8 }), 8);
    assert_int_equal(guard_cause_mark(&(Cause){ .incident.last_dedup_usec = 9 }, &(CauseMembers){ 0 }), 9);
}

static void a_cause_of_an_earlier_run_waits_for_its_members(void **state _unused_) {
    static const struct {
        bool had_members, all_begun;
        size_t n;
        bool ripe, forgotten;
    } rows[] = {
        { false, false, 0, false, true }, { false, true, 0, true, true },   { true, false, 0, true, false },
        { true, true, 0, true, false },   { false, false, 1, true, false }, { true, true, 1, true, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const Cause cause = { .had_members = rows[i].had_members };
        CauseMembers in = { .n = rows[i].n };

        if (guard_cause_is_ripe(&cause, &in, rows[i].all_begun) != rows[i].ripe ||
            in.forgotten != rows[i].forgotten)
            fail_msg("row %zu", i);
    }
}

static void a_cause_is_over_when_nothing_would_reopen_it(void **state _unused_) {
    const Incident ended = { .opened_usec = T0 - 1,
                             .resolved_usec = T0,
                             .sequence = 2,
                             .event = _EVENT_MAX },
                   open = { .open = true, .opened_usec = T0, .sequence = 1, .event = _EVENT_MAX },
                   none = { .event = _EVENT_MAX };
    const struct {
        Cause cause;
        uint64_t at_usec;
        bool over;
    } rows[] = {
        { { .had_members = true, .incident = none }, T0, true }, /* it was never reported */
        { { .had_members = false, .incident = none },
          T0,
          false }, /* from the state file: who has it comes */
        { { .had_members = true, .incident = none, .held_mono_usec = 1 },
          T0,
          false }, /* about to be reported */
        { { .had_members = true, .incident = open }, A_LATER + 1, false },
        { { .had_members = true, .incident = ended }, A_LATER, false }, /* would be reopened */
        { { .had_members = true, .incident = ended }, A_LATER + 1, true },
        { { .had_members = false, .incident = ended }, A_LATER + 1, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(
                guard_cause_is_over(&rows[i].cause, (Now){ .real_usec = rows[i].at_usec, .mono_usec = 1 }),
                rows[i].over);
}

#define SCP_DENIES                                                                                          \
    "DescribeTrails: AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/g/g is not "       \
    "authorized to perform: cloudtrail:DescribeTrails with an explicit deny in a service control policy"

/* The regions of an account with one cause, of which those whose bit is set have it. */
typedef struct Common {
    Policy policy;
    Cause cause;
    Now now;
    Plan plan;
    bool alone;
    size_t n_answering;
    uint64_t silent_usec;
    bool waits; /* none has failed often enough to be reported */
} Common;

static void decide_common(Common *c, uint32_t bits, bool forgotten) {
    static const char *const names[] = { "ap-east-1", "af-south-1", "me-south-1", "eu-south-1" };
    static TargetState first = { .error = POLL_DENIED, .n_failed = 2, .error_text = SCP_DENIES };
    Subject members[ARRAY_SIZE(names)], rest = { "", "", "111122223333", "eu-central-1" };
    CauseMembers in = { .members = members,
                        .rest = &rest,
                        .n_rest = 1,
                        .n_answering = c->n_answering,
                        .silent_usec = c->silent_usec,
                        .since_usec = T0,
                        .first = bits ? &first : NULL,
                        .forgotten = forgotten };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (bits & (1U << i))
            members[in.n++] = (Subject){ "", "", "111122223333", names[i] };
    in.n_begun = c->waits ? 0 : in.n;
    guard_cause(&c->policy, &c->cause, &in, c->now, &c->plan, &c->cause, &c->alone);
    assert_true(c->plan.wake_mono_usec == 0 || c->plan.wake_mono_usec > c->now.mono_usec);
}

static void later(Common *c, uint64_t sec) {
    c->now.real_usec += sec * USEC_PER_SEC;
    c->now.mono_usec += sec * USEC_PER_SEC;
}

static Common common_cause(CauseKind kind) {
    return (Common){ .policy = { .unreachable_after = 2, .reminder_interval_usec = 3600 * USEC_PER_SEC },
                     .cause = { .kind = kind, .incident.event = _EVENT_MAX },
                     .now = { .real_usec = T0, .mono_usec = T0 },
                     .n_answering = 1 };
}

static void closed_regions_are_one_incident(void **unused) {
    Common c = common_cause(CAUSE_CLOSED);
    const Event *t = &c.plan.events[0];

    (void)unused;
    decide_common(&c, 7, false);
    assert_int_equal(c.plan.n_events, 1);
    assert_true(t->kind == EVENT_TARGET_UNREACHABLE && t->phase == PHASE_OPENED);
    assert_true(t->severity == SEVERITY_WARNING && t->n_members == 3 && t->n_rest == 1);
    /* once: no reminder, and never critical */
    assert_int_equal(c.plan.wake_mono_usec, 0);
    later(&c, 4 * 3600);
    decide_common(&c, 7, false);
    assert_int_equal(c.plan.n_events, 0);
    /* who comes and goes is summed up */
    decide_common(&c, 15, false);
    assert_int_equal(c.plan.n_events, 1);
    assert_true(t->n_members == 4 && t->n_before == 3 && t->sequence == 2);
    later(&c, 10);
    decide_common(&c, 12, false);
    assert_int_equal(c.plan.n_events, 0);
    assert_int_equal(c.plan.wake_mono_usec, c.now.mono_usec + GUARD_SUMMARY_USEC - 10 * USEC_PER_SEC);
    later(&c, 290);
    decide_common(&c, 12, false);
    assert_int_equal(c.plan.n_events, 1);
    assert_true(t->n_members == 2 && t->n_before == 4);
    /* the last region that answered is closed too: that is no housekeeping any more, and gets 5 minutes */
    c.n_answering = 0;
    c.silent_usec = c.now.real_usec;
    decide_common(&c, 12, false);
    assert_int_equal(c.plan.n_events, 0);
    assert_int_equal(c.plan.wake_mono_usec, c.now.mono_usec + GUARD_UNREACHABLE_CRITICAL_USEC);
    later(&c, 300);
    decide_common(&c, 12, false);
    assert_int_equal(c.plan.n_events, 1);
    assert_int_equal(t->severity, SEVERITY_CRITICAL);
    later(&c, 3600);
    decide_common(&c, 12, false);
    assert_int_equal(c.plan.n_events, 1);
    assert_int_equal(t->kind, EVENT_INCIDENT_REMINDER);
    decide_common(&c, 0, false);
    assert_int_equal(c.plan.n_events, 1);
    assert_true(t->kind == EVENT_TARGET_REACHABLE && t->phase == PHASE_RESOLVED && !t->forgotten);
    assert_int_equal(t->severity, SEVERITY_CRITICAL);
}

/* At the start others have not answered yet: that is not said too early. When none does, it is said. */
static void closed_regions_wait_for_one_that_answers(void **unused) {
    static const struct {
        size_t n_answering;
        size_t n_rest;
    } cases[] = { { 0, 0 }, { 1, 1 } };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Common c = common_cause(CAUSE_CLOSED);

        c.n_answering = 0;
        decide_common(&c, 7, false);
        assert_int_equal(c.plan.n_events, 0);
        assert_int_equal(c.plan.wake_mono_usec, c.now.mono_usec + GUARD_HOLD_USEC);
        later(&c, 5);
        c.n_answering = cases[i].n_answering;
        decide_common(&c, 7, false);
        assert_int_equal(c.plan.n_events, 1);
        assert_int_equal(c.plan.events[0].n_rest, cases[i].n_rest);
        assert_int_equal(c.plan.events[0].severity, SEVERITY_WARNING);
    }
}

static void bad_keys_become_critical_in_time(void **unused) {
    Common c = common_cause(CAUSE_CREDENTIALS);
    const Event *t = &c.plan.events[0];

    (void)unused;
    decide_common(&c, 3, false);
    assert_int_equal(c.plan.n_events, 1);
    assert_int_equal(c.plan.wake_mono_usec, T0 + GUARD_UNREACHABLE_CRITICAL_USEC);
    later(&c, 300);
    decide_common(&c, 3, false);
    assert_int_equal(c.plan.n_events, 1);
    assert_int_equal(t->severity, SEVERITY_CRITICAL);
    assert_int_equal(c.plan.wake_mono_usec, c.now.mono_usec + 3600 * USEC_PER_SEC);
    later(&c, 3600);
    decide_common(&c, 3, false);
    assert_int_equal(c.plan.n_events, 1);
    assert_int_equal(t->kind, EVENT_INCIDENT_REMINDER);
    decide_common(&c, 0, true);
    assert_int_equal(c.plan.n_events, 1);
    assert_true(t->forgotten && t->phase == PHASE_RESOLVED);
}

/* Lists come one after the other. A region that stays alone is left to report by itself. */
static void uncovered_regions_wait_for_each_other(void **unused) {
    Common c = common_cause(CAUSE_UNCOVERED);

    (void)unused;
    decide_common(&c, 1, false);
    assert_int_equal(c.plan.n_events, 0);
    assert_int_equal(c.plan.wake_mono_usec, c.now.mono_usec + GUARD_HOLD_USEC);
    later(&c, 5);
    decide_common(&c, 7, false);
    assert_int_equal(c.plan.n_events, 1);
    assert_true(c.plan.events[0].kind == EVENT_REGION_UNCOVERED && c.plan.events[0].n_members == 3);

    c = common_cause(CAUSE_UNCOVERED);
    decide_common(&c, 1, false);
    later(&c, 5);
    decide_common(&c, 1, false);
    assert_int_equal(c.plan.n_events, 0);
    assert_true(c.alone);
}

/* One failed poll each is no news, and what was over before it was reported is none either. */
static void what_was_not_reported_ends_quietly(void **unused) {
    static const CauseKind kinds[] = { CAUSE_OUTAGE, CAUSE_UNCOVERED };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        Common c = common_cause(kinds[i]);

        c.waits = kinds[i] == CAUSE_OUTAGE;
        decide_common(&c, 3, false);
        assert_int_equal(c.plan.n_events, 0);
        assert_false(c.cause.incident.open || c.alone);
        decide_common(&c, 0, false);
        assert_int_equal(c.plan.n_events, 0);
        assert_int_equal(c.plan.wake_mono_usec, 0);
    }
}

/* What comes and goes all the time is summed up, and so is its end. */
static void a_cause_that_comes_and_goes_is_summed_up(void **unused) {
    Common c = common_cause(CAUSE_OUTAGE);
    const Event *t = &c.plan.events[0];

    (void)unused;
    for (unsigned i = 0; i < 5; i++) {
        decide_common(&c, 3, false);
        assert_int_equal(c.plan.n_events, i <= GUARD_REPORTS_MAX);
        later(&c, 10);
        decide_common(&c, 0, false);
        assert_int_equal(c.plan.n_events, i <= GUARD_REPORTS_MAX);
        later(&c, 10);
    }
    assert_int_equal(c.plan.wake_mono_usec, c.now.mono_usec + GUARD_SUMMARY_USEC - 30 * USEC_PER_SEC);
    later(&c, 270);
    decide_common(&c, 0, false);
    assert_int_equal(c.plan.n_events, 1);
    assert_true(t->phase == PHASE_SUMMARY && t->kind == EVENT_TARGET_UNREACHABLE && t->resolves);
    assert_int_equal(t->repeats.count, 1);
    assert_int_equal(c.plan.wake_mono_usec, 0);
}

static void uncovered_regions_are_gathered_by_a_known_account(void **state _unused_) {
    assert_true(guard_cover_is_shared(false, "111122223333"));
    assert_false(guard_cover_is_shared(false, ""));
    assert_false(guard_cover_is_shared(true, "111122223333"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_poll_asks_who_else_fails_once_it_counts),
        cmocka_unit_test(the_first_denial_calls_for_a_look_at_our_rights),
        cmocka_unit_test(a_region_answers_until_it_counts_as_unreachable),
        cmocka_unit_test(a_decision_touches_a_cause_by_what_it_is_made_of),
        cmocka_unit_test(whose_a_cause_can_be),
        cmocka_unit_test(uncovered_regions_are_gathered_by_a_known_account),
        cmocka_unit_test(causes_have_an_order),
        cmocka_unit_test(a_cause_of_anybody_is_shown_with_the_base_account),
        cmocka_unit_test(members_are_counted_as_far_as_they_are_reported),
        cmocka_unit_test(the_first_member_is_the_one_that_failed_first),
        cmocka_unit_test(only_closed_regions_have_a_rest),
        cmocka_unit_test(an_account_as_a_whole_has_its_own_causes),
        cmocka_unit_test(the_newest_time_is_on_the_disk_before_a_message),
        cmocka_unit_test(a_cause_of_an_earlier_run_waits_for_its_members),
        cmocka_unit_test(a_cause_is_over_when_nothing_would_reopen_it),
        cmocka_unit_test(closed_regions_are_one_incident),
        cmocka_unit_test(closed_regions_wait_for_one_that_answers),
        cmocka_unit_test(bad_keys_become_critical_in_time),
        cmocka_unit_test(uncovered_regions_wait_for_each_other),
        cmocka_unit_test(what_was_not_reported_ends_quietly),
        cmocka_unit_test(a_cause_that_comes_and_goes_is_summed_up),
    };

    return cmocka_run_group_tests_name("guard_cause", tests, NULL, NULL);
}
