/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The guard's own access: which rights to simulate, what changed in its users, roles and topics, and what
 * protects them. Pure. */

#include <jansson.h>

#include "daemon/core/model.h"
#include "lib/arn.h"
#include "lib/util/strbuf.h"

/* ---- rights ---- */

#define RIGHTS_ACTIONS_MAX   64U
#define RIGHTS_RESOURCES_MAX 20U

/* The arguments of a simulation of one statement. Borrowed from the statement and the trails. */
typedef struct RightsQuestion {
    const char *actions[RIGHTS_ACTIONS_MAX], *resources[RIGHTS_RESOURCES_MAX];
    size_t n_actions, n_resources;
    bool passes_role; /* one of the actions is iam:PassRole */
} RightsQuestion;

/* From a statement of `policy guard`. If the statement is about any trail, these trails stand for it, as
 * many as fit. */
void rights_question(const json_t *statement, const char *const *trails, size_t n_trails,
                     RightsQuestion *ret);

/* True if the guard cannot poll, alert or act without it. Losing another right costs a check or a name. */
bool right_is_vital(const char *action);
/* True if the guard works without it: repeated answers also prove that a region is disabled. */
bool right_is_optional(const char *action);

#define GUARD_ACTION_MAX 128

/* One action on one resource that would not be allowed. */
typedef struct GuardLoss {
    char action[GUARD_ACTION_MAX];
    char resource[ARN_MAX];
    const char *why; /* static */
} GuardLoss;

typedef struct GuardLosses {
    GuardLoss *items;
    size_t n;
} GuardLosses;

/* Optional rights do not count. */
typedef struct GuardLossReport {
    unsigned n;
    Severity severity;
    uint64_t mark; /* identifies the losses */
    char text[ERROR_TEXT_MAX];
} GuardLossReport;

void guard_losses_report(const GuardLosses *losses, GuardLossReport *ret);

/* ---- the parts that are compared ---- */

typedef enum GuardPartKind {
    GUARD_PART_TRUST,        /* who may assume the role */
    GUARD_PART_BOUNDARY,     /* the permissions boundary; the name is its ARN */
    GUARD_PART_ATTACHED,     /* a managed policy; the name is its ARN */
    GUARD_PART_INLINE,       /* an inline policy */
    GUARD_PART_KEY,          /* an access key; the name is its id */
    GUARD_PART_TOPIC_POLICY, /* who may publish to a topic for alerts */
    GUARD_PART_TOPIC_KEY,    /* the KMS key of a topic */
    GUARD_PART_SUBSCRIPTION, /* a confirmed subscription; the name is its protocol and the end of its ARN */
    _GUARD_PART_MAX,
} GuardPartKind;

/* guard_part_to_string: the name of a kind, such as "inline_policy". guard_part_from_string: the inverse;
 * _GUARD_PART_MAX for any other word. */
const char *guard_part_to_string(unsigned kind);
unsigned guard_part_from_string(const char *word);

#define GUARD_PART_BIT(k)    (1u << (k))
#define GUARD_PART_NAME_MAX  256
#define GUARD_PART_DIGEST_MAX 17

typedef struct GuardPart {
    GuardPartKind kind;
    char name[GUARD_PART_NAME_MAX];     /* "": the kind has only one */
    char digest[GUARD_PART_DIGEST_MAX]; /* of its text; "": only the name counts */
} GuardPart;

#define GUARD_PARTS_MAX  100U
#define GUARD_PARTS_MANY "*" /* the name of a part that stands for all of its kind, see guard_parts_many() */

typedef struct GuardParts {
    GuardPart *items;
    size_t n;
    uint32_t kinds; /* GUARD_PART_BITs that were read completely */
} GuardParts;

/* What is remembered of a user, role or topic of the guard. */
typedef struct GuardRecord {
    char arn[ARN_MAX];
    GuardParts parts;    /* as last read ... */
    uint64_t read_usec;  /* ... at this time; real */
    bool simulated;      /* its rights were simulated at least once */
    uint64_t found_usec; /* real; when a loss was found that may not be reported yet; 0: none */
    uint64_t lost_usec;  /* real; when the reported loss was found: the incident's mark; 0: none */
    unsigned sequence;   /* of the last message about it */
    uint64_t lost_mark;  /* identifies the reported losses ... */
    unsigned n_lost;     /* ... their number ... */
    Severity severity;   /* ... and severity */
    uint64_t reported_usec;   /* real; the last report ... */
    unsigned n_reminders;     /* ... and the number of reminders */
    unsigned n_lost_now;      /* the losses of the latest simulation: their number ... */
    char lost[ERROR_TEXT_MAX]; /* ... and text; raw */
} GuardRecord;

