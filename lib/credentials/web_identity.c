/* SPDX-License-Identifier: Apache-2.0 */
/* Source: AWS STS API Reference, AssumeRoleWithWebIdentity. */
#include "lib/credentials/web_identity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/credentials/session.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"

#define TOKEN_MIN 4

typedef struct WebIdentityProvider {
    SessionProvider session;
    char *token_file;
} WebIdentityProvider;

static char *trim(char *s) {
    size_t n;

    s += strspn(s, " \t\r\n");
    n = strlen(s);
    while (n > 0 && strchr(" \t\r\n", s[n - 1]))
        n--;
    s[n] = '\0';
    return s;
}

static int web_identity_start(SessionProvider *provider, SessionGet *g, OperationCall **ret, char *message,
                              size_t size) {
    const WebIdentityProvider *s = CONTAINER_OF(provider, WebIdentityProvider, session);
    const char *token;
    char *text = NULL;
    size_t len = 0;
    bool has_nul;
    int r;

    r = file_read(s->token_file, STS_WEB_TOKEN_MAX, &text, &len);
    if (r < 0) {
        snprintf(message, size, "token file %s: %s", s->token_file,
                 r == -E2BIG    ? "is longer than a token can be"
                 : r == -EINVAL ? "is not a regular file"
                                : strerror(-r));
        return r;
    }
    has_nul = memchr(text, '\0', len);
    token = trim(text);
    if (has_nul || strlen(token) < TOKEN_MIN) {
        snprintf(message, size, "token file %s: holds no token", s->token_file);
        r = -EINVAL;
    } else
        r = sts_assume_role_with_web_identity(
                &(AwsCaller){ .client = provider->client, .region = provider->region },
                &(StsWebIdentity){ provider->role, token }, session_done, g, ret);
    file_free_secret(text, len);
    return r;
}

static void web_identity_done(SessionProvider *provider) {
    free(CONTAINER_OF(provider, WebIdentityProvider, session)->token_file);
}

int credentials_web_identity_new(AwsClient *client, const char *region, const StsRole *role,
                                 const char *token_file, CredentialsProvider **ret) {
    WebIdentityProvider *s;
    int r;

    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->token_file = strdup(token_file);
    r = s->token_file
                ? session_init(&s->session, client, region, role, web_identity_start, web_identity_done)
                : -ENOMEM;
    if (r < 0) {
        free(s->token_file);
        free(s);
        return r;
    }
    *ret = &s->session.provider;
    return 0;
}
