/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/call_bucket.h"
#include "lib/pace.h"
#include "lib/retry.h"
#include "lib/sigv4.h"
#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define DEADLINE_MAX_USEC (60 * USEC_PER_SEC)
#define AUTHORIZATION_MAX 4096
#define URL_MAX 2048
#define REGION_MAX 32
/* Signatures that do not match are blamed on the clock only past this difference; AWS accepts about 5
 * minutes. */
#define SKEW_LEAST_USEC (4 * 60 * (int64_t)USEC_PER_SEC)
/* A correction that differs by more than this from the one last told is told again. */
#define SKEW_TOLD_USEC (60 * (int64_t)USEC_PER_SEC)
#define RETRY_AFTER_MAX_SEC 86400

/* What the calls to one service in one region share. */
typedef struct Scope {
    struct Scope *next;
    AwsService service;
    char region[REGION_MAX];
    char *url;
    char *host;             /* as it is signed */
    RetryQuota quota;
    PaceTable paces;        /* by credentials and class of call */
    int64_t offset_usec;    /* AWS's clock less ours, as far as it had to be corrected */
    int64_t offset_told_usec;
} Scope;

struct AwsClient {
    HttpClient *http;
    Loop *loop;
    AwsLimits limits;
    EndpointOverrides overrides;
    Scope *scopes;
    AwsSkewNoticed noticed;
    void *noticed_userdata;
};

/* At any time a call waits for exactly one of: credentials, its turn, an exchange, a pause. */
struct AwsCall {
    AwsClient *client;
    CredentialsSource *source;  /* NULL: the call goes unsigned */
    Scope *scope;
    PaceLane *lane;
    AwsProtocol protocol;
    BucketCall *bucket;         /* NULL but for S3 */
    char *target;
    char *body;
    size_t body_len;
    uint64_t deadline_usec;     /* monotonic */
    unsigned max_attempts;
    unsigned attempt;           /* that count against max_attempts; the first is 1 */
    unsigned n_sent;            /* all of them */
    unsigned retry_cost;        /* what the last retry took from the quota */
    AwsError *expired;          /* what AWS said of the first credentials, or NULL */
    bool skewed_once;
    bool asking;                /* the credentials source will call back, come what may */
    bool abandoned;             /* ended while asking: freed when the source calls back */
    bool has_turn;              /* one that is still to come, taken in turn_epoch */
    unsigned turn_epoch;
    uint64_t sent_usec;      /* monotonic; of the attempt under way */
    uint64_t signed_at_usec; /* local real time of it, uncorrected */
    Credentials *credentials;
    HttpExchange *exchange;
    LoopTimer *timer;
    AwsDone done;
    void *userdata;
};

/* ---- the client ---- */

static char *copy_text(const char *s, bool *failed) {
    char *copy = s ? strdup(s) : NULL;

    *failed = *failed || (s && !copy);
    return copy;
}

static void overrides_free(EndpointOverrides *o) {
    free((char *)o->file_url);
    free((char *)o->url);
    for (size_t i = 0; i < _AWS_SERVICE_MAX; i++)
        free((char *)o->service_url[i]);
}

static int overrides_copy(const EndpointOverrides *o, EndpointOverrides *ret) {
    EndpointOverrides copy = { 0 };
    bool failed = false;

    if (o) {
        copy.file_url = copy_text(o->file_url, &failed);
        copy.url = copy_text(o->url, &failed);
        for (size_t i = 0; i < _AWS_SERVICE_MAX; i++)
            copy.service_url[i] = copy_text(o->service_url[i], &failed);
        copy.fips = o->fips;
        copy.dual_stack = o->dual_stack;
    }
    if (failed) {
        overrides_free(&copy);
        return -ENOMEM;
    }
    *ret = copy;
    return 0;
}

int aws_client_new(HttpClient *http, Loop *loop, const AwsLimits *limits, const EndpointOverrides *overrides,
                   AwsClient **ret) {
    AwsClient *c;
    int r;

    c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->http = http;
    c->loop = loop;
    c->limits = *limits;
    r = overrides_copy(overrides, &c->overrides);
    if (r < 0) {
        free(c);
        return r;
    }
    *ret = c;
    return 0;
}

void aws_client_set_skew_callback(AwsClient *client, AwsSkewNoticed noticed, void *userdata) {
    client->noticed = noticed;
    client->noticed_userdata = userdata;
}

static void scope_free(Scope *s) {
    pace_table_done(&s->paces);
    free(s->url);
    free(s->host);
    free(s);
}

