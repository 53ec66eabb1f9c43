/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Connects the sockets and the timer of a libcurl multi handle to event sources. Part of http_curl.
 * libcurl's callbacks end here, and only change event sources. `wake` is called from the loop, never from
 * inside libcurl, and passes its arguments to curl_multi_socket_action. */

#include <curl/curl.h>
#include <stdbool.h>

#include "lib/connection_pool.h"
#include "lib/http_curl_resolve.h"

typedef struct sd_event sd_event;
typedef struct sd_event_source sd_event_source;

/* Monotonic. */
uint64_t curl_now_usec(void);

typedef void (*CurlWake)(curl_socket_t fd, int events, void *userdata);
/* Called from inside libcurl: a socket of easy is watched, or cannot be without memory. */
typedef void (*CurlWatched)(CURL *easy, bool watched, void *userdata);
typedef struct CurlSocket CurlSocket;
typedef struct CurlOrigin CurlOrigin;

typedef struct CurlWatch {
    sd_event *event;
    CURLM *multi;
    CurlWake wake;
    CurlWatched watched;
    void *userdata;
    sd_event_source *timer; /* the time at which libcurl wants to be called */
    sd_event_source *turn;  /* ... if that is in the next turn of the loop */
    CurlSocket **sockets;   /* by file descriptor */
    unsigned n_sockets;     /* size of the array */
    Pool *pool;
} CurlWatch;

/* Watches multi on event and counts its connections in pool; all are borrowed. 0 or -errno; call
 * curl_watch_done in either case. */
int curl_watch_init(CurlWatch *watch, sd_event *event, CURLM *multi, Pool *pool, CurlWake wake,
                    CurlWatched watched, void *userdata);

/* Call after curl_multi_cleanup. May be called from inside wake, twice, and on a zeroed watch. */
void curl_watch_done(CurlWatch *watch);

/* Calls wake in the next turn of the loop, with CURL_SOCKET_TIMEOUT. */
void curl_watch_want_turn(CurlWatch *watch);

/* Asks libcurl when to call it next, after it ran out of memory. */
void curl_watch_resume(CurlWatch *watch);

/* A connection to origin begins on fd. libcurl must close it through CURLOPT_CLOSESOCKETFUNCTION
 * curl_watch_close, with the watch as its data. */
void curl_watch_opened(CurlWatch *watch, curl_socket_t fd, CurlOrigin *origin);
int curl_watch_close(void *watch, curl_socket_t fd);

/* Closes the least recently used idle connection to origin, if there is one; NULL: of all origins. */
void curl_watch_drop_idle(CurlWatch *watch, const CurlOrigin *origin);
/* ... occasionally, if its host does not need it. */
void curl_watch_trim(CurlWatch *watch, CurlOrigin *origin);

/* A scheme, host and port: its connections and TLS sessions. Sessions are kept per origin, because libcurl
 * before 8.12 keeps only eight in one cache, fewer than there are regions. Plain HTTP has an origin, too:
 * older versions leak a handle's own session cache if it was used without a share and then gets one. */
struct CurlOrigin {
    CurlOrigin *next;
    char *key;
    CURLSH *share;
    unsigned n_users;
    bool retired; /* no longer handed out */
    PoolHost host;
    CurlAddresses addresses; /* last given to libcurl for this host; n 0: none */
};

/* The origin of key ("https://host:port"), created if needed; *list starts as NULL. Valid until
 * curl_origin_leave. NULL when out of memory. */
CurlOrigin *curl_origin_join(CurlOrigin **list, const char *key);

/* Releases it. NULL is allowed. */
void curl_origin_leave(CurlOrigin **list, CurlOrigin *origin);

/* Counts one more (less) running request. */
void curl_origin_run(CurlOrigin *origin, Pool *pool, int change);

/* Forgets all sessions: a resumed session skips the check of the certificate, which was made under the old
 * CA bundle. Running exchanges keep theirs to their end. Without running exchanges this frees everything. */
void curl_origins_retire(CurlOrigin **list);
