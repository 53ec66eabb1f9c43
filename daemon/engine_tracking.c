/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at settings, buckets and keys: when there is something to compare, and with what. What follows from
 * a difference is the guard's to say. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/baseline.h"
#include "daemon/core/enum_names.h"
#include "daemon/core/selectors.h"
#include "daemon/core/settings.h"
#include "daemon/core/scope.h"
#include "daemon/engine_private.h"
#include "daemon/log.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

const Observation *engine_remember_seen(Trail *trail, const Observation *seen) {
    SettingsTracking *k = &trail->tracking;
    Observation merged = *seen;

    if (seen->kind != OBSERVED_STATUS) {
        k->was_seen = false; /* what was seen before says nothing of what is now */
        return seen;
    }
    (void)text_copy(merged.bucket_error, sizeof(merged.bucket_error), k->seen.bucket_error);
    (void)text_copy(merged.lifecycle_error, sizeof(merged.lifecycle_error), k->seen.lifecycle_error);
    (void)text_copy(merged.key_error, sizeof(merged.key_error), k->seen.key_error);
    memcpy(merged.unreadable, k->seen.unreadable, sizeof(merged.unreadable));
    k->seen = merged;
    k->was_seen = true;
    return &k->seen;
}

/* ---- what differs ---- */

/* Marks what only a pin says to be otherwise. */
static int mark_recorded(const Settings *recorded, const Settings *now, Drift *drift) {
    Drift from_record = { 0 };
    uint32_t changed = 0;
    int r = baseline_compare(recorded, now, &from_record);

    for (unsigned i = 0; r >= 0 && i < from_record.n; i++)
        changed |= FIELD_BIT(from_record.changes[i].field);
    for (unsigned i = 0; r >= 0 && i < drift->n; i++)
        drift->changes[i].as_recorded = !(changed & FIELD_BIT(drift->changes[i].field));
    drift_done(&from_record);
    return r;
}

uint32_t engine_differs(const Settings *seen, void *userdata) {
    Trail *trail = userdata;
    SettingsTracking *k = &trail->tracking;
    Drift drift = { 0 };
    uint32_t fields = 0;

    for (Field f = 0; f < _FIELD_MAX; f++)
        if (seen->values[f] && settings_set(&k->now, f, seen->values[f]) < 0)
            return FIELDS_ALL;
    if (k->now.values[FIELD_SELECTORS])
        trail->facts.records_reads = selectors_record_reads(k->now.values[FIELD_SELECTORS]);
    if (baseline_compare(&k->keep, &k->now, &drift) < 0)
        return FIELDS_ALL;
    if (mark_recorded(&k->baseline, &k->now, &drift) < 0) {
        drift_done(&drift);
        return FIELDS_ALL;
    }
    drift_done(&k->drift);
    k->drift = drift;
    for (unsigned i = 0; i < drift.n; i++)
        fields |= FIELD_BIT(drift.changes[i].field);
    return fields;
}

bool engine_has_changes_of(const Trail *trail, const Incident *incident) {
    return trail->tracking.changes_mark == incident->dedup_usec &&
           trail->tracking.changes_reopened_usec == incident->reopened_usec;
}

/* A field that was changed twice was what the baseline says, and is what it was changed to last. */
void engine_note_changes(Trail *trail) {
    SettingsTracking *k = &trail->tracking;
    Drift changes = { 0 };

    if (!engine_has_changes_of(trail, &trail->state.incident)) {
        drift_done(&k->changes);
        free(k->episode);
        k->episode = NULL;
        k->changes_mark = trail->state.incident.dedup_usec;
        k->changes_reopened_usec = trail->state.incident.reopened_usec;
    }
    if (k->drift.n == 0 || !trail->state.incident.open || drift_copy(&k->drift, &changes) < 0)
        return;
    for (unsigned i = 0; i < k->changes.n; i++) {
        const Change *c = &k->changes.changes[i];

        (void)drift_add(&changes, c->field, c->loses_events, c->was, c->now); /* what is there stays */
    }
    drift_done(&k->changes);
    k->changes = changes;
}

static Episode *episode_of(Trail *trail) {
    SettingsTracking *k = &trail->tracking;

    if (!k->episode)
        k->episode = calloc(1, sizeof(*k->episode));
    return k->episode;
}

