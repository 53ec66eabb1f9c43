/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/credentials.h"
#include "lib/credentials/static.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"

typedef struct ChainProvider {
    CredentialsProvider provider;
    unsigned n_members;
    CredentialsProvider *members[];
} ChainProvider;

/* One request on its way through the members. The member that is being asked answers always, also when it
 * is destroyed, so nothing else has to remember this. */
typedef struct ChainGet {
    ChainProvider *chain;
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

static int chain_get(CredentialsProvider *provider, CredentialsDone done, void *userdata) {
    ChainProvider *c = CONTAINER_OF(provider, ChainProvider, provider);
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

static void chain_destroy(CredentialsProvider *provider) {
    ChainProvider *c = CONTAINER_OF(provider, ChainProvider, provider);

    for (unsigned i = 0; i < c->n_members; i++)
        credentials_provider_free(c->members[i]);
    free(c);
}

static const CredentialsProviderOps chain_ops = {
    .get = chain_get,
    .destroy = chain_destroy,
};

int credentials_chain_new(CredentialsProvider **providers, unsigned n, CredentialsProvider **ret) {
    ChainProvider *c = NULL;

    if (n > 0)
        c = calloc(1, sizeof(*c) + n * sizeof(c->members[0]));
    if (!c) {
        for (unsigned i = 0; i < n; i++)
            credentials_provider_free(providers[i]);
        return n > 0 ? -ENOMEM : -EINVAL;
    }
    c->provider.ops = &chain_ops;
    c->n_members = n;
    memcpy(c->members, providers, n * sizeof(c->members[0]));
    *ret = &c->provider;
    return 0;
}
