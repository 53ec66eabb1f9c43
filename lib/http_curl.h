/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The production HttpClient: libcurl's multi interface on an sd-event loop. Only the files named http_curl
 * include <curl/curl.h>. */

#include "lib/http.h"

typedef struct sd_event sd_event;

typedef struct HttpCurlOptions {
    const char *ca_bundle;   /* PEM file; NULL means the distribution's bundle. Without one TLS fails. Read
                              * once, by http_curl_new, into an X509_STORE that all connections share */
    const char *user_agent;  /* "TrailGuard/0.1.0" */
    const char *proxy;       /* "http://[USER:PASSWORD@]HOST:PORT"; used for https only, by CONNECT. Plain
                              * http (loopback, metadata) is never proxied. NULL means no proxy; the
                              * environment is ignored */
    const char *no_proxy;   /* hosts reached directly, in the format of NO_PROXY; NULL means no such hosts */
    uint64_t name_life_usec; /* how long a resolved name is cached; 0 means one minute */
    unsigned connection_life_sec; /* an older connection is not reused; 0 means 300 */
    unsigned max_connections; /* over all hosts, 1..1024; further exchanges wait, and their timeout runs */
} HttpCurlOptions;

/* Creates a client on `event` (borrowed, must outlive it). Requires TLS 1.2 or newer, always verifies peers,
 * follows no redirects, allows http and https only. On failure returns -errno and writes one line that names
 * the file into error (size bytes): -ENOENT, -EACCES or -EINVAL for the CA bundle, -ENOMEM, -EIO for
 * libcurl. */
int http_curl_new(sd_event *event, const HttpCurlOptions *options, char *error, size_t error_size,
                  HttpClient **ret);

/* Cancels pending exchanges without calling their callbacks, and frees the client. A done callback may call
 * it. NULL is allowed. */
void http_curl_free(HttpClient *client);

typedef struct HttpCurlStats {
    uint64_t exchanges, connections, ca_reads, given_up;
    uint64_t tls_answers; /* exchanges over TLS that got a response */
} HttpCurlStats;
void http_curl_stats(const HttpClient *client, HttpCurlStats *ret);