static void note_outcome(Trail *trail, const Outcome *outcome) {
    const Incident *incident = &trail->state.incident;
    bool restart = outcome->action == ACTION_RESTART;
    Episode *e = trail->tracking.episode;

    if (outcome->result != RESULT_FAILED) {
        if (e && e->failed == outcome->action)
            e->failed = ACTION_NONE;
        return;
    }
    e = episode_of(trail);
    if (!e)
        return; /* without memory it is not shown */
    e->failed = outcome->action;
    e->n_attempts = restart ? incident->action.attempts : incident->restore.attempts;
    e->failed_usec = engine_now(trail->engine).real_usec;
    (void)text_copy(e->failed_code, sizeof(e->failed_code), outcome->error_code);
    (void)text_copy(e->failed_text, sizeof(e->failed_text), outcome->error_text);
}

void engine_note_episode(Trail *trail, const Outcome *outcome, const Plan *plan) {
    if (outcome)
        note_outcome(trail, outcome);
    for (unsigned i = 0; i < plan->n_tells; i++) {
        const Tell *tell = &plan->tells[i];
        Episode *e = tell->event == EVENT_TRAIL_ATTRIBUTED && tell->has_actor ? episode_of(trail) : NULL;

        if (e) {
            e->actor = tell->actor;
            e->has_actor = true;
        }
    }
}

void engine_save_found(Trail *trail) {
    Engine *engine = trail->engine;
    int r;

    if (engine->once)
        return;
    r = baseline_file_save_found(engine->state_dir, trail->arn, engine_now(engine).real_usec,
                                 &trail->tracking.now);
    if (r < 0)
        log_line(LOG_WARNING, "%s: the settings that were found cannot be kept below %s: %s", trail->arn,
                 engine->state_dir, file_strerror(r));
}

/* ---- from the state file ---- */

/* Only what is polled again can be seen to be over. */
static void resume_errors(Trail *trail) {
    static const char not_read_yet[] = "not read since the start";
    static const struct {
        Finding finding;
        size_t offset, size;
    } rows[] = {
        { FINDING_BUCKET, offsetof(Observation, bucket_error), CODE_TEXT_MAX },
        { FINDING_LIFECYCLE, offsetof(Observation, lifecycle_error), CODE_TEXT_MAX },
        { FINDING_KEY, offsetof(Observation, key_error), CODE_TEXT_MAX },
    };
    SettingsTracking *k = &trail->tracking;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if ((trail->state.findings & FINDING_BIT(rows[i].finding)) && trail->engine->config->bucket_checks)
            (void)text_copy((char *)&k->seen + rows[i].offset, rows[i].size, not_read_yet);
    for (Unreadable u = 0; u < _UNREADABLE_MAX; u++)
        if ((trail->state.findings & FINDING_BIT(FINDING_UNREADABLE(u))) &&
            (u < UNREADABLE_BUCKET || trail->engine->config->bucket_checks)) {
            k->n_unread[u] = engine_account_policy(trail->via).unreachable_after;
            (void)text_copy(k->seen.unreadable[u], sizeof(k->seen.unreadable[u]), not_read_yet);
        }
    /* it was stale by what was known of it then */
    trail->facts.records_reads = trail->state.findings & FINDING_BIT(FINDING_STALE);
}

/* What the trail has to be like must be known before anything is put back; whether the file is a new one is
 * said at the first poll of settings. */
void engine_resume_tracking(Trail *trail, Drift *changes, Episode **episode) {
    SettingsTracking *k = &trail->tracking;

    k->episode = TAKE_PTR(*episode);
    k->changes = *changes;
    k->changes_mark = trail->state.incident.dedup_usec;
    k->changes_reopened_usec = trail->state.incident.reopened_usec;
    *changes = (Drift){ 0 };
    resume_errors(trail);
    engine_resume_baseline(trail);
}

/* ---- looks ---- */

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

    if (!k->said_unsupported && !trail->engine->once)
        log_aws(LOG_NOTICE, error, "%s %s %s: AWS does not show %s: %s", trail->name, trail->region,
                trail->account, unreadable_to_string(what), error);
    k->said_unsupported = true;
}

