/* SPDX-License-Identifier: Apache-2.0 */
/* Which stop counts as that of a drill: a table of stories, and how severe each says a stop is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/guard_life.h"

#include "lib/util/text.h"

#define OWN   "arn:aws:iam::111122223333:user/operator"
#define OTHER "arn:aws:iam::111122223333:user/mallory"

typedef struct Case {
    const char *name;
    int from, until;     /* of the announcement, in seconds from now; 0, 0: there is none */
    int stop;            /* StopLoggingTime, in seconds from now */
    int again;           /* a second stop, in seconds from now; 0: none */
    int lasts;           /* seconds until the restart is confirmed; 0: at once */
    const char *actor;   /* who is found; NULL: nobody is looked for */
    Severity first, last; /* of the first and of the last message */
    bool drill;          /* the last message says so */
} Case;

static uint64_t at(const Life *l, int seconds) {
    return (uint64_t)((int64_t)l->now.real_usec + (int64_t)seconds * (int64_t)SEC);
}

static void feed(Life *l, TrailInput input, Event *first, Event *last, unsigned *n) {
    guard_trail(&l->policy, &l->facts, &l->state, &input, l->now, &l->plan, &l->state);
    for (unsigned i = 0; i < l->plan.n_events; i++, (*n)++) {
        if (*n == 0)
            *first = l->plan.events[i];
        *last = l->plan.events[i];
    }
}

static void play(const Case *c) {
    Life l = life(MODE_RESTART, true);
    const uint64_t begin = l.now.real_usec;
    Observation well = { .kind = OBSERVED_STATUS, .is_logging = true, .start_usec = STARTED };
    Drill drill = { .from_usec = at(&l, c->from), .until_usec = at(&l, c->until), .identity = OWN };
    int stops[] = { c->stop, c->again };
    Event first = { 0 }, last = { 0 };
    unsigned n = 0;

    l.policy.attribution = true;
    l.facts.drill = c->from == c->until ? NULL : &drill;
    l.now.real_usec -= 100 * SEC;
    feed(&l, (TrailInput){ .kind = GUARD_POLLED, .seen = &well }, &first, &last, &n);
    l.now.real_usec = begin;
    for (unsigned i = 0; i < 2 && stops[i] != 0; i++) {
        Observation stopped = well;
        Outcome held = { .action = ACTION_RESTART, .result = RESULT_CONFIRMED };

        stopped.is_logging = false;
        stopped.stop_usec = (uint64_t)((int64_t)begin + (int64_t)stops[i] * (int64_t)SEC);
        l.now.real_usec = MAX(l.now.real_usec, stopped.stop_usec);
        feed(&l, (TrailInput){ .kind = GUARD_POLLED, .seen = &stopped }, &first, &last, &n);
        assert_int_equal(l.plan.action, ACTION_RESTART);
        for (int s = 0; s < c->lasts; s++) {
            pass_time(&l, SEC);
            feed(&l, (TrailInput){ .kind = GUARD_TIME }, &first, &last, &n);
        }
        held.seen = stopped;
        held.seen.is_logging = true;
        held.seen.start_usec = l.now.real_usec;
        feed(&l, (TrailInput){ .kind = GUARD_ACTED, .outcome = &held }, &first, &last, &n);
    }
    if (c->actor) {
        Attribution found = { .polled = true, .found = true, .actor = { .type = "IAMUser" } };

        pass_time(&l, 5 * SEC);
        feed(&l, (TrailInput){ .kind = GUARD_TIME }, &first, &last, &n);
        assert_true(l.plan.attribute);
        found.actor.event_usec = l.state.attributing.from_usec + SEC;
        (void)text_copy(found.actor.arn, sizeof(found.actor.arn), c->actor);
        feed(&l, (TrailInput){ .kind = GUARD_ATTRIBUTED, .attribution = &found }, &first, &last, &n);
        assert_int_equal(last.kind, EVENT_TRAIL_ATTRIBUTED);
    }
    if (n == 0 || first.severity != c->first || last.severity != c->last || last.drill != c->drill)
        fail_msg("%s: %u messages, severity %d then %d, drill %d", c->name, n, (int)first.severity,
                 (int)last.severity, (int)last.drill);
}

