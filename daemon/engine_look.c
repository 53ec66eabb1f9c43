/* SPDX-License-Identifier: Apache-2.0 */
/* Passes: who is looked at, and what becomes of the answers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine_private.h"
#include "daemon/log.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

static unsigned count_trails(const Target *target) {
    unsigned n = 0;

    for (size_t i = 0; i < target->engine->n_trails; i++)
        n += target->engine->trails[i]->home == target;
    return n;
}

static bool is_looking(const Engine *engine) {
    for (size_t i = 0; i < engine->n_targets; i++)
        if (engine->targets[i]->watch)
            return true;
    return false;
}

void engine_end_pass(Engine *engine) {
    Now now = engine_now(engine);

    if (!engine->pass_open || is_looking(engine) || engine->n_looking > 0)
        return;
    engine->pass_open = false;
    engine->n_passes++;
    engine->pass_ended_usec = now.real_usec;
    engine->pass_duration_usec = now.mono_usec - engine->pass_started_usec;
    engine_publish(engine);
}

/* ---- one look ---- */

/* "Unknown key" is how a region that the account has not enabled answers. It is that only where regions are
 * "all" and the same keys are good elsewhere; else the keys are bad, or a region was named that cannot be
 * guarded, and both must be told. */
static bool is_not_enabled(const Target *target, const WatchResult *result) {
    const Engine *engine = target->engine;

    if (!result->rejected || !engine->config->regions.all)
        return false;
    for (size_t i = 0; i < engine->n_targets; i++)
        if (engine->targets[i] != target && engine->targets[i]->state.ever_sighted &&
            engine->targets[i]->state.n_failed == 0 && !engine->targets[i]->state.not_enabled &&
            engine->targets[i]->looked_usec != 0)
            return true;
    return false;
}

/* An empty list where a trail was may be that trail's own trouble, which its home tells better: look once
 * more, then judge. */
static bool is_covered(Target *target, const CloudTrailTrails *list, bool *ret_in_doubt) {
    const Engine *engine = target->engine;
    bool had_trail = false;

    *ret_in_doubt = false;
    if (list->n > 0 || !target->configured) {
        target->doubt_cover = false;
        return true;
    }
    for (size_t i = 0; i < engine->n_trails; i++)
        for (size_t k = 0; k < engine->trails[i]->n_covers; k++)
            if (engine->trails[i]->covers[k] == target) {
                had_trail = true;
                if (engine->trails[i]->state.incident.open)
                    return true;
            }
    if (had_trail && !target->doubt_cover) {
        target->doubt_cover = true;
        *ret_in_doubt = true;
    }
    return false;
}

/* The home of a trail that came in may be busy with a list of its own, so every look that ends asks. */
static void look_at_new_trails(Engine *engine) {
    for (size_t i = 0; i < engine->n_trails; i++) {
        Trail *trail = engine->trails[i];

        if (trail->home && !trail->home->watch && !trail->state.known && trail->state.n_failed == 0 &&
            trail->state.findings == 0)
            engine_look(engine, trail->home);
    }
}

static void pace(Target *target, bool list_ok) {
    Engine *engine = target->engine;
    Intervals intervals = engine_intervals(engine);
    uint64_t now_usec = engine_now(engine).mono_usec;
    TargetPace p = {
        .n_failed = target->state.n_failed,
        .throttled = target->state.error == LOOK_THROTTLED,
        .not_enabled = target->state.not_enabled,
        .n_trails = count_trails(target),
        .took_usec = now_usec - target->look_began_usec,
    };

    target->due_usec = now_usec + schedule_wait(&intervals, &p, loop_random(engine->aws.loop));
    if (list_ok && !target->doubt_cover)
        target->settings_due_usec = schedule_next_settings(&intervals, now_usec, p.n_trails);
    if (schedule_is_stretched(&intervals, p.n_trails) && !target->stretch_told) {
        target->stretch_told = true;
        log_line(LOG_NOTICE,
                 "%s: %u trails cannot all be looked at every %u s within AWS's quota; looking every %llu s",
                 target->region, p.n_trails, engine->config->poll_interval_sec,
                 schedule_stretched_usec(&intervals, p.n_trails) / USEC_PER_SEC);
    }
}

