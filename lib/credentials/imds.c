/* SPDX-License-Identifier: Apache-2.0 */
/* Source: "Retrieve security credentials from instance metadata", Amazon EC2 User Guide. */
#include "lib/credentials/imds.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/credentials/document.h"
#include "lib/credentials/request.h"
#include "lib/http.h"
#include "lib/retry.h"
#include "lib/util/hash.h"
#include "lib/util/macros.h"

#define IMDS_ENDPOINT "http://169.254.169.254"
#define IMDS_TIMEOUT_USEC (2 * USEC_PER_SEC)
#define IMDS_ATTEMPTS 3
#define IMDS_PAUSE_USEC (200 * USEC_PER_MSEC)
#define IMDS_TOKEN_TTL_SEC 21600
#define IMDS_URL_MAX 1024
/* A token that is about to run out is not used any more. */
#define IMDS_TOKEN_SPARE_USEC (60 * USEC_PER_SEC)

typedef enum ImdsStep {
    STEP_TOKEN,
    STEP_ROLE,
    STEP_CREDENTIALS,
} ImdsStep;

typedef struct ImdsGet ImdsGet;

typedef struct ImdsProvider {
    CredentialsProvider provider;
    HttpClient *http;
    char *endpoint; /* without a trailing slash */
    char token[IMDS_TOKEN_MAX];
    uint64_t token_until_usec; /* monotonic; 0: none */
    CredentialsRequests requests;
} ImdsProvider;

struct ImdsGet {
    CredentialsRequest q;
    ImdsProvider *owner;
    HttpExchange *exchange;
    ImdsStep step;
    unsigned attempt;       /* of this step, the first is 1 */
    bool token_renewed;     /* a 401 has been answered with a new token once */
    char role[IMDS_ROLE_MAX];
};

/* ---- readers ---- */

static size_t trimmed_length(const char *body, size_t len) {
    while (len > 0 && strchr(" \t\r\n", body[len - 1]))
        len--;
    return len;
}

bool imds_read_role(const char *body, size_t len, char ret[static IMDS_ROLE_MAX]) {
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+=,.@_-";
    const char *end = len > 0 ? memchr(body, '\n', len) : NULL;
    size_t n = trimmed_length(body, end ? (size_t)(end - body) : len);

    if (n == 0 || n >= IMDS_ROLE_MAX)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!memchr(allowed, body[i], sizeof(allowed) - 1))
            return false;
    /* "." and ".." would be taken for parts of the path. */
    if (body[0] == '.' && (n == 1 || (n == 2 && body[1] == '.')))
        return false;
    memcpy(ret, body, n);
    ret[n] = '\0';
    return true;
}

bool imds_read_token(const char *body, size_t len, char ret[static IMDS_TOKEN_MAX]) {
    size_t n = trimmed_length(body, len);

    if (n == 0 || n >= IMDS_TOKEN_MAX)
        return false;
    for (size_t i = 0; i < n; i++)
        if (body[i] <= 0x20 || body[i] >= 0x7f)
            return false;
    memcpy(ret, body, n);
    ret[n] = '\0';
    return true;
}

CredentialsStatus imds_read_credentials(const char *body, size_t len, Credentials **ret, char *message,
                                        size_t size) {
    return document_read(DOCUMENT_INSTANCE, body, len, ret, message, size);
}

/* ---- the exchange of words ---- */

static const char *const step_paths[] = {
    [STEP_TOKEN] = "/latest/api/token",
    [STEP_ROLE] = "/latest/meta-data/iam/security-credentials/",
    [STEP_CREDENTIALS] = "/latest/meta-data/iam/security-credentials/",
};

static void get_end(ImdsGet *g, CredentialsStatus status, Credentials *credentials, const char *message) {
    if (g->exchange)
        http_cancel(g->owner->http, g->exchange);
    credentials_request_end(&g->q, status, credentials, message);
}

static void get_fail(ImdsGet *g, CredentialsStatus status, const char *format, ...) _printf_(3, 4);
static void get_fail(ImdsGet *g, CredentialsStatus status, const char *format, ...) {
    char message[CREDENTIALS_MESSAGE_MAX];
    char why[CREDENTIALS_MESSAGE_MAX];
    va_list ap;

    va_start(ap, format);
    vsnprintf(why, sizeof(why), format, ap);
    va_end(ap);
    if (snprintf(message, sizeof(message), "instance metadata at %s: %s", g->owner->endpoint, why) >=
        (int)sizeof(message))
        memcpy(message + sizeof(message) - 4, "...", 4);
    get_end(g, status, NULL, message);
}

