/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AWS CloudTrail, API version 2013-11-01 (awsJson1_1): reading trails (cloudtrail.c), the event history
 * (cloudtrail_events.c), changing trails (cloudtrail_write.c). The operations are rows of lib/operation.h.
 * The comments say which input gives -EINVAL and which answer gives AWS_BAD_ANSWER. Source: AWS CloudTrail
 * API Reference. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/operation.h"

/* A trail's boolean settings, as bits. */
typedef enum CloudTrailFlag {
    CLOUDTRAIL_MULTI_REGION = 1u << 0,      /* IsMultiRegionTrail */
    CLOUDTRAIL_GLOBAL_EVENTS = 1u << 1,     /* IncludeGlobalServiceEvents */
    CLOUDTRAIL_VALIDATION = 1u << 2,        /* LogFileValidationEnabled */
    CLOUDTRAIL_ORGANIZATION = 1u << 3,      /* IsOrganizationTrail */
    CLOUDTRAIL_CUSTOM_SELECTORS = 1u << 4,  /* HasCustomEventSelectors */
    CLOUDTRAIL_INSIGHT_SELECTORS = 1u << 5, /* HasInsightSelectors */
    CLOUDTRAIL_RECURSIVE = 1u << 6,         /* RecursiveLogging, since 2026-09 */
} CloudTrailFlag;

/* A member of DescribeTrails' trailList. Strings are owned by the list, and "" when AWS leaves the member
 * out because it is not configured. */
typedef struct CloudTrailTrail {
    char *name;
    char *arn;
    char *home_region;
    char *bucket;
    char *prefix;    /* S3KeyPrefix */
    char *sns_topic; /* SnsTopicARN */
    char *log_group; /* CloudWatchLogsLogGroupArn */
    char *log_role;  /* CloudWatchLogsRoleArn */
    char *kms_key;   /* KmsKeyId, an ARN */
    char *others; /* unknown members, as an object in the form of answer_dump(), without unset ones and those
                     over the limits */
    bool multi_region;
    bool global_events;
    bool validation;
    bool organization;
    bool has_custom_event_selectors;
    bool has_insight_selectors;
    bool recursive;
    unsigned present; /* CloudTrailFlag: flags that the answer contains. An absent one is false, but
                         unknown */
} CloudTrailTrail;

typedef struct CloudTrailTrails {
    CloudTrailTrail *items;
    size_t n;
} CloudTrailTrails;

/* Limits on the unknown members of a trail: how many, and bytes of each with its name. */
#define CLOUDTRAIL_OTHERS_MAX     16
#define CLOUDTRAIL_OTHER_SIZE_MAX 1024

/* Trails in one answer. AWS allows 5 per region, plus shadow trails. */
#define CLOUDTRAIL_TRAILS_MAX 1000

/* Lists the region's trails, and the shadows of others there. Each must have a valid TrailARN. No input. */
DECLARE_OPERATION(cloudtrail_describe_trails, void, const CloudTrailTrails);
/* Makes a deep copy. 0 or -ENOMEM. */
int cloudtrail_trails_copy(const CloudTrailTrails *trails, CloudTrailTrails *ret);
void cloudtrail_trails_done(CloudTrailTrails *trails);

/* GetTrailStatus. Times are microseconds of real time, 0 when absent. Strings are cut to size and raw
 * (escape before showing). */
typedef struct CloudTrailStatus {
    bool is_logging;
    uint64_t start_logging_usec;
    uint64_t stop_logging_usec;
    uint64_t latest_delivery_usec;
    uint64_t latest_digest_delivery_usec;
    char delivery_error[64];
    char digest_error[64];
    char log_group_error[64]; /* LatestCloudWatchLogsDeliveryError */
    char notification_error[64];
} CloudTrailStatus;

/* The input is a trail's ARN. IsLogging is required. */
DECLARE_OPERATION(cloudtrail_get_trail_status, char, const CloudTrailStatus);
/* Must be called in the trail's home region. */
DECLARE_WRITE(cloudtrail_start_logging, char);
/* Used by drills only, never by the daemon. */
DECLARE_WRITE(cloudtrail_stop_logging, char);

/* ---- settings ---- */

/* Settings that DescribeTrails does not return. Event and Insights selectors are kept as JSON text, since
 * they are compared and restored as a whole. Each input is a trail's ARN. */

/* Bytes of JSON. AWS allows 5 basic selectors with 250 data resources, or 500 values in advanced ones. */
#define CLOUDTRAIL_SELECTORS_MAX (256 * 1024)

/* What a trail records; AWS stores one of the two kinds. Each is a JSON array in the form of answer_dump()
 * (compact, sorted keys), or "" when absent or empty. Owned. */
typedef struct CloudTrailSelectors {
    char *event_selectors;
    char *advanced_event_selectors;
} CloudTrailSelectors;

/* Members may be NULL. */
void cloudtrail_selectors_done(CloudTrailSelectors *selectors);

