/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/guard_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/scope.h"
#include "lib/endpoint.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* ---- the guard's identity ---- */

/* A session's ARN has its role's name without the path, which only IAM knows. */
static void take_arn(GuardIdentity *caller, const char *text) {
    Arn arn;
    char *slash;

    if (arn_parse(text, &arn) < 0)
        return;
    (void)text_copy(caller->partition, sizeof(caller->partition), arn.partition);
    if (!text_starts_with(arn.resource, "assumed-role/")) {
        (void)text_copy(caller->arn, sizeof(caller->arn), text);
        return;
    }
    slash = strrchr(arn.resource, '/');
    *slash = '\0';
    (void)snprintf(caller->arn, sizeof(caller->arn), "arn:%s:iam::%s:role/%.*s", arn.partition, arn.account,
                   (int)(sizeof(caller->arn) / 2), arn.resource + strlen("assumed-role/"));
}

void guard_identity_take(GuardIdentity *guard, const char *account, const char *arn) {
    guard->known = true;
    (void)text_copy(guard->account, sizeof(guard->account), account);
    (void)text_copy(guard->caller, sizeof(guard->caller), arn);
    take_arn(guard, arn);
}

/* ---- from the configuration ---- */

bool policy_job_uses_roles(const PolicyJob *job) {
    for (size_t i = 0; i < job->config->n_accounts; i++)
        if (job->config->accounts[i].role_arn)
            return true;
    return job->config->organization.role_name;
}

/* What is denied to others covers all accounts; a guard needs the rights of its shard. */
static bool is_covered(const PolicyJob *job, const AccountConfig *group) {
    Arn arn;

    if (!group->role_arn || arn_parse(group->role_arn, &arn) < 0)
        return false;
    return !job->own_shard || shard_has(&job->config->shard, arn.account);
}

void policy_job_collect(PolicyJob *job) {
    const Config *config = job->config;
    const Partition *partition = endpoint_partition_of(job->guard.region);

    job->partition = job->guard.partition[0] ? job->guard.partition : partition ? partition->id : "aws";
    job->n_topics = config_topics(config, job->topics);
    for (size_t i = 0; i < config->n_accounts; i++)
        if (is_covered(job, &config->accounts[i]))
            job->roles[job->n_roles++] = config->accounts[i].role_arn;
    if (config->organization.role_name) {
        (void)snprintf(job->member_role, sizeof(job->member_role), "arn:%s:iam::*:role/%s", job->partition,
                       config->organization.role_name);
        job->roles[job->n_roles++] = job->member_role;
    }
}

static bool has_opt_in_regions(const StringList *regions) {
    for (size_t i = 0; i < regions->n; i++)
        if (endpoint_region_is_opt_in(regions->items[i]))
            return true;
    return regions->all;
}

static PolicyNeeds needs_of(const PolicyJob *job, const AccountConfig *account) {
    Policy policy = config_account_policy(job->config, account);

    return (PolicyNeeds){
        .guarded = true,
        .partition = job->partition,
        .account = "",
        .mode = policy.mode,
        .restore = policy.restore,
        .opt_in_regions = has_opt_in_regions(config_account_regions(job->config, account)),
        .settings = true,
        .attribution = policy.attribution,
        .bucket_checks = job->config->bucket_checks,
        .owner_check = job->config->owner_check,
        .contains = job->config->contain.mode == CONTAIN_ENFORCE,
        .guard_checks = job->config->guard_checks,
    };
}

/* If many roles do not fit individually, uses roles of the same names in any account. */
static json_t *fitting(PolicyNeeds *needs, bool *ret_folded) {
    json_t *policy = policy_guard(needs);
    PolicyPlace place = { .partition = needs->partition, .account = "" };
    PolicyPrincipals roles = { 0 };
    int r = 0;

    if (!policy || policy_size(policy) <= POLICY_IAM_MAX)
        return policy;
    for (size_t i = 0; r == 0 && i < needs->n_roles; i++)
        r = policy_principals_add(&roles, &place, needs->roles[i], true);
    if (r == 0 && policy_principals_fold(&roles) == 0) {
        *ret_folded = true;
        needs->roles = (const char *const *)roles.items;
        needs->n_roles = roles.n;
        json_decref(policy);
        policy = policy_guard(needs);
    }
    policy_principals_done(&roles);
    return policy;
}

static json_t *hub_policy(PolicyJob *job) {
    const Config *config = job->config;
    const AccountConfig *group = config_base_account(config);
    PolicyNeeds needs = needs_of(job, group);

    needs.guarded = config_guards_base(config) &&
                    (!job->guard.known || shard_has(&config->shard, job->guard.account));
    needs.account = job->guard.account;
    needs.own = job->guard.arn;
    needs.topics = job->topics;
    needs.n_topics = job->n_topics;
    needs.roles = job->roles;
    needs.n_roles = job->n_roles;
    needs.organization = config->organization.role_name != NULL;
    return fitting(&needs, &job->folded);
}

/* A member's role ARN has the account's id, unless it stands for all members. */
static json_t *member_rights(const PolicyJob *job, const AccountConfig *group, const char *role_arn) {
    PolicyNeeds needs = needs_of(job, group);
    Arn arn;

    if (arn_parse(role_arn, &arn) >= 0) {
        needs.account = arn.account;
        needs.partition = arn.partition;
    }
    needs.own = role_arn;
    return policy_guard(&needs);
}

static json_t *member(const PolicyJob *job, const AccountConfig *group, const char *role_arn) {
    return json_pack("{s:s, s:o, s:o}", "role_arn", role_arn, "policy", member_rights(job, group, role_arn),
                     "trust",
                     policy_trust(job->guard.arn, group ? group->external_id : NULL));
}

json_t *policy_job_guard(PolicyJob *job) {
    const Config *config = job->config;
    json_t *members;

    if (!policy_job_uses_roles(job))
        return hub_policy(job);
    members = json_array();
    for (size_t i = 0; i < config->n_accounts; i++)
        if (is_covered(job, &config->accounts[i]) &&
            json_array_append_new(members, member(job, &config->accounts[i], config->accounts[i].role_arn)) <
                    0)
            return NULL;
    if (job->member_role[0])
        (void)json_array_append_new(members, member(job, NULL, job->member_role));
    return json_pack("{s:o, s:o}", "hub", hub_policy(job), "members", members);
}

json_t *guard_policy_of(const Config *config, const GuardIdentity *guard, const char *role_arn) {
    _cleanup_free_ PolicyJob *job = calloc(1, sizeof(*job));
    const AccountConfig *group = NULL;

    if (!job)
        return NULL;
    job->config = config;
    job->guard = *guard;
    job->own_shard = true;
    policy_job_collect(job);
    if (!role_arn)
        return hub_policy(job);
    for (size_t i = 0; i < config->n_accounts && !group; i++)
        if (text_equal(config->accounts[i].role_arn, role_arn))
            group = &config->accounts[i];
    return member_rights(job, group, role_arn);
}
