/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the guard shows: journal lines, systemd's STATUS=, status.json. */

#include <stdio.h>

#include "daemon/core/metrics.h"
#include "daemon/core/model_guard.h"
#include "daemon/core/protection.h"
#include "daemon/core/protection_rows.h"

/* ---- journal ---- */

/* Writes one journal line with MESSAGE_ID and fields about a trail or target, such as "org-trail
 * eu-central-1 111122223333: logging was stopped at 10:02:11Z; starting it again". incident_id may be "". */
void report_entry(const Subject *subject, const JournalEntry *note, const char *incident_id,
                  uint64_t now_real_usec);

/* One line about an account ("": none) with the caller's text, which is escaped here. error: AWS's error
 * text or ""; its request id becomes a field. */
void report_line(JournalLine line, const char *account, const char *error, const char *text);

/* ---- the daemon's status, a snapshot that borrows everything ---- */

typedef struct StatusTrail {
    Subject subject;
    const TrailState *state;
    const char *incident_id; /* "" if none is open */
    const Drift *changes;    /* of the open incident; NULL: none */
    const Episode *episode;  /* of that incident; NULL: none */
    bool organization;
    bool has_baseline;        /* it has recorded settings */
    bool baseline_unreadable; /* ... or this is unknown */
    uint32_t not_recorded;    /* FIELD_BITs that could not be read yet */
    bool owner_unchecked;     /* the owner of its bucket cannot be checked */
    bool provisional;         /* it appeared, and nobody has accepted it */
    const TrailState *before; /* for a check: the daemon's last state; NULL: none */
} StatusTrail;

typedef struct StatusTarget {
    Subject subject;
    const TargetState *state;
    uint64_t polled_usec;   /* real; the last answered poll */
    bool by_shadow;         /* not configured: exists because a guarded trail lives here */
    bool idle;              /* no trail lives here: polled every 10 minutes */
    const char *identity;   /* the caller's ARN; "" while unknown */
    uint64_t interval_usec; /* between polls of its trails: longer than poll_interval if AWS's quota requires
                               that */
    uint64_t calls_per_month; /* for a check: calls to AWS without incidents; 0: never answered, or no
                                 calls */
} StatusTarget;

/* In the runtime directory; a larger file is neither written nor read. */
#define STATUS_FILE     "status.json"
#define STATUS_SIZE_MAX (256U * 1024 * 1024)

#define STATUS_MONTH_SEC (30ULL * 24 * 3600)

/* An account that is guarded, or reported as no longer guarded. */
typedef struct StatusAccount {
    const char *id;       /* "" while unknown */
    const char *name;     /* "" if it has none */
    const char *role_arn; /* "": the base credentials */
    const char *identity; /* the caller's ARN; "" while unknown */
    const TargetState *state;
    bool blocked; /* no credentials are available */
    bool left;    /* has left the organization */
} StatusAccount;

/* A missing permission, as named by AWS; only collected by a check. */
typedef struct StatusDenial {
    char account[16], region[32]; /* where; region "" for the account as a whole */
    char action[128];             /* "cloudtrail:StartLogging" */
    char resource[320];           /* "" if AWS named none */
} StatusDenial;

typedef struct StatusChannel {
    const char *channel;
    bool failed;
    unsigned waiting;
    const char *text;  /* why it fails; "" */
    bool unheard;      /* nobody receives its alerts */
    const char *check; /* the latest result of its check; "" before the first */
} StatusChannel;

/* A file that the daemon has read: if it changed later, the daemon uses the old content. */
typedef struct StatusFile {
    const char *path;       /* "" if unknown */
    uint64_t modified_usec; /* real, when it was read; 0: unknown */
} StatusFile;

/* Functions that make rows one by one, because the states of ten thousand trails are never all in memory.
 * Each row is valid until the next of its kind is requested. */
typedef struct StatusRows {
    const StatusTrail *(*trail)(void *userdata, size_t i);
    const StatusTarget *(*target)(void *userdata, size_t i);
    const StatusAccount *(*account)(void *userdata, size_t i);
    void *userdata;
} StatusRows;

