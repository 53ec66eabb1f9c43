/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's life: start, signals, reload, watchdog, stop. */
#include "daemon/accounts.h"
#include "daemon/apply_plan.h"
#include "daemon/causes.h"
#include "daemon/checks.h"
#include "daemon/delivery.h"
#include "daemon/directories.h"
#include "daemon/engine_debug.h"
#include "daemon/engine_private.h"
#include "daemon/guard_checks.h"
#include "daemon/passes.h"
#include "daemon/polls.h"
#include "daemon/resume.h"
#include "daemon/rounds.h"
#include "daemon/searches.h"
#include "daemon/settings_rows.h"
#include "daemon/sinks.h"
#include "daemon/tls_watch.h"
#include "daemon/trails.h"
#include "daemon/unaccepted.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/core/enum_names.h"
#include "daemon/core/events.h"
#include "daemon/holds.h"
#include "daemon/log.h"
#include "daemon/version.h"
#include "lib/ca_store.h"
#include "lib/rate_limiter.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* How long the first pass waits for our identity, so that other accounts' organization trails are
 * recognized. */
#define IDENTITY_WAIT_USEC (3 * USEC_PER_SEC)
/* How long SIGTERM waits for a running message or restart. */
#define SHUTDOWN_WAIT_USEC (2 * USEC_PER_SEC)
#define SHUTDOWN_POLL_USEC (50 * USEC_PER_MSEC)
/* The pause after a turn of the loop that failed without memory. */
#define NO_MEMORY_PAUSE_NSEC 100000000

/* The first of the colon-separated directories in systemd's variable. */
static const char *directory(const char *variable, const char *otherwise, char *buffer, size_t size) {
    const char *value = getenv(variable);

    if (!value || !value[0] || strcspn(value, ":") >= size)
        return otherwise;
    (void)text_copy(buffer, strcspn(value, ":") + 1, value);
    return buffer;
}

const char *engine_state_dir(void) {
    static char buffer[4096]; /* set once, from the environment */

    return directory("STATE_DIRECTORY", "/var/lib/trailguard", buffer, sizeof(buffer));
}

const char *engine_runtime_dir(void) {
    static char buffer[4096]; /* set once, from the environment */

    return directory("RUNTIME_DIRECTORY", "/run/trailguard", buffer, sizeof(buffer));
}

/* ---- watchdog ---- */

static const char *what_is_late(const Engine *engine) {
    uint64_t now_usec = engine_now(engine).mono_usec;

    if (schedule_is_wedged(engine->pass_due_usec, now_usec))
        return "a pass";
    for (size_t i = 0; i < engine->n_targets; i++)
        for (const TargetPoll *poll = engine->targets[i]->polls; poll; poll = poll->next)
            if (schedule_is_wedged(poll->by_usec, now_usec))
                return engine->targets[i]->region;
    for (size_t i = 0; i < engine->n_trails; i++) {
        const Trail *trail = engine->trails[i];

        if ((trail->remediation && schedule_is_wedged(trail->remediate_by_usec, now_usec)) ||
            (trail->tracking.snapshot && schedule_is_wedged(trail->tracking.poll_by_usec, now_usec)))
            return trail->arn;
    }
    if (deliver_overdue_usec(engine->deliver) > SCHEDULE_WEDGED_USEC)
        return "a delivery";
    return NULL;
}

static void watchdog_fired(void *userdata) {
    Engine *engine = userdata;
    const char *late = what_is_late(engine);

    (void)loop_after(engine->aws.loop, engine->watchdog_usec, watchdog_fired, engine,
                     &engine->watchdog_timer);
    if (late)
        log_line(LOG_ERR, "%s is later than its deadline by 30 s: no sign of life to the watchdog", late);
    else
        report_systemd_watchdog();
}

/* ---- what is due in this turn of the loop ---- */

/* True if it was set; it no longer is. */
static bool take_flag(bool *flag) {
    bool was = *flag;

    *flag = false;
    return was;
}

