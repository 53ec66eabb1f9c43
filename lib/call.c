/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/call_client.h"
#include "lib/sigv4.h"
#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define AUTHORIZATION_MAX 4096
/* Only a larger difference of the clocks counts as the cause of an invalid signature; AWS accepts about 5
 * minutes. */
#define SKEW_LEAST_USEC (4 * 60 * (int64_t)USEC_PER_SEC)

/* At any time a call waits for exactly one of: credentials, its turn, an exchange, a pause. */
struct AwsCall {
    AwsClient *client;
    CredentialsProvider *provider; /* NULL: the call is unsigned */
    Scope *scope;
    RateBucket *rate_bucket;
    AwsProtocol protocol;
    BucketCall *bucket; /* NULL but for S3 */
    const char *operation;
    char *target;
    char *url; /* for REST-JSON; NULL: the scope's */
    char *body;
    size_t body_len;
    uint64_t deadline_usec; /* monotonic */
    unsigned max_attempts;
    unsigned attempt;    /* that count against max_attempts; the first is 1 */
    unsigned n_sent;     /* all attempts */
    unsigned retry_cost; /* taken from the quota by the last retry */
    AwsError *expired;   /* AWS's error for the first credentials, or NULL */
    bool skewed_once;
    bool asking;    /* the credentials provider will certainly call back */
    bool abandoned; /* ended meanwhile: freed when the provider calls back */
    bool has_turn;  /* a future turn, taken in turn_epoch */
    unsigned turn_epoch;
    uint64_t sent_usec;      /* monotonic; of the present attempt */
    uint64_t signed_at_usec; /* its local real time, uncorrected */
    Credentials *credentials;
    HttpExchange *exchange;
    LoopTimer *timer;
    AwsDone done;
    void *userdata;
};

/* ---- ending ---- */

static void call_call_free(AwsCall *call) {
    if (call->rate_bucket)
        rate_bucket_put(call->rate_bucket);
    credentials_unref(call->credentials);
    free(call->expired);
    free(call->target);
    free(call->url);
    bucket_call_free(call->bucket);
    hash_wipe(call->body, call->body_len);
    free(call->body);
    free(call);
}

/* Stops whatever the call waits for. After this only a credentials provider can call back, which finds the
 * call abandoned and frees it. */
static void call_stop(AwsCall *call) {
    if (call->exchange)
        http_cancel(call->client->http, TAKE_PTR(call->exchange));
    loop_cancel(call->client->loop, TAKE_PTR(call->timer));
    if (call->has_turn)
        token_bucket_give_back(&call->rate_bucket->tokens, call->turn_epoch);
    if (call->asking)
        call->abandoned = true;
    else
        call_call_free(call);
}

void aws_call_cancel(AwsCall *call) {
    if (call)
        call_stop(call);
}

/* Frees the call before done is called, so that the callback may free everything. */
static void call_end(AwsCall *call, AwsReply *reply) {
    AwsDone done = call->done;
    void *userdata = call->userdata;

    reply->attempts = call->n_sent;
    reply->clock_offset_usec = call->scope->offset_usec;
    call_stop(call);
    done(reply, userdata);
}

static void call_end_error(AwsCall *call, const AwsError *error) {
    AwsReply reply = {
        .error = *error,
        .body = "",
    };

    call_end(call, &reply);
}

/* ---- observing ---- */

static AwsCallView view(const AwsCall *call) {
    return (AwsCallView){
        .service = endpoint_service_name(call->scope->service),
        .operation = call->operation,
        .region = call->scope->region,
        .credentials = call->provider,
        .class = call->rate_bucket->tokens.class,
        .attempt = call->attempt,
        .max_attempts = call->max_attempts,
    };
}

static void observe_hold(const AwsCall *call, AwsHold hold, uint64_t usec) {
    AwsCallView v;

    if (!call->client->observed || hold == AWS_HOLD_NONE)
        return;
    v = view(call);
    call->client->observer.held_back(&v, hold, usec, call->client->observer.userdata);
}

