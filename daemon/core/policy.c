/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/policy.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arn.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define ARN_TEXT_MAX 1024

/* ---- the guard's calls ---- */

/* Why the guard makes a call. */
typedef enum Need {
    NEED_WATCHING,
    NEED_REGION_STATUS, /* optional: without it, repeated answers prove that a region is disabled */
    NEED_SETTINGS,      /* reads of settings, selectors, tags */
    NEED_RESTARTING,
    NEED_RESTORING_SETTINGS,
    NEED_RESTORING_SELECTORS,
    NEED_RESTORING_INSIGHTS,
    NEED_RECREATING,
    NEED_ORGANIZATION_TRAILS, /* creating an organization trail needs rights in the organization */
    NEED_ATTRIBUTION,
    NEED_BUCKET_OWNER,
    NEED_BUCKET_CHECKS,
    NEED_CONTAINING,
    _NEED_MAX,
} Need;

/* The resources of a call. */
typedef enum Scope {
    SCOPE_ANY,         /* AWS does not support limits for these */
    SCOPE_ANY_TRAIL,   /* also the organization's trails, whose ARN has the management account's id */
    SCOPE_OWN_TRAILS,  /* the account's own; for a delegated administrator also the organization's */
    SCOPE_ACCOUNT,     /* in the form of Account Management */
    SCOPE_OWN_ROLES,   /* that pass events to CloudWatch Logs; for CloudTrail only */
    SCOPE_LINKED_ROLE, /* CloudTrail's service-linked role in the account */
    SCOPE_BUCKETS,
    SCOPE_KEYS, /* also those of a log archive account */
    SCOPE_USERS, /* of the account */
    SCOPE_ROLES,
} Scope;

static const struct {
    const char *sid;
    Scope scope;
    Need need;
    const char *action;
} calls[] = {
    { "DescribeTrails", SCOPE_ANY, NEED_WATCHING, "cloudtrail:DescribeTrails" },
    { "ReadRegionStatus", SCOPE_ACCOUNT, NEED_REGION_STATUS, "account:GetRegionOptStatus" },
    { "ReadTrails", SCOPE_ANY_TRAIL, NEED_WATCHING, "cloudtrail:GetTrailStatus" },
    { "ReadTrails", SCOPE_ANY_TRAIL, NEED_SETTINGS, "cloudtrail:GetEventSelectors" },
    { "ReadTrails", SCOPE_ANY_TRAIL, NEED_SETTINGS, "cloudtrail:GetInsightSelectors" },
    { "ReadTrails", SCOPE_ANY_TRAIL, NEED_SETTINGS, "cloudtrail:ListTags" },
    { "ReadTrails", SCOPE_ANY_TRAIL, NEED_SETTINGS, "cloudtrail:GetEventConfiguration" },
    { "RestartTrails", SCOPE_OWN_TRAILS, NEED_RESTARTING, "cloudtrail:StartLogging" },
    { "RestoreTrails", SCOPE_OWN_TRAILS, NEED_RESTORING_SETTINGS, "cloudtrail:UpdateTrail" },
    { "RestoreTrails", SCOPE_OWN_TRAILS, NEED_RESTORING_SELECTORS, "cloudtrail:PutEventSelectors" },
    { "RestoreTrails", SCOPE_OWN_TRAILS, NEED_RESTORING_SELECTORS, "cloudtrail:PutEventConfiguration" },
    { "RestoreTrails", SCOPE_OWN_TRAILS, NEED_RESTORING_INSIGHTS, "cloudtrail:PutInsightSelectors" },
    { "RestoreTrails", SCOPE_OWN_TRAILS, NEED_RECREATING, "cloudtrail:CreateTrail" },
    { "RestoreTrails", SCOPE_OWN_TRAILS, NEED_RECREATING, "cloudtrail:AddTags" },
    { "RestoreTrails", SCOPE_OWN_TRAILS, NEED_RECREATING, "cloudtrail:RemoveTags" },
    { "PassLogRole", SCOPE_OWN_ROLES, NEED_RESTORING_SETTINGS, "iam:PassRole" },
    { "WriteOrganizationTrails", SCOPE_ANY, NEED_ORGANIZATION_TRAILS, "organizations:DescribeOrganization" },
    { "WriteOrganizationTrails", SCOPE_ANY, NEED_ORGANIZATION_TRAILS,
      "organizations:ListAWSServiceAccessForOrganization" },
    { "WriteOrganizationTrails", SCOPE_ANY, NEED_ORGANIZATION_TRAILS, "organizations:ListAccounts" },
    { "WriteOrganizationTrailsByRole", SCOPE_LINKED_ROLE, NEED_ORGANIZATION_TRAILS, "iam:GetRole" },
    { "WriteOrganizationTrailsByRole", SCOPE_LINKED_ROLE, NEED_ORGANIZATION_TRAILS,
      "iam:CreateServiceLinkedRole" },
    { "LookupEvents", SCOPE_ANY, NEED_ATTRIBUTION, "cloudtrail:LookupEvents" },
    { "ReadBucketConfiguration", SCOPE_BUCKETS, NEED_BUCKET_OWNER, "s3:ListBucket" },
    { "ReadBucketConfiguration", SCOPE_BUCKETS, NEED_BUCKET_CHECKS, "s3:GetLifecycleConfiguration" },
    { "ReadBucketConfiguration", SCOPE_BUCKETS, NEED_BUCKET_CHECKS, "s3:GetBucketPolicy" },
    { "ReadKeyState", SCOPE_KEYS, NEED_BUCKET_CHECKS, "kms:DescribeKey" },
    { "ContainUsers", SCOPE_USERS, NEED_CONTAINING, "iam:GetUserPolicy" },
    { "ContainUsers", SCOPE_USERS, NEED_CONTAINING, "iam:PutUserPolicy" },
    { "ContainUsers", SCOPE_USERS, NEED_CONTAINING, "iam:DeleteUserPolicy" },
    { "ContainRoles", SCOPE_ROLES, NEED_CONTAINING, "iam:GetRolePolicy" },
    { "ContainRoles", SCOPE_ROLES, NEED_CONTAINING, "iam:PutRolePolicy" },
    { "ContainRoles", SCOPE_ROLES, NEED_CONTAINING, "iam:DeleteRolePolicy" },
};

