/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/sns.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arn.h"
#include "lib/form.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/xml.h"

#define SUBJECT_MAX 99
#define FIFO_ID_MAX 128
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

int sns_build_publish(const SnsMessage *message, StrBuf *ret) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(FORM_MAX);
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
    r = strbuf_error(&b);
    if (r < 0)
        return r;
    return strbuf_add_mem(ret, b.data, b.len);
}

/* ---- reading ---- */

int sns_read_publish(const char *body, size_t len, char ret[static 64]) {
    XmlField id = { .path = "PublishResponse/PublishResult/MessageId" };
    size_t n;
    int r;

    r = xml_read(body, len, &id, 1);
    if (r < 0)
        return -EBADMSG;
    n = id.text ? strlen(id.text) : 0;
    if (n == 0 || n >= 64)
        r = -EBADMSG;
    else
        memcpy(ret, id.text, n + 1);
    xml_fields_done(&id, 1);
    return r;
}

/* ---- the call ---- */

static void finish(const TypedCall *call, const AwsReply *reply) {
    AwsError error = reply->error;
    char id[64];

    if (error.class == AWS_OK && sns_read_publish(reply->body, reply->body_len, id) < 0)
        aws_error_change(&error, AWS_BAD_ANSWER, "", "the answer to Publish holds no MessageId");
    ((SnsDone)call->done)(&error, error.class == AWS_OK ? id : NULL, call->userdata);
}

int sns_publish(AwsClient *client, CredentialsSource *credentials, const SnsMessage *message, SnsDone done,
                void *userdata, SnsCall **ret) {
    static const TypedOperation operation = { .finish = finish };
    const TypedCall template = { .operation = &operation, .done = (TypedDone)done, .userdata = userdata };
    _cleanup_strbuf_ StrBuf body = STRBUF_INIT(FORM_MAX);
    Arn topic;
    int r;

    r = sns_build_publish(message, &body);
    if (r >= 0)
        r = arn_parse(message->topic_arn, &topic);
    if (r < 0)
        return r;
    return typed_call(client, credentials,
                      &(AwsRequest){
                              .service = AWS_SNS,
                              .region = topic.region,
                              .protocol = AWS_PROTOCOL_QUERY,
                              .body = body.data,
                              .body_len = body.len,
                      },
                      &template, ret);
}

void sns_cancel(SnsCall *call) {
    typed_call_cancel(call);
}
