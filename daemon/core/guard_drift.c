/* SPDX-License-Identifier: Apache-2.0 */
/* What a comparison with the baseline means, compared with the previous one. */
#include <string.h>

#include "daemon/core/guard_private.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

uint32_t guard_drift_fields(const Drift *drift, bool strengthens) {
    uint32_t fields = 0;

    for (unsigned i = 0; i < drift->n; i++)
        if (drift->changes[i].strengthens == strengthens)
            fields |= FIELD_BIT(drift->changes[i].field);
    return fields;
}

static uint64_t hash_change(uint64_t hash, const Change *change) {
    unsigned char field = (unsigned char)change->field;

    hash = guard_hash(hash, &field, sizeof(field));
    return guard_hash(hash, change->actual, strlen(change->actual) + 1);
}

/* The state file has signed numbers; 0 means none. */
static uint64_t as_mark(uint64_t hash) {
    return (hash & INT64_MAX) | 1;
}

/* Identifies the fields that differ and their present values. The expected values are not part of it,
 * because two guards may have recorded them in different words. 0 if nothing differs. */
static uint64_t mark_of(const Drift *drift) {
    uint64_t hash = GUARD_HASH_BASIS;
    bool any = false;

    for (unsigned i = 0; i < drift->n; i++)
        if (!drift->changes[i].strengthens) {
            any = true;
            hash = hash_change(hash, &drift->changes[i]);
        }
    return any ? as_mark(hash) : 0;
}

/* The fields that differed before and now differ in another way. */
static uint32_t take_marks(TrailState *s, const Drift *drift) {
    uint32_t fields = 0;

    for (unsigned i = 0; i < drift->n; i++) {
        const Change *change = &drift->changes[i];
        uint64_t mark = as_mark(hash_change(GUARD_HASH_BASIS, change)), was = s->drift_marks[change->field];

        if (change->strengthens)
            continue;
        if (was != 0 && mark != was)
            fields |= FIELD_BIT(change->field);
        s->drift_marks[change->field] = mark;
    }
    return fields;
}

/* A change of the configuration does not reopen an incident that has ended. */
static EventPhase begin_unmet(Deciding *d, uint64_t mark) {
    Incident *inc = &d->s.incident;

    if (!inc->open && inc->pending_gaps.count == 0)
        inc->opened_usec = 0;
    return incident_begin(inc, mark, d->now);
}

/* An unaccepted trail has no baseline. */
static JournalEntry *note_changed(Deciding *d) {
    JournalEntry *entry = plan_entry(d->plan, LINE_CHANGED);

    if (d->s.provisional)
        (void)text_copy(entry->detail, sizeof(entry->detail), "the settings it was found with");
    return entry;
}

static JournalEntry *note_unmet(Deciding *d, bool first_sight) {
    JournalEntry *entry = plan_entry(d->plan, LINE_UNMET);

    entry->first_sight = first_sight;
    return entry;
}

static void note_drift(Deciding *d, uint32_t findings, bool first_sight) {
    const TrailState *s = &d->s;
    JournalEntry *entry;

    if (findings & FINDINGS_CHANGED) {
        entry = note_changed(d);
        entry->fields = s->fields & ~s->unmet_fields;
        entry->maintenance = d->facts->maintenance;
    }
    if (findings & FINDING_BIT(FINDING_UNMET))
        note_unmet(d, first_sight)->fields = s->unmet_fields;
}

/* findings: those that are new. compared_usec: when its settings were last compared, 0: never. Only changes
 * are attributed: whoever sets a new pin knows it. */
static void found_drift(Deciding *d, uint32_t findings, uint64_t mark, uint64_t compared_usec) {
    TrailState *s = &d->s;
    Incident *inc = &s->incident;
    PendingEvent how = { .findings = findings, .dedup_usec = guard_new_mark(s, mark, d->now) };
    bool changed = findings & FINDINGS_CHANGED;
    uint64_t not_before_usec =
            compared_usec ? compared_usec : guard_before(d->now.real_usec, GUARD_UNKNOWN_PAST_USEC);

    how.first_sight = !changed && compared_usec == 0;
    note_drift(d, findings, compared_usec == 0);
    how.phase = changed ? incident_begin(inc, how.dedup_usec, d->now) : begin_unmet(d, how.dedup_usec);
    inc->restore = (ActionReport){ 0 };
    inc->fields = s->fields;
    inc->unmet_fields = s->unmet_fields;
    inc->accepted = inc->reconfigured = false;
    inc->changed_usec = d->now.real_usec;
    guard_take_tag_drill(d, how.dedup_usec);
    if (changed)
        guard_seek_actor(d, findings & FINDINGS_CHANGED, not_before_usec, GUARD_OUR_SLACK_USEC,
                         how.dedup_usec, how.phase == PHASE_OPENED);
    if (changed && (findings & FINDING_BIT(FINDING_UNMET))) {
        /* two facts, two messages */
        PendingEvent unmet = { .phase = PHASE_OPENED,
                               .findings = FINDING_BIT(FINDING_UNMET),
                               .first_sight = compared_usec == 0,
                               .dedup_usec = guard_new_mark(s, mark, d->now) };

        how.findings &= ~FINDING_BIT(FINDING_UNMET);
        guard_report_trouble(d, &unmet, "");
    }
    if (guard_restorable(d, s->fields) && !guard_restores_rest(d, s->fields))
        guard_report_later(d, &s->pending_restore, how);
    else
        guard_report_trouble(d, &how, "");
}

