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

#include "lib/iam.h"
#include "lib/util/macros.h"
#include "tests/unit/service_fixture.h"

#define USER  "arn:aws:iam::111122223333:user/guard"
#define TRAIL "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"

#define ANSWER(rows, tail)                                                                                  \
    "<SimulatePrincipalPolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">"                 \
    "<SimulatePrincipalPolicyResult>" tail "<EvaluationResults>" rows "</EvaluationResults>"                \
    "</SimulatePrincipalPolicyResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"         \
    "</SimulatePrincipalPolicyResponse>"
#define ROW(action, resource, decision, more)                                                               \
    "<member><MatchedStatements><member><SourcePolicyId>guard</SourcePolicyId><EndPosition><Column>25"      \
    "</Column><Line>10</Line></EndPosition></member></MatchedStatements><MissingContextValues/>"            \
    "<EvalResourceName>" resource "</EvalResourceName><EvalDecision>" decision "</EvalDecision>"            \
    "<EvalActionName>" action "</EvalActionName>" more "</member>"
#define SPECIFIC(resource, decision)                                                                        \
    "<member><MissingContextValues/><EvalResourceName>" resource "</EvalResourceName>"                      \
    "<EvalResourceDecision>" decision "</EvalResourceDecision></member>"
#define DONE "<IsTruncated>false</IsTruncated>"

static int read_text(const char *text, IamSimulation *ret) {
    return operation_read(&iam_simulate_principal_policy_operation, text, strlen(text), NULL, ret);
}

static void assert_row(const IamSimulated *row, const char *action, const char *resource,
                       IamDecision decision) {
    assert_string_equal(row->action, action);
    assert_string_equal(row->resource, resource);
    assert_int_equal(row->decision, decision);
}

static void decisions(void **state _unused_) {
    const char *text =
            ANSWER(ROW("cloudtrail:StartLogging", TRAIL, "allowed",
                       "") ROW("sns:Publish", "*", "implicitDeny",
                               "<OrganizationsDecisionDetail><AllowedByOrganizations>false"
                               "</AllowedByOrganizations></OrganizationsDecisionDetail>")
                           ROW("cloudtrail:UpdateTrail", TRAIL, "explicitDeny",
                               "<PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>false"
                               "</AllowedByPermissionsBoundary></PermissionsBoundaryDecisionDetail>"),
                   DONE);
    IamSimulation s = { 0 };

    assert_int_equal(read_text(text, &s), 0);
    assert_int_equal(s.n, 3);
    assert_row(&s.items[0], "cloudtrail:StartLogging", TRAIL, IAM_ALLOWED);
    assert_false(s.items[0].by_organization || s.items[0].by_boundary);
    assert_row(&s.items[1], "sns:Publish", "*", IAM_NOT_ALLOWED);
    assert_true(s.items[1].by_organization && !s.items[1].by_boundary);
    assert_row(&s.items[2], "cloudtrail:UpdateTrail", TRAIL, IAM_DENIED);
    assert_true(s.items[2].by_boundary && !s.items[2].by_organization);
    iam_simulation_done(&s);
    /* an answer that is cut short is none */
    for (size_t len = 0; len < strlen(text); len++)
        assert_int_equal(operation_read(&iam_simulate_principal_policy_operation, text, len, NULL, &s),
                         -EBADMSG);
    assert_int_equal(s.n, 0);
}

/* Where an action was asked on several resources, what is said of each counts. */
static void resources(void **state _unused_) {
    const char *text =
            ANSWER(ROW("s3:ListBucket", "arn:aws:s3:::a", "implicitDeny",
                       "<ResourceSpecificResults>" SPECIFIC("arn:aws:s3:::a", "allowed")
                               SPECIFIC("arn:aws:s3:::b", "implicitDeny") "</ResourceSpecificResults>")
                           ROW("sns:Publish", "", "allowed", ""),
                   DONE);
    IamSimulation s = { 0 };

    assert_int_equal(read_text(text, &s), 0);
    assert_int_equal(s.n, 3);
    assert_row(&s.items[0], "s3:ListBucket", "arn:aws:s3:::a", IAM_ALLOWED);
    assert_row(&s.items[1], "s3:ListBucket", "arn:aws:s3:::b", IAM_NOT_ALLOWED);
    assert_row(&s.items[2], "sns:Publish", "*", IAM_ALLOWED);
    iam_simulation_done(&s);
}

