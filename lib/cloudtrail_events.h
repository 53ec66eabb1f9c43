/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AWS CloudTrail's event history: who did what. It does not depend on any trail, so it answers also when all of
 * them are off; an event shows after some minutes, and a region tells only of itself. AWS allows 2 calls a
 * second per account and region. Sources: AWS CloudTrail API Reference, LookupEvents; CloudTrail User Guide,
 * "CloudTrail record contents" and "userIdentity element".
 *
 * Everything in an event was typed or chosen by whoever made the call: it is raw, and must be escaped before
 * people see it. */

#include "lib/cloudtrail.h"

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
