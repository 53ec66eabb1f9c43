/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/guard_checks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/attribute_match.h"
#include "daemon/core/guard.h"
#include "daemon/engine_private.h"
#include "daemon/guard_policy.h"
#include "daemon/log.h"
#include "daemon/resume.h"
#include "daemon/sinks.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* AWS's clock may differ, and an event has the time of its call. */
#define SLACK_USEC (60 * USEC_PER_SEC)

static void check_fired(void *userdata);

static uint64_t interval_usec(const Engine *engine) {
    return engine->config->guard_interval_sec * USEC_PER_SEC;
}

static uint64_t gap_usec(const Engine *engine) {
    return guard_check_gap_usec(interval_usec(engine), engine->n_accounts);
}

static void guard_checks_arm(Engine *engine, uint64_t delay_usec) {
    if (loop_rearm(engine->aws.loop, delay_usec, check_fired, engine, &engine->guard.timer) < 0)
        log_line(LOG_ERR, "no timer for the next check of the guard's own access");
}

/* ---- records ---- */

static GuardRecord *record_of(Engine *engine, const char *arn) {
    GuardWatch *w = &engine->guard;
    GuardRecord *record = guard_record_find(w->records, w->n_records, arn);

    if (record)
        return record;
    if (!ARRAY_APPEND(w->records, w->n_records, (GuardRecord){ 0 }))
        return NULL;
    record = &w->records[w->n_records - 1];
    (void)text_copy(record->arn, sizeof(record->arn), arn);
    return record;
}

/* The account of the user, role or topic. */
static Subject subject_of(const Engine *engine, const GuardRecord *record, Arn *arn) {
    const char *account = arn_parse(record->arn, arn) >= 0 ? arn->account
                                                           : engine_account_named(engine->base);

    return (Subject){ .name = "", .arn = "", .account = account, .region = "" };
}

/* Writes to the journal and the outbox. Negative: the message is lost, and must be sent again. */
static int guard_checks_report(Engine *engine, const GuardRecord *record, JournalLine line, Event *event) {
    bool names_it = event->kind == EVENT_GUARD_CHANGED; /* by itself */
    char text[ARN_MAX + ERROR_TEXT_MAX + 4];
    Arn arn;
    Subject subject = subject_of(engine, record, &arn);
    int r = engine_queue_message(engine, &subject, event);

    if (r < 0)
        return r;
    (void)snprintf(text, sizeof(text), "%s%s%s", names_it ? "" : record->arn, names_it ? "" : ": ",
                   event->detail);
    report_line(line, subject.account, event->detail, text);
    return 0;
}

/* ---- rights ---- */

static int report_lost(Engine *engine, const GuardRecord *record, Severity severity) {
    Event event = guard_rights_event(record, PHASE_OPENED, NULL, engine->config->mode);

    event.severity = severity; /* of the present losses */
    return guard_checks_report(engine, record, LINE_RIGHTS_LOST, &event);
}

static void report_restored(Engine *engine, GuardRecord *record, const char *why_forgotten) {
    Event event = guard_rights_event(record, PHASE_RESOLVED, why_forgotten, engine->config->mode);

    if (guard_checks_report(engine, record, LINE_RIGHTS_RESTORED, &event) < 0)
        return; /* the next check reports it */
    guard_rights_end(record);
}

static int remind_of(Engine *engine, const GuardRecord *record) {
    Arn arn;
    Subject subject = subject_of(engine, record, &arn);
    Event event = guard_rights_event(record, PHASE_REMINDER, NULL, engine->config->mode);

    return engine_queue_message(engine, &subject, &event);
}

static void send_reminders(Engine *engine) {
    GuardWatch *w = &engine->guard;
    uint64_t now_usec = engine_now(engine).real_usec;

    for (size_t i = 0; i < w->n_records; i++) {
        GuardRecord next = w->records[i];

        if (!guard_rights_remind(&next, engine->config->reminder_interval_sec * USEC_PER_SEC, now_usec) ||
            remind_of(engine, &next) < 0) /* the next check reminds of it */
            continue;
        w->records[i] = next;
        engine_save_soon(engine, true);
    }
}

/* What was found counts once it is in the outbox; the next check finds it again, under the same id. */
static void take_loss(Engine *engine, GuardRecord *record, const GuardLossReport *losses) {
    GuardRecord next = *record;

    switch (guard_rights_take(&next, losses, engine_now(engine).real_usec)) {
    case RIGHTS_LOST:
        if (report_lost(engine, &next, losses->severity) >= 0)
            *record = next;
        break;
    case RIGHTS_RESTORED:
        *record = next;
        report_restored(engine, record, NULL);
        break;
    case RIGHTS_SAME: *record = next; break;
    }
}

