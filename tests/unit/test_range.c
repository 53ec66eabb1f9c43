/* SPDX-License-Identifier: Apache-2.0 */
/* A shooting range: the guard and the comparison of settings, joined over a simulated trail that has real
 * settings, under every attack of tests/integration/attacks.py, while administrators change and accept and
 * AWS refuses now and then. test_guard_lives.c proves the guard over more kinds of trouble; here it is what
 * baseline_compare() says that drives it. In virtual time; TEST_SEED repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "daemon/core/baseline.h"
#include "daemon/core/settings.h"
#include "tests/unit/guard_life.h"

/* few enough for valgrind; other seeds, other lives */
#define LIVES  6
#define BURSTS 20
#define NEVER  UINT64_MAX
#define QUIET  (GUARD_REOPEN_USEC + 900 * SEC)

#define GROUP   "arn:aws:logs:eu-central-1:111122223333:log-group:CloudTrail:*"
#define TOPIC   "arn:aws:sns:eu-central-1:111122223333:deliveries"
#define SECRETS "{\"Type\":\"AWS::S3::Object\",\"Values\":[\"arn:aws:s3:::example-secrets/\"]}"
#define BASIC(excluded, data, management, kind)                                                             \
    "{\"EventSelectors\":[{\"DataResources\":[" data "],\"ExcludeManagementEventSources\":[" excluded       \
    "],\"IncludeManagementEvents\":" management ",\"ReadWriteType\":\"" kind "\"}]}"
#define DATA_FIELDS                                                                                         \
    "{\"FieldSelectors\":[{\"Equals\":[\"Data\"],\"Field\":\"eventCategory\"},"                             \
    "{\"Equals\":[\"AWS::S3::Object\"],\"Field\":\"resources.type\"}],\"Name\":\"data\"}"
#define MANAGEMENT(more)                                                                                    \
    ",{\"FieldSelectors\":[{\"Equals\":[\"Management\"],\"Field\":\"eventCategory\"}" more                  \
    "],\"Name\":\"management\"}"
#define ADVANCED(more) "{\"AdvancedEventSelectors\":[" DATA_FIELDS more "]}"

static const char *const as_built[_FIELD_MAX] = {
    [FIELD_BUCKET] = "example-victim-logs",
    [FIELD_PREFIX] = "audit",
    [FIELD_KMS_KEY] = "arn:aws:kms:eu-central-1:111122223333:key/1111aaaa-22bb-33cc-44dd-5555eeee6666",
    [FIELD_LOG_GROUP] = GROUP,
    [FIELD_LOG_ROLE] = "arn:aws:iam::111122223333:role/CloudTrail_CloudWatchLogs",
    [FIELD_SNS_TOPIC] = TOPIC,
    [FIELD_MULTI_REGION] = "true",
    [FIELD_GLOBAL_EVENTS] = "true",
    [FIELD_VALIDATION] = "true",
    [FIELD_ORGANIZATION] = "false",
    [FIELD_RECURSIVE] = "true",
    [FIELD_SELECTORS] = BASIC("", SECRETS, "true", "All"),
    [FIELD_INSIGHTS] = "[{\"InsightType\":\"ApiCallRateInsight\"}]",
    [FIELD_CONFIGURATION] = "{\"MaxEventSize\":\"Large\"}",
    [FIELD_TAGS] = "{\"owner\":\"security\",\"tier\":\"1\"}",
    [FIELD_UNKNOWN] = "{}",
};

static uint64_t random_state;

static unsigned pick(unsigned n) {
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)((random_state >> 33) % n);
}

typedef struct Trail {
    bool exists, on;
    uint64_t start, stop;
    Settings settings;
} Trail;

typedef struct Range {
    Life l;
    Trail trail;
    Settings baseline;
    Settings keep; /* what the action under way writes */
    uint64_t poll_due, settings_due, act_due;
    Action acting;
    uint32_t acting_fields;
    unsigned failing; /* of ten writes */
    unsigned n_writes, n_incidents;
    unsigned n_episodes;  /* that the looks showed, by the 300 s rule */
    uint64_t closed_usec; /* real; when an incident was last seen to end */
    uint64_t last_start, last_stop;
} Range;

/* ---- the trail ---- */

static void set(Settings *settings, Field field, const char *value) {
    assert_int_equal(settings_set(settings, field, value), 0);
}

static void copy(const Settings *from, Settings *to) {
    settings_done(to);
    assert_int_equal(settings_copy(from, to), 0);
}

