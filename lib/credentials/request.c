/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/credentials/request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/credentials/providers.h"
#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

/* ---- requests ---- */

static void request_on_timer(void *userdata) {
    CredentialsRequest *request = userdata;

    TAKE_PTR(request->then)(request);
}

int credentials_request_wait(CredentialsRequest *request, uint64_t delay_usec, CredentialsStep then) {
    request->then = then;
    return loop_after(request->owner->loop, delay_usec, request_on_timer, request, &request->timer);
}

static int request_get(CredentialsProvider *provider, CredentialsDone done, void *userdata) {
    RequestProvider *p = CONTAINER_OF(provider, RequestProvider, provider);
    CredentialsRequest *request;

    if (p->destroying)
        return -ECANCELED;
    request = calloc(1, p->type->request_size);
    if (!request)
        return -ENOMEM;
    *request = (CredentialsRequest){ .owner = p, .prev = p->last, .done = done, .userdata = userdata };
    if (credentials_request_wait(request, 0, p->type->begin) < 0) {
        free(request);
        return -ENOMEM;
    }
    *(p->last ? &p->last->next : &p->first) = request;
    p->last = request;
    return 0;
}

void credentials_request_end(CredentialsRequest *request, CredentialsStatus status, Credentials *credentials,
                             const char *message) {
    RequestProvider *p = request->owner;
    CredentialsDone done = request->done;
    void *userdata = request->userdata;

    credentials_ref(credentials);
    if (p->type->stop)
        p->type->stop(request);
    *(request->prev ? &request->prev->next : &p->first) = request->next;
    *(request->next ? &request->next->prev : &p->last) = request->prev;
    loop_cancel(p->loop, request->timer);
    free(request);
    done(status, credentials, message, userdata);
    credentials_unref(credentials);
}

void credentials_request_fail(CredentialsRequest *request, CredentialsStatus status, const char *about,
                              const char *format, ...) {
    char message[CREDENTIALS_MESSAGE_MAX], why[CREDENTIALS_MESSAGE_MAX];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(why, sizeof(why), format, ap);
    va_end(ap);
    if (snprintf(message, sizeof(message), "%s: %s", about, why) >= (int)sizeof(message))
        memcpy(message + sizeof(message) - 4, "...", 4);
    credentials_request_end(request, status, NULL, message);
}

void credentials_request_read(CredentialsRequest *request, DocumentKind kind, const char *body, size_t len,
                              const char *about, const char *fault) {
    char why[CREDENTIALS_MESSAGE_MAX / 2] = "", until[TIMETEXT_MAX];
    Credentials *credentials = NULL;

    if (document_read(kind, body, len, &credentials, why, sizeof(why)) != CREDENTIALS_OK)
        credentials_request_fail(request, CREDENTIALS_FAILED, about, "%s", fault[0] ? fault : why);
    else if (kind == DOCUMENT_PROCESS && credentials->expires_usec > 0 &&
             credentials->expires_usec <= loop_realtime_usec(request->owner->loop))
        credentials_request_fail(request, CREDENTIALS_FAILED, about, "the answer's keys ended at %s",
                                 timetext_iso(until, credentials->expires_usec));
    else
        credentials_request_end(request, CREDENTIALS_OK, credentials, "");
    credentials_unref(credentials);
}

static void request_provider_destroy(CredentialsProvider *provider) {
    RequestProvider *p = CONTAINER_OF(provider, RequestProvider, provider);

    p->destroying = true;
    while (p->first)
        credentials_request_end(p->first, CREDENTIALS_FAILED, NULL, "cancelled");
    p->type->free(p);
}

static const CredentialsProviderOps request_provider_ops = {
    .get = request_get,
    .destroy = request_provider_destroy,
};

void *request_provider_new(const RequestProviderType *type, size_t size, Loop *loop) {
    RequestProvider *p = calloc(1, size);

    if (p)
        *p = (RequestProvider){ .provider.ops = &request_provider_ops, .type = type, .loop = loop };
    return p;
}

