/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/http_curl_exchange.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"

static CURLcode on_tls(CURL *easy, void *ssl_ctx, void *userdata) {
    HttpCurl *c = userdata;

    (void)easy;
    if (!c->store)
        return CURLE_SSL_CACERT_BADFILE;
    SSL_CTX_set1_cert_store(ssl_ctx, c->store);
    return CURLE_OK;
}

/* ---- exchanges and their lists ---- */

static void queue_free(HttpCurl *c, ExchangeList *list) {
    HostQueue *queue = CONTAINER_OF(list, HostQueue, list), **p;

    for (p = &c->queues; *p != queue; p = &(*p)->next)
        ;
    *p = queue->next;
    free(queue);
}

/* Creates it if needed. NULL when out of memory. */
HostQueue *curl_exchange_queue_of(HttpCurl *c, const HttpExchange *x) {
    HostQueue *queue;

    for (queue = c->queues; queue; queue = queue->next)
        if (queue->origin == x->origin && queue->host_slot == x->host_slot && queue->suspect == x->suspect)
            return queue;
    queue = calloc(1, sizeof(*queue));
    if (!queue)
        return NULL;
    *queue = (HostQueue){
        .next = c->queues, .origin = x->origin, .host_slot = x->host_slot, .suspect = x->suspect
    };
    c->queues = queue;
    return queue;
}

/* Updates the counters of the state. */
static void exchange_count(HttpExchange *x, int change) {
    HttpCurl *c = x->owner;

    if (x->state == EXCHANGE_WAITING)
        x->origin->host.n_waiting += (unsigned)change;
    if (x->state != EXCHANGE_RUNNING)
        return;
    c->host_slots[x->host_slot] += (unsigned)change;
    if (x->suspect)
        c->n_suspect += (unsigned)change;
    curl_origin_run(x->origin, &c->pool, change);
}

static void exchange_unlink(HttpExchange *x) {
    ExchangeList *l = x->list;

    if (!l)
        return;
    exchange_count(x, -1);
    if (x->prev)
        x->prev->next = x->next;
    else
        l->first = x->next;
    if (x->next)
        x->next->prev = x->prev;
    else
        l->last = x->prev;
    x->prev = x->next = NULL;
    l->n--;
    if (x->state == EXCHANGE_WAITING && l->n == 0)
        queue_free(x->owner, l);
    x->state = EXCHANGE_LOOSE;
    x->list = NULL;
}

/* NULL: x becomes the first. */
static HttpExchange *last_ahead_of(const HttpExchange *x) {
    HttpExchange *last = x->list->last;

    while (last && x->state == EXCHANGE_WAITING && x->urgent && !last->urgent)
        last = last->prev;
    return last;
}

void curl_exchange_link(HttpExchange *x, ExchangeState state, ExchangeList *l) {
    HttpExchange *before;

    exchange_unlink(x);
    x->state = state;
    x->list = l;
    before = last_ahead_of(x);
    x->prev = before;
    x->next = before ? before->next : l->first;
    *(x->prev ? &x->prev->next : &l->first) = x;
    *(x->next ? &x->next->prev : &l->last) = x;
    l->n++;
    exchange_count(x, 1);
}

/* Not for EXCHANGE_WAITING. */
void curl_exchange_move(HttpExchange *x, ExchangeState state) {
    curl_exchange_link(x, state, &x->owner->lists[state]);
}

void curl_exchange_refuse(HttpExchange *x) {
    curl_exchange_move(x, EXCHANGE_REFUSED);
    curl_watch_want_turn(&x->owner->watch);
}

void curl_exchange_end_race(HttpExchange *x) {
    if (!x->race)
        return;
    curl_race_free(TAKE_PTR(x->race));
    x->owner->n_races--;
}

/* Removes it from everywhere, so that only its own memory is left. */
static void exchange_detach(HttpExchange *x) {
    curl_exchange_end_race(x);
    if (x->gave_addresses)
        x->origin->addresses = (CurlAddresses){ 0 };
    x->gave_addresses = false;
    if (x->state == EXCHANGE_RUNNING)
        (void)curl_multi_remove_handle(x->owner->multi, x->job->easy);
    exchange_unlink(x);
    if (x->job)
        curl_job_leave(x->job);
}

