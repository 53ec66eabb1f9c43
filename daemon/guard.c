/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/guard.h"

#include "daemon/guard_incident.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* One row a finding: what it is called in alerts, how bad it is, and which verdict it makes. */
static const struct {
    Event event;
    Severity severity;
    Verdict verdict;
} findings_table[_FINDING_MAX] = {
    [FINDING_MISSING] = { EVENT_TRAIL_MISSING, SEVERITY_CRITICAL, VERDICT_MISSING },
    [FINDING_STOPPED] = { EVENT_TRAIL_STOPPED, SEVERITY_CRITICAL, VERDICT_STOPPED },
    [FINDING_FLAPPED] = { EVENT_TRAIL_FLAPPED, SEVERITY_CRITICAL, VERDICT_FLAPPED },
    [FINDING_RECREATED] = { EVENT_TRAIL_MISSING, SEVERITY_CRITICAL, VERDICT_FLAPPED },
    [FINDING_WEAKENED] = { EVENT_TRAIL_WEAKENED, SEVERITY_CRITICAL, VERDICT_WEAKENED },
    [FINDING_CHANGED] = { EVENT_TRAIL_WEAKENED, SEVERITY_WARNING, VERDICT_WEAKENED },
    [FINDING_DELIVERY] = { EVENT_TRAIL_FAILING, SEVERITY_CRITICAL, VERDICT_FAILING },
    [FINDING_DIGEST] = { EVENT_TRAIL_FAILING, SEVERITY_WARNING, VERDICT_FAILING },
    [FINDING_LOG_GROUP] = { EVENT_TRAIL_FAILING, SEVERITY_WARNING, VERDICT_FAILING },
    [FINDING_NOTIFICATION] = { EVENT_TRAIL_FAILING, SEVERITY_WARNING, VERDICT_FAILING },
    [FINDING_STALE] = { EVENT_TRAIL_FAILING, SEVERITY_CRITICAL, VERDICT_FAILING },
    [FINDING_BUCKET] = { EVENT_TRAIL_FAILING, SEVERITY_CRITICAL, VERDICT_FAILING },
    [FINDING_LIFECYCLE] = { EVENT_TRAIL_FAILING, SEVERITY_CRITICAL, VERDICT_FAILING },
    [FINDING_KEY] = { EVENT_TRAIL_FAILING, SEVERITY_CRITICAL, VERDICT_FAILING },
    [FINDING_BLIND] = { EVENT_GUARD_BLIND, SEVERITY_WARNING, VERDICT_UNKNOWN },
};

/* One decision under way: everything that its steps need. */
typedef struct Deciding {
    const Policy *policy;
    const TrailFacts *facts;
    Now now;
    TrailState s;
    Plan *plan;
} Deciding;

Severity guard_severity(Finding finding, const TrailFacts *facts) {
    /* without digests a tampered log file could not be told from a true one */
    if (finding == FINDING_DIGEST && facts->validation)
        return SEVERITY_CRITICAL;
    return findings_table[finding].severity;
}

Verdict guard_verdict(uint32_t findings, bool known, bool unseen, bool writable) {
    Verdict verdict = writable ? VERDICT_LOGGING : VERDICT_PROTECTED;

    if (unseen || (!known && findings == 0))
        verdict = VERDICT_UNKNOWN;
    for (unsigned f = 0; f < _FINDING_MAX; f++)
        if (findings & FINDING_BIT(f))
            verdict = MIN(verdict, findings_table[f].verdict);
    return verdict;
}

TrailState guard_trail_init(void) {
    return (TrailState){ .verdict = VERDICT_UNKNOWN, .incident.event = _EVENT_MAX };
}

static uint32_t conditions(const Observation *seen) {
    uint32_t found = 0;

    if (!seen->is_logging)
        found |= FINDING_BIT(FINDING_STOPPED);
    if (seen->delivery_error[0])
        found |= FINDING_BIT(FINDING_DELIVERY);
    if (seen->digest_error[0])
        found |= FINDING_BIT(FINDING_DIGEST);
    if (seen->log_group_error[0])
        found |= FINDING_BIT(FINDING_LOG_GROUP);
    if (seen->notification_error[0])
        found |= FINDING_BIT(FINDING_NOTIFICATION);
    return found;
}

