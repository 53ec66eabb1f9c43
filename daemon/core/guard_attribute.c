/* SPDX-License-Identifier: Apache-2.0 */
/* When the event history is searched for the caller, and what the results mean. The caller is reported as
 * soon as it is found; nothing ever waits for it. */
#include <stdio.h>

#include "daemon/core/guard_private.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* After so many searches in one incident, the next ones are this far apart. */
#define SEARCH_PAUSE_USEC (300ULL * USEC_PER_SEC)

/* While other callers use up the quota of LookupEvents: pauses from 30 s, doubled up to the maximum, for
 * this long in all. */
#define SEARCH_RETRY_USEC      (30ULL * USEC_PER_SEC)
#define SEARCH_RETRY_MAX_USEC  (600ULL * USEC_PER_SEC)
#define SEARCH_RETRY_ENDS_USEC (24ULL * 3600 * USEC_PER_SEC)

/* Events reach the history within minutes. When it is searched, counted from when the trouble was found. */
static const uint64_t searches_usec[] = {
    5 * USEC_PER_SEC,   30 * USEC_PER_SEC,  60 * USEC_PER_SEC,  180 * USEC_PER_SEC,
    360 * USEC_PER_SEC, 600 * USEC_PER_SEC, 900 * USEC_PER_SEC, 1200 * USEC_PER_SEC,
};

void search_begin(Attributing *at, uint32_t findings, uint64_t from_usec, uint64_t dedup_usec,
                  uint64_t seen_usec) {
    at->wanted = true;
    at->findings = findings;
    at->fields = 0;
    at->from_usec = from_usec;
    at->until_usec = seen_usec + GUARD_OUR_SLACK_USEC;
    at->seen_usec = at->noticed_usec = seen_usec;
    at->dedup_usec = dedup_usec;
    at->n_tries = at->n_throttled = 0;
    at->reached_usec = at->retry_usec = 0;
    at->n_records = at->n_reported = 0;
    at->reported_usec = 0;
    at->attempts_usec = MAX(at->attempts_usec, from_usec);
    at->again_findings = at->again_fields = 0;
    at->again_is_older = false;
}

/* As bits; the lowest is the worst. */
static bool is_worse(uint32_t findings, uint32_t than) {
    return (findings & -findings) < (than & -than);
}

/* The latest time of the cause: later calls did not cause it, however many are made to hide it. If AWS gives
 * the time of the trouble, which is then its id, the call was made close to it. */
static uint64_t cause_until(const Deciding *d, uint64_t not_before_usec, uint64_t dedup_usec) {
    return not_before_usec == dedup_usec ? dedup_usec + GUARD_AWS_SLACK_USEC
                                         : d->now.real_usec + GUARD_OUR_SLACK_USEC;
}

/* The running search waits behind the one for worse trouble. A search without a result takes twenty minutes,
 * and the search for who deleted a trail must not wait for the one for who closed its bucket. */
static void put_off(Attributing *at, const Attributing *old) {
    at->again_noticed_usec = MAX(old->again_findings ? old->again_noticed_usec : 0, old->noticed_usec);
    at->again_findings = old->again_findings | old->findings;
    at->again_fields = old->again_fields | old->fields;
    at->again_from_usec = old->again_findings ? MIN(old->again_from_usec, old->from_usec) : old->from_usec;
    at->again_dedup_usec = old->dedup_usec;
    at->again_is_older = true;
}

/* Kept separately, because the incident may have other fields when the search begins. */
static uint32_t changed_fields(const Deciding *d, uint32_t findings) {
    const Incident *inc = &d->s.incident;

    return findings & FINDINGS_CHANGED ? inc->fields & ~inc->unmet_fields : 0;
}

static bool may_search(const Deciding *d) {
    return d->policy->attribution && !d->facts->never_found;
}

