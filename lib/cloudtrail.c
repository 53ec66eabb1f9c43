/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cloudtrail.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/answer.h"
#include "lib/arn.h"
#include "lib/cloudtrail_call.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* ---- trails ---- */

static const struct {
    const char *name;
    size_t offset;
} text_members[] = {
    { "Name", offsetof(CloudTrailTrail, name) },
    { "TrailARN", offsetof(CloudTrailTrail, arn) },
    { "HomeRegion", offsetof(CloudTrailTrail, home_region) },
    { "S3BucketName", offsetof(CloudTrailTrail, bucket) },
    { "S3KeyPrefix", offsetof(CloudTrailTrail, prefix) },
    { "SnsTopicARN", offsetof(CloudTrailTrail, sns_topic) },
    { "CloudWatchLogsLogGroupArn", offsetof(CloudTrailTrail, log_group) },
    { "CloudWatchLogsRoleArn", offsetof(CloudTrailTrail, log_role) },
    { "KmsKeyId", offsetof(CloudTrailTrail, kms_key) },
};

static const struct {
    const char *name;
    size_t offset;
    CloudTrailFlag flag;
} flag_members[] = {
    { "IsMultiRegionTrail", offsetof(CloudTrailTrail, multi_region), CLOUDTRAIL_MULTI_REGION },
    { "IncludeGlobalServiceEvents", offsetof(CloudTrailTrail, global_events), CLOUDTRAIL_GLOBAL_EVENTS },
    { "LogFileValidationEnabled", offsetof(CloudTrailTrail, validation), CLOUDTRAIL_VALIDATION },
    { "IsOrganizationTrail", offsetof(CloudTrailTrail, organization), CLOUDTRAIL_ORGANIZATION },
    { "HasCustomEventSelectors", offsetof(CloudTrailTrail, has_custom_event_selectors),
      CLOUDTRAIL_CUSTOM_SELECTORS },
    { "HasInsightSelectors", offsetof(CloudTrailTrail, has_insight_selectors),
      CLOUDTRAIL_INSIGHT_SELECTORS },
    { "RecursiveLogging", offsetof(CloudTrailTrail, recursive), CLOUDTRAIL_RECURSIVE },
};

static char **text_at(CloudTrailTrail *trail, size_t i) {
    return (char **)(void *)((char *)trail + text_members[i].offset);
}

static int read_texts(const json_t *object, CloudTrailTrail *ret) {
    for (size_t i = 0; i < ARRAY_SIZE(text_members); i++) {
        int r = answer_string(object, text_members[i].name, text_at(ret, i));

        if (r < 0)
            return r;
    }
    return 0;
}

static int read_flags(const json_t *object, CloudTrailTrail *ret) {
    for (size_t i = 0; i < ARRAY_SIZE(flag_members); i++) {
        bool *value = (bool *)(void *)((char *)ret + flag_members[i].offset);
        int r = answer_bool(object, flag_members[i].name, value);

        if (r < 0)
            return r;
        if (answer_member(object, flag_members[i].name))
            ret->present |= flag_members[i].flag;
    }
    return 0;
}

static bool is_known(const char *name) {
    bool known = text_equal(name, "SnsTopicName"); /* retired, and the same as SnsTopicARN */

    for (size_t i = 0; i < ARRAY_SIZE(text_members); i++)
        known = known || text_equal(name, text_members[i].name);
    for (size_t i = 0; i < ARRAY_SIZE(flag_members); i++)
        known = known || text_equal(name, flag_members[i].name);
    return known;
}

/* AWS leaves out what is not set, and need not always. */
static bool is_set(const json_t *value) {
    const char *text = json_string_value(value);

    if (json_is_array(value) || json_is_object(value))
        return json_array_size(value) + json_object_size(value) > 0;
    return !json_is_null(value) && !(text && !text[0]);
}

