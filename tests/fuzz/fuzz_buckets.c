/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what S3 and KMS say of a trail's bucket and key. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/kms.h"
#include "lib/s3.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
    if (!holds)
        abort();
}

static void try_rules(const char *body, size_t len) {
    S3Rules rules = { 0 };
    int r;

    r = operation_read(&s3_get_lifecycle_operation, body, len, NULL, &rules);
    check(r == 0 || r == -EBADMSG || r == -E2BIG);
    check(r == 0 || (rules.n == 0 && !rules.items));
    check(rules.n <= S3_RULES_MAX);
    for (size_t i = 0; i < rules.n; i++)
        check(rules.items[i].id && rules.items[i].prefix);
    s3_rules_done(&rules);
}

/* What was read once reads the same again. */
static void try_policy(const char *body, size_t len) {
    char *text = NULL, *again = NULL;
    int r;

    r = operation_read(&s3_get_policy_operation, body, len, NULL, &text);
    check(r == 0 || r == -EBADMSG || r == -E2BIG);
    check((r == 0) == (text != NULL));
    if (text) {
        check(operation_read(&s3_get_policy_operation, text, strlen(text), NULL, &again) == 0);
        check(strcmp(text, again) == 0);
    }
    free(again);
    free(text);
}

static void try_key(const char *body, size_t len) {
    KmsKey key;
    int r;

    memset(&key, 0xaa, sizeof(key));
    r = operation_read(&kms_describe_key_operation, body, len, NULL, &key);
    check(r == 0 || r == -EBADMSG);
    if (r == 0) {
        check(memchr(key.state, '\0', sizeof(key.state)) != NULL && key.state[0]);
        check(key.enabled == (strcmp(key.state, "Enabled") == 0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    try_rules((const char *)data, size);
    try_policy((const char *)data, size);
    try_key((const char *)data, size);
    return 0;
}
