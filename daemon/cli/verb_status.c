/* SPDX-License-Identifier: Apache-2.0 */
/* `status`: reads the document, filters it, and shows it once or repeatedly. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "daemon/cli/status_tables.h"
#include "daemon/cli/verbs.h"
#include "daemon/io/report.h"
#include "daemon/io/state.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

/* True if the daemon runs elsewhere, such as in another container: its pid means another process here, or
 * none, and its paths other files. */
static bool status_is_elsewhere(const json_t *status) {
    const char *theirs = status_text(status, "pid_namespace");
    char ours[STATE_PID_NAMESPACE_MAX];

    return theirs[0] && state_pid_namespace(ours)[0] && strcmp(ours, theirs) != 0;
}

/* ---- changes since the daemon started ---- */

static void print_age_of(FILE *out, const json_t *status, const char *name, const char *verb,
                         const char *deed) {
    const json_t *file = json_object_get(status, name);
    const char *path = status_text(file, "path");
    char changed[TIMETEXT_MAX];
    uint64_t modified_usec;
    int r;

    if (path[0] != '/' || !status_text(file, "modified")[0])
        return;
    r = file_modified(path, &modified_usec);
    if (r == -ENOENT) {
        status_put(out, path);
        fprintf(out, " is gone; the daemon %s what it read\n", verb);
    } else if (r >= 0 && strcmp(timetext_iso(changed, modified_usec), status_text(file, "modified")) != 0) {
        status_put(out, path);
        fprintf(out, " is of %s; the daemon %s that of ", changed, verb);
        status_put(out, status_text(file, "modified"));
        fprintf(out, ": %s\n", deed);
    }
}

static void print_version(FILE *out, const json_t *status) {
    if (!status_text(status, "version")[0])
        return;
    fputs("\nTrailGuard ", out);
    status_put(out, status_text(status, "version"));
    if (status_text(status, "started")[0]) {
        fputs(", started ", out);
        status_put(out, status_text(status, "started"));
    }
    fputc('\n', out);
    if (status_is_elsewhere(status))
        return;
    print_age_of(out, status, "binary", "runs", "restart it");
    print_age_of(out, status, "configuration", "uses", "run trailguard config, then reload it");
}

/* ---- status ---- */

#define WATCH_BUFFER     (256 * 1024)
#define INTERVAL_MAX_SEC (24 * 3600) /* more than any configuration allows */

enum { STATUS_WELL = 0, STATUS_USAGE = 1, STATUS_TROUBLE = 2, STATUS_NOT_RUNNING = 3 };

static const char help[] =
        "usage: trailguard status [--problems] [--all] [--account ID] [--region REGION]\n"
        "                         [--trail NAME] [--json] [--watch]\n"
        "\n"
        "Shows the running daemon's status, from $RUNTIME_DIRECTORY/status.json\n"
        "(/run/trailguard): its health in a line, then the trails, the worst first. Of\n"
        "more than 50 trails only those that are not well are shown.\n"
        "Exit status: 0 well, 1 usage error, 2 trouble or a status that is too old,\n"
        "3 not running.\n"
        "\n"
        "  --problems         only what is not well\n"
        "  --all              every trail\n"
        "  --account ID       only this account; also its name\n"
        "  --region REGION    only this region\n"
        "  --trail NAME       only this trail; also its ARN\n"
        "  --json             print the status document\n"
        "  --watch            redraw every second, until you press Ctrl-C\n"
        "\n"
        "The exit status is about what the filters leave.\n"
        "\n"
        "Examples:\n"
        "  trailguard status --problems\n"
        "  trailguard status --account 111122223333 --region eu-central-1\n"
        "  trailguard status --json |\n"
        "      jq -r '.trails[] | select(.verdict != \"logging\") | .arn'\n";

static bool is_too_old(const json_t *status, uint64_t now_usec) {
    json_int_t interval = json_integer_value(json_object_get(status, "poll_interval"));
    uint64_t updated_usec;

    if (timetext_parse_iso(status_text(status, "updated"), &updated_usec) < 0)
        return true;
    interval = MIN(MAX(interval, 1), INTERVAL_MAX_SEC);
    return now_usec > updated_usec + ((uint64_t)interval * 3 + 60) * USEC_PER_SEC;
}

/* Trouble of every account. Nothing counts as well before a pass has ended. */
static bool is_trouble_of_all(const json_t *status) {
    return !json_is_null(json_object_get(status, "problem")) ||
           json_is_string(json_object_get(status, "state_directory")) ||
           !json_is_string(json_object_get(json_object_get(status, "pass"), "ended")) ||
           status_text(json_object_get(status, "organization"), "error")[0];
}

