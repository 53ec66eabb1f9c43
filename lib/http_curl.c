/* SPDX-License-Identifier: Apache-2.0 */
/* Three rules keep this safe: libcurl's callbacks only take notes and move event sources; finished exchanges
 * are collected after libcurl has returned; and since a done callback may submit, cancel and even free the
 * client, whoever calls one holds a reference and looks at `closed` afterwards. */
#include "lib/http_curl.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "lib/ca_store.h"
#include "lib/http_curl_job.h"
#include "lib/http_curl_origin.h"
#include "lib/http_curl_watch.h"
#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define TIMER_ACCURACY_USEC (1 * USEC_PER_MSEC)
#define NEVER UINT64_MAX

/* One place may use one connection in so many, and all that are in doubt together. */
#define PLACE_SHARE 2U
#define DOUBTFUL_SHARE 8U

typedef struct HttpCurl HttpCurl;

typedef enum ExchangeState {
    EXCHANGE_WAITING,   /* for one of max_connections, or of its place's part of them */
    EXCHANGE_RUNNING,   /* in the multi handle */
    EXCHANGE_REFUSED,   /* could not be started; its owner is told at the next turn */
    EXCHANGE_LOOSE,     /* in no list: being filled, or its done callback runs */
} ExchangeState;

struct HttpExchange {
    HttpCurl *owner;
    HttpExchange *prev, *next;  /* in the list of its state */
    ExchangeState state;
    CurlRequest *waiting;       /* what it will send, until it has begun */
    CurlJob *job;               /* once it has */
    CurlOrigin *origin;
    unsigned place;
    bool doubtful;
    uint64_t submitted_usec, started_usec; /* monotonic */
    uint64_t connect_timeout_usec;
    uint64_t deadline_usec;     /* monotonic */
    HttpDone done;
    void *userdata;
};

typedef struct ExchangeList {
    HttpExchange *first, *last;
    unsigned n;
} ExchangeList;

struct HttpCurl {
    HttpClient client;
    unsigned n_refs;
    bool closed;
    bool curl_ready;
    sd_event *event;
    CURLM *multi;
    CurlWatch watch;
    sd_event_source *waiting_timer; /* the first deadline in the queue, or earlier */
    uint64_t waiting_until_usec;
    CaStore *store;
    char store_error[384];          /* why there is none */
    char *user_agent;
    char *proxy, *no_proxy;
    unsigned max_connections, place_max, doubtful_max;
    unsigned places[HTTP_PLACES_MAX + 1], n_doubtful; /* how many of each are running */
    CurlOrigin *origins;
    CurlJob *idle_jobs;
    unsigned n_idle_jobs;
    ExchangeList lists[EXCHANGE_LOOSE];
    HttpCurlStats stats;
};

