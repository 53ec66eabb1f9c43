/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/holds.h"

#include <errno.h>
#include <string.h>

#include "daemon/core/contain.h"
#include "daemon/core/hold.h"
#include "daemon/engine_private.h"
#include "daemon/io/enforce.h"
#include "daemon/io/release_file.h"
#include "daemon/log.h"
#include "daemon/sinks.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define TICK_USEC (USEC_PER_SEC) /* while there are any: a request for a release is noticed within this
                                    time */

/* ---- messages ---- */

static int report(Engine *engine, const ContainHold *hold, ContainStep step, const char *detail) {
    Subject subject = { .name = "", .arn = "", .account = hold->account, .region = "" };
    Event event = hold_event(hold, step, detail, engine->config->mode);
    JournalEntry entry;
    int r = engine_queue_message(engine, &subject, &event);

    if (r < 0)
        return r;
    hold_entry(hold, step, detail, &entry);
    engine->sink->entry(&subject, &entry, "", engine_now(engine).real_usec);
    return 0;
}

/* ---- actions ---- */

/* Reports what came of it, and ends the hold after the last message. What there is no memory for is reported
 * at the next tick. */
static void settle(Engine *engine, ContainHold *hold) {
    ContainStep step = (ContainStep)(hold->owed - 1);

    if (report(engine, hold, step, hold_detail(hold, step)) < 0)
        return;
    hold->owed = 0;
    if (hold_is_over(step)) {
        contain_forgive(&engine->contain, hold->arn, engine_now(engine).real_usec);
        hold_drop(&engine->contain, hold);
    }
    engine_save_soon(engine, true);
    engine_publish(engine);
}

static void enforced(const char *arn, const HoldOutcome *outcome, void *userdata) {
    Engine *engine = userdata;
    ContainHold *hold = hold_find(&engine->contain, arn);
    const char *topics[CONFIG_CHANNELS_MAX];
    HoldNews news;

    if (!hold)
        return;
    hold->under_way = NULL;
    news = hold_take(hold, outcome, topics, config_topics(engine->config, topics), engine_now(engine));
    if (news.report) {
        hold->owed = 1U + news.step;
        settle(engine, hold);
    }
    engine_save_soon(engine, true);
    engine_publish(engine);
    engine_due(engine, DUE_HOLDS);
}

/* The keys for its account; NULL: none at present. */
static CredentialsProvider *keys_of(const Engine *engine, const ContainHold *hold) {
    const Account *account = engine_account_by_id(engine, hold->account);

    return account && engine_account_is_open(account) ? account->credentials : NULL;
}

static void begin(Engine *engine, ContainHold *hold, HoldAction action) {
    EnforceRequest request = {
        .aws = engine->aws.client,
        .credentials = keys_of(engine, hold),
        .region = engine->aws.region,
        .hold = hold,
        .action = action,
        .done = enforced,
        .userdata = engine,
    };
    int r;

    hold->due_mono_usec = engine_now(engine).mono_usec + TICK_USEC;
    if (!request.credentials)
        return;
    /* saved before AWS is called: after a crash it must be known who is contained */
    if (action == HOLD_PUT) {
        engine_save_state(engine);
        if (engine->save_problem[0])
            return;
    }
    r = enforce_start(&request, &hold->under_way);
    if (r < 0)
        log_line(LOG_ERR, "%s: not contained: %s", hold->arn, strerror(-r));
}

static void run(Engine *engine, ContainHold *hold) {
    bool may_put = engine->config->contain.mode == CONTAIN_ENFORCE;
    HoldAction action;

    if (hold->owed > 0) {
        settle(engine, hold);
        return;
    }
    if (hold_is_to_be_announced(hold, may_put)) {
        engine_save_mark(engine, hold->since_usec);
        hold->announced = report(engine, hold, CONTAIN_STEP_ABOUT, "") >= 0;
        engine_save_soon(engine, true);
    }
    action = hold_action(hold, may_put, engine_now(engine).mono_usec);
    if (action != HOLD_NOTHING)
        begin(engine, hold, action);
}

/* ---- releases ---- */

static void take_release(Engine *engine) {
    char reason[ERROR_TEXT_MAX] = "", shown[ACTOR_ARN_MAX];
    ReleaseFile file;
    ContainHold *hold;
    int r = release_file_read(engine->state_dir, &file, reason, sizeof(reason));

    if (r == -ENOENT)
        return;
    hold = r < 0 ? NULL : hold_find(&engine->contain, file.arn);
    if (r < 0)
        log_line(LOG_WARNING, "%s/" RELEASE_FILE ": ignored: %s", engine->state_dir,
                 reason[0] ? reason : file_strerror(r));
    else if (!hold)
        log_line(LOG_WARNING, "%s/" RELEASE_FILE ": ignored: %s is not contained", engine->state_dir,
                 text_escaped(shown, sizeof(shown), file.arn));
    else {
        hold_release(hold, file.by);
        engine_save_state(engine);
    }
    (void)release_file_remove(engine->state_dir);
}

/* ---- timing ---- */

static void ticked(void *userdata) {
    engine_run_holds(userdata);
}

void engine_run_holds(Engine *engine) {
    if (engine->once || engine->contain.n_holds == 0)
        return;
    take_release(engine);
    for (size_t i = 0, n; i < engine->contain.n_holds; i += n == engine->contain.n_holds) {
        n = engine->contain.n_holds; /* one whose end is reported goes */
        run(engine, &engine->contain.holds[i]);
    }
    if (!engine->hold_timer)
        (void)loop_after(engine->aws.loop, TICK_USEC, ticked, engine, &engine->hold_timer);
}

void engine_stop_holds(Engine *engine) {
    for (size_t i = 0; i < engine->contain.n_holds; i++)
        enforce_cancel(TAKE_PTR(engine->contain.holds[i].under_way));
    loop_cancel(engine->aws.loop, TAKE_PTR(engine->hold_timer));
}
