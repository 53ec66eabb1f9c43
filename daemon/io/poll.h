/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One poll of one target: its list of trails when that is due, and the status of each trail that lives
 * there, side by side. */

#include "daemon/core/model.h"
#include "lib/aws_error.h"
#include "lib/call.h"
#include "lib/cloudtrail.h"

/* A permission that is missing, as AWS named it. */
typedef struct PollDenial {
    char action[AWS_ACTION_MAX];
    char resource[AWS_RESOURCE_MAX]; /* "" when AWS named none */
} PollDenial;

#define POLL_DENIALS_MAX 8 /* of one poll; each once */

/* A call that failed. */
typedef struct PollFailure {
    char text[ERROR_TEXT_MAX]; /* raw; names the operation; "": it did not fail */
    PollDenial denial;         /* action "": it was not denied */
    bool unsupported;          /* AWS does not have the operation, or not for this trail */
} PollFailure;

/* What a failed call leaves; action and resource are what it needs, where AWS does not say. */
void poll_failure_set(PollFailure *failure, const char *operation, const AwsError *error, const char *action,
                      const char *resource);

typedef struct PollRequest {
    AwsClient *aws;
    CredentialsSource *credentials;
    const char *region;
    bool list;               /* also DescribeTrails */
    bool probe;              /* the target counts as blind: ask one thing, and the rest only when somebody is
                                there, so that a dead target costs one call a poll */
    const char *const *arns; /* of the trails that live here; copied */
    size_t n_arns;
    /* Called for each status that was answered, as soon as it is, with its place among arns; it is in the
     * result too. May be NULL. What it is called with is valid inside the call only, and the watch must not
     * be cancelled there. */
    void (*answered)(size_t i, const Observation *seen, void *userdata);
} PollRequest;

/* Valid inside the callback only. A trail counts as absent only when GetTrailStatus and DescribeTrails
 * agree; the list is asked for that even when it was not due, and also when a status is denied, to tell one
 * trail's denial from the target's. */
typedef struct PollAnswer {
    PollResult result;   /* covered is left to the caller */
    bool rejected;       /* the credentials are not known here: a region that is not enabled, or bad keys */
    bool no_credentials; /* there were none to ask with */
    const CloudTrailTrails *trails; /* NULL unless result.listed */
    const Observation *seen;        /* one for each of arns, in order */
    size_t n_seen;
    const PollDenial *denials;
    size_t n_denials;
} PollAnswer;

typedef struct Poll Poll;
typedef void (*PollDone)(const PollAnswer *result, void *userdata);

/* done is called exactly once, never from inside. 0 or -ENOMEM, -EINVAL. Ends by itself within two of the
 * client's call deadlines, three when probing. */
int poll_start(const PollRequest *request, PollDone done, void *userdata, Poll **ret);
/* Ends it without calling done. NULL is fine. */
void poll_cancel(Poll *poll);

/* An answered GetTrailStatus as an observation. */
Observation poll_observe(const CloudTrailStatus *status);

/* How a call's error counts for a poll; POLL_OK for AWS_OK. */
PollError poll_error_of(AwsErrorClass class);