static uint64_t now_usec(void) {
    struct timespec ts = { 0 };

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

static uint64_t add_saturated(uint64_t a, uint64_t b) {
    return a > NEVER - b ? NEVER : a + b;
}

static HttpCurl *client_ref(HttpCurl *c) {
    c->n_refs++;
    return c;
}

/* The last reference may be held by whoever called the callback that freed the client. */
static void client_unref(HttpCurl *c) {
    if (--c->n_refs > 0)
        return;
    if (c->curl_ready)
        curl_global_cleanup();
    free(c);
}

static CURLcode on_tls(CURL *easy, void *ssl_ctx, void *userdata) {
    HttpCurl *c = userdata;

    (void)easy;
    if (!c->store)
        return CURLE_SSL_CACERT_BADFILE;
    SSL_CTX_set1_cert_store(ssl_ctx, c->store);
    return CURLE_OK;
}

/* ---- exchanges and their lists ---- */

static void exchange_unlink(HttpExchange *x) {
    ExchangeList *l;

    if (x->state == EXCHANGE_LOOSE)
        return;
    l = &x->owner->lists[x->state];
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
    if (x->state == EXCHANGE_RUNNING) {
        x->owner->places[x->place]--;
        x->owner->n_doubtful -= x->doubtful;
    }
    x->state = EXCHANGE_LOOSE;
}

static void exchange_move(HttpExchange *x, ExchangeState state) {
    ExchangeList *l = &x->owner->lists[state];

    exchange_unlink(x);
    x->state = state;
    x->prev = l->last;
    if (l->last)
        l->last->next = x;
    else
        l->first = x;
    l->last = x;
    l->n++;
    if (state == EXCHANGE_RUNNING) {
        x->owner->places[x->place]++;
        x->owner->n_doubtful += x->doubtful;
    }
}

/* Takes it out of wherever it is, so that only its own memory is left. */
static void exchange_detach(HttpExchange *x) {
    if (x->state == EXCHANGE_RUNNING)
        (void)curl_multi_remove_handle(x->owner->multi, x->job->easy);
    exchange_unlink(x);
    if (x->origin)
        curl_origin_leave(&x->owner->origins, TAKE_PTR(x->origin), x->job->easy);
}

static CurlJob *job_take(HttpCurl *c) {
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
    if (c->closed || c->n_idle_jobs >= c->max_connections) {
        curl_job_free(job);
        return;
    }
    curl_job_reset(job);
    job->next = c->idle_jobs;
    c->idle_jobs = job;
    c->n_idle_jobs++;
}

static void exchange_free(HttpExchange *x) {
    exchange_detach(x);
    job_give(x->owner, x->job);
    curl_request_free(x->waiting);
    free(x);
}

/* Tells the owner. The caller holds a reference on the client, and has detached the exchange. */
static void exchange_end(HttpExchange *x, const HttpResponse *response) {
    x->done(response, x->userdata);
    exchange_free(x);
}

/* One that never began. */
static void exchange_fail(HttpExchange *x, HttpResult result, const char *text) {
    char origin[CURL_ORIGIN_MAX] = "", error[512];
    bool tls;

    exchange_detach(x);
    (void)curl_request_check(&x->waiting->request, origin, &tls);
    exchange_end(x, &(HttpResponse){
                            .result = result,
                            .held_up = true,
                            .body = "",
                            .error = curl_request_explain(error, sizeof(error), origin, text),
                    });
}

static void exchange_finish(HttpExchange *x, CURLcode code) {
    HttpCurl *c = x->owner;
    HttpResponse response;
    long n_connects = 0;

    if (curl_easy_getinfo(x->job->easy, CURLINFO_NUM_CONNECTS, &n_connects) == CURLE_OK && n_connects > 0)
        c->stats.connections += (uint64_t)n_connects;
    if (code == CURLE_SSL_CACERT_BADFILE && !c->store)
        text_copy(x->job->curl_error, sizeof(x->job->curl_error), c->store_error);
    curl_job_read(x->job, code, &response);
    response.held_up = x->started_usec - x->submitted_usec > (x->deadline_usec - x->submitted_usec) / 2;
    exchange_detach(x);
    exchange_end(x, &response);
}

static int exchange_load(HttpExchange *x, const HttpRequest *request) {
    HttpCurl *c = x->owner;
    int r;

    x->job = job_take(c);
    if (!x->job)
        return -ENOMEM;
    r = curl_job_prepare(x->job, request,
                         &(CurlJobSettings){
                                 .user_agent = c->user_agent,
                                 .proxy = c->proxy,
                                 .no_proxy = c->no_proxy,
                                 .on_tls = on_tls,
                                 .on_tls_userdata = c,
                         });
    if (r < 0)
        return r;
    if (curl_easy_setopt(x->job->easy, CURLOPT_PRIVATE, x) != CURLE_OK)
        return -ENOMEM;
    x->origin = curl_origin_join(&c->origins, x->job->origin, x->job->easy);
    return x->origin ? 0 : -ENOMEM;
}

/* Hands it to libcurl with what is left of its time. 0 or -errno, and then it is where it was. */
static int exchange_start(HttpExchange *x, const HttpRequest *request) {
    HttpCurl *c = x->owner;
    uint64_t now = now_usec();
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
    exchange_move(x, EXCHANGE_RUNNING);
    return 0;
}

/* ---- the queue ---- */

static void wait_until(HttpCurl *c, uint64_t deadline_usec) {
    if (deadline_usec >= c->waiting_until_usec)
        return;
    c->waiting_until_usec = deadline_usec;
    (void)sd_event_source_set_time(c->waiting_timer, deadline_usec);
    (void)sd_event_source_set_enabled(c->waiting_timer, SD_EVENT_ONESHOT);
}

static bool has_room(const HttpCurl *c, const HttpExchange *x) {
    return c->lists[EXCHANGE_RUNNING].n < c->max_connections &&
           (x->place == 0 || c->places[x->place] < c->place_max) &&
           (!x->doubtful || c->n_doubtful < c->doubtful_max);
}

/* The one that has waited longest of those that have room. */
static HttpExchange *find_startable(const HttpCurl *c, HttpExchange *from) {
    HttpExchange *x = c->lists[EXCHANGE_RUNNING].n < c->max_connections ? from : NULL;

    while (x && !has_room(c, x))
        x = x->next;
    return x;
}

/* Starts what has waited while there is room. */
static void start_waiting(HttpCurl *c) {
    HttpExchange *x, *next;

    for (x = find_startable(c, c->lists[EXCHANGE_WAITING].first); x; x = find_startable(c, next)) {
        next = x->next;
        if (exchange_start(x, &x->waiting->request) >= 0) {
            curl_request_free(TAKE_PTR(x->waiting));
            continue;
        }
        exchange_move(x, EXCHANGE_REFUSED);
        curl_watch_want_turn(&c->watch);
    }
    if (!c->lists[EXCHANGE_WAITING].first && c->waiting_until_usec != NEVER) {
        c->waiting_until_usec = NEVER;
        (void)sd_event_source_set_enabled(c->waiting_timer, SD_EVENT_OFF);
    }
}

/* A done callback may change the queue in any way, so the search begins anew after each. */
static HttpExchange *find_expired(HttpCurl *c, uint64_t now, uint64_t *ret_next_usec) {
    *ret_next_usec = NEVER;
    for (HttpExchange *x = c->lists[EXCHANGE_WAITING].first; x; x = x->next) {
        if (x->deadline_usec <= now)
            return x;
        *ret_next_usec = MIN(*ret_next_usec, x->deadline_usec);
    }
    return NULL;
}

static int on_waiting_timer(sd_event_source *source, uint64_t usec, void *userdata) {
    HttpCurl *c = client_ref(userdata);
    uint64_t now = now_usec(), next;
    HttpExchange *x;

    (void)source;
    (void)usec;
    c->waiting_until_usec = NEVER;
    while (!c->closed && (x = find_expired(c, now, &next)))
        exchange_fail(x, HTTP_TIMED_OUT, "timed out while waiting for a free connection");
    if (!c->closed)
        wait_until(c, next);
    client_unref(c);
    return 0;
}

/* ---- libcurl and the loop ---- */

/* Brings home everything that has ended. More than one may have at each wake-up. */
static void collect(HttpCurl *c) {
    HttpExchange *x;
    CURLMsg *m;
    int n;

    while (!c->closed && (m = curl_multi_info_read(c->multi, &n))) {
        CURLcode code = m->data.result;
        char *private = NULL;

        if (m->msg == CURLMSG_DONE &&
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &private) == CURLE_OK && private)
            exchange_finish((HttpExchange *)(void *)private, code);
    }
    while (!c->closed && (x = c->lists[EXCHANGE_REFUSED].first))
        exchange_fail(x, HTTP_INTERNAL, "out of memory");
    if (!c->closed)
        start_waiting(c);
}

