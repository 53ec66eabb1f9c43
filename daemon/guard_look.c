/* SPDX-License-Identifier: Apache-2.0 */
/* The guard's eyes: what a look at a trail means. */
#include "daemon/guard_private.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

/* What AWS reports of deliveries, and only at the next one: log files go out every few minutes, digests
 * hourly. */
#define DELIVERY_FAILURES                                                                                   \
    (FINDING_BIT(FINDING_DELIVERY) | FINDING_BIT(FINDING_DIGEST) | FINDING_BIT(FINDING_LOG_GROUP) |         \
     FINDING_BIT(FINDING_NOTIFICATION))
#define DELIVERY_LAG_USEC (75ULL * 60 * USEC_PER_SEC)

/* What somebody's call can have caused. */
#define ATTRIBUTABLE_FAILURES                                                                               \
    (FINDING_BIT(FINDING_BUCKET) | FINDING_BIT(FINDING_LIFECYCLE) | FINDING_BIT(FINDING_KEY) |              \
     DELIVERY_FAILURES)

/* Where an observation says that deliveries fail, one row a finding. */
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

/* Says why deliveries fail. */
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

void guard_remember(TrailState *s, const Observation *seen, Now now) {
    s->known = true;
    s->start_usec = seen->start_usec;
    s->stop_usec = seen->stop_usec;
    s->delivery_usec = seen->delivery_usec;
    s->digest_usec = seen->digest_usec;
    s->looked_usec = now.real_usec;
    s->n_failed = 0;
    s->failed_since_usec = 0;
    s->error = LOOK_OK;
}

void guard_end_blindness(Deciding *d) {
    if (d->s.findings & FINDING_BIT(FINDING_BLIND)) {
        plan_note(d->plan, NOTE_SIGHTED)->count = d->s.n_failed;
        d->s.findings &= ~FINDING_BIT(FINDING_BLIND);
    }
}

static uint64_t last_look(const Deciding *d) {
    uint64_t looked_usec = d->s.looked_usec;

    return looked_usec != 0 ? looked_usec : guard_before(d->now.real_usec, GUARD_UNKNOWN_PAST_USEC);
}

/* A trail that was never started has no times. */
static uint64_t time_or_mark(Deciding *d, uint64_t usec) {
    return usec != 0 ? usec : guard_new_mark(d->s.marks, 0, d->now);
}

/* ---- what was seen ---- */

void guard_found_stopped(Deciding *d, const Observation *seen, bool first_sight) {
    bool act = guard_may_restart(d);
    PendingTell how = { .findings = FINDING_BIT(FINDING_STOPPED), .first_sight = first_sight };
    NoteValue *note = plan_note(d->plan, act ? NOTE_STOPPED : NOTE_STOPPED_LEFT);

    how.mark_usec = time_or_mark(d, seen->stop_usec);
    how.kind = incident_begin(&d->s.incident, how.mark_usec, d->now);
    d->s.incident.gap = (Gap){ .from_usec = seen->stop_usec };
    d->s.incident.action = (ActionReport){ 0 };
    note->gap = d->s.incident.gap;
    note->first_sight = first_sight;
    note->maintenance = !act && d->facts->maintenance;
    guard_seek_actor(d, how.findings, seen->stop_usec != 0 ? seen->stop_usec : last_look(d),
                     GUARD_AWS_SLACK_USEC, how.mark_usec, how.kind == TELL_OPENED);
    if (act)
        guard_tell_later(d, &d->s.pending, how);
    else
        guard_tell_trouble(d, &how, "");
}

static void found_flapped(Deciding *d, const Observation *seen) {
    PendingTell how = {
        .kind = incident_begin(&d->s.incident, seen->stop_usec, d->now),
        .findings = FINDING_BIT(FINDING_FLAPPED),
        .mark_usec = seen->stop_usec,
    };
    uint64_t to = seen->start_usec >= seen->stop_usec ? seen->start_usec : d->now.real_usec;

    d->events |= how.findings;
    d->s.incident.gap = (Gap){ .from_usec = seen->stop_usec, .to_usec = to };
    d->s.incident.action = (ActionReport){ 0 };
    plan_note(d->plan, NOTE_FLAPPED)->gap = d->s.incident.gap;
    guard_seek_actor(d, how.findings, seen->stop_usec, GUARD_AWS_SLACK_USEC, how.mark_usec,
                     how.kind == TELL_OPENED);
    guard_tell_trouble(d, &how, "");
}

