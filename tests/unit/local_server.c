/* SPDX-License-Identifier: Apache-2.0 */
/* Paths:  /echo      what came: request line, headers and body, as the answer's body
 *         /status/N  that status
 *         /big/N     N bytes of body
 *         /late/N    answered after N milliseconds
 *         /headers/N N bytes of headers
 *         /hints/N   N bytes of interim answers before the answer
 *         /interim   a "100 Continue" with a header of its own before the answer
 *         /close     answered, then closed, as announced
 *         /drop      answered, then closed without a word
 *         /hang      no answer until the client gives up
 *         /mute      the connection ends without an answer
 *         /cut       the connection ends in the middle of the body
 *         /noise     bytes that are not HTTP
 *         /nul       a NUL inside a header */
#include "tests/unit/local_server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/util/macros.h"

#define CONNECTIONS_MAX 1024
#define REQUEST_MAX     65536

struct LocalCa {
    EVP_PKEY *key;
    X509 *certificate;
    EVP_PKEY *server_key;
    X509 *server_certificate;
};

typedef struct Connection {
    LocalServer *server;
    pthread_t thread;
    int fd;
    SSL *ssl;
} Connection;

struct LocalServer {
    int fd;
    unsigned port;
    SSL_CTX *tls;
    pthread_t acceptor;
    pthread_mutex_t lock;
    Connection *connections[CONNECTIONS_MAX]; /* under lock */
    unsigned n_connections;                   /* under lock */
    atomic_bool stopping;
    atomic_uint n_resumed, n_requests;
};

static void check(bool ok, const char *what) {
    if (ok)
        return;
    ERR_print_errors_fp(stderr);
    fprintf(stderr, "local server: %s\n", what);
    abort();
}

/* ---- certificates ---- */

static X509 *certify(EVP_PKEY *key, const char *name, long serial, const char *extension, const char *value,
                     X509 *issuer, EVP_PKEY *issuer_key) {
    X509 *x = X509_new();
    X509_EXTENSION *e;

    check(x != NULL, "certificate");
    check(X509_set_version(x, 2) && ASN1_INTEGER_set(X509_get_serialNumber(x), serial), "certificate");
    check(X509_gmtime_adj(X509_getm_notBefore(x), -3600) && X509_gmtime_adj(X509_getm_notAfter(x), 86400),
          "dates");
    check(X509_set_pubkey(x, key), "public key");
    check(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                                     (const unsigned char *)name, -1, -1, 0),
          "name");
    check(X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer : x)), "issuer");
    e = X509V3_EXT_conf(NULL, NULL, extension, value);
    check(e && X509_add_ext(x, e, -1), "extension");
    X509_EXTENSION_free(e);
    check(X509_sign(x, issuer_key ? issuer_key : key, EVP_sha256()) > 0, "signature");
    return x;
}

LocalCa *local_ca_new(void) {
    LocalCa *ca = calloc(1, sizeof(*ca));

    check(ca != NULL, "memory");
    ca->key = EVP_EC_gen("P-256");
    ca->server_key = EVP_EC_gen("P-256");
    check(ca->key && ca->server_key, "keys");
    ca->certificate = certify(ca->key, "Test CA", 1, "basicConstraints", "critical,CA:TRUE", NULL, NULL);
    ca->server_certificate =
            certify(ca->server_key, "server", 2, "subjectAltName", "IP:127.0.0.1", ca->certificate, ca->key);
    return ca;
}

void local_ca_free(LocalCa *ca) {
    if (!ca)
        return;
    X509_free(ca->server_certificate);
    X509_free(ca->certificate);
    EVP_PKEY_free(ca->server_key);
    EVP_PKEY_free(ca->key);
    free(ca);
}

void local_ca_write(const LocalCa *ca, const char *path) {
    FILE *f = fopen(path, "we");

    check(f && PEM_write_X509(f, ca->certificate) && fclose(f) == 0, path);
}

/* ---- one connection ---- */

static int receive(Connection *c, char *data, size_t size) {
    return c->ssl ? SSL_read(c->ssl, data, (int)size) : (int)recv(c->fd, data, size, 0);
}

