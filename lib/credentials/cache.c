/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/credentials.h"
#include "lib/credentials/static.h"
#include "lib/retry.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define REFRESH_AHEAD_MIN_USEC (5 * 60 * USEC_PER_SEC)
#define BACKOFF_MIN_USEC (1 * USEC_PER_SEC)
#define BACKOFF_MAX_USEC (60 * USEC_PER_SEC)
#define SUSPECT_INTERVAL_USEC  (10 * USEC_PER_SEC)
#define NEVER UINT64_MAX

/* A provider may hand out a set whose expiry has passed already: instance metadata does while AWS cannot
 * renew it, and a clock that runs ahead makes any set look so. AWS may still accept it, so it is used, and
 * asked for again after 2 to 10 minutes, so that the instances of an outage do not ask all at once. */
#define EXPIRED_AGAIN_MIN_USEC (2 * 60 * USEC_PER_SEC)
#define EXPIRED_AGAIN_MAX_USEC (10 * 60 * USEC_PER_SEC)
#define EXPIRED_USED_USEC (15 * 60 * USEC_PER_SEC)

typedef struct Waiter Waiter;
struct Waiter {
    Waiter *next;
    CredentialsDone done;
    void *userdata;
};

typedef struct WaiterList {
    Waiter *first;
    Waiter **end; /* where the next one goes */
} WaiterList;

/* Nothing happens while nobody asks: a refresh is started by the first get that finds it due. Deadlines are
 * monotonic, counted from when a set arrived, so that later steps of the wall clock do not matter. */
typedef struct CacheProvider {
    CredentialsProvider provider;
    Loop *loop;
    CredentialsProvider *inner;

    Credentials *held;
    uint64_t refresh_at_usec;
    uint64_t expires_at_usec;

    CredentialsStatus failure;          /* of the last fetch; OK when it went well */
    char message[CREDENTIALS_MESSAGE_MAX];
    unsigned n_failures;                /* in a row */
    uint64_t retry_at_usec;

    bool suspected;              /* held is not given out before inner was asked again */
    uint64_t suspect_again_usec; /* no suspicion counts before */

    bool in_flight;                     /* inner is being asked */
    bool discard;                       /* what is in flight was asked for before a reload */
    bool destroying;
    LoopTimer *turn;                    /* answers those who asked since the last turn */
    WaiterList waiting;
    WaiterList answering;               /* detached from waiting while callbacks run */
    bool *gone;                         /* set to true when destroyed from inside a callback */
} CacheProvider;

static uint64_t add_saturated(uint64_t a, uint64_t b) {
    return a > NEVER - b ? NEVER : a + b;
}

static void list_init(WaiterList *l) {
    l->first = NULL;
    l->end = &l->first;
}

static void list_add(WaiterList *l, Waiter *w) {
    w->next = NULL;
    *l->end = w;
    l->end = &w->next;
}

static Waiter *list_take(WaiterList *l) {
    Waiter *w = l->first;

    if (w) {
        l->first = w->next;
        if (!l->first)
            l->end = &l->first;
    }
    return w;
}

static void list_move(WaiterList *from, WaiterList *to) {
    Waiter *w;

    while ((w = list_take(from)))
        list_add(to, w);
}

/* Answers everybody who waits. Callbacks may get, invalidate and destroy; returns false when the cache is
 * gone. */
static bool answer(CacheProvider *c, CredentialsStatus status) {
    char message[CREDENTIALS_MESSAGE_MAX];
    Credentials *credentials = status == CREDENTIALS_OK ? credentials_ref(c->held) : NULL;
    bool gone = false;
    Waiter *w;

    text_copy(message, sizeof(message), status == CREDENTIALS_OK ? "" : c->message);
    list_move(&c->waiting, &c->answering);
    c->gone = &gone;
    while (!gone && (w = list_take(&c->answering))) {
        CredentialsDone done = w->done;
        void *userdata = w->userdata;

        free(w);
        done(status, credentials, message, userdata);
    }
    if (!gone)
        c->gone = NULL;
    credentials_unref(credentials);
    return !gone;
}

static bool usable(const CacheProvider *c, uint64_t now) {
    return c->held && now < c->expires_at_usec;
}

/* Refresh in the first half of the last max(5 min, quarter of the lifetime). */
static void hold(CacheProvider *c, Credentials *credentials) {
    uint64_t now = loop_monotonic_usec(c->loop), wall = loop_realtime_usec(c->loop);
    uint64_t lifetime, ahead;

    credentials_ref(credentials);
    credentials_unref(c->held);
    c->held = credentials;
    c->refresh_at_usec = c->expires_at_usec = NEVER;
    if (credentials->expires_usec == 0)
        return;
    if (credentials->expires_usec <= wall || credentials->expires_usec - wall < BACKOFF_MIN_USEC) {
        c->refresh_at_usec = add_saturated(now, EXPIRED_AGAIN_MIN_USEC +
                                                        retry_jitter(EXPIRED_AGAIN_MAX_USEC - EXPIRED_AGAIN_MIN_USEC,
                                                                     loop_random(c->loop)));
        c->expires_at_usec = add_saturated(now, EXPIRED_USED_USEC);
        return;
    }
    lifetime = credentials->expires_usec - wall;
    ahead = MIN(MAX(REFRESH_AHEAD_MIN_USEC, lifetime / 4), lifetime / 2);
    c->expires_at_usec = add_saturated(now, lifetime);
    c->refresh_at_usec =
            add_saturated(now, lifetime - ahead + retry_jitter(ahead / 2, loop_random(c->loop)));
}

