/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an account has enabled a region: AWS's own word, for regions that call our keys unknown. */
#include <string.h>

#include "daemon/engine_private.h"
#include "daemon/log.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* How long an answer, or that there was none, serves; and how long a denial does, for the account. */
#define ANSWER_USEC (300 * USEC_PER_SEC)
#define DENIED_USEC (3600 * USEC_PER_SEC)

static void note_denied(Account *account, const AwsError *error) {
    account->region_denied_until_usec = engine_now(account->engine).mono_usec + DENIED_USEC;
    if (account->region_denial_reported)
        return;
    account->region_denial_reported = true;
    log_line(LOG_INFO,
             "account %s: whether a region is enabled is judged by its answers over time, because AWS does "
             "not say: "
             "GetRegionOptStatus: %s: %s",
             engine_account_named(account), error->code, error->message);
}

static void end_call(Target *target) {
    target->region_call = NULL;
    target->engine->n_polling -= target->region_is_of_pass;
    target->region_is_of_pass = false;
}

/* Without an answer the last one stays. */
static void answered(const AwsError *error, const char *status, void *userdata) {
    Target *target = userdata;

    end_call(target);
    if (status)
        (void)text_copy(target->region_status, sizeof(target->region_status), status);
    else if (error->class == AWS_DENIED)
        note_denied(target->account, error);
    engine_judge_rejected(target->account);
    engine_check_named(target->account);
    engine_end_pass(target->engine);
}

bool engine_ask_region(Target *target) {
    Engine *engine = target->engine;
    uint64_t now_usec = engine_now(engine).mono_usec;

    if (target->region_call)
        return true;
    if (now_usec < target->account->region_denied_until_usec ||
        (target->region_asked_usec != 0 && now_usec < target->region_asked_usec + ANSWER_USEC))
        return false;
    target->region_asked_usec = now_usec;
    if (account_get_region_status(engine->aws.client, target->account->credentials, target->region, answered,
                                  target, &target->region_call) < 0)
        return false;
    /* as with polls: a pass does not wait for what is reported already */
    target->region_is_of_pass =
            engine->once || target->state.n_failed < engine_intervals(engine).unreachable_after;
    engine->n_polling += target->region_is_of_pass;
    return true;
}

void engine_forget_region(Target *target) {
    target->region_status[0] = '\0';
    target->region_asked_usec = 0;
}

void engine_stop_region(Target *target) {
    if (!target->region_call)
        return;
    account_cancel(target->region_call);
    end_call(target);
}
