/* SPDX-License-Identifier: Apache-2.0 */
/* Connections to the stand-in: one thread, epoll, TLS 1.3 with session tickets, a certificate chain that is
 * made at the start. It checks no signature: that would be work of the server only. It ends when stdin does.
 *
 * usage: server --ca FILE [--port 443] [--regions A,B,...] [--accounts N] */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX (256 * 1024)

typedef struct Connection {
    struct Connection *next_delayed;
    int fd;
    SSL *ssl;
    bool accepted, wants_write, hung;
    unsigned n_pins; /* in the list of delayed replies: closed only after that */
    bool closed;
    uint64_t due_usec;
    char *in;
    size_t in_len, in_size;
    char *out;
    size_t out_len, out_sent;
} Connection;

static SSL_CTX *tls;
static int poller;
static Connection *delayed, **delayed_end = &delayed;

/* ---- certificates: a root, an intermediate and a leaf, as long as AWS's own ---- */

typedef struct Identity {
    EVP_PKEY *key;
    X509 *certificate;
} Identity;

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value) {
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    if (!extension || !X509_add_ext(certificate, extension, -1))
        die("cannot add an extension");
    X509_EXTENSION_free(extension);
}

/* issuer NULL: signs itself. names: the subjectAltName of a leaf, NULL for a CA. */
static Identity make_identity(const char *name, const Identity *issuer, const char *names) {
    Identity id = { .key = EVP_RSA_gen(2048), .certificate = X509_new() };
    const Identity *by = issuer ? issuer : &id;
    X509_NAME *subject;
    uint64_t serial;

    if (!id.key || !id.certificate || RAND_bytes((unsigned char *)&serial, sizeof(serial)) != 1)
        die("cannot make a certificate");
    X509_set_version(id.certificate, 2);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(id.certificate), serial >> 1);
    X509_gmtime_adj(X509_getm_notBefore(id.certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(id.certificate), 30 * 86400L);
    subject = X509_get_subject_name(id.certificate);
    X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, (const unsigned char *)"TrailGuard bench", -1, -1,
                               0);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(id.certificate, X509_get_subject_name(by->certificate));
    X509_set_pubkey(id.certificate, id.key);
    add_extension(id.certificate, by->certificate, NID_basic_constraints,
                  names ? "critical,CA:FALSE" : "critical,CA:TRUE");
    add_extension(id.certificate, by->certificate, NID_key_usage,
                  names ? "critical,digitalSignature" : "critical,keyCertSign");
    add_extension(id.certificate, by->certificate, NID_subject_key_identifier, "hash");
    if (issuer)
        add_extension(id.certificate, by->certificate, NID_authority_key_identifier, "keyid");
    if (names)
        add_extension(id.certificate, by->certificate, NID_subject_alt_name, names);
    if (X509_sign(id.certificate, by->key, EVP_sha256()) == 0)
        die("cannot sign a certificate");
    return id;
}

static void write_ca(const char *path, X509 *root) {
    FILE *f = fopen(path, "we");

    if (!f || !PEM_write_X509(f, root) || fclose(f) != 0)
        die("%s: %s", path, strerror(errno));
}

static void start_tls(const char *ca_file) {
    char names[REGIONS_MAX * 48 + 128];
    Identity root, middle, leaf;
    size_t n;

    n = (size_t)snprintf(names, sizeof(names), "DNS:localhost,IP:127.0.0.1,DNS:*.amazonaws.com");
    for (unsigned i = 0; i < world.n_regions; i++)
        n += (size_t)snprintf(names + n, sizeof(names) - n, ",DNS:*.%s.amazonaws.com", world.regions[i]);
    root = make_identity("Bench root", NULL, NULL);
    middle = make_identity("Bench intermediate", &root, NULL);
    leaf = make_identity("amazonaws.com", &middle, names);
    write_ca(ca_file, root.certificate);
    tls = SSL_CTX_new(TLS_server_method());
    if (!tls || SSL_CTX_use_certificate(tls, leaf.certificate) != 1 ||
        SSL_CTX_use_PrivateKey(tls, leaf.key) != 1 ||
        SSL_CTX_add1_chain_cert(tls, middle.certificate) != 1 ||
        SSL_CTX_add1_chain_cert(tls, root.certificate) != 1)
        die("cannot start TLS");
    SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION);
    SSL_CTX_set_session_id_context(tls, (const unsigned char *)"bench", 5);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    for (Identity *const *id = (Identity *const[]){ &root, &middle, &leaf, NULL }; *id; id++) {
        X509_free((*id)->certificate);
        EVP_PKEY_free((*id)->key);
    }
}

/* ---- connections ---- */

