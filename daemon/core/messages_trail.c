/* SPDX-License-Identifier: Apache-2.0 */
/* Messages about a trail: stopped, deleted, changed, failing, recovered. Each event in the table of events.c
 * has its array here. */
#include "daemon/core/alert_private.h"

/* ---- texts shared by several rows ---- */

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
    "2. Does its policy still let CloudTrail write? While the trail's prefix differs from the one that "    \
    "is recorded, or pinned by expect.prefix, the policy must let it write to both.\n"                      \
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
    "1. Enable the key. If its deletion is scheduled, cancel that first: aws kms cancel-key-deletion "      \
    "--region {region} --key-id KEY\n"                                                                      \
    "2. Find out who did it (command above). If nobody planned it, treat the credentials that were used "   \
    "as stolen."
#define CHANGED_ADVICE                                                                                      \
    "1. If it was planned: accept the settings as the new baseline (trailguard accept {name}). Next "       \
    "time, announce such work as maintenance in trailguard.conf.\n"                                         \
    "2. If it was not: find out who did it, treat the credentials that were used as stolen, and check "     \
    "what else they did.\n"                                                                                 \
    "3. If a setting still differs: mode \"restore\" restores what it can write; restore the rest by "      \
    "hand."
#define ASK_THE_OWNER                                                                                       \
    "1. Ask the owners of the organization's management account. Their event history has DeleteTrail, "     \
    "UpdateTrail, or the call by which this account left the organization.\n"
#define NOT_YOURS                                                                                           \
    "If it is not yours: find out who created it (command above), treat the credentials that were used "    \
    "as stolen, and delete the trail."
#define UNACCEPTED_ADVICE                                                                                   \
    "1. If the trail is yours: trailguard accept {name}. TrailGuard then keeps it as it is.\n"              \
    "2. If it is not yours: find out who created and changed it, treat the credentials that were used as "  \
    "stolen, and delete the trail."
#define UNMET_ADVICE                                                                                        \
    "1. If the expectation is right: change the trail, by hand or by mode \"restore\". Only its owner "     \
    "can change an organization trail.\n"                                                                   \
    "2. If it is wrong: correct expect in trailguard.conf."

/* ---- conditions: an event has the first row whose condition holds ---- */

WHEN(confirmed, event->action.result == RESULT_CONFIRMED);
WHEN(failed, event->action.result == RESULT_FAILED);
WHEN(gap_is_over, event->gap.to_usec != 0 && !(event->findings & FINDING_BIT(FINDING_STOPPED)));
WHEN(protected, event->protected);
WHEN(window_allows, !event->may_act && event->maintenance && event->mode != MODE_OBSERVE);
WHEN(left, !event->may_act);
WHEN(recreated, event->action.taken == ACTION_RECREATE && event->action.result == RESULT_CONFIRMED);
WHEN(not_missing, !(event->findings & FINDING_BIT(FINDING_MISSING)));
WHEN(first_sight, event->first_sight);
WHEN(never_seen, event->never_seen);
WHEN(still_unmet, event->fields_left != 0);
WHEN(provisional, event->provisional);
WHEN(foreign, event->foreign);
WHEN(asked, event->asked);

/* By the worst: an error that a delivery met is worse than what the checks beside it find. */
static bool fails_only(const Event *event, Finding finding) {
    uint32_t findings = event->about ? event->about : event->findings;

    return !(findings & FINDINGS_DELIVERY_ERRORS) && (findings & FINDING_BIT(finding));
}

WHEN(stale, fails_only(event, FINDING_STALE));
WHEN(bucket, fails_only(event, FINDING_BUCKET));
WHEN(lifecycle, fails_only(event, FINDING_LIFECYCLE));
WHEN(key, fails_only(event, FINDING_KEY));
WHEN(trail_forgotten, event->forgotten);
WHEN(accepted, event->fields && event->accepted);
WHEN(met, event->fields && (event->reconfigured || event->unmet));
WHEN(gap, event->gap.from_usec != 0);
WHEN(was_missing, event->restore.taken == ACTION_RECREATE || (event->about & FINDING_BIT(FINDING_MISSING)));
WHEN(fields, event->fields != 0);
WHEN(fields_found, event->fields != 0 && event->provisional);

