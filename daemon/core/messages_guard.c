/* SPDX-License-Identifier: Apache-2.0 */
/* Messages about the guard's own access. */
#include "daemon/core/alert_private.h"

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
