/* SPDX-License-Identifier: Apache-2.0 */
/* Source: AWS SDKs and Tools Reference Guide, "Container credential provider". */
#include "lib/credentials/container.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/credentials/document.h"
#include "lib/credentials/request.h"
#include "lib/endpoint.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define ENDPOINT "http://169.254.170.2"
#define TIMEOUT_USEC (2 * USEC_PER_SEC)
#define ATTEMPTS 3
#define PAUSE_USEC (1 * USEC_PER_SEC)
#define URL_MAX 1024
#define TOKEN_MAX (16 * 1024)
#define REASON_MAX 200

typedef struct ContainerGet ContainerGet;

typedef struct ContainerProvider {
    CredentialsProvider provider;
    HttpClient *http;
    ContainerOptions options; /* its texts are owned */
    CredentialsRequests requests;
} ContainerProvider;

struct ContainerGet {
    CredentialsRequest q;
    ContainerProvider *owner;
    HttpExchange *exchange;
    unsigned attempt; /* the first is 1 */
};

/* ---- the URL ---- */

static bool is_set(const char *s) {
    return s && *s;
}

/* A path and perhaps a query: what follows the host of a URL. */
static bool is_relative_uri(const char *s) {
    if (*s != '/')
        return false;
    for (; *s; s++)
        if (*s <= ' ' || *s >= 0x7f || strchr("#\\\"<>", *s))
            return false;
    return true;
}

CredentialsStatus container_url(const ContainerOptions *options, char *ret, size_t ret_size, char *message,
                                size_t size) {
    bool relative = is_set(options->relative_uri);

    if (!relative && !is_set(options->full_uri)) {
        text_copy(message, size, "container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set");
        return CREDENTIALS_NONE;
    }
    if (relative && !is_relative_uri(options->relative_uri)) {
        text_copy(message, size, "container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not a path");
        return CREDENTIALS_FAILED;
    }
    if (!relative && !endpoint_container_is_allowed(options->full_uri)) {
        text_copy(message, size,
                  "container: AWS_CONTAINER_CREDENTIALS_FULL_URI may not be asked for keys; allowed: https://, "
                  "and http:// to loopback, 169.254.170.2, 169.254.170.23 or [fd00:ec2::23]");
        return CREDENTIALS_FAILED;
    }
    if (snprintf(ret, ret_size, "%s%s", relative ? ENDPOINT : "",
                 relative ? options->relative_uri : options->full_uri) >= (int)ret_size) {
        text_copy(message, size, "container: the URL is too long");
        return CREDENTIALS_FAILED;
    }
    return CREDENTIALS_OK;
}

/* ---- one request ---- */

/* The provider may be gone after this. */
static void get_end(ContainerGet *g, CredentialsStatus status, Credentials *credentials,
                    const char *message) {
    if (g->exchange)
        http_cancel(g->owner->http, g->exchange);
    credentials_request_end(&g->q, status, credentials, message);
}

static void get_fail(ContainerGet *g, const char *format, ...) _printf_(2, 3);
static void get_fail(ContainerGet *g, const char *format, ...) {
    char message[CREDENTIALS_MESSAGE_MAX], why[CREDENTIALS_MESSAGE_MAX / 2], shown[160];
    const ContainerOptions *o = &g->owner->options;
    bool relative = is_set(o->relative_uri);
    va_list ap;

    va_start(ap, format);
    vsnprintf(why, sizeof(why), format, ap);
    va_end(ap);
    snprintf(message, sizeof(message), "container credentials at %s%s: %s", relative ? ENDPOINT : "",
             text_escaped(shown, sizeof(shown), relative ? o->relative_uri : o->full_uri), why);
    get_end(g, CREDENTIALS_FAILED, NULL, message);
}

/* What the header Authorization must hold, as it stands in the file. 1: *ret is set; 0: there is none; or
 * -errno, -EBADMSG for a line break. */
static int read_token(const ContainerOptions *o, char **ret) {
    char *text = NULL;
    size_t len = 0;
    int r;

    if (!is_set(o->token_file) && !is_set(o->token))
        return 0;
    if (is_set(o->token_file)) {
        r = file_read(o->token_file, TOKEN_MAX, &text, &len);
        if (r < 0)
            return r;
    } else {
        text = strdup(o->token);
        if (!text)
            return -ENOMEM;
        len = strlen(text);
    }
    if (strpbrk(text, "\r\n") || strlen(text) != len) {
        file_free_secret(text, len);
        return -EBADMSG;
    }
    *ret = text;
    return 1;
}

static void explain_token(ContainerGet *g, int error) {
    const ContainerOptions *o = &g->owner->options;
    const char *file = is_set(o->token_file) ? o->token_file : "AWS_CONTAINER_AUTHORIZATION_TOKEN";

    if (error == -EBADMSG)
        get_fail(g, "%s: the token has a line break or a NUL in it", file);
    else
        get_fail(g, "%s: %s", file,
                 error == -E2BIG    ? "is longer than a token can be" :
                 error == -EINVAL   ? "is not a regular file" :
                                      strerror(-error));
}

static void on_answer(const HttpResponse *response, void *userdata);

