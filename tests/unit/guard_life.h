/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One trail, its clock and its guard, for the guard's tests. What holds for every decision is asserted here.
 * Include it after cmocka.h. */

#include <string.h>

#include "daemon/core/guard.h"
#include "lib/util/macros.h"

#define SEC   USEC_PER_SEC
#define HOUR  (3600 * SEC)
#define EPOCH (1800000000ULL * SEC)

#define STARTED  (EPOCH - 5000 * SEC)
#define STOP_NOW (EPOCH - 2 * SEC)

#define RESTORE_MOST                                                                                        \
    (RESTORE_BIT(RESTORE_SETTINGS) | RESTORE_BIT(RESTORE_SELECTORS) | RESTORE_BIT(RESTORE_INSIGHTS))
#define RESTORE_ALL (RESTORE_MOST | RESTORE_BIT(RESTORE_DELETED))

typedef struct Life {
    Policy policy;
    TrailFacts facts;
    TrailState state;
    Plan plan;
    Now now;
    unsigned n_events; /* so far */
    unsigned sequence; /* of the last of them */
} Life;

static inline Life life(Mode mode, bool writable) {
    return (Life){
        .policy = { .mode = mode,
                    .unreachable_after = 3,
                    .reminder_interval_usec = HOUR,
                    .restore = RESTORE_MOST,
                    .max_restores_per_hour = 30 },
        .facts = { .writable = writable, .validation = true },
        .state = guard_trail_init(),
        .now = { .real_usec = EPOCH, .mono_usec = 1000 * SEC },
    };
}

static inline void pass_time(Life *l, uint64_t usec) {
    l->now.real_usec += usec;
    l->now.mono_usec += usec;
}

/* Which fields the policy lets be written, told anew from product's words. */
static inline uint32_t writable_fields(const Policy *policy) {
    uint32_t fields = 0;

    for (Field f = 0; f < _FIELD_MAX; f++) {
        RestoreKind kind = f == FIELD_SELECTORS || f == FIELD_CONFIGURATION ? RESTORE_SELECTORS
                           : f == FIELD_INSIGHTS                            ? RESTORE_INSIGHTS
                           : f == FIELD_TAGS                                ? RESTORE_DELETED
                                                                            : RESTORE_SETTINGS;

        if (policy->restore & RESTORE_BIT(kind))
            fields |= FIELD_BIT(f);
    }
    return fields;
}

static inline void check_action(const Life *l) {
    const Plan *plan = &l->plan;
    bool settings = plan->action == ACTION_RESTORE || plan->action == ACTION_RECREATE;

    if (l->policy.mode == MODE_OBSERVE || !l->facts.writable)
        assert_int_equal(plan->action, ACTION_NONE);
    if (settings) {
        assert_int_equal(l->policy.mode, MODE_RESTORE);
        assert_false(l->facts.maintenance);
        for (unsigned i = 0; i <= RECREATION; i++)
            if (i < RECREATION ? (plan->fields & FIELD_BIT(i)) != 0 : plan->action == ACTION_RECREATE)
                assert_true(l->state.restores[i].n_confirmed < l->policy.max_restores_per_hour);
    }
    if (plan->action == ACTION_RECREATE)
        assert_true(l->policy.restore & RESTORE_BIT(RESTORE_DELETED));
    if (plan->action == ACTION_RESTORE) {
        assert_true(plan->fields != 0);
        assert_int_equal(plan->fields & ~writable_fields(&l->policy), 0);
    } else
        assert_int_equal(plan->fields, 0);
    if (plan->action != ACTION_NONE)
        assert_true(l->state.acting);
}

static inline void decide(Life *l, TrailInput input) {
    guard_trail(&l->policy, &l->facts, &l->state, &input, l->now, &l->plan, &l->state);
    assert_false(l->plan.overflowed);
    check_action(l);
    for (unsigned i = 0; i < l->plan.n_events; i++) {
        const Event *t = &l->plan.events[i];

        assert_true(t->sequence == 1 || t->sequence == l->sequence + 1);
        assert_int_equal(t->maintenance, l->facts.maintenance);
        if (t->kind != EVENT_TRAIL_STRENGTHENED) /* it belongs to no incident */
            l->sequence = t->sequence;
        l->n_events++;
    }
    if (l->plan.attribute)
        assert_true(l->policy.attribution && l->state.attributing.searching);
    /* whatever waits is waited for, and not in circles */
    assert_true(l->plan.wake_mono_usec == 0 || l->plan.wake_mono_usec > l->now.mono_usec);
    if (l->plan.hold)
        assert_true(l->plan.wake_mono_usec != 0 &&
                    l->plan.wake_mono_usec <= l->now.mono_usec + GUARD_HOLD_USEC);
}

static inline void result(Life *l, Observation seen) {
    decide(l, (TrailInput){ .kind = GUARD_POLLED, .seen = &seen });
}

static inline void wake(Life *l) {
    decide(l, (TrailInput){ .kind = GUARD_TIME });
}

/* Lets time pass to the next wake-up, at most `most`, and takes it. */
static inline void wait_for_wake(Life *l, uint64_t most) {
    uint64_t due = l->plan.wake_mono_usec;
    uint64_t span = due == 0 ? most : due > l->now.mono_usec ? MIN(due - l->now.mono_usec, most) : 0;

    pass_time(l, span);
    wake(l);
}

static inline Observation logging(uint64_t start, uint64_t stop) {
    return (Observation){
        .kind = OBSERVED_STATUS, .is_logging = true, .start_usec = start, .stop_usec = stop
    };
}

static inline Observation stopped(uint64_t start, uint64_t stop) {
    return (Observation){ .kind = OBSERVED_STATUS, .start_usec = start, .stop_usec = stop };
}

static inline Observation absent(void) {
    return (Observation){ .kind = OBSERVED_ABSENT };
}

static inline Observation in_vain(PollError error, bool target_reachable) {
    return (Observation){
        .kind = OBSERVED_ERROR, .error = error, .target_reachable = target_reachable, .error_text = "no"
    };
}

static inline void held(Life *l, uint64_t start, uint64_t stop) {
    Outcome outcome = { .action = ACTION_RESTART, .result = RESULT_CONFIRMED, .seen = logging(start, stop) };

    decide(l, (TrailInput){ .kind = GUARD_ACTED, .outcome = &outcome });
}

static inline void failed(Life *l) {
    Outcome outcome = { .action = ACTION_RESTART, .result = RESULT_FAILED, .error_text = "denied" };

    decide(l, (TrailInput){ .kind = GUARD_ACTED, .outcome = &outcome });
}
