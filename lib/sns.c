/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/sns.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
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

#define VERSION          "2010-03-31"
#define TOPIC_FORM_MAX   4096
#define TOPIC_ATTRIBUTES "GetTopicAttributesResponse/GetTopicAttributesResult/Attributes/entry/"

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
    form_add(&b, "Version", VERSION);
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
    Arn topic;

    return arn_parse(input, &topic) < 0 || !text_copy(ret, OPERATION_REGION_MAX, topic.region) ? -EINVAL : 0;
}

static int region_of_message(const void *input, char ret[static OPERATION_REGION_MAX]) {
    return region_of_topic(((const SnsMessage *)input)->topic_arn, ret);
}

static int build_get_topic(const void *input, const char *token _unused_, char **ret) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(TOPIC_FORM_MAX);
    Arn topic;

    if (arn_parse(input, &topic) < 0 || !arn_is_topic(&topic))
        return -EINVAL;
    form_add(&b, "Action", "GetTopicAttributes");
    form_add(&b, "Version", VERSION);
    form_add(&b, "TopicArn", input);
    return strbuf_take(&b, ret);
}

/* ---- reading ---- */

static void take_id(const char *text, char ret[static SNS_ID_MAX]) {
    if (!text_copy(ret, SNS_ID_MAX, text))
        ret[0] = '\0';
}

/* What stands in for SNS may answer in JSON. */
static int read_publish_json(const Answer *answer, char ret[static SNS_ID_MAX]) {
    json_t *root;
    const char *id;
    int r = answer_load(answer->reply->body, answer->reply->body_len, &root);

    if (r == -EBADMSG)
        return answer_fault(answer->fault, "it is no PublishResponse");
    if (r < 0)
        return r;
    r = answer_text(root, "MessageId", &id);
    if (r < 0 || !*id)
        r = answer_fault(answer->fault, "MessageId is missing");
    else
        take_id(id, ret);
    json_decref(root);
    return r;
}

/* The answer says that the message was taken; what it is called is for the journal alone, and no reason to
 * send it again. */
static int read_publish(Answer *answer, void *value) {
    XmlField fields[] = {
        { .path = "PublishResponse" },
        { .path = "PublishResponse/PublishResult/MessageId" },
    };
    int r;

    r = xml_read(answer->reply->body, answer->reply->body_len, fields, ARRAY_SIZE(fields));
    if (r == -EBADMSG)
        return read_publish_json(answer, value);
    if (r < 0)
        return r;
    if (fields[0].text)
        take_id(fields[1].text, value);
    else
        r = answer_fault(answer->fault, "it is no PublishResponse");
    xml_fields_done(fields, ARRAY_SIZE(fields));
    return r;
}

/* A map: each entry has its key before its value. */
typedef struct TopicReading {
    SnsTopic *topic;
    AnswerFault *fault;
    char key[64];
    bool has_confirmed;
} TopicReading;

static int take_count(const char *text, void *ret) {
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (!isdigit((unsigned char)text[0]) || *end || n > UINT_MAX)
        return -EBADMSG;
    *(unsigned *)ret = (unsigned)n;
    return 0;
}

static int take_policy(const char *text, void *ret) {
    char **policy = ret;

    free(*policy);
    *policy = strdup(text);
    return *policy ? 0 : -ENOMEM;
}

static int take_key(const char *text, void *ret) {
    return text_copy(ret, sizeof(((SnsTopic *)0)->key), text) ? 0 : -EBADMSG;
}

static const struct TopicAttribute {
    const char *name;
    int (*take)(const char *text, void *ret);
    size_t offset; /* in SnsTopic */
    const char *wrong;
} topic_attributes[] = {
    { "SubscriptionsConfirmed", take_count, offsetof(SnsTopic, confirmed), "no number" },
    { "SubscriptionsPending", take_count, offsetof(SnsTopic, pending), "no number" },
    { "Policy", take_policy, offsetof(SnsTopic, policy), NULL },
    { "KmsMasterKeyId", take_key, offsetof(SnsTopic, key), "too long" },
};

static int take_attribute(TopicReading *reading, const char *text) {
    for (size_t i = 0; i < ARRAY_SIZE(topic_attributes); i++) {
        const struct TopicAttribute *attribute = &topic_attributes[i];
        int r;

        if (!text_equal(reading->key, attribute->name))
            continue;
        reading->has_confirmed |= attribute->offset == offsetof(SnsTopic, confirmed);
        r = attribute->take(text, (char *)reading->topic + attribute->offset);
        return r == -EBADMSG ? answer_fault(reading->fault, "%s is %s", attribute->name, attribute->wrong)
                             : r;
    }
    return 0;
}

static int visit_topic(const char *path, const char *text, void *userdata) {
    TopicReading *reading = userdata;

    if (text_equal(path, TOPIC_ATTRIBUTES "value"))
        return take_attribute(reading, text);
    if (text_equal(path, TOPIC_ATTRIBUTES "key") && !text_copy(reading->key, sizeof(reading->key), text))
        reading->key[0] = '\0';
    return 0;
}

static int read_topic(Answer *answer, void *value) {
    TopicReading reading = { .topic = value, .fault = answer->fault };
    int r = xml_walk(answer->reply->body, answer->reply->body_len, visit_topic, &reading);

    if (r == 0 && !reading.has_confirmed)
        return answer_fault(answer->fault, "SubscriptionsConfirmed is missing");
    return r;
}

static void clear_topic(void *value) {
    free(((SnsTopic *)value)->policy);
}

const AwsOperation sns_get_topic_attributes_operation = {
    .service = AWS_SNS,
    .protocol = AWS_PROTOCOL_QUERY,
    .name = "GetTopicAttributes",
    .build = build_get_topic,
    .region = region_of_topic,
    .read = read_topic,
    .clear = clear_topic,
    .value_size = sizeof(SnsTopic),
    .deliver = sns_get_topic_attributes_deliver,
};

const AwsOperation sns_publish_operation = {
    .service = AWS_SNS,
    .protocol = AWS_PROTOCOL_QUERY,
    .name = "Publish",
    .build = build_publish,
    .region = region_of_message,
    .read = read_publish,
    .value_size = SNS_ID_MAX,
    .deliver = sns_publish_deliver,
};
