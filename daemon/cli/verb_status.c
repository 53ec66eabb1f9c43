/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/cli/verb_table.h"
#include "daemon/cli/verbs.h"
#include "daemon/engine.h"
#include "daemon/io/state.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define STATUS_FILE      "status.json"
#define STATUS_FILE_MAX  (16 * 1024 * 1024)
#define INTERVAL_MAX_SEC (24 * 3600) /* more than any configuration allows */

enum { STATUS_WELL = 0, STATUS_USAGE = 1, STATUS_TROUBLE = 2, STATUS_NOT_RUNNING = 3 };

static const char help[] =
        "usage: trailguard status [--json]\n"
        "\n"
        "Shows the running daemon's status, from $RUNTIME_DIRECTORY/status.json (/run/trailguard).\n"
        "Exit status: 0 well, 2 trouble (or a status that is too old), 3 not running.\n"
        "\n"
        "  --json   print the status document\n";

static bool is_too_old(const json_t *status) {
    const char *updated = json_string_value(json_object_get(status, "updated"));
    json_int_t interval = json_integer_value(json_object_get(status, "poll_interval"));
    uint64_t updated_usec, now_usec = (uint64_t)time(NULL) * USEC_PER_SEC;

    if (!updated || timetext_parse_iso(updated, &updated_usec) < 0)
        return true;
    interval = MIN(MAX(interval, 1), INTERVAL_MAX_SEC);
    return now_usec > updated_usec + ((uint64_t)interval * 3 + 60) * USEC_PER_SEC;
}

static bool is_trouble(const json_t *status) {
    static const char *const well[] = { "logging", "protected" };
    const json_t *trails = json_object_get(status, "trails"), *targets = json_object_get(status, "targets"),
                 *channels = json_object_get(status, "channels");

    /* nothing is known to be well before a pass has ended */
    if (!json_is_null(json_object_get(status, "problem")) ||
        json_is_string(json_object_get(status, "state_directory")) ||
        !json_is_string(json_object_get(json_object_get(status, "pass"), "ended")))
        return true;
    for (size_t i = 0; i < json_array_size(trails); i++) {
        const char *verdict = json_string_value(json_object_get(json_array_get(trails, i), "verdict"));
        bool good = false;

        for (size_t k = 0; verdict && k < ARRAY_SIZE(well); k++)
            good |= strcmp(verdict, well[k]) == 0;
        if (!good)
            return true;
    }
    for (size_t i = 0; i < json_array_size(targets); i++) {
        const char *state = json_string_value(json_object_get(json_array_get(targets, i), "state"));

        if (!state || strcmp(state, "unreachable") == 0 || strcmp(state, "list unreadable") == 0 ||
            json_is_true(json_object_get(json_array_get(targets, i), "uncovered")))
            return true;
    }
    if (json_string_value(json_object_get(json_object_get(status, "organization"), "error")) &&
        json_string_value(json_object_get(json_object_get(status, "organization"), "error"))[0])
        return true;
    for (size_t i = 0; i < json_array_size(channels); i++)
        if (json_is_true(json_object_get(json_array_get(channels, i), "failed")))
            return true;
    return false;
}

static int show(const char *path, const char *text, size_t len, bool as_json) {
    char shown[64];
    json_t *status = json_loadb(text, len, 0, NULL);
    const char *updated;
    bool old, trouble;

    if (!json_is_object(status)) {
        fprintf(stderr, "%s: not a status document\n", path);
        json_decref(status);
        return STATUS_TROUBLE;
    }
    updated = json_string_value(json_object_get(status, "updated"));
    old = is_too_old(status);
    trouble = is_trouble(status);
    if (as_json)
        printf("%.*s\n", (int)len, text);
    else
        verb_print_status(stdout, status, verb_wants_color(stdout));
    if (old)
        fprintf(stderr, "%s: last written %s: the daemon does not get on\n", path,
                updated ? text_escaped(shown, sizeof(shown), updated) : "at an unknown time");
    json_decref(status);
    return old || trouble ? STATUS_TROUBLE : STATUS_WELL;
}

int verb_status(int argc, char **argv) {
    _cleanup_free_ const char *path = file_join(engine_runtime_dir(), STATUS_FILE);
    _cleanup_free_ char *text = NULL;
    _cleanup_(file_closep) int fd = -1;
    VerbArgs args;
    size_t len;
    int pid = 0, r = verb_parse(argc, argv, VERB_TAKES_JSON, help, &args);

    if (r <= 0)
        return r == 0 ? STATUS_WELL : STATUS_USAGE;
    if (!path)
        return STATUS_USAGE;
    r = state_is_guarded(engine_state_dir(), engine_runtime_dir(), &pid);
    if (r == 0) {
        fprintf(stderr, "trailguard is not running (nobody holds %s/lock)\n", engine_state_dir());
        return STATUS_NOT_RUNNING;
    }
    /* the state directory may be closed to this user: then the file's age tells */
    fd = file_dir_open(engine_runtime_dir());
    r = fd < 0 ? fd : file_read_at(fd, STATUS_FILE, STATUS_FILE_MAX, &text, &len);
    if (r < 0) {
        fprintf(stderr, "%s: %s\n", path, file_strerror(r));
        return r == -ENOENT ? STATUS_NOT_RUNNING : STATUS_TROUBLE;
    }
    return show(path, text, len, args.json);
}
