/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/call_observer.h"
#include "lib/util/macros.h"

#define LONG "Abcdefghijklmnopqrstuvwxyz0123456789Abcdefghijklmnopqrstuvwxyz"

/* The name, and nothing of what stands behind it. */
static void operations(void **state) {
    static const struct {
        const char *target, *method, *query, *body, *path, *operation;
    } cases[] = {
        { "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.GetTrailStatus", NULL, NULL, "{}", NULL,
          "GetTrailStatus" },
        { "TrentService.DescribeKey", NULL, NULL, "{}", NULL, "DescribeKey" },
        { "DescribeKey", NULL, NULL, "", NULL, "DescribeKey" },
        { NULL, "HEAD", "", "", NULL, "HeadBucket" },
        { NULL, "HEAD", NULL, "", NULL, "HeadBucket" },
        { NULL, "GET", "lifecycle", "", NULL, "GetBucketLifecycleConfiguration" },
        { NULL, "GET", "policy", "", NULL, "GetBucketPolicy" },
        { NULL, "GET", "unknown", "", NULL, "GET" },
        { NULL, NULL, NULL, "Action=Publish&Version=2010-03-31&Message=secret", NULL, "Publish" },
        { NULL, NULL, NULL, "Action=AssumeRoleWithWebIdentity&WebIdentityToken=secret", NULL,
          "AssumeRoleWithWebIdentity" },
        { NULL, NULL, NULL, "WebIdentityToken=secret&Action=X", NULL, "" },
        { NULL, NULL, NULL, "Action=&Message=secret", NULL, "" },
        { NULL, NULL, NULL, "", NULL, "" },
        { NULL, NULL, NULL, NULL, NULL, "" },
        { NULL, NULL, NULL, "{}", "https://account.us-east-1.amazonaws.com/getRegionOptStatus",
          "getRegionOptStatus" },
        { "x." LONG, NULL, NULL, "", NULL, "Abcdefghijklmnopqrstuvwxyz0123456789Abcdefghijk" },
        { "x.a\nb", NULL, NULL, "", NULL, "a" },
    };
    char name[AWS_OPERATION_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(call_operation(cases[i].target, cases[i].method, cases[i].query, cases[i].body,
                                           cases[i].path, name),
                            cases[i].operation);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations),
    };

    return cmocka_run_group_tests_name("call_observer", tests, NULL, NULL);
}
