/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* An HttpClient that plays a script: each request takes the next answer, in order, and is remembered. A
 * request for which the script has no answer waits until the script gets one (as if the server were slow),
 * or is cancelled. */

#include "lib/http.h"
#include "tests/unit/fake_loop.h"

typedef struct FakeHttp FakeHttp;

FakeHttp *fake_http_new(FakeLoop *loop);
/* Fails the program when an exchange is still under way: somebody forgot to cancel it. NULL is fine. */
void fake_http_free(FakeHttp *fake);

HttpClient *fake_http_client(FakeHttp *fake);

/* Adds an answer. headers: pairs of name and value, ended by NULL. The texts must outlive the fake. */
void fake_http_reply(FakeHttp *fake, int status, const char *body, ...) __attribute__((sentinel));
/* The same with a list; headers may be NULL. */
void fake_http_reply_list(FakeHttp *fake, int status, const char *body, const char *const *headers);
/* Adds a failure of the transport. */
void fake_http_fail(FakeHttp *fake, HttpResult result, const char *error);
/* Adds a refusal: submit itself returns error. */
void fake_http_refuse(FakeHttp *fake, int error);

/* How long an answer takes from now on (default 0: the next turn of the loop). */
void fake_http_set_delay(FakeHttp *fake, uint64_t delay_usec);
/* Whether answers come from an authenticated peer (default true). */
void fake_http_set_tls(FakeHttp *fake, bool over_tls);

/* What was asked. */
unsigned fake_http_n_requests(const FakeHttp *fake);
unsigned fake_http_n_running(const FakeHttp *fake);
/* Answers that nobody asked for yet. */
unsigned fake_http_n_left(const FakeHttp *fake);

typedef struct FakeRequest {
    char *method;
    char *url;
    char *body; /* with a NUL after it */
    size_t body_len;
    size_t n_headers;
    char **names, **values;
    uint64_t connect_timeout_usec;
    uint64_t timeout_usec;
    bool direct;
    unsigned host_slot;
    bool suspect;
    bool long_answer, urgent;
} FakeRequest;

/* The i-th request, the first is 0. Fails the program when there is none. */
const FakeRequest *fake_http_request(const FakeHttp *fake, unsigned i);
/* A header of it (any case), or NULL. */
const char *fake_request_header(const FakeRequest *request, const char *name);