static void count_failure(Trail *trail, Unreadable what, const PollFailure *failure) {
    SettingsTracking *k = &trail->tracking;
    Subject where = engine_trail_subject(trail);
    char *error = k->seen.unreadable[what];
    const ReadResult result = {
        .what = what,
        .failed = failure->text[0],
        .unsupported = failure->unsupported,
        .denied = failure->denial.action[0],
        .foreign = engine_is_foreign(trail),
        .recorded = k->baseline.values[FIELD_CONFIGURATION],
    };
    ReadMeaning meaning = unreadable_take(&result, engine_account_policy(trail->via).unreachable_after,
                                          &k->n_unread[what]);

    if (meaning.not_shown)
        note_not_shown(trail, what, failure->text);
    else if (meaning.reported)
        note_readable(trail, what, result.failed ? failure->text : NULL);
    if (result.denied && !meaning.not_shown)
        engine_note_denial(trail->engine, &where, failure->denial.action, failure->denial.resource);
    if (meaning.unreadable)
        (void)text_copy(error, ERROR_TEXT_MAX, failure->text);
    else if (!result.failed || meaning.not_shown)
        error[0] = '\0';
}

static void decide(Trail *trail, bool compared) {
    SettingsTracking *k = &trail->tracking;
    TrailInput input = { .kind = GUARD_COMPARED, .seen = &k->seen, .drift = compared ? &k->drift : NULL };

    /* what an action under way changes, its own read-back judges */
    if (!trail->remediation)
        engine_decide_trail(trail, &input);
}

/* One trail after the other: a target's polls have AWS's quota to share with this, and shall wait for the
 * reads of one trail at most. */
void engine_begin_next_check(Target *target) {
    for (size_t i = 0; i < target->n_trails; i++)
        if (target->trails[i]->tracking.snapshot && !target->trails[i]->tracking.poll_waits)
            return;
    for (size_t i = 0; i < target->n_trails; i++) {
        Engine *engine = target->engine;
        SettingsTracking *k = &target->trails[i]->tracking;

        if (!k->snapshot)
            continue;
        k->poll_waits = false;
        k->poll_by_usec = engine_now(engine).mono_usec + 5 * aws_client_deadline_usec(engine->aws.client);
        if (settings_check_begin(k->snapshot) >= 0)
            return;
        settings_check_cancel(k->snapshot);
        k->snapshot = NULL;
        engine->n_beside--;
    }
}

static void check_bucket(Trail *trail);

static void settings_seen(const SettingsSnapshot *snapshot, void *userdata) {
    Trail *trail = userdata;
    SettingsTracking *k = &trail->tracking;
    bool once = trail->engine->once, stale = k->poll_is_stale;

    k->snapshot = NULL;
    k->poll_is_stale = false;
    trail->engine->n_beside--;
    if (trail->home)
        engine_begin_next_check(trail->home);
    if (!snapshot->gone && !stale) {
        for (Unreadable u = 0; u < ARRAY_SIZE(snapshot->failures); u++)
            count_failure(trail, u, &snapshot->failures[u]);
        (void)engine_differs(&snapshot->settings, trail);
        if (!once && settings_can_be_recorded(&snapshot->settings) && engine_has_to_record(trail)) {
            engine_record_baseline(trail, &snapshot->settings);
            check_bucket(trail); /* whose it is belongs to the baseline */
            (void)engine_differs(&snapshot->settings, trail);
        }
        if (engine_record_new_fields(trail, &snapshot->settings))
            (void)engine_differs(&snapshot->settings, trail);
        decide(trail, k->recorded);
        if (once && !k->recorded)
            check_bucket(trail);
    }
}

static void poll_target(Trail *trail, const CloudTrailTrail *listed) {
    Engine *engine = trail->engine;
    SettingsTracking *k = &trail->tracking;
    SettingsCheckRequest request = {
        .aws = engine->aws.client,
        .credentials = trail->via->credentials,
        .region = trail->region,
        .arn = trail->arn,
        .listed = listed,
        .no_tags = engine_is_foreign(trail),
        .done = settings_seen,
        .userdata = trail,
    };
    int r;

    if (k->snapshot || trail->remediation)
        return;
    r = settings_check_new(&request, &k->snapshot);
    if (r < 0) {
        log_line(LOG_ERR, "%s: cannot look at its settings: %s", trail->arn, strerror(-r));
        return;
    }
    k->poll_waits = true;
    engine->n_beside++;
}

