/* SPDX-License-Identifier: Apache-2.0 */
/* Three rules keep this safe. libcurl's callbacks only record what happened and change event sources.
 * Finished exchanges are collected after libcurl has returned. A done callback may submit, cancel and even
 * free the client, so its caller holds a reference and checks `closed` afterwards. */
#include "lib/http_curl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/http_curl_exchange.h"
#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define TIMER_ACCURACY_USEC (1 * USEC_PER_MSEC)
#define NEVER               UINT64_MAX

/* One host slot may use at most half of the connections; all suspect hosts together an eighth. */
#define HOST_SLOT_SHARE 2U
#define SUSPECT_SHARE   8U

#define NAME_LIFE_USEC (60 * USEC_PER_SEC)
/* Limited, so that a changed address takes effect. */
#define CONNECTION_LIFE_SEC 300U
/* If the resolver takes longer than this, addresses that worked before are used. */
#define OLD_PATIENCE_USEC (2 * USEC_PER_SEC)
/* If a connection takes longer than this, the other addresses of its host are tried in parallel. */
#define RACE_AFTER_USEC (250 * USEC_PER_MSEC)
#define RACES_MAX       4U

static uint64_t add_saturated(uint64_t a, uint64_t b) {
    return a > NEVER - b ? NEVER : a + b;
}

static HttpCurl *client_ref(HttpCurl *c) {
    c->n_refs++;
    return c;
}

/* The last reference may be held by the caller of a callback that freed the client. */
static void client_unref(HttpCurl *c) {
    if (--c->n_refs > 0)
        return;
    if (c->curl_ready)
        curl_global_cleanup();
    free(c);
}

/* ---- the queue ---- */

static void wait_until(HttpCurl *c, uint64_t deadline_usec) {
    if (deadline_usec >= c->waiting_until_usec)
        return;
    c->waiting_until_usec = deadline_usec;
    (void)sd_event_source_set_time(c->waiting_timer, deadline_usec);
    (void)sd_event_source_set_enabled(c->waiting_timer, SD_EVENT_ONESHOT);
}

/* The list is in the order of the start: the first young one ends the search. */
static unsigned count_older(const HttpCurl *c, const CurlOrigin *origin, uint64_t age_usec, uint64_t now) {
    const HttpExchange *x;
    unsigned n = 0;

    for (x = c->lists[EXCHANGE_RUNNING].first; x && now - x->started_usec >= age_usec; x = x->next)
        n += x->origin == origin;
    return n;
}

static unsigned count_overdue(const HttpCurl *c, const CurlOrigin *origin, uint64_t now) {
    return count_older(c, origin, pool_patience(&origin->host), now);
}

static bool is_spare_elsewhere(const HttpCurl *c, const CurlOrigin *origin, uint64_t now) {
    for (const CurlOrigin *o = c->origins; o; o = o->next)
        if (o != origin && pool_is_spare(&o->host, now))
            return true;
    return false;
}

/* Among hosts that can keep up without an idle connection, the one with the most. */
static const CurlOrigin *find_giving(const HttpCurl *c, const CurlOrigin *origin, uint64_t now) {
    const CurlOrigin *found = NULL;
    unsigned most = 0;

    for (const CurlOrigin *o = c->origins; o; o = o->next) {
        unsigned n_idle = o->host.n_open - MIN(o->host.n_running, o->host.n_open);

        if (o != origin && n_idle > most && pool_can_give(&o->host, count_overdue(c, o, now), now)) {
            found = o;
            most = n_idle;
        }
    }
    return found;
}

