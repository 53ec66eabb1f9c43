/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The MESSAGE_IDs of the journal: one for each kind of event that is worth finding. They never change and
 * are never used again for something else; conf/trailguard.catalog explains each, docs/operations.md every
 * line. */

/* A trail. */
#define MESSAGE_TRAIL_STOPPED                                                                               \
    "dce8cf43de464f49831eab8a9d658c15" /* not logging; started again, or left as it is */
#define MESSAGE_TRAIL_RUNNING  "6bdd0f8fd1b647018313ac30fa47194b" /* logging again, by us or by others */
#define MESSAGE_RESTART_FAILED "84eb9c74d20045588299930cd1a7cfa4"
#define MESSAGE_TRAIL_INTERRUPTED                                                                           \
    "5485ab1bc79e49838fdc1057b454e6b8" /* stopped and started between two polls */
#define MESSAGE_TRAIL_MISSING    "ad8b2ddbe90145898a81a17e8a52270c"
#define MESSAGE_TRAIL_REAPPEARED "86d85cd2814a47108c8986a3e2ae02ce"
#define MESSAGE_TRAIL_FAILING    "2a9e5278301c45d28f1d5395a62e2358" /* delivery errors */
#define MESSAGE_TRAIL_DELIVERING "ed2bc30b992840aa8004768a1e4d551d" /* none any more */
#define MESSAGE_TRAIL_REPLACED                                                                              \
    "d2e1c18e6dac4a9889de4ce053868979" /* deleted and created again between two polls */
#define MESSAGE_TRAIL_CHANGED "3313b89ef3fd41dc9ee8f78f2fd778c3" /* differs from its baseline */
#define MESSAGE_EXPECTATION_UNMET                                                                           \
    "5b0e7d1c9f3a4c27a86d41f2be907c35" /* a new pin that the trail does not meet */
#define MESSAGE_TRAIL_RESTORED                                                                              \
    "92b7c50b4bd54b42a74a544942daae63" /* as its baseline says again, by us or by others */
#define MESSAGE_RESTORE_FAILED  "8f780ccce3e84b5b9f8ec3adb9e2910e" /* settings, or the trail itself */
#define MESSAGE_RESTORES_PAUSED "8727edca133c4eb6a68ae74d6c2742e7" /* max_restores_per_hour */
#define MESSAGE_TRAIL_CREATED_AGAIN                                                                         \
    "a302dc4cd7164ef5b7226e70b641bfa6"                              /* deleted, and created again by us     \
                                                                     */
#define MESSAGE_TRAIL_ATTRIBUTED "e89a805ea3564e0088216b883a4b563e" /* who did it */
#define MESSAGE_NOBODY_FOUND     "ed2ede1548b14931ab605031fc26161c" /* ... or not */
#define MESSAGE_TRAIL_ATTEMPTED  "5fb4f4af833e449bb0ad2781c6152393" /* a try that AWS refused */

/* A baseline. */
#define MESSAGE_BASELINE_RECORDED "a1c60b255a0f49278cfe816f163a2acb"
#define MESSAGE_BASELINE_WEAK     "8380824f32df4a45b2520305aa579fbf"
#define MESSAGE_BASELINE_DAMAGED  "bcffec5efebf4cd6961af14e4948fd79"
#define MESSAGE_BASELINE_ACCEPTED "75b531f58fee48ea99f5c8fe4db0dab0"

/* A target. */
#define MESSAGE_TARGET_UNREACHABLE "49fc943345df47f98e855a257f350122"
#define MESSAGE_TARGET_REACHABLE   "ad746f66c84a41168397c053c340b774"
#define MESSAGE_ACCOUNT_LEFT       "c0e7b9d2a4f14d6f8b1c5e3a79d20f46" /* no active member of the organization */
#define MESSAGE_REGION_UNCOVERED   "8be21f05649a4b9781eda6b5e1b2bcd8"
#define MESSAGE_REGION_COVERED     "e984dc0ed4504d4a81da2a05a4b7851f"

/* Alerts and channels. */
#define MESSAGE_ALERT_DELIVERED "6c94447b570946aa8ed6e7d780aa0d4d"
#define MESSAGE_ALERT_LOST                                                                                  \
    "dda2fc35afef4209812ace3a142b4eed" /* given up over a ceiling, or refused for good */
#define MESSAGE_CHANNEL_FAILED    "d8555c6746fb478186cdd3c4b4cd011b"
#define MESSAGE_CHANNEL_RECOVERED "4a3c6328241e4ce481ddee2614481143"

/* The guard itself. */
#define MESSAGE_GUARD_STARTED   "351c0d61ac66436f830388793c5aac8b"
#define MESSAGE_GUARD_STOPPING  "cbb63c799d4a4a6b851733c9cee0851a"
#define MESSAGE_CONFIG_RELOADED "257c0e5b031b46428413d381c8230416"
#define MESSAGE_RELOAD_REFUSED  "00a4d493dd7345358958b73dc36f4fd4"
