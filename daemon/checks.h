/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Checks of settings, buckets and keys: when to compare, and with what. The guard decides about
 * differences. */

#include "daemon/tables.h"

/* Reads accepted baselines, and checks the settings of those listed trails that live in the target: of all
 * if due, else of those that have no baseline yet. */
void engine_check_settings(Target *target, const CloudTrailTrails *list, bool due);
/* Starts the next waiting check in the target, unless one is running there, in its turn among those of the
 * region. */
void engine_begin_next_check(Target *target);
