/* SPDX-License-Identifier: Apache-2.0 */
/* One cause, one incident: trouble that many regions or accounts have in common is reported once, with a
 * list. */
#include <string.h>

#include "daemon/core/guard_private.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* Which targets can share a cause: all, those of one account, or those of one region. */
typedef enum CauseScope {
    CAUSE_OF_ALL,
    CAUSE_OF_ACCOUNT,
    CAUSE_OF_REGION,
} CauseScope;

typedef struct Judging {
    const Policy *policy;
    const CauseMembers *in;
    Now now;
    Cause c;
    Plan *plan;
} Judging;

static const struct {
    EventKind begins, ends;
    bool escalates;
    bool reminds;
    size_t n_min; /* with fewer members it is not shared */
    CauseScope scope;
} cause_rows[_CAUSE_MAX] = {
    /* usually a person denied them on purpose: one message is enough */
    [CAUSE_CLOSED] = { EVENT_TARGET_UNREACHABLE, EVENT_TARGET_REACHABLE, false, false, 1, CAUSE_OF_ACCOUNT },
    [CAUSE_CREDENTIALS] = { EVENT_TARGET_UNREACHABLE, EVENT_TARGET_REACHABLE, true, true, 2, CAUSE_OF_ALL },
    [CAUSE_UNCOVERED] = { EVENT_REGION_UNCOVERED, EVENT_REGION_COVERED, false, true, 2, CAUSE_OF_ACCOUNT },
    [CAUSE_ROLE] = { EVENT_TARGET_UNREACHABLE, EVENT_TARGET_REACHABLE, true, true, 2, CAUSE_OF_ALL },
    [CAUSE_OUTAGE] = { EVENT_TARGET_UNREACHABLE, EVENT_TARGET_REACHABLE, true, true, 2, CAUSE_OF_REGION },
};

/* ---- scope of a cause ---- */

Cause guard_cause_key(CauseKind kind, const char *account, const char *region) {
    CauseScope scope = cause_rows[kind].scope;
    Cause key = { .kind = kind, .incident.event = _EVENT_MAX };

    if (scope == CAUSE_OF_ACCOUNT)
        (void)text_copy(key.account, sizeof(key.account), account);
    if (scope == CAUSE_OF_REGION)
        (void)text_copy(key.region, sizeof(key.region), region);
    return key;
}

bool guard_cause_covers(const Cause *cause, const char *account, const char *region) {
    switch (cause_rows[cause->kind].scope) {
    case CAUSE_OF_ACCOUNT: return text_equal(account, cause->account);
    case CAUSE_OF_REGION: return text_equal(region, cause->region);
    case CAUSE_OF_ALL: break;
    }
    return true;
}

int guard_cause_compare(const void *a, const void *b) {
    const Cause *x = a, *y = b;
    int order = (int)x->kind - (int)y->kind;

    order = order != 0 ? order : strcmp(x->account, y->account);
    return order != 0 ? order : strcmp(x->region, y->region);
}

Subject guard_cause_subject(const Cause *cause) {
    bool has_place = cause->account[0] || cause->region[0];

    return (Subject){
        .name = "", .arn = "", .region = cause->region, .account = has_place ? cause->account : cause->home
    };
}

/* ---- members of a cause ---- */

/* AWS: "... is not authorized to perform: ... with an explicit deny in a service control policy". */
#define EXPLICIT_DENY "explicit deny in a service control policy"

CauseKind guard_cause_of(PollError error, const char *error_text, Place place) {
    bool whole = place == PLACE_ACCOUNT;

    if (error == POLL_CREDENTIALS)
        return CAUSE_CREDENTIALS;
    if (error == POLL_DENIED && whole)
        return CAUSE_ROLE;
    if (error == POLL_DENIED && place == PLACE_EMPTY && strstr(error_text, EXPLICIT_DENY))
        return CAUSE_CLOSED;
    if ((error == POLL_UNREACHABLE || error == POLL_SERVICE) && !whole)
        return CAUSE_OUTAGE;
    return CAUSE_OWN;
}

