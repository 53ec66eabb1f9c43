/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Wires the stages: owns the event loop's sources and moves the values along. It decides nothing about
 * trails; the guard does. */

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
 * SIGHUP. 0 after a signal, else -errno with one line in error (only when it could not start). */
int engine_run(const EngineOptions *options, char error[static ENGINE_ERROR_MAX]);

/* Called once with the result of a check; everything is borrowed. */
typedef void (*EngineChecked)(const Status *status, void *userdata);

/* How far a pass is: AWS's quotas make one over many trails last for minutes. */
typedef struct EngineProgress {
    size_t n_targets, n_targets_polled;
    size_t n_trails, n_trails_polled;
    size_t n_checks;    /* of settings and buckets, to come */
    uint64_t left_usec; /* for what is to come, at the pace that AWS's quota allows */
} EngineProgress;
/* Called twice a second, and with NULL once at the end. */
typedef void (*EngineProgressed)(const EngineProgress *progress);

/* One pass over everything, without state, alerts or journal notes; with restore it also acts as the
 * configured mode allows. progressed may be NULL. */
int engine_check(Config *config, bool restore, EngineProgressed progressed, EngineChecked checked,
                 void *userdata, char error[static ENGINE_ERROR_MAX]);

/* A trail's settings, and what they have to be. Everything is borrowed. */
typedef struct EngineSettings {
    Subject subject;
    const Settings *recorded; /* NULL: there is no baseline yet */
    const Settings *actual;
    uint32_t unread;   /* FIELD_BITs of now that could not be read */
    bool gone;         /* AWS says so to the account that owns it; now is all unknown */
    bool unasked;      /* recorded, and not guarded by this configuration or these keys: error says why */
    bool foreign;      /* ... because these are no keys of its account */
    bool remembered;   /* ... and it has no baseline: the state file alone knows it */
    const char *error; /* why not all of them could be polled; "" when they could. Raw */
} EngineSettings;
/* unlisted: why not every list of trails could be read, raw; "" when all could: else a trail without a row
 * may be there. */
typedef void (*EnginePolled)(const EngineSettings *rows, size_t n, const char *unlisted, void *userdata);

/* One pass over everything that changes and records nothing; polled is called once, with every trail that is
 * guarded, also those that are recorded and not in any list. config is taken over. 0, or -errno with one
 * line in error. */
int engine_settings(Config *config, EngineProgressed progressed, EnginePolled polled, void *userdata,
                    char error[static ENGINE_ERROR_MAX]);

/* $STATE_DIRECTORY or /var/lib/trailguard; $RUNTIME_DIRECTORY or /run/trailguard. The first when the
 * variable lists several. Static. */
const char *engine_state_dir(void);
const char *engine_runtime_dir(void);
