/* SPDX-License-Identifier: Apache-2.0 */
/* The messages about callers, baselines, regions and accounts. Each event of the table in events.c has its
 * array here. */
#include "daemon/core/alert_private.h"

/* ---- texts shared by several rows ---- */

#define UNREACHABLE_ADVICE                                                                                  \
    "1. Access denied: did the guard's policy or role, or an SCP, change? Restore the rights "              \
    "(trailguard policy guard prints them).\n"                                                              \
    "2. Bad credentials: are the keys deleted, deactivated or expired?\n"                                   \
    "3. No connection, throttled, AWS error: is it the network, or another caller that uses up the "        \
    "API's quota?\n"                                                                                        \
    "4. Until then, check it yourself: aws cloudtrail describe-trails --region {region}"
#define UNREADABLE_ADVICE                                                                                   \
    "1. Access denied: did the guard's policy or role, or an SCP, change? trailguard policy guard "         \
    "prints the rights that it needs.\n"                                                                    \
    "2. Throttled or failing: is another caller using up the API's quota?\n"                                \
    "3. Until then, check it yourself: aws cloudtrail describe-trails --region {region}"
#define UNREACHABLE_DEED                                                                                    \
    "{polls} in a row failed{because}\n"                                                                    \
    "It keeps polling.{starts}"
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
    "account's own event history says who. REMOVED: search the management account's history again for "     \
    "RemoveAccountFromOrganization. CLEANED: for CloseAccount, up to 90 days before.\n"                     \
    "2. If it was not planned: your service control policies no longer apply to the account. Treat the "    \
    "credentials that were used as stolen.\n"                                                               \
    "3. If it was planned: add the account to exclude of organization in trailguard.conf."
#define UNCOVERED_ADVICE                                                                                    \
    "1. If this region should be recorded: make a trail multi-region, or create one here.\n"                \
    "2. If not: remove the region from regions in trailguard.conf."
#define UNCOVERED_ALL_ADVICE                                                                                \
    "1. If these regions should be recorded: make a trail multi-region. That is one call.\n"                \
    "2. If not: name only the regions that you use in regions in trailguard.conf."
#define REACHABLE_ADVICE                                                                                    \
    "Nothing, if you know why TrailGuard did not poll it. If TrailGuard now finds a stop or a gap, it "     \
    "sends a message of its own."

#define CREDENTIALS_ADVICE                                                                                  \
    "1. Are the guard's own keys deleted, deactivated or expired? With the same keys: aws sts "             \
    "get-caller-identity\n"                                                                                 \
    "2. Renew them. TrailGuard reads a changed file by itself; keys in its environment need a restart.\n"   \
    "3. If nobody changed them on purpose, someone may be trying to silence the guard.\n"                   \
    "4. Until then, check a trail yourself: aws cloudtrail get-trail-status --region REGION --name ARN"

#define CLOSED_ADVICE                                                                                       \
    "1. Find out who changed the service control policies of the account, in the management account: "      \
    "AttachPolicy and UpdatePolicy.\n"                                                                      \
    "2. If it was not planned, someone may be trying to silence the guard: detach the policy.\n"            \
    "3. If it was planned, exempt the guard's role in the policy."
#define ROLE_ADVICE                                                                                         \
    "1. What do these accounts have in common? In TrailGuard's own account a policy, a permissions "        \
    "boundary or a service control policy may deny sts:AssumeRole. In theirs a stack set may have "         \
    "deleted or changed the role. trailguard policy guard prints what it must be.\n"                        \
    "2. If nobody changed it on purpose, someone may be trying to silence the guard.\n"                     \
    "3. If an account is not to be guarded: remove it from accounts in trailguard.conf, or add it to "      \
    "exclude of organization."
#define OUTAGE_ADVICE                                                                                       \
    "1. Is it an outage of AWS? https://health.aws.amazon.com shows them.\n"                                \
    "2. If not, can this host reach CloudTrail in {region}? Check the network, the firewall, the proxy "    \
    "and DNS.\n"                                                                                            \
    "3. Until then, check a trail yourself: aws cloudtrail get-trail-status --region {region} --name ARN"

