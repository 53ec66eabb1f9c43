/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "daemon/cli/doctor.h"
#include "daemon/cli/status_tables.h"
#include "daemon/core/guard.h"
#include "daemon/engine.h"
#include "daemon/io/state.h"
#include "daemon/log.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

static const char help[] =
        "usage: trailguard check [-c FILE] [--json] [--restore | --doctor]\n"
        "\n"
        "Polls every trail once. Prints a table, and the calls to AWS per month that\n"
        "this configuration makes. Compares settings with the recorded baselines.\n"
        "Reports guarded trails that are gone, and regions where nothing is recorded.\n"
        "Needs to read the state directory, as root may: otherwise the result is unknown\n"
        "at best. A trail that was stopped or deleted, and is back, while the daemon was\n"
        "stopped is critical until the daemon has reported it. Lists what protects the\n"
        "guard from administrators of the accounts that it guards; the result is about\n"
        "the trails alone. Changes nothing and sends nothing. The first line is that of\n"
        "a monitoring plugin, with performance data.\n"
        "Exit status: 0 all well, 1 warning, 2 critical, 3 unknown.\n"
        "\n"
        "  --json      print a JSON document\n"
        "  --restore   also act as the configured mode allows; not while the daemon\n"
        "              runs; the exit status is the one after acting\n"
        "  --doctor    before the first start: a line for each thing that the daemon\n"
        "              needs, ok or not, and what to do: configuration, directories,\n"
        "              network, clock, credentials, identity, regions, permissions,\n"
        "              protection, trails, baselines, channels, heartbeat. Also without\n"
        "              a valid configuration\n"
        "\n"
        "Examples:\n"
        "  trailguard check\n"
        "  trailguard check --doctor && systemctl enable --now trailguard\n"
        "  trailguard check --json | jq .result\n";

/* The numbers of the monitoring-plugin convention are not in the order of severity. */
typedef enum Result {
    RESULT_OK = 0,
    RESULT_WARNING = 1,
    RESULT_CRITICAL = 2,
    RESULT_UNKNOWN = 3,
} Result;

static const char *const result_words[] = { "ok", "warning", "critical", "unknown" };

/* Critical beats unknown beats warning. */
static Result worse(Result a, Result b) {
    static const int badness[] = {
        [RESULT_OK] = 0, [RESULT_WARNING] = 1, [RESULT_UNKNOWN] = 2, [RESULT_CRITICAL] = 3
    };

    return badness[a] >= badness[b] ? a : b;
}

static Result judge_trail(const StatusTrail *row) {
    const TrailState *state = row->state;
    Result result = state->verdict == VERDICT_UNKNOWN ? RESULT_UNKNOWN : RESULT_OK;
    /* the incident's severity shows whether digests are expected */
    TrailFacts facts = { .validation = state->incident.severity == SEVERITY_CRITICAL };

    for (unsigned f = 0; f < _FINDING_MAX; f++)
        if ((state->findings & FINDING_BIT(f)) && f != FINDING_UNREACHABLE)
            result = worse(result, guard_severity(f, &facts) == SEVERITY_CRITICAL ? RESULT_CRITICAL
                                                                                  : RESULT_WARNING);
    return result;
}

static Missed missed(const StatusTrail *row) {
    return row->before ? guard_missed(row->before, row->state) : MISSED_NOTHING;
}

/* Unreported trouble that is over counts as severe as its alert will be. With --restore our own restart has
 * probably ended it, and the state after that counts. */
static Result judge_missed(const VerbArgs *args, const Status *status) {
    for (size_t i = 0; !args->restore && i < status->n_trails; i++)
        if (missed(&status->trails[i]) != MISSED_NOTHING)
            return RESULT_CRITICAL;
    return RESULT_OK;
}

static Result judge(const Status *status) {
    bool unknown = status->n_trails == 0 || status->organization_error[0] || status->n_denials > 0 ||
                   status->record_problem[0];
    Result result = unknown ? RESULT_UNKNOWN : RESULT_OK;

    for (size_t i = 0; i < status->n_trails; i++) {
        result = worse(result, judge_trail(&status->trails[i]));
        if (status->trails[i].baseline_unreadable)
            result = worse(result, RESULT_UNKNOWN);
    }
    for (size_t i = 0; i < status->n_channels; i++)
        if (status->channels[i].failed || status->channels[i].unheard)
            result = worse(result, RESULT_CRITICAL);
    for (size_t i = 0; i < status->n_targets; i++) {
        const TargetState *state = status->targets[i].state;

        if (state->unreachable || state->list_unreadable || (!state->ever_reachable && !state->not_enabled))
            result = worse(result, RESULT_UNKNOWN);
        if (state->cover.open)
            result = worse(result, RESULT_WARNING);
    }
    return result;
}