/* The loop's way in. */
static void on_wake(curl_socket_t fd, int events, void *userdata) {
    HttpCurl *c = client_ref(userdata);
    int n_running;

    (void)curl_multi_socket_action(c->multi, fd, events, &n_running);
    collect(c);
    client_unref(c);
}

/* ---- the interface ---- */

static int exchange_wait(HttpExchange *x, const HttpRequest *request) {
    char origin[CURL_ORIGIN_MAX];
    bool tls;
    int r;

    r = curl_request_check(request, origin, &tls);
    if (r < 0)
        return r;
    x->waiting = curl_request_copy(request);
    if (!x->waiting)
        return -ENOMEM;
    exchange_move(x, EXCHANGE_WAITING);
    wait_until(x->owner, x->deadline_usec);
    return 0;
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
    x->connect_timeout_usec = request->connect_timeout_usec;
    x->submitted_usec = now_usec();
    x->deadline_usec = add_saturated(x->submitted_usec, request->timeout_usec);
    x->done = done;
    x->userdata = userdata;
    x->place = MIN(request->place, (unsigned)HTTP_PLACES_MAX);
    x->doubtful = request->doubtful;
    if (has_room(c, x) && !find_startable(c, c->lists[EXCHANGE_WAITING].first))
        r = exchange_start(x, request);
    else
        r = exchange_wait(x, request);
    if (r < 0) {
        exchange_free(x);
        return r;
    }
    c->stats.exchanges++;
    if (ret_exchange)
        *ret_exchange = x;
    return 0;
}

