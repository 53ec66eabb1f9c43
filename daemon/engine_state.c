/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's tables and the state file: saved rows are loaded with the account that they belong to. */
#include <errno.h>
#include <malloc.h>
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

/* How much a crash may lose of the times at which searches for the caller begin. */
#define SAVE_CALM_MIN_USEC (60 * USEC_PER_SEC)
#define SAVE_CALM_MAX_USEC (600 * USEC_PER_SEC)
#define SAVE_AGAIN_USEC    (5 * USEC_PER_SEC) /* after a failure */

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
    engine->causes = TAKE_PTR(engine->unclaimed.causes);
    engine->n_causes = engine->unclaimed.n_causes;
    engine->unclaimed.n_causes = 0;
    engine_sort_causes(engine);
    engine->contain = engine->unclaimed.contain;
    engine->unclaimed.contain = (ContainHistory){ 0 };
    engine->guard.records = TAKE_PTR(engine->unclaimed.guards);
    engine->guard.n_records = engine->unclaimed.n_guards;
    engine->unclaimed.n_guards = 0;
    engine->account_list.trouble = engine->unclaimed.organization;
    engine->identities = engine->unclaimed.identities;
    engine->weak_since_usec = engine->unclaimed.weak_since_usec;
    memcpy(engine->weak_account, engine->unclaimed.weak_account, sizeof(engine->weak_account));
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

/* ---- saving ---- */

/* Borrows from the trail. */
static StateTrail row_of(const Trail *t, const TrailState *state) {
    const char *via = engine_account_named(t->via);
    StateTrail row = {
        .name = (char *)t->name,
        .arn = t->arn,
        .account = (char *)t->account,
        .region = (char *)t->region,
        .via = text_equal(via, t->account) ? NULL : (char *)via,
        .organization = t->organization,
        .validation = t->facts.validation,
        .state = *state,
    };

    /* changes of another incident belong to a waiting message */
    if (engine_has_changes_of(t, &state->incident)) {
        row.changes = *drift_kept(t->tracking.changes);
        row.episode = t->tracking.episode;
    }
    return row;
}

/* The row that is being written. */
typedef struct RowSource {
    const Engine *engine;
    StateTrail trail;
    StateTarget target;
    StateAccount account;
} RowSource;

static const StateTrail *engine_state_trail_row(void *userdata, size_t i) {
    RowSource *rows = userdata;
    const Engine *engine = rows->engine;
    const Trail *t = i < engine->n_trails ? engine->trails[i] : NULL;
    TrailState reported;

    if (!t) {
        const StateTrail *row = &engine->unclaimed.trails[i - engine->n_trails];
        bool elsewhere = engine_is_elsewhere(engine, row->account);

        return former_trail_is_kept(guard_owes_end(&row->state.incident), elsewhere) ? row : NULL;
    }
    reported = engine_reported(t);
    if (!guard_has_row(&reported))
        return NULL;
    rows->trail = row_of(t, &reported);
    return &rows->trail;
}

static bool has_account(const Engine *engine, const char *id) {
    for (size_t i = 0; i < engine->n_accounts; i++)
        if (text_equal(engine_account_named(engine->accounts[i]), id))
            return true;
    return false;
}

static const StateAccount *engine_state_account_row(void *userdata, size_t i) {
    RowSource *rows = userdata;
    const Engine *engine = rows->engine;
    const Account *a = i < engine->n_accounts ? engine->accounts[i] : NULL;
    const char *id = a ? engine_account_named(a) : "";

    if (!a) {
        const StateAccount *row = &engine->unclaimed.accounts[i - engine->n_accounts];

        return guard_target_owes_end(&row->state) && !has_account(engine, row->account) ? row : NULL;
    }
    rows->account = (StateAccount){
        .account = (char *)id,
        .name = a->name,
        .base = a == engine->base,
        .member = a->member,
        .left = a->left,
        .state = states_target(a->state),
        .n_appeared = a->unaccepted.n_appeared,
        .n_gone = a->unaccepted.n_gone,
        .unaccepted_usec = a->unaccepted.since_usec,
    };
    (void)text_copy(rows->account.unaccepted_names, sizeof(rows->account.unaccepted_names),
                    a->unaccepted_names);
    /* of one that AWS has not named yet: what is wrong with its keys */
    return id[0] || (a == engine->base && rows->account.state.failed_since_usec != 0) ? &rows->account
                                                                                      : NULL;
}