static void start(Range *r) {
    if (r->trail.exists && !r->trail.on) {
        r->trail.on = true;
        r->trail.start = r->l.now.real_usec;
    }
}

static void stop_range(Range *r) {
    if (r->trail.exists && r->trail.on) {
        r->trail.on = false;
        r->trail.stop = r->l.now.real_usec;
    }
}

static void flap(Range *r) {
    stop_range(r);
    start(r);
}

static void delete_trail(Range *r) {
    settings_done(&r->trail.settings);
    r->trail = (Trail){ 0 };
}

/* The attacker's own bucket, and nothing of what the trail had. */
static void recreate_elsewhere(Range *r) {
    delete_trail(r);
    r->trail.exists = true;
    for (Field f = 0; f < _FIELD_MAX; f++)
        set(&r->trail.settings, f,
            f < FIELD_MULTI_REGION                             ? ""
            : f == FIELD_GLOBAL_EVENTS || f == FIELD_RECURSIVE ? "true"
            : f < FIELD_SELECTORS                              ? "false"
            : f == FIELD_SELECTORS                             ? BASIC("", "", "true", "All")
            : f == FIELD_INSIGHTS                              ? "[]"
                                                               : "{}");
    set(&r->trail.settings, FIELD_BUCKET, "mallorys-bucket");
    start(r);
}

static void fill_quota_and_delete(Range *r) {
    delete_trail(r);
    r->failing = 10; /* until the burst is over */
}

/* ---- attacks, and what administrators do ---- */

typedef struct Deed {
    const char *name;
    void (*perform)(Range *r);
    struct {
        Field field;
        const char *value;
    } sets[8]; /* ends with a value of NULL */
} Deed;

static const Deed attacks[] = {
    { "A1", stop_range, { { 0 } } },
    { "A2", flap, { { 0 } } },
    { "A3", delete_trail, { { 0 } } },
    { "A4", recreate_elsewhere, { { 0 } } },
    { "G4", fill_quota_and_delete, { { 0 } } },
    { "A5", NULL, { { FIELD_BUCKET, "mallorys-bucket" } } },
    { "A5p", NULL, { { FIELD_PREFIX, "elsewhere" } } },
    { "A6", NULL, { { FIELD_MULTI_REGION, "false" } } },
    { "A7", NULL, { { FIELD_MULTI_REGION, "false" }, { FIELD_GLOBAL_EVENTS, "false" } } },
    { "A8", NULL, { { FIELD_VALIDATION, "false" } } },
    { "A13", NULL, { { FIELD_RECURSIVE, "false" } } },
    { "A9", NULL, { { FIELD_KMS_KEY, "" } } },
    { "A10", NULL, { { FIELD_SNS_TOPIC, "" } } },
    { "A11", NULL, { { FIELD_LOG_GROUP, "" }, { FIELD_LOG_ROLE, "" } } },
    { "A6-A11",
      NULL,
      { { FIELD_SNS_TOPIC, "" },
        { FIELD_GLOBAL_EVENTS, "false" },
        { FIELD_MULTI_REGION, "false" },
        { FIELD_VALIDATION, "false" },
        { FIELD_LOG_GROUP, "" },
        { FIELD_LOG_ROLE, "" },
        { FIELD_KMS_KEY, "" } } },
    { "B1", NULL, { { FIELD_SELECTORS, BASIC("", SECRETS, "false", "All") } } },
    { "B2r", NULL, { { FIELD_SELECTORS, BASIC("", SECRETS, "true", "ReadOnly") } } },
    { "B2w", NULL, { { FIELD_SELECTORS, BASIC("", SECRETS, "true", "WriteOnly") } } },
    { "B3", NULL, { { FIELD_SELECTORS, BASIC("\"kms.amazonaws.com\"", SECRETS, "true", "All") } } },
    { "B4a", NULL, { { FIELD_SELECTORS, ADVANCED("") } } },
    { "B4b",
      NULL,
      { { FIELD_SELECTORS, ADVANCED(MANAGEMENT(",{\"Equals\":[\"true\"],\"Field\":\"readOnly\"}")) } } },
    { "B4c",
      NULL,
      { { FIELD_SELECTORS,
          ADVANCED(MANAGEMENT(",{\"Field\":\"eventSource\",\"NotEquals\":[\"kms.amazonaws.com\"]}")) } } },
    { "B5", NULL, { { FIELD_SELECTORS, BASIC("", "", "true", "All") } } },
    { "B6", NULL, { { FIELD_INSIGHTS, "[]" } } },
    { "B7", NULL, { { FIELD_CONFIGURATION, "{}" } } },
    { "T1", NULL, { { FIELD_TAGS, "{\"tier\":\"9\"}" } } },
};

