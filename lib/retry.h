/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which failures are retried, when, and how much a client may retry in all. Pure: randomness is an argument.
 * Source: AWS SDKs and Tools Reference Guide, "Retry behavior", standard mode; full jitter. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/aws_error.h"

#define RETRY_QUOTA_MAX 500U

/* The retry quota shared by the calls to one (service, region): while it is empty, failures are not retried,
 * so that during an outage a poll costs one request instead of three. */
typedef struct RetryQuota {
    unsigned tokens;
} RetryQuota;

#define RETRY_QUOTA_INIT ((RetryQuota){ .tokens = RETRY_QUOTA_MAX })

typedef struct RetryDecision {
    bool again;
    bool quota_is_empty;    /* the only reason against a retry */
    uint64_t delay_usec;    /* before the next attempt */
    unsigned cost;          /* taken from the quota; returned by retry_succeeded */
} RetryDecision;

/* After attempt number `attempt` (1 = the first) of at most max_attempts failed with `class`. `random` is
 * uniform over all of uint64_t. retry_after_usec is what the server asked for (0 none), honoured up to 20 s.
 * Takes the cost from quota when it says again. Says no to AWS_EXPIRED and AWS_SKEWED: what those need first
 * is not a pause. */
RetryDecision retry_decide(RetryQuota *quota, AwsErrorClass class, unsigned attempt, unsigned max_attempts,
                           uint64_t retry_after_usec, uint64_t random);

/* True for failures without an answer, or with one that says that the service is down: they concern the
 * whole target, so the attempts of one call stand for all others. Throttling is not one of them: a retry
 * gets through. */
bool retry_is_outage(AwsErrorClass class);

/* A call succeeded; last_cost: the cost of its last retry, 0 if the first attempt succeeded (then gives 1
 * back). */
void retry_succeeded(RetryQuota *quota, unsigned last_cost);

/* Uniform in 0..span_usec, from a random number. */
uint64_t retry_jitter(uint64_t span_usec, uint64_t random);

/* Exponential back-off with full jitter for outer loops: uniform in (0, min(base << (failures-1), max)].
 * failures >= 1, base_usec and max_usec > 0. */
uint64_t retry_backoff(uint64_t base_usec, uint64_t max_usec, unsigned failures, uint64_t random);
