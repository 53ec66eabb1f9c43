/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Carries a plan's action out and proves it: the writes one after the other in the trail's home region, then
 * reading back until what was written shows. */

#include "daemon/core/model.h"
#include "lib/call.h"

/* How long a write may take to show after AWS accepted it. */
#define REMEDIATE_READ_BACK_USEC (5ULL * 1000000)
/* The most writes and reads that one action makes one after the other; UpdateTrail is repeated for each of
 * the eight parts that AWS may take or refuse by themselves, CreateTrail for each of the five that a trail
 * can be without, and what has members that this version does not know once without them. */
#define REMEDIATE_CALLS_MAX 26U

typedef struct Remediation Remediation;
/* outcome is valid inside the call only. */
typedef void (*RemediationDone)(const Outcome *outcome, void *userdata);
/* Which fields of a trail are not as they should be (FIELD_BITs), judged by meaning. */
typedef uint32_t (*RemediationDiffers)(const Settings *seen, void *userdata);

typedef struct RemediationRequest {
    AwsClient *aws;
    CredentialsProvider *credentials;
    const char *region; /* the trail's home */
    const char *name, *arn;
    bool foreign; /* another account's: an organization trail */
    Action action;
    uint64_t start_usec; /* RESTART: StartLoggingTime (real) as it was then; 0: never started */
    uint64_t stop_usec;  /* RESTART: StopLoggingTime (real) that it was found stopped with: a trail that was
                            started and stopped since then has been restarted, and what was stopped again is
                            for the guard to judge */
    /* RESTORE and RECREATE: */
    const Settings *desired;    /* what to write; copied */
    const Settings *actual;     /* RESTORE: what is there now (tags are taken away by key); copied */
    uint32_t fields;            /* RESTORE: FIELD_BITs to write */
    bool checks_bucket;         /* RECREATE: whether the bucket is there */
    RemediationDiffers differs; /* read-back is judged by it */
    RemediationDone done;
    void *userdata;
} RemediationRequest;

/* Begins. RESTART starts logging. RESTORE writes the fields back: one UpdateTrail with only what differs,
 * the whole selectors, the Insights, the event configuration, the tags. RECREATE creates the trail under its
 * own name with all of that and starts it. done is called exactly once, never from inside, at the latest
 * REMEDIATE_CALLS_MAX call deadlines + REMEDIATE_READ_BACK_USEC later: HELD when read-back shows what was
 * written, FAILED with the operation and AWS's words otherwise. What AWS refuses about a field (a disabled
 * key, say) keeps the other fields from being written neither here nor there: a restore has failed then, and
 * fields_left says what is left of it; a new trail is there, and its fields_left are for later. A trail is
 * not created into a bucket that is gone; where others have taken its place, they are named. 0, -ENOMEM,
 * -EINVAL. */
int remediate_start(const RemediationRequest *request, Remediation **ret);
/* Ends it without calling done; a write that AWS has already got is not taken back. NULL is fine. */
void remediate_cancel(Remediation *job);
