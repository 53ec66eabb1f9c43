/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What survives a restart: $STATE_DIRECTORY/state.json. Also the lock against a second daemon. */

#include "daemon/core/model_alert.h"
#include "daemon/core/model_guard.h"
#include "daemon/core/protection.h"

/* The table owns its strings. */
typedef struct StateTrail {
    char *name, *arn, *account, *region;
    char *via; /* the account that polls it; "": its own */
    bool organization;
    bool validation;
    Drift changes;    /* what the incident is about, before and after; for its messages */
    Episode *episode; /* NULL: nothing; owned */
    TrailState state;
    bool intent; /* loaded from an intent; not saved */
} StateTrail;

typedef struct StateTarget {
    char *account, *region;
    TargetState state;
} StateTarget;

#define UNACCEPTED_NAMES_MAX 256

/* An account as a whole. */
typedef struct StateAccount {
    char *account;
    char *name;  /* "" or the organization's */
    bool base;   /* the base credentials' own account */
    bool member; /* of the organization */
    bool left;   /* is no longer a member */
    TargetState state;
    unsigned n_appeared, n_gone; /* unaccepted trails for the summary ... */
    uint64_t unaccepted_usec;    /* ... see UnacceptedPace.since_usec ... */
    char unaccepted_names[UNACCEPTED_NAMES_MAX]; /* ... and the first of their names */
} StateAccount;

/* Functions that make rows one by one during a write, so that a table of ten thousand is never in memory.
 * Each row is valid until the next is requested; NULL: there is none at i. */
typedef struct StateRows {
    const StateTrail *(*trail)(void *userdata, size_t i);
    const StateTarget *(*target)(void *userdata, size_t i);
    const StateAccount *(*account)(void *userdata, size_t i);
    void *userdata;
} StateRows;

typedef struct StateTable {
    StateTrail *trails;
    size_t n_trails;
    StateTarget *targets;
    size_t n_targets;
    ChannelTrouble *channels;
    size_t n_channels; /* failed ones, including the heartbeat */
    StateAccount *accounts;
    size_t n_accounts;
    const StateRows *rows; /* for writing only: makes trails, targets and accounts; the arrays are NULL, and
                              their lengths say how many rows to request; NULL: the arrays have the rows */
    Cause *causes;
    size_t n_causes;
    ChannelTrouble *unheard; /* channels that nobody receives alerts through */
    size_t n_unheard;
    ContainHistory contain;
    GuardRecord *guards; /* the guard's users, roles and topics; with guard_checks */
    size_t n_guards;
    AccountListTrouble organization; /* with the list of its accounts */
    Identities identities;
    uint64_t weak_since_usec; /* since when weak baselines wait for a common report; 0: none does */
    char weak_account[16];    /* ... and the account of the base credentials then, if known */
} StateTable;

#define STATE_SIZE_MAX    (64U * 1024 * 1024)
#define STATE_ENTRIES_MAX 100000U /* for trails, and for targets, channels and accounts each */

/* Reads DIR/state.json. A missing file gives an empty table. A file that cannot be parsed, has another
 * version, or is too big is renamed to state.json.damaged-<UTC time> (never overwritten, never deleted), the
 * reason is logged, and the table is empty: 0. -errno if the file cannot be read, or the directory or the
 * rename fails, with one line in error. Monotonic times are not saved, and load as 0. */
int state_load(const char *dir, uint64_t now_real_usec, StateTable *ret, char *error, size_t error_size);
/* The same without changing anything: a damaged file stays. 1 and *ret; 0 if there is none; -errno with one
 * line in error. */
int state_peek(const char *dir, StateTable *ret, char *error, size_t error_size);
void state_table_done(StateTable *table);
/* The row of the trail; NULL: none. */
StateTrail *state_table_trail(const StateTable *table, const char *arn);
void state_trail_done(StateTrail *trail);

/* The text ("trailguard.state/1"), one line per trail, target, channel or account; the caller frees. 0,
 * -ENOMEM, or -E2BIG over STATE_SIZE_MAX or STATE_ENTRIES_MAX, which state_json_read would reject. Members
 * with their default are left out. Bytes that are not UTF-8 become '?', numbers are limited to INT64_MAX.
 * Pure. */
int state_json_write(const StateTable *table, char **ret, size_t *ret_len);
/* Reads the text; free *ret with state_table_done. Unknown members are ignored, missing ones have their
 * default. -EINVAL with one escaped line in reason that names the member and its value; -ENOMEM. Pure. */
int state_json_read(const char *text, size_t len, StateTable *ret, char *reason, size_t reason_size);

/* Writes DIR/state.json durably. 0 or -errno. */
int state_save(const char *dir, const StateTable *table);

/* An intent is the state of a trail that the guard is about to change: what will be changed, what was found,
 * when. It is written before AWS is called, to DIR/intents, one file per trail, and removed when state.json
 * records that the alert about it is in the outbox. Durable; 0 or -errno. */
int state_intent_save(const char *dir, const StateTrail *trail);
int state_intent_remove(const char *dir, const StateTrail *trail);
/* Loads the intents that a crash left behind; each replaces the trail's row in the table. Intents that the
 * table already covers are removed. A damaged one is set aside like a damaged state file. 0 or -ENOMEM. */
int state_intents_load(const char *dir, uint64_t now_real_usec, StateTable *table);

/* Removes temporary files that a crash left below the state directory and in the runtime directory, except
 * the outbox's. */
void state_sweep(const char *dir, const char *runtime_dir);

/* Takes DIR/lock for the life of the process and writes our pid into it. 0 and *ret_fd; -EBUSY with *ret_pid
 * (0 if unknown) if another process has it; else -errno. */
int state_lock(const char *dir, int *ret_fd, int *ret_pid);
/* 1 if a daemon holds the lock (its pid in *ret_pid), 0 if none does, -errno. */
int state_is_locked(const char *dir, int *ret_pid);
/* True if the lock that we hold is still the file DIR/lock, and not removed or replaced along with the
 * directory; also true if this cannot be determined (-EIO, -EACCES ...). */
bool state_lock_is_kept(const char *dir, int fd);
/* Like state_is_locked, for the lock of the state directory or that of the runtime directory, which remains
 * if the former is removed. */
int state_is_guarded(const char *dir, const char *runtime_dir, int *ret_pid);
/* Our PID namespace, as named in /proc ("pid:[4026531836]"): in any other a pid means another process, or
 * none. "" if it cannot be read. */
#define STATE_PID_NAMESPACE_MAX 32
const char *state_pid_namespace(char dst[static STATE_PID_NAMESPACE_MAX]);
