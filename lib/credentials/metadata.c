/* SPDX-License-Identifier: Apache-2.0 */
/* Keys from the endpoints of an EC2 instance and of a container. Sources: "Retrieve security credentials
 * from instance metadata", Amazon EC2 User Guide; AWS SDKs and Tools Reference Guide, "Container credential
 * provider". */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/credentials/providers.h"
#include "lib/credentials/request.h"
#include "lib/http.h"
#include "lib/retry.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define TIMEOUT_USEC (2 * USEC_PER_SEC)
#define ATTEMPTS     3
#define URL_MAX      1024

#define IMDS_ENDPOINT      "http://169.254.169.254"
#define IMDS_PAUSE_USEC    (200 * USEC_PER_MSEC)
#define IMDS_TOKEN_TTL_SEC 21600
/* A token that is about to expire is not used. */
#define IMDS_TOKEN_SPARE_USEC (60 * USEC_PER_SEC)

#define CONTAINER_PAUSE_USEC (1 * USEC_PER_SEC)
#define CONTAINER_TOKEN_MAX  (16 * 1024)
#define REASON_MAX           200

/* ---- shared ---- */

typedef struct MetadataProvider {
    RequestProvider base;
    HttpClient *http;
} MetadataProvider;

/* At any time it waits for its timer or the exchange. */
typedef struct MetadataRequest {
    CredentialsRequest request;
    HttpExchange *exchange;
    unsigned attempt; /* of this step, the first is 1 */
} MetadataRequest;

static void metadata_stop(CredentialsRequest *request) {
    MetadataRequest *m = CONTAINER_OF(request, MetadataRequest, request);

    if (m->exchange)
        http_cancel(CONTAINER_OF(request->owner, MetadataProvider, base)->http, m->exchange);
}

/* Never through a proxy. 0 or -errno. */
static int metadata_send(MetadataRequest *m, const char *method, const char *url, const HttpHeader *headers,
                         size_t n_headers, HttpDone done) {
    m->attempt++;
    return http_submit(CONTAINER_OF(m->request.owner, MetadataProvider, base)->http,
                       &(HttpRequest){
                               .method = method,
                               .url = url,
                               .headers = headers,
                               .n_headers = n_headers,
                               .connect_timeout_usec = TIMEOUT_USEC,
                               .timeout_usec = TIMEOUT_USEC,
                               .direct = true,
                       },
                       done, m, &m->exchange);
}

/* True if the step is repeated after a pause. */
static bool metadata_again(MetadataRequest *m, uint64_t pause_usec, CredentialsStep send) {
    return m->attempt < ATTEMPTS && credentials_request_wait(&m->request, pause_usec, send) == 0;
}

/* ---- instance metadata ---- */

typedef enum ImdsStep {
    STEP_TOKEN,
    STEP_ROLE,
    STEP_CREDENTIALS,
} ImdsStep;

typedef struct ImdsProvider {
    MetadataProvider metadata;
    char *endpoint; /* without a trailing slash */
    char *about;    /* the prefix of messages */
    char token[IMDS_TOKEN_MAX];
    uint64_t token_until_usec; /* monotonic; 0: none */
} ImdsProvider;

typedef struct ImdsRequest {
    MetadataRequest metadata;
    ImdsStep step;
    bool token_renewed; /* a 401 was already answered with a new token once */
    char role[IMDS_ROLE_MAX];
} ImdsRequest;

static const char *const step_paths[] = {
    [STEP_TOKEN] = "/latest/api/token",
    [STEP_ROLE] = "/latest/meta-data/iam/security-credentials/",
    [STEP_CREDENTIALS] = "/latest/meta-data/iam/security-credentials/",
};

static ImdsProvider *imds_of(const ImdsRequest *r) {
    return CONTAINER_OF(r->metadata.request.owner, ImdsProvider, metadata.base);
}

#define imds_fail(r, status, ...)                                                                           \
    credentials_request_fail(&(r)->metadata.request, status, imds_of(r)->about, __VA_ARGS__)

static void imds_on_answer(const HttpResponse *response, void *userdata);

