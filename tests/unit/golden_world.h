/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Names, settings, errors and callers of the golden texts. */

#include "daemon/core/model.h"

#define TRAIL_ARN "arn:aws:cloudtrail:eu-central-1:111122223333:trail/org-trail"
#define GUARD_ARN "arn:aws:sts::111122223333:assumed-role/trailguard/guard1"

static const Subject trail_subject = { "org-trail", TRAIL_ARN, "111122223333", "eu-central-1" };
static const Subject never_found = { "org-trail", "", "111122223333", "eu-central-1" };
static const Subject region_subject = { "", "", "111122223333", "eu-central-1" };
static const Subject account_subject = { "", "", "444455556666", "" };
static const Subject base_account = { "", "", "111122223333", "" };
static const Subject nothing = { "", "", "", "" };

/* ---- settings: as recorded, and changed ---- */

static const struct {
    const char *before, *after;
} values[_FIELD_MAX] = {
    [FIELD_BUCKET] = { "acme-cloudtrail", "scratch-1337" },
    [FIELD_PREFIX] = { "org", "" },
    [FIELD_KMS_KEY] = { "arn:aws:kms:eu-central-1:111122223333:key/0f5d2c1e-6b7a-4f0d-9a53-1c2b3d4e5f60",
                        "" },
    [FIELD_LOG_GROUP] = { "arn:aws:logs:eu-central-1:111122223333:log-group:cloudtrail:*", "" },
    [FIELD_LOG_ROLE] = { "arn:aws:iam::111122223333:role/cloudtrail-to-logs",
                         "arn:aws:iam::111122223333:role/none" },
    [FIELD_SNS_TOPIC] = { "arn:aws:sns:eu-central-1:111122223333:new-log-files", "" },
    [FIELD_MULTI_REGION] = { "true", "false" },
    [FIELD_GLOBAL_EVENTS] = { "true", "false" },
    [FIELD_VALIDATION] = { "true", "false" },
    [FIELD_ORGANIZATION] = { "true", "false" },
    [FIELD_RECURSIVE] = { "true", "false" },
    [FIELD_SELECTORS] = { "{\"EventSelectors\":[{\"DataResources\":[],\"ExcludeManagementEventSources\":[],"
                          "\"IncludeManagementEvents\":true,\"ReadWriteType\":\"All\"}]}",
                          "{\"EventSelectors\":[{\"DataResources\":[],\"ExcludeManagementEventSources\":[],"
                          "\"IncludeManagementEvents\":false,\"ReadWriteType\":\"All\"}]}" },
    [FIELD_INSIGHTS] = { "[{\"InsightType\":\"ApiCallRateInsight\"}]", "[]" },
    [FIELD_CONFIGURATION] = { "{\"MaxEventSize\":\"Large\"}", "{\"MaxEventSize\":\"Standard\"}" },
    [FIELD_TAGS] = { "{\"owner\":\"security\"}", "{}" },
    [FIELD_UNKNOWN] = { "{\"IngestionMode\":\"Full\"}", "{\"IngestionMode\":\"Sampled\"}" },
};

/* ---- what polls find besides ---- */

/* What polls beside the status find, and errors of deliveries; "" when they are well. */
static const struct {
    const char *name;
    size_t offset, size;
    const char *error;
} failures[] = {
#define ERROR_AT(member, error) offsetof(Observation, member), sizeof(((Observation *)NULL)->member), error
    { "delivery", ERROR_AT(delivery_error, "AccessDenied") },
    { "digest", ERROR_AT(digest_error, "NoSuchBucket") },
    { "log_group", ERROR_AT(log_group_error, "ResourceNotFoundException") },
    { "notification", ERROR_AT(notification_error, "NotFound") },
    { "bucket", ERROR_AT(bucket_error, "it belongs to 999988887777, not to 111122223333") },
    { "lifecycle", ERROR_AT(lifecycle_error, "rule cleanup deletes after 1 day") },
    { "key", ERROR_AT(key_error, "PendingDeletion") },
#define DENIED(operation, action)                                                                           \
    operation ": AccessDeniedException: User: " GUARD_ARN " is not authorized to perform: " action
    { "selectors_unreadable", ERROR_AT(unreadable[UNREADABLE_SELECTORS],
                                       DENIED("GetEventSelectors", "cloudtrail:GetEventSelectors")) },
    { "insights_unreadable", ERROR_AT(unreadable[UNREADABLE_INSIGHTS],
                                      DENIED("GetInsightSelectors", "cloudtrail:GetInsightSelectors")) },
    { "tags_unreadable",
      ERROR_AT(unreadable[UNREADABLE_TAGS], "ListTags: ThrottlingException: Rate exceeded") },
    { "configuration_unreadable",
      ERROR_AT(unreadable[UNREADABLE_CONFIGURATION],
               DENIED("GetEventConfiguration", "cloudtrail:GetEventConfiguration")) },
    { "bucket_unreadable", ERROR_AT(unreadable[UNREADABLE_BUCKET], "HeadBucket acme-cloudtrail: 403") },
    { "lifecycle_unreadable", ERROR_AT(unreadable[UNREADABLE_LIFECYCLE],
                                       "GetBucketLifecycleConfiguration acme-cloudtrail: AccessDenied") },
    { "policy_unreadable",
      ERROR_AT(unreadable[UNREADABLE_POLICY], "GetBucketPolicy acme-cloudtrail: AccessDenied") },
    { "key_unreadable", ERROR_AT(unreadable[UNREADABLE_KEY], DENIED("DescribeKey", "kms:DescribeKey")) },
};

