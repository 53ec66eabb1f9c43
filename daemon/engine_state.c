/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's tables and the state file: what was known comes back with the account that it belongs to. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/settings.h"
#include "daemon/engine_private.h"
#include "daemon/log.h"
#include "lib/arn.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define SAVE_LAZILY_USEC (60 * USEC_PER_SEC)

/* ---- loading ---- */

int engine_peek_state(Engine *engine, char error[static ENGINE_ERROR_MAX]) {
    int r = state_peek(engine->state_dir, &engine->recorded, engine->record_problem,
                       sizeof(engine->record_problem));

    engine->has_state_file = r > 0;
    if (r == -ENOMEM)
        (void)snprintf(error, ENGINE_ERROR_MAX, "out of memory");
    return r == -ENOMEM ? r : 0;
}

int engine_load_state(Engine *engine, char error[static ENGINE_ERROR_MAX]) {
    int r;

    engine->state_returned = false;
    if (engine->once)
        return 0;
    r = state_load(engine->state_dir, engine_now(engine).real_usec, &engine->unclaimed, error,
                   ENGINE_ERROR_MAX);
    engine->state_unread = r < 0 && r != -ENOMEM;
    if (engine->state_unread) {
        log_line(LOG_ERR, "%s; guarding without it, and reading it again every minute", error);
        error[0] = '\0';
        r = 0;
    }
    if (r >= 0)
        r = state_intents_load(engine->state_dir, engine_now(engine).real_usec, &engine->unclaimed);
    if (r == -ENOMEM)
        (void)snprintf(error, ENGINE_ERROR_MAX, "out of memory");
    return r;
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

static bool is_its_row(const Account *account, const char *assumed, const char *id) {
    if (text_equal(id, assumed))
        return true;
    return !account->role_arn && !assumed[0] && !engine_account_by_id(account->engine, id);
}

static void take_account_row(Account *account, const char *assumed) {
    const StateTable *unclaimed = &account->engine->unclaimed;

    for (size_t i = 0; i < unclaimed->n_accounts; i++)
        if (text_equal(unclaimed->accounts[i].account, assumed))
            account->state = unclaimed->accounts[i].state;
}

static void take_target_rows(Account *account, const char *assumed) {
    const StateTable *unclaimed = &account->engine->unclaimed;

    for (size_t i = 0; i < unclaimed->n_targets; i++) {
        const StateTarget *row = &unclaimed->targets[i];

        if (!is_its_row(account, assumed, row->account))
            continue;
        for (size_t k = 0; k < account->n_targets; k++)
            if (text_equal(account->targets[k]->region, row->region))
                account->targets[k]->state = row->state;
    }
}

static void take_state(Trail *trail, StateTrail *row) {
    trail->organization = row->organization;
    trail->facts.validation = row->validation;
    trail->state = trail->told = row->state;
    trail->has_intent = row->intent;
    engine_set_facts(trail);
    engine_resume_tracking(trail, &row->changes, &row->episode);
    engine_resume_trail(trail);
    if (trail->state.weakness_untold)
        engine_weakness_waits(trail->engine);
}

/* 1 when the row is in the table of trails now, 0 when it stays in the file only. */
static int take_trail_row(Account *account, StateTrail *row) {
    Trail *trail;

    if (!engine_is_guarded(account, row->name, row->arn) ||
        (!row->arn[0] && config_account_trails(account->engine->config, account->config)->all))
        return 0;
    trail = row->arn[0] ? engine_trail_by_arn(account->engine, row->arn) : NULL;
    if (!trail)
        trail = engine_add_trail(account, row->name, row->arn, row->account, row->region);
    if (!trail)
        return -ENOMEM;
    take_state(trail, row);
    return 1;
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

    for (size_t i = 0; i < unclaimed->n_trails; i++)
        if (text_equal(unclaimed->trails[i].arn, trail->arn)) {
            take_state(trail, &unclaimed->trails[i]);
            drop_row(unclaimed, i);
            return;
        }
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

/* Is a trail that the configuration names by its ARN for this account to look at? Its owner's, when that is
 * guarded; else the account's that names it for itself, or the first one's. */
static bool is_for(const Account *account, const char *owner) {
    const Engine *engine = account->engine;
    const Account *holder = engine_account_by_id(engine, owner);
    const StringList *trails = config_account_trails(engine->config, account->config);

    if (holder && holder->guarded)
        return holder == account;
    if (trails != &engine->config->trails)
        return true;
    for (size_t i = 0; i < engine->n_accounts; i++)
        if (engine->accounts[i]->guarded)
            return engine->accounts[i] == account;
    return false;
}

static int add_trails_named_by_arn(Account *account) {
    const StringList *trails = config_account_trails(account->engine->config, account->config);

    for (size_t i = 0; i < trails->n; i++) {
        const char *text = trails->items[i];
        Arn arn;

        if (arn_parse(text, &arn) >= 0 && is_for(account, arn.account) &&
            !engine_trail_by_arn(account->engine, text) && !engine_add_trail_by_arn(account, text))
            return -ENOMEM;
    }
    return 0;
}

/* A trail with a baseline was guarded, also when the state file is lost and no list shows the trail. Whether
 * it is gone can be said only by its home, and only to the account that owns it. */
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
    return row->arn[0] && (row->state.known || (row->state.findings & FINDING_BIT(FINDING_MISSING))) &&
           text_equal(row->via[0] ? row->via : row->account, engine_account_named(account)) &&
           engine_is_guarded(account, row->name, row->arn);
}

/* A check: trails that the daemon guarded, so that one that is gone is missed. */
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
        trail->facts.validation = row->validation;
        engine_set_facts(trail);
    }
    return 0;
}

