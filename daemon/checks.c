/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of settings, buckets and keys. */
#include "daemon/checks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/apply_plan.h"
#include "daemon/baselines.h"
#include "daemon/core/bucket_plan.h"
#include "daemon/core/enum_names.h"
#include "daemon/core/scope.h"
#include "daemon/core/settings.h"
#include "daemon/core/settings_kept.h"
#include "daemon/engine_private.h"
#include "daemon/log.h"
#include "daemon/trails.h"
#include "lib/util/macros.h"
#include "lib/util/shared_text.h"
#include "lib/util/text.h"

/* ---- settings ---- */

static void note_readable(Trail *trail, Unreadable what, const char *error) {
    if (trail->engine->once)
        return;
    if (error)
        log_aws(LOG_WARNING, error, "%s %s %s: %s could not be read: %s", trail->name, trail->region,
                trail->account, unreadable_to_string(what), error);
    else
        log_line(LOG_NOTICE, "%s %s %s: %s can be read again", trail->name, trail->region, trail->account,
                 unreadable_to_string(what));
}

static void note_not_shown(Trail *trail, Unreadable what, const char *error) {
    SettingsTracking *k = &trail->tracking;

    if (!(k->said_unsupported & (1u << what)) && !trail->engine->once)
        log_aws(LOG_NOTICE, error, "%s %s %s: AWS does not show %s: %s", trail->name, trail->region,
                trail->account, unreadable_to_string(what), error);
    k->said_unsupported |= (uint8_t)(1u << what);
}

static void set_unreadable(Trail *trail, Unreadable what, const char *error) {
    Observation seen;

    if (!error[0] && !trail->tracking.errors)
        return;
    engine_get_seen(trail, &seen);
    (void)text_copy(seen.unreadable[what], sizeof(seen.unreadable[what]), error);
    engine_keep_seen(trail, &seen);
}

static void count_failure(Trail *trail, Unreadable what, const CallFailure *failure) {
    SettingsTracking *k = &trail->tracking;
    Subject where = engine_trail_subject(trail);
    const ReadResult result = {
        .what = what,
        .failed = failure->text[0],
        .unsupported = failure->unsupported,
        .denied = failure->denial.action[0],
        .gone = failure->gone && what < UNREADABLE_BUCKET && !trail->engine->once, /* which asks but once */
        .foreign = engine_is_foreign(trail),
        .recorded = unreadable_is_recorded(k->baseline, what),
    };
    ReadMeaning meaning;

    if (scope_is_no_news(failure->held_back, trail->engine->once))
        return;
    meaning = unreadable_take(&result, engine_account_policy(trail->via).unreachable_after,
                              &k->n_unread[what], &k->said_unread);
    if (meaning.not_shown)
        note_not_shown(trail, what, failure->text);
    else if (meaning.reported)
        note_readable(trail, what, result.failed ? failure->text : NULL);
    if (meaning.denied)
        engine_note_denial(trail->engine, &where, failure->denial.action, failure->denial.resource);
    if (meaning.unreadable)
        set_unreadable(trail, what, failure->text);
    else if (meaning.readable)
        set_unreadable(trail, what, "");
}

static void decide(Trail *trail, bool compared) {
    SettingsTracking *k = &trail->tracking;
    Observation seen;
    TrailInput input = { .kind = GUARD_COMPARED,
                         .seen = &seen,
                         .drift = compared ? drift_kept(k->drift) : NULL };

    engine_get_seen(trail, &seen);
    /* fields that an action is changing are judged by its own read-back */
    if (!trail->remediation)
        engine_decide_trail(trail, &input);
}

static void settings_checked(const SettingsSnapshot *snapshot, void *userdata);

static void begin_check(Trail *trail) {
    const Engine *engine = trail->engine;
    SettingsTracking *k = &trail->tracking;
    SettingsCheckRequest request = {
        .aws = engine->aws.client,
        .credentials = trail->via->credentials,
        .region = trail->region,
        .arn = trail->arn,
        .listed = k->listed,
        .no_tags = engine_is_foreign(trail),
        .has_baseline = k->recorded && k->desired->values[FIELD_SELECTORS],
        .done = settings_checked,
        .userdata = trail,
    };
    int r = settings_check_start(&request, &k->snapshot);

    if (r < 0)
        log_line(LOG_ERR, "%s: cannot check its settings: %s", trail->arn, strerror(-r));
    else {
        k->poll_by_usec = engine_now(engine).mono_usec + 5 * aws_client_deadline_usec(engine->aws.client);
        k->check_runs = trail->home->checks;
        k->check_runs->n_running++;
        trail->engine->n_beside++;
    }
    engine_end_wait(trail);
}

/* Starts the check of the first waiting trail that there is memory for. */
static void begin_check_of(const Target *target) {
    bool begun = false;

    for (size_t i = 0; !begun && i < target->n_trails; i++) {
        Trail *trail = target->trails[i];

        if (!trail->tracking.check_waits)
            continue;
        begin_check(trail);
        begun = trail->tracking.snapshot != NULL;
    }
}

