/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One check of what a trail depends on: whether its bucket exists and has the right owner, CloudTrail may
 * write to it, a lifecycle rule deletes log files early, and its KMS key can be used. */

#include "daemon/core/bucket_plan.h"
#include "daemon/io/observe.h"
#include "lib/call.h"
#include "lib/s3.h"

/* Log files deleted sooner than this after they were written count as deleted early: few people read them
 * within a month. */
#define BUCKET_CHECK_DAYS_MIN 30U

/* Valid only during the callback. Errors are "" if all is well. */
typedef struct BucketSnapshot {
    char bucket_error[CODE_TEXT_MAX]; /* "it is gone", "it belongs to 444455556666, not to 111122223333", ...
                                       */
    char lifecycle_error[CODE_TEXT_MAX]; /* "rule nuke deletes after 1 day" */
    char key_error[CODE_TEXT_MAX];       /* "Disabled", "PendingDeletion", "NotFoundException" */
    char key_store[80];                  /* the key's custom key store; "" for most */
    bool found;                          /* HeadBucket succeeded, and the other calls were made */
    char region[S3_REGION_MAX];          /* the bucket's; "" if unknown */
    unsigned n_heads; /* calls of HeadBucket that the next check makes if nothing changes */
    char owner[13];   /* the owning account, as confirmed by S3; "" if not */
    CallFailure failures[_UNREADABLE_MAX]; /* per call, from UNREADABLE_BUCKET on; what could not be read has
                                              no other result */
} BucketSnapshot;

typedef struct BucketCheck BucketCheck;
typedef void (*BucketCheckDone)(const BucketSnapshot *snapshot, void *userdata);

/* An account that may own the bucket, with its keys. */
typedef struct BucketOwner {
    char id[13];
    CredentialsProvider *credentials;
} BucketOwner;

/* Everything is copied. */
typedef struct BucketCheckRequest {
    AwsClient *aws;
    CredentialsProvider *credentials;
    const char *region; /* the trail's home region; the bucket may be elsewhere */
    const char *bucket, *prefix;
    /* The prefix now in use, if it is another one of the same bucket: both are judged. NULL: the same. */
    const char *actual_prefix;
    bool pinned;         /* prefix is the configured one, not the recorded one */
    const char *account; /* the trail's */
    bool owner_only;     /* only HeadBucket, and nothing about the key */
    BucketOwner owners[BUCKET_OWNERS_MAX]; /* tried one after the other until S3 confirms one */
    size_t n_owners;
    bool owner_known;     /* the first one must be the owner, by configuration or recording ... */
    bool owner_confirmed; /* ... and S3 confirmed it before with these keys */
    const char *key;      /* ARN; "" or NULL: none */
} BucketCheckRequest;

/* done is called exactly once, never from inside, within BUCKET_OWNERS_MAX plus four of the client's call
 * deadlines. 0, -ENOMEM, -EINVAL. */
int bucket_check_start(const BucketCheckRequest *request, BucketCheckDone done, void *userdata,
                       BucketCheck **ret);
/* Ends it without calling done. NULL is allowed. */
void bucket_check_cancel(BucketCheck *check);
