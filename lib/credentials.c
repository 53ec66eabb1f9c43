/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/credentials.h"

#include <stdlib.h>
#include <string.h>

#include "lib/util/hash.h"
#include "lib/util/macros.h"

static void free_secret(char *s) {
    if (s)
        hash_wipe(s, strlen(s));
    free(s);
}

static Credentials *credentials_free(Credentials *c) {
    free_secret(c->access_key_id);
    free_secret(c->secret_access_key);
    free_secret(c->session_token);
    sigv4_keys_done(&c->signing_keys);
    free(c);
    return NULL;
}

Credentials *credentials_new(const char *access_key_id, const char *secret_access_key,
                             const char *session_token, uint64_t expires_usec, const char *source) {
    bool has_token = session_token && *session_token;
    Credentials *c;

    if (!access_key_id || !*access_key_id || !secret_access_key || !*secret_access_key)
        return NULL;
    c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->n_refs = 1;
    c->access_key_id = strdup(access_key_id);
    c->secret_access_key = strdup(secret_access_key);
    c->session_token = has_token ? strdup(session_token) : NULL;
    c->expires_usec = expires_usec;
    c->source = source;
    if (!c->access_key_id || !c->secret_access_key || (has_token && !c->session_token))
        return credentials_free(c);
    return c;
}

static bool is_sendable(const char *text) {
    if (!text || !*text)
        return true;
    for (const char *c = text; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            return false;
    return text[0] != ' ' && text[strlen(text) - 1] != ' ';
}

int credentials_unsendable(const char *access_key_id, const char *secret_access_key,
                           const char *session_token) {
    const char *const texts[] = { access_key_id, secret_access_key, session_token };

    for (int i = 0; i < (int)ARRAY_SIZE(texts); i++)
        if (!is_sendable(texts[i]))
            return i;
    return -1;
}

Credentials *credentials_ref(Credentials *c) {
    if (c)
        c->n_refs++;
    return c;
}

Credentials *credentials_unref(Credentials *c) {
    if (c && --c->n_refs == 0)
        credentials_free(c);
    return NULL;
}
