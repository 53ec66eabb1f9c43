/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One HTTP exchange as values, and an interface of two functions, implemented by libcurl (http_curl) or by a
 * script in tests. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_BODY_MAX (1024 * 1024)    /* a larger answer is HTTP_TOO_BIG */
#define HTTP_LONG_BODY_MAX (3 * 1024 * 1024) /* ... for requests with long_answer */
#define HTTP_HOST_SLOTS_MAX 1024
#define HTTP_HEADERS_MAX (16 * 1024)   /* bytes of headers kept of one answer; more is HTTP_TOO_BIG */
#define HTTP_HEADERS_READ_MAX (64 * 1024) /* ... and read in all, including interim answers */

typedef enum HttpResult {
    HTTP_ANSWERED,        /* any status code, whole body */
    HTTP_RESOLVE_FAILED,  /* name not found, or the resolver failed */
    HTTP_CONNECT_FAILED,  /* refused, unreachable, or the proxy failed */
    HTTP_TLS_FAILED,      /* certificate or handshake: not transient */
    HTTP_TIMED_OUT,       /* a deadline of the request passed */
    HTTP_BROKEN,          /* connection lost, or answer cut off */
    HTTP_TOO_BIG,         /* a size limit was exceeded */
    HTTP_MALFORMED,       /* not HTTP, bad URL, bad encoding */
    HTTP_INTERNAL,        /* out of memory or a bug */
    _HTTP_RESULT_MAX,
} HttpResult;

/* What an exchange waited for before it started. */
typedef enum HttpWait {
    HTTP_WAIT_NONE,
    HTTP_WAIT_CONNECTIONS, /* for a connection: all are in use */
    HTTP_WAIT_KEPT,        /* for one of its host's connections, one of which will be free soon */
    HTTP_WAIT_HOST_SLOT,   /* for the share of its host slot */
    HTTP_WAIT_SUSPECT,     /* for the share of suspect requests */
} HttpWait;

typedef struct HttpHeader {
    const char *name;
    const char *value;
} HttpHeader;

/* All pointers are borrowed during submit(); the client copies what it keeps. */
typedef struct HttpRequest {
    const char *method;             /* "GET", "HEAD", "POST", "PUT" */
    const char *url;                /* absolute, http: or https: */
    const HttpHeader *headers;      /* sent as given; Host is derived from url unless given */
    size_t n_headers;
    const void *body;               /* NULL: none */
    size_t body_len;
    uint64_t connect_timeout_usec;  /* > 0 */
    uint64_t timeout_usec;          /* > 0; the whole exchange */
    bool direct;                    /* never through a proxy (metadata endpoints) */
    unsigned host_slot;             /* 1..HTTP_HOST_SLOTS_MAX. The requests of a slot get at most half of the
                                       client's connections, so that a host that hangs leaves the rest to
                                       others; 0: none */
    bool suspect;    /* the last such request timed out: all suspect requests share an eighth of the
                        connections */
    bool repeatable; /* may end as timed out if it takes far longer than others of its host while requests
                        wait because all connections are in use; not with suspect */
    bool long_answer; /* up to HTTP_LONG_BODY_MAX */
    bool urgent;      /* before all waiting requests that are not urgent */
} HttpRequest;

/* Valid only during the HttpDone callback. */
typedef struct HttpResponse {
    HttpResult result;
    int status;                     /* 100..599 when HTTP_ANSWERED, else 0 */
    const char *body;               /* NUL-terminated, may contain NULs; never NULL */
    size_t body_len;
    const HttpHeader *headers;      /* of the final answer; values trimmed */
    size_t n_headers;
    bool over_tls;                  /* the peer was authenticated */
    bool held_up;                   /* it waited for a connection most of its time, so a time-out says
                                       nothing about the peer */
    HttpWait waited_for;            /* ... what it waited for ... */
    uint64_t waited_usec;           /* ... and for how long */
    const char *error;              /* for people, if result is not HTTP_ANSWERED; names the host, has no
                                       secrets; never NULL */
} HttpResponse;

typedef void (*HttpDone)(const HttpResponse *response, void *userdata);

typedef struct HttpClient HttpClient;
/* A running exchange; invalid after done was called or it was cancelled. */
typedef struct HttpExchange HttpExchange;

typedef struct HttpClientOps {
    /* Starts an exchange. done is called exactly once, never from inside submit. *ret_exchange (may be NULL)
     * is for cancel. 0, or -EINVAL, -ENOMEM or -EMFILE without a call of done. */
    int (*submit)(HttpClient *client, const HttpRequest *request, HttpDone done, void *userdata,
                  HttpExchange **ret_exchange);
    /* Ends an exchange without calling done. */
    void (*cancel)(HttpClient *client, HttpExchange *exchange);
} HttpClientOps;

struct HttpClient {
    const HttpClientOps *ops;
};

static inline int http_submit(HttpClient *client, const HttpRequest *request, HttpDone done, void *userdata,
                              HttpExchange **ret_exchange) {
    return client->ops->submit(client, request, done, userdata, ret_exchange);
}

static inline void http_cancel(HttpClient *client, HttpExchange *exchange) {
    client->ops->cancel(client, exchange);
}

/* The value of the first header of that name (any case), or NULL. Pure; in http.c. */
const char *http_header(const HttpResponse *response, const char *name);

/* What is wrong with an answer in a content coding, "it comes with Content-Encoding gzip, which was not
 * requested", escaped: no request asks for any. "" where the answer names none, or has no body. Returns
 * dst. Pure. */
#define HTTP_CODING_MAX 96
const char *http_coding_fault(const HttpResponse *response, char dst[static HTTP_CODING_MAX]);

/* "timed out", "name not found", ... Never NULL. */
const char *http_result_to_string(HttpResult result);
