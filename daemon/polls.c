/* SPDX-License-Identifier: Apache-2.0 */
/* Passes: who is polled, and what becomes of the answers. */
#include "daemon/polls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/accounts.h"
#include "daemon/apply_plan.h"
#include "daemon/checks.h"
#include "daemon/engine_debug.h"
#include "daemon/engine_private.h"
#include "daemon/log.h"
#include "daemon/resume.h"
#include "daemon/trails.h"
#include "lib/endpoint.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* An account that cannot be polled as a whole has no targets, or none that answers. */
static PassCount count_targets(const Engine *engine) {
    PassCount count = { 0 };

    for (size_t i = 0; i < engine->n_targets; i++) {
        const Target *target = engine->targets[i];

        if (target->state.not_enabled)
            continue;
        count.n_targets++;
        if (target->state.unreachable || target->account->state.unreachable)
            count.n_unreachable++;
        else if (target->polled_usec != 0 && target->state.n_failed == 0)
            count.n_answered++;
    }
    return count;
}

static void send_heartbeat(const Status *status, void *userdata) {
    Engine *engine = userdata;
    PassCount count = count_targets(engine);
    char line[STATUS_LINE_MAX];

    heartbeat_pass(engine->heartbeat, schedule_pass_result(&count), report_status_line(status, line));
}

