/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The additional journal lines of log_level "debug": calls, transitions, what is held back and why, and
 * reasons of wake-ups. At other levels each function returns before it composes a text. Also counts calls
 * for the metrics. */

#include "daemon/engine_private.h"

/* From now on, counts the engine's calls if there are metrics, and logs them at "debug". */
void engine_observe_calls(Engine *engine);

/* A trail after a decision, with its former verdict and findings. */
void engine_debug_trail(const Trail *trail, Verdict was, uint32_t findings, GuardInput kind,
                        const Policy *policy);
/* Its wake-up has come. */
void engine_debug_trail_woke(const Trail *trail);

/* A target or account after a decision; was_failed: failed polls in a row before it. */
void engine_debug_reach(const Subject *subject, const TargetState *state, unsigned was_failed,
                        bool was_unreachable);
void engine_debug_reach_woke(const Subject *subject);

/* The target will not be polled for this long. */
void engine_debug_target_waits(const Target *target, const TargetPace *pace, uint64_t wait_usec);
