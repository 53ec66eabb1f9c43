/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/unreadable.h"

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
