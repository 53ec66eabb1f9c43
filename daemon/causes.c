/* SPDX-License-Identifier: Apache-2.0 */
/* Incidents that several targets or accounts share: collects the members; the core decides. */
#include "daemon/causes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/apply_plan.h"
#include "daemon/core/guard.h"
#include "daemon/engine_private.h"
#include "daemon/sinks.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* An outage affects thousands of targets within seconds, so they are decided about together. */
#define PAUSE_USEC (USEC_PER_SEC / 4)

/* False without memory. */
static bool add_cause(Engine *engine, CauseKind kind, const Account *account, const char *region) {
    Cause cause = engine_cause_key(kind, account, region), *grown;

    if (kind == CAUSE_OWN || engine_cause_of(engine, &cause))
        return true;
    grown = realloc(engine->causes, (engine->n_causes + 1) * sizeof(*grown));
    if (!grown)
        return false;
    engine->causes = grown;
    (void)text_copy(cause.home, sizeof(cause.home), engine_account_named(engine->base));
    grown[engine->n_causes++] = cause;
    engine_sort_causes(engine);
    return true;
}

/* False if some are missing, without memory. */
static bool find_causes(Engine *engine) {
    bool all = true;

    for (size_t i = 0; i < engine->n_targets; i++) {
        Target *target = engine->targets[i];
        TargetState s = states_target(target->state);

        if (guard_cause_is_left(&s, engine_place(target))) {
            all &= engine_report_alone(target, s.cause) >= 0;
            s = states_target(target->state);
        }
        if (s.reach.open)
            all &= add_cause(engine, s.cause, target->account, target->region);
        if (guard_cause_has(CAUSE_UNCOVERED, &s, engine_place(target)))
            all &= add_cause(engine, CAUSE_UNCOVERED, target->account, target->region);
    }
    for (size_t i = 0; i < engine->n_accounts; i++) {
        Account *account = engine->accounts[i];
        const TargetState s = states_target(account->state);

        if (guard_cause_is_left(&s, PLACE_ACCOUNT))
            all &= engine_report_account_alone(account) >= 0;
        if (TARGET_STATE(account, reach.open))
            all &= add_cause(engine, TARGET_STATE(account, cause), account, "");
    }
    return all;
}

/* The members of a cause, during a decision. */
typedef struct Gathering {
    CauseGathering them;
    Target *last;
} Gathering;

static void gather_target(Gathering *g, Target *target) {
    Subject subject = engine_target_subject(target);
    const TargetState state = states_target(target->state);

    if (guard_cause_take(&g->them, &subject, &state, engine_place(target), target->configured))
        g->last = target;
}

static void gather_account(Gathering *g, const Account *account) {
    Subject subject = engine_account_subject(account);
    const TargetState state = states_target(account->state);

    for (size_t k = 0; k < account->n_targets; k++)
        if (engine_cause_covers(g->them.cause, account, account->targets[k]->region))
            gather_target(g, account->targets[k]);
    (void)guard_cause_take(&g->them, &subject, &state, PLACE_ACCOUNT, false);
}

static void gather(const Engine *engine, const Cause *cause, Gathering *g) {
    const Account *one = engine_account_by_id(engine, cause->account);

    g->them.cause = cause;
    g->them.in = (CauseMembers){ .members = g->them.members, .rest = g->them.rest };
    g->last = NULL;
    for (size_t i = 0; !one && i < engine->n_accounts; i++)
        gather_account(g, engine->accounts[i]);
    if (one)
        gather_account(g, one);
}

static bool are_all_begun(const Engine *engine) {
    TablesBegun begun = {
        .passes = engine->passes_begun,
        .organization = engine->config->organization.role_name,
        .list_tried = engine->account_list.tried,
    };

    for (size_t i = 0; i < engine->n_accounts; i++)
        begun.waits |= engine->accounts[i]->guarded && !engine->accounts[i]->begun;
    return scope_tables_are_whole(&begun);
}

/* Returns the mono time of its next decision; 0: none. */
static uint64_t decide_cause(Engine *engine, Cause *cause, Gathering *g) {
    Policy policy = engine_policy(engine);
    Subject subject = guard_cause_subject(cause);
    CauseMembers *in = &g->them.in;
    Cause next;
    Plan plan;
    bool alone;

    gather(engine, cause, g);
    if (!guard_cause_is_ripe(cause, in, are_all_begun(engine)))
        return 0;
    guard_cause(&policy, cause, in, engine_now(engine), &plan, &next, &alone);
    if (plan.n_events > 0)
        engine_save_mark(engine, guard_cause_mark(cause, in));
    if (engine_queue_messages(engine, &subject, &plan) < 0 ||
        (alone && g->last && engine_report_alone(g->last, cause->kind) < 0))
        return engine_now(engine).mono_usec + USEC_PER_SEC;
    *cause = next;
    if (plan.n_events > 0)
        engine_save_soon(engine, true);
    return plan.wake_mono_usec;
}

static void causes_woke(void *userdata) {
    engine_due(userdata, DUE_CAUSES);
}

static void drop_causes(Engine *engine) {
    for (size_t i = engine->n_causes; i-- > 0;)
        if (guard_cause_is_over(&engine->causes[i], engine_now(engine)))
            memmove(&engine->causes[i], &engine->causes[i + 1],
                    (--engine->n_causes - i) * sizeof(*engine->causes));
}

static uint64_t decide_all(Engine *engine, Gathering *g) {
    uint64_t wake = 0;

    for (size_t i = 0; i < engine->n_causes; i++) {
        uint64_t next = decide_cause(engine, &engine->causes[i], g);

        wake = wake == 0 || (next != 0 && next < wake) ? next : wake;
    }
    return wake;
}

void engine_decide_causes(Engine *engine) {
    size_t n = engine->n_targets + engine->n_accounts + 1;
    uint64_t now_usec = engine_now(engine).mono_usec, wake = 0;
    Gathering g;

    engine->causes_are_left = true;
    if (now_usec < engine->causes_due_usec) {
        engine_arm(engine, &engine->cause_timer, engine->causes_due_usec, causes_woke, engine);
        return;
    }
    engine->causes_due_usec = now_usec + PAUSE_USEC;
    g = (Gathering){ .them.members = calloc(n, sizeof(Subject)), .them.rest = calloc(n, sizeof(Subject)) };
    if (g.them.members && g.them.rest) {
        engine->causes_are_left = !find_causes(engine);
        wake = decide_all(engine, &g);
        drop_causes(engine);
    }
    if (engine->causes_are_left)
        wake = engine->causes_due_usec;
    engine_arm(engine, &engine->cause_timer, wake, causes_woke, engine);
    free(g.them.members);
    free(g.them.rest);
}
