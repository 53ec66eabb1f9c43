/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Accounts: how each is reached, the identity of its credentials, what happens without credentials, and the
 * members of the organization. */

#include "daemon/tables.h"

int engine_add_configured_accounts(Engine *engine);
void engine_free_accounts(Engine *engine);
void engine_ask_identity(Account *account);
/* Asks again whenever the base credentials' keys change. */
void engine_watch_keys(Engine *engine);
/* A poll ended because the account has no credentials; the result has the reason. */
void engine_account_failed(Account *account, const PollResult *result);
/* A poll was answered: ends what was reported of the account's credentials. */
void engine_account_answered(Account *account);
void engine_list_accounts(Engine *engine);
/* Members from the state file, so that an outage of the list at the start changes nothing. */
int engine_add_known_members(Engine *engine);
