/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AWS's answers and errors as the values that the core decides about. Pure but for allocation. */

#include "daemon/core/model.h"
#include "lib/aws_error.h"
#include "lib/cloudtrail.h"

/* A permission that is missing, as AWS named it. */
typedef struct CallDenial {
    char action[AWS_ACTION_MAX];
    char resource[AWS_RESOURCE_MAX]; /* "" when AWS named none */
} CallDenial;

/* A call that failed. */
typedef struct CallFailure {
    char text[ERROR_TEXT_MAX]; /* raw; names the operation; "": it did not fail */
    CallDenial denial;         /* action "": it was not denied */
    bool unsupported;          /* AWS does not have the operation, or not for this trail */
    bool held_back;            /* by our own pace: AWS was not asked, and nothing is known to be wrong */
} CallFailure;

/* How a call's error counts for a poll; POLL_OK for AWS_OK. */
PollError observe_error(AwsErrorClass class);
/* The same, and a role that may not be assumed is denied: its source gives AWS's denial on as its own. */
PollError observe_call_error(const AwsError *error);

/* What a failed call leaves; action and resource are what it needs, where AWS does not say. */
void observe_failure(const AwsError *error, const char *operation, const char *action, const char *resource,
                     CallFailure *ret);

/* An answered GetTrailStatus. */
Observation observe_status(const CloudTrailStatus *status);

/* What DescribeTrails says of a trail: every field but selectors, Insights (unless there are none), tags and
 * event configuration. A flag that AWS left out stays unknown. Free with settings_done. 0 or -ENOMEM. */
int observe_settings(const CloudTrailTrail *listed, Settings *ret);
