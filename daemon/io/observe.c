/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/observe.h"

#include <errno.h>

#include "daemon/core/settings.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

static const PollError poll_errors[_AWS_ERROR_CLASS_MAX] = {
    [AWS_OK] = POLL_OK,
    [AWS_THROTTLED] = POLL_THROTTLED,
    [AWS_HELD_BACK] = POLL_THROTTLED,
    [AWS_UNAVAILABLE] = POLL_SERVICE,
    [AWS_UNREACHABLE] = POLL_UNREACHABLE,
    [AWS_TIMED_OUT] = POLL_UNREACHABLE,
    [AWS_TLS] = POLL_UNREACHABLE,
    [AWS_BAD_ANSWER] = POLL_BAD_ANSWER,
    [AWS_EXPIRED] = POLL_CREDENTIALS,
    [AWS_SKEWED] = POLL_CREDENTIALS,
    [AWS_BAD_CREDENTIALS] = POLL_CREDENTIALS,
    [AWS_NO_CREDENTIALS] = POLL_CREDENTIALS,
    [AWS_DENIED] = POLL_DENIED,
    [AWS_NOT_FOUND] = POLL_SERVICE,
    [AWS_WRONG_REGION] = POLL_SERVICE,
    [AWS_CONFLICT] = POLL_SERVICE,
    [AWS_REFUSED] = POLL_SERVICE,
    [AWS_INVALID] = POLL_SERVICE,
    [AWS_CANCELLED] = POLL_SERVICE,
    [AWS_INTERNAL] = POLL_SERVICE,
};

PollError observe_error(AwsErrorClass class) {
    return class < _AWS_ERROR_CLASS_MAX ? poll_errors[class] : POLL_SERVICE;
}

PollError observe_call_error(const AwsError *error) {
    return error->class == AWS_NO_CREDENTIALS && text_equal(error->code, "AccessDenied")
                   ? POLL_DENIED
                   : observe_error(error->class);
}

Observation observe_status(const CloudTrailStatus *status) {
    Observation seen = {
        .kind = OBSERVED_STATUS,
        .is_logging = status->is_logging,
        .start_usec = status->start_logging_usec,
        .stop_usec = status->stop_logging_usec,
        .delivery_usec = status->latest_delivery_usec,
        .digest_usec = status->latest_digest_delivery_usec,
    };

    text_copy(seen.delivery_error, sizeof(seen.delivery_error), status->delivery_error);
    text_copy(seen.digest_error, sizeof(seen.digest_error), status->digest_error);
    text_copy(seen.log_group_error, sizeof(seen.log_group_error), status->log_group_error);
    text_copy(seen.notification_error, sizeof(seen.notification_error), status->notification_error);
    return seen;
}

void observe_failure(const AwsError *error, const char *operation, const char *action, const char *resource,
                     CallFailure *ret) {
    CallDenial *denial = &ret->denial;

    (void)aws_error_text(error, operation, ret->text, sizeof(ret->text));
    ret->held_back = error->class == AWS_HELD_BACK;
    ret->gone = error->class == AWS_NOT_FOUND;
    if (error->class != AWS_DENIED || aws_error_denied_action(error, denial->action, denial->resource))
        return;
    (void)text_copy(denial->action, sizeof(denial->action), action);
    (void)text_copy(denial->resource, sizeof(denial->resource), resource);
}

int observe_settings(const CloudTrailTrail *listed, Settings *ret) {
    const struct {
        Field field;
        const char *value;
    } texts[] = {
        { FIELD_BUCKET, listed->bucket },     { FIELD_PREFIX, listed->prefix },
        { FIELD_KMS_KEY, listed->kms_key },   { FIELD_LOG_GROUP, listed->log_group },
        { FIELD_LOG_ROLE, listed->log_role }, { FIELD_SNS_TOPIC, listed->sns_topic },
    };
    const struct {
        Field field;
        unsigned flag;
        bool value;
    } flags[] = {
        { FIELD_MULTI_REGION, CLOUDTRAIL_MULTI_REGION, listed->multi_region },
        { FIELD_GLOBAL_EVENTS, CLOUDTRAIL_GLOBAL_EVENTS, listed->global_events },
        { FIELD_VALIDATION, CLOUDTRAIL_VALIDATION, listed->validation },
        { FIELD_ORGANIZATION, CLOUDTRAIL_ORGANIZATION, listed->organization },
        { FIELD_RECURSIVE, CLOUDTRAIL_RECURSIVE, listed->recursive },
    };
    Settings settings = { 0 };
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(texts); i++)
        r = settings_set(&settings, texts[i].field, texts[i].value ? texts[i].value : "");
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(flags); i++)
        if (listed->present & flags[i].flag)
            r = settings_set(&settings, flags[i].field, flags[i].value ? "true" : "false");
    if (r >= 0)
        r = settings_set(&settings, FIELD_UNKNOWN, listed->others ? listed->others : "{}");
    if (r >= 0 && (listed->present & CLOUDTRAIL_INSIGHT_SELECTORS) && !listed->has_insight_selectors)
        r = settings_set(&settings, FIELD_INSIGHTS, "[]");
    if (r < 0) {
        settings_done(&settings);
        return r;
    }
    *ret = settings;
    return 0;
}
