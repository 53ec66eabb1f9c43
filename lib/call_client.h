/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What all calls of a client share: where each service is in each region, and what was learnt there; what an
 * answer says beside its body; the requests of S3. Private to lib/call.c and lib/call_client.c. */

#include "lib/call.h"
#include "lib/rate_limiter.h"
#include "lib/retry.h"

#define CALL_REGION_MAX 32

/* What the calls to one service in one region share. */
typedef struct Scope {
    struct Scope *next;
    AwsService service;
    char region[CALL_REGION_MAX];
    char *url;
    char *host;         /* as it is signed */
    unsigned host_slot; /* see HttpRequest */
    RetryQuota quota;
    RateLimiter limiter; /* by credentials and class of call */
    int64_t offset_usec; /* AWS's clock less ours, as far as it had to be corrected */
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

/* The scope of a service as it is asked in region; made when it is the first time, and kept as long as the
 * client. 0; -EINVAL for a region that is none, or an endpoint that cannot be; -ENOMEM. */
int scope_find(AwsClient *client, AwsService service, const char *region, Scope **ret);

/* real_usec of our clock, as AWS's clock there shows it. */
uint64_t scope_time(const Scope *scope, uint64_t real_usec);

/* Corrects the clock for the scope from now on, and tells the client's callback when that is news. */
void scope_set_offset(AwsClient *client, Scope *scope, int64_t offset_usec);

/* What an answer says beside its body: of what went wrong, of the time, of when to come again. Pure; private
 * to lib/call.c. */

/* The error of an answer, AWS_OK for a good one; or why none came, with a hint where the client's choice of
 * endpoints may be to blame. */
void call_answer_error(const HttpResponse *response, AwsProtocol protocol,
                       const EndpointOverrides *overrides, AwsError *ret);

/* Whether AWS gives this code, among other things, for a clock that is wrong. */
bool call_answer_code_may_mean_skew(const char *code);

/* AWS's clock less ours (real_usec), by the answer's Date. Only a peer that proved who it is may set our
 * clock: false when it did not, or told no date. */
bool call_answer_skew(const HttpResponse *response, uint64_t real_usec, int64_t *ret_usec);

/* What the server asks us to wait, at real_usec; 0 when it does not. */
uint64_t call_answer_retry_after(const HttpResponse *response, uint64_t real_usec);

/* What a call to a bucket has in place of target and body: method, URL and headers of its own. A part of
 * call.c, which alone includes it. Pure. Source: Amazon S3 API Reference, "Making requests" and "Common
 * request headers". */

typedef struct BucketCall {
    const char *method;
    char *url;   /* with the query */
    char *host;  /* as it is signed */
    char *path;  /* likewise */
    char *query; /* "" when none */
    char *owner; /* NULL: not asked for */
} BucketCall;

#define BUCKET_CALL_HEADERS_MAX 2

/* 0, -EINVAL (no bucket's name, an unknown region, a URL that grows too long), -ENOMEM. */
int bucket_call_new(const EndpointOverrides *overrides, const AwsBucketRequest *request, const char *region,
                    BucketCall **ret);
/* NULL is fine. */
void bucket_call_free(BucketCall *call);

/* Writes the headers that go with host, date and token, all of which are signed; returns how many. They are
 * borrowed from call. */
size_t bucket_call_headers(const BucketCall *call, HttpHeader ret[static BUCKET_CALL_HEADERS_MAX]);
