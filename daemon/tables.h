/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What is guarded: accounts, their targets and the trails that live there, and what is under way at each.
 * The tables and lookups in them; every stage moves its values through these, none is called from here. */

#include <stdlib.h>
#include <systemd/sd-event.h>

#include "daemon/aws_setup.h"
#include "daemon/config/config.h"
#include "daemon/core/guard.h"
#include "daemon/core/metrics.h"
#include "daemon/core/schedule.h"
#include "daemon/core/scope.h"
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
#include "lib/account.h"
#include "lib/organizations.h"
#include "lib/sts.h"

#define ENGINE_NOT_ITS_ACCOUNT                                                                              \
    "only the account that owns it can say whether it is gone, and these are no keys of that account"

#define GUARDS_HINTED_MAX 16

/* Why a trail is not guarded any more. */
#define ENGINE_NOT_NAMED    "`trails` does not name it any more"
#define ENGINE_ACCOUNT_GONE "its account is not configured any more"
#define ENGINE_OTHER_SHARD  "another shard guards its account"

typedef struct Engine Engine;
typedef struct Account Account;
typedef struct Target Target;
typedef struct Trail Trail;
typedef struct TargetPoll TargetPoll;

/* One AWS account and the credentials to reach it. */
struct Account {
    Engine *engine;
    const AccountConfig *config; /* NULL: not in `accounts` */
    char id[16];                 /* "" until known; a role's is in its ARN */
    char partition[24];
    char *name, *role_arn; /* name: "" when it has none; role_arn NULL: the base credentials' own account */
    bool guarded;          /* false: only the base credentials, that others are reached with */
    bool member;           /* of the organization, and not in `accounts` */
    bool listed;           /* by the latest list of the organization */
    bool left;             /* was a member */
    CredentialsProvider *credentials; /* owned, unless they are the base */

    OperationCall *identity_call;
    char identity[ARN_MAX];       /* the caller's ARN, as AWS has it; "" until known */
    bool identity_asked;          /* GetCallerIdentity was answered, or has failed */
    bool identity_is_not_there;   /* ... because what stands in for AWS does not have it */
    bool blocked;                 /* no credentials can be had: nothing in it is polled */
    uint64_t identity_again_usec; /* mono; 0: no need */
    bool begun;                   /* the state file's rows were taken over */
    uint64_t
            region_denied_until_usec; /* mono; AWS did not say which regions are enabled: not asked before */
    bool region_denial_reported;
    Sparse *state; /* see TARGET_STATE; of the account as a whole: its credentials */
    LoopTimer *wake;
    UnacceptedPace unaccepted; /* its trails that nobody has accepted ... */
    char unaccepted_names[UNACCEPTED_NAMES_MAX]; /* ... the first of those that are to be summed up */
    bool unaccepted_resumed; /* how many were to be summed up was in the state file */
    LoopTimer *unaccepted_timer;
    bool full_reported; /* that it has as many trails as are kept */
    bool polls_are_due; /* of its targets, now: see DUE_POLLS */
    bool search_is_due; /* see DUE_SEARCHES */
    Attribute *search;  /* for who took it out of the organization or out of reach */

    uint64_t guard_due_usec;    /* mono; guard_checks: what the guard has there is not checked before */
    uint64_t guard_begun_usec;  /* mono; the latest check */
    bool guard_check_is_wanted; /* see DUE_GUARD */
    bool guard_unread_reported; /* that some of it cannot be read, in the journal */

    Target **targets;
    size_t n_targets;
};

/* guard_checks: the guard's users, roles and topics, one at a time. */
typedef struct GuardWatch {
    GuardRecord *records;
    size_t n_records;
    LoopTimer *timer; /* to the next check */
    Account *account; /* whose is checked; NULL: none */
    PrincipalCheck *check;
    json_t *policy;      /* what it must be allowed */
    const char **trails; /* of the account; the texts are the trails' own */
    /* a change that waits for the search for who made it */
    OperationCall *search;
    const Account *searched; /* whose history */
    unsigned n_pages;        /* of it that were asked for ... */
    unsigned n_read;         /* ... and records in them */
    bool small_pages;        /* they have few records each */
    size_t changed;          /* in records */
    GuardParts now;
    Severity severity;
    char text[ERROR_TEXT_MAX];
} GuardWatch;

/* The checks of settings in one region, over all accounts: a start has all of them due at once, and each
 * that is under way has requests that wait in memory. A region that does not answer delays no other one's.
 */
