/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/aws_error.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define USER  "User: arn:aws:sts::111122223333:assumed-role/guard/host "
#define TRAIL "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"

static void test_texts(void **state) {
    static const struct {
        const char *message, *action, *resource; /* action NULL: none is named */
    } cases[] = {
        { USER "is not authorized to perform: cloudtrail:StartLogging on resource: " TRAIL
               " because no identity-based policy allows the cloudtrail:StartLogging action",
          "cloudtrail:StartLogging", TRAIL },
        { USER "is not authorized to perform: cloudtrail:StopLogging on resource: " TRAIL
               " with an explicit deny in a service control policy: arn:aws:organizations::1:policy/p",
          "cloudtrail:StopLogging", TRAIL },
        { USER "is not authorized to perform: cloudtrail:DescribeTrails because no identity-based policy "
               "allows the cloudtrail:DescribeTrails action",
          "cloudtrail:DescribeTrails", "" },
        { USER "is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::1:role/x",
          "sts:AssumeRole", "arn:aws:iam::1:role/x" },
        { USER "is not authorized to perform: s3:GetBucketPolicy on resource: \"arn:aws:s3:::logs\" because "
               "no resource-based policy allows the s3:GetBucketPolicy action",
          "s3:GetBucketPolicy", "arn:aws:s3:::logs" },
        { USER "is not authorized to perform: SNS:Publish on resource: " TRAIL ".", "SNS:Publish", TRAIL },
        { USER "is not authorized to perform: cloudtrail:LookupEvents on resource: *",
          "cloudtrail:LookupEvents", "*" },
        { USER "is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:ro...",
          "iam:PassRole", "" },
        { USER
          "is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::1:ro... (request id r-1)",
          "sts:AssumeRole", "" },
        { USER
          "is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::1:role/x (request id r-1)",
          "sts:AssumeRole", "arn:aws:iam::1:role/x" },
        { USER "is not authorized to perform: iam:PassRole on resource: \"arn:aws:iam::1:role/x",
          "iam:PassRole", "" },
        { USER "is not authorized to perform: iam:PassRole on resource: ", "iam:PassRole", "" },
        { USER "is not authorized to perform: iam:PassRole, on resource: x", "iam:PassRole", "" },
        { "Access Denied: You do not have permission to operate on this resource", NULL, "" },
        { "Access Denied", NULL, "" },
        { "You are not authorized to perform this operation.", NULL, "" },
        { USER "is not authorized to perform: ", NULL, "" },
        { USER "is not authorized to perform: StartLogging", NULL, "" },
        { USER "is not authorized to perform: cloudtrail:", NULL, "" },
        { USER "is not authorized to perform: :x on resource: y", NULL, "" },
        { "", NULL, "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char action[AWS_ACTION_MAX] = "kept", resource[AWS_RESOURCE_MAX] = "kept";
        AwsError e = { .class = AWS_DENIED };

        text_copy(e.message, sizeof(e.message), cases[i].message);
        assert_int_equal(aws_error_denied_action(&e, action, resource), cases[i].action != NULL);
        assert_string_equal(action, cases[i].action ? cases[i].action : "kept");
        assert_string_equal(resource, cases[i].action ? cases[i].resource : "kept");

        /* The text alone is not a denial. */
        e.class = AWS_INVALID;
        assert_false(aws_error_denied_action(&e, action, resource));
    }
}

static void test_too_long(void **state) {
    char action[AWS_ACTION_MAX], resource[AWS_RESOURCE_MAX], long_name[AWS_ACTION_MAX + 1];
    AwsError e = { .class = AWS_DENIED };

    (void)state;
    memset(long_name, 'a', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    aws_error_set(&e, AWS_DENIED, "", "is not authorized to perform: s3:%s on resource: x", long_name);
    assert_false(aws_error_denied_action(&e, action, resource));
    /* The longest that fits: the whole message is cut by then. */
    aws_error_set(&e, AWS_DENIED, "", "is not authorized to perform: s3:X on resource: %0350d", 7);
    assert_true(aws_error_denied_action(&e, action, resource));
    assert_string_equal(action, "s3:X");
    assert_string_equal(resource, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
