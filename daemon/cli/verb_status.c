/* SPDX-License-Identifier: Apache-2.0 */
/* `status`, and the table that `check` prints, too. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/cli/verbs.h"
#include "daemon/io/state.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define RED    "\033[31m"
#define YELLOW "\033[33m"
#define GREEN  "\033[32m"
#define PLAIN  "\033[0m"

/* Verdicts that are not simply bad. */
static const struct {
    const char *verdict, *color;
} colors[] = {
    { "logging", GREEN },
    { "protected", GREEN },
    { "unknown", YELLOW },
    { "failing", YELLOW },
};

static const char *color_of(const char *verdict) {
    for (size_t i = 0; i < ARRAY_SIZE(colors); i++)
        if (strcmp(colors[i].verdict, verdict) == 0)
            return colors[i].color;
    return RED;
}

/* "" when the member is missing or not a string. */
static const char *get(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

#define SHOWN_MAX 1024

/* The document may have been written by anybody: everything is escaped before a terminal sees it. */
static void put(FILE *out, const char *text) {
    char shown[SHOWN_MAX];

    fputs(text_escaped(shown, sizeof(shown), text), out);
}

static void put_column(FILE *out, const json_t *row, const char *name, int width) {
    char shown[SHOWN_MAX];

    fprintf(out, "%-*s  ", width, text_escaped(shown, sizeof(shown), get(row, name)));
}

/* "prefix a, b  " of the texts of an array, or of a member of its objects, without one of them. */
static void put_words(FILE *out, const char *prefix, const json_t *list, const char *member,
                      const char *without) {
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const char *word = member ? get(item, member) : json_string_value(item);

        if (!word || strcmp(word, without) == 0)
            continue;
        fputs(n++ == 0 ? prefix : ", ", out);
        put(out, word);
    }
    if (n > 0)
        fputs("  ", out);
}

static void put_detail(FILE *out, const json_t *trail) {
    const json_t *incident = json_object_get(trail, "incident");

    put_words(out, "", json_object_get(trail, "findings"), NULL, get(trail, "verdict"));
    put_words(out, "changed: ", json_object_get(incident, "changes"), "field", "");
    put_words(out, "not recorded yet: ", json_object_get(trail, "not_recorded"), NULL, "");
    if (json_is_true(json_object_get(trail, "bucket_owner_unchecked")))
        fputs("owner of its bucket not checked  ", out);
    if (json_is_object(incident) && get(incident, "opened")[0]) {
        fputs("incident ", out);
        put(out, get(incident, "id"));
        fputs(" since ", out);
        put(out, get(incident, get(incident, "reopened")[0] ? "reopened" : "opened"));
    } else if (get(trail, "start_logging")[0]) {
        fputs("since ", out);
        put(out, get(trail, "start_logging"));
    }
}

/* In lines of their own: what AWS said to the last attempt, and who caused it. */
static void put_episode(FILE *out, const json_t *trail) {
    const json_t *incident = json_object_get(trail, "incident"),
                 *failure = json_object_get(incident, "failure"),
                 *actor = json_object_get(incident, "actor");

    if (json_is_object(failure)) {
        fputs("    ", out);
        put(out, get(failure, "action"));
        fprintf(out, " failed, attempt %lld at ",
                (long long)json_integer_value(json_object_get(failure, "attempts")));
        put(out, get(failure, "time"));
        fputs(": ", out);
        put(out, get(failure, "text"));
        fputc('\n', out);
    }
    if (json_is_object(actor)) {
        fputs("    caused by ", out);
        put(out, get(actor, get(actor, "arn")[0] ? "arn" : "name"));
        fputs(get(actor, "source_ip")[0] ? " from " : "", out);
        put(out, get(actor, "source_ip"));
        fputs(", ", out);
        put(out, get(actor, "event_name"));
        fputs(" at ", out);
        put(out, get(actor, "event_time"));
        fputc('\n', out);
    }
}

static int width(const json_t *rows, const char *name, const char *heading) {
    char shown[SHOWN_MAX];
    size_t widest = strlen(heading);

    for (size_t i = 0; i < json_array_size(rows); i++)
        widest = MAX(widest, strlen(text_escaped(shown, sizeof(shown), get(json_array_get(rows, i), name))));
    return (int)MIN(widest, (size_t)128);
}