/* ---- the messages ---- */

const AlertTemplate messages_stopped[] = {
    {
            .when = when_confirmed,
            .subject = "{LABEL} {name} stopped{again} in {where}, running again after {gap}",
            .subject_short = "{LABEL} {name} stopped{again} in {where}, running again",
            .headline = "{name} in {where} was stopped{again}. TrailGuard started it, and it is logging.",
            .loss = LOST_FOR_GOOD,
            .deed = "{tried}",
            .advice = FIND_OUT,
    },
    {
            .when = when_gap_is_over,
            .subject = "{LABEL} {name} stopped{again} in {where}, logging again after {gap}",
            .subject_short = "{LABEL} {name} stopped{again} in {where}, logging again",
            .headline = "{name} in {where} was stopped{again}, and is logging again.",
            .loss = LOST_FOR_GOOD,
            .deed = "{tried}",
            .advice = FIND_OUT,
    },
    {
            .when = when_protected,
            .subject = "{LABEL} {name} stopped{again} in {where}, not restarted: another account owns it",
            .subject_short = "{LABEL} {name} stopped{again} in {where}, not restarted",
            .headline =
                    "{name} in {where} is stopped{again}. It is an organization trail of another account.",
            .loss = LOST_FOR_GOOD,
            .deed = "{tried}",
            .advice =
                    "1. Tell the owners of the organization's management account: the trail must be started "
                    "there.\n"
                    "2. Until then that trail records nothing of what happens in this account.",
    },
    {
            .when = when_window_allows,
            .subject = "{LABEL} {name} stopped{again} in {where}, as maintenance allows",
            .subject_short = "{LABEL} {name} stopped{again} in {where}",
            .headline = "{name} in {where} is stopped{again}. A maintenance window allows that. TrailGuard "
                        "starts "
                        "the trail when the window ends.",
            .loss = LOST_FOR_GOOD,
            .deed = "{tried}",
            .advice = "Nothing, if this work was planned. If not, start it: aws cloudtrail start-logging "
                      "--region "
                      "{region} --name {arn}",
    },
    {
            .when = when_left,
            .subject = "{LABEL} {name} stopped{again} in {where}, not restarted (mode observe)",
            .subject_short = "{LABEL} {name} stopped{again} in {where}, not restarted",
            .headline =
                    "{name} in {where} is stopped{again} and records nothing. TrailGuard may not start it.",
            .loss = LOST_FOR_GOOD,
            .deed = "{tried}",
            .advice = "1. Start it: " START_IT WHO_STOPPED_IT,
    },
    {
            .when = when_failed,
            .subject = "{LABEL} {name} stopped{again} in {where}, still stopped: the restart failed",
            .subject_short = "{LABEL} {name} stopped{again} in {where}, restart failed",
            .headline = "{name} in {where} is stopped{again} and records nothing. The restart failed.",
            .loss = LOST_FOR_GOOD,
            .deed = "Tried to start logging ({attempts}). That failed{because}\n"
                    "It retries at least once a minute.",
            .advice = "1. Start it yourself, with credentials that may: " START_IT WHO_STOPPED_IT "\n"
                      "3. If access was denied: did the guard's policy or role, or an SCP, change?",
    },
    {
            .subject = "{LABEL} {name} stopped{again} in {where}, the restart is under way",
            .subject_short = "{LABEL} {name} stopped{again} in {where}, restarting",
            .headline = "{name} in {where} is stopped{again}. The restart is not confirmed yet.",
            .loss = LOST_FOR_GOOD,
            .deed = "Began to start it. AWS has not confirmed that yet. The next message reports the "
                    "result.",
            .advice = "1. If no message follows within minutes, start it yourself: " START_IT WHO_STOPPED_IT,
    },
};

