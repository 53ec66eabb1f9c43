/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's tables: which targets there are, and which trails are guarded. */
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/enum_names.h"
#include "daemon/core/scope.h"
#include "daemon/engine_private.h"
#include "daemon/log.h"
#include "lib/arn.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* Of what AWS lets us do with the trail of another account. */
#define REFUSAL_HOLDS_USEC (24 * 3600 * USEC_PER_SEC)

/* Takes an item out of an array of pointers; whether it was there. */
#define REMOVE(array, n, item)                                                                              \
    ({                                                                                                      \
        size_t _i = 0;                                                                                      \
        bool _found;                                                                                        \
                                                                                                            \
        while (_i < (n) && (array)[_i] != (item))                                                           \
            _i++;                                                                                           \
        _found = _i < (n);                                                                                  \
        if (_found)                                                                                         \
            memmove(&(array)[_i], &(array)[_i + 1], (--(n)-_i) * sizeof(*(array)));                         \
        _found;                                                                                             \
    })

/* ---- targets ---- */

Target *engine_target(Account *account, const char *region, bool configured) {
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
    (void)text_copy(target->region, sizeof(target->region), region);
    target->state.sight.event = target->state.cover.event = target->state.list.event = _EVENT_MAX;
    if (!ENGINE_APPEND(engine->targets, engine->n_targets, target)) {
        free(target);
        return NULL;
    }
    if (!ENGINE_APPEND(account->targets, account->n_targets, target)) {
        engine->n_targets--;
        free(target);
        return NULL;
    }
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

static void free_target(Target *target) {
    engine_stop_poll(target);
    loop_cancel(target->engine->aws.loop, target->wake);
    free(target->trails);
    free(target->shown);
    free(target);
}

Subject engine_target_subject(const Target *target) {
    return (Subject){
        .name = "", .arn = "", .account = engine_account_named(target->account), .region = target->region
    };
}

/* ---- trails ---- */

Subject engine_trail_subject(const Trail *trail) {
    return (Subject){
        .name = trail->name, .arn = trail->arn, .account = trail->account, .region = trail->region
    };
}

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

    if (engine_is_ignored(account->engine, name, arn))
        return false;
    return trails->all || list_has(trails, name, arn);
}

static void free_trail(Trail *trail) {
    remediate_cancel(trail->remediation);
    engine_free_tracking(trail);
    loop_cancel(trail->engine->aws.loop, trail->wake);
    free(trail->name);
    free(trail->arn);
    free(trail->account);
    free(trail);
}

/* Whether an organization trail is ours is known only once we know who we are; until AWS has said so (or
 * could not be asked) it is not written to. One that is another account's may be written to by CloudTrail's
 * delegated administrator too: whether we are that AWS says when it is asked to do something. */
void engine_set_facts(Trail *trail) {
    const Account *via = trail->via;
    uint64_t now_usec = engine_now(trail->engine).mono_usec;
    bool ours = !trail->organization || (via->id[0] ? text_equal(via->id, trail->account) : via->settled);

    trail->facts.writable = ours;
    trail->facts.may_ask = 0;
    for (unsigned a = 0; !ours && via->id[0] && a < _ACTION_MAX; a++)
        if ((ACTIONS_ALL & ACTION_BIT(a)) && now_usec >= trail->refused_until_usec[a])
            trail->facts.may_ask |= ACTION_BIT(a);
}

/* That these are not the keys for it, and not that something about the request is wrong. */
static bool is_refusal(const char *code) {
    static const char *const codes[] = {
        "AccessDenied",
        "AccessDeniedException",
        "NotOrganizationManagementAccountException",
        "NotOrganizationMasterAccountException",
        "TrailNotFoundException",
        "OperationNotPermittedException",
        "UnsupportedOperationException",
    };

    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (text_equal(codes[i], code))
            return true;
    return false;
}

void engine_note_permission(Trail *trail, const Outcome *outcome) {
    if (!engine_is_foreign(trail))
        return;
    if (outcome->result == RESULT_CONFIRMED)
        trail->foreign_accepted = true;
    else if (outcome->result == RESULT_FAILED && !trail->foreign_accepted &&
             is_refusal(outcome->error_code)) {
        trail->refused_until_usec[outcome->action] =
                engine_now(trail->engine).mono_usec + REFUSAL_HOLDS_USEC;
        if (!trail->engine->once)
            log_line(LOG_NOTICE,
                     "%s %s %s: AWS does not let account %s %s this organization trail: not asked again for "
                     "a day",
                     trail->name, trail->region, trail->account, trail->via->id,
                     action_to_string(outcome->action));
    }
}

