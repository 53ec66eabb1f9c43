/* SPDX-License-Identifier: Apache-2.0 */
/* The words of alerts about trails in trouble, and about who brought them there: one row a way of telling.
 */
#include "daemon/core/alert_tellings.h"

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
        .headline = "{name} in {where} is no longer guarded: it may be gone. Accepted by: {detail}.",
        .deed = "No longer polls the trail. If it comes back, its settings at that time become its "
                "baseline.",
        .advice = ACCEPTED_ADVICE,
    },
};
