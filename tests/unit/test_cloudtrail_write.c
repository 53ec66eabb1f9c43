/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cloudtrail.h"
#include "lib/util/macros.h"
#include "tests/unit/service_fixture.h"

#define REGION "eu-central-1"
#define ARN    "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"
#define TARGET "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101."

static CloudTrailTag two_tags[] = { { (char *)"team", (char *)"sec" }, { (char *)"empty", (char *)"" } };
static const CloudTrailTags tags = { two_tags, 2 };

/* The builder said r and gave body: expected, or NULL for -EINVAL. */
static void assert_built(int r, char *body, const char *expected) {
    assert_int_equal(r, expected ? 0 : -EINVAL);
    if (expected)
        assert_string_equal(body, expected);
    else
        assert_null(body);
    free(body);
}

static void test_update_trail(void **state) {
    static const struct {
        CloudTrailChanges changes;
        const char *body;
    } cases[] = {
        { { .bucket = "b" }, "{\"Name\":\"" ARN "\",\"S3BucketName\":\"b\"}" },
        { { .prefix = "", .sns_topic = "", .kms_key = "" },
          "{\"Name\":\"" ARN "\",\"S3KeyPrefix\":\"\",\"SnsTopicName\":\"\",\"KmsKeyId\":\"\"}" },
        { { .log_group = "g", .log_role = "r" },
          "{\"Name\":\"" ARN "\",\"CloudWatchLogsLogGroupArn\":\"g\",\"CloudWatchLogsRoleArn\":\"r\"}" },
        { { .multi_region = CLOUDTRAIL_ON,
            .global_events = CLOUDTRAIL_ON,
            .validation = CLOUDTRAIL_OFF,
            .organization = CLOUDTRAIL_OFF,
            .recursive = CLOUDTRAIL_ON },
          "{\"Name\":\"" ARN "\",\"IsMultiRegionTrail\":true,\"IncludeGlobalServiceEvents\":true,"
          "\"EnableLogFileValidation\":false,\"IsOrganizationTrail\":false,"
          "\"RecursiveLogging\":true}" },
        { { 0 }, NULL },
        { { .prefix = "\xff" }, NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *body = NULL;
        int r = operation_build(&cloudtrail_update_trail_operation,
                                &(CloudTrailWrite){ .trail = ARN, .changes = &cases[i].changes }, NULL,
                                &body);

        assert_built(r, body, cases[i].body);
    }
}

static void test_create_trail(void **state) {
    const CloudTrailChanges all = {
        .bucket = "b",
        .prefix = "",
        .kms_key = "k",
        .multi_region = CLOUDTRAIL_ON,
        .validation = CLOUDTRAIL_ON,
    };
    const CloudTrailTags none = { 0 };
    char *body = NULL;
    int r;

    (void)state;
    r = operation_build(&cloudtrail_create_trail_operation,
                        &(CloudTrailWrite){ .trail = "main", .changes = &all, .tags = &tags }, NULL, &body);
    assert_built(r, body,
                 "{\"Name\":\"main\",\"S3BucketName\":\"b\",\"KmsKeyId\":\"k\",\"IsMultiRegionTrail\":true,"
                 "\"EnableLogFileValidation\":true,\"TagsList\":[{\"Key\":\"team\",\"Value\":\"sec\"},"
                 "{\"Key\":\"empty\"}]}");
    r = operation_build(&cloudtrail_create_trail_operation,
                        &(CloudTrailWrite){ .trail = "main",
                                            .changes = &(CloudTrailChanges){ .bucket = "b" },
                                            .tags = &none },
                        NULL, &body);
    assert_built(r, body, "{\"Name\":\"main\",\"S3BucketName\":\"b\"}");
    r = operation_build(&cloudtrail_create_trail_operation,
                        &(CloudTrailWrite){ .trail = "main",
                                            .changes = &(CloudTrailChanges){ .bucket = "b" },
                                            .tags = NULL },
                        NULL, &body);
    assert_built(r, body, "{\"Name\":\"main\",\"S3BucketName\":\"b\"}");

    body = NULL;
    assert_built(operation_build(&cloudtrail_create_trail_operation,
                                 &(CloudTrailWrite){ .trail = "main",
                                                     .changes = &(CloudTrailChanges){ 0 },
                                                     .tags = NULL },
                                 NULL, &body),
                 body, NULL);
    assert_built(operation_build(&cloudtrail_create_trail_operation,
                                 &(CloudTrailWrite){ .trail = "main",
                                                     .changes = &(CloudTrailChanges){ .bucket = "" },
                                                     .tags = NULL },
                                 NULL, &body),
                 body, NULL);
    assert_built(operation_build(&cloudtrail_create_trail_operation,
                                 &(CloudTrailWrite){ .trail = ARN, .changes = &all, .tags = NULL }, NULL,
                                 &body),
                 body, NULL);
    assert_built(operation_build(&cloudtrail_create_trail_operation,
                                 &(CloudTrailWrite){ .trail = "ab", .changes = &all, .tags = NULL }, NULL,
                                 &body),
                 body, NULL);
    assert_built(
            operation_build(
                    &cloudtrail_create_trail_operation,
                    &(CloudTrailWrite){
                            .trail = "main",
                            .changes = &all,
                            .tags = &(CloudTrailTags){ &(CloudTrailTag){ (char *)"\xff", (char *)"" }, 1 } },
                    NULL, &body),
            body, NULL);
}

static void test_put_selectors(void **state) {
    static const struct {
        CloudTrailSelectors selectors;
        const char *body;
    } cases[] = {
        { { (char *)"[{\"ReadWriteType\":\"All\"}]", (char *)"" },
          "{\"TrailName\":\"" ARN "\",\"EventSelectors\":[{\"ReadWriteType\":\"All\"}]}" },
        { { NULL, (char *)"[{\"FieldSelectors\":[]}]" },
          "{\"TrailName\":\"" ARN "\",\"AdvancedEventSelectors\":[{\"FieldSelectors\":[]}]}" },
        { { (char *)"", NULL }, NULL },
        { { (char *)"[{}]", (char *)"[{}]" }, NULL },
        { { (char *)"[]", NULL }, NULL },
        { { (char *)"{}", NULL }, NULL },
        { { (char *)"[", NULL }, NULL },
        { { NULL, (char *)"[{}] x" }, NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *body = NULL;
        int r = operation_build(&cloudtrail_put_event_selectors_operation,
                                &(CloudTrailWrite){ .trail = ARN, .selectors = &cases[i].selectors }, NULL,
                                &body);

        assert_built(r, body, cases[i].body);
    }
}

static void test_put_insights(void **state) {
    static const struct {
        const char *text, *body;
    } cases[] = {
        { "[{\"InsightType\":\"x\"}]",
          "{\"TrailName\":\"" ARN "\",\"InsightSelectors\":[{\"InsightType\":\"x\"}]}" },
        { "", "{\"TrailName\":\"" ARN "\",\"InsightSelectors\":[]}" },
        { NULL, "{\"TrailName\":\"" ARN "\",\"InsightSelectors\":[]}" },
        { "{}", NULL },
        { "nonsense", NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *body = NULL;
        int r = operation_build(&cloudtrail_put_insight_selectors_operation,
                                &(CloudTrailWrite){ .trail = ARN, .text = cases[i].text }, NULL, &body);

        assert_built(r, body, cases[i].body);
    }
}

static void test_put_event_configuration(void **state) {
    static const struct {
        const char *text, *body;
    } cases[] = {
        { "{\"MaxEventSize\":\"Large\"}", "{\"MaxEventSize\":\"Large\",\"TrailName\":\"" ARN "\"}" },
        { "{}", NULL },
        { "[]", NULL },
        { "nonsense", NULL },
        { NULL, NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *body = NULL;
        int r = operation_build(&cloudtrail_put_event_configuration_operation,
                                &(CloudTrailWrite){ .trail = ARN, .text = cases[i].text }, NULL, &body);

        assert_built(r, body, cases[i].body);
    }
}

static void test_tags(void **state) {
    CloudTrailTag aws_own[] = { { (char *)"aws:cloudformation:stack", (char *)"x" }, two_tags[0] };
    char *body = NULL;
    int r;

    (void)state;
    r = operation_build(&cloudtrail_add_tags_operation, &(CloudTrailWrite){ .trail = ARN, .tags = &tags },
                        NULL, &body);
    assert_built(r, body,
                 "{\"ResourceId\":\"" ARN "\",\"TagsList\":[{\"Key\":\"team\",\"Value\":\"sec\"},"
                 "{\"Key\":\"empty\"}]}");
    r = operation_build(&cloudtrail_remove_tags_operation, &(CloudTrailWrite){ .trail = ARN, .tags = &tags },
                        NULL, &body);
    assert_built(r, body,
                 "{\"ResourceId\":\"" ARN "\",\"TagsList\":[{\"Key\":\"team\"},{\"Key\":\"empty\"}]}");
    r = operation_build(&cloudtrail_remove_tags_operation,
                        &(CloudTrailWrite){ .trail = ARN, .tags = &(CloudTrailTags){ aws_own, 2 } }, NULL,
                        &body);
    assert_built(r, body, "{\"ResourceId\":\"" ARN "\",\"TagsList\":[{\"Key\":\"team\"}]}");
    body = NULL;
    assert_built(operation_build(&cloudtrail_add_tags_operation,
                                 &(CloudTrailWrite){ .trail = ARN, .tags = &(CloudTrailTags){ aws_own, 1 } },
                                 NULL, &body),
                 body, NULL);
    assert_built(operation_build(&cloudtrail_add_tags_operation,
                                 &(CloudTrailWrite){ .trail = "\xff", .tags = &tags }, NULL, &body),
                 body, NULL);
}

/* ---- calls ---- */

static void on_done(const AwsError *error, void *userdata) {
    service_note(userdata, error, error->class == AWS_OK);
}

static void test_calls(void **state) {
    ServiceFixture *f = *state;
    const CloudTrailChanges changes = { .bucket = "b" };
    const CloudTrailSelectors selectors = { (char *)"[{}]", (char *)"" };

    for (unsigned i = 0; i < 6; i++)
        fake_http_reply(f->http, 200, "{}", NULL);
    service_expect(f,
                   cloudtrail_update_trail(&(AwsCaller){ f->aws, f->credentials, REGION },
                                           &(CloudTrailWrite){ .trail = ARN, .changes = &changes }, on_done,
                                           f, NULL),
                   AWS_OK, true);
    service_assert_json(f, TARGET "UpdateTrail", "{\"Name\":\"" ARN "\",\"S3BucketName\":\"b\"}");
    service_expect(f,
                   cloudtrail_create_trail(
                           &(AwsCaller){ f->aws, f->credentials, REGION },
                           &(CloudTrailWrite){ .trail = "main", .changes = &changes, .tags = &tags },
                           on_done, f, NULL),
                   AWS_OK, true);
    service_assert_json(f, TARGET "CreateTrail",
                        "{\"Name\":\"main\",\"S3BucketName\":\"b\",\"TagsList\":[{\"Key\":\"team\","
                        "\"Value\":\"sec\"},{\"Key\":\"empty\"}]}");
    service_expect(f,
                   cloudtrail_put_event_selectors(
                           &(AwsCaller){ f->aws, f->credentials, REGION },
                           &(CloudTrailWrite){ .trail = ARN, .selectors = &selectors }, on_done, f, NULL),
                   AWS_OK, true);
    service_assert_json(f, TARGET "PutEventSelectors",
                        "{\"TrailName\":\"" ARN "\",\"EventSelectors\":[{}]}");
    service_expect(f,
                   cloudtrail_put_insight_selectors(&(AwsCaller){ f->aws, f->credentials, REGION },
                                                    &(CloudTrailWrite){ .trail = ARN, .text = "" }, on_done,
                                                    f, NULL),
                   AWS_OK, true);
    service_assert_json(f, TARGET "PutInsightSelectors",
                        "{\"TrailName\":\"" ARN "\",\"InsightSelectors\":[]}");
    service_expect(f,
                   cloudtrail_add_tags(&(AwsCaller){ f->aws, f->credentials, REGION },
                                       &(CloudTrailWrite){ .trail = ARN, .tags = &tags }, on_done, f, NULL),
                   AWS_OK, true);
    service_assert_json(f, TARGET "AddTags",
                        "{\"ResourceId\":\"" ARN "\",\"TagsList\":[{\"Key\":\"team\",\"Value\":\"sec\"},"
                        "{\"Key\":\"empty\"}]}");
    service_expect(f,
                   cloudtrail_remove_tags(&(AwsCaller){ f->aws, f->credentials, REGION },
                                          &(CloudTrailWrite){ .trail = ARN, .tags = &tags }, on_done, f,
                                          NULL),
                   AWS_OK, true);
    service_assert_json(f, TARGET "RemoveTags",
                        "{\"ResourceId\":\"" ARN
                        "\",\"TagsList\":[{\"Key\":\"team\"},{\"Key\":\"empty\"}]}");
}

static void test_calls_that_fail(void **state) {
    ServiceFixture *f = *state;
    const CloudTrailChanges none = { 0 }, some = { .bucket = "b" };

    fake_http_reply(f->http, 400, "{\"__type\":\"InvalidHomeRegionException\",\"Message\":\"x\"}", NULL);
    service_expect(f,
                   cloudtrail_update_trail(&(AwsCaller){ f->aws, f->credentials, REGION },
                                           &(CloudTrailWrite){ .trail = ARN, .changes = &some }, on_done, f,
                                           NULL),
                   AWS_WRONG_REGION, false);
    fake_http_reply(f->http, 400, "{\"__type\":\"S3BucketDoesNotExistException\",\"Message\":\"x\"}", NULL);
    service_expect(
            f,
            cloudtrail_create_trail(&(AwsCaller){ f->aws, f->credentials, REGION },
                                    &(CloudTrailWrite){ .trail = "main", .changes = &some, .tags = NULL },
                                    on_done, f, NULL),
            AWS_REFUSED, false);
    /* What cannot be built is not sent, and nobody is called. */
    assert_int_equal(cloudtrail_update_trail(&(AwsCaller){ f->aws, f->credentials, REGION },
                                             &(CloudTrailWrite){ .trail = ARN, .changes = &none }, on_done,
                                             f, NULL),
                     -EINVAL);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 2);
    assert_int_equal(fake_http_n_requests(f->http), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_update_trail),
        cmocka_unit_test(test_create_trail),
        cmocka_unit_test(test_put_selectors),
        cmocka_unit_test(test_put_insights),
        cmocka_unit_test(test_put_event_configuration),
        cmocka_unit_test(test_tags),
        SERVICE_TEST(test_calls),
        SERVICE_TEST(test_calls_that_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
