/* SPDX-License-Identifier: Apache-2.0 */
/* What holds in one account, and which accounts cannot stand side by side. */
#include <stdbool.h>

#include "daemon/config/config_table.h"
#include "lib/arn.h"
#include "lib/util/text.h"

static bool is_set(const StringList *list) {
    return list->all || list->items;
}

const StringList *config_account_regions(const Config *config, const AccountConfig *account) {
    return account && is_set(&account->regions) ? &account->regions : &config->regions;
}

const StringList *config_account_trails(const Config *config, const AccountConfig *account) {
    return account && is_set(&account->trails) ? &account->trails : &config->trails;
}

Policy config_account_policy(const Config *config, const AccountConfig *account) {
    Policy policy = config_policy(config);

    if (account && account->mode != _MODE_MAX)
        policy.mode = account->mode;
    if (account && account->restore != CONFIG_RESTORE_UNSET)
        policy.restore = account->restore;
    return policy;
}

/* Both texts are there and say the same. */
static bool same(const char *a, const char *b) {
    return a && b && text_equal(a, b);
}

/* Two roles of one account would be the same targets twice. */
static bool same_account(const char *role_a, const char *role_b) {
    Arn a, b;

    return role_a && role_b && arn_parse(role_a, &a) >= 0 && arn_parse(role_b, &b) >= 0 &&
           text_equal(a.account, b.account);
}

const char *config_account_clash(const Config *config) {
    const AccountConfig *last = &config->accounts[config->n_accounts - 1];

    if (!last->role_arn && (last->external_id || last->session_name))
        return "external_id and session_name belong to a role; allowed: with role_arn";
    for (size_t i = 0; i + 1 < config->n_accounts; i++) {
        const AccountConfig *other = &config->accounts[i];

        if (!last->role_arn && !other->role_arn)
            return "two groups without role_arn; allowed: one, for the base credentials' own account";
        if (same_account(last->role_arn, other->role_arn))
            return "this role's account is listed twice; allowed: each account once";
        if (same(last->name, other->name))
            return "this name is given twice; allowed: each name once";
    }
    return NULL;
}
