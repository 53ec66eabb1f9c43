/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts: how each is reached, the identity of its credentials, what happens without credentials, and the
 * members of the organization. */
#include "daemon/accounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/apply_plan.h"
#include "daemon/engine_private.h"
#include "daemon/log.h"
#include "daemon/organization.h"
#include "daemon/resume.h"
#include "daemon/trails.h"
#include "lib/arn.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define IDENTITY_RETRY_USEC (60 * USEC_PER_SEC)

static void free_account(Account *account) {
    Engine *engine = account->engine;

    operation_cancel(account->identity_call);
    attribute_cancel(account->search);
    loop_cancel(engine->aws.loop, account->wake);
    loop_cancel(engine->aws.loop, account->unaccepted_timer);
    if (account->credentials != engine->aws.credentials)
        credentials_provider_free(account->credentials);
    free(account->targets);
    free(account->name);
    free(account->role_arn);
    sparse_free(account->state);
    free(account);
}

static Account *new_account(Engine *engine, const AccountConfig *config, const char *role_arn,
                            const char *name) {
    Account *account = calloc(1, sizeof(*account));

    if (!account)
        return NULL;
    account->engine = engine;
    account->config = config;
    account->guarded = true;
    account->name = strdup(name);
    account->role_arn = role_arn ? strdup(role_arn) : NULL;
    if (!account->name || (role_arn && !account->role_arn) || states_new_target(&account->state) < 0) {
        free_account(account);
        return NULL;
    }
    return account;
}

/* STS is called in a region of the account's partition: in ours, if that is the same. */
static const char *sts_region(const Account *account) {
    const char *region = account->engine->aws.region;
    const Partition *ours = endpoint_partition_of(region),
                    *theirs = account->partition[0] ? endpoint_partition_by_id(account->partition) : ours;

    return theirs && theirs != ours ? theirs->default_region : region;
}

static int assume_role(Account *account) {
    const AccountConfig *config = account->config;
    const StsRole role = {
        .arn = account->role_arn,
        .session_name = config ? config->session_name : NULL,
        .external_id = config ? config->external_id : NULL,
    };

    return aws_setup_role(&account->engine->aws, sts_region(account), &role, &account->credentials);
}

static int add_role(Engine *engine, const AccountConfig *config, const char *role_arn, const char *name,
                    Account **ret) {
    Account *account;
    Arn arn;
    int r;

    if (arn_parse(role_arn, &arn) < 0)
        return -EINVAL;
    account = new_account(engine, config, role_arn, name);
    if (!account)
        return -ENOMEM;
    (void)text_copy(account->id, sizeof(account->id), arn.account);
    (void)text_copy(account->partition, sizeof(account->partition), arn.partition);
    r = assume_role(account);
    if (r >= 0)
        r = engine_index_account(account);
    if (r >= 0 && !ARRAY_APPEND(engine->accounts, engine->n_accounts, account)) {
        engine_unindex_account(account);
        r = -ENOMEM;
    }
    if (r < 0) {
        free_account(account);
        return r;
    }
    if (ret)
        *ret = account;
    return 0;
}

/* Which shard guards the base credentials' account depends on its id. Until AWS has reported that once, no
 * shard guards it, rather than all of them. */
static bool base_is_guarded(const Engine *engine, const char *id) {
    return config_guards_base(engine->config) && shard_has(&engine->config->shard, id);
}

static int add_base(Engine *engine) {
    const Config *config = engine->config;
    const AccountConfig *group = config_base_account(config);

    engine->base = new_account(engine, group, NULL, group && group->name ? group->name : "");
    if (!engine->base)
        return -ENOMEM;
    engine->base->credentials = engine->aws.credentials;
    engine->base->guarded = base_is_guarded(engine, engine_account_named(engine->base));
    if (!ARRAY_APPEND(engine->accounts, engine->n_accounts, engine->base)) {
        free_account(engine->base);
        engine->base = NULL;
        return -ENOMEM;
    }
    /* which member is excluded is only known with our own identity */
    return engine->base->guarded && !config->organization.role_name
                   ? engine_add_configured_targets(engine->base)
                   : 0;
}