CauseKind guard_cause_to_share(const PollResult *result, const TargetState *state,
                               unsigned unreachable_after, Place place) {
    if (result->reachable || result->not_enabled || state->unreachable ||
        state->n_failed + 1 < unreachable_after)
        return CAUSE_OWN;
    return guard_cause_of(result->error, result->error_text, place);
}

bool guard_cover_is_shared(bool once, const char *account) {
    return !once && account[0];
}

bool guard_cause_fails(CauseKind kind, const TargetState *state, Place place) {
    return state->n_failed > 0 && guard_cause_of(state->error, state->error_text, place) == kind;
}

bool guard_cause_is_shared(CauseKind kind, size_t n_failing, bool open) {
    return kind != CAUSE_OWN && (open || n_failing >= cause_rows[kind].n_min);
}

bool guard_cause_is_left(const TargetState *state, Place place) {
    return state->reach.open && state->cause == CAUSE_CLOSED && place != PLACE_EMPTY;
}

bool guard_cause_is_touched(const TargetState *was, const TargetState *state) {
    return was->cause != state->cause || was->cover_is_shared != state->cover_is_shared ||
           was->cover.open != state->cover.open || was->reach.open != state->reach.open ||
           (was->n_failed == 0) != (state->n_failed == 0);
}

uint64_t guard_cause_mark(const Cause *cause, const CauseMembers *in) {
    return MAX(MAX(in->since_usec, cause->incident.last_dedup_usec), cause->incident.reported_usec);
}

bool guard_cause_is_over(const Cause *cause, Now now) {
    const Incident *inc = &cause->incident;

    return cause->had_members && !guard_owes_end(inc) && cause->held_mono_usec == 0 &&
           (inc->opened_usec == 0 || now.real_usec > inc->resolved_usec + GUARD_REOPEN_USEC);
}

bool guard_cause_has(CauseKind kind, const TargetState *state, Place place) {
    if (kind == CAUSE_UNCOVERED)
        return state->cover.open && state->cover_is_shared;
    if (state->reach.open)
        return state->cause == kind && !guard_cause_is_left(state, place);
    return guard_cause_fails(kind, state, place);
}

static void count_member(CauseGathering *g, const TargetState *state) {
    bool cover = g->cause->kind == CAUSE_UNCOVERED;
    uint64_t since_usec = cover ? state->cover.last_dedup_usec : state->failed_since_usec;

    if (!cover && state->reach.open && state->cause != g->cause->kind)
        return;
    g->in.n_begun += cover || state->reach.open;
    if (!g->in.first || since_usec < g->in.since_usec) {
        g->first = *state;
        g->in.first = &g->first;
        g->in.since_usec = since_usec;
    }
}

bool guard_cause_take(CauseGathering *g, const Subject *subject, const TargetState *state, Place place,
                      bool configured) {
    CauseKind kind = g->cause->kind;

    if (place == PLACE_ACCOUNT && cause_rows[kind].scope != CAUSE_OF_ALL)
        return false;
    if (kind == CAUSE_CLOSED)
        g->in.silent_usec = MAX(g->in.silent_usec, state->failed_since_usec);
    if (guard_cause_has(kind, state, place) || guard_cause_fails(kind, state, place)) {
        g->members[g->in.n++] = *subject;
        count_member(g, state);
        return true;
    }
    if (kind == CAUSE_CLOSED && configured && !state->not_enabled) {
        g->rest[g->in.n_rest++] = *subject;
        /* one failed poll or a restart of the guard does not change that it answers */
        g->in.n_answering += state->ever_reachable && !state->unreachable;
    }
    return false;
}

