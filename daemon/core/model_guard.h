/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the guard remembers from one input to the next, which the state file keeps, and what it may do. Plain
 * data, as in model.h. */

#include "daemon/core/model.h"

/* An incident about one trail or one target. opened_usec 0: none is remembered. */
typedef struct Incident {
    bool open;
    bool unnamed; /* of a target: it began before AWS said which account the keys belong to, and its messages
                     name none to the end: its id comes from the account */
    uint64_t dedup_usec;
    uint64_t opened_usec;     /* real */
    uint64_t reopened_usec;   /* real; when the present episode began; 0: it is the first */
    uint64_t resolved_usec;   /* real; 0 while open */
    unsigned sequence;        /* of the last message */
    EventKind event;          /* the worst reported */
    Severity severity;        /* the worst of the present episode */
    Severity before;          /* the worst of earlier episodes */
    uint32_t reported;        /* FINDING_BITs reported in this incident */
    uint64_t last_dedup_usec; /* of its latest trouble */
    unsigned n_reopened;      /* reopenings and further gaps so far */
    bool suppressed;          /* the latest of them was not reported by itself, so its end is not either */
    uint64_t reported_usec;   /* real; the last message of any kind */
    unsigned n_reminders;     /* since it was last (re)opened */
    Repeats pending_gaps;
    Gap gap;                    /* the latest */
    ActionReport action;        /* the latest restart */
    ActionReport restore;       /* the latest restore or re-creation */
    uint32_t fields;            /* FIELD_BITs that differed when settings were last found changed in it */
    uint32_t unmet_fields;      /* those that do not meet a new pin */
    uint32_t reported_fields;   /* FIELD_BITs reported in this incident */
    bool accepted;              /* they no longer differ because they were accepted ... */
    bool reconfigured;          /* ... or because the configuration changed */
    uint64_t changed_usec;      /* real; when they were found changed */
    Action failed;              /* the latest action that failed ... */
    char failed_text[ERROR_TEXT_MAX]; /* ... and why; raw */
} Incident;

/* A message that waits for the outcome of an action, so that it can include it. */
typedef struct PendingEvent {
    bool set;
    bool first_sight;
    EventPhase phase;  /* PHASE_OPENED or PHASE_REOPENED */
    uint32_t findings; /* the FINDING_BITs it is about */
    uint64_t dedup_usec;
    uint64_t by_mono_usec;
} PendingEvent;

/* The search for who did it: 5 s, 30 s, 1, 3, 6, 10, 15 and 20 minutes after the trouble was found. */
typedef struct Attributing {
    bool wanted;
    bool searching;         /* a search is under way */
    uint32_t findings;      /* FINDING_BITs whose cause is sought ... */
    uint32_t fields;        /* ... and for changed settings the FIELD_BITs; 0: unknown */
    uint64_t from_usec;     /* real; the cause is not older ... */
    uint64_t until_usec;    /* real; ... and not newer; 0: unknown */
    uint64_t reached_usec;  /* real; how far back the last search read, where the next one continues; 0: all
                               was read */
    unsigned n_records;     /* records read by the searches; repeats count again */
    uint64_t seen_usec;     /* real; when the search began: tries are counted from here */
    uint64_t noticed_usec;  /* real; when the trouble was found, perhaps long before; 0: with the search */
    uint64_t dedup_usec;    /* of the trouble, for the message's identity */
    unsigned n_tries;       /* searches for it that have ended */
    unsigned n_throttled;   /* throttled searches in a row, which do not count */
    uint64_t retry_usec;    /* real; because of that, not searched again before */
    uint64_t attempts_usec; /* real; refused attempts up to this time were reported */
    uint64_t reported_usec; /* real; event time of the reported cause, while the search goes on because that
                               is not certain; 0: nothing was reported */
    unsigned n_reported;    /* number of candidates in that report */
    /* later trouble, whose turn comes when the search for the first has ended */
    uint32_t again_findings; /* 0: none */
    uint32_t again_fields;
    uint64_t again_from_usec;
    uint64_t again_dedup_usec;
    uint64_t again_noticed_usec; /* when the latest of it was found */
    bool again_is_older; /* some of it was searched before, and gave way to worse trouble */
    unsigned n_searches; /* searches that have ended in this incident */
    unsigned n_attempts; /* refused attempts reported in this incident */
} Attributing;

/* Ids of trouble that AWS gives no time for, newest first; each is used once in an hour. */
#define MARKS_MAX 32

