/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/connection_pool.h"
#include "lib/util/macros.h"
#include "tests/unit/between.h"

#define SEC  USEC_PER_SEC
#define MSEC USEC_PER_MSEC

/* ---- one decision ---- */

static void decisions(void **state _unused_) {
    enum { NOW = 100 * SEC };
    static const struct {
        const char *what;
        PoolDecision decision;
        PoolHost host;
        unsigned pool_open, pool_running; /* of 8 */
        unsigned n_overdue;
        uint64_t waited_usec, wait_usec;
        bool spare;
    } cases[] = {
        { "the first request opens", POOL_OPEN, { 0 }, 0, 0, 0, 0, 0, false },
        { "an idle one is taken", POOL_KEPT, { .n_open = 1 }, 1, 0, 0, 0, 0, false },
        { "... also when all is full", POOL_KEPT, { .n_open = 1, .n_running = 0 }, 8, 7, 0, 0, 0, false },
        { "a busy one is waited for",
          POOL_WAIT,
          { .n_open = 1, .n_running = 1, .took_usec = 2 * MSEC },
          1,
          1,
          0,
          0,
          26 * MSEC,
          false },
        { "... also one that is being opened",
          POOL_WAIT,
          { .n_running = 1 },
          1,
          1,
          0,
          10 * MSEC,
          90 * MSEC,
          false },
        { "... for so long",
          POOL_OPEN,
          { .n_open = 1, .n_running = 1, .took_usec = 2 * MSEC },
          1,
          1,
          0,
          26 * MSEC,
          0,
          false },
        { "one after the other is opened",
          POOL_WAIT,
          { .n_open = 2, .n_running = 2, .took_usec = 2 * MSEC, .opened_usec = NOW - 16 * MSEC },
          2,
          2,
          0,
          SEC,
          10 * MSEC,
          false },
        { "one that hangs is not waited for",
          POOL_OPEN,
          { .n_open = 1, .n_running = 1, .took_usec = 2 * MSEC },
          1,
          1,
          1,
          0,
          0,
          false },
        { "the rate needs more",
          POOL_OPEN,
          { .n_open = 1, .n_running = 1, .took_usec = 40 * MSEC, .window_usec = NOW, .n_in_window = 59 },
          1,
          1,
          0,
          0,
          0,
          false },
        { "the rate needs no more",
          POOL_WAIT,
          { .n_open = 4, .n_running = 4, .took_usec = 40 * MSEC, .window_usec = NOW, .n_in_window = 59 },
          4,
          4,
          0,
          0,
          140 * MSEC,
          false },
        { "many wait: the last one would for too long",
          POOL_OPEN,
          { .n_open = 1, .n_running = 1, .n_waiting = 59, .took_usec = 40 * MSEC },
          1,
          1,
          0,
          0,
          0,
          false },
        { "... while half of the pool is free",
          POOL_WAIT,
          { .n_open = 1, .n_running = 1, .n_waiting = 59, .took_usec = 40 * MSEC },
          4,
          1,
          0,
          0,
          140 * MSEC,
          false },
        { "many wait, but not for long",
          POOL_WAIT,
          { .n_open = 1, .n_running = 1, .n_waiting = 20, .took_usec = 1 * MSEC },
          1,
          1,
          0,
          0,
          23 * MSEC,
          false },
        { "full: a host without any takes another's idle one", POOL_EVICT, { 0 }, 8, 7, 0, 0, 0, false },
        { "... and one whose all hang, but not at once",
          POOL_WAIT,
          { .n_open = 1, .n_running = 1 },
          8,
          7,
          1,
          990 * MSEC,
          10 * MSEC,
          false },
        { "... for that may be the fault of the network",
          POOL_EVICT,
          { .n_open = 1, .n_running = 1 },
          8,
          7,
          1,
          SEC,
          0,
          false },
        { "full, all in use", POOL_FULL, { 0 }, 8, 8, 0, 0, 0, true },
        { "full: who has one waits",
          POOL_WAIT,
          { .n_open = 1, .n_running = 1 },
          8,
          7,
          0,
          SEC,
          10 * MSEC,
          false },
        { "... but not for what others do not need",
          POOL_EVICT,
          { .n_open = 1, .n_running = 1 },
          8,
          7,
          0,
          SEC,
          0,
          true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Pool pool = { .max = 8, .n_open = cases[i].pool_open, .n_running = cases[i].pool_running };
        PoolRequest request = { .now_usec = NOW,
                                .waits_since_usec = NOW - cases[i].waited_usec,
                                .n_overdue = cases[i].n_overdue,
                                .spare_elsewhere = cases[i].spare };
        uint64_t wait = 1;

        print_message("%s\n", cases[i].what);
        assert_int_equal(pool_decide(&pool, &cases[i].host, &request, &wait), cases[i].decision);
        assert_int_equal(wait, cases[i].wait_usec);
    }
}

/* ---- what is measured ---- */

static void a_host_needs_its_rate_times_its_duration(void **state _unused_) {
    static const struct {
        unsigned rate;
        uint64_t took_usec;
        unsigned need;
    } cases[] = {
        { 0, 0, 1 },
        { 1, 0, 1 },
        { 59, 2 * MSEC, 1 },
        { 59, 40 * MSEC, 4 },
        { 59, 200 * MSEC, 18 },
        { 1000, 1 * MSEC, 2 },
        { 1000, 40 * MSEC, 61 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        PoolHost host = { .took_usec = cases[i].took_usec };
        uint64_t now = 1000 * SEC;

        for (unsigned n = 0; n < 3 * cases[i].rate; n++)
            pool_arrived(&host, now += SEC / cases[i].rate);
        assert_between(pool_need(&host, now), cases[i].need, cases[i].need + 1);
        /* that was once */
        assert_int_equal(pool_need(&host, now + 2 * SEC), 1);
    }
}

static void one_slow_answer_is_no_measure(void **state _unused_) {
    PoolHost host = { 0 };

    assert_int_equal(pool_patience(&host), 100 * MSEC);
    pool_answered(&host, 40 * MSEC);
    assert_int_equal(host.took_usec, 40 * MSEC);
    pool_answered(&host, 30 * SEC);
    assert_true(host.took_usec <= 46 * MSEC);
    for (unsigned i = 0; i < 100; i++)
        pool_answered(&host, 200 * MSEC);
    assert_between(host.took_usec, 190 * MSEC, 200 * MSEC);
    assert_int_equal(pool_patience(&host) / MSEC, 20 + 3 * host.took_usec / MSEC);
    pool_answered(&host, 0);
    for (unsigned i = 0; i < 100; i++)
        pool_answered(&host, 10 * SEC);
    assert_int_equal(pool_patience(&host), SEC);
}

/* ---- hosts, requests and time, as http_curl has them ---- */

#define HOSTS_MAX    32
#define REQUESTS_MAX 4096

typedef struct Request {
    unsigned host;
    uint64_t since_usec, started_usec, until_usec; /* started 0: waits; until 0: gone */
} Request;

typedef struct World {
    Pool pool;
    unsigned n_hosts, rate; /* requests in a second to each */
    uint64_t trip_usec;
    unsigned hang_one_in; /* 0: none */
    PoolHost hosts[HOSTS_MAX];
    uint64_t used_usec[HOSTS_MAX];
    Request requests[REQUESTS_MAX];
    unsigned n_requests, n_served, n_late, n_opened, n_evicted;
    uint64_t now_usec, worst_usec, random;
} World;

static uint64_t random_below(World *w, uint64_t n) {
    w->random = w->random * 6364136223846793005ULL + 1442695040888963407ULL;
    return (w->random >> 33) % n;
}

static unsigned sum_open(const World *w) {
    unsigned n = 0;

    for (unsigned i = 0; i < w->n_hosts; i++)
        n += pool_count(&w->hosts[i]);
    return n;
}

/* The one whose connection was not used for longest, as libcurl does. */
static void evict(World *w) {
    unsigned oldest = HOSTS_MAX;

    for (unsigned i = 0; i < w->n_hosts; i++)
        if (w->hosts[i].n_open > w->hosts[i].n_running &&
            (oldest == HOSTS_MAX || w->used_usec[i] < w->used_usec[oldest]))
            oldest = i;
    assert_int_not_equal(oldest, HOSTS_MAX);
    w->hosts[oldest].n_open--;
    w->n_evicted++;
}

static unsigned count_overdue(const World *w, unsigned host) {
    unsigned n = 0;

    for (unsigned i = 0; i < w->n_requests; i++)
        n += w->requests[i].host == host && w->requests[i].started_usec != 0 &&
             w->now_usec - w->requests[i].started_usec >= pool_patience(&w->hosts[host]);
    return n;
}

static bool is_spare_elsewhere(const World *w, unsigned host) {
    for (unsigned i = 0; i < w->n_hosts; i++)
        if (i != host && pool_is_spare(&w->hosts[i], w->now_usec))
            return true;
    return false;
}

static void start(World *w, Request *r) {
    PoolHost *host = &w->hosts[r->host];
    bool hangs = w->hang_one_in != 0 && random_below(w, w->hang_one_in) == 0;
    bool opens = host->n_open <= host->n_running;

    host->n_open += opens;
    w->n_opened += opens;
    if (opens)
        host->opened_usec = w->now_usec;
    host->n_running++;
    w->pool.n_running++;
    r->started_usec = w->now_usec;
    r->until_usec = w->now_usec + (hangs ? 5 * SEC : w->trip_usec * (opens ? 4 : 1));
    w->worst_usec = MAX(w->worst_usec, w->now_usec - r->since_usec);
    w->n_late += w->now_usec - r->since_usec > 100 * MSEC;
}

static void take_turn(World *w, Request *r) {
    PoolHost *host = &w->hosts[r->host];
    PoolRequest request = { .now_usec = w->now_usec,
                            .waits_since_usec = r->since_usec,
                            .n_overdue = count_overdue(w, r->host),
                            .spare_elsewhere = is_spare_elsewhere(w, r->host) };
    uint64_t wait_usec;
    PoolDecision decision;

    w->pool.n_open = sum_open(w);
    decision = pool_decide(&w->pool, host, &request, &wait_usec);
    assert_int_equal(wait_usec > 0, decision == POOL_WAIT);
    if (decision == POOL_WAIT || decision == POOL_FULL)
        return;
    if (decision == POOL_EVICT)
        evict(w);
    host->n_waiting--;
    start(w, r);
    assert_true(sum_open(w) <= w->pool.max);
}

static void end(World *w, Request *r) {
    PoolHost *host = &w->hosts[r->host];

    host->n_running--;
    w->pool.n_running--;
    w->used_usec[r->host] = w->now_usec;
    w->n_served++;
    if (r->until_usec - r->started_usec < 5 * SEC)
        pool_answered(host, w->trip_usec);
    else
        host->n_open--; /* one that timed out is closed */
    *r = w->requests[--w->n_requests];
}

static void submit(World *w, unsigned host) {
    assert_true(w->n_requests < REQUESTS_MAX);
    w->requests[w->n_requests++] = (Request){ .host = host, .since_usec = w->now_usec };
    w->hosts[host].n_waiting++;
    pool_arrived(&w->hosts[host], w->now_usec);
}

/* In steps of half a millisecond; polls are spread evenly, each host with a phase of its own. */
static void live(World *w, unsigned sec) {
    static const uint64_t step = 500;

    for (uint64_t end_usec = w->now_usec + sec * SEC; w->now_usec < end_usec; w->now_usec += step) {
        for (unsigned i = w->n_requests; i-- > 0;)
            if (w->requests[i].started_usec != 0 && w->requests[i].until_usec <= w->now_usec)
                end(w, &w->requests[i]);
        for (unsigned host = 0; host < w->n_hosts; host++) {
            uint64_t shift = host * 137, each = SEC / w->rate;

            if ((w->now_usec + shift) / each != (w->now_usec + shift - step) / each)
                submit(w, host);
        }
        for (unsigned i = 0; i < w->n_requests; i++)
            if (w->requests[i].started_usec == 0)
                take_turn(w, &w->requests[i]);
    }
}

static World new_world(unsigned max, unsigned n_hosts, unsigned rate, uint64_t trip_usec) {
    World w = { .pool.max = max, .n_hosts = n_hosts, .rate = rate, .trip_usec = trip_usec };

    w.now_usec = 1000 * SEC;
    return w;
}

/* A thousand targets in 17 regions: after the first seconds nothing is opened, and nothing waits long. */
static void steady_polls_open_nothing(void **state _unused_) {
    static const struct {
        unsigned max, n_hosts, rate;
        uint64_t trip_usec;
        unsigned most;
    } cases[] = {
        { 64, 17, 59, 2 * MSEC, 17 + 3 }, { 64, 17, 59, 20 * MSEC, 51 },
        { 128, 17, 59, 40 * MSEC, 85 },   { 17, 17, 59, 10 * MSEC, 17 }, /* one each is enough, just so */
        { 64, 32, 10, 40 * MSEC, 64 },
    };
    static World w;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        w = new_world(cases[i].max, cases[i].n_hosts, cases[i].rate, cases[i].trip_usec);
        live(&w, 3);
        w.n_opened = w.n_evicted = w.n_served = 0;
        w.worst_usec = 0;
        live(&w, 10);
        print_message("%u hosts, %u/s, %u ms: %u connections, longest wait %u us\n", w.n_hosts, w.rate,
                      (unsigned)(w.trip_usec / MSEC), sum_open(&w), (unsigned)w.worst_usec);
        assert_int_equal(w.n_opened, 0);
        assert_int_equal(w.n_evicted, 0);
        assert_between(w.n_served, 10 * w.n_hosts * w.rate - 2 * w.n_hosts,
                       10 * w.n_hosts * w.rate + 2 * w.n_hosts);
        assert_true(sum_open(&w) <= cases[i].most);
        assert_true(w.worst_usec <= 20 * MSEC + 3 * w.trip_usec);
    }
}

/* All at once: as many connections as end that soon, and not one for each. */
static void a_burst_is_served_by_few(void **state _unused_) {
    static World w;

    w = new_world(64, 1, 1, 2 * MSEC);
    live(&w, 2);
    for (unsigned i = 0; i < 500; i++)
        submit(&w, 0);
    live(&w, 1);
    assert_int_equal(w.hosts[0].n_waiting, 0);
    assert_between(sum_open(&w), 2, 500 * 2 / 26 + 1);
}

/* One request in two hundred hangs for five seconds, at every host: hardly one of the others waits for a
 * tenth of a second. */
static void what_hangs_holds_up_nobody(void **state _unused_) {
    static World w;

    w = new_world(256, 17, 59, 20 * MSEC);
    live(&w, 3);
    w.n_served = w.n_late = 0;
    w.hang_one_in = 200;
    live(&w, 20);
    print_message("%u connections; of %u requests %u waited for more than 100 ms, the longest %u us\n",
                  sum_open(&w), w.n_served, w.n_late, (unsigned)w.worst_usec);
    assert_between(sum_open(&w), 17, 256);
    assert_true(w.n_late <= w.n_served / 1000);
    assert_true(w.n_served >= 19 * 17 * 59);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decisions),
        cmocka_unit_test(a_host_needs_its_rate_times_its_duration),
        cmocka_unit_test(one_slow_answer_is_no_measure),
        cmocka_unit_test(steady_polls_open_nothing),
        cmocka_unit_test(a_burst_is_served_by_few),
        cmocka_unit_test(what_hangs_holds_up_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