static void forget_refusals(Trail *trail) {
    trail->foreign_accepted = false;
    memset(trail->refused_until_usec, 0, sizeof(trail->refused_until_usec));
}

void engine_forget_refusals(Account *account) {
    for (size_t i = 0; i < account->engine->n_trails; i++)
        if (account->engine->trails[i]->via == account)
            forget_refusals(account->engine->trails[i]);
}

/* The account that polls a trail of this owner which `seen_by` has seen: the owner, if it can be polled now.
 */
static Account *best_via(Account *seen_by, const char *owner) {
    Account *account = engine_account_by_id(seen_by->engine, owner);

    return account && engine_account_is_open(account) ? account : seen_by;
}

/* Where it lives, and through whom it is polled. */
static int settle_in(Trail *trail, Account *via) {
    Target *home = engine_target(via, trail->region, false);

    if (!home || !ENGINE_APPEND(home->trails, home->n_trails, trail))
        return -ENOMEM;
    trail->home = home;
    trail->via = via;
    forget_refusals(trail);
    home->fresh = true;
    engine_set_facts(trail);
    return 0;
}

static void move_out(Trail *trail) {
    Target *home = trail->home;

    if (!home)
        return;
    (void)REMOVE(home->trails, home->n_trails, trail);
    engine_leave_polls(home, trail);
    trail->home = NULL;
    engine_begin_next_check(home); /* others may have waited for its */
}

Trail *engine_add_trail(Account *seen_by, const char *name, const char *arn, const char *owner,
                        const char *region) {
    Engine *engine = seen_by->engine;
    Trail *trail = calloc(1, sizeof(*trail));
    const void *indexed = NULL;

    if (!trail)
        return NULL;
    trail->engine = engine;
    trail->via = seen_by;
    trail->name = strdup(name);
    trail->arn = strdup(arn);
    trail->account = strdup(owner);
    (void)text_copy(trail->region, sizeof(trail->region), region);
    trail->state = trail->told = guard_trail_init();
    if (!trail->name || !trail->arn || !trail->account)
        goto fail;
    if (arn[0]) {
        indexed = tsearch(trail, &engine->trail_index, compare_arns);
        if (!indexed || settle_in(trail, best_via(seen_by, owner)) < 0)
            goto fail;
    }
    engine_set_facts(trail);
    if (!ENGINE_APPEND(engine->trails, engine->n_trails, trail))
        goto fail;
    return trail;

fail:
    if (indexed)
        (void)tdelete(trail, &engine->trail_index, compare_arns);
    move_out(trail);
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
        trail->n_covers -= REMOVE(engine->targets[i]->shown, engine->targets[i]->n_shown, trail);
    if (trail->arn[0])
        (void)tdelete(trail, &engine->trail_index, compare_arns);
    move_out(trail);
}

void engine_drop_trail(Engine *engine, Trail *trail) {
    unlink_trail(trail);
    (void)REMOVE(engine->trails, engine->n_trails, trail);
    free_trail(trail);
}

void engine_update_facts(Account *account) {
    for (size_t i = 0; i < account->n_targets; i++)
        for (size_t k = 0; k < account->targets[i]->n_trails; k++) {
            Trail *trail = account->targets[i]->trails[k];
            bool was = trail->facts.writable;

            engine_set_facts(trail);
            if (was != trail->facts.writable && trail->state.known)
                engine_decide_trail(trail, &(TrailInput){ .kind = GUARD_TIME });
        }
}

static void change_viewer(Trail *trail, Account *account) {
    engine_stop_tracking(trail); /* goes by the other account's credentials */
    move_out(trail);
    if (!engine_is_guarded(account, trail->name, trail->arn))
        engine_forget_trail(trail, ENGINE_NOT_NAMED);
    else if (settle_in(trail, account) < 0)
        engine_drop_trail(trail->engine, trail);
}

void engine_adopt_trails(Account *account) {
    Engine *engine = account->engine;

    for (size_t i = engine->n_trails; account->id[0] && engine_account_is_open(account) && i-- > 0;) {
        Trail *trail = engine->trails[i];

        if (trail->home && !trail->remediation && trail->via != account &&
            text_equal(trail->account, account->id))
            change_viewer(trail, account);
    }
}

/* ---- organization trails, which several accounts can see ---- */

static Viewer viewer_of(const Account *account, const Trail *trail) {
    Viewer viewer = {
        .open = engine_account_is_open(account),
        .guards = engine_is_guarded(account, trail->name, trail->arn),
        .owner = text_equal(trail->account, account->id),
        .base = account == trail->engine->base,
    };

    for (size_t i = 0; i < account->n_targets; i++)
        if (text_equal(account->targets[i]->region, trail->region))
            viewer.n_home_failed = account->targets[i]->state.n_failed;
    return viewer;
}

