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

#include "lib/call.h"
#include "lib/credentials/providers.h"
#include "lib/sts.h"
#include "lib/util/macros.h"
#include "tests/unit/fake_http.h"
#include "tests/unit/fake_loop.h"

#define ARN "arn:aws:sts::111122223333:assumed-role/guard/i-0abc"
#define ANSWER(arn, account)                                                                                \
    "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"                       \
    "<GetCallerIdentityResult><Arn>" arn "</Arn><UserId>AROAEXAMPLE:i-0abc</UserId><Account>" account       \
    "</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"     \
    "</GetCallerIdentityResponse>"

static void test_read(void **state) {
    static const char *const bad[] = {
        "",
        "{}",
        "<GetCallerIdentityResponse/>",
        ANSWER("", "111122223333"),
        ANSWER("not an ARN", "111122223333"),
        ANSWER(ARN, ""),
        ANSWER(ARN, "11112222333"),
        ANSWER(ARN, "1111222233334"),
        ANSWER(ARN, "11112222333x"),
        "<Other>" ANSWER(ARN, "111122223333") "</Other>",
    };
    const char *good = ANSWER(ARN, "111122223333");
    StsIdentity identity = { .account = "untouched" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (operation_read(&sts_get_caller_identity_operation, bad[i], strlen(bad[i]), NULL, &identity) !=
            -EBADMSG)
            fail_msg("accepted: %s", bad[i]);
    assert_string_equal(identity.account, "untouched");
    for (size_t len = 0; len < strlen(good); len++)
        assert_int_equal(operation_read(&sts_get_caller_identity_operation, good, len, NULL, &identity),
                         -EBADMSG);
    assert_int_equal(operation_read(&sts_get_caller_identity_operation, good, strlen(good), NULL, &identity),
                     0);
    assert_string_equal(identity.account, "111122223333");
    assert_string_equal(identity.arn, ARN);
}

/* IAM takes paths of 512 characters, its slashes included, and users' names of 64. */
static void test_long_path(void **state) {
    char arn[640], body[1024];
    StsIdentity identity = { 0 };

    (void)state;
    (void)snprintf(arn, sizeof(arn), "arn:aws-us-gov:iam::111122223333:user/%0510d/%064d", 7, 8);
    (void)snprintf(body, sizeof(body), ANSWER("%s", "111122223333"), arn);
    assert_int_equal(operation_read(&sts_get_caller_identity_operation, body, strlen(body), NULL, &identity),
                     0);
    assert_string_equal(identity.arn, arn);
}

typedef struct Seen {
    unsigned n;
    AwsError error;
    StsIdentity identity;
} Seen;

static void on_done(const AwsError *error, const StsIdentity *identity, void *userdata) {
    Seen *seen = userdata;

    seen->n++;
    seen->error = *error;
    assert_int_equal(identity != NULL, error->class == AWS_OK);
    if (identity)
        seen->identity = *identity;
}

static void test_call(void **state) {
    static const AwsLimits limits = { USEC_PER_SEC, USEC_PER_SEC, 1 };
    FakeLoop *loop = fake_loop_new();
    FakeHttp *http = fake_http_new(loop);
    CredentialsProvider *credentials;
    const FakeRequest *r;
    AwsClient *aws;
    OperationCall *call;
    Seen seen = { 0 };

    (void)state;
    assert_int_equal(credentials_env_new(fake_loop_loop(loop), "AKID", "secret", NULL, &credentials), 0);
    assert_int_equal(aws_client_new(fake_http_client(http), fake_loop_loop(loop), &limits, NULL, &aws), 0);

    fake_http_reply(http, 200, ANSWER(ARN, "111122223333"), NULL);
    assert_int_equal(sts_get_caller_identity(&(AwsCaller){ aws, credentials, "us-gov-west-1" }, NULL,
                                             on_done, &seen, NULL),
                     0);
    fake_loop_run(loop);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.error.class, AWS_OK);
    assert_string_equal(seen.identity.arn, ARN);
    r = fake_http_request(http, 0);
    assert_string_equal(r->url, "https://sts.us-gov-west-1.amazonaws.com/");
    assert_string_equal(r->body, "Action=GetCallerIdentity&Version=2011-06-15");
    assert_non_null(strstr(fake_request_header(r, "authorization"), "/us-gov-west-1/sts/aws4_request"));

    fake_http_reply(http, 200, "{}", NULL);
    assert_int_equal(sts_get_caller_identity(&(AwsCaller){ aws, credentials, "eu-west-1" }, NULL, on_done,
                                             &seen, NULL),
                     0);
    fake_loop_run(loop);
    assert_int_equal(seen.error.class, AWS_BAD_ANSWER);

    assert_int_equal(
            sts_get_caller_identity(&(AwsCaller){ aws, credentials, "mars" }, NULL, on_done, &seen, NULL),
            -EINVAL);
    operation_cancel(NULL);
    assert_int_equal(sts_get_caller_identity(&(AwsCaller){ aws, credentials, "eu-west-1" }, NULL, on_done,
                                             &seen, &call),
                     0);
    fake_loop_run(loop);
    operation_cancel(call);
    fake_loop_run(loop);
    assert_int_equal(seen.n, 2);

    credentials_provider_free(credentials);
    aws_client_free(aws);
    fake_http_free(http);
    fake_loop_free(loop);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_long_path),
        cmocka_unit_test(test_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
