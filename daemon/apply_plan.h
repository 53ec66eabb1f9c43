/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Applies the guard's plans: lines to the journal, messages to the outbox, actions to AWS. The outcome of an
 * action is the guard's next input. */

#include "daemon/core/channel_health.h"
#include "daemon/tables.h"

void engine_decide_trail(Trail *trail, const TrailInput *input);
/* Call for a trail with a message that waited when the guard stopped: it is sent in time, whatever AWS
 * answers. */
void engine_resume_trail(Trail *trail);
void engine_decide_target(Target *target, const PollResult *result);
/* The account as a whole. Negative: there was no memory, and the result counts for nothing. */
int engine_decide_account(Account *account, const PollResult *result);
void engine_account_attributed(Account *account, const Attribution *found);
/* It waited for others with the same cause, and none came; or the cause no longer applies to it. Negative:
 * it is not reported yet, and this must be called again. */
int engine_report_alone(Target *target, CauseKind was);
int engine_report_account_alone(Account *account);
/* It is no longer guarded: ends its incidents with messages that give the reason. If these cannot be queued,
 * the state stays unchanged. */
void engine_forget_target(Engine *engine, const Subject *subject, TargetState *state, const char *why);

/* Sets a decision's wake-up, replacing the previous one; 0: none. */
void engine_arm(Engine *engine, LoopTimer **timer, uint64_t wake_mono_usec, LoopFired fired, void *userdata);

/* Negative: the message is lost, and must be sent again. */
int engine_report_channel(Engine *engine, const ChannelTrouble *trouble, ChannelChange change);
