/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What to ask about a trail's bucket: whether at all, what it must be like, who may own it, and when its
 * owner is recorded. Pure. */

#include "daemon/core/model.h"

/* What is known of a trail and its bucket. */
typedef struct BucketFacts {
    bool bucket_checks, owner_check; /* of the configuration */
    bool once;                       /* `check`: it uses what is known now */
    bool under_way;                  /* its bucket is being checked */
    bool recorded;                   /* the trail has a baseline */
    bool provisional;                /* nobody has accepted it ... */
    bool message_waits;              /* ... and its appearance is not reported yet */
    const char *unasked;             /* the bucket whose owner these keys cannot determine; "": none */
    /* NULL members are unknown */
    const Settings *baseline; /* as recorded */
    const Settings *desired;  /* ... overridden by the pins */
    const Settings *actual;
} BucketFacts;

/* The texts belong to the settings; prefix and key may be NULL. */
typedef struct BucketPlan {
    bool asked; /* false: nothing else is set */
    bool owner_only;
    const char *bucket, *prefix, *key;
    const char *actual_prefix; /* the prefix now in use, in the same bucket; NULL: none, or unknown */
    bool pinned;               /* prefix is the configured one, not the recorded one */
} BucketPlan;

BucketPlan bucket_plan(const BucketFacts *facts);

/* Resumes the findings of an earlier run about a bucket or key: what was wrong or unreadable stays so until
 * it is read again. Sets the texts in seen, and n_failed by Unreadable. A finding that the configuration no
 * longer checks is dropped, because nothing could end it; `owner_check` alone checks the bucket's existence
 * and owner. */
typedef struct BucketResume {
    uint32_t findings; /* of the earlier run */
    bool bucket_checks, owner_check;
    unsigned unreachable_after;
} BucketResume;

void bucket_resume(const BucketResume *in, Observation *seen, unsigned n_failed[static _UNREADABLE_MAX]);

/* True if the bucket is checked right after the settings were read, and not only with the next list. Without
 * a baseline the settings say which bucket it is. */
bool bucket_follows_settings(bool once, bool recorded, bool provisional);

/* The bucket to check; NULL: unknown. */
const char *bucket_asked(const Settings *desired, const Settings *actual);

/* How many calls the next check of it makes. n_heads: accounts that are tried as its owner; key: the
 * trail's; NULL or "": none. */
unsigned bucket_calls(unsigned n_heads, bool found, bool bucket_checks, const char *key);

/* The limit of accounts that are tried. */
#define BUCKET_OWNERS_MAX 8U

/* Accounts that may own the bucket, in the order in which they are tried. */
typedef struct BucketOwners {
    char ids[BUCKET_OWNERS_MAX][13];
    size_t n;
    bool known;     /* the first one must be the owner, by configuration or recording ... */
    bool confirmed; /* ... and S3 confirmed it before */
} BucketOwners;

/* Starts with the required owner; then the trail's account, and those whose ids are in the prefix. */
void bucket_owners_begin(const Settings *baseline, const Settings *desired, const char *account,
                         const char *prefix, BucketOwners *ret);
/* Adds a guarded account, unless it is there already or has no id yet (""). */
void bucket_owners_add(BucketOwners *owners, const char *id);

/* True if an owner that S3 confirmed is to be recorded: the first one, for the recorded bucket, and not for
 * one that a pin names instead. */
bool bucket_owner_is_to_record(const Settings *baseline, const Settings *desired, const char *owner);

/* True if these keys cannot determine the bucket's owner, which is then no problem of the bucket: without
 * bucket_checks that is so for every failure on a bucket whose owner is unknown. It is reported once, and S3
 * is not asked again. */
bool bucket_owner_is_out_of_reach(bool bucket_checks, bool known, bool failed);
