/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Drills that `trailguard drill` announces. */

#include "daemon/core/guard.h"
#include "daemon/tables.h"

/* Sets the drill among the trail's facts, from the file, where the input may be about one. */
void engine_find_drill(Trail *trail, const TrailState *state, const TrailInput *input);
