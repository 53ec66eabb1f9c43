/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of roles, in virtual time against a scripted STS. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/call.h"
#include "lib/credentials/providers.h"
#include "lib/sts.h"
#include "lib/util/macros.h"
#include "tests/unit/between.h"
#include "tests/unit/fake_http.h"
#include "tests/unit/fake_loop.h"

#define ROLE "arn:aws:iam::444455556666:role/path/TrailGuard"
#define FORM                                                                                                \
    "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A444455556666%3Arole%2Fpath%"         \
    "2FTrailGuard"
#define SECRET "secret/that/must/not/show"
#define TEXT                                                                                                \
    "User: arn:aws:sts::111122223333:assumed-role/guard/i-0abc is not authorized to perform: "              \
    "sts:AssumeRole on resource: " ROLE
/* The fake loop's real time starts at 2026-11-24T03:10:00Z. */
#define ANSWER(key, expiration)                                                                             \
    "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>"            \
    "<Credentials><AccessKeyId>" key "</AccessKeyId><SecretAccessKey>" SECRET "</SecretAccessKey>"          \
    "<SessionToken>token of " key "</SessionToken><Expiration>" expiration "</Expiration></Credentials>"    \
    "<AssumedRoleUser><Arn>arn:aws:sts::444455556666:assumed-role/TrailGuard/x</Arn></AssumedRoleUser>"     \
    "</AssumeRoleResult></AssumeRoleResponse>"
#define FAILURE(code, text)                                                                                 \
    "<ErrorResponse "                                                                                       \
    "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>" code             \
    "</Code><Message>" text "</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"

static const StsRole role = { .arn = ROLE, .session_name = "trailguard-host" };

typedef struct Got {
    unsigned n;
    CredentialsStatus status;
    Credentials *credentials; /* a reference */
    char message[1024];
} Got;

typedef struct Fixture {
    FakeLoop *loop;
    FakeHttp *http;
    AwsClient *client;
    CredentialsProvider *base, *source;
    Got got;
} Fixture;

static int set_up(void **state) {
    static const AwsLimits limits = { 5 * USEC_PER_SEC, 10 * USEC_PER_SEC, 3 };
    Fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->loop = fake_loop_new();
    f->http = fake_http_new(f->loop);
    assert_int_equal(
            aws_client_new(fake_http_client(f->http), fake_loop_loop(f->loop), &limits, NULL, &f->client),
            0);
    assert_int_equal(credentials_env_new(fake_loop_loop(f->loop), "AKIDBASE", SECRET, "base", &f->base), 0);
    *state = f;
    return 0;
}

static void forget(Got *got) {
    credentials_unref(got->credentials);
    *got = (Got){ 0 };
}

static int tear_down(void **state) {
    Fixture *f = *state;

    credentials_provider_free(f->source);
    credentials_provider_free(f->base);
    aws_client_free(f->client);
    forget(&f->got);
    fake_http_free(f->http);
    fake_loop_free(f->loop);
    free(f);
    return 0;
}

static void on_done(CredentialsStatus status, Credentials *credentials, const char *message,
                    void *userdata) {
    Got *got = userdata;

    assert_null(strstr(message, SECRET));
    assert_null(strchr(message, '\n'));
    assert_int_equal(credentials != NULL, status == CREDENTIALS_OK);
    assert_int_equal(message[0] == '\0', status == CREDENTIALS_OK);
    credentials_ref(credentials);
    credentials_unref(got->credentials);
    got->credentials = credentials;
    got->status = status;
    got->n++;
    snprintf(got->message, sizeof(got->message), "%s", message);
}

static void ask(Fixture *f) {
    forget(&f->got);
    assert_int_equal(credentials_get(f->source, on_done, &f->got), 0);
    assert_int_equal(f->got.n, 0);
    fake_loop_run(f->loop);
}

static void assume(Fixture *f, const StsRole *r) {
    assert_int_equal(credentials_assume_role_new(f->client, f->base, "eu-west-1", r, &f->source), 0);
}

/* ---- what is asked, and what comes of it ---- */

