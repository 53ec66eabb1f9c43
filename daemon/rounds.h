/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Rounds: the turn of each target, and the polls of contested trails beside them. */

#include "daemon/tables.h"

void engine_start_passes(Engine *engine, uint64_t delay_usec);
void engine_kick_pass(Engine *engine);      /* a pass now */
void engine_poll_contested(Engine *engine); /* while a trail is contested; see guard_is_contested */
void engine_stop_polls(Engine *engine);
