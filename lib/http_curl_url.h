/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Prepares requests for libcurl: what may be sent, where to, whether through the proxy, and a copy for those
 * that must wait. Part of http_curl. NO_PROXY is evaluated here, because libcurl's reading of it differs
 * between versions. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/http.h"

/* bytes of "https://host:port", including the NUL */
#define CURL_ORIGIN_MAX 320

/* Checks a request and returns its origin as "scheme://host:port", always with the port, for use as a key
 * and in error texts. 0, or -EINVAL for an unknown method, a URL that is not absolute http or https, user
 * info in it, and headers that would become more than one line. */
int curl_request_check(const HttpRequest *request, char ret_origin[static CURL_ORIGIN_MAX], bool *ret_tls);

/* A request that owns its data, in a single allocation. */
typedef struct CurlRequest {
    size_t size; /* of the allocation */
    HttpRequest request;
} CurlRequest;

/* NULL when out of memory. */
CurlRequest *curl_request_copy(const HttpRequest *request);
/* Wipes and frees. NULL is allowed. */
void curl_request_free(CurlRequest *copy);

/* "host:port: text", on one line. Returns dst. */
const char *curl_request_explain(char *dst, size_t size, const char *origin, const char *text);

/* True if list, in the format of NO_PROXY, has host (without brackets) and port. Entries are separated by
 * commas and blanks; case is ignored. "*" means every host; "name", ".name" and "*.name" the name and all
 * names below it; "address" and "address/bits" addresses. With ":port" an entry means that port only; an
 * IPv6 address then has brackets. NULL is an empty list. */
bool curl_no_proxy_matches(const char *list, const char *host, unsigned port);

/* The host, in lower case and without brackets, and the port of "[scheme://][user@]host:port[/...]"; port 0
 * if there is none. False if the host does not fit. */
bool curl_split_authority(const char *url, char *ret_host, size_t size, unsigned *ret_port);
