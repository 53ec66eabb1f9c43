/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* All decisions: what a poll means, what to do about it, what to report. Pure: the same input gives the same
 * output; no clock, I/O, allocation or logging. The engine keeps the state and executes the plans. */

#include "daemon/core/model_guard.h"

/* Trouble that comes back within this time after it ended reopens the same incident. */
#define GUARD_REOPEN_USEC (300ULL * 1000000)
/* An opening message waits this long for the outcome of the restart. */
#define GUARD_HOLD_USEC (5ULL * 1000000)
/* How many reopenings and gaps of an incident are reported one by one. Further ones are reported in
 * summaries, this far apart. */
#define GUARD_REPORTS_MAX  3U
#define GUARD_SUMMARY_USEC (300ULL * 1000000)
/* A target that stays unreachable this long is critical. */
#define GUARD_UNREACHABLE_CRITICAL_USEC (300ULL * 1000000)
/* Back-off after failed restarts: 1 s, doubled up to this. */
#define GUARD_BACKOFF_MAX_USEC (60ULL * 1000000)

/* For this long after logging was stopped and started again, the trail is polled at a fast rate. After this
 * many such stops, each within that time of the one before, the trail counts as contested. */
#define GUARD_CONTEST_USEC  (600ULL * 1000000)
#define GUARD_CONTEST_STOPS 3U

/* If polls of a trail are denied or throttled, whoever took the right or used up the quota can stop it
 * unnoticed. Writes have their own rights and quota: after unreachable_after failed polls the guard sends
 * StartLogging without a poll, this often. It does nothing to a trail that logs. */
#define GUARD_UNPOLLED_USEC (30ULL * 1000000)

typedef enum GuardInput {
    GUARD_POLLED,      /* seen is valid; so is drift, if the settings were read too */
    GUARD_NOT_LISTED,  /* no list of the account shows this named trail */
    GUARD_LISTED,      /* ... a list shows it: from now on it is guarded under its ARN */
    GUARD_UNREACHABLE, /* result is valid: the trail's whole account cannot be polled */
    GUARD_COMPARED,    /* settings, bucket or key were checked: drift is valid, and seen as far as it is
                          about these; the rest of seen is old */
    GUARD_ACTED,       /* outcome is valid */
    GUARD_ATTRIBUTED,  /* attribution is valid: a search requested by a plan has ended */
    GUARD_FORGOTTEN,   /* the trail is no longer guarded: the last decision about it */
    GUARD_TIME,        /* a wake-up requested by a plan */
} GuardInput;

typedef struct TrailInput {
    GuardInput kind;
    const Observation *seen;
    const PollResult *result;
    const Drift *drift; /* NULL: the settings were not read, or there is no baseline */
    const Outcome *outcome;
    const Attribution *attribution;
    const char *why; /* GUARD_FORGOTTEN: the reason, for people */
} TrailInput;

/* Decides about one trail. prev and ret_next may be the same object. guard_trail_init() is the state of a
 * trail that was never polled. */
void guard_trail(const Policy *policy, const TrailFacts *facts, const TrailState *prev,
                 const TrailInput *input, Now now, Plan *ret_plan, TrailState *ret_next);

/* True if, with one more failed poll after n_failed, the target does not count as unreachable yet. */
bool guard_target_is_pending(const Policy *policy, unsigned n_failed, bool unreachable);

/* An id can come from a time that the guard took itself. Before such a message is put into the outbox, the
 * state file must have that time. *ret_marked is `was` with the times of `next`: it does not say that
 * anything was reported. Returns the newest of these times (real), 0 if there is none. */
uint64_t guard_target_marks(const TargetState *was, const TargetState *next, TargetState *ret_marked);

/* The same for a trail. */
uint64_t guard_trail_marks(const TrailState *before, const TrailState *next, TrailState *ret_marked);

/* Decides about a target's own incidents (unreachable, uncovered). result is NULL for a wake-up requested by
 * a plan. */
void guard_target(const Policy *policy, const TargetState *prev, const PollResult *result, Now now,
                  Plan *ret_plan, TargetState *ret_next);

/* True if a denied poll of the target is a reason to check the guard's own rights: only the first in a row,
 * because later ones add nothing. */