bool guard_cause_is_ripe(const Cause *cause, CauseMembers *in, bool all_begun) {
    in->forgotten = in->n == 0 && !cause->had_members;
    return !in->forgotten || all_begun;
}

static uint64_t add_text(uint64_t hash, const char *text) {
    return guard_hash(hash, text, strlen(text) + 1);
}

/* Independent of the order. */
static uint64_t mark_of(const CauseMembers *in) {
    uint64_t mark = 0;

    for (size_t i = 0; i < in->n; i++)
        mark += add_text(add_text(GUARD_HASH_BASIS, in->members[i].account), in->members[i].region);
    return mark & (uint64_t)INT64_MAX; /* the state file has signed numbers */
}

/* ---- messages ---- */

static Event *cause_report(Judging *j, EventPhase phase, EventKind kind, Severity severity,
                           uint64_t dedup_usec) {
    const CauseMembers *in = j->in;
    Event *t = incident_report(&j->c.incident, j->plan, phase, kind, severity, dedup_usec, j->now);

    t->mode = j->policy->mode;
    t->cause = j->c.kind;
    t->members = in->members;
    t->n_members = in->n;
    t->rest = in->rest;
    t->n_rest = in->n_answering > 0 ? in->n_rest : 0;
    t->n_before = j->c.n_reported;
    t->since_usec = phase == PHASE_RESOLVED ? 0 : in->since_usec;
    t->resolves = phase == PHASE_RESOLVED;
    if (in->first && j->c.kind != CAUSE_UNCOVERED) {
        t->error = in->first->error;
        t->n_failed = in->first->n_failed;
        memcpy(t->detail, in->first->error_text, sizeof(t->detail));
    }
    j->c.n_reported = (unsigned)in->n;
    j->c.members_mark = mark_of(in);
    return t;
}

static void begin(Judging *j) {
    Incident *inc = &j->c.incident;
    EventKind kind = cause_rows[j->c.kind].begins;
    /* different causes of one account that begin at the same time are different incidents */
    uint64_t dedup_usec = j->in->since_usec + j->c.kind;
    EventPhase phase = incident_begin(inc, dedup_usec, j->now);
    Gap none = { 0 };

    j->c.n_reported = 0;
    if (incident_may_report(inc, phase, kind, SEVERITY_WARNING, &none, j->now))
        (void)cause_report(j, phase, kind, SEVERITY_WARNING, dedup_usec);
}

static void end(Judging *j) {
    Incident *inc = &j->c.incident;
    Event *t;

    if (!(j->in->forgotten ? incident_forget(inc, j->now) : incident_end(inc, j->now)))
        return;
    t = cause_report(j, PHASE_RESOLVED, cause_rows[j->c.kind].ends, inc->severity, inc->last_dedup_usec);
    t->forgotten = j->in->forgotten;
    if (t->forgotten)
        (void)strcpy(t->detail, "the configuration changed");
}

/* Denied regions are a person's decision as long as others answer. When none answers, the account is
 * unreachable. */
static bool is_whole_account(const Judging *j) {
    return j->c.kind == CAUSE_CLOSED && j->in->n_answering == 0;
}

static bool escalates(const Judging *j) {
    return j->c.incident.open && j->c.incident.severity < SEVERITY_CRITICAL &&
           (cause_rows[j->c.kind].escalates || is_whole_account(j));
}

static bool reminds(const Judging *j) {
    return cause_rows[j->c.kind].reminds || is_whole_account(j);
}

/* Since when nothing answers; for a whole account, since the last of its regions stopped. */
static uint64_t failed_since_usec(const Judging *j) {
    return is_whole_account(j) ? MAX(j->in->since_usec, j->in->silent_usec) : j->in->since_usec;
}

static bool has_changed(const Judging *j) {
    return j->c.incident.open && mark_of(j->in) != j->c.members_mark;
}

