/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Amazon S3, as far as the bucket behind a trail is looked at: whether it is there and ours, what deletes
 * from it, and who may write to it. Source: Amazon S3 API Reference, HeadBucket,
 * GetBucketLifecycleConfiguration, GetBucketPolicy. */

#include "lib/operation.h"

#define S3_REGION_MAX OPERATION_REGION_MAX
/* AWS allows 1000 */
#define S3_RULES_MAX 1000
/* bytes; AWS allows 20 KiB */
#define S3_POLICY_MAX (64 * 1024)

/* What a lifecycle rule does to objects, as far as it deletes. Texts are owned, "" when absent. */
typedef struct S3Rule {
    char *id;
    char *prefix; /* "": every object */
    bool enabled;
    unsigned expiration_days; /* 0: none; huge numbers are capped */
    uint64_t expiration_usec; /* Date: what is older is deleted from then on; 0: none */
} S3Rule;

typedef struct S3Rules {
    S3Rule *items;
    size_t n;
} S3Rules;

void s3_rules_done(S3Rules *rules);

/* The input of all is a bucket, and the region where it should be; when S3 names another region of the same
 * partition, that is asked, once, and if it sends us on again the call ends with AWS_WRONG_REGION. */

/* The value is the region where the bucket is. AWS_NOT_FOUND: there is no such bucket, and anybody may take
 * its name. AWS_DENIED: it is there and not the owner's, or we may not ask: S3 does not tell the two apart.
 */
DECLARE_OPERATION(s3_head_bucket, AwsBucket, const char);
/* No rules at all is a normal answer, n is 0 then. Needs s3:GetLifecycleConfiguration. A number or date that
 * is none makes the answer bad. */
DECLARE_OPERATION(s3_get_lifecycle, AwsBucket, const S3Rules);
/* The policy in the form of answer_dump(), that can be compared. No policy at all is a normal answer, "". */
DECLARE_OPERATION(s3_get_policy, AwsBucket, const char);
