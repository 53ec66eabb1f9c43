/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the guard that judges targets: whether they can be polled, and whether a trail records
 * there. */
#include "daemon/core/guard_private.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define NOT_ENABLED "the account has not enabled it"
/* How far back to search for who removed an account from the organization: the guard may have been off. */
#define DEPARTURE_PAST_USEC (7 * 86400ULL * USEC_PER_SEC)
/* ... and for who removed the guard's access: the first failed poll follows at once. */
#define REACH_PAST_USEC (600ULL * USEC_PER_SEC)

typedef struct Judging {
    const Policy *policy;
    Now now;
    TargetState s;
    Plan *plan;
    const SharedIncident *shared; /* of its cause, once that was reported; NULL: none */
} Judging;

static Event *target_report(Judging *j, Incident *inc, EventPhase phase, EventKind kind, Severity severity,
                            uint64_t dedup_usec) {
    Event *t = incident_report(inc, j->plan, phase, kind, severity, dedup_usec, j->now);

    t->unnamed = inc->unnamed;
    t->mode = j->policy->mode;
    t->may_act = false;
    t->error = j->s.error;
    t->n_failed = j->s.n_failed;
    if (inc == &j->s.reach && j->s.error == POLL_GONE)
        t->since_usec = j->s.left_usec;
    if (inc == &j->s.reach)
        text_copy(t->detail, sizeof(t->detail), j->s.error_text);
    if (inc == &j->s.list) {
        t->about = FINDING_BIT(FINDING_LIST_UNREADABLE);
        t->findings = inc->open ? t->about : 0;
        t->error = j->s.list_error;
        t->n_failed = j->s.n_list_failed;
        text_copy(t->detail, sizeof(t->detail), j->s.list_error_text);
    }
    return t;
}

/* True if its trouble is reported together with others. */
static bool is_shared(const TargetState *s, const Incident *inc) {
    return (inc == &s->reach && s->cause != CAUSE_OWN) || (inc == &s->cover && s->cover_is_shared);
}

static void target_begin(Judging *j, Incident *inc, EventKind kind, uint64_t dedup_usec) {
    EventPhase phase = incident_begin(inc, dedup_usec, j->now);

    if (phase == PHASE_OPENED)
        inc->unnamed = j->policy->unnamed;
    if (is_shared(&j->s, inc)) {
        inc->event = kind;
        return;
    }
    if (incident_may_report(inc, phase, kind, SEVERITY_WARNING, &inc->gap, j->now))
        (void)target_report(j, inc, phase, kind, SEVERITY_WARNING, dedup_usec);
}

static void end(Judging *j, Incident *inc, EventKind kind) {
    if (inc->open && incident_end(inc, j->now) && !is_shared(&j->s, inc))
        (void)target_report(j, inc, PHASE_RESOLVED, kind, inc->severity, inc->last_dedup_usec);
}

static Judging judging(const Policy *policy, const TargetState *prev, Now now, Plan *plan) {
    Judging j = { .policy = policy, .now = now, .s = *prev, .plan = plan };

    plan_begin(plan);
    incident_take_clock(&j.s.reach, now);
    incident_take_clock(&j.s.cover, now);
    incident_take_clock(&j.s.list, now);
    j.s.failed_since_usec = MIN(j.s.failed_since_usec, now.real_usec);
    j.s.list_since_usec = MIN(j.s.list_since_usec, now.real_usec);
    return j;
}

/* It ends for another reason than recovery. */
static void target_forget(Judging *j, Incident *inc, EventKind kind, const char *why) {
    Event *t;

    if (!incident_forget(inc, j->now) || is_shared(&j->s, inc))
        return;
    t = target_report(j, inc, PHASE_RESOLVED, kind, inc->severity, inc->last_dedup_usec);
    t->forgotten = true;
    (void)text_copy(t->detail, sizeof(t->detail), why);
}

static void polls_answered(TargetState *s) {
    s->n_failed = 0;
    s->failed_since_usec = 0;
    s->error = POLL_OK;
    s->error_text[0] = '\0';
    s->unreachable = false;
    s->left_usec = 0;
    s->cause = CAUSE_OWN;
}

static void lists_answered(TargetState *s) {
    s->n_list_failed = 0;
    s->list_since_usec = 0;
    s->list_error = POLL_OK;
    s->list_unreadable = false;
    s->list_error_text[0] = '\0';
}

static void reachable(Judging *j) {
    TargetState *s = &j->s;

    if (s->n_failed > 0)
        plan_entry(j->plan, LINE_REACHABLE)->count = s->n_failed;
    end(j, &s->reach, EVENT_TARGET_REACHABLE);
    polls_answered(s);
}

