/* SPDX-License-Identifier: Apache-2.0 */
/* Trails that nobody has accepted, and their common reports. */
#include "daemon/unaccepted.h"

#include "daemon/engine_private.h"
#include "daemon/sinks.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

static void unaccepted_are_due(void *userdata) {
    Account *account = userdata;
    Engine *engine = account->engine;
    UnacceptedPace *pace = &account->unaccepted;
    Now now = engine_now(engine);
    Subject subject = engine_account_subject(account);
    char detail[ERROR_TEXT_MAX];
    Event event;

    unaccepted_detail(pace->n_appeared, pace->n_gone, account->unaccepted_names, detail);
    event = event_new(EVENT_TRAILS_UNACCEPTED, PHASE_OPENED, SEVERITY_WARNING, pace->since_usec,
                      engine_account_policy(account).mode, detail);
    engine_save_mark(engine, pace->since_usec);
    if (engine_queue_message(engine, &subject, &event) < 0) {
        (void)loop_after(engine->aws.loop, SCHEDULE_UNACCEPTED_SOON_USEC, unaccepted_are_due, account,
                         &account->unaccepted_timer);
        return;
    }
    for (size_t i = 0; i < engine->n_trails; i++)
        if (engine->trails[i]->via == account)
            SET_REPORTED_STATE(engine->trails[i], appearance_pending, false);
    schedule_unaccepted_summed_up(pace, now.mono_usec);
    account->unaccepted_names[0] = '\0';
    engine_save_soon(engine, true);
}

static void sum_up_soon(Account *account) {
    const Engine *engine = account->engine;
    Now now = engine_now(engine);
    uint64_t wait_usec = schedule_unaccepted_wait(&account->unaccepted, now.mono_usec);

    if (account->unaccepted.since_usec == 0)
        account->unaccepted.since_usec = now.real_usec;
    if (!account->unaccepted_timer && !engine->once && wait_usec != UINT64_MAX)
        (void)loop_after(engine->aws.loop, wait_usec, unaccepted_are_due, account,
                         &account->unaccepted_timer);
}

static void sum_up(Trail *trail, bool gone) {
    Account *account = trail->via;

    if (schedule_unaccepted_count(&account->unaccepted, trail->is_summed_up, gone))
        unaccepted_add_name(account->unaccepted_names, sizeof(account->unaccepted_names), trail->name);
    trail->is_summed_up = true;
    sum_up_soon(account);
}

void engine_resume_unaccepted(Account *account, const StateAccount *row) {
    if (row->n_appeared == 0 && row->n_gone == 0)
        return;
    account->unaccepted.n_appeared = row->n_appeared;
    account->unaccepted.n_gone = row->n_gone;
    account->unaccepted.since_usec = row->unaccepted_usec;
    (void)text_copy(account->unaccepted_names, sizeof(account->unaccepted_names), row->unaccepted_names);
    account->unaccepted_resumed = true;
    sum_up_soon(account);
}

/* State files of earlier versions have no numbers: the waiting rows are counted. */
void engine_resume_appearance(Trail *trail) {
    const UnacceptedPace *pace = &trail->via->unaccepted;

    if (!trail->via->unaccepted_resumed) {
        sum_up(trail, false);
        return;
    }
    trail->is_summed_up = true;
    if (pace->n_appeared == 0) /* they were reported before this row was loaded */
        SET_REPORTED_STATE(trail, appearance_pending, false);
}

void engine_sum_up_now(Engine *engine) {
    for (size_t i = 0; i < engine->n_accounts; i++)
        if (engine->accounts[i]->unaccepted_timer) {
            loop_cancel(engine->aws.loop, TAKE_PTR(engine->accounts[i]->unaccepted_timer));
            unaccepted_are_due(engine->accounts[i]);
        }
}

void engine_count_unaccepted(Trail *trail) {
    if (!trail->is_summed_up)
        SET_REPORTED_STATE(trail, appearance_pending, true);
    sum_up(trail, engine_is_missing(trail));
}
