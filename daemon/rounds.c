/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds: the turn of each target, and the polls of contested trails beside them. */
#include "daemon/rounds.h"

#include <stdlib.h>

#include "daemon/accounts.h"
#include "daemon/guard_checks.h"
#include "daemon/log.h"
#include "daemon/organization.h"
#include "daemon/passes.h"
#include "daemon/polls.h"
#include "daemon/delivery.h"
#include "daemon/resume.h"
#include "daemon/trails.h"
#include "lib/util/macros.h"

/* ---- contested trails ---- */

/* Statuses only, and only of targets that answer. */
static void poll_beside_round(Target *target, const Intervals *intervals) {
    BesideTarget beside = {
        .open = engine_account_is_open(target->account),
        .n_failed = TARGET_STATE(target, n_failed),
        .contested_due_usec = target->contested_due_usec,
        .beside_due_usec = target->beside_due_usec,
    };
    BesideTurn turn;

    for (size_t i = 0; i < target->n_trails; i++) {
        const Trail *trail = target->trails[i];

        if (!engine_is_missing(trail) && !TRAIL_STATE(trail, provisional))
            ++*(engine_is_contested(trail) ? &beside.n_contested : &beside.n_others);
    }
    turn = schedule_beside(intervals, &beside, engine_now(target->engine).mono_usec);
    target->contested_due_usec = beside.contested_due_usec;
    target->beside_due_usec = beside.beside_due_usec;
    if (turn.contested)
        engine_begin_extra_poll(target, POLL_OF_CONTESTED);
    if (turn.others)
        engine_begin_extra_poll(target, POLL_BESIDE_ROUND);
}

static bool has_contested(const Account *account) {
    for (size_t i = 0; i < account->n_targets; i++)
        for (size_t k = 0; k < account->targets[i]->n_trails; k++)
            if (engine_is_contested(account->targets[i]->trails[k]))
                return true;
    return false;
}

/* Of every n-th account. Returns the last one that has a contested trail; n_accounts if none has. */
static size_t poll_contested_of(Engine *engine, size_t first, size_t n) {
    Intervals intervals = engine_intervals(engine);
    size_t last = engine->n_accounts;

    for (size_t i = first; i < engine->n_accounts; i += n) {
        const Account *account = engine->accounts[i];

        if (!has_contested(account))
            continue;
        last = i;
        for (size_t k = 0; k < account->n_targets; k++)
            poll_beside_round(account->targets[k], &intervals);
    }
    return last;
}

static void contest_ticked(void *userdata);

static void tick_contest(Engine *engine, unsigned n_parts) {
    if (engine->n_contest_parts > 0 && !engine->contest_timer)
        (void)loop_after(engine->aws.loop, SCHEDULE_CONTESTED_TICK_USEC / n_parts, contest_ticked, engine,
                         &engine->contest_timer);
}

static void contest_ticked(void *userdata) {
    Engine *engine = userdata;
    unsigned n_parts = schedule_contested_parts(engine->n_accounts);

    engine->contest_part = (engine->contest_part + 1) % n_parts;
    engine->n_contest_parts -= engine->n_contest_parts > 0;
    if (poll_contested_of(engine, engine->contest_part, n_parts) < engine->n_accounts)
        engine->n_contest_parts = n_parts;
    tick_contest(engine, n_parts);
}

/* All other groups have a turn before the first one has its next. */
void engine_poll_contested(Engine *engine) {
    unsigned n_parts = schedule_contested_parts(engine->n_accounts);
    size_t contested = poll_contested_of(engine, 0, 1);

    if (contested >= engine->n_accounts)
        return;
    engine->contest_part = (unsigned)(contested % n_parts);
    engine->n_contest_parts = n_parts;
    tick_contest(engine, n_parts);
}

/* ---- passes ---- */

/* Accounts that could not be asked before. The base credentials' account is polled even while AWS does not
 * report its id. */
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
    if (account_list_is_due(account_list->tried, engine->base->blocked, account_list->due_usec, now_usec))
        engine_list_accounts(engine);
}

static int compare_turns(const void *a, const void *b) {
    const Target *const *x = a, *const *y = b;

    return ((*x)->phase > (*y)->phase) - ((*x)->phase < (*y)->phase);
}

/* The order of turns, and the first one after turned_usec. Without memory the old order is dropped, because
 * it may contain targets that are gone. */
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

static TurnTarget facts_of(const Target *target, uint64_t now_usec) {
    const TargetPoll *latest = engine_latest_poll(target);

    return (TurnTarget){
        .start_waits = target->start_waits,
        .under_way = latest,
        .age_usec = latest ? now_usec - latest->began_usec : 0,
        .n_polled = latest ? engine_count_polled(target) : 0,
        .due_usec = target->due_usec,
    };
}

static bool is_idle(const Target *target, uint64_t turn_usec, uint64_t now_usec) {
    TurnTarget facts = facts_of(target, now_usec);

    return schedule_turn_is_idle(&facts, turn_usec);
}

/* A round begins with its first turn that does something, without a wake-up of its own. */
static uint64_t next_round_usec(const Engine *engine, const Intervals *intervals, uint64_t now_usec) {
    for (size_t i = 0; i < engine->n_turns; i++) {
        uint64_t usec = schedule_turn(intervals, engine->round + 1, engine->turns[i]->phase);

        if (!is_idle(engine->turns[i], usec, now_usec))
            return usec;
    }
    return schedule_turn(intervals, engine->round + 1, engine->n_turns > 0 ? engine->turns[0]->phase : 0);
}

