/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/cli/status_tables.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/core/enum_names.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

/* Verdicts with another colour than red. */
static const struct {
    const char *verdict, *color;
} colors[] = {
    { "logging", STATUS_GREEN },
    { "protected", STATUS_GREEN },
    { "unknown", STATUS_YELLOW },
    { "failing", STATUS_YELLOW },
};

static const char *color_of(const char *verdict) {
    for (size_t i = 0; i < ARRAY_SIZE(colors); i++)
        if (strcmp(colors[i].verdict, verdict) == 0)
            return colors[i].color;
    return STATUS_RED;
}

const char *status_text(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

void status_put(FILE *out, const char *text) {
    char shown[STATUS_SHOWN_MAX];

    fputs(text_escaped(shown, sizeof(shown), text), out);
}

/* True if each "{member}" in the text is set. */
static bool are_set(const json_t *object, const char *format, size_t len) {
    char name[32];

    for (const char *end = format + len; (format = memchr(format, '{', (size_t)(end - format))); format++) {
        (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(format + 1, "}"), format + 1);
        if (!status_text(object, name)[0])
            return false;
    }
    return true;
}

/* Prints a text with the object's members in place of "{arn}". A part in brackets is left out if one of its
 * members is "". */
static void put_filled(FILE *out, const json_t *object, const char *format) {
    char name[32];

    for (; *format; format++) {
        size_t n = strcspn(format, "[]{");

        fprintf(out, "%.*s", (int)n, format);
        format += n;
        if (*format == '[' && !are_set(object, format, strcspn(format, "]")))
            format += strcspn(format, "]");
        if (*format == '{') {
            n = strcspn(format + 1, "}");
            (void)snprintf(name, sizeof(name), "%.*s", (int)n, format + 1);
            status_put(out, status_text(object, name));
            format += n + 1;
        }
        if (!*format)
            return;
    }
}

/* The columns of a text: one per character. */
static size_t columns_of(const char *text) {
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* Prints in this many columns. Longer text loses its middle, because names differ at both ends. */
static void put_column(FILE *out, const json_t *row, const char *name, int width) {
    char shown[STATUS_SHOWN_MAX], dots[] = "...";
    size_t n, wide = (size_t)width, head = (wide - strlen(dots) + 1) / 2, tail = wide - strlen(dots) - head;

    (void)text_escaped(shown, sizeof(shown), status_text(row, name));
    n = columns_of(shown);
    if (n <= wide || wide < 8 || n != strlen(shown))
        fprintf(out, "%s%*s  ", shown, (int)(wide > n ? wide - n : 0), "");
    else
        fprintf(out, "%.*s%s%s  ", (int)head, shown, dots, shown + n - tail);
}

/* Prints "prefix a, b " from the texts of an array, or a member of its objects, except two of them. */
static void put_words(FILE *out, const char *prefix, const json_t *list, const char *member,
                      const char *without, const char *nor) {
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const char *word = member ? status_text(item, member) : json_string_value(item);

        if (!word || strcmp(word, without) == 0 || strcmp(word, nor) == 0)
            continue;
        fputs(n++ == 0 ? prefix : ", ", out);
        status_put(out, word);
    }
    if (n > 0)
        fputs("  ", out);
}

static void put_detail(FILE *out, const json_t *trail) {
    const json_t *incident = json_object_get(trail, "incident");

    /* the changed settings are more specific than the finding */
    put_words(out, "", json_object_get(trail, "findings"), NULL, status_text(trail, "verdict"),
              json_array_size(json_object_get(incident, "changes")) > 0 ? "changed" : "");
    put_words(out, "changed: ", json_object_get(incident, "changes"), "field", "", "");
    put_words(out, "not recorded yet: ", json_object_get(trail, "not_recorded"), NULL, "", "");
    if (json_is_true(json_object_get(trail, "bucket_owner_unchecked")))
        fputs("owner of its bucket not checked  ", out);
    if (json_is_true(json_object_get(trail, "provisional")))
        fputs("new, not accepted  ", out);
    if (status_text(incident, "reopened")[0])
        put_filled(out, incident, "incident {id} since {reopened}");
    else if (status_text(incident, "opened")[0])
        put_filled(out, incident, "incident {id} since {opened}");
    else
        put_filled(out, trail, "[since {start_logging}]");
}

static uint64_t time_of(const json_t *object, const char *name) {
    uint64_t usec;

    return timetext_parse_iso(status_text(object, name), &usec) < 0 ? 0 : usec;
}

/* Prints from when to when nothing was recorded, and how long that was. */
static void put_gap(FILE *out, const json_t *gap, uint64_t now_usec) {
    uint64_t from = time_of(gap, "from"), to = time_of(gap, "to"), end = to > 0 ? to : now_usec;
    char span[TIMETEXT_MAX];

    if (from == 0)
        return;
    put_filled(out, gap, "    gap: not recorded from {from}");
    put_filled(out, gap, to > 0 ? " to {to}" : " on");
    fprintf(out, " (%s)\n", timetext_span(span, end > from ? end - from : 0));
}

/* What a person should do; %s: the trail's name or ARN, and its region. */
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
    const char *name = status_text(trail, status_text(trail, "arn")[0] ? "arn" : "name");

    for (size_t i = 0; i < ARRAY_SIZE(next_steps); i++) {
        const char *text = next_steps[i].next, *hole;

        if (strcmp(next_steps[i].verdict, status_text(trail, "verdict")) != 0 ||
            (next_steps[i].mode && strcmp(next_steps[i].mode, status_text(status, "mode")) != 0))
            continue;
        fputs("    next: ", out);
        for (bool first = true; (hole = strstr(text, "%s")); first = false, text = hole + 2) {
            fprintf(out, "%.*s", (int)(hole - text), text);
            status_put(out, first ? name : status_text(trail, "region"));
        }
        fprintf(out, "%s\n", text);
        return;
    }
}

