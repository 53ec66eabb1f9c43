/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Accounts: how each is reached, who the credentials are, what happens while there are none, and which ones
 * the organization has. */

#include "daemon/tables.h"

int engine_add_configured_accounts(Engine *engine);
void engine_free_accounts(Engine *engine);
void engine_ask_identity(Account *account);
/* ... and again whenever the base credentials' keys are others. */
void engine_watch_keys(Engine *engine);
/* A poll ended because the account's credentials cannot be had: the result says how. */
void engine_account_failed(Account *account, const PollResult *result);
/* ... because it was answered: what was reported of its credentials ends. */
void engine_account_answered(Account *account);
void engine_list_accounts(Engine *engine);
/* Members that the state file knows, so that an outage of the list at start changes nothing. */
int engine_add_known_members(Engine *engine);
