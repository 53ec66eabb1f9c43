/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/http_curl_job.h"

#include <errno.h>
#include <limits.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/util/hash.h"
#include "lib/util/macros.h"

/* An idle connection older than this is not used again: address translators drop silent ones, for instance
 * after 350 seconds. */
#define IDLE_MAX_SEC  118L
#define KEEPALIVE_SEC 60L

/* libcurl allocates both for each running request, 80 kB by default. Nearly all answers fit into the first
 * size; the second is the minimum that libcurl accepts. */
#define RECEIVE_BUFFER 4096L
#define SEND_BUFFER    16384L

static CurlJob empty_job(CURL *easy) {
    CurlJob job = {
        .easy = easy,
        .answer = STRBUF_INIT(HTTP_BODY_MAX),
        .answer_headers = STRBUF_INIT(HTTP_HEADERS_MAX),
    };

    job.answer.wipe = true;
    return job;
}

/* ---- the request ---- */

/* Headers that libcurl must not add: no pause for "100 Continue", and no content type of its own. */
static const HttpHeader no_expect = { "Expect", NULL }, no_type = { "Content-Type", NULL };

static size_t line_size(const HttpHeader *h) {
    return strlen(h->name) + 2 + (h->value ? strlen(h->value) : 0) + 1;
}

/* libcurl's syntax: "name;" is a header without a value, "name:" removes it. Returns the end. */
static char *add_line(struct curl_slist *line, char *text, const HttpHeader *h) {
    const char *separator = !h->value ? ":" : *h->value ? ": " : ";";

    line->data = text;
    line->next = line + 1;
    return stpcpy(stpcpy(stpcpy(text, h->name), separator), h->value ? h->value : "") + 1;
}

/* A single allocation: the list, then its lines. */
static int copy_headers(CurlJob *job, const HttpRequest *request) {
    size_t n = request->n_headers + 2,
           size = n * sizeof(*job->headers) + line_size(&no_expect) + line_size(&no_type);
    struct curl_slist *line;
    bool has_type = false;
    char *text;

    for (size_t i = 0; i < request->n_headers; i++) {
        size += line_size(&request->headers[i]);
        has_type = has_type || strcasecmp(request->headers[i].name, "content-type") == 0;
    }
    job->headers = malloc(size);
    if (!job->headers)
        return -ENOMEM;
    job->headers_size = size;
    line = job->headers;
    text = (char *)(line + n);
    for (size_t i = 0; i < request->n_headers; i++)
        text = add_line(line++, text, &request->headers[i]);
    if (!has_type)
        text = add_line(line++, text, &no_type);
    (void)add_line(line, text, &no_expect);
    line->next = NULL;
    return 0;
}

static int copy_body(CurlJob *job, const HttpRequest *request) {
    job->body = malloc(request->body_len + 1);
    if (!job->body)
        return -ENOMEM;
    if (request->body_len > 0)
        memcpy(job->body, request->body, request->body_len);
    job->body[request->body_len] = '\0';
    job->body_len = request->body_len;
    return 0;
}

/* ---- libcurl's callbacks: they only record what happened ---- */

static size_t on_body(char *data, size_t size, size_t n, void *userdata) {
    CurlJob *job = userdata;

    if (strbuf_add_mem(&job->answer, data, size * n) == 0)
        return size * n;
    job->too_big = strbuf_error(&job->answer) == -E2BIG;
    return 0;
}

static void keep_header(CurlJob *job, const char *line, size_t len) {
    const char *colon = memchr(line, ':', len);
    const char *value, *end = line + len;

    if (!colon || colon == line)
        return;
    for (value = colon + 1; value < end && (*value == ' ' || *value == '\t'); value++)
        ;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    /* A NUL would end the value early, and shift the following ones. */
    if (memchr(line, '\0', len))
        return;
    strbuf_add_mem(&job->answer_headers, line, (size_t)(colon - line));
    strbuf_add_mem(&job->answer_headers, "", 1);
    strbuf_add_mem(&job->answer_headers, value, (size_t)(end - value));
    if (strbuf_add_mem(&job->answer_headers, "", 1) == 0)
        job->n_answer_headers++;
}

