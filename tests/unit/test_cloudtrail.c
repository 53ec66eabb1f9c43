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

#include "lib/cloudtrail.h"
#include "lib/util/macros.h"
#include "tests/unit/service_fixture.h"

#define ARN    "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"
#define TARGET "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101."

/* ---- GetTrailStatus ---- */

static int read_status(const char *text, CloudTrailStatus *ret) {
    return operation_read(&cloudtrail_get_trail_status_operation, text, strlen(text), NULL, ret);
}

static void test_status_of_a_logging_trail(void **state) {
    CloudTrailStatus s;

    (void)state;
    assert_int_equal(
            read_status(
                    "{\"IsLogging\":true,\"StartLoggingTime\":1735689600,\"StopLoggingTime\":1.7356896E9,"
                    "\"LatestDeliveryTime\":1735689600.25,\"LatestDigestDeliveryTime\":null,"
                    "\"LatestDeliveryError\":\"NoSuchBucket\",\"LatestDigestDeliveryError\":\"\","
                    "\"LatestCloudWatchLogsDeliveryError\":\"a\",\"LatestNotificationError\":\"b\","
                    "\"TimeLoggingStarted\":\"2025-01-01T00:00:00Z\",\"Unheard\":[{}]}",
                    &s),
            0);
    assert_true(s.is_logging);
    assert_true(s.start_logging_usec == 1735689600000000);
    assert_true(s.stop_logging_usec == 1735689600000000);
    assert_true(s.latest_delivery_usec == 1735689600250000);
    assert_int_equal(s.latest_digest_delivery_usec, 0);
    assert_string_equal(s.delivery_error, "NoSuchBucket");
    assert_string_equal(s.digest_error, "");
    assert_string_equal(s.log_group_error, "a");
    assert_string_equal(s.notification_error, "b");
}

static void test_status_with_nothing_but_the_flag(void **state) {
    CloudTrailStatus s;

    (void)state;
    assert_int_equal(read_status("{\"IsLogging\":false}", &s), 0);
    assert_false(s.is_logging);
    assert_int_equal(s.start_logging_usec, 0);
    assert_int_equal(s.stop_logging_usec, 0);
    assert_string_equal(s.delivery_error, "");
}

static void test_status_that_is_none(void **state) {
    static const char *const cases[] = {
        "",
        "{",
        "[]",
        "null",
        "true",
        "{}",
        "{\"isLogging\":true}",
        "{\"IsLogging\":null}",
        "{\"IsLogging\":\"true\"}",
        "{\"IsLogging\":1}",
        "{\"IsLogging\":true,\"StartLoggingTime\":\"yesterday\"}",
        "{\"IsLogging\":true,\"StartLoggingTime\":\"2025-01-01\"}",
        "{\"IsLogging\":true,\"StartLoggingTime\":\"0x67748580\"}",
        "{\"IsLogging\":true,\"StopLoggingTime\":{}}",
        "{\"IsLogging\":true,\"LatestDeliveryTime\":true}",
        "{\"IsLogging\":true,\"LatestDeliveryError\":7}",
        "{\"IsLogging\":true,\"LatestNotificationError\":[]}",
        "{\"IsLogging\":true} trailing",
        "{\"IsLogging\":true,\"StartLoggingTime\":99999999999999999999999}",
        "{\"IsLogging\":true,\"LatestDeliveryError\":\"\xff\"}",
        "<html>busy</html>",
    };
    CloudTrailStatus s = { .stop_logging_usec = 42 };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (read_status(cases[i], &s) != -EBADMSG)
            fail_msg("accepted: %s", cases[i]);
    assert_int_equal(s.stop_logging_usec, 42); /* written on success only */
}

