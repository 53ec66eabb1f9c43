/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/call_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define DEADLINE_MAX_USEC (60 * USEC_PER_SEC)
#define URL_MAX           2048
/* A correction that differs by more than this from the last reported one is reported. */
#define SKEW_LOGGED_USEC (60 * (int64_t)USEC_PER_SEC)

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

void aws_client_set_observer(AwsClient *client, const AwsObserver *observer) {
    client->observed = observer != NULL;
    if (observer)
        client->observer = *observer;
}

static void scope_free(Scope *s) {
    rate_limiter_done(&s->limiter);
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

int scope_find(AwsClient *client, AwsService service, const char *region, Scope **ret) {
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
    client->n_scopes++;
    s->host_slot = MIN(client->n_scopes, (unsigned)HTTP_HOST_SLOTS_MAX);
    s->next = client->scopes;
    client->scopes = s;
    *ret = s;
    return 0;
}

/* ---- its clock ---- */

uint64_t scope_time(const Scope *scope, uint64_t real_usec) {
    int64_t offset = scope->offset_usec;

    if (offset < 0)
        return (uint64_t)-offset < real_usec ? real_usec - (uint64_t)-offset : 0;
    return real_usec + (uint64_t)offset;
}

void scope_set_offset(AwsClient *client, Scope *scope, int64_t offset_usec) {
    int64_t change = offset_usec - scope->offset_logged_usec;

    scope->offset_usec = offset_usec;
    if (change <= SKEW_LOGGED_USEC && change >= -SKEW_LOGGED_USEC)
        return;
    scope->offset_logged_usec = offset_usec;
    if (client->noticed)
        client->noticed(scope->host, offset_usec, client->noticed_userdata);
}

/* ---- answers ---- */

#define RETRY_AFTER_MAX_SEC 86400

/* Names of hosts are formed by a rule; only DNS can tell whether AWS runs them. */
static const char *hint(const EndpointOverrides *o, HttpResult result) {
    if (result != HTTP_RESOLVE_FAILED || (!o->fips && !o->dual_stack))
        return "";
    return o->fips ? " (AWS has FIPS endpoints in few regions; see use_fips)"
                   : " (AWS may have no dual-stack endpoint there; see use_dualstack)";
}

void call_answer_error(const HttpResponse *response, AwsProtocol protocol,
                       const EndpointOverrides *overrides, AwsError *ret) {
    size_t len;

    aws_error_from_response(response, protocol, ret);
    len = strlen(ret->message);
    (void)text_copy(ret->message + len, sizeof(ret->message) - len, hint(overrides, response->result));
}

bool call_answer_code_may_mean_skew(const char *code) {
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

bool call_answer_skew(const HttpResponse *response, uint64_t real_usec, int64_t *ret_usec) {
    const char *date = http_header(response, "date");
    uint64_t server;

    if (!response->over_tls || !date || timetext_parse_http(date, &server) < 0 || server == 0)
        return false;
    *ret_usec = (int64_t)server - (int64_t)real_usec;
    return true;
}

/* AWS's own header has milliseconds. */
uint64_t call_answer_retry_after(const HttpResponse *response, uint64_t real_usec) {
    const char *ms = http_header(response, "x-amz-retry-after");
    const char *value = ms ? ms : http_header(response, "retry-after");
    uint64_t at;
    char *end = NULL;
    unsigned long long n;

    if (!value)
        return 0;
    if (*value < '0' || *value > '9')
        return timetext_parse_http(value, &at) == 0 && at > real_usec ? at - real_usec : 0;
    errno = 0;
    n = strtoull(value, &end, 10);
    if (errno != 0 || *end || n > RETRY_AFTER_MAX_SEC * 1000ULL)
        n = RETRY_AFTER_MAX_SEC;
    return n * (ms ? USEC_PER_MSEC : USEC_PER_SEC);
}

/* ---- requests to buckets ---- */

/* SHA-256 of an empty body. */
#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

void bucket_call_free(BucketCall *call) {
    if (!call)
        return;
    free(call->url);
    free(call->host);
    free(call->path);
    free(call->query);
    free(call->owner);
    free(call);
}

static int fill_url(BucketCall *call, StrBuf *url, const char *query) {
    _cleanup_strbuf_ StrBuf host = STRBUF_INIT(URL_MAX);
    int r;

    r = endpoint_host(strbuf_str(url), &host);
    if (r < 0)
        return r;
    if (text_set(&call->path, endpoint_path(strbuf_str(url))) < 0 || text_set(&call->query, query) < 0)
        return -ENOMEM;
    if (*query)
        (void)strbuf_addf(url, "?%s", query);
    r = strbuf_take(url, &call->url);
    return r < 0 ? r : strbuf_take(&host, &call->host);
}

int bucket_call_new(const EndpointOverrides *overrides, const AwsBucketRequest *request, const char *region,
                    BucketCall **ret) {
    _cleanup_strbuf_ StrBuf url = STRBUF_INIT(URL_MAX);
    BucketCall *call;
    int r;

    r = endpoint_bucket_url(overrides, request->bucket, region, &url);
    if (r < 0)
        return r == -E2BIG ? -EINVAL : r;
    call = calloc(1, sizeof(*call));
    if (!call)
        return -ENOMEM;
    call->method = request->method;
    r = fill_url(call, &url, request->query ? request->query : "");
    if (r >= 0)
        r = text_set(&call->owner, request->owner);
    if (r < 0) {
        bucket_call_free(call);
        return r == -E2BIG ? -EINVAL : r;
    }
    *ret = call;
    return 0;
}

size_t bucket_call_headers(const BucketCall *call, HttpHeader ret[static BUCKET_CALL_HEADERS_MAX]) {
    ret[0] = (HttpHeader){ "x-amz-content-sha256", EMPTY_HASH };
    if (!call->owner)
        return 1;
    ret[1] = (HttpHeader){ "x-amz-expected-bucket-owner", call->owner };
    return 2;
}
