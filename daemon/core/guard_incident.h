/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Episodes of trouble, the same for trails and targets: when one opens, reopens and ends, and which of its
 * changes are told at once, later in a summary, or as a reminder. Pure; private to the guard. */

#include "daemon/core/model.h"

/* Trouble at now: opens a new incident, reopens one that was well for at most GUARD_REOPEN_USEC, or goes on
 * in the open one (TELL_REOPENED for the latter two). mark identifies the trouble. */
TellKind incident_begin(Incident *inc, uint64_t dedup_usec, Now now);

/* May a reopening be told on its own now? Decides it and counts it; when not, the trouble (a gap, or from 0
 * to 0 where its times are not known) is added to what a summary will tell. Always true for TELL_OPENED. */
bool incident_may_tell(Incident *inc, TellKind kind, const Gap *trouble, Now now);

/* Adds a message to the plan, filled with what the incident knows, and notes in the incident that it was
 * told. Never NULL: a full plan says that it overflowed and overwrites its last message, which the sizes in
 * types.h rule out. */
Tell *incident_tell(Incident *inc, Plan *plan, TellKind kind, Event event, Severity severity,
                    uint64_t dedup_usec, Now now);

/* All is well again: closes. Returns true when that must be told on its own (false: the summary will). */
bool incident_end(Incident *inc, Now now);

/* Is a summary of untold gaps due? */
bool incident_summary_is_due(const Incident *inc, Now now);

/* Is a reminder due? */
bool incident_reminder_is_due(const Incident *inc, const Policy *policy, Now now);

/* When the next of the two is due (mono), 0 when neither will be. */
uint64_t incident_wake_mono_usec(const Incident *inc, const Policy *policy, Now now);

/* Adds a journal line to the plan. */
NoteValue *plan_note(Plan *plan, Note note);

/* The identity of trouble that AWS gives no time for: `what` identifies it, the hour stands for its time,
 * and what comes again within the hour is counted, so that two guards agree and a second episode is not
 * taken for the first. Remembers what it has given out. */
uint64_t guard_new_mark(uint64_t marks[static MARKS_MAX], uint64_t what, Now now);

/* FNV-1a, 64 bits: not against enemies, only to tell one thing from another. */
#define GUARD_HASH_BASIS 0xcbf29ce484222325ULL
uint64_t guard_hash(uint64_t hash, const void *data, size_t size);

/* The earlier of two times of which 0 means never. */
uint64_t earlier(uint64_t a, uint64_t b);

/* Real time can be set back: then nothing has elapsed yet. */
uint64_t elapsed(uint64_t since_usec, uint64_t now_usec);
