/* SPDX-License-Identifier: Apache-2.0 */
/* What follows from a decision besides what its plan names: what is written and shown, and what is begun. */
#include "daemon/core/guard_private.h"

bool guard_asks_destination(const TrailState *state) {
    return state->provisional && (!state->known || state->pending_restore.set);
}

FollowUp guard_follow_up(const Decided *in, Now now) {
    const TrailState *before = in->before, *next = in->next;
    const Plan *plan = in->plan;
    bool acted = in->kind == GUARD_ACTED;
    FollowUp ret = {
        .is_news = plan->n_events > 0 || plan->n_entries > 0 || before->verdict != next->verdict || acted ||
                   (in->was_held && !in->is_held),
        .reported_alone = !plan->summed_up && next->provisional && before->incident.opened_usec == 0 &&
                          next->incident.opened_usec != 0,
        .wake_mono_usec = in->left && !plan->hold ? 0 : plan->wake_mono_usec,
        .acts = plan->action != ACTION_NONE && !(in->once && acted),
        .searches = plan->attribute && !in->once,
        .contested = !in->once && guard_is_contested(next, now),
    };

    ret.is_saved_now = ret.is_news || (in->is_known && !in->was_known);
    return ret;
}

bool guard_intent_is_reported(const TrailState *reported, const TrailState *state) {
    return reported->intent_usec == state->intent_usec && !reported->pending.set &&
           !reported->pending_restore.set;
}

bool guard_target_is_news(const TargetState *before, const TargetState *next, const Plan *plan) {
    return plan->n_events > 0 || plan->n_entries > 0 || before->unreachable != next->unreachable ||
           before->list_unreadable != next->list_unreadable;
}