/* Returns whether there is trouble. */
static bool take_rights(Engine *engine, GuardRecord *record, const PrincipalFound *found) {
    bool denied = found->error.class == AWS_DENIED;
    char text[ERROR_TEXT_MAX] = "";
    GuardLossReport losses;

    if (!found->simulated)
        (void)aws_error_text(&found->error, "SimulatePrincipalPolicy", text, sizeof(text));
    if (found->simulated)
        guard_losses_report(&found->losses, &losses);
    else if (!guard_losses_of_denial(record, denied, text, &losses))
        return record->lost_usec != 0 || !denied;
    if (guard_rights_found(record, &losses, engine_now(engine).real_usec))
        engine_save_mark(engine, record->found_usec);
    take_loss(engine, record, &losses);
    return record->lost_usec != 0 || losses.n > 0;
}

/* ---- changes ---- */

/* The finding counts once its message is in the outbox. */
static void change_known(Engine *engine, const Actor *actor, bool unread) {
    GuardWatch *w = &engine->guard;
    GuardRecord *record = &w->records[w->changed];
    const GuardChange change = { w->severity, w->text, actor, w->n_read, unread };
    Event event = guard_change_event(record, &change, engine->config->mode);

    event.opened_usec = engine_now(engine).real_usec;
    engine_save_mark(engine, record->read_usec);
    if (guard_checks_report(engine, record, LINE_GUARD_CHANGED, &event) >= 0 &&
        guard_parts_merge(&record->parts, &w->now) >= 0)
        record->read_usec = engine_now(engine).real_usec;
    guard_parts_done(&w->now);
    engine_save_soon(engine, true);
    guard_checks_arm(engine, gap_usec(engine));
}

static bool ask_page(Engine *engine, const char *next_token);

static uint64_t search_from_usec(const GuardRecord *record) {
    return record->read_usec > SLACK_USEC ? record->read_usec - SLACK_USEC : 0;
}

static void page_read(const AwsError *error, const CloudTrailEvents *events, void *userdata) {
    Engine *engine = userdata;
    GuardWatch *w = &engine->guard;
    uint64_t since_usec = search_from_usec(&w->records[w->changed]);
    const char *next = events ? events->next_token : NULL;
    const GuardPage page = {
        .failed = error->class != AWS_OK,
        .too_big = error->too_big,
        .small = w->small_pages,
        .has_next = next && next[0],
        .n_pages = w->n_pages,
    };
    GuardSearchStep step;
    Actor actor;
    bool unread;

    w->search = NULL;
    for (size_t i = 0; events && i < events->n; i++)
        if (attribute_is_guard_change(&events->items[i], engine->base->identity, since_usec)) {
            attribute_actor(&events->items[i], &actor);
            change_known(engine, &actor, false);
            return;
        }
    w->n_read += events ? (unsigned)events->n : 0;
    step = guard_search_step(&page, &unread);
    w->small_pages |= step == GUARD_SEARCH_SHRINKS;
    if (step == GUARD_SEARCH_ENDS || !ask_page(engine, step == GUARD_SEARCH_SHRINKS ? NULL : next))
        change_known(engine, NULL, unread);
}

/* False if the page could not be requested. */
static bool ask_page(Engine *engine, const char *next_token) {
    GuardWatch *w = &engine->guard;
    const GuardRecord *record = &w->records[w->changed];
    CloudTrailLookup lookup = { .key = CLOUDTRAIL_LOOKUP_RESOURCE_NAME,
                                .start_usec = search_from_usec(record),
                                .max_results = w->small_pages ? GUARD_SEARCH_SMALL_PAGE : 0,
                                .next_token = next_token };
    AwsCaller caller = { engine->aws.client, w->searched->credentials, NULL };
    GuardHistory history;

    guard_history_of(record->arn, engine->aws.region, &history);
    lookup.value = history.name;
    caller.region = history.region;
    w->n_pages++;
    return cloudtrail_lookup_events(&caller, &lookup, page_read, engine, &w->search) >= 0;
}

static void search(Engine *engine, const Account *account) {
    GuardWatch *w = &engine->guard;

    w->searched = account;
    w->n_pages = w->n_read = 0;
    w->small_pages = false;
    if (!engine->config->attribution || !ask_page(engine, NULL))
        change_known(engine, NULL, false);
}

