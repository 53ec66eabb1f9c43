/* SPDX-License-Identifier: Apache-2.0 */
/* Which trails a list brings, through which account each is polled, and whether that may write to it: tables
 * of cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/core/scope.h"
#include "lib/util/macros.h"

#define SEES .open = true, .guards = true

static const struct {
    Viewer viewer;
    bool lost, can_take_over, better, better_than_foreign, adopts;
} rows[] = {
    { { SEES }, false, true, false, false, false },
    { { SEES, .owner = true }, false, true, true, true, true },
    { { SEES, .base = true }, false, true, false, true, false },
    { { SEES, .owner = true, .base = true }, false, true, true, true, true },
    /* where the trail lives polls fail */
    { { SEES, .owner = true, .n_home_failed = 1 }, false, false, false, false, true },
    { { SEES, .base = true, .n_home_failed = 2 }, false, false, false, false, false },
    { { SEES, .n_home_failed = 3 }, true, false, false, false, false },
    /* where its list shows the trail they do */
    { { SEES, .owner = true, .n_failed = 1 }, false, false, true, true, true },
    { { SEES, .n_failed = 9 }, false, false, false, false, false },
    /* it leaves the trail out: the owner ends the guarding of it */
    { { .open = true, .owner = true }, false, false, true, true, true },
    { { .open = true, .base = true }, false, false, false, false, false },
    /* it cannot be polled */
    { { .guards = true, .owner = true }, true, false, true, true, false },
    { { .guards = true }, true, false, false, false, false },
};

static const Viewed movable = { .organization = true, .lives = true };

static void which_trail_may_move(void **state _unused_) {
    static const Viewer lost = { .guards = true };

    for (unsigned bits = 0; bits < 8; bits++) {
        const Viewed trail = { .lives = bits & 1, .organization = bits & 2, .acted_on = bits & 4 };

        assert_int_equal(viewed_may_move(&trail), bits == 1 || bits == 3);
        assert_int_equal(viewer_is_lost(&trail, &lost, 3), bits == 3);
    }
}

static void who_sees_a_trail_best(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const Viewer *viewer = &rows[i].viewer;

        if (viewer_is_lost(&movable, viewer, 3) != rows[i].lost || viewer_adopts(viewer) != rows[i].adopts ||
            viewer_can_take_over(viewer) != rows[i].can_take_over ||
            viewer_is_better(viewer, false) != rows[i].better ||
            viewer_is_better(viewer, true) != rows[i].better_than_foreign)
            fail_msg("row %zu", i);
    }
}

static void whose_an_organization_trail_is(void **state _unused_) {
    static const struct {
        TrailHolder holder;
        bool may_write, foreign;
    } cases[] = {
        { { .known = true }, true, false },
        { { 0 }, true, false },
        { { .organization = true, .known = true, .owner = true, .asked = true }, true, false },
        { { .organization = true, .known = true, .asked = true }, false, true },
        /* AWS has not said yet who we are: it may be another account's */
        { { .organization = true }, false, false },
        /* it does not say so at all: what is ours must not stay stopped for that */
        { { .organization = true, .asked = true }, true, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (holder_may_write(&cases[i].holder) != cases[i].may_write ||
            holder_is_foreign(&cases[i].holder) != cases[i].foreign)
            fail_msg("row %zu", i);
}

static void which_trails_a_list_brings(void **state _unused_) {
    static const struct {
        Listing listing;
        bool shown, was_wide, covers, uncovers;
    } cases[] = {
        { { .configured = true }, false, false, true, false },
        { { .wide = true }, false, false, true, false },
        { { .configured = true, .wide = true }, true, true, true, false },
        /* its home is polled for other trails' sake only */
        { { 0 }, false, false, false, true },
        /* whoever is about to stop it has made it a trail of one region: said once */
        { { 0 }, true, true, false, true },
        { { 0 }, true, false, false, false },
        { { .configured = true }, true, true, true, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (listing_covers(&cases[i].listing) != cases[i].covers ||
            listing_uncovers(&cases[i].listing, cases[i].shown, cases[i].was_wide) != cases[i].uncovers)
            fail_msg("row %zu", i);
}

static void whose_a_trail_is_that_is_named_by_its_arn(void **state _unused_) {
    static const struct {
        NamedByArn in;
        bool is_for;
    } cases[] = {
        { { .owner_guarded = true, .owner = true }, true },
        { { .owner_guarded = true, .first = true, .names_itself = true }, false },
        { { .names_itself = true }, true },
        { { .first = true }, true },
        { { .owner = true }, false }, /* it is not guarded: the first one asks */
        { { 0 }, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(named_trail_is_for(&cases[i].in), cases[i].is_for);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_sees_a_trail_best),
        cmocka_unit_test(which_trail_may_move),
        cmocka_unit_test(whose_an_organization_trail_is),
        cmocka_unit_test(which_trails_a_list_brings),
        cmocka_unit_test(whose_a_trail_is_that_is_named_by_its_arn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
