/* SPDX-License-Identifier: Apache-2.0 */
/* What protects the guard, as people read it: tests/golden/shown.protection.txt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/protection_rows.h"
#include "lib/util/macros.h"
#include "tests/unit/golden_file.h"

#define USER  "arn:aws:iam::111122223333:user/guard"
#define ROLE  "arn:aws:iam::999900001111:role/TrailGuard"
#define TOPIC "arn:aws:sns:eu-central-1:111122223333:trailguard"

static const char *const topics[] = { "arn:aws:sns:eu-central-1:999900001111:trailguard", TOPIC };

static const struct {
    const char *name;
    ProtectionFacts facts;
} cases[] = {
    { "the smallest configuration, in one account",
      { .principal = USER,
        .account = "111122223333",
        .account_guarded = true,
        .topics = topics,
        .n_topics = 2,
        .exposed_topic = TOPIC } },
    { "all that can be done",
      { .principal = ROLE,
        .account = "999900001111",
        .topics = topics,
        .n_topics = 1,
        .boundary = "arn:aws:iam::999900001111:policy/Boundary",
        .guard_checks = true,
        .outside_channel = true,
        .heartbeat = true } },
    { "the root user, and no channel",
      { .principal = "arn:aws:iam::111122223333:root", .account = "111122223333" } },
    { "AWS does not answer", { .principal = "", .account = "", .topics = topics, .n_topics = 1 } },
    { "no boundary, and none read yet",
      { .principal = ROLE, .account = "999900001111", .boundary = "", .guard_checks = true } },
    { "never checked", { .principal = ROLE, .account = "999900001111", .guard_checks = true } },
};

static void each_line_is_golden(void **state) {
    StrBuf golden = STRBUF_INIT(GOLDEN_TEXT_LEN);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ProtectionRow rows[_PROTECTION_ABOUT_MAX];
        size_t n = protection_rows(&cases[i].facts, rows);

        (void)strbuf_addf(&golden, "%s== %s\n", i > 0 ? "\n" : "", cases[i].name);
        for (size_t k = 0; k < n; k++)
            (void)strbuf_addf(&golden, "%-24s  %-7s  %s%s%s\n", protection_about_to_string(rows[k].about),
                              protection_state_to_string(rows[k].state), rows[k].text,
                              rows[k].advice ? " -> " : "", rows[k].advice ? rows[k].advice : "");
    }
    if (golden_check("shown.protection.txt", &golden) != 0)
        assert_true(golden_updates());
    strbuf_done(&golden);
}

static const ProtectionRow *row_about(const ProtectionRow *rows, size_t n, ProtectionAbout about) {
    for (size_t i = 0; i < n; i++)
        if (rows[i].about == about)
            return &rows[i];
    return NULL;
}

static void what_is_a_problem(void **state) {
    ProtectionRow rows[_PROTECTION_ABOUT_MAX];
    size_t n = protection_rows(&cases[0].facts, rows);

    (void)state;
    assert_int_equal(n, _PROTECTION_ABOUT_MAX);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(rows[i].state,
                         rows[i].about == PROTECTION_BOUNDARY || rows[i].about == PROTECTION_SCP
                                 ? PROTECTION_UNKNOWN
                                 : PROTECTION_PROBLEM);
    n = protection_rows(&cases[1].facts, rows);
    for (size_t i = 0; i < n; i++) {
        bool scp = rows[i].about == PROTECTION_SCP;

        assert_int_equal(rows[i].state, scp ? PROTECTION_UNKNOWN : PROTECTION_OK);
        assert_int_equal(rows[i].advice != NULL, scp);
    }
    /* of topics nothing is said without any, nor while nothing is known of the accounts */
    n = protection_rows(&cases[2].facts, rows);
    assert_null(row_about(rows, n, PROTECTION_TOPICS));
    n = protection_rows(&cases[3].facts, rows);
    assert_null(row_about(rows, n, PROTECTION_TOPICS));
    assert_int_equal(row_about(rows, n, PROTECTION_ACCOUNT)->state, PROTECTION_UNKNOWN);
    n = protection_rows(&(ProtectionFacts){ .principal = ROLE, .account = "" }, rows);
    assert_int_equal(row_about(rows, n, PROTECTION_ACCOUNT)->state, PROTECTION_UNKNOWN);
}

/* Whoever administers an account that is guarded can change what the guard has there. */
static void what_is_exposed_to_whom_it_watches(void **state _unused_) {
    static const char *const odd[] = { "no ARN", TOPIC, TOPIC ":other" };
    static const struct {
        const char *account, *guarded[2];
        const char *const *topics;
        size_t n_topics;
        bool account_guarded;
        const char *exposed;
    } rows[] = {
        { "111122223333", { "111122223333", "999900001111" }, odd, 3, true, TOPIC },
        { "999900001111", { "111122223333", "" }, topics, 2, false, TOPIC },
        { "999900001111", { "111122223333", "" }, topics, 1, false, NULL },
        { "", { "", "" }, odd, 1, false, NULL }, /* AWS has not said yet which account it is */
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        ProtectionFacts facts = { .account = rows[i].account,
                                  .topics = rows[i].topics,
                                  .n_topics = rows[i].n_topics };

        for (size_t k = 0; k < ARRAY_SIZE(rows[i].guarded); k++)
            protection_guards(&facts, rows[i].guarded[k]);
        assert_int_equal(facts.account_guarded, rows[i].account_guarded);
        assert_string_equal(facts.exposed_topic ? facts.exposed_topic : "",
                            rows[i].exposed ? rows[i].exposed : "");
    }
}

static void the_boundary_is_the_one_that_was_read(void **state _unused_) {
    GuardPart parts[] = { { .kind = GUARD_PART_KEY, .name = "AKIA" },
                          { .kind = GUARD_PART_BOUNDARY, .name = "arn:aws:iam::1:policy/B" } };
    GuardRecord records[] = {
        { .arn = ROLE, .parts = { parts, 2, GUARD_PART_BIT(GUARD_PART_BOUNDARY) } },
        { .arn = USER, .parts = { parts, 1, GUARD_PART_BIT(GUARD_PART_BOUNDARY) } },
        { .arn = TOPIC, .parts = { parts, 1, GUARD_PART_BIT(GUARD_PART_KEY) } },
    };

    assert_string_equal(protection_boundary(records, 3, ROLE), "arn:aws:iam::1:policy/B");
    assert_string_equal(protection_boundary(records, 3, USER), "");
    assert_null(protection_boundary(records, 3, TOPIC)); /* that was not read */
    assert_null(protection_boundary(records, 1, USER));
    assert_null(protection_boundary(NULL, 0, ROLE));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_is_golden),
        cmocka_unit_test(what_is_a_problem),
        cmocka_unit_test(what_is_exposed_to_whom_it_watches),
        cmocka_unit_test(the_boundary_is_the_one_that_was_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
