/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Executes a plan's action and confirms it: the writes one after the other in the trail's home region, then
 * reading back until they show. */

#include "daemon/core/model.h"
#include "lib/call.h"

/* How long an accepted write may take to show. */
#define REMEDIATE_READ_BACK_USEC (5ULL * 1000000)
/* The most consecutive calls of one action: UpdateTrail once for each of the eight parts that AWS may refuse
 * separately, CreateTrail once for each of the five optional ones, and one more without members that this
 * version does not know. */
#define REMEDIATE_CALLS_MAX 26U

typedef struct Remediation Remediation;
/* outcome is valid only during the call. */
typedef void (*RemediationDone)(const Outcome *outcome, void *userdata);
/* Returns the fields that differ from their desired values (FIELD_BITs), judged by meaning. */
typedef uint32_t (*RemediationDiffers)(const Settings *seen, void *userdata);

typedef struct RemediationRequest {
    AwsClient *aws;
    CredentialsProvider *credentials;
    const char *region; /* the trail's home region */
    const char *name, *arn;
    bool foreign; /* another account's organization trail */
    Action action;
    uint64_t start_usec; /* RESTART: the last known StartLoggingTime (real); 0: never started */
    uint64_t stop_usec;  /* RESTART: the StopLoggingTime (real) of the stop. If the trail was started and
                            stopped again since, it has been restarted, and the guard judges the new stop */
    /* RESTORE and RECREATE: */
    const Settings *desired;    /* what to write; copied */
    const Settings *actual;     /* RESTORE: the present settings (tags are removed by key); copied */
    uint32_t fields;            /* RESTORE: FIELD_BITs to write */
    bool checks_bucket;         /* RECREATE: first check that the bucket exists */
    RemediationDiffers differs; /* judges the read-back */
    RemediationDone done;
    void *userdata;
} RemediationRequest;

/* Starts the action. RESTART starts logging. RESTORE writes the fields: one UpdateTrail with only what
 * differs, the whole selectors, Insights, event configuration, tags. RECREATE creates the trail under its
 * own name with all of that, and starts it. done is called exactly once, never from inside, within
 * REMEDIATE_CALLS_MAX call deadlines + REMEDIATE_READ_BACK_USEC: CONFIRMED if the read-back shows the
 * writes, else FAILED with the operation and AWS's error. If AWS refuses one field (a disabled key, for
 * example), the others are still written: a restore has then failed, with the rest in fields_left; a new
 * trail exists, with the rest in fields_left for later. A trail is not created with a bucket that is gone.
 * If other trails have taken its place in the region, the error names them. 0, -ENOMEM, -EINVAL. */
int remediate_start(const RemediationRequest *request, Remediation **ret);
/* Ends it without calling done; a write that AWS has received stays. NULL is allowed. */
void remediate_cancel(Remediation *job);