typedef struct CheckQueue {
    char region[32];
    unsigned n_running;
    Target *first, *last; /* that wait for their turn, linked by check_next */
} CheckQueue;

/* One (account, region) pair. There are ten thousand: what is small stands together. */
struct Target {
    Engine *engine;
    Account *account;
    CheckQueue *checks; /* of its region */
    const char *region; /* ... which has the text */
    Sparse *state;      /* see TARGET_STATE */
    Trail **trails;     /* that live here and are polled through this account */
    Trail **shown;      /* that its lists have shown, wherever they live */
    uint32_t n_trails, n_shown;
    uint32_t phase; /* see schedule_phase; once known it stays, or a poll would come late */
    bool has_phase;
    bool configured;         /* false: here because a guarded trail lives here */
    bool listed;             /* since start */
    bool fresh;              /* a trail came in that was never polled: poll it as soon as possible */
    bool turn_waits;         /* for the end of the poll that is under way */
    bool start_waits;        /* see engine_want_poll: its poll begins when others have ended ... */
    bool start_is_of_pass;   /* ... and the pass waits for it */
    bool check_is_due;       /* see DUE_CHECKS */
    bool check_queued;       /* it waits in the queue of its region */
    bool region_is_of_pass;  /* the pass waits for region_call */
    bool shown_elsewhere;    /* its lists have shown a trail that another shard guards */
    bool cover_is_suspect;   /* the list was empty where it had trails: poll again before reporting it */
    bool said_held_back;     /* that the last poll did not reach all trails, by our own pace */
    unsigned provisional_turn;  /* see schedule_has_turn */
    TargetPoll *polls;          /* under way: one, unless something in an earlier one does not answer */
    PollResult *rejected;       /* a poll whose keys were rejected, while it is unclear what that means */
    Target *check_next;         /* the one behind it in the queue of its region */
    OperationCall *region_call; /* whether the account has enabled the region; NULL when not being asked */
    const char *region_status;  /* what AWS said, raw; a shared text, NULL: nothing */
    uint64_t due_usec;          /* mono; not polled before */
    uint64_t settings_due_usec; /* mono */
    uint64_t polled_usec;       /* real; last poll that was answered */
    Rejections rejections;      /* of our keys */
    uint64_t region_asked_usec; /* mono; 0: not, since it last answered as it should */
    uint64_t empty_usec;        /* mono; its lists have been empty since; 0: they are not */
    uint64_t contested_due_usec, beside_due_usec; /* mono; see BesideTarget */
    uint64_t stretched_usec; /* the interval between polls that was reported as stretched; 0: none */
    LoopTimer *wake;
};

/* One poll of a target that is under way. What it still waits for no other poll asks; what was answered may
 * be asked again, so that a call that hangs holds back itself only. */
struct TargetPoll {
    Target *target;
    TargetPoll *next;
    Poll *poll;
    Trail **trails; /* in the order of the poll's arns; NULL: answered, or not there any more */
    size_t n_trails;
    PollOccasion occasion; /* what fails in one beside the rounds says nothing of the target */
    bool asks_list;        /* for the settings, and not only to be sure that a trail is gone */
    bool is_of_pass;       /* the pass waits for it */
    uint64_t began_usec;   /* mono */
    uint64_t by_usec;      /* mono; when it must have ended */
};

struct Trail {
    Engine *engine;
    Account *via; /* through which it is polled: its owner if that is guarded, else one that sees it */
    Target *home; /* NULL for a named trail that was never found */
    char *arn;
    const char *name, *account, *region; /* shared texts; account: the owner's id */
    bool organization, multi_region;
    bool has_intent;    /* on the disk */
    bool search_is_due; /* see DUE_SEARCHES */
    bool is_summed_up;  /* counted among its account's that nobody has accepted */
    TrailFacts facts;
    Sparse *state;         /* see TRAIL_STATE; as it is */
    TrailState *held;      /* as the state file may know it, while a message waits for an outcome; see
                              engine_reported() */
    Sparse *permission;    /* a Permission; of an organization trail that is not ours; NULL: all zeros */
    size_t n_covers;       /* targets whose lists have shown it */
    Remediation *remediation;
    uint64_t remediate_by_usec; /* mono */
    SettingsTracking tracking;
    LoopTimer *wake;
};

/* The organization's list of accounts. */
typedef struct AccountList {
    OperationCall *call;
    uint64_t due_usec; /* mono; 0: there is no organization */
    bool known;        /* was had at least once since start */
    bool tried;        /* the first try has ended */
    unsigned n_failed; /* in a row, since start */
    AccountListTrouble trouble;
    char management[16]; /* id of the management account, as the list says; "" while unknown */
} AccountList;

