/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "daemon/core/schedule.h"
#include "lib/util/macros.h"
#include "tests/unit/between.h"

#define SEC  USEC_PER_SEC
#define MSEC USEC_PER_MSEC

static Intervals intervals(uint64_t poll_sec) {
    return (Intervals){ .poll_usec = poll_sec * SEC, .settings_usec = 60 * SEC, .unreachable_after = 3 };
}

/* From one poll to the next of the same target, whichever round it is. */
static void turns_are_one_interval_apart_at_most(void **state _unused_) {
    static const uint64_t poll_sec[] = { 1, 2, 10, 60, 3600 };

    for (size_t c = 0; c < ARRAY_SIZE(poll_sec); c++) {
        Intervals i = intervals(poll_sec[c]);
        uint64_t round_usec = schedule_round_usec(&i);

        assert_between(round_usec, i.poll_usec * 97 / 100, i.poll_usec * 98 / 100);
        for (uint64_t now = 1; now < UINT64_MAX / 4; now = 3 * now + 12345) {
            uint64_t round = schedule_round(&i, now);

            assert_true(schedule_turn(&i, round, 0) <= now && now < schedule_turn(&i, round + 1, 0));
            for (uint64_t phase = 0; phase <= UINT32_MAX; phase += 0x0fffffff) {
                uint64_t at = schedule_turn(&i, round, (uint32_t)phase);

                assert_int_equal(at - round * round_usec,
                                 (uint64_t)((unsigned __int128)round_usec * phase >> 32));
                assert_int_equal(schedule_turn(&i, round + 1, (uint32_t)phase) - at, round_usec);
            }
        }
    }
}

/* Which depends on nothing else: not on the machine, the interval or the other targets. */
static void a_target_has_its_place(void **state _unused_) {
    static const struct {
        const char *account, *region;
        uint32_t phase;
    } places[] = {
        { "", "", 0x0992e16dU },
        { "111122223333", "eu-central-1", 0x75dca37fU },
        { "111122223333", "us-east-1", 0x50fb851aU },
        { "111122223334", "us-east-1", 0x29e5f895U },
    };

    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        assert_int_equal(schedule_phase(places[i].account, places[i].region), places[i].phase);
    assert_int_not_equal(schedule_phase("1", "23"), schedule_phase("12", "3"));
}

static double chi_squared(const unsigned *counts, unsigned n_slots, unsigned n) {
    double expected = (double)n / n_slots, sum = 0;

    for (unsigned i = 0; i < n_slots; i++)
        sum += ((double)counts[i] - expected) * ((double)counts[i] - expected) / expected;
    return sum;
}

/* Account ids in a row, as an organization may have them, in each region by itself: no slot has many more
 * than its share. With 100 slots, chi squared is above 149 once in a thousand times by chance, and 17
 * regions with three sizes each are 51 chances. */
static void places_are_spread_evenly(void **state _unused_) {
    static const unsigned sizes[] = { 59, 589, 10000 }, most[] = { 8, 20, 150 };
    enum { SLOTS = 100 };
    char account[16], region[16];

    for (size_t s = 0; s < ARRAY_SIZE(sizes); s++)
        for (unsigned r = 0; r < 17; r++) {
            unsigned counts[SLOTS] = { 0 };

            (void)snprintf(region, sizeof(region), "eu-west-%u", r);
            for (unsigned n = 0; n < sizes[s]; n++) {
                (void)snprintf(account, sizeof(account), "%u", 200000000U + n);
                counts[(uint64_t)schedule_phase(account, region) * SLOTS >> 32]++;
            }
            assert_true(chi_squared(counts, SLOTS, sizes[s]) < 165);
            for (unsigned i = 0; i < SLOTS; i++)
                assert_true(counts[i] <= most[s]);
        }
}

/* Nothing until the target counts as blind; then twice the interval, four times, up to a minute, each up to
 * a quarter earlier. */
