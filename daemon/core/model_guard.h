/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the guard remembers from one input to the next, which the state file keeps, and what it may do. Plain
 * data, as in model.h. */

#include "daemon/core/model.h"

/* One episode of trouble with one trail or one target. opened_usec 0: none in memory. */
typedef struct Incident {
    bool open;
    uint64_t dedup_usec;
    uint64_t opened_usec;     /* real */
    uint64_t reopened_usec;   /* real; when its present episode began; 0: the first one goes on */
    uint64_t resolved_usec;   /* real; 0 while open */
    unsigned sequence;        /* of the last message */
    EventKind event;          /* the worst that was reported */
    Severity severity;        /* the worst of its present episode */
    Severity before;          /* the worst of the episodes before it */
    uint32_t reported;        /* FINDING_BITs reported in this incident */
    uint64_t last_dedup_usec; /* of the latest trouble in it */
    unsigned n_reopened;      /* reopenings and further gaps so far */
    bool suppressed;          /* the latest of them was not reported on its own, so neither is its end */
    uint64_t reported_usec;   /* real; the last message of any kind */
    unsigned n_reminders;     /* since it was last (re)opened */
    Repeats pending_gaps;
    Gap gap;                    /* the latest */
    ActionReport action;        /* the latest restart */
    ActionReport restore;       /* the latest restore or re-creation */
    uint32_t fields;            /* FIELD_BITs that differed when settings were last found changed in it */
    uint32_t unmet_fields;      /* those of them that do not meet a new pin */
    uint32_t reported_fields;   /* FIELD_BITs reported in this incident */
    bool accepted;              /* they differ no longer because they were accepted ... */
    bool reconfigured;          /* ... or because the configuration changed */
    uint64_t changed_usec;      /* real; when that was */
    Action failed;              /* the latest action that failed in it ... */
    char failed_text[ERROR_TEXT_MAX]; /* ... and why; raw */
} Incident;

/* A message that waits for the outcome of an action, so that it can say whether it held. */
typedef struct PendingEvent {
    bool set;
    bool first_sight;
    EventPhase phase;  /* PHASE_OPENED or PHASE_REOPENED */
    uint32_t findings; /* FINDING_BITs that it is about */
    uint64_t dedup_usec;
    uint64_t by_mono_usec;
} PendingEvent;

/* The search for who did it: at 5 s, 30 s, 1, 3, 6, 10, 15 and 20 minutes after the trouble was seen. */
typedef struct Attributing {
    bool wanted;
    bool searching;         /* a search is under way */
    uint32_t findings;      /* FINDING_BITs whose cause is searched ... */
    uint32_t fields;        /* ... and for changed settings which, FIELD_BITs; 0: not known */
    uint64_t from_usec;     /* real; the cause is not older ... */
    uint64_t until_usec;    /* real; ... nor younger; 0: not known */
    uint64_t reached_usec;  /* real; the last search got no further back, and the next goes on there; 0: all
                               was read */
    unsigned n_records;     /* that the searches have read, those read again counted again */
    uint64_t seen_usec;     /* real; when the search began: its tries are counted from here */
    uint64_t noticed_usec;  /* real; when the trouble was seen, maybe long before; 0: with the search */
    uint64_t dedup_usec;    /* of the trouble, for the message's identity */
    unsigned n_tries;       /* searches for it that have ended */
    unsigned n_throttled;   /* searches in a row that AWS throttled, which do not count */
    uint64_t retry_usec;    /* real; the next one is not before, because of that */
    uint64_t attempts_usec; /* real; refused attempts up to then were reported */
    /* further trouble since: its turn comes when the search for the first has ended */
    uint32_t again_findings; /* 0: none */
    uint32_t again_fields;
    uint64_t again_from_usec;
    uint64_t again_dedup_usec;
    uint64_t again_noticed_usec; /* when the last of it was seen */
    bool again_is_older; /* some of it was searched before, and gave way to worse trouble */
    unsigned n_searches; /* that have ended in this incident */
    unsigned n_attempts; /* refused attempts reported in this incident */
} Attributing;

/* Identities of trouble that AWS gives no time for, newest first; each is given out once in an hour. */
#define MARKS_MAX 32

/* What is counted of the restores of one field, or of the trail itself: what cannot be restored must not
 * keep anything else waiting. */
