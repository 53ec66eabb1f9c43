/* SPDX-License-Identifier: Apache-2.0 */
/* `status`, and the table that `check` prints, too. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "daemon/cli/verbs.h"
#include "daemon/core/enum_names.h"
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

/* How many columns a text takes: characters, each counted as one. */
static size_t columns_of(const char *text) {
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* In that many columns: the middle of what is longer is left out, for names differ at both ends. */
static void put_column(FILE *out, const json_t *row, const char *name, int width) {
    char shown[SHOWN_MAX], dots[] = "...";
    size_t n, wide = (size_t)width, head = (wide - strlen(dots) + 1) / 2, tail = wide - strlen(dots) - head;

    (void)text_escaped(shown, sizeof(shown), get(row, name));
    n = columns_of(shown);
    if (n <= wide || wide < 8 || n != strlen(shown))
        fprintf(out, "%s%*s  ", shown, (int)(wide > n ? wide - n : 0), "");
    else
        fprintf(out, "%.*s%s%s  ", (int)head, shown, dots, shown + n - tail);
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
    if (json_is_true(json_object_get(trail, "provisional")))
        fputs("new, not accepted  ", out);
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

static uint64_t time_of(const json_t *object, const char *name) {
    uint64_t usec;

    return timetext_parse_iso(get(object, name), &usec) < 0 ? 0 : usec;
}

/* From when to when nothing was recorded, and how long that is. */
static void put_gap(FILE *out, const json_t *gap, uint64_t now_usec) {
    uint64_t from = time_of(gap, "from"), to = time_of(gap, "to"), end = to > 0 ? to : now_usec;
    char span[TIMETEXT_MAX];

    if (from == 0)
        return;
    fputs("    gap: not recorded from ", out);
    put(out, get(gap, "from"));
    fputs(to > 0 ? " to " : " on", out);
    put(out, get(gap, "to"));
    fprintf(out, " (%s)\n", timetext_span(span, end > from ? end - from : 0));
}

/* What a person does about it; %s: the trail's name or ARN, and its region. */
static const struct {
    const char *verdict, *mode; /* NULL: any */
    const char *next;
} next_steps[] = {
    { "stopped", "observe", "start it: aws cloudtrail start-logging --name %s --region %s" },
    { "stopped", NULL,
      "the guard starts it again; if not: aws cloudtrail start-logging --name %s --region %s" },
    { "missing", NULL, "create it again; if it may be gone: trailguard accept %s" },
    { "interrupted", NULL, "it logs again; find out why it was stopped, and what happened in the gap" },
    { "weakened", NULL, "put the settings back; if they may stay: trailguard accept %s" },
    { "failing", NULL, "correct its bucket, key or policy; trailguard check names what is denied" },
    { "unknown", NULL, "trailguard check names what cannot be read, and why" },
};

static void put_next(FILE *out, const json_t *status, const json_t *trail) {
    const char *name = get(trail, get(trail, "arn")[0] ? "arn" : "name");

    for (size_t i = 0; i < ARRAY_SIZE(next_steps); i++) {
        const char *text = next_steps[i].next, *hole;

        if (strcmp(next_steps[i].verdict, get(trail, "verdict")) != 0 ||
            (next_steps[i].mode && strcmp(next_steps[i].mode, get(status, "mode")) != 0))
            continue;
        fputs("    next: ", out);
        for (bool first = true; (hole = strstr(text, "%s")); first = false, text = hole + 2) {
            fprintf(out, "%.*s", (int)(hole - text), text);
            put(out, first ? name : get(trail, "region"));
        }
        fprintf(out, "%s\n", text);
        return;
    }
}

/* In lines of their own: what AWS said to the last attempt, who caused it, what was not recorded, what to
 * do. */
static void put_incident(FILE *out, const json_t *status, const json_t *trail, uint64_t now_usec) {
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
    if (json_is_object(incident)) {
        put_gap(out, json_object_get(incident, "gap"), now_usec);
        put_next(out, status, trail);
    }
}

static int width(const json_t *rows, const char *name, const char *heading) {
    char shown[SHOWN_MAX];
    size_t widest = strlen(heading);

    for (size_t i = 0; i < json_array_size(rows); i++)
        widest = MAX(widest,
                     columns_of(text_escaped(shown, sizeof(shown), get(json_array_get(rows, i), name))));
    return (int)MIN(widest, (size_t)128);
}

/* ---- the order of the trails, and how many are shown ---- */

#define ALL_MAX  50U  /* so many trails are all shown */
#define ROWS_MAX 200U /* of those that are not well */

static bool is_bad_trail(const json_t *trail) {
    const char *verdict = get(trail, "verdict");

    return strcmp(verdict, "logging") != 0 && strcmp(verdict, "protected") != 0;
}

/* Enumerated from the worst on; what this version does not know comes first. */
static unsigned rank_of(const json_t *trail) {
    unsigned v = 0;

    while (v < _VERDICT_MAX && strcmp(verdict_to_string((Verdict)v), get(trail, "verdict")) != 0)
        v++;
    return v == _VERDICT_MAX ? 0 : v + 1;
}

/* The worst first; of equals those with an incident; then by name. */
static int by_badness(const void *a, const void *b) {
    const json_t *one = *(const json_t *const *)a, *other = *(const json_t *const *)b;
    unsigned rank = rank_of(one), other_rank = rank_of(other);
    bool open = json_is_object(json_object_get(one, "incident")),
         other_open = json_is_object(json_object_get(other, "incident"));

    if (rank != other_rank)
        return rank < other_rank ? -1 : 1;
    return open != other_open ? (open ? -1 : 1) : strcmp(get(one, "name"), get(other, "name"));
}

/* Whether a trail of that rank among them is shown, of n in all. */
static bool is_shown(const VerbView *view, const json_t *trail, size_t i, size_t n) {
    if (view->all)
        return true;
    if (is_bad_trail(trail) || json_is_object(json_object_get(trail, "incident")))
        return i < ROWS_MAX;
    return !view->problems && n <= ALL_MAX;
}

static void print_trail(FILE *out, const json_t *status, const json_t *trail, const VerbView *view, int name,
                        int region) {
    char *detail = NULL;
    size_t len = 0, used = (size_t)name + (size_t)region + 12 + 9 + 4 * 2;
    FILE *memory = open_memstream(&detail, &len);

    put_column(out, trail, "name", name);
    put_column(out, trail, "region", region);
    put_column(out, trail, "account", 12);
    fputs(view->color ? color_of(get(trail, "verdict")) : "", out);
    put_column(out, trail, "verdict", 9);
    fputs(view->color ? PLAIN : "", out);
    if (memory) {
        put_detail(memory, trail);
        (void)fclose(memory);
        if (view->columns > 0 && used + columns_of(detail) > view->columns)
            fprintf(out, "\n    %s\n", detail); /* it has a line of its own */
        else
            fprintf(out, "%s\n", detail);
        free(detail);
    }
    put_incident(out, status, trail, view->now_usec);
}

/* How wide the column of the names may be. */
static int name_width(const json_t *trails, int region, unsigned columns) {
    int name = width(trails, "name", "TRAIL"), others = region + 12 + 9 + 4 * 2 + (int)strlen("DETAIL");

    return columns > 0 ? MAX(MIN(name, (int)columns - others), 12) : name;
}

static void print_trails(FILE *out, const json_t *status, const VerbView *view) {
    const json_t *trails = json_object_get(status, "trails");
    size_t n = json_array_size(trails), n_shown = 0, n_bad = 0;
    int region = width(trails, "region", "HOME"), name = name_width(trails, region, view->columns);
    _cleanup_free_ const json_t **rows = calloc(n + 1, sizeof(*rows));

    if (n == 0 || !rows)
        return;
    for (size_t i = 0; i < n; i++)
        rows[i] = json_array_get(trails, i);
    qsort(rows, n, sizeof(*rows), by_badness);
    for (size_t i = 0; i < n; i++) {
        n_bad += is_bad_trail(rows[i]);
        if (!is_shown(view, rows[i], i, n))
            continue;
        if (n_shown++ == 0)
            fprintf(out, "\n%-*s  %-*s  %-12s  %-9s  %s\n", name, "TRAIL", region, "HOME", "ACCOUNT",
                    "VERDICT", "DETAIL");
        print_trail(out, status, rows[i], view, name, region);
    }
    if (n_shown < n)
        fprintf(out, "\n%zu of %zu trails are not shown, %zu of them not well; --all shows them\n",
                n - n_shown, n, n_bad > ROWS_MAX ? n_bad - ROWS_MAX : 0);
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
static void print_targets(FILE *out, const json_t *status, const VerbView *view) {
    bool every_target = view->every_target;
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

static bool is_bad_channel(const json_t *channel) {
    return json_is_true(json_object_get(channel, "failed")) ||
           json_is_true(json_object_get(channel, "unheard"));
}

static void print_channels(FILE *out, const json_t *status) {
    const json_t *channels = json_object_get(status, "channels");
    json_int_t depth = json_integer_value(json_object_get(json_object_get(status, "outbox"), "depth"));

    for (size_t i = 0; i < json_array_size(channels); i++) {
        const json_t *channel = json_array_get(channels, i);

        if (!is_bad_channel(channel))
            continue;
        fputs("\nchannel ", out);
        put(out, get(channel, "channel"));
        if (json_is_true(json_object_get(channel, "failed"))) {
            fputs(" fails: ", out);
            put(out, get(channel, "text"));
        } else {
            fputs(" reaches nobody: ", out);
            put(out, get(channel, "check"));
        }
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

void verb_print_status(FILE *out, const json_t *status, const VerbView *view) {
    print_trails(out, status, view);
    print_targets(out, status, view);
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
#define STATUS_FILE_MAX  (256 * 1024 * 1024) /* what the daemon writes at most */
#define WATCH_BUFFER     (256 * 1024)
#define INTERVAL_MAX_SEC (24 * 3600) /* more than any configuration allows */

enum { STATUS_WELL = 0, STATUS_USAGE = 1, STATUS_TROUBLE = 2, STATUS_NOT_RUNNING = 3 };

static const char help[] =
        "usage: trailguard status [--problems] [--all] [--account ID] [--region REGION] [--trail NAME]\n"
        "                         [--json] [--watch]\n"
        "\n"
        "Shows the running daemon's status, from $RUNTIME_DIRECTORY/status.json (/run/trailguard): its "
        "health in a\n"
        "line, then the trails, the worst first. Of more than 50 trails only those that are not well are "
        "shown.\n"
        "Exit status: 0 well, 1 usage error, 2 trouble (or a status that is too old), 3 not running.\n"
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
        "  trailguard status --json | jq -r '.trails[] | select(.verdict != \"logging\") | .arn'\n";

static bool is_too_old(const json_t *status, uint64_t now_usec) {
    json_int_t interval = json_integer_value(json_object_get(status, "poll_interval"));
    uint64_t updated_usec;

    if (timetext_parse_iso(get(status, "updated"), &updated_usec) < 0)
        return true;
    interval = MIN(MAX(interval, 1), INTERVAL_MAX_SEC);
    return now_usec > updated_usec + ((uint64_t)interval * 3 + 60) * USEC_PER_SEC;
}

static bool is_bad_target(const json_t *target) {
    const char *state = get(target, "state");

    return !state[0] || strcmp(state, "unreachable") == 0 || strcmp(state, "list unreadable") == 0 ||
           json_is_true(json_object_get(target, "uncovered"));
}

/* What concerns every account; nothing is known to be well before a pass has ended. */
static bool is_trouble_of_all(const json_t *status) {
    return !json_is_null(json_object_get(status, "problem")) ||
           json_is_string(json_object_get(status, "state_directory")) ||
           !json_is_string(json_object_get(json_object_get(status, "pass"), "ended")) ||
           get(json_object_get(status, "organization"), "error")[0];
}

/* How many trails, regions and channels are not well. */
static size_t count_bad(const json_t *status) {
    static const struct {
        const char *list;
        bool (*is_bad)(const json_t *item);
    } lists[] = { { "trails", is_bad_trail }, { "targets", is_bad_target }, { "channels", is_bad_channel } };
    size_t n = 0;

    for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
        const json_t *list = json_object_get(status, lists[k].list);

        for (size_t i = 0; i < json_array_size(list); i++)
            n += lists[k].is_bad(json_array_get(list, i));
    }
    return n;
}

/* ---- filters ---- */

/* The account's number for its name. */
static const char *account_id(const json_t *status, const char *account) {
    const json_t *accounts = json_object_get(status, "accounts");

    for (size_t i = 0; i < json_array_size(accounts); i++)
        if (strcmp(get(json_array_get(accounts, i), "name"), account) == 0)
            return get(json_array_get(accounts, i), "id");
    return account;
}

static bool fits(const VerbArgs *args, const char *account, const json_t *row, bool is_trail) {
    if (account && strcmp(get(row, "account"), account) != 0)
        return false;
    if (args->region && strcmp(get(row, "region"), args->region) != 0)
        return false;
    return !args->trail || (is_trail && (strcmp(get(row, "name"), args->trail) == 0 ||
                                         strcmp(get(row, "arn"), args->trail) == 0));
}

/* Takes out of a list what the filters do not leave. */
static void filter_list(const VerbArgs *args, const char *account, json_t *list, bool is_trail) {
    for (size_t i = json_array_size(list); i-- > 0;)
        if (!fits(args, account, json_array_get(list, i), is_trail))
            (void)json_array_remove(list, i);
}

static bool has_filters(const VerbArgs *args) {
    return args->account || args->region || args->trail;
}

/* One line about a filter that nothing has. */
static int refuse_filter(const json_t *status, const char *what, const char *value, const char *member) {
    static const char *const lists[] = { "trails", "targets", "accounts" };
    TextNearest nearest = { .text = value };
    char shown[SHOWN_MAX];
    bool known = false;

    for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
        const json_t *list = json_object_get(status, lists[k]);

        for (size_t i = 0; i < json_array_size(list); i++) {
            const char *word = get(json_array_get(list, i), member);

            if (k == 2 && strcmp(member, "account") == 0) {
                known |= strcmp(get(json_array_get(list, i), "id"), value) == 0;
                word = get(json_array_get(list, i), "name");
            } else if (k == 2 || (k == 1 && strcmp(member, "name") == 0))
                continue;
            known |= strcmp(word, value) == 0 || (strcmp(member, "name") == 0 &&
                                                  strcmp(get(json_array_get(list, i), "arn"), value) == 0);
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
        (void)json_array_clear(json_object_get(status, "channels")); /* they are of no account */
    }
    return 0;
}

/* ---- show ---- */

static unsigned columns(FILE *stream) {
    struct winsize size;

    return isatty(fileno(stream)) && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static void print_all(FILE *out, const VerbArgs *args, const json_t *status, bool trouble,
                      uint64_t now_usec) {
    VerbView view = { .color = verb_wants_color(stdout),
                      .columns = columns(stdout),
                      .all = args->all,
                      .problems = args->problems,
                      .now_usec = now_usec };

    fprintf(out, "%s%s%s: ", view.color ? (trouble ? RED : GREEN) : "", trouble ? "trouble" : "well",
            view.color ? PLAIN : "");
    if (has_filters(args) && !is_trouble_of_all(status)) { /* the daemon's own line is about all */
        size_t n_trails = json_array_size(json_object_get(status, "trails")),
               n_targets = json_array_size(json_object_get(status, "targets"));

        fprintf(out, "the filters match %zu trail%s, %zu region%s; %zu not well\n", n_trails,
                n_trails == 1 ? "" : "s", n_targets, n_targets == 1 ? "" : "s", count_bad(status));
    } else {
        put(out, get(status, "line"));
        fputc('\n', out);
    }
    verb_print_status(out, status, &view);
}

static void print_json(FILE *out, const VerbArgs *args, const json_t *status, const char *text, size_t len) {
    if (!has_filters(args))
        fprintf(out, "%.*s\n", (int)len, text);
    else if (json_dumpf(status, out, JSON_INDENT(1)) == 0)
        fputc('\n', out);
}

/* err: may be out, too. */
static int show(FILE *out, FILE *err, const char *path, const char *text, size_t len, const VerbArgs *args,
                uint64_t now_usec) {
    char shown[64];
    json_t *status = json_loadb(text, len, 0, NULL);
    bool old, trouble;

    if (!json_is_object(status)) {
        fprintf(err, "%s: not a status document\n", path);
        json_decref(status);
        return STATUS_TROUBLE;
    }
    if (filter(args, status) < 0) {
        json_decref(status);
        return STATUS_USAGE;
    }
    old = is_too_old(status, now_usec);
    trouble = old || is_trouble_of_all(status) || count_bad(status) > 0;
    if (args->json)
        print_json(out, args, status, text, len);
    else {
        print_all(out, args, status, trouble, now_usec);
        print_version(out, status);
    }
    if (old)
        fprintf(err, "%s: last written %s: the daemon makes no progress\n", path,
                get(status, "updated")[0] ? text_escaped(shown, sizeof(shown), get(status, "updated"))
                                          : "at an unknown time");
    json_decref(status);
    return trouble ? STATUS_TROUBLE : STATUS_WELL;
}

int verb_status_show(const char *path, const char *text, size_t len, const VerbArgs *args,
                     uint64_t now_usec) {
    return show(stdout, stderr, path, text, len, args, now_usec);
}

/* Reads and shows it once. */
static int show_once(FILE *out, FILE *err, const VerbArgs *args) {
    _cleanup_free_ const char *path = file_join(engine_runtime_dir(), STATUS_FILE);
    _cleanup_free_ char *text = NULL;
    _cleanup_(file_closep) int fd = -1;
    size_t len;
    int pid = 0, r;

    if (!path)
        return STATUS_USAGE;
    r = state_is_guarded(engine_state_dir(), engine_runtime_dir(), &pid);
    if (r == 0) {
        fprintf(err, "trailguard is not running (no process holds %s/lock)\n", engine_state_dir());
        return STATUS_NOT_RUNNING;
    }
    /* the state directory may be closed to this user: then the file's age shows it */
    fd = file_dir_open(engine_runtime_dir());
    r = fd < 0 ? fd : file_read_at(fd, STATUS_FILE, STATUS_FILE_MAX, &text, &len);
    if (r < 0) {
        fprintf(err, "%s: %s\n", path, file_strerror(r));
        return r == -ENOENT ? STATUS_NOT_RUNNING : STATUS_TROUBLE;
    }
    return show(out, err, path, text, len, args, (uint64_t)time(NULL) * USEC_PER_SEC);
}

/* How many rows of the terminal a line takes, without its colors. */
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

/* How much of the text the screen holds above its last row. */
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

/* Draws what was read at once, over what was drawn: the terminal neither scrolls nor flickers. */
static int draw_once(const VerbArgs *args) {
    struct winsize size = { 0 };
    _cleanup_free_ char *text = NULL;
    size_t len = 0, shown;
    FILE *out = open_memstream(&text, &len);
    int r;

    if (!out)
        return STATUS_TROUBLE;
    r = show_once(out, out, args);
    if (fclose(out) != 0 || r == STATUS_USAGE) /* that is said on stderr, and ends it */
        return r;
    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    shown = fitting(text, &size);
    fprintf(stdout, "\033[H\033[J%.*s%s", (int)shown, text,
            text[shown] ? "... more than fits on this screen" : "");
    (void)fflush(stdout);
    return r;
}

/* Ends by a signal. */
static int watch(const VerbArgs *args) {
    const struct timespec second = { .tv_sec = 1 };
    int r;

    if (!isatty(STDOUT_FILENO)) {
        (void)verb_usage("status", "--watch needs a terminal", "");
        return STATUS_USAGE;
    }
    (void)setvbuf(stdout, NULL, _IOFBF, WATCH_BUFFER); /* the table is drawn at once */
    do
        r = draw_once(args);
    while (r != STATUS_USAGE && !ferror(stdout) && nanosleep(&second, NULL) == 0);
    return r;
}

int verb_status(int argc, char **argv) {
    VerbArgs args;
    int r = verb_parse(argc, argv, VERB_TAKES_JSON | VERB_TAKES_FILTERS, help, &args);

    if (r <= 0)
        return r == 0 ? STATUS_WELL : STATUS_USAGE;
    if (args.watch && args.json) {
        (void)verb_usage("status", "--watch and --json; allowed: one of them", "");
        return STATUS_USAGE;
    }
    return args.watch ? watch(&args) : show_once(stdout, stderr, &args);
}