void guard_seek_actor(Deciding *d, uint32_t findings, uint64_t not_before_usec, uint64_t slack_usec,
                      uint64_t dedup_usec, bool opened) {
    Attributing *at = &d->s.attributing;
    uint64_t from_usec = guard_before(not_before_usec, slack_usec);
    uint64_t until_usec = cause_until(d, not_before_usec, dedup_usec);
    uint32_t fields = changed_fields(d, findings);

    if (!may_search(d))
        return;
    if (opened)
        at->n_searches = at->n_attempts = 0;
    if (opened || !at->wanted || at->reported_usec != 0) { /* a search that only goes on gives way */
        search_begin(at, findings, from_usec, dedup_usec, d->now.real_usec);
        at->fields = fields;
        at->until_usec = until_usec;
    } else if (at->seen_usec == d->now.real_usec) {
        /* one poll found several problems */
        at->findings |= findings;
        at->fields |= fields;
        at->from_usec = MIN(at->from_usec, from_usec);
        at->until_usec = MAX(at->until_usec, until_usec);
    } else if (is_worse(findings, at->findings)) {
        Attributing old = *at;

        search_begin(at, findings, from_usec, dedup_usec, d->now.real_usec);
        at->fields = fields;
        at->until_usec = until_usec;
        put_off(at, &old);
    } else {
        if (!at->again_is_older) {
            at->again_from_usec = not_before_usec;
            at->again_dedup_usec = dedup_usec;
        }
        at->again_noticed_usec = d->now.real_usec;
        at->again_findings |= findings;
        at->again_fields |= fields;
    }
}

void guard_seek_actor_of_more(Deciding *d) {
    Attributing *at = &d->s.attributing;

    if (!at->wanted)
        return;
    at->fields |= changed_fields(d, at->findings);
    at->again_fields |= changed_fields(d, at->again_findings);
}

/* ---- the result of a search ---- */

static Severity severity_of(const Deciding *d) {
    return MAX(d->s.incident.severity, guard_severity_of(d, d->s.attributing.findings));
}

static void report_actor(Deciding *d, const Actor *actor) {
    const Attributing *at = &d->s.attributing;
    JournalEntry *entry = plan_entry(d->plan, LINE_ATTRIBUTED);
    Event *t;

    guard_drill_attributed(d, actor);
    t = guard_report(d, PHASE_OPENED, EVENT_TRAIL_ATTRIBUTED, severity_of(d), at->dedup_usec, at->findings,
                     "");
    entry->actor = *actor;
    entry->about = at->findings;
    t->has_actor = true;
    t->actor = *actor;
}

/* "PutBucketPolicy by arn:..., PutKeyPolicy by arn:...", shortened to fit. */
static void list_candidates(const Attribution *found, char *dst, size_t size) {
    size_t len = 0;

    for (unsigned i = 0; i < found->n_candidates && len < size; i++) {
        const Actor *a = &found->candidates[i];

        len += (size_t)snprintf(dst + len, size - len, "%s%s by %s", i > 0 ? ", " : "", a->event_name,
                                a->arn[0] ? a->arn : a->name);
    }
    if (found->more_candidates && len < size)
        (void)snprintf(dst + len, size - len, ", and more");
}

/* No candidate is named as the cause, since it may be innocent. */
static void report_candidates(Deciding *d, const Attribution *found) {
    const Attributing *at = &d->s.attributing;
    JournalEntry *entry = plan_entry(d->plan, LINE_CANDIDATES);
    Event *t;

    guard_drill_attributed(d, NULL);
    t = guard_report(d, PHASE_OPENED, EVENT_TRAIL_ATTRIBUTED, severity_of(d), at->dedup_usec, at->findings,
                     "");
    entry->count = found->n_candidates;
    list_candidates(found, entry->detail, sizeof(entry->detail));
    t->actor = found->actor; /* for the message's id */
    t->doubt = found;
}

/* Reports a result once, and again if a later search gives another. */
static void report_found(Deciding *d, const Attribution *found) {
    Attributing *at = &d->s.attributing;

    if (at->reported_usec == found->actor.event_usec && at->n_reported == found->n_candidates)
        return;
    at->reported_usec = found->actor.event_usec;
    at->n_reported = found->n_candidates;
    if (found->n_candidates > 0)
        report_candidates(d, found);
    else
        report_actor(d, &found->actor);
}

