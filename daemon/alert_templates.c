/* SPDX-License-Identifier: Apache-2.0 */
/* The words of alerts about trails in trouble, and about who brought them there: one row a way of telling.
 */
#include "daemon/alert_tellings.h"

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
        .headline = "{name} in {where} was stopped{again}. It is logging again, started by somebody else.",
        .loss = LOST_FOR_GOOD,
        .deed = "{tried}",
        .advice = FIND_OUT,
    },
    [TELLING_RESTART_FAILED] = {
        .subject = "{LABEL} {name} stopped{again} in {where}, still stopped: the restart failed",
        .subject_short = "{LABEL} {name} stopped{again} in {where}, restart failed",
        .headline = "{name} in {where} is stopped{again}, and the restart failed. Nothing is recorded.",
        .loss = LOST_FOR_GOOD,
        .deed =
                "Tried to start logging ({attempts}); it failed: {detail}\n"
                "It goes on trying, at most a minute apart.",
        .advice =
                "1. Start it yourself, with credentials that may: "
                START_IT
                WHO_STOPPED_IT
                "\n"
                "3. denied: has somebody changed the guard's policy, role or SCP?",
    },
    [TELLING_RESTART_PENDING] = {
        .subject = "{LABEL} {name} stopped{again} in {where}, the restart is under way",
        .subject_short = "{LABEL} {name} stopped{again} in {where}, restarting",
        .headline = "{name} in {where} is stopped{again}. The restart has not been confirmed yet.",
        .loss = LOST_FOR_GOOD,
        .deed = "Is starting it again; AWS has not answered yet. The next message says how it went.",
        .advice =
                "1. If no message follows within minutes, start it yourself: "
                START_IT
                WHO_STOPPED_IT,
    },
    [TELLING_OBSERVED] = {
        .subject = "{LABEL} {name} stopped{again} in {where}, not restarted (mode observe)",
        .subject_short = "{LABEL} {name} stopped{again} in {where}, not restarted",
        .headline =
                "{name} in {where} is stopped{again}. Nothing is recorded, and TrailGuard may not start "
                "it.",
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
                "{name} in {where} is stopped{again}. A maintenance window lets it be; when the window is "
                "over it is started.",
        .loss = LOST_FOR_GOOD,
        .deed = "{tried}",
        .advice = "Nothing, if you know of this work. If you do not, start it: aws cloudtrail start-logging "
                  "--region {region} --name {arn}",
    },
    [TELLING_PROTECTED] = {
        .subject = "{LABEL} {name} stopped{again} in {where}, not ours to restart",
        .subject_short = "{LABEL} {name} stopped{again} in {where}, not restarted",
        .headline = "{name} in {where} is stopped{again}. It is an organization trail of another account.",
        .loss = LOST_FOR_GOOD,
        .deed = "{tried}",
        .advice =
                "1. Tell the owners of the organization's management account: the trail has to be "
                "started there.\n"
                "2. Until then that trail records nothing of what this account does.",
    },
    [TELLING_FLAPPED] = {
        .subject = "{LABEL} {name} was off{again} for {gap} in {where}",
        .subject_short = "{LABEL} {name} was off{again} in {where}",
        .headline = "{name} in {where} was stopped{again} and started between two looks. It is logging.",
        .loss = LOST_FOR_GOOD,
        .deed = "Nothing was left to do.",
        .advice = FIND_OUT,
    },
    [TELLING_MISSING] = {
        .subject = "{LABEL} {name} missing in {where}{deletion}",
        .subject_short = "{LABEL} {name} missing in {where}",
        .headline =
                "{name} in {where} {is gone}: the region's list and its status in the home region both say "
                "so.",
        .loss =
                "Nothing is recorded by this trail any more. What it delivered before is still in its "
                "bucket, unless that was emptied too. "
                BY_NOW,
        .deed = "{created}",
        .advice =
                "1. Find out who deleted it (command above), and whether it was planned.\n"
                "2. If it was not: treat the credentials that were used as stolen, and create the trail "
                "again under the same name, so that the bucket's policy still fits.\n"
                "3. If it was: trailguard accept {name}; or take it out of trails in trailguard.conf, or list "
                "it under ignore.",
    },
    [TELLING_RECREATED] = {
        .subject = "{LABEL} {name} deleted in {where}{deletion}",
        .subject_short = "{LABEL} {name} deleted in {where}",
        .headline = "{name} in {where} was deleted. TrailGuard created it again, and it is logging.",
        .loss =
                "What happened between the deletion and now is lost to this trail. What it delivered before "
                "is still in its bucket, unless that was emptied too. "
                BY_NOW,
        .deed = "{created}",
        .advice = FIND_OUT,
    },
    [TELLING_RECREATED_BY_OTHERS] = {
        .subject = "{LABEL} {name} deleted and created anew in {where}",
        .headline =
                "{name} in {where} was deleted and created anew between two looks: it has the old ARN, but none "
                "of the old trail's times.",
        .loss =
                "What happened between the deletion and the new trail's start is lost; AWS does not say how "
                "long that was. "
                BY_NOW,
        .deed = "Compares the new trail's settings with the baseline; what differs has a message of its own.",
        .advice = FIND_OUT,
    },
    [TELLING_WEAKENED] = {
        .subject = "{LABEL} {name} {weakened} in {where}: {fields}{change}",
        .subject_short = "{LABEL} {name} {weakened} in {where}: {fields}{change short}",
        .subject_shortest = "{LABEL} {name} {weakened} in {where}: {fields}",
        .headline = "{name} in {where} was {weakened}: its baseline says otherwise about {field names}. {outcome}",
        .loss = "{losses}",
        .deed = "{put back}",
        .advice = CHANGED_ADVICE,
    },
    [TELLING_UNMET] = {
        .subject = "{LABEL} {name} does not meet the configuration in {where}: {fields}",
        .subject_short = "{LABEL} {name} does not meet the configuration in {where}",
        .headline = "{name} in {where} does not meet the configured expectation since the configuration changed: "
                    "{field names}.",
        .deed = "{met}",
        .advice = UNMET_ADVICE,
    },
    [TELLING_FAILING] = {
        .subject = "{LABEL} {name} cannot deliver {kinds} in {where}: {detail}",
        .subject_short = "{LABEL} {name} cannot deliver in {where}: {detail}",
        .headline = "{name} in {where} logs, but cannot deliver {kinds}: {detail}.",
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
        .subject = "{LABEL} {name}'s bucket is not as it should be in {where}: {detail}",
        .subject_short = "{LABEL} {name}: its bucket in {where}: {detail}",
        .headline = "The bucket of {name} in {where} is not as it should be: {detail}.",
        .loss = BUCKET_LOSS,
        .advice = BUCKET_ADVICE,
    },
    [TELLING_LIFECYCLE] = {
        .subject = "{LABEL} {name}'s log files are deleted early in {where}: {detail}",
        .subject_short = "{LABEL} {name}: log files deleted early in {where}",
        .headline = "A lifecycle rule of the bucket of {name} in {where} deletes log files early: {detail}.",
        .loss = LIFECYCLE_LOSS,
        .advice = LIFECYCLE_ADVICE,
    },
    [TELLING_KEY] = {
        .subject = "{LABEL} {name}'s key cannot be used in {where}: {detail}",
        .subject_short = "{LABEL} {name}: its KMS key in {where}: {detail}",
        .headline = "The KMS key of {name} in {where} cannot be used: {detail}.",
        .loss = KEY_LOSS,
        .advice = KEY_ADVICE,
    },
    [TELLING_ATTRIBUTED] = {
        .subject = "{LABEL} {name} {deed} in {where} by {who}{still}",
        .subject_short = "{LABEL} {name} {deed} in {where} by {who}",
        .headline = "{name} in {where} was {deed} by {who}.{still now}",
        .advice =
                "1. Ask them. Does nobody know of it, disable the credentials, and look at what else they did: "
                "the access key and the event id above are in the account's event history.\n"
                "2. A user agent is what the caller says of itself, and proves nothing.\n"
                "3. trailguard policy deny prints a policy that forbids it.",
    },
    [TELLING_NOBODY] = {
        .subject = "{LABEL} {name}: nobody found who {deed} it in {where}",
        .subject_short = "{LABEL} {name}: nobody found in {where}",
        .headline = "Nobody was found who {deed} {name} in {where}.{still now}",
        .deed = "Searched the account's event history for 20 minutes. It shows no such call.",
        .advice =
                "1. Events may come later still: search again by the command above, also in {global region}.\n"
                "2. For an organization trail the call is in the management account's event history.",
    },
    [TELLING_NOT_SEARCHED] = {
        .subject = "{LABEL} {name}: unknown who {deed} it in {where}: {detail}",
        .subject_short = "{LABEL} {name}: unknown who {deed} it in {where}",
        .headline =
                "It is not known who {deed} {name} in {where}: the event history could not be searched: {detail}."
                "{still now}",
        .deed = "Tried for 20 minutes to search the account's event history.",
        .advice =
                "1. Search yourself, by the command above.\n"
                "2. denied: the guard's policy lacks cloudtrail:LookupEvents (trailguard policy guard prints it), or "
                "somebody has taken it away.",
    },
    [TELLING_ATTEMPTED] = {
        .subject = "{LABEL} {who} tried {call} on {name} in {where}: {refusal}",
        .subject_short = "{LABEL} {who} tried {call} on {name} in {where}",
        .subject_shortest = "{LABEL} {call} tried on {name} in {where}",
        .headline = "{who} tried {call} on {name} in {where}. AWS refused it: {refusal}.{still now}{others}",
        .advice =
                "1. Is it their work? If not, treat the credentials that were used as stolen: what was refused "
                "here may be granted elsewhere.\n"
                "2. Look at what else they did in the account's event history.",
    },
    [TELLING_BASELINE_WEAK] = {
        .subject = "{LABEL} {name} in {where} was weak when recorded: {detail}",
        .subject_short = "{LABEL} {name} in {where} was weak when recorded",
        .headline =
                "{name} in {where} was recorded as it is, and that is weak: {detail}. TrailGuard keeps it as it "
                "is, and does not make it stronger.",
        .advice =
                "1. Make the trail stronger, then: trailguard accept {name}\n"
                "2. Or say in trailguard.conf (expect) what you want it to be.\n"
                "This is said once.",
    },
    [TELLING_BASELINES_WEAK] = {
        .subject = "{LABEL} more trails were weak when recorded: {detail}",
        .headline =
                "More trails were recorded as they are, and that is weak: {detail}. TrailGuard keeps them as they "
                "are, and does not make them stronger.",
        .advice =
                "1. What is weak about each is in the journal: journalctl -u trailguard -g 'was weak'\n"
                "2. Make the trails stronger, then: trailguard accept\n"
                "3. Or say in trailguard.conf (expect) what you want them to be.\n"
                "This is said once.",
    },
    [TELLING_BASELINE_DAMAGED] = {
        .subject = "{LABEL} the baseline of {name} in {where} is damaged",
        .headline =
                "The file with the baseline of {name} in {where} is damaged, and was set aside: {detail}. What the "
                "trail has to be like is not known any more: a change made before now cannot be seen. A disk may "
                "have done this, or a person who wants a change to go unnoticed.",
        .advice =
                "1. Compare the trail with what you set it to, by hand. Do not trust the settings it has now.\n"
                "2. Find out who could write the file: it belongs to the daemon's user and to root.\n"
                "3. Put a good copy of the file back from a backup, or say in trailguard.conf (expect) what the "
                "trail has to be.\n"
                "This is said once.",
    },
    [TELLING_BASELINE_ACCEPTED] = {
        .subject = "{LABEL} new baseline of {name} accepted in {where}: {fields}",
        .subject_short = "{LABEL} new baseline of {name} accepted in {where}",
        .headline = "The settings that {name} in {where} has now are its baseline: {detail}.",
        .advice = ACCEPTED_ADVICE,
    },
    [TELLING_GONE_ACCEPTED] = {
        .subject = "{LABEL} {name} accepted as gone in {where}",
        .headline = "{name} in {where} may be gone: accepted by {detail}.",
        .deed = "Looks for it no more. When it comes back, what it is like then is its baseline.",
        .advice = ACCEPTED_ADVICE,
    },
};
