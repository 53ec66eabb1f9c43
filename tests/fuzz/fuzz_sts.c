/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the answers of the Query protocol that are read here: who we are, a role's session, and
 * what a message was numbered. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sns.h"
#include "lib/sts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    StsIdentity identity = { 0 };
    Credentials *session = NULL;
    char id[SNS_ID_MAX] = "";
    Arn arn;
    int r;

    r = operation_read(&sts_get_caller_identity_operation, (const char *)data, size, NULL, &identity);
    check(r == 0 || r == -EBADMSG);
    check(r < 0 || (strspn(identity.account, "0123456789") == 12 && strlen(identity.account) == 12));
    check(r < 0 || arn_parse(identity.arn, &arn) == 0);
    check(r == 0 || (!identity.account[0] && !identity.arn[0]));

    r = operation_read(&sts_assume_role_operation, (const char *)data, size, NULL, &session);
    check(r == 0 || r == -EBADMSG);
    check((r == 0) == (session != NULL));
    check(r < 0 || (session->access_key_id[0] && session->secret_access_key[0] &&
                    session->session_token[0] && session->expires_usec > 0));
    credentials_unref(session);

    r = operation_read(&sns_publish_operation, (const char *)data, size, NULL, id);
    check(r == 0 || r == -EBADMSG);
    check(r == 0 || !id[0]);    /* a message whose number cannot be read was taken, too */
    check(strlen(id) < SNS_ID_MAX);
    return 0;
}
