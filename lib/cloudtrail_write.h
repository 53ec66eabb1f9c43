/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AWS CloudTrail: putting a trail's settings, selectors and tags back, and creating it anew. All calls go to
 * the trail's home region. None tells more than whether AWS took it: what holds is for a read to say. Sources:
 * AWS CloudTrail API Reference, UpdateTrail, PutEventSelectors, PutInsightSelectors, CreateTrail, AddTags,
 * RemoveTags. */

#include "lib/cloudtrail_settings.h"

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
