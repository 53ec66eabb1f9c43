/* SPDX-License-Identifier: Apache-2.0 */
/* Which actions are allowed; verdicts and severities; when and how trouble is reported. */
#include "daemon/core/guard_private.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* ---- allowed actions, by mode, owner, maintenance and max_restores_per_hour ---- */

/* The fields of each value of the option `restore`. */
static const uint32_t fields_of_kind[_RESTORE_KIND_MAX] = {
    [RESTORE_SETTINGS] = FIELDS_TRAIL,
    [RESTORE_SELECTORS] = FIELD_BIT(FIELD_SELECTORS) | FIELD_BIT(FIELD_CONFIGURATION),
    [RESTORE_INSIGHTS] = FIELD_BIT(FIELD_INSIGHTS),
    [RESTORE_DELETED] = FIELD_BIT(FIELD_TAGS),
};

bool guard_may_write(const TrailFacts *facts, Action action) {
    return facts->writable || (facts->may_ask & ACTION_BIT(action));
}

bool guard_may_restart(const Deciding *d) {
    return d->policy->mode != MODE_OBSERVE && guard_may_write(d->facts, ACTION_RESTART) &&
           !(d->facts->maintenance && d->facts->stop_allowed);
}

/* Nothing else shows whether the trail logs, and what prevents polls may not prevent a restart. */
bool guard_waits_for_unpolled_restart(const Deciding *d) {
    const TrailState *s = &d->s;

    return s->known && s->n_failed >= d->policy->unreachable_after &&
           (s->error == POLL_DENIED || s->error == POLL_THROTTLED) &&
           !(s->findings & (FINDING_BIT(FINDING_STOPPED) | FINDING_BIT(FINDING_MISSING))) &&
           guard_may_restart(d);
}

static bool may_write_settings(const Deciding *d, Action action) {
    return d->policy->mode == MODE_RESTORE && guard_may_write(d->facts, action) && !d->facts->maintenance;
}

/* A trail that was never found has no baseline to create it from. An unaccepted one may be an attacker's,
 * and must not be created again for him. */
bool guard_may_recreate(const Deciding *d) {
    return may_write_settings(d, ACTION_RECREATE) && (d->policy->restore & RESTORE_BIT(RESTORE_DELETED)) &&
           d->s.known && !d->s.provisional;
}

uint32_t guard_restorable(const Deciding *d, uint32_t fields) {
    uint32_t allowed = 0;

    if (!may_write_settings(d, ACTION_RESTORE) || d->s.provisional)
        return 0;
    for (unsigned k = 0; k < _RESTORE_KIND_MAX; k++)
        if (d->policy->restore & RESTORE_BIT(k))
            allowed |= fields_of_kind[k];
    return fields & allowed;
}

/* ---- counts per field, and for the trail itself ---- */

bool guard_is_spent(const Deciding *d, unsigned of) {
    const RestoreCount *count = &d->s.restores[of];

    return count->since_usec != 0 && count->n_confirmed >= d->policy->max_restores_per_hour &&
           elapsed(count->since_usec, d->now.real_usec) < GUARD_HOUR_USEC;
}

/* Those of the fields for which the test is true. */
uint32_t guard_fields_that(const Deciding *d, uint32_t fields,
                           bool (*test)(const Deciding *d, unsigned of)) {
    uint32_t found = 0;

    for (unsigned f = 0; f < _FIELD_MAX; f++)
        if ((fields & FIELD_BIT(f)) && test(d, f))
            found |= FIELD_BIT(f);
    return found;
}

static bool is_paused(const Deciding *d, unsigned of) {
    return d->s.restores[of].paused && guard_is_spent(d, of);
}

bool guard_restores_rest(const Deciding *d, uint32_t fields) {
    fields = guard_restorable(d, fields);
    return fields ? guard_fields_that(d, fields, is_paused) == fields : is_paused(d, RECREATION);
}

/* Adds to a message how often the differing fields were restored, and whether restores are paused. */
static void guard_add_restores(const Deciding *d, Event *event) {
    bool gone = d->s.findings & FINDING_BIT(FINDING_MISSING);

    for (unsigned i = gone ? RECREATION : 0; i <= (gone ? RECREATION : _FIELD_MAX - 1U); i++)
        if (gone || (d->s.fields & FIELD_BIT(i))) {
            event->restores_paused = event->restores_paused || d->s.restores[i].paused;
            event->n_restores = MAX(event->n_restores, d->s.restores[i].n_confirmed);
        }
}