/* detail: why the history could not be searched; "" if it shows nobody. */
static void report_nobody(Deciding *d, const char *detail) {
    const Attributing *at = &d->s.attributing;
    JournalEntry *entry = plan_entry(d->plan, LINE_NOBODY_FOUND);
    Event *t;

    guard_drill_attributed(d, NULL);
    t = guard_report(d, PHASE_OPENED, EVENT_TRAIL_ATTRIBUTED, severity_of(d), at->dedup_usec, at->findings,
                     detail);
    (void)text_copy(entry->detail, sizeof(entry->detail), detail);
    entry->count = at->n_records;
    t->nobody = true;
    t->n_records = at->n_records;
    t->unread = at->reached_usec != 0;
}

/* Each attempt is reported once: the first few one by one, then the newest of each search with a count of
 * the others. */
static void report_attempts(Deciding *d, const Attribution *found) {
    Attributing *at = &d->s.attributing;
    Severity severity = d->facts->maintenance ? SEVERITY_INFO : SEVERITY_WARNING;
    unsigned n = MIN(found->n_attempts, (unsigned)ATTEMPTS_MAX), pending_gaps = 0;
    uint64_t reported_usec = at->attempts_usec;

    while (n > 0 && found->attempts[n - 1].event_usec <= reported_usec)
        n--;
    for (unsigned i = 0; i < n; i++) {
        const Actor *actor = &found->attempts[i];
        Event *t;

        if (actor->event_usec <= reported_usec)
            continue;
        at->attempts_usec = MAX(at->attempts_usec, actor->event_usec);
        plan_entry(d->plan, LINE_ATTEMPTED)->actor = *actor;
        if (at->n_attempts >= GUARD_REPORTS_MAX && i + 1 < n) {
            pending_gaps++;
            continue;
        }
        at->n_attempts++;
        t = guard_report(d, PHASE_OPENED, EVENT_TRAIL_ATTEMPTED, severity, actor->event_usec, 0, "");
        t->has_actor = true;
        t->actor = *actor;
        t->repeats.count = pending_gaps;
    }
}

/* The next search is for what was postponed, or for what happened meanwhile, unless the caller that was
 * found did that, too. */
static void end_search(Deciding *d, uint64_t cause_usec) {
    Attributing *at = &d->s.attributing;
    uint64_t noticed_usec = at->again_noticed_usec, pause_usec;
    uint32_t fields = at->again_fields;

    at->wanted = false;
    at->n_searches++;
    pause_usec = at->n_searches >= GUARD_REPORTS_MAX ? SEARCH_PAUSE_USEC : 0;
    if (at->again_findings != 0 && (at->again_is_older || cause_usec < at->again_from_usec)) {
        search_begin(at, at->again_findings, guard_before(at->again_from_usec, GUARD_OUR_SLACK_USEC),
                     at->again_dedup_usec, d->now.real_usec + pause_usec);
        at->fields = fields;
        at->noticed_usec = noticed_usec != 0 ? noticed_usec : at->noticed_usec; /* 0: written by an older
                                                                                   version */
        at->until_usec = at->noticed_usec + GUARD_OUR_SLACK_USEC;
    }
    at->again_findings = at->again_fields = 0;
    at->again_is_older = false;
}

void guard_attributed(Deciding *d, const Attribution *found) {
    Attributing *at = &d->s.attributing;

    at->searching = false;
    if (d->s.incident.opened_usec == 0)
        return;
    report_attempts(d, found);
    if (!at->wanted)
        return;
    if (search_ended(at, found, d->now))
        (void)text_copy(plan_entry(d->plan, LINE_SEARCH_WAITS)->detail, ERROR_TEXT_MAX, found->error_text);
    /* a caller found by a search for older trouble is not the one sought now */
    if (found->searched && found->found && found->actor.event_usec >= at->from_usec) {
        report_found(d, found);
        if (!found->incomplete || search_was_last(at) || at->again_findings != 0)
            end_search(d, found->actor.event_usec);
    } else if (search_was_last(at)) {
        if (at->reported_usec == 0)
            report_nobody(d, found->searched ? "" : found->error_text);
        end_search(d, at->reported_usec);
    }
}

