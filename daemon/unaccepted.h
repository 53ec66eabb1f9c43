/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Trails that nobody has accepted: a few of an account have incidents of their own, the others are reported
 * together. What waits to be reported is in the state file, also of trails that are gone by then. */

#include "daemon/tables.h"

/* One more, or one of those is gone. */
void engine_count_unaccepted(Trail *trail);
/* What the account's row says that waits is reported soon. */
void engine_resume_unaccepted(Account *account, const StateAccount *row);
/* The trail's row says that it waits; after its account's. */
void engine_resume_appearance(Trail *trail);
/* All that waits is reported now. */
void engine_sum_up_now(Engine *engine);
