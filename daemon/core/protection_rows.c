/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/protection_rows.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"

static const char *const about_words[_PROTECTION_ABOUT_MAX] = {
    [PROTECTION_ACCOUNT] = "account",     [PROTECTION_TOPICS] = "topics",
    [PROTECTION_BOUNDARY] = "boundary",   [PROTECTION_SCP] = "service control policies",
    [PROTECTION_CHECKS] = "checks",       [PROTECTION_CHANNELS] = "channels",
    [PROTECTION_HEARTBEAT] = "heartbeat",
};

const char *protection_about_to_string(ProtectionAbout about) {
    return about_words[about];
}

const char *protection_state_to_string(ProtectionState state) {
    static const char *const words[] = {
        [PROTECTION_OK] = "ok", [PROTECTION_UNKNOWN] = "unknown", [PROTECTION_PROBLEM] = "problem"
    };

    return words[state];
}

static void row_set(ProtectionRow *row, ProtectionState state, const char *advice, const char *format, ...)
        _printf_(4, 5);

static void row_set(ProtectionRow *row, ProtectionState state, const char *advice, const char *format, ...) {
    va_list ap;

    row->state = state;
    row->advice = advice;
    va_start(ap, format);
    (void)vsnprintf(row->text, sizeof(row->text), format, ap);
    va_end(ap);
}

/* ---- one function per line; false when there is nothing to say ---- */

static bool row_account(const ProtectionFacts *facts, ProtectionRow *row) {
    if (!facts->principal[0] || !facts->account[0])
        row_set(row, PROTECTION_UNKNOWN, "trailguard check --doctor says why",
                "AWS does not say which user or role the guard is");
    else if (text_ends_with(facts->principal, ":root"))
        row_set(row, PROTECTION_PROBLEM,
                "make a user or role of its own: trailguard policy guard prints its policy",
                "the guard uses the root user of %s, which no policy of the account limits", facts->account);
    else if (facts->account_guarded)
        row_set(row, PROTECTION_PROBLEM,
                "give it an account that these administrators do not have, and a role in this one",
                "%s is in %s, which it guards: administrators of that account can change its policies, its "
                "trust policy and its keys",
                facts->principal, facts->account);
    else
        row_set(row, PROTECTION_OK, NULL,
                "%s is in %s, which is not guarded: administrators of guarded accounts cannot change it",
                facts->principal, facts->account);
    return true;
}

static bool row_topics(const ProtectionFacts *facts, ProtectionRow *row) {
    if (facts->n_topics == 0)
        return false;
    if (facts->exposed_topic)
        row_set(row, PROTECTION_PROBLEM, "use a topic of an account that is not guarded",
                "%s is in an account that is guarded: its administrators can delete it, its policy and its "
                "subscriptions",
                facts->exposed_topic);
    else if (!facts->account[0])
        return false; /* the guarded accounts are unknown as well */
    else
        row_set(row, PROTECTION_OK, NULL, "no topic of the alerts is in an account that is guarded");
    return true;
}

static bool row_boundary(const ProtectionFacts *facts, ProtectionRow *row) {
    if (!facts->boundary)
        row_set(row, PROTECTION_UNKNOWN,
                facts->guard_checks ? "start the daemon, which reads it; trailguard check --doctor does, too"
                                    : "set guard_checks = true",
                "the permissions boundary has not been read");
    else if (facts->boundary[0])
        row_set(row, PROTECTION_OK, NULL, "the permissions boundary %s limits what others can add",
                facts->boundary);
    else
        row_set(row, PROTECTION_PROBLEM,
                "put one on its user or role that allows what trailguard policy guard prints",
                "no permissions boundary: every policy that others attach to the guard takes effect");
    return true;
}

static bool row_scp(const ProtectionFacts *facts _unused_, ProtectionRow *row) {
    row_set(row, PROTECTION_UNKNOWN,
            "trailguard policy scp prints one that forbids others to touch trails and guard",
            "AWS does not show service control policies to the guard");
    return true;
}

static bool row_checks(const ProtectionFacts *facts, ProtectionRow *row) {
    if (facts->guard_checks)
        row_set(row, PROTECTION_OK, NULL,
                "guard_checks is on: changes of the guard's own access are reported");
    else
        row_set(row, PROTECTION_PROBLEM,
                "set guard_checks = true; trailguard policy guard prints the rights that it needs",
                "guard_checks is off: nobody is warned when the guard's own access is changed");
    return true;
}

static bool row_channels(const ProtectionFacts *facts, ProtectionRow *row) {
    if (facts->outside_channel)
        row_set(row, PROTECTION_OK, NULL, "alerts also go through a channel that needs no right in AWS");
    else
        row_set(row, PROTECTION_PROBLEM, "add a channel of type webhook, command or alertmanager",
                facts->n_topics == 0
                        ? "no channel is configured: alerts reach nobody"
                        : "alerts go through SNS alone: whoever takes the guard's rights silences it");
    return true;
}

static bool row_heartbeat(const ProtectionFacts *facts, ProtectionRow *row) {
    if (facts->heartbeat)
        row_set(row, PROTECTION_OK, NULL,
                "the heartbeat is configured: an outside switch notices when the guard is down");
    else
        row_set(row, PROTECTION_PROBLEM, "set heartbeat to an outside dead-man switch",
                "no heartbeat is configured: nobody notices when the guard is down");
    return true;
}

void protection_guards(ProtectionFacts *facts, const char *account) {
    Arn arn;

    if (!account[0])
        return;
    facts->account_guarded |= text_equal(facts->account, account);
    for (size_t i = 0; !facts->exposed_topic && i < facts->n_topics; i++)
        if (arn_parse(facts->topics[i], &arn) >= 0 && text_equal(arn.account, account))
            facts->exposed_topic = facts->topics[i];
}

const char *protection_boundary(const GuardRecord *records, size_t n, const char *principal) {
    const GuardRecord *record = guard_record_find((GuardRecord *)records, n, principal);
    const GuardParts *parts = record ? &record->parts : NULL;

    if (!parts || !(parts->kinds & GUARD_PART_BIT(GUARD_PART_BOUNDARY)))
        return NULL;
    for (size_t i = 0; i < parts->n; i++)
        if (parts->items[i].kind == GUARD_PART_BOUNDARY)
            return parts->items[i].name;
    return "";
}

size_t protection_rows(const ProtectionFacts *facts, ProtectionRow ret[static _PROTECTION_ABOUT_MAX]) {
    static bool (*const fill[_PROTECTION_ABOUT_MAX])(const ProtectionFacts *facts, ProtectionRow *row) = {
        [PROTECTION_ACCOUNT] = row_account,     [PROTECTION_TOPICS] = row_topics,
        [PROTECTION_BOUNDARY] = row_boundary,   [PROTECTION_SCP] = row_scp,
        [PROTECTION_CHECKS] = row_checks,       [PROTECTION_CHANNELS] = row_channels,
        [PROTECTION_HEARTBEAT] = row_heartbeat,
    };
    size_t n = 0;

    for (unsigned about = 0; about < _PROTECTION_ABOUT_MAX; about++) {
        ret[n].about = (ProtectionAbout)about;
        n += fill[about](facts, &ret[n]);
    }
    return n;
}