/* On lines of their own: AWS's answer to the last attempt, the caller, what was not recorded, what to do. */
static void put_incident(FILE *out, const json_t *status, const json_t *trail, uint64_t now_usec) {
    const json_t *incident = json_object_get(trail, "incident"),
                 *failure = json_object_get(incident, "failure"),
                 *actor = json_object_get(incident, "actor");

    if (json_is_object(failure)) {
        put_filled(out, failure, "    {action} failed");
        fprintf(out, ", attempt %lld",
                (long long)json_integer_value(json_object_get(failure, "attempts")));
        put_filled(out, failure, " at {time}: {text}\n");
    }
    if (json_is_object(actor)) {
        put_filled(out, actor, "    caused by ");
        put_filled(out, actor, status_text(actor, "arn")[0] ? "{arn}" : "{name}");
        put_filled(out, actor, "[ from {source_ip}], {event_name} at {event_time}\n");
    }
    if (json_is_object(incident)) {
        put_gap(out, json_object_get(incident, "gap"), now_usec);
        put_next(out, status, trail);
    }
}

static int width(const json_t *rows, const char *name, const char *heading) {
    char shown[STATUS_SHOWN_MAX];
    size_t widest = strlen(heading);

    for (size_t i = 0; i < json_array_size(rows); i++)
        widest = MAX(widest, columns_of(text_escaped(shown, sizeof(shown),
                                                     status_text(json_array_get(rows, i), name))));
    return (int)MIN(widest, (size_t)128);
}

/* ---- the order of the trails, and how many are shown ---- */

#define ALL_MAX  50U  /* up to this many trails are all shown */
#define ROWS_MAX 200U /* the limit of those that are not well */

static bool is_bad_trail(const json_t *trail) {
    const char *verdict = status_text(trail, "verdict");

    return strcmp(verdict, "logging") != 0 && strcmp(verdict, "protected") != 0;
}

/* By the order of the enum, the worst first; verdicts unknown to this version come before them. */
static unsigned rank_of(const json_t *trail) {
    unsigned v = 0;

    while (v < _VERDICT_MAX && strcmp(verdict_to_string((Verdict)v), status_text(trail, "verdict")) != 0)
        v++;
    return v == _VERDICT_MAX ? 0 : v + 1;
}

/* The worst first; among equals those with an incident; then by name. */
static int by_badness(const void *a, const void *b) {
    const json_t *one = *(const json_t *const *)a, *other = *(const json_t *const *)b;
    unsigned rank = rank_of(one), other_rank = rank_of(other);
    bool open = json_is_object(json_object_get(one, "incident")),
         other_open = json_is_object(json_object_get(other, "incident"));

    if (rank != other_rank)
        return rank < other_rank ? -1 : 1;
    return open != other_open ? (open ? -1 : 1)
                              : strcmp(status_text(one, "name"), status_text(other, "name"));
}

