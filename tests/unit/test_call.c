/* SPDX-License-Identifier: Apache-2.0 */
/* One AWS call against a scripted server, in virtual time. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/call.h"
#include "lib/credentials/providers.h"
#include "lib/util/macros.h"
#include "tests/unit/fake_http.h"
#include "tests/unit/fake_loop.h"

#define KEY             "AKIDEXAMPLE"
#define SECRET          "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define TOKEN           "TOKEN/EXAMPLE+=="
#define TARGET          "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.GetTrailStatus"
#define BODY            "{\"Name\":\"arn:aws:cloudtrail:eu-central-1:111122223333:trail/main\"}"
#define VECTOR_TIME_SEC 1735787045 /* 2025-01-02T03:04:05Z */
#define START_SEC       1795489800 /* 2026-11-24T03:10:00Z, where the fake loop starts */

#define THROTTLED     "{\"__type\":\"ThrottlingException\",\"message\":\"Rate exceeded\"}"
#define EXPIRED       "{\"__type\":\"ExpiredTokenException\",\"message\":\"expired\"}"
#define SKEWED        "{\"__type\":\"RequestExpired\",\"message\":\"Signature expired\"}"
#define BAD_SIGNATURE "{\"__type\":\"InvalidSignatureException\",\"message\":\"no match\"}"
#define UNRECOGNISED                                                                                        \
    "{\"__type\":\"UnrecognizedClientException\",\"message\":\"The security token is invalid.\"}"

/* A source that answers as it is told: at once, or when the test says so. */
typedef struct FakeProvider {
    CredentialsProvider source;
    Loop *loop;
    LoopTimer *timer;
    CredentialsDone done;
    void *userdata;
    Credentials *sets[4]; /* given out in turn, the last one again and again */
    unsigned n_sets, n_gets;
    CredentialsStatus status;
    const char *message;
    bool slow;
} FakeProvider;

typedef struct Fixture {
    FakeLoop *loop;
    FakeHttp *http;
    AwsClient *aws;
    FakeProvider *inner;
    CredentialsProvider *credentials; /* a cache over inner */
    unsigned n_done;
    AwsError error;
    char body[256];
    char request_id[64];
    unsigned attempts;
    unsigned n_noticed;
    int64_t noticed_usec;
} Fixture;

static void source_answer(void *userdata) {
    FakeProvider *s = userdata;
    CredentialsDone done = s->done;
    unsigned i = MIN(s->n_gets, s->n_sets) - 1;

    s->done = NULL;
    done(s->status, s->status == CREDENTIALS_OK ? s->sets[i] : NULL, s->message ? s->message : "",
         s->userdata);
}

static int source_get(CredentialsProvider *source, CredentialsDone done, void *userdata) {
    FakeProvider *s = CONTAINER_OF(source, FakeProvider, source);

    assert_null(s->done);
    s->n_gets++;
    s->done = done;
    s->userdata = userdata;
    return s->slow ? 0 : loop_after(s->loop, 0, source_answer, s, &s->timer);
}

static void source_destroy(CredentialsProvider *source) {
    FakeProvider *s = CONTAINER_OF(source, FakeProvider, source);

    loop_cancel(s->loop, s->timer);
    if (s->done)
        s->done(CREDENTIALS_FAILED, NULL, "cancelled", s->userdata);
    for (unsigned i = 0; i < s->n_sets; i++)
        credentials_unref(s->sets[i]);
    free(s);
}

static void source_add(FakeProvider *s, const char *key, const char *token) {
    s->sets[s->n_sets] = credentials_new(key, SECRET, token, 0, "test");
    assert_non_null(s->sets[s->n_sets]);
    s->n_sets++;
}

static const CredentialsProviderOps source_ops = { .get = source_get, .destroy = source_destroy };

