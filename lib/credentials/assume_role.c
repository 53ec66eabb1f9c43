/* SPDX-License-Identifier: Apache-2.0 */
/* Source: AWS STS API Reference, AssumeRole. */
#include "lib/credentials/assume_role.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/credentials/session.h"
#include "lib/util/macros.h"

typedef struct AssumeRoleProvider {
    SessionProvider session;
    CredentialsProvider *base; /* borrowed */
} AssumeRoleProvider;

static int assume_role_start(SessionProvider *provider, SessionGet *g, OperationCall **ret, char *message,
                             size_t size) {
    AssumeRoleProvider *s = CONTAINER_OF(provider, AssumeRoleProvider, session);

    (void)message;
    (void)size;
    return sts_assume_role(&(AwsCaller){ provider->client, s->base, provider->region }, &provider->role,
                           session_done, g, ret);
}

int credentials_assume_role_new(AwsClient *client, CredentialsProvider *base, const char *region,
                                const StsRole *role, CredentialsProvider **ret) {
    AssumeRoleProvider *s;
    int r;

    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    r = session_init(&s->session, client, region, role, assume_role_start, NULL);
    if (r < 0) {
        free(s);
        return r;
    }
    s->base = base;
    *ret = &s->session.provider;
    return 0;
}