static void run_searches(Engine *engine) {
    for (size_t i = 0; i < engine->n_accounts; i++)
        if (take_flag(&engine->accounts[i]->search_is_due))
            engine_search_departure(engine->accounts[i]);
    for (size_t i = 0; i < engine->n_trails; i++)
        if (take_flag(&engine->trails[i]->search_is_due))
            engine_search_actor(engine->trails[i]);
}

static void run_checks(Engine *engine) {
    for (size_t i = 0; i < engine->n_targets; i++)
        if (take_flag(&engine->targets[i]->check_is_due))
            engine_begin_next_check(engine->targets[i]);
}

static void run_polls(Engine *engine) {
    for (size_t i = 0; i < engine->n_accounts; i++)
        if (take_flag(&engine->accounts[i]->polls_are_due))
            engine_poll_account(engine->accounts[i]);
}

static int run_due(sd_event_source *source, void *userdata) {
    Engine *engine = userdata;
    unsigned due = engine->due;

    (void)source;
    engine->due = 0;
    if (due & DUE_CAUSES)
        engine_decide_causes(engine);
    if (due & DUE_PASS)
        engine_kick_pass(engine);
    if (due & DUE_POLLS)
        run_polls(engine);
    if (due & DUE_DIRECTORIES)
        engine_check_directories(engine);
    if (due & DUE_CONTESTED)
        engine_poll_contested(engine);
    if (due & DUE_CHECKS)
        run_checks(engine);
    if (due & DUE_SEARCHES)
        run_searches(engine);
    if (due & DUE_HOLDS)
        engine_run_holds(engine);
    if (due & DUE_GUARD)
        engine_check_wanted_guards(engine);
    return 0;
}

/* ---- open, close, reload ---- */

/* Loads what is known of an account with a known id. For one that has left, reports continue. */
static int begin_role(Account *account) {
    int r = engine_begin_account(account);

    if (r >= 0 && account->left)
        (void)engine_decide_account(account, NULL);
    return r;
}

/* Opens what the configuration describes; earlier objects stay after an error. */
static int open_aws_and_tables(Engine *engine, char error[static ENGINE_ERROR_MAX]) {
    int r;

    if (!engine->once) {
        engine->config_loaded_usec = engine_now(engine).real_usec;
        engine_start_metrics(engine);
        engine_observe_calls(engine);
    }
    engine->problem[0] = '\0';
    engine->pass_open = engine->passes_begun = false;
    engine->account_list = (AccountList){ 0 };
    r = engine_load_state(engine, error);
    if (r >= 0)
        r = engine_add_configured_accounts(engine);
    if (r >= 0)
        r = engine_resume_base(engine);
    if (r >= 0)
        r = engine_add_known_members(engine);
    for (size_t i = 0; r >= 0 && i < engine->n_accounts; i++)
        if (engine->accounts[i]->role_arn)
            r = begin_role(engine->accounts[i]);
    if (r >= 0 && !engine->once)
        r = engine_open_delivery(engine);
    if (r < 0) {
        if (!error[0])
            (void)snprintf(error, ENGINE_ERROR_MAX, "cannot start: %s", strerror(-r));
        return r;
    }
    if (!engine->once) {
        engine_watch_directories(engine);
        engine_watch_tls(engine);
        engine_begin_guard_checks(engine);
    }
    engine_start_passes(engine, IDENTITY_WAIT_USEC);
    engine_due(engine, DUE_HOLDS);
    for (size_t i = 0; i < engine->n_accounts; i++)
        engine_ask_identity(engine->accounts[i]);
    engine_watch_keys(engine);
    return 0;
}

static void close_aws_and_tables(Engine *engine) {
    LoopTimer **timers[] = { &engine->publish.timer,   &engine->save.timer,    &engine->measure.timer,
                             &engine->watchdog_timer,  &engine->give_up_timer, &engine->weak_timer,
                             &engine->directory_timer, &engine->cause_timer,   &engine->tls_timer };

    if (!engine->aws.loop)
        return;
    engine_stop_polls(engine);
    engine_stop_holds(engine);
    engine_stop_guard_checks(engine);
    engine->due = 0;
    for (size_t i = 0; i < ARRAY_SIZE(timers); i++)
        loop_cancel(engine->aws.loop, TAKE_PTR(*timers[i]));
    operation_cancel(TAKE_PTR(engine->account_list.call));
    channel_watch_free(TAKE_PTR(engine->channel_watch));
    heartbeat_free(TAKE_PTR(engine->heartbeat));
    deliver_free(TAKE_PTR(engine->deliver));
    engine_free_trails(engine);
    engine_free_tables(engine);
    engine_free_accounts(engine);
    aws_setup_close(&engine->aws);
}