static size_t on_header(char *data, size_t size, size_t n, void *userdata) {
    CurlJob *job = userdata;
    size_t len = size * n, line = len;

    job->header_bytes += len;
    if (job->header_bytes > HTTP_HEADERS_READ_MAX) {
        job->too_big = true;
        return 0;
    }
    while (line > 0 && (data[line - 1] == '\r' || data[line - 1] == '\n'))
        line--;
    if (line >= 5 && strncasecmp(data, "HTTP/", 5) == 0) {
        /* A status line: the headers before it belonged to an interim answer. */
        strbuf_truncate(&job->answer_headers, 0);
        job->n_answer_headers = 0;
        return len;
    }
    keep_header(job, data, line);
    if (strbuf_error(&job->answer_headers) == 0)
        return len;
    job->too_big = strbuf_error(&job->answer_headers) == -E2BIG;
    return 0;
}

/* libcurl leaves its sockets open across exec, but our children must not inherit them. */
static curl_socket_t on_open(void *userdata, curlsocktype purpose, struct curl_sockaddr *address) {
    CurlJob *job = userdata;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    unsigned i = job->n_sockets % CURL_ADDRESSES_MAX;
    struct stat st;

    (void)purpose;
    if (fd < 0 || fstat(fd, &st) < 0)
        return fd < 0 ? CURL_SOCKET_BAD : fd;
    job->sockets[i].fd = fd;
    job->sockets[i].inode = st.st_ino;
    job->n_sockets++;
    if (job->opened)
        job->opened(fd, job->opened_userdata);
    return fd;
}

/* libcurl closes the sockets of losing attempts without notice, and their numbers are reused; so the inodes
 * are compared. */
bool curl_job_is_connected(const CurlJob *job) {
    struct sockaddr_storage peer;
    struct stat st;

    for (unsigned i = 0; i < MIN(job->n_sockets, CURL_ADDRESSES_MAX); i++) {
        socklen_t size = sizeof(peer);

        if (fstat(job->sockets[i].fd, &st) == 0 && st.st_ino == job->sockets[i].inode &&
            getpeername(job->sockets[i].fd, (struct sockaddr *)(void *)&peer, &size) == 0)
            return true;
    }
    return false;
}

/* ---- options ---- */

/* curl_easy_setopt is a macro with a type check, which would not work in a loop over a table. */
#define SET(job, option, value)                                                                             \
    do {                                                                                                    \
        if (curl_easy_setopt((job)->easy, option, value) != CURLE_OK)                                       \
            return -ENOMEM;                                                                                 \
    } while (0)

