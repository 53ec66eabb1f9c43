/* SPDX-License-Identifier: Apache-2.0 */
/* `drill`: stops a trail with the caller's keys, after announcing it on the guard's host, and watches the
 * daemon. Whatever goes wrong, the trail logs again at the end, or the command to start it is printed. */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "daemon/aws_setup.h"
#include "daemon/cli/status_tables.h"
#include "daemon/cli/verbs.h"
#include "daemon/core/channel_format.h"
#include "daemon/core/guard.h"
#include "daemon/io/drill_file.h"
#include "daemon/io/state.h"
#include "lib/cloudtrail.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

static const char help[] =
        "usage: trailguard drill [-c FILE] [--profile NAME] [--yes] TRAIL\n"
        "\n"
        "Proves the whole chain on a real trail (a name or an ARN): stops it, watches the running daemon notice,\n"
        "start it again, report and find out who did it, and prints the time of each step beside its promise.\n"
        "Events that occur while the trail is stopped are lost to it. The alerts are marked DRILL, severity "
        "info.\n"
        "Run it as root on the guard's host, with an operator's AWS keys: the guard's own must not be able to\n"
        "stop a trail. If anything goes wrong, it starts the trail again. A guard on another host does not know of\n"
        "the drill, and alerts in earnest.\n"
        "\n"
        "  --profile NAME   the operator's profile in ~/.aws; default: the keys in the environment\n"
        "  --yes            do not ask\n"
        "\n"
        "Refused: organization trails, trails that are not well now, maintenance windows, mode \"observe\".\n"
        "Exit status: 0 proved, 1 not.\n"
        "\n"
        "Examples:\n"
        "  trailguard drill --profile operator main\n"
        "  AWS_PROFILE=operator trailguard drill --yes main\n";

#define STATUS_MAX    (64ULL * 1024 * 1024)
#define TICK_NSEC     200000000L
#define POLL_MAX_SEC  300 /* of poll_interval: a longer drill loses too many events */
#define PAUSE_USEC    (360 * USEC_PER_SEC) /* between drills of one trail: one incident each */
#define REOPEN_USEC   (GUARD_REOPEN_USEC + USEC_PER_SEC) /* the times in status.json are whole seconds */
#define NOTICE_USEC   (2 * USEC_PER_SEC)   /* beside poll_interval */
#define RESTART_USEC  (5 * USEC_PER_SEC)
#define REPORT_USEC   (6 * USEC_PER_SEC)
#define DELIVER_USEC  (60 * USEC_PER_SEC)
#define SEARCH_USEC   (1260 * USEC_PER_SEC)
#define SPARE_USEC    (20 * USEC_PER_SEC) /* what is waited for beyond a promise */
#define CLEANUP_USEC  (60 * USEC_PER_SEC)

static volatile sig_atomic_t interrupted; /* by SIGINT, SIGTERM or SIGHUP */

static void note_signal(int number) {
    interrupted = number;
}

/* The trail, as the daemon shows it. Texts are raw. */
typedef struct Drilling {
    const VerbArgs *args;
    Config *config;
    AwsSetup aws;
    sd_event *event;
    json_t *status; /* as last read */
    char name[129], arn[256], account[16], region[32];
    uint64_t interval_usec;
    uint64_t stopped_usec; /* real; when AWS had taken StopLogging; 0: it was not sent */
    DrillFile file;
    bool late;
} Drilling;

static uint64_t waited_usec(uint64_t since_usec) {
    struct timespec ts;

    (void)clock_gettime(CLOCK_BOOTTIME, &ts);
    return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000 - since_usec;
}

/* One line on stderr about the trail. Returns -ECANCELED. */
static int drill_refuse(const Drilling *d, const char *why, const char *detail) {
    char shown[2][300];

    fprintf(stderr, "trailguard drill: %s: %s%s\n",
            text_escaped(shown[0], sizeof(shown[0]), d->arn[0] ? d->arn : d->args->names[0]), why,
            text_escaped(shown[1], sizeof(shown[1]), detail));
    return -ECANCELED;
}

