/* SPDX-License-Identifier: Apache-2.0 */
/* Messages about the guard itself: its access, its list of accounts, and its channels. */
#include "daemon/core/alert_private.h"
#include "lib/util/text.h"

#define SILENCE                                                                                             \
    "If nobody changed it on purpose, someone may be preparing to silence the guard: review the "          \
    "account's event history in {global region}, where IAM's calls are recorded.\n"

#define CHANGED                                                                                             \
    "Nothing yet, as far as TrailGuard knows. The change may take rights from the guard, or let others "    \
    "use its rights."

#define LESSER                                                                                              \
    "Nothing of the trails: they are polled, started again and reported. What needs the lost rights is "    \
    "left out, such as a check, or the name of a caller."

WHEN(guard_actor, event->has_actor);
WHEN(forgotten, event->forgotten);
WHEN(searched, event->n_records > 0);
WHEN(critical, event->severity == SEVERITY_CRITICAL);

const AlertTemplate messages_rights_lost[] = {
    {
            .when = when_critical,
            .subject = "{LABEL} the guard loses rights in {where}",
            .headline = "IAM would deny calls that TrailGuard needs in {where}: {detail}",
            .loss = "Polls, restarts or alerts fail, or will fail when the guard's session ends.",
            .deed = "Goes on with the rights that are left. Sends this message through every channel. "
                    "Simulates the rights again every 5 minutes.",
            .advice = "1. Give the rights back: trailguard policy guard prints the policy. trailguard check "
                      "--doctor shows what is missing.\n"
                      "2. " SILENCE "3. Until then, check a trail yourself: aws cloudtrail get-trail-status "
                      "--region REGION --name ARN",
    },
    {
            .subject = "{LABEL} the guard loses lesser rights in {where}",
            .headline = "IAM would deny calls that TrailGuard makes in {where}: {detail}",
            .loss = LESSER,
            .deed = "Goes on without. Simulates the rights again every 5 minutes.",
            .advice = "1. Give the rights back: trailguard policy guard prints the policy. trailguard check "
                      "--doctor shows what is missing.\n"
                      "2. " SILENCE,
    },
};

const AlertTemplate reminders_rights_lost[] = {
    {
            .when = when_critical,
            .subject = "REMINDER the guard still lacks rights in {where}, for {since}",
            .headline = "IAM would still deny calls that TrailGuard needs in {where}: {detail}",
            .loss = "Polls, restarts or alerts fail, or will fail when the guard's session ends.",
            .deed = "Goes on with the rights that are left. Simulates the rights again every 5 minutes.",
            .advice = "Give the rights back: trailguard policy guard prints the policy. trailguard check "
                      "--doctor shows what is missing, and trailguard status since when.",
    },
    {
            .subject = "REMINDER the guard still lacks lesser rights in {where}, for {since}",
            .headline = "IAM would still deny calls that TrailGuard makes in {where}: {detail}",
            .loss = LESSER,
            .deed = "Goes on without. Simulates the rights again every 5 minutes.",
            .advice = "Give the rights back: trailguard policy guard prints the policy. trailguard check "
                      "--doctor shows what is missing.",
    },
};

const AlertTemplate messages_rights_restored[] = {
    {
            .when = when_forgotten,
            .subject = "RESOLVED the guard's rights in {where} are no longer checked",
            .headline = "The guard's rights in {where} are no longer checked: {detail}.",
            .advice = "Nothing, if this was planned. If not, find out who changed the configuration.",
    },
    {
            .subject = "RESOLVED the guard has its rights in {where} again",
            .headline = "IAM would allow every call that TrailGuard needs in {where} again.",
            .advice = "Nothing, if you know why they were missing.",
    },
};