static bool fits(const char *name, const json_t *value) {
    _cleanup_free_ char *text = NULL;
    size_t len = strlen(name);

    return len < CLOUDTRAIL_OTHER_SIZE_MAX && answer_dump(value, CLOUDTRAIL_OTHER_SIZE_MAX - len, &text) >= 0;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The first by name: the same ones every time. */
static int keep_first(json_t *others) {
    size_t n = json_object_size(others), i = 0;
    _cleanup_free_ const char **names = NULL;
    const char *name;
    json_t *value;

    if (n <= CLOUDTRAIL_OTHERS_MAX)
        return 0;
    names = calloc(n, sizeof(*names));
    if (!names)
        return -ENOMEM;
    json_object_foreach(others, name, value) names[i++] = name;
    qsort(names, n, sizeof(*names), compare_names);
    for (i = CLOUDTRAIL_OTHERS_MAX; i < n; i++)
        (void)json_object_del(others, names[i]);
    return 0;
}

static int read_others(const json_t *object, CloudTrailTrail *ret) {
    json_auto_t *others = json_object();
    const char *name;
    json_t *value;
    int r = others ? 0 : -ENOMEM;

    json_object_foreach((json_t *)object, name, value) if (r >= 0 && !is_known(name) && is_set(value) &&
                                                           fits(name, value)) r =
            json_object_set(others, name, value) < 0 ? -ENOMEM : 0;
    if (r >= 0)
        r = keep_first(others);
    return r < 0 ? r
                 : answer_dump(others, (size_t)CLOUDTRAIL_OTHERS_MAX * (CLOUDTRAIL_OTHER_SIZE_MAX + 8) + 8,
                               &ret->others);
}

static int read_trail(const json_t *object, CloudTrailTrail *ret) {
    Arn arn;
    int r;

    if (!json_is_object(object))
        return -EBADMSG;
    r = read_texts(object, ret);
    if (r >= 0)
        r = read_flags(object, ret);
    if (r >= 0)
        r = read_others(object, ret);
    if (r >= 0 && (arn_parse(ret->arn, &arn) < 0 || !arn_is_trail(&arn)))
        r = -EBADMSG;
    return r;
}

static int read_trail_list(const json_t *list, CloudTrailTrails *trails) {
    size_t n = json_array_size(list);

    if (n > CLOUDTRAIL_TRAILS_MAX)
        return -E2BIG;
    if (n == 0)
        return 0;
    trails->items = calloc(n, sizeof(*trails->items));
    if (!trails->items)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        int r;

        /* Counted first: what was read of a bad one is freed with the rest. */
        trails->n++;
        r = read_trail(json_array_get(list, i), &trails->items[i]);
        if (r < 0)
            return r;
    }
    return 0;
}

int cloudtrail_read_trails(const char *body, size_t len, CloudTrailTrails *ret) {
    CloudTrailTrails trails = { 0 };
    const json_t *list;
    json_t *root;
    int r;

    r = answer_load(body, len, &root);
    if (r < 0)
        return r;
    list = json_object_get(root, "trailList");
    r = json_is_array(list) ? read_trail_list(list, &trails) : -EBADMSG;
    json_decref(root);
    if (r < 0) {
        cloudtrail_trails_done(&trails);
        return r;
    }
    *ret = trails;
    return 0;
}

static int copy_trail(const CloudTrailTrail *from, CloudTrailTrail *ret) {
    bool copied = true;

    *ret = *from;
    for (size_t i = 0; i < ARRAY_SIZE(text_members); i++) {
        char **text = text_at(ret, i);

        *text = strdup(*text);
        copied = copied && *text;
    }
    ret->others = from->others ? strdup(from->others) : NULL;
    copied = copied && (ret->others || !from->others);
    return copied ? 0 : -ENOMEM;
}

int cloudtrail_trails_copy(const CloudTrailTrails *trails, CloudTrailTrails *ret) {
    CloudTrailTrails copy = { .items = calloc(trails->n + 1, sizeof(*copy.items)) };

    if (!copy.items)
        return -ENOMEM;
    while (copy.n < trails->n) {
        int r = copy_trail(&trails->items[copy.n], &copy.items[copy.n]);

        copy.n++;
        if (r < 0) {
            cloudtrail_trails_done(&copy);
            return r;
        }
    }
    *ret = copy;
    return 0;
}

void cloudtrail_trails_done(CloudTrailTrails *trails) {
    for (size_t i = 0; i < trails->n; i++) {
        for (size_t t = 0; t < ARRAY_SIZE(text_members); t++)
            free(*text_at(&trails->items[i], t));
        free(trails->items[i].others);
    }
    free(trails->items);
    *trails = (CloudTrailTrails){ 0 };
}

/* ---- status ---- */

static int read_status_times(const json_t *root, CloudTrailStatus *s) {
    const struct {
        const char *name;
        uint64_t *value;
    } times[] = {
        { "StartLoggingTime", &s->start_logging_usec },
        { "StopLoggingTime", &s->stop_logging_usec },
        { "LatestDeliveryTime", &s->latest_delivery_usec },
        { "LatestDigestDeliveryTime", &s->latest_digest_delivery_usec },
    };

    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        int r = answer_time(root, times[i].name, times[i].value);

        if (r < 0)
            return r;
    }
    return 0;
}

