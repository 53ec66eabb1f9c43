/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The exchanges of http_curl: their states and lists, how they start and end. Part of http_curl, which
 * decides when. */

#include <systemd/sd-event.h>

#include "lib/ca_store.h"
#include "lib/connection_pool.h"
#include "lib/http.h"
#include "lib/http_curl.h"
#include "lib/http_curl_job.h"
#include "lib/http_curl_multi.h"
#include "lib/http_curl_resolve.h"
#include "lib/http_curl_url.h"

typedef struct HttpCurl HttpCurl;

typedef enum ExchangeState {
    EXCHANGE_RESOLVING, /* waits for the addresses of its host */
    EXCHANGE_WAITING,   /* for a connection; in the list of its queue */
    EXCHANGE_RUNNING,   /* in the multi handle */
    EXCHANGE_REFUSED,   /* could not be started; its done callback runs in the next turn */
    EXCHANGE_LOOSE,     /* in no list: being set up, or its done callback is running */
} ExchangeState;

typedef struct ExchangeList {
    HttpExchange *first, *last;
    unsigned n;
} ExchangeList;

/* Exchanges that wait for the same: if the first cannot start, none can. */
typedef struct HostQueue {
    struct HostQueue *next;
    const CurlOrigin *origin;
    unsigned host_slot;
    bool suspect;
    ExchangeList list; /* never empty */
} HostQueue;

struct HttpExchange {
    HttpCurl *owner;
    HttpExchange *prev, *next;
    ExchangeState state;
    ExchangeList *list;   /* the list it is in; NULL if EXCHANGE_LOOSE */
    CurlRequest *waiting; /* the request, until it starts */
    CurlJob *job;         /* once it has started */
    bool tls;
    const char *proxy;        /* borrowed from the client; NULL: no proxy */
    char host[CURL_HOST_MAX]; /* the name to resolve, its own or the proxy's; "" for an address */
    unsigned port;
    CurlAddresses addresses;
    bool gave_addresses; /* to libcurl, which may not have accepted them yet */
    CurlRace *race;
    bool raced;
    bool watched; /* one of its sockets was watched */
    bool lost;    /* nothing will wake it before its deadline, because memory was short */
    uint64_t number; /* in the order of submission */
    CurlOrigin *origin;
    unsigned host_slot;
    bool suspect, repeatable, urgent;
    HttpWait waited_for;
    uint64_t submitted_usec, queued_usec, started_usec; /* monotonic */
    uint64_t patience_usec;                             /* monotonic; for the resolver */
    uint64_t connect_timeout_usec;
    uint64_t deadline_usec; /* monotonic */
    HttpDone done;
    void *userdata;
};

struct HttpCurl {
    HttpClient client;
    unsigned n_refs;
    bool closed;
    bool curl_ready;
    sd_event *event;
    CURLM *multi;
    CurlWatch watch;
    CurlOpened opened; /* passed to each job, with the exchange as its data */
    Pool pool;
    HostQueue *queues;
    sd_event_source *waiting_timer; /* the first deadline of waiting exchanges, or earlier */
    uint64_t waiting_until_usec;
    CurlResolver *resolver;
    uint64_t name_life_usec;
    unsigned connection_life_sec;
    sd_event_source *race_timer; /* enabled while a young connection may need a race */
    unsigned n_races;
    uint64_t n_submitted;
    CaStore *store;
    char store_error[384]; /* why there is no store */
    char *user_agent;
    char *proxy, *no_proxy;
    char proxy_host[CURL_HOST_MAX];
    unsigned proxy_port;
    unsigned host_slot_max, suspect_max;
    unsigned host_slots[HTTP_HOST_SLOTS_MAX + 1], n_suspect; /* how many of each are running */
    CurlOrigin *origins;
    CurlJob *idle_jobs;
    unsigned n_idle_jobs;
    ExchangeList lists[EXCHANGE_LOOSE];
    bool has_lost; /* some running exchanges may be lost */
    HttpCurlStats stats;
};

/* The queue for exchanges that wait for the same as x, created if needed. NULL when out of memory. */
HostQueue *curl_exchange_queue_of(HttpCurl *c, const HttpExchange *x);

/* Moves it to the end of this list; urgent waiting ones go before others. curl_exchange_move is for all
 * states except EXCHANGE_WAITING. A queue that becomes empty is freed. */
void curl_exchange_link(HttpExchange *x, ExchangeState state, ExchangeList *l);
void curl_exchange_move(HttpExchange *x, ExchangeState state);
/* It could not be started: ends in the next turn of the loop. */
void curl_exchange_refuse(HttpExchange *x);

/* An unused job, or a new one. NULL when out of memory. */
CurlJob *curl_exchange_job_take(HttpCurl *c);

/* Starts it in libcurl with the rest of its time. 0, or -errno with its state unchanged. */
int curl_exchange_start(HttpExchange *x, const HttpRequest *request);
/* Restarts it in libcurl, with the address that is first now. Nothing was sent yet. */
void curl_exchange_restart(HttpExchange *x);
/* A CurlWatched. If the socket cannot be watched, the exchange fails in the next turn of the loop. */
void curl_exchange_watched(CURL *easy, bool watched, void *userdata);
/* libcurl ran out of memory for one of the running exchanges: marks those without a socket as lost. */
void curl_exchange_lose_unwatched(HttpCurl *c);
/* A lost exchange; NULL if there is none. */
HttpExchange *curl_exchange_find_lost(HttpCurl *c);
/* Does nothing for NULL. */
void curl_exchange_end_race(HttpExchange *x);

/* Call the done callback and free the exchange; the caller holds a reference on the client.
 * curl_exchange_fail is for one that never started or is given up, with text as the reason;
 * curl_exchange_finish for one that libcurl ended with code. */
void curl_exchange_fail(HttpExchange *x, HttpResult result, bool held_up, const char *text);
void curl_exchange_finish(HttpExchange *x, CURLcode code);
/* Does not call the done callback. */
void curl_exchange_free(HttpExchange *x);
