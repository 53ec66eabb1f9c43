/* SPDX-License-Identifier: Apache-2.0 */
/* What is done next about a trail, and what came of it. */
#include "daemon/core/guard_private.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

static bool waits(const Deciding *d, unsigned of) {
    return d->now.mono_usec < d->s.restores[of].after_mono_usec;
}

static void begin_hours_that_are_over(Deciding *d) {
    for (unsigned i = 0; i <= RECREATION; i++) {
        RestoreCount *count = &d->s.restores[i];

        if (count->since_usec > d->now.real_usec) /* the clock was set back */
            count->since_usec = d->now.real_usec;
        if (count->since_usec != 0 && elapsed(count->since_usec, d->now.real_usec) >= GUARD_HOUR_USEC) {
            count->since_usec = 0;
            count->n_confirmed = 0;
            count->paused = false;
        }
    }
}

/* Said once an hour of each, and always: with what differs, and in place of the message that waits for a
 * restore that will not come. */
static void pause_restores(Deciding *d, uint32_t fields) {
    TrailState *s = &d->s;
    Incident *inc = &s->incident;
    bool gone = fields == 0;
    uint32_t about = gone ? FINDING_BIT(FINDING_MISSING) : s->findings & FINDINGS_DRIFT;
    Event event;
    uint64_t since = fields;
    bool news = false;
    unsigned most = 0;

    for (unsigned i = 0; i <= RECREATION; i++)
        if (gone ? i == RECREATION : (fields & FIELD_BIT(i)) != 0) {
            news = news || !s->restores[i].paused;
            s->restores[i].paused = true;
            most = MAX(most, s->restores[i].n_confirmed);
            since += s->restores[i].since_usec;
        }
    if (!news)
        return;
    if (gone || fields == guard_restorable(d, s->fields))
        s->pending_restore = (PendingTell){ 0 };
    plan_note(d->plan, NOTE_RESTORES_PAUSED)->count = most;
    d->plan->notes[d->plan->n_notes - 1].fields = fields;
    inc->told |= about;
    inc->told_fields |= inc->fields;
    inc->quiet = false;
    event = gone                       ? EVENT_TRAIL_MISSING
            : about & FINDINGS_CHANGED ? EVENT_TRAIL_WEAKENED
                                       : EVENT_EXPECTATION_UNMET;
    (void)guard_tell(d, TELL_OPENED, event, SEVERITY_CRITICAL, since, about, "");
}

/* ---- what came of it ---- */

static uint64_t backoff_usec(unsigned failures) {
    unsigned doublings = MIN(failures - 1, 6U);

    return MIN(USEC_PER_SEC << doublings, GUARD_BACKOFF_MAX_USEC);
}

/* 1, 2, 4, 8 ...: a failure that repeats is told once in a while, with its count. */
static void note_failure(Deciding *d, Note what, unsigned count, uint32_t fields, const Outcome *outcome,
                         const char *detail) {
    NoteValue *note;

    if ((count & (count - 1)) != 0)
        return;
    note = plan_note(d->plan, what);
    note->count = count;
    note->fields = fields;
    note->refused = !guard_may_write(d->facts, outcome->action);
    (void)text_copy(note->detail, sizeof(note->detail), detail);
    (void)text_copy(note->request_id, sizeof(note->request_id), outcome->request_id);
}

/* What was written shows. */
static NoteValue *note_success(Deciding *d, Note what, const Outcome *outcome) {
    NoteValue *note = plan_note(d->plan, what);

    (void)text_copy(note->request_id, sizeof(note->request_id), outcome->request_id);
    return note;
}

/* What a status read back does not show stays as it was. */
static uint32_t not_in_status(uint32_t findings) {
    return findings & (FINDINGS_DRIFT | FINDINGS_BESIDE);
}

static void take_read_back(Deciding *d, const Observation *seen) {
    TrailState *s = &d->s;

    guard_end_blindness(d);
    guard_remember(s, seen, d->now);
    s->findings = (guard_conditions(d, seen) & ~FINDING_BIT(FINDING_STOPPED)) | not_in_status(s->findings);
}

static void restarted(Deciding *d, const Outcome *outcome) {
    TrailState *s = &d->s;
    Incident *inc = &s->incident;
    const Observation *seen = &outcome->seen;
    uint32_t was = s->findings, fails;

    inc->action.result = outcome->result;
    if (outcome->result != RESULT_CONFIRMED) {
        s->n_action_failures++;
        s->act_after_mono_usec = d->now.mono_usec + backoff_usec(s->n_action_failures);
        note_failure(d, NOTE_RESTART_FAILED, s->n_action_failures, 0, outcome, outcome->error_text);
        guard_tell_pending(d, &s->pending, outcome->error_text);
        return;
    }
    s->n_action_failures = 0;
    s->act_after_mono_usec = 0;
    take_read_back(d, seen);
    inc->gap.to_usec = seen->start_usec >= inc->gap.from_usec ? seen->start_usec : d->now.real_usec;
    note_success(d, NOTE_RUNNING_AGAIN, outcome)->gap = inc->gap;
    guard_tell_pending(d, &s->pending, "");
    fails = s->findings & ~was & FINDINGS_ERRORS;
    if (fails)
        guard_found_failing(d, seen, fails);
    if (!seen->is_logging) {
        /* stopped again since */
        s->findings |= FINDING_BIT(FINDING_STOPPED);
        guard_found_stopped(d, seen, false);
    }
}