static void transmit(Connection *c, const char *data, size_t size) {
    /* A client that has gone away is no mistake. */
    if (c->ssl)
        (void)SSL_write(c->ssl, data, (int)size);
    else
        (void)send(c->fd, data, size, MSG_NOSIGNAL);
}

static void answer(Connection *c, int status, const char *headers, const char *body, size_t len) {
    char head[512];
    int n = snprintf(head, sizeof(head),
                     "HTTP/1.1 %d Text\r\nX-Test:  padded \r\n%sContent-Length: %zu\r\n\r\n", status,
                     headers, len);

    transmit(c, head, (size_t)n);
    if (len > 0)
        transmit(c, body, len);
}

static void answer_big(Connection *c, size_t len) {
    char *body = malloc(len + 1);

    check(body != NULL, "memory");
    memset(body, 'x', len);
    answer(c, 200, "", body, len);
    free(body);
}

static void answer_headers(Connection *c, size_t len) {
    static const char line[] =
            "X-Filler: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n";

    transmit(c, "HTTP/1.1 200 OK\r\n", 17);
    for (size_t n = 0; n < len; n += sizeof(line) - 1)
        transmit(c, line, sizeof(line) - 1);
    transmit(c, "Content-Length: 0\r\n\r\n", 21);
}

static void answer_hints(Connection *c, size_t len) {
    static const char hint[] = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n";

    for (size_t n = 0; n < len; n += sizeof(hint) - 1)
        transmit(c, hint, sizeof(hint) - 1);
    answer(c, 200, "", "", 0);
}

static bool is(const char *path, const char *word) {
    return strncmp(path, word, strlen(word)) == 0;
}

/* False when the connection is to be closed. */
static bool serve(Connection *c, const char *request, size_t len) {
    static const char nul[] = "HTTP/1.1 200 OK\r\nX-A: b\0c\r\nX-B: d\r\nContent-Length: 0\r\n\r\n";
    const char *path = strchr(request, ' ') + 1;
    bool head = is(request, "HEAD ");
    char scratch[8];

    if (is(path, "/echo "))
        answer(c, 200, "", request, head ? 0 : len);
    else if (is(path, "/status/"))
        answer(c, atoi(path + 8), "", "", 0);
    else if (is(path, "/big/"))
        answer_big(c, strtoul(path + 5, NULL, 10));
    else if (is(path, "/late/")) {
        (void)usleep((useconds_t)atoi(path + 6) * 1000);
        answer(c, 200, "", "", 0);
    } else if (is(path, "/headers/"))
        answer_headers(c, strtoul(path + 9, NULL, 10));
    else if (is(path, "/hints/"))
        answer_hints(c, strtoul(path + 7, NULL, 10));
    else if (is(request, "CONNECT "))
        answer(c, 403, "", "", 0); /* as a proxy that will not */
    else if (is(path, "/nul "))
        transmit(c, nul, sizeof(nul) - 1);
    else if (is(path, "/interim ")) {
        transmit(c, "HTTP/1.1 100 Continue\r\nX-Interim: yes\r\n\r\n", 41);
        answer(c, 200, "X-Final: yes\r\n", "", 0);
    } else {
        if (is(path, "/close "))
            answer(c, 200, "Connection: close\r\n", "bye", 3);
        else if (is(path, "/drop "))
            answer(c, 200, "", "bye", 3);
        else if (is(path, "/cut "))
            transmit(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", 44);
        else if (is(path, "/noise "))
            transmit(c, "this is not HTTP\r\n\r\n", 20);
        else if (is(path, "/hang "))
            (void)receive(c, scratch, sizeof(scratch));
        return false;
    }
    return true;
}

/* One request with its body, as text; 0 when the client has gone. */
static size_t read_request(Connection *c, char *buffer) {
    size_t n = 0, body = 0;
    char *end = NULL, *length;

    while (!end || n < (size_t)(end - buffer) + body) {
        int got = n < REQUEST_MAX - 1 ? receive(c, buffer + n, REQUEST_MAX - 1 - n) : 0;

        if (got <= 0)
            return 0;
        n += (size_t)got;
        buffer[n] = '\0';
        /* Somebody talks TLS to a plain server. */
        if (buffer[0] < 'A')
            return 0;
        if (!end && (end = strstr(buffer, "\r\n\r\n"))) {
            end += 4;
            length = strcasestr(buffer, "\r\nContent-Length:");
            body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
        }
    }
    return n;
}

static void *run_connection(void *userdata) {
    Connection *c = userdata;
    char *buffer = malloc(REQUEST_MAX);
    size_t n;

    check(buffer != NULL, "memory");
    if (!c->ssl || SSL_accept(c->ssl) == 1) {
        if (c->ssl && SSL_session_reused(c->ssl))
            c->server->n_resumed++;
        while ((n = read_request(c, buffer)) > 0) {
            c->server->n_requests++;
            if (!serve(c, buffer, n))
                break;
        }
    }
    if (c->ssl)
        (void)SSL_shutdown(c->ssl);
    (void)shutdown(c->fd, SHUT_RDWR);
    free(buffer);
    return NULL;
}

/* ---- the server ---- */

static void start_connection(LocalServer *s, int fd) {
    Connection *c = calloc(1, sizeof(*c));

    check(c != NULL, "memory");
    check(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)) == 0, "TCP_NODELAY");
    c->server = s;
    c->fd = fd;
    if (s->tls) {
        c->ssl = SSL_new(s->tls);
        check(c->ssl && SSL_set_fd(c->ssl, fd), "TLS");
    }
    pthread_mutex_lock(&s->lock);
    check(s->n_connections < CONNECTIONS_MAX, "too many connections");
    s->connections[s->n_connections++] = c;
    check(pthread_create(&c->thread, NULL, run_connection, c) == 0, "thread");
    pthread_mutex_unlock(&s->lock);
}

