/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where everything is decided: what a poll means, what to do about it, what to report. Pure: same input,
 * same output; no clock, no I/O, no allocation, no logging. The engine keeps the state values and carries
 * the plans out. */

#include "daemon/core/model_guard.h"

/* Trouble within this time of being well reopens the same incident. */
#define GUARD_REOPEN_USEC (300ULL * 1000000)
/* An opening message waits this long so that it can say whether the restart held. */
#define GUARD_HOLD_USEC (5ULL * 1000000)
/* Reopenings and gaps reported one by one in an incident before they are reported in summaries, and how
 * often those may come. */
#define GUARD_REPORTS_MAX  3U
#define GUARD_SUMMARY_USEC (300ULL * 1000000)
/* A target that stays unreachable this long is critical. */
#define GUARD_UNREACHABLE_CRITICAL_USEC (300ULL * 1000000)
/* Back-off after restarts that failed: 1 s doubling up to this. */
#define GUARD_BACKOFF_MAX_USEC (60ULL * 1000000)

/* Logging that was stopped and started again: the trail is polled fast for this long after each such stop.
 * From this many of them on, each within that time of the one before, it counts as contested. */
#define GUARD_CONTEST_USEC  (600ULL * 1000000)
#define GUARD_CONTEST_STOPS 3U

/* A trail whose polls are denied or throttled may be stopped unnoticed, by whoever took the right to read or
 * used the quota up. Writes have rights and a quota of their own: from unreachable_after failed polls on it
 * is started without a poll, so often. Starting what logs changes nothing. */
#define GUARD_UNPOLLED_USEC (30ULL * 1000000)

typedef enum GuardInput {
    GUARD_POLLED,      /* seen is valid, and drift when the settings were polled too */
    GUARD_NOT_LISTED,  /* a named trail that no list of its account shows */
    GUARD_LISTED,      /* ... is shown by one: it is guarded under its ARN from now on */
    GUARD_UNREACHABLE, /* result is valid: the trail's account cannot be polled at all */
    GUARD_COMPARED,    /* settings, bucket or key were polled: drift is valid, and seen as far as it says
                        * anything about these; what else it says is old */
    GUARD_ACTED,       /* outcome is valid */
    GUARD_ATTRIBUTED,  /* attribution is valid: a search that a plan asked for has ended */
    GUARD_FORGOTTEN,   /* it was accepted that the trail may be gone: this is the last decision about it */
    GUARD_TIME,        /* a wake-up that a plan asked for */
} GuardInput;

typedef struct TrailInput {
    GuardInput kind;
    const Observation *seen;
    const PollResult *result;
    const Drift *drift; /* NULL: settings were not polled, or there is no baseline */
    const Outcome *outcome;
    const Attribution *attribution;
    const char *why; /* GUARD_FORGOTTEN: what ended it, for people */
} TrailInput;

/* Decides about one trail. prev and ret_next may be the same object. A zeroed TrailState with verdict
 * VERDICT_UNKNOWN is a trail never seen (guard_trail_init). */
void guard_trail(const Policy *policy, const TrailFacts *facts, const TrailState *prev,
                 const TrailInput *input, Now now, Plan *ret_plan, TrailState *ret_next);

/* Does a target of which so many polls failed, and now another, not count as unreachable yet? */
bool guard_target_is_pending(const Policy *policy, unsigned n_failed, bool unreachable);

/* Before a message is put into the outbox the state file needs the times that its id comes from, which the
 * guard took itself: *ret_marked is `was` with those of `next`, and says of nothing that it was reported.
 * The newest of them, real; 0: none. */
uint64_t guard_target_marks(const TargetState *was, const TargetState *next, TargetState *ret_marked);

/* The same for a trail. */
uint64_t guard_trail_marks(const TrailState *before, const TrailState *next, TrailState *ret_marked);

/* Decides about one target's own incidents (unreachable, uncovered). result is NULL for a wake-up that a
 * plan asked for. */
void guard_target(const Policy *policy, const TargetState *prev, const PollResult *result, Now now,
                  Plan *ret_plan, TargetState *ret_next);

