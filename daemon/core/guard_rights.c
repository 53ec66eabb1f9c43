/* SPDX-License-Identifier: Apache-2.0 */
/* What may be done about a trail, by mode, owner, maintenance, and the hour's ceiling of restores. */
#include "daemon/core/guard_private.h"
#include "lib/util/macros.h"

/* What the words of the option `restore` stand for. */
static const uint32_t fields_of_kind[_RESTORE_KIND_MAX] = {
    [RESTORE_SETTINGS] = FIELDS_TRAIL,
    [RESTORE_SELECTORS] = FIELD_BIT(FIELD_SELECTORS) | FIELD_BIT(FIELD_CONFIGURATION),
    [RESTORE_INSIGHTS] = FIELD_BIT(FIELD_INSIGHTS),
    [RESTORE_DELETED] = FIELD_BIT(FIELD_TAGS),
};

bool guard_may_write(const TrailFacts *facts, Action action) {
    return facts->writable || (facts->may_ask & ACTION_BIT(action));
}

bool guard_may_restart(const Deciding *d) {
    return d->policy->mode != MODE_OBSERVE && guard_may_write(d->facts, ACTION_RESTART) &&
           !(d->facts->maintenance && d->facts->stop_allowed);
}

static bool may_write_settings(const Deciding *d, Action action) {
    return d->policy->mode == MODE_RESTORE && guard_may_write(d->facts, action) && !d->facts->maintenance;
}

/* A trail that was never seen has no baseline to make it from. */
bool guard_may_recreate(const Deciding *d) {
    return may_write_settings(d, ACTION_RECREATE) && (d->policy->restore & RESTORE_BIT(RESTORE_DELETED)) &&
           d->s.known;
}

uint32_t guard_restorable(const Deciding *d, uint32_t fields) {
    uint32_t allowed = 0;

    if (!may_write_settings(d, ACTION_RESTORE))
        return 0;
    for (unsigned k = 0; k < _RESTORE_KIND_MAX; k++)
        if (d->policy->restore & RESTORE_BIT(k))
            allowed |= fields_of_kind[k];
    return fields & allowed;
}

/* ---- counts: of each field, and of the trail itself ---- */

bool guard_is_spent(const Deciding *d, unsigned of) {
    const RestoreCount *count = &d->s.restores[of];

    return count->since_usec != 0 && count->n_confirmed >= d->policy->max_restores_per_hour &&
           elapsed(count->since_usec, d->now.real_usec) < GUARD_HOUR_USEC;
}

/* Those of the fields for which it holds. */
uint32_t guard_fields_that(const Deciding *d, uint32_t fields, GuardTest test) {
    uint32_t found = 0;

    for (unsigned f = 0; f < _FIELD_MAX; f++)
        if ((fields & FIELD_BIT(f)) && test(d, f))
            found |= FIELD_BIT(f);
    return found;
}

static bool is_paused(const Deciding *d, unsigned of) {
    return d->s.restores[of].paused && guard_is_spent(d, of);
}

bool guard_restores_rest(const Deciding *d, uint32_t fields) {
    fields = guard_restorable(d, fields);
    return fields ? guard_fields_that(d, fields, is_paused) == fields : is_paused(d, RECREATION);
}

void guard_add_restores(const Deciding *d, Tell *tell) {
    bool gone = d->s.findings & FINDING_BIT(FINDING_MISSING);

    for (unsigned i = gone ? RECREATION : 0; i <= (gone ? RECREATION : _FIELD_MAX - 1U); i++)
        if (gone || (d->s.fields & FIELD_BIT(i))) {
            tell->restores_paused = tell->restores_paused || d->s.restores[i].paused;
            tell->n_restores = MAX(tell->n_restores, d->s.restores[i].n_confirmed);
        }
}

void guard_clear_failures(TrailState *s, uint32_t fields) {
    for (unsigned f = 0; f < _FIELD_MAX; f++)
        if (fields & FIELD_BIT(f)) {
            s->restores[f].n_failures = 0;
            s->restores[f].after_mono_usec = 0;
        }
}

bool guard_confirms(const Deciding *d, ActionReport *report, Action action) {
    if (d->s.acting || report->taken != action || report->result != RESULT_PENDING)
        return false;
    report->result = RESULT_CONFIRMED;
    return true;
}

void guard_set_fields(TrailState *s, uint32_t fields, uint32_t losing_fields, uint64_t drift_mark) {
    s->fields = fields;
    s->unmet_fields &= fields;
    s->losing_fields = losing_fields & fields & ~s->unmet_fields;
    s->drift_mark = drift_mark;
    s->findings &= ~FINDINGS_DRIFT;
    if (s->losing_fields)
        s->findings |= FINDING_BIT(FINDING_WEAKENED);
    if (s->fields & ~s->losing_fields & ~s->unmet_fields)
        s->findings |= FINDING_BIT(FINDING_CHANGED);
    if (s->unmet_fields)
        s->findings |= FINDING_BIT(FINDING_UNMET);
}
