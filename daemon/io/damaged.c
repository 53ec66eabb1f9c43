/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/damaged.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/log.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/timetext.h"

#define NAMES_MAX 1000 /* files set aside within one second */

static const char *name_in(const char *path) {
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Finds a free name and gives the path in *ret. */
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

int damaged_file(int dir_fd, const char *path, int r, const char *reason, size_t max, uint64_t now_real_usec,
                 char *error, size_t error_size) {
    _cleanup_free_ char *name = NULL;
    char words[128];

    /* Only what was read can be damaged. Any other error is the machine's (EIO, EACCES, ENOMEM ...), and the
     * file may be a good one. */
    if (r == -ENOMEM || (!reason[0] && r != -EINVAL && r != -E2BIG)) {
        (void)snprintf(error, error_size, "%s: %s", path, r == -ENOMEM ? "out of memory" : file_strerror(r));
        return r;
    }
    if (!reason[0]) {
        if (r == -E2BIG)
            (void)snprintf(words, sizeof(words), "over %zu bytes", max);
        else
            (void)snprintf(words, sizeof(words), "%s", r == -EINVAL ? "not a regular file" : strerror(-r));
        reason = words;
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
