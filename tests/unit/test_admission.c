/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the policy in a record lets CloudTrail deliver: tables of policies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/admission.h"
#include "lib/util/macros.h"

#define ARN "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"

static const AdmissionTrail own = { .arn = ARN, .bucket = "logs", .prefix = "audit" };

typedef struct Case {
    const char *statements;
    Admission admission;
} Case;

#define SERVICE   "\"Principal\":{\"Service\":\"cloudtrail.amazonaws.com\"}"
#define EVERYBODY "\"Principal\":\"*\""
#define WRITE     "\"Action\":\"s3:PutObject\""
#define LOGS      "\"Resource\":\"arn:aws:s3:::logs/audit/AWSLogs/111122223333/*\""
#define ACL       "\"StringEquals\":{\"s3:x-amz-acl\":\"bucket-owner-full-control\"}"
#define IF(test)  ",\"Condition\":{" test "}"

#define ALLOW(who, what, where, more) "{\"Effect\":\"Allow\"," who "," what "," where more "}"
#define DENY(who, what, where, more)  "{\"Effect\":\"Deny\"," who "," what "," where more "}"
#define GOOD                          ALLOW(SERVICE, WRITE, LOGS, IF(ACL))
#define ON(pattern)                   "\"Resource\":\"arn:aws:s3:::" pattern "\""
#define OF_ACCOUNT(key, id)           IF("\"StringEquals\":{\"" key "\":\"" id "\"}")

static void assert_cases(const Case *cases, size_t n, const AdmissionTrail *trail) {
    for (size_t i = 0; i < n; i++) {
        char text[4096];

        (void)snprintf(text, sizeof(text), "{\"bucketName\":\"logs\",\"bucketPolicy\":{\"Statement\":[%s]}}",
                       cases[i].statements);
        if (admission_to_bucket(trail, text) != cases[i].admission)
            fail_msg("%s", text);
    }
}

static void test_policies_of_a_bucket(void **state) {
    static const Case cases[] = {
        { GOOD, ADMISSION_GIVEN },
        { "", ADMISSION_DENIED },
        { ALLOW("\"Principal\":{\"AWS\":\"111122223333\"}", WRITE, LOGS, ""), ADMISSION_DENIED },
        { ALLOW(SERVICE, "\"Action\":\"s3:GetBucketAcl\"", LOGS, ""), ADMISSION_DENIED },
        { ALLOW(SERVICE, "\"Action\":[\"S3:Put*\"]", "\"Resource\":\"*\"", ""), ADMISSION_GIVEN },
        { ALLOW(EVERYBODY, WRITE, ON("logs/*"), ""), ADMISSION_GIVEN },
        { ALLOW(SERVICE, WRITE, ON("logs/AWSLogs/111122223333/*"), ""), ADMISSION_DENIED },
        { ALLOW(SERVICE, WRITE, ON("logs/audit/AWSLogs/999988887777/*"), ""), ADMISSION_DENIED },
        { ALLOW(SERVICE, WRITE, ON("logs/audit/AWSLogs/111122223333/CloudTrail/eu-west-1/*"), ""),
          ADMISSION_UNCLEAR },
        { ALLOW(SERVICE, WRITE, ON("logs/*/AWSLogs/*"), ""), ADMISSION_UNCLEAR },
        { ALLOW(SERVICE, "\"NotAction\":\"s3:GetObject\"", LOGS, ""), ADMISSION_UNCLEAR },
        { ALLOW("\"NotPrincipal\":{\"AWS\":\"1\"}", WRITE, LOGS, ""), ADMISSION_UNCLEAR },
        { GOOD "," DENY(EVERYBODY, "\"Action\":\"s3:*\"", ON("logs/*"), ""), ADMISSION_DENIED },
        { GOOD "," DENY(EVERYBODY, "\"Action\":\"s3:DeleteObject\"", ON("logs/*"), ""), ADMISSION_GIVEN },
        { GOOD "," DENY(EVERYBODY, "\"Action\":\"s3:*\"", ON("logs/*"),
                        IF("\"Bool\":{\"aws:SecureTransport\":\"false\"}")),
          ADMISSION_GIVEN },
        { GOOD "," DENY(EVERYBODY, "\"Action\":\"s3:*\"", ON("logs/*"),
                        IF("\"StringNotEquals\":{\"aws:PrincipalOrgID\":\"o-1\"}")),
          ADMISSION_UNCLEAR },
        { GOOD ",7", ADMISSION_UNCLEAR },
        { GOOD "," DENY(EVERYBODY, "\"Action\":\"s3:*\"", ON("logs/*"),
                        "") "," DENY(EVERYBODY, "\"Action\":\"s3:DeleteObject\"", ON("logs/*"), ""),
          ADMISSION_DENIED },
        /* several resources: one is enough */
        { ALLOW(SERVICE, WRITE, "\"Resource\":[\"arn:aws:s3:::other/*\",\"arn:aws:s3:::logs/*\"]", ""),
          ADMISSION_GIVEN },
        { ALLOW(SERVICE, WRITE, "\"Resource\":[\"arn:aws:s3:::other/*\"]", ""), ADMISSION_DENIED },
        { ALLOW(SERVICE, WRITE, "\"Resource\":[]", ""), ADMISSION_DENIED },
        { ALLOW(SERVICE, WRITE, "\"Resource\":[\"arn:aws:s3:::other/*\",1]", ""), ADMISSION_UNCLEAR },
        { ALLOW(SERVICE, WRITE, "\"Resource\":1", ""), ADMISSION_UNCLEAR },
    };

    (void)state;
    assert_cases(cases, ARRAY_SIZE(cases), &own);
}

