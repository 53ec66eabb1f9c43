/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as drill.json: what counts is an announcement of at most 15 min, about one trail, by one
 * caller. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/io/drill_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
    if (!holds)
        abort();
}

static int is_text(const char *s, size_t size) {
    return s[0] && memchr(s, 0, size) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    DrillFile file;
    char reason[256] = "";
    int r;

    (void)memset(&file, 0xa5, sizeof(file));
    r = drill_file_parse((const char *)data, size, &file, reason, sizeof(reason));
    check(r == 0 || (r == -EINVAL && reason[0] && !strchr(reason, '\n')));
    if (r < 0)
        return 0;
    check(!reason[0] && is_text(file.trail, sizeof(file.trail)));
    check(is_text(file.drill.identity, sizeof(file.drill.identity)));
    check(is_text(file.drill.nonce, sizeof(file.drill.nonce)) &&
          strlen(file.drill.nonce) == sizeof(file.drill.nonce) - 1);
    check(memchr(file.drill.tag, 0, sizeof(file.drill.tag)) != NULL);
    check(file.drill.from_usec > 0 && file.drill.until_usec > file.drill.from_usec);
    check(file.drill.until_usec - file.drill.from_usec <= DRILL_MAX_USEC &&
          file.drill.until_usec <= INT64_MAX);
    return 0;
}
