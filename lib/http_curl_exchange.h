/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The exchanges of http_curl: their states and lists, how one begins and how it ends. Part of http_curl,
 * which decides when. */

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
    EXCHANGE_REFUSED,   /* could not be started; its owner is told at the next turn */
    EXCHANGE_LOOSE,     /* in no list: being filled, or its done callback runs */
} ExchangeState;

typedef struct ExchangeList {
    HttpExchange *first, *last;
    unsigned n;
} ExchangeList;

/* Those that wait for the same: when its first one cannot be started, none can. */
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
    ExchangeList *list;   /* that it is in; NULL when EXCHANGE_LOOSE */
    CurlRequest *waiting; /* what it will send, until it has begun */
    CurlJob *job;         /* once it has */
    bool tls;
    const char *proxy;        /* borrowed from the client; NULL: goes without */
    char host[CURL_HOST_MAX]; /* to be resolved: its own or the proxy's; "" for an address */
    unsigned port;
    CurlAddresses addresses;
    bool gave_addresses; /* to libcurl, which may not have taken them */
    CurlRace *race;
    bool raced;
    bool watched; /* a socket of it was */
    bool lost;    /* nothing wakes it before its deadline: there was no memory for that */
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
    CurlOpened opened; /* to be given to each job, with the exchange as its data */
    Pool pool;
    HostQueue *queues;
    sd_event_source *waiting_timer; /* the first deadline of those that have not begun, or earlier */
    uint64_t waiting_until_usec;
    CurlResolver *resolver;
    uint64_t name_life_usec;
    unsigned connection_life_sec;
    sd_event_source *race_timer; /* on while a connection is young that may want a race */
    unsigned n_races;
    uint64_t n_submitted;
    CaStore *store;
    char store_error[384]; /* why there is none */
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
    bool has_lost; /* some of those that are running may be */
    HttpCurlStats stats;
};

/* The queue of those that wait for the same as x, made when it is not there. NULL when out of memory. */
HostQueue *curl_exchange_queue_of(HttpCurl *c, const HttpExchange *x);

/* Out of the list that it is in, and to the end of this one, but before those that are less urgent when it
 * waits; move is for all states but EXCHANGE_WAITING. A queue that is empty then is freed. */
void curl_exchange_link(HttpExchange *x, ExchangeState state, ExchangeList *l);
void curl_exchange_move(HttpExchange *x, ExchangeState state);
/* It could not be started: ends at the next turn of the loop. */
void curl_exchange_refuse(HttpExchange *x);

/* An unused job, or a new one; NULL when out of memory. */
CurlJob *curl_exchange_job_take(HttpCurl *c);

/* Hands it to libcurl with what is left of its time. 0 or -errno, and then it is where it was. */
int curl_exchange_start(HttpExchange *x, const HttpRequest *request);
/* Has libcurl begin again, with the address first that is now. Nothing was sent yet. */
void curl_exchange_restart(HttpExchange *x);
/* CurlWatched; its owner learns at the next turn of the loop that it cannot be. */
void curl_exchange_watched(CURL *easy, bool watched, void *userdata);
/* libcurl had no memory for one of those that are running: any that has no socket. */
void curl_exchange_lose_unwatched(HttpCurl *c);
/* One that nothing would wake in time; NULL: there is none. */
HttpExchange *curl_exchange_find_lost(HttpCurl *c);
/* NULL is no race: nothing happens. */
void curl_exchange_end_race(HttpExchange *x);

/* Calls its done callback and frees it; the caller holds a reference on the client. The first is for one
 * that never began or is given up, with text as the reason; the second for one that libcurl has ended with
 * code. */
void curl_exchange_fail(HttpExchange *x, HttpResult result, bool held_up, const char *text);
void curl_exchange_finish(HttpExchange *x, CURLcode code);
/* Without calling it. */
void curl_exchange_free(HttpExchange *x);