/* The number of calls depends on the existing trails, so for a region without an answer it is unknown. */
typedef struct Calls {
    unsigned long long per_month;
    unsigned n_known, n_unknown;
} Calls;

static Calls count_calls(const Status *status) {
    Calls calls = { 0 };

    for (size_t i = 0; i < status->n_targets; i++) {
        const StatusTarget *target = &status->targets[i];

        calls.per_month += target->calls_per_month;
        calls.n_known += target->calls_per_month > 0;
        calls.n_unknown += target->calls_per_month == 0 && !target->state->not_enabled;
    }
    return calls;
}

static void print_calls(const Calls *calls) {
    if (calls->n_known == 0) {
        puts("how many calls to AWS this configuration makes is not known: nothing could be polled");
        return;
    }
    printf("this configuration makes about %llu calls to AWS a month", calls->per_month);
    if (calls->n_unknown > 0)
        printf(", without those to %u region%s or account%s that did not answer", calls->n_unknown,
               calls->n_unknown == 1 ? "" : "s", calls->n_unknown == 1 ? "" : "s");
    putchar('\n');
}

/* AWS's quota is per account and region. */
static void print_stretched(const Status *status) {
    for (size_t i = 0; i < status->n_targets; i++) {
        const StatusTarget *target = &status->targets[i];
        unsigned long long every_sec = target->interval_usec / USEC_PER_SEC;

        if (every_sec > status->poll_interval_sec)
            printf("\n%s %s: polled every %llu s, not every %u s: more trails live there than AWS's quota "
                   "allows to poll\n",
                   target->subject.region, target->subject.account, every_sec, status->poll_interval_sec);
    }
}

/* The rights that `trailguard policy guard` prints. */
static void print_denials(const Status *status) {
    if (status->n_denials > 0)
        puts("\nMISSING PERMISSIONS");
    for (size_t i = 0; i < status->n_denials; i++) {
        const StatusDenial *denial = &status->denials[i];

        /* action and resource are single printable words */
        printf("%s on %s, in %s%s%s\n", denial->action, denial->resource[0] ? denial->resource : "*",
               denial->account, denial->region[0] ? " " : "", denial->region);
    }
}

static unsigned print_trails_without(const Status *status, bool unreadable, const char *heading) {
    char shown[256];
    unsigned n = 0;

    for (size_t i = 0; i < status->n_trails; i++) {
        const StatusTrail *trail = &status->trails[i];

        if (!trail->has_baseline && !trail->provisional && trail->baseline_unreadable == unreadable &&
            trail->subject.arn[0] && !(trail->state->findings & FINDING_BIT(FINDING_MISSING)))
            printf("%s%s", n++ == 0 ? heading : ", ",
                   text_escaped(shown, sizeof(shown), trail->subject.name));
    }
    return n;
}

static void print_missed(const Status *status) {
    for (size_t i = 0; i < status->n_trails; i++) {
        const StatusTrail *row = &status->trails[i];
        const TrailState *now = row->state;
        char from[TIMETEXT_MAX], to[TIMETEXT_MAX], span[TIMETEXT_MAX], name[256];
        Missed what = missed(row);

        if (what == MISSED_NOTHING)
            continue;
        printf("\n%s %s %s: ", text_escaped(name, sizeof(name), row->subject.name), row->subject.region,
               row->subject.account);
        if (what == MISSED_REPLACEMENT)
            fputs("it was deleted and created again", stdout);
        else
            printf("logging was interrupted from %s to %s (%s)", timetext_iso(from, now->stop_usec),
                   timetext_iso(to, now->start_usec),
                   timetext_span(span,
                                 now->start_usec > now->stop_usec ? now->start_usec - now->stop_usec : 0));
        puts(" since the daemon polled it last; the daemon reports it at its next poll");
    }
}

