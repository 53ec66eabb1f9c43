/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What log_level "debug" adds to the journal: calls, transitions, what is held back and by what, and why
 * something wakes. At any other level each of these returns before it makes a text. Calls are counted for
 * the metrics, too. */

#include "daemon/engine_private.h"

/* Calls of the engine's client from now on: counted where there are metrics, and at "debug" logged. */
void engine_observe_calls(Engine *engine);

/* A trail after a decision, with the verdict and the findings that it had before. */
void engine_debug_trail(const Trail *trail, Verdict was, uint32_t findings, GuardInput kind,
                        const Policy *policy);
/* Its wake-up has come. */
void engine_debug_trail_woke(const Trail *trail);

/* A target or an account after a decision; was_failed: polls that had failed in a row before. */
void engine_debug_reach(const Subject *subject, const TargetState *state, unsigned was_failed,
                        bool was_unreachable);
void engine_debug_reach_woke(const Subject *subject);

/* A target is not polled for so long. */
void engine_debug_target_waits(const Target *target, const TargetPace *pace, uint64_t wait_usec);
