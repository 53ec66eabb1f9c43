/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/cli/verbs.h"
#include "daemon/core/baseline.h"
#include "daemon/core/enum_names.h"
#include "daemon/core/settings.h"
#include "daemon/engine.h"
#include "daemon/io/baseline_file.h"
#include "daemon/log.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

static const char help[] =
        "usage: trailguard accept [-c FILE] [--yes] [TRAIL...]\n"
        "\n"
        "Records the current settings of the trails (names or ARNs) as their baseline.\n"
        "Without names: of all guarded trails. Shows the differences first, and asks.\n"
        "Works while the daemon runs: it uses the new baseline at its next poll of the\n"
        "settings. A trail that is gone is accepted as gone only if you name it.\n"
        "\n"
        "  --yes   do not ask\n"
        "\n"
        "Without a terminal and without --yes, nothing is changed, and the exit status\n"
        "is 1.\n"
        "\n"
        "Examples:\n"
        "  trailguard accept\n"
        "  trailguard accept --yes org-trail\n";

#define VALUE_MAX 200 /* bytes of a value in the output */

/* A trail to be recorded. */
typedef struct Candidate {
    const char *arn;
    const Settings *settings;
    bool gone;
} Candidate;

typedef struct Accepting {
    const VerbArgs *args;
    const char *dir;
    bool *named; /* for each of args->names: whether it was found */
    Candidate *candidates;
    size_t n;
    bool failed;
    bool unlisted; /* all trails were meant, and not all could be listed */
    bool missing; /* recorded trails that are gone or cannot be polled were not named */
} Accepting;

/* ---- names ---- */

static bool is_meant(Accepting *a, const char *name, const char *arn) {
    bool meant = a->args->n_names == 0;

    for (size_t i = 0; i < a->args->n_names; i++)
        if (text_equal(a->args->names[i], name) || text_equal(a->args->names[i], arn))
            meant = a->named[i] = true;
    return meant;
}

static void add(Accepting *a, const EngineSettings *row) {
    a->candidates[a->n++] =
            (Candidate){ .arn = row->subject.arn, .settings = row->actual, .gone = row->gone };
}

/* ---- output ---- */

static void show_value(const char *label, const char *value) {
    char shown[VALUE_MAX];

    printf("    %s %s\n", label, value[0] ? text_escaped(shown, sizeof(shown), value) : "(not set)");
}

static void show_drift(const Drift *drift) {
    for (unsigned i = 0; i < drift->n; i++) {
        const Change *c = &drift->changes[i];

        printf("  %s%s\n", field_to_string(c->field), c->loses_events ? " (events are lost by this)" : "");
        show_value("recorded", c->expected);
        show_value("actual  ", c->actual);
    }
}

static void show_unread(const EngineSettings *row) {
    char shown[VALUE_MAX];

    for (Field f = 0; f < _FIELD_MAX; f++)
        if (row->unread & FIELD_BIT(f))
            printf("  %s could not be read, %s\n", field_to_string(f),
                   row->recorded && row->recorded->values[f] ? "and stays as it is recorded"
                                                             : "and is recorded when it first can be");
    if (row->unread && row->error[0])
        printf("    %s\n", text_escaped(shown, sizeof(shown), row->error));
}

/* For a baseline with missing fields. Returns the number of fields. */
static unsigned show_additions(const EngineSettings *row) {
    unsigned n = 0;

    for (Field f = 0; row->recorded && f < _FIELD_MAX; f++)
        if (row->actual->values[f] && !row->recorded->values[f] &&
            !text_equal(row->actual->values[f], "{}")) {
            printf("  %s, not recorded yet\n", field_to_string(f));
            show_value("actual  ", row->actual->values[f]);
            n++;
        }
    return n;
}

static void show_weakness(const Settings *now) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(1024);

    if (baseline_weaknesses(now, &b) > 0)
        printf("  weak: %s\n", strbuf_str(&b));
}

static void show_title(const Subject *subject) {
    char shown[3][VALUE_MAX];

    printf("%s %s %s\n", text_escaped(shown[0], VALUE_MAX, subject->name),
           text_escaped(shown[1], VALUE_MAX, subject->region),
           text_escaped(shown[2], VALUE_MAX, subject->account));
}

/* A trail that is gone is accepted as gone only if it is named. */
static void take_gone(Accepting *a, const EngineSettings *row) {
    char shown[VALUE_MAX];

    show_title(&row->subject);
    if (a->args->n_names == 0) {
        printf("  gone; to accept that: trailguard accept %s\n",
               text_escaped(shown, sizeof(shown), row->subject.name));
        a->missing = true;
        return;
    }
    puts("  gone, and not guarded any more from now on");
    add(a, row);
}

/* A recorded trail that is not polled: whether it exists is unknown. */
static void take_unasked(Accepting *a, const EngineSettings *row) {
    bool named = a->args->n_names > 0;

    if (!named && (!row->foreign || row->remembered))
        return;
    show_title(&row->subject);
    printf("  recorded, and not polled: %s\n", row->error);
    a->failed |= named;
    a->missing |= !named;
}

static const char *why_not_recorded(const EngineSettings *row) {
    if (row->error[0])
        return row->error;
    return text_equal(row->actual->values[FIELD_SELECTORS], SETTINGS_TOO_LONG)
                   ? "its event selectors are longer than TrailGuard records"
                   : "no answer";
}

