/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/connection_pool.h"

#include "lib/util/macros.h"

#define WINDOW_USEC USEC_PER_SEC

/* Connect and TLS 1.3 are two round trips, and cost a millisecond of CPU on each side. */
#define OPENING_TRIPS 3U
#define MOMENT_USEC   (20 * USEC_PER_MSEC)
#define UNKNOWN_USEC  (100 * USEC_PER_MSEC) /* before there was an answer */
#define PATIENCE_MAX  USEC_PER_SEC

/* ... and another host's connection is taken only after this. */
#define EVICT_AFTER_USEC USEC_PER_SEC
#define RETRY_USEC       (10 * USEC_PER_MSEC)
/* One connection in so many is for bursts. */
#define BURST_SHARE 2U

/* One that takes at least so long is not late because this host is busy. */
#define HUNG_MIN_USEC (200 * USEC_PER_MSEC)

/* One that takes so many times as long as others, and at least so long, hangs. */
#define GIVE_UP_FACTOR        8U
#define GIVE_UP_MIN_USEC      (250 * USEC_PER_MSEC)
#define GIVE_UP_DOUBLINGS_MAX 8U
/* So many given up without an answer double that: about as many as a host has under way. */
#define GIVE_UP_DOUBLING 4U

/* At most one request in so many opens what was closed before. */
#define UNUSED_REQUESTS 2000U
#define TRIM_EVERY      64U

/* One answer in eight makes up the smoothed duration. */
#define SMOOTHING 8U
/* A single slow answer is no measure of the others. */
#define OUTLIER_FACTOR 2U
#define OUTLIER_USEC   (1 * USEC_PER_MSEC)

static void turn_window(PoolHost *host, uint64_t now_usec) {
    uint64_t age = now_usec - host->window_usec;

    if (age < WINDOW_USEC)
        return;
    host->n_in_last = age < 2 * WINDOW_USEC ? host->n_in_window : 0;
    host->n_in_window = 0;
    host->window_usec = age < 2 * WINDOW_USEC ? host->window_usec + WINDOW_USEC : now_usec;
}

/* In a second: this window's, and of the last one what lies less than a second back. */
static uint64_t rate_of(const PoolHost *host, uint64_t now_usec) {
    PoolHost h = *host;

    turn_window(&h, now_usec);
    return h.n_in_window + h.n_in_last * (WINDOW_USEC - (now_usec - h.window_usec)) / WINDOW_USEC;
}

void pool_arrived(PoolHost *host, uint64_t now_usec) {
    turn_window(host, now_usec);
    host->n_in_window++;
    host->n_arrived++;
}

void pool_answered(PoolHost *host, uint64_t took_usec) {
    uint64_t took = MAX(took_usec, 1U);

    host->n_given_up = 0;
    if (host->took_usec == 0) {
        host->took_usec = took;
        return;
    }
    took = MIN(took, OUTLIER_FACTOR * host->took_usec + OUTLIER_USEC);
    host->took_usec = MAX((host->took_usec * (SMOOTHING - 1) + took) / SMOOTHING, 1U);
}

unsigned pool_count(const PoolHost *host) {
    return MAX(host->n_open, host->n_running);
}

/* Little's law with a half more, and one. */
unsigned pool_need(const PoolHost *host, uint64_t now_usec) {
    uint64_t under_way = rate_of(host, now_usec) * host->took_usec * 3 / 2 / USEC_PER_SEC;

    return 1 + (unsigned)MIN(under_way, UINT16_MAX);
}

/* Are so many too few even if none is ever idle? Then ever more requests wait. */
static bool is_overrun(const PoolHost *host, unsigned n, uint64_t now_usec) {
    return n * USEC_PER_SEC < rate_of(host, now_usec) * host->took_usec;
}

/* An eighth more than that: what is measured of two hosts that are alike differs, and neither is to take the
 * other's. */
static bool has_margin(const PoolHost *host, unsigned n, uint64_t now_usec) {
    return n * USEC_PER_SEC >= rate_of(host, now_usec) * host->took_usec * 9 / 8;
}

static bool has_idle(const PoolHost *host) {
    return host->n_open > host->n_running;
}

