/* SPDX-License-Identifier: Apache-2.0 */
/* When settings that cannot be read are a finding, in tables of cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/core/scope.h"
#include "lib/util/macros.h"

static void what_one_call_means(void **state _unused_) {
    static const struct {
        ReadResult result;
        unsigned n_before, unreachable_after, n_after;
        ReadMeaning meaning;
    } rows[] = {
        { { .what = UNREADABLE_TAGS }, 0, 3, 0, { .readable = true } },
        { { .what = UNREADABLE_TAGS, .failed = true }, 0, 3, 1, { .reported = true } },
        { { .what = UNREADABLE_TAGS, .failed = true }, 1, 3, 2, { 0 } },
        { { .what = UNREADABLE_TAGS, .failed = true }, 2, 3, 3, { .unreadable = true } },
        { { .what = UNREADABLE_TAGS, .failed = true }, 3, 3, 4, { .unreadable = true } },
        { { .what = UNREADABLE_TAGS, .failed = true }, 0, 1, 1, { .reported = true, .unreadable = true } },
        { { .what = UNREADABLE_TAGS }, 1, 3, 0, { .reported = true, .readable = true } },
        { { .what = UNREADABLE_TAGS }, 7, 3, 0, { .reported = true, .readable = true } },
        { { .what = UNREADABLE_TAGS, .failed = true, .denied = true }, 1, 3, 2, { .denied = true } },
        /* what answers does not have the call, and what it would show was never recorded */
        { { .what = UNREADABLE_TAGS, .failed = true, .unsupported = true },
          0,
          3,
          0,
          { .not_shown = true, .readable = true } },
        { { .what = UNREADABLE_SELECTORS, .failed = true, .unsupported = true, .recorded = true },
          2,
          3,
          3,
          { .unreadable = true } },
        { { .what = UNREADABLE_TAGS, .failed = true, .denied = true, .foreign = true },
          2,
          3,
          3,
          { .unreadable = true, .denied = true } },
        /* the event configuration is not there in every partition, and members of an organization may not
           read it */
        { { .what = UNREADABLE_CONFIGURATION, .failed = true, .unsupported = true },
          0,
          3,
          0,
          { .not_shown = true, .readable = true } },
        { { .what = UNREADABLE_CONFIGURATION, .failed = true, .foreign = true, .denied = true },
          0,
          3,
          0,
          { .not_shown = true, .readable = true } },
        { { .what = UNREADABLE_CONFIGURATION, .failed = true, .denied = true },
          2,
          3,
          3,
          { .unreadable = true, .denied = true } },
        { { .what = UNREADABLE_CONFIGURATION, .failed = true, .foreign = true },
          2,
          3,
          3,
          { .unreadable = true } },
        /* ... unless it was there */
        { { .what = UNREADABLE_CONFIGURATION, .failed = true, .unsupported = true, .recorded = true },
          2,
          3,
          3,
          { .unreadable = true } },
        { { .what = UNREADABLE_CONFIGURATION, .unsupported = true }, 0, 3, 0, { .readable = true } },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        unsigned n = rows[i].n_before;
        uint8_t logged = n > 0 ? (uint8_t)(1u << rows[i].result.what) : 0;
        ReadMeaning meaning = unreadable_take(&rows[i].result, rows[i].unreachable_after, &n, &logged);

        if (n != rows[i].n_after || meaning.not_shown != rows[i].meaning.not_shown ||
            meaning.unreadable != rows[i].meaning.unreadable ||
            meaning.readable != rows[i].meaning.readable || meaning.denied != rows[i].meaning.denied ||
            (!meaning.not_shown && meaning.reported != rows[i].meaning.reported))
            fail_msg("row %zu", i);
    }
}

/* A trail that is deleted while its settings are read is not unreadable; one that stays unfound is. */
static void a_trail_that_is_not_found(void **state _unused_) {
    const ReadResult gone = { .what = UNREADABLE_TAGS, .failed = true, .gone = true },
                     read = { .what = UNREADABLE_TAGS },
                     denied = { .what = UNREADABLE_TAGS, .failed = true, .denied = true };
    uint8_t logged = 1u << UNREADABLE_SELECTORS;
    unsigned n = 0;
    ReadMeaning meaning = unreadable_take(&gone, 1, &n, &logged);

    assert_false(meaning.reported || meaning.unreadable || meaning.readable);
    meaning = unreadable_take(&read, 1, &n, &logged);
    assert_true(meaning.readable && !meaning.reported);
    assert_int_equal(n, 0);

    (void)unreadable_take(&gone, 2, &n, &logged);
    meaning = unreadable_take(&gone, 2, &n, &logged);
    assert_true(meaning.reported && meaning.unreadable);
    meaning = unreadable_take(&gone, 2, &n, &logged);
    assert_true(!meaning.reported && meaning.unreadable);
    meaning = unreadable_take(&read, 2, &n, &logged);
    assert_true(meaning.reported && meaning.readable);

    (void)unreadable_take(&gone, 3, &n, &logged);
    meaning = unreadable_take(&denied, 3, &n, &logged);
    assert_true(meaning.reported && meaning.denied && !meaning.unreadable);
    assert_int_equal(logged, 1u << UNREADABLE_SELECTORS | 1u << UNREADABLE_TAGS);
}

