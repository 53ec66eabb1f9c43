/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/seal.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/hash.h"
#include "lib/util/macros.h"

/* The document ends with exactly this, so that what is hashed is found without reading JSON. */
#define HEAD ",\n\"checksum\": \"sha256:"
#define TAIL "\"}\n"

#define HEAD_LEN (sizeof(HEAD) - 1)
#define TAIL_LEN (sizeof(TAIL) - 1)
#define HEX_LEN  (HASH_HEX_SIZE - 1)
#define LEN      (HEAD_LEN + HEX_LEN + TAIL_LEN)

_Static_assert(LEN <= SEAL_SIZE, "SEAL_SIZE is too small");

/* Where the closing brace stands; 0: there is none. */
static size_t end_of_members(const char *text, size_t len) {
    while (len > 0 && strchr(" \t\r\n", text[len - 1]) && text[len - 1])
        len--;
    if (len < 2 || text[len - 1] != '}')
        return 0;
    len--;
    while (len > 0 && strchr(" \t\r\n", text[len - 1]) && text[len - 1])
        len--;
    return len;
}

int seal_add(char **text, size_t *len) {
    size_t end = end_of_members(*text, *len);
    char hex[HASH_HEX_SIZE], *sealed;
    int r;

    if (end == 0 || (*text)[end - 1] == '{')
        return -EINVAL;
    r = hash_sha256_hex(*text, end, hex);
    if (r < 0)
        return r;
    sealed = malloc(end + LEN + 1);
    if (!sealed)
        return -ENOMEM;
    memcpy(sealed, *text, end);
    (void)snprintf(sealed + end, LEN + 1, HEAD "%s" TAIL, hex);
    free(*text);
    *text = sealed;
    *len = end + LEN;
    return 0;
}

/* One changed byte spoils one of these at most. No document of ours has a member at the start of a line, or
 * ends so. */
static bool has_parts_of_one(const char *text, size_t len) {
    size_t size = MIN(len, 2 * LEN);

    if (memmem(text + len - size, size, &HEAD[1], strlen("\n\"checksum\"")))
        return true;
    return len > LEN && memcmp(text + len - TAIL_LEN, TAIL, TAIL_LEN) == 0 &&
           strspn(text + len - TAIL_LEN - HEX_LEN, "0123456789abcdef") == HEX_LEN;
}

int seal_check(const char *text, size_t len, char *reason, size_t reason_size) {
    char hex[HASH_HEX_SIZE];
    const char *seal;

    if (len < LEN)
        return 0;
    seal = text + len - LEN;
    if (memcmp(seal, HEAD, HEAD_LEN) != 0 || memcmp(text + len - TAIL_LEN, TAIL, TAIL_LEN) != 0) {
        if (!has_parts_of_one(text, len))
            return 0;
        (void)snprintf(reason, reason_size, "its checksum is not where it was written");
        return -EINVAL;
    }
    if (hash_sha256_hex(text, len - LEN, hex) < 0)
        return -EIO;
    if (memcmp(seal + HEAD_LEN, hex, HEX_LEN) == 0)
        return 0;
    (void)snprintf(reason, reason_size, "its checksum does not fit: it was changed since it was written");
    return -EINVAL;
}