/* Starts the search for who did it. Outages of a region or of keys are caused by no call. */
static void seek_actor(Judging *j, uint64_t well_usec, uint64_t dedup_usec) {
    TargetState *s = &j->s;
    bool left = s->error == POLL_GONE;
    uint64_t since_usec = left ? j->now.real_usec : s->failed_since_usec,
             past_usec = left ? DEPARTURE_PAST_USEC : REACH_PAST_USEC;

    if (!j->policy->attribution || (!left && s->error != POLL_DENIED))
        return;
    search_begin(&s->attributing, FINDING_BIT(left ? FINDING_MISSING : FINDING_UNREACHABLE),
                 MAX(well_usec, guard_before(since_usec, past_usec)), dedup_usec,
                 j->now.real_usec);
}

static void not_reachable(Judging *j, const PollResult *result) {
    TargetState *s = &j->s;
    uint64_t well_usec = s->reach.resolved_usec, dedup_usec;
    bool becomes_unreachable, left = result->error == POLL_GONE, leaves = left && s->error != POLL_GONE;

    s->n_failed++;
    s->not_enabled = false;
    s->error = result->error;
    if (!left)
        s->left_usec = 0;
    else if (s->left_usec == 0)
        s->left_usec = j->now.real_usec;
    text_copy(s->error_text, sizeof(s->error_text), result->error_text);
    if (s->failed_since_usec == 0)
        s->failed_since_usec = j->now.real_usec;
    /* that an account left needs no second poll */
    becomes_unreachable = !s->unreachable && (left || s->n_failed >= j->policy->unreachable_after);
    /* an unreachable account has left: that is a new fact */
    dedup_usec = leaves && s->unreachable ? s->left_usec : s->failed_since_usec;
    becomes_unreachable |= leaves && s->unreachable;
    if (becomes_unreachable || s->n_failed == 1) {
        JournalEntry *entry = plan_entry(j->plan, !becomes_unreachable ? LINE_POLL_FAILED
                                                  : left               ? LINE_ACCOUNT_LEFT
                                                                       : LINE_UNREACHABLE);

        entry->count = s->n_failed;
        text_copy(entry->detail, sizeof(entry->detail), result->error_text);
    }
    if (becomes_unreachable) {
        s->unreachable = true;
        s->cause = left ? CAUSE_OWN : result->cause;
        target_begin(j, &s->reach, left ? EVENT_ACCOUNT_LEFT : EVENT_TARGET_UNREACHABLE, dedup_usec);
        seek_actor(j, well_usec, dedup_usec);
    }
}

static void judge_cover(Judging *j, bool covered, bool shared) {
    TargetState *s = &j->s;

    if (covered)
        s->uncovered_usec = 0;
    else if (s->uncovered_usec == 0)
        s->uncovered_usec = j->now.real_usec;
    if (!covered && !s->cover.open) {
        (void)plan_entry(j->plan, LINE_UNCOVERED);
        s->cover_is_shared = shared;
        target_begin(j, &s->cover, EVENT_REGION_UNCOVERED, s->uncovered_usec);
    } else if (covered && s->cover.open) {
        (void)plan_entry(j->plan, LINE_COVERED);
        end(j, &s->cover, EVENT_REGION_COVERED);
        s->cover_is_shared = false;
    }
    s->listed = true;
    s->covered = covered;
}

/* Trails can be polled, but not listed: their settings, new trails and deletions are unknown. */
static void list_failed(Judging *j, const PollResult *result) {
    TargetState *s = &j->s;
    bool becomes_unreadable;

    s->n_list_failed++;
    if (s->list_since_usec == 0)
        s->list_since_usec = j->now.real_usec;
    s->list_error = result->list_error;
    text_copy(s->list_error_text, sizeof(s->list_error_text), result->list_error_text);
    becomes_unreadable = !s->list_unreadable && s->n_list_failed >= j->policy->unreachable_after;
    if (becomes_unreadable || s->n_list_failed == 1)
        text_copy(plan_entry(j->plan, becomes_unreadable ? LINE_LIST_UNREADABLE : LINE_LIST_FAILED)->detail,
                  ERROR_TEXT_MAX, result->list_error_text);
    if (becomes_unreadable) {
        s->list_unreadable = true;
        target_begin(j, &s->list, EVENT_TARGET_UNREACHABLE, s->list_since_usec);
    }
}

static void list_read(Judging *j) {
    TargetState *s = &j->s;

    if (s->list_unreadable)
        (void)plan_entry(j->plan, LINE_LIST_READABLE);
    end(j, &s->list, EVENT_TARGET_REACHABLE);
    lists_answered(s);
}

