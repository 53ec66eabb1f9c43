/* SPDX-License-Identifier: Apache-2.0 */
/* The guard against everything that blinds a trail but a plain stop: changed settings, deletion, buckets,
 * keys; what is put back, how often, and what is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/between.h"
#include "tests/unit/guard_life.h"

/* Which changes the tests call losing ones. */
#define LOSING                                                                                              \
    (FIELD_BIT(FIELD_BUCKET) | FIELD_BIT(FIELD_MULTI_REGION) | FIELD_BIT(FIELD_GLOBAL_EVENTS) |             \
     FIELD_BIT(FIELD_SELECTORS) | FIELD_BIT(FIELD_ORGANIZATION))

static Drift drift_of(uint32_t fields, char *now) {
    static char was[] = "before";
    Drift drift = { .n = 0 };

    for (Field f = 0; f < _FIELD_MAX; f++)
        if (fields & FIELD_BIT(f))
            drift.changes[drift.n++] = (Change){
                .field = f, .loses_events = (LOSING & FIELD_BIT(f)) != 0, .expected = was, .actual = now
            };
    return drift;
}

static void check_settings(Life *l, Observation seen, uint32_t fields, char *now) {
    Drift drift = drift_of(fields, now);

    decide(l, (TrailInput){ .kind = GUARD_POLLED, .seen = &seen, .drift = &drift });
}

static char evil[] = "evil", worse[] = "worse";

#define CHANGED(fields) check_settings(&l, logging(STARTED, 0), fields, evil)
#define WELL()          check_settings(&l, logging(STARTED, 0), 0, evil)

static void came_of(Life *l, Action action, ActionResult result, uint32_t fields_left) {
    Outcome outcome = { .action = action, .result = result, .fields_left = fields_left };

    if (action != ACTION_RESTORE && result == RESULT_CONFIRMED)
        outcome.seen = logging(l->now.real_usec, 0);
    if (result == RESULT_FAILED)
        (void)strcpy(outcome.error_text, "AccessDenied");
    decide(l, (TrailInput){ .kind = GUARD_ACTED, .outcome = &outcome });
}

#define BUCKET    FIELD_BIT(FIELD_BUCKET)
#define TAGS      FIELD_BIT(FIELD_TAGS)
#define WRITABLE  (FIELDS_ALL & ~FIELDS_UNWRITABLE)
#define SELECTORS FIELD_BIT(FIELD_SELECTORS)
#define INSIGHTS  FIELD_BIT(FIELD_INSIGHTS)
#define TOPIC     FIELD_BIT(FIELD_SNS_TOPIC)

/* ---- changes x modes x kinds that may be restored ---- */

typedef struct Case {
    const char *name;
    Mode mode;
    uint32_t restore;
    bool writable, maintenance;
    uint32_t fields;
    /* expected */
    Severity severity;
    uint32_t written; /* 0: told at once, nothing done */
} Case;

static const Case cases[] = {
    { "bucket, observe", MODE_OBSERVE, RESTORE_ALL, true, false, BUCKET, SEVERITY_CRITICAL, 0 },
    { "bucket, restart", MODE_RESTART, RESTORE_ALL, true, false, BUCKET, SEVERITY_CRITICAL, 0 },
    { "bucket, restore", MODE_RESTORE, RESTORE_MOST, true, false, BUCKET, SEVERITY_CRITICAL, BUCKET },
    { "bucket, not ours", MODE_RESTORE, RESTORE_ALL, false, false, BUCKET, SEVERITY_CRITICAL, 0 },
    { "bucket, maintenance", MODE_RESTORE, RESTORE_ALL, true, true, BUCKET, SEVERITY_INFO, 0 },
    { "bucket, only selectors", MODE_RESTORE, RESTORE_BIT(RESTORE_SELECTORS), true, false, BUCKET,
      SEVERITY_CRITICAL, 0 },
    { "bucket, nothing", MODE_RESTORE, 0, true, false, BUCKET, SEVERITY_CRITICAL, 0 },
    { "topic, restore", MODE_RESTORE, RESTORE_MOST, true, false, TOPIC, SEVERITY_WARNING, TOPIC },
    { "topic, restart", MODE_RESTART, RESTORE_MOST, true, false, TOPIC, SEVERITY_WARNING, 0 },
    { "organization", MODE_RESTORE, RESTORE_BIT(RESTORE_SETTINGS), true, false,
      FIELD_BIT(FIELD_ORGANIZATION), SEVERITY_CRITICAL, FIELD_BIT(FIELD_ORGANIZATION) },
    { "organization, not ours", MODE_RESTORE, RESTORE_ALL, false, false, FIELD_BIT(FIELD_ORGANIZATION),
      SEVERITY_CRITICAL, 0 },
    { "selectors", MODE_RESTORE, RESTORE_BIT(RESTORE_SELECTORS), true, false, SELECTORS, SEVERITY_CRITICAL,
      SELECTORS },
    { "selectors, only settings", MODE_RESTORE, RESTORE_BIT(RESTORE_SETTINGS), true, false, SELECTORS,
      SEVERITY_CRITICAL, 0 },
    { "insights", MODE_RESTORE, RESTORE_BIT(RESTORE_INSIGHTS), true, false, INSIGHTS, SEVERITY_WARNING,
      INSIGHTS },
    { "insights, only settings", MODE_RESTORE, RESTORE_BIT(RESTORE_SETTINGS), true, false, INSIGHTS,
      SEVERITY_WARNING, 0 },
    { "tags", MODE_RESTORE, RESTORE_MOST, true, false, TAGS, SEVERITY_WARNING, 0 },
    { "tags, deleted", MODE_RESTORE, RESTORE_ALL, true, false, TAGS, SEVERITY_WARNING, TAGS },
    { "unknown to this version", MODE_RESTORE, RESTORE_ALL, true, false, FIELDS_UNWRITABLE, SEVERITY_WARNING,
      0 },
    { "all", MODE_RESTORE, RESTORE_ALL, true, false, WRITABLE, SEVERITY_CRITICAL, WRITABLE },
    { "all but tags", MODE_RESTORE, RESTORE_MOST, true, false, WRITABLE, SEVERITY_CRITICAL,
      WRITABLE & ~TAGS },
    { "all, observe", MODE_OBSERVE, RESTORE_ALL, true, false, FIELDS_ALL, SEVERITY_CRITICAL, 0 },
};

static void every_case(void **unused) {
    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const Case *c = &cases[i];
        Life l = life(c->mode, c->writable);
        const Event *t = &l.plan.events[0];

        print_message("%s\n", c->name);
        l.policy.restore = c->restore;
        l.facts.maintenance = c->maintenance;
        WELL();
        assert_int_equal(l.state.verdict, c->writable ? VERDICT_LOGGING : VERDICT_PROTECTED);
        CHANGED(c->fields);
        assert_int_equal(l.state.verdict, VERDICT_WEAKENED);
        assert_int_equal(l.plan.action, c->written ? ACTION_RESTORE : ACTION_NONE);
        assert_int_equal(l.plan.fields, c->written);
        assert_int_equal(l.plan.hold, c->written != 0);
        assert_int_equal(l.plan.n_events, c->written ? 0 : 1);
        if (c->written)
            came_of(&l, ACTION_RESTORE, RESULT_CONFIRMED, c->fields & ~c->written);
        assert_int_equal(l.plan.n_events, 1);
        assert_int_equal(t->kind, EVENT_TRAIL_WEAKENED);
        assert_int_equal(t->severity, c->severity);
        assert_int_equal(t->fields, c->fields);
        assert_int_equal(t->fields_left, c->fields & ~c->written);
        assert_int_equal(t->may_act, c->written != 0);
        assert_int_equal(t->resolves, c->fields == c->written);
        assert_int_equal(t->action.taken, c->written ? ACTION_RESTORE : ACTION_NONE);
        assert_int_equal(l.state.incident.open, c->fields != c->written);
        CHANGED(c->fields & ~c->written); /* the same again is no news */
        assert_int_equal(l.plan.n_events, 0);
        assert_int_equal(l.plan.action, ACTION_NONE);
    }
}

/* ---- conditions of buckets, keys and deliveries ---- */

static void failing_in_every_way_is_one_message(void **unused) {
    Life l = life(MODE_RESTORE, true);
    Observation seen = logging(STARTED, 0);

    (void)unused;
    result(&l, seen);
    (void)strcpy(seen.delivery_error, "AccessDenied");
    (void)strcpy(seen.digest_error, "NoSuchBucket");
    (void)strcpy(seen.log_group_error, "x");
    (void)strcpy(seen.notification_error, "y");
    (void)strcpy(seen.bucket_error, "z");
    (void)strcpy(seen.lifecycle_error, "z");
    (void)strcpy(seen.key_error, "z");
    result(&l, seen);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.n_entries, 7);
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_FAILING);
    assert_int_equal(l.plan.events[0].severity, SEVERITY_CRITICAL);
    assert_string_equal(l.plan.events[0].detail, "AccessDenied");
    assert_int_equal(l.plan.events[0].about, FINDINGS_FAILING & ~FINDING_BIT(FINDING_STALE));
    assert_int_equal(l.state.verdict, VERDICT_FAILING);
    result(&l, seen);
    assert_int_equal(l.plan.n_events, 0);
    result(&l, logging(STARTED, 0));
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_RESOLVED);
}

