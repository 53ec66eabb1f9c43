/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cloudtrail.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "lib/arn.h"
#include "lib/util/json_text.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* ---- settings ---- */

static bool is_set(const char *s) {
    return s && *s;
}

static const struct {
    const char *name;
    size_t offset;
} text_members[] = {
    { "S3BucketName", offsetof(CloudTrailChanges, bucket) },
    { "S3KeyPrefix", offsetof(CloudTrailChanges, prefix) },
    { "SnsTopicName", offsetof(CloudTrailChanges, sns_topic) },
    { "CloudWatchLogsLogGroupArn", offsetof(CloudTrailChanges, log_group) },
    { "CloudWatchLogsRoleArn", offsetof(CloudTrailChanges, log_role) },
    { "KmsKeyId", offsetof(CloudTrailChanges, kms_key) },
};

static const struct {
    const char *name;
    size_t offset;
} choice_members[] = {
    { "IsMultiRegionTrail", offsetof(CloudTrailChanges, multi_region) },
    { "IncludeGlobalServiceEvents", offsetof(CloudTrailChanges, global_events) },
    { "EnableLogFileValidation", offsetof(CloudTrailChanges, validation) },
    { "IsOrganizationTrail", offsetof(CloudTrailChanges, organization) },
    { "RecursiveLogging", offsetof(CloudTrailChanges, recursive) },
};

static const void *member_at(const CloudTrailChanges *changes, size_t offset) {
    return (const char *)changes + offset;
}

/* json_object_set_new() fails for a NULL value: text that is not UTF-8, or no memory. */
static int add_texts(json_t *root, const CloudTrailChanges *changes, bool also_empty) {
    for (size_t i = 0; i < ARRAY_SIZE(text_members); i++) {
        const char *text = *(const char *const *)member_at(changes, text_members[i].offset);

        if (!text || (!*text && !also_empty))
            continue;
        if (json_object_set_new(root, text_members[i].name, json_string(text)) < 0)
            return answer_refusal(text);
    }
    return 0;
}

