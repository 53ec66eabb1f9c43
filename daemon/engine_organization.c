/* SPDX-License-Identifier: Apache-2.0 */
/* The organization's list of accounts: newcomers are guarded, leavers are told. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/engine_private.h"
#include "daemon/log.h"
#include "lib/arn.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define SHOWN_MAX 160

bool engine_is_excluded(const Engine *engine, const char *id) {
    const StringList *exclude = &engine->config->organization.exclude;

    for (size_t i = 0; i < exclude->n; i++)
        if (text_equal(exclude->items[i], id))
            return true;
    return false;
}

static const char *partition_id(const Engine *engine) {
    const Partition *partition = endpoint_partition_of(engine->aws.region);

    return engine->base->partition[0] ? engine->base->partition : partition ? partition->id : "aws";
}

static int add_member(Engine *engine, const char *id, const char *name, Account **ret) {
    char role[ARN_MAX];
    int n = snprintf(role, sizeof(role), "arn:%s:iam::%s:role/%s", partition_id(engine), id,
                     engine->config->organization.role_name);
    int r = n < (int)sizeof(role) ? engine_add_role(engine, NULL, role, name, ret) : -EINVAL;

    if (r >= 0)
        (*ret)->member = true;
    return r;
}

/* ---- what the state file knows ---- */

int engine_add_known_members(Engine *engine) {
    if (!engine->config->organization.role_name)
        return 0;
    for (size_t i = 0; i < engine->unclaimed.n_accounts; i++) {
        const StateAccount *row = &engine->unclaimed.accounts[i];
        Account *account;
        int r;

        if (!row->member || engine_is_excluded(engine, row->account) ||
            engine_account_by_id(engine, row->account))
            continue;
        r = add_member(engine, row->account, row->name, &account);
        if (r == -ENOMEM)
            return r;
        if (r < 0)
            continue; /* a damaged row: the list knows better */
        account->left = account->settled = row->left;
    }
    return 0;
}

/* ---- what the list says ---- */

static void account_added(Engine *engine, Account *account, const OrganizationsAccount *item) {
    char name[SHOWN_MAX];
    int r = add_member(engine, item->id, item->name, &account);

    if (r >= 0)
        r = engine_begin_account(account);
    if (r < 0) {
        log_line(LOG_ERR, "account %s of the organization cannot be guarded: %s", item->id, strerror(-r));
        return;
    }
    account->listed = true;
    if (engine->account_list.known)
        log_line(LOG_NOTICE, "account %s (%s) is new in the organization: guarding it", item->id,
                 text_escaped(name, sizeof(name), item->name));
    engine_ask_identity(account);
}

static void welcome_back(Engine *engine _unused_, Account *account,
                         const OrganizationsAccount *item _unused_) {
    log_line(LOG_NOTICE, "account %s is an active member of the organization again: guarding it",
             account->id);
    engine_account_returned(account);
}

static void account_removed(Engine *engine _unused_, Account *account, const OrganizationsAccount *item) {
    char text[ERROR_TEXT_MAX], name[SHOWN_MAX];

    (void)snprintf(text, sizeof(text), "account %s%s%s%s %s", account->id, account->name[0] ? " (" : "",
                   account->name, account->name[0] ? ")" : "",
                   item ? "is suspended or closed" : "is no member of the organization any more");
    log_line(LOG_WARNING, "%s: no longer looking at it", text_escaped(name, sizeof(name), text));
    engine_account_left(account, text);
}

/* item NULL: the list does not have the account; account NULL: we do not have it. */
static void take_item(Engine *engine, Account *account, const OrganizationsAccount *item) {
    static void (*const changes[_MEMBER_CHANGE_MAX])(Engine *, Account *, const OrganizationsAccount *) = {
        [MEMBER_JOINED] = account_added,
        [MEMBER_RETURNED] = welcome_back,
        [MEMBER_SUSPENDED] = account_removed,
        [MEMBER_REMOVED] = account_removed,
    };
    const MemberInput in = {
        .active = item && item->state == ORGANIZATIONS_ACTIVE,
        .listed = item,
        .excluded = item && engine_is_excluded(engine, item->id),
        .known = account,
        .member = account && account->member,
        .left = account && account->left,
    };
    MemberChange change = scope_member_change(&in);

    if (account)
        account->listed = in.active;
    if (changes[change])
        changes[change](engine, account, item);
}