static void http_curl_cancel(HttpClient *client, HttpExchange *exchange) {
    HttpCurl *c = CONTAINER_OF(client, HttpCurl, client);

    /* Its own done callback runs: it is on its way out. */
    if (exchange->state == EXCHANGE_LOOSE)
        return;
    exchange_free(exchange);
    if (c->lists[EXCHANGE_WAITING].first)
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
    if (curl_multi_setopt(c->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)c->max_connections) != CURLM_OK ||
        /* Else four times as many as there are exchanges at the moment: most idle ones would be closed. */
        curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)c->max_connections) != CURLM_OK)
        return -EIO;
    return curl_watch_init(&c->watch, c->event, c->multi, on_wake, c);
}

static int set_up_waiting_timer(HttpCurl *c) {
    int r;

    c->waiting_until_usec = NEVER;
    r = sd_event_add_time(c->event, &c->waiting_timer, CLOCK_MONOTONIC, NEVER, TIMER_ACCURACY_USEC,
                          on_waiting_timer, c);
    return r < 0 ? r : sd_event_source_set_enabled(c->waiting_timer, SD_EVENT_OFF);
}

static int copy_options(HttpCurl *c, const HttpCurlOptions *options) {
    c->max_connections = MIN(MAX(options->max_connections, 1U), 1024U);
    c->place_max = MAX(c->max_connections / PLACE_SHARE, 1U);
    c->doubtful_max = MAX(c->max_connections / DOUBTFUL_SHARE, 1U);
    c->user_agent = options->user_agent ? strdup(options->user_agent) : NULL;
    c->proxy = options->proxy ? strdup(options->proxy) : NULL;
    c->no_proxy = options->no_proxy ? strdup(options->no_proxy) : NULL;
    if ((options->user_agent && !c->user_agent) || (options->proxy && !c->proxy) ||
        (options->no_proxy && !c->no_proxy))
        return -ENOMEM;
    return 0;
}

/* A host without any bundle can still talk plain HTTP; a bundle that was named must be there. */
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
    c->n_refs = 1;
    c->event = sd_event_ref(event);
    r = copy_options(c, options);
    if (r >= 0)
        r = read_first_store(c, options->ca_bundle);
    if (r >= 0)
        r = set_up_multi(c);
    if (r >= 0)
        r = set_up_waiting_timer(c);
    if (r < 0) {
        bool by_bundle = options->ca_bundle && !c->store && c->store_error[0];

        snprintf(error, error_size, "%s%s", by_bundle ? "" : "HTTP client: ",
                 by_bundle ? c->store_error : strerror(-r));
        http_curl_free(&c->client);
        return r;
    }
    *ret = &c->client;
    return 0;
}

static void free_exchanges(HttpCurl *c) {
    for (ExchangeState s = 0; s < EXCHANGE_LOOSE; s++)
        while (c->lists[s].first)
            exchange_free(c->lists[s].first);
    while (c->idle_jobs)
        curl_job_free(job_take(c));
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