/* True if a change is to be reported. Takes the parts over. */
static bool take_parts(Engine *engine, GuardRecord *record, GuardParts *now) {
    _cleanup_strbuf_ StrBuf text = STRBUF_INIT(64 * 1024);
    GuardWatch *w = &engine->guard;
    unsigned n;

    if (now->kinds == 0)
        return false;
    n = guard_parts_compare(&record->parts, now, &text, &w->severity);
    if (n > 0) {
        (void)snprintf(w->text, sizeof(w->text), "%.128s: %s", record->arn, strbuf_str(&text));
        w->changed = (size_t)(record - w->records);
        w->now = *now;
        *now = (GuardParts){ 0 };
        return true;
    }
    if (record->parts.kinds == 0)
        log_line(LOG_INFO, "%s: what it has is recorded, and watched from now on", record->arn);
    if (guard_parts_merge(&record->parts, now) >= 0)
        record->read_usec = engine_now(engine).real_usec;
    return false;
}

void engine_take_topic(Engine *engine, const char *topic_arn, GuardParts *now) {
    GuardWatch *w = &engine->guard;
    GuardRecord *record = record_of(engine, topic_arn);

    /* one change at a time; the next check finds it again */
    if (!record || w->search)
        return;
    if (take_parts(engine, record, now))
        search(engine, engine->base);
    engine_save_soon(engine, true);
}

/* ---- one check ---- */

static void forget_check(GuardWatch *w) {
    w->account = NULL;
    w->check = NULL;
    json_decref(TAKE_PTR(w->policy));
    free(TAKE_PTR(w->trails));
}

static void note_unread(Account *account, const GuardRecord *record, const PrincipalFound *found) {
    const char *unread = found->unread;
    char text[ERROR_TEXT_MAX];

    if (!unread[0] && !found->simulated) {
        (void)aws_error_text(&found->error, "SimulatePrincipalPolicy", text, sizeof(text));
        unread = text;
    }
    if (unread[0] && !account->guard_unread_reported)
        log_aws(LOG_NOTICE, unread, "%s: guard_checks: not all can be checked: %s", record->arn, unread);
    account->guard_unread_reported = unread[0] != '\0';
}

static void guard_checks_checked(PrincipalFound *found, void *userdata) {
    Engine *engine = userdata;
    GuardWatch *w = &engine->guard;
    Account *account = w->account;
    char name[ARN_MAX];
    GuardRecord *record;
    bool trouble;

    guard_record_name(found->arn, name);
    record = record_of(engine, name);
    forget_check(w);
    if (!record) {
        guard_checks_arm(engine, gap_usec(engine));
        return;
    }
    note_unread(account, record, found);
    trouble = take_rights(engine, record, found);
    engine_publish(engine);
    account->guard_due_usec =
            engine_now(engine).mono_usec +
            guard_check_next_usec(interval_usec(engine), trouble, loop_random(engine->aws.loop));
    if (!w->search && take_parts(engine, record, &found->parts))
        search(engine, account);
    else
        guard_checks_arm(engine, gap_usec(engine));
    engine_save_soon(engine, true);
}

/* ---- the next account ---- */

static const char *principal_of(const Account *account, GuardIdentity *identity) {
    const char *principal;

    guard_identity_take(identity, account->id, account->identity);
    (void)text_copy(identity->region, sizeof(identity->region), account->engine->aws.region);
    principal = guard_principal_of(account->role_arn, identity->arn);
    if (!principal[0])
        identity->arn[0] = '\0';
    return principal;
}

static bool is_checkable(const Account *account) {
    const GuardPrincipal principal = {
        .identity = account->identity,
        .blocked = account->blocked,
        .left = account->left,
        .by_role = account->role_arn,
        .guarded = account->guarded,
    };

    return account->credentials && guard_is_checkable(&principal);
}

/* The one that has waited longest; NULL if none can be checked. */
static Account *next_account(const Engine *engine) {
    Account *next = NULL;

    for (size_t i = 0; i < engine->n_accounts; i++)
        if (is_checkable(engine->accounts[i]) &&
            (!next || engine->accounts[i]->guard_due_usec < next->guard_due_usec))
            next = engine->accounts[i];
    return next;
}

static size_t name_trails(const Account *account, const char ***ret) {
    const Engine *engine = account->engine;
    size_t n = 0;

    *ret = calloc(engine->n_trails + 1, sizeof(**ret));
    for (size_t i = 0; *ret && i < engine->n_trails; i++)
        if (engine->trails[i]->arn[0] && text_equal(engine->trails[i]->account, account->id))
            (*ret)[n++] = engine->trails[i]->arn;
    return n;
}

