/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Principals as policies name them. The condition key aws:PrincipalArn holds the ARN of a user or role, of a
 * role with its path and without the session; a session's ARN has the role's name alone. Pure. */

#include <stdbool.h>
#include <stddef.h>

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