bool guard_confirms(const Deciding *d, ActionReport *report, Action action) {
    if (d->s.acting || report->taken != action || report->result != RESULT_PENDING)
        return false;
    report->result = RESULT_CONFIRMED;
    return true;
}

void guard_set_fields(TrailState *s, uint32_t fields, uint32_t losing_fields, uint64_t drift_mark) {
    s->fields = fields;
    s->unmet_fields &= fields;
    s->losing_fields = losing_fields & fields & ~s->unmet_fields;
    s->drift_mark = drift_mark;
    for (unsigned f = 0; f < _FIELD_MAX; f++)
        if (!(fields & FIELD_BIT(f)))
            s->drift_marks[f] = 0;
    s->findings &= ~FINDINGS_DRIFT;
    if (s->losing_fields)
        s->findings |= FINDING_BIT(FINDING_WEAKENED);
    if (s->fields & ~s->losing_fields & ~s->unmet_fields)
        s->findings |= FINDING_BIT(FINDING_CHANGED);
    if (s->unmet_fields)
        s->findings |= FINDING_BIT(FINDING_UNMET);
}

/* ---- reports ---- */

/* One row per finding: its event, severity and verdict. */
static const struct {
    EventKind event;
    Severity severity;
    Verdict verdict;
} findings_table[_FINDING_MAX] = {
    [FINDING_MISSING] = { EVENT_TRAIL_MISSING, SEVERITY_CRITICAL, VERDICT_MISSING },
    [FINDING_STOPPED] = { EVENT_TRAIL_STOPPED, SEVERITY_CRITICAL, VERDICT_STOPPED },
    [FINDING_INTERRUPTED] = { EVENT_TRAIL_INTERRUPTED, SEVERITY_CRITICAL, VERDICT_INTERRUPTED },
    [FINDING_REPLACED] = { EVENT_TRAIL_REPLACED, SEVERITY_CRITICAL, VERDICT_INTERRUPTED },
    [FINDING_WEAKENED] = { EVENT_TRAIL_WEAKENED, SEVERITY_CRITICAL, VERDICT_WEAKENED },
    [FINDING_CHANGED] = { EVENT_TRAIL_WEAKENED, SEVERITY_WARNING, VERDICT_WEAKENED },
    [FINDING_UNMET] = { EVENT_EXPECTATION_UNMET, SEVERITY_WARNING, VERDICT_WEAKENED },
    [FINDING_DELIVERY] = { EVENT_TRAIL_FAILING, SEVERITY_CRITICAL, VERDICT_FAILING },
    [FINDING_DIGEST] = { EVENT_TRAIL_FAILING, SEVERITY_WARNING, VERDICT_FAILING },
    [FINDING_LOG_GROUP] = { EVENT_TRAIL_FAILING, SEVERITY_WARNING, VERDICT_FAILING },
    [FINDING_NOTIFICATION] = { EVENT_TRAIL_FAILING, SEVERITY_WARNING, VERDICT_FAILING },
    [FINDING_STALE] = { EVENT_TRAIL_FAILING, SEVERITY_CRITICAL, VERDICT_FAILING },
    [FINDING_BUCKET] = { EVENT_TRAIL_FAILING, SEVERITY_CRITICAL, VERDICT_FAILING },
    [FINDING_LIFECYCLE] = { EVENT_TRAIL_FAILING, SEVERITY_CRITICAL, VERDICT_FAILING },
    [FINDING_KEY] = { EVENT_TRAIL_FAILING, SEVERITY_CRITICAL, VERDICT_FAILING },
    [FINDING_SELECTORS_UNREADABLE] = { EVENT_TARGET_UNREACHABLE, SEVERITY_WARNING, VERDICT_UNKNOWN },
    [FINDING_INSIGHTS_UNREADABLE] = { EVENT_TARGET_UNREACHABLE, SEVERITY_WARNING, VERDICT_UNKNOWN },
    [FINDING_TAGS_UNREADABLE] = { EVENT_TARGET_UNREACHABLE, SEVERITY_WARNING, VERDICT_UNKNOWN },
    [FINDING_CONFIGURATION_UNREADABLE] = { EVENT_TARGET_UNREACHABLE, SEVERITY_WARNING, VERDICT_UNKNOWN },
    [FINDING_BUCKET_UNREADABLE] = { EVENT_TARGET_UNREACHABLE, SEVERITY_WARNING, VERDICT_UNKNOWN },
    [FINDING_LIFECYCLE_UNREADABLE] = { EVENT_TARGET_UNREACHABLE, SEVERITY_WARNING, VERDICT_UNKNOWN },
    [FINDING_POLICY_UNREADABLE] = { EVENT_TARGET_UNREACHABLE, SEVERITY_WARNING, VERDICT_UNKNOWN },
    [FINDING_KEY_UNREADABLE] = { EVENT_TARGET_UNREACHABLE, SEVERITY_WARNING, VERDICT_UNKNOWN },
    [FINDING_LIST_UNREADABLE] = { EVENT_TARGET_UNREACHABLE, SEVERITY_WARNING, VERDICT_UNKNOWN },
    [FINDING_UNREACHABLE] = { EVENT_TARGET_UNREACHABLE, SEVERITY_WARNING, VERDICT_UNKNOWN },
    [FINDING_APPEARED] = { EVENT_TRAIL_APPEARED, SEVERITY_WARNING, VERDICT_LOGGING },
};

