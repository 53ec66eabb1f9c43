/* SPDX-License-Identifier: Apache-2.0 */
/* A trail's settings, and their differences from the desired ones. */
#include "daemon/tracking.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/core/baseline.h"
#include "daemon/core/scope.h"
#include "daemon/core/selectors.h"
#include "daemon/core/settings.h"
#include "daemon/core/settings_kept.h"
#include "daemon/log.h"
#include "daemon/tables.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/shared_text.h"
#include "lib/util/text.h"

static bool has_texts(const Observation *seen) {
    const char *const texts[] = { seen->delivery_error,     seen->digest_error, seen->log_group_error,
                                  seen->notification_error, seen->bucket_error, seen->lifecycle_error,
                                  seen->key_error };
    bool any = false;

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        any |= texts[i][0] != '\0';
    for (Unreadable u = 0; u < _UNREADABLE_MAX; u++)
        any |= seen->unreadable[u][0] != '\0';
    return any;
}

void engine_get_seen(const Trail *trail, Observation *ret) {
    const SettingsTracking *k = &trail->tracking;

    if (k->errors)
        *ret = *k->errors;
    else
        *ret = (Observation){
            .kind = OBSERVED_STATUS,
            .is_logging = k->seen.is_logging,
            .target_reachable = k->seen.target_reachable,
            .start_usec = k->seen.start_usec,
            .stop_usec = k->seen.stop_usec,
            .delivery_usec = k->seen.delivery_usec,
            .digest_usec = k->seen.digest_usec,
        };
}

void engine_keep_seen(Trail *trail, const Observation *seen) {
    SettingsTracking *k = &trail->tracking;

    k->seen = (SeenStatus){
        .is_logging = seen->is_logging,
        .target_reachable = seen->target_reachable,
        .start_usec = seen->start_usec,
        .stop_usec = seen->stop_usec,
        .delivery_usec = seen->delivery_usec,
        .digest_usec = seen->digest_usec,
    };
    if (!has_texts(seen)) {
        free(TAKE_PTR(k->errors));
        return;
    }
    if (!k->errors)
        k->errors = malloc(sizeof(*k->errors));
    if (k->errors)
        *k->errors = *seen;
}

void engine_remember_seen(Trail *trail, Observation *seen) {
    const Observation *known = trail->tracking.errors;

    if (seen->kind != OBSERVED_STATUS)
        return;
    if (known) {
        (void)text_copy(seen->bucket_error, sizeof(seen->bucket_error), known->bucket_error);
        (void)text_copy(seen->lifecycle_error, sizeof(seen->lifecycle_error), known->lifecycle_error);
        (void)text_copy(seen->key_error, sizeof(seen->key_error), known->key_error);
        memcpy(seen->unreadable, known->unreadable, sizeof(seen->unreadable));
    }
    engine_keep_seen(trail, seen);
}

/* Log files encrypted with a foreign key can only be read with its owner's permission: as good as lost. */
static void mark_foreign_key(const Trail *trail, Drift *drift) {
    for (unsigned i = 0; i < drift->n; i++) {
        Change *change = &drift->changes[i];
        Arn key;

        change->loses_events |= baseline_key_moved(change, trail->account, &key) &&
                                !engine_account_by_id(trail->engine, key.account);
    }
}

uint32_t engine_differs(const Settings *seen, void *userdata) {
    Trail *trail = userdata;
    SettingsTracking *k = &trail->tracking;
    Settings actual = *k->actual;
    Drift drift = { 0 };
    uint32_t fields;

    for (Field f = 0; f < _FIELD_MAX; f++)
        if (seen->values[f])
            actual.values[f] = seen->values[f];
    if (settings_keep(&k->actual, &actual) < 0)
        return FIELDS_ALL;
    if (k->actual->values[FIELD_SELECTORS])
        trail->facts.records_reads = selectors_record_reads(k->actual->values[FIELD_SELECTORS]);
    if (baseline_judge(k->baseline, k->desired, k->pinned, k->actual, &drift) < 0)
        return FIELDS_ALL;
    mark_foreign_key(trail, &drift);
    fields = guard_drift_fields(&drift, false);
    if (drift_keep(&k->drift, &drift) < 0) {
        drift_done(&drift);
        return FIELDS_ALL;
    }
    return fields;
}