static void an_unreachable_target_is_left_alone_for_longer(void **state _unused_) {
    static const struct {
        uint64_t poll_sec, wait_sec;
        unsigned n_failed;
        bool throttled;
    } cases[] = {
        { 10, 0, 0, false },  { 10, 0, 2, false },     { 10, 20, 3, false }, { 10, 40, 4, false },
        { 10, 60, 5, false }, { 10, 60, 9999, false }, { 10, 20, 3, true },  { 10, 20, 9999, true },
        { 1, 2, 3, false },   { 1, 32, 7, false },     { 1, 60, 8, false },  { 60, 0, 9999, false },
        { 3600, 0, 3, true },
    };

    for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
        Intervals i = intervals(cases[c].poll_sec);
        TargetPace p = { .n_failed = cases[c].n_failed, .throttled = cases[c].throttled, .n_trails = 1 };
        uint64_t wait = cases[c].wait_sec * SEC;

        assert_int_equal(schedule_wait(&i, &p, 0), wait);
        assert_int_equal(schedule_wait(&i, &p, wait / 4), wait - wait / 4);
        for (uint64_t random = 1; random > 0; random <<= 1)
            assert_true(schedule_wait(&i, &p, random - 1) >= wait - wait / 4);
    }
}

static void a_region_that_is_off_is_asked_daily(void **state _unused_) {
    Intervals i = intervals(10);
    static const uint64_t wait_sec[] = { 600, 600, 600, 24 * 3600, 24 * 3600 };

    for (unsigned n = 0; n < ARRAY_SIZE(wait_sec); n++) {
        TargetPace p = { .n_failed = 5, .not_enabled = true, .n_rejected = n };

        assert_int_equal(schedule_wait(&i, &p, 0), wait_sec[n] * SEC);
        p.proven = true;
        assert_int_equal(schedule_wait(&i, &p, 0), 24 * 3600 * SEC);
    }
}

static void polls_stretch_to_five_reads_a_second(void **state _unused_) {
    static const struct {
        uint64_t poll_sec;
        unsigned n_trails;
        bool stretched;
        uint64_t took_usec, wait_usec, every_sec;
    } cases[] = {
        { 1, 0, false, 0, 0, 1 },
        { 1, 5, false, 0, 0, 1 },
        { 1, 6, true, 0, 1200 * MSEC, 2 },
        { 1, 12, true, 0, 2400 * MSEC, 3 },
        /* The bucket has held the look's calls back already. */
        { 1, 12, true, 1400 * MSEC, SEC, 3 },
        { 1, 12, true, 2400 * MSEC, 0, 3 },
        { 1, 12, true, 30 * SEC, 0, 3 },
        { 10, 50, false, 0, 0, 10 },
        { 10, 60, true, 2 * SEC, 10 * SEC, 20 },
    };

    for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
        Intervals i = intervals(cases[c].poll_sec);
        TargetPace p = { .n_trails = cases[c].n_trails, .took_usec = cases[c].took_usec };

        assert_int_equal(schedule_is_stretched(&i, p.n_trails), cases[c].stretched);
        assert_int_equal(schedule_wait(&i, &p, UINT64_MAX), cases[c].wait_usec);
        assert_int_equal(schedule_interval_usec(&i, p.n_trails), cases[c].every_sec * SEC);
    }
}

/* Only where the reads take most of the interval, and may be under way still. */
static void a_turn_waits_for_reads(void **state _unused_) {
    static const struct {
        uint64_t poll_sec;
        unsigned n_trails;
        uint64_t age_msec;
        bool waits;
    } cases[] = {
        { 1, 1, 975, false },   { 1, 3, 975, false },   { 1, 5, 975, true },
        { 1, 5, 1500, false },  { 1, 12, 2925, true },  { 1, 12, 3600, false },
        { 10, 1, 9750, false }, { 10, 49, 9750, true }, { 10, 0, 0, false },
    };

    for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
        Intervals i = intervals(cases[c].poll_sec);

        TurnTarget target = { .under_way = true,
                              .age_usec = cases[c].age_msec * MSEC,
                              .n_polled = cases[c].n_trails };

        assert_int_equal(schedule_turn_means(&i, &target, 0), cases[c].waits ? TURN_WAITS : TURN_POLLS);
        target.under_way = false;
        assert_int_equal(schedule_turn_means(&i, &target, 0), TURN_POLLS);
    }
}