/* ---- filters ---- */

/* The account's id for its name. */
static const char *account_id(const json_t *status, const char *account) {
    const json_t *accounts = json_object_get(status, "accounts");

    for (size_t i = 0; i < json_array_size(accounts); i++)
        if (strcmp(status_text(json_array_get(accounts, i), "name"), account) == 0)
            return status_text(json_array_get(accounts, i), "id");
    return account;
}

static bool fits(const VerbArgs *args, const char *account, const json_t *row, bool is_trail) {
    if (account && strcmp(status_text(row, "account"), account) != 0)
        return false;
    if (args->region && strcmp(status_text(row, "region"), args->region) != 0)
        return false;
    return !args->trail || (is_trail && (strcmp(status_text(row, "name"), args->trail) == 0 ||
                                         strcmp(status_text(row, "arn"), args->trail) == 0));
}

/* Removes from a list what does not match the filters. */
static void filter_list(const VerbArgs *args, const char *account, json_t *list, bool is_trail) {
    for (size_t i = json_array_size(list); i-- > 0;)
        if (!fits(args, account, json_array_get(list, i), is_trail))
            (void)json_array_remove(list, i);
}

static bool has_filters(const VerbArgs *args) {
    return args->account || args->region || args->trail;
}

/* Prints one line about a filter that matches nothing. */
static int refuse_filter(const json_t *status, const char *what, const char *value, const char *member) {
    static const char *const lists[] = { "trails", "targets", "accounts" };
    TextNearest nearest = { .text = value };
    char shown[STATUS_SHOWN_MAX];
    bool known = false;

    for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
        const json_t *list = json_object_get(status, lists[k]);

        for (size_t i = 0; i < json_array_size(list); i++) {
            const char *word = status_text(json_array_get(list, i), member);

            if (k == 2 && strcmp(member, "account") == 0) {
                known |= strcmp(status_text(json_array_get(list, i), "id"), value) == 0;
                word = status_text(json_array_get(list, i), "name");
            } else if (k == 2 || (k == 1 && strcmp(member, "name") == 0))
                continue;
            known |= strcmp(word, value) == 0 ||
                     (strcmp(member, "name") == 0 &&
                      strcmp(status_text(json_array_get(list, i), "arn"), value) == 0);
            text_nearest(&nearest, word);
        }
    }
    if (known)
        return 0;
    fprintf(stderr, "trailguard status: no %s \"%s\" is guarded", what,
            text_escaped(shown, sizeof(shown), value));
    verb_put_meant(nearest.best, "");
    fputc('\n', stderr);
    return -EINVAL;
}

/* 0, or -EINVAL after a line on stderr. */
static int filter(const VerbArgs *args, json_t *status) {
    const char *account = args->account ? account_id(status, args->account) : NULL;

    if ((args->account && refuse_filter(status, "account", args->account, "account") < 0) ||
        (args->region && refuse_filter(status, "region", args->region, "region") < 0) ||
        (args->trail && refuse_filter(status, "trail", args->trail, "name") < 0))
        return -EINVAL;
    if (has_filters(args)) {
        filter_list(args, account, json_object_get(status, "trails"), true);
        filter_list(args, account, json_object_get(status, "targets"), false);
        filter_list(args, account, json_object_get(status, "contained"), false);
        filter_list(args, account, json_object_get(status, "rights_lost"), false);
        (void)json_array_clear(json_object_get(status, "channels")); /* they belong to no account */
    }
    return 0;
}

/* ---- output ---- */