/* ---- conditions: an event has the first row whose condition holds ---- */

WHEN(trail, subject->name[0] != '\0');
/* A target; a whole account has no region. */
WHEN(region, subject->region[0] != '\0');
WHEN(actor, event->has_actor);
WHEN(trail_has_actor, when_trail(subject, event) && event->has_actor);
WHEN(candidates, event->doubt);
WHEN(detail, event->detail[0] != '\0');
WHEN(trail_not_searched, when_trail(subject, event) && event->detail[0]);
WHEN(departure, event->has_actor && event->actor.departure[0]);
WHEN(accepted_as_gone, event->forgotten);
WHEN(about_list, event->about &FINDING_BIT(FINDING_LIST_UNREADABLE));
WHEN(about_settings, event->about &FINDINGS_UNREADABLE);
/* The trail could be polled throughout. */
WHEN(only_settings,
     when_about_settings(subject, event) && !(event->about & FINDING_BIT(FINDING_UNREACHABLE)));
WHEN(unreadable, event->findings &FINDINGS_UNREADABLE);
WHEN(list_unreadable, event->findings &FINDING_BIT(FINDING_LIST_UNREADABLE));
WHEN(target_forgotten,
     event->forgotten && !when_trail(subject, event) && event->kind != EVENT_CHANNEL_RECOVERED &&
             event->kind != EVENT_CHANNEL_HEARD && event->kind != EVENT_GUARD_RIGHTS_RESTORED &&
             event->kind != EVENT_ORGANIZATION_READABLE);
WHEN(closed, event->cause == CAUSE_CLOSED);
WHEN(all_closed, event->cause == CAUSE_CLOSED && event->n_rest == 0);
WHEN(keys, event->cause == CAUSE_CREDENTIALS);
WHEN(role, event->cause == CAUSE_ROLE);
WHEN(outage, event->cause == CAUSE_OUTAGE);
WHEN(shared, event->cause != CAUSE_OWN);
WHEN(shared_forgotten, event->forgotten && event->cause != CAUSE_OWN);
WHEN(summary, event->phase == PHASE_SUMMARY && !subject->name[0]);
/* A contest has its own numbers. */
WHEN(summary_of_trail,
     event->phase == PHASE_SUMMARY && event->kind != EVENT_TRAIL_CONTESTED && when_trail(subject, event));

/* ---- the messages ---- */

