/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Incidents that several targets or accounts share. */

#include "daemon/tables.h"

/* What several targets and accounts have in common: opens, sums up and ends. At most four times a second. */
void engine_decide_causes(Engine *engine);
