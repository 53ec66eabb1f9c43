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

#include "lib/kms.h"
#include "lib/util/macros.h"
#include "tests/unit/service_fixture.h"

#define REGION "eu-central-1"
#define KEY    "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

static int read_key(const char *text, KmsKey *ret) {
    return operation_read(&kms_describe_key_operation, text, strlen(text), NULL, ret);
}

static void test_read(void **state) {
    KmsKey key;

    (void)state;
    assert_int_equal(
            read_key("{\"KeyMetadata\":{\"KeyId\":\"1234\",\"Arn\":\"" KEY "\",\"Enabled\":true,"
                     "\"KeyState\":\"Enabled\",\"KeyManager\":\"CUSTOMER\",\"CreationDate\":1.7E9}}",
                     &key),
            0);
    assert_true(key.enabled);
    assert_string_equal(key.state, "Enabled");
    assert_string_equal(key.store, "");
    assert_int_equal(read_key("{\"KeyMetadata\":{\"KeyState\":\"Unavailable\",\"CustomKeyStoreId\":"
                              "\"cks-1234567890abcdef0\"}}",
                              &key),
                     0);
    assert_string_equal(key.store, "cks-1234567890abcdef0");
    assert_int_equal(read_key("{\"KeyMetadata\":{\"Enabled\":true,\"KeyState\":\"PendingDeletion\","
                              "\"KeyManager\":\"AWS\",\"DeletionDate\":1735689600.5}}",
                              &key),
                     0);
    assert_false(key.enabled);
    assert_string_equal(key.state, "PendingDeletion");
}

static void test_read_nothing(void **state) {
    static const char *const cases[] = {
        "",
        "[]",
        "{}",
        "{\"KeyMetadata\":7}",
        "{\"KeyMetadata\":{}}",
        "{\"KeyMetadata\":{\"KeyState\":\"\"}}",
        "{\"KeyMetadata\":{\"KeyState\":true}}",
        "{\"KeyMetadata\":{\"KeyState\":\"Enabled\",\"CustomKeyStoreId\":1}}",
    };
    KmsKey key = { .state = "kept" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (read_key(cases[i], &key) != -EBADMSG)
            fail_msg("accepted: %s", cases[i]);
    assert_string_equal(key.state, "kept");
}

static void test_build(void **state) {
    char *body = NULL;

    (void)state;
    assert_int_equal(operation_build(&kms_describe_key_operation, "a\"b", NULL, &body), 0);
    assert_string_equal(body, "{\"KeyId\":\"a\\\"b\"}");
    free(body);
    body = NULL;
    assert_int_equal(operation_build(&kms_describe_key_operation, "\xff", NULL, &body), -EINVAL);
    assert_null(body);
}

static void on_key(const AwsError *error, const KmsKey *key, void *userdata) {
    ServiceFixture *f = userdata;

    service_note(f, error, key != NULL);
    snprintf(f->text, sizeof(f->text), "%s", key ? key->state : "");
}

static int describe(ServiceFixture *f) {
    return kms_describe_key(&(AwsCaller){ f->aws, f->credentials, REGION }, KEY, on_key, f, NULL);
}

static void test_call(void **state) {
    ServiceFixture *f = *state;
    OperationCall *call;

    fake_http_reply(f->http, 200, "{\"KeyMetadata\":{\"KeyState\":\"Disabled\"}}", NULL);
    service_expect(f, describe(f), AWS_OK, true);
    assert_string_equal(f->text, "Disabled");
    service_assert_json(f, "TrentService.DescribeKey", "{\"KeyId\":\"" KEY "\"}");
    assert_string_equal(fake_http_request(f->http, 0)->url, "https://kms.eu-central-1.amazonaws.com/");

    fake_http_reply(f->http, 400, "{\"__type\":\"NotFoundException\",\"message\":\"no such key\"}", NULL);
    service_expect(f, describe(f), AWS_NOT_FOUND, false);
    fake_http_reply(f->http, 200, "{}", NULL);
    service_expect(f, describe(f), AWS_BAD_ANSWER, false);

    assert_int_equal(kms_describe_key(&(AwsCaller){ f->aws, f->credentials, REGION }, KEY, on_key, f, &call),
                     0);
    operation_cancel(call);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_read_nothing),
        cmocka_unit_test(test_build),
        SERVICE_TEST(test_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
