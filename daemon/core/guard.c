/* SPDX-License-Identifier: Apache-2.0 */
/* One decision about a trail: what came in, what is done next, and what is due in any case. */
#include "daemon/core/guard_private.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

TrailState guard_trail_init(void) {
    return (TrailState){ .verdict = VERDICT_UNKNOWN, .incident.event = _EVENT_MAX };
}

void guard_resume(TrailState *state, Now now) {
    state->acting = false;
    state->pending.by_mono_usec = state->pending.set ? now.mono_usec + GUARD_HOLD_USEC : 0;
    state->pending_restore.by_mono_usec =
            state->pending_restore.set ? now.mono_usec + 2 * GUARD_HOLD_USEC : 0;
    if (state->pending_restore.set || state->incident.restore.result == RESULT_PENDING)
        for (unsigned i = 0; i <= RECREATION; i++)
            state->restores[i].after_mono_usec = now.mono_usec + GUARD_HOLD_USEC;
}

/* ---- what is due in any case ---- */

/* What was lost before and is only changed now is changed since then. */
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

static void tell_what_waited_long_enough(Deciding *d) {
    PendingTell *slots[] = { &d->s.pending, &d->s.pending_restore };

    for (size_t i = 0; i < ARRAY_SIZE(slots); i++)
        if (slots[i]->set && d->now.mono_usec >= slots[i]->by_mono_usec)
            guard_tell_pending(d, slots[i], "");
}

static void end_if_well(Deciding *d) {
    Incident *inc = &d->s.incident;
    bool was_unreachable = inc->event == EVENT_TARGET_UNREACHABLE;

    if (inc->open && guard_is_all_well(d) && incident_end(inc, d->now) && inc->sequence > 0)
        guard_tell(d, TELL_RESOLVED, was_unreachable ? EVENT_TARGET_REACHABLE : EVENT_TRAIL_RESOLVED,
                   inc->severity, inc->last_dedup_usec, 0, "")
                ->about = was_unreachable
                                  ? inc->told & (FINDINGS_UNREADABLE | FINDING_BIT(FINDING_UNREACHABLE))
                                  : d->was;
}

/* What was not told of it yet is no news any more; what was is told to be over. */
static void forget(Deciding *d, const char *why) {
    TrailState *s = &d->s;

    if (s->incident.open && s->incident.sequence > 0)
        guard_tell(d, TELL_RESOLVED, EVENT_TRAIL_RESOLVED, s->incident.severity, s->incident.last_dedup_usec,
                   0, why)
                ->forgotten = true;
    *s = guard_trail_init();
}

static void escalate_blindness(Deciding *d) {
    const TrailState *s = &d->s;
    uint64_t critical_usec = s->failed_since_usec + GUARD_UNREACHABLE_CRITICAL_USEC;

    if ((s->findings & FINDING_BIT(FINDING_UNREACHABLE)) && s->incident.open &&
        s->incident.severity < SEVERITY_CRITICAL && d->now.real_usec >= critical_usec)
        (void)guard_tell(d, TELL_OPENED, EVENT_TARGET_UNREACHABLE, SEVERITY_CRITICAL, critical_usec,
                         FINDING_BIT(FINDING_UNREACHABLE), "");
}

/* Trouble that was told as less than it is: it began in a maintenance window, and the window is over. */
static void escalate(Deciding *d) {
    TrailState *s = &d->s;
    const Incident *inc = &s->incident;
    uint32_t findings = s->findings & ~FINDING_BIT(FINDING_UNREACHABLE);
    PendingTell how = { .kind = TELL_OPENED, .findings = findings };

    if (!inc->open || inc->sequence == 0 || s->pending.set || s->pending_restore.set ||
        guard_severity_of(d, findings) <= inc->severity)
        return;
    how.dedup_usec = guard_new_mark(s->marks, inc->last_dedup_usec, d->now);
    if (!s->acting)
        guard_tell_trouble(d, &how, "");
    else
        guard_tell_later(d, (findings & FINDING_BIT(FINDING_STOPPED)) ? &s->pending : &s->pending_restore,
                         how);
}

