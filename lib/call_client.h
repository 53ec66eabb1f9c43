/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Shared by all calls of a client: the endpoint of each service in each region, and what is known about it;
 * the metadata of an answer; the requests of S3. Private to lib/call.c and lib/call_client.c. */

#include "lib/call.h"
#include "lib/rate_limiter.h"
#include "lib/retry.h"

#define CALL_REGION_MAX 32

/* Shared by the calls to one service in one region. */
typedef struct Scope {
    struct Scope *next;
    AwsService service;
    char region[CALL_REGION_MAX];
    char *url;
    char *host;         /* for the signature */
    unsigned host_slot; /* see HttpRequest */
    RetryQuota quota;
    RateLimiter limiter; /* by credentials and class of call */
    int64_t offset_usec; /* AWS's clock minus ours, if it had to be corrected */
    int64_t offset_logged_usec;
} Scope;

struct AwsClient {
    HttpClient *http;
    Loop *loop;
    AwsLimits limits;
    EndpointOverrides overrides;
    Scope *scopes;
    unsigned n_scopes;
    AwsSkewNoticed noticed;
    void *noticed_userdata;
    bool observed;
    AwsObserver observer;
};

/* The scope of a service for calls in region, created if needed and kept for the life of the client. 0;
 * -EINVAL for an invalid region or endpoint; -ENOMEM. */
int scope_find(AwsClient *client, AwsService service, const char *region, Scope **ret);

/* A time of our clock (real_usec) converted to AWS's clock. */
uint64_t scope_time(const Scope *scope, uint64_t real_usec);

/* Sets the clock offset of the scope, and calls the client's callback if it has changed. */
void scope_set_offset(AwsClient *client, Scope *scope, int64_t offset_usec);

/* The metadata of an answer: its error, its time, and when to retry. Pure; private to lib/call.c. */

/* The error of an answer, AWS_OK for success, or why there was no answer, with a hint if the client's
 * endpoint options may be the cause. */
void call_answer_error(const HttpResponse *response, AwsProtocol protocol,
                       const EndpointOverrides *overrides, AwsError *ret);

/* True if AWS uses this code for a wrong clock, among other things. */
bool call_answer_code_may_mean_skew(const char *code);

/* AWS's clock minus ours (real_usec), from the answer's Date. False without a date, or if the peer was not
 * authenticated: only then may it correct our clock. */
bool call_answer_skew(const HttpResponse *response, uint64_t real_usec, int64_t *ret_usec);

/* The pause that the server requests at real_usec; 0 for none. */
uint64_t call_answer_retry_after(const HttpResponse *response, uint64_t real_usec);

/* A call to a bucket: method, URL and headers in place of target and body. Only for call.c. Pure. Source:
 * Amazon S3 API Reference, "Making requests" and "Common request headers". */

typedef struct BucketCall {
    const char *method;
    char *url;   /* including the query */
    char *host;  /* for the signature */
    char *path;  /* for the signature */
    char *query; /* "" when none */
    char *owner; /* NULL: not required */
} BucketCall;

#define BUCKET_CALL_HEADERS_MAX 2

/* 0, -EINVAL (invalid bucket name, unknown region, URL too long), -ENOMEM. */
int bucket_call_new(const EndpointOverrides *overrides, const AwsBucketRequest *request, const char *region,
                    BucketCall **ret);
/* NULL is allowed. */
void bucket_call_free(BucketCall *call);

/* Writes the headers besides host, date and token, all of which are signed; returns their number. Borrowed
 * from call. */
size_t bucket_call_headers(const BucketCall *call, HttpHeader ret[static BUCKET_CALL_HEADERS_MAX]);
