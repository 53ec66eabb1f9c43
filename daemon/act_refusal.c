/* SPDX-License-Identifier: Apache-2.0 */
/* What AWS will not take keeps nothing else from being written: whoever disables the trail's key, or spoils its
 * bucket's policy, must not hold up the rest with it. */
#include <stdio.h>

#include "daemon/act_private.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define BUCKET (FIELD_BIT(FIELD_BUCKET) | FIELD_BIT(FIELD_PREFIX))
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

static uint32_t fields_at_fault(const char *code) {
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
        if (text_equal(faults[i].code, code))
            return faults[i].fields;
    return 0;
}

/* An answer about what was written, not about whether AWS can be reached or the trail is there. */
static bool is_no(const AwsError *error) {
    return error->class == AWS_DENIED || error->class == AWS_REFUSED || error->class == AWS_INVALID;
}

bool act_leave_out(Act *act, const AwsError *error) {
    uint32_t fault = fields_at_fault(error->code) & act->asked;
    bool some = fault != 0 && fault != act->asked;

    if (act->asked == 0 || !is_no(error))
        return false;
    if (act->wrote_unknown && !act->known_only && error->class != AWS_DENIED) {
        act->known_only = true;
        (*act->step)(act);
        return true;
    }
    /* a trail needs a bucket, and whose that is matters */
    if (*act->step == act_create_trail && (!some || (fault & BUCKET)))
        return false;
    if (act->refused == 0) {
        (void)aws_error_text(error, act->operation, act->refusal, sizeof(act->refusal));
        (void)text_copy(act->outcome.error_code, sizeof(act->outcome.error_code), error->code);
    }
    act->refused |= some ? fault : act->asked;
    if (some)
        (*act->step)(act);
    else
        act_next(act);
    return true;
}