/* If it is guarded again later, it starts from nothing. */
static void forget_all(Judging *j, const char *why) {
    TargetState *s = &j->s;

    target_forget(j, &s->reach, EVENT_TARGET_REACHABLE, why);
    target_forget(j, &s->cover, EVENT_REGION_COVERED, why);
    target_forget(j, &s->list, EVENT_TARGET_REACHABLE, why);
    s->cover_is_shared = false;
    s->uncovered_usec = 0;
    polls_answered(s);
    lists_answered(s);
}

/* ---- the meaning of a poll ---- */

static void not_enabled(Judging *j) {
    TargetState *s = &j->s;

    if (!s->not_enabled)
        (void)plan_entry(j->plan, LINE_NOT_ENABLED);
    s->not_enabled = true;
    s->settled = true; /* it has no trails, so any that appears later is new */
    forget_all(j, NOT_ENABLED);
}

/* The latest poll to begin decides whether the target is reachable. An older one that ends later with the
 * opposite result is outdated. */
static bool is_outdated(const TargetState *s, const PollResult *result) {
    bool failed = !result->reachable && !result->not_enabled;

    return result->began_usec != 0 && result->began_usec < s->latest_began_usec &&
           failed != (s->n_failed > 0);
}

bool guard_target_is_pending(const Policy *policy, unsigned n_failed, bool unreachable) {
    return !unreachable && n_failed + 1 < policy->unreachable_after;
}

static void polled(Judging *j, const PollResult *result) {
    if (is_outdated(&j->s, result))
        return;
    j->s.latest_began_usec = MAX(j->s.latest_began_usec, result->began_usec);
    if (result->not_enabled) {
        not_enabled(j);
        return;
    }
    if (!result->reachable) {
        not_reachable(j, result);
        return;
    }
    reachable(j);
    j->s.not_enabled = false;
    j->s.ever_reachable = true;
    if (result->list_error != POLL_OK)
        list_failed(j, result);
    else if (result->list_read)
        list_read(j);
    if (result->listed)
        judge_cover(j, result->covered, result->cover_is_shared);
}

static bool becomes_critical(const TargetState *s) {
    return s->reach.open && s->reach.severity < SEVERITY_CRITICAL &&
           !is_shared(s, &s->reach);
}

static void escalate(Judging *j) {
    TargetState *s = &j->s;
    uint64_t due_usec = critical_usec(s->failed_since_usec);

    if (becomes_critical(s) && j->now.real_usec >= due_usec)
        (void)target_report(j, &s->reach, PHASE_OPENED,
                            s->error == POLL_GONE ? EVENT_ACCOUNT_LEFT : EVENT_TARGET_UNREACHABLE,
                            SEVERITY_CRITICAL, due_usec);
}

static void remind(Judging *j, Incident *inc) {
    if (is_shared(&j->s, inc))
        return;
    if (incident_summary_is_due(inc, j->now))
        target_report(j, inc, PHASE_SUMMARY, inc->event, incident_worst(inc), inc->last_dedup_usec)
                ->resolves = !inc->open;
    if (incident_reminder_is_due(inc, j->policy, j->now))
        (void)target_report(j, inc, PHASE_REMINDER, EVENT_INCIDENT_REMINDER, inc->severity,
                            inc->last_dedup_usec);
}

void guard_target_forgotten(const Policy *policy, const TargetState *prev, const char *why, Now now,
                            Plan *ret_plan, TargetState *ret_next) {
    Judging j = judging(policy, prev, now, ret_plan);

    forget_all(&j, why);
    j.s.attributing = (Attributing){ 0 };
    *ret_next = j.s;
}

static void report_actor(Judging *j, const Attribution *found, const Actor *actor) {
    Incident *inc = j->shared ? j->shared->incident : &j->s.reach;
    Event *t = target_report(j, inc, PHASE_OPENED, EVENT_TRAIL_ATTRIBUTED,
                             MAX(inc->severity, SEVERITY_WARNING), j->s.attributing.dedup_usec);

    t->incident_of = j->shared ? &j->shared->subject : NULL;
    t->about = j->s.attributing.findings;
    /* as long as the incident of the cause is not reported, there is none to end */
    t->resolves = !inc->open || is_shared(&j->s, inc);
    t->has_actor = actor != NULL;
    t->nobody = !actor;
    t->n_records = j->s.attributing.n_records;
    t->unread = j->s.attributing.reached_usec != 0;
    if (actor)
        t->actor = *actor;
    (void)text_copy(t->detail, sizeof(t->detail),
                    actor           ? actor->departure
                    : found->searched ? ""
                                    : found->error_text);
}

static void note_actor(Judging *j, const Attribution *found, const Actor *actor) {
    JournalEntry *entry = plan_entry(j->plan, actor ? LINE_ATTRIBUTED : LINE_NOBODY_FOUND);

    if (actor)
        entry->actor = *actor;
    else {
        entry->count = j->s.attributing.n_records;
        (void)text_copy(entry->detail, sizeof(entry->detail), found->searched ? "" : found->error_text);
    }
}

