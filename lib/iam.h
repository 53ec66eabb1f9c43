/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AWS IAM, API version 2010-05-08 (Query protocol): what a user or role may do. lib/iam_principal.h has what
 * they are. Asked in the partition's one region for IAM. Source: AWS Identity and Access Management API
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