static int add_choices(json_t *root, const CloudTrailChanges *changes) {
    for (size_t i = 0; i < ARRAY_SIZE(choice_members); i++) {
        CloudTrailChoice choice = *(const CloudTrailChoice *)member_at(changes, choice_members[i].offset);

        if (choice == CLOUDTRAIL_LEAVE)
            continue;
        if (json_object_set_new(root, choice_members[i].name, json_boolean(choice == CLOUDTRAIL_ON)) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int build_settings(const char *name, const CloudTrailChanges *changes, bool also_empty,
                          json_t **ret) {
    json_t *root;
    int r;

    root = json_pack("{s:s}", "Name", name);
    if (!root)
        return answer_refusal(name);
    r = add_texts(root, changes, also_empty);
    if (r >= 0)
        r = add_choices(root, changes);
    if (r < 0) {
        json_decref(root);
        return r;
    }
    *ret = root;
    return 0;
}

static int build_update_trail(const void *input, const char *token _unused_, char **ret) {
    const CloudTrailWrite *write = input;
    json_t *root;
    int r;

    r = build_settings(write->trail, write->changes, true, &root);
    if (r < 0)
        return r;
    if (json_object_size(root) == 1) {
        json_decref(root);
        return -EINVAL;
    }
    return answer_request(root, NULL, ret);
}

/* ---- tags ---- */

/* A value is optional, but if sent it may not be empty. */
static json_t *make_tag(const CloudTrailTag *tag, bool with_value) {
    return with_value && *tag->value ? json_pack("{s:s,s:s}", "Key", tag->key, "Value", tag->value)
                                     : json_pack("{s:s}", "Key", tag->key);
}

/* Without AWS's own tags, which others may not write. NULL as for json_pack(). */
static json_t *make_tags(const CloudTrailTags *tags, bool with_values) {
    json_t *list = json_array();

    for (size_t i = 0; list && i < tags->n; i++) {
        if (text_starts_with(tags->items[i].key, "aws:"))
            continue;
        if (json_array_append_new(list, make_tag(&tags->items[i], with_values)) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* Why the list could not be created. */
static int tags_refusal(const CloudTrailTags *tags) {
    int r = -ENOMEM;

    for (size_t i = 0; r != -EINVAL && i < tags->n; i++) {
        r = answer_refusal(tags->items[i].key);
        r = r == -EINVAL ? r : answer_refusal(tags->items[i].value);
    }
    return r;
}

/* {subject: arn, member: list}; takes list over. */
static int dump_with_list(const char *subject, const char *arn, const char *member, json_t *list,
                          char **ret) {
    json_t *root = json_pack("{s:s}", subject, arn);

    if (json_object_set_new(root, member, list) < 0) {
        json_decref(root);
        return answer_refusal(arn);
    }
    return answer_request(root, NULL, ret);
}

static int build_tags(const CloudTrailWrite *write, bool with_values, char **ret) {
    json_t *list = make_tags(write->tags, with_values);

    if (!list)
        return tags_refusal(write->tags);
    if (json_array_size(list) == 0) {
        json_decref(list);
        return -EINVAL;
    }
    return dump_with_list("ResourceId", write->trail, "TagsList", list, ret);
}

static int build_add_tags(const void *input, const char *token _unused_, char **ret) {
    return build_tags(input, true, ret);
}

static int build_remove_tags(const void *input, const char *token _unused_, char **ret) {
    return build_tags(input, false, ret);
}

static int build_create_trail(const void *input, const char *token _unused_, char **ret) {
    const CloudTrailWrite *write = input;
    json_t *root, *list = NULL;
    int r;

    if (!arn_trail_name_is_valid(write->trail) || !is_set(write->changes->bucket))
        return -EINVAL;
    r = build_settings(write->trail, write->changes, false, &root);
    if (r < 0)
        return r;
    if (write->tags)
        list = make_tags(write->tags, true);
    if (write->tags && !list)
        r = tags_refusal(write->tags);
    else if (json_array_size(list) > 0 && json_object_set(root, "TagsList", list) < 0)
        r = -ENOMEM;
    json_decref(list);
    if (r < 0) {
        json_decref(root);
        return r;
    }
    return answer_request(root, NULL, ret);
}

/* ---- selectors ---- */

/* The text was read from AWS, but may have been in a file since. 0, -ENOMEM, or -EINVAL if it is no
 * array. */
static int load_array(const char *text, json_t **ret) {
    json_t *list;
    int r = json_text_parse(text, strlen(text), 0, NULL, &list);

    if (r < 0)
        return r;
    if (!json_is_array(list)) {
        json_decref(list);
        return -EINVAL;
    }
    *ret = list;
    return 0;
}

static int build_put_event_selectors(const void *input, const char *token _unused_, char **ret) {
    const CloudTrailWrite *write = input;
    const CloudTrailSelectors *selectors = write->selectors;
    bool advanced = is_set(selectors->advanced_event_selectors);
    json_t *list;
    int r;

    if (advanced == is_set(selectors->event_selectors))
        return -EINVAL;
    r = load_array(advanced ? selectors->advanced_event_selectors : selectors->event_selectors, &list);
    if (r < 0)
        return r;
    if (json_array_size(list) == 0) {
        json_decref(list);
        return -EINVAL;
    }
    return dump_with_list("TrailName", write->trail, advanced ? "AdvancedEventSelectors" : "EventSelectors",
                          list, ret);
}

static int build_put_insight_selectors(const void *input, const char *token _unused_, char **ret) {
    const CloudTrailWrite *write = input;
    json_t *list;
    int r = load_array(is_set(write->text) ? write->text : "[]", &list);

    return r < 0 ? r : dump_with_list("TrailName", write->trail, "InsightSelectors", list, ret);
}

static int build_put_event_configuration(const void *input, const char *token _unused_, char **ret) {
    const CloudTrailWrite *write = input;
    json_t *root;
    int r = write->text ? json_text_parse(write->text, strlen(write->text), 0, NULL, &root) : -EINVAL;

    if (r < 0)
        return r;
    r = json_object_size(root) == 0 ? -EINVAL : 0;
    /* json_object_set_new() fails for a NULL value */
    if (r >= 0 && json_object_set_new(root, "TrailName", json_string(write->trail)) < 0)
        r = answer_refusal(write->trail);
    if (r < 0) {
        json_decref(root);
        return r;
    }
    return answer_request(root, NULL, ret);
}

/* ---- operations ---- */

const AwsOperation cloudtrail_update_trail_operation = {
    CLOUDTRAIL_ROW(cloudtrail_update_trail, "UpdateTrail"),
    .build = build_update_trail,
};
const AwsOperation cloudtrail_create_trail_operation = {
    CLOUDTRAIL_ROW(cloudtrail_create_trail, "CreateTrail"),
    .build = build_create_trail,
};
const AwsOperation cloudtrail_put_event_selectors_operation = {
    CLOUDTRAIL_ROW(cloudtrail_put_event_selectors, "PutEventSelectors"),
    .build = build_put_event_selectors,
};
const AwsOperation cloudtrail_put_insight_selectors_operation = {
    CLOUDTRAIL_ROW(cloudtrail_put_insight_selectors, "PutInsightSelectors"),
    .build = build_put_insight_selectors,
};
const AwsOperation cloudtrail_put_event_configuration_operation = {
    CLOUDTRAIL_ROW(cloudtrail_put_event_configuration, "PutEventConfiguration"),
    .build = build_put_event_configuration,
};
const AwsOperation cloudtrail_add_tags_operation = {
    CLOUDTRAIL_ROW(cloudtrail_add_tags, "AddTags"),
    .build = build_add_tags,
};
const AwsOperation cloudtrail_remove_tags_operation = {
    CLOUDTRAIL_ROW(cloudtrail_remove_tags, "RemoveTags"),
    .build = build_remove_tags,
};
