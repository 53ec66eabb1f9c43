/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/http_curl_multi.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "lib/util/macros.h"

/* ==== sockets and timer ==== */

#define TIMER_ACCURACY_USEC (1 * USEC_PER_MSEC)

struct CurlSocket {
    CurlSocket *prev, *next;
    sd_event_source *io;
};

/* ---- from the loop ---- */

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
    CurlWatch *w = userdata;
    int events = 0;

    (void)source;
    events |= revents & EPOLLIN ? CURL_CSELECT_IN : 0;
    events |= revents & EPOLLOUT ? CURL_CSELECT_OUT : 0;
    events |= revents & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0;
    w->wake(fd, events, w->userdata);
    return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
    CurlWatch *w = userdata;

    (void)source;
    (void)usec;
    w->wake(CURL_SOCKET_TIMEOUT, 0, w->userdata);
    return 0;
}

static int on_turn(sd_event_source *source, void *userdata) {
    CurlWatch *w = userdata;

    (void)source;
    w->wake(CURL_SOCKET_TIMEOUT, 0, w->userdata);
    return 0;
}

void curl_watch_want_turn(CurlWatch *watch) {
    (void)sd_event_source_set_enabled(watch->turn, SD_EVENT_ONESHOT);
}

/* ---- from libcurl, which must not be called back from here, curl_multi_assign excepted ---- */

static void socket_free(CurlWatch *w, CurlSocket *s) {
    if (s->prev)
        s->prev->next = s->next;
    else
        w->sockets = s->next;
    if (s->next)
        s->next->prev = s->prev;
    sd_event_source_disable_unref(s->io);
    free(s);
}

static void socket_new(CurlWatch *w, curl_socket_t fd, uint32_t events) {
    CurlSocket *s;

    s = calloc(1, sizeof(*s));
    if (!s)
        return;
    s->next = w->sockets;
    if (w->sockets)
        w->sockets->prev = s;
    w->sockets = s;
    if (sd_event_add_io(w->event, &s->io, fd, events, on_io, w) < 0 ||
        curl_multi_assign(w->multi, fd, s) != CURLM_OK)
        socket_free(w, s);
}

/* Where a socket cannot be watched the exchange is left to its timeout: an error returned here would make
 * the whole multi handle useless. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *socket_data) {
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
    CurlWatch *w = userdata;
    CurlSocket *s = socket_data;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (s) {
            (void)curl_multi_assign(w->multi, fd, NULL);
            socket_free(w, s);
        }
        return 0;
    }
    if (!s)
        socket_new(w, fd, events);
    else
        (void)sd_event_source_set_io_events(s->io, events);
    return 0;
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *userdata) {
    CurlWatch *w = userdata;
    struct timespec ts = { 0 };
    uint64_t at;

    (void)multi;
    /* A turn costs no system call, a timer does. */
    if (timeout_ms == 0)
        curl_watch_want_turn(w);
    if (timeout_ms <= 0) {
        (void)sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
        return 0;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    at = (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
    at += (uint64_t)timeout_ms * USEC_PER_MSEC;
    (void)sd_event_source_set_time(w->timer, at);
    (void)sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
    return 0;
}

/* ---- the interface ---- */

int curl_watch_init(CurlWatch *watch, sd_event *event, CURLM *multi, CurlWake wake, void *userdata) {
    int r;

    *watch = (CurlWatch){ .event = event, .multi = multi, .wake = wake, .userdata = userdata };
    r = sd_event_add_time(event, &watch->timer, CLOCK_MONOTONIC, UINT64_MAX, TIMER_ACCURACY_USEC, on_timer,
                          watch);
    if (r >= 0)
        r = sd_event_source_set_enabled(watch->timer, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_defer(event, &watch->turn, on_turn, watch);
    if (r >= 0)
        r = sd_event_source_set_enabled(watch->turn, SD_EVENT_OFF);
    if (r < 0)
        return r;
    if (curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket) != CURLM_OK ||
        curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, watch) != CURLM_OK ||
        curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_curl_timer) != CURLM_OK ||
        curl_multi_setopt(multi, CURLMOPT_TIMERDATA, watch) != CURLM_OK)
        return -EIO;
    return 0;
}

void curl_watch_done(CurlWatch *watch) {
    while (watch->sockets)
        socket_free(watch, watch->sockets);
    watch->timer = sd_event_source_disable_unref(watch->timer);
    watch->turn = sd_event_source_disable_unref(watch->turn);
}

/* ==== TLS sessions ==== */

struct CurlOrigin {
    CurlOrigin *next;
    char *key;
    CURLSH *share;
    unsigned n_users;
    bool retired; /* not handed out any more */
};

static void origin_free(CurlOrigin **list, CurlOrigin *o) {
    CurlOrigin **p = list;

    while (*p != o)
        p = &(*p)->next;
    *p = o->next;
    curl_share_cleanup(o->share);
    free(o->key);
    free(o);
}

static CurlOrigin *origin_new(CurlOrigin **list, const char *key) {
    CurlOrigin *o;

    o = calloc(1, sizeof(*o));
    if (!o)
        return NULL;
    o->next = *list;
    *list = o;
    o->key = strdup(key);
    o->share = curl_share_init();
    if (!o->key || !o->share ||
        curl_share_setopt(o->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK) {
        origin_free(list, o);
        return NULL;
    }
    return o;
}

CurlOrigin *curl_origin_join(CurlOrigin **list, const char *key, CURL *easy) {
    CurlOrigin *o;

    for (o = *list; o; o = o->next)
        if (!o->retired && strcmp(o->key, key) == 0)
            break;
    if (!o)
        o = origin_new(list, key);
    if (!o || curl_easy_setopt(easy, CURLOPT_SHARE, o->share) != CURLE_OK)
        return NULL;
    o->n_users++;
    return o;
}

void curl_origin_leave(CurlOrigin **list, CurlOrigin *origin, CURL *easy) {
    if (!origin)
        return;
    (void)curl_easy_setopt(easy, CURLOPT_SHARE, NULL);
    if (--origin->n_users == 0 && origin->retired)
        origin_free(list, origin);
}

void curl_origins_retire(CurlOrigin **list) {
    CurlOrigin *next;

    for (CurlOrigin *o = *list; o; o = next) {
        next = o->next;
        o->retired = true;
        if (o->n_users == 0)
            origin_free(list, o);
    }
}