/* When the next summary of changes may be sent. It is in the future, or the summary would have been sent. */
static uint64_t summary_wake(const Judging *j) {
    uint64_t gone = elapsed(j->c.incident.reported_usec, j->now.real_usec);

    return j->now.mono_usec + guard_before(GUARD_SUMMARY_USEC, gone);
}

/* Identifies the change since the last message; the same after a crash. */
static uint64_t change_mark(const Incident *inc) {
    uint64_t mark =
            guard_hash(add_text(GUARD_HASH_BASIS, "members"), &inc->dedup_usec, sizeof(inc->dedup_usec));

    return guard_mark(mark, &inc->sequence, sizeof(inc->sequence));
}

static void go_on(Judging *j) {
    Incident *inc = &j->c.incident;
    EventKind kind = cause_rows[j->c.kind].begins;
    uint64_t due_usec = critical_usec(failed_since_usec(j));

    if (escalates(j) && j->now.real_usec >= due_usec)
        (void)cause_report(j, PHASE_OPENED, kind, SEVERITY_CRITICAL, due_usec + j->c.kind);
    else if (has_changed(j) && elapsed(inc->reported_usec, j->now.real_usec) >= GUARD_SUMMARY_USEC)
        (void)cause_report(j, PHASE_OPENED, kind, inc->severity, change_mark(inc));
}

static void remind(Judging *j) {
    Incident *inc = &j->c.incident;

    if (incident_summary_is_due(inc, j->now))
        cause_report(j, PHASE_SUMMARY, inc->event, incident_worst(inc), inc->last_dedup_usec)->resolves =
                !inc->open;
    if (reminds(j) && incident_reminder_is_due(inc, j->policy, j->now))
        (void)cause_report(j, PHASE_REMINDER, EVENT_INCIDENT_REMINDER, inc->severity, inc->last_dedup_usec);
}

/* ---- decisions ---- */

/* Lists arrive one after the other, so the message waits a moment for others with the same result. At the
 * start it also waits for regions that have not answered: whether any does is half of the message. */
static bool is_held(Judging *j) {
    if (j->c.kind != CAUSE_UNCOVERED && (j->c.kind != CAUSE_CLOSED || j->in->n_answering > 0))
        return false;
    if (j->c.held_mono_usec == 0)
        j->c.held_mono_usec = j->now.mono_usec + GUARD_HOLD_USEC;
    return j->now.mono_usec < j->c.held_mono_usec;
}

static uint64_t cause_wake(const Judging *j) {
    Policy policy = *j->policy;
    uint64_t wake;

    if (!reminds(j))
        policy.reminder_interval_usec = 0;
    wake = incident_wake_mono_usec(&j->c.incident, &policy, j->now);
    if (escalates(j))
        wake = earlier(wake, critical_wake_mono_usec(failed_since_usec(j), j->now));
    if (has_changed(j))
        wake = earlier(wake, summary_wake(j));
    return earlier(wake, j->c.held_mono_usec);
}

void guard_cause(const Policy *policy, const Cause *prev, const CauseMembers *in, Now now, Plan *ret_plan,
                 Cause *ret_next, bool *ret_alone) {
    Judging j = { .policy = policy, .in = in, .now = now, .c = *prev, .plan = ret_plan };

    plan_begin(ret_plan);
    *ret_alone = false;
    incident_take_clock(&j.c.incident, now);
    if (in->n == 0) {
        j.c.held_mono_usec = 0;
        if (j.c.incident.open)
            end(&j);
    } else if (j.c.incident.open)
        go_on(&j);
    else if (!is_held(&j)) {
        j.c.held_mono_usec = 0;
        *ret_alone = j.c.kind == CAUSE_UNCOVERED && in->n < cause_rows[j.c.kind].n_min;
        if (!*ret_alone && in->n_begun > 0)
            begin(&j);
    }
    remind(&j);
    ret_plan->wake_mono_usec = cause_wake(&j);
    j.c.had_members |= in->n > 0;
    *ret_next = j.c;
}
