/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Credentials and where they come from: the interface. lib/credentials/providers.h makes providers. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/http.h"
#include "lib/loop.h"
#include "lib/sigv4.h"

/* One set, shared by reference, of which only the signing keys ever change. Secrets and these are wiped with
 * the last reference. */
typedef struct Credentials {
    unsigned n_refs;
    char *access_key_id;
    char *secret_access_key;
    char *session_token;   /* NULL for long-term keys */
    uint64_t expires_usec; /* real time by AWS's clock; 0 = never */
    const char *source;    /* static text: "environment", "profile", "imds", "assume_role", ... */
    SigV4Keys signing_keys;
} Credentials;

/* Copies the texts. NULL when out of memory or key or secret are empty. token may be NULL or "". source is
 * static text. */
Credentials *credentials_new(const char *access_key_id, const char *secret_access_key,
                             const char *session_token, uint64_t expires_usec, const char *source);
/* Which of key (0), secret (1) and token (2), each may be NULL, holds what no header can carry: a control
 * character, a blank at an end, anything beyond ASCII. -1 when none does. Whoever takes them in names it. */
int credentials_unsendable(const char *access_key_id, const char *secret_access_key,
                           const char *session_token);
#define CREDENTIALS_UNSENDABLE "ends with a blank or holds a line break or another character that no key has"
Credentials *credentials_ref(Credentials *c);
/* NULL is fine; returns NULL. */
Credentials *credentials_unref(Credentials *c);

typedef enum CredentialsStatus {
    CREDENTIALS_OK,
    CREDENTIALS_NONE,   /* this provider is not configured here: a chain asks the next */
    CREDENTIALS_FAILED, /* it is configured and does not work: a chain stops, and message says why */
    CREDENTIALS_DENIED, /* the same, and the reason is AWS's no to an assumed role: no outage ends this */
} CredentialsStatus;

/* credentials: borrowed, NULL unless OK (take a reference to keep it). message: one line for people that
 * names the file or URL, no secrets; "" when OK. Both valid inside the call only. */
typedef void (*CredentialsDone)(CredentialsStatus status, Credentials *credentials, const char *message,
                                void *userdata);

typedef struct CredentialsProvider CredentialsProvider;

typedef struct CredentialsProviderOps {
    /* Asks; done is called exactly once, never from inside get, and also when the provider is destroyed
     * first (FAILED, "cancelled"). 0, or -ENOMEM (-ECANCELED while it is being destroyed) and then done is
     * not called. */
    int (*get)(CredentialsProvider *provider, CredentialsDone done, void *userdata);
    void (*destroy)(CredentialsProvider *provider);
} CredentialsProviderOps;

struct CredentialsProvider {
    const CredentialsProviderOps *ops;
};

static inline int credentials_get(CredentialsProvider *provider, CredentialsDone done, void *userdata) {
    return provider->ops->get(provider, done, userdata);
}
/* NULL is fine. */
static inline void credentials_provider_free(CredentialsProvider *provider) {
    if (provider)
        provider->ops->destroy(provider);
}

/* ---- what AWS said of credentials that a cache gave out; nothing happens to another provider ---- */

/* Drops what a cache holds, because AWS called it expired (bad: only when it is still the held one), or for
 * a reload (bad NULL). The next get asks inner. */
void credentials_cache_invalidate(CredentialsProvider *provider, const Credentials *bad);

/* Calls back when the cache holds a set with another access key than the one before, which may be someone
 * else's; before anyone is given it. The callback may get. */
typedef void (*CredentialsChanged)(void *userdata);
void credentials_cache_watch(CredentialsProvider *provider, CredentialsChanged changed, void *userdata);

/* AWS did not know the set `bad`. It may have been replaced where it comes from; but a region that is not
 * enabled says the same of good keys, so that it is not dropped: if it is still the held one, the next get
 * waits for inner and is given the held one after all when inner fails. At most one request in 10 s; in
 * between nothing happens. */
void credentials_cache_suspect(CredentialsProvider *provider, const Credentials *bad);
