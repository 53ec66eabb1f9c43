/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/credentials/static.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* The values never change while the process runs, so the answer is made once. */
typedef struct EnvProvider {
    StaticProvider base;
    Credentials *credentials;
    char problem[160]; /* when the key was given without its secret, or one of them cannot be sent */
    bool has_secret;   /* without its key: AWS's tools ask the next provider then */
} EnvProvider;

static CredentialsStatus env_resolve(StaticProvider *provider, Credentials **ret, char *message,
                                     size_t size) {
    EnvProvider *e = CONTAINER_OF(provider, EnvProvider, base);

    if (e->problem[0]) {
        text_copy(message, size, e->problem);
        return CREDENTIALS_FAILED;
    }
    if (!e->credentials) {
        text_copy(message, size, e->has_secret ? "environment: AWS_SECRET_ACCESS_KEY is set but AWS_ACCESS_KEY_ID is not" :
                                                 "environment: AWS_ACCESS_KEY_ID is not set");
        return CREDENTIALS_NONE;
    }
    *ret = credentials_ref(e->credentials);
    return CREDENTIALS_OK;
}

static void env_free(StaticProvider *provider) {
    EnvProvider *e = CONTAINER_OF(provider, EnvProvider, base);

    credentials_unref(e->credentials);
    free(e);
}

int credentials_env_new(Loop *loop, const char *access_key_id, const char *secret_access_key,
                        const char *session_token, CredentialsProvider **ret) {
    static const char *const names[] = { "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN" };
    int bad = credentials_unsendable(access_key_id, secret_access_key, session_token);
    bool has_key = access_key_id && *access_key_id, has_secret = secret_access_key && *secret_access_key;
    EnvProvider *e;

    e = calloc(1, sizeof(*e));
    if (!e)
        return -ENOMEM;
    static_provider_init(&e->base, loop, env_resolve, env_free);
    if (has_key && has_secret && bad >= 0)
        (void)snprintf(e->problem, sizeof(e->problem), "environment: %s " CREDENTIALS_UNSENDABLE, names[bad]);
    else if (has_key && has_secret) {
        e->credentials = credentials_new(access_key_id, secret_access_key, session_token, 0, "environment");
        if (!e->credentials) {
            free(e);
            return -ENOMEM;
        }
    } else if (has_key)
        text_copy(e->problem, sizeof(e->problem),
                  "environment: AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not");
    e->has_secret = has_secret;
    *ret = &e->base.provider;
    return 0;
}
