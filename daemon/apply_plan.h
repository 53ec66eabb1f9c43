/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Applies the guard's plans: notes to the journal, messages to the outbox, actions to AWS. What comes of an
 * action is the guard's next input. */

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

typedef enum ChannelChange {
    CHANNEL_FAILS,
    CHANNEL_WORKS,
    CHANNEL_LEFT,      /* it failed, and is not configured any more */
    CHANNEL_LOSES_ALL, /* nobody gets what it takes */
    CHANNEL_REACHES_SOMEONE,
    CHANNEL_LEFT_UNHEARD, /* nobody got what it took, and it is not configured any more */
} ChannelChange;

void engine_report_channel(Engine *engine, const ChannelTrouble *trouble, ChannelChange change);