static void on_answer(const HttpResponse *response, void *userdata);

/* Sends what the present step needs. Never called from inside imds_get, so it may end the get. */
static void get_send(ImdsGet *g) {
    ImdsProvider *s = g->owner;
    bool token_step = g->step == STEP_TOKEN;
    HttpHeader header = {
        .name = token_step ? "x-aws-ec2-metadata-token-ttl-seconds" : "x-aws-ec2-metadata-token",
        .value = token_step ? "21600" : s->token,
    };
    char url[IMDS_URL_MAX];
    int r;

    if (snprintf(url, sizeof(url), "%s%s%s", s->endpoint, step_paths[g->step],
                 g->step == STEP_CREDENTIALS ? g->role : "") >= (int)sizeof(url)) {
        get_fail(g, CREDENTIALS_FAILED, "the URL is too long");
        return;
    }
    g->attempt++;
    r = http_submit(s->http,
                    &(HttpRequest){
                            .method = token_step ? "PUT" : "GET",
                            .url = url,
                            .headers = &header,
                            .n_headers = 1,
                            .connect_timeout_usec = IMDS_TIMEOUT_USEC,
                            .timeout_usec = IMDS_TIMEOUT_USEC,
                            .direct = true,
                    },
                    on_answer, g, &g->exchange);
    if (r < 0)
        get_fail(g, CREDENTIALS_FAILED, "%s", strerror(-r));
}

static void get_step(ImdsGet *g, ImdsStep step) {
    g->step = step;
    g->attempt = 0;
    get_send(g);
}

static void on_pause(void *userdata) {
    ImdsGet *g = userdata;

    g->q.timer = NULL;
    get_send(g);
}

/* True when the step is tried again after a pause. */
static bool get_again(ImdsGet *g) {
    uint64_t pause = IMDS_PAUSE_USEC * g->attempt;

    if (g->attempt >= IMDS_ATTEMPTS)
        return false;
    pause += retry_jitter(pause, loop_random(g->owner->requests.loop));
    return loop_after(g->owner->requests.loop, pause, on_pause, g, &g->q.timer) == 0;
}

static void forget_token(ImdsProvider *s) {
    hash_wipe(s->token, sizeof(s->token));
    s->token_until_usec = 0;
}

static uint64_t token_ttl_usec(const HttpResponse *response) {
    const char *value = http_header(response, "x-aws-ec2-metadata-token-ttl-seconds");
    char *end = NULL;
    unsigned long long ttl = 0;

    if (value && *value >= '0' && *value <= '9') {
        errno = 0;
        ttl = strtoull(value, &end, 10);
        if (errno != 0 || *end || ttl > IMDS_TOKEN_TTL_SEC)
            ttl = 0;
    }
    return (ttl > 0 ? ttl : IMDS_TOKEN_TTL_SEC) * USEC_PER_SEC;
}

static void on_token(ImdsGet *g, const HttpResponse *response) {
    ImdsProvider *s = g->owner;
    uint64_t ttl = token_ttl_usec(response);

    if (!imds_read_token(response->body, response->body_len, s->token)) {
        forget_token(s);
        get_fail(g, CREDENTIALS_FAILED, "the session token cannot be read");
        return;
    }
    s->token_until_usec = loop_monotonic_usec(s->requests.loop) + ttl - MIN(IMDS_TOKEN_SPARE_USEC, ttl / 2);
    get_step(g, g->role[0] ? STEP_CREDENTIALS : STEP_ROLE);
}

static void on_role(ImdsGet *g, const HttpResponse *response) {
    if (!imds_read_role(response->body, response->body_len, g->role)) {
        g->role[0] = '\0';
        get_fail(g, CREDENTIALS_FAILED, "the role's name cannot be read");
        return;
    }
    get_step(g, STEP_CREDENTIALS);
}

static void on_credentials(ImdsGet *g, const HttpResponse *response) {
    char why[CREDENTIALS_MESSAGE_MAX / 2] = "";
    Credentials *credentials = NULL;

    if (imds_read_credentials(response->body, response->body_len, &credentials, why, sizeof(why)) !=
        CREDENTIALS_OK) {
        get_fail(g, CREDENTIALS_FAILED, "role %s: %s", g->role, why);
        return;
    }
    get_end(g, CREDENTIALS_OK, credentials, "");
    credentials_unref(credentials);
}