static void observe_attempt(const AwsCall *call, const HttpResponse *response, const AwsError *error) {
    static const AwsHold holds[] = {
        [HTTP_WAIT_NONE] = AWS_HOLD_NONE,
        [HTTP_WAIT_CONNECTIONS] = AWS_HOLD_CONNECTIONS,
        [HTTP_WAIT_KEPT] = AWS_HOLD_KEPT,
        [HTTP_WAIT_HOST_SLOT] = AWS_HOLD_HOST,
        [HTTP_WAIT_SUSPECT] = AWS_HOLD_SUSPECT,
    };
    AwsCallView v;

    if (!call->client->observed)
        return;
    observe_hold(call, holds[response->waited_for], response->waited_usec);
    v = view(call);
    call->client->observer.attempt_ended(&v, error,
                                         loop_monotonic_usec(call->client->loop) - call->sent_usec,
                                         call->client->observer.userdata);
}

static uint64_t time_left(const AwsCall *call) {
    uint64_t now = loop_monotonic_usec(call->client->loop);

    return call->deadline_usec > now ? call->deadline_usec - now : 0;
}

static void call_end_late(AwsCall *call) {
    AwsError error = { 0 };

    aws_error_set(&error, AWS_TIMED_OUT, "", "%s: no answer in time", call->scope->host);
    call_end_error(call, &error);
}

/* ---- one attempt ---- */

static void on_response(const HttpResponse *response, void *userdata);

/* S3 has no content type. */
static const char *const content_types[] = {
    [AWS_PROTOCOL_JSON] = "application/x-amz-json-1.1",
    [AWS_PROTOCOL_REST_JSON] = "application/json",
    [AWS_PROTOCOL_QUERY] = "application/x-www-form-urlencoded; charset=utf-8",
};

static const char *host_of(const AwsCall *call) {
    return call->bucket ? call->bucket->host : call->scope->host;
}

static const char *url_of(const AwsCall *call) {
    if (call->bucket)
        return call->bucket->url;
    return call->url ? call->url : call->scope->url;
}

static int sign(const AwsCall *call, const HttpHeader *headers, size_t n_headers, StrBuf *ret) {
    const BucketCall *bucket = call->bucket;

    return sigv4_authorization(
            &(SigV4Input){
                    .method = bucket ? bucket->method : "POST",
                    .path = bucket ? bucket->path : endpoint_path(url_of(call)),
                    .query = bucket ? bucket->query : NULL,
                    .s3 = bucket,
                    .headers = headers,
                    .n_headers = n_headers,
                    .body = call->body,
                    .body_len = call->body_len,
                    .region = call->scope->region,
                    .service = endpoint_service_name(call->scope->service),
                    .access_key_id = call->credentials->access_key_id,
                    .secret_access_key = call->credentials->secret_access_key,
                    .keys = &call->credentials->signing_keys,
                    .time_usec = scope_time(call->scope, call->signed_at_usec),
            },
            ret);
}

/* While a trail is down every moment counts, and the polls of a whole organization may be waiting. */
static bool is_urgent(const AwsCall *call) {
    RateClass class = call->rate_bucket->tokens.class;

    return class == RATE_START || class == RATE_WRITE;
}

static int call_submit(AwsCall *call, const HttpHeader *headers, size_t n_headers) {
    const AwsLimits *limits = &call->client->limits;
    uint64_t timeout = MIN(limits->request_timeout_usec, time_left(call));

    return http_submit(call->client->http,
                       &(HttpRequest){
                               .method = call->bucket ? call->bucket->method : "POST",
                               .url = url_of(call),
                               .headers = headers,
                               .n_headers = n_headers,
                               .body = call->body,
                               .body_len = call->body_len,
                               .connect_timeout_usec = MIN(limits->connect_timeout_usec, timeout),
                               .timeout_usec = timeout,
                               .host_slot = call->scope->host_slot,
                               .suspect = call->rate_bucket->suspect,
                               .repeatable = call->rate_bucket->tokens.class == RATE_READ,
                               /* a trail's selectors have up to 500 values of 2048 characters */
                               .long_answer = call->scope->service == AWS_CLOUDTRAIL,
                               .urgent = is_urgent(call),
                       },
                       on_response, call, &call->exchange);
}

static int submit_unsigned(AwsCall *call) {
    const HttpHeader headers[] = {
        { "host", call->scope->host },
        { "content-type", content_types[call->protocol] },
        { "x-amz-target", call->target },
    };

    return call_submit(call, headers, call->target ? 3 : 2);
}

