/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of accounts and targets: lookups, and changes that need no decision. */
#include "daemon/tables.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/contain.h"
#include "daemon/core/settings_kept.h"
#include "lib/arn.h"
#include "lib/util/macros.h"
#include "lib/util/shared_text.h"
#include "lib/util/text.h"

Now engine_now(const Engine *engine) {
    return (Now){
        .real_usec = loop_realtime_usec(engine->aws.loop),
        .mono_usec = loop_monotonic_usec(engine->aws.loop),
    };
}

Intervals engine_intervals(const Engine *engine) {
    return (Intervals){
        .poll_usec = engine->config->poll_interval_sec * USEC_PER_SEC,
        .settings_usec = engine->config->settings_interval_sec * USEC_PER_SEC,
        .unreachable_after = engine_policy(engine).unreachable_after,
    };
}

Policy engine_policy(const Engine *engine) {
    Policy policy = config_policy(engine->config);

    policy.mode = MIN(policy.mode, engine->mode_max);
    return policy;
}

void engine_due(Engine *engine, unsigned what) {
    engine->due |= what;
    if (engine->due_source)
        (void)sd_event_source_set_enabled(engine->due_source, SD_EVENT_ONESHOT);
}

/* ---- accounts ---- */

Subject engine_account_subject(const Account *account) {
    return (Subject){ .name = "", .arn = "", .account = engine_account_named(account), .region = "" };
}

Policy engine_account_policy(const Account *account) {
    Policy policy = config_account_policy(account->engine->config, account->config);

    policy.mode = MIN(policy.mode, account->left ? MODE_OBSERVE : account->engine->mode_max);
    return policy;
}

AccountScope engine_account_scope(const Account *account) {
    return (AccountScope){
        .guarded = account->guarded,
        .by_role = account->role_arn,
        .identity_asked = account->identity_asked,
        .identity_known = account->identity[0],
        .blocked = account->blocked,
        .left = account->left,
    };
}

bool engine_account_is_open(const Account *account) {
    const AccountScope scope = engine_account_scope(account);

    return scope_is_open(&scope);
}

bool engine_identities_are_known(const Engine *engine) {
    for (size_t i = 0; i < engine->n_accounts; i++)
        if (!engine->accounts[i]->identity_asked)
            return false;
    return !engine->config->organization.role_name || engine->account_list.tried;
}

static int tables_compare_ids(const void *a, const void *b) {
    const Account *x = a, *y = b;

    return strcmp(x->id, y->id);
}

Account *engine_account_by_id(const Engine *engine, const char *id) {
    Account key = { 0 };
    void *found;

    if (!id[0] || !text_copy(key.id, sizeof(key.id), id))
        return NULL;
    found = tfind(&key, (void *const *)&engine->account_index, tables_compare_ids);
    return found ? *(Account **)found : NULL;
}

int engine_index_account(Account *account) {
    void *found = tsearch(account, &account->engine->account_index, tables_compare_ids);

    if (!found)
        return -ENOMEM;
    return *(Account **)found == account ? 0 : -EEXIST;
}

void engine_unindex_account(Account *account) {
    if (account->id[0])
        (void)tdelete(account, &account->engine->account_index, tables_compare_ids);
}

/* Until AWS reports the id of the base credentials' account, the last known one is assumed. "" at the very
 * first start, and for files of versions that had only one account. */
const char *engine_account_named(const Account *account) {
    const StateTable *unclaimed = &account->engine->unclaimed;

    if (account->id[0] || account->role_arn)
        return account->id;
    for (size_t i = 0; i < unclaimed->n_accounts; i++)
        if (unclaimed->accounts[i].base)
            return unclaimed->accounts[i].account;
    return "";
}

bool engine_is_excluded(const Engine *engine, const char *id) {
    return config_list_has(&engine->config->organization.exclude, id);
}

bool engine_is_elsewhere(const Engine *engine, const char *id) {
    return id[0] && !shard_has(&engine->config->shard, id);
}

bool engine_arn_is_elsewhere(const Engine *engine, const char *text) {
    Arn arn;

    return engine->config->shard.total > 0 && arn_parse(text, &arn) >= 0 &&
           engine_is_elsewhere(engine, arn.account);
}

Account *engine_management(const Engine *engine) {
    const char *id = engine->account_list.management;
    Account *account;

    if (!id[0])
        return NULL;
    if (text_equal(engine->base->id, id))
        return engine->base;
    account = engine_account_by_id(engine, id);
    return account && engine_account_is_open(account) ? account : NULL;
}

/* ---- targets ---- */

