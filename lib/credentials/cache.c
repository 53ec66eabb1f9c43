/* SPDX-License-Identifier: Apache-2.0 */
/* Providers around others: a chain, which uses the first one that has keys, and a cache. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/credentials/providers.h"
#include "lib/credentials/request.h"
#include "lib/retry.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"

#define REFRESH_AHEAD_MIN_USEC (5 * 60 * USEC_PER_SEC)
#define BACKOFF_MIN_USEC       (1 * USEC_PER_SEC)
#define BACKOFF_MAX_USEC       (60 * USEC_PER_SEC)
#define SUSPECT_INTERVAL_USEC  (10 * USEC_PER_SEC)
#define NEVER                  UINT64_MAX
#define ACCESS_KEY_MAX         129 /* IAM's longest, and the terminator */

/* A provider may return a set that has expired: instance metadata does while AWS cannot renew it, and a
 * clock that is ahead makes any set look expired. AWS may still accept it, so it is used, and renewed after
 * 2 to 10 minutes, so that not all instances ask at once during an outage. */
#define EXPIRED_AGAIN_MIN_USEC (2 * 60 * USEC_PER_SEC)
#define EXPIRED_AGAIN_MAX_USEC (10 * 60 * USEC_PER_SEC)
#define EXPIRED_USED_USEC      (15 * 60 * USEC_PER_SEC)

/* ---- the chain ---- */

typedef struct ChainProvider {
    CredentialsProvider provider;
    unsigned n_members;
    CredentialsProvider *members[];
} ChainProvider;

/* One request on its way through the members. The member being asked always answers, even if it is
 * destroyed, so nothing else needs a reference to this. */
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
    strbuf_add(&g->tried, g->at == 0 ? "no credentials: " : "; ");
    strbuf_add(&g->tried, message);
    if (++g->at < g->chain->n_members) {
        if (credentials_get(g->chain->members[g->at], on_member, g) < 0)
            get_end(g, CREDENTIALS_FAILED, NULL, "out of memory");
        return;
    }
    get_end(g, CREDENTIALS_NONE, NULL,
            strbuf_error(&g->tried) ? "no source has credentials" : strbuf_str(&g->tried));
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

/* ---- the cache ---- */

/* Nothing happens without a request: a refresh is started by the first get that finds it due. Deadlines are
 * monotonic, counted from the arrival of a set, so that later changes of the wall clock do not matter. */
typedef struct CacheProvider {
    RequestProvider base;
    CredentialsProvider *inner;

    Credentials *held;
    char latest_key[ACCESS_KEY_MAX]; /* of the latest set; "": none yet */
    CredentialsChanged changed;      /* NULL: not watched */
    void *watcher;
    uint64_t refresh_at_usec;
    uint64_t expires_at_usec;

    CredentialsStatus failure; /* of the last fetch; OK if it succeeded */
    char message[CREDENTIALS_MESSAGE_MAX];
    unsigned n_failures; /* in a row */
    uint64_t retry_at_usec;

    bool suspected;           /* the present set is not returned before the inner provider was asked again */
    uint64_t suspect_again_usec; /* suspicions are ignored before */

    bool in_flight; /* the inner provider is being asked */
    bool discard;   /* the running request was made before a reload */
    bool *gone;     /* set to true when destroyed from inside a callback */
} CacheProvider;

/* Waits after this: a request started by a done callback is answered in the next turn of the loop. */
typedef struct CacheRequest {
    CredentialsRequest request;
    bool waiting;
} CacheRequest;

static uint64_t add_saturated(uint64_t a, uint64_t b) {
    return a > NEVER - b ? NEVER : a + b;
}

static CredentialsRequest *find_waiting(const CacheProvider *c) {
    CredentialsRequest *request = c->base.first;

    while (request && !CONTAINER_OF(request, CacheRequest, request)->waiting)
        request = request->next;
    return request;
}

/* Answers all waiting requests. Callbacks may call get, invalidate and destroy. */
static void answer(CacheProvider *c, CredentialsStatus status) {
    char message[CREDENTIALS_MESSAGE_MAX];
    Credentials *credentials = status == CREDENTIALS_OK ? credentials_ref(c->held) : NULL;
    CredentialsRequest *request;
    bool gone = false;

    (void)text_copy(message, sizeof(message), status == CREDENTIALS_OK ? "" : c->message);
    c->gone = &gone;
    while (!gone && (request = find_waiting(c)))
        credentials_request_end(request, status, credentials, message);
    if (!gone)
        c->gone = NULL;
    credentials_unref(credentials);
}

static bool usable(const CacheProvider *c, uint64_t now) {
    return c->held && now < c->expires_at_usec;
}

static void note_key(CacheProvider *c, const Credentials *credentials) {
    bool other = c->latest_key[0] && !text_equal(c->latest_key, credentials->access_key_id);

    (void)text_copy(c->latest_key, sizeof(c->latest_key), credentials->access_key_id);
    if (other && c->changed)
        c->changed(c->watcher);
}

