/* SPDX-License-Identifier: Apache-2.0 */
/* The table of trails: lookups, and changes that need no decision. */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/settings.h"
#include "daemon/core/settings_kept.h"
#include "daemon/tables.h"
#include "lib/arn.h"
#include "lib/util/macros.h"
#include "lib/util/shared_text.h"
#include "lib/util/text.h"

Subject engine_trail_subject(const Trail *trail) {
    return (Subject){
        .name = trail->name, .arn = trail->arn, .account = trail->account, .region = trail->region
    };
}

/* There are ten thousand of each. Rarely needed data is stored elsewhere, and only while it is needed. */
_Static_assert(sizeof(Target) <= 248, "a target with which nothing is wrong is small");
_Static_assert(sizeof(Trail) <= 464, "a trail with which nothing is wrong is small");

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
    return config_list_has(list, name) || config_list_has(list, arn);
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

uint64_t engine_hash_names(const Account *account) {
    const StringList *trails = config_account_trails(account->engine->config, account->config);
    uint64_t hash = GUARD_HASH_BASIS;

    for (size_t i = 0; i < trails->n; i++)
        hash = guard_hash(hash, trails->items[i], strlen(trails->items[i]) + 1);
    hash &= INT64_MAX; /* the state file has signed numbers */
    return hash ? hash : 1;
}

static bool is_named_by_arn(const Trail *trail) {
    const Config *config = trail->engine->config;
    const StringList *trails = config_account_trails(config, trail->via->config);

    for (size_t i = 0; i < trails->n; i++)
        if (text_equal(trails->items[i], trail->arn))
            return true;
    for (size_t i = 0; i < config->n_trail_expects; i++)
        if (text_equal(config->trail_expects[i].trail, trail->arn))
            return true;
    return false;
}

static bool is_namesake(const Trail *trail, const char *name, const char *arn, const char *account,
                        bool provisional) {
    return !provisional && arn[0] && text_equal(name, trail->name) && text_equal(account, trail->account) &&
           !text_equal(arn, trail->arn);
}

bool engine_has_namesake(const Trail *trail) {
    const Engine *engine = trail->engine;
    bool found = false;

    for (size_t i = 0; !found && i < engine->n_trails; i++) {
        const Trail *t = engine->trails[i];

        found = is_namesake(trail, t->name, t->arn, t->account, TRAIL_STATE(t, provisional));
    }
    for (size_t i = 0; !found && i < engine->unclaimed.n_trails; i++) {
        const StateTrail *row = &engine->unclaimed.trails[i];

        found = is_namesake(trail, row->name, row->arn, row->account, row->state.provisional);
    }
    return found && !is_named_by_arn(trail);
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

/* CloudTrail's delegated administrator may write to another account's organization trail. The only way to
 * find out is to try. */
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

void engine_forget_refusals(Account *account) {
    for (size_t i = 0; i < account->engine->n_trails; i++)
        if (account->engine->trails[i]->via == account)
            sparse_free(TAKE_PTR(account->engine->trails[i]->permission));
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
    free(trail->owed);
    sparse_free(TAKE_PTR(trail->permission));
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
    sparse_free(TAKE_PTR(trail->permission));
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
    home->check_is_due = true; /* other checks may have waited for its own */
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

/* Adds a trail by its ARN; it is guarded from now on. */
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

void engine_free_trails(Engine *engine) {
    for (size_t i = 0; i < engine->n_trails; i++) {
        if (engine->trails[i]->arn[0])
            (void)tdelete(engine->trails[i], &engine->trail_index, compare_arns);
        free_trail(engine->trails[i]);
    }
    free(TAKE_PTR(engine->trails));
    engine->n_trails = 0;
}