static void engine_free(Engine *engine) {
    close_aws_and_tables(engine);
    outbox_close(engine->outbox);
    file_closep(&engine->lock_fd);
    file_closep(&engine->runtime_lock_fd);
    sd_event_source_unref(engine->due_source);
    sd_event_unref(engine->event);
    config_free(engine->config);
    state_table_done(&engine->recorded);
    metrics_free(engine->metrics);
    free(engine->metrics_path);
    free(engine->reserve);
    free(engine);
}
DEFINE_CLEANUP(Engine *, engine_free);

static void start_watchdog(Engine *engine) {
    engine->watchdog_usec = report_systemd_watchdog_interval_usec();
    if (engine->watchdog_usec != 0)
        watchdog_fired(engine);
}

/* Unsaved state would be lost; a removed directory is created again for it. A file that could not be read is
 * left alone and read again. */
static bool is_saved(Engine *engine) {
    engine_sum_up_now(engine);
    engine_save_state(engine);
    if (engine->state_unread || !engine->save_problem[0])
        return true;
    engine_check_directories(engine);
    if (engine->save_problem[0])
        log_event(EVENT_LINE(LINE_RELOAD_REFUSED), NULL, 0,
                  "%s/state.json cannot be written; keeping the old configuration", engine->state_dir);
    return !engine->save_problem[0];
}

/* Rebuilds everything from the new file and the state on disk, as a restart would. The old objects are
 * closed only after every step that can fail for the file, the credentials or the disk. If memory runs out
 * after that, the daemon exits and restarts: the state on disk is complete. */
static void reload(Engine *engine) {
    char config_error[CONFIG_ERROR_MAX], aws_error[AWS_SETUP_ERROR_MAX], error[ENGINE_ERROR_MAX] = "";
    Config *config = NULL;
    AwsSetup aws;

    engine->reload_refused = true;
    if (config_load(engine->config->path, &config, config_error) < 0) {
        char *rest = config_error;
        const char *first = strsep(&rest, "\n");

        log_event(EVENT_LINE(LINE_RELOAD_REFUSED), NULL, 0, "%s%s; keeping the old configuration", first,
                  rest ? "; and more, which `trailguard config` lists" : "");
        return;
    }
    if (aws_setup_open(engine->event, config, &aws, aws_error) < 0) {
        log_event(EVENT_LINE(LINE_RELOAD_REFUSED), NULL, 0, "%s; keeping the old configuration", aws_error);
        config_free(config);
        return;
    }
    if (!is_saved(engine)) {
        aws_setup_close(&aws);
        config_free(config);
        return;
    }
    engine->reload_refused = false;
    engine->unloaded = true;
    close_aws_and_tables(engine);
    config_free(engine->config);
    engine->config = config;
    engine->aws = aws;
    log_set_level(config->log_level);
    if (open_aws_and_tables(engine, error) < 0) {
        log_line(LOG_ERR, "%s", error);
        (void)sd_event_exit(engine->event, EXIT_FAILURE);
        return;
    }
    engine->unloaded = false;
    start_watchdog(engine);
    log_event(EVENT_LINE(LINE_CONFIG_RELOADED), NULL, 0, "%s: reloaded", config->path);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
    Engine *engine = userdata;

    (void)source;
    (void)info;
    if (engine->give_up_timer) /* stopping: a reload would cancel the timer that ends it */
        return 0;
    report_systemd_reloading(0);
    reload(engine);
    if (engine->unloaded)
        return 0;
    report_systemd_ready();
    engine_publish_now(engine);
    return 0;
}