/* For most accounts that cannot be reached nobody is found, because the cause is inside the account: no
 * message. */
static void attributed(Judging *j, const Attribution *found) {
    Attributing *at = &j->s.attributing;
    bool last, is_it;

    at->searching = false;
    if (!at->wanted)
        return;
    if (search_ended(at, found, j->now))
        (void)text_copy(plan_entry(j->plan, LINE_SEARCH_WAITS)->detail, ERROR_TEXT_MAX, found->error_text);
    last = search_was_last(at);
    is_it = found->searched && found->found && found->actor.event_usec >= at->from_usec;
    at->wanted = !last && (!is_it || found->incomplete);
    if (at->wanted || (!is_it && !(at->findings & FINDING_BIT(FINDING_MISSING))))
        return;
    note_actor(j, found, is_it ? &found->actor : NULL);
    report_actor(j, found, is_it ? &found->actor : NULL);
}

static uint64_t remind_wake(const Judging *j, const Incident *inc) {
    return is_shared(&j->s, inc) ? 0 : incident_wake_mono_usec(inc, j->policy, j->now);
}

/* What is due by time alone, after all other decisions. */
static void pass_time(Judging *j, TargetState *ret_next) {
    TargetState *s = &j->s;
    uint64_t wake;

    escalate(j);
    remind(j, &s->reach);
    remind(j, &s->cover);
    remind(j, &s->list);
    wake = earlier(remind_wake(j, &s->reach), earlier(remind_wake(j, &s->cover), remind_wake(j, &s->list)));
    if (becomes_critical(s))
        wake = earlier(wake, critical_wake_mono_usec(s->failed_since_usec, j->now));
    if (j->policy->attribution) {
        j->plan->attribute = search_is_due(&s->attributing, j->now);
        wake = earlier(wake, search_wake_mono_usec(&s->attributing, j->now));
    }
    j->plan->wake_mono_usec = wake;
    *ret_next = *s;
}

bool guard_denial_is_news(const TargetState *state, const PollResult *result) {
    return result->error == POLL_DENIED && state->n_failed == 0;
}

static void keep_mark(uint64_t *mark, uint64_t next) {
    if (*mark == 0)
        *mark = next;
}

uint64_t guard_target_marks(const TargetState *was, const TargetState *next, TargetState *ret_marked) {
    uint64_t newest_usec = MAX(MAX(next->failed_since_usec, next->list_since_usec),
                               MAX(next->left_usec, next->uncovered_usec));

    *ret_marked = *was;
    keep_mark(&ret_marked->failed_since_usec, next->failed_since_usec);
    keep_mark(&ret_marked->list_since_usec, next->list_since_usec);
    keep_mark(&ret_marked->uncovered_usec, next->uncovered_usec);
    if (was->error != POLL_GONE) /* an earlier time belongs to another departure */
        ret_marked->left_usec = next->left_usec;
    return MAX(newest_usec,
               MAX(MAX(was->reach.last_dedup_usec, was->cover.last_dedup_usec), was->list.last_dedup_usec));
}

void guard_target(const Policy *policy, const TargetState *prev, const PollResult *result, Now now,
                  Plan *ret_plan, TargetState *ret_next) {
    Judging j = judging(policy, prev, now, ret_plan);

    if (result)
        polled(&j, result);
    pass_time(&j, ret_next);
}

static void report_alone(Judging *j, Incident *inc, EventKind kind) {
    if (inc->open)
        (void)target_report(j, inc, inc->sequence > 0 ? PHASE_REOPENED : PHASE_OPENED, kind,
                            SEVERITY_WARNING, inc->last_dedup_usec);
}

void guard_target_alone(const Policy *policy, const TargetState *prev, CauseKind was, Now now,
                        Plan *ret_plan, TargetState *ret_next) {
    Judging j = judging(policy, prev, now, ret_plan);

    if (was == CAUSE_UNCOVERED) {
        j.s.cover_is_shared = false;
        report_alone(&j, &j.s.cover, EVENT_REGION_UNCOVERED);
    } else {
        j.s.cause = CAUSE_OWN;
        report_alone(&j, &j.s.reach, EVENT_TARGET_UNREACHABLE);
    }
    pass_time(&j, ret_next);
}

void guard_target_attributed(const Policy *policy, const TargetState *prev, const Attribution *found,
                             const SharedIncident *shared, Now now, Plan *ret_plan, TargetState *ret_next) {
    Judging j = judging(policy, prev, now, ret_plan);

    if (shared && prev->cause != CAUSE_OWN && shared->incident->opened_usec != 0)
        j.shared = shared;
    attributed(&j, found);
    pass_time(&j, ret_next);
}