/* ---- why polls fail ---- */

static const struct {
    const char *name;
    PollError error;
    const char *of_trail, *of_target, *of_account;
} errors[] = {
    { "denied", POLL_DENIED, DENIED("GetTrailStatus", "cloudtrail:GetTrailStatus"),
      DENIED("DescribeTrails", "cloudtrail:DescribeTrails"),
      "AssumeRole arn:aws:iam::444455556666:role/trailguard: AccessDenied: User: " GUARD_ARN
      " is not authorized to perform: sts:AssumeRole" },
    { "throttled", POLL_THROTTLED, "GetTrailStatus: ThrottlingException: Rate exceeded",
      "DescribeTrails: ThrottlingException: Rate exceeded", "GetCallerIdentity: Throttling: Rate exceeded" },
    { "unreachable", POLL_UNREACHABLE, "GetTrailStatus: no answer within 10 s",
      "DescribeTrails: cannot connect to cloudtrail.eu-central-1.amazonaws.com: Connection refused",
      "GetCallerIdentity: cannot connect to sts.eu-central-1.amazonaws.com: Connection refused" },
    { "credentials", POLL_CREDENTIALS,
      "GetTrailStatus: ExpiredTokenException: The security token included in the request is expired",
      "DescribeTrails: UnrecognizedClientException: The security token included in the request is invalid",
      "no credentials: /etc/trailguard/aws-credentials has no profile \"default\"" },
    { "bad", POLL_BAD_ANSWER, "GetTrailStatus: the answer is no JSON",
      "DescribeTrails: the answer is no JSON", "GetCallerIdentity: the answer is no XML" },
    { "service", POLL_SERVICE, "GetTrailStatus: InternalServiceError: ",
      "DescribeTrails: ServiceUnavailable: ", "GetCallerIdentity: ServiceUnavailable: " },
};

/* ---- who did it ---- */

#define AS_ROLE(role, session)                                                                              \
    .type = "AssumedRole", .name = role "/" session,                                                        \
    .arn = "arn:aws:sts::111122223333:assumed-role/" role "/" session

static const struct {
    const char *name;
    Actor actor;
} actors[] = {
    { "bob", { .type = "IAMUser", .arn = "arn:aws:iam::111122223333:user/bob", .name = "bob" } },
    { "role", { AS_ROLE("Admin", "alice"), .source_identity = "alice@example.org" } },
    { "sso", { AS_ROLE("AWSReservedSSO_Administrator_0123456789abcdef", "carol@example.org") } },
    { "root", { .type = "Root", .arn = "arn:aws:iam::111122223333:root", .name = "root" } },
    { "assumed_root",
      { .type = "AssumedRoot",
        .arn = "arn:aws:sts::111122223333:assumed-root",
        .name = "root",
        .assumed_root = true } },
    { "service",
      { .type = "AWSService", .name = "config.amazonaws.com", .invoked_by = "config.amazonaws.com" } },
    { "stack", { AS_ROLE("Deploy", "ci"), .invoked_by = "cloudformation.amazonaws.com" } },
    { "federated",
      { .type = "FederatedUser", .arn = "arn:aws:sts::111122223333:federated-user/dave", .name = "dave" } },
    { "account", { .type = "AWSAccount", .account = "999988887777" } },
    { "center",
      { .type = "IdentityCenterUser",
        .name = "a4b87458-1031-70c5-3c8a-9d5d9b6a2f01",
        .on_behalf_of = "a4b87458-1031-70c5-3c8a-9d5d9b6a2f01",
        .identity_store = "arn:aws:identitystore::111122223333:identitystore/d-9067642ac7" } },
    { "plain_role", { .type = "Role", .arn = "arn:aws:iam::111122223333:role/Batch", .name = "Batch" } },
    { "saml", { .type = "SAMLUser", .name = "erin@example.org" } },
    { "web", { .type = "WebIdentityUser", .name = "repo:acme/infra" } },
    { "directory", { .type = "Directory", .name = "frank" } },
    { "unknown", { .type = "SomethingNew", .name = "grace" } },
    { "delegate", { AS_ROLE("Support", "vendor"), .delegate = "555566667777" } },
    { "omitted", { AS_ROLE("Admin", "mallory"), .omitted = true, .event_name = "PutEventSelectors" } },
    { "guard",
      { AS_ROLE("trailguard-2", "guard2"), .unnamed_guard = true, .user_agent = "TrailGuard/0.1.0" } },
};