static int read_status_errors(const json_t *root, CloudTrailStatus *s) {
    const struct {
        const char *name;
        char *value;
        size_t size;
    } errors[] = {
        { "LatestDeliveryError", s->delivery_error, sizeof(s->delivery_error) },
        { "LatestDigestDeliveryError", s->digest_error, sizeof(s->digest_error) },
        { "LatestCloudWatchLogsDeliveryError", s->log_group_error, sizeof(s->log_group_error) },
        { "LatestNotificationError", s->notification_error, sizeof(s->notification_error) },
    };

    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        const char *text;
        int r;

        r = answer_text(root, errors[i].name, &text);
        if (r < 0)
            return r;
        (void)text_copy(errors[i].value, errors[i].size, text);
    }
    return 0;
}

int cloudtrail_read_status(const char *body, size_t len, CloudTrailStatus *ret) {
    CloudTrailStatus s = { 0 };
    json_t *root;
    int r;

    r = answer_load(body, len, &root);
    if (r < 0)
        return r;
    r = answer_member(root, "IsLogging") ? answer_bool(root, "IsLogging", &s.is_logging) : -EBADMSG;
    if (r >= 0)
        r = read_status_times(root, &s);
    if (r >= 0)
        r = read_status_errors(root, &s);
    json_decref(root);
    if (r >= 0)
        *ret = s;
    return r;
}

/* ---- builders ---- */

int cloudtrail_build_name(const char *arn, char **ret) {
    return answer_request(json_pack("{s:s}", "Name", arn), ret);
}

/* ---- calls ---- */

AwsError cloudtrail_error(const AwsReply *reply, int r) {
    return typed_call_error(reply, r, "CloudTrail");
}

void cloudtrail_finish_plain(const TypedCall *call, const AwsReply *reply) {
    ((CloudTrailDone)call->done)(&reply->error, call->userdata);
}

AwsRequest cloudtrail_request(const char *region, const char *target, const char *body) {
    return (AwsRequest){
        .service = AWS_CLOUDTRAIL,
        .region = region,
        .protocol = AWS_PROTOCOL_JSON,
        .target = target,
        .body = body,
        .body_len = strlen(body),
    };
}

int cloudtrail_call(AwsClient *client, CredentialsSource *credentials, const char *region,
                    const CloudTrailOperation *operation, const char *body, TypedDone done, void *userdata,
                    CloudTrailCall **ret) {
    const AwsRequest request = cloudtrail_request(region, operation->target, body);
    const TypedCall template = { .operation = &operation->typed, .done = done, .userdata = userdata };

    return typed_call(client, credentials, &request, &template, ret);
}

static void finish_trails(const TypedCall *call, const AwsReply *reply) {
    CloudTrailTrails trails = { 0 };
    AwsError error;
    int r = 0;

    if (reply->error.class == AWS_OK)
        r = cloudtrail_read_trails(reply->body, reply->body_len, &trails);
    error = cloudtrail_error(reply, r);
    ((CloudTrailTrailsDone)call->done)(&error, error.class == AWS_OK ? &trails : NULL, call->userdata);
    cloudtrail_trails_done(&trails);
}

static void finish_status(const TypedCall *call, const AwsReply *reply) {
    CloudTrailStatus status;
    AwsError error;
    int r = 0;

    if (reply->error.class == AWS_OK)
        r = cloudtrail_read_status(reply->body, reply->body_len, &status);
    error = cloudtrail_error(reply, r);
    ((CloudTrailStatusDone)call->done)(&error, error.class == AWS_OK ? &status : NULL, call->userdata);
}

int cloudtrail_describe_trails(AwsClient *client, CredentialsSource *credentials, const char *region,
                               CloudTrailTrailsDone done, void *userdata, CloudTrailCall **ret) {
    static const CloudTrailOperation operation = { CLOUDTRAIL_TARGET("DescribeTrails"),
                                                   { .finish = finish_trails } };

    return cloudtrail_call(client, credentials, region, &operation, "{\"includeShadowTrails\":true}",
                           (TypedDone)done, userdata, ret);
}

