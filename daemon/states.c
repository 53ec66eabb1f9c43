/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/states.h"

_Static_assert(sizeof(TrailState) % 8 == 0 && sizeof(TrailState) <= SPARSE_SIZE_MAX, "see sparse.h");
_Static_assert(sizeof(TargetState) % 8 == 0 && sizeof(TargetState) <= SPARSE_SIZE_MAX, "see sparse.h");

TrailState states_trail(const Sparse *kept) {
    TrailState state;

    sparse_get(kept, 0, sizeof(state), &state);
    return state;
}

TargetState states_target(const Sparse *kept) {
    TargetState state;

    sparse_get(kept, 0, sizeof(state), &state);
    return state;
}

int states_keep_trail(Sparse **kept, const TrailState *s) {
    bool busy = s->acting || s->incident.open || s->attributing.wanted || s->attributing.searching ||
                s->pending.set || s->pending_restore.set;

    return sparse_put(kept, s, sizeof(*s), busy);
}

int states_keep_target(Sparse **kept, const TargetState *s) {
    bool busy = s->reach.open || s->cover.open || s->list.open || s->attributing.wanted ||
                s->attributing.searching;

    return sparse_put(kept, s, sizeof(*s), busy);
}

int states_new_target(Sparse **kept) {
    TargetState state = { .reach.event = _EVENT_MAX, .cover.event = _EVENT_MAX, .list.event = _EVENT_MAX };

    return states_keep_target(kept, &state);
}

Permission states_permission(const Sparse *kept) {
    Permission permission;

    sparse_get(kept, 0, sizeof(permission), &permission);
    return permission;
}

void states_keep_permission(Sparse **kept, const Permission *permission) {
    (void)sparse_put(kept, permission, sizeof(*permission), false);
}
