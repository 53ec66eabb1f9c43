/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/credentials/static.h"

#include "lib/util/macros.h"

typedef struct StaticGet {
    CredentialsRequest q;
    StaticProvider *owner;
} StaticGet;

static void on_turn(void *userdata) {
    StaticGet *g = userdata;
    StaticProvider *s = g->owner;
    char message[CREDENTIALS_MESSAGE_MAX] = "";
    Credentials *credentials = NULL;
    CredentialsStatus status;

    g->q.timer = NULL;
    status = s->resolve(s, &credentials, message, sizeof(message));
    /* The provider may be gone after this. */
    credentials_request_end(&g->q, status, credentials, message);
    credentials_unref(credentials);
}

static int static_get(CredentialsProvider *provider, CredentialsDone done, void *userdata) {
    StaticProvider *s = CONTAINER_OF(provider, StaticProvider, provider);
    CredentialsRequest *q;
    int r;

    r = credentials_request_start(&s->requests, sizeof(StaticGet), on_turn, done, userdata, &q);
    if (r >= 0)
        ((StaticGet *)q)->owner = s;
    return r;
}

static void static_destroy(CredentialsProvider *provider) {
    StaticProvider *s = CONTAINER_OF(provider, StaticProvider, provider);

    while (s->requests.first)
        credentials_request_end(s->requests.first, CREDENTIALS_FAILED, NULL, "cancelled");
    s->free(s);
}

static const CredentialsProviderOps static_ops = {
    .get = static_get,
    .destroy = static_destroy,
};

void static_provider_init(StaticProvider *provider, Loop *loop,
                          CredentialsStatus (*resolve)(StaticProvider *, Credentials **, char *, size_t),
                          void (*free_provider)(StaticProvider *)) {
    *provider = (StaticProvider){
        .provider.ops = &static_ops,
        .requests.loop = loop,
        .resolve = resolve,
        .free = free_provider,
    };
}
