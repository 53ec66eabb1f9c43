/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of CloudTrail's operations share; callers do not include it. In cloudtrail.c. */

#include "lib/cloudtrail.h"
#include "lib/typed_call.h"

/* The spelling that AWS's own tools send; the answer is the same for the shorter one. */
#define CLOUDTRAIL_TARGET(operation) "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101." operation

typedef struct CloudTrailOperation {
    const char *target;     /* CLOUDTRAIL_TARGET("...") */
    TypedOperation typed;
} CloudTrailOperation;

/* A request as aws_call() takes it; borrows everything. */
AwsRequest cloudtrail_request(const char *region, const char *target, const char *body);

/* Starts an operation without state. done is the typed callback, cast. As typed_call(). */
int cloudtrail_call(AwsClient *client, CredentialsSource *credentials, const char *region,
                    const CloudTrailOperation *operation, const char *body, TypedDone done, void *userdata,
                    CloudTrailCall **ret);

/* The `finish` of operations whose answer holds nothing: done is a CloudTrailDone. */
void cloudtrail_finish_plain(const TypedCall *call, const AwsReply *reply);

/* typed_call_error(), naming CloudTrail. */
AwsError cloudtrail_error(const AwsReply *reply, int r);