static void *run_acceptor(void *userdata) {
    LocalServer *s = userdata;

    for (;;) {
        int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);

        if (s->stopping) {
            if (fd >= 0)
                close(fd);
            return NULL;
        }
        if (fd >= 0)
            start_connection(s, fd);
    }
}

static void set_up_tls(LocalServer *s, const LocalCa *ca) {
    s->tls = SSL_CTX_new(TLS_server_method());
    check(s->tls && SSL_CTX_use_certificate(s->tls, ca->server_certificate) == 1 &&
                  SSL_CTX_use_PrivateKey(s->tls, ca->server_key) == 1 &&
                  SSL_CTX_set_session_id_context(s->tls, (const unsigned char *)"test", 4) == 1,
          "TLS");
}

LocalServer *local_server_new(const LocalCa *ca) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(address);
    LocalServer *s = calloc(1, sizeof(*s));

    check(s != NULL, "memory");
    check(signal(SIGPIPE, SIG_IGN) != SIG_ERR, "signal");
    pthread_mutex_init(&s->lock, NULL);
    if (ca)
        set_up_tls(s, ca);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(s->fd >= 0 && bind(s->fd, (struct sockaddr *)&address, len) == 0 && listen(s->fd, 128) == 0,
          "listen");
    check(getsockname(s->fd, (struct sockaddr *)&address, &len) == 0, "address");
    s->port = ntohs(address.sin_port);
    check(pthread_create(&s->acceptor, NULL, run_acceptor, s) == 0, "thread");
    return s;
}

void local_server_free(LocalServer *server) {
    if (!server)
        return;
    server->stopping = true;
    (void)shutdown(server->fd, SHUT_RDWR); /* wakes the acceptor */
    pthread_join(server->acceptor, NULL);
    for (unsigned i = 0; i < server->n_connections; i++)
        (void)shutdown(server->connections[i]->fd, SHUT_RDWR);
    for (unsigned i = 0; i < server->n_connections; i++) {
        Connection *c = server->connections[i];

        pthread_join(c->thread, NULL);
        SSL_free(c->ssl);
        close(c->fd);
        free(c);
    }
    close(server->fd);
    SSL_CTX_free(server->tls);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

unsigned local_server_port(const LocalServer *server) {
    return server->port;
}

unsigned local_server_n_connections(LocalServer *server) {
    unsigned n;

    pthread_mutex_lock(&server->lock);
    n = server->n_connections;
    pthread_mutex_unlock(&server->lock);
    return n;
}

unsigned local_server_n_resumed(LocalServer *server) {
    return server->n_resumed;
}

unsigned local_server_n_requests(LocalServer *server) {
    return server->n_requests;
}
