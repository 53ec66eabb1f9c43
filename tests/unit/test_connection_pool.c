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
        bool spare, given;
        unsigned n_hung;
    } cases[] = {
        { "the first request opens", POOL_OPEN, { 0 }, 0, 0, 0, 0, 0, false, false, 0 },
        { "an idle one is taken", POOL_KEPT, { .n_open = 1 }, 1, 0, 0, 0, 0, false, false, 0 },
        { "... also when all is full",
          POOL_KEPT,
          { .n_open = 1, .n_running = 0 },
          8,
          7,
          0,
          0,
          0,
          false,
          false,
          0 },
        { "a busy one is waited for",
          POOL_WAIT,
          { .n_open = 1, .n_running = 1, .took_usec = 2 * MSEC },
          1,
          1,
          0,
          0,
          26 * MSEC,
          false,
          false,
          0 },
        { "... also one that is being opened",
          POOL_WAIT,
          { .n_running = 1 },
          1,
          1,
          0,
          10 * MSEC,
          90 * MSEC,
          false,
          false,
          0 },
        { "... for so long",
          POOL_OPEN,
          { .n_open = 1, .n_running = 1, .took_usec = 2 * MSEC },
          1,
          1,
          0,
          26 * MSEC,
          0,
          false,
          false,
          0 },
        { "one after the other is opened",
          POOL_WAIT,
          { .n_open = 2, .n_running = 2, .took_usec = 2 * MSEC, .opened_usec = NOW - 16 * MSEC },
          2,
          2,
          0,
          SEC,
          10 * MSEC,
          false,
          false,
          0 },
        { "one that hangs is not waited for",
          POOL_OPEN,
          { .n_open = 1, .n_running = 1, .took_usec = 2 * MSEC },
          1,
          1,
          1,
          0,
          0,
          false,
          false,
          0 },
        { "the rate needs more",
          POOL_OPEN,
          { .n_open = 1, .n_running = 1, .took_usec = 40 * MSEC, .window_usec = NOW, .n_in_window = 59 },
          1,
          1,
          0,
          0,
          0,
          false,
          false,
          0 },
        { "the rate needs no more",
          POOL_WAIT,
          { .n_open = 4, .n_running = 4, .took_usec = 40 * MSEC, .window_usec = NOW, .n_in_window = 59 },
          4,
          4,
          0,
          0,
          140 * MSEC,
          false,
          false,
          0 },
        { "many wait: the last one would for too long",
          POOL_OPEN,
          { .n_open = 1, .n_running = 1, .n_waiting = 59, .took_usec = 40 * MSEC },
          1,
          1,
          0,
          0,
          0,
          false,
          false,
          0 },
        { "... while half of the pool is free",
          POOL_WAIT,
          { .n_open = 1, .n_running = 1, .n_waiting = 59, .took_usec = 40 * MSEC },
          4,
          1,
          0,
          0,
          140 * MSEC,
          false,
          false,
          0 },
        { "many wait, but not for long",
          POOL_WAIT,
          { .n_open = 1, .n_running = 1, .n_waiting = 20, .took_usec = 1 * MSEC },
          1,
          1,
          0,
          0,
          23 * MSEC,
          false,
          false,
          0 },
        { "full: a host without any takes another's idle one",
          POOL_EVICT,
          { 0 },
          8,
          7,
          0,
          0,
          0,
          false,
          false,
          0 },
        { "... and one whose all hang, but not at once",
          POOL_WAIT,
          { .n_open = 1, .n_running = 1 },
          8,
          7,
          1,
          990 * MSEC,
          10 * MSEC,
          false,
          false,
          0 },
        { "... for that may be the fault of the network",
          POOL_EVICT,
          { .n_open = 1, .n_running = 1 },
          8,
          7,
          1,
          SEC,
          0,
          false,
          false,
          0 },
        { "full, all in use", POOL_FULL, { 0 }, 8, 8, 0, 0, 0, true, false, 0 },
        { "full: who has one waits",
          POOL_WAIT,
          { .n_open = 1, .n_running = 1 },
          8,
          7,
          0,
          SEC,
          10 * MSEC,
          false,
          false,
          0 },
        { "... but not for what others do not need",
          POOL_EVICT,
          { .n_open = 1, .n_running = 1 },
          8,
          7,
          0,
          SEC,
          0,
          true,
          false,
          0 },
        { "full: who cannot keep up without one that hangs gets what another can give",
          POOL_EVICT,
          { .n_open = 3, .n_running = 3, .took_usec = 40 * MSEC, .window_usec = NOW, .n_in_window = 59 },
          8,
          7,
          1,
          40 * MSEC,
          0,
          false,
          true,
          1 },
        { "... also where answers come soon, but not at once",
          POOL_WAIT,
          { .n_open = 2, .n_running = 2, .took_usec = 4 * MSEC, .window_usec = NOW, .n_in_window = 300 },
          8,
          7,
          1,
          19 * MSEC,
          13 * MSEC,
          false,
          true,
          1 },
        { "... and not one after the other at once",
          POOL_WAIT,
          { .n_open = 3, .n_running = 3, .took_usec = 40 * MSEC, .window_usec = NOW, .n_in_window = 59 },
          8,
          7,
          1,
          39 * MSEC,
          101 * MSEC,
          false,
          true,
          1 },
        { "... nor while it can",
          POOL_WAIT,
          { .n_open = 4, .n_running = 4, .took_usec = 40 * MSEC, .window_usec = NOW, .n_in_window = 59 },
          8,
          7,
          1,
          40 * MSEC,
          100 * MSEC,
          false,
          true,
          1 },
        { "... nor where one is only late, as all are where this host is busy",
          POOL_WAIT,
          { .n_open = 3, .n_running = 3, .took_usec = 40 * MSEC, .window_usec = NOW, .n_in_window = 59 },
          8,
          7,
          1,
          40 * MSEC,
          100 * MSEC,
          false,
          true,
          0 },
        { "... nor where none hangs: what is measured of a burst would move connections to and fro",
          POOL_WAIT,
          { .n_open = 2, .n_running = 2, .took_usec = 40 * MSEC, .window_usec = NOW, .n_in_window = 59 },
          8,
          7,
          0,
          40 * MSEC,
          100 * MSEC,
          false,
          true,
          0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Pool pool = { .max = 8, .n_open = cases[i].pool_open, .n_running = cases[i].pool_running };
        PoolRequest request = { .now_usec = NOW,
                                .waits_since_usec = NOW - cases[i].waited_usec,
                                .n_overdue = cases[i].n_overdue,
                                .n_hung = cases[i].n_hung,
                                .spare_elsewhere = cases[i].spare,
                                .given_elsewhere = cases[i].given };
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

static void a_host_gives_what_it_can_do_without(void **state _unused_) {
    static const struct {
        const char *what;
        unsigned n_open, n_running, n_overdue, rate;
        bool gives;
    } cases[] = {
        { "none is idle", 4, 4, 0, 10, false },
        { "one of four, of which three are enough", 4, 2, 0, 59, true },
        { "one of four, of which three are just enough", 4, 2, 0, 70, false },
        { "one of three", 3, 2, 0, 59, false },
        { "one of four, and one hangs", 4, 2, 1, 59, false },
        { "its only one", 1, 0, 0, 0, false },
        { "its only one that does not hang", 2, 1, 1, 0, false },
        { "one of two that it does not need", 2, 0, 0, 0, true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        PoolHost host = { .n_open = cases[i].n_open,
                          .n_running = cases[i].n_running,
                          .took_usec = 40 * MSEC,
                          .window_usec = SEC,
                          .n_in_window = cases[i].rate };

        print_message("%s\n", cases[i].what);
        assert_int_equal(pool_can_give(&host, cases[i].n_overdue, SEC), cases[i].gives);
    }
}

static void what_is_hardly_used_is_not_needed(void **state _unused_) {
    static const struct {
        const char *what;
        unsigned n_open, n_running, rate, n_since;
        bool unneeded;
    } cases[] = {
        { "not used for long", 6, 3, 59, 2000, true },
        { "used a while ago", 6, 3, 59, 1999, false },
        { "none is idle", 6, 6, 59, 2000, false },
        { "as many as its rate needs", 4, 2, 59, 2000, false },
        { "its only one", 1, 0, 0, 2000, false },
        { "the second of a host that is asked little", 2, 0, 0, 2000, true },
        { "... and that is used now and then", 2, 0, 0, 100, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        PoolHost host = { .n_open = cases[i].n_open,
                          .n_running = cases[i].n_running,
                          .took_usec = 40 * MSEC,
                          .window_usec = SEC,
                          .n_in_window = cases[i].rate,
                          .n_arrived = 5000 };

        print_message("%s\n", cases[i].what);
        assert_int_equal(pool_is_unneeded(&host, 5000 - cases[i].n_since, SEC), cases[i].unneeded);
    }
}

static void one_is_looked_for_now_and_then(void **state _unused_) {
    PoolHost host = { 0 };
    unsigned n = 0;

    for (unsigned i = 0; i < 640; i++) {
        pool_arrived(&host, SEC);
        n += pool_wants_trim(&host);
        assert_false(pool_wants_trim(&host));
    }
    assert_int_equal(n, 10);
}

static void what_hangs_is_given_up(void **state _unused_) {
    static const struct {
        uint64_t took_usec;
        unsigned n_given_up;
        uint64_t usec;
    } cases[] = {
        { 0, 0, 800 * MSEC },         { 1 * MSEC, 0, 250 * MSEC },  { 40 * MSEC, 0, 320 * MSEC },
        { 40 * MSEC, 3, 320 * MSEC }, { 40 * MSEC, 4, 640 * MSEC }, { 40 * MSEC, 12, 2560 * MSEC },
        { SEC, 1000, 2048 * SEC }, /* no request has so long: none is given up */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        PoolHost host = { .took_usec = cases[i].took_usec };

        for (unsigned n = 0; n < cases[i].n_given_up; n++)
            pool_gave_up(&host);
        assert_int_equal(pool_give_up_usec(&host), cases[i].usec);
        pool_answered(&host, cases[i].took_usec);
        host.took_usec = 40 * MSEC;
        assert_int_equal(pool_give_up_usec(&host), 320 * MSEC);
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

#define HOSTS_MAX     32
#define TARGETS_MAX   64 /* of a host */
#define REQUESTS_MAX  4096
#define DEADLINE_USEC (10 * SEC)

typedef struct Request {
    unsigned host, target;
    bool suspect, gone;
    uint64_t since_usec, started_usec, until_usec; /* started 0: waits */
} Request;

/* One that is polled. */
typedef struct Polled {
    bool hangs, suspect;
    uint64_t usec; /* when it was last asked; 0: not yet */
} Polled;

typedef struct World {
    Pool pool;
    unsigned n_hosts, rate; /* requests in a second to each */
    uint64_t trip_usec, timeout_usec;
    unsigned hang_one_in; /* 0: none */
    PoolHost hosts[HOSTS_MAX];
    Polled targets[HOSTS_MAX][TARGETS_MAX];
    unsigned n_suspect;
    unsigned n_gaps, n_long_gaps; /* between polls of what does not hang; more than a tenth too long */
    uint64_t longest_gap_usec;
    uint64_t used_usec[HOSTS_MAX];
    Request requests[REQUESTS_MAX];
    unsigned n_requests, n_served, n_late, n_opened, n_evicted, n_given_up;
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

static unsigned count_older(const World *w, unsigned host, uint64_t age_usec) {
    unsigned n = 0;

    for (unsigned i = 0; i < w->n_requests; i++)
        n += w->requests[i].host == host && w->requests[i].started_usec != 0 &&
             !w->requests[i].gone &&
             w->now_usec - w->requests[i].started_usec >= age_usec;
    return n;
}

static unsigned count_overdue(const World *w, unsigned host) {
    return count_older(w, host, pool_patience(&w->hosts[host]));
}

static bool is_spare_elsewhere(const World *w, unsigned host) {
    for (unsigned i = 0; i < w->n_hosts; i++)
        if (i != host && pool_is_spare(&w->hosts[i], w->now_usec))
            return true;
    return false;
}

static bool is_given_elsewhere(const World *w, unsigned host) {
    for (unsigned i = 0; i < w->n_hosts; i++)
        if (i != host && pool_can_give(&w->hosts[i], count_overdue(w, i), w->now_usec))
            return true;
    return false;
}

/* Of a host that can give one, if there is any: the one that was not used for longest. */
static void evict(World *w) {
    unsigned oldest = HOSTS_MAX;
    bool given = is_given_elsewhere(w, HOSTS_MAX);

    for (unsigned i = 0; i < w->n_hosts; i++)
        if (w->hosts[i].n_open > w->hosts[i].n_running &&
            (!given || pool_can_give(&w->hosts[i], count_overdue(w, i), w->now_usec)) &&
            (oldest == HOSTS_MAX || w->used_usec[i] < w->used_usec[oldest]))
            oldest = i;
    assert_int_not_equal(oldest, HOSTS_MAX);
    w->hosts[oldest].n_open--;
    w->n_evicted++;
}

static void note_poll(World *w, Polled *target) {
    uint64_t gap_usec = w->now_usec - target->usec;

    if (target->usec != 0 && !target->hangs) {
        w->n_gaps++;
        w->n_long_gaps += gap_usec > 11 * SEC / 10;
        w->longest_gap_usec = MAX(w->longest_gap_usec, gap_usec);
    }
    target->usec = w->now_usec;
}

static void start(World *w, Request *r) {
    PoolHost *host = &w->hosts[r->host];
    Polled *target = &w->targets[r->host][r->target];
    bool hangs = target->hangs || (w->hang_one_in != 0 && random_below(w, w->hang_one_in) == 0);
    bool opens = host->n_open <= host->n_running;

    host->n_open += opens;
    w->n_opened += opens;
    if (opens)
        host->opened_usec = w->now_usec;
    host->n_running++;
    w->pool.n_running++;
    w->n_suspect += r->suspect;
    r->started_usec = w->now_usec;
    r->until_usec = w->now_usec + (hangs ? w->timeout_usec : w->trip_usec * (opens ? 4 : 1));
    w->worst_usec = MAX(w->worst_usec, w->now_usec - r->since_usec);
    w->n_late += w->now_usec - r->since_usec > 100 * MSEC;
    note_poll(w, target);
}

static bool is_over_share(const World *w, const Request *r) {
    return r->suspect && w->n_suspect >= w->pool.max / 8;
}

static void end(World *w, Request *r, bool answered) {
    PoolHost *host = &w->hosts[r->host];

    host->n_running--;
    w->pool.n_running--;
    w->n_suspect -= r->suspect;
    w->used_usec[r->host] = w->now_usec;
    w->n_served++;
    w->targets[r->host][r->target].suspect = !answered;
    if (answered)
        pool_answered(host, w->trip_usec);
    else
        host->n_open--; /* one that timed out is closed */
    r->gone = true;
}

/* The oldest of those whose answer is not waited for any longer. */
static void give_up_one(World *w) {
    Request *oldest = NULL;

    for (unsigned i = 0; i < w->n_requests; i++) {
        Request *r = &w->requests[i];

        if (r->started_usec != 0 && !r->gone && !r->suspect &&
            w->now_usec - r->started_usec >= pool_give_up_usec(&w->hosts[r->host]) &&
            (!oldest || r->started_usec < oldest->started_usec))
            oldest = r;
    }
    if (!oldest)
        return;
    pool_gave_up(&w->hosts[oldest->host]);
    w->n_given_up++;
    end(w, oldest, false);
}

/* False: neither it nor those behind it can be started. */
static bool take_turn(World *w, Request *r) {
    PoolHost *host = &w->hosts[r->host];
    PoolRequest request = { .now_usec = w->now_usec,
                            .waits_since_usec = r->since_usec,
                            .n_overdue = count_overdue(w, r->host),
                            .n_hung = count_older(w, r->host, pool_hung_usec(host)),
                            .spare_elsewhere = is_spare_elsewhere(w, r->host),
                            .given_elsewhere = is_given_elsewhere(w, r->host) };
    uint64_t wait_usec;
    PoolDecision decision;

    if (is_over_share(w, r))
        return false;
    w->pool.n_open = sum_open(w);
    decision = pool_decide(&w->pool, host, &request, &wait_usec);
    assert_int_equal(wait_usec > 0, decision == POOL_WAIT);
    if (decision == POOL_FULL && !r->suspect)
        give_up_one(w);
    if (decision == POOL_WAIT || decision == POOL_FULL)
        return false;
    if (decision == POOL_EVICT)
        evict(w);
    host->n_waiting--;
    start(w, r);
    assert_true(sum_open(w) <= w->pool.max);
    return true;
}

static void submit(World *w, unsigned host, unsigned target) {
    assert_true(w->n_requests < REQUESTS_MAX);
    w->requests[w->n_requests++] = (Request){ .host = host,
                                              .target = target,
                                              .suspect = w->targets[host][target].suspect,
                                              .since_usec = w->now_usec };
    w->hosts[host].n_waiting++;
    pool_arrived(&w->hosts[host], w->now_usec);
}

/* The others stay in their order. */
static void drop_gone(World *w) {
    unsigned n = 0;

    for (unsigned i = 0; i < w->n_requests; i++)
        if (!w->requests[i].gone)
            w->requests[n++] = w->requests[i];
    w->n_requests = n;
}

static void end_what_is_over(World *w) {
    for (unsigned i = 0; i < w->n_requests; i++) {
        Request *r = &w->requests[i];

        if (r->started_usec != 0 && r->until_usec <= w->now_usec)
            end(w, r, r->until_usec - r->started_usec < w->timeout_usec);
        else if (r->started_usec == 0 && w->now_usec - r->since_usec >= DEADLINE_USEC) {
            w->hosts[r->host].n_waiting--;
            r->gone = true;
        }
    }
    drop_gone(w);
}

/* Each in its order; behind one that cannot be started none of its queue can. */
static void take_turns(World *w) {
    bool blocked[HOSTS_MAX][2] = { 0 };

    for (unsigned i = 0; i < w->n_requests; i++) {
        Request *r = &w->requests[i];

        if (r->started_usec == 0 && !blocked[r->host][r->suspect])
            blocked[r->host][r->suspect] = !take_turn(w, r);
    }
}

/* In steps of half a millisecond; polls are spread evenly, each host with a phase of its own. */
static void live(World *w, unsigned sec) {
    static const uint64_t step = 500;

    for (uint64_t end_usec = w->now_usec + sec * SEC; w->now_usec < end_usec; w->now_usec += step) {
        end_what_is_over(w);
        for (unsigned host = 0; host < w->n_hosts; host++) {
            uint64_t shift = host * 137, each = SEC / w->rate;

            if ((w->now_usec + shift) / each != (w->now_usec + shift - step) / each)
                submit(w, host, (unsigned)((w->now_usec + shift) / each % w->rate));
        }
        take_turns(w);
    }
}

static World new_world(unsigned max, unsigned n_hosts, unsigned rate, uint64_t trip_usec) {
    World w = { .pool.max = max, .n_hosts = n_hosts, .rate = rate, .trip_usec = trip_usec };

    w.timeout_usec = 5 * SEC;
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

/* Where there are too few for all, none takes another's: handshakes would leave even less for answers. */
static void too_few_connections_stay_where_they_are(void **state _unused_) {
    static const struct {
        unsigned max;
        uint64_t trip_usec;
    } cases[] = { { 48, 40 * MSEC }, { 44, 40 * MSEC }, { 64, 60 * MSEC } };
    static World w;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        w = new_world(cases[i].max, 17, 59, cases[i].trip_usec);
        live(&w, 3);
        w.n_opened = w.n_served = 0;
        live(&w, 5);
        print_message("%u connections for a need of %u: %u served, %u opened\n", w.pool.max,
                      (unsigned)(17 * 59 * w.trip_usec / SEC), w.n_served, w.n_opened);
        assert_int_equal(w.n_opened, 0);
        assert_true(w.n_served >= 9 * 5 * 17 * 59 / 10);
    }
}

/* All at once: as many connections as end that soon, and not one for each. */
static void a_burst_is_served_by_few(void **state _unused_) {
    static World w;

    w = new_world(64, 1, 1, 2 * MSEC);
    live(&w, 2);
    for (unsigned i = 0; i < 500; i++)
        submit(&w, 0, 0);
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

/* One target in twenty never answers from some time on. What is asked of the others goes out on time: from
 * the first second on, or where a poll cannot be given up in less than its interval, once each was. */
static void targets_that_hang_hold_up_no_others(void **state _unused_) {
    static const struct {
        const char *what;
        unsigned max, rate;
        uint64_t trip_usec;
        unsigned settle_sec;
    } cases[] = {
        { "the default", 64, 59, 40 * MSEC, 0 },
        { "short trips", 64, 59, 5 * MSEC, 0 },
        { "fewer targets, long trips", 64, 10, 150 * MSEC, 5 },
        { "a larger pool", 256, 59, 150 * MSEC, 5 },
    };
    static World w;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        unsigned n_hang = 0;

        w = new_world(cases[i].max, 17, cases[i].rate, cases[i].trip_usec);
        w.timeout_usec = DEADLINE_USEC;
        live(&w, 5);
        for (unsigned host = 0; host < w.n_hosts; host++)
            for (unsigned target = 0; target < w.rate; target++)
                if ((host * w.rate + target) % 20 == 7) {
                    w.targets[host][target].hangs = true;
                    n_hang++;
                }
        live(&w, cases[i].settle_sec);
        w.n_gaps = w.n_long_gaps = w.n_opened = w.n_served = 0;
        w.longest_gap_usec = 0;
        live(&w, 30);
        print_message("%s: %u hang; of %u intervals %u are too long, the longest %u ms; %u given up, "
                      "%u opened, %u evicted, %u served, %u connections\n",
                      cases[i].what, n_hang, w.n_gaps, w.n_long_gaps, (unsigned)(w.longest_gap_usec / MSEC),
                      w.n_given_up, w.n_opened, w.n_evicted, w.n_served, sum_open(&w));
        assert_true(w.n_gaps >= 29 * (w.n_hosts * w.rate - n_hang));
        assert_true(w.n_long_gaps <= w.n_gaps / 1000);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decisions),
        cmocka_unit_test(a_host_needs_its_rate_times_its_duration),
        cmocka_unit_test(a_host_gives_what_it_can_do_without),
        cmocka_unit_test(what_is_hardly_used_is_not_needed),
        cmocka_unit_test(one_is_looked_for_now_and_then),
        cmocka_unit_test(what_hangs_is_given_up),
        cmocka_unit_test(one_slow_answer_is_no_measure),
        cmocka_unit_test(steady_polls_open_nothing),
        cmocka_unit_test(too_few_connections_stay_where_they_are),
        cmocka_unit_test(a_burst_is_served_by_few),
        cmocka_unit_test(what_hangs_holds_up_nobody),
        cmocka_unit_test(targets_that_hang_hold_up_no_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