/* Advances *ret_again_usec (monotonic) to the time at which the result may change. */
static HttpWait waits_for(const HttpCurl *c, const HttpExchange *x, uint64_t now, uint64_t *ret_again_usec) {
    const PoolHost *host = &x->origin->host;
    PoolRequest request = { .now_usec = now, .waits_since_usec = x->queued_usec };
    uint64_t wait_usec;
    PoolDecision decision;

    if (c->lists[EXCHANGE_RUNNING].n >= c->pool.max)
        return HTTP_WAIT_CONNECTIONS;
    if (x->host_slot != 0 && c->host_slots[x->host_slot] >= c->host_slot_max)
        return HTTP_WAIT_HOST_SLOT;
    if (x->suspect && c->n_suspect >= c->suspect_max)
        return HTTP_WAIT_SUSPECT;
    if (host->n_open <= host->n_running) {
        request.n_overdue = count_overdue(c, x->origin, now);
        if (c->pool.n_open >= c->pool.max) {
            request.spare_elsewhere = is_spare_elsewhere(c, x->origin, now);
            request.n_hung = count_older(c, x->origin, pool_hung_usec(&x->origin->host), now);
            request.given_elsewhere = request.n_hung > 0 && find_giving(c, x->origin, now);
        }
    }
    decision = pool_decide(&c->pool, host, &request, &wait_usec);
    if (decision == POOL_WAIT)
        *ret_again_usec = MIN(*ret_again_usec, now + wait_usec);
    return decision == POOL_WAIT   ? HTTP_WAIT_KEPT
           : decision == POOL_FULL ? HTTP_WAIT_CONNECTIONS
                                   : HTTP_WAIT_NONE;
}

static bool comes_before(const HttpExchange *a, const HttpExchange *b) {
    return a->urgent != b->urgent ? a->urgent : a->number < b->number;
}

/* Of those that can start the one that has waited longest; urgent ones first. */
static HttpExchange *find_startable(const HttpCurl *c, uint64_t *ret_again_usec) {
    uint64_t now = c->queues ? curl_now_usec() : 0;
    HttpExchange *found = NULL;

    *ret_again_usec = NEVER;
    for (const HostQueue *queue = c->queues; queue; queue = queue->next) {
        HttpExchange *x = queue->list.first;

        if ((!found || comes_before(x, found)) && waits_for(c, x, now, ret_again_usec) == HTTP_WAIT_NONE)
            found = x;
    }
    return found;
}

/* If it needs a new connection and the limit is reached, closes an idle one. */
static int start(HttpExchange *x, const HttpRequest *request) {
    HttpCurl *c = x->owner;
    const PoolHost *host = &x->origin->host;

    if (host->n_open <= host->n_running && c->pool.n_open >= c->pool.max)
        curl_watch_drop_idle(&c->watch, find_giving(c, x->origin, curl_now_usec()));
    return curl_exchange_start(x, request);
}

/* True if an exchange waits only because all connections are in use. Suspect ones do not count: no other
 * exchange ends for them. */
static bool is_exhausted(const HttpCurl *c) {
    if (c->pool.n_running < c->pool.max)
        return false;
    for (const HostQueue *queue = c->queues; queue; queue = queue->next)
        if (!queue->suspect && (queue->host_slot == 0 || c->host_slots[queue->host_slot] < c->host_slot_max))
            return true;
    return false;
}

/* Advances *again_usec to the time at which there may be one. */
static HttpExchange *find_hung(const HttpCurl *c, uint64_t *again_usec) {
    uint64_t now = curl_now_usec();

    for (HttpExchange *x = c->lists[EXCHANGE_RUNNING].first; x; x = x->next) {
        uint64_t until_usec = x->started_usec + pool_give_up_usec(&x->origin->host);

        if (x->suspect || !x->repeatable)
            continue;
        if (until_usec <= now)
            return x;
        *again_usec = MIN(*again_usec, until_usec);
    }
    return NULL;
}

/* The caller repeats it as a suspect one. */
static bool give_up_one(HttpCurl *c, uint64_t *again_usec) {
    HttpExchange *x = is_exhausted(c) ? find_hung(c, again_usec) : NULL;
    char text[80];

    if (!x)
        return false;
    (void)snprintf(text, sizeof(text), "no answer within %llu ms, while others waited for a connection",
                   (unsigned long long)((curl_now_usec() - x->started_usec) / USEC_PER_MSEC));
    pool_gave_up(&x->origin->host);
    c->stats.given_up++;
    curl_exchange_fail(x, HTTP_TIMED_OUT, false, text);
    return true;
}