/* Does the denial of a target's poll call for a look at the guard's own rights? The first in a row does;
 * those after it say nothing new. */
bool guard_denial_is_news(const TargetState *state, const PollResult *result);

/* The incident of a cause that several share. */
typedef struct SharedIncident {
    Incident *incident;
    Subject subject;
} SharedIncident;

/* A search that a plan asked for has ended: who took an account out of the organization or out of reach.
 * shared is of its cause, NULL without one: what is reported while it is shared counts there. The plan
 * borrows the subject. */
void guard_target_attributed(const Policy *policy, const TargetState *prev, const Attribution *found,
                             const SharedIncident *shared, Now now, Plan *ret_plan, TargetState *ret_next);

/* ---- guard_follow.c: what follows from a decision besides what its plan names ---- */

/* Is it asked before the decision whose bucket the trail delivers to, because a message may name it? */
bool guard_asks_destination(const TrailState *state);

typedef struct Decided {
    const TrailState *before, *next;
    const Plan *plan;
    GuardInput kind;
    bool once;               /* a check: it shows, and records nothing */
    bool left;               /* the trail's account is no member of the organization any more */
    bool was_held, is_held;  /* a message waits for an outcome: the state file has the state before it */
    bool was_known, is_known; /* the state file may say that the trail was seen */
} Decided;

typedef struct FollowUp {
    bool is_news;        /* something happened: it is shown */
    bool is_saved_now;   /* else only times moved on; from the first poll on a difference is a change */
    bool reported_alone; /* it appeared, and has an incident of its own */
    bool acts;           /* a check acts once, however often the trail is stopped again */
    bool searches;       /* for who did it */
    bool contested;      /* it is polled beside the passes */
    uint64_t wake_mono_usec; /* of an account that has left its own incident says more than reminders */
} FollowUp;

FollowUp guard_follow_up(const Decided *in, Now now);

/* The incident that a plan's journal lines belong to: its subject, and *ret_dedup_usec; NULL: none. A
 * message that is about the incident of several says so for the lines that come with it. */
const Subject *guard_lines_are_about(const Plan *plan, const Subject *own, const Incident *incident,
                                     uint64_t *ret_dedup_usec);

/* What is known of a trail beside its state, for messages. All is borrowed; NULL: nothing, or not known. */
typedef struct TrailExtras {
    const Drift *drift;      /* how it differs now */
    const Drift *changes;    /* of the incident: what each field was, and what it was changed to last */
    const Settings *actual;  /* as last polled */
    const char *whose;       /* the account or the trail that has the bucket; "" */
    const Episode *episode;
} TrailExtras;

/* Adds to a message of a plan what it is to show of these. */
void guard_complete_event(Event *event, const TrailExtras *extras);

/* Does the outcome of an action change what is shown of an episode: the last attempt that failed, until one
 * is confirmed? episode: NULL, nothing so far. Then takes it. */
bool guard_episode_shows(const Episode *episode, const Outcome *outcome);
void guard_episode_take(Episode *episode, const Outcome *outcome, const Incident *incident, Now now);
/* A new episode of the trail's trouble begins: does it have the caller of the one before? One contest, one
 * caller. */
bool guard_episode_keeps_actor(const TrailState *state);

/* Does the action need a baseline, which is not there? What it has to be like is not known then. */
bool guard_lacks_baseline(Action action, bool recorded);

/* Does what confirmed the action say how the trail is now? */
bool guard_outcome_shows_status(const Outcome *outcome);

/* The incident that the journal's lines of a target's or an account's plan belong to. */
const Incident *guard_target_incident(const TargetState *state);

/* A message beside those of the guard's incidents: the first about what dedup_usec identifies, and began
 * then. Whoever sends it adds the time. */
Event event_new(EventKind kind, EventPhase phase, Severity severity, uint64_t dedup_usec, Mode mode,
                const char *detail);

/* Was the trail seen, or missed? */
bool guard_was_guarded(const TrailState *state);
/* Has the state file a row of it? Not of one that was neither seen yet nor missed. */
bool guard_has_row(const TrailState *state);

