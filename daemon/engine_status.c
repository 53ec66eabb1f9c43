/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's status, for STATUS=, status.json and `check`. */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/core/alert.h"
#include "daemon/core/protection_rows.h"
#include "daemon/engine_private.h"
#include "daemon/guard_policy.h"
#include "daemon/log.h"
#include "daemon/version.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* status.json is never older than this at any cost: readers may take an older one for that of a daemon that
 * hangs. */
#define PUBLISH_CALM_MAX_USEC (30 * USEC_PER_SEC)

/* The metrics file is written as often as trails are polled, at least at the first interval if that is
 * cheap, and always at the second. */
#define MEASURE_MIN_USEC (15 * USEC_PER_SEC)
#define MEASURE_MAX_USEC (60 * USEC_PER_SEC)

typedef char IncidentId[17];

/* For a check. */
static const TrailState *state_before(const Engine *engine, const Trail *trail) {
    const StateTrail *row = trail->arn[0] ? state_table_trail(&engine->recorded, trail->arn) : NULL;

    return row ? &row->state : NULL;
}

/* The rows that are being shown. */
typedef struct RowSource {
    const Engine *engine;
    Intervals intervals;
    Account **accounts; /* in the order of their rows */
    size_t n_accounts;
    Target **targets;
    size_t n_targets;
    Account **unreached; /* accounts with one row in place of their regions */
    size_t n_unreached;
    StatusTrail trail;
    TrailState trail_state;
    IncidentId incident;
    StatusTarget target;
    TargetState target_state;
    StatusAccount account;
    TargetState account_state;
} RowSource;

static const StatusTrail *engine_status_trail_row(void *userdata, size_t i) {
    RowSource *rows = userdata;
    const Trail *trail = rows->engine->trails[i];
    const TrailState *s = &rows->trail_state;
    bool has_changes;

    rows->trail_state = states_trail(trail->state);
    has_changes = engine_has_changes_of(trail, &s->incident);
    rows->trail = (StatusTrail){
        .subject = engine_trail_subject(trail),
        .state = s,
        .incident_id = rows->incident,
        .changes = has_changes ? trail->tracking.changes : NULL,
        .episode = has_changes ? trail->tracking.episode : NULL,
        .organization = trail->organization,
        .has_baseline = trail->tracking.recorded && !s->provisional,
        .baseline_unreadable = trail->tracking.unreadable,
        .not_recorded = engine_not_recorded(trail),
        .owner_unchecked = trail->tracking.unasked_bucket != NULL,
        .provisional = s->provisional,
        .before = state_before(rows->engine, trail),
    };
    rows->incident[0] = '\0';
    if (s->incident.open)
        (void)alert_incident_id(&rows->trail.subject, s->incident.dedup_usec, rows->incident);
    return &rows->trail;
}

static const StatusAccount *engine_status_account_row(void *userdata, size_t i) {
    RowSource *rows = userdata;
    const Account *account = rows->accounts[i];

    assert(account); /* i is one of all_rows() */
    rows->account_state = states_target(account->state);
    rows->account = (StatusAccount){
        .id = account->id,
        .name = account->name,
        .role_arn = account->role_arn ? account->role_arn : "",
        .identity = account->identity,
        .state = &rows->account_state,
        .blocked = account->blocked,
        .left = account->left,
    };
    return &rows->account;
}

static uint64_t count_calls(const Target *target, const Intervals *intervals) {
    TargetCalls calls = { .n_trails = engine_count_polled(target) };
    const TargetState state = states_target(target->state);

    if (!scope_makes_calls(&state))
        return 0;
    for (size_t i = 0; i < target->n_trails; i++) {
        const Trail *trail = target->trails[i];

        if (engine_is_missing(trail)) { /* it has no settings */
            calls.lists_always = true;
            continue;
        }
        calls.n_settings += engine_count_settings_calls(trail);
        calls.n_others += engine_count_bucket_calls(trail);
    }
    return schedule_count_calls(intervals, &calls, STATUS_MONTH_SEC * USEC_PER_SEC);
}

