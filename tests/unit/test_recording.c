/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a baseline, in tables of cases: when its file is read, what is recorded, and what is news. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/core/baseline.h"
#include "lib/util/macros.h"

static void when_the_file_is_read(void **state _unused_) {
    static const struct {
        Recording known;
        bool unchanged, is_there, current;
    } rows[] = {
        { { 0 }, true, true, false },
        { { .loaded = true }, true, true, true },
        { { .loaded = true, .recorded = true }, true, true, true },
        { { .loaded = true, .recorded = true }, false, true, false },
        { { .loaded = true }, false, false, false },
        /* none was there, and none is */
        { { .loaded = true }, true, false, true },
        /* it was lost */
        { { .loaded = true, .recorded = true }, true, false, false },
        /* it was never written */
        { { .loaded = true, .recorded = true, .unsaved = true }, true, false, true },
        { { .loaded = true, .recorded = true, .provisional = true }, true, false, true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (recording_is_current(&rows[i].known, rows[i].unchanged, rows[i].is_there) != rows[i].current)
            fail_msg("row %zu", i);
}

static void what_a_check_of_settings_may_do_to_the_baseline(void **state _unused_) {
    static const struct {
        Recording known;
        bool due, watches, rewritten, grows;
    } rows[] = {
        /* before the file was read nothing is recorded: it may have another baseline */
        { .known = { 0 } },
        { .known = { .provisional = true } },
        { .known = { .loaded = true }, .due = true },
        { .known = { .loaded = true, .provisional = true }, .watches = true },
        { .known = { .loaded = true, .recorded = true }, .rewritten = true, .grows = true },
        { .known = { .recorded = true }, .rewritten = true, .grows = true },
        { .known = { .loaded = true, .recorded = true, .unsaved = true },
          .due = true,
          .rewritten = true,
          .grows = true },
        /* settings that nobody has accepted are told by, and neither written nor added to */
        { .known = { .loaded = true, .recorded = true, .provisional = true } },
        /* the return of a trail that may be gone begins from the start */
        { .known = { .loaded = true, .gone = true }, .due = true },
        { .known = { .loaded = true, .recorded = true, .gone = true }, .rewritten = true },
        /* `check` shows */
        { .known = { .loaded = true, .shows = true } },
        { .known = { .loaded = true, .provisional = true, .shows = true } },
        { .known = { .loaded = true, .recorded = true, .shows = true } },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (recording_is_due(&rows[i].known) != rows[i].due ||
            recording_watches(&rows[i].known) != rows[i].watches ||
            recording_is_rewritten(&rows[i].known) != rows[i].rewritten ||
            recording_grows(&rows[i].known) != rows[i].grows)
            fail_msg("row %zu", i);
}

static void an_accepted_end_ends_the_guard_when_the_trail_is_gone(void **state _unused_) {
    static const uint32_t missing = FINDING_BIT(FINDING_MISSING), stopped = FINDING_BIT(FINDING_STOPPED);
    static const struct {
        bool gone, listed;
        uint32_t findings;
        bool lets_go;
    } rows[] = {
        { true, false, missing, true },
        { true, false, missing | stopped, true },
        { true, true, missing, false }, /* it is back */
        { true, false, stopped, false }, /* only its list does not show it */
        { true, false, 0, false },
        { false, false, missing, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(recording_lets_go(&(Recording){ .gone = rows[i].gone }, rows[i].listed,
                                           rows[i].findings),
                         rows[i].lets_go);
}

#define S(n) ((n) * USEC_PER_SEC)

static void which_acceptance_is_news(void **state _unused_) {
    static const struct {
        Acceptance read;
        bool news;
    } rows[] = {
        { { .recorded_usec = S(200), .before_usec = S(100), .started_usec = S(300) }, true },
        { { .recorded_usec = S(100), .before_usec = S(100), .started_usec = S(50) }, false },
        /* an old file put back is no acceptance */
        { { .recorded_usec = S(90), .before_usec = S(100), .started_usec = S(50) }, false },
        { { .recorded_usec = S(200), .by_guard = true, .before_usec = S(100) }, false },
        { { .recorded_usec = S(400), .by_guard = true, .started_usec = S(300) }, false },
        /* without one before it: since the start, which is within a second */
        { { .recorded_usec = S(200), .started_usec = S(300) }, false },
        { { .recorded_usec = S(301), .started_usec = S(300) + 999999 }, true },
        { { .recorded_usec = S(300), .started_usec = S(300) + 999999 }, false },
        { { .recorded_usec = S(300), .started_usec = S(299) + 1 }, true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (recording_is_news(&rows[i].read) != rows[i].news)
            fail_msg("row %zu", i);
}

static void which_recording_a_crash_may_have_cut_short(void **state _unused_) {
    assert_true(recording_was_cut_short(&(Acceptance){ .recorded_usec = S(200), .by_guard = true }));
    assert_true(recording_was_cut_short(
            &(Acceptance){ .recorded_usec = S(200), .by_guard = true, .before_usec = S(100) }));
    assert_false(recording_was_cut_short(
            &(Acceptance){ .recorded_usec = S(200), .by_guard = true, .before_usec = S(200) }));
    /* an old file put back */
    assert_false(recording_was_cut_short(
            &(Acceptance){ .recorded_usec = S(90), .by_guard = true, .before_usec = S(100) }));
    assert_false(recording_was_cut_short(&(Acceptance){ .recorded_usec = S(200), .before_usec = S(100) }));
}

static void what_is_added_to_a_baseline(void **state _unused_) {
    static const struct {
        Field field;
        const char *recorded, *seen;
        Addition addition;
    } rows[] = {
        { FIELD_TAGS, NULL, NULL, ADDITION_NONE },
        { FIELD_TAGS, "{}", NULL, ADDITION_NONE },
        { FIELD_TAGS, NULL, "{}", ADDITION_FIELD },
        { FIELD_RECURSIVE, NULL, "false", ADDITION_FIELD },
        { FIELD_BUCKET, "logs", "logs", ADDITION_NONE },
        { FIELD_BUCKET, "logs", "evil", ADDITION_NONE }, /* a change */
        /* members of Trail that this version does not know: that there are none is nothing to record */
        { FIELD_UNKNOWN, NULL, "{}", ADDITION_NONE },
        { FIELD_UNKNOWN, NULL, "{\"Shape\":\"round\"}", ADDITION_FIELD },
        { FIELD_UNKNOWN, "{\"Shape\":\"round\"}", "{\"Shape\":\"round\",\"Size\":3}", ADDITION_MEMBERS },
        { FIELD_UNKNOWN, "{\"Shape\":\"round\"}", "{\"Shape\":\"flat\"}", ADDITION_NONE },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (recording_addition(rows[i].field, rows[i].recorded, rows[i].seen) != rows[i].addition)
            fail_msg("row %zu", i);
}

static void an_addition_is_reported_when_it_makes_the_baseline_weaker(void **state _unused_) {
    assert_true(recording_is_weaker("", "covers a single region only", 1));
    assert_true(recording_is_weaker("a", "a; b", 2));
    assert_false(recording_is_weaker("a", "a", 1));
    assert_false(recording_is_weaker("a", "", 0));
    assert_false(recording_is_weaker("a", "", -1)); /* without memory it cannot be said */
}

static void what_an_action_makes_stale(void **state _unused_) {
    static const struct {
        Action action;
        bool checked, was_stale, stale;
    } rows[] = {
        { ACTION_RESTORE, true, false, true },
        { ACTION_RECREATE, true, false, true },
        { ACTION_RESTART, true, false, false }, /* writes no settings */
        { ACTION_RESTART, true, true, true },   /* the same check is still under way */
        { ACTION_RESTORE, true, true, true },
        { ACTION_RESTORE, false, false, false },
        { ACTION_RESTART, false, true, false }, /* it was ended */
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (recording_makes_stale(rows[i].action, rows[i].checked, rows[i].was_stale) != rows[i].stale)
            fail_msg("row %zu", i);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(when_the_file_is_read),
        cmocka_unit_test(what_a_check_of_settings_may_do_to_the_baseline),
        cmocka_unit_test(an_accepted_end_ends_the_guard_when_the_trail_is_gone),
        cmocka_unit_test(which_acceptance_is_news),
        cmocka_unit_test(which_recording_a_crash_may_have_cut_short),
        cmocka_unit_test(what_is_added_to_a_baseline),
        cmocka_unit_test(an_addition_is_reported_when_it_makes_the_baseline_weaker),
        cmocka_unit_test(what_an_action_makes_stale),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