void aws_client_free(AwsClient *client) {
    if (!client)
        return;
    while (client->scopes) {
        Scope *s = client->scopes;

        client->scopes = s->next;
        scope_free(s);
    }
    overrides_free(&client->overrides);
    free(client);
}

Loop *aws_client_loop(AwsClient *client) {
    return client->loop;
}

uint64_t aws_client_deadline_usec(const AwsClient *client) {
    uint64_t one = client->limits.request_timeout_usec;
    unsigned n = MAX(client->limits.max_attempts, 1U);

    return one > DEADLINE_MAX_USEC / n ? DEADLINE_MAX_USEC : one * n;
}

static int scope_fill(const AwsClient *client, Scope *s) {
    _cleanup_strbuf_ StrBuf url = STRBUF_INIT(URL_MAX), host = STRBUF_INIT(URL_MAX);
    int r;

    r = endpoint_url(&client->overrides, s->service, s->region, &url);
    if (r >= 0)
        r = endpoint_host(strbuf_str(&url), &host);
    if (r >= 0)
        r = strbuf_take(&url, &s->url);
    if (r >= 0)
        r = strbuf_take(&host, &s->host);
    return r == -E2BIG ? -EINVAL : r;
}

static int find_scope(AwsClient *client, AwsService service, const char *region, Scope **ret) {
    Scope *s;
    int r;

    region = endpoint_service_region(service, region);
    if (!region)
        return -EINVAL;
    for (s = client->scopes; s; s = s->next)
        if (s->service == service && strcmp(s->region, region) == 0) {
            *ret = s;
            return 0;
        }
    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->service = service;
    s->quota = RETRY_QUOTA_INIT;
    r = text_copy(s->region, sizeof(s->region), region) ? scope_fill(client, s) : -EINVAL;
    if (r < 0) {
        scope_free(s);
        return r;
    }
    s->next = client->scopes;
    client->scopes = s;
    *ret = s;
    return 0;
}

/* ---- ending ---- */

static void call_free(AwsCall *call) {
    if (call->lane)
        pace_lane_put(call->lane);
    credentials_unref(call->credentials);
    free(call->expired);
    free(call->target);
    bucket_call_free(call->bucket);
    hash_wipe(call->body, call->body_len);
    free(call->body);
    free(call);
}

/* Stops whatever the call waits for. After this nothing calls back into it but a credentials source, which
 * finds it abandoned and frees it. */
static void call_stop(AwsCall *call) {
    if (call->exchange)
        http_cancel(call->client->http, TAKE_PTR(call->exchange));
    loop_cancel(call->client->loop, TAKE_PTR(call->timer));
    if (call->has_turn)
        pace_give_back(&call->lane->pace, call->turn_epoch);
    if (call->asking)
        call->abandoned = true;
    else
        call_free(call);
}

void aws_call_cancel(AwsCall *call) {
    if (call)
        call_stop(call);
}

/* The call is gone before done is called, so that the callback may free everything it knows of. */
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

    reply.request_id = reply.error.request_id;
    call_end(call, &reply);
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

static uint64_t corrected_time(const AwsCall *call) {
    int64_t offset = call->scope->offset_usec;
    uint64_t now = call->signed_at_usec;

    if (offset < 0)
        return (uint64_t)-offset < now ? now - (uint64_t)-offset : 0;
    return now + (uint64_t)offset;
}

static const char *content_type(AwsProtocol protocol) {
    return protocol == AWS_PROTOCOL_JSON ? "application/x-amz-json-1.1" :
                                           "application/x-www-form-urlencoded; charset=utf-8";
}

static const char *host_of(const AwsCall *call) {
    return call->bucket ? call->bucket->host : call->scope->host;
}

static int sign(const AwsCall *call, const HttpHeader *headers, size_t n_headers, StrBuf *ret) {
    const BucketCall *bucket = call->bucket;

    return sigv4_authorization(
            &(SigV4Input){
                    .method = bucket ? bucket->method : "POST",
                    .path = bucket ? bucket->path : endpoint_path(call->scope->url),
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
                    .time_usec = corrected_time(call),
            },
            ret);
}

static int submit(AwsCall *call, const HttpHeader *headers, size_t n_headers) {
    const AwsLimits *limits = &call->client->limits;
    uint64_t timeout = MIN(limits->request_timeout_usec, time_left(call));

    return http_submit(call->client->http,
                       &(HttpRequest){
                               .method = call->bucket ? call->bucket->method : "POST",
                               .url = call->bucket ? call->bucket->url : call->scope->url,
                               .headers = headers,
                               .n_headers = n_headers,
                               .body = call->body,
                               .body_len = call->body_len,
                               .connect_timeout_usec = MIN(limits->connect_timeout_usec, timeout),
                               .timeout_usec = timeout,
                       },
                       on_response, call, &call->exchange);
}