typedef struct RestoreCount {
    unsigned n_confirmed;     /* restores that read-back confirmed, since since_usec */
    uint64_t since_usec;      /* real; begin of the hour in which they are counted */
    bool paused;              /* reported that there were too many */
    unsigned n_failures;      /* attempts in a row that were not confirmed */
    uint64_t after_mono_usec; /* their back-off */
} RestoreCount;

#define RECREATION _FIELD_MAX

#define DRILL_TAG_MAX 129 /* AWS allows keys of 128 characters */

/* Stops that were undone, each at most GUARD_CONTEST_USEC after the one before. */
typedef struct Contest {
    unsigned n;
    uint64_t since_usec;      /* real; when the first of them began */
    uint64_t last_usec;       /* real; when the last of them ended */
    uint64_t lost_usec;       /* without recording, in all */
    bool reported;            /* as trail.contested */
    uint64_t until_mono_usec; /* polled fast until then; 0: not */
} Contest;

/* What `trailguard drill` has announced about one trail: that it is stopped, or that a tag is added. */
typedef struct Drill {
    uint64_t from_usec, until_usec; /* real; trouble is its own when it comes in this time, and is over */
    char identity[ACTOR_ARN_MAX];   /* who makes it: the ARN that events have of the caller */
    char nonce[33];                 /* of this drill: 32 hex digits */
    char tag[DRILL_TAG_MAX];        /* the key of the tag, whose value is the nonce; "": it is stopped */
} Drill;

typedef enum DrillActor {
    DRILL_ACTOR_UNKNOWN, /* not known yet */
    DRILL_ACTOR_OWN,     /* the one who announced it */
    DRILL_ACTOR_OTHER,
    DRILL_ACTOR_NOBODY, /* the event history shows nobody */
    _DRILL_ACTOR_MAX,
} DrillActor;

/* The trouble that the latest drill made, and what came of it. Times are real; 0: not yet. */
typedef struct Drilled {
    uint64_t stop_usec;    /* StopLoggingTime; 0: it was no stop */
    uint64_t tag_usec;     /* identifies the trouble that its tag was; 0: none, or more was changed since */
    uint64_t tag_mark;     /* ... and what differed: TrailState.drift_mark */
    uint64_t noticed_usec; /* 0: there was no drill */
    uint64_t restarted_usec; /* of a tag: it is gone */
    uint64_t reported_usec, attributed_usec;
    DrillActor actor;
} Drilled;

typedef struct TrailState {
    bool known;       /* was seen at least once */
    bool provisional; /* appeared after the first list, and nobody has accepted it: it is watched, and a stop
                         is undone, but it has no baseline, and nothing else of it is put back or made again
                       */
    uint64_t first_seen_usec; /* real; guarded since then; 0: not yet */
    Verdict verdict;
    uint32_t findings;                 /* conditions that hold, as last seen */
    uint64_t since_usec[_FINDING_MAX]; /* real; when each of them was first seen to hold; 0: it does not, or
                                          not known */
    uint64_t start_usec;               /* real; as last seen at AWS */
    uint64_t stop_usec;
    uint64_t delivery_usec;
    uint64_t digest_usec;
    uint64_t polled_usec;     /* real; the last poll that showed the trail */
    uint64_t accepted_usec;   /* real; when the baseline in force was recorded; 0: there is none */
    bool weakness_pending;    /* its baseline is weak, and waits to be reported with others */
    bool appearance_pending;  /* that it appeared waits to be reported with others */
    uint64_t settings_usec;   /* real; the last poll that compared its settings */
    uint32_t fields;          /* FIELD_BITs that differ from the baseline, as last seen */
    uint32_t losing_fields;   /* those of them that lose events */
    uint32_t unmet_fields;    /* those of them that do not meet a new pin */
    uint32_t stronger_fields; /* FIELD_BITs that differ too, and lose nothing: see Change.strengthens */
    uint32_t strengthened_fields; /* those of which a message said so ... */
    uint64_t strengthened_usec;   /* ... the last one then, real */
    uint64_t drift_mark;      /* identifies what differs, and how ... */
    uint64_t drift_marks[_FIELD_MAX]; /* ... and how each of the fields does; 0: not known */
    uint64_t compared_usec;   /* accepted_usec and ... */
    uint64_t pins_mark;       /* ... TrailFacts.pins_mark as they were when settings were last compared */
    RestoreCount restores[_FIELD_MAX + 1]; /* by field; the last one: of the trail itself (RECREATION) */
    uint64_t marks[MARKS_MAX];
    Attributing attributing;
    unsigned n_failed;            /* polls that failed in a row */
    uint64_t failed_since_usec;   /* real; the first of them */
    PollError error;              /* of the last of them */
    bool acting;                  /* an action is under way ... */
    Action action;                /* ... namely this one */
    unsigned n_action_failures;   /* restarts, in a row */
    uint64_t act_after_mono_usec; /* their back-off */
    uint32_t restoring;           /* FIELD_BITs that a restore under way writes */
    uint64_t marked_usec;         /* real; the hour of its latest mark, see guard_new_mark */
    uint64_t marking_usec; /* real; 0, but in the state file before the state that has the mark: the mark was
                              made then, and what it is for is found once more */
    uint64_t intent_usec;         /* real; when the latest action was begun: identifies its intent on disk */
    PendingEvent pending;         /* of a stop */
    PendingEvent pending_restore; /* of changed settings, or of a trail that is gone */
    Incident incident;
    Contest contest;
    Drilled drilled;
    bool is_restarting_unpolled;       /* the restart under way is one of a trail that cannot be polled */
    bool unpolled_accepted;            /* AWS accepted the last of them */
    unsigned n_unpolled_restarts;      /* since it was last polled */
    uint64_t unpolled_after_mono_usec; /* the next: not before */
} TrailState;

