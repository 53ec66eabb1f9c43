/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The ways of telling; for the files of alert that choose among them and hold their words. */

#include "daemon/core/alert_private.h"

typedef enum Telling {
    TELLING_RESTARTED,
    TELLING_STARTED_BY_OTHERS,
    TELLING_RESTART_FAILED,
    TELLING_RESTART_PENDING,
    TELLING_OBSERVED,
    TELLING_STOP_ALLOWED,
    TELLING_PROTECTED,
    TELLING_INTERRUPTED,
    TELLING_MISSING,
    TELLING_NEVER_FOUND,
    TELLING_RETURNED,
    TELLING_RECREATED,
    TELLING_REPLACED,
    TELLING_WEAKENED,
    TELLING_UNMET,
    TELLING_UNMET_RESTORED,
    TELLING_FAILING,
    TELLING_STALE,
    TELLING_BUCKET,
    TELLING_LIFECYCLE,
    TELLING_KEY,
    TELLING_ATTRIBUTED,
    TELLING_NOBODY,
    TELLING_NOT_SEARCHED,
    TELLING_ATTEMPTED,
    TELLING_BASELINE_WEAK,
    TELLING_BASELINES_WEAK,
    TELLING_BASELINE_DAMAGED,
    TELLING_BASELINE_ACCEPTED,
    TELLING_GONE_ACCEPTED,
    TELLING_UNREACHABLE_TRAIL,
    TELLING_UNREACHABLE_TARGET,
    TELLING_UNREADABLE,
    TELLING_LIST_UNREADABLE,
    TELLING_LIST_READABLE,
    TELLING_UNREACHABLE_ACCOUNT,
    TELLING_LEFT,
    TELLING_ACCOUNT_ATTRIBUTED,
    TELLING_ACCOUNT_DEPARTED,
    TELLING_ACCOUNT_NOBODY,
    TELLING_ACCOUNT_NOT_SEARCHED,
    TELLING_UNCOVERED,
    TELLING_LOGGING_AGAIN,
    TELLING_THERE_AGAIN,
    TELLING_AS_BEFORE,
    TELLING_ACCEPTED_AS_IS,
    TELLING_MET,
    TELLING_WELL_AGAIN,
    TELLING_FORGOTTEN,
    TELLING_FORGOTTEN_TARGET,
    TELLING_READABLE,
    TELLING_REACHABLE_TRAIL,
    TELLING_REACHABLE_TARGET,
    TELLING_COVERED,
    TELLING_STILL_STOPPED,
    TELLING_STILL_STOP_ALLOWED,
    TELLING_STILL_PROTECTED,
    TELLING_STILL_MISSING,
    TELLING_STILL_NEVER_FOUND,
    TELLING_STILL_WEAKENED,
    TELLING_STILL_UNMET,
    TELLING_STILL_FAILING,
    TELLING_STILL_STALE,
    TELLING_STILL_BUCKET,
    TELLING_STILL_LIFECYCLE,
    TELLING_STILL_KEY,
    TELLING_STILL_UNREACHABLE_TRAIL,
    TELLING_STILL_UNREACHABLE_TARGET,
    TELLING_STILL_UNREADABLE,
    TELLING_STILL_LIST_UNREADABLE,
    TELLING_STILL_UNREACHABLE_ACCOUNT,
    TELLING_STILL_LEFT,
    TELLING_STILL_UNCOVERED,
    TELLING_REPEATED_TRAIL,
    TELLING_REPEATED_TARGET,
    TELLING_CHANNEL_FAILED,
    TELLING_CHANNEL_RECOVERED,
    TELLING_TEST,
    _TELLING_MAX,
} Telling;

/* Each way of telling is a row of one of the two; in the other its headline is NULL. */
extern const AlertTemplate alert_templates[_TELLING_MAX];
extern const AlertTemplate alert_templates_of_guard[_TELLING_MAX];

/* ---- words that several rows have ---- */

#define STILL_IN_HISTORY "The account's event history still has management events of the last 90 days."
#define LOST_FOR_GOOD                                                                                       \
    "Events that occurred while logging was stopped are lost to this trail: CloudTrail does not deliver "   \
    "them later. " STILL_IN_HISTORY
#define FIND_OUT                                                                                            \
    "1. Find out who did it (command above), and whether it was planned.\n"                                 \
    "2. If it was not planned: treat the credentials that were used as stolen. Disable them, and check "    \
    "what else they did.\n"                                                                                 \
    "3. Review the account's event history for the time of the gap."
#define START_IT "aws cloudtrail start-logging --region {region} --name {arn}\n"
#define WHO_STOPPED_IT                                                                                      \
    "2. Find out who stopped it (command above). If it was not planned, treat the credentials that were "   \
    "used as stolen."
#define ACCEPTED_ADVICE                                                                                     \
    "Nothing, if this was planned. If none of you did it, someone else has access to the guard's host."

#define DELIVERY_ADVICE                                                                                     \
    "1. Check the destination of the delivery: does it exist, does its policy let CloudTrail write, is "    \
    "its KMS key enabled?\n"                                                                                \
    "2. aws cloudtrail get-trail-status --region {region} --name {arn}\n"                                   \
    "3. The error stays in the trail's status until the next delivery succeeds."
#define STALE_LOSS "Not known yet: late events may still be delivered."
#define STALE_ADVICE                                                                                        \
    "1. Does the bucket exist, is it yours, and does its policy let CloudTrail write?\n"                    \
    "2. Do the trail's selectors still match any events? A trail that has nothing to record delivers "      \
    "nothing: then raise stale_after, or set it to 0.\n"                                                    \
    "3. aws cloudtrail get-trail-status --region {region} --name {arn}"
