/* SPDX-License-Identifier: Apache-2.0 */
/* Polls: which trails of a target each includes, and what is done with the answers. */
#include "daemon/polls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/accounts.h"
#include "daemon/apply_plan.h"
#include "daemon/checks.h"
#include "daemon/engine_private.h"
#include "daemon/log.h"
#include "daemon/passes.h"
#include "daemon/regions.h"
#include "daemon/trails.h"
#include "lib/arn.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* ---- which trails a poll includes ---- */

static PollRank rank_of(const Trail *trail) {
    return (PollRank){
        .provisional = TRAIL_STATE(trail, provisional),
        .named = trail->facts.named,
        .first_seen_usec = TRAIL_STATE(trail, first_seen_usec),
    };
}

static int compare_trails(const void *a, const void *b) {
    const Trail *x = *(Trail *const *)a, *y = *(Trail *const *)b;
    const PollRank left = rank_of(x), right = rank_of(y);
    int order = schedule_compare_ranks(&left, &right);

    return order ? order : strcmp(x->arn, y->arn);
}

/* ---- what a poll means for the target ---- */

static void take_cover(Target *target, const CloudTrailTrails *list, PollResult *result) {
    uint64_t now_usec = engine_now(target->engine).mono_usec;
    CoverInput in = {
        .n_listed = list->n,
        .configured = target->configured,
        .n_shown = target->n_shown,
        .suspect = target->cover_is_suspect,
        .uncovered = TARGET_STATE(target, cover.open),
        .shown_elsewhere = target->shown_elsewhere,
    };

    target->empty_usec = scope_empty_since(list->n, target->empty_usec, now_usec);
    in.empty_usec = target->empty_usec > 0 ? now_usec - target->empty_usec : 0;
    for (size_t i = 0; i < target->n_shown; i++)
        in.shown_have_trouble |= TRAIL_STATE(target->shown[i], incident.open);
    target->cover_is_suspect = scope_take_cover(&in, result);
}

const TargetPoll *engine_latest_poll(const Target *target) {
    const TargetPoll *poll = target->polls;

    while (poll && poll->occasion != POLL_OF_ROUND)
        poll = poll->next;
    return poll;
}

/* Polls new trails that appeared while their home region was being polled: that poll does not include them.
 * Also takes a turn that came meanwhile. */
static void poll_new_trails(Target *target) {
    bool waits = target->turn_waits && !engine_latest_poll(target);

    if (waits)
        target->turn_waits = false;
    if (target->fresh || (waits && engine_now(target->engine).mono_usec >= target->due_usec))
        engine_begin_poll(target, target->fresh);
    for (size_t i = 0; i < target->n_shown; i++)
        if (target->shown[i]->home && target->shown[i]->home->fresh)
            engine_begin_poll(target->shown[i]->home, true);
}

/* ---- polls in progress ---- */

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

/* ---- the result of a poll ---- */

/* A trail that an account's keys cannot find is gone only if the keys belong to that account. */
static void judge_absence(const Account *account, const Trail *trail, Observation *seen) {
    AccountScope scope = engine_account_scope(account);
    bool owned = text_equal(engine_account_named(account), trail->account);

    scope.shows_own = text_equal(account->engine->shown_account, trail->account);
    scope_judge_absence(&scope, account->id, owned, trail->organization, seen);
}

static void note_shown_account(const TargetPoll *poll, const CloudTrailTrails *list) {
    Engine *engine = poll->target->engine;
    Arn arn;

    if (!scope_list_shows_own(poll->target->account->role_arn, poll->began_usec, engine->keys_changed_usec))
        return;
    for (size_t i = 0; i < list->n; i++)
        if (!list->items[i].organization && arn_parse(list->items[i].arn, &arn) >= 0)
            (void)text_copy(engine->shown_account, sizeof(engine->shown_account), arn.account);
}

static bool is_pending(const Target *target) {
    Policy policy = engine_account_policy(target->account);

    return guard_target_is_pending(&policy, TARGET_STATE(target, n_failed),
                                   TARGET_STATE(target, unreachable));
}

