/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fake_http.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/util/macros.h"

#define HEADERS_MAX  8
#define REQUESTS_MAX 8192

typedef struct Step {
    struct Step *next;
    HttpResult result;
    int refusal;
    int status;
    const char *body;
    const char *error;
    HttpHeader headers[HEADERS_MAX];
    size_t n_headers;
} Step;

struct HttpExchange {
    FakeHttp *owner;
    HttpExchange *next;
    Step *step; /* NULL while the script has none */
    LoopTimer *timer;
    HttpDone done;
    void *userdata;
};

struct FakeHttp {
    HttpClient client;
    Loop *loop;
    Step *steps;
    HttpExchange *running; /* the oldest first */
    FakeRequest requests[REQUESTS_MAX];
    unsigned n_requests;
    uint64_t delay_usec;
    bool over_tls;
};

static void die(const char *why) {
    fprintf(stderr, "fake HTTP: %s\n", why);
    abort();
}

/* A test may make one allocation fail, and that one is not meant for us: a second try is enough. */
static void *allocate(size_t n, size_t size) {
    void *p = calloc(n, size);

    if (!p)
        p = calloc(n, size);
    if (!p)
        die("out of memory");
    return p;
}

static char *copy(const char *s) {
    size_t n = strlen(s) + 1;

    return memcpy(allocate(1, n), s, n);
}

static HttpExchange *exchange_take(HttpExchange *x) {
    HttpExchange **p;

    for (p = &x->owner->running; *p && *p != x; p = &(*p)->next)
        ;
    if (!*p)
        die("an exchange was touched that is not under way");
    *p = x->next;
    return x;
}

static void on_answer(void *userdata) {
    HttpExchange *x = exchange_take(userdata);
    Step *s = x->step;
    HttpResponse response = {
        .result = s->result,
        .status = s->status,
        .body = s->body ? s->body : "",
        .body_len = s->body ? strlen(s->body) : 0,
        .headers = s->headers,
        .n_headers = s->n_headers,
        .over_tls = s->result == HTTP_ANSWERED && x->owner->over_tls,
        .error = s->error ? s->error : "",
    };
    HttpDone done = x->done;
    void *done_userdata = x->userdata;

    free(x);
    done(&response, done_userdata);
    free(s);
}

/* Gives steps to exchanges that have none, in order. */
static void match(FakeHttp *f) {
    for (HttpExchange *x = f->running; x && f->steps; x = x->next) {
        if (x->step)
            continue;
        if (f->steps->refusal < 0)
            break;
        x->step = f->steps;
        f->steps = f->steps->next;
        if (loop_after(f->loop, f->delay_usec, on_answer, x, &x->timer) < 0)
            die("no timer");
    }
}

static void remember(FakeHttp *f, const HttpRequest *request) {
    FakeRequest *r;

    if (f->n_requests == REQUESTS_MAX)
        die("too many requests");
    r = &f->requests[f->n_requests++];
    *r = (FakeRequest){
        .method = copy(request->method),
        .url = copy(request->url),
        .body = allocate(1, request->body_len + 1),
        .body_len = request->body_len,
        .n_headers = request->n_headers,
        .names = allocate(request->n_headers + 1, sizeof(char *)),
        .values = allocate(request->n_headers + 1, sizeof(char *)),
        .connect_timeout_usec = request->connect_timeout_usec,
        .timeout_usec = request->timeout_usec,
        .direct = request->direct,
        .host_slot = request->host_slot,
        .suspect = request->suspect,
        .long_answer = request->long_answer,
        .urgent = request->urgent,
    };
    if (request->body_len > 0)
        memcpy(r->body, request->body, request->body_len);
    for (size_t i = 0; i < request->n_headers; i++) {
        r->names[i] = copy(request->headers[i].name);
        r->values[i] = copy(request->headers[i].value);
    }
}

static int fake_submit(HttpClient *client, const HttpRequest *request, HttpDone done, void *userdata,
                       HttpExchange **ret_exchange) {
    FakeHttp *f = CONTAINER_OF(client, FakeHttp, client);
    HttpExchange *x, **p;

    if (request->connect_timeout_usec == 0 || request->timeout_usec == 0)
        die("a timeout of 0");
    remember(f, request);
    if (f->steps && f->steps->refusal < 0) {
        Step *s = f->steps;
        int r = s->refusal;

        f->steps = s->next;
        free(s);
        return r;
    }
    x = allocate(1, sizeof(*x));
    *x = (HttpExchange){ .owner = f, .done = done, .userdata = userdata };
    for (p = &f->running; *p; p = &(*p)->next)
        ;
    *p = x;
    if (ret_exchange)
        *ret_exchange = x;
    match(f);
    return 0;
}

