/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kms.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "lib/answer.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define TARGET "TrentService.DescribeKey"

/* ---- building and reading ---- */

int kms_build_describe_key(const char *key, char **ret) {
    return answer_request(json_pack("{s:s}", "KeyId", key), ret);
}

/* KeyMetadata has a member Enabled too, which says less: it is true only while KeyState is Enabled. */
static int read_metadata(const json_t *metadata, KmsKey *key) {
    const char *state, *manager, *store;
    int r;

    r = answer_text(metadata, "KeyState", &state);
    if (r >= 0)
        r = answer_text(metadata, "KeyManager", &manager);
    if (r >= 0)
        r = answer_text(metadata, "CustomKeyStoreId", &store);
    if (r >= 0)
        r = answer_time(metadata, "DeletionDate", &key->deletion_usec);
    if (r < 0 || !*state)
        return -EBADMSG;
    (void) text_copy(key->state, sizeof(key->state), state);
    (void) text_copy(key->store, sizeof(key->store), store);
    key->enabled = strcmp(state, "Enabled") == 0;
    key->aws_managed = strcmp(manager, "AWS") == 0;
    return 0;
}

int kms_read_key(const char *body, size_t len, KmsKey *ret) {
    KmsKey key = { 0 };
    json_t *root;
    int r;

    r = answer_load(body, len, &root);
    if (r < 0)
        return r;
    r = read_metadata(answer_member(root, "KeyMetadata"), &key);
    json_decref(root);
    if (r >= 0)
        *ret = key;
    return r;
}

/* ---- the call ---- */

static void finish(const TypedCall *call, const AwsReply *reply) {
    AwsError error;
    KmsKey key;
    int r = 0;

    if (reply->error.class == AWS_OK)
        r = kms_read_key(reply->body, reply->body_len, &key);
    error = typed_call_error(reply, r, "KMS");
    ((KmsKeyDone)call->done)(&error, error.class == AWS_OK ? &key : NULL, call->userdata);
}

int kms_describe_key(AwsClient *client, CredentialsSource *credentials, const char *region, const char *key,
                     KmsKeyDone done, void *userdata, KmsCall **ret) {
    static const TypedOperation operation = { .finish = finish };
    const TypedCall template = { .operation = &operation, .done = (TypedDone)done, .userdata = userdata };
    _cleanup_free_ char *body = NULL;
    int r;

    r = kms_build_describe_key(key, &body);
    if (r < 0)
        return r;
    return typed_call(client, credentials,
                      &(AwsRequest){
                              .service = AWS_KMS,
                              .region = region,
                              .protocol = AWS_PROTOCOL_JSON,
                              .target = TARGET,
                              .body = body,
                              .body_len = strlen(body),
                      },
                      &template, ret);
}

void kms_cancel(KmsCall *call) {
    typed_call_cancel(call);
}