/* What may be written often, as schedule_file_pause() allows. */
typedef struct Writing {
    LoopTimer *timer;
    bool calm;           /* the timer is for times that moved on, and for nothing that happened */
    uint64_t paid_usec;  /* mono */
    uint64_t began_usec; /* mono */
    uint64_t cpu_usec;   /* of our processor, that the last writing took */
    uint64_t ended_usec; /* mono; 0: not written yet */
} Writing;

/* What becomes of what is found out: the daemon reports and records it, a check only shows the tables. */
typedef struct Sink {
    void (*entry)(const Subject *subject, const JournalEntry *entry, const char *incident_id,
                  uint64_t now_usec);
    int (*message)(Engine *engine, const Subject *subject, const Event *event);
    bool records; /* baselines, and the settings that are overwritten */
} Sink;

struct Engine {
    Config *config;
    const Sink *sink;
    const char *state_dir, *runtime_dir;
    void *reserve; /* memory that is freed for a message that there is none for; see queue_message */
    bool intent_failed;
    bool state_unread;   /* state.json could not be read: it is not overwritten */
    bool unloaded;       /* a reload could not make all of this: it is neither saved nor shown */
    bool state_returned; /* ... and can be read again: a reload is under way */
    bool once;           /* engine_check, engine_settings */
    Mode mode_max;       /* acts no further than this, whatever the configuration says */
    StateTable recorded; /* engine_check: what the state file says; nothing but which trails were guarded is
                            taken over */
    bool has_state_file; /* ... it was read */
    char record_problem[ERROR_TEXT_MAX]; /* ... why it, or the list of baselines, could not be; "" */
    int lock_fd, runtime_lock_fd;        /* the second one stays when the state directory goes */
    LoopTimer *directory_timer;
    uint64_t directories_due_usec;          /* mono; not compared before */
    uint64_t outbox_tried_usec;             /* mono; when what the disk refused was last tried again */
    char directory_problem[ERROR_TEXT_MAX]; /* why what is known does not outlive a restart; "" */
    unsigned n_taken; /* times in a row that another daemon held the lock of a directory made again */
    sd_event *event;
    sd_event_source *due_source; /* runs what is due in the next turn of the loop; NULL before that runs */
    unsigned due;                /* DUE_* */
    AwsSetup aws;
    Outbox *outbox;
    Deliver *deliver;
    ChannelWatch *channel_watch; /* also of a check */
    Heartbeat *heartbeat;        /* NULL: none is configured */

    Account **accounts; /* the base credentials' own first, guarded or not */
    size_t n_accounts;
    void *account_index; /* tsearch(3): accounts by id */
    Account *base;
    AccountList account_list;
    Identities identities; /* of the base credentials */
    char shown_account[16];     /* of a trail that they have listed as their account's own; "" until then */
    uint64_t keys_changed_usec; /* mono; when they became others */
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
    uint64_t causes_due_usec; /* mono; not decided about before */
    bool causes_are_left;     /* to be decided about; each round does where memory or a timer was wanting */
    StateTable unclaimed; /* loaded, not taken over by anything that is guarded */
    char **ignored;
    size_t n_ignored;
    StatusDenial *denials; /* once: permissions that are missing */
    size_t n_denials;

    DrillFile drill;    /* as it was last read */
    bool drill_refused; /* ... and that it counts for nothing was logged */