static void watch(Connection *c, bool wants_write) {
    struct epoll_event event = { .events = EPOLLIN | (wants_write ? EPOLLOUT : 0), .data.ptr = c };

    if (c->wants_write != wants_write && epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event) < 0)
        die("epoll_ctl: %s", strerror(errno));
    c->wants_write = wants_write;
}

static void close_connection(Connection *c) {
    if (!c->closed) {
        SSL_free(c->ssl);
        close(c->fd);
        free(c->in);
        free(c->out);
        seen.n_open--;
    }
    c->closed = true;
    if (c->n_pins == 0)
        free(c);
}

/* 1: went on, 0: later, -1: over. */
static int progress(Connection *c, int result) {
    int e = SSL_get_error(c->ssl, result);

    if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) {
        watch(c, e == SSL_ERROR_WANT_WRITE);
        return 0;
    }
    ERR_clear_error();
    return -1;
}

static int flush(Connection *c) {
    while (c->out_sent < c->out_len) {
        int n = SSL_write(c->ssl, c->out + c->out_sent, (int)(c->out_len - c->out_sent));

        if (n <= 0)
            return progress(c, n);
        c->out_sent += (size_t)n;
    }
    free(c->out);
    c->out = NULL;
    c->out_len = c->out_sent = 0;
    watch(c, false);
    if (!world.close_after)
        return 1;
    /* As a host that closes idle connections does: without a word in the headers. */
    SSL_shutdown(c->ssl);
    return -1;
}

static void queue_reply(Connection *c, const Reply *reply) {
    char head[320];
    struct tm tm;
    time_t now = time(NULL);
    char date[48];
    int n;

    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
    n = snprintf(head, sizeof(head),
                 "HTTP/1.1 %d %s\r\nx-amzn-RequestId: 0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0\r\nContent-Type: "
                 "%s\r\n"
                 "Content-Length: %zu\r\nDate: %s\r\n\r\n",
                 reply->status, reply->status == 200 ? "OK" : "Bad Request", reply->type, reply->len, date);
    c->out = malloc((size_t)n + reply->len);
    if (!c->out)
        die("out of memory");
    memcpy(c->out, head, (size_t)n);
    memcpy(c->out + n, reply->body, reply->len);
    c->out_len = (size_t)n + reply->len;
    seen.bytes_out += c->out_len;
}

static void delay(Connection *c) {
    c->due_usec = now_usec() + world.delay_ms * 1000ULL;
    c->n_pins++;
    c->next_delayed = NULL;
    *delayed_end = c;
    delayed_end = &c->next_delayed;
}

/* One whole request at the beginning of the buffer: its length, 0 when more must come, -1 when it is none.
 */
static ssize_t parse(const Connection *c, Request *q) {
    const char *end = memmem(c->in, c->in_len, "\r\n\r\n", 4), *length;
    size_t len;

    if (!end)
        return c->in_len < REQUEST_MAX ? 0 : -1;
    *q = (Request){ .head = c->in, .head_len = (size_t)(end + 2 - c->in), .body = end + 4 };
    length = header(q, "content-length", &len);
    q->body_len = length ? strtoul(length, NULL, 10) : 0;
    if (q->body_len > REQUEST_MAX)
        return -1;
    return q->head_len + 2 + q->body_len > c->in_len ? 0 : (ssize_t)(q->head_len + 2 + q->body_len);
}

static int serve(Connection *c) {
    static Reply reply;
    Request q;
    ssize_t n = parse(c, &q);

    if (n <= 0)
        return (int)n;
    read_request(&q);
    seen.bytes_in += (uint64_t)n;
    reply = (Reply){ .status = 200, .type = "application/x-amz-json-1.1" };
    c->hung = !answer(&q, &reply);
    if (!c->hung)
        queue_reply(c, &reply);
    c->in_len -= (size_t)n;
    memmove(c->in, c->in + n, c->in_len);
    if (c->hung)
        return 0;
    if (world.delay_ms == 0)
        return flush(c);
    delay(c);
    return 1;
}

static int fill(Connection *c) {
    int n;

    if (c->in_size - c->in_len < 4096) {
        c->in_size = c->in_size ? 2 * c->in_size : 8192;
        c->in = c->in_size > 2 * REQUEST_MAX ? NULL : realloc(c->in, c->in_size);
        if (!c->in)
            return -1;
    }
    n = SSL_read(c->ssl, c->in + c->in_len, (int)(c->in_size - c->in_len - 1));
    if (n <= 0)
        return progress(c, n);
    c->in_len += (size_t)n;
    c->in[c->in_len] = '\0';
    return 1;
}