static void each_check_of_bucket_and_key_is_told(void **unused) {
    static const struct {
        size_t offset;
        Finding finding;
    } rows[] = {
        { offsetof(Observation, bucket_error), FINDING_BUCKET },
        { offsetof(Observation, lifecycle_error), FINDING_LIFECYCLE },
        { offsetof(Observation, key_error), FINDING_KEY },
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Life l = life(MODE_RESTORE, true);
        Observation seen = logging(STARTED, 0);

        result(&l, seen);
        (void)strcpy((char *)&seen + rows[i].offset, "NoSuchBucket");
        result(&l, seen);
        assert_int_equal(l.plan.n_events, 1);
        assert_int_equal(l.plan.events[0].severity, SEVERITY_CRITICAL);
        assert_int_equal(l.plan.events[0].about, FINDING_BIT(rows[i].finding));
        assert_string_equal(l.plan.events[0].detail, "NoSuchBucket");
        assert_int_equal(l.plan.action, ACTION_NONE);
    }
}

/* What a restart reads back says nothing of the bucket, nor of the settings; what was told of them is not
 * told again. */
static void a_restart_does_not_mend_the_bucket(void **unused) {
    static const struct {
        size_t offset;
        Verdict verdict;
    } rows[] = {
        { offsetof(Observation, bucket_error), VERDICT_FAILING },
        { offsetof(Observation, unreadable), VERDICT_UNKNOWN },
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Life l = life(MODE_RESTART, true);
        Observation seen = stopped(STARTED, STOP_NOW);

        result(&l, logging(STARTED, 0));
        (void)strcpy((char *)&seen + rows[i].offset, "AccessDenied");
        result(&l, seen);
        held(&l, EPOCH, STOP_NOW);
        assert_int_equal(l.state.verdict, rows[i].verdict);
        assert_true(l.state.incident.open);
        seen = logging(EPOCH, STOP_NOW);
        (void)strcpy((char *)&seen + rows[i].offset, "AccessDenied");
        result(&l, seen);
        assert_int_equal(l.plan.n_events, 0);
    }
}

static void stale_deliveries(void **unused) {
    static const struct {
        bool validation, reads;
        uint64_t after, start_ago, delivery_ago, digest_ago;
        bool stale;
    } rows[] = {
        { true, false, 7200 * SEC, 9000 * SEC, 7201 * SEC, 7201 * SEC, true },
        { false, true, 7200 * SEC, 9000 * SEC, 7201 * SEC, EPOCH, true },
        { false, false, 7200 * SEC, 9000 * SEC, 7201 * SEC, 7201 * SEC, false },
        { true, true, 0, 9000 * SEC, 9000 * SEC, 9000 * SEC, false },
        { true, true, 7200 * SEC, 7200 * SEC, 9000 * SEC, 9000 * SEC, false },
        { true, true, 7200 * SEC, 9000 * SEC, 7200 * SEC, 9000 * SEC, false },
        { true, true, 7200 * SEC, 9000 * SEC, 9000 * SEC, 7200 * SEC, false },
        { true, true, 7200 * SEC, 9000 * SEC, EPOCH, EPOCH, true }, /* never delivered */
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Life l = life(MODE_RESTORE, true);
        Observation seen = logging(EPOCH - rows[i].start_ago, 0);

        l.facts.validation = rows[i].validation;
        l.facts.records_reads = rows[i].reads;
        l.policy.stale_after_usec = rows[i].after;
        seen.delivery_usec = EPOCH - rows[i].delivery_ago;
        seen.digest_usec = EPOCH - rows[i].digest_ago;
        result(&l, seen);
        assert_int_equal(l.state.findings, rows[i].stale ? FINDING_BIT(FINDING_STALE) : 0);
        assert_int_equal(l.plan.n_events, rows[i].stale);
        if (!rows[i].stale)
            continue;
        assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_FAILING);
        assert_memory_equal(l.plan.events[0].detail, "nothing was delivered since 2027-01-15T0", 40);
        seen.is_logging = false; /* a stopped trail is not stale as well */
        result(&l, seen);
        assert_int_equal(l.state.findings, FINDING_BIT(FINDING_STOPPED));
    }
}

/* ---- putting back ---- */

static void restore_that_holds_is_one_message(void **unused) {
    Life l = life(MODE_RESTORE, true);
    const Event *t = &l.plan.events[0];

    (void)unused;
    WELL();
    CHANGED(BUCKET);
    assert_int_equal(l.plan.entries[0].line, LINE_CHANGED);
    assert_int_equal(l.plan.entries[0].fields, BUCKET);
    pass_time(&l, 2 * SEC);
    came_of(&l, ACTION_RESTORE, RESULT_CONFIRMED, 0);
    assert_int_equal(l.plan.entries[0].line, LINE_RESTORED);
    assert_int_equal(l.plan.n_events, 1);
    assert_true(t->resolves);
    assert_int_equal(t->action.result, RESULT_CONFIRMED);
    assert_int_equal(t->action.attempts, 1);
    assert_true(t->changed_usec == EPOCH && t->time_usec == EPOCH + 2 * SEC);
    assert_int_equal(l.state.verdict, VERDICT_LOGGING);
    assert_false(l.plan.hold);
    WELL();
    assert_int_equal(l.plan.n_events + l.plan.n_entries, 0);
}

static void slow_restore_is_told_after_five_seconds_and_again_when_it_holds(void **unused) {
    Life l = life(MODE_RESTORE, true);

    (void)unused;
    WELL();
    CHANGED(BUCKET);
    pass_time(&l, GUARD_HOLD_USEC);
    wake(&l);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].action.result, RESULT_PENDING);
    came_of(&l, ACTION_RESTORE, RESULT_CONFIRMED, 0);
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_RESOLVED);
    assert_int_equal(l.plan.events[0].fields, BUCKET);
    assert_int_equal(l.plan.events[0].fields_left, 0);
    assert_int_equal(l.plan.events[0].action.taken, ACTION_RESTORE);
}

static void recording_first_settings_at_once_after_it(void **unused) {
    Life l = life(MODE_RESTORE, true);

    (void)unused;
    WELL();
    check_settings(&l, stopped(STARTED, STOP_NOW), BUCKET, evil);
    assert_int_equal(l.plan.action, ACTION_RESTART);
    assert_int_equal(l.state.verdict, VERDICT_STOPPED);
    pass_time(&l, SEC);
    held(&l, EPOCH + SEC, STOP_NOW);
    assert_int_equal(l.plan.action, ACTION_RESTORE);
    assert_int_equal(l.plan.fields, BUCKET);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_STOPPED);
    assert_int_equal(l.plan.events[0].action.taken, ACTION_RESTART);
    assert_int_equal(l.plan.events[0].action.result, RESULT_CONFIRMED);
    assert_true(l.plan.events[0].dedup_usec == STOP_NOW); /* whatever else was seen meanwhile */
    assert_false(l.plan.events[0].resolves);
    pass_time(&l, SEC);
    came_of(&l, ACTION_RESTORE, RESULT_CONFIRMED, 0);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_WEAKENED);
    assert_true(l.plan.events[0].resolves);
    assert_false(l.state.incident.open);
}

static void failing_restore_backs_off_but_never_keeps_a_restart_waiting(void **unused) {
    Life l = life(MODE_RESTORE, true);

    (void)unused;
    WELL();
    CHANGED(BUCKET);
    for (unsigned i = 0; i < 8; i++) {
        came_of(&l, ACTION_RESTORE, RESULT_FAILED, FIELDS_ALL);
        assert_int_equal(l.plan.n_events, i == 0 ? 1 : 0);
        assert_int_equal(l.plan.action, ACTION_NONE);
        assert_true(l.plan.wake_mono_usec - l.now.mono_usec == MIN(SEC << i, 60 * SEC));
        if (i == 0) {
            assert_string_equal(l.plan.events[0].detail, "AccessDenied");
            assert_int_equal(l.plan.events[0].action.result, RESULT_FAILED);
        }
        wait_for_wake(&l, HOUR);
        assert_int_equal(l.plan.action, ACTION_RESTORE);
    }
    came_of(&l, ACTION_RESTORE, RESULT_FAILED, FIELDS_ALL);
    result(&l, stopped(STARTED, l.now.real_usec));
    assert_int_equal(l.plan.action, ACTION_RESTART);
    failed(&l);
    wait_for_wake(&l, HOUR);
    assert_int_equal(l.plan.action, ACTION_RESTART);
    held(&l, l.now.real_usec, STOP_NOW);
    wait_for_wake(&l, HOUR);
    assert_int_equal(l.plan.action, ACTION_RESTORE);
    came_of(&l, ACTION_RESTORE, RESULT_CONFIRMED, 0);
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_RESOLVED);
}

