/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/rate_limiter.h"
#include "lib/util/macros.h"

#define SEC  USEC_PER_SEC
#define MSEC USEC_PER_MSEC
#define NOW  (1000 * SEC)
#define ANY  (RATE_NEVER - 1)

static const struct {
    RateClass class;
    uint64_t gap_usec, aws_gap_usec, slowest_gap_usec;
    unsigned burst, aws_burst;
} classes[] = {
    { RATE_READ, 200 * MSEC, 100 * MSEC, 800 * MSEC, 5, 10 },
    { RATE_LIST, 500 * MSEC, 100 * MSEC, SEC, 2, 10 },
    { RATE_LOOKUP, SEC, 500 * MSEC, 4 * SEC, 1, 2 },
    { RATE_WRITE, 1500 * MSEC, SEC, 3 * SEC, 1, 1 },
    { RATE_START, 1050 * MSEC, SEC, 2100 * MSEC, 1, 1 },
    { RATE_OTHER, 20 * MSEC, 0, 160 * MSEC, 100, 0 },
};

static void classes_are_those_of_the_quota(void **state _unused_) {
    static const struct {
        const char *operation;
        RateClass class;
    } cases[] = {
        { "GetTrailStatus", RATE_READ },     { "DescribeTrails", RATE_LIST },
        { "ListTags", RATE_READ },           { "LookupEvents", RATE_LOOKUP },
        { "StartLogging", RATE_START },      { "UpdateTrail", RATE_WRITE },
        { "PutEventSelectors", RATE_WRITE }, { "CreateTrail", RATE_WRITE },
        { "AddTags", RATE_WRITE },           { "Lookup", RATE_WRITE },
        { "getTrailStatus", RATE_WRITE },    { "", RATE_WRITE },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(rate_class_of(cases[i].operation), cases[i].class);
}

static void a_bunch_and_then_one_a_gap(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        TokenBucket p = TOKEN_BUCKET_INIT(classes[i].class);

        for (unsigned n = 0; n < classes[i].burst; n++)
            assert_int_equal(token_bucket_take(&p, NOW, ANY), 0);
        for (unsigned n = 1; n < 10; n++)
            assert_int_equal(token_bucket_take(&p, NOW, ANY), n * classes[i].gap_usec);
        /* Idle for a gap, and there is one more; for long, and the bunch is there again, no larger. */
        assert_int_equal(token_bucket_take(&p, NOW + 10 * classes[i].gap_usec, ANY), 0);
        for (unsigned n = 0; n < classes[i].burst; n++)
            assert_int_equal(token_bucket_take(&p, NOW + 3600 * SEC, ANY), 0);
        assert_int_equal(token_bucket_take(&p, NOW + 3600 * SEC, ANY), classes[i].gap_usec);
    }
}

/* Clocks begin somewhere, also at 0. */
static void time_may_be_small(void **state _unused_) {
    TokenBucket p = TOKEN_BUCKET_INIT(RATE_READ);

    assert_int_equal(token_bucket_take(&p, 0, ANY), 0);
    assert_int_equal(token_bucket_take(&p, 0, ANY), 200 * MSEC);
    assert_int_equal(token_bucket_take(&p, 100 * MSEC, ANY), 300 * MSEC);
    token_bucket_give_back(&p, p.epoch);
    token_bucket_give_back(&p, p.epoch);
    token_bucket_give_back(&p, p.epoch);
    token_bucket_give_back(&p, p.epoch);
    assert_int_equal(token_bucket_take(&p, 100 * MSEC, ANY), 0);
}

static void a_limit_takes_nothing(void **state _unused_) {
    TokenBucket p = TOKEN_BUCKET_INIT(RATE_WRITE);

    assert_int_equal(token_bucket_take(&p, NOW, 0), 0);
    assert_true(token_bucket_take(&p, NOW, 1500 * MSEC - 1) == RATE_NEVER);
    assert_true(token_bucket_take(&p, NOW, 0) == RATE_NEVER);
    assert_int_equal(token_bucket_take(&p, NOW, 1500 * MSEC), 1500 * MSEC);
}

