/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Incidents that several targets or accounts share. */

#include "daemon/tables.h"

/* Opens, sums up and ends the incidents of common causes. At most four times a second. */
void engine_decide_causes(Engine *engine);