/* ---- one call to AWS at a time ---- */

typedef struct Call {
    bool ended, good;
    CloudTrailStatus status;
    StsIdentity identity;
    AwsErrorClass class;
    char error[ERROR_TEXT_MAX];
    const char *operation;
} Call;

static void end_call(Call *call, const AwsError *error) {
    call->ended = true;
    call->class = error->class;
    call->good = error->class == AWS_OK;
    if (!call->good)
        (void)aws_error_text(error, call->operation, call->error, sizeof(call->error));
}

static void wrote(const AwsError *error, void *userdata) {
    end_call(userdata, error);
}

static void got_status(const AwsError *error, const CloudTrailStatus *status, void *userdata) {
    Call *call = userdata;

    end_call(call, error);
    if (call->good)
        call->status = *status;
}

static void got_identity(const AwsError *error, const StsIdentity *identity, void *userdata) {
    Call *call = userdata;

    end_call(call, error);
    if (call->good)
        call->identity = *identity;
}

typedef enum Ask { ASK_IDENTITY, ASK_STATUS, ASK_STOP, ASK_START } Ask;

/* Each call has a deadline of its own. True when AWS took it; else call->error says why. */
static bool drill_ask(Drilling *d, Ask what, Call *call) {
    static const char *const names[] = { "GetCallerIdentity", "GetTrailStatus", "StopLogging", "StartLogging" };
    AwsCaller caller = { d->aws.client, d->aws.credentials, d->region };
    int r = -EINVAL;

    *call = (Call){ .operation = names[what] };
    switch (what) {
    case ASK_IDENTITY: r = sts_get_caller_identity(&caller, NULL, got_identity, call, NULL); break;
    case ASK_STATUS: r = cloudtrail_get_trail_status(&caller, d->arn, got_status, call, NULL); break;
    case ASK_STOP: r = cloudtrail_stop_logging(&caller, d->arn, wrote, call, NULL); break;
    case ASK_START: r = cloudtrail_start_logging(&caller, d->arn, wrote, call, NULL); break;
    }
    while (r >= 0 && !call->ended)
        r = sd_event_run(d->event, UINT64_MAX);
    if (r < 0 && !call->ended)
        (void)snprintf(call->error, sizeof(call->error), "%s: %s", call->operation, strerror(-r));
    return call->good;
}

/* ---- what the daemon shows ---- */

static uint64_t get_time(const json_t *object, const char *member) {
    uint64_t usec = 0;

    return timetext_parse_iso(status_text(object, member), &usec) < 0 ? 0 : usec;
}

/* 1; 0: no daemon runs; -errno: its status cannot be read. */
static int drill_read_status(Drilling *d) {
    _cleanup_(file_closep) int fd = -1;
    _cleanup_free_ char *text = NULL;
    size_t len = 0;
    json_t *status;
    int pid, r = state_is_guarded(engine_state_dir(), engine_runtime_dir(), &pid);

    if (r == 0)
        return 0;
    fd = r < 0 ? r : file_dir_open(engine_runtime_dir());
    r = fd < 0 ? fd : file_read_at(fd, "status.json", STATUS_MAX, &text, &len);
    if (r < 0)
        return r;
    status = json_loadb(text, len, 0, NULL);
    if (!json_is_object(status)) {
        json_decref(status);
        return -EBADMSG;
    }
    json_decref(d->status);
    d->status = status;
    return 1;
}

/* The only one of that name or ARN; NULL: none, or *ret_several. */
static const json_t *find_trail(const Drilling *d, const char *name, bool *ret_several) {
    const json_t *trails = json_object_get(d->status, "trails"), *found = NULL;

    *ret_several = false;
    for (size_t i = 0; i < json_array_size(trails); i++) {
        const json_t *trail = json_array_get(trails, i);

        if (!text_equal(status_text(trail, "name"), name) && !text_equal(status_text(trail, "arn"), name))
            continue;
        *ret_several = found != NULL;
        found = trail;
    }
    return *ret_several ? NULL : found;
}

