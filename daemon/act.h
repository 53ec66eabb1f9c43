/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Carries a plan's action out and proves it: StartLogging in the home region, then GetTrailStatus until it
 * shows. */

#include "daemon/types.h"
#include "lib/call.h"

/* How long a restart may take to show after AWS accepted it. */
#define ACT_READ_BACK_USEC (5ULL * 1000000)

typedef struct Act Act;
/* outcome is valid inside the call only. */
typedef void (*ActDone)(const Outcome *outcome, void *userdata);

/* Starts logging of the trail `arn`, whose home is region, after delay_usec (the write quota). stop_usec is
 * the StopLoggingTime (real) that it was found stopped with: a trail that was started and stopped since then
 * has been restarted, and what was stopped again is for the guard to judge. done is called exactly once,
 * never from inside, at the latest delay + two call deadlines + ACT_READ_BACK_USEC later. 0, -ENOMEM,
 * -EINVAL. */
int act_restart(AwsClient *aws, CredentialsSource *credentials, const char *region, const char *arn,
                uint64_t stop_usec, uint64_t delay_usec, ActDone done, void *userdata, Act **ret);
/* Ends it without calling done; a StartLogging that AWS has already got is not taken back. NULL is fine. */
void act_cancel(Act *act);