static void found_recreated(Deciding *d, const Observation *seen, uint64_t looked_usec) {
    PendingTell how = { .findings = FINDING_BIT(FINDING_RECREATED),
                        .mark_usec = time_or_mark(d, seen->start_usec) };

    d->events |= how.findings;
    how.kind = incident_begin(&d->s.incident, how.mark_usec, d->now);
    d->s.incident.restore = (ActionReport){ 0 };
    (void)plan_note(d->plan, NOTE_RECREATED_BY_OTHERS);
    guard_seek_actor(d, how.findings, looked_usec, GUARD_OUR_SLACK_USEC, how.mark_usec,
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

static void note_failures(Deciding *d, const Observation *seen, uint32_t findings) {
    for (Finding f = 0; f < _FINDING_MAX; f++)
        if (findings & FINDING_BIT(f)) {
            NoteValue *note = plan_note(d->plan, NOTE_FAILING);

            explain(seen, f, note->detail);
            note->count = f;
        }
}

void guard_found_failing(Deciding *d, const Observation *seen, uint32_t findings) {
    char why[ERROR_TEXT_MAX];
    PendingTell how = { .findings = findings };
    Finding worst = FINDING_DELIVERY;

    note_failures(d, seen, findings);
    /* once told, the same delivery failing again in the same open incident is no news */
    if (d->s.incident.open)
        how.findings &= ~d->s.incident.told;
    if (how.findings == 0)
        return;
    while (!(how.findings & FINDING_BIT(worst)))
        worst++;
    explain(seen, worst, why);
    how.mark_usec = guard_new_mark(d->s.marks, d->s.start_usec + worst, d->now);
    how.kind = incident_begin(&d->s.incident, how.mark_usec, d->now);
    if (how.findings & ATTRIBUTABLE_FAILURES)
        guard_seek_actor(
                d, how.findings & ATTRIBUTABLE_FAILURES,
                guard_before(last_look(d), how.findings & DELIVERY_FAILURES ? DELIVERY_LAG_USEC : 0),
                GUARD_OUR_SLACK_USEC, how.mark_usec, how.kind == TELL_OPENED);
    guard_tell_trouble(d, &how, why);
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

static bool is_flapped(const TrailState *s, const Observation *seen) {
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
    return is_flapped(before, &seen) ? MISSED_INTERRUPTION : MISSED_NOTHING;
}

static void note_comings(Deciding *d) {
    const TrailState *s = &d->s;

    if (s->findings & FINDING_BIT(FINDING_MISSING))
        (void)plan_note(d->plan, guard_confirms(d, &d->s.incident.restore, ACTION_RECREATE) ? NOTE_RECREATED
                                                                                           : NOTE_REAPPEARED);
    else if (!s->known)
        (void)plan_note(d->plan, NOTE_FIRST_SEEN);
}

static void looked_status(Deciding *d, const Observation *seen) {
    TrailState *s = &d->s;
    uint32_t was, is = guard_conditions(d, seen);
    bool recreated = is_recreated(s, seen), flapped = !recreated && is_flapped(s, seen);
    bool first = !s->known && !(s->findings & FINDING_BIT(FINDING_MISSING));
    uint64_t looked_usec = last_look(d);

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
        found_recreated(d, seen, looked_usec);
    if (!(was & FINDING_BIT(FINDING_STOPPED)) && !seen->is_logging)
        guard_found_stopped(d, seen, first);
    if (flapped)
        found_flapped(d, seen);
    found_errors(d, seen, was);
}

static void looked_absent(Deciding *d) {
    TrailState *s = &d->s;
    PendingTell how = { .findings = FINDING_BIT(FINDING_MISSING), .first_sight = !s->known };

    s->n_failed = 0;
    s->failed_since_usec = 0;
    s->error = LOOK_OK;
    if (s->findings & FINDING_BIT(FINDING_MISSING))
        return;
    guard_tell_pending(d, &s->pending, "");
    guard_tell_pending(d, &s->pending_restore, "");
    s->findings = FINDING_BIT(FINDING_MISSING);
    guard_set_fields(s, 0, 0, 0);
    plan_note(d->plan, NOTE_MISSING)->first_sight = how.first_sight;
    how.mark_usec = guard_new_mark(s->marks, s->start_usec, d->now);
    how.kind = incident_begin(&s->incident, how.mark_usec, d->now);
    s->incident.action = s->incident.restore = (ActionReport){ 0 };
    s->incident.gap = (Gap){ 0 };
    guard_seek_actor(d, how.findings, last_look(d), GUARD_OUR_SLACK_USEC, how.mark_usec,
                     how.kind == TELL_OPENED);
    if (guard_may_recreate(d) && !guard_restores_rest(d, 0))
        guard_tell_later(d, &s->pending_restore, how);
    else
        guard_tell_trouble(d, &how, "");
}

static void count_failed_poll(Deciding *d, LookError error) {
    TrailState *s = &d->s;

    if (s->n_failed++ == 0)
        s->failed_since_usec = d->now.real_usec;
    s->error = error;
}

void guard_account_unreachable(Deciding *d, const TargetLook *look) {
    count_failed_poll(d, look->error);
    if (look->error == LOOK_GONE)
        d->s.n_failed = MAX(d->s.n_failed, d->policy->blind_after);
}

static void looked_in_vain(Deciding *d, const Observation *seen) {
    TrailState *s = &d->s;
    bool goes_blind;

    count_failed_poll(d, seen->error);
    /* when the whole target is out of sight its own incident says so */
    if (!seen->target_sighted || (s->findings & FINDING_BIT(FINDING_BLIND)))
        return;
    goes_blind = s->n_failed >= d->policy->blind_after;
    if (goes_blind || s->n_failed == 1) {
        NoteValue *note = plan_note(d->plan, goes_blind ? NOTE_BLIND : NOTE_LOOK_FAILED);

        (void)text_copy(note->detail, sizeof(note->detail), seen->error_text);
        note->count = s->n_failed;
    }
    if (goes_blind) {
        PendingTell how = {
            .kind = incident_begin(&s->incident, s->failed_since_usec, d->now),
            .findings = FINDING_BIT(FINDING_BLIND),
            .mark_usec = s->failed_since_usec,
        };

        s->findings |= FINDING_BIT(FINDING_BLIND);
        guard_tell_trouble(d, &how, seen->error_text);
    }
}

void guard_named(Deciding *d, bool listed) {
    /* what is wrong with it has an incident of its own from now on */
    static const Observation well = { .kind = OBSERVED_STATUS, .is_logging = true };

    if (listed)
        looked_status(d, &well);
    else
        looked_absent(d);
}

void guard_compared(Deciding *d, const Observation *seen, const Drift *drift) {
    TrailState *s = &d->s;
    uint32_t was = s->findings;

    if (!s->known || (was & FINDING_BIT(FINDING_MISSING)))
        return; /* the next look at the status comes first */
    s->findings = (was & ~FINDINGS_BESIDE) | (guard_conditions(d, seen) & FINDINGS_BESIDE);
    found_errors(d, seen, was);
    if (drift)
        guard_take_drift(d, drift);
}

void guard_looked(Deciding *d, const Observation *seen, const Drift *drift) {
    switch (seen->kind) {
    case OBSERVED_STATUS: looked_status(d, seen); break;
    case OBSERVED_ABSENT: looked_absent(d); return;
    case OBSERVED_ERROR: looked_in_vain(d, seen); break;
    }
    if (drift)
        guard_take_drift(d, drift);
}
