/* SPDX-License-Identifier: Apache-2.0 */
/* Requests whose URL says it all, as they are sent and signed; and the path that any request signs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "tests/unit/service_fixture.h"

#define VECTOR_TIME_SEC 1735787045 /* 2025-01-02T03:04:05Z */

static void on_done(const AwsReply *reply, void *userdata) {
    ServiceFixture *f = userdata;

    f->n_done++;
    f->error = reply->error;
    f->has_result = reply->response != NULL;
    text_copy(f->text, sizeof(f->text), reply->error.request_id);
}

static int ask(ServiceFixture *f, const AwsBucketRequest *bucket) {
    return aws_call(f->aws, f->credentials,
                    &(AwsRequest){
                            .service = AWS_S3,
                            .region = "eu-central-1",
                            .protocol = AWS_PROTOCOL_S3,
                            .bucket = bucket,
                    },
                    on_done, f, NULL);
}

static void use_overrides(ServiceFixture *f, const EndpointOverrides *overrides) {
    static const AwsLimits limits = { USEC_PER_SEC, USEC_PER_SEC, 1 };

    aws_client_free(f->aws);
    assert_int_equal(
            aws_client_new(fake_http_client(f->http), fake_loop_loop(f->loop), &limits, overrides, &f->aws),
            0);
}

/* To the second that the vectors were made for; calls may have moved the clock meanwhile. */
static void set_vector_time(ServiceFixture *f) {
    uint64_t now = loop_realtime_usec(fake_loop_loop(f->loop));

    fake_loop_step_clock(f->loop, (int64_t)(VECTOR_TIME_SEC * USEC_PER_SEC) - (int64_t)now);
}

static const FakeRequest *last(const ServiceFixture *f) {
    return fake_http_request(f->http, fake_http_n_requests(f->http) - 1);
}

static void assert_signature(const ServiceFixture *f, const char *signature) {
    const char *found = strstr(fake_request_header(last(f), "authorization"), "Signature=");

    assert_non_null(found);
    assert_string_equal(found + strlen("Signature="), signature);
}

/* The signatures are botocore's. */
static void test_what_is_sent(void **state) {
    ServiceFixture *f = *state;

    set_vector_time(f);
    fake_http_reply(f->http, 200, "<x/>", "x-amz-request-id", "id-1", NULL);
    service_expect(f, ask(f, &(AwsBucketRequest){ "GET", "logs", "lifecycle", "111122223333" }), AWS_OK,
                   true);
    assert_string_equal(f->text, "id-1");
    assert_string_equal(last(f)->method, "GET");
    assert_string_equal(last(f)->url, "https://logs.s3.eu-central-1.amazonaws.com/?lifecycle");
    assert_string_equal(last(f)->body, "");
    assert_string_equal(fake_request_header(last(f), "host"), "logs.s3.eu-central-1.amazonaws.com");
    assert_string_equal(fake_request_header(last(f), "x-amz-expected-bucket-owner"), "111122223333");
    assert_null(fake_request_header(last(f), "content-type"));
    assert_signature(f, "32f75e54975d0ab1e3364fbf6f258a2074d96aa483ced714c330853414bc3bca");

    set_vector_time(f);
    fake_http_reply(f->http, 200, "", NULL);
    service_expect(f, ask(f, &(AwsBucketRequest){ "HEAD", "my.logs", NULL, "111122223333" }), AWS_OK, true);
    assert_string_equal(last(f)->method, "HEAD");
    assert_string_equal(last(f)->url, "https://s3.eu-central-1.amazonaws.com/my.logs");
    assert_signature(f, "8a523d478462d34d13da5234ba6a3c777908f64b9caf237d60fabf257d6e2a1e");

    fake_http_reply(f->http, 200, "", NULL);
    service_expect(f, ask(f, &(AwsBucketRequest){ "GET", "logs", NULL, NULL }), AWS_OK, true);
    assert_string_equal(last(f)->url, "https://logs.s3.eu-central-1.amazonaws.com/");
    assert_null(fake_request_header(last(f), "x-amz-expected-bucket-owner"));
}

static void test_overridden(void **state) {
    ServiceFixture *f = *state;

    use_overrides(f, &(EndpointOverrides){ .service_url[AWS_S3] = "http://127.0.0.1:4566" });
    fake_http_reply(f->http, 200, "{}", NULL);
    service_expect(f, ask(f, &(AwsBucketRequest){ "GET", "logs", "policy", NULL }), AWS_OK, true);
    assert_string_equal(last(f)->url, "http://127.0.0.1:4566/logs?policy");
    assert_string_equal(fake_request_header(last(f), "host"), "127.0.0.1:4566");
}

/* What is signed is what is sent: an endpoint behind a path, too. */
static void test_path_of_an_override_is_signed(void **state) {
    ServiceFixture *f = *state;
    static const char body[] = "{\"Name\":\"x\"}";

    use_overrides(f, &(EndpointOverrides){ .url = "https://proxy.example/aws" });
    set_vector_time(f);
    fake_http_reply(f->http, 200, "{}", NULL);
    service_expect(f,
                   aws_call(f->aws, f->credentials,
                            &(AwsRequest){
                                    .service = AWS_CLOUDTRAIL,
                                    .region = "eu-central-1",
                                    .protocol = AWS_PROTOCOL_JSON,
                                    .target = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101."
                                              "GetTrailStatus",
                                    .body = body,
                                    .body_len = sizeof(body) - 1,
                            },
                            on_done, f, NULL),
                   AWS_OK, true);
    assert_string_equal(last(f)->url, "https://proxy.example/aws/");
    assert_signature(f, "ff838e0fcb6eebdd3bed0abdb42f627bd4d014a84516ac16433b68a1301c00ca");
}

static void test_what_is_not_sent(void **state) {
    ServiceFixture *f = *state;

    assert_int_equal(ask(f, &(AwsBucketRequest){ "GET", "a/../b", NULL, NULL }), -EINVAL);
    assert_int_equal(ask(f, &(AwsBucketRequest){ "GET", "", NULL, NULL }), -EINVAL);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 0);
    assert_int_equal(fake_http_n_requests(f->http), 0);
}

/* Errors show the answer they came from, and failures of the transport have one that was none. */
static void test_failures(void **state) {
    ServiceFixture *f = *state;
    const AwsBucketRequest request = { "GET", "logs", "policy", NULL };

    fake_http_reply(
            f->http, 404,
            "<Error><Code>NoSuchBucket</Code><Message>The bucket</Message><RequestId>r</RequestId></Error>",
            NULL);
    service_expect(f, ask(f, &request), AWS_NOT_FOUND, true);
    assert_string_equal(f->error.code, "NoSuchBucket");
    assert_string_equal(f->text, "r");
    fake_http_fail(f->http, HTTP_TIMED_OUT, "late");
    service_expect(f, ask(f, &request), AWS_TIMED_OUT, true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SERVICE_TEST(test_what_is_sent),
        SERVICE_TEST(test_overridden),
        SERVICE_TEST(test_path_of_an_override_is_signed),
        SERVICE_TEST(test_what_is_not_sent),
        SERVICE_TEST(test_failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
