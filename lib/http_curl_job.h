/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One exchange as a libcurl easy handle: sets up the request, and reads the answer. Part of http_curl;
 * independent of loops and connections. */

#include <curl/curl.h>
#include <sys/types.h>

#include "lib/http.h"
#include "lib/http_curl_resolve.h"
#include "lib/http_curl_url.h"
#include "lib/util/strbuf.h"

/* Called by libcurl when a connection begins. May only record that. */
typedef void (*CurlOpened)(curl_socket_t fd, void *userdata);

typedef struct CurlJob {
    struct CurlJob *next; /* for a list of unused ones */
    CURL *easy;
    struct curl_slist *headers; /* a single allocation */
    size_t headers_size;
    struct curl_slist *resolve; /* the addresses, in libcurl's format */
    char *body;
    size_t body_len;
    bool tls;
    bool configured;    /* the options common to all requests of a client are set */
    bool custom_method; /* ... and a method that libcurl has no option for */
    const char *proxy;  /* borrowed; NULL: no proxy */
    CurlOpened opened;  /* as in the settings */
    void *opened_userdata;
    unsigned n_sockets; /* opened so far; the last few are below */
    struct {
        int fd;
        ino_t inode;
    } sockets[CURL_ADDRESSES_MAX];
    bool too_big; /* a ceiling of the answer was reached */
    StrBuf answer;
    size_t header_bytes;   /* including those of interim answers */
    StrBuf answer_headers; /* "name\0value\0" and so on */
    size_t n_answer_headers;
    HttpHeader *header_values; /* into answer_headers, when complete */
    const char *origin;        /* borrowed */
    char error[512];
    char curl_error[CURL_ERROR_SIZE];
} CurlJob;

/* Everything is borrowed while the job runs. */
typedef struct CurlJobSettings {
    const char *origin; /* "https://host:port", from curl_request_check */
    CURLSH *share;      /* its TLS sessions */
    bool tls;
    CurlOpened opened;
    void *opened_userdata;
    const char *proxy; /* NULL: none */
    /* The same for all requests of a job: */
    const char *user_agent;             /* NULL: not sent */
    unsigned connection_life_sec;       /* no older connection is used */
    curl_closesocket_callback on_close; /* closes sockets that `opened` reported; may be called until ... */
    void *on_close_userdata;            /* ... the multi handle is freed */
    curl_ssl_ctx_callback on_tls;       /* sets the trusted certificates of a new connection */
    void *on_tls_userdata;
} CurlJobSettings;

/* NULL when out of memory. */
CurlJob *curl_job_new(void);
/* NULL is allowed. */
void curl_job_free(CurlJob *job);

/* Copies a request that curl_request_check accepted into the handle. 0 or -ENOMEM. */
int curl_job_prepare(CurlJob *job, const HttpRequest *request, const CurlJobSettings *settings);

/* Sets the time limits of the handle. 0 or -EINVAL. */
int curl_job_set_timeouts(CurlJob *job, uint64_t connect_usec, uint64_t total_usec);

/* Sets the addresses of host, so that libcurl need not resolve it. 0 or -ENOMEM. */
int curl_job_set_addresses(CurlJob *job, const char *host, unsigned port, const CurlAddresses *addresses);

/* True if one of its connections is established. */
bool curl_job_is_connected(const CurlJob *job);

/* Reads the answer, or libcurl's error. Pointers in *ret stay valid until curl_job_reset. */
void curl_job_read(CurlJob *job, CURLcode code, HttpResponse *ret);

/* Call when the handle was removed from the multi handle: releases the TLS sessions of its origin. */
void curl_job_leave(CurlJob *job);

/* Wipes request and answer, so that the handle can be used again. */
void curl_job_reset(CurlJob *job);
