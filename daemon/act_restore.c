/* SPDX-License-Identifier: Apache-2.0 */
/* The steps that write settings. Each writes only what the settings to keep say: a field that is not known
 * there is never touched. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/act_private.h"
#include "daemon/event_configuration.h"
#include "daemon/unknown_members.h"
#include "lib/cloudtrail_write.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define QUOTA_CODE "MaximumNumberOfTrailsExceededException"

/* AWS takes the fields of a row only together. */
static const uint32_t together[] = {
    FIELD_BIT(FIELD_MULTI_REGION) | FIELD_BIT(FIELD_GLOBAL_EVENTS),
    FIELD_BIT(FIELD_LOG_GROUP) | FIELD_BIT(FIELD_LOG_ROLE),
};

static bool is_wanted(const Act *act, Field field) {
    return (act->fields & ~act->refused & FIELD_BIT(field)) && act->keep.values[field];
}

/* ---- UpdateTrail and CreateTrail ---- */

static const char *text_of(const Act *act, uint32_t fields, Field field) {
    return fields & FIELD_BIT(field) ? act->keep.values[field] : NULL;
}

static CloudTrailChoice choice_of(const Act *act, uint32_t fields, Field field) {
    const char *value = text_of(act, fields, field);

    if (!value)
        return CLOUDTRAIL_LEAVE;
    return text_equal(value, "true") ? CLOUDTRAIL_ON : CLOUDTRAIL_OFF;
}

static CloudTrailChanges changes_of(const Act *act, uint32_t fields) {
    return (CloudTrailChanges){
        .bucket = text_of(act, fields, FIELD_BUCKET),
        .prefix = text_of(act, fields, FIELD_PREFIX),
        .sns_topic = text_of(act, fields, FIELD_SNS_TOPIC),
        .log_group = text_of(act, fields, FIELD_LOG_GROUP),
        .log_role = text_of(act, fields, FIELD_LOG_ROLE),
        .kms_key = text_of(act, fields, FIELD_KMS_KEY),
        .multi_region = choice_of(act, fields, FIELD_MULTI_REGION),
        .global_events = choice_of(act, fields, FIELD_GLOBAL_EVENTS),
        .validation = choice_of(act, fields, FIELD_VALIDATION),
        .organization = choice_of(act, fields, FIELD_ORGANIZATION),
        .recursive = choice_of(act, fields, FIELD_RECURSIVE),
    };
}

void act_update_trail(Act *act) {
    uint32_t fields = act->fields & ~act->refused & FIELDS_TRAIL;
    CloudTrailChanges changes;

    if (fields == 0) {
        act_next(act);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(together); i++)
        if (fields & together[i])
            fields |= together[i] & ~act->refused;
    act->asked = fields;
    changes = changes_of(act, fields);
    act_started(act, "UpdateTrail",
                cloudtrail_update_trail(act->aws, act->credentials, act->region, act->arn, &changes,
                                        act_written, act, &act->call));
}

/* ---- tags ---- */

static int add_tag(CloudTrailTags *tags, const char *key, const char *value) {
    CloudTrailTag *grown = realloc(tags->items, (tags->n + 1) * sizeof(*grown));

    if (!grown)
        return -ENOMEM;
    tags->items = grown;
    tags->items[tags->n] = (CloudTrailTag){ .key = strdup(key), .value = strdup(value) };
    tags->n++;
    return tags->items[tags->n - 1].key && tags->items[tags->n - 1].value ? 0 : -ENOMEM;
}

/* Of `in` those that are not in `out`; with_value: or have another value there. AWS's own are left alone. */
static int tags_missing(const char *in, const char *out, bool with_value, CloudTrailTags *ret) {
    json_auto_t *a = json_loads(in ? in : "{}", 0, NULL), *b = json_loads(out ? out : "{}", 0, NULL);
    const char *key;
    json_t *value;
    int r = a && b ? 0 : -EINVAL;

    json_object_foreach(a, key, value) {
        const json_t *other = json_object_get(b, key);

        if (r >= 0 && !text_starts_with(key, "aws:") &&
            (!other || (with_value && !json_equal(value, other))))
            r = add_tag(ret, key, json_string_value(value) ? json_string_value(value) : "");
    }
    return r;
}

