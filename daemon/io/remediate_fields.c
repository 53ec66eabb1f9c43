/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/remediate_fields.h"

#include "lib/util/macros.h"
#include "lib/util/text.h"

#define LOGS         (FIELD_BIT(FIELD_LOG_GROUP) | FIELD_BIT(FIELD_LOG_ROLE))
#define SCOPE        (FIELD_BIT(FIELD_MULTI_REGION) | FIELD_BIT(FIELD_GLOBAL_EVENTS))
#define ORGANIZATION FIELD_BIT(FIELD_ORGANIZATION)
#define KEY          FIELD_BIT(FIELD_KMS_KEY)
#define TOPIC        FIELD_BIT(FIELD_SNS_TOPIC)

/* The fields that an error is about (CloudTrail API Reference, UpdateTrail and CreateTrail, "Errors"), the
 * most likely first: some have two rows. */
static const struct {
    const char *code;
    uint32_t fields;
} faults[] = {
    { "S3BucketDoesNotExistException", REMEDIATE_BUCKET },
    { "InsufficientS3BucketPolicyException", REMEDIATE_BUCKET },
    { "InvalidS3BucketNameException", REMEDIATE_BUCKET },
    { "InvalidS3PrefixException", FIELD_BIT(FIELD_PREFIX) },
    { "InsufficientEncryptionPolicyException", KEY },
    { "InsufficientEncryptionPolicyException", REMEDIATE_BUCKET },
    { "InvalidKmsKeyIdException", KEY },
    { "KmsException", KEY },
    { "KmsKeyDisabledException", KEY },
    { "KmsKeyNotFoundException", KEY },
    { "KmsKeyNotFoundException", TOPIC }, /* the topic's own key */
    { "InsufficientSnsTopicPolicyException", TOPIC },
    { "InvalidSnsTopicNameException", TOPIC },
    { "CloudTrailInvalidClientTokenIdException", TOPIC }, /* its account is suspended */
    { "CloudWatchLogsDeliveryUnavailableException", LOGS },
    { "InvalidCloudWatchLogsLogGroupArnException", LOGS },
    { "InvalidCloudWatchLogsRoleArnException", LOGS },
    { "CloudTrailAccessNotEnabledException", ORGANIZATION },
    { "InsufficientDependencyServiceAccessPermissionException", ORGANIZATION },
    { "NoManagementAccountSLRExistsException", ORGANIZATION },
    { "NotOrganizationManagementAccountException", ORGANIZATION },
    { "NotOrganizationMasterAccountException", ORGANIZATION },
    { "OrganizationNotInAllFeaturesModeException", ORGANIZATION },
    { "OrganizationsNotInUseException", ORGANIZATION },
    { "InvalidTagParameterException", FIELD_BIT(FIELD_TAGS) },
    { "TagsLimitExceededException", FIELD_BIT(FIELD_TAGS) },
};

/* Additional rights that a part of a call needs. */
static const struct {
    const char *action;
    uint32_t fields;
} rights[] = {
    { "iam:PassRole", LOGS },
    { "cloudtrail:AddTags", FIELD_BIT(FIELD_TAGS) },
};

/* AWS accepts the fields of a row only together; the part with the greatest loss is written first. */
static const uint32_t parts[] = {
    REMEDIATE_BUCKET,
    SCOPE,
    ORGANIZATION,
    FIELD_BIT(FIELD_RECURSIVE),
    FIELD_BIT(FIELD_VALIDATION),
    LOGS,
    KEY,
    TOPIC,
};
_Static_assert((REMEDIATE_BUCKET | SCOPE | ORGANIZATION | FIELD_BIT(FIELD_RECURSIVE) |
                FIELD_BIT(FIELD_VALIDATION) | LOGS | KEY | TOPIC) == FIELDS_TRAIL,
               "each field is in a part");

static uint32_t fields_of_right(const AwsError *error) {
    char action[AWS_ACTION_MAX], resource[AWS_RESOURCE_MAX];

    if (!aws_error_denied_action(error, action, resource))
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(rights); i++)
        if (text_equal(rights[i].action, action))
            return rights[i].fields;
    return 0;
}

uint32_t remediate_fault(const AwsError *error, uint32_t asked, bool *ret_sure) {
    uint32_t fields = fields_of_right(error) & asked;
    unsigned n_rows = fields != 0;

    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        if (!text_equal(faults[i].code, error->code) || !(faults[i].fields & asked))
            continue;
        if (n_rows++ == 0)
            fields = faults[i].fields & asked;
    }
    *ret_sure = n_rows == 1;
    return fields;
}

uint32_t remediate_first_part(uint32_t fields) {
    uint32_t part = 0;

    for (size_t i = 0; part == 0 && i < ARRAY_SIZE(parts); i++)
        part = fields & parts[i];
    return part;
}

uint32_t remediate_with_partners(uint32_t fields) {
    const uint32_t together[] = { SCOPE, LOGS };

    for (size_t i = 0; i < ARRAY_SIZE(together); i++)
        fields |= fields & together[i] ? together[i] : 0;
    return fields;
}

bool remediate_may_take_parts(const AwsError *error) {
    char action[AWS_ACTION_MAX], resource[AWS_RESOURCE_MAX];

    if (error->class == AWS_DENIED)
        return aws_error_denied_action(error, action, resource) &&
               !text_equal(action, "cloudtrail:UpdateTrail");
    return error->code[0] != '\0';
}
