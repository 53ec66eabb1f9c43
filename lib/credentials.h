/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Credentials and where they come from: the interface. Each provider is a file in lib/credentials/. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/http.h"
#include "lib/loop.h"

/* One immutable set, shared by reference. Secrets are wiped with the last reference. */
typedef struct Credentials {
    unsigned n_refs;
    char *access_key_id;
    char *secret_access_key;
    char *session_token;        /* NULL for long-term keys */
    uint64_t expires_usec;      /* real time by AWS's clock; 0 = never */
    const char *source;         /* static text: "environment", "profile", "imds", "assume_role", ... */
} Credentials;

/* Copies the texts. NULL when out of memory or key or secret are empty. token may be NULL or "". source is
 * static text. */
Credentials *credentials_new(const char *access_key_id, const char *secret_access_key,
                             const char *session_token, uint64_t expires_usec, const char *source);
/* Which of key (0), secret (1) and token (2), each may be NULL, holds what no header can carry: a control
 * character, a blank at an end, anything beyond ASCII. -1 when none does. Whoever takes them in names it. */
int credentials_unsendable(const char *access_key_id, const char *secret_access_key, const char *session_token);
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

/* ---- constructors; each returns 0 or -ENOMEM, text arguments are copied, NULL means "not set" ---- */
/* Further ones have headers of their own in lib/credentials/: profile, process, web_identity, container,
 * assume_role. */

/* From values that somebody else read from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 * (environment_read does). NONE when access_key_id is unset or empty; FAILED when only that is
 * set. */
int credentials_env_new(Loop *loop, const char *access_key_id, const char *secret_access_key,
                        const char *session_token, CredentialsProvider **ret);

/* Stands for a provider that is configured in a way that cannot work: always FAILED, with message (one
 * line). */
int credentials_error_new(Loop *loop, const char *message, CredentialsProvider **ret);

/* EC2 instance metadata, version 2 only. endpoint: "http://169.254.169.254" unless overridden. timeout 2 s,
 * 3 attempts. NONE when nothing answers there (no EC2 host) or no instance profile is attached (404). */
int credentials_imds_new(Loop *loop, HttpClient *http, const char *endpoint, CredentialsProvider **ret);

/* Asks providers in order until one does not say NONE; takes ownership of the n providers (also on error).
 * When all say NONE the answer is NONE with a message that names what was tried. */
int credentials_chain_new(CredentialsProvider **providers, unsigned n, CredentialsProvider **ret);

/* Keeps what inner (owned, also on error) gave: one request in flight for all waiters, refresh ahead of
 * expiry (from max(5 min, a quarter of the lifetime) before it, spread by jitter) while the old ones are
 * still handed out, old ones kept until expiry when a refresh fails, failures retried after 1..60 s
 * back-off: inside that time waiters get the last failure at once. */
int credentials_cache_new(Loop *loop, CredentialsProvider *inner, CredentialsProvider **ret);

/* Drops what a cache holds, because AWS called it expired (bad: only when it is still the held one), or for
 * a reload (bad NULL). The next get asks inner. Does nothing to a provider that is not a cache. */
void credentials_cache_invalidate(CredentialsProvider *cache, const Credentials *bad);

/* AWS did not know the set `bad`. It may have been replaced where it comes from; but a region that is not
 * enabled says the same of good keys, so that it is not dropped: if it is still the held one, the next get
 * waits for inner and is given the held one after all when inner fails. At most one request in 10 s; in
 * between nothing happens. Does nothing to a provider that is not a cache. */
void credentials_cache_suspect(CredentialsProvider *cache, const Credentials *bad);