void guard_parts_done(GuardParts *parts);

/* Adds a part, with a digest of text (NULL: none). JSON with the same meaning has the same digest. 0,
 * -ENOMEM, or -E2BIG beyond GUARD_PARTS_MAX. */
int guard_parts_add(GuardParts *parts, GuardPartKind kind, const char *name, const char *text);

/* Replaces all parts of a kind with the fact that there are more than are kept, which counts as a change. So
 * an attacker who adds many cannot hide another one behind them. 0 or -ENOMEM. */
int guard_parts_many(GuardParts *parts, GuardPartKind kind);

/* Writes the differences as a list of short sentences without a final full stop: "the trust policy was
 * changed; ...". Compares only kinds that both have. Returns the number of differences. ret_severity:
 * critical if a changed part decides who the guard is, or ends its sessions. */
unsigned guard_parts_compare(const GuardParts *before, const GuardParts *now, StrBuf *ret,
                             Severity *ret_severity);

/* Takes over the parts of now; kinds that now does not have stay. 0, or -ENOMEM and nothing changed. */
int guard_parts_merge(GuardParts *record, GuardParts *now);

/* How a simulation is reported. */
typedef enum RightsChange {
    RIGHTS_SAME,
    RIGHTS_LOST, /* for the first time, or worse than reported */
    RIGHTS_RESTORED,
} RightsChange;

/* Call before guard_rights_take. True if something is lost that may not be reported yet. Records since when,
 * so that the time is in the state file before the message is in the outbox, and a crash in between does not
 * change the message's id. */
bool guard_rights_found(GuardRecord *record, const GuardLossReport *found, uint64_t now_usec);

/* Decides, and records the decision: the message has the number record->sequence and the incident lost_usec,
 * which stays until the caller has queued the message about its end. */
RightsChange guard_rights_take(GuardRecord *record, const GuardLossReport *found, uint64_t now_usec);

/* True if a reminder is due. Records it, as guard_rights_take does. */
bool guard_rights_remind(GuardRecord *record, uint64_t interval_usec, uint64_t now_usec);

/* The message for what guard_rights_take or guard_rights_remind recorded: PHASE_OPENED, PHASE_RESOLVED or
 * PHASE_REMINDER. why_forgotten: RESOLVED because it is no longer checked; else NULL. */
Event guard_rights_event(const GuardRecord *record, EventPhase phase, const char *why_forgotten, Mode mode);

/* Call when the return of all rights was reported. */
void guard_rights_end(GuardRecord *record);

/* A change of a user, role or topic, and its caller. */
typedef struct GuardChange {
    Severity severity;
    const char *text;
    const Actor *actor; /* NULL: unknown ... */
    unsigned n_read;    /* ... after so many records were read ... */
    bool unread;        /* ... and the caller may be in records that were not read */
} GuardChange;

/* The message about it. It is the same after a crash, because the former state and its time are on disk. */
Event guard_change_event(const GuardRecord *record, const GuardChange *change, Mode mode);

/* The record of the user, role or topic; NULL: none. */
GuardRecord *guard_record_find(GuardRecord *records, size_t n, const char *arn);

/* An attacker who takes all rights also takes the right to simulate. True if a denied
 * SimulatePrincipalPolicy counts as that loss: only if simulation worked before. text: AWS's error. */
bool guard_losses_of_denial(const GuardRecord *record, bool denied, const char *text, GuardLossReport *ret);

/* The identities of the base credentials. Writes made with the former keys before the change are not
 * attributed to anyone. */
typedef struct Identities {
    char latest[ARN_MAX]; /* the last one that AWS reported; "": none yet */
    char former[ARN_MAX]; /* the one before it; "": none */
    uint64_t former_until_usec;
} Identities;

/* Records the identity that AWS reported. True if it differs from the last one. */
bool identities_take(Identities *who, const char *arn, uint64_t now_usec);

/* The user or role whose rights are checked: the assumed role (NULL: none), or that of the credentials. "":
 * the root user, who has all rights and no policies, or unknown yet. */