bool pool_is_spare(const PoolHost *host, uint64_t now_usec) {
    return has_idle(host) && host->n_open > pool_need(host, now_usec) + 1;
}

bool pool_can_give(const PoolHost *host, unsigned n_overdue, uint64_t now_usec) {
    unsigned useful = host->n_open - MIN(n_overdue, host->n_open);

    return has_idle(host) && useful >= 2 && has_margin(host, useful - 1, now_usec);
}

bool pool_is_unneeded(const PoolHost *host, uint64_t used_at, uint64_t now_usec) {
    return has_idle(host) && host->n_open > pool_need(host, now_usec) &&
           host->n_arrived - used_at >= UNUSED_REQUESTS;
}

bool pool_wants_trim(PoolHost *host) {
    if (host->n_arrived - host->trimmed_at < TRIM_EVERY)
        return false;
    host->trimmed_at = host->n_arrived;
    return true;
}

uint64_t pool_patience(const PoolHost *host) {
    if (host->took_usec == 0)
        return UNKNOWN_USEC;
    return MIN(OPENING_TRIPS * host->took_usec + MOMENT_USEC, PATIENCE_MAX);
}

uint64_t pool_hung_usec(const PoolHost *host) {
    return MAX(pool_patience(host), HUNG_MIN_USEC);
}

uint64_t pool_give_up_usec(const PoolHost *host) {
    uint64_t took = host->took_usec ? host->took_usec : UNKNOWN_USEC;

    return MAX(GIVE_UP_FACTOR * took, GIVE_UP_MIN_USEC)
           << MIN(host->n_given_up / GIVE_UP_DOUBLING, GIVE_UP_DOUBLINGS_MAX);
}

void pool_gave_up(PoolHost *host) {
    host->n_given_up++;
}

/* One after the other, however many wait: the first may be all that was missing. */
static uint64_t waits_for(const PoolHost *host, const PoolRequest *request) {
    return request->now_usec - MIN(MAX(request->waits_since_usec, host->opened_usec), request->now_usec);
}

/* To close another host's connection costs both of them a handshake, and where everything is slow it makes
 * everything slower: that is for a host without any, for one that cannot keep up because something hangs
 * while another can without it, or when waiting has not helped. */
static bool may_evict(const PoolHost *host, const PoolRequest *request, unsigned useful) {
    unsigned n_alive = host->n_running - MIN(request->n_hung, host->n_running);
    uint64_t waits_usec = waits_for(host, request);

    if (host->n_running == 0)
        return true;
    if (request->n_hung > 0 && request->given_elsewhere &&
        waits_usec >= MAX(host->took_usec, MOMENT_USEC) && is_overrun(host, n_alive, request->now_usec))
        return true;
    return waits_usec >= EVICT_AFTER_USEC && (useful == 0 || request->spare_elsewhere);
}

/* What is needed at the present rate is always opened; for a burst, half of the pool is left to those hosts
 * that have none. */
static bool may_open(const Pool *pool, const PoolHost *host, const PoolRequest *request, unsigned useful) {
    uint64_t patience = pool_patience(host);

    if (pool->n_open >= pool->max)
        return false;
    if (useful == 0 || useful < pool_need(host, request->now_usec))
        return true;
    return pool->n_open < MAX(pool->max / BURST_SHARE, 1U) &&
           (waits_for(host, request) >= patience || host->n_waiting * host->took_usec / useful > patience);
}

PoolDecision pool_decide(const Pool *pool, const PoolHost *host, const PoolRequest *request,
                         uint64_t *ret_wait_usec) {
    unsigned useful = host->n_running - MIN(request->n_overdue, host->n_running);

    *ret_wait_usec = 0;
    if (has_idle(host))
        return POOL_KEPT;
    if (may_open(pool, host, request, useful))
        return POOL_OPEN;
    if (pool->n_open >= pool->max && pool->n_running >= pool->n_open)
        return POOL_FULL;
    if (pool->n_open >= pool->max && may_evict(host, request, useful))
        return POOL_EVICT;
    *ret_wait_usec = pool_patience(host) - MIN(waits_for(host, request), pool_patience(host) - RETRY_USEC);
    return POOL_WAIT;
}
