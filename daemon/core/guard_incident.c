/* SPDX-License-Identifier: Apache-2.0 */
/* Incidents and their episodes. */
#include <stddef.h>
#include <string.h>

#include "daemon/core/guard_private.h"
#include "lib/util/macros.h"

uint64_t earlier(uint64_t a, uint64_t b) {
    if (a == 0 || b == 0)
        return a | b;
    return MIN(a, b);
}

uint64_t elapsed(uint64_t since_usec, uint64_t now_usec) {
    return now_usec > since_usec ? now_usec - since_usec : 0;
}

uint64_t guard_hash(uint64_t hash, const void *data, size_t size) {
    const unsigned char *bytes = data;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
    return hash;
}

uint64_t guard_mark(uint64_t hash, const void *data, size_t size) {
    return guard_hash(hash, data, size) & (uint64_t)INT64_MAX;
}

static bool is_given_out(const uint64_t *marks, uint64_t mark) {
    for (size_t i = 0; i < MARKS_MAX; i++)
        if (marks[i] == mark)
            return true;
    return false;
}

/* The first unused mark from this hash on, which is then remembered. */
static uint64_t give_out(uint64_t marks[static MARKS_MAX], uint64_t hash) {
    /* the state file has signed numbers; leave room to count */
    uint64_t mark = hash & (uint64_t)INT64_MAX >> 1;

    mark += mark == 0;
    while (is_given_out(marks, mark))
        mark++;
    memmove(marks + 1, marks, (MARKS_MAX - 1) * sizeof(*marks));
    marks[0] = mark;
    return mark;
}

uint64_t guard_new_mark(TrailState *s, uint64_t what, Now now) {
    uint64_t hour;

    s->marked_usec = s->marking_usec ? s->marking_usec : now.real_usec;
    hour = s->marked_usec / (3600 * USEC_PER_SEC);
    return give_out(s->marks,
                    guard_hash(guard_hash(GUARD_HASH_BASIS, &what, sizeof(what)), &hour, sizeof(hour)));
}

uint64_t guard_fact_mark(uint64_t marks[static MARKS_MAX], const char *what, uint64_t fact) {
    return give_out(marks,
                    guard_hash(guard_hash(GUARD_HASH_BASIS, what, strlen(what)), &fact, sizeof(fact)));
}

Severity incident_worst(const Incident *inc) {
    return MAX(inc->severity, inc->before);
}

EventPhase incident_begin(Incident *inc, uint64_t dedup_usec, Now now) {
    bool recent = inc->opened_usec != 0 && elapsed(inc->resolved_usec, now.real_usec) <= GUARD_REOPEN_USEC;

    if (inc->open || recent) {
        if (!inc->open) {
            /* trouble that has ended is not part of the new report */
            inc->reopened_usec = now.real_usec;
            inc->event = _EVENT_MAX;
            inc->before = incident_worst(inc);
            inc->severity = SEVERITY_INFO;
            inc->n_reminders = 0;
            inc->gap = (Gap){ 0 };
            inc->action = inc->restore = (ActionReport){ 0 };
            inc->fields = inc->unmet_fields = 0;
            inc->accepted = inc->reconfigured = false;
        }
        inc->open = true;
        inc->resolved_usec = 0;
        inc->last_dedup_usec = dedup_usec;
        return PHASE_REOPENED;
    }

    *inc = (Incident){
        .open = true,
        .dedup_usec = dedup_usec,
        .last_dedup_usec = dedup_usec,
        .opened_usec = now.real_usec,
        .event = _EVENT_MAX,
    };
    return PHASE_OPENED;
}

static void add_pending_gap(Repeats *pending_gaps, const Gap *gap, bool count) {
    if (count) {
        if (pending_gaps->count == 0)
            pending_gaps->first_usec = gap->from_usec;
        pending_gaps->count++;
        pending_gaps->last_usec = MAX(pending_gaps->last_usec, gap->from_usec);
    }
    if (gap->to_usec != 0) {
        pending_gaps->last_usec = MAX(pending_gaps->last_usec, gap->to_usec);
        if (gap->from_usec != 0)
            pending_gaps->total_usec += elapsed(gap->from_usec, gap->to_usec);
    }
}

bool incident_may_report(Incident *inc, EventPhase phase, EventKind kind, Severity severity,
                         const Gap *trouble, Now now) {
    if (inc->event == _EVENT_MAX) {
        inc->event = kind;
        inc->severity = severity;
    }
    if (phase == PHASE_OPENED) {
        inc->suppressed = false;
        return true;
    }
    inc->n_reopened++;
    inc->suppressed =
            inc->n_reopened > GUARD_REPORTS_MAX &&
            (inc->pending_gaps.count > 0 || elapsed(inc->reported_usec, now.real_usec) < GUARD_SUMMARY_USEC);
    if (inc->suppressed)
        add_pending_gap(&inc->pending_gaps, trouble, true);
    return !inc->suppressed;
}

/* A message about the caller, or about an attempt, supplements trouble that was reported: it does not raise
 * its severity, and summaries and reminders do not wait for it. */
static bool is_follow_up(EventKind kind) {
    return kind == EVENT_TRAIL_ATTRIBUTED || kind == EVENT_TRAIL_ATTEMPTED;
}

static void note_reported(Incident *inc, EventPhase phase, EventKind kind, Severity severity, Now now) {
    inc->sequence++;
    if (is_follow_up(kind))
        return;
    inc->reported_usec = now.real_usec;
    if (phase == PHASE_REMINDER)
        inc->n_reminders++;
    else if (phase != PHASE_RESOLVED) {
        if (inc->event == _EVENT_MAX || severity > inc->severity ||
            (severity == inc->severity && kind < inc->event))
            inc->event = kind;
        inc->severity = MAX(inc->severity, severity);
    }
}