const AlertTemplate messages_attributed[] = {
    {
            .when = when_trail_has_actor,
            .subject = "{LABEL} {name} {deed} in {where} by {who}{still}",
            .subject_short = "{LABEL} {name} {deed} in {where}{still}, by {who}",
            .headline = "{name} in {where} was {deed} by {who}.{still now}",
            .advice =
                    "1. Ask them. If they did not do it, disable the credentials and check what else was "
                    "done "
                    "with them: the access key and the event id above are in the account's event history.\n"
                    "2. The caller chooses the user agent, so it proves nothing.\n"
                    "3. trailguard policy deny prints a policy that forbids such calls.",
    },
    {
            .when = when_candidates,
            .subject = "{LABEL} {name} {deed} in {where} by one of {candidates}{still}",
            .subject_short = "{LABEL} {name} {deed} in {where}{still}, by 1 of {number of candidates}",
            .headline = "{name} in {where} was {deed} by one of {candidates}. Their records do not show "
                        "which.{still now}",
            .deed = "Searched the account's event history, and goes on for 20 minutes, since records may "
                    "arrive late. If they change this list, another message follows.",
            .advice = "1. Compare what each call wrote with what is there now: the event ids above are in "
                      "the account's event history.\n"
                      "2. Ask the callers. If one of them did not make the call, disable the credentials "
                      "and check what else was done with them.",
    },
    {
            .when = when_trail_not_searched,
            .subject = "{LABEL} {name} {deed} in {where}, caller unknown: {detail}",
            .subject_short = "{LABEL} {name} {deed} in {where}, caller unknown",
            .headline = "{name} in {where} was {deed}. TrailGuard could not find out by whom: it could not "
                        "search "
                        "the event history: {detail}.{still now}",
            .deed = "Tried for 20 minutes to search the account's event history.",
            .advice = "1. Search yourself, with the command above.\n"
                      "2. If access was denied: the guard needs cloudtrail:LookupEvents. trailguard policy "
                      "guard "
                      "prints its policy. If the guard had that right before, find out who took it away.",
    },
    {
            .when = when_trail,
            .subject = "{LABEL} {name} {deed} in {where}, caller not found{still}",
            .subject_short = "{LABEL} {name} {deed} in {where}{still}; by unknown",
            .headline = "{name} in {where} was {deed}. TrailGuard did not find out by whom.{still now}",
            .deed = "Searched the account's event history for 20 minutes. It shows no such call in "
                    "{records}.",
            .advice = "1. Events may arrive later: search again with the command above, also in {global "
                      "region}.\n"
                      "2. If it is an organization trail, the call is in the management account's event "
                      "history.",
    },
    {
            .when = when_departure,
            .subject = "{LABEL} {where} {departure}",
            .headline = "{where} {departure}.{member now}",
            .deed = "Searched the event history of the management account. It has AWS's record of the "
                    "departure, and no call behind it.",
            .advice = DEPARTED_ADVICE,
    },
    {
            .when = when_actor,
            .subject = "{LABEL} {where} {departed} by {who}",
            .headline = "{where} was {departed} by {who}.{member now}",
            .advice = "1. Ask them. If they did not do it, disable the credentials and check what else was "
                      "done "
                      "with them: the access key and the event id above are in the event history.\n"
                      "2. The caller chooses the user agent, so it proves nothing.\n"
                      "3. Outside the organization, or in another unit of it, its previous service control "
                      "policies no longer apply to the account.",
    },
    {
            .when = when_detail,
            .subject = "{LABEL} {where} taken out of the organization, caller unknown",
            .headline =
                    "TrailGuard could not find out who took {where} out of the organization: it could not "
                    "search the event history of the management account: {detail}.{member now}",
            .deed = "Tried for 20 minutes to search the event history of the management account.",
            .advice = LEFT_ADVICE,
    },
    {
            .subject = "{LABEL} {where} taken out of the organization, caller not found",
            .headline = "TrailGuard did not find out who took {where} out of the organization.{member now}",
            .deed = "Searched the event history of the management account for 20 minutes. It shows no such "
                    "call in {records}.",
            .advice = LEFT_ADVICE,
    },
};

const AlertTemplate messages_attempted[] = {
    {
            .subject = "{LABEL} {who} tried {call} on {name} in {where}: {refusal}",
            .subject_short = "{LABEL} {who} tried {call} on {name} in {where}",
            .subject_shortest = "{LABEL} {call} tried on {name} in {where}",
            .headline =
                    "{who} tried {call} on {name} in {where}. AWS refused it: {refusal}.{still now}{others}",
            .advice = "1. Ask them. If they did not do it, treat the credentials that were used as stolen: "
                      "what "
                      "was refused here may be granted elsewhere.\n"
                      "2. Check in the account's event history what else was done with them.",
    },
};

const AlertTemplate messages_unaccepted[] = {
    {
            .subject = "{LABEL} trails that nobody accepted come and go in {where}: {detail}",
            .subject_short = "{LABEL} trails that nobody accepted come and go in {where}",
            .headline =
                    "Trails that nobody has accepted come and go in {where}: {detail}. TrailGuard reports "
                    "three of them in an hour one by one, and then only their number.",
            .loss = "Nothing that you have accepted is lost by that, but a change of another trail may be "
                    "hidden behind it. TrailGuard polls accepted trails first, and reports each change of "
                    "theirs by itself.",
            .advice =
                    "1. Find out who calls CreateTrail and DeleteTrail: aws cloudtrail lookup-events "
                    "--region REGION --lookup-attributes AttributeKey=EventName,AttributeValue=CreateTrail\n"
                    "2. If it was not planned: treat the credentials that were used as stolen.\n"
                    "3. For each trail that is yours: trailguard accept NAME\n"
                    "The journal has each trail. Further numbers come every 5 minutes while more come or "
                    "go.",
    },
};

