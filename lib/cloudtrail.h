/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AWS CloudTrail, API version 2013-11-01 (awsJson1_1): reading trails (cloudtrail.c), the event history
 * (cloudtrail_events.c), and changing trails (cloudtrail_write.c). An operation is a row of lib/operation.h;
 * what the comments say of the input and the answer is what makes -EINVAL and AWS_BAD_ANSWER. Source: AWS
 * CloudTrail API Reference. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/operation.h"

/* A trail's settings that are flags, as bits. */
typedef enum CloudTrailFlag {
    CLOUDTRAIL_MULTI_REGION = 1u << 0,      /* IsMultiRegionTrail */
    CLOUDTRAIL_GLOBAL_EVENTS = 1u << 1,     /* IncludeGlobalServiceEvents */
    CLOUDTRAIL_VALIDATION = 1u << 2,        /* LogFileValidationEnabled */
    CLOUDTRAIL_ORGANIZATION = 1u << 3,      /* IsOrganizationTrail */
    CLOUDTRAIL_CUSTOM_SELECTORS = 1u << 4,  /* HasCustomEventSelectors */
    CLOUDTRAIL_INSIGHT_SELECTORS = 1u << 5, /* HasInsightSelectors */
    CLOUDTRAIL_RECURSIVE = 1u << 6,         /* RecursiveLogging, since 2026-09 */
} CloudTrailFlag;

/* A member of DescribeTrails' trailList. Strings are owned by the list, "" when the member is absent; AWS
 * leaves out what is not configured. */
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
    char *others; /* members that this version does not know, as an object in the form of answer_dump(); what
                   * is not set is left out, and so is what is past the ceilings */
    bool multi_region;
    bool global_events;
    bool validation;
    bool organization;
    bool has_custom_event_selectors;
    bool has_insight_selectors;
    bool recursive;
    unsigned present; /* CloudTrailFlag: which of the flags the answer had at all; an absent one is false,
                       * but says nothing */
} CloudTrailTrail;

typedef struct CloudTrailTrails {
    CloudTrailTrail *items;
    size_t n;
} CloudTrailTrails;

/* members that this version does not know, of one trail, by name; and the bytes of each, with its name */
#define CLOUDTRAIL_OTHERS_MAX     16
#define CLOUDTRAIL_OTHER_SIZE_MAX 1024

/* in one answer; AWS allows 5 per region, and shadows come on top */
#define CLOUDTRAIL_TRAILS_MAX 1000

/* The trails of the region, and the shadows of others there. Each must have a legal TrailARN. No input. */
DECLARE_OPERATION(cloudtrail_describe_trails, void, const CloudTrailTrails);
/* A copy of its own. 0 or -ENOMEM. */
int cloudtrail_trails_copy(const CloudTrailTrails *trails, CloudTrailTrails *ret);
void cloudtrail_trails_done(CloudTrailTrails *trails);

/* GetTrailStatus. Times in microseconds of real time, 0 when absent. Texts cut to their size, raw (escape
 * before showing). */
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

/* The input is a trail's ARN. IsLogging must be there and a boolean. */
DECLARE_OPERATION(cloudtrail_get_trail_status, char, const CloudTrailStatus);
/* The region must be the trail's home region. */
DECLARE_WRITE(cloudtrail_start_logging, char);
/* For a drill; the daemon never calls it. */
DECLARE_WRITE(cloudtrail_stop_logging, char);

/* ---- settings ---- */

/* A trail's settings that DescribeTrails does not tell. What it records (event selectors and Insights
 * selectors) is kept as JSON text, since it is compared and put back as a whole; and its tags. Each input is
 * a trail's ARN. */

/* bytes of JSON; AWS allows 5 basic selectors with 250 data resources, and 500 values in advanced ones */
#define CLOUDTRAIL_SELECTORS_MAX (256 * 1024)

/* What a trail records: one of the two kinds, as AWS keeps it. Each is a JSON array in the form of
 * answer_dump() (compact, keys sorted), "" when the answer has none or an empty one. Owned. */
typedef struct CloudTrailSelectors {
    char *event_selectors;
    char *advanced_event_selectors;
} CloudTrailSelectors;

/* NULL members are fine. */
void cloudtrail_selectors_done(CloudTrailSelectors *selectors);

DECLARE_OPERATION(cloudtrail_get_event_selectors, char, const CloudTrailSelectors);
/* The same for Insights selectors: "" when there are none. That Insights are off
 * (InsightNotEnabledException) is a normal answer, "". */
DECLARE_OPERATION(cloudtrail_get_insight_selectors, char, const char);
/* The event configuration: all members of the answer but whose it is, an object in the form of
 * answer_dump(). AWS does not answer it everywhere, nor to everybody. */
DECLARE_OPERATION(cloudtrail_get_event_configuration, char, const char);

