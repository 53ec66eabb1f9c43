/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How fast AWS may be asked: token buckets, one for each credentials, service, region and kind of call.
 * Pure: the time is an argument, any clock that does not go back.
 *
 * The buckets stay below three quarters of what AWS grants an account in a region (AWS CloudTrail User
 * Guide, "Quotas": Get*, Describe* and List* 10 a second, LookupEvents 2, everything else 1), for others
 * share that with us. StartLogging alone goes up to its quota, which is its own (Service Quotas,
 * L-773FB33E): nobody shares that but whoever wants to keep us from it. When AWS throttles all the same, a
 * bucket halves its rate, and wins it back with each call that works. */

#include <stdbool.h>
#include <stdint.h>

/* Which of AWS's quotas a call counts against. */
typedef enum RateClass {
    RATE_READ,   /* 5 a second, 5 at once */
    RATE_LIST,   /* DescribeTrails: 2 a second, 2 at once; a throttled list slows no status down */
    RATE_LOOKUP, /* 1 a second */
    RATE_WRITE,  /* 1 in 1.5 seconds */
    RATE_START,  /* StartLogging: 1 in 1.05 seconds */
    RATE_OTHER,  /* services other than CloudTrail, which grant far more: 50 a second, 100 at once */
    _RATE_CLASS_MAX,
} RateClass;

/* The class of an operation of CloudTrail, by its name as AWS's quota has it: "GetTrailStatus". */
RateClass rate_class_of(const char *operation);

/* How long n calls of a class take at its full rate; how many it lets through in a while. */
uint64_t rate_span_usec(RateClass class, uint64_t n_calls);
uint64_t rate_ceiling(RateClass class, uint64_t span_usec);

/* One bucket. */
typedef struct TokenBucket {
    RateClass class;
    unsigned share;       /* of the full rate, in 1/RATE_WHOLE */
    unsigned epoch;       /* changes when the rate was cut: turns given out before are void */
    uint64_t next_usec;   /* when the next call's turn would be, were calls never let through in a bunch */
    uint64_t slowed_usec; /* when the rate was last cut; 0 never */
} TokenBucket;

#define RATE_WHOLE                64U
#define TOKEN_BUCKET_INIT(class_) ((TokenBucket){ .class = (class_), .share = RATE_WHOLE })

#define RATE_NEVER UINT64_MAX

/* Takes the next turn: how long from now it is, 0 for at once; or RATE_NEVER when that is longer than
 * limit_usec, and then nothing was taken. When epoch has changed by the time the turn comes, it is void:
 * take another. */
uint64_t token_bucket_take(TokenBucket *tokens, uint64_t now_usec, uint64_t limit_usec);

/* A turn that is still to come, taken in this epoch, will not be used. */
void token_bucket_give_back(TokenBucket *tokens, unsigned epoch);

/* AWS throttled a call that was sent at sent_usec: the rate is halved, down to the class's floor, and
 * nothing is let through for the time of one call. Answers to calls that were under way when that was last
 * done are old news and change nothing. */
void token_bucket_throttled(TokenBucket *tokens, uint64_t sent_usec, uint64_t now_usec);

/* A call worked: a sixteenth of the full rate is won back. */
void token_bucket_succeeded(TokenBucket *tokens);

/* ---- the buckets of one service in one region ---- */

/* What the calls of one class by one owner have in common. */
typedef struct RateBucket {
    struct RateBucket *next; /* of its chain */
    uint64_t used;           /* the table's count when it was last got */
    const void *owner; /* the credentials; compared, never followed */
    unsigned n_users;
    TokenBucket tokens;
    bool suspect; /* the last request that was sent in time to be answered was not */
    bool down;    /* the last call got no answer in all its attempts: for whoever keeps a circuit */
} RateBucket;

/* More than this are kept only while they are in use; the least recently used goes first. */
#define RATE_BUCKETS_MAX 1024U

/* A hash table with chains: hundreds of accounts are polled in turn, so that a list would be searched to its
 * end. */
#define RATE_CHAINS 64U

typedef struct RateLimiter {
    RateBucket *chains[RATE_CHAINS];
    unsigned n;
    uint64_t n_got;
} RateLimiter;

/* The bucket of (owner, class), made when it is not there; rate_bucket_put ends its use. NULL when out of
 * memory. */
RateBucket *rate_bucket_get(RateLimiter *table, const void *owner, RateClass class);
void rate_bucket_put(RateBucket *bucket);

/* Frees all buckets; none may be in use. */
void rate_limiter_done(RateLimiter *table);