static void start_startable(HttpCurl *c, uint64_t *ret_again_usec) {
    HttpExchange *x;

    while ((x = find_startable(c, ret_again_usec))) {
        if (start(x, &x->waiting->request) >= 0)
            curl_request_free(TAKE_PTR(x->waiting));
        else
            curl_exchange_refuse(x);
    }
}

/* Starts waiting exchanges while there is room. The caller holds a reference on the client. */
static void http_curl_start_waiting(HttpCurl *c) {
    uint64_t again_usec;

    do
        start_startable(c, &again_usec);
    while (give_up_one(c, &again_usec) && !c->closed);
    if (c->closed)
        return;
    if (c->queues)
        wait_until(c, again_usec);
    else if (!c->lists[EXCHANGE_RESOLVING].first && c->waiting_until_usec != NEVER) {
        c->waiting_until_usec = NEVER;
        (void)sd_event_source_set_enabled(c->waiting_timer, SD_EVENT_OFF);
    }
}

static uint64_t patience_of(const HttpExchange *x) {
    return x->state == EXCHANGE_RESOLVING ? x->patience_usec : x->deadline_usec;
}

static HttpExchange *find_expired_in(const ExchangeList *l, uint64_t now, uint64_t *next_usec) {
    HttpExchange *x;

    for (x = l->first; x && patience_of(x) > now; x = x->next)
        *next_usec = MIN(*next_usec, patience_of(x));
    return x;
}

/* A done callback may change the queues in any way, so the search restarts after each. */
static HttpExchange *find_expired(HttpCurl *c, uint64_t now, uint64_t *ret_next_usec) {
    HttpExchange *x;

    *ret_next_usec = NEVER;
    x = find_expired_in(&c->lists[EXCHANGE_RESOLVING], now, ret_next_usec);
    for (const HostQueue *queue = c->queues; !x && queue; queue = queue->next)
        x = find_expired_in(&queue->list, now, ret_next_usec);
    return x;
}

/* Puts it behind those that wait for a connection. */
static void exchange_queue(HttpExchange *x) {
    HttpCurl *c = x->owner;
    HostQueue *queue = curl_exchange_queue_of(c, x);
    uint64_t again_usec = NEVER;

    if (!queue) {
        curl_exchange_refuse(x);
        return;
    }
    x->queued_usec = curl_now_usec();
    curl_exchange_link(x, EXCHANGE_WAITING, &queue->list);
    x->waited_for = waits_for(c, x, x->queued_usec, &again_usec);
    wait_until(c, MIN(again_usec, x->deadline_usec));
}

/* The resolver took too long: uses addresses that worked before, or fails. */
static void exchange_lose_patience(HttpExchange *x, uint64_t now) {
    char text[CURL_HOST_MAX + 64];

    curl_resolver_give_up(x->owner->resolver, x->host);
    if (curl_resolver_find(x->owner->resolver, x->host, &x->addresses) != CURL_NAME_UNKNOWN) {
        exchange_queue(x);
        return;
    }
    (void)snprintf(text, sizeof(text), "could not resolve %s within %llu ms", x->host,
                   (unsigned long long)((now - x->submitted_usec) / USEC_PER_MSEC));
    curl_exchange_fail(x, HTTP_TIMED_OUT, false, text);
}

