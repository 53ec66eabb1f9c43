/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One check of one trail's settings: its entry from DescribeTrails, selectors, Insights, tags and event
 * configuration. */

#include "daemon/core/model.h"
#include "daemon/io/observe.h"
#include "lib/call.h"
#include "lib/cloudtrail.h"

/* Valid only during the callback. */
typedef struct SettingsSnapshot {
    bool gone;                               /* its home region's list does not have it */
    Settings settings;                       /* the answers; NULL for what was not answered */
    CallFailure failures[UNREADABLE_BUCKET]; /* per call */
    uint32_t failed;                         /* FIELD_BITs that could not be read */
    PollError error;                         /* of the first of them */
    char error_text[ERROR_TEXT_MAX];         /* raw; names the operation */
} SettingsSnapshot;

typedef struct SettingsCheck SettingsCheck;
typedef void (*SettingsCheckDone)(const SettingsSnapshot *snapshot, void *userdata);

/* Everything is copied, except the client and the credentials. */
typedef struct SettingsCheckRequest {
    AwsClient *aws;
    CredentialsProvider *credentials;
    const char *region; /* the trail's home region */
    const char *arn;
    const Settings *listed; /* from DescribeTrails; NULL: call it first */
    bool no_tags; /* AWS does not return them (ListTags, API reference: CloudTrailARNInvalidException for
                     another account's trail); they stay unknown */
    bool has_baseline; /* of the selectors: then selectors that exceed the limit differ from it, and are
                          SETTINGS_TOO_LONG; otherwise they are unreadable */
    SettingsCheckDone done;
    void *userdata;
} SettingsCheckRequest;

/* Starts a check. done is called exactly once, never from inside, within five of the client's call
 * deadlines. 0, or -ENOMEM without a call of done. */
int settings_check_start(const SettingsCheckRequest *request, SettingsCheck **ret);
/* Ends it without calling done. NULL is allowed. */
void settings_check_cancel(SettingsCheck *check);
