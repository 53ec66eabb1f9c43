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

#include "lib/organizations.h"
#include "lib/util/macros.h"
#include "tests/unit/service_fixture.h"

#define REGION         "ap-east-1"
#define ANSWER(status) "{\"RegionName\":\"" REGION "\",\"RegionOptStatus\":" status "}"

static int read_status(const char *text, char ret[static ACCOUNT_STATUS_MAX]) {
    return operation_read(&account_get_region_status_operation, text, strlen(text), REGION, ret);
}

static void test_read(void **state) {
    static const char *const words[] = { "ENABLED",  "ENABLING",           "DISABLING",
                                         "DISABLED", "ENABLED_BY_DEFAULT", "NEW" };
    char status[ACCOUNT_STATUS_MAX], text[128];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        snprintf(text, sizeof(text), ANSWER("\"%s\""), words[i]);
        assert_int_equal(read_status(text, status), 0);
        assert_string_equal(status, words[i]);
    }
    assert_int_equal(read_status("{\"RegionOptStatus\":\"ENABLED\"}", status), 0);
}

static void test_read_nothing(void **state) {
    static const char *const cases[] = {
        "",
        "[]",
        "{}",
        "{\"RegionName\":\"" REGION "\"}",
        ANSWER("\"\""),
        ANSWER("null"),
        ANSWER("7"),
        "{\"RegionName\":7,\"RegionOptStatus\":\"ENABLED\"}",
        "{\"RegionName\":\"af-south-1\",\"RegionOptStatus\":\"DISABLED\"}",
    };
    char status[ACCOUNT_STATUS_MAX] = "kept";

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (read_status(cases[i], status) != -EBADMSG)
            fail_msg("accepted: %s", cases[i]);
    assert_string_equal(status, "kept");
}

static void test_build(void **state) {
    char *body = NULL;

    (void)state;
    assert_int_equal(operation_build(&account_get_region_status_operation, REGION, NULL, &body), 0);
    assert_string_equal(body, "{\"RegionName\":\"" REGION "\"}");
    free(body);
    body = NULL;
    assert_int_equal(operation_build(&account_get_region_status_operation, "\xff", NULL, &body), -EINVAL);
    assert_null(body);
}

static void on_status(const AwsError *error, const char *status, void *userdata) {
    ServiceFixture *f = userdata;

    service_note(f, error, status != NULL);
    snprintf(f->text, sizeof(f->text), "%s", status ? status : "");
}

static int ask(ServiceFixture *f) {
    return account_get_region_status(&(AwsCaller){ f->aws, f->credentials, REGION }, REGION, on_status, f,
                                     NULL);
}

static void test_call(void **state) {
    ServiceFixture *f = *state;
    const FakeRequest *request;
    OperationCall *call;

    fake_http_reply(f->http, 200, ANSWER("\"DISABLED\""), NULL);
    service_expect(f, ask(f), AWS_OK, true);
    assert_string_equal(f->text, "DISABLED");
    request = fake_http_request(f->http, 0);
    assert_string_equal(request->method, "POST");
    assert_string_equal(request->url, "https://account.us-east-1.amazonaws.com/getRegionOptStatus");
    assert_string_equal(request->body, "{\"RegionName\":\"" REGION "\"}");
    assert_string_equal(fake_request_header(request, "content-type"), "application/json");
    assert_null(fake_request_header(request, "x-amz-target"));
    assert_non_null(
            strstr(fake_request_header(request, "authorization"), "/us-east-1/account/aws4_request"));

    /* restJson1 has the code in a header */
    fake_http_reply(f->http, 403, "{\"message\":\"no\"}", "x-amzn-ErrorType",
                    "AccessDeniedException:", NULL);
    service_expect(f, ask(f), AWS_DENIED, false);
    fake_http_reply(f->http, 429, "{\"message\":\"slow\"}", "x-amzn-ErrorType", "TooManyRequestsException",
                    NULL);
    service_expect(f, ask(f), AWS_THROTTLED, false);
    fake_http_reply(f->http, 200, "{}", NULL);
    service_expect(f, ask(f), AWS_BAD_ANSWER, false);
    assert_string_equal(f->error.message,
                        "the answer to GetRegionOptStatus is bad: RegionOptStatus is missing");

    /* whatever stands there in another coding is not read, and not taken for something else */
    fake_http_reply(f->http, 200, "\x1f\x8b\x08", "Content-Encoding", "gzip", NULL);
    service_expect(f, ask(f), AWS_BAD_ANSWER, false);
    assert_string_equal(f->error.message, "the answer to GetRegionOptStatus is bad: it comes with "
                                          "Content-Encoding gzip, which was not requested");
    fake_http_reply(f->http, 200, ANSWER("\"DISABLED\""), "Content-Encoding", "gzip", NULL);
    service_expect(f, ask(f), AWS_OK, true); /* only the header is wrong */

    assert_int_equal(account_get_region_status(&(AwsCaller){ f->aws, f->credentials, REGION }, REGION,
                                               on_status, f, &call),
                     0);
    operation_cancel(call);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 6);
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