int engine_add_configured_accounts(Engine *engine) {
    const Config *config = engine->config;
    int r = add_base(engine);

    for (size_t i = 0; r >= 0 && i < config->n_accounts; i++) {
        const AccountConfig *group = &config->accounts[i];

        if (group->role_arn && !engine_arn_is_elsewhere(engine, group->role_arn))
            r = add_role(engine, group, group->role_arn, group->name ? group->name : "", NULL);
    }
    return r;
}

void engine_free_accounts(Engine *engine) {
    for (size_t i = 0; i < engine->n_accounts; i++) {
        engine_unindex_account(engine->accounts[i]);
        free_account(engine->accounts[i]);
    }
    free(TAKE_PTR(engine->accounts));
    engine->n_accounts = 0;
    engine->base = NULL;
    engine->shown_account[0] = '\0'; /* a reload can change the keys */
}

/* ---- no credentials ---- */

static void decide_trails(Account *account, const PollResult *result) {
    engine_find_viewers(account);
    for (size_t i = 0; i < account->n_targets; i++)
        for (size_t k = 0; k < account->targets[i]->n_trails; k++)
            if (!account->targets[i]->trails[k]->remediation)
                engine_decide_trail(account->targets[i]->trails[k],
                                    &(TrailInput){ .kind = GUARD_UNREACHABLE, .result = result });
}

/* The next attempt is due as for a target that does not answer. */
static void fail(Account *account, const PollResult *result) {
    Engine *engine = account->engine;
    Intervals intervals = engine_intervals(engine);
    TargetPace pace = { 0 };

    account->blocked = true;
    if (account->guarded && engine_decide_account(account, result) >= 0) /* or else the next try does */
        decide_trails(account, result);
    pace.n_failed = TARGET_STATE(account, n_failed);
    account->identity_again_usec = engine_now(engine).mono_usec + 1 +
                                   schedule_wait(&intervals, &pace, loop_random(engine->aws.loop));
}

void engine_account_failed(Account *account, const PollResult *result) {
    if (!account->blocked && !account->left)
        fail(account, result);
}

void engine_account_answered(Account *account) {
    const AccountScope scope = engine_account_scope(account);

    if (scope_keys_are_back(&scope, TARGET_STATE(account, n_failed)))
        (void)engine_decide_account(account, &(PollResult){ .reachable = true });
}

/* ---- identities ---- */

static void log_identity(Account *account, const StsIdentity *identity) {
    char name[160];

    if (text_equal(account->identity, identity->arn))
        return;
    (void)text_copy(account->identity, sizeof(account->identity), identity->arn);
    (void)text_escaped(name, sizeof(name), account->name);
    if (account->guarded)
        log_line(LOG_INFO, "guarding account %s%s%s%s as %s", account->id, name[0] ? " (" : "", name,
                 name[0] ? ")" : "", identity->arn);
    else
        log_line(LOG_INFO, "assuming the roles as %s", identity->arn);
}

/* It may have been guarded, or not, by an assumed id. */
static void take_base_shard(Account *base) {
    bool was = base->guarded;

    base->guarded = base_is_guarded(base->engine, base->id);
    if (was && !base->guarded)
        engine_unguard(base, scope_ended_text(ENDED_ELSEWHERE));
}

static void take_base_id(Account *base, const char *id) {
    Engine *engine = base->engine;
    BaseAccount in = { .configured = base->config, .excluded = engine_is_excluded(engine, id) };
    const char *was = engine_account_named(base);
    BaseEnd ends;

    if (was[0] && !text_equal(was, id))
        engine_leave_base(base, was);
    engine_unindex_account(base); /* keys of another account replaced the former ones */
    (void)text_copy(base->id, sizeof(base->id), id);
    if (engine->config->shard.total > 0)
        take_base_shard(base);
    in.by_role = engine_index_account(base) == -EEXIST;
    ends = scope_base_ends(&in);
    if (in.by_role) {
        base->id[0] = '\0'; /* the index has the other account under this id */
        engine_adopt_trails(engine_account_by_id(engine, id));
    }
    if (ends == BASE_GOES_ON)
        return;
    if (ends == BASE_HAS_ROLE)
        log_line(LOG_WARNING,
                 "accounts: the base credentials belong to account %s, which a role is configured for: it "
                 "is guarded once, by that role",
                 id);
    else
        log_line(LOG_INFO, "account %s, our own, is excluded", id);
    engine_unguard(base, scope_ended_text(ENDED_ACCOUNT_GONE));
}

