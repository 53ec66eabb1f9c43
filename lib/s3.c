/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/s3.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/endpoint.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"
#include "lib/xml.h"

#define REGION_HEADER "x-amz-bucket-region"

/* ---- buckets that are elsewhere ---- */

/* The region that an answer names; "" when it names none that calls could go to. */
static void named_region(const HttpResponse *response, char ret[static OPERATION_REGION_MAX]) {
    XmlField field = { .path = "Error/Region" };
    const char *header = http_header(response, REGION_HEADER);

    ret[0] = '\0';
    if (!header && xml_read(response->body, response->body_len, &field, 1) < 0)
        return;
    if (!text_copy(ret, OPERATION_REGION_MAX, header ? header : field.text))
        ret[0] = '\0';
    xml_fields_done(&field, 1);
}

/* The key must not leave its partition: what comes from outside does not decide whom it is shown to. */
static bool may_ask(const char *from, const char *region) {
    const Partition *partition = endpoint_partition_of(region);

    return partition && partition == endpoint_partition_of(from) && strcmp(from, region) != 0;
}

static bool is_elsewhere(const AwsReply *reply, const char *region, char ret[static OPERATION_REGION_MAX]) {
    if (!reply->response || reply->response->result != HTTP_ANSWERED)
        return false;
    named_region(reply->response, ret);
    return may_ask(region, ret);
}

/* ---- errors ---- */

/* HEAD is answered without a body, so that status and headers are all there is. A 404 that is not S3's own
 * (a proxy's) must not read as "the bucket is gone". */
static void refine(const AwsReply *reply, AwsError *error) {
    if (error->http_status == 404 && error->code[0] == '\0' && reply->response &&
        http_header(reply->response, "x-amz-request-id"))
        aws_error_change(error, AWS_NOT_FOUND, "NoSuchBucket", "The bucket does not exist");
}

/* ---- lifecycle rules ---- */

#define ROOT     "LifecycleConfiguration"
#define RULE     ROOT "/Rule"
#define DAYS_CAP 1000000

typedef struct Reading {
    S3Rules rules;
    S3Rule current; /* moves to rules when its element ends */
    bool is_lifecycle;
} Reading;

static void rule_done(S3Rule *rule) {
    free(rule->id);
    free(rule->prefix);
    *rule = (S3Rule){ 0 };
}

void s3_rules_done(S3Rules *rules) {
    for (size_t i = 0; i < rules->n; i++)
        rule_done(&rules->items[i]);
    free(rules->items);
    *rules = (S3Rules){ 0 };
}

/* ---- values ---- */

static int set_id(S3Rule *rule, const char *text) {
    return text_set(&rule->id, text);
}

static int set_prefix(S3Rule *rule, const char *text) {
    return text_set(&rule->prefix, text);
}

static int set_status(S3Rule *rule, const char *text) {
    rule->enabled = strcmp(text, "Enabled") == 0;
    return rule->enabled || strcmp(text, "Disabled") == 0 ? 0 : -EBADMSG;
}

static int read_days(const char *text, unsigned *ret) {
    unsigned days = 0;

    if (!*text)
        return -EBADMSG;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -EBADMSG;
        days = MIN(days * 10 + (unsigned)(*text - '0'), DAYS_CAP);
    }
    *ret = days;
    return 0;
}

static int set_days(S3Rule *rule, const char *text) {
    return read_days(text, &rule->expiration_days);
}

static int set_date(S3Rule *rule, const char *text) {
    return timetext_parse_iso(text, &rule->expiration_usec) < 0 ? -EBADMSG : 0;
}

/* ---- the document ---- */

static const struct {
    const char *path;
    int (*set)(S3Rule *rule, const char *text);
} members[] = {
    { RULE "/ID", set_id },
    { RULE "/Status", set_status },
    { RULE "/Prefix", set_prefix }, /* before filters came, in 2016 */
    { RULE "/Filter/Prefix", set_prefix },
    { RULE "/Filter/And/Prefix", set_prefix },
    { RULE "/Expiration/Days", set_days },
    { RULE "/Expiration/Date", set_date },
};

static int end_rule(Reading *reading) {
    S3Rules *rules = &reading->rules;
    S3Rule *rule = &reading->current;
    int r = 0;

    if (!rule->id)
        r = set_id(rule, "");
    if (r >= 0 && !rule->prefix)
        r = set_prefix(rule, "");
    if (r < 0)
        return r;
    if (rules->n == S3_RULES_MAX)
        return -E2BIG;
    if (!ARRAY_APPEND(rules->items, rules->n, *rule))
        return -ENOMEM;
    *rule = (S3Rule){ 0 };
    return 0;
}

static int s3_visit(const char *path, const char *text, void *userdata) {
    Reading *reading = userdata;

    if (strcmp(path, ROOT) == 0)
        reading->is_lifecycle = true;
    if (strcmp(path, RULE) == 0)
        return end_rule(reading);
    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        if (strcmp(path, members[i].path) == 0)
            return members[i].set(&reading->current, text);
    return 0;
}

static int read_rules(Answer *answer, void *value) {
    Reading reading = { 0 };
    int r;

    r = xml_walk(answer->reply->body, answer->reply->body_len, s3_visit, &reading);
    if (r >= 0 && !reading.is_lifecycle)
        r = answer_fault(answer->fault, "it is no " ROOT);
    rule_done(&reading.current);
    if (r < 0) {
        s3_rules_done(&reading.rules);
        return r;
    }
    *(S3Rules *)value = reading.rules;
    return 0;
}

static void clear_rules(void *value) {
    s3_rules_done(value);
}

/* ---- policy and place ---- */

static int read_policy(Answer *answer, void *value) {
    json_t *root;
    int r;

    r = answer_load(answer->reply->body, answer->reply->body_len, &root);
    if (r == -EBADMSG)
        return answer_fault(answer->fault, "it is no JSON object");
    if (r < 0)
        return r;
    r = answer_dump(root, S3_POLICY_MAX, value);
    json_decref(root);
    return r;
}

static int read_region(Answer *answer, void *value) {
    const HttpResponse *response = answer->reply->response;
    const char *named = response ? http_header(response, REGION_HEADER) : NULL;

    (void)text_copy(value, S3_REGION_MAX, named ? named : answer->region);
    return 0;
}

/* ---- operations ---- */

#define S3(name_, operation, method_, query)                                                                \
    .service = AWS_S3, .protocol = AWS_PROTOCOL_S3, .name = (operation), .method = (method_),               \
    .target = (query), .elsewhere = is_elsewhere, .refine = refine, .deliver = name_##_deliver

const AwsOperation s3_head_bucket_operation = {
    S3(s3_head_bucket, "HeadBucket", "HEAD", NULL),
    .read = read_region,
    .value_size = S3_REGION_MAX,
};
const AwsOperation s3_get_lifecycle_operation = {
    S3(s3_get_lifecycle, "GetBucketLifecycleConfiguration", "GET", "lifecycle"),
    .none = "NoSuchLifecycleConfiguration",
    .read = read_rules,
    .clear = clear_rules,
    .value_size = sizeof(S3Rules),
};
const AwsOperation s3_get_policy_operation = {
    S3(s3_get_policy, "GetBucketPolicy", "GET", "policy"),
    .none = "NoSuchBucketPolicy",
    .read = read_policy,
    OPERATION_TEXT_VALUE,
};
