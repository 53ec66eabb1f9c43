/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The tables: accounts, their targets and trails, and the work in progress on each. Also lookups in them.
 * All stages use these functions; they call no stage. */

#include <stdlib.h>
#include <systemd/sd-event.h>

#include "daemon/aws_setup.h"
#include "daemon/config/config.h"
#include "daemon/core/guard.h"
#include "daemon/core/metrics.h"
#include "daemon/core/schedule.h"
#include "daemon/core/scope.h"
#include "daemon/core/tls_health.h"
#include "daemon/io/attribute.h"
#include "daemon/io/channel_check.h"
#include "daemon/io/deliver.h"
#include "daemon/io/drill_file.h"
#include "daemon/io/heartbeat.h"
#include "daemon/io/outbox.h"
#include "daemon/io/poll.h"
#include "daemon/io/principal_check.h"
#include "daemon/io/remediate.h"
#include "daemon/io/report.h"
#include "daemon/io/state.h"
#include "daemon/states.h"
#include "daemon/tracking.h"
#include "lib/organizations.h"
#include "lib/sts.h"

#define ENGINE_NOT_ITS_ACCOUNT                                                                              \
    "only the account that owns it can say whether it is gone, and these are no keys of that account"

#define GUARDS_HINTED_MAX 16

typedef struct Engine Engine;
typedef struct Account Account;
typedef struct Target Target;
typedef struct Trail Trail;
typedef struct TargetPoll TargetPoll;

/* One AWS account and the credentials to reach it. */
struct Account {
    Engine *engine;
    const AccountConfig *config; /* NULL: not in `accounts` */
    char id[16];                 /* "" until known; a role's id is in its ARN */
    char partition[24];
    char *name, *role_arn; /* name: "" if it has none; role_arn: NULL for the base credentials' own
                              account */
    bool guarded;          /* false: only the base credentials, which assume the roles */
    bool member;           /* of the organization, and not in `accounts` */
    bool listed;           /* in the latest list of the organization */
    bool left;             /* is no longer a member */
    CredentialsProvider *credentials; /* owned, unless they are the base credentials */

    OperationCall *identity_call;
    char identity[ARN_MAX];       /* the caller's ARN, from AWS; "" until known */
    bool identity_asked;          /* GetCallerIdentity was answered or has failed */
    bool identity_is_not_there;   /* ... because a substitute for AWS does not have it */
    bool blocked;                 /* no credentials are available: nothing in it is polled */
    uint64_t identity_again_usec; /* mono; 0: not needed */
    bool begun;                   /* its rows of the state file were loaded */
    bool resumed;                 /* ... or only that of the account as a whole */
    uint64_t
            region_denied_until_usec; /* mono; AWS denied which regions are enabled: not asked before */
    bool region_denial_reported;
    Sparse *state; /* see TARGET_STATE; of the account as a whole: its credentials */
    LoopTimer *wake;
    UnacceptedPace unaccepted; /* its trails that nobody has accepted ... */
    char unaccepted_names[UNACCEPTED_NAMES_MAX]; /* ... the names of the first ones for the summary */
    bool unaccepted_resumed; /* the state file had a number of trails for the summary */
    LoopTimer *unaccepted_timer;
    bool full_reported; /* it was reported that it has as many trails as are kept */
    bool polls_are_due; /* polls of its targets are due: see DUE_POLLS */
    bool search_is_due; /* see DUE_SEARCHES */
    Attribute *search;  /* for who removed it from the organization, or the guard's access */

    uint64_t guard_due_usec;    /* mono; guard_checks: not checked before */
    uint64_t guard_begun_usec;  /* mono; when the latest check began */
    bool guard_check_is_wanted; /* see DUE_GUARD */
    bool guard_unread_reported; /* the journal has said that some of it cannot be read */

    Target **targets;
    size_t n_targets;
};

