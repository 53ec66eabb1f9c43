/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One exchange as a libcurl easy handle: the request put into it, the answer taken out. Part of http_curl;
 * knows nothing of loops and connections. */

#include <curl/curl.h>
#include <sys/types.h>

#include "lib/http.h"
#include "lib/http_curl_resolve.h"
#include "lib/http_curl_url.h"
#include "lib/util/strbuf.h"

/* Called by libcurl when a connection is begun: take a note, no more. */
typedef void (*CurlOpened)(curl_socket_t fd, void *userdata);

typedef struct CurlJob {
    struct CurlJob *next; /* for whoever keeps unused ones */
    CURL *easy;
    struct curl_slist *headers; /* one piece of memory */
    size_t headers_size;
    struct curl_slist *resolve; /* the addresses, as libcurl takes them */
    char *body;
    size_t body_len;
    bool tls;
    bool configured;    /* what is the same for all requests of a client is set */
    bool custom_method; /* ... and a method that libcurl has no option for */
    const char *proxy;  /* borrowed; NULL when it goes without */
    CurlOpened opened;  /* as in the settings */
    void *opened_userdata;
    unsigned n_sockets; /* opened so far, the last few of them are below */
    struct {
        int fd;
        ino_t inode;
    } sockets[CURL_ADDRESSES_MAX];
    bool too_big; /* a ceiling of the answer was reached */
    StrBuf answer;
    size_t header_bytes;   /* of interim answers too */
    StrBuf answer_headers; /* "name\0value\0" and so on */
    size_t n_answer_headers;
    HttpHeader *header_values; /* into answer_headers, once it is whole */
    const char *origin;        /* borrowed */
    char error[512];
    char curl_error[CURL_ERROR_SIZE];
} CurlJob;

/* All is borrowed for as long as the job runs. */
typedef struct CurlJobSettings {
    const char *origin; /* "https://host:port", as curl_request_check has it */
    CURLSH *share;      /* its TLS sessions */
    bool tls;
    CurlOpened opened;
    void *opened_userdata;
    const char *proxy; /* NULL: none */
    /* The same for all requests that a job is used for: */
    const char *user_agent;             /* NULL: none is sent */
    unsigned connection_life_sec;       /* no connection is used that is older */
    curl_closesocket_callback on_close; /* closes what `opened` has shown; may be called until */
    void *on_close_userdata;            /* ... the multi handle is gone */
    curl_ssl_ctx_callback on_tls;       /* gives the trusted certificates to a new connection */
    void *on_tls_userdata;
} CurlJobSettings;

/* NULL when out of memory. */
CurlJob *curl_job_new(void);
/* NULL is fine. */
void curl_job_free(CurlJob *job);

/* Copies a request, which curl_request_check has accepted, into the handle. 0 or -ENOMEM. */
int curl_job_prepare(CurlJob *job, const HttpRequest *request, const CurlJobSettings *settings);

/* The time limits, in the handle. 0 or -EINVAL. */
int curl_job_set_timeouts(CurlJob *job, uint64_t connect_usec, uint64_t total_usec);

/* Where host is, so that libcurl has no need to ask. 0 or -ENOMEM. */
int curl_job_set_addresses(CurlJob *job, const char *host, unsigned port, const CurlAddresses *addresses);

/* Whether a connection that it opened stands. */
bool curl_job_is_connected(const CurlJob *job);

/* The answer, or what libcurl says went wrong. Pointers in *ret stay valid until curl_job_reset. */
void curl_job_read(CurlJob *job, CURLcode code, HttpResponse *ret);

/* The handle has left the multi handle: lets go of the TLS sessions of its origin. */
void curl_job_leave(CurlJob *job);

/* Wipes request and answer and makes the handle ready for the next. */
void curl_job_reset(CurlJob *job);
