/* SPDX-License-Identifier: Apache-2.0 */
/* One user or role of the guard: what is read of it, what IAM says of its rights, and what is made of each
 * answer that is none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/io/principal_check.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/service_fixture.h"
/* link: -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc */

#define USER  "arn:aws:iam::111122223333:user/ops/guard"
#define ROLE  "arn:aws:iam::111122223333:role/guard"
#define PATH  "arn:aws:iam::111122223333:role/ops/guard"
#define TRAIL "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"

#define STATEMENTS                                                                                          \
    "[{\"Action\":[\"cloudtrail:StartLogging\"],\"Resource\":\"" TRAIL "\"},"                               \
    "{\"Action\":\"cloudtrail:LookupEvents\",\"Resource\":\"*\"}]"

#define GOT(kind, arn, more)                                                                                \
    "<Get" kind "Response><Get" kind "Result><" kind "><Arn>" arn "</Arn>" more "</" kind "></Get" kind     \
    "Result></Get" kind "Response>"
#define TRUST "<AssumeRolePolicyDocument>%7B%22Statement%22%3A%5B%5D%7D</AssumeRolePolicyDocument>"
#define BOUNDARY                                                                                            \
    "<PermissionsBoundary><PermissionsBoundaryArn>arn:aws:iam::aws:policy/B</PermissionsBoundaryArn></"     \
    "PermissionsBoundary>"
#define LIST(operation, rows)                                                                               \
    "<" operation "Response><" operation "Result>" rows "<IsTruncated>false</IsTruncated></" operation      \
    "Result></" operation "Response>"
#define ATTACHED(kind, rows)                                                                                \
    LIST("ListAttached" kind "Policies", "<AttachedPolicies>" rows "</AttachedPolicies>")
#define INLINE(kind, rows) LIST("List" kind "Policies", "<PolicyNames>" rows "</PolicyNames>")
#define KEYS(rows)         LIST("ListAccessKeys", "<AccessKeyMetadata>" rows "</AccessKeyMetadata>")
#define KEY(id, status)                                                                                     \
    "<member><AccessKeyId>" id "</AccessKeyId><Status>" status                                              \
    "</Status><CreateDate>2026-01-01T00:00:00Z</CreateDate></member>"
#define MANAGED                                                                                             \
    "<GetPolicyResponse><GetPolicyResult><Policy><PolicyId>ANPA1</PolicyId><DefaultVersionId>v3"            \
    "</DefaultVersionId></Policy></GetPolicyResult></GetPolicyResponse>"
#define POLICY(kind)                                                                                        \
    "<Get" kind "PolicyResponse><Get" kind "PolicyResult><PolicyDocument>%7B%7D</PolicyDocument></Get" kind \
    "PolicyResult></Get" kind "PolicyResponse>"
#define DECISION(action, resource, decision, more)                                                          \
    "<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><EvaluationResults><member>"           \
    "<EvalActionName>" action "</EvalActionName><EvalResourceName>" resource                                \
    "</EvalResourceName><EvalDecision>" decision "</EvalDecision>" more                                     \
    "</member></EvaluationResults><IsTruncated>false</IsTruncated></SimulatePrincipalPolicyResult>"         \
    "</SimulatePrincipalPolicyResponse>"
#define BY_SCP                                                                                              \
    "<OrganizationsDecisionDetail><AllowedByOrganizations>false</AllowedByOrganizations>"                   \
    "</OrganizationsDecisionDetail>"
#define ERROR(code)                                                                                         \
    "<ErrorResponse><Error><Type>Sender</Type><Code>" code                                                  \
    "</Code><Message>no</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"

typedef struct Checking {
    ServiceFixture *f;
    unsigned n_done;
    PrincipalFound found; /* its parts were taken over; the texts and losses are gone */
    char trust[256], boundary[256], losses[512];
} Checking;