static void print_trails(FILE *out, const json_t *trails, bool color) {
    int name = width(trails, "name", "TRAIL"), region = width(trails, "region", "HOME");

    if (json_array_size(trails) == 0)
        return;
    fprintf(out, "\n%-*s  %-*s  %-12s  %-9s  %s\n", name, "TRAIL", region, "HOME", "ACCOUNT", "VERDICT",
            "DETAIL");
    for (size_t i = 0; i < json_array_size(trails); i++) {
        const json_t *trail = json_array_get(trails, i);

        put_column(out, trail, "name", name);
        put_column(out, trail, "region", region);
        put_column(out, trail, "account", 12);
        fputs(color ? color_of(get(trail, "verdict")) : "", out);
        put_column(out, trail, "verdict", 9);
        fputs(color ? PLAIN : "", out);
        put_detail(out, trail);
        fputc('\n', out);
        put_episode(out, trail);
    }
}

/* Longer than the configuration says. */
static bool is_stretched(const json_t *status, const json_t *target) {
    return json_integer_value(json_object_get(target, "poll_interval")) >
           json_integer_value(json_object_get(status, "poll_interval"));
}

static void put_state(FILE *out, const json_t *status, const json_t *target) {
    put(out, get(target, "state"));
    fputs(json_is_true(json_object_get(target, "uncovered")) ? ", no trail records it" : "", out);
    if (is_stretched(status, target))
        fprintf(out, ", polled every %lld s",
                (long long)json_integer_value(json_object_get(target, "poll_interval")));
    if (get(target, "error")[0]) {
        fputs(": ", out);
        put(out, get(target, "error"));
    }
    fputc('\n', out);
}

/* An account that cannot be reached has no region, and the role that was to be assumed as its identity. */
static void print_targets(FILE *out, const json_t *status, bool every_target) {
    const json_t *targets = json_object_get(status, "targets");
    int account = width(targets, "account", "ACCOUNT"), region = width(targets, "region", "REGION"),
        identity = width(targets, "identity", "IDENTITY");
    bool heading = false;

    for (size_t i = 0; i < json_array_size(targets); i++) {
        const json_t *target = json_array_get(targets, i);

        if (!every_target && strcmp(get(target, "state"), "well") == 0 && !is_stretched(status, target) &&
            !json_is_true(json_object_get(target, "uncovered")))
            continue;
        if (!heading) {
            fprintf(out, "\n%-*s  %-*s  ", account, "ACCOUNT", region, "REGION");
            if (every_target)
                fprintf(out, "%-*s  ", identity, "IDENTITY");
            fputs("STATE\n", out);
        }
        heading = true;
        put_column(out, target, "account", account);
        put_column(out, target, "region", region);
        if (every_target)
            put_column(out, target, "identity", identity);
        put_state(out, status, target);
    }
}

static void print_channels(FILE *out, const json_t *status) {
    const json_t *channels = json_object_get(status, "channels");
    json_int_t depth = json_integer_value(json_object_get(json_object_get(status, "outbox"), "depth"));

    for (size_t i = 0; i < json_array_size(channels); i++) {
        const json_t *channel = json_array_get(channels, i);

        if (!json_is_true(json_object_get(channel, "failed")))
            continue;
        fputs("\nchannel ", out);
        put(out, get(channel, "channel"));
        fputs(" fails: ", out);
        put(out, get(channel, "text"));
        fputc('\n', out);
    }
    if (depth > 0)
        fprintf(out, "\n%lld %s in the outbox\n", (long long)depth,
                depth == 1 ? "alert waits" : "alerts wait");
}

static void print_organization(FILE *out, const json_t *status) {
    const json_t *organization = json_object_get(status, "organization");

    if (!get(organization, "error")[0])
        return;
    fputs("\nthe organization's accounts cannot be listed: ", out);
    put(out, get(organization, "error"));
    fputc('\n', out);
}

void verb_print_status(FILE *out, const json_t *status, bool every_target, bool color) {
    put(out, get(status, "line"));
    fputc('\n', out);
    print_trails(out, json_object_get(status, "trails"), color);
    print_targets(out, status, every_target);
    print_organization(out, status);
    print_channels(out, status);
}

/* ---- whether the daemon is older than what is installed ---- */