const AlertTemplate messages_baseline_weak[] = {
    {
            .when = when_trail,
            .subject = "{LABEL} {name} in {where} was weak when recorded: {detail}",
            .subject_short = "{LABEL} {name} in {where} was weak when recorded",
            .headline =
                    "The baseline of {name} in {where} is weak: {detail}. TrailGuard recorded the trail's "
                    "settings as they were, and does not make them stronger.",
            .advice = "1. Make the trail stronger, then: trailguard accept {name}\n"
                      "2. Or say in expect in trailguard.conf what you require.\n"
                      "This message is sent once.",
    },
    {
            .subject = "{LABEL} more trails were weak when recorded: {detail}",
            .headline =
                    "More trails have weak baselines: {detail}. TrailGuard recorded their settings as they "
                    "were, and does not make them stronger.",
            .advice = "1. The journal says what is weak about each: journalctl -u trailguard -g 'was weak'\n"
                      "2. Make the trails stronger, then, for each: trailguard accept NAME\n"
                      "3. Or say in expect in trailguard.conf what you require.\n"
                      "This message is sent once.",
    },
};

const AlertTemplate messages_baseline_damaged[] = {
    {
            .subject = "{LABEL} the baseline of {name} in {where} is damaged",
            .headline = "The baseline file of {name} in {where} is damaged, and was set aside: {detail}. "
                        "TrailGuard "
                        "no longer knows what the trail's settings must be, and cannot detect a change made "
                        "before "
                        "now. The cause may be the disk, or someone who wants to hide a change.",
            .advice = "1. Compare the trail's settings by hand with what you set. Do not trust its present "
                      "settings.\n"
                      "2. Find out who could write the file: it belongs to the daemon's user and to root.\n"
                      "3. Restore a good copy of the file from a backup, or say in expect in "
                      "trailguard.conf what "
                      "you require.\n"
                      "This message is sent once.",
    },
};

const AlertTemplate messages_baseline_accepted[] = {
    {
            .when = when_accepted_as_gone,
            .subject = "{LABEL} {name} accepted as gone in {where}",
            .headline =
                    "{name} in {where} is accepted as gone, and no longer guarded. Accepted by: {detail}.",
            .deed = "No longer polls the trail. If it comes back, its settings at that time become its "
                    "baseline.",
            .advice = ACCEPTED_ADVICE,
    },
    {
            .subject = "{LABEL} new baseline of {name} accepted in {where}: {fields}",
            .subject_short = "{LABEL} new baseline of {name} accepted in {where}",
            .headline =
                    "The present settings of {name} in {where} are its new baseline. Accepted by: {detail}.",
            .advice = ACCEPTED_ADVICE,
    },
};

