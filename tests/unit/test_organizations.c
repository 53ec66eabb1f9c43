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

#define ACCOUNT(id, name, more) "{\"Id\":\"" id "\",\"Name\":\"" name "\"," more "}"
#define PAGE(accounts, token)   "{\"Accounts\":[" accounts "],\"NextToken\":\"" token "\"}"
#define LAST(accounts)          "{\"Accounts\":[" accounts "]}"
#define A                       ACCOUNT("111111111111", "a", "\"State\":\"ACTIVE\"")
#define B                       ACCOUNT("222222222222", "b", "\"State\":\"ACTIVE\"")
#define C                       ACCOUNT("333333333333", "c", "\"State\":\"CLOSED\"")

/* ---- readers and builders ---- */

static int read_page(const char *body, OrganizationsAccounts *accounts, char **ret_token) {
    return operation_read_page(&organizations_list_accounts_operation,
                               &(AwsReply){ .body = body, .body_len = strlen(body) }, NULL, accounts,
                               ret_token, NULL);
}

static void test_states(void **state) {
    static const struct {
        const char *members;
        OrganizationsState state;
    } cases[] = {
        { "\"State\":\"ACTIVE\"", ORGANIZATIONS_ACTIVE },
        { "\"Status\":\"ACTIVE\"", ORGANIZATIONS_ACTIVE },
        { "\"State\":\"PENDING_ACTIVATION\",\"Status\":\"ACTIVE\"", ORGANIZATIONS_PENDING_ACTIVATION },
        { "\"State\":\"CLOSED\",\"Status\":\"SUSPENDED\"", ORGANIZATIONS_CLOSED },
        { "\"State\":null,\"Status\":\"SUSPENDED\"", ORGANIZATIONS_SUSPENDED },
        { "\"Status\":\"PENDING_CLOSURE\"", ORGANIZATIONS_PENDING_CLOSURE },
        { "\"State\":\"TO_COME\",\"Status\":\"ACTIVE\"", ORGANIZATIONS_OTHER_STATE },
        { "\"Email\":\"x\"", ORGANIZATIONS_OTHER_STATE },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        OrganizationsAccounts accounts = { 0 };
        char *token = NULL, body[300];

        (void)snprintf(body, sizeof(body), "{\"Accounts\":[{\"Id\":\"012345678901\",%s}]}",
                       cases[i].members);
        assert_int_equal(read_page(body, &accounts, &token), 0);
        assert_null(token);
        assert_int_equal(accounts.n, 1);
        assert_string_equal(accounts.items[0].id, "012345678901");
        assert_string_equal(accounts.items[0].name, "");
        assert_int_equal(accounts.items[0].state, cases[i].state);
        organizations_accounts_done(&accounts);
    }
}

/* arn:aws:organizations::MANAGEMENT:account/ORGANIZATION/ID; who lists may be another. */
static void test_management_account(void **state) {
    static const struct {
        const char *first, *second, *management;
    } cases[] = {
        { "arn:aws:organizations::999900001111:account/o-exampleorgid/111111111111", "", "999900001111" },
        { "", "arn:aws-cn:organizations::999900001111:account/o-exampleorgid/222222222222", "999900001111" },
        { "garbage", "arn:aws:organizations:::account/o-exampleorgid/222222222222", "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        OrganizationsAccounts accounts = { 0 };
        char *token = NULL, body[500];

        (void)snprintf(body, sizeof(body),
                       "{\"Accounts\":[{\"Id\":\"111111111111\",\"Arn\":\"%s\"},{\"Id\":\"222222222222\","
                       "\"Arn\":\"%s\"}]}",
                       cases[i].first, cases[i].second);
        assert_int_equal(read_page(body, &accounts, &token), 0);
        assert_string_equal(accounts.management, cases[i].management);
        organizations_accounts_done(&accounts);
    }
}

static void test_bad_pages(void **state) {
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"Accounts\":{}}",
        "{\"Accounts\":[1]}",
        "{\"Accounts\":[{}]}",
        "{\"Accounts\":[{\"Id\":1}]}",
        LAST(A "," ACCOUNT("33333333333", "", "\"State\":\"ACTIVE\"")),
        LAST(A "," ACCOUNT("3333333333333", "", "\"State\":\"ACTIVE\"")),
        LAST(ACCOUNT("33333333333x", "", "\"State\":\"ACTIVE\"")),
        LAST(ACCOUNT("333333333333", "", "\"State\":1")),
        "{\"Accounts\":[],\"NextToken\":1}",
        "{\"Accounts\":null}",
    };
    OrganizationsAccounts accounts = { 0 };
    char *token = NULL;

    (void)state;
    assert_int_equal(read_page(PAGE(A, "t"), &accounts, &token), 0);
    free(TAKE_PTR(token));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        if (read_page(bad[i], &accounts, &token) != -EBADMSG)
            fail_msg("accepted: %s", bad[i]);
        assert_int_equal(accounts.n, 1);
        assert_null(token);
    }
    assert_int_equal(read_page(LAST(B), &accounts, &token), 0);
    assert_int_equal(accounts.n, 2);
    assert_string_equal(accounts.items[1].name, "b");
    organizations_accounts_done(&accounts);
    assert_int_equal(accounts.n, 0);
}