static void on_done(PrincipalFound *found, void *userdata) {
    Checking *c = userdata;
    size_t n = 0;

    c->n_done++;
    c->found = *found;
    found->parts = (GuardParts){ 0 };
    (void)text_copy(c->trust, sizeof(c->trust), found->trust ? found->trust : "?");
    (void)text_copy(c->boundary, sizeof(c->boundary), found->boundary ? found->boundary : "?");
    for (size_t i = 0; i < found->losses.n; i++)
        n += (size_t)snprintf(c->losses + n, sizeof(c->losses) - n, "%s %s: %s\n",
                              found->losses.items[i].action, found->losses.items[i].resource,
                              found->losses.items[i].why);
}

static int start(Checking *c, const char *arn, bool reads, const json_t *statements, PrincipalCheck **ret) {
    static const char *const trails[] = { TRAIL };
    PrincipalCheckRequest request = { .aws = c->f->aws,
                                      .credentials = c->f->credentials,
                                      .region = "us-east-1",
                                      .arn = arn,
                                      .path_is_known = strcmp(arn, ROLE) != 0,
                                      .reads = reads,
                                      .statements = statements,
                                      .trails = trails,
                                      .n_trails = 1 };

    return principal_check_start(&request, on_done, c, ret);
}

static Checking check(ServiceFixture *f, const char *arn, bool reads, const char *statements) {
    json_auto_t *list = statements ? json_loads(statements, 0, NULL) : NULL;
    Checking c = { .f = f };
    PrincipalCheck *check;

    assert_int_equal(start(&c, arn, reads, list, &check), 0);
    assert_int_equal(c.n_done, 0);
    fake_loop_advance(f->loop, 20 * aws_client_deadline_usec(f->aws));
    assert_int_equal(c.n_done, 1);
    assert_int_equal(fake_http_n_running(f->http), 0);
    assert_int_equal(fake_http_n_left(f->http), 0);
    return c;
}

static void got(ServiceFixture *f, const char *answer) {
    fake_http_reply(f->http, 200, answer, NULL);
}

static void refuse(ServiceFixture *f, int status, const char *answer) {
    fake_http_reply(f->http, status, answer, NULL);
}

static const GuardPart *part(const Checking *c, GuardPartKind kind) {
    for (size_t i = 0; i < c->found.parts.n; i++)
        if (c->found.parts.items[i].kind == kind)
            return &c->found.parts.items[i];
    return NULL;
}

static bool knows(const Checking *c, GuardPartKind kind) {
    return c->found.parts.kinds & GUARD_PART_BIT(kind);
}

/* ---- what it is and has ---- */

static void a_user(void **state) {
    ServiceFixture *f = *state;
    Checking c;

    got(f, GOT("User", USER, BOUNDARY));
    got(f, ATTACHED("User", "<member><PolicyArn>arn:aws:iam::aws:policy/Read</PolicyArn></member>"));
    got(f, INLINE("User", "<member>guard</member>"));
    got(f, KEYS(KEY("AKIA1", "Active") KEY("AKIA2", "Inactive") KEY("AKIA3", "Active")));
    got(f, MANAGED);
    got(f, POLICY("User"));
    c = check(f, USER, true, NULL);
    assert_string_equal(c.found.unread, "");
    assert_false(c.found.simulated);
    assert_string_equal(c.boundary, "arn:aws:iam::aws:policy/B");
    assert_string_equal(c.trust, "?"); /* a user has none */
    assert_string_equal(part(&c, GUARD_PART_BOUNDARY)->name, "arn:aws:iam::aws:policy/B");
    assert_string_equal(part(&c, GUARD_PART_ATTACHED)->name, "arn:aws:iam::aws:policy/Read");
    assert_string_equal(part(&c, GUARD_PART_INLINE)->name, "guard");
    assert_true(knows(&c, GUARD_PART_KEY));
    assert_int_equal(c.found.n_keys, PRINCIPAL_KEYS_MAX); /* AWS allows no more, whatever it answers */
    assert_true(c.found.keys[0].active && !c.found.keys[1].active);
    assert_string_equal(fake_http_request(f->http, 0)->body,
                        "Action=GetUser&Version=2010-05-08&UserName=guard");
    guard_parts_done(&c.found.parts);
}