/* A restart that AWS refuses may be refused for what was changed. */
static void settings_are_restored_while_a_restart_backs_off(void **unused) {
    Life l = life(MODE_RESTORE, true);

    (void)unused;
    WELL();
    check_settings(&l, stopped(STARTED, STOP_NOW), BUCKET, evil);
    failed(&l);
    assert_int_equal(l.plan.action, ACTION_RESTORE);
    pass_time(&l, 2 * SEC);
    came_of(&l, ACTION_RESTORE, RESULT_CONFIRMED, 0);
    assert_int_equal(l.plan.action, ACTION_RESTART);
}

static void held_but_still_different_is_a_failure(void **unused) {
    Life l = life(MODE_RESTORE, true);

    (void)unused;
    WELL();
    CHANGED(BUCKET | TOPIC);
    came_of(&l, ACTION_RESTORE, RESULT_CONFIRMED, BUCKET);
    assert_int_equal(l.plan.action, ACTION_NONE);
    assert_true(l.plan.wake_mono_usec == l.now.mono_usec + SEC);
    assert_int_equal(l.plan.events[0].action.result, RESULT_FAILED);
    assert_int_equal(l.plan.events[0].fields_left, BUCKET);
    assert_true(l.plan.events[0].detail[0] != '\0');
}

/* What AWS refused is left; the rest is well, and is not told again. */
static void a_restore_may_fail_in_part(void **unused) {
    Life l = life(MODE_RESTORE, true);

    (void)unused;
    WELL();
    CHANGED(BUCKET | TOPIC);
    came_of(&l, ACTION_RESTORE, RESULT_FAILED, TOPIC | TAGS);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].action.result, RESULT_FAILED);
    assert_int_equal(l.plan.events[0].fields, BUCKET | TOPIC);
    assert_int_equal(l.plan.events[0].fields_left, TOPIC);
    assert_string_equal(l.plan.events[0].detail, "AccessDenied");
    assert_int_equal(l.state.fields, TOPIC);
    CHANGED(TOPIC);
    assert_int_equal(l.plan.n_events, 0);
    wait_for_wake(&l, HOUR);
    assert_int_equal(l.plan.action, ACTION_RESTORE);
    assert_int_equal(l.plan.fields, TOPIC);
    /* somebody else was quicker */
    came_of(&l, ACTION_RESTORE, RESULT_FAILED, TAGS);
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_RESOLVED);
    assert_false(l.state.incident.open);
}

/* That it may be gone is said once, to those who were told of it; and then there is no such trail. */
static void what_may_be_gone_is_forgotten(void **unused) {
    (void)unused;
    for (unsigned reported = 0; reported < 2; reported++) {
        Life l = life(reported ? MODE_OBSERVE : MODE_RESTORE, true);

        l.policy.restore |= RESTORE_BIT(RESTORE_DELETED);
        WELL();
        result(&l, absent());
        assert_int_equal(l.plan.n_events, reported);
        decide(&l, (TrailInput){ .kind = GUARD_FORGOTTEN, .why = "it was accepted that it may be gone" });
        assert_int_equal(l.plan.n_events, reported);
        if (reported) {
            assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_RESOLVED);
            assert_int_equal(l.plan.events[0].phase, PHASE_RESOLVED);
            assert_true(l.plan.events[0].forgotten);
        }
        assert_int_equal(l.plan.n_entries, 0);
        assert_int_equal(l.plan.action, ACTION_NONE);
        assert_int_equal(l.plan.wake_mono_usec, 0);
        assert_false(l.state.known || l.state.incident.open || l.state.findings);
    }
}

static void put_back_by_others_resolves(void **unused) {
    Life l = life(MODE_OBSERVE, true);

    (void)unused;
    WELL();
    CHANGED(SELECTORS);
    result(&l, logging(STARTED, 0)); /* not looked at: as it was */
    assert_int_equal(l.state.verdict, VERDICT_WEAKENED);
    WELL();
    assert_int_equal(l.plan.entries[0].line, LINE_UNCHANGED);
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_RESOLVED);
    assert_int_equal(l.state.verdict, VERDICT_LOGGING);
}

/* What a person accepted, or a configuration that changed, put nothing back; a new pin was nobody's doing.
 */
static void what_people_agreed_to_is_no_deed(void **unused) {
    Life l = life(MODE_OBSERVE, true);
    Observation seen = logging(STARTED, 0);
    Drift pinned = drift_of(FIELD_BIT(FIELD_VALIDATION), evil);
    const Event *t = &l.plan.events[0];

    (void)unused;
    l.policy.attribution = true;
    pinned.changes[0].as_recorded = true;
    l.state.accepted_usec = EPOCH;
    WELL();
    CHANGED(BUCKET);
    l.state.accepted_usec = EPOCH + SEC;
    WELL();
    assert_int_equal(t->kind, EVENT_TRAIL_RESOLVED);
    assert_true(t->accepted && !t->reconfigured);
    assert_string_equal(l.plan.entries[0].detail, "it was accepted as the baseline");

    l.state.attributing.wanted = false;
    l.facts.pins_mark = 7;
    decide(&l, (TrailInput){ .kind = GUARD_POLLED, .seen = &seen, .drift = &pinned });
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(t->kind, EVENT_EXPECTATION_UNMET);
    assert_int_equal(t->severity, SEVERITY_WARNING);
    assert_int_equal(t->phase, PHASE_OPENED);
    assert_int_equal(t->sequence, 1); /* its own incident */
    assert_true(t->unmet);
    assert_false(l.state.attributing.wanted);
    l.facts.pins_mark = 0;
    WELL();
    assert_int_equal(t->kind, EVENT_TRAIL_RESOLVED);
    assert_true(t->reconfigured && t->unmet && !t->accepted);

    /* under a pin that held, the same difference is somebody's deed */
    l.facts.pins_mark = 7;
    WELL();
    decide(&l, (TrailInput){ .kind = GUARD_POLLED, .seen = &seen, .drift = &pinned });
    assert_int_equal(t->kind, EVENT_TRAIL_WEAKENED);
    assert_true(l.state.attributing.wanted);
}

/* What a trail has never been like did not begin when the configuration changed. */
static void a_trail_that_never_met_a_pin_is_said_to_be_so(void **unused) {
    Observation seen = logging(STARTED, 0);
    Drift pinned = drift_of(FIELD_BIT(FIELD_VALIDATION), evil);

    (void)unused;
    pinned.changes[0].as_recorded = true;
    for (unsigned known = 0; known < 2; known++) {
        Life l = life(MODE_OBSERVE, true);

        l.state.provisional = !known;
        l.facts.destination = DESTINATION_GUARDED;
        if (known)
            WELL();
        l.facts.pins_mark = 7;
        decide(&l, (TrailInput){ .kind = GUARD_POLLED, .seen = &seen, .drift = &pinned });
        assert_int_equal(l.plan.events[0].kind, EVENT_EXPECTATION_UNMET);
        assert_int_equal(l.plan.events[0].first_sight, !known);
        assert_int_equal(l.plan.entries[l.plan.n_entries - 1].line, LINE_UNMET);
        assert_int_equal(l.plan.entries[l.plan.n_entries - 1].first_sight, !known);
    }
}

/* A pin may be left when the rest was accepted: who meets it later did not end what was accepted. */
static void what_was_accepted_in_part_was_ended_by_nobody_else(void **unused) {
    Life l = life(MODE_OBSERVE, true);
    const Event *t = &l.plan.events[0];

    (void)unused;
    l.state.accepted_usec = EPOCH;
    WELL();
    CHANGED(BUCKET | FIELD_BIT(FIELD_VALIDATION));
    l.state.accepted_usec = EPOCH + SEC;
    CHANGED(FIELD_BIT(FIELD_VALIDATION));
    WELL();
    assert_int_equal(t->kind, EVENT_TRAIL_RESOLVED);
    assert_int_equal(t->fields, FIELD_BIT(FIELD_VALIDATION));
    assert_false(t->accepted);
}

static void further_changes_are_told(void **unused) {
    Life l = life(MODE_OBSERVE, true);

    (void)unused;
    WELL();
    CHANGED(TOPIC);
    assert_int_equal(l.plan.events[0].severity, SEVERITY_WARNING);
    CHANGED(TOPIC | BUCKET);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].severity, SEVERITY_CRITICAL);
    check_settings(&l, logging(STARTED, 0), TOPIC | BUCKET, worse); /* other values */
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].phase, PHASE_REOPENED);
    check_settings(&l, logging(STARTED, 0), BUCKET, worse); /* less is no news */
    assert_int_equal(l.plan.n_events, 0);
    assert_int_equal(l.state.incident.sequence, 3);
}