static void print_age_of(FILE *out, const json_t *status, const char *name, const char *verb,
                         const char *deed) {
    const json_t *file = json_object_get(status, name);
    const char *path = get(file, "path");
    char changed[TIMETEXT_MAX];
    uint64_t modified_usec;
    int r;

    if (path[0] != '/' || !get(file, "modified")[0])
        return;
    r = file_modified(path, &modified_usec);
    if (r == -ENOENT) {
        put(out, path);
        fprintf(out, " is gone; the daemon %s what it read\n", verb);
    } else if (r >= 0 && strcmp(timetext_iso(changed, modified_usec), get(file, "modified")) != 0) {
        put(out, path);
        fprintf(out, " is of %s; the daemon %s that of ", changed, verb);
        put(out, get(file, "modified"));
        fprintf(out, ": %s\n", deed);
    }
}

static void print_version(FILE *out, const json_t *status) {
    if (!get(status, "version")[0])
        return;
    fputs("\nTrailGuard ", out);
    put(out, get(status, "version"));
    if (get(status, "started")[0]) {
        fputs(", started ", out);
        put(out, get(status, "started"));
    }
    fputc('\n', out);
    print_age_of(out, status, "binary", "runs", "restart it");
    print_age_of(out, status, "configuration", "uses", "run trailguard config, then reload it");
}

/* ---- status ---- */

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

static bool is_too_old(const json_t *status, uint64_t now_usec) {
    json_int_t interval = json_integer_value(json_object_get(status, "poll_interval"));
    uint64_t updated_usec;

    if (timetext_parse_iso(get(status, "updated"), &updated_usec) < 0)
        return true;
    interval = MIN(MAX(interval, 1), INTERVAL_MAX_SEC);
    return now_usec > updated_usec + ((uint64_t)interval * 3 + 60) * USEC_PER_SEC;
}

static bool is_bad_trail(const json_t *trail) {
    const char *verdict = get(trail, "verdict");

    return strcmp(verdict, "logging") != 0 && strcmp(verdict, "protected") != 0;
}

static bool is_bad_target(const json_t *target) {
    const char *state = get(target, "state");

    return !state[0] || strcmp(state, "unreachable") == 0 || strcmp(state, "list unreadable") == 0 ||
           json_is_true(json_object_get(target, "uncovered"));
}

static bool is_bad_channel(const json_t *channel) {
    return json_is_true(json_object_get(channel, "failed"));
}

static bool is_trouble(const json_t *status) {
    static const struct {
        const char *list;
        bool (*is_bad)(const json_t *item);
    } lists[] = { { "trails", is_bad_trail }, { "targets", is_bad_target }, { "channels", is_bad_channel } };

    /* nothing is known to be well before a pass has ended */
    if (!json_is_null(json_object_get(status, "problem")) ||
        json_is_string(json_object_get(status, "state_directory")) ||
        !json_is_string(json_object_get(json_object_get(status, "pass"), "ended")) ||
        get(json_object_get(status, "organization"), "error")[0])
        return true;
    for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
        const json_t *list = json_object_get(status, lists[k].list);

        for (size_t i = 0; i < json_array_size(list); i++)
            if (lists[k].is_bad(json_array_get(list, i)))
                return true;
    }
    return false;
}

int verb_status_show(const char *path, const char *text, size_t len, bool as_json, uint64_t now_usec) {
    char shown[64];
    json_t *status = json_loadb(text, len, 0, NULL);
    bool old, trouble;

    if (!json_is_object(status)) {
        fprintf(stderr, "%s: not a status document\n", path);
        json_decref(status);
        return STATUS_TROUBLE;
    }
    old = is_too_old(status, now_usec);
    trouble = is_trouble(status);
    if (as_json)
        printf("%.*s\n", (int)len, text);
    else {
        verb_print_status(stdout, status, false, verb_wants_color(stdout));
        print_version(stdout, status);
    }
    if (old)
        fprintf(stderr, "%s: last written %s: the daemon makes no progress\n", path,
                get(status, "updated")[0] ? text_escaped(shown, sizeof(shown), get(status, "updated"))
                                          : "at an unknown time");
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
        fprintf(stderr, "trailguard is not running (no process holds %s/lock)\n", engine_state_dir());
        return STATUS_NOT_RUNNING;
    }
    /* the state directory may be closed to this user: then the file's age shows it */
    fd = file_dir_open(engine_runtime_dir());
    r = fd < 0 ? fd : file_read_at(fd, STATUS_FILE, STATUS_FILE_MAX, &text, &len);
    if (r < 0) {
        fprintf(stderr, "%s: %s\n", path, file_strerror(r));
        return r == -ENOENT ? STATUS_NOT_RUNNING : STATUS_TROUBLE;
    }
    return verb_status_show(path, text, len, args.json, (uint64_t)time(NULL) * USEC_PER_SEC);
}
