/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AWS CloudTrail, API version 2013-11-01 (awsJson1_1): which trails there are, whether they log, and starting
 * them. Per operation: a pure builder of the request body, a pure reader of the answer, and the call that
 * joins them. The other operations are in cloudtrail_settings.h, cloudtrail_write.h and cloudtrail_events.h.
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
