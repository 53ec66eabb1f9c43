/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A trail, a region and an account on a stage, for the golden texts: the real guard decides about them, so
 * that every message is one that can be sent. A story is a line of words such as "well stop held"; each word
 * changes the world and polls it, as the daemon would. Include it after cmocka.h. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/baseline.h"
#include "daemon/core/enum_names.h"
#include "daemon/core/events.h"
#include "daemon/core/guard.h"
#include "daemon/core/settings.h"
#include "daemon/io/report.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "tests/unit/golden_world.h"

#define SEC   USEC_PER_SEC
#define MIN_  (60 * SEC)
#define HOUR  (60 * MIN_)
#define START (1795427998ULL * SEC) /* 2026-11-23T09:59:58Z */
#define POLL  (10 * SEC)

typedef struct Stage Stage;
typedef void (*Told)(Stage *s, const Subject *subject, const Event *event);

struct Stage {
    Told reported;
    void *userdata;
    uint64_t logged[3]; /* events that the journal has lines of since the incident began, of trail, region
                           and account, a bit each */
    unsigned n_unlogged;
    bool named_only; /* the configuration names a trail that was never found */
    Policy policy;
    TrailFacts facts;
    Now now;
    /* the trail as it is */
    Observation world;
    Settings recorded, keep, actual;
    Expect expect;
    /* what the daemon knows */
    TrailState trail;
    TargetState region, account;
    Drift drift, changes;
    uint64_t changes_mark, changes_reopened;
    Action acting;
    uint32_t acting_fields;
    Drill drill;
    bool refusing; /* AWS refuses what is tried while time passes */
    bool searching;
    bool has_actor;
    Actor actor; /* of trail.attributed, as the daemon keeps it for the messages about a contest */
    const Containment *contain; /* what the daemon adds to it; NULL: nothing */
    bool left;   /* the organization */
    bool searching_for_account;
    Cause cause; /* that several regions and accounts have in common */
    uint64_t cause_began;
    uint64_t account_wake;
};

/* ---- settings ---- */

static void put(Settings *settings, Field field, const char *value) {
    assert_int_equal(settings_set(settings, field, value), 0);
}

static void copy(Settings *to, const Settings *from) {
    settings_done(to);
    assert_int_equal(settings_copy(from, to), 0);
}

static void choose_baseline(Stage *s) {
    settings_done(&s->keep);
    assert_int_equal(baseline_effective(&s->recorded, &s->expect, &s->keep), 0);
}

/* What differs from what is to be kept; which of it only a pin says. Returns the fields. */
static uint32_t compare(Stage *s) {
    Drift from_record = { 0 };
    uint32_t changed = 0, fields = 0;

    drift_done(&s->drift);
    assert_int_equal(baseline_compare(&s->keep, &s->actual, &s->drift), 0);
    assert_int_equal(baseline_compare(&s->recorded, &s->actual, &from_record), 0);
    for (unsigned i = 0; i < from_record.n; i++)
        changed |= FIELD_BIT(from_record.changes[i].field);
    for (unsigned i = 0; i < s->drift.n; i++) {
        s->drift.changes[i].as_recorded = !(changed & FIELD_BIT(s->drift.changes[i].field));
        s->drift.changes[i].strengthens &= !s->expect.pins.values[s->drift.changes[i].field];
        if (!s->drift.changes[i].strengthens)
            fields |= FIELD_BIT(s->drift.changes[i].field);
    }
    drift_done(&from_record);
    return fields;
}

/* As the daemon collects what an incident's messages show. */
static void note_changes(Stage *s) {
    const Incident *inc = &s->trail.incident;
    Drift changes = { 0 };

    if (s->changes_mark != inc->dedup_usec || s->changes_reopened != inc->reopened_usec)
        drift_done(&s->changes);
    s->changes_mark = inc->dedup_usec;
    s->changes_reopened = inc->reopened_usec;
    if (s->drift.n == 0 || !inc->open)
        return;
    assert_int_equal(drift_copy(&s->drift, &changes), 0);
    for (unsigned i = 0; i < s->changes.n; i++) {
        const Change *c = &s->changes.changes[i];

        (void)drift_add(&changes, c->field, c->loses_events, c->expected, c->actual);
    }
    drift_done(&s->changes);
    s->changes = changes;
}

/* ---- decisions ---- */

static const char *const whose_bucket[_DESTINATION_MAX] = {
    [DESTINATION_UNKNOWN] = "",
    [DESTINATION_FOREIGN] = "999988887777",
    [DESTINATION_GUARDED] = "444455556666",
    [DESTINATION_USED] = "audit",
};

/* The journal has a line of the same event: what a person finds by TRAILGUARD_EVENT is what the alert says.
 * A sum, a reminder and the end of what is no longer guarded follow lines of their own incident. */
static void check_logged(Stage *s, const Event *event, uint64_t logged) {
    bool follows = event->phase == PHASE_SUMMARY || event->phase == PHASE_REMINDER || event->forgotten;

    /* an incident of a trail may end with what was not its worst, or was not reported in a window */
    if (event->kind == EVENT_TRAIL_RESOLVED && (logged & (1ULL << EVENT_TARGET_REACHABLE)))
        return;
    if (event->kind == EVENT_TARGET_REACHABLE && event->maintenance &&
        (logged & (1ULL << EVENT_TRAIL_RESOLVED)))
        return;
    if (follows || (logged & (1ULL << event->kind)))
        return;
    if (s->n_unlogged++ == 0)
        print_error("no line of the journal has TRAILGUARD_EVENT=%s\n", event_to_string(event->kind));
}

static void publish(Stage *s, const Subject *subject, const Plan *plan) {
    assert_false(plan->overflowed);
    uint64_t *logged = &s->logged[subject == &account_subject ? 2 : subject == &region_subject ? 1 : 0];
    bool over = false;

    for (unsigned i = 0; i < plan->n_entries; i++) {
        EventKind kind;

        (void)event_line(plan->entries[i].line, &kind);
        if (kind < _EVENT_MAX)
            *logged |= 1ULL << kind;
        if (plan->entries[i].line != LINE_FIRST_SEEN)
            report_entry(subject, &plan->entries[i], "", s->now.real_usec);
    }
    for (unsigned i = 0; i < plan->n_events; i++) {
        Event event = plan->events[i];

        if (event.kind == EVENT_TRAIL_ATTRIBUTED && event.has_actor) {
            s->has_actor = true;
            s->actor = event.actor;
            event.contain = s->contain;
        } else if (event.kind == EVENT_TRAIL_CONTESTED && s->has_actor) {
            event.has_actor = true;
            event.actor = s->actor;
        }
        check_logged(s, &event, *logged);
        over = over || event.resolves || event.phase == PHASE_RESOLVED;
        s->reported(s, subject, &event);
    }
    *logged = over ? 0 : *logged;
}

static void decide(Stage *s, TrailInput input) {
    Policy policy = s->policy;
    Plan plan;

    policy.attribution = !s->named_only;
    s->facts.drill_tagged =
            s->facts.drill && input.drift && baseline_adds_tag(input.drift, s->drill.tag, s->drill.nonce);
    guard_trail(&policy, &s->facts, &s->trail, &input, s->now, &plan, &s->trail);
    note_changes(s);
    guard_complete_entries(&plan, &(const TrailExtras){ .drift = &s->drift });
    for (unsigned i = 0; i < plan.n_events; i++) {
        Event *event = &plan.events[i];

        if (event->fields != 0)
            event->changes = event->kind == EVENT_TRAIL_STRENGTHENED ? &s->drift : &s->changes;
        if (event->kind == EVENT_TRAIL_APPEARED) {
            event->delivers = &s->actual;
            (void)text_copy(event->detail, sizeof(event->detail), whose_bucket[event->standing]);
        }
    }
    if (plan.action != ACTION_NONE) {
        s->acting = plan.action;
        s->acting_fields = plan.fields;
    }
    s->searching = s->searching || plan.attribute;
    publish(s, s->named_only ? &never_found : &trail_subject, &plan);
}