static const StatusTarget *engine_status_target_row(void *userdata, size_t i) {
    RowSource *rows = userdata;
    const Target *target = i < rows->n_targets ? rows->targets[i] : NULL;
    const Account *account = target ? target->account : rows->unreached[i - rows->n_targets];

    assert(account);
    rows->target_state = states_target(target ? target->state : account->state);
    if (!target)
        rows->target = (StatusTarget){
            .subject = engine_account_subject(account),
            .state = &rows->target_state,
            .identity = account->role_arn ? account->role_arn : "",
        };
    else
        rows->target = (StatusTarget){
            .subject = engine_target_subject(target),
            .state = &rows->target_state,
            .polled_usec = target->polled_usec,
            .by_shadow = !target->configured,
            .idle = target->n_trails == 0,
            .identity = account->identity,
            .interval_usec = schedule_interval_usec(&rows->intervals, engine_count_polled(target)),
            .calls_per_month = rows->engine->once ? count_calls(target, &rows->intervals) : 0,
        };
    return &rows->target;
}

static bool is_row(const Account *account) {
    const AccountScope scope = engine_account_scope(account);

    return scope_is_row(&scope);
}

/* Collects the rows. 0 or -ENOMEM; free with rows_done. */
static int rows_init(RowSource *rows, const Engine *engine) {
    *rows = (RowSource){
        .engine = engine,
        .intervals = engine_intervals(engine),
        .accounts = calloc(engine->n_accounts + 1, sizeof(*rows->accounts)),
        .unreached = calloc(engine->n_accounts + 1, sizeof(*rows->unreached)),
        .targets = calloc(engine->n_targets + 1, sizeof(*rows->targets)),
    };
    if (!rows->accounts || !rows->unreached || !rows->targets)
        return -ENOMEM;
    for (size_t i = 0; i < engine->n_targets; i++) {
        Target *target = engine->targets[i];

        if (scope_shows_target(target->configured, target->n_trails, is_row(target->account)))
            rows->targets[rows->n_targets++] = target;
    }
    for (size_t i = 0; i < engine->n_accounts; i++) {
        Account *account = engine->accounts[i];

        if (!account->guarded)
            continue;
        rows->accounts[rows->n_accounts++] = account;
        if (is_row(account))
            rows->unreached[rows->n_unreached++] = account;
    }
    return 0;
}

static void rows_done(RowSource *rows) {
    free(rows->accounts);
    free(rows->unreached);
    free(rows->targets);
}

/* For a check, which delivers nothing. */
static size_t fill_checked_channels(const Engine *engine, StatusChannel *rows) {
    size_t n = engine->channel_watch ? engine->config->n_channels : 0;

    for (size_t i = 0; i < n; i++) {
        const ChannelHealth *health = channel_watch_health(engine->channel_watch, i);
        bool broken = health->verdict == CHANNEL_BROKEN;

        rows[i] = (StatusChannel){
            .channel = channel_watch_key(engine->channel_watch, i),
            .failed = broken,
            .text = broken ? health->text : "",
            .unheard = health->verdict == CHANNEL_UNHEARD,
            .check = health->text,
        };
    }
    return n;
}

static size_t fill_channels(const Engine *engine, StatusChannel *rows, ChannelStatus *texts) {
    size_t n = engine->deliver ? deliver_n_channels(engine->deliver) : 0;

    for (size_t i = 0; i < n; i++) {
        deliver_channel_status(engine->deliver, i, &texts[i]);
        rows[i] = (StatusChannel){
            .channel = texts[i].channel,
            .failed = texts[i].failed,
            .waiting = texts[i].waiting,
            .text = texts[i].text,
            .unheard = channel_watch_unheard_usec(engine->channel_watch, i) != 0,
            .check = channel_watch_health(engine->channel_watch, i)->text,
        };
    }
    return n;
}

static void fill_guard(const Engine *engine, Status *status) {
    status->holds = engine->contain.holds;
    status->n_holds = engine->contain.n_holds;
    status->n_contained = (unsigned)status->n_holds;
    status->guard = engine->guard.records;
    status->n_guard = engine->guard.n_records;
    for (size_t i = 0; i < status->n_guard; i++)
        status->n_rights_lost += status->guard[i].n_lost_now;
}

void engine_note_denial(Engine *engine, const Subject *where, const char *action, const char *resource) {
    StatusDenial *grown;

    if (!engine->once)
        return;
    for (size_t i = 0; i < engine->n_denials; i++)
        if (text_equal(engine->denials[i].account, where->account) &&
            text_equal(engine->denials[i].region, where->region) &&
            text_equal(engine->denials[i].action, action) &&
            text_equal(engine->denials[i].resource, resource))
            return;
    grown = realloc(engine->denials, (engine->n_denials + 1) * sizeof(*grown));
    if (!grown)
        return;
    engine->denials = grown;
    grown += engine->n_denials++;
    *grown = (StatusDenial){ 0 };
    (void)text_copy(grown->account, sizeof(grown->account), where->account);
    (void)text_copy(grown->region, sizeof(grown->region), where->region);
    (void)text_copy(grown->action, sizeof(grown->action), action);
    (void)text_copy(grown->resource, sizeof(grown->resource), resource);
}

