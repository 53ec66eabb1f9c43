/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AWS CloudTrail, API version 2013-11-01 (awsJson1_1): which trails there are, whether they log, and starting
 * them. Per operation: a pure builder of the request body, a pure reader of the answer, and the call that
 * joins them.
 * Source: AWS CloudTrail API Reference. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/typed_call.h"

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
    char *prefix;     /* S3KeyPrefix */
    char *sns_topic;  /* SnsTopicARN */
    char *log_group;  /* CloudWatchLogsLogGroupArn */
    char *log_role;   /* CloudWatchLogsRoleArn */
    char *kms_key;    /* KmsKeyId, an ARN */
    char *others;     /* members that this version does not know, as an object in the form of answer_dump(); what is not
                       * set is left out, and so is what is past the ceilings */
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

/* Reads a DescribeTrails answer. Entries without a legal TrailARN make the whole answer bad: -EBADMSG.
 * -ENOMEM, -E2BIG. */
int cloudtrail_read_trails(const char *body, size_t len, CloudTrailTrails *ret);
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
    char log_group_error[64];       /* LatestCloudWatchLogsDeliveryError */
    char notification_error[64];
} CloudTrailStatus;

/* IsLogging must be there and a boolean: -EBADMSG otherwise. */
int cloudtrail_read_status(const char *body, size_t len, CloudTrailStatus *ret);

/* The body of the calls that take one trail, {"Name":...}. arn is UTF-8. The caller frees *ret. 0, -EINVAL,
 * -ENOMEM. Pure. */
int cloudtrail_build_name(const char *arn, char **ret);

/* Callbacks: error->class is AWS_OK or the rest is NULL; valid inside the call only. An answer that cannot
 * be read is AWS_BAD_ANSWER. */
typedef void (*CloudTrailTrailsDone)(const AwsError *error, const CloudTrailTrails *trails, void *userdata);
typedef void (*CloudTrailStatusDone)(const AwsError *error, const CloudTrailStatus *status, void *userdata);
typedef void (*CloudTrailDone)(const AwsError *error, void *userdata);

/* A typed call under way; gone once its callback was called. */
typedef TypedCall CloudTrailCall;

/* All: done is called exactly once, never from inside; 0, or -ENOMEM / -EINVAL and then never. ret may be
 * NULL. */
int cloudtrail_describe_trails(AwsClient *client, CredentialsSource *credentials, const char *region,
                               CloudTrailTrailsDone done, void *userdata, CloudTrailCall **ret);
int cloudtrail_get_trail_status(AwsClient *client, CredentialsSource *credentials, const char *region,
                                const char *arn, CloudTrailStatusDone done, void *userdata,
                                CloudTrailCall **ret);
/* region must be the trail's home region. */
int cloudtrail_start_logging(AwsClient *client, CredentialsSource *credentials, const char *region,
                             const char *arn, CloudTrailDone done, void *userdata, CloudTrailCall **ret);
/* NULL is fine. */
void cloudtrail_cancel(CloudTrailCall *call);

/* AWS CloudTrail: a trail's settings that DescribeTrails does not tell. What it records (event selectors and
 * Insights selectors) is kept as JSON text, since it is compared and put back as a whole; and its tags.
 * Sources: AWS CloudTrail API Reference, GetEventSelectors, GetInsightSelectors, ListTags. */


/* bytes of JSON; AWS allows 5 basic selectors with 250 data resources, and 500 values in advanced ones */
#define CLOUDTRAIL_SELECTORS_MAX (256 * 1024)

/* What a trail records: one of the two kinds, as AWS keeps it. Each is a JSON array in the form of
 * answer_dump() (compact, keys sorted), "" when the answer has none or an empty one. Owned. */
typedef struct CloudTrailSelectors {
    char *event_selectors;
    char *advanced_event_selectors;
} CloudTrailSelectors;

/* 0, -EBADMSG, -E2BIG, -ENOMEM. Pure, as all that read and build here. */
int cloudtrail_read_event_selectors(const char *body, size_t len, CloudTrailSelectors *ret);
/* NULL members are fine. */
void cloudtrail_selectors_done(CloudTrailSelectors *selectors);

/* The same for Insights selectors: "" when there are none. The caller frees *ret. */
int cloudtrail_read_insight_selectors(const char *body, size_t len, char **ret);

/* The event configuration: all members of the answer but whose it is, an object in the form of answer_dump(). The
 * caller frees *ret. */
int cloudtrail_read_event_configuration(const char *body, size_t len, char **ret);

/* AWS allows 50 of one's own; its own ("aws:...") come on top */
#define CLOUDTRAIL_TAGS_MAX 200

