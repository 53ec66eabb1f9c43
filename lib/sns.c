/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/sns.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/arn.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/xml.h"

#define SUBJECT_MAX    99
#define FIFO_ID_MAX    128
#define ATTRIBUTES_MAX 32
/* Percent-encoding triples a byte at worst. */
#define FORM_MAX (3 * SNS_MESSAGE_MAX + 16 * 1024)

/* ---- building ---- */

static bool subject_is_valid(const char *s) {
    size_t n = strlen(s);

    if (n == 0 || n > SUBJECT_MAX || s[0] == ' ')
        return false;
    for (; *s; s++)
        if (*s < 0x20 || *s > 0x7e)
            return false;
    return true;
}

/* Alphanumerics and punctuation, 1..128 (SNS API Reference, Publish). */
static bool fifo_id_is_valid(const char *s) {
    size_t n = strlen(s);

    if (n == 0 || n > FIFO_ID_MAX)
        return false;
    for (; *s; s++)
        if (*s <= 0x20 || *s > 0x7e)
            return false;
    return true;
}

static int check(const SnsMessage *m) {
    size_t total = strlen(m->message);
    Arn topic;

    if (arn_parse(m->topic_arn, &topic) < 0 || !arn_is_topic(&topic) || !*m->message ||
        !subject_is_valid(m->subject) || m->n_attributes > ATTRIBUTES_MAX)
        return -EINVAL;
    if ((m->group_id && !fifo_id_is_valid(m->group_id)) ||
        (m->deduplication_id && !fifo_id_is_valid(m->deduplication_id)))
        return -EINVAL;
    if (total > SNS_MESSAGE_MAX)
        return -E2BIG;
    for (size_t i = 0; i < m->n_attributes; i++) {
        if (!m->attributes[i].name || !*m->attributes[i].name)
            return -EINVAL;
        /* What counts is name, type and value. */
        total += strlen(m->attributes[i].name) + strlen("String");
        total += m->attributes[i].value ? strlen(m->attributes[i].value) : 0;
        if (total > SNS_MESSAGE_MAX)
            return -E2BIG;
    }
    return 0;
}

static void add_attribute(StrBuf *b, unsigned number, const SnsAttribute *a) {
    char name[64];

    snprintf(name, sizeof(name), "MessageAttributes.entry.%u.Name", number);
    form_add(b, name, a->name);
    snprintf(name, sizeof(name), "MessageAttributes.entry.%u.Value.DataType", number);
    form_add(b, name, "String");
    snprintf(name, sizeof(name), "MessageAttributes.entry.%u.Value.StringValue", number);
    form_add(b, name, a->value);
}

static int build_publish(const void *input, const char *token _unused_, char **ret) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(FORM_MAX);
    const SnsMessage *message = input;
    unsigned number = 0;
    int r;

    r = check(message);
    if (r < 0)
        return r;
    form_add(&b, "Action", "Publish");
    form_add(&b, "Version", "2010-03-31");
    form_add(&b, "TopicArn", message->topic_arn);
    form_add(&b, "Subject", message->subject);
    form_add(&b, "Message", message->message);
    form_add(&b, "MessageStructure", "json");
    for (size_t i = 0; i < message->n_attributes; i++)
        if (message->attributes[i].value && *message->attributes[i].value)
            add_attribute(&b, ++number, &message->attributes[i]);
    form_add(&b, "MessageGroupId", message->group_id);
    form_add(&b, "MessageDeduplicationId", message->deduplication_id);
    return strbuf_take(&b, ret);
}

static int region_of_topic(const void *input, char ret[static OPERATION_REGION_MAX]) {
    const SnsMessage *message = input;
    Arn topic;

    return arn_parse(message->topic_arn, &topic) < 0 || !text_copy(ret, OPERATION_REGION_MAX, topic.region)
                   ? -EINVAL
                   : 0;
}

/* ---- reading ---- */

static int read_publish(Answer *answer, void *value) {
    XmlField id = { .path = "PublishResponse/PublishResult/MessageId" };
    int r;

    r = xml_read(answer->reply->body, answer->reply->body_len, &id, 1);
    if (r < 0)
        return r;
    if (!id.text || !*id.text || !text_copy(value, SNS_ID_MAX, id.text))
        r = answer_fault(answer->fault, "MessageId is missing");
    xml_fields_done(&id, 1);
    return r;
}

const AwsOperation sns_publish_operation = {
    .service = AWS_SNS,
    .protocol = AWS_PROTOCOL_QUERY,
    .name = "Publish",
    .build = build_publish,
    .region = region_of_topic,
    .read = read_publish,
    .value_size = SNS_ID_MAX,
    .deliver = sns_publish_deliver,
};
