/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The states of trails, targets and accounts in the tables. There are ten thousand, and nearly all of a
 * state is zeros while nothing is wrong, so each is stored without its zeros. A decision unpacks the whole,
 * and stores the next state before it acts on it. */

#include "daemon/core/scope.h"
#include "lib/util/sparse.h"

/* Reads one member, also of an inner struct: TRAIL_STATE(trail, incident.open). */
#define KEPT_STATE(Type, kept, member)                                                                      \
    ({                                                                                                      \
        __typeof__(((Type){ 0 }).member) _member;                                                           \
        sparse_get((kept), offsetof(Type, member), sizeof(_member), &_member);                              \
        _member;                                                                                            \
    })
#define TRAIL_STATE(trail, member) KEPT_STATE(TrailState, (trail)->state, member)
/* Of a target or an account. */
#define TARGET_STATE(target, member) KEPT_STATE(TargetState, (target)->state, member)

/* Changes single members after a decision, for which there is always room: sparse_put. */
#define SET_TRAIL_STATE(trail, member, value)                                                               \
    do {                                                                                                    \
        TrailState _state = states_trail((trail)->state);                                                   \
        _state.member = (value);                                                                            \
        (void)states_keep_trail(&(trail)->state, &_state);                                                  \
    } while (0)
/* For members that no message depends on: changes them in the state for the state file, too, even while that
 * is held back. */
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
/* 0, or -ENOMEM with the former state unchanged; never fails while an action, search, message or incident
 * needs the state. */
int states_keep_trail(Sparse **kept, const TrailState *state);
int states_keep_target(Sparse **kept, const TargetState *state);
/* For another account's organization trail. Stored only after AWS has answered a write, because nearly all
 * trails are our own. Without memory AWS is asked once more. */
Permission states_permission(const Sparse *kept);
void states_keep_permission(Sparse **kept, const Permission *permission);

/* The state of a new target or account. 0 or -ENOMEM. */
int states_new_target(Sparse **kept);
