/* SPDX-License-Identifier: Apache-2.0 */
/* Which trails and rows of the state file belong to what is guarded, and how they are shown, in tables of
 * cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/scope.h"
#include "lib/util/macros.h"

/* ---- trails that are reported together ---- */

static void each_new_trail_is_named_once(void **state _unused_) {
    static const struct {
        const char *names, *name, *then;
    } rows[] = {
        { "", "own-1", "own-1" },
        { "own-1", "own-2", "own-1, own-2" },
        { "own-1", "own-1", "own-1" },
        { "own-1, own-2", "own-1", "own-1, own-2" },
        { "own-1, own-2", "own-2", "own-1, own-2" },
        /* a part of a name is another name */
        { "own-11", "own-1", "own-11, own-1" },
        { "my-own-1", "own-1", "my-own-1, own-1" },
        { "own-1-own-1", "own-1", "own-1-own-1, own-1" },
        { "own-11, own-1", "own-1", "own-11, own-1" },
        { "own-1 and more", "own-2", "own-1 and more" },
        { "own-1 and more", "own-1", "own-1 and more" },
        /* room for one and for " and more" */
        { "0123456789012345678901", "x", "0123456789012345678901 and more" },
        { "012345678901234567890", "x", "012345678901234567890, x" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char names[35];

        (void)strcpy(names, rows[i].names);
        unaccepted_add_name(names, sizeof(names), rows[i].name);
        if (strcmp(names, rows[i].then) != 0)
            fail_msg("row %zu: %s", i, names);
    }
}

static void the_names_have_a_ceiling(void **state _unused_) {
    char names[64] = "", name[] = "trail-a";

    for (unsigned i = 0; i < 20; i++) {
        name[6] = (char)('a' + i);
        unaccepted_add_name(names, sizeof(names), name);
    }
    assert_string_equal(names, "trail-a, trail-b, trail-c, trail-d, trail-e, trail-f and more");
}

static void what_was_reported_before_a_restart(void **state _unused_) {
    assert_true(unaccepted_was_reported(true, true, false));
    assert_false(unaccepted_was_reported(true, true, true));
    assert_false(unaccepted_was_reported(true, false, false)); /* not seen yet */
    assert_false(unaccepted_was_reported(false, true, false));
}

static void how_many_came_and_went(void **state _unused_) {
    char detail[ERROR_TEXT_MAX];

    unaccepted_detail(2, 0, "a, b", detail);
    assert_string_equal(detail, "2 more appeared, 0 are gone again: a, b");
    unaccepted_detail(0, 1, "a", detail);
    assert_string_equal(detail, "0 more appeared, 1 is gone again: a");
    unaccepted_detail(1, 2, "a, b", detail);
    assert_string_equal(detail, "1 more appeared, 2 are gone again: a, b");
}

/* ---- rows of the state file ---- */

static void whose_a_row_is(void **state _unused_) {
    static const struct {
        bool same, by_role, identified, taken, its;
    } rows[] = {
        { true, false, true, false, true },
        { true, true, true, true, true },
        /* not known whose the base credentials are: what is nobody else's */
        { false, false, false, false, true },
        { false, false, false, true, false },
        { false, false, true, false, false },
        { false, true, false, false, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (former_row_is_of(rows[i].same, rows[i].by_role, rows[i].identified, rows[i].taken) !=
            rows[i].its)
            fail_msg("row %zu", i);
}

static void which_rows_stay(void **state _unused_) {
    assert_true(former_trail_is_kept(false, false));
    assert_true(former_trail_is_kept(true, false));
    assert_true(former_trail_is_kept(true, true)); /* its end was not reported yet */
    assert_false(former_trail_is_kept(false, true));
}

/* One that was never found is missing because `trails` names it: with "all" nothing does any more. */
static void which_rows_are_guarded(void **state _unused_) {
    assert_true(former_is_guarded(true, true, true));
    assert_true(former_is_guarded(true, true, false));
    assert_true(former_is_guarded(true, false, false));
    assert_false(former_is_guarded(true, false, true));
    assert_false(former_is_guarded(false, true, true));
    assert_false(former_is_guarded(false, false, false));
}

static void a_region_ends_with_its_account_or_its_name(void **state _unused_) {
    static const struct {
        AccountPlace account;
        Ended ended;
    } rows[] = {
        { { .known = true, .guarded = true, .begun = true, .all_known = true }, ENDED_REGION_GONE },
        { { .known = true, .guarded = true, .all_known = true }, ENDED_NOT }, /* not taken up yet */
        { { .all_known = true }, ENDED_ACCOUNT_GONE },
        { { .all_known = true, .elsewhere = true }, ENDED_ELSEWHERE },
        { { .known = false }, ENDED_NOT },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (scope_region_ended(&rows[i].account) != rows[i].ended)
            fail_msg("row %zu", i);
}

static void which_lists_are_waited_for(void **state _unused_) {
    assert_true(list_is_to_come(true, false, false));
    assert_false(list_is_to_come(false, false, false));
    assert_false(list_is_to_come(true, true, false));
    assert_false(list_is_to_come(true, false, true));
}

/* ---- what accept shows ---- */

static void how_accept_shows_a_trail(void **state _unused_) {
    static const struct {
        ShownTrail trail;
        ShownAs as;
    } rows[] = {
        { { .read = true, .owned = true }, SHOWN_READ },
        { { .owned = true }, SHOWN_READ }, /* its settings could not be read: that is said by its error */
        { { .read = true, .others_keys = true }, SHOWN_READ },
        { { .others_keys = true }, SHOWN_NOT_ITS_ACCOUNT },
        { { .missing = true, .owned = true }, SHOWN_GONE },
        { { .missing = true, .owned = true, .read = true }, SHOWN_GONE },
        { { .missing = true }, SHOWN_NOT_ITS_ACCOUNT },
        { { .missing = true, .read = true }, SHOWN_NOT_ITS_ACCOUNT },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (scope_shown_as(&rows[i].trail) != rows[i].as)
            fail_msg("row %zu", i);
}

static void whose_keys_are_known_to_be_anothers(void **state _unused_) {
    static const AccountScope base = { .identity_known = true },
                              unknown = { .identity_asked = true },
                              role = { .by_role = true, .identity_known = true };

    assert_true(scope_has_others_keys(&base, false, false));
    assert_false(scope_has_others_keys(&base, true, false));
    assert_false(scope_has_others_keys(&base, false, true)); /* an organization's may show anywhere */
    assert_false(scope_has_others_keys(&unknown, false, false));
    assert_false(scope_has_others_keys(&role, false, false));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_new_trail_is_named_once),
        cmocka_unit_test(the_names_have_a_ceiling),
        cmocka_unit_test(what_was_reported_before_a_restart),
        cmocka_unit_test(how_many_came_and_went),
        cmocka_unit_test(whose_a_row_is),
        cmocka_unit_test(which_rows_stay),
        cmocka_unit_test(which_rows_are_guarded),
        cmocka_unit_test(a_region_ends_with_its_account_or_its_name),
        cmocka_unit_test(which_lists_are_waited_for),
        cmocka_unit_test(how_accept_shows_a_trail),
        cmocka_unit_test(whose_keys_are_known_to_be_anothers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