/* Everything except the tables; shard: "2/5", NULL for none. */
static Status describe_engine(const Engine *engine, const char *shard) {
    return (Status){
        .version = trailguard_version,
        .binary = { engine->binary, engine->binary_modified_usec },
        .configuration = { engine->config->path, engine->config->modified_usec },
        .problem = engine->problem[0] ? engine->problem : NULL,
        .directory_problem = engine->directory_problem[0] ? engine->directory_problem : engine->save_problem,
        .shard = shard,
        .mode = engine->config->mode,
        .pid = getpid(),
        .pid_namespace = engine->pid_namespace[0] ? engine->pid_namespace : NULL,
        .poll_interval_sec = engine->config->poll_interval_sec,
        .unreachable_after = engine->config->unreachable_after,
        .started_usec = engine->started_usec,
        .now_usec = engine_now(engine).real_usec,
        .pass_ended_usec = engine->pass_ended_usec,
        .pass_duration_usec = engine->pass_duration_usec,
        .n_passes = engine->n_passes,
        .has_organization = engine->config->organization.role_name != NULL,
        .organization_error = engine->account_list.trouble.error,
        .n_trails = engine->n_trails,
        .ignored = (const char *const *)engine->ignored,
        .n_ignored = engine->n_ignored,
        .state_dir = engine->state_dir,
        .has_state_file = engine->has_state_file,
        .record_problem = engine->record_problem,
        .denials = engine->denials,
        .n_denials = engine->n_denials,
        .outbox_depth = engine->outbox ? outbox_depth(engine->outbox) : 0,
        .outbox_oldest_usec = engine->outbox ? outbox_oldest_usec(engine->outbox) : 0,
        .n_alerts_lost = engine->outbox ? outbox_n_lost(engine->outbox) : 0,
        .config_loaded_usec = engine->config_loaded_usec,
        .reload_refused = engine->reload_refused,
    };
}

/* A check shows its rows in another order and more than once, so it has all of them with their states. */
typedef struct AllRows {
    StatusTrail *trails;
    StatusTarget *targets;
    StatusAccount *accounts;
    TrailState *trail_states;
    TargetState *target_states, *account_states;
    IncidentId *incidents;
} AllRows;

static int all_rows(AllRows *all, RowSource *rows, const Status *status) {
    *all = (AllRows){
        .trails = calloc(status->n_trails + 1, sizeof(*all->trails)),
        .targets = calloc(status->n_targets + 1, sizeof(*all->targets)),
        .accounts = calloc(status->n_accounts + 1, sizeof(*all->accounts)),
        .trail_states = calloc(status->n_trails + 1, sizeof(*all->trail_states)),
        .target_states = calloc(status->n_targets + 1, sizeof(*all->target_states)),
        .account_states = calloc(status->n_accounts + 1, sizeof(*all->account_states)),
        .incidents = calloc(status->n_trails + 1, sizeof(*all->incidents)),
    };
    if (!all->trails || !all->targets || !all->accounts || !all->trail_states || !all->target_states ||
        !all->account_states || !all->incidents)
        return -ENOMEM;
    for (size_t i = 0; i < status->n_trails; i++) {
        all->trails[i] = *engine_status_trail_row(rows, i);
        all->trail_states[i] = rows->trail_state;
        all->trails[i].state = &all->trail_states[i];
        (void)text_copy(all->incidents[i], sizeof(all->incidents[i]), rows->incident);
        all->trails[i].incident_id = all->incidents[i];
    }
    for (size_t i = 0; i < status->n_targets; i++) {
        all->targets[i] = *engine_status_target_row(rows, i);
        all->target_states[i] = rows->target_state;
        all->targets[i].state = &all->target_states[i];
    }
    for (size_t i = 0; i < status->n_accounts; i++) {
        all->accounts[i] = *engine_status_account_row(rows, i);
        all->account_states[i] = rows->account_state;
        all->accounts[i].state = &all->account_states[i];
    }
    return 0;
}

static void all_rows_done(AllRows *all) {
    free(all->trails);
    free(all->targets);
    free(all->accounts);
    free(all->trail_states);
    free(all->target_states);
    free(all->account_states);
    free(all->incidents);
}

/* ---- what a check knows of what protects the guard ---- */

typedef struct ProtectionTexts {
    const char *topics[CONFIG_CHANNELS_MAX];
    GuardIdentity guard;
} ProtectionTexts;