/* Tests that go through a table call these two themselves, for each row. */
static int set_up(void **state) {
    static const AwsLimits limits = { 5 * USEC_PER_SEC, 10 * USEC_PER_SEC, 3 };
    Fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->loop = fake_loop_new();
    f->http = fake_http_new(f->loop);
    f->inner = calloc(1, sizeof(*f->inner));
    assert_non_null(f->inner);
    f->inner->source.ops = &source_ops;
    f->inner->loop = fake_loop_loop(f->loop);
    source_add(f->inner, KEY, TOKEN);
    assert_int_equal(credentials_cache_new(fake_loop_loop(f->loop), &f->inner->source, &f->credentials), 0);
    assert_int_equal(
            aws_client_new(fake_http_client(f->http), fake_loop_loop(f->loop), &limits, NULL, &f->aws), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    Fixture *f = *state;

    credentials_provider_free(f->credentials);
    aws_client_free(f->aws);
    fake_http_free(f->http);
    fake_loop_free(f->loop);
    free(f);
    return 0;
}

static void on_done(const AwsReply *reply, void *userdata) {
    Fixture *f = userdata;

    f->n_done++;
    f->error = reply->error;
    f->attempts = reply->attempts;
    assert_non_null(reply->body);
    snprintf(f->body, sizeof(f->body), "%.*s", (int)reply->body_len, reply->body);
    snprintf(f->request_id, sizeof(f->request_id), "%s", reply->error.request_id);
    assert_null(strstr(reply->error.message, SECRET));
    assert_null(strstr(reply->error.message, TOKEN));
}

static const AwsRequest json_request = {
    .service = AWS_CLOUDTRAIL,
    .region = "eu-central-1",
    .protocol = AWS_PROTOCOL_JSON,
    .operation = "GetTrailStatus",
    .target = TARGET,
    .body = BODY,
    .body_len = sizeof(BODY) - 1,
};

static AwsCall *begin(Fixture *f, const AwsRequest *request) {
    AwsCall *call = NULL;

    assert_int_equal(aws_call(f->aws, f->credentials, request, on_done, f, &call), 0);
    assert_non_null(call);
    assert_int_equal(f->n_done, 0);
    return call;
}

/* Begins a call and lets everything happen that does not need time to pass. */
static AwsCall *run(Fixture *f, const AwsRequest *request) {
    AwsCall *call;

    f->n_done = 0;
    call = begin(f, request);
    fake_loop_run(f->loop);
    return call;
}

/* The same, and lets as much time pass as the call may take. */
static void run_out(Fixture *f, const AwsRequest *request) {
    run(f, request);
    fake_loop_advance(f->loop, 30 * USEC_PER_SEC);
    assert_int_equal(f->n_done, 1);
}

static const char *sent(const Fixture *f, unsigned i, const char *header) {
    return fake_request_header(fake_http_request(f->http, i), header);
}

static void assert_ended(const Fixture *f, AwsErrorClass class, unsigned n_requests) {
    assert_int_equal(f->n_done, 1);
    assert_string_equal(aws_error_class_to_string(f->error.class), aws_error_class_to_string(class));
    assert_int_equal(fake_http_n_requests(f->http), n_requests);
    assert_int_equal(f->attempts, n_requests);
    assert_int_equal(fake_http_n_left(f->http), 0);
}

/* ---- what is sent ---- */

static void test_json_request_is_signed_as_published(void **state) {
    Fixture *f = *state;
    const FakeRequest *r;

    fake_loop_step_clock(f->loop, ((int64_t)VECTOR_TIME_SEC - START_SEC) * 1000000);
    fake_http_reply(f->http, 200, "{\"IsLogging\":true}", "x-amzn-RequestId", "id-1", NULL);
    run(f, &json_request);
    assert_ended(f, AWS_OK, 1);
    assert_string_equal(f->body, "{\"IsLogging\":true}");
    assert_string_equal(f->request_id, "id-1");

    r = fake_http_request(f->http, 0);
    assert_string_equal(r->method, "POST");
    assert_string_equal(r->url, "https://cloudtrail.eu-central-1.amazonaws.com/");
    assert_string_equal(r->body, BODY);
    assert_int_equal(r->timeout_usec, 10 * USEC_PER_SEC);
    assert_int_equal(r->connect_timeout_usec, 5 * USEC_PER_SEC);
    assert_false(r->direct);
    assert_string_equal(sent(f, 0, "host"), "cloudtrail.eu-central-1.amazonaws.com");
    assert_string_equal(sent(f, 0, "x-amz-date"), "20250102T030405Z");
    assert_string_equal(sent(f, 0, "content-type"), "application/x-amz-json-1.1");
    assert_string_equal(sent(f, 0, "x-amz-target"), TARGET);
    assert_string_equal(sent(f, 0, "x-amz-security-token"), TOKEN);
    assert_string_equal(sent(f, 0, "authorization"),
                        "AWS4-HMAC-SHA256 Credential=" KEY "/20250102/eu-central-1/cloudtrail/aws4_request, "
                        "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, "
                        "Signature=edd1651d52147cbbb805a9ea80df14ebcd9133182c52b2d29d438fd773affbf3");
}

static void test_query_request_is_signed_as_published(void **state) {
    static const char body[] = "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aeu-central-1"
                               "%3A111122223333%3Aalerts&Message=%C3%A9%20~%2A";
    Fixture *f = *state;

    fake_loop_step_clock(f->loop, ((int64_t)VECTOR_TIME_SEC - START_SEC) * 1000000);
    fake_http_reply(f->http, 200, "<x/>", NULL);
    run(f, &(AwsRequest){ .service = AWS_SNS,
                          .region = "eu-central-1",
                          .protocol = AWS_PROTOCOL_QUERY,
                          .body = body,
                          .body_len = sizeof(body) - 1 });
    assert_ended(f, AWS_OK, 1);
    assert_string_equal(sent(f, 0, "content-type"), "application/x-www-form-urlencoded; charset=utf-8");
    assert_null(sent(f, 0, "x-amz-target"));
    assert_string_equal(strstr(sent(f, 0, "authorization"), "Signature="),
                        "Signature=3450e1dcc1cd22f42971d7b65d02b96b72e75a2c1fe20936b1ed6e4c71ebf695");
}

static void test_overrides_change_url_and_signed_host(void **state) {
    Fixture *f = *state;
    static const AwsLimits limits = { USEC_PER_SEC, USEC_PER_SEC, 1 };
    char url[] = "http://127.0.0.1:4566";

    aws_client_free(f->aws);
    assert_int_equal(aws_client_new(fake_http_client(f->http), fake_loop_loop(f->loop), &limits,
                                    &(EndpointOverrides){ .url = url }, &f->aws),
                     0);
    url[0] = 'x'; /* it was copied */
    fake_http_reply(f->http, 200, "{}", NULL);
    run(f, &json_request);
    assert_ended(f, AWS_OK, 1);
    assert_string_equal(fake_http_request(f->http, 0)->url, "http://127.0.0.1:4566/");
    assert_string_equal(sent(f, 0, "host"), "127.0.0.1:4566");
}

/* No table says where AWS runs such hosts, so whoever reads of one that is not there is told. */
static void test_kinds_of_hosts(void **state) {
    static const AwsLimits limits = { USEC_PER_SEC, USEC_PER_SEC, 1 };
    static const struct {
        EndpointOverrides overrides;
        const char *url, *hint;
    } cases[] = {
        { { .fips = true }, "https://cloudtrail-fips.eu-central-1.amazonaws.com/", "use_fips" },
        { { .dual_stack = true }, "https://cloudtrail.eu-central-1.api.aws/", "use_dualstack" },
        { { 0 }, "https://cloudtrail.eu-central-1.amazonaws.com/", NULL },
    };
    Fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        aws_client_free(f->aws);
        assert_int_equal(aws_client_new(fake_http_client(f->http), fake_loop_loop(f->loop), &limits,
                                        &cases[i].overrides, &f->aws),
                         0);
        fake_http_fail(f->http, HTTP_RESOLVE_FAILED, "name not found");
        run(f, &json_request);
        assert_string_equal(fake_http_request(f->http, (unsigned)i)->url, cases[i].url);
        assert_int_equal(f->error.class, AWS_UNREACHABLE);
        if (cases[i].hint)
            assert_non_null(strstr(f->error.message, cases[i].hint));
        else
            assert_string_equal(f->error.message, "name not found");
    }
}

static void test_long_term_keys_send_no_token(void **state) {
    Fixture *f = *state;

    credentials_unref(f->inner->sets[0]);
    f->inner->n_sets = 0;
    source_add(f->inner, KEY, NULL);
    fake_http_reply(f->http, 200, "{}", NULL);
    run(f, &json_request);
    assert_ended(f, AWS_OK, 1);
    assert_null(sent(f, 0, "x-amz-security-token"));
    assert_null(strstr(sent(f, 0, "authorization"), "x-amz-security-token"));
}

/* ---- which failures are tried again ---- */

