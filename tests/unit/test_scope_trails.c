/* SPDX-License-Identifier: Apache-2.0 */
/* Which trails and rows of the state file belong to what is guarded, in tables of cases. */
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

/* One that was never found is missing because `trails` names it: with "all" nothing does any more. */
static void which_rows_are_guarded(void **state _unused_) {
    assert_true(former_is_guarded(true, true, true));
    assert_true(former_is_guarded(true, true, false));
    assert_true(former_is_guarded(true, false, false));
    assert_false(former_is_guarded(true, false, true));
    assert_false(former_is_guarded(false, true, true));
    assert_false(former_is_guarded(false, false, false));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_new_trail_is_named_once),
        cmocka_unit_test(the_names_have_a_ceiling),
        cmocka_unit_test(how_many_came_and_went),
        cmocka_unit_test(which_rows_are_guarded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
