/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/http_curl_request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* ---- what may be sent ---- */

static bool method_is_known(const char *method) {
    static const char *const methods[] = { "GET", "HEAD", "POST", "PUT" };

    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (strcmp(method, methods[i]) == 0)
            return true;
    return false;
}

static bool header_is_sendable(const HttpHeader *h) {
    if (!*h->name || strcspn(h->name, "\r\n: \t") != strlen(h->name))
        return false;
    return strcspn(h->value, "\r\n") == strlen(h->value);
}

static int read_origin(const char *url, char ret[static CURL_ORIGIN_MAX], bool *ret_tls) {
    bool tls = strncasecmp(url, "https://", 8) == 0;
    const char *host, *colon;
    size_t n;

    if (!tls && strncasecmp(url, "http://", 7) != 0)
        return -EINVAL;
    for (const char *p = url; *p; p++)
        if ((unsigned char)*p <= 0x20 || *p == 0x7f)
            return -EINVAL;
    host = url + (tls ? 8 : 7);
    n = strcspn(host, "/?#");
    /* User and password have no business in a URL of ours, and would show up in error texts. */
    if (n == 0 || memchr(host, '@', n) || host[0] == ':')
        return -EINVAL;
    colon = memrchr(host, ':', n);
    if (colon && memchr(colon, ']', n - (size_t)(colon - host)))
        colon = NULL; /* one inside an IPv6 address */
    if (snprintf(ret, CURL_ORIGIN_MAX, "%s://%.*s%s", tls ? "https" : "http", (int)n, host,
                 colon ? "" : tls ? ":443" : ":80") >= CURL_ORIGIN_MAX)
        return -EINVAL;
    *ret_tls = tls;
    return 0;
}

int curl_request_check(const HttpRequest *request, char ret_origin[static CURL_ORIGIN_MAX], bool *ret_tls) {
    if (!method_is_known(request->method))
        return -EINVAL;
    if (request->connect_timeout_usec == 0 || request->timeout_usec == 0)
        return -EINVAL;
    for (size_t i = 0; i < request->n_headers; i++)
        if (!header_is_sendable(&request->headers[i]))
            return -EINVAL;
    return read_origin(request->url, ret_origin, ret_tls);
}

const char *curl_request_explain(char *dst, size_t size, const char *origin, const char *text) {
    const char *host = strstr(origin, "://");
    char shown[256];

    text_escaped(shown, sizeof(shown), text);
    snprintf(dst, size, "%s: %s", host ? host + 3 : origin, shown);
    return dst;
}

/* ---- copies ---- */

/* Puts the text at *at and moves on. */
static const char *put(char **at, const void *data, size_t len) {
    char *start = *at;

    if (len > 0)
        memcpy(start, data, len);
    start[len] = '\0';
    *at += len + 1;
    return start;
}

static size_t size_of(const HttpRequest *r) {
    size_t size = sizeof(CurlRequest) + r->n_headers * sizeof(HttpHeader);

    size += strlen(r->method) + 1 + strlen(r->url) + 1 + r->body_len + 1;
    for (size_t i = 0; i < r->n_headers; i++)
        size += strlen(r->headers[i].name) + 1 + strlen(r->headers[i].value) + 1;
    return size;
}

CurlRequest *curl_request_copy(const HttpRequest *request) {
    size_t size = size_of(request);
    CurlRequest *copy;
    HttpHeader *headers;
    char *at;

    copy = malloc(size);
    if (!copy)
        return NULL;
    headers = (HttpHeader *)(void *)(copy + 1);
    at = (char *)(headers + request->n_headers);
    copy->size = size;
    copy->request = *request;
    copy->request.method = put(&at, request->method, strlen(request->method));
    copy->request.url = put(&at, request->url, strlen(request->url));
    copy->request.body = put(&at, request->body, request->body_len);
    copy->request.headers = headers;
    for (size_t i = 0; i < request->n_headers; i++) {
        headers[i].name = put(&at, request->headers[i].name, strlen(request->headers[i].name));
        headers[i].value = put(&at, request->headers[i].value, strlen(request->headers[i].value));
    }
    return copy;
}

void curl_request_free(CurlRequest *copy) {
    if (copy)
        hash_wipe(copy, copy->size);
    free(copy);
}
