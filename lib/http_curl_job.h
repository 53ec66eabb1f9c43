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

typedef struct CurlJob {
    struct CurlJob *next; /* for whoever keeps unused ones */
    CURL *easy;
    struct curl_slist *headers;
    struct curl_slist *resolve; /* the addresses, as libcurl takes them */
    char *body;
    size_t body_len;
    bool tls;
    const char *proxy;              /* borrowed; NULL when it goes without */
    void (*opened)(void *userdata); /* as in the settings */
    void *opened_userdata;
    unsigned n_sockets; /* opened so far, the last few of them are below */
    struct {
        int fd;
        ino_t inode;
    } sockets[CURL_ADDRESSES_MAX];
    bool too_big; /* a ceiling of the answer was reached */
    StrBuf answer;
    StrBuf answer_headers; /* "name\0value\0" and so on */
    size_t n_answer_headers;
    HttpHeader *header_values; /* into answer_headers, once it is whole */
    char origin[CURL_ORIGIN_MAX];
    char error[512];
    char curl_error[CURL_ERROR_SIZE];
} CurlJob;

/* What does not change from request to request; all borrowed for as long as the job runs. */
typedef struct CurlJobSettings {
    const char *user_agent;         /* NULL: none is sent */
    const char *proxy;              /* NULL: none */
    unsigned connection_life_sec;   /* none is used that is older */
    void (*opened)(void *userdata); /* called by libcurl when a connection is begun: take a note, no more */
    void *opened_userdata;
    curl_ssl_ctx_callback on_tls; /* gives the trusted certificates to a new connection */
    void *on_tls_userdata;
} CurlJobSettings;

/* NULL when out of memory. */
CurlJob *curl_job_new(void);
/* NULL is fine. */
void curl_job_free(CurlJob *job);

/* Copies a request into the handle and names the origin. 0, -EINVAL as curl_request_check, -ENOMEM. */
int curl_job_prepare(CurlJob *job, const HttpRequest *request, const CurlJobSettings *settings);

/* The time limits, in the handle. 0 or -EINVAL. */
int curl_job_set_timeouts(CurlJob *job, uint64_t connect_usec, uint64_t total_usec);

/* Where host is, so that libcurl has no need to ask. 0 or -ENOMEM. */
int curl_job_set_addresses(CurlJob *job, const char *host, unsigned port, const CurlAddresses *addresses);

/* Whether a connection that it opened stands. */
bool curl_job_is_connected(const CurlJob *job);

/* The answer, or what libcurl says went wrong. Pointers in *ret stay valid until curl_job_reset. */
void curl_job_read(CurlJob *job, CURLcode code, HttpResponse *ret);

/* Wipes request and answer and makes the handle ready for the next. */
void curl_job_reset(CurlJob *job);