    uint64_t started_usec; /* real */
    char binary[256];      /* the path of the program that runs; "" while it is not known */
    uint64_t binary_modified_usec;
    char pid_namespace[STATE_PID_NAMESPACE_MAX];
    Target **turns;       /* the targets in the order of their turns in a round of polls */
    size_t n_turns, turn; /* the next one */
    bool turns_are_stale; /* targets came or went */
    uint64_t round;
    uint64_t turned_usec; /* mono; turns up to that were taken */
    size_t n_pass_turns;  /* still to come in this pass */
    LoopTimer *pass_timer;
    LoopTimer *contest_timer; /* NULL: no trail is contested */
    unsigned contest_part, n_contest_parts; /* the one polled last; that may still have a contested trail */
    Writing publish, save, measure;
    Metrics *metrics;           /* NULL: `metrics_file` is not set */
    char *metrics_path;         /* that was written, or will be */
    uint64_t pass_due_usec;     /* mono; the next turn */
    uint64_t pass_longest_usec; /* poll of it that has ended */
    bool pass_open;
    bool passes_begun;
    size_t n_polling;         /* polls under way, or that wait for others, that the pass waits for */
    size_t n_polls;           /* under way ... */
    size_t n_slow_polls;      /* ... of which so many did not answer soon */
    size_t n_starts, start;   /* polls that wait for others; the target where to look for the next */
    LoopTimer *start_timer;
    size_t n_beside;          /* checks of settings and buckets, under way or waiting */
    uint64_t pass_ended_usec; /* real */
    uint64_t pass_duration_usec;
    uint64_t n_passes;
    char save_problem[ERROR_TEXT_MAX]; /* why state.json could not be written; "": it was */
    bool publish_failed, measure_failed;
    uint64_t saved_usec; /* real; what is older is in the state file; 0: nothing is */
    const ChannelTrouble
            *reporting;          /* what the alert is about that is being put into the outbox; else NULL */
    uint64_t config_loaded_usec; /* real */
    bool reload_refused;         /* the latest one */
    LoopTimer *weak_timer;       /* see baselines.c ... */
    uint64_t weak_since_usec;    /* ... real; when the first of those that wait was found; 0: none waits */
    WeakPace weak_pace;
    uint64_t watchdog_usec;
    LoopTimer *watchdog_timer;
    LoopTimer *give_up_timer;                       /* shutdown */
    char hinted[GUARDS_HINTED_MAX][ACTOR_ARN_MAX]; /* ARNs of what looks like guards: in the journal once */
    size_t n_hinted;
    ContainHistory contain;
    LoopTimer *hold_timer; /* NULL: nobody is contained */
    GuardWatch guard;
};

/* What has become due in a stage that stands above the one that found out: the loop runs it in its next
 * turn. The objects that it is about have flags of their own. */
#define DUE_PASS        1U  /* a pass, now */
#define DUE_POLLS       2U  /* of the targets of accounts that can be polled since */
#define DUE_CHECKS      4U  /* of settings that wait in targets for those of other trails */
#define DUE_SEARCHES    8U  /* for who caused what happened to trails and accounts */
#define DUE_CONTESTED   16U /* a trail is contested: it is polled beside the passes */
#define DUE_DIRECTORIES 32U /* our directories are checked, because the process is awake anyhow */
#define DUE_HOLDS       128U /* those that are contained, or are to be */
#define DUE_CAUSES      64U /* targets or accounts came to or went from those that have one cause */

#define DUE_GUARD       256U /* AWS denied something: the guard's own rights are checked */

void engine_due(Engine *engine, unsigned what);

Now engine_now(const Engine *engine);
Intervals engine_intervals(const Engine *engine);
Policy engine_policy(const Engine *engine);

/* ---- accounts ---- */

Account *engine_account_by_id(const Engine *engine, const char *id); /* NULL when there is none */
/* Makes it found by its id. 0, -EEXIST when another account has this id, -ENOMEM. */
int engine_index_account(Account *account);
void engine_unindex_account(Account *account);
/* Its id; until AWS has said which account the base credentials belong to, that of the last time. "" when
 * there was none. */
const char *engine_account_named(const Account *account);
AccountScope engine_account_scope(const Account *account);
/* May its targets be polled? */
bool engine_account_is_open(const Account *account);
/* All accounts have answered who they are, or failed to. */
bool engine_identities_are_known(const Engine *engine);
/* In one that has left the organization nothing is written. */
Policy engine_account_policy(const Account *account);
Subject engine_account_subject(const Account *account);
bool engine_is_excluded(const Engine *engine, const char *id);
/* Does another shard guard the account? "", not known: no. */
bool engine_is_elsewhere(const Engine *engine, const char *id);
/* ... the account that this ARN is of? A trail is its owner's to guard, also an organization's, which all
 * members' lists show: the owner may write to it. */
bool engine_arn_is_elsewhere(const Engine *engine, const char *arn);
/* Whose credentials read the management account's event history; NULL: none that we have, or not known yet.
 */
Account *engine_management(const Engine *engine);

/* Something was denied there: are the guard's rights complete? */
static inline void engine_want_guard_check(Account *account) {
    account->guard_check_is_wanted = true;
    engine_due(account->engine, DUE_GUARD);
}

/* ---- targets ---- */

/* That of the region, which is made if there is none. NULL without memory. */
Target *engine_target(Account *account, const char *region, bool configured);
int engine_add_configured_targets(Account *account);
/* It is not guarded after all: its targets go. */
void engine_drop_targets(Account *account);
Subject engine_target_subject(const Target *target);
/* See list_is_to_come(). */
static inline bool engine_list_is_to_come(const Target *target) {
    return list_is_to_come(target->configured, TARGET_STATE(target, not_enabled), target->listed);
}