static void bad_answers(void **state _unused_) {
    static const char *const bad[] = {
        "",
        "{}",
        "<SimulatePrincipalPolicyResponse/>",
        ANSWER(ROW("", TRAIL, "allowed", ""), DONE),
        ANSWER("<member><EvalActionName>a:B</EvalActionName></member>", DONE),
        ANSWER(ROW("a:B", TRAIL, "perhaps", ""), DONE),
        ANSWER(ROW("a:B", TRAIL, "allowed",
                   "<ResourceSpecificResults><member><EvalResourceName>x</EvalResourceName></member>"
                   "</ResourceSpecificResults>"),
               DONE),
        ANSWER("", "<IsTruncated>true</IsTruncated>"),
    };
    IamSimulation s = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (read_text(bad[i], &s) != -EBADMSG)
            fail_msg("accepted: %s", bad[i]);
    assert_int_equal(s.n, 0);
    assert_int_equal(read_text(ANSWER("", DONE), &s), 0);
    assert_int_equal(s.n, 0);
}

static void questions(void **state _unused_) {
    static const char *const actions[] = { "iam:PassRole", "sns:Publish" }, *const arns[] = { TRAIL };
    IamQuestion question = { .principal = USER, .actions = actions, .n_actions = 2 };
    char *text = NULL;

    assert_int_equal(iam_question_text(&question, &text), 0);
    assert_string_equal(text, "PolicySourceArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Auser%2Fguard"
                              "&ActionNames.member.1=iam%3APassRole&ActionNames.member.2=sns%3APublish");
    free(text);
    question.resources = arns;
    question.n_resources = 1;
    question.passed_to = "cloudtrail.amazonaws.com";
    assert_int_equal(iam_question_text(&question, &text), 0);
    assert_non_null(strstr(text,
                           "&ResourceArns.member.1=arn%3Aaws%3Acloudtrail%3Aeu-central-1%3A111122223333%3A"
                           "trail%2Fmain&ContextEntries.member.1.ContextKeyName=iam%3APassedToService"
                           "&ContextEntries.member.1.ContextKeyType=string"
                           "&ContextEntries.member.1.ContextKeyValues.member.1=cloudtrail.amazonaws.com"));
    free(text);
    question.n_actions = 0;
    assert_int_equal(iam_question_text(&question, &text), -EINVAL);
    question.n_actions = 1;
    question.principal = "";
    assert_int_equal(iam_question_text(&question, &text), -EINVAL);
}

static void on_simulation(const AwsError *error, const IamSimulation *simulation, void *userdata) {
    ServiceFixture *f = userdata;

    service_note(f, error, simulation != NULL);
    snprintf(f->text, sizeof(f->text), "%zu", simulation ? simulation->n : 0);
}

/* Pages are asked for with the same question. */
static void pages(void **state) {
    ServiceFixture *f = *state;
    AwsCaller caller = { f->aws, f->credentials, "eu-central-1" };

    fake_http_reply(f->http, 200,
                    ANSWER(ROW("a:B", TRAIL, "allowed", ""),
                           "<IsTruncated>true</IsTruncated><Marker>more &amp; more</Marker>"),
                    NULL);
    fake_http_reply(f->http, 200, ANSWER(ROW("a:C", TRAIL, "allowed", ""), DONE), NULL);
    service_expect(f, iam_simulate_principal_policy(&caller, "PolicySourceArn=x", on_simulation, f, NULL),
                   AWS_OK, true);
    assert_string_equal(f->text, "2");
    assert_string_equal(fake_http_request(f->http, 0)->url, "https://iam.amazonaws.com/");
    assert_non_null(strstr(fake_request_header(fake_http_request(f->http, 0), "authorization"),
                           "/us-east-1/iam/aws4_request"));
    assert_string_equal(fake_http_request(f->http, 0)->body,
                        "Action=SimulatePrincipalPolicy&Version=2010-05-08&MaxItems=1000&PolicySourceArn=x");
    assert_string_equal(fake_http_request(f->http, 1)->body,
                        "Action=SimulatePrincipalPolicy&Version=2010-05-08&MaxItems=1000&PolicySourceArn=x"
                        "&Marker=more%20%26%20more");
}

static void denied(void **state) {
    ServiceFixture *f = *state;
    AwsCaller caller = { f->aws, f->credentials, "eu-central-1" };

    fake_http_reply(
            f->http, 404,
            "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>The role with "
            "name x cannot be found.</Message></Error><RequestId>r</RequestId></ErrorResponse>",
            NULL);
    service_expect(f, iam_simulate_principal_policy(&caller, "PolicySourceArn=x", on_simulation, f, NULL),
                   AWS_NOT_FOUND, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decisions), cmocka_unit_test(resources), cmocka_unit_test(bad_answers),
        cmocka_unit_test(questions), SERVICE_TEST(pages),         SERVICE_TEST(denied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