const char *guard_principal_of(const char *role_arn, const char *identity);

/* The guard's access to an account. */
typedef struct GuardPrincipal {
    const char *identity; /* from GetCallerIdentity there; "": unknown yet */
    bool blocked;     /* no keys are available */
    bool left;        /* the account left the organization */
    bool by_role;     /* else by the base credentials, which assume the roles in other accounts */
    bool guarded;
} GuardPrincipal;

/* True if the guard's access there can be checked. */
bool guard_is_checkable(const GuardPrincipal *principal);

/* The name of a user's or role's record: a role without its path, because the path is only known from the
 * second answer on. */
void guard_record_name(const char *principal, char ret[static ARN_MAX]);

/* What decides whether a record is still the guard's. All is borrowed. */
typedef struct GuardRecordUse {
    const char *arn;           /* the record's */
    bool checks;               /* guard_checks */
    const char *const *topics; /* of `alerts` */
    size_t n_topics;
    bool base;                 /* it is in the account of the base credentials */
    const char *account_ended; /* why its account is no longer guarded; NULL: it is, or this is unknown */
    const char *const
            *used; /* names of the records of the users and roles in use there; "": one is unknown */
    size_t n_used;
} GuardRecordUse;

/* Why the guard no longer uses the user, role or topic; NULL: it does, or this is not known yet. The base
 * credentials need their rights even if their account is not guarded. */
const char *guard_record_why_ended(const GuardRecordUse *use);

/* The longest pause between two checks: with a thousand accounts a day has room for four checks each.
 * Shorter only if some account would otherwise miss its turn. */
uint64_t guard_check_gap_usec(uint64_t interval_usec, size_t n_accounts);

/* The pause between the start and the first check: trails are polled first. */
uint64_t guard_check_begin_usec(uint64_t interval_usec);

/* No check is due before due_usec: the time until the next look for one that is due. By then new accounts
 * are known. */
uint64_t guard_check_wait_usec(uint64_t due_usec, uint64_t now_usec);

/* AWS denied a call: when the account's check is due. Soon, unless the last one (mono; 0: none) is recent;
 * never later than before. */
uint64_t guard_check_wanted_usec(uint64_t due_usec, uint64_t begun_usec, uint64_t interval_usec,
                                 uint64_t now_usec);
#define GUARD_CHECK_SOON_USEC (2ULL * 1000000)

/* Where AWS records the calls that change a user, role or topic, and under which resource name. For IAM that
 * is one region of the partition of `region`, for a topic its own region. */
typedef struct GuardHistory {
    const char *region;
    char name[ARN_MAX];
    char of_topic[32]; /* region may point to it */
} GuardHistory;

void guard_history_of(const char *arn, const char *region, GuardHistory *ret);

/* A caller may have made more calls since, to push the change off the first page. So the history is read
 * back to the last time at which the guard found everything unchanged, at most this many pages. AWS allows
 * two a second. */
#define GUARD_SEARCH_PAGES_MAX 40U
/* A record has up to 256 KB, and the caller can fill it: fifty such records exceed the limit of an
 * answer. */
#define GUARD_SEARCH_SMALL_PAGE 5U

/* A page of the history that does not have the change. */
typedef struct GuardPage {
    bool failed;      /* there was no answer ... */
    bool too_big;     /* ... because it exceeded the limit */
    bool small;       /* it was requested as a small page */
    bool has_next;    /* there are older records */
    unsigned n_pages; /* requested so far, including this one */
} GuardPage;

typedef enum GuardSearchStep {
    GUARD_SEARCH_ENDS,
    GUARD_SEARCH_GOES_ON,
    GUARD_SEARCH_SHRINKS, /* again from the newest record, in small pages */
} GuardSearchStep;

/* The next step. *ret_unread: the search ends, but the change may be in records that were not read. */
GuardSearchStep guard_search_step(const GuardPage *page, bool *ret_unread);

/* The time until the next check: soon after trouble, else the interval, with up to a 24th of jitter from a
 * random number. */
uint64_t guard_check_next_usec(uint64_t interval_usec, bool trouble, uint64_t random);

/* ---- what protects the guard ---- */

/* Checks who may assume a role: NULL if the trust policy names principals or conditions, else the problem.
 * Borrowed. */
const char *protection_trust_problem(const char *trust);