static int sign_and_submit(AwsCall *call) {
    _cleanup_strbuf_ StrBuf authorization = STRBUF_INIT(AUTHORIZATION_MAX);
    HttpHeader headers[8];
    char date[TIMETEXT_MAX];
    size_t n = 0;
    int r;

    authorization.wipe = true;
    call->signed_at_usec = loop_realtime_usec(call->client->loop);
    headers[n++] = (HttpHeader){ "host", host_of(call) };
    headers[n++] =
            (HttpHeader){ "x-amz-date", timetext_amz(date, scope_time(call->scope, call->signed_at_usec)) };
    if (call->bucket)
        n += bucket_call_headers(call->bucket, headers + n);
    else
        headers[n++] = (HttpHeader){ "content-type", content_types[call->protocol] };
    if (call->target)
        headers[n++] = (HttpHeader){ "x-amz-target", call->target };
    if (call->credentials->session_token)
        headers[n++] = (HttpHeader){ "x-amz-security-token", call->credentials->session_token };
    r = sign(call, headers, n, &authorization);
    if (r < 0)
        return r;
    headers[n++] = (HttpHeader){ "authorization", strbuf_str(&authorization) };
    return call_submit(call, headers, n);
}

static void call_end_unsent(AwsCall *call, int r) {
    AwsError error = { 0 };

    aws_error_set(&error, AWS_INTERNAL, "", "%s: the request could not be sent: %s", call->scope->host,
                  strerror(-r));
    call_end_error(call, &error);
}

static void call_send(AwsCall *call) {
    int r;

    call->n_sent++;
    call->sent_usec = loop_monotonic_usec(call->client->loop);
    r = call->provider ? sign_and_submit(call) : submit_unsigned(call);
    if (r < 0)
        call_end_unsent(call, r);
}

static void call_attempt(AwsCall *call);

static void call_on_turn(void *userdata) {
    AwsCall *call = userdata;

    if (time_left(call) == 0) {
        call_end_late(call); /* the loop was busy; another call may take the turn */
        return;
    }
    call->has_turn = false;
    if (call->turn_epoch == call->rate_bucket->tokens.epoch)
        call_send(call);
    else
        call_attempt(call); /* AWS throttled others meanwhile */
}

static void call_end_held_back(AwsCall *call) {
    AwsError error = { 0 };

    aws_error_set(&error, AWS_HELD_BACK, "", "%s: held back%s: more calls wait than may be sent in time",
                  call->scope->host,
                  call->rate_bucket->tokens.share < RATE_WHOLE ? ", because AWS throttled others" : "");
    call_end_error(call, &error);
}

/* Sends the request when its turn comes. Only called from callbacks, so it may end the call. */
static void call_attempt(AwsCall *call) {
    TokenBucket *tokens = &call->rate_bucket->tokens;
    Loop *loop = call->client->loop;
    uint64_t wait, left = time_left(call);
    int r;

    if (left == 0) {
        call_end_late(call);
        return;
    }
    wait = token_bucket_take(tokens, loop_monotonic_usec(loop), left - 1);
    if (wait == 0) {
        call_send(call);
        return;
    }
    observe_hold(call, wait == RATE_NEVER ? AWS_HOLD_RATE_LATE : AWS_HOLD_RATE,
                 wait == RATE_NEVER ? 0 : wait);
    if (wait == RATE_NEVER) {
        call_end_held_back(call);
        return;
    }
    call->has_turn = true;
    call->turn_epoch = tokens->epoch;
    r = loop_after(loop, wait, call_on_turn, call, &call->timer);
    if (r < 0)
        call_end_unsent(call, r);
}

/* ---- credentials ---- */

static void on_credentials_late(void *userdata) {
    AwsCall *call = userdata;
    AwsError error = { 0 };

    aws_error_set(&error, AWS_TIMED_OUT, "", "%s: no credentials in time", call->scope->host);
    call_end_error(call, &error);
}

/* True if the provider returned the set that AWS has rejected: repeating the call would change nothing. */
static bool same_credentials(const Credentials *a, const Credentials *b) {
    return strcmp(a->access_key_id, b->access_key_id) == 0 &&
           strcmp(a->secret_access_key, b->secret_access_key) == 0 &&
           text_equal(a->session_token, b->session_token);
}