typedef struct Status {
    const char *version;
    StatusFile binary, configuration;
    const char *problem; /* one line if nothing can be guarded at all ("no credentials: ..."), else NULL */
    const char *directory_problem; /* why a restart would forget what is known; "" or NULL */
    const char *shard;             /* "2/5"; NULL: all accounts */
    Mode mode;
    int pid;
    const char *pid_namespace; /* of that pid, see state_pid_namespace; NULL: unknown */
    unsigned poll_interval_sec;
    unsigned unreachable_after;      /* failed polls in a row */
    uint64_t started_usec, now_usec; /* real */
    uint64_t pass_ended_usec;        /* real; 0: no pass has ended yet */
    uint64_t pass_duration_usec;
    uint64_t n_passes;
    const StatusAccount *accounts;
    size_t n_accounts;
    bool has_organization;
    const char *organization_error; /* why its accounts cannot be listed; "" if they can */
    const StatusRows *rows; /* makes trails, targets and accounts, and the arrays are NULL; NULL: the arrays
                               have them, as in a check */
    const StatusTrail *trails;
    size_t n_trails;
    const char *const *ignored; /* ARNs of ignored trails that were listed */
    size_t n_ignored;
    const StatusTarget *targets;
    size_t n_targets;
    const StatusChannel *channels;
    size_t n_channels;
    unsigned outbox_depth;
    uint64_t outbox_oldest_usec; /* real; time of the oldest alert in it; 0: none */
    uint64_t n_alerts_lost;      /* dropped since the start */
    uint64_t config_loaded_usec; /* real */
    bool reload_refused;         /* the last reload failed: an older configuration is in use */
    const char *state_dir;       /* the next ones are shown by a check */
    bool has_state_file;
    const char *record_problem; /* why the state file or the list of baselines cannot be read; "" */
    const StatusDenial *denials;
    size_t n_denials;
    ProtectionFacts protection; /* for a check */
    /* for the daemon */
    const ContainHold *holds; /* identities that are contained, or are to be */
    size_t n_holds;
    unsigned n_contained;
    const GuardRecord *guard; /* its own users, roles and topics; those that lack rights are shown */
    size_t n_guard;
    unsigned n_rights_lost; /* all of them */
} Status;

const StatusTrail *report_trail(const Status *status, size_t i);
const StatusTarget *report_target(const Status *status, size_t i);
const StatusAccount *report_account(const Status *status, size_t i);

/* "shard 2/5: guarding 12 trails, 17 regions, 3 accounts: 11 logging, 1 stopped (org-trail eu-central-1);
 * pass 0.31 s". Pure. Returns dst. */
#define STATUS_LINE_MAX 512
const char *report_status_line(const Status *status, char dst[static STATUS_LINE_MAX]);

/* The text of status.json ("trailguard.status/1"), one line per account, trail or target; the caller frees
 * *ret. 0, -ENOMEM, or -E2BIG over 256 MB. Pure. */
int report_status_json(const Status *status, char **ret);

/* Writes DIR/status.json atomically, mode 0644. 0 or -errno. */
int report_status_write(const Status *status, const char *dir);

/* The state of a region or account, and its name in status.json and metrics. */
typedef enum ReportTarget {
    REPORT_TARGET_WELL,
    REPORT_TARGET_FAILING,
    REPORT_TARGET_LIST_UNREADABLE,
    REPORT_TARGET_UNREACHABLE,
    REPORT_TARGET_NOT_ENABLED,
    REPORT_TARGET_UNKNOWN,
    _REPORT_TARGET_MAX,
} ReportTarget;

typedef enum ReportAccount {
    REPORT_ACCOUNT_WELL,
    REPORT_ACCOUNT_UNREACHABLE,
    REPORT_ACCOUNT_UNKNOWN,
    REPORT_ACCOUNT_LEFT,
    _REPORT_ACCOUNT_MAX,
} ReportAccount;

extern const char *const report_target_words[_REPORT_TARGET_MAX];
extern const char *const report_account_words[_REPORT_ACCOUNT_MAX];

ReportTarget report_target_state(const StatusTarget *target);
ReportAccount report_account_state(const StatusAccount *account);

/* ---- Prometheus ---- */

/* How many trails and targets get series of their own; those in trouble come first. */
#define REPORT_METRICS_TRAILS_MAX  1000U
#define REPORT_METRICS_TARGETS_MAX 2000U

/* All metrics in Prometheus' text format; the caller frees *ret. guard: a label of every series. 0, -ENOMEM,
 * or -E2BIG over 8 MB, which the limits above prevent. Pure. */
int report_metrics_text(const Status *status, const Metrics *metrics, const char *guard, char **ret);

/* Writes the file atomically, mode 0644. 0 or -errno. */
int report_metrics_write(const Status *status, const Metrics *metrics, const char *guard, const char *path);

/* ---- systemd ---- */

/* Each returns at once and does nothing if $NOTIFY_SOCKET is unset. report_systemd_status sends only changed
 * texts; a difference of less than a second in the duration of a pass does not count. */
void report_systemd_ready(void);
void report_systemd_reloading(uint64_t mono_usec);
void report_systemd_stopping(void);
void report_systemd_status(const char *line);
void report_systemd_watchdog(void);
/* Half of WATCHDOG_USEC if the watchdog is on for this process, else 0. */
uint64_t report_systemd_watchdog_interval_usec(void);
