/* SPDX-License-Identifier: Apache-2.0 */
/* What an observation says about a trail, and what begins when it says so. */
#include "daemon/core/guard_private.h"
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
    s->polled_usec = now.real_usec;
    s->n_failed = 0;
    s->failed_since_usec = 0;
    s->error = POLL_OK;
}

void guard_end_blindness(Deciding *d) {
    if (d->s.findings & FINDING_BIT(FINDING_UNREACHABLE)) {
        plan_note(d->plan, NOTE_REACHABLE)->count = d->s.n_failed;
        d->s.findings &= ~FINDING_BIT(FINDING_UNREACHABLE);
    }
}

uint64_t guard_last_poll(const Deciding *d) {
    uint64_t polled_usec = d->s.polled_usec;

    return polled_usec != 0 ? polled_usec : guard_before(d->now.real_usec, GUARD_UNKNOWN_PAST_USEC);
}

/* A trail that was never started has no times. */
uint64_t guard_time_or_mark(Deciding *d, uint64_t usec) {
    return usec != 0 ? usec : guard_new_mark(d->s.marks, 0, d->now);
}

void guard_found_stopped(Deciding *d, const Observation *seen, bool first_sight) {
    bool act = guard_may_restart(d);
    PendingTell how = { .findings = FINDING_BIT(FINDING_STOPPED), .first_sight = first_sight };
    NoteValue *note = plan_note(d->plan, act ? NOTE_STOPPED : NOTE_STOPPED_LEFT);

    how.dedup_usec = guard_time_or_mark(d, seen->stop_usec);
    how.kind = incident_begin(&d->s.incident, how.dedup_usec, d->now);
    d->s.incident.gap = (Gap){ .from_usec = seen->stop_usec };
    d->s.incident.action = (ActionReport){ 0 };
    note->gap = d->s.incident.gap;
    note->first_sight = first_sight;
    note->maintenance = !act && d->facts->maintenance;
    guard_seek_actor(d, how.findings, seen->stop_usec != 0 ? seen->stop_usec : guard_last_poll(d),
                     GUARD_AWS_SLACK_USEC, how.dedup_usec, how.kind == TELL_OPENED);
    if (act)
        guard_tell_later(d, &d->s.pending, how);
    else
        guard_tell_trouble(d, &how, "");
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
    how.dedup_usec = guard_new_mark(d->s.marks, d->s.start_usec + worst, d->now);
    how.kind = incident_begin(&d->s.incident, how.dedup_usec, d->now);
    if (how.findings & ATTRIBUTABLE_FAILURES)
        guard_seek_actor(
                d, how.findings & ATTRIBUTABLE_FAILURES,
                guard_before(guard_last_poll(d), how.findings & DELIVERY_FAILURES ? DELIVERY_LAG_USEC : 0),
                GUARD_OUR_SLACK_USEC, how.dedup_usec, how.kind == TELL_OPENED);
    guard_tell_trouble(d, &how, why);
}
