/* SPDX-License-Identifier: Apache-2.0 */
/* Which accounts can be polled, and which are guarded, in tables of cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/core/scope.h"
#include "lib/util/macros.h"

static void what_begins_when_it_is_known_who_we_are(void **state _unused_) {
    static const struct {
        AccountScope account;
        AccountAnswer answer;
        AccountStart start;
    } rows[] = {
        { { .guarded = true }, { .first = true, .passes_begun = true }, ACCOUNT_START_POLLS },
        { { .guarded = true },
          { .first = true, .was_open = true, .passes_begun = true },
          ACCOUNT_START_POLLS },
        { { .guarded = true }, { .passes_begun = true }, ACCOUNT_START_POLLS }, /* keys are back */
        { { .guarded = true }, { .was_open = true, .passes_begun = true }, ACCOUNT_START_NOTHING },
        { { .guarded = true, .blocked = true },
          { .first = true, .passes_begun = true },
          ACCOUNT_START_NOTHING },
        { { .guarded = true }, { .first = true }, ACCOUNT_START_NOTHING }, /* of others it is not known */
        { { .guarded = true }, { .first = true, .all_known = true }, ACCOUNT_START_PASS },
        { { .guarded = true, .blocked = true }, { .first = true, .all_known = true }, ACCOUNT_START_PASS },
        { { .guarded = true }, { .all_known = true }, ACCOUNT_START_NOTHING },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (scope_account_start(&rows[i].account, &rows[i].answer) != rows[i].start)
            fail_msg("row %zu", i);
}

static void an_answered_poll_shows_that_there_are_keys_again(void **state _unused_) {
    assert_true(scope_keys_are_back(&(AccountScope){ .guarded = true }, 1));
    assert_false(scope_keys_are_back(&(AccountScope){ .guarded = true }, 0)); /* they were there */
    /* the poll began before there were none */
    assert_false(scope_keys_are_back(&(AccountScope){ .guarded = true, .blocked = true }, 1));
    assert_false(scope_keys_are_back(&(AccountScope){ .guarded = true, .left = true }, 1));
}

static void which_members_are_resumed_before_the_list_is_read(void **state _unused_) {
    assert_true(scope_member_is_resumed(&(MemberInput){ .member = true }));
    assert_false(scope_member_is_resumed(&(MemberInput){ 0 })); /* from `accounts` */
    assert_false(scope_member_is_resumed(&(MemberInput){ .member = true, .excluded = true }));
    assert_false(scope_member_is_resumed(&(MemberInput){ .member = true, .known = true }));
}

