/* SPDX-License-Identifier: Apache-2.0 */
/* Through which account a trail is polled, in tables of cases. */
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

static void who_sees_a_trail_best(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const Viewer *viewer = &rows[i].viewer;

        if (viewer_is_lost(viewer, 3) != rows[i].lost || viewer_adopts(viewer) != rows[i].adopts ||
            viewer_can_take_over(viewer) != rows[i].can_take_over ||
            viewer_is_better(viewer, false) != rows[i].better ||
            viewer_is_better(viewer, true) != rows[i].better_than_foreign)
            fail_msg("row %zu", i);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_sees_a_trail_best),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
