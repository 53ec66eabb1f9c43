/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Amazon S3, as far as the bucket behind a trail is looked at: whether it is there and ours, what deletes from it,
 * and who may write to it. Source: Amazon S3 API Reference, HeadBucket, GetBucketLifecycleConfiguration,
 * GetBucketPolicy. */

#include "lib/typed_call.h"

#define S3_REGION_MAX 32
/* AWS allows 1000 */
#define S3_RULES_MAX 1000
/* bytes; AWS allows 20 KiB */
#define S3_POLICY_MAX (64 * 1024)

/* What a lifecycle rule does to objects, as far as it deletes. Texts are owned, "" when absent. */
typedef struct S3Rule {
    char *id;
    char *prefix;               /* "": every object */
    bool enabled;
    bool narrowed;              /* also by tags or sizes: not all objects under prefix */
    unsigned expiration_days;   /* 0: none; huge numbers are capped */
    uint64_t expiration_usec;   /* Date: what is older is deleted from then on; 0: none */
    unsigned noncurrent_days;   /* NoncurrentVersionExpiration: what versioning kept; 0: none */
} S3Rule;

typedef struct S3Rules {
    S3Rule *items;
    size_t n;
} S3Rules;

/* 0, -EBADMSG (no LifecycleConfiguration, a number or date that is none), -E2BIG, -ENOMEM. Pure. */
int s3_read_rules(const char *body, size_t len, S3Rules *ret);
void s3_rules_done(S3Rules *rules);

/* The policy in the form of answer_dump(), that can be compared. The caller frees *ret. 0, -EBADMSG, -E2BIG,
 * -ENOMEM. Pure. */
int s3_read_policy(const char *body, size_t len, char **ret);

/* Callbacks: the value is NULL unless error->class is AWS_OK; valid inside the call only. */

/* region is where the bucket is. AWS_NOT_FOUND: there is no such bucket, and anybody may take its name.
 * AWS_DENIED: it is there and not the owner's, or we may not ask: S3 does not tell the two apart. */
typedef void (*S3BucketDone)(const AwsError *error, const char *region, void *userdata);
typedef void (*S3RulesDone)(const AwsError *error, const S3Rules *rules, void *userdata);
typedef void (*S3PolicyDone)(const AwsError *error, const char *policy, void *userdata);

typedef TypedCall S3Call;

/* All: region is where the bucket should be; when S3 names another region of the same partition, that is asked,
 * once, and if it sends us on again the call ends with AWS_WRONG_REGION. owner is the account that must own the
 * bucket (12 digits), or NULL. done is called exactly once, never from inside; 0, or -ENOMEM / -EINVAL and then
 * never. ret may be NULL. */
int s3_head_bucket(AwsClient *client, CredentialsSource *credentials, const char *region, const char *bucket,
                   const char *owner, S3BucketDone done, void *userdata, S3Call **ret);
/* No rules at all is a normal answer, n is 0 then. Needs s3:GetLifecycleConfiguration. */
int s3_get_lifecycle(AwsClient *client, CredentialsSource *credentials, const char *region,
                     const char *bucket, const char *owner, S3RulesDone done, void *userdata, S3Call **ret);
/* No policy at all is a normal answer, "". */
int s3_get_policy(AwsClient *client, CredentialsSource *credentials, const char *region, const char *bucket,
                  const char *owner, S3PolicyDone done, void *userdata, S3Call **ret);
/* NULL is fine. */
void s3_cancel(S3Call *call);
