/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What survives a restart: $STATE_DIRECTORY/state.json, and the lock that keeps a second daemon away. */

#include "daemon/core/model_alert.h"
#include "daemon/core/model_guard.h"
#include "daemon/core/protection.h"

/* Strings are owned by the table. */
typedef struct StateTrail {
    char *name, *arn, *account, *region;
    char *via; /* the account through which it is seen; "": its own */
    bool organization;
    bool validation;
    Drift changes;    /* before and after of what the incident is about; for its messages */
    Episode *episode; /* NULL: nothing; owned */
    TrailState state;
    bool intent; /* it came from an intent; not stored */
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
    bool base;   /* the base credentials' own */
    bool member; /* of the organization */
    bool left;   /* was a member */
    TargetState state;
    unsigned n_appeared, n_gone; /* trails that nobody has accepted, to be reported together ... */
    uint64_t unaccepted_usec;    /* ... see UnacceptedPace.since_usec ... */
    char unaccepted_names[UNACCEPTED_NAMES_MAX]; /* ... and the first of their names */
} StateAccount;

/* Rows that are made one by one while they are written, so that a table of ten thousand is never in memory.
 * Each is valid until the next is asked for; NULL: there is none at i. */
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
    size_t n_channels; /* that fail; of the heartbeat, too */
    StateAccount *accounts;
    size_t n_accounts;
    const StateRows *rows; /* to write only: trails, targets and accounts come from here, the arrays are
                              NULL, and their numbers say how often to ask; NULL: the arrays have the rows */
    Cause *causes;
    size_t n_causes;
    ChannelTrouble *unheard; /* that nobody listens to */
    size_t n_unheard;
    ContainHistory contain;
    GuardRecord *guards; /* users, roles and topics of the guard; with guard_checks */
    size_t n_guards;
    AccountListTrouble organization; /* of the list of its accounts */
    Identities identities;
    uint64_t weak_since_usec; /* weak baselines wait to be reported together since then; 0: none does */
} StateTable;

#define STATE_SIZE_MAX    (64U * 1024 * 1024)
#define STATE_ENTRIES_MAX 100000U /* trails, and as many targets, channels and accounts */

/* Reads DIR/state.json. A missing file gives an empty table. A file that cannot be parsed, has another
 * version, or is too big is renamed to state.json.damaged-<UTC time> (never overwritten, never deleted), the
 * reason is logged, and the table is empty: 0. -errno when the file cannot be read, or when the directory or
 * the rename fails, with one line in error. Monotonic times are not stored: they load as 0. */
int state_load(const char *dir, uint64_t now_real_usec, StateTable *ret, char *error, size_t error_size);
/* The same for those who must change nothing: a damaged file stays where it is. 1 and *ret; 0 when there is
 * none; -errno with one line in error. */
int state_peek(const char *dir, StateTable *ret, char *error, size_t error_size);
void state_table_done(StateTable *table);
void state_trail_done(StateTrail *trail);

/* The text ("trailguard.state/1"), one trail, target, channel or account a line; the caller frees. 0,
 * -ENOMEM, or -E2BIG over STATE_SIZE_MAX or STATE_ENTRIES_MAX, which state_json_read would refuse. Members
 * that have their default are left out. Bytes that are not UTF-8 become '?', numbers past INT64_MAX become
 * that. Pure. */
int state_json_write(const StateTable *table, char **ret, size_t *ret_len);
/* Reads it; free *ret with state_table_done. Unknown members are passed over, missing ones have their
 * default. What is wrong: -EINVAL with one line in reason that names the member and what it is, escaped.
 * -ENOMEM. Pure. */
int state_json_read(const char *text, size_t len, StateTable *ret, char *reason, size_t reason_size);

/* Writes DIR/state.json durably. Borrowed strings are only read. 0 or -errno. */
int state_save(const char *dir, const StateTable *table);

/* An intent is what is known of a trail at the moment when the guard is about to change it: what is to be
 * changed, what was found, when. It is on the disk before AWS is asked, in DIR/intents, one file a trail,
 * and stays until state.json says that the alert about it is in the outbox. Durable; 0 or -errno. */
int state_intent_save(const char *dir, const StateTrail *trail);
int state_intent_remove(const char *dir, const StateTrail *trail);
/* Reads the intents that a crash has left, each in the place of the trail's row in the table; those that the
 * table has got over are removed. A damaged one is set aside like a damaged state file. 0 or -ENOMEM. */
int state_intents_load(const char *dir, uint64_t now_real_usec, StateTable *table);

/* Removes the temporary files that a crash has left below the state directory and in the runtime directory.
 * The outbox has its own. */
void state_sweep(const char *dir, const char *runtime_dir);

/* Takes DIR/lock for the life of the process and writes our pid into it. 0 and *ret_fd; -EBUSY with *ret_pid
 * (0 when unknown) when another holds it; else -errno. */
int state_lock(const char *dir, int *ret_fd, int *ret_pid);
/* Is a daemon holding the lock? 1 yes (its pid in *ret_pid), 0 no, -errno. */
int state_is_locked(const char *dir, int *ret_pid);
/* Is the lock that we hold still the file DIR/lock? False when the directory or the file was removed or
 * replaced; true also when that cannot be said (-EIO, -EACCES ...). */
bool state_lock_is_kept(const char *dir, int fd);
/* Does a daemon hold the lock of the state directory, or that of the runtime directory, which is there when
 * the other was removed? As state_is_locked. */
int state_is_guarded(const char *dir, const char *runtime_dir, int *ret_pid);
/* Which PID namespace we are in, as /proc names it ("pid:[4026531836]"): a pid means another process, or
 * none, in every other one. "" when that cannot be read. */
#define STATE_PID_NAMESPACE_MAX 32
const char *state_pid_namespace(char dst[static STATE_PID_NAMESPACE_MAX]);