static void test_ceilings(void **state) {
    StrBuf b = STRBUF_INIT(10000000);
    OrganizationsAccounts accounts = { 0 };
    char *token = NULL;

    (void)state;
    strbuf_add(&b, "{\"Accounts\":[");
    for (unsigned i = 0; i < ORGANIZATIONS_ACCOUNTS_MAX; i++)
        strbuf_addf(&b, "%s{\"Id\":\"%012u\"}", i ? "," : "", i);
    strbuf_add(&b, "]}");
    assert_int_equal(read_page(strbuf_str(&b), &accounts, &token), 0);
    assert_int_equal(accounts.n, ORGANIZATIONS_ACCOUNTS_MAX);
    assert_int_equal(read_page(LAST(A), &accounts, &token), -E2BIG);
    assert_int_equal(accounts.n, ORGANIZATIONS_ACCOUNTS_MAX);
    organizations_accounts_done(&accounts);
    strbuf_done(&b);

    strbuf_add(&b, "{\"NextToken\":\"");
    for (unsigned i = 0; i <= ORGANIZATIONS_TOKEN_MAX; i++)
        strbuf_add_char(&b, 'x');
    strbuf_add(&b, "\"}");
    assert_int_equal(read_page(strbuf_str(&b), &accounts, &token), -E2BIG);
    assert_null(token);
    strbuf_done(&b);
}

static void test_build(void **state) {
    char *body = NULL;

    (void)state;
    assert_int_equal(operation_build(&organizations_list_accounts_operation, NULL, NULL, &body), 0);
    assert_string_equal(body, "{\"MaxResults\":20}");
    free(TAKE_PTR(body));
    assert_int_equal(operation_build(&organizations_list_accounts_operation, NULL, "a\"b", &body), 0);
    assert_string_equal(body, "{\"MaxResults\":20,\"NextToken\":\"a\\\"b\"}");
    free(TAKE_PTR(body));
    assert_int_equal(operation_build(&organizations_list_accounts_operation, NULL, "\xff", &body), -EINVAL);
    assert_null(body);
}

/* ---- calls ---- */

static void on_accounts(const AwsError *error, const OrganizationsAccounts *accounts, void *userdata) {
    ServiceFixture *f = userdata;

    service_note(f, error, accounts != NULL);
    f->text[0] = '\0';
    for (size_t i = 0; accounts && i < accounts->n && i < 10; i++)
        (void)snprintf(f->text + strlen(f->text), sizeof(f->text) - strlen(f->text), "%.3s ",
                       accounts->items[i].id);
}

static void list(ServiceFixture *f, OperationCall **ret) {
    assert_int_equal(organizations_list_accounts(&(AwsCaller){ f->aws, f->credentials, "eu-central-1" },
                                                 NULL, on_accounts, f, ret),
                     0);
    assert_int_equal(f->n_done, 0);
}

/* Three pages, one of them empty, one account seen twice. */
static void test_list(void **state) {
    ServiceFixture *f = *state;
    const FakeRequest *r;

    fake_http_reply(f->http, 200, PAGE(C "," A, "one"), NULL);
    fake_http_reply(f->http, 200, PAGE("", "two"), NULL);
    fake_http_reply(f->http, 200, LAST(B "," C), NULL);
    list(f, NULL);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 1);
    assert_int_equal(f->error.class, AWS_OK);
    assert_string_equal(f->text, "111 222 333 ");

    assert_int_equal(fake_http_n_requests(f->http), 3);
    r = fake_http_request(f->http, 0);
    assert_string_equal(r->url, "https://organizations.us-east-1.amazonaws.com/");
    assert_string_equal(r->body, "{\"MaxResults\":20}");
    assert_string_equal(fake_request_header(r, "x-amz-target"), "AWSOrganizationsV20161128.ListAccounts");
    assert_non_null(
            strstr(fake_request_header(r, "authorization"), "/us-east-1/organizations/aws4_request"));
    r = fake_http_request(f->http, 2);
    assert_string_equal(r->body, "{\"MaxResults\":20,\"NextToken\":\"two\"}");
}