static bool restores(const PolicyNeeds *needs, RestoreKind kind) {
    uint32_t bits = RESTORE_BIT(kind) | RESTORE_BIT(RESTORE_DELETED); /* a new trail gets all of them */

    return needs->mode == MODE_RESTORE && (needs->restore & bits);
}

/* The management account's event history shows who removed an account from the organization, whichever shard
 * guards that account. */
static bool is_needed(const PolicyNeeds *needs, Need need) {
    if (!needs->guarded && !(needs->organization && need == NEED_ATTRIBUTION))
        return false;
    switch (need) {
    case NEED_WATCHING: return true;
    case NEED_REGION_STATUS: return needs->opt_in_regions && text_equal(needs->partition, "aws");
    case NEED_SETTINGS: return needs->settings;
    case NEED_RESTARTING: return needs->mode != MODE_OBSERVE;
    case NEED_RESTORING_SETTINGS: return restores(needs, RESTORE_SETTINGS);
    case NEED_RESTORING_SELECTORS: return restores(needs, RESTORE_SELECTORS);
    case NEED_RESTORING_INSIGHTS: return restores(needs, RESTORE_INSIGHTS);
    case NEED_RECREATING: return restores(needs, RESTORE_DELETED);
    case NEED_ORGANIZATION_TRAILS: return restores(needs, RESTORE_SETTINGS);
    case NEED_ATTRIBUTION: return needs->attribution;
    case NEED_BUCKET_OWNER: return needs->bucket_checks || needs->owner_check;
    case NEED_BUCKET_CHECKS: return needs->bucket_checks;
    case NEED_CONTAINING: return needs->contains && needs->mode != MODE_OBSERVE;
    case _NEED_MAX: break;
    }
    return false;
}

/* ---- building blocks ---- */

static json_t *_printf_(1, 2) text_of(const char *format, ...) {
    char text[ARN_TEXT_MAX];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    return json_string(text);
}

static const char *or_any(const char *account) {
    return account[0] ? account : "*";
}

static json_t *resource_of(const PolicyNeeds *needs, Scope scope) {
    const char *account = or_any(needs->account);

    switch (scope) {
    case SCOPE_ANY_TRAIL: return text_of("arn:%s:cloudtrail:*:*:trail/*", needs->partition);
    case SCOPE_OWN_TRAILS:
        return text_of("arn:%s:cloudtrail:*:%s:trail/*", needs->partition,
                       needs->organization ? "*" : account);
    case SCOPE_ACCOUNT: return text_of("arn:%s:account::%s:account", needs->partition, account);
    case SCOPE_OWN_ROLES: return text_of("arn:%s:iam::%s:role/*", needs->partition, account);
    case SCOPE_LINKED_ROLE:
        return text_of("arn:%s:iam::%s:role/aws-service-role/cloudtrail.amazonaws.com/*", needs->partition,
                       account);
    case SCOPE_BUCKETS: return text_of("arn:%s:s3:::*", needs->partition);
    case SCOPE_USERS: return text_of("arn:%s:iam::%s:user/*", needs->partition, account);
    case SCOPE_ROLES: return text_of("arn:%s:iam::%s:role/*", needs->partition, account);
    case SCOPE_KEYS: return text_of("arn:%s:kms:*:*:key/*", needs->partition);
    case SCOPE_ANY: break;
    }
    return json_string("*");
}

