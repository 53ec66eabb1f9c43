/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AWS IAM: the inline policies of a user or a role. Source: AWS Identity and Access Management API
 * Reference. */

#include "lib/operation.h"

/* What AWS takes, in characters without white space, of all inline policies of one user or role together
 * (IAM User Guide, "IAM and AWS STS quotas"). */
#define IAM_USER_POLICIES_MAX 2048
#define IAM_ROLE_POLICIES_MAX 10240

typedef struct IamPolicy {
    const char *owner;    /* the name of the user or role, without its path */
    const char *name;     /* of the policy */
    const char *document; /* put only: JSON */
} IamPolicy;

/* The value is the document as it was put; "" when the user or role has no such policy, or does not exist:
 * AWS answers both alike. */
DECLARE_OPERATION(iam_get_user_policy, IamPolicy, const char);
DECLARE_OPERATION(iam_get_role_policy, IamPolicy, const char);

/* Puts it, or overwrites one of that name. */
DECLARE_WRITE(iam_put_user_policy, IamPolicy);
DECLARE_WRITE(iam_put_role_policy, IamPolicy);

DECLARE_WRITE(iam_delete_user_policy, IamPolicy);
DECLARE_WRITE(iam_delete_role_policy, IamPolicy);
