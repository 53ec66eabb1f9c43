/* SPDX-License-Identifier: Apache-2.0 */
/* The guard's hands: what may be done, what is done next, and what came of it. */
#include "daemon/guard_private.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define HOUR_USEC (3600ULL * USEC_PER_SEC)

/* What the words of the option `restore` stand for. */
static const uint32_t fields_of_kind[_RESTORE_KIND_MAX] = {
    [RESTORE_SETTINGS] = FIELDS_TRAIL,
    [RESTORE_SELECTORS] = FIELD_BIT(FIELD_SELECTORS),
    [RESTORE_INSIGHTS] = FIELD_BIT(FIELD_INSIGHTS),
    [RESTORE_DELETED] = FIELD_BIT(FIELD_TAGS),
};

/* ---- what may be done ---- */

bool guard_may_restart(const Deciding *d) {
    return d->policy->mode != MODE_OBSERVE && d->facts->writable &&
           !(d->facts->maintenance && d->facts->stop_allowed);
}

static bool may_write_settings(const Deciding *d) {
    return d->policy->mode == MODE_RESTORE && d->facts->writable && !d->facts->maintenance;
}

/* A trail that was never seen has no baseline to make it from. */
bool guard_may_recreate(const Deciding *d) {
    return may_write_settings(d) && (d->policy->restore & RESTORE_BIT(RESTORE_DELETED)) && d->s.known;
}

uint32_t guard_restorable(const Deciding *d, uint32_t fields) {
    uint32_t allowed = 0;

    if (!may_write_settings(d))
        return 0;
    for (unsigned k = 0; k < _RESTORE_KIND_MAX; k++)
        if (d->policy->restore & RESTORE_BIT(k))
            allowed |= fields_of_kind[k];
    return fields & allowed;
}

/* ---- the hourly ceiling ---- */

static bool restores_are_spent(const Deciding *d) {
    return d->s.restores_since_usec != 0 && d->s.n_restores >= d->policy->max_restores_per_hour &&
           elapsed(d->s.restores_since_usec, d->now.real_usec) < HOUR_USEC;
}

bool guard_restores_rest(const Deciding *d) {
    return d->s.restores_paused && restores_are_spent(d);
}

static void begin_hour_if_over(Deciding *d) {
    TrailState *s = &d->s;

    if (s->restores_since_usec > d->now.real_usec) /* the clock was set back */
        s->restores_since_usec = d->now.real_usec;
    if (s->restores_since_usec != 0 && elapsed(s->restores_since_usec, d->now.real_usec) >= HOUR_USEC) {
        s->restores_since_usec = 0;
        s->n_restores = 0;
        s->restores_paused = false;
    }
}

/* Said once an hour, and always: with what differs, and in place of the message that waits for a restore
 * that will not come. */
static void pause_restores(Deciding *d) {
    TrailState *s = &d->s;
    Incident *inc = &s->incident;
    bool gone = s->findings & FINDING_BIT(FINDING_MISSING);
    uint32_t about = gone ? FINDING_BIT(FINDING_MISSING) : s->findings & FINDINGS_DRIFT;

    if (s->restores_paused)
        return;
    s->restores_paused = true;
    s->pending_restore = (PendingTell){ 0 };
    plan_note(d->plan, NOTE_RESTORES_PAUSED)->count = s->n_restores;
    inc->told |= about;
    inc->told_fields |= inc->fields;
    inc->quiet = false;
    (void)guard_tell(d, TELL_OPENED, gone ? EVENT_TRAIL_MISSING : EVENT_TRAIL_WEAKENED, SEVERITY_CRITICAL,
                     s->restores_since_usec, about, "");
}

/* ---- what came of it ---- */

static uint64_t backoff_usec(unsigned failures) {
    unsigned doublings = MIN(failures - 1, 6U);

    return MIN(USEC_PER_SEC << doublings, GUARD_BACKOFF_MAX_USEC);
}

