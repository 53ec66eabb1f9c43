/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/act.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/watch.h"
#include "lib/cloudtrail.h"
#include "lib/util/macros.h"

/* AWS usually shows it at once; then less and less often. */
#define READ_BACK_FIRST_USEC (200 * USEC_PER_MSEC)
#define READ_BACK_MAX_USEC   (1 * USEC_PER_SEC)

struct Act {
    AwsClient *aws;
    CredentialsSource *credentials;
    char *region, *arn;
    ActDone done;
    void *userdata;
    CloudTrailCall *call;
    LoopTimer *timer;
    uint64_t stop_usec;     /* real; StopLoggingTime that was acted upon */
    uint64_t accepted_usec; /* mono */
    uint64_t pause_usec;
    char last_error[ERROR_TEXT_MAX];
};

static void act_free(Act *act) {
    cloudtrail_cancel(act->call);
    loop_cancel(aws_client_loop(act->aws), act->timer);
    free(act->region);
    free(act->arn);
    free(act);
}

void act_cancel(Act *act) {
    if (act)
        act_free(act);
}

static void finish(Act *act, const Outcome *outcome) {
    act->done(outcome, act->userdata);
    act_free(act);
}

static void fail(Act *act, const char *what, const char *code, const char *message) {
    Outcome outcome = { .action = ACTION_RESTART, .result = RESULT_FAILED };

    (void)snprintf(outcome.error_text, sizeof(outcome.error_text), "%s%s%s%s%s", what,
                   code[0] || message[0] ? ": " : "", code, code[0] && message[0] ? ": " : "", message);
    finish(act, &outcome);
}

static void read_back(void *userdata);

static void read_back_later(Act *act) {
    Loop *loop = aws_client_loop(act->aws);
    int r;

    if (loop_monotonic_usec(loop) - act->accepted_usec >= ACT_READ_BACK_USEC) {
        fail(act, "StartLogging was accepted, but the trail does not show as logging after 5 s", "",
             act->last_error);
        return;
    }
    r = loop_after(loop, act->pause_usec, read_back, act, &act->timer);
    act->pause_usec = MIN(2 * act->pause_usec, READ_BACK_MAX_USEC);
    if (r < 0)
        fail(act, "cannot read the trail's status back", "", strerror(-r));
}

static bool was_stopped_again(const Act *act, const CloudTrailStatus *status) {
    return status->start_logging_usec > act->stop_usec &&
           status->stop_logging_usec >= status->start_logging_usec;
}

static void read_back_done(const AwsError *error, const CloudTrailStatus *status, void *userdata) {
    Act *act = userdata;

    act->call = NULL;
    if (error->class == AWS_OK && (status->is_logging || was_stopped_again(act, status))) {
        Outcome outcome = { .action = ACTION_RESTART, .result = RESULT_HELD, .seen = watch_observe(status) };

        finish(act, &outcome);
        return;
    }
    act->last_error[0] = '\0';
    if (error->class != AWS_OK)
        (void)snprintf(act->last_error, sizeof(act->last_error), "GetTrailStatus: %s%s%s", error->code,
                       error->code[0] ? ": " : "", error->message);
    read_back_later(act);
}

static void read_back(void *userdata) {
    Act *act = userdata;
    int r;

    act->timer = NULL;
    r = cloudtrail_get_trail_status(act->aws, act->credentials, act->region, act->arn, read_back_done, act,
                                    &act->call);
    if (r < 0)
        fail(act, "cannot read the trail's status back", "", strerror(-r));
}

static void start_done(const AwsError *error, void *userdata) {
    Act *act = userdata;

    act->call = NULL;
    if (error->class != AWS_OK) {
        fail(act, "StartLogging", error->code, error->message);
        return;
    }
    act->accepted_usec = loop_monotonic_usec(aws_client_loop(act->aws));
    read_back(act);
}

static void start(void *userdata) {
    Act *act = userdata;
    int r;

    act->timer = NULL;
    r = cloudtrail_start_logging(act->aws, act->credentials, act->region, act->arn, start_done, act,
                                 &act->call);
    if (r < 0)
        fail(act, "StartLogging", "", strerror(-r));
}

int act_restart(AwsClient *aws, CredentialsSource *credentials, const char *region, const char *arn,
                uint64_t stop_usec, uint64_t delay_usec, ActDone done, void *userdata, Act **ret) {
    Act *act = calloc(1, sizeof(*act));
    int r;

    if (!act)
        return -ENOMEM;
    act->aws = aws;
    act->credentials = credentials;
    act->done = done;
    act->userdata = userdata;
    act->stop_usec = stop_usec;
    act->pause_usec = READ_BACK_FIRST_USEC;
    act->region = strdup(region);
    act->arn = strdup(arn);
    r = act->region && act->arn ? loop_after(aws_client_loop(aws), delay_usec, start, act, &act->timer)
                                : -ENOMEM;
    if (r < 0) {
        act_free(act);
        return r;
    }
    *ret = act;
    return 0;
}