static int on_waiting_timer(sd_event_source *source, uint64_t usec, void *userdata) {
    HttpCurl *c = client_ref(userdata);
    uint64_t now = curl_now_usec(), next;
    HttpExchange *x;

    (void)source;
    (void)usec;
    c->waiting_until_usec = NEVER;
    while (!c->closed && (x = find_expired(c, now, &next))) {
        if (x->state == EXCHANGE_RESOLVING)
            exchange_lose_patience(x, now);
        else
            curl_exchange_fail(x, HTTP_TIMED_OUT, true, "timed out while waiting for a free connection");
    }
    if (!c->closed)
        wait_until(c, next);
    if (!c->closed)
        http_curl_start_waiting(c);
    client_unref(c);
    return 0;
}

/* ---- names ---- */

/* The number excludes exchanges for the same name that a done callback submits meanwhile: they wait for a
 * new answer. */
static HttpExchange *find_resolving(const HttpCurl *c, const char *host, uint64_t up_to) {
    HttpExchange *x;

    for (x = c->lists[EXCHANGE_RESOLVING].first; x; x = x->next)
        if (x->number <= up_to && strcmp(x->host, host) == 0)
            break;
    return x;
}

static void on_resolved(const char *host, const char *error, void *userdata) {
    HttpCurl *c = client_ref(userdata);
    uint64_t up_to = c->n_submitted;
    char text[CURL_HOST_MAX + 128] = "";
    HttpExchange *x;

    if (error)
        (void)snprintf(text, sizeof(text), "could not resolve %s: %s", host, error);
    while (!c->closed && (x = find_resolving(c, host, up_to))) {
        if (error)
            curl_exchange_fail(x, HTTP_RESOLVE_FAILED, false, text);
        else if (curl_resolver_find(c->resolver, host, &x->addresses) == CURL_NAME_UNKNOWN)
            curl_exchange_fail(x, HTTP_INTERNAL, false, "out of memory");
        else
            exchange_queue(x);
    }
    if (!c->closed)
        http_curl_start_waiting(c);
    client_unref(c);
}

/* ---- several addresses ---- */

static bool is_connecting(const HttpExchange *x) {
    return x->job->n_sockets > 0 && !curl_job_is_connected(x->job);
}

static void on_race_done(const char *address, void *userdata) {
    HttpExchange *x = userdata, *next;
    HttpCurl *c = x->owner;
    unsigned port = x->port;
    char host[CURL_HOST_MAX];

    if (address)
        curl_resolver_prefer(c->resolver, x->host, address);
    curl_exchange_end_race(x);
    text_copy(host, sizeof(host), x->host);
    for (x = address ? c->lists[EXCHANGE_RUNNING].first : NULL; x; x = next) {
        next = x->next;
        if (x->port == port && strcmp(x->host, host) == 0 && is_connecting(x) &&
            curl_resolver_find(c->resolver, host, &x->addresses) != CURL_NAME_UNKNOWN)
            curl_exchange_restart(x);
    }
}

static void exchange_race(HttpExchange *x) {
    HttpCurl *c = x->owner;

    x->raced = true;
    if (c->n_races < RACES_MAX &&
        curl_race_new(c->event, &x->addresses, x->port, on_race_done, x, &x->race) >= 0)
        c->n_races++;
}

static void want_races(HttpCurl *c) {
    int enabled = SD_EVENT_ON;

    if (sd_event_source_get_enabled(c->race_timer, &enabled) < 0 || enabled != SD_EVENT_OFF)
        return;
    (void)sd_event_source_set_time(c->race_timer, curl_now_usec() + RACE_AFTER_USEC);
    (void)sd_event_source_set_enabled(c->race_timer, SD_EVENT_ONESHOT);
}

static void on_opened(curl_socket_t fd, void *userdata) {
    HttpExchange *x = userdata;

    curl_watch_opened(&x->owner->watch, fd, x->origin);
    if (x->addresses.n > 1)
        want_races(x->owner);
}