static void pass_time(Stage *s, uint64_t usec) {
    s->now.real_usec += usec;
    s->now.mono_usec += usec;
}

static void wake(Stage *s) {
    decide(s, (TrailInput){ .kind = GUARD_TIME });
}

static uint64_t next_wake(const Stage *s) {
    TrailInput input = { .kind = GUARD_TIME };
    TrailState unused;
    Plan plan;

    guard_trail(&s->policy, &s->facts, &s->trail, &input, s->now, &plan, &unused);
    return plan.wake_mono_usec;
}

static void refuse(Stage *s);

/* Time passes, and the guard wakes when it asked for that. */
static void wait_for(Stage *s, uint64_t usec) {
    uint64_t until = s->now.mono_usec + usec, due;

    while ((due = next_wake(s)) != 0 && due < until) {
        pass_time(s, due > s->now.mono_usec ? due - s->now.mono_usec : 1);
        wake(s);
        if (s->refusing)
            refuse(s);
    }
    if (until > s->now.mono_usec)
        pass_time(s, until - s->now.mono_usec);
    wake(s);
}

static void poll_again(Stage *s) {
    s->named_only = s->named_only && s->world.kind == OBSERVED_ABSENT;
    decide(s, (TrailInput){ .kind = GUARD_POLLED, .seen = &s->world });
    if (s->world.kind != OBSERVED_STATUS || s->acting == ACTION_RECREATE)
        return;
    if (s->acting != ACTION_RESTORE)
        (void)compare(s);
    decide(s, (TrailInput){ .kind = GUARD_COMPARED, .seen = &s->world, .drift = &s->drift });
}

/* The next poll, which finds what has happened since the last. */
static void result(Stage *s) {
    pass_time(s, POLL);
    if (s->world.kind == OBSERVED_STATUS && s->world.delivery_usec != 0)
        s->world.delivery_usec = s->now.real_usec - 4 * MIN_;
    poll_again(s);
}

/* ---- words: how the trail is ---- */

static bool is_there(const Stage *s) {
    return s->world.kind == OBSERVED_STATUS;
}

static void word_well(Stage *s, const char *arg) {
    (void)arg;
    if (s->trail.known || s->world.kind == OBSERVED_ABSENT)
        return;
    result(s);
}

static void word_stop(Stage *s, const char *arg) {
    (void)arg;
    if (!is_there(s))
        return;
    s->world.is_logging = false;
    s->world.stop_usec = s->now.real_usec + POLL - 2 * SEC;
    result(s);
}

/* Created, and never started. */
static void word_off(Stage *s, const char *arg) {
    (void)arg;
    if (s->trail.known)
        return;
    s->world = (Observation){ .kind = OBSERVED_STATUS };
    result(s);
}

/* Created by others just now; the argument says whose its bucket is. */
static void word_new(Stage *s, const char *arg) {
    for (Destination d = 0; d < _DESTINATION_MAX; d++)
        if (text_equal(arg, destination_to_string(d)))
            s->facts.destination = d;
    s->trail.provisional = true;
    s->world.start_usec = s->now.real_usec + 3 * SEC;
    s->world.delivery_usec = 0;
    result(s);
}

static void word_trust(Stage *s, const char *arg) {
    s->policy.trust_new = text_equal(arg, "watch") ? TRUST_WATCH : TRUST_ASK;
}

/* By its owner: what the baseline has not. */
static void word_stronger(Stage *s, const char *arg) {
    (void)arg;
    put(&s->recorded, FIELD_VALIDATION, "false");
    choose_baseline(s);
    result(s);
}

static void word_start(Stage *s, const char *arg) {
    (void)arg;
    if (!is_there(s) || s->world.is_logging)
        return;
    s->world.is_logging = true;
    s->world.start_usec = s->now.real_usec + POLL - 3 * SEC;
    result(s);
}

static void word_flap(Stage *s, const char *arg) {
    (void)arg;
    if (!is_there(s) || !s->world.is_logging)
        return;
    s->world.stop_usec = s->now.real_usec + POLL - 9 * SEC;
    s->world.start_usec = s->now.real_usec + POLL - 4 * SEC;
    result(s);
}

static void word_delete(Stage *s, const char *arg) {
    (void)arg;
    s->world = (Observation){ .kind = OBSERVED_ABSENT };
    drift_done(&s->drift);
    s->named_only = !s->trail.known;
    result(s);
}

/* By others: deleted before, or between two polls. */
static void word_create(Stage *s, const char *arg) {
    (void)arg;
    s->world = (Observation){ .kind = OBSERVED_STATUS,
                              .is_logging = true,
                              .start_usec = s->now.real_usec + POLL - 3 * SEC };
    result(s);
}

static Field field_named(const char *arg) {
    Field f = field_from_string(arg);

    if (f >= _FIELD_MAX)
        fail_msg("there is no setting \"%s\"", arg);
    return f;
}

static void set(Stage *s, const char *name) {
    put(&s->actual, field_named(name), values[field_named(name)].after);
}

/* "A+B": one after the other, and then polls once. */
static void each_of(Stage *s, const char *arg, void (*act)(Stage *s, const char *name)) {
    char names[256], *rest = names;

    if (s->world.kind != OBSERVED_STATUS)
        return;
    (void)text_copy(names, sizeof(names), arg);
    for (char *name; (name = strsep(&rest, "+"));)
        act(s, name);
    result(s);
}

/* "all" is what an attacker's script sets. */
static void word_set(Stage *s, const char *arg) {
    each_of(s,
            text_equal(arg, "all") ? "KmsKeyId+CloudWatchLogsLogGroupArn+CloudWatchLogsRoleArn+SnsTopicARN+"
                                     "IsMultiRegionTrail+IncludeGlobalServiceEvents+LogFileValidationEnabled"
                                   : arg,
            set);
}

/* All settings are as they were, by others. */
static void word_unset(Stage *s, const char *arg) {
    (void)arg;
    if (!is_there(s))
        return;
    copy(&s->actual, &s->recorded);
    result(s);
}

/* ... and at once, which the settings show before the next poll of the status. */
static void word_undo(Stage *s, const char *arg) {
    (void)arg;
    if (!is_there(s))
        return;
    copy(&s->actual, &s->recorded);
    pass_time(s, SEC / 2);
    (void)compare(s);
    decide(s, (TrailInput){ .kind = GUARD_COMPARED, .seen = &s->world, .drift = &s->drift });
}

static void word_pin(Stage *s, const char *arg) {
    s->facts.pins_mark++;
    put(&s->expect.pins, field_named(arg), values[field_named(arg)].after);
    choose_baseline(s);
    result(s);
}

static void word_unpin(Stage *s, const char *arg) {
    (void)arg;
    s->facts.pins_mark++;
    settings_done(&s->expect.pins);
    choose_baseline(s);
    result(s);
}

static void fail_as(Stage *s, const char *name, bool fails) {
    for (size_t i = 0; i < ARRAY_SIZE(failures); i++)
        if (!name || text_equal(failures[i].name, name))
            (void)text_copy((char *)&s->world + failures[i].offset, failures[i].size,
                            fails ? failures[i].error : "");
}

static void fail_one(Stage *s, const char *name) {
    fail_as(s, name, true);
}

static void word_fail(Stage *s, const char *arg) {
    each_of(s, arg, fail_one);
}

static void word_mend(Stage *s, const char *arg) {
    (void)arg;
    if (!is_there(s))
        return;
    fail_as(s, NULL, false);
    s->world.delivery_usec = s->now.real_usec;
    result(s);
}