/* An action's intent is on the disk: is all of it reported, so that it may go? reported: the state as the
 * state file has it now. */
bool guard_intent_is_reported(const TrailState *reported, const TrailState *state);

/* Did something happen to a target or an account, so that it is saved and shown? */
bool guard_target_is_news(const TargetState *before, const TargetState *next, const Plan *plan);

/* ---- guard_cause.c: one cause, one incident ---- */

/* What cannot be polled: a region in which no guarded trail lives, one with trails, or a whole account. */
typedef enum Place {
    PLACE_EMPTY,
    PLACE_TRAILS,
    PLACE_ACCOUNT,
} Place;

/* What a target that cannot be polled may share with others, by its error alone. Only a region that is empty
 * can be closed by a policy without loss. */
CauseKind guard_cause_of(PollError error, const char *error_text, Place place);
/* What a poll may share with others, so that it has to be asked who else fails: nothing (CAUSE_OWN) unless
 * this failure makes the target unreachable. */
CauseKind guard_cause_to_share(const PollResult *result, const TargetState *state,
                               unsigned unreachable_after, Place place);
/* Is a region without a trail gathered with others of its account ("": not known yet)? once: by `check`. */
bool guard_cover_is_shared(bool once, const char *account);
/* Whose may it be: one account's regions, one region in all accounts, or anybody's? */
typedef enum CauseScope {
    CAUSE_OF_ALL,
    CAUSE_OF_ACCOUNT,
    CAUSE_OF_REGION,
} CauseScope;

CauseScope guard_cause_scope(CauseKind kind);
/* The one that a region of the account, or with region "" the account as a whole, can have. */
Cause guard_cause_key(CauseKind kind, const char *account, const char *region);
/* Can these have it? */
bool guard_cause_covers(const Cause *cause, const char *account, const char *region);
/* Their order in a table; both are Causes. */
int guard_cause_compare(const void *a, const void *b);
/* Whose it is, for people. base: the account of the base credentials, for what may be anybody's. */
Subject guard_cause_subject(const Cause *cause, const char *base);
/* Does it fail for this cause, reported or not, together with others or by itself? */
bool guard_cause_fails(CauseKind kind, const TargetState *state, Place place);
/* Does it share it? n_failing: targets and accounts whose last polls failed for it, this one included; open:
 * others were reported for it. */
bool guard_cause_is_shared(CauseKind kind, size_t n_failing, bool open);
/* Is the target one of those who have this cause? Also when it has not failed often enough yet to be
 * reported: the list is whole with the first message. */
bool guard_cause_has(CauseKind kind, const TargetState *state, Place place);
/* Was it reported with others for a cause that it cannot have any more? A trail was found whose home is a
 * region that a policy closes. */
bool guard_cause_is_left(const TargetState *state, Place place);
/* Is it a region that a policy could close and that answers? One failed poll is no news, and a restart of
 * the guard none either. */
bool guard_cause_answers(const TargetState *state, Place place);
/* Does a decision about a target bring it to those that have a cause, or take it from them? */
bool guard_cause_is_touched(const TargetState *was, const TargetState *state);

/* Has the target this cause, or does it fail for it by itself? Those that were reported by themselves before
 * there were others are listed too: the list is whole. */
bool guard_cause_lists(CauseKind kind, const TargetState *state, Place place);
/* Counts one of these among the members. first: room for what CauseMembers.first points to. The caller
 * keeps its subject. */
void guard_cause_count(CauseMembers *in, CauseKind kind, const TargetState *state, TargetState *first);
/* One that has it not: does it belong to the rest? Only regions that a policy closes have one. */
bool guard_cause_has_rest(CauseKind kind, bool configured, const TargetState *state);
/* Can it be decided about? Not while nobody has it or had since the start, and the tables are not whole:
 * they may still come in. all_begun: they are whole, so that who is not in them is not guarded any more. */
bool guard_cause_is_ripe(const Cause *cause, CauseMembers *in, bool all_begun);

/* Is it over, and would not be opened again, so that it may be forgotten? */
bool guard_cause_is_over(const Cause *cause, Now now);

