/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The rights that the guard needs with a configuration, for each account: what `policy guard` prints, and
 * what IAM is asked about. */

#include <jansson.h>

#include "daemon/config/config.h"
#include "daemon/core/policy.h"
#include "lib/arn.h"

/* Who the base credentials are. */
typedef struct GuardIdentity {
    bool known;
    char account[16], partition[24];
    char region[32];      /* for calls that belong to no region of their own */
    char arn[ARN_MAX];    /* of the user or role, not of its session; the latter's path is not known */
    char caller[ARN_MAX]; /* as STS names it */
    char error[ERROR_TEXT_MAX];
} GuardIdentity;

/* What STS said, into the identity. */
void guard_identity_take(GuardIdentity *guard, const char *account, const char *arn);

/* Everything that the policies are about, collected. */
typedef struct PolicyJob {
    const Config *config;
    const char *account; /* deny: whose alone; NULL: all */
    GuardIdentity guard;
    const char *partition;
    const char *topics[CONFIG_CHANNELS_MAX];
    size_t n_topics;
    const char *roles[CONFIG_ACCOUNTS_MAX + 1]; /* that are assumed */
    size_t n_roles;
    bool own_shard;            /* else of all shards */
    char member_role[ARN_MAX]; /* of the organization */
    bool folded;               /* out: the roles did not fit into one policy one by one */
} PolicyJob;

/* Fills in what follows from config, guard and own_shard. */
void policy_job_collect(PolicyJob *job);
/* Also when no role is of this shard. */
bool policy_job_uses_roles(const PolicyJob *job);

/* All of it: a policy, or {"hub", "members": [{"role_arn", "policy", "trust"}]}. A new reference, NULL
 * without memory. */
json_t *policy_job_guard(PolicyJob *job);

/* The policy of one principal alone: of the base credentials (role_arn NULL), or of a role that is assumed.
 * A new reference, NULL without memory. */
json_t *guard_policy_of(const Config *config, const GuardIdentity *guard, const char *role_arn);