/* No answer, after the last attempt. Before a token was had, this only says that we are not on an EC2 host,
 * or are behind one network hop too many. */
static void on_silence(ImdsGet *g, const HttpResponse *response) {
    if (g->step != STEP_TOKEN)
        get_fail(g, CREDENTIALS_FAILED, "%s", response->error);
    else if (response->result == HTTP_TIMED_OUT)
        get_fail(g, CREDENTIALS_NONE,
                 "no answer (not an EC2 instance, or in a container while the instance's hop limit is 1)");
    else
        get_fail(g, CREDENTIALS_NONE, "no answer (not an EC2 instance?): %s", response->error);
}

static void on_status(ImdsGet *g, int status) {
    if (g->step == STEP_TOKEN && (status == 403 || status == 404 || status == 405))
        get_fail(g, CREDENTIALS_NONE, "no version 2 service there, or it is switched off (HTTP %d)", status);
    else if (g->step == STEP_ROLE && status == 404)
        get_fail(g, CREDENTIALS_NONE, "no instance profile is attached");
    else
        get_fail(g, CREDENTIALS_FAILED, "HTTP %d for %s", status, step_paths[g->step]);
}

static bool status_is_transient(int status) {
    return status >= 500 || status == 429;
}

static void on_answer(const HttpResponse *response, void *userdata) {
    static void (*const handlers[])(ImdsGet *, const HttpResponse *) = {
        [STEP_TOKEN] = on_token,
        [STEP_ROLE] = on_role,
        [STEP_CREDENTIALS] = on_credentials,
    };
    ImdsGet *g = userdata;
    bool answered = response->result == HTTP_ANSWERED;

    g->exchange = NULL;
    if (answered && response->status == 200) {
        handlers[g->step](g, response);
        return;
    }
    if ((!answered || status_is_transient(response->status)) && get_again(g))
        return;
    if (!answered) {
        on_silence(g, response);
        return;
    }
    if (response->status == 401 && g->step != STEP_TOKEN && !g->token_renewed) {
        g->token_renewed = true;
        forget_token(g->owner);
        get_step(g, STEP_TOKEN);
        return;
    }
    on_status(g, response->status);
}

static void on_start(void *userdata) {
    ImdsGet *g = userdata;
    const ImdsProvider *s = g->owner;

    g->q.timer = NULL;
    get_step(g, loop_monotonic_usec(s->requests.loop) < s->token_until_usec ? STEP_ROLE : STEP_TOKEN);
}

static int imds_get(CredentialsProvider *provider, CredentialsDone done, void *userdata) {
    ImdsProvider *s = CONTAINER_OF(provider, ImdsProvider, provider);
    CredentialsRequest *q;
    int r;

    r = credentials_request_start(&s->requests, sizeof(ImdsGet), on_start, done, userdata, &q);
    if (r >= 0)
        ((ImdsGet *)q)->owner = s;
    return r;
}

static void imds_destroy(CredentialsProvider *provider) {
    ImdsProvider *s = CONTAINER_OF(provider, ImdsProvider, provider);

    while (s->requests.first)
        get_end((ImdsGet *)s->requests.first, CREDENTIALS_FAILED, NULL, "cancelled");
    forget_token(s);
    free(s->endpoint);
    free(s);
}

static const CredentialsProviderOps imds_ops = {
    .get = imds_get,
    .destroy = imds_destroy,
};

/* Without slashes at its end. */
static bool keep_endpoint(ImdsProvider *s, const char *endpoint) {
    s->endpoint = strdup(endpoint && *endpoint ? endpoint : IMDS_ENDPOINT);
    for (size_t n = s->endpoint ? strlen(s->endpoint) : 0; n > 0 && s->endpoint[n - 1] == '/'; n--)
        s->endpoint[n - 1] = '\0';
    return s->endpoint;
}

int credentials_imds_new(Loop *loop, HttpClient *http, const char *endpoint, CredentialsProvider **ret) {
    ImdsProvider *s;

    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->provider.ops = &imds_ops;
    s->requests.loop = loop;
    s->http = http;
    if (!keep_endpoint(s, endpoint)) {
        free(s);
        return -ENOMEM;
    }
    *ret = &s->provider;
    return 0;
}
