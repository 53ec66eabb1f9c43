/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the document in which a program, a container or an instance hands out keys. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/credentials/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
    if (!holds)
        abort();
}

static void try_kind(DocumentKind kind, const char *body, size_t len) {
    CredentialsStatus status;
    Credentials *c = NULL;
    char message[64];

    memset(message, 'x', sizeof(message));
    status = document_read(kind, body, len, &c, message, sizeof(message));
    check(status == CREDENTIALS_OK || status == CREDENTIALS_FAILED);
    check((status == CREDENTIALS_OK) == (c != NULL));
    if (c) {
        check(c->access_key_id[0] && c->secret_access_key[0]);
        check(!c->session_token || c->session_token[0]);
        check(kind != DOCUMENT_CONTAINER || c->expires_usec > 0);
    } else
        check(memchr(message, '\0', sizeof(message)) != NULL && message[0] && !strchr(message, '\n'));
    credentials_unref(c);
}

static void try_reason(const char *body, size_t len) {
    char reason[24];

    memset(reason, 'x', sizeof(reason));
    check(document_reason(body, len, reason, sizeof(reason)) == reason);
    check(memchr(reason, '\0', sizeof(reason)) != NULL && !strchr(reason, '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    try_reason((const char *)data, size);
    for (DocumentKind kind = 0; kind < _DOCUMENT_KIND_MAX; kind++)
        try_kind(kind, (const char *)data, size);
    return 0;
}
