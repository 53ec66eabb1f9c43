/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Whether an account has enabled a region: the meaning of rejected keys. */

#include "daemon/io/poll.h"
#include "daemon/tables.h"

/* Takes a poll's answer into account. If it cannot be judged yet, keeps the result and returns true: the
 * caller must not use it. Otherwise the result says whether the region is enabled. */
bool engine_region_is_unclear(Target *target, const PollAnswer *answer, PollResult *result);
/* Something about the account was found out: judges the kept results that are clear now. */
void engine_judge_rejected(Account *account);
