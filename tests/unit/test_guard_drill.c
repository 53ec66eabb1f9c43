/* SPDX-License-Identifier: Apache-2.0 */
/* Which stop and which tag count as those of a drill: tables of stories, and how severe each says they
 * are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/guard_life.h"

#include "daemon/core/baseline.h"
#include "daemon/core/settings.h"
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

static void find_actor(Life *l, const char *arn, Event *first, Event *last, unsigned *n) {
    Attribution found = { .searched = true, .found = true, .actor = { .type = "IAMUser" } };

    pass_time(l, 5 * SEC);
    feed(l, (TrailInput){ .kind = GUARD_TIME }, first, last, n);
    assert_true(l->plan.attribute);
    found.actor.event_usec = l->state.attributing.from_usec + SEC;
    (void)text_copy(found.actor.arn, sizeof(found.actor.arn), arn);
    feed(l, (TrailInput){ .kind = GUARD_ATTRIBUTED, .attribution = &found }, first, last, n);
    assert_int_equal(l->plan.events[0].kind, EVENT_TRAIL_ATTRIBUTED);
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
    if (c->actor)
        find_actor(&l, c->actor, &first, &last, &n);
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

/* ---- tags ---- */

#define NONCE "0123456789abcdef0123456789abcdef"
#define OURS  "\"TrailGuardDrill\":\"" NONCE "\""
#define OWNER "\"owner\":\"security\""

typedef struct TagCase {
    const char *name;
    int from, until;       /* of the announcement, in seconds from now; 0, 0: there is none */
    const char *key;       /* that was announced; "": a stop was */
    const char *tags;      /* that are found, where only OWNER was recorded */
    Field beside;          /* what differs too; FIELD_TAGS: nothing */
    bool stronger;         /* ... and only strengthens the trail */
    const char *then;      /* tags that are found next; NULL: the same */
    int lasts;             /* seconds until the next poll */
    const char *actor;     /* who is found; NULL: nobody is looked for */
    Severity first, last;  /* of the first and of the last message */
    bool drill;            /* the last message says so */
} TagCase;

static void find_tags(Life *l, const char *tags, const TagCase *c, Event *first, Event *last, unsigned *n) {
    static const Observation well = { .kind = OBSERVED_STATUS, .is_logging = true, .start_usec = STARTED };
    Drift drift = { 0 };

    if (c->beside != FIELD_TAGS) {
        assert_int_equal(drift_add(&drift, c->beside, false, "a", "b"), 0);
        drift.changes[0].strengthens = c->stronger;
    }
    if (!text_equal(tags, "{" OWNER "}"))
        assert_int_equal(drift_add(&drift, FIELD_TAGS, false, "{" OWNER "}", tags), 0);
    l->facts.drill_tagged =
            l->facts.drill && baseline_adds_tag(&drift, l->facts.drill->tag, l->facts.drill->nonce);
    feed(l, (TrailInput){ .kind = GUARD_POLLED, .seen = &well, .drift = &drift }, first, last, n);
    drift_done(&drift);
}

static const TagCase alone = { .beside = FIELD_TAGS };

static void play_tag(const TagCase *c) {
    Life l = life(MODE_RESTART, true);
    Drill drill = {
        .from_usec = at(&l, c->from), .until_usec = at(&l, c->until), .identity = OWN, .nonce = NONCE
    };
    Event first = { 0 }, last = { 0 };
    unsigned n = 0;

    (void)text_copy(drill.tag, sizeof(drill.tag), c->key);
    l.policy.attribution = true;
    l.facts.drill = c->from == c->until ? NULL : &drill;
    l.now.real_usec -= 100 * SEC;
    find_tags(&l, "{" OWNER "}", &alone, &first, &last, &n);
    l.now.real_usec += 100 * SEC;
    find_tags(&l, c->tags, c, &first, &last, &n);
    if ((l.state.drilled.noticed_usec != 0) != (c->first == SEVERITY_INFO))
        fail_msg("%s: taken for a drill: %d", c->name, l.state.drilled.noticed_usec != 0);
    for (int s = 0; s < c->lasts; s++) {
        pass_time(&l, SEC);
        feed(&l, (TrailInput){ .kind = GUARD_TIME }, &first, &last, &n);
    }
    if (c->then)
        find_tags(&l, c->then, c, &first, &last, &n);
    if (c->actor)
        find_actor(&l, c->actor, &first, &last, &n);
    if (n == 0 || first.severity != c->first || last.severity != c->last || last.drill != c->drill)
        fail_msg("%s: %u messages, severity %d then %d, drill %d", c->name, n, (int)first.severity,
                 (int)last.severity, (int)last.drill);
}

