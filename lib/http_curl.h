/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The HttpClient that real life uses: libcurl's multi interface on an sd-event loop. Only the files named
 * http_curl include <curl/curl.h>. */

#include "lib/http.h"

typedef struct sd_event sd_event;

typedef struct HttpCurlOptions {
    const char *ca_bundle;   /* PEM file; NULL: the distribution's bundle; where there is none TLS fails.
                              * Read once, here, into one X509_STORE that all connections share */
    const char *user_agent;  /* "TrailGuard/0.1.0" */
    const char *proxy;       /* "http://[USER:PASSWORD@]HOST:PORT", for https: by CONNECT. Plain http never
                              * goes through it: that is for loopback and metadata. NULL: none; the
                              * environment is not asked */
    const char *no_proxy;    /* hosts that are reached without it, as NO_PROXY lists them; NULL: none */
    uint64_t name_life_usec; /* how long a resolved name is used without asking again; 0: a minute */
    unsigned connection_life_sec; /* a connection that is older is not used again; 0: 300 */
    unsigned max_connections; /* over all hosts, 1..1024; further exchanges wait in a queue, their timeout
                               * running */
} HttpCurlOptions;

/* A client on `event` (borrowed, must outlive it). TLS 1.2 or newer, peers always verified, no redirects,
 * http and https only. On failure returns -errno and writes one line naming the file into error (size
 * bytes): -ENOENT/-EACCES/-EINVAL for the CA bundle, -ENOMEM, -EIO for libcurl. */
int http_curl_new(sd_event *event, const HttpCurlOptions *options, char *error, size_t error_size,
                  HttpClient **ret);

/* Cancels what is under way (callbacks are not called) and frees; may be called from inside a done callback.
 * NULL is fine. */
void http_curl_free(HttpClient *client);

typedef struct HttpCurlStats {
    uint64_t exchanges, connections, ca_reads, given_up;
    uint64_t tls_answers; /* exchanges over TLS that were answered */
} HttpCurlStats;
void http_curl_stats(const HttpClient *client, HttpCurlStats *ret);
