/* SPDX-License-Identifier: Apache-2.0 */
/* An organization in shards, in virtual time: the real shards, schedule, rate limiter and connection pool,
 * and a model of AWS beside them. No clock is read, so that the figures are the same wherever it runs.
 *
 * usage: test_shards                          the tests, with a small organization
 *        test_shards ACCOUNTS SHARDS FILE     prints the figures of a large one, and writes them as JSON */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/core/schedule.h"
#include "daemon/core/scope.h"
#include "daemon/tables.h"
#include "lib/connection_pool.h"
#include "lib/rate_limiter.h"
#include "lib/util/macros.h"
#include "tests/unit/between.h"

static const char *const sim_regions[] = { "eu-central-1", "us-east-1", "ap-southeast-2" };

#define REGIONS ARRAY_SIZE(sim_regions)
/* What AWS grants an account in a region: reads a second (AWS CloudTrail User Guide, "Quotas"), here of all
 * operations together, and after a rest as many at once. */
#define AWS_READS    10U
#define AWS_GAP_USEC (USEC_PER_SEC / AWS_READS)
/* Calls about the settings of one trail: GetEventSelectors, GetInsightSelectors, ListTags,
 * GetEventConfiguration. */
#define SETTINGS_CALLS 4U

typedef struct World {
    unsigned n_accounts, n_shards;
    unsigned n_connections;        /* at a time, for one guard */
    uint64_t round_trip_usec;      /* a request takes this and up to as much again */
    uint64_t span_usec;            /* simulated */
    unsigned crowded_in_a_hundred; /* accounts with five trails in each region instead of one */
    Intervals intervals;
} World;

typedef struct SimTarget {
    const char *account;
    uint32_t phase;
    unsigned region, n_trails;
    unsigned n_calls;               /* of the poll under way: statuses, and the list when settings are due */
    unsigned n_beside, n_unchecked; /* calls about the settings of one trail; trails that wait for theirs */
    uint64_t due_usec, settings_due_usec, began_usec, status_usec;
    uint64_t aws_usec; /* when AWS's bucket is full again */
    bool settings;
} SimTarget;

typedef enum SimEvent { SIM_POLL, SIM_TURN, SIM_ANSWER, SIM_AGAIN } SimEvent;

typedef enum SimKind { SIM_STATUS, SIM_FIRST_STATUS, SIM_LIST, SIM_SETTING } SimKind;

typedef struct SimCall {
    uint64_t at_usec, order;
    uint64_t waits_since_usec, sent_usec;
    SimEvent event;
    SimKind kind;
    unsigned region; /* SIM_AGAIN */
    SimTarget *target;
    RateBucket *bucket;
} SimCall;

#define SETTLED_USEC (60 * USEC_PER_SEC)
#define BUCKETS      4096U /* of milliseconds over or under an interval */

typedef struct Figures {
    size_t n_accounts_min, n_accounts_max, n_targets_max, n_trails_max, bytes_max;
    uint64_t n_calls, n_opened, n_over_quota,
            n_late,         /* the interval of a trail's polls above 1.1 times its own */
            n_late_settled; /* ... once all settings were read, a minute after the start */
    unsigned quota_used_max;
    uint64_t first_pass_usec_max, poll_usec_max, interval_usec_max, interval_usec_p999, interval_usec_p50;
    size_t n_buckets_max;
    unsigned n_open_max;
    double calls_a_second_max;
} Figures;

/* First come, first served: a ring. */
typedef struct SimQueue {
    SimCall *calls;
    size_t first, n, size;
} SimQueue;

/* One guard. */
typedef struct Sim {
    const World *world;
    Figures *figures;
    SimTarget *targets;
    size_t n_targets, n_trails;
    SimCall *heap;
    size_t n_heap, heap_size;
    SimQueue waiting[REGIONS]; /* for a connection */
    bool again[REGIONS];       /* they are looked through when their time has come */
    Pool pool;
    PoolHost hosts[REGIONS];
    RateLimiter limiters[REGIONS];
    uint64_t now_usec, order, random, n_calls;
    size_t n_polled;     /* polls that have ended */
    uint32_t *intervals; /* how often each, in units of a hundredth of the interval */
} Sim;

/* ---- the queue of events ---- */

static bool is_before(const SimCall *a, const SimCall *b) {
    return a->at_usec != b->at_usec ? a->at_usec < b->at_usec : a->order < b->order;
}