/* guard_checks: the guard's users, roles and topics, checked one at a time. */
typedef struct GuardWatch {
    GuardRecord *records;
    size_t n_records;
    LoopTimer *timer; /* for the next check */
    Account *account; /* that is checked; NULL: none */
    PrincipalCheck *check;
    json_t *policy;      /* the rights that it needs */
    const char **trails; /* of the account; the texts belong to the trails */
    /* a change that waits for the search for its caller */
    OperationCall *search;
    const Account *searched; /* the account whose history is searched */
    unsigned n_pages;        /* pages of it requested ... */
    unsigned n_read;         /* ... records in them ... */
    bool small_pages;        /* ... and whether the pages have few records each */
    size_t changed;          /* index in records */
    GuardParts now;
    Severity severity;
    char text[ERROR_TEXT_MAX];
} GuardWatch;

/* The checks of settings in one region, over all accounts. After a start all of them are due at once, and
 * each one in progress has requests waiting in memory. A region that does not answer delays no other. */
typedef struct CheckQueue {
    char region[32];
    unsigned n_running;
    Target *first, *last; /* waiting for their turn, linked by check_next */
} CheckQueue;

/* One (account, region) pair. There can be ten thousand, so small members are grouped. */
struct Target {
    Engine *engine;
    Account *account;
    CheckQueue *checks; /* of its region */
    const char *region; /* ... which owns the text */
    Sparse *state;      /* see TARGET_STATE */
    Trail **trails;     /* that live here and are polled through this account */
    Trail **shown;      /* that its lists have shown, wherever they live */
    uint32_t n_trails, n_shown;
    uint32_t phase; /* see schedule_phase; fixed once known, or a poll would be late */
    bool has_phase;
    bool configured;         /* false: it exists because a guarded trail lives here */
    bool listed;             /* since the start */
    bool fresh;              /* a new trail was never polled: poll as soon as possible */
    bool turn_waits;         /* for the end of the poll in progress */
    bool start_waits;        /* see engine_want_poll: its poll begins when others have ended ... */
    bool start_is_of_pass;   /* ... and the pass waits for it */
    bool check_is_due;       /* see DUE_CHECKS */
    bool check_queued;       /* it is in the queue of its region */
    bool region_is_of_pass;  /* the pass waits for region_call */
    bool shown_elsewhere;    /* its lists have shown a trail that another shard guards */
    bool cover_is_suspect;   /* the list was empty although there were trails: poll again before reporting */
    bool said_held_back;     /* reported: our rate limiter held back some of the last poll */
    unsigned provisional_turn;  /* see schedule_has_turn */
    TargetPoll *polls;          /* in progress: one, unless a call of an earlier one got no answer */
    PollResult *rejected;       /* a poll with rejected keys, until it is clear what that means */
    Target *check_next;         /* the next in the queue of its region */
    OperationCall *region_call; /* asks whether the account has enabled the region; NULL: not in progress */
    const char *region_status;  /* AWS's answer, raw; a shared text; NULL: none */
    uint64_t due_usec;          /* mono; not polled earlier */
    uint64_t settings_due_usec; /* mono */
    uint64_t polled_usec;       /* real; the last answered poll */
    Rejections rejections;      /* of our keys */
    uint64_t region_asked_usec; /* mono; 0: not asked since the region last answered normally */
    uint64_t empty_usec;        /* mono; since when its lists have been empty; 0: they are not */
    uint64_t contested_due_usec, beside_due_usec; /* mono; see BesideTarget */
    uint64_t stretched_usec; /* the stretched interval that was reported; 0: none */
    LoopTimer *wake;
};

/* One poll of a target in progress. No other poll repeats the calls that it still waits for; answered ones
 * can be repeated. So a call that hangs delays only itself. */
struct TargetPoll {
    Target *target;
    TargetPoll *next;
    Poll *poll;
    Trail **trails; /* in the order of the poll's arns; NULL: answered, or gone */
    size_t n_trails;
    PollOccasion occasion; /* a failure in a poll beside the rounds says nothing about the target */
    bool asks_list;        /* for the settings, and not only to confirm that a trail is gone */
    bool is_of_pass;       /* the pass waits for it */
    uint64_t began_usec;   /* mono */
    uint64_t by_usec;      /* mono; its deadline */
};