static void word_stale(Stage *s, const char *arg) {
    (void)arg;
    if (!is_there(s) || !s->world.is_logging)
        return;
    s->world.delivery_usec = 0;
    pass_time(s, 3 * HOUR);
    result(s);
}

/* ---- words: what cannot be polled ---- */

static size_t error_named(const char *arg) {
    size_t i = 0;

    while (i < ARRAY_SIZE(errors) && !text_equal(errors[i].name, arg))
        i++;
    assert_true(i < ARRAY_SIZE(errors));
    return i;
}

/* Three polls in a row of this trail alone. */
static void word_unreachable(Stage *s, const char *arg) {
    size_t e = error_named(arg);
    Observation seen = { .kind = OBSERVED_ERROR, .error = errors[e].error, .target_reachable = true };

    (void)text_copy(seen.error_text, sizeof(seen.error_text), errors[e].of_trail);
    for (unsigned i = 0; i < s->policy.unreachable_after; i++) {
        pass_time(s, POLL);
        decide(s, (TrailInput){ .kind = GUARD_POLLED, .seen = &seen });
    }
}

static void word_reachable(Stage *s, const char *arg) {
    (void)arg;
    result(s);
}

static void took_target(Stage *s, const TargetState *state, const Plan *plan) {
    if (state == &s->account) {
        s->searching_for_account = s->searching_for_account || plan->attribute;
        s->account_wake = plan->wake_mono_usec;
    }
    publish(s, state == &s->account ? &account_subject : &region_subject, plan);
}

static void decide_target(Stage *s, TargetState *state, const PollResult *seen, unsigned unreachable_after) {
    Policy policy = s->policy;
    Plan plan;

    policy.unreachable_after = unreachable_after;
    policy.attribution = state == &s->account;
    guard_target(&policy, state, seen, s->now, &plan, state);
    took_target(s, state, &plan);
}

static void poll_target(Stage *s, TargetState *state, const PollResult *seen, unsigned times) {
    for (unsigned i = 0; i < times; i++) {
        pass_time(s, POLL);
        decide_target(s, state, seen, s->policy.unreachable_after);
    }
}

static void poll_in_vain(Stage *s, TargetState *state, const char *arg) {
    size_t e = error_named(arg);
    PollResult seen = { .error = errors[e].error };

    (void)text_copy(seen.error_text, sizeof(seen.error_text),
                    state == &s->account ? errors[e].of_account : errors[e].of_target);
    poll_target(s, state, &seen, s->policy.unreachable_after);
}

/* "ok", "off" (not enabled), "covered", "uncovered", or an error three times in a row. */
static void word_region(Stage *s, const char *arg) {
    PollResult seen = { .reachable = true, .list_read = true };

    if (text_equal(arg, "off"))
        seen = (PollResult){ .not_enabled = true };
    else if (strstr(arg, "covered"))
        seen.listed = true;
    else if (!text_equal(arg, "ok")) {
        poll_in_vain(s, &s->region, arg);
        return;
    }
    seen.covered = text_equal(arg, "covered");
    poll_target(s, &s->region, &seen, 1);
}

/* The list of trails cannot be read, while their status can. */
static void word_list(Stage *s, const char *arg) {
    size_t e = error_named(arg);
    PollResult seen = { .reachable = true, .list_error = errors[e].error };

    (void)text_copy(seen.list_error_text, sizeof(seen.list_error_text), errors[e].of_target);
    poll_target(s, &s->region, &seen, s->policy.unreachable_after);
}

/* "ok", "left" (the organization), or an error. */
static void word_account(Stage *s, const char *arg) {
    PollResult left = {
        .error = POLL_GONE,
        .error_text = "account 444455556666 (payments) is no member of the organization any more"
    };

    if (text_equal(arg, "left")) {
        pass_time(s, POLL);
        decide_target(s, &s->account, &left, 1);
        s->left = true;
    } else if (text_equal(arg, "ok")) {
        poll_target(s, &s->account, &(PollResult){ .reachable = true }, 1);
        s->left = false;
    } else if (!s->left)
        poll_in_vain(s, &s->account, arg);
}

/* ---- words: what became of an action ---- */

static void acted(Stage *s, Outcome *outcome) {
    Action action = s->acting;

    s->acting = ACTION_NONE;
    outcome->action = action;
    if (outcome->result == RESULT_FAILED && !s->facts.writable)
        s->facts.may_ask &= ~ACTION_BIT(action); /* is not asked again today */
    decide(s, (TrailInput){ .kind = GUARD_ACTED, .outcome = outcome });
}

static uint32_t write_back(Stage *s, uint32_t fields, uint32_t refused) {
    for (Field f = 0; f < _FIELD_MAX; f++)
        if (fields & ~refused & FIELD_BIT(f))
            put(&s->actual, f, s->keep.values[f]);
    return compare(s);
}

/* It worked; of settings, and of a trail that is created again, with "FIELD" all but that. */
static void word_held(Stage *s, const char *arg) {
    Outcome outcome = { .result = RESULT_CONFIRMED };
    uint32_t refused = arg[0] ? FIELD_BIT(field_named(arg)) : 0;

    for (unsigned i = 0; i < 10 && s->refusing && s->acting == ACTION_NONE; i++) {
        uint64_t due = next_wake(s);

        pass_time(s, due > s->now.mono_usec ? due - s->now.mono_usec : 1);
        wake(s);
    }
    s->refusing = false;
    if (is_there(s) == (s->acting == ACTION_RECREATE)) {
        refuse(s); /* it is gone, or there again */
        return;
    }
    pass_time(s, 2 * SEC);
    switch (s->acting) {
    case ACTION_NONE: return;
    case ACTION_RESTORE:
        outcome.fields_left = write_back(s, s->acting_fields, refused);
        if (refused & s->acting_fields & outcome.fields_left) {
            outcome.result = RESULT_FAILED;
            (void)text_copy(outcome.error_code, sizeof(outcome.error_code),
                            "InvalidParameterCombinationException");
            (void)text_copy(
                    outcome.error_text, sizeof(outcome.error_text),
                    "UpdateTrail: InsufficientEncryptionPolicyException: the key's policy does not let "
                    "CloudTrail encrypt");
        }
        break;
    case ACTION_RECREATE:
        for (Field f = 0; f < _FIELD_MAX; f++)
            if (refused & FIELD_BIT(f))
                put(&s->actual, f, values[f].after);
        outcome.fields_left = write_back(s, FIELDS_ALL & ~FIELDS_UNWRITABLE, refused);
        s->world =
                (Observation){ .kind = OBSERVED_STATUS, .is_logging = true, .start_usec = s->now.real_usec };
        break;
    default:
        s->world.is_logging = true;
        s->world.start_usec = s->now.real_usec;
        break;
    }
    outcome.seen = s->world;
    acted(s, &outcome);
}

