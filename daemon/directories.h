/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The state and runtime directories: locked, and made again when they are removed while in use. */

#include "daemon/engine.h"
#include "daemon/tables.h"

/* Makes them where they are not there, locks them, and opens the outbox. 0 or -errno with one line in error.
 */
int engine_open_directories(Engine *engine, char error[static ENGINE_ERROR_MAX]);
/* From now on they are checked: 2 s later by the next poll, which wakes the process anyhow
 * (DUE_DIRECTORIES), and after 10 s without one. */
void engine_watch_directories(Engine *engine);
/* Was one of them removed or replaced? Then it is made again, and all that is known is written there. */
void engine_check_directories(Engine *engine);