static void on_credentials(CredentialsStatus status, Credentials *credentials, const char *message,
                           void *userdata) {
    AwsCall *call = userdata;
    AwsError error = { 0 };
    bool no_news;

    call->asking = false;
    if (call->abandoned) {
        call_call_free(call);
        return;
    }
    loop_cancel(call->client->loop, TAKE_PTR(call->timer));
    if (status != CREDENTIALS_OK) {
        aws_error_set(&error, AWS_NO_CREDENTIALS, status == CREDENTIALS_DENIED ? "AccessDenied" : "", "%s",
                      message);
        call_end_error(call, &error);
        return;
    }
    no_news = call->credentials && same_credentials(call->credentials, credentials);
    credentials_ref(credentials);
    credentials_unref(call->credentials);
    call->credentials = credentials;
    if (no_news)
        call_end_error(call, call->expired);
    else
        call_attempt(call);
}

static void on_unsigned_turn(void *userdata) {
    call_attempt(userdata);
}

/* 0, or -errno with nothing in progress. */
static int ask_credentials(AwsCall *call) {
    uint64_t left = time_left(call);
    int r;

    r = loop_after(call->client->loop, left, on_credentials_late, call, &call->timer);
    if (r < 0)
        return -ENOMEM;
    call->asking = true;
    r = credentials_get(call->provider, on_credentials, call);
    if (r < 0) {
        call->asking = false;
        loop_cancel(call->client->loop, TAKE_PTR(call->timer));
    }
    return r;
}

/* ---- what to do after an answer ---- */

/* Corrects the clock offset of this host if it is the cause. True if that was new: then the call is
 * repeated. */
static bool correct_skew(AwsCall *call, const AwsError *error, const HttpResponse *response) {
    int64_t offset, off_by;

    if (call->skewed_once || (error->class != AWS_SKEWED && !call_answer_code_may_mean_skew(error->code)) ||
        !call_answer_skew(response, loop_realtime_usec(call->client->loop), &offset))
        return false;
    off_by = offset - call->scope->offset_usec;
    if (error->class != AWS_SKEWED && off_by < SKEW_LEAST_USEC && off_by > -SKEW_LEAST_USEC)
        return false;
    call->skewed_once = true;
    scope_set_offset(call->client, call->scope, offset);
    return true;
}

static void on_pause(void *userdata) {
    AwsCall *call = userdata;

    call->attempt++;
    call_attempt(call);
}

/* After a call got no answer in all its attempts, the first attempt of others is enough: during an outage a
 * call costs one request, until something answers again. */
static unsigned attempts_allowed(const AwsCall *call, const AwsError *error) {
    return call->rate_bucket->down && retry_is_outage(error->class) ? 1 : call->max_attempts;
}

static AwsHold why_not_again(const AwsCall *call, const AwsError *error, const RetryDecision *d) {
    if (d->quota_is_empty)
        return AWS_HOLD_RETRY_QUOTA;
    return call->attempt < call->max_attempts && attempts_allowed(call, error) == 1 ? AWS_HOLD_OUTAGE
                                                                                    : AWS_HOLD_NONE;
}

/* True if another attempt will follow. */
static bool try_later(AwsCall *call, const AwsError *error, const HttpResponse *response) {
    Loop *loop = call->client->loop;
    RetryDecision d;

    if (time_left(call) == 0)
        return false;
    d = retry_decide(&call->scope->quota, error->class, call->attempt, attempts_allowed(call, error),
                     call_answer_retry_after(response, loop_realtime_usec(loop)), loop_random(loop));
    if (!d.again) {
        observe_hold(call, why_not_again(call, error, &d), 0);
        return false;
    }
    if (d.delay_usec >= time_left(call) ||
        loop_after(loop, d.delay_usec, on_pause, call, &call->timer) < 0) {
        retry_succeeded(&call->scope->quota, d.cost);
        return false;
    }
    call->retry_cost = d.cost;
    observe_hold(call, AWS_HOLD_BACKOFF, d.delay_usec);
    return true;
}

static bool renew_credentials(AwsCall *call, const AwsError *error) {
    if ((error->class != AWS_EXPIRED && error->class != AWS_BAD_CREDENTIALS) || call->expired ||
        !call->provider)
        return false;
    call->expired = malloc(sizeof(*call->expired));
    if (!call->expired)
        return false;
    *call->expired = *error;
    if (error->class == AWS_EXPIRED)
        credentials_cache_invalidate(call->provider, call->credentials);
    else
        credentials_cache_suspect(call->provider, call->credentials);
    return ask_credentials(call) >= 0;
}

static void call_succeed(AwsCall *call, const HttpResponse *response, const AwsError *error) {
    AwsReply reply = {
        .error = *error,
        .response = response,
        .body = response->body,
        .body_len = response->body_len,
    };

    retry_succeeded(&call->scope->quota, call->retry_cost);
    call_end(call, &reply);
}