static void stretched_polls_are_news_when_they_differ_by_a_quarter(void **state _unused_) {
    static const struct {
        unsigned n_trails, said_sec; /* five reads a second, polls every 10 s */
        StretchNews news;
    } cases[] = {
        { 10, 0, STRETCH_IS_KNOWN },   { 10, 20, STRETCH_HAS_ENDED }, { 100, 0, STRETCH_IS_NEWS },
        { 100, 20, STRETCH_IS_KNOWN }, { 200, 40, STRETCH_IS_KNOWN }, { 200, 50, STRETCH_IS_NEWS },
        { 200, 49, STRETCH_IS_KNOWN }, { 200, 33, STRETCH_IS_KNOWN }, { 200, 32, STRETCH_IS_NEWS },
    };

    for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
        Intervals i = intervals(10);

        if (schedule_stretch_news(&i, cases[c].n_trails, cases[c].said_sec * SEC) != cases[c].news)
            fail_msg("case %zu", c);
    }
}

static void calls_are_counted_as_they_are_limited(void **state _unused_) {
    static const struct {
        uint64_t poll_sec;
        TargetCalls calls;
        uint64_t per_hour;
    } cases[] = {
        { 10, { 0 }, 6 }, /* every ten minutes a list */
        { 10, { 1, 3, 0, false }, 360 + 60 + 3 * 60 },
        { 10, { 1, 3, 4, false }, 360 + 60 + 7 * 60 },
        { 10, { 30, 90, 0, false }, 30 * 360 + 60 + 90 * 60 },
        { 10, { 60, 60, 0, false }, 60 * 180 + 60 + 60 * 60 }, /* polled every 20 s */
        { 1, { 60, 180, 0, false }, 5 * 3600 + 60 },    /* polls and settings share what is let through */
        { 1, { 1000, 3000, 0, false }, 5 * 3600 + 18 }, /* polled every 200 s, and settings no more often */
        { 10, { 1, 3, 0, true }, 360 + 360 + 3 * 60 },  /* something is missing: a list at every poll */
        { 1, { 1, 3, 0, true }, 3600 + 3600 + 3 * 60 },
        { 1, { 1000, 3000, 12000, false }, 5 * 3600 + 18 + 50 * 3600 }, /* of buckets and keys, too */
    };

    for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
        Intervals i = intervals(cases[c].poll_sec);

        assert_int_equal(schedule_count_calls(&i, &cases[c].calls, 3600 * SEC), cases[c].per_hour);
    }
}

/* At most four of the five reads a second, whatever the interval; never slower than usual. */
static void what_people_care_about_is_polled_first(void **state _unused_) {
    static const PollRank ranks[] = {
        { .named = true, .first_seen_usec = 5 },
        { .named = true, .first_seen_usec = 6 },
        { .named = true }, /* not seen yet */
        { .first_seen_usec = 1 },
        { .first_seen_usec = 2 },
        { 0 },
        { .provisional = true, .named = true, .first_seen_usec = 1 },
        { .provisional = true, .first_seen_usec = 1 },
        { .provisional = true, .first_seen_usec = 3 },
        { .provisional = true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(ranks); i++)
        for (size_t k = 0; k < ARRAY_SIZE(ranks); k++) {
            int order = schedule_compare_ranks(&ranks[i], &ranks[k]);

            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
}

/* Whatever nobody has accepted, and however much of it there is, does not stretch the pace of the rest. */
static void what_nobody_accepted_has_a_small_share(void **state _unused_) {
    static const struct {
        unsigned poll_sec, n_others, n_provisional, turns;
    } cases[] = {
        { 1, 1, 0, 0 },    { 1, 1, 1, 1 },    { 1, 1, 4, 1 },      { 1, 1, 1000, 1 },     { 5, 1, 4, 4 },
        { 5, 4, 8, 8 },    { 5, 4, 9, 2 },    { 5, 12, 1, 2 },     { 5, 1, 1000, 2 },     { 30, 1, 74, 74 },
        { 30, 1, 75, 15 }, { 30, 150, 9, 9 }, { 30, 150, 90, 15 }, { 300, 1, 1000, 150 },
    };

    for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
        Intervals i = { .poll_usec = cases[c].poll_sec * SEC };
        unsigned n = cases[c].n_provisional, n_turns, seen[1000] = { 0 }, turn = 7;

        n_turns = schedule_provisional(&i, cases[c].n_others, n);
        assert_int_equal(n_turns, MIN(cases[c].turns, n));
        if (cases[c].n_others <= 4 * cases[c].poll_sec)
            assert_false(schedule_is_stretched(&i, cases[c].n_others + n_turns));
        /* and each has its turn */
        for (unsigned poll = 0; n > 0 && poll < (n + n_turns - 1) / n_turns; poll++, turn += n_turns) {
            unsigned n_now = 0;

            for (unsigned at = 0; at < n; at++)
                if (schedule_has_turn(turn, n_turns, n, at)) {
                    seen[at]++;
                    n_now++;
                }
            assert_int_equal(n_now, n_turns);
        }
        for (unsigned at = 0; at < n; at++)
            assert_true(seen[at] > 0);
    }
    assert_false(schedule_has_turn(7, 0, 0, 0)); /* where there is none */
}

/* The next poll waits as long as the reads of this one need, or almost an interval. */
static void a_poll_that_has_not_ended_keeps_the_next_one_waiting(void **state _unused_) {
    static const struct {
        uint64_t poll_sec;
        unsigned n_trails;
        uint64_t msec;
    } cases[] = {
        { 10, 0, 9375 },    { 10, 46, 9375 }, { 10, 47, 9400 },
        { 10, 100, 20000 }, { 1, 5, 1000 },   { 300, 100, 281250 },
    };

    for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
        Intervals i = intervals(cases[c].poll_sec);

        assert_int_equal(schedule_poll_usec(&i, cases[c].n_trails), cases[c].msec * MSEC);
    }
}

