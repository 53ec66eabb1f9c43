/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the guard remembers of trails, targets and accounts, as the tables keep it. Nearly all of a state is
 * zeros while nothing is wrong, and there are ten thousand of them: each is kept without its zeros. A
 * decision reads the whole, and keeps the next one before anything comes of it. */

#include "daemon/core/scope.h"
#include "lib/util/sparse.h"

/* One member, also of an inner struct: TRAIL_STATE(trail, incident.open). */
#define KEPT_STATE(Type, kept, member)                                                                      \
    ({                                                                                                      \
        __typeof__(((Type){ 0 }).member) _member;                                                           \
        sparse_get((kept), offsetof(Type, member), sizeof(_member), &_member);                              \
        _member;                                                                                            \
    })
#define TRAIL_STATE(trail, member) KEPT_STATE(TrailState, (trail)->state, member)
/* Of a target or an account. */
#define TARGET_STATE(target, member) KEPT_STATE(TargetState, (target)->state, member)

/* Changes single words of what was decided, for which there is always room: sparse_put. */
#define SET_TRAIL_STATE(trail, member, value)                                                               \
    do {                                                                                                    \
        TrailState _state = states_trail((trail)->state);                                                   \
        _state.member = (value);                                                                            \
        (void)states_keep_trail(&(trail)->state, &_state);                                                  \
    } while (0)
/* What no message waits for: it is so in the state file too, whatever else is held back there. */
#define SET_REPORTED_STATE(trail, member, value)                                                            \
    do {                                                                                                    \
        if (TRAIL_STATE(trail, member) != (value))                                                          \
            SET_TRAIL_STATE(trail, member, value);                                                          \
        if ((trail)->held)                                                                                  \
            (trail)->held->member = (value);                                                                \
    } while (0)
#define SET_TARGET_STATE(target, member, value)                                                             \
    do {                                                                                                    \
        TargetState _state = states_target((target)->state);                                                \
        _state.member = (value);                                                                            \
        (void)states_keep_target(&(target)->state, &_state);                                                \
    } while (0)

TrailState states_trail(const Sparse *kept);
TargetState states_target(const Sparse *kept);
/* 0, or -ENOMEM, and the one before it is kept. Never while something is under way that the state waits for:
 * an action, a search, a message, an incident. */
int states_keep_trail(Sparse **kept, const TrailState *state);
int states_keep_target(Sparse **kept, const TargetState *state);
/* Of an organization trail that is another account's: kept only where AWS has said something, as nearly all
 * trails are our own. Without memory AWS is asked once more. */
Permission states_permission(const Sparse *kept);
void states_keep_permission(Sparse **kept, const Permission *permission);

/* That of a new target or account. 0 or -ENOMEM. */
int states_new_target(Sparse **kept);
