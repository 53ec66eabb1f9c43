/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the state file and the baselines know comes back with the account that it belongs to; what is not
 * guarded any more ends. */

#include "daemon/tables.h"

/* What the state file and the configuration know of an account, once its id is known or assumed. 0 or
 * -ENOMEM.
 */
int engine_resume_account(Account *account);
/* What the state file knows of a trail that was polled through an account which is not guarded any more. */
void engine_claim_row(Trail *trail);
/* Why an account is not guarded any more. NULL: it is, or that cannot be said yet. */
const char *engine_why_account_ended(const Engine *engine, const char *id);
/* Trails of the state file that are not guarded any more: their incidents end with messages that say why. */
void engine_end_unguarded(Engine *engine);