/* ---- shutdown ---- */

static size_t count_acting(const Engine *engine) {
    size_t n = 0;

    for (size_t i = 0; i < engine->n_trails; i++)
        n += engine->trails[i]->remediation != NULL;
    return n;
}

static void wait_a_little(void *userdata) {
    Engine *engine = userdata;
    static unsigned polls; /* there is one shutdown per process */

    if ((count_acting(engine) > 0 || !deliver_is_idle(engine->deliver)) &&
        ++polls < SHUTDOWN_WAIT_USEC / SHUTDOWN_POLL_USEC &&
        loop_after(engine->aws.loop, SHUTDOWN_POLL_USEC, wait_a_little, engine, &engine->give_up_timer) >= 0)
        return;
    (void)sd_event_exit(engine->event, 0);
}

static int on_terminate(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
    Engine *engine = userdata;

    (void)source;
    if (engine->give_up_timer) {
        (void)sd_event_exit(engine->event, 0); /* a second signal: exit at once */
        return 0;
    }
    report_systemd_stopping();
    log_event(EVENT_LINE(LINE_GUARD_STOPPING), NULL, 0,
              "stopping (signal %u); trails are not guarded until the next start", info->ssi_signo);
    engine_stop_polls(engine);
    engine_sum_up_now(engine);
    engine->due &= DUE_SEARCHES;
    wait_a_little(engine);
    return 0;
}

/* Signals that would end the process by default and have no meaning here, perhaps meant for another daemon.
 * Children get the defaults back. */
static void ignore_others(void) {
    static const int others[] = { SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO };

    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        (void)signal(others[i], SIG_IGN);
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
        (void)signal(number, SIG_IGN);
}

static int add_signals(Engine *engine) {
    sigset_t set;
    int r;

    ignore_others();
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    r = sd_event_add_signal(engine->event, NULL, SIGTERM, on_terminate, engine);
    if (r >= 0)
        r = sd_event_add_signal(engine->event, NULL, SIGINT, on_terminate, engine);
    if (r >= 0)
        r = sd_event_add_signal(engine->event, NULL, SIGHUP, on_reload, engine);
    return r;
}

/* ---- run ---- */

static Engine *engine_new(Config *config) {
    Engine *engine = calloc(1, sizeof(*engine));

    if (!engine) {
        config_free(config);
        return NULL;
    }
    engine->config = config;
    engine->lock_fd = engine->runtime_lock_fd = -1;
    engine->mode_max = MODE_RESTORE;
    engine->sink = &sink_reports;
    engine->state_dir = engine_state_dir();
    engine_fill_reserve(engine);
    return engine;
}

