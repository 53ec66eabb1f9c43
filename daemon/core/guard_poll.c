/* SPDX-License-Identifier: Apache-2.0 */
/* What a poll of a trail means, compared with the previous state. */
#include "daemon/core/guard_private.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

/* AWS reports these only at the next delivery: log files every few minutes, digests hourly. */
#define DELIVERY_FAILURES                                                                                   \
    (FINDING_BIT(FINDING_DELIVERY) | FINDING_BIT(FINDING_DIGEST) | FINDING_BIT(FINDING_LOG_GROUP) |         \
     FINDING_BIT(FINDING_NOTIFICATION))
#define DELIVERY_LAG_USEC (75ULL * 60 * USEC_PER_SEC)

/* How long AWS's replicas may differ. */
#define BEHIND_USEC (60ULL * USEC_PER_SEC)

/* Failures that someone's call can have caused. */
#define ATTRIBUTABLE_FAILURES                                                                               \
    (FINDING_BIT(FINDING_BUCKET) | FINDING_BIT(FINDING_LIFECYCLE) | FINDING_BIT(FINDING_KEY) |              \
     DELIVERY_FAILURES)

/* The member of an observation that has the error, per finding. */
static const struct {
    Finding finding;
    size_t offset;
} errors_table[] = {
    { FINDING_DELIVERY, offsetof(Observation, delivery_error) },
    { FINDING_DIGEST, offsetof(Observation, digest_error) },
    { FINDING_LOG_GROUP, offsetof(Observation, log_group_error) },
    { FINDING_NOTIFICATION, offsetof(Observation, notification_error) },
    { FINDING_BUCKET, offsetof(Observation, bucket_error) },
    { FINDING_LIFECYCLE, offsetof(Observation, lifecycle_error) },
    { FINDING_KEY, offsetof(Observation, key_error) },
    { FINDING_SELECTORS_UNREADABLE, offsetof(Observation, unreadable[UNREADABLE_SELECTORS]) },
    { FINDING_INSIGHTS_UNREADABLE, offsetof(Observation, unreadable[UNREADABLE_INSIGHTS]) },
    { FINDING_TAGS_UNREADABLE, offsetof(Observation, unreadable[UNREADABLE_TAGS]) },
    { FINDING_CONFIGURATION_UNREADABLE, offsetof(Observation, unreadable[UNREADABLE_CONFIGURATION]) },
    { FINDING_BUCKET_UNREADABLE, offsetof(Observation, unreadable[UNREADABLE_BUCKET]) },
    { FINDING_LIFECYCLE_UNREADABLE, offsetof(Observation, unreadable[UNREADABLE_LIFECYCLE]) },
    { FINDING_POLICY_UNREADABLE, offsetof(Observation, unreadable[UNREADABLE_POLICY]) },
    { FINDING_KEY_UNREADABLE, offsetof(Observation, unreadable[UNREADABLE_KEY]) },
};

static const char *error_at(const Observation *seen, size_t row) {
    return (const char *)seen + errors_table[row].offset;
}

static uint64_t newest_delivery(const Observation *seen) {
    return MAX(MAX(seen->delivery_usec, seen->digest_usec), seen->start_usec);
}

static bool is_stale(const Deciding *d, const Observation *seen) {
    uint64_t newest = newest_delivery(seen);

    return d->policy->stale_after_usec != 0 && (d->facts->validation || d->facts->records_reads) &&
           seen->is_logging && newest != 0 &&
           elapsed(newest, d->now.real_usec) > d->policy->stale_after_usec;
}

uint32_t guard_conditions(const Deciding *d, const Observation *seen) {
    uint32_t found = 0;

    if (!seen->is_logging)
        found |= FINDING_BIT(FINDING_STOPPED);
    if (is_stale(d, seen))
        found |= FINDING_BIT(FINDING_STALE);
    for (size_t i = 0; i < ARRAY_SIZE(errors_table); i++)
        if (error_at(seen, i)[0])
            found |= FINDING_BIT(errors_table[i].finding);
    return found;
}

/* Writes why deliveries fail. */
static void explain(const Observation *seen, Finding finding, char ret[static ERROR_TEXT_MAX]) {
    static const char stale[] = "nothing was delivered since ";
    char since[TIMETEXT_MAX];

    *ret = '\0';
    if (finding == FINDING_STALE) {
        (void)text_copy(ret, ERROR_TEXT_MAX, stale);
        (void)text_copy(ret + sizeof(stale) - 1, ERROR_TEXT_MAX - sizeof(stale) + 1,
                        timetext_iso(since, newest_delivery(seen)));
    }
    for (size_t i = 0; i < ARRAY_SIZE(errors_table); i++)
        if (errors_table[i].finding == finding)
            (void)text_copy(ret, ERROR_TEXT_MAX, error_at(seen, i));
}