const AlertTemplate reminders_stopped[] = {
    {
            .when = when_protected,
            .subject = "REMINDER {name} still stopped in {where}, for {since}: another account owns it",
            .subject_short = "REMINDER {name} still stopped in {where}, for {since}",
            .headline =
                    "{name} in {where} is still stopped. It is an organization trail of another account.",
            .loss = LOST_FOR_GOOD,
            .deed = "{tried}",
            .advice = "The owners of the organization's management account must start it there.",
    },
    {
            .when = when_window_allows,
            .subject = "REMINDER {name} still stopped in {where}, for {since}, as maintenance allows",
            .subject_short = "REMINDER {name} still stopped in {where}, for {since}",
            .headline = "{name} in {where} is still stopped and records nothing. A maintenance window "
                        "allows that. "
                        "TrailGuard starts the trail when the window ends.",
            .loss = LOST_FOR_GOOD,
            .deed = "{tried}",
            .advice = "Nothing, if this work was planned. If not, start it: aws cloudtrail start-logging "
                      "--region "
                      "{region} --name {arn}",
    },
    {
            .subject = "REMINDER {name} still stopped in {where}, for {since}",
            .headline = "{name} in {where} is still stopped and records nothing.",
            .loss = LOST_FOR_GOOD,
            .deed = "{tried}",
            .advice = "1. Start it: " START_IT WHO_STOPPED_IT,
    },
};

const AlertTemplate messages_interrupted[] = {
    {
            .subject = "{LABEL} {name} was off{again} for {gap} in {where}",
            .subject_short = "{LABEL} {name} was off{again} in {where}",
            .headline = "{name} in {where} was stopped{again} and started between two polls. It is logging.",
            .loss = LOST_FOR_GOOD,
            .deed = "Nothing: at the next poll the trail was logging again.",
            .advice = FIND_OUT,
    },
};

const AlertTemplate messages_contested[] = {
    {
            .subject = "{LABEL} war over {name} in {where}: stopped {stops}, {lost share} lost",
            .subject_short = "{LABEL} war over {name} in {where}: stopped {stops}",
            .subject_shortest = "{LABEL} war over {name} in {where}",
            .headline =
                    "War over {name} in {where}: {culprit} keeps stopping it, {stops} so far, and "
                    "TrailGuard keeps starting it. {lost share} of the time is lost. The trail is {now}.",
            .loss = LOST_FOR_GOOD,
            .deed = "Polls this trail every 0.3 s, and the account's other trails every second, or as fast "
                    "as AWS's quota allows, until ten minutes after the last stop. Starts logging again "
                    "each "
                    "time, at most once a second: AWS allows no more. Reports the numbers every 5 minutes.",
            .advice =
                    "1. TrailGuard alone cannot end this. Take the right away now: trailguard policy deny "
                    "prints a policy that forbids it. Attach it to the user or role, or use the SCP that "
                    "trailguard policy scp prints.\n"
                    "2. Treat the credentials as stolen: disable the access key, and revoke the role's "
                    "sessions.\n"
                    "3. If it is a program of your own: switch it off, or announce its work as maintenance "
                    "in trailguard.conf.",
    },
};