static json_t *missed_json(const Status *status) {
    json_t *list = json_array();

    for (size_t i = 0; i < status->n_trails; i++) {
        const StatusTrail *row = &status->trails[i];
        char from[TIMETEXT_MAX], to[TIMETEXT_MAX];
        Missed what = missed(row);

        if (what == MISSED_REPLACEMENT)
            (void)json_array_append_new(list, json_pack("{s:s, s:s, s:n, s:n}", "arn", row->subject.arn,
                                                        "what", "replaced", "from", "to"));
        else if (what == MISSED_INTERRUPTION)
            (void)json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "arn", row->subject.arn,
                                                        "what", "interrupted", "from",
                                                        timetext_iso(from, row->state->stop_usec), "to",
                                                        timetext_iso(to, row->state->start_usec)));
    }
    return list;
}

static void print_provisional(const Status *status) {
    char shown[256];

    for (size_t i = 0; i < status->n_trails; i++)
        if (status->trails[i].provisional)
            printf("\n%s %s: new, and nobody has accepted it; TrailGuard keeps it as it is after: "
                   "trailguard accept %s\n",
                   text_escaped(shown, sizeof(shown), status->trails[i].subject.name),
                   status->trails[i].subject.region, shown);
}

/* Without a baseline a changed setting cannot be found, without the state file a deleted trail. */
static void print_unrecorded(const Status *status) {
    char shown[1024];

    print_provisional(status);
    if (print_trails_without(status, false, "\nno baseline to compare with: ") > 0)
        puts("; the daemon records one at its first complete poll");
    if (print_trails_without(status, true, "\nbaseline cannot be read, and nothing was compared with it: ") >
        0)
        putchar('\n');
    if (status->record_problem[0])
        printf("\nwhat was guarded is not known, and a trail that is gone not missed: %s\n",
               text_escaped(shown, sizeof(shown), status->record_problem));
    else if (!status->has_state_file)
        printf("\nno state to compare with: %s/state.json is not there; the daemon writes it\n",
               status->state_dir);
}

/* What the result was compared with. */
static json_t *record_json(const Status *status) {
    char shown[1024];

    if (!status->record_problem[0])
        return json_pack("{s:b, s:n}", "read", status->has_state_file, "error");
    return json_pack("{s:b, s:s}", "read", status->has_state_file, "error",
                     text_escaped(shown, sizeof(shown), status->record_problem));
}

/* Those with trouble are in the status above. */
static void print_channel_checks(const Status *status) {
    char key[512], found[1024];
    bool any = false;

    for (size_t i = 0; i < status->n_channels; i++) {
        const StatusChannel *channel = &status->channels[i];

        if (channel->failed || channel->unheard || !channel->check[0])
            continue;
        printf("%schannel %s: %s\n", any ? "" : "\n", text_escaped(key, sizeof(key), channel->channel),
               text_escaped(found, sizeof(found), channel->check));
        any = true;
    }
}

/* Not part of the result, which is about the trails. */
static void print_protection(const Status *status) {
    ProtectionRow rows[_PROTECTION_ABOUT_MAX];
    char shown[2 * PROTECTION_TEXT_MAX];
    size_t n = protection_rows(&status->protection, rows);

    puts("\nPROTECTION OF THE GUARD");
    for (size_t i = 0; i < n; i++) {
        const ProtectionRow *row = &rows[i];

        printf("%-7s  %s%s%s\n", protection_state_to_string(row->state),
               text_escaped(shown, sizeof(shown), row->text), row->advice ? " -> " : "",
               row->advice ? row->advice : "");
    }
}

static json_t *protection_json(const Status *status) {
    ProtectionRow rows[_PROTECTION_ABOUT_MAX];
    char shown[2 * PROTECTION_TEXT_MAX];
    size_t n = protection_rows(&status->protection, rows);
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(
                list, json_pack("{s:s, s:s, s:s, s:s?}", "about", protection_about_to_string(rows[i].about),
                                "state", protection_state_to_string(rows[i].state), "text",
                                text_escaped(shown, sizeof(shown), rows[i].text), "advice", rows[i].advice));
    return list;
}

static json_t *denials_json(const Status *status) {
    json_t *list = json_array();

    for (size_t i = 0; i < status->n_denials; i++) {
        const StatusDenial *denial = &status->denials[i];

        (void)json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "account", denial->account,
                                                    "region", denial->region, "action", denial->action,
                                                    "resource", denial->resource));
    }
    return list;
}