static void end_pass(Engine *engine) {
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

/* A pass does not wait for it any more. */
static void leave_pass(TargetPoll *poll) {
    Engine *engine = poll->target->engine;

    if (!poll->is_of_pass)
        return;
    poll->is_of_pass = false;
    engine->n_polling--;
    engine->pass_longest_usec =
            MAX(engine->pass_longest_usec, engine_now(engine).mono_usec - poll->began_usec);
}

static void begin_poll(Engine *engine, Target *target, bool of_pass);
static void extra_poll_done(const PollAnswer *answer, void *userdata);
static void judge_rejected(Account *account);

/* ---- whose status is asked for ---- */

static PollRank rank_of(const Trail *trail) {
    return (PollRank){
        .provisional = trail->state.provisional,
        .named = trail->facts.named,
        .first_seen_usec = trail->state.first_seen_usec,
    };
}

static int compare_trails(const void *a, const void *b) {
    const Trail *x = *(Trail *const *)a, *y = *(Trail *const *)b;
    const PollRank left = rank_of(x), right = rank_of(y);
    int order = schedule_compare_ranks(&left, &right);

    return order ? order : strcmp(x->arn, y->arn);
}

/* ---- what a poll means for the target ---- */

static Cover cover_of(Target *target, const CloudTrailTrails *list) {
    uint64_t now_usec = engine_now(target->engine).mono_usec;
    CoverInput in = {
        .n_listed = list->n,
        .configured = target->configured,
        .n_shown = target->n_shown,
        .suspect = target->cover_is_suspect,
        .shown_elsewhere = target->shown_elsewhere,
    };
    Cover cover;

    target->empty_usec = list->n > 0 ? 0 : target->empty_usec > 0 ? target->empty_usec : now_usec;
    in.empty_usec = list->n > 0 ? 0 : now_usec - target->empty_usec;
    for (size_t i = 0; i < target->n_shown; i++)
        in.shown_have_trouble |= target->shown[i]->state.incident.open;
    cover = scope_cover(&in);
    if (list->n > 0 || !target->configured || cover == COVER_SUSPECT)
        target->cover_is_suspect = cover == COVER_SUSPECT;
    return cover;
}

/* Of its usual polls under way. */
static const TargetPoll *latest_poll(const Target *target) {
    const TargetPoll *poll = target->polls;

    while (poll && poll->is_extra)
        poll = poll->next;
    return poll;
}

/* Those that came in while their home was being asked too: its own poll ends here as well. And whose turn
 * has come meanwhile. */
static void poll_new_trails(Target *target) {
    bool waits = target->turn_waits && !latest_poll(target);

    if (waits)
        target->turn_waits = false;
    if (target->fresh || (waits && engine_now(target->engine).mono_usec >= target->due_usec))
        begin_poll(target->engine, target, target->fresh);
    for (size_t i = 0; i < target->n_shown; i++)
        if (target->shown[i]->home && target->shown[i]->home->fresh)
            begin_poll(target->engine, target->shown[i]->home, true);
}

/* Trails come one by one: only what makes a difference to people is said again. */
static void log_stretched(Target *target, const Intervals *intervals) {
    const char *account = engine_account_named(target->account);
    unsigned n_trails = engine_count_polled(target), poll_sec = target->engine->config->poll_interval_sec;
    uint64_t every_usec = schedule_interval_usec(intervals, n_trails), said_usec = target->stretched_usec;
    bool stretched = schedule_is_stretched(intervals, n_trails);

    if (stretched && (said_usec == 0 || schedule_differs_much(said_usec, every_usec)))
        log_line(
                LOG_NOTICE,
                "%s%s%s: %u trails cannot all be polled every %u s within AWS's quota; polling every %llu s",
                target->region, account[0] ? " " : "", account, n_trails, poll_sec,
                (unsigned long long)(every_usec / USEC_PER_SEC));
    else if (!stretched && said_usec != 0)
        log_line(LOG_NOTICE, "%s%s%s: polling every %u s again, within AWS's quota: %u trail%s",
                 target->region, account[0] ? " " : "", account, poll_sec, n_trails,
                 n_trails == 1 ? "" : "s");
    else
        return;
    target->stretched_usec = stretched ? every_usec : 0;
}

/* began_usec: of the poll that has ended, mono. */
static void pace(Target *target, uint64_t began_usec, bool settings) {
    Engine *engine = target->engine;
    Intervals intervals = engine_intervals(engine);
    uint64_t now_usec = engine_now(engine).mono_usec;
    TargetPace p = {
        .n_failed = target->state.n_failed,
        .throttled = target->state.error == POLL_THROTTLED,
        .not_enabled = target->state.not_enabled,
        .n_rejected = target->rejections.n,
        .proven = scope_is_proven_off(target->region_status),
        .n_trails = engine_count_polled(target),
        .took_usec = now_usec - began_usec,
    };
    unsigned n_trails = (unsigned)target->n_trails;
    uint64_t wait_usec;

    wait_usec = schedule_wait(&intervals, &p, loop_random(engine->aws.loop));
    engine_debug_target_waits(target, &p, wait_usec);
    target->due_usec = now_usec + wait_usec;
    /* a list that fails is asked for at every poll until that is reported */
    if ((settings && !target->cover_is_suspect) || target->state.list_unreadable)
        target->settings_due_usec =
                target->settings_due_usec == 0 && target->has_phase
                        ? schedule_second_settings(&intervals, now_usec, n_trails, target->phase)
                        : schedule_next_settings(&intervals, now_usec, n_trails);
    log_stretched(target, &intervals);
}

/* ---- regions that are not enabled ---- */

static bool are_good_elsewhere(const Target *target) {
    const Account *account = target->account;

    for (size_t i = 0; i < account->n_targets; i++) {
        const Target *other = account->targets[i];

        if (other != target && scope_keys_are_good(&other->state, other->polled_usec != 0))
            return true;
    }
    return false;
}

static bool is_polling_elsewhere(const Target *target) {
    const Account *account = target->account;

    for (size_t i = 0; i < account->n_targets; i++)
        if (account->targets[i] != target && account->targets[i]->polls)
            return true;
    return false;
}

/* How long an answer, or that there was none, serves; and how long a denial does, for the account. */
#define ANSWER_USEC (300 * USEC_PER_SEC)
#define DENIED_USEC (3600 * USEC_PER_SEC)

static void note_denied(Account *account, const AwsError *error) {
    account->region_denied_until_usec = engine_now(account->engine).mono_usec + DENIED_USEC;
    if (account->region_denial_reported)
        return;
    account->region_denial_reported = true;
    log_line(LOG_INFO,
             "account %s: whether a region is enabled is judged by its answers over time, because AWS does "
             "not say: GetRegionOptStatus: %s: %s",
             engine_account_named(account), error->code, error->message);
}

/* Without an answer the last one stays. */
static void answered(const AwsError *error, const char *status, void *userdata) {
    Target *target = userdata;

    engine_end_region_call(target);
    if (status)
        (void)text_copy(target->region_status, sizeof(target->region_status), status);
    else if (error->class == AWS_DENIED)
        note_denied(target->account, error);
    judge_rejected(target->account);
    engine_check_named(target->account);
    end_pass(target->engine);
}

static bool ask_region(Target *target) {
    Engine *engine = target->engine;
    uint64_t now_usec = engine_now(engine).mono_usec;

    if (target->region_call)
        return true;
    if (now_usec < target->account->region_denied_until_usec ||
        (target->region_asked_usec != 0 && now_usec < target->region_asked_usec + ANSWER_USEC))
        return false;
    target->region_asked_usec = now_usec;
    if (account_get_region_status(
                &(AwsCaller){ engine->aws.client, target->account->credentials, target->region },
                target->region, answered, target, &target->region_call) < 0)
        return false;
    /* as with polls: a pass does not wait for what is reported already */
    target->region_is_of_pass =
            engine->once || target->state.n_failed < engine_intervals(engine).unreachable_after;
    engine->n_polling += target->region_is_of_pass;
    return true;
}

static void forget_region(Target *target) {
    target->region_status[0] = '\0';
    target->region_asked_usec = 0;
}

static Rejection rejection_of(Target *target) {
    const Account *account = target->account;
    Rejection rejection = {
        .named = !config_account_regions(account->engine->config, account->config)->all,
        .good_elsewhere = are_good_elsewhere(target),
        .opt_in = endpoint_region_is_opt_in(target->region),
        .has_trails = target->n_trails > 0,
        .ever_reachable = target->state.ever_reachable,
        .lasts_usec = engine_now(target->engine).mono_usec - target->rejections.since_usec,
        .status = target->region_status,
        .waits = account->engine->once,
        .polls_elsewhere = is_polling_elsewhere(target),
    };

    rejection.asking = scope_wants_status(&rejection) && ask_region(target);
    return rejection;
}

/* AWS's word stands beside the refusal, for that alone could mean anything. */
static void add_status(const Rejection *rejection, PollResult *result) {
    const char *meaning = scope_region_meaning(rejection->status);
    size_t n = strlen(result->error_text);

    if (meaning && !result->not_enabled)
        (void)snprintf(result->error_text + n, sizeof(result->error_text) - n, " (GetRegionOptStatus: %s)",
                       meaning);
}

/* True when the result says what it is. */
static bool is_clear(Target *target, PollResult *result) {
    Rejection rejection = rejection_of(target);
    RejectionMeaning meaning = scope_judge_rejection(&rejection);

    result->not_enabled = meaning == REJECTION_NOT_ENABLED;
    if (meaning == REJECTION_UNCLEAR)
        return false;
    add_status(&rejection, result);
    return true;
}

static bool is_unclear(Target *target, const PollAnswer *answer, PollResult *result) {
    engine_forget_rejected(target);
    scope_count_rejection(&target->rejections, answer->rejected, engine_now(target->engine).mono_usec);
    if (result->reachable)
        forget_region(target);
    if (!answer->rejected || is_clear(target, result))
        return false;
    target->rejected = malloc(sizeof(*target->rejected));
    if (!target->rejected)
        return false;
    *target->rejected = *result;
    return true;
}

static void judge_rejected(Account *account) {
    for (size_t i = 0; i < account->n_targets; i++) {
        Target *target = account->targets[i];

        if (!target->rejected || !is_clear(target, target->rejected))
            continue;
        engine_decide_target(target, target->rejected);
        engine_forget_rejected(target);
        pace(target, engine_now(account->engine).mono_usec, false);
    }
}

/* ---- polls under way ---- */

static bool is_asked(const Target *target, const Trail *trail) {
    for (const TargetPoll *poll = target->polls; poll; poll = poll->next)
        for (size_t i = 0; i < poll->n_trails; i++)
            if (poll->trails[i] == trail)
                return true;
    return false;
}

static bool is_list_asked(const Target *target) {
    for (const TargetPoll *poll = target->polls; poll; poll = poll->next)
        if (poll->asks_list)
            return true;
    return false;
}

static bool waits_for_status(const TargetPoll *poll) {
    for (size_t i = 0; i < poll->n_trails; i++)
        if (poll->trails[i])
            return true;
    return false;
}

/* ---- what a poll has shown ---- */

static void take_observation(TargetPoll *poll, size_t i, const Observation *seen) {
    Trail *trail = i < poll->n_trails ? poll->trails[i] : NULL;
    Observation merged = *seen;

    if (!trail)
        return;
    poll->trails[i] = NULL;
    engine_remember_seen(trail, &merged);
    engine_decide_trail(trail, &(TrailInput){ .kind = GUARD_POLLED, .seen = &merged });
}

/* Whether it may be written to is known: it was listed, was known before, or is the account's own. */
static bool has_facts(const Trail *trail) {
    return trail->n_covers > 0 || trail->state.known ||
           text_equal(trail->account, engine_account_named(trail->via));
}

/* It counts at once, whatever else the poll asks; the pass does not wait for a list either when all statuses
 * were answered. */
static void status_answered(size_t i, const Observation *seen, void *userdata) {
    TargetPoll *poll = userdata;
    Engine *engine = poll->target->engine;

    poll->target->polled_usec = engine_now(engine).real_usec;
    engine->problem[0] = '\0';
    if (!poll->trails[i] || has_facts(poll->trails[i]))
        take_observation(poll, i, seen);
    if (engine->once || waits_for_status(poll))
        return;
    leave_pass(poll);
    end_pass(engine);
}

static void note_denials(const Target *target, const PollAnswer *result) {
    Subject where = engine_target_subject(target);

    for (size_t i = 0; i < result->n_denials; i++)
        engine_note_denial(target->engine, &where, result->denials[i].action, result->denials[i].resource);
}

static void poll_done(const PollAnswer *answer, void *userdata) {
    TargetPoll *poll = userdata;
    Target *target = poll->target;
    Engine *engine = target->engine;
    PollResult result = answer->result;
    uint64_t began_usec = poll->began_usec;
    bool settings = answer->trails && poll->asks_list;

    poll->poll = NULL;
    result.began_usec = began_usec;
    note_denials(target, answer);
    metrics_observe(engine->metrics, METRICS_POLL_TIME, NULL, engine_now(engine).mono_usec - began_usec);
    if (answer->no_credentials) {
        leave_pass(poll);
        engine_free_poll(poll);
        engine_account_failed(target->account, &result);
        judge_rejected(target->account);
        end_pass(engine);
        return;
    }
    if (result.reachable) {
        target->polled_usec = engine_now(engine).real_usec;
        engine->problem[0] = '\0';
    }
    if (answer->trails)
        engine_take_list(engine, target, answer->trails);
    for (size_t i = 0; i < answer->n_seen; i++)
        take_observation(poll, i, &answer->seen[i]);
    leave_pass(poll);
    engine_free_poll(poll);
    if (answer->trails) {
        Cover cover = cover_of(target, answer->trails);

        result.covered = cover == COVER_YES;
        result.listed = cover != COVER_SUSPECT;
    }
    if (!is_unclear(target, answer, &result)) {
        engine_decide_target(target, &result);
        target->state.settled |= target->state.not_enabled;
        if (answer->trails)
            engine_take_viewers(target, answer->trails);
        pace(target, began_usec, settings);
        if (!result.reachable)
            engine_find_viewers(target->account);
    }
    judge_rejected(target->account);
    if (answer->trails) {
        engine_check_named(target->account);
        engine_check_settings(target, answer->trails, settings);
    }
    poll_new_trails(target);
    end_pass(engine);
}

/* ---- one poll ---- */

/* Trails that are being acted on are read back by the action itself; what an earlier poll waits for is not
 * asked twice. Beside the passes only those are asked that somebody has accepted, and that are there. */
static bool is_wanted(const TargetPoll *poll, const Trail *trail) {
    if (trail->remediation || is_asked(poll->target, trail))
        return false;
    if (poll->is_extra && (engine_is_missing(trail) || trail->state.provisional))
        return false;
    return !poll->is_of_contested || guard_is_contested(&trail->state, engine_now(trail->engine));
}

static void take_in(TargetPoll *poll, const char **arns, Trail *trail) {
    if (!is_wanted(poll, trail))
        return;
    arns[poll->n_trails] = trail->arn;
    poll->trails[poll->n_trails++] = trail;
}

/* Those that are there, in the order of their ranks; what nobody has accepted takes turns. */
static void collect_there(TargetPoll *poll, const char **arns) {
    Target *target = poll->target;
    Intervals intervals = engine_intervals(target->engine);
    TrailCounts n = engine_count_there(target);
    unsigned n_turns = schedule_provisional(&intervals, n.others, n.provisional), at = 0;

    for (size_t i = 0; i < target->n_trails; i++) {
        Trail *trail = target->trails[i];

        if (!engine_is_missing(trail) &&
            (!trail->state.provisional ||
             schedule_has_turn(target->provisional_turn, n_turns, n.provisional, at++)))
            take_in(poll, arns, trail);
    }
    if (!poll->is_extra)
        target->provisional_turn += n_turns;
}

static void collect_missing(TargetPoll *poll, const char **arns) {
    const Target *target = poll->target;

    for (size_t i = 0; i < target->n_trails; i++)
        if (engine_is_missing(target->trails[i]))
            take_in(poll, arns, target->trails[i]);
}

static int collect_trails(TargetPoll *poll, const char ***ret_arns, size_t *ret_missing) {
    Target *target = poll->target;
    const char **arns = calloc(target->n_trails + 1, sizeof(*arns));

    poll->trails = calloc(target->n_trails + 1, sizeof(*poll->trails));
    if (!arns || !poll->trails) {
        free(arns);
        return -ENOMEM;
    }
    if (target->n_trails > 1)
        qsort(target->trails, target->n_trails, sizeof(Trail *), compare_trails);
    collect_there(poll, arns);
    *ret_missing = poll->n_trails;
    collect_missing(poll, arns);
    *ret_missing = poll->n_trails - *ret_missing;
    *ret_arns = arns;
    return 0;
}

/* A further poll beside one that does not end: not of a target that nothing answers, and not before the
 * reads of the earlier one had their time. Nor while AWS is asked whether the account has enabled the region:
 * only where trails live can that answer be too late. */
static bool may_poll(const Target *target, const Intervals *intervals, uint64_t now_usec) {
    const TargetPoll *latest = latest_poll(target);

    if (!engine_account_is_open(target->account) || (target->region_call && target->n_trails == 0))
        return false;
    return !latest ||
           (target->state.n_failed < intervals->unreachable_after &&
            now_usec >= latest->began_usec + schedule_poll_usec(intervals, engine_count_polled(target)));
}

static int start_poll(TargetPoll *poll, bool list, bool probe) {
    const Target *target = poll->target;
    PollRequest request = {
        .aws = target->engine->aws.client,
        .credentials = target->account->credentials,
        .region = target->region,
        .list = list,
        .probe = probe,
        .answered = status_answered,
    };
    const char **arns = NULL;
    int r = collect_trails(poll, &arns, &request.n_missing);

    request.arns = arns;
    request.n_arns = poll->n_trails;
    if (r >= 0 && (poll->n_trails > 0 || (list && (target->configured || target->n_trails > 0))))
        r = poll_start(&request, poll->is_extra ? extra_poll_done : poll_done, poll, &poll->poll);
    free(arns);
    return r;
}

static void cannot_poll(const Target *target, int error) {
    log_line(LOG_ERR, "%s %s: cannot poll: %s", target->region, target->account->id, strerror(-error));
}

/* A region that failed, and whose trails are polled through another account meanwhile, has nothing else to
 * ask: the back-off gates that, and not the pace of an empty region. */
static bool list_is_due(const Target *target, const Intervals *intervals, uint64_t now_usec) {
    return !is_list_asked(target) &&
           ((target->n_trails == 0 && target->state.n_failed > 0) ||
            schedule_settings_are_due(intervals, target->settings_due_usec, now_usec));
}

static void begin_poll(Engine *engine, Target *target, bool of_pass) {
    Intervals intervals = engine_intervals(engine);
    uint64_t now_usec = engine_now(engine).mono_usec;
    bool probe = target->state.n_failed >= intervals.unreachable_after;
    TargetPoll *poll;
    int r;

    if (!may_poll(target, &intervals, now_usec))
        return;
    target->fresh = false;
    poll = calloc(1, sizeof(*poll));
    if (!poll) {
        cannot_poll(target, -ENOMEM);
        return;
    }
    *poll = (TargetPoll){
        .target = target,
        .began_usec = now_usec,
        .by_usec = now_usec + 3 * aws_client_deadline_usec(engine->aws.client),
        .asks_list = list_is_due(target, &intervals, now_usec),
    };
    r = start_poll(poll, poll->asks_list, probe);
    if (r < 0)
        cannot_poll(target, r);
    if (r < 0 || !poll->poll) {
        engine_free_poll(poll);
        return;
    }
    /* a pass does not wait for what is blind already: it could wait for ever */
    poll->is_of_pass = (of_pass && !probe) || engine->once;
    engine->n_polling += poll->is_of_pass;
    poll->next = target->polls;
    target->polls = poll;
}

/* ---- contested trails ---- */

static void extra_poll_done(const PollAnswer *answer, void *userdata) {
    TargetPoll *poll = userdata;
    Target *target = poll->target;
    Now now = engine_now(target->engine);

    poll->poll = NULL;
    for (size_t i = 0; i < answer->n_seen; i++)
        if (answer->seen[i].kind != OBSERVED_ERROR)
            take_observation(poll, i, &answer->seen[i]);
    if (answer->result.reachable)
        target->polled_usec = now.real_usec;
    else
        target->contested_due_usec = target->beside_due_usec = now.mono_usec + USEC_PER_SEC;
    engine_free_poll(poll);
}

static void begin_extra_poll(Target *target, bool of_contested) {
    const Engine *engine = target->engine;
    uint64_t now_usec = engine_now(engine).mono_usec;
    TargetPoll *poll = calloc(1, sizeof(*poll));

    if (!poll)
        return; /* the next pass is not far */
    *poll = (TargetPoll){
        .target = target,
        .began_usec = now_usec,
        .by_usec = now_usec + 3 * aws_client_deadline_usec(engine->aws.client),
        .is_extra = true,
        .is_of_contested = of_contested,
    };
    if (start_poll(poll, false, false) < 0 || !poll->poll) {
        engine_free_poll(poll);
        return;
    }
    poll->next = target->polls;
    target->polls = poll;
}

static unsigned count_contested(const Target *target) {
    Now now = engine_now(target->engine);
    unsigned n = 0;

    for (size_t i = 0; i < target->n_trails; i++)
        n += guard_is_contested(&target->trails[i]->state, now);
    return n;
}

/* The status alone, and of a target that answers. */
static void poll_beside_pass(Target *target, const Intervals *intervals) {
    uint64_t now_usec = engine_now(target->engine).mono_usec;
    unsigned n_contested = count_contested(target), n_trails = engine_count_there(target).others;

    if (n_trails == 0 || target->state.n_failed >= intervals->unreachable_after ||
        !engine_account_is_open(target->account))
        return;
    if (n_contested > 0 && now_usec >= target->contested_due_usec) {
        target->contested_due_usec = now_usec + schedule_contested_usec(n_contested);
        begin_extra_poll(target, true);
    }
    if (n_contested < n_trails && now_usec >= target->beside_due_usec) {
        target->beside_due_usec = now_usec + schedule_beside_contested_usec(intervals, n_trails);
        begin_extra_poll(target, false);
    }
}

static bool has_contested(const Account *account) {
    for (size_t i = 0; i < account->n_targets; i++)
        if (count_contested(account->targets[i]) > 0)
            return true;
    return false;
}

static void contest_ticked(void *userdata) {
    Engine *engine = userdata;

    engine->contest_timer = NULL;
    engine_poll_contested(engine);
}

void engine_poll_contested(Engine *engine) {
    Intervals intervals = engine_intervals(engine);
    bool any = false;

    for (size_t i = 0; i < engine->n_accounts; i++) {
        const Account *account = engine->accounts[i];

        if (!has_contested(account))
            continue;
        any = true;
        for (size_t k = 0; k < account->n_targets; k++)
            poll_beside_pass(account->targets[k], &intervals);
    }
    if (any && !engine->contest_timer)
        (void)loop_after(engine->aws.loop, SCHEDULE_CONTESTED_TICK_USEC, contest_ticked, engine,
                         &engine->contest_timer);
}

/* ---- passes ---- */

void engine_poll_account(Account *account) {
    uint64_t now_usec = engine_now(account->engine).mono_usec;

    for (size_t i = 0; i < account->n_targets; i++)
        if (now_usec >= account->targets[i]->due_usec)
            begin_poll(account->engine, account->targets[i], true);
}

/* Whoever could not be asked before. The base credentials' account is polled also while AWS does not say
 * which one it is. */
static void ask_accounts_again(Engine *engine, uint64_t now_usec) {
    const AccountList *account_list = &engine->account_list;

    if (engine->base->guarded && !engine->base->begun && engine_begin_account(engine->base) < 0)
        log_line(LOG_ERR, "account %s: cannot begin to guard it: out of memory",
                 engine_account_named(engine->base));
    for (size_t i = 0; i < engine->n_accounts; i++) {
        Account *account = engine->accounts[i];

        if (account->identity_again_usec != 0 && now_usec >= account->identity_again_usec)
            engine_ask_identity(account);
    }
    if (account_list->tried && now_usec >= account_list->due_usec && !engine->base->blocked)
        engine_list_accounts(engine);
}

/* A pass ends when every target had its turn, and the polls that began in these turns have ended. Where
 * answers take longer than the interval, a later poll is always under way, and to wait for that one too
 * could be for ever. */
static bool open_pass(Engine *engine) {
    if (engine->pass_open)
        return false;
    engine->pass_open = true;
    engine->pass_longest_usec = 0;
    return true;
}

static int compare_turns(const void *a, const void *b) {
    const Target *const *x = a, *const *y = b;

    return ((*x)->phase > (*y)->phase) - ((*x)->phase < (*y)->phase);
}

/* The order of turns, and whose is the first after turned_usec. Out of memory the old order is gone: there
 * may be targets in it that are. */
static void order_turns(Engine *engine, const Intervals *intervals) {
    free(TAKE_PTR(engine->turns));
    engine->turns = calloc(engine->n_targets + 1, sizeof(Target *));
    engine->n_turns = engine->turns ? engine->n_targets : 0;
    engine->turns_are_stale = !engine->turns;
    for (size_t i = 0; i < engine->n_turns; i++) {
        Target *target = engine->targets[i];

        if (!target->has_phase)
            target->phase = schedule_phase(engine_account_named(target->account), target->region);
        target->has_phase = true;
        engine->turns[i] = target;
    }
    if (engine->n_turns > 0)
        qsort(engine->turns, engine->n_turns, sizeof(Target *), compare_turns);
    engine->turn = 0;
    while (engine->turn < engine->n_turns &&
           schedule_turn(intervals, engine->round, engine->turns[engine->turn]->phase) <=
                   engine->turned_usec)
        engine->turn++;
    engine->n_pass_turns = MIN(engine->n_pass_turns, engine->n_turns);
}

static uint64_t next_turn_usec(Engine *engine, const Intervals *intervals) {
    if (engine->turns_are_stale)
        order_turns(engine, intervals);
    if (engine->turn < engine->n_turns)
        return schedule_turn(intervals, engine->round, engine->turns[engine->turn]->phase);
    /* the next round begins with its first turn: no wake-up of its own */
    return schedule_turn(intervals, engine->round + 1, engine->n_turns > 0 ? engine->turns[0]->phase : 0);
}

/* What each round does besides the polls. */
static void do_chores(Engine *engine, uint64_t now_usec) {
    ask_accounts_again(engine, now_usec);
    engine_end_unguarded(engine);
    engine_forget_unaccepted(engine);
    if (engine->n_causes > 0)
        engine_due(engine, DUE_CAUSES);
}

static void begin_round(Engine *engine, uint64_t now_usec) {
    engine->round++;
    engine->turn = 0;
    log_debug("wake-up: a round of polls begins; targets: %zu; polls under way: %zu", engine->n_targets,
              engine->n_polling);
    do_chores(engine, now_usec);
    if (engine->n_targets == 0) {
        (void)open_pass(engine);
        end_pass(engine);
    }
}

static void take_turn(Engine *engine, const Intervals *intervals, uint64_t now_usec) {
    Target *target = engine->turns[engine->turn++];
    const TargetPoll *latest = latest_poll(target);
    bool of_pass;

    if (open_pass(engine))
        engine->n_pass_turns = engine->n_turns;
    of_pass = engine->n_pass_turns > 0;
    engine->n_pass_turns -= of_pass;
    target->turn_waits = latest && schedule_turn_waits(intervals, engine_count_polled(target),
                                                       now_usec - latest->began_usec);
    if (!target->turn_waits && now_usec >= target->due_usec)
        begin_poll(engine, target, of_pass);
    end_pass(engine);
}

/* Everyone's, now; their turns in the rounds come all the same. */
static void poll_all(Engine *engine, const Intervals *intervals, uint64_t now_usec) {
    bool begins = open_pass(engine);
    size_t n_due = 0;

    engine->passes_begun = true;
    engine->n_pass_turns = 0;
    engine->round = schedule_round(intervals, now_usec);
    engine->turned_usec = now_usec;
    engine->turns_are_stale = true;
    do_chores(engine, now_usec);
    for (size_t i = 0; i < engine->n_targets; i++)
        if (now_usec >= engine->targets[i]->due_usec) {
            begin_poll(engine, engine->targets[i], begins);
            n_due++;
        }
    log_debug("wake-up: a pass over all targets begins; due: %zu of %zu; polls under way: %zu", n_due,
              engine->n_targets, engine->n_polling);
    end_pass(engine);
}

/* Every turn that has come. Where a whole round was missed, because the machine was suspended for instance,
 * all are polled at once. */
static void turn(void *userdata) {
    Engine *engine = userdata;
    Intervals intervals = engine_intervals(engine);
    uint64_t now_usec = engine_now(engine).mono_usec, next_usec;

    engine->pass_timer = NULL;
    if (!engine->passes_begun || now_usec >= engine->turned_usec + 2 * schedule_round_usec(&intervals))
        poll_all(engine, &intervals, now_usec);
    while ((next_usec = next_turn_usec(engine, &intervals)) <= now_usec) {
        bool begins = engine->turn >= engine->n_turns;

        /* the turn that the round begins with is still to come */
        engine->turned_usec = next_usec - begins;
        if (begins)
            begin_round(engine, now_usec);
        else
            take_turn(engine, &intervals, now_usec);
    }
    if (!engine->once && now_usec >= engine->directories_due_usec)
        engine_due(engine, DUE_DIRECTORIES);
    engine->pass_due_usec = next_usec;
    if (!engine->once)
        (void)loop_after(engine->aws.loop, next_usec - now_usec, turn, engine, &engine->pass_timer);
}

void engine_kick_pass(Engine *engine) {
    engine_start_passes(engine, 0);
}

void engine_start_passes(Engine *engine, uint64_t delay_usec) {
    loop_cancel(engine->aws.loop, engine->pass_timer);
    engine->pass_timer = NULL;
    engine->pass_due_usec = engine_now(engine).mono_usec + delay_usec;
    (void)loop_after(engine->aws.loop, delay_usec, turn, engine, &engine->pass_timer);
}

void engine_stop_polls(Engine *engine) {
    loop_cancel(engine->aws.loop, engine->pass_timer);
    engine->pass_timer = NULL;
    loop_cancel(engine->aws.loop, engine->contest_timer);
    engine->contest_timer = NULL;
    for (size_t i = 0; i < engine->n_targets; i++)
        engine_stop_poll(engine->targets[i]);
    for (size_t i = 0; i < engine->n_trails; i++)
        engine_stop_tracking(engine->trails[i]);
    engine->pass_open = false;
    engine->n_pass_turns = 0;
}