DECLARE_OPERATION(cloudtrail_get_event_selectors, char, const CloudTrailSelectors);
/* Insights selectors, likewise. Insights that are off (InsightNotEnabledException) give "", not an error. */
DECLARE_OPERATION(cloudtrail_get_insight_selectors, char, const char);
/* The event configuration: all members of the answer except the trail, as an object in the form of
 * answer_dump(). Not available in all regions or to all callers. */
DECLARE_OPERATION(cloudtrail_get_event_configuration, char, const char);

/* AWS allows 50 user tags; its own ("aws:...") are extra. */
#define CLOUDTRAIL_TAGS_MAX 200

typedef struct CloudTrailTag {
    char *key;
    char *value; /* "" when it has none */
} CloudTrailTag;

/* Owned. Zero-initialise before the first use. */
typedef struct CloudTrailTags {
    CloudTrailTag *items;
    size_t n;
} CloudTrailTags;

void cloudtrail_tags_done(CloudTrailTags *tags);

/* Reads all pages. Must be called in the trail's home region. */
DECLARE_OPERATION(cloudtrail_list_tags, char, const CloudTrailTags);

/* ---- writing ---- */

/* Restores settings, selectors and tags, or recreates a trail, in its home region. An answer only confirms
 * that AWS accepted the write; a read shows the result. */

typedef enum CloudTrailChoice {
    CLOUDTRAIL_LEAVE, /* do not send the member */
    CLOUDTRAIL_OFF,
    CLOUDTRAIL_ON,
} CloudTrailChoice;

/* What to write. Unset members are not sent, so {0} changes nothing. Strings are borrowed; NULL leaves a
 * setting as it is, "" removes it. */
typedef struct CloudTrailChanges {
    const char *bucket;
    const char *prefix;
    const char *sns_topic; /* topic name or ARN */
    const char *log_group; /* an ARN; AWS requires it together with log_role */
    const char *log_role;  /* an ARN; needs iam:PassRole */
    const char *kms_key;
    CloudTrailChoice multi_region; /* AWS refuses it on with global_events off; set both in one call */
    CloudTrailChoice global_events;
    CloudTrailChoice validation; /* EnableLogFileValidation */
    CloudTrailChoice organization;
    CloudTrailChoice recursive; /* RecursiveLogging */
} CloudTrailChanges;

/* Input of all writes. An operation ignores members that its comment does not name. -EINVAL for text that is
 * not UTF-8, and as noted below. */
typedef struct CloudTrailWrite {
    const char *trail;
    const CloudTrailChanges *changes;
    const CloudTrailSelectors *selectors;
    const char *text;
    const CloudTrailTags *tags;
} CloudTrailWrite;

/* Uses changes. -EINVAL when it is empty. */
DECLARE_WRITE(cloudtrail_update_trail, CloudTrailWrite);
/* Creates a trail. trail is a name, not an ARN. Members of changes that are "" are not sent; tags may be
 * NULL. -EINVAL without a valid name or a bucket. A new trail does not log until it is started. */
DECLARE_WRITE(cloudtrail_create_trail, CloudTrailWrite);
/* Uses selectors. -EINVAL unless exactly one kind is set and is a non-empty JSON array. Writing one kind
 * deletes the other. */
DECLARE_WRITE(cloudtrail_put_event_selectors, CloudTrailWrite);
/* Uses text. "" turns Insights off. -EINVAL unless it is a JSON array. */
DECLARE_WRITE(cloudtrail_put_insight_selectors, CloudTrailWrite);
/* Uses text: a JSON object whose members are sent. -EINVAL if it is empty or not an object. */
DECLARE_WRITE(cloudtrail_put_event_configuration, CloudTrailWrite);
/* Uses tags. AddTags also changes values; RemoveTags sends keys only. -EINVAL without tags. Keys that start
 * with "aws:" belong to AWS and are not sent. */
DECLARE_WRITE(cloudtrail_add_tags, CloudTrailWrite);
DECLARE_WRITE(cloudtrail_remove_tags, CloudTrailWrite);

/* ---- the event history ---- */

/* Who did what. Works even when all trails are off. Events appear after some minutes, and only in their
 * own region. AWS allows 2 calls a second per account and region. Sources: CloudTrail User Guide,
 * "CloudTrail record contents" and "userIdentity element".
 *
 * The caller controls everything in an event. Its texts are raw and must be escaped before people see
 * them. */

typedef enum CloudTrailLookupKey {
    CLOUDTRAIL_LOOKUP_ALL, /* no attribute; value is ignored */
    CLOUDTRAIL_LOOKUP_EVENT_ID,
    CLOUDTRAIL_LOOKUP_EVENT_NAME,
    CLOUDTRAIL_LOOKUP_READ_ONLY, /* "true" or "false" */
    CLOUDTRAIL_LOOKUP_USERNAME,
    CLOUDTRAIL_LOOKUP_RESOURCE_TYPE,
    CLOUDTRAIL_LOOKUP_RESOURCE_NAME, /* exact match: a trail's name and its ARN are separate lookups */
    CLOUDTRAIL_LOOKUP_EVENT_SOURCE,
    CLOUDTRAIL_LOOKUP_ACCESS_KEY_ID,
    _CLOUDTRAIL_LOOKUP_MAX,
} CloudTrailLookupKey;

