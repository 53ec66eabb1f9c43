/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/iam.h"
#include "lib/util/macros.h"
#include "tests/unit/service_fixture.h"

#define USER_POLICY(document)                                                                               \
    "<GetUserPolicyResponse><GetUserPolicyResult><UserName>bob</UserName><PolicyName>P</PolicyName>"        \
    "<PolicyDocument>" document "</PolicyDocument></GetUserPolicyResult></GetUserPolicyResponse>"
#define ROLE_POLICY(document)                                                                               \
    "<GetRolePolicyResponse><GetRolePolicyResult><RoleName>bob</RoleName><PolicyName>P</PolicyName>"        \
    "<PolicyDocument>" document "</PolicyDocument></GetRolePolicyResult></GetRolePolicyResponse>"
#define NONE                                                                                                \
    "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>The user policy with name " \
    "P cannot be found.</Message></Error><RequestId>r</RequestId></ErrorResponse>"

static const IamPolicy policy = { .owner = "bob+x@example.com", .name = "P", .document = "{\"a\": 1}" };
static const IamPolicy asked = { .owner = "bob", .name = "P" };

static void on_document(const AwsError *error, const char *document, void *userdata) {
    ServiceFixture *f = userdata;

    service_note(f, error, document != NULL);
    (void)snprintf(f->text, sizeof(f->text), "%s", document ? document : "");
}

static void on_write(const AwsError *error, void *userdata) {
    service_note(userdata, error, error->class == AWS_OK);
}

static void documents_are_read(void **state) {
    ServiceFixture *f = *state;
    AwsCaller caller = { f->aws, f->credentials, "eu-central-1" };
    static const char *const bad[] = { USER_POLICY("%7"),    USER_POLICY("%zz"), USER_POLICY("%00"),
                                       USER_POLICY("%"),     USER_POLICY(""),    "<GetUserPolicyResponse/>",
                                       ROLE_POLICY("%7B%7D") };

    fake_http_reply(f->http, 200, USER_POLICY("%7B%22a%22:%20%22%C3%a4%2B+%22%7D"), NULL);
    service_expect(f, iam_get_user_policy(&caller, &asked, on_document, f, NULL), AWS_OK, true);
    assert_string_equal(f->text, "{\"a\": \"\xC3\xA4++\"}");
    assert_string_equal(fake_http_request(f->http, 0)->body,
                        "Action=GetUserPolicy&Version=2010-05-08&UserName=bob&PolicyName=P");
    fake_http_reply(f->http, 200, ROLE_POLICY("%7B%7D"), NULL);
    service_expect(f, iam_get_role_policy(&caller, &asked, on_document, f, NULL), AWS_OK, true);
    assert_string_equal(f->text, "{}");
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        fake_http_reply(f->http, 200, bad[i], NULL);
        service_expect(f, iam_get_user_policy(&caller, &asked, on_document, f, NULL), AWS_BAD_ANSWER, false);
    }
}

static void none_is_an_answer(void **state) {
    ServiceFixture *f = *state;
    AwsCaller caller = { f->aws, f->credentials, "eu-central-1" };

    fake_http_reply(f->http, 404, NONE, NULL);
    service_expect(f, iam_get_user_policy(&caller, &asked, on_document, f, NULL), AWS_OK, true);
    assert_string_equal(f->text, "");
    fake_http_reply(f->http, 404, NONE, NULL);
    service_expect(f, iam_delete_user_policy(&caller, &asked, on_write, f, NULL), AWS_NOT_FOUND, false);
}

static void writes(void **state) {
    ServiceFixture *f = *state;
    AwsCaller caller = { f->aws, f->credentials, "eu-central-1" };
    static const struct {
        int (*start)(const AwsCaller *caller, const IamPolicy *input, void (*done)(const AwsError *, void *),
                     void *userdata, OperationCall **ret);
        const char *body;
    } rows[] = {
        { iam_put_user_policy,
          "Action=PutUserPolicy&Version=2010-05-08&UserName=bob%2Bx%40example.com&PolicyName=P"
          "&PolicyDocument=%7B%22a%22%3A%201%7D" },
        { iam_put_role_policy,
          "Action=PutRolePolicy&Version=2010-05-08&RoleName=bob%2Bx%40example.com&PolicyName=P"
          "&PolicyDocument=%7B%22a%22%3A%201%7D" },
        { iam_delete_user_policy,
          "Action=DeleteUserPolicy&Version=2010-05-08&UserName=bob%2Bx%40example.com&PolicyName=P" },
        { iam_delete_role_policy,
          "Action=DeleteRolePolicy&Version=2010-05-08&RoleName=bob%2Bx%40example.com&PolicyName=P" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        fake_http_reply(f->http, 200, "<Answer/>", NULL);
        service_expect(f, rows[i].start(&caller, &policy, on_write, f, NULL), AWS_OK, true);
        assert_string_equal(fake_http_request(f->http, (unsigned)i)->body, rows[i].body);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SERVICE_TEST(documents_are_read),
        SERVICE_TEST(none_is_an_answer),
        SERVICE_TEST(writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
