/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The state and runtime directories: locked, and made again when they are removed while in use. */

#include "daemon/engine.h"
#include "daemon/tables.h"

/* Makes them where they are not there, locks them, and opens the outbox. 0 or -errno with one line in error.
 */
int engine_open_directories(Engine *engine, char error[static ENGINE_ERROR_MAX]);
/* From now on: notices that one of them was removed or replaced, makes it again and writes down all that is
 * known. */
void engine_watch_directories(Engine *engine);