int engine_begin_account(Account *account) {
    _cleanup_free_ const char *assumed = strdup(engine_account_named(account));
    bool first = !account->begun;
    int r;

    if (!assumed)
        return -ENOMEM;
    /* also again: the partition may not have been known before */
    r = engine_add_configured_targets(account);
    if (r >= 0 && first) {
        take_account_row(account, assumed);
        take_target_rows(account, assumed);
        r = take_trail_rows(account, assumed);
    }
    if (r >= 0)
        r = add_trails_named_by_arn(account);
    if (r >= 0)
        r = add_recorded_trails(account);
    if (r >= 0)
        r = add_remembered_trails(account);
    engine_adopt_trails(account);
    account->begun = true;
    return r;
}

/* ---- what is not guarded any more ---- */

/* Of an account that is in no table: NULL while not all are known. */
static const char *why_unknown(const Engine *engine) {
    if (!engine->base->identity[0] ||
        (engine->config->organization.role_name && !engine->account_list.known))
        return NULL;
    return ENGINE_ACCOUNT_GONE;
}

/* Have all lists been read, or failed? Until then another account may show an organization's trail. */
static bool are_listed(const Engine *engine) {
    unsigned unreachable_after = engine_intervals(engine).unreachable_after;

    for (size_t i = 0; i < engine->n_targets; i++) {
        const Target *target = engine->targets[i];

        if (target->configured && engine_account_is_open(target->account) && !target->listed &&
            !target->state.not_enabled && target->state.n_failed < unreachable_after)
            return false;
    }
    return true;
}

/* NULL: it is, or that cannot be said yet. */
static const char *why_unguarded(const Engine *engine, const StateTrail *row) {
    const Account *account = engine_account_by_id(engine, row->via && row->via[0] ? row->via : row->account);

    if (engine_is_ignored(engine, row->name, row->arn))
        return "the configuration ignores it";
    if (row->organization && (!account || !account->guarded) && !are_listed(engine))
        return NULL;
    if (!account)
        return why_unknown(engine);
    if (!account->guarded)
        return ENGINE_ACCOUNT_GONE;
    if (!account->begun || engine_is_guarded(account, row->name, row->arn))
        return NULL;
    return ENGINE_NOT_NAMED;
}

