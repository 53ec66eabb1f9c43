/* SPDX-License-Identifier: Apache-2.0 */
/* The table of messages: one row a message template. Which event has which row is in events_choice.c. */
#include "daemon/core/alert_private.h"
#include "lib/util/macros.h"

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
    "1. Remove the rule, or let it delete log files only after you no longer need them.\n"                  \
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
    "3. If a setting still differs: mode \"restore\" restores what it can write; restore the rest by hand."
#define UNMET_ADVICE                                                                                        \
    "1. If the expectation is right: change the trail, by hand or by mode \"restore\". Only its owner can " \
    "change an organization trail.\n"                                                                       \
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
    "3. No connection: can this host reach STS? Check the network, the proxy and DNS.\n"                    \
    "4. If the account is not to be guarded: remove it from accounts in trailguard.conf, or add it to "     \
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

#define REACHABLE_ADVICE                                                                                    \
    "Nothing, if you know why TrailGuard did not poll it. If TrailGuard now finds a stop or a gap, it "     \
    "sends a message "                                                                                      \
    "of its own."

/* ---- one row a message template ---- */

const AlertTemplate alert_templates[_TELLING_MAX] = {
    [TELLING_RESTARTED] = {
        .subject = "{LABEL} {name} stopped{again} in {where}, running again after {gap}",
        .subject_short = "{LABEL} {name} stopped{again} in {where}, running again",
        .headline = "{name} in {where} was stopped{again}. TrailGuard started it, and it is logging.",
        .loss = LOST_FOR_GOOD,
        .deed = "{tried}",
        .advice = FIND_OUT,
    },
    [TELLING_STARTED_BY_OTHERS] = {
        .subject = "{LABEL} {name} stopped{again} in {where}, logging again after {gap}",
        .subject_short = "{LABEL} {name} stopped{again} in {where}, logging again",
        .headline = "{name} in {where} was stopped{again}, and is logging again.",
        .loss = LOST_FOR_GOOD,
        .deed = "{tried}",
        .advice = FIND_OUT,
    },
    [TELLING_RESTART_FAILED] = {
        .subject = "{LABEL} {name} stopped{again} in {where}, still stopped: the restart failed",
        .subject_short = "{LABEL} {name} stopped{again} in {where}, restart failed",
        .headline = "{name} in {where} is stopped{again} and records nothing. The restart failed.",
        .loss = LOST_FOR_GOOD,
        .deed =
                "Tried to start logging ({attempts}). That failed{because}\n"
                "It retries at least once a minute.",
        .advice =
                "1. Start it yourself, with credentials that may: "
                START_IT
                WHO_STOPPED_IT
                "\n"
                "3. If access was denied: did the guard's policy or role, or an SCP, change?",
    },
    [TELLING_RESTART_PENDING] = {
        .subject = "{LABEL} {name} stopped{again} in {where}, the restart is under way",
        .subject_short = "{LABEL} {name} stopped{again} in {where}, restarting",
        .headline = "{name} in {where} is stopped{again}. The restart is not confirmed yet.",
        .loss = LOST_FOR_GOOD,
        .deed = "Is starting it; AWS has not confirmed that yet. The next message reports the result.",
        .advice =
                "1. If no message follows within minutes, start it yourself: "
                START_IT
                WHO_STOPPED_IT,
    },
    [TELLING_OBSERVED] = {
        .subject = "{LABEL} {name} stopped{again} in {where}, not restarted (mode observe)",
        .subject_short = "{LABEL} {name} stopped{again} in {where}, not restarted",
        .headline =
                "{name} in {where} is stopped{again} and records nothing. TrailGuard may not start it.",
        .loss = LOST_FOR_GOOD,
        .deed = "{tried}",
        .advice =
                "1. Start it: "
                START_IT
                WHO_STOPPED_IT,
    },
    [TELLING_STOP_ALLOWED] = {
        .subject = "{LABEL} {name} stopped{again} in {where}, as maintenance allows",
        .subject_short = "{LABEL} {name} stopped{again} in {where}",
        .headline =
                "{name} in {where} is stopped{again}. A maintenance window allows that. TrailGuard starts "
                "the trail "
                "when the window ends.",
        .loss = LOST_FOR_GOOD,
        .deed = "{tried}",
        .advice = "Nothing, if this work was planned. If not, start it: aws cloudtrail start-logging "
                  "--region {region} --name {arn}",
    },
    [TELLING_PROTECTED] = {
        .subject = "{LABEL} {name} stopped{again} in {where}, not restarted: another account owns it",
        .subject_short = "{LABEL} {name} stopped{again} in {where}, not restarted",
        .headline = "{name} in {where} is stopped{again}. It is an organization trail of another account.",
        .loss = LOST_FOR_GOOD,
        .deed = "{tried}",
        .advice =
                "1. Tell the owners of the organization's management account: the trail must be started "
                "there.\n"
                "2. Until then that trail records nothing of what happens in this account.",
    },
    [TELLING_INTERRUPTED] = {
        .subject = "{LABEL} {name} was off{again} for {gap} in {where}",
        .subject_short = "{LABEL} {name} was off{again} in {where}",
        .headline = "{name} in {where} was stopped{again} and started between two polls. It is logging.",
        .loss = LOST_FOR_GOOD,
        .deed = "Nothing: at the next poll the trail was logging again.",
        .advice = FIND_OUT,
    },
    [TELLING_MISSING] = {
        .subject = "{LABEL} {name} missing in {where}{deletion}",
        .subject_short = "{LABEL} {name} missing in {where}",
        .headline =
                "{name} in {where} is gone: in its home region, the list of trails and GetTrailStatus both "
                "say so.",
        .loss =
                "This trail records nothing any more. The log files that it delivered are still in its "
                "bucket, unless "
                "that was emptied too. "
                STILL_IN_HISTORY,
        .deed = "{created}",
        .advice =
                "1. Find out who deleted it (command above), and whether it was planned.\n"
                "2. If it was not planned: treat the credentials that were used as stolen. Create the "
                "trail again "
                "under the same name, so that the bucket's policy still fits.\n"
                "3. If it was planned: trailguard accept {name}; or remove it from trails in "
                "trailguard.conf, or add "
                "it to ignore.",
    },
    [TELLING_NEVER_FOUND] = {
        .subject = "{LABEL} {name} missing in {where}, never found",
        .subject_short = "{LABEL} {name} missing in {where}",
        .headline = "{name} in {where} does not exist. trailguard.conf names it, and TrailGuard has never "
                    "found it.",
        .loss = "This trail records nothing. " STILL_IN_HISTORY,
        .deed = "Nothing: there is no baseline to create it from.",
        .advice =
                "1. Is the name in trails in trailguard.conf right? If not, correct it.\n"
                "2. If the trail was deleted, find out by whom (command above), and create it again.",
    },
    [TELLING_RETURNED] = {
        .subject = "{LABEL} {name} deleted in {where}, exists again",
        .headline = "{name} in {where} was deleted, and exists again.",
        .loss =
                "Events that occurred between the deletion and the new trail's start are lost to this "
                "trail. "
                STILL_IN_HISTORY,
        .deed = "{created}",
        .advice = FIND_OUT,
    },
    [TELLING_RECREATED] = {
        .subject = "{LABEL} {name} deleted in {where}{deletion}",
        .subject_short = "{LABEL} {name} deleted in {where}",
        .headline = "{name} in {where} was deleted. TrailGuard created it again, and it is logging.",
        .loss =
                "Events that occurred between the deletion and now are lost to this trail. The log files "
                "that it "
                "delivered before are still in its bucket, unless that was emptied too. "
                STILL_IN_HISTORY,
        .deed = "{created}",
        .advice = FIND_OUT,
    },
    [TELLING_REPLACED] = {
        .subject = "{LABEL} {name} deleted and created again in {where}",
        .headline =
                "{name} in {where} was deleted and created again between two polls: it has the same ARN, "
                "but none of "
                "the old trail's times.",
        .loss =
                "Events that occurred between the deletion and the new trail's start are lost. AWS does "
                "not say how "
                "long that was. "
                STILL_IN_HISTORY,
        .deed = "Compares the new trail's settings with the baseline. A message of its own reports what "
                "differs.",
        .advice = FIND_OUT,
    },
    [TELLING_WEAKENED] = {
        .subject = "{LABEL} {name} {weakened} in {where}: {fields}{change}",
        .subject_short = "{LABEL} {name} {weakened} in {where}: {fields}{change short}",
        .subject_shortest = "{LABEL} {name} {weakened} in {where}: {fields}",
        .headline = "{name} in {where} was {weakened}: {field names}. {outcome}",
        .loss = "{losses}",
        .deed = "{put back}",
        .advice = CHANGED_ADVICE,
    },
    [TELLING_UNMET] = {
        .subject = "{LABEL} {name} does not meet the configuration in {where}: {fields}",
        .subject_short = "{LABEL} {name} does not meet the configuration in {where}",
        .headline = "{name} in {where} does not meet the configured expectation since the configuration "
                    "changed: {field names}.",
        .deed = "{met}",
        .advice = UNMET_ADVICE,
    },
    [TELLING_UNMET_RESTORED] = {
        .subject = "{LABEL} {name} set as now configured in {where}: {fields}",
        .subject_short = "{LABEL} {name} set as now configured in {where}",
        .headline = "{name} in {where} did not meet the configured expectation since the configuration "
                    "changed ({field names}). It meets it now.",
        .deed = "{met}",
        .advice = "Nothing, if the change of the configuration was planned.",
    },
    [TELLING_FAILING] = {
        .subject = "{LABEL} {name} cannot deliver {kinds} in {where}{why}",
        .subject_short = "{LABEL} {name} cannot deliver in {where}{why}",
        .headline = "{name} in {where} logs, but cannot deliver {kinds}{why}.",
        .loss = "{unsent}",
        .advice = DELIVERY_ADVICE,
    },
    [TELLING_STALE] = {
        .subject = "{LABEL} {name} delivers nothing in {where}",
        .headline = "{name} in {where} logs, and AWS reports no error, but {detail}.",
        .loss = STALE_LOSS,
        .advice = STALE_ADVICE,
    },
    [TELLING_BUCKET] = {
        .subject = "{LABEL} {name}'s bucket fails its check in {where}{why}",
        .subject_short = "{LABEL} {name}: its bucket in {where}{why}",
        .headline = "The bucket of {name} in {where} fails its check{why}.",
        .loss = BUCKET_LOSS,
        .advice = BUCKET_ADVICE,
    },
    [TELLING_LIFECYCLE] = {
        .subject = "{LABEL} {name}'s log files are deleted early in {where}{why}",
        .subject_short = "{LABEL} {name}: log files deleted early in {where}",
        .headline = "A lifecycle rule of the bucket of {name} in {where} deletes log files early{why}.",
        .loss = LIFECYCLE_LOSS,
        .advice = LIFECYCLE_ADVICE,
    },
    [TELLING_KEY] = {
        .subject = "{LABEL} {name}'s key cannot be used in {where}{why}",
        .subject_short = "{LABEL} {name}: its KMS key in {where}{why}",
        .headline = "The KMS key of {name} in {where} cannot be used{why}.",
        .loss = KEY_LOSS,
        .advice = KEY_ADVICE,
    },
    [TELLING_ATTRIBUTED] = {
        .subject = "{LABEL} {name} {deed} in {where} by {who}{still}",
        .subject_short = "{LABEL} {name} {deed} in {where} by {who}",
        .headline = "{name} in {where} was {deed} by {who}.{still now}",
        .advice =
                "1. Ask them. If they did not do it, disable the credentials and check what else was done "
                "with them: "
                "the access key and the event id above are in the account's event history.\n"
                "2. The caller chooses the user agent, so it proves nothing.\n"
                "3. trailguard policy deny prints a policy that forbids such calls.",
    },
    [TELLING_NOBODY] = {
        .subject = "{LABEL} {name} {deed} in {where}, caller not found{still}",
        .subject_short = "{LABEL} {name} {deed} in {where}, caller not found",
        .headline = "{name} in {where} was {deed}. TrailGuard did not find out by whom.{still now}",
        .deed = "Searched the account's event history for 20 minutes. It shows no such call.",
        .advice =
                "1. Events may arrive later: search again with the command above, also in {global region}.\n"
                "2. If it is an organization trail, the call is in the management account's event history.",
    },
    [TELLING_NOT_SEARCHED] = {
        .subject = "{LABEL} {name} {deed} in {where}, caller unknown: {detail}",
        .subject_short = "{LABEL} {name} {deed} in {where}, caller unknown",
        .headline =
                "{name} in {where} was {deed}. TrailGuard could not find out by whom: it could not search "
                "the event "
                "history: {detail}.{still now}",
        .deed = "Tried for 20 minutes to search the account's event history.",
        .advice =
                "1. Search yourself, with the command above.\n"
                "2. If access was denied: the guard needs cloudtrail:LookupEvents. trailguard policy guard "
                "prints its "
                "policy. If the guard had that right before, find out who took it away.",
    },
    [TELLING_ATTEMPTED] = {
        .subject = "{LABEL} {who} tried {call} on {name} in {where}: {refusal}",
        .subject_short = "{LABEL} {who} tried {call} on {name} in {where}",
        .subject_shortest = "{LABEL} {call} tried on {name} in {where}",
        .headline = "{who} tried {call} on {name} in {where}. AWS refused it: {refusal}.{still now}{others}",
        .advice =
                "1. Ask them. If they did not do it, treat the credentials that were used as stolen: what "
                "was refused "
                "here may be granted elsewhere.\n"
                "2. Check in the account's event history what else was done with them.",
    },
    [TELLING_BASELINE_WEAK] = {
        .subject = "{LABEL} {name} in {where} was weak when recorded: {detail}",
        .subject_short = "{LABEL} {name} in {where} was weak when recorded",
        .headline =
                "The baseline of {name} in {where} is weak: {detail}. TrailGuard recorded the trail's "
                "settings as they "
                "were, and does not make them stronger.",
        .advice =
                "1. Make the trail stronger, then: trailguard accept {name}\n"
                "2. Or say in expect in trailguard.conf what you require.\n"
                "This message is sent once.",
    },
    [TELLING_BASELINES_WEAK] = {
        .subject = "{LABEL} more trails were weak when recorded: {detail}",
        .headline =
                "More trails have weak baselines: {detail}. TrailGuard recorded their settings as they "
                "were, and does "
                "not make them stronger.",
        .advice =
                "1. The journal says what is weak about each: journalctl -u trailguard -g 'was weak'\n"
                "2. Make the trails stronger, then: trailguard accept\n"
                "3. Or say in expect in trailguard.conf what you require.\n"
                "This message is sent once.",
    },
    [TELLING_BASELINE_DAMAGED] = {
        .subject = "{LABEL} the baseline of {name} in {where} is damaged",
        .headline =
                "The baseline file of {name} in {where} is damaged, and was set aside: {detail}. "
                "TrailGuard no longer "
                "knows what the trail's settings must be, and cannot detect a change made before now. The "
                "cause may be "
                "the disk, or someone who wants to hide a change.",
        .advice =
                "1. Compare the trail's settings by hand with what you set. Do not trust its present "
                "settings.\n"
                "2. Find out who could write the file: it belongs to the daemon's user and to root.\n"
                "3. Restore a good copy of the file from a backup, or say in expect in trailguard.conf "
                "what you "
                "require.\n"
                "This message is sent once.",
    },
    [TELLING_BASELINE_ACCEPTED] = {
        .subject = "{LABEL} new baseline of {name} accepted in {where}: {fields}",
        .subject_short = "{LABEL} new baseline of {name} accepted in {where}",
        .headline = "The present settings of {name} in {where} are its new baseline. Accepted by: {detail}.",
        .advice = ACCEPTED_ADVICE,
    },
    [TELLING_GONE_ACCEPTED] = {
        .subject = "{LABEL} {name} accepted as gone in {where}",
        .headline = "{name} in {where} is accepted as gone, and no longer guarded. Accepted by: {detail}.",
        .deed = "No longer polls the trail. If it comes back, its settings at that time become its "
                "baseline.",
        .advice = ACCEPTED_ADVICE,
    },
    [TELLING_UNREACHABLE_TRAIL] = {
        .subject = "{LABEL} cannot poll {name} in {where}: {error}",
        .headline =
                "TrailGuard cannot poll {name} in {where}: {error}. It does not know whether the trail is "
                "logging.",
        .deed = UNREACHABLE_DEED,
        .advice = UNREACHABLE_ADVICE,
    },
    [TELLING_UNREACHABLE_TARGET] = {
        .subject = "{LABEL} cannot poll {where}: {error}",
        .headline =
                "TrailGuard cannot poll {where}: {error}. It does not know whether the trails there are "
                "logging.",
        .deed = UNREACHABLE_DEED,
        .advice = UNREACHABLE_ADVICE,
    },
    [TELLING_UNREACHABLE_ACCOUNT] = {
        .subject = "{LABEL} cannot poll {where}: {error}",
        .headline =
                "TrailGuard cannot poll {where}: {error}. It does not know whether the account's trails "
                "are logging.",
        .deed = UNREACHABLE_DEED,
        .advice = UNREACHABLE_ACCOUNT_ADVICE,
    },
    [TELLING_LEFT] = {
        .subject = "{LABEL} {where} is no longer an active member of the organization",
        .headline = "{where} is no longer an active member of the organization. TrailGuard no longer polls "
                    "its trails.",
        .loss =
                "The organization's trails no longer record what happens in that account. Its own trails "
                "may still "
                "record, unguarded.",
        .deed = "Stopped polling: {detail}.",
        .advice = LEFT_ADVICE,
    },
    [TELLING_ACCOUNT_ATTRIBUTED] = {
        .subject = "{LABEL} {where} {departed} by {who}",
        .headline = "{where} was {departed} by {who}.{member now}",
        .advice =
                "1. Ask them. If they did not do it, disable the credentials and check what else was done with "
                "them: the access key and the event id above are in the event history.\n"
                "2. The caller chooses the user agent, so it proves nothing.\n"
                "3. Outside the organization, or in another unit of it, its previous service control "
                "policies no longer apply to the account.",
    },
    [TELLING_ACCOUNT_DEPARTED] = {
        .subject = "{LABEL} {where} {departure}",
        .headline = "{where} {departure}.{member now}",
        .deed = "Searched the event history of the management account. It has AWS's record of the departure, "
                "and no call behind it.",
        .advice = DEPARTED_ADVICE,
    },
    [TELLING_ACCOUNT_NOBODY] = {
        .subject = "{LABEL} {where} taken out of the organization, caller not found",
        .headline = "TrailGuard did not find out who took {where} out of the organization.{member now}",
        .deed = "Searched the event history of the management account for 20 minutes. It shows no such call.",
        .advice = LEFT_ADVICE,
    },
    [TELLING_ACCOUNT_NOT_SEARCHED] = {
        .subject = "{LABEL} {where} taken out of the organization, caller unknown",
        .headline =
                "TrailGuard could not find out who took {where} out of the organization: it could not search the "
                "event history of the management account: {detail}.{member now}",
        .deed = "Tried for 20 minutes to search the event history of the management account.",
        .advice = LEFT_ADVICE,
    },
    [TELLING_UNREADABLE] = {
        .subject = "{LABEL} {name} in {where}: cannot read {unreadable}",
        .headline =
                "TrailGuard cannot read {unreadable} of {name} in {where}. It still polls whether the "
                "trail logs, but "
                "cannot detect changes to what it cannot read.",
        .deed = "AWS's answer: {detail}\n"
                "It keeps polling, and compares when it can read again.",
        .advice = UNREADABLE_ADVICE,
    },
    [TELLING_READABLE] = {
        .subject = "RESOLVED {name} in {where}: can read {unreadable} again",
        .headline = "TrailGuard can read {unreadable} of {name} in {where} again.",
        .advice = "Nothing, if you know why they could not be read. If TrailGuard now finds a change, it "
                  "sends a "
                  "message of its own.",
    },
    [TELLING_LIST_UNREADABLE] = {
        .subject = "{LABEL} cannot read the list of trails in {where}",
        .headline =
                "TrailGuard cannot read the list of trails in {where}. It still polls the status of the "
                "trails that it "
                "knows, but cannot detect changed settings, new trails and deletions.",
        .deed = "{polls} in a row failed{because}\n"
                "It keeps polling.",
        .advice = UNREADABLE_ADVICE,
    },
    [TELLING_LIST_READABLE] = {
        .subject = "RESOLVED can read the list of trails in {where} again",
        .headline = "TrailGuard can read the list of trails in {where} again.",
        .advice = "Nothing, if you know why it could not be read. If TrailGuard now finds a change, it "
                  "sends a "
                  "message of its own.",
    },
    [TELLING_UNCOVERED] = {
        .subject = "{LABEL} no trail records {where}",
        .headline = "No trail records what happens in {where}.",
        .loss = "Events of this region are delivered nowhere. " STILL_IN_HISTORY,
        .advice = UNCOVERED_ADVICE,
    },
    [TELLING_LOGGING_AGAIN] = {
        .subject = "RESOLVED {name} logging again in {where} after {gap}",
        .subject_short = "RESOLVED {name} logging again in {where}",
        .headline = "{name} in {where} is logging again.",
        .loss = LOST_FOR_GOOD,
        .deed = "{tried}",
        .advice =
                "1. If you have not done so yet, find out who stopped it (command above).\n"
                "2. Review the account's event history for the time of the gap.",
    },
    [TELLING_THERE_AGAIN] = {
        .subject = "RESOLVED {name} exists and logs again in {where}{after}",
        .subject_short = "RESOLVED {name} exists again in {where}",
        .headline = "{name} in {where} exists again, and is logging.",
        .deed = "{created}",
        .advice = "1. If you have not done so yet, find out who deleted it.\n"
                  "2. Review the account's event history for the time in between.",
    },
    [TELLING_AS_BEFORE] = {
        .subject = "RESOLVED {name} matches its baseline in {where}: {fields}{change}",
        .subject_short = "RESOLVED {name} matches its baseline in {where}: {fields}",
        .subject_shortest = "RESOLVED {name} matches its baseline in {where}",
        .headline = "{name} in {where} matches its baseline again. {outcome}",
        .loss = "{losses}",
        .deed = "{put back}",
        .advice = "If you have not done so yet, find out who changed it.",
    },
    [TELLING_ACCEPTED_AS_IS] = {
        .subject = "RESOLVED {name} accepted as it is in {where}: {fields}",
        .subject_short = "RESOLVED {name} accepted as it is in {where}",
        .headline = "The present settings of {name} in {where} were accepted as its baseline: {field "
                    "names}.",
        .deed = "Compares the trail with the accepted settings from now on.",
        .advice = ACCEPTED_ADVICE,
    },
    [TELLING_MET] = {
        .subject = "RESOLVED {name} meets the configuration in {where}: {fields}",
        .subject_short = "RESOLVED {name} meets the configuration in {where}",
        .headline = "{name} in {where} meets the configuration: {field names}.",
        .deed = "{met}",
        .advice = "Nothing, if the change of the trail or of the configuration was planned.",
    },
    [TELLING_WELL_AGAIN] = {
        .subject = "RESOLVED {name} {recovered} in {where} after {since}",
        .headline = "{name} in {where} {recovered}.",
        .advice = "Nothing, if you know what the cause was.",
    },
    [TELLING_FORGOTTEN] = {
        .subject = "RESOLVED {name} no longer guarded in {where}",
        .headline = "{name} in {where} is no longer guarded: {detail}.",
        .advice = "Nothing, if this was planned. A message of its own says who accepted that a trail may "
                  "be gone; the "
                  "configuration is changed on the guard's host.",
    },
    [TELLING_FORGOTTEN_TARGET] = {
        .subject = "RESOLVED {where} no longer guarded",
        .headline = "{where} is no longer guarded: {detail}.",
        .advice = "Nothing, if this was planned. If not, find out who changed it.",
    },
    [TELLING_REACHABLE_TRAIL] = {
        .subject = "RESOLVED can poll {name} again in {where} after {since}",
        .headline = "TrailGuard can poll {name} in {where} again.",
        .advice = REACHABLE_ADVICE,
    },
    [TELLING_REACHABLE_TARGET] = {
        .subject = "RESOLVED can poll {where} again after {since}",
        .headline = "TrailGuard can poll {where} again.",
        .advice = REACHABLE_ADVICE,
    },
    [TELLING_COVERED] = {
        .subject = "RESOLVED a trail records {where} again",
        .headline = "A trail records what happens in {where} again.",
        .advice = "Nothing.",
    },
    [TELLING_STILL_STOPPED] = {
        .subject = "REMINDER {name} still stopped in {where}, for {since}",
        .headline = "{name} in {where} is still stopped and records nothing.",
        .loss = LOST_FOR_GOOD,
        .deed = "{tried}",
        .advice =
                "1. Start it: "
                START_IT
                WHO_STOPPED_IT,
    },
    [TELLING_STILL_STOP_ALLOWED] = {
        .subject = "REMINDER {name} still stopped in {where}, for {since}, as maintenance allows",
        .subject_short = "REMINDER {name} still stopped in {where}, for {since}",
        .headline = "{name} in {where} is still stopped and records nothing. A maintenance window allows that. "
                    "TrailGuard starts the trail when the window ends.",
        .loss = LOST_FOR_GOOD,
        .deed = "{tried}",
        .advice = "Nothing, if this work was planned. If not, start it: aws cloudtrail start-logging "
                  "--region {region} --name {arn}",
    },
    [TELLING_STILL_PROTECTED] = {
        .subject = "REMINDER {name} still stopped in {where}, for {since}: another account owns it",
        .subject_short = "REMINDER {name} still stopped in {where}, for {since}",
        .headline = "{name} in {where} is still stopped. It is an organization trail of another account.",
        .loss = LOST_FOR_GOOD,
        .deed = "{tried}",
        .advice = "The owners of the organization's management account must start it there.",
    },
    [TELLING_STILL_NEVER_FOUND] = {
        .subject = "REMINDER {name} still does not exist in {where}, for {since}",
        .subject_short = "REMINDER {name} still does not exist in {where}",
        .headline = "{name} in {where} still does not exist. trailguard.conf names it.",
        .deed = "Nothing: there is no baseline to create it from.",
        .advice = "Create it; or correct its name in trails in trailguard.conf, or remove it there.",
    },
    [TELLING_STILL_MISSING] = {
        .subject = "REMINDER {name} still missing in {where}, for {since}",
        .headline = "{name} in {where} is still missing and records nothing.",
        .deed = "{created}",
        .advice =
                "Create it again under the same name. If it was deleted on purpose: trailguard accept "
                "{name}; or "
                "remove it from trails in trailguard.conf, or add it to ignore.",
    },
    [TELLING_STILL_WEAKENED] = {
        .subject = "REMINDER {name} still {weakened} in {where}, for {since}: {left}",
        .subject_short = "REMINDER {name} still {weakened} in {where}, for {since}",
        .headline = "{name} in {where} is still {weakened}. These settings differ from its baseline: "
                    "{left}.",
        .loss = "{losses}",
        .deed = "{put back}",
        .advice = CHANGED_ADVICE,
    },
    [TELLING_STILL_UNMET] = {
        .subject = "REMINDER {name} still does not meet the configuration in {where}: {left}",
        .subject_short = "REMINDER {name} still does not meet the configuration in {where}",
        .headline = "{name} in {where} still does not meet the configured expectation: {left}.",
        .deed = "{met}",
        .advice = UNMET_ADVICE,
    },
    [TELLING_STILL_FAILING] = {
        .subject = "REMINDER {name} still cannot deliver {kinds} in {where}, for {since}",
        .subject_short = "REMINDER {name} still cannot deliver in {where}, for {since}",
        .headline = "{name} in {where} still cannot deliver {kinds}.",
        .loss = "{unsent}",
        .advice = DELIVERY_ADVICE,
    },
    [TELLING_STILL_STALE] = {
        .subject = "REMINDER {name} still delivers nothing in {where}, for {since}",
        .subject_short = "REMINDER {name} still delivers nothing in {where}",
        .headline = "{name} in {where} logs, and AWS reports no error, but it still delivers nothing.",
        .loss = STALE_LOSS,
        .advice = STALE_ADVICE,
    },
    [TELLING_STILL_BUCKET] = {
        .subject = "REMINDER {name}'s bucket still fails its check in {where}, for {since}",
        .subject_short = "REMINDER {name}: its bucket still wrong in {where}, for {since}",
        .headline = "The bucket of {name} in {where} still fails its check.",
        .loss = BUCKET_LOSS,
        .advice = BUCKET_ADVICE,
    },
    [TELLING_STILL_LIFECYCLE] = {
        .subject = "REMINDER {name}'s log files are still deleted early in {where}, for {since}",
        .subject_short = "REMINDER {name}: log files still deleted early in {where}",
        .headline = "A lifecycle rule of the bucket of {name} in {where} still deletes log files early.",
        .loss = LIFECYCLE_LOSS,
        .advice = LIFECYCLE_ADVICE,
    },
    [TELLING_STILL_KEY] = {
        .subject = "REMINDER {name}'s key still cannot be used in {where}, for {since}",
        .subject_short = "REMINDER {name}: its KMS key still unusable in {where}",
        .headline = "The KMS key of {name} in {where} still cannot be used.",
        .loss = KEY_LOSS,
        .advice = KEY_ADVICE,
    },
    [TELLING_STILL_UNREACHABLE_TRAIL] = {
        .subject = "REMINDER still cannot poll {name} in {where}, for {since}",
        .headline = "TrailGuard still cannot poll {name} in {where}: {error}.",
        .deed = UNREACHABLE_DEED,
        .advice = UNREACHABLE_ADVICE,
    },
    [TELLING_STILL_UNREACHABLE_TARGET] = {
        .subject = "REMINDER still cannot poll {where}, for {since}",
        .headline = "TrailGuard still cannot poll {where}: {error}.",
        .deed = UNREACHABLE_DEED,
        .advice = UNREACHABLE_ADVICE,
    },
    [TELLING_STILL_UNREACHABLE_ACCOUNT] = {
        .subject = "REMINDER still cannot poll {where}, for {since}",
        .headline = "TrailGuard still cannot poll {where}: {error}.",
        .deed = UNREACHABLE_DEED,
        .advice = UNREACHABLE_ACCOUNT_ADVICE,
    },
    [TELLING_STILL_LEFT] = {
        .subject = "REMINDER {where} is still no member of the organization, for {since}",
        .headline = "{where} is still no active member of the organization, and not guarded.",
        .advice = LEFT_ADVICE,
    },
    [TELLING_STILL_UNREADABLE] = {
        .subject = "REMINDER {name} in {where}: still cannot read {unreadable}, for {since}",
        .subject_short = "REMINDER {name} in {where}: still cannot read {unreadable}",
        .headline = "TrailGuard still cannot read {unreadable} of {name} in {where}.",
        .advice = UNREADABLE_ADVICE,
    },
    [TELLING_STILL_LIST_UNREADABLE] = {
        .subject = "REMINDER still cannot read the list of trails in {where}, for {since}",
        .headline = "TrailGuard still cannot read the list of trails in {where}: {error}.",
        .advice = UNREADABLE_ADVICE,
    },
    [TELLING_STILL_UNCOVERED] = {
        .subject = "REMINDER still no trail records {where}, for {since}",
        .headline = "Still no trail records what happens in {where}.",
        .advice = UNCOVERED_ADVICE,
    },
    [TELLING_REPEATED_TRAIL] = {
        .subject = "{LABEL} {name} in trouble {count} more in {where}, {now}",
        .subject_short = "{LABEL} {name}: trouble {count} more in {where}",
        .headline = "The incident of {name} in {where} recurred {count}. The trail is {now}.",
        .deed = "Sums up these times in one message.",
        .advice =
                "1. A person or a program keeps doing this. Find out who, and take the right away: "
                "trailguard policy "
                "deny prints a policy that forbids it.\n"
                "2. Review the account's event history for the time of the gaps.",
    },
    [TELLING_REPEATED_TARGET] = {
        .subject = "{LABEL} trouble {count} more in {where}, {now}",
        .headline = "The incident of {where} recurred {count}. It is {now}.",
        .deed = "Sums up these times in one message.",
        .advice = "For the present state: trailguard status",
    },
    [TELLING_CHANNEL_FAILED] = {
        .subject = "{LABEL} channel failed: {detail}",
        .headline = "Alerts cannot be sent through this channel: {detail}",
        .deed = "Keeps the alerts, and retries at least every 5 minutes.",
        .advice =
                "1. Does the topic still exist, and does its policy let the guard publish? Is its KMS key "
                "enabled?\n"
                "2. If nobody changed it on purpose, someone may be trying to silence the guard.\n"
                "3. trailguard test-alert shows each channel's receipt.",
    },
    [TELLING_CHANNEL_RECOVERED] = {
        .subject = "RESOLVED channel works again: {detail}",
        .headline = "Alerts can be sent through this channel again: {detail}",
        .deed = "Sends the alerts that were waiting.",
        .advice = "Nothing, if you know why it failed.",
    },
    [TELLING_TEST] = {
        .subject = "TEST alert from {host}",
        .headline = "This is a test: alerts from TrailGuard on {host} reach you.",
        .advice = "Nothing.",
    },
};