typedef struct CloudTrailTag {
    char *key;
    char *value;    /* "" when it has none */
} CloudTrailTag;

/* Owned. Zero-initialise before the first use. */
typedef struct CloudTrailTags {
    CloudTrailTag *items;
    size_t n;
} CloudTrailTags;

/* Appends the tags of one page of ListTags to tags, and gives the token of the next page, "" after the last;
 * the caller frees it. Only what the answer says of arn counts. On an error tags keeps what it had before.
 * -EBADMSG, -E2BIG past CLOUDTRAIL_TAGS_MAX, -ENOMEM. */
int cloudtrail_read_tags(const char *body, size_t len, const char *arn, CloudTrailTags *tags,
                         char **ret_next_token);
void cloudtrail_tags_done(CloudTrailTags *tags);

/* Bodies, {"TrailName":...} and {"ResourceIdList":[...]}; next_token may be NULL or "". The caller frees *ret.
 * 0, -EINVAL (not UTF-8), -ENOMEM. */
int cloudtrail_build_trail_name(const char *arn, char **ret);
int cloudtrail_build_list_tags(const char *arn, const char *next_token, char **ret);

/* As in cloudtrail.h: the value is NULL unless error->class is AWS_OK, and valid inside the call only. */
typedef void (*CloudTrailSelectorsDone)(const AwsError *error, const CloudTrailSelectors *selectors,
                                        void *userdata);
typedef void (*CloudTrailInsightsDone)(const AwsError *error, const char *insight_selectors, void *userdata);
typedef void (*CloudTrailConfigurationDone)(const AwsError *error, const char *configuration, void *userdata);
typedef void (*CloudTrailTagsDone)(const AwsError *error, const CloudTrailTags *tags, void *userdata);

/* All calls as in cloudtrail.h; cancelled by cloudtrail_cancel(). */
int cloudtrail_get_event_selectors(AwsClient *client, CredentialsSource *credentials, const char *region,
                                   const char *arn, CloudTrailSelectorsDone done, void *userdata,
                                   CloudTrailCall **ret);
/* That Insights are off (InsightNotEnabledException) is a normal answer, "". */
int cloudtrail_get_insight_selectors(AwsClient *client, CredentialsSource *credentials, const char *region,
                                     const char *arn, CloudTrailInsightsDone done, void *userdata,
                                     CloudTrailCall **ret);
/* AWS does not answer it everywhere, nor to everybody. */
int cloudtrail_get_event_configuration(AwsClient *client, CredentialsSource *credentials, const char *region,
                                       const char *arn, CloudTrailConfigurationDone done, void *userdata,
                                       CloudTrailCall **ret);
/* All pages; region must be the trail's home region. */
int cloudtrail_list_tags(AwsClient *client, CredentialsSource *credentials, const char *region,
                         const char *arn, CloudTrailTagsDone done, void *userdata, CloudTrailCall **ret);

/* AWS CloudTrail: putting a trail's settings, selectors and tags back, and creating it anew. All calls go to
 * the trail's home region. None tells more than whether AWS took it: what holds is for a read to say. Sources:
 * AWS CloudTrail API Reference, UpdateTrail, PutEventSelectors, PutInsightSelectors, CreateTrail, AddTags,
 * RemoveTags. */


typedef enum CloudTrailChoice {
    CLOUDTRAIL_LEAVE,   /* the member is not sent */
    CLOUDTRAIL_OFF,
    CLOUDTRAIL_ON,
} CloudTrailChoice;

/* What to write; only members that are set are sent, so {0} changes nothing. Strings are borrowed: NULL
 * leaves the setting as it is, "" takes it away. */
typedef struct CloudTrailChanges {
    const char *bucket;
    const char *prefix;
    const char *sns_topic;      /* topic name or ARN */
    const char *log_group;      /* an ARN; AWS wants it and log_role together */
    const char *log_role;       /* an ARN; needs iam:PassRole */
    const char *kms_key;
    CloudTrailChoice multi_region;  /* AWS refuses it on with global_events off: set both in one call */
    CloudTrailChoice global_events;
    CloudTrailChoice validation;    /* EnableLogFileValidation */
    CloudTrailChoice organization;
    CloudTrailChoice recursive;     /* RecursiveLogging */
} CloudTrailChanges;

/* Bodies. The caller frees *ret. All: 0, -EINVAL (not UTF-8, or as said below), -ENOMEM. Pure. */

/* -EINVAL when there is nothing to change. */
int cloudtrail_build_update_trail(const char *arn, const CloudTrailChanges *changes, char **ret);
/* name is a name, not an ARN. Members that are "" are not sent. tags may be NULL. -EINVAL without a legal name
 * or without a bucket. A trail that was created does not log until it is started. */
