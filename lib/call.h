/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One AWS call: credentials -> sign -> HTTP -> classify -> retry, with clock-skew correction and one overall
 * deadline. */

#include "lib/aws_error.h"
#include "lib/credentials.h"
#include "lib/endpoint.h"
#include "lib/http.h"
#include "lib/loop.h"
#include "lib/rate_limiter.h"

typedef struct AwsLimits {
    uint64_t connect_timeout_usec;
    uint64_t request_timeout_usec; /* one attempt */
    unsigned max_attempts;         /* 1..10 */
} AwsLimits;

/* ---- what happens to calls, for whoever keeps a log of it: lib/ keeps none ---- */

/* Without an observer a call does no work for this, and makes no text. */

/* By what a call is held back, or why it is not tried again. */
typedef enum AwsHold {
    AWS_HOLD_NONE,
    AWS_HOLD_RATE,        /* the rate limiter (lib/rate_limiter.h): its turn comes later */
    AWS_HOLD_RATE_LATE,   /* ... too late: the call ends */
    AWS_HOLD_BACKOFF,     /* the pause before another attempt */
    AWS_HOLD_RETRY_QUOTA, /* the quota of retries there is used up: no other attempt */
    AWS_HOLD_OUTAGE,      /* the last call there got no answer: no other attempt */
    AWS_HOLD_CONNECTIONS, /* all connections are in use */
    AWS_HOLD_KEPT,        /* the host's connections are in use, and one is about to be free */
    AWS_HOLD_HOST,        /* the host's share of the connections is in use */
    AWS_HOLD_SUSPECT,     /* the share of all hosts that did not answer in time is in use */
    _AWS_HOLD_MAX,
} AwsHold;

/* One call as it is now. Holds nothing secret: no header, no body, no URL. */
typedef struct AwsCallView {
    const char *service;   /* "cloudtrail" */
    const char *operation; /* "GetTrailStatus" */
    const char *region;
    const CredentialsProvider
            *credentials; /* whose account it is asked for; NULL: unsigned. Compared, never followed */
    RateClass class;
    unsigned attempt, max_attempts;
} AwsCallView;

/* Each function is called while it happens, and may not start, cancel or free anything of the client. What
 * it gets is valid inside the call only. All must be there. */
typedef struct AwsObserver {
    /* An attempt has ended: error says how, with status and request id; its class is AWS_OK when all is
     * well. */
    void (*attempt_ended)(const AwsCallView *call, const AwsError *error, uint64_t duration_usec,
                          void *userdata);
    /* A call is held back for so long, or for good (0). Of connections it is said when the wait has ended.
     */
    void (*held_back)(const AwsCallView *call, AwsHold hold, uint64_t usec, void *userdata);
    void *userdata;
} AwsObserver;

/* ---- the client ---- */

/* What all calls share: retry quotas and clock offsets per (service, region), and within each, per
 * credentials provider and class of call, the rate at which AWS is asked and whether anybody answers there.
 */
typedef struct AwsClient AwsClient;

/* Called once when a call's clock offset is corrected or changes by more than a minute: for one log line.
 * offset = AWS - local. */
typedef void (*AwsSkewNoticed)(const char *host, int64_t offset_usec, void *userdata);

/* Borrows http, loop; copies limits and overrides (their strings too). 0 or -ENOMEM. */
int aws_client_new(HttpClient *http, Loop *loop, const AwsLimits *limits, const EndpointOverrides *overrides,
                   AwsClient **ret);
void aws_client_set_skew_callback(AwsClient *client, AwsSkewNoticed noticed, void *userdata);
/* From now on; copied. NULL: nobody observes. */
void aws_client_set_observer(AwsClient *client, const AwsObserver *observer);
/* All calls must have ended or been cancelled. NULL is fine. */
void aws_client_free(AwsClient *client);

/* The longest a call with these limits may take before it is ended with AWS_TIMED_OUT: min(request_timeout x
 * max_attempts, 60 s). */
uint64_t aws_client_deadline_usec(const AwsClient *client);

Loop *aws_client_loop(AwsClient *client);

typedef struct AwsRequest {
    AwsService service;
    const char *operation; /* "GetTrailStatus": static; by it CloudTrail's quota is known */
    const char *region;    /* scope, and endpoint unless overridden; by endpoint_service_region */
    AwsProtocol protocol;
    const char *target; /* X-Amz-Target for JSON; NULL otherwise */
    const char *path;   /* for REST-JSON, without the first slash; NULL otherwise */
    const char *body;   /* JSON object or form; copied */
    size_t body_len;
    uint64_t deadline_usec;                /* for the whole call, from now; 0: aws_client_deadline_usec */
    unsigned max_attempts;                 /* 0: the client's */
    const struct AwsBucketRequest *bucket; /* for S3, whose requests are their URL: no target, no body */
} AwsRequest;

typedef struct AwsBucketRequest {
    const char *method; /* a literal: "GET" or "HEAD" */
    const char *bucket;
    const char *query; /* "lifecycle"; NULL when none */
    const char *owner; /* account that must own the bucket, else S3 denies; NULL: anybody */
} AwsBucketRequest;

/* Valid inside the callback only. */
typedef struct AwsReply {
    AwsError error;   /* class AWS_OK when all is well; with the request id then too */
    const char *body; /* of a 2xx answer, "" otherwise; never NULL */
    size_t body_len;
    const HttpResponse *response; /* as it came, errors included; NULL when no answer is behind this */
    unsigned attempts;
    int64_t clock_offset_usec; /* AWS's clock less ours, as far as it had to be corrected; else 0 */
} AwsReply;

typedef void (*AwsDone)(const AwsReply *reply, void *userdata);
typedef struct AwsCall AwsCall;

/* Starts a call; done is called exactly once and never from inside aws_call. Each attempt waits for its turn
 * (lib/rate_limiter.h) before it is signed, within the call's deadline: a call whose turn would come too
 * late ends at once with AWS_HELD_BACK. Where the last call with these credentials got no answer in all its
 * attempts, a call has one attempt until something answers again. credentials is borrowed and must outlive
 * the call (a cache: its held set is invalidated when AWS says expired, and the call is tried again once
 * with fresh ones); NULL sends the call unsigned, for the few operations that want it so. A provider that
 * gives none ends the call with AWS_NO_CREDENTIALS and its message, under the code "AccessDenied" when it
 * said CREDENTIALS_DENIED, without one otherwise. *ret_call may be NULL; it is gone once done was called. 0
 * or -ENOMEM, -EINVAL (unknown region), and then done is not called. */
int aws_call(AwsClient *client, CredentialsProvider *credentials, const AwsRequest *request, AwsDone done,
             void *userdata, AwsCall **ret_call);

/* Ends a call without calling done. NULL is fine. */
void aws_call_cancel(AwsCall *call);