static void only_the_announced_stop_is_a_drill(void **state) {
    static const Case cases[] = {
        { "no drill", 0, 0, -2, 0, 0, NULL, SEVERITY_CRITICAL, SEVERITY_CRITICAL, false },
        { "announced", -3, 60, -2, 0, 0, NULL, SEVERITY_INFO, SEVERITY_INFO, true },
        { "its caller", -3, 60, -2, 0, 0, OWN, SEVERITY_INFO, SEVERITY_INFO, true },
        { "another caller", -3, 60, -2, 0, 0, OTHER, SEVERITY_INFO, SEVERITY_CRITICAL, false },
        { "AWS's clock is behind", -3, 60, -60, 0, 0, NULL, SEVERITY_INFO, SEVERITY_INFO, true },
        { "stopped before", -3, 60, -64, 0, 0, NULL, SEVERITY_CRITICAL, SEVERITY_CRITICAL, false },
        { "AWS's clock is ahead", -3, 60, 20, 0, 0, NULL, SEVERITY_INFO, SEVERITY_INFO, true },
        { "stopped after it", -3, 60, 61, 0, 0, NULL, SEVERITY_CRITICAL, SEVERITY_CRITICAL, false },
        { "expired when noticed", -50, -1, -20, 0, 0, NULL, SEVERITY_CRITICAL, SEVERITY_CRITICAL, false },
        { "to come", 100, 160, -2, 0, 0, NULL, SEVERITY_CRITICAL, SEVERITY_CRITICAL, false },
        { "a second stop", -3, 60, -2, 10, 0, NULL, SEVERITY_INFO, SEVERITY_CRITICAL, false },
        { "slow", -3, 60, -2, 0, 30, NULL, SEVERITY_INFO, SEVERITY_INFO, true },
        { "too slow", -3, 20, -2, 0, 30, NULL, SEVERITY_INFO, SEVERITY_CRITICAL, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        play(&cases[i]);
}

/* What is found later is compared with an announcement that may be gone by then: then nobody vouches. */
static void without_the_announcement_the_caller_is_another(void **state) {
    Life l = life(MODE_RESTART, true);
    Drilled drilled = { .stop_usec = STOP_NOW };
    Attribution found = { .polled = true, .found = true, .actor = { .type = "IAMUser", .arn = OWN } };
    Event first = { 0 }, last = { 0 };
    unsigned n = 0;

    (void)state;
    l.policy.attribution = true;
    l.state.known = true;
    l.state.drilled = drilled;
    l.state.incident = (Incident){ .opened_usec = EPOCH, .resolved_usec = EPOCH, .gap = { STOP_NOW, EPOCH },
                                   .event = _EVENT_MAX, .reported = FINDING_BIT(FINDING_STOPPED) };
    l.state.attributing = (Attributing){ .wanted = true, .polling = true, .dedup_usec = STOP_NOW,
                                         .findings = FINDING_BIT(FINDING_STOPPED) };
    found.actor.event_usec = STOP_NOW;
    feed(&l, (TrailInput){ .kind = GUARD_ATTRIBUTED, .attribution = &found }, &first, &last, &n);
    assert_int_equal(n, 1);
    assert_int_equal(last.severity, SEVERITY_CRITICAL);
    assert_false(last.drill);
    assert_int_equal(l.state.drilled.actor, DRILL_ACTOR_OTHER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_announced_stop_is_a_drill),
        cmocka_unit_test(without_the_announcement_the_caller_is_another),
    };

    return cmocka_run_group_tests_name("guard_drill", tests, NULL, NULL);
}