/* Accepted as soon as they are done. */
static const Deed legitimate[] = {
    { "moved", NULL, { { FIELD_BUCKET, "new-logs" }, { FIELD_PREFIX, "" } } },
    { "moved back", NULL, { { FIELD_BUCKET, "example-victim-logs" }, { FIELD_PREFIX, "audit" } } },
    { "less", NULL, { { FIELD_SELECTORS, BASIC("", "", "true", "All") }, { FIELD_INSIGHTS, "[]" } } },
    { "more",
      NULL,
      { { FIELD_SELECTORS, BASIC("", SECRETS, "true", "All") },
        { FIELD_INSIGHTS, "[{\"InsightType\":\"ApiCallRateInsight\"}]" } } },
    { "advanced", NULL, { { FIELD_SELECTORS, ADVANCED(MANAGEMENT("")) } } },
    { "tagged", NULL, { { FIELD_TAGS, "{\"owner\":\"audit\",\"tier\":\"1\"}" } } },
};

/* The same trail in other words: nothing to see. */
static const Deed rewordings[] = {
    { "topic by name", NULL, { { FIELD_SNS_TOPIC, "deliveries" } } },
    { "key by id", NULL, { { FIELD_KMS_KEY, "1111aaaa-22bb-33cc-44dd-5555eeee6666" } } },
    { "tag of AWS",
      NULL,
      { { FIELD_TAGS, "{\"tier\":\"1\",\"aws:createdBy\":\"x\",\"owner\":\"security\"}" } } },
    { "other order",
      NULL,
      { { FIELD_SELECTORS,
          "{\"EventSelectors\":[{\"ReadWriteType\":\"All\",\"IncludeManagementEvents\":true,"
          "\"DataResources\":[" SECRETS "]}]}" } } },
    { "category written out",
      NULL,
      { { FIELD_INSIGHTS,
          "[{\"EventCategories\":[\"Management\"],\"InsightType\":\"ApiCallRateInsight\"}]" } } },
};

static void perform(Range *r, const Deed *deed) {
    if (deed->perform) {
        deed->perform(r);
        return;
    }
    for (size_t i = 0; r->trail.exists && i < ARRAY_SIZE(deed->sets) && deed->sets[i].value; i++)
        set(&r->trail.settings, deed->sets[i].field, deed->sets[i].value);
}

static void accept(Range *r) {
    if (r->trail.exists)
        copy(&r->trail.settings, &r->baseline);
}

/* ---- the engine, in short ---- */

static uint32_t differs(const Range *r, Drift *drift) {
    uint32_t fields = 0;

    *drift = (Drift){ 0 };
    if (r->trail.exists)
        assert_int_equal(baseline_compare(&r->baseline, &r->trail.settings, drift), 0);
    for (unsigned i = 0; i < drift->n; i++)
        if (!drift->changes[i].strengthens)
            fields |= FIELD_BIT(drift->changes[i].field);
    return fields;
}

static Observation observe(const Trail *t) {
    return !t->exists ? absent() : t->on ? logging(t->start, t->stop) : stopped(t->start, t->stop);
}

static void take_plan(Range *r) {
    const Plan *plan = &r->l.plan;

    for (unsigned i = 0; i < plan->n_events; i++)
        r->n_incidents += plan->events[i].sequence == 1 && plan->events[i].kind != EVENT_TRAIL_STRENGTHENED;
    if (plan->action == ACTION_NONE)
        return;
    assert_int_equal(r->acting, plan->abandon ? ACTION_RESTORE : ACTION_NONE);
    r->acting = plan->action;
    r->acting_fields = plan->fields;
    r->act_due = r->l.now.mono_usec + (1 + pick(4)) * SEC;
    copy(&r->baseline, &r->keep);
}

static void remember(Range *r) {
    if (!r->trail.exists)
        return;
    r->last_start = r->trail.start;
    r->last_stop = r->trail.stop;
}

