/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Requests before libcurl sees them: what may be sent, where to, whether through the proxy, and a copy for
 * those that have to wait. Part of http_curl. libcurl's own reading of NO_PROXY differs from version to
 * version. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/http.h"

/* bytes of "https://host:port", with the NUL */
#define CURL_ORIGIN_MAX 320

/* Whether a request may be sent at all, and where it goes: the origin as "scheme://host:port", the port
 * always named, so that it serves as a key and in error texts. 0, or -EINVAL for an unknown method, a URL
 * that is not absolute http or https, user info in it, and headers that would become more than one line. */
int curl_request_check(const HttpRequest *request, char ret_origin[static CURL_ORIGIN_MAX], bool *ret_tls);

/* A request that owns what it points to, in one piece of memory. */
typedef struct CurlRequest {
    size_t size; /* of the whole */
    HttpRequest request;
} CurlRequest;

/* NULL when out of memory. */
CurlRequest *curl_request_copy(const HttpRequest *request);
/* Wipes and frees; NULL is fine. */
void curl_request_free(CurlRequest *copy);

/* "host:port: text", on one line. Returns dst. */
const char *curl_request_explain(char *dst, size_t size, const char *origin, const char *text);

/* Whether list, in the forms of NO_PROXY, names host (no brackets) at port: entries are separated by commas
 * and blanks, case does not matter. "*" is every host; "name", ".name" and "*.name" the name and all below
 * it; "address" and "address/bits" addresses; any of them with ":port" that port only, an IPv6 address then
 * in brackets. NULL is an empty list. */
bool curl_no_proxy_matches(const char *list, const char *host, unsigned port);

/* Host, in lower case and without brackets, and port of "[scheme://][user@]host:port[/...]"; port 0 when
 * there is none. False when host does not fit. */
bool curl_split_authority(const char *url, char *ret_host, size_t size, unsigned *ret_port);
