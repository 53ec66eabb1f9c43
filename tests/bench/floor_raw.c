/* SPDX-License-Identifier: Apache-2.0 */
/* The floor without an HTTP library: OpenSSL on epoll, as many connections a host as are needed at once, the
 * newest session of each host offered again. It knows one answer only: with a Content-Length, which it
 * counts off. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "floor.h"

typedef struct Host {
    char name[128];
    struct sockaddr_storage address;
    socklen_t address_len;
    SSL_SESSION *session;
    struct Connection *idle;
} Host;

typedef struct Connection {
    struct Connection *next_idle;
    Host *host;
    SSL *ssl;
    int fd;
    bool connected, busy, closed;
    unsigned events;
    size_t out_len, out_sent, in_len;
    char out[2048], in[4096];
} Connection;

static Floor f;
static Host hosts[FLOOR_REGIONS_MAX];
static SSL_CTX *tls;
static int poller;

static void __attribute__((noreturn)) die(const char *what) {
    fprintf(stderr, "floor_raw: %s\n", what);
    exit(1);
}

static void resolve(Host *h, const char *region) {
    const struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found;
    char port[16];

    snprintf(h->name, sizeof(h->name), "cloudtrail.%s.amazonaws.com", region);
    snprintf(port, sizeof(port), "%u", f.connect_port ? f.connect_port : 443);
    if (getaddrinfo(f.connect_port ? f.connect_address : h->name, port, &hints, &found) != 0)
        die(h->name);
    memcpy(&h->address, found->ai_addr, found->ai_addrlen);
    h->address_len = found->ai_addrlen;
    freeaddrinfo(found);
}

static int keep_session(SSL *ssl, SSL_SESSION *session) {
    Connection *c = SSL_get_app_data(ssl);

    SSL_SESSION_free(c->host->session);
    c->host->session = session;
    return 1;
}

static Connection *open_connection(Host *h) {
    static const int one = 1;
    struct epoll_event event = { .events = EPOLLOUT };
    Connection *c = calloc(1, sizeof(*c));

    if (!c || !(c->ssl = SSL_new(tls)))
        die("out of memory");
    c->host = h;
    c->events = EPOLLOUT;
    c->fd = socket(h->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0 ||
        (connect(c->fd, (struct sockaddr *)&h->address, h->address_len) < 0 && errno != EINPROGRESS))
        die(strerror(errno));
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    SSL_set_fd(c->ssl, c->fd);
    SSL_set_app_data(c->ssl, c);
    SSL_set_connect_state(c->ssl);
    SSL_set_tlsext_host_name(c->ssl, h->name);
    SSL_set1_host(c->ssl, h->name);
    if (h->session)
        SSL_set_session(c->ssl, h->session);
    event.data.ptr = c;
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event) < 0)
        die(strerror(errno));
    return c;
}

static void close_connection(Connection *c) {
    for (Connection **p = &c->host->idle; *p; p = &(*p)->next_idle)
        if (*p == c) {
            *p = c->next_idle;
            break;
        }
    /* An orderly end: else OpenSSL takes the session for one that must not be resumed. */
    SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(c->ssl);
    close(c->fd);
    f.n_failed += c->busy;
    free(c);
}

static void watch(Connection *c, unsigned events) {
    struct epoll_event event = { .events = events, .data.ptr = c };

    if (c->events != events && epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event) < 0)
        die(strerror(errno));
    c->events = events;
}

/* false: the connection is over. */
static bool later(Connection *c, int result) {
    int e = SSL_get_error(c->ssl, result);

    ERR_clear_error();
    if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE)
        return false;
    watch(c, e == SSL_ERROR_WANT_WRITE ? EPOLLOUT : EPOLLIN);
    return true;
}

/* The whole answer is there. */
static bool is_complete(const Connection *c) {
    const char *end = memmem(c->in, c->in_len, "\r\n\r\n", 4), *length;

    if (!end)
        return false;
    length = memmem(c->in, (size_t)(end - c->in), "Content-Length:", 15);
    return length && c->in_len >= (size_t)(end + 4 - c->in) + strtoul(length + 15, NULL, 10);
}

static void end_poll(Connection *c) {
    if (strncmp(c->in, "HTTP/1.1 200 ", 13) == 0)
        f.n_answered++;
    else
        f.n_failed++;
    f.n_bytes += c->in_len;
    c->busy = false;
    c->in_len = 0;
    c->next_idle = c->host->idle;
    c->host->idle = c;
}

/* Reads on after the answer: a host that closes has said so by then, or says so later. */
static bool progress(Connection *c) {
    int n;

    if (!c->connected) {
        n = SSL_connect(c->ssl);
        if (n <= 0)
            return later(c, n);
        c->connected = true;
    }
    while (c->out_sent < c->out_len) {
        n = SSL_write(c->ssl, c->out + c->out_sent, (int)(c->out_len - c->out_sent));
        if (n <= 0)
            return later(c, n);
        c->out_sent += (size_t)n;
    }
    for (;;) {
        n = SSL_read(c->ssl, c->in + c->in_len, (int)(sizeof(c->in) - 1 - c->in_len));
        if (n <= 0)
            return later(c, n);
        c->in_len += (size_t)n;
        c->in[c->in_len] = '\0';
        if (c->busy && is_complete(c))
            end_poll(c);
    }
}

static void begin_poll(void) {
    Host *h = &hosts[floor_region(&f, f.n_begun)];
    Connection *c = h->idle;
    char body[256];
    int n = floor_body(&f, f.n_begun, body, sizeof(body));

    if (c)
        h->idle = c->next_idle;
    else
        c = open_connection(h);
    c->out_sent = c->in_len = 0;
    c->busy = true;
    c->out_len = (size_t)snprintf(
            c->out, sizeof(c->out),
            "POST / HTTP/1.1\r\nHost: %s%s%s\r\nContent-Type: application/x-amz-json-1.1\r\n"
            "X-Amz-Target: " FLOOR_TARGET
            "\r\nX-Amz-Date: 20261124T120000Z\r\nAuthorization: " FLOOR_SIGNATURE "\r\n"
            "User-Agent: floor_raw\r\nContent-Length: %d\r\n\r\n%s",
            h->name, f.n_accounts > 1 ? "\r\n" FLOOR_TOKEN_HEADER ": " : "", f.n_accounts > 1 ? f.token : "",
            n, body);
    f.n_begun++;
    if (c->connected && !progress(c))
        close_connection(c);
}

int main(int argc, char **argv) {
    if (!floor_options(&f, argc, argv)) {
        fputs("usage: floor_raw " FLOOR_USAGE "\n", stderr);
        return 2;
    }
    poller = epoll_create1(EPOLL_CLOEXEC);
    tls = SSL_CTX_new(TLS_client_method());
    if (poller < 0 || !tls || SSL_CTX_load_verify_locations(tls, f.ca_file, NULL) != 1)
        die("cannot start");
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(tls, keep_session);
    for (unsigned i = 0; i < f.n_regions; i++)
        resolve(&hosts[i], f.regions[i]);
    f.begun_usec = floor_now_usec();
    while (!floor_ended(&f)) {
        struct epoll_event events[64];
        int n = epoll_wait(poller, events, 64, floor_wait_ms(&f));

        for (int i = 0; i < n; i++)
            if (!progress(events[i].data.ptr))
                close_connection(events[i].data.ptr);
        while (floor_wait_ms(&f) == 0)
            begin_poll();
    }
    return floor_report(&f);
}