const AlertTemplate messages_guard_changed[] = {
    {
            .when = when_guard_actor,
            .subject = "{LABEL} the guard's own access changed in {where}, by {who}",
            .subject_short = "{LABEL} the guard's own access changed in {where}",
            .headline = "The guard's own access in {where} was changed by {who}: {detail}",
            .loss = CHANGED,
            .deed = "Has recorded what is there now. Reports the next change.",
            .advice = "1. Ask them. If they did not do it, disable their credentials, and put back what was "
                      "changed.\n"
                      "2. trailguard check --doctor shows whether the guard still has its rights, and what "
                      "protects it.",
    },
    {
            .when = when_searched,
            .subject = "{LABEL} the guard's own access changed in {where}",
            .headline = "The guard's own access in {where} was changed: {detail}",
            .loss = CHANGED,
            .deed = "Has recorded what is there now. Reports the next change. Who made this one is not "
                    "among {records}.",
            .advice = "1. trailguard check --doctor shows whether the guard still has its rights, and what "
                      "protects it.\n"
                      "2. " SILENCE,
    },
    {
            .subject = "{LABEL} the guard's own access changed in {where}",
            .headline = "The guard's own access in {where} was changed: {detail}",
            .loss = CHANGED,
            .deed = "Has recorded what is there now. Reports the next change.",
            .advice = "1. trailguard check --doctor shows whether the guard still has its rights, and what "
                      "protects it.\n"
                      "2. " SILENCE,
    },
};

/* ---- the organization's list of accounts ---- */

#define UNLISTED_LOSS                                                                                       \
    "New accounts are not guarded. TrailGuard does not notice accounts that leave the organization."
#define UNLISTED_DEED                                                                                       \
    "AWS's answer: {detail}\n"                                                                              \
    "Polls {known accounts} as before. Asks for the list again every few minutes."
#define UNLISTED_ADVICE                                                                                     \
    "1. If AWS denies the call, the delegated administrator may have been deregistered. Find out who did "  \
    "it, in the management account: aws cloudtrail lookup-events --region us-east-1 --lookup-attributes "   \
    "AttributeKey=EventName,AttributeValue=DeregisterDelegatedAdministrator (in China cn-northwest-1, in "  \
    "GovCloud us-gov-west-1). If it was not planned, register {where} again, and treat the credentials "    \
    "that were used as stolen.\n"                                                                           \
    "2. If nobody did, the guard may lack organizations:ListAccounts: trailguard policy guard prints the "  \
    "policy. A service control policy may deny it, too.\n"                                                  \
    "3. Until then, list the accounts yourself, in the management account: aws organizations list-accounts"

const AlertTemplate messages_organization_unreadable[] = {
    {
            .subject = "{LABEL} cannot list the organization's accounts: new ones are not guarded",
            .headline = "TrailGuard has not been able to list the accounts of the organization for {since}.",
            .loss = UNLISTED_LOSS,
            .deed = UNLISTED_DEED,
            .advice = UNLISTED_ADVICE,
    },
};

const AlertTemplate reminders_organization_unreadable[] = {
    {
            .subject = "REMINDER still cannot list the organization's accounts, for {since}",
            .headline = "TrailGuard still cannot list the accounts of the organization.",
            .loss = UNLISTED_LOSS,
            .deed = UNLISTED_DEED,
            .advice = UNLISTED_ADVICE,
    },
};

const AlertTemplate messages_organization_readable[] = {
    {
            .when = when_forgotten,
            .subject = "RESOLVED the organization's accounts are no longer listed",
            .headline = "TrailGuard no longer lists the accounts of the organization: {detail}.",
            .advice = "Nothing, if this was planned. If not, find out who changed the configuration.",
    },
    {
            .subject = "RESOLVED can list the organization's accounts again after {since}",
            .headline = "TrailGuard can list the accounts of the organization again. New ones are guarded "
                        "from now on, and those that have left are reported.",
            .advice = "Nothing, if you know why they could not be listed. If not, find out who deregistered "
                      "the delegated administrator, or changed the guard's rights.",
    },
};