/* The row stays: should it be guarded again, it is known that it was before. */
static void end_row(Engine *engine, StateTrail *row, const char *why) {
    Subject subject = { .name = row->name, .arn = row->arn, .account = row->account, .region = row->region };
    TrailFacts facts = { 0 };
    Policy policy = engine_policy(engine);
    TrailState next;
    Plan plan;

    guard_trail(&policy, &facts, &row->state, &(TrailInput){ .kind = GUARD_FORGOTTEN, .why = why },
                engine_now(engine), &plan, &next);
    if (engine_carry_tells(engine, &subject, &plan) < 0)
        return; /* at the next pass */
    log_line(LOG_NOTICE, "%s%s%s %s: no longer guarded: %s", row->name, row->region[0] ? " " : "",
             row->region, row->account, why);
    row->state = next;
    drift_done(&row->changes);
    free(row->episode);
    row->episode = NULL;
    if (row->intent && state_intent_remove(engine->state_dir, row) >= 0)
        row->intent = false;
    engine_save_soon(engine, true);
}

static bool has_open(const TargetState *s) {
    return s->sight.open || s->cover.open || s->list.open;
}

static bool has_target(const Engine *engine, const StateTarget *row) {
    for (size_t i = 0; i < engine->n_targets; i++)
        if (text_equal(engine->targets[i]->region, row->region) &&
            text_equal(engine_account_named(engine->targets[i]->account), row->account))
            return true;
    return false;
}

/* Of a region or, with "", of an account as a whole. */
static void end_target_row(Engine *engine, const char *account, const char *region, TargetState *state,
                           const char *why) {
    Subject subject = { .name = "", .arn = "", .account = account, .region = region };
    Policy policy = engine_policy(engine);
    TargetState next;
    Plan plan;

    guard_target_forgotten(&policy, state, why, engine_now(engine), &plan, &next);
    if (engine_carry_tells(engine, &subject, &plan) < 0)
        return; /* at the next pass */
    log_line(LOG_NOTICE, "%s%s%s: no longer guarded: %s", region, region[0] ? " " : "", account, why);
    *state = next;
    engine_save_soon(engine, true);
}

/* What is guarded has its state in the tables; a row that came from there is not polled. */
static void end_target_rows(Engine *engine) {
    for (size_t i = 0; i < engine->unclaimed.n_targets; i++) {
        StateTarget *row = &engine->unclaimed.targets[i];
        const Account *account = engine_account_by_id(engine, row->account);
        const char *why = account ? NULL : why_unknown(engine);

        if (account)
            why = !account->guarded ? ENGINE_ACCOUNT_GONE
                  : account->begun  ? "`regions` does not have it any more"
                                    : NULL;
        if (why && has_open(&row->state) && !has_target(engine, row))
            end_target_row(engine, row->account, row->region, &row->state, why);
    }
}

static void end_account_rows(Engine *engine) {
    for (size_t i = 0; i < engine->unclaimed.n_accounts; i++) {
        StateAccount *row = &engine->unclaimed.accounts[i];
        const Account *account = engine_account_by_id(engine, row->account);
        const char *why = account ? NULL : why_unknown(engine);

        if (account && !account->guarded)
            why = ENGINE_ACCOUNT_GONE;
        if (why && has_open(&row->state))
            end_target_row(engine, row->account, "", &row->state, why);
    }
}

void engine_end_unguarded(Engine *engine) {
    end_target_rows(engine);
    end_account_rows(engine);
    for (size_t i = 0; i < engine->unclaimed.n_trails; i++) {
        StateTrail *row = &engine->unclaimed.trails[i];
        const char *why = row->state.incident.open ? why_unguarded(engine, row) : NULL;

        if (why)
            end_row(engine, row, why);
    }
}

