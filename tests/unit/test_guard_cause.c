/* SPDX-License-Identifier: Apache-2.0 */
/* What several targets have in common: who is asked about it, and when it may be forgotten. Tables of cases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/core/guard.h"
#include "lib/util/macros.h"

#define T0      (1800000000ULL * USEC_PER_SEC)
#define A_LATER (T0 + GUARD_REOPEN_USEC)

static void a_region_answers_until_it_counts_as_unreachable(void **state _unused_) {
    static const struct {
        TargetState state;
        Place place;
        bool answers;
    } rows[] = {
        { { .ever_reachable = true }, PLACE_EMPTY, true },
        { { .ever_reachable = true }, PLACE_TRAILS, true },
        { { 0 }, PLACE_EMPTY, false }, /* not polled yet */
        { { .ever_reachable = true, .unreachable = true }, PLACE_EMPTY, false },
        { { .ever_reachable = true, .not_enabled = true }, PLACE_EMPTY, false },
        /* one failed poll is no news ... */
        { { .ever_reachable = true, .n_failed = 1, .error = POLL_UNREACHABLE }, PLACE_EMPTY, true },
        { { .ever_reachable = true, .n_failed = 1, .error = POLL_DENIED }, PLACE_EMPTY, true },
        /* ... unless a policy has closed it: that is done for good */
        { { .ever_reachable = true,
            .n_failed = 1,
            .error = POLL_DENIED,
            .error_text = "with an explicit deny in a service control policy" },
          PLACE_EMPTY,
          false },
        { { .ever_reachable = true,
            .n_failed = 1,
            .error = POLL_DENIED,
            .error_text = "with an explicit deny in a service control policy" },
          PLACE_TRAILS,
          true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(guard_cause_answers(&rows[i].state, rows[i].place), rows[i].answers);
}

static void a_decision_touches_a_cause_by_what_it_is_made_of(void **state _unused_) {
    static const struct {
        TargetState was, is;
        bool touched;
    } rows[] = {
        { { 0 }, { 0 }, false },
        { { 0 }, { .n_failed = 1 }, true },
        { { .n_failed = 1 }, { .n_failed = 2 }, false },
        { { .n_failed = 2 }, { 0 }, true },
        { { 0 }, { .reach.open = true }, true },
        { { .reach.open = true }, { 0 }, true },
        { { .reach.open = true, .reach.sequence = 1 }, { .reach.open = true, .reach.sequence = 2 }, false },
        { { 0 }, { .cover.open = true }, true },
        { { .cover.open = true }, { .cover.open = true, .cover_is_shared = true }, true },
        { { .cause = CAUSE_OWN }, { .cause = CAUSE_ROLE }, true },
        { { .covered = true }, { .covered = false }, false },
        { { 0 }, { .list.open = true }, false }, /* that is its own */
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(guard_cause_is_touched(&rows[i].was, &rows[i].is), rows[i].touched);
}

static void a_cause_is_over_when_nothing_would_reopen_it(void **state _unused_) {
    const Incident ended = { .opened_usec = T0 - 1,
                             .resolved_usec = T0,
                             .sequence = 2,
                             .event = _EVENT_MAX },
                   open = { .open = true, .opened_usec = T0, .sequence = 1, .event = _EVENT_MAX },
                   none = { .event = _EVENT_MAX };
    const struct {
        Cause cause;
        uint64_t at_usec;
        bool over;
    } rows[] = {
        { { .had_members = true, .incident = none }, T0, true }, /* it was never reported */
        { { .had_members = false, .incident = none },
          T0,
          false }, /* from the state file: who has it comes */
        { { .had_members = true, .incident = none, .held_mono_usec = 1 },
          T0,
          false }, /* about to be reported */
        { { .had_members = true, .incident = open }, A_LATER + 1, false },
        { { .had_members = true, .incident = ended }, A_LATER, false }, /* would be reopened */
        { { .had_members = true, .incident = ended }, A_LATER + 1, true },
        { { .had_members = false, .incident = ended }, A_LATER + 1, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(
                guard_cause_is_over(&rows[i].cause, (Now){ .real_usec = rows[i].at_usec, .mono_usec = 1 }),
                rows[i].over);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_region_answers_until_it_counts_as_unreachable),
        cmocka_unit_test(a_decision_touches_a_cause_by_what_it_is_made_of),
        cmocka_unit_test(a_cause_is_over_when_nothing_would_reopen_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