/* A connection has one period of the timer; one that starts in between has up to two. */
static int on_race_timer(sd_event_source *source, uint64_t usec, void *userdata) {
    HttpCurl *c = userdata;
    uint64_t now = curl_now_usec();
    bool again = false;

    (void)source;
    (void)usec;
    for (HttpExchange *x = c->lists[EXCHANGE_RUNNING].first; x; x = x->next) {
        if (x->raced || x->addresses.n < 2 || !is_connecting(x))
            continue;
        if (now - x->started_usec >= RACE_AFTER_USEC)
            exchange_race(x);
        else
            again = true;
    }
    if (again)
        want_races(c);
    return 0;
}

/* ---- libcurl and the loop ---- */

/* Collects all transfers that have ended; there can be several per wake-up. */
static void collect(HttpCurl *c) {
    HttpExchange *x;
    CURLMsg *m;
    int n;

    while (!c->closed && (m = curl_multi_info_read(c->multi, &n))) {
        CURLcode code = m->data.result;
        char *private = NULL;

        if (m->msg == CURLMSG_DONE &&
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &private) == CURLE_OK && private)
            curl_exchange_finish((HttpExchange *)(void *)private, code);
    }
    while (!c->closed && ((x = c->lists[EXCHANGE_REFUSED].first) || (x = curl_exchange_find_lost(c))))
        curl_exchange_fail(x, HTTP_INTERNAL, true, "out of memory");
    if (!c->closed)
        http_curl_start_waiting(c);
}

/* Called from the loop. */
static void on_wake(curl_socket_t fd, int events, void *userdata) {
    HttpCurl *c = client_ref(userdata);
    int n_running;

    if (curl_multi_socket_action(c->multi, fd, events, &n_running) != CURLM_OK) {
        curl_exchange_lose_unwatched(c);
        curl_watch_resume(&c->watch);
    }
    collect(c);
    client_unref(c);
}

/* ---- the interface ---- */

/* Determines its host, origin and proxy. */
static int exchange_locate(HttpExchange *x, const HttpRequest *request) {
    HttpCurl *c = x->owner;
    char origin[CURL_ORIGIN_MAX];
    int r;

    r = curl_request_check(request, origin, &x->tls);
    if (r < 0)
        return r;
    if (!curl_split_authority(origin, x->host, sizeof(x->host), &x->port))
        return -EINVAL;
    x->origin = curl_origin_join(&c->origins, origin);
    if (!x->origin)
        return -ENOMEM;
    pool_arrived(&x->origin->host, x->submitted_usec);
    if (c->proxy && x->tls && !request->direct && !curl_no_proxy_matches(c->no_proxy, x->host, x->port)) {
        x->proxy = c->proxy;
        x->port = c->proxy_port;
        text_copy(x->host, sizeof(x->host), c->proxy_host);
    }
    if (curl_is_address(x->host))
        x->host[0] = '\0';
    return 0;
}

/* Starts the resolution of its host unless the addresses are known. 1: they are known. */
static int exchange_resolve(HttpExchange *x, const HttpRequest *request) {
    CurlResolver *resolver = x->owner->resolver;
    uint64_t patience = MIN(request->connect_timeout_usec, request->timeout_usec);
    CurlNameState state =
            x->host[0] ? curl_resolver_find(resolver, x->host, &x->addresses) : CURL_NAME_FRESH;
    int r;

    if (state == CURL_NAME_FRESH)
        return 1;
    x->waiting = curl_request_copy(request);
    r = x->waiting ? curl_resolver_ask(resolver, x->host) : -ENOMEM;
    if (r < 0)
        return r;
    if (state == CURL_NAME_OLD)
        patience = MIN(patience / 2, OLD_PATIENCE_USEC);
    x->patience_usec = add_saturated(x->submitted_usec, patience);
    curl_exchange_move(x, EXCHANGE_RESOLVING);
    wait_until(x->owner, x->patience_usec);
    return 0;
}

static int exchange_wait(HttpExchange *x, const HttpRequest *request) {
    x->waiting = curl_request_copy(request);
    if (!x->waiting)
        return -ENOMEM;
    exchange_queue(x);
    return 0;
}