const AlertTemplate messages_unreachable[] = {
    {
            .when = when_all_closed,
            .subject = "{LABEL} an SCP denies {members} of {where}{more}, and no other answers",
            .subject_short = "{LABEL} an SCP denies {members} of {where}, no other answers",
            .headline =
                    "A service control policy denies TrailGuard {members} of {where}, and no other region "
                    "of the account answers. TrailGuard does not know whether the trails are logging.",
            .deed = "AWS's answer: {detail}\n"
                    "It keeps polling.",
            .advice = CLOSED_ADVICE,
    },
    {
            .when = when_closed,
            .subject = "{LABEL} an SCP denies {members} of {where}{more}",
            .headline = "A service control policy denies TrailGuard {members} of {where} explicitly. Other "
                        "regions of the account answer, and no guarded trail lives in those that it denies.",
            .deed = "AWS's answer: {detail}\n"
                    "It keeps polling. It sends no reminder, and this does not become critical while other "
                    "regions answer.",
            .advice = "1. If the policy denies these regions on purpose, name the others only, in "
                      "trailguard.conf:\n"
                      "{regions}\n"
                      "2. If it is not, find out in the management account who changed it: AttachPolicy and "
                      "UpdatePolicy. Nobody can see what happens in these regions.",
    },
    {
            .when = when_keys,
            .subject = "{LABEL} cannot poll {members}: bad credentials{more}",
            .headline = "TrailGuard cannot poll {members}: AWS does not accept its credentials. It does not "
                        "know whether the trails there are logging. {accounts}.",
            .deed = "AWS's answer: {detail}\n"
                    "It keeps polling.",
            .advice = CREDENTIALS_ADVICE,
    },
    {
            .when = when_role,
            .subject = "{LABEL} cannot assume the role in {members}{more}",
            .headline = "AWS does not let TrailGuard assume its role in {members}. It does not know whether "
                        "the trails there are logging. {accounts}.",
            .deed = "AWS's answer about the first: {detail}\n"
                    "It keeps polling.",
            .advice = ROLE_ADVICE,
    },
    {
            .when = when_outage,
            .subject = "{LABEL} cannot poll {where} in {members}: {error}{more}",
            .headline = "TrailGuard cannot poll {where} in {members}: {error}. It does not know whether the "
                        "trails there are logging. {accounts}.",
            .deed = "AWS's answer: {detail}\n"
                    "It keeps polling.",
            .advice = OUTAGE_ADVICE,
    },
    {
            .when = when_about_list,
            .subject = "{LABEL} cannot read the list of trails in {where}",
            .headline =
                    "TrailGuard cannot read the list of trails in {where}. It still polls the status of the "
                    "trails that it knows, but cannot detect changed settings, new trails and deletions.",
            .deed = "{polls} in a row failed{because}\n"
                    "It keeps polling.",
            .advice = UNREADABLE_ADVICE,
    },
    {
            .when = when_about_settings,
            .subject = "{LABEL} {name} in {where}: cannot read {unreadable}",
            .subject_short = "{LABEL} {name} in {where}: cannot read {unreadable short}",
            .headline = "TrailGuard cannot read {unreadable} of {name} in {where}. It still polls whether "
                        "the trail "
                        "logs, but cannot detect changes to what it cannot read.",
            .deed = "AWS's answer: {detail}\n"
                    "It keeps polling, and compares when it can read again.",
            .advice = UNREADABLE_ADVICE,
    },
    {
            .when = when_trail,
            .subject = "{LABEL} cannot poll {name} in {where}: {error}",
            .headline = "TrailGuard cannot poll {name} in {where}: {error}. It does not know whether the "
                        "trail is "
                        "logging.",
            .deed = UNREACHABLE_DEED,
            .advice = UNREACHABLE_ADVICE,
    },
    {
            .when = when_region,
            .subject = "{LABEL} cannot poll {where}: {error}",
            .headline =
                    "TrailGuard cannot poll {where}: {error}. It does not know whether the trails there are "
                    "logging.",
            .deed = UNREACHABLE_DEED,
            .advice = UNREACHABLE_ADVICE,
    },
    {
            .subject = "{LABEL} cannot poll {where}: {error}",
            .headline = "TrailGuard cannot poll {where}: {error}. It does not know whether the account's "
                        "trails are "
                        "logging.",
            .deed = UNREACHABLE_DEED,
            .advice = UNREACHABLE_ACCOUNT_ADVICE,
    },
};

