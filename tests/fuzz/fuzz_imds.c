/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what instance metadata answers: a token that becomes a header, a role that becomes a path,
 * and keys. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/credentials/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
    if (!holds)
        abort();
}

static void try_keys(const char *body, size_t len) {
    char message[64];
    Credentials *c = NULL;
    CredentialsStatus status;

    memset(message, 'x', sizeof(message));
    status = document_read(DOCUMENT_INSTANCE, body, len, &c, message, sizeof(message));
    check(status == CREDENTIALS_OK || status == CREDENTIALS_FAILED);
    check((status == CREDENTIALS_OK) == (c != NULL));
    if (c)
        check(c->access_key_id[0] && c->secret_access_key[0]);
    else
        check(memchr(message, '\0', sizeof(message)) != NULL && message[0] && !strchr(message, '\n'));
    credentials_unref(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *body = (const char *)data;
    char role[IMDS_ROLE_MAX], token[IMDS_TOKEN_MAX];

    if (imds_read_role(body, size, role))
        check(role[0] && !strpbrk(role, "/?#% \t\r\n") && strcmp(role, "..") != 0);
    if (imds_read_token(body, size, token))
        check(token[0] && !strpbrk(token, " \t\r\n"));
    try_keys(body, size);
    return 0;
}
