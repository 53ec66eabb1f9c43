/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the providers that have STS open a session of a role share: the role's values, the requests under
 * way, and how an error reads. */

#include <stddef.h>

#include "lib/credentials/request.h"
#include "lib/sts.h"

typedef struct SessionGet SessionGet;
typedef struct SessionProvider SessionProvider;

/* The base that such a provider embeds as its first member. */
struct SessionProvider {
    CredentialsProvider provider;
    AwsClient *client;
    char *region;
    StsRole role; /* its texts are owned */
    /* Starts the call to STS, whose end is session_done with g as userdata. Called from the loop. 0, or
     * -errno, and then message (size bytes) may say more than the number does. */
    int (*start)(SessionProvider *provider, SessionGet *g, OperationCall **ret, char *message, size_t size);
    /* Frees what the provider itself added. May be NULL. */
    void (*done)(SessionProvider *provider);
    CredentialsRequests requests;
};

/* Sets all members of a zeroed provider. 0; -EINVAL when sts_role_problem finds one or the region is unknown;
 * -ENOMEM. After an error nothing is left to free. */
int session_init(SessionProvider *provider, AwsClient *client, const char *region, const StsRole *role,
                 int (*start)(SessionProvider *, SessionGet *, OperationCall **, char *, size_t),
                 void (*done)(SessionProvider *));

/* The callback of these providers. */
void session_done(const AwsError *error, Credentials *credentials, void *userdata);
