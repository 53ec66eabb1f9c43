/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util/hash.h"
#include "lib/util/macros.h"

static void closep(int *fd) {
    if (*fd >= 0)
        (void) close(*fd);
}

static ssize_t read_some(int fd, char *data, size_t len) {
    ssize_t n;

    do
        n = read(fd, data, len);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* Reads to the end of the file. One byte more than max is asked for, so that a file that is too big, or
 * grows while it is read, is noticed. */
static int read_all(int fd, size_t expected, size_t max, char **ret, size_t *ret_len) {
    size_t len = 0, size = MIN(expected, max) + 2;
    char *data = malloc(size);
    ssize_t n;

    if (!data)
        return -ENOMEM;

    while ((n = read_some(fd, data + len, size - 1 - len)) > 0) {
        char *bigger;

        len += (size_t)n;
        if (len < size - 1)
            continue;
        if (len > max) {
            n = -E2BIG;
            break;
        }
        bigger = malloc(MIN(size, max) * 2 + 2);
        if (!bigger) {
            n = -ENOMEM;
            break;
        }
        memcpy(bigger, data, len);
        file_free_secret(data, len);
        data = bigger;
        size = MIN(size, max) * 2 + 2;
    }
    if (n == 0 && len > max)
        n = -E2BIG;
    if (n < 0) {
        file_free_secret(data, len);
        return (int)n;
    }

    data[len] = '\0';
    *ret = data;
    *ret_len = len;
    return 0;
}

int file_read_mode(const char *path, size_t max, char **ret, size_t *ret_len, mode_t *ret_mode) {
    _cleanup_(closep) int fd = -1;
    struct stat st;
    int r;

    if (max > SIZE_MAX / 4)
        return -EINVAL;

    /* O_NONBLOCK: a FIFO with that name must not hold us up before fstat() can refuse it. */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    if (st.st_size > 0 && (uintmax_t)st.st_size > max)
        return -E2BIG;

    r = read_all(fd, st.st_size > 0 ? (size_t)st.st_size : 0, max, ret, ret_len);
    if (r < 0)
        return r;
    *ret_mode = st.st_mode & 07777;
    return 0;
}

int file_read(const char *path, size_t max, char **ret, size_t *ret_len) {
    mode_t mode;

    return file_read_mode(path, max, ret, ret_len, &mode);
}

void file_free_secret(char *data, size_t len) {
    hash_wipe(data, len);
    free(data);
}

/* Splits path into its directory ("." when there is none, "/" for the root; the caller frees) and its last
 * part. */
static int split(const char *path, char **ret_dir, const char **ret_name) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char *dir;

    if (*name == '\0')
        return -EINVAL;

    dir = slash ? strndup(path, MAX((size_t)(slash - path), (size_t)1)) : strdup(".");
    if (!dir)
        return -ENOMEM;
    *ret_dir = dir;
    *ret_name = name;
    return 0;
}

static int sync_dir(const char *dir) {
    _cleanup_(closep) int fd = -1;

    fd = open(dir, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    if (fd < 0 || fsync(fd) < 0)
        return -errno;
    return 0;
}

static int write_all(int fd, const char *data, size_t len) {
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

/* A verb that root runs must not leave files that the daemon's user cannot replace. Where root may not give
 * files away (no CAP_CHOWN) they stay root's. */
static int give_to_owner_of(const char *dir, int fd) {
    struct stat st;

    if (geteuid() != 0)
        return 0;
    if (stat(dir, &st) < 0)
        return -errno;
    if (st.st_uid != 0 && fchown(fd, st.st_uid, st.st_gid) < 0 && errno != EPERM)
        return -errno;
    return 0;
}

/* Fills and closes a temporary file in dir. */
static int fill(int fd, const char *dir, const void *data, size_t len, mode_t mode, bool durable) {
    int r;

    r = write_all(fd, data, len);
    if (r >= 0)
        r = give_to_owner_of(dir, fd);
    if (r >= 0 && fchmod(fd, mode) < 0)
        r = -errno;
    if (r >= 0 && durable && fsync(fd) < 0)
        r = -errno;
    if (close(fd) < 0 && r >= 0)
        r = -errno;
    return r;
}

int file_rename_new(const char *from, const char *to) {
    struct stat st;

    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) >= 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    if (lstat(to, &st) >= 0)
        return -EEXIST;
    return rename(from, to) < 0 ? -errno : 0;
}

static int rename_over(const char *from, const char *to) {
    return rename(from, to) < 0 ? -errno : 0;
}

/* `place` gives the finished temporary file its name. */
static int write_whole(const char *path, const void *data, size_t len, mode_t mode, bool durable,
                       int (*place)(const char *from, const char *to)) {
    _cleanup_free_ char *dir = NULL, *temporary = NULL;
    const char *name;
    int fd, r;

    r = split(path, &dir, &name);
    if (r < 0)
        return r;
    if (asprintf(&temporary, "%s/.%s.tmp-XXXXXX", dir, name) < 0) {
        temporary = NULL;
        return -ENOMEM;
    }

    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    r = fill(fd, dir, data, len, mode, durable);
    if (r >= 0)
        r = place(temporary, path);
    if (r < 0) {
        (void) unlink(temporary);
        return r;
    }
    return durable ? sync_dir(dir) : 0;
}

int file_write(const char *path, const void *data, size_t len, mode_t mode, bool durable) {
    return write_whole(path, data, len, mode, durable, rename_over);
}

int file_write_new(const char *path, const void *data, size_t len, mode_t mode, bool durable) {
    return write_whole(path, data, len, mode, durable, file_rename_new);
}

int file_remove(const char *path) {
    _cleanup_free_ char *dir = NULL;
    const char *name;
    int r;

    r = split(path, &dir, &name);
    if (r < 0)
        return r;
    if (unlink(path) < 0)
        return errno == ENOENT ? 0 : -errno;
    return sync_dir(dir);
}

/* Proves that a file can be made in dir. */
static int probe_dir(const char *dir) {
    _cleanup_free_ char *probe = NULL;
    int fd;

    probe = file_join(dir, ".probe-XXXXXX");
    if (!probe)
        return -ENOMEM;
    fd = mkostemp(probe, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    (void) close(fd);
    return unlink(probe) < 0 ? -errno : 0;
}

/* Gives a directory that was just made its owner and mode, and puts it on the disk. */
static int settle_dir(const char *path, mode_t mode) {
    _cleanup_free_ char *parent = NULL;
    _cleanup_(closep) int fd = -1;
    int r;

    parent = file_join(path, ".."); /* the parent also when path ends in a slash */
    if (!parent)
        return -ENOMEM;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    r = give_to_owner_of(parent, fd);
    if (r < 0)
        return r;
    if (fchmod(fd, mode) < 0)
        return -errno;
    return sync_dir(parent);
}

int file_ensure_dir(const char *path, mode_t mode) {
    struct stat st;
    int r;

    if (mkdir(path, 0700) >= 0) {
        r = settle_dir(path, mode);
        if (r < 0)
            return r;
    } else if (errno != EEXIST || stat(path, &st) < 0)
        return -errno;
    else if (!S_ISDIR(st.st_mode))
        return -ENOTDIR;
    return probe_dir(path);
}

char *file_join(const char *dir, const char *name) {
    size_t n = strlen(dir);
    char *s;

    if (asprintf(&s, "%s%s%s", dir, n > 0 && dir[n - 1] != '/' ? "/" : "", name) < 0)
        return NULL;
    return s;
}
