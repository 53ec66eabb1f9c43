/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The guard's own access: which rights it needs to be simulated, what of its users, roles and topics was
 * changed, and what protects them. Pure. */

#include <jansson.h>

#include "daemon/core/model.h"
#include "lib/arn.h"
#include "lib/util/strbuf.h"

/* ---- rights ---- */

#define RIGHTS_ACTIONS_MAX   64U
#define RIGHTS_RESOURCES_MAX 20U

/* What IAM is asked about one statement. Borrowed from it, and from the trails. */
typedef struct RightsQuestion {
    const char *actions[RIGHTS_ACTIONS_MAX], *resources[RIGHTS_RESOURCES_MAX];
    size_t n_actions, n_resources;
    bool passes_role; /* one is iam:PassRole */
} RightsQuestion;

/* Of a statement of `policy guard`. Where it is about any trail, these stand for it, as far as they fit. */
void rights_question(const json_t *statement, const char *const *trails, size_t n_trails,
                     RightsQuestion *ret);

/* Without it the guard is blind or mute, or cannot act; others cost a check or a name. */
bool right_is_vital(const char *action);
/* The guard can do without: repeated answers are the proof that a region is off. */
bool right_is_optional(const char *action);

#define GUARD_ACTION_MAX 128

/* One action on one resource that would not be allowed. */
typedef struct GuardLoss {
    char action[GUARD_ACTION_MAX];
    char resource[ARN_MAX];
    const char *why; /* lives for ever */
} GuardLoss;

typedef struct GuardLosses {
    GuardLoss *items;
    size_t n;
} GuardLosses;

/* The optional ones count for nothing. */
typedef struct GuardLossReport {
    unsigned n;
    Severity severity;
    uint64_t mark; /* identifies them */
    char text[ERROR_TEXT_MAX];
} GuardLossReport;

void guard_losses_report(const GuardLosses *losses, GuardLossReport *ret);

/* ---- what is watched ---- */

typedef enum GuardPartKind {
    GUARD_PART_TRUST,        /* who may assume the role */
    GUARD_PART_BOUNDARY,     /* the permissions boundary; the name is its ARN */
    GUARD_PART_ATTACHED,     /* a managed policy; the name is its ARN */
    GUARD_PART_INLINE,       /* an inline policy */
    GUARD_PART_KEY,          /* an access key; the name is its id */
    GUARD_PART_TOPIC_POLICY, /* who may publish to a topic of alerts */
    GUARD_PART_TOPIC_KEY,    /* the KMS key of a topic */
    GUARD_PART_SUBSCRIPTION, /* a confirmed one; the name is protocol and end of its ARN */
    _GUARD_PART_MAX,
} GuardPartKind;

/* "inline_policy", and back: _GUARD_PART_MAX for any other word. */
const char *guard_part_to_string(unsigned kind);
unsigned guard_part_from_string(const char *word);

#define GUARD_PART_BIT(k)    (1u << (k))
#define GUARD_PART_NAME_MAX  256
#define GUARD_PART_DIGEST_MAX 17

typedef struct GuardPart {
    GuardPartKind kind;
    char name[GUARD_PART_NAME_MAX];     /* "": there is only one of the kind */
    char digest[GUARD_PART_DIGEST_MAX]; /* of what it says; "": nothing but the name counts */
} GuardPart;

#define GUARD_PARTS_MAX  100U
#define GUARD_PARTS_MANY "*" /* the name of a part in place of all of a kind, see guard_parts_many() */

typedef struct GuardParts {
    GuardPart *items;
    size_t n;
    uint32_t kinds; /* GUARD_PART_BITs that were read, all of each */
} GuardParts;

