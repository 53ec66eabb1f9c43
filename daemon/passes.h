/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Passes: how long each waits, what ends it, and when a target is polled again. */

#include "daemon/tables.h"

/* False when one is open already. */
bool engine_open_pass(Engine *engine);
/* The pass does not wait for this poll any more; call engine_end_pass after it. */
void engine_leave_pass(TargetPoll *poll);
/* Ends the pass when nothing that it waits for is left: counts it, publishes, sends the heartbeat. */
void engine_end_pass(Engine *engine);
/* When the target is polled next, by what is known of it now. began_usec: of the poll that has ended, mono;
 * settings: it answered the list, which is due again at its own interval. */
void engine_pace(Target *target, uint64_t began_usec, ListOutcome list);
