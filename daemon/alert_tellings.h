/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The ways of telling; for the files of alert that choose among them and hold their words. */

#include "daemon/alert_parts.h"

typedef enum Telling {
    TELLING_RESTARTED,
    TELLING_STARTED_BY_OTHERS,
    TELLING_RESTART_FAILED,
    TELLING_RESTART_PENDING,
    TELLING_OBSERVED,
    TELLING_STOP_ALLOWED,
    TELLING_PROTECTED,
    TELLING_FLAPPED,
    TELLING_MISSING,
    TELLING_RECREATED,
    TELLING_RECREATED_BY_OTHERS,
    TELLING_WEAKENED,
    TELLING_UNMET,
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
    TELLING_BLIND_TRAIL,
    TELLING_BLIND_TARGET,
    TELLING_UNREADABLE,
    TELLING_LIST_UNREADABLE,
    TELLING_LIST_READABLE,
    TELLING_BLIND_ACCOUNT,
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
    TELLING_SIGHTED_TRAIL,
    TELLING_SIGHTED_TARGET,
    TELLING_READABLE,
    TELLING_COVERED,
    TELLING_STILL_STOPPED,
    TELLING_STILL_STOP_ALLOWED,
    TELLING_STILL_PROTECTED,
    TELLING_STILL_MISSING,
    TELLING_NEVER_SEEN,
    TELLING_STILL_WEAKENED,
    TELLING_STILL_UNMET,
    TELLING_STILL_FAILING,
    TELLING_STILL_STALE,
    TELLING_STILL_BUCKET,
    TELLING_STILL_LIFECYCLE,
    TELLING_STILL_KEY,
    TELLING_STILL_BLIND_TRAIL,
    TELLING_STILL_BLIND_TARGET,
    TELLING_STILL_UNREADABLE,
    TELLING_STILL_LIST_UNREADABLE,
    TELLING_STILL_BLIND_ACCOUNT,
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

#define LOST_FOR_GOOD                                                                                       \
    "CloudTrail does not deliver later what happened meanwhile: that is lost to this trail. The "           \
    "account's event history keeps management events of the last 90 days all the same."
#define FIND_OUT                                                                                            \
    "1. Find out who did it (command above), and whether it was planned.\n"                                 \
    "2. If it was not: treat the credentials that were used as stolen. Disable them, and look at what "     \
    "else they did.\n"                                                                                      \
    "3. Go through the account's event history for the time of the gap."
#define START_IT "aws cloudtrail start-logging --region {region} --name {arn}\n"
#define WHO_STOPPED_IT                                                                                      \
    "2. Find out who stopped it (command above). If it was not planned, treat the credentials that were "   \
    "used as stolen."
#define ACCEPTED_ADVICE "Nothing, if you know of it. If nobody does, somebody has been on the guard's host."

#define DELIVERY_ADVICE                                                                                     \
    "1. Look at the delivery's destination: is it there, does its policy let CloudTrail in, is its KMS "    \
    "key enabled?\n"                                                                                        \
    "2. aws cloudtrail get-trail-status --region {region} --name {arn}\n"                                   \
    "3. The error stays in the status until the next delivery works."
#define STALE_LOSS \
    "That is not known yet: what is late may still come."
#define STALE_ADVICE \
    "1. Is the bucket there, is it yours, and does its policy let CloudTrail in?\n" \
    "2. Do the trail's selectors still record what happens? A trail that has nothing to record " \
    "delivers nothing: then raise stale_after, or set it to 0.\n" \
    "3. aws cloudtrail get-trail-status --region {region} --name {arn}"
#define BUCKET_LOSS \
    "Log files: AWS goes on trying for 30 days where a bucket takes none. What goes to a bucket " \
    "that is not yours is in other hands, and does not come back."
#define BUCKET_ADVICE \
    "1. Is the bucket there, and does it belong to the account that it should? A bucket that was " \
    "deleted can be created by anybody, under the same name, in an account of their own.\n" \
    "2. Does its policy still let CloudTrail write? While the trail's prefix is not the one that is recorded, or " \
    "pinned by expect.prefix, the policy must let it write to both.\n" \
    "3. If nobody planned this, treat the credentials that were used as stolen."
#define LIFECYCLE_LOSS \
    "Log files that the rule has expired are gone, unless the bucket keeps versions of them."
#define LIFECYCLE_ADVICE \
    "1. Take the rule away, or let it wait as long as you must keep log files.\n" \
    "2. Find out who made it. If nobody planned it, treat the credentials that were used as stolen.\n" \
    "3. Copy what is still there."
#define KEY_LOSS \
    "Log files: AWS goes on trying to deliver them for 30 days. Those that are there cannot be read " \
    "until the key works again; once it is deleted, never."
#define KEY_ADVICE \
    "1. Enable the key; if its deletion is scheduled, cancel that first: aws kms " \
    "cancel-key-deletion --region {region} --key-id KEY\n" \
    "2. Find out who did it. If nobody planned it, treat the credentials that were used as stolen."
#define BY_NOW "The account's event history keeps management events of the last 90 days all the same."
#define CHANGED_ADVICE                                                                                      \
    "1. Was it planned? Then name such work as maintenance in trailguard.conf, and make what it leaves "    \
    "the baseline: trailguard accept {name}\n"                                                              \
    "2. If it was not: find out who did it, treat the credentials that were used as stolen, and look at "   \
    "what else they did.\n"                                                                                 \
    "3. What still differs is put back by mode \"restore\", or by hand."
#define UNMET_ADVICE                                                                                        \
    "1. Is the expectation right? Then set the trail so, by mode \"restore\" or by hand.\n"                  \
    "2. If it is not, correct expect in trailguard.conf.\n"                                                 \
    "Nobody changed the trail: only the configuration is new."
#define BLIND_ADVICE                                                                                        \
    "1. denied: has somebody changed the guard's policy, role or SCP? Put the rights back (trailguard "     \
    "policy guard prints them).\n"                                                                          \
    "2. credentials: are the keys deleted, deactivated or expired?\n"                                       \
    "3. unreachable, throttled, service: is it our network, or somebody using up the API's quota?\n"        \
    "4. Until then look yourself: aws cloudtrail describe-trails --region {region}"
#define UNREADABLE_ADVICE                                                                                   \
    "1. Denied: did a policy, role or SCP of the guard change? trailguard policy guard prints the rights "  \
    "that it needs.\n"                                                                                      \
    "2. Throttled or failing: is another caller using up the API's quota?\n"                                \
    "3. Until then check it yourself: aws cloudtrail describe-trails --region {region}"
#define BLIND_DEED                                                                                          \
    "Looked {looks} in a row in vain: {detail}\n"                                                           \
    "It goes on looking."
#define BLIND_ACCOUNT_ADVICE                                                                                \
    "1. denied: is the role there, does its trust policy name the guard, is the external id the right "     \
    "one? (trailguard policy guard prints what it must be)\n"                                               \
    "2. credentials: are the guard's own keys deleted, deactivated or expired?\n"                           \
    "3. An account that is not to be guarded: leave it out of accounts in trailguard.conf, or list it "     \
    "in exclude of organization."
#define LEFT_ADVICE                                                                                         \
    "1. Find out who did it, in the management account: aws cloudtrail lookup-events --region us-east-1 "   \
    "--lookup-attributes AttributeKey=EventSource,AttributeValue=organizations.amazonaws.com (in China "    \
    "cn-northwest-1, in GovCloud us-gov-west-1). AccountDepartedOrganization there says how it went: LEFT "  \
    "(by itself, or it accepted another organization's invitation: LeaveOrganization or AcceptHandshake in "  \
    "its own history says who), REMOVED (RemoveAccountFromOrganization says who) or CLEANED (closed).\n"     \
    "2. If it was not planned: the account is out of reach of your service control policies too. Treat "    \
    "the credentials that were used as stolen.\n"                                                           \
    "3. If it was: list the account in exclude of organization in trailguard.conf."
#define DEPARTED_ADVICE                                                                                     \
    "1. LEFT: LeaveOrganization, or AcceptHandshake of another organization's invitation, in the account's "  \
    "own event history says who. REMOVED: search the management account's history again for "              \
    "RemoveAccountFromOrganization. CLEANED: for CloseAccount, up to 90 days before.\n"                     \
    "2. If it was not planned: the account is out of reach of your service control policies too. Treat "    \
    "the credentials that were used as stolen.\n"                                                           \
    "3. If it was: list the account in exclude of organization in trailguard.conf."
#define UNCOVERED_ADVICE                                                                                    \
    "1. If this region should be recorded: make a trail multi-region, or create one here.\n"                \
    "2. If not: leave the region out of regions in trailguard.conf."
