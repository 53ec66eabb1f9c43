/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what Account Management says of a region. */
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char status[ACCOUNT_STATUS_MAX];
    int r;

    memset(status, 0xaa, sizeof(status));
    r = operation_read(&account_get_region_status_operation, (const char *)data, size, "ap-east-1", status);
    check(r == 0 || r == -EBADMSG);
    if (r == 0)
        check(memchr(status, '\0', sizeof(status)) != NULL && status[0]);
    return 0;
}
