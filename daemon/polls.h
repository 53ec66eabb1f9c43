/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Polls: which trails of a target each asks for, and what becomes of the answers. */

#include "daemon/tables.h"

/* Polls the target unless it is held back. of_pass: the open pass waits for it. */
void engine_begin_poll(Target *target, bool of_pass);
/* The same of any number of targets: what waits for a connection is in memory, so the polls of all are not
 * begun at once but some at a time, the next ones as these end. What does not answer holds up nothing: after
 * a second it counts no more. */
void engine_want_poll(Target *target, bool of_pass);
/* Those that wait do so no longer. */
void engine_end_starts(Engine *engine);
/* The status of trails beside the usual polls. */
void engine_begin_extra_poll(Target *target, PollOccasion occasion);
/* Of its usual polls under way, or NULL. */
const TargetPoll *engine_latest_poll(const Target *target);
void engine_poll_account(Account *account); /* polls its targets, those that are not held back */