static void a_turn_given_back_serves_the_next(void **state _unused_) {
    TokenBucket p = TOKEN_BUCKET_INIT(RATE_WRITE);
    unsigned epoch;

    assert_int_equal(token_bucket_take(&p, NOW, ANY), 0);
    assert_int_equal(token_bucket_take(&p, NOW, ANY), 1500 * MSEC);
    token_bucket_give_back(&p, p.epoch);
    assert_int_equal(token_bucket_take(&p, NOW, ANY), 1500 * MSEC);

    /* ... but not one that is void. */
    epoch = p.epoch;
    token_bucket_throttled(&p, NOW, NOW);
    token_bucket_give_back(&p, epoch);
    assert_int_equal(token_bucket_take(&p, NOW, ANY), 3 * SEC);
}

/* Whatever is asked whenever, AWS's own bucket, which holds one second's worth, never runs dry, with room
 * for as much again by others on average. */
static void stays_below_the_quota(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        TokenBucket p = TOKEN_BUCKET_INIT(classes[i].class);
        uint64_t now = NOW, sent, aws = 0, random = 12345;

        if (classes[i].aws_gap_usec == 0)
            continue;
        for (unsigned n = 0; n < 2000; n++) {
            uint64_t least;

            random = random * 6364136223846793005ULL + 1442695040888963407ULL;
            if (random >> 62 == 0)
                now += (random >> 33) % (5 * SEC);
            sent = now + token_bucket_take(&p, now, ANY);
            now = MAX(now, sent - MIN(sent, 10 * SEC));
            /* aws: when its bucket would be full again */
            aws = MAX(aws, sent) + classes[i].aws_gap_usec;
            least = sent + classes[i].aws_burst * classes[i].aws_gap_usec;
            assert_true(aws <= least);
        }
    }
}

static void throttling_halves_down_to_a_floor(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        TokenBucket p = TOKEN_BUCKET_INIT(classes[i].class);
        uint64_t now = NOW, gap = classes[i].gap_usec;

        for (unsigned n = 0; n < 10; n++) {
            assert_int_equal(token_bucket_take(&p, now, 0), 0);
            token_bucket_throttled(&p, now, now);
            gap = MIN(2 * gap, classes[i].slowest_gap_usec);
            /* Not even the first comes at once, and no bunch is saved up while it is slow. */
            assert_int_equal(token_bucket_take(&p, now, ANY), gap);
            now += 1000 * SEC;
            assert_int_equal(token_bucket_take(&p, now, ANY), 0);
            assert_int_equal(token_bucket_take(&p, now, ANY), gap);
            now += 1000 * SEC;
        }
    }
}

/* One look of ten calls that all are throttled is one reason to slow down, not ten. */
static void throttling_counts_once_a_round(void **state _unused_) {
    TokenBucket p = TOKEN_BUCKET_INIT(RATE_READ);
    unsigned epoch = p.epoch;

    for (unsigned n = 0; n < 10; n++)
        token_bucket_throttled(&p, NOW, NOW + SEC + n);
    assert_int_equal(p.share, RATE_WHOLE / 2);
    assert_int_equal(p.epoch, epoch + 1);
    token_bucket_throttled(&p, NOW + SEC, NOW + 2 * SEC);
    assert_int_equal(p.share, RATE_WHOLE / 4);
    assert_int_equal(p.epoch, epoch + 2);
}

static void success_wins_the_rate_back(void **state _unused_) {
    TokenBucket p = TOKEN_BUCKET_INIT(RATE_READ);
    unsigned n = 0;

    for (unsigned i = 0; i < 5; i++)
        token_bucket_throttled(&p, NOW + i, NOW + i);
    assert_int_equal(p.share, RATE_WHOLE / 4);
    while (p.share < RATE_WHOLE) {
        unsigned before = p.share;

        token_bucket_succeeded(&p);
        assert_int_equal(p.share, before + RATE_WHOLE / 16);
        n++;
    }
    assert_int_equal(n, 12);
    token_bucket_succeeded(&p);
    assert_int_equal(p.share, RATE_WHOLE);
    assert_int_equal(token_bucket_take(&p, NOW + 100 * SEC, ANY), 0);
    assert_int_equal(token_bucket_take(&p, NOW + 100 * SEC, ANY), 0);
}

