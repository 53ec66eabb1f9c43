/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/http_curl_url.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* ==== requests ==== */

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
    /* A URL of ours never has a user and password, and they would appear in error texts. */
    if (n == 0 || memchr(host, '@', n) || host[0] == ':')
        return -EINVAL;
    colon = memrchr(host, ':', n);
    if (colon && memchr(colon, ']', n - (size_t)(colon - host)))
        colon = NULL; /* it is inside an IPv6 address */
    if (snprintf(ret, CURL_ORIGIN_MAX, "%s://%.*s%s", tls ? "https" : "http", (int)n, host,
                 colon ? ""
                 : tls ? ":443"
                       : ":80") >= CURL_ORIGIN_MAX)
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

/* Copies data to *at and advances it. */
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

/* ==== the proxy ==== */

#define SEPARATORS ", \t\r\n"

/* ---- addresses ---- */

typedef struct Address {
    int family; /* 0: none */
    unsigned char bytes[sizeof(struct in6_addr)];
} Address;

/* An IPv4-mapped IPv6 address counts as the IPv4 address. */
static Address read_address(const char *text) {
    static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
    Address a = { 0 };

    if (inet_pton(AF_INET, text, a.bytes) == 1)
        a.family = AF_INET;
    else if (inet_pton(AF_INET6, text, a.bytes) == 1)
        a.family = AF_INET6;
    if (a.family == AF_INET6 && memcmp(a.bytes, mapped, sizeof(mapped)) == 0) {
        memmove(a.bytes, a.bytes + sizeof(mapped), 4);
        a.family = AF_INET;
    }
    return a;
}

static bool same_bits(const Address *a, const Address *b, unsigned n_bits) {
    unsigned whole = n_bits / 8, rest = n_bits % 8;

    if (memcmp(a->bytes, b->bytes, whole) != 0)
        return false;
    return rest == 0 || (a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest) == 0;
}

/* entry: "address" or "address/bits" */
static bool address_matches(char *entry, const Address *host) {
    char *slash = strchr(entry, '/');
    Address network;
    unsigned all, n_bits;

    if (slash)
        *slash++ = '\0';
    network = read_address(entry);
    if (network.family == 0 || network.family != host->family)
        return false;
    all = network.family == AF_INET ? 32 : 128;
    if (slash && (!*slash || strlen(slash) > 3 || strspn(slash, "0123456789") != strlen(slash)))
        return false;
    n_bits = slash ? (unsigned)strtoul(slash, NULL, 10) : all;
    return n_bits <= all && same_bits(&network, host, n_bits);
}

/* ---- entries ---- */

/* Removes ":port" and brackets from the entry. *ret is 0 if there is no port; false if it is invalid. */
static bool cut_port(char **entry, unsigned *ret) {
    char *s = *entry, *colon = strrchr(s, ':'), *bracket = strchr(s, ']');

    *ret = 0;
    if (s[0] == '[' && bracket) {
        if (bracket[1] && bracket[1] != ':' && bracket[1] != '/')
            return false;
        if (bracket[1] == '/') { /* [fd00::]/8 */
            memmove(bracket, bracket + 1, strlen(bracket));
            colon = NULL;
        } else {
            colon = bracket[1] ? bracket + 1 : NULL;
            *bracket = '\0';
        }
        (*entry)++;
    } else if (colon && strchr(s, ':') != colon)
        colon = NULL; /* an IPv6 address */
    if (!colon)
        return true;
    *colon++ = '\0';
    if (!*colon || strlen(colon) > 5 || strspn(colon, "0123456789") != strlen(colon))
        return false;
    *ret = (unsigned)strtoul(colon, NULL, 10);
    return *ret > 0;
}

static bool name_matches(const char *name, const char *host, size_t host_len) {
    size_t len;

    if (name[0] == '*' && name[1] == '.')
        name++;
    name += strspn(name, ".");
    len = strlen(name);
    while (len > 0 && name[len - 1] == '.')
        len--;
    if (len == 0 || len > host_len || strncasecmp(host + host_len - len, name, len) != 0)
        return false;
    return len == host_len || host[host_len - len - 1] == '.';
}

static bool entry_matches(char *entry, const char *host, unsigned port) {
    size_t host_len = strlen(host);
    Address address = read_address(host);
    unsigned wanted;

    if (!cut_port(&entry, &wanted) || (wanted != 0 && wanted != port))
        return false;
    if (strcmp(entry, "*") == 0)
        return true;
    if (address.family != 0)
        return address_matches(entry, &address);
    while (host_len > 0 && host[host_len - 1] == '.')
        host_len--;
    return name_matches(entry, host, host_len);
}

/* ---- the interface ---- */

bool curl_no_proxy_matches(const char *list, const char *host, unsigned port) {
    char entry[256];
    size_t n;

    for (const char *s = list ? list : ""; *s; s += n) {
        s += strspn(s, SEPARATORS);
        n = strcspn(s, SEPARATORS);
        if (n == 0 || n >= sizeof(entry))
            continue;
        memcpy(entry, s, n);
        entry[n] = '\0';
        if (entry_matches(entry, host, port))
            return true;
    }
    return false;
}

bool curl_split_authority(const char *url, char *ret_host, size_t size, unsigned *ret_port) {
    const char *start = strstr(url, "://"), *at, *end, *colon;

    start = start ? start + 3 : url;
    end = start + strcspn(start, "/?#");
    at = memrchr(start, '@', (size_t)(end - start));
    start = at ? at + 1 : start;
    colon = memrchr(start, ':', (size_t)(end - start));
    if (colon && memchr(colon, ']', (size_t)(end - colon)))
        colon = NULL;
    *ret_port = colon ? (unsigned)strtoul(colon + 1, NULL, 10) : 0;
    end = colon ? colon : end;
    if (start < end && start[0] == '[' && end[-1] == ']') {
        start++;
        end--;
    }
    if (start == end || (size_t)(end - start) >= size)
        return false;
    for (size_t i = 0; start + i <= end; i++)
        ret_host[i] = start + i == end ? '\0' : start[i];
    for (char *p = ret_host; *p; p++)
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
    return true;
}
