/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/s3.h"
#include "lib/util/macros.h"
#include "tests/unit/service_fixture.h"

#define REGION "eu-central-1"
#define OWNER  "111122223333"

#define OPEN  "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
#define CLOSE "</LifecycleConfiguration>"

/* ---- lifecycle rules ---- */

static int read_rules(const char *text, S3Rules *ret) {
    return operation_read(&s3_get_lifecycle_operation, text, strlen(text), NULL, ret);
}

static void test_rules(void **state) {
    S3Rules rules;
    const S3Rule *r;

    (void)state;
    assert_int_equal(
            read_rules("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" OPEN
                       "<Rule><ID>nuke-cloudtrail-logs-after-1-day</ID><Filter><Prefix>*</Prefix></Filter>"
                       "<Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>"
                       "<Rule><ID>old</ID><Prefix>AWSLogs/</Prefix><Status>Disabled</Status><Expiration>"
                       "<Date>2025-01-01T00:00:00.000Z</Date></Expiration></Rule>"
                       "<Rule><Filter><And><Prefix>a&amp;b</Prefix><Tag><Key>k</Key><Value>v</Value></Tag>"
                       "</And></Filter><Status>Enabled</Status><NoncurrentVersionExpiration>"
                       "<NoncurrentDays>30</NoncurrentDays></NoncurrentVersionExpiration></Rule>"
                       "<Rule><ID>move</ID><Filter/><Status>Enabled</Status><Transition><Days>30</Days>"
                       "<StorageClass>GLACIER</StorageClass></Transition></Rule>" CLOSE,
                       &rules),
            0);
    assert_int_equal(rules.n, 4);
    r = &rules.items[0];
    assert_string_equal(r->id, "nuke-cloudtrail-logs-after-1-day");
    assert_string_equal(r->prefix, "*");
    assert_true(r->enabled);
    assert_int_equal(r->expiration_days, 1);
    assert_int_equal(r->expiration_usec, 0);
    r = &rules.items[1];
    assert_string_equal(r->prefix, "AWSLogs/");
    assert_false(r->enabled);
    assert_int_equal(r->expiration_days, 0);
    assert_true(r->expiration_usec == 1735689600000000);
    r = &rules.items[2];
    assert_string_equal(r->id, "");
    assert_string_equal(r->prefix, "a&b");
    r = &rules.items[3];
    assert_string_equal(r->prefix, "");
    assert_int_equal(r->expiration_days, 0);
    s3_rules_done(&rules);
    assert_int_equal(rules.n, 0);

    assert_int_equal(read_rules(OPEN CLOSE, &rules), 0);
    assert_int_equal(rules.n, 0);
    s3_rules_done(&rules);
    assert_int_equal(
            read_rules(OPEN "<Rule><Expiration><Days>99999999999999999999</Days></Expiration></Rule>" CLOSE,
                       &rules),
            0);
    assert_int_equal(rules.items[0].expiration_days, 1000000);
    s3_rules_done(&rules);
}

static void test_rules_that_are_none(void **state) {
    static const char *const cases[] = {
        "",
        "{}",
        "<Error/>",
        OPEN,
        OPEN "<Rule><ID>x</Rule>" CLOSE,
        OPEN "<Rule><Status>Maybe</Status></Rule>" CLOSE,
        OPEN "<Rule><Expiration><Days/></Expiration></Rule>" CLOSE,
        OPEN "<Rule><Expiration><Days>-1</Days></Expiration></Rule>" CLOSE,
        OPEN "<Rule><Expiration><Days>1d</Days></Expiration></Rule>" CLOSE,
        OPEN "<Rule><Expiration><Date>tomorrow</Date></Expiration></Rule>" CLOSE,
        "<!DOCTYPE x [<!ENTITY a \"b\">]>" OPEN CLOSE,
    };
    S3Rules rules = { .n = 42 };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (read_rules(cases[i], &rules) != -EBADMSG)
            fail_msg("accepted: %s", cases[i]);
    assert_int_equal(rules.n, 42);
}

static void test_ceilings(void **state) {
    size_t size = S3_RULES_MAX * 8 + 1000;
    char *text = malloc(size), *p = text;
    S3Rules rules;

    (void)state;
    assert_non_null(text);
    p += sprintf(p, OPEN);
    for (unsigned i = 0; i < S3_RULES_MAX; i++)
        p += sprintf(p, "<Rule/>");
    strcpy(p, CLOSE);
    assert_int_equal(read_rules(text, &rules), 0);
    assert_int_equal(rules.n, S3_RULES_MAX);
    s3_rules_done(&rules);
    strcpy(p, "<Rule/>" CLOSE);
    assert_int_equal(read_rules(text, &rules), -E2BIG);
    free(text);

    text = malloc(70000);
    memset(text, 'x', 69999);
    memcpy(text, OPEN "<Rule><ID>", strlen(OPEN "<Rule><ID>"));
    strcpy(text + 69000, "</ID></Rule>" CLOSE);
    assert_int_equal(read_rules(text, &rules), -EBADMSG);
    free(text);
}

