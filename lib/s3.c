/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/s3.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/endpoint.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/xml.h"
#include <jansson.h>
#include "lib/answer.h"
#include "lib/util/timetext.h"

#define REGION_HEADER "x-amz-bucket-region"

/* What it takes to ask again in another region. */
typedef struct Question {
    AwsBucketRequest request;
    char *bucket, *owner;       /* what request points to */
    char region[S3_REGION_MAX];
    bool sent_on;               /* region is the one that S3 named */
    bool astray;                /* and there it named another */
    int error;                  /* of asking again */
} Question;

static void free_question(void *state) {
    Question *question = state;

    free(question->bucket);
    free(question->owner);
    free(question);
}

static int question_new(const AwsBucketRequest *request, const char *region, Question **ret) {
    Question *question;

    question = calloc(1, sizeof(*question));
    if (!question)
        return -ENOMEM;
    question->bucket = strdup(request->bucket);
    question->owner = request->owner ? strdup(request->owner) : NULL;
    if (!question->bucket || (request->owner && !question->owner)) {
        free_question(question);
        return -ENOMEM;
    }
    if (!text_copy(question->region, sizeof(question->region), region)) {
        free_question(question);
        return -EINVAL;
    }
    question->request = *request;
    question->request.bucket = question->bucket;
    question->request.owner = question->owner;
    *ret = question;
    return 0;
}

static AwsRequest to_request(const Question *question) {
    return (AwsRequest){
        .service = AWS_S3,
        .region = question->region,
        .protocol = AWS_PROTOCOL_S3,
        .bucket = &question->request,
    };
}

/* ---- buckets that are elsewhere ---- */

/* The region that an answer names; "" when it names none that calls could go to. */
static void named_region(const HttpResponse *response, char ret[static S3_REGION_MAX]) {
    XmlField field = { .path = "Error/Region" };
    const char *header = http_header(response, REGION_HEADER);

    ret[0] = '\0';
    if (!header && xml_read(response->body, response->body_len, &field, 1) < 0)
        return;
    if (!text_copy(ret, S3_REGION_MAX, header ? header : field.text))
        ret[0] = '\0';
    xml_fields_done(&field, 1);
}

/* The key must not leave its partition: what comes from outside does not decide whom it is shown to. */
static bool may_ask(const char *from, const char *region) {
    const Partition *partition = endpoint_partition_of(region);

    return partition && partition == endpoint_partition_of(from) && strcmp(from, region) != 0;
}

static bool ask_elsewhere(TypedCall *call, const AwsReply *reply) {
    Question *question = call->state;
    char region[S3_REGION_MAX];
    AwsRequest request;

    if (reply->error.class == AWS_OK || !reply->response || reply->response->result != HTTP_ANSWERED)
        return false;
    named_region(reply->response, region);
    if (!may_ask(question->region, region))
        return false;
    question->astray = question->sent_on;
    if (question->sent_on)
        return false;
    question->sent_on = true;
    (void) text_copy(question->region, sizeof(question->region), region);
    request = to_request(question);
    question->error = typed_call_send(call, &request);
    return question->error >= 0;
}

/* ---- errors ---- */

static bool is_from_s3(const AwsReply *reply) {
    return reply->response && http_header(reply->response, "x-amz-request-id");
}

/* HEAD is answered without a body, so that status and headers are all there is. A 404 that is not S3's own (a
 * proxy's) must not read as "the bucket is gone". */
static AwsError s3_error(const TypedCall *call, const AwsReply *reply, int r) {
    const Question *question = call->state;
    AwsError error = typed_call_error(reply, question->error < 0 ? question->error : r, "S3");

    if (error.class == AWS_OK)
        return error;
    if (question->astray)
        error.class = AWS_WRONG_REGION;
    else if (error.http_status == 404 && error.code[0] == '\0' && is_from_s3(reply))
        aws_error_change(&error, AWS_NOT_FOUND, "NoSuchBucket", "The bucket does not exist");
    return error;
}

/* What is not there is an answer of its own. */
static bool is_absent(const AwsReply *reply, const char *code, AwsError *ret) {
    if (!text_equal(reply->error.code, code))
        return false;
    *ret = reply->error;
    aws_error_change(ret, AWS_OK, "", "%s", "");
    return true;
}

/* ---- calls ---- */

static void finish_head(const TypedCall *call, const AwsReply *reply) {
    const Question *question = call->state;
    AwsError error = s3_error(call, reply, 0);
    const char *region = reply->response ? http_header(reply->response, REGION_HEADER) : NULL;

    if (!region)
        region = question->region;
    ((S3BucketDone)call->done)(&error, error.class == AWS_OK ? region : NULL, call->userdata);
}

static void finish_rules(const TypedCall *call, const AwsReply *reply) {
    S3Rules rules = { 0 };
    AwsError error;
    int r = 0;

    if (!is_absent(reply, "NoSuchLifecycleConfiguration", &error)) {
        if (reply->error.class == AWS_OK)
            r = s3_read_rules(reply->body, reply->body_len, &rules);
        error = s3_error(call, reply, r);
    }
    ((S3RulesDone)call->done)(&error, error.class == AWS_OK ? &rules : NULL, call->userdata);
    s3_rules_done(&rules);
}

