/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What sources that know their answer without waiting share: they too answer from the loop, never from
 * inside get. */

#include <stddef.h>

#include "lib/credentials/question.h"

typedef struct InstantSource InstantSource;

/* The base that such a source embeds as its first member. */
struct InstantSource {
    CredentialsSource source;
    /* Finds the answer. OK: *ret is a new reference. Else message (size bytes) gets one line. */
    CredentialsStatus (*resolve)(InstantSource *source, Credentials **ret, char *message, size_t size);
    /* Frees the whole source. */
    void (*free)(InstantSource *source);
    Questions questions;
};

/* Sets all members; nothing is allocated. */
void instant_init(InstantSource *source, Loop *loop,
                  CredentialsStatus (*resolve)(InstantSource *, Credentials **, char *, size_t),
                  void (*free_source)(InstantSource *));
