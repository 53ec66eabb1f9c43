/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cloudtrail.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arn.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define OTHERS_SIZE_MAX ((size_t)CLOUDTRAIL_OTHERS_MAX * (CLOUDTRAIL_OTHER_SIZE_MAX + 8) + 8)

/* ---- trails ---- */

#define TEXT(name, member) ANSWER_FIELD(name, ANSWER_TEXT, false, CloudTrailTrail, member)
#define FLAG(name, member) ANSWER_FIELD(name, ANSWER_BOOL, false, CloudTrailTrail, member)

/* The texts, and then the flags in the order of CloudTrailFlag. */
#define N_TEXTS 9
static const AnswerField trail_fields[] = {
    TEXT("Name", name),
    TEXT("TrailARN", arn),
    TEXT("HomeRegion", home_region),
    TEXT("S3BucketName", bucket),
    TEXT("S3KeyPrefix", prefix),
    TEXT("SnsTopicARN", sns_topic),
    TEXT("CloudWatchLogsLogGroupArn", log_group),
    TEXT("CloudWatchLogsRoleArn", log_role),
    TEXT("KmsKeyId", kms_key),
    FLAG("IsMultiRegionTrail", multi_region),
    FLAG("IncludeGlobalServiceEvents", global_events),
    FLAG("LogFileValidationEnabled", validation),
    FLAG("IsOrganizationTrail", organization),
    FLAG("HasCustomEventSelectors", has_custom_event_selectors),
    FLAG("HasInsightSelectors", has_insight_selectors),
    FLAG("RecursiveLogging", recursive),
};

static char **text_at(CloudTrailTrail *trail, size_t i) {
    return (char **)(void *)((char *)trail + trail_fields[i].offset);
}

/* What other calls show, and what is no name of AWS's: a stand-in for AWS may list all that it keeps of a
 * trail. */
static bool is_no_setting(const char *name) {
    static const char *const names[] = {
        "SnsTopicName", /* retired, and the same as SnsTopicARN */
        "IsLogging",
        "StartLoggingTime",
        "StopLoggingTime",
        "TimeLoggingStarted",
        "TimeLoggingStopped",
        "EventSelectors",
        "AdvancedEventSelectors",
        "InsightSelectors",
        "Tags",
        "TagsList",
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (text_equal(names[i], name))
            return true;
    return name[0] == '_' || text_starts_with(name, "LatestDelivery") ||
           text_starts_with(name, "LatestDigestDelivery") || text_starts_with(name, "LatestNotification") ||
           text_starts_with(name, "LatestCloudWatchLogsDelivery");
}

static bool is_known(const char *name) {
    bool known = is_no_setting(name);

    for (size_t i = 0; i < ARRAY_SIZE(trail_fields); i++)
        known = known || text_equal(name, trail_fields[i].name);
    return known;
}

/* AWS leaves out unset members, but not necessarily always. */
static bool is_set(const json_t *value) {
    const char *text = json_string_value(value);

    if (json_is_array(value) || json_is_object(value))
        return json_array_size(value) + json_object_size(value) > 0;
    return !json_is_null(value) && !(text && !text[0]);
}

static bool fits(const char *name, const json_t *value) {
    _cleanup_free_ char *text = NULL;
    size_t len = strlen(name);

    return len < CLOUDTRAIL_OTHER_SIZE_MAX &&
           answer_dump(value, CLOUDTRAIL_OTHER_SIZE_MAX - len, &text) >= 0;
}

static int cloudtrail_compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The first by name, so that they are always the same. */
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
    qsort(names, n, sizeof(*names), cloudtrail_compare_names);
    for (i = CLOUDTRAIL_OTHERS_MAX; i < n; i++)
        (void)json_object_del(others, names[i]);
    return 0;
}

static int read_others(const json_t *object, CloudTrailTrail *ret) {
    json_auto_t *others = json_object();
    const char *name;
    json_t *value;
    int r;

    if (!others)
        return -ENOMEM;
    json_object_foreach((json_t *)object, name, value) {
        if (!is_known(name) && is_set(value) && fits(name, value) &&
            json_object_set(others, name, value) < 0)
            return -ENOMEM;
    }
    r = keep_first(others);
    return r < 0 ? r : answer_dump(others, OTHERS_SIZE_MAX, &ret->others);
}

static int read_trail(const json_t *object, CloudTrailTrail *ret, AnswerFault *fault) {
    Arn arn;
    int r;

    r = answer_fields(object, trail_fields, ARRAY_SIZE(trail_fields), ret, fault);
    if (r < 0)
        return r;
    for (size_t i = N_TEXTS; i < ARRAY_SIZE(trail_fields); i++)
        if (answer_member(object, trail_fields[i].name))
            ret->present |= 1u << (i - N_TEXTS);
    if (arn_parse(ret->arn, &arn) < 0 || !arn_is_trail(&arn))
        return answer_fault(fault, ret->arn[0] ? "TrailARN is no trail's ARN" : "TrailARN is missing");
    return read_others(object, ret);
}