/* Called around every decision with what was seen: when does an episode begin, and when is one over? */
static void judge(Range *r, bool was_open, bool trouble) {
    uint64_t now = r->l.now.real_usec;

    if (trouble && !was_open && (r->n_episodes == 0 || now - r->closed_usec > GUARD_REOPEN_USEC))
        r->n_episodes++;
    if ((was_open || trouble) && !r->l.state.incident.open)
        r->closed_usec = now;
}

/* What the guard must say of what baseline_compare() found. */
static void check_drift(const Range *r, const Drift *drift, uint32_t fields) {
    const TrailState *s = &r->l.state;
    uint32_t losing = 0;

    for (unsigned i = 0; i < drift->n; i++)
        if (drift->changes[i].loses_events)
            losing |= FIELD_BIT(drift->changes[i].field);
    assert_int_equal(s->fields, fields);
    assert_int_equal(s->losing_fields, losing);
    assert_int_equal((s->findings & FINDING_BIT(FINDING_WEAKENED)) != 0, losing != 0);
    assert_int_equal((s->findings & FINDINGS_DRIFT) != 0, fields != 0);
}

static void poll_trail(Range *r) {
    const Trail *t = &r->trail;
    Observation seen = observe(t);
    bool settings = r->l.now.mono_usec >= r->settings_due, was_open = r->l.state.incident.open, now, before;
    uint32_t fields;
    Drift drift;

    r->poll_due = r->l.now.mono_usec + 10 * SEC;
    if (r->acting != ACTION_NONE)
        return;
    fields = differs(r, &drift);
    if (settings)
        r->settings_due = r->l.now.mono_usec + 30 * SEC;
    now = !t->exists || !t->on || (settings && fields);
    before = t->stop > r->last_stop || (t->stop < r->last_stop && t->start > r->last_start);
    remember(r);
    decide(&r->l, (TrailInput){ .kind = GUARD_POLLED, .seen = &seen, .drift = settings ? &drift : NULL });
    judge(r, was_open, now || before);
    if (settings && t->exists)
        check_drift(r, &drift, fields);
    if (settings || now)
        assert_int_equal(r->l.state.incident.open, now);
    drift_done(&drift);
    take_plan(r);
}

static bool write_it(Range *r) {
    if (pick(10) < r->failing || (r->acting == ACTION_RECREATE) == r->trail.exists)
        return false;
    r->n_writes++;
    if (r->acting == ACTION_RECREATE) {
        r->trail.exists = true;
        copy(&r->keep, &r->trail.settings);
    }
    if (r->acting != ACTION_RESTORE)
        start(r);
    for (Field f = 0; r->acting == ACTION_RESTORE && f < _FIELD_MAX; f++)
        if (r->acting_fields & FIELD_BIT(f))
            set(&r->trail.settings, f, r->keep.values[f]);
    return true;
}

static void finish_action(Range *r) {
    bool done = write_it(r), was_open = r->l.state.incident.open;
    Outcome outcome = { .action = r->acting, .result = done ? RESULT_CONFIRMED : RESULT_FAILED };
    Drift drift;

    outcome.fields_left = differs(r, &drift);
    drift_done(&drift);
    if (!done)
        outcome.fields_left = FIELDS_ALL; /* not read back */
    outcome.seen = observe(&r->trail);
    if (done && r->acting != ACTION_RESTORE)
        remember(r);
    r->acting = ACTION_NONE;
    r->act_due = NEVER;
    decide(&r->l, (TrailInput){ .kind = GUARD_ACTED, .outcome = &outcome });
    judge(r, was_open, false);
    take_plan(r);
}

static void run(Range *r, uint64_t span) {
    Life *l = &r->l;
    uint64_t end = l->now.mono_usec + span;

    for (;;) {
        uint64_t wake_due = l->plan.wake_mono_usec ? l->plan.wake_mono_usec : NEVER;
        uint64_t next = MIN(MIN(r->poll_due, r->act_due), MIN(wake_due, end));

        pass_time(l, next > l->now.mono_usec ? next - l->now.mono_usec : 0);
        if (next == end)
            return;
        if (next == r->act_due)
            finish_action(r);
        else if (next == r->poll_due)
            poll_trail(r);
        else {
            wake(l);
            take_plan(r);
        }
    }
}

/* ---- lives ---- */

