/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of the guard share; for nobody else. */
#include "daemon/core/guard.h"
#include "lib/util/macros.h"

/* ---- guard_incident.c: episodes of trouble, the same for trails and targets. When one opens, reopens and
 * ends, and which of its changes are reported at once, later in a summary, or as a reminder. ---- */

/* Trouble at now: opens a new incident, reopens one that was well for at most GUARD_REOPEN_USEC, or goes on
 * in the open one (PHASE_REOPENED for the latter two). mark identifies the trouble. */
EventPhase incident_begin(Incident *inc, uint64_t dedup_usec, Now now);

/* May a reopening be reported on its own now, as `kind`? Decides it and counts it; when not, the trouble (a
 * gap, or from 0 to 0 where its times are not known) is added to what a summary will report. Always true for
 * PHASE_OPENED. */
bool incident_may_report(Incident *inc, EventPhase phase, EventKind kind, Severity severity,
                         const Gap *trouble, Now now);
/* The worst that was reported since it was opened, over all its episodes. */
Severity incident_worst(const Incident *inc);

/* Adds a message to the plan, filled with what the incident knows, and notes in the incident that it was
 * reported. Never NULL: a full plan says that it overflowed and overwrites its last message, which the sizes
 * in model.h rule out. */
Event *incident_report(Incident *inc, Plan *plan, EventPhase phase, EventKind kind, Severity severity,
                       uint64_t dedup_usec, Now now);

/* All is well again: closes. Returns true when that must be reported on its own (false: in the summary). */
bool incident_end(Incident *inc, Now now);

/* It is over because nothing is guarded there any more: true when a message must say so. What a summary
 * would have reported is no news any more. */
bool incident_forget(Incident *inc, Now now);

/* Before each decision: what lies ahead of a clock that was set back was now, or nothing would be due until
 * the clock has come round to it again. */
void incident_take_clock(Incident *inc, Now now);

/* Is a summary of pending_gaps gaps due? */
bool incident_summary_is_due(const Incident *inc, Now now);

/* Is a reminder due? */
bool incident_reminder_is_due(const Incident *inc, const Policy *policy, Now now);

/* When what cannot be polled since then becomes critical (real), and when to wake up for it (mono). */
uint64_t critical_usec(uint64_t failed_since_usec);
uint64_t critical_wake_mono_usec(uint64_t failed_since_usec, Now now);

/* When the next of the two is due (mono), 0 when neither will be. */
uint64_t incident_wake_mono_usec(const Incident *inc, const Policy *policy, Now now);

/* ---- contests: what is stopped again after each restart. Also in guard_incident.c. ---- */

/* A stop is over: counts it, and its gap. Not where stops are none of ours to undo. */
void contest_undone(Contest *contest, const Gap *gap, Now now);
/* The stops so far. */
Repeats contest_repeats(const Contest *contest);
/* Has it ended, because no stop has come for GUARD_CONTEST_USEC? */
bool contest_is_over(const Contest *contest, Now now);

/* Empties it. What is in the arrays stays: it is most of a plan, and each element is written when it
 * counts. */
void plan_begin(Plan *plan);
/* Adds a journal line to the plan. */
JournalEntry *plan_entry(Plan *plan, JournalLine line);

/* The identity of trouble that AWS gives no time for: `what` identifies it, the hour stands for its time,
 * and what comes again within the hour is counted, so that two guards agree and a second episode is not
 * taken for the first. Remembers what it has given out. The hour is that of TrailState.marking_usec, which a
 * crash has left, else the present one. */
uint64_t guard_new_mark(TrailState *state, uint64_t what, Now now);
/* ... of trouble that a time from AWS, or the mark of earlier trouble, sets apart from all other of its
 * kind: it needs no clock. */
uint64_t guard_fact_mark(uint64_t marks[static MARKS_MAX], const char *what, uint64_t fact);

/* The earlier of two times of which 0 means never. */
uint64_t earlier(uint64_t a, uint64_t b);

