/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/credentials/instant.h"

#include "lib/util/macros.h"

typedef struct InstantGet {
    Question q;
    InstantSource *owner;
} InstantGet;

static void on_turn(void *userdata) {
    InstantGet *g = userdata;
    InstantSource *s = g->owner;
    char message[CREDENTIALS_MESSAGE_MAX] = "";
    Credentials *credentials = NULL;
    CredentialsStatus status;

    g->q.timer = NULL;
    status = s->resolve(s, &credentials, message, sizeof(message));
    /* The source may be gone after this. */
    question_end(&g->q, status, credentials, message);
    credentials_unref(credentials);
}

static int instant_get(CredentialsSource *source, CredentialsDone done, void *userdata) {
    InstantSource *s = CONTAINER_OF(source, InstantSource, source);
    Question *q;
    int r;

    r = question_start(&s->questions, sizeof(InstantGet), on_turn, done, userdata, &q);
    if (r >= 0)
        ((InstantGet *)q)->owner = s;
    return r;
}

static void instant_destroy(CredentialsSource *source) {
    InstantSource *s = CONTAINER_OF(source, InstantSource, source);

    while (s->questions.first)
        question_end(s->questions.first, CREDENTIALS_FAILED, NULL, "cancelled");
    s->free(s);
}

static const CredentialsSourceOps instant_ops = {
    .get = instant_get,
    .destroy = instant_destroy,
};

void instant_init(InstantSource *source, Loop *loop,
                  CredentialsStatus (*resolve)(InstantSource *, Credentials **, char *, size_t),
                  void (*free_source)(InstantSource *)) {
    *source = (InstantSource){
        .source.ops = &instant_ops,
        .questions.loop = loop,
        .resolve = resolve,
        .free = free_source,
    };
}