static void test_transport_failures(void **state) {
    static const struct {
        HttpResult result;
        AwsErrorClass class;
        unsigned n_requests;
    } cases[] = {
        { HTTP_RESOLVE_FAILED, AWS_UNREACHABLE, 3 },
        { HTTP_CONNECT_FAILED, AWS_UNREACHABLE, 3 },
        { HTTP_BROKEN, AWS_UNREACHABLE, 3 },
        { HTTP_TIMED_OUT, AWS_TIMED_OUT, 3 },
        { HTTP_TLS_FAILED, AWS_TLS, 1 },
        { HTTP_TOO_BIG, AWS_BAD_ANSWER, 1 },
        { HTTP_MALFORMED, AWS_BAD_ANSWER, 1 },
        { HTTP_INTERNAL, AWS_INTERNAL, 1 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Fixture *f;

        set_up(state);
        f = *state;
        for (unsigned n = 0; n < cases[i].n_requests; n++)
            fake_http_fail(f->http, cases[i].result, "cloudtrail.example:443: it broke");
        run(f, &json_request);
        assert_ended(f, cases[i].class, cases[i].n_requests);
        assert_string_equal(f->error.message, "cloudtrail.example:443: it broke");
        assert_string_equal(f->body, "");
        tear_down(state);
    }
}

static void test_answers(void **state) {
    static const struct {
        int status;
        const char *body;
        AwsErrorClass class;
        unsigned n_requests;
    } cases[] = {
        { 400, THROTTLED, AWS_THROTTLED, 3 },
        { 503, "<html>busy</html>", AWS_UNAVAILABLE, 3 },
        { 500, "", AWS_UNAVAILABLE, 3 },
        { 400, UNRECOGNISED, AWS_BAD_CREDENTIALS, 1 },
        { 403, BAD_SIGNATURE, AWS_BAD_CREDENTIALS, 1 },
        { 400, "{\"__type\":\"AccessDeniedException\",\"Message\":\"no\"}", AWS_DENIED, 1 },
        { 400, "{\"__type\":\"TrailNotFoundException\",\"message\":\"no\"}", AWS_NOT_FOUND, 1 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Fixture *f;

        set_up(state);
        f = *state;
        for (unsigned n = 0; n < cases[i].n_requests; n++)
            fake_http_reply(f->http, cases[i].status, cases[i].body, NULL);
        run_out(f, &json_request);
        assert_ended(f, cases[i].class, cases[i].n_requests);
        assert_int_equal(f->error.http_status, cases[i].status);
        tear_down(state);
    }
}

static void test_success_after_retry_and_max_attempts(void **state) {
    Fixture *f = *state;
    AwsRequest request = json_request;

    fake_http_reply(f->http, 500, "", NULL);
    fake_http_fail(f->http, HTTP_BROKEN, "x");
    fake_http_reply(f->http, 200, "{}", NULL);
    run(f, &json_request);
    assert_ended(f, AWS_OK, 3);

    request.max_attempts = 1;
    fake_http_reply(f->http, 500, "", NULL);
    run(f, &request);
    assert_int_equal(fake_http_n_requests(f->http), 4);
    assert_int_equal(f->n_done, 1);
}

static void test_back_off_takes_time(void **state) {
    Fixture *f = *state;

    fake_loop_set_random(f->loop, UINT64_MAX);
    fake_http_reply(f->http, 500, "", NULL);
    fake_http_reply(f->http, 500, "", NULL);
    fake_http_reply(f->http, 200, "{}", NULL);
    run(f, &json_request);
    assert_int_equal(fake_http_n_requests(f->http), 1);
    fake_loop_advance(f->loop, USEC_PER_SEC - 1);
    assert_int_equal(fake_http_n_requests(f->http), 1);
    fake_loop_advance(f->loop, 1);
    assert_int_equal(fake_http_n_requests(f->http), 2);
    fake_loop_advance(f->loop, 2 * USEC_PER_SEC);
    assert_ended(f, AWS_OK, 3);
    /* Signed anew, with the time of its own attempt. */
    assert_string_equal(sent(f, 0, "x-amz-date"), "20261124T031000Z");
    assert_string_equal(sent(f, 2, "x-amz-date"), "20261124T031003Z");
}

static void test_retry_after_is_honoured(void **state) {
    static const struct {
        const char *name, *value;
        uint64_t wait_usec;
        int status;
    } cases[] = {
        { "Retry-After", "7", 7 * USEC_PER_SEC, 503 },
        { "x-amz-retry-after", "1500", 1500 * USEC_PER_MSEC, 503 },
        { "Retry-After", "Tue, 24 Nov 2026 03:10:04 GMT", 4 * USEC_PER_SEC, 503 },
        { "Retry-After", "99999999999999999999999", 20 * USEC_PER_SEC, 503 },
        { "Retry-After", "3", 3 * USEC_PER_SEC, 429 },
        { "Retry-After", "60", 20 * USEC_PER_SEC, 429 },
        { "x-amz-retry-after", "60000", 20 * USEC_PER_SEC, 503 },
        { "Retry-After", "soon", 0, 503 },
        { "Retry-After", "-5", 0, 503 },
        { "Retry-After", "7 apples", 20 * USEC_PER_SEC, 503 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Fixture *f;

        set_up(state);
        f = *state;
        fake_http_reply(f->http, cases[i].status, "", cases[i].name, cases[i].value, NULL);
        fake_http_reply(f->http, 200, "{}", NULL);
        run(f, &json_request);
        if (cases[i].wait_usec > 0) {
            fake_loop_advance(f->loop, cases[i].wait_usec - 1);
            assert_int_equal(fake_http_n_requests(f->http), 1);
            fake_loop_advance(f->loop, 1);
        }
        assert_ended(f, AWS_OK, 2);
        tear_down(state);
    }
}

static void test_quota_is_shared_by_a_scope_only(void **state) {
    Fixture *f = *state;
    AwsRequest elsewhere = json_request;
    unsigned before;

    for (unsigned i = 0; i < 150; i++)
        fake_http_reply(f->http, 400, THROTTLED, NULL);
    /* Two retries a call, 5 tokens each: 50 calls empty the 500. */
    for (unsigned i = 0; i < 50; i++)
        run_out(f, &json_request);
    assert_int_equal(fake_http_n_requests(f->http), 150);
    before = 150;
    fake_http_reply(f->http, 400, THROTTLED, NULL);
    run_out(f, &json_request);
    assert_int_equal(fake_http_n_requests(f->http), before + 1);

    /* Each success gives one token back; five buy a retry. */
    for (unsigned i = 0; i < 5; i++) {
        fake_http_reply(f->http, 200, "{}", NULL);
        run_out(f, &json_request);
    }
    fake_http_reply(f->http, 400, THROTTLED, NULL);
    fake_http_reply(f->http, 400, THROTTLED, NULL);
    run_out(f, &json_request);
    assert_int_equal(fake_http_n_requests(f->http), before + 1 + 5 + 2);
    before = fake_http_n_requests(f->http) - 1;

    elsewhere.region = "us-east-1";
    for (unsigned i = 0; i < 3; i++)
        fake_http_reply(f->http, 500, "", NULL);
    run(f, &elsewhere);
    assert_int_equal(fake_http_n_requests(f->http), before + 4);
}

/* ---- pace ---- */

static void start_some(Fixture *f, const AwsRequest *request, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(aws_call(f->aws, f->credentials, request, on_done, f, NULL), 0);
    fake_loop_run(f->loop);
}

static void assert_sent_after(Fixture *f, uint64_t span_usec, unsigned n) {
    fake_loop_advance(f->loop, span_usec - 1);
    assert_int_equal(fake_http_n_requests(f->http), n - 1);
    fake_loop_advance(f->loop, 1);
    assert_int_equal(fake_http_n_requests(f->http), n);
}

static void answer(Fixture *f, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        fake_http_reply(f->http, 200, "{}", NULL);
}

static void test_calls_wait_for_their_turn(void **state) {
    Fixture *f = *state;
    AwsRequest elsewhere = json_request, write = json_request;
    CredentialsProvider *own = f->credentials, *other;

    elsewhere.region = "us-east-1";
    write.operation = "StartLogging";
    write.target = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.StartLogging";
    assert_int_equal(credentials_env_new(fake_loop_loop(f->loop), "AKIDOTHER", SECRET, NULL, &other), 0);
    answer(f, 7 + 1 + 2 + 1 + 100);
    start_some(f, &json_request, 7);
    assert_int_equal(fake_http_n_requests(f->http), 5);

    /* None of these is held back by that: another region, a write, other keys, another service. */
    start_some(f, &elsewhere, 1);
    assert_int_equal(fake_http_n_requests(f->http), 6);
    start_some(f, &write, 2);
    assert_int_equal(fake_http_n_requests(f->http), 7);
    f->credentials = other;
    start_some(f, &json_request, 1);
    f->credentials = own;
    assert_int_equal(fake_http_n_requests(f->http), 8);

    assert_sent_after(f, 200 * USEC_PER_MSEC, 9);
    assert_sent_after(f, 200 * USEC_PER_MSEC, 10);
    assert_sent_after(f, 650 * USEC_PER_MSEC, 11);
    assert_string_equal(sent(f, 10, "x-amz-target"), write.target);
    /* Signed when its turn came. */
    assert_string_equal(sent(f, 10, "x-amz-date"), "20261124T031001Z");
    assert_int_equal(f->n_done, 11);

    start_some(f, &(AwsRequest){ .service = AWS_SNS, .region = "eu-central-1", .body = "x", .body_len = 1 },
               100);
    assert_int_equal(fake_http_n_requests(f->http), 111);
    assert_int_equal(fake_http_n_left(f->http), 0);
    credentials_provider_free(other);
}

/* A call that would wait beyond its deadline is no use to anybody: it ends now, and takes nobody's turn. */
static void test_a_turn_beyond_the_deadline(void **state) {
    Fixture *f = *state;
    AwsRequest hurried = json_request;

    answer(f, 7);
    start_some(f, &json_request, 6);
    hurried.deadline_usec = 399 * USEC_PER_MSEC;
    f->n_done = 0;
    run(f, &hurried);
    assert_int_equal(f->n_done, 1);
    assert_int_equal(f->error.class, AWS_HELD_BACK);
    assert_int_equal(f->attempts, 0);
    assert_non_null(strstr(f->error.message, "cloudtrail.eu-central-1.amazonaws.com: held back"));
    start_some(f, &json_request, 1);
    assert_sent_after(f, 200 * USEC_PER_MSEC, 6);
    assert_sent_after(f, 200 * USEC_PER_MSEC, 7);
}

/* The loop was busy when the turn came, and the time is over: that is the answer, not a request without
 * time. */
static void test_a_turn_that_comes_late(void **state) {
    Fixture *f = *state;
    AwsRequest hurried = json_request;

    answer(f, 6);
    start_some(f, &json_request, 5);
    hurried.deadline_usec = 300 * USEC_PER_MSEC;
    f->n_done = 0;
    start_some(f, &hurried, 1);
    assert_int_equal(f->n_done, 0);
    fake_loop_stall(f->loop, 300 * USEC_PER_MSEC);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 1);
    assert_int_equal(f->error.class, AWS_TIMED_OUT);
    assert_non_null(strstr(f->error.message, "cloudtrail.eu-central-1.amazonaws.com: no answer in time"));
    assert_int_equal(fake_http_n_requests(f->http), 5);
    /* Its turn is there for the next one. */
    start_some(f, &json_request, 1);
    assert_int_equal(fake_http_n_requests(f->http), 6);
}

static void test_cancel_while_waiting_for_a_turn(void **state) {
    Fixture *f = *state;
    AwsCall *call;

    answer(f, 6);
    start_some(f, &json_request, 5);
    f->n_done = 0;
    call = run(f, &json_request);
    assert_int_equal(fake_loop_n_timers(f->loop), 1);
    aws_call_cancel(call);
    assert_int_equal(fake_loop_n_timers(f->loop), 0);
    /* Its turn is there for the next one. */
    start_some(f, &json_request, 1);
    assert_sent_after(f, 200 * USEC_PER_MSEC, 6);
    assert_int_equal(f->n_done, 1);
}

static void test_no_timer_for_a_turn(void **state) {
    Fixture *f = *state;

    answer(f, 5);
    start_some(f, &json_request, 5);
    f->n_done = 0;
    begin(f, &json_request);
    fake_loop_fail_after(f->loop, 0);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 1);
    assert_int_equal(f->error.class, AWS_INTERNAL);
    fake_loop_fail_after(f->loop, UINT32_MAX);
}

/* The first of a round that is throttled slows down those that still wait, and the retries. */
static void test_throttling_slows_down_who_waits(void **state) {
    Fixture *f = *state;

    fake_http_reply(f->http, 400, THROTTLED, NULL);
    answer(f, 7);
    start_some(f, &json_request, 7);
    assert_int_equal(fake_http_n_requests(f->http), 5);
    assert_int_equal(f->n_done, 4);
    /* 1/2 + 4/16 of 5 a second after four successes; the retry asked for its turn before them, at 400 ms. */
    fake_loop_advance(f->loop, 400 * USEC_PER_MSEC - 1);
    assert_int_equal(fake_http_n_requests(f->http), 5);
    fake_loop_advance(f->loop, 1);
    assert_int_equal(fake_http_n_requests(f->http), 6);
    fake_loop_advance(f->loop, 30 * USEC_PER_SEC);
    assert_int_equal(f->n_done, 7);
    assert_int_equal(fake_http_n_requests(f->http), 8);
}

/* Polls of a whole organization may wait for the same host. */
static void test_what_restores_a_trail_is_urgent(void **state) {
    static const struct {
        const char *operation;
        AwsService service;
        bool urgent;
    } cases[] = {
        { "StartLogging", AWS_CLOUDTRAIL, true },      { "UpdateTrail", AWS_CLOUDTRAIL, true },
        { "PutEventSelectors", AWS_CLOUDTRAIL, true }, { "CreateTrail", AWS_CLOUDTRAIL, true },
        { "GetTrailStatus", AWS_CLOUDTRAIL, false },   { "DescribeTrails", AWS_CLOUDTRAIL, false },
        { "LookupEvents", AWS_CLOUDTRAIL, false },     { "GetCallerIdentity", AWS_STS, false },
    };
    Fixture *f = *state;

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        AwsRequest request = json_request;

        request.operation = cases[i].operation;
        request.service = cases[i].service;
        fake_http_reply(f->http, 200, "{}", NULL);
        run_out(f, &request);
        assert_int_equal(fake_http_request(f->http, i)->urgent, cases[i].urgent);
    }
}