static void finish_policy(const TypedCall *call, const AwsReply *reply) {
    S3PolicyDone done = (S3PolicyDone)call->done;
    _cleanup_free_ char *policy = NULL;
    AwsError error;
    int r = 0;

    if (is_absent(reply, "NoSuchBucketPolicy", &error)) {
        done(&error, "", call->userdata);
        return;
    }
    if (reply->error.class == AWS_OK)
        r = s3_read_policy(reply->body, reply->body_len, &policy);
    error = s3_error(call, reply, r);
    done(&error, error.class == AWS_OK ? policy : NULL, call->userdata);
}

static int start(AwsClient *client, CredentialsSource *credentials, const char *region,
                 const AwsBucketRequest *bucket, const TypedOperation *operation, TypedDone done,
                 void *userdata, S3Call **ret) {
    TypedCall template = { .operation = operation, .done = done, .userdata = userdata };
    Question *question;
    AwsRequest request;
    int r;

    r = question_new(bucket, region, &question);
    if (r < 0)
        return r;
    template.state = question;
    request = to_request(question);
    return typed_call(client, credentials, &request, &template, ret);
}

int s3_head_bucket(AwsClient *client, CredentialsSource *credentials, const char *region, const char *bucket,
                   const char *owner, S3BucketDone done, void *userdata, S3Call **ret) {
    static const TypedOperation operation = { ask_elsewhere, finish_head, free_question };
    const AwsBucketRequest request = { "HEAD", bucket, NULL, owner };

    return start(client, credentials, region, &request, &operation, (TypedDone)done, userdata, ret);
}

int s3_get_lifecycle(AwsClient *client, CredentialsSource *credentials, const char *region,
                     const char *bucket, const char *owner, S3RulesDone done, void *userdata, S3Call **ret) {
    static const TypedOperation operation = { ask_elsewhere, finish_rules, free_question };
    const AwsBucketRequest request = { "GET", bucket, "lifecycle", owner };

    return start(client, credentials, region, &request, &operation, (TypedDone)done, userdata, ret);
}

int s3_get_policy(AwsClient *client, CredentialsSource *credentials, const char *region, const char *bucket,
                  const char *owner, S3PolicyDone done, void *userdata, S3Call **ret) {
    static const TypedOperation operation = { ask_elsewhere, finish_policy, free_question };
    const AwsBucketRequest request = { "GET", bucket, "policy", owner };

    return start(client, credentials, region, &request, &operation, (TypedDone)done, userdata, ret);
}

void s3_cancel(S3Call *call) {
    typed_call_cancel(call);
}



#define ROOT "LifecycleConfiguration"
#define RULE ROOT "/Rule"
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

static int set_text(char **slot, const char *text) {
    char *copy = strdup(text);

    if (!copy)
        return -ENOMEM;
    free(*slot);
    *slot = copy;
    return 0;
}

static int set_id(S3Rule *rule, const char *text) {
    return set_text(&rule->id, text);
}

static int set_prefix(S3Rule *rule, const char *text) {
    return set_text(&rule->prefix, text);
}

static int set_status(S3Rule *rule, const char *text) {
    rule->enabled = strcmp(text, "Enabled") == 0;
    return rule->enabled || strcmp(text, "Disabled") == 0 ? 0 : -EBADMSG;
}

static int set_narrowed(S3Rule *rule, const char *text _unused_) {
    rule->narrowed = true;
    return 0;
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

static int set_noncurrent(S3Rule *rule, const char *text) {
    return read_days(text, &rule->noncurrent_days);
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
    { RULE "/Filter/Tag", set_narrowed },
    { RULE "/Filter/ObjectSizeGreaterThan", set_narrowed },
    { RULE "/Filter/ObjectSizeLessThan", set_narrowed },
    { RULE "/Filter/And/Tag", set_narrowed },
    { RULE "/Filter/And/ObjectSizeGreaterThan", set_narrowed },
    { RULE "/Filter/And/ObjectSizeLessThan", set_narrowed },
    { RULE "/Expiration/Days", set_days },
    { RULE "/Expiration/Date", set_date },
    { RULE "/NoncurrentVersionExpiration/NoncurrentDays", set_noncurrent },
};

static int end_rule(Reading *reading) {
    S3Rules *rules = &reading->rules;
    S3Rule *rule = &reading->current, *items;
    int r = 0;

    if (!rule->id)
        r = set_id(rule, "");
    if (r >= 0 && !rule->prefix)
        r = set_prefix(rule, "");
    if (r < 0)
        return r;
    if (rules->n == S3_RULES_MAX)
        return -E2BIG;
    items = realloc(rules->items, (rules->n + 1) * sizeof(*items));
    if (!items)
        return -ENOMEM;
    rules->items = items;
    items[rules->n++] = *rule;
    *rule = (S3Rule){ 0 };
    return 0;
}

static int visit(const char *path, const char *text, void *userdata) {
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

int s3_read_rules(const char *body, size_t len, S3Rules *ret) {
    Reading reading = { 0 };
    int r;

    r = xml_walk(body, len, visit, &reading);
    if (r >= 0 && !reading.is_lifecycle)
        r = -EBADMSG;
    rule_done(&reading.current);
    if (r < 0) {
        s3_rules_done(&reading.rules);
        return r;
    }
    *ret = reading.rules;
    return 0;
}

int s3_read_policy(const char *body, size_t len, char **ret) {
    json_t *root;
    int r;

    r = answer_load(body, len, &root);
    if (r < 0)
        return r;
    r = answer_dump(root, S3_POLICY_MAX, ret);
    json_decref(root);
    return r;
}
