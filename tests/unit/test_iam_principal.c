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

#define USER "arn:aws:iam::111122223333:user/guard"

#define ROLE(arn)                                                                                           \
    "<GetRoleResponse><GetRoleResult><Role><Path>/ops/</Path><Arn>" arn                                     \
    "</Arn><RoleName>guard</RoleName><AssumeRolePolicyDocument>%7B%22Version%22%3A%222012-10-17%22%7D"      \
    "</AssumeRolePolicyDocument><PermissionsBoundary><PermissionsBoundaryType>Policy"                       \
    "</PermissionsBoundaryType><PermissionsBoundaryArn>arn:aws:iam::aws:policy/ViewOnly"                    \
    "</PermissionsBoundaryArn></PermissionsBoundary></Role></GetRoleResult></GetRoleResponse>"
#define LIST(operation, rows, tail)                                                                         \
    "<" operation "Response><" operation "Result>" rows tail "</" operation "Result></" operation           \
    "Response>"
#define DONE "<IsTruncated>false</IsTruncated>"

static void on_principal(const AwsError *error, const IamPrincipal *principal, void *userdata) {
    ServiceFixture *f = userdata;

    service_note(f, error, principal != NULL);
    if (principal)
        snprintf(f->text, sizeof(f->text), "%s %s %s", principal->arn, principal->trust,
                 principal->boundary);
}

static void on_list(const AwsError *error, const IamList *list, void *userdata) {
    ServiceFixture *f = userdata;
    size_t n = 0;

    service_note(f, error, list != NULL);
    f->text[0] = '\0';
    for (size_t i = 0; list && i < list->n; i++)
        n += (size_t)snprintf(f->text + n, sizeof(f->text) - n, "%s%s%s", i > 0 ? " " : "",
                              list->items[i].name, list->items[i].active ? "+" : "");
}

static void on_managed(const AwsError *error, const IamManaged *policy, void *userdata) {
    ServiceFixture *f = userdata;

    service_note(f, error, policy != NULL);
    snprintf(f->text, sizeof(f->text), "%s %s", policy ? policy->id : "", policy ? policy->version : "");
}

static void assert_body(const ServiceFixture *f, size_t i, const char *body) {
    assert_string_equal(fake_http_request(f->http, i)->body, body);
}

static void roles(void **state) {
    ServiceFixture *f = *state;
    AwsCaller caller = { f->aws, f->credentials, "us-gov-east-1" };
    static const char *const bad[] = { ROLE(""), ROLE("x"), ROLE(USER), "<GetRoleResponse/>" };

    fake_http_reply(f->http, 200, ROLE("arn:aws-us-gov:iam::111122223333:role/ops/guard"), NULL);
    service_expect(f, iam_get_role(&caller, "guard", on_principal, f, NULL), AWS_OK, true);
    assert_string_equal(f->text, "arn:aws-us-gov:iam::111122223333:role/ops/guard "
                                 "{\"Version\":\"2012-10-17\"} arn:aws:iam::aws:policy/ViewOnly");
    assert_body(f, 0, "Action=GetRole&Version=2010-05-08&RoleName=guard");
    assert_non_null(strstr(fake_request_header(fake_http_request(f->http, 0), "authorization"),
                           "/us-gov-west-1/iam/aws4_request"));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        fake_http_reply(f->http, 200, bad[i], NULL);
        service_expect(f, iam_get_role(&caller, "guard", on_principal, f, NULL), AWS_BAD_ANSWER, false);
    }
}

static void users(void **state) {
    ServiceFixture *f = *state;
    AwsCaller caller = { f->aws, f->credentials, "eu-central-1" };

    fake_http_reply(f->http, 200,
                    "<GetUserResponse><GetUserResult><User><Arn>" USER "</Arn></User></GetUserResult>"
                    "</GetUserResponse>",
                    NULL);
    service_expect(f, iam_get_user(&caller, "guard", on_principal, f, NULL), AWS_OK, true);
    assert_string_equal(f->text, USER "  ");
    assert_body(f, 0, "Action=GetUser&Version=2010-05-08&UserName=guard");
}