const AlertTemplate messages_missing[] = {
    {
            .when = when_recreated,
            .subject = "{LABEL} {name} deleted in {where}{deletion}",
            .headline = "{name} in {where} was deleted. TrailGuard created it again, and it is logging.",
            .loss = "Events that occurred between the deletion and now are lost to this trail. The log "
                    "files "
                    "that it delivered before are still in its bucket, unless that was emptied "
                    "too. " STILL_IN_HISTORY,
            .deed = "{created}",
            .advice = FIND_OUT,
    },
    {
            .when = when_not_missing,
            .subject = "{LABEL} {name} deleted in {where}, exists again",
            .headline = "{name} in {where} was deleted, and exists again.",
            .loss = "Events that occurred between the deletion and the new trail's start are lost to this "
                    "trail. " STILL_IN_HISTORY,
            .deed = "{created}",
            .advice = FIND_OUT,
    },
    {
            .when = when_first_sight,
            .subject = "{LABEL} {name} missing in {where}, never found",
            .subject_short = "{LABEL} {name} missing in {where}",
            .headline = "{name} in {where} does not exist. trailguard.conf names it, and TrailGuard has "
                        "never found "
                        "it.",
            .loss = "This trail records nothing. " STILL_IN_HISTORY,
            .deed = "Nothing: there is no baseline to create it from.",
            .advice = "1. Is the name in trails in trailguard.conf right? If not, correct it.\n"
                      "2. If the trail was deleted, find out by whom (command above), and create it again.",
    },
    {
            .when = when_provisional,
            .subject = "{LABEL} {name} deleted in {where}, which nobody had accepted",
            .subject_short = "{LABEL} {name} deleted in {where}, never accepted",
            .headline = "{name} in {where} is gone. It was a new trail that nobody had accepted.",
            .loss = "This trail records nothing any more. " STILL_IN_HISTORY,
            .deed = "{created}",
            .advice = "1. If the trail was yours: find out who deleted it (command above), and create it "
                      "again.\n"
                      "2. If it was not: find out who created it, and what it copied. Treat the credentials "
                      "that were used as stolen.\n"
                      "TrailGuard stops polling it once the search for who deleted it has ended.",
    },
    {
            .when = when_foreign,
            .subject = "{LABEL} {name} missing in {where}{deletion}",
            .headline =
                    "{name} in {where} does not show any more: it was deleted, or is no organization trail "
                    "of this account any more.",
            .loss = "This trail records nothing of this account any more. " STILL_IN_HISTORY,
            .deed = "{created}",
            .advice = ASK_THE_OWNER
            "2. If it was not planned: treat the credentials that were used as stolen.\n"
            "3. If it was planned: trailguard accept {name}; or remove it from trails in "
            "trailguard.conf, or add it to ignore.",
    },
    {
            .subject = "{LABEL} {name} missing in {where}{deletion}",
            .headline = "{name} in {where} is gone: in its home region, the list of trails and "
                        "GetTrailStatus both "
                        "say so.",
            .loss = "This trail records nothing any more. The log files that it delivered are still in its "
                    "bucket, unless that was emptied too. " STILL_IN_HISTORY,
            .deed = "{created}",
            .advice = "1. Find out who deleted it (command above), and whether it was planned.\n"
                      "2. If it was not planned: treat the credentials that were used as stolen. Create the "
                      "trail "
                      "again under the same name, so that the bucket's policy still fits.\n"
                      "3. If it was planned: trailguard accept {name}; or remove it from trails in "
                      "trailguard.conf, or add it to ignore.",
    },
};

const AlertTemplate reminders_missing[] = {
    {
            .when = when_never_seen,
            .subject = "REMINDER {name} still does not exist in {where}, for {since}",
            .subject_short = "REMINDER {name} still does not exist in {where}",
            .headline = "{name} in {where} still does not exist. trailguard.conf names it.",
            .deed = "Nothing: there is no baseline to create it from.",
            .advice = "Create it; or correct its name in trails in trailguard.conf, or remove it there.",
    },
    {
            .when = when_foreign,
            .subject = "REMINDER {name} still missing in {where}, for {since}",
            .headline = "{name} in {where} still does not show, and records nothing of this account.",
            .deed = "{created}",
            .advice = ASK_THE_OWNER
            "2. If it was planned: trailguard accept {name}; or remove it from trails in "
            "trailguard.conf, or add it to ignore.",
    },
    {
            .subject = "REMINDER {name} still missing in {where}, for {since}",
            .headline = "{name} in {where} is still missing and records nothing.",
            .deed = "{created}",
            .advice = "Create it again under the same name. If it was deleted on purpose: trailguard accept "
                      "{name}; or remove it from trails in trailguard.conf, or add it to ignore.",
    },
};

