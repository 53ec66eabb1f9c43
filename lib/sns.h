/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Amazon SNS Publish, API version 2010-03-31 (Query protocol). Source: Amazon SNS API Reference. */

#include "lib/typed_call.h"

#define SNS_MESSAGE_MAX 262144  /* bytes, message and attributes together */

typedef struct SnsAttribute {
    const char *name;
    const char *value;      /* String; empty values are left out (SNS refuses them) */
} SnsAttribute;

typedef struct SnsMessage {
    const char *topic_arn;
    const char *subject;            /* printable ASCII, 1..99 bytes */
    const char *message;            /* a JSON object of per-protocol texts (MessageStructure=json is set) */
    const SnsAttribute *attributes;
    size_t n_attributes;
    const char *group_id;           /* both NULL for standard topics */
    const char *deduplication_id;
} SnsMessage;

/* The request body. 0, -EINVAL, -E2BIG, -ENOMEM. Pure. */
int sns_build_publish(const SnsMessage *message, StrBuf *ret);

/* The MessageId of an answer into ret (64 bytes). 0 or -EBADMSG. Pure. */
int sns_read_publish(const char *body, size_t len, char ret[static 64]);

/* message_id is NULL unless error->class is AWS_OK. */
typedef void (*SnsDone)(const AwsError *error, const char *message_id, void *userdata);
typedef TypedCall SnsCall;

/* Publishes in the topic's own region. Conventions as in cloudtrail.h; -EINVAL when topic_arn is not a
 * topic's ARN. */
int sns_publish(AwsClient *client, CredentialsSource *credentials, const SnsMessage *message, SnsDone done,
                void *userdata, SnsCall **ret);
void sns_cancel(SnsCall *call);