/* To put one setting back must not hide what another was changed to, nor what a restore left. */
static void another_value_is_news_whatever_else_is_put_back(void **unused) {
    Life l = life(MODE_OBSERVE, true);

    (void)unused;
    WELL();
    CHANGED(TOPIC | BUCKET);
    assert_int_equal(l.plan.n_events, 1);
    check_settings(&l, logging(STARTED, 0), BUCKET, worse);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].phase, PHASE_REOPENED);
    check_settings(&l, logging(STARTED, 0), BUCKET, worse);
    assert_int_equal(l.plan.n_events, 0);
    check_settings(&l, logging(STARTED, 0), BUCKET | TOPIC, worse);
    assert_int_equal(l.plan.n_events, 1);
    check_settings(&l, logging(STARTED, 0), TOPIC, worse);
    assert_int_equal(l.plan.n_events, 0);
}

static void changes_are_seen_though_the_status_is_not(void **unused) {
    Life l = life(MODE_RESTORE, true);

    (void)unused;
    WELL();
    check_settings(&l, in_vain(POLL_DENIED, true), BUCKET, evil);
    assert_int_equal(l.state.verdict, VERDICT_WEAKENED);
    assert_int_equal(l.plan.action, ACTION_RESTORE);
}

/* A look at settings is no look at the status: who takes the right to the one away must be found out. */
static void a_settings_check_is_no_poll_of_the_status(void **unused) {
    Life l = life(MODE_RESTORE, true);
    Observation old = logging(STARTED, 0);
    Drift drift = drift_of(0, evil);

    (void)unused;
    WELL();
    l.policy.unreachable_after = 3;
    for (unsigned i = 1; i <= 3; i++) {
        result(&l, in_vain(POLL_DENIED, true));
        assert_int_equal(l.plan.n_events, i == 3);
        decide(&l, (TrailInput){ .kind = GUARD_COMPARED, .seen = &old, .drift = &drift });
        assert_int_equal(l.state.n_failed, i);
        assert_int_equal(l.plan.n_events, 0);
    }
    failed(&l); /* the blind restart: it cannot be read back */
    assert_int_equal(l.state.verdict, VERDICT_UNKNOWN);
    assert_true(l.state.findings & FINDING_BIT(FINDING_UNREACHABLE));
    drift = drift_of(BUCKET, evil);
    (void)strcpy(old.key_error, "KMSInvalidStateException");
    decide(&l, (TrailInput){ .kind = GUARD_COMPARED, .seen = &old, .drift = &drift });
    assert_int_equal(l.state.findings & FINDING_BIT(FINDING_KEY), FINDING_BIT(FINDING_KEY));
    assert_int_equal(l.plan.action, ACTION_RESTORE);
}

/* ---- wars ---- */

typedef struct WarCount {
    unsigned n_escalated, n_counted;
    uint64_t dedup_usec;
} WarCount;

static void count_war(const Life *l, WarCount *count) {
    for (unsigned k = 0; k < l->plan.n_events; k++) {
        const Event *t = &l->plan.events[k];

        count->n_counted += t->repeats.count;
        count->dedup_usec = count->dedup_usec != 0 ? count->dedup_usec : t->incident_dedup_usec;
        assert_true(t->incident_dedup_usec == count->dedup_usec);
        if (!t->restores_paused || t->phase != PHASE_OPENED)
            continue;
        count->n_escalated++;
        assert_int_equal(t->severity, SEVERITY_CRITICAL);
        assert_int_equal(t->n_restores, 30);
        assert_int_equal(t->fields, BUCKET);
    }
}

static void a_war_over_settings_is_capped_and_told_seldom(void **unused) {
    Life l = life(MODE_RESTORE, true);
    WarCount count = { .n_escalated = 0 };
    unsigned n_restored = 0;

    (void)unused;
    WELL();
    for (unsigned i = 0; i < 1000; i++) {
        CHANGED(BUCKET);
        count_war(&l, &count);
        if (l.plan.action == ACTION_RESTORE) {
            n_restored++;
            pass_time(&l, SEC);
            came_of(&l, ACTION_RESTORE, RESULT_CONFIRMED, 0);
            count_war(&l, &count);
        }
        pass_time(&l, 59 * SEC);
    }
    /* 16.5 hours */
    assert_between(n_restored, 16 * 30, 17 * 30);
    assert_between(count.n_escalated, 16, 17);
    assert_between(count.n_counted, n_restored / 2, n_restored);
    assert_true(l.n_events <= 4 + count.n_escalated * 2 + (l.now.real_usec - EPOCH) / GUARD_SUMMARY_USEC);
}

static void past_the_ceiling_logging_is_still_restarted(void **unused) {
    Life l = life(MODE_RESTORE, true);

    (void)unused;
    l.policy.max_restores_per_hour = 1;
    WELL();
    CHANGED(BUCKET);
    came_of(&l, ACTION_RESTORE, RESULT_CONFIRMED, 0);
    pass_time(&l, 60 * SEC);
    CHANGED(BUCKET);
    assert_int_equal(l.plan.action, ACTION_NONE);
    assert_int_equal(l.plan.n_events, 1);
    assert_true(l.plan.events[0].restores_paused);
    assert_false(l.plan.hold);
    assert_int_equal(l.plan.entries[1].line, LINE_RESTORES_PAUSED);
    result(&l, stopped(STARTED, l.now.real_usec));
    assert_int_equal(l.plan.action, ACTION_RESTART);
    held(&l, l.now.real_usec + SEC, l.now.real_usec);
    assert_int_equal(l.plan.action, ACTION_NONE);
    /* by itself when the hour is over */
    for (unsigned i = 0; l.plan.action != ACTION_RESTORE; i++) {
        assert_true(i < 100);
        wait_for_wake(&l, HOUR);
    }
    assert_true(l.now.real_usec == EPOCH + HOUR);
    assert_false(l.state.restores[FIELD_BUCKET].paused);
    came_of(&l, ACTION_RESTORE, RESULT_CONFIRMED, 0);
    assert_false(l.state.incident.open);
}

static void a_clock_that_is_set_back_does_not_pause_for_long(void **unused) {
    Life l = life(MODE_RESTORE, true);

    (void)unused;
    l.policy.max_restores_per_hour = 1;
    WELL();
    CHANGED(BUCKET);
    came_of(&l, ACTION_RESTORE, RESULT_CONFIRMED, 0);
    l.now.real_usec -= 100 * HOUR;
    CHANGED(BUCKET);
    assert_int_equal(l.plan.action, ACTION_NONE);
    pass_time(&l, HOUR);
    wake(&l);
    assert_int_equal(l.plan.action, ACTION_RESTORE);
}

/* ---- each field, and the trail itself, for itself ---- */

/* A topic that is gone cannot be restored, for hours. */
static void fail_topic_until_it_waits_long(Life *l) {
    check_settings(l, logging(STARTED, 0), TOPIC, evil);
    for (unsigned i = 0; i < 40; i++) {
        assert_int_equal(l->plan.action, ACTION_RESTORE);
        assert_int_equal(l->plan.fields, TOPIC);
        came_of(l, ACTION_RESTORE, RESULT_FAILED, TOPIC);
        while (l->plan.action == ACTION_NONE)
            wait_for_wake(l, HOUR);
    }
    came_of(l, ACTION_RESTORE, RESULT_FAILED, TOPIC);
    assert_int_equal(l->state.restores[FIELD_SNS_TOPIC].n_confirmed, 0);
}

static void what_cannot_be_restored_keeps_no_other_field_waiting(void **unused) {
    Life l = life(MODE_RESTORE, true);

    (void)unused;
    WELL();
    fail_topic_until_it_waits_long(&l);
    CHANGED(TOPIC | BUCKET);
    assert_int_equal(l.plan.action, ACTION_RESTORE);
    assert_int_equal(l.plan.fields, BUCKET);
    came_of(&l, ACTION_RESTORE, RESULT_CONFIRMED, TOPIC);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].fields_left, TOPIC);
    assert_false(l.plan.events[0].restores_paused);
    assert_int_equal(l.state.restores[FIELD_BUCKET].n_confirmed, 1);
}

static void what_cannot_be_restored_keeps_no_trail_from_being_created(void **unused) {
    Life l = life(MODE_RESTORE, true);

    (void)unused;
    l.policy.restore = RESTORE_ALL;
    WELL();
    fail_topic_until_it_waits_long(&l);
    result(&l, absent());
    assert_int_equal(l.plan.action, ACTION_RECREATE);
    came_of(&l, ACTION_RECREATE, RESULT_CONFIRMED, 0);
    /* ... and a fight over the bucket does neither */
    for (unsigned i = 0; i < 31; i++) {
        CHANGED(BUCKET);
        assert_int_equal(l.plan.action, i < 30 ? ACTION_RESTORE : ACTION_NONE);
        if (i < 30)
            came_of(&l, ACTION_RESTORE, RESULT_CONFIRMED, 0);
    }
    result(&l, absent());
    assert_int_equal(l.plan.action, ACTION_RECREATE);
}

