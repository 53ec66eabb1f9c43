/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/sealed.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/timetext.h"

/* The document ends with exactly this, so that the hashed part is found without parsing JSON. */
#define HEAD ",\n\"checksum\": \"sha256:"
#define TAIL "\"}\n"

#define HEAD_LEN (sizeof(HEAD) - 1)
#define TAIL_LEN (sizeof(TAIL) - 1)
#define HEX_LEN  (HASH_HEX_SIZE - 1)
#define LEN      (HEAD_LEN + HEX_LEN + TAIL_LEN)

_Static_assert(LEN <= SEAL_SIZE, "SEAL_SIZE is too small");

/* Returns the position of the closing brace, or 0. */
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

/* A single changed byte spoils at most one of these parts. No document of ours has a member at the start of
 * a line or ends like this. */
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

int sealed_read(int dir_fd, const char *name, size_t max, char **ret, size_t *ret_len, char *reason,
                size_t reason_size) {
    int r;

    reason[0] = '\0';
    r = file_read_at(dir_fd, name, max + SEAL_SIZE, ret, ret_len);
    return r < 0 ? r : seal_check(*ret, *ret_len, reason, reason_size);
}

/* ---- damaged files ---- */

#define NAMES_MAX 1000 /* damaged files per second */

static const char *name_in(const char *path) {
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Finds a free name. *ret is the new path. */
static int rename_damaged(int dir_fd, const char *path, uint64_t now_real_usec, char **ret) {
    char stamp[TIMETEXT_MAX];
    int r = -EEXIST;

    (void)timetext_amz(stamp, now_real_usec);
    for (unsigned i = 0; r == -EEXIST && i < NAMES_MAX; i++) {
        _cleanup_free_ char *to = NULL;

        if ((i == 0 ? asprintf(&to, "%s.damaged-%s", path, stamp)
                    : asprintf(&to, "%s.damaged-%s.%u", path, stamp, i)) < 0) {
            to = NULL;
            return -ENOMEM;
        }
        r = file_rename_new_at(dir_fd, name_in(path), dir_fd, name_in(to));
        if (r >= 0)
            *ret = TAKE_PTR(to);
    }
    return r;
}

const char *damage_of(int r, const char *reason, size_t max, char words[static DAMAGE_MAX]) {
    if (r == -ENOMEM || (!reason[0] && r != -EINVAL && r != -E2BIG))
        return NULL;
    if (reason[0])
        return reason;
    if (r == -E2BIG)
        (void)snprintf(words, DAMAGE_MAX, "over %zu bytes", max);
    else
        (void)snprintf(words, DAMAGE_MAX, "not a regular file");
    return words;
}

int damaged_file(int dir_fd, const char *path, int r, const char *reason, size_t max, uint64_t now_real_usec,
                 char *error, size_t error_size) {
    _cleanup_free_ char *name = NULL;
    char words[DAMAGE_MAX];

    reason = damage_of(r, reason, max, words);
    if (!reason) {
        (void)snprintf(error, error_size, "%s: %s", path, r == -ENOMEM ? "out of memory" : file_strerror(r));
        return r;
    }
    r = rename_damaged(dir_fd, path, now_real_usec, &name);
    if (r < 0) {
        (void)snprintf(error, error_size, "%s: damaged (%s), and cannot be renamed: %s", path, reason,
                       strerror(-r));
        return r;
    }
    (void)snprintf(error, error_size, "%s: damaged (%s); kept as %s, starting without it", path, reason,
                   name);
    log_line(LOG_ERR, "%s", error);
    return 0;
}