typedef struct TargetState {
    uint64_t latest_began_usec; /* mono; of the polls that have ended, when the youngest began; not kept */
    unsigned n_failed;          /* polls that failed in a row */
    uint64_t failed_since_usec; /* real; the first of them */
    PollError error;
    bool ever_reachable;
    bool unreachable;
    bool not_enabled;
    bool covered; /* as last listed */
    bool listed;  /* was ever listed */
    bool settled; /* ... while all its trails were guarded, or was not enabled: what it shows later is new */
    char error_text[ERROR_TEXT_MAX];
    uint64_t left_usec;       /* real; an account: when it was first no active member of the organization */
    Incident reach;           /* target.unreachable */
    Incident cover;           /* region.uncovered */
    uint64_t uncovered_usec;  /* real; when a list was first read that covers nothing; 0: something does */
    unsigned n_list_failed;   /* lists that failed in a row while trails could be polled */
    uint64_t list_since_usec; /* real; the first of them */
    PollError list_error;
    bool list_unreadable;
    char list_error_text[ERROR_TEXT_MAX];
    Incident list;           /* the list cannot be read */
    CauseKind cause;         /* why reach is open: reported with others unless OWN ... */
    bool cover_is_shared;    /* ... and so is cover */
    Attributing attributing; /* of an account: who took it out of the organization, or out of reach */
} TargetState;

#define CONTAIN_AFTER_MAX 20
#define CONTAIN_MARKS_MAX 32

/* What is remembered of an identity that tampered. */
typedef struct ContainIdentity {
    char arn[ACTOR_ARN_MAX];
    char account[16];
    uint64_t tampered_usec[CONTAIN_AFTER_MAX]; /* real; when it did, newest first ... */
    uint64_t events[CONTAIN_AFTER_MAX];        /* ... and what identifies these calls */
    uint64_t marks[CONTAIN_MARKS_MAX];         /* incidents in which it was decided about, newest first */
    uint64_t proposed_usec;                    /* real; when it was proposed last; 0: never */
    uint64_t enforced_usec;                    /* real; when it was decided to hold it; 0: never */
    uint64_t released_usec;                    /* real; what it did before counts no longer; 0: never */
} ContainIdentity;

#define CONTAIN_DOCUMENT_MAX 2049 /* what IAM takes for a user, and 0 */
#define CONTAIN_HOLDS_MAX    256U