static void note_success(CacheProvider *c) {
    c->failure = CREDENTIALS_OK;
    c->n_failures = 0;
    c->retry_at_usec = 0;
}

static void note_failure(CacheProvider *c, CredentialsStatus status, const char *message) {
    uint64_t wait;

    c->failure = status;
    text_copy(c->message, sizeof(c->message), message);
    c->n_failures = MIN(c->n_failures + 1, 32U);
    wait = retry_backoff(2 * BACKOFF_MIN_USEC, BACKOFF_MAX_USEC, c->n_failures, loop_random(c->loop));
    c->retry_at_usec = add_saturated(loop_monotonic_usec(c->loop), MAX(wait, BACKOFF_MIN_USEC));
}

static void on_inner(CredentialsStatus status, Credentials *credentials, const char *message,
                     void *userdata);

static void fetch(CacheProvider *c) {
    c->in_flight = true;
    c->discard = false;
    if (credentials_get(c->inner, on_inner, c) < 0) {
        c->in_flight = false;
        note_failure(c, CREDENTIALS_FAILED, "out of memory");
    }
}

/* Decides, alone: who can be answered now, and whether inner has to be asked. */
static void turn(CacheProvider *c) {
    uint64_t now = loop_monotonic_usec(c->loop);
    bool may_ask = !c->in_flight && (c->failure == CREDENTIALS_OK || now >= c->retry_at_usec);

    if (c->suspected && c->waiting.first && !c->in_flight) {
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
    if (may_ask && c->waiting.first)
        fetch(c);
    if (!c->in_flight && c->failure != CREDENTIALS_OK)
        answer(c, c->failure);
}

static void on_inner(CredentialsStatus status, Credentials *credentials, const char *message,
                     void *userdata) {
    CacheProvider *c = userdata;

    c->in_flight = false;
    c->suspected = false;
    if (c->destroying)
        return;
    if (c->discard) {
        turn(c);
        return;
    }
    if (status == CREDENTIALS_OK) {
        hold(c, credentials);
        note_success(c);
    } else
        note_failure(c, status, message);
    turn(c);
}

static void on_turn(void *userdata) {
    CacheProvider *c = userdata;

    c->turn = NULL;
    turn(c);
}

static int cache_get(CredentialsProvider *provider, CredentialsDone done, void *userdata) {
    CacheProvider *c = CONTAINER_OF(provider, CacheProvider, provider);
    Waiter *w;

    if (c->destroying)
        return -ECANCELED;
    w = malloc(sizeof(*w));
    if (!w)
        return -ENOMEM;
    *w = (Waiter){ .done = done, .userdata = userdata };
    if (!c->turn && loop_after(c->loop, 0, on_turn, c, &c->turn) < 0) {
        free(w);
        return -ENOMEM;
    }
    list_add(&c->waiting, w);
    return 0;
}

static void cache_destroy(CredentialsProvider *provider) {
    CacheProvider *c = CONTAINER_OF(provider, CacheProvider, provider);
    Waiter *w;

    c->destroying = true;
    if (c->gone)
        *c->gone = true;
    loop_cancel(c->loop, c->turn);
    credentials_provider_free(c->inner);
    list_move(&c->waiting, &c->answering);
    while ((w = list_take(&c->answering))) {
        w->done(CREDENTIALS_FAILED, NULL, "cancelled", w->userdata);
        free(w);
    }
    credentials_unref(c->held);
    free(c);
}

static const CredentialsProviderOps cache_ops = {
    .get = cache_get,
    .destroy = cache_destroy,
};

int credentials_cache_new(Loop *loop, CredentialsProvider *inner, CredentialsProvider **ret) {
    CacheProvider *c;

    c = calloc(1, sizeof(*c));
    if (!c) {
        credentials_provider_free(inner);
        return -ENOMEM;
    }
    c->provider.ops = &cache_ops;
    c->loop = loop;
    c->inner = inner;
    list_init(&c->waiting);
    list_init(&c->answering);
    *ret = &c->provider;
    return 0;
}

void credentials_cache_invalidate(CredentialsProvider *cache, const Credentials *bad) {
    CacheProvider *c;

    if (cache->ops != &cache_ops)
        return;
    c = CONTAINER_OF(cache, CacheProvider, provider);
    if (bad && bad != c->held)
        return;
    c->held = credentials_unref(c->held);
    if (bad)
        return;
    /* A reload: neither an old failure nor an answer to an old request counts any more. */
    note_success(c);
    c->discard = c->in_flight;
}

void credentials_cache_suspect(CredentialsProvider *cache, const Credentials *bad) {
    CacheProvider *c;
    uint64_t now;

    if (cache->ops != &cache_ops)
        return;
    c = CONTAINER_OF(cache, CacheProvider, provider);
    now = loop_monotonic_usec(c->loop);
    if (bad != c->held || now < c->suspect_again_usec)
        return;
    c->suspected = true;
    c->suspect_again_usec = add_saturated(now, SUSPECT_INTERVAL_USEC);
}
