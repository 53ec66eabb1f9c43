/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/connection_pool.h"

#include "lib/util/macros.h"

#define WINDOW_USEC USEC_PER_SEC

/* Connecting with TLS 1.3 takes two round trips, and a millisecond of CPU on each side. */
#define OPENING_TRIPS 3U
#define MOMENT_USEC   (20 * USEC_PER_MSEC)
#define UNKNOWN_USEC  (100 * USEC_PER_MSEC) /* before the first answer */
#define PATIENCE_MAX  USEC_PER_SEC

/* ... and another host's connection only after this. */
#define EVICT_AFTER_USEC USEC_PER_SEC
#define RETRY_USEC       (10 * USEC_PER_MSEC)
/* Half of the connections are for bursts. */
#define BURST_SHARE 2U

/* A request that takes at least this long is not just delayed by a busy host. */
#define HUNG_MIN_USEC (200 * USEC_PER_MSEC)

/* A request that takes this many times as long as others, and at least this long, hangs. */
#define GIVE_UP_FACTOR        8U
#define GIVE_UP_MIN_USEC      (250 * USEC_PER_MSEC)
#define GIVE_UP_DOUBLINGS_MAX 8U
/* This many given up without an answer double that limit: about as many as a host has running. */
#define GIVE_UP_DOUBLING 4U

/* At most one request in so many reopens a connection that was closed. */
#define UNUSED_REQUESTS 2000U
#define TRIM_EVERY      64U

/* A new value counts for an eighth of the smoothed duration. */
#define SMOOTHING 8U
/* A single slow answer does not represent the others. */
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

/* Requests per second: of this window, and the part of the last one that is less than a second ago. */
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

/* Little's law plus a half, plus one. */
unsigned pool_need(const PoolHost *host, uint64_t now_usec) {
    uint64_t under_way = rate_of(host, now_usec) * host->took_usec * 3 / 2 / USEC_PER_SEC;

    return 1 + (unsigned)MIN(under_way, UINT16_MAX);
}

/* True if this many are too few even without idle times: then the queue keeps growing. */
static bool is_overrun(const PoolHost *host, unsigned n, uint64_t now_usec) {
    return n * USEC_PER_SEC < rate_of(host, now_usec) * host->took_usec;
}

/* With an eighth more, because measurements of two similar hosts differ, and neither should take the
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

/* Connections are opened one after the other, however many requests wait: the first may be enough. */
static uint64_t waits_for(const PoolHost *host, const PoolRequest *request) {
    return request->now_usec - MIN(MAX(request->waits_since_usec, host->opened_usec), request->now_usec);
}

/* Closing another host's connection costs both a handshake, and slows everything if everything is slow. So
 * it is only for a host without any, for one that cannot keep up because a request hangs while another host
 * can spare one, or after waiting did not help. */
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

/* Connections needed at the present rate are always opened; for a burst, half of the pool stays reserved for
 * hosts without any. */
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
