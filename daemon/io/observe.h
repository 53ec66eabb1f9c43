/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Turns AWS's answers and errors into the values of the core. Pure except for allocation. */

#include "daemon/core/model.h"
#include "lib/aws_error.h"
#include "lib/cloudtrail.h"

/* A missing permission, as named by AWS. */
typedef struct CallDenial {
    char action[AWS_ACTION_MAX];
    char resource[AWS_RESOURCE_MAX]; /* "" if AWS named none */
} CallDenial;

/* A failed call. */
typedef struct CallFailure {
    char text[ERROR_TEXT_MAX]; /* raw; names the operation; "": it succeeded */
    CallDenial denial;         /* action "": not denied */
    bool gone;                 /* AWS does not find what it is about */
    bool unsupported;          /* AWS does not have the operation, or not for this trail */
    bool held_back;         /* by our own rate limiter: AWS was not asked, so nothing is known to be wrong */
} CallFailure;

/* How a call's error counts for a poll; POLL_OK for AWS_OK. */
PollError observe_error(AwsErrorClass class);
/* The same; a role that may not be assumed counts as denied, because its provider passes AWS's denial on as
 * its own. */
PollError observe_call_error(const AwsError *error);

/* Describes a failed call; action and resource are what it needs, used if AWS does not name them. */
void observe_failure(const AwsError *error, const char *operation, const char *action, const char *resource,
                     CallFailure *ret);

/* From an answered GetTrailStatus. */
Observation observe_status(const CloudTrailStatus *status);

/* A trail's settings from DescribeTrails: every field except selectors, Insights (unless there are none),
 * tags and event configuration. A flag that AWS left out stays unknown. Free with settings_done. 0 or
 * -ENOMEM. */
int observe_settings(const CloudTrailTrail *listed, Settings *ret);