static const char *error_of(const Observation *seen, Finding finding) {
    switch (finding) {
    case FINDING_DELIVERY: return seen->delivery_error;
    case FINDING_DIGEST: return seen->digest_error;
    case FINDING_LOG_GROUP: return seen->log_group_error;
    case FINDING_NOTIFICATION: return seen->notification_error;
    default: return "";
    }
}

static bool may_act(const Deciding *d) {
    return d->policy->mode != MODE_OBSERVE && d->facts->writable;
}

static Tell *tell(Deciding *d, TellKind kind, Event event, Severity severity, uint64_t mark_usec,
                  const char *detail) {
    Tell *t = incident_tell(&d->s.incident, d->plan, kind, event, severity, mark_usec, d->now);

    t->findings = d->s.findings;
    t->may_act = may_act(d);
    t->protected = !d->facts->writable;
    t->mode = d->policy->mode;
    t->error = d->s.error;
    t->n_failed = d->s.n_failed;
    text_copy(t->detail, sizeof(t->detail), detail);
    return t;
}

/* The identity of trouble that AWS gives no time for: the last sign of life before it, and which time it is
 * in this incident, so that two guards agree and a second episode is not taken for the first. */
static uint64_t mark_without_time(const Deciding *d) {
    uint64_t base = MAX(d->s.delivery_usec, d->s.start_usec);

    return (base != 0 ? base : d->now.real_usec) + d->s.incident.n_reopened;
}

static void end_if_well(Deciding *d) {
    Incident *inc = &d->s.incident;
    bool was_blind = inc->event == EVENT_GUARD_BLIND;

    if (!inc->open || d->s.findings != 0 || d->s.pending.set)
        return;
    if (incident_end(inc, d->now) && inc->sequence > 0)
        tell(d, TELL_RESOLVED, was_blind ? EVENT_GUARD_SIGHTED : EVENT_TRAIL_RESOLVED, inc->severity,
             inc->last_mark_usec, "");
}

/* Tells of a finding that begins now, under the rules of incidents. A message that leaves nothing wrong
 * resolves the incident too. */
static void tell_finding(Deciding *d, Finding finding, TellKind kind, bool first_sight, const char *detail) {
    Incident *inc = &d->s.incident;
    bool is_new = (inc->told & FINDING_BIT(finding)) == 0;
    bool resolves = d->s.findings == 0;
    Tell *t;

    inc->told |= FINDING_BIT(finding);
    if (is_new)
        inc->quiet = false; /* trouble of a new kind is always told */
    else if (!incident_may_tell(inc, kind, d->now)) {
        if (resolves)
            (void)incident_end(inc, d->now);
        return;
    }
    t = tell(d, is_new ? TELL_OPENED : kind, findings_table[finding].event,
             guard_severity(finding, d->facts), inc->last_mark_usec, detail);
    t->first_sight = first_sight;
    t->resolves = resolves;
    if (resolves)
        (void)incident_end(inc, d->now);
}

static void tell_pending(Deciding *d, const char *detail) {
    PendingTell pending = d->s.pending;

    if (!pending.set)
        return;
    d->s.pending = (PendingTell){ 0 };
    tell_finding(d, FINDING_STOPPED, pending.kind, pending.first_sight, detail);
}

/* ---- what was seen ---- */

static void found_stopped(Deciding *d, const Observation *seen, bool first_sight) {
    bool act = may_act(d);
    TellKind kind = incident_begin(&d->s.incident, seen->stop_usec, d->now);
    NoteValue *note = plan_note(d->plan, act ? NOTE_STOPPED : NOTE_STOPPED_LEFT);

    d->s.incident.gap = (Gap){ .from_usec = seen->stop_usec };
    d->s.incident.action = (ActionReport){ 0 };
    note->gap = d->s.incident.gap;
    note->first_sight = first_sight;
    if (act) {
        d->s.pending = (PendingTell){
            .set = true,
            .kind = kind,
            .first_sight = first_sight,
            .by_mono_usec = d->now.mono_usec + GUARD_HOLD_USEC,
        };
    } else
        tell_finding(d, FINDING_STOPPED, kind, first_sight, "");
}