static void push(Sim *sim, SimCall call) {
    size_t i = sim->n_heap++;

    if (sim->n_heap > sim->heap_size) {
        sim->heap_size = 2 * sim->n_heap;
        sim->heap = realloc(sim->heap, sim->heap_size * sizeof(*sim->heap));
        assert_non_null(sim->heap);
    }
    call.order = sim->order++;
    while (i > 0 && is_before(&call, &sim->heap[(i - 1) / 2])) {
        sim->heap[i] = sim->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    sim->heap[i] = call;
}

static SimCall pop(Sim *sim) {
    SimCall top = sim->heap[0], last = sim->heap[--sim->n_heap];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child + 1 < sim->n_heap && is_before(&sim->heap[child + 1], &sim->heap[child]))
            child++;
        if (child >= sim->n_heap || is_before(&last, &sim->heap[child]))
            break;
        sim->heap[i] = sim->heap[child];
        i = child;
    }
    sim->heap[i] = last;
    return top;
}

static uint64_t random_next(Sim *sim) {
    sim->random = sim->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return sim->random >> 33;
}

/* ---- requests ---- */

/* AWS's own bucket for the account in the region, kept as the time when it is full again. */
static void count_at_aws(Sim *sim, SimTarget *target) {
    uint64_t full_usec = MAX(target->aws_usec, sim->now_usec) + AWS_GAP_USEC, used;

    used = (full_usec - sim->now_usec + AWS_GAP_USEC - 1) / AWS_GAP_USEC;
    target->aws_usec = full_usec;
    sim->figures->quota_used_max = MAX(sim->figures->quota_used_max, (unsigned)used);
    sim->figures->n_over_quota += used > AWS_READS;
}

static void count_interval(Sim *sim, SimTarget *target) {
    uint64_t wanted_usec = schedule_interval_usec(&sim->world->intervals, target->n_trails),
             took_usec = sim->now_usec - target->status_usec;

    if (target->status_usec > 0) {
        uint64_t percent = took_usec * 100 / wanted_usec;

        sim->intervals[MIN(percent, (uint64_t)BUCKETS - 1)]++;
        sim->figures->n_late += percent > 110;
        sim->figures->n_late_settled += percent > 110 && sim->now_usec > SETTLED_USEC;
        sim->figures->interval_usec_max = MAX(sim->figures->interval_usec_max, took_usec);
    }
    target->status_usec = sim->now_usec;
}

static void start_request(Sim *sim, SimCall call, unsigned trips) {
    uint64_t trip_usec = sim->world->round_trip_usec;

    sim->hosts[call.target->region].n_running++;
    sim->pool.n_running++;
    sim->n_calls++;
    count_at_aws(sim, call.target);
    if (call.kind == SIM_FIRST_STATUS)
        count_interval(sim, call.target);
    call.event = SIM_ANSWER;
    call.sent_usec = sim->now_usec + (trips - 1) * trip_usec;
    call.at_usec = call.sent_usec + trip_usec + random_next(sim) % (trip_usec + 1);
    push(sim, call);
}

static bool is_spare_elsewhere(const Sim *sim, unsigned region) {
    for (unsigned other = 0; other < REGIONS; other++)
        if (other != region && pool_is_spare(&sim->hosts[other], sim->now_usec))
            return true;
    return false;
}

/* Any other host's idle one, the most spared first. */
static void close_idle(Sim *sim, unsigned region) {
    PoolHost *best = NULL;

    for (unsigned other = 0; other < REGIONS; other++) {
        PoolHost *host = &sim->hosts[other];

        if (other != region && host->n_open > host->n_running &&
            (!best || host->n_open - host->n_running > best->n_open - best->n_running))
            best = host;
    }
    assert_non_null(best);
    best->n_open--;
    sim->pool.n_open--;
}

static void open_connection(Sim *sim, PoolHost *host) {
    host->n_open++;
    host->opened_usec = sim->now_usec;
    sim->pool.n_open++;
    sim->figures->n_opened++;
    sim->figures->n_open_max = MAX(sim->figures->n_open_max, sim->pool.n_open);
}

static void wait_again(Sim *sim, unsigned region, uint64_t wait_usec) {
    if (sim->again[region] || wait_usec == 0)
        return;
    sim->again[region] = true;
    push(sim, (SimCall){ .at_usec = sim->now_usec + wait_usec, .event = SIM_AGAIN, .region = region });
}