/* ---- the bucket and the key behind the trail ---- */

static BucketRead read_of(const BucketSnapshot *snapshot) {
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

/* The first that S3 confirms is recorded. */
static void record_owner(Trail *trail, const char *owner) {
    const Engine *engine = trail->engine;
    const SettingsTracking *k = &trail->tracking;
    Settings more = { 0 };
    int r;

    if (engine->once || !owner[0] || !k->recorded || k->unsaved ||
        k->baseline.values[SETTING_BUCKET_OWNER] ||
        !text_equal(k->keep.values[FIELD_BUCKET], k->baseline.values[FIELD_BUCKET]))
        return;
    more.values[SETTING_BUCKET_OWNER] = (char *)owner;
    r = engine_add_to_baseline(trail, &more);
    if (r < 0)
        log_line(LOG_WARNING, "%s: the owner of its bucket cannot be recorded: %s", trail->arn,
                 strerror(-r));
}

static void bucket_seen(const BucketSnapshot *snapshot, void *userdata) {
    Trail *trail = userdata;
    SettingsTracking *k = &trail->tracking;
    const BucketRead read = read_of(snapshot);

    k->bucket_snapshot = NULL;
    trail->engine->n_beside--;
    if (snapshot->region[0])
        (void)text_copy(k->bucket_region, sizeof(k->bucket_region), snapshot->region);
    k->n_bucket_calls = snapshot->n_heads + (snapshot->found ? 2 : 0) +
                        (k->now.values[FIELD_KMS_KEY] && k->now.values[FIELD_KMS_KEY][0]);
    if (snapshot->key_store[0])
        (void)text_copy(k->key_store, sizeof(k->key_store), snapshot->key_store);
    take_bucket(&k->seen, snapshot, unreadable_judges(&read));
    for (Unreadable u = UNREADABLE_BUCKET; u < _UNREADABLE_MAX; u++)
        if (unreadable_was_asked(&read, u))
            count_failure(trail, u, &snapshot->failures[u]);
    record_owner(trail, snapshot->owner);
    decide(trail, false);
}

static void add_owner(const Trail *trail, const char *id, BucketCheckRequest *request) {
    const Account *account = engine_account_by_id(trail->engine, id);
    BucketOwner *owner = &request->owners[request->n_owners];

    for (size_t i = 0; i < request->n_owners; i++)
        if (text_equal(request->owners[i].id, id))
            return;
    if (strlen(id) != 12 || request->n_owners == BUCKET_CHECK_OWNERS_MAX)
        return;
    (void)text_copy(owner->id, sizeof(owner->id), id);
    owner->credentials =
            account && engine_account_is_open(account) ? account->credentials : trail->via->credentials;
    request->n_owners++;
}

/* A prefix often has the id of an account. */
static void add_owner_of_prefix(const Trail *trail, const char *prefix, BucketCheckRequest *request) {
    char id[13];

    for (; prefix && *prefix; prefix++) {
        size_t n = strspn(prefix, "0123456789");

        if (n == 12) {
            (void)snprintf(id, sizeof(id), "%.12s", prefix);
            add_owner(trail, id, request);
        }
        prefix += n;
        if (!*prefix)
            return;
    }
}

/* Whose the bucket has to be; or whose it can be, until S3 has confirmed one. */
static void add_owners(const Trail *trail, BucketCheckRequest *request) {
    const SettingsTracking *k = &trail->tracking;
    const Engine *engine = trail->engine;
    const char *known = k->keep.values[SETTING_BUCKET_OWNER];

    if (known)
        add_owner(trail, known, request);
    request->owner_known = request->n_owners > 0;
    request->owner_confirmed = text_equal(known, k->baseline.values[SETTING_BUCKET_OWNER]);
    add_owner(trail, trail->account, request);
    add_owner_of_prefix(trail, request->prefix, request);
    for (size_t i = 0; i < engine->n_accounts; i++)
        add_owner(trail, engine->accounts[i]->id, request);
}

/* Log files go where the trail says now, and where it has to be restored to later. */
static void add_prefixes(const Trail *trail, const Settings *of, BucketCheckRequest *request) {
    const Settings *now = &trail->tracking.now;

    request->prefix = of->values[FIELD_PREFIX];
    if (text_equal(now->values[FIELD_BUCKET], request->bucket))
        request->actual_prefix = now->values[FIELD_PREFIX];
    request->pinned = !text_equal(request->prefix, trail->tracking.baseline.values[FIELD_PREFIX]);
}

static void check_bucket(Trail *trail) {
    Engine *engine = trail->engine;
    SettingsTracking *k = &trail->tracking;
    /* a check without a baseline has only what is there now */
    const Settings *of = k->recorded || !engine->once ? &k->keep : &k->now;
    const char *bucket = of->values[FIELD_BUCKET], *key = of->values[FIELD_KMS_KEY];
    BucketCheckRequest request = {
        .aws = engine->aws.client,
        .credentials = trail->via->credentials,
        .region = trail->region,
        .bucket = bucket,
        .account = trail->account,
        .key = key,
    };
    int r;

    if (!engine->config->bucket_checks || (!k->recorded && !engine->once) || k->bucket_snapshot || !bucket ||
        !bucket[0])
        return;
    add_prefixes(trail, of, &request);
    add_owners(trail, &request);
    r = bucket_check_start(&request, bucket_seen, trail, &k->bucket_snapshot);
    if (r < 0)
        log_line(LOG_ERR, "%s: cannot look at its bucket %s: %s", trail->arn, bucket, strerror(-r));
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

/* There is no baseline yet, or a call for a part of it failed just now, and is not taken for unreadable yet.
 */
static bool is_wanted_soon(const Trail *trail) {
    static const Field fields[] = {
        [UNREADABLE_SELECTORS] = FIELD_SELECTORS,
        [UNREADABLE_INSIGHTS] = FIELD_INSIGHTS,
        [UNREADABLE_TAGS] = FIELD_TAGS,
        [UNREADABLE_CONFIGURATION] = FIELD_CONFIGURATION,
    };
    const SettingsTracking *k = &trail->tracking;
    unsigned unreachable_after = engine_account_policy(trail->via).unreachable_after;

    for (size_t u = 0; u < ARRAY_SIZE(fields); u++)
        if (unreadable_is_wanted_soon(k->baseline.values[fields[u]], k->n_unread[u], unreachable_after))
            return true;
    return !k->recorded;
}

void engine_check_settings(Target *target, const CloudTrailTrails *list, bool due) {
    for (size_t i = target->n_trails; i-- > 0;) {
        Trail *trail = target->trails[i];
        const CloudTrailTrail *listed = find_listed(list, trail->arn);

        engine_refresh_baseline(trail);
        if (listed && (due || is_wanted_soon(trail))) {
            poll_target(trail, listed);
            check_bucket(trail);
        } else if (!listed && trail->tracking.gone && (trail->state.findings & FINDING_BIT(FINDING_MISSING)))
            engine_forget_trail(trail, "it was accepted that it may be gone");
    }
    engine_begin_next_check(target);
}

unsigned engine_count_settings_calls(const Trail *trail) {
    const Settings *now = &trail->tracking.now;
    unsigned n = 2; /* GetEventSelectors, GetEventConfiguration */

    n += !engine_is_foreign(trail); /* ListTags */
    n += !text_equal(now->values[FIELD_INSIGHTS], "[]");
    return n;
}

unsigned engine_count_bucket_calls(const Trail *trail) {
    return trail->tracking.n_bucket_calls;
}

void engine_stop_tracking(Trail *trail) {
    SettingsTracking *k = &trail->tracking;

    trail->engine->n_beside -= (k->snapshot != NULL) + (k->bucket_snapshot != NULL);
    settings_check_cancel(k->snapshot);
    bucket_check_cancel(k->bucket_snapshot);
    attribute_cancel(k->search);
    k->snapshot = NULL;
    k->bucket_snapshot = NULL;
    k->search = NULL;
    trail->state.attributing.polling = false;
}

void engine_free_tracking(Trail *trail) {
    SettingsTracking *k = &trail->tracking;

    engine_stop_tracking(trail);
    settings_done(&k->baseline);
    settings_done(&k->keep);
    settings_done(&k->now);
    drift_done(&k->drift);
    drift_done(&k->changes);
    free(k->episode);
}