static void polls_answered(TrailState *s) {
    s->n_failed = 0;
    s->failed_since_usec = 0;
    s->error = POLL_OK;
    s->n_unpolled_restarts = 0;
}

void guard_remember(TrailState *s, const Observation *seen, Now now) {
    s->known = true;
    /* state files of earlier versions do not have it: a trail with a baseline was there when that was
     * recorded */
    if (s->first_seen_usec == 0)
        s->first_seen_usec = s->accepted_usec != 0 ? MIN(s->accepted_usec, now.real_usec) : now.real_usec;
    s->start_usec = seen->start_usec;
    s->stop_usec = seen->stop_usec;
    s->delivery_usec = seen->delivery_usec;
    s->digest_usec = seen->digest_usec;
    s->polled_usec = now.real_usec;
    polls_answered(s);
}

void guard_end_unreachable(Deciding *d) {
    if (d->s.findings & FINDING_BIT(FINDING_UNREACHABLE)) {
        plan_entry(d->plan, LINE_REACHABLE)->count = d->s.n_failed;
        d->s.findings &= ~FINDING_BIT(FINDING_UNREACHABLE);
    }
}

static uint64_t last_poll_usec(const Deciding *d) {
    uint64_t polled_usec = d->s.polled_usec;

    return polled_usec != 0 ? polled_usec : guard_before(d->now.real_usec, GUARD_UNKNOWN_PAST_USEC);
}

/* A trail that was never started has no times. */
static uint64_t time_or_mark(Deciding *d, uint64_t usec) {
    return usec != 0 ? usec : guard_new_mark(&d->s, 0, d->now);
}

void guard_found_stopped(Deciding *d, const Observation *seen, bool first_sight) {
    bool act = guard_may_restart(d);
    PendingEvent how = { .findings = FINDING_BIT(FINDING_STOPPED), .first_sight = first_sight };
    JournalEntry *entry = plan_entry(d->plan, act ? LINE_STOPPED : LINE_STOPPED_LEFT);

    how.dedup_usec = time_or_mark(d, seen->stop_usec);
    how.phase = incident_begin(&d->s.incident, how.dedup_usec, d->now);
    d->s.incident.gap = (Gap){ .from_usec = seen->stop_usec };
    guard_take_drill(d, seen->stop_usec);
    d->s.incident.action = (ActionReport){ 0 };
    entry->gap = d->s.incident.gap;
    entry->first_sight = first_sight;
    entry->maintenance = !act && d->facts->maintenance;
    guard_seek_actor(d, how.findings, seen->stop_usec != 0 ? seen->stop_usec : last_poll_usec(d),
                     GUARD_AWS_SLACK_USEC, how.dedup_usec, how.phase == PHASE_OPENED);
    if (act)
        guard_report_later(d, &d->s.pending, how);
    else
        guard_report_trouble(d, &how, "");
}

static void note_failures(Deciding *d, const Observation *seen, uint32_t findings) {
    for (Finding f = 0; f < _FINDING_MAX; f++)
        if (findings & FINDING_BIT(f)) {
            JournalEntry *entry = plan_entry(d->plan, FINDING_BIT(f) & FINDINGS_UNREADABLE ? LINE_UNREADABLE
                                                                                           : LINE_FAILING);

            explain(seen, f, entry->detail);
            entry->count = f;
        }
}

void guard_found_failing(Deciding *d, const Observation *seen, uint32_t findings) {
    char why[ERROR_TEXT_MAX];
    PendingEvent how = { .findings = findings };
    Finding worst = FINDING_DELIVERY;

    note_failures(d, seen, findings);
    /* once reported in an open incident, the same failing delivery is no news */
    if (d->s.incident.open)
        how.findings &= ~d->s.incident.reported;
    if (how.findings == 0)
        return;
    while (!(how.findings & FINDING_BIT(worst)))
        worst++;
    explain(seen, worst, why);
    how.dedup_usec = guard_new_mark(&d->s, d->s.start_usec + worst, d->now);
    how.phase = incident_begin(&d->s.incident, how.dedup_usec, d->now);
    if (how.findings & ATTRIBUTABLE_FAILURES)
        guard_seek_actor(
                d, how.findings & ATTRIBUTABLE_FAILURES,
                guard_before(last_poll_usec(d), how.findings & DELIVERY_FAILURES ? DELIVERY_LAG_USEC : 0),
                GUARD_OUR_SLACK_USEC, how.dedup_usec, how.phase == PHASE_OPENED);
    guard_report_trouble(d, &how, why);
}