static void test_ok(void **state) {
    static const StsRole full = {
        .arn = ROLE, .session_name = "a=b,c", .external_id = "ext/1:2", .duration_sec = 900
    };
    Fixture *f = *state;
    const FakeRequest *r;

    fake_http_reply(f->http, 200, ANSWER("ASIA1", "2026-11-24T04:10:00Z"), NULL);
    assume(f, &full);
    ask(f);
    assert_int_equal(f->got.n, 1);
    assert_int_equal(f->got.status, CREDENTIALS_OK);
    assert_string_equal(f->got.credentials->access_key_id, "ASIA1");
    assert_string_equal(f->got.credentials->secret_access_key, SECRET);
    assert_string_equal(f->got.credentials->session_token, "token of ASIA1");
    assert_string_equal(f->got.credentials->source, "assume_role");
    assert_int_equal(f->got.credentials->expires_usec, 1795493400ULL * USEC_PER_SEC);

    r = fake_http_request(f->http, 0);
    assert_string_equal(r->method, "POST");
    assert_string_equal(r->url, "https://sts.eu-west-1.amazonaws.com/");
    assert_string_equal(r->body,
                        FORM "&RoleSessionName=a%3Db%2Cc&ExternalId=ext%2F1%3A2&DurationSeconds=900");
    assert_string_equal(fake_request_header(r, "content-type"),
                        "application/x-www-form-urlencoded; charset=utf-8");
    assert_string_equal(fake_request_header(r, "x-amz-security-token"), "base");
    assert_non_null(strstr(fake_request_header(r, "authorization"), "/eu-west-1/sts/aws4_request"));
    assert_non_null(strstr(fake_request_header(r, "authorization"), "Credential=AKIDBASE/"));
}