#define BUCKET_LOSS                                                                                         \
    "Log files: while the bucket takes none, AWS retries the delivery for 30 days. Log files that go to "   \
    "a bucket of another owner are in that owner's hands."
#define BUCKET_ADVICE                                                                                       \
    "1. Does the bucket exist, and does it belong to the right account? Anyone can create a deleted "       \
    "bucket again under the same name, in their own account.\n"                                             \
    "2. Does its policy still let CloudTrail write? While the trail's prefix differs from the one that is " \
    "recorded, or pinned by expect.prefix, the policy must let it write to both.\n"                         \
    "3. If nobody planned this, treat the credentials that were used as stolen."
#define LIFECYCLE_LOSS                                                                                      \
    "Log files that the rule has expired are gone, unless the bucket keeps versions of them."
#define LIFECYCLE_ADVICE                                                                                    \
    "1. Remove the rule, or let it wait as long as you must keep log files.\n"                              \
    "2. Find out who created it (command above). If nobody planned it, treat the credentials that were "    \
    "used as stolen.\n"                                                                                     \
    "3. Copy the log files that are still there."
#define KEY_LOSS                                                                                            \
    "Log files: AWS retries the delivery for 30 days. Log files in the bucket cannot be read until the "    \
    "key works again; if the key is deleted, never again."
#define KEY_ADVICE                                                                                          \
    "1. Enable the key. If its deletion is scheduled, cancel that first: aws kms "                          \
    "cancel-key-deletion --region {region} --key-id KEY\n"                                                  \
    "2. Find out who did it (command above). If nobody planned it, treat the credentials that were used "   \
    "as stolen."
#define CHANGED_ADVICE                                                                                      \
    "1. If it was planned: accept the settings as the new baseline (trailguard accept {name}). Next time, " \
    "announce such work as maintenance in trailguard.conf.\n"                                               \
    "2. If it was not: find out who did it, treat the credentials that were used as stolen, and check "     \
    "what else they did.\n"                                                                                 \
    "3. If a setting still differs: mode \"restore\" restores it; in other modes restore it by hand."
#define UNMET_ADVICE                                                                                        \
    "1. If the expectation is right: change the trail, by hand or by mode \"restore\".\n"                   \
    "2. If it is wrong: correct expect in trailguard.conf.\n"                                               \
    "The trail was not changed; the configuration was."
#define UNREACHABLE_ADVICE                                                                                  \
    "1. Access denied: did the guard's policy or role, or an SCP, change? Restore the rights (trailguard "  \
    "policy guard prints them).\n"                                                                          \
    "2. Bad credentials: are the keys deleted, deactivated or expired?\n"                                   \
    "3. No connection, throttled, AWS error: is it the network, or another caller that uses up the API's "  \
    "quota?\n"                                                                                              \
    "4. Until then, check it yourself: aws cloudtrail describe-trails --region {region}"
#define UNREADABLE_ADVICE                                                                                   \
    "1. Access denied: did the guard's policy or role, or an SCP, change? trailguard policy guard prints "  \
    "the rights that it needs.\n"                                                                           \
    "2. Throttled or failing: is another caller using up the API's quota?\n"                                \
    "3. Until then, check it yourself: aws cloudtrail describe-trails --region {region}"
#define UNREACHABLE_DEED                                                                                    \
    "{polls} in a row failed{because}\n"                                                                    \
    "It keeps polling."
#define UNREACHABLE_ACCOUNT_ADVICE                                                                          \
    "1. Access denied: does the role exist, does its trust policy name the guard, is the external id "      \
    "right? (trailguard policy guard prints what it must be)\n"                                             \
    "2. Bad credentials: are the guard's own keys deleted, deactivated or expired?\n"                       \
    "3. If the account is not to be guarded: remove it from accounts in trailguard.conf, or add it to "     \
    "exclude of organization."
#define LEFT_ADVICE                                                                                         \
    "1. Find out who did it, in the management account: aws cloudtrail lookup-events --region us-east-1 "   \
    "--lookup-attributes AttributeKey=EventSource,AttributeValue=organizations.amazonaws.com (in China "    \
    "cn-northwest-1, in GovCloud us-gov-west-1). AccountDepartedOrganization there says how: LEFT (the "    \
    "account left by itself, or accepted another organization's invitation; LeaveOrganization or "          \
    "AcceptHandshake in its own history says who did that), REMOVED (RemoveAccountFromOrganization says "   \
    "who did that) or CLEANED (it was closed).\n"                                                           \
    "2. If it was not planned: your service control policies no longer apply to the account. Treat the "    \
    "credentials that were used as stolen.\n"                                                               \
    "3. If it was planned: add the account to exclude of organization in trailguard.conf."
#define DEPARTED_ADVICE                                                                                     \
    "1. LEFT: LeaveOrganization, or AcceptHandshake of another organization's invitation, in the "          \
    "account's "                                                                                            \
    "own event history says who. REMOVED: search the management account's history again for "               \
    "RemoveAccountFromOrganization. CLEANED: for CloseAccount, up to 90 days before.\n"                     \
    "2. If it was not planned: your service control policies no longer apply to the account. Treat the "    \
    "credentials that were used as stolen.\n"                                                               \
    "3. If it was planned: add the account to exclude of organization in trailguard.conf."
#define UNCOVERED_ADVICE                                                                                    \
    "1. If this region should be recorded: make a trail multi-region, or create one here.\n"                \
    "2. If not: remove the region from regions in trailguard.conf."
