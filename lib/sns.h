/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Amazon SNS Publish, topics and subscriptions, API version 2010-03-31 (Query protocol). Source: Amazon SNS
 * API Reference. */

#include "lib/arn.h"
#include "lib/operation.h"

#define SNS_MESSAGE_MAX 262144 /* bytes, message and attributes together */

typedef struct SnsAttribute {
    const char *name;
    const char *value; /* String; empty values are left out (SNS refuses them) */
} SnsAttribute;

typedef struct SnsMessage {
    const char *topic_arn;
    const char *subject; /* printable ASCII, 1..99 bytes */
    const char *message; /* a JSON object of per-protocol texts (MessageStructure=json is set) */
    const SnsAttribute *attributes;
    size_t n_attributes;
    const char *group_id; /* both NULL for standard topics */
    const char *deduplication_id;
} SnsMessage;

#define SNS_ID_MAX 64

/* Publishes in the topic's own region, whatever the caller's is; the value is the MessageId. -EINVAL when
 * topic_arn is no topic's ARN, or a member is not as said above; -E2BIG past SNS_MESSAGE_MAX. */
DECLARE_OPERATION(sns_publish, SnsMessage, const char);

/* ---- GetTopicAttributes ---- */

typedef struct SnsTopic {
    unsigned confirmed, pending; /* subscriptions */
    char key[ARN_MAX]; /* KmsMasterKeyId: an id, an alias, or the ARN of either; "": not encrypted */
    char *policy;      /* JSON; NULL when AWS gave none */
} SnsTopic;

/* The input is the topic's ARN, the region the one in it. A topic that is not there is AWS_NOT_FOUND.
 * SubscriptionsConfirmed must be in the answer. */
DECLARE_OPERATION(sns_get_topic_attributes, char, const SnsTopic);

/* ---- subscriptions ---- */

#define SNS_SUBSCRIPTIONS_MAX 1000
#define SNS_SUBSCRIPTION_ARN_MAX (ARN_MAX + 64)

typedef struct SnsSubscription {
    char arn[SNS_SUBSCRIPTION_ARN_MAX]; /* "PendingConfirmation" while it waits */
    char protocol[32];
} SnsSubscription;

typedef struct SnsSubscriptions {
    SnsSubscription *items;
    size_t n;
} SnsSubscriptions;

/* The input is the topic's ARN. Of more than SNS_SUBSCRIPTIONS_MAX the first ones. */
DECLARE_OPERATION(sns_list_subscriptions_by_topic, char, const SnsSubscriptions);

/* Owns its texts; "" where there is none. */
typedef struct SnsFilter {
    char *policy; /* FilterPolicy, JSON */
    char *scope;  /* FilterPolicyScope; "": MessageAttributes */
} SnsFilter;

/* What a subscription lets through; the input is its ARN. */
DECLARE_OPERATION(sns_get_subscription_attributes, char, const SnsFilter);
