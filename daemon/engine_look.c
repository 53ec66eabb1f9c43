/* SPDX-License-Identifier: Apache-2.0 */
/* Passes: who is looked at, and what becomes of the answers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine_private.h"
#include "daemon/log.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

void engine_end_pass(Engine *engine) {
    Now now = engine_now(engine);

    if (!engine->pass_open || engine->n_looking > 0)
        return;
    engine->pass_open = false;
    engine->n_passes++;
    engine->pass_ended_usec = now.real_usec;
    engine->pass_duration_usec = now.mono_usec - engine->pass_started_usec;
    engine_publish(engine);
}

/* ---- one look ---- */

/* An empty list where a trail was may be that trail's own trouble, which its home tells better: look once
 * more, then judge. */
static bool is_covered(Target *target, const CloudTrailTrails *list, bool *ret_in_doubt) {
    *ret_in_doubt = false;
    if (list->n > 0 || !target->configured) {
        target->doubt_cover = false;
        return true;
    }
    for (size_t i = 0; i < target->n_shown; i++)
        if (target->shown[i]->state.incident.open)
            return true;
    if (target->n_shown > 0 && !target->doubt_cover) {
        target->doubt_cover = true;
        *ret_in_doubt = true;
    }
    return false;
}

/* Those that came in while their home was being asked too: its own look ends here as well. */
static void look_at_new_trails(Target *target) {
    if (target->fresh)
        engine_look(target->engine, target);
    for (size_t i = 0; i < target->n_shown; i++)
        if (target->shown[i]->home && target->shown[i]->home->fresh)
            engine_look(target->engine, target->shown[i]->home);
}

static void pace(Target *target, bool settings) {
    Engine *engine = target->engine;
    Intervals intervals = engine_intervals(engine);
    uint64_t now_usec = engine_now(engine).mono_usec;
    TargetPace p = {
        .n_failed = target->state.n_failed,
        .throttled = target->state.error == LOOK_THROTTLED,
        .not_enabled = target->state.not_enabled,
        .n_trails = (unsigned)target->n_trails,
        .took_usec = now_usec - target->look_began_usec,
    };

    target->due_usec = now_usec + schedule_wait(&intervals, &p, loop_random(engine->aws.loop));
    if (settings && !target->doubt_cover)
        target->settings_due_usec = schedule_next_settings(&intervals, now_usec, p.n_trails);
    if (schedule_is_stretched(&intervals, p.n_trails) && !target->stretch_told) {
        const char *account = engine_account_named(target->account);

        target->stretch_told = true;
        log_line(LOG_NOTICE,
                 "%s%s%s: %u trails cannot all be looked at every %u s within AWS's quota; looking every "
                 "%llu s",
                 target->region, account[0] ? " " : "", account, p.n_trails,
                 engine->config->poll_interval_sec,
                 schedule_stretched_usec(&intervals, p.n_trails) / USEC_PER_SEC);
    }
}

/* ---- regions that are not enabled ---- */

static void forget_rejected(Target *target) {
    free(target->rejected);
    target->rejected = NULL;
}

static bool are_good_elsewhere(const Target *target) {
    const Account *account = target->account;

    for (size_t i = 0; i < account->n_targets; i++) {
        const Target *other = account->targets[i];

        if (other != target && other->state.ever_sighted && other->state.n_failed == 0 &&
            !other->state.not_enabled && other->looked_usec != 0)
            return true;
    }
    return false;
}

static bool is_looking_elsewhere(const Target *target) {
    const Account *account = target->account;

    for (size_t i = 0; i < account->n_targets; i++)
        if (account->targets[i] != target && account->targets[i]->watch)
            return true;
    return false;
}

/* "Unknown key" is how a region that the account has not enabled answers. It is that only where regions are
 * "all" and the same keys are good elsewhere; else the keys are bad, or a region was named that cannot be
 * guarded, and both must be told. While others have not answered it is neither. */
