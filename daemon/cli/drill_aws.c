/* SPDX-License-Identifier: Apache-2.0 */
/* A drill's calls to AWS, with the caller's keys. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/cli/drill.h"
#include "daemon/cli/status_tables.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define CLEANUP_USEC (60 * USEC_PER_SEC)

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

/* Whose keys are these? */
int drill_check_caller(Drilling *d) {
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

/* ---- it is stopped ---- */

static int announce(Drilling *d) {
    uint64_t nonce[2] = { loop_random(d->aws.loop), loop_random(d->aws.loop) };
    int r;

    (void)snprintf(d->file.nonce, sizeof(d->file.nonce), "%016llx%016llx", (unsigned long long)nonce[0],
                   (unsigned long long)nonce[1]);
    (void)text_copy(d->file.trail, sizeof(d->file.trail), d->arn);
    d->file.drill.from_usec = verb_now_usec();
    d->file.drill.until_usec = d->file.drill.from_usec + d->interval_usec + 4 * DRILL_SPARE_USEC;
    r = drill_file_write(engine_state_dir(), &d->file);
    return r < 0 ? drill_refuse(d,
                                "the drill cannot be announced in the state directory: ", file_strerror(r))
                 : 0;
}

int drill_stop(Drilling *d) {
    Call call;
    int r = announce(d);

    if (r < 0)
        return r;
    d->begun_usec = verb_now_usec(); /* it may be stopped even if no answer comes */
    if (drill_ask(d, ASK_STOP, &call)) {
        d->begun_usec = verb_now_usec();
        return 0;
    }
    (void)drill_file_remove(engine_state_dir());
    if (call.class != AWS_DENIED)
        return drill_refuse(d, "it may not have been stopped: ", call.error);
    d->begun_usec = 0;
    return drill_refuse(
            d,
            "these keys may not stop it, as is right for the guard's; use an operator's, with --profile: ",
            call.error);
}

int drill_clean_up(Drilling *d) {
    const struct timespec second = { .tv_sec = 1 };
    uint64_t began_usec = drill_waited_usec(0);
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
    } while (drill_waited_usec(began_usec) < CLEANUP_USEC);
    fprintf(stderr,
            "trailguard drill: %s: NOT LOGGING, as far as is known: %s; run:\n  aws cloudtrail start-logging "
            "--name %s --region %s\n",
            d->arn, call.error[0] ? call.error : "StartLogging was accepted, but it does not show", d->arn,
            d->region);
    return -EIO;
}

bool drill_logs(Drilling *d) {
    Call call;

    return drill_ask(d, ASK_STATUS, &call) && call.status.is_logging;
}