/* The call that writes the first of the fields back. */
static const char *writer_of(uint32_t fields) {
    static const struct {
        uint32_t fields;
        const char *call;
    } rows[] = {
        { FIELDS_TRAIL, "UpdateTrail" },
        { FIELD_BIT(FIELD_SELECTORS), "PutEventSelectors" },
        { FIELD_BIT(FIELD_INSIGHTS), "PutInsightSelectors" },
        { FIELD_BIT(FIELD_CONFIGURATION), "PutEventConfiguration" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (fields & rows[i].fields)
            return rows[i].call;
    return "AddTags";
}

static void refuse(Stage *s) {
    static const char *const texts[_ACTION_MAX] = {
        [ACTION_RESTART] = DENIED("StartLogging", "cloudtrail:StartLogging on resource: " TRAIL_ARN
                                                  " with an explicit deny in a service control policy"),
        [ACTION_RECREATE] = DENIED("CreateTrail", "cloudtrail:CreateTrail on resource: " TRAIL_ARN),
    };
    Outcome outcome = { .result = RESULT_FAILED, .fields_left = FIELDS_ALL };

    pass_time(s, 1 * SEC);
    if (s->acting == ACTION_NONE)
        return;
    if (s->acting == ACTION_RESTORE) {
        const char *call = writer_of(s->acting_fields);

        (void)snprintf(outcome.error_text, sizeof(outcome.error_text),
                       DENIED("%s", "cloudtrail:%s on resource: " TRAIL_ARN), call, call);
    } else
        (void)text_copy(outcome.error_text, sizeof(outcome.error_text), texts[s->acting]);
    (void)text_copy(outcome.error_code, sizeof(outcome.error_code), "AccessDeniedException");
    acted(s, &outcome);
}

/* What is tried now, and what is tried while time passes after that. */
static void word_refused(Stage *s, const char *arg) {
    (void)arg;
    refuse(s);
    s->refusing = true;
}

/* AWS took it, and it does not show. */
static void word_unshown(Stage *s, const char *arg) {
    static const char *const texts[_ACTION_MAX] = {
        [ACTION_RESTART] = "StartLogging: accepted, but the trail still does not log after 5 s",
        [ACTION_RECREATE] = "CreateTrail: accepted, but the trail still does not log after 5 s",
    };
    Outcome outcome = { .result = RESULT_FAILED, .fields_left = FIELDS_ALL };

    (void)arg;
    pass_time(s, 5 * SEC);
    if (s->acting == ACTION_NONE)
        return;
    if (s->acting == ACTION_RESTORE)
        (void)snprintf(outcome.error_text, sizeof(outcome.error_text),
                       "%s: AWS accepted it, and does not show it after 5 s", writer_of(s->acting_fields));
    else
        (void)text_copy(outcome.error_text, sizeof(outcome.error_text), texts[s->acting]);
    acted(s, &outcome);
}

/* The daemon ends and starts again in the midst of it. */
static void word_crash(Stage *s, const char *arg) {
    (void)arg;
    s->acting = ACTION_NONE;
    s->searching = false;
    s->trail.attributing.searching = false;
    guard_resume(&s->trail, s->now);
}

/* ---- words: who did it ---- */

static Actor actor_named(const Stage *s, const char *name) {
    static const struct {
        uint32_t findings;
        const char *call;
    } calls[] = {
        { FINDING_BIT(FINDING_MISSING) | FINDING_BIT(FINDING_REPLACED), "DeleteTrail" },
        { FINDING_BIT(FINDING_STOPPED) | FINDING_BIT(FINDING_INTERRUPTED), "StopLogging" },
        { FINDING_BIT(FINDING_APPEARED), "CreateTrail" },
        { FINDINGS_CHANGED, "UpdateTrail" },
        { FINDING_BIT(FINDING_LIFECYCLE), "PutBucketLifecycle" },
        { FINDING_BIT(FINDING_KEY), "ScheduleKeyDeletion" },
        { FINDINGS_FAILING, "PutBucketPolicy" },
    };
    Actor actor = { .type = "" };

    for (size_t i = 0; i < ARRAY_SIZE(actors); i++)
        if (text_equal(actors[i].name, name))
            actor = actors[i].actor;
    assert_true(actor.type[0] != '\0');
    if (!actor.account[0])
        (void)text_copy(actor.account, sizeof(actor.account), "111122223333");
    if (!actor.user_agent[0])
        (void)text_copy(actor.user_agent, sizeof(actor.user_agent), "aws-cli/2.15.30");
    if (!text_equal(actor.type, "AWSService")) {
        (void)text_copy(actor.source_ip, sizeof(actor.source_ip), "203.0.113.7");
        (void)text_copy(actor.access_key, sizeof(actor.access_key), "AKIAIOSFODNN7EXAMPLE");
    }
    (void)text_copy(actor.event_id, sizeof(actor.event_id), "6f1a5e0c-2d4b-4f57-8c1e-0a9b8c7d6e5f");
    (void)text_copy(actor.event_name, sizeof(actor.event_name), "StopLogging");
    for (size_t i = ARRAY_SIZE(calls); i-- > 0;)
        if (s->trail.attributing.findings & calls[i].findings)
            (void)text_copy(actor.event_name, sizeof(actor.event_name), calls[i].call);
    actor.event_usec = s->trail.attributing.seen_usec - 2 * SEC;
    return actor;
}

/* Until the event history is searched; false when it is not. */
static bool wait_for_search(Stage *s) {
    for (unsigned i = 0; i < 100 && s->trail.attributing.wanted && !s->searching; i++) {
        uint64_t due = next_wake(s);

        pass_time(s, due > s->now.mono_usec ? due - s->now.mono_usec : 1);
        wake(s);
    }
    return s->searching;
}

static void answer_search(Stage *s, Attribution *found) {
    pass_time(s, 1 * SEC);
    s->searching = false;
    decide(s, (TrailInput){ .kind = GUARD_ATTRIBUTED, .attribution = found });
}

static void word_by(Stage *s, const char *arg) {
    Attribution found = { .searched = true, .found = true };

    if (!wait_for_search(s))
        return;
    found.actor = actor_named(s, arg);
    answer_search(s, &found);
}

/* One of two calls, and nobody can say which. */
static void word_doubt(Stage *s, const char *arg) {
    static Attribution found; /* the message borrows from it */

    (void)arg;
    if (!wait_for_search(s))
        return;
    found = (Attribution){ .searched = true, .found = true, .incomplete = true, .n_candidates = 2 };
    found.candidates[0] = actor_named(s, "role");
    found.candidates[0].event_usec -= 60 * SEC;
    found.candidates[1] = found.actor = actor_named(s, "bob");
    answer_search(s, &found);
}

/* The settings differ because the trail was deleted and created again: CreateTrail is the call. */
static void word_remade(Stage *s, const char *arg) {
    Attribution found = { .searched = true, .found = true };

    if (!wait_for_search(s))
        return;
    found.actor = actor_named(s, arg);
    (void)text_copy(found.actor.event_name, sizeof(found.actor.event_name), "CreateTrail");
    answer_search(s, &found);
}

/* All searches find nobody, or all fail. */
static void search_in_vain(Stage *s, const Attribution *nothing_found) {
    for (unsigned i = 0; i < 8 && wait_for_search(s); i++) {
        Attribution found = *nothing_found;

        answer_search(s, &found);
    }
}

static void word_nobody(Stage *s, const char *arg) {
    search_in_vain(s, &(Attribution){ .searched = true,
                                      .n_records = 170,
                                      .reached_usec = strcmp(arg, "unread") == 0 ? s->now.real_usec : 0 });
}

static void word_unsearched(Stage *s, const char *arg) {
    (void)arg;
    search_in_vain(s, &(Attribution){ .error_text = DENIED("LookupEvents", "cloudtrail:LookupEvents") });
}

/* ---- words: who took the account out of the organization ---- */

static bool wait_for_account_search(Stage *s) {
    for (unsigned i = 0; i < 100 && s->account.attributing.wanted && !s->searching_for_account; i++) {
        pass_time(s, s->account_wake > s->now.mono_usec ? s->account_wake - s->now.mono_usec : 1);
        decide_target(s, &s->account, NULL, s->policy.unreachable_after);
    }
    return s->searching_for_account;
}

static void answer_account_search(Stage *s, const Attribution *found) {
    Plan plan;

    pass_time(s, 1 * SEC);
    s->searching_for_account = false;
    guard_target_attributed(&s->policy, &s->account, found, NULL, s->now, &plan, &s->account);
    took_target(s, &s->account, &plan);
}

/* The call that did it; or "LEFT", "REMOVED" or "CLEANED": AWS's record of the departure, and no call behind
 * it. */
static void word_taken(Stage *s, const char *arg) {
    Attribution found = { .searched = true, .found = true };
    bool is_record = text_equal(arg, "LEFT") || text_equal(arg, "REMOVED") || text_equal(arg, "CLEANED");

    if (!wait_for_account_search(s))
        return;
    if (is_record) {
        found.actor = (Actor){ .type = "AWSService", .name = "organizations.amazonaws.com" };
        (void)text_copy(found.actor.departure, sizeof(found.actor.departure), arg);
    } else
        found.actor = actor_named(s, "bob");
    (void)text_copy(found.actor.event_name, sizeof(found.actor.event_name),
                    is_record ? "AccountDepartedOrganization" : arg);
    found.actor.event_usec = s->now.real_usec - 20 * SEC;
    answer_account_search(s, &found);
}

/* All searches find no such call, or with "denied" all fail. */
static void word_untraced(Stage *s, const char *arg) {
    for (unsigned i = 0; i < 8 && wait_for_account_search(s); i++) {
        Attribution found = { .searched = !arg[0] };

        if (arg[0])
            (void)text_copy(found.error_text, sizeof(found.error_text),
                            DENIED("LookupEvents", "cloudtrail:LookupEvents"));
        answer_account_search(s, &found);
    }
}

/* AWS refused N attempts, each a second after the one before. */
static void word_tried(Stage *s, const char *arg) {
    Attribution found = { .searched = true, .n_attempts = (unsigned)atoi(arg) };

    if (!wait_for_search(s))
        return;
    for (unsigned i = 0; i < found.n_attempts; i++) {
        found.attempts[i] = actor_named(s, "bob");
        found.attempts[i].event_usec = s->now.real_usec - (20 - i) * SEC;
        (void)text_copy(found.attempts[i].error_code, sizeof(found.attempts[i].error_code), "AccessDenied");
        (void)text_copy(found.attempts[i].event_name, sizeof(found.attempts[i].event_name), "DeleteTrail");
    }
    answer_search(s, &found);
}

/* ---- words: what the configuration says ---- */

static void word_maintenance(Stage *s, const char *arg) {
    s->facts.maintenance = !text_equal(arg, "over");
    s->facts.stop_allowed = text_equal(arg, "stop");
    wake(s);
}

/* `trailguard drill` announces a stop by bob, or by another user, or a tag: for a minute. */
static void word_drill(Stage *s, const char *arg) {
    s->drill = (Drill){ .from_usec = s->now.real_usec, .until_usec = s->now.real_usec + 60 * SEC };
    (void)text_copy(s->drill.identity, sizeof(s->drill.identity),
                    text_equal(arg, "other") ? "arn:aws:iam::111122223333:user/alice"
                                             : actor_named(s, "bob").arn);
    (void)text_copy(s->drill.nonce, sizeof(s->drill.nonce), "0123456789abcdef0123456789abcdef");
    (void)text_copy(s->drill.tag, sizeof(s->drill.tag), text_equal(arg, "tag") ? "TrailGuardDrill" : "");
    s->facts.drill = &s->drill;
}

/* The drill's, and perhaps one more. */
static void word_tag(Stage *s, const char *arg) {
    if (!is_there(s))
        return;
    put(&s->actual, FIELD_TAGS,
        text_equal(arg, "more")
                ? "{\"TrailGuardDrill\":\"0123456789abcdef0123456789abcdef\",\"owner\":\"security\","
                  "\"tier\":\"0\"}"
                : "{\"TrailGuardDrill\":\"0123456789abcdef0123456789abcdef\",\"owner\":\"security\"}");
    result(s);
}

/* An organization trail of another account: "asked", AWS has not refused yet to let us act on it. */
static void word_member(Stage *s, const char *arg) {
    if (s->trail.known || s->named_only)
        return;
    s->facts.writable = false;
    s->facts.may_ask = text_equal(arg, "asked") ? ACTIONS_ALL : 0;
}

static void word_may(Stage *s, const char *arg) {
    if (text_equal(arg, "deleted"))
        s->policy.restore |= RESTORE_BIT(RESTORE_DELETED);
    else if (text_equal(arg, "selectors"))
        s->policy.restore = RESTORE_BIT(RESTORE_SELECTORS);
    else
        s->policy.max_restores_per_hour = (unsigned)atoi(arg);
}

/* Of what ends the guarding of a trail or a region. */
static void word_forget(Stage *s, const char *arg) {
    Plan plan;

    pass_time(s, POLL);
    if (text_equal(arg, "region")) {
        guard_target_forgotten(&s->policy, &s->region, "its account is not configured any more", s->now,
                               &plan, &s->region);
        publish(s, &region_subject, &plan);
        return;
    }
    decide(s, (TrailInput){ .kind = GUARD_FORGOTTEN,
                            .why = text_equal(arg, "gone") ? "it was accepted that it may be gone"
                                                           : "`trails` does not name it any more" });
    s->acting = ACTION_NONE;
    s->searching = false;
}

/* "90s", "5m", "1h" */
static void word_wait(Stage *s, const char *arg) {
    uint64_t unit = strchr(arg, 'h') ? HOUR : strchr(arg, 'm') ? MIN_ : SEC;

    wait_for(s, (uint64_t)atoi(arg) * unit);
    decide_target(s, &s->region, NULL, s->policy.unreachable_after);
    decide_target(s, &s->account, NULL, s->policy.unreachable_after);
}

/* ---- words: what the daemon tells without the guard ---- */

static Event baseline_tell(const Stage *s, EventKind kind, Severity severity, const char *detail) {
    Event event = {
        .kind = kind,
        .severity = severity,
        .sequence = 1,
        .incident_dedup_usec = s->now.real_usec,
        .dedup_usec = s->now.real_usec,
        .opened_usec = s->now.real_usec,
        .time_usec = s->now.real_usec,
        .mode = s->policy.mode,
    };

    (void)text_copy(event.detail, sizeof(event.detail), detail);
    return event;
}

static void note_baseline(const Stage *s, JournalLine which, const char *detail) {
    JournalEntry note = { .line = which };

    (void)text_copy(note.detail, sizeof(note.detail), detail);
    report_entry(&trail_subject, &note, "", s->now.real_usec);
}

static void word_weak(Stage *s, const char *arg) {
    static const char one[] = "records no management events; log file validation is off";
    Event event = baseline_tell(s, EVENT_BASELINE_WEAK, SEVERITY_WARNING,
                                arg[0] ? "edge eu-west-1 111122223333, legacy us-east-1 111122223333" : one);

    note_baseline(s, LINE_BASELINE_RECORDED, "");
    note_baseline(s, LINE_BASELINE_WEAK, one);
    s->reported(s, arg[0] ? &base_account : &trail_subject, &event);
}

static void word_unaccepted(Stage *s, const char *arg) {
    bool full = text_equal(arg, "full");
    Event event = baseline_tell(
            s, EVENT_TRAILS_UNACCEPTED, SEVERITY_WARNING,
            arg[0] ? "41 more appeared, 40 are gone again: backup-3, backup-4, backup-5 and more"
                   : "2 more appeared, 0 are gone again: backup-3, backup-4");
    JournalEntry note = { .line = LINE_TRAILS_FULL };

    (void)text_copy(note.detail, sizeof(note.detail),
                    "512: the oldest of those that are gone and that nobody had accepted is forgotten for "
                    "backup-509");
    if (full)
        report_entry(&base_account, &note, "", s->now.real_usec);
    s->reported(s, &base_account, &event);
}

static void word_damaged(Stage *s, const char *arg) {
    static const char error[] =
            "/var/lib/trailguard/baselines/org-trail.json: damaged: its checksum does not fit";
    Event event = baseline_tell(s, EVENT_BASELINE_DAMAGED, SEVERITY_CRITICAL, error);

    (void)arg;
    note_baseline(s, LINE_BASELINE_DAMAGED, error);
    s->reported(s, &trail_subject, &event);
}

/* trailguard accept, and what the next poll makes of it. */
static void word_accept(Stage *s, const char *arg) {
    static const char by[] = "alice by sudo";
    Event event = baseline_tell(s, EVENT_BASELINE_ACCEPTED, SEVERITY_INFO, by);
    Drift changes = { 0 };

    event.forgotten = text_equal(arg, "gone");
    note_baseline(s, event.forgotten ? LINE_GONE_ACCEPTED : LINE_BASELINE_ACCEPTED, by);
    if (!event.forgotten) {
        assert_int_equal(baseline_compare(&s->recorded, &s->actual, &changes), 0);
        event.changes = &changes;
        for (unsigned i = 0; i < changes.n; i++)
            event.fields |= FIELD_BIT(changes.changes[i].field);
        copy(&s->recorded, &s->actual);
        choose_baseline(s);
        s->trail.accepted_usec = s->now.real_usec;
    }
    s->reported(s, &trail_subject, &event);
    drift_done(&changes);
    if (event.forgotten)
        word_forget(s, "gone");
    else if (is_there(s))
        result(s);
}

static void word_channel(Stage *s, const char *arg) {
#define TOPIC_KEY "sns:arn:aws:sns:eu-central-1:111122223333:trailguard"
    static const struct {
        const char *word;
        EventKind kind;
        bool opens;
        const char *detail;
    } rows[] = {
        { "failed", EVENT_CHANNEL_FAILED, true, TOPIC_KEY ": NotFound: Topic does not exist" },
        { "works", EVENT_CHANNEL_RECOVERED, false, TOPIC_KEY },
        { "left", EVENT_CHANNEL_RECOVERED, false, TOPIC_KEY },
        { "unheard:left", EVENT_CHANNEL_HEARD, false, TOPIC_KEY },
        { "unheard", EVENT_CHANNEL_UNHEARD, true,
          TOPIC_KEY ": the topic has no confirmed subscription; 1 waits for confirmation" },
        { "heard", EVENT_CHANNEL_HEARD, false, TOPIC_KEY ": 1 confirmed subscription" },
        { "heartbeat:failed", EVENT_CHANNEL_FAILED, true, "heartbeat: HTTP 404: not found" },
        { "heartbeat:works", EVENT_CHANNEL_RECOVERED, false, "heartbeat" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        Event event = {
            .kind = rows[i].kind,
            .phase = rows[i].opens ? PHASE_OPENED : PHASE_RESOLVED,
            .severity = rows[i].kind == EVENT_CHANNEL_RECOVERED ? SEVERITY_WARNING : SEVERITY_CRITICAL,
            .sequence = rows[i].opens ? 1 : 2,
            .incident_dedup_usec = START,
            .dedup_usec = START,
            .opened_usec = START,
            .time_usec = s->now.real_usec,
            .mode = s->policy.mode,
            .forgotten = text_ends_with(arg, "left"),
        };

        if (!text_equal(rows[i].word, arg))
            continue;
        (void)text_copy(event.detail, sizeof(event.detail), rows[i].detail);
        s->reported(s, &base_account, &event);
    }
}

static void word_hold(Stage *s, const char *arg) {
    static const struct {
        const char *word;
        EventKind kind;
        ContainStep step;
        const char *detail;
    } rows[] = {
        { "about", EVENT_IDENTITY_CONTAINED, CONTAIN_STEP_ABOUT, "" },
        { "held", EVENT_IDENTITY_CONTAINED, CONTAIN_STEP_HELD, "" },
        { "failed", EVENT_IDENTITY_CONTAINED, CONTAIN_STEP_FAILED,
          "PutUserPolicy: AccessDenied: User: guard is not authorized (request id 12345678-aaaa)" },
        { "removed", EVENT_IDENTITY_CONTAINED, CONTAIN_STEP_REMOVED, "" },
        { "given_up", EVENT_IDENTITY_CONTAINED, CONTAIN_STEP_GIVEN_UP, "" },
        { "stuck", EVENT_IDENTITY_CONTAINED, CONTAIN_STEP_STUCK,
          "a policy of that name says something else, and is not the guard's" },
        { "released", EVENT_IDENTITY_RELEASED, CONTAIN_STEP_RELEASED, "ann by sudo" },
        { "gone", EVENT_IDENTITY_RELEASED, CONTAIN_STEP_GONE, "NoSuchEntity" },
    };
    ContainHold hold = { .since_usec = START,
                         .account = "111122223333",
                         .reason = "3 tamperings within an hour",
                         .policy = "TrailGuardContain" };
    bool role = text_starts_with(arg, "role");

    (void)text_copy(hold.arn, sizeof(hold.arn),
                    role ? "arn:aws:iam::111122223333:role/$(reboot)/Admin"
                         : "arn:aws:iam::111122223333:user/bob");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        Event event = {
            .kind = rows[i].kind,
            .severity = rows[i].kind == EVENT_IDENTITY_RELEASED ? SEVERITY_WARNING : SEVERITY_CRITICAL,
            .sequence = 1,
            .incident_dedup_usec = START,
            .dedup_usec = START,
            .opened_usec = START,
            .time_usec = s->now.real_usec,
            .mode = s->policy.mode,
            .hold = &hold,
            .step = rows[i].step,
        };

        if (!text_equal(rows[i].word, arg + strlen("role:")))
            continue;
        (void)text_copy(event.detail, sizeof(event.detail), rows[i].detail);
        s->reported(s, &base_account, &event);
    }
}

/* Who is found next is proposed for containment. */
static void word_propose(Stage *s, const char *arg) {
    static const Containment user = { .arn = "arn:aws:iam::111122223333:user/bob",
                                      .partition = "aws",
                                      .account = "111122223333",
                                      .name = "bob",
                                      .n_tamperings = 3,
                                      .time_usec = START + 5 * SEC },
                             role = { .arn = "arn:aws:iam::111122223333:role/Admin",
                                      .partition = "aws",
                                      .account = "111122223333",
                                      .name = "Admin",
                                      .is_role = true,
                                      .war = true,
                                      .time_usec = START + 5 * SEC,
                                      .why_not = "it is the role of an EC2 instance" };

    s->contain = text_equal(arg, "role") ? &role : &user;
}

/* What the daemon's checks of its own access report. */
static void word_guard(Stage *s, const char *arg) {
#define ROLE "arn:aws:iam::111122223333:role/TrailGuard"
#define NO_RIGHTS                                                                                           \
    "cloudtrail:StartLogging on arn:aws:cloudtrail:eu-central-1:111122223333:trail/org-trail (denied by a " \
    "service control policy), sns:Publish on arn:aws:sns:eu-central-1:111122223333:trailguard (not "        \
    "allowed by any policy) and 3 more"
    static const struct {
        const char *word;
        EventKind kind;
        Severity severity;
        const char *detail;
        bool actor;
    } rows[] = {
        { "lost", EVENT_GUARD_RIGHTS_LOST, SEVERITY_CRITICAL, NO_RIGHTS, false },
        { "lesser", EVENT_GUARD_RIGHTS_LOST, SEVERITY_WARNING,
          "cloudtrail:LookupEvents on * (not allowed by any policy)", false },
        { "remind", EVENT_INCIDENT_REMINDER, SEVERITY_CRITICAL, NO_RIGHTS, false },
        { "remind_lesser", EVENT_INCIDENT_REMINDER, SEVERITY_WARNING,
          "cloudtrail:LookupEvents on * (not allowed by any policy)", false },
        { "back", EVENT_GUARD_RIGHTS_RESTORED, SEVERITY_CRITICAL,
          "IAM would allow all that the guard needs again", false },
        { "off", EVENT_GUARD_RIGHTS_RESTORED, SEVERITY_CRITICAL, "guard_checks is off", false },
        { "changed", EVENT_GUARD_CHANGED, SEVERITY_CRITICAL,
          ROLE ": the trust policy was changed; the inline policy AWSRevokeOlderSessions was added", true },
        { "unattributed", EVENT_GUARD_CHANGED, SEVERITY_WARNING,
          "arn:aws:iam::111122223333:user/guard: the access key AKIA...0002 was added", false },
        { "hidden", EVENT_GUARD_CHANGED, SEVERITY_WARNING,
          "arn:aws:iam::111122223333:user/guard: the access key AKIA...0002 was added", false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        bool ends = rows[i].kind == EVENT_GUARD_RIGHTS_RESTORED,
             reminds = rows[i].kind == EVENT_INCIDENT_REMINDER;
        Event event = {
            .kind = rows[i].kind,
            .phase = ends      ? PHASE_RESOLVED
                     : reminds ? PHASE_REMINDER
                               : PHASE_OPENED,
            .severity = rows[i].severity,
            .sequence = ends || reminds ? 2 : 1,
            .incident_dedup_usec = START,
            .dedup_usec = START,
            .opened_usec = reminds ? START - 3600 * USEC_PER_SEC : START,
            .n_reminders = reminds,
            .still = reminds ? EVENT_GUARD_RIGHTS_LOST : 0,
            .time_usec = s->now.real_usec,
            .mode = s->policy.mode,
            .forgotten = text_equal(arg, "off"),
            .has_actor = rows[i].actor,
            .n_records = text_equal(arg, "hidden") ? 2000 : 0,
            .unread = text_equal(arg, "hidden"),
        };

        if (!text_equal(rows[i].word, arg))
            continue;
        if (rows[i].actor)
            event.actor = actor_named(s, "bob");
        event.actor.event_usec = START - 2 * SEC;
        (void)text_copy(event.actor.event_name, sizeof(event.actor.event_name), "PutRolePolicy");
        (void)text_copy(event.detail, sizeof(event.detail), rows[i].detail);
        s->reported(s, &base_account, &event);
    }
}

/* What the daemon reports of the organization's list of accounts. */
static void word_organization(Stage *s, const char *arg) {
#define UNLISTED                                                                                            \
    "ListAccounts: AccessDeniedException: You don't have permissions to access this resource. (request id " \
    "3f0d5a62-8c1e-4b7a-9f4e-2d61c07b9a15)"
    static const struct {
        const char *word;
        EventKind kind;
        EventPhase phase;
        const char *detail;
        uint64_t lasts_sec;
    } rows[] = {
        { "unlisted", EVENT_ORGANIZATION_UNREADABLE, PHASE_OPENED, UNLISTED, 45 },
        { "remind", EVENT_INCIDENT_REMINDER, PHASE_REMINDER, UNLISTED, 3600 },
        { "listed", EVENT_ORGANIZATION_READABLE, PHASE_RESOLVED,
          "the organization's accounts can be listed again", 600 },
        { "off", EVENT_ORGANIZATION_READABLE, PHASE_RESOLVED,
          "the option `organization` is not set any more", 600 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Event event = {
            .kind = rows[i].kind,
            .phase = rows[i].phase,
            .severity = SEVERITY_WARNING,
            .sequence = rows[i].phase == PHASE_OPENED ? 1 : 2,
            .incident_dedup_usec = START,
            .dedup_usec = START,
            .opened_usec = s->now.real_usec - rows[i].lasts_sec * USEC_PER_SEC,
            .n_reminders = rows[i].phase == PHASE_REMINDER,
            .still = rows[i].phase == PHASE_REMINDER ? EVENT_ORGANIZATION_UNREADABLE : 0,
            .n_accounts = 12,
            .time_usec = s->now.real_usec,
            .mode = s->policy.mode,
            .forgotten = text_equal(arg, "off"),
        };

        if (!text_equal(rows[i].word, arg))
            continue;
        (void)text_copy(event.detail, sizeof(event.detail), rows[i].detail);
        s->reported(s, &base_account, &event);
    }
}

static const Subject cause_accounts[] = {
    { "", "", "444455556666", "" }, { "", "", "777788889999", "" }, { "", "", "222233334444", "" },
    { "", "", "666677778888", "" }, { "", "", "555500001111", "" }, { "", "", "999900001111", "" },
    { "", "", "888800001111", "" },
};
static const Subject cause_region[ARRAY_SIZE(cause_accounts)] = {
    { "", "", "444455556666", "me-south-1" }, { "", "", "777788889999", "me-south-1" },
    { "", "", "222233334444", "me-south-1" }, { "", "", "666677778888", "me-south-1" },
    { "", "", "555500001111", "me-south-1" }, { "", "", "999900001111", "me-south-1" },
    { "", "", "888800001111", "me-south-1" },
};
static const struct {
    PollError error;
    const char *text;
} cause_errors[_CAUSE_MAX] = {
    [CAUSE_CLOSED] = { POLL_DENIED, "DescribeTrails: AccessDeniedException: User: "
                                    "arn:aws:sts::111122223333:assumed-role/trailguard/guard1 is not "
                                    "authorized to perform: cloudtrail:DescribeTrails with an explicit "
                                    "deny in a service control policy" },
    [CAUSE_CREDENTIALS] = { POLL_CREDENTIALS, "DescribeTrails: ExpiredTokenException: The security "
                                              "token included in the request is expired" },
    [CAUSE_UNCOVERED] = { POLL_OK, "" },
    [CAUSE_ROLE] = { POLL_DENIED, "AssumeRole: AccessDenied: User: arn:aws:iam::111122223333:user/guard "
                                  "is not authorized to perform: sts:AssumeRole on resource: "
                                  "arn:aws:iam::444455556666:role/TrailGuard with an explicit deny in a "
                                  "service control policy" },
    [CAUSE_OUTAGE] = { POLL_UNREACHABLE, "DescribeTrails: cloudtrail.me-south-1.amazonaws.com: "
                                         "Connection timed out" },
};

/* What several have in common: "closed", "keys", "uncovered", "role", "outage" begin; "more", "fewer",
 * "other" say who is there now; "over", "gone" end. */
static void word_cause(Stage *s, const char *arg) {
    static const Subject regions[] = {
        { .name = "", .arn = "", .account = "111122223333", .region = "ap-east-1" },
        { .name = "", .arn = "", .account = "111122223333", .region = "ap-southeast-3" },
        { .name = "", .arn = "", .account = "111122223333", .region = "me-south-1" },
        { .name = "", .arn = "", .account = "444455556666", .region = "" },
    };
    static const Subject rest[] = {
        { .name = "", .arn = "", .account = "111122223333", .region = "eu-central-1" },
        { .name = "", .arn = "", .account = "111122223333", .region = "us-east-1" },
    };
    static const char *const kinds[] = { "own", "closed", "keys", "uncovered", "role", "outage" };
    static TargetState first;
    Subject subject = base_account;
    CauseMembers in = { .members = regions,
                        .n = text_equal(arg, "more")                              ? 3
                             : text_equal(arg, "fewer")                           ? 1
                             : text_equal(arg, "over") || text_equal(arg, "gone") ? 0
                                                                                  : 2,
                        .rest = rest,
                        .n_rest = ARRAY_SIZE(rest),
                        .n_answering = text_equal(arg, "others") ? 0 : 1 };
    Plan plan;
    bool alone;

    for (CauseKind kind = CAUSE_CLOSED; kind < _CAUSE_MAX; kind++)
        if (text_equal(arg, kinds[kind])) {
            s->cause = (Cause){ .kind = kind, .incident.event = _EVENT_MAX };
            s->cause_began = s->now.real_usec;
        }
    if (s->cause.kind == CAUSE_OWN)
        return;
    if (text_equal(arg, "more") && s->cause.kind == CAUSE_CREDENTIALS)
        in.n = ARRAY_SIZE(regions);
    if (s->cause.kind == CAUSE_ROLE)
        in.members = cause_accounts;
    if (s->cause.kind == CAUSE_OUTAGE) {
        in.members = cause_region;
        subject = (Subject){ "", "", "", "me-south-1" };
    }
    if (s->cause.kind >= CAUSE_ROLE && text_equal(arg, "more"))
        in.n = ARRAY_SIZE(cause_accounts);
    first = (TargetState){ .error = cause_errors[s->cause.kind].error, .n_failed = 3 };
    (void)text_copy(first.error_text, sizeof(first.error_text), cause_errors[s->cause.kind].text);
    in.first = &first;
    in.n_begun = in.n;
    in.since_usec = s->cause_began;
    in.forgotten = text_equal(arg, "gone");
    pass_time(s, text_equal(arg, "soon") ? 6 * SEC : 6 * MIN_);
    for (unsigned i = 0; i < 2; i++) { /* the second time what was held back has waited long enough */
        guard_cause(&s->policy, &s->cause, &in, s->now, &plan, &s->cause, &alone);
        for (unsigned k = 0; k < plan.n_events; k++)
            s->reported(s, &subject, &plan.events[k]);
        if (s->cause.incident.open || in.n == 0)
            break;
        pass_time(s, 6 * SEC);
    }
}

/* Time passes until its incident is due for something. */
static void word_cause_waits(Stage *s, const char *arg) {
    pass_time(s, (uint64_t)atoi(arg) * MIN_);
    word_cause(s, "again");
}

/* ... while no other region answers. */
static void word_alone_waits(Stage *s, const char *arg) {
    pass_time(s, (uint64_t)atoi(arg) * MIN_);
    word_cause(s, "others");
}

static void word_test(Stage *s, const char *arg) {
    Event event = baseline_tell(s, EVENT_GUARD_TEST, SEVERITY_INFO, "");

    (void)arg;
    s->reported(s, &nothing, &event);
}

/* ---- stories ---- */

/* often: what a random story takes for the argument. */
static const struct Word {
    const char *name;
    void (*act)(Stage *s, const char *arg);
    const char *often[8];
} words[] = {
    { "well", word_well, { "" } },
    { "stop", word_stop, { "" } },
    { "off", word_off, { "" } },
    { "start", word_start, { "" } },
    { "flap", word_flap, { "" } },
    { "delete", word_delete, { "" } },
    { "create", word_create, { "" } },
    { "set",
      word_set,
      { "S3BucketName", "SnsTopicARN", "EventSelectors", "Tags", "UnknownSettings", "all" } },
    { "unset", word_unset, { "" } },
    { "undo", word_undo, { "" } },
    { "pin", word_pin, { "LogFileValidationEnabled", "KmsKeyId" } },
    { "unpin", word_unpin, { "" } },
    { "fail",
      word_fail,
      { "delivery", "digest", "log_group", "bucket", "lifecycle", "key", "selectors_unreadable" } },
    { "mend", word_mend, { "" } },
    { "stale", word_stale, { "" } },
    { "unreachable", word_unreachable, { "denied" } },
    { "reachable", word_reachable, { "" } },
    { "region", word_region, { "ok", "off", "covered", "uncovered", "denied" } },
    { "list", word_list, { "denied" } },
    { "account", word_account, { "ok", "left", "credentials" } },
    { "held", word_held, { "", "", "KmsKeyId" } },
    { "refused", word_refused, { "" } },
    { "unshown", word_unshown, { "" } },
    { "crash", word_crash, { "" } },
    { "by", word_by, { "bob" } },
    { "doubt", word_doubt, { "" } },
    { "remade", word_remade, { "bob" } },
    { "nobody", word_nobody, { "", "unread" } },
    { "unsearched", word_unsearched, { "" } },
    { "tried", word_tried, { "1", "4" } },
    { "taken", word_taken, { "RemoveAccountFromOrganization", "LEFT" } },
    { "untraced", word_untraced, { "", "denied" } },
    { "maintenance", word_maintenance, { "on", "stop", "over" } },
    { "drill", word_drill, { "on", "other", "tag" } },
    { "tag", word_tag, { "", "more" } },
    { "member", word_member, { "asked", "" } },
    { "may", word_may, { "deleted", "selectors", "1" } },
    { "forget", word_forget, { "named", "region" } },
    { "wait", word_wait, { "10s", "5m", "1h" } },
    { "weak", word_weak, { "", "more" } },
    { "unaccepted", word_unaccepted, { "", "gone", "full" } },
    { "damaged", word_damaged, { "" } },
    { "accept", word_accept, { "", "gone" } },
    { "channel",
      word_channel,
      { "failed", "works", "left", "unheard", "heard", "unheard:left", "heartbeat:failed",
        "heartbeat:works" } },
    { "guard", word_guard, { "lost", "lesser", "back", "off", "changed", "unattributed", "hidden" } },
    { "cause", word_cause, { "closed", "keys", "uncovered", "role", "outage", "more", "others", "over" } },
    { "common", word_cause_waits, { "60" } },
    { "alone", word_alone_waits, { "60" } },
    { "test", word_test, { "" } },
};

/* Those that no random story has: every message of theirs has a case. */
static const struct Word rare_words[] = {
    { "organization", word_organization, { NULL } },
    { "new", word_new, { NULL } },
    { "trust", word_trust, { NULL } },
    { "stronger", word_stronger, { NULL } },
    { "hold", word_hold, { NULL } },
    { "propose", word_propose, { NULL } },
};

static void stage_init(Stage *s, Mode mode, Told reported, void *userdata) {
    *s = (Stage){
        .reported = reported,
        .userdata = userdata,
        .policy = { .mode = mode,
                    .unreachable_after = 3,
                    .reminder_interval_usec = HOUR,
                    .restore = RESTORE_BIT(RESTORE_SETTINGS) | RESTORE_BIT(RESTORE_SELECTORS) |
                               RESTORE_BIT(RESTORE_INSIGHTS),
                    .max_restores_per_hour = 30,
                    .stale_after_usec = 2 * HOUR,
                    .attribution = true },
        .facts = { .writable = true, .validation = true, .records_reads = true },
        .now = { .real_usec = START, .mono_usec = 1000 * SEC },
        .world = { .kind = OBSERVED_STATUS,
                   .is_logging = true,
                   .start_usec = START - 90 * 24 * HOUR,
                   .delivery_usec = START - 4 * MIN_ },
        .trail = guard_trail_init(),
    };
    for (Field f = 0; f < _FIELD_MAX; f++)
        put(&s->recorded, f, values[f].before);
    copy(&s->actual, &s->recorded);
    choose_baseline(s);
    s->trail.accepted_usec = START - 30 * 24 * HOUR;
}

static void stage_done(Stage *s) {
    settings_done(&s->recorded);
    settings_done(&s->keep);
    settings_done(&s->actual);
    settings_done(&s->expect.pins);
    drift_done(&s->drift);
    drift_done(&s->changes);
}

/* "WORD" or "WORD:ARGUMENT" */
static void stage_play(Stage *s, const char *step) {
    const char *colon = strchr(step, ':');
    size_t len = colon ? (size_t)(colon - step) : strlen(step);

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strlen(words[i].name) == len && memcmp(words[i].name, step, len) == 0) {
            words[i].act(s, colon ? colon + 1 : "");
            return;
        }
    for (size_t i = 0; i < ARRAY_SIZE(rare_words); i++)
        if (strlen(rare_words[i].name) == len && memcmp(rare_words[i].name, step, len) == 0) {
            rare_words[i].act(s, colon ? colon + 1 : "");
            return;
        }
    fail_msg("there is no word \"%s\"", step);
}
