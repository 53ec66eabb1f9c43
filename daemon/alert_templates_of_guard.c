/* SPDX-License-Identifier: Apache-2.0 */
/* The words of alerts about the guard's sight and channels, and about trouble that is over or goes on. */
#include "daemon/alert_tellings.h"

#define SIGHTED_ADVICE                                                                                      \
    "Nothing, unless you do not know why it was out of sight. A stop or a gap that TrailGuard finds now "   \
    "has a message of its own."

const AlertTemplate alert_templates_of_guard[_TELLING_MAX] = {
    [TELLING_BLIND_TRAIL] = {
        .subject = "{LABEL} guard is blind for {name} in {where}: {error}",
        .headline =
                "TrailGuard cannot see {name} in {where}: {error}. It does not know whether the trail "
                "logs.",
        .deed = BLIND_DEED,
        .advice = BLIND_ADVICE,
    },
    [TELLING_BLIND_TARGET] = {
        .subject = "{LABEL} guard is blind in {where}: {error}",
        .headline =
                "TrailGuard cannot see any trail in {where}: {error}. It does not know whether they log.",
        .deed = BLIND_DEED,
        .advice = BLIND_ADVICE,
    },
    [TELLING_BLIND_ACCOUNT] = {
        .subject = "{LABEL} guard is blind in {where}: {error}",
        .headline =
                "TrailGuard has no credentials for {where}: {error}. It sees none of its trails, and does "
                "not know whether they log.",
        .deed = BLIND_DEED,
        .advice = BLIND_ACCOUNT_ADVICE,
    },
    [TELLING_LEFT] = {
        .subject = "{LABEL} {where} is no active member of the organization any more",
        .headline =
                "{where} is no active member of the organization any more. TrailGuard does not look at its "
                "trails.",
        .loss =
                "The organization's trails record nothing of what happens in that account from now on. "
                "Trails of its own may go on, unguarded.",
        .deed = "{detail}",
        .advice = LEFT_ADVICE,
    },
    [TELLING_ACCOUNT_ATTRIBUTED] = {
        .subject = "{LABEL} {where} {departed} by {who}",
        .headline = "{where} was {departed} by {who}.{member now}",
        .advice =
                "1. Ask them. If nobody knows of it, disable the credentials, and look at what else they did: the "
                "access key and the event id above are in the event history.\n"
                "2. A user agent is what the caller says of itself, and proves nothing.\n"
                "3. Outside the organization, or in another unit of it, the account is not under the service control "
                "policies that it was under before.",
    },
    [TELLING_ACCOUNT_DEPARTED] = {
        .subject = "{LABEL} {where} {departure}",
        .headline = "{where} {departure}.{member now}",
        .deed = "Searched the event history of the management account. It has AWS's record of the departure, and no "
                "call behind it.",
        .advice = DEPARTED_ADVICE,
    },
    [TELLING_ACCOUNT_NOBODY] = {
        .subject = "{LABEL} {where}: nobody found who took it out of the organization",
        .headline = "Nobody was found who took {where} out of the organization.{member now}",
        .deed = "Searched the event history of the management account for 20 minutes. It shows no such call.",
        .advice = LEFT_ADVICE,
    },
    [TELLING_ACCOUNT_NOT_SEARCHED] = {
        .subject = "{LABEL} {where}: unknown who took it out of the organization",
        .headline = "It is not known who took {where} out of the organization: the event history of the management "
                    "account could not be searched: {detail}.{member now}",
        .deed = "Tried for 20 minutes to search the event history of the management account.",
        .advice = LEFT_ADVICE,
    },
    [TELLING_UNREADABLE] = {
        .subject = "{LABEL} {unreadable} of {name} in {where} cannot be read",
        .headline =
                "TrailGuard cannot read {unreadable} of {name} in {where}. Whether the trail logs is still "
                "polled; a change to what cannot be read would go unseen.",
        .deed = "AWS's answer: {detail}\n"
                "It goes on polling, and compares as soon as it can read again.",
        .advice = UNREADABLE_ADVICE,
    },
    [TELLING_LIST_UNREADABLE] = {
        .subject = "{LABEL} the list of trails in {where} cannot be read",
        .headline =
                "TrailGuard cannot read the list of trails in {where}. The status of trails that it knows is "
                "still polled; changed settings, new trails and deletions would go unseen.",
        .deed = "AWS's answer, {looks} in a row: {detail}\n"
                "It goes on polling.",
        .advice = UNREADABLE_ADVICE,
    },
    [TELLING_LIST_READABLE] = {
        .subject = "RESOLVED the list of trails in {where} can be read again",
        .headline = "The list of trails in {where} can be read again.",
        .advice = "Nothing, unless you do not know why it could not be read. What changed meanwhile has a "
                  "message of its own.",
    },
    [TELLING_UNCOVERED] = {
        .subject = "{LABEL} no trail records {where}",
        .headline = "No trail records what happens in {where}.",
        .loss =
                "Nothing that happens in this region is delivered anywhere. The account's event history "
                "keeps management events of the last 90 days all the same.",
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
                "2. Go through the account's event history for the time of the gap.",
    },
    [TELLING_THERE_AGAIN] = {
        .subject = "RESOLVED {name} there and logging again in {where}{after}",
        .subject_short = "RESOLVED {name} there again in {where}",
        .headline = "{name} in {where} is there again, and logging.",
        .deed = "{created}",
        .advice = "1. If you have not done so yet, find out who deleted it.\n"
                  "2. Go through the account's event history for the time in between.",
    },
    [TELLING_AS_BEFORE] = {
        .subject = "RESOLVED {name} as before again in {where}: {fields}{change}",
        .subject_short = "RESOLVED {name} as before again in {where}: {fields}",
        .subject_shortest = "RESOLVED {name} as before again in {where}",
        .headline = "{name} in {where} is as its baseline says again. {outcome}",
        .loss = "{losses}",
        .deed = "{put back}",
        .advice = "1. If you have not done so yet, find out who changed it.",
    },
    [TELLING_ACCEPTED_AS_IS] = {
        .subject = "RESOLVED {name} accepted as it is in {where}: {fields}",
        .subject_short = "RESOLVED {name} accepted as it is in {where}",
        .headline = "What {name} in {where} has now was accepted as its baseline: {field names}.",
        .deed = "Keeps what was accepted from now on.",
        .advice = ACCEPTED_ADVICE,
    },
    [TELLING_MET] = {
        .subject = "RESOLVED {name} meets the configuration in {where}: {fields}",
        .subject_short = "RESOLVED {name} meets the configuration in {where}",
        .headline = "{name} in {where} meets the configuration: {field names}.",
        .deed = "{met}",
        .advice = "Nothing, if you know who changed the configuration.",
    },
    [TELLING_WELL_AGAIN] = {
        .subject = "RESOLVED {name} well again in {where} after {since}",
        .headline = "{name} in {where} is well again.",
        .advice = "Nothing, unless you do not know why it was in trouble.",
    },
    [TELLING_FORGOTTEN] = {
        .subject = "RESOLVED {name} no longer guarded in {where}",
        .headline = "{name} in {where} is no longer guarded: {detail}.",
        .advice = "Nothing, if this was intended. Who accepted that a trail may be gone is in a message of its own; the\n"
                  "configuration is changed on the guard's host.",
    },
    [TELLING_FORGOTTEN_TARGET] = {
        .subject = "RESOLVED {where} no longer guarded",
        .headline = "{where} is no longer guarded: {detail}.",
        .advice = "Nothing, if this was intended. If not, find out who changed it.",
    },
    [TELLING_SIGHTED_TRAIL] = {
        .subject = "RESOLVED guard sees {name} again in {where} after {since}",
        .headline = "TrailGuard sees {name} in {where} again.",
        .advice = SIGHTED_ADVICE,
    },
    [TELLING_SIGHTED_TARGET] = {
        .subject = "RESOLVED guard sees {where} again after {since}",
        .headline = "TrailGuard sees {where} again.",
        .advice = SIGHTED_ADVICE,
    },
    [TELLING_READABLE] = {
        .subject = "RESOLVED {unreadable} of {name} in {where} can be read again",
        .subject_short = "RESOLVED settings of {name} in {where} can be read again",
        .headline = "TrailGuard can read {unreadable} of {name} in {where} again.",
        .advice = "Nothing, unless you do not know why it could not be read. What changed meanwhile has a "
                  "message of its own.",
    },
    [TELLING_COVERED] = {
        .subject = "RESOLVED a trail records {where} again",
        .headline = "A trail records what happens in {where} again.",
        .advice = "Nothing.",
    },
    [TELLING_STILL_STOPPED] = {
        .subject = "REMINDER {name} still stopped in {where}, for {since}",
        .headline = "{name} in {where} is still stopped. Nothing is recorded.",
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
        .headline = "{name} in {where} is still stopped. Nothing is recorded. A maintenance window allows that; when "
                    "it is over TrailGuard starts the trail.",
        .loss = LOST_FOR_GOOD,
        .deed = "{tried}",
        .advice = "Nothing, if you know of this work. If you do not, start it: aws cloudtrail start-logging "
                  "--region {region} --name {arn}",
    },
    [TELLING_STILL_PROTECTED] = {
        .subject = "REMINDER {name} still stopped in {where}, for {since}: another account's",
        .subject_short = "REMINDER {name} still stopped in {where}, for {since}",
        .headline = "{name} in {where} is still stopped. It is an organization trail of another account.",
        .loss = LOST_FOR_GOOD,
        .deed = "{tried}",
        .advice = "The owners of the organization's management account have to start it there.",
    },
    [TELLING_NEVER_SEEN] = {
        .subject = "REMINDER {name} still does not exist in {where}, for {since}",
        .subject_short = "REMINDER {name} still does not exist in {where}",
        .headline = "{name} in {where} still does not exist. It is named in the configuration.",
        .deed = "{created}",
        .advice = "Create it; or correct its name in trails in trailguard.conf, or take it out.",
    },
    [TELLING_STILL_MISSING] = {
        .subject = "REMINDER {name} still missing in {where}, for {since}",
        .headline = "{name} in {where} is still gone. It records nothing.",
        .deed = "{created}",
        .advice =
                "Create it again under the same name; or, if it was deleted on purpose, take it out of "
                "trails in trailguard.conf, or list it under ignore.",
    },
    [TELLING_STILL_WEAKENED] = {
        .subject = "REMINDER {name} still {weakened} in {where}, for {since}: {left}",
        .subject_short = "REMINDER {name} still {weakened} in {where}, for {since}",
        .headline = "{name} in {where} is still {weakened}: its baseline says otherwise about {left}.",
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
        .headline = "{name} in {where} logs, and AWS reports no error, but still delivers nothing.",
        .loss = STALE_LOSS,
        .advice = STALE_ADVICE,
    },
    [TELLING_STILL_BUCKET] = {
        .subject = "REMINDER {name}'s bucket is still not as it should be in {where}, for {since}",
        .subject_short = "REMINDER {name}: its bucket still wrong in {where}, for {since}",
        .headline = "The bucket of {name} in {where} is still not as it should be.",
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
    [TELLING_STILL_BLIND_TRAIL] = {
        .subject = "REMINDER guard still blind for {name} in {where}, for {since}",
        .headline = "TrailGuard still cannot see {name} in {where}: {error}.",
        .deed = "Looked {looks} in a row in vain. It goes on looking.",
        .advice = BLIND_ADVICE,
    },
    [TELLING_STILL_BLIND_TARGET] = {
        .subject = "REMINDER guard still blind in {where}, for {since}",
        .headline = "TrailGuard still cannot see any trail in {where}: {error}.",
        .deed = BLIND_DEED,
        .advice = BLIND_ADVICE,
    },
    [TELLING_STILL_BLIND_ACCOUNT] = {
        .subject = "REMINDER guard still blind in {where}, for {since}",
        .headline = "TrailGuard still has no credentials for {where}: {error}.",
        .deed = BLIND_DEED,
        .advice = BLIND_ACCOUNT_ADVICE,
    },
    [TELLING_STILL_LEFT] = {
        .subject = "REMINDER {where} is still no member of the organization, for {since}",
        .headline = "{where} is still no active member of the organization, and not guarded.",
        .advice = LEFT_ADVICE,
    },
    [TELLING_STILL_UNREADABLE] = {
        .subject = "REMINDER {unreadable} of {name} in {where} still cannot be read, for {since}",
        .headline = "TrailGuard still cannot read {unreadable} of {name} in {where}.",
        .advice = UNREADABLE_ADVICE,
    },
    [TELLING_STILL_LIST_UNREADABLE] = {
        .subject = "REMINDER the list of trails in {where} still cannot be read, for {since}",
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
        .headline = "{name} in {where} was in trouble {count} more; {now}.",
        .deed = "Reports these times together, in this one message.",
        .advice =
                "1. Somebody or something keeps doing this. Find out who (command above), and take the "
                "right away: trailguard policy deny prints a policy that forbids it.\n"
                "2. Go through the account's event history for the time of the gaps.",
    },
    [TELLING_REPEATED_TARGET] = {
        .subject = "{LABEL} trouble {count} more in {where}, {now}",
        .headline = "{where} was in trouble {count} more; {now}.",
        .deed = "Reports these times together, in this one message.",
        .advice = "See what holds now: trailguard status",
    },
    [TELLING_CHANNEL_FAILED] = {
        .subject = "{LABEL} channel failed: {detail}",
        .headline = "Alerts do not get through this channel: {detail}",
        .deed = "Keeps its alerts and goes on trying, at least every 5 minutes.",
        .advice =
                "1. Is the topic still there, and does its policy let the guard publish? Is its KMS key "
                "enabled?\n"
                "2. If nobody changed it on purpose, somebody may be silencing the guard.\n"
                "3. trailguard test-alert shows each channel's receipt.",
    },
    [TELLING_CHANNEL_RECOVERED] = {
        .subject = "RESOLVED channel works again: {detail}",
        .headline = "Alerts get through this channel again: {detail}",
        .deed = "Sends what was waiting.",
        .advice = "Nothing, unless you do not know why it failed.",
    },
    [TELLING_TEST] = {
        .subject = "TEST alert from {host}",
        .headline = "This is a test: alerts from TrailGuard on {host} reach you.",
        .advice = "Nothing.",
    },
};
