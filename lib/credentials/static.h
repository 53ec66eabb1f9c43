/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What providers that know their answer without waiting share: they too answer from the loop, never from
 * inside get. */

#include <stddef.h>

#include "lib/credentials/request.h"

typedef struct StaticProvider StaticProvider;

/* The base that such a provider embeds as its first member. */
struct StaticProvider {
    CredentialsProvider provider;
    /* Finds the answer. OK: *ret is a new reference. Else message (size bytes) gets one line. */
    CredentialsStatus (*resolve)(StaticProvider *provider, Credentials **ret, char *message, size_t size);
    /* Frees the whole provider. */
    void (*free)(StaticProvider *provider);
    CredentialsRequests requests;
};

/* Sets all members; nothing is allocated. */
void static_provider_init(StaticProvider *provider, Loop *loop,
                          CredentialsStatus (*resolve)(StaticProvider *, Credentials **, char *, size_t),
                          void (*free_provider)(StaticProvider *));