static bool has_shown(const Target *target, const Trail *trail) {
    for (size_t i = 0; i < target->n_shown; i++)
        if (target->shown[i] == trail)
            return true;
    return false;
}

static void find_viewer(Trail *trail) {
    Engine *engine = trail->engine;
    Viewer via = viewer_of(trail->via, trail);

    if (!trail->organization || trail->remediation || !trail->home ||
        !viewer_is_lost(&via, engine_intervals(engine).unreachable_after))
        return;
    for (size_t i = 0; i < engine->n_targets; i++) {
        Target *target = engine->targets[i];
        Account *account = target->account;
        Viewer other;

        if (account == trail->via || !has_shown(target, trail))
            continue;
        other = viewer_of(account, trail);
        other.n_failed = target->state.n_failed;
        if (!viewer_can_take_over(&other))
            continue;
        log_line(LOG_NOTICE,
                 "%s %s %s: polled through account %s from now on: through %s it cannot be polled",
                 trail->name, trail->region, trail->account, engine_account_named(account),
                 engine_account_named(trail->via));
        change_viewer(trail, account);
        return;
    }
}

void engine_find_viewers(Account *account) {
    Engine *engine = account->engine;

    for (size_t i = engine->n_trails; i-- > 0;)
        if (engine->trails[i]->via == account)
            find_viewer(engine->trails[i]);
}

/* A list has shown the trail: the owner's own is the best way to poll it, any other better than none. */
static void take_viewer(Trail *trail, Target *target) {
    Account *account = target->account;
    Viewer other;

    if (trail->via == account || !trail->home || trail->remediation)
        return;
    other = viewer_of(account, trail);
    if (viewer_is_better(&other, engine_is_foreign(trail)))
        change_viewer(trail, account);
    else
        find_viewer(trail);
}

void engine_unguard(Account *account) {
    Engine *engine = account->engine;

    account->guarded = false;
    for (size_t i = engine->n_trails; i-- > 0;)
        if (engine->trails[i]->via == account)
            engine_forget_trail(engine->trails[i], ENGINE_ACCOUNT_GONE);
    for (size_t i = 0; i < account->n_targets; i++) {
        Target *target = account->targets[i];

        engine_stop_poll(target);
        for (size_t k = 0; k < target->n_shown; k++)
            target->shown[k]->n_covers--;
        (void)REMOVE(engine->targets, engine->n_targets, target);
        free_target(target);
    }
    account->n_targets = 0;
}

/* ---- what a list says ---- */

static void set_covers(Trail *trail, Target *target) {
    for (size_t i = 0; i < target->n_shown; i++)
        if (target->shown[i] == trail)
            return;
    /* without memory only region.uncovered is softer */
    trail->n_covers += ENGINE_APPEND(target->shown, target->n_shown, trail);
}

static void note_ignored(Engine *engine, const char *arn) {
    char *copy;

    for (size_t i = 0; i < engine->n_ignored; i++)
        if (text_equal(engine->ignored[i], arn))
            return;
    copy = strdup(arn);
    if (copy && !ENGINE_APPEND(engine->ignored, engine->n_ignored, copy))
        free(copy);
}

/* Named trails that were never found have no home; there are few. */
static Trail *placeholder(const Account *account, const char *name) {
    const Engine *engine = account->engine;

    for (size_t i = 0; i < engine->n_trails; i++)
        if (!engine->trails[i]->arn[0] && engine->trails[i]->via == account &&
            text_equal(engine->trails[i]->name, name))
            return engine->trails[i];
    return NULL;
}

void engine_forget_trail(Trail *trail, const char *why) {
    engine_decide_trail(trail, &(TrailInput){ .kind = GUARD_FORGOTTEN, .why = why });
    engine_remove_intent(trail);
    engine_drop_trail(trail->engine, trail);
}

/* A named trail that was waited for has been found: its stand-in has done its work. */
static void dismiss_placeholder(Account *account, const char *name) {
    Trail *trail = config_account_trails(account->engine->config, account->config)->all
                           ? NULL
                           : placeholder(account, name);

    if (!trail)
        return;
    engine_decide_trail(trail, &(TrailInput){ .kind = GUARD_LISTED });
    engine_drop_trail(account->engine, trail);
}

static Trail *take_new_trail(const Target *target, const CloudTrailTrail *listed) {
    Trail *trail;

    /* our own target is here only for other trails' sake */
    if (!target->configured && !listed->multi_region && !listed->organization)
        return NULL;
    trail = engine_add_trail_by_arn(target->account, listed->arn);
    if (!trail)
        return NULL;
    engine_claim_row(trail);
    if (!trail->home->configured)
        log_line(LOG_NOTICE, "%s covers %s but lives in %s, which is not configured: guarding it there",
                 trail->name, target->region, trail->region);
    return trail;
}