static int exchange_begin(HttpExchange *x, const HttpRequest *request) {
    const HttpCurl *c = x->owner;
    uint64_t again_usec = NEVER;
    int r;

    r = exchange_locate(x, request);
    if (r >= 0)
        r = exchange_resolve(x, request);
    if (r <= 0)
        return r;
    if (waits_for(c, x, x->queued_usec, &again_usec) == HTTP_WAIT_NONE && !find_startable(c, &again_usec))
        return start(x, request);
    return exchange_wait(x, request);
}

static int http_curl_submit(HttpClient *client, const HttpRequest *request, HttpDone done, void *userdata,
                            HttpExchange **ret_exchange) {
    HttpCurl *c = CONTAINER_OF(client, HttpCurl, client);
    HttpExchange *x;
    int r;

    x = calloc(1, sizeof(*x));
    if (!x)
        return -ENOMEM;
    x->owner = c;
    x->state = EXCHANGE_LOOSE;
    x->number = ++c->n_submitted;
    x->connect_timeout_usec = request->connect_timeout_usec;
    x->submitted_usec = x->queued_usec = curl_now_usec();
    x->deadline_usec = add_saturated(x->submitted_usec, request->timeout_usec);
    x->done = done;
    x->userdata = userdata;
    x->host_slot = MIN(request->host_slot, (unsigned)HTTP_HOST_SLOTS_MAX);
    x->suspect = request->suspect;
    x->repeatable = request->repeatable;
    x->urgent = request->urgent;
    r = exchange_begin(x, request);
    if (r < 0) {
        curl_exchange_free(x);
        return r;
    }
    c->stats.exchanges++;
    if (ret_exchange)
        *ret_exchange = x;
    return 0;
}

static void http_curl_cancel(HttpClient *client, HttpExchange *exchange) {
    HttpCurl *c = CONTAINER_OF(client, HttpCurl, client);

    /* Its own done callback is running: it will be freed after that. */
    if (exchange->state == EXCHANGE_LOOSE)
        return;
    curl_exchange_free(exchange);
    if (c->queues)
        curl_watch_want_turn(&c->watch);
}

static const HttpClientOps http_curl_ops = {
    .submit = http_curl_submit,
    .cancel = http_curl_cancel,
};

static int set_up_multi(HttpCurl *c) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return -EIO;
    c->curl_ready = true;
    c->multi = curl_multi_init();
    if (!c->multi)
        return -ENOMEM;
    /* Both limits also count connections that were closed but not yet noticed by libcurl. We enforce our own
     * limit; these only apply if closed ones pile up. The default of the second, four times the present
     * number of transfers, would close most idle connections. */
    if (curl_multi_setopt(c->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 2L * (long)c->pool.max) != CURLM_OK ||
        curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, 2L * (long)c->pool.max) != CURLM_OK)
        return -EIO;
    return curl_watch_init(&c->watch, c->event, c->multi, &c->pool, on_wake,
                           curl_exchange_watched, c);
}

