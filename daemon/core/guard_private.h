/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Shared by the files of the guard, and private to them. */
#include "daemon/core/guard.h"
#include "lib/util/macros.h"

/* ---- guard_incident.c: episodes of trouble, of trails and of targets. When one opens, reopens and ends,
 * and which changes are reported at once, in a later summary, or as a reminder. ---- */

/* Trouble is present: opens a new incident, reopens one that ended at most GUARD_REOPEN_USEC ago, or
 * continues the open one (PHASE_REOPENED for the latter two). dedup_usec identifies the trouble. */
EventPhase incident_begin(Incident *inc, uint64_t dedup_usec, Now now);

/* Decides whether a reopening is reported by itself now, as `kind`, and counts it. If not, the trouble (a
 * gap, or 0 to 0 if its times are unknown) is added to the next summary. Always true for PHASE_OPENED. */
bool incident_may_report(Incident *inc, EventPhase phase, EventKind kind, Severity severity,
                         const Gap *trouble, Now now);
/* The worst severity reported since the incident was opened, over all its episodes. */
Severity incident_worst(const Incident *inc);

/* Adds a message to the plan, filled in from the incident, and records in the incident that it was reported.
 * Never NULL: when the plan is full it sets `overflowed` and overwrites the last message. The sizes in
 * model.h rule that out. */
Event *incident_report(Incident *inc, Plan *plan, EventPhase phase, EventKind kind, Severity severity,
                       uint64_t dedup_usec, Now now);

/* Closes the incident. True if the end is reported by itself; otherwise a summary has it. */
bool incident_end(Incident *inc, Now now);

/* Closes the incident of something that is no longer guarded. True if a message must report the end. Pending
 * summaries are dropped. */
bool incident_forget(Incident *inc, Now now);

/* Call before each decision. After the clock was set back, times in the future become `now`; otherwise
 * nothing would be due until the clock has caught up. */
void incident_take_clock(Incident *inc, Now now);

/* True if a summary of pending_gaps gaps is due. */
bool incident_summary_is_due(const Incident *inc, Now now);

/* True if a reminder is due. */
bool incident_reminder_is_due(const Incident *inc, const Policy *policy, Now now);

/* When an unreachable target becomes critical (real), and when to wake up for that (mono). */
uint64_t critical_usec(uint64_t failed_since_usec);
uint64_t critical_wake_mono_usec(uint64_t failed_since_usec, Now now);

/* When the next summary or reminder is due (mono); 0 if none will be. */
uint64_t incident_wake_mono_usec(const Incident *inc, const Policy *policy, Now now);

/* ---- contests: trails that are stopped again after each restart. In guard_incident.c ---- */

/* Counts a stop that has ended, and its gap. Not called where the guard may not undo stops. */
void contest_undone(Contest *contest, const Gap *gap, Now now);
/* The stops so far. */
Repeats contest_repeats(const Contest *contest);
/* True if no stop has come for GUARD_CONTEST_USEC. */
bool contest_is_over(const Contest *contest, Now now);

/* Empties the plan. The arrays are not cleared, because they are most of its size and each element is
 * written before it counts. */
void plan_begin(Plan *plan);
/* Adds a journal line to the plan. */
JournalEntry *plan_entry(Plan *plan, JournalLine line);

/* An id for trouble that AWS gives no time for. `what` identifies the trouble and the hour stands for its
 * time; recurrences within the hour are counted. So two guards compute the same id, and a second episode
 * gets another one. The state remembers the ids. The hour is TrailState.marking_usec, left by a crash, or
 * the present one. */
uint64_t guard_new_mark(TrailState *state, uint64_t what, Now now);
/* The same for trouble that a time from AWS, or the mark of earlier trouble, makes unique. Needs no
 * clock. */
uint64_t guard_fact_mark(uint64_t marks[static MARKS_MAX], const char *what, uint64_t fact);

/* The earlier of two times; 0 means never. */
uint64_t earlier(uint64_t a, uint64_t b);

