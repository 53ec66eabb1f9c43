/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Checks of settings, buckets and keys: when there is something to compare, and with what. What follows from
 * a difference is the guard's to say. */

#include "daemon/tables.h"

/* Takes in baselines that were accepted, and checks the settings of those trails of a list that live in
 * the target: of all of them when that is due, else of those that have no baseline yet. */
void engine_check_settings(Target *target, const CloudTrailTrails *list, bool due);
/* Begins the next check of settings that waits in the target, unless one is under way there, in its turn
 * among those of the region. */
void engine_begin_next_check(Target *target);