static const StateTarget *engine_state_target_row(void *userdata, size_t i) {
    RowSource *rows = userdata;
    const Engine *engine = rows->engine;
    Target *t = i < engine->n_targets ? engine->targets[i] : NULL;

    if (!t) {
        const StateTarget *row = &engine->unclaimed.targets[i - engine->n_targets];

        /* kept until the messages that end its incidents are in the outbox */
        return guard_target_owes_end(&row->state) && !engine_has_target(engine, row) ? row : NULL;
    }
    rows->target = (StateTarget){
        .account = (char *)engine_account_named(t->account),
        .region = (char *)t->region,
        .state = states_target(t->state),
    };
    return &rows->target;
}

/* Rows of the file that nothing has taken over or ended yet. */
static void add_unclaimed(ChannelTrouble *rows, size_t *n, const ChannelTrouble *unclaimed, size_t n_more) {
    for (size_t i = 0; i < n_more; i++)
        rows[(*n)++] = unclaimed[i];
}

static int add_unheard_channels(const Engine *engine, StateTable *table) {
    const StateTable *before = &engine->unclaimed;
    size_t n = engine->channel_watch ? engine->config->n_channels : 0;

    table->unheard = calloc(n + before->n_unheard + 1, sizeof(*table->unheard));
    if (!table->unheard)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        table->n_unheard +=
                channel_watch_trouble(engine->channel_watch, i, &table->unheard[table->n_unheard]);
    add_unclaimed(table->unheard, &table->n_unheard, before->unheard, before->n_unheard);
    return 0;
}

static int add_failed_channels(const Engine *engine, StateTable *table) {
    const StateTable *before = &engine->unclaimed;
    size_t n = engine->deliver ? deliver_n_channels(engine->deliver) : 0;

    table->channels = calloc(n + before->n_channels + 2, sizeof(*table->channels));
    if (!table->channels)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        ChannelTrouble *trouble = &table->channels[table->n_channels];
        ChannelStatus status;

        deliver_channel_status(engine->deliver, i, &status);
        if (status.failed_since_usec == 0)
            continue;
        trouble->channel = (char *)status.channel;
        trouble->since_usec = status.failed_since_usec;
        trouble->by_check = status.by_check;
        trouble->pending = !status.failed;
        (void)text_copy(trouble->account, sizeof(trouble->account), status.account);
        (void)text_copy(trouble->text, sizeof(trouble->text), status.text);
        table->n_channels++;
    }
    table->n_channels += heartbeat_trouble(engine->heartbeat, &table->channels[table->n_channels]);
    add_unclaimed(table->channels, &table->n_channels, before->channels, before->n_channels);
    return add_unheard_channels(engine, table);
}

/* ---- intents ---- */

void engine_save_intent(Trail *trail) {
    Engine *engine = trail->engine;
    const TrailState state = states_trail(trail->state);
    StateTrail row = row_of(trail, &state);
    int r;

    if (engine->once)
        return;
    r = state_intent_save(engine->state_dir, &row);
    /* the action goes on: recording comes first */
    if (r < 0 && !engine->intent_failed)
        log_line(LOG_ERR,
                 "%s/intents: cannot be written: %s; a crash now would leave what is done unreported",
                 engine->state_dir, file_strerror(r));
    else if (r >= 0 && engine->intent_failed)
        log_line(LOG_NOTICE, "%s/intents: written again", engine->state_dir);
    engine->intent_failed = r < 0;
    trail->has_intent = true; /* a failed write can have left a file, too */
}

void engine_remove_intent(Trail *trail) {
    const TrailState reported = engine_reported(trail);
    StateTrail row = row_of(trail, &reported);

    if (trail->has_intent && state_intent_remove(trail->engine->state_dir, &row) >= 0)
        trail->has_intent = false;
}

/* Called when the state file records that the alert is in the outbox. False if a file could not be
 * removed. */
static bool remove_reported_intents(Engine *engine) {
    bool all = true;

    for (size_t i = 0; i < engine->n_trails; i++) {
        Trail *t = engine->trails[i];
        TrailState reported, state;

        if (!t->has_intent)
            continue;
        reported = engine_reported(t);
        state = states_trail(t->state);
        if (guard_intent_is_reported(&reported, &state)) {
            engine_remove_intent(t);
            all = all && !t->has_intent;
        }
    }
    return all;
}

