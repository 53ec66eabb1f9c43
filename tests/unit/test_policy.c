/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/policy.h"

#include "lib/util/macros.h"

#define R(k)  RESTORE_BIT(RESTORE_##k)
#define WATCH "DescribeTrails GetTrailStatus"
#define ORG                                                                                                 \
    " DescribeOrganization ListAWSServiceAccessForOrganization ListAccounts GetRole "                       \
    "CreateServiceLinkedRole"

#define ROLE_READS                                                                                          \
    " SimulatePrincipalPolicy GetRole ListAttachedRolePolicies ListRolePolicies GetRolePolicy"

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
      WATCH " StartLogging UpdateTrail PassRole" ORG },
    { { .guarded = true, .mode = MODE_RESTORE, .restore = R(SELECTORS) | R(INSIGHTS) },
      WATCH " StartLogging PutEventSelectors PutEventConfiguration PutInsightSelectors" },
    { { .guarded = true, .mode = MODE_RESTORE, .restore = R(DELETED) },
      WATCH
      " StartLogging UpdateTrail PutEventSelectors PutEventConfiguration PutInsightSelectors CreateTrail "
      "AddTags RemoveTags PassRole" ORG },
    { { .guarded = true, .mode = MODE_OBSERVE, .opt_in_regions = true },
      "DescribeTrails GetRegionOptStatus GetTrailStatus" },
    { { .guarded = true, .mode = MODE_OBSERVE, .attribution = true }, WATCH " LookupEvents" },
    { { .mode = MODE_RESTORE, .restore = R(SETTINGS), .attribution = true, .bucket_checks = true }, "" },
    { { .guarded = true, .mode = MODE_OBSERVE, .owner_check = true }, WATCH " ListBucket" },
    { { .guarded = true, .mode = MODE_OBSERVE, .bucket_checks = true },
      WATCH " ListBucket GetLifecycleConfiguration GetBucketPolicy DescribeKey" },
    { { .guarded = true,
        .mode = MODE_OBSERVE,
        .guard_checks = true,
        .own = "arn:aws:iam::111122223333:role/guard" },
      WATCH ROLE_READS " GetPolicy" },
    { { .guarded = true, .mode = MODE_OBSERVE, .guard_checks = true }, WATCH ROLE_READS " GetPolicy" },
    { { .guarded = true,
        .mode = MODE_OBSERVE,
        .guard_checks = true,
        .own = "arn:aws:iam::111122223333:user/guard" },
      WATCH " SimulatePrincipalPolicy GetUser ListAttachedUserPolicies ListUserPolicies GetUserPolicy "
            "ListAccessKeys GetPolicy" },
    /* another shard guards the management account; who removed a member is in its history */
    { { .mode = MODE_RESTART, .attribution = true, .organization = true }, "LookupEvents ListAccounts" },
    { { .mode = MODE_RESTART, .organization = true }, "ListAccounts" },
    { { .guarded = true, .mode = MODE_RESTART, .restore = R(DELETED), .organization = true },
      WATCH " StartLogging ListAccounts" },
    { { .guarded = true, .mode = MODE_RESTORE, .restore = R(SETTINGS), .organization = true },
      WATCH " StartLogging UpdateTrail PassRole" ORG },
    { { .guarded = true, .mode = MODE_OBSERVE, .contains = true }, WATCH },
    { { .mode = MODE_RESTART, .contains = true }, "" },
    /* the last four are denied, on itself and the break-glass role */
    { { .guarded = true,
        .mode = MODE_RESTART,
        .contains = true,
        .own = "arn:aws:iam::111122223333:user/guard" },
      WATCH
      " StartLogging GetUserPolicy PutUserPolicy DeleteUserPolicy GetRolePolicy PutRolePolicy "
      "DeleteRolePolicy PutUserPolicy DeleteUserPolicy PutRolePolicy DeleteRolePolicy" },
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
        .opt_in_regions = true,
        .mode = MODE_RESTORE,
        .restore = R(SETTINGS),
        .bucket_checks = true,
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
    assert_non_null(strstr(text, "\"arn:aws-cn:kms:*:*:key/*\"")); /* of an account for logs */
    assert_null(strstr(text, "account:")); /* every account has both of China's regions */
    assert_non_null(strstr(text, topics[0]));
    assert_non_null(strstr(text, roles[0]));
    free(text);
    json_decref(document);
}