static int call_by_name(AwsClient *client, CredentialsSource *credentials, const char *region,
                        const CloudTrailOperation *operation, const char *arn, TypedDone done,
                        void *userdata, CloudTrailCall **ret) {
    _cleanup_free_ char *body = NULL;
    int r;

    r = cloudtrail_build_name(arn, &body);
    if (r < 0)
        return r;
    return cloudtrail_call(client, credentials, region, operation, body, done, userdata, ret);
}

int cloudtrail_get_trail_status(AwsClient *client, CredentialsSource *credentials, const char *region,
                                const char *arn, CloudTrailStatusDone done, void *userdata,
                                CloudTrailCall **ret) {
    static const CloudTrailOperation operation = { CLOUDTRAIL_TARGET("GetTrailStatus"),
                                                   { .finish = finish_status } };

    return call_by_name(client, credentials, region, &operation, arn, (TypedDone)done, userdata, ret);
}

int cloudtrail_start_logging(AwsClient *client, CredentialsSource *credentials, const char *region,
                             const char *arn, CloudTrailDone done, void *userdata, CloudTrailCall **ret) {
    static const CloudTrailOperation operation = { CLOUDTRAIL_TARGET("StartLogging"),
                                                   { .finish = cloudtrail_finish_plain } };

    return call_by_name(client, credentials, region, &operation, arn, (TypedDone)done, userdata, ret);
}

void cloudtrail_cancel(CloudTrailCall *call) {
    typed_call_cancel(call);
}

/* More pages than this hold more tags than there can be. */
#define TAG_PAGES_MAX 20

/* ---- selectors ---- */

static int dump_selectors(const json_t *root, const char *name, char **ret) {
    const json_t *list = answer_member(root, name);
    char *text;

    if (list && !json_is_array(list))
        return -EBADMSG;
    if (json_array_size(list) > 0)
        return answer_dump(list, CLOUDTRAIL_SELECTORS_MAX, ret);
    text = strdup("");
    if (!text)
        return -ENOMEM;
    *ret = text;
    return 0;
}

int cloudtrail_read_event_selectors(const char *body, size_t len, CloudTrailSelectors *ret) {
    CloudTrailSelectors selectors = { 0 };
    json_t *root;
    int r;

    r = answer_load(body, len, &root);
    if (r < 0)
        return r;
    r = dump_selectors(root, "EventSelectors", &selectors.event_selectors);
    if (r >= 0)
        r = dump_selectors(root, "AdvancedEventSelectors", &selectors.advanced_event_selectors);
    json_decref(root);
    if (r < 0) {
        cloudtrail_selectors_done(&selectors);
        return r;
    }
    *ret = selectors;
    return 0;
}

void cloudtrail_selectors_done(CloudTrailSelectors *selectors) {
    free(selectors->event_selectors);
    free(selectors->advanced_event_selectors);
    *selectors = (CloudTrailSelectors){ 0 };
}

int cloudtrail_read_insight_selectors(const char *body, size_t len, char **ret) {
    json_t *root;
    int r;

    r = answer_load(body, len, &root);
    if (r < 0)
        return r;
    r = dump_selectors(root, "InsightSelectors", ret);
    json_decref(root);
    return r;
}

int cloudtrail_read_event_configuration(const char *body, size_t len, char **ret) {
    json_t *root;
    int r;

    r = answer_load(body, len, &root);
    if (r < 0)
        return r;
    (void)json_object_del(root, "TrailARN");
    (void)json_object_del(root, "EventDataStoreArn");
    r = answer_dump(root, CLOUDTRAIL_SELECTORS_MAX, ret);
    json_decref(root);
    return r;
}

/* ---- tags ---- */

static void tags_truncate(CloudTrailTags *tags, size_t n) {
    while (tags->n > n) {
        tags->n--;
        free(tags->items[tags->n].key);
        free(tags->items[tags->n].value);
    }
}

void cloudtrail_tags_done(CloudTrailTags *tags) {
    tags_truncate(tags, 0);
    free(tags->items);
    *tags = (CloudTrailTags){ 0 };
}

static int add_tag(const json_t *object, CloudTrailTags *tags) {
    CloudTrailTag *tag = &tags->items[tags->n];
    int r;

    if (!json_is_string(answer_member(object, "Key")))
        return -EBADMSG;
    *tag = (CloudTrailTag){ 0 };
    /* Counted first: what was read of a bad one is freed with the rest. */
    tags->n++;
    r = answer_string(object, "Key", &tag->key);
    if (r >= 0)
        r = answer_string(object, "Value", &tag->value);
    return r;
}

