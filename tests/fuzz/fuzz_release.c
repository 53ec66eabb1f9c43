/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as release.json: what counts names one user or role, and who wants it back. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/io/release_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
    if (!holds)
        abort();
}

static int is_text(const char *s, size_t size) {
    return s[0] && memchr(s, 0, size) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ReleaseFile file, before;
    char reason[256] = "";
    int r;

    (void)memset(&file, 0xa5, sizeof(file));
    before = file;
    r = release_file_parse((const char *)data, size, &file, reason, sizeof(reason));
    check(r == 0 || (r == -EINVAL && reason[0] && !strchr(reason, '\n')));
    if (r < 0) {
        check(memcmp(&file, &before, sizeof(file)) == 0);
        return 0;
    }
    check(!reason[0] && is_text(file.arn, sizeof(file.arn)) && is_text(file.by, sizeof(file.by)));
    return 0;
}