/* Decides about a cause: opens its incident with all who have it, reports who came and went in summaries,
 * and ends it. in: its members now. *ret_alone: there is only one, and it is to report by itself. */
void guard_cause(const Policy *policy, const Cause *prev, const CauseMembers *in, Now now, Plan *ret_plan,
                 Cause *ret_next, bool *ret_alone);

/* What was shared is reported by itself: that no trail records a region and it is the only one, or that the
 * target cannot be polled, for a cause that it cannot have any more. */
void guard_target_alone(const Policy *policy, const TargetState *prev, CauseKind was, Now now,
                        Plan *ret_plan, TargetState *ret_next);

/* A target is not guarded any more: its incidents end with messages that say why. */
void guard_target_forgotten(const Policy *policy, const TargetState *prev, const char *why, Now now,
                            Plan *ret_plan, TargetState *ret_next);

/* Has a message been sent about the incident, and none yet that it is over? */
bool guard_owes_end(const Incident *inc);
/* ... about one of a target's or an account's? */
bool guard_target_owes_end(const TargetState *state);

TrailState guard_trail_init(void);

/* Is it over for a trail that nobody has accepted: gone, and whoever did it was searched? */
bool guard_is_done_with(const TrailState *state);

/* Is the trail to be polled as fast as the quota allows, and all others of its account faster than usual?
 * Never one that nobody has accepted: a war over his own trail must not use up the attacked one's reads. */
bool guard_is_contested(const TrailState *state, Now now);

/* Can the trail's trouble, or the trouble that the input brings, be a drill's, so that its announcement has
 * to be read? Where something is wrong with its logging or its tags, and when it is known who did it. */
bool guard_may_be_drill(const TrailState *state, const TrailInput *input);

/* Up to when the event history can have something by now, and up to when a search of a trail's wants it:
 * AWS's clock may be ahead of ours. */
/* May it be searched who did it? While it is not known who we are, our own writes would be someone else's,
 * and mostly the newest; what stands in for AWS may never say it. */
bool guard_search_may_begin(const char *identity, bool identity_is_not_there);
uint64_t guard_latest_event(uint64_t real_usec);
uint64_t guard_search_until(const Attributing *at, uint64_t real_usec);
/* The StopLoggingTime whose cause is searched; 0: no stop's, or AWS gave no time. */
uint64_t guard_sought_stop(const TrailState *state);

/* For a log: by what a restart, restore or re-creation that is wanted is held back, and until when (mono; 0:
 * no time). NULL when none is. */
const char *guard_held_back(const Policy *policy, const TrailFacts *facts, const TrailState *state, Now now,
                            uint64_t *ret_until_usec);
/* For a log: which of the things that a plan's wake_mono_usec is for is due now. */
const char *guard_wake_reason(const Policy *policy, const TrailFacts *facts, const TrailState *state,
                              Now now);

/* A state that was written before an action whose end nobody saw: the message that waits gets time to say
 * what became of it, and settings are polled before they are written again. */
void guard_resume(TrailState *state, Now now);

/* What happened to a trail between two moments, and is over: found out by its times alone. */
typedef enum Missed {
    MISSED_NOTHING,
    MISSED_INTERRUPTION, /* stopped, and started again */
    MISSED_REPLACEMENT,  /* deleted, and created again */
} Missed;

/* What the daemon will report when it polls next: before is what it knew last, now what a check found. */
Missed guard_missed(const TrailState *before, const TrailState *now);

/* The verdict for a set of findings. unseen: the trail could not be polled unreachable_after times in a
 * row. */
Verdict guard_verdict(uint32_t findings, bool known, bool unreadable, bool writable);

/* The severity of one finding. */
Severity guard_severity(Finding finding, const TrailFacts *facts);

/* FIELD_BITs of the changes that strengthen, or of all others: those are trouble. */
uint32_t guard_drift_fields(const Drift *drift, bool strengthens);

/* FNV-1a, 64 bits: not against enemies, only to set one thing apart from another. */
#define GUARD_HASH_BASIS 0xcbf29ce484222325ULL
uint64_t guard_hash(uint64_t hash, const void *data, size_t size);
