/* SPDX-License-Identifier: Apache-2.0 */
/* What follows from a decision besides its plan: what is saved, shown and started, and what messages include
 * in addition. */
#include "daemon/core/guard_private.h"
#include "lib/util/text.h"

bool guard_asks_destination(const TrailState *state) {
    return state->provisional && (!state->known || state->pending_restore.set);
}

const Subject *guard_lines_are_about(const Plan *plan, const Subject *own, const Incident *incident,
                                     uint64_t *ret_dedup_usec) {
    const Event *event = &plan->events[0];

    if (plan->n_events > 0 && event->incident_of) {
        *ret_dedup_usec = event->incident_dedup_usec;
        return event->incident_of;
    }
    *ret_dedup_usec = incident->dedup_usec;
    return incident->opened_usec != 0 ? own : NULL;
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

bool guard_was_guarded(const TrailState *state) {
    return state->known || (state->findings & FINDING_BIT(FINDING_MISSING));
}

bool guard_has_row(const TrailState *state) {
    return state->known || state->incident.opened_usec != 0;
}

bool guard_intent_is_reported(const TrailState *reported, const TrailState *state) {
    return reported->intent_usec == state->intent_usec && !reported->pending.set &&
           !reported->pending_restore.set;
}

bool guard_target_is_news(const TargetState *before, const TargetState *next, const Plan *plan) {
    return plan->n_events > 0 || plan->n_entries > 0 || before->unreachable != next->unreachable ||
           before->list_unreadable != next->list_unreadable;
}

/* ---- messages ---- */

Event event_new(EventKind kind, EventPhase phase, Severity severity, uint64_t dedup_usec, Mode mode,
                const char *detail) {
    Event event = {
        .kind = kind,
        .phase = phase,
        .severity = severity,
        .sequence = 1,
        .incident_dedup_usec = dedup_usec,
        .dedup_usec = dedup_usec,
        .opened_usec = dedup_usec,
        .mode = mode,
    };

    (void)text_copy(event.detail, sizeof(event.detail), detail);
    return event;
}

void guard_complete_event(Event *event, const TrailExtras *extras) {
    const Episode *episode = extras->episode;

    if (event->fields != 0)
        event->changes = extras->changes;
    if (event->kind == EVENT_TRAIL_STRENGTHENED)
        event->changes = extras->drift;
    if (event->kind == EVENT_TRAIL_APPEARED) {
        event->delivers = extras->actual;
        (void)text_copy(event->detail, sizeof(event->detail), extras->whose);
    }
    if (event->kind == EVENT_TRAIL_CONTESTED && episode && episode->has_actor) {
        event->has_actor = true;
        event->actor = episode->actor;
    }
}

void guard_complete_entries(Plan *plan, const TrailExtras *extras) {
    for (unsigned i = 0; i < plan->n_entries; i++) {
        JournalEntry *entry = &plan->entries[i];

        if (entry->line == LINE_CHANGED || entry->line == LINE_UNMET || entry->line == LINE_STRENGTHENED)
            entry->changes = extras->drift;
    }
}

bool guard_episode_shows(const Episode *episode, const Outcome *outcome) {
    return outcome->result == RESULT_FAILED || (episode && episode->failed == outcome->action);
}

void guard_episode_take(Episode *episode, const Outcome *outcome, const Incident *incident, Now now) {
    const ActionReport *report =
            outcome->action == ACTION_RESTART ? &incident->action : &incident->restore;

    if (outcome->result != RESULT_FAILED) {
        episode->failed = ACTION_NONE;
        return;
    }
    episode->failed = outcome->action;
    episode->n_attempts = report->attempts;
    episode->failed_usec = now.real_usec;
    (void)text_copy(episode->failed_code, sizeof(episode->failed_code), outcome->error_code);
    (void)text_copy(episode->failed_text, sizeof(episode->failed_text), outcome->error_text);
}

bool guard_episode_keeps_actor(const TrailState *state) {
    return state->contest.n > 0;
}

/* ---- actions ---- */

bool guard_lacks_baseline(Action action, bool recorded) {
    return !recorded && (action == ACTION_RESTORE || action == ACTION_RECREATE);
}

/* A restore reads settings back, but no status. */
bool guard_outcome_shows_status(const Outcome *outcome) {
    return outcome->result == RESULT_CONFIRMED && outcome->action != ACTION_RESTORE;
}

const Incident *guard_target_incident(const TargetState *state) {
    if (state->reach.open)
        return &state->reach;
    return state->list.open ? &state->list : &state->cover;
}
