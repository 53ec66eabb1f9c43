/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The inline policy that takes rights away from a user or role: puts, reads or removes it, and confirms the
 * result by reading back. Never overwrites or removes a policy that others have put. */

#include "daemon/core/hold.h"
#include "lib/call.h"

typedef struct EnforceRequest {
    AwsClient *aws;
    CredentialsProvider *credentials; /* of the identity's account */
    const char *region;
    const ContainHold *hold; /* copied */
    HoldAction action;
    /* Its arguments are valid only during the call. */
    void (*done)(const char *arn, const HoldOutcome *outcome, void *userdata);
    void *userdata;
} EnforceRequest;

typedef struct Enforcement Enforcement;

#define ENFORCE_CALLS_MAX 8U /* sequential, each with the client's deadline */

/* done is called exactly once, never from inside. 0, -ENOMEM, -EINVAL. */
int enforce_start(const EnforceRequest *request, Enforcement **ret);
/* Ends it without calling done. NULL is allowed. */
void enforce_cancel(Enforcement *enforcement);