/* Real time can be set back: then nothing has elapsed yet. */
uint64_t elapsed(uint64_t since_usec, uint64_t now_usec);

/* ---- guard_attribute.c: a search of the event history, of a trail's incident or of an account's ---- */

void search_begin(Attributing *at, uint32_t findings, uint64_t from_usec, uint64_t dedup_usec,
                  uint64_t seen_usec);
/* Is it to be searched now? Then it counts as under way. */
bool search_is_due(Attributing *at, Now now);
/* When it is due; 0: nothing is. */
uint64_t search_wake_mono_usec(const Attributing *at, Now now);
/* Counts a search, and remembers how far back it got. One that AWS throttled does not count: the next waits
 * ever longer, up to ten minutes, and that goes on for a day. True when people should know that it waits. */
bool search_ended(Attributing *at, const Attribution *found, Now now);
/* Was the search that has just been counted the last one? */
bool search_was_last(const Attributing *at);

/* ---- decisions about a trail ---- */

/* What a cause may be older than the time by which it is known: AWS's times are exact, ours may be off. */
#define GUARD_AWS_SLACK_USEC (60ULL * 1000000)
#define GUARD_OUR_SLACK_USEC (300ULL * 1000000)
/* How far back a cause is searched when nothing is known of the trail before. */
#define GUARD_UNKNOWN_PAST_USEC (86400ULL * 1000000)

/* A clock that was never set begins at 0. */
static inline uint64_t guard_before(uint64_t usec, uint64_t span_usec) {
    return usec - MIN(usec, span_usec);
}

/* One decision under way: everything that its steps need. */
typedef struct Deciding {
    const Policy *policy;
    const TrailFacts *facts;
    Now now;
    TrailState s;
    uint32_t was;    /* conditions that held before */
    uint32_t events; /* INTERRUPTED and RECREATED: seen in this poll, and over */
    Plan *plan;
} Deciding;

/* ---- guard_report.c: what may be done ---- */

#define GUARD_HOUR_USEC (3600ULL * USEC_PER_SEC)

/* Is it ours to do that, or AWS to be asked whether it is? */
bool guard_may_write(const TrailFacts *facts, Action action);
/* Do mode, owner and maintenance let it be started? */
bool guard_may_restart(const Deciding *d);
/* It is to be started although it cannot be polled, now or when that is due again. */
bool guard_waits_for_unpolled_restart(const Deciding *d);
bool guard_may_recreate(const Deciding *d);
/* Those of the fields that may be written back. */
uint32_t guard_restorable(const Deciding *d, uint32_t fields);
/* Has max_restores_per_hour been reached for this field, or for RECREATION? */
bool guard_is_spent(const Deciding *d, unsigned of);
/* Those of the fields for which it holds. */
uint32_t guard_fields_that(const Deciding *d, uint32_t fields, bool (*test)(const Deciding *d, unsigned of));
/* Has max_restores_per_hour been reached and reported, for all of the fields that may be written back, or,
 * with no fields, for the trail itself? */
bool guard_restores_rest(const Deciding *d, uint32_t fields);
/* What is well again was made so by an action of ours whose end was not recorded, because the guard ended
 * first: it is confirmed now. */
bool guard_confirms(const Deciding *d, ActionReport *report, Action action);
/* Sets the fields that differ, and the findings that follow. */
void guard_set_fields(TrailState *s, uint32_t fields, uint32_t losing_fields, uint64_t drift_mark);

/* ---- guard_report.c: what is reported ---- */

/* The worst severity of a set of findings: info in maintenance, except for what maintenance does not
 * explain. */
Severity guard_severity_of(const Deciding *d, uint32_t findings);

/* Nothing is wrong, and no message waits: one about a stop waits no longer than the stop lasts. */
bool guard_is_all_well(const Deciding *d);

/* Adds a message about the findings in `about`, with everything that the state knows. */
Event *guard_report(Deciding *d, EventPhase phase, EventKind kind, Severity severity, uint64_t dedup_usec,
                    uint32_t about, const char *detail);

