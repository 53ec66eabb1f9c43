/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Through which account a trail is polled that several can see: the owner's is best, any that can see it now
 * better than none. Pure. */

#include "daemon/core/model.h"

/* An account that sees the trail, or could. */
typedef struct Viewer {
    bool open;              /* it can be polled */
    bool guards;            /* its configuration does not leave the trail out */
    bool owner;             /* the trail is its own */
    bool base;              /* its keys are those that others are reached with */
    unsigned n_failed;      /* polls in a row, where its list has shown the trail */
    unsigned n_home_failed; /* ... and where the trail lives; 0 where it was not polled yet */
} Viewer;

/* Is the account through which it is polled unable to: look for another? */
bool viewer_is_lost(const Viewer *viewer, unsigned unreachable_after);

/* Can this one take over? */
bool viewer_can_take_over(const Viewer *other);

/* Is this one better than an account that can see the trail as well? foreign: it is polled through one that
 * does not own it. */
bool viewer_is_better(const Viewer *other, bool foreign);
