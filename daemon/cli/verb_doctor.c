/* SPDX-License-Identifier: Apache-2.0 */
/* `check --doctor`: the order of the checks. A failed one skips only those that depend on it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <syslog.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "daemon/cli/doctor.h"
#include "daemon/core/enum_names.h"
#include "daemon/io/state.h"
#include "daemon/log.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* The size of state and alerts of the largest installations. */
#define ROOM_BYTES (64ULL * 1024 * 1024)

/* ---- the configuration ---- */

/* The configuration without a file; NULL without memory. */
static Config *defaults(void) {
    static const char text[] = "alerts = ();\n";
    char error[CONFIG_ERROR_MAX];
    Config *config = NULL;

    return config_parse("(defaults)", text, sizeof(text) - 1, &config, error) < 0 ? NULL : config;
}

static void add_config_mistakes(Doctor *doctor, char *error) {
    char *rest = error;

    for (const char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
        if (line[0])
            doctor_add(doctor, DOCTOR_CONFIGURATION, DOCTOR_PROBLEM, NULL, "%s", line);
    doctor_add(doctor, DOCTOR_CONFIGURATION, DOCTOR_NOTE, "trailguard config checks the file alone",
               "what is below was found with the defaults instead");
}

/* *ret_good: it was read from the file. NULL without memory. */
static Config *read_config(Doctor *doctor, const char *path, bool *ret_good) {
    char error[CONFIG_ERROR_MAX];
    Config *config = NULL;

    *ret_good = config_load(path, &config, error) >= 0;
    if (!*ret_good) {
        add_config_mistakes(doctor, error);
        return defaults();
    }
    doctor_add(doctor, DOCTOR_CONFIGURATION, DOCTOR_OK, NULL, "%s: mode %s, every %u s", path,
               mode_to_string(config->mode), config->poll_interval_sec);
    return config;
}

/* ---- directories ---- */

static void check_room(Doctor *doctor, const char *path) {
    struct statvfs fs;
    unsigned long long free_bytes;

    if (statvfs(path, &fs) < 0)
        return;
    free_bytes = (unsigned long long)fs.f_bavail * fs.f_frsize;
    if (free_bytes < ROOM_BYTES)
        doctor_add(doctor, DOCTOR_DIRECTORIES, free_bytes == 0 ? DOCTOR_PROBLEM : DOCTOR_WARNING,
                   "make room: state and waiting alerts are kept there", "%s has %llu MB left", path,
                   free_bytes >> 20);
    else
        doctor_add(doctor, DOCTOR_DIRECTORIES, DOCTOR_OK, NULL, "%s can be written", path);
}

static void check_directory(Doctor *doctor, const char *path, const char *variable) {
    struct stat st;
    char advice[200];

    (void)snprintf(advice, sizeof(advice), "as root, or with $%s set to a directory of yours", variable);
    if (stat(path, &st) < 0 && errno == ENOENT)
        doctor_add(doctor, DOCTOR_DIRECTORIES, DOCTOR_NOTE, NULL,
                   "%s is not there yet; systemd makes it when trailguard.service starts", path);
    else if (stat(path, &st) < 0)
        doctor_add(doctor, DOCTOR_DIRECTORIES, DOCTOR_PROBLEM, advice, "%s: %s", path, strerror(errno));
    else if (!S_ISDIR(st.st_mode))
        doctor_add(doctor, DOCTOR_DIRECTORIES, DOCTOR_PROBLEM, "remove it", "%s is not a directory", path);
    else if (access(path, R_OK | W_OK | X_OK) < 0 && errno == EROFS)
        doctor_add(doctor, DOCTOR_DIRECTORIES, DOCTOR_PROBLEM,
                   "mount it writable: state and waiting alerts are kept there",
                   "%s is on a read-only file system", path);
    else if (access(path, R_OK | W_OK | X_OK) < 0)
        doctor_add(doctor, DOCTOR_DIRECTORIES,
                   errno == EACCES && getuid() != 0 ? DOCTOR_UNKNOWN : DOCTOR_PROBLEM, advice,
                   "%s cannot be written by this user: %s", path, strerror(errno));
    else
        check_room(doctor, path);
}

static void check_directories(Doctor *doctor) {
    int pid = 0;

    check_directory(doctor, engine_state_dir(), "STATE_DIRECTORY");
    check_directory(doctor, engine_runtime_dir(), "RUNTIME_DIRECTORY");
    if (state_is_guarded(engine_state_dir(), engine_runtime_dir(), &pid) == 1)
        doctor_add(doctor, DOCTOR_DIRECTORIES, DOCTOR_NOTE, NULL, "the daemon runs, pid %d", pid);
}

/* ---- what needs AWS ---- */

static void check_heartbeat(Doctor *doctor, const Config *config) {
    const char *file = config->heartbeat.url_file;

    if (file && access(file, R_OK) < 0)
        doctor_add(doctor, DOCTOR_HEARTBEAT, DOCTOR_PROBLEM,
                   "write the URL into it, or correct heartbeat.url_file", "%s: %s", file, strerror(errno));
    else if (config->heartbeat.url || file)
        doctor_add(doctor, DOCTOR_HEARTBEAT, DOCTOR_OK, NULL,
                   "configured; not sent now: it would signal that all is well");
    else
        doctor_add(doctor, DOCTOR_HEARTBEAT, DOCTOR_NOTE, "set heartbeat to an outside dead-man switch",
                   "not configured: nobody notices when this host is down");
}

typedef struct Examination {
    Doctor *doctor;
    const Config *config;
    sd_event *event;
    AwsSetup aws;
    GuardIdentity caller;
} Examination;

static void passed(const Status *status, void *userdata) {
    Examination *x = userdata;

    if (!x->caller.known) {
        doctor_channels(x->doctor, status); /* the rest would add nothing */
        return;
    }
    doctor_status(x->doctor, status);
    doctor_protection_of_guard(x->doctor, &status->protection);
    doctor_rights(x->doctor, x->config, x->event, &x->aws, &x->caller, status);
}

/* The pass takes over a configuration of its own. */
static void poll_once(Examination *x) {
    char error[ENGINE_ERROR_MAX], config_error[CONFIG_ERROR_MAX];
    Config *config = NULL;

    if (config_load(x->config->path, &config, config_error) < 0)
        doctor_add(x->doctor, DOCTOR_CONFIGURATION, DOCTOR_PROBLEM, NULL, "%s", config_error);
    else if (engine_check(config, false, verb_progress(), passed, x, error) < 0)
        doctor_add(x->doctor, DOCTOR_REGIONS, DOCTOR_UNKNOWN, NULL, "nothing could be polled: %s", error);
}

int verb_doctor(const VerbArgs *args) {
    Doctor doctor = { 0 };
    Examination x = { .doctor = &doctor };
    bool good;
    Config *config;
    int status;

    log_set_level(LOG_CRIT); /* the rows have everything */
    config = read_config(&doctor, args->config, &good);
    x.config = config;
    check_directories(&doctor);
    if (config)
        doctor_aws(&doctor, config, &x.event, &x.aws, &x.caller);
    if (good) {
        poll_once(&x);
        check_heartbeat(&doctor, config);
    }
    status = doctor_print(&doctor, args->json, verb_wants_color(stdout));
    aws_setup_close(&x.aws);
    sd_event_unref(x.event);
    config_free(config);
    doctor_done(&doctor);
    return status;
}