/* The caller can tell a no from an outage. */
static void test_errors(void **state) {
    static const struct {
        int http;
        const char *body;
        CredentialsStatus status;
        const char *message;
    } cases[] = {
        { 403, FAILURE("AccessDenied", TEXT), CREDENTIALS_DENIED,
          "role " ROLE ": AccessDenied: " TEXT " (request id r-1)" },
        { 400, FAILURE("ValidationError", "too long"), CREDENTIALS_FAILED,
          "role " ROLE ": ValidationError: too long (request id r-1)" },
        { 403, FAILURE("InvalidClientTokenId", "no such key"), CREDENTIALS_FAILED,
          "role " ROLE ": InvalidClientTokenId: no such key (request id r-1)" },
        { 403, FAILURE("RegionDisabledException", "off"), CREDENTIALS_FAILED,
          "role " ROLE ": RegionDisabledException: off (request id r-1)" },
        { 200, "", CREDENTIALS_FAILED, "role " ROLE ": the answer to AssumeRole is bad: it cannot be read" },
        { 200, FAILURE("x", "y"), CREDENTIALS_FAILED,
          "role " ROLE ": the answer to AssumeRole is bad: AccessKeyId is missing" },
        { 200, ANSWER("", "2026-11-24T04:10:00Z"), CREDENTIALS_FAILED,
          "role " ROLE ": the answer to AssumeRole is bad: AccessKeyId is missing" },
        { 200, ANSWER("ASIA1", "tomorrow"), CREDENTIALS_FAILED,
          "role " ROLE ": the answer to AssumeRole is bad: Expiration is no time" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Fixture *f;

        set_up(state);
        f = *state;
        fake_http_reply(f->http, cases[i].http, cases[i].body, NULL);
        assume(f, &role);
        ask(f);
        assert_int_equal(f->got.n, 1);
        assert_string_equal(f->got.message, cases[i].message);
        assert_int_equal(f->got.status, cases[i].status);
        tear_down(state);
    }
}

static void test_outage_is_retried_and_ends_in_time(void **state) {
    Fixture *f = *state;
    uint64_t before = loop_monotonic_usec(fake_loop_loop(f->loop));

    for (unsigned i = 0; i < 3; i++)
        fake_http_reply(f->http, 503, "", NULL);
    assume(f, &role);
    ask(f);
    while (f->got.n == 0)
        assert_true(fake_loop_next(f->loop));
    assert_int_equal(f->got.status, CREDENTIALS_FAILED);
    assert_int_equal(fake_http_n_requests(f->http), 3);

    /* Nobody answers: half of the 30 s that a whole call may take. */
    forget(&f->got);
    before = loop_monotonic_usec(fake_loop_loop(f->loop));
    assert_int_equal(credentials_get(f->source, on_done, &f->got), 0);
    for (unsigned i = 0; i < 3; i++)
        fake_http_fail(f->http, HTTP_TIMED_OUT, "sts.eu-west-1.amazonaws.com: timed out");
    fake_http_set_delay(f->http, 10 * USEC_PER_SEC);
    while (f->got.n == 0)
        assert_true(fake_loop_next(f->loop));
    assert_int_equal(f->got.status, CREDENTIALS_FAILED);
    assert_string_equal(f->got.message, "role " ROLE ": sts.eu-west-1.amazonaws.com: timed out");
    assert_between(loop_monotonic_usec(fake_loop_loop(f->loop)) - before, 10 * USEC_PER_SEC,
                   20 * USEC_PER_SEC);
}

static void test_without_base_credentials(void **state) {
    Fixture *f = *state;

    credentials_provider_free(f->base);
    assert_int_equal(credentials_env_new(fake_loop_loop(f->loop), NULL, NULL, NULL, &f->base), 0);
    assume(f, &role);
    ask(f);
    assert_int_equal(f->got.status, CREDENTIALS_FAILED);
    assert_string_equal(f->got.message, "role " ROLE ": environment: AWS_ACCESS_KEY_ID is not set");
}

/* A role through a role: AWS's no to the first is a no to the second. */
static void test_chain(void **state) {
    static const StsRole second = { .arn = "arn:aws:iam::777788889999:role/Deep", .session_name = "s2" };
    Fixture *f = *state;
    CredentialsProvider *first;

    assume(f, &role);
    first = f->source;
    assert_int_equal(credentials_assume_role_new(f->client, first, "eu-west-1", &second, &f->source), 0);
    fake_http_reply(f->http, 200, ANSWER("ASIA1", "2026-11-24T04:10:00Z"), NULL);
    fake_http_reply(f->http, 200, ANSWER("ASIA2", "2026-11-24T04:10:00Z"), NULL);
    ask(f);
    assert_int_equal(f->got.status, CREDENTIALS_OK);
    assert_string_equal(f->got.credentials->access_key_id, "ASIA2");
    assert_string_equal(fake_request_header(fake_http_request(f->http, 1), "x-amz-security-token"),
                        "token of ASIA1");

    fake_http_reply(f->http, 403, FAILURE("AccessDenied", "no"), NULL);
    ask(f);
    assert_int_equal(f->got.status, CREDENTIALS_DENIED);
    assert_string_equal(f->got.message, "role arn:aws:iam::777788889999:role/Deep: role " ROLE
                                        ": AccessDenied: no (request id r-1)");
    credentials_provider_free(TAKE_PTR(f->source));
    credentials_provider_free(first);
}

/* ---- under a cache ---- */

static void on_reply(const AwsReply *reply, void *userdata) {
    AwsError *error = userdata;

    *error = reply->error;
}

/* One call in flight for all who wait, one session for all calls, and a refresh ahead of its end. */
static void test_cached(void **state) {
    Fixture *f = *state;
    CredentialsProvider *inner;
    Got others[20] = { 0 };

    assume(f, &role);
    inner = f->source;
    assert_int_equal(credentials_cache_new(fake_loop_loop(f->loop), inner, &f->source), 0);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_int_equal(credentials_get(f->source, on_done, &others[i]), 0);
    fake_http_set_delay(f->http, USEC_PER_SEC);
    fake_http_reply(f->http, 200, ANSWER("ASIA1", "2026-11-24T04:10:00Z"), NULL);
    fake_loop_advance(f->loop, 2 * USEC_PER_SEC);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        assert_int_equal(others[i].n, 1);
        assert_string_equal(others[i].credentials->access_key_id, "ASIA1");
        forget(&others[i]);
    }
    assert_int_equal(fake_http_n_requests(f->http), 1);

    /* STS is down at the refresh: the old session is used until its end, then the failure is told. */
    fake_loop_advance(f->loop, 50 * 60 * USEC_PER_SEC);
    fake_http_reply(f->http, 400, FAILURE("ValidationError", "down"), NULL);
    ask(f);
    assert_int_equal(f->got.status, CREDENTIALS_OK);
    fake_loop_advance(f->loop, 5 * 60 * USEC_PER_SEC);
    assert_int_equal(fake_http_n_requests(f->http), 2);
    fake_http_reply(f->http, 400, FAILURE("ValidationError", "down"), NULL);
    ask(f);
    assert_string_equal(f->got.credentials->access_key_id, "ASIA1");
    fake_loop_advance(f->loop, 6 * 60 * USEC_PER_SEC);
    fake_http_reply(f->http, 200, ANSWER("ASIA2", "2026-11-24T05:20:00Z"), NULL);
    ask(f);
    fake_loop_advance(f->loop, 2 * USEC_PER_SEC);
    assert_string_equal(f->got.credentials->access_key_id, "ASIA2");
    assert_int_equal(fake_http_n_requests(f->http), 4);
}

