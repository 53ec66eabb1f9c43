/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/http_curl_multi.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "lib/util/macros.h"

uint64_t curl_now_usec(void) {
    struct timespec ts = { 0 };

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

/* ==== sockets and timer ==== */

#define TIMER_ACCURACY_USEC (1 * USEC_PER_MSEC)

/* Idle sockets stay watched: removing and adding each would be two system calls per request. */
struct CurlSocket {
    CurlWatch *watch;
    CurlOrigin *origin; /* NULL: not opened by us */
    uint64_t idle_usec; /* since when; 0: not used yet */
    uint64_t used_at;   /* n_arrived of its host at that time */
    sd_event_source *io;
    uint32_t events;
    bool idle, off;
};

static void count_connection(CurlWatch *w, CurlOrigin *origin, int change) {
    unsigned before = pool_count(&origin->host);

    origin->host.n_open += (unsigned)change;
    w->pool->n_open += pool_count(&origin->host) - before;
}

/* ---- from the loop ---- */

/* If an idle socket becomes readable, the peer has closed it; libcurl notices when it next uses it. */
static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
    CurlSocket *s = userdata;
    CurlWatch *w = s->watch;
    int events = 0;

    if (s->idle) {
        s->off = true;
        return sd_event_source_set_enabled(source, SD_EVENT_OFF);
    }
    events |= revents & EPOLLIN ? CURL_CSELECT_IN : 0;
    events |= revents & EPOLLOUT ? CURL_CSELECT_OUT : 0;
    events |= revents & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0;
    w->wake(fd, events, w->userdata);
    return 0;
}

static int multi_on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
    CurlWatch *w = userdata;

    (void)source;
    (void)usec;
    w->wake(CURL_SOCKET_TIMEOUT, 0, w->userdata);
    return 0;
}

static int multi_on_turn(sd_event_source *source, void *userdata) {
    CurlWatch *w = userdata;

    (void)source;
    w->wake(CURL_SOCKET_TIMEOUT, 0, w->userdata);
    return 0;
}

void curl_watch_want_turn(CurlWatch *watch) {
    (void)sd_event_source_set_enabled(watch->turn, SD_EVENT_ONESHOT);
}

/* ---- called by libcurl, which must not be called back here, except curl_multi_assign ---- */

static CurlSocket *socket_find(const CurlWatch *w, curl_socket_t fd) {
    return fd >= 0 && (unsigned)fd < w->n_sockets ? w->sockets[fd] : NULL;
}

static void socket_free(CurlWatch *w, curl_socket_t fd) {
    CurlSocket *s = socket_find(w, fd);

    if (!s)
        return;
    w->sockets[fd] = NULL;
    if (s->origin)
        count_connection(w, s->origin, -1);
    sd_event_source_disable_unref(s->io);
    free(s);
}

static CurlSocket *socket_new(CurlWatch *w, curl_socket_t fd) {
    unsigned n = w->n_sockets;
    CurlSocket *s;

    if (fd < 0)
        return NULL;
    if ((unsigned)fd >= n) {
        CurlSocket **more;

        n = 2 * (unsigned)fd + 16;
        more = reallocarray(w->sockets, n, sizeof(*more));
        if (!more)
            return NULL;
        memset(more + w->n_sockets, 0, (n - w->n_sockets) * sizeof(*more));
        w->sockets = more;
        w->n_sockets = n;
    }
    s = calloc(1, sizeof(*s));
    if (s)
        *s = (CurlSocket){ .watch = w, .idle = true };
    w->sockets[fd] = s;
    return s;
}

/* False without memory. */
static bool socket_listen(CurlSocket *s, curl_socket_t fd, uint32_t events) {
    if (!s->io) {
        if (sd_event_add_io(s->watch->event, &s->io, fd, events, on_io, s) < 0)
            return false;
    } else if (s->events != events && sd_event_source_set_io_events(s->io, events) < 0)
        return false;
    if (s->off && sd_event_source_set_enabled(s->io, SD_EVENT_ON) < 0)
        return false;
    s->events = events;
    s->off = false;
    return true;
}

/* It stays open, but nothing is running on it. A socket waiting for writability would wake the loop all the
 * time. */
static void socket_rest(CurlWatch *w, curl_socket_t fd) {
    CurlSocket *s = socket_find(w, fd);

    if (!s)
        return;
    s->idle = true;
    s->idle_usec = curl_now_usec();
    s->used_at = s->origin ? s->origin->host.n_arrived : 0;
    if (!s->origin)
        socket_free(w, fd);
    else if (s->io && s->events != EPOLLIN)
        (void)socket_listen(s, fd, EPOLLIN);
}