/* False: it has to wait. TCP and TLS are two round trips before the request's own. */
static bool may_send(Sim *sim, const SimCall *call) {
    unsigned region = call->target->region;
    PoolHost *host = &sim->hosts[region];
    const PoolRequest request = {
        .now_usec = sim->now_usec,
        .waits_since_usec = call->waits_since_usec,
        .spare_elsewhere = is_spare_elsewhere(sim, region),
    };
    uint64_t wait_usec;
    PoolDecision decision = pool_decide(&sim->pool, host, &request, &wait_usec);

    if (decision == POOL_EVICT)
        close_idle(sim, region);
    if (decision == POOL_EVICT || decision == POOL_OPEN)
        open_connection(sim, host);
    if (decision <= POOL_EVICT) {
        start_request(sim, *call, decision == POOL_KEPT ? 1 : 3);
        return true;
    }
    wait_again(sim, region, wait_usec);
    return false;
}

static void serve_waiting(Sim *sim, unsigned region) {
    SimQueue *queue = &sim->waiting[region];

    while (queue->n > 0 && may_send(sim, &queue->calls[queue->first])) {
        queue->first = (queue->first + 1) % queue->size;
        sim->hosts[region].n_waiting = (unsigned)--queue->n;
    }
}

static void send_request(Sim *sim, SimCall call) {
    unsigned region = call.target->region;
    SimQueue *queue = &sim->waiting[region];

    call.waits_since_usec = sim->now_usec;
    pool_arrived(&sim->hosts[region], sim->now_usec);
    assert_true(queue->n < queue->size);
    queue->calls[(queue->first + queue->n++) % queue->size] = call;
    sim->hosts[region].n_waiting = (unsigned)queue->n;
    if (queue->n == 1)
        serve_waiting(sim, region);
}

static void make_call(Sim *sim, SimTarget *target, SimKind kind) {
    RateLimiter *limiter = &sim->limiters[target->region];
    RateBucket *bucket = rate_bucket_get(limiter, target->account, kind == SIM_LIST ? RATE_LIST : RATE_READ);
    uint64_t wait_usec;

    assert_non_null(bucket);
    wait_usec = token_bucket_take(&bucket->tokens, sim->now_usec, RATE_NEVER - 1);
    sim->figures->n_buckets_max = MAX(sim->figures->n_buckets_max, (size_t)limiter->n);
    *(kind == SIM_SETTING ? &target->n_beside : &target->n_calls) += 1;
    push(sim, (SimCall){ .at_usec = sim->now_usec + wait_usec,
                         .event = SIM_TURN,
                         .kind = kind,
                         .target = target,
                         .bucket = bucket });
}

/* ---- passes and polls ---- */

static void begin_sim_poll(Sim *sim, SimTarget *target) {
    target->settings =
            schedule_settings_are_due(&sim->world->intervals, target->settings_due_usec, sim->now_usec);
    target->began_usec = sim->now_usec;
    for (unsigned i = 0; i < target->n_trails; i++)
        make_call(sim, target, i == 0 ? SIM_FIRST_STATUS : SIM_STATUS);
    if (target->settings)
        make_call(sim, target, SIM_LIST);
}

/* One trail of a target after the other. */
static void begin_sim_check(Sim *sim, SimTarget *target) {
    if (target->n_unchecked == 0)
        return;
    target->n_unchecked--;
    for (unsigned i = 0; i < SETTINGS_CALLS; i++)
        make_call(sim, target, SIM_SETTING);
}

static void end_sim_poll(Sim *sim, SimTarget *target) {
    TargetPace pace = { .n_trails = target->n_trails, .took_usec = sim->now_usec - target->began_usec };
    const Intervals *intervals = &sim->world->intervals;
    const ListPace list = { .outcome = target->settings ? LIST_READ : LIST_NOT_ASKED,
                            .n_trails = target->n_trails,
                            .has_phase = true,
                            .phase = target->phase,
                            .due_usec = target->settings_due_usec };

    target->due_usec = sim->now_usec + schedule_wait(intervals, &pace, random_next(sim));
    target->settings_due_usec = schedule_list_due(intervals, &list, sim->now_usec);
    if (target->settings) {
        target->n_unchecked = target->n_trails;
        if (target->n_beside == 0)
            begin_sim_check(sim, target);
    }
    if (++sim->n_polled == sim->n_targets)
        sim->figures->first_pass_usec_max = MAX(sim->figures->first_pass_usec_max, sim->now_usec);
    sim->figures->poll_usec_max = MAX(sim->figures->poll_usec_max, pace.took_usec);
}