/* Takes both over. The list, or NULL if either is NULL or without memory: an incomplete list must not be
 * printed. */
static json_t *policy_append(json_t *list, json_t *value) {
    if (json_array_append_new(list, value) >= 0)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *strings(const char *const *items, size_t n) {
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        list = policy_append(list, json_string(items[i]));
    return list;
}

/* Takes actions and resource over, even if they are NULL without memory. */
static int add_statement(json_t *statements, const char *sid, const char *effect, json_t *actions,
                         json_t *resource) {
    json_t *statement = json_pack("{s:s, s:s, s:o, s:o}", "Sid", sid, "Effect", effect, "Action", actions,
                                  "Resource", resource);

    return json_array_append_new(statements, statement);
}

/* Also takes over the condition, without which the statement would cover more. */
static int add_limited(json_t *statements, const char *sid, const char *effect, json_t *actions,
                       json_t *resource, json_t *condition) {
    json_t *statement = json_pack("{s:s, s:s, s:o, s:o, s:o}", "Sid", sid, "Effect", effect, "Action",
                                  actions, "Resource", resource, "Condition", condition);

    return json_array_append_new(statements, statement);
}

/* NULL if a statement could not be created. */
static json_t *document(json_t *statements, int r) {
    if (r < 0) {
        json_decref(statements);
        return NULL;
    }
    return json_pack("{s:s, s:o}", "Version", "2012-10-17", "Statement", statements);
}

/* ---- the guard ---- */

/* The actions of the statement that begins at row i; NULL without memory. */
static json_t *actions_from(const PolicyNeeds *needs, size_t i) {
    json_t *actions = json_array();

    for (size_t k = i; k < ARRAY_SIZE(calls) && text_equal(calls[k].sid, calls[i].sid); k++)
        if (is_needed(needs, calls[k].need))
            actions = policy_append(actions, json_string(calls[k].action));
    return actions;
}

static int add_calls(json_t *statements, const PolicyNeeds *needs) {
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(calls); i++) {
        const char *sid = calls[i].sid;
        Scope scope = calls[i].scope;
        json_t *actions;

        if (i > 0 && text_equal(sid, calls[i - 1].sid))
            continue;
        actions = actions_from(needs, i);
        if (actions && json_array_size(actions) == 0)
            json_decref(actions);
        else if (scope == SCOPE_OWN_ROLES)
            r = add_limited(statements, sid, "Allow", actions, resource_of(needs, scope),
                            json_pack("{s:{s:s}}", "StringEquals", "iam:PassedToService",
                                      "cloudtrail.amazonaws.com"));
        else
            r = add_statement(statements, sid, "Allow", actions, resource_of(needs, scope));
    }
    return r;
}

/* Whoever may write inline policies can give himself any right, so the guard may not write its own, nor
 * those of the break-glass role. For other users and roles, IAM has no condition that distinguishes a policy
 * that denies from one that allows. */
static int deny_own(json_t *statements, const PolicyNeeds *needs) {
    static const char *const writes[] = { "iam:PutUserPolicy", "iam:DeleteUserPolicy", "iam:PutRolePolicy",
                                          "iam:DeleteRolePolicy" };
    json_t *arns;

    if (!is_needed(needs, NEED_CONTAINING))
        return 0;
    arns = json_array();
    if (needs->own && needs->own[0])
        arns = policy_append(arns, json_string(needs->own));
    arns = policy_append(arns, text_of("arn:%s:iam::%s:role/" POLICY_BREAK_GLASS, needs->partition,
                                       or_any(needs->account)));
    return add_statement(statements, "DenyChangingGuards", "Deny", strings(writes, ARRAY_SIZE(writes)),
                         arns);
}

static const char *const role_reads[] = {
    "iam:SimulatePrincipalPolicy", "iam:GetRole",       "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",        "iam:GetRolePolicy",
};