static const json_t *drilled(const Drilling *d) {
    bool several;

    return json_object_get(find_trail(d, d->arn, &several), "drill");
}

/* ---- may it be drilled? ---- */

static bool is_observed(const Drilling *d) {
    char part[24];

    (void)snprintf(part, sizeof(part), ":%s:", d->account);
    for (size_t i = 0; i < d->config->n_accounts; i++) {
        const AccountConfig *account = &d->config->accounts[i];

        if (account->mode != _MODE_MAX && (!account->role_arn || strstr(account->role_arn, part)))
            return account->mode == MODE_OBSERVE;
    }
    return text_equal(status_text(d->status, "mode"), "observe");
}

static int check_trail(Drilling *d, const json_t *trail) {
    if (json_is_true(json_object_get(trail, "organization")))
        return drill_refuse(d, "an organization trail is not drilled: it records all accounts", "");
    if (!text_equal(status_text(trail, "verdict"), "logging"))
        return drill_refuse(d, "it is not well now: ", status_text(trail, "verdict"));
    if (json_array_size(json_object_get(trail, "findings")) > 0 ||
        !json_is_null(json_object_get(trail, "incident")))
        return drill_refuse(d, "it has an open incident; trailguard status shows it", "");
    if (json_is_true(json_object_get(trail, "provisional")))
        return drill_refuse(d, "nobody has accepted it: trailguard accept", "");
    if (config_maintenance_at(d->config, d->name, d->arn, verb_now_usec()))
        return drill_refuse(d, "a maintenance window is open for it", "");
    if (is_observed(d))
        return drill_refuse(d, "mode is \"observe\": the daemon would not start it again", "");
    if (d->interval_usec == 0 || d->interval_usec > POLL_MAX_SEC * USEC_PER_SEC)
        return drill_refuse(d, "poll_interval is longer than 300 s: the trail would be stopped too long",
                            "");
    if (get_time(json_object_get(trail, "drill"), "stopped") + PAUSE_USEC > verb_now_usec())
        return drill_refuse(d, "its last drill was less than 6 minutes ago", "");
    if (get_time(trail, "incident_ended") + REOPEN_USEC > verb_now_usec())
        return drill_refuse(d, "its last incident ended less than 5 minutes ago: a stop now would reopen it",
                            "");
    return d->config->n_channels > 0
                   ? 0
                   : drill_refuse(d, "alerts: no channel is configured, nobody would know", "");
}

static int check_daemon(Drilling *d) {
    const char *name = d->args->names[0];
    const json_t *trail;
    DrillFile other;
    char reason[ERROR_TEXT_MAX];
    bool several;
    int r = drill_read_status(d);

    if (r == 0)
        return drill_refuse(d, "no daemon runs: nothing would start the trail again", "");
    if (r < 0)
        return drill_refuse(d, "the daemon's status.json cannot be read: ", file_strerror(r));
    trail = find_trail(d, name, &several);
    if (!trail)
        return drill_refuse(d,
                            several ? "several trails have this name; give the ARN"
                                    : "the daemon guards no such trail",
                            "");
    (void)text_copy(d->name, sizeof(d->name), status_text(trail, "name"));
    (void)text_copy(d->arn, sizeof(d->arn), status_text(trail, "arn"));
    (void)text_copy(d->account, sizeof(d->account), status_text(trail, "account"));
    (void)text_copy(d->region, sizeof(d->region), status_text(trail, "region"));
    d->interval_usec = (uint64_t)json_integer_value(json_object_get(d->status, "poll_interval")) * USEC_PER_SEC;
    if (get_time(d->status, "updated") + 3 * d->interval_usec + 60 * USEC_PER_SEC < verb_now_usec())
        return drill_refuse(d, "the daemon makes no progress: status.json is of ",
                            status_text(d->status, "updated"));
    r = check_trail(d, trail);
    if (r == 0 && drill_file_read(engine_state_dir(), &other, reason, sizeof(reason)) == 0 &&
        other.drill.until_usec > verb_now_usec())
        return drill_refuse(d, "another drill is under way, of ", other.trail);
    return r;
}

