/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The tables as the state file and status.json have them. */

#include "daemon/engine.h"
#include "daemon/tables.h"

/* engine_state.c: the tables and the state file. */
int engine_load_state(Engine *engine, char error[static ENGINE_ERROR_MAX]);
/* For a check, which changes nothing and guards nothing: 0, also when it cannot be read, or -ENOMEM. */
int engine_peek_state(Engine *engine, char error[static ENGINE_ERROR_MAX]);
void engine_save_state(Engine *engine);
/* What is about to be done to a trail, on the disk before AWS is asked. */
void engine_save_intent(Trail *trail);
void engine_remove_intent(Trail *trail);
void engine_save_soon(Engine *engine, bool now);

/* engine_status.c */
/* A check shows it; does nothing in the daemon, whose journal and alerts have AWS's text. */
void engine_note_denial(Engine *engine, const Subject *where, const char *action, const char *resource);
void engine_publish(Engine *engine); /* STATUS= and status.json, soon */
void engine_publish_now(Engine *engine);
void engine_with_status(Engine *engine, EngineChecked fn, void *userdata);

/* Runs fired soon: at once unless much was written lately. */
void engine_write_soon(Engine *engine, Writing *writing, LoopFired fired);
/* Call after writing, with when it began: sets the pause. */
void engine_written(Engine *engine, Writing *writing, uint64_t began_mono_usec);
