/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/core/enum_names.h"

#include <string.h>

#include "lib/util/macros.h"

static size_t find_word(const char *const *table, size_t n, const char *s) {
    for (size_t i = 0; s && i < n; i++)
        if (strcmp(table[i], s) == 0)
            return i;
    return n;
}

/* Defines NAME_to_string from NAME_table, which must have a word for each value below max. */
#define DEFINE_TO_STRING(name, Type, max)                                                                   \
    _Static_assert(ARRAY_SIZE(name##_table) == (max), "a word for each value of " #Type);                   \
    const char *name##_to_string(Type value) {                                                              \
        return (unsigned)value < (unsigned)(max) ? name##_table[value] : "?";                               \
    }                                                                                                       \
    struct _swallow_semicolon_

/* Defines NAME_from_string as well. */
#define DEFINE_WORDS(name, Type, max)                                                                       \
    DEFINE_TO_STRING(name, Type, max);                                                                      \
    Type name##_from_string(const char *s) {                                                                \
        return (Type)find_word(name##_table, ARRAY_SIZE(name##_table), s);                                  \
    }                                                                                                       \
    struct _swallow_semicolon_

static const char *const mode_table[] = {
    [MODE_OBSERVE] = "observe",
    [MODE_RESTART] = "restart",
    [MODE_RESTORE] = "restore",
};
DEFINE_WORDS(mode, Mode, _MODE_MAX);

static const char *const cause_table[] = {
    [CAUSE_OWN] = "own",
    [CAUSE_CLOSED] = "closed",
    [CAUSE_CREDENTIALS] = "credentials",
    [CAUSE_UNCOVERED] = "uncovered",
    [CAUSE_ROLE] = "role",
    [CAUSE_OUTAGE] = "outage",
};
DEFINE_WORDS(cause, CauseKind, _CAUSE_MAX);

static const char *const field_table[] = {
    [FIELD_BUCKET] = "S3BucketName",
    [FIELD_PREFIX] = "S3KeyPrefix",
    [FIELD_KMS_KEY] = "KmsKeyId",
    [FIELD_LOG_GROUP] = "CloudWatchLogsLogGroupArn",
    [FIELD_LOG_ROLE] = "CloudWatchLogsRoleArn",
    [FIELD_SNS_TOPIC] = "SnsTopicARN",
    [FIELD_MULTI_REGION] = "IsMultiRegionTrail",
    [FIELD_GLOBAL_EVENTS] = "IncludeGlobalServiceEvents",
    [FIELD_VALIDATION] = "LogFileValidationEnabled",
    [FIELD_ORGANIZATION] = "IsOrganizationTrail",
    [FIELD_RECURSIVE] = "RecursiveLogging",
    [FIELD_SELECTORS] = "EventSelectors",
    [FIELD_INSIGHTS] = "InsightSelectors",
    [FIELD_CONFIGURATION] = "EventConfiguration",
    [FIELD_TAGS] = "Tags",
    [FIELD_UNKNOWN] = "UnknownSettings",
};
DEFINE_WORDS(field, Field, _FIELD_MAX);

static const char *const severity_table[] = {
    [SEVERITY_INFO] = "info",
    [SEVERITY_WARNING] = "warning",
    [SEVERITY_CRITICAL] = "critical",
};
DEFINE_WORDS(severity, Severity, _SEVERITY_MAX);

static const char *const verdict_table[] = {
    [VERDICT_MISSING] = "missing",     [VERDICT_STOPPED] = "stopped", [VERDICT_INTERRUPTED] = "interrupted",
    [VERDICT_WEAKENED] = "weakened",   [VERDICT_FAILING] = "failing", [VERDICT_UNKNOWN] = "unknown",
    [VERDICT_PROTECTED] = "protected", [VERDICT_LOGGING] = "logging",
};
DEFINE_WORDS(verdict, Verdict, _VERDICT_MAX);

static const char *const finding_table[] = {
    [FINDING_MISSING] = "missing",
    [FINDING_STOPPED] = "stopped",
    [FINDING_INTERRUPTED] = "interrupted",
    [FINDING_REPLACED] = "replaced",
    [FINDING_WEAKENED] = "weakened",
    [FINDING_CHANGED] = "changed",
    [FINDING_UNMET] = "unmet",
    [FINDING_DELIVERY] = "delivery",
    [FINDING_DIGEST] = "digest",
    [FINDING_LOG_GROUP] = "log group",
    [FINDING_NOTIFICATION] = "notification",
    [FINDING_STALE] = "stale",
    [FINDING_BUCKET] = "bucket",
    [FINDING_LIFECYCLE] = "lifecycle",
    [FINDING_KEY] = "key",
    [FINDING_SELECTORS_UNREADABLE] = "selectors_unreadable",
    [FINDING_INSIGHTS_UNREADABLE] = "insights_unreadable",
    [FINDING_TAGS_UNREADABLE] = "tags_unreadable",
    [FINDING_CONFIGURATION_UNREADABLE] = "configuration_unreadable",
    [FINDING_BUCKET_UNREADABLE] = "bucket_unreadable",
    [FINDING_LIFECYCLE_UNREADABLE] = "lifecycle_unreadable",
    [FINDING_POLICY_UNREADABLE] = "policy_unreadable",
    [FINDING_KEY_UNREADABLE] = "key_unreadable",
    [FINDING_LIST_UNREADABLE] = "list_unreadable",
    [FINDING_UNREACHABLE] = "unreachable",
    [FINDING_APPEARED] = "appeared",
};
DEFINE_WORDS(finding, Finding, _FINDING_MAX);

static const char *const unreadable_table[] = {
    [UNREADABLE_SELECTORS] = "event selectors",
    [UNREADABLE_INSIGHTS] = "Insights selectors",
    [UNREADABLE_TAGS] = "tags",
    [UNREADABLE_CONFIGURATION] = "the event configuration",
    [UNREADABLE_BUCKET] = "the bucket",
    [UNREADABLE_LIFECYCLE] = "the bucket's lifecycle rules",
    [UNREADABLE_POLICY] = "the bucket's policy",
    [UNREADABLE_KEY] = "the KMS key",
};
DEFINE_TO_STRING(unreadable, Unreadable, _UNREADABLE_MAX);

static const char *const poll_error_table[] = {
    [POLL_OK] = "ok",
    [POLL_DENIED] = "denied",
    [POLL_THROTTLED] = "throttled",
    [POLL_UNREACHABLE] = "unreachable",
    [POLL_CREDENTIALS] = "credentials",
    [POLL_BAD_ANSWER] = "bad answer",
    [POLL_SERVICE] = "service",
    [POLL_GONE] = "gone",
};
DEFINE_WORDS(poll_error, PollError, _POLL_ERROR_MAX);

static const char *const action_table[] = {
    [ACTION_NONE] = "none",
    [ACTION_RESTART] = "restart",
    [ACTION_RESTORE] = "restore",
    [ACTION_RECREATE] = "recreate",
};
DEFINE_WORDS(action, Action, _ACTION_MAX);

static const char *const action_result_table[] = {
    [RESULT_NONE] = "none",
    [RESULT_CONFIRMED] = "confirmed",
    [RESULT_FAILED] = "failed",
    [RESULT_PENDING] = "pending",
};
DEFINE_WORDS(action_result, ActionResult, _RESULT_MAX);

static const char *const drill_actor_table[] = {
    [DRILL_ACTOR_UNKNOWN] = "unknown",
    [DRILL_ACTOR_OWN] = "own",
    [DRILL_ACTOR_OTHER] = "other",
    [DRILL_ACTOR_NOBODY] = "nobody",
};
DEFINE_WORDS(drill_actor, DrillActor, _DRILL_ACTOR_MAX);

static const char *const destination_table[] = {
    [DESTINATION_UNKNOWN] = "unknown",
    [DESTINATION_FOREIGN] = "foreign",
    [DESTINATION_GUARDED] = "guarded",
    [DESTINATION_USED] = "used",
};
DEFINE_TO_STRING(destination, Destination, _DESTINATION_MAX);

static const char *const alert_format_table[] = {
    [ALERT_FORMAT_JSON] = "json",         [ALERT_FORMAT_SLACK] = "slack",
    [ALERT_FORMAT_TEAMS] = "teams",       [ALERT_FORMAT_PAGERDUTY] = "pagerduty",
    [ALERT_FORMAT_OPSGENIE] = "opsgenie", [ALERT_FORMAT_CHAT] = "chat",
};
DEFINE_TO_STRING(alert_format, AlertFormat, _ALERT_FORMAT_MAX);

const char *creation_to_string(uint32_t findings) {
    if (findings & FINDING_BIT(FINDING_REPLACED))
        return "replaced";
    return findings & FINDING_BIT(FINDING_APPEARED) ? "created" : "recreated";
}