static void take_observations(Target *target, const WatchResult *result) {
    for (size_t i = 0; i < result->n_seen && i < target->n_looking_at; i++)
        if (target->looking_at[i])
            engine_decide_trail(
                    target->looking_at[i],
                    &(TrailInput){ .kind = GUARD_LOOKED,
                                   .seen = engine_remember_seen(target->looking_at[i], &result->seen[i]) });
    target->n_looking_at = 0;
}

static void look_done(const WatchResult *result, void *userdata) {
    Target *target = userdata;
    Engine *engine = target->engine;
    TargetLook look = result->look;
    bool in_doubt;

    target->watch = NULL;
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
    look.not_enabled = is_not_enabled(target, result);
    engine_decide_target(target, &look);
    pace(target, result->trails != NULL);
    if (result->trails) {
        engine_check_named(engine);
        engine_look_at_settings(target, result->trails);
    }
    if (look.sighted)
        look_at_new_trails(engine);
    engine_end_pass(engine);
}

/* Trails that are being acted on are read back by the action itself. */
static int collect_trails(Target *target, const char ***ret_arns, size_t *ret_n) {
    Engine *engine = target->engine;
    const char **arns = calloc(engine->n_trails + 1, sizeof(*arns));
    Trail **trails = calloc(engine->n_trails + 1, sizeof(*trails));
    size_t n = 0;

    if (!arns || !trails) {
        free(arns);
        free(trails);
        return -ENOMEM;
    }
    for (size_t i = 0; i < engine->n_trails; i++)
        if (engine->trails[i]->home == target && !engine->trails[i]->act) {
            arns[n] = engine->trails[i]->arn;
            trails[n++] = engine->trails[i];
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
        .credentials = engine->aws.credentials,
        .region = target->region,
        .list = schedule_settings_are_due(&intervals, target->settings_due_usec, now_usec),
        .probe = target->state.n_failed >= intervals.blind_after,
    };
    int r;

    if (target->watch)
        return;
    r = collect_trails(target, &arns, &n);
    request.arns = arns;
    request.n_arns = n;
    if (r >= 0 && (n > 0 || (request.list && (target->configured || count_trails(target) > 0))))
        r = watch_start(&request, look_done, target, &target->watch);
    free(arns);
    if (r < 0) {
        log_line(LOG_ERR, "%s: cannot look: %s", target->region, strerror(-r));
        return;
    }
    target->look_began_usec = now_usec;
    target->look_by_usec = now_usec + 3 * aws_client_deadline_usec(engine->aws.client);
}

/* ---- passes ---- */

static void pass(void *userdata) {
    Engine *engine = userdata;
    Intervals intervals = engine_intervals(engine);
    uint64_t now_usec = engine_now(engine).mono_usec;

    engine->pass_timer = NULL;
    engine->pass_due_usec = schedule_next_pass(&intervals, now_usec, loop_random(engine->aws.loop));
    if (!engine->once)
        (void)loop_after(engine->aws.loop, engine->pass_due_usec - now_usec, pass, engine,
                         &engine->pass_timer);

    if (!engine->pass_open) {
        engine->pass_open = true;
        engine->pass_started_usec = now_usec;
    }
    if (engine->identity_again_usec != 0 && now_usec >= engine->identity_again_usec)
        engine_ask_identity(engine);
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

void engine_stop_looks(Engine *engine) {
    loop_cancel(engine->aws.loop, engine->pass_timer);
    engine->pass_timer = NULL;
    for (size_t i = 0; i < engine->n_targets; i++) {
        watch_cancel(engine->targets[i]->watch);
        engine->targets[i]->watch = NULL;
    }
    for (size_t i = 0; i < engine->n_trails; i++)
        engine_stop_keeping(engine->trails[i]);
    engine->pass_open = false;
}