static void what_was_held_back_is_news_in_a_check_only(void **state _unused_) {
    assert_true(scope_is_no_news(true, false));
    assert_false(scope_is_no_news(true, true));
    assert_false(scope_is_no_news(false, false));
    assert_false(scope_is_no_news(false, true));
}

static void what_is_read_again_before_it_is_due(void **state _unused_) {
    static const struct {
        unsigned n_failed[_UNREADABLE_MAX];
        Field recorded; /* _FIELD_MAX: nothing is */
        bool soon;
    } rows[] = {
        { { 0 }, _FIELD_MAX, false },
        { { [UNREADABLE_TAGS] = 1 }, _FIELD_MAX, true },
        { { [UNREADABLE_TAGS] = 2 }, _FIELD_MAX, true },
        { { [UNREADABLE_TAGS] = 3 }, _FIELD_MAX, false },
        { { [UNREADABLE_TAGS] = 3, [UNREADABLE_INSIGHTS] = 1 }, _FIELD_MAX, true },
        { { [UNREADABLE_SELECTORS] = 1 }, _FIELD_MAX, true },
        { { [UNREADABLE_CONFIGURATION] = 1 }, _FIELD_MAX, true },
        /* what is recorded is compared when it is due */
        { { [UNREADABLE_TAGS] = 1 }, FIELD_TAGS, false },
        { { [UNREADABLE_TAGS] = 1 }, FIELD_SELECTORS, true },
        { { [UNREADABLE_SELECTORS] = 1 }, FIELD_SELECTORS, false },
        { { [UNREADABLE_INSIGHTS] = 1 }, FIELD_INSIGHTS, false },
        { { [UNREADABLE_CONFIGURATION] = 1 }, FIELD_CONFIGURATION, false },
        /* bucket and key are no part of the baseline */
        { { [UNREADABLE_BUCKET] = 1, [UNREADABLE_KEY] = 1 }, _FIELD_MAX, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Settings baseline = { 0 };

        baseline.values[rows[i].recorded] = (char *)"{}";
        if (unreadable_are_wanted_soon(&baseline, rows[i].n_failed, 3) != rows[i].soon)
            fail_msg("row %zu", i);
    }
}

static void what_is_read_of_a_bucket_needs_no_recording(void **state _unused_) {
    Settings baseline = { 0 };

    for (Unreadable u = 0; u < _UNREADABLE_MAX; u++)
        assert_int_equal(unreadable_is_recorded(&baseline, u), u >= UNREADABLE_BUCKET);
    baseline.values[FIELD_TAGS] = (char *)"{}";
    assert_true(unreadable_is_recorded(&baseline, UNREADABLE_TAGS));
    assert_false(unreadable_is_recorded(&baseline, UNREADABLE_SELECTORS));
}

#define BUCKET    FINDING_BIT(FINDING_BUCKET)
#define LIFECYCLE FINDING_BIT(FINDING_LIFECYCLE)
#define KEY_      FINDING_BIT(FINDING_KEY)

static void what_a_check_of_the_bucket_can_judge(void **state _unused_) {
    static const struct {
        BucketRead read;
        uint32_t judged;
    } rows[] = {
        { { .found = true }, BUCKET | LIFECYCLE | KEY_ },
        { { .found = false, .trouble = true }, BUCKET | KEY_ }, /* it is gone */
        { { .found = false, .unread[UNREADABLE_BUCKET] = true }, KEY_ },
        { { .found = true, .unread[UNREADABLE_POLICY] = true }, LIFECYCLE | KEY_ },
        { { .found = true, .trouble = true, .unread[UNREADABLE_POLICY] = true }, BUCKET | LIFECYCLE | KEY_ },
        { { .found = true, .unread[UNREADABLE_LIFECYCLE] = true }, BUCKET | KEY_ },
        { { .found = true, .unread[UNREADABLE_KEY] = true }, BUCKET | LIFECYCLE },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (unreadable_judges(&rows[i].read) != rows[i].judged)
            fail_msg("row %zu", i);
}

static void what_is_asked_of_a_bucket_that_is_not_found(void **state _unused_) {
    for (Unreadable u = UNREADABLE_BUCKET; u < _UNREADABLE_MAX; u++) {
        assert_true(unreadable_was_asked(&(BucketRead){ .found = true }, u));
        assert_int_equal(unreadable_was_asked(&(BucketRead){ .found = false }, u),
                         u == UNREADABLE_BUCKET || u == UNREADABLE_KEY);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_call_means),
        cmocka_unit_test(a_trail_that_is_not_found),
        cmocka_unit_test(what_was_held_back_is_news_in_a_check_only),
        cmocka_unit_test(what_is_read_again_before_it_is_due),
        cmocka_unit_test(what_a_check_of_the_bucket_can_judge),
        cmocka_unit_test(what_is_asked_of_a_bucket_that_is_not_found),
        cmocka_unit_test(what_is_read_of_a_bucket_needs_no_recording),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
