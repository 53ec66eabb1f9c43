/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One look at one trail's settings: what DescribeTrails said of it, its selectors, Insights, tags and event
 * configuration. */

#include "daemon/core/model.h"
#include "daemon/io/poll.h"
#include "lib/call.h"
#include "lib/cloudtrail.h"

/* Valid inside the callback only. */
typedef struct SettingsLook {
    bool gone;                                /* it is not in its home region's list */
    Settings settings;                        /* what was answered; NULL for what was not */
    WatchFailure failures[UNREADABLE_BUCKET]; /* each call's */
    uint32_t failed;                          /* FIELD_BITs that could not be looked at */
    LookError error;                          /* of the first of them */
    char error_text[ERROR_TEXT_MAX];          /* raw; names the operation */
} SettingsLook;

typedef struct WatchSettings WatchSettings;
typedef void (*WatchSettingsDone)(const SettingsLook *look, void *userdata);

/* All but the client and the credentials is copied. */
typedef struct WatchSettingsRequest {
    AwsClient *aws;
    CredentialsSource *credentials;
    const char *region; /* the trail's home */
    const char *arn;
    const CloudTrailTrail *listed; /* what DescribeTrails just said of it; NULL: ask for that first */
    bool no_tags; /* AWS does not tell them (ListTags, API reference: a trail of another account
                   * is CloudTrailARNInvalidException); they are left unknown */
    WatchSettingsDone done;
    void *userdata;
} WatchSettingsRequest;

/* Makes ready to look at a trail; nothing is asked before watch_settings_begin. 0, -ENOMEM. */
int watch_settings_new(const WatchSettingsRequest *request, WatchSettings **ret);
/* Asks. done is called exactly once, never from inside, within five of the client's call deadlines. 0,
 * -ENOMEM: then done is not called. */
int watch_settings_begin(WatchSettings *watch);
/* Ends it without calling done. NULL is fine. */
void watch_settings_cancel(WatchSettings *watch);

/* What DescribeTrails tells: every field but selectors, Insights (unless there are none), tags and
 * event configuration. A flag
 * that AWS left out stays unknown. Free with settings_done. 0 or -ENOMEM. */
int watch_settings_listed(const CloudTrailTrail *listed, Settings *ret);