typedef int (*WriteTags)(AwsClient *client, CredentialsSource *credentials, const char *region,
                         const char *arn, const CloudTrailTags *tags, CloudTrailDone done, void *userdata,
                         CloudTrailCall **ret);

static void write_tags(Act *act, const char *operation, WriteTags write, const char *in, const char *out,
                       bool with_value) {
    CloudTrailTags tags = { 0 };
    int r;

    if (!is_wanted(act, FIELD_TAGS)) {
        act_next(act);
        return;
    }
    r = tags_missing(in, out, with_value, &tags);
    act->asked = FIELD_BIT(FIELD_TAGS);
    if (r >= 0 && tags.n == 0)
        act_next(act);
    else
        act_started(act, operation,
                    r < 0 ? r
                          : write(act->aws, act->credentials, act->region, act->arn, &tags, act_written, act,
                                  &act->call));
    cloudtrail_tags_done(&tags);
}

void act_remove_tags(Act *act) {
    write_tags(act, "RemoveTags", cloudtrail_remove_tags, act->found.values[FIELD_TAGS],
               act->keep.values[FIELD_TAGS], false);
}

void act_add_tags(Act *act) {
    write_tags(act, "AddTags", cloudtrail_add_tags, act->keep.values[FIELD_TAGS],
               act->found.values[FIELD_TAGS], true);
}

/* Into a bucket that is gone nothing can be written, and whoever takes its name gets the log files. What cannot be
 * found out, such as whose a bucket is to which the guard has no rights, does not hold the recording up. */
static void bucket_seen(const AwsError *error, const char *region, void *userdata) {
    Act *act = userdata;
    char text[ERROR_TEXT_MAX];

    (void)region;
    act->bucket_call = NULL;
    if (error->class != AWS_NOT_FOUND) {
        act_next(act);
        return;
    }
    (void)snprintf(text, sizeof(text), "the bucket %.100s is gone", act->keep.values[FIELD_BUCKET]);
    act_fail(act, text);
}

void act_look_at_bucket(Act *act) {
    if (!act->looks_at_bucket || !act->keep.values[FIELD_BUCKET] || !act->keep.values[FIELD_BUCKET][0]) {
        act_next(act);
        return;
    }
    act->operation = "HeadBucket";
    if (s3_head_bucket(act->aws, act->credentials, act->region, act->keep.values[FIELD_BUCKET], NULL,
                       bucket_seen, act, &act->bucket_call) < 0)
        act_next(act);
}

/* Those who have taken the places of a region, as AWS lists them: trails that live elsewhere take a place in each
 * region that they cover (AWS CloudTrail User Guide, "Quotas"). */
static void squatters_listed(const AwsError *error, const CloudTrailTrails *trails, void *userdata) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(ERROR_TEXT_MAX);
    Act *act = userdata;
    bool first = true;

    act->call = NULL;
    for (size_t i = 0; error->class == AWS_OK && i < trails->n; i++) {
        const CloudTrailTrail *trail = &trails->items[i];

        (void)strbuf_addf(&b, "%s%s", first ? "its place is taken by " : ", ", trail->name);
        if (!text_equal(trail->home_region, act->region))
            (void)strbuf_addf(&b, " (of %s)", trail->home_region[0] ? trail->home_region : "another region");
        first = false;
    }
    if (!first)
        aws_error_change(&act->quota, act->quota.class, QUOTA_CODE, "%s", strbuf_str(&b));
    act_fail_by(act, &act->quota);
}

/* The trails that fill the quota are what somebody has to look at now. */
static void created(const AwsError *error, void *userdata) {
    Act *act = userdata;

    if (!text_equal(error->code, QUOTA_CODE)) {
        act_written(error, userdata);
        return;
    }
    act->call = NULL;
    act->quota = *error;
    if (cloudtrail_describe_trails(act->aws, act->credentials, act->region, squatters_listed, act,
                                   &act->call) < 0)
        act_fail_by(act, error);
}

void act_create_trail(Act *act) {
    uint32_t fields = FIELDS_TRAIL & ~act->refused;
    CloudTrailTags tags = { 0 };
    CloudTrailChanges settings = changes_of(act, fields);
    int r = tags_missing(act->keep.values[FIELD_TAGS], NULL, true, &tags);

    act->asked = act->fields & fields;
    if (r >= 0)
        r = cloudtrail_create_trail(act->aws, act->credentials, act->region, act->name, &settings, &tags,
                                    created, act, &act->call);
    cloudtrail_tags_done(&tags);
    act_started(act, "CreateTrail", r);
}

