/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One poll of one target: its list of trails when that is due, and the status of each trail that lives
 * there, side by side. Those that are missing cost no call each: the list says whether they are back. */

#include "daemon/core/model.h"
#include "daemon/io/observe.h"
#include "lib/call.h"
#include "lib/cloudtrail.h"

#define POLL_DENIALS_MAX 8 /* of one poll; each once */
/* Of trails that are missing so many are asked for their status where the list is refused: as many as AWS
 * grants a region. */
#define POLL_MISSING_MAX 5

/* So many statuses are asked for at a time: a few seconds of AWS's quota. */
#define POLL_ASKED_MAX 20

typedef struct PollRequest {
    AwsClient *aws;
    CredentialsProvider *credentials;
    const char *region;
    bool list;               /* also DescribeTrails */
    bool probe;              /* the target counts as unreachable: make one call, and the rest only when it is
                                answered, so that a dead target costs one call a poll */
    const char *const *arns; /* of the trails that live here; copied */
    size_t n_arns;
    size_t n_missing; /* the last so many of them were absent at the last poll: the list is asked for also
                         when it is not due, and the status only of those that it shows */
    /* Called for each status that was answered, as soon as it is, with its place among arns; it is in the
     * result too. May be NULL. What it is called with is valid inside the call only, and the poll must not
     * be cancelled there. */
    void (*answered)(size_t i, const Observation *seen, void *userdata);
} PollRequest;

/* Valid inside the callback only. A trail that was there counts as absent only when GetTrailStatus and
 * DescribeTrails agree; the list is asked for that even when it was not due, and also when a status is
 * denied, to tell one trail's denial from the target's. */
typedef struct PollAnswer {
    PollResult result;   /* covered is left to the caller */
    bool rejected;       /* the credentials are not known here: a region that is not enabled, or bad keys */
    bool no_credentials; /* there were none to ask with */
    const CloudTrailTrails *trails; /* NULL unless result.listed */
    const Observation *seen;        /* one for each of arns, in order */
    size_t n_seen;
    const CallDenial *denials;
    size_t n_denials;
} PollAnswer;

typedef struct Poll Poll;
typedef void (*PollDone)(const PollAnswer *result, void *userdata);

/* done is called exactly once, never from inside. 0 or -ENOMEM, -EINVAL. Ends by itself within
 * poll_longest_usec. */
int poll_start(const PollRequest *request, PollDone done, void *userdata, Poll **ret);
/* As many call deadlines as the calls of a poll of n trails can follow each other: longer than it ever
 * takes. */
uint64_t poll_longest_usec(const AwsClient *aws, size_t n_arns);
/* Ends it without calling done. NULL is fine. */
void poll_cancel(Poll *poll);