static const char *const user_reads[] = {
    "iam:SimulatePrincipalPolicy", "iam:GetUser",       "iam:ListAttachedUserPolicies",
    "iam:ListUserPolicies",        "iam:GetUserPolicy", "iam:ListAccessKeys",
};

static int add_own_reads(json_t *statements, const PolicyNeeds *needs, const PolicyPrincipals *own) {
    bool user = own->n > 0 && strstr(own->items[0], ":user/");
    json_t *actions = user ? strings(user_reads, ARRAY_SIZE(user_reads))
                           : strings(role_reads, ARRAY_SIZE(role_reads));
    json_t *resources = own->n == 1 ? json_string(own->items[0])
                                    : strings((const char *const *)own->items, own->n);

    if (own->n == 0) { /* unknown: the user inserts its name */
        json_decref(resources);
        resources = text_of("arn:%s:iam::%s:role/*", needs->partition, or_any(needs->account));
    }
    return add_statement(statements, "ReadOwnAccess", "Allow", actions, resources);
}

static int add_guard_checks(json_t *statements, const PolicyNeeds *needs) {
    PolicyPlace place = { .partition = needs->partition, .account = "" };
    PolicyPrincipals own = { 0 };
    int r = needs->own && needs->own[0]
                    ? policy_principals_add(&own, &place, needs->own, false)
                    : 0;

    if (r >= 0)
        r = add_own_reads(statements, needs, &own);
    policy_principals_done(&own);
    if (r >= 0)
        r = add_statement(statements, "ReadOwnPolicies", "Allow", json_string("iam:GetPolicy"),
                          text_of("arn:%s:iam::*:policy/*", needs->partition));
    if (r >= 0 && needs->n_topics > 0)
        r = add_statement(statements, "ReadSubscriptions", "Allow",
                          json_string("sns:GetSubscriptionAttributes"), json_string("*"));
    return r;
}

static json_t *topic_reads(const PolicyNeeds *needs) {
    static const char *const reads[] = { "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic" };

    return needs->guard_checks ? strings(reads, ARRAY_SIZE(reads)) : json_string(reads[0]);
}

json_t *policy_guard(const PolicyNeeds *needs) {
    json_t *statements = json_array();
    int r = add_calls(statements, needs);

    if (r >= 0)
        r = deny_own(statements, needs);
    if (r >= 0 && needs->n_topics > 0)
        r = add_statement(statements, "PublishAlerts", "Allow", json_string("sns:Publish"),
                          strings(needs->topics, needs->n_topics));
    if (r >= 0 && needs->n_topics > 0)
        r = add_statement(statements, "CheckAlertTopics", "Allow", topic_reads(needs),
                          strings(needs->topics, needs->n_topics));
    if (r >= 0 && needs->n_roles > 0)
        r = add_statement(statements, "AssumeAccountRoles", "Allow", json_string("sts:AssumeRole"),
                          strings(needs->roles, needs->n_roles));
    if (r >= 0 && needs->organization && !is_needed(needs, NEED_ORGANIZATION_TRAILS))
        r = add_statement(statements, "ListAccounts", "Allow", json_string("organizations:ListAccounts"),
                          json_string("*"));
    if (r >= 0 && needs->guard_checks)
        r = add_guard_checks(statements, needs);
    return document(statements, r);
}

json_t *policy_trust(const char *guard_arn, const char *external_id) {
    json_t *statement = json_pack("{s:s, s:s, s:{s:s}, s:s}", "Sid", "AllowTrailGuardToAssume", "Effect",
                                  "Allow", "Principal", "AWS", guard_arn, "Action", "sts:AssumeRole");

    if (statement && external_id &&
        json_object_set_new(statement, "Condition",
                            json_pack("{s:{s:s}}", "StringEquals", "sts:ExternalId", external_id)) < 0) {
        json_decref(statement);
        return NULL;
    }
    return statement ? json_pack("{s:s, s:[o]}", "Version", "2012-10-17", "Statement", statement) : NULL;
}

/* ---- everyone else ---- */

static const char *const trail_changes[] = {
    "cloudtrail:StopLogging",       "cloudtrail:DeleteTrail",         "cloudtrail:UpdateTrail",
    "cloudtrail:PutEventSelectors", "cloudtrail:PutInsightSelectors", "cloudtrail:PutEventConfiguration",
    "cloudtrail:AddTags",           "cloudtrail:RemoveTags",
};

