/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/credentials/static.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

typedef struct ErrorProvider {
    StaticProvider base;
    char *message;
} ErrorProvider;

static CredentialsStatus error_resolve(StaticProvider *provider, Credentials **ret, char *message,
                                       size_t size) {
    (void)ret;
    text_copy(message, size, CONTAINER_OF(provider, ErrorProvider, base)->message);
    return CREDENTIALS_FAILED;
}

static void error_free(StaticProvider *provider) {
    ErrorProvider *r = CONTAINER_OF(provider, ErrorProvider, base);

    free(r->message);
    free(r);
}

static bool keep_message(ErrorProvider *r, const char *message) {
    r->message = strdup(message);
    return r->message;
}

int credentials_error_new(Loop *loop, const char *message, CredentialsProvider **ret) {
    ErrorProvider *r;

    r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    static_provider_init(&r->base, loop, error_resolve, error_free);
    if (!keep_message(r, message)) {
        free(r);
        return -ENOMEM;
    }
    *ret = &r->base.provider;
    return 0;
}