/* What is remembered of a user, role or topic of the guard. */
typedef struct GuardRecord {
    char arn[ARN_MAX];
    GuardParts parts;    /* as last read ... */
    uint64_t read_usec;  /* ... then; real */
    bool simulated;      /* its rights were simulated at least once */
    uint64_t found_usec; /* real; when a loss was found that may not be reported yet; 0: none */
    uint64_t lost_usec;  /* real; when the loss of rights was found: the incident's mark; 0: none is reported
                          */
    unsigned sequence;   /* of the last message about it */
    uint64_t lost_mark;  /* identifies what was reported as lost ... */
    unsigned n_lost;     /* ... so many */
    Severity severity;   /* of that */
    uint64_t reported_usec;   /* real; when it was reported last ... */
    unsigned n_reminders;     /* ... and so many reminders of it */
    unsigned n_lost_now;      /* what is lost as simulated last: so many ... */
    char lost[ERROR_TEXT_MAX]; /* ... and which; raw */
} GuardRecord;

void guard_parts_done(GuardParts *parts);

/* Adds a part, with a digest of text (NULL: none); JSON counts as the same however it is written. 0,
 * -ENOMEM, or -E2BIG past GUARD_PARTS_MAX. */
int guard_parts_add(GuardParts *parts, GuardPartKind kind, const char *name, const char *text);

/* There are more of this kind than are kept: that alone is known of it, and counts as a change. Whoever adds
 * many must not hide what else is added. 0 or -ENOMEM. */
int guard_parts_many(GuardParts *parts, GuardPartKind kind);

/* Says what differs, as a list of short sentences without an end: "the trust policy was changed; ...".
 * Only kinds that both know are compared. Returns the number of differences. ret_severity: critical where
 * what changed decides who the guard is or ends its sessions. */
unsigned guard_parts_compare(const GuardParts *before, const GuardParts *now, StrBuf *ret,
                             Severity *ret_severity);

/* What now does not know stays as it was. Takes now over. 0 or -ENOMEM, and then nothing has changed. */
int guard_parts_merge(GuardParts *record, GuardParts *now);

/* What is reported of a simulation. */
typedef enum RightsChange {
    RIGHTS_SAME,
    RIGHTS_LOST, /* for the first time, or worse than reported */
    RIGHTS_RESTORED,
} RightsChange;

/* Before guard_rights_take: is something lost that may not be reported yet? Notes since when; this is in the
 * state file before the message is in the outbox, and a crash in between changes nothing of its id. */
bool guard_rights_found(GuardRecord *record, const GuardLossReport *found, uint64_t now_usec);

/* Decides, and notes it in the record: the message's number is record->sequence, its incident lost_usec,
 * which is kept until the caller has queued the message of the end. */
RightsChange guard_rights_take(GuardRecord *record, const GuardLossReport *found, uint64_t now_usec);

/* Is a reminder due? Notes it in the record, as guard_rights_take does. */
bool guard_rights_remind(GuardRecord *record, uint64_t interval_usec, uint64_t now_usec);

/* The message about what guard_rights_take or guard_rights_remind has noted: PHASE_OPENED, PHASE_RESOLVED
 * or PHASE_REMINDER. why_forgotten: RESOLVED because it is not checked any more, or NULL. */
Event guard_rights_event(const GuardRecord *record, EventPhase phase, const char *why_forgotten, Mode mode);

/* It was reported that all is there again. */
void guard_rights_end(GuardRecord *record);

/* Whoever takes all rights takes that of asking, too: is a denied SimulatePrincipalPolicy that loss? It is
 * for one that could be asked before. text: AWS's error. */
bool guard_losses_of_denial(const GuardRecord *record, bool denied, const char *text, GuardLossReport *ret);

/* Whom the base credentials were. What was written by the keys before is nobody's deed up to the change. */
typedef struct Identities {
    char latest[ARN_MAX]; /* as AWS said at last; "": never */
    char former[ARN_MAX]; /* before that; "": none */
    uint64_t former_until_usec;
} Identities;

/* AWS says who they are: is that another one than before? Then notes it. */
bool identities_take(Identities *who, const char *arn, uint64_t now_usec);