/* The time of that turn, and whether it is taken. */
static bool next_turn(Engine *engine, const Intervals *intervals, uint64_t now_usec, uint64_t *ret_usec) {
    const Target *target;

    if (engine->turns_are_stale)
        order_turns(engine, intervals);
    if (engine->turn >= engine->n_turns) {
        *ret_usec = next_round_usec(engine, intervals, now_usec);
        return *ret_usec <= now_usec;
    }
    target = engine->turns[engine->turn];
    *ret_usec = schedule_turn(intervals, engine->round, target->phase);
    return *ret_usec <= now_usec || is_idle(target, *ret_usec, now_usec);
}

/* What each round does besides polls. */
static void do_chores(Engine *engine, uint64_t now_usec) {
    ask_accounts_again(engine, now_usec);
    engine_end_unguarded(engine);
    engine_end_guard_records(engine);
    engine_end_channels(engine);
    engine_remind_of_list(engine);
    engine_forget_unaccepted(engine);
    if (engine->n_causes > 0 || engine->causes_are_left)
        engine_due(engine, DUE_CAUSES);
}

static void begin_round(Engine *engine, uint64_t now_usec) {
    engine->round++;
    engine->turn = 0;
    log_debug("wake-up: a round of polls begins; targets: %zu; polls under way: %zu", engine->n_targets,
              engine->n_polling);
    do_chores(engine, now_usec);
    if (engine->n_targets == 0) {
        (void)engine_open_pass(engine);
        engine_end_pass(engine);
    }
}

static void take_turn(Engine *engine, const Intervals *intervals, uint64_t now_usec) {
    Target *target = engine->turns[engine->turn++];
    TurnTarget facts = facts_of(target, now_usec);
    Turn turn = schedule_turn_means(intervals, &facts, now_usec);
    bool of_pass;

    if (engine_open_pass(engine))
        engine->n_pass_turns = engine->n_turns;
    of_pass = engine->n_pass_turns > 0;
    engine->n_pass_turns -= of_pass;
    target->turn_waits = turn == TURN_WAITS;
    if (turn == TURN_POLLS)
        engine_begin_poll(target, of_pass);
    engine_end_pass(engine);
}

/* Polls all targets now, in addition to their turns in the rounds. */
static void poll_all(Engine *engine, const Intervals *intervals, uint64_t now_usec) {
    bool begins = engine_open_pass(engine);
    size_t n_due = 0;

    engine->passes_begun = true;
    engine->n_pass_turns = 0;
    engine->round = schedule_round(intervals, now_usec);
    engine->turned_usec = now_usec;
    engine->turns_are_stale = true;
    do_chores(engine, now_usec);
    for (size_t i = 0; i < engine->n_targets; i++)
        if (now_usec >= engine->targets[i]->due_usec) {
            engine_want_poll(engine->targets[i], begins);
            n_due++;
        }
    log_debug("wake-up: a pass over all targets begins; due: %zu of %zu; polls under way: %zu", n_due,
              engine->n_targets, engine->n_polling);
    engine_end_pass(engine);
}

/* Takes every turn that has come, and the ones that do nothing. */
static void rounds_turn(void *userdata) {
    Engine *engine = userdata;
    Intervals intervals = engine_intervals(engine);
    uint64_t now_usec = engine_now(engine).mono_usec, next_usec;

    if (!engine->passes_begun || schedule_round_was_missed(&intervals, engine->turned_usec, now_usec))
        poll_all(engine, &intervals, now_usec);
    while (next_turn(engine, &intervals, now_usec, &next_usec)) {
        bool begins = engine->turn >= engine->n_turns;

        /* the turn that the round begins with is still to come */
        engine->turned_usec = MIN(next_usec, now_usec) - begins;
        if (begins)
            begin_round(engine, now_usec);
        else
            take_turn(engine, &intervals, now_usec);
    }
    if (!engine->once && now_usec >= engine->directories_due_usec)
        engine_due(engine, DUE_DIRECTORIES);
    engine->pass_due_usec = next_usec;
    if (!engine->once)
        (void)loop_rearm(engine->aws.loop, next_usec - now_usec, rounds_turn, engine, &engine->pass_timer);
}

void engine_kick_pass(Engine *engine) {
    engine_start_passes(engine, 0);
}

void engine_start_passes(Engine *engine, uint64_t delay_usec) {
    engine->pass_due_usec = engine_now(engine).mono_usec + delay_usec;
    (void)loop_rearm(engine->aws.loop, delay_usec, rounds_turn, engine, &engine->pass_timer);
}

void engine_stop_polls(Engine *engine) {
    loop_cancel(engine->aws.loop, TAKE_PTR(engine->pass_timer));
    loop_cancel(engine->aws.loop, TAKE_PTR(engine->contest_timer));
    engine_end_starts(engine);
    for (size_t i = 0; i < engine->n_targets; i++)
        engine_stop_poll(engine->targets[i]);
    for (size_t i = 0; i < engine->n_trails; i++)
        engine_stop_tracking(engine->trails[i]);
    engine->pass_open = false;
    engine->n_pass_turns = 0;
}
