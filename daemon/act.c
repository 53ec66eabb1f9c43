/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/act_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/settings.h"
#include "daemon/watch.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* AWS usually shows it at once; then less and less often. */
#define READ_BACK_FIRST_USEC (200 * USEC_PER_MSEC)
#define READ_BACK_MAX_USEC   (1 * USEC_PER_SEC)

static void act_free(Act *act) {
    cloudtrail_cancel(act->call);
    s3_cancel(act->bucket_call);
    watch_settings_cancel(act->watch);
    loop_cancel(aws_client_loop(act->aws), act->timer);
    settings_done(&act->keep);
    settings_done(&act->found);
    free(act->region);
    free(act->name);
    free(act->arn);
    free(act);
}

void act_cancel(Act *act) {
    if (act)
        act_free(act);
}

static void finish(Act *act, ActionResult result) {
    act->outcome.result = result;
    act->done(&act->outcome, act->userdata);
    act_free(act);
}

void act_fail(Act *act, const char *why) {
    (void)snprintf(act->outcome.error_text, sizeof(act->outcome.error_text), "%s: %s", act->operation, why);
    finish(act, RESULT_FAILED);
}

void act_fail_by(Act *act, const AwsError *error) {
    Outcome *outcome = &act->outcome;

    (void)aws_error_text(error, act->operation, outcome->error_text, sizeof(outcome->error_text));
    (void)text_copy(outcome->error_code, sizeof(outcome->error_code), error->code);
    (void)text_copy(outcome->request_id, sizeof(outcome->request_id), error->request_id);
    finish(act, RESULT_FAILED);
}

/* Well; or badly, when something that was to be restored was left out. */
static void finish_writing(Act *act) {
    if (act->action == ACTION_RESTORE && act->refused != 0) {
        (void)text_copy(act->outcome.error_text, sizeof(act->outcome.error_text), act->refusal);
        finish(act, RESULT_FAILED);
        return;
    }
    finish(act, RESULT_HELD);
}

void act_next(Act *act) {
    act->step++;
    act->asked = 0;
    act->wrote_unknown = act->known_only = false;
    if (*act->step)
        (*act->step)(act);
    else
        finish_writing(act);
}

/* ---- writes ---- */

void act_written(const AwsError *error, void *userdata) {
    Act *act = userdata;

    act->call = NULL;
    if (error->class != AWS_OK) {
        if (!act_leave_out(act, error))
            act_fail_by(act, error);
        return;
    }
    (void)text_copy(act->outcome.request_id, sizeof(act->outcome.request_id), error->request_id);
    act->accepted_usec = loop_monotonic_usec(aws_client_loop(act->aws));
    act->pause_usec = READ_BACK_FIRST_USEC;
    act_next(act);
}

void act_started(Act *act, const char *operation, int r) {
    act->operation = operation;
    if (r < 0)
        act_fail(act, strerror(-r));
}

static void start_logging(Act *act) {
    act_started(act, "StartLogging",
                cloudtrail_start_logging(act->aws, act->credentials, act->region, act->arn, act_written, act,
                                         &act->call));
}

/* ---- reading back ---- */

static void again(void *userdata) {
    Act *act = userdata;

    act->timer = NULL;
    (*act->step)(act);
}

/* What was written does not show yet: the same step once more, unless that has gone on for too long. */
static void read_back_later(Act *act, const char *what) {
    Loop *loop = aws_client_loop(act->aws);
    int r;

    if (loop_monotonic_usec(loop) + act->pause_usec > act->accepted_usec + ACT_READ_BACK_USEC) {
        act_fail(act, act->last_error[0] ? act->last_error : what);
        return;
    }
    r = loop_after(loop, act->pause_usec, again, act, &act->timer);
    act->pause_usec = MIN(2 * act->pause_usec, READ_BACK_MAX_USEC);
    if (r < 0)
        act_fail(act, strerror(-r));
}

static bool was_stopped_again(const Act *act, const CloudTrailStatus *status) {
    return act->action == ACTION_RESTART && status->start_logging_usec > act->stop_usec &&
           status->stop_logging_usec >= status->start_logging_usec;
}

static void status_done(const AwsError *error, const CloudTrailStatus *status, void *userdata) {
    Act *act = userdata;

    act->call = NULL;
    if (error->class == AWS_OK && (status->is_logging || was_stopped_again(act, status))) {
        act->outcome.seen = watch_observe(status);
        act_next(act);
        return;
    }
    act->last_error[0] = '\0';
    if (error->class != AWS_OK)
        (void)aws_error_text(error, "accepted, but GetTrailStatus", act->last_error, sizeof(act->last_error));
    read_back_later(act, "accepted, but the trail still does not log after 5 s");
}