Severity guard_severity(Finding finding, const TrailFacts *facts) {
    /* without digests a tampered log file looks like a genuine one */
    if (finding == FINDING_DIGEST && facts->validation)
        return SEVERITY_CRITICAL;
    /* the copies of events stay in guarded accounts */
    if (finding == FINDING_APPEARED && facts->destination >= DESTINATION_GUARDED)
        return SEVERITY_INFO;
    return findings_table[finding].severity;
}

/* For an unaccepted trail only its logging matters for certain. */
static Severity severity_now(const Deciding *d, Finding finding) {
    uint32_t matters_less = FINDING_BIT(FINDING_MISSING) | FINDINGS_DRIFT | FINDINGS_FAILING;
    Severity severity = guard_severity(finding, d->facts);

    return d->s.provisional && (FINDING_BIT(finding) & matters_less) ? MIN(severity, SEVERITY_WARNING)
                                                                     : severity;
}

Verdict guard_verdict(uint32_t findings, bool known, bool unreadable, bool writable) {
    Verdict verdict = writable ? VERDICT_LOGGING : VERDICT_PROTECTED;

    if (unreadable || (!known && findings == 0))
        verdict = VERDICT_UNKNOWN;
    for (unsigned f = 0; f < _FINDING_MAX; f++)
        if (findings & FINDING_BIT(f))
            verdict = MIN(verdict, findings_table[f].verdict);
    return verdict;
}

#define FINDINGS_GAP (FINDING_BIT(FINDING_STOPPED) | FINDING_BIT(FINDING_INTERRUPTED))

/* Anything besides the drill is real. */
static bool is_about_drill(const Deciding *d, uint32_t about) {
    return guard_is_drill(d) &&
           !((about | d->s.incident.reported | d->s.findings) & ~guard_drill_findings(d));
}

Severity guard_severity_of(const Deciding *d, uint32_t findings) {
    Severity severity = SEVERITY_INFO;

    if (is_about_drill(d, findings))
        findings = 0;
    for (Finding f = 0; f < _FINDING_MAX; f++)
        if ((findings & FINDING_BIT(f)) &&
            (!d->facts->maintenance || f == FINDING_UNREACHABLE || (FINDING_BIT(f) & FINDINGS_UNREADABLE)))
            severity = MAX(severity, severity_now(d, f));
    return severity;
}

/* _FINDING_MAX if there is none. */
static Finding worst_of(uint32_t findings) {
    Finding f = 0;

    while (f < _FINDING_MAX && !(findings & FINDING_BIT(f)))
        f++;
    return f;
}

static bool is_about_settings(const Deciding *d, Finding worst) {
    if (worst == _FINDING_MAX)
        return d->s.incident.action.taken == ACTION_NONE;
    return worst == FINDING_MISSING || worst == FINDING_REPLACED ||
           (FINDING_BIT(worst) & FINDINGS_DRIFT) != 0;
}