static void lists(void **state) {
    ServiceFixture *f = *state;
    AwsCaller caller = { f->aws, f->credentials, "eu-central-1" };

    fake_http_reply(f->http, 200,
                    LIST("ListAttachedRolePolicies",
                         "<AttachedPolicies><member><PolicyName>A</PolicyName><PolicyArn>arn:aws:iam::aws:"
                         "policy/A</PolicyArn></member></AttachedPolicies>",
                         "<IsTruncated>true</IsTruncated><Marker>a b</Marker>"),
                    NULL);
    fake_http_reply(f->http, 200,
                    LIST("ListAttachedRolePolicies",
                         "<AttachedPolicies><member><PolicyArn>arn:aws:iam::aws:policy/B</PolicyArn>"
                         "</member></AttachedPolicies>",
                         DONE),
                    NULL);
    service_expect(f, iam_list_attached_role_policies(&caller, "guard", on_list, f, NULL), AWS_OK, true);
    assert_string_equal(f->text, "arn:aws:iam::aws:policy/A arn:aws:iam::aws:policy/B");
    assert_body(f, 0, "Action=ListAttachedRolePolicies&Version=2010-05-08&RoleName=guard");
    assert_body(f, 1, "Action=ListAttachedRolePolicies&Version=2010-05-08&RoleName=guard&Marker=a%20b");

    fake_http_reply(f->http, 200,
                    LIST("ListUserPolicies",
                         "<PolicyNames><member>guard</member><member>AWSRevokeOlderSessions</member>"
                         "</PolicyNames>",
                         DONE),
                    NULL);
    service_expect(f, iam_list_user_policies(&caller, "guard", on_list, f, NULL), AWS_OK, true);
    assert_string_equal(f->text, "guard AWSRevokeOlderSessions");

    fake_http_reply(f->http, 200,
                    LIST("ListAccessKeys",
                         "<AccessKeyMetadata><member><UserName>guard</UserName><AccessKeyId>AKIA1"
                         "</AccessKeyId><Status>Active</Status><CreateDate>2026-01-02T03:04:05Z</CreateDate>"
                         "</member><member><AccessKeyId>AKIA2</AccessKeyId><Status>Inactive</Status>"
                         "</member></AccessKeyMetadata>",
                         DONE),
                    NULL);
    service_expect(f, iam_list_access_keys(&caller, "guard", on_list, f, NULL), AWS_OK, true);
    assert_string_equal(f->text, "AKIA1+ AKIA2");
}

static void bad_lists(void **state) {
    ServiceFixture *f = *state;
    AwsCaller caller = { f->aws, f->credentials, "eu-central-1" };
    static const char *const bad[] = {
        "<ListRolePoliciesResponse/>",
        LIST("ListRolePolicies", "<PolicyNames><member/></PolicyNames>", DONE),
        LIST("ListRolePolicies", "", "<IsTruncated>true</IsTruncated>"),
        "<ListRolePoliciesResponse>",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        fake_http_reply(f->http, 200, bad[i], NULL);
        service_expect(f, iam_list_role_policies(&caller, "guard", on_list, f, NULL), AWS_BAD_ANSWER,
                       false);
    }
}

static void managed_policies(void **state) {
    ServiceFixture *f = *state;
    AwsCaller caller = { f->aws, f->credentials, "eu-central-1" };

    fake_http_reply(f->http, 200,
                    "<GetPolicyResponse><GetPolicyResult><Policy><PolicyId>ANPA1</PolicyId>"
                    "<DefaultVersionId>v3</DefaultVersionId></Policy></GetPolicyResult>"
                    "</GetPolicyResponse>",
                    NULL);
    service_expect(f, iam_get_policy(&caller, "arn:aws:iam::aws:policy/A", on_managed, f, NULL), AWS_OK,
                   true);
    assert_string_equal(f->text, "ANPA1 v3");
    fake_http_reply(f->http, 200, "<GetPolicyResponse/>", NULL);
    service_expect(f, iam_get_policy(&caller, "arn:aws:iam::aws:policy/A", on_managed, f, NULL),
                   AWS_BAD_ANSWER, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SERVICE_TEST(roles),     SERVICE_TEST(users),     SERVICE_TEST(lists),
        SERVICE_TEST(bad_lists), SERVICE_TEST(managed_policies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
