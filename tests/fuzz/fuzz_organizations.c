/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an answer of Organizations: the reader says no and changes nothing, or keeps the promises of
 * organizations.h. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/organizations.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
    if (!holds)
        abort();
}

static int is_id(const char *s) {
    return strlen(s) == 12 && strspn(s, "0123456789") == 12;
}

static void try_page(const char *body, size_t len) {
    OrganizationsAccounts accounts = { 0 };
    char *token = NULL;
    size_t n;
    int r;

    r = operation_read_page(&organizations_list_accounts_operation,
                            &(AwsReply){ .body = body, .body_len = len }, NULL, &accounts, &token, NULL);
    check(r == 0 || r == -EBADMSG || r == -E2BIG);
    check(r == 0 || (accounts.n == 0 && !token));
    check(!token || token[0]);
    for (size_t i = 0; i < accounts.n; i++) {
        check(is_id(accounts.items[i].id));
        check(memchr(accounts.items[i].name, '\0', sizeof(accounts.items[i].name)) != NULL);
        check(accounts.items[i].state < _ORGANIZATIONS_STATE_MAX);
    }
    free(token);
    token = NULL;
    n = accounts.n;
    /* A second page is appended. */
    r = operation_read_page(&organizations_list_accounts_operation,
                            &(AwsReply){ .body = body, .body_len = len }, NULL, &accounts, &token, NULL);
    check(accounts.n == (r == 0 ? 2 * n : n));
    free(token);
    organizations_accounts_done(&accounts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    try_page((const char *)data, size);
    return 0;
}