/* At the target's place in each round; the first time at once, as after a start. */
static void take_sim_turn(Sim *sim, SimTarget *target) {
    const Intervals *intervals = &sim->world->intervals;
    uint64_t round = schedule_round(intervals, sim->now_usec), next_usec;

    if (target->n_calls == 0 && target->due_usec <= sim->now_usec)
        begin_sim_poll(sim, target);
    next_usec = schedule_turn(intervals, round, target->phase);
    if (next_usec <= sim->now_usec)
        next_usec = schedule_turn(intervals, round + 1, target->phase);
    push(sim, (SimCall){ .at_usec = next_usec, .event = SIM_POLL, .target = target });
}

static void take_answer(Sim *sim, const SimCall *call) {
    token_bucket_succeeded(&call->bucket->tokens);
    rate_bucket_put(call->bucket);
    pool_answered(&sim->hosts[call->target->region], sim->now_usec - call->sent_usec);
    sim->hosts[call->target->region].n_running--;
    sim->pool.n_running--;
    if (call->kind == SIM_SETTING) {
        if (--call->target->n_beside == 0)
            begin_sim_check(sim, call->target);
    } else if (--call->target->n_calls == 0)
        end_sim_poll(sim, call->target);
    serve_waiting(sim, call->target->region);
    for (unsigned region = 0; sim->pool.n_open > sim->pool.n_running && region < REGIONS; region++)
        serve_waiting(sim, region);
}

static void look_again(Sim *sim, unsigned region) {
    sim->again[region] = false;
    serve_waiting(sim, region);
}

static void run_guard(Sim *sim) {
    for (size_t i = 0; i < sim->n_targets; i++)
        push(sim, (SimCall){ .event = SIM_POLL, .target = &sim->targets[i] });
    while (sim->heap[0].at_usec <= sim->world->span_usec) {
        SimCall call = pop(sim);

        sim->now_usec = call.at_usec;
        switch (call.event) {
        case SIM_POLL: take_sim_turn(sim, call.target); break;
        case SIM_TURN: send_request(sim, call); break;
        case SIM_ANSWER: take_answer(sim, &call); break;
        case SIM_AGAIN: look_again(sim, call.region); break;
        }
    }
    for (size_t i = 0; i < sim->n_targets; i++) {
        uint64_t wanted_usec = schedule_interval_usec(&sim->world->intervals, sim->targets[i].n_trails);

        sim->figures->n_late += sim->world->span_usec - sim->targets[i].status_usec > wanted_usec * 11 / 10;
    }
    /* those that no one answers any more */
    while (sim->n_heap > 0) {
        SimCall call = pop(sim);

        if (call.bucket)
            rate_bucket_put(call.bucket);
    }
    for (unsigned region = 0; region < REGIONS; region++)
        for (SimQueue *queue = &sim->waiting[region]; queue->n > 0; queue->n--)
            rate_bucket_put(queue->calls[queue->first++ % queue->size].bucket);
}

/* ---- the organization ---- */

/* Ids as AWS gives them: spread over all of them. */
static void make_sim_id(char id[static 16], unsigned i) {
    (void)snprintf(id, 16, "%012llu",
                   (unsigned long long)(UINT64_C(100000000000) +
                                        i * UINT64_C(68718952447) % UINT64_C(899999999999)));
}

/* The accounts of shard `number`, as the guard has them in its tables. */
static size_t fill_guard(Sim *sim, unsigned number, char (*ids)[16]) {
    const World *world = sim->world;
    const Shard shard = { number, world->n_shards };
    size_t n = 0;

    for (unsigned i = 0; i < world->n_accounts; i++) {
        unsigned n_trails = i % 100 < world->crowded_in_a_hundred ? 5 : 1;

        if (!shard_has(&shard, ids[i]))
            continue;
        for (unsigned region = 0; region < REGIONS; region++)
            sim->targets[sim->n_targets++] =
                    (SimTarget){ .account = ids[i],
                                 .phase = schedule_phase(ids[i], sim_regions[region]),
                                 .region = region,
                                 .n_trails = n_trails };
        sim->n_trails += (size_t)REGIONS * n_trails;
        n++;
    }
    for (unsigned region = 0; region < REGIONS; region++) {
        SimQueue *queue = &sim->waiting[region];

        queue->size = sim->n_trails * (1 + SETTINGS_CALLS) + sim->n_targets + 1;
        queue->calls = calloc(queue->size, sizeof(*queue->calls));
        assert_non_null(queue->calls);
    }
    return n;
}