static void remind(Deciding *d) {
    const Incident *inc = &d->s.incident;
    Severity severity = inc->severity;

    if (d->s.pending.set || d->s.pending_restore.set)
        return;
    if (d->facts->maintenance && !(d->s.findings & FINDING_BIT(FINDING_UNREACHABLE)))
        severity = SEVERITY_INFO;
    if (incident_summary_is_due(inc, d->now))
        (void)guard_tell(d, TELL_SUMMARY, inc->event, severity, inc->last_dedup_usec, 0, "");
    if (incident_reminder_is_due(inc, d->policy, d->now))
        (void)guard_tell(d, TELL_REMINDER, EVENT_INCIDENT_REMINDER, severity, inc->last_dedup_usec, 0, "");
}

static uint64_t wake_mono_usec(const Deciding *d) {
    const TrailState *s = &d->s;
    uint64_t wake = incident_wake_mono_usec(&s->incident, d->policy, d->now);

    wake = earlier(wake, s->pending.by_mono_usec);
    wake = earlier(wake, s->pending_restore.by_mono_usec);
    wake = earlier(wake, guard_action_wake(d));
    return earlier(wake, guard_search_wake(d));
}

static bool is_due(uint64_t wake_usec, const Deciding *d) {
    return wake_usec != 0 && wake_usec <= d->now.mono_usec;
}

const char *guard_wake_reason(const Policy *policy, const TrailFacts *facts, const TrailState *state,
                              Now now) {
    const Deciding d = { .policy = policy, .facts = facts, .now = now, .s = *state };

    if (is_due(state->pending.by_mono_usec, &d) || is_due(state->pending_restore.by_mono_usec, &d))
        return "an alert has waited long enough for the outcome";
    if (is_due(guard_action_wake(&d), &d))
        return "a restart or restore is due again";
    if (is_due(guard_search_wake(&d), &d) || state->attributing.wanted)
        return "a search for who did it is due";
    return "a reminder or a summary is due";
}

/* Until it counts as blind a trail keeps the verdict of its last good poll, unless something worse is seen
 * all the same. */
static Verdict judge(const Deciding *d, const TrailState *prev, const TrailInput *input) {
    Verdict verdict = guard_verdict(d->s.findings | d->events, d->s.known,
                                    d->s.n_failed >= d->policy->unreachable_after, d->facts->writable);

    bool failed = input->kind == GUARD_UNREACHABLE ||
                  (input->kind == GUARD_POLLED && input->seen->kind == OBSERVED_ERROR);

    if (failed && d->s.n_failed < d->policy->unreachable_after)
        return MIN(verdict, prev->verdict);
    return verdict;
}

void guard_trail(const Policy *policy, const TrailFacts *facts, const TrailState *prev,
                 const TrailInput *input, Now now, Plan *ret_plan, TrailState *ret_next) {
    Deciding d = {
        .policy = policy, .facts = facts, .now = now, .s = *prev, .was = prev->findings, .plan = ret_plan
    };
    Verdict verdict;

    *ret_plan = (Plan){ 0 };
    switch (input->kind) {
    case GUARD_POLLED: guard_polled(&d, input->seen, input->drift); break;
    case GUARD_NOT_LISTED: guard_named(&d, false); break;
    case GUARD_LISTED: guard_named(&d, true); break;
    case GUARD_UNREACHABLE: guard_account_unreachable(&d, input->result); break;
    case GUARD_COMPARED: guard_compared(&d, input->seen, input->drift); break;
    case GUARD_ACTED: guard_acted(&d, input->outcome); break;
    case GUARD_ATTRIBUTED: guard_attributed(&d, input->attribution); break;
    case GUARD_FORGOTTEN: forget(&d, input->why); break;
    case GUARD_TIME: break;
    }
    guard_plan_action(&d);
    tell_what_waited_long_enough(&d);
    end_if_well(&d);
    note_since(prev, &d.s, now);
    escalate_blindness(&d);
    escalate(&d);
    remind(&d);
    guard_plan_search(&d);

    verdict = judge(&d, prev, input);
    d.s.verdict = verdict;
    ret_plan->wake_mono_usec = wake_mono_usec(&d);
    ret_plan->hold = d.s.pending.set || d.s.pending_restore.set;
    *ret_next = d.s;
}
