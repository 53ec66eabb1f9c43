/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Passes: who is polled, and what becomes of the answers. */

#include "daemon/tables.h"

void engine_start_passes(Engine *engine, uint64_t delay_usec);
void engine_kick_pass(Engine *engine);      /* a pass now */
void engine_poll_account(Account *account); /* polls its targets, those that are not held back */
void engine_poll_contested(Engine *engine); /* as long as a trail is contested; see guard_is_contested */
void engine_stop_polls(Engine *engine);