/* ---- targets that are down ---- */

/* Whoever timed out is in doubt until it answers; a refused connection or another region is not. */
static void test_a_target_that_timed_out_is_suspect(void **state) {
    static const bool suspect[] = { false, true, true, true, false, false, false };
    Fixture *f = *state;
    AwsRequest once = json_request, elsewhere = json_request;

    once.max_attempts = elsewhere.max_attempts = 1;
    elsewhere.region = "us-east-1";
    fake_http_fail(f->http, HTTP_TIMED_OUT, "slow");
    run_out(f, &once);
    fake_http_fail(f->http, HTTP_TIMED_OUT, "slow");
    run_out(f, &once);
    fake_http_fail(f->http, HTTP_CONNECT_FAILED, "refused");
    run_out(f, &once);
    fake_http_reply(f->http, 500, "", NULL);
    run_out(f, &once);
    fake_http_fail(f->http, HTTP_CONNECT_FAILED, "refused");
    run_out(f, &once);
    fake_http_reply(f->http, 200, "{}", NULL);
    run_out(f, &once);
    fake_http_reply(f->http, 200, "{}", NULL);
    run_out(f, &elsewhere);
    for (unsigned i = 0; i < ARRAY_SIZE(suspect); i++)
        assert_int_equal(fake_http_request(f->http, i)->suspect, suspect[i]);
    assert_true(fake_http_request(f->http, 0)->host_slot != 0);
    assert_true(fake_http_request(f->http, 0)->long_answer); /* CloudTrail's can be */
    assert_int_equal(fake_http_request(f->http, 1)->host_slot, fake_http_request(f->http, 0)->host_slot);
    assert_int_not_equal(fake_http_request(f->http, 6)->host_slot, fake_http_request(f->http, 0)->host_slot);
}