static void found_flapped(Deciding *d, const Observation *seen) {
    TellKind kind = incident_begin(&d->s.incident, seen->stop_usec, d->now);
    uint64_t to = seen->start_usec >= seen->stop_usec ? seen->start_usec : d->now.real_usec;

    d->s.incident.gap = (Gap){ .from_usec = seen->stop_usec, .to_usec = to };
    d->s.incident.action = (ActionReport){ 0 };
    plan_note(d->plan, NOTE_FLAPPED)->gap = d->s.incident.gap;
    tell_finding(d, FINDING_FLAPPED, kind, false, "");
}

static void found_failing(Deciding *d, const Observation *seen, Finding finding) {
    TellKind kind;
    NoteValue *note = plan_note(d->plan, NOTE_FAILING);

    text_copy(note->detail, sizeof(note->detail), error_of(seen, finding));
    note->count = finding;
    /* once told, the same delivery failing again in the same open incident is no news */
    if (d->s.incident.open && (d->s.incident.told & FINDING_BIT(finding)))
        return;
    kind = incident_begin(&d->s.incident, mark_without_time(d) + finding, d->now);
    tell_finding(d, finding, kind, false, error_of(seen, finding));
}

/* A stop that ended without us: whoever started the trail, the gap is known now. */
static void found_started(Deciding *d, const Observation *seen) {
    Incident *inc = &d->s.incident;

    inc->gap.to_usec = seen->start_usec >= inc->gap.from_usec ? seen->start_usec : d->now.real_usec;
    plan_note(d->plan, NOTE_STARTED_BY_OTHERS)->gap = inc->gap;
    tell_pending(d, "");
}

static void remember_times(TrailState *s, const Observation *seen) {
    s->known = true;
    s->start_usec = seen->start_usec;
    s->stop_usec = seen->stop_usec;
    s->delivery_usec = seen->delivery_usec;
    s->n_failed = 0;
    s->failed_since_usec = 0;
    s->error = LOOK_OK;
}

static void end_of_blindness(Deciding *d) {
    if (d->s.findings & FINDING_BIT(FINDING_BLIND)) {
        plan_note(d->plan, NOTE_SIGHTED)->count = d->s.n_failed;
        d->s.findings &= ~FINDING_BIT(FINDING_BLIND);
    }
}

static bool looked_status(Deciding *d, const Observation *seen) {
    TrailState *s = &d->s;
    uint32_t was, is = conditions(seen);
    bool first = !s->known && !(s->findings & FINDING_BIT(FINDING_MISSING)), flapped;

    end_of_blindness(d);
    was = s->findings;
    flapped = s->known && seen->is_logging && seen->stop_usec > s->stop_usec &&
              !(was & (FINDING_BIT(FINDING_STOPPED) | FINDING_BIT(FINDING_MISSING)));
    if (first)
        plan_note(d->plan, NOTE_FIRST_SEEN);
    if (was & FINDING_BIT(FINDING_MISSING))
        plan_note(d->plan, NOTE_REAPPEARED);
    remember_times(s, seen);
    s->findings = is;

    if ((was & FINDING_BIT(FINDING_STOPPED)) && seen->is_logging)
        found_started(d, seen);
    if (!(was & FINDING_BIT(FINDING_STOPPED)) && !seen->is_logging)
        found_stopped(d, seen, first);
    if (flapped)
        found_flapped(d, seen);
    for (Finding f = FINDING_DELIVERY; f <= FINDING_NOTIFICATION; f++)
        if ((is & ~was) & FINDING_BIT(f))
            found_failing(d, seen, f);
    if ((was & FINDINGS_FAILING) && !(is & FINDINGS_FAILING))
        plan_note(d->plan, NOTE_DELIVERING);
    return flapped;
}

