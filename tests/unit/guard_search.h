/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A guard's life whose trail is searched for who did it, and the answers of the searches. Include it after
 * cmocka.h. */

#include "tests/unit/guard_life.h"

static inline Life curious(Mode mode) {
    Life l = life(mode, true);

    l.policy.attribution = true;
    l.policy.reminder_interval_usec = 0;
    return l;
}

static inline Actor actor(uint64_t event_usec, const char *name) {
    Actor a = { .type = "IAMUser", .event_usec = event_usec };

    (void)strcpy(a.name, name);
    return a;
}

static inline void answer(Life *l, Attribution found) {
    decide(l, (TrailInput){ .kind = GUARD_ATTRIBUTED, .attribution = &found });
}

static inline void found(Life *l, uint64_t event_usec) {
    answer(l, (Attribution){ .searched = true, .found = true, .actor = actor(event_usec, "bob") });
}

static inline void found_nobody(Life *l) {
    answer(l, (Attribution){ .searched = true });
}

static inline void search_failed(Life *l) {
    answer(l, (Attribution){ .error_text = "AccessDenied" });
}

/* Takes wake-ups until a search is wanted; how long that took. */
static inline uint64_t wait_for_search(Life *l) {
    uint64_t since = l->now.real_usec;

    for (unsigned i = 0; !l->plan.attribute; i++) {
        assert_true(i < 50 && l->plan.wake_mono_usec != 0);
        wait_for_wake(l, HOUR);
    }
    return l->now.real_usec - since;
}

static inline void stop_trail(Life *l) {
    uint64_t at = l->now.real_usec;

    result(l, stopped(STARTED, at));
}