static CheckQueue *check_queue(Engine *engine, const char *region) {
    CheckQueue *queue;

    for (size_t i = 0; i < engine->n_check_queues; i++)
        if (text_equal(engine->check_queues[i]->region, region))
            return engine->check_queues[i];
    queue = calloc(1, sizeof(*queue));
    if (!queue)
        return NULL;
    (void)text_copy(queue->region, sizeof(queue->region), region);
    if (!ARRAY_APPEND(engine->check_queues, engine->n_check_queues, queue)) {
        free(queue);
        return NULL;
    }
    return queue;
}

void engine_queue_check(Target *target) {
    CheckQueue *queue = target->checks;

    if (target->check_queued)
        return;
    target->check_queued = true;
    target->check_next = NULL;
    *(queue->last ? &queue->last->check_next : &queue->first) = target;
    queue->last = target;
}

void engine_unqueue_check(Target *target) {
    CheckQueue *queue = target->checks;
    Target **at = &queue->first, *before = NULL;

    if (!target->check_queued)
        return;
    while (*at != target) {
        before = *at;
        at = &(*at)->check_next;
    }
    *at = target->check_next;
    if (queue->last == target)
        queue->last = before;
    target->check_queued = false;
}

static Target *free_new(Target *target) {
    sparse_free(target->state);
    free(target);
    return NULL;
}

Target *engine_target_at(const Account *account, const char *region) {
    for (size_t i = 0; i < account->n_targets; i++)
        if (text_equal(account->targets[i]->region, region))
            return account->targets[i];
    return NULL;
}

Target *engine_target(Account *account, const char *region, bool configured) {
    Engine *engine = account->engine;
    Target *target = engine_target_at(account, region);

    if (target) {
        target->configured |= configured;
        return target;
    }
    target = calloc(1, sizeof(*target));
    if (!target)
        return NULL;
    target->engine = engine;
    target->account = account;
    target->configured = configured;
    target->checks = check_queue(engine, region);
    if (!target->checks || states_new_target(&target->state) < 0 ||
        !ARRAY_APPEND(engine->targets, engine->n_targets, target))
        return free_new(target);
    target->region = target->checks->region;
    if (!ARRAY_APPEND(account->targets, account->n_targets, target)) {
        engine->n_targets--;
        return free_new(target);
    }
    engine->turns_are_stale = true;
    return target;
}

/* "all" is every known region of the credentials' partition. */
int engine_add_configured_targets(Account *account) {
    const StringList *regions = config_account_regions(account->engine->config, account->config);
    const Partition *partition;

    for (size_t i = 0; i < account->n_targets; i++)
        account->targets[i]->configured = false;
    if (!regions->all) {
        for (size_t i = 0; i < regions->n; i++)
            if (!engine_target(account, regions->items[i], true))
                return -ENOMEM;
        return 0;
    }
    partition = account->partition[0] ? endpoint_partition_by_id(account->partition) : NULL;
    if (!partition)
        partition = endpoint_partition_of(account->engine->aws.region);
    for (const char *const *region = partition->regions; *region; region++)
        if (!engine_target(account, *region, true))
            return -ENOMEM;
    return 0;
}

TrailCounts engine_count_there(const Target *target) {
    TrailCounts n = { 0 };

    for (size_t i = 0; i < target->n_trails; i++) {
        const Trail *trail = target->trails[i];

        if (!engine_is_missing(trail))
            ++*(TRAIL_STATE(trail, provisional) ? &n.provisional : &n.others);
    }
    return n;
}

unsigned engine_count_polled(const Target *target) {
    Intervals intervals = engine_intervals(target->engine);
    TrailCounts n = engine_count_there(target);

    return n.others + schedule_provisional(&intervals, n.others, n.provisional);
}

/* ---- polls and checks in progress ---- */

void engine_free_poll(TargetPoll *poll) {
    TargetPoll **p = &poll->target->polls;

    while (*p && *p != poll)
        p = &(*p)->next;
    if (*p) {
        *p = poll->next;
        poll->target->engine->n_polls--;
    }
    free(poll->trails);
    free(poll);
}

void engine_leave_polls(const Target *target, const Trail *trail) {
    for (TargetPoll *poll = target->polls; poll; poll = poll->next)
        for (size_t i = 0; i < poll->n_trails; i++)
            if (poll->trails[i] == trail)
                poll->trails[i] = NULL;
}

void engine_forget_rejected(Target *target) {
    free(TAKE_PTR(target->rejected));
}

void engine_end_region_call(Target *target) {
    target->region_call = NULL;
    target->engine->n_polling -= target->region_is_of_pass;
    target->region_is_of_pass = false;
}

