/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an account has enabled a region: the meaning of rejected keys. */
#include "daemon/regions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/apply_plan.h"
#include "daemon/log.h"
#include "daemon/passes.h"
#include "daemon/trails.h"
#include "lib/endpoint.h"
#include "lib/util/macros.h"
#include "lib/util/shared_text.h"
#include "lib/util/text.h"

static bool are_good_elsewhere(const Target *target) {
    const Account *account = target->account;

    for (size_t i = 0; i < account->n_targets; i++) {
        const Target *other = account->targets[i];
        const TargetState state = states_target(other->state);

        if (other != target && scope_keys_are_good(&state, other->polled_usec != 0))
            return true;
    }
    return false;
}

static bool is_polling_elsewhere(const Target *target) {
    const Account *account = target->account;

    for (size_t i = 0; i < account->n_targets; i++)
        if (account->targets[i] != target && account->targets[i]->polls)
            return true;
    return false;
}

static void note_denied(Account *account, const AwsError *error) {
    account->region_denied_until_usec = engine_now(account->engine).mono_usec + SCOPE_REGION_DENIED_USEC;
    if (account->region_denial_reported)
        return;
    account->region_denial_reported = true;
    log_line(LOG_INFO,
             "account %s: whether a region is enabled is judged by its answers over time, because AWS does "
             "not say: GetRegionOptStatus: %s: %s",
             engine_account_named(account), error->code, error->message);
}

/* Without an answer the last status stays. */
static void regions_answered(const AwsError *error, const char *status, void *userdata) {
    Target *target = userdata;

    engine_end_region_call(target);
    if (status)
        (void)shared_text_set(&target->region_status, status);
    else if (error->class == AWS_DENIED)
        note_denied(target->account, error);
    engine_judge_rejected(target->account);
    engine_check_named(target->account);
    engine_end_pass(target->engine);
}

static bool ask_region(Target *target) {
    Engine *engine = target->engine;
    Intervals intervals = engine_intervals(engine);
    uint64_t now_usec = engine_now(engine).mono_usec;
    const RegionQuestion question = { target->region_asked_usec, target->account->region_denied_until_usec };

    if (target->region_call)
        return true;
    if (!scope_may_ask_region(&question, now_usec))
        return false;
    target->region_asked_usec = now_usec;
    if (account_get_region_status(
                &(AwsCaller){ engine->aws.client, target->account->credentials, target->region },
                target->region, regions_answered, target, &target->region_call) < 0)
        return false;
    target->region_is_of_pass =
            schedule_pass_waits(&intervals, true, TARGET_STATE(target, n_failed), engine->once);
    engine->n_polling += target->region_is_of_pass;
    return true;
}

static void forget_region(Target *target) {
    (void)shared_text_set(&target->region_status, NULL);
    target->region_asked_usec = 0;
}

static Rejection rejection_of(Target *target) {
    const Account *account = target->account;
    Rejection rejection = {
        .named = !config_account_regions(account->engine->config, account->config)->all,
        .good_elsewhere = are_good_elsewhere(target),
        .opt_in = endpoint_region_is_opt_in(target->region),
        .has_trails = target->n_trails > 0,
        .ever_reachable = TARGET_STATE(target, ever_reachable),
        .lasts_usec = engine_now(target->engine).mono_usec - target->rejections.since_usec,
        .status = shared_text_or_empty(target->region_status),
        .waits = account->engine->once,
        .polls_elsewhere = is_polling_elsewhere(target),
    };

    rejection.asking = scope_wants_status(&rejection) && ask_region(target);
    return rejection;
}

/* True if the result is final. */
static bool is_clear(Target *target, PollResult *result) {
    Rejection rejection = rejection_of(target);

    return scope_take_rejection(&rejection, result);
}

bool engine_region_is_unclear(Target *target, const PollAnswer *answer, PollResult *result) {
    engine_forget_rejected(target);
    scope_count_rejection(&target->rejections, answer->rejected, engine_now(target->engine).mono_usec);
    if (result->reachable)
        forget_region(target);
    if (!answer->rejected || is_clear(target, result))
        return false;
    target->rejected = malloc(sizeof(*target->rejected));
    if (!target->rejected)
        return false;
    *target->rejected = *result;
    return true;
}

void engine_judge_rejected(Account *account) {
    for (size_t i = 0; i < account->n_targets; i++) {
        Target *target = account->targets[i];

        if (!target->rejected || !is_clear(target, target->rejected))
            continue;
        engine_decide_target(target, target->rejected);
        engine_forget_rejected(target);
        engine_pace(target, engine_now(account->engine).mono_usec, LIST_NOT_ASKED);
    }
}