/* A state file that could not be read is not overwritten, because it may be intact. Once it can be read, it
 * is loaded as at the start. */
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

static int save_rows(const Engine *engine) {
    RowSource *source = calloc(1, sizeof(*source));
    const StateRows rows = { engine_state_trail_row, engine_state_target_row, engine_state_account_row,
                             source };
    StateTable table = {
        .rows = &rows,
        .n_trails = engine->n_trails + engine->unclaimed.n_trails,
        .n_targets = engine->n_targets + engine->unclaimed.n_targets,
        .n_accounts = engine->n_accounts + engine->unclaimed.n_accounts,
        .causes = engine->causes,
        .n_causes = engine->n_causes,
        .contain = engine->contain,
        .guards = engine->guard.records,
        .n_guards = engine->guard.n_records,
        .organization = engine->account_list.trouble,
        .identities = engine->identities,
        .weak_since_usec = engine->weak_since_usec,
    };
    int r = source ? add_failed_channels(engine, &table) : -ENOMEM;

    memcpy(table.weak_account, engine->weak_account, sizeof(table.weak_account));

    if (r >= 0) {
        source->engine = engine;
        r = state_save(engine->state_dir, &table);
    }
    free(table.channels);
    free(table.unheard);
    free(source);
    return r;
}

static void save_fired(void *userdata);

/* Logs the beginning and the end; status and metrics show it meanwhile. -EAGAIN: it waits for the outbox. */
static void note_saved(Engine *engine, int r) {
    bool failed = engine->save_problem[0];

    if (r >= 0)
        engine->save_problem[0] = '\0';
    else if (r == -EAGAIN)
        (void)snprintf(engine->save_problem, sizeof(engine->save_problem),
                       "%.300s/state.json: cannot be written while alerts are only in memory",
                       engine->state_dir);
    else
        (void)snprintf(engine->save_problem, sizeof(engine->save_problem),
                       "%.300s/state.json: cannot be written: %s", engine->state_dir, file_strerror(r));
    if (r < 0 && !failed)
        log_line(LOG_ERR, "%s; a restart would report again what was reported since", engine->save_problem);
    else if (r >= 0 && failed)
        log_line(LOG_NOTICE, "%s/state.json: written again", engine->state_dir);
}

void engine_save_state(Engine *engine) {
    uint64_t began_usec = engine_now(engine).real_usec;
    bool done;
    int r;

    if (engine->once)
        return;
    engine_write_begins(engine, &engine->save);
    if (is_still_unread(engine)) {
        engine_written(engine, &engine->save);
        return;
    }
    /* a crash would lose alerts that the state says are raised */
    r = engine->outbox && !outbox_is_durable(engine->outbox) ? -EAGAIN : save_rows(engine);
    note_saved(engine, r);
    if (r >= 0)
        engine->saved_usec = began_usec;
    done = r >= 0 && remove_reported_intents(engine);
    /* returns memory of many simultaneous polls, and of writing, to the kernel */
    (void)malloc_trim(0);
    engine_written(engine, &engine->save);
    /* after a crash before the next save, reports would be repeated; changed times can wait */
    if (!done) {
        engine->save.calm = true;
        (void)loop_rearm(engine->aws.loop, SAVE_AGAIN_USEC, save_fired, engine, &engine->save.timer);
    }
}

static void save_fired(void *userdata) {
    engine_save_state(userdata);
}

/* Reports are saved soon; changed times can wait. */
void engine_save_soon(Engine *engine, bool now) {
    if (engine->once)
        return;
    if (now)
        engine_write_soon(engine, &engine->save, save_fired);
    else
        engine_write_calmly(engine, &engine->save, SAVE_CALM_MIN_USEC, SAVE_CALM_MAX_USEC, save_fired);
}

/* A file that cannot be written delays no alert, and neither does the limit for writing: if thousands of
 * alerts come within seconds, some may get a second id after a crash. */
void engine_save_mark(Engine *engine, uint64_t taken_usec) {
    uint64_t now_usec = engine_now(engine).real_usec;

    if (schedule_mark_is_unsaved(taken_usec, engine->saved_usec, now_usec) && !engine->save_problem[0] &&
        !engine->state_unread && engine_write_is_paid(engine, &engine->save))
        engine_save_state(engine);
}