typedef struct OwedEvents {
    unsigned n;
    Event events[]; /* borrow nothing */
} OwedEvents;

struct Trail {
    Engine *engine;
    Account *via; /* the account that polls it: its owner if that is guarded, else one that sees it */
    Target *home; /* NULL for a named trail that was never found */
    char *arn;
    const char *name, *account, *region; /* shared texts; account: the owner's id */
    bool organization, multi_region;
    bool has_intent;    /* on the disk */
    bool search_is_due; /* see DUE_SEARCHES */
    bool is_summed_up;  /* counted in the summary of its account's unaccepted trails */
    TrailFacts facts;
    Sparse *state;         /* see TRAIL_STATE; the present state */
    TrailState *held;      /* the state for the state file, while a message waits for an outcome or is owed;
                              see engine_reported() */
    OwedEvents *owed;      /* messages that there was no memory for; NULL: none */
    Sparse *permission;    /* a Permission, for another account's organization trail; NULL: all zeros */
    size_t n_covers;       /* targets whose lists have shown it */
    Remediation *remediation;
    uint64_t remediate_by_usec; /* mono */
    SettingsTracking tracking;
    LoopTimer *wake;
};

/* The organization's list of accounts. */
typedef struct AccountList {
    OperationCall *call;
    uint64_t due_usec; /* mono; 0: no organization is configured */
    bool known;        /* was read at least once since the start */
    bool tried;        /* the first attempt has ended */
    unsigned n_failed; /* failed lists in a row since the start */
    bool is_left_over; /* something in the last one could not be reported: it is read again soon */
    AccountListTrouble trouble;
    char management[16]; /* id of the management account, from the list; "" while unknown */
} AccountList;

/* A file that may be written often, as schedule_file_pause() allows. */
typedef struct Writing {
    LoopTimer *timer;
    bool calm;           /* the timer is only for changed times */
    uint64_t paid_usec;  /* mono */
    uint64_t began_usec; /* mono */
    uint64_t cpu_usec;   /* processor time of the last write */
    uint64_t ended_usec; /* mono; 0: not written yet */
} Writing;

/* What is done with results: the daemon reports and saves them, a check only shows the tables. */
typedef struct Sink {
    void (*entry)(const Subject *subject, const JournalEntry *entry, const char *incident_id,
                  uint64_t now_usec);
    int (*message)(Engine *engine, const Subject *subject, const Event *event);
    bool records; /* saves baselines, and settings before they are overwritten */
} Sink;

struct Engine {
    Config *config;
    const Sink *sink;
    const char *state_dir, *runtime_dir;
    void *reserve; /* freed when there is no memory for a message; see queue_message */
    bool intent_failed;
    bool state_unread;   /* state.json could not be read: it is not overwritten */
    bool unloaded;       /* a reload could not build all tables: they are neither saved nor shown */
    bool state_returned; /* ... but now it can be read: a reload is in progress */
    bool once;           /* engine_check, engine_settings */
    Mode mode_max;       /* the limit of what it may do, whatever the configuration says */
    StateTable recorded; /* engine_check: the state file's rows, which only tell which trails were guarded */
    bool has_state_file; /* ... it was read */
    char record_problem[ERROR_TEXT_MAX]; /* ... why it or the list of baselines could not be read; "" */
    int lock_fd, runtime_lock_fd;        /* the second one remains if the state directory is removed */
    LoopTimer *directory_timer;
    uint64_t directories_due_usec;          /* mono; not compared earlier */
    uint64_t outbox_tried_usec;        /* mono; the last retry of alerts that could not be written to disk */
    char directory_problem[ERROR_TEXT_MAX]; /* why a restart would forget what is known; "" */
    unsigned n_taken; /* how often in a row another daemon held the lock of a re-created directory */
    sd_event *event;
    sd_event_source *due_source; /* runs what is due in the next turn of the loop; NULL: not created yet */
    unsigned due;                /* DUE_* */
    AwsSetup aws;
    Outbox *outbox;
    Deliver *deliver;
    ChannelWatch *channel_watch; /* used by a check, too */
    Heartbeat *heartbeat;        /* NULL: none is configured */