/* 1, 2, 4, 8 ...: a failure that repeats is told once in a while, with its count. */
static void note_failure(Deciding *d, Note what, unsigned count, uint32_t fields, const char *detail) {
    NoteValue *note;

    if ((count & (count - 1)) != 0)
        return;
    note = plan_note(d->plan, what);
    note->count = count;
    note->fields = fields;
    (void)text_copy(note->detail, sizeof(note->detail), detail);
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
    if (outcome->result != RESULT_HELD) {
        s->n_action_failures++;
        s->act_after_mono_usec = d->now.mono_usec + backoff_usec(s->n_action_failures);
        note_failure(d, NOTE_RESTART_FAILED, s->n_action_failures, 0, outcome->error_text);
        guard_tell_pending(d, &s->pending, outcome->error_text);
        return;
    }
    s->n_action_failures = 0;
    s->act_after_mono_usec = 0;
    take_read_back(d, seen);
    inc->gap.to_usec = seen->start_usec >= inc->gap.from_usec ? seen->start_usec : d->now.real_usec;
    plan_note(d->plan, NOTE_RUNNING_AGAIN)->gap = inc->gap;
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

static void restore_failed(Deciding *d, Note note, const Outcome *outcome) {
    TrailState *s = &d->s;
    const char *why = outcome->error_text[0] ? outcome->error_text : "accepted, but it does not show";

    s->incident.restore.result = RESULT_FAILED;
    s->n_restore_failures++;
    s->restore_after_mono_usec = d->now.mono_usec + backoff_usec(s->n_restore_failures);
    note_failure(d, note, s->n_restore_failures, s->fields, why);
    guard_tell_pending(d, &s->pending_restore, why);
}

static void restored(Deciding *d, const Outcome *outcome) {
    TrailState *s = &d->s;
    uint32_t was = s->fields, left = outcome->fields_left & was;
    /* what does not differ any more is well, and what does did not hold, whatever the outcome is called */
    bool held = outcome->result == RESULT_HELD || (was && !left);

    guard_set_fields(s, left, s->losing_fields, held || left != was ? 0 : s->drift_mark);
    if (!held || guard_restorable(d, left)) {
        restore_failed(d, NOTE_RESTORE_FAILED, outcome);
        return;
    }
    s->n_restore_failures = 0;
    s->restore_after_mono_usec = 0;
    s->incident.restore.result = RESULT_HELD;
    plan_note(d->plan, NOTE_RESTORED)->fields = was & ~s->fields;
    guard_tell_pending(d, &s->pending_restore, "");
}

/* A new trail that is not logging yet is a stopped trail; what differs in it is known at the next look. */
static void recreated(Deciding *d, const Outcome *outcome) {
    TrailState *s = &d->s;
    const Observation *seen = &outcome->seen;

    if (outcome->result != RESULT_HELD) {
        restore_failed(d, NOTE_RECREATE_FAILED, outcome);
        return;
    }
    s->n_restore_failures = 0;
    s->restore_after_mono_usec = 0;
    s->incident.restore.result = RESULT_HELD;
    take_read_back(d, seen);
    guard_set_fields(s, outcome->fields_left, 0, 0);
    s->incident.fields = s->fields;
    (void)plan_note(d->plan, NOTE_RECREATED);
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

static void begin_action(Deciding *d, Action action, ActionReport *report) {
    d->s.acting = true;
    report->taken = action;
    report->result = RESULT_PENDING;
    report->attempts++;
    d->plan->action = action;
}

static void begin_restore(Deciding *d, Action action, uint32_t fields) {
    TrailState *s = &d->s;

    if (d->now.mono_usec < s->restore_after_mono_usec)
        return;
    if (restores_are_spent(d)) {
        pause_restores(d);
        return;
    }
    if (s->restores_since_usec == 0)
        s->restores_since_usec = d->now.real_usec;
    s->n_restores++;
    d->plan->fields = fields;
    begin_action(d, action, &s->incident.restore);
}

static bool waits_for_restart(const Deciding *d) {
    return (d->s.findings & FINDING_BIT(FINDING_STOPPED)) && guard_may_restart(d);
}

/* One at a time, recording first. A restart that waits for its back-off does not keep the settings waiting:
 * they may be why it fails. */
void guard_plan_action(Deciding *d) {
    TrailState *s = &d->s;
    uint32_t fields = guard_restorable(d, s->fields);

    begin_hour_if_over(d);
    if (s->acting)
        return;
    if (waits_for_restart(d) && d->now.mono_usec >= s->act_after_mono_usec)
        begin_action(d, ACTION_RESTART, &s->incident.action);
    else if ((s->findings & FINDING_BIT(FINDING_MISSING)) && guard_may_recreate(d))
        begin_restore(d, ACTION_RECREATE, 0);
    else if (fields != 0)
        begin_restore(d, ACTION_RESTORE, fields);
}

uint64_t guard_action_wake(const Deciding *d) {
    const TrailState *s = &d->s;
    uint64_t wake = 0, since = elapsed(s->restores_since_usec, d->now.real_usec);
    bool gone = (s->findings & FINDING_BIT(FINDING_MISSING)) && guard_may_recreate(d);

    if (s->acting)
        return 0;
    if (waits_for_restart(d))
        wake = s->act_after_mono_usec;
    if (!gone && !guard_restorable(d, s->fields))
        return wake;
    return earlier(wake, restores_are_spent(d) ? d->now.mono_usec + (HOUR_USEC - since)
                                               : s->restore_after_mono_usec);
}