/* ---- policies ---- */

static void test_policy(void **state) {
    static const char policy[] = "{ \"b\": [1], \"a\": null }";
    char *text = NULL;

    (void)state;
    assert_int_equal(operation_read(&s3_get_policy_operation, policy, strlen(policy), NULL, &text), 0);
    assert_string_equal(text, "{\"b\":[1]}");
    free(text);
    text = NULL;
    assert_int_equal(operation_read(&s3_get_policy_operation, "[]", 2, NULL, &text), -EBADMSG);
    assert_int_equal(operation_read(&s3_get_policy_operation, "<x/>", 4, NULL, &text), -EBADMSG);
    assert_null(text);
}

/* ---- calls ---- */

static void on_bucket(const AwsError *error, const char *region, void *userdata) {
    ServiceFixture *f = userdata;

    service_note(f, error, region != NULL);
    snprintf(f->text, sizeof(f->text), "%s", region ? region : "");
}

static void on_rules(const AwsError *error, const S3Rules *rules, void *userdata) {
    ServiceFixture *f = userdata;

    service_note(f, error, rules != NULL);
    snprintf(f->text, sizeof(f->text), "%zu rules", rules ? rules->n : 0);
}

static void on_policy(const AwsError *error, const char *policy, void *userdata) {
    ServiceFixture *f = userdata;

    service_note(f, error, policy != NULL);
    snprintf(f->text, sizeof(f->text), "%s", policy ? policy : "none");
}

static int head(ServiceFixture *f) {
    return s3_head_bucket(&(AwsCaller){ f->aws, f->credentials, REGION }, &(AwsBucket){ "logs", OWNER },
                          on_bucket, f, NULL);
}

static int get_rules(ServiceFixture *f) {
    return s3_get_lifecycle(&(AwsCaller){ f->aws, f->credentials, REGION }, &(AwsBucket){ "logs", OWNER },
                            on_rules, f, NULL);
}

static int get_policy(ServiceFixture *f) {
    return s3_get_policy(&(AwsCaller){ f->aws, f->credentials, REGION }, &(AwsBucket){ "logs", OWNER },
                         on_policy, f, NULL);
}

static const FakeRequest *last(const ServiceFixture *f) {
    return fake_http_request(f->http, fake_http_n_requests(f->http) - 1);
}

static void test_calls(void **state) {
    ServiceFixture *f = *state;

    fake_http_reply(f->http, 200, "", "x-amz-bucket-region", REGION, NULL);
    service_expect(f, head(f), AWS_OK, true);
    assert_string_equal(f->text, REGION);
    assert_string_equal(last(f)->method, "HEAD");
    assert_string_equal(last(f)->url, "https://logs.s3.eu-central-1.amazonaws.com/");
    assert_string_equal(fake_request_header(last(f), "x-amz-expected-bucket-owner"), OWNER);

    fake_http_reply(f->http, 200, OPEN "<Rule/>" CLOSE, NULL);
    service_expect(f, get_rules(f), AWS_OK, true);
    assert_string_equal(f->text, "1 rules");
    assert_string_equal(last(f)->url, "https://logs.s3.eu-central-1.amazonaws.com/?lifecycle");

    fake_http_reply(f->http, 200, "{\"a\":1}", NULL);
    service_expect(f, get_policy(f), AWS_OK, true);
    assert_string_equal(f->text, "{\"a\":1}");
    assert_string_equal(last(f)->url, "https://logs.s3.eu-central-1.amazonaws.com/?policy");
}

static void test_nothing_there_is_an_answer(void **state) {
    ServiceFixture *f = *state;

    fake_http_reply(f->http, 404,
                    "<Error><Code>NoSuchLifecycleConfiguration</Code><Message>x</Message></Error>",
                    "x-amz-request-id", "r", NULL);
    service_expect(f, get_rules(f), AWS_OK, true);
    assert_string_equal(f->text, "0 rules");
    fake_http_reply(f->http, 404, "<Error><Code>NoSuchBucketPolicy</Code><Message>x</Message></Error>",
                    NULL);
    service_expect(f, get_policy(f), AWS_OK, true);
    assert_string_equal(f->text, "");
}

