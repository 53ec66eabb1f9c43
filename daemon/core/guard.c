/* SPDX-License-Identifier: Apache-2.0 */
/* One decision about a trail: the input, the next action, the outcome of an action, and what is due in any
 * case. */
#include "daemon/core/guard_private.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

TrailState guard_trail_init(void) {
    return (TrailState){ .verdict = VERDICT_UNKNOWN, .incident.event = _EVENT_MAX };
}

void guard_resume(TrailState *state, Now now) {
    state->acting = state->is_restarting_unpolled = false;
    state->contest.until_mono_usec = state->contest.n > 0 ? now.mono_usec + GUARD_CONTEST_USEC : 0;
    state->pending.by_mono_usec = state->pending.set ? now.mono_usec + GUARD_HOLD_USEC : 0;
    state->pending_restore.by_mono_usec =
            state->pending_restore.set ? now.mono_usec + 2 * GUARD_HOLD_USEC : 0;
    if (state->pending_restore.set || state->incident.restore.result == RESULT_PENDING)
        for (unsigned i = 0; i <= RECREATION; i++)
            state->restores[i].after_mono_usec = now.mono_usec + GUARD_HOLD_USEC;
}

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

/* Reported once per hour and field. The message includes the differences, and replaces the one that waits
 * for a restore that will not happen. */
static void pause_restores(Deciding *d, uint32_t fields) {
    TrailState *s = &d->s;
    Incident *inc = &s->incident;
    bool gone = fields == 0;
    uint32_t about = gone ? FINDING_BIT(FINDING_MISSING) : s->findings & FINDINGS_DRIFT;
    EventKind event;
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
        s->pending_restore = (PendingEvent){ 0 };
    plan_entry(d->plan, gone                       ? LINE_RECREATIONS_PAUSED
                        : about & FINDINGS_CHANGED ? LINE_RESTORES_PAUSED
                                                   : LINE_UNMET_PAUSED)
            ->count = most;
    d->plan->entries[d->plan->n_entries - 1].fields = fields;
    inc->reported |= about;
    inc->reported_fields |= inc->fields;
    inc->suppressed = false;
    event = gone                       ? EVENT_TRAIL_MISSING
            : about & FINDINGS_CHANGED ? EVENT_TRAIL_WEAKENED
                                       : EVENT_EXPECTATION_UNMET;
    (void)guard_report(d, PHASE_OPENED, event, SEVERITY_CRITICAL, since, about, "");
}

bool guard_is_done_with(const TrailState *state) {
    return state->provisional && (state->findings & FINDING_BIT(FINDING_MISSING)) && !state->acting &&
           !state->attributing.wanted && !state->pending.set && !state->pending_restore.set;
}

/* ---- the outcome of an action ---- */

static uint64_t backoff_usec(unsigned failures) {
    unsigned doublings = MIN(failures - 1, 6U);

    return MIN(USEC_PER_SEC << doublings, GUARD_BACKOFF_MAX_USEC);
}

/* Reported at the 1st, 2nd, 4th, 8th ... failure, with the count. */
static void guard_note_failure(Deciding *d, JournalLine what, unsigned count, uint32_t fields,
                               const Outcome *outcome, const char *detail) {
    JournalEntry *entry;

    if ((count & (count - 1)) != 0)
        return;
    entry = plan_entry(d->plan, what);
    entry->count = count;
    entry->fields = fields;
    entry->refused = !guard_may_write(d->facts, outcome->action);
    (void)text_copy(entry->detail, sizeof(entry->detail), detail);
    (void)text_copy(entry->request_id, sizeof(entry->request_id), outcome->request_id);
}

/* The read-back confirmed the write. */
static JournalEntry *note_success(Deciding *d, JournalLine what, const Outcome *outcome) {
    JournalEntry *entry = plan_entry(d->plan, what);

    (void)text_copy(entry->request_id, sizeof(entry->request_id), outcome->request_id);
    return entry;
}

/* Findings that a status cannot show stay unchanged. */
static uint32_t not_in_status(uint32_t findings) {
    return findings & (FINDINGS_DRIFT | FINDINGS_BESIDE);
}

