/* SPDX-License-Identifier: Apache-2.0 */
/* The state and runtime directories, at the start and while they are in use. */
#include "daemon/directories.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/baselines.h"
#include "daemon/engine_private.h"
#include "daemon/log.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define STATE_MODE      0700
#define RUNTIME_MODE    0755
#define WATCH_USEC      (2 * USEC_PER_SEC)
#define WATCH_IDLE_USEC (10 * USEC_PER_SEC) /* if no poll wakes the process earlier */
#define TRY_AGAIN_USEC  (10 * USEC_PER_SEC)

/* ---- at the start ---- */

/* Creates the directory if it is missing, and locks it. why: what a failure to create it means. */
static int take_dir(const char *dir, mode_t mode, const char *why, int *ret_fd,
                    char error[static ENGINE_ERROR_MAX]) {
    int pid = 0, r = file_ensure_dir(dir, mode);

    if (r < 0) {
        (void)snprintf(error, ENGINE_ERROR_MAX, "%s: %s: %s", dir, why, file_strerror(r));
        return r;
    }
    r = state_lock(dir, ret_fd, &pid);
    if (r == -EBUSY)
        (void)snprintf(error, ENGINE_ERROR_MAX,
                       "%s: another trailguard (pid %d) is using this directory", dir, pid);
    else if (r < 0)
        (void)snprintf(error, ENGINE_ERROR_MAX, "%s/lock: cannot be locked: %s", dir, file_strerror(r));
    return r;
}

/* The runtime directory first: its lock reveals a daemon whose state directory was removed, before that is
 * created again. */
int engine_open_directories(Engine *engine, char error[static ENGINE_ERROR_MAX]) {
    int r = take_dir(engine->runtime_dir, RUNTIME_MODE, "cannot write there", &engine->runtime_lock_fd,
                     error);

    if (r >= 0)
        r = take_dir(engine->state_dir, STATE_MODE, "cannot keep state there", &engine->lock_fd, error);
    if (r < 0)
        return r;
    state_sweep(engine->state_dir, engine->runtime_dir);
    return outbox_open(engine->state_dir, &engine->outbox, error, ENGINE_ERROR_MAX);
}

/* ---- while they are in use ---- */

/* One line in error if the directory is not the one it was and cannot be used. */
static DirectoryFound renew(const char *dir, mode_t mode, int *lock_fd,
                            char error[static ENGINE_ERROR_MAX]) {
    int fd = -1, r;

    if (state_lock_is_kept(dir, *lock_fd))
        return DIRECTORY_KEPT;
    r = take_dir(dir, mode, "removed while in use, and cannot be made again", &fd, error);
    if (r < 0)
        return r == -EBUSY ? DIRECTORY_TAKEN : DIRECTORY_REFUSED;
    file_closep(lock_fd);
    *lock_fd = fd;
    return DIRECTORY_RENEWED;
}

/* True if everything was written. Other code retries what was not. */
static bool write_all_again(Engine *engine) {
    bool all = outbox_write_again(engine->outbox);

    for (size_t i = 0; i < engine->n_trails; i++) {
        Trail *trail = engine->trails[i];

        engine_rewrite_baseline(trail);
        all = all && !trail->tracking.unsaved;
        if (!trail->has_intent)
            continue;
        engine_save_intent(trail);
        all = all && !engine->intent_failed;
    }
    engine->state_unread = false; /* the file that could not be read is gone */
    engine_save_state(engine);
    return all && !engine->save_problem[0];
}

/* Logged on changes. */
static void set_problem(Engine *engine, const char *problem) {
    if (text_equal(engine->directory_problem, problem))
        return;
    if (problem[0])
        log_line(LOG_ERR, "%s; a restart now would forget what is known", problem);
    (void)text_copy(engine->directory_problem, sizeof(engine->directory_problem), problem);
    engine_publish_now(engine);
}

static void check_state_dir(Engine *engine) {
    char error[ENGINE_ERROR_MAX] = "";
    DirectoryFound found = renew(engine->state_dir, STATE_MODE, &engine->lock_fd, error);

    switch (schedule_directory(found, &engine->n_taken)) {
    case DIRECTORY_WAITS: return;
    case DIRECTORY_STOPS:
        log_line(LOG_ERR, "%s; this one stops", error);
        (void)sd_event_exit(engine->event, EXIT_FAILURE);
        return;
    case DIRECTORY_WRITES:
        log_line(LOG_ERR, "%s: removed or replaced while in use; made again%s", engine->state_dir,
                 write_all_again(engine) ? ", and what is known is written there"
                                         : "; not all that is known can be written there: trying again");
        break;
    case DIRECTORY_GOES_ON: break;
    }
    set_problem(engine, error);
}

static void check_runtime_dir(Engine *engine) {
    char error[ENGINE_ERROR_MAX] = "";

    if (renew(engine->runtime_dir, RUNTIME_MODE, &engine->runtime_lock_fd, error) != DIRECTORY_RENEWED)
        return; /* the failure to write status.json is reported there */
    log_line(LOG_WARNING, "%s: removed or replaced while in use; made again", engine->runtime_dir);
    engine_publish_now(engine);
}

/* Retries alerts that could not be written, without waiting for the next alert. */
static void try_outbox_again(Engine *engine) {
    uint64_t now_usec = engine_now(engine).mono_usec;

    if (now_usec < engine->outbox_tried_usec + TRY_AGAIN_USEC)
        return;
    engine->outbox_tried_usec = now_usec;
    if (!outbox_try_again(engine->outbox))
        return;
    deliver_kick(engine->deliver, false);
    engine_publish_now(engine);
}

/* Restarts work with a timer of its own that stopped because there was no memory for the next one. */
static void go_on(Engine *engine) {
    if (!engine->pass_timer && !engine->give_up_timer)
        engine_due(engine, DUE_PASS);
    if (outbox_depth(engine->outbox) > 0)
        deliver_go_on(engine->deliver);
}

static void watch_fired(void *userdata) {
    engine_check_directories(userdata);
}

void engine_watch_directories(Engine *engine) {
    engine->directories_due_usec = engine_now(engine).mono_usec + WATCH_USEC;
    (void)loop_rearm(engine->aws.loop, WATCH_IDLE_USEC, watch_fired, engine, &engine->directory_timer);
}

void engine_check_directories(Engine *engine) {
    engine_watch_directories(engine);
    check_runtime_dir(engine);
    check_state_dir(engine);
    try_outbox_again(engine);
    go_on(engine);
}