/* Whose lists say whether it is guarded: the account that would look at it. */
static Account *judge_of(const Trail *trail, Target *target, const char *arn_text) {
    Arn arn;

    if (trail)
        return trail->via;
    return arn_parse(arn_text, &arn) < 0 ? target->account : best_via(target->account, arn.account);
}

/* What was guarded stays guarded: one UpdateTrail by whoever is about to stop it, or a region taken out of
 * the configuration, ends nothing. */
static void note_uncovering(const Trail *trail, const Target *target, const CloudTrailTrail *listed) {
    bool covers = target->configured || listed->multi_region || listed->organization;
    bool is_news = trail->n_covers == 0 || trail->multi_region || trail->organization;

    if (trail->home == target && !covers && is_news)
        log_line(LOG_NOTICE,
                 "%s %s %s: covers no configured region any more: it stays guarded; `ignore` in the "
                 "configuration "
                 "ends that",
                 trail->name, trail->region, trail->account);
}

static void take_listed(Engine *engine, Target *target, const CloudTrailTrail *listed) {
    Trail *trail = engine_trail_by_arn(engine, listed->arn);
    bool is_new = !trail;

    if (!engine_is_guarded(judge_of(trail, target, listed->arn), listed->name, listed->arn)) {
        note_ignored(engine, listed->arn);
        return;
    }
    if (!trail)
        trail = take_new_trail(target, listed);
    if (!trail)
        return;
    note_uncovering(trail, target, listed);
    trail->organization = listed->organization;
    trail->multi_region = listed->multi_region;
    trail->facts.validation = listed->validation;
    engine_set_facts(trail);
    if (is_new)
        dismiss_placeholder(target->account, listed->name);
    set_covers(trail, target);
}

void engine_take_list(Engine *engine, Target *target, const CloudTrailTrails *list) {
    for (size_t i = 0; i < list->n; i++)
        take_listed(engine, target, &list->items[i]);
    target->listed = true;
}

void engine_take_viewers(Target *target, const CloudTrailTrails *list) {
    for (size_t i = 0; i < list->n; i++) {
        Trail *trail = engine_trail_by_arn(target->engine, list->items[i].arn);

        if (trail && has_shown(target, trail))
            take_viewer(trail, target);
    }
}

/* ---- named trails ---- */

/* One that lives in the account, or that its lists show. */
static bool has_trail_named(const Account *account, const char *name) {
    for (size_t i = 0; i < account->n_targets; i++) {
        const Target *target = account->targets[i];

        for (size_t k = 0; k < target->n_trails; k++)
            if (text_equal(target->trails[k]->name, name))
                return true;
        for (size_t k = 0; k < target->n_shown; k++)
            if (text_equal(target->shown[k]->name, name))
                return true;
    }
    return false;
}

/* Was it accepted that a trail of that name may be gone, wherever it was? */
static bool may_be_gone(const Account *account, const char *name) {
    bool gone = false;

    for (size_t i = 0; !gone && i < account->n_targets; i++)
        gone = engine_may_be_gone(account->targets[i], name);
    return gone;
}

/* Once every configured target has been listed, a name that no trail has is a trail that is missing. */
void engine_check_named(Account *account) {
    const StringList *trails = config_account_trails(account->engine->config, account->config);

    if (trails->all)
        return;
    for (size_t i = 0; i < account->n_targets; i++)
        if (account->targets[i]->configured && !account->targets[i]->listed &&
            !account->targets[i]->state.not_enabled)
            return;
    for (size_t i = 0; i < trails->n; i++) {
        const char *name = trails->items[i];
        Trail *found;

        if (text_starts_with(name, "arn:") || has_trail_named(account, name))
            continue;
        found = placeholder(account, name);
        if (!found && !may_be_gone(account, name))
            found = engine_add_trail(account, name, "", engine_account_named(account), "");
        if (found)
            engine_decide_trail(found, &(TrailInput){ .kind = GUARD_NOT_LISTED });
    }
}

void engine_free_tables(Engine *engine) {
    for (size_t i = 0; i < engine->n_trails; i++) {
        if (engine->trails[i]->arn[0])
            (void)tdelete(engine->trails[i], &engine->trail_index, compare_arns);
        free_trail(engine->trails[i]);
    }
    for (size_t i = 0; i < engine->n_targets; i++)
        free_target(engine->targets[i]);
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
    engine->ignored = NULL;
    engine->n_trails = engine->n_targets = engine->n_ignored = engine->n_polling = engine->n_beside = 0;
    state_table_done(&engine->unclaimed);
}