/* Nobody hides behind an Allow that does not hold. */
static void test_conditions(void **state) {
    static const Case cases[] = {
        { ALLOW(SERVICE, WRITE, LOGS, OF_ACCOUNT("aws:SourceArn", ARN)), ADMISSION_GIVEN },
        { ALLOW(SERVICE, WRITE, LOGS, OF_ACCOUNT("AWS:sourcearn", ARN "2")), ADMISSION_DENIED },
        { ALLOW(SERVICE, WRITE, LOGS, OF_ACCOUNT("aws:SourceAccount", "111122223333")), ADMISSION_GIVEN },
        { ALLOW(SERVICE, WRITE, LOGS, OF_ACCOUNT("aws:SourceAccount", "999988887777")), ADMISSION_DENIED },
        { ALLOW(SERVICE, WRITE, LOGS,
                IF("\"ArnLike\":{\"aws:SourceArn\":\"arn:aws:cloudtrail:*:trail/*\"}")),
          ADMISSION_GIVEN },
        /* to this operator a star is a plain character */
        { ALLOW(SERVICE, WRITE, LOGS, OF_ACCOUNT("aws:SourceArn", "*")), ADMISSION_DENIED },
        { ALLOW(SERVICE, WRITE, LOGS, IF(ACL ",\"IpAddress\":{\"aws:SourceIp\":\"192.0.2.1\"}")),
          ADMISSION_UNCLEAR },
        { ALLOW(SERVICE, WRITE, LOGS, OF_ACCOUNT("aws:PrincipalTag/x", "1")), ADMISSION_UNCLEAR },
        { ALLOW(SERVICE, WRITE, LOGS, IF("\"DateLessThan\":{\"aws:SourceArn\":\"" ARN "\"}")),
          ADMISSION_UNCLEAR },
        { ALLOW(SERVICE, WRITE, LOGS, IF("\"Bool\":{\"aws:PrincipalIsAWSService\":\"true\"}")),
          ADMISSION_GIVEN },
        { ALLOW(SERVICE, WRITE, LOGS, IF("\"Bool\":{\"aws:PrincipalIsAWSService\":\"false\"}")),
          ADMISSION_DENIED },
        { ALLOW(SERVICE, WRITE, LOGS, ",\"Condition\":1"), ADMISSION_UNCLEAR },
        { ALLOW(SERVICE, WRITE, LOGS, IF("\"StringEquals\":1")), ADMISSION_UNCLEAR },
    };

    (void)state;
    assert_cases(cases, ARRAY_SIZE(cases), &own);
}