/* The name of an accepted trail that delivers to the same bucket; NULL if there is none. */
static const char *other_user_of_bucket(const Trail *trail) {
    const Engine *engine = trail->engine;
    const char *bucket = trail->tracking.actual->values[FIELD_BUCKET];

    for (size_t i = 0; bucket && i < engine->n_trails; i++) {
        const Trail *other = engine->trails[i];

        if (!TRAIL_STATE(other, provisional) && other->tracking.recorded &&
            text_equal(other->tracking.desired->values[FIELD_BUCKET], bucket))
            return other->name;
    }
    return NULL;
}

void engine_judge_destination(Trail *trail) {
    SettingsTracking *k = &trail->tracking;
    const char *user = other_user_of_bucket(trail);
    const char *confirmed = shared_text_or_empty(k->bucket_owner);
    const Account *owner = engine_account_by_id(trail->engine, confirmed);

    trail->facts.destination = newcomer_destination(user, confirmed[0], owner && owner->guarded);
    (void)shared_text_set(&k->whose, user ? user : confirmed);
}

bool engine_has_changes_of(const Trail *trail, const Incident *incident) {
    return trail->tracking.changes_dedup_key == incident->dedup_usec &&
           trail->tracking.changes_reopened_usec == incident->reopened_usec;
}

/* For a field that was changed twice: the baseline's value before, and the latest value after. */
void engine_note_changes(Trail *trail, const TrailState *state) {
    const Incident *incident = &state->incident;
    SettingsTracking *k = &trail->tracking;
    Drift changes = { 0 };

    if (!engine_has_changes_of(trail, incident)) {
        (void)drift_keep(&k->changes, &changes);
        if (k->episode && guard_episode_keeps_actor(state))
            k->episode->failed = ACTION_NONE;
        else
            free(TAKE_PTR(k->episode));
        k->changes_dedup_key = incident->dedup_usec;
        k->changes_reopened_usec = incident->reopened_usec;
    }
    if (!k->drift || !incident->open || drift_copy(k->drift, &changes) < 0)
        return;
    drift_add_missing(&changes, drift_kept(k->changes));
    if (drift_keep(&k->changes, &changes) < 0)
        drift_done(&changes);
}

static Episode *episode_of(Trail *trail) {
    SettingsTracking *k = &trail->tracking;

    if (!k->episode)
        k->episode = calloc(1, sizeof(*k->episode));
    return k->episode;
}

static void note_outcome(Trail *trail, const Incident *incident, const Outcome *outcome) {
    Episode *e = guard_episode_shows(trail->tracking.episode, outcome) ? episode_of(trail) : NULL;

    if (e) /* without memory it is not shown */
        guard_episode_take(e, outcome, incident, engine_now(trail->engine));
}

void engine_note_episode(Trail *trail, const Incident *incident, const Outcome *outcome, const Plan *plan) {
    if (outcome)
        note_outcome(trail, incident, outcome);
    for (unsigned i = 0; i < plan->n_events; i++) {
        const Event *event = &plan->events[i];
        Episode *e = event->kind == EVENT_TRAIL_ATTRIBUTED && event->has_actor ? episode_of(trail) : NULL;

        if (e) {
            e->actor = event->actor;
            e->has_actor = true;
        }
    }
}

void engine_save_found(Trail *trail) {
    Engine *engine = trail->engine;
    int r;

    if (!engine->sink->records)
        return;
    r = baseline_file_save_found(engine->state_dir, trail->arn, engine_now(engine).real_usec,
                                 trail->tracking.actual);
    if (r < 0)
        log_line(LOG_WARNING, "%s: the settings that were found cannot be kept below %s: %s", trail->arn,
                 engine->state_dir, file_strerror(r));
}

unsigned engine_count_settings_calls(const Trail *trail) {
    const char *insights = trail->tracking.actual->values[FIELD_INSIGHTS];

    return schedule_settings_calls(!engine_is_foreign(trail), !text_equal(insights, "[]"));
}

unsigned engine_count_bucket_calls(const Trail *trail) {
    return trail->tracking.n_bucket_calls;
}

uint32_t engine_not_known(const Trail *trail, const Settings *settings) {
    bool fails = trail->tracking.n_unread[UNREADABLE_CONFIGURATION] > 0;

    return settings_lacking(settings, fails, engine_is_foreign(trail));
}

uint32_t engine_not_recorded(const Trail *trail) {
    return trail->tracking.recorded ? engine_not_known(trail, trail->tracking.baseline) : 0;
}