Event *incident_report(Incident *inc, Plan *plan, EventPhase phase, EventKind kind, Severity severity,
                       uint64_t dedup_usec, Now now) {
    Event *event;

    if (plan->n_events < PLAN_EVENTS_MAX)
        plan->n_events++;
    else
        plan->overflowed = true;
    event = &plan->events[plan->n_events - 1];
    note_reported(inc, phase, kind, severity, now);
    *event = (Event){
        .kind = kind,
        .phase = phase,
        .severity = severity,
        .sequence = inc->sequence,
        .incident_dedup_usec = inc->dedup_usec,
        .dedup_usec = dedup_usec,
        .opened_usec = inc->opened_usec,
        .reopened_usec = inc->reopened_usec,
        .time_usec = now.real_usec,
        .gap = inc->gap,
        .action = inc->action,
        .n_reminders = inc->n_reminders,
    };
    if (phase == PHASE_SUMMARY) {
        event->repeats = inc->pending_gaps;
        inc->pending_gaps = (Repeats){ 0 };
        inc->suppressed = false;
    }
    return event;
}

bool incident_end(Incident *inc, Now now) {
    bool alone = !inc->suppressed;

    if (inc->suppressed && inc->gap.to_usec > inc->pending_gaps.last_usec)
        add_pending_gap(&inc->pending_gaps, &inc->gap, false);
    inc->open = false;
    inc->resolved_usec = now.real_usec;
    return alone;
}

bool guard_owes_end(const Incident *inc) {
    return inc->sequence > 0 && (inc->open || inc->pending_gaps.count > 0);
}

bool guard_target_owes_end(const TargetState *state) {
    return guard_owes_end(&state->reach) || guard_owes_end(&state->cover) || guard_owes_end(&state->list);
}

bool incident_forget(Incident *inc, Now now) {
    bool owes = guard_owes_end(inc);

    if (inc->open)
        (void)incident_end(inc, now);
    inc->pending_gaps = (Repeats){ 0 };
    inc->suppressed = false;
    return owes;
}

void incident_take_clock(Incident *inc, Now now) {
    inc->resolved_usec = MIN(inc->resolved_usec, now.real_usec);
    inc->reported_usec = MIN(inc->reported_usec, now.real_usec);
}

uint64_t critical_usec(uint64_t failed_since_usec) {
    return failed_since_usec + GUARD_UNREACHABLE_CRITICAL_USEC;
}

uint64_t critical_wake_mono_usec(uint64_t failed_since_usec, Now now) {
    uint64_t due_usec = critical_usec(failed_since_usec);

    return now.mono_usec + (due_usec > now.real_usec ? due_usec - now.real_usec : 1);
}

bool incident_summary_is_due(const Incident *inc, Now now) {
    return inc->pending_gaps.count > 0 && elapsed(inc->reported_usec, now.real_usec) >= GUARD_SUMMARY_USEC;
}

bool incident_reminder_is_due(const Incident *inc, const Policy *policy, Now now) {
    return inc->open && policy->reminder_interval_usec != 0 &&
           elapsed(inc->reported_usec, now.real_usec) >= policy->reminder_interval_usec;
}

static uint64_t due_mono_usec(const Incident *inc, uint64_t interval_usec, Now now) {
    uint64_t gone = elapsed(inc->reported_usec, now.real_usec);

    return now.mono_usec + (gone < interval_usec ? interval_usec - gone : 1);
}

uint64_t incident_wake_mono_usec(const Incident *inc, const Policy *policy, Now now) {
    uint64_t wake = 0;

    if (inc->pending_gaps.count > 0)
        wake = due_mono_usec(inc, GUARD_SUMMARY_USEC, now);
    if (inc->open && inc->sequence > 0 && policy->reminder_interval_usec != 0)
        wake = earlier(wake, due_mono_usec(inc, policy->reminder_interval_usec, now));
    return wake;
}

/* ---- contests ---- */

void contest_undone(Contest *contest, const Gap *gap, Now now) {
    uint64_t to_usec = gap->to_usec ? gap->to_usec : now.real_usec;

    if (contest->n++ == 0)
        contest->since_usec = gap->from_usec ? MIN(gap->from_usec, to_usec) : to_usec;
    contest->last_usec = to_usec;
    contest->lost_usec += gap->from_usec ? elapsed(gap->from_usec, to_usec) : 0;
    contest->until_mono_usec = now.mono_usec + GUARD_CONTEST_USEC;
}

Repeats contest_repeats(const Contest *contest) {
    return (Repeats){ contest->n, contest->since_usec, contest->last_usec, contest->lost_usec };
}

bool contest_is_over(const Contest *contest, Now now) {
    return contest->until_mono_usec != 0 && now.mono_usec >= contest->until_mono_usec;
}

bool guard_is_contested(const TrailState *state, Now now) {
    return state->contest.until_mono_usec != 0 && !state->provisional &&
           !contest_is_over(&state->contest, now);
}

void plan_begin(Plan *plan) {
    memset(plan, 0, offsetof(Plan, events));
}

JournalEntry *plan_entry(Plan *plan, JournalLine line) {
    JournalEntry *entry;

    if (plan->n_entries < PLAN_ENTRIES_MAX)
        plan->n_entries++;
    else
        plan->overflowed = true;
    entry = &plan->entries[plan->n_entries - 1];
    *entry = (JournalEntry){ .line = line };
    return entry;
}
