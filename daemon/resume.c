/* SPDX-License-Identifier: Apache-2.0 */
/* Loads the state and the baselines of an account when it is known, and ends what is no longer guarded. */
#include "daemon/resume.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/apply_plan.h"
#include "daemon/baselines.h"
#include "daemon/core/bucket_plan.h"
#include "daemon/core/scope.h"
#include "daemon/core/settings.h"
#include "daemon/engine_private.h"
#include "daemon/log.h"
#include "daemon/sinks.h"
#include "daemon/unaccepted.h"
#include "lib/arn.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* Only another poll can show that these findings have ended. */
static void resume_errors(Trail *trail) {
    const Config *config = trail->engine->config;
    const BucketResume in = {
        .findings = TRAIL_STATE(trail, findings),
        .bucket_checks = config->bucket_checks,
        .owner_check = config->owner_check,
        .unreachable_after = engine_account_policy(trail->via).unreachable_after,
    };
    Observation seen;

    engine_get_seen(trail, &seen);
    bucket_resume(&in, &seen, trail->tracking.n_unread);
    for (Unreadable u = 0; u < _UNREADABLE_MAX; u++)
        if (trail->tracking.n_unread[u] > 0)
            trail->tracking.said_unread |= (uint8_t)(1u << u);
    engine_keep_seen(trail, &seen);
    /* the finding is only made if the selectors record reads, so they did */
    trail->facts.records_reads = in.findings & FINDING_BIT(FINDING_STALE);
}

/* The desired settings must be known before anything is restored. Whether the file is new is reported at the
 * first poll of settings. */
static void resume_tracking(Trail *trail, Drift *changes, Episode **episode) {
    SettingsTracking *k = &trail->tracking;

    k->episode = TAKE_PTR(*episode);
    (void)drift_keep(&k->changes, changes); /* without memory they are not shown */
    k->changes_dedup_key = TRAIL_STATE(trail, incident.dedup_usec);
    k->changes_reopened_usec = TRAIL_STATE(trail, incident.reopened_usec);
    resume_errors(trail);
    engine_resume_baseline(trail);
}

static bool is_its_row(const Account *account, const char *assumed, const char *id) {
    return former_row_is_of(text_equal(id, assumed), account->role_arn, assumed[0],
                            engine_account_by_id(account->engine, id));
}

static int take_account_row(Account *account, const char *assumed) {
    const StateTable *unclaimed = &account->engine->unclaimed;
    int r = 0;

    for (size_t i = 0; r >= 0 && i < unclaimed->n_accounts; i++) {
        const StateAccount *row = &unclaimed->accounts[i];

        if (!text_equal(row->account, assumed))
            continue;
        r = account->resumed ? 0 : states_keep_target(&account->state, &row->state);
        if (r >= 0)
            engine_resume_unaccepted(account, row);
    }
    return r;
}

int engine_resume_base(Engine *engine) {
    Account *base = engine->base;

    for (size_t i = 0; i < engine->unclaimed.n_accounts; i++) {
        StateAccount *row = &engine->unclaimed.accounts[i];
        int r = row->base ? states_keep_target(&base->state, &row->state) : 0;

        if (r < 0)
            return r;
        if (!row->base)
            continue;
        base->resumed = true;
        row->state = (TargetState){ 0 }; /* it is the account's from now on */
        break;
    }
    return 0;
}

void engine_leave_base(Account *base, const char *was) {
    Subject subject = { .name = "", .arn = "", .account = was, .region = "" };
    TargetState state = states_target(base->state);

    if (guard_target_owes_end(&state))
        engine_forget_target(base->engine, &subject, &state, scope_ended_text(ENDED_ACCOUNT_GONE));
    (void)states_new_target(&base->state);
    base->resumed = false;
}

static int take_target_rows(Account *account, const char *assumed) {
    const StateTable *unclaimed = &account->engine->unclaimed;
    int r = 0;

    for (size_t i = 0; r >= 0 && i < unclaimed->n_targets; i++) {
        const StateTarget *row = &unclaimed->targets[i];
        Target *target =
                is_its_row(account, assumed, row->account) ? engine_target_at(account, row->region) : NULL;

        if (target)
            r = states_keep_target(&target->state, &row->state);
    }
    return r;
}

