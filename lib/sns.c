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
#define KEY_MAX        64 /* of an attribute's name in an answer */

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

static int fill_publish(const void *input, StrBuf *form) {
    const SnsMessage *message = input;
    unsigned number = 0;
    int r;

    r = check(message);
    if (r < 0)
        return r;
    form_add(form, "TopicArn", message->topic_arn);
    form_add(form, "Subject", message->subject);
    form_add(form, "Message", message->message);
    form_add(form, "MessageStructure", "json");
    for (size_t i = 0; i < message->n_attributes; i++)
        if (message->attributes[i].value && *message->attributes[i].value)
            add_attribute(form, ++number, &message->attributes[i]);
    form_add(form, "MessageGroupId", message->group_id);
    return form_add(form, "MessageDeduplicationId", message->deduplication_id);
}

static int region_of_topic(const void *input, char ret[static OPERATION_REGION_MAX]) {
    Arn topic;

    return arn_parse(input, &topic) < 0 || !arn_is_topic(&topic) ||
                           !text_copy(ret, OPERATION_REGION_MAX, topic.region)
                   ? -EINVAL
                   : 0;
}

static int region_of_message(const void *input, char ret[static OPERATION_REGION_MAX]) {
    return region_of_topic(((const SnsMessage *)input)->topic_arn, ret);
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
    char key[KEY_MAX];
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
    return text_set(ret, text);
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

#define SNS(name_, operation)                                                                               \
    .service = AWS_SNS, .protocol = AWS_PROTOCOL_QUERY, .version = "2010-03-31", .name = (operation),       \
    .deliver = name_##_deliver

const AwsOperation sns_get_topic_attributes_operation = {
    SNS(sns_get_topic_attributes, "GetTopicAttributes"),
    .member = "TopicArn",
    .region = region_of_topic,
    .read = read_topic,
    .clear = clear_topic,
    .value_size = sizeof(SnsTopic),
};

const AwsOperation sns_publish_operation = {
    SNS(sns_publish, "Publish"),
    .fill = fill_publish,
    .region = region_of_message,
    .read = read_publish,
    .value_size = SNS_ID_MAX,
};

/* ---- ListSubscriptionsByTopic ---- */

#define LIST "ListSubscriptionsByTopicResponse/ListSubscriptionsByTopicResult"

typedef struct ListReading {
    SnsSubscriptions *list;
    AnswerFault *fault;
    SnsSubscription row;
} ListReading;

static int add_subscription(ListReading *r) {
    if (!r->row.arn[0])
        return answer_fault(r->fault, "SubscriptionArn is missing");
    if (r->list->n < SNS_SUBSCRIPTIONS_MAX && !ARRAY_APPEND(r->list->items, r->list->n, r->row))
        return -ENOMEM;
    r->row = (SnsSubscription){ 0 };
    return 0;
}

static int visit_subscriptions(const char *path, const char *text, void *userdata) {
    ListReading *r = userdata;

    if (text_equal(path, LIST "/Subscriptions/member"))
        return add_subscription(r);
    if (text_equal(path, LIST "/Subscriptions/member/SubscriptionArn") &&
        !text_copy(r->row.arn, sizeof(r->row.arn), text))
        return answer_fault(r->fault, "SubscriptionArn is too long");
    if (text_equal(path, LIST "/Subscriptions/member/Protocol"))
        (void)text_copy(r->row.protocol, sizeof(r->row.protocol), text);
    return 0;
}

static int read_subscriptions(Answer *answer, void *value) {
    ListReading reading = { .list = value, .fault = answer->fault };
    int r = operation_walk(answer, visit_subscriptions, &reading);

    if (r >= 0 && reading.list->n >= SNS_SUBSCRIPTIONS_MAX)
        free(TAKE_PTR(answer->next_token)); /* further pages would add nothing */
    return r;
}

static void clear_subscriptions(void *value) {
    SnsSubscriptions *list = value;

    free(list->items);
    *list = (SnsSubscriptions){ 0 };
}

const AwsOperation sns_list_subscriptions_by_topic_operation = {
    SNS(sns_list_subscriptions_by_topic, "ListSubscriptionsByTopic"),
    .member = "TopicArn",
    .token_name = "NextToken",
    .region = region_of_topic,
    .read = read_subscriptions,
    .clear = clear_subscriptions,
    .value_size = sizeof(SnsSubscriptions),
};

/* ---- GetSubscriptionAttributes ---- */

#define ENTRY "GetSubscriptionAttributesResponse/GetSubscriptionAttributesResult/Attributes/entry/"

typedef struct FilterReading {
    SnsFilter *filter;
    char key[KEY_MAX]; /* it comes before its value */
    unsigned n;
} FilterReading;

/* The resource is that of its topic, and an id. */
static int region_of_subscription(const void *input, char ret[static OPERATION_REGION_MAX]) {
    Arn arn;

    return arn_parse(input, &arn) < 0 || !text_equal(arn.service, "sns") ||
                           !text_copy(ret, OPERATION_REGION_MAX, arn.region)
                   ? -EINVAL
                   : 0;
}

static int visit_filter(const char *path, const char *text, void *userdata) {
    FilterReading *r = userdata;

    if (text_equal(path, ENTRY "key") && !text_copy(r->key, sizeof(r->key), text))
        r->key[0] = '\0';
    if (!text_equal(path, ENTRY "value"))
        return 0;
    r->n++;
    if (text_equal(r->key, "FilterPolicy"))
        return text_set(&r->filter->policy, text);
    return text_equal(r->key, "FilterPolicyScope") ? text_set(&r->filter->scope, text) : 0;
}

static void clear_filter(void *value) {
    SnsFilter *filter = value;

    free(filter->policy);
    free(filter->scope);
    *filter = (SnsFilter){ 0 };
}

static int read_filter(Answer *answer, void *value) {
    FilterReading reading = { .filter = value };
    int r = xml_walk(answer->reply->body, answer->reply->body_len, visit_filter, &reading);

    if (r < 0)
        return r;
    if (reading.n == 0)
        return answer_fault(answer->fault, "Attributes is missing");
    if (!reading.filter->policy)
        r = text_set(&reading.filter->policy, "");
    if (r >= 0 && !reading.filter->scope)
        r = text_set(&reading.filter->scope, "");
    return r;
}

const AwsOperation sns_get_subscription_attributes_operation = {
    SNS(sns_get_subscription_attributes, "GetSubscriptionAttributes"),
    .member = "SubscriptionArn",
    .region = region_of_subscription,
    .read = read_filter,
    .clear = clear_filter,
    .value_size = sizeof(SnsFilter),
};
