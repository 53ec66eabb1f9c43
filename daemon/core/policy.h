/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* IAM policies that fit a configuration: the least that the guard needs, and what keeps others from touching
 * it. Pure: a table of what each option calls, in; JSON, out. Sources: AWS's Service Authorization Reference
 * (which actions can be limited to which resources) and the IAM User Guide (global condition keys). */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "daemon/core/model.h"

/* The one role that may still change trails, for planned work. */
#define POLICY_BREAK_GLASS "TrailGuardBreakGlass"

/* What the guard does in one account. */
typedef struct PolicyNeeds {
    bool guarded; /* false: it only alerts, reads an organization's history, and reaches others from here */
    const char *partition; /* "aws" */
    const char *account;   /* "" when it is not known: any */
    Mode mode;
    uint32_t restore;    /* RESTORE_BITs; heeded in MODE_RESTORE only */
    bool opt_in_regions; /* polls some that the account may turn off; heeded in partition aws, where there
                            are such */
    bool settings;       /* looks at settings, selectors and tags */
    bool attribution;
    bool bucket_checks;
    bool owner_check; /* only whose the buckets are */
    bool contains;    /* takes the rights of users and roles that attack trails ... */
    const char *own;  /* ... not its own: the ARN of its user or role, may hold wildcards; "": not known */
    bool guard_checks; /* reads and simulates its own */
    /* the base credentials only */
    const char *const *topics; /* ARNs that alerts go to */
    size_t n_topics;
    const char *const *roles; /* ARNs that are assumed; may hold wildcards */
    size_t n_roles;
    /* These are the management account's or a delegated administrator's: they list the accounts, and may
     * write to the organization's trails, whose ARNs have the id of the management account. */
    bool organization;
} PolicyNeeds;

/* A new reference, NULL without memory. */
json_t *policy_guard(const PolicyNeeds *needs);

/* The trust policy of a role that the guard assumes. external_id may be NULL. */
json_t *policy_trust(const char *guard_arn, const char *external_id);

/* Whom a policy against tampering leaves alone, and what else it guards. */
typedef struct PolicyShield {
    const char *partition;
    const char *account;       /* "" : any */
    bool organization;         /* also the trails of the organization, which may be another account's */
    const char *const *guards; /* ARNs of the users and roles of guards; may hold wildcards */
    size_t n_guards;
    bool guards_write; /* they put settings back, which is denied to others */
    const char *const *topics;
    size_t n_topics;
} PolicyShield;

/* What AWS takes, in characters (IAM User Guide, "IAM and AWS STS quotas"; Organizations User Guide,
 * "Quotas"). */
#define POLICY_IAM_MAX 6144 /* of a managed policy; white space is not counted */
#define POLICY_SCP_MAX 5120

/* What takes the rights of one user or role: changes of trails, of the topics of its account, of IAM, and
 * other roles. Whoever may change IAM would take the policy off again. */
typedef struct PolicyContain {
    const char *const *topics; /* ARNs */
    size_t n_topics;
    const char *before; /* sessions that began before this are denied everything, ISO 8601; NULL: a user */
    size_t max;         /* characters; over it all topics stand for those that are named */
} PolicyContain;

json_t *policy_contain(const PolicyContain *contain);

/* Characters without white space; 0 without memory. */
size_t policy_size(const json_t *policy);

/* For users, groups and roles of one account; or for the whole organization, which has more to keep. */
json_t *policy_deny(const PolicyShield *shield);
json_t *policy_scp(const PolicyShield *shield);

/* Principals as policies name them. The condition key aws:PrincipalArn holds the ARN of a user or role, of a
 * role with its path and without the session; a session's ARN has the role's name alone. */
typedef struct PolicyPrincipals {
    char **items; /* ARNs; may hold wildcards */
    size_t n;
} PolicyPrincipals;

/* Where a policy applies. */
typedef struct PolicyPlace {
    const char *partition;
    const char *account; /* "": any */
} PolicyPlace;

/* Adds what stands for a user, a role or a session ("*": in any account), once; nothing when it is of
 * another partition or account. A role's session stands for the role. exact: the ARN of a role has its path;
 * otherwise, and of a session, a role of that name with a path is added, too: no two roles of one account
 * have the same name. 0, or -ENOMEM. */
int policy_principals_add(PolicyPrincipals *principals, const PolicyPlace *place, const char *arn,
                          bool exact);

/* The same names in any account, in the place of each account's own: fewer. 0, or -ENOMEM. */
int policy_principals_fold(PolicyPrincipals *principals);

void policy_principals_done(PolicyPrincipals *principals);
