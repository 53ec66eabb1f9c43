/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/rate_limiter.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"

#define STEP (RATE_WHOLE / 16)

/* slowest: the share of the rate that is kept however often AWS throttles. Writes keep half: an attacker who
 * uses up an account's quota to prevent repairs must not benefit from our back-off. */
static const struct {
    uint64_t gap_usec;
    unsigned burst;
    unsigned slowest;
} rates[_RATE_CLASS_MAX] = {
    [RATE_READ] = { 200 * USEC_PER_MSEC, 5, RATE_WHOLE / 4 },
    [RATE_LIST] = { 500 * USEC_PER_MSEC, 2, RATE_WHOLE / 2 },
    [RATE_LOOKUP] = { 1000 * USEC_PER_MSEC, 1, RATE_WHOLE / 4 },
    [RATE_WRITE] = { 1500 * USEC_PER_MSEC, 1, RATE_WHOLE / 2 },
    [RATE_START] = { 1050 * USEC_PER_MSEC, 1, RATE_WHOLE / 2 },
    [RATE_OTHER] = { 20 * USEC_PER_MSEC, 100, RATE_WHOLE / 8 },
};

RateClass rate_class_of(const char *operation) {
    static const struct {
        const char *prefix;
        RateClass class;
    } prefixes[] = {
        { "LookupEvents", RATE_LOOKUP }, { "Describe", RATE_LIST },      { "Get", RATE_READ },
        { "List", RATE_READ },           { "StartLogging", RATE_START },
    };

    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
        if (text_starts_with(operation, prefixes[i].prefix))
            return prefixes[i].class;
    return RATE_WRITE;
}

uint64_t rate_span_usec(RateClass class, uint64_t n_calls) {
    return n_calls * rates[class].gap_usec;
}

uint64_t rate_ceiling(RateClass class, uint64_t span_usec) {
    return span_usec / rates[class].gap_usec;
}

static uint64_t gap_of(const TokenBucket *tokens) {
    return rates[tokens->class].gap_usec * RATE_WHOLE / tokens->share;
}

static uint64_t subtract(uint64_t a, uint64_t b) {
    return a > b ? a - b : 0;
}

/* A bucket of n tokens that gains one per gap, stored as one time: that of the next turn if turns came at
 * even gaps. In a full bucket that time is n - 1 gaps ago. A slowed bucket allows no bursts. */
uint64_t token_bucket_take(TokenBucket *tokens, uint64_t now_usec, uint64_t limit_usec) {
    uint64_t gap = gap_of(tokens);
    unsigned burst = tokens->share == RATE_WHOLE ? rates[tokens->class].burst : 1;
    uint64_t turn = MAX(tokens->next_usec, subtract(now_usec, (burst - 1) * gap));
    uint64_t wait = subtract(turn, now_usec);

    if (wait > limit_usec)
        return RATE_NEVER;
    tokens->next_usec = turn + gap;
    return wait;
}

void token_bucket_give_back(TokenBucket *tokens, unsigned epoch) {
    if (epoch == tokens->epoch)
        tokens->next_usec = subtract(tokens->next_usec, gap_of(tokens));
}

void token_bucket_throttled(TokenBucket *tokens, uint64_t sent_usec, uint64_t now_usec) {
    if (tokens->slowed_usec != 0 && sent_usec < tokens->slowed_usec)
        return;
    tokens->share = MAX(tokens->share / 2, rates[tokens->class].slowest);
    tokens->slowed_usec = now_usec;
    tokens->next_usec = now_usec + gap_of(tokens);
    tokens->epoch++;
}

void token_bucket_succeeded(TokenBucket *tokens) {
    tokens->share = MIN(tokens->share + STEP, RATE_WHOLE);
}

/* ---- the table ---- */

/* A hash of the owner's address, whose low bits are always zero, and which differs in few bits from its
 * neighbours. */
static RateBucket **chain_of(RateLimiter *table, const void *owner) {
    uint64_t mixed = (uint64_t)(uintptr_t)owner * UINT64_C(0x9e3779b97f4a7c15);

    return &table->chains[(mixed >> 32) % RATE_CHAINS];
}

/* Frees the least recently used bucket without users, if there is one. */
static void drop_oldest(RateLimiter *table) {
    RateBucket **oldest = NULL, *dropped;

    for (unsigned i = 0; i < RATE_CHAINS; i++)
        for (RateBucket **at = &table->chains[i]; *at; at = &(*at)->next)
            if ((*at)->n_users == 0 && (!oldest || (*at)->used < (*oldest)->used))
                oldest = at;
    if (!oldest)
        return;
    dropped = *oldest;
    *oldest = dropped->next;
    free(dropped);
    table->n--;
}

static RateBucket *bucket_new(RateLimiter *table, const void *owner, RateClass class) {
    RateBucket *bucket, **chain = chain_of(table, owner);

    if (table->n >= RATE_BUCKETS_MAX)
        drop_oldest(table);
    bucket = malloc(sizeof(*bucket));
    if (!bucket)
        return NULL;
    *bucket = (RateBucket){ .next = *chain, .owner = owner, .tokens = TOKEN_BUCKET_INIT(class) };
    *chain = bucket;
    table->n++;
    return bucket;
}

RateBucket *rate_bucket_get(RateLimiter *table, const void *owner, RateClass class) {
    RateBucket *bucket = *chain_of(table, owner);

    while (bucket && (bucket->owner != owner || bucket->tokens.class != class))
        bucket = bucket->next;
    if (!bucket)
        bucket = bucket_new(table, owner, class);
    if (!bucket)
        return NULL;
    bucket->used = ++table->n_got;
    bucket->n_users++;
    return bucket;
}

void rate_bucket_put(RateBucket *bucket) {
    bucket->n_users--;
}

void rate_limiter_done(RateLimiter *table) {
    for (unsigned i = 0; i < RATE_CHAINS; i++)
        while (table->chains[i]) {
            RateBucket *bucket = table->chains[i];

            table->chains[i] = bucket->next;
            free(bucket);
        }
    table->n = 0;
}