/* ---- saving ---- */

/* Borrows from the trail. */
static StateTrail row_of(const Trail *t, const TrailState *state) {
    const char *via = engine_account_named(t->via);
    StateTrail row = {
        .name = t->name,
        .arn = t->arn,
        .account = t->account,
        .region = (char *)t->region,
        .via = text_equal(via, t->account) ? NULL : (char *)via,
        .organization = t->organization,
        .validation = t->facts.validation,
        .state = *state,
    };

    /* those of another incident belong to a message that waits */
    if (engine_has_changes_of(t, &state->incident)) {
        row.changes = t->tracking.changes;
        row.episode = t->tracking.episode;
    }
    return row;
}

static void fill_trails(const Engine *engine, StateTable *table) {
    for (size_t i = 0; i < engine->n_trails; i++) {
        const Trail *t = engine->trails[i];

        if (t->told.known || t->told.incident.opened_usec != 0)
            table->trails[table->n_trails++] = row_of(t, &t->told);
    }
    /* Trails that this configuration does not guard stay in the file: a trail that was seen once is not
     * forgotten. */
    for (size_t i = 0; i < engine->unclaimed.n_trails; i++)
        table->trails[table->n_trails++] = engine->unclaimed.trails[i];
}

static bool has_account(const Engine *engine, const char *id) {
    for (size_t i = 0; i < engine->n_accounts; i++)
        if (text_equal(engine_account_named(engine->accounts[i]), id))
            return true;
    return false;
}

static void fill_accounts(const Engine *engine, StateTable *table) {
    for (size_t i = 0; i < engine->n_accounts; i++) {
        const Account *a = engine->accounts[i];
        const char *id = engine_account_named(a);

        if (id[0])
            table->accounts[table->n_accounts++] = (StateAccount){
                .account = (char *)id,
                .name = a->name,
                .base = a == engine->base,
                .member = a->member,
                .left = a->left,
                .state = a->state,
            };
    }
    for (size_t i = 0; i < engine->unclaimed.n_accounts; i++) {
        const StateAccount *row = &engine->unclaimed.accounts[i];

        if (has_open(&row->state) && !has_account(engine, row->account))
            table->accounts[table->n_accounts++] = *row;
    }
}

static void fill_targets(const Engine *engine, StateTable *table) {
    for (size_t i = 0; i < engine->n_targets; i++)
        table->targets[table->n_targets++] = (StateTarget){
            .account = (char *)engine_account_named(engine->targets[i]->account),
            .region = engine->targets[i]->region,
            .state = engine->targets[i]->state,
        };
    /* until the messages are in the outbox that end their incidents */
    for (size_t i = 0; i < engine->unclaimed.n_targets; i++)
        if (has_open(&engine->unclaimed.targets[i].state) &&
            !has_target(engine, &engine->unclaimed.targets[i]))
            table->targets[table->n_targets++] = engine->unclaimed.targets[i];
}

static int add_failed_channels(const Engine *engine, StateTable *table) {
    size_t n = engine->deliver ? deliver_n_channels(engine->deliver) : 0;

    table->channels = calloc(n + 1, sizeof(*table->channels));
    if (!table->channels)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        ChannelTrouble *trouble = &table->channels[table->n_channels];
        ChannelStatus status;

        deliver_channel_status(engine->deliver, i, &status);
        if (!status.failed)
            continue;
        trouble->channel = (char *)status.channel;
        trouble->since_usec = status.failed_since_usec;
        (void)text_copy(trouble->text, sizeof(trouble->text), status.text);
        table->n_channels++;
    }
    return 0;
}

/* ---- intents ---- */

