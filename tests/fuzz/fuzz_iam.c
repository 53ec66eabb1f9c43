/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as IAM's answers about the guard's own users, roles and rights, and about those who are
 * contained. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/iam.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
    if (!holds)
        abort();
}

static void check_principal(const AwsOperation *operation, const char *kind, const char *text, size_t size) {
    IamPrincipal principal = { 0 };
    int r = operation_read(operation, text, size, NULL, &principal);
    Arn arn;

    check(r == 0 || r == -EBADMSG);
    if (r < 0) {
        check(!principal.arn && !principal.trust && !principal.boundary);
        return;
    }
    check(arn_parse(principal.arn, &arn) == 0 && strncmp(arn.resource, kind, strlen(kind)) == 0);
    check(principal.trust && principal.boundary);
    operation->clear(&principal);
}

static void check_list(const AwsOperation *operation, const char *text, size_t size) {
    IamList list = { 0 };
    int r = operation_read(operation, text, size, NULL, &list);

    check(r == 0 || r == -EBADMSG || r == -E2BIG);
    check(list.n <= IAM_LIST_MAX && (r == 0 || list.n == 0));
    for (size_t i = 0; i < list.n; i++)
        check(list.items[i].name[0] && memchr(list.items[i].name, 0, sizeof(list.items[i].name)));
    operation->clear(&list);
}

static void check_document(const AwsOperation *operation, const char *text, size_t size) {
    char *document = NULL;
    int r = operation_read(operation, text, size, NULL, &document);

    check(r == 0 || r == -EBADMSG);
    check((r == 0) == (document != NULL));
    free(document);
}

static void check_simulation(const char *text, size_t size) {
    IamSimulation simulation = { 0 };
    int r = operation_read(&iam_simulate_principal_policy_operation, text, size, NULL, &simulation);

    check(r == 0 || r == -EBADMSG || r == -E2BIG);
    check(simulation.n <= IAM_SIMULATED_MAX && (r == 0 || simulation.n == 0));
    for (size_t i = 0; i < simulation.n; i++) {
        const IamSimulated *one = &simulation.items[i];

        check(one->action[0] && one->resource[0] && one->decision <= IAM_DENIED);
        check(one->decision == IAM_ALLOWED || iam_why_not(one)[0]);
    }
    iam_simulation_done(&simulation);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const AwsOperation *const lists[] = {
        &iam_list_attached_role_policies_operation, &iam_list_attached_user_policies_operation,
        &iam_list_role_policies_operation,          &iam_list_user_policies_operation,
        &iam_list_access_keys_operation,
    };
    const char *text = (const char *)data;
    IamManaged policy = { 0 };
    int r;

    check_principal(&iam_get_role_operation, "role/", text, size);
    check_principal(&iam_get_user_operation, "user/", text, size);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        check_list(lists[i], text, size);
    check_document(&iam_get_user_policy_operation, text, size);
    check_document(&iam_get_role_policy_operation, text, size);
    check_simulation(text, size);
    r = operation_read(&iam_get_policy_operation, text, size, NULL, &policy);
    check(r == 0 || r == -EBADMSG);
    check(r < 0 || (policy.id[0] && policy.version[0]));
    return 0;
}