const AlertTemplate reminders_unreachable[] = {
    {
            .when = when_keys,
            .subject = "REMINDER still cannot poll {members}: bad credentials, for {since}",
            .headline = "TrailGuard still cannot poll {members}: AWS does not accept its credentials. "
                        "{accounts}.",
            .deed = "AWS's answer: {detail}\n"
                    "It keeps polling.",
            .advice = CREDENTIALS_ADVICE,
    },
    {
            .when = when_closed,
            .subject = "REMINDER an SCP denies {members} of {where}, and no other answers, for {since}",
            .headline =
                    "A service control policy still denies TrailGuard {members} of {where}, and no other "
                    "region of the account answers.",
            .deed = "AWS's answer: {detail}\n"
                    "It keeps polling.",
            .advice = CLOSED_ADVICE,
    },
    {
            .when = when_role,
            .subject = "REMINDER still cannot assume the role in {members}, for {since}",
            .headline = "AWS still does not let TrailGuard assume its role in {members}. {accounts}.",
            .deed = "AWS's answer about the first: {detail}\n"
                    "It keeps polling.",
            .advice = ROLE_ADVICE,
    },
    {
            .when = when_outage,
            .subject = "REMINDER still cannot poll {where} in {members}: {error}, for {since}",
            .headline = "TrailGuard still cannot poll {where} in {members}: {error}. {accounts}.",
            .deed = "AWS's answer: {detail}\n"
                    "It keeps polling.",
            .advice = OUTAGE_ADVICE,
    },
    {
            .when = when_unreadable,
            .subject = "REMINDER {name} in {where}: still cannot read {unreadable}, for {since}",
            .subject_short = "REMINDER {name} in {where}: still cannot read {unreadable short}",
            .headline = "TrailGuard still cannot read {unreadable} of {name} in {where}.",
            .advice = UNREADABLE_ADVICE,
    },
    {
            .when = when_list_unreadable,
            .subject = "REMINDER still cannot read the list of trails in {where}, for {since}",
            .headline = "TrailGuard still cannot read the list of trails in {where}: {error}.",
            .advice = UNREADABLE_ADVICE,
    },
    {
            .when = when_trail,
            .subject = "REMINDER still cannot poll {name} in {where}, for {since}",
            .headline = "TrailGuard still cannot poll {name} in {where}: {error}.",
            .deed = UNREACHABLE_DEED,
            .advice = UNREACHABLE_ADVICE,
    },
    {
            .when = when_region,
            .subject = "REMINDER still cannot poll {where}, for {since}",
            .headline = "TrailGuard still cannot poll {where}: {error}.",
            .deed = UNREACHABLE_DEED,
            .advice = UNREACHABLE_ADVICE,
    },
    {
            .subject = "REMINDER still cannot poll {where}, for {since}",
            .headline = "TrailGuard still cannot poll {where}: {error}.",
            .deed = UNREACHABLE_DEED,
            .advice = UNREACHABLE_ACCOUNT_ADVICE,
    },
};

const AlertTemplate messages_reachable[] = {
    {
            .when = when_closed,
            .subject = "RESOLVED no SCP denies a region of {where} any more",
            .headline = "No service control policy denies TrailGuard a region of {where} any more.",
            .advice = REACHABLE_ADVICE,
    },
    {
            .when = when_keys,
            .subject = "RESOLVED AWS accepts the credentials again after {since}",
            .headline = "AWS accepts the credentials again, and TrailGuard can poll wherever it could not.",
            .advice = REACHABLE_ADVICE,
    },
    {
            .when = when_role,
            .subject = "RESOLVED can assume the role in each account again after {since}",
            .headline = "TrailGuard can assume its role again in each account in which it could not.",
            .advice = REACHABLE_ADVICE,
    },
    {
            .when = when_outage,
            .subject = "RESOLVED can poll {where} again in each account after {since}",
            .headline = "TrailGuard can poll {where} again in each account in which it could not.",
            .advice = REACHABLE_ADVICE,
    },
    {
            .when = when_about_list,
            .subject = "RESOLVED can read the list of trails in {where} again",
            .headline = "TrailGuard can read the list of trails in {where} again.",
            .advice = "Nothing, if you know why it could not be read. If TrailGuard now finds a change, it "
                      "sends "
                      "a message of its own.",
    },
    {
            .when = when_only_settings,
            .subject = "RESOLVED {name} in {where}: can read {unreadable} again",
            .subject_short = "RESOLVED {name} in {where}: can read {unreadable short} again",
            .headline = "TrailGuard can read {unreadable} of {name} in {where} again.",
            .advice =
                    "Nothing, if you know why they could not be read. If TrailGuard now finds a change, it "
                    "sends a message of its own.",
    },
    {
            .when = when_trail,
            .subject = "RESOLVED can poll {name} again in {where} after {since}",
            .headline = "TrailGuard can poll {name} in {where} again.",
            .advice = REACHABLE_ADVICE,
    },
    {
            .subject = "RESOLVED can poll {where} again after {since}",
            .headline = "TrailGuard can poll {where} again.",
            .advice = REACHABLE_ADVICE,
    },
};