static void test_a_dead_target_costs_one_attempt_a_call(void **state) {
    static const struct {
        HttpResult result;
        int status;
    } cases[] = { { HTTP_CONNECT_FAILED, 0 }, { HTTP_TIMED_OUT, 0 }, { HTTP_ANSWERED, 503 } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        static const unsigned expected[] = { 3, 4, 5, 6 };
        AwsRequest elsewhere = json_request;
        Fixture *f;

        set_up(state);
        f = *state;
        for (unsigned n = 0; n < ARRAY_SIZE(expected); n++) {
            for (unsigned k = n == 0 ? 0 : expected[n - 1]; k < expected[n]; k++)
                if (cases[i].status)
                    fake_http_reply(f->http, cases[i].status, "", NULL);
                else
                    fake_http_fail(f->http, cases[i].result, "dead");
            run_out(f, &json_request);
            assert_int_equal(fake_http_n_requests(f->http), expected[n]);
        }
        /* Nobody else pays for it. */
        elsewhere.region = "us-east-1";
        fake_http_fail(f->http, HTTP_BROKEN, "once");
        fake_http_reply(f->http, 200, "{}", NULL);
        run_out(f, &elsewhere);
        assert_int_equal(fake_http_n_requests(f->http), 8);

        /* Any answer closes the circuit. */
        fake_http_reply(f->http, 400, "{\"__type\":\"AccessDeniedException\"}", NULL);
        run_out(f, &json_request);
        fake_http_fail(f->http, HTTP_BROKEN, "once");
        fake_http_reply(f->http, 200, "{}", NULL);
        run_out(f, &json_request);
        assert_int_equal(fake_http_n_requests(f->http), 11);
        assert_int_equal(f->error.class, AWS_OK);
        tear_down(state);
    }
}

/* Calls side by side: when one has found nobody, the others stop trying as well. */
static void test_a_dead_target_ends_the_retries_of_others(void **state) {
    Fixture *f = *state;
    AwsRequest hasty = json_request;

    for (unsigned i = 0; i < 3; i++)
        fake_http_fail(f->http, HTTP_TIMED_OUT, "dead");
    fake_loop_set_random(f->loop, UINT64_MAX);
    hasty.max_attempts = 1;
    start_some(f, &json_request, 2); /* both pause before their second attempts */
    start_some(f, &hasty, 1);
    assert_int_equal(f->n_done, 1);
    fake_http_fail(f->http, HTTP_TIMED_OUT, "dead");
    fake_http_fail(f->http, HTTP_TIMED_OUT, "dead");
    fake_loop_advance(f->loop, 30 * USEC_PER_SEC);
    assert_int_equal(f->n_done, 3);
    assert_int_equal(fake_http_n_requests(f->http), 5);
}

/* Throttling is an answer: somebody is there, and asking again gets through. */
static void test_throttling_opens_no_circuit(void **state) {
    Fixture *f = *state;

    for (unsigned i = 0; i < 3; i++)
        fake_http_reply(f->http, 400, THROTTLED, NULL);
    run_out(f, &json_request);
    fake_http_reply(f->http, 400, THROTTLED, NULL);
    fake_http_reply(f->http, 400, THROTTLED, NULL);
    fake_http_reply(f->http, 200, "{}", NULL);
    run_out(f, &json_request);
    assert_int_equal(f->error.class, AWS_OK);
    assert_int_equal(fake_http_n_requests(f->http), 6);
}

/* ---- deadlines ---- */

static void test_deadline_of_the_client(void **state) {
    Fixture *f = *state;
    AwsClient *slow;

    assert_int_equal(aws_client_deadline_usec(f->aws), 30 * USEC_PER_SEC);
    assert_int_equal(aws_client_new(fake_http_client(f->http), fake_loop_loop(f->loop),
                                    &(AwsLimits){ USEC_PER_SEC, 60 * USEC_PER_SEC, 10 }, NULL, &slow),
                     0);
    assert_int_equal(aws_client_deadline_usec(slow), 60 * USEC_PER_SEC);
    assert_ptr_equal(aws_client_loop(slow), fake_loop_loop(f->loop));
    aws_client_free(slow);
}

static void test_attempts_share_the_deadline(void **state) {
    Fixture *f = *state;
    AwsRequest request = json_request;

    request.deadline_usec = 12 * USEC_PER_SEC;
    fake_http_set_delay(f->http, 9 * USEC_PER_SEC);
    fake_http_reply(f->http, 500, "", NULL);
    fake_http_fail(f->http, HTTP_TIMED_OUT, "slow");
    run(f, &request);
    fake_loop_advance(f->loop, 30 * USEC_PER_SEC);
    assert_ended(f, AWS_TIMED_OUT, 2);
    assert_int_equal(fake_http_request(f->http, 0)->timeout_usec, 10 * USEC_PER_SEC);
    assert_int_equal(fake_http_request(f->http, 1)->timeout_usec, 3 * USEC_PER_SEC);
    assert_int_equal(fake_http_request(f->http, 1)->connect_timeout_usec, 3 * USEC_PER_SEC);
}

/* When the pause would outlast the deadline, the error that is known is told now. */
static void test_pause_beyond_the_deadline(void **state) {
    Fixture *f = *state;
    AwsRequest request = json_request;

    request.deadline_usec = 5 * USEC_PER_SEC;
    fake_http_reply(f->http, 503, "", "retry-after", "5", NULL);
    run(f, &request);
    assert_ended(f, AWS_UNAVAILABLE, 1);
}

static void test_endless_deadline_does_not_wrap(void **state) {
    Fixture *f = *state;
    AwsRequest request = json_request;

    request.deadline_usec = UINT64_MAX;
    fake_http_reply(f->http, 200, "{}", NULL);
    run(f, &request);
    assert_ended(f, AWS_OK, 1);
}

/* ---- credentials ---- */