/* Reports trouble that begins, under the rules of incidents: what is new or worse always, what comes again
 * as incident_may_report allows. One message for all of how->findings, named after the worst of them. A
 * message that leaves nothing wrong resolves the incident too. */
void guard_report_trouble(Deciding *d, const PendingEvent *how, const char *detail);

/* Of a trail that nobody has accepted, where there are too many of them: takes back what was to be said of
 * trouble that began now. The journal has it; prev is the state before. */
void guard_sum_up(Deciding *d, const TrailState *prev);

/* The same at once, or once the outcome of an action is known but at most GUARD_HOLD_USEC from now. */
void guard_report_later(Deciding *d, PendingEvent *slot, PendingEvent how);
/* Reports what waits in a slot of the state now; nothing when nothing waits. */
void guard_report_pending(Deciding *d, PendingEvent *slot, const char *detail);

/* A stop is over, whoever ended it: its gap is the incident's. */
void guard_undone(Deciding *d);

/* ---- guard_drill.c ---- */

/* The trouble with logging that was found just now: is it the stop that a drill has announced? It takes one
 * stop only. */
void guard_take_drill(Deciding *d, uint64_t stop_usec);
/* The same of settings that were found changed, after the incident has them: is it the drill's tag,
 * alone? */
void guard_take_tag_drill(Deciding *d, uint64_t dedup_usec);
/* The settings were compared, or written: is its tag all that differs, or gone? */
void guard_drill_changed(Deciding *d);
/* Is the incident's latest trouble that of a drill? No longer when it lasts beyond the drill, or another
 * made it. */
bool guard_is_drill(const Deciding *d);
/* What a drill's trouble is, FINDING_BITs; all else beside it is in earnest. */
uint32_t guard_drill_findings(const Deciding *d);
/* When the drill ends whose trouble still lasts (mono); 0: there is none. */
uint64_t guard_drill_wake(const Deciding *d);
/* Who made the incident's trouble is known; NULL: nobody was found. */
void guard_drill_attributed(Deciding *d, const Actor *actor);

/* ---- guard_attribute.c ---- */

/* Who caused this? not_before_usec: real; the cause is not older. `opened`: a new incident begins with it.
 */
void guard_seek_actor(Deciding *d, uint32_t findings, uint64_t not_before_usec, uint64_t slack_usec,
                      uint64_t dedup_usec, bool opened);
/* The changed settings that the search under way, or the one after it, is about are those of the incident,
 * too. */
void guard_seek_actor_of_more(Deciding *d);
void guard_attributed(Deciding *d, const Attribution *found);
void guard_plan_search(Deciding *d);
uint64_t guard_search_wake(const Deciding *d);

/* ---- guard_drift.c ---- */

/* Takes a comparison of the settings into the state, and reports what of it is new. */
void guard_take_drift(Deciding *d, const Drift *drift);

/* ---- guard_poll.c ---- */

/* Conditions that a status shows, FINDING_BITs. */
uint32_t guard_conditions(const Deciding *d, const Observation *seen);
void guard_remember(TrailState *s, const Observation *seen, Now now);
void guard_end_unreachable(Deciding *d);
void guard_found_stopped(Deciding *d, const Observation *seen, bool first_sight);
/* Finds that deliveries began to fail, in ways that did not hold before. */
void guard_found_failing(Deciding *d, const Observation *seen, uint32_t findings);

/* The message about a new trail waits no longer than until it is known whose its bucket is. */
void guard_report_appeared(Deciding *d);

void guard_polled(Deciding *d, const Observation *seen, const Drift *drift);
/* The same about settings, bucket and key alone, by checks that are no proof that the trail's status can be
 * read. */
void guard_compared(Deciding *d, const Observation *seen, const Drift *drift);
/* What lists say of a trail that the configuration names, and that has not been found yet. */
void guard_named(Deciding *d, bool listed);
/* Nothing of its account can be polled. An account that left is not polled again: that counts at once. */
void guard_account_unreachable(Deciding *d, const PollResult *result);