static void take_read_back(Deciding *d, const Observation *seen) {
    TrailState *s = &d->s;

    guard_end_unreachable(d);
    guard_remember(s, seen, d->now);
    s->findings = (guard_conditions(d, seen) & ~FINDING_BIT(FINDING_STOPPED)) | not_in_status(s->findings);
}

/* If the trail can be polled again, the read-back shows what happened meanwhile. */
static void restarted_unpolled(Deciding *d, const Outcome *outcome) {
    TrailState *s = &d->s;

    s->is_restarting_unpolled = false;
    s->unpolled_accepted = outcome->result == RESULT_CONFIRMED ||
                           (outcome->request_id[0] != '\0' && outcome->error_code[0] == '\0');
    s->unpolled_after_mono_usec = d->now.mono_usec + GUARD_UNPOLLED_USEC;
    guard_note_failure(d, LINE_STARTED_UNPOLLED, s->n_unpolled_restarts, 0, outcome, outcome->error_text);
    if (outcome->result == RESULT_CONFIRMED)
        guard_polled(d, &outcome->seen, NULL);
}

static void remember_failure(Incident *inc, Action action, const char *why) {
    inc->failed = action;
    (void)text_copy(inc->failed_text, sizeof(inc->failed_text), why);
}

static void restarted(Deciding *d, const Outcome *outcome) {
    TrailState *s = &d->s;
    Incident *inc = &s->incident;
    const Observation *seen = &outcome->seen;
    uint32_t was = s->findings, fails;

    if (s->is_restarting_unpolled) {
        restarted_unpolled(d, outcome);
        return;
    }
    inc->action.result = outcome->result;
    if (outcome->result != RESULT_CONFIRMED) {
        s->n_action_failures++;
        s->act_after_mono_usec = d->now.mono_usec + backoff_usec(s->n_action_failures);
        remember_failure(inc, ACTION_RESTART, outcome->error_text);
        guard_note_failure(d, LINE_RESTART_FAILED, s->n_action_failures, 0, outcome, outcome->error_text);
        guard_report_pending(d, &s->pending, outcome->error_text);
        return;
    }
    s->n_action_failures = 0;
    s->act_after_mono_usec = 0;
    take_read_back(d, seen);
    inc->gap.to_usec = seen->start_usec >= inc->gap.from_usec ? seen->start_usec : d->now.real_usec;
    note_success(d, LINE_RUNNING_AGAIN, outcome)->gap = inc->gap;
    guard_undone(d);
    guard_report_pending(d, &s->pending, "");
    fails = s->findings & ~was & FINDINGS_ERRORS;
    if (fails)
        guard_found_failing(d, seen, fails);
    if (!seen->is_logging) {
        /* stopped again since the read-back began */
        s->findings |= FINDING_BIT(FINDING_STOPPED);
        guard_found_stopped(d, seen, false);
    }
}

/* The pause grows with each failure in a row. Returns the number of failures. */
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

static void note_reported_drift(Deciding *d) {
    d->s.incident.reported |= d->s.findings & FINDINGS_CHANGED;
    d->s.incident.reported_fields |= d->s.fields;
}

/* Reports what a re-created trail lacks, if the message about its deletion has been sent already: for later
 * polls it is no news. */
static void report_lack(Deciding *d, uint32_t fields, const char *why) {
    Incident *inc = &d->s.incident;
    PendingEvent how = { .phase = PHASE_OPENED, .findings = d->s.findings & FINDINGS_CHANGED };

    if (!inc->open || how.findings == 0 || !(fields & ~inc->reported_fields))
        return;
    inc->fields = d->s.fields;
    inc->changed_usec = d->now.real_usec;
    how.dedup_usec = guard_new_mark(&d->s, d->s.fields, d->now);
    guard_report_trouble(d, &how, why);
}

static void restore_failed(Deciding *d, JournalLine note, unsigned n_failures, uint32_t fields,
                           const Outcome *outcome) {
    TrailState *s = &d->s;
    const char *why = outcome->error_text[0] ? outcome->error_text : "accepted, but it does not show";

    s->incident.restore.result = RESULT_FAILED;
    remember_failure(&s->incident, outcome->action, why);
    guard_note_failure(d, note, n_failures, fields, outcome, why);
    if (s->pending_restore.set)
        guard_report_pending(d, &s->pending_restore, why);
    else
        report_lack(d, fields, why);
}