static Range new_range(Mode mode) {
    Range r = { .l = life(mode, true), .act_due = NEVER, .last_start = STARTED };

    r.l.policy.restore = RESTORE_ALL;
    r.l.policy.max_restores_per_hour = 1000;
    r.trail.exists = r.trail.on = true;
    r.trail.start = STARTED;
    for (Field f = 0; f < _FIELD_MAX; f++)
        set(&r.trail.settings, f, as_built[f]);
    accept(&r);
    r.poll_due = r.settings_due = r.l.now.mono_usec;
    run(&r, 60 * SEC);
    assert_int_equal(r.l.n_events, 0);
    return r;
}

static void range_done(Range *r) {
    settings_done(&r->trail.settings);
    settings_done(&r->baseline);
    settings_done(&r->keep);
}

/* What the mode does not put right somebody else does. */
static void heal(Range *r) {
    if (r->l.policy.mode == MODE_RESTORE)
        return;
    r->trail.exists = true;
    start(r);
    copy(&r->baseline, &r->trail.settings);
}

static void check_peace(const Range *r, unsigned n_incidents) {
    const TrailState *s = &r->l.state;
    Drift drift;

    assert_true(r->trail.exists && r->trail.on);
    assert_int_equal(differs(r, &drift), 0);
    drift_done(&drift);
    assert_int_equal(s->findings, 0);
    assert_int_equal(s->fields, 0);
    assert_false(s->incident.open || s->acting || r->l.plan.hold);
    assert_int_equal(r->n_incidents, n_incidents);
    if (r->l.policy.mode == MODE_OBSERVE)
        assert_int_equal(r->n_writes, 0);
}

/* Attacks near each other or further apart, then quiet for longer than what reopens an incident. */
static void random_burst(Range *r) {
    unsigned n = 1 + pick(8);

    for (unsigned i = 0; i < n; i++) {
        r->failing = pick(4);
        perform(r, &attacks[pick(ARRAY_SIZE(attacks))]);
        if (pick(4) == 0) {
            perform(r, &legitimate[pick(ARRAY_SIZE(legitimate))]);
            accept(r);
        }
        run(r, pick(3) ? pick(60) * SEC : pick(600) * SEC);
    }
    r->failing = 0;
    heal(r);
    run(r, QUIET);
    check_peace(r, r->n_episodes);
}

static void random_range(void **unused) {
    const char *given = getenv("TEST_SEED");
    unsigned n_incidents = 0, n_writes = 0;

    (void)unused;
    random_state = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    print_message("TEST_SEED=%llu\n", (unsigned long long)random_state);
    for (unsigned n = 0; n < LIVES * _MODE_MAX; n++) {
        Range r = new_range((Mode)(n % _MODE_MAX));

        for (unsigned i = 0; i < BURSTS; i++)
            random_burst(&r);
        n_incidents += r.n_incidents;
        n_writes += r.n_writes;
        range_done(&r);
    }
    print_message("%u incidents, %u writes\n", n_incidents, n_writes);
    assert_true(n_incidents > LIVES * BURSTS && n_writes > LIVES * BURSTS);
}

/* Each attack alone, in each mode: told once, and put right to the byte where that is allowed. */
static void each_attack(void **unused) {
    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(attacks) * _MODE_MAX; i++) {
        const Deed *attack = &attacks[i / _MODE_MAX];
        Mode mode = (Mode)(i % _MODE_MAX);
        Range r = new_range(mode);

        perform(&r, attack);
        run(&r, 120 * SEC);
        if (r.n_incidents != 1)
            fail_msg("%s in mode %d: %u incidents", attack->name, (int)mode, r.n_incidents);
        r.failing = 0;
        run(&r, 120 * SEC);
        if (mode == MODE_RESTORE)
            for (Field f = 0; f < _FIELD_MAX; f++)
                assert_string_equal(r.trail.settings.values[f], as_built[f]);
        heal(&r);
        run(&r, QUIET);
        check_peace(&r, 1);
        range_done(&r);
    }
}

static void nothing_to_see(void **unused) {
    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(legitimate) + ARRAY_SIZE(rewordings); i++) {
        bool changed = i < ARRAY_SIZE(legitimate);
        Range r = new_range(MODE_RESTORE);

        perform(&r, changed ? &legitimate[i] : &rewordings[i - ARRAY_SIZE(legitimate)]);
        if (changed)
            accept(&r);
        run(&r, QUIET);
        check_peace(&r, 0);
        assert_int_equal(r.n_writes, 0);
        range_done(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_attack),
        cmocka_unit_test(nothing_to_see),
        cmocka_unit_test(random_range),
    };

    return cmocka_run_group_tests_name("range", tests, NULL, NULL);
}
