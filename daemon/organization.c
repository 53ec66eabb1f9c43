/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/organization.h"

#include <stdio.h>

#include "daemon/engine_private.h"
#include "daemon/log.h"
#include "daemon/sinks.h"
#include "lib/util/macros.h"

static unsigned count_polled(const Engine *engine) {
    unsigned n = 0;

    for (size_t i = 0; i < engine->n_accounts; i++)
        n += engine->accounts[i]->guarded && !engine->accounts[i]->left;
    return n;
}

static Event event_of(const Engine *engine, EventKind kind, EventPhase phase, const char *detail) {
    const AccountListTrouble *trouble = &engine->account_list.trouble;
    Event event =
            event_new(kind, phase, SEVERITY_WARNING, trouble->since_usec, engine->config->mode, detail);

    account_list_complete(trouble, &event);
    event.n_accounts = count_polled(engine);
    return event;
}

/* Negative: the message is lost, and must be sent again. */
static int organization_send(Engine *engine, Event *event) {
    const AccountListTrouble *trouble = &engine->account_list.trouble;
    Subject subject = { .name = "", .arn = "", .account = trouble->account, .region = "" };
    int r;

    engine_save_mark(engine, trouble->since_usec);
    r = engine_queue_message(engine, &subject, event);

    engine_save_soon(engine, true);
    return r;
}

static void end_trouble(Engine *engine, const char *detail, bool forgotten) {
    AccountListTrouble *trouble = &engine->account_list.trouble;
    AccountListEnd end = account_list_end(trouble, forgotten);
    Event event = event_of(engine, EVENT_ORGANIZATION_READABLE, PHASE_RESOLVED, detail);

    event.forgotten = forgotten;
    if (end == ACCOUNT_LIST_REPORTED) {
        if (organization_send(engine, &event) < 0)
            return; /* the next list or round reports it */
        report_line(LINE_ORGANIZATION_READABLE, engine_account_named(engine->base), "", detail);
    } else if (end == ACCOUNT_LIST_IN_LINE) {
        log_line(LOG_NOTICE, "%s", detail);
    }
    *trouble = (AccountListTrouble){ 0 };
    engine_save_soon(engine, true);
}

void engine_note_unlisted(Engine *engine, const char *error) {
    AccountListTrouble *trouble = &engine->account_list.trouble;
    uint64_t now_usec = engine_now(engine).real_usec;
    bool reports = account_list_failed(trouble, engine_account_named(engine->base), error,
                                       engine->config->unreachable_after, now_usec);
    Event event = event_of(engine, EVENT_ORGANIZATION_UNREADABLE, PHASE_OPENED, error);
    char text[2 * ERROR_TEXT_MAX];

    if (trouble->n_failed == 1) /* saves the incident's mark, so that a crash after the message does not make
                                   a second incident */
        engine_save_soon(engine, true);
    if (!reports || engine->once || organization_send(engine, &event) < 0)
        return; /* otherwise the next failed list reports it */
    (void)snprintf(text, sizeof(text),
                   "the organization's accounts cannot be listed; new ones are not guarded: %s",
                   event.detail);
    report_line(LINE_ORGANIZATION_UNREADABLE, engine_account_named(engine->base), event.detail, text);
    account_list_reported(trouble, now_usec);
}

void engine_note_listed(Engine *engine) {
    if (engine->account_list.trouble.n_failed > 0)
        end_trouble(engine, "the organization's accounts can be listed again", false);
}

void engine_remind_of_list(Engine *engine) {
    AccountListTrouble *trouble = &engine->account_list.trouble;
    uint64_t now_usec = engine_now(engine).real_usec;
    Event event;

    if (!engine->config->organization.role_name) {
        if (trouble->n_failed > 0)
            end_trouble(engine, "the option `organization` is not set any more", true);
        return;
    }
    if (!account_list_reminds(trouble, engine->config->reminder_interval_sec * USEC_PER_SEC, now_usec))
        return;
    event = event_of(engine, EVENT_INCIDENT_REMINDER, PHASE_REMINDER, trouble->error);
    if (organization_send(engine, &event) >= 0)
        account_list_reported(trouble, now_usec);
}