static void restored(Deciding *d, const Outcome *outcome) {
    TrailState *s = &d->s;
    uint32_t was = s->fields, left = outcome->fields_left & was, tried = s->restoring;
    unsigned n_failures = 0;

    if (was == 0) /* the trail was deleted meanwhile, so the outcome is about a trail that no longer
                     exists */
        return;
    /* decided by the read-back, not by the result: a field that no longer differs is restored, the others
     * failed */
    guard_set_fields(s, left, s->losing_fields, left != was ? 0 : s->drift_mark);
    guard_drill_changed(d);
    for (unsigned f = 0; f < _FIELD_MAX; f++)
        if (tried & left & FIELD_BIT(f)) {
            unsigned n = count_failure(d, f);

            n_failures = MAX(n_failures, n);
        } else if (tried & was & FIELD_BIT(f))
            count_restore(d, f);
    if (was & ~left)
        note_success(d, LINE_RESTORED, outcome)->fields = was & ~left;
    if (tried & left) {
        uint32_t failed = tried & left;

        restore_failed(d, failed & ~s->unmet_fields ? LINE_RESTORE_FAILED : LINE_UNMET_FAILED, n_failures,
                       failed, outcome);
        return;
    }
    s->incident.restore.result = guard_restorable(d, left) ? RESULT_FAILED : RESULT_CONFIRMED;
    guard_report_pending(d, &s->pending_restore, "");
}

/* If the new trail does not log yet, it counts as stopped. The next poll compares its settings. */
static void recreated(Deciding *d, const Outcome *outcome) {
    TrailState *s = &d->s;
    const Observation *seen = &outcome->seen;

    if (outcome->result != RESULT_CONFIRMED) {
        restore_failed(d, LINE_RECREATE_FAILED, count_failure(d, RECREATION), 0, outcome);
        return;
    }
    count_restore(d, RECREATION);
    s->incident.restore.result = RESULT_CONFIRMED;
    take_read_back(d, seen);
    guard_set_fields(s, outcome->fields_left, 0, 0);
    s->incident.fields = s->fields;
    (void)note_success(d, LINE_RECREATED, outcome);
    if (!seen->is_logging)
        s->findings |= FINDING_BIT(FINDING_STOPPED);
    if (s->pending_restore.set) /* that message names what the new trail lacks */
        note_reported_drift(d);
    guard_report_pending(d, &s->pending_restore, "");
    if (!seen->is_logging)
        guard_found_stopped(d, seen, false);
    if (s->findings & FINDINGS_ERRORS)
        guard_found_failing(d, seen, s->findings & FINDINGS_ERRORS);
}

static void acted(Deciding *d, const Outcome *outcome) {
    d->s.acting = false;
    switch (outcome->action) {
    case ACTION_RESTORE: restored(d, outcome); break;
    case ACTION_RECREATE: recreated(d, outcome); break;
    default: restarted(d, outcome); break;
    }
}

/* ---- the next action ---- */

