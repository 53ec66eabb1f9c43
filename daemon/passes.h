/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Passes: how long each waits, what ends it, and when a target is polled again. */

#include "daemon/tables.h"

/* False if one is open already. */
bool engine_open_pass(Engine *engine);
/* The pass no longer waits for this poll; call engine_end_pass afterwards. */
void engine_leave_pass(TargetPoll *poll);
/* Ends the pass if nothing it waits for is left: counts it, publishes the status, sends the heartbeat. */
void engine_end_pass(Engine *engine);
/* Decides when the target is polled next. began_usec: of the poll that has ended, mono; list: the result of
 * its list, which has its own interval. */
void engine_pace(Target *target, uint64_t began_usec, ListOutcome list);
