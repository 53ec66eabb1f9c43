/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts: how each is reached, who the credentials are, and what happens while there are none. */
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine_private.h"
#include "daemon/log.h"
#include "lib/arn.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define IDENTITY_RETRY_USEC (60 * USEC_PER_SEC)

Subject engine_account_subject(const Account *account) {
    return (Subject){ .name = "", .arn = "", .account = account->id, .region = "" };
}

Policy engine_account_policy(const Account *account) {
    Policy policy = engine_policy(account->engine);
    Policy own = config_account_policy(account->engine->config, account->config);

    /* a check without --restore only looks, whatever the account says */
    if (!account->engine->once || account->engine->restore)
        policy.mode = own.mode;
    policy.restore = own.restore;
    return policy;
}

AccountScope engine_account_scope(const Account *account) {
    return (AccountScope){
        .guarded = account->guarded,
        .by_role = account->role_arn,
        .settled = account->settled,
        .blocked = account->blocked,
        .left = account->left,
    };
}

bool engine_account_is_open(const Account *account) {
    const AccountScope scope = engine_account_scope(account);

    return scope_is_open(&scope);
}

bool engine_accounts_are_settled(const Engine *engine) {
    for (size_t i = 0; i < engine->n_accounts; i++)
        if (!engine->accounts[i]->settled)
            return false;
    return !engine->config->organization.role_name || engine->account_list.settled;
}

/* ---- the table ---- */

static int compare_ids(const void *a, const void *b) {
    const Account *x = a, *y = b;

    return strcmp(x->id, y->id);
}

Account *engine_account_by_id(const Engine *engine, const char *id) {
    Account key = { 0 };
    void *found;

    if (!id[0] || !text_copy(key.id, sizeof(key.id), id))
        return NULL;
    found = tfind(&key, (void *const *)&engine->account_index, compare_ids);
    return found ? *(Account **)found : NULL;
}

/* 0, -EEXIST when another account has this id, -ENOMEM. */
static int index_account(Account *account) {
    void *found = tsearch(account, &account->engine->account_index, compare_ids);

    if (!found)
        return -ENOMEM;
    return *(Account **)found == account ? 0 : -EEXIST;
}

static void free_account(Account *account) {
    Engine *engine = account->engine;

    sts_cancel(account->identity_call);
    attribute_cancel(account->search);
    loop_cancel(engine->aws.loop, account->wake);
    if (account->credentials != engine->aws.credentials)
        credentials_source_free(account->credentials);
    free(account->targets);
    free(account->name);
    free(account->role_arn);
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
    account->state.sight.event = account->state.cover.event = _EVENT_MAX;
    account->name = strdup(name);
    account->role_arn = role_arn ? strdup(role_arn) : NULL;
    if (!account->name || (role_arn && !account->role_arn)) {
        free_account(account);
        return NULL;
    }
    return account;
}

/* STS is asked in a region of the account's partition: ours, when it is of that one. */
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

    return engine_aws_role(&account->engine->aws, sts_region(account), &role, &account->credentials);
}