/* Counts the restores of one field, or of the trail itself. Counted separately, so that what cannot be
 * restored delays nothing else. */
typedef struct RestoreCount {
    unsigned n_confirmed;     /* confirmed restores since since_usec */
    uint64_t since_usec;      /* real; when the hour in which they are counted began */
    bool paused;              /* it was reported that there were too many */
    unsigned n_failures;      /* unconfirmed attempts in a row */
    uint64_t after_mono_usec; /* their back-off */
} RestoreCount;

#define RECREATION _FIELD_MAX

#define DRILL_TAG_MAX 129 /* AWS allows keys of 128 characters */

/* Stops that were undone, each at most GUARD_CONTEST_USEC after the previous one. */
typedef struct Contest {
    unsigned n;
    uint64_t since_usec;      /* real; when the first began */
    uint64_t last_usec;       /* real; when the last ended */
    uint64_t lost_usec;       /* total time without recording */
    bool reported;            /* as trail.contested */
    uint64_t until_mono_usec; /* fast polls until then; 0: none */
} Contest;

/* What `trailguard drill` announced about one trail: that it will be stopped, or tagged. */
typedef struct Drill {
    uint64_t from_usec, until_usec; /* real; the drill covers trouble in this time, and then ends */
    char identity[ACTOR_ARN_MAX];   /* the caller's ARN, as in event records */
    char nonce[33];                 /* random id of the drill: 32 hex digits */
    char tag[DRILL_TAG_MAX];     /* the key of the tag, whose value is the nonce; "": the trail is stopped */
} Drill;

typedef enum DrillActor {
    DRILL_ACTOR_UNKNOWN, /* not known yet */
    DRILL_ACTOR_OWN,     /* the one who announced the drill */
    DRILL_ACTOR_OTHER,
    DRILL_ACTOR_NOBODY, /* the event history shows nobody */
    _DRILL_ACTOR_MAX,
} DrillActor;

/* The latest drill: its trouble, and what was done about it. Times are real; 0: not yet. */
typedef struct Drilled {
    uint64_t stop_usec;    /* StopLoggingTime; 0: it did not stop the trail */
    uint64_t tag_usec;     /* the mark of the trouble with its tag; 0: none, or other changes came since */
    uint64_t tag_mark;     /* ... and of the difference: TrailState.drift_mark */
    uint64_t noticed_usec; /* 0: there was no drill */
    uint64_t restarted_usec; /* for a tag: when it was gone */
    uint64_t reported_usec, attributed_usec;
    DrillActor actor;
} Drilled;

typedef struct TrailState {
    bool known;       /* was found at least once */
    bool provisional; /* appeared after the first list, and nobody has accepted it: it is polled and
                         restarted, but has no baseline, and is neither restored nor created again */
    uint64_t first_seen_usec; /* real; guarded since then; 0: not yet */
    Verdict verdict;
    uint32_t findings;                 /* present conditions */
    uint64_t since_usec[_FINDING_MAX]; /* real; since when each of them holds, as far as known; 0: it does
                                          not hold, or unknown */
    uint64_t start_usec;               /* real; AWS's last value */
    uint64_t stop_usec;
    uint64_t delivery_usec;
    uint64_t digest_usec;
    uint64_t polled_usec;     /* real; the last poll that found the trail */
    uint64_t accepted_usec;   /* real; when the present baseline was recorded; 0: there is none */
    bool weakness_pending;    /* the report of its weak baseline waits, to be combined with others */
    bool appearance_pending;  /* the report of its appearance waits, to be combined with others */
    uint64_t settings_usec;   /* real; the last poll that compared its settings */
    uint32_t fields;          /* FIELD_BITs that differ from the baseline, as last read */
    uint32_t losing_fields;   /* those that lose events */
    uint32_t unmet_fields;    /* those that do not meet a new pin */
    uint32_t stronger_fields; /* FIELD_BITs that differ without a loss: see Change.strengthens */
    uint32_t strengthened_fields; /* those that were reported ... */
    uint64_t strengthened_usec;   /* ... real; the last such message */
    uint64_t drift_mark;      /* identifies the present difference ... */
    uint64_t drift_marks[_FIELD_MAX]; /* ... and that of each field; 0: unknown */
    uint64_t compared_usec;   /* the accepted_usec and ... */
    uint64_t pins_mark;       /* ... TrailFacts.pins_mark that settings were last compared with */
    RestoreCount restores[_FIELD_MAX + 1]; /* by field; the last one is RECREATION */
    uint64_t marks[MARKS_MAX];
    Attributing attributing;
    unsigned n_failed;            /* failed polls in a row */
    uint64_t failed_since_usec;   /* real; the first of them */
    PollError error;              /* of the last of them */
    bool acting;                  /* an action is in progress ... */
    Action action;                /* ... this one */
    unsigned n_action_failures;   /* failed restarts in a row */
    uint64_t act_after_mono_usec; /* their back-off */
    uint32_t restoring;           /* FIELD_BITs that the present restore writes */
    uint64_t marked_usec;         /* real; the hour of its latest mark, see guard_new_mark */
    uint64_t marking_usec; /* real; nonzero only in the state file, until the state with the mark is saved:
                              the mark was made then, and its trouble will be found again */
    uint64_t intent_usec;         /* real; when the latest action began: identifies its intent on disk */
    PendingEvent pending;         /* of a stop */
    PendingEvent pending_restore; /* of changed settings, or of a deleted trail */
    Incident incident;
    Contest contest;
    Drilled drilled;
    bool is_restarting_unpolled;       /* the present restart is of a trail that cannot be polled */
    bool unpolled_accepted;            /* AWS accepted the last such restart */
    unsigned n_unpolled_restarts;      /* since it was last polled */
    uint64_t unpolled_after_mono_usec; /* the next one: not earlier */
} TrailState;