const AlertTemplate messages_replaced[] = {
    {
            .subject = "{LABEL} {name} deleted and created again in {where}",
            .headline = "{name} in {where} was deleted and created again between two polls: it has the same "
                        "ARN, "
                        "but none of the old trail's times.",
            .loss = "Events that occurred between the deletion and the new trail's start are lost. AWS does "
                    "not "
                    "say how long that was. " STILL_IN_HISTORY,
            .deed = "Compares the new trail's settings with those of the old one. A message of its own "
                    "reports what differs.",
            .advice = FIND_OUT,
    },
};

const AlertTemplate messages_weakened[] = {
    {
            .when = when_provisional,
            .subject = "{LABEL} {name} {weakened} in {where}: {fields}{change}",
            .subject_short = "{LABEL} {name} {weakened} in {where}: {fields}{change short}",
            .subject_shortest = "{LABEL} {name} {weakened} in {where}:{change shortest}",
            .headline = "{name} in {where} was {weakened}: {field names}. {outcome}",
            .loss = "{losses}",
            .deed = "{put back}",
            .advice = UNACCEPTED_ADVICE,
    },
    {
            .subject = "{LABEL} {name} {weakened} in {where}: {fields}{change}",
            .subject_short = "{LABEL} {name} {weakened} in {where}: {fields}{change short}",
            .subject_shortest = "{LABEL} {name} {weakened} in {where}:{change shortest}",
            .headline = "{name} in {where} was {weakened}: {field names}. {outcome}",
            .loss = "{losses}",
            .deed = "{put back}",
            .advice = CHANGED_ADVICE,
    },
};

const AlertTemplate reminders_weakened[] = {
    {
            .when = when_provisional,
            .subject = "REMINDER {name} still {weakened} in {where}, for {since}: {left}",
            .subject_short = "REMINDER {name} still {weakened} in {where}, for {since}",
            .headline =
                    "{name} in {where} is still {weakened}. These settings are not those it was found with: "
                    "{left}.",
            .loss = "{losses}",
            .deed = "{put back}",
            .advice = UNACCEPTED_ADVICE,
    },
    {
            .subject = "REMINDER {name} still {weakened} in {where}, for {since}: {left}",
            .subject_short = "REMINDER {name} still {weakened} in {where}, for {since}",
            .headline = "{name} in {where} is still {weakened}. These settings differ from its baseline: "
                        "{left}.",
            .loss = "{losses}",
            .deed = "{put back}",
            .advice = CHANGED_ADVICE,
    },
};

const AlertTemplate messages_unmet[] = {
    {
            .when = when_still_unmet,
            .subject = "{LABEL} {name} does not meet the configuration in {where}: {fields}",
            .subject_short = "{LABEL} {name} does not meet the configuration in {where}",
            .headline = "{name} in {where} does not meet the configured expectation{since changed}: {field "
                        "names}.",
            .deed = "{met}",
            .advice = UNMET_ADVICE,
    },
    {
            .subject = "{LABEL} {name} set as now configured in {where}: {fields}",
            .subject_short = "{LABEL} {name} set as now configured in {where}",
            .headline = "{name} in {where} did not meet the configured expectation{since changed} ({field "
                        "names}). It meets it now.",
            .deed = "{met}",
            .advice = "Nothing, if expect in trailguard.conf is right.",
    },
};

const AlertTemplate reminders_unmet[] = {
    {
            .subject = "REMINDER {name} still does not meet the configuration in {where}: {left}",
            .subject_short = "REMINDER {name} still does not meet the configuration in {where}",
            .headline = "{name} in {where} still does not meet the configured expectation: {left}.",
            .deed = "{met}",
            .advice = UNMET_ADVICE,
    },
};

#define COPIES "Nothing. Whoever can read the destination gets the events that the trail records."