static void stop_region(Target *target) {
    if (!target->region_call)
        return;
    operation_cancel(target->region_call);
    engine_end_region_call(target);
}

bool engine_end_start(Target *target) {
    bool is_of_pass = target->start_is_of_pass;

    target->engine->n_starts -= target->start_waits;
    target->engine->n_polling -= is_of_pass;
    target->start_waits = target->start_is_of_pass = false;
    return is_of_pass;
}

void engine_stop_poll(Target *target) {
    (void)engine_end_start(target);
    while (target->polls) {
        target->engine->n_polling -= target->polls->is_of_pass;
        poll_cancel(target->polls->poll);
        engine_free_poll(target->polls);
    }
    stop_region(target);
    engine_forget_rejected(target);
}

void engine_check_ended(Trail *trail) {
    SettingsTracking *k = &trail->tracking;

    if (!k->check_runs)
        return;
    k->check_runs->n_running--;
    k->check_runs = NULL;
}

bool engine_is_checked(const Trail *trail) {
    return trail->tracking.check_waits || trail->tracking.snapshot;
}

void engine_end_wait(Trail *trail) {
    trail->engine->n_beside -= trail->tracking.check_waits;
    trail->tracking.check_waits = false;
    (void)settings_keep(&trail->tracking.listed, &settings_none);
}

void engine_stop_tracking(Trail *trail) {
    SettingsTracking *k = &trail->tracking;

    engine_end_wait(trail);
    trail->engine->n_beside -= (k->snapshot != NULL) + (k->bucket_snapshot != NULL);
    if (k->check_runs && trail->home) {
        trail->home->check_is_due = true; /* others may have waited for it */
        engine_due(trail->engine, DUE_CHECKS);
    }
    engine_check_ended(trail);
    settings_check_cancel(k->snapshot);
    bucket_check_cancel(k->bucket_snapshot);
    attribute_cancel(k->search);
    k->snapshot = NULL;
    k->bucket_snapshot = NULL;
    k->search = NULL;
    trail->search_is_due = false;
    SET_TRAIL_STATE(trail, attributing.searching, false);
}

static void free_target(Target *target) {
    engine_stop_poll(target);
    engine_unqueue_check(target);
    loop_cancel(target->engine->aws.loop, target->wake);
    free(target->trails);
    free(target->shown);
    shared_text_drop(target->region_status);
    sparse_free(target->state);
    free(target);
}

Subject engine_target_subject(const Target *target) {
    return (Subject){
        .name = "", .arn = "", .account = engine_account_named(target->account), .region = target->region
    };
}

void engine_drop_targets(Account *account) {
    Engine *engine = account->engine;

    for (size_t i = 0; i < account->n_targets; i++) {
        Target *target = account->targets[i];

        for (size_t k = 0; k < target->n_shown; k++)
            target->shown[k]->n_covers--;
        (void)ARRAY_REMOVE(engine->targets, engine->n_targets, target);
        free_target(target);
        engine->turns_are_stale = true;
    }
    account->n_targets = 0;
}

bool engine_has_target(const Engine *engine, const StateTarget *row) {
    for (size_t i = 0; i < engine->n_targets; i++)
        if (text_equal(engine->targets[i]->region, row->region) &&
            text_equal(engine_account_named(engine->targets[i]->account), row->account))
            return true;
    return false;
}

/* ---- freeing ---- */

void engine_free_tables(Engine *engine) {
    for (size_t i = 0; i < engine->n_targets; i++)
        free_target(engine->targets[i]);
    for (size_t i = 0; i < engine->n_check_queues; i++)
        free(engine->check_queues[i]);
    for (size_t i = 0; i < engine->n_ignored; i++)
        free(engine->ignored[i]);
    for (size_t i = 0; i < engine->guard.n_records; i++)
        guard_parts_done(&engine->guard.records[i].parts);
    free(TAKE_PTR(engine->targets));
    free(TAKE_PTR(engine->check_queues));
    free(TAKE_PTR(engine->ignored));
    free(TAKE_PTR(engine->denials));
    free(TAKE_PTR(engine->turns));
    free(TAKE_PTR(engine->causes));
    free(engine->guard.records);
    engine->guard = (GuardWatch){ 0 };
    engine->n_targets = engine->n_check_queues = engine->n_ignored = 0;
    engine->n_denials = engine->n_causes = 0;
    engine->n_turns = engine->turn = engine->n_pass_turns = 0;
    engine->n_polling = engine->n_beside = engine->n_starts = engine->n_polls = 0;
    contain_history_done(&engine->contain);
    state_table_done(&engine->unclaimed);
}