static bool is_unclear(Target *target, const WatchResult *result, TargetLook *look) {
    const Account *account = target->account;

    forget_rejected(target);
    if (!result->rejected || !config_account_regions(account->engine->config, account->config)->all)
        return false;
    look->not_enabled = are_good_elsewhere(target);
    if (look->not_enabled || !is_looking_elsewhere(target))
        return false;
    target->rejected = malloc(sizeof(*target->rejected));
    if (!target->rejected)
        return false;
    *target->rejected = *look;
    return true;
}

/* Those that are clear now that one more look of the account has ended. */
static void judge_rejected(Account *account) {
    for (size_t i = 0; i < account->n_targets; i++) {
        Target *target = account->targets[i];

        if (!target->rejected)
            continue;
        target->rejected->not_enabled = are_good_elsewhere(target);
        if (!target->rejected->not_enabled && is_looking_elsewhere(target))
            continue;
        engine_decide_target(target, target->rejected);
        forget_rejected(target);
        pace(target, false);
    }
}

/* ---- what a look has shown ---- */

static void take_observations(Target *target, const WatchResult *result) {
    for (size_t i = 0; i < result->n_seen && i < target->n_looking_at; i++)
        if (target->looking_at[i])
            engine_decide_trail(
                    target->looking_at[i],
                    &(TrailInput){ .kind = GUARD_LOOKED,
                                   .seen = engine_remember_seen(target->looking_at[i], &result->seen[i]) });
    target->n_looking_at = 0;
}

static void note_denials(const Target *target, const WatchResult *result) {
    Subject where = engine_target_subject(target);

    for (size_t i = 0; i < result->n_denials; i++)
        engine_note_denial(target->engine, &where, result->denials[i].action, result->denials[i].resource);
}

static void look_done(const WatchResult *result, void *userdata) {
    Target *target = userdata;
    Engine *engine = target->engine;
    TargetLook look = result->look;
    bool settings = result->trails && target->settings_asked, in_doubt;

    target->watch = NULL;
    engine->n_looking -= target->is_of_pass;
    note_denials(target, result);
    if (result->no_credentials) {
        target->n_looking_at = 0;
        engine_account_failed(target->account, &look);
        judge_rejected(target->account);
        engine_end_pass(engine);
        return;
    }
    if (look.sighted) {
        target->looked_usec = engine_now(engine).real_usec;
        engine->problem[0] = '\0';
    }
    if (result->trails)
        engine_take_list(engine, target, result->trails);
    take_observations(target, result);
    if (result->trails) {
        look.covered = is_covered(target, result->trails, &in_doubt);
        look.listed = !in_doubt;
    }
    if (!is_unclear(target, result, &look)) {
        engine_decide_target(target, &look);
        pace(target, settings);
    }
    judge_rejected(target->account);
    if (result->trails) {
        engine_check_named(target->account);
        engine_look_at_settings(target, result->trails, settings);
    }
    look_at_new_trails(target);
    engine_end_pass(engine);
}

/* Trails that are being acted on are read back by the action itself. */
static int collect_trails(Target *target, const char ***ret_arns, size_t *ret_n) {
    const char **arns = calloc(target->n_trails + 1, sizeof(*arns));
    Trail **trails = calloc(target->n_trails + 1, sizeof(*trails));
    size_t n = 0;

    if (!arns || !trails) {
        free(arns);
        free(trails);
        return -ENOMEM;
    }
    for (size_t i = 0; i < target->n_trails; i++)
        if (!target->trails[i]->act) {
            arns[n] = target->trails[i]->arn;
            trails[n++] = target->trails[i];
        }
    free(target->looking_at);
    target->looking_at = trails;
    target->n_looking_at = n;
    *ret_arns = arns;
    *ret_n = n;
    return 0;
}

