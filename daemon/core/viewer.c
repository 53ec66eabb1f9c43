/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/viewer.h"

bool viewer_is_lost(const Viewer *viewer, unsigned unreachable_after) {
    return !viewer->open || viewer->n_home_failed >= unreachable_after;
}

bool viewer_can_take_over(const Viewer *other) {
    return other->open && other->guards && other->n_failed == 0 && other->n_home_failed == 0;
}

/* Among accounts that do not own it the base credentials' is most likely CloudTrail's delegated
 * administrator. */
bool viewer_is_better(const Viewer *other, bool foreign) {
    return other->n_home_failed == 0 && (other->owner || (other->base && foreign && other->guards));
}
