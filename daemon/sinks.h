/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where journal lines and messages go: to the journal and the outbox, or nowhere. */

#include "daemon/tables.h"

extern const Sink sink_reports, sink_shows;

/* Composes messages and queues them. 0 if all are on disk; OUTBOX_IN_MEMORY: one is not, but will be sent;
 * negative: one is lost, and must be composed again. */
int engine_queue_messages(Engine *engine, const Subject *subject, const Plan *plan);
int engine_queue_events(Engine *engine, const Subject *subject, const Event *events, unsigned n);
/* The same for a message from event_new, with the present time. */
int engine_queue_message(Engine *engine, const Subject *subject, Event *event);

/* Reserves memory for messages that cannot be repeated. */
void engine_fill_reserve(Engine *engine);
/* Frees the reserve for one more attempt. True if there was any. */
bool engine_use_reserve(Engine *engine);