static void print_json(Result result, const Status *status, json_t *view, const Calls *calls) {
    json_t *document =
            json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:O}", "schema", "trailguard.check/1", "result",
                      result_words[result], "calls_per_month",
                      calls->n_known > 0 ? json_integer((json_int_t)calls->per_month) : json_null(),
                      "missing_permissions", denials_json(status), "state_file", record_json(status),
                      "missed", missed_json(status), "protection", protection_json(status), "status", view);

    if (document && json_dumpf(document, stdout, JSON_INDENT(2)) == 0)
        putchar('\n');
    json_decref(document);
}

/* The first line of monitoring plugins: "SERVICE STATUS - text | label=value;warning;critical;minimum ...".
 * A value over 0 is a warning or critical if the row says so. */
static void print_plugin_line(Result result, const Status *status, const json_t *view, const Calls *calls) {
    static const char *const words[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };
    const char *line = json_string_value(json_object_get(view, "line"));
    unsigned not_well = 0, unreachable = 0, uncovered = 0;

    for (size_t i = 0; i < status->n_trails; i++)
        not_well += judge_trail(&status->trails[i]) != RESULT_OK;
    for (size_t i = 0; i < status->n_targets; i++) {
        unreachable += status->targets[i].state->unreachable;
        uncovered += status->targets[i].state->cover.open;
    }
    printf("TRAILGUARD %s - ", words[result]);
    for (const char *c = line ? line : ""; *c; c++)
        putchar(*c == '|' ? '/' : *c); /* it would end the text */
    printf(" | trails=%zu;;;0 not_well=%u;;0;0 targets=%zu;;;0 unreachable=%u;;;0 uncovered=%u;0;;0 "
           "missing_permissions=%zu;;;0",
           status->n_trails, not_well, status->n_targets, unreachable, uncovered, status->n_denials);
    if (calls->n_known > 0)
        printf(" calls_per_month=%llu;;;0", calls->per_month);
    putchar('\n');
}

int verb_check_show(const Status *status, const VerbArgs *args) {
    Result result = worse(judge(status), judge_missed(args, status));
    _cleanup_free_ char *text = NULL;
    Calls calls = count_calls(status);
    StatusView shown = { .every_target = true,
                       .color = verb_wants_color(stdout),
                       .all = true,
                       .now_usec = status->now_usec };
    json_t *view;

    if (report_status_json(status, &text) < 0)
        return result;
    view = json_loads(text, 0, NULL);
    if (args->json)
        print_json(result, status, view, &calls);
    else {
        print_plugin_line(result, status, view, &calls);
        status_print(stdout, view, &shown);
        print_missed(status);
        print_denials(status);
        print_unrecorded(status);
        print_stretched(status);
        print_channel_checks(status);
        print_protection(status);
        printf("\n%s; ", result_words[result]);
        print_calls(&calls);
    }
    json_decref(view);
    return result;
}

typedef struct Check {
    const VerbArgs *args;
    int result;
} Check;

static void checked(const Status *status, void *userdata) {
    Check *check = userdata;

    check->result = verb_check_show(status, check->args);
}

static bool daemon_runs(void) {
    int pid = 0;

    if (state_is_guarded(engine_state_dir(), engine_runtime_dir(), &pid) != 1)
        return false;
    fprintf(stderr, "trailguard check: --restore: the daemon (pid %d) is running and restores by itself\n",
            pid);
    return true;
}

int verb_check(int argc, char **argv) {
    char error[ENGINE_ERROR_MAX];
    Config *config = NULL;
    VerbArgs args;
    Check check = { .args = &args, .result = RESULT_UNKNOWN };
    int r = verb_parse(argc, argv, VERB_TAKES_JSON | VERB_TAKES_RESTORE | VERB_TAKES_DOCTOR, help, &args);

    if (r <= 0)
        return r == 0 ? EXIT_SUCCESS : RESULT_UNKNOWN;
    if (args.doctor && args.restore) {
        (void)verb_usage("check", "--doctor changes nothing and cannot be combined with --restore", "");
        return RESULT_UNKNOWN;
    }
    if (args.doctor)
        return verb_doctor(&args);
    r = verb_load(&args, RESULT_UNKNOWN, &config);
    if (r >= 0)
        return r;
    if (args.restore && daemon_runs()) {
        config_free(config);
        return RESULT_UNKNOWN;
    }
    if (engine_check(config, args.restore, verb_progress(), checked, &check, error) < 0) {
        fprintf(stderr, "trailguard check: %s\n", error);
        return RESULT_UNKNOWN;
    }
    return check.result;
}