/* ---- the table ---- */

static void buckets_are_kept_apart(void **state _unused_) {
    RateLimiter table = { 0 };
    RateBucket *buckets[2][_RATE_CLASS_MAX];
    const char owners[2] = { 0 };

    for (unsigned o = 0; o < 2; o++)
        for (unsigned c = 0; c < _RATE_CLASS_MAX; c++) {
            buckets[o][c] = rate_bucket_get(&table, &owners[o], (RateClass)c);
            assert_non_null(buckets[o][c]);
            assert_int_equal(buckets[o][c]->tokens.class, c);
            assert_false(buckets[o][c]->down);
        }
    assert_int_equal(table.n, 2 * _RATE_CLASS_MAX);
    for (unsigned o = 0; o < 2; o++)
        for (unsigned c = 0; c < _RATE_CLASS_MAX; c++) {
            assert_ptr_equal(rate_bucket_get(&table, &owners[o], (RateClass)c), buckets[o][c]);
            assert_int_equal(buckets[o][c]->n_users, 2);
            rate_bucket_put(buckets[o][c]);
            rate_bucket_put(buckets[o][c]);
        }
    assert_int_equal(table.n, 2 * _RATE_CLASS_MAX);
    rate_limiter_done(&table);
    for (unsigned i = 0; i < RATE_CHAINS; i++)
        assert_null(table.chains[i]);
}

/* The ceiling holds for what is not in use; what is in use outlives everything. */
static void the_least_recently_used_goes_first(void **state _unused_) {
    static const char owners[RATE_BUCKETS_MAX + 10];
    RateLimiter table = { 0 };
    RateBucket *used, *recent, *bucket;

    used = rate_bucket_get(&table, &owners[0], RATE_READ);
    recent = rate_bucket_get(&table, &owners[1], RATE_READ);
    recent->down = true;
    rate_bucket_put(recent);
    for (unsigned i = 2; i < RATE_BUCKETS_MAX; i++)
        rate_bucket_put(rate_bucket_get(&table, &owners[i], RATE_READ));
    assert_int_equal(table.n, RATE_BUCKETS_MAX);
    rate_bucket_put(rate_bucket_get(&table, &owners[1], RATE_READ));

    for (unsigned i = RATE_BUCKETS_MAX; i < RATE_BUCKETS_MAX + 10; i++) {
        rate_bucket_put(rate_bucket_get(&table, &owners[i], RATE_READ));
        assert_int_equal(table.n, RATE_BUCKETS_MAX);
    }
    bucket = rate_bucket_get(&table, &owners[1], RATE_READ);
    assert_true(bucket->down);
    rate_bucket_put(bucket);
    assert_int_equal(used->n_users, 1);
    rate_bucket_put(used);
    rate_limiter_done(&table);
}

static void buckets_in_use_may_exceed_the_ceiling(void **state _unused_) {
    static const char owners[RATE_BUCKETS_MAX + 10];
    static RateBucket *buckets[RATE_BUCKETS_MAX + 10];
    RateLimiter table = { 0 };

    for (unsigned i = 0; i < ARRAY_SIZE(buckets); i++)
        assert_non_null(buckets[i] = rate_bucket_get(&table, &owners[i], RATE_READ));
    assert_int_equal(table.n, ARRAY_SIZE(buckets));
    for (unsigned i = 0; i < ARRAY_SIZE(buckets); i++)
        rate_bucket_put(buckets[i]);
    rate_limiter_done(&table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_those_of_the_quota),
        cmocka_unit_test(a_bunch_and_then_one_a_gap),
        cmocka_unit_test(time_may_be_small),
        cmocka_unit_test(a_limit_takes_nothing),
        cmocka_unit_test(a_turn_given_back_serves_the_next),
        cmocka_unit_test(stays_below_the_quota),
        cmocka_unit_test(throttling_halves_down_to_a_floor),
        cmocka_unit_test(throttling_counts_once_a_round),
        cmocka_unit_test(success_wins_the_rate_back),
        cmocka_unit_test(buckets_are_kept_apart),
        cmocka_unit_test(the_least_recently_used_goes_first),
        cmocka_unit_test(buckets_in_use_may_exceed_the_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