typedef struct TargetState {
    uint64_t latest_began_usec; /* mono; when the latest of the ended polls began; not saved */
    unsigned n_failed;          /* failed polls in a row */
    uint64_t failed_since_usec; /* real; the first of them */
    PollError error;
    bool ever_reachable;
    bool unreachable;
    bool not_enabled;
    bool covered; /* by the last list */
    bool listed;  /* was listed at least once */
    bool settled; /* ... while all its trails were guarded, or was not enabled: what appears later is new */
    uint64_t listed_names; /* hash of the names in `trails` at the last list: what appears under one of them
                              later is new; 0: never listed */
    char error_text[ERROR_TEXT_MAX];
    uint64_t left_usec;      /* real; of an account: since when it is no active member of the organization */
    Incident reach;           /* target.unreachable */
    Incident cover;           /* region.uncovered */
    uint64_t uncovered_usec;  /* real; when the first list without a trail was read; 0: there is a trail */
    unsigned n_list_failed;   /* failed lists in a row while trails could be polled */
    uint64_t list_since_usec; /* real; the first of them */
    PollError list_error;
    bool list_unreadable;
    char list_error_text[ERROR_TEXT_MAX];
    Incident list;           /* the list cannot be read */
    CauseKind cause;         /* why reach is open: shared with others unless OWN ... */
    bool cover_is_shared;    /* ... and so is cover */
    Attributing attributing; /* of an account: who removed it from the organization, or the guard's access */
} TargetState;

#define CONTAIN_AFTER_MAX 20
#define CONTAIN_MARKS_MAX 32

/* What is remembered of an identity that tampered with trails. */
typedef struct ContainIdentity {
    char arn[ACTOR_ARN_MAX];
    char account[16];
    uint64_t tampered_usec[CONTAIN_AFTER_MAX]; /* real; the times, newest first ... */
    uint64_t events[CONTAIN_AFTER_MAX];        /* ... and ids of these calls */
    uint64_t marks[CONTAIN_MARKS_MAX];         /* incidents for which it was decided about, newest first */
    uint64_t proposed_usec;                    /* real; the last proposal; 0: none */
    uint64_t enforced_usec;                    /* real; the decision to contain it; 0: none */
    uint64_t released_usec;                 /* real; earlier tamperings no longer count; 0: never released */
} ContainIdentity;

#define CONTAIN_DOCUMENT_MAX 2049 /* IAM's limit for a user, and the terminator */
#define CONTAIN_HOLDS_MAX    256U

