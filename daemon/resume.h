/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Loads the state and the baselines of an account when it is known, and ends what is no longer guarded. */

#include "daemon/tables.h"

/* Loads what the state file and the configuration have about an account, once its id is known or assumed. 0
 * or -ENOMEM. */
int engine_resume_account(Account *account);
/* Loads what the state file has about the base account as a whole, before AWS has said which one
 * it is: trouble with the keys continues. 0 or -ENOMEM. */
int engine_resume_base(Engine *engine);
/* The base credentials belong to another account now: ends what was wrong with the former one. */
void engine_leave_base(Account *base, const char *was);
/* Loads the state of a trail that was polled through an account that is no longer guarded. */
void engine_claim_row(Trail *trail);
/* Why an account is no longer guarded. NULL: it is, or this is not known yet. */
const char *engine_why_account_ended(const Engine *engine, const char *id);
/* Ends the incidents of trails in the state file that are no longer guarded, with messages that give the
 * reason. */
void engine_end_unguarded(Engine *engine);
