/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One AWS call: credentials -> sign -> HTTP -> classify -> retry, with correction of the clock and one
 * overall deadline. */

#include "lib/aws_error.h"
#include "lib/credentials.h"
#include "lib/endpoint.h"
#include "lib/http.h"
#include "lib/loop.h"
#include "lib/rate_limiter.h"

typedef struct AwsLimits {
    uint64_t connect_timeout_usec;
    uint64_t request_timeout_usec; /* of one attempt */
    unsigned max_attempts;         /* 1..10 */
} AwsLimits;

/* ---- observing calls, for a caller that logs: lib/ does not log ---- */

/* Without an observer a call does no extra work and composes no text. */

/* What delays a call, or why it is not retried. */
typedef enum AwsHold {
    AWS_HOLD_NONE,
    AWS_HOLD_RATE,        /* the rate limiter (lib/rate_limiter.h): its turn comes later */
    AWS_HOLD_RATE_LATE,   /* ... too late: the call ends */
    AWS_HOLD_BACKOFF,     /* the pause before another attempt */
    AWS_HOLD_RETRY_QUOTA, /* the quota of retries is used up: no more attempts */
    AWS_HOLD_OUTAGE,      /* the last call there got no answer: no more attempts */
    AWS_HOLD_CONNECTIONS, /* all connections are in use */
    AWS_HOLD_KEPT,        /* the host's connections are in use, and one will be free soon */
    AWS_HOLD_HOST,        /* the host's share of the connections is in use */
    AWS_HOLD_SUSPECT,     /* the share of all suspect hosts is in use */
    _AWS_HOLD_MAX,
} AwsHold;

/* The present state of a call. Has no secrets: no header, body or URL. */
typedef struct AwsCallView {
    const char *service;   /* "cloudtrail" */
    const char *operation; /* "GetTrailStatus" */
    const char *region;
    const CredentialsProvider
            *credentials; /* of the account; NULL: unsigned. Only compared, never dereferenced */
    RateClass class;
    unsigned attempt, max_attempts;
} AwsCallView;

/* Each function is called during the event, and may not start, cancel or free anything of the client. Its
 * arguments are valid only during the call. All functions are required. */
typedef struct AwsObserver {
    /* An attempt has ended: error has the result with status and request id; class AWS_OK means success. */
    void (*attempt_ended)(const AwsCallView *call, const AwsError *error, uint64_t duration_usec,
                          void *userdata);
    /* A call is delayed by this time, or for good (0). For connections, reported when the wait has ended. */
    void (*held_back)(const AwsCallView *call, AwsHold hold, uint64_t usec, void *userdata);
    void *userdata;
} AwsObserver;

/* ---- the client ---- */

/* Shared by all calls: retry quotas and clock offsets per (service, region), and within each, per
 * credentials provider and class of call, the rate of calls and whether they are answered. */
typedef struct AwsClient AwsClient;

/* Called when a call's clock offset is corrected the first time or changes by more than a minute: for one
 * log line. offset = AWS - local. */
typedef void (*AwsSkewNoticed)(const char *host, int64_t offset_usec, void *userdata);

/* Borrows http, loop; copies limits and overrides (their strings too). 0 or -ENOMEM. */
int aws_client_new(HttpClient *http, Loop *loop, const AwsLimits *limits, const EndpointOverrides *overrides,
                   AwsClient **ret);
void aws_client_set_skew_callback(AwsClient *client, AwsSkewNoticed noticed, void *userdata);
/* From now on; copied. NULL: no observer. */
void aws_client_set_observer(AwsClient *client, const AwsObserver *observer);
/* Call after all calls have ended or been cancelled. NULL is allowed. */
void aws_client_free(AwsClient *client);

/* The longest a call with these limits may take before it ends with AWS_TIMED_OUT: min(request_timeout x
 * max_attempts, 60 s). */
uint64_t aws_client_deadline_usec(const AwsClient *client);

Loop *aws_client_loop(AwsClient *client);

typedef struct AwsRequest {
    AwsService service;
    const char *operation; /* "GetTrailStatus": static; determines CloudTrail's quota */
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
    const char *owner; /* the account that must own the bucket, else S3 denies the call; NULL: any */
} AwsBucketRequest;

/* Valid only during the callback. */
typedef struct AwsReply {
    AwsError error;   /* class AWS_OK on success, also with the request id */
    const char *body; /* of a 2xx answer, "" otherwise; never NULL */
    size_t body_len;
    const HttpResponse *response; /* unchanged, including errors; NULL: there was no answer */
    unsigned attempts;
    int64_t clock_offset_usec; /* AWS's clock minus ours, if it had to be corrected; else 0 */
} AwsReply;

typedef void (*AwsDone)(const AwsReply *reply, void *userdata);
typedef struct AwsCall AwsCall;

/* Starts a call; done is called exactly once and never from inside aws_call. Each attempt waits for its turn
 * (lib/rate_limiter.h) before it is signed, within the call's deadline: a call whose turn would be too late
 * ends at once with AWS_HELD_BACK. After a call with these credentials got no answer in all its attempts,
 * calls have one attempt until something answers again. credentials is borrowed and must outlive the call (a
 * cache: its set is invalidated when AWS calls it expired, and the call is repeated once with a new one);
 * NULL sends the call unsigned, for the few operations that need that. If the provider fails, the call ends
 * with AWS_NO_CREDENTIALS and its message, with the code "AccessDenied" for CREDENTIALS_DENIED. *ret_call
 * may be NULL; it is invalid after done was called. 0, or -ENOMEM or -EINVAL (unknown region) without a call
 * of done. */
int aws_call(AwsClient *client, CredentialsProvider *credentials, const AwsRequest *request, AwsDone done,
             void *userdata, AwsCall **ret_call);

/* Ends a call without calling done. NULL is allowed. */
void aws_call_cancel(AwsCall *call);
