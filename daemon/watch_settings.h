/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One look at one trail's settings: what DescribeTrails said of it, its selectors, Insights and tags. */

#include "daemon/types.h"
#include "lib/call.h"
#include "lib/cloudtrail.h"

/* Valid inside the callback only. */
typedef struct SettingsLook {
    bool gone;                       /* it is not in its home region's list */
    Settings settings;               /* what was answered; NULL for what was not */
    uint32_t failed;                 /* FIELD_BITs that could not be looked at */
    LookError error;                 /* of the first of them */
    char error_text[ERROR_TEXT_MAX]; /* raw; names the operation */
} SettingsLook;

typedef struct WatchSettings WatchSettings;
typedef void (*WatchSettingsDone)(const SettingsLook *look, void *userdata);

/* Looks at the trail `arn` in its home region. listed is what DescribeTrails just said of it, NULL to ask for
 * that first. done is called exactly once, never from inside, within four of the client's call deadlines. 0,
 * -ENOMEM, -EINVAL. */
int watch_settings_start(AwsClient *aws, CredentialsSource *credentials, const char *region, const char *arn,
                         const CloudTrailTrail *listed, WatchSettingsDone done, void *userdata,
                         WatchSettings **ret);
/* Ends it without calling done. NULL is fine. */
void watch_settings_cancel(WatchSettings *watch);

/* What DescribeTrails tells: every field but selectors, Insights (unless there are none) and tags. A flag
 * that AWS left out stays unknown. Free with settings_done. 0 or -ENOMEM. */
int watch_settings_listed(const CloudTrailTrail *listed, Settings *ret);