#define CLOUDTRAIL_LOOKUP_RESULTS_MAX 50

/* Borrows its strings. */
typedef struct CloudTrailLookup {
    CloudTrailLookupKey key;
    const char *value;      /* 1..2000 bytes */
    uint64_t start_usec;    /* real time, rounded down to seconds; 0: 90 days ago */
    uint64_t end_usec;      /* rounded up to seconds; 0: now */
    unsigned max_results;   /* 1..CLOUDTRAIL_LOOKUP_RESULTS_MAX; 0: AWS's default, 50. Use fewer when an
                               answer was too big: an event may have 256 KiB */
    const char *next_token; /* from the previous answer to the same lookup; NULL: first page */
} CloudTrailLookup;

/* Bytes kept of each text of an event. */
#define CLOUDTRAIL_EVENT_TEXT_MAX       1024
/* The size of a whole record (CloudTrail User Guide, "Quotas"): a policy in it is judged as a whole or not
 * at all. */
#define CLOUDTRAIL_EVENT_PARAMETERS_MAX (256 * 1024)
#define CLOUDTRAIL_EVENT_RESOURCES_MAX  16

/* userIdentity of a record, with texts as in CloudTrailEvent. */
typedef struct CloudTrailIdentity {
    char *type; /* Root, IAMUser, AssumedRole, FederatedUser, AWSAccount, AWSService, ... */
    char *arn;
    char *principal_id;
    char *account_id;
    char *user_name;
    char *invoked_by; /* the AWS service that made the call on behalf of the caller */
    char *access_key_id;
    char *issuer_arn; /* sessionContext.sessionIssuer: the session's role */
    char *issuer_user_name;
    char *source_identity; /* sessionContext.sourceIdentity: the person behind the session */
    char *on_behalf_of;    /* onBehalfOf.userId: an IAM Identity Center user ... */
    char *identity_store;  /* ... and the ARN of the identity store */
    char *delegate;        /* invokedByDelegate.accountId: a product provider with temporary delegation */
    bool assumed_root;     /* sessionContext.assumedRoot is "true"; also set for the call AssumeRoot */
} CloudTrailIdentity;

/* Texts are owned, raw, and cut to CLOUDTRAIL_EVENT_TEXT_MAX; "" when absent, never NULL. */
typedef struct CloudTrailEvent {
    /* from the answer itself */
    char *event_id;
    char *event_name;   /* "StopLogging" */
    char *event_source; /* "cloudtrail.amazonaws.com" */
    char *access_key_id;
    char *username;
    uint64_t event_time_usec; /* real time, whole seconds; 0 when absent */
    bool read_only;
    char **resources; /* their names, at most CLOUDTRAIL_EVENT_RESOURCES_MAX */
    size_t n_resources;

    /* from the record inside it, CloudTrailEvent */
    bool whole; /* the record was read completely; otherwise some or all of what follows is "" */
    char *source_ip; /* an address, or a service's name, or "AWS Internal" */
    char *user_agent;
    char *error_code; /* "" for a successful call */
    char *request_id;
    char *trail;      /* the trail in the request, as typed: name, trailName or resourceId; if there is none,
                         the ARN in the response */
    bool omitted;     /* the request was too long to be recorded */
    char *bucket;     /* bucketName, for requests to S3 */
    char *key;        /* keyId in requests to KMS: an id or an ARN */
    char *log_group;  /* logGroupName in requests to CloudWatch Logs */
    char *role;       /* roleName in requests to IAM */
    char *topic;      /* topicArn in requests to SNS */
    char *key_store;  /* customKeyStoreId in requests to KMS */
    char *principal;  /* servicePrincipal in requests to Organizations: the trusted service */
    char *departure;  /* departureMethod of AccountDepartedOrganization: LEFT, REMOVED, CLEANED */
    char *parameters; /* requestParameters in the form of answer_dump(). If longer than
                         CLOUDTRAIL_EVENT_PARAMETERS_MAX, ends in "..." and is not JSON */
    char *details;  /* serviceEventDetails in the same form: events that a service recorded without a call */
    CloudTrailIdentity identity;
} CloudTrailEvent;

typedef struct CloudTrailEvents {
    CloudTrailEvent *items; /* newest first, as AWS sends them */
    size_t n;
    char *next_token; /* "" after the last page */
} CloudTrailEvents;

void cloudtrail_events_done(CloudTrailEvents *events);

/* One page. -EINVAL for a missing or too long value, and for times or max_results out of range. A damaged
 * event is kept as far as it can be read. */
DECLARE_OPERATION(cloudtrail_lookup_events, CloudTrailLookup, const CloudTrailEvents);

/* ---- for lib/cloudtrail*.c: what the rows of the operations share ---- */

/* The spelling that AWS's own tools send; the answer is the same for the shorter one. */
#define CLOUDTRAIL_ROW(name_, operation)                                                                    \
    .service = AWS_CLOUDTRAIL, .protocol = AWS_PROTOCOL_JSON, .name = (operation),                          \
    .target = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101." operation,                          \
    .deliver = name_##_deliver