    Account **accounts; /* the base credentials' own account first, guarded or not */
    size_t n_accounts;
    void *account_index; /* tsearch(3): accounts by id */
    Account *base;
    AccountList account_list;
    Identities identities; /* of the base credentials */
    char shown_account[16];     /* from a trail that they listed as their own account's; "": none yet */
    uint64_t keys_changed_usec; /* mono; when the keys last changed */
    char problem[ERROR_TEXT_MAX]; /* why nothing can be guarded; "" */

    Target **targets; /* of all accounts */
    size_t n_targets;
    CheckQueue **check_queues; /* one for each region */
    size_t n_check_queues;
    Trail **trails;
    size_t n_trails;
    void *trail_index; /* tsearch(3): trails by ARN */
    Cause *causes;     /* what several targets or accounts have in common; sorted */
    size_t n_causes;
    LoopTimer *cause_timer;
    uint64_t causes_due_usec; /* mono; not decided about earlier */
    bool causes_are_left;     /* still to be decided about; each round retries after a lack of memory or of a
                                 timer */
    StateTable unclaimed; /* loaded rows that belong to nothing guarded yet */
    char **ignored;
    size_t n_ignored;
    StatusDenial *denials; /* once: missing permissions */
    size_t n_denials;

    DrillFile drill;    /* as last read */
    bool drill_refused; /* ... it was logged that it does not count */

    uint64_t started_usec; /* real */
    char binary[256];      /* the path of the running program; "" while unknown */
    uint64_t binary_modified_usec;
    char pid_namespace[STATE_PID_NAMESPACE_MAX];
    Target **turns;       /* the targets in the order of their turns in a round of polls */
    size_t n_turns, turn; /* the next one */
    bool turns_are_stale; /* targets were added or removed */
    uint64_t round;
    uint64_t turned_usec; /* mono; turns up to this time are done */
    size_t n_pass_turns;  /* still to come in this pass */
    LoopTimer *pass_timer;
    LoopTimer *contest_timer; /* NULL: no trail is contested */
    unsigned contest_part, n_contest_parts; /* the one polled last; the number of those that may still have a
                                               contested trail */
    Writing publish, save, measure;
    Metrics *metrics;           /* NULL: `metrics_file` is not set */
    char *metrics_path;         /* of the file that was or will be written */
    uint64_t pass_due_usec;     /* mono; the next turn */
    uint64_t pass_longest_usec; /* of the polls of this pass that have ended */
    bool pass_open;
    bool passes_begun;
    size_t n_polling;         /* polls in progress or waiting that the pass waits for */
    size_t n_polls;           /* polls in progress ... */
    size_t n_slow_polls;      /* ... and those of them that take long */
    size_t n_starts, start; /* polls that wait for others; the target where the search for the next begins */
    LoopTimer *start_timer;
    size_t n_beside;          /* checks of settings and buckets, in progress or waiting */
    uint64_t pass_ended_usec; /* real */
    uint64_t pass_duration_usec;
    uint64_t n_passes;
    char save_problem[ERROR_TEXT_MAX]; /* why state.json could not be written; "": it was */
    bool publish_failed, measure_failed;
    uint64_t saved_usec; /* real; the state file has everything older; 0: nothing */
    uint64_t config_loaded_usec; /* real */
    bool reload_refused;         /* the latest one */
    LoopTimer *weak_timer;       /* see baselines.c ... */
    uint64_t weak_since_usec;    /* ... real; when the first that waits was found; 0: none waits */
    char weak_account[16];       /* ... and the account of the base credentials then */
    WeakPace weak_pace;
    uint64_t watchdog_usec;
    LoopTimer *watchdog_timer;
    LoopTimer *give_up_timer;                       /* shutdown */
    TlsHealth tls;                                  /* see tls_watch.c ... */
    uint64_t tls_answers;                           /* ... of the HTTP client, when it last looked */
    LoopTimer *tls_timer;
    const char *ends_because; /* for people; static; NULL: not by itself, or for want of a loop */
    char hinted[GUARDS_HINTED_MAX][ACTOR_ARN_MAX]; /* ARNs of callers that look like guards, logged once
                                                      each */
    size_t n_hinted;
    ContainHistory contain;
    LoopTimer *hold_timer; /* NULL: nobody is contained */
    GuardWatch guard;
};