/* What the tables of one guard take: structs as the daemon has them; texts and TLS come on top. */
static size_t table_bytes(const Sim *sim, size_t n_accounts) {
    return n_accounts * sizeof(Account) + sim->n_targets * sizeof(Target) + sim->n_trails * sizeof(Trail) +
           sim->figures->n_buckets_max * REGIONS * sizeof(RateBucket);
}

static uint64_t percentile(const uint32_t *counts, double share, uint64_t interval_usec) {
    uint64_t all = 0, below = 0;

    for (unsigned i = 0; i < BUCKETS; i++)
        all += counts[i];
    for (unsigned i = 0; i < BUCKETS; i++) {
        below += counts[i];
        if (all > 0 && (double)below >= share * (double)all)
            return (i + 1) * interval_usec / 100;
    }
    return 0;
}

static void simulate_guard(const World *world, unsigned number, char (*ids)[16], uint32_t *counts,
                           Figures *figures) {
    Sim sim = { .world = world, .figures = figures, .random = number, .intervals = counts };
    size_t n;

    sim.targets = calloc((size_t)world->n_accounts * REGIONS + 1, sizeof(*sim.targets));
    assert_non_null(sim.targets);
    sim.pool.max = world->n_connections;
    n = fill_guard(&sim, number, ids);
    run_guard(&sim);
    figures->n_accounts_min = MIN(figures->n_accounts_min, n);
    figures->n_accounts_max = MAX(figures->n_accounts_max, n);
    figures->n_targets_max = MAX(figures->n_targets_max, sim.n_targets);
    figures->n_trails_max = MAX(figures->n_trails_max, sim.n_trails);
    figures->bytes_max = MAX(figures->bytes_max, table_bytes(&sim, n));
    figures->n_calls += sim.n_calls;
    figures->calls_a_second_max = MAX(figures->calls_a_second_max,
                                      (double)sim.n_calls * (double)USEC_PER_SEC / (double)world->span_usec);
    for (unsigned region = 0; region < REGIONS; region++) {
        rate_limiter_done(&sim.limiters[region]);
        free(sim.waiting[region].calls);
    }
    free(sim.targets);
    free(sim.heap);
}

static Figures simulate(const World *world) {
    Figures figures = { .n_accounts_min = SIZE_MAX };
    char(*ids)[16] = calloc(world->n_accounts, sizeof(*ids));
    uint32_t *counts = calloc(BUCKETS, sizeof(*counts));

    assert_non_null(ids);
    assert_non_null(counts);
    for (unsigned i = 0; i < world->n_accounts; i++)
        make_sim_id(ids[i], i);
    for (unsigned number = 1; number <= world->n_shards; number++)
        simulate_guard(world, number, ids, counts, &figures);
    figures.interval_usec_p50 = percentile(counts, 0.5, world->intervals.poll_usec);
    figures.interval_usec_p999 = percentile(counts, 0.999, world->intervals.poll_usec);
    free(ids);
    free(counts);
    return figures;
}

static World world_of(unsigned n_accounts, unsigned n_shards) {
    return (World){
        .n_accounts = n_accounts,
        .n_shards = n_shards,
        .n_connections = 256,
        .round_trip_usec = 20 * USEC_PER_MSEC,
        .span_usec = 125 * USEC_PER_SEC,
        .crowded_in_a_hundred = 2,
        .intervals = { .poll_usec = 10 * USEC_PER_SEC,
                       .settings_usec = 60 * USEC_PER_SEC,
                       .unreachable_after = 3 },
    };
}

/* ---- tests ---- */

static void quotas_hold_and_intervals_are_kept(void **state _unused_) {
    World world = world_of(600, 2);
    Figures figures = simulate(&world);

    assert_int_equal(figures.n_over_quota, 0);
    assert_between(figures.quota_used_max, 1, AWS_READS);
    assert_int_equal(figures.n_late, 0);
    assert_between(figures.interval_usec_p999, world.intervals.poll_usec * 9 / 10,
                   world.intervals.poll_usec * 11 / 10);
    assert_between(figures.first_pass_usec_max, 1, world.intervals.poll_usec / 2);
    /* every trail was polled in every interval */
    assert_true(figures.n_calls >= world.span_usec / world.intervals.poll_usec * REGIONS * world.n_accounts);
    /* what a target and its trail take of the guard's memory */
    assert_between(figures.bytes_max / figures.n_trails_max, 1, 16384);
}