static int set_up_timer(HttpCurl *c, sd_event_source **ret, sd_event_time_handler_t handler) {
    int r;

    r = sd_event_add_time(c->event, ret, CLOCK_MONOTONIC, NEVER, TIMER_ACCURACY_USEC, handler, c);
    return r < 0 ? r : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

static int set_up_waiting(HttpCurl *c) {
    int r;

    c->waiting_until_usec = NEVER;
    r = set_up_timer(c, &c->waiting_timer, on_waiting_timer);
    if (r >= 0)
        r = set_up_timer(c, &c->race_timer, on_race_timer);
    if (r >= 0)
        r = curl_resolver_new(c->event, c->name_life_usec, on_resolved, c, &c->resolver);
    return r;
}

static int copy_options(HttpCurl *c, const HttpCurlOptions *options) {
    c->pool.max = MIN(MAX(options->max_connections, 1U), 1024U);
    c->host_slot_max = MAX(c->pool.max / HOST_SLOT_SHARE, 1U);
    c->suspect_max = MAX(c->pool.max / SUSPECT_SHARE, 1U);
    c->name_life_usec = options->name_life_usec ? options->name_life_usec : NAME_LIFE_USEC;
    c->connection_life_sec =
            options->connection_life_sec ? options->connection_life_sec : CONNECTION_LIFE_SEC;
    c->user_agent = options->user_agent ? strdup(options->user_agent) : NULL;
    c->proxy = options->proxy ? strdup(options->proxy) : NULL;
    c->no_proxy = options->no_proxy ? strdup(options->no_proxy) : NULL;
    if ((options->user_agent && !c->user_agent) || (options->proxy && !c->proxy) ||
        (options->no_proxy && !c->no_proxy))
        return -ENOMEM;
    if (c->proxy && !curl_split_authority(c->proxy, c->proxy_host, sizeof(c->proxy_host), &c->proxy_port))
        return -EINVAL;
    return 0;
}

/* Without any bundle a host can still use plain HTTP, but a configured bundle must exist. */
static int read_first_store(HttpCurl *c, const char *ca_bundle) {
    int r;

    r = ca_store_read(ca_bundle, c->store_error, sizeof(c->store_error), &c->store);
    if (r >= 0)
        c->stats.ca_reads++;
    return !ca_bundle && r != -ENOMEM ? 0 : r;
}

int http_curl_new(sd_event *event, const HttpCurlOptions *options, char *error, size_t error_size,
                  HttpClient **ret) {
    HttpCurl *c;
    int r;

    c = calloc(1, sizeof(*c));
    if (!c) {
        snprintf(error, error_size, "%s", strerror(ENOMEM));
        return -ENOMEM;
    }
    c->client.ops = &http_curl_ops;
    c->opened = on_opened;
    c->n_refs = 1;
    c->event = sd_event_ref(event);
    r = copy_options(c, options);
    if (r >= 0)
        r = read_first_store(c, options->ca_bundle);
    if (r >= 0)
        r = set_up_multi(c);
    if (r >= 0)
        r = set_up_waiting(c);
    if (r < 0) {
        bool by_bundle = options->ca_bundle && !c->store && c->store_error[0];

        snprintf(error, error_size, "%s%s",
                 by_bundle ? "" : "HTTP client: ", by_bundle ? c->store_error : strerror(-r));
        http_curl_free(&c->client);
        return r;
    }
    *ret = &c->client;
    return 0;
}

static void free_exchanges(HttpCurl *c) {
    for (ExchangeState s = 0; s < EXCHANGE_LOOSE; s++)
        while (c->lists[s].first)
            curl_exchange_free(c->lists[s].first);
    while (c->queues)
        curl_exchange_free(c->queues->list.first);
    while (c->idle_jobs)
        curl_job_free(curl_exchange_job_take(c));
}

void http_curl_free(HttpClient *client) {
    HttpCurl *c;

    if (!client)
        return;
    c = CONTAINER_OF(client, HttpCurl, client);
    c->closed = true;
    free_exchanges(c);
    if (c->multi)
        (void)curl_multi_cleanup(c->multi);
    curl_watch_done(&c->watch);
    curl_origins_retire(&c->origins);
    curl_resolver_free(TAKE_PTR(c->resolver));
    c->race_timer = sd_event_source_disable_unref(c->race_timer);
    c->waiting_timer = sd_event_source_disable_unref(c->waiting_timer);
    c->event = sd_event_unref(c->event);
    ca_store_free(c->store);
    free(c->user_agent);
    if (c->proxy)
        hash_wipe(c->proxy, strlen(c->proxy));
    free(c->proxy);
    free(c->no_proxy);
    client_unref(c);
}

void http_curl_stats(const HttpClient *client, HttpCurlStats *ret) {
    *ret = CONTAINER_OF(client, HttpCurl, client)->stats;
}
