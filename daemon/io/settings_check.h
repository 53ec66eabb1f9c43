/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One poll of one trail's settings: what DescribeTrails said of it, its selectors, Insights, tags and event
 * configuration. */

#include "daemon/core/model.h"
#include "daemon/io/observe.h"
#include "lib/call.h"
#include "lib/cloudtrail.h"

/* Valid inside the callback only. */
typedef struct SettingsSnapshot {
    bool gone;                               /* it is not in its home region's list */
    Settings settings;                       /* what was answered; NULL for what was not */
    CallFailure failures[UNREADABLE_BUCKET]; /* each call's */
    uint32_t failed;                         /* FIELD_BITs that could not be polled */
    PollError error;                         /* of the first of them */
    char error_text[ERROR_TEXT_MAX];         /* raw; names the operation */
} SettingsSnapshot;

typedef struct SettingsCheck SettingsCheck;
typedef void (*SettingsCheckDone)(const SettingsSnapshot *snapshot, void *userdata);

/* All but the client and the credentials is copied. */
typedef struct SettingsCheckRequest {
    AwsClient *aws;
    CredentialsProvider *credentials;
    const char *region; /* the trail's home */
    const char *arn;
    const Settings *listed; /* what DescribeTrails has said of it; NULL: ask for that first */
    bool no_tags; /* AWS does not tell them (ListTags, API reference: a trail of another account
                   * is CloudTrailARNInvalidException); they are left unknown */
    bool has_baseline; /* of the selectors: those that are too long to be read differ from it, and are
                        * SETTINGS_TOO_LONG; else they are unreadable */
    SettingsCheckDone done;
    void *userdata;
} SettingsCheckRequest;

/* Asks. done is called exactly once, never from inside, within five of the client's call deadlines. 0,
 * -ENOMEM: then done is not called. */
int settings_check_start(const SettingsCheckRequest *request, SettingsCheck **ret);
/* Ends it without calling done. NULL is fine. */
void settings_check_cancel(SettingsCheck *check);
