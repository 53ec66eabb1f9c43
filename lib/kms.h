/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AWS KMS, as far as the key that a trail encrypts with is looked at. Source: AWS KMS API Reference, DescribeKey;
 * AWS KMS Developer Guide, "Key states of AWS KMS keys". */

#include <stdbool.h>
#include <stdint.h>

#include "lib/typed_call.h"

typedef struct KmsKey {
    char state[32];         /* Enabled, Disabled, PendingDeletion, PendingImport, Unavailable, ...; raw */
    bool enabled;           /* state is Enabled: CloudTrail can encrypt with it */
    bool aws_managed;       /* KeyManager is AWS */
    char store[80];         /* CustomKeyStoreId: without it the key cannot be used; "" for most */
    uint64_t deletion_usec; /* when a key that is pending deletion will be gone; 0: it is not */
} KmsKey;

/* KeyMetadata and its KeyState must be there: -EBADMSG. -ENOMEM. Pure. */
int kms_read_key(const char *body, size_t len, KmsKey *ret);

/* {"KeyId":...}. The caller frees *ret. 0, -EINVAL (not UTF-8), -ENOMEM. Pure. */
int kms_build_describe_key(const char *key, char **ret);

/* key is NULL unless error->class is AWS_OK; valid inside the call only. */
typedef void (*KmsKeyDone)(const AwsError *error, const KmsKey *key, void *userdata);

typedef TypedCall KmsCall;

/* key is an ARN (of a key or an alias), region the one in it. A key that is gone is AWS_NOT_FOUND. done is called
 * exactly once, never from inside; 0, or -ENOMEM / -EINVAL and then never. ret may be NULL. */
int kms_describe_key(AwsClient *client, CredentialsSource *credentials, const char *region, const char *key,
                     KmsKeyDone done, void *userdata, KmsCall **ret);
/* NULL is fine. */
void kms_cancel(KmsCall *call);