/* 0 if the clock was set back. */
uint64_t elapsed(uint64_t since_usec, uint64_t now_usec);

/* ---- guard_attribute.c: a search of the event history, of a trail's incident or of an account's ---- */

void search_begin(Attributing *at, uint32_t findings, uint64_t from_usec, uint64_t dedup_usec,
                  uint64_t seen_usec);
/* True if the search is due. Then it counts as running. */
bool search_is_due(Attributing *at, Now now);
/* When it is due; 0 if nothing is. */
uint64_t search_wake_mono_usec(const Attributing *at, Now now);
/* Counts a search, and records how far back it read. A throttled search does not count: the pause before
 * the next one grows up to ten minutes, for at most a day. True if the journal should say that the search
 * waits. */
bool search_ended(Attributing *at, const Attribution *found, Now now);
/* True if the search that was just counted was the last one. */
bool search_was_last(const Attributing *at);

/* ---- decisions about a trail ---- */

/* How much older than the time it became known by a cause may be. AWS's times are exact; ours may be off. */
#define GUARD_AWS_SLACK_USEC (60ULL * 1000000)
#define GUARD_OUR_SLACK_USEC (300ULL * 1000000)
/* How far back a cause is searched if nothing is known of the trail before. */
#define GUARD_UNKNOWN_PAST_USEC (86400ULL * 1000000)

/* Does not underflow: a clock that was never set starts at 0. */
static inline uint64_t guard_before(uint64_t usec, uint64_t span_usec) {
    return usec - MIN(usec, span_usec);
}

/* One decision in progress: everything that its steps need. */
typedef struct Deciding {
    const Policy *policy;
    const TrailFacts *facts;
    Now now;
    TrailState s;
    uint32_t was;    /* findings before this decision */
    uint32_t events; /* INTERRUPTED and REPLACED: found by this poll, and already over */
    Plan *plan;
} Deciding;

/* ---- guard_report.c: what may be done ---- */

#define GUARD_HOUR_USEC (3600ULL * USEC_PER_SEC)

/* True if the account owns the trail, or may try: AWS has not refused the action. */
bool guard_may_write(const TrailFacts *facts, Action action);
/* True if mode, owner and maintenance allow a restart. */
bool guard_may_restart(const Deciding *d);
/* True if StartLogging is sent without a poll, now or when it is due again. */
bool guard_waits_for_unpolled_restart(const Deciding *d);
bool guard_may_recreate(const Deciding *d);
/* Those of the fields that may be restored. */
uint32_t guard_restorable(const Deciding *d, uint32_t fields);
/* True if max_restores_per_hour is reached for this field, or for RECREATION. */
bool guard_is_spent(const Deciding *d, unsigned of);
/* Those of the fields for which the test is true. */
uint32_t guard_fields_that(const Deciding *d, uint32_t fields, bool (*test)(const Deciding *d, unsigned of));
/* True if max_restores_per_hour is reached and reported for all of the fields that may be restored; without
 * fields, for the trail itself. */
bool guard_restores_rest(const Deciding *d, uint32_t fields);
/* True if an action of ours repaired the trail, but its end was not recorded because the guard stopped
 * first. It is confirmed now. */
bool guard_confirms(const Deciding *d, ActionReport *report, Action action);
/* Sets the fields that differ, and the findings that follow from them. */
void guard_set_fields(TrailState *s, uint32_t fields, uint32_t losing_fields, uint64_t drift_mark);

/* ---- guard_report.c: what is reported ---- */

/* The worst severity of a set of findings; info during maintenance, unless maintenance does not explain a
 * finding. */
Severity guard_severity_of(const Deciding *d, uint32_t findings);

/* True if nothing is wrong and no message waits. A message about a stop waits no longer than the stop
 * lasts. */
bool guard_is_all_well(const Deciding *d);

/* Adds a message about the findings in `about`, filled in from the state. */
Event *guard_report(Deciding *d, EventPhase phase, EventKind kind, Severity severity, uint64_t dedup_usec,
                    uint32_t about, const char *detail);