/* What is due in a stage above the one that found it: the loop runs it in its next turn. The objects
 * concerned have flags of their own. */
#define DUE_PASS        1U  /* a pass, now */
#define DUE_POLLS       2U  /* of targets in accounts that can be polled since */
#define DUE_CHECKS      4U  /* of settings that waited for those of other trails */
#define DUE_SEARCHES    8U  /* for who did what happened to trails and accounts */
#define DUE_CONTESTED   16U /* a trail is contested: it is polled beside the passes */
#define DUE_DIRECTORIES 32U /* a check of our directories, because the process is awake anyway */
#define DUE_HOLDS       128U /* identities that are contained, or are to be */
#define DUE_CAUSES      64U /* targets or accounts joined or left those with a common cause */

#define DUE_GUARD       256U /* AWS denied something: the guard's own rights are checked */

void engine_due(Engine *engine, unsigned what);

Now engine_now(const Engine *engine);
Intervals engine_intervals(const Engine *engine);
Policy engine_policy(const Engine *engine);

/* ---- accounts ---- */

Account *engine_account_by_id(const Engine *engine, const char *id); /* NULL when there is none */
/* Adds it to the index by id. 0, -EEXIST if another account has this id, -ENOMEM. */
int engine_index_account(Account *account);
void engine_unindex_account(Account *account);
/* Its id. Until AWS reports the id of the base credentials' account, the one from the state file; "" if
 * there is none. */
const char *engine_account_named(const Account *account);
AccountScope engine_account_scope(const Account *account);
/* True if its targets may be polled. */
bool engine_account_is_open(const Account *account);
/* True if GetCallerIdentity of every account was answered or has failed. */
bool engine_identities_are_known(const Engine *engine);
/* For an account that has left the organization it allows no writes. */
Policy engine_account_policy(const Account *account);
Subject engine_account_subject(const Account *account);
bool engine_is_excluded(const Engine *engine, const char *id);
/* True if another shard guards the account. False for "", an unknown id. */
bool engine_is_elsewhere(const Engine *engine, const char *id);
/* The same for the account of an ARN. The owner's shard guards a trail, including an organization trail that
 * all members' lists show, because the owner may write to it. */
bool engine_arn_is_elsewhere(const Engine *engine, const char *arn);
/* The account whose credentials can read the management account's event history; NULL: none, or not known
 * yet. */
Account *engine_management(const Engine *engine);

/* A call there was denied: check the guard's own rights. */
static inline void engine_want_guard_check(Account *account) {
    account->guard_check_is_wanted = true;
    engine_due(account->engine, DUE_GUARD);
}

/* ---- targets ---- */

/* The target of the region, created if there is none. NULL without memory. */
Target *engine_target(Account *account, const char *region, bool configured);
/* That of the region; NULL: it has none. */
Target *engine_target_at(const Account *account, const char *region);
int engine_add_configured_targets(Account *account);
/* Removes the targets of an account that turned out not to be guarded. */
void engine_drop_targets(Account *account);
Subject engine_target_subject(const Target *target);
/* See list_is_to_come(). */
static inline bool engine_list_is_to_come(const Target *target) {
    return list_is_to_come(target->configured, TARGET_STATE(target, not_enabled), target->listed);
}

/* True if the row's target is in the table. */
bool engine_has_target(const Engine *engine, const StateTarget *row);

/* Its trails that exist, as far as is known: unaccepted ones and others. */
typedef struct TrailCounts {
    unsigned others, provisional;
} TrailCounts;

TrailCounts engine_count_there(const Target *target);
/* How many of its trails each poll asks for their status. */
unsigned engine_count_polled(const Target *target);

