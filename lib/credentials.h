/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Credentials and their providers: the interface. lib/credentials/providers.h creates providers. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/http.h"
#include "lib/loop.h"
#include "lib/sigv4.h"

/* One set of keys, reference-counted. Only its cached signing keys ever change. Secrets and signing keys are
 * wiped with the last reference. */
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
/* Which of key (0), secret (1) and token (2), each may be NULL, has something that no header can carry: a
 * control character, a blank at either end, anything but ASCII. -1 if none has. The caller's message names
 * it. */
int credentials_unsendable(const char *access_key_id, const char *secret_access_key,
                           const char *session_token);
#define CREDENTIALS_UNSENDABLE "ends with a blank or holds a line break or another character that no key has"
Credentials *credentials_ref(Credentials *c);
/* NULL is fine; returns NULL. */
Credentials *credentials_unref(Credentials *c);

typedef enum CredentialsStatus {
    CREDENTIALS_OK,
    CREDENTIALS_NONE,   /* this provider is not configured here: a chain asks the next one */
    CREDENTIALS_FAILED, /* it is configured but does not work: a chain stops, and message has the reason */
    CREDENTIALS_DENIED, /* the same, because AWS refused an assumed role: this is no outage */
} CredentialsStatus;

/* credentials: borrowed, NULL unless OK (take a reference to keep it). message: one line for people that
 * names the file or URL, without secrets; "" if OK. Both are valid only during the call. */
typedef void (*CredentialsDone)(CredentialsStatus status, Credentials *credentials, const char *message,
                                void *userdata);

typedef struct CredentialsProvider CredentialsProvider;

typedef struct CredentialsProviderOps {
    /* Requests credentials. done is called exactly once, never from inside get, and also if the provider is
     * destroyed first (FAILED, "cancelled"). 0, or -ENOMEM (-ECANCELED during destruction) without a call of
     * done. */
    int (*get)(CredentialsProvider *provider, CredentialsDone done, void *userdata);
    void (*destroy)(CredentialsProvider *provider);
} CredentialsProviderOps;

struct CredentialsProvider {
    const CredentialsProviderOps *ops;
};

static inline int credentials_get(CredentialsProvider *provider, CredentialsDone done, void *userdata) {
    return provider->ops->get(provider, done, userdata);
}
/* NULL is allowed. */
static inline void credentials_provider_free(CredentialsProvider *provider) {
    if (provider)
        provider->ops->destroy(provider);
}

/* ---- AWS's verdicts on credentials from a cache; other providers ignore them ---- */

/* Drops a cache's set, because AWS called it expired (bad: only if it is still the present one), or for a
 * reload (bad NULL). The next get asks the inner provider. */
void credentials_cache_invalidate(CredentialsProvider *provider, const Credentials *bad);

/* Calls back when the cache gets a set with another access key, which may belong to someone else, before
 * anyone gets that set. The callback may call get. */
typedef void (*CredentialsChanged)(void *userdata);
void credentials_cache_watch(CredentialsProvider *provider, CredentialsChanged changed, void *userdata);

/* AWS did not know the set `bad`. It may have been replaced at its source; but a region that is not enabled
 * says the same of good keys, so the set is not dropped. If it is still the present one, the next get asks
 * the inner provider, and returns the present one if that fails. At most one request in 10 s; in between
 * nothing happens. */
void credentials_cache_suspect(CredentialsProvider *provider, const Credentials *bad);