static int open_event_and_aws(Engine *engine, char error[static ENGINE_ERROR_MAX]) {
    char aws_error[AWS_SETUP_ERROR_MAX];
    int r = sd_event_new(&engine->event);

    if (r >= 0)
        r = sd_event_add_defer(engine->event, &engine->due_source, run_due, engine);
    if (r >= 0)
        r = sd_event_source_set_enabled(engine->due_source, engine->due ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
    if (r < 0) {
        (void)snprintf(error, ENGINE_ERROR_MAX, "cannot make an event loop: %s", strerror(-r));
        return r;
    }
    r = aws_setup_open(engine->event, engine->config, &engine->aws, aws_error);
    if (r < 0) {
        (void)snprintf(error, ENGINE_ERROR_MAX, "%s", aws_error);
        return r;
    }
    r = hash_check();
    if (r >= 0)
        r = ca_store_check_tls();
    if (r < 0)
        (void)snprintf(
                error, ENGINE_ERROR_MAX,
                "OpenSSL could not initialise itself: out of memory, or a broken configuration of it");
    engine->started_usec = engine_now(engine).real_usec;
    return r;
}

/* A program that is installed there later differs: `status` compares them. */
static void note_binary(Engine *engine) {
    ssize_t n = readlink("/proc/self/exe", engine->binary, sizeof(engine->binary) - 1);

    engine->binary[MAX(n, 0)] = '\0';
    (void)file_modified("/proc/self/exe", &engine->binary_modified_usec);
}

static void log_started(const Config *config) {
    char part[40] = "";

    if (config->shard.total > 0)
        (void)snprintf(part, sizeof(part), " shard %u/%u", config->shard.number, config->shard.total);
    log_event(EVENT_LINE(LINE_GUARD_STARTED), NULL, 0, "TrailGuard %s guarding%s, mode %s, every %u s",
              trailguard_version, part, mode_to_string(config->mode), config->poll_interval_sec);
}

/* A turn that failed without memory has lost nothing, and a later one may succeed. If it lasts, the watchdog
 * is not fed. */
static int run_loop(Engine *engine) {
    const struct timespec pause = { .tv_nsec = NO_MEMORY_PAUSE_NSEC };
    bool said = false;
    int r;

    while ((r = sd_event_loop(engine->event)) == -ENOMEM) {
        if (!said)
            log_line(LOG_ERR, "out of memory for a turn of the event loop; going on");
        said = true;
        (void)nanosleep(&pause, NULL);
    }
    return r;
}

int engine_run(const EngineOptions *options, char error[static ENGINE_ERROR_MAX]) {
    _cleanup_(engine_freep) Engine *engine = engine_new(options->config);
    int r;

    error[0] = '\0';
    if (!engine) {
        (void)snprintf(error, ENGINE_ERROR_MAX, "out of memory");
        return -ENOMEM;
    }
    engine->state_dir = options->state_dir;
    engine->runtime_dir = options->runtime_dir;
    note_binary(engine);
    (void)state_pid_namespace(engine->pid_namespace);
    r = engine_open_directories(engine, error);
    if (r >= 0)
        r = open_event_and_aws(engine, error);
    if (r >= 0)
        r = add_signals(engine);
    if (r >= 0)
        r = open_aws_and_tables(engine, error);
    if (r < 0) {
        if (!error[0])
            (void)snprintf(error, ENGINE_ERROR_MAX, "cannot start: %s", strerror(-r));
        return r;
    }

    log_started(engine->config);
    report_systemd_ready();
    engine_publish_now(engine);
    start_watchdog(engine);
    r = run_loop(engine);
    if (!engine->unloaded) {
        engine_save_state(engine);
        engine_publish_now(engine);
    }
    engine_end_metrics(engine);
    if (r > 0 && engine->ends_because)
        (void)snprintf(error, ENGINE_ERROR_MAX, "%s", engine->ends_because);
    else if (r != 0)
        (void)snprintf(error, ENGINE_ERROR_MAX, "the event loop failed: %s",
                       r < 0 ? strerror(-r) : "see the lines above");
    return r > 0 ? -EIO : r;
}

/* ---- check ---- */

/* A single pass. */
typedef struct Once {
    Engine *engine;
    EngineProgressed progressed; /* NULL: not reported */
    uint64_t began_usec;         /* real; older polls are from the state file */
    unsigned n_ticks;
} Once;

#define TICKS_A_REPORT 10

/* Targets share no quota, so the slowest one decides. */
static uint64_t time_left(const Once *once) {
    const Engine *engine = once->engine;
    uint64_t n_max = 0;

    for (size_t i = 0; i < engine->n_targets; i++) {
        const Target *target = engine->targets[i];
        uint64_t n = 0;

        for (size_t k = 0; k < target->n_trails; k++) {
            uint64_t polled_usec = TRAIL_STATE(target->trails[k], polled_usec);

            n += schedule_reads_left(polled_usec >= once->began_usec, engine_is_checked(target->trails[k]));
        }
        n_max = MAX(n_max, n);
    }
    return rate_span_usec(RATE_READ, n_max);
}

static void report_progress(Once *once) {
    const Engine *engine = once->engine;
    size_t waiting = engine->n_polling + engine->n_pass_turns;
    EngineProgress progress = {
        .n_targets = engine->n_targets,
        .n_trails = engine->n_trails,
        .n_checks = engine->n_beside,
    };

    if (!once->progressed || ++once->n_ticks % TICKS_A_REPORT != 0)
        return;
    progress.left_usec = time_left(once);
    progress.n_targets_polled = engine->n_targets > waiting ? engine->n_targets - waiting : 0;
    for (size_t i = 0; i < engine->n_trails; i++)
        progress.n_trails_polled += TRAIL_STATE(engine->trails[i], polled_usec) >= once->began_usec;
    once->progressed(&progress);
}

static void check_again(void *userdata) {
    Once *once = userdata;
    Engine *engine = once->engine;
    CheckWork work;
    bool busy;

    /* the last thing it waited for may be gone with its account, without an end of its own */
    engine_end_pass(engine);
    work = (CheckWork){
        .pass_open = engine->pass_open,
        .n_passes = engine->n_passes,
        .n_polling = engine->n_polling,
        .n_beside = engine->n_beside,
        .n_acting = count_acting(engine),
        .due = engine->due,
        .identities_known = engine_identities_are_known(engine),
        .channels = channel_watch_is_busy(engine->channel_watch),
    };
    busy = schedule_check_is_busy(&work);
    if (busy)
        report_progress(once);
    if (!busy ||
        loop_after(engine->aws.loop, SHUTDOWN_POLL_USEC, check_again, once, &engine->give_up_timer) < 0)
        (void)sd_event_exit(engine->event, 0);
}

/* Makes one pass. The caller frees *ret even on error. */
static int run_once(Config *config, Mode mode_max, bool with_channels, EngineProgressed progressed,
                    Engine **ret, char error[static ENGINE_ERROR_MAX]) {
    Engine *engine = engine_new(config);
    Once once = { .engine = engine, .progressed = progressed };
    int r;

    *ret = engine;
    error[0] = '\0';
    if (!engine) {
        (void)snprintf(error, ENGINE_ERROR_MAX, "out of memory");
        return -ENOMEM;
    }
    engine->once = true;
    engine->sink = &sink_shows;
    engine->mode_max = mode_max;
    config->unreachable_after = 1; /* there is no second poll */
    config->reminder_interval_sec = 0;
    r = open_event_and_aws(engine, error);
    if (r >= 0)
        r = engine_peek_state(engine, error);
    if (r >= 0)
        r = open_aws_and_tables(engine, error);
    if (r >= 0 && with_channels)
        r = engine_watch_channels(engine);
    if (r < 0)
        return r;
    once.began_usec = engine_now(engine).real_usec;
    check_again(&once);
    r = sd_event_loop(engine->event);
    if (progressed)
        progressed(NULL);
    if (r < 0)
        (void)snprintf(error, ENGINE_ERROR_MAX, "the event loop failed: %s", strerror(-r));
    return r;
}

int engine_check(Config *config, bool restore, EngineProgressed progressed, EngineChecked checked,
                 void *userdata, char error[static ENGINE_ERROR_MAX]) {
    _cleanup_(engine_freep) Engine *engine = NULL;
    int r = run_once(config, restore ? MODE_RESTORE : MODE_OBSERVE, true, progressed, &engine, error);

    if (r < 0)
        return r;
    engine_with_status(engine, checked, userdata);
    return 0;
}

int engine_settings(Config *config, EngineProgressed progressed, EnginePolled polled, void *userdata,
                    char error[static ENGINE_ERROR_MAX]) {
    _cleanup_(engine_freep) Engine *engine = NULL;
    SettingsRows rows = { 0 };
    char unlisted[ERROR_TEXT_MAX];
    int r = settings_rows_recorded(&rows, engine_state_dir(), error);

    if (r < 0) {
        config_free(config);
        return r;
    }
    r = run_once(config, MODE_OBSERVE, false, progressed, &engine, error);
    if (r < 0)
        goto out;
    r = settings_rows_fill(engine, &rows);
    if (r < 0) {
        (void)snprintf(error, ENGINE_ERROR_MAX, "out of memory");
        goto out;
    }
    settings_rows_unlisted(engine, unlisted);
    polled(rows.rows, rows.n, unlisted, userdata);
out:
    settings_rows_done(&rows);
    return r;
}
