/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Applies the guard's plans: notes to the journal, messages to the outbox, actions to AWS. What comes of an
 * action is the guard's next input. */

#include "daemon/core/channel_health.h"
#include "daemon/tables.h"

void engine_decide_trail(Trail *trail, const TrailInput *input);
/* A message waited when the guard ended: it goes out in time, whatever AWS answers. */
void engine_resume_trail(Trail *trail);
void engine_decide_target(Target *target, const PollResult *result);
void engine_decide_account(Account *account, const PollResult *result); /* of the account as a whole */
void engine_account_attributed(Account *account, const Attribution *found);
/* It waited for others of the same cause, and none came; or it cannot have the cause any more. */
void engine_report_alone(Target *target, CauseKind was);
void engine_report_account_alone(Account *account);
/* It is not guarded any more: its incidents end with messages that say why. When these cannot be queued,
 * state stays as it is. */
void engine_forget_target(Engine *engine, const Subject *subject, TargetState *state, const char *why);

/* A decision's wake-up, in place of the one before; 0: none. */
void engine_arm(Engine *engine, LoopTimer **timer, uint64_t wake_mono_usec, LoopFired fired, void *userdata);

void engine_report_channel(Engine *engine, const ChannelTrouble *trouble, ChannelChange change);