/* Whom the guard may not change, whatever it is allowed. */
static void test_own_policies(void **state) {
    static const struct {
        const char *own, *denied; /* NULL: not known */
    } cases[] = {
        { "arn:aws:iam::111122223333:role/guard",
          "[\"arn:aws:iam::111122223333:role/guard\",\"arn:aws:iam::111122223333:role/"
          "TrailGuardBreakGlass\"]" },
        { "GUARD_ARN", "[\"GUARD_ARN\",\"arn:aws:iam::111122223333:role/TrailGuardBreakGlass\"]" },
        { "", "[\"arn:aws:iam::111122223333:role/TrailGuardBreakGlass\"]" },
        { NULL, "[\"arn:aws:iam::111122223333:role/TrailGuardBreakGlass\"]" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        PolicyNeeds needs = { .guarded = true,
                              .partition = "aws",
                              .account = "111122223333",
                              .mode = MODE_RESTART,
                              .contains = true,
                              .own = cases[i].own };
        json_t *document = policy_guard(&needs), *statements = json_object_get(document, "Statement");
        const json_t *last = json_array_get(statements, json_array_size(statements) - 1);
        char *text = json_dumps(json_object_get(last, "Resource"), JSON_COMPACT);

        assert_string_equal(json_string_value(json_object_get(last, "Sid")), "DenyChangingGuards");
        assert_string_equal(text, cases[i].denied);
        free(text);
        json_decref(document);
    }
}

/* What it reads of its own. Of a session, and without knowing where the role lies, by name. */
static void test_own_reads(void **state) {
    static const struct {
        const char *own, *resource;
    } cases[] = {
        { "arn:aws:iam::111122223333:user/guard", "\"arn:aws:iam::111122223333:user/guard\"" },
        { "arn:aws:iam::111122223333:role/a/guard", "\"arn:aws:iam::111122223333:role/a/guard\"" },
        { "arn:aws:iam::111122223333:role/guard",
          "[\"arn:aws:iam::111122223333:role/guard\",\"arn:aws:iam::111122223333:role/*/guard\"]" },
        { "GUARD_ARN", "\"GUARD_ARN\"" },
        { "", "\"arn:aws:iam::111122223333:role/*\"" },
        { NULL, "\"arn:aws:iam::111122223333:role/*\"" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        static const char *const topics[] = { "arn:aws:sns:eu-central-1:111122223333:t" };
        PolicyNeeds needs = { .guarded = true,
                              .partition = "aws",
                              .account = "111122223333",
                              .guard_checks = true,
                              .topics = topics,
                              .n_topics = 1,
                              .own = cases[i].own };
        json_t *document = policy_guard(&needs);
        const json_t *statements = json_object_get(document, "Statement"), *reads = NULL;
        char *text;

        for (size_t k = 0; k < json_array_size(statements); k++)
            if (strcmp(json_string_value(json_object_get(json_array_get(statements, k), "Sid")),
                       "ReadOwnAccess") == 0)
                reads = json_object_get(json_array_get(statements, k), "Resource");
        text = json_dumps(reads, JSON_COMPACT | JSON_ENCODE_ANY);
        assert_string_equal(text, cases[i].resource);
        free(text);
        text = json_dumps(document, JSON_COMPACT);
        assert_non_null(strstr(text, "sns:ListSubscriptionsByTopic"));
        assert_non_null(strstr(text, "sns:GetSubscriptionAttributes"));
        free(text);
        json_decref(document);
    }
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
    assert_int_equal(count_exempt(deny, "DenyTrailTampering"), 1);
    assert_int_equal(count_exempt(deny, "DenyGuardRoleTampering"), 1);
    assert_int_equal(count_exempt(deny, "DenyGuardKeyTampering"), 1);
    assert_int_equal(count_exempt(deny, "DenyAlertTopicTampering"), 0); /* there is none */
    shield.guards_write = true;
    scp = policy_scp(&shield);
    assert_int_equal(count_exempt(scp, "DenyTrailTampering"), 3);
    assert_int_equal(count_exempt(scp, "DenyLeavingOrganization"), 1);
    json_decref(deny);
    json_decref(scp);
}

/* The changes that are denied are those of the kind that a guard is. */
static void test_kinds_of_guards(void **state) {
    static const struct {
        const char *guard;
        bool role, user;
    } cases[] = {
        { "arn:aws:iam::111122223333:role/TrailGuard", true, false },
        { "arn:aws:iam::*:user/ops/guard", false, true },
        { "arn:aws:iam::111122223333:user/:role/guard", false, true },
        { "arn:aws:iam::111122223333:root", false, false },
        { "GUARD_ARN", false, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        PolicyShield shield = {
            .partition = "aws", .account = "111122223333", .guards = &cases[i].guard, .n_guards = 1
        };
        json_t *deny = policy_deny(&shield);

        assert_int_equal(count_exempt(deny, "DenyGuardRoleTampering"), cases[i].role);
        assert_int_equal(count_exempt(deny, "DenyGuardKeyTampering"), cases[i].user);
        json_decref(deny);
    }
}

/* What stands for a principal in the account 111122223333, and in any. */
static const struct {
    const char *arn;
    bool exact;
    const char *here, *anywhere;
} principals[] = {
    { "arn:aws:iam::111122223333:user/guard", false, "111122223333:user/guard", "111122223333:user/guard" },
    { "arn:aws:iam::111122223333:user/a/guard", false, "111122223333:user/a/guard",
      "111122223333:user/a/guard" },
    { "arn:aws:iam::*:user/guard", false, "111122223333:user/guard", "*:user/guard" },
    { "arn:aws:iam::111122223333:role/G", true, "111122223333:role/G", "111122223333:role/G" },
    { "arn:aws:iam::111122223333:role/G", false, "111122223333:role/G 111122223333:role/*/G",
      "111122223333:role/G 111122223333:role/*/G" },
    { "arn:aws:iam::111122223333:role/a/b/G", false, "111122223333:role/a/b/G", "111122223333:role/a/b/G" },
    { "arn:aws:iam::*:role/a/G", false, "111122223333:role/a/G", "*:role/a/G" },
    { "arn:aws:iam::444455556666:role/a/G", false, "", "444455556666:role/a/G" },
    { "arn:aws:sts::111122223333:assumed-role/G/i-0123", true, "111122223333:role/G 111122223333:role/*/G",
      "111122223333:role/G 111122223333:role/*/G" },
    { "arn:aws:sts::*:assumed-role/G/host", false, "111122223333:role/G 111122223333:role/*/G",
      "*:role/G *:role/*/G" },
    { "arn:aws:iam::111122223333:root", false, "111122223333:root", "111122223333:root" },
    { "arn:aws-cn:iam::111122223333:role/G", false, "", "" },
};

/* Without arn:aws:iam::, between blanks. */
static void list_principals(const PolicyPrincipals *list, char *text, size_t size) {
    text[0] = '\0';
    for (size_t i = 0; i < list->n; i++) {
        assert_memory_equal(list->items[i], "arn:aws:iam::", strlen("arn:aws:iam::"));
        assert_true(strlen(text) + strlen(list->items[i]) < size);
        strcat(text, text[0] ? " " : "");
        strcat(text, list->items[i] + strlen("arn:aws:iam::"));
    }
}

static void test_principals(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(principals); i++)
        for (int any = 0; any < 2; any++) {
            PolicyPlace place = { .partition = "aws", .account = any ? "" : "111122223333" };
            PolicyPrincipals list = { 0 };
            char text[512];

            for (int twice = 0; twice < 2; twice++)
                assert_int_equal(
                        policy_principals_add(&list, &place, principals[i].arn, principals[i].exact), 0);
            list_principals(&list, text, sizeof(text));
            assert_string_equal(text, any ? principals[i].anywhere : principals[i].here);
            policy_principals_done(&list);
        }
}

static void test_principals_fold(void **state) {
    static const PolicyPlace place = { .partition = "aws", .account = "" };
    PolicyPrincipals list = { 0 };
    char arn[64], text[512];

    (void)state;
    for (int i = 0; i < 50; i++) {
        (void)snprintf(arn, sizeof(arn), "arn:aws:iam::1111222233%02d:role/%s", i, i % 2 ? "a/G" : "G");
        assert_int_equal(policy_principals_add(&list, &place, arn, true), 0);
    }
    assert_int_equal(list.n, 50);
    assert_int_equal(policy_principals_fold(&list), 0);
    list_principals(&list, text, sizeof(text));
    assert_string_equal(text, "*:role/G *:role/a/G");
    /* what stands for one that is not known stays */
    assert_int_equal(policy_principals_add(&list, &place, "GUARD_ARN", true), 0);
    assert_int_equal(policy_principals_fold(&list), 0);
    assert_int_equal(list.n, 3);
    assert_string_equal(list.items[2], "GUARD_ARN");
    policy_principals_done(&list);
}

static void test_size(void **state) {
    json_t *document = json_pack("{s:[s, s]}", "a", "b", "c");

    (void)state;
    assert_int_equal(policy_size(document), strlen("{\"a\":[\"b\",\"c\"]}"));
    json_decref(document);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_each_option_needs),
        cmocka_unit_test(test_resources),
        cmocka_unit_test(test_own_policies),
        cmocka_unit_test(test_own_reads),
        cmocka_unit_test(test_kinds_of_guards),
        cmocka_unit_test(test_trust),
        cmocka_unit_test(test_who_is_let_through),
        cmocka_unit_test(test_principals),
        cmocka_unit_test(test_principals_fold),
        cmocka_unit_test(test_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