/* One trail at a time: checks share AWS's quota with the target's polls, which must wait for the reads of
 * one trail at most. */
static bool may_begin_check(const Target *target) {
    bool waits = false;

    for (size_t i = 0; i < target->n_trails; i++) {
        const SettingsTracking *k = &target->trails[i]->tracking;

        if (k->snapshot)
            return false;
        waits |= k->check_waits;
    }
    return waits;
}

void engine_begin_next_check(Target *target) {
    CheckQueue *queue = target->checks;
    unsigned at_once = schedule_checks_at_once(target->engine->n_check_queues);

    if (may_begin_check(target))
        engine_queue_check(target);
    while (queue->first && queue->n_running < at_once) {
        Target *next = queue->first;

        engine_unqueue_check(next);
        if (may_begin_check(next))
            begin_check_of(next);
    }
}

static void checks_check_bucket(Trail *trail);

static void settings_checked(const SettingsSnapshot *snapshot, void *userdata) {
    Trail *trail = userdata;
    SettingsTracking *k = &trail->tracking;
    bool stale = k->poll_is_stale;

    k->snapshot = NULL;
    k->poll_is_stale = false;
    trail->engine->n_beside--;
    engine_check_ended(trail);
    if (trail->home)
        engine_begin_next_check(trail->home);
    if (!snapshot->gone && !stale) {
        for (Unreadable u = 0; u < ARRAY_SIZE(snapshot->failures); u++)
            count_failure(trail, u, &snapshot->failures[u]);
        engine_watch_settings(trail, &snapshot->settings);
        (void)engine_differs(&snapshot->settings, trail);
        if (engine_has_to_record(trail, &snapshot->settings)) {
            engine_record_baseline(trail, &snapshot->settings);
            checks_check_bucket(trail); /* the owner of the bucket belongs to the baseline */
            (void)engine_differs(&snapshot->settings, trail);
        }
        if (engine_record_new_fields(trail, &snapshot->settings))
            (void)engine_differs(&snapshot->settings, trail);
        decide(trail, k->recorded);
        if (bucket_follows_settings(trail->engine->once, k->recorded, TRAIL_STATE(trail, provisional)))
            checks_check_bucket(trail);
    }
}

/* A waiting trail only keeps its entry of the list, shared by all trails that have the same. */
static void check_trail(Trail *trail, const CloudTrailTrail *listed) {
    SettingsTracking *k = &trail->tracking;
    Settings described = { 0 };
    int r;

    if (engine_is_checked(trail) || trail->remediation)
        return;
    r = observe_settings(listed, &described);
    if (r >= 0)
        r = settings_keep(&k->listed, &described);
    settings_done(&described);
    if (r < 0) {
        log_line(LOG_ERR, "%s: cannot check its settings: %s", trail->arn, strerror(-r));
        return;
    }
    k->check_waits = true;
    trail->engine->n_beside++;
}

/* ---- the bucket and the key behind the trail ---- */

static BucketRead bucket_read_of(const BucketSnapshot *snapshot) {
    BucketRead read = { .found = snapshot->found, .trouble = snapshot->bucket_error[0] };

    for (Unreadable u = 0; u < _UNREADABLE_MAX; u++)
        read.unread[u] = snapshot->failures[u].text[0];
    return read;
}

static void take_bucket(Observation *seen, const BucketSnapshot *snapshot, uint32_t judged) {
    if (judged & FINDING_BIT(FINDING_BUCKET))
        (void)text_copy(seen->bucket_error, sizeof(seen->bucket_error), snapshot->bucket_error);
    if (judged & FINDING_BIT(FINDING_LIFECYCLE))
        (void)text_copy(seen->lifecycle_error, sizeof(seen->lifecycle_error), snapshot->lifecycle_error);
    if (judged & FINDING_BIT(FINDING_KEY))
        (void)text_copy(seen->key_error, sizeof(seen->key_error), snapshot->key_error);
}

static void record_owner(Trail *trail, const char *owner) {
    const SettingsTracking *k = &trail->tracking;
    Settings more = { 0 };
    int r;

    if (!trail->engine->sink->records || !k->recorded || k->unsaved ||
        !bucket_owner_is_to_record(k->baseline, k->desired, owner))
        return;
    more.values[SETTING_BUCKET_OWNER] = (char *)owner;
    r = engine_add_to_baseline(trail, &more);
    if (r < 0)
        log_line(LOG_WARNING, "%s: the owner of its bucket cannot be recorded: %s", trail->arn,
                 strerror(-r));
}

static void note_not_asked(Trail *trail, const CallFailure *failure) {
    SettingsTracking *k = &trail->tracking;

    k->n_bucket_calls = 0;
    (void)shared_text_set(&k->unasked_bucket, bucket_asked(k->desired, k->actual));
    if (!trail->engine->once)
        log_aws(LOG_NOTICE, failure->text,
                "%s %s %s: whose its bucket is cannot be checked, and is not asked again "
                "before a reload: %s",
                trail->name, trail->region, trail->account, failure->text);
}

