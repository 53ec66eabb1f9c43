/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* IAM policies for a configuration: the least rights that the guard needs, and policies that protect trails
 * and the guard from others. Pure: from a table of what each option calls to JSON. Sources: AWS's Service
 * Authorization Reference (which actions can be limited to which resources) and the IAM User Guide (global
 * condition keys). */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "daemon/core/model.h"

/* The only role that may still change trails, for planned work. */
#define POLICY_BREAK_GLASS "TrailGuardBreakGlass"

/* The guard's calls in one account. */
typedef struct PolicyNeeds {
    bool guarded; /* false: it only sends alerts, reads an organization's history, and assumes roles from
                     here */
    const char *partition; /* "aws" */
    const char *account;   /* "" if unknown: any */
    Mode mode;
    uint32_t restore;    /* RESTORE_BITs; only used in MODE_RESTORE */
    bool opt_in_regions; /* some of its regions can be disabled; only used in partition aws, the only one
                            that has such regions */
    bool settings;       /* reads settings, selectors and tags */
    bool attribution;
    bool bucket_checks;
    bool owner_check; /* checks only who owns the buckets */
    bool contains;    /* takes rights away from users and roles that attack trails ... */
    const char *own;  /* ... except its own: the ARN of its user or role, may have wildcards; "": unknown */
    bool guard_checks; /* reads and simulates its own rights */
    /* of the base credentials only */
    const char *const *topics; /* ARNs of the alerts' topics */
    size_t n_topics;
    const char *const *roles; /* ARNs that it assumes; may have wildcards */
    size_t n_roles;
    /* The credentials belong to the management account or a delegated administrator: they list the accounts,
     * and may write to the organization's trails, whose ARNs have the id of the management account. */
    bool organization;
} PolicyNeeds;

/* A new reference, NULL without memory. */
json_t *policy_guard(const PolicyNeeds *needs);

/* The trust policy of a role that the guard assumes. external_id may be NULL. */
json_t *policy_trust(const char *guard_arn, const char *external_id);

/* Which principals a policy against tampering exempts, and what else it protects. */
typedef struct PolicyShield {
    const char *partition;
    const char *account;       /* "": any */
    bool organization;         /* also the organization's trails, which may belong to another account */
    const char *const *guards; /* ARNs of the guards' users and roles; may have wildcards */
    size_t n_guards;
    bool guards_write; /* the guards restore settings, which others may not write */
    const char *const *topics;
    size_t n_topics;
} PolicyShield;

/* AWS's limits in characters (IAM User Guide, "IAM and AWS STS quotas"; Organizations User Guide,
 * "Quotas"). */
#define POLICY_IAM_MAX 6144 /* of a managed policy, without white space */
#define POLICY_SCP_MAX 5120

/* The policy that takes rights away from one user or role: to change trails, IAM and the topics of its
 * account, and to assume other roles. Who may change IAM could remove the policy. */
typedef struct PolicyContain {
    const char *const *topics; /* ARNs */
    size_t n_topics;
    const char *before; /* sessions that began before this time are denied everything, ISO 8601; NULL: a
                           user */
    size_t max;         /* characters; above it, all topics replace the listed ones */
} PolicyContain;

json_t *policy_contain(const PolicyContain *contain);

/* In characters without white space; 0 without memory. */
size_t policy_size(const json_t *policy);

/* policy_deny: for users, groups and roles of one account. policy_scp: for the whole organization, which
 * needs more exemptions. */
json_t *policy_deny(const PolicyShield *shield);
json_t *policy_scp(const PolicyShield *shield);

/* Principals in the form that policies need. The condition key aws:PrincipalArn has the ARN of a user or
 * role; for a role with its path and without the session. A session's ARN has only the role's name. */
typedef struct PolicyPrincipals {
    char **items; /* ARNs; may have wildcards */
    size_t n;
} PolicyPrincipals;

/* Where a policy applies. */
typedef struct PolicyPlace {
    const char *partition;
    const char *account; /* "": any */
} PolicyPlace;

/* Adds, once, the principal of a user, role or session ("*": in any account); nothing if it belongs to
 * another partition or account. A session counts as its role. exact: a role's ARN has its path; otherwise,
 * and for a session, also adds a role of that name with any path, because role names are unique within an
 * account. 0 or -ENOMEM. */
int policy_principals_add(PolicyPrincipals *principals, const PolicyPlace *place, const char *arn,
                          bool exact);

/* Replaces principals of the same name in several accounts by one for any account. 0 or -ENOMEM. */
int policy_principals_fold(PolicyPrincipals *principals);

void policy_principals_done(PolicyPrincipals *principals);