/* AWS allows 50 of one's own; its own ("aws:...") come on top */
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

/* All pages; the region must be the trail's home region. */
DECLARE_OPERATION(cloudtrail_list_tags, char, const CloudTrailTags);

/* ---- writing ---- */

/* Putting settings, selectors and tags back, and creating a trail anew, in its home region. The answers tell
 * no more than that AWS took it: what holds is for a read to say. */

typedef enum CloudTrailChoice {
    CLOUDTRAIL_LEAVE, /* the member is not sent */
    CLOUDTRAIL_OFF,
    CLOUDTRAIL_ON,
} CloudTrailChoice;

/* What to write; only members that are set are sent, so {0} changes nothing. Strings are borrowed: NULL
 * leaves the setting as it is, "" takes it away. */
typedef struct CloudTrailChanges {
    const char *bucket;
    const char *prefix;
    const char *sns_topic; /* topic name or ARN */
    const char *log_group; /* an ARN; AWS wants it and log_role together */
    const char *log_role;  /* an ARN; needs iam:PassRole */
    const char *kms_key;
    CloudTrailChoice multi_region; /* AWS refuses it on with global_events off: set both in one call */
    CloudTrailChoice global_events;
    CloudTrailChoice validation; /* EnableLogFileValidation */
    CloudTrailChoice organization;
    CloudTrailChoice recursive; /* RecursiveLogging */
} CloudTrailChanges;

/* The input of all that write; the members that an operation does not name are not read. -EINVAL for text
 * that is not UTF-8, and as said below. */
typedef struct CloudTrailWrite {
    const char *trail;
    const CloudTrailChanges *changes;
    const CloudTrailSelectors *selectors;
    const char *text;
    const CloudTrailTags *tags;
} CloudTrailWrite;

/* changes; -EINVAL when there is nothing to change. */
DECLARE_WRITE(cloudtrail_update_trail, CloudTrailWrite);
/* trail is a name, not an ARN. Members of changes that are "" are not sent; tags may be NULL. -EINVAL
 * without a legal name or without a bucket. A trail that was created does not log until it is started. */
DECLARE_WRITE(cloudtrail_create_trail, CloudTrailWrite);
/* selectors: exactly one kind must be set; -EINVAL otherwise, or when its text is no JSON array with
 * something in it. The kind that is written wipes the other. */
DECLARE_WRITE(cloudtrail_put_event_selectors, CloudTrailWrite);
/* text: "" turns Insights off. -EINVAL when it is no JSON array. */
DECLARE_WRITE(cloudtrail_put_insight_selectors, CloudTrailWrite);
/* text: a JSON object, whose members are sent; -EINVAL when it is none, or empty. */
DECLARE_WRITE(cloudtrail_put_event_configuration, CloudTrailWrite);
/* tags: AddTags also changes values, RemoveTags takes keys only. -EINVAL when there are none. Keys that
 * start with "aws:" are AWS's own and not sent. */
DECLARE_WRITE(cloudtrail_add_tags, CloudTrailWrite);
DECLARE_WRITE(cloudtrail_remove_tags, CloudTrailWrite);

/* ---- the event history ---- */

/* Who did what. It does not depend on any trail, so it answers also when all of them are off; an event shows
 * after some minutes, and a region tells only of itself. AWS allows 2 calls a second per account and region.
 * Sources: CloudTrail User Guide, "CloudTrail record contents" and "userIdentity element".
 *
 * Everything in an event was typed or chosen by whoever made the call: it is raw, and must be escaped before
 * people see it. */

typedef enum CloudTrailLookupKey {
    CLOUDTRAIL_LOOKUP_ALL, /* no attribute: value is not used */
    CLOUDTRAIL_LOOKUP_EVENT_ID,
    CLOUDTRAIL_LOOKUP_EVENT_NAME,
    CLOUDTRAIL_LOOKUP_READ_ONLY, /* "true" or "false" */
    CLOUDTRAIL_LOOKUP_USERNAME,
    CLOUDTRAIL_LOOKUP_RESOURCE_TYPE,
    CLOUDTRAIL_LOOKUP_RESOURCE_NAME, /* exact: a trail's name and its ARN are two lookups */
    CLOUDTRAIL_LOOKUP_EVENT_SOURCE,
    CLOUDTRAIL_LOOKUP_ACCESS_KEY_ID,
    _CLOUDTRAIL_LOOKUP_MAX,
} CloudTrailLookupKey;

#define CLOUDTRAIL_LOOKUP_RESULTS_MAX 50