/* What the test above must be able to find. */
/* As busy as a guard of ten thousand targets: once the settings were read for the first time they come
 * spread over their interval, and no status queues behind them. */
static void settings_delay_no_status(void **state _unused_) {
    World world = world_of(600, 1);
    Figures figures;

    world.n_connections = 36;
    figures = simulate(&world);
    assert_int_equal(figures.n_late_settled, 0);
    assert_int_equal(figures.n_over_quota, 0);
}

static void one_guard_is_late_with_more_than_its_connections_carry(void **state _unused_) {
    World world = world_of(600, 1);
    Figures figures;

    world.n_connections = 4; /* 133 requests a second, and 180 statuses are due */
    figures = simulate(&world);
    assert_true(figures.n_late > 1000);
    assert_true(figures.interval_usec_max > world.intervals.poll_usec * 11 / 10);
    assert_int_equal(figures.n_over_quota, 0);
}

/* Settings come on top of statuses, and of five trails in every region. */
static void crowded_accounts_use_their_quota_and_no_more(void **state _unused_) {
    World world = world_of(100, 1);
    Figures figures;

    world.crowded_in_a_hundred = 100;
    figures = simulate(&world);
    assert_int_equal(figures.n_over_quota, 0);
    assert_between(figures.quota_used_max, AWS_READS / 2 + 1, AWS_READS);
}

/* ---- the figures of a large organization ---- */

static double seconds(uint64_t usec) {
    return (double)usec / (double)USEC_PER_SEC;
}

static json_t *figures_json(const World *world, const Figures *figures) {
    return json_pack(
            "{s:i, s:i, s:i, s:f, s:f, s:i, s:I, s:I, s:I, s:I, s:f, s:I, s:I, s:i, s:i, s:i, s:I, s:I, "
            "s:I, "
            "s:f, s:f, s:f, s:f, s:f, s:I}",
            "accounts", (int)world->n_accounts, "regions", (int)REGIONS, "shards", (int)world->n_shards,
            "poll_interval_seconds", seconds(world->intervals.poll_usec), "simulated_seconds",
            seconds(world->span_usec), "connections", (int)world->n_connections, "accounts_least",
            (json_int_t)figures->n_accounts_min, "accounts_most", (json_int_t)figures->n_accounts_max,
            "targets_most", (json_int_t)figures->n_targets_max, "trails_most",
            (json_int_t)figures->n_trails_max, "calls_a_second_most", figures->calls_a_second_max, "calls",
            (json_int_t)figures->n_calls, "new_connections", (json_int_t)figures->n_opened,
            "connections_most", (int)figures->n_open_max, "quota_a_second", (int)AWS_READS,
            "quota_used_most", (int)figures->quota_used_max, "over_quota", (json_int_t)figures->n_over_quota,
            "late_polls", (json_int_t)figures->n_late, "late_polls_after_a_minute",
            (json_int_t)figures->n_late_settled, "first_pass_seconds_most",
            seconds(figures->first_pass_usec_max), "poll_seconds_most", seconds(figures->poll_usec_max),
            "interval_seconds_p50", seconds(figures->interval_usec_p50), "interval_seconds_p999",
            seconds(figures->interval_usec_p999), "interval_seconds_most",
            seconds(figures->interval_usec_max), "table_bytes_most", (json_int_t)figures->bytes_max);
}

static int print_figures(unsigned n_accounts, unsigned n_shards, const char *path) {
    World world = world_of(n_accounts, n_shards);
    Figures figures;
    json_t *document;
    int r;

    if (n_accounts == 0 || n_shards == 0 || n_shards > SHARDS_MAX) {
        fputs("usage: test_shards [ACCOUNTS SHARDS FILE]\n", stderr);
        return 2;
    }
    figures = simulate(&world);
    document = figures_json(&world, &figures);
    r = document ? json_dumpf(document, stdout, JSON_INDENT(1)) |
                           json_dump_file(document, path, JSON_INDENT(1))
                 : -1;
    putchar('\n');
    json_decref(document);
    return r == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotas_hold_and_intervals_are_kept),
        cmocka_unit_test(settings_delay_no_status),
        cmocka_unit_test(one_guard_is_late_with_more_than_its_connections_carry),
        cmocka_unit_test(crowded_accounts_use_their_quota_and_no_more),
    };

    if (argc == 4)
        return print_figures((unsigned)strtoul(argv[1], NULL, 10), (unsigned)strtoul(argv[2], NULL, 10),
                             argv[3]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
