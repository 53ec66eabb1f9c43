/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Users and roles that attack trails: takes their rights, looks after that, and gives them back. */

#include "daemon/tables.h"

/* What is due about those that are held. */
void engine_run_holds(Engine *engine);
/* Nothing of them is under way any more. */
void engine_stop_holds(Engine *engine);
