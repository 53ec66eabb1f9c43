/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of act share: an action is a row of steps, each one call to AWS. */

#include "daemon/act.h"
#include "daemon/watch_settings.h"
#include "lib/cloudtrail.h"
#include "lib/s3.h"

/* Starts its call, or goes on by act_next() when there is nothing for it to do. */
typedef void (*ActStep)(Act *act);

struct Act {
    AwsClient *aws;
    CredentialsSource *credentials;
    char *region, *name, *arn;
    bool looks_at_bucket;
    Action action;
    uint64_t stop_usec;
    Settings keep, found;
    uint32_t fields;
    ActDiffers differs;
    ActDone done;
    void *userdata;
    const ActStep *step; /* the one under way; the row ends with NULL */
    const char *operation;
    uint32_t asked;               /* FIELD_BITs of the write under way; 0: it is not about settings */
    bool wrote_unknown;           /* it has members that this version does not know; AWS may not take them ... */
    bool known_only;              /* ... and they are left out then */
    uint32_t refused;             /* FIELD_BITs that AWS does not take, and are left out */
    char refusal[ERROR_TEXT_MAX]; /* the first error that said so */
    CloudTrailCall *call;
    S3Call *bucket_call;
    WatchSettings *watch;
    LoopTimer *timer;
    uint64_t accepted_usec; /* mono; when the last write was accepted */
    uint64_t pause_usec;
    Outcome outcome;
    char last_error[ERROR_TEXT_MAX];
    AwsError quota; /* what CreateTrail said, while it is asked who takes the trail's place */
};

void act_next(Act *act);
/* Ends the action, for a reason of our own or because AWS says no. */
void act_fail(Act *act, const char *why);
void act_fail_by(Act *act, const AwsError *error);

/* The callback of every write; and what to do with what starting one returned. */
void act_written(const AwsError *error, void *userdata);
void act_started(Act *act, const char *operation, int r);

/* act_refusal.c: goes on without the fields that the error is about, by the same step again or by the next. False when
 * the error is not about fields, or the action makes no sense without them. */
bool act_leave_out(Act *act, const AwsError *error);

/* act_restore.c */
void act_update_trail(Act *act);
void act_put_event_selectors(Act *act);
void act_put_insight_selectors(Act *act);
void act_put_event_configuration(Act *act);
void act_remove_tags(Act *act);
void act_add_tags(Act *act);
void act_look_at_bucket(Act *act);
void act_create_trail(Act *act);
