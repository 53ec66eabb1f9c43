/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/state_json.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/timetext.h"

#define FILE_NAME "state.json"
#define LOCK_NAME "lock"

void state_table_done(StateTable *table) {
    for (size_t i = 0; i < table->n_trails; i++) {
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

/* Under a new name, so that nothing is lost and the next save does not write over it. */
static int set_aside(const char *path, uint64_t now_real_usec, const char *why, char *error,
                     size_t error_size) {
    char stamp[TIMETEXT_MAX];
    _cleanup_free_ char *aside = NULL;

    if (asprintf(&aside, "%s.damaged-%s", path, timetext_amz(stamp, now_real_usec)) < 0) {
        aside = NULL;
        return -ENOMEM;
    }
    if (rename(path, aside) < 0) {
        int r = -errno;

        (void)snprintf(error, error_size, "%s: damaged (%s), and cannot be renamed: %s", path, why,
                       strerror(-r));
        return r;
    }
    log_line(LOG_ERR, "%s: damaged (%s); kept as %s, starting without it", path, why, aside);
    return 0;
}

int state_load(const char *dir, uint64_t now_real_usec, StateTable *ret, char *error, size_t error_size) {
    _cleanup_free_ char *path = file_join(dir, FILE_NAME), *text = NULL;
    const char *why = "not JSON";
    json_t *root;
    size_t len;
    int r;

    *ret = (StateTable){ 0 };
    if (!path)
        return -ENOMEM;
    r = file_read(path, STATE_SIZE_MAX, &text, &len);
    if (r == -ENOENT)
        return 0;
    if (r == -E2BIG)
        return set_aside(path, now_real_usec, "too big", error, error_size);
    if (r < 0) {
        (void)snprintf(error, error_size, "%s: %s", path, strerror(-r));
        return r;
    }
    root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    r = root ? state_from_json(root, ret, &why) : -EBADMSG;
    json_decref(root);
    if (r == -EBADMSG)
        return set_aside(path, now_real_usec, why, error, error_size);
    return r;
}

int state_save(const char *dir, const StateTable *table) {
    _cleanup_free_ char *path = file_join(dir, FILE_NAME), *text = NULL;
    json_t *root = state_to_json(table);

    if (root)
        text = json_dumps(root, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    json_decref(root);
    if (!path || !text)
        return -ENOMEM;
    return file_write(path, text, strlen(text), 0600, true);
}

/* ---- the lock ---- */

static int read_pid(int fd) {
    char text[32] = "";
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

    return n > 0 ? (int)strtol(text, NULL, 10) : 0;
}

int state_lock(const char *dir, int *ret_fd, int *ret_pid) {
    _cleanup_free_ char *path = file_join(dir, LOCK_NAME);
    int fd, r;

    if (!path)
        return -ENOMEM;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        r = errno == EWOULDBLOCK ? -EBUSY : -errno;
        if (r == -EBUSY)
            *ret_pid = read_pid(fd);
        (void)close(fd);
        return r;
    }
    if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0) {
        r = -errno;
        (void)close(fd);
        return r;
    }
    *ret_fd = fd;
    return 0;
}

int state_is_locked(const char *dir, int *ret_pid) {
    _cleanup_free_ char *path = file_join(dir, LOCK_NAME);
    int fd, r = 0;

    if (!path)
        return -ENOMEM;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    if (flock(fd, LOCK_SH | LOCK_NB) < 0) {
        r = errno == EWOULDBLOCK ? 1 : -errno;
        if (r == 1)
            *ret_pid = read_pid(fd);
    }
    (void)close(fd);
    return r;
}