static void bucket_checked(const BucketSnapshot *snapshot, void *userdata) {
    Trail *trail = userdata;
    SettingsTracking *k = &trail->tracking;
    const Engine *engine = trail->engine;
    const BucketRead read = bucket_read_of(snapshot);
    Observation seen;

    k->bucket_snapshot = NULL;
    trail->engine->n_beside--;
    if (TRAIL_STATE(trail, provisional)) {
        (void)shared_text_set(&k->bucket_owner, snapshot->owner);
        decide(trail, false);
        return;
    }
    if (bucket_owner_is_out_of_reach(engine->config->bucket_checks,
                                     k->desired->values[SETTING_BUCKET_OWNER],
                                     read.unread[UNREADABLE_BUCKET])) {
        note_not_asked(trail, &snapshot->failures[UNREADABLE_BUCKET]);
        return;
    }
    if (snapshot->region[0])
        (void)shared_text_set(&k->bucket_region, snapshot->region);
    k->n_bucket_calls = bucket_calls(snapshot->n_heads, snapshot->found, engine->config->bucket_checks,
                                     k->actual->values[FIELD_KMS_KEY]);
    if (snapshot->key_store[0])
        (void)shared_text_set(&k->key_store, snapshot->key_store);
    engine_get_seen(trail, &seen);
    take_bucket(&seen, snapshot, unreadable_judges(&read));
    engine_keep_seen(trail, &seen);
    for (Unreadable u = UNREADABLE_BUCKET; u < _UNREADABLE_MAX; u++)
        if (unreadable_was_asked(&read, u))
            count_failure(trail, u, &snapshot->failures[u]);
    record_owner(trail, snapshot->owner);
    decide(trail, false);
}

static void add_owners(const Trail *trail, BucketCheckRequest *request) {
    const SettingsTracking *k = &trail->tracking;
    const Engine *engine = trail->engine;
    BucketOwners owners;

    bucket_owners_begin(k->baseline, k->desired, trail->account, request->prefix, &owners);
    for (size_t i = 0; i < engine->n_accounts; i++)
        bucket_owners_add(&owners, engine->accounts[i]->id);
    request->owner_known = owners.known;
    request->owner_confirmed = owners.confirmed;
    for (; request->n_owners < owners.n; request->n_owners++) {
        BucketOwner *owner = &request->owners[request->n_owners];

        (void)text_copy(owner->id, sizeof(owner->id), owners.ids[request->n_owners]);
        owner->credentials = engine_best_via(trail->via, owner->id)->credentials;
    }
}

static void checks_check_bucket(Trail *trail) {
    Engine *engine = trail->engine;
    SettingsTracking *k = &trail->tracking;
    const BucketFacts facts = {
        .bucket_checks = engine->config->bucket_checks,
        .owner_check = engine->config->owner_check,
        .once = engine->once,
        .under_way = k->bucket_snapshot,
        .recorded = k->recorded,
        .provisional = TRAIL_STATE(trail, provisional),
        .message_waits = TRAIL_STATE(trail, pending_restore.set),
        .unasked = shared_text_or_empty(k->unasked_bucket),
        .baseline = k->baseline,
        .desired = k->desired,
        .actual = k->actual,
    };
    const BucketPlan plan = bucket_plan(&facts);
    BucketCheckRequest request = {
        .aws = engine->aws.client,
        .credentials = trail->via->credentials,
        .region = trail->region,
        .account = trail->account,
        .owner_only = plan.owner_only,
        .bucket = plan.bucket,
        .prefix = plan.prefix,
        .actual_prefix = plan.actual_prefix,
        .pinned = plan.pinned,
        .key = plan.key,
    };
    int r;

    if (!plan.asked)
        return;
    add_owners(trail, &request);
    r = bucket_check_start(&request, bucket_checked, trail, &k->bucket_snapshot);
    if (r < 0)
        log_line(LOG_ERR, "%s: cannot check its bucket %s: %s", trail->arn, plan.bucket, strerror(-r));
    else
        engine->n_beside++;
}

/* ---- lists ---- */

static const CloudTrailTrail *find_listed(const CloudTrailTrails *list, const char *arn) {
    for (size_t i = 0; i < list->n; i++)
        if (text_equal(list->items[i].arn, arn))
            return &list->items[i];
    return NULL;
}

static bool is_wanted_soon(const Trail *trail) {
    const SettingsTracking *k = &trail->tracking;

    return !k->recorded ||
           unreadable_are_wanted_soon(k->baseline, k->n_unread,
                                      engine_account_policy(trail->via).unreachable_after);
}

void engine_check_settings(Target *target, const CloudTrailTrails *list, bool due) {
    for (size_t i = target->n_trails; i-- > 0;) {
        Trail *trail = target->trails[i];
        const CloudTrailTrail *listed = find_listed(list, trail->arn);

        engine_refresh_baseline(trail);
        if (listed && (due || is_wanted_soon(trail))) {
            check_trail(trail, listed);
            checks_check_bucket(trail);
        } else if (engine_lets_go(trail, listed))
            engine_forget_trail(trail, "it was accepted that it may be gone");
    }
    engine_begin_next_check(target);
}
