/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Requests before libcurl sees them: what may be sent, where to, and a copy for those that have to wait.
 * Part of http_curl. */

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