void engine_look(Engine *engine, Target *target) {
    Intervals intervals = engine_intervals(engine);
    uint64_t now_usec = engine_now(engine).mono_usec;
    const char **arns = NULL;
    size_t n = 0;
    WatchRequest request = {
        .aws = engine->aws.client,
        .credentials = target->account->credentials,
        .region = target->region,
        .list = schedule_settings_are_due(&intervals, target->settings_due_usec, now_usec),
        .probe = target->state.n_failed >= intervals.blind_after,
    };
    int r;

    if (target->watch || !engine_account_is_open(target->account))
        return;
    target->fresh = false;
    target->settings_asked = request.list;
    r = collect_trails(target, &arns, &n);
    request.arns = arns;
    request.n_arns = n;
    if (r >= 0 && (n > 0 || (request.list && (target->configured || target->n_trails > 0))))
        r = watch_start(&request, look_done, target, &target->watch);
    free(arns);
    if (r < 0) {
        log_line(LOG_ERR, "%s %s: cannot look: %s", target->region, target->account->id, strerror(-r));
        return;
    }
    /* a pass does not wait for what is blind already: it could wait for ever */
    target->is_of_pass = target->watch && (!request.probe || engine->once);
    engine->n_looking += target->is_of_pass;
    target->look_began_usec = now_usec;
    target->look_by_usec = now_usec + 3 * aws_client_deadline_usec(engine->aws.client);
}

/* ---- passes ---- */

void engine_look_at_account(Account *account) {
    uint64_t now_usec = engine_now(account->engine).mono_usec;

    for (size_t i = 0; i < account->n_targets; i++)
        if (now_usec >= account->targets[i]->due_usec)
            engine_look(account->engine, account->targets[i]);
}

/* Whoever could not be asked before. The base credentials' account is looked at also while AWS does not say
 * which one it is. */
static void ask_again(Engine *engine, uint64_t now_usec) {
    Roster *roster = &engine->roster;

    if (engine->base->guarded && !engine->base->begun && engine_begin_account(engine->base) < 0)
        log_line(LOG_ERR, "account %s: cannot begin to guard it: out of memory",
                 engine_account_named(engine->base));
    for (size_t i = 0; i < engine->n_accounts; i++) {
        Account *account = engine->accounts[i];

        if (account->identity_again_usec != 0 && now_usec >= account->identity_again_usec)
            engine_ask_identity(account);
    }
    if (roster->settled && now_usec >= roster->due_usec && !engine->base->blocked)
        engine_list_accounts(engine);
}

static void pass(void *userdata) {
    Engine *engine = userdata;
    Intervals intervals = engine_intervals(engine);
    uint64_t now_usec = engine_now(engine).mono_usec;

    engine->pass_timer = NULL;
    engine->passes_begun = true;
    engine->pass_due_usec = schedule_next_pass(&intervals, now_usec, loop_random(engine->aws.loop));
    if (!engine->once)
        (void)loop_after(engine->aws.loop, engine->pass_due_usec - now_usec, pass, engine,
                         &engine->pass_timer);

    if (!engine->pass_open) {
        engine->pass_open = true;
        engine->pass_started_usec = now_usec;
    }
    ask_again(engine, now_usec);
    for (size_t i = 0; i < engine->n_targets; i++)
        if (now_usec >= engine->targets[i]->due_usec)
            engine_look(engine, engine->targets[i]);
    engine_end_pass(engine);
}

void engine_kick_pass(Engine *engine) {
    loop_cancel(engine->aws.loop, engine->pass_timer);
    engine->pass_timer = NULL;
    engine->pass_due_usec = engine_now(engine).mono_usec;
    (void)loop_after(engine->aws.loop, 0, pass, engine, &engine->pass_timer);
}

void engine_start_passes(Engine *engine, uint64_t delay_usec) {
    engine->pass_due_usec = engine_now(engine).mono_usec + delay_usec;
    (void)loop_after(engine->aws.loop, delay_usec, pass, engine, &engine->pass_timer);
}

void engine_stop_look(Target *target) {
    target->engine->n_looking -= target->watch && target->is_of_pass;
    watch_cancel(target->watch);
    target->watch = NULL;
    forget_rejected(target);
    target->n_looking_at = 0;
}

void engine_stop_looks(Engine *engine) {
    loop_cancel(engine->aws.loop, engine->pass_timer);
    engine->pass_timer = NULL;
    for (size_t i = 0; i < engine->n_targets; i++)
        engine_stop_look(engine->targets[i]);
    for (size_t i = 0; i < engine->n_trails; i++)
        engine_stop_keeping(engine->trails[i]);
    engine->pass_open = false;
}
