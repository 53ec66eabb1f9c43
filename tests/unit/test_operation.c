/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of all operations: each has its name in logs and quotas, and what its protocol needs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cloudtrail.h"
#include "lib/kms.h"
#include "lib/organizations.h"
#include "lib/s3.h"
#include "lib/sns.h"
#include "lib/sts.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

static const struct {
    const AwsOperation *operation;
    const char *name;
} rows[] = {
    { &cloudtrail_describe_trails_operation, "DescribeTrails" },
    { &cloudtrail_get_trail_status_operation, "GetTrailStatus" },
    { &cloudtrail_start_logging_operation, "StartLogging" },
    { &cloudtrail_get_event_selectors_operation, "GetEventSelectors" },
    { &cloudtrail_get_insight_selectors_operation, "GetInsightSelectors" },
    { &cloudtrail_get_event_configuration_operation, "GetEventConfiguration" },
    { &cloudtrail_list_tags_operation, "ListTags" },
    { &cloudtrail_update_trail_operation, "UpdateTrail" },
    { &cloudtrail_create_trail_operation, "CreateTrail" },
    { &cloudtrail_put_event_selectors_operation, "PutEventSelectors" },
    { &cloudtrail_put_insight_selectors_operation, "PutInsightSelectors" },
    { &cloudtrail_put_event_configuration_operation, "PutEventConfiguration" },
    { &cloudtrail_add_tags_operation, "AddTags" },
    { &cloudtrail_remove_tags_operation, "RemoveTags" },
    { &cloudtrail_lookup_events_operation, "LookupEvents" },
    { &kms_describe_key_operation, "DescribeKey" },
    { &organizations_list_accounts_operation, "ListAccounts" },
    { &account_get_region_status_operation, "GetRegionOptStatus" },
    { &s3_head_bucket_operation, "HeadBucket" },
    { &s3_get_lifecycle_operation, "GetBucketLifecycleConfiguration" },
    { &s3_get_policy_operation, "GetBucketPolicy" },
    { &sns_publish_operation, "Publish" },
    { &sts_get_caller_identity_operation, "GetCallerIdentity" },
    { &sts_assume_role_operation, "AssumeRole" },
    { &sts_assume_role_with_web_identity_operation, "AssumeRoleWithWebIdentity" },
};

static void test_rows(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const AwsOperation *o = rows[i].operation;

        assert_string_equal(o->name, rows[i].name);
        assert_non_null(o->deliver);
        assert_int_equal(!o->read, o->value_size == 0);
        assert_true(!o->by_pointer || o->clear);
        if (o->protocol == AWS_PROTOCOL_JSON)
            assert_string_equal(strrchr(o->target, '.') + 1, o->name);
        if (o->protocol == AWS_PROTOCOL_REST_JSON)
            assert_string_equal(o->target + 1, o->name + 1);
        assert_int_equal(o->protocol == AWS_PROTOCOL_S3, o->method != NULL);
    }
}

/* The name of a form's operation is in the form itself. */
static void test_forms(void **state) {
    char *body;

    (void)state;
    assert_int_equal(operation_build(&sts_get_caller_identity_operation, NULL, NULL, &body), 0);
    assert_true(text_starts_with(body, "Action=GetCallerIdentity&"));
    free(body);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_forms),
    };

    return cmocka_run_group_tests_name("operation", tests, NULL, NULL);
}
