/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cloudtrail_settings.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/answer.h"
#include "lib/cloudtrail_call.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

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