/* A new trail that nobody is known to want. The message waits a moment for S3's answer about its bucket. */
static void found_appeared(Deciding *d, uint64_t start_usec, uint64_t polled_usec) {
    PendingEvent how = { .findings = FINDING_BIT(FINDING_APPEARED) };

    (void)plan_entry(d->plan, LINE_APPEARED);
    how.dedup_usec = time_or_mark(d, start_usec);
    how.phase = incident_begin(&d->s.incident, how.dedup_usec, d->now);
    guard_seek_actor(d, how.findings, polled_usec, GUARD_OUR_SLACK_USEC, how.dedup_usec,
                     how.phase == PHASE_OPENED);
    guard_report_later(d, &d->s.pending_restore, how);
}

void guard_report_appeared(Deciding *d) {
    PendingEvent *pending = &d->s.pending_restore;

    if (pending->set && (pending->findings & FINDING_BIT(FINDING_APPEARED)) &&
        d->facts->destination != DESTINATION_UNKNOWN)
        guard_report_pending(d, pending, "");
}

static void found_interrupted(Deciding *d, const Observation *seen) {
    PendingEvent how = {
        .phase = incident_begin(&d->s.incident, seen->stop_usec, d->now),
        .findings = FINDING_BIT(FINDING_INTERRUPTED),
        .dedup_usec = seen->stop_usec,
    };
    uint64_t to = seen->start_usec >= seen->stop_usec ? seen->start_usec : d->now.real_usec;

    d->events |= how.findings;
    d->s.incident.gap = (Gap){ .from_usec = seen->stop_usec, .to_usec = to };
    guard_take_drill(d, seen->stop_usec);
    d->s.incident.action = (ActionReport){ 0 };
    plan_entry(d->plan, LINE_INTERRUPTED)->gap = d->s.incident.gap;
    guard_undone(d);
    guard_seek_actor(d, how.findings, seen->stop_usec, GUARD_AWS_SLACK_USEC, how.dedup_usec,
                     how.phase == PHASE_OPENED);
    guard_report_trouble(d, &how, "");
}

/* Of the trail that was last started at that time. The mark is the same whether a guard found the deletion
 * itself, or a new trail after it. */
static uint64_t deletion_mark(Deciding *d, uint64_t start_usec) {
    return start_usec != 0 ? guard_fact_mark(d->s.marks, "deleted", start_usec)
                           : guard_new_mark(&d->s, 0, d->now);
}

static void found_recreated(Deciding *d, uint64_t was_start_usec, uint64_t polled_usec) {
    PendingEvent how = { .findings = FINDING_BIT(FINDING_REPLACED),
                         .dedup_usec = deletion_mark(d, was_start_usec) };

    d->events |= how.findings;
    how.phase = incident_begin(&d->s.incident, how.dedup_usec, d->now);
    d->s.incident.restore = (ActionReport){ 0 };
    (void)plan_entry(d->plan, LINE_REPLACED);
    guard_seek_actor(d, how.findings, polled_usec, GUARD_OUR_SLACK_USEC, how.dedup_usec,
                     how.phase == PHASE_OPENED);
    guard_report_trouble(d, &how, "");
}

/* A stop ended without our restart: now the gap is known. */
static void found_started(Deciding *d, const Observation *seen) {
    Incident *inc = &d->s.incident;
    JournalEntry *entry;

    inc->gap.to_usec = seen->start_usec >= inc->gap.from_usec ? seen->start_usec : d->now.real_usec;
    entry = plan_entry(d->plan, guard_confirms(d, &inc->action, ACTION_RESTART) ? LINE_RUNNING_AGAIN
                                                                                : LINE_STARTED_BY_OTHERS);
    entry->gap = inc->gap;
    entry->count = inc->action.attempts;
    guard_undone(d);
    guard_report_pending(d, &d->s.pending, "");
}

/* Reports what began to fail, and what no longer fails. */
static void found_errors(Deciding *d, const Observation *seen, uint32_t was) {
    uint32_t is = d->s.findings;

    if (is & ~was & FINDINGS_ERRORS)
        guard_found_failing(d, seen, is & ~was & FINDINGS_ERRORS);
    if ((was & FINDINGS_FAILING) && !(is & FINDINGS_FAILING))
        (void)plan_entry(d->plan, LINE_DELIVERING);
    if ((was & FINDINGS_UNREADABLE) && !(is & FINDINGS_UNREADABLE))
        (void)plan_entry(d->plan, LINE_READABLE);
}