/* The next attempt waits the longer the more have failed in a row; returns how many have. */
static unsigned count_failure(Deciding *d, unsigned of) {
    RestoreCount *count = &d->s.restores[of];

    count->n_failures++;
    count->after_mono_usec = d->now.mono_usec + backoff_usec(count->n_failures);
    return count->n_failures;
}

static void count_restore(Deciding *d, unsigned of) {
    RestoreCount *count = &d->s.restores[of];

    if (count->since_usec == 0)
        count->since_usec = d->now.real_usec;
    count->n_confirmed++;
    count->n_failures = 0;
    count->after_mono_usec = 0;
}

static void restore_failed(Deciding *d, Note note, unsigned n_failures, uint32_t fields,
                           const Outcome *outcome) {
    TrailState *s = &d->s;
    const char *why = outcome->error_text[0] ? outcome->error_text : "accepted, but it does not show";

    s->incident.restore.result = RESULT_FAILED;
    note_failure(d, note, n_failures, fields, outcome, why);
    guard_tell_pending(d, &s->pending_restore, why);
}

static void restored(Deciding *d, const Outcome *outcome) {
    TrailState *s = &d->s;
    uint32_t was = s->fields, left = outcome->fields_left & was, tried = s->restoring;
    unsigned n_failures = 0;

    /* what does not differ any more is well, and what does did not hold, whatever the outcome is called */
    guard_set_fields(s, left, s->losing_fields, left != was ? 0 : s->drift_mark);
    for (unsigned f = 0; f < _FIELD_MAX; f++)
        if (tried & left & FIELD_BIT(f)) {
            unsigned n = count_failure(d, f);

            n_failures = MAX(n_failures, n);
        } else if (tried & was & FIELD_BIT(f))
            count_restore(d, f);
    if ((was & ~left) || outcome->result == RESULT_CONFIRMED)
        note_success(d, NOTE_RESTORED, outcome)->fields = was & ~left;
    if ((tried & left) || (!was && outcome->result != RESULT_CONFIRMED)) {
        restore_failed(d, NOTE_RESTORE_FAILED, n_failures, tried & left, outcome);
        return;
    }
    s->incident.restore.result = guard_restorable(d, left) ? RESULT_FAILED : RESULT_CONFIRMED;
    guard_tell_pending(d, &s->pending_restore, "");
}

/* A new trail that is not logging yet is a stopped trail; what differs in it is known at the next poll. */
static void recreated(Deciding *d, const Outcome *outcome) {
    TrailState *s = &d->s;
    const Observation *seen = &outcome->seen;

    if (outcome->result != RESULT_CONFIRMED) {
        restore_failed(d, NOTE_RECREATE_FAILED, count_failure(d, RECREATION), 0, outcome);
        return;
    }
    count_restore(d, RECREATION);
    s->incident.restore.result = RESULT_CONFIRMED;
    take_read_back(d, seen);
    guard_set_fields(s, outcome->fields_left, 0, 0);
    s->incident.fields = s->fields;
    (void)note_success(d, NOTE_RECREATED, outcome);
    if (!seen->is_logging)
        s->findings |= FINDING_BIT(FINDING_STOPPED);
    guard_tell_pending(d, &s->pending_restore, "");
    if (!seen->is_logging)
        guard_found_stopped(d, seen, false);
    if (s->findings & FINDINGS_ERRORS)
        guard_found_failing(d, seen, s->findings & FINDINGS_ERRORS);
}

void guard_acted(Deciding *d, const Outcome *outcome) {
    d->s.acting = false;
    switch (outcome->action) {
    case ACTION_RESTORE: restored(d, outcome); break;
    case ACTION_RECREATE: recreated(d, outcome); break;
    default: restarted(d, outcome); break;
    }
}

/* ---- what is done next ---- */

static void begin_action(Deciding *d, Action action, ActionReport *report, uint32_t fields) {
    TrailState *s = &d->s;

    d->plan->abandon = s->acting;
    if (s->acting) /* only a restore is abandoned; it comes again */
        s->incident.restore.result = RESULT_NONE;
    s->acting = true;
    s->action = action;
    s->restoring = fields;
    report->taken = action;
    report->result = RESULT_PENDING;
    report->attempts++;
    d->plan->action = action;
    d->plan->fields = fields;
}

static void begin_recreation(Deciding *d) {
    if (waits(d, RECREATION))
        return;
    if (guard_is_spent(d, RECREATION))
        pause_restores(d, 0);
    else
        begin_action(d, ACTION_RECREATE, &d->s.incident.restore, 0);
}

