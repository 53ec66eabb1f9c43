/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Connects the stages: owns the sources of the event loop and passes the values on. The guard, not the
 * engine, decides about trails. */

#include "daemon/config/config.h"
#include "daemon/io/report.h"

typedef struct Engine Engine;

typedef struct EngineOptions {
    Config *config; /* taken over, also on error */
    const char *state_dir;
    const char *runtime_dir;
} EngineOptions;

#define ENGINE_ERROR_MAX 640

/* The daemon: locks the state directory, loads state and outbox, guards until SIGTERM or SIGINT, reloads on
 * SIGHUP. 0 after a signal, else -errno with one line in error (only if it could not start). */
int engine_run(const EngineOptions *options, char error[static ENGINE_ERROR_MAX]);

/* Called once with the result of a check; everything is borrowed. */
typedef void (*EngineChecked)(const Status *status, void *userdata);

/* The progress of a pass: because of AWS's quotas, one over many trails takes minutes. */
typedef struct EngineProgress {
    size_t n_targets, n_targets_polled;
    size_t n_trails, n_trails_polled;
    size_t n_checks;    /* remaining checks of settings and buckets */
    uint64_t left_usec; /* the remaining time at the rate that AWS's quota allows */
} EngineProgress;
/* Called twice a second, and with NULL once at the end. */
typedef void (*EngineProgressed)(const EngineProgress *progress);

/* One pass over everything, without saving state, sending alerts or logging; with restore it also acts as
 * the configured mode allows. progressed may be NULL. */
int engine_check(Config *config, bool restore, EngineProgressed progressed, EngineChecked checked,
                 void *userdata, char error[static ENGINE_ERROR_MAX]);

/* A trail's actual and recorded settings. Everything is borrowed. */
typedef struct EngineSettings {
    Subject subject;
    const Settings *recorded; /* NULL: there is no baseline yet */
    const Settings *actual;
    uint32_t unread;   /* FIELD_BITs of actual that could not be read */
    bool gone;         /* AWS says so to the account that owns it; actual is all unknown */
    bool unasked;   /* recorded, but not covered by this configuration or these keys: error has the reason */
    bool foreign;      /* ... because the keys belong to another account */
    bool remembered;   /* ... and without a baseline: only the state file has it */
    const char *error; /* why some of them could not be read; "" if all were. Raw */
} EngineSettings;
/* unlisted: why some list of trails could not be read, raw; "" if all were. Otherwise a trail without a row
 * may exist. */
typedef void (*EnginePolled)(const EngineSettings *rows, size_t n, const char *unlisted, void *userdata);

/* One pass over everything that changes and saves nothing. polled is called once, with all guarded trails,
 * including recorded ones that no list has. config is taken over. 0, or -errno with one line in error. */
int engine_settings(Config *config, EngineProgressed progressed, EnginePolled polled, void *userdata,
                    char error[static ENGINE_ERROR_MAX]);

/* $STATE_DIRECTORY or /var/lib/trailguard; $RUNTIME_DIRECTORY or /run/trailguard. If the variable has
 * several directories, the first. Static. */
const char *engine_state_dir(void);
const char *engine_runtime_dir(void);