/* A substitute for AWS may return the stop time only until the trail is started again. */
static bool was_only_started(const TrailState *s, const Observation *seen) {
    return (s->findings & FINDING_BIT(FINDING_STOPPED)) && seen->is_logging && seen->stop_usec == 0 &&
           seen->start_usec >= s->stop_usec && seen->delivery_usec >= s->delivery_usec;
}

/* A new trail under the old ARN has none of the old one's times. A new start alone, or times that went back
 * alone, can be the answer of an outdated replica. A stopped trail was started before. */
static bool is_recreated(const TrailState *s, const Observation *seen) {
    bool never_began = seen->start_usec == 0 && seen->stop_usec == 0;
    bool began_again = seen->start_usec > s->start_usec || (s->start_usec != 0 && never_began);

    return s->known && !(s->findings & FINDING_BIT(FINDING_MISSING)) && began_again &&
           (seen->stop_usec < s->stop_usec || seen->delivery_usec < s->delivery_usec) &&
           !was_only_started(s, seen);
}

/* True if the answer comes from a replica that does not have the latest start or stop yet. After a minute of
 * such answers they count. */
static bool is_behind(const TrailState *s, const Observation *seen, Now now) {
    return s->known && !(s->findings & FINDING_BIT(FINDING_MISSING)) && seen->start_usec != 0 &&
           seen->start_usec <= s->start_usec && seen->stop_usec <= s->stop_usec &&
           (seen->start_usec < s->start_usec || seen->stop_usec < s->stop_usec) &&
           elapsed(s->polled_usec, now.real_usec) <= BEHIND_USEC;
}

static bool is_interrupted(const TrailState *s, const Observation *seen) {
    return s->known && seen->is_logging && seen->stop_usec > s->stop_usec &&
           !(s->findings & (FINDING_BIT(FINDING_STOPPED) | FINDING_BIT(FINDING_MISSING)));
}

Missed guard_missed(const TrailState *before, const TrailState *now) {
    Observation seen = {
        .is_logging = !(now->findings & FINDING_BIT(FINDING_STOPPED)),
        .start_usec = now->start_usec,
        .stop_usec = now->stop_usec,
        .delivery_usec = now->delivery_usec,
    };

    if (!now->known || (now->findings & FINDING_BIT(FINDING_MISSING)))
        return MISSED_NOTHING;
    if (is_recreated(before, &seen))
        return MISSED_REPLACEMENT;
    return is_interrupted(before, &seen) ? MISSED_INTERRUPTION : MISSED_NOTHING;
}

static void note_comings(Deciding *d) {
    const TrailState *s = &d->s;

    if (s->findings & FINDING_BIT(FINDING_MISSING))
        (void)plan_entry(d->plan, guard_confirms(d, &d->s.incident.restore, ACTION_RECREATE)
                                          ? LINE_RECREATED
                                          : LINE_REAPPEARED);
    else if (!s->known && !s->provisional)
        (void)plan_entry(d->plan, LINE_FIRST_SEEN);
}

static void polled_status(Deciding *d, const Observation *seen) {
    TrailState *s = &d->s;
    uint32_t was, is = guard_conditions(d, seen);
    bool recreated = is_recreated(s, seen), interrupted = !recreated && is_interrupted(s, seen);
    bool first = !s->known && !(s->findings & FINDING_BIT(FINDING_MISSING));
    uint64_t polled_usec = last_poll_usec(d), was_start_usec = s->start_usec;

    guard_end_unreachable(d);
    if (is_behind(s, seen, d->now)) {
        polls_answered(s);
        return;
    }
    note_comings(d);
    was = s->findings;
    guard_remember(s, seen, d->now);
    s->findings = is | (was & FINDINGS_DRIFT);

    if (first && s->provisional)
        found_appeared(d, seen->start_usec, polled_usec);
    if (was & FINDING_BIT(FINDING_MISSING))
        guard_report_pending(d, &s->pending_restore, "");
    if ((was & FINDING_BIT(FINDING_STOPPED)) && seen->is_logging)
        found_started(d, seen);
    if (recreated)
        found_recreated(d, was_start_usec, polled_usec);
    if (!(was & FINDING_BIT(FINDING_STOPPED)) && !seen->is_logging)
        guard_found_stopped(d, seen, first);
    if (interrupted)
        found_interrupted(d, seen);
    found_errors(d, seen, was);
}

/* An organization trail that was made an ordinary one looks deleted to every account except its owner. */
static void note_missing(Deciding *d, bool first_sight) {
    JournalEntry *entry = plan_entry(d->plan, LINE_MISSING);

    entry->first_sight = first_sight;
    entry->foreign = !d->facts->writable;
}