CurlJob *curl_exchange_job_take(HttpCurl *c) {
    CurlJob *job = c->idle_jobs;

    if (!job)
        return curl_job_new();
    c->idle_jobs = job->next;
    c->n_idle_jobs--;
    return job;
}

static void job_give(HttpCurl *c, CurlJob *job) {
    if (!job)
        return;
    if (c->closed || c->n_idle_jobs >= c->pool.max) {
        curl_job_free(job);
        return;
    }
    curl_job_reset(job);
    job->next = c->idle_jobs;
    c->idle_jobs = job;
    c->n_idle_jobs++;
}

void curl_exchange_free(HttpExchange *x) {
    exchange_detach(x);
    job_give(x->owner, x->job);
    curl_origin_leave(&x->owner->origins, x->origin);
    curl_request_free(x->waiting);
    free(x);
}

/* ---- sockets that cannot be watched without memory ---- */

void curl_exchange_watched(CURL *easy, bool watched, void *userdata) {
    HttpCurl *c = userdata;
    char *private = NULL;
    HttpExchange *x;

    if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private) != CURLE_OK || !private)
        return;
    x = (HttpExchange *)(void *)private;
    x->watched |= watched;
    if (watched)
        return;
    x->lost = c->has_lost = true;
    curl_watch_want_turn(&c->watch);
}

void curl_exchange_lose_unwatched(HttpCurl *c) {
    for (HttpExchange *x = c->lists[EXCHANGE_RUNNING].first; x; x = x->next)
        x->lost |= !x->watched;
    c->has_lost = true;
}

HttpExchange *curl_exchange_find_lost(HttpCurl *c) {
    HttpExchange *x = c->has_lost ? c->lists[EXCHANGE_RUNNING].first : NULL;

    while (x && !x->lost)
        x = x->next;
    c->has_lost = x != NULL;
    return x;
}

/* ---- the end ---- */

/* Calls the done callback. The caller holds a reference on the client and has detached the exchange. */
static void exchange_end(HttpExchange *x, const HttpResponse *response) {
    x->done(response, x->userdata);
    curl_exchange_free(x);
}

/* For one that never started, or is given up. */
void curl_exchange_fail(HttpExchange *x, HttpResult result, bool held_up, const char *text) {
    char error[512];

    exchange_detach(x);
    exchange_end(x, &(HttpResponse){
                            .result = result,
                            .held_up = held_up,
                            .waited_for = x->waited_for,
                            .waited_usec = held_up ? curl_now_usec() - x->queued_usec : 0,
                            .body = "",
                            .error = curl_request_explain(error, sizeof(error), x->origin->key, text),
                    });
}

/* After a failed connection the name may have other addresses by now. */
static void judge_addresses(HttpExchange *x, HttpResult result) {
    if (x->host[0] &&
        (result == HTTP_CONNECT_FAILED || (result == HTTP_TIMED_OUT && !curl_job_is_connected(x->job))))
        curl_resolver_expire(x->owner->resolver, x->host);
}

/* Measures the time from the established connection. */
static void measure(const HttpExchange *x, long n_connects) {
    uint64_t took = curl_now_usec() - x->started_usec;
    curl_off_t before = 0;

    if (n_connects > 0 &&
        curl_easy_getinfo(x->job->easy, CURLINFO_PRETRANSFER_TIME_T, &before) == CURLE_OK && before > 0)
        took -= MIN((uint64_t)before, took);
    pool_answered(&x->origin->host, took);
}