/* What a call with such credentials ends with: a no can be told from an outage. */
static void test_call_with_a_denied_role(void **state) {
    Fixture *f = *state;
    AwsError error = { .class = _AWS_ERROR_CLASS_MAX };
    const AwsRequest request = {
        .service = AWS_CLOUDTRAIL,
        .region = "eu-west-1",
        .protocol = AWS_PROTOCOL_JSON,
        .target = "T",
        .body = "{}",
        .body_len = 2,
    };

    assume(f, &role);
    fake_http_reply(f->http, 403, FAILURE("AccessDenied", "no"), NULL);
    assert_int_equal(aws_call(f->client, f->source, &request, on_reply, &error, NULL), 0);
    fake_loop_run(f->loop);
    assert_int_equal(error.class, AWS_NO_CREDENTIALS);
    assert_string_equal(error.code, "AccessDenied");
    assert_string_equal(error.message, "role " ROLE ": AccessDenied: no (request id r-1)");

    fake_http_reply(f->http, 400, FAILURE("ValidationError", "no"), NULL);
    assert_int_equal(aws_call(f->client, f->source, &request, on_reply, &error, NULL), 0);
    fake_loop_run(f->loop);
    assert_int_equal(error.class, AWS_NO_CREDENTIALS);
    assert_string_equal(error.code, "");
}

/* ---- ends ---- */

static void test_destroyed_while_asked(void **state) {
    static const uint64_t moments[] = { 0, USEC_PER_SEC };

    for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
        Fixture *f;
        Got other = { 0 };

        set_up(state);
        f = *state;
        assume(f, &role);
        assert_int_equal(credentials_get(f->source, on_done, &f->got), 0);
        assert_int_equal(credentials_get(f->source, on_done, &other), 0);
        if (moments[i])
            fake_loop_run(f->loop);
        assert_int_equal(fake_http_n_running(f->http), moments[i] ? 2 : 0);
        credentials_provider_free(TAKE_PTR(f->source));
        assert_int_equal(f->got.n, 1);
        assert_string_equal(f->got.message, "cancelled");
        assert_int_equal(other.n, 1);
        assert_int_equal(fake_http_n_running(f->http), 0);
        tear_down(state);
    }
}

/* The end of the session is told by AWS's clock, and kept by ours. */
static void test_clock_that_is_off(void **state) {
    Fixture *f = *state;

    fake_loop_step_clock(f->loop, 2 * 3600 * (int64_t)USEC_PER_SEC);
    fake_http_reply(f->http, 403, FAILURE("RequestTimeTooSkewed", "x"), "Date",
                    "Tue, 24 Nov 2026 03:10:00 GMT", NULL);
    fake_http_reply(f->http, 200, ANSWER("ASIA1", "2026-11-24T04:10:00Z"), NULL);
    assume(f, &role);
    ask(f);
    assert_int_equal(f->got.status, CREDENTIALS_OK);
    assert_int_equal(f->got.credentials->expires_usec,
                     loop_realtime_usec(fake_loop_loop(f->loop)) + 3600 * USEC_PER_SEC);
}