const AlertTemplate messages_appeared[] = {
    {
            .when = when_asked,
            .subject = "{LABEL} new trail {name} in {where} delivers to {bucket}{standing short}",
            .subject_short = "{LABEL} new trail {name} in {where}{standing short}",
            .subject_shortest = "{LABEL} new trail {name} in {where}",
            .headline = "{name} in {where} is a new trail that nobody has accepted. It delivers to "
                        "{destination}. {standing}",
            .loss = COPIES,
            .deed = "{watched}",
            .advice = "1. If it is yours: trailguard accept {name}. TrailGuard then keeps it as it is.\n"
                      "2. " NOT_YOURS,
    },
    {
            .subject = "{LABEL} new trail {name} in {where} delivers to {bucket}{standing short}",
            .subject_short = "{LABEL} new trail {name} in {where}{standing short}",
            .subject_shortest = "{LABEL} new trail {name} in {where}",
            .headline = "{name} in {where} is a new trail. It delivers to {destination}. {standing}",
            .loss = COPIES,
            .deed = "{watched}",
            .advice = "Nothing, if it is yours. " NOT_YOURS,
    },
};

const AlertTemplate messages_strengthened[] = {
    {
            .subject = "{LABEL} {name} strengthened in {where}: {fields}",
            .subject_short = "{LABEL} {name} strengthened in {where}",
            .headline = "{name} in {where} was strengthened: {field names}. Nothing is lost by that.",
            .deed = "Nothing: TrailGuard does not undo what records or proves more, unless expect in "
                    "trailguard.conf says otherwise.",
            .advice = "If it was planned: accept the settings as the new baseline (trailguard accept "
                      "{name}). Until then TrailGuard does not report that they are changed back.",
    },
};

const AlertTemplate messages_failing[] = {
    {
            .when = when_stale,
            .subject = "{LABEL} {name} delivers nothing in {where}",
            .headline = "{name} in {where} logs, and AWS reports no error, but {detail}.",
            .loss = STALE_LOSS,
            .advice = STALE_ADVICE,
    },
    {
            .when = when_bucket,
            .subject = "{LABEL} {name}'s bucket fails its check in {where}{why}",
            .subject_short = "{LABEL} {name}: its bucket in {where}{why}",
            .headline = "The bucket of {name} in {where} fails its check{why}.",
            .loss = BUCKET_LOSS,
            .advice = BUCKET_ADVICE,
    },
    {
            .when = when_lifecycle,
            .subject = "{LABEL} {name}'s log files are deleted early in {where}{why}",
            .subject_short = "{LABEL} {name}: log files deleted early in {where}",
            .headline = "A lifecycle rule of the bucket of {name} in {where} deletes log files early{why}.",
            .loss = LIFECYCLE_LOSS,
            .advice = LIFECYCLE_ADVICE,
    },
    {
            .when = when_key,
            .subject = "{LABEL} {name}'s key cannot be used in {where}{why}",
            .subject_short = "{LABEL} {name}: its KMS key in {where}{why}",
            .headline = "The KMS key of {name} in {where} cannot be used{why}.",
            .loss = KEY_LOSS,
            .advice = KEY_ADVICE,
    },
    {
            .subject = "{LABEL} {name} cannot deliver {kinds} in {where}{why}",
            .subject_short = "{LABEL} {name} cannot deliver in {where}{why}",
            .headline = "{name} in {where} logs, but cannot deliver {kinds}{why}.",
            .loss = "{unsent}",
            .advice = DELIVERY_ADVICE,
    },
};

const AlertTemplate reminders_failing[] = {
    {
            .when = when_stale,
            .subject = "REMINDER {name} still delivers nothing in {where}, for {since}",
            .subject_short = "REMINDER {name} still delivers nothing in {where}",
            .headline = "{name} in {where} logs, and AWS reports no error, but it still delivers nothing.",
            .loss = STALE_LOSS,
            .advice = STALE_ADVICE,
    },
    {
            .when = when_bucket,
            .subject = "REMINDER {name}'s bucket still fails its check in {where}, for {since}",
            .subject_short = "REMINDER {name}: its bucket still wrong in {where}, for {since}",
            .headline = "The bucket of {name} in {where} still fails its check.",
            .loss = BUCKET_LOSS,
            .advice = BUCKET_ADVICE,
    },
    {
            .when = when_lifecycle,
            .subject = "REMINDER {name}'s log files are still deleted early in {where}, for {since}",
            .subject_short = "REMINDER {name}: log files still deleted early in {where}",
            .headline = "A lifecycle rule of the bucket of {name} in {where} still deletes log files early.",
            .loss = LIFECYCLE_LOSS,
            .advice = LIFECYCLE_ADVICE,
    },
    {
            .when = when_key,
            .subject = "REMINDER {name}'s key still cannot be used in {where}, for {since}",
            .subject_short = "REMINDER {name}: its KMS key still unusable in {where}",
            .headline = "The KMS key of {name} in {where} still cannot be used.",
            .loss = KEY_LOSS,
            .advice = KEY_ADVICE,
    },
    {
            .subject = "REMINDER {name} still cannot deliver {kinds} in {where}, for {since}",
            .subject_short = "REMINDER {name} still cannot deliver in {where}, for {since}",
            .headline = "{name} in {where} still cannot deliver {kinds}.",
            .loss = "{unsent}",
            .advice = DELIVERY_ADVICE,
    },
};