void curl_exchange_finish(HttpExchange *x, CURLcode code) {
    HttpCurl *c = x->owner;
    HttpResponse response;
    long n_connects = 0;

    if (curl_easy_getinfo(x->job->easy, CURLINFO_NUM_CONNECTS, &n_connects) == CURLE_OK && n_connects > 0)
        c->stats.connections += (uint64_t)n_connects;
    if (code == CURLE_SSL_CACERT_BADFILE && !c->store)
        text_copy(x->job->curl_error, sizeof(x->job->curl_error), c->store_error);
    curl_job_read(x->job, code, &response);
    response.held_up = x->started_usec - x->queued_usec > (x->deadline_usec - x->submitted_usec) / 2;
    response.waited_for = x->waited_for;
    response.waited_usec = x->waited_for != HTTP_WAIT_NONE ? x->started_usec - x->queued_usec : 0;
    judge_addresses(x, response.result);
    x->gave_addresses = x->gave_addresses && code != CURLE_OK;
    if (response.result == HTTP_ANSWERED)
        measure(x, n_connects);
    c->stats.tls_answers += response.result == HTTP_ANSWERED && x->tls;
    curl_watch_trim(&c->watch, x->origin);
    exchange_detach(x);
    exchange_end(x, &response);
}

/* libcurl keeps a host's addresses until it gets others. A successful exchange shows that it has accepted
 * them; otherwise it would resolve the name itself. */
static int exchange_give_addresses(HttpExchange *x, bool again) {
    CurlAddresses *given = &x->origin->addresses;
    int r;

    if (!x->host[0] || (!again && !x->proxy && memcmp(given, &x->addresses, sizeof(*given)) == 0))
        return 0;
    r = curl_job_set_addresses(x->job, x->host, x->port, &x->addresses);
    if (r >= 0)
        *given = x->addresses;
    x->gave_addresses = r >= 0;
    return r;
}

static int exchange_load(HttpExchange *x, const HttpRequest *request) {
    HttpCurl *c = x->owner;
    int r;

    x->job = curl_exchange_job_take(c);
    if (!x->job)
        return -ENOMEM;
    r = curl_job_prepare(x->job, request,
                         &(CurlJobSettings){
                                 .origin = x->origin->key,
                                 .share = x->origin->share,
                                 .tls = x->tls,
                                 .user_agent = c->user_agent,
                                 .proxy = x->proxy,
                                 .connection_life_sec = c->connection_life_sec,
                                 .opened = c->opened,
                                 .opened_userdata = x,
                                 .on_close = curl_watch_close,
                                 .on_close_userdata = &c->watch,
                                 .on_tls = on_tls,
                                 .on_tls_userdata = c,
                         });
    if (r >= 0)
        r = exchange_give_addresses(x, false);
    if (r < 0)
        return r;
    return curl_easy_setopt(x->job->easy, CURLOPT_PRIVATE, x) == CURLE_OK ? 0 : -ENOMEM;
}

/* Starts it in libcurl with the rest of its time. 0, or -errno with its state unchanged. */
int curl_exchange_start(HttpExchange *x, const HttpRequest *request) {
    HttpCurl *c = x->owner;
    uint64_t now = curl_now_usec();
    uint64_t left = x->deadline_usec > now ? x->deadline_usec - now : 1;
    int r;

    r = exchange_load(x, request);
    if (r >= 0)
        r = curl_job_set_timeouts(x->job, MIN(x->connect_timeout_usec, left), left);
    if (r < 0)
        return r;
    if (curl_multi_add_handle(c->multi, x->job->easy) != CURLM_OK)
        return -ENOMEM;
    x->started_usec = now;
    if (x->origin->host.n_open <= x->origin->host.n_running)
        x->origin->host.opened_usec = now;
    curl_exchange_move(x, EXCHANGE_RUNNING);
    return 0;
}

/* Restarts it in libcurl, with that address first. Nothing was sent yet. */
void curl_exchange_restart(HttpExchange *x) {
    HttpCurl *c = x->owner;
    uint64_t now = curl_now_usec();
    uint64_t left = x->deadline_usec > now ? x->deadline_usec - now : 1;

    (void)curl_multi_remove_handle(c->multi, x->job->easy);
    x->job->n_sockets = 0;
    x->watched = false;
    if (exchange_give_addresses(x, true) == 0 &&
        curl_job_set_timeouts(x->job, MIN(x->connect_timeout_usec, left), left) == 0 &&
        curl_multi_add_handle(c->multi, x->job->easy) == CURLM_OK)
        return;
    curl_exchange_refuse(x);
}
