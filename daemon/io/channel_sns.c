/* SPDX-License-Identifier: Apache-2.0 */
/* The SNS channel: each alert is one Publish and yields one receipt. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/alert.h"
#include "daemon/core/channel_format.h"
#include "daemon/core/enum_names.h"
#include "daemon/core/events.h"
#include "daemon/io/channel.h"
#include "lib/sns.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* Leaves room for attributes: SNS limits the sum of message and attributes. */
#define MESSAGE_MAX  (SNS_MESSAGE_MAX - 4096)
#define GROUP_ID_MAX 129

typedef struct SnsSend {
    ChannelSend send;
    OperationCall *call;
} SnsSend;

/* Maps an error class to a receipt. Expired or missing keys, throttling, outages and network errors are
 * retried soon. */
static const ReceiptKind receipts[_AWS_ERROR_CLASS_MAX] = {
    [AWS_OK] = RECEIPT_DELIVERED,
    [AWS_THROTTLED] = RECEIPT_RETRY,
    [AWS_HELD_BACK] = RECEIPT_RETRY,
    [AWS_UNAVAILABLE] = RECEIPT_RETRY,
    [AWS_UNREACHABLE] = RECEIPT_RETRY,
    [AWS_TIMED_OUT] = RECEIPT_RETRY,
    [AWS_TLS] = RECEIPT_RETRY,
    [AWS_BAD_ANSWER] = RECEIPT_RETRY,
    [AWS_EXPIRED] = RECEIPT_RETRY,
    [AWS_SKEWED] = RECEIPT_RETRY,
    [AWS_BAD_CREDENTIALS] = RECEIPT_RETRY,
    [AWS_NO_CREDENTIALS] = RECEIPT_RETRY,
    [AWS_DENIED] = RECEIPT_CHANNEL_REFUSED,
    [AWS_NOT_FOUND] = RECEIPT_CHANNEL_REFUSED,
    [AWS_WRONG_REGION] = RECEIPT_CHANNEL_REFUSED,
    [AWS_CONFLICT] = RECEIPT_RETRY,
    [AWS_REFUSED] = RECEIPT_CHANNEL_REFUSED, /* its KMS key is disabled or deleted */
    [AWS_INVALID] = RECEIPT_MESSAGE_REFUSED,
    [AWS_CANCELLED] = RECEIPT_RETRY,
    [AWS_INTERNAL] = RECEIPT_RETRY,
};

/* A message is set aside for good only when SNS itself rejects it: not when a proxy answers 4xx, and not
 * when the topic or the request is at fault. */
static ReceiptKind kind_of_invalid(const AwsError *error) {
    static const char *const about_message[] = { "InvalidParameter", "InvalidParameterValue",
                                                 "ParameterValueInvalid", "ValidationError",
                                                 "ValidationException" };

    if (strstr(error->message, "TopicArn"))
        return RECEIPT_CHANNEL_REFUSED;
    for (size_t i = 0; i < ARRAY_SIZE(about_message); i++)
        if (strcmp(error->code, about_message[i]) == 0)
            return RECEIPT_MESSAGE_REFUSED;
    return error->code[0] ? RECEIPT_CHANNEL_REFUSED : RECEIPT_RETRY;
}

static ReceiptKind receipt_kind(const AwsError *error) {
    return error->class == AWS_INVALID ? kind_of_invalid(error) : receipts[error->class];
}

static void published(const AwsError *error, const char *message_id, void *userdata) {
    SnsSend *s = userdata;
    Receipt receipt = { .kind = receipt_kind(error) };

    if (error->class == AWS_OK)
        (void)text_copy(receipt.text, sizeof(receipt.text),
                        message_id[0] ? message_id : "without a message id");
    else
        (void)aws_error_text(error, NULL, receipt.text, sizeof(receipt.text));
    (void)text_copy(receipt.request_id, sizeof(receipt.request_id), error->request_id);
    channel_finish(&s->send, &receipt);
}

/* Only alphanumerics and punctuation are allowed (SNS API Reference, Publish, MessageGroupId). */
static const char *group_id(char dst[static GROUP_ID_MAX], const char *trail) {
    size_t n = 0;

    for (; n < GROUP_ID_MAX - 1 && trail[n]; n++)
        dst[n] = isgraph((unsigned char)trail[n]) ? trail[n] : '_';
    dst[n] = '\0';
    return n > 0 ? dst : "trailguard";
}

static int sns_start(const ChannelContext *context, const ChannelConfig *channel, const Alert *alert,
                     SnsSend *s) {
    _cleanup_free_ char *body = NULL, *chat = NULL;
    char group[GROUP_ID_MAX];
    bool fifo = text_ends_with(channel->topic_arn, ".fifo");
    const SnsAttribute attributes[] = {
        { "severity", severity_to_string(alert->severity) },
        { "event", event_to_string(alert->event) },
        { "account", alert->account },
        { "region", alert->region },
        { "trail", alert->trail },
    };
    SnsMessage message = {
        .topic_arn = channel->topic_arn,
        .subject = alert->subject,
        .attributes = attributes,
        .n_attributes = ARRAY_SIZE(attributes),
    };
    int r = channel->chat ? alert_format_body(ALERT_FORMAT_CHAT, alert, NULL, &chat) : 0;

    if (r >= 0)
        r = alert_sns_message(alert, chat, MESSAGE_MAX, &body);
    if (r < 0)
        return r;
    message.message = body;
    if (fifo) {
        message.group_id = group_id(group, alert->trail);
        message.deduplication_id = alert->id;
    }
    return sns_publish(&(AwsCaller){ .client = context->aws, .credentials = context->credentials }, &message,
                       published, s, &s->call);
}

static void sns_cancel(ChannelSend *send) {
    SnsSend *s = CONTAINER_OF(send, SnsSend, send);

    operation_cancel(s->call);
    free(s);
}

int channel_sns_send(const ChannelContext *context, const ChannelConfig *channel, const Alert *alert,
                     ChannelSent sent, void *userdata, ChannelSend **ret) {
    SnsSend *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return -ENOMEM;
    s->send = (ChannelSend){ .sent = sent, .userdata = userdata, .cancel = sns_cancel };
    r = sns_start(context, channel, alert, s);
    if (r < 0) {
        free(s);
        return r;
    }
    if (ret)
        *ret = &s->send;
    return 0;
}
