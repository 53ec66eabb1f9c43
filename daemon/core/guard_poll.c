/* SPDX-License-Identifier: Apache-2.0 */
/* What a poll of a trail means beside what went before. */
#include "daemon/core/guard_private.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

static void found_interrupted(Deciding *d, const Observation *seen) {
    PendingTell how = {
        .kind = incident_begin(&d->s.incident, seen->stop_usec, d->now),
        .findings = FINDING_BIT(FINDING_INTERRUPTED),
        .dedup_usec = seen->stop_usec,
    };
    uint64_t to = seen->start_usec >= seen->stop_usec ? seen->start_usec : d->now.real_usec;

    d->events |= how.findings;
    d->s.incident.gap = (Gap){ .from_usec = seen->stop_usec, .to_usec = to };
    d->s.incident.action = (ActionReport){ 0 };
    plan_note(d->plan, NOTE_INTERRUPTED)->gap = d->s.incident.gap;
    guard_seek_actor(d, how.findings, seen->stop_usec, GUARD_AWS_SLACK_USEC, how.dedup_usec,
                     how.kind == TELL_OPENED);
    guard_tell_trouble(d, &how, "");
}

static void found_recreated(Deciding *d, const Observation *seen, uint64_t polled_usec) {
    PendingTell how = { .findings = FINDING_BIT(FINDING_RECREATED),
                        .dedup_usec = guard_time_or_mark(d, seen->start_usec) };

    d->events |= how.findings;
    how.kind = incident_begin(&d->s.incident, how.dedup_usec, d->now);
    d->s.incident.restore = (ActionReport){ 0 };
    (void)plan_note(d->plan, NOTE_RECREATED_BY_OTHERS);
    guard_seek_actor(d, how.findings, polled_usec, GUARD_OUR_SLACK_USEC, how.dedup_usec,
                     how.kind == TELL_OPENED);
    guard_tell_trouble(d, &how, "");
}

/* A stop that ended without us: whoever started the trail, the gap is known now. */
static void found_started(Deciding *d, const Observation *seen) {
    Incident *inc = &d->s.incident;
    NoteValue *note;

    inc->gap.to_usec = seen->start_usec >= inc->gap.from_usec ? seen->start_usec : d->now.real_usec;
    note = plan_note(d->plan, guard_confirms(d, &inc->action, ACTION_RESTART) ? NOTE_RUNNING_AGAIN
                                                                              : NOTE_STARTED_BY_OTHERS);
    note->gap = inc->gap;
    note->count = inc->action.attempts;
    guard_tell_pending(d, &d->s.pending, "");
}

/* What fails now and did not before, and the other way round. */
static void found_errors(Deciding *d, const Observation *seen, uint32_t was) {
    uint32_t is = d->s.findings;

    if (is & ~was & FINDINGS_ERRORS)
        guard_found_failing(d, seen, is & ~was & FINDINGS_ERRORS);
    if ((was & FINDINGS_FAILING) && !(is & FINDINGS_FAILING))
        (void)plan_note(d->plan, NOTE_DELIVERING);
}

/* A new trail under the old ARN has none of the old one's times. A start alone, or times that went back
 * alone, could be the answer of a replica that is behind. */
static bool is_recreated(const TrailState *s, const Observation *seen) {
    bool began_anew = seen->start_usec > s->start_usec || (s->start_usec != 0 && seen->start_usec == 0);

    return s->known && !(s->findings & FINDING_BIT(FINDING_MISSING)) && began_anew &&
           (seen->stop_usec < s->stop_usec || seen->delivery_usec < s->delivery_usec);
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
        (void)plan_note(d->plan, guard_confirms(d, &d->s.incident.restore, ACTION_RECREATE)
                                         ? NOTE_RECREATED
                                         : NOTE_REAPPEARED);
    else if (!s->known)
        (void)plan_note(d->plan, NOTE_FIRST_SEEN);
}