bool guard_denial_is_news(const TargetState *state, const PollResult *result);

/* The incident that several targets or accounts share. */
typedef struct SharedIncident {
    Incident *incident;
    Subject subject;
} SharedIncident;

/* A search requested by a plan has ended: who removed an account from the organization, or the guard's
 * access to it. shared: the incident of its cause, NULL if it has none; messages are counted there. The plan
 * borrows its subject. */
void guard_target_attributed(const Policy *policy, const TargetState *prev, const Attribution *found,
                             const SharedIncident *shared, Now now, Plan *ret_plan, TargetState *ret_next);

/* ---- guard_follow.c: what follows from a decision, beyond its plan ---- */

/* True if the owner of the trail's bucket is looked up before the decision, because a message may name
 * it. */
bool guard_asks_destination(const TrailState *state);

typedef struct Decided {
    const TrailState *before, *next;
    const Plan *plan;
    GuardInput kind;
    bool once;               /* `check`: only shows, records nothing */
    bool left;               /* the trail's account has left the organization */
    bool was_held, is_held;  /* a message waits for an outcome: the state file keeps the previous state */
    bool was_known, is_known; /* the state file may record that the trail was found */
} Decided;

typedef struct FollowUp {
    bool is_news;        /* something happened: update the status */
    bool is_saved_now;   /* save at once; otherwise only times changed. Saved from the first poll on, so that
                            later differences count as changes */
    bool reported_alone; /* it appeared, and has an incident of its own */
    bool acts;       /* start the action; `check` acts only once, however often the trail is stopped again */
    bool searches;       /* start the search for who did it */
    bool contested;      /* poll it beside the passes */
    uint64_t wake_mono_usec; /* 0 for an account that has left: its own incident replaces reminders */
} FollowUp;

FollowUp guard_follow_up(const Decided *in, Now now);

/* The incident that a plan's journal lines belong to: its subject and *ret_dedup_usec; NULL if none. Lines
 * beside a message about a shared incident belong to that incident. */
const Subject *guard_lines_are_about(const Plan *plan, const Subject *own, const Incident *incident,
                                     uint64_t *ret_dedup_usec);

/* What is known of a trail besides its state, for messages. Borrowed; NULL: nothing, or unknown. */
typedef struct TrailExtras {
    const Drift *drift;      /* its present differences */
    const Drift *changes;    /* of the incident: each field's value before, and its latest change */
    const Settings *actual;  /* as last polled */
    const char *whose;       /* the account or trail that the bucket belongs to; "" */
    const Episode *episode;
} TrailExtras;

/* Adds those of these facts that a message shows. */
void guard_complete_event(Event *event, const TrailExtras *extras);
/* The same for the journal lines of a plan that report a difference. */
void guard_complete_entries(Plan *plan, const TrailExtras *extras);

/* guard_episode_shows: true if an outcome changes what the status shows of an episode, which is the last
 * failed attempt until one is confirmed. episode: NULL if there is none yet. guard_episode_take then records
 * it. */
bool guard_episode_shows(const Episode *episode, const Outcome *outcome);
void guard_episode_take(Episode *episode, const Outcome *outcome, const Incident *incident, Now now);
/* True if a new episode of the trail's trouble keeps the caller of the previous one: a contest has one
 * caller. */
bool guard_episode_keeps_actor(const TrailState *state);

/* True if the action needs a baseline that does not exist: the desired settings are unknown. */
bool guard_lacks_baseline(Action action, bool recorded);

/* True if the poll that confirmed the action also shows the trail's present status. */
bool guard_outcome_shows_status(const Outcome *outcome);

/* The incident that the journal lines of a target's or an account's plan belong to. */
const Incident *guard_target_incident(const TargetState *state);

/* A message outside the guard's own incidents: the first about what dedup_usec identifies, which also is its
 * beginning. The sender adds the time. */
Event event_new(EventKind kind, EventPhase phase, Severity severity, uint64_t dedup_usec, Mode mode,
                const char *detail);

/* True if the trail was found before, or reported as missing. */
bool guard_was_guarded(const TrailState *state);
/* True if the state file has a row for it: not before it was found or reported as missing. */
bool guard_has_row(const TrailState *state);

