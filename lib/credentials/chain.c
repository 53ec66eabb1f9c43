/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/credentials.h"
#include "lib/credentials/instant.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"

typedef struct ChainSource {
    CredentialsSource source;
    unsigned n_members;
    CredentialsSource *members[];
} ChainSource;

/* One question on its way through the members. The member that is being asked answers always, also when it
 * is destroyed, so nothing else has to remember this. */
typedef struct ChainGet {
    ChainSource *chain;
    unsigned at;
    StrBuf tried;
    CredentialsDone done;
    void *userdata;
} ChainGet;

static void get_end(ChainGet *g, CredentialsStatus status, Credentials *credentials, const char *message) {
    ChainGet ended = *g;

    free(g);
    /* message may be ended.tried's own text. */
    ended.done(status, credentials, message, ended.userdata);
    strbuf_done(&ended.tried);
}

static void on_member(CredentialsStatus status, Credentials *credentials, const char *message,
                      void *userdata) {
    ChainGet *g = userdata;

    if (status != CREDENTIALS_NONE) {
        get_end(g, status, credentials, message);
        return;
    }
    if (g->tried.len > 0)
        strbuf_add(&g->tried, "; ");
    strbuf_add(&g->tried, message);
    if (++g->at < g->chain->n_members) {
        if (credentials_get(g->chain->members[g->at], on_member, g) < 0)
            get_end(g, CREDENTIALS_FAILED, NULL, "out of memory");
        return;
    }
    get_end(g, CREDENTIALS_NONE, NULL, strbuf_error(&g->tried) ? "no source has credentials" :
                                                                 strbuf_str(&g->tried));
}

static int chain_get(CredentialsSource *source, CredentialsDone done, void *userdata) {
    ChainSource *c = CONTAINER_OF(source, ChainSource, source);
    ChainGet *g;
    int r;

    g = calloc(1, sizeof(*g));
    if (!g)
        return -ENOMEM;
    *g = (ChainGet){
        .chain = c,
        .tried = STRBUF_INIT(CREDENTIALS_MESSAGE_MAX * 8),
        .done = done,
        .userdata = userdata,
    };
    r = credentials_get(c->members[0], on_member, g);
    if (r < 0)
        free(g);
    return r;
}

static void chain_destroy(CredentialsSource *source) {
    ChainSource *c = CONTAINER_OF(source, ChainSource, source);

    for (unsigned i = 0; i < c->n_members; i++)
        credentials_source_free(c->members[i]);
    free(c);
}

static const CredentialsSourceOps chain_ops = {
    .get = chain_get,
    .destroy = chain_destroy,
};

int credentials_chain_new(CredentialsSource **sources, unsigned n, CredentialsSource **ret) {
    ChainSource *c = NULL;

    if (n > 0)
        c = calloc(1, sizeof(*c) + n * sizeof(c->members[0]));
    if (!c) {
        for (unsigned i = 0; i < n; i++)
            credentials_source_free(sources[i]);
        return n > 0 ? -ENOMEM : -EINVAL;
    }
    c->source.ops = &chain_ops;
    c->n_members = n;
    memcpy(c->members, sources, n * sizeof(c->members[0]));
    *ret = &c->source;
    return 0;
}
