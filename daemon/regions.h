/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Whether an account has enabled a region: what a target means whose answers are refusals. */

#include "daemon/io/poll.h"
#include "daemon/tables.h"

/* Counts what a poll answered. Where that cannot be judged yet the result is kept, and this returns true:
 * the caller must not decide by it. Else the result says whether the region is enabled. */
bool engine_region_is_unclear(Target *target, const PollAnswer *answer, PollResult *result);
/* Something was found out about the account: decides about the kept results that are clear now. */
void engine_judge_rejected(Account *account);
