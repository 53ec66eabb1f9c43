/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What happens to calls, for whoever keeps a log of it: lib/ keeps none. Without an observer a call does no work for
 * this, and makes no text. */

#include "lib/aws_error.h"
#include "lib/credentials.h"
#include "lib/http.h"
#include "lib/pace.h"

/* By what a call is held back, or why it is not tried again. */
typedef enum AwsHold {
    AWS_HOLD_NONE,
    AWS_HOLD_RATE,         /* the rate limiter (lib/pace.h): its turn comes later */
    AWS_HOLD_RATE_LATE,    /* ... too late: the call ends */
    AWS_HOLD_BACKOFF,      /* the pause before another attempt */
    AWS_HOLD_RETRY_QUOTA,  /* the quota of retries there is used up: no other attempt */
    AWS_HOLD_OUTAGE,       /* the last call there got no answer: no other attempt */
    AWS_HOLD_CONNECTIONS,  /* all connections are in use */
    AWS_HOLD_HOST,         /* the host's share of the connections is in use */
    AWS_HOLD_SUSPECT,      /* the share of all hosts that did not answer in time is in use */
    _AWS_HOLD_MAX,
} AwsHold;

#define AWS_OPERATION_MAX 48

/* One call as it is now. Holds nothing secret: no header, no body, no URL. */
typedef struct AwsCallView {
    const char *service;        /* "cloudtrail" */
    char operation[AWS_OPERATION_MAX]; /* "GetTrailStatus" */
    const char *region;
    const CredentialsSource *credentials; /* whose account it is asked for; NULL: unsigned. Compared, never followed */
    PaceClass class;
    unsigned attempt, max_attempts;
} AwsCallView;

/* Each function is called while it happens, and may not start, cancel or free anything of the client. What it gets is
 * valid inside the call only. All must be there. */
typedef struct AwsObserver {
    /* An attempt has ended: error says how, with status and request id; its class is AWS_OK when all is well. */
    void (*attempt_ended)(const AwsCallView *call, const AwsError *error, uint64_t duration_usec, void *userdata);
    /* A call is held back for so long, or for good (0). Of connections it is said when the wait has ended. */
    void (*held_back)(const AwsCallView *call, AwsHold hold, uint64_t usec, void *userdata);
    void *userdata;
} AwsObserver;

/* What an operation is called, from how it is asked for: the X-Amz-Target, method and query of a bucket's request, the
 * Action of a form, the path of REST-JSON; each may be NULL. Pure. Returns dst, "" when nothing says. */
const char *call_operation(const char *target, const char *method, const char *query, const char *body,
                           const char *path, char dst[static AWS_OPERATION_MAX]);
