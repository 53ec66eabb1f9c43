/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/unreadable.h"

/* Nothing is lost where AWS never showed it: not in this partition, or not to a member of the organization.
 */
static bool is_not_shown(const ReadResult *result) {
    return result->what == UNREADABLE_CONFIGURATION && result->failed && !result->recorded &&
           (result->unsupported || (result->foreign && result->denied));
}

/* Each call that fails counts for itself, as polls do, and never makes it unknown whether the trail logs. */
ReadMeaning unreadable_take(const ReadResult *result, unsigned unreachable_after, unsigned *n_failed) {
    ReadMeaning meaning = { .not_shown = is_not_shown(result) };

    if (!result->failed || meaning.not_shown) {
        meaning.reported = *n_failed > 0;
        *n_failed = 0;
        return meaning;
    }
    meaning.reported = (*n_failed)++ == 0;
    meaning.unreadable = *n_failed >= unreachable_after;
    return meaning;
}

bool unreadable_is_wanted_soon(bool recorded, unsigned n_failed, unsigned unreachable_after) {
    return !recorded && n_failed > 0 && n_failed < unreachable_after;
}

bool unreadable_was_asked(const BucketRead *read, Unreadable what) {
    return read->found || what == UNREADABLE_BUCKET || what == UNREADABLE_KEY;
}

/* A refusal ends no trouble. */
uint32_t unreadable_judges(const BucketRead *read) {
    const bool *unread = read->unread;
    uint32_t findings = 0;

    if (read->trouble || (!unread[UNREADABLE_BUCKET] && !unread[UNREADABLE_POLICY]))
        findings |= FINDING_BIT(FINDING_BUCKET);
    if (read->found && !unread[UNREADABLE_LIFECYCLE])
        findings |= FINDING_BIT(FINDING_LIFECYCLE);
    if (!unread[UNREADABLE_KEY])
        findings |= FINDING_BIT(FINDING_KEY);
    return findings;
}