static void contested_trails_and_those_beside_them_are_polled_fast(void **state _unused_) {
    for (unsigned poll_sec = 1; poll_sec <= 3600; poll_sec = poll_sec * 3 + 1)
        for (unsigned n = 1; n <= 50; n++) {
            Intervals i = intervals(poll_sec);
            BesideTarget target = { .open = true, .n_contested = n };
            BesideTurn turn = schedule_beside(&i, &target, SEC);
            uint64_t contested = target.contested_due_usec - SEC, beside;

            assert_true(turn.contested && !turn.others);
            target.n_others = 1;
            turn = schedule_beside(&i, &target, SEC);
            beside = target.beside_due_usec - SEC;
            assert_true(!turn.contested && turn.others);
            assert_int_equal(contested, n * SCHEDULE_CONTESTED_TICK_USEC);
            assert_true(beside <= schedule_interval_usec(&i, n + 1));
            assert_true(beside <= (n + 1) * SEC);
            if (beside < schedule_interval_usec(&i, n + 1))
                assert_true(n * SEC / contested + (n + 1) * SEC / beside <= 5);
        }
}

static void settings_are_checked_in_the_nearest_pass(void **state _unused_) {
    Intervals i = intervals(10);
    ListPace list = { .outcome = LIST_READ, .n_trails = 1 };

    assert_true(schedule_settings_are_due(&i, 0, 1000 * SEC));
    assert_false(schedule_settings_are_due(&i, 1000 * SEC, 994 * SEC));
    assert_true(schedule_settings_are_due(&i, 1000 * SEC, 995 * SEC));
    assert_int_equal(schedule_list_due(&i, &list, 1000 * SEC), 1060 * SEC);
    list.n_trails = 0;
    assert_int_equal(schedule_list_due(&i, &list, 1000 * SEC), 1600 * SEC);
    i.settings_usec = 3600 * SEC;
    assert_int_equal(schedule_list_due(&i, &list, 1000 * SEC), 4600 * SEC);
}

static void a_list_that_was_not_asked_for_does_not_put_off_the_next(void **state _unused_) {
    static const struct {
        ListOutcome outcome;
        bool suspect, reported, waits;
    } cases[] = {
        { LIST_READ, false, false, true },       { LIST_READ, true, false, false },
        { LIST_FAILED, false, false, false },    { LIST_FAILED, false, true, true },
        { LIST_FAILED, true, true, true },       { LIST_NOT_ASKED, false, false, false },
        { LIST_NOT_ASKED, false, true, false }, /* it was never asked for again */
    };
    Intervals intervals = { .poll_usec = 10 * SEC, .settings_usec = 60 * SEC };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const ListPace list = { .outcome = cases[i].outcome,
                                .suspect = cases[i].suspect,
                                .reported = cases[i].reported,
                                .n_trails = 1,
                                .due_usec = 7 };

        assert_int_equal(schedule_list_due(&intervals, &list, SEC), cases[i].waits ? 61 * SEC : 7);
    }
}