int cloudtrail_build_create_trail(const char *name, const CloudTrailChanges *settings,
                                  const CloudTrailTags *tags, char **ret);
/* Exactly one kind must be set; -EINVAL otherwise, or when its text is no JSON array with something in it. The
 * kind that is written wipes the other. */
int cloudtrail_build_put_event_selectors(const char *arn, const CloudTrailSelectors *selectors, char **ret);
/* "" turns Insights off. -EINVAL when the text is no JSON array. */
int cloudtrail_build_put_insight_selectors(const char *arn, const char *insight_selectors, char **ret);
/* The members of a text that is a JSON object; -EINVAL when it is none, or empty. */
int cloudtrail_build_put_event_configuration(const char *arn, const char *configuration, char **ret);
/* The same for AddTags, which also changes values, and RemoveTags, which takes keys only (values are not
 * sent). -EINVAL when there are none. Keys that start with "aws:" are AWS's own and not sent. */
int cloudtrail_build_add_tags(const char *arn, const CloudTrailTags *tags, char **ret);
int cloudtrail_build_remove_tags(const char *arn, const CloudTrailTags *tags, char **ret);

/* The calls, as in cloudtrail.h; cancelled by cloudtrail_cancel(). */
int cloudtrail_update_trail(AwsClient *client, CredentialsSource *credentials, const char *region,
                            const char *arn, const CloudTrailChanges *changes, CloudTrailDone done,
                            void *userdata, CloudTrailCall **ret);
int cloudtrail_create_trail(AwsClient *client, CredentialsSource *credentials, const char *region,
                            const char *name, const CloudTrailChanges *settings, const CloudTrailTags *tags,
                            CloudTrailDone done, void *userdata, CloudTrailCall **ret);
int cloudtrail_put_event_selectors(AwsClient *client, CredentialsSource *credentials, const char *region,
                                   const char *arn, const CloudTrailSelectors *selectors,
                                   CloudTrailDone done, void *userdata, CloudTrailCall **ret);
int cloudtrail_put_insight_selectors(AwsClient *client, CredentialsSource *credentials, const char *region,
                                     const char *arn, const char *insight_selectors, CloudTrailDone done,
                                     void *userdata, CloudTrailCall **ret);
int cloudtrail_put_event_configuration(AwsClient *client, CredentialsSource *credentials, const char *region,
                                       const char *arn, const char *configuration, CloudTrailDone done,
                                       void *userdata, CloudTrailCall **ret);
int cloudtrail_add_tags(AwsClient *client, CredentialsSource *credentials, const char *region,
                        const char *arn, const CloudTrailTags *tags, CloudTrailDone done, void *userdata,
                        CloudTrailCall **ret);
int cloudtrail_remove_tags(AwsClient *client, CredentialsSource *credentials, const char *region,
                           const char *arn, const CloudTrailTags *tags, CloudTrailDone done, void *userdata,
                           CloudTrailCall **ret);

/* AWS CloudTrail's event history: who did what. It does not depend on any trail, so it answers also when all of
 * them are off; an event shows after some minutes, and a region tells only of itself. AWS allows 2 calls a
 * second per account and region. Sources: AWS CloudTrail API Reference, LookupEvents; CloudTrail User Guide,
 * "CloudTrail record contents" and "userIdentity element".
 *
 * Everything in an event was typed or chosen by whoever made the call: it is raw, and must be escaped before
 * people see it. */


typedef enum CloudTrailLookupKey {
    CLOUDTRAIL_LOOKUP_ALL,          /* no attribute: value is not used */
    CLOUDTRAIL_LOOKUP_EVENT_ID,
    CLOUDTRAIL_LOOKUP_EVENT_NAME,
    CLOUDTRAIL_LOOKUP_READ_ONLY,    /* "true" or "false" */
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
    const char *value;          /* 1..2000 bytes */
    uint64_t start_usec;        /* real time, 0: 90 days ago; sent in whole seconds, start rounded down */
    uint64_t end_usec;          /* 0: now; rounded up */
    unsigned max_results;       /* 1..CLOUDTRAIL_LOOKUP_RESULTS_MAX, 0: AWS's default, 50. Fewer when the answer
                                 * did not fit: an event may have 256 KiB */
    const char *next_token;     /* of the answer before, whose lookup was the same otherwise; NULL: the first */
} CloudTrailLookup;

/* 0, -EINVAL (a value that is missing or too long, not UTF-8, times or max_results out of range), -ENOMEM. The
 * caller frees *ret. Pure. */