const AlertTemplate messages_left[] = {
    {
            .subject = "{LABEL} {where} is no longer an active member of the organization",
            .headline = "{where} is no longer an active member of the organization. TrailGuard no longer "
                        "polls its "
                        "trails.",
            .loss = "The organization's trails no longer record what happens in that account. Its own "
                    "trails "
                    "may still record, unguarded.",
            .deed = "Stopped polling: {detail}.",
            .advice = LEFT_ADVICE,
    },
};

const AlertTemplate reminders_left[] = {
    {
            .subject = "REMINDER {where} is still no member of the organization, for {since}",
            .headline = "{where} is still no active member of the organization, and not guarded.",
            .advice = LEFT_ADVICE,
    },
};

const AlertTemplate messages_uncovered[] = {
    {
            .when = when_shared,
            .subject = "{LABEL} no trail records {members} of {where}{more}",
            .headline = "No trail records what happens in {members} of {where}.",
            .loss = "Events of these regions are delivered nowhere. " STILL_IN_HISTORY,
            .advice = UNCOVERED_ALL_ADVICE,
    },
    {
            .subject = "{LABEL} no trail records {where}",
            .headline = "No trail records what happens in {where}.",
            .loss = "Events of this region are delivered nowhere. " STILL_IN_HISTORY,
            .advice = UNCOVERED_ADVICE,
    },
};

const AlertTemplate reminders_uncovered[] = {
    {
            .when = when_shared,
            .subject = "REMINDER still no trail records {members} of {where}, for {since}",
            .headline = "Still no trail records what happens in {members} of {where}.",
            .advice = UNCOVERED_ALL_ADVICE,
    },
    {
            .subject = "REMINDER still no trail records {where}, for {since}",
            .headline = "Still no trail records what happens in {where}.",
            .advice = UNCOVERED_ADVICE,
    },
};

const AlertTemplate messages_covered[] = {
    {
            .when = when_shared,
            .subject = "RESOLVED trails record every region of {where}",
            .headline = "Each configured region of {where} is recorded by a trail.",
            .advice = "Nothing.",
    },
    {
            .subject = "RESOLVED a trail records {where} again",
            .headline = "A trail records what happens in {where} again.",
            .advice = "Nothing.",
    },
};

/* An outside switch raises an alarm when signals stop, which is the only way to find out that the guard
 * itself is down. */
const AlertTemplate messages_any[] = {
    {
            .when = when_shared_forgotten,
            .subject = "RESOLVED those regions or accounts are no longer guarded",
            .headline = "The regions and accounts that this incident was about are no longer guarded: "
                        "{detail}.",
            .advice = "Nothing, if this was planned. If not, find out who changed it.",
    },
    {
            .when = when_target_forgotten,
            .subject = "RESOLVED {where} no longer guarded",
            .headline = "{where} is no longer guarded: {detail}.",
            .advice = "Nothing, if this was planned. If not, find out who changed it.",
    },
    {
            .when = when_summary_of_trail,
            .subject = "{LABEL} {name} in trouble {count} more in {where}, {now}",
            .subject_short = "{LABEL} {name}: trouble {count} more in {where}, {now}",
            .headline = "The incident of {name} in {where} recurred {count}. The trail is {now}.",
            .deed = "Sums up these times in one message.",
            .advice = "1. A person or a program keeps doing this. Find out who, and take the right away: "
                      "trailguard policy deny prints a policy that forbids it.\n"
                      "2. Review the account's event history for the time of the gaps.",
    },
    {
            .when = when_summary,
            .subject = "{LABEL} trouble {count} more in {where}, {now}",
            .headline = "The incident of {where} recurred {count}. It is {now}.",
            .deed = "Sums up these times in one message.",
            .advice = "For the present state: trailguard status",
    },
    { .headline = NULL },
};