void engine_save_intent(Trail *trail) {
    Engine *engine = trail->engine;
    StateTrail row = row_of(trail, &trail->state);
    int r;

    if (engine->once)
        return;
    r = state_intent_save(engine->state_dir, &row);
    /* it is done all the same: recording comes first */
    if (r < 0 && !engine->intent_failed)
        log_line(LOG_ERR,
                 "%s/intents: cannot be written: %s; a crash now would leave what is done unreported",
                 engine->state_dir, file_strerror(r));
    else if (r >= 0 && engine->intent_failed)
        log_line(LOG_NOTICE, "%s/intents: written again", engine->state_dir);
    engine->intent_failed = r < 0;
    trail->has_intent = trail->has_intent || r >= 0;
}

void engine_remove_intent(Trail *trail) {
    StateTrail row = row_of(trail, &trail->told);

    if (trail->has_intent && state_intent_remove(trail->engine->state_dir, &row) >= 0)
        trail->has_intent = false;
}

/* Once the state file says that the alert is in the outbox. */
static void remove_reported_intents(Engine *engine) {
    for (size_t i = 0; i < engine->n_trails; i++) {
        Trail *t = engine->trails[i];

        if (t->has_intent && t->told.intent_usec == t->state.intent_usec && !t->told.pending.set &&
            !t->told.pending_restore.set)
            engine_remove_intent(t);
    }
}

/* A state file that could not be read is not overwritten: it may be a good one. Once it can be read, it is
 * taken up as at a start. */
static bool is_still_unread(Engine *engine) {
    StateTable table = { 0 };
    char error[ENGINE_ERROR_MAX];

    if (!engine->state_unread)
        return false;
    if (!engine->state_returned &&
        state_load(engine->state_dir, engine_now(engine).real_usec, &table, error, sizeof(error)) >= 0) {
        log_line(LOG_NOTICE, "%s/state.json: can be read again", engine->state_dir);
        engine->state_returned = true;
        (void)raise(SIGHUP);
    }
    state_table_done(&table);
    return true;
}

void engine_save_state(Engine *engine) {
    uint64_t began_usec = engine_now(engine).mono_usec;
    StateTable table = { 0 };
    int r;

    if (engine->once)
        return;
    if (is_still_unread(engine)) {
        engine_written(engine, &engine->save, began_usec);
        return;
    }
    table.trails = calloc(engine->n_trails + engine->unclaimed.n_trails + 1, sizeof(*table.trails));
    table.targets = calloc(engine->n_targets + engine->unclaimed.n_targets + 1, sizeof(*table.targets));
    table.accounts = calloc(engine->n_accounts + engine->unclaimed.n_accounts + 1, sizeof(*table.accounts));
    if (!table.trails || !table.targets || !table.accounts || add_failed_channels(engine, &table) < 0)
        goto out;
    fill_trails(engine, &table);
    fill_targets(engine, &table);
    fill_accounts(engine, &table);
    r = state_save(engine->state_dir, &table);
    if (r < 0 && !engine->save_failed)
        log_line(LOG_ERR,
                 "%s/state.json: cannot be written: %s; a restart would tell again what was told since",
                 engine->state_dir, file_strerror(r));
    else if (r >= 0 && engine->save_failed)
        log_line(LOG_NOTICE, "%s/state.json: written again", engine->state_dir);
    engine->save_failed = r < 0;
    if (r >= 0)
        remove_reported_intents(engine);
out:
    free(table.trails);
    free(table.targets);
    free(table.accounts);
    free(table.channels);
    engine_written(engine, &engine->save, began_usec);
}

static void save_fired(void *userdata) {
    Engine *engine = userdata;

    engine->save.timer = NULL;
    engine_save_state(engine);
}

/* What was told is written soon; times that only moved on may wait. */
void engine_save_soon(Engine *engine, bool now) {
    if (engine->once)
        return;
    if (now) {
        loop_cancel(engine->aws.loop, engine->save.timer);
        engine->save.timer = NULL;
        engine_write_soon(engine, &engine->save, save_fired);
    } else if (!engine->save.timer)
        (void)loop_after(engine->aws.loop, SAVE_LAZILY_USEC, save_fired, engine, &engine->save.timer);
}