/* Is the row's target in the table? */
bool engine_has_target(const Engine *engine, const StateTarget *row);

/* Its trails that are there, as far as is known: what nobody has accepted, and the others. */
typedef struct TrailCounts {
    unsigned others, provisional;
} TrailCounts;

TrailCounts engine_count_there(const Target *target);
/* How many of them each poll asks for their status. */
unsigned engine_count_polled(const Target *target);

/* Its poll does not wait for others any more. Whether it did, and the pass for it. */
bool engine_end_start(Target *target);
/* Nothing of it is under way any more. */
void engine_stop_poll(Target *target);
void engine_stop_tracking(Trail *trail);
/* Are its settings being checked, or wait for that? */
bool engine_is_checked(const Trail *trail);
/* The check waits no longer; without one nothing happens. */
void engine_end_wait(Trail *trail);
/* A target whose checks wait takes its place in the queue of its region, or leaves it; no more than once. */
void engine_queue_check(Target *target);
void engine_unqueue_check(Target *target);
/* The check that is under way counts no longer; without one nothing happens. */
void engine_check_ended(Trail *trail);
void engine_free_poll(TargetPoll *poll);
/* No poll under way knows the trail any more. */
void engine_leave_polls(const Target *target, const Trail *trail);
void engine_forget_rejected(Target *target);
void engine_end_region_call(Target *target);

/* ---- trails ---- */

Trail *engine_trail_by_arn(Engine *engine, const char *arn);
/* A trail's state as the state file may know it: every message about it is in the outbox. */
TrailState engine_reported(const Trail *trail);
bool engine_is_contested(const Trail *trail);

Trail *engine_add_trail(Account *seen_by, const char *name, const char *arn, const char *owner,
                        const char *region);
Trail *engine_add_trail_by_arn(Account *seen_by, const char *text); /* NULL also when it is no trail's */
void engine_drop_trail(Engine *engine, Trail *trail);
/* Where it lives, and through whom it is polled. 0 or -ENOMEM. */
int engine_attach_trail(Trail *trail, Account *via);
void engine_detach_trail(Trail *trail);
/* The account that polls a trail of this owner which `seen_by` has seen: the owner, if it can be polled now.
 */
Account *engine_best_via(Account *seen_by, const char *owner);
bool engine_is_guarded(const Account *account, const char *name, const char *arn);
bool engine_is_ignored(const Engine *engine, const char *name, const char *arn);
/* It was not there when it was last polled: the list says whether it is back. */
static inline bool engine_is_missing(const Trail *trail) {
    return TRAIL_STATE(trail, findings) & FINDING_BIT(FINDING_MISSING);
}
/* Does the configuration name it, in `trails` or `expect`? */
bool engine_is_named(const Trail *trail);
/* An organization trail of another account, as far as is known. */
bool engine_is_foreign(const Trail *trail);
void engine_set_facts(Trail *trail);
/* The account has other keys: what AWS refused to those before, about trails that are polled with them, says
 * nothing. */
void engine_forget_refusals(Account *account);
Subject engine_trail_subject(const Trail *trail);

void engine_free_trails(Engine *engine);
/* All the rest; after the trails. */
void engine_free_tables(Engine *engine);

/* ---- causes: the table of what targets and accounts have in common ---- */

static inline Place engine_place(const Target *target) {
    return target->n_trails > 0 ? PLACE_TRAILS : PLACE_EMPTY;
}

/* What a target of the account in the region ("": the account as a whole) would have; can it have this one?
 */
static inline Cause engine_cause_key(CauseKind kind, const Account *account, const char *region) {
    return guard_cause_key(kind, engine_account_named(account), region);
}
static inline bool engine_cause_covers(const Cause *cause, const Account *account, const char *region) {
    return guard_cause_covers(cause, engine_account_named(account), region);
}

static inline Subject engine_cause_subject(const Engine *engine, const Cause *cause) {
    return guard_cause_subject(cause, engine_account_named(engine->base));
}

static inline void engine_sort_causes(Engine *engine) {
    if (engine->n_causes > 1)
        qsort(engine->causes, engine->n_causes, sizeof(*engine->causes), guard_cause_compare);
}

/* The one that has this key; NULL: there is none. */
static inline Cause *engine_cause_of(const Engine *engine, const Cause *key) {
    return engine->n_causes > 0
                   ? bsearch(key, engine->causes, engine->n_causes, sizeof(*key), guard_cause_compare)
                   : NULL;
}