static void test_no_credentials(void **state) {
    static const CredentialsStatus statuses[] = { CREDENTIALS_NONE, CREDENTIALS_FAILED };

    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
        Fixture *f;

        set_up(state);
        f = *state;
        f->inner->status = statuses[i];
        f->inner->message = "/etc/keys: Permission denied";
        run(f, &json_request);
        assert_ended(f, AWS_NO_CREDENTIALS, 0);
        assert_string_equal(f->error.message, "/etc/keys: Permission denied");
        tear_down(state);
    }
}

static void test_slow_credentials_time_out(void **state) {
    Fixture *f = *state;

    f->inner->slow = true;
    run(f, &json_request);
    fake_loop_advance(f->loop, 30 * USEC_PER_SEC - 1);
    assert_int_equal(f->n_done, 0);
    fake_loop_advance(f->loop, 1);
    assert_ended(f, AWS_TIMED_OUT, 0);
    assert_non_null(strstr(f->error.message, "cloudtrail.eu-central-1.amazonaws.com"));
    /* The late answer finds nobody. */
    source_answer(f->inner);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 1);
    assert_int_equal(fake_http_n_requests(f->http), 0);
}

static void test_expired_credentials_are_renewed_once(void **state) {
    Fixture *f = *state;
    AwsRequest request = json_request;

    /* Not counted as an attempt: one is all this call has. */
    request.max_attempts = 1;
    source_add(f->inner, "AKIDSECOND", "TOKEN2");
    fake_http_reply(f->http, 400, EXPIRED, NULL);
    fake_http_reply(f->http, 200, "{}", NULL);
    run(f, &request);
    assert_ended(f, AWS_OK, 2);
    assert_int_equal(f->inner->n_gets, 2);
    assert_non_null(strstr(sent(f, 0, "authorization"), "Credential=" KEY "/"));
    assert_non_null(strstr(sent(f, 1, "authorization"), "Credential=AKIDSECOND/"));
    assert_string_equal(sent(f, 1, "x-amz-security-token"), "TOKEN2");
}

static void test_expired_twice_ends(void **state) {
    Fixture *f = *state;

    source_add(f->inner, "AKIDSECOND", "TOKEN2");
    source_add(f->inner, "AKIDTHIRD", "TOKEN3");
    fake_http_reply(f->http, 400, EXPIRED, NULL);
    fake_http_reply(f->http, 400, EXPIRED, NULL);
    run(f, &json_request);
    assert_ended(f, AWS_EXPIRED, 2);
}

static void test_expired_without_news_asks_once(void **state) {
    Fixture *f = *state;

    fake_http_reply(f->http, 400, EXPIRED, "x-amzn-requestid", "id-9", NULL);
    run(f, &json_request);
    assert_ended(f, AWS_EXPIRED, 1);
    assert_int_equal(f->inner->n_gets, 2);
    assert_string_equal(f->error.code, "ExpiredTokenException");
    assert_string_equal(f->request_id, "id-9");
}

/* Keys that were replaced in their file and switched off. */
static void test_unknown_credentials_are_renewed_once(void **state) {
    Fixture *f = *state;

    source_add(f->inner, "AKIDSECOND", "TOKEN2");
    source_add(f->inner, "AKIDTHIRD", "TOKEN3");
    fake_http_reply(f->http, 400, UNRECOGNISED, NULL);
    fake_http_reply(f->http, 200, "{}", NULL);
    run(f, &json_request);
    assert_ended(f, AWS_OK, 2);
    assert_non_null(strstr(sent(f, 1, "authorization"), "Credential=AKIDSECOND/"));

    /* The next one is rejected too, and too soon after that to be replaced. */
    f->n_done = 0;
    fake_http_reply(f->http, 400, UNRECOGNISED, NULL);
    run(f, &json_request);
    assert_int_equal(f->n_done, 1);
    assert_int_equal(f->error.class, AWS_BAD_CREDENTIALS);
    assert_string_equal(f->error.code, "UnrecognizedClientException");
    assert_int_equal(f->inner->n_gets, 2);
    assert_int_equal(fake_http_n_requests(f->http), 3);
}

/* Many calls that fail with one set of credentials renew it once. */
static void test_expired_for_many_renews_once(void **state) {
    Fixture *f = *state;

    source_add(f->inner, "AKIDSECOND", "TOKEN2");
    for (unsigned i = 0; i < 10; i++)
        fake_http_reply(f->http, 400, EXPIRED, NULL);
    for (unsigned i = 0; i < 10; i++)
        fake_http_reply(f->http, 200, "{}", NULL);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(aws_call(f->aws, f->credentials, &json_request, on_done, f, NULL), 0);
    fake_loop_advance(f->loop, 10 * USEC_PER_SEC);
    assert_int_equal(f->n_done, 10);
    assert_int_equal(f->error.class, AWS_OK);
    assert_int_equal(f->inner->n_gets, 2);
    assert_int_equal(fake_http_n_requests(f->http), 20);
}

/* ---- clocks ---- */

static void on_noticed(const char *host, int64_t offset_usec, void *userdata) {
    Fixture *f = userdata;

    assert_string_equal(host, "cloudtrail.eu-central-1.amazonaws.com");
    f->n_noticed++;
    f->noticed_usec = offset_usec;
}

static void test_definite_skew_is_corrected(void **state) {
    Fixture *f = *state;
    AwsRequest request = json_request;

    request.max_attempts = 1;
    aws_client_set_skew_callback(f->aws, on_noticed, f);
    fake_http_reply(f->http, 403, SKEWED, "Date", "Tue, 24 Nov 2026 03:30:00 GMT", NULL);
    fake_http_reply(f->http, 200, "{}", NULL);
    run(f, &request);
    assert_ended(f, AWS_OK, 2);
    assert_string_equal(sent(f, 0, "x-amz-date"), "20261124T031000Z");
    assert_string_equal(sent(f, 1, "x-amz-date"), "20261124T033000Z");
    assert_int_equal(f->n_noticed, 1);
    assert_int_equal(f->noticed_usec, 20 * 60 * 1000000LL);

    /* The next call begins with the corrected clock. */
    fake_http_reply(f->http, 200, "{}", NULL);
    run(f, &request);
    assert_string_equal(sent(f, 2, "x-amz-date"), "20261124T033000Z");

    /* Somebody sets our clock right: the correction is undone, and told. */
    fake_loop_step_clock(f->loop, 20 * 60 * 1000000LL);
    fake_http_reply(f->http, 403, SKEWED, "Date", "Tue, 24 Nov 2026 03:30:00 GMT", NULL);
    fake_http_reply(f->http, 200, "{}", NULL);
    run(f, &request);
    assert_string_equal(sent(f, 4, "x-amz-date"), "20261124T033000Z");
    assert_int_equal(f->n_noticed, 2);
    assert_int_equal(f->noticed_usec, 0);
}

static void test_skew_is_corrected_once_a_call(void **state) {
    Fixture *f = *state;

    fake_http_reply(f->http, 403, SKEWED, "Date", "Tue, 24 Nov 2026 02:30:00 GMT", NULL);
    fake_http_reply(f->http, 403, SKEWED, "Date", "Tue, 24 Nov 2026 01:30:00 GMT", NULL);
    run(f, &json_request);
    assert_ended(f, AWS_SKEWED, 2);
    assert_string_equal(sent(f, 1, "x-amz-date"), "20261124T023000Z");
}

