/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The state and runtime directories: locked, and created again if they are removed while in use. */

#include "daemon/engine.h"
#include "daemon/tables.h"

/* Creates them if missing, locks them, and opens the outbox. 0, or -errno with one line in error. */
int engine_open_directories(Engine *engine, char error[static ENGINE_ERROR_MAX]);
/* Starts checking them: after 2 s with the next poll, which wakes the process anyway (DUE_DIRECTORIES), and
 * after 10 s without a poll. */
void engine_watch_directories(Engine *engine);
/* If one of them was removed or replaced, creates it again and writes everything known to it. */
void engine_check_directories(Engine *engine);