static void accounts_take_identity(Account *account, const StsIdentity *identity) {
    Engine *engine = account->engine;
    Arn arn;

    if (!account->role_arn && !text_equal(account->id, identity->account))
        take_base_id(account, identity->account);
    if (arn_parse(identity->arn, &arn) >= 0)
        (void)text_copy(account->partition, sizeof(account->partition), arn.partition);
    account->identity_again_usec = 0;
    account->blocked = false;
    if (!text_equal(account->identity, identity->arn))
        engine_forget_refusals(account);
    log_identity(account, identity);
    if (!account->role_arn) {
        engine->problem[0] = '\0';
        if (identities_take(&engine->identities, identity->arn, engine_now(engine).real_usec))
            engine_save_soon(engine, true);
    }
    if (!account->guarded)
        return;
    if (engine_begin_account(account) < 0)
        log_line(LOG_ERR, "account %s: cannot begin to guard it: out of memory",
                 engine_account_named(account));
    (void)engine_decide_account(account, &(PollResult){ .reachable = true });
}

static bool is_about_credentials(AwsErrorClass class) {
    return class == AWS_NO_CREDENTIALS || class == AWS_BAD_CREDENTIALS || class == AWS_EXPIRED;
}

/* A role's provider passes AWS's denial on as its own error. */
static void note_denied(const Account *account, const AwsError *error) {
    char action[AWS_ACTION_MAX], resource[AWS_RESOURCE_MAX];
    Subject where = engine_account_subject(account);
    AwsError denial = *error;

    denial.class = AWS_DENIED;
    if (aws_error_denied_action(&denial, action, resource))
        engine_note_denial(account->engine, &where, action, resource);
}

static void describe(const AwsError *error, PollResult *result) {
    result->error = observe_call_error(error);
    (void)aws_error_text(error, "GetCallerIdentity", result->error_text, sizeof(result->error_text));
}

static void explain_problem(Engine *engine, const AwsError *error) {
    bool none = error->class == AWS_NO_CREDENTIALS;
    char text[ERROR_TEXT_MAX - 32];

    if (!is_about_credentials(error->class))
        return;
    (void)aws_error_text(error, NULL, text, sizeof(text));
    (void)snprintf(engine->problem, sizeof(engine->problem), "%s%s",
                   !none                                       ? "credentials not accepted: "
                   : text_starts_with(text, "no credentials: ") ? ""
                                                               : "no credentials: ",
                   text);
}

static void identity_failed(Account *account, const AwsError *error, bool first) {
    const AccountScope scope = engine_account_scope(account);
    PollResult result = { 0 };

    account->identity_again_usec = engine_now(account->engine).mono_usec + IDENTITY_RETRY_USEC;
    /* a proxy's error page has no code */
    account->identity_is_not_there = error->class == AWS_INVALID && error->code[0];
    describe(error, &result);
    if (result.error == POLL_DENIED)
        note_denied(account, error);
    if (!account->role_arn) {
        explain_problem(account->engine, error);
        if (first)
            log_aws(LOG_WARNING, result.error_text, "cannot find out which account this is: %s",
                    result.error_text);
    }
    if (scope_keys_are_missing(&scope, error->class == AWS_NO_CREDENTIALS,
                               is_about_credentials(error->class)))
        fail(account, &result);
    else
        account->blocked = false; /* the next polls show whether the keys work */
}