static bool may_act_on(const Deciding *d, Finding worst) {
    if (worst == FINDING_MISSING)
        return guard_may_recreate(d);
    if (FINDING_BIT(worst) & FINDINGS_DRIFT)
        return guard_restorable(d, d->s.incident.fields) != 0;
    return guard_may_restart(d);
}

static Action action_about(Finding worst) {
    if (worst == FINDING_MISSING)
        return ACTION_RECREATE;
    return worst < _FINDING_MAX && (FINDING_BIT(worst) & FINDINGS_DRIFT) ? ACTION_RESTORE : ACTION_RESTART;
}

/* Those of the incident's fields that a message is about. */
static uint32_t fields_about(const Incident *inc, uint32_t about, bool sums_up) {
    if (sums_up)
        return inc->fields;
    return (about & FINDINGS_CHANGED) ? inc->fields & ~inc->unmet_fields : inc->unmet_fields;
}

/* When the worst finding of a message began. For a stop AWS's time is exact. */
static uint64_t since_usec(const Deciding *d, EventPhase phase, Finding worst) {
    const Incident *inc = &d->s.incident;

    if (phase == PHASE_RESOLVED)
        return inc->restore.taken == ACTION_RECREATE ? d->s.since_usec[FINDING_MISSING] : 0;
    if (worst == FINDING_STOPPED && inc->gap.from_usec != 0 && inc->gap.to_usec == 0)
        return inc->gap.from_usec;
    return worst < _FINDING_MAX ? d->s.since_usec[worst] : 0;
}

Event *guard_report(Deciding *d, EventPhase phase, EventKind kind, Severity severity, uint64_t dedup_usec,
                    uint32_t about, const char *detail) {
    const TrailState *s = &d->s;
    Event *t = incident_report(&d->s.incident, d->plan, phase, kind, severity, dedup_usec, d->now);
    Finding worst = worst_of(about ? about : s->findings);
    bool sums_up = phase == PHASE_RESOLVED || phase == PHASE_REMINDER || phase == PHASE_SUMMARY;

    t->findings = s->findings;
    t->about = about;
    t->resolves = !s->incident.open;
    t->since_usec = since_usec(d, phase, worst);
    t->never_seen = worst == FINDING_MISSING && !s->known;
    t->restore = s->incident.restore;
    if (is_about_settings(d, worst)) {
        t->action = s->incident.restore;
        guard_add_restores(d, t);
    }
    if (kind == EVENT_TRAIL_CONTESTED)
        t->contest = contest_repeats(&s->contest);
    if (sums_up || (about & FINDINGS_DRIFT)) {
        t->fields = fields_about(&s->incident, about, sums_up);
        t->fields_left = s->fields & t->fields;
        if (!d->facts->maintenance) /* during maintenance it is unknown what may be restored otherwise */
            t->fields_others = t->fields & ~t->fields_left & ~guard_restorable(d, t->fields);
        t->unmet = t->fields && !(t->fields & ~s->incident.unmet_fields);
        t->accepted = s->incident.accepted;
        t->reconfigured = s->incident.reconfigured;
        t->changed_usec = s->incident.changed_usec;
    } else if (s->incident.restore.taken == ACTION_RECREATE &&
               s->incident.restore.result == RESULT_CONFIRMED)
        t->fields_left = s->fields; /* what the re-created trail lacks */
    t->may_act = may_act_on(d, worst);
    t->protected = !guard_may_write(d->facts, action_about(worst));
    t->foreign = !d->facts->writable;
    t->maintenance = d->facts->maintenance;
    t->drill = severity == SEVERITY_INFO && kind != EVENT_TRAIL_ATTEMPTED && is_about_drill(d, about);
    if (t->drill && d->s.drilled.reported_usec == 0)
        d->s.drilled.reported_usec = d->now.real_usec;
    t->mode = d->policy->mode;
    t->provisional = s->provisional;
    t->asked = s->provisional && d->policy->trust_new == TRUST_ASK;
    t->standing = d->facts->destination;
    t->error = s->error;
    t->n_failed = s->n_failed;
    t->n_unpolled_restarts = s->n_unpolled_restarts;
    t->unpolled_accepted = s->unpolled_accepted;
    (void)text_copy(t->detail, sizeof(t->detail), detail);
    if (phase == PHASE_REMINDER && t->action.result == RESULT_FAILED &&
        s->incident.failed == action_about(worst))
        (void)text_copy(t->detail, sizeof(t->detail), s->incident.failed_text);
    return t;
}