/* Borrows from the engine, and from the texts. */
static ProtectionFacts protection_of(const Engine *engine, ProtectionTexts *texts) {
    const Config *config = engine->config;
    ProtectionFacts facts = {
        .guard_checks = config->guard_checks,
        .heartbeat = config->heartbeat.url || config->heartbeat.url_file,
    };

    *texts = (ProtectionTexts){ 0 };
    if (engine->base && engine->base->identity[0])
        guard_identity_take(&texts->guard, engine->base->id, engine->base->identity);
    facts.principal = texts->guard.arn;
    facts.account = texts->guard.account;
    facts.n_topics = config_topics(config, texts->topics);
    facts.topics = texts->topics;
    for (size_t i = 0; i < engine->n_accounts; i++)
        if (engine->accounts[i]->guarded)
            protection_guards(&facts, engine->accounts[i]->id);
    facts.boundary =
            protection_boundary(engine->recorded.guards, engine->recorded.n_guards, facts.principal);
    for (size_t i = 0; i < config->n_channels; i++)
        facts.outside_channel |= config->channels[i].type != CHANNEL_SNS;
    return facts;
}

/* ---- all of it ---- */

void engine_with_status(Engine *engine, EngineChecked fn, void *userdata) {
    StatusChannel channels[CONFIG_CHANNELS_MAX];
    ChannelStatus *texts = calloc(CONFIG_CHANNELS_MAX, sizeof(*texts));
    const Shard *shard = &engine->config->shard;
    AllRows all = { 0 };
    RowSource rows;
    ProtectionTexts protection;
    const StatusRows each = { .trail = engine_status_trail_row,
                              .target = engine_status_target_row,
                              .account = engine_status_account_row,
                              .userdata = &rows };
    char part[24];
    int r = rows_init(&rows, engine);

    (void)snprintf(part, sizeof(part), "%u/%u", shard->number, shard->total);
    if (r >= 0 && texts) {
        Status status = describe_engine(engine, shard->total > 0 ? part : NULL);

        status.channels = channels;
        status.n_targets = rows.n_targets + rows.n_unreached;
        status.n_accounts = rows.n_accounts;
        status.n_channels = engine->once ? fill_checked_channels(engine, channels)
                                         : fill_channels(engine, channels, texts);
        status.rows = engine->once ? NULL : &each;
        fill_guard(engine, &status);
        if (engine->once) {
            r = all_rows(&all, &rows, &status);
            status.protection = protection_of(engine, &protection);
            status.trails = all.trails;
            status.targets = all.targets;
            status.accounts = all.accounts;
        }
        if (r >= 0)
            fn(&status, userdata);
    }
    all_rows_done(&all);
    rows_done(&rows);
    free(texts);
}

static void engine_status_show(const Status *status, void *userdata) {
    Engine *engine = userdata;
    char line[STATUS_LINE_MAX];
    int r;

    report_systemd_status(report_status_line(status, line));
    r = report_status_write(status, engine->runtime_dir);
    if (r < 0 && !engine->publish_failed)
        log_line(LOG_WARNING, "%s/status.json: cannot be written: %s", engine->runtime_dir,
                 file_strerror(r));
    engine->publish_failed = r < 0;
}

void engine_publish_now(Engine *engine) {
    if (engine->once)
        return;
    engine_write_begins(engine, &engine->publish);
    engine_with_status(engine, engine_status_show, engine);
    engine_written(engine, &engine->publish);
}

static void publish_fired(void *userdata) {
    engine_publish_now(userdata);
}

/* Several changes in one turn of the loop are written once. */
void engine_publish(Engine *engine) {
    if (!engine->once)
        engine_write_soon(engine, &engine->publish, publish_fired);
}

static void measure_soon(Engine *engine);

void engine_publish_calmly(Engine *engine) {
    if (engine->once)
        return;
    engine_write_calmly(engine, &engine->publish, 0, PUBLISH_CALM_MAX_USEC, publish_fired);
    if (engine->metrics_path)
        measure_soon(engine);
}

/* ---- metrics ---- */

static void measured(const Status *status, void *userdata) {
    Engine *engine = userdata;
    const char *slash = strrchr(engine->config->path, '/');
    const char *name = slash ? slash + 1 : engine->config->path;
    char guard[NAME_MAX + 1];
    int r;

    (void)text_copy(guard, sizeof(guard), name);
    if (text_ends_with(guard, ".conf"))
        guard[strlen(guard) - strlen(".conf")] = '\0';
    r = report_metrics_write(status, engine->metrics, guard, engine->metrics_path);
    if (r < 0 && !engine->measure_failed)
        log_line(LOG_WARNING, "%s: cannot be written: %s", engine->metrics_path, file_strerror(r));
    engine->measure_failed = r < 0;
}