static void test_list_fails_whole(void **state) {
    ServiceFixture *f = *state;

    fake_http_reply(f->http, 200, PAGE(A, "one"), NULL);
    fake_http_reply(f->http, 400, "{\"__type\":\"AccessDeniedException\",\"Message\":\"no\"}", NULL);
    list(f, NULL);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 1);
    assert_int_equal(f->error.class, AWS_DENIED);
    assert_string_equal(f->text, "");

    f->n_done = 0;
    fake_http_reply(f->http, 200, PAGE(A, "one"), NULL);
    fake_http_reply(f->http, 200, "[]", "x-amzn-requestid", "r-9", NULL);
    list(f, NULL);
    fake_loop_run(f->loop);
    assert_int_equal(f->error.class, AWS_BAD_ANSWER);
    assert_string_equal(f->error.request_id, "r-9");
}

/* Every organization has its management account (Organizations User Guide, "Terminology and concepts"). */
static void test_list_of_nobody(void **state) {
    ServiceFixture *f = *state;

    fake_http_reply(f->http, 200, LAST(""), "x-amzn-requestid", "r-1", NULL);
    list(f, NULL);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 1);
    assert_int_equal(f->error.class, AWS_BAD_ANSWER);
    assert_string_equal(f->error.message, "the answer to ListAccounts is bad: Accounts is empty");

    f->n_done = 0;
    fake_http_reply(f->http, 200, PAGE("", "one"), NULL);
    fake_http_reply(f->http, 200, LAST(""), NULL);
    list(f, NULL);
    fake_loop_run(f->loop);
    assert_int_equal(f->error.class, AWS_BAD_ANSWER);

    f->n_done = 0;
    fake_http_reply(f->http, 200, PAGE(A, "one"), NULL);
    fake_http_reply(f->http, 200, LAST(""), NULL);
    list(f, NULL);
    fake_loop_run(f->loop);
    assert_int_equal(f->error.class, AWS_OK);
    assert_string_equal(f->text, "111 ");
}

static void test_list_without_end(void **state) {
    ServiceFixture *f = *state;

    /* The same token again. */
    fake_http_reply(f->http, 200, PAGE(A, "one"), NULL);
    fake_http_reply(f->http, 200, PAGE(A, "one"), NULL);
    list(f, NULL);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 1);
    assert_int_equal(f->error.class, AWS_BAD_ANSWER);
    assert_string_equal(f->error.message, "the answer to ListAccounts is bad: its list repeats itself");

    /* Always another one. */
    f->n_done = 0;
    for (unsigned i = 0; i < OPERATION_PAGES_MAX; i++)
        fake_http_reply(f->http, 200, i % 2 ? PAGE("", "one") : PAGE("", "two"), NULL);
    list(f, NULL);
    fake_loop_advance(f->loop, 120 * USEC_PER_SEC); /* past lib/rate_limiter.h's bunch they take turns */
    assert_int_equal(f->n_done, 1);
    assert_int_equal(f->error.class, AWS_BAD_ANSWER);
    assert_int_equal(fake_http_n_left(f->http), 0);

    /* Ever slower. */
    f->n_done = 0;
    fake_http_set_delay(f->http, 9 * USEC_PER_SEC);
    for (unsigned i = 0; i < 200; i++)
        fake_http_reply(f->http, 200, i % 2 ? PAGE("", "one") : PAGE("", "two"), NULL);
    list(f, NULL);
    fake_loop_advance(f->loop, 15 * 60 * USEC_PER_SEC + USEC_PER_SEC);
    assert_int_equal(f->n_done, 1);
    assert_int_equal(f->error.class, AWS_TIMED_OUT);
}

static void test_one_region_of_the_partition_is_asked(void **state) {
    ServiceFixture *f = *state;

    fake_http_reply(f->http, 200, LAST(A), NULL);
    assert_int_equal(organizations_list_accounts(&(AwsCaller){ f->aws, f->credentials, "us-gov-east-1" },
                                                 NULL, on_accounts, f, NULL),
                     0);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 1);
    assert_string_equal(fake_http_request(f->http, 0)->url,
                        "https://organizations.us-gov-west-1.amazonaws.com/");
}

static void test_cancel_and_refusals(void **state) {
    ServiceFixture *f = *state;
    OperationCall *call;

    operation_cancel(NULL);
    fake_http_reply(f->http, 200, PAGE(A, "one"), NULL);
    list(f, &call);
    fake_loop_run(f->loop);
    assert_int_equal(fake_http_n_running(f->http), 1);
    operation_cancel(call);
    assert_int_equal(fake_http_n_running(f->http), 0);
    assert_int_equal(organizations_list_accounts(&(AwsCaller){ f->aws, f->credentials, "mars" }, NULL,
                                                 on_accounts, f, &call),
                     -EINVAL);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_management_account),
        cmocka_unit_test(test_bad_pages),
        cmocka_unit_test(test_ceilings),
        cmocka_unit_test(test_build),
        PATIENT_TEST(test_list),
        PATIENT_TEST(test_list_fails_whole),
        PATIENT_TEST(test_list_of_nobody),
        PATIENT_TEST(test_list_without_end),
        PATIENT_TEST(test_one_region_of_the_partition_is_asked),
        PATIENT_TEST(test_cancel_and_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
