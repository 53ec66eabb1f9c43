/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A libcurl multi handle's sockets and timer as event sources. Part of http_curl. libcurl's callbacks end
 * here and only move event sources; `wake` is called from the loop, never from inside libcurl, and is to
 * call curl_multi_socket_action with what it is given. */

#include <curl/curl.h>
#include <stdbool.h>

typedef struct sd_event sd_event;
typedef struct sd_event_source sd_event_source;

typedef void (*CurlWake)(curl_socket_t fd, int events, void *userdata);
typedef struct CurlSocket CurlSocket;

typedef struct CurlWatch {
    sd_event *event;
    CURLM *multi;
    CurlWake wake;
    void *userdata;
    sd_event_source *timer; /* when libcurl wants to be called */
    sd_event_source *turn;  /* ... and when that is at the next turn of the loop */
    CurlSocket *sockets;
} CurlWatch;

/* Watches multi on event; both are borrowed. 0 or -errno, and then curl_watch_done is still to be called. */
int curl_watch_init(CurlWatch *watch, sd_event *event, CURLM *multi, CurlWake wake, void *userdata);

/* After curl_multi_cleanup. Fine to call from inside wake, twice, and on a zeroed watch. */
void curl_watch_done(CurlWatch *watch);

/* Calls wake at the next turn of the loop, with CURL_SOCKET_TIMEOUT. */
void curl_watch_want_turn(CurlWatch *watch);

/* TLS sessions, kept apart per scheme, host and port: libcurl before 8.12 remembers eight in one cache,
 * which is less than there are regions. Plain HTTP has an origin too: older versions leak the session
 * cache that a handle makes for itself when it was used without a share and is then given one. */

typedef struct CurlOrigin CurlOrigin;

/* Lets a handle use the sessions of the origin that key names ("https://host:port"); *list starts as NULL.
 * NULL when out of memory. */
CurlOrigin *curl_origin_join(CurlOrigin **list, const char *key, CURL *easy);

/* Ends that; the handle must not be in a multi handle any more. NULL is fine. */
void curl_origin_leave(CurlOrigin **list, CurlOrigin *origin, CURL *easy);

/* Forgets all sessions: by those made under an old CA bundle a peer would be spared the look at its
 * certificate. Exchanges under way keep theirs to their end. With no exchange under way, this frees
 * everything. */
void curl_origins_retire(CurlOrigin **list);