/* Without memory the row stays unchanged. */
static int take_state(Trail *trail, StateTrail *row) {
    int r = states_keep_trail(&trail->state, &row->state);

    if (r < 0)
        return r;
    trail->organization = row->organization;
    trail->facts.validation = row->validation;
    trail->has_intent = row->intent;
    if (row->state.provisional) /* the configuration may name it now */
        SET_TRAIL_STATE(trail, provisional,
                        newcomer_is_provisional(&(Newcomer){
                                .trust = trail->engine->config->trust_new,
                                .listed_before = true,
                                .named = engine_is_named(trail),
                                .namesake = engine_has_namesake(trail),
                        }));
    engine_set_facts(trail);
    resume_tracking(trail, &row->changes, &row->episode);
    engine_resume_trail(trail);
    if (row->state.weakness_pending)
        engine_weakness_waits(trail->engine);
    trail->is_summed_up = unaccepted_was_reported(row->state.provisional, row->state.known,
                                                  row->state.appearance_pending);
    if (row->state.appearance_pending)
        engine_resume_appearance(trail);
    return 0;
}

static bool is_row_guarded(const Account *account, const StateTrail *row) {
    bool all = config_account_trails(account->engine->config, account->config)->all;

    return former_is_guarded(engine_is_guarded(account, row->name, row->arn), row->arn[0], all);
}

/* 1 if the row is now in the table of trails, 0 if it stays in the file only. */
static int take_trail_row(Account *account, StateTrail *row) {
    Trail *trail;
    int r;

    if (!is_row_guarded(account, row))
        return 0;
    trail = row->arn[0] ? engine_trail_by_arn(account->engine, row->arn) : NULL;
    if (!trail)
        trail = engine_add_trail(account, row->name, row->arn, row->account, row->region);
    if (!trail)
        return -ENOMEM;
    r = take_state(trail, row);
    return r < 0 ? r : 1;
}

static void free_row(StateTrail *row) {
    drift_done(&row->changes);
    free(row->episode);
    free(row->name);
    free(row->arn);
    free(row->account);
    free(row->region);
    free(row->via);
}

static void drop_row(StateTable *unclaimed, size_t i) {
    free_row(&unclaimed->trails[i]);
    unclaimed->trails[i] = unclaimed->trails[--unclaimed->n_trails];
}

void engine_claim_row(Trail *trail) {
    StateTable *unclaimed = &trail->engine->unclaimed;
    StateTrail *row = state_table_trail(unclaimed, trail->arn);

    if (row && take_state(trail, row) >= 0)
        drop_row(unclaimed, (size_t)(row - unclaimed->trails));
}

static int take_trail_rows(Account *account, const char *assumed) {
    StateTable *unclaimed = &account->engine->unclaimed;

    for (size_t i = 0; i < unclaimed->n_trails;) {
        StateTrail *row = &unclaimed->trails[i];
        int r = 0;

        if (is_its_row(account, assumed, row->via[0] ? row->via : row->account))
            r = take_trail_row(account, row);
        if (r < 0)
            return r;
        if (r == 0)
            i++;
        else
            drop_row(unclaimed, i);
    }
    return 0;
}

static bool is_first_guarded(const Account *account) {
    const Engine *engine = account->engine;

    for (size_t i = 0; i < engine->n_accounts; i++)
        if (engine->accounts[i]->guarded)
            return engine->accounts[i] == account;
    return false;
}

static bool is_for(const Account *account, const char *owner) {
    const Engine *engine = account->engine;
    const Account *holder = engine_account_by_id(engine, owner);
    const NamedByArn in = {
        .owner_guarded = holder && holder->guarded,
        .owner = holder == account,
        .names_itself =
                config_account_trails(engine->config, account->config) != &engine->config->trails,
        .first = is_first_guarded(account),
    };

    return named_trail_is_for(&in);
}

