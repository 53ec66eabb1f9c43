/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The inline policy that takes the rights of a user or role: puts, reads or removes it, and proves by
 * reading back what became of it. Nothing that others have put is overwritten or removed. */

#include "daemon/core/hold.h"
#include "lib/call.h"

typedef struct EnforceRequest {
    AwsClient *aws;
    CredentialsProvider *credentials; /* of the identity's account */
    const char *region;
    const ContainHold *hold; /* copied */
    HoldAction action;
    /* What it is called with is valid inside the call only. */
    void (*done)(const char *arn, const HoldOutcome *outcome, void *userdata);
    void *userdata;
} EnforceRequest;

typedef struct Enforcement Enforcement;

#define ENFORCE_CALLS_MAX 8U /* one after the other, each with the client's deadline */

/* done is called exactly once, never from inside. 0, -ENOMEM, -EINVAL. */
int enforce_start(const EnforceRequest *request, Enforcement **ret);
/* Ends it without calling done. NULL is fine. */
void enforce_cancel(Enforcement *enforcement);
