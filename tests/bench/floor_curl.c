/* SPDX-License-Identifier: Apache-2.0 */
/* The floor on libcurl: the least that a poll costs with this libcurl, epoll and a pool of handles a host.
 * It polls the same targets at the same rate over the same kind of connection, signs nothing and reads no
 * answer. CAs are cached and sessions kept, as they should be. */
#include <curl/curl.h>
#include <sys/epoll.h>

#include "floor.h"

#define CONNECTIONS_MAX 4L /* of a host: beyond that a poll waits for one */

typedef struct Host {
    CURLSH *share; /* one keeps the sessions of 8 hosts only */
    struct Handle *idle[FLOOR_IN_FLIGHT_MAX];
    unsigned n_idle;
} Host;

typedef struct Handle {
    CURL *easy;
    Host *host;
    bool again;
    char body[256];
    char url[128];
} Handle;

static Floor f;
static CURLM *multi;
static struct curl_slist *headers, *connect_to;
static Host hosts[FLOOR_REGIONS_MAX];
static int poller, running;
static long curl_wait_ms = -1;
static uint64_t curl_asked_usec;

static size_t count(char *data, size_t size, size_t n, void *userdata) {
    (void)data;
    (void)userdata;
    f.n_bytes += size * n;
    return size * n;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *known) {
    struct epoll_event event = { .data.fd = fd };

    (void)easy;
    (void)userdata;
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
    if (what == CURL_POLL_REMOVE)
        (void)epoll_ctl(poller, EPOLL_CTL_DEL, fd, NULL);
    else
        (void)epoll_ctl(poller, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    if (what != CURL_POLL_REMOVE && !known)
        (void)curl_multi_assign(multi, fd, &f);
    return 0;
}

static int on_timer(CURLM *of, long timeout_ms, void *userdata) {
    (void)of;
    (void)userdata;
    curl_wait_ms = timeout_ms;
    curl_asked_usec = floor_now_usec();
    return 0;
}

static Handle *new_handle(Host *host) {
    Handle *h = calloc(1, sizeof(*h));

    if (!h || !(h->easy = curl_easy_init()))
        abort();
    h->host = host;
    (void)curl_easy_setopt(h->easy, CURLOPT_PRIVATE, h);
    (void)curl_easy_setopt(h->easy, CURLOPT_SHARE, host->share);
    (void)curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(h->easy, CURLOPT_CONNECT_TO, connect_to);
    (void)curl_easy_setopt(h->easy, CURLOPT_CAINFO, f.ca_file);
    (void)curl_easy_setopt(h->easy, CURLOPT_CAPATH,
                           NULL); /* else libcurl reads all CAs for each connection */
    (void)curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, count);
    (void)curl_easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(h->easy, CURLOPT_TIMEOUT_MS, 10000L);
    return h;
}

static void begin_poll(void) {
    Host *host = &hosts[floor_region(&f, f.n_begun)];
    Handle *h = host->n_idle > 0 ? host->idle[--host->n_idle] : new_handle(host);

    (void)floor_body(&f, f.n_begun, h->body, sizeof(h->body));
    snprintf(h->url, sizeof(h->url), "https://cloudtrail.%s.amazonaws.com/",
             f.regions[floor_region(&f, f.n_begun)]);
    (void)curl_easy_setopt(h->easy, CURLOPT_URL, h->url);
    (void)curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, h->body);
    (void)curl_easy_setopt(h->easy, CURLOPT_FRESH_CONNECT, 0L);
    h->again = false;
    (void)curl_multi_add_handle(multi, h->easy);
    f.n_begun++;
}

/* A host may close a connection just when it is used again. */
static bool begin_again(Handle *h, CURLcode result) {
    if (h->again ||
        (result != CURLE_SEND_ERROR && result != CURLE_RECV_ERROR && result != CURLE_GOT_NOTHING))
        return false;
    h->again = true;
    (void)curl_easy_setopt(h->easy, CURLOPT_FRESH_CONNECT, 1L);
    (void)curl_multi_add_handle(multi, h->easy);
    return true;
}

static void end_polls(void) {
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(multi, &left))) {
        CURL *easy = message->easy_handle;
        CURLcode result = message->data.result;
        long status = 0;
        Handle *h;

        (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&h);
        (void)curl_multi_remove_handle(multi, easy);
        if (begin_again(h, result))
            continue;
        if (result == CURLE_OK && status == 200)
            f.n_answered++;
        else {
            f.n_failed++;
            fprintf(stderr, "floor_curl: %s, status %ld\n", curl_easy_strerror(result), status);
        }
        h->host->idle[h->host->n_idle++] = h;
    }
}

/* Until libcurl's timer or the next poll, whichever is first. */
static int wait_ms(void) {
    int next = floor_wait_ms(&f);
    long left;

    if (curl_wait_ms < 0)
        return next;
    left = curl_wait_ms - (long)((floor_now_usec() - curl_asked_usec) / 1000);
    left = left < 0 ? 0 : left;
    return next >= 0 && next < left ? next : (int)left;
}

static void step(void) {
    struct epoll_event events[64];
    int n = epoll_wait(poller, events, 64, wait_ms());

    for (int i = 0; i < n; i++) {
        int what = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                   (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                   (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);

        (void)curl_multi_socket_action(multi, events[i].data.fd, what, &running);
    }
    while (floor_wait_ms(&f) == 0)
        begin_poll();
    if (curl_wait_ms >= 0 && floor_now_usec() >= curl_asked_usec + (uint64_t)curl_wait_ms * 1000) {
        curl_wait_ms = -1;
        (void)curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    end_polls();
}

static void make_headers(void) {
    char text[FLOOR_TOKEN_LEN + 64];

    if (f.n_accounts > 1) {
        snprintf(text, sizeof(text), FLOOR_TOKEN_HEADER ": %s", f.token);
        headers = curl_slist_append(headers, text);
    }
    headers = curl_slist_append(headers, "Content-Type: application/x-amz-json-1.1");
    headers = curl_slist_append(headers, "X-Amz-Target: " FLOOR_TARGET);
    headers = curl_slist_append(headers, "X-Amz-Date: 20261124T120000Z");
    headers = curl_slist_append(headers, "Authorization: " FLOOR_SIGNATURE);
    headers = curl_slist_append(headers, "User-Agent: floor_curl");
    headers = curl_slist_append(headers, "Accept:");
    if (f.connect_port) {
        snprintf(text, sizeof(text), "::%s:%u", f.connect_address, f.connect_port);
        connect_to = curl_slist_append(connect_to, text);
    }
}

int main(int argc, char **argv) {
    if (!floor_options(&f, argc, argv)) {
        fputs("usage: floor_curl " FLOOR_USAGE "\n", stderr);
        return 2;
    }
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || !(multi = curl_multi_init()))
        return 1;
    for (unsigned i = 0; i < f.n_regions; i++) {
        hosts[i].share = curl_share_init();
        (void)curl_share_setopt(hosts[i].share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    }
    make_headers();
    (void)curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    (void)curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 1024L);
    if (!connect_to) /* else all hosts are one to libcurl */
        (void)curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, CONNECTIONS_MAX);
    while (!floor_ended(&f))
        step();
    return floor_report(&f);
}