static void a_role_without_anything(void **state) {
    ServiceFixture *f = *state;
    Checking c;

    got(f, GOT("Role", PATH, TRUST));
    got(f, ATTACHED("Role", ""));
    got(f, INLINE("Role", ""));
    c = check(f, ROLE, true, NULL);
    assert_string_equal(c.found.arn, PATH); /* a session does not say it */
    assert_true(c.found.path_is_known);
    assert_string_equal(c.trust, "{\"Statement\":[]}");
    assert_string_equal(c.boundary, "");
    assert_true(knows(&c, GUARD_PART_BOUNDARY) && !part(&c, GUARD_PART_BOUNDARY));
    assert_true(knows(&c, GUARD_PART_INLINE) && !part(&c, GUARD_PART_INLINE));
    assert_false(knows(&c, GUARD_PART_KEY));
    guard_parts_done(&c.found.parts);
}

/* What cannot be read is not known: it must not pass for removed. */
static void each_answer_that_is_none(void **state) {
    ServiceFixture *f = *state;
    static const struct {
        int status;
        const char *answer;
        bool denied;
    } cases[] = {
        { 403, ERROR("AccessDenied"), true },
        { 404, ERROR("NoSuchEntity"), false },
        { 400, ERROR("Throttling"), false },
        { 500, "<html>", false },
        { 200, "", false },
        { 200, "<html>", false },
        { 200, "<Other/>", false },
        { 200, "<!DOCTYPE a [<!ENTITY b \"c\">]><Other>&b;</Other>", false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Checking c;

        for (unsigned k = 0; k < 3; k++)
            refuse(f, cases[i].status, cases[i].answer);
        c = check(f, ROLE, true, NULL);
        if (c.found.parts.kinds != 0 || !text_starts_with(c.found.unread, "GetRole: "))
            fail_msg("%zu: %x %s", i, c.found.parts.kinds, c.found.unread);
        assert_int_equal(c.found.denied, cases[i].denied);
        assert_string_equal(c.trust, "?");
        assert_string_equal(c.boundary, "?");
        assert_string_equal(c.found.arn, ROLE);
        guard_parts_done(&c.found.parts);
    }
}

static void one_document_that_cannot_be_read(void **state) {
    ServiceFixture *f = *state;
    Checking c;

    got(f, GOT("Role", PATH, TRUST));
    got(f, ATTACHED("Role", "<member><PolicyArn>arn:aws:iam::aws:policy/A</PolicyArn></member>"
                            "<member><PolicyArn>arn:aws:iam::aws:policy/B</PolicyArn></member>"));
    got(f, INLINE("Role", "<member>one</member><member>two</member>"));
    got(f, MANAGED);
    refuse(f, 403, ERROR("AccessDenied"));
    refuse(f, 404, ERROR("NoSuchEntity")); /* it went since it was listed */
    got(f, POLICY("Role"));
    c = check(f, ROLE, true, NULL);
    assert_false(knows(&c, GUARD_PART_ATTACHED));
    assert_true(knows(&c, GUARD_PART_INLINE));
    assert_string_equal(part(&c, GUARD_PART_INLINE)->name, "two");
    assert_true(text_starts_with(c.found.unread, "GetPolicy: AccessDenied"));
    assert_true(c.found.denied);
    guard_parts_done(&c.found.parts);
}

/* Of more than are kept that alone is known: whoever adds many hides nothing by it. */
static void more_policies_than_are_kept(void **state) {
    ServiceFixture *f = *state;
    char list[GUARD_PARTS_MAX * 32 + 512], rows[GUARD_PARTS_MAX * 32] = "";
    size_t n = 0;
    Checking c;

    for (unsigned i = 0; i <= GUARD_PARTS_MAX; i++)
        n += (size_t)snprintf(rows + n, sizeof(rows) - n, "<member>p%u</member>", i);
    (void)snprintf(list, sizeof(list), INLINE("Role", "%s"), rows);
    got(f, GOT("Role", PATH, TRUST));
    got(f, ATTACHED("Role", ""));
    got(f, list);
    for (unsigned i = 0; i < GUARD_PARTS_MAX; i++)
        got(f, POLICY("Role"));
    c = check(f, ROLE, true, NULL);
    assert_true(knows(&c, GUARD_PART_INLINE));
    assert_string_equal(part(&c, GUARD_PART_INLINE)->name, GUARD_PARTS_MANY);
    assert_true(knows(&c, GUARD_PART_TRUST));
    assert_true(knows(&c, GUARD_PART_ATTACHED));
    assert_int_equal(c.found.parts.n, 2);
    guard_parts_done(&c.found.parts);
}

/* ---- rights ---- */

static void all_is_allowed(void **state) {
    ServiceFixture *f = *state;
    Checking c;

    got(f, DECISION("cloudtrail:StartLogging", TRAIL, "allowed", ""));
    got(f, DECISION("cloudtrail:LookupEvents", "*", "allowed", ""));
    c = check(f, USER, false, STATEMENTS);
    assert_true(c.found.simulated);
    assert_int_equal(c.found.n_allowed, 2);
    assert_int_equal(c.found.losses.n, 0);
    assert_int_equal(c.found.parts.kinds, 0);
    assert_non_null(strstr(fake_http_request(f->http, 0)->body, "PolicySourceArn=arn%3Aaws%3Aiam"));
}

static void what_is_not_allowed(void **state) {
    ServiceFixture *f = *state;
    Checking c;

    got(f, DECISION("cloudtrail:StartLogging", TRAIL, "allowed", BY_SCP)); /* the SCP stands above it */
    got(f, DECISION("cloudtrail:LookupEvents", "*", "implicitDeny", ""));
    c = check(f, USER, false, STATEMENTS);
    assert_true(c.found.simulated);
    assert_int_equal(c.found.n_allowed, 0);
    assert_string_equal(c.losses, "cloudtrail:StartLogging " TRAIL ": denied by a service control policy\n"
                                  "cloudtrail:LookupEvents *: not allowed by any policy\n");
}

/* A simulation that ended early says nothing of the rest: nothing of it counts as simulated. */
static void a_simulation_that_fails(void **state) {
    ServiceFixture *f = *state;
    static const struct {
        int status;
        const char *answer;
        AwsErrorClass class;
    } cases[] = {
        { 403, ERROR("AccessDenied"), AWS_DENIED },
        { 404, ERROR("NoSuchEntity"), AWS_NOT_FOUND },
        { 200, "<html>", AWS_BAD_ANSWER },
        { 200, DECISION("cloudtrail:LookupEvents", "*", "perhaps", ""), AWS_BAD_ANSWER },
        { 200, "<SimulatePrincipalPolicyResponse/>", AWS_BAD_ANSWER },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Checking c;

        got(f, DECISION("cloudtrail:StartLogging", TRAIL, "explicitDeny", ""));
        refuse(f, cases[i].status, cases[i].answer);
        c = check(f, USER, false, STATEMENTS);
        assert_false(c.found.simulated);
        if (c.found.error.class != cases[i].class)
            fail_msg("%zu: %d", i, (int)c.found.error.class);
    }
}

/* IAM does not know a role without its path: it is asked for the path, once. */
static void the_path_of_a_role(void **state) {
    ServiceFixture *f = *state;
    Checking c;

    refuse(f, 404, ERROR("NoSuchEntity"));
    got(f, GOT("Role", PATH, TRUST));
    got(f, DECISION("cloudtrail:StartLogging", TRAIL, "allowed", ""));
    got(f, DECISION("cloudtrail:LookupEvents", "*", "allowed", ""));
    c = check(f, ROLE, false, STATEMENTS);
    assert_true(c.found.simulated);
    assert_string_equal(c.found.arn, PATH);
    assert_int_equal(c.found.parts.kinds, 0); /* that was not asked for */
    assert_non_null(strstr(fake_http_request(f->http, 2)->body, "role%2Fops%2Fguard"));

    refuse(f, 404, ERROR("NoSuchEntity"));
    refuse(f, 403, ERROR("AccessDenied"));
    refuse(f, 404, ERROR("NoSuchEntity"));
    c = check(f, ROLE, false, STATEMENTS);
    assert_false(c.found.simulated);
    assert_int_equal(c.found.error.class, AWS_NOT_FOUND);
    assert_string_equal(c.found.unread, "");
}

static void nothing_to_simulate(void **state) {
    ServiceFixture *f = *state;

    assert_false(check(f, USER, false, "[]").found.simulated);
    assert_false(check(f, USER, false, NULL).found.simulated);
    assert_int_equal(fake_http_n_requests(f->http), 0);
}

/* ---- start and end ---- */

static void only_users_and_roles(void **state) {
    static const char *const arns[] = { "", "bob", "arn:aws:iam::111122223333:root",
                                        "arn:aws:iam::111122223333:group/x",
                                        "arn:aws:sts::111122223333:assumed-role/guard/i-1" };
    Checking c = { .f = *state };
    PrincipalCheck *check;

    for (size_t i = 0; i < ARRAY_SIZE(arns); i++)
        assert_int_equal(start(&c, arns[i], true, NULL, &check), -EINVAL);
}

static void it_can_be_cancelled(void **state) {
    ServiceFixture *f = *state;
    Checking c = { .f = f };
    PrincipalCheck *check;

    assert_int_equal(start(&c, ROLE, true, NULL, &check), 0);
    principal_check_cancel(check);
    got(f, GOT("Role", PATH, TRUST));
    assert_int_equal(start(&c, ROLE, true, NULL, &check), 0);
    fake_loop_advance(f->loop, USEC_PER_SEC / 2); /* both lists are waited for */
    assert_int_equal(fake_http_n_running(f->http), 2);
    principal_check_cancel(check);
    principal_check_cancel(NULL);
    fake_loop_advance(f->loop, 600 * USEC_PER_SEC);
    assert_int_equal(c.n_done, 0);
}

/* Without memory no right passes for one that is there, and no policy for removed. */
static void without_memory(void **state) {
    json_auto_t *statements = json_loads(STATEMENTS, 0, NULL);
    bool failed = true;

    for (unsigned n = 0; failed; n++) {
        Checking c = { 0 };
        PrincipalCheck *check;
        int r;

        assert_true(n < 3000);
        service_set_up(state);
        c.f = *state;
        got(c.f, GOT("Role", PATH, TRUST));
        got(c.f, ATTACHED("Role", ""));
        got(c.f, INLINE("Role", "<member>guard</member>"));
        got(c.f, POLICY("Role"));
        got(c.f, DECISION("cloudtrail:StartLogging", TRAIL, "explicitDeny", ""));
        got(c.f, DECISION("cloudtrail:LookupEvents", "*", "allowed", ""));
        alloc_fail_once(n);
        r = start(&c, ROLE, true, statements, &check);
        if (r == 0)
            fake_loop_advance(c.f->loop, 100 * USEC_PER_SEC);
        failed = alloc_fail_end();
        assert_true(r == 0 || r == -ENOMEM);
        assert_int_equal(c.n_done, r == 0);
        if (r == 0 && fake_http_n_requests(c.f->http) == 6) {
            assert_true(!c.found.simulated || c.found.losses.n == 1);
            assert_true(!knows(&c, GUARD_PART_INLINE) || part(&c, GUARD_PART_INLINE));
        }
        assert_true(failed || c.found.simulated);
        guard_parts_done(&c.found.parts);
        service_tear_down(state);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SERVICE_TEST(a_user),
        SERVICE_TEST(a_role_without_anything),
        SERVICE_TEST(each_answer_that_is_none),
        SERVICE_TEST(one_document_that_cannot_be_read),
        PATIENT_TEST(more_policies_than_are_kept),
        SERVICE_TEST(all_is_allowed),
        SERVICE_TEST(what_is_not_allowed),
        SERVICE_TEST(a_simulation_that_fails),
        SERVICE_TEST(the_path_of_a_role),
        SERVICE_TEST(nothing_to_simulate),
        SERVICE_TEST(only_users_and_roles),
        SERVICE_TEST(it_can_be_cancelled),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