static int submit_unsigned(AwsCall *call) {
    const HttpHeader headers[] = {
        { "host", call->scope->host },
        { "content-type", content_type(call->protocol) },
        { "x-amz-target", call->target },
    };

    return submit(call, headers, call->target ? 3 : 2);
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
    headers[n++] = (HttpHeader){ "x-amz-date", timetext_amz(date, corrected_time(call)) };
    if (call->bucket)
        n += bucket_call_headers(call->bucket, headers + n);
    else
        headers[n++] = (HttpHeader){ "content-type", content_type(call->protocol) };
    if (call->target)
        headers[n++] = (HttpHeader){ "x-amz-target", call->target };
    if (call->credentials->session_token)
        headers[n++] = (HttpHeader){ "x-amz-security-token", call->credentials->session_token };
    r = sign(call, headers, n, &authorization);
    if (r < 0)
        return r;
    headers[n++] = (HttpHeader){ "authorization", strbuf_str(&authorization) };
    return submit(call, headers, n);
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
    r = call->source ? sign_and_submit(call) : submit_unsigned(call);
    if (r < 0)
        call_end_unsent(call, r);
}

static void call_attempt(AwsCall *call);

static void on_turn(void *userdata) {
    AwsCall *call = userdata;

    call->timer = NULL;
    call->has_turn = false;
    if (call->turn_epoch == call->lane->pace.epoch)
        call_send(call);
    else
        call_attempt(call); /* AWS throttled others meanwhile */
}

static void call_end_held_back(AwsCall *call) {
    AwsError error = { 0 };

    aws_error_set(&error, AWS_THROTTLED, "", "%s: held back%s: more calls wait than may be sent in time",
                  call->scope->host,
                  call->lane->pace.share < PACE_WHOLE ? ", because AWS throttled others" : "");
    call_end_error(call, &error);
}

/* Sends the request when it is its turn. Runs from callbacks only, so it may end the call. */
static void call_attempt(AwsCall *call) {
    Pace *pace = &call->lane->pace;
    Loop *loop = call->client->loop;
    uint64_t wait, left = time_left(call);
    int r;

    if (left == 0) {
        call_end_late(call);
        return;
    }
    wait = pace_take(pace, loop_monotonic_usec(loop), left - 1);
    if (wait == 0) {
        call_send(call);
        return;
    }
    if (wait == PACE_NEVER) {
        call_end_held_back(call);
        return;
    }
    call->has_turn = true;
    call->turn_epoch = pace->epoch;
    r = loop_after(loop, wait, on_turn, call, &call->timer);
    if (r < 0)
        call_end_unsent(call, r);
}

/* ---- credentials ---- */

static void on_credentials_late(void *userdata) {
    AwsCall *call = userdata;
    AwsError error = { 0 };

    call->timer = NULL;
    aws_error_set(&error, AWS_TIMED_OUT, "", "%s: no credentials in time", call->scope->host);
    call_end_error(call, &error);
}

/* AWS did not take a set, and the source has no other: asking AWS again would change nothing. */
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
        call_free(call);
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
    AwsCall *call = userdata;

    call->timer = NULL;
    call_attempt(call);
}

/* 0 or -errno, and then nothing is under way. */
static int ask_credentials(AwsCall *call) {
    uint64_t left = time_left(call);
    int r;

    r = loop_after(call->client->loop, left, on_credentials_late, call, &call->timer);
    if (r < 0)
        return -ENOMEM;
    call->asking = true;
    r = credentials_get(call->source, on_credentials, call);
    if (r < 0) {
        call->asking = false;
        loop_cancel(call->client->loop, TAKE_PTR(call->timer));
    }
    return r;
}

/* ---- what to do after an answer ---- */

static const AwsErrorClass result_classes[_HTTP_RESULT_MAX] = {
    [HTTP_ANSWERED] = AWS_OK,
    [HTTP_RESOLVE_FAILED] = AWS_UNREACHABLE,
    [HTTP_CONNECT_FAILED] = AWS_UNREACHABLE,
    [HTTP_TLS_FAILED] = AWS_TLS,
    [HTTP_TIMED_OUT] = AWS_TIMED_OUT,
    [HTTP_BROKEN] = AWS_UNREACHABLE,
    [HTTP_TOO_BIG] = AWS_BAD_ANSWER,
    [HTTP_MALFORMED] = AWS_BAD_ANSWER,
    [HTTP_INTERNAL] = AWS_INTERNAL,
};