static unsigned columns(FILE *stream) {
    struct winsize size;

    return isatty(fileno(stream)) && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static void print_all(FILE *out, const VerbArgs *args, const json_t *status, bool trouble,
                      uint64_t now_usec) {
    StatusView view = { .color = verb_wants_color(stdout),
                        .columns = columns(stdout),
                        .all = args->all,
                        .problems = args->problems,
                        .now_usec = now_usec };

    fprintf(out, "%s%s%s: ", view.color ? (trouble ? STATUS_RED : STATUS_GREEN) : "",
            trouble ? "trouble" : "well", view.color ? STATUS_PLAIN : "");
    if (has_filters(args) && !is_trouble_of_all(status)) { /* the daemon's own line is about everything */
        size_t n_trails = json_array_size(json_object_get(status, "trails")),
               n_targets = json_array_size(json_object_get(status, "targets"));

        fprintf(out, "the filters match %zu trail%s, %zu region%s; %zu not well\n", n_trails,
                n_trails == 1 ? "" : "s", n_targets, n_targets == 1 ? "" : "s", status_count_bad(status));
    } else {
        status_put(out, status_text(status, "line"));
        fputc('\n', out);
    }
    status_print(out, status, &view);
}

static void print_json(FILE *out, const VerbArgs *args, const json_t *status, const char *text, size_t len) {
    if (!has_filters(args))
        fprintf(out, "%.*s\n", (int)len, text);
    else if (json_dumpf(status, out, JSON_INDENT(1)) == 0)
        fputc('\n', out);
}

/* How to show it. */
typedef struct Showing {
    FILE *out, *err; /* err may be the same as out */
    const char *path;
    const VerbArgs *args;
    uint64_t now_usec;
    int lock_error; /* 0: the daemon's lock shows that it runs */
} Showing;

/* Without the lock, the process that wrote the document counts; one of another user may not be signalled,
 * but exists. */
static bool has_ended(const json_t *status) {
    json_int_t pid = json_integer_value(json_object_get(status, "pid"));

    return !status_is_elsewhere(status) && pid > 0 && pid <= INT_MAX && kill((pid_t)pid, 0) < 0 &&
           errno == ESRCH;
}

#define AGE_MAX (TIMETEXT_MAX + sizeof(" ago"))

/* Its age as text. */
static const char *age_of(const Showing *s, const json_t *status, char dst[static AGE_MAX]) {
    char span[TIMETEXT_MAX];
    uint64_t updated_usec;

    if (timetext_parse_iso(status_text(status, "updated"), &updated_usec) < 0)
        return "at an unknown time";
    (void)snprintf(dst, AGE_MAX, "%s ago",
                   timetext_span(span, s->now_usec > updated_usec ? s->now_usec - updated_usec : 0));
    return dst;
}

static void print_by_process(const Showing *s, const json_t *status) {
    char age[AGE_MAX];

    fprintf(s->out,
            status_is_elsewhere(status) ? "%s/lock: %s; process %d of another PID namespace wrote this %s\n"
                                 : "%s/lock: %s; but process %d runs, and wrote this %s\n",
            engine_state_dir(), file_strerror(s->lock_error),
            (int)json_integer_value(json_object_get(status, "pid")), age_of(s, status, age));
}

static int print_ended(const Showing *s, const json_t *status) {
    char age[AGE_MAX];

    fprintf(s->err, "trailguard is not running: process %d, which wrote %s %s, has ended\n",
            (int)json_integer_value(json_object_get(status, "pid")), s->path, age_of(s, status, age));
    return STATUS_NOT_RUNNING;
}

static int print_running(const Showing *s, json_t *status, const char *text, size_t len) {
    bool old = is_too_old(status, s->now_usec),
         trouble = old || is_trouble_of_all(status) || status_count_bad(status) > 0;
    char shown[64];

    if (s->args->json)
        print_json(s->out, s->args, status, text, len);
    else {
        print_all(s->out, s->args, status, trouble, s->now_usec);
        print_version(s->out, status);
        if (s->lock_error < 0)
            print_by_process(s, status);
    }
    if (old)
        fprintf(s->err, "%s: last written %s: the daemon %smakes no progress; its journal says why\n",
                s->path,
                status_text(status, "updated")[0]
                        ? text_escaped(shown, sizeof(shown), status_text(status, "updated"))
                        : "at an unknown time",
                s->lock_error < 0 && status_is_elsewhere(status) ? "has ended or " : "");
    return trouble ? STATUS_TROUBLE : STATUS_WELL;
}

static int verb_status_print(const Showing *s, const char *text, size_t len) {
    json_t *status = json_loadb(text, len, 0, NULL);
    int r;

    if (!json_is_object(status)) {
        fprintf(s->err, "%s: not a status document\n", s->path);
        r = STATUS_TROUBLE;
    } else if (s->lock_error < 0 && has_ended(status))
        r = print_ended(s, status);
    else
        r = filter(s->args, status) < 0 ? STATUS_USAGE : print_running(s, status, text, len);
    json_decref(status);
    return r;
}

int verb_status_show(const char *path, const char *text, size_t len, const VerbArgs *args,
                     uint64_t now_usec) {
    const Showing showing = {
        .out = stdout, .err = stderr, .path = path, .args = args, .now_usec = now_usec
    };

    return verb_status_print(&showing, text, len);
}

/* Reads and shows it once. */
static int show_once(FILE *out, FILE *err, const VerbArgs *args) {
    _cleanup_free_ const char *path = file_join(engine_runtime_dir(), STATUS_FILE);
    _cleanup_free_ char *text = NULL;
    _cleanup_(file_closep) int fd = -1;
    Showing showing = { .out = out, .err = err, .path = path, .args = args };
    size_t len;
    int pid = 0, r;

    if (!path)
        return STATUS_USAGE;
    r = state_is_guarded(engine_state_dir(), engine_runtime_dir(), &pid);
    showing.lock_error = MIN(r, 0);
    if (r == 0) {
        fprintf(err, "trailguard is not running (no process holds %s/lock)\n", engine_state_dir());
        return STATUS_NOT_RUNNING;
    }
    /* this user may not be able to read the locks: then the process that wrote the file, and its age,
     * count */
    fd = file_dir_open(engine_runtime_dir());
    r = fd < 0 ? fd : file_read_at(fd, STATUS_FILE, STATUS_SIZE_MAX, &text, &len);
    if (r < 0) {
        fprintf(err, "%s: %s\n", path, file_strerror(r));
        return r == -ENOENT ? STATUS_NOT_RUNNING : STATUS_TROUBLE;
    }
    showing.now_usec = (uint64_t)time(NULL) * USEC_PER_SEC;
    return verb_status_print(&showing, text, len);
}

/* How many rows of the terminal a line needs, without its colours. */
static size_t rows_of(const char *line, size_t len, const struct winsize *size) {
    size_t n = 0;

    for (const char *c = line; c < line + len; c++) {
        if (*c == '\033')
            c += strcspn(c, "m");
        else
            n += ((unsigned char)*c & 0xc0) != 0x80;
    }
    return size->ws_col > 0 && n > size->ws_col ? (n + size->ws_col - 1) / size->ws_col : 1;
}

/* How much of the text fits above the last row of the screen. */
static size_t fitting(const char *text, const struct winsize *size) {
    size_t used = 0, rows = 0;

    while (text[used]) {
        size_t len = strcspn(text + used, "\n");

        rows += rows_of(text + used, len, size);
        if (size->ws_row > 0 && rows >= size->ws_row)
            break;
        used += len + (text[used + len] == '\n');
    }
    return used;
}

static size_t count_lines(const char *text) {
    size_t n = 0;

    for (; *text; n++) {
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    return n;
}

/* Draws everything at once, over the previous output, so that the terminal neither scrolls nor flickers. */
static int draw_once(const VerbArgs *args) {
    struct winsize size = { 0 };
    _cleanup_free_ char *text = NULL;
    size_t len = 0, shown, hidden;
    char more[64] = "";
    FILE *out = open_memstream(&text, &len);
    int r;

    if (!out)
        return STATUS_TROUBLE;
    r = show_once(out, out, args);
    if (fclose(out) != 0 || r == STATUS_USAGE) /* the error is on stderr, and ends it */
        return r;
    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    shown = fitting(text, &size);
    hidden = count_lines(text + shown);
    if (hidden > 0)
        (void)snprintf(more, sizeof(more), "... and %zu more line%s", hidden, hidden == 1 ? "" : "s");
    if (size.ws_col > 0 && size.ws_col < strlen(more))
        more[size.ws_col] = '\0';
    fprintf(stdout, "\033[H\033[J%.*s%s", (int)shown, text, more);
    (void)fflush(stdout);
    return r;
}

/* Ends on a signal. A change of the terminal's size ends the wait. */
static int watch(const VerbArgs *args) {
    const struct timespec second = { .tv_sec = 1 };
    sigset_t resized;
    int r;

    if (!verb_can_redraw(stdout)) {
        (void)verb_usage("status", "--watch needs a terminal that can be redrawn", "");
        return STATUS_USAGE;
    }
    (void)setvbuf(stdout, NULL, _IOFBF, WATCH_BUFFER); /* the table is drawn at once */
    (void)sigemptyset(&resized);
    (void)sigaddset(&resized, SIGWINCH);
    (void)sigprocmask(SIG_BLOCK, &resized, NULL); /* so that one that comes during drawing also ends the
                                                     wait */
    do {
        r = draw_once(args);
        (void)sigtimedwait(&resized, NULL, &second);
    } while (r != STATUS_USAGE && !ferror(stdout));
    return r;
}

int verb_status(int argc, char **argv) {
    VerbArgs args;
    int r = verb_parse(argc, argv, VERB_TAKES_JSON | VERB_TAKES_FILTERS, help, &args);

    if (r <= 0)
        return r == 0 ? STATUS_WELL : STATUS_USAGE;
    if (args.watch && args.json) {
        (void)verb_usage("status", "--watch and --json cannot be combined", "");
        return STATUS_USAGE;
    }
    return args.watch ? watch(&args) : show_once(stdout, stderr, &args);
}
