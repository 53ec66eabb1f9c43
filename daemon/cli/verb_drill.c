/* SPDX-License-Identifier: Apache-2.0 */
/* `drill`: stops or tags a trail with the caller's keys, after announcing it on the guard's host, and
 * watches the daemon. Whatever fails, the trail is restored at the end, or the command for that is
 * printed. */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/cli/drill.h"
#include "daemon/cli/status_tables.h"
#include "daemon/core/channel_format.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

static const char help[] =
        "usage: trailguard drill [-c FILE] [--profile NAME] [--tag] [--yes] TRAIL\n"
        "\n"
        "Proves the whole chain on a real trail (a name or an ARN): stops it, watches\n"
        "the running daemon notice, start it again, report and find out who did it, and\n"
        "prints the time of each step beside its promise. The trail does not record what\n"
        "happens while it is stopped. The alerts are marked DRILL, severity info.\n"
        "\n"
        "Run it as root on the guard's host, with an operator's AWS keys: the guard's\n"
        "own must not be able to stop a trail. If anything goes wrong, it starts the\n"
        "trail again. A guard on another host does not know of the drill, and alerts in\n"
        "earnest.\n"
        "\n"
        "With --tag it stops nothing: it adds the tag " DRILL_TAG ", which the\n"
        "daemon notices, reports and, in mode \"restore\" with \"deleted\", removes;\n"
        "elsewhere drill removes it.\n"
        "\n"
        "The keys need StopLogging, StartLogging and GetTrailStatus; with --tag AddTags,\n"
        "RemoveTags, ListTags and GetTrailStatus.\n"
        "\n"
        "  --profile NAME   the operator's profile in ~/.aws; default: the keys in the\n"
        "                   environment\n"
        "  --tag            add a tag instead; the trail goes on logging\n"
        "  --yes            do not ask\n"
        "\n"
        "Refused: organization trails, trails that are not well now, maintenance\n"
        "windows, mode \"observe\" without --tag.\n"
        "Exit status: 0 proved, 1 not.\n"
        "\n"
        "Examples:\n"
        "  trailguard drill --profile operator main\n"
        "  trailguard drill --profile operator --tag main\n"
        "  AWS_PROFILE=operator trailguard drill --yes main\n";

#define TICK_NSEC    200000000L
#define REPORT_USEC  (6 * USEC_PER_SEC)
#define DELIVER_USEC (60 * USEC_PER_SEC)
#define SEARCH_USEC  (1260 * USEC_PER_SEC)

static volatile sig_atomic_t interrupted; /* by one of the signals that end a process, see drill() */

static void note_signal(int number) {
    interrupted = number;
}

