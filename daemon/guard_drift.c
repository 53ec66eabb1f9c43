/* SPDX-License-Identifier: Apache-2.0 */
/* Settings that are not what the baseline says: when that is news, and when it is over. */
#include "daemon/guard_private.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define HOUR_USEC (3600ULL * USEC_PER_SEC)
/* Messages about one difference within an hour that keep identities of their own. */
#define MARKS_MAX 4096U

/* FNV-1a, 64 bits (draft-eastlake-fnv): not against enemies, only to tell one difference from another. */
#define FNV_BASIS 0xcbf29ce484222325ULL
#define FNV_PRIME 0x100000001b3ULL

static uint64_t mix(uint64_t hash, const void *data, size_t size) {
    const unsigned char *bytes = data;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * FNV_PRIME;
    return hash;
}

/* What differs, and what it is now; not what it was, which two guards may have recorded in other words. Never
 * 0, and a time as far as the files are concerned. */
static uint64_t mark_of(const Drift *drift) {
    uint64_t hash = FNV_BASIS;

    for (unsigned i = 0; i < drift->n; i++) {
        const char *now = drift->changes[i].now ? drift->changes[i].now : "";
        unsigned char field = (unsigned char)drift->changes[i].field;

        hash = mix(hash, &field, sizeof(field));
        for (; *now; now++)
            hash = mix(hash, now, 1);
        hash = mix(hash, "", 1);
    }
    return (hash & INT64_MAX) | 1;
}

/* The identity of a message: AWS gives no time for a change, so the hour stands for it, and a number for the
 * change that comes again within it. */
static uint64_t message_mark(const Deciding *d, uint64_t drift_mark) {
    uint64_t hour = d->now.real_usec / HOUR_USEC, last = d->s.incident.last_mark_usec, mark;

    mark = mix(drift_mark, &hour, sizeof(hour)) & INT64_MAX & ~(uint64_t)(MARKS_MAX - 1);
    return last >= mark && last - mark < MARKS_MAX - 1 ? last + 1 : mark;
}

void guard_set_fields(TrailState *s, uint32_t fields, uint32_t losing_fields, uint64_t drift_mark) {
    s->fields = fields;
    s->losing_fields = losing_fields & fields;
    s->drift_mark = drift_mark;
    s->findings &= ~FINDINGS_DRIFT;
    if (s->losing_fields)
        s->findings |= FINDING_BIT(FINDING_WEAKENED);
    if (s->fields & ~s->losing_fields)
        s->findings |= FINDING_BIT(FINDING_CHANGED);
}

static void found_drift(Deciding *d, uint64_t mark, uint64_t not_before_usec) {
    TrailState *s = &d->s;
    Incident *inc = &s->incident;
    PendingTell how = { .findings = s->findings & FINDINGS_DRIFT, .mark_usec = message_mark(d, mark) };
    NoteValue *note = plan_note(d->plan, NOTE_CHANGED);

    note->fields = s->fields;
    note->maintenance = d->facts->maintenance;
    how.kind = incident_begin(inc, how.mark_usec, d->now);
    inc->restore = (ActionReport){ 0 };
    inc->fields = s->fields;
    inc->changed_usec = d->now.real_usec;
    guard_seek_actor(d, how.findings, not_before_usec, GUARD_OUR_SLACK_USEC, how.mark_usec,
                     how.kind == TELL_OPENED);
    if (guard_restorable(d, s->fields) && !guard_restores_rest(d))
        guard_tell_later(d, &s->pending_restore, how);
    else
        guard_tell_trouble(d, &how, "");
}

static void drift_is_over(Deciding *d, uint32_t was_fields) {
    plan_note(d->plan, NOTE_UNCHANGED)->fields = was_fields;
    guard_tell_pending(d, &d->s.pending_restore, "");
}

/* The message that waits takes further changes with it; it waits no longer for that. */
static void add_to_pending(Deciding *d) {
    TrailState *s = &d->s;
    NoteValue *note = plan_note(d->plan, NOTE_CHANGED);

    note->fields = s->fields & ~s->incident.fields ? s->fields & ~s->incident.fields : s->fields;
    s->incident.fields |= s->fields;
    s->pending_restore.findings |= s->findings & FINDINGS_DRIFT;
}

void guard_take_drift(Deciding *d, const Drift *drift) {
    TrailState *s = &d->s;
    uint32_t fields = 0, losing = 0, was_fields = s->fields, was_findings = s->findings;
    uint64_t mark = drift->n > 0 ? mark_of(drift) : 0, was_mark = s->drift_mark;
    uint64_t not_before = s->settings_usec;

    /* looked at in the midst of our own writing: the read-back will say */
    if (s->acting && s->incident.restore.result == RESULT_PENDING)
        return;
    for (unsigned i = 0; i < drift->n; i++) {
        fields |= FIELD_BIT(drift->changes[i].field);
        losing |= drift->changes[i].loses_events ? FIELD_BIT(drift->changes[i].field) : 0;
    }
    guard_set_fields(s, fields, losing, mark);
    s->settings_usec = d->now.real_usec;
    if (not_before == 0)
        not_before = d->now.real_usec - GUARD_UNKNOWN_PAST_USEC;

    if (fields == 0 && was_fields != 0)
        drift_is_over(d, was_fields);
    else if ((fields & ~was_fields) || (s->findings & FINDINGS_DRIFT & ~was_findings) ||
             (fields == was_fields && was_mark != 0 && mark != was_mark)) {
        if (s->pending_restore.set && (s->pending_restore.findings & FINDINGS_DRIFT))
            add_to_pending(d);
        else
            found_drift(d, mark, not_before);
    }
}
