/* SPDX-License-Identifier: Apache-2.0 */
/* Settings that are not what the baseline says: when that is news, and when it is over. */
#include <string.h>

#include "daemon/guard_private.h"

/* Identifies what differs and what it is now; not what it was, which two guards may have recorded in other
 * words. A positive signed number, as far as the state file is concerned. */
static uint64_t mark_of(const Drift *drift) {
    uint64_t hash = GUARD_HASH_BASIS;

    for (unsigned i = 0; i < drift->n; i++) {
        const char *now = drift->changes[i].now ? drift->changes[i].now : "";
        unsigned char field = (unsigned char)drift->changes[i].field;

        hash = guard_hash(hash, &field, sizeof(field));
        hash = guard_hash(hash, now, strlen(now) + 1);
    }
    return (hash & INT64_MAX) | 1;
}

void guard_set_fields(TrailState *s, uint32_t fields, uint32_t losing_fields, uint64_t drift_mark) {
    s->fields = fields;
    s->losing_fields = losing_fields & fields;
    s->drift_mark = drift_mark;
    guard_clear_failures(s, FIELDS_ALL & ~fields);
    s->findings &= ~FINDINGS_DRIFT;
    if (s->losing_fields)
        s->findings |= FINDING_BIT(FINDING_WEAKENED);
    if (s->fields & ~s->losing_fields)
        s->findings |= FINDING_BIT(FINDING_CHANGED);
}

static void found_drift(Deciding *d, uint64_t mark, uint64_t not_before_usec) {
    TrailState *s = &d->s;
    Incident *inc = &s->incident;
    PendingTell how = { .findings = s->findings & FINDINGS_DRIFT,
                        .mark_usec = guard_new_mark(s->marks, mark, d->now) };
    NoteValue *note = plan_note(d->plan, NOTE_CHANGED);

    note->fields = s->fields;
    note->maintenance = d->facts->maintenance;
    how.kind = incident_begin(inc, how.mark_usec, d->now);
    inc->restore = (ActionReport){ 0 };
    inc->fields = s->fields;
    inc->changed_usec = d->now.real_usec;
    guard_seek_actor(d, how.findings, not_before_usec, GUARD_OUR_SLACK_USEC, how.mark_usec,
                     how.kind == TELL_OPENED);
    if (guard_restorable(d, s->fields) && !guard_restores_rest(d, s->fields))
        guard_tell_later(d, &s->pending_restore, how);
    else
        guard_tell_trouble(d, &how, "");
}

static void drift_is_over(Deciding *d, uint32_t was_fields) {
    bool ours = guard_confirms(d, &d->s.incident.restore, ACTION_RESTORE);

    plan_note(d->plan, ours ? NOTE_RESTORED : NOTE_UNCHANGED)->fields = was_fields;
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
        not_before = guard_before(d->now.real_usec, GUARD_UNKNOWN_PAST_USEC);

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
