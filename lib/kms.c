/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kms.h"

#include "lib/util/macros.h"
#include "lib/util/text.h"

/* KeyMetadata has a member Enabled too, which says less: it is true only while KeyState is Enabled. */
static int read_key(Answer *answer, void *value) {
    static const AnswerField fields[] = {
        ANSWER_FIELD("KeyState", ANSWER_CHARS, true, KmsKey, state),
        ANSWER_FIELD("CustomKeyStoreId", ANSWER_CHARS, false, KmsKey, store),
    };
    KmsKey *key = value;
    int r;

    r = answer_fields(answer_member(answer->root, "KeyMetadata"), fields, ARRAY_SIZE(fields), key,
                      answer->fault);
    key->enabled = text_equal(key->state, "Enabled");
    return r < 0 ? answer_fault_in(answer->fault, r, "KeyMetadata: ") : 0;
}

const AwsOperation kms_describe_key_operation = {
    .service = AWS_KMS,
    .protocol = AWS_PROTOCOL_JSON,
    .name = "DescribeKey",
    .target = "TrentService.DescribeKey",
    .member = "KeyId",
    .read = read_key,
    .value_size = sizeof(KmsKey),
    .deliver = kms_describe_key_deliver,
};
