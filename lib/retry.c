/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/retry.h"

#include "lib/util/macros.h"

#define BASE_USEC (1 * USEC_PER_SEC)
#define DELAY_MAX_USEC (20 * USEC_PER_SEC)

/* What a retry after each class takes from the quota. 0: a retry would be useless or harmful. */
static const unsigned costs[_AWS_ERROR_CLASS_MAX] = {
    [AWS_THROTTLED] = 5,
    [AWS_UNAVAILABLE] = 5,
    [AWS_UNREACHABLE] = 5,
    [AWS_TIMED_OUT] = 10,
};

/* base << n, or max when that is less or does not fit. */
static uint64_t shift_up_to(uint64_t base, unsigned n, uint64_t max) {
    if (n >= 64 || base > max >> n)
        return max;
    return base << n;
}

bool retry_is_outage(AwsErrorClass class) {
    return class == AWS_UNREACHABLE || class == AWS_TIMED_OUT || class == AWS_UNAVAILABLE;
}

RetryDecision retry_decide(RetryQuota *quota, AwsErrorClass class, unsigned attempt, unsigned max_attempts,
                           uint64_t retry_after_usec, uint64_t random) {
    unsigned cost = (unsigned)class < ARRAY_SIZE(costs) ? costs[class] : 0;
    uint64_t delay_usec;

    if (cost == 0 || attempt == 0 || attempt >= max_attempts)
        return (RetryDecision){ .again = false };
    if (quota->tokens < cost)
        return (RetryDecision){ .quota_is_empty = true };

    delay_usec = retry_jitter(shift_up_to(BASE_USEC, attempt - 1, DELAY_MAX_USEC), random);
    quota->tokens -= cost;
    return (RetryDecision){
        .again = true,
        .delay_usec = MAX(delay_usec, MIN(retry_after_usec, DELAY_MAX_USEC)),
        .cost = cost,
    };
}

void retry_succeeded(RetryQuota *quota, unsigned last_cost) {
    unsigned back = MIN(MAX(last_cost, 1U), RETRY_QUOTA_MAX);

    quota->tokens = MIN(quota->tokens, RETRY_QUOTA_MAX - back) + back;
}

uint64_t retry_jitter(uint64_t span_usec, uint64_t random) {
    /* The high half of the product is uniform, without the bias of a remainder. */
    return (uint64_t)((unsigned __int128)random * ((unsigned __int128)span_usec + 1) >> 64);
}

uint64_t retry_backoff(uint64_t base_usec, uint64_t max_usec, unsigned failures, uint64_t random) {
    uint64_t ceiling = shift_up_to(base_usec, failures > 0 ? failures - 1 : 0, max_usec);

    return ceiling > 0 ? 1 + retry_jitter(ceiling - 1, random) : 0;
}