static bool may(const Drilling *d) {
    char answer[16] = "", shown[2][ACTOR_ARN_MAX], what[200];

    (void)snprintf(
            what, sizeof(what),
            d->args->tag
                    ? "This adds the tag " DRILL_TAG
                      " to the trail, which goes on logging. The daemon notices "
                      "it within %u s;\nthen it is removed."
                    : "This stops the trail. Events are lost to it until the daemon starts it again, which "
                      "takes at most %u s.",
            (unsigned)((d->interval_usec + DRILL_NOTICE_USEC + (d->args->tag ? 0 : DRILL_RESTART_USEC)) /
                       USEC_PER_SEC));
    printf("trail    %s\naccount  %s\nregion   %s\ncaller   %s\n\n"
           "%s\nThe alerts about it are marked DRILL and have severity info.\n",
           text_escaped(shown[0], sizeof(shown[0]), d->arn), d->account, d->region,
           text_escaped(shown[1], sizeof(shown[1]), d->file.drill.identity), what);
    if (d->args->yes)
        return true;
    if (!isatty(STDIN_FILENO)) {
        fputs("trailguard drill: nothing is done: there is no terminal to confirm on; use --yes\n", stderr);
        return false;
    }
    printf("\n%s %s now? [y/N] ", d->args->tag ? "Tag" : "Stop",
           text_escaped(shown[0], sizeof(shown[0]), d->name));
    (void)fflush(stdout);
    return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* ---- the steps ---- */

typedef bool (*Happened)(Drilling *d, uint64_t *ret_usec);

static bool is_noticed(Drilling *d, uint64_t *ret_usec) {
    /* the result of an earlier drill does not count */
    *ret_usec = drill_time(drill_shown(d), "noticed");
    return *ret_usec != 0 && *ret_usec + USEC_PER_SEC > d->file.drill.from_usec;
}

static bool is_restarted(Drilling *d, uint64_t *ret_usec) {
    *ret_usec = drill_time(drill_shown(d), "restarted");
    return *ret_usec != 0;
}

static bool is_reported(Drilling *d, uint64_t *ret_usec) {
    *ret_usec = drill_time(drill_shown(d), "reported");
    return *ret_usec != 0;
}

static bool is_attributed(Drilling *d, uint64_t *ret_usec) {
    *ret_usec = drill_time(drill_shown(d), "attributed");
    return *ret_usec != 0;
}

static const json_t *channel_row(const Drilling *d, const char *key) {
    const json_t *channels = json_object_get(d->status, "channels");

    for (size_t i = 0; i < json_array_size(channels); i++)
        if (text_equal(status_text(json_array_get(channels, i), "channel"), key))
            return json_array_get(channels, i);
    return NULL;
}

static bool has_receipt(const Drilling *d, const char *key) {
    const json_t *row = channel_row(d, key);

    return row && !json_is_true(json_object_get(row, "failed")) &&
           json_integer_value(json_object_get(row, "waiting")) == 0;
}

static bool takes_drills(const ChannelConfig *channel) {
    Alert alert = { .event = EVENT_GUARD_DRILL, .severity = SEVERITY_INFO };

    return alert_filter_takes(&channel->filter, &alert);
}

static bool is_delivered(Drilling *d, uint64_t *ret_usec) {
    for (size_t i = 0; i < d->config->n_channels; i++) {
        _cleanup_free_ char *key = config_channel_key(&d->config->channels[i]);

        if (!key || (takes_drills(&d->config->channels[i]) && !has_receipt(d, key)))
            return false;
    }
    *ret_usec = verb_now_usec();
    return true;
}

/* Waits until it happened, or for the deadline. 0; -ETIME, -EINTR, -ESRCH: the daemon has ended. */
static int wait_for(Drilling *d, Happened happened, uint64_t max_usec, uint64_t *ret_usec) {
    const struct timespec tick = { .tv_nsec = TICK_NSEC };
    uint64_t began_usec = verb_waited_usec(0);

    do {
        int r = drill_read_status(d);

        if (interrupted)
            return -EINTR;
        if (r == 0)
            return -ESRCH;
        if (r > 0 && happened(d, ret_usec))
            return 0;
        (void)nanosleep(&tick, NULL);
    } while (verb_waited_usec(began_usec) < max_usec);
    return -ETIME;
}

static const char *why(int r) {
    return r == -EINTR ? "interrupted" : r == -ESRCH ? "the daemon has ended" : "not in the promised time";
}

static void print_step(const char *step, uint64_t from_usec, uint64_t at_usec, uint64_t promise_usec) {
    char span[2][TIMETEXT_MAX];
    uint64_t took_usec = at_usec > from_usec ? at_usec - from_usec : 0;

    printf("%-10s after %-8s promised within %s%s\n", step, timetext_span(span[0], took_usec),
           timetext_span(span[1], promise_usec), took_usec > promise_usec ? "  LATE" : "");
    (void)fflush(stdout);
}

/* One step, timed from from_usec. */
static int watch_step(Drilling *d, const char *step, Happened happened, uint64_t from_usec,
                      uint64_t promise_usec, uint64_t *ret_usec) {
    int r = wait_for(d, happened, promise_usec + DRILL_SPARE_USEC, ret_usec);

    if (r < 0) {
        const char *reason = r == -ETIME ? drill_failure(d) : "";
        char shown[500];

        printf("%-10s NOT: %s%s%s\n", step, why(r), reason[0] ? ": " : "",
               text_escaped(shown, sizeof(shown), reason));
        return r;
    }
    d->late = d->late || *ret_usec > from_usec + promise_usec;
    print_step(step, from_usec, *ret_usec, promise_usec);
    return 0;
}

static void print_receipt(const Drilling *d, const ChannelConfig *channel, const char *key) {
    const char *reason = status_text(channel_row(d, key), "text");
    char shown[300], why_not[500];

    printf("  %s: ", text_escaped(shown, sizeof(shown), key));
    if (!takes_drills(channel))
        puts("not sent, its options leave out info or guard.drill");
    else if (has_receipt(d, key))
        puts("receipt");
    else
        printf("NO RECEIPT%s%s\n", reason[0] ? ": " : "", text_escaped(why_not, sizeof(why_not), reason));
}

static void print_channels(const Drilling *d) {
    for (size_t i = 0; i < d->config->n_channels; i++) {
        _cleanup_free_ char *key = config_channel_key(&d->config->channels[i]);

        if (key)
            print_receipt(d, &d->config->channels[i], key);
    }
}

static int watch_attribution(Drilling *d, uint64_t noticed_usec) {
    char shown[ACTOR_ARN_MAX];
    uint64_t at_usec;
    const char *actor;
    int r;

    if (!d->config->attribution) {
        puts("attributed NOT: attribution is off");
        return 0;
    }
    puts("waiting for the event history to show who did it; that takes up to 20 min");
    (void)fflush(stdout);
    r = watch_step(d, "attributed", is_attributed, noticed_usec, SEARCH_USEC, &at_usec);
    if (r < 0)
        return r;
    actor = status_text(drill_shown(d), "actor");
    if (text_equal(actor, "own"))
        return 0;
    printf("attributed NOT to %s: %s\n", text_escaped(shown, sizeof(shown), d->file.drill.identity),
           text_equal(actor, "other") ? "another caller did it, which is reported in earnest"
                                      : "the event history shows nobody");
    return -EPERM;
}

static int watch_delivery(Drilling *d, uint64_t from_usec) {
    uint64_t at_usec;
    int r = watch_step(d, "delivered", is_delivered, from_usec, DELIVER_USEC, &at_usec);

    print_channels(d);
    return r;
}

/* Waits until the daemon has undone it: the trail logs again, or the tag is gone. Then sets *ret_undone. */
static int watch_undoing(Drilling *d, uint64_t noticed_usec, bool *ret_undone) {
    uint64_t at_usec;
    int r = watch_step(d, d->args->tag ? "restored" : "restarted", is_restarted, noticed_usec,
                       DRILL_RESTART_USEC, &at_usec);

    *ret_undone = r == 0;
    return r;
}

/* The tag stays until it is reported. Then it is removed, and the daemon notices that. */
static int take_tag_away(Drilling *d, bool *ret_undone, uint64_t *ret_usec) {
    uint64_t removed_usec;
    int r = drill_clean_up(d);

    *ret_undone = r == 0;
    removed_usec = verb_now_usec();
    return r < 0 ? r
                 : watch_step(d, "resolved", is_restarted, removed_usec,
                              d->interval_usec + DRILL_NOTICE_USEC, ret_usec);
}

/* All steps from the stop or tag on. */
static int watch_chain(Drilling *d, bool *ret_undone) {
    bool by_daemon = !d->args->tag || d->put_back;
    uint64_t noticed_usec, at_usec;
    int r = watch_step(d, "noticed", is_noticed, d->begun_usec, d->interval_usec + DRILL_NOTICE_USEC,
                       &noticed_usec);

    if (r == 0 && by_daemon)
        r = watch_undoing(d, noticed_usec, ret_undone);
    if (r == 0)
        r = watch_step(d, "reported", is_reported, noticed_usec, REPORT_USEC, &at_usec);
    if (r == 0 && !by_daemon)
        r = take_tag_away(d, ret_undone, &at_usec);
    if (r == 0)
        r = watch_delivery(d, at_usec);
    return r == 0 ? watch_attribution(d, noticed_usec) : r;
}

static int drill(Drilling *d) {
    /* the signals of terminals and service managers that end a process */
    static const int stopping[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
    char shown[300];
    bool undone = false;
    int r;

    for (size_t i = 0; i < ARRAY_SIZE(stopping); i++)
        (void)signal(stopping[i], note_signal);
    r = drill_begin(d);
    if (r == 0) {
        printf("\n%-10s %s\n", d->args->tag ? "tagged" : "stopped",
               text_escaped(shown, sizeof(shown), d->name));
        (void)fflush(stdout);
        r = watch_chain(d, &undone);
    }
    if (d->begun_usec != 0 && !undone)
        (void)drill_clean_up(d);
    else if (undone && !drill_is_undone(d)) {
        printf("%s %s now\n", d->arn, d->args->tag ? "has the tag" : "does not log");
        r = drill_clean_up(d) < 0 ? -EIO : -ECANCELED;
    }
    return r;
}

/* Uses the caller's keys, not the guard's: the configured key file and profile are ignored. */
static int take_caller_keys(Config *config, const char *profile) {
    free(TAKE_PTR(config->aws.credentials_file));
    free(TAKE_PTR(config->aws.config_file));
    free(TAKE_PTR(config->aws.profile));
    if (profile && !(config->aws.profile = strdup(profile)))
        return -ENOMEM;
    return unsetenv("CREDENTIALS_DIRECTORY") < 0 ? -errno : 0;
}

static int run(Drilling *d) {
    char error[AWS_SETUP_ERROR_MAX] = "";
    int r = drill_check_daemon(d);

    if (r < 0)
        return r;
    r = take_caller_keys(d->config, d->args->profile);
    if (r >= 0)
        r = sd_event_new(&d->event);
    if (r >= 0)
        r = aws_setup_open(d->event, d->config, &d->aws, error);
    if (r < 0)
        return drill_refuse(d, "AWS cannot be called: ", error[0] ? error : strerror(-r));
    r = drill_check_caller(d);
    if (r >= 0)
        r = may(d) ? drill(d) : -ECANCELED;
    return r;
}

int verb_drill(int argc, char **argv) {
    Config *config = NULL;
    VerbArgs args;
    Drilling d = { .args = &args };
    int r = verb_begin(argc, argv, VERB_TAKES_YES | VERB_TAKES_NAMES | VERB_TAKES_PROFILE | VERB_TAKES_TAG,
                       help, &args, &config);

    if (r >= 0)
        return r;
    d.config = config;
    if (args.n_names != 1)
        r = args.n_names == 0 ? verb_usage("drill", "name a trail", "")
                              : verb_usage("drill", "one trail at a time, not also ", args.names[1]);
    else
        r = run(&d);
    if (d.begun_usec != 0)
        puts(r == 0 && !d.late ? "\nproved" : "\nNOT proved");
    aws_setup_close(&d.aws);
    sd_event_unref(d.event);
    json_decref(d.status);
    config_free(config);
    return r == 0 && !d.late ? EXIT_SUCCESS : EXIT_FAILURE;
}