static void take_observation(TargetPoll *poll, size_t i, const Observation *seen) {
    Trail *trail = i < poll->n_trails ? poll->trails[i] : NULL;
    Observation merged = *seen;

    if (!trail)
        return;
    poll->trails[i] = NULL;
    if (scope_is_no_news(seen->held_back, poll->target->engine->once))
        return;
    if (merged.kind == OBSERVED_ABSENT)
        judge_absence(poll->target->account, trail, &merged);
    engine_remember_seen(trail, &merged);
    merged.target_pending = is_pending(poll->target);
    engine_decide_trail(trail, &(TrailInput){ .kind = GUARD_POLLED, .seen = &merged });
}

static bool has_facts(const Trail *trail) {
    return scope_facts_are_known(trail->n_covers > 0, TRAIL_STATE(trail, known),
                                 text_equal(trail->account, engine_account_named(trail->via)));
}

/* A status counts at once, whatever else the poll reads. Once all statuses were answered, the pass does not
 * wait for the list. */
static void status_answered(size_t i, const Observation *seen, void *userdata) {
    TargetPoll *poll = userdata;
    Engine *engine = poll->target->engine;

    poll->target->polled_usec = engine_now(engine).real_usec;
    engine->problem[0] = '\0';
    if (!poll->trails[i] || has_facts(poll->trails[i]))
        take_observation(poll, i, seen);
    if (engine->once || waits_for_status(poll))
        return;
    engine_leave_pass(poll);
    engine_end_pass(engine);
}

static void note_denials(const Target *target, const PollAnswer *result) {
    Subject where = engine_target_subject(target);

    for (size_t i = 0; i < result->n_denials; i++)
        engine_note_denial(target->engine, &where, result->denials[i].action, result->denials[i].resource);
}

/* Logged once, until a poll is complete again. */
static void note_held_back(Target *target, const PollAnswer *answer) {
    const char *account = engine_account_named(target->account);
    size_t n = 0;

    for (size_t i = 0; i < answer->n_seen; i++)
        n += answer->seen[i].held_back;
    if (scope_is_no_news(n > 0, target->engine->once) && !target->said_held_back)
        log_line(
                LOG_NOTICE,
                "%s%s%s: %zu of %zu trails were not polled: the pace that AWS's quota allows held them "
                "back; the next poll includes them",
                target->region, account[0] ? " " : "", account, n, answer->n_seen);
    target->said_held_back = n > 0;
}

static void take_result(Target *target, const PollAnswer *answer, PollResult *result, ListOutcome list) {
    if (scope_is_no_news(result->held_back, target->engine->once)) {
        engine_pace(target, result->began_usec, list == LIST_READ ? list : LIST_NOT_ASKED);
        return;
    }
    if (engine_region_is_unclear(target, answer, result))
        return;
    engine_decide_target(target, result);
    if (answer->trails)
        engine_take_viewers(target, answer->trails);
    engine_pace(target, result->began_usec, list);
    if (!result->reachable)
        engine_find_viewers(target->account);
}

static void take_answer(TargetPoll *poll, const PollAnswer *answer) {
    Target *target = poll->target;
    Engine *engine = target->engine;
    PollResult result = answer->result;
    uint64_t began_usec = poll->began_usec;
    ListOutcome list = !poll->asks_list ? LIST_NOT_ASKED : answer->trails ? LIST_READ : LIST_FAILED;

    poll->poll = NULL;
    result.began_usec = began_usec;
    note_denials(target, answer);
    note_held_back(target, answer);
    metrics_observe(engine->metrics, METRICS_POLL_TIME, NULL, engine_now(engine).mono_usec - began_usec);
    if (answer->no_credentials) {
        engine_leave_pass(poll);
        engine_free_poll(poll);
        engine_account_failed(target->account, &result);
        engine_judge_rejected(target->account);
        engine_end_pass(engine);
        return;
    }
    if (result.reachable) {
        target->polled_usec = engine_now(engine).real_usec;
        engine->problem[0] = '\0';
        engine_account_answered(target->account);
    }
    if (answer->trails) {
        note_shown_account(poll, answer->trails);
        engine_take_list(engine, target, answer->trails);
    }
    for (size_t i = 0; i < answer->n_seen; i++)
        take_observation(poll, i, &answer->seen[i]);
    engine_leave_pass(poll);
    engine_free_poll(poll);
    if (answer->trails)
        take_cover(target, answer->trails, &result);
    take_result(target, answer, &result, list);
    engine_judge_rejected(target->account);
    if (answer->trails) {
        engine_check_named(target->account);
        engine_check_settings(target, answer->trails, list == LIST_READ);
    }
    poll_new_trails(target);
    engine_end_pass(engine);
}