static void learn(AwsCall *call, const AwsError *error) {
    RateBucket *rate_bucket = call->rate_bucket;

    if (!retry_is_outage(error->class))
        rate_bucket->down = false;
    if (error->class == AWS_OK)
        token_bucket_succeeded(&rate_bucket->tokens);
    else if (error->class == AWS_THROTTLED)
        token_bucket_throttled(&rate_bucket->tokens, call->sent_usec,
                               loop_monotonic_usec(call->client->loop));
}

static void call_fail(AwsCall *call, const HttpResponse *response, const AwsError *error) {
    AwsReply reply = {
        .error = *error,
        .response = response,
        .body = "",
    };

    call_end(call, &reply);
}

static void on_response(const HttpResponse *response, void *userdata) {
    AwsCall *call = userdata;
    AwsError error = { 0 };

    call->exchange = NULL;
    if (response->result == HTTP_ANSWERED)
        call->rate_bucket->suspect = false;
    else if (response->result == HTTP_TIMED_OUT && !response->held_up)
        call->rate_bucket->suspect = true;
    call_answer_error(response, call->protocol, &call->client->overrides, &error);
    observe_attempt(call, response, &error);
    learn(call, &error);
    if (error.class == AWS_OK) {
        call_succeed(call, response, &error);
        return;
    }
    if (correct_skew(call, &error, response)) {
        call_attempt(call);
        return;
    }
    if (renew_credentials(call, &error) || try_later(call, &error, response))
        return;
    call->rate_bucket->down = retry_is_outage(error.class);
    call_fail(call, response, &error);
}

/* ---- starting ---- */

/* The class of the operation, as AWS counts it. Only CloudTrail's quotas are low enough to matter. */
static RateClass class_of(const AwsRequest *request) {
    return request->service == AWS_CLOUDTRAIL && request->operation ? rate_class_of(request->operation)
                                                                    : RATE_OTHER;
}

static int call_new(AwsClient *client, const AwsRequest *request, AwsCall **ret) {
    AwsCall *call;

    call = calloc(1, sizeof(*call));
    if (!call)
        return -ENOMEM;
    call->client = client;
    call->protocol = request->protocol;
    call->operation = request->operation ? request->operation : "";
    call->attempt = 1;
    call->max_attempts = request->max_attempts ? request->max_attempts : client->limits.max_attempts;
    call->target = request->target ? strdup(request->target) : NULL;
    call->body = malloc(request->body_len + 1);
    if (!call->body || (request->target && !call->target)) {
        call_call_free(call);
        return -ENOMEM;
    }
    if (request->body_len > 0)
        memcpy(call->body, request->body, request->body_len);
    call->body[request->body_len] = '\0';
    call->body_len = request->body_len;
    *ret = call;
    return 0;
}

int aws_call(AwsClient *client, CredentialsProvider *credentials, const AwsRequest *request, AwsDone done,
             void *userdata, AwsCall **ret_call) {
    uint64_t span = request->deadline_usec ? request->deadline_usec : aws_client_deadline_usec(client);
    uint64_t now = loop_monotonic_usec(client->loop);
    AwsCall *call;
    Scope *scope;
    int r;

    r = scope_find(client, request->service, request->region, &scope);
    if (r < 0)
        return r;
    r = call_new(client, request, &call);
    if (r < 0)
        return r;
    r = request->bucket ? bucket_call_new(&client->overrides, request->bucket, scope->region, &call->bucket)
                        : 0;
    if (r >= 0 && request->path && asprintf(&call->url, "%s%s", scope->url, request->path) < 0) {
        call->url = NULL;
        r = -ENOMEM;
    }
    if (r < 0) {
        call_call_free(call);
        return r;
    }
    call->scope = scope;
    call->provider = credentials;
    call->rate_bucket = rate_bucket_get(&scope->limiter, credentials, class_of(request));
    if (!call->rate_bucket) {
        call_call_free(call);
        return -ENOMEM;
    }
    call->done = done;
    call->userdata = userdata;
    call->deadline_usec = span > UINT64_MAX - now ? UINT64_MAX : now + span;
    r = credentials ? ask_credentials(call)
                    : loop_after(client->loop, 0, on_unsigned_turn, call, &call->timer);
    if (r < 0) {
        call_call_free(call);
        return r;
    }
    if (ret_call)
        *ret_call = call;
    return 0;
}