/* Sends what the present step needs. */
static void imds_send(CredentialsRequest *request) {
    ImdsRequest *r = CONTAINER_OF(request, ImdsRequest, metadata.request);
    const ImdsProvider *s = imds_of(r);
    bool token_step = r->step == STEP_TOKEN;
    HttpHeader header = {
        .name = token_step ? "x-aws-ec2-metadata-token-ttl-seconds" : "x-aws-ec2-metadata-token",
        .value = token_step ? "21600" : s->token,
    };
    char url[URL_MAX];
    int e;

    if (snprintf(url, sizeof(url), "%s%s%s", s->endpoint, step_paths[r->step],
                 r->step == STEP_CREDENTIALS ? r->role : "") >= (int)sizeof(url)) {
        imds_fail(r, CREDENTIALS_FAILED, "the URL is too long");
        return;
    }
    e = metadata_send(&r->metadata, token_step ? "PUT" : "GET", url, &header, 1, imds_on_answer);
    if (e < 0)
        imds_fail(r, CREDENTIALS_FAILED, "%s", strerror(-e));
}

static void imds_step(ImdsRequest *r, ImdsStep step) {
    r->step = step;
    r->metadata.attempt = 0;
    imds_send(&r->metadata.request);
}

static void imds_forget_token(ImdsProvider *s) {
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

static void imds_fail_to_read(ImdsRequest *r, const HttpResponse *response, const char *what) {
    char coding[HTTP_CODING_MAX];

    (void)http_coding_fault(response, coding);
    imds_fail(r, CREDENTIALS_FAILED, "%s cannot be read%s%s", what, coding[0] ? ": " : "", coding);
}

static void imds_on_token(ImdsRequest *r, const HttpResponse *response) {
    ImdsProvider *s = imds_of(r);
    uint64_t ttl = token_ttl_usec(response);

    if (!imds_read_token(response->body, response->body_len, s->token)) {
        imds_forget_token(s);
        imds_fail_to_read(r, response, "the session token");
        return;
    }
    s->token_until_usec =
            loop_monotonic_usec(s->metadata.base.loop) + ttl - MIN(IMDS_TOKEN_SPARE_USEC, ttl / 2);
    imds_step(r, r->role[0] ? STEP_CREDENTIALS : STEP_ROLE);
}

static void imds_on_role(ImdsRequest *r, const HttpResponse *response) {
    if (imds_read_role(response->body, response->body_len, r->role))
        imds_step(r, STEP_CREDENTIALS);
    else
        imds_fail_to_read(r, response, "the role's name");
}

static void imds_on_credentials(ImdsRequest *r, const HttpResponse *response) {
    char about[CREDENTIALS_MESSAGE_MAX], coding[HTTP_CODING_MAX];

    (void)snprintf(about, sizeof(about), "%s: role %s", imds_of(r)->about, r->role);
    credentials_request_read(&r->metadata.request, DOCUMENT_INSTANCE, response->body, response->body_len,
                             about, http_coding_fault(response, coding));
}

/* No answer to the last attempt. Before the first token this only means that this is no EC2 host, or one
 * network hop too far away. */
static void imds_on_silence(ImdsRequest *r, const HttpResponse *response) {
    if (r->step != STEP_TOKEN)
        imds_fail(r, CREDENTIALS_FAILED, "%s", response->error);
    else if (response->result == HTTP_TIMED_OUT)
        imds_fail(r, CREDENTIALS_NONE,
                  "no answer (not an EC2 instance, or in a container while the instance's hop limit is 1)");
    else
        imds_fail(r, CREDENTIALS_NONE, "no answer (not an EC2 instance?): %s", response->error);
}

static void imds_on_status(ImdsRequest *r, int status) {
    if (r->step == STEP_TOKEN && (status == 403 || status == 404 || status == 405))
        imds_fail(r, CREDENTIALS_NONE, "no version 2 service there, or it is switched off (HTTP %d)",
                  status);
    else if (r->step == STEP_ROLE && status == 404)
        imds_fail(r, CREDENTIALS_NONE, "no instance profile is attached");
    else
        imds_fail(r, CREDENTIALS_FAILED, "HTTP %d for %s", status, step_paths[r->step]);
}

static bool imds_again(ImdsRequest *r) {
    uint64_t pause = IMDS_PAUSE_USEC * r->metadata.attempt;

    pause += retry_jitter(pause, loop_random(r->metadata.request.owner->loop));
    return metadata_again(&r->metadata, pause, imds_send);
}

static void imds_on_answer(const HttpResponse *response, void *userdata) {
    static void (*const handlers[])(ImdsRequest *, const HttpResponse *) = {
        [STEP_TOKEN] = imds_on_token,
        [STEP_ROLE] = imds_on_role,
        [STEP_CREDENTIALS] = imds_on_credentials,
    };
    ImdsRequest *r = CONTAINER_OF((MetadataRequest *)userdata, ImdsRequest, metadata);
    bool answered = response->result == HTTP_ANSWERED;

    r->metadata.exchange = NULL;
    if (answered && response->status == 200)
        handlers[r->step](r, response);
    else if ((!answered || response->status >= 500 || response->status == 429) && imds_again(r))
        return;
    else if (!answered)
        imds_on_silence(r, response);
    else if (response->status == 401 && r->step != STEP_TOKEN && !r->token_renewed) {
        r->token_renewed = true;
        imds_forget_token(imds_of(r));
        imds_step(r, STEP_TOKEN);
    } else
        imds_on_status(r, response->status);
}

static void imds_begin(CredentialsRequest *request) {
    ImdsRequest *r = CONTAINER_OF(request, ImdsRequest, metadata.request);

    imds_step(r, loop_monotonic_usec(request->owner->loop) < imds_of(r)->token_until_usec ? STEP_ROLE
                                                                                          : STEP_TOKEN);
}

static void imds_free(RequestProvider *provider) {
    ImdsProvider *s = CONTAINER_OF(provider, ImdsProvider, metadata.base);

    imds_forget_token(s);
    free(s->about);
    free(s->endpoint);
    free(s);
}

int credentials_imds_new(Loop *loop, HttpClient *http, const char *endpoint, CredentialsProvider **ret) {
    static const RequestProviderType type = {
        .request_size = sizeof(ImdsRequest),
        .begin = imds_begin,
        .stop = metadata_stop,
        .free = imds_free,
    };
    ImdsProvider *s = request_provider_new(&type, sizeof(*s), loop);

    if (!s)
        return -ENOMEM;
    s->metadata.http = http;
    if (!credentials_copy_text(endpoint && *endpoint ? endpoint : IMDS_ENDPOINT, &s->endpoint)) {
        imds_free(&s->metadata.base);
        return -ENOMEM;
    }
    for (size_t n = strlen(s->endpoint); n > 0 && s->endpoint[n - 1] == '/'; n--)
        s->endpoint[n - 1] = '\0';
    if (asprintf(&s->about, "instance metadata at %s", s->endpoint) < 0) {
        s->about = NULL;
        imds_free(&s->metadata.base);
        return -ENOMEM;
    }
    *ret = &s->metadata.base.provider;
    return 0;
}

/* ---- the container's endpoint ---- */

typedef struct ContainerProvider {
    MetadataProvider metadata;
    ContainerOptions options; /* owns its texts; NULL, never "" */
    char about[224];          /* the prefix of messages */
} ContainerProvider;

static const ContainerProvider *container_of(const CredentialsRequest *request) {
    return CONTAINER_OF(request->owner, ContainerProvider, metadata.base);
}

/* The value of the Authorization header, from the file. 1: *ret is set; 0: there is none; or -errno,
 * -EBADMSG for a line break. */
static int container_read_token(const ContainerOptions *o, char **ret) {
    char *text = NULL;
    size_t len = 0;
    int r;

    if (!o->token_file && !o->token)
        return 0;
    r = o->token_file ? file_read(o->token_file, CONTAINER_TOKEN_MAX, &text, &len) : 0;
    if (r >= 0 && !o->token_file) {
        r = credentials_copy_text(o->token, &text) && text ? 0 : -ENOMEM;
        len = text ? strlen(text) : 0;
    }
    if (r < 0)
        return r;
    if (strpbrk(text, "\r\n") || strlen(text) != len) {
        file_free_secret(text, len);
        return -EBADMSG;
    }
    *ret = text;
    return 1;
}

static void container_explain_token(CredentialsRequest *request, int error) {
    const ContainerProvider *s = container_of(request);

    credentials_request_fail(request, CREDENTIALS_FAILED, s->about, "%s: %s",
                             s->options.token_file ? s->options.token_file
                                                   : "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                             error == -EBADMSG  ? "the token has a line break or a NUL in it"
                             : error == -E2BIG  ? "is longer than a token can be"
                             : error == -EINVAL ? "is not a regular file"
                                                : strerror(-error));
}

static void container_on_answer(const HttpResponse *response, void *userdata);

static void container_send(CredentialsRequest *request) {
    const ContainerProvider *s = container_of(request);
    char message[CREDENTIALS_MESSAGE_MAX] = "", url[URL_MAX], *token = NULL;
    CredentialsStatus status;
    int r;

    status = container_url(&s->options, url, sizeof(url), message, sizeof(message));
    if (status != CREDENTIALS_OK) {
        credentials_request_end(request, status, NULL, message);
        return;
    }
    r = container_read_token(&s->options, &token);
    if (r < 0) {
        container_explain_token(request, r);
        return;
    }
    r = metadata_send(CONTAINER_OF(request, MetadataRequest, request), "GET", url,
                      (const HttpHeader[]){ { "Accept", "application/json" }, { "Authorization", token } },
                      token ? 2 : 1, container_on_answer);
    credentials_free_text(token);
    if (r < 0)
        credentials_request_fail(request, CREDENTIALS_FAILED, s->about, "%s", strerror(-r));
}

/* The endpoint's reason for rejecting the request: JSON from ECS, text from EKS Pod Identity. An answer that
 * quotes our token is not shown. */
static const char *container_reason(const ContainerOptions *options, const HttpResponse *response,
                                    char dst[static REASON_MAX]) {
    const char *type = http_header(response, "content-type");
    char reason[REASON_MAX], *token = NULL;
    bool secret;

    (void)document_reason(response->body, response->body_len, reason, sizeof(reason));
    if (!reason[0] && text_starts_with(type, "text/plain")) {
        (void)text_copy(reason, sizeof(reason), response->body);
        reason[strcspn(reason, "\r\n")] = '\0';
    }
    secret = container_read_token(options, &token) < 0 ||
             (token && token[0] && strstr(response->body, token));
    credentials_free_text(token);
    return text_escaped(dst, REASON_MAX, secret ? "" : reason);
}

static void container_on_answer(const HttpResponse *response, void *userdata) {
    MetadataRequest *m = userdata;
    const ContainerProvider *s = container_of(&m->request);
    char reason[REASON_MAX], coding[HTTP_CODING_MAX];

    m->exchange = NULL;
    if (response->result == HTTP_ANSWERED && response->status == 200) {
        credentials_request_read(&m->request, DOCUMENT_CONTAINER, response->body, response->body_len,
                                 s->about, http_coding_fault(response, coding));
        return;
    }
    if (metadata_again(m, CONTAINER_PAUSE_USEC, container_send))
        return;
    if (response->result == HTTP_ANSWERED) {
        (void)container_reason(&s->options, response, reason);
        credentials_request_fail(&m->request, CREDENTIALS_FAILED, s->about, "HTTP %d%s%s", response->status,
                                 reason[0] ? ": " : "", reason);
    } else
        credentials_request_fail(&m->request, CREDENTIALS_FAILED, s->about, "%s", response->error);
}

static void container_free(RequestProvider *provider) {
    ContainerProvider *s = CONTAINER_OF(provider, ContainerProvider, metadata.base);

    free((char *)s->options.relative_uri);
    free((char *)s->options.full_uri);
    free((char *)s->options.token_file);
    credentials_free_text((char *)s->options.token);
    free(s);
}

static bool copy_option(const char *s, const char **ret) {
    *ret = s && *s ? strdup(s) : NULL;
    return !s || !*s || *ret;
}

int credentials_container_new(Loop *loop, HttpClient *http, const ContainerOptions *options,
                              CredentialsProvider **ret) {
    static const RequestProviderType type = {
        .request_size = sizeof(MetadataRequest),
        .begin = container_send,
        .stop = metadata_stop,
        .free = container_free,
    };
    ContainerProvider *s = request_provider_new(&type, sizeof(*s), loop);
    ContainerOptions *o;
    char shown[160];

    if (!s)
        return -ENOMEM;
    s->metadata.http = http;
    o = &s->options;
    if (!copy_option(options->relative_uri, &o->relative_uri) ||
        !copy_option(options->full_uri, &o->full_uri) || !copy_option(options->token_file, &o->token_file) ||
        !copy_option(options->token, &o->token)) {
        container_free(&s->metadata.base);
        return -ENOMEM;
    }
    (void)snprintf(s->about, sizeof(s->about), "container credentials at %s%s",
                   o->relative_uri ? CONTAINER_ENDPOINT : "",
                   text_escaped(shown, sizeof(shown), o->relative_uri ? o->relative_uri : o->full_uri));
    *ret = &s->metadata.base.provider;
    return 0;
}