const AlertTemplate messages_resolved[] = {
    {
            .when = when_trail_forgotten,
            .subject = "RESOLVED {name} no longer guarded in {where}",
            .headline = "{name} in {where} is no longer guarded: {detail}.",
            .advice = "Nothing, if this was planned. A message of its own says who accepted that a trail "
                      "may be "
                      "gone; the configuration is changed on the guard's host.",
    },
    {
            .when = when_accepted,
            .subject = "RESOLVED {name} accepted as it is in {where}: {fields}",
            .subject_short = "RESOLVED {name} accepted as it is in {where}",
            .headline = "The present settings of {name} in {where} were accepted as its baseline: {field "
                        "names}.",
            .deed = "Compares the trail with the accepted settings from now on.",
            .advice = ACCEPTED_ADVICE,
    },
    {
            .when = when_met,
            .subject = "RESOLVED {name} meets the configuration in {where}: {fields}",
            .subject_short = "RESOLVED {name} meets the configuration in {where}",
            .headline = "{name} in {where} meets the configuration: {field names}.",
            .deed = "{met}",
            .advice = "Nothing, if the change of the trail or of the configuration was planned.",
    },
    {
            .when = when_gap,
            .subject = "RESOLVED {name} logging again in {where} after {gap}",
            .subject_short = "RESOLVED {name} logging again in {where}",
            .headline = "{name} in {where} is logging again.",
            .loss = LOST_FOR_GOOD,
            .deed = "{tried}",
            .advice = "1. If you have not done so yet, find out who stopped it (command above).\n"
                      "2. Review the account's event history for the time of the gap.",
    },
    {
            .when = when_was_missing,
            .subject = "RESOLVED {name} exists and logs again in {where}{after}",
            .subject_short = "RESOLVED {name} exists again in {where}",
            .headline = "{name} in {where} exists again, and is logging.",
            .deed = "{created}",
            .advice = "1. If you have not done so yet, find out who deleted it.\n"
                      "2. Review the account's event history for the time in between.",
    },
    {
            .when = when_fields_found,
            .subject = "RESOLVED {name} as it was found in {where}: {fields}{change}",
            .subject_short = "RESOLVED {name} as it was found in {where}: {fields}",
            .subject_shortest = "RESOLVED {name} as it was found in {where}",
            .headline = "{name} in {where} has the settings again that it was found with. {outcome}",
            .loss = "{losses}",
            .deed = "{put back}",
            .advice = UNACCEPTED_ADVICE,
    },
    {
            .when = when_fields,
            .subject = "RESOLVED {name} matches its baseline in {where}: {fields}{change}",
            .subject_short = "RESOLVED {name} matches its baseline in {where}: {fields}",
            .subject_shortest = "RESOLVED {name} matches its baseline in {where}",
            .headline = "{name} in {where} matches its baseline again. {outcome}",
            .loss = "{losses}",
            .deed = "{put back}",
            .advice = "If you have not done so yet, find out who changed it.",
    },
    {
            .subject = "RESOLVED {name} {recovered} in {where} after {since}",
            .headline = "{name} in {where} {recovered}.",
            .advice = "Nothing, if you know what the cause was.",
    },
};