/* True if everything about the action whose intent is on disk was reported, so that the intent can be
 * removed. reported: the state as the state file has it. */
bool guard_intent_is_reported(const TrailState *reported, const TrailState *state);

/* True if something happened to the target or account that must be saved and shown. */
bool guard_target_is_news(const TargetState *before, const TargetState *next, const Plan *plan);

/* ---- guard_cause.c: one cause, one incident ---- */

/* What cannot be polled: a region without guarded trails, one with trails, or a whole account. */
typedef enum Place {
    PLACE_EMPTY,
    PLACE_TRAILS,
    PLACE_ACCOUNT,
} Place;

/* The cause that an unreachable target may share with others, judged by its error alone. Only an empty
 * region can be denied by a policy without loss. */
CauseKind guard_cause_of(PollError error, const char *error_text, Place place);
/* The cause that this poll may share, so that it must be checked which others fail; CAUSE_OWN unless this
 * failure makes the target unreachable. */
CauseKind guard_cause_to_share(const PollResult *result, const TargetState *state,
                               unsigned unreachable_after, Place place);
/* True if an uncovered region is reported together with others of its account ("": not known yet). once:
 * `check`. */
bool guard_cover_is_shared(bool once, const char *account);
/* The key of the cause that a region of the account can have; region "": the account as a whole. */
Cause guard_cause_key(CauseKind kind, const char *account, const char *region);
/* True if this account and region can have the cause. */
bool guard_cause_covers(const Cause *cause, const char *account, const char *region);
/* The order of the table; both point to Causes. */
int guard_cause_compare(const void *a, const void *b);
/* The subject to show. It stays the same until the end, whatever becomes known: the incident's id comes from
 * it. */
Subject guard_cause_subject(const Cause *cause);
/* True if the target fails for this cause, reported or not, alone or with others. */
bool guard_cause_fails(CauseKind kind, const TargetState *state, Place place);
/* True if the failure is reported as shared. n_failing: the targets and accounts whose last polls failed for
 * this cause, including this one; open: it is already open for others. */
bool guard_cause_is_shared(CauseKind kind, size_t n_failing, bool open);
/* True if the target counts among those that have the cause. It need not have failed often enough to be
 * reported by itself: so the first message has the complete list. */
bool guard_cause_has(CauseKind kind, const TargetState *state, Place place);
/* True if the target was reported under a cause that no longer applies. Example: a trail was found whose
 * home region is one that a policy denies. */
bool guard_cause_is_left(const TargetState *state, Place place);
/* True if a decision about a target adds it to a cause or removes it. */
bool guard_cause_is_touched(const TargetState *was, const TargetState *state);

/* Collects the members of a cause. */
typedef struct CauseGathering {
    const Cause *cause;
    CauseMembers in;         /* begins with pointers to these: */
    Subject *members, *rest; /* room for all targets and accounts */
    TargetState first;       /* what in.first points to */
} CauseGathering;

/* Takes a target or a whole account. True if it is a member: it has the cause, or was reported by itself for
 * it before others failed. A target without the cause may belong to CauseMembers.rest, which only
 * CAUSE_CLOSED has. configured: the target's region is one of `regions`. */
bool guard_cause_take(CauseGathering *g, const Subject *subject, const TargetState *state, Place place,
                      bool configured);

/* True if the cause can be decided about. If it has and had no members since the start, it waits until the
 * tables are complete, because members may still appear. all_begun: the tables are complete, so what is not
 * in them is not guarded. */
bool guard_cause_is_ripe(const Cause *cause, CauseMembers *in, bool all_begun);

/* The newest of the times that the ids of its messages come from, see guard_target_marks(). */
uint64_t guard_cause_mark(const Cause *cause, const CauseMembers *in);

/* True if it is over and too old to be reopened: it can be forgotten. */
bool guard_cause_is_over(const Cause *cause, Now now);

/* Decides about a cause: opens its incident with all members, reports changes of the members in summaries,
 * and ends it. in: the present members. *ret_alone: there is only one, which is to be reported by itself. */
