/* SPDX-License-Identifier: Apache-2.0 */
/* The tables: lookups, and changes that need no decision. */
#include "daemon/tables.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/contain.h"
#include "daemon/core/enum_names.h"
#include "daemon/core/settings.h"
#include "daemon/core/settings_kept.h"
#include "daemon/log.h"
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
    return (Subject){ .name = "", .arn = "", .account = account->id, .region = "" };
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

/* Until AWS has said which account the base credentials belong to, the one of the last time is assumed. ""
 * at the very first time, and in files of a version that had only one account. */
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
    const StringList *exclude = &engine->config->organization.exclude;

    for (size_t i = 0; i < exclude->n; i++)
        if (text_equal(exclude->items[i], id))
            return true;
    return false;
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

static Target *engine_target(Account *account, const char *region, bool configured) {
    Engine *engine = account->engine;
    Target *target;

    for (size_t i = 0; i < account->n_targets; i++)
        if (text_equal(account->targets[i]->region, region)) {
            account->targets[i]->configured |= configured;
            return account->targets[i];
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

/* "all" is every region we know of the partition that the credentials belong to. */
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

/* ---- polls and checks under way ---- */

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

/* No poll under way knows the trail any more. */
static void engine_leave_polls(const Target *target, const Trail *trail) {
    for (TargetPoll *poll = target->polls; poll; poll = poll->next)
        for (size_t i = 0; i < poll->n_trails; i++)
            if (poll->trails[i] == trail)
                poll->trails[i] = NULL;
}

void engine_forget_rejected(Target *target) {
    free(target->rejected);
    target->rejected = NULL;
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

/* ---- trails ---- */

Subject engine_trail_subject(const Trail *trail) {
    return (Subject){
        .name = trail->name, .arn = trail->arn, .account = trail->account, .region = trail->region
    };
}

/* There are ten thousand of each. What is rarely needed is kept elsewhere, and only while it is. */
_Static_assert(sizeof(Target) <= 248, "a target with which nothing is wrong is small");
_Static_assert(sizeof(Trail) <= 456, "a trail with which nothing is wrong is small");

static int compare_arns(const void *a, const void *b) {
    const Trail *x = a, *y = b;

    return strcmp(x->arn, y->arn);
}

Trail *engine_trail_by_arn(Engine *engine, const char *arn) {
    Trail key = { .arn = (char *)arn };
    void *found = tfind(&key, &engine->trail_index, compare_arns);

    return found ? *(Trail **)found : NULL;
}

static bool list_has(const StringList *list, const char *name, const char *arn) {
    for (size_t i = 0; i < list->n; i++)
        if (text_equal(list->items[i], name) || text_equal(list->items[i], arn))
            return true;
    return false;
}

bool engine_is_ignored(const Engine *engine, const char *name, const char *arn) {
    return list_has(&engine->config->ignore, name, arn);
}

bool engine_is_guarded(const Account *account, const char *name, const char *arn) {
    const StringList *trails = config_account_trails(account->engine->config, account->config);

    if (engine_is_ignored(account->engine, name, arn) || engine_arn_is_elsewhere(account->engine, arn))
        return false;
    return trails->all || list_has(trails, name, arn);
}

bool engine_is_missing(const Trail *trail) {
    return TRAIL_STATE(trail, findings) & FINDING_BIT(FINDING_MISSING);
}

TrailState engine_reported(const Trail *trail) {
    return trail->held ? *trail->held : states_trail(trail->state);
}

bool engine_is_contested(const Trail *trail) {
    const TrailState state = states_trail(trail->state);

    return guard_is_contested(&state, engine_now(trail->engine));
}

bool engine_is_named(const Trail *trail) {
    const Config *config = trail->engine->config;

    if (!config_account_trails(config, trail->via->config)->all)
        return true;
    for (size_t i = 0; i < config->n_trail_expects; i++)
        if (text_equal(config->trail_expects[i].trail, trail->name) ||
            text_equal(config->trail_expects[i].trail, trail->arn))
            return true;
    return false;
}

static TrailHolder holder_of(const Trail *trail) {
    const Account *via = trail->via;

    return (TrailHolder){
        .organization = trail->organization,
        .known = via->id[0],
        .asked = via->identity_asked,
        .owner = text_equal(via->id, trail->account),
    };
}

bool engine_is_foreign(const Trail *trail) {
    const TrailHolder holder = holder_of(trail);

    return holder_is_foreign(&holder);
}

/* One that is another account's may be written to by CloudTrail's delegated administrator too: whether we
 * are that AWS says when it is asked to do something. */
void engine_set_facts(Trail *trail) {
    const Permission permission = states_permission(trail->permission);
    const TrailHolder holder = holder_of(trail);

    trail->facts.writable = holder_may_write(&holder);
    trail->facts.named = engine_is_named(trail);
    trail->facts.never_found = !trail->arn[0];
    trail->facts.may_ask = 0;
    if (holder_is_foreign(&holder))
        trail->facts.may_ask = permission_to_ask(&permission, engine_now(trail->engine).mono_usec);
}

static void forget_permission(Trail *trail) {
    sparse_free(trail->permission);
    trail->permission = NULL;
}

void engine_forget_refusals(Account *account) {
    for (size_t i = 0; i < account->engine->n_trails; i++)
        if (account->engine->trails[i]->via == account)
            forget_permission(account->engine->trails[i]);
}

static void free_tracking(Trail *trail) {
    SettingsTracking *k = &trail->tracking;

    engine_stop_tracking(trail);
    (void)settings_keep(&k->baseline, &settings_none);
    (void)settings_keep(&k->desired, &settings_none);
    (void)settings_keep(&k->actual, &settings_none);
    shared_text_drop(k->bucket_region);
    shared_text_drop(k->unasked_bucket);
    shared_text_drop(k->key_store);
    shared_text_drop(k->bucket_owner);
    shared_text_drop(k->whose);
    (void)drift_keep(&k->drift, &(Drift){ 0 });
    (void)drift_keep(&k->changes, &(Drift){ 0 });
    free(k->errors);
    free(k->episode);
}

static void free_trail(Trail *trail) {
    remediate_cancel(trail->remediation);
    free_tracking(trail);
    loop_cancel(trail->engine->aws.loop, trail->wake);
    shared_text_drop(trail->name);
    free(trail->arn);
    shared_text_drop(trail->account);
    shared_text_drop(trail->region);
    free(trail->held);
    forget_permission(trail);
    sparse_free(trail->state);
    free(trail);
}

Account *engine_best_via(Account *seen_by, const char *owner) {
    Account *account = engine_account_by_id(seen_by->engine, owner);

    return account && engine_account_is_open(account) ? account : seen_by;
}

int engine_attach_trail(Trail *trail, Account *via) {
    Target *home = engine_target(via, trail->region, false);

    if (!home || !ARRAY_APPEND(home->trails, home->n_trails, trail))
        return -ENOMEM;
    trail->home = home;
    trail->via = via;
    forget_permission(trail);
    home->fresh = true;
    engine_set_facts(trail);
    return 0;
}

void engine_detach_trail(Trail *trail) {
    Target *home = trail->home;

    if (!home)
        return;
    (void)ARRAY_REMOVE(home->trails, home->n_trails, trail);
    engine_leave_polls(home, trail);
    trail->home = NULL;
    home->check_is_due = true; /* others may have waited for its */
    engine_due(home->engine, DUE_CHECKS);
}

Trail *engine_add_trail(Account *seen_by, const char *name, const char *arn, const char *owner,
                        const char *region) {
    Engine *engine = seen_by->engine;
    Trail *trail = calloc(1, sizeof(*trail));
    const TrailState state = guard_trail_init();
    const void *indexed = NULL;

    if (!trail)
        return NULL;
    trail->engine = engine;
    trail->via = seen_by;
    trail->tracking.baseline = trail->tracking.desired = trail->tracking.actual =
            trail->tracking.listed = &settings_none;
    trail->name = shared_text(name);
    trail->arn = strdup(arn);
    trail->account = shared_text(owner);
    trail->region = shared_text(region);
    if (states_keep_trail(&trail->state, &state) < 0 || !trail->name || !trail->arn || !trail->account ||
        !trail->region)
        goto fail;
    if (arn[0]) {
        indexed = tsearch(trail, &engine->trail_index, compare_arns);
        if (!indexed || engine_attach_trail(trail, engine_best_via(seen_by, owner)) < 0)
            goto fail;
    }
    engine_set_facts(trail);
    if (!ARRAY_APPEND(engine->trails, engine->n_trails, trail))
        goto fail;
    return trail;

fail:
    if (indexed)
        (void)tdelete(trail, &engine->trail_index, compare_arns);
    engine_detach_trail(trail);
    free_trail(trail);
    return NULL;
}

/* A trail by its ARN, guarded from now on. */
Trail *engine_add_trail_by_arn(Account *seen_by, const char *text) {
    Arn arn;

    if (arn_parse(text, &arn) < 0 || !arn_is_trail(&arn))
        return NULL;
    return engine_add_trail(seen_by, arn_name(&arn), text, arn.account, arn.region);
}

static void unlink_trail(Trail *trail) {
    Engine *engine = trail->engine;

    for (size_t i = 0; i < engine->n_targets && trail->n_covers > 0; i++)
        trail->n_covers -= ARRAY_REMOVE(engine->targets[i]->shown, engine->targets[i]->n_shown, trail);
    if (trail->arn[0])
        (void)tdelete(trail, &engine->trail_index, compare_arns);
    engine_detach_trail(trail);
}

void engine_drop_trail(Engine *engine, Trail *trail) {
    unlink_trail(trail);
    (void)ARRAY_REMOVE(engine->trails, engine->n_trails, trail);
    free_trail(trail);
}

void engine_free_tables(Engine *engine) {
    for (size_t i = 0; i < engine->n_trails; i++) {
        if (engine->trails[i]->arn[0])
            (void)tdelete(engine->trails[i], &engine->trail_index, compare_arns);
        free_trail(engine->trails[i]);
    }
    for (size_t i = 0; i < engine->n_targets; i++)
        free_target(engine->targets[i]);
    for (size_t i = 0; i < engine->n_check_queues; i++)
        free(engine->check_queues[i]);
    free(TAKE_PTR(engine->check_queues));
    engine->n_check_queues = 0;
    for (size_t i = 0; i < engine->n_ignored; i++)
        free(engine->ignored[i]);
    free(engine->trails);
    free(engine->targets);
    free(engine->ignored);
    free(engine->denials);
    engine->denials = NULL;
    engine->n_denials = 0;
    engine->trails = NULL;
    engine->targets = NULL;
    free(engine->turns);
    free(engine->causes);
    contain_history_done(&engine->contain);
    for (size_t i = 0; i < engine->guard.n_records; i++)
        guard_parts_done(&engine->guard.records[i].parts);
    free(engine->guard.records);
    engine->guard = (GuardWatch){ 0 };
    engine->causes = NULL;
    engine->n_causes = 0;
    engine->turns = NULL;
    engine->n_turns = engine->turn = engine->n_pass_turns = 0;
    engine->ignored = NULL;
    engine->n_trails = engine->n_targets = engine->n_ignored = engine->n_polling = engine->n_beside = 0;
    engine->n_starts = engine->n_polls = 0;
    state_table_done(&engine->unclaimed);
}