/* Shows what would be recorded, and the differences. */
static void accept_take_settings(Accepting *a, const EngineSettings *row) {
    Drift drift = { 0 };
    char shown[VALUE_MAX];
    unsigned changed;

    if (!settings_can_be_recorded(row->actual)) {
        printf("  its settings could not be read: %s\n",
               text_escaped(shown, sizeof(shown), why_not_recorded(row)));
        a->failed = true;
        return;
    }
    if (row->recorded && baseline_compare(row->recorded, row->actual, &drift) < 0) {
        puts("  cannot be compared with what is recorded: out of memory");
        a->failed = true;
        return;
    }
    if (row->recorded)
        show_drift(&drift);
    else
        puts("  nothing is recorded yet");
    changed = drift.n + show_additions(row);
    drift_done(&drift);
    if (row->recorded && changed == 0)
        puts("  as recorded");
    show_unread(row);
    if (row->recorded && changed == 0)
        return;
    show_weakness(row->actual);
    add(a, row);
}

static void take_row(Accepting *a, const EngineSettings *row) {
    if (!is_meant(a, row->subject.name, row->subject.arn))
        return;
    if (row->gone)
        take_gone(a, row);
    else if (row->unasked)
        take_unasked(a, row);
    else {
        show_title(&row->subject);
        accept_take_settings(a, row);
    }
}

/* All trails were meant, but some could not be listed. */
static void say_unlisted(const char *unlisted) {
    char shown[VALUE_MAX];

    fprintf(stderr, "trailguard accept: not all trails could be listed: %s\n",
            text_escaped(shown, sizeof(shown), unlisted));
}

static void say_unknown(const char *name, const char *unlisted) {
    char shown[2][VALUE_MAX];

    (void)text_escaped(shown[0], VALUE_MAX, name);
    if (unlisted[0])
        fprintf(stderr, "trailguard accept: %s: not found, and not all trails could be listed: %s\n",
                shown[0], text_escaped(shown[1], VALUE_MAX, unlisted));
    else
        fprintf(stderr,
                "trailguard accept: %s: no account and region that this configuration polls lists it, and "
                "it is not "
                "recorded\n",
                shown[0]);
}

/* ---- recording ---- */

static bool may(const Accepting *a) {
    char answer[16] = "";

    if (a->args->yes)
        return true;
    if (!isatty(STDIN_FILENO)) {
        fputs("trailguard accept: nothing is changed: there is no terminal to confirm on; use --yes\n",
              stderr);
        return false;
    }
    printf("\nRecord this as the baseline of %s? [y/N] ", a->n == 1 ? "the trail" : "these trails");
    (void)fflush(stdout);
    return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static int record(const Accepting *a) {
    char by[BASELINE_BY_MAX], error[512];
    int result = EXIT_SUCCESS;

    for (size_t i = 0; i < a->n; i++) {
        const Candidate *c = &a->candidates[i];
        int r = baseline_file_accept(a->dir, c->arn, c->gone ? NULL : c->settings, c->gone,
                                     verb_who(by, sizeof(by)), verb_now_usec(), error, sizeof(error));

        if (r < 0) {
            fprintf(stderr, "trailguard accept: %s\n", error); /* the error names the ARN */
            result = EXIT_FAILURE;
        }
    }
    if (result == EXIT_SUCCESS)
        printf("\naccepted: %zu trail%s\n", a->n, a->n == 1 ? "" : "s");
    return result;
}

static int finish(const Accepting *a) {
    int result = EXIT_SUCCESS;

    if (a->failed)
        return EXIT_FAILURE;
    if (a->n == 0)
        puts(a->missing    ? "\nnothing accepted: recorded trails are not there"
             : a->unlisted ? "\nnothing accepted"
                           : "\nnothing to accept");
    else
        result = may(a) ? record(a) : EXIT_FAILURE;
    return a->unlisted || (a->n == 0 && a->missing) ? EXIT_FAILURE : result;
}

int verb_accept_rows(const VerbArgs *args, const char *dir, const EngineSettings *rows, size_t n,
                     const char *unlisted) {
    _cleanup_free_ bool *named = calloc(args->n_names + 1, sizeof(*named));
    _cleanup_free_ Candidate *candidates = calloc(n + 1, sizeof(*candidates));
    Accepting a = { .args = args, .dir = dir, .named = named, .candidates = candidates };

    if (!named || !candidates) {
        fputs("trailguard accept: out of memory\n", stderr);
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < n; i++)
        take_row(&a, &rows[i]);
    for (size_t i = 0; i < args->n_names; i++)
        if (!named[i]) {
            say_unknown(args->names[i], unlisted);
            a.failed = true;
        }
    if (args->n_names == 0 && unlisted[0]) {
        say_unlisted(unlisted);
        a.unlisted = true;
    }
    return finish(&a);
}

typedef struct Accept {
    const VerbArgs *args;
    int status;
} Accept;

static void polled(const EngineSettings *rows, size_t n, const char *unlisted, void *userdata) {
    Accept *accept = userdata;

    accept->status = verb_accept_rows(accept->args, engine_state_dir(), rows, n, unlisted);
}

int verb_accept(int argc, char **argv) {
    char error[ENGINE_ERROR_MAX];
    Config *config = NULL;
    VerbArgs args;
    Accept accept = { .args = &args, .status = EXIT_FAILURE };
    int r = verb_begin(argc, argv, VERB_TAKES_YES | VERB_TAKES_NAMES, help, &args, &config);

    if (r >= 0)
        return r;
    if (engine_settings(config, verb_progress(), polled, &accept, error) < 0)
        fprintf(stderr, "trailguard accept: %s\n", error);
    return accept.status;
}
