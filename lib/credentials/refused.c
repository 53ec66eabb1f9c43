/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/credentials/instant.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

typedef struct RefusedSource {
    InstantSource base;
    char *message;
} RefusedSource;

static CredentialsStatus refused_resolve(InstantSource *source, Credentials **ret, char *message,
                                         size_t size) {
    (void)ret;
    text_copy(message, size, CONTAINER_OF(source, RefusedSource, base)->message);
    return CREDENTIALS_FAILED;
}

static void refused_free(InstantSource *source) {
    RefusedSource *r = CONTAINER_OF(source, RefusedSource, base);

    free(r->message);
    free(r);
}

static bool keep_message(RefusedSource *r, const char *message) {
    r->message = strdup(message);
    return r->message;
}

int credentials_refused_new(Loop *loop, const char *message, CredentialsSource **ret) {
    RefusedSource *r;

    r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    instant_init(&r->base, loop, refused_resolve, refused_free);
    if (!keep_message(r, message)) {
        free(r);
        return -ENOMEM;
    }
    *ret = &r->base.source;
    return 0;
}