static void test_possible_skew(void **state) {
    static const struct {
        const char *date;
        bool corrected;
    } cases[] = {
        { "Tue, 24 Nov 2026 03:14:00 GMT", true },
        { "Tue, 24 Nov 2026 03:13:59 GMT", false },
        { "Tue, 24 Nov 2026 03:06:00 GMT", true },
        { "Tue, 24 Nov 2026 03:06:01 GMT", false },
        { "yesterday", false },
        { "", false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Fixture *f;

        set_up(state);
        f = *state;
        fake_http_reply(f->http, 403, BAD_SIGNATURE, "Date", cases[i].date, NULL);
        if (cases[i].corrected)
            fake_http_reply(f->http, 200, "{}", NULL);
        run(f, &json_request);
        assert_ended(f, cases[i].corrected ? AWS_OK : AWS_BAD_CREDENTIALS, cases[i].corrected ? 2 : 1);
        tear_down(state);
    }
}

static void test_plain_http_never_sets_the_clock(void **state) {
    Fixture *f = *state;

    aws_client_set_skew_callback(f->aws, on_noticed, f);
    fake_http_set_tls(f->http, false);
    fake_http_reply(f->http, 403, SKEWED, "Date", "Tue, 24 Nov 2026 03:30:00 GMT", NULL);
    run(f, &json_request);
    assert_ended(f, AWS_SKEWED, 1);
    assert_int_equal(f->n_noticed, 0);
}

/* A server in 1970 must not make the signing time wrap. */
static void test_absurd_dates(void **state) {
    static const char *const dates[] = {
        "Thu, 01 Jan 1970 00:00:01 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
    };

    for (size_t i = 0; i < ARRAY_SIZE(dates); i++) {
        Fixture *f;

        set_up(state);
        f = *state;
        fake_http_reply(f->http, 403, SKEWED, "Date", dates[i], NULL);
        fake_http_reply(f->http, 403, SKEWED, NULL);
        run(f, &json_request);
        assert_int_equal(f->n_done, 1);
        /* Our own clock then goes back: what is signed must still be a time. */
        fake_loop_step_clock(f->loop, -(int64_t)(START_SEC - 10) * 1000000);
        run(f, &json_request);
        fake_http_reply(f->http, 403, SKEWED, NULL);
        fake_loop_run(f->loop);
        assert_int_equal(f->n_done, 1);
        tear_down(state);
    }
}

/* ---- cancelling and running out ---- */

static void test_cancel_before_credentials(void **state) {
    Fixture *f = *state;

    aws_call_cancel(NULL);
    aws_call_cancel(begin(f, &json_request));
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 0);
    assert_int_equal(fake_http_n_requests(f->http), 0);
}

/* The source answers when it is destroyed; the cancelled call must be freed then, by nobody else. */
static void test_cancel_while_credentials_are_slow(void **state) {
    Fixture *f = *state;

    f->inner->slow = true;
    aws_call_cancel(run(f, &json_request));
    assert_int_equal(f->n_done, 0);
    assert_int_equal(fake_loop_n_timers(f->loop), 0);
}

static void test_source_destroyed_under_a_call(void **state) {
    Fixture *f = *state;

    f->inner->slow = true;
    run(f, &json_request);
    credentials_provider_free(f->credentials);
    f->credentials = NULL;
    assert_ended(f, AWS_NO_CREDENTIALS, 0);
    assert_string_equal(f->error.message, "cancelled");
}

static void test_cancel_in_flight(void **state) {
    Fixture *f = *state;
    AwsCall *call = run(f, &json_request);

    assert_int_equal(fake_http_n_running(f->http), 1);
    aws_call_cancel(call);
    assert_int_equal(fake_http_n_running(f->http), 0);
    fake_loop_advance(f->loop, 60 * USEC_PER_SEC);
    assert_int_equal(f->n_done, 0);
}

static void test_cancel_in_a_pause(void **state) {
    Fixture *f = *state;
    AwsCall *call;

    fake_loop_set_random(f->loop, UINT64_MAX);
    fake_http_reply(f->http, 500, "", NULL);
    call = run(f, &json_request);
    assert_int_equal(fake_http_n_running(f->http), 0);
    assert_int_equal(fake_loop_n_timers(f->loop), 1);
    aws_call_cancel(call);
    assert_int_equal(fake_loop_n_timers(f->loop), 0);
    assert_int_equal(f->n_done, 0);
}

static void test_cancel_while_renewing(void **state) {
    Fixture *f = *state;
    AwsCall *call;

    fake_http_set_delay(f->http, USEC_PER_SEC);
    fake_http_reply(f->http, 400, EXPIRED, NULL);
    call = run(f, &json_request);
    f->inner->slow = true;
    fake_loop_advance(f->loop, USEC_PER_SEC);
    assert_int_equal(f->inner->n_gets, 2);
    aws_call_cancel(call);
    assert_int_equal(f->n_done, 0);
}

typedef struct Canceller {
    Fixture *f;
    AwsCall *other;
} Canceller;

static void cancel_other(const AwsReply *reply, void *userdata) {
    Canceller *c = userdata;

    on_done(reply, c->f);
    aws_call_cancel(c->other);
}

static void test_cancel_another_from_inside_done(void **state) {
    Fixture *f = *state;
    Canceller c = { .f = f };

    assert_int_equal(aws_call(f->aws, f->credentials, &json_request, cancel_other, &c, NULL), 0);
    assert_int_equal(aws_call(f->aws, f->credentials, &json_request, on_done, f, &c.other), 0);
    fake_http_reply(f->http, 200, "{}", NULL);
    fake_http_reply(f->http, 200, "{}", NULL);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 1);
}

static void end_the_world(const AwsReply *reply, void *userdata) {
    Fixture *f = userdata;

    on_done(reply, f);
    credentials_provider_free(f->credentials);
    aws_client_free(f->aws);
    f->credentials = NULL;
    f->aws = NULL;
}

/* Both endings: from the transport, and from inside the credential cache's own callback. */
static void test_free_everything_from_inside_done(void **state) {
    for (unsigned i = 0; i < 2; i++) {
        Fixture *f;

        set_up(state);
        f = *state;
        if (i == 0)
            fake_http_reply(f->http, 200, "{}", NULL);
        else
            fake_http_refuse(f->http, -EMFILE);
        assert_int_equal(aws_call(f->aws, f->credentials, &json_request, end_the_world, f, NULL), 0);
        fake_loop_run(f->loop);
        assert_int_equal(f->n_done, 1);
        tear_down(state);
    }
}

static void test_refused_submit(void **state) {
    Fixture *f = *state;

    fake_http_refuse(f->http, -EMFILE);
    run(f, &json_request);
    assert_int_equal(f->n_done, 1);
    assert_int_equal(f->error.class, AWS_INTERNAL);
    assert_non_null(strstr(f->error.message, "cloudtrail.eu-central-1.amazonaws.com"));
}