/* Names of hosts are made by a rule; whether AWS runs them, only a name server knows. */
static const char *hint(const AwsCall *call, HttpResult result) {
    const EndpointOverrides *o = &call->client->overrides;

    if (result != HTTP_RESOLVE_FAILED || (!o->fips && !o->dual_stack))
        return "";
    return o->fips ? " (AWS has FIPS endpoints in few regions; see use_fips)"
                   : " (AWS may have no dual-stack endpoint there; see use_dualstack)";
}

static void read_error(const AwsCall *call, const HttpResponse *response, AwsError *ret) {
    if (response->result == HTTP_ANSWERED)
        aws_error_from_response(response, call->protocol, ret);
    else
        aws_error_set(ret, result_classes[response->result], "", "%s%s",
                      *response->error ? response->error : http_result_to_string(response->result),
                      hint(call, response->result));
}

static bool code_may_mean_skew(const char *code) {
    static const char *const codes[] = {
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "AuthFailure",
    };

    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (strcmp(code, codes[i]) == 0)
            return true;
    return false;
}

/* AWS's clock less ours, by the answer's Date. Only a peer that proved who it is may set our clock. */
static bool measure_skew(const AwsCall *call, const HttpResponse *response, int64_t *ret) {
    const char *date = http_header(response, "date");
    uint64_t server;

    if (!response->over_tls || !date || timetext_parse_http(date, &server) < 0 || server == 0)
        return false;
    *ret = (int64_t)server - (int64_t)loop_realtime_usec(call->client->loop);
    return true;
}

static void set_offset(AwsCall *call, int64_t offset) {
    AwsClient *client = call->client;
    Scope *s = call->scope;
    int64_t change = offset - s->offset_told_usec;

    s->offset_usec = offset;
    if (change <= SKEW_TOLD_USEC && change >= -SKEW_TOLD_USEC)
        return;
    s->offset_told_usec = offset;
    if (client->noticed)
        client->noticed(s->host, offset, client->noticed_userdata);
}

/* Corrects the clock for this host if it is to blame. True when that was new: then the call is worth another
 * try. */
static bool correct_skew(AwsCall *call, const AwsError *error, const HttpResponse *response) {
    int64_t offset, off_by;

    if (call->skewed_once || (error->class != AWS_SKEWED && !code_may_mean_skew(error->code)) ||
        !measure_skew(call, response, &offset))
        return false;
    off_by = offset - call->scope->offset_usec;
    if (error->class != AWS_SKEWED && off_by < SKEW_LEAST_USEC && off_by > -SKEW_LEAST_USEC)
        return false;
    call->skewed_once = true;
    set_offset(call, offset);
    return true;
}

/* What the server asks us to wait; 0 when it does not. AWS's own header counts milliseconds. */
static uint64_t retry_after(const AwsCall *call, const HttpResponse *response) {
    const char *ms = http_header(response, "x-amz-retry-after");
    const char *value = ms ? ms : http_header(response, "retry-after");
    uint64_t at, now = loop_realtime_usec(call->client->loop);
    char *end = NULL;
    unsigned long long n;

    if (!value)
        return 0;
    if (*value < '0' || *value > '9')
        return timetext_parse_http(value, &at) == 0 && at > now ? at - now : 0;
    errno = 0;
    n = strtoull(value, &end, 10);
    if (errno != 0 || *end || n > RETRY_AFTER_MAX_SEC * 1000ULL)
        n = RETRY_AFTER_MAX_SEC;
    return n * (ms ? USEC_PER_MSEC : USEC_PER_SEC);
}

static void on_pause(void *userdata) {
    AwsCall *call = userdata;

    call->timer = NULL;
    call->attempt++;
    call_attempt(call);
}

/* Where a call has found nobody in all its attempts, the others' first one says the same: one that is down
 * costs a request a call, until something comes back. */
static unsigned attempts_allowed(const AwsCall *call, const AwsError *error) {
    return call->lane->down && retry_is_outage(error->class) ? 1 : call->max_attempts;
}

/* True when another attempt is on its way. */
static bool try_later(AwsCall *call, const AwsError *error, const HttpResponse *response) {
    Loop *loop = call->client->loop;
    RetryDecision d;

    if (time_left(call) == 0)
        return false;
    d = retry_decide(&call->scope->quota, error->class, call->attempt, attempts_allowed(call, error),
                     retry_after(call, response), loop_random(loop));
    if (!d.again)
        return false;
    if (d.delay_usec >= time_left(call) ||
        loop_after(loop, d.delay_usec, on_pause, call, &call->timer) < 0) {
        retry_succeeded(&call->scope->quota, d.cost);
        return false;
    }
    call->retry_cost = d.cost;
    return true;
}