static int begin_check(Account *account) {
    Engine *engine = account->engine;
    GuardWatch *w = &engine->guard;
    GuardIdentity base = { 0 }, own = { 0 };
    PrincipalCheckRequest request = {
        .aws = engine->aws.client,
        .credentials = account->credentials,
        .region = engine->aws.region,
        .path_is_known = account->role_arn != NULL,
        .reads = true,
    };

    (void)principal_of(engine->base, &base);
    request.arn = principal_of(account, &own);
    w->account = account;
    w->policy = guard_policy_of(engine->config, &base, account->role_arn);
    request.statements = json_object_get(w->policy, "Statement");
    request.n_trails = name_trails(account, &w->trails);
    request.trails = w->trails;
    account->guard_begun_usec = engine_now(engine).mono_usec;
    return principal_check_start(&request, guard_checks_checked, engine, &w->check);
}

static void check_fired(void *userdata) {
    Engine *engine = userdata;
    GuardWatch *w = &engine->guard;
    uint64_t now = engine_now(engine).mono_usec;
    Account *account = next_account(engine);

    send_reminders(engine);
    if (w->check || w->search)
        return; /* its end continues here */
    if (!account || account->guard_due_usec > now) {
        guard_checks_arm(engine, account ? guard_check_wait_usec(account->guard_due_usec, now)
                                         : gap_usec(engine));
        return;
    }
    account->guard_due_usec = now + interval_usec(engine);
    if (begin_check(account) < 0) {
        forget_check(w);
        guard_checks_arm(engine, gap_usec(engine));
    }
}

void engine_check_wanted_guards(Engine *engine) {
    uint64_t now = engine_now(engine).mono_usec;
    bool any = false;

    for (size_t i = 0; i < engine->n_accounts; i++) {
        Account *account = engine->accounts[i];

        if (!account->guard_check_is_wanted)
            continue;
        account->guard_check_is_wanted = false;
        account->guard_due_usec = guard_check_wanted_usec(
                account->guard_due_usec, account->guard_begun_usec, interval_usec(engine), now);
        any = true;
    }
    if (any && engine->config->guard_checks && !engine->once && !engine->guard.check &&
        !engine->guard.search)
        guard_checks_arm(engine, GUARD_CHECK_SOON_USEC);
}

/* ---- start and end ---- */

/* NULL: it is still the guard's, or this is not known yet. */
static const char *why_ended(const Engine *engine, const GuardRecord *record) {
    const char *topics[CONFIG_CHANNELS_MAX], *used[2];
    char names[ARRAY_SIZE(used)][ARN_MAX];
    Arn arn;
    const char *id = subject_of(engine, record, &arn).account;
    const Account *accounts[ARRAY_SIZE(used)] = { engine->base, engine_account_by_id(engine, id) };
    GuardRecordUse use = {
        .arn = record->arn,
        .checks = engine->config->guard_checks,
        .topics = topics,
        .n_topics = config_topics(engine->config, topics),
        .base = text_equal(id, engine->base->id),
        .account_ended = engine_why_account_ended(engine, id),
        .used = used,
    };

    for (size_t i = 0; i < ARRAY_SIZE(accounts); i++) {
        GuardIdentity own = { 0 };

        if (!accounts[i] || !text_equal(accounts[i]->id, id))
            continue;
        guard_record_name(principal_of(accounts[i], &own), names[use.n_used]);
        used[use.n_used] = names[use.n_used];
        use.n_used++;
    }
    return guard_record_why_ended(&use);
}

void engine_end_guard_records(Engine *engine) {
    GuardWatch *w = &engine->guard;

    if (w->check || w->search) /* they refer to records by index */
        return;
    for (size_t i = w->n_records; i-- > 0;) {
        GuardRecord *record = &w->records[i];
        const char *why = why_ended(engine, record);

        if (why && record->lost_usec != 0)
            report_restored(engine, record, why);
        if (!why || record->lost_usec != 0) /* retried in the next round */
            continue;
        guard_parts_done(&record->parts);
        memmove(record, record + 1, (w->n_records - i - 1) * sizeof(*record));
        w->n_records--;
        engine_save_soon(engine, true);
    }
}

void engine_begin_guard_checks(Engine *engine) {
    if (!engine->config->guard_checks) {
        engine_end_guard_records(engine);
        return;
    }
    guard_checks_arm(engine, guard_check_begin_usec(interval_usec(engine)));
}

void engine_stop_guard_checks(Engine *engine) {
    GuardWatch *w = &engine->guard;

    loop_cancel(engine->aws.loop, TAKE_PTR(w->timer));
    principal_check_cancel(w->check);
    operation_cancel(TAKE_PTR(w->search));
    guard_parts_done(&w->now);
    forget_check(w);
}
