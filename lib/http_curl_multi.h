/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A libcurl multi handle's sockets and timer as event sources. Part of http_curl. libcurl's callbacks end
 * here and only move event sources; `wake` is called from the loop, never from inside libcurl, and is to
 * call curl_multi_socket_action with what it is given. */

#include <curl/curl.h>
#include <stdbool.h>

#include "lib/connection_pool.h"
#include "lib/http_curl_resolve.h"

typedef struct sd_event sd_event;
typedef struct sd_event_source sd_event_source;

/* Monotonic. */
uint64_t curl_now_usec(void);

typedef void (*CurlWake)(curl_socket_t fd, int events, void *userdata);
/* From inside libcurl: a socket that easy waits for is watched, or cannot be for want of memory. */
typedef void (*CurlWatched)(CURL *easy, bool watched, void *userdata);
typedef struct CurlSocket CurlSocket;
typedef struct CurlOrigin CurlOrigin;

typedef struct CurlWatch {
    sd_event *event;
    CURLM *multi;
    CurlWake wake;
    CurlWatched watched;
    void *userdata;
    sd_event_source *timer; /* when libcurl wants to be called */
    sd_event_source *turn;  /* ... and when that is at the next turn of the loop */
    CurlSocket **sockets;   /* by their number */
    unsigned n_sockets;     /* places in it */
    Pool *pool;
} CurlWatch;

/* Watches multi on event and counts its connections in pool; all are borrowed. 0 or -errno, and then
 * curl_watch_done is still to be called. */
int curl_watch_init(CurlWatch *watch, sd_event *event, CURLM *multi, Pool *pool, CurlWake wake,
                    CurlWatched watched, void *userdata);

/* After curl_multi_cleanup. Fine to call from inside wake, twice, and on a zeroed watch. */
void curl_watch_done(CurlWatch *watch);

/* Calls wake at the next turn of the loop, with CURL_SOCKET_TIMEOUT. */
void curl_watch_want_turn(CurlWatch *watch);

/* libcurl had no memory for all of that, and has not said when it wants to be called next: asks it. */
void curl_watch_resume(CurlWatch *watch);

/* A connection to origin is begun on fd, which libcurl is to close by CURLOPT_CLOSESOCKETFUNCTION
 * curl_watch_close, with the watch as its data. */
void curl_watch_opened(CurlWatch *watch, curl_socket_t fd, CurlOrigin *origin);
int curl_watch_close(void *watch, curl_socket_t fd);

/* Ends the idle connection to origin that was not used for longest, if there is one; NULL: to any. */
void curl_watch_drop_idle(CurlWatch *watch, const CurlOrigin *origin);
/* ... now and then, when its host does without it. */
void curl_watch_trim(CurlWatch *watch, CurlOrigin *origin);

/* A scheme, host and port: its connections, and its TLS sessions, which are kept apart for each, because
 * libcurl before 8.12 remembers eight in one cache, which is less than there are regions. Plain HTTP has an
 * origin too: older versions leak the session cache that a handle makes for itself when it was used without
 * a share and is then given one. */
struct CurlOrigin {
    CurlOrigin *next;
    char *key;
    CURLSH *share;
    unsigned n_users;
    bool retired; /* not handed out any more */
    PoolHost host;
    CurlAddresses addresses; /* that libcurl was given last for this host; n 0: none */
};

/* The origin that key names ("https://host:port"), made when it is not there; *list starts as NULL. It
 * stays until curl_origin_leave. NULL when out of memory. */
CurlOrigin *curl_origin_join(CurlOrigin **list, const char *key);

/* Ends that. NULL is fine. */
void curl_origin_leave(CurlOrigin **list, CurlOrigin *origin);

/* One more (less) of its requests is under way. */
void curl_origin_run(CurlOrigin *origin, Pool *pool, int change);

/* Forgets all sessions: by those made under an old CA bundle a peer would be spared the look at its
 * certificate. Exchanges under way keep theirs to their end. With no exchange under way, this frees
 * everything. */
void curl_origins_retire(CurlOrigin **list);