/* A user or role whose rights to change trails and IAM the guard has denied, or is about to deny. */
struct ContainHold {
    char arn[ACTOR_ARN_MAX];
    char account[16];
    char reason[128];    /* for people */
    uint64_t since_usec; /* real; when it was decided */
    bool announced;      /* the message that precedes it is in the outbox */
    bool held;           /* the policy was put and read back */
    bool given_up;       /* others remove the policy too often: it is not put again */
    char policy[64];     /* its name ... */
    char document[CONTAIN_DOCUMENT_MAX]; /* ... and its text */
    unsigned n_policies;                 /* names used so far */
    unsigned n_puts;                     /* puts since puts_since_usec (real) */
    uint64_t puts_since_usec;
    unsigned n_failed;            /* failed tries in a row ... */
    char error[ERROR_TEXT_MAX];   /* ... and why the last one did; raw */
    char released_by[160];        /* who asked for its release; "": nobody */
    unsigned owed; /* 1 + the ContainStep of a message that there was no memory for; 0: none */
    uint64_t due_mono_usec;       /* not saved: nothing is done earlier */
    struct Enforcement *under_way; /* not saved: the calls in progress; NULL: none */
};

typedef struct ContainHistory {
    ContainIdentity *items; /* owned */
    size_t n;
    ContainHold *holds; /* owned */
    size_t n_holds;
} ContainHistory;

/* The trouble with the organization's list of accounts. */
typedef struct AccountListTrouble {
    unsigned n_failed;          /* failed lists in a row */
    uint64_t since_usec;  /* real; when the first of them failed, the mark of the incident; 0: none failed */
    char account[16];           /* of the base credentials, as known then: part of the incident's id */
    unsigned sequence;          /* of the last message about it; 0: not reported */
    uint64_t reported_usec;     /* real; the last message ... */
    unsigned n_reminders;       /* ... and how many of the messages were reminders */
    char error[ERROR_TEXT_MAX]; /* of the latest list; raw; "": it was read */
} AccountListTrouble;

/* What several regions or accounts have in common. */
typedef struct Cause {
    CauseKind kind;
    char account[16]; /* that the regions belong to; "": of any account */
    char region[32];  /* OUTAGE: the region; else "" */
    char home[16];    /* "": of any account: that of the base credentials, as known when it began */
    Incident incident;
    uint64_t members_mark;   /* identifies the members reported last ... */
    unsigned n_reported;     /* ... and their number */
    bool had_members;        /* since the start: not saved */
    uint64_t held_mono_usec; /* UNCOVERED: until then it waits for more; 0: does not */
} Cause;

/* The present members. */
typedef struct CauseMembers {
    const Subject *members;
    size_t n;
    size_t n_begun;      /* those that failed often enough to be reported */
    const Subject *rest; /* CLOSED: the account's other regions ... */
    size_t n_rest;
    size_t n_answering;       /* ... those of them that answer */
    uint64_t silent_usec;     /* real; when the last of them stopped answering; 0: unknown */
    uint64_t since_usec;      /* real; when the first began */
    const TargetState *first; /* the state of that one; NULL: there is none */
    bool forgotten;           /* those that were reported are no longer guarded */
} CauseMembers;

/* ---- what the guard may do ---- */

typedef struct Policy {
    Mode mode;
    unsigned unreachable_after;      /* 1..100 */
    uint64_t reminder_interval_usec; /* 0: none */
    uint32_t restore;                /* RESTORE_BITs; only used in MODE_RESTORE */
    unsigned max_restores_per_hour;  /* 1..1000 */
    uint64_t stale_after_usec;       /* 0: off */
    TrustNew trust_new;
    bool attribution; /* of an account: the event history that may have the caller can be read */
    bool unnamed;     /* of a target: AWS has not said yet which account it is in */
} Policy;

/* What is known of a trail besides its status. */
typedef struct TrailFacts {
    bool writable;    /* false: an organization trail of another account */
    uint32_t may_ask; /* ACTION_BITs that AWS has not refused yet, for another account's organization trail:
                         its delegated administrator may write to it */
    bool named;       /* the configuration names it ... */
    bool never_found; /* ... and no list has shown it: nobody did anything to it */
    bool summed_up;   /* so many unaccepted trails of its account appeared that a further one gets no
                         incident and no message of its own: a summary counts it */
    bool validation;  /* digests are expected */
    bool records_reads;      /* the selectors record management reads, such as our own polls */
    bool maintenance;        /* a maintenance window is open: settings are not restored */
    bool stop_allowed;       /* ... in which logging may be stopped, too */
    const Drill *drill;      /* announced for this trail; borrowed; NULL: none */
    bool drill_tagged;       /* the only difference in its tags is the tag of this drill */
    uint64_t pins_mark;      /* identifies the pins of the configuration; 0: none */
    Destination destination; /* as far as is known */
} TrailFacts;
