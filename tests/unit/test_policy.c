/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/policy.h"
#include "lib/util/macros.h"

#define R(k)  RESTORE_BIT(RESTORE_##k)
#define WATCH "DescribeTrails GetTrailStatus"

/* All actions of a document without their service, in order, between blanks. */
static void list_actions(const json_t *document, char *text, size_t size) {
    const json_t *statements = json_object_get(document, "Statement");

    text[0] = '\0';
    for (size_t i = 0; i < json_array_size(statements); i++) {
        const json_t *actions = json_object_get(json_array_get(statements, i), "Action");
        size_t n = json_is_array(actions) ? json_array_size(actions) : 1;

        for (size_t k = 0; k < n; k++) {
            const char *action =
                    json_string_value(json_is_array(actions) ? json_array_get(actions, k) : actions);

            assert_non_null(action);
            assert_true(strlen(text) + strlen(action) + 2 < size);
            strcat(text, text[0] ? " " : "");
            strcat(text, strchr(action, ':') + 1);
        }
    }
}

static const struct {
    PolicyNeeds needs;
    const char *actions;
} rows[] = {
    { { .guarded = true, .mode = MODE_OBSERVE }, WATCH },
    { { .guarded = true, .mode = MODE_RESTART, .restore = R(SETTINGS) | R(DELETED) },
      WATCH " StartLogging" },
    { { .guarded = true, .mode = MODE_OBSERVE, .settings = true },
      WATCH " GetEventSelectors GetInsightSelectors ListTags GetEventConfiguration" },
    { { .guarded = true, .mode = MODE_RESTORE }, WATCH " StartLogging" },
    { { .guarded = true, .mode = MODE_RESTORE, .restore = R(SETTINGS) },
      WATCH " StartLogging UpdateTrail PassRole" },
    { { .guarded = true, .mode = MODE_RESTORE, .restore = R(SELECTORS) | R(INSIGHTS) },
      WATCH " StartLogging PutEventSelectors PutEventConfiguration PutInsightSelectors" },
    { { .guarded = true, .mode = MODE_RESTORE, .restore = R(DELETED) },
      WATCH " StartLogging UpdateTrail PutEventSelectors PutEventConfiguration PutInsightSelectors CreateTrail "
            "AddTags RemoveTags PassRole" },
    { { .guarded = true, .mode = MODE_OBSERVE, .attribution = true }, WATCH " LookupEvents" },
    { { .guarded = true, .mode = MODE_OBSERVE, .bucket_checks = true },
      WATCH " ListBucket GetLifecycleConfiguration GetBucketPolicy DescribeKey" },
    { { .mode = MODE_RESTART, .attribution = true, .lists_accounts = true }, "ListAccounts" },
};

static void test_what_each_option_needs(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        PolicyNeeds needs = rows[i].needs;
        char actions[1024];
        json_t *document;

        needs.partition = "aws";
        needs.account = "111122223333";
        document = policy_guard(&needs);
        assert_non_null(document);
        list_actions(document, actions, sizeof(actions));
        assert_string_equal(actions, rows[i].actions);
        json_decref(document);
    }
}

static void test_resources(void **state) {
    static const char *const topics[] = { "arn:aws-cn:sns:cn-north-1:111122223333:t" };
    static const char *const roles[] = { "arn:aws-cn:iam::444455556666:role/r" };
    PolicyNeeds needs = {
        .guarded = true,
        .partition = "aws-cn",
        .account = "111122223333",
        .mode = MODE_RESTORE,
        .restore = R(SETTINGS),
        .topics = topics,
        .n_topics = 1,
        .roles = roles,
        .n_roles = 1,
    };
    json_t *document = policy_guard(&needs);
    char *text = json_dumps(document, JSON_COMPACT);

    (void)state;
    assert_non_null(text);
    assert_non_null(strstr(text, "\"arn:aws-cn:cloudtrail:*:*:trail/*\""));
    assert_non_null(strstr(text, "\"arn:aws-cn:cloudtrail:*:111122223333:trail/*\""));
    assert_non_null(strstr(text, "\"iam:PassedToService\":\"cloudtrail.amazonaws.com\""));
    assert_non_null(strstr(text, topics[0]));
    assert_non_null(strstr(text, roles[0]));
    free(text);
    json_decref(document);
}

static void test_trust(void **state) {
    json_t *plain = policy_trust("arn:aws:iam::111122223333:user/guard", NULL);
    json_t *with = policy_trust("arn:aws:iam::111122223333:user/guard", "x:\"1");
    char *text = json_dumps(with, JSON_COMPACT);

    (void)state;
    assert_null(json_object_get(json_array_get(json_object_get(plain, "Statement"), 0), "Condition"));
    assert_non_null(strstr(text, "\"Condition\":{\"StringEquals\":{\"sts:ExternalId\":\"x:\\\"1\"}}"));
    free(text);
    json_decref(plain);
    json_decref(with);
}

static size_t count_exempt(const json_t *document, const char *sid) {
    const json_t *statements = json_object_get(document, "Statement");

    for (size_t i = 0; i < json_array_size(statements); i++) {
        const json_t *statement = json_array_get(statements, i);

        if (strcmp(json_string_value(json_object_get(statement, "Sid")), sid) == 0)
            return json_array_size(
                    json_object_get(json_object_get(json_object_get(statement, "Condition"), "ArnNotLike"),
                                    "aws:PrincipalArn"));
    }
    return 0;
}

static void test_who_is_let_through(void **state) {
    static const char *const guards[] = { "arn:aws:iam::111122223333:user/guard",
                                          "arn:aws:iam::*:role/TrailGuard" };
    PolicyShield shield = { .partition = "aws", .account = "", .guards = guards, .n_guards = 2 };
    json_t *deny = policy_deny(&shield), *scp;

    (void)state;
    /* only the break-glass role: starting a trail is not denied to anybody */
    assert_int_equal(count_exempt(deny, "LeaveTrailsAlone"), 1);
    assert_int_equal(count_exempt(deny, "LeaveTheGuardsRoleAlone"), 1);
    assert_int_equal(count_exempt(deny, "LeaveTheGuardsKeysAlone"), 1);
    assert_int_equal(count_exempt(deny, "LeaveTheAlertTopicAlone"), 0); /* there is none */
    shield.guards_write = true;
    scp = policy_scp(&shield);
    assert_int_equal(count_exempt(scp, "LeaveTrailsAlone"), 3);
    assert_int_equal(count_exempt(scp, "StayInTheOrganization"), 1);
    json_decref(deny);
    json_decref(scp);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_each_option_needs),
        cmocka_unit_test(test_resources),
        cmocka_unit_test(test_trust),
        cmocka_unit_test(test_who_is_let_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
