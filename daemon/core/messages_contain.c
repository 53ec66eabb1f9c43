/* SPDX-License-Identifier: Apache-2.0 */
/* Messages about identities that the guard contains. */
#include "daemon/core/alert_private.h"
#include "daemon/core/hold.h"
#include "lib/util/text.h"

/* ---- variables ---- */

static const ContainHold *hold_of(const AlertExpansion *x) {
    static const ContainHold none;

    return x->source->event->hold ? x->source->event->hold : &none;
}

static void add_identity(const AlertExpansion *x) {
    alert_add_foreign(x, hold_of(x)->arn);
}

static void add_kind(const AlertExpansion *x) {
    (void)strbuf_add(x->out, hold_is_role(hold_of(x)) ? "role" : "user");
}

/* Short, for subjects. */
static void add_identity_name(const AlertExpansion *x) {
    add_kind(x);
    (void)strbuf_add(x->out, " ");
    alert_add_foreign(x, hold_name(hold_of(x)));
}

static void add_held_for(const AlertExpansion *x) {
    alert_add_foreign(x, hold_of(x)->reason);
}

static void add_policy(const AlertExpansion *x) {
    alert_add_foreign(x, hold_of(x)->policy);
}

static void add_shared(const AlertExpansion *x) {
    if (hold_is_role(hold_of(x)))
        (void)strbuf_add(x->out, " All sessions of the role that began before are over, also those of other "
                                 "people and programs.");
}

/* Its name has no character with a meaning for a shell: contain_take() rejects others. */
static void add_undo(const AlertExpansion *x) {
    const ContainHold *hold = hold_of(x);
    const char *kind = hold_is_role(hold) ? "role" : "user";

    (void)strbuf_addf(x->out, "  aws iam delete-%s-policy --%s-name=", kind, kind);
    alert_add_foreign(x, hold_name(hold));
    (void)strbuf_add(x->out, " --policy-name ");
    add_policy(x);
}

static void add_release(const AlertExpansion *x) {
    char command[HOLD_COMMAND_MAX];

    alert_add_foreign(x, hold_release_command(hold_of(x), command));
}

const AlertVariable alert_variables_contain[] = {
    { "identity", add_identity },
    { "identity name", add_identity_name },
    { "identity kind", add_kind },
    { "held for", add_held_for },
    { "policy", add_policy },
    { "shared", add_shared },
    { "release", add_release },
    { "undo", add_undo },
    { .name = NULL },
};

/* ---- messages ---- */

WHEN(about, event->step == CONTAIN_STEP_ABOUT);
WHEN(held, event->step == CONTAIN_STEP_HELD);
WHEN(contain_failed, event->step == CONTAIN_STEP_FAILED);
WHEN(removed, event->step == CONTAIN_STEP_REMOVED);
WHEN(stuck, event->step == CONTAIN_STEP_STUCK);
WHEN(gone, event->step == CONTAIN_STEP_GONE);

#define UNDO                                                                                                \
    "To undo it, on the guard's host:\n"                                                                    \
    "  {release}"

const AlertTemplate messages_contained[] = {
    {
            .when = when_about,
            .subject = "{LABEL} about to contain {identity name} in {where}",
            .headline = "TrailGuard is about to deny changes of trails and of IAM to {identity}. Reason: "
                        "{held for}.",
            .deed = "Puts the inline policy {policy} on the {identity kind}, and reads it back.{shared}",
            .advice = "1. If this is one of yours that must go on: the next message says whether the policy "
                      "is in place.\n"
                      "2. " UNDO,
    },
    {
            .when = when_held,
            .subject = "{LABEL} contained {identity name} in {where}",
            .headline = "Changes of trails and of IAM are denied to {identity}. Reason: {held for}.",
            .deed = "Put the inline policy {policy} on the {identity kind}, and read it back.{shared}\n"
                    "If others remove it, puts it back, at most 5 times a day.",
            .advice = "1. Ask them. If they did not do it, deactivate the access keys: whoever has them can "
                      "still do what is not about trails or IAM.\n"
                      "2. An attacker may have a second identity. Review what this one did in the account's "
                      "event history.\n"
                      "3. " UNDO "\n"
                      "4. If the guard cannot be reached, with the keys of another administrator:\n"
                      "{undo}",
    },
    {
            .when = when_contain_failed,
            .subject = "{LABEL} NOT contained: {identity name} in {where}",
            .headline = "The policy that denies changes of trails to {identity} could not be put: {detail}",
            .loss = "The {identity kind} can still change trails and IAM.",
            .deed = "Retries, with longer and longer pauses.",
            .advice = "1. Take its rights with the keys of another administrator, or deactivate its access "
                      "keys.\n"
                      "2. AccessDenied: trailguard policy guard prints the rights that the guard needs. "
                      "LimitExceeded: its own inline policies leave no room.\n"
                      "3. To stop the tries: {release}",
    },
    {
            .when = when_removed,
            .subject = "{LABEL} others freed {identity name} in {where}; contained again",
            .headline = "Others removed or changed the policy that denies changes of trails to {identity}.",
            .deed = "Puts it on the {identity kind} again, as {policy}, and reads it back.{shared}",
            .advice = "1. If one of you removed it: " UNDO "\n"
                      "2. If not, the attacker has a second identity that may change IAM. Look for "
                      "DeleteUserPolicy, DeleteRolePolicy, PutUserPolicy and PutRolePolicy in the event "
                      "history of the partition's region for IAM (us-east-1 in most).",
    },
    {
            .when = when_stuck,
            .subject = "{LABEL} NOT released: {identity name} in {where}",
            .headline = "The policy {policy} of {identity} could not be removed: {detail}",
            .loss = "The {identity kind} stays without its rights.",
            .deed = "Retries, with longer and longer pauses. Removes only what it has put there.",
            .advice = "Remove it with the keys of another administrator:\n"
                      "{undo}",
    },
    {
            .subject = "{LABEL} others keep freeing {identity name} in {where}",
            .headline = "Others removed the policy that denies changes of trails to {identity} too often.",
            .loss = "The {identity kind} can change trails and IAM again.",
            .deed = "Does not put the policy back again. If the {identity kind} attacks once more, begins "
                    "again.",
            .advice = "1. Find the identity that removes it: DeleteUserPolicy, DeleteRolePolicy, "
                      "PutUserPolicy and PutRolePolicy in the event history of the partition's region for "
                      "IAM (us-east-1 in most).\n"
                      "2. Take the rights of both with the keys of another administrator.",
    },
};

const AlertTemplate messages_released[] = {
    {
            .when = when_gone,
            .subject = "RESOLVED {identity name} does not exist any more in {where}",
            .headline = "{identity}, to which TrailGuard was to deny changes of trails, does not exist any "
                        "more.",
            .deed = "Holds it no longer.",
            .advice = "If none of you deleted it: an attacker may have made it, and others with it. Look "
                      "for CreateUser and CreateRole in the account's event history.",
    },
    {
            .subject = "RESOLVED released {identity name} in {where}",
            .headline = "{identity} has its rights again. Released by {detail}.",
            .deed = "Removed the inline policy {policy} that it had put there, and nothing else. What the "
                    "{identity kind} did before counts no longer.",
            .advice = ACCEPTED_ADVICE,
    },
};
