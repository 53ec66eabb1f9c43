/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/cli/verb_table.h"

#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"

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

static void put_findings(FILE *out, const json_t *trail) {
    const json_t *findings = json_object_get(trail, "findings");
    size_t shown = 0;

    for (size_t i = 0; i < json_array_size(findings); i++) {
        const char *word = json_string_value(json_array_get(findings, i));

        if (!word || strcmp(word, get(trail, "verdict")) == 0)
            continue;
        fputs(shown++ == 0 ? "" : ", ", out);
        put(out, word);
    }
    if (shown > 0)
        fputs("  ", out);
}

static void put_changes(FILE *out, const json_t *incident) {
    const json_t *changes = json_object_get(incident, "changes");

    for (size_t i = 0; i < json_array_size(changes); i++) {
        fputs(i == 0 ? "changed: " : ", ", out);
        put(out, get(json_array_get(changes, i), "field"));
    }
    if (json_array_size(changes) > 0)
        fputs("  ", out);
}

static void put_not_recorded(FILE *out, const json_t *trail) {
    const json_t *fields = json_object_get(trail, "not_recorded");

    for (size_t i = 0; i < json_array_size(fields); i++) {
        const char *word = json_string_value(json_array_get(fields, i));

        fputs(i == 0 ? "not recorded yet: " : ", ", out);
        put(out, word ? word : "");
    }
    if (json_array_size(fields) > 0)
        fputs("  ", out);
}

static void put_detail(FILE *out, const json_t *trail) {
    const json_t *incident = json_object_get(trail, "incident");

    put_findings(out, trail);
    put_changes(out, incident);
    put_not_recorded(out, trail);
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

static void print_targets(FILE *out, const json_t *status) {
    const json_t *targets = json_object_get(status, "targets");
    int account = width(targets, "account", "ACCOUNT"), region = width(targets, "region", "REGION");
    bool heading = false;

    for (size_t i = 0; i < json_array_size(targets); i++) {
        const json_t *target = json_array_get(targets, i);
        bool uncovered = json_is_true(json_object_get(target, "uncovered"));

        if (strcmp(get(target, "state"), "well") == 0 && !uncovered && !is_stretched(status, target))
            continue;
        if (!heading)
            fprintf(out, "\n%-*s  %-*s  STATE\n", account, "ACCOUNT", region, "REGION");
        heading = true;
        put_column(out, target, "account", account);
        put_column(out, target, "region", region);
        put_state(out, status, target);
    }
}

/* An account that cannot be reached has no region, and the role that was to be assumed as its identity. */
static void print_all_targets(FILE *out, const json_t *status) {
    const json_t *targets = json_object_get(status, "targets");
    int account = width(targets, "account", "ACCOUNT"), region = width(targets, "region", "REGION"),
        identity = width(targets, "identity", "IDENTITY");

    if (json_array_size(targets) == 0)
        return;
    fprintf(out, "\n%-*s  %-*s  %-*s  STATE\n", account, "ACCOUNT", region, "REGION", identity, "IDENTITY");
    for (size_t i = 0; i < json_array_size(targets); i++) {
        const json_t *target = json_array_get(targets, i);

        put_column(out, target, "account", account);
        put_column(out, target, "region", region);
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

static void print_status(FILE *out, const json_t *status, bool color,
                         void (*print)(FILE *out, const json_t *status)) {
    put(out, get(status, "line"));
    fputc('\n', out);
    print_trails(out, json_object_get(status, "trails"), color);
    print(out, status);
    print_organization(out, status);
    print_channels(out, status);
}

void verb_print_status(FILE *out, const json_t *status, bool color) {
    print_status(out, status, color, print_targets);
}

void verb_print_check(FILE *out, const json_t *status, bool color) {
    print_status(out, status, color, print_all_targets);
}