/* Its own folder is not all that an organization's trail writes to. */
static void test_the_trail_of_an_organization(void **state) {
    static const Case cases[] = {
        { GOOD, ADMISSION_UNCLEAR },
        { ALLOW(SERVICE, WRITE, ON("logs/audit/AWSLogs/o-exampleorgid/*"), ""), ADMISSION_UNCLEAR },
        { ALLOW(SERVICE, WRITE, ON("logs/audit/AWSLogs/*"), ""), ADMISSION_GIVEN },
        { ALLOW(SERVICE, WRITE, ON("logs/elsewhere/*"), ""), ADMISSION_DENIED },
    };
    AdmissionTrail organization = own;

    (void)state;
    organization.organization = true;
    assert_cases(cases, ARRAY_SIZE(cases), &organization);
}

#define KEY_POLICY(condition)                                                                               \
    "{\"keyId\":\"1\",\"policy\":\"{\\\"Statement\\\":{\\\"Effect\\\":\\\"Allow\\\",\\\"Principal\\\":"     \
    "{\\\"Service\\\":\\\"cloudtrail.amazonaws.com\\\"},\\\"Action\\\":\\\"kms:GenerateDataKey*\\\","       \
    "\\\"Resource\\\":\\\"*\\\"" condition "}}\"}"
#define ENCRYPTS(arn)                                                                                       \
    ",\\\"Condition\\\":{\\\"StringLike\\\":{\\\"kms:EncryptionContext:aws:cloudtrail:arn\\\":\\\"" arn     \
    "\\\"}}"

static void test_policies_of_a_key(void **state) {
    (void)state;
    assert_int_equal(admission_to_key(&own, KEY_POLICY("")), ADMISSION_GIVEN);
    assert_int_equal(
            admission_to_key(&own, KEY_POLICY(ENCRYPTS("arn:aws:cloudtrail:*:111122223333:trail/*"))),
            ADMISSION_GIVEN);
    assert_int_equal(
            admission_to_key(&own, KEY_POLICY(ENCRYPTS("arn:aws:cloudtrail:*:999988887777:trail/*"))),
            ADMISSION_DENIED);
    assert_int_equal(admission_to_key(&own, "{\"policy\":\"{\\\"Statement\\\":[]}\"}"), ADMISSION_DENIED);
}

static void test_what_cannot_be_read(void **state) {
    static const char *const parameters[] = { "",
                                              "{\"bucketPolicy\":{\"Statement\":[...",
                                              "{\"bucketName\":\"logs\"}",
                                              "{\"bucketPolicy\":null,\"policy\":null}",
                                              "{\"bucketPolicy\":\"no\",\"policy\":\"no\"}",
                                              "{\"bucketPolicy\":{},\"policy\":\"{}\"}",
                                              "[]" };
    AdmissionTrail nameless = own;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(parameters); i++) {
        assert_int_equal(admission_to_bucket(&own, parameters[i]), ADMISSION_UNCLEAR);
        assert_int_equal(admission_to_key(&own, parameters[i]), ADMISSION_UNCLEAR);
    }
    nameless.arn = "main";
    assert_int_equal(admission_to_bucket(&nameless, "{\"bucketPolicy\":{\"Statement\":[]}}"),
                     ADMISSION_UNCLEAR);
    assert_int_equal(admission_to_key(&nameless, KEY_POLICY("")), ADMISSION_UNCLEAR);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policies_of_a_bucket),         cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_the_trail_of_an_organization), cmocka_unit_test(test_policies_of_a_key),
        cmocka_unit_test(test_what_cannot_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