/* Whose keys are these? */
static int check_caller(Drilling *d) {
    const json_t *accounts = json_object_get(d->status, "accounts");
    Call call;

    if (!drill_ask(d, ASK_IDENTITY, &call))
        return drill_refuse(d, "AWS does not say whose keys these are: ", call.error);
    for (size_t i = 0; i < json_array_size(accounts); i++)
        if (text_equal(status_text(json_array_get(accounts, i), "identity"), call.identity.arn))
            return drill_refuse(d, "these are the guard's own keys; use an operator's, with --profile: ",
                                call.identity.arn);
    if (!text_equal(call.identity.account, d->account))
        return drill_refuse(d, "these keys are of another account: ", call.identity.arn);
    (void)text_copy(d->file.drill.identity, sizeof(d->file.drill.identity), call.identity.arn);
    if (!drill_ask(d, ASK_STATUS, &call))
        return drill_refuse(d, "its status cannot be read with these keys: ", call.error);
    return call.status.is_logging ? 0 : drill_refuse(d, "AWS says that it does not log", "");
}

static bool may(const Drilling *d) {
    char answer[16] = "", shown[2][300];

    printf("trail    %s\naccount  %s\nregion   %s\ncaller   %s\n\n"
           "This stops the trail. Events are lost to it until the daemon starts it again, which takes at most "
           "%u s.\nThe alerts about it are marked DRILL and have severity info.\n",
           text_escaped(shown[0], sizeof(shown[0]), d->arn), d->account, d->region,
           text_escaped(shown[1], sizeof(shown[1]), d->file.drill.identity),
           (unsigned)((d->interval_usec + NOTICE_USEC + RESTART_USEC) / USEC_PER_SEC));
    if (d->args->yes)
        return true;
    if (!isatty(STDIN_FILENO)) {
        fputs("trailguard drill: nothing is stopped: there is no terminal to ask at, and no --yes\n", stderr);
        return false;
    }
    printf("\nStop %s now? [y/N] ", text_escaped(shown[0], sizeof(shown[0]), d->name));
    (void)fflush(stdout);
    return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* ---- it is stopped ---- */

static int announce(Drilling *d) {
    uint64_t nonce[2] = { loop_random(d->aws.loop), loop_random(d->aws.loop) };
    int r;

    (void)snprintf(d->file.nonce, sizeof(d->file.nonce), "%016llx%016llx", (unsigned long long)nonce[0],
                   (unsigned long long)nonce[1]);
    (void)text_copy(d->file.trail, sizeof(d->file.trail), d->arn);
    d->file.drill.from_usec = verb_now_usec();
    d->file.drill.until_usec = d->file.drill.from_usec + d->interval_usec + 4 * SPARE_USEC;
    r = drill_file_write(engine_state_dir(), &d->file);
    return r < 0 ? drill_refuse(d,
                                "the drill cannot be announced in the state directory: ", file_strerror(r))
                 : 0;
}

static int stop(Drilling *d) {
    Call call;
    int r = announce(d);

    if (r < 0)
        return r;
    d->stopped_usec = verb_now_usec(); /* it may be stopped even if no answer comes */
    if (drill_ask(d, ASK_STOP, &call)) {
        d->stopped_usec = verb_now_usec();
        return 0;
    }
    (void)drill_file_remove(engine_state_dir());
    if (call.class != AWS_DENIED)
        return drill_refuse(d, "it may not have been stopped: ", call.error);
    d->stopped_usec = 0;
    return drill_refuse(
            d,
            "these keys may not stop it, as is right for the guard's; use an operator's, with --profile: ",
            call.error);
}

/* Starts it, and proves it; 0, or -EIO after the command to run. Keys that may not start it never will. */
static int clean_up(Drilling *d) {
    const struct timespec second = { .tv_sec = 1 };
    uint64_t began_usec = waited_usec(0);
    Call call = { .good = false };

    fprintf(stderr, "trailguard drill: %s: starting it again\n", d->arn);
    do {
        Call start;

        (void)drill_ask(d, ASK_START, &start);
        if (drill_ask(d, ASK_STATUS, &call) && call.status.is_logging) {
            fprintf(stderr, "trailguard drill: %s: logging again, confirmed\n", d->arn);
            return 0;
        }
        if (!start.good)
            call = start;
        if (start.class == AWS_DENIED)
            break;
        (void)nanosleep(&second, NULL);
    } while (waited_usec(began_usec) < CLEANUP_USEC);
    fprintf(stderr,
            "trailguard drill: %s: NOT LOGGING, as far as is known: %s; run:\n  aws cloudtrail start-logging "
            "--name %s --region %s\n",
            d->arn, call.error[0] ? call.error : "StartLogging was accepted, but it does not show", d->arn,
            d->region);
    return -EIO;
}

/* ---- what is watched ---- */

typedef bool (*Happened)(Drilling *d, uint64_t *ret_usec);

static bool is_noticed(Drilling *d, uint64_t *ret_usec) {
    /* that of an earlier drill is no news */
    *ret_usec = get_time(drilled(d), "noticed");
    return *ret_usec != 0 && *ret_usec + USEC_PER_SEC > d->file.drill.from_usec;
}

static bool is_restarted(Drilling *d, uint64_t *ret_usec) {
    *ret_usec = get_time(drilled(d), "restarted");
    return *ret_usec != 0;
}

static bool is_reported(Drilling *d, uint64_t *ret_usec) {
    *ret_usec = get_time(drilled(d), "reported");
    return *ret_usec != 0;
}

static bool is_attributed(Drilling *d, uint64_t *ret_usec) {
    *ret_usec = get_time(drilled(d), "attributed");
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

/* Until it happened, or the deadline. 0; -ETIME, -EINTR, -ESRCH: the daemon has ended. */
static int wait_for(Drilling *d, Happened happened, uint64_t max_usec, uint64_t *ret_usec) {
    const struct timespec tick = { .tv_nsec = TICK_NSEC };
    uint64_t began_usec = waited_usec(0);

    do {
        int r = drill_read_status(d);

        if (interrupted)
            return -EINTR;
        if (r == 0)
            return -ESRCH;
        if (r > 0 && happened(d, ret_usec))
            return 0;
        (void)nanosleep(&tick, NULL);
    } while (waited_usec(began_usec) < max_usec);
    return -ETIME;
}

static const char *why(int r) {
    return r == -EINTR   ? "interrupted"
           : r == -ESRCH ? "the daemon has ended"
                         : "not in the promised time";
}

static void print_step(const char *step, uint64_t from_usec, uint64_t at_usec, uint64_t promise_usec,
                       const char *detail) {
    char shown[300], span[2][TIMETEXT_MAX];
    uint64_t took_usec = at_usec > from_usec ? at_usec - from_usec : 0;

    printf("%-10s after %-8s promised within %s%s%s%s\n", step, timetext_span(span[0], took_usec),
           timetext_span(span[1], promise_usec), took_usec > promise_usec ? "  LATE" : "", detail[0] ? "  " : "",
           text_escaped(shown, sizeof(shown), detail));
    (void)fflush(stdout);
}

/* One step of the chain, counted from from_usec. */
static int watch_step(Drilling *d, const char *step, Happened happened, uint64_t from_usec, uint64_t promise_usec,
                      uint64_t *ret_usec) {
    int r = wait_for(d, happened, promise_usec + SPARE_USEC, ret_usec);

    if (r < 0) {
        printf("%-10s NOT: %s\n", step, why(r));
        return r;
    }
    d->late = d->late || *ret_usec > from_usec + promise_usec;
    print_step(step, from_usec, *ret_usec, promise_usec, "");
    return 0;
}

static void print_channels(const Drilling *d) {
    for (size_t i = 0; i < d->config->n_channels; i++) {
        _cleanup_free_ char *key = config_channel_key(&d->config->channels[i]);
        bool takes = takes_drills(&d->config->channels[i]);
        char shown[300];

        if (key)
            printf("  %s: %s\n", text_escaped(shown, sizeof(shown), key),
                   !takes                ? "not sent, its options leave out info or guard.drill"
                   : has_receipt(d, key) ? "receipt"
                                         : "NO RECEIPT");
    }
}

static int watch_attribution(Drilling *d, uint64_t noticed_usec) {
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
    actor = status_text(drilled(d), "actor");
    if (text_equal(actor, "own"))
        return 0;
    printf("attributed NOT to %s: %s\n", d->file.drill.identity,
           text_equal(actor, "other") ? "another caller stopped it, which is reported in earnest"
                                      : "the event history shows nobody");
    return -EPERM;
}

/* From the stop on; the trail logs when this has passed the second step. */
static int watch_chain(Drilling *d, bool *ret_logs) {
    uint64_t noticed_usec, at_usec;
    int r = watch_step(d, "noticed", is_noticed, d->stopped_usec, d->interval_usec + NOTICE_USEC, &noticed_usec);

    if (r == 0)
        r = watch_step(d, "restarted", is_restarted, noticed_usec, RESTART_USEC, &at_usec);
    *ret_logs = r == 0;
    if (r == 0)
        r = watch_step(d, "reported", is_reported, noticed_usec, REPORT_USEC, &at_usec);
    if (r == 0) {
        r = watch_step(d, "delivered", is_delivered, at_usec, DELIVER_USEC, &at_usec);
        print_channels(d);
    }
    return r == 0 ? watch_attribution(d, noticed_usec) : r;
}

static int drill(Drilling *d) {
    bool logs = false;
    Call call;
    int r;

    (void)signal(SIGINT, note_signal);
    (void)signal(SIGTERM, note_signal);
    (void)signal(SIGHUP, note_signal);
    r = stop(d);
    if (r == 0) {
        printf("\nstopped    %s\n", d->name);
        (void)fflush(stdout);
        r = watch_chain(d, &logs);
    }
    if (d->stopped_usec != 0 && !logs)
        (void)clean_up(d);
    else if (logs && (!drill_ask(d, ASK_STATUS, &call) || !call.status.is_logging)) {
        printf("%s does not log now\n", d->arn);
        r = clean_up(d) < 0 ? -EIO : -ECANCELED;
    }
    return r;
}

/* The caller's keys, not the guard's: its file of keys and profile count for nothing here. */
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
    int r = check_daemon(d);

    if (r < 0)
        return r;
    r = take_caller_keys(d->config, d->args->profile);
    if (r >= 0)
        r = sd_event_new(&d->event);
    if (r >= 0)
        r = aws_setup_open(d->event, d->config, &d->aws, error);
    if (r < 0)
        return drill_refuse(d, "AWS cannot be asked: ", error[0] ? error : strerror(-r));
    r = check_caller(d);
    if (r >= 0)
        r = may(d) ? drill(d) : -ECANCELED;
    return r;
}

int verb_drill(int argc, char **argv) {
    Config *config = NULL;
    VerbArgs args;
    Drilling d = { .args = &args };
    int r = verb_begin(argc, argv, VERB_TAKES_YES | VERB_TAKES_NAMES | VERB_TAKES_PROFILE, help, EXIT_FAILURE,
                       &args, &config);

    if (r >= 0)
        return r;
    d.config = config;
    if (args.n_names != 1)
        r = args.n_names == 0 ? verb_usage("drill", "which trail?", "")
                              : verb_usage("drill", "one trail at a time, not also ", args.names[1]);
    else
        r = run(&d);
    if (d.stopped_usec != 0)
        puts(r == 0 && !d.late ? "\nproved" : "\nNOT proved");
    aws_setup_close(&d.aws);
    sd_event_unref(d.event);
    json_decref(d.status);
    config_free(config);
    return r == 0 && !d.late ? EXIT_SUCCESS : EXIT_FAILURE;
}
