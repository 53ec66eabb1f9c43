/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One look at one target: its list of trails when that is due, and the status of each trail that lives
 * there, side by side. */

#include "daemon/core/model.h"
#include "lib/aws_error_denied.h"
#include "lib/call.h"
#include "lib/cloudtrail.h"

/* A permission that is missing, as AWS named it. */
typedef struct WatchDenial {
    char action[AWS_ACTION_MAX];
    char resource[AWS_RESOURCE_MAX]; /* "" when AWS named none */
} WatchDenial;

#define WATCH_DENIALS_MAX 8 /* of one look; each once */

/* A call that failed. */
typedef struct WatchFailure {
    char text[ERROR_TEXT_MAX]; /* raw; names the operation; "": it did not fail */
    WatchDenial denial;        /* action "": it was not denied */
    bool unsupported;          /* AWS does not have the operation, or not for this trail */
} WatchFailure;

/* What a failed call leaves; action and resource are what it needs, where AWS does not say. */
void watch_failure_set(WatchFailure *failure, const char *operation, const AwsError *error,
                       const char *action, const char *resource);

typedef struct WatchRequest {
    AwsClient *aws;
    CredentialsSource *credentials;
    const char *region;
    bool list;               /* also DescribeTrails */
    bool probe;              /* the target counts as blind: ask one thing, and the rest only when somebody is
                                there, so that a dead target costs one call a look */
    const char *const *arns; /* of the trails that live here; copied */
    size_t n_arns;
    /* Called for each status that was answered, as soon as it is, with its place among arns; it is in the
     * result too. May be NULL. What it is called with is valid inside the call only, and the watch must not
     * be cancelled there. */
    void (*answered)(size_t i, const Observation *seen, void *userdata);
} WatchRequest;

/* Valid inside the callback only. A trail counts as absent only when GetTrailStatus and DescribeTrails
 * agree; the list is asked for that even when it was not due, and also when a status is denied, to tell one
 * trail's denial from the target's. */
typedef struct WatchResult {
    TargetLook look;     /* covered is left to the caller */
    bool rejected;       /* the credentials are not known here: a region that is not enabled, or bad keys */
    bool no_credentials; /* there were none to ask with */
    const CloudTrailTrails *trails; /* NULL unless look.listed */
    const Observation *seen;        /* one for each of arns, in order */
    size_t n_seen;
    const WatchDenial *denials;
    size_t n_denials;
} WatchResult;

typedef struct Watch Watch;
typedef void (*WatchDone)(const WatchResult *result, void *userdata);

/* done is called exactly once, never from inside. 0 or -ENOMEM, -EINVAL. Ends by itself within two of the
 * client's call deadlines, three when probing. */
int watch_start(const WatchRequest *request, WatchDone done, void *userdata, Watch **ret);
/* Ends it without calling done. NULL is fine. */
void watch_cancel(Watch *watch);

/* An answered GetTrailStatus as an observation. */
Observation watch_observe(const CloudTrailStatus *status);

/* How a call's error counts for a look; LOOK_OK for AWS_OK. */
LookError watch_look_error(AwsErrorClass class);
