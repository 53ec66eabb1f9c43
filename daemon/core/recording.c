/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/recording.h"

#include "daemon/core/baseline.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

bool recording_is_current(const Recording *known, bool unchanged, bool is_there) {
    if (!known->loaded || !unchanged)
        return false;
    /* a file removed while it is being written leaves no other trace */
    return is_there || !known->recorded || known->unsaved || known->provisional;
}

bool recording_is_due(const Recording *known) {
    return known->loaded && !known->provisional && (!known->recorded || known->unsaved);
}

bool recording_watches(const Recording *known) {
    return known->provisional && known->loaded && !known->recorded;
}

bool recording_is_rewritten(const Recording *known) {
    return known->recorded && !known->provisional;
}

bool recording_grows(const Recording *known) {
    return known->recorded && !known->gone && !known->provisional;
}

bool recording_lets_go(const Recording *known, bool listed, uint32_t findings) {
    return known->gone && !listed && (findings & FINDING_BIT(FINDING_MISSING));
}

bool recording_makes_stale(Action action, bool checked, bool was_stale) {
    return checked && (was_stale || action == ACTION_RESTORE || action == ACTION_RECREATE);
}

bool recording_is_news(const Acceptance *read) {
    uint64_t since_usec = read->before_usec;

    if (since_usec == 0)
        since_usec = read->started_usec - read->started_usec % USEC_PER_SEC;
    return !read->by_guard && read->recorded_usec > since_usec;
}

bool recording_was_cut_short(const Acceptance *read) {
    return read->by_guard && read->recorded_usec > read->before_usec;
}

Addition recording_addition(Field field, const char *recorded, const char *seen) {
    if (!seen || (field == FIELD_UNKNOWN && text_equal(seen, "{}")))
        return ADDITION_NONE;
    if (!recorded)
        return ADDITION_FIELD;
    return baseline_takes_members(field, recorded, seen) > 0 ? ADDITION_MEMBERS : ADDITION_NONE;
}

bool recording_is_weaker(const char *before, const char *after, int n) {
    return n > 0 && !text_equal(before, after);
}