static void measure_fired(void *userdata) {
    Engine *engine = userdata;

    engine_write_begins(engine, &engine->measure);
    engine_with_status(engine, measured, engine);
    engine_written(engine, &engine->measure);
    measure_soon(engine);
}

/* With each pass, but less often if that costs more: Prometheus rarely reads more often than every 15 s. */
static void measure_soon(Engine *engine) {
    uint64_t poll_usec = engine->config->poll_interval_sec * USEC_PER_SEC;

    engine_write_calmly(engine, &engine->measure, MIN(poll_usec, MEASURE_MIN_USEC), MEASURE_MAX_USEC,
                        measure_fired);
}

void engine_end_metrics(Engine *engine) {
    if (!engine->metrics_path)
        return;
    (void)unlink(engine->metrics_path);
    free(TAKE_PTR(engine->metrics_path));
}

void engine_start_metrics(Engine *engine) {
    const char *file = engine->config->metrics_file;
    char *path = !file ? NULL : file[0] == '/' ? strdup(file) : file_join(engine->runtime_dir, file);

    if (!text_equal(engine->metrics_path, path))
        engine_end_metrics(engine);
    free(engine->metrics_path);
    engine->metrics_path = path;
    engine->measure_failed = false;
    if (!file) {
        metrics_free(TAKE_PTR(engine->metrics));
        return;
    }
    if (!engine->metrics)
        engine->metrics = metrics_new();
    if (!engine->metrics || !path) {
        log_line(LOG_ERR, "metrics_file: out of memory; nothing is counted");
        return;
    }
    (void)file_sweep_of(path);
    for (size_t i = 0; i < engine->config->n_channels; i++) {
        _cleanup_free_ char *key = config_channel_key(&engine->config->channels[i]);

        if (key)
            metrics_add_channel(engine->metrics, key);
    }
    measure_soon(engine);
}

/* ---- the frequency of writes ---- */

static uint64_t pause_of(const Engine *engine, const Writing *writing) {
    return schedule_file_pause(writing->paid_usec, engine_now(engine).mono_usec);
}

bool engine_write_is_paid(const Engine *engine, const Writing *writing) {
    return pause_of(engine, writing) == 0;
}

void engine_write_soon(Engine *engine, Writing *writing, LoopFired fired) {
    uint64_t pause_usec = pause_of(engine, writing);

    if (writing->timer && !writing->calm)
        return;
    writing->calm = false;
    if (pause_usec > 0)
        log_debug("held back: %s: %llu ms by the pace of writing files",
                  writing == &engine->save ? "state.json" : "status.json",
                  (unsigned long long)(pause_usec / USEC_PER_MSEC));
    (void)loop_rearm(engine->aws.loop, pause_usec, fired, engine, &writing->timer);
}

void engine_write_calmly(Engine *engine, Writing *writing, uint64_t min_usec, uint64_t max_usec,
                         LoopFired fired) {
    uint64_t now_usec, due_usec, wait_usec;

    if (writing->timer && !writing->calm)
        return;
    now_usec = engine_now(engine).mono_usec;
    due_usec = MAX(writing->ended_usec + schedule_file_calm_pause(writing->cpu_usec, min_usec, max_usec),
                   now_usec + schedule_file_pause(writing->paid_usec, now_usec));
    wait_usec = schedule_file_calm_wait(due_usec, now_usec);
    if (writing->timer && wait_usec > 0)
        return;
    writing->calm = wait_usec > 0;
    (void)loop_rearm(engine->aws.loop, wait_usec, fired, engine, &writing->timer);
}

/* Processor time, so that a busy machine does not increase the cost. */
static uint64_t thread_cpu_usec(void) {
    struct timespec ts;

    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts) < 0)
        return 0;
    return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

void engine_write_begins(const Engine *engine, Writing *writing) {
    writing->began_usec = engine_now(engine).mono_usec;
    writing->cpu_usec = thread_cpu_usec();
}

void engine_written(const Engine *engine, Writing *writing) {
    uint64_t now_usec = engine_now(engine).mono_usec;

    writing->cpu_usec = thread_cpu_usec() - writing->cpu_usec;
    writing->ended_usec = now_usec;
    writing->paid_usec = schedule_file_written(writing->paid_usec, now_usec - writing->began_usec, now_usec);
}
