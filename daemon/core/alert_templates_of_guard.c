/* SPDX-License-Identifier: Apache-2.0 */
/* The words of alerts about what cannot be polled, about channels, and about incidents that are over or
 * last. */
#include "daemon/core/alert_tellings.h"

#define REACHABLE_ADVICE                                                                                    \
    "Nothing, if you know why polling failed. If TrailGuard now finds a stop or a gap, it sends a message " \
    "of its own."

const AlertTemplate alert_templates_of_guard[_TELLING_MAX] = {
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
                "3. Outside the organization, or in another unit of it, the service control policies of before "
                "do not apply to the account.",
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
