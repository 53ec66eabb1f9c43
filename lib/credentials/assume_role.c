/* SPDX-License-Identifier: Apache-2.0 */
/* Source: AWS STS API Reference, AssumeRole. */
#include "lib/credentials/assume_role.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/credentials/session.h"
#include "lib/util/macros.h"

typedef struct AssumeRoleSource {
    SessionSource session;
    CredentialsSource *base; /* borrowed */
} AssumeRoleSource;

static int assume_role_start(SessionSource *source, SessionGet *g, OperationCall **ret, char *message,
                             size_t size) {
    AssumeRoleSource *s = CONTAINER_OF(source, AssumeRoleSource, session);

    (void)message;
    (void)size;
    return sts_assume_role(&(AwsCaller){ source->client, s->base, source->region }, &source->role,
                           session_done, g, ret);
}

int credentials_assume_role_new(AwsClient *client, CredentialsSource *base, const char *region,
                                const StsRole *role, CredentialsSource **ret) {
    AssumeRoleSource *s;
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
    *ret = &s->session.source;
    return 0;
}