static int set_protocols(CurlJob *job) {
#if LIBCURL_VERSION_NUM >= 0x075500
    SET(job, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    SET(job, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    return 0;
}

static int set_tls(CurlJob *job, const CurlJobSettings *settings) {
    SET(job, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(job, CURLOPT_SSL_VERIFYPEER, 1L);
    SET(job, CURLOPT_SSL_VERIFYHOST, 2L);
    /* Both: otherwise a CA path set at build time, and the CA file with it, would be read for every
     * connection. */
    SET(job, CURLOPT_CAINFO, NULL);
    SET(job, CURLOPT_CAPATH, NULL);
    SET(job, CURLOPT_PROXY_CAINFO, NULL);
    SET(job, CURLOPT_PROXY_CAPATH, NULL);
#if LIBCURL_VERSION_NUM >= 0x075700
    /* Otherwise libcurl would keep the store of the first connection, and use it in place of a newer one. */
    SET(job, CURLOPT_CA_CACHE_TIMEOUT, 0L);
#endif
    SET(job, CURLOPT_SSL_CTX_FUNCTION, settings->on_tls);
    SET(job, CURLOPT_SSL_CTX_DATA, settings->on_tls_userdata);
    return 0;
}

/* Without CURLOPT_MAXLIFETIME_CONN: regularly, for a little longer than a connection may be idle, each
 * connection is closed after its request. So none outlives the limit. */
static int set_connection_life(CurlJob *job, unsigned life_sec) {
#if LIBCURL_VERSION_NUM >= 0x075000
    SET(job, CURLOPT_MAXLIFETIME_CONN, (long)life_sec);
#else
    uint64_t window_sec = MIN(life_sec, (unsigned)IDLE_MAX_SEC + 2);
    struct timespec ts = { 0 };

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    SET(job, CURLOPT_FORBID_REUSE, (uint64_t)ts.tv_sec % (2ULL * life_sec) < window_sec ? 1L : 0L);
#endif
    return 0;
}

/* NO_PROXY is evaluated by us, because versions of libcurl read it differently. Both options are always set,
 * because libcurl takes unset ones from the environment. */
static int set_proxy(CurlJob *job, const char *proxy) {
    if (job->configured && job->proxy == proxy)
        return 0;
    job->proxy = proxy;
    SET(job, CURLOPT_PROXY, proxy ? proxy : "");
    SET(job, CURLOPT_NOPROXY, "");
    return 0;
}

static int set_connection(CurlJob *job, const CurlJobSettings *settings) {
    SET(job, CURLOPT_NOSIGNAL, 1L);
    SET(job, CURLOPT_FOLLOWLOCATION, 0L);
    SET(job, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(job, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(job, CURLOPT_OPENSOCKETFUNCTION, on_open);
    SET(job, CURLOPT_OPENSOCKETDATA, job);
    SET(job, CURLOPT_CLOSESOCKETFUNCTION, settings->on_close);
    SET(job, CURLOPT_CLOSESOCKETDATA, settings->on_close_userdata);
    SET(job, CURLOPT_TCP_KEEPALIVE, 1L);
    SET(job, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_SEC);
    SET(job, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_SEC / 4);
    SET(job, CURLOPT_MAXAGE_CONN, IDLE_MAX_SEC);
    SET(job, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
    SET(job, CURLOPT_UPLOAD_BUFFERSIZE, SEND_BUFFER);
    if (settings->user_agent)
        SET(job, CURLOPT_USERAGENT, settings->user_agent);
    return 0;
}

static int set_answer(CurlJob *job) {
    SET(job, CURLOPT_WRITEFUNCTION, on_body);
    SET(job, CURLOPT_WRITEDATA, job);
    SET(job, CURLOPT_HEADERFUNCTION, on_header);
    SET(job, CURLOPT_HEADERDATA, job);
    SET(job, CURLOPT_ERRORBUFFER, job->curl_error);
    return 0;
}

static int set_request(CurlJob *job, const HttpRequest *request) {
    SET(job, CURLOPT_URL, request->url);
    SET(job, CURLOPT_HTTPHEADER, job->headers);
    if (strcmp(request->method, "GET") == 0) {
        SET(job, CURLOPT_HTTPGET, 1L);
        return 0;
    }
    if (strcmp(request->method, "HEAD") == 0) {
        SET(job, CURLOPT_NOBODY, 1L);
        return 0;
    }
    SET(job, CURLOPT_POST, 1L);
    SET(job, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)job->body_len);
    SET(job, CURLOPT_POSTFIELDS, job->body);
    /* libcurl's own PUT would read from a callback and send chunks. */
    if (strcmp(request->method, "PUT") == 0) {
        SET(job, CURLOPT_CUSTOMREQUEST, "PUT");
        job->custom_method = true;
    }
    return 0;
}

CurlJob *curl_job_new(void) {
    CurlJob *job;

    job = malloc(sizeof(*job));
    if (!job)
        return NULL;
    *job = empty_job(curl_easy_init());
    if (!job->easy) {
        free(job);
        return NULL;
    }
    return job;
}

/* Once per handle. */
static int configure(CurlJob *job, const CurlJobSettings *settings) {
    int r;

    r = set_protocols(job);
    if (r == 0)
        r = set_tls(job, settings);
    if (r == 0)
        r = set_connection(job, settings);
    if (r == 0)
        r = set_answer(job);
    return r;
}

int curl_job_prepare(CurlJob *job, const HttpRequest *request, const CurlJobSettings *settings) {
    int r;

    job->origin = settings->origin;
    job->tls = settings->tls;
    job->opened = settings->opened;
    job->opened_userdata = settings->opened_userdata;
    job->answer.max = request->long_answer ? HTTP_LONG_BODY_MAX : HTTP_BODY_MAX;
    r = copy_headers(job, request);
    if (r == 0)
        r = copy_body(job, request);
    if (r == 0 && !job->configured)
        r = configure(job, settings);
    if (r == 0)
        r = set_proxy(job, settings->proxy);
    job->configured = job->configured || r == 0;
    if (r == 0)
        r = set_connection_life(job, settings->connection_life_sec);
    if (r == 0)
        r = set_request(job, request);
    if (r == 0)
        SET(job, CURLOPT_SHARE, settings->share);
    return r;
}

/* Rounded up, so that a short limit never becomes 0, "no limit". */
static long to_ms(uint64_t usec) {
    uint64_t ms = usec / USEC_PER_MSEC + (usec % USEC_PER_MSEC > 0);

    return ms > INT_MAX ? INT_MAX : (long)ms;
}

int curl_job_set_timeouts(CurlJob *job, uint64_t connect_usec, uint64_t total_usec) {
    if (connect_usec == 0 || total_usec == 0)
        return -EINVAL;
    SET(job, CURLOPT_CONNECTTIMEOUT_MS, to_ms(connect_usec));
    SET(job, CURLOPT_TIMEOUT_MS, to_ms(total_usec));
    return 0;
}

int curl_job_set_addresses(CurlJob *job, const char *host, unsigned port, const CurlAddresses *addresses) {
    char line[CURL_HOST_MAX + 16 + CURL_ADDRESSES_MAX * (INET6_ADDRSTRLEN + 3)];
    struct curl_slist *list;
    int n;

    n = snprintf(line, sizeof(line), "%s:%u:", host, port);
    for (unsigned i = 0; i < addresses->n && n > 0 && (size_t)n < sizeof(line); i++) {
        const char *text = addresses->texts[i];
        bool brackets = strchr(text, ':');

        n += snprintf(line + n, sizeof(line) - (size_t)n, "%s%s%s%s", i > 0 ? "," : "", brackets ? "[" : "",
                      text, brackets ? "]" : "");
    }
    if (n < 0 || (size_t)n >= sizeof(line))
        return -ENOMEM;
    list = curl_slist_append(NULL, line);
    if (!list || curl_easy_setopt(job->easy, CURLOPT_RESOLVE, list) != CURLE_OK) {
        curl_slist_free_all(list);
        return -ENOMEM;
    }
    curl_slist_free_all(job->resolve);
    job->resolve = list;
    return 0;
}

/* ---- the answer ---- */

static const struct {
    CURLcode code;
    HttpResult result;
} code_results[] = {
    { CURLE_COULDNT_RESOLVE_HOST, HTTP_RESOLVE_FAILED },
    { CURLE_COULDNT_RESOLVE_PROXY, HTTP_RESOLVE_FAILED },
    { CURLE_COULDNT_CONNECT, HTTP_CONNECT_FAILED },
    { CURLE_PROXY, HTTP_CONNECT_FAILED },
    { CURLE_INTERFACE_FAILED, HTTP_CONNECT_FAILED },
    { CURLE_OPERATION_TIMEDOUT, HTTP_TIMED_OUT },
    { CURLE_SSL_CONNECT_ERROR, HTTP_TLS_FAILED },
    { CURLE_PEER_FAILED_VERIFICATION, HTTP_TLS_FAILED },
    { CURLE_SSL_CERTPROBLEM, HTTP_TLS_FAILED },
    { CURLE_SSL_CIPHER, HTTP_TLS_FAILED },
    { CURLE_SSL_CACERT_BADFILE, HTTP_TLS_FAILED },
    { CURLE_SSL_ISSUER_ERROR, HTTP_TLS_FAILED },
    { CURLE_SSL_CRL_BADFILE, HTTP_TLS_FAILED },
    { CURLE_SSL_INVALIDCERTSTATUS, HTTP_TLS_FAILED },
    { CURLE_SSL_PINNEDPUBKEYNOTMATCH, HTTP_TLS_FAILED },
    { CURLE_SSL_ENGINE_NOTFOUND, HTTP_TLS_FAILED },
    { CURLE_USE_SSL_FAILED, HTTP_TLS_FAILED },
    { CURLE_SEND_ERROR, HTTP_BROKEN },
    { CURLE_RECV_ERROR, HTTP_BROKEN },
    { CURLE_GOT_NOTHING, HTTP_BROKEN },
    { CURLE_PARTIAL_FILE, HTTP_BROKEN },
    { CURLE_WEIRD_SERVER_REPLY, HTTP_MALFORMED },
    { CURLE_UNSUPPORTED_PROTOCOL, HTTP_MALFORMED },
    { CURLE_URL_MALFORMAT, HTTP_MALFORMED },
    { CURLE_BAD_CONTENT_ENCODING, HTTP_MALFORMED },
};

/* A connection cut during the handshake says nothing about certificates, but libcurl has one code for
 * both. */
static bool handshake_was_cut(const char *text) {
    return strstr(text, "SSL_ERROR_SYSCALL") || strstr(text, "eset by peer") ||
           strstr(text, "unexpected eof") || strstr(text, "roken pipe");
}

/* The status of a proxy that refused CONNECT, else 0. Versions of libcurl report it under different
 * codes. */
static long proxy_refusal(const CurlJob *job) {
    long status = 0;

    if (!job->proxy || curl_easy_getinfo(job->easy, CURLINFO_HTTP_CONNECTCODE, &status) != CURLE_OK)
        return 0;
    return status >= 300 ? status : 0;
}

/* Omits its user and password. */
static void explain_refusal(char *dst, size_t size, const char *proxy, long status) {
    const char *at = strchr(proxy, '@'), *scheme = strstr(proxy, "://");
    const char *name = at ? at + 1 : scheme ? scheme + 3 : proxy;

    (void)snprintf(dst, size, "the proxy %.*s refused to connect: HTTP %ld%s", (int)strcspn(name, "/"), name,
                   status,
                   status != 407 ? ""
                   : at          ? " (it does not accept this user and password)"
                                 : " (it wants a user and a password)");
}

static HttpResult to_result(const CurlJob *job, CURLcode code) {
    if (job->too_big)
        return HTTP_TOO_BIG;
    if (code == CURLE_SSL_CONNECT_ERROR && handshake_was_cut(job->curl_error))
        return HTTP_BROKEN;
    if (proxy_refusal(job) != 0)
        return HTTP_CONNECT_FAILED;
    for (size_t i = 0; i < ARRAY_SIZE(code_results); i++)
        if (code_results[i].code == code)
            return code_results[i].result;
    return HTTP_INTERNAL;
}

static void fail(CurlJob *job, HttpResult result, const char *text, HttpResponse *ret) {
    *ret = (HttpResponse){
        .result = result,
        .body = "",
        .error = curl_request_explain(job->error, sizeof(job->error), job->origin, text),
    };
}

/* Turns "name\0value\0..." into an array. */
static int index_headers(CurlJob *job) {
    const char *p = strbuf_str(&job->answer_headers);

    if (job->n_answer_headers == 0)
        return 0;
    job->header_values = calloc(job->n_answer_headers, sizeof(*job->header_values));
    if (!job->header_values)
        return -ENOMEM;
    for (size_t i = 0; i < job->n_answer_headers; i++) {
        job->header_values[i].name = p;
        p += strlen(p) + 1;
        job->header_values[i].value = p;
        p += strlen(p) + 1;
    }
    return 0;
}

void curl_job_read(CurlJob *job, CURLcode code, HttpResponse *ret) {
    long status = 0;

    if (code != CURLE_OK || job->too_big) {
        HttpResult result = to_result(job, code);
        long refusal = proxy_refusal(job);

        if (refusal != 0)
            explain_refusal(job->curl_error, sizeof(job->curl_error), job->proxy, refusal);
        fail(job, result,
             result == HTTP_TOO_BIG ? "the answer is larger than this program accepts"
             : job->curl_error[0]   ? job->curl_error
                                    : curl_easy_strerror(code),
             ret);
        return;
    }
    curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < 100 || status > 599) {
        fail(job, HTTP_MALFORMED, "the answer has no legal status code", ret);
        return;
    }
    if (index_headers(job) < 0) {
        fail(job, HTTP_INTERNAL, "out of memory", ret);
        return;
    }
    *ret = (HttpResponse){
        .result = HTTP_ANSWERED,
        .status = (int)status,
        .body = strbuf_str(&job->answer),
        .body_len = job->answer.len,
        .headers = job->header_values,
        .n_headers = job->n_answer_headers,
        .over_tls = job->tls,
        .error = "",
    };
}

/* ---- afterwards ---- */

static void job_forget(CurlJob *job) {
    if (job->headers)
        hash_wipe(job->headers, job->headers_size);
    free(job->headers);
    curl_slist_free_all(job->resolve);
    if (job->body)
        hash_wipe(job->body, job->body_len);
    free(job->body);
    strbuf_done(&job->answer);
    strbuf_done(&job->answer_headers);
    free(job->header_values);
}

void curl_job_leave(CurlJob *job) {
    (void)curl_easy_setopt(job->easy, CURLOPT_SHARE, NULL);
}

/* libcurl keeps pointers to the lists and the body. */
static bool take_back(CurlJob *job) {
    return curl_easy_setopt(job->easy, CURLOPT_HTTPHEADER, NULL) == CURLE_OK &&
           curl_easy_setopt(job->easy, CURLOPT_RESOLVE, NULL) == CURLE_OK &&
           curl_easy_setopt(job->easy, CURLOPT_POSTFIELDS, NULL) == CURLE_OK &&
           (!job->custom_method || curl_easy_setopt(job->easy, CURLOPT_CUSTOMREQUEST, NULL) == CURLE_OK);
}

void curl_job_reset(CurlJob *job) {
    bool configured = job->configured && take_back(job);
    const char *proxy = job->proxy;

    if (!configured)
        curl_easy_reset(job->easy);
    job_forget(job);
    *job = empty_job(job->easy);
    job->configured = configured;
    job->proxy = configured ? proxy : NULL;
}

void curl_job_free(CurlJob *job) {
    if (!job)
        return;
    curl_easy_cleanup(job->easy);
    job_forget(job);
    free(job);
}
