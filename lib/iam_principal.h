/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AWS IAM, API version 2010-05-08 (Query protocol): what a user or role is and has. All are reads. Source:
 * AWS Identity and Access Management API Reference. */

#include "lib/arn.h"
#include "lib/operation.h"

/* ---- GetRole, GetUser ---- */

/* Owns its texts. */
typedef struct IamPrincipal {
    char *arn;      /* with its path, which a session's ARN has not */
    char *trust;    /* of a role: AssumeRolePolicyDocument, JSON; "" of a user */
    char *boundary; /* ARN of the permissions boundary; "": none */
} IamPrincipal;

/* The input is the name. */
DECLARE_OPERATION(iam_get_role, char, const IamPrincipal);
DECLARE_OPERATION(iam_get_user, char, const IamPrincipal);

/* ---- lists ---- */

#define IAM_LIST_MAX 200

typedef struct IamListed {
    char name[ARN_MAX]; /* ARN of a managed policy; name of an inline one; id of a key */
    bool active;        /* of a key */
    uint64_t created_usec; /* of a key; 0: not said */
} IamListed;

typedef struct IamList {
    IamListed *items;
    size_t n;
} IamList;

/* The input is the name of the role or user. */
DECLARE_OPERATION(iam_list_attached_role_policies, char, const IamList);
DECLARE_OPERATION(iam_list_attached_user_policies, char, const IamList);
DECLARE_OPERATION(iam_list_role_policies, char, const IamList);
DECLARE_OPERATION(iam_list_user_policies, char, const IamList);
DECLARE_OPERATION(iam_list_access_keys, char, const IamList);

/* ---- GetPolicy ---- */

/* A version never changes, and a policy that was deleted and created again has another id. */
typedef struct IamManaged {
    char id[64], version[32];
} IamManaged;

/* The input is the policy's ARN. */
DECLARE_OPERATION(iam_get_policy, char, const IamManaged);