/* AWS does not always say which of the settings it will not take. */
static void what_failed_together_is_tried_one_by_one(void **unused) {
    Life l = life(MODE_RESTORE, true);
    uint32_t seen = 0, all = TOPIC | BUCKET | FIELD_BIT(FIELD_VALIDATION);

    (void)unused;
    WELL();
    CHANGED(all);
    assert_int_equal(l.plan.fields, all);
    came_of(&l, ACTION_RESTORE, RESULT_FAILED, FIELDS_ALL);
    wait_for_wake(&l, HOUR);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(l.plan.action, ACTION_RESTORE);
        assert_int_equal(l.plan.fields & (l.plan.fields - 1), 0);
        assert_int_equal(l.plan.fields & seen, 0);
        seen |= l.plan.fields;
        if (l.plan.fields == TOPIC)
            came_of(&l, ACTION_RESTORE, RESULT_FAILED, l.state.fields);
        else
            came_of(&l, ACTION_RESTORE, RESULT_CONFIRMED, l.state.fields & ~l.plan.fields);
    }
    assert_int_equal(l.state.fields, TOPIC);
    assert_int_equal(l.plan.action, ACTION_NONE);
}

static void a_restore_under_way_gives_way_to_logging_and_to_the_trail(void **unused) {
    Life l = life(MODE_RESTORE, true);

    (void)unused;
    l.policy.restore = RESTORE_ALL;
    WELL();
    CHANGED(BUCKET);
    assert_false(l.plan.abandon);
    result(&l, stopped(STARTED, STOP_NOW));
    assert_int_equal(l.plan.action, ACTION_RESTART);
    assert_true(l.plan.abandon);
    held(&l, l.now.real_usec, STOP_NOW);
    assert_int_equal(l.plan.action, ACTION_RESTORE);
    assert_int_equal(l.plan.fields, BUCKET);
    assert_false(l.plan.abandon);
    result(&l, absent());
    assert_int_equal(l.plan.action, ACTION_RECREATE);
    assert_true(l.plan.abandon);
    result(&l, absent());
    assert_int_equal(l.plan.action, ACTION_NONE);
}

/* ---- maintenance ---- */

static void maintenance_leaves_settings_and_ends_by_itself(void **unused) {
    Life l = life(MODE_RESTORE, true);

    (void)unused;
    WELL();
    l.facts.maintenance = true;
    CHANGED(BUCKET);
    assert_int_equal(l.plan.events[0].severity, SEVERITY_INFO);
    assert_true(l.plan.events[0].maintenance);
    assert_true(l.plan.entries[0].maintenance);
    result(&l, stopped(STARTED, l.now.real_usec)); /* not part of it */
    assert_int_equal(l.plan.action, ACTION_RESTART);
    held(&l, l.now.real_usec, l.now.real_usec - SEC);
    assert_int_equal(l.plan.action, ACTION_NONE);
    l.facts.maintenance = false;
    pass_time(&l, 60 * SEC);
    result(&l, logging(l.state.start_usec, l.state.stop_usec));
    assert_int_equal(l.plan.action, ACTION_RESTORE);
    assert_true(l.plan.hold);
    came_of(&l, ACTION_RESTORE, RESULT_CONFIRMED, 0);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].severity, SEVERITY_CRITICAL);
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_WEAKENED);
    assert_true(l.plan.events[0].resolves);
}

static void what_maintenance_leaves_is_told_at_its_end_in_any_mode(void **unused) {
    Life l = life(MODE_OBSERVE, true);

    (void)unused;
    WELL();
    l.facts.maintenance = true;
    CHANGED(BUCKET);
    pass_time(&l, HOUR);
    wake(&l);
    assert_int_equal(l.plan.events[0].kind, EVENT_INCIDENT_REMINDER);
    assert_int_equal(l.plan.events[0].severity, SEVERITY_INFO);
    l.facts.maintenance = false;
    wake(&l);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].severity, SEVERITY_CRITICAL);
    wake(&l);
    assert_int_equal(l.plan.n_events, 0);
}

/* The trail's deliveries fail since the begin, its settings differ since an hour later, it is stopped since
 * one more. */
static void a_reminder_counts_from_what_it_is_about(void **unused) {
    Life l = life(MODE_OBSERVE, true);
    Observation failing = logging(STARTED, 0), off;
    uint64_t began, changed;

    (void)unused;
    WELL();
    (void)strcpy(failing.delivery_error, "AccessDenied");
    result(&l, failing);
    began = l.now.real_usec;
    pass_time(&l, HOUR);
    wake(&l);
    assert_int_equal(l.plan.events[0].kind, EVENT_INCIDENT_REMINDER);
    assert_int_equal(l.plan.events[0].since_usec, began);

    pass_time(&l, 1800 * SEC);
    check_settings(&l, failing, BUCKET, evil);
    changed = l.now.real_usec;
    pass_time(&l, HOUR);
    wake(&l);
    assert_int_equal(l.plan.events[0].kind, EVENT_INCIDENT_REMINDER);
    assert_int_equal(l.plan.events[0].since_usec, changed);

    off = failing;
    off.is_logging = false;
    off.stop_usec = l.now.real_usec - 60 * SEC;
    result(&l, off);
    pass_time(&l, HOUR);
    wake(&l);
    assert_int_equal(l.plan.events[0].kind, EVENT_INCIDENT_REMINDER);
    assert_int_equal(l.plan.events[0].since_usec, off.stop_usec);

    /* it logs again: what is left is what lasted longest */
    check_settings(&l, failing, 0, evil);
    pass_time(&l, HOUR);
    wake(&l);
    assert_int_equal(l.plan.events[0].kind, EVENT_INCIDENT_REMINDER);
    assert_int_equal(l.plan.events[0].since_usec, began);
}

/* Mode restore writes settings, and tags only of a trail that it creates. */
static void what_others_put_back_is_not_ours(void **unused) {
    Life l = life(MODE_RESTORE, true);

    (void)unused;
    l.policy.restore = RESTORE_BIT(RESTORE_SETTINGS);
    WELL();
    CHANGED(BUCKET | TAGS);
    came_of(&l, ACTION_RESTORE, RESULT_CONFIRMED, TAGS);
    pass_time(&l, 60 * SEC);
    WELL();
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_RESOLVED);
    assert_int_equal(l.plan.events[0].fields_others, TAGS);
}

static void a_named_trail_that_never_was_there_is_not_gone(void **unused) {
    Life l = life(MODE_OBSERVE, true);

    (void)unused;
    result(&l, absent());
    pass_time(&l, HOUR);
    wake(&l);
    assert_int_equal(l.plan.events[0].kind, EVENT_INCIDENT_REMINDER);
    assert_true(l.plan.events[0].never_seen);
}

static void what_could_be_read_again_was_polled_all_along(void **unused) {
    Life l = life(MODE_OBSERVE, true);
    Observation seen = logging(STARTED, 0);

    (void)unused;
    WELL();
    (void)strcpy(seen.unreadable[UNREADABLE_TAGS], "AccessDenied");
    result(&l, seen);
    WELL();
    assert_int_equal(l.plan.events[0].kind, EVENT_TARGET_REACHABLE);
    assert_int_equal(l.plan.events[0].about, FINDING_BIT(FINDING_TAGS_UNREADABLE));
}

static void a_stop_that_maintenance_allows_waits_for_its_end(void **unused) {
    Life l = life(MODE_RESTART, true);

    (void)unused;
    WELL();
    l.facts.maintenance = l.facts.stop_allowed = true;
    result(&l, stopped(STARTED, STOP_NOW));
    assert_int_equal(l.plan.action, ACTION_NONE);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].severity, SEVERITY_INFO);
    assert_int_equal(l.plan.entries[0].line, LINE_STOPPED_LEFT);
    l.facts.maintenance = false; /* stop_allowed means nothing without it */
    result(&l, stopped(STARTED, STOP_NOW));
    assert_int_equal(l.plan.action, ACTION_RESTART);
    held(&l, EPOCH, STOP_NOW);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].severity, SEVERITY_CRITICAL);
    assert_true(l.plan.events[0].resolves);
}

static void nothing_is_recreated_in_maintenance(void **unused) {
    Life l = life(MODE_RESTORE, true);

    (void)unused;
    l.policy.restore = RESTORE_ALL;
    WELL();
    l.facts.maintenance = true;
    result(&l, absent());
    assert_int_equal(l.plan.action, ACTION_NONE);
    assert_int_equal(l.plan.events[0].severity, SEVERITY_INFO);
}

/* ---- deletion ---- */