int engine_add_role(Engine *engine, const AccountConfig *config, const char *role_arn, const char *name,
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
        r = index_account(account);
    if (r >= 0 && !ENGINE_APPEND(engine->accounts, engine->n_accounts, account)) {
        (void)tdelete(account, &engine->account_index, compare_ids);
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

static int add_base(Engine *engine) {
    const Config *config = engine->config;
    const AccountConfig *group = NULL;

    for (size_t i = 0; i < config->n_accounts; i++)
        if (!config->accounts[i].role_arn)
            group = &config->accounts[i];
    engine->base = new_account(engine, group, NULL, group && group->name ? group->name : "");
    if (!engine->base)
        return -ENOMEM;
    engine->base->credentials = engine->aws.credentials;
    engine->base->guarded = group || config->n_accounts == 0 || config->organization.role_name;
    if (!ENGINE_APPEND(engine->accounts, engine->n_accounts, engine->base)) {
        free_account(engine->base);
        engine->base = NULL;
        return -ENOMEM;
    }
    /* who is excluded of an organization shows when we know who we are */
    return engine->base->guarded && !config->organization.role_name
                   ? engine_add_configured_targets(engine->base)
                   : 0;
}

int engine_add_configured_accounts(Engine *engine) {
    const Config *config = engine->config;
    int r = add_base(engine);

    for (size_t i = 0; r >= 0 && i < config->n_accounts; i++) {
        const AccountConfig *group = &config->accounts[i];

        if (group->role_arn)
            r = engine_add_role(engine, group, group->role_arn, group->name ? group->name : "", NULL);
    }
    return r;
}

void engine_free_accounts(Engine *engine) {
    for (size_t i = 0; i < engine->n_accounts; i++) {
        if (engine->accounts[i]->id[0])
            (void)tdelete(engine->accounts[i], &engine->account_index, compare_ids);
        free_account(engine->accounts[i]);
    }
    free(engine->accounts);
    engine->accounts = NULL;
    engine->n_accounts = 0;
    engine->base = NULL;
}

/* ---- no credentials ---- */

static void decide_unreachable(Account *account, const PollResult *result) {
    engine_decide_account(account, result);
    engine_find_viewers(account);
    for (size_t i = 0; i < account->n_targets; i++)
        for (size_t k = 0; k < account->targets[i]->n_trails; k++)
            if (!account->targets[i]->trails[k]->remediation)
                engine_decide_trail(account->targets[i]->trails[k],
                                    &(TrailInput){ .kind = GUARD_UNREACHABLE, .result = result });
}

/* The next try is due as that of a target that does not answer would be. */
static void fail(Account *account, const PollResult *result) {
    Engine *engine = account->engine;
    Intervals intervals = engine_intervals(engine);
    TargetPace pace = { 0 };

    account->blocked = true;
    if (account->guarded)
        decide_unreachable(account, result);
    pace.n_failed = account->state.n_failed;
    account->identity_again_usec = engine_now(engine).mono_usec + 1 +
                                   schedule_wait(&intervals, &pace, loop_random(engine->aws.loop));
}

void engine_account_failed(Account *account, const PollResult *result) {
    if (!account->blocked && !account->left)
        fail(account, result);
}

/* ---- who we are ---- */

static void say_who(Account *account, const StsIdentity *identity) {
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

/* An id that a role's account has already, or that is excluded, is not guarded by the base credentials too.
 */
static void take_base_id(Account *base, const char *id) {
    Engine *engine = base->engine;

    (void)text_copy(base->id, sizeof(base->id), id);
    if (index_account(base) == -EEXIST) {
        base->id[0] = '\0'; /* the index knows the other one by it */
        engine_adopt_trails(engine_account_by_id(engine, id));
        log_line(
                LOG_WARNING,
                "accounts: the base credentials belong to account %s, which a role is configured for: it is "
                "guarded once, by that role",
                id);
        engine_unguard(base);
    }
    if (!base->config && engine_is_excluded(engine, id)) {
        log_line(LOG_INFO, "account %s, our own, is excluded", id);
        engine_unguard(base);
    }
}

static void take_identity(Account *account, const StsIdentity *identity) {
    Arn arn;

    if (!account->role_arn && !text_equal(account->id, identity->account))
        take_base_id(account, identity->account);
    if (arn_parse(identity->arn, &arn) >= 0)
        (void)text_copy(account->partition, sizeof(account->partition), arn.partition);
    account->identity_again_usec = 0;
    account->blocked = false;
    if (!text_equal(account->identity, identity->arn))
        engine_forget_refusals(account);
    say_who(account, identity);
    if (!account->role_arn)
        account->engine->problem[0] = '\0';
    if (!account->guarded)
        return;
    if (engine_begin_account(account) < 0)
        log_line(LOG_ERR, "account %s: cannot begin to guard it: out of memory",
                 engine_account_named(account));
    engine_decide_account(account, &(PollResult){ .reachable = true });
}

static bool is_about_credentials(AwsErrorClass class) {
    return class == AWS_NO_CREDENTIALS || class == AWS_BAD_CREDENTIALS || class == AWS_EXPIRED;
}

/* The role's source gives AWS's denial on as its own. */
static void note_denied_role(const Account *account, const AwsError *error) {
    char action[AWS_ACTION_MAX], resource[AWS_RESOURCE_MAX];
    Subject where = engine_account_subject(account);
    AwsError denial = *error;

    denial.class = AWS_DENIED;
    if (aws_error_denied_action(&denial, action, resource))
        engine_note_denial(account->engine, &where, action, resource);
}

static void describe(const AwsError *error, PollResult *result) {
    bool denied = error->class == AWS_NO_CREDENTIALS && text_equal(error->code, "AccessDenied");

    result->error = denied ? POLL_DENIED : poll_error_of(error->class);
    (void)aws_error_text(error, "GetCallerIdentity", result->error_text, sizeof(result->error_text));
}

static void explain_problem(Engine *engine, const AwsError *error) {
    bool none = error->class == AWS_NO_CREDENTIALS;
    char text[ERROR_TEXT_MAX - 32];

    if (is_about_credentials(error->class))
        (void)snprintf(engine->problem, sizeof(engine->problem), "%s: %s",
                       none ? "no credentials" : "credentials not accepted",
                       aws_error_text(error, NULL, text, sizeof(text)));
}

static void identity_failed(Account *account, const AwsError *error, bool first) {
    const AccountScope scope = engine_account_scope(account);
    PollResult result = { 0 };

    account->identity_again_usec = engine_now(account->engine).mono_usec + IDENTITY_RETRY_USEC;
    describe(error, &result);
    if (result.error == POLL_DENIED)
        note_denied_role(account, error);
    if (!account->role_arn) {
        explain_problem(account->engine, error);
        if (first)
            log_aws(LOG_WARNING, result.error_text, "cannot find out which account this is: %s",
                    result.error_text);
    }
    if (scope_keys_are_missing(&scope, error->class == AWS_NO_CREDENTIALS,
                               is_about_credentials(error->class)))
        fail(account, &result);
}

static void poll_when_ready(Account *account, bool first) {
    Engine *engine = account->engine;

    if (engine->passes_begun && engine_account_is_open(account))
        engine_check_account(account);
    else if (first && !engine->passes_begun && engine_accounts_are_settled(engine))
        engine_kick_pass(engine);
}

static void identity_done(const AwsError *error, const StsIdentity *identity, void *userdata) {
    Account *account = userdata;
    Engine *engine = account->engine;
    bool first = !account->settled, was_open = engine_account_is_open(account);

    account->identity_call = NULL;
    account->settled = true;
    if (error->class == AWS_OK)
        take_identity(account, identity);
    else
        identity_failed(account, error, first);
    engine_update_facts(account);
    if (account == engine->base && !engine->account_list.settled)
        engine_list_accounts(engine);
    if (first || !was_open)
        poll_when_ready(account, first);
    engine_publish(engine);
}

void engine_ask_identity(Account *account) {
    Engine *engine = account->engine;
    int r;

    if (account->identity_call || account->left)
        return;
    account->identity_again_usec = 0;
    r = sts_get_caller_identity(engine->aws.client, account->credentials, sts_region(account), identity_done,
                                account, &account->identity_call);
    if (r < 0) {
        account->settled = true;
        account->identity_again_usec = engine_now(engine).mono_usec + IDENTITY_RETRY_USEC;
        log_line(LOG_ERR, "account %s: cannot ask for our identity: %s", engine_account_named(account),
                 strerror(-r));
    }
}

/* ---- members come and go ---- */

void engine_account_left(Account *account, const char *text) {
    PollResult result = { .error = POLL_GONE };
    Loop *loop = account->engine->aws.loop;

    account->left = true;
    account->settled = true;
    sts_cancel(account->identity_call);
    account->identity_call = NULL;
    (void)text_copy(result.error_text, sizeof(result.error_text), text);
    decide_unreachable(account, &result);
    for (size_t i = 0; i < account->n_targets; i++) {
        Target *target = account->targets[i];

        engine_stop_poll(target);
        loop_cancel(loop, target->wake);
        target->wake = NULL;
        for (size_t k = 0; k < target->n_trails; k++) {
            engine_stop_tracking(target->trails[k]);
            loop_cancel(loop, target->trails[k]->wake);
            target->trails[k]->wake = NULL;
        }
    }
}

void engine_account_returned(Account *account) {
    account->left = false;
    account->settled = false;
    engine_ask_identity(account);
}