static void which_accounts_may_be_polled(void **state _unused_) {
    static const struct {
        AccountScope account;
        bool open;
    } rows[] = {
        { { .guarded = true }, true }, /* base credentials: also while AWS does not say whose they are */
        { { .guarded = true, .by_role = true }, false },
        { { .guarded = true, .by_role = true, .identity_asked = true }, true },
        { { .guarded = true, .by_role = true, .identity_asked = true, .blocked = true }, false },
        { { .guarded = true, .by_role = true, .identity_asked = true, .left = true }, false },
        { { .guarded = true, .blocked = true }, false },
        { { .identity_asked = true }, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (scope_is_open(&rows[i].account) != rows[i].open)
            fail_msg("row %zu", i);
}

static void when_an_account_has_no_keys(void **state _unused_) {
    static const struct {
        AccountScope account;
        bool none, refused, missing;
    } rows[] = {
        { { .by_role = true }, false, false, false }, /* throttled, say: the keys may be good */
        { { .by_role = true }, false, true, true },
        { { .by_role = false }, false, true, false }, /* good elsewhere, perhaps */
        { { .by_role = false }, true, true, true },
        { { .by_role = true }, true, true, true },
        { { .by_role = true, .blocked = true }, false, false, true }, /* until STS says who we are */
        /* keys were had again, and the trails know whether they are good: STS may not be in reach at all */
        { { .blocked = true }, false, false, false },
        { { .blocked = true }, false, true, true },
        { { .blocked = true }, true, true, true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (scope_keys_are_missing(&rows[i].account, rows[i].none, rows[i].refused) != rows[i].missing)
            fail_msg("row %zu", i);
}

static void when_who_took_an_account_away_is_searched(void **state _unused_) {
    static const struct {
        bool by_role, organization, known, open, searched;
    } rows[] = {
        { true, true, true, true, true },   { true, true, true, false, false },
        { true, true, false, false, true }, /* the list says it later */
        { false, true, true, true, false }, { true, false, true, true, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const AccountScope account = { .by_role = rows[i].by_role };
        const Management management = { .known = rows[i].known, .open = rows[i].open };

        if (scope_departure_is_searched(&account, rows[i].organization, &management) != rows[i].searched)
            fail_msg("row %zu", i);
    }
}

static void what_the_list_of_the_organization_means(void **state _unused_) {
    static const struct {
        MemberInput in;
        MemberChange change;
    } rows[] = {
        { { .listed = true, .active = true }, MEMBER_JOINED },
        { { .listed = true, .active = true, .excluded = true }, MEMBER_UNCHANGED },
        { { .listed = true }, MEMBER_UNCHANGED }, /* suspended before we knew it */
        { { .listed = true, .active = true, .known = true, .member = true }, MEMBER_UNCHANGED },
        { { .listed = true, .active = true, .known = true, .member = true, .left = true }, MEMBER_RETURNED },
        { { .listed = true, .known = true, .member = true }, MEMBER_SUSPENDED },
        { { .listed = true, .known = true, .member = true, .left = true }, MEMBER_UNCHANGED },
        { { .known = true, .member = true }, MEMBER_REMOVED },
        { { .known = true, .member = true, .left = true }, MEMBER_UNCHANGED },
        /* `accounts` names it: the list has nothing to say */
        { { .known = true }, MEMBER_UNCHANGED },
        { { .known = true, .listed = true }, MEMBER_UNCHANGED },
        { { .known = true, .listed = true, .active = true }, MEMBER_UNCHANGED },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (scope_member_change(&rows[i].in) != rows[i].change)
            fail_msg("row %zu", i);
}

static void an_account_ends_when_it_is_in_no_table_that_is_whole(void **state _unused_) {
    static const struct {
        AccountPlace account;
        Ended ended;
    } rows[] = {
        { { .known = true, .guarded = true }, ENDED_NOT },
        { { .known = true, .guarded = true, .begun = true, .all_known = true }, ENDED_NOT },
        { { .known = true }, ENDED_ACCOUNT_GONE }, /* excluded */
        { { .known = true, .elsewhere = true }, ENDED_ELSEWHERE },
        { { .all_known = false }, ENDED_NOT },
        { { .all_known = true }, ENDED_ACCOUNT_GONE },
        { { .elsewhere = true }, ENDED_ELSEWHERE },
        { { .elsewhere = true, .all_known = true }, ENDED_ELSEWHERE },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (scope_account_ended(&rows[i].account) != rows[i].ended)
            fail_msg("row %zu", i);
}

static void when_the_organizations_accounts_are_listed(void **state _unused_) {
    static const struct {
        AccountScope base;
        bool sts_is_not_there, was_known;
        ListAsk asks;
    } rows[] = {
        { { .identity_asked = true }, false, false, LIST_ASK_WAITS },
        { { .identity_asked = true }, false, true, LIST_ASK_FAILS },
        { { .identity_asked = true, .identity_known = true }, false, false, LIST_ASK },
        { { .identity_asked = true, .identity_known = true }, false, true, LIST_ASK },
        { { .identity_asked = true, .blocked = true }, false, false, LIST_ASK },
        { { .identity_asked = true, .blocked = true }, false, true, LIST_ASK },
        { { .identity_asked = true }, true, false, LIST_ASK },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (scope_asks_for_accounts(&rows[i].base, rows[i].sts_is_not_there, rows[i].was_known) !=
            rows[i].asks)
            fail_msg("row %zu", i);
}

static void which_list_shows_whose_the_keys_are(void **state _unused_) {
    assert_true(scope_list_shows_own(false, 5, 0)); /* they never changed */
    assert_true(scope_list_shows_own(false, 5, 4));
    assert_false(scope_list_shows_own(false, 5, 5));
    assert_false(scope_list_shows_own(false, 5, 6));
    assert_false(scope_list_shows_own(true, 5, 0));
}

static void an_account_is_guarded_once(void **state _unused_) {
    static const struct {
        BaseAccount base;
        BaseEnd ends;
    } cases[] = {
        { { 0 }, BASE_GOES_ON },
        { { .configured = true }, BASE_GOES_ON },
        { { .excluded = true }, BASE_EXCLUDED },
        { { .configured = true, .excluded = true }, BASE_GOES_ON },
        { { .by_role = true }, BASE_HAS_ROLE },
        { { .by_role = true, .configured = true }, BASE_HAS_ROLE },
        /* `exclude` is about members of the organization: `accounts` names it, so it is guarded */
        { { .by_role = true, .excluded = true }, BASE_HAS_ROLE },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (scope_base_ends(&cases[i].base) != cases[i].ends)
            fail_msg("case %zu", i);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_is_guarded_once),
        cmocka_unit_test(which_list_shows_whose_the_keys_are),
        cmocka_unit_test(what_begins_when_it_is_known_who_we_are),
        cmocka_unit_test(an_answered_poll_shows_that_there_are_keys_again),
        cmocka_unit_test(which_members_are_resumed_before_the_list_is_read),
        cmocka_unit_test(which_accounts_may_be_polled),
        cmocka_unit_test(when_an_account_has_no_keys),
        cmocka_unit_test(when_who_took_an_account_away_is_searched),
        cmocka_unit_test(what_the_list_of_the_organization_means),
        cmocka_unit_test(an_account_ends_when_it_is_in_no_table_that_is_whole),
        cmocka_unit_test(when_the_organizations_accounts_are_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
