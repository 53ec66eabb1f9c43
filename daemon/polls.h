/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Polls: which trails of a target each includes, and what is done with the answers. */

#include "daemon/tables.h"

/* Polls the target unless something forbids it. of_pass: the open pass waits for it. */
void engine_begin_poll(Target *target, bool of_pass);
/* The same for any number of targets. Requests that wait for a connection use memory, so only some polls
 * begin at a time, and the next ones when these end. A poll without an answer after a second no longer
 * counts. */
void engine_want_poll(Target *target, bool of_pass);
/* Drops those that wait. */
void engine_end_starts(Engine *engine);
/* Polls statuses beside the usual polls. */
void engine_begin_extra_poll(Target *target, PollOccasion occasion);
/* Its latest usual poll in progress, or NULL. */
const TargetPoll *engine_latest_poll(const Target *target);
void engine_poll_account(Account *account); /* polls its targets, unless something forbids it */
