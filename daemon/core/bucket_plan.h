/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What is asked of the bucket behind a trail: whether at all, what it has to be like, whose it can be, and
 * when its owner is recorded. Pure. */

#include "daemon/core/model.h"

/* What is known of a trail and its bucket. */
typedef struct BucketFacts {
    bool bucket_checks, owner_check; /* of the configuration */
    bool once;                       /* a check: it has what is there now, if nothing else */
    bool under_way;                  /* its bucket is being asked about */
    bool recorded;                   /* the trail has a baseline */
    bool provisional;                /* nobody has accepted it ... */
    bool message_waits;              /* ... and that it appeared is not reported yet */
    const char *unasked;             /* the bucket whose owner these keys cannot find out; "": none */
    /* NULL members are not known */
    const Settings *baseline; /* as recorded */
    const Settings *desired;  /* ... with what is pinned */
    const Settings *actual;
} BucketFacts;

/* Texts are the settings'; prefix and key may be NULL. */
typedef struct BucketPlan {
    bool asked; /* else nothing else is set */
    bool owner_only;
    const char *bucket, *prefix, *key;
    const char *actual_prefix; /* where log files go now, in the same bucket; NULL: not there, or unknown */
    bool pinned;               /* prefix is what the configuration expects, and not the recording */
} BucketPlan;

BucketPlan bucket_plan(const BucketFacts *facts);

/* Does the configuration have buckets and keys checked, so that what an earlier run found wrong can be seen
 * to be over? about_bucket: whether it is there, and whose: `owner_check` alone asks about that too. */
bool bucket_is_checked(bool bucket_checks, bool owner_check, bool about_bucket);

/* Is it asked about as soon as the settings were read, and not only with the next list? Those say which
 * bucket it is, where no baseline does. */
bool bucket_follows_settings(bool once, bool recorded, bool provisional);

/* The one that is asked about; NULL: not known. */
const char *bucket_asked(const Settings *desired, const Settings *actual);

/* How many calls the next look at it makes. n_heads: accounts that are asked whose it is; key: of the trail;
 * NULL or "": none. */
unsigned bucket_calls(unsigned n_heads, bool found, bool bucket_checks, const char *key);

/* More are not asked about. */
#define BUCKET_OWNERS_MAX 8U

/* Accounts that may own the bucket, in the order in which they are asked about. */
typedef struct BucketOwners {
    char ids[BUCKET_OWNERS_MAX][13];
    size_t n;
    bool known;     /* the first has to be it, by configuration or recording ... */
    bool confirmed; /* ... and S3 confirmed it before */
} BucketOwners;

/* The one that it has to be; then the trail's account, and those whose ids the prefix has. */
void bucket_owners_begin(const Settings *baseline, const Settings *desired, const char *account,
                         const char *prefix, BucketOwners *ret);
/* Further ones: those that are guarded. What is no account's id ("": not known yet) is left out, and what is
 * there already. */
void bucket_owners_add(BucketOwners *owners, const char *id);

/* Is an owner that S3 confirmed one to record? The first is, and of the bucket that was recorded: not of one
 * that a pin names in its place. */
bool bucket_owner_is_to_record(const Settings *baseline, const Settings *desired, const char *owner);

/* Is whose the bucket is something that these keys cannot find out, and no fault? Without bucket_checks, of
 * a bucket whose owner is not known, every failure is that. It is reported once, and S3 is not asked again.
 */
bool bucket_owner_is_out_of_reach(bool bucket_checks, bool known, bool failed);