/* Strings are borrowed. */
typedef struct CloudTrailLookup {
    CloudTrailLookupKey key;
    const char *value;      /* 1..2000 bytes */
    uint64_t start_usec;    /* real time, 0: 90 days ago; sent in whole seconds, start rounded down */
    uint64_t end_usec;      /* 0: now; rounded up */
    unsigned max_results;   /* 1..CLOUDTRAIL_LOOKUP_RESULTS_MAX, 0: AWS's default, 50. Fewer when the answer
                             * did not fit: an event may have 256 KiB */
    const char *next_token; /* of the answer before, whose lookup was the same otherwise; NULL: the first */
} CloudTrailLookup;

/* bytes kept of one text of an event, and of its request parameters */
#define CLOUDTRAIL_EVENT_TEXT_MAX       1024
/* A whole record (CloudTrail User Guide, "Quotas"): a policy in it is judged as a whole or not at all. */
#define CLOUDTRAIL_EVENT_PARAMETERS_MAX (256 * 1024)
#define CLOUDTRAIL_EVENT_RESOURCES_MAX  16

/* userIdentity of a record. Texts as in CloudTrailEvent. */
typedef struct CloudTrailIdentity {
    char *type; /* Root, IAMUser, AssumedRole, FederatedUser, AWSAccount, AWSService, ... */
    char *arn;
    char *principal_id;
    char *account_id;
    char *user_name;
    char *invoked_by; /* the AWS service that called on somebody's behalf */
    char *access_key_id;
    char *issuer_arn; /* sessionContext.sessionIssuer: the role behind a session */
    char *issuer_user_name;
    char *source_identity; /* sessionContext.sourceIdentity: who the session was opened for */
    char *on_behalf_of;    /* onBehalfOf.userId: a user of IAM Identity Center ... */
    char *identity_store;  /* ... and the ARN of its store */
    char *delegate;        /* invokedByDelegate.accountId: a product provider's, by temporary delegation */
    bool assumed_root;     /* sessionContext.assumedRoot is "true"; so it is of the call AssumeRoot, too */
} CloudTrailIdentity;

/* Texts are owned, raw, cut to CLOUDTRAIL_EVENT_TEXT_MAX; "" when absent, never NULL. */
typedef struct CloudTrailEvent {
    /* of the answer itself */
    char *event_id;
    char *event_name;   /* "StopLogging" */
    char *event_source; /* "cloudtrail.amazonaws.com" */
    char *access_key_id;
    char *username;
    uint64_t event_time_usec; /* real time, whole seconds; 0 when absent */
    bool read_only;
    char **resources; /* their names; at most CLOUDTRAIL_EVENT_RESOURCES_MAX */
    size_t n_resources;

    /* of the record inside, CloudTrailEvent */
    bool whole; /* the record could be read; otherwise some or all of the rest is "" */
    char *source_ip; /* an address, or a service's name, or "AWS Internal" */
    char *user_agent;
    char *error_code; /* "" when the call worked */
    char *request_id;
    char *trail;      /* the trail that the request names, as typed: name, trailName or resourceId; where it
                       * names none, the ARN in the answer to it */
    bool omitted;     /* the request was too long for the record, which says nothing of it */
    char *bucket;     /* bucketName, for requests to S3 */
    char *key;        /* keyId, to KMS: an id or an ARN */
    char *log_group;  /* logGroupName, to CloudWatch Logs */
    char *role;       /* roleName, to IAM */
    char *topic;      /* topicArn, to SNS */
    char *key_store;  /* customKeyStoreId, to KMS */
    char *principal;  /* servicePrincipal, to Organizations: the service that is trusted */
    char *departure;  /* departureMethod of AccountDepartedOrganization: LEFT, REMOVED, CLEANED */
    char *parameters; /* requestParameters in the form of answer_dump(); ends in "..." when it was longer
                       * than CLOUDTRAIL_EVENT_PARAMETERS_MAX, and is no JSON then */
    char *details;    /* serviceEventDetails, in the same form: of what a service recorded without a call */
    CloudTrailIdentity identity;
} CloudTrailEvent;

typedef struct CloudTrailEvents {
    CloudTrailEvent *items; /* newest first, as AWS sends them */
    size_t n;
    char *next_token; /* "" after the last page */
} CloudTrailEvents;

void cloudtrail_events_done(CloudTrailEvents *events);

/* One page. -EINVAL for a value that is missing or too long, times or max_results out of range. An event
 * that is damaged is kept as far as it could be read. */
DECLARE_OPERATION(cloudtrail_lookup_events, CloudTrailLookup, const CloudTrailEvents);

/* ---- for lib/cloudtrail*.c: what the rows of the operations share ---- */

/* The spelling that AWS's own tools send; the answer is the same for the shorter one. */
#define CLOUDTRAIL_ROW(name_, operation)                                                                    \
    .service = AWS_CLOUDTRAIL, .protocol = AWS_PROTOCOL_JSON, .name = (operation),                          \
    .target = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101." operation,                          \
    .deliver = name_##_deliver