static void looked_absent(Deciding *d) {
    TrailState *s = &d->s;
    TellKind kind;

    s->n_failed = 0;
    s->failed_since_usec = 0;
    s->error = LOOK_OK;
    if (s->findings & FINDING_BIT(FINDING_MISSING))
        return;
    tell_pending(d, "");
    s->findings = FINDING_BIT(FINDING_MISSING);
    plan_note(d->plan, NOTE_MISSING)->first_sight = !s->known;
    kind = incident_begin(&s->incident, mark_without_time(d), d->now);
    s->incident.action = (ActionReport){ 0 };
    s->incident.gap = (Gap){ 0 };
    tell_finding(d, FINDING_MISSING, kind, !s->known, "");
}

static void looked_in_vain(Deciding *d, const Observation *seen) {
    TrailState *s = &d->s;

    s->n_failed++;
    if (s->n_failed == 1)
        s->failed_since_usec = d->now.real_usec;
    s->error = seen->error;
    /* when the whole target is out of sight its own incident says so */
    if (!seen->target_sighted || (s->findings & FINDING_BIT(FINDING_BLIND)))
        return;
    if (s->n_failed >= d->policy->blind_after) {
        NoteValue *note = plan_note(d->plan, NOTE_BLIND);
        TellKind kind = incident_begin(&s->incident, s->failed_since_usec, d->now);

        text_copy(note->detail, sizeof(note->detail), seen->error_text);
        note->count = s->n_failed;
        s->findings |= FINDING_BIT(FINDING_BLIND);
        tell_finding(d, FINDING_BLIND, kind, false, seen->error_text);
    } else if (s->n_failed == 1) {
        NoteValue *note = plan_note(d->plan, NOTE_LOOK_FAILED);

        text_copy(note->detail, sizeof(note->detail), seen->error_text);
        note->count = 1;
    }
}

/* ---- what was done ---- */

static uint64_t backoff_usec(unsigned failures) {
    unsigned doublings = MIN(failures - 1, 6U);

    return MIN(USEC_PER_SEC << doublings, GUARD_BACKOFF_MAX_USEC);
}

static void acted_in_vain(Deciding *d, const Outcome *outcome) {
    TrailState *s = &d->s;

    s->n_action_failures++;
    s->act_after_mono_usec = d->now.mono_usec + backoff_usec(s->n_action_failures);
    s->incident.action.result = RESULT_FAILED;
    /* 1, 2, 4, 8 ...: a failure that repeats is told once in a while, with its count */
    if ((s->n_action_failures & (s->n_action_failures - 1)) == 0) {
        NoteValue *note = plan_note(d->plan, NOTE_RESTART_FAILED);

        note->count = s->n_action_failures;
        text_copy(note->detail, sizeof(note->detail), outcome->error_text);
    }
    tell_pending(d, outcome->error_text);
}

static void acted(Deciding *d, const Outcome *outcome) {
    TrailState *s = &d->s;
    Incident *inc = &s->incident;
    uint32_t was = s->findings, is;

    s->acting = false;
    if (outcome->result != RESULT_HELD) {
        acted_in_vain(d, outcome);
        return;
    }

    is = conditions(&outcome->seen);
    s->n_action_failures = 0;
    s->act_after_mono_usec = 0;
    end_of_blindness(d);
    remember_times(s, &outcome->seen);
    s->findings = is & ~FINDING_BIT(FINDING_STOPPED);
    inc->action.result = RESULT_HELD;
    inc->gap.to_usec =
            outcome->seen.start_usec >= inc->gap.from_usec ? outcome->seen.start_usec : d->now.real_usec;
    plan_note(d->plan, NOTE_RUNNING_AGAIN)->gap = inc->gap;
    tell_pending(d, "");
    for (Finding f = FINDING_DELIVERY; f <= FINDING_NOTIFICATION; f++)
        if ((is & ~was) & FINDING_BIT(f))
            found_failing(d, &outcome->seen, f);
    if (!outcome->seen.is_logging) {
        s->findings |= FINDING_BIT(FINDING_STOPPED);
        found_stopped(d, &outcome->seen, false);
    }
}

