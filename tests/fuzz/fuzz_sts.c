/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the answers of the Query protocol that are read here: who we are, a role's session, what a
 * message was numbered, and what someone may do. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/iam.h"
#include "lib/iam_policy.h"
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
    IamSimulation simulation = { 0 };
    char id[64] = "", *document = NULL;
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
    check((r == 0) == (id[0] != '\0'));

    r = operation_read(&iam_simulate_principal_policy_operation, (const char *)data, size, NULL,
                       &simulation);
    check(r == 0 || r == -EBADMSG || r == -E2BIG);
    check(simulation.n <= IAM_SIMULATED_MAX && (r == 0 || simulation.n == 0));
    for (size_t i = 0; i < simulation.n; i++)
        check(simulation.items[i].action[0] != '\0' && simulation.items[i].resource[0] != '\0');
    iam_simulation_done(&simulation);

    r = operation_read(&iam_get_role_policy_operation, (const char *)data, size, NULL, &document);
    check(r == 0 || r == -EBADMSG);
    check((r == 0) == (document != NULL));
    free(document);
    return 0;
}