/* What stands in for AWS writes times as its language does. */
static void test_status_with_times_as_text(void **state) {
    static const struct {
        const char *text;
        uint64_t usec;
    } cases[] = {
        { "", 0 },
        { "1735689600", 1735689600000000 },
        { "1735689600.25", 1735689600250000 },
        { "1.7356896E9", 1735689600000000 },
        { "2025-01-01T00:00:00Z", 1735689600000000 },
        { "2025-01-01T00:00:00", 1735689600000000 },
        { "2025-01-01T00:00:00.250000", 1735689600250000 },
        { "2025-01-01T01:00:00.250+01:00", 1735689600250000 },
        { "2025-01-01 00:00:00+00:00", 1735689600000000 },
        { "Wed, 01 Jan 2025 00:00:00 GMT", 1735689600000000 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CloudTrailStatus s;
        char text[128];

        (void)snprintf(text, sizeof(text), "{\"IsLogging\":false,\"StopLoggingTime\":\"%s\"}",
                       cases[i].text);
        if (read_status(text, &s) != 0 || s.stop_logging_usec != cases[i].usec)
            fail_msg("%s", cases[i].text);
    }
}

static void test_status_odd_values(void **state) {
    CloudTrailStatus s;
    char text[512], longest[200];

    (void)state;
    assert_int_equal(read_status("{\"IsLogging\":true,\"StartLoggingTime\":-1,\"StopLoggingTime\":1e300,"
                                 "\"LatestDeliveryTime\":0}",
                                 &s),
                     0);
    assert_int_equal(s.start_logging_usec, 0);
    assert_int_equal(s.stop_logging_usec, 0);
    assert_int_equal(s.latest_delivery_usec, 0);
    memset(longest, 'e', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    snprintf(text, sizeof(text), "{\"IsLogging\":true,\"LatestDeliveryError\":\"%s\"}", longest);
    assert_int_equal(read_status(text, &s), 0);
    assert_int_equal(strlen(s.delivery_error), sizeof(s.delivery_error) - 1);
    /* The length counts, not the NUL. */
    assert_int_equal(
            operation_read(&cloudtrail_get_trail_status_operation, "{\"IsLogging\":true}x", 18, NULL, &s),
            0);
    assert_int_equal(
            operation_read(&cloudtrail_get_trail_status_operation, "{\"IsLogging\":true}", 17, NULL, &s),
            -EBADMSG);
}

/* ---- DescribeTrails ---- */

static int read_trails(const char *text, CloudTrailTrails *ret) {
    return operation_read(&cloudtrail_describe_trails_operation, text, strlen(text), NULL, ret);
}

static void test_trails(void **state) {
    CloudTrailTrails t;

    (void)state;
    assert_int_equal(
            read_trails("{\"trailList\":[{\"Name\":\"main\",\"TrailARN\":\"" ARN "\",\"HomeRegion\":"
                        "\"eu-central-1\",\"S3BucketName\":\"logs\",\"IsMultiRegionTrail\":true,"
                        "\"IsOrganizationTrail\":false,\"LogFileValidationEnabled\":true,\"Other\":1,"
                        "\"RecursiveLogging\":true},"
                        "{\"TrailARN\":\"arn:aws-cn:cloudtrail:cn-north-1:111122223333:trail/x-y\","
                        "\"IsOrganizationTrail\":true,\"S3BucketName\":null}]}",
                        &t),
            0);
    assert_int_equal(t.n, 2);
    assert_string_equal(t.items[0].name, "main");
    assert_string_equal(t.items[0].arn, ARN);
    assert_string_equal(t.items[0].home_region, "eu-central-1");
    assert_string_equal(t.items[0].bucket, "logs");
    assert_true(t.items[0].multi_region);
    assert_false(t.items[0].organization);
    assert_true(t.items[0].validation);
    assert_true(t.items[0].recursive && (t.items[0].present & CLOUDTRAIL_RECURSIVE));
    assert_string_equal(t.items[0].others, "{\"Other\":1}");
    assert_string_equal(t.items[1].others, "{}");
    assert_string_equal(t.items[1].name, "");
    assert_string_equal(t.items[1].home_region, "");
    assert_string_equal(t.items[1].bucket, "");
    assert_true(t.items[1].organization);
    assert_false(t.items[1].validation);
    assert_false(t.items[1].recursive || (t.items[1].present & CLOUDTRAIL_RECURSIVE));
    cloudtrail_trails_done(&t);
    assert_int_equal(t.n, 0);
    cloudtrail_trails_done(&t);

    assert_int_equal(read_trails("{\"trailList\":[]}", &t), 0);
    assert_int_equal(t.n, 0);
    cloudtrail_trails_done(&t);
}

/* A stand-in for AWS may list all that it knows of a trail: what other calls show is no setting, and changes
 * whenever the trail is stopped. */
static void test_what_other_calls_show_is_no_setting(void **state) {
    CloudTrailTrails t;

    (void)state;
    assert_int_equal(
            read_trails("{\"trailList\":[{\"TrailARN\":\"" ARN
                        "\",\"IsLogging\":true,\"StartLoggingTime\":1,\"StopLoggingTime\":2,"
                        "\"LatestDeliveryTime\":3,\"LatestDeliveryError\":\"x\","
                        "\"LatestDigestDeliveryTime\":4,"
                        "\"TimeLoggingStarted\":\"x\",\"TimeLoggingStopped\":\"x\",\"_StoppedAt\":5,"
                        "\"EventSelectors\":[{}],\"AdvancedEventSelectors\":[{}],\"InsightSelectors\":[{}],"
                        "\"Tags\":[{}],\"TagsList\":[{}],\"Latest\":1,\"IsLoggingAll\":1}]}",
                        &t),
            0);
    assert_string_equal(t.items[0].others, "{\"IsLoggingAll\":1,\"Latest\":1}");
    cloudtrail_trails_done(&t);
}

/* What AWS adds tomorrow is kept as it is, within ceilings, and the same of it every time. */
static void test_others(void **state) {
    static char text[64 * 1024];
    CloudTrailTrails t, copy;
    size_t len;

    (void)state;
    assert_int_equal(read_trails("{\"trailList\":[{\"TrailARN\":\"" ARN
                                 "\",\"SnsTopicName\":\"x\",\"B\":[1,{\"d\":2}],"
                                 "\"A\":false,\"None\":null,\"Empty\":\"\",\"List\":[],\"Object\":{}}]}",
                                 &t),
                     0);
    assert_string_equal(t.items[0].others, "{\"A\":false,\"B\":[1,{\"d\":2}]}");
    assert_int_equal(cloudtrail_trails_copy(&t, &copy), 0);
    cloudtrail_trails_done(&t);
    assert_string_equal(copy.items[0].others, "{\"A\":false,\"B\":[1,{\"d\":2}]}");
    cloudtrail_trails_done(&copy);

    /* the first by name, and none that is longer than the ceiling */
    len = (size_t)snprintf(text, sizeof(text), "{\"trailList\":[{\"TrailARN\":\"" ARN "\",\"A\":\"%0*d\"",
                           CLOUDTRAIL_OTHER_SIZE_MAX, 0);
    for (unsigned i = 0; i < 2 * CLOUDTRAIL_OTHERS_MAX; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, ",\"M%02u\":%u",
                                2 * CLOUDTRAIL_OTHERS_MAX - 1 - i, i);
    (void)snprintf(text + len, sizeof(text) - len, "}]}");
    assert_int_equal(read_trails(text, &t), 0);
    assert_null(strstr(t.items[0].others, "\"A\""));
    assert_non_null(strstr(t.items[0].others, "\"M00\""));
    assert_non_null(strstr(t.items[0].others, "\"M15\""));
    assert_null(strstr(t.items[0].others, "\"M16\""));
    cloudtrail_trails_done(&t);
}

static void test_every_setting(void **state) {
    static const char text[] =
            "{\"trailList\":[{\"Name\":\"main\",\"TrailARN\":\"" ARN "\",\"S3BucketName\":\"b\","
            "\"S3KeyPrefix\":\"p\",\"SnsTopicARN\":\"arn:aws:sns:eu-central-1:111122223333:t\","
            "\"SnsTopicName\":\"retired\",\"CloudWatchLogsLogGroupArn\":\"g\","
            "\"CloudWatchLogsRoleArn\":\"r\",\"KmsKeyId\":\"k\",\"IncludeGlobalServiceEvents\":true,"
            "\"IsMultiRegionTrail\":false,\"LogFileValidationEnabled\":null,"
            "\"HasCustomEventSelectors\":true,\"HasInsightSelectors\":true}]}";
    CloudTrailTrails t, copy;

    (void)state;
    assert_int_equal(read_trails(text, &t), 0);
    assert_int_equal(cloudtrail_trails_copy(&t, &copy), 0);
    cloudtrail_trails_done(&t);
    assert_int_equal(copy.n, 1);
    assert_string_equal(copy.items[0].bucket, "b");
    assert_string_equal(copy.items[0].prefix, "p");
    assert_string_equal(copy.items[0].sns_topic, "arn:aws:sns:eu-central-1:111122223333:t");
    assert_string_equal(copy.items[0].log_group, "g");
    assert_string_equal(copy.items[0].log_role, "r");
    assert_string_equal(copy.items[0].kms_key, "k");
    assert_true(copy.items[0].global_events);
    assert_true(copy.items[0].has_custom_event_selectors);
    assert_true(copy.items[0].has_insight_selectors);
    assert_false(copy.items[0].multi_region);
    assert_false(copy.items[0].validation);
    assert_false(copy.items[0].organization);
    /* What is null or absent is not "off". */
    assert_int_equal(copy.items[0].present, CLOUDTRAIL_MULTI_REGION | CLOUDTRAIL_GLOBAL_EVENTS |
                                                    CLOUDTRAIL_CUSTOM_SELECTORS |
                                                    CLOUDTRAIL_INSIGHT_SELECTORS);
    cloudtrail_trails_done(&copy);

    assert_int_equal(read_trails("{\"trailList\":[{\"TrailARN\":\"" ARN "\"}]}", &t), 0);
    assert_int_equal(t.items[0].present, 0);
    assert_string_equal(t.items[0].prefix, "");
    assert_string_equal(t.items[0].kms_key, "");
    cloudtrail_trails_done(&t);
}

/* An answer that is only half understood would look like trails that are gone. */
static void test_trails_that_are_none(void **state) {
    static const char *const cases[] = {
        "",
        "[]",
        "{}",
        "{\"TrailList\":[]}",
        "{\"trailList\":null}",
        "{\"trailList\":{}}",
        "{\"trailList\":[null]}",
        "{\"trailList\":[7]}",
        "{\"trailList\":[{}]}",
        "{\"trailList\":[{\"Name\":\"main\"}]}",
        "{\"trailList\":[{\"TrailARN\":\"main\"}]}",
        "{\"trailList\":[{\"TrailARN\":\"arn:aws:s3:::bucket\"}]}",
        "{\"trailList\":[{\"TrailARN\":\"" ARN "\"},{\"TrailARN\":null}]}",
        "{\"trailList\":[{\"TrailARN\":\"" ARN "\",\"Name\":7}]}",
        "{\"trailList\":[{\"TrailARN\":\"" ARN "\",\"KmsKeyId\":{}}]}",
        "{\"trailList\":[{\"TrailARN\":\"" ARN "\",\"HasInsightSelectors\":1}]}",
        "{\"trailList\":[{\"TrailARN\":\"" ARN "\",\"IsMultiRegionTrail\":\"yes\"}]}",
        "{\"trailList\":[{\"TrailARN\":\"" ARN "\\n\"}]}",
        "{\"trailList\":[{\"TrailARN\":\"" ARN "\"}",
    };
    CloudTrailTrails t = { .n = 42 };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (read_trails(cases[i], &t) != -EBADMSG)
            fail_msg("accepted: %s", cases[i]);
    assert_int_equal(t.n, 42);
}

static void test_too_many_trails(void **state) {
    char *text = malloc(100 * (CLOUDTRAIL_TRAILS_MAX + 2)), *p = text;
    CloudTrailTrails t;

    (void)state;
    assert_non_null(text);
    p += sprintf(p, "{\"trailList\":[{\"TrailARN\":\"" ARN "\"}");
    for (unsigned i = 1; i < CLOUDTRAIL_TRAILS_MAX; i++)
        p += sprintf(p, ",{\"TrailARN\":\"" ARN "\"}");
    memcpy(p, "]}", 3);
    assert_int_equal(read_trails(text, &t), 0);
    assert_int_equal(t.n, CLOUDTRAIL_TRAILS_MAX);
    cloudtrail_trails_done(&t);
    sprintf(p, ",{\"TrailARN\":\"" ARN "\"}]}");
    assert_int_equal(read_trails(text, &t), -E2BIG);
    free(text);
}

static void test_build_name(void **state) {
    char *body = NULL;

    (void)state;
    assert_int_equal(operation_build(&cloudtrail_get_trail_status_operation, ARN, NULL, &body), 0);
    assert_string_equal(body, "{\"Name\":\"" ARN "\"}");
    free(body);
    assert_int_equal(operation_build(&cloudtrail_get_trail_status_operation, "a\"b\\c\n", NULL, &body), 0);
    assert_string_equal(body, "{\"Name\":\"a\\\"b\\\\c\\n\"}");
    free(body);
    body = NULL;
    assert_int_equal(operation_build(&cloudtrail_get_trail_status_operation, "\xff", NULL, &body), -EINVAL);
    assert_null(body);
}

/* ---- calls ---- */

static void on_trails(const AwsError *error, const CloudTrailTrails *trails, void *userdata) {
    ServiceFixture *f = userdata;

    service_note(f, error, trails != NULL);
    snprintf(f->text, sizeof(f->text), "%zu trails", trails ? trails->n : 0);
}

static void on_status(const AwsError *error, const CloudTrailStatus *status, void *userdata) {
    ServiceFixture *f = userdata;

    service_note(f, error, status != NULL);
    snprintf(f->text, sizeof(f->text), "%s", status && status->is_logging ? "logging" : "");
}

static void on_plain(const AwsError *error, void *userdata) {
    service_note(userdata, error, error->class == AWS_OK);
}

static void assert_sent(const ServiceFixture *f, const char *operation, const char *body) {
    const FakeRequest *r = fake_http_request(f->http, fake_http_n_requests(f->http) - 1);
    char target[128];

    snprintf(target, sizeof(target), TARGET "%s", operation);
    service_assert_json(f, target, body);
    assert_string_equal(r->url, "https://cloudtrail.eu-central-1.amazonaws.com/");
}

static void test_calls(void **state) {
    ServiceFixture *f = *state;
    fake_http_reply(f->http, 200, "{\"trailList\":[{\"TrailARN\":\"" ARN "\"}]}", NULL);
    assert_int_equal(cloudtrail_describe_trails(&(AwsCaller){ f->aws, f->credentials, "eu-central-1" }, NULL,
                                                on_trails, f, NULL),
                     0);
    assert_int_equal(f->n_done, 0);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 1);
    assert_int_equal(f->error.class, AWS_OK);
    assert_string_equal(f->text, "1 trails");
    assert_sent(f, "DescribeTrails", "{\"includeShadowTrails\":true}");

    fake_http_reply(f->http, 200, "{\"IsLogging\":true}", NULL);
    assert_int_equal(cloudtrail_get_trail_status(&(AwsCaller){ f->aws, f->credentials, "eu-central-1" }, ARN,
                                                 on_status, f, NULL),
                     0);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 2);
    assert_string_equal(f->text, "logging");
    assert_sent(f, "GetTrailStatus", "{\"Name\":\"" ARN "\"}");

    fake_http_reply(f->http, 200, "{}", NULL);
    assert_int_equal(cloudtrail_start_logging(&(AwsCaller){ f->aws, f->credentials, "eu-central-1" }, ARN,
                                              on_plain, f, NULL),
                     0);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 3);
    assert_int_equal(f->error.class, AWS_OK);
    assert_sent(f, "StartLogging", "{\"Name\":\"" ARN "\"}");
}