/* ---- what is due in any case ---- */

static void plan_action(Deciding *d) {
    TrailState *s = &d->s;

    if (!(s->findings & FINDING_BIT(FINDING_STOPPED)) || !may_act(d) || s->acting ||
        d->now.mono_usec < s->act_after_mono_usec)
        return;
    s->acting = true;
    s->incident.action.taken = ACTION_RESTART;
    s->incident.action.result = RESULT_PENDING;
    s->incident.action.attempts++;
    d->plan->action = ACTION_RESTART;
}

static void escalate_blindness(Deciding *d) {
    TrailState *s = &d->s;

    if ((s->findings & FINDING_BIT(FINDING_BLIND)) && s->incident.open &&
        s->incident.severity < SEVERITY_CRITICAL &&
        d->now.real_usec >= s->failed_since_usec + GUARD_BLIND_CRITICAL_USEC)
        tell(d, TELL_OPENED, EVENT_GUARD_BLIND, SEVERITY_CRITICAL,
             s->failed_since_usec + GUARD_BLIND_CRITICAL_USEC, "");
}

static void remind(Deciding *d) {
    Incident *inc = &d->s.incident;

    if (d->s.pending.set)
        return;
    if (incident_summary_is_due(inc, d->now))
        tell(d, TELL_SUMMARY, inc->event, inc->severity, inc->last_mark_usec, "")->resolves = !inc->open;
    if (incident_reminder_is_due(inc, d->policy, d->now))
        tell(d, TELL_REMINDER, EVENT_TRAIL_REMINDER, inc->severity, inc->last_mark_usec, "");
}

static uint64_t wake_mono_usec(const Deciding *d) {
    const TrailState *s = &d->s;
    uint64_t wake = incident_wake_mono_usec(&s->incident, d->policy, d->now);

    if (s->pending.set)
        wake = earlier(wake, s->pending.by_mono_usec);
    if ((s->findings & FINDING_BIT(FINDING_STOPPED)) && may_act(d) && !s->acting)
        wake = earlier(wake, s->act_after_mono_usec);
    return wake;
}

void guard_trail(const Policy *policy, const TrailFacts *facts, const TrailState *prev,
                 const TrailInput *input, Now now, Plan *ret_plan, TrailState *ret_next) {
    Deciding d = { .policy = policy, .facts = facts, .now = now, .s = *prev, .plan = ret_plan };
    bool flapped = false;

    *ret_plan = (Plan){ 0 };
    if (input->kind == GUARD_ACTED)
        acted(&d, input->outcome);
    else if (input->kind == GUARD_LOOKED && input->seen->kind == OBSERVED_STATUS)
        flapped = looked_status(&d, input->seen);
    else if (input->kind == GUARD_LOOKED && input->seen->kind == OBSERVED_ABSENT)
        looked_absent(&d);
    else if (input->kind == GUARD_LOOKED)
        looked_in_vain(&d, input->seen);

    plan_action(&d);
    if (d.s.pending.set && now.mono_usec >= d.s.pending.by_mono_usec)
        tell_pending(&d, "");
    end_if_well(&d);
    escalate_blindness(&d);
    remind(&d);

    d.s.verdict = guard_verdict(d.s.findings | (flapped ? FINDING_BIT(FINDING_FLAPPED) : 0), d.s.known,
                                d.s.n_failed >= policy->blind_after, facts->writable);
    /* until it counts as blind a trail keeps the verdict of its last good look */
    if (d.s.n_failed > 0 && d.s.n_failed < policy->blind_after && !flapped && input->kind == GUARD_LOOKED &&
        input->seen->kind == OBSERVED_ERROR)
        d.s.verdict = prev->verdict;
    ret_plan->wake_mono_usec = wake_mono_usec(&d);
    ret_plan->hold = d.s.pending.set;
    *ret_next = d.s;
}