/* True if the trail at this rank, of n in all, is shown. */
static bool is_shown(const StatusView *view, const json_t *trail, size_t i, size_t n) {
    if (view->all)
        return true;
    if (is_bad_trail(trail) || json_is_object(json_object_get(trail, "incident")))
        return i < ROWS_MAX;
    return !view->problems && n <= ALL_MAX;
}

static void print_trail(FILE *out, const json_t *status, const json_t *trail, const StatusView *view,
                        int name, int region) {
    char *detail = NULL;
    size_t len = 0, used = (size_t)name + (size_t)region + 12 + 9 + 4 * 2;
    FILE *memory = open_memstream(&detail, &len);

    put_column(out, trail, "name", name);
    put_column(out, trail, "region", region);
    put_column(out, trail, "account", 12);
    fputs(view->color ? color_of(status_text(trail, "verdict")) : "", out);
    put_column(out, trail, "verdict", 9);
    fputs(view->color ? STATUS_PLAIN : "", out);
    if (memory) {
        put_detail(memory, trail);
        (void)fclose(memory);
        if (view->columns > 0 && used + columns_of(detail) > view->columns)
            fprintf(out, "\n    %s\n", detail); /* it gets a line of its own */
        else
            fprintf(out, "%s\n", detail);
        free(detail);
    }
    put_incident(out, status, trail, view->now_usec);
}

/* The width of the column of names. */
static int name_width(const json_t *trails, int region, unsigned columns) {
    int name = width(trails, "name", "TRAIL"), others = region + 12 + 9 + 4 * 2 + (int)strlen("DETAIL");

    return columns > 0 ? MAX(MIN(name, (int)columns - others), 12) : name;
}