int cloudtrail_build_lookup(const CloudTrailLookup *lookup, char **ret);

/* bytes kept of one text of an event, and of its request parameters */
#define CLOUDTRAIL_EVENT_TEXT_MAX 1024
#define CLOUDTRAIL_EVENT_PARAMETERS_MAX 4096
#define CLOUDTRAIL_EVENT_RESOURCES_MAX 16

/* userIdentity of a record. Texts as in CloudTrailEvent. */
typedef struct CloudTrailIdentity {
    char *type;             /* Root, IAMUser, AssumedRole, FederatedUser, AWSAccount, AWSService, ... */
    char *arn;
    char *principal_id;
    char *account_id;
    char *user_name;
    char *invoked_by;       /* the AWS service that called on somebody's behalf */
    char *access_key_id;
    char *issuer_arn;       /* sessionContext.sessionIssuer: the role behind a session */
    char *issuer_type;
    char *issuer_user_name;
    char *source_identity;  /* sessionContext.sourceIdentity: who the session was opened for */
    char *on_behalf_of;     /* onBehalfOf.userId: a user of IAM Identity Center ... */
    char *identity_store;   /* ... and the ARN of its store */
    char *delegate;         /* invokedByDelegate.accountId: a product provider's, by temporary delegation */
    bool mfa;               /* sessionContext.attributes.mfaAuthenticated is "true" */
    bool assumed_root;      /* sessionContext.assumedRoot is "true"; so it is of the call AssumeRoot, too */
} CloudTrailIdentity;

/* Texts are owned, raw, cut to CLOUDTRAIL_EVENT_TEXT_MAX; "" when absent, never NULL. */
typedef struct CloudTrailEvent {
    /* of the answer itself */
    char *event_id;
    char *event_name;       /* "StopLogging" */
    char *event_source;     /* "cloudtrail.amazonaws.com" */
    char *access_key_id;
    char *username;
    uint64_t event_time_usec; /* real time, whole seconds; 0 when absent */
    bool read_only;
    char **resources;       /* their names; at most CLOUDTRAIL_EVENT_RESOURCES_MAX */
    size_t n_resources;

    /* of the record inside, CloudTrailEvent */
    bool whole;             /* the record could be read; otherwise some or all of the rest is "" */
    char *aws_region;
    char *source_ip;        /* an address, or a service's name, or "AWS Internal" */
    char *user_agent;
    char *error_code;       /* "" when the call worked */
    char *error_message;
    char *request_id;
    char *recipient_account;
    char *trail;            /* the trail that the request names, as typed: name, trailName or resourceId */
    char *bucket;           /* bucketName, for requests to S3 */
    char *key;              /* keyId, to KMS: an id or an ARN */
    char *log_group;        /* logGroupName, to CloudWatch Logs */
    char *role;             /* roleName, to IAM */
    char *topic;            /* topicArn, to SNS */
    char *key_store;        /* customKeyStoreId, to KMS */
    char *principal;        /* servicePrincipal, to Organizations: the service that is trusted */
    char *departure;        /* departureMethod of AccountDepartedOrganization: LEFT, REMOVED, CLEANED */
    char *parameters;       /* requestParameters in the form of answer_dump(); ends in "..." when it was longer
                             * than CLOUDTRAIL_EVENT_PARAMETERS_MAX, and is no JSON then */
    char *details;          /* serviceEventDetails, in the same form: of what a service recorded without a call */
    CloudTrailIdentity identity;
} CloudTrailEvent;

typedef struct CloudTrailEvents {
    CloudTrailEvent *items; /* newest first, as AWS sends them */
    size_t n;
    char *next_token;       /* "" after the last page */
} CloudTrailEvents;

/* Reads an answer to LookupEvents. An event that is damaged is kept as far as it could be read; only an answer
 * that is none is -EBADMSG. Events past CLOUDTRAIL_LOOKUP_RESULTS_MAX are -E2BIG. -ENOMEM. Pure. */
int cloudtrail_read_events(const char *body, size_t len, CloudTrailEvents *ret);
void cloudtrail_events_done(CloudTrailEvents *events);

/* events is NULL unless error->class is AWS_OK; valid inside the call only. */
typedef void (*CloudTrailEventsDone)(const AwsError *error, const CloudTrailEvents *events, void *userdata);

/* One page. As in cloudtrail.h; cancelled by cloudtrail_cancel(). */
int cloudtrail_lookup_events(AwsClient *client, CredentialsSource *credentials, const char *region,
                             const CloudTrailLookup *lookup, CloudTrailEventsDone done, void *userdata,
                             CloudTrailCall **ret);