static void begin_starts(Engine *engine);

static void poll_done(const PollAnswer *answer, void *userdata) {
    TargetPoll *poll = userdata;
    Engine *engine = poll->target->engine;

    take_answer(poll, answer);
    begin_starts(engine);
    engine_end_pass(engine);
}

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
        target->contested_due_usec = target->beside_due_usec = now.mono_usec + SCHEDULE_BESIDE_RETRY_USEC;
    engine_free_poll(poll);
}

/* ---- one poll ---- */

/* Adds the trail, if its status is polled. */
static void take_in(TargetPoll *poll, const char **arns, Trail *trail) {
    const PolledTrail facts = {
        .acted_on = trail->remediation,
        .asked = is_asked(poll->target, trail),
        .missing = engine_is_missing(trail),
        .provisional = TRAIL_STATE(trail, provisional),
        .contested = poll->occasion == POLL_OF_CONTESTED && engine_is_contested(trail),
    };

    if (!schedule_asks_status(poll->occasion, &facts))
        return;
    arns[poll->n_trails] = trail->arn;
    poll->trails[poll->n_trails++] = trail;
}

/* Those that exist, in the order of their ranks; unaccepted ones take turns. */
static void collect_there(TargetPoll *poll, const char **arns) {
    Target *target = poll->target;
    Intervals intervals = engine_intervals(target->engine);
    TrailCounts n = engine_count_there(target);
    unsigned n_turns = schedule_provisional(&intervals, n.others, n.provisional), at = 0;

    for (size_t i = 0; i < target->n_trails; i++) {
        Trail *trail = target->trails[i];

        if (!engine_is_missing(trail) &&
            (!TRAIL_STATE(trail, provisional) ||
             schedule_has_turn(target->provisional_turn, n_turns, n.provisional, at++)))
            take_in(poll, arns, trail);
    }
    if (poll->occasion == POLL_OF_ROUND)
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

static bool may_poll(const Target *target, const Intervals *intervals, uint64_t now_usec) {
    const TargetPoll *latest = engine_latest_poll(target);
    PollChance chance = {
        .open = engine_account_is_open(target->account),
        .region_asked = target->region_call,
        .has_trails = target->n_trails > 0,
        .under_way = latest,
    };

    if (latest) {
        chance.age_usec = now_usec - latest->began_usec;
        chance.n_failed = TARGET_STATE(target, n_failed);
        chance.n_polled = engine_count_polled(target);
    }
    return schedule_may_poll(intervals, &chance);
}

static int start_poll(TargetPoll *poll, bool probe) {
    const Target *target = poll->target;
    PollRequest request = {
        .aws = target->engine->aws.client,
        .credentials = target->account->credentials,
        .region = target->region,
        .list = poll->asks_list,
        .probe = probe,
        .answered = status_answered,
    };
    const char **arns = NULL;
    int r = collect_trails(poll, &arns, &request.n_missing);

    request.arns = arns;
    request.n_arns = poll->n_trails;
    if (r >= 0 && schedule_poll_asks(poll->n_trails, poll->asks_list, target->configured, target->n_trails))
        r = poll_start(&request, poll->occasion == POLL_OF_ROUND ? poll_done : extra_poll_done, poll,
                       &poll->poll);
    free(arns);
    return r;
}

static void keep_poll(Target *target, TargetPoll *poll) {
    poll->next = target->polls;
    target->polls = poll;
    target->engine->n_polls++;
}

static void cannot_poll(const Target *target, int error) {
    log_line(LOG_ERR, "%s %s: cannot poll: %s", target->region, target->account->id, strerror(-error));
}

/* The caller frees it with engine_free_poll, unless keep_poll took it. NULL: out of memory. */
static TargetPoll *new_poll(Target *target, PollOccasion occasion) {
    const Engine *engine = target->engine;
    uint64_t now_usec = engine_now(engine).mono_usec;
    TargetPoll *poll = calloc(1, sizeof(*poll));

    if (poll)
        *poll = (TargetPoll){
            .target = target,
            .occasion = occasion,
            .began_usec = now_usec,
            .by_usec = now_usec + poll_longest_usec(engine->aws.client, target->n_trails),
        };
    return poll;
}

static bool asks_list(const TargetPoll *poll, const Intervals *intervals) {
    const Target *target = poll->target;
    const ListChance chance = {
        .asked = is_list_asked(target),
        .n_trails = target->n_trails,
        .n_failed = TARGET_STATE(target, n_failed),
        .due_usec = target->settings_due_usec,
    };

    return schedule_asks_list(intervals, &chance, poll->began_usec);
}

void engine_begin_poll(Target *target, bool of_pass) {
    Engine *engine = target->engine;
    Intervals intervals = engine_intervals(engine);
    unsigned n_failed = TARGET_STATE(target, n_failed);
    TargetPoll *poll;
    int r;

    of_pass |= engine_end_start(target);
    if (!may_poll(target, &intervals, engine_now(engine).mono_usec))
        return;
    target->fresh = false;
    poll = new_poll(target, POLL_OF_ROUND);
    if (!poll) {
        cannot_poll(target, -ENOMEM);
        return;
    }
    poll->asks_list = asks_list(poll, &intervals);
    r = start_poll(poll, schedule_is_given_up(&intervals, n_failed));
    if (r < 0)
        cannot_poll(target, r);
    if (r < 0 || !poll->poll) {
        engine_free_poll(poll);
        return;
    }
    poll->is_of_pass = schedule_pass_waits(&intervals, of_pass, n_failed, engine->once);
    engine->n_polling += poll->is_of_pass;
    keep_poll(target, poll);
}

void engine_begin_extra_poll(Target *target, PollOccasion occasion) {
    TargetPoll *poll = new_poll(target, occasion);

    if (!poll)
        return; /* the next pass comes soon */
    if (start_poll(poll, false) < 0 || !poll->poll) {
        engine_free_poll(poll);
        return;
    }
    keep_poll(target, poll);
}

void engine_poll_account(Account *account) {
    uint64_t now_usec = engine_now(account->engine).mono_usec;

    for (size_t i = 0; i < account->n_targets; i++)
        if (now_usec >= account->targets[i]->due_usec)
            engine_want_poll(account->targets[i], true);
}

/* ---- many polls ---- */

static bool has_room(const Engine *engine) {
    return schedule_has_room(engine->n_polls, engine->n_slow_polls, engine->config->aws.max_connections);
}

static size_t count_slow(const Engine *engine, uint64_t now_usec) {
    size_t n = 0;

    for (size_t i = 0; i < engine->n_targets; i++)
        for (const TargetPoll *poll = engine->targets[i]->polls; poll; poll = poll->next)
            n += now_usec - poll->began_usec >= SCHEDULE_SLOW_POLL_USEC;
    return n;
}

static void starts_ticked(void *userdata) {
    Engine *engine = userdata;

    engine->n_slow_polls = count_slow(engine, engine_now(engine).mono_usec);
    begin_starts(engine);
    engine_end_pass(engine);
}

/* The next one that waits, in the order of the targets, so that all regions make progress. */
static Target *next_start(Engine *engine) {
    Target *target;

    do {
        engine->start = engine->start < engine->n_targets ? engine->start : 0;
        target = engine->targets[engine->start++];
    } while (!target->start_waits);
    return target;
}

static void begin_starts(Engine *engine) {
    while (engine->n_starts > 0 && has_room(engine))
        engine_begin_poll(next_start(engine), false);
    if (engine->n_starts > 0 && !engine->start_timer)
        (void)loop_after(engine->aws.loop, SCHEDULE_SLOW_POLL_USEC, starts_ticked, engine,
                         &engine->start_timer);
}

void engine_want_poll(Target *target, bool of_pass) {
    Engine *engine = target->engine;

    if (!target->start_waits && (has_room(engine) || !engine_account_is_open(target->account))) {
        engine_begin_poll(target, of_pass);
        return;
    }
    if (of_pass && !target->start_is_of_pass) {
        target->start_is_of_pass = true;
        engine->n_polling++;
    }
    engine->n_starts += !target->start_waits;
    target->start_waits = true;
    begin_starts(engine);
}

void engine_end_starts(Engine *engine) {
    loop_cancel(engine->aws.loop, TAKE_PTR(engine->start_timer));
    engine->n_slow_polls = engine->start = 0;
}