static int add_tags(const json_t *list, CloudTrailTags *tags) {
    size_t n = json_array_size(list);
    CloudTrailTag *items;

    if (list && !json_is_array(list))
        return -EBADMSG;
    if (n > CLOUDTRAIL_TAGS_MAX || tags->n + n > CLOUDTRAIL_TAGS_MAX)
        return -E2BIG;
    items = realloc(tags->items, (tags->n + n + 1) * sizeof(*items));
    if (!items)
        return -ENOMEM;
    tags->items = items;
    for (size_t i = 0; i < n; i++) {
        int r = add_tag(json_array_get(list, i), tags);

        if (r < 0)
            return r;
    }
    return 0;
}

static int read_resources(const json_t *list, const char *arn, CloudTrailTags *tags) {
    if (list && !json_is_array(list))
        return -EBADMSG;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *resource = json_array_get(list, i);
        const char *id;
        int r;

        r = answer_text(resource, "ResourceId", &id);
        if (r >= 0 && strcmp(id, arn) == 0)
            r = add_tags(answer_member(resource, "TagsList"), tags);
        if (r < 0)
            return r;
    }
    return 0;
}

int cloudtrail_read_tags(const char *body, size_t len, const char *arn, CloudTrailTags *tags,
                         char **ret_next_token) {
    size_t n_before = tags->n;
    json_t *root;
    int r;

    r = answer_load(body, len, &root);
    if (r < 0)
        return r;
    r = read_resources(answer_member(root, "ResourceTagList"), arn, tags);
    if (r >= 0)
        r = answer_string(root, "NextToken", ret_next_token);
    json_decref(root);
    if (r < 0)
        tags_truncate(tags, n_before);
    return r;
}

/* ---- builders ---- */

int cloudtrail_build_trail_name(const char *arn, char **ret) {
    return answer_request(json_pack("{s:s}", "TrailName", arn), ret);
}

int cloudtrail_build_list_tags(const char *arn, const char *next_token, char **ret) {
    if (!next_token || !*next_token)
        return answer_request(json_pack("{s:[s]}", "ResourceIdList", arn), ret);
    return answer_request(json_pack("{s:[s],s:s}", "ResourceIdList", arn, "NextToken", next_token), ret);
}

/* ---- calls ---- */

static void finish_selectors(const TypedCall *call, const AwsReply *reply) {
    CloudTrailSelectors selectors = { 0 };
    AwsError error;
    int r = 0;

    if (reply->error.class == AWS_OK)
        r = cloudtrail_read_event_selectors(reply->body, reply->body_len, &selectors);
    error = cloudtrail_error(reply, r);
    ((CloudTrailSelectorsDone)call->done)(&error, error.class == AWS_OK ? &selectors : NULL, call->userdata);
    cloudtrail_selectors_done(&selectors);
}

static void finish_insights(const TypedCall *call, const AwsReply *reply) {
    CloudTrailInsightsDone done = (CloudTrailInsightsDone)call->done;
    _cleanup_free_ char *text = NULL;
    AwsError error;
    int r = 0;

    if (text_equal(reply->error.code, "InsightNotEnabledException")) {
        error = reply->error;
        aws_error_change(&error, AWS_OK, "", "%s", "");
        done(&error, "", call->userdata);
        return;
    }
    if (reply->error.class == AWS_OK)
        r = cloudtrail_read_insight_selectors(reply->body, reply->body_len, &text);
    error = cloudtrail_error(reply, r);
    done(&error, error.class == AWS_OK ? text : NULL, call->userdata);
}

static void finish_configuration(const TypedCall *call, const AwsReply *reply) {
    _cleanup_free_ char *text = NULL;
    AwsError error;
    int r = 0;

    if (reply->error.class == AWS_OK)
        r = cloudtrail_read_event_configuration(reply->body, reply->body_len, &text);
    error = cloudtrail_error(reply, r);
    ((CloudTrailConfigurationDone)call->done)(&error, error.class == AWS_OK ? text : NULL, call->userdata);
}

static int call_by_trail_name(AwsClient *client, CredentialsSource *credentials, const char *region,
                              const CloudTrailOperation *operation, const char *arn, TypedDone done,
                              void *userdata, CloudTrailCall **ret) {
    _cleanup_free_ char *body = NULL;
    int r;

    r = cloudtrail_build_trail_name(arn, &body);
    if (r < 0)
        return r;
    return cloudtrail_call(client, credentials, region, operation, body, done, userdata, ret);
}

