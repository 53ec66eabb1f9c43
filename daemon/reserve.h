/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Memory that is put by for what has to be said now or never. */

#include "daemon/tables.h"

void engine_fill_reserve(Engine *engine);
/* Frees it, for one more try: true when there was some. */
bool engine_use_reserve(Engine *engine);
