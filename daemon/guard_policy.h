/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The rights that the guard needs for a configuration, per account: what `policy guard` prints, and what is
 * simulated. */

#include <jansson.h>

#include "daemon/config/config.h"
#include "daemon/core/policy.h"
#include "lib/arn.h"

/* The identity of the base credentials. */
typedef struct GuardIdentity {
    bool known;
    char account[16], partition[24];
    char region[32];      /* for calls without a region of their own */
    char arn[ARN_MAX];    /* of the user or role, not its session; a role's path is unknown */
    char caller[ARN_MAX]; /* from STS */
    char error[ERROR_TEXT_MAX];
} GuardIdentity;

/* Takes over STS's answer. */
void guard_identity_take(GuardIdentity *guard, const char *account, const char *arn);

/* Everything that the policies need. */
typedef struct PolicyJob {
    const Config *config;
    const char *account; /* deny: only this account's policy; NULL: all */
    GuardIdentity guard;
    const char *partition;
    const char *topics[CONFIG_CHANNELS_MAX];
    size_t n_topics;
    const char *roles[CONFIG_ACCOUNTS_MAX + 1]; /* that are assumed */
    size_t n_roles;
    bool own_shard;            /* false: all shards */
    char member_role[ARN_MAX]; /* of the organization */
    bool folded;               /* output: the roles did not fit into one policy individually */
} PolicyJob;

/* Fills in what follows from config, guard and own_shard. */
void policy_job_collect(PolicyJob *job);
/* True also if no role belongs to this shard. */
bool policy_job_uses_roles(const PolicyJob *job);

/* The whole result: a policy, or {"hub", "members": [{"role_arn", "policy", "trust"}]}. A new reference,
 * NULL without memory. */
json_t *policy_job_guard(PolicyJob *job);

/* The policy of one principal: the base credentials (role_arn NULL), or an assumed role. A new reference,
 * NULL without memory. */
json_t *guard_policy_of(const Config *config, const GuardIdentity *guard, const char *role_arn);