static void fake_cancel(HttpClient *client, HttpExchange *exchange) {
    FakeHttp *f = CONTAINER_OF(client, FakeHttp, client);

    exchange_take(exchange);
    loop_cancel(f->loop, exchange->timer);
    free(exchange->step);
    free(exchange);
}

static const HttpClientOps fake_http_ops = {
    .submit = fake_submit,
    .cancel = fake_cancel,
};

FakeHttp *fake_http_new(FakeLoop *loop) {
    FakeHttp *f = allocate(1, sizeof(*f));

    f->client.ops = &fake_http_ops;
    f->loop = fake_loop_loop(loop);
    f->over_tls = true;
    return f;
}

static void request_done(FakeRequest *r) {
    for (size_t i = 0; i < r->n_headers; i++) {
        free(r->names[i]);
        free(r->values[i]);
    }
    free(r->names);
    free(r->values);
    free(r->method);
    free(r->url);
    free(r->body);
}

void fake_http_free(FakeHttp *fake) {
    if (!fake)
        return;
    if (fake->running)
        die("an exchange is still under way");
    while (fake->steps) {
        Step *s = fake->steps;

        fake->steps = s->next;
        free(s);
    }
    for (unsigned i = 0; i < fake->n_requests; i++)
        request_done(&fake->requests[i]);
    free(fake);
}

HttpClient *fake_http_client(FakeHttp *fake) {
    return &fake->client;
}

static Step *add_step(FakeHttp *f, HttpResult result) {
    Step *s = allocate(1, sizeof(*s)), **p;

    s->result = result;
    for (p = &f->steps; *p; p = &(*p)->next)
        ;
    *p = s;
    return s;
}

static void add_header(Step *s, const char *name, const char *value) {
    if (s->n_headers == HEADERS_MAX)
        die("too many headers");
    s->headers[s->n_headers++] = (HttpHeader){ name, value };
}

void fake_http_reply(FakeHttp *fake, int status, const char *body, ...) {
    Step *s = add_step(fake, HTTP_ANSWERED);
    const char *name;
    va_list ap;

    s->status = status;
    s->body = body;
    va_start(ap, body);
    while ((name = va_arg(ap, const char *)))
        add_header(s, name, va_arg(ap, const char *));
    va_end(ap);
    match(fake);
}

void fake_http_reply_list(FakeHttp *fake, int status, const char *body, const char *const *headers) {
    Step *s = add_step(fake, HTTP_ANSWERED);

    s->status = status;
    s->body = body;
    for (; headers && headers[0]; headers += 2)
        add_header(s, headers[0], headers[1]);
    match(fake);
}

void fake_http_fail(FakeHttp *fake, HttpResult result, const char *error) {
    add_step(fake, result)->error = error;
    match(fake);
}

void fake_http_refuse(FakeHttp *fake, int error) {
    add_step(fake, HTTP_INTERNAL)->refusal = error;
}

void fake_http_set_delay(FakeHttp *fake, uint64_t delay_usec) {
    fake->delay_usec = delay_usec;
}

void fake_http_set_tls(FakeHttp *fake, bool over_tls) {
    fake->over_tls = over_tls;
}

unsigned fake_http_n_requests(const FakeHttp *fake) {
    return fake->n_requests;
}

unsigned fake_http_n_running(const FakeHttp *fake) {
    unsigned n = 0;

    for (const HttpExchange *x = fake->running; x; x = x->next)
        n++;
    return n;
}

unsigned fake_http_n_left(const FakeHttp *fake) {
    unsigned n = 0;

    for (const Step *s = fake->steps; s; s = s->next)
        n++;
    return n;
}

const FakeRequest *fake_http_request(const FakeHttp *fake, unsigned i) {
    if (i >= fake->n_requests)
        die("there is no such request");
    return &fake->requests[i];
}

const char *fake_request_header(const FakeRequest *request, const char *name) {
    for (size_t i = 0; i < request->n_headers; i++)
        if (strcasecmp(request->names[i], name) == 0)
            return request->values[i];
    return NULL;
}