/* ---- channels, the heartbeat and tests ---- */

/* Keys of channels begin with their type, so none is like this. */
WHEN(heartbeat, text_starts_with(event->detail, "heartbeat"));

const AlertTemplate messages_channel_failed[] = {
    {
            .when = when_heartbeat,
            .subject = "{LABEL} {detail}",
            .headline = "The dead-man switch cannot be reached: {detail}",
            .loss = "No alert is lost. But if the guard ended now, nobody outside would notice.",
            .deed = "Retries after the next passes. Alerts go out as before.",
            .advice =
                    "1. Does the switch still exist, under this URL? Does a firewall or proxy let the guard "
                    "through?\n"
                    "2. If nobody changed it on purpose, someone may be preparing to silence the guard.",
    },
    {
            .subject = "{LABEL} channel failed: {channel}",
            .headline = "Alerts cannot be sent through this channel: {detail}",
            .deed = "Keeps the alerts, and retries at least every 5 minutes.",
            .advice = "1. Does the topic still exist, and does its policy let the guard publish? Is its KMS "
                      "key "
                      "enabled?\n"
                      "2. If nobody changed it on purpose, someone may be trying to silence the guard.\n"
                      "3. trailguard test-alert shows each channel's receipt.",
    },
};

const AlertTemplate messages_channel_recovered[] = {
    {
            .when = when_forgotten,
            .subject = "RESOLVED channel no longer configured: {channel}",
            .headline = "A channel that failed is no longer configured: {detail}.",
            .deed = "Sends alerts through the other channels only.",
            .advice = "Nothing, if this was planned. If not, find out who changed the configuration.",
    },
    {
            .when = when_heartbeat,
            .subject = "RESOLVED heartbeat works again",
            .headline = "The heartbeat reaches its switch again.",
            .advice = "Nothing, if you know why it failed.",
    },
    {
            .subject = "RESOLVED channel works again: {channel}",
            .headline = "Alerts can be sent through this channel again: {detail}",
            .deed = "Sends the alerts that were waiting.",
            .advice = "Nothing, if you know why it failed.",
    },
};

const AlertTemplate messages_channel_unheard[] = {
    {
            .subject = "{LABEL} nobody receives alerts through {channel}",
            .headline = "Nobody gets the alerts that are sent through this channel: {detail}",
            .loss = "The topic takes each alert and drops it. Alerts sent since the last subscription ended "
                    "reached nobody there.",
            .deed = "Goes on sending there and through the other channels. Checks every 5 minutes.",
            .advice = "1. Subscribe people to the topic, and have them confirm: an address that did not "
                      "click the "
                      "link gets nothing.\n"
                      "2. If there was a subscription, find out who removed it: someone may be trying to "
                      "silence "
                      "the guard.\n"
                      "3. trailguard check shows what each channel's check finds.\n"
                      "4. Read what was missed: trailguard status shows what is open, and the journal has "
                      "every alert that was sent.",
    },
};

const AlertTemplate messages_channel_heard[] = {
    {
            .when = when_forgotten,
            .subject = "RESOLVED channel no longer configured: {channel}",
            .headline = "A channel whose alerts reached nobody is no longer configured: {detail}.",
            .deed = "Sends alerts through the other channels only.",
            .advice = "Nothing, if this was planned. If not, find out who changed the configuration.",
    },
    {
            .subject = "RESOLVED alerts of channel reach someone again: {channel}",
            .headline = "Alerts of this channel reach someone again: {detail}",
            .advice = "Nothing, if you know why nobody was subscribed. Alerts sent before reached nobody: "
                      "trailguard "
                      "status "
                      "shows what is open.",
    },
};

const AlertTemplate messages_test[] = {
    {
            .subject = "TEST alert from {host}",
            .headline = "This is a test: alerts from TrailGuard on {host} reach you.",
            .advice = "Nothing.",
    },
};
