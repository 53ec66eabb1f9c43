/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a poll asks, and what waits for it, in tables of cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/core/schedule.h"
#include "lib/util/macros.h"

#define SEC USEC_PER_SEC

static const Intervals every_ten_seconds = {
    .poll_usec = 10 * SEC,
    .settings_usec = 60 * SEC,
    .unreachable_after = 3,
};

static void whose_status_a_poll_asks_for(void **state _unused_) {
    static const struct {
        PolledTrail trail;
        bool of_round, beside, of_contested;
    } rows[] = {
        { { 0 }, true, true, false },
        { { .contested = true }, true, true, true },
        { { .acted_on = true }, false, false, false },
        { { .acted_on = true, .contested = true }, false, false, false },
        { { .asked = true }, false, false, false },
        { { .asked = true, .contested = true }, false, false, false },
        { { .missing = true }, true, false, false },
        { { .missing = true, .contested = true }, true, false, false },
        { { .provisional = true }, true, false, false },
        { { .provisional = true, .contested = true }, true, false, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (schedule_asks_status(POLL_OF_ROUND, &rows[i].trail) != rows[i].of_round ||
            schedule_asks_status(POLL_BESIDE_ROUND, &rows[i].trail) != rows[i].beside ||
            schedule_asks_status(POLL_OF_CONTESTED, &rows[i].trail) != rows[i].of_contested)
            fail_msg("row %zu", i);
}

static void when_a_poll_asks_for_the_list(void **state _unused_) {
    static const struct {
        ListChance chance;
        bool asks; /* at 1000 s */
    } rows[] = {
        { { 0 }, true }, /* it was not read yet */
        { { .n_trails = 1, .due_usec = 1000 * SEC }, true },
        { { .n_trails = 1, .due_usec = 1005 * SEC }, true }, /* the nearest poll serves */
        { { .n_trails = 1, .due_usec = 1005 * SEC + 1 }, false },
        { { .n_trails = 1, .n_failed = 1, .due_usec = 1060 * SEC }, false },
        { { .due_usec = 1600 * SEC }, false },
        { { .n_failed = 1, .due_usec = 1600 * SEC }, true }, /* it has nothing else to ask */
        { { .asked = true }, false },
        { { .asked = true, .n_failed = 1 }, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (schedule_asks_list(&every_ten_seconds, &rows[i].chance, 1000 * SEC) != rows[i].asks)
            fail_msg("row %zu", i);
}

static void a_poll_without_a_question_does_not_begin(void **state _unused_) {
    assert_false(schedule_poll_asks(0, false, true, 0));
    assert_false(schedule_poll_asks(0, false, true, 1)); /* an earlier one waits for all of them */
    assert_true(schedule_poll_asks(1, false, false, 1));
    assert_true(schedule_poll_asks(0, true, true, 0));
    assert_true(schedule_poll_asks(0, true, false, 1));
    assert_false(
            schedule_poll_asks(0, true, false, 0)); /* the trail that it was polled for went elsewhere */
}

static void what_a_pass_waits_for(void **state _unused_) {
    static const struct {
        bool of_pass, once;
        unsigned n_failed;
        bool waits;
    } rows[] = {
        { true, false, 0, true },   { true, false, 2, true }, { true, false, 3, false },
        { false, false, 0, false }, { false, true, 0, true }, { true, true, 3, true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (schedule_pass_waits(&every_ten_seconds, rows[i].of_pass, rows[i].n_failed, rows[i].once) !=
            rows[i].waits)
            fail_msg("row %zu", i);
}

static void a_turn_polls_what_is_due(void **state _unused_) {
    static const struct {
        TurnTarget target;
        Turn turn; /* at 1000 s */
    } rows[] = {
        { { 0 }, TURN_POLLS },
        { { .due_usec = 1000 * SEC }, TURN_POLLS },
        { { .due_usec = 1000 * SEC + 1 }, TURN_PASSES }, /* it is unreachable, and left alone for longer */
        { { .start_waits = true }, TURN_PASSES },
        { { .under_way = true, .age_usec = 9 * SEC, .n_polled = 1 }, TURN_POLLS },
        { { .under_way = true, .age_usec = 9 * SEC, .n_polled = 49 }, TURN_WAITS },
        { { .under_way = true, .age_usec = 9 * SEC, .n_polled = 49, .due_usec = 2000 * SEC }, TURN_WAITS },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (schedule_turn_means(&every_ten_seconds, &rows[i].target, 1000 * SEC) != rows[i].turn)
            fail_msg("row %zu", i);
}

static void after_a_suspended_machine_all_are_polled(void **state _unused_) {
    uint64_t round_usec = schedule_round_usec(&every_ten_seconds);

    assert_false(schedule_round_was_missed(&every_ten_seconds, 1000 * SEC, 1000 * SEC));
    assert_false(schedule_round_was_missed(&every_ten_seconds, SEC, SEC + 2 * round_usec - 1));
    assert_true(schedule_round_was_missed(&every_ten_seconds, SEC, SEC + 2 * round_usec));
}

static void accounts_with_contested_trails_take_turns(void **state _unused_) {
    static const struct {
        size_t n_accounts;
        unsigned n_parts;
    } rows[] = { { 0, 1 }, { 1, 1 }, { 7, 7 }, { 16, 16 }, { 17, 16 }, { 50000, 16 } };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(schedule_contested_parts(rows[i].n_accounts), rows[i].n_parts);
}

/* While a trail of the account is contested. */
static void what_is_polled_beside_the_rounds(void **state _unused_) {
    static const struct {
        BesideTarget target;
        bool contested, others; /* at 1000 s */
        uint64_t contested_due_msec, beside_due_msec;
    } rows[] = {
        { { .open = true, .n_contested = 1 }, true, false, 1000300, 0 },
        { { .open = true, .n_contested = 2, .n_others = 1 }, true, true, 1000600, 1003000 },
        { { .open = true, .n_others = 2 },
          false,
          true,
          0,
          1002000 }, /* the war is elsewhere, or its trail gone */
        { { .open = true, .n_others = 30 }, false, true, 0, 1010000 }, /* never less often than usual */
        { { .open = true }, false, false, 0, 0 },
        { { .n_contested = 1, .n_others = 1 }, false, false, 0, 0 },
        { { .open = true, .n_contested = 1, .n_others = 1, .n_failed = 3 }, false, false, 0, 0 },
        { { .open = true, .n_contested = 1, .n_others = 1, .n_failed = 2 }, true, true, 1000300, 1002000 },
        { { .open = true,
            .n_contested = 1,
            .n_others = 1,
            .contested_due_usec = 1000 * SEC,
            .beside_due_usec = 1000 * SEC + 1000 },
          true,
          false,
          1000300,
          1000001 },
        { { .open = true, .n_contested = 1, .n_others = 1, .contested_due_usec = 1000 * SEC + 1000 },
          false,
          true,
          1000001,
          1002000 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        BesideTarget target = rows[i].target;
        BesideTurn turn = schedule_beside(&every_ten_seconds, &target, 1000 * SEC);

        if (turn.contested != rows[i].contested || turn.others != rows[i].others ||
            target.contested_due_usec != rows[i].contested_due_msec * USEC_PER_MSEC ||
            target.beside_due_usec != rows[i].beside_due_msec * USEC_PER_MSEC)
            fail_msg("row %zu", i);
    }
}

static void polls_begin_two_a_connection_at_a_time(void **state _unused_) {
    assert_true(schedule_has_room(0, 0, 1));
    assert_true(schedule_has_room(1, 0, 1));
    assert_false(schedule_has_room(2, 0, 1));
    assert_true(schedule_has_room(2, 1, 1));  /* what is slow holds up nothing */
    assert_true(schedule_has_room(2, 99, 1)); /* some of these have ended since they were counted */
    assert_true(schedule_has_room(127, 0, 64));
    assert_false(schedule_has_room(128, 0, 64));
}

static void thirty_seconds_past_a_deadline_something_is_wedged(void **state _unused_) {
    assert_false(schedule_is_wedged(1000 * SEC, 0));
    assert_false(schedule_is_wedged(1000 * SEC, 1030 * SEC));
    assert_true(schedule_is_wedged(1000 * SEC, 1030 * SEC + 1));
}

static void what_a_directory_that_was_removed_means(void **state _unused_) {
    static const struct {
        DirectoryFound found;
        DirectoryStep step;
    } turns[] = {
        { DIRECTORY_KEPT, DIRECTORY_GOES_ON },    { DIRECTORY_RENEWED, DIRECTORY_WRITES },
        { DIRECTORY_REFUSED, DIRECTORY_GOES_ON }, { DIRECTORY_TAKEN, DIRECTORY_WAITS },
        { DIRECTORY_TAKEN, DIRECTORY_WAITS },     { DIRECTORY_RENEWED, DIRECTORY_WRITES }, /* it gave up */
        { DIRECTORY_TAKEN, DIRECTORY_WAITS },     { DIRECTORY_TAKEN, DIRECTORY_WAITS },
        { DIRECTORY_TAKEN, DIRECTORY_STOPS },
    };
    unsigned n_taken = 0;

    for (size_t i = 0; i < ARRAY_SIZE(turns); i++)
        if (schedule_directory(turns[i].found, &n_taken) != turns[i].step)
            fail_msg("turn %zu", i);
}

static void a_check_ends_when_nothing_keeps_it_busy(void **state _unused_) {
    static const CheckWork ended = { .n_passes = 1, .identities_known = true };
    static const CheckWork busy[] = {
        { .n_passes = 0, .identities_known = true },
        { .n_passes = 1, .identities_known = false },
        { .n_passes = 1, .identities_known = true, .pass_open = true },
        { .n_passes = 1, .identities_known = true, .n_polling = 1 },
        { .n_passes = 1, .identities_known = true, .n_beside = 1 },
        { .n_passes = 1, .identities_known = true, .n_acting = 1 },
        { .n_passes = 1, .identities_known = true, .due = true },
        { .n_passes = 1, .identities_known = true, .channels = true },
    };

    assert_false(schedule_check_is_busy(&ended));
    for (size_t i = 0; i < ARRAY_SIZE(busy); i++)
        if (!schedule_check_is_busy(&busy[i]))
            fail_msg("row %zu", i);
}

static void what_a_check_still_has_to_read(void **state _unused_) {
    assert_int_equal(schedule_reads_left(true, false), 0);
    assert_int_equal(schedule_reads_left(true, true), 4);
    assert_int_equal(schedule_reads_left(false, false), 5);
    assert_int_equal(schedule_reads_left(false, true), 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whose_status_a_poll_asks_for),
        cmocka_unit_test(when_a_poll_asks_for_the_list),
        cmocka_unit_test(a_poll_without_a_question_does_not_begin),
        cmocka_unit_test(what_a_pass_waits_for),
        cmocka_unit_test(a_turn_polls_what_is_due),
        cmocka_unit_test(after_a_suspended_machine_all_are_polled),
        cmocka_unit_test(what_is_polled_beside_the_rounds),
        cmocka_unit_test(polls_begin_two_a_connection_at_a_time),
        cmocka_unit_test(thirty_seconds_past_a_deadline_something_is_wedged),
        cmocka_unit_test(what_a_check_still_has_to_read),
        cmocka_unit_test(what_a_directory_that_was_removed_means),
        cmocka_unit_test(a_check_ends_when_nothing_keeps_it_busy),
        cmocka_unit_test(accounts_with_contested_trails_take_turns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