/* ---- pure parts ---- */

static void test_role_problem(void **state) {
    static const struct {
        StsRole role;
        const char *problem;
    } cases[] = {
        { { .arn = ROLE, .session_name = "ab" }, NULL },
        { { .arn = ROLE, .session_name = "ab", .external_id = "", .duration_sec = 43200 }, NULL },
        { { .arn = NULL, .session_name = "ab" }, "ARN" },
        { { .arn = "TrailGuard", .session_name = "ab" }, "ARN" },
        { { .arn = "arn:aws:iam::444455556666:user/x", .session_name = "ab" }, "ARN" },
        { { .arn = "arn:aws:iam::444455556666:role/", .session_name = "ab" }, "ARN" },
        { { .arn = "arn:aws:iam::444455556666:role/a b", .session_name = "ab" }, "ARN" },
        { { .arn = "arn:aws:iam:eu-west-1:444455556666:role/a", .session_name = "ab" }, "ARN" },
        { { .arn = "arn:aws:iam:::role/a", .session_name = "ab" }, "ARN" },
        { { .arn = ROLE, .session_name = NULL }, "session name" },
        { { .arn = ROLE, .session_name = "a" }, "session name" },
        { { .arn = ROLE, .session_name = "a b" }, "session name" },
        { { .arn = ROLE,
            .session_name = "0123456789012345678901234567890123456789012345678901234567890123" },
          NULL },
        { { .arn = ROLE,
            .session_name = "01234567890123456789012345678901234567890123456789012345678901234" },
          "session name" },
        { { .arn = ROLE, .session_name = "ab", .external_id = "x" }, "external id" },
        { { .arn = ROLE, .session_name = "ab", .external_id = "x y" }, "external id" },
        { { .arn = ROLE, .session_name = "ab", .duration_sec = 899 }, "duration" },
        { { .arn = ROLE, .session_name = "ab", .duration_sec = 43201 }, "duration" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *body = NULL;
        const char *problem = sts_role_problem(&cases[i].role);

        if (!problem != !cases[i].problem || (problem && !strstr(problem, cases[i].problem)))
            fail_msg("case %zu: %s", i, problem ? problem : "nothing");
        assert_int_equal(operation_build(&sts_assume_role_operation, &cases[i].role, NULL, &body),
                         problem ? -EINVAL : 0);
    }
}

static void test_session_name(void **state) {
    char name[STS_SESSION_NAME_MAX];

    (void)state;
    assert_string_equal(sts_session_name(name, "trailguard", "host.example.org"),
                        "trailguard-host.example.org");
    assert_string_equal(sts_session_name(name, "trailguard", NULL), "trailguard");
    assert_string_equal(sts_session_name(name, "trailguard", "a b/c\xc3\xa4"), "trailguard-a-b-c--");
    sts_session_name(name, "trailguard",
                     "0123456789012345678901234567890123456789012345678901234567890123456789");
    assert_int_equal(strlen(name), 64);
}

static void test_constructor(void **state) {
    Fixture *f = *state;
    const StsRole bad = { .arn = "x", .session_name = "ab" };

    assert_int_equal(credentials_assume_role_new(f->client, f->base, "eu-west-1", &bad, &f->source),
                     -EINVAL);
    assert_int_equal(credentials_assume_role_new(f->client, f->base, "mars", &role, &f->source), -EINVAL);
    assert_null(f->source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(test_ok),
        cmocka_unit_test(test_errors),
        TEST(test_outage_is_retried_and_ends_in_time),
        TEST(test_without_base_credentials),
        TEST(test_chain),
        TEST(test_cached),
        TEST(test_call_with_a_denied_role),
        cmocka_unit_test(test_destroyed_while_asked),
        TEST(test_clock_that_is_off),
        cmocka_unit_test(test_role_problem),
        cmocka_unit_test(test_session_name),
        TEST(test_constructor),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