static void deleted_and_recreated_by_us(void **unused) {
    Life l = life(MODE_RESTORE, true);
    const Event *t = &l.plan.events[0];

    (void)unused;
    l.policy.restore = RESTORE_ALL;
    WELL();
    result(&l, absent());
    assert_int_equal(l.plan.action, ACTION_RECREATE);
    assert_true(l.plan.hold);
    assert_int_equal(l.state.verdict, VERDICT_MISSING);
    pass_time(&l, 3 * SEC);
    came_of(&l, ACTION_RECREATE, RESULT_CONFIRMED, 0);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(t->kind, EVENT_TRAIL_MISSING);
    assert_int_equal(t->action.taken, ACTION_RECREATE);
    assert_int_equal(t->action.result, RESULT_CONFIRMED);
    assert_true(t->resolves);
    assert_int_equal(l.state.verdict, VERDICT_LOGGING);
    result(&l, logging(l.state.start_usec, 0));
    assert_int_equal(l.plan.n_events + l.plan.n_entries, 0);
}

static void recreation_that_is_refused_is_told_and_tried_again(void **unused) {
    Life l = life(MODE_RESTORE, true);

    (void)unused;
    l.policy.restore = RESTORE_ALL;
    WELL();
    result(&l, absent());
    came_of(&l, ACTION_RECREATE, RESULT_FAILED, 0);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].action.result, RESULT_FAILED);
    assert_string_equal(l.plan.events[0].detail, "AccessDenied");
    wait_for_wake(&l, HOUR);
    assert_int_equal(l.plan.action, ACTION_RECREATE);
    came_of(&l, ACTION_RECREATE, RESULT_CONFIRMED, INSIGHTS);
    assert_int_equal(l.plan.n_events, 0); /* something is left */
    assert_int_equal(l.state.verdict, VERDICT_WEAKENED);
    assert_int_equal(l.plan.action, ACTION_RESTORE);
    came_of(&l, ACTION_RESTORE, RESULT_CONFIRMED, 0);
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_RESOLVED);
}

static void recreation_must_be_named_and_needs_a_past(void **unused) {
    Life l = life(MODE_RESTORE, true);

    (void)unused;
    WELL();
    result(&l, absent());
    assert_int_equal(l.plan.action, ACTION_NONE);
    assert_int_equal(l.plan.n_events, 1);
    assert_false(l.plan.events[0].may_act);
    l = life(MODE_RESTORE, true);
    l.policy.restore = RESTORE_ALL;
    result(&l, absent());
    assert_int_equal(l.plan.action, ACTION_NONE);
}

/* Until it is accepted a trail that appeared may be an attacker's: only its logging is kept up. */
static void a_trail_that_nobody_accepted_is_started_and_never_put_back(void **unused) {
    (void)unused;
    for (unsigned provisional = 0; provisional < 2; provisional++) {
        Life l = life(MODE_RESTORE, true);

        l.policy.restore = RESTORE_ALL;
        l.state.provisional = provisional;
        result(&l, logging(STARTED, 0));
        result(&l, stopped(STARTED, STOP_NOW));
        assert_int_equal(l.plan.action, ACTION_RESTART);
        held(&l, EPOCH, STOP_NOW);
        check_settings(&l, logging(EPOCH, STOP_NOW), BUCKET, evil);
        assert_int_equal(l.plan.action, provisional ? ACTION_NONE : ACTION_RESTORE);
        assert_int_equal(l.plan.entries[0].line,
                         LINE_CHANGED); /* there is no baseline before it is accepted */
        assert_string_equal(l.plan.entries[0].detail, provisional ? "the settings it was found with" : "");
        if (!provisional)
            came_of(&l, ACTION_RESTORE, RESULT_CONFIRMED, 0);
        result(&l, absent());
        assert_int_equal(l.plan.action, provisional ? ACTION_NONE : ACTION_RECREATE);
    }
}

/* Forty trails that come and go are one message, made elsewhere; what was accepted, or has an incident
 * already, has each of its own. Logging is kept up in any case. */
static void trails_that_nobody_accepted_are_summed_up(void **unused) {
    static const struct {
        bool provisional, summed_up, had_incident, summed;
    } rows[] = {
        { true, true, false, true },
        { false, true, false, false },
        { true, false, false, false },
        { true, true, true, false },
    };

    (void)unused;
    for (size_t c = 0; c < ARRAY_SIZE(rows); c++) {
        Life l = life(MODE_RESTART, true);
        unsigned n_events;

        l.policy.attribution = true;
        result(&l, logging(STARTED, 0));
        if (rows[c].had_incident) {
            result(&l, stopped(STARTED, STOP_NOW - 60 * SEC));
            held(&l, STOP_NOW - 50 * SEC, STOP_NOW - 60 * SEC);
        }
        l.state.provisional = rows[c].provisional;
        l.facts.summed_up = rows[c].summed_up;
        n_events = l.n_events;
        result(&l, stopped(STARTED, STOP_NOW));
        assert_int_equal(l.plan.action, ACTION_RESTART);
        assert_int_equal(l.plan.summed_up, rows[c].summed);
        assert_true(l.plan.n_entries > 0); /* the journal has it */
        held(&l, EPOCH, STOP_NOW);
        assert_int_equal(l.n_events == n_events, rows[c].summed);
        n_events = l.n_events;
        result(&l, absent());
        assert_int_equal(l.plan.summed_up, rows[c].summed);
        assert_int_equal(l.state.attributing.wanted, !rows[c].summed);
        assert_true(l.state.findings & FINDING_BIT(FINDING_MISSING));
        assert_int_equal(l.n_events == n_events, rows[c].summed);
        n_events = l.n_events;
        if (rows[c].summed) { /* and no reminder either */
            l.facts.summed_up = false;
            pass_time(&l, 24 * HOUR);
            wake(&l);
            assert_int_equal(l.n_events, n_events);
        }
    }
}

/* At once where it is known whose the bucket is, else after five seconds. */
static void a_new_trail_is_told_once_with_its_destination(void **unused) {
    static const Severity severities[_DESTINATION_MAX] = {
        [DESTINATION_UNKNOWN] = SEVERITY_WARNING,
        [DESTINATION_FOREIGN] = SEVERITY_WARNING,
        [DESTINATION_GUARDED] = SEVERITY_INFO,
        [DESTINATION_USED] = SEVERITY_INFO,
    };

    (void)unused;
    for (Destination to = 0; to < _DESTINATION_MAX; to++) {
        Life l = life(MODE_RESTORE, true);

        l.policy.trust_new = to == DESTINATION_USED ? TRUST_WATCH : TRUST_ASK;
        l.state.provisional = true;
        result(&l, logging(STARTED, 0));
        assert_int_equal(l.plan.n_events, 0);
        assert_true(l.plan.hold); /* a crash now must not let it be known already */
        l.facts.destination = to;
        if (to == DESTINATION_UNKNOWN)
            wait_for_wake(&l, HOUR);
        else
            check_settings(&l, logging(STARTED, 0), 0, evil);
        assert_int_equal(l.plan.n_events, 1);
        assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_APPEARED);
        assert_int_equal(l.plan.events[0].severity, severities[to]);
        assert_int_equal(l.plan.events[0].standing, to);
        assert_int_equal(l.plan.events[0].asked, to != DESTINATION_USED);
        assert_true(l.plan.events[0].resolves);
        assert_int_equal(l.state.verdict, VERDICT_LOGGING);
        assert_false(l.state.incident.open);
        result(&l, logging(STARTED, 0));
        assert_int_equal(l.plan.n_events, 0);
    }
}

/* Of one that came and went both are told, and no more is expected of it. */
static void a_new_trail_that_is_gone_is_done_with(void **unused) {
    Life l = life(MODE_RESTORE, true);

    (void)unused;
    l.policy.restore = RESTORE_ALL;
    l.policy.attribution = true;
    l.state.provisional = true;
    result(&l, absent());
    assert_int_equal(l.plan.n_events, 2);
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_APPEARED);
    assert_int_equal(l.plan.events[1].kind, EVENT_TRAIL_MISSING);
    assert_int_equal(l.plan.events[1].severity, SEVERITY_WARNING);
    assert_true(l.plan.events[1].provisional && !l.plan.events[1].first_sight);
    assert_false(guard_is_done_with(&l.state)); /* who did it is searched */
    l.state.attributing.wanted = false;
    assert_true(guard_is_done_with(&l.state));
    l.state.provisional = false;
    assert_false(guard_is_done_with(&l.state));
}

