/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where notes and messages go: to the journal and the outbox, or nowhere. */

#include "daemon/tables.h"

extern const Sink sink_reports, sink_shows;

/* Composes messages and queues them. 0 when every one is on the disk; OUTBOX_IN_MEMORY: one is not, and is
 * sent; < 0: one is lost, and has to be made again. */
int engine_queue_messages(Engine *engine, const Subject *subject, const Plan *plan);
/* The same of one that was made by event_new: now. */
int engine_queue_message(Engine *engine, const Subject *subject, Event *event);

/* Memory that is put by for what has to be said now or never. */
void engine_fill_reserve(Engine *engine);
/* Frees it, for one more try: true when there was some. */
bool engine_use_reserve(Engine *engine);