/* Entries without a legal TrailARN make the whole answer bad. */
static int read_trails(Answer *answer, void *value) {
    CloudTrailTrails *trails = value;
    const json_t *list;
    int r;

    r = answer_list(answer->root, "trailList", true, CLOUDTRAIL_TRAILS_MAX, &list, answer->fault);
    if (r < 0)
        return r;
    trails->items = calloc(json_array_size(list) + 1, sizeof(*trails->items));
    if (!trails->items)
        return -ENOMEM;
    for (size_t i = 0; i < json_array_size(list); i++) {
        /* Counted first, so that a partly read entry is freed with the rest. */
        trails->n++;
        r = read_trail(json_array_get(list, i), &trails->items[i], answer->fault);
        if (r < 0)
            return answer_fault_in(answer->fault, r, "trailList[%zu].", i);
    }
    return 0;
}

static int copy_trail(const CloudTrailTrail *from, CloudTrailTrail *ret) {
    bool copied = true;

    *ret = *from;
    for (size_t i = 0; i < N_TEXTS; i++) {
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
        for (size_t t = 0; t < N_TEXTS; t++)
            free(*text_at(&trails->items[i], t));
        free(trails->items[i].others);
    }
    free(trails->items);
    *trails = (CloudTrailTrails){ 0 };
}

static void clear_trails(void *value) {
    cloudtrail_trails_done(value);
}

static int build_describe_trails(const void *input _unused_, const char *token _unused_, char **ret) {
    return answer_request(json_pack("{s:b}", "includeShadowTrails", 1), NULL, ret);
}

const AwsOperation cloudtrail_describe_trails_operation = {
    CLOUDTRAIL_ROW(cloudtrail_describe_trails, "DescribeTrails"),
    .build = build_describe_trails,
    .read = read_trails,
    .clear = clear_trails,
    .value_size = sizeof(CloudTrailTrails),
};

/* ---- status ---- */

#define TIME(name, member)  ANSWER_FIELD(name, ANSWER_TIME, false, CloudTrailStatus, member)
#define ERROR(name, member) ANSWER_FIELD(name, ANSWER_CHARS, false, CloudTrailStatus, member)

static int cloudtrail_read_status(Answer *answer, void *value) {
    static const AnswerField fields[] = {
        ANSWER_FIELD("IsLogging", ANSWER_BOOL, true, CloudTrailStatus, is_logging),
        TIME("StartLoggingTime", start_logging_usec),
        TIME("StopLoggingTime", stop_logging_usec),
        TIME("LatestDeliveryTime", latest_delivery_usec),
        TIME("LatestDigestDeliveryTime", latest_digest_delivery_usec),
        ERROR("LatestDeliveryError", delivery_error),
        ERROR("LatestDigestDeliveryError", digest_error),
        ERROR("LatestCloudWatchLogsDeliveryError", log_group_error),
        ERROR("LatestNotificationError", notification_error),
    };

    return answer_fields(answer->root, fields, ARRAY_SIZE(fields), value, answer->fault);
}

const AwsOperation cloudtrail_get_trail_status_operation = {
    CLOUDTRAIL_ROW(cloudtrail_get_trail_status, "GetTrailStatus"),
    .member = "Name",
    .read = cloudtrail_read_status,
    .value_size = sizeof(CloudTrailStatus),
};

const AwsOperation cloudtrail_start_logging_operation = {
    CLOUDTRAIL_ROW(cloudtrail_start_logging, "StartLogging"),
    .member = "Name",
};

const AwsOperation cloudtrail_stop_logging_operation = {
    CLOUDTRAIL_ROW(cloudtrail_stop_logging, "StopLogging"),
    .member = "Name",
};

/* ---- selectors ---- */

static int dump_selectors(Answer *answer, const char *name, char **ret) {
    const json_t *list;
    int r;

    r = answer_list(answer->root, name, false, SIZE_MAX, &list, answer->fault);
    if (r < 0)
        return r;
    if (json_array_size(list) > 0)
        return answer_dump(list, CLOUDTRAIL_SELECTORS_MAX, ret);
    return text_set(ret, "");
}

static int read_event_selectors(Answer *answer, void *value) {
    CloudTrailSelectors *selectors = value;
    int r;

    r = dump_selectors(answer, "EventSelectors", &selectors->event_selectors);
    return r < 0 ? r
                 : dump_selectors(answer, "AdvancedEventSelectors", &selectors->advanced_event_selectors);
}

void cloudtrail_selectors_done(CloudTrailSelectors *selectors) {
    free(selectors->event_selectors);
    free(selectors->advanced_event_selectors);
    *selectors = (CloudTrailSelectors){ 0 };
}

static void clear_selectors(void *value) {
    cloudtrail_selectors_done(value);
}