/* What its owner turned on is said once, and is neither trouble nor undone. */
static void what_is_strengthened_stays(void **unused) {
    Drift drift = drift_of(FIELD_BIT(FIELD_VALIDATION), evil);
    Life l = life(MODE_RESTORE, true);
    Observation seen = logging(STARTED, 0);

    (void)unused;
    drift.changes[0].strengthens = true;
    result(&l, seen);
    for (unsigned i = 0; i < 2; i++) {
        decide(&l, (TrailInput){ .kind = GUARD_POLLED, .seen = &seen, .drift = &drift });
        assert_int_equal(l.plan.n_events, i == 0);
        assert_int_equal(l.plan.action, ACTION_NONE);
        assert_int_equal(l.state.verdict, VERDICT_LOGGING);
        assert_int_equal(l.state.fields, 0);
        assert_false(l.state.incident.open);
        if (i == 0) {
            assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_STRENGTHENED);
            assert_int_equal(l.plan.events[0].severity, SEVERITY_INFO);
            assert_int_equal(l.plan.events[0].fields, FIELD_BIT(FIELD_VALIDATION));
        }
    }
    /* what is taken away beside it is put back alone */
    drift = drift_of(BUCKET | FIELD_BIT(FIELD_VALIDATION), evil);
    drift.changes[1].strengthens = true;
    decide(&l, (TrailInput){ .kind = GUARD_POLLED, .seen = &seen, .drift = &drift });
    assert_int_equal(l.plan.action, ACTION_RESTORE);
    assert_int_equal(l.plan.fields, BUCKET);
    assert_int_equal(l.state.stronger_fields, FIELD_BIT(FIELD_VALIDATION));
}

/* Turned on and off as often as the settings are polled: one message an hour, for each field. */
static void what_is_strengthened_again_and_again_floods_nobody(void **unused) {
    const Drift none = { 0 };
    Drift drift = drift_of(FIELD_BIT(FIELD_VALIDATION), evil);
    Life l = life(MODE_RESTORE, true);
    Observation seen = logging(STARTED, 0);
    unsigned n_events = 0;

    (void)unused;
    drift.changes[0].strengthens = true;
    result(&l, seen);
    for (unsigned i = 0; i < 180; i++) { /* three hours */
        l.now.real_usec += 60 * USEC_PER_SEC;
        l.now.mono_usec += 60 * USEC_PER_SEC;
        decide(&l, (TrailInput){ .kind = GUARD_POLLED, .seen = &seen, .drift = i % 2 ? &none : &drift });
        n_events += l.plan.n_events;
    }
    assert_between(n_events, 2, 3);
    /* another field is another thing */
    drift = drift_of(FIELD_BIT(FIELD_MULTI_REGION), evil);
    drift.changes[0].strengthens = true;
    decide(&l, (TrailInput){ .kind = GUARD_POLLED, .seen = &seen, .drift = &drift });
    assert_int_equal(l.plan.n_events, 1);
}

/* That a trail records more is news of its own, also where its trouble is summed up with that of others. */
static void what_is_strengthened_is_not_summed_up(void **unused) {
    Drift drift = drift_of(FIELD_BIT(FIELD_VALIDATION), evil);
    Life l = life(MODE_RESTART, true);
    Observation seen = stopped(STARTED, STOP_NOW);

    (void)unused;
    drift.changes[0].strengthens = true;
    result(&l, logging(STARTED, 0));
    l.state.provisional = l.facts.summed_up = true;
    decide(&l, (TrailInput){ .kind = GUARD_POLLED, .seen = &seen, .drift = &drift });
    assert_true(l.plan.summed_up);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_STRENGTHENED);
}

static void a_recreated_trail_that_does_not_log_is_started(void **unused) {
    Life l = life(MODE_RESTORE, true);
    Outcome outcome = { .action = ACTION_RECREATE, .result = RESULT_CONFIRMED, .seen = stopped(0, 0) };

    (void)unused;
    l.policy.restore = RESTORE_ALL;
    WELL();
    result(&l, absent());
    decide(&l, (TrailInput){ .kind = GUARD_ACTED, .outcome = &outcome });
    assert_int_equal(l.plan.action, ACTION_RESTART);
    assert_int_equal(l.plan.n_events, 1);
    assert_false(l.plan.events[0].resolves);
    held(&l, EPOCH, 0);
    assert_false(l.state.incident.open);
}

/* Deleted and created anew between two looks. */
static void recreated_between_two_polls(void **unused) {
    static const struct {
        uint64_t start, stop, delivery; /* before */
        Observation seen;               /* after; status is_logging */
        bool recreated, interrupted;
    } rows[] = {
#define NOW_IS(log, start_, stop_, delivery_)                                                               \
    { .is_logging = log, .start_usec = start_, .stop_usec = stop_, .delivery_usec = delivery_ }
        { STARTED, STARTED - SEC, 0, NOW_IS(true, STOP_NOW, 0, 0), true, false },
        { STARTED, STARTED - SEC, 0, NOW_IS(false, 0, 0, 0), true, false },
        { STARTED, 0, STARTED + SEC, NOW_IS(true, STOP_NOW, 0, 0), true, false },
        { STARTED, 0, STARTED + SEC, NOW_IS(true, STOP_NOW + SEC, STOP_NOW, 0), true, false },
        { STARTED, 0, STARTED + SEC, NOW_IS(true, STOP_NOW + SEC, STOP_NOW, STARTED + SEC), false, true },
        { STARTED, 0, STARTED + SEC, NOW_IS(true, STARTED, 0, 0), false, false },           /* a replica */
        { STARTED, STARTED - SEC, 0, NOW_IS(true, STARTED - 2 * SEC, 0, 0), false, false }, /* one too */
        { STARTED, 0, 0, NOW_IS(true, STOP_NOW, 0, 0), false, false }, /* StartLogging on a logging trail */
        { STARTED, 0, STARTED + SEC, NOW_IS(true, 0, STOP_NOW, 0), false, true }, /* of a stand-in for AWS */
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Life l = life(MODE_RESTORE, true);
        Observation seen = logging(rows[i].start, rows[i].stop);
        const Event *t = &l.plan.events[0];

        print_message("row %zu\n", i);
        seen.delivery_usec = rows[i].delivery;
        result(&l, seen);
        result(&l, rows[i].seen);
        if (!rows[i].recreated) {
            assert_int_equal(l.plan.n_events, rows[i].interrupted);
            continue;
        }
        assert_int_equal(l.plan.n_events, 1);
        assert_int_equal(t->kind, EVENT_TRAIL_REPLACED);
        assert_int_equal(t->severity, SEVERITY_CRITICAL);
        assert_int_equal(t->about, FINDING_BIT(FINDING_REPLACED));
        assert_int_equal(t->resolves, rows[i].seen.is_logging);
        assert_int_equal(l.state.incident.open, !rows[i].seen.is_logging);
        assert_int_equal(l.plan.action, rows[i].seen.is_logging ? ACTION_NONE : ACTION_RESTART);
        assert_int_equal(l.state.verdict, rows[i].seen.is_logging ? VERDICT_INTERRUPTED : VERDICT_STOPPED);
    }
}

/* Started by someone else; when it was stopped is shown no more, as some stand-ins for AWS have it. */
static void started_and_the_stop_is_not_shown_any_more(void **unused) {
    static const struct {
        uint64_t delivery, delivery_then;
        bool recreated;
    } rows[] = { { 0, 0, false },
                 { STARTED + SEC, STARTED + SEC, false },
                 { STARTED + SEC, STOP_NOW + 2 * SEC, false },
                 { STARTED + SEC, 0, true } };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Life l = life(MODE_OBSERVE, true);
        Observation seen = stopped(STARTED, STOP_NOW);

        print_message("row %zu\n", i);
        result(&l, logging(STARTED, 0));
        seen.delivery_usec = rows[i].delivery;
        result(&l, seen);
        seen = logging(STOP_NOW + SEC, 0);
        seen.delivery_usec = rows[i].delivery_then;
        result(&l, seen);
        assert_int_equal(l.plan.n_events, 1);
        assert_int_equal(l.plan.events[0].kind == EVENT_TRAIL_REPLACED, rows[i].recreated);
        assert_true(rows[i].recreated || l.plan.events[0].kind == EVENT_TRAIL_RESOLVED);
    }
}

/* ---- identities ---- */

static void two_guards_agree_and_two_episodes_differ(void **unused) {
    Life a = life(MODE_OBSERVE, true), b = life(MODE_OBSERVE, true);
    uint64_t marks[4];

    (void)unused;
    a.now.real_usec = b.now.real_usec = EPOCH / HOUR * HOUR + 60 * SEC;
    check_settings(&a, logging(STARTED, 0), 0, evil);
    check_settings(&b, logging(STARTED, 0), 0, evil);
    pass_time(&b, 40 * SEC); /* looks at settings at other times */
    for (unsigned i = 0; i < ARRAY_SIZE(marks); i++) {
        check_settings(&a, logging(STARTED, 0), BUCKET | TAGS, evil);
        check_settings(&b, logging(STARTED, 0), BUCKET | TAGS, evil);
        assert_int_equal(a.plan.n_events, 1);
        assert_int_equal(b.plan.n_events, 1);
        marks[i] = a.plan.events[0].dedup_usec;
        assert_true(marks[i] == b.plan.events[0].dedup_usec && marks[i] <= INT64_MAX);
        assert_true(a.plan.events[0].incident_dedup_usec == b.plan.events[0].incident_dedup_usec);
        for (unsigned k = 0; k < i; k++)
            assert_true(marks[i] != marks[k]);
        check_settings(&a, logging(STARTED, 0), 0, evil);
        check_settings(&b, logging(STARTED, 0), 0, evil);
        pass_time(&a, GUARD_REOPEN_USEC + SEC);
        pass_time(&b, GUARD_REOPEN_USEC + SEC);
    }
    check_settings(&a, logging(STARTED, 0), BUCKET | TAGS, evil);
    check_settings(&b, logging(STARTED, 0), BUCKET | TAGS, worse);
    assert_true(a.plan.events[0].dedup_usec != b.plan.events[0].dedup_usec);
}

