/* SPDX-License-Identifier: Apache-2.0 */
/* Messages about the organization's list of accounts. */
#include "daemon/core/alert_private.h"

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

WHEN(list_forgotten, event->forgotten);

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
            .when = when_list_forgotten,
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