static bool has_failed(const Deciding *d, unsigned of) {
    return d->s.restores[of].n_failures > 0;
}

/* All at once, but what failed before by itself: who knows which of them AWS will not take. */
static void begin_restore(Deciding *d, uint32_t fields) {
    uint32_t spent = guard_fields_that(d, fields, guard_is_spent), due = fields & ~spent, failed;

    if (spent)
        pause_restores(d, spent);
    due &= ~guard_fields_that(d, due, waits);
    failed = guard_fields_that(d, due, has_failed);
    if (due & ~failed)
        due &= ~failed;
    else
        due &= ~due + 1; /* the lowest */
    if (due)
        begin_action(d, ACTION_RESTORE, &d->s.incident.restore, due);
}

static bool waits_for_restart(const Deciding *d) {
    return (d->s.findings & FINDING_BIT(FINDING_STOPPED)) && guard_may_restart(d);
}

static bool waits_for_recreation(const Deciding *d) {
    return (d->s.findings & FINDING_BIT(FINDING_MISSING)) && guard_may_recreate(d);
}

/* One at a time, recording first: neither a restart nor a re-creation waits until settings are read back. A
 * restart that waits for its back-off does not keep the settings waiting: they may be why it fails. */
void guard_plan_action(Deciding *d) {
    TrailState *s = &d->s;
    uint32_t fields = guard_restorable(d, s->fields);

    begin_hours_that_are_over(d);
    if (s->acting && s->action != ACTION_RESTORE)
        return;
    if (waits_for_restart(d) && d->now.mono_usec >= s->act_after_mono_usec)
        begin_action(d, ACTION_RESTART, &s->incident.action, 0);
    else if (waits_for_recreation(d))
        begin_recreation(d);
    else if (fields != 0 && !s->acting)
        begin_restore(d, fields);
}

static uint64_t restore_wake(const Deciding *d, unsigned of) {
    const RestoreCount *count = &d->s.restores[of];

    return guard_is_spent(d, of)
                   ? d->now.mono_usec + (GUARD_HOUR_USEC - elapsed(count->since_usec, d->now.real_usec))
                   : count->after_mono_usec;
}

uint64_t guard_action_wake(const Deciding *d) {
    const TrailState *s = &d->s;
    uint32_t fields = guard_restorable(d, s->fields);
    uint64_t wake = 0;

    if (s->acting && s->action != ACTION_RESTORE)
        return 0;
    if (waits_for_restart(d))
        wake = s->act_after_mono_usec;
    if (waits_for_recreation(d))
        return earlier(wake, restore_wake(d, RECREATION));
    for (unsigned f = 0; f < _FIELD_MAX && !s->acting; f++)
        if (fields & FIELD_BIT(f))
            wake = earlier(wake, restore_wake(d, f));
    return wake;
}

/* ---- for a log ---- */

static const char *why_not_allowed(const Deciding *d, Action action) {
    bool to_start = action == ACTION_RESTART;

    if (d->facts->maintenance && (!to_start || d->facts->stop_allowed))
        return "a maintenance window";
    return guard_may_write(d->facts, action) ? "the configuration (mode, restore)" : "the trail's owner";
}

static const char *why_restart_waits(const Deciding *d, uint64_t *until_usec) {
    if (!guard_may_restart(d))
        return why_not_allowed(d, ACTION_RESTART);
    *until_usec = d->s.act_after_mono_usec;
    return d->now.mono_usec < *until_usec ? "back-off after restarts that failed" : NULL;
}

/* The restores of one field, or of the trail itself. */
static const char *why_restore_waits(const Deciding *d, unsigned of, uint64_t *until_usec) {
    *until_usec = restore_wake(d, of);
    if (guard_is_spent(d, of))
        return "max_restores_per_hour";
    return waits(d, of) ? "back-off after restores that failed" : NULL;
}

static const char *why_settings_wait(const Deciding *d, uint64_t *until_usec) {
    uint32_t fields = guard_restorable(d, d->s.fields);

    if (!fields)
        return why_not_allowed(d, ACTION_RESTORE);
    for (unsigned f = 0; f < _FIELD_MAX; f++)
        if (fields & FIELD_BIT(f)) {
            const char *why = why_restore_waits(d, f, until_usec);

            if (why)
                return why;
        }
    return NULL;
}

const char *guard_held_back(const Policy *policy, const TrailFacts *facts, const TrailState *state, Now now,
                            uint64_t *ret_until_usec) {
    const Deciding d = { .policy = policy, .facts = facts, .now = now, .s = *state };

    *ret_until_usec = 0;
    if (state->acting)
        return NULL;
    if (state->findings & FINDING_BIT(FINDING_STOPPED))
        return why_restart_waits(&d, ret_until_usec);
    if (state->findings & FINDING_BIT(FINDING_MISSING))
        return guard_may_recreate(&d) ? why_restore_waits(&d, RECREATION, ret_until_usec)
                                      : why_not_allowed(&d, ACTION_RECREATE);
    return state->fields ? why_settings_wait(&d, ret_until_usec) : NULL;
}