RequestProvider *request_provider_cast(CredentialsProvider *provider, const RequestProviderType *type) {
    RequestProvider *p = CONTAINER_OF(provider, RequestProvider, provider);

    return provider->ops == &request_provider_ops && p->type == type ? p : NULL;
}

/* ---- arguments of constructors ---- */

bool credentials_copy_text(const char *s, char **ret) {
    *ret = s ? strdup(s) : NULL;
    return !s || *ret;
}

bool credentials_copy_list(const char *const *list, char ***ret) {
    size_t n = 0;

    while (list && list[n])
        n++;
    *ret = calloc(n + 1, sizeof(**ret));
    for (size_t i = 0; *ret && i < n; i++)
        if (!credentials_copy_text(list[i], &(*ret)[i]))
            return false;
    return *ret;
}

void credentials_free_text(char *s) {
    if (s)
        hash_wipe(s, strlen(s));
    free(s);
}

void credentials_free_list(char **list) {
    for (char **p = list; p && *p; p++)
        credentials_free_text(*p);
    free(list);
}

/* ---- providers with a fixed answer ---- */

typedef struct StaticProvider {
    RequestProvider base;
    CredentialsStatus status;
    Credentials *credentials;
    char *message;
} StaticProvider;

static void static_begin(CredentialsRequest *request) {
    const StaticProvider *s = CONTAINER_OF(request->owner, StaticProvider, base);
    char message[CREDENTIALS_MESSAGE_MAX];

    (void)text_copy(message, sizeof(message), s->message);
    credentials_request_end(request, s->status, s->credentials, message);
}

static void static_free(RequestProvider *provider) {
    StaticProvider *s = CONTAINER_OF(provider, StaticProvider, base);

    credentials_unref(s->credentials);
    free(s->message);
    free(s);
}

/* Takes the reference over, even on error. */
static int static_new(Loop *loop, CredentialsStatus status, Credentials *credentials, const char *message,
                      CredentialsProvider **ret) {
    static const RequestProviderType type = {
        .request_size = sizeof(CredentialsRequest),
        .begin = static_begin,
        .free = static_free,
    };
    StaticProvider *s = request_provider_new(&type, sizeof(*s), loop);

    if (!s) {
        credentials_unref(credentials);
        return -ENOMEM;
    }
    s->status = status;
    s->credentials = credentials;
    if (!credentials_copy_text(message, &s->message)) {
        static_free(&s->base);
        return -ENOMEM;
    }
    *ret = &s->base.provider;
    return 0;
}

int credentials_env_new(Loop *loop, const char *access_key_id, const char *secret_access_key,
                        const char *session_token, CredentialsProvider **ret) {
    static const char *const names[] = { "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN" };
    int bad = credentials_unsendable(access_key_id, secret_access_key, session_token);
    bool has_key = access_key_id && *access_key_id, has_secret = secret_access_key && *secret_access_key;
    Credentials *credentials;
    char problem[160];

    if (!has_key) /* AWS's tools then ask the next provider, even if the secret is set */
        return static_new(loop, CREDENTIALS_NONE, NULL,
                          has_secret
                                  ? "environment: AWS_SECRET_ACCESS_KEY is set but AWS_ACCESS_KEY_ID is not"
                                  : "environment: AWS_ACCESS_KEY_ID is not set",
                          ret);
    if (!has_secret)
        return static_new(loop, CREDENTIALS_FAILED, NULL,
                          "environment: AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not", ret);
    if (bad >= 0) {
        (void)snprintf(problem, sizeof(problem), "environment: %s " CREDENTIALS_UNSENDABLE, names[bad]);
        return static_new(loop, CREDENTIALS_FAILED, NULL, problem, ret);
    }
    credentials = credentials_new(access_key_id, secret_access_key, session_token, 0, "environment");
    return credentials ? static_new(loop, CREDENTIALS_OK, credentials, "", ret) : -ENOMEM;
}

int credentials_error_new(Loop *loop, const char *message, CredentialsProvider **ret) {
    return static_new(loop, CREDENTIALS_FAILED, NULL, message, ret);
}