static uint64_t second_list(const Intervals *intervals, uint64_t now_usec, uint32_t phase) {
    const ListPace list = { .outcome = LIST_READ, .n_trails = 1, .has_phase = true, .phase = phase };

    return schedule_list_due(intervals, &list, now_usec);
}

/* Ten thousand targets that start together: from the second time on, no second has many more of their
 * settings polls than another, and none comes later than the interval allows. */
static void settings_are_spread_from_the_second_time_on(void **state _unused_) {
    enum { ACCOUNTS = 600, REGIONS = 17, SLOTS = 60, EXPECTED = ACCOUNTS * REGIONS / SLOTS };
    Intervals i = intervals(10);
    unsigned counts[SLOTS] = { 0 };

    for (unsigned a = 0; a < ACCOUNTS; a++)
        for (unsigned r = 0; r < REGIONS; r++) {
            char account[16], region[16];
            uint64_t due;

            (void)snprintf(account, sizeof(account), "%012u", 100000007 * a);
            (void)snprintf(region, sizeof(region), "region-%u", r);
            due = second_list(&i, 1000 * SEC, schedule_phase(account, region));
            assert_between(due, 1000 * SEC + 1, 1060 * SEC);
            counts[(due - 1000 * SEC - 1) / SEC]++;
        }
    for (unsigned slot = 0; slot < SLOTS; slot++)
        assert_between(counts[slot], EXPECTED * 2 / 3, EXPECTED * 4 / 3);
}

/* All targets whose turn is in the same second of the round have theirs at different times. */
static void settings_are_spread_apart_from_the_turns(void **state _unused_) {
    Intervals i = intervals(10);
    uint64_t least = UINT64_MAX, most = 0;

    for (uint32_t phase = 0; phase < UINT32_MAX / 10; phase += UINT32_MAX / 1000) {
        uint64_t due = second_list(&i, 0, phase);

        least = MIN(least, due);
        most = MAX(most, due);
    }
    assert_between(most - least, 50 * SEC, 60 * SEC);
}

static void a_file_is_written_at_once_in_calm_times_and_takes_a_twentieth_of_a_storm(void **state _unused_) {
    uint64_t now = 1000 * SEC, began = now, paid = 0, busy = 0;

    assert_int_equal(schedule_file_pause(0, now), 0);
    for (unsigned i = 0; i < 3; i++) { /* a slow disk, and a few things that happen together */
        paid = schedule_file_written(paid, 80 * MSEC, now);
        assert_int_equal(schedule_file_pause(paid, now), 0);
    }
    paid = schedule_file_written(paid, 20 * MSEC, now);
    assert_int_equal(schedule_file_pause(paid, now), 200 * MSEC);
    now += 3600 * SEC;
    assert_int_equal(schedule_file_pause(paid, now), 0);

    for (began = now; now - began < 600 * SEC; busy += 40 * MSEC) {
        now += schedule_file_pause(paid, now) + 40 * MSEC;
        paid = schedule_file_written(paid, 40 * MSEC, now);
    }
    assert_between(busy, (now - began) / 21, (now - began) / 20 + SEC);

    paid = schedule_file_written(paid, UINT64_MAX, now);
    assert_int_equal(schedule_file_pause(paid, now), SCHEDULE_FILE_PAUSE_USEC);
}

