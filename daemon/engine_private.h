/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The tables as the state file and status.json have them. */

#include "daemon/engine.h"
#include "daemon/tables.h"

/* engine_state.c: the tables and the state file. */
int engine_load_state(Engine *engine, char error[static ENGINE_ERROR_MAX]);
/* For a check, which changes nothing and guards nothing. 0 even if the file cannot be read, or -ENOMEM. */
int engine_peek_state(Engine *engine, char error[static ENGINE_ERROR_MAX]);
void engine_save_state(Engine *engine);
/* Writes an action that is about to be done to disk, before AWS is called. */
void engine_save_intent(Trail *trail);
void engine_remove_intent(Trail *trail);
/* now: something happened that must be saved; otherwise only times changed. */
void engine_save_soon(Engine *engine, bool now);
/* Call before an alert whose id comes from this time, if we took the time ourselves. Saves the time first,
 * with a state that does not record the alert yet. After a crash the alert then gets the same id. */
void engine_save_mark(Engine *engine, uint64_t taken_usec);

/* engine_status.c */
/* A check shows the denial. Does nothing in the daemon, whose journal and alerts have AWS's text. */
void engine_note_denial(Engine *engine, const Subject *where, const char *action, const char *resource);
void engine_publish(Engine *engine); /* writes STATUS= and status.json soon: something changed */
/* ... only times changed: writes once enough time has passed for the cost of it. */
void engine_publish_calmly(Engine *engine);
void engine_publish_now(Engine *engine);
void engine_with_status(Engine *engine, EngineChecked fn, void *userdata);
/* Starts, continues or stops counting and writing, as metrics_file says. */
void engine_start_metrics(Engine *engine);
/* Removes the file, so that nobody reads what a stopped guard wrote. */
void engine_end_metrics(Engine *engine);

/* Runs `fired` soon: at once, unless much was written lately. */
void engine_write_soon(Engine *engine, Writing *writing, LoopFired fired);
/* Runs `fired` as schedule_file_calm_wait says, unless engine_write_soon comes first. Called whenever times
 * change. */
void engine_write_calmly(Engine *engine, Writing *writing, uint64_t min_usec, uint64_t max_usec,
                         LoopFired fired);
/* True if it may be written now, without a pause. */
bool engine_write_is_paid(const Engine *engine, const Writing *writing);
/* Call before and after each write: they determine the pause. */
void engine_write_begins(const Engine *engine, Writing *writing);
void engine_written(const Engine *engine, Writing *writing);