static void act_fail_to_read(Act *act, int r) {
    char why[ERROR_TEXT_MAX];

    (void)snprintf(why, sizeof(why), "cannot be read back: %s", strerror(-r));
    act_fail(act, why);
}

static void read_status_back(Act *act) {
    int r = cloudtrail_get_trail_status(act->aws, act->credentials, act->region, act->arn, status_done, act,
                                        &act->call);

    if (r < 0)
        act_fail_to_read(act, r);
}

static void settings_seen(const SettingsLook *look, void *userdata) {
    Act *act = userdata;
    uint32_t left = act->differs(&look->settings, act->userdata), failed = look->failed;

    act->watch = NULL;
    for (Field f = 0; f < _FIELD_MAX; f++)
        if (!act->keep.values[f])
            failed &= ~FIELD_BIT(f); /* nothing there is to be kept */
    act->outcome.fields_left = left | failed;
    if (!look->gone && ((failed | left) & act->fields & ~act->refused) == 0) {
        act_next(act);
        return;
    }
    act->last_error[0] = '\0';
    if (failed & act->fields & ~act->refused)
        (void)snprintf(act->last_error, sizeof(act->last_error), "accepted, but %.400s", look->error_text);
    read_back_later(act, "AWS accepted it, and does not show it after 5 s");
}

static void look_at_settings(Act *act) {
    WatchSettingsRequest request = {
        .aws = act->aws,
        .credentials = act->credentials,
        .region = act->region,
        .arn = act->arn,
        .done = settings_seen,
        .userdata = act,
    };
    int r = watch_settings_new(&request, &act->watch);

    if (r >= 0)
        r = watch_settings_begin(act->watch);
    if (r < 0)
        act_fail_to_read(act, r);
}

/* Nothing was written: nothing has to show. */
static void read_settings_back(Act *act) {
    if ((act->fields & ~act->refused) == 0) {
        finish_writing(act);
        return;
    }
    look_at_settings(act);
}

/* ---- actions ---- */

static const ActStep restart_steps[] = { start_logging, read_status_back, NULL };
static const ActStep restore_steps[] = { act_update_trail,
                                         act_put_event_selectors,
                                         act_put_insight_selectors,
                                         act_put_event_configuration,
                                         act_remove_tags,
                                         act_add_tags,
                                         read_settings_back,
                                         NULL };
/* Logging first: what the selectors leave out meanwhile is less than what a trail that does not log does. */
static const ActStep recreate_steps[] = {
    act_look_at_bucket,        act_create_trail,            start_logging,    act_put_event_selectors,
    act_put_insight_selectors, act_put_event_configuration, read_status_back, read_settings_back,
    NULL
};

static const ActStep *const steps[_ACTION_MAX] = {
    [ACTION_RESTART] = restart_steps,
    [ACTION_RESTORE] = restore_steps,
    [ACTION_RECREATE] = recreate_steps,
};

static int copy_request(Act *act, const ActRequest *request) {
    int r = 0;

    act->region = strdup(request->region);
    act->name = strdup(request->name);
    act->arn = strdup(request->arn);
    act->looks_at_bucket = request->look_at_bucket;
    if (!act->region || !act->name || !act->arn)
        return -ENOMEM;
    if (request->keep)
        r = settings_copy(request->keep, &act->keep);
    if (r >= 0 && request->found)
        r = settings_copy(request->found, &act->found);
    act->fields = request->fields;
    for (Field f = 0; request->action == ACTION_RECREATE && f < _FIELD_MAX; f++)
        if (act->keep.values[f] && !(FIELDS_UNWRITABLE & FIELD_BIT(f)))
            act->fields |= FIELD_BIT(f);
    return r;
}

int act_start(const ActRequest *request, Act **ret) {
    Act *act;
    int r;

    if ((unsigned)request->action >= _ACTION_MAX || !steps[request->action])
        return -EINVAL;
    act = calloc(1, sizeof(*act));
    if (!act)
        return -ENOMEM;
    act->aws = request->aws;
    act->credentials = request->credentials;
    act->action = act->outcome.action = request->action;
    act->stop_usec = request->stop_usec;
    act->differs = request->differs;
    act->done = request->done;
    act->userdata = request->userdata;
    act->step = steps[request->action];
    act->operation = "";
    act->outcome.fields_left = FIELDS_ALL;
    r = copy_request(act, request);
    if (r >= 0)
        r = loop_after(aws_client_loop(act->aws), 0, again, act, &act->timer);
    if (r < 0) {
        act_free(act);
        return r;
    }
    *ret = act;
    return 0;
}
