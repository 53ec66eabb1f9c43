/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AWS IAM, API version 2010-05-08 (Query protocol): what a user or role may do, is and has, and its inline
 * policies. Asked in the partition's one region for IAM. Source: AWS Identity and Access Management API
 * Reference. */

#include "lib/arn.h"
#include "lib/operation.h"

/* ---- SimulatePrincipalPolicy ---- */

#define IAM_SIMULATED_MAX 1000 /* decisions of one simulation */

typedef enum IamDecision {
    IAM_ALLOWED,
    IAM_NOT_ALLOWED, /* no statement allows it */
    IAM_DENIED,      /* a statement denies it */
} IamDecision;

/* One action on one resource. */
typedef struct IamSimulated {
    char action[AWS_ACTION_MAX];
    char resource[ARN_MAX]; /* "*" when it has none */
    IamDecision decision;
    bool by_organization; /* a service control policy does not allow it */
    bool by_boundary;     /* the permissions boundary does not */
} IamSimulated;

typedef struct IamSimulation {
    IamSimulated *items;
    size_t n;
} IamSimulation;

void iam_simulation_done(IamSimulation *simulation);
/* Of a decision that does not allow. */
const char *iam_why_not(const IamSimulated *one);

/* Whose rights, and which. */
typedef struct IamQuestion {
    const char *principal; /* ARN of a user or role, with its path */
    const char *const *actions;
    size_t n_actions;
    const char *const *resources; /* ARNs; none: any */
    size_t n_resources;
    const char *passed_to; /* the service that iam:PassRole hands a role to; NULL: not asked */
} IamQuestion;

/* What iam_simulate_principal_policy takes; the caller frees *ret. 0, -EINVAL without principal or action,
 * -ENOMEM. Pure. */
int iam_question_text(const IamQuestion *question, char **ret);

/* The input is a text by iam_question_text. */
DECLARE_OPERATION(iam_simulate_principal_policy, char, const IamSimulation);

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

/* ---- inline policies ---- */

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