static bool renew_credentials(AwsCall *call, const AwsError *error) {
    if ((error->class != AWS_EXPIRED && error->class != AWS_BAD_CREDENTIALS) || call->expired || !call->source)
        return false;
    call->expired = malloc(sizeof(*call->expired));
    if (!call->expired)
        return false;
    *call->expired = *error;
    if (error->class == AWS_EXPIRED)
        credentials_cache_invalidate(call->source, call->credentials);
    else
        credentials_cache_doubt(call->source, call->credentials);
    return ask_credentials(call) >= 0;
}

static void call_succeed(AwsCall *call, const HttpResponse *response, const AwsError *error) {
    const char *id = http_header(response, call->bucket ? "x-amz-request-id" : "x-amzn-requestid");
    AwsReply reply = {
        .error = *error,
        .response = response,
        .body = response->body,
        .body_len = response->body_len,
        .request_id = id ? id : "",
    };

    retry_succeeded(&call->scope->quota, call->retry_cost);
    call_end(call, &reply);
}

static void learn(AwsCall *call, const AwsError *error) {
    PaceLane *lane = call->lane;

    if (!retry_is_outage(error->class))
        lane->down = false;
    if (error->class == AWS_OK)
        pace_succeeded(&lane->pace);
    else if (error->class == AWS_THROTTLED)
        pace_throttled(&lane->pace, call->sent_usec, loop_monotonic_usec(call->client->loop));
}

static void call_fail(AwsCall *call, const HttpResponse *response, const AwsError *error) {
    AwsReply reply = {
        .error = *error,
        .response = response,
        .body = "",
    };

    reply.request_id = reply.error.request_id;
    call_end(call, &reply);
}

static void on_response(const HttpResponse *response, void *userdata) {
    AwsCall *call = userdata;
    AwsError error = { 0 };

    call->exchange = NULL;
    read_error(call, response, &error);
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
    call->lane->down = retry_is_outage(error.class);
    call_fail(call, response, &error);
}

/* ---- starting ---- */

/* By the operation that is asked for, as AWS does. Only CloudTrail's quotas are low enough to matter. */
static PaceClass class_of(const AwsRequest *request) {
    const char *dot = request->target ? strrchr(request->target, '.') : NULL;

    return request->service == AWS_CLOUDTRAIL && dot ? pace_class_of(dot + 1) : PACE_OTHER;
}

static int call_new(AwsClient *client, const AwsRequest *request, AwsCall **ret) {
    AwsCall *call;

    call = calloc(1, sizeof(*call));
    if (!call)
        return -ENOMEM;
    call->client = client;
    call->protocol = request->protocol;
    call->attempt = 1;
    call->max_attempts = request->max_attempts ? request->max_attempts : client->limits.max_attempts;
    call->target = request->target ? strdup(request->target) : NULL;
    call->body = malloc(request->body_len + 1);
    if (!call->body || (request->target && !call->target)) {
        call_free(call);
        return -ENOMEM;
    }
    if (request->body_len > 0)
        memcpy(call->body, request->body, request->body_len);
    call->body[request->body_len] = '\0';
    call->body_len = request->body_len;
    *ret = call;
    return 0;
}

int aws_call(AwsClient *client, CredentialsSource *credentials, const AwsRequest *request, AwsDone done,
             void *userdata, AwsCall **ret_call) {
    uint64_t span = request->deadline_usec ? request->deadline_usec : aws_client_deadline_usec(client);
    uint64_t now = loop_monotonic_usec(client->loop);
    AwsCall *call;
    Scope *scope;
    int r;

    r = find_scope(client, request->service, request->region, &scope);
    if (r < 0)
        return r;
    r = call_new(client, request, &call);
    if (r < 0)
        return r;
    r = request->bucket ? bucket_call_new(&client->overrides, request->bucket, scope->region, &call->bucket) :
                          0;
    if (r < 0) {
        call_free(call);
        return r;
    }
    call->scope = scope;
    call->source = credentials;
    call->lane = pace_lane_get(&scope->paces, credentials, class_of(request));
    if (!call->lane) {
        call_free(call);
        return -ENOMEM;
    }
    call->done = done;
    call->userdata = userdata;
    call->deadline_usec = span > UINT64_MAX - now ? UINT64_MAX : now + span;
    r = credentials ? ask_credentials(call) : loop_after(client->loop, 0, on_unsigned_turn, call, &call->timer);
    if (r < 0) {
        call_free(call);
        return r;
    }
    if (ret_call)
        *ret_call = call;
    return 0;
}