static void poll_when_ready(Account *account, bool first, bool was_open) {
    Engine *engine = account->engine;
    const AccountScope scope = engine_account_scope(account);
    AccountStart start =
            scope_account_start(&scope, &(AccountAnswer){
                                                .first = first,
                                                .was_open = was_open,
                                                .passes_begun = engine->passes_begun,
                                                .all_known = engine_identities_are_known(engine),
                                        });

    account->polls_are_due |= start == ACCOUNT_START_POLLS;
    if (start != ACCOUNT_START_NOTHING)
        engine_due(engine, start == ACCOUNT_START_POLLS ? DUE_POLLS : DUE_PASS);
}

static void identity_done(const AwsError *error, const StsIdentity *identity, void *userdata) {
    Account *account = userdata;
    Engine *engine = account->engine;
    bool first = !account->identity_asked, was_open = engine_account_is_open(account);

    account->identity_call = NULL;
    account->identity_asked = true;
    if (error->class == AWS_OK)
        accounts_take_identity(account, identity);
    else
        identity_failed(account, error, first);
    engine_update_facts(account);
    if (account == engine->base &&
        (!engine->account_list.tried || (error->class == AWS_OK && !engine->account_list.known)))
        engine_list_accounts(engine);
    poll_when_ready(account, first, was_open);
    engine_publish(engine);
}

void engine_ask_identity(Account *account) {
    Engine *engine = account->engine;
    int r;

    if (account->identity_call || account->left)
        return;
    account->identity_again_usec = 0;
    r = sts_get_caller_identity(
            &(AwsCaller){ engine->aws.client, account->credentials, sts_region(account) }, NULL,
            identity_done, account, &account->identity_call);
    if (r < 0) {
        account->identity_asked = true;
        account->identity_again_usec = engine_now(engine).mono_usec + IDENTITY_RETRY_USEC;
        log_line(LOG_ERR, "account %s: cannot ask for our identity: %s", engine_account_named(account),
                 strerror(-r));
    }
}

/* Our writes with the former keys are not attributed to others. The new keys may belong to another
 * account. */
static void keys_changed(void *userdata) {
    Account *base = userdata;

    operation_cancel(TAKE_PTR(base->identity_call));
    base->identity[0] = '\0';
    base->engine->shown_account[0] = '\0';
    base->engine->keys_changed_usec = engine_now(base->engine).mono_usec;
    engine_ask_identity(base);
}

void engine_watch_keys(Engine *engine) {
    credentials_cache_watch(engine->aws.credentials, keys_changed, engine->base);
}

/* ---- members that join and leave ---- */

/* Work in progress ends by itself, and a message that waits for it is sent. */
static bool leave_account(Account *account, const char *text) {
    PollResult result = { .error = POLL_GONE };
    Loop *loop = account->engine->aws.loop;

    (void)text_copy(result.error_text, sizeof(result.error_text), text);
    if (engine_decide_account(account, &result) < 0) { /* the next list, soon, shows it again */
        account->engine->account_list.is_left_over = true;
        return false;
    }
    account->left = true;
    account->identity_asked = true;
    operation_cancel(TAKE_PTR(account->identity_call));
    decide_trails(account, &result);
    for (size_t i = 0; i < account->n_targets; i++) {
        Target *target = account->targets[i];

        engine_stop_poll(target);
        loop_cancel(loop, TAKE_PTR(target->wake));
        for (size_t k = 0; k < target->n_trails; k++)
            engine_stop_tracking(target->trails[k]);
    }
    return true;
}

static void return_account(Account *account) {
    account->left = false;
    account->identity_asked = false;
    engine_ask_identity(account);
}

#define SHOWN_MAX 160

static const char *partition_id(const Engine *engine) {
    const Partition *partition = endpoint_partition_of(engine->aws.region);

    return engine->base->partition[0] ? engine->base->partition : partition ? partition->id : "aws";
}

static int add_member(Engine *engine, const char *id, const char *name, Account **ret) {
    char role[ARN_MAX];
    int n = snprintf(role, sizeof(role), "arn:%s:iam::%s:role/%s", partition_id(engine), id,
                     engine->config->organization.role_name);
    int r = n < (int)sizeof(role) ? add_role(engine, NULL, role, name, ret) : -EINVAL;

    if (r >= 0)
        (*ret)->member = true;
    return r;
}

