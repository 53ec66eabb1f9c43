/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/retry.h"
#include "lib/util/macros.h"
#include <cmocka.h>

#define SEC USEC_PER_SEC

static void classes_worth_another_try(void **state _unused_) {
    static const unsigned costs[_AWS_ERROR_CLASS_MAX] = {
        [AWS_THROTTLED] = 5,
        [AWS_UNAVAILABLE] = 5,
        [AWS_UNREACHABLE] = 5,
        [AWS_TIMED_OUT] = 10,
    };

    for (int class = -1; class <= _AWS_ERROR_CLASS_MAX; class ++) {
        RetryQuota quota = RETRY_QUOTA_INIT;
        unsigned cost = class >= 0 && class < _AWS_ERROR_CLASS_MAX ? costs[class] : 0;
        RetryDecision d = retry_decide(&quota, (AwsErrorClass) class, 1, 3, 0, UINT64_MAX / 2);

        assert_int_equal(d.again, cost > 0);
        assert_int_equal(d.cost, cost);
        assert_int_equal(quota.tokens, RETRY_QUOTA_MAX - cost);
    }
}

/* What opens a circuit is worth a retry, and throttling is the one that is only that. */
static void outages(void **state _unused_) {
    for (AwsErrorClass class = AWS_OK; class < _AWS_ERROR_CLASS_MAX; class ++) {
        RetryQuota quota = RETRY_QUOTA_INIT;
        bool again = retry_decide(&quota, class, 1, 2, 0, 0).again;

        assert_int_equal(retry_is_outage(class), again && class != AWS_THROTTLED);
    }
}

static void attempts_are_counted(void **state _unused_) {
    for (unsigned max = 0; max < 11; max++)
        for (unsigned attempt = 0; attempt < 13; attempt++) {
            RetryQuota quota = RETRY_QUOTA_INIT;

            assert_int_equal(retry_decide(&quota, AWS_THROTTLED, attempt, max, 0, 0).again,
                             attempt >= 1 && attempt < max);
        }
}

/* rand(0,1) * min(2^(attempt-1), 20) seconds. */
static void delays_double_up_to_a_ceiling(void **state _unused_) {
    static const uint64_t ceilings[] = { 1, 2, 4, 8, 16, 20, 20, 20 };

    for (unsigned attempt = 1; attempt <= ARRAY_SIZE(ceilings); attempt++) {
        uint64_t ceiling = ceilings[attempt - 1] * SEC;
        RetryQuota quota = RETRY_QUOTA_INIT;

        assert_int_equal(retry_decide(&quota, AWS_UNAVAILABLE, attempt, 100, 0, 0).delay_usec, 0);
        assert_int_equal(retry_decide(&quota, AWS_UNAVAILABLE, attempt, 100, 0, UINT64_MAX).delay_usec,
                         ceiling);
        assert_int_equal(retry_decide(&quota, AWS_UNAVAILABLE, attempt, 100, 0, UINT64_MAX / 2).delay_usec,
                         ceiling / 2);
    }
    for (unsigned attempt = 60; attempt < 70; attempt++) {
        RetryQuota quota = RETRY_QUOTA_INIT;

        assert_int_equal(retry_decide(&quota, AWS_UNAVAILABLE, attempt, 100, 0, UINT64_MAX).delay_usec,
                         20 * SEC);
    }
}

static void server_may_ask_for_more(void **state _unused_) {
    RetryQuota quota = RETRY_QUOTA_INIT;

    assert_int_equal(retry_decide(&quota, AWS_THROTTLED, 1, 3, 7 * SEC, 0).delay_usec, 7 * SEC);
    assert_int_equal(retry_decide(&quota, AWS_THROTTLED, 1, 3, 1, UINT64_MAX).delay_usec, SEC);
    assert_int_equal(retry_decide(&quota, AWS_THROTTLED, 1, 3, 3600 * SEC, 0).delay_usec, 20 * SEC);
    assert_int_equal(retry_decide(&quota, AWS_THROTTLED, 1, 3, UINT64_MAX, 0).delay_usec, 20 * SEC);
}

static void empty_quota_ends_retries(void **state _unused_) {
    RetryQuota quota = RETRY_QUOTA_INIT;
    unsigned again = 0;

    while (retry_decide(&quota, AWS_THROTTLED, 1, 3, 0, 0).again)
        again++;
    assert_int_equal(again, 100);
    assert_int_equal(quota.tokens, 0);

    quota.tokens = 9;
    assert_false(retry_decide(&quota, AWS_TIMED_OUT, 1, 3, 0, 0).again);
    assert_int_equal(quota.tokens, 9);
    assert_true(retry_decide(&quota, AWS_THROTTLED, 1, 3, 0, 0).again);
    assert_int_equal(quota.tokens, 4);
}

static void successes_refill_the_quota(void **state _unused_) {
    RetryQuota quota = { .tokens = 0 };

    retry_succeeded(&quota, 0);
    assert_int_equal(quota.tokens, 1);
    retry_succeeded(&quota, 10);
    assert_int_equal(quota.tokens, 11);
    quota.tokens = RETRY_QUOTA_MAX - 3;
    retry_succeeded(&quota, 5);
    assert_int_equal(quota.tokens, RETRY_QUOTA_MAX);
    retry_succeeded(&quota, UINT32_MAX);
    assert_int_equal(quota.tokens, RETRY_QUOTA_MAX);
}

static void jitter(void **state _unused_) {
    unsigned counts[4] = { 0 };

    assert_int_equal(retry_jitter(0, UINT64_MAX), 0);
    assert_int_equal(retry_jitter(UINT64_MAX, UINT64_MAX), UINT64_MAX);
    assert_int_equal(retry_jitter(UINT64_MAX, 12345), 12345);
    for (uint64_t i = 0; i < 4096; i++)
        counts[retry_jitter(3, i << 52)]++;
    for (int i = 0; i < 4; i++)
        assert_int_equal(counts[i], 1024); /* each value as often as any other */
}

static void backoff(void **state _unused_) {
    assert_int_equal(retry_backoff(SEC, 60 * SEC, 1, UINT64_MAX), SEC);
    assert_int_equal(retry_backoff(SEC, 60 * SEC, 3, UINT64_MAX), 4 * SEC);
    assert_int_equal(retry_backoff(SEC, 60 * SEC, 7, UINT64_MAX), 60 * SEC);
    assert_int_equal(retry_backoff(SEC, 60 * SEC, 7, 0), 1); /* never 0 */
    assert_int_equal(retry_backoff(SEC, SEC / 2, 1, UINT64_MAX), SEC / 2);
    assert_int_equal(retry_backoff(1, UINT64_MAX, 64, UINT64_MAX), 1ULL << 63);
    for (unsigned failures = 65; failures < 200; failures++)
        assert_int_equal(retry_backoff(SEC, 60 * SEC, failures, UINT64_MAX), 60 * SEC);
    assert_int_equal(retry_backoff(SEC, 60 * SEC, UINT32_MAX, UINT64_MAX), 60 * SEC);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_worth_another_try),
        cmocka_unit_test(outages),
        cmocka_unit_test(attempts_are_counted),
        cmocka_unit_test(delays_double_up_to_a_ceiling),
        cmocka_unit_test(server_may_ask_for_more),
        cmocka_unit_test(empty_quota_ends_retries),
        cmocka_unit_test(successes_refill_the_quota),
        cmocka_unit_test(jitter),
        cmocka_unit_test(backoff),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
