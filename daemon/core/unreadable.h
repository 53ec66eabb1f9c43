/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* When a call about the settings, bucket or key of a trail that fails counts as unreadable, which is a
 * finding, and when it is made again sooner than settings are due. Pure. */

#include "daemon/core/model.h"

/* What came of one call. */
typedef struct ReadResult {
    Unreadable what;
    bool failed;
    bool unsupported; /* AWS does not have it there */
    bool denied;
    bool foreign;  /* the trail is another account's */
    bool recorded; /* the baseline has the event configuration */
} ReadResult;

typedef struct ReadMeaning {
    bool not_shown;  /* AWS never shows it here: nothing is lost */
    bool reported;   /* in the journal: the first failure, or the first success after it */
    bool unreadable; /* it is a finding */
} ReadMeaning;

/* n_failed: such calls in a row, kept for the trail. */
ReadMeaning unreadable_take(const ReadResult *result, unsigned unreachable_after, unsigned *n_failed);

/* Did a call for what is not recorded yet fail, without being taken for unreadable? */
bool unreadable_is_wanted_soon(bool recorded, unsigned n_failed, unsigned unreachable_after);

/* What of a bucket and a key was read: unread has what failed, found says whether the bucket is there. */
typedef struct BucketRead {
    bool found, trouble; /* trouble: with the bucket, by what could be read */
    bool unread[_UNREADABLE_MAX];
} BucketRead;

/* Was it asked for at all? */
bool unreadable_was_asked(const BucketRead *read, Unreadable what);

/* The findings that it can judge, as FINDING_BITs; the others stay as they are. */
uint32_t unreadable_judges(const BucketRead *read);