/* Refreshes in the first half of the last max(5 min, quarter of the lifetime). */
static void hold(CacheProvider *c, Credentials *credentials) {
    uint64_t now = loop_monotonic_usec(c->base.loop), wall = loop_realtime_usec(c->base.loop);
    uint64_t lifetime, ahead;

    credentials_ref(credentials);
    credentials_unref(c->held);
    c->held = credentials;
    c->refresh_at_usec = c->expires_at_usec = NEVER;
    if (credentials->expires_usec == 0)
        return;
    if (credentials->expires_usec <= wall || credentials->expires_usec - wall < BACKOFF_MIN_USEC) {
        c->refresh_at_usec = add_saturated(
                now, EXPIRED_AGAIN_MIN_USEC + retry_jitter(EXPIRED_AGAIN_MAX_USEC - EXPIRED_AGAIN_MIN_USEC,
                                                           loop_random(c->base.loop)));
        c->expires_at_usec = add_saturated(now, EXPIRED_USED_USEC);
        return;
    }
    lifetime = credentials->expires_usec - wall;
    ahead = MIN(MAX(REFRESH_AHEAD_MIN_USEC, lifetime / 4), lifetime / 2);
    c->expires_at_usec = add_saturated(now, lifetime);
    c->refresh_at_usec =
            add_saturated(now, lifetime - ahead + retry_jitter(ahead / 2, loop_random(c->base.loop)));
}

static void note_success(CacheProvider *c) {
    c->failure = CREDENTIALS_OK;
    c->n_failures = 0;
    c->retry_at_usec = 0;
}

static void cache_note_failure(CacheProvider *c, CredentialsStatus status, const char *message) {
    uint64_t wait;

    c->failure = status;
    text_copy(c->message, sizeof(c->message), message);
    c->n_failures = MIN(c->n_failures + 1, 32U);
    wait = retry_backoff(2 * BACKOFF_MIN_USEC, BACKOFF_MAX_USEC, c->n_failures, loop_random(c->base.loop));
    c->retry_at_usec = add_saturated(loop_monotonic_usec(c->base.loop), MAX(wait, BACKOFF_MIN_USEC));
}

static void on_inner(CredentialsStatus status, Credentials *credentials, const char *message,
                     void *userdata);

static void fetch(CacheProvider *c) {
    c->in_flight = true;
    c->discard = false;
    if (credentials_get(c->inner, on_inner, c) < 0) {
        c->in_flight = false;
        cache_note_failure(c, CREDENTIALS_FAILED, "out of memory");
    }
}

/* The only place that decides which requests can be answered now, and whether to ask the inner provider. */
static void cache_turn(CacheProvider *c) {
    uint64_t now = loop_monotonic_usec(c->base.loop);
    bool may_ask = !c->in_flight && (c->failure == CREDENTIALS_OK || now >= c->retry_at_usec);

    if (c->suspected && find_waiting(c) && !c->in_flight) {
        if (may_ask)
            fetch(c);
        may_ask = false;
        c->suspected = c->in_flight;
    }
    if (c->suspected)
        return;
    if (usable(c, now)) {
        if (may_ask && now >= c->refresh_at_usec)
            fetch(c);
        answer(c, CREDENTIALS_OK);
        return;
    }
    if (may_ask && find_waiting(c))
        fetch(c);
    if (!c->in_flight && c->failure != CREDENTIALS_OK)
        answer(c, c->failure);
}

static void on_inner(CredentialsStatus status, Credentials *credentials, const char *message,
                     void *userdata) {
    CacheProvider *c = userdata;

    c->in_flight = false;
    c->suspected = false;
    if (c->base.destroying)
        return;
    if (c->discard) {
        cache_turn(c);
        return;
    }
    if (status == CREDENTIALS_OK) {
        hold(c, credentials);
        note_key(c, credentials);
        note_success(c);
    } else
        cache_note_failure(c, status, message);
    cache_turn(c);
}

static void cache_begin(CredentialsRequest *request) {
    CONTAINER_OF(request, CacheRequest, request)->waiting = true;
    cache_turn(CONTAINER_OF(request->owner, CacheProvider, base));
}

static void cache_free(RequestProvider *provider) {
    CacheProvider *c = CONTAINER_OF(provider, CacheProvider, base);

    if (c->gone)
        *c->gone = true;
    credentials_provider_free(c->inner);
    credentials_unref(c->held);
    free(c);
}

static const RequestProviderType cache_type = {
    .request_size = sizeof(CacheRequest),
    .begin = cache_begin,
    .free = cache_free,
};

int credentials_cache_new(Loop *loop, CredentialsProvider *inner, CredentialsProvider **ret) {
    CacheProvider *c = request_provider_new(&cache_type, sizeof(*c), loop);

    if (!c) {
        credentials_provider_free(inner);
        return -ENOMEM;
    }
    c->inner = inner;
    *ret = &c->base.provider;
    return 0;
}

/* NULL if it is another provider. */
static CacheProvider *cache_of(CredentialsProvider *provider) {
    RequestProvider *base = request_provider_cast(provider, &cache_type);

    return base ? CONTAINER_OF(base, CacheProvider, base) : NULL;
}

void credentials_cache_invalidate(CredentialsProvider *provider, const Credentials *bad) {
    CacheProvider *c = cache_of(provider);

    if (!c || (bad && bad != c->held))
        return;
    c->held = credentials_unref(c->held);
    if (bad)
        return;
    /* A reload: earlier failures, and answers to earlier requests, no longer count. */
    note_success(c);
    c->discard = c->in_flight;
}

void credentials_cache_watch(CredentialsProvider *provider, CredentialsChanged changed, void *userdata) {
    CacheProvider *c = cache_of(provider);

    if (!c)
        return;
    c->changed = changed;
    c->watcher = userdata;
}

void credentials_cache_suspect(CredentialsProvider *provider, const Credentials *bad) {
    CacheProvider *c = cache_of(provider);
    uint64_t now = c ? loop_monotonic_usec(c->base.loop) : 0;

    if (!c || bad != c->held || now < c->suspect_again_usec)
        return;
    c->suspected = true;
    c->suspect_again_usec = add_saturated(now, SUSPECT_INTERVAL_USEC);
}