/* Its poll no longer waits for others. Returns whether it did and the pass waited for it. */
bool engine_end_start(Target *target);
/* Cancels everything in progress for it. */
void engine_stop_poll(Target *target);
void engine_stop_tracking(Trail *trail);
/* True if its settings are being checked, or wait for that. */
bool engine_is_checked(const Trail *trail);
/* Ends the wait for a check; does nothing if it does not wait. */
void engine_end_wait(Trail *trail);
/* Puts a target with waiting checks into the queue of its region, once, or removes it. */
void engine_queue_check(Target *target);
void engine_unqueue_check(Target *target);
/* The check in progress has ended; does nothing if there is none. */
void engine_check_ended(Trail *trail);
void engine_free_poll(TargetPoll *poll);
/* Removes the trail from all polls in progress. */
void engine_leave_polls(const Target *target, const Trail *trail);
void engine_forget_rejected(Target *target);
void engine_end_region_call(Target *target);

/* ---- trails ---- */

Trail *engine_trail_by_arn(Engine *engine, const char *arn);
/* A trail's state for the state file: everything in it was reported by messages in the outbox. */
TrailState engine_reported(const Trail *trail);
bool engine_is_contested(const Trail *trail);

Trail *engine_add_trail(Account *seen_by, const char *name, const char *arn, const char *owner,
                        const char *region);
Trail *engine_add_trail_by_arn(Account *seen_by, const char *text); /* NULL also if the text is no trail
                                                                       ARN */
void engine_drop_trail(Engine *engine, Trail *trail);
/* Sets its home and the account that polls it. 0 or -ENOMEM. */
int engine_attach_trail(Trail *trail, Account *via);
void engine_detach_trail(Trail *trail);
/* The account that polls a trail of this owner that `seen_by` has listed: the owner, if it can be polled
 * now. */
Account *engine_best_via(Account *seen_by, const char *owner);
bool engine_is_guarded(const Account *account, const char *name, const char *arn);
bool engine_is_ignored(const Engine *engine, const char *name, const char *arn);
/* It was missing at the last poll: the list shows whether it is back. */
static inline bool engine_is_missing(const Trail *trail) {
    return TRAIL_STATE(trail, findings) & FINDING_BIT(FINDING_MISSING);
}
/* True if `trails` or `expect` names it. */
bool engine_is_named(const Trail *trail);
/* Hash of the names in the account's `trails`, never 0. */
uint64_t engine_hash_names(const Account *account);
/* True if the configuration names it by its name only, and another guarded trail of its account, which may
 * be missing, has the same name. */
bool engine_has_namesake(const Trail *trail);
/* True if it is another account's organization trail, as far as is known. */
bool engine_is_foreign(const Trail *trail);
void engine_set_facts(Trail *trail);
/* The account has new keys: forgets what AWS refused to the old ones for trails that it polls. */
void engine_forget_refusals(Account *account);
Subject engine_trail_subject(const Trail *trail);

void engine_free_trails(Engine *engine);
/* Frees everything else; call after engine_free_trails. */
void engine_free_tables(Engine *engine);

/* ---- causes: the table of what targets and accounts have in common ---- */

static inline Place engine_place(const Target *target) {
    return target->n_trails > 0 ? PLACE_TRAILS : PLACE_EMPTY;
}

/* engine_cause_key: the key of the cause that a target of the account in the region ("": the account as a
 * whole) would have. engine_cause_covers: whether it can have this one. */
static inline Cause engine_cause_key(CauseKind kind, const Account *account, const char *region) {
    return guard_cause_key(kind, engine_account_named(account), region);
}
static inline bool engine_cause_covers(const Cause *cause, const Account *account, const char *region) {
    return guard_cause_covers(cause, engine_account_named(account), region);
}

static inline void engine_sort_causes(Engine *engine) {
    if (engine->n_causes > 1)
        qsort(engine->causes, engine->n_causes, sizeof(*engine->causes), guard_cause_compare);
}

/* The cause with this key; NULL if there is none. */
static inline Cause *engine_cause_of(const Engine *engine, const Cause *key) {
    return engine->n_causes > 0
                   ? bsearch(key, engine->causes, engine->n_causes, sizeof(*key), guard_cause_compare)
                   : NULL;
}