static void begin_action(Deciding *d, Action action, ActionReport *report, uint32_t fields) {
    TrailState *s = &d->s;

    d->plan->abandon = s->acting;
    if (s->acting) /* only a restore is abandoned; it will be repeated */
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

/* Writes all fields at once, except that those that failed before go one at a time, because it is unknown
 * which of them AWS refuses. */
static void begin_restore(Deciding *d, uint32_t fields) {
    uint32_t spent = guard_fields_that(d, fields, guard_is_spent), due = fields & ~spent, failed;

    if (spent)
        pause_restores(d, spent);
    due &= ~guard_fields_that(d, due, waits);
    failed = guard_fields_that(d, due, has_failed);
    if (due & ~failed)
        due &= ~failed;
    else
        due &= ~due + 1; /* the lowest bit */
    if (due)
        begin_action(d, ACTION_RESTORE, &d->s.incident.restore, due);
}

static bool waits_for_restart(const Deciding *d) {
    return (d->s.findings & FINDING_BIT(FINDING_STOPPED)) && guard_may_restart(d);
}

static void begin_unpolled_restart(Deciding *d) {
    ActionReport none = { 0 }; /* it belongs to no incident of the trail */

    d->s.is_restarting_unpolled = true;
    d->s.n_unpolled_restarts++;
    begin_action(d, ACTION_RESTART, &none, 0);
}

static bool waits_for_recreation(const Deciding *d) {
    return (d->s.findings & FINDING_BIT(FINDING_MISSING)) && guard_may_recreate(d);
}

/* One action at a time, recording first: restarts and re-creations do not wait for the read-back of
 * settings. A restart in back-off does not delay settings, because wrong settings may be why it fails. */
static void plan_action(Deciding *d) {
    TrailState *s = &d->s;
    uint32_t fields = guard_restorable(d, s->fields);

    begin_hours_that_are_over(d);
    if (s->acting && s->action != ACTION_RESTORE)
        return;
    if (waits_for_restart(d) && d->now.mono_usec >= s->act_after_mono_usec)
        begin_action(d, ACTION_RESTART, &s->incident.action, 0);
    else if (guard_waits_for_unpolled_restart(d) && d->now.mono_usec >= s->unpolled_after_mono_usec)
        begin_unpolled_restart(d);
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

static uint64_t action_wake(const Deciding *d) {
    const TrailState *s = &d->s;
    uint32_t fields = guard_restorable(d, s->fields);
    uint64_t wake = 0;

    if (s->acting && s->action != ACTION_RESTORE)
        return 0;
    if (waits_for_restart(d))
        wake = s->act_after_mono_usec;
    else if (guard_waits_for_unpolled_restart(d))
        wake = s->unpolled_after_mono_usec;
    if (waits_for_recreation(d))
        return earlier(wake, restore_wake(d, RECREATION));
    for (unsigned f = 0; f < _FIELD_MAX && !s->acting; f++)
        if (fields & FIELD_BIT(f))
            wake = earlier(wake, restore_wake(d, f));
    return wake;
}

/* ---- for the log ---- */

static const char *why_not_allowed(const Deciding *d, Action action) {
    bool to_start = action == ACTION_RESTART;

    if (!to_start && d->s.provisional)
        return "nobody has accepted the trail";
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

/* Of one field, or of the trail itself. */
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

/* ---- what is due in any case ---- */

/* A field that was losing events and now is only changed keeps its time. */
static void note_since(const TrailState *prev, TrailState *s, Now now) {
    for (unsigned f = 0; f < _FINDING_MAX; f++) {
        bool held = prev->findings & FINDING_BIT(f);

        if (!(s->findings & FINDING_BIT(f)))
            s->since_usec[f] = 0;
        else if (!held)
            s->since_usec[f] = f == FINDING_CHANGED && prev->since_usec[FINDING_WEAKENED]
                                       ? prev->since_usec[FINDING_WEAKENED]
                                       : now.real_usec;
    }
}

static void report_what_waited(Deciding *d) {
    PendingEvent *slots[] = { &d->s.pending, &d->s.pending_restore };

    for (size_t i = 0; i < ARRAY_SIZE(slots); i++)
        if (slots[i]->set && d->now.mono_usec >= slots[i]->by_mono_usec)
            guard_report_pending(d, slots[i], "");
}

static void end_if_well(Deciding *d) {
    Incident *inc = &d->s.incident;
    bool was_unreachable = inc->event == EVENT_TARGET_UNREACHABLE;

    if (inc->open && guard_is_all_well(d) && incident_end(inc, d->now))
        guard_report(d, PHASE_RESOLVED, was_unreachable ? EVENT_TARGET_REACHABLE : EVENT_TRAIL_RESOLVED,
                     inc->severity, inc->last_dedup_usec, 0, "")
                ->about = was_unreachable
                                  ? inc->reported & (FINDINGS_UNREADABLE | FINDING_BIT(FINDING_UNREACHABLE))
                                  : d->was;
}

/* Drops unreported trouble, and reports the end of what was reported. */
static void forget(Deciding *d, const char *why) {
    TrailState *s = &d->s;

    if (incident_forget(&s->incident, d->now))
        guard_report(d, PHASE_RESOLVED, EVENT_TRAIL_RESOLVED, s->incident.severity,
                     s->incident.last_dedup_usec, 0, why)
                ->forgotten = true;
    *s = guard_trail_init();
}

static bool becomes_critical(const TrailState *s) {
    return (s->findings & FINDING_BIT(FINDING_UNREACHABLE)) && s->incident.open &&
           s->incident.severity < SEVERITY_CRITICAL;
}

static void escalate_unreachable(Deciding *d) {
    uint64_t due_usec = critical_usec(d->s.failed_since_usec);

    if (becomes_critical(&d->s) && d->now.real_usec >= due_usec)
        (void)guard_report(d, PHASE_OPENED, EVENT_TARGET_UNREACHABLE, SEVERITY_CRITICAL, due_usec,
                           FINDING_BIT(FINDING_UNREACHABLE), "");
}

/* For trouble that is worse than reported: it began in a maintenance window, and the window is over. */
static void escalate(Deciding *d) {
    TrailState *s = &d->s;
    const Incident *inc = &s->incident;
    uint32_t findings = s->findings & ~FINDING_BIT(FINDING_UNREACHABLE);
    PendingEvent how = { .phase = PHASE_OPENED, .findings = findings };

    if (!inc->open || inc->sequence == 0 || s->pending.set || s->pending_restore.set ||
        guard_severity_of(d, findings) <= inc->severity)
        return;
    how.dedup_usec = guard_fact_mark(s->marks, "escalated", inc->last_dedup_usec);
    if (!s->acting)
        guard_report_trouble(d, &how, "");
    else
        guard_report_later(d, (findings & FINDING_BIT(FINDING_STOPPED)) ? &s->pending : &s->pending_restore,
                           how);
}

static void remind(Deciding *d) {
    const Incident *inc = &d->s.incident;
    Severity severity = inc->severity, summed_up = incident_worst(inc);

    if (d->s.pending.set || d->s.pending_restore.set)
        return;
    if (d->facts->maintenance && !(d->s.findings & FINDING_BIT(FINDING_UNREACHABLE)))
        severity = summed_up = SEVERITY_INFO;
    if (incident_summary_is_due(inc, d->now))
        (void)guard_report(d, PHASE_SUMMARY, inc->event, summed_up, inc->last_dedup_usec, 0, "");
    if (incident_reminder_is_due(inc, d->policy, d->now))
        (void)guard_report(d, PHASE_REMINDER, EVENT_INCIDENT_REMINDER, severity, inc->last_dedup_usec, 0,
                           "");
}

static void end_contest(Deciding *d) {
    Contest *contest = &d->s.contest;
    JournalEntry *entry;

    if (!contest_is_over(contest, d->now))
        return;
    if (contest->reported) {
        entry = plan_entry(d->plan, LINE_CONTEST_OVER);
        entry->count = contest->n;
        entry->gap = (Gap){ contest->since_usec, contest->last_usec };
    }
    *contest = (Contest){ 0 };
}

static uint64_t wake_mono_usec(const Deciding *d) {
    const TrailState *s = &d->s;
    uint64_t wake = incident_wake_mono_usec(&s->incident, d->policy, d->now);

    wake = earlier(wake, s->contest.until_mono_usec);
    wake = earlier(wake, s->pending.by_mono_usec);
    wake = earlier(wake, s->pending_restore.by_mono_usec);
    wake = earlier(wake, action_wake(d));
    wake = earlier(wake, guard_drill_wake(d));
    if (becomes_critical(s))
        wake = earlier(wake, critical_wake_mono_usec(s->failed_since_usec, d->now));
    return earlier(wake, guard_search_wake(d));
}

static bool is_due(uint64_t wake_usec, const Deciding *d) {
    return wake_usec != 0 && wake_usec <= d->now.mono_usec;
}

const char *guard_wake_reason(const Policy *policy, const TrailFacts *facts, const TrailState *state,
                              Now now) {
    Deciding d = { .policy = policy, .facts = facts, .now = now, .s = *state };

    if (is_due(state->pending.by_mono_usec, &d) || is_due(state->pending_restore.by_mono_usec, &d))
        return "an alert has waited long enough for the outcome";
    if (is_due(action_wake(&d), &d))
        return "a restart or restore is due again";
    if (search_is_due(&d.s.attributing, now))
        return "a search for who did it is due";
    return "a reminder or a summary is due";
}

static void take_clock(Deciding *d) {
    TrailState *s = &d->s;

    incident_take_clock(&s->incident, d->now);
    s->failed_since_usec = MIN(s->failed_since_usec, d->now.real_usec);
    s->polled_usec = MIN(s->polled_usec, d->now.real_usec);
    s->settings_usec = MIN(s->settings_usec, d->now.real_usec);
    s->strengthened_usec = MIN(s->strengthened_usec, d->now.real_usec);
}

/* Until it counts as unreachable, a trail keeps the verdict of its last good poll, unless a worse finding is
 * known. */
static Verdict judge(const Deciding *d, const TrailState *prev, const TrailInput *input) {
    Verdict verdict = guard_verdict(d->s.findings | d->events, d->s.known,
                                    d->s.n_failed >= d->policy->unreachable_after, d->facts->writable);

    bool failed = input->kind == GUARD_UNREACHABLE ||
                  (input->kind == GUARD_POLLED && input->seen->kind == OBSERVED_ERROR);

    if (failed && d->s.n_failed < d->policy->unreachable_after)
        return MIN(verdict, prev->verdict);
    return verdict;
}

/* The trouble whose mark a crash kept out of the state file was found again, is over, or is too old. */
#define MARKING_USEC (24 * 3600ULL * USEC_PER_SEC)

static void forget_marking(TrailState *s, const TrailState *prev, const TrailInput *input, Now now) {
    if (s->marked_usec != prev->marked_usec || input->drift ||
        elapsed(s->marking_usec, now.real_usec) > MARKING_USEC)
        s->marking_usec = 0;
}

uint64_t guard_trail_marks(const TrailState *before, const TrailState *next, TrailState *ret_marked) {
    uint64_t marked_usec = next->marked_usec != before->marked_usec ? next->marked_usec : 0;

    *ret_marked = *before;
    if (marked_usec != 0)
        ret_marked->marking_usec = marked_usec;
    if (before->failed_since_usec == 0)
        ret_marked->failed_since_usec = next->failed_since_usec;
    return MAX(marked_usec, next->failed_since_usec);
}

void guard_trail(const Policy *policy, const TrailFacts *facts, const TrailState *prev,
                 const TrailInput *input, Now now, Plan *ret_plan, TrailState *ret_next) {
    Deciding d = {
        .policy = policy, .facts = facts, .now = now, .s = *prev, .was = prev->findings, .plan = ret_plan
    };
    Verdict verdict;

    plan_begin(ret_plan);
    take_clock(&d);
    switch (input->kind) {
    case GUARD_POLLED: guard_polled(&d, input->seen, input->drift); break;
    case GUARD_NOT_LISTED: guard_named(&d, false); break;
    case GUARD_LISTED: guard_named(&d, true); break;
    case GUARD_UNREACHABLE: guard_account_unreachable(&d, input->result); break;
    case GUARD_COMPARED: guard_compared(&d, input->seen, input->drift); break;
    case GUARD_ACTED: acted(&d, input->outcome); break;
    case GUARD_ATTRIBUTED: guard_attributed(&d, input->attribution); break;
    case GUARD_FORGOTTEN: forget(&d, input->why); break;
    case GUARD_TIME: break;
    }
    plan_action(&d);
    if (d.plan->action != ACTION_NONE) /* distinct for each action, even within a microsecond */
        d.s.intent_usec = MAX(now.real_usec, d.s.intent_usec + 1);
    guard_report_appeared(&d);
    report_what_waited(&d);
    guard_sum_up(&d, prev);
    end_if_well(&d);
    note_since(prev, &d.s, now);
    escalate_unreachable(&d);
    escalate(&d);
    remind(&d);
    end_contest(&d);
    guard_plan_search(&d);

    forget_marking(&d.s, prev, input, now);

    verdict = judge(&d, prev, input);
    d.s.verdict = verdict;
    ret_plan->wake_mono_usec = wake_mono_usec(&d);
    ret_plan->hold = d.s.pending.set || d.s.pending_restore.set;
    *ret_next = d.s;
}
