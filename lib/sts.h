/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AWS STS GetCallerIdentity, API version 2011-06-15 (Query protocol). Needs no permission. */

#include "lib/arn.h"
#include "lib/call.h"

typedef struct StsIdentity {
    char account[16];   /* 12 digits */
    char arn[ARN_MAX];
} StsIdentity;

/* 0 or -EBADMSG. Pure. */
int sts_read_identity(const char *body, size_t len, StsIdentity *ret);

typedef void (*StsIdentityDone)(const AwsError *error, const StsIdentity *identity, void *userdata);
typedef struct StsCall StsCall;

/* Asks the regional endpoint. Conventions as in cloudtrail.h. */
int sts_get_caller_identity(AwsClient *client, CredentialsSource *credentials, const char *region,
                            StsIdentityDone done, void *userdata, StsCall **ret);
void sts_cancel(StsCall *call);
