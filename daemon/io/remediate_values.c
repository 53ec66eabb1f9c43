/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/remediate_values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/unknown_members.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define BUCKET REMEDIATE_BUCKET_FIELDS
#define LOGS   (FIELD_BIT(FIELD_LOG_GROUP) | FIELD_BIT(FIELD_LOG_ROLE))

/* Which fields an error is about (CloudTrail API Reference, UpdateTrail and CreateTrail, "Errors"). */
static const struct {
    const char *code;
    uint32_t fields;
} faults[] = {
    { "S3BucketDoesNotExistException", BUCKET },
    { "InsufficientS3BucketPolicyException", BUCKET },
    { "InvalidS3BucketNameException", BUCKET },
    { "InvalidS3PrefixException", FIELD_BIT(FIELD_PREFIX) },
    { "InsufficientEncryptionPolicyException", FIELD_BIT(FIELD_KMS_KEY) },
    { "InvalidKmsKeyIdException", FIELD_BIT(FIELD_KMS_KEY) },
    { "KmsException", FIELD_BIT(FIELD_KMS_KEY) },
    { "KmsKeyDisabledException", FIELD_BIT(FIELD_KMS_KEY) },
    { "KmsKeyNotFoundException", FIELD_BIT(FIELD_KMS_KEY) },
    { "InsufficientSnsTopicPolicyException", FIELD_BIT(FIELD_SNS_TOPIC) },
    { "InvalidSnsTopicNameException", FIELD_BIT(FIELD_SNS_TOPIC) },
    { "CloudWatchLogsDeliveryUnavailableException", LOGS },
    { "InvalidCloudWatchLogsLogGroupArnException", LOGS },
    { "InvalidCloudWatchLogsRoleArnException", LOGS },
    { "CloudTrailAccessNotEnabledException", FIELD_BIT(FIELD_ORGANIZATION) },
    { "NotOrganizationManagementAccountException", FIELD_BIT(FIELD_ORGANIZATION) },
    { "NotOrganizationMasterAccountException", FIELD_BIT(FIELD_ORGANIZATION) },
    { "OrganizationNotInAllFeaturesModeException", FIELD_BIT(FIELD_ORGANIZATION) },
    { "OrganizationsNotInUseException", FIELD_BIT(FIELD_ORGANIZATION) },
};

uint32_t remediate_fields_at_fault(const char *code) {
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
        if (text_equal(faults[i].code, code))
            return faults[i].fields;
    return 0;
}

static const char *text_of(const Settings *desired, uint32_t fields, Field field) {
    return fields & FIELD_BIT(field) ? desired->values[field] : NULL;
}

static CloudTrailChoice choice_of(const Settings *desired, uint32_t fields, Field field) {
    const char *value = text_of(desired, fields, field);

    if (!value)
        return CLOUDTRAIL_LEAVE;
    return text_equal(value, "true") ? CLOUDTRAIL_ON : CLOUDTRAIL_OFF;
}

CloudTrailChanges remediate_changes(const Settings *desired, uint32_t fields) {
    return (CloudTrailChanges){
        .bucket = text_of(desired, fields, FIELD_BUCKET),
        .prefix = text_of(desired, fields, FIELD_PREFIX),
        .sns_topic = text_of(desired, fields, FIELD_SNS_TOPIC),
        .log_group = text_of(desired, fields, FIELD_LOG_GROUP),
        .log_role = text_of(desired, fields, FIELD_LOG_ROLE),
        .kms_key = text_of(desired, fields, FIELD_KMS_KEY),
        .multi_region = choice_of(desired, fields, FIELD_MULTI_REGION),
        .global_events = choice_of(desired, fields, FIELD_GLOBAL_EVENTS),
        .validation = choice_of(desired, fields, FIELD_VALIDATION),
        .organization = choice_of(desired, fields, FIELD_ORGANIZATION),
        .recursive = choice_of(desired, fields, FIELD_RECURSIVE),
    };
}

static int add_tag(CloudTrailTags *tags, const char *key, const char *value) {
    CloudTrailTag *grown = realloc(tags->items, (tags->n + 1) * sizeof(*grown));

    if (!grown)
        return -ENOMEM;
    tags->items = grown;
    tags->items[tags->n] = (CloudTrailTag){ .key = strdup(key), .value = strdup(value) };
    tags->n++;
    return tags->items[tags->n - 1].key && tags->items[tags->n - 1].value ? 0 : -ENOMEM;
}

int remediate_missing_tags(const char *in, const char *out, bool with_value, CloudTrailTags *ret) {
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

int remediate_complete(Field field, const char *actual, bool known_only, json_t *value) {
    _cleanup_strbuf_ StrBuf names = STRBUF_INIT(CLOUDTRAIL_SELECTORS_MAX);
    json_t *there;
    int r;

    if (known_only) {
        r = unknown_members_drop(field, value);
        return r < 0 ? r : 0;
    }
    there = actual ? json_loads(actual, 0, NULL) : NULL;
    r = there ? unknown_members_fill(field, value, there) : 0;
    json_decref(there);
    if (r < 0)
        return r;
    r = unknown_members_added(field, NULL, value, &names);
    return r < 0 ? r : r > 0;
}

int remediate_array_text(const json_t *object, const char *name, char **ret) {
    const json_t *array = json_object_get(object, name);

    if (json_array_size(array) == 0)
        return 0;
    *ret = json_dumps(array, JSON_COMPACT);
    return *ret ? 0 : -ENOMEM;
}
