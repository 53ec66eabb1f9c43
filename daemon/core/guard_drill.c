/* SPDX-License-Identifier: Apache-2.0 */
/* Which stop or tag is the one that `trailguard drill` announced. A drill lowers the severity of alerts, so
 * in doubt it does not count. */
#include "daemon/core/guard_private.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

static bool troubles_tags(const Drift *drift) {
    for (unsigned i = 0; drift && i < drift->n; i++)
        if (drift->changes[i].field == FIELD_TAGS && !drift->changes[i].strengthens)
            return true;
    return false;
}

bool guard_may_be_drill(const TrailState *state, const TrailInput *input) {
    const Observation *seen = input->kind == GUARD_POLLED ? input->seen : NULL;

    if (state->drilled.noticed_usec != 0 && input->kind == GUARD_ATTRIBUTED)
        return true;
    return (state->findings & (FINDING_BIT(FINDING_STOPPED) | FINDING_BIT(FINDING_CHANGED))) ||
           troubles_tags(input->drift) ||
           (seen && seen->kind == OBSERVED_STATUS &&
            (!seen->is_logging || seen->stop_usec != state->stop_usec));
}

/* The difference between AWS's clock and ours. */
#define DRILL_SLACK_USEC (60ULL * USEC_PER_SEC)

static bool is_within(const Drill *drill, uint64_t usec) {
    return usec != 0 && usec >= guard_before(drill->from_usec, DRILL_SLACK_USEC) &&
           usec <= drill->until_usec;
}

static void take(Deciding *d, Drilled drilled) {
    d->s.drilled = drilled;
    d->s.drilled.noticed_usec = d->now.real_usec;
    (void)text_copy(plan_entry(d->plan, LINE_DRILL)->detail, ERROR_TEXT_MAX, d->facts->drill->identity);
}

void guard_take_drill(Deciding *d, uint64_t stop_usec) {
    const Drill *drill = d->facts->drill;

    if (!drill || drill->tag[0] || !is_within(drill, stop_usec) || d->now.real_usec > drill->until_usec ||
        is_within(drill, d->s.drilled.stop_usec))
        return;
    take(d, (Drilled){ .stop_usec = stop_usec });
}

/* A change that only strengthens the trail is no trouble, and not among the fields. */
void guard_take_tag_drill(Deciding *d, uint64_t dedup_usec) {
    const Drill *drill = d->facts->drill;

    if (!drill || !d->facts->drill_tagged || !is_within(drill, d->now.real_usec) ||
        d->s.drilled.noticed_usec >= drill->from_usec || d->s.fields != FIELD_BIT(FIELD_TAGS))
        return;
    take(d, (Drilled){ .tag_usec = dedup_usec, .tag_mark = d->s.drift_mark });
}

void guard_drill_changed(Deciding *d) {
    Drilled *drilled = &d->s.drilled;

    if (drilled->tag_usec == 0)
        return;
    if (d->s.fields != 0 && d->s.drift_mark != drilled->tag_mark)
        drilled->tag_usec = 0; /* more changed than its tag: all of it is real */
    else if (d->s.fields == 0 && drilled->restarted_usec == 0)
        drilled->restarted_usec = d->now.real_usec;
}

static bool lasts(const Deciding *d) {
    return d->s.drilled.tag_usec != 0 ? d->s.fields != 0
                                      : (d->s.findings & FINDING_BIT(FINDING_STOPPED)) != 0;
}

/* While the trouble lasts, the announcement must be in force; afterwards the end of the trouble counts. */
static bool is_over_in_time(const Deciding *d) {
    const Drilled *drilled = &d->s.drilled;
    const Drill *drill = d->facts->drill;

    if (!lasts(d))
        return true;
    if (!drill || d->now.real_usec > drill->until_usec)
        return false;
    return drilled->tag_usec != 0 ? drill->tag[0] && drilled->noticed_usec >= drill->from_usec
                                  : is_within(drill, drilled->stop_usec);
}

bool guard_is_drill(const Deciding *d) {
    const Drilled *drilled = &d->s.drilled;
    const Incident *inc = &d->s.incident;
    bool own = drilled->tag_usec != 0 ? inc->last_dedup_usec == drilled->tag_usec
                                      : drilled->stop_usec != 0 && inc->gap.from_usec == drilled->stop_usec;

    return own && drilled->actor != DRILL_ACTOR_OTHER && is_over_in_time(d);
}

uint32_t guard_drill_findings(const Deciding *d) {
    return d->s.drilled.tag_usec != 0 ? FINDING_BIT(FINDING_CHANGED)
                                      : FINDING_BIT(FINDING_STOPPED) | FINDING_BIT(FINDING_INTERRUPTED);
}

uint64_t guard_drill_wake(const Deciding *d) {
    if (!lasts(d) || !guard_is_drill(d))
        return 0;
    return d->now.mono_usec + elapsed(d->now.real_usec, d->facts->drill->until_usec) + 1;
}

void guard_drill_attributed(Deciding *d, const Actor *actor) {
    const Drill *drill = d->facts->drill;
    Drilled *drilled = &d->s.drilled;
    uint64_t dedup_usec = drilled->tag_usec != 0 ? drilled->tag_usec : drilled->stop_usec;

    if (dedup_usec == 0 || d->s.attributing.dedup_usec != dedup_usec)
        return;
    drilled->attributed_usec = d->now.real_usec;
    if (!actor)
        drilled->actor = DRILL_ACTOR_NOBODY;
    else
        drilled->actor = drill && text_equal(actor->arn, drill->identity) ? DRILL_ACTOR_OWN
                                                                          : DRILL_ACTOR_OTHER;
}