static const char *const role_changes[] = {
    "iam:DeleteRole",
    "iam:UpdateRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:AttachRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePolicy",
    "iam:DeleteRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:DeleteRolePermissionsBoundary",
    "iam:TagRole",
    "iam:UntagRole",
};

static const char *const user_changes[] = {
    "iam:DeleteUser",
    "iam:UpdateUser",
    "iam:CreateAccessKey",
    "iam:UpdateAccessKey",
    "iam:DeleteAccessKey",
    "iam:AttachUserPolicy",
    "iam:DetachUserPolicy",
    "iam:PutUserPolicy",
    "iam:DeleteUserPolicy",
    "iam:PutUserPermissionsBoundary",
    "iam:DeleteUserPermissionsBoundary",
    "iam:TagUser",
    "iam:UntagUser",
};

static const char *const topic_changes[] = {
    "sns:DeleteTopic",
    "sns:SetTopicAttributes",
    "sns:AddPermission",
    "sns:RemovePermission",
};

static const char *const membership_changes[] = { "organizations:LeaveOrganization" };

/* Exempts the break-glass role and, with `guards`, the guards. */
static json_t *except(const PolicyShield *shield, bool guards) {
    json_t *arns = guards ? strings(shield->guards, shield->n_guards) : json_array();

    arns = policy_append(arns, text_of("arn:%s:iam::%s:role/" POLICY_BREAK_GLASS, shield->partition,
                                       or_any(shield->account)));
    return json_pack("{s:{s:o}}", "ArnNotLike", "aws:PrincipalArn", arns);
}

/* A path may contain a colon. */
static bool is_of(const char *arn, const char *kind) {
    Arn parts;

    return arn_parse_any_account(arn, &parts) >= 0 && text_starts_with(parts.resource, kind);
}

/* The guards' users, or their roles. */
static json_t *guards_of(const PolicyShield *shield, const char *kind) {
    json_t *arns = json_array();

    for (size_t i = 0; i < shield->n_guards; i++)
        if (is_of(shield->guards[i], kind))
            arns = policy_append(arns, json_string(shield->guards[i]));
    return arns;
}

static int deny_changes_of_guards(json_t *statements, const PolicyShield *shield, const char *sid,
                                  const char *kind, const char *const *actions, size_t n) {
    json_t *arns = guards_of(shield, kind);

    if (arns && json_array_size(arns) == 0) {
        json_decref(arns);
        return 0;
    }
    return add_limited(statements, sid, "Deny", strings(actions, n), arns, except(shield, false));
}

static int deny_changes(json_t *statements, const PolicyShield *shield) {
    int r = add_limited(statements, "DenyTrailTampering", "Deny",
                          strings(trail_changes, ARRAY_SIZE(trail_changes)),
                          text_of("arn:%s:cloudtrail:*:%s:trail/*", shield->partition,
                                  shield->organization ? "*" : or_any(shield->account)),
                          except(shield, shield->guards_write));

    if (r >= 0)
        r = deny_changes_of_guards(statements, shield, "DenyGuardRoleTampering", "role/", role_changes,
                                   ARRAY_SIZE(role_changes));
    if (r >= 0)
        r = deny_changes_of_guards(statements, shield, "DenyGuardKeyTampering", "user/", user_changes,
                                   ARRAY_SIZE(user_changes));
    if (r >= 0 && shield->n_topics > 0)
        r = add_limited(statements, "DenyAlertTopicTampering", "Deny",
                          strings(topic_changes, ARRAY_SIZE(topic_changes)),
                          strings(shield->topics, shield->n_topics), except(shield, false));
    return r;
}

json_t *policy_deny(const PolicyShield *shield) {
    json_t *statements = json_array();

    return document(statements, deny_changes(statements, shield));
}

json_t *policy_scp(const PolicyShield *shield) {
    json_t *statements = json_array();
    int r = deny_changes(statements, shield);

    if (r >= 0)
        r = add_limited(statements, "DenyLeavingOrganization", "Deny",
                          strings(membership_changes, ARRAY_SIZE(membership_changes)), json_string("*"),
                          except(shield, false));
    return document(statements, r);
}