/* ---- selectors ---- */

/* Members that this version does not know go back as they were recorded; what AWS shows and nobody has recorded yet
 * stays as it is. */
static int complete(Act *act, Field field, json_t *value) {
    _cleanup_strbuf_ StrBuf names = STRBUF_INIT(CLOUDTRAIL_SELECTORS_MAX);
    const char *shown = act->action == ACTION_RECREATE ? NULL : act->found.values[field];
    json_t *found;
    int r;

    if (act->known_only) {
        r = unknown_members_drop(field, value);
        return r < 0 ? r : 0;
    }
    found = shown ? json_loads(shown, 0, NULL) : NULL;
    r = found ? unknown_members_fill(field, value, found) : 0;
    json_decref(found);
    if (r >= 0)
        r = unknown_members_added(field, NULL, value, &names);
    act->wrote_unknown = r > 0;
    return r < 0 ? r : 0;
}

static int completed_text(Act *act, Field field, const char *text, char **ret) {
    json_auto_t *value = json_loads(text, 0, NULL);
    int r = value ? complete(act, field, value) : -EINVAL;

    if (r >= 0)
        *ret = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
    return r >= 0 && !*ret ? -ENOMEM : r;
}

/* The array that is the text's one member, as text. */
static int array_of(const json_t *object, const char *name, char **ret) {
    const json_t *array = json_object_get(object, name);

    if (json_array_size(array) == 0)
        return 0;
    *ret = json_dumps(array, JSON_COMPACT);
    return *ret ? 0 : -ENOMEM;
}

void act_put_event_selectors(Act *act) {
    json_t *object;
    CloudTrailSelectors selectors = { 0 };
    int r;

    if (!is_wanted(act, FIELD_SELECTORS)) {
        act_next(act);
        return;
    }
    act->asked = FIELD_BIT(FIELD_SELECTORS);
    object = json_loads(act->keep.values[FIELD_SELECTORS], 0, NULL);
    r = object ? complete(act, FIELD_SELECTORS, object) : -EINVAL;
    if (r >= 0)
        r = array_of(object, "EventSelectors", &selectors.event_selectors);
    if (r >= 0)
        r = array_of(object, "AdvancedEventSelectors", &selectors.advanced_event_selectors);
    if (r >= 0)
        r = cloudtrail_put_event_selectors(act->aws, act->credentials, act->region, act->arn, &selectors,
                                           act_written, act, &act->call);
    cloudtrail_selectors_done(&selectors);
    json_decref(object);
    act_started(act, "PutEventSelectors", r);
}

void act_put_insight_selectors(Act *act) {
    const char *keep = act->keep.values[FIELD_INSIGHTS];
    _cleanup_free_ char *text = NULL;
    int r;

    /* a new trail has none */
    if (!is_wanted(act, FIELD_INSIGHTS) || (act->action == ACTION_RECREATE && text_equal(keep, "[]"))) {
        act_next(act);
        return;
    }
    act->asked = FIELD_BIT(FIELD_INSIGHTS);
    r = completed_text(act, FIELD_INSIGHTS, keep[0] ? keep : "[]", &text);
    if (r >= 0)
        r = cloudtrail_put_insight_selectors(act->aws, act->credentials, act->region, act->arn, text, act_written,
                                             act, &act->call);
    act_started(act, "PutInsightSelectors", r);
}

void act_put_event_configuration(Act *act) {
    const char *found = act->action == ACTION_RECREATE ? NULL : act->found.values[FIELD_CONFIGURATION];
    _cleanup_free_ char *members = NULL, *text = NULL;
    int r = 0;

    if (is_wanted(act, FIELD_CONFIGURATION))
        r = event_configuration_to_write(act->keep.values[FIELD_CONFIGURATION], found, &members);
    if (r >= 0 && !members) {
        act_next(act);
        return;
    }
    act->asked = FIELD_BIT(FIELD_CONFIGURATION);
    if (r >= 0)
        r = completed_text(act, FIELD_CONFIGURATION, members, &text);
    if (r >= 0)
        r = cloudtrail_put_event_configuration(act->aws, act->credentials, act->region, act->arn, text,
                                               act_written, act, &act->call);
    act_started(act, "PutEventConfiguration", r);
}