/* The states of 17 regions, of a thousand and of ten thousand, as they are written by a slow machine. */
static void times_that_moved_on_cost_a_five_hundredth_and_are_written_in_the_end(void **state _unused_) {
    static const struct {
        uint64_t took_usec, min_sec, max_sec, pause_usec;
    } rows[] = {
        { 0, 0, 30, 0 },
        { 400, 0, 30, 200 * MSEC },
        { 20 * MSEC, 0, 30, 10 * SEC },
        { 500 * MSEC, 0, 30, 30 * SEC },
        { UINT64_MAX, 0, 30, 30 * SEC },
        { 400, 60, 600, 60 * SEC },
        { 400 * MSEC, 60, 600, 200 * SEC },
        { UINT64_MAX, 60, 600, 600 * SEC },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(
                schedule_file_calm_pause(rows[i].took_usec, rows[i].min_sec * SEC, rows[i].max_sec * SEC),
                rows[i].pause_usec);
}

static void a_turn_that_nothing_comes_of_wakes_nobody(void **state _unused_) {
    static const struct {
        TurnTarget target;
        uint64_t turn_sec;
        bool idle;
    } rows[] = {
        { { .due_usec = 600 * SEC }, 599, true },
        { { .due_usec = 600 * SEC }, 600, false },
        { { .due_usec = 0 }, 10, false },
        /* what ends until then may make it due */
        { { .due_usec = 600 * SEC, .under_way = true }, 10, false },
        { { .due_usec = 600 * SEC, .start_waits = true }, 10, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(schedule_turn_is_idle(&rows[i].target, rows[i].turn_sec * SEC), rows[i].idle);
}

static void nothing_wakes_for_times_that_moved_on(void **state _unused_) {
    static const struct {
        uint64_t due_sec, now_sec, wait_sec;
    } rows[] = { { 60, 60, 0 }, { 60, 61, 0 }, { 60, 59, 11 }, { 60, 0, 70 }, { 0, 0, 0 } };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(schedule_file_calm_wait(rows[i].due_sec * SEC, rows[i].now_sec * SEC),
                         rows[i].wait_sec * SEC);
}

static void the_list_of_accounts_is_read_again(void **state _unused_) {
    static const struct {
        unsigned n_failed;
        uint64_t refresh_sec, wait_sec;
    } rows[] = {
        { 0, 3600, 3600 }, { 1, 3600, 15 },    { 2, 3600, 30 }, { 5, 3600, 240 },
        { 6, 3600, 300 },  { 999, 3600, 300 }, { 5, 60, 60 },   { 1, 60, 15 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(schedule_list_wait(rows[i].n_failed, rows[i].refresh_sec * SEC),
                         rows[i].wait_sec * SEC);
}

static void so_many_checks_of_settings_are_under_way_at_once(void **state _unused_) {
    static const struct {
        size_t n_regions;
        unsigned each;
    } rows[] = { { 0, 16 }, { 1, 16 }, { 4, 16 }, { 5, 12 }, { 8, 8 }, { 16, 4 }, { 17, 4 }, { 1000, 4 } };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(schedule_checks_at_once(rows[i].n_regions), rows[i].each);
}

static void weak_baselines_come_one_by_one_while_they_are_few(void **state _unused_) {
    static const struct {
        uint64_t at_sec;
        bool singly;
    } rows[] = {
        { 100, true },   { 100, true },   { 101, true },   { 3000, true },  { 3600, true },
        { 3600, false }, { 3700, false }, { 3701, true },  { 3701, true },  { 7301, true },
        { 7301, true },  { 7301, true },  { 7301, false }, { 90000, true },
    };
    WeakPace pace = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (schedule_weak_singly(&pace, rows[i].at_sec * SEC) != rows[i].singly)
            fail_msg("row %zu", i);
}

/* Never a success while nothing answers; what is known to be unreachable does not hold it up. */
/* Three have messages of their own, the fortieth in the same hour has not; and what is summed up is not held
 * back for ever by more that comes. */
static void unaccepted_trails_are_summed_up(void **state _unused_) {
    UnacceptedPace pace = { 0 };
    uint64_t now = 1000 * SEC;

    assert_true(schedule_unaccepted_wait(&pace, now) == UINT64_MAX);
    for (unsigned i = 0; i < SCHEDULE_UNACCEPTED_SINGLY; i++) {
        assert_false(schedule_unaccepted_is_summed_up(&pace, now));
        schedule_unaccepted_reported(&pace, now);
        now += SEC;
    }
    assert_true(schedule_unaccepted_is_summed_up(&pace, now));
    pace.n_appeared = 1;
    assert_int_equal(schedule_unaccepted_wait(&pace, now), 5 * SEC);
    pace.n_gone = 40;
    assert_int_equal(schedule_unaccepted_wait(&pace, now), 5 * SEC);
    schedule_unaccepted_summed_up(&pace, now);
    assert_true(schedule_unaccepted_wait(&pace, now) == UINT64_MAX);
    pace.n_gone = 1;
    assert_int_equal(schedule_unaccepted_wait(&pace, now + 40 * SEC), 260 * SEC);
    assert_int_equal(schedule_unaccepted_wait(&pace, now + 298 * SEC), 5 * SEC);
    assert_int_equal(schedule_unaccepted_wait(&pace, now + 3000 * SEC), 5 * SEC);
    assert_true(schedule_unaccepted_is_summed_up(&pace, 1000 * SEC + 3600 * SEC));
    assert_false(schedule_unaccepted_is_summed_up(&pace, 1001 * SEC + 3600 * SEC));
}

static void when_a_mark_is_on_the_disk(void **state _unused_) {
    assert_true(schedule_mark_is_unsaved(5, 0, 9)); /* nothing is */
    assert_false(schedule_mark_is_unsaved(5, 6, 9));
    assert_true(schedule_mark_is_unsaved(6, 6, 9));
    assert_true(schedule_mark_is_unsaved(7, 6, 9));
    assert_false(schedule_mark_is_unsaved(5, 9, 9));
    assert_true(schedule_mark_is_unsaved(5, 10, 9)); /* the clock was set back */
}

static void an_unaccepted_trail_appears_once(void **state _unused_) {
    UnacceptedPace pace = { 0 };

    assert_true(schedule_unaccepted_count(&pace, false, false));
    assert_false(schedule_unaccepted_count(&pace, true, false));
    assert_true(pace.n_appeared == 1 && pace.n_gone == 0);
    assert_true(schedule_unaccepted_count(&pace, true, true));
    assert_true(pace.n_appeared == 1 && pace.n_gone == 1);
    assert_true(schedule_unaccepted_count(&pace, false, true));
    assert_true(pace.n_appeared == 2 && pace.n_gone == 2);
}

static void what_of_a_target_counts_in_a_pass(void **state) {
    static const struct {
        PassTarget target;
        PassCount count;
    } rows[] = {
        { { .polled = true }, { .n_targets = 1, .n_answered = 1 } },
        { { .polled = true, .n_failed = 1 }, { .n_targets = 1 } },
        { { .polled = false }, { .n_targets = 1 } }, /* not since the start */
        { { .unreachable = true, .n_failed = 3 }, { .n_targets = 1, .n_unreachable = 1 } },
        /* its account is reported: an old answer of the region is none */
        { { .unreachable = true, .polled = true }, { .n_targets = 1, .n_unreachable = 1 } },
        { { .not_enabled = true, .polled = true }, { 0 } },
        { { .not_enabled = true, .unreachable = true }, { 0 } },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        PassCount count = { 0 };

        schedule_count_target(&count, &rows[i].target);
        if (count.n_targets != rows[i].count.n_targets || count.n_answered != rows[i].count.n_answered ||
            count.n_unreachable != rows[i].count.n_unreachable)
            fail_msg("row %zu", i);
    }
}

static void when_a_target_is_polled_beside_a_poll_that_does_not_end(void **state) {
    static const Intervals intervals = { .poll_usec = 10 * SEC,
                                         .settings_usec = 60 * SEC,
                                         .unreachable_after = 3 };
    static const struct {
        PollChance chance;
        bool may;
    } rows[] = {
        { { .open = true }, true },
        { { .open = false }, false },
        { { .open = true, .n_failed = 99 }, true }, /* back-off is for others to know */
        { { .open = true, .under_way = true, .age_usec = 9 * SEC, .n_polled = 1 }, false },
        { { .open = true, .under_way = true, .age_usec = 10 * SEC, .n_polled = 1 }, true },
        { { .open = true, .under_way = true, .age_usec = 10 * SEC, .n_polled = 1, .n_failed = 2 }, true },
        /* nothing answers: one poll waits for it, not one more each turn */
        { { .open = true, .under_way = true, .age_usec = 10 * SEC, .n_polled = 1, .n_failed = 3 }, false },
        /* the earlier one has so many reads that it needs more than an interval */
        { { .open = true, .under_way = true, .age_usec = 10 * SEC, .n_polled = 1000 }, false },
        /* whether the region is enabled is being asked */
        { { .open = true, .region_asked = true }, false },
        { { .open = true, .region_asked = true, .has_trails = true }, true },
        { { .open = false, .region_asked = true, .has_trails = true }, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (schedule_may_poll(&intervals, &rows[i].chance) != rows[i].may)
            fail_msg("row %zu", i);
}

static void test_pass_result(void **state) {
    static const struct {
        PassCount count;
        PassResult result;
    } cases[] = {
        { { .n_targets = 0 }, PASS_INCOMPLETE },
        { { .n_targets = 3, .n_answered = 3 }, PASS_COMPLETE },
        { { .n_targets = 3, .n_answered = 2 }, PASS_INCOMPLETE },
        { { .n_targets = 3, .n_answered = 2, .n_unreachable = 1 }, PASS_COMPLETE },
        { { .n_targets = 3, .n_answered = 1, .n_unreachable = 1 }, PASS_INCOMPLETE },
        { { .n_targets = 3, .n_unreachable = 2 }, PASS_INCOMPLETE },
        { { .n_targets = 3, .n_unreachable = 3 }, PASS_UNREACHABLE },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (schedule_pass_result(&cases[i].count) != cases[i].result)
            fail_msg("case %zu", i);
}

static void how_many_calls_a_check_of_settings_makes(void **state _unused_) {
    assert_int_equal(schedule_settings_calls(true, true), 4);
    assert_int_equal(schedule_settings_calls(false, true), 3);
    assert_int_equal(schedule_settings_calls(true, false), 3);
    assert_int_equal(schedule_settings_calls(false, false), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unaccepted_trails_are_summed_up),
        cmocka_unit_test(an_unaccepted_trail_appears_once),
        cmocka_unit_test(when_a_mark_is_on_the_disk),
        cmocka_unit_test(what_of_a_target_counts_in_a_pass),
        cmocka_unit_test(when_a_target_is_polled_beside_a_poll_that_does_not_end),
        cmocka_unit_test(test_pass_result),
        cmocka_unit_test(so_many_checks_of_settings_are_under_way_at_once),
        cmocka_unit_test(weak_baselines_come_one_by_one_while_they_are_few),
        cmocka_unit_test(times_that_moved_on_cost_a_five_hundredth_and_are_written_in_the_end),
        cmocka_unit_test(a_turn_that_nothing_comes_of_wakes_nobody),
        cmocka_unit_test(nothing_wakes_for_times_that_moved_on),
        cmocka_unit_test(the_list_of_accounts_is_read_again),
        cmocka_unit_test(turns_are_one_interval_apart_at_most),
        cmocka_unit_test(a_target_has_its_place),
        cmocka_unit_test(places_are_spread_evenly),
        cmocka_unit_test(an_unreachable_target_is_left_alone_for_longer),
        cmocka_unit_test(a_region_that_is_off_is_asked_daily),
        cmocka_unit_test(polls_stretch_to_five_reads_a_second),
        cmocka_unit_test(a_turn_waits_for_reads),
        cmocka_unit_test(a_poll_that_has_not_ended_keeps_the_next_one_waiting),
        cmocka_unit_test(stretched_polls_are_news_when_they_differ_by_a_quarter),
        cmocka_unit_test(calls_are_counted_as_they_are_limited),
        cmocka_unit_test(what_people_care_about_is_polled_first),
        cmocka_unit_test(what_nobody_accepted_has_a_small_share),
        cmocka_unit_test(contested_trails_and_those_beside_them_are_polled_fast),
        cmocka_unit_test(settings_are_checked_in_the_nearest_pass),
        cmocka_unit_test(a_list_that_was_not_asked_for_does_not_put_off_the_next),
        cmocka_unit_test(settings_are_spread_from_the_second_time_on),
        cmocka_unit_test(settings_are_spread_apart_from_the_turns),
        cmocka_unit_test(a_file_is_written_at_once_in_calm_times_and_takes_a_twentieth_of_a_storm),
        cmocka_unit_test(how_many_calls_a_check_of_settings_makes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