/* The user or role whose rights are checked: the role that is assumed (NULL: none), or that of the
 * credentials. "": the root user, who has all rights and no policies, or not known yet. */
const char *guard_principal_of(const char *role_arn, const char *identity);

/* What the guard has in an account. */
typedef struct GuardPrincipal {
    const char *identity; /* as AWS said who we are there; "": not yet */
    bool blocked;     /* no keys can be had */
    bool left;        /* it was a member of the organization */
    bool by_role;     /* else by the base credentials, which other accounts' roles are assumed with */
    bool guarded;
} GuardPrincipal;

/* Can what it has be checked? */
bool guard_is_checkable(const GuardPrincipal *principal);

/* The name that the record of a user or role has: without a role's path, which is known from the second
 * answer on only. */
void guard_record_name(const char *principal, char ret[static ARN_MAX]);

/* Is a user or role none of those that the guard uses in its account? used: the names of their records; "":
 * one is not known, so that it cannot be said. */
bool guard_record_is_left(const char *arn, const char *const *used, size_t n);

/* How long between two checks, at most: with a thousand accounts a day has room for each four times. It is
 * shorter only where all would not have their turn otherwise. */
uint64_t guard_check_gap_usec(uint64_t interval_usec, size_t n_accounts);

/* How long after a start the first check begins: the polls of trails come first. */
uint64_t guard_check_begin_usec(uint64_t interval_usec);

/* None is due before due_usec: how long until it is looked again which one is? New accounts are found by
 * then. */
uint64_t guard_check_wait_usec(uint64_t due_usec, uint64_t now_usec);

/* AWS has denied something: when is the account's check due? Soon, unless the last one (mono; 0: none) is
 * young; never later than it was. */
uint64_t guard_check_wanted_usec(uint64_t due_usec, uint64_t begun_usec, uint64_t interval_usec,
                                 uint64_t now_usec);
#define GUARD_CHECK_SOON_USEC (2ULL * 1000000)

/* Where AWS records the calls that change a user, role or topic: IAM's in one region of the partition that
 * region is in, a topic's in its own; and under which name of a resource. */
typedef struct GuardHistory {
    const char *region;
    char name[ARN_MAX];
    char of_topic[32]; /* region may point to it */
} GuardHistory;

void guard_history_of(const char *arn, const char *region, GuardHistory *ret);

/* Whoever made the change may have made calls since, to push it off the page: the history is read back to
 * when the guard knew that all was as before, as far as so many pages go. AWS allows two a second. */
#define GUARD_SEARCH_PAGES_MAX 40U
/* A record has up to 256 KB, and whoever calls can fill it: fifty are more than is read. */
#define GUARD_SEARCH_SMALL_PAGE 5U

/* A page of it that does not have the change. */
typedef struct GuardPage {
    bool failed;      /* there was no answer ... */
    bool too_big;     /* ... for it was longer than what is read */
    bool small;       /* it was asked for as a small one */
    bool has_next;    /* there are older records */
    unsigned n_pages; /* that were asked for so far, with this one */
} GuardPage;

typedef enum GuardSearchStep {
    GUARD_SEARCH_ENDS,
    GUARD_SEARCH_GOES_ON,
    GUARD_SEARCH_SHRINKS, /* from the newest record on, in small pages */
} GuardSearchStep;

/* What is read next. *ret_unread: if that is nothing, or cannot be asked for, the change may be in records
 * that were not read. */
GuardSearchStep guard_search_step(const GuardPage *page, bool *ret_unread);

/* When a check is due again, from now: after trouble soon, else after the interval, with up to a 24th of it
 * of jitter from a random number. */
uint64_t guard_check_next_usec(uint64_t interval_usec, bool trouble, uint64_t random);

/* ---- what protects the guard ---- */

/* Who may assume a role: NULL when the trust policy names principals or conditions; else what is wrong with
 * it. Borrowed. */
const char *protection_trust_problem(const char *trust);
