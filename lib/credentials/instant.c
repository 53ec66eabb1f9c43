/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/credentials/instant.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/util/macros.h"

struct InstantGet {
    InstantSource *owner;
    InstantGet *next;
    LoopTimer *timer;
    CredentialsDone done;
    void *userdata;
};

static void get_unlink(InstantGet *g) {
    InstantGet **p = &g->owner->gets;

    while (*p != g)
        p = &(*p)->next;
    *p = g->next;
}

static void on_turn(void *userdata) {
    InstantGet *g = userdata;
    InstantSource *s = g->owner;
    CredentialsDone done = g->done;
    void *done_userdata = g->userdata;
    char message[CREDENTIALS_MESSAGE_MAX] = "";
    Credentials *credentials = NULL;
    CredentialsStatus status;

    get_unlink(g);
    free(g);
    status = s->resolve(s, &credentials, message, sizeof(message));
    /* The source may be gone after this. */
    done(status, credentials, message, done_userdata);
    credentials_unref(credentials);
}

static int instant_get(CredentialsSource *source, CredentialsDone done, void *userdata) {
    InstantSource *s = CONTAINER_OF(source, InstantSource, source);
    InstantGet *g;

    g = calloc(1, sizeof(*g));
    if (!g)
        return -ENOMEM;
    *g = (InstantGet){ .owner = s, .next = s->gets, .done = done, .userdata = userdata };
    if (loop_after(s->loop, 0, on_turn, g, &g->timer) < 0) {
        free(g);
        return -ENOMEM;
    }
    s->gets = g;
    return 0;
}

static void instant_destroy(CredentialsSource *source) {
    InstantSource *s = CONTAINER_OF(source, InstantSource, source);

    while (s->gets) {
        InstantGet *g = s->gets;
        CredentialsDone done = g->done;
        void *userdata = g->userdata;

        s->gets = g->next;
        loop_cancel(s->loop, g->timer);
        free(g);
        done(CREDENTIALS_FAILED, NULL, "cancelled", userdata);
    }
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
        .loop = loop,
        .resolve = resolve,
        .free = free_source,
    };
}
