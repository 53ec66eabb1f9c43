/* SPDX-License-Identifier: Apache-2.0 */
/* Which stop is the one that `trailguard drill` announced. A drill makes alerts quieter, so that every doubt
 * is decided against it. */
#include "daemon/core/guard_private.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* AWS's clock against ours. */
#define DRILL_SLACK_USEC (60ULL * USEC_PER_SEC)

static bool is_within(const Drill *drill, uint64_t usec) {
    return usec != 0 && usec >= guard_before(drill->from_usec, DRILL_SLACK_USEC) &&
           usec <= drill->until_usec;
}

void guard_take_drill(Deciding *d, uint64_t stop_usec) {
    const Drill *drill = d->facts->drill;
    Drilled *drilled = &d->s.drilled;

    if (!drill || !is_within(drill, stop_usec) || d->now.real_usec > drill->until_usec ||
        is_within(drill, drilled->stop_usec))
        return;
    *drilled = (Drilled){ .stop_usec = stop_usec, .noticed_usec = d->now.real_usec };
    (void)text_copy(plan_entry(d->plan, LINE_DRILL)->detail, ERROR_TEXT_MAX, drill->identity);
}

/* While the trail is stopped the announcement has to be in force; then the end of the gap counts. */
static bool is_over_in_time(const Deciding *d) {
    const Drill *drill = d->facts->drill;

    if (d->s.findings & FINDING_BIT(FINDING_STOPPED))
        return drill && d->now.real_usec <= drill->until_usec && is_within(drill, d->s.drilled.stop_usec);
    return true;
}

bool guard_is_drill(const Deciding *d) {
    const Drilled *drilled = &d->s.drilled;

    return drilled->stop_usec != 0 && d->s.incident.gap.from_usec == drilled->stop_usec &&
           drilled->actor != DRILL_ACTOR_OTHER && is_over_in_time(d);
}

uint64_t guard_drill_wake(const Deciding *d) {
    if (!(d->s.findings & FINDING_BIT(FINDING_STOPPED)) || !guard_is_drill(d))
        return 0;
    return d->now.mono_usec + elapsed(d->now.real_usec, d->facts->drill->until_usec) + 1;
}

void guard_drill_attributed(Deciding *d, const Actor *actor) {
    const Drill *drill = d->facts->drill;
    Drilled *drilled = &d->s.drilled;

    if (drilled->stop_usec == 0 || d->s.attributing.dedup_usec != drilled->stop_usec)
        return;
    drilled->attributed_usec = d->now.real_usec;
    if (!actor)
        drilled->actor = DRILL_ACTOR_NOBODY;
    else
        drilled->actor = drill && text_equal(actor->arn, drill->identity) ? DRILL_ACTOR_OWN
                                                                          : DRILL_ACTOR_OTHER;
}