#define KEY  "TrailGuardDrill"
#define ADDED "{" OWNER "," OURS "}"
#define WAS   "{" OWNER "}"
#define INFO  SEVERITY_INFO
#define WARN  SEVERITY_WARNING

static void only_the_announced_tag_is_a_drill(void **state) {
    static const TagCase cases[] = {
        { "no drill", 0, 0, KEY, ADDED, FIELD_TAGS, false, NULL, 0, NULL, WARN, WARN, false },
        { "announced", -3, 60, KEY, ADDED, FIELD_TAGS, false, NULL, 0, NULL, INFO, INFO, true },
        { "taken away", -3, 60, KEY, ADDED, FIELD_TAGS, false, WAS, 9, NULL, INFO, INFO, true },
        { "its caller", -3, 60, KEY, ADDED, FIELD_TAGS, false, NULL, 0, OWN, INFO, INFO, true },
        { "its caller, later", -3, 60, KEY, ADDED, FIELD_TAGS, false, WAS, 1, OWN, INFO, INFO, true },
        { "another caller", -3, 60, KEY, ADDED, FIELD_TAGS, false, NULL, 0, OTHER, INFO, WARN, false },
        { "AWS's own tag", -3, 60, KEY, "{" OURS "," OWNER ",\"aws:x\":\"y\"}", FIELD_TAGS, false, NULL, 0,
          NULL, INFO, INFO, true },
        { "a stop was announced", -3, 60, "", ADDED, FIELD_TAGS, false, NULL, 0, NULL, WARN, WARN, false },
        { "another key", -3, 60, "Drill", ADDED, FIELD_TAGS, false, NULL, 0, NULL, WARN, WARN, false },
        { "another value", -3, 60, KEY, "{" OWNER ",\"" KEY "\":\"x\"}", FIELD_TAGS, false, NULL, 0, NULL,
          WARN, WARN, false },
        { "no tag of ours", -3, 60, KEY, "{}", FIELD_TAGS, false, NULL, 0, NULL, WARN, WARN, false },
        { "one tag more", -3, 60, KEY, "{" OWNER "," OURS ",\"a\":\"b\"}", FIELD_TAGS, false, NULL, 0, NULL,
          WARN, WARN, false },
        { "one tag less", -3, 60, KEY, "{" OURS "}", FIELD_TAGS, false, NULL, 0, NULL, WARN, WARN, false },
        { "no tags", -3, 60, KEY, "not JSON", FIELD_TAGS, false, NULL, 0, NULL, WARN, WARN, false },
        { "a setting beside it", -3, 60, KEY, ADDED, FIELD_SNS_TOPIC, false, NULL, 0, NULL, WARN, WARN,
          false },
        { "what is stronger beside it", -3, 60, KEY, ADDED, FIELD_VALIDATION, true, NULL, 0, NULL, INFO,
          INFO, true },
        { "one tag more later", -3, 60, KEY, ADDED, FIELD_TAGS, false, "{" OWNER "," OURS ",\"a\":\"b\"}", 9,
          NULL, INFO, WARN, false },
        { "one tag less later", -3, 60, KEY, ADDED, FIELD_TAGS, false, "{" OURS "}", 9, NULL, INFO, WARN,
          false },
        { "slow", -3, 60, KEY, ADDED, FIELD_TAGS, false, WAS, 50, NULL, INFO, INFO, true },
        { "too slow", -3, 20, KEY, ADDED, FIELD_TAGS, false, NULL, 30, NULL, INFO, WARN, false },
        { "expired when noticed", -50, -1, KEY, ADDED, FIELD_TAGS, false, NULL, 0, NULL, WARN, WARN, false },
        { "to come", 100, 160, KEY, ADDED, FIELD_TAGS, false, NULL, 0, NULL, WARN, WARN, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        play_tag(&cases[i]);
}

/* A life with a tag that is a drill's. */
typedef struct Tagged {
    Life l;
    Drill drill;
    Event first, last;
    unsigned n;
} Tagged;

static void begin_tagged(Tagged *t, Mode mode) {
    *t = (Tagged){ .l = life(mode, true),
                   .drill = { .from_usec = EPOCH - 3 * SEC, .until_usec = EPOCH + 60 * SEC, .identity = OWN,
                              .nonce = NONCE, .tag = KEY } };
    t->l.facts.drill = &t->drill;
    find_tags(&t->l, WAS, &alone, &t->first, &t->last, &t->n);
    find_tags(&t->l, ADDED, &alone, &t->first, &t->last, &t->n);
    assert_true(t->last.drill);
    pass_time(&t->l, SEC);
}

/* One announcement is good for one tag. */
static void the_same_tag_again_is_in_earnest(void **state) {
    Tagged t;

    (void)state;
    begin_tagged(&t, MODE_RESTART);
    find_tags(&t.l, WAS, &alone, &t.first, &t.last, &t.n);
    assert_true(t.last.drill && t.last.phase == PHASE_RESOLVED);
    assert_int_equal(t.l.state.drilled.restarted_usec, t.l.now.real_usec);
    pass_time(&t.l, SEC);
    find_tags(&t.l, ADDED, &alone, &t.first, &t.last, &t.n);
    assert_int_equal(t.last.severity, SEVERITY_WARNING);
    assert_false(t.last.drill);
}

/* The verb waits for the drill's own end. */
static void the_end_of_more_is_no_end_of_the_drill(void **state) {
    Tagged t;

    (void)state;
    begin_tagged(&t, MODE_RESTART);
    find_tags(&t.l, "{" OURS "}", &alone, &t.first, &t.last, &t.n);
    pass_time(&t.l, SEC);
    find_tags(&t.l, WAS, &alone, &t.first, &t.last, &t.n);
    assert_false(t.last.drill);
    assert_int_equal(t.l.state.drilled.restarted_usec, 0);
}

static void a_tag_beside_other_trouble_is_in_earnest(void **state) {
    Tagged t;

    (void)state;
    begin_tagged(&t, MODE_OBSERVE);
    t.l.state = guard_trail_init();
    find_tags(&t.l, WAS, &alone, &t.first, &t.last, &t.n);
    t.l.state.incident = (Incident){ .open = true,
                                     .dedup_usec = EPOCH,
                                     .opened_usec = EPOCH,
                                     .event = _EVENT_MAX,
                                     .reported = FINDING_BIT(FINDING_DELIVERY) };
    t.l.state.findings = FINDING_BIT(FINDING_DELIVERY);
    find_tags(&t.l, ADDED, &alone, &t.first, &t.last, &t.n);
    assert_int_equal(t.last.severity, SEVERITY_WARNING);
    assert_false(t.last.drill);
}

/* It does not keep quiet what an earlier one has left. */
static void a_later_announcement_is_for_another_tag(void **state) {
    Tagged t;

    (void)state;
    begin_tagged(&t, MODE_OBSERVE);
    pass_time(&t.l, SEC);
    t.drill.from_usec = t.l.now.real_usec;
    feed(&t.l, (TrailInput){ .kind = GUARD_TIME }, &t.first, &t.last, &t.n);
    assert_int_equal(t.last.severity, SEVERITY_WARNING);
    assert_false(t.last.drill);
}

/* What was announced no longer, or announces something else by now, vouches for nothing that lasts. */
static void without_the_announcement_a_tag_is_in_earnest(void **state) {
    static const bool replaced[] = { false, true };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(replaced); i++) {
        Tagged t;

        begin_tagged(&t, MODE_OBSERVE);
        if (replaced[i])
            t.drill.tag[0] = '\0'; /* by that of a stop */
        else
            t.l.facts.drill = NULL;
        feed(&t.l, (TrailInput){ .kind = GUARD_TIME }, &t.first, &t.last, &t.n);
        assert_int_equal(t.last.severity, SEVERITY_WARNING);
        assert_false(t.last.drill);
    }
}

/* A stop while the tag is there is none of the drill. */
static void a_stop_beside_the_tag_is_in_earnest(void **state) {
    Observation stopped = { .kind = OBSERVED_STATUS, .start_usec = STARTED, .stop_usec = EPOCH };
    Tagged t;

    (void)state;
    begin_tagged(&t, MODE_OBSERVE);
    feed(&t.l, (TrailInput){ .kind = GUARD_POLLED, .seen = &stopped }, &t.first, &t.last, &t.n);
    assert_int_equal(t.last.severity, SEVERITY_CRITICAL);
    assert_false(t.last.drill);
}

static void a_stop_is_no_drill_where_a_tag_was_announced(void **state) {
    Observation stopped = { .kind = OBSERVED_STATUS, .start_usec = STARTED, .stop_usec = EPOCH };
    Tagged t;

    (void)state;
    begin_tagged(&t, MODE_OBSERVE);
    t.l.state = guard_trail_init();
    t.n = 0;
    find_tags(&t.l, WAS, &alone, &t.first, &t.last, &t.n);
    feed(&t.l, (TrailInput){ .kind = GUARD_POLLED, .seen = &stopped }, &t.first, &t.last, &t.n);
    assert_int_equal(t.last.severity, SEVERITY_CRITICAL);
    assert_false(t.last.drill);
}

/* What is found later is compared with an announcement that may be gone by then: then nobody vouches. */
static void without_the_announcement_the_caller_is_another(void **state) {
    Life l = life(MODE_RESTART, true);
    Drilled drilled = { .stop_usec = STOP_NOW };
    Attribution found = { .searched = true, .found = true, .actor = { .type = "IAMUser", .arn = OWN } };
    Event first = { 0 }, last = { 0 };
    unsigned n = 0;

    (void)state;
    l.policy.attribution = true;
    l.state.known = true;
    l.state.drilled = drilled;
    l.state.incident = (Incident){ .opened_usec = EPOCH, .resolved_usec = EPOCH, .gap = { STOP_NOW, EPOCH },
                                   .event = _EVENT_MAX, .reported = FINDING_BIT(FINDING_STOPPED) };
    l.state.attributing = (Attributing){ .wanted = true, .searching = true, .dedup_usec = STOP_NOW,
                                         .findings = FINDING_BIT(FINDING_STOPPED) };
    found.actor.event_usec = STOP_NOW;
    feed(&l, (TrailInput){ .kind = GUARD_ATTRIBUTED, .attribution = &found }, &first, &last, &n);
    assert_int_equal(n, 1);
    assert_int_equal(last.severity, SEVERITY_CRITICAL);
    assert_false(last.drill);
    assert_int_equal(l.state.drilled.actor, DRILL_ACTOR_OTHER);
}

/* The announcement is a file: it is read where it can count, and not at every poll of every trail. */
static void what_can_be_a_drill(void **state _unused_) {
    static const Observation logs = { .kind = OBSERVED_STATUS, .is_logging = true, .stop_usec = 5 },
                             stopped = { .kind = OBSERVED_STATUS, .stop_usec = 7 },
                             between = { .kind = OBSERVED_STATUS, .is_logging = true, .stop_usec = 7 },
                             absent = { .kind = OBSERVED_ABSENT, .stop_usec = 7 };
    static const Drift tags = { .changes = { { .field = FIELD_TAGS } }, .n = 1 },
                       bucket = { .changes = { { .field = FIELD_BUCKET } }, .n = 1 },
                       stronger = { .changes = { { .field = FIELD_TAGS, .strengthens = true } }, .n = 1 };
    static const struct {
        TrailState state;
        TrailInput input;
        bool may_be;
    } rows[] = {
        { { .stop_usec = 5 }, { .kind = GUARD_POLLED, .seen = &logs }, false },
        { { .stop_usec = 5 }, { .kind = GUARD_POLLED, .seen = &stopped }, true },
        { { .stop_usec = 5 }, { .kind = GUARD_POLLED, .seen = &between }, true },
        { { .stop_usec = 5 }, { .kind = GUARD_POLLED, .seen = &absent }, false },
        /* what a check of settings says of the status is old */
        { { .stop_usec = 5 }, { .kind = GUARD_COMPARED, .seen = &stopped }, false },
        { { 0 }, { .kind = GUARD_COMPARED, .drift = &tags }, true },
        { { 0 }, { .kind = GUARD_COMPARED, .drift = &bucket }, false },
        { { 0 }, { .kind = GUARD_COMPARED, .drift = &stronger }, false },
        /* while the trouble lasts, each input may end it */
        { { .findings = FINDING_BIT(FINDING_STOPPED) }, { .kind = GUARD_TIME }, true },
        { { .findings = FINDING_BIT(FINDING_CHANGED) }, { .kind = GUARD_ACTED }, true },
        { { .findings = FINDING_BIT(FINDING_WEAKENED) }, { .kind = GUARD_TIME }, false },
        /* who did it is asked after its end, too */
        { { .drilled.noticed_usec = 1 }, { .kind = GUARD_ATTRIBUTED }, true },
        { { .drilled.noticed_usec = 1 }, { .kind = GUARD_TIME }, false },
        { { 0 }, { .kind = GUARD_ATTRIBUTED }, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (guard_may_be_drill(&rows[i].state, &rows[i].input) != rows[i].may_be)
            fail_msg("row %zu", i);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_announced_stop_is_a_drill),
        cmocka_unit_test(only_the_announced_tag_is_a_drill),
        cmocka_unit_test(the_same_tag_again_is_in_earnest),
        cmocka_unit_test(the_end_of_more_is_no_end_of_the_drill),
        cmocka_unit_test(a_tag_beside_other_trouble_is_in_earnest),
        cmocka_unit_test(a_later_announcement_is_for_another_tag),
        cmocka_unit_test(without_the_announcement_a_tag_is_in_earnest),
        cmocka_unit_test(a_stop_beside_the_tag_is_in_earnest),
        cmocka_unit_test(a_stop_is_no_drill_where_a_tag_was_announced),
        cmocka_unit_test(without_the_announcement_the_caller_is_another),
        cmocka_unit_test(what_can_be_a_drill),
    };

    return cmocka_run_group_tests_name("guard_drill", tests, NULL, NULL);
}