/* A user or role that the guard has denied, or is about to deny, changes of trails and of IAM. */
struct ContainHold {
    char arn[ACTOR_ARN_MAX];
    char account[16];
    char reason[128];    /* for people */
    uint64_t since_usec; /* real; when it was decided */
    bool announced;      /* the message that comes before is in the outbox */
    bool held;           /* the policy was put, and read back */
    bool given_up;       /* others remove it too often: it is not put again */
    char policy[64];     /* its name ... */
    char document[CONTAIN_DOCUMENT_MAX]; /* ... and text, as it was or will be put */
    unsigned n_policies;                 /* names that were used so far */
    unsigned n_puts;                     /* since puts_since_usec; real */
    uint64_t puts_since_usec;
    unsigned n_failed;            /* tries in a row that failed ... */
    char error[ERROR_TEXT_MAX];   /* ... and why the last one did; raw */
    char released_by[160];        /* who wants it to be released; "" : nobody */
    uint64_t due_mono_usec;       /* not kept: nothing is done before */
    struct Enforcement *under_way; /* not kept: the calls to AWS; NULL: none */
};

typedef struct ContainHistory {
    ContainIdentity *items; /* owned */
    size_t n;
    ContainHold *holds; /* owned */
    size_t n_holds;
} ContainHistory;

/* The trouble with the organization's list of accounts. */
typedef struct AccountListTrouble {
    unsigned n_failed;          /* lists in a row */
    uint64_t since_usec;        /* real; when the first of them failed: the incident's mark; 0: none has */
    unsigned sequence;          /* of the last message about it; 0: it was not reported */
    uint64_t reported_usec;     /* real; when that was ... */
    unsigned n_reminders;       /* ... and so many reminders are among them */
    char error[ERROR_TEXT_MAX]; /* of the latest list; raw; "": it was read */
} AccountListTrouble;

/* What several regions or accounts have in common. */
typedef struct Cause {
    CauseKind kind;
    char account[16]; /* whose regions they are; "": of any account */
    char region[32];  /* OUTAGE: which; else "" */
    Incident incident;
    uint64_t members_mark;   /* identifies those that were reported last ... */
    unsigned n_reported;     /* ... and how many these were */
    bool had_members;        /* since the start: not kept */
    uint64_t held_mono_usec; /* UNCOVERED: further ones are waited for until then; 0: not */
} Cause;

/* Who has it now. */
typedef struct CauseMembers {
    const Subject *members;
    size_t n;
    size_t n_begun;      /* of these: failed often enough to be reported */
    const Subject *rest; /* CLOSED: the account's other regions ... */
    size_t n_rest;
    size_t n_answering;       /* ... and how many of them answer */
    uint64_t silent_usec;     /* real; when the last of them all stopped answering; 0: not known */
    uint64_t since_usec;      /* real; when the first of them began */
    const TargetState *first; /* that one's state; NULL when there is none */
    bool forgotten;           /* those that were reported are not guarded any more */
} CauseMembers;

/* ---- what the guard may do ---- */

typedef struct Policy {
    Mode mode;
    unsigned unreachable_after;      /* 1..100 */
    uint64_t reminder_interval_usec; /* 0: none */
    uint32_t restore;                /* RESTORE_BITs; heeded in MODE_RESTORE only */
    unsigned max_restores_per_hour;  /* 1..1000 */
    uint64_t stale_after_usec;       /* 0: off */
    TrustNew trust_new;
    bool attribution; /* of an account: the event history that may say who can be read */
} Policy;

/* What is known of a trail besides its status. */
typedef struct TrailFacts {
    bool writable;    /* false: an organization trail that is not ours */
    uint32_t may_ask; /* ACTION_BITs: an organization trail that is not ours, and AWS has not refused that
                         yet: the   organization's delegated administrator may */
    bool named;       /* the configuration names it ... */
    bool never_found; /* ... and no list has shown it: nobody did anything to it */
    bool summed_up;   /* so many trails of its account appeared that nobody has accepted: of a further one no
                         incident is opened, and no message sent; others count them */
    bool validation;  /* digests are expected */
    bool records_reads;      /* the selectors record management reads: our own polls are events */
    bool maintenance;        /* a maintenance window is open: settings are not restored */
    bool stop_allowed;       /* ... in which logging may be stopped too */
    const Drill *drill;      /* announced for it; borrowed; NULL: none */
    bool drill_tagged;       /* of its tags nothing differs but that it has the one of this drill */
    uint64_t pins_mark;      /* identifies what the configuration pins; 0: nothing */
    Destination destination; /* as far as is known */
} TrailFacts;