static void polled_status(Deciding *d, const Observation *seen) {
    TrailState *s = &d->s;
    uint32_t was, is = guard_conditions(d, seen);
    bool recreated = is_recreated(s, seen), interrupted = !recreated && is_interrupted(s, seen);
    bool first = !s->known && !(s->findings & FINDING_BIT(FINDING_MISSING));
    uint64_t polled_usec = guard_last_poll(d);

    guard_end_blindness(d);
    note_comings(d);
    was = s->findings;
    guard_remember(s, seen, d->now);
    s->findings = is | (was & FINDINGS_DRIFT);

    if (was & FINDING_BIT(FINDING_MISSING))
        guard_tell_pending(d, &s->pending_restore, "");
    if ((was & FINDING_BIT(FINDING_STOPPED)) && seen->is_logging)
        found_started(d, seen);
    if (recreated)
        found_recreated(d, seen, polled_usec);
    if (!(was & FINDING_BIT(FINDING_STOPPED)) && !seen->is_logging)
        guard_found_stopped(d, seen, first);
    if (interrupted)
        found_interrupted(d, seen);
    found_errors(d, seen, was);
}

static void polled_absent(Deciding *d) {
    TrailState *s = &d->s;
    PendingTell how = { .findings = FINDING_BIT(FINDING_MISSING), .first_sight = !s->known };

    s->n_failed = 0;
    s->failed_since_usec = 0;
    s->error = POLL_OK;
    if (s->findings & FINDING_BIT(FINDING_MISSING))
        return;
    guard_tell_pending(d, &s->pending, "");
    guard_tell_pending(d, &s->pending_restore, "");
    s->findings = FINDING_BIT(FINDING_MISSING);
    guard_set_fields(s, 0, 0, 0);
    plan_note(d->plan, NOTE_MISSING)->first_sight = how.first_sight;
    how.dedup_usec = guard_new_mark(s->marks, s->start_usec, d->now);
    how.kind = incident_begin(&s->incident, how.dedup_usec, d->now);
    s->incident.action = s->incident.restore = (ActionReport){ 0 };
    s->incident.gap = (Gap){ 0 };
    guard_seek_actor(d, how.findings, guard_last_poll(d), GUARD_OUR_SLACK_USEC, how.dedup_usec,
                     how.kind == TELL_OPENED);
    if (guard_may_recreate(d) && !guard_restores_rest(d, 0))
        guard_tell_later(d, &s->pending_restore, how);
    else
        guard_tell_trouble(d, &how, "");
}

static void count_failed_poll(Deciding *d, PollError error) {
    TrailState *s = &d->s;

    if (s->n_failed++ == 0)
        s->failed_since_usec = d->now.real_usec;
    s->error = error;
}

void guard_account_unreachable(Deciding *d, const PollResult *result) {
    count_failed_poll(d, result->error);
    if (result->error == POLL_GONE)
        d->s.n_failed = MAX(d->s.n_failed, d->policy->unreachable_after);
}

static void searched_without_result(Deciding *d, const Observation *seen) {
    TrailState *s = &d->s;
    bool becomes_unreachable;

    count_failed_poll(d, seen->error);
    /* when the whole target is out of sight its own incident says so */
    if (!seen->target_reachable || (s->findings & FINDING_BIT(FINDING_UNREACHABLE)))
        return;
    becomes_unreachable = s->n_failed >= d->policy->unreachable_after;
    if (becomes_unreachable || s->n_failed == 1) {
        NoteValue *note = plan_note(d->plan, becomes_unreachable ? NOTE_UNREACHABLE : NOTE_POLL_FAILED);

        (void)text_copy(note->detail, sizeof(note->detail), seen->error_text);
        note->count = s->n_failed;
    }
    if (becomes_unreachable) {
        PendingTell how = {
            .kind = incident_begin(&s->incident, s->failed_since_usec, d->now),
            .findings = FINDING_BIT(FINDING_UNREACHABLE),
            .dedup_usec = s->failed_since_usec,
        };

        s->findings |= FINDING_BIT(FINDING_UNREACHABLE);
        guard_tell_trouble(d, &how, seen->error_text);
    }
}

void guard_named(Deciding *d, bool listed) {
    /* what is wrong with it has an incident of its own from now on */
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
