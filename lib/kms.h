/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AWS KMS, as far as the key that a trail encrypts with is looked at. Source: AWS KMS API Reference,
 * DescribeKey; AWS KMS Developer Guide, "Key states of AWS KMS keys". */

#include <stdbool.h>
#include <stdint.h>

#include "lib/operation.h"

typedef struct KmsKey {
    char state[32];         /* Enabled, Disabled, PendingDeletion, PendingImport, Unavailable, ...; raw */
    bool enabled;           /* state is Enabled: CloudTrail can encrypt with it */
    char store[80];         /* CustomKeyStoreId: without it the key cannot be used; "" for most */
} KmsKey;

/* The input is an ARN (of a key or an alias), the region the one in it. A key that is gone is AWS_NOT_FOUND.
 * KeyMetadata and its KeyState must be there. */
DECLARE_OPERATION(kms_describe_key, char, const KmsKey);
