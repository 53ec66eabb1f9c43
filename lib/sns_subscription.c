/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sns.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/xml.h"

#define VERSION   "2010-03-31"
#define FORM_MAX  (8 * 1024)
#define TOKEN_MAX 4096
#define KEY_MAX   64

static int region_of_arn(const void *input, char ret[static OPERATION_REGION_MAX]) {
    Arn arn;

    return arn_parse(input, &arn) < 0 || !text_copy(ret, OPERATION_REGION_MAX, arn.region) ? -EINVAL : 0;
}

static int sns_subscription_build(const char *action, const char *name, const void *input, const char *token,
                                  char **ret) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(FORM_MAX);
    Arn arn;

    if (arn_parse(input, &arn) < 0 || !text_equal(arn.service, "sns"))
        return -EINVAL;
    (void)form_add(&b, "Action", action);
    (void)form_add(&b, "Version", VERSION);
    (void)form_add(&b, name, input);
    (void)form_add(&b, "NextToken", token);
    return strbuf_take(&b, ret);
}

/* ---- ListSubscriptionsByTopic ---- */

#define LIST "ListSubscriptionsByTopicResponse/ListSubscriptionsByTopicResult"

typedef struct ListReading {
    SnsSubscriptions *list;
    AnswerFault *fault;
    SnsSubscription row;
    bool complete;
    char token[TOKEN_MAX];
} ListReading;

static int sns_subscription_build_list(const void *input, const char *token, char **ret) {
    return sns_subscription_build("ListSubscriptionsByTopic", "TopicArn", input, token, ret);
}

static int add_row(ListReading *r) {
    if (!r->row.arn[0])
        return answer_fault(r->fault, "SubscriptionArn is missing");
    if (r->list->n < SNS_SUBSCRIPTIONS_MAX && !ARRAY_APPEND(r->list->items, r->list->n, r->row))
        return -ENOMEM;
    r->row = (SnsSubscription){ 0 };
    return 0;
}

static int visit_list(const char *path, const char *text, void *userdata) {
    ListReading *r = userdata;

    if (text_equal(path, LIST "/Subscriptions/member"))
        return add_row(r);
    if (text_equal(path, LIST "/Subscriptions/member/SubscriptionArn") &&
        !text_copy(r->row.arn, sizeof(r->row.arn), text))
        return answer_fault(r->fault, "SubscriptionArn is too long");
    if (text_equal(path, LIST "/Subscriptions/member/Protocol"))
        (void)text_copy(r->row.protocol, sizeof(r->row.protocol), text);
    if (text_equal(path, LIST "/NextToken") && !text_copy(r->token, sizeof(r->token), text))
        return answer_fault(r->fault, "NextToken is too long");
    r->complete |= text_equal(path, LIST);
    return 0;
}

static int sns_subscription_read_list(Answer *answer, void *value) {
    ListReading reading = { .list = value, .fault = answer->fault };
    int r = xml_walk(answer->reply->body, answer->reply->body_len, visit_list, &reading);

    if (r < 0)
        return r;
    if (!reading.complete)
        return answer_fault(answer->fault, "ListSubscriptionsByTopicResult is missing");
    /* further pages would add nothing */
    if (!reading.token[0] || reading.list->n >= SNS_SUBSCRIPTIONS_MAX)
        return 0;
    answer->next_token = strdup(reading.token);
    return answer->next_token ? 0 : -ENOMEM;
}

static void sns_subscription_clear_list(void *value) {
    SnsSubscriptions *list = value;

    free(list->items);
    *list = (SnsSubscriptions){ 0 };
}

const AwsOperation sns_list_subscriptions_by_topic_operation = {
    .service = AWS_SNS,
    .protocol = AWS_PROTOCOL_QUERY,
    .name = "ListSubscriptionsByTopic",
    .build = sns_subscription_build_list,
    .text_input = true,
    .region = region_of_arn,
    .read = sns_subscription_read_list,
    .clear = sns_subscription_clear_list,
    .value_size = sizeof(SnsSubscriptions),
    .deliver = sns_list_subscriptions_by_topic_deliver,
};

/* ---- GetSubscriptionAttributes ---- */

#define ENTRY "GetSubscriptionAttributesResponse/GetSubscriptionAttributesResult/Attributes/entry/"

typedef struct FilterReading {
    SnsFilter *filter;
    char key[KEY_MAX]; /* it comes before its value */
    unsigned n;
} FilterReading;

static int build_get(const void *input, const char *token _unused_, char **ret) {
    return sns_subscription_build("GetSubscriptionAttributes", "SubscriptionArn", input, NULL, ret);
}

static int take_text(char **to, const char *text) {
    free(*to);
    *to = strdup(text);
    return *to ? 0 : -ENOMEM;
}

static int visit_filter(const char *path, const char *text, void *userdata) {
    FilterReading *r = userdata;

    if (text_equal(path, ENTRY "key") && !text_copy(r->key, sizeof(r->key), text))
        r->key[0] = '\0';
    if (!text_equal(path, ENTRY "value"))
        return 0;
    r->n++;
    if (text_equal(r->key, "FilterPolicy"))
        return take_text(&r->filter->policy, text);
    return text_equal(r->key, "FilterPolicyScope") ? take_text(&r->filter->scope, text) : 0;
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
        r = take_text(&reading.filter->policy, "");
    if (r >= 0 && !reading.filter->scope)
        r = take_text(&reading.filter->scope, "");
    return r;
}

const AwsOperation sns_get_subscription_attributes_operation = {
    .service = AWS_SNS,
    .protocol = AWS_PROTOCOL_QUERY,
    .name = "GetSubscriptionAttributes",
    .build = build_get,
    .region = region_of_arn,
    .read = read_filter,
    .clear = clear_filter,
    .value_size = sizeof(SnsFilter),
    .deliver = sns_get_subscription_attributes_deliver,
};