static void polled_absent(Deciding *d) {
    TrailState *s = &d->s;
    PendingEvent how = { .findings = FINDING_BIT(FINDING_MISSING), .first_sight = !s->known };

    s->n_failed = 0;
    s->failed_since_usec = 0;
    s->error = POLL_OK;
    if (s->findings & FINDING_BIT(FINDING_MISSING))
        return;
    if (how.first_sight && s->provisional) { /* it was created and deleted between two polls */
        found_appeared(d, 0, last_poll_usec(d));
        s->known = true;
        how.first_sight = false;
    }
    guard_report_pending(d, &s->pending, "");
    guard_report_pending(d, &s->pending_restore, "");
    s->findings = FINDING_BIT(FINDING_MISSING);
    guard_set_fields(s, 0, 0, 0);
    note_missing(d, how.first_sight);
    how.dedup_usec = deletion_mark(d, s->start_usec);
    how.phase = incident_begin(&s->incident, how.dedup_usec, d->now);
    s->incident.action = s->incident.restore = (ActionReport){ 0 };
    s->incident.gap = (Gap){ 0 };
    guard_seek_actor(d, how.findings, last_poll_usec(d), GUARD_OUR_SLACK_USEC, how.dedup_usec,
                     how.phase == PHASE_OPENED);
    if (guard_may_recreate(d) && !guard_restores_rest(d, 0))
        guard_report_later(d, &s->pending_restore, how);
    else
        guard_report_trouble(d, &how, "");
}

static void count_failed_poll(Deciding *d, PollError error) {
    TrailState *s = &d->s;

    s->n_failed++;
    if (s->failed_since_usec == 0)
        s->failed_since_usec = d->now.real_usec;
    s->error = error;
}

void guard_account_unreachable(Deciding *d, const PollResult *result) {
    count_failed_poll(d, result->error);
    if (result->error == POLL_GONE)
        d->s.n_failed = MAX(d->s.n_failed, d->policy->unreachable_after);
}

/* If the whole target is unreachable, its own incident covers that. But restarts without a poll do not wait
 * for that incident, and are reported as well. */
static bool is_reported_with_target(const Deciding *d, const Observation *seen) {
    return !seen->target_reachable && !(seen->target_pending && guard_waits_for_unpolled_restart(d));
}

static void searched_without_result(Deciding *d, const Observation *seen) {
    TrailState *s = &d->s;
    bool becomes_unreachable;

    count_failed_poll(d, seen->error);
    if (is_reported_with_target(d, seen) || (s->findings & FINDING_BIT(FINDING_UNREACHABLE)))
        return;
    becomes_unreachable = s->n_failed >= d->policy->unreachable_after;
    if (becomes_unreachable || s->n_failed == 1) {
        JournalEntry *entry = plan_entry(d->plan, becomes_unreachable ? LINE_UNREACHABLE : LINE_POLL_FAILED);

        (void)text_copy(entry->detail, sizeof(entry->detail), seen->error_text);
        entry->count = s->n_failed;
    }
    if (becomes_unreachable) {
        PendingEvent how = {
            .phase = incident_begin(&s->incident, s->failed_since_usec, d->now),
            .findings = FINDING_BIT(FINDING_UNREACHABLE),
            .dedup_usec = s->failed_since_usec,
        };

        s->findings |= FINDING_BIT(FINDING_UNREACHABLE);
        guard_report_trouble(d, &how, seen->error_text);
    }
}

void guard_named(Deciding *d, bool listed) {
    /* from now on its trouble belongs to an incident of its own */
    static const Observation well = { .kind = OBSERVED_STATUS, .is_logging = true };

    if (listed)
        polled_status(d, &well);
    else
        polled_absent(d);
}

void guard_compared(Deciding *d, const Observation *seen, const Drift *drift) {
    TrailState *s = &d->s;
    uint32_t was = s->findings;

    if (!s->known || (was & FINDING_BIT(FINDING_MISSING)))
        return; /* the next poll of the status comes first */
    s->findings = (was & ~FINDINGS_BESIDE) | (guard_conditions(d, seen) & FINDINGS_BESIDE);
    found_errors(d, seen, was);
    if (drift)
        guard_take_drift(d, drift);
}

void guard_polled(Deciding *d, const Observation *seen, const Drift *drift) {
    switch (seen->kind) {
    case OBSERVED_STATUS: polled_status(d, seen); break;
    case OBSERVED_ABSENT: polled_absent(d); return;
    case OBSERVED_ERROR: searched_without_result(d, seen); break;
    }
    if (drift)
        guard_take_drift(d, drift);
}