static void test_calls_that_fail(void **state) {
    ServiceFixture *f = *state;

    fake_http_reply(f->http, 200, "{\"trailList\":7}", "x-amzn-requestid", "id-7", NULL);
    assert_int_equal(cloudtrail_describe_trails(&(AwsCaller){ f->aws, f->credentials, "eu-central-1" }, NULL,
                                                on_trails, f, NULL),
                     0);
    fake_loop_run(f->loop);
    assert_int_equal(f->error.class, AWS_BAD_ANSWER);
    assert_string_equal(f->error.request_id, "id-7");
    assert_false(f->has_result);

    fake_http_reply(f->http, 200, "", NULL);
    assert_int_equal(cloudtrail_get_trail_status(&(AwsCaller){ f->aws, f->credentials, "eu-central-1" }, ARN,
                                                 on_status, f, NULL),
                     0);
    fake_loop_run(f->loop);
    assert_int_equal(f->error.class, AWS_BAD_ANSWER);
    assert_false(f->has_result);

    fake_http_reply(f->http, 400, "{\"__type\":\"TrailNotFoundException\",\"message\":\"x\"}", NULL);
    assert_int_equal(cloudtrail_start_logging(&(AwsCaller){ f->aws, f->credentials, "eu-central-1" }, ARN,
                                              on_plain, f, NULL),
                     0);
    fake_loop_run(f->loop);
    assert_int_equal(f->error.class, AWS_NOT_FOUND);
    assert_int_equal(f->n_done, 3);

    assert_int_equal(cloudtrail_describe_trails(&(AwsCaller){ f->aws, f->credentials, "mars" }, NULL,
                                                on_trails, f, NULL),
                     -EINVAL);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 3);
}