static void test_what_cannot_begin(void **state) {
    static const char *const regions[] = { "", "nowhere", "eu-central-1.evil.example", "eu-central-1/" };
    Fixture *f = *state;
    AwsRequest request = json_request;

    for (size_t i = 0; i < ARRAY_SIZE(regions); i++) {
        request.region = regions[i];
        assert_int_equal(aws_call(f->aws, f->credentials, &request, on_done, f, NULL), -EINVAL);
    }
    for (unsigned n = 0; n < 2; n++) {
        fake_loop_fail_after(f->loop, n);
        assert_int_equal(aws_call(f->aws, f->credentials, &json_request, on_done, f, NULL), -ENOMEM);
    }
    fake_loop_fail_after(f->loop, UINT32_MAX);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* ---- who observes ---- */

typedef struct Seen {
    unsigned n_attempts, n_holds, holds;
    AwsCallView call, held;
    AwsError error;
    uint64_t duration_usec, held_usec;
    AwsHold hold;
} Seen;

static void see_attempt(const AwsCallView *call, const AwsError *error, uint64_t duration_usec,
                        void *userdata) {
    Seen *seen = userdata;

    seen->n_attempts++;
    seen->call = *call;
    seen->error = *error;
    seen->duration_usec = duration_usec;
}

static void see_hold(const AwsCallView *call, AwsHold hold, uint64_t usec, void *userdata) {
    Seen *seen = userdata;

    seen->n_holds++;
    seen->holds |= 1U << hold;
    seen->held = *call;
    seen->hold = hold;
    seen->held_usec = usec;
}

static void observe(Fixture *f, Seen *seen) {
    *seen = (Seen){ 0 };
    aws_client_set_observer(f->aws, &(AwsObserver){ see_attempt, see_hold, seen });
}

static void test_observer_sees_attempts_and_holds(void **state) {
    Fixture *f = *state;
    Seen seen;

    observe(f, &seen);
    fake_http_set_delay(f->http, 12 * USEC_PER_MSEC);
    fake_http_reply(f->http, 400, "{\"__type\":\"ThrottlingException\",\"message\":\"Rate exceeded\"}",
                    "x-amzn-RequestId", "id-1", NULL);
    fake_http_reply(f->http, 200, "{}", "x-amzn-RequestId", "id-2", NULL);
    run(f, &json_request);
    fake_loop_advance(f->loop, 12 * USEC_PER_MSEC);
    assert_int_equal(seen.n_attempts, 1);
    assert_string_equal(seen.call.service, "cloudtrail");
    assert_string_equal(seen.call.operation, "GetTrailStatus");
    assert_string_equal(seen.call.region, "eu-central-1");
    assert_ptr_equal(seen.call.credentials, f->credentials);
    assert_int_equal(seen.call.attempt, 1);
    assert_int_equal(seen.call.max_attempts, 3);
    assert_int_equal(seen.duration_usec, 12 * USEC_PER_MSEC);
    assert_int_equal(seen.error.class, AWS_THROTTLED);
    assert_int_equal(seen.error.http_status, 400);
    assert_string_equal(seen.error.request_id, "id-1");
    assert_true(seen.holds & (1U << AWS_HOLD_BACKOFF));
    assert_true(seen.holds & (1U << AWS_HOLD_RATE)); /* which has halved the rate */

    fake_loop_advance(f->loop, 30 * USEC_PER_SEC);
    assert_ended(f, AWS_OK, 2);
    assert_int_equal(seen.n_attempts, 2);
    assert_int_equal(seen.call.attempt, 2);
    assert_int_equal(seen.error.class, AWS_OK);
    assert_int_equal(seen.error.http_status, 200);
    assert_string_equal(seen.error.request_id, "id-2");
}

static void test_observer_sees_the_rate_limiter(void **state) {
    Fixture *f = *state;
    Seen seen;

    observe(f, &seen);
    for (int i = 0; i < 6; i++)
        fake_http_reply(f->http, 200, "{}", NULL);
    for (int i = 0; i < 6; i++)
        run(f, &json_request);
    assert_int_equal(seen.n_attempts, 5);
    assert_int_equal(seen.n_holds, 1);
    assert_int_equal(seen.hold, AWS_HOLD_RATE);
    assert_int_equal(seen.held.class, RATE_READ);
    assert_int_equal(seen.held_usec, 200 * USEC_PER_MSEC);
    aws_client_set_observer(f->aws, NULL);
    fake_loop_advance(f->loop, USEC_PER_SEC);
    assert_int_equal(seen.n_attempts, 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(test_observer_sees_attempts_and_holds),
        T(test_observer_sees_the_rate_limiter),
        T(test_json_request_is_signed_as_published),
        T(test_query_request_is_signed_as_published),
        T(test_overrides_change_url_and_signed_host),
        T(test_kinds_of_hosts),
        T(test_long_term_keys_send_no_token),
        cmocka_unit_test(test_transport_failures),
        cmocka_unit_test(test_answers),
        T(test_success_after_retry_and_max_attempts),
        T(test_back_off_takes_time),
        cmocka_unit_test(test_retry_after_is_honoured),
        T(test_quota_is_shared_by_a_scope_only),
        T(test_calls_wait_for_their_turn),
        T(test_a_turn_beyond_the_deadline),
        T(test_a_turn_that_comes_late),
        T(test_cancel_while_waiting_for_a_turn),
        T(test_no_timer_for_a_turn),
        T(test_throttling_slows_down_who_waits),
        T(test_what_restores_a_trail_is_urgent),
        T(test_a_target_that_timed_out_is_suspect),
        cmocka_unit_test(test_a_dead_target_costs_one_attempt_a_call),
        T(test_a_dead_target_ends_the_retries_of_others),
        T(test_throttling_opens_no_circuit),
        T(test_deadline_of_the_client),
        T(test_attempts_share_the_deadline),
        T(test_pause_beyond_the_deadline),
        T(test_endless_deadline_does_not_wrap),
        cmocka_unit_test(test_no_credentials),
        T(test_slow_credentials_time_out),
        T(test_expired_credentials_are_renewed_once),
        T(test_expired_twice_ends),
        T(test_expired_without_news_asks_once),
        T(test_expired_for_many_renews_once),
        T(test_unknown_credentials_are_renewed_once),
        T(test_definite_skew_is_corrected),
        T(test_skew_is_corrected_once_a_call),
        cmocka_unit_test(test_possible_skew),
        T(test_plain_http_never_sets_the_clock),
        cmocka_unit_test(test_absurd_dates),
        T(test_cancel_before_credentials),
        T(test_cancel_while_credentials_are_slow),
        T(test_source_destroyed_under_a_call),
        T(test_cancel_in_flight),
        T(test_cancel_in_a_pause),
        T(test_cancel_while_renewing),
        T(test_cancel_another_from_inside_done),
        cmocka_unit_test(test_free_everything_from_inside_done),
        T(test_refused_submit),
        T(test_what_cannot_begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
