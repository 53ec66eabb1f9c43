/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AWS CloudTrail: a trail's settings that DescribeTrails does not tell. What it records (event selectors and
 * Insights selectors) is kept as JSON text, since it is compared and put back as a whole; and its tags.
 * Sources: AWS CloudTrail API Reference, GetEventSelectors, GetInsightSelectors, ListTags. */

#include "lib/cloudtrail.h"

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