static void test_cancelled_calls(void **state) {
    ServiceFixture *f = *state;
    OperationCall *a, *b;

    operation_cancel(NULL);
    assert_int_equal(cloudtrail_describe_trails(&(AwsCaller){ f->aws, f->credentials, "eu-central-1" }, NULL,
                                                on_trails, f, &a),
                     0);
    assert_int_equal(cloudtrail_start_logging(&(AwsCaller){ f->aws, f->credentials, "eu-central-1" }, ARN,
                                              on_plain, f, &b),
                     0);
    operation_cancel(a);
    fake_loop_run(f->loop);
    assert_int_equal(fake_http_n_running(f->http), 1);
    operation_cancel(b);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_of_a_logging_trail),
        cmocka_unit_test(test_status_with_nothing_but_the_flag),
        cmocka_unit_test(test_status_that_is_none),
        cmocka_unit_test(test_status_with_times_as_text),
        cmocka_unit_test(test_status_odd_values),
        cmocka_unit_test(test_trails),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_what_other_calls_show_is_no_setting),
        cmocka_unit_test(test_every_setting),
        cmocka_unit_test(test_trails_that_are_none),
        cmocka_unit_test(test_too_many_trails),
        cmocka_unit_test(test_build_name),
        SERVICE_TEST(test_calls),
        SERVICE_TEST(test_calls_that_fail),
        SERVICE_TEST(test_cancelled_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