/* HEAD has no body, so that its errors have no code. */
static void test_errors(void **state) {
    ServiceFixture *f = *state;

    fake_http_reply(f->http, 404, "", "x-amz-request-id", "r", NULL);
    service_expect(f, head(f), AWS_NOT_FOUND, false);
    assert_string_equal(f->error.code, "NoSuchBucket");
    fake_http_reply(f->http, 404, "", NULL);
    service_expect(f, head(f), AWS_INVALID, false);
    fake_http_reply(f->http, 403, "", "x-amz-request-id", "r", NULL);
    service_expect(f, head(f), AWS_DENIED, false);
    fake_http_reply(f->http, 404, "<Error><Code>NoSuchBucket</Code><Message>x</Message></Error>", NULL);
    service_expect(f, get_rules(f), AWS_NOT_FOUND, false);
    fake_http_reply(f->http, 503, "<Error><Code>SlowDown</Code><Message>x</Message></Error>", NULL);
    service_expect(f, get_policy(f), AWS_THROTTLED, false);
    fake_http_reply(f->http, 200, "<html/>", NULL);
    service_expect(f, get_rules(f), AWS_BAD_ANSWER, false);
    fake_http_reply(f->http, 200, "<html/>", NULL);
    service_expect(f, get_policy(f), AWS_BAD_ANSWER, false);
    fake_http_fail(f->http, HTTP_CONNECT_FAILED, "refused");
    service_expect(f, head(f), AWS_UNREACHABLE, false);
    assert_int_equal(s3_head_bucket(&(AwsCaller){ f->aws, f->credentials, REGION },
                                    &(AwsBucket){ "no/bucket", NULL }, on_bucket, f, NULL),
                     -EINVAL);
    assert_int_equal(s3_head_bucket(&(AwsCaller){ f->aws, f->credentials, "mars" },
                                    &(AwsBucket){ "logs", NULL }, on_bucket, f, NULL),
                     -EINVAL);
}

#define ELSEWHERE(region)                                                                                   \
    "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region is wrong</Message><Region>" region \
    "</Region></Error>"

static void test_bucket_elsewhere(void **state) {
    static const struct {
        int status;
        const char *body, *header; /* header NULL: the body says it */
    } cases[] = {
        { 301, "", "us-west-2" },
        { 307, "", "us-west-2" },
        { 400, "", "us-west-2" },
        { 400, ELSEWHERE("us-west-2"), NULL },
        { 301, "<Error><Code>PermanentRedirect</Code><Message>x</Message></Error>", "us-west-2" },
    };
    ServiceFixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *const headers[] = { "x-amz-bucket-region", cases[i].header, NULL };

        fake_http_reply_list(f->http, cases[i].status, cases[i].body, cases[i].header ? headers : NULL);
        fake_http_reply(f->http, 200, "{}", "x-amz-bucket-region", "us-west-2", NULL);
        service_expect(f, get_policy(f), AWS_OK, true);
        assert_string_equal(last(f)->url, "https://logs.s3.us-west-2.amazonaws.com/?policy");
        assert_non_null(strstr(fake_request_header(last(f), "authorization"), "/us-west-2/s3/aws4_request"));
        assert_string_equal(fake_request_header(last(f), "x-amz-expected-bucket-owner"), OWNER);
    }
    /* A second sending on is one too many. */
    fake_http_reply(f->http, 301, "", "x-amz-bucket-region", "us-west-2", NULL);
    fake_http_reply(f->http, 301, "", "x-amz-bucket-region", "eu-west-1", NULL);
    service_expect(f, head(f), AWS_WRONG_REGION, false);
    assert_int_equal(fake_http_n_left(f->http), 0);
}

/* Where a request goes is not for an answer alone to say. */
static void test_bucket_nowhere(void **state) {
    static const char *const regions[] = {
        REGION, "cn-north-1", "evil.example/", "", "us-west-2 ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };
    ServiceFixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(regions); i++) {
        unsigned n = fake_http_n_requests(f->http);

        fake_http_reply(f->http, 301, "<Error><Code>PermanentRedirect</Code><Message>x</Message></Error>",
                        "x-amz-bucket-region", regions[i], NULL);
        service_expect(f, get_policy(f), AWS_WRONG_REGION, false);
        assert_int_equal(fake_http_n_requests(f->http), n + 1);
    }
    fake_http_reply(f->http, 400, ELSEWHERE("mars"), NULL);
    service_expect(f, get_policy(f), AWS_INVALID, false);
}

static void test_cancelled(void **state) {
    ServiceFixture *f = *state;
    OperationCall *call;

    operation_cancel(NULL);
    fake_http_reply(f->http, 301, "", "x-amz-bucket-region", "us-west-2", NULL);
    assert_int_equal(s3_head_bucket(&(AwsCaller){ f->aws, f->credentials, REGION },
                                    &(AwsBucket){ "logs", OWNER }, on_bucket, f, &call),
                     0);
    fake_loop_run(f->loop);
    assert_int_equal(fake_http_n_running(f->http), 1);
    operation_cancel(call);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),      cmocka_unit_test(test_rules_that_are_none),
        cmocka_unit_test(test_ceilings),   cmocka_unit_test(test_policy),
        SERVICE_TEST(test_calls),          SERVICE_TEST(test_nothing_there_is_an_answer),
        SERVICE_TEST(test_errors),         SERVICE_TEST(test_bucket_elsewhere),
        SERVICE_TEST(test_bucket_nowhere), SERVICE_TEST(test_cancelled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
