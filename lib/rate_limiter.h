/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How fast AWS may be called: token buckets, one for each credentials, service, region and kind of call.
 * Pure: the time is an argument, from any monotonic clock.
 *
 * The buckets stay below three quarters of AWS's quota for an account in a region (AWS CloudTrail User
 * Guide, "Quotas": Get*, Describe* and List* 10 a second, LookupEvents 2, everything else 1), because others
 * share it. Only StartLogging goes up to its quota, which is separate (Service Quotas, L-773FB33E): only an
 * attacker would use it, too. If AWS throttles nevertheless, a bucket halves its rate, and regains it with
 * each successful call. */

#include <stdbool.h>
#include <stdint.h>

/* The quota that a call counts against. */
typedef enum RateClass {
    RATE_READ,   /* 5 a second, 5 at once */
    RATE_LIST,   /* DescribeTrails: 2 a second, 2 at once; separate, so that a throttled list does not slow
                    statuses */
    RATE_LOOKUP, /* 1 a second */
    RATE_WRITE,  /* 1 in 1.5 seconds */
    RATE_START,  /* StartLogging: 1 in 1.05 seconds */
    RATE_OTHER,  /* services other than CloudTrail, with much larger quotas: 50 a second, 100 at once */
    _RATE_CLASS_MAX,
} RateClass;

/* The class of a CloudTrail operation, by its name: "GetTrailStatus". */
RateClass rate_class_of(const char *operation);

/* rate_span_usec: how long n calls of a class take at its full rate. rate_ceiling: how many calls a time
 * allows. */
uint64_t rate_span_usec(RateClass class, uint64_t n_calls);
uint64_t rate_ceiling(RateClass class, uint64_t span_usec);

/* One bucket. */
typedef struct TokenBucket {
    RateClass class;
    unsigned share;       /* of the full rate, in 1/RATE_WHOLE */
    unsigned epoch;       /* changes when the rate is cut: turns taken before are void */
    uint64_t next_usec;   /* the time of the next turn, without bursts */
    uint64_t slowed_usec; /* when the rate was last cut; 0 never */
} TokenBucket;

#define RATE_WHOLE                64U
#define TOKEN_BUCKET_INIT(class_) ((TokenBucket){ .class = (class_), .share = RATE_WHOLE })

#define RATE_NEVER UINT64_MAX

/* Takes the next turn. Returns the time until then, 0 for now; or RATE_NEVER without taking one if it
 * exceeds limit_usec. If the epoch has changed when the turn comes, it is void: take another. */
uint64_t token_bucket_take(TokenBucket *tokens, uint64_t now_usec, uint64_t limit_usec);

/* Returns a future turn that was taken in this epoch and will not be used. */
void token_bucket_give_back(TokenBucket *tokens, unsigned epoch);

/* AWS throttled a call that was sent at sent_usec: halves the rate, down to the class's minimum, and allows
 * nothing for the time of one call. Answers to calls that were sent before the last cut change nothing. */
void token_bucket_throttled(TokenBucket *tokens, uint64_t sent_usec, uint64_t now_usec);

/* A call succeeded: regains a sixteenth of the full rate. */
void token_bucket_succeeded(TokenBucket *tokens);

/* ---- the buckets of one service in one region ---- */

/* Shared by the calls of one class with the same credentials. */
typedef struct RateBucket {
    struct RateBucket *next; /* of its chain */
    uint64_t used;           /* the table's counter at the last get */
    const void *owner; /* the credentials; only compared, never dereferenced */
    unsigned n_users;
    TokenBucket tokens;
    bool suspect; /* the last request that was sent in time got no answer */
    bool down;    /* the last call got no answer in all its attempts, for a circuit breaker */
} RateBucket;

/* Above this, unused ones are freed, the least recently used first. */
#define RATE_BUCKETS_MAX 1024U

/* A hash table with chains: hundreds of accounts are polled in turn, and a list would be searched to its
 * end. */
#define RATE_CHAINS 64U

typedef struct RateLimiter {
    RateBucket *chains[RATE_CHAINS];
    unsigned n;
    uint64_t n_got;
} RateLimiter;

/* The bucket of (owner, class), created if needed; release it with rate_bucket_put. NULL when out of
 * memory. */
RateBucket *rate_bucket_get(RateLimiter *table, const void *owner, RateClass class);
void rate_bucket_put(RateBucket *bucket);

/* Frees all buckets; none may be in use. */
void rate_limiter_done(RateLimiter *table);
