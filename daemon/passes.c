/* SPDX-License-Identifier: Apache-2.0 */
/* Passes: how long each waits, what ends it, and when a target is polled again. */
#include "daemon/passes.h"

#include "daemon/engine_debug.h"
#include "daemon/engine_private.h"
#include "daemon/log.h"
#include "lib/util/macros.h"
#include "lib/util/shared_text.h"

/* An account that cannot be polled as a whole has no targets, or none that answers. */
static PassCount count_targets(const Engine *engine) {
    PassCount count = { 0 };

    for (size_t i = 0; i < engine->n_targets; i++) {
        const Target *target = engine->targets[i];
        bool unreachable = TARGET_STATE(target, unreachable);
        bool account_unreachable = TARGET_STATE(target->account, unreachable);
        const PassTarget row = {
            .not_enabled = TARGET_STATE(target, not_enabled),
            .unreachable = unreachable || account_unreachable,
            .polled = target->polled_usec != 0,
            .n_failed = TARGET_STATE(target, n_failed),
        };

        schedule_count_target(&count, &row);
    }
    return count;
}

static void send_heartbeat(const Status *status, void *userdata) {
    Engine *engine = userdata;
    PassCount count = count_targets(engine);
    char line[STATUS_LINE_MAX];

    heartbeat_pass(engine->heartbeat, schedule_pass_result(&count), report_status_line(status, line));
}

/* A pass ends when every target had its turn and the polls that began in these turns have ended. If answers
 * take longer than the interval, some later poll is always in progress, and waiting for it, too, could take
 * for ever. */
bool engine_open_pass(Engine *engine) {
    if (engine->pass_open)
        return false;
    engine->pass_open = true;
    engine->pass_longest_usec = 0;
    return true;
}

void engine_end_pass(Engine *engine) {
    Now now = engine_now(engine);

    if (!engine->pass_open || engine->n_polling > 0 || engine->n_pass_turns > 0)
        return;
    engine->pass_open = false;
    engine->n_passes++;
    engine->pass_ended_usec = now.real_usec;
    engine->pass_duration_usec = engine->pass_longest_usec;
    metrics_observe(engine->metrics, METRICS_PASS_TIME, NULL, engine->pass_duration_usec);
    if (engine->n_passes == 1)
        engine_publish(engine);
    else
        engine_publish_calmly(engine);
    if (heartbeat_is_due(engine->heartbeat))
        engine_with_status(engine, send_heartbeat, engine);
}

/* The pass no longer waits for it. */
void engine_leave_pass(TargetPoll *poll) {
    Engine *engine = poll->target->engine;

    if (!poll->is_of_pass)
        return;
    poll->is_of_pass = false;
    engine->n_polling--;
    engine->pass_longest_usec =
            MAX(engine->pass_longest_usec, engine_now(engine).mono_usec - poll->began_usec);
}

static void log_stretched(Target *target, const Intervals *intervals, unsigned n_trails) {
    const char *account = engine_account_named(target->account);
    unsigned poll_sec = target->engine->config->poll_interval_sec;
    uint64_t every_usec = schedule_interval_usec(intervals, n_trails);
    StretchNews news = schedule_stretch_news(intervals, n_trails, target->stretched_usec);

    if (news == STRETCH_IS_KNOWN)
        return;
    if (news == STRETCH_IS_NEWS)
        log_line(
                LOG_NOTICE,
                "%s%s%s: %u trails cannot all be polled every %u s within AWS's quota; polling every %llu s",
                target->region, account[0] ? " " : "", account, n_trails, poll_sec,
                (unsigned long long)(every_usec / USEC_PER_SEC));
    else
        log_line(LOG_NOTICE, "%s%s%s: polling every %u s again, within AWS's quota: %u trail%s",
                 target->region, account[0] ? " " : "", account, poll_sec, n_trails,
                 n_trails == 1 ? "" : "s");
    target->stretched_usec = news == STRETCH_IS_NEWS ? every_usec : 0;
}

/* began_usec: of the poll that has ended, mono. */
void engine_pace(Target *target, uint64_t began_usec, ListOutcome list) {
    Engine *engine = target->engine;
    Intervals intervals = engine_intervals(engine);
    uint64_t now_usec = engine_now(engine).mono_usec;
    TargetPace p = {
        .n_failed = TARGET_STATE(target, n_failed),
        .throttled = TARGET_STATE(target, error) == POLL_THROTTLED,
        .not_enabled = TARGET_STATE(target, not_enabled),
        .n_rejected = target->rejections.n,
        .proven = scope_is_proven_off(shared_text_or_empty(target->region_status)),
        .n_trails = engine_count_polled(target),
        .took_usec = now_usec - began_usec,
    };
    const ListPace list_pace = {
        .outcome = list,
        .suspect = target->cover_is_suspect,
        .reported = TARGET_STATE(target, list_unreadable),
        .n_trails = target->n_trails,
        .has_phase = target->has_phase,
        .phase = target->phase,
        .due_usec = target->settings_due_usec,
    };
    uint64_t wait_usec;

    wait_usec = schedule_wait(&intervals, &p, loop_random(engine->aws.loop));
    engine_debug_target_waits(target, &p, wait_usec);
    target->due_usec = now_usec + wait_usec;
    target->settings_due_usec = schedule_list_due(&intervals, &list_pace, now_usec);
    log_stretched(target, &intervals, p.n_trails);
}