bool guard_is_all_well(const Deciding *d) {
    return d->s.findings == 0 && !d->s.pending_restore.set;
}

/* True if the trouble is of a new kind, in a new setting, or worse than reported. */
static bool is_news(const Incident *inc, uint32_t findings, Severity severity) {
    return (findings & ~inc->reported) != 0 || severity > incident_worst(inc) ||
           ((findings & FINDINGS_DRIFT) && (inc->fields & ~inc->reported_fields));
}

/* After a trail was reported as contested, further stops get no message of their own: they are summed up. */
static EventKind report_as(Deciding *d, const PendingEvent *how, bool *news) {
    Contest *contest = &d->s.contest;

    if ((how->findings & ~FINDINGS_GAP) || d->facts->maintenance || contest->n < GUARD_CONTEST_STOPS)
        return findings_table[worst_of(how->findings)].event;
    *news = !contest->reported;
    contest->reported = true;
    d->s.incident.n_reopened = MAX(d->s.incident.n_reopened, GUARD_REPORTS_MAX);
    return EVENT_TRAIL_CONTESTED;
}

static void note_contested(Deciding *d) {
    const Contest *contest = &d->s.contest;
    JournalEntry *entry = plan_entry(d->plan, LINE_CONTESTED);

    entry->count = contest->n;
    entry->gap = (Gap){ contest->since_usec, contest->last_usec };
}

void guard_report_trouble(Deciding *d, const PendingEvent *how, const char *detail) {
    Incident *inc = &d->s.incident;
    Severity severity = guard_severity_of(d, how->findings);
    bool news = is_news(inc, how->findings, severity), resolves = guard_is_all_well(d);
    bool is_gap = how->findings & FINDINGS_GAP;
    EventKind kind = report_as(d, how, &news);
    Gap trouble = is_gap ? inc->gap : (Gap){ .from_usec = d->now.real_usec };
    Event *t;

    inc->reported |= how->findings;
    if (how->findings & FINDINGS_DRIFT)
        inc->reported_fields |= inc->fields;
    if (news)
        inc->suppressed = false;
    if (news || incident_may_report(inc, how->phase, kind, severity, &trouble, d->now)) {
        if (kind == EVENT_TRAIL_CONTESTED)
            note_contested(d);
        t = guard_report(d, news ? PHASE_OPENED : how->phase, kind, severity, how->dedup_usec, how->findings,
                         detail);
        t->first_sight = how->first_sight;
        t->resolves = resolves;
    }
    if (resolves)
        (void)incident_end(inc, d->now);
}

void guard_sum_up(Deciding *d, const TrailState *prev) {
    TrailState *s = &d->s;
    unsigned n = 0;

    if (!s->provisional || !d->facts->summed_up || prev->incident.opened_usec != 0 ||
        s->incident.opened_usec == 0)
        return;
    /* events of other incidents, or of none, stay */
    for (unsigned i = 0; i < d->plan->n_events; i++)
        if (d->plan->events[i].incident_dedup_usec != s->incident.dedup_usec)
            d->plan->events[n++] = d->plan->events[i];
    d->plan->n_events = n;
    d->plan->summed_up = true;
    s->incident = (Incident){ .event = _EVENT_MAX };
    s->attributing = (Attributing){ 0 };
    s->pending = s->pending_restore = (PendingEvent){ 0 };
}

void guard_report_later(Deciding *d, PendingEvent *slot, PendingEvent how) {
    how.set = true;
    how.by_mono_usec = d->now.mono_usec + GUARD_HOLD_USEC;
    *slot = how;
}

void guard_report_pending(Deciding *d, PendingEvent *slot, const char *detail) {
    PendingEvent how = *slot;

    if (!how.set)
        return;
    *slot = (PendingEvent){ 0 };
    guard_report_trouble(d, &how, detail);
}

void guard_undone(Deciding *d) {
    if (guard_is_drill(d)) {
        d->s.drilled.restarted_usec = d->now.real_usec;
        return; /* a drill is not a contest */
    }
    if (guard_may_restart(d))
        contest_undone(&d->s.contest, &d->s.incident.gap, d->now);
}