static bool is_left_out(const Engine *engine, const char *id) {
    return engine_is_excluded(engine, id) || engine_is_elsewhere(engine, id);
}

/* True if the account was that of the base credentials when AWS was last asked. */
static bool is_base_account(const Engine *engine, const char *id) {
    Arn arn;

    return arn_parse(engine->identities.latest, &arn) >= 0 && text_equal(arn.account, id);
}

/* ---- loading from the state file ---- */

int engine_add_known_members(Engine *engine) {
    if (!engine->config->organization.role_name)
        return 0;
    for (size_t i = 0; i < engine->unclaimed.n_accounts; i++) {
        const StateAccount *row = &engine->unclaimed.accounts[i];
        const MemberInput in = {
            .excluded = is_left_out(engine, row->account) || is_base_account(engine, row->account),
            .known = engine_account_by_id(engine, row->account),
            .member = row->member,
        };
        Account *account;
        int r;

        if (!scope_member_is_resumed(&in))
            continue;
        r = add_member(engine, row->account, row->name, &account);
        if (r == -ENOMEM)
            return r;
        if (r < 0)
            continue; /* a damaged row: the list has the account */
        account->left = account->identity_asked = row->left;
    }
    return 0;
}

/* ---- taking a list ---- */

static void accounts_account_added(Engine *engine, Account *account, const OrganizationsAccount *item) {
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

/* Accounts can be renamed; the id stays. */
static void rename_member(Account *account, const OrganizationsAccount *item) {
    char shown[SHOWN_MAX];
    char *name;

    if (!account->member || !item->name[0] || text_equal(account->name, item->name))
        return;
    name = strdup(item->name);
    if (!name)
        return; /* the next list has it, too */
    free(account->name);
    account->name = name;
    log_line(LOG_NOTICE, "account %s of the organization is called \"%s\" now", account->id,
             text_escaped(shown, sizeof(shown), name));
}

static void account_returned(Engine *engine _unused_, Account *account,
                             const OrganizationsAccount *item _unused_) {
    log_line(LOG_NOTICE, "account %s is an active member of the organization again: guarding it",
             account->id);
    return_account(account);
}

static void account_removed(Engine *engine _unused_, Account *account, const OrganizationsAccount *item) {
    char text[ERROR_TEXT_MAX], name[SHOWN_MAX];

    (void)snprintf(text, sizeof(text), "account %s%s%s%s %s", account->id, account->name[0] ? " (" : "",
                   account->name, account->name[0] ? ")" : "",
                   item ? "is suspended or closed" : "is no member of the organization any more");
    if (leave_account(account, text))
        log_line(LOG_WARNING, "%s: no longer polling it", text_escaped(name, sizeof(name), text));
}

/* item NULL: the list does not have the account; account NULL: our tables do not. */
static void take_item(Engine *engine, Account *account, const OrganizationsAccount *item) {
    static void (*const changes[_MEMBER_CHANGE_MAX])(Engine *, Account *, const OrganizationsAccount *) = {
        [MEMBER_JOINED] = accounts_account_added,
        [MEMBER_RETURNED] = account_returned,
        [MEMBER_SUSPENDED] = account_removed,
        [MEMBER_REMOVED] = account_removed,
    };
    const MemberInput in = {
        .active = item && item->state == ORGANIZATIONS_ACTIVE,
        .listed = item,
        .excluded = item && is_left_out(engine, item->id),
        .known = account,
        .member = account && account->member,
        .left = account && account->left,
    };
    MemberChange change = scope_member_change(&in);

    if (account)
        account->listed = in.active;
    if (account && item)
        rename_member(account, item);
    if (changes[change])
        changes[change](engine, account, item);
}

static void log_list(const Engine *engine, const OrganizationsAccounts *accounts) {
    const Shard *shard = &engine->config->shard;
    size_t n = 0, n_ours = 0;

    for (size_t i = 0; i < accounts->n; i++)
        if (accounts->items[i].state == ORGANIZATIONS_ACTIVE) {
            n++;
            n_ours += shard_has(shard, accounts->items[i].id);
        }
    if (shard->total > 0)
        log_line(LOG_INFO,
                 "the organization has %zu accounts, %zu of them active, %zu of these in shard %u/%u",
                 accounts->n, n, n_ours, shard->number, shard->total);
    else
        log_line(LOG_INFO, "the organization has %zu accounts, %zu of them active", accounts->n, n);
}

static void take_accounts(Engine *engine, const OrganizationsAccounts *accounts) {
    for (size_t i = 0; i < engine->n_accounts; i++)
        engine->accounts[i]->listed = false;
    for (size_t i = 0; i < accounts->n; i++)
        take_item(engine, engine_account_by_id(engine, accounts->items[i].id), &accounts->items[i]);
    for (size_t i = 0; i < engine->n_accounts; i++)
        if (!engine->accounts[i]->listed)
            take_item(engine, engine->accounts[i], NULL);
    if (!engine->account_list.known)
        log_list(engine, accounts);
    engine->account_list.known = true;
}

/* Resumes searches that waited for the id of the management account. */
static void resume_searches(Engine *engine) {
    for (size_t i = 0; i < engine->n_accounts; i++)
        if (TARGET_STATE(engine->accounts[i], attributing.wanted))
            (void)engine_decide_account(engine->accounts[i], NULL);
}

/* ---- requesting a list ---- */

static void list_failed(Engine *engine, const AwsError *error) {
    char text[ERROR_TEXT_MAX];

    (void)aws_error_text(error, "ListAccounts", text, sizeof(text));
    note_denied(engine->base, error);
    if (engine->account_list.n_failed++ == 0)
        log_aws(LOG_WARNING, text, "cannot list the organization's accounts: %s; going on with those known",
                text);
    engine_note_unlisted(engine, text);
}

static void accounts_list_done(const AwsError *error, const OrganizationsAccounts *accounts,
                               void *userdata) {
    Engine *engine = userdata;
    AccountList *account_list = &engine->account_list;
    uint64_t refresh_usec = engine->config->organization.refresh_sec * USEC_PER_SEC;

    account_list->call = NULL;
    if (error->class != AWS_OK) {
        list_failed(engine, error);
    } else {
        account_list->n_failed = 0;
        account_list->is_left_over = false;
        (void)text_copy(account_list->management, sizeof(account_list->management), accounts->management);
        take_accounts(engine, accounts);
        engine_note_listed(engine);
        resume_searches(engine);
        engine_save_soon(engine, false);
    }
    account_list->due_usec =
            engine_now(engine).mono_usec +
            schedule_list_wait(account_list->n_failed + account_list->is_left_over, refresh_usec);
    account_list->tried = true;
    if (!engine->passes_begun && engine_identities_are_known(engine))
        engine_due(engine, DUE_PASS);
    engine_publish(engine);
}

void engine_list_accounts(Engine *engine) {
    AccountList *account_list = &engine->account_list;
    const AccountScope base = engine_account_scope(engine->base);
    AwsError error;
    int r;

    if (!engine->config->organization.role_name || account_list->call)
        return;
    switch (scope_asks_for_accounts(&base, engine->base->identity_is_not_there, engine->base->id[0])) {
    case LIST_ASK:
        r = organizations_list_accounts(
                &(AwsCaller){ engine->aws.client, engine->aws.credentials, engine->aws.region }, NULL,
                accounts_list_done, engine, &account_list->call);
        if (r >= 0)
            return;
        aws_error_set(&error, AWS_INTERNAL, "", "cannot ask: %s", strerror(-r));
        list_failed(engine, &error);
        break;
    case LIST_ASK_FAILS:
        aws_error_set(&error, AWS_INTERNAL, "",
                      "not asked, because AWS does not say which account the base credentials belong to");
        list_failed(engine, &error);
        break;
    case LIST_ASK_WAITS:
        if (!account_list->tried)
            log_line(LOG_WARNING, "the organization's accounts are not listed before AWS says which of them "
                                  "the base credentials belong to; going on with those known");
        break;
    }
    account_list->tried = true;
    account_list->due_usec = engine_now(engine).mono_usec + schedule_list_wait(1, UINT64_MAX);
}
