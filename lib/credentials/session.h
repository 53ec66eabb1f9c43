/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the sources that have STS open a session of a role share: the role's values, the questions under way,
 * and how an error reads. */

#include <stddef.h>

#include "lib/credentials/question.h"
#include "lib/sts.h"

typedef struct SessionGet SessionGet;
typedef struct SessionSource SessionSource;

/* The base that such a source embeds as its first member. */
struct SessionSource {
    CredentialsSource source;
    AwsClient *client;
    char *region;
    StsRole role; /* its texts are owned */
    /* Starts the call to STS, whose end is session_done with g as userdata. Called from the loop. 0, or
     * -errno, and then message (size bytes) may say more than the number does. */
    int (*start)(SessionSource *source, SessionGet *g, OperationCall **ret, char *message, size_t size);
    /* Frees what the source itself added. May be NULL. */
    void (*done)(SessionSource *source);
    Questions questions;
};

/* Sets all members of a zeroed source. 0; -EINVAL when sts_role_problem finds one or the region is unknown;
 * -ENOMEM. After an error nothing is left to free. */
int session_init(SessionSource *source, AwsClient *client, const char *region, const StsRole *role,
                 int (*start)(SessionSource *, SessionGet *, OperationCall **, char *, size_t),
                 void (*done)(SessionSource *));

/* The callback of these sources. */
void session_done(const AwsError *error, Credentials *credentials, void *userdata);