static int add_trails_named_by_arn(Account *account) {
    const StringList *trails = config_account_trails(account->engine->config, account->config);

    for (size_t i = 0; i < trails->n; i++) {
        const char *text = trails->items[i];
        Arn arn;

        if (arn_parse(text, &arn) >= 0 && !engine_is_elsewhere(account->engine, arn.account) &&
            !engine_is_ignored(account->engine, arn_name(&arn), text) && is_for(account, arn.account) &&
            !engine_trail_by_arn(account->engine, text) && !engine_add_trail_by_arn(account, text))
            return -ENOMEM;
    }
    return 0;
}

/* A trail with a baseline was guarded, even if the state file is lost and no list shows it. Only its home
 * region can tell whether it is gone, and only to the account that owns it. */
static int add_recorded_trails(Account *account) {
    Engine *engine = account->engine;
    char **arns = NULL;
    size_t n = 0;
    int r = baseline_file_list(engine->state_dir, &arns, &n);

    for (size_t i = 0; i < n; i++) {
        Arn arn;

        if (r >= 0 && arn_parse(arns[i], &arn) >= 0 &&
            text_equal(arn.account, engine_account_named(account)) &&
            engine_is_guarded(account, arn_name(&arn), arns[i]) && !engine_trail_by_arn(engine, arns[i]) &&
            !engine_is_accepted_as_gone(engine, arns[i]) && !engine_add_trail_by_arn(account, arns[i]))
            r = -ENOMEM;
        free(arns[i]);
    }
    free(arns);
    if (r < 0 && !engine->record_problem[0])
        (void)snprintf(engine->record_problem, sizeof(engine->record_problem), "%s/baselines: %s",
                       engine->state_dir, strerror(-r));
    return r == -ENOMEM ? r : 0;
}

static bool was_guarded_through(const Account *account, const StateTrail *row) {
    return row->arn[0] && guard_was_guarded(&row->state) &&
           text_equal(row->via[0] ? row->via : row->account, engine_account_named(account)) &&
           engine_is_guarded(account, row->name, row->arn);
}

/* For a check: the trails that the daemon guarded, so that a missing one is found. */
static int add_remembered_trails(Account *account) {
    Engine *engine = account->engine;

    for (size_t i = 0; i < engine->recorded.n_trails; i++) {
        const StateTrail *row = &engine->recorded.trails[i];
        Trail *trail;

        if (!was_guarded_through(account, row) || engine_trail_by_arn(engine, row->arn) ||
            engine_is_accepted_as_gone(engine, row->arn))
            continue;
        trail = engine_add_trail_by_arn(account, row->arn);
        if (!trail)
            return -ENOMEM;
        trail->organization = row->organization;
        SET_TRAIL_STATE(trail, provisional, row->state.provisional);
        trail->facts.validation = row->validation;
        engine_set_facts(trail);
    }
    return 0;
}

int engine_resume_account(Account *account) {
    _cleanup_free_ const char *assumed = strdup(engine_account_named(account));
    bool first = !account->begun;
    int r;

    if (!assumed)
        return -ENOMEM;
    /* repeated, because the partition may not have been known before */
    r = engine_add_configured_targets(account);
    if (r >= 0 && first) {
        r = take_account_row(account, assumed);
        r = r < 0 ? r : take_trail_rows(account, assumed);
    }
    if (r >= 0)
        r = add_trails_named_by_arn(account);
    if (r >= 0)
        r = add_recorded_trails(account);
    if (r >= 0)
        r = add_remembered_trails(account);
    /* last: a region that is not configured becomes a target when a trail that lives there is loaded */
    return r >= 0 && first ? take_target_rows(account, assumed) : r;
}

/* ---- what is no longer guarded ---- */

static AccountPlace place_of(const Engine *engine, const char *id) {
    const Account *account = engine_account_by_id(engine, id);

    return (AccountPlace){
        .elsewhere = engine_is_elsewhere(engine, id),
        .known = account,
        .guarded = account && account->guarded,
        .begun = account && account->begun,
        .all_known = engine->base->identity[0] &&
                     (!engine->config->organization.role_name || engine->account_list.known),
    };
}

