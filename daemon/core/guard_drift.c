/* SPDX-License-Identifier: Apache-2.0 */
/* Settings that are not what the baseline says: when that is news, and when it is over. */
#include <string.h>

#include "daemon/core/guard_private.h"
#include "lib/util/text.h"

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

/* An incident that is over is not reopened by a person who changes the configuration. */
static TellKind begin_unmet(Deciding *d, uint64_t mark) {
    Incident *inc = &d->s.incident;

    if (!inc->open && inc->untold.count == 0)
        inc->opened_usec = 0;
    return incident_begin(inc, mark, d->now);
}

static void note_drift(Deciding *d, uint32_t findings) {
    const TrailState *s = &d->s;
    NoteValue *note;

    if (findings & FINDINGS_CHANGED) {
        note = plan_note(d->plan, NOTE_CHANGED);
        note->fields = s->fields & ~s->unmet_fields;
        note->maintenance = d->facts->maintenance;
    }
    if (findings & FINDING_BIT(FINDING_UNMET))
        plan_note(d->plan, NOTE_UNMET)->fields = s->unmet_fields;
}

/* findings: what is news of it. Who did it is asked of what was changed only: of a new pin the person who
 * made it knows. */
static void found_drift(Deciding *d, uint32_t findings, uint64_t mark, uint64_t not_before_usec) {
    TrailState *s = &d->s;
    Incident *inc = &s->incident;
    PendingTell how = { .findings = findings, .dedup_usec = guard_new_mark(s->marks, mark, d->now) };
    bool changed = findings & FINDINGS_CHANGED;

    note_drift(d, findings);
    how.kind = changed ? incident_begin(inc, how.dedup_usec, d->now) : begin_unmet(d, how.dedup_usec);
    inc->restore = (ActionReport){ 0 };
    inc->fields = s->fields;
    inc->unmet_fields = s->unmet_fields;
    inc->accepted = inc->reconfigured = false;
    inc->changed_usec = d->now.real_usec;
    if (changed)
        guard_seek_actor(d, findings & FINDINGS_CHANGED, not_before_usec, GUARD_OUR_SLACK_USEC,
                         how.dedup_usec, how.kind == TELL_OPENED);
    if (changed && (findings & FINDING_BIT(FINDING_UNMET))) {
        /* two facts, two messages */
        PendingTell unmet = { .kind = TELL_OPENED,
                              .findings = FINDING_BIT(FINDING_UNMET),
                              .dedup_usec = guard_new_mark(s->marks, mark, d->now) };

        how.findings &= ~FINDING_BIT(FINDING_UNMET);
        guard_tell_trouble(d, &unmet, "");
    }
    if (guard_restorable(d, s->fields) && !guard_restores_rest(d, s->fields))
        guard_tell_later(d, &s->pending_restore, how);
    else
        guard_tell_trouble(d, &how, "");
}

static void drift_is_over(Deciding *d, uint32_t was_fields, bool accepted, bool reconfigured) {
    Incident *inc = &d->s.incident;
    bool ours = guard_confirms(d, &inc->restore, ACTION_RESTORE);
    NoteValue *note = plan_note(d->plan, ours ? NOTE_RESTORED : NOTE_UNCHANGED);

    inc->accepted = accepted && !ours;
    inc->reconfigured = reconfigured && !accepted && !ours;
    note->fields = was_fields;
    if (!ours)
        (void)text_copy(note->detail, sizeof(note->detail),
                        inc->accepted       ? "it was accepted as the baseline"
                        : inc->reconfigured ? "the configuration changed"
                                            : "not written by TrailGuard");
    guard_tell_pending(d, &d->s.pending_restore, "");
}

/* The message that waits takes further changes with it; it waits no longer for that. */
static void add_to_pending(Deciding *d, uint32_t findings) {
    TrailState *s = &d->s;
    NoteValue *note = plan_note(d->plan, findings & FINDINGS_CHANGED ? NOTE_CHANGED : NOTE_UNMET);

    note->fields = s->fields & ~s->incident.fields ? s->fields & ~s->incident.fields : s->fields;
    s->incident.fields |= s->fields;
    s->incident.unmet_fields = (s->incident.unmet_fields & ~s->fields) | s->unmet_fields;
    s->pending_restore.findings |= findings;
}

/* Those that differ from a pin alone, and did not before the pin was there. */
static uint32_t unmet_fields(const Deciding *d, const Drift *drift, bool reconfigured) {
    const TrailState *s = &d->s;
    uint32_t unmet = 0;

    for (unsigned i = 0; i < drift->n; i++) {
        uint32_t field = FIELD_BIT(drift->changes[i].field);

        if (drift->changes[i].as_recorded &&
            ((s->unmet_fields & field) || (reconfigured && !(s->fields & field))))
            unmet |= field;
    }
    return unmet;
}

/* What of it is news: new fields, findings or values. */
static uint32_t news_of(const TrailState *s, uint32_t was_fields, uint32_t was_unmet, uint32_t was_findings,
                        bool other_values) {
    uint32_t new_fields = s->fields & ~was_fields, news = s->findings & FINDINGS_DRIFT & ~was_findings;

    if ((new_fields & ~s->unmet_fields) ||
        (other_values && s->fields == was_fields && s->unmet_fields != s->fields))
        news |= s->findings & FINDINGS_CHANGED;
    if (s->unmet_fields & ~was_unmet)
        news |= FINDING_BIT(FINDING_UNMET);
    return news;
}

void guard_take_drift(Deciding *d, const Drift *drift) {
    TrailState *s = &d->s;
    uint32_t fields = 0, losing = 0, news;
    uint32_t was_fields = s->fields, was_unmet = s->unmet_fields, was_findings = s->findings;
    uint64_t mark = drift->n > 0 ? mark_of(drift) : 0, was_mark = s->drift_mark;
    uint64_t not_before = s->settings_usec;
    bool accepted = s->compared_usec != 0 && s->compared_usec != s->accepted_usec;
    bool reconfigured = s->pins_mark != d->facts->pins_mark;

    /* polled in the midst of our own writing: the read-back will say */
    if (s->acting && s->incident.restore.result == RESULT_PENDING)
        return;
    for (unsigned i = 0; i < drift->n; i++) {
        fields |= FIELD_BIT(drift->changes[i].field);
        losing |= drift->changes[i].loses_events ? FIELD_BIT(drift->changes[i].field) : 0;
    }
    s->unmet_fields = unmet_fields(d, drift, reconfigured);
    guard_set_fields(s, fields, losing, mark);
    s->settings_usec = d->now.real_usec;
    s->compared_usec = s->accepted_usec;
    s->pins_mark = d->facts->pins_mark;
    if (not_before == 0)
        not_before = guard_before(d->now.real_usec, GUARD_UNKNOWN_PAST_USEC);

    news = news_of(s, was_fields, was_unmet, was_findings, was_mark != 0 && mark != was_mark);
    if (fields == 0 && was_fields != 0)
        drift_is_over(d, was_fields, accepted, reconfigured);
    else if (news != 0) {
        if (s->pending_restore.set && (s->pending_restore.findings & FINDINGS_DRIFT))
            add_to_pending(d, news);
        else
            found_drift(d, news, mark, not_before);
    }
}
