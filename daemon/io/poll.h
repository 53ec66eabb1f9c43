/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One poll of one target: its list of trails when due, and the status of each trail that lives there, in
 * parallel. Missing trails cost no call each, because the list shows whether they are back. */

#include "daemon/core/model.h"
#include "daemon/io/observe.h"
#include "lib/call.h"
#include "lib/cloudtrail.h"

#define POLL_DENIALS_MAX 8 /* per poll; each once */
/* If the list is refused, at most this many missing trails are asked for their status: as many as AWS allows
 * in a region. */
#define POLL_MISSING_MAX 5

/* At most this many statuses are requested at a time: a few seconds of AWS's quota. */
#define POLL_ASKED_MAX 20

typedef struct PollRequest {
    AwsClient *aws;
    CredentialsProvider *credentials;
    const char *region;
    bool list;               /* also DescribeTrails */
    bool probe;              /* the target counts as unreachable: make one call, and the others only when it
                                was answered, so that a dead target costs one call per poll */
    const char *const *arns; /* of the trails that live here; copied */
    size_t n_arns;
    size_t n_missing; /* the last n_missing of them were absent at the last poll: the list is read even if it
                         is not due, and their status only if it shows them */
    /* Called for each answered status as soon as it arrives, with its index in arns; the result has it, too.
     * May be NULL. Its arguments are valid only during the call, which must not cancel the poll. */
    void (*answered)(size_t i, const Observation *seen, void *userdata);
} PollRequest;

/* Valid only during the callback. A trail that existed counts as absent only if GetTrailStatus and
 * DescribeTrails agree. For that the list is read even if it is not due; also if a status is denied, to tell
 * a denial for one trail from one for the target. */
typedef struct PollAnswer {
    PollResult result;   /* the caller sets covered */
    bool rejected;   /* AWS rejected the credentials as unknown: a region that is not enabled, or bad keys */
    bool no_credentials; /* there were no credentials */
    const CloudTrailTrails *trails; /* NULL unless result.listed */
    const Observation *seen;        /* one per arn, in order */
    size_t n_seen;
    const CallDenial *denials;
    size_t n_denials;
} PollAnswer;

typedef struct Poll Poll;
typedef void (*PollDone)(const PollAnswer *result, void *userdata);

/* done is called exactly once, never from inside, within poll_longest_usec. 0, -ENOMEM or -EINVAL. */
int poll_start(const PollRequest *request, PollDone done, void *userdata, Poll **ret);
/* An upper limit for a poll of n trails: one call deadline for each call that can follow another. */
uint64_t poll_longest_usec(const AwsClient *aws, size_t n_arns);
/* Ends it without calling done. NULL is allowed. */
void poll_cancel(Poll *poll);