static void take_accounts(Engine *engine, const OrganizationsAccounts *accounts) {
    size_t n = 0;

    for (size_t i = 0; i < engine->n_accounts; i++)
        engine->accounts[i]->listed = false;
    for (size_t i = 0; i < accounts->n; i++) {
        take_item(engine, engine_account_by_id(engine, accounts->items[i].id), &accounts->items[i]);
        n += accounts->items[i].state == ORGANIZATIONS_ACTIVE;
    }
    for (size_t i = 0; i < engine->n_accounts; i++)
        if (!engine->accounts[i]->listed)
            take_item(engine, engine->accounts[i], NULL);
    if (!engine->account_list.known)
        log_line(LOG_INFO, "the organization has %zu accounts, %zu of them active", accounts->n, n);
    engine->account_list.known = true;
}

Account *engine_management(const Engine *engine) {
    const char *id = engine->account_list.management;
    Account *account;

    if (!id[0])
        return NULL;
    if (text_equal(engine->base->id, id))
        return engine->base;
    account = engine_account_by_id(engine, id);
    return account && engine_account_is_open(account) ? account : NULL;
}

/* Searches that waited until it was known where. */
static void resume_searches(Engine *engine) {
    for (size_t i = 0; i < engine->n_accounts; i++)
        if (engine->accounts[i]->state.attributing.wanted)
            engine_decide_account(engine->accounts[i], NULL);
}

/* ---- asking ---- */

static void list_failed(Engine *engine, const AwsError *error) {
    char action[AWS_ACTION_MAX], resource[AWS_RESOURCE_MAX];
    Subject where = engine_account_subject(engine->base);
    AccountList *account_list = &engine->account_list;

    (void)aws_error_text(error, "ListAccounts", account_list->error, sizeof(account_list->error));
    if (aws_error_denied_action(error, action, resource))
        engine_note_denial(engine, &where, action, resource);
    if (account_list->n_failed++ == 0)
        log_aws(LOG_WARNING, account_list->error,
                "cannot list the organization's accounts: %s; going on with those known",
                account_list->error);
}

static void list_done(const AwsError *error, const OrganizationsAccounts *accounts, void *userdata) {
    Engine *engine = userdata;
    AccountList *account_list = &engine->account_list;
    uint64_t refresh_usec = engine->config->organization.refresh_sec * USEC_PER_SEC;

    account_list->call = NULL;
    if (error->class != AWS_OK) {
        list_failed(engine, error);
    } else {
        if (account_list->n_failed > 0)
            log_line(LOG_NOTICE, "the organization's accounts can be listed again");
        account_list->n_failed = 0;
        account_list->error[0] = '\0';
        (void)text_copy(account_list->management, sizeof(account_list->management), accounts->management);
        take_accounts(engine, accounts);
        resume_searches(engine);
        engine_save_soon(engine, false);
    }
    account_list->due_usec =
            engine_now(engine).mono_usec + schedule_list_wait(account_list->n_failed, refresh_usec);
    account_list->settled = true;
    if (!engine->passes_begun && engine_accounts_are_settled(engine))
        engine_kick_pass(engine);
    engine_publish(engine);
}

void engine_list_accounts(Engine *engine) {
    AccountList *account_list = &engine->account_list;
    AwsError error;
    int r;

    if (!engine->config->organization.role_name || account_list->call)
        return;
    r = organizations_list_accounts(engine->aws.client, engine->aws.credentials, engine->aws.region,
                                    list_done, engine, &account_list->call);
    if (r < 0) {
        aws_error_set(&error, AWS_INTERNAL, "", "cannot ask: %s", strerror(-r));
        list_failed(engine, &error);
        account_list->settled = true;
        account_list->due_usec = engine_now(engine).mono_usec + schedule_list_wait(1, UINT64_MAX);
    }
}