/* Reports new trouble by the rules of incidents: always if it is of a new kind or worse, and what recurs
 * only as incident_may_report allows. One message covers all of how->findings; its event is that of the
 * worst. If nothing is wrong any more, the message also resolves the incident. */
void guard_report_trouble(Deciding *d, const PendingEvent *how, const char *detail);

/* For an unaccepted trail that is counted in a summary: removes the messages about trouble that began now.
 * The journal keeps its lines. prev: the state before. */
void guard_sum_up(Deciding *d, const TrailState *prev);

/* Reports now, or waits for the outcome of an action, at most GUARD_HOLD_USEC. */
void guard_report_later(Deciding *d, PendingEvent *slot, PendingEvent how);
/* Reports now what waits in a slot of the state, if anything does. */
void guard_report_pending(Deciding *d, PendingEvent *slot, const char *detail);

/* A stop has ended, whoever ended it: its gap becomes the incident's. */
void guard_undone(Deciding *d);

/* ---- guard_drill.c ---- */

/* Decides whether the logging trouble just found is the stop that a drill announced. A drill covers one
 * stop. */
void guard_take_drill(Deciding *d, uint64_t stop_usec);
/* The same for changed settings, after they were added to the incident: the only change must be the drill's
 * tag. */
void guard_take_tag_drill(Deciding *d, uint64_t dedup_usec);
/* Call after settings were compared or written: is the tag still the only difference, or gone? */
void guard_drill_changed(Deciding *d);
/* True if the incident's latest trouble is a drill's. No longer if it outlasts the drill or someone else
 * caused it. */
bool guard_is_drill(const Deciding *d);
/* The drill's FINDING_BITs; any other trouble is real. */
uint32_t guard_drill_findings(const Deciding *d);
/* When the drill whose trouble still lasts will end (mono); 0 if there is none. */
uint64_t guard_drill_wake(const Deciding *d);
/* The cause of the incident's trouble was found; NULL: the event history shows nobody. */
void guard_drill_attributed(Deciding *d, const Actor *actor);

/* ---- guard_attribute.c ---- */

/* Starts the search for a cause. not_before_usec: real; the cause is not older. opened: it begins a new
 * incident. */
void guard_seek_actor(Deciding *d, uint32_t findings, uint64_t not_before_usec, uint64_t slack_usec,
                      uint64_t dedup_usec, bool opened);
/* The running search, or the next one, also covers the changed settings of the incident. */
void guard_seek_actor_of_more(Deciding *d);
void guard_attributed(Deciding *d, const Attribution *found);
void guard_plan_search(Deciding *d);
uint64_t guard_search_wake(const Deciding *d);

/* ---- guard_drift.c ---- */

/* Puts a comparison of settings into the state, and reports what is new. */
void guard_take_drift(Deciding *d, const Drift *drift);

/* ---- guard_poll.c ---- */

/* The FINDING_BITs that a status shows. */
uint32_t guard_conditions(const Deciding *d, const Observation *seen);
void guard_remember(TrailState *s, const Observation *seen, Now now);
void guard_end_unreachable(Deciding *d);
void guard_found_stopped(Deciding *d, const Observation *seen, bool first_sight);
/* Reports deliveries that began to fail in new ways. */
void guard_found_failing(Deciding *d, const Observation *seen, uint32_t findings);

/* Sends the message about a new trail as soon as the owner of its bucket is known, or at its deadline. */
void guard_report_appeared(Deciding *d);

void guard_polled(Deciding *d, const Observation *seen, const Drift *drift);
/* The same for settings, bucket and key only. These checks do not prove that the trail's status can be
 * read. */
void guard_compared(Deciding *d, const Observation *seen, const Drift *drift);
/* What the lists show of a named trail that was not found before. */
void guard_named(Deciding *d, bool listed);
/* The trail's account cannot be polled. An account that left is not polled again, so this takes effect at
 * once. */
void guard_account_unreachable(Deciding *d, const PollResult *result);