int cloudtrail_get_event_selectors(AwsClient *client, CredentialsSource *credentials, const char *region,
                                   const char *arn, CloudTrailSelectorsDone done, void *userdata,
                                   CloudTrailCall **ret) {
    static const CloudTrailOperation operation = { CLOUDTRAIL_TARGET("GetEventSelectors"),
                                                   { .finish = finish_selectors } };

    return call_by_trail_name(client, credentials, region, &operation, arn, (TypedDone)done, userdata, ret);
}

int cloudtrail_get_insight_selectors(AwsClient *client, CredentialsSource *credentials, const char *region,
                                     const char *arn, CloudTrailInsightsDone done, void *userdata,
                                     CloudTrailCall **ret) {
    static const CloudTrailOperation operation = { CLOUDTRAIL_TARGET("GetInsightSelectors"),
                                                   { .finish = finish_insights } };

    return call_by_trail_name(client, credentials, region, &operation, arn, (TypedDone)done, userdata, ret);
}

int cloudtrail_get_event_configuration(AwsClient *client, CredentialsSource *credentials, const char *region,
                                       const char *arn, CloudTrailConfigurationDone done, void *userdata,
                                       CloudTrailCall **ret) {
    static const CloudTrailOperation operation = { CLOUDTRAIL_TARGET("GetEventConfiguration"),
                                                   { .finish = finish_configuration } };

    return call_by_trail_name(client, credentials, region, &operation, arn, (TypedDone)done, userdata, ret);
}

/* ---- ListTags, page by page ---- */

#define LIST_TAGS_TARGET CLOUDTRAIL_TARGET("ListTags")

typedef struct TagPages {
    char *arn;
    char *region;
    CloudTrailTags tags;
    unsigned n_pages;
    int error; /* of reading a page, or of asking for the next */
} TagPages;

static void free_pages(void *state) {
    TagPages *pages = state;

    cloudtrail_tags_done(&pages->tags);
    free(pages->arn);
    free(pages->region);
    free(pages);
}

static int send_tags_request(TypedCall *call, TagPages *pages, const char *token) {
    _cleanup_free_ char *body = NULL;
    AwsRequest request;
    int r;

    if (++pages->n_pages == TAG_PAGES_MAX)
        return -E2BIG;
    r = cloudtrail_build_list_tags(pages->arn, token, &body);
    if (r < 0)
        return r;
    request = cloudtrail_request(pages->region, LIST_TAGS_TARGET, body);
    return typed_call_send(call, &request);
}

static bool more_tags(TypedCall *call, const AwsReply *reply) {
    _cleanup_free_ char *token = NULL;
    TagPages *pages = call->state;

    if (reply->error.class != AWS_OK)
        return false;
    pages->error = cloudtrail_read_tags(reply->body, reply->body_len, pages->arn, &pages->tags, &token);
    if (pages->error < 0 || !*token)
        return false;
    pages->error = send_tags_request(call, pages, token);
    return pages->error >= 0;
}

static void finish_tags(const TypedCall *call, const AwsReply *reply) {
    const TagPages *pages = call->state;
    AwsError error = cloudtrail_error(reply, pages->error);

    ((CloudTrailTagsDone)call->done)(&error, error.class == AWS_OK ? &pages->tags : NULL, call->userdata);
}

int cloudtrail_list_tags(AwsClient *client, CredentialsSource *credentials, const char *region,
                         const char *arn, CloudTrailTagsDone done, void *userdata, CloudTrailCall **ret) {
    static const TypedOperation operation = { more_tags, finish_tags, free_pages };
    _cleanup_free_ char *body = NULL;
    TypedCall template = { .operation = &operation, .done = (TypedDone)done, .userdata = userdata };
    AwsRequest request;
    TagPages *pages;
    int r;

    r = cloudtrail_build_list_tags(arn, NULL, &body);
    if (r < 0)
        return r;
    pages = calloc(1, sizeof(*pages));
    if (!pages)
        return -ENOMEM;
    pages->arn = strdup(arn);
    pages->region = strdup(region);
    if (!pages->arn || !pages->region) {
        free_pages(pages);
        return -ENOMEM;
    }
    template.state = pages;
    request = cloudtrail_request(region, LIST_TAGS_TARGET, body);
    return typed_call(client, credentials, &request, &template, ret);
}
