/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One poll of what stands behind a trail: is its bucket there and ours, may CloudTrail write to it, does a
 * lifecycle rule delete log files early, can its KMS key be used. */

#include "daemon/core/bucket_plan.h"
#include "daemon/io/observe.h"
#include "lib/call.h"
#include "lib/s3.h"

/* Log files that are deleted sooner than this after they were written are deleted early: before a month
 * is over, few have polled them. */
#define BUCKET_CHECK_DAYS_MIN 30U

/* Valid inside the callback only. Errors are "" when all is well there. */
typedef struct BucketSnapshot {
    char bucket_error[CODE_TEXT_MAX]; /* "it is gone", "it belongs to 444455556666, not to 111122223333", ...
                                       */
    char lifecycle_error[CODE_TEXT_MAX]; /* "rule nuke deletes after 1 day" */
    char key_error[CODE_TEXT_MAX];       /* "Disabled", "PendingDeletion", "NotFoundException" */
    char key_store[80];                  /* the custom key store that the key is in; "" for most */
    bool found;                          /* HeadBucket was answered well: the rest was asked */
    char region[S3_REGION_MAX];          /* the bucket's, "" when it did not tell */
    unsigned n_heads; /* calls of HeadBucket that a further check makes when nothing changes */
    char owner[13];   /* account that owns it, as S3 confirmed; "" when it did not */
    CallFailure failures[_UNREADABLE_MAX]; /* each call's, from UNREADABLE_BUCKET on; of what could not be
                                              polled nothing else is said */
} BucketSnapshot;

typedef struct BucketCheck BucketCheck;
typedef void (*BucketCheckDone)(const BucketSnapshot *snapshot, void *userdata);

/* An account that may own the bucket, and whose keys ask. */
typedef struct BucketOwner {
    char id[13];
    CredentialsProvider *credentials;
} BucketOwner;

/* All copied. */
typedef struct BucketCheckRequest {
    AwsClient *aws;
    CredentialsProvider *credentials;
    const char *region; /* the trail's home; the bucket may be elsewhere */
    const char *bucket, *prefix;
    /* Where log files go now, when that is another prefix of the same bucket: both are judged. NULL: there
     * is no other. */
    const char *actual_prefix;
    bool pinned;         /* prefix is what the configuration expects, and not a recording */
    const char *account; /* the trail's */
    bool owner_only;     /* HeadBucket alone, and nothing about the key */
    BucketOwner owners[BUCKET_OWNERS_MAX]; /* asked about one after the other until S3 confirms one */
    size_t n_owners;
    bool owner_known;     /* the first of them has to be it, by configuration or recording ... */
    bool owner_confirmed; /* ... and S3 confirmed it before, for these keys */
    const char *key;      /* ARN, "" or NULL when the trail has none */
} BucketCheckRequest;

/* done is called exactly once, never from inside, within BUCKET_OWNERS_MAX and four of the client's
 * call deadlines. 0, -ENOMEM, -EINVAL. */
int bucket_check_start(const BucketCheckRequest *request, BucketCheckDone done, void *userdata,
                       BucketCheck **ret);
/* Ends it without calling done. NULL is fine. */
void bucket_check_cancel(BucketCheck *check);
