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
/* now: something happened that must be on the disk; else times moved on only. */
void engine_save_soon(Engine *engine, bool now);
/* Before an alert whose id comes from this time, which we took ourselves: it is in the state file first,
 * with a state that does not say yet that the alert was raised. After a crash the alert has the same id. */
void engine_save_mark(Engine *engine, uint64_t taken_usec);

/* engine_status.c */
/* A check shows it; does nothing in the daemon, whose journal and alerts have AWS's text. */
void engine_note_denial(Engine *engine, const Subject *where, const char *action, const char *resource);
void engine_publish(Engine *engine); /* STATUS= and status.json, soon: something has changed */
/* ... or only times have moved on: when enough time has passed for what it costs. */
void engine_publish_calmly(Engine *engine);
void engine_publish_now(Engine *engine);
void engine_with_status(Engine *engine, EngineChecked fn, void *userdata);
/* What the configuration says of metrics_file: counting and writing begin, go on, or end. */
void engine_start_metrics(Engine *engine);
/* Removes the file: nobody must read what a guard that has ended wrote. */
void engine_end_metrics(Engine *engine);

/* Runs fired soon: at once unless much was written lately. */
void engine_write_soon(Engine *engine, Writing *writing, LoopFired fired);
/* Runs fired as schedule_file_calm_wait says, unless engine_write_soon comes before it. What moves times on
 * calls it each time. */
void engine_write_calmly(Engine *engine, Writing *writing, uint64_t min_usec, uint64_t max_usec,
                         LoopFired fired);
/* May it be written now, without a pause? */
bool engine_write_is_paid(const Engine *engine, const Writing *writing);
/* Call before and after writing: they set the pause. */
void engine_write_begins(const Engine *engine, Writing *writing);
void engine_written(const Engine *engine, Writing *writing);