static int submit(ContainerGet *g, const char *url, const char *token) {
    const HttpHeader headers[] = {
        { "Accept", "application/json" },
        { "Authorization", token },
    };

    return http_submit(g->owner->http,
                       &(HttpRequest){
                               .method = "GET",
                               .url = url,
                               .headers = headers,
                               .n_headers = token ? 2 : 1,
                               .connect_timeout_usec = TIMEOUT_USEC,
                               .timeout_usec = TIMEOUT_USEC,
                               .direct = true,
                       },
                       on_answer, g, &g->exchange);
}

static void get_send(ContainerGet *g) {
    char message[CREDENTIALS_MESSAGE_MAX] = "", url[URL_MAX];
    CredentialsStatus status;
    char *token = NULL;
    int r;

    status = container_url(&g->owner->options, url, sizeof(url), message, sizeof(message));
    if (status != CREDENTIALS_OK) {
        get_end(g, status, NULL, message);
        return;
    }
    r = read_token(&g->owner->options, &token);
    if (r < 0) {
        explain_token(g, r);
        return;
    }
    g->attempt++;
    r = submit(g, url, token);
    file_free_secret(token, token ? strlen(token) : 0);
    if (r < 0)
        get_fail(g, "%s", strerror(-r));
}

static void on_turn(void *userdata) {
    ContainerGet *g = userdata;

    g->q.timer = NULL;
    get_send(g);
}

static void on_document(ContainerGet *g, const HttpResponse *response) {
    char why[CREDENTIALS_MESSAGE_MAX / 2] = "";
    Credentials *credentials = NULL;

    if (document_read(DOCUMENT_CONTAINER, response->body, response->body_len, &credentials, why,
                      sizeof(why)) != CREDENTIALS_OK) {
        get_fail(g, "%s", why);
        return;
    }
    get_end(g, CREDENTIALS_OK, credentials, "");
    credentials_unref(credentials);
}

/* Why the endpoint refuses, in its own words: JSON of ECS, text of EKS Pod Identity. An answer that quotes our token
 * is not shown. */
static const char *read_reason(const ContainerGet *g, const HttpResponse *response, char dst[static REASON_MAX]) {
    const char *type = http_header(response, "content-type");
    char reason[REASON_MAX], *token = NULL;
    bool secret;

    (void)document_reason(response->body, response->body_len, reason, sizeof(reason));
    if (!reason[0] && text_starts_with(type, "text/plain")) {
        (void)text_copy(reason, sizeof(reason), response->body);
        reason[strcspn(reason, "\r\n")] = '\0';
    }
    secret = read_token(&g->owner->options, &token) < 0 || (token && token[0] && strstr(response->body, token));
    file_free_secret(token, token ? strlen(token) : 0);
    return text_escaped(dst, REASON_MAX, secret ? "" : reason);
}

static void on_answer(const HttpResponse *response, void *userdata) {
    ContainerGet *g = userdata;
    bool answered = response->result == HTTP_ANSWERED;
    char reason[REASON_MAX];

    g->exchange = NULL;
    if (answered && response->status == 200) {
        on_document(g, response);
        return;
    }
    if (g->attempt < ATTEMPTS &&
        loop_after(g->owner->requests.loop, PAUSE_USEC, on_turn, g, &g->q.timer) == 0)
        return;
    if (answered) {
        (void)read_reason(g, response, reason);
        get_fail(g, "HTTP %d%s%s", response->status, reason[0] ? ": " : "", reason);
    } else
        get_fail(g, "%s", response->error);
}

/* ---- the provider ---- */

static int container_get(CredentialsProvider *provider, CredentialsDone done, void *userdata) {
    ContainerProvider *s = CONTAINER_OF(provider, ContainerProvider, provider);
    CredentialsRequest *q;
    int r;

    r = credentials_request_start(&s->requests, sizeof(ContainerGet), on_turn, done, userdata, &q);
    if (r >= 0)
        ((ContainerGet *)q)->owner = s;
    return r;
}

static void container_free(ContainerProvider *s) {
    ContainerOptions *o = &s->options;

    free((char *)o->relative_uri);
    free((char *)o->full_uri);
    free((char *)o->token_file);
    file_free_secret((char *)o->token, o->token ? strlen(o->token) : 0);
    free(s);
}

static void container_destroy(CredentialsProvider *provider) {
    ContainerProvider *s = CONTAINER_OF(provider, ContainerProvider, provider);

    while (s->requests.first)
        get_end((ContainerGet *)s->requests.first, CREDENTIALS_FAILED, NULL, "cancelled");
    container_free(s);
}

static const CredentialsProviderOps container_ops = {
    .get = container_get,
    .destroy = container_destroy,
};

static bool copy_text(const char *s, const char **ret) {
    *ret = s ? strdup(s) : NULL;
    return !s || *ret;
}

int credentials_container_new(Loop *loop, HttpClient *http, const ContainerOptions *options,
                              CredentialsProvider **ret) {
    ContainerProvider *s;

    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->provider.ops = &container_ops;
    s->requests.loop = loop;
    s->http = http;
    if (!copy_text(options->relative_uri, &s->options.relative_uri) ||
        !copy_text(options->full_uri, &s->options.full_uri) ||
        !copy_text(options->token_file, &s->options.token_file) ||
        !copy_text(options->token, &s->options.token)) {
        container_free(s);
        return -ENOMEM;
    }
    *ret = &s->provider;
    return 0;
}