static json_t *contain_with(const PolicyContain *contain, json_t *topics) {
    static const char *const identity_changes[] = { "iam:*", "sts:AssumeRole" };
    json_t *statements = json_array(), *condition;
    int r = add_statement(statements, "DenyTrailTampering", "Deny",
                          strings(trail_changes, ARRAY_SIZE(trail_changes)), json_string("*"));

    if (r >= 0)
        r = add_statement(statements, "DenyIdentityChanges", "Deny",
                          strings(identity_changes, ARRAY_SIZE(identity_changes)), json_string("*"));
    if (r >= 0 && contain->n_topics > 0)
        r = add_statement(statements, "DenyAlertTopicTampering", "Deny",
                          strings(topic_changes, ARRAY_SIZE(topic_changes)), json_incref(topics));
    if (r >= 0 && contain->before) {
        condition = json_pack("{s:{s:s}}", "DateLessThan", "aws:TokenIssueTime", contain->before);
        r = add_limited(statements, "AWSRevokeOlderSessions", "Deny", json_string("*"), json_string("*"),
                        condition);
    }
    json_decref(topics);
    return document(statements, r);
}

json_t *policy_contain(const PolicyContain *contain) {
    json_t *policy = contain_with(contain, strings(contain->topics, contain->n_topics));

    if (!policy || policy_size(policy) <= contain->max)
        return policy;
    json_decref(policy);
    return contain_with(contain, json_string("*"));
}

size_t policy_size(const json_t *policy) {
    return json_dumpb(policy, NULL, 0, JSON_COMPACT);
}

/* ---- principals ---- */

/* An ARN, plus room for an account in place of ARN_ANY_ACCOUNT, and any path. */
#define PRINCIPAL_MAX (ARN_MAX + 64)

static int add_text(PolicyPrincipals *principals, const char *text) {
    _cleanup_free_ char *copy = NULL;

    for (size_t i = 0; i < principals->n; i++)
        if (text_equal(principals->items[i], text))
            return 0;
    copy = strdup(text);
    if (!copy || !ARRAY_APPEND(principals->items, principals->n, copy))
        return -ENOMEM;
    copy = NULL;
    return 0;
}

static int add_role(PolicyPrincipals *principals, const Arn *parts, const char *account, bool exact) {
    bool session = text_starts_with(parts->resource, "assumed-role/");
    const char *name = strchr(parts->resource, '/') + 1;
    int n = session ? (int)strcspn(name, "/") : (int)strlen(name);
    bool has_path = !session && strchr(name, '/');
    char text[PRINCIPAL_MAX];
    int r;

    (void)snprintf(text, sizeof(text), "arn:%s:iam::%s:role/%.*s", parts->partition, account, n, name);
    r = add_text(principals, text);
    if (r < 0 || has_path || (exact && !session))
        return r;
    (void)snprintf(text, sizeof(text), "arn:%s:iam::%s:role/*/%.*s", parts->partition, account, n, name);
    return add_text(principals, text);
}

int policy_principals_add(PolicyPrincipals *principals, const PolicyPlace *place, const char *arn,
                          bool exact) {
    const char *account;
    char text[PRINCIPAL_MAX];
    Arn parts;

    if (arn_parse_any_account(arn, &parts) < 0)
        return add_text(principals, arn);
    account = parts.account;
    if (!text_equal(parts.partition, place->partition))
        return 0;
    if (place->account[0] && text_equal(account, ARN_ANY_ACCOUNT))
        account = place->account;
    if (place->account[0] && !text_equal(account, place->account))
        return 0;
    if (text_starts_with(parts.resource, "role/") || text_starts_with(parts.resource, "assumed-role/"))
        return add_role(principals, &parts, account, exact);
    if (!text_starts_with(parts.resource, "user/"))
        return add_text(principals, arn);
    (void)snprintf(text, sizeof(text), "arn:%s:iam::%s:%s", parts.partition, account, parts.resource);
    return add_text(principals, text);
}

int policy_principals_fold(PolicyPrincipals *principals) {
    PolicyPrincipals folded = { 0 };
    int r = 0;

    for (size_t i = 0; r == 0 && i < principals->n; i++) {
        char text[PRINCIPAL_MAX];
        Arn parts;

        if (arn_parse_any_account(principals->items[i], &parts) < 0) {
            r = add_text(&folded, principals->items[i]);
            continue;
        }
        (void)snprintf(text, sizeof(text), "arn:%s:iam::" ARN_ANY_ACCOUNT ":%s", parts.partition,
                       parts.resource);
        r = add_text(&folded, text);
    }
    if (r < 0) {
        policy_principals_done(&folded);
        return r;
    }
    policy_principals_done(principals);
    *principals = folded;
    return 0;
}

void policy_principals_done(PolicyPrincipals *principals) {
    for (size_t i = 0; i < principals->n; i++)
        free(principals->items[i]);
    free(principals->items);
    *principals = (PolicyPrincipals){ 0 };
}
