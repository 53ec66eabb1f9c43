/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Users and roles that attack trails: takes their rights away, keeps that in place, and gives them back. */

#include "daemon/tables.h"

/* Does what is due for them. */
void engine_run_holds(Engine *engine);
/* Cancels everything in progress. */
void engine_stop_holds(Engine *engine);