static void drift_is_over(Deciding *d, uint32_t was_fields, bool accepted, bool reconfigured) {
    Incident *inc = &d->s.incident;
    bool ours = guard_confirms(d, &inc->restore, ACTION_RESTORE);
    JournalEntry *entry = plan_entry(d->plan, ours ? LINE_RESTORED : LINE_UNCHANGED);

    inc->accepted = accepted && !ours;
    inc->reconfigured = reconfigured && !accepted && !ours;
    entry->fields = was_fields;
    if (!ours)
        (void)text_copy(entry->detail, sizeof(entry->detail),
                        inc->accepted       ? "it was accepted as the baseline"
                        : inc->reconfigured ? "the configuration changed"
                                            : "not written by TrailGuard");
    guard_report_pending(d, &d->s.pending_restore, "");
}

/* Adds further changes to the waiting message, without extending its wait. */
static void add_to_pending(Deciding *d, uint32_t findings) {
    TrailState *s = &d->s;
    JournalEntry *entry = findings & FINDINGS_CHANGED ? note_changed(d) : note_unmet(d, false);

    entry->fields = s->fields & ~s->incident.fields ? s->fields & ~s->incident.fields : s->fields;
    s->incident.fields |= s->fields;
    s->incident.unmet_fields = (s->incident.unmet_fields & ~s->fields) | s->unmet_fields;
    guard_seek_actor_of_more(d);
    s->pending_restore.findings |= findings;
}

/* The fields that differ only from a pin, and did not before the pin was set. */
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

/* The findings that are new: new fields, findings or values. */
static uint32_t news_of(const TrailState *s, uint32_t was_fields, uint32_t was_unmet, uint32_t was_findings,
                        uint32_t other_values) {
    uint32_t new_fields = s->fields & ~was_fields, news = s->findings & FINDINGS_DRIFT & ~was_findings;

    if ((new_fields | other_values) & ~s->unmet_fields)
        news |= s->findings & FINDINGS_CHANGED;
    if (s->unmet_fields & ~was_unmet)
        news |= FINDING_BIT(FINDING_UNMET);
    return news;
}

/* Each field once an hour: otherwise an attacker who turns it on and off could drown other messages. */
static bool is_strengthening_due(Deciding *d, uint32_t news) {
    TrailState *s = &d->s;

    if (elapsed(s->strengthened_usec, d->now.real_usec) >= GUARD_HOUR_USEC)
        s->strengthened_fields = 0;
    if (!(news & ~s->strengthened_fields))
        return false;
    s->strengthened_fields |= news;
    s->strengthened_usec = d->now.real_usec;
    return true;
}

/* A change without loss is no trouble and is not undone; it is reported once. */
static void take_strengthened(Deciding *d, const Drift *drift) {
    TrailState *s = &d->s;
    Incident none = { 0 }; /* it belongs to no incident */
    uint32_t stronger = guard_drift_fields(drift, true), news = stronger & ~s->stronger_fields;
    uint64_t mark;
    Event *t;

    s->stronger_fields = stronger;
    if (news == 0)
        return;
    plan_entry(d->plan, LINE_STRENGTHENED)->fields = news;
    if (!is_strengthening_due(d, news))
        return;
    mark = guard_new_mark(s, news, d->now);
    (void)incident_begin(&none, mark, d->now);
    t = incident_report(&none, d->plan, PHASE_OPENED, EVENT_TRAIL_STRENGTHENED, SEVERITY_INFO, mark, d->now);
    t->fields = t->fields_left = news;
    t->resolves = true;
    t->findings = s->findings;
    t->changed_usec = d->now.real_usec;
    t->mode = d->policy->mode;
    t->maintenance = d->facts->maintenance;
}

void guard_take_drift(Deciding *d, const Drift *drift) {
    TrailState *s = &d->s;
    uint32_t fields = guard_drift_fields(drift, false), losing = 0, news;
    uint32_t was_fields = s->fields, was_unmet = s->unmet_fields, was_findings = s->findings;
    uint64_t mark = mark_of(drift);
    uint64_t was_compared = s->settings_usec;
    bool accepted = s->compared_usec != 0 && s->compared_usec != s->accepted_usec;
    bool reconfigured = s->pins_mark != d->facts->pins_mark;

    /* polled in the middle of our own write: its read-back decides */
    if (s->acting && s->incident.restore.result == RESULT_PENDING)
        return;
    for (unsigned i = 0; i < drift->n; i++)
        losing |= drift->changes[i].loses_events ? FIELD_BIT(drift->changes[i].field) : 0;
    take_strengthened(d, drift);
    s->unmet_fields = unmet_fields(d, drift, reconfigured);
    guard_set_fields(s, fields, losing, mark);
    s->settings_usec = d->now.real_usec;
    s->compared_usec = s->accepted_usec;
    s->pins_mark = d->facts->pins_mark;
    guard_drill_changed(d);

    news = news_of(s, was_fields, was_unmet, was_findings, take_marks(s, drift));
    if (accepted && fields != 0) /* the end of other differences must not count as the end of an accepted
                                    one */
        s->incident.fields &= fields | ~was_fields;
    if (fields == 0 && was_fields != 0)
        drift_is_over(d, was_fields, accepted, reconfigured);
    else if (news != 0) {
        if (s->pending_restore.set && (s->pending_restore.findings & FINDINGS_DRIFT))
            add_to_pending(d, news);
        else
            found_drift(d, news, mark, was_compared);
    }
}