void guard_cause(const Policy *policy, const Cause *prev, const CauseMembers *in, Now now, Plan *ret_plan,
                 Cause *ret_next, bool *ret_alone);

/* Reports by itself what was shared: the region is the only uncovered one, or the target cannot be polled
 * for a cause that no longer applies. */
void guard_target_alone(const Policy *policy, const TargetState *prev, CauseKind was, Now now,
                        Plan *ret_plan, TargetState *ret_next);

/* The target is no longer guarded: ends its incidents with messages that give the reason. */
void guard_target_forgotten(const Policy *policy, const TargetState *prev, const char *why, Now now,
                            Plan *ret_plan, TargetState *ret_next);

/* True if a message about the incident was sent, and none about its end. */
bool guard_owes_end(const Incident *inc);
/* The same for any incident of a target or account. */
bool guard_target_owes_end(const TargetState *state);

TrailState guard_trail_init(void);

/* True if a trail that nobody accepted is gone and the search for who did it has ended. */
bool guard_is_done_with(const TrailState *state);

/* True if the trail is polled as fast as the quota allows, and the others of its account faster than usual.
 * Never an unaccepted trail: an attacker who fights over his own trail must not use up the reads of the one
 * he attacks. */
bool guard_is_contested(const TrailState *state, Now now);

/* True if the announcement of a drill must be read, because the trail's trouble, or what the input brings,
 * can be the drill's: its logging or tags changed, or its cause was found. */
bool guard_may_be_drill(const TrailState *state, const TrailInput *input);

/* True if the event history can be searched. As long as the guard's own identity is unknown, it would take
 * its own writes, mostly the newest, for another caller's. A substitute for AWS may never report the
 * identity. */
bool guard_search_may_begin(const char *identity, bool identity_is_not_there);
/* The result of a search that cannot begin. */
Attribution guard_search_failed(const char *why);
/* The time up to which the event history may have records by now, and up to which a trail's search wants
 * them. AWS's clock may be ahead of ours. */
uint64_t guard_latest_event(uint64_t real_usec);
uint64_t guard_search_until(const Attributing *at, uint64_t real_usec);
/* The StopLoggingTime of the stop whose cause is sought; 0 if it is no stop, or AWS gave no time. */
uint64_t guard_sought_stop(const TrailState *state);

/* For the log: what delays the restart, restore or re-creation that is wanted, and until when (mono; 0:
 * unknown). NULL if nothing does. */
const char *guard_held_back(const Policy *policy, const TrailFacts *facts, const TrailState *state, Now now,
                            uint64_t *ret_until_usec);
/* For the log: which purpose of the plan's wake_mono_usec is due now. */
const char *guard_wake_reason(const Policy *policy, const TrailFacts *facts, const TrailState *state,
                              Now now);

/* Resumes a state that was saved before an action whose end was not recorded. The waiting message gets time
 * to include the outcome, and settings are read before they are written again. */
void guard_resume(TrailState *state, Now now);

/* What happened to a trail between two moments, and is over: visible only in its times. */
typedef enum Missed {
    MISSED_NOTHING,
    MISSED_INTERRUPTION, /* stopped, and started again */
    MISSED_REPLACEMENT,  /* deleted, and created again */
} Missed;

/* What the daemon will report at its next poll. before: the last state it saved; now: what a check found. */
Missed guard_missed(const TrailState *before, const TrailState *now);

/* The verdict for a set of findings. unreadable: the trail could not be polled unreachable_after times in a
 * row. */
Verdict guard_verdict(uint32_t findings, bool known, bool unreadable, bool writable);

/* The severity of one finding. */
Severity guard_severity(Finding finding, const TrailFacts *facts);

/* The FIELD_BITs of the changes that strengthen the trail, or of all others, which are trouble. */
uint32_t guard_drift_fields(const Drift *drift, bool strengthens);

/* FNV-1a, 64 bits: tells values apart, and does not resist an attacker. */
#define GUARD_HASH_BASIS 0xcbf29ce484222325ULL
uint64_t guard_hash(uint64_t hash, const void *data, size_t size);
/* The same for what goes into files, which have signed numbers. */
uint64_t guard_mark(uint64_t hash, const void *data, size_t size);