const AwsOperation cloudtrail_get_event_selectors_operation = {
    CLOUDTRAIL_ROW(cloudtrail_get_event_selectors, "GetEventSelectors"),
    .member = "TrailName",
    .read = read_event_selectors,
    .clear = clear_selectors,
    .value_size = sizeof(CloudTrailSelectors),
};

static int read_insight_selectors(Answer *answer, void *value) {
    return dump_selectors(answer, "InsightSelectors", value);
}

const AwsOperation cloudtrail_get_insight_selectors_operation = {
    CLOUDTRAIL_ROW(cloudtrail_get_insight_selectors, "GetInsightSelectors"),
    .member = "TrailName",
    .none = "InsightNotEnabledException",
    .read = read_insight_selectors,
    OPERATION_TEXT_VALUE,
};

static int read_event_configuration(Answer *answer, void *value) {
    json_auto_t *own = json_copy((json_t *)answer->root);

    if (!own)
        return -ENOMEM;
    (void)json_object_del(own, "TrailARN");
    (void)json_object_del(own, "EventDataStoreArn");
    return answer_dump(own, CLOUDTRAIL_SELECTORS_MAX, value);
}

const AwsOperation cloudtrail_get_event_configuration_operation = {
    CLOUDTRAIL_ROW(cloudtrail_get_event_configuration, "GetEventConfiguration"),
    .member = "TrailName",
    .read = read_event_configuration,
    OPERATION_TEXT_VALUE,
};

/* ---- tags ---- */

static void truncate_tags(CloudTrailTags *tags, size_t n) {
    while (tags->n > n) {
        tags->n--;
        free(tags->items[tags->n].key);
        free(tags->items[tags->n].value);
    }
}

void cloudtrail_tags_done(CloudTrailTags *tags) {
    truncate_tags(tags, 0);
    free(tags->items);
    *tags = (CloudTrailTags){ 0 };
}

static void clear_tags(void *value) {
    cloudtrail_tags_done(value);
}

static int add_tags(const json_t *resource, CloudTrailTags *tags, AnswerFault *fault) {
    static const AnswerField fields[] = {
        ANSWER_FIELD("Key", ANSWER_TEXT, false, CloudTrailTag, key),
        ANSWER_FIELD("Value", ANSWER_TEXT, false, CloudTrailTag, value),
    };
    CloudTrailTag *items;
    const json_t *list;
    int r;

    r = answer_list(resource, "TagsList", false, CLOUDTRAIL_TAGS_MAX - tags->n, &list, fault);
    if (r < 0)
        return r;
    items = reallocarray(tags->items, tags->n + json_array_size(list) + 1, sizeof(*items));
    if (!items)
        return -ENOMEM;
    tags->items = items;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *tag = json_array_get(list, i);

        if (!answer_member(tag, "Key"))
            return answer_fault(fault, "TagsList[%zu].Key is missing", i);
        /* Counted first, so that a partly read entry is freed with the rest. */
        items[tags->n] = (CloudTrailTag){ 0 };
        r = answer_fields(tag, fields, ARRAY_SIZE(fields), &items[tags->n++], fault);
        if (r < 0)
            return answer_fault_in(fault, r, "TagsList[%zu].", i);
    }
    return 0;
}

/* Only the entry of the requested trail counts. */
static int read_resources(const Answer *answer, CloudTrailTags *tags) {
    const json_t *list;
    int r;

    r = answer_list(answer->root, "ResourceTagList", false, SIZE_MAX, &list, answer->fault);
    for (size_t i = 0; r >= 0 && i < json_array_size(list); i++) {
        const json_t *resource = json_array_get(list, i);
        const char *id;

        if (answer_text(resource, "ResourceId", &id) < 0)
            r = answer_fault(answer->fault, "ResourceId is no text");
        else if (text_equal(id, answer->input))
            r = add_tags(resource, tags, answer->fault);
        if (r < 0)
            return answer_fault_in(answer->fault, r, "ResourceTagList[%zu].", i);
    }
    return r;
}

/* A bad page changes nothing. */
static int read_tags(Answer *answer, void *value) {
    CloudTrailTags *tags = value;
    size_t n_before = tags->n;
    int r;

    r = read_resources(answer, tags);
    if (r >= 0)
        r = answer_token(answer->root, &answer->next_token, answer->fault);
    if (r < 0)
        truncate_tags(tags, n_before);
    return r;
}

static int build_list_tags(const void *input, const char *token, char **ret) {
    return answer_request(json_pack("{s:[s],s:s*}", "ResourceIdList", input, "NextToken", token),
                          text_is_utf8(input) ? token : input, ret);
}

const AwsOperation cloudtrail_list_tags_operation = {
    CLOUDTRAIL_ROW(cloudtrail_list_tags, "ListTags"),
    .text_input = true,
    .pages_max = 20, /* more pages would have more tags than possible */
    .build = build_list_tags,
    .read = read_tags,
    .clear = clear_tags,
    .value_size = sizeof(CloudTrailTags),
};