static int handshake(Connection *c) {
    int r = SSL_accept(c->ssl);

    if (r <= 0) {
        r = progress(c, r);
        seen.failed += r < 0;
        return r;
    }
    c->accepted = true;
    if (SSL_session_reused(c->ssl))
        seen.resumed++;
    else
        seen.full++;
    watch(c, false);
    return 1;
}

static void on_ready(Connection *c) {
    int r = 1;

    if (!c->accepted)
        r = handshake(c);
    if (r > 0 && c->out && c->n_pins == 0)
        r = flush(c);
    while (r > 0) {
        r = fill(c);
        if (r > 0 && !c->out)
            r = serve(c) < 0 ? -1 : 1;
    }
    if (r < 0)
        close_connection(c);
}

static void accept_all(int listener) {
    static const int one = 1;

    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct epoll_event event = { .events = EPOLLIN };
        Connection *c;

        if (fd < 0)
            return;
        c = calloc(1, sizeof(*c));
        if (!c || !(c->ssl = SSL_new(tls)))
            die("out of memory");
        c->fd = fd;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        SSL_set_fd(c->ssl, fd);
        SSL_set_accept_state(c->ssl);
        event.data.ptr = c;
        if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0)
            die("epoll_ctl: %s", strerror(errno));
        seen.connections++;
        seen.n_open++;
    }
}

/* Sends what is due; how many ms until the next is, -1: none waits. */
static int send_due(void) {
    uint64_t now = now_usec();
    Connection *c;

    while ((c = delayed) && c->due_usec <= now) {
        delayed = c->next_delayed;
        if (!delayed)
            delayed_end = &delayed;
        c->n_pins--;
        if (c->closed || flush(c) < 0)
            close_connection(c);
    }
    return delayed ? (int)((delayed->due_usec - now + 999) / 1000) : -1;
}

/* ---- the start ---- */

static void read_commands(void) {
    static char text[4096];
    static size_t len;
    ssize_t n = read(STDIN_FILENO, text + len, sizeof(text) - len - 1);
    char *line = text, *end;

    if (n <= 0)
        exit(0);
    len += (size_t)n;
    text[len] = '\0';
    for (; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        obey(line);
    }
    len = strlen(line);
    memmove(text, line, len + 1);
}

static int start_listening(unsigned port) {
    static const int one = 1;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    socklen_t len = sizeof(address);
    int fd;

    address.sin_addr.s_addr = htonl(port == 443 ? INADDR_ANY : INADDR_LOOPBACK);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 4096) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        die("port %u: %s", port, strerror(errno));
    printf("{\"port\":%u}\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void take_regions(char *list) {
    char *save = NULL;

    for (char *name = strtok_r(list, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
        if (world.n_regions == REGIONS_MAX || strlen(name) >= sizeof(world.regions[0]))
            die("too many regions, or too long a name: %s", name);
        snprintf(world.regions[world.n_regions++], sizeof(world.regions[0]), "%s", name);
    }
}

static void raise_limit(void) {
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Of what is no connection. */
static void add_to_poller(int fd, void *mark) {
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = mark };

    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0)
        die("epoll_ctl: %s", strerror(errno));
}

static void __attribute__((noreturn)) run(int listener) {
    static char listening, commands;
    struct epoll_event events[256];

    add_to_poller(listener, &listening);
    add_to_poller(STDIN_FILENO, &commands);

    for (;;) {
        int n = epoll_wait(poller, events, 256, send_due());

        for (int i = 0; i < n; i++)
            if (events[i].data.ptr == &listening)
                accept_all(listener);
            else if (events[i].data.ptr == &commands)
                read_commands();
            else
                on_ready(events[i].data.ptr);
    }
}

int main(int argc, char **argv) {
    static const struct option options[] = {
        { "ca", required_argument, NULL, 'c' },
        { "port", required_argument, NULL, 'p' },
        { "regions", required_argument, NULL, 'r' },
        { "accounts", required_argument, NULL, 'a' },
        { 0 },
    };
    static char standard[] = "eu-central-1,us-east-1";
    const char *ca_file = NULL;
    unsigned port = 443;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (option == 'c')
            ca_file = optarg;
        else if (option == 'p')
            port = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'r')
            take_regions(optarg);
        else if (option == 'a')
            world.n_accounts = strtoul(optarg, NULL, 10);
        else
            return 2;
    if (world.n_regions == 0)
        take_regions(standard);
    if (!ca_file || world.n_accounts == 0)
        die("needs --ca FILE, and at least one account");
    world.targets = calloc(world.n_accounts * world.n_regions, sizeof(*world.targets));
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (!world.targets || poller < 0)
        die("out of memory");
    (void)signal(SIGPIPE, SIG_IGN);
    raise_limit();
    start_tls(ca_file);
    run(start_listening(port));
}
