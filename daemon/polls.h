/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Polls: which trails of a target each asks for, and what becomes of the answers. */

#include "daemon/tables.h"

/* Polls the target unless it is held back. of_pass: the open pass waits for it. */
void engine_begin_poll(Target *target, bool of_pass);
/* The status of trails beside the usual polls: of those that are contested, or of all others. */
void engine_begin_extra_poll(Target *target, bool of_contested);
/* Of its usual polls under way, or NULL. */
const TargetPoll *engine_latest_poll(const Target *target);
void engine_poll_account(Account *account); /* polls its targets, those that are not held back */