static void print_trails(FILE *out, const json_t *status, const StatusView *view) {
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

/* True if it exceeds the configured interval. */
static bool is_stretched(const json_t *status, const json_t *target) {
    return json_integer_value(json_object_get(target, "poll_interval")) >
           json_integer_value(json_object_get(status, "poll_interval"));
}

/* What a person can do about a target: the first row that fits. "{member}" is the target's. */
static const struct {
    const char *state, *cause; /* NULL: any */
    bool account;              /* only for a whole account */
    const char *next;
} target_steps[] = {
    { "unreachable", "gone", true,
      "if that was planned, list it in exclude or remove it from accounts; if not, find out who did it" },
    { "unreachable", "denied", true,
      "correct the role, its trust policy or the keys: trailguard check --doctor names what fails" },
    { "unreachable", "denied", false,
      "give {identity} its rights back: trailguard policy guard prints the policy" },
    { "unreachable", "credentials", false,
      "correct the keys or the clock, or enable the region: trailguard check --doctor names what fails" },
    { "unreachable", "throttled", false,
      "find out who else calls CloudTrail there; if nobody does, raise poll_interval" },
    { "unreachable", "unreachable", false,
      "correct network, DNS, proxy or CA bundle: trailguard check --doctor names what fails" },
    { "unreachable", NULL, false,
      "wait, TrailGuard retries at least once a minute; trailguard check --doctor names what fails" },
    { "list unreadable", "denied", false,
      "allow cloudtrail:DescribeTrails: trailguard policy guard prints the policy" },
    { "list unreadable", NULL, false,
      "wait, TrailGuard retries at least once a minute; trailguard check --doctor names what fails" },
};

static const char *target_next(const json_t *target) {
    bool account = !status_text(target, "region")[0];

    for (size_t i = 0; i < ARRAY_SIZE(target_steps); i++)
        if (strcmp(target_steps[i].state, status_text(target, "state")) == 0 &&
            (!target_steps[i].account || account) &&
            (!target_steps[i].cause || strcmp(target_steps[i].cause, status_text(target, "cause")) == 0))
            return target_steps[i].next;
    return json_is_true(json_object_get(target, "uncovered"))
                   ? "create a trail that records it, or list in regions only those that need one"
                   : NULL;
}

/* The step for `target`, unless the next row, which may be NULL, needs the same one. */
static void put_target_next(FILE *out, const json_t *target, const json_t *following) {
    const char *next = target ? target_next(target) : NULL;

    if (!next || (following && next == target_next(following) &&
                  strcmp(status_text(target, "account"), status_text(following, "account")) == 0))
        return;
    fputs("    next: ", out);
    put_filled(out, target, next);
    fputc('\n', out);
}

static void put_state(FILE *out, const json_t *status, const json_t *target) {
    status_put(out, status_text(target, "state"));
    fputs(json_is_true(json_object_get(target, "uncovered")) ? ", no trail records it" : "", out);
    if (is_stretched(status, target))
        fprintf(out, ", polled every %lld s",
                (long long)json_integer_value(json_object_get(target, "poll_interval")));
    put_filled(out, target, "[: {error}]\n");
}

/* An unreachable account has no region; its identity is the role that was to be assumed. */
static void print_targets(FILE *out, const json_t *status, const StatusView *view) {
    bool every_target = view->every_target;
    const json_t *targets = json_object_get(status, "targets");
    int account = width(targets, "account", "ACCOUNT"), region = width(targets, "region", "REGION"),
        identity = width(targets, "identity", "IDENTITY");
    const json_t *before = NULL;
    bool heading = false;

    for (size_t i = 0; i < json_array_size(targets); i++) {
        const json_t *target = json_array_get(targets, i);

        if (!every_target && strcmp(status_text(target, "state"), "well") == 0 &&
            !is_stretched(status, target) && !json_is_true(json_object_get(target, "uncovered")))
            continue;
        put_target_next(out, before, target);
        before = target;
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
    put_target_next(out, before, NULL);
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

        if (is_bad_channel(channel))
            put_filled(out, channel,
                       json_is_true(json_object_get(channel, "failed"))
                               ? "\nchannel {channel} fails: {text}\n"
                               : "\nchannel {channel} reaches nobody: {check}\n");
    }
    if (depth > 0)
        fprintf(out, "\n%lld %s in the outbox\n", (long long)depth,
                depth == 1 ? "alert waits" : "alerts wait");
}

/* ---- the guard itself ---- */

static void print_list(FILE *out, const json_t *list, const char *heading, const char *format) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        fputs(i == 0 ? heading : "", out);
        put_filled(out, json_array_get(list, i), format);
    }
}

/* ---- all tables ---- */

static bool is_bad_target(const json_t *target) {
    const char *state = status_text(target, "state");

    return !state[0] || strcmp(state, "unreachable") == 0 || strcmp(state, "list unreadable") == 0 ||
           json_is_true(json_object_get(target, "uncovered"));
}

/* A contained identity is no trouble; one that should be contained and is not is. */
static bool is_bad_hold(const json_t *hold) {
    return strcmp(status_text(hold, "state"), "contained") != 0;
}

static bool is_bad_loss(const json_t *loss _unused_) {
    return true;
}

size_t status_count_bad(const json_t *status) {
    static const struct {
        const char *list;
        bool (*is_bad)(const json_t *item);
    } lists[] = { { "trails", is_bad_trail },
                  { "targets", is_bad_target },
                  { "channels", is_bad_channel },
                  { "contained", is_bad_hold },
                  { "rights_lost", is_bad_loss } };
    size_t n = 0;

    for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
        const json_t *list = json_object_get(status, lists[k].list);

        for (size_t i = 0; i < json_array_size(list); i++)
            n += lists[k].is_bad(json_array_get(list, i));
    }
    return n;
}

void status_print(FILE *out, const json_t *status, const StatusView *view) {
    print_trails(out, status, view);
    print_targets(out, status, view);
    print_list(out, json_object_get(status, "rights_lost"), "\nRIGHTS THAT THE GUARD LACKS\n",
               "{arn}  since {since}  {severity}\n    {text}\n"
               "    give them back: trailguard policy guard prints the policy\n");
    print_list(out, json_object_get(status, "contained"), "\nCONTAINED\n",
               "{arn}  since {since}  {state}, because of {reason}\n"
               "    until you run: {release}[\n    {error}]\n");
    put_filled(out, json_object_get(status, "organization"),
               "[\nthe organization's accounts cannot be listed: {error}\n]");
    print_channels(out, status);
}