/* If a socket cannot be watched, its exchange ends soon. Returning an error here would break the whole multi
 * handle. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *socket_data) {
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
    CurlWatch *w = userdata;
    CurlSocket *s;

    (void)socket_data;
    if (what == CURL_POLL_REMOVE) {
        socket_rest(w, fd);
        return 0;
    }
    s = socket_find(w, fd);
    if (!s)
        s = socket_new(w, fd);
    if (s)
        s->idle = false;
    w->watched(easy, s && socket_listen(s, fd, events), w->userdata);
    return 0;
}

void curl_watch_opened(CurlWatch *watch, curl_socket_t fd, CurlOrigin *origin) {
    CurlSocket *s;

    socket_free(watch, fd); /* it was closed without notice */
    s = socket_new(watch, fd);
    if (!s)
        return;
    s->origin = origin;
    count_connection(watch, origin, 1);
}

int curl_watch_close(void *watch, curl_socket_t fd) {
    socket_free(watch, fd);
    return close(fd);
}

/* libcurl has no function to close a connection: it will find this one dead. */
static void drop(CurlWatch *w, curl_socket_t fd) {
    socket_free(w, fd);
    (void)shutdown(fd, SHUT_RDWR);
}

/* The least recently used one; CURL_SOCKET_BAD if there is none. */
static curl_socket_t find_idle(const CurlWatch *w, const CurlOrigin *origin) {
    curl_socket_t oldest = CURL_SOCKET_BAD;

    for (unsigned fd = 0; fd < w->n_sockets; fd++) {
        const CurlSocket *s = w->sockets[fd];

        if (s && s->origin && (!origin || s->origin == origin) && s->idle && s->idle_usec != 0 &&
            (oldest == CURL_SOCKET_BAD || s->idle_usec < w->sockets[oldest]->idle_usec))
            oldest = (curl_socket_t)fd;
    }
    return oldest;
}

void curl_watch_drop_idle(CurlWatch *watch, const CurlOrigin *origin) {
    curl_socket_t fd = find_idle(watch, origin);

    if (fd != CURL_SOCKET_BAD)
        drop(watch, fd);
}

void curl_watch_trim(CurlWatch *watch, CurlOrigin *origin) {
    curl_socket_t fd = pool_wants_trim(&origin->host) ? find_idle(watch, origin) : CURL_SOCKET_BAD;

    if (fd != CURL_SOCKET_BAD &&
        pool_is_unneeded(&origin->host, watch->sockets[fd]->used_at, curl_now_usec()))
        drop(watch, fd);
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *userdata) {
    CurlWatch *w = userdata;

    (void)multi;
    /* A turn costs no system call, a timer does. */
    if (timeout_ms == 0)
        curl_watch_want_turn(w);
    if (timeout_ms <= 0) {
        (void)sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
        return 0;
    }
    (void)sd_event_source_set_time(w->timer, curl_now_usec() + (uint64_t)timeout_ms * USEC_PER_MSEC);
    (void)sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
    return 0;
}

/* ---- the interface ---- */

void curl_watch_resume(CurlWatch *watch) {
    long timeout_ms = -1;

    if (curl_multi_timeout(watch->multi, &timeout_ms) == CURLM_OK)
        (void)on_curl_timer(watch->multi, timeout_ms, watch);
}

int curl_watch_init(CurlWatch *watch, sd_event *event, CURLM *multi, Pool *pool, CurlWake wake,
                    CurlWatched watched, void *userdata) {
    int r;

    *watch = (CurlWatch){ .event = event,
                          .multi = multi,
                          .pool = pool,
                          .wake = wake,
                          .watched = watched,
                          .userdata = userdata };
    r = sd_event_add_time(event, &watch->timer, CLOCK_MONOTONIC, UINT64_MAX, TIMER_ACCURACY_USEC,
                          multi_on_timer, watch);
    if (r >= 0)
        r = sd_event_source_set_enabled(watch->timer, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_defer(event, &watch->turn, multi_on_turn, watch);
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
    for (unsigned fd = 0; fd < watch->n_sockets; fd++)
        socket_free(watch, (curl_socket_t)fd);
    free(TAKE_PTR(watch->sockets));
    watch->n_sockets = 0;
    watch->timer = sd_event_source_disable_unref(watch->timer);
    watch->turn = sd_event_source_disable_unref(watch->turn);
}

/* ==== origins ==== */

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

CurlOrigin *curl_origin_join(CurlOrigin **list, const char *key) {
    CurlOrigin *o;

    for (o = *list; o; o = o->next)
        if (!o->retired && strcmp(o->key, key) == 0)
            break;
    if (!o)
        o = origin_new(list, key);
    if (o)
        o->n_users++;
    return o;
}

void curl_origin_leave(CurlOrigin **list, CurlOrigin *origin) {
    if (origin && --origin->n_users == 0 && origin->retired)
        origin_free(list, origin);
}

void curl_origin_run(CurlOrigin *origin, Pool *pool, int change) {
    unsigned before = pool_count(&origin->host);

    origin->host.n_running += (unsigned)change;
    pool->n_running += (unsigned)change;
    pool->n_open += pool_count(&origin->host) - before;
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
