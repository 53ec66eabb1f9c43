/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What all providers share: the requests that are under way with one, none of which is answered from inside
 * get. */

#include <stddef.h>

#include "lib/credentials.h"

/* bytes of any provider's message, with the NUL */
#define CREDENTIALS_MESSAGE_MAX 512

typedef struct CredentialsRequest CredentialsRequest;

/* Those of one provider; loop is the provider's to set. */
typedef struct CredentialsRequests {
    Loop *loop;
    CredentialsRequest *first;
} CredentialsRequests;

/* What a provider embeds as the first member of what it keeps of a request. */
struct CredentialsRequest {
    CredentialsRequests *requests;
    CredentialsRequest *prev, *next;
    LoopTimer *timer; /* begin's first; then the provider's to wait by */
    CredentialsDone done;
    void *userdata;
};

/* Allocates size bytes, zero but for the CredentialsRequest at their head, and calls begin with them from
 * the loop, which sets timer to NULL. 0 or -ENOMEM. ret may be NULL. */
int credentials_request_start(CredentialsRequests *requests, size_t size, void (*begin)(void *),
                              CredentialsDone done, void *userdata, CredentialsRequest **ret);

/* Answers: takes it out, cancels its timer, frees it, and calls done. The provider may be gone after this.
 */
void credentials_request_end(CredentialsRequest *q, CredentialsStatus status, Credentials *credentials,
                             const char *message);
