/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/log.h"
#include "daemon/state_json.h"
#include "daemon/state_kinds.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/timetext.h"

#define FILE_NAME   "state.json"
#define REASON_MAX  256
#define DAMAGED_MAX 1000 /* files set aside within one second */

void state_table_done(StateTable *table) {
    for (size_t i = 0; i < table->n_trails; i++) {
        state_changes_done(&table->trails[i].changes);
        free(table->trails[i].name);
        free(table->trails[i].arn);
        free(table->trails[i].account);
        free(table->trails[i].region);
    }
    for (size_t i = 0; i < table->n_targets; i++) {
        free(table->targets[i].account);
        free(table->targets[i].region);
    }
    free(table->trails);
    free(table->targets);
    *table = (StateTable){ 0 };
}

/* Not every file system knows RENAME_NOREPLACE. The lock keeps other daemons away, so looking first is
 * enough there. */
static int rename_to_free_name(const char *from, const char *to) {
    struct stat st;

    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) >= 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    if (lstat(to, &st) >= 0)
        return -EEXIST;
    return rename(from, to) < 0 ? -errno : 0;
}

/* Finds a free name and gives it in *ret. */
static int rename_damaged(const char *path, uint64_t now_real_usec, char **ret) {
    char stamp[TIMETEXT_MAX];
    int r = -EEXIST;

    (void)timetext_amz(stamp, now_real_usec);
    for (unsigned i = 0; r == -EEXIST && i < DAMAGED_MAX; i++) {
        _cleanup_free_ char *name = NULL;

        if ((i == 0 ? asprintf(&name, "%s.damaged-%s", path, stamp)
                    : asprintf(&name, "%s.damaged-%s.%u", path, stamp, i)) < 0) {
            name = NULL;
            return -ENOMEM;
        }
        r = rename_to_free_name(path, name);
        if (r >= 0)
            *ret = TAKE_PTR(name);
    }
    return r;
}

static int set_aside(const char *path, const char *reason, uint64_t now_real_usec, char *error,
                     size_t error_size) {
    _cleanup_free_ char *name = NULL;
    int r;

    r = rename_damaged(path, now_real_usec, &name);
    if (r < 0) {
        (void)snprintf(error, error_size, "%s: damaged (%s), and cannot be renamed: %s", path, reason,
                       strerror(-r));
        return r;
    }
    log_line(LOG_ERR, "%s: damaged (%s); kept as %s, starting without it", path, reason, name);
    return 0;
}

/* 0, also when there is none in a directory that is there. */
static int no_file(const char *dir, char *error, size_t error_size) {
    struct stat st;

    if (stat(dir, &st) >= 0)
        return 0;
    (void)snprintf(error, error_size, "%s: %s", dir, strerror(errno));
    return -errno;
}

static int out_of_memory(const char *path, char *error, size_t error_size) {
    (void)snprintf(error, error_size, "%s: out of memory", path);
    return -ENOMEM;
}

int state_load(const char *dir, uint64_t now_real_usec, StateTable *ret, char *error, size_t error_size) {
    _cleanup_free_ char *path = file_join(dir, FILE_NAME), *text = NULL;
    char reason[REASON_MAX] = "";
    size_t len;
    int r;

    *ret = (StateTable){ 0 };
    if (!path)
        return out_of_memory(FILE_NAME, error, error_size);

    r = file_read(path, STATE_SIZE_MAX, &text, &len);
    if (r == -ENOENT)
        return no_file(dir, error, error_size);
    if (r >= 0)
        r = state_json_read(text, len, ret, reason, sizeof(reason));
    else if (r == -E2BIG)
        (void)snprintf(reason, sizeof(reason), "over %u bytes", STATE_SIZE_MAX);
    else
        (void)snprintf(reason, sizeof(reason), "%s", r == -EINVAL ? "not a regular file" : strerror(-r));

    if (r >= 0)
        return 0;
    if (r == -ENOMEM)
        return out_of_memory(path, error, error_size);
    if (r == -ENOTDIR || r == -EMFILE || r == -ENFILE) {
        /* nothing is known about the file */
        (void)snprintf(error, error_size, "%s: %s", path, reason);
        return r;
    }
    return set_aside(path, reason, now_real_usec, error, error_size);
}

int state_save(const char *dir, const StateTable *table) {
    _cleanup_free_ char *path = file_join(dir, FILE_NAME), *text = NULL;
    size_t len;
    int r;

    if (!path)
        return -ENOMEM;
    r = state_json_write(table, &text, &len);
    if (r < 0)
        return r;
    return file_write(path, text, len, 0600, true);
}