/* True if every list was read or has failed. */
static bool are_listed(const Engine *engine) {
    unsigned unreachable_after = engine_intervals(engine).unreachable_after;
    bool listed = true;

    for (size_t i = 0; listed && i < engine->n_targets; i++) {
        const Target *target = engine->targets[i];

        listed = !list_is_awaited(engine_list_is_to_come(target), engine_account_is_open(target->account),
                                  TARGET_STATE(target, n_failed), unreachable_after);
    }
    return listed;
}

/* NULL: it is guarded, or this is not known yet. */
static const char *why_unguarded(const Engine *engine, const StateTrail *row) {
    const char *via = row->via && row->via[0] ? row->via : row->account;
    const Account *account = engine_account_by_id(engine, via);
    const FormerTrail trail = {
        .account = place_of(engine, via),
        .ignored = engine_is_ignored(engine, row->name, row->arn),
        .elsewhere = engine_is_elsewhere(engine, row->account),
        .organization = row->organization,
        .all_listed = row->organization && are_listed(engine),
        .named = account && is_row_guarded(account, row),
    };

    return scope_ended_text(scope_trail_ended(&trail));
}

/* The row stays: if the trail is guarded again, it is known that it was before. */
static void end_row(Engine *engine, StateTrail *row, const char *why) {
    Subject subject = { .name = row->name, .arn = row->arn, .account = row->account, .region = row->region };
    TrailFacts facts = { 0 };
    Policy policy = engine_policy(engine);
    TrailState next;
    Plan plan;

    guard_trail(&policy, &facts, &row->state, &(TrailInput){ .kind = GUARD_FORGOTTEN, .why = why },
                engine_now(engine), &plan, &next);
    if (engine_queue_messages(engine, &subject, &plan) < 0)
        return; /* retried at the next pass */
    log_line(LOG_NOTICE, "%s%s%s %s: no longer guarded: %s", row->name, row->region[0] ? " " : "",
             row->region, row->account, why);
    row->state = next;
    drift_done(&row->changes);
    free(TAKE_PTR(row->episode));
    if (row->intent && state_intent_remove(engine->state_dir, row) >= 0)
        row->intent = false;
    engine_save_soon(engine, true);
}

/* A region, or with "" a whole account. */
static void end_target_row(Engine *engine, const char *account, const char *region, TargetState *state,
                           const char *why) {
    Subject subject = { .name = "", .arn = "", .account = account, .region = region };

    engine_forget_target(engine, &subject, state, why); /* if that fails, retried at the next pass */
}

/* The state of what is guarded is in the tables; rows that were loaded from the file are not polled. */
static void end_target_rows(Engine *engine) {
    for (size_t i = 0; i < engine->unclaimed.n_targets; i++) {
        StateTarget *row = &engine->unclaimed.targets[i];
        const AccountPlace account = place_of(engine, row->account);
        const char *why = scope_ended_text(scope_region_ended(&account));

        if (why && guard_target_owes_end(&row->state) && !engine_has_target(engine, row))
            end_target_row(engine, row->account, row->region, &row->state, why);
    }
}

const char *engine_why_account_ended(const Engine *engine, const char *id) {
    const AccountPlace account = place_of(engine, id);

    return scope_ended_text(scope_account_ended(&account));
}

static void end_account_rows(Engine *engine) {
    for (size_t i = 0; i < engine->unclaimed.n_accounts; i++) {
        StateAccount *row = &engine->unclaimed.accounts[i];
        const char *why = engine_why_account_ended(engine, row->account);

        if (why && guard_target_owes_end(&row->state))
            end_target_row(engine, row->account, "", &row->state, why);
    }
}

void engine_end_unguarded(Engine *engine) {
    end_target_rows(engine);
    end_account_rows(engine);
    for (size_t i = 0; i < engine->unclaimed.n_trails; i++) {
        StateTrail *row = &engine->unclaimed.trails[i];
        const char *why = guard_owes_end(&row->state.incident) ? why_unguarded(engine, row) : NULL;

        if (why)
            end_row(engine, row, why);
    }
}