/* ---- when ---- */

bool search_ended(Attributing *at, const Attribution *found, Now now) {
    at->n_records += found->n_records;
    if (found->throttled && elapsed(at->seen_usec, now.real_usec) < SEARCH_RETRY_ENDS_USEC) {
        uint64_t pause_usec = SEARCH_RETRY_USEC << MIN(at->n_throttled, 5U);

        at->retry_usec = now.real_usec + MIN(pause_usec, SEARCH_RETRY_MAX_USEC);
        return at->n_throttled++ == 0;
    }
    at->n_tries = found->throttled ? ARRAY_SIZE(searches_usec) : at->n_tries + 1;
    at->n_throttled = 0;
    at->retry_usec = 0;
    at->reached_usec = found->searched ? found->reached_usec : 0;
    return false;
}

bool search_was_last(const Attributing *at) {
    return at->n_tries >= ARRAY_SIZE(searches_usec);
}

static uint64_t due_usec(const Attributing *at) {
    unsigned next = MIN(at->n_tries, (unsigned)ARRAY_SIZE(searches_usec) - 1);
    uint64_t usec = at->seen_usec + searches_usec[next];

    return MAX(usec, at->retry_usec);
}

bool search_is_due(Attributing *at, Now now) {
    if (!at->wanted || at->searching)
        return false;
    /* the clock was set back: do not wait until it has caught up */
    at->seen_usec = MIN(at->seen_usec, now.real_usec + SEARCH_PAUSE_USEC);
    at->retry_usec = MIN(at->retry_usec, now.real_usec + SEARCH_RETRY_MAX_USEC);
    at->searching = now.real_usec >= due_usec(at);
    return at->searching;
}

uint64_t search_wake_mono_usec(const Attributing *at, Now now) {
    if (!at->wanted || at->searching)
        return 0;
    return now.mono_usec + guard_before(due_usec(at), now.real_usec); /* a search that is due now is already
                                                                         running */
}

void guard_plan_search(Deciding *d) {
    if (!may_search(d))
        d->s.attributing.wanted = false;
    d->plan->attribute |= search_is_due(&d->s.attributing, d->now);
}

uint64_t guard_search_wake(const Deciding *d) {
    return search_wake_mono_usec(&d->s.attributing, d->now);
}

#define CLOCK_SLACK_USEC (60 * USEC_PER_SEC)

bool guard_search_may_begin(const char *identity, bool identity_is_not_there) {
    return identity[0] || identity_is_not_there;
}

Attribution guard_search_failed(const char *why) {
    Attribution failed = { .searched = false };

    (void)text_copy(failed.error_text, sizeof(failed.error_text), why);
    return failed;
}

uint64_t guard_latest_event(uint64_t real_usec) {
    return real_usec + CLOCK_SLACK_USEC;
}

uint64_t guard_search_until(const Attributing *at, uint64_t real_usec) {
    uint64_t latest_usec = guard_latest_event(real_usec);

    return at->until_usec != 0 ? MIN(at->until_usec, latest_usec) : latest_usec;
}

uint64_t guard_sought_stop(const TrailState *state) {
    const Attributing *at = &state->attributing;
    /* for a stop alone, its own time, however often the trail was stopped since: see cause_until() */
    bool alone = at->until_usec == at->dedup_usec + GUARD_AWS_SLACK_USEC;
    uint64_t stop_usec = alone ? at->dedup_usec : state->stop_usec;

    if (!(at->findings & (FINDING_BIT(FINDING_STOPPED) | FINDING_BIT(FINDING_INTERRUPTED))))
        return 0;
    return stop_usec >= at->from_usec && stop_usec <= at->until_usec ? stop_usec : 0;
}