/* One polls between a deletion and the creation that follows, the other only after both, up to some seconds
 * later by its own clock, over a full hour too. */
static void a_deletion_is_one_fact_to_whoever_polls_it_when(void **unused) {
    static const struct {
        uint64_t start, other_start; /* of the trail before, as each guard has polled it */
        uint64_t apart;
        unsigned before; /* deletions that both have gone through */
        bool same;
    } rows[] = {
        { STARTED, STARTED, 0, 0, true },
        { STARTED, STARTED, 3 * SEC, 0, true },
        { STARTED, STARTED, 3 * SEC, 2, true },
        { STARTED, STARTED, HOUR, 0, true },
        { STARTED, STARTED + SEC, 0, 0, false }, /* another trail of the same name */
        { 0, 0, 0, 0, true },                    /* never started: the hour tells one from the next */
        { 0, 0, HOUR, 0, false },
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Life a = life(MODE_OBSERVE, true), b = life(MODE_OBSERVE, true);
        uint64_t last = 0;

        print_message("row %zu\n", i);
        a.now.real_usec = EPOCH / HOUR * HOUR + HOUR - 2 * SEC;
        b.now.real_usec = a.now.real_usec + rows[i].apart;
        for (unsigned k = 0; k <= rows[i].before; k++) {
            uint64_t later = k * 90 * SEC;
            Observation old = logging(rows[i].start ? rows[i].start + later : 0, 0);
            Observation again = logging(STOP_NOW + later, 0);

            old.delivery_usec = STARTED + SEC;
            if (k > 0) { /* its times are older than those of the one before: not at once, as a replica's */
                pass_time(&a, 90 * SEC);
                pass_time(&b, 90 * SEC);
            }
            result(&a, old);
            old.start_usec = rows[i].other_start ? rows[i].other_start + later : 0;
            result(&b, old);
            result(&a, absent());
            result(&b, again);
            assert_int_equal(a.plan.n_events, 1);
            assert_int_equal(b.plan.n_events, 1);
            assert_int_equal(a.plan.events[0].kind, EVENT_TRAIL_MISSING);
            assert_int_equal(b.plan.events[0].kind, EVENT_TRAIL_REPLACED);
            assert_int_equal(a.plan.events[0].dedup_usec == b.plan.events[0].dedup_usec, rows[i].same);
            assert_int_equal(a.plan.events[0].incident_dedup_usec == b.plan.events[0].incident_dedup_usec,
                             rows[i].same);
            assert_true(a.plan.events[0].dedup_usec != last && a.plan.events[0].dedup_usec <= INT64_MAX);
            last = a.plan.events[0].dedup_usec;
            result(&a, again);
        }
        /* what is gone, there again as it was, and gone again was deleted twice */
        pass_time(&a, GUARD_REOPEN_USEC + SEC);
        result(&a, absent());
        last = a.plan.events[0].dedup_usec;
        result(&a, logging(a.state.start_usec, 0));
        pass_time(&a, GUARD_REOPEN_USEC + SEC);
        result(&a, absent());
        assert_int_equal(a.plan.n_events, 1);
        assert_int_equal(a.plan.events[0].kind, EVENT_TRAIL_MISSING);
        assert_true(a.plan.events[0].dedup_usec != last);
    }
}

/* What a window of maintenance made less of is told again when it is over, on both sides of a full hour. */
static void trouble_that_grows_is_one_fact_to_two_guards(void **unused) {
    Life lives[] = { life(MODE_OBSERVE, true), life(MODE_OBSERVE, true) };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(lives); i++) {
        Life *l = &lives[i];

        l->now.real_usec = EPOCH / HOUR * HOUR + HOUR - 2 * SEC + i * 3 * SEC;
        result(l, logging(STARTED, 0));
        l->facts.maintenance = true;
        result(l, stopped(STARTED, STOP_NOW));
        assert_int_equal(l->plan.n_events, 1);
        assert_true(l->plan.events[0].dedup_usec == STOP_NOW);
        l->facts.maintenance = false;
        wake(l);
        assert_int_equal(l->plan.n_events, 1);
        assert_int_equal(l->plan.events[0].severity, SEVERITY_CRITICAL);
        assert_true(l->plan.events[0].dedup_usec != STOP_NOW);
    }
    assert_true(lives[0].plan.events[0].dedup_usec == lives[1].plan.events[0].dedup_usec);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case),
        cmocka_unit_test(failing_in_every_way_is_one_message),
        cmocka_unit_test(each_check_of_bucket_and_key_is_told),
        cmocka_unit_test(a_restart_does_not_mend_the_bucket),
        cmocka_unit_test(stale_deliveries),
        cmocka_unit_test(restore_that_holds_is_one_message),
        cmocka_unit_test(slow_restore_is_told_after_five_seconds_and_again_when_it_holds),
        cmocka_unit_test(recording_first_settings_at_once_after_it),
        cmocka_unit_test(failing_restore_backs_off_but_never_keeps_a_restart_waiting),
        cmocka_unit_test(settings_are_restored_while_a_restart_backs_off),
        cmocka_unit_test(held_but_still_different_is_a_failure),
        cmocka_unit_test(a_restore_may_fail_in_part),
        cmocka_unit_test(what_may_be_gone_is_forgotten),
        cmocka_unit_test(put_back_by_others_resolves),
        cmocka_unit_test(what_people_agreed_to_is_no_deed),
        cmocka_unit_test(a_trail_that_never_met_a_pin_is_said_to_be_so),
        cmocka_unit_test(what_was_accepted_in_part_was_ended_by_nobody_else),
        cmocka_unit_test(further_changes_are_told),
        cmocka_unit_test(another_value_is_news_whatever_else_is_put_back),
        cmocka_unit_test(changes_are_seen_though_the_status_is_not),
        cmocka_unit_test(a_settings_check_is_no_poll_of_the_status),
        cmocka_unit_test(a_war_over_settings_is_capped_and_told_seldom),
        cmocka_unit_test(past_the_ceiling_logging_is_still_restarted),
        cmocka_unit_test(a_clock_that_is_set_back_does_not_pause_for_long),
        cmocka_unit_test(what_cannot_be_restored_keeps_no_other_field_waiting),
        cmocka_unit_test(what_cannot_be_restored_keeps_no_trail_from_being_created),
        cmocka_unit_test(what_failed_together_is_tried_one_by_one),
        cmocka_unit_test(a_restore_under_way_gives_way_to_logging_and_to_the_trail),
        cmocka_unit_test(maintenance_leaves_settings_and_ends_by_itself),
        cmocka_unit_test(a_reminder_counts_from_what_it_is_about),
        cmocka_unit_test(what_others_put_back_is_not_ours),
        cmocka_unit_test(a_named_trail_that_never_was_there_is_not_gone),
        cmocka_unit_test(what_could_be_read_again_was_polled_all_along),
        cmocka_unit_test(what_maintenance_leaves_is_told_at_its_end_in_any_mode),
        cmocka_unit_test(a_stop_that_maintenance_allows_waits_for_its_end),
        cmocka_unit_test(nothing_is_recreated_in_maintenance),
        cmocka_unit_test(deleted_and_recreated_by_us),
        cmocka_unit_test(recreation_that_is_refused_is_told_and_tried_again),
        cmocka_unit_test(recreation_must_be_named_and_needs_a_past),
        cmocka_unit_test(a_trail_that_nobody_accepted_is_started_and_never_put_back),
        cmocka_unit_test(trails_that_nobody_accepted_are_summed_up),
        cmocka_unit_test(a_new_trail_is_told_once_with_its_destination),
        cmocka_unit_test(a_new_trail_that_is_gone_is_done_with),
        cmocka_unit_test(what_is_strengthened_stays),
        cmocka_unit_test(what_is_strengthened_again_and_again_floods_nobody),
        cmocka_unit_test(what_is_strengthened_is_not_summed_up),
        cmocka_unit_test(a_recreated_trail_that_does_not_log_is_started),
        cmocka_unit_test(recreated_between_two_polls),
        cmocka_unit_test(started_and_the_stop_is_not_shown_any_more),
        cmocka_unit_test(two_guards_agree_and_two_episodes_differ),
        cmocka_unit_test(a_deletion_is_one_fact_to_whoever_polls_it_when),
        cmocka_unit_test(trouble_that_grows_is_one_fact_to_two_guards),
    };

    return cmocka_run_group_tests_name("guard_tamper", tests, NULL, NULL);
}
