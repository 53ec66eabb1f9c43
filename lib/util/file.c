/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/util/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util/hash.h"
#include "lib/util/macros.h"

#define DIR_FLAGS  (O_RDONLY | O_CLOEXEC | O_DIRECTORY)
#define LINKS_MAX  8   /* from one link to the next */
#define TRIES_MAX  100 /* names of temporary files */
#define RANDOM_LEN 6   /* as mkostemp(3) has it: files of older versions are swept, too */
#define LETTERS    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define INFIX      ".tmp-"
#define PROBE      ".probe-"

void file_closep(int *fd) {
    if (*fd >= 0)
        (void)close(*fd);
}

const char *file_strerror(int error) {
    return error == -ELOOP   ? "a symbolic link, which is not followed"
           : error == -E2BIG ? "larger than it may be" /* errno means arguments of a program */
                             : strerror(-error);
}

/* ---- directories ---- */

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

/* A new string without the slashes at its end: with them O_NOFOLLOW would follow. */
static char *without_slashes(const char *path) {
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/')
        len--;
    return strndup(path, len);
}

static int open_dir(const char *path, unsigned n_links);

/* A link is followed when root or we have made it. */
static int open_link(const char *path, unsigned n_links) {
    _cleanup_(file_closep) int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_free_ const char *next = NULL;
    _cleanup_free_ char *parent = NULL;
    const char *name;
    char target[PATH_MAX];
    struct stat st;
    ssize_t n;
    int r;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISLNK(st.st_mode))
        return -ENOTDIR;
    if ((st.st_uid != 0 && st.st_uid != geteuid()) || n_links >= LINKS_MAX)
        return -ELOOP;
    n = readlinkat(fd, "", target, sizeof(target));
    if (n < 0)
        return -errno;
    if ((size_t)n >= sizeof(target))
        return -ENAMETOOLONG;
    target[n] = '\0';
    r = split(path, &parent, &name);
    if (r < 0)
        return r;
    next = target[0] == '/' ? strdup(target) : file_join(parent, target);
    return next ? open_dir(next, n_links + 1) : -ENOMEM;
}

static int open_dir(const char *path, unsigned n_links) {
    _cleanup_free_ char *plain = without_slashes(path);
    int fd;

    if (!plain)
        return -ENOMEM;
    fd = open(plain, DIR_FLAGS | O_NOFOLLOW);
    if (fd >= 0)
        return fd;
    return errno == ENOTDIR || errno == ELOOP ? open_link(plain, n_links) : -errno;
}

int file_dir_open(const char *path) {
    return open_dir(path, 0);
}

int file_dir_open_at(int dir_fd, const char *name) {
    int fd = openat(dir_fd, name, DIR_FLAGS | O_NOFOLLOW), error = errno;
    struct stat st;

    if (fd >= 0)
        return fd;
    /* O_DIRECTORY makes it ENOTDIR, whether it is a link or a file */
    if (error == ENOTDIR && fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) >= 0 && S_ISLNK(st.st_mode))
        return -ELOOP;
    return -error;
}

int file_dir_open_below(const char *dir, const char *name) {
    _cleanup_(file_closep) int fd = file_dir_open(dir);

    return fd < 0 ? fd : file_dir_open_at(fd, name);
}

DIR *file_dir_stream(int dir_fd) {
    int fd = openat(dir_fd, ".", DIR_FLAGS);
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    int error = errno;

    if (!stream)
        file_closep(&fd);
    errno = error;
    return stream;
}

int file_dir_next(DIR *stream, const struct dirent **ret) {
    errno = 0;
    *ret = readdir(stream);
    return *ret ? 1 : -errno;
}

/* ---- reading ---- */

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
        size = len < max / 2 ? len * 2 + 2 : max + 2;
        bigger = malloc(size);
        if (!bigger) {
            n = -ENOMEM;
            break;
        }
        memcpy(bigger, data, len);
        file_free_secret(data, len);
        data = bigger;
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

static int read_at(int dir_fd, const char *name, int flags, size_t max, char **ret, size_t *ret_len,
                   mode_t *ret_mode) {
    _cleanup_(file_closep) int fd = -1;
    struct stat st;
    int r;

    if (max > SIZE_MAX / 4)
        return -EINVAL;

    /* O_NONBLOCK: a FIFO with that name must not hold us up before fstat() can refuse it. */
    fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags);
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

int file_read_mode(const char *path, size_t max, char **ret, size_t *ret_len, mode_t *ret_mode) {
    return read_at(AT_FDCWD, path, 0, max, ret, ret_len, ret_mode);
}

int file_read(const char *path, size_t max, char **ret, size_t *ret_len) {
    mode_t mode;

    return read_at(AT_FDCWD, path, 0, max, ret, ret_len, &mode);
}

int file_read_at(int dir_fd, const char *name, size_t max, char **ret, size_t *ret_len) {
    mode_t mode;

    return read_at(dir_fd, name, O_NOFOLLOW, max, ret, ret_len, &mode);
}

void file_free_secret(char *data, size_t len) {
    hash_wipe(data, len);
    free(data);
}

/* ---- writing ---- */

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
static int give_to_owner_of(int dir_fd, int fd) {
    struct stat st;

    if (geteuid() != 0)
        return 0;
    if (fstat(dir_fd, &st) < 0)
        return -errno;
    if (st.st_uid != 0 && fchown(fd, st.st_uid, st.st_gid) < 0 && errno != EPERM)
        return -errno;
    return 0;
}

/* Makes a file PREFIX-XXXXXX that was not there, with its name in dst. The lock says that its writer lives:
 * file_sweep_at leaves it alone. */
static int make_temporary(int dir_fd, const char *prefix, char dst[static NAME_MAX + 1]) {
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    unsigned char random[RANDOM_LEN];
    char letters[RANDOM_LEN + 1] = "";
    int fd = -1;

    for (unsigned i = 0; fd < 0 && i < TRIES_MAX; i++) {
        if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
            return -EIO;
        for (unsigned k = 0; k < RANDOM_LEN; k++)
            letters[k] = LETTERS[random[k] % (sizeof(LETTERS) - 1)];
        if (snprintf(dst, NAME_MAX + 1, "%s%s", prefix, letters) > NAME_MAX)
            return -ENAMETOOLONG;
        fd = openat(dir_fd, dst, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0 && errno != EEXIST)
            return -errno;
    }
    if (fd >= 0)
        (void)fcntl(fd, F_OFD_SETLK, &lock);
    return fd < 0 ? -EEXIST : fd;
}

static int fill(int fd, int dir_fd, const void *data, size_t len, mode_t mode, bool durable) {
    int r = write_all(fd, data, len);

    if (r >= 0)
        r = give_to_owner_of(dir_fd, fd);
    if (r >= 0 && fchmod(fd, mode) < 0)
        r = -errno;
    if (r >= 0 && durable && fsync(fd) < 0)
        r = -errno;
    return r;
}

int file_rename_new_at(int dir_fd, const char *from, int to_dir_fd, const char *to) {
    struct stat st;

    if (renameat2(dir_fd, from, to_dir_fd, to, RENAME_NOREPLACE) >= 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    if (fstatat(to_dir_fd, to, &st, AT_SYMLINK_NOFOLLOW) >= 0)
        return -EEXIST;
    return renameat(dir_fd, from, to_dir_fd, to) < 0 ? -errno : 0;
}

static int rename_over(int dir_fd, const char *from, int to_dir_fd, const char *to) {
    return renameat(dir_fd, from, to_dir_fd, to) < 0 ? -errno : 0;
}

/* `place` gives the finished temporary file its name. */
static int write_whole(int dir_fd, const char *name, const void *data, size_t len, mode_t mode, bool durable,
                       int (*place)(int dir_fd, const char *from, int to_dir_fd, const char *to)) {
    _cleanup_(file_closep) int fd = -1;
    char prefix[NAME_MAX + 1], temporary[NAME_MAX + 1];
    int r;

    if (snprintf(prefix, sizeof(prefix), ".%s" INFIX, name) > NAME_MAX)
        return -ENAMETOOLONG;
    fd = make_temporary(dir_fd, prefix, temporary);
    if (fd < 0)
        return fd;
    r = fill(fd, dir_fd, data, len, mode, durable);
    if (r >= 0)
        r = place(dir_fd, temporary, dir_fd, name);
    if (r < 0) {
        (void)unlinkat(dir_fd, temporary, 0);
        return r;
    }
    return durable && fsync(dir_fd) < 0 ? -errno : 0;
}

int file_write_at(int dir_fd, const char *name, const void *data, size_t len, mode_t mode, bool durable) {
    return write_whole(dir_fd, name, data, len, mode, durable, rename_over);
}

int file_write_new_at(int dir_fd, const char *name, const void *data, size_t len, mode_t mode,
                      bool durable) {
    return write_whole(dir_fd, name, data, len, mode, durable, file_rename_new_at);
}

int file_write(const char *path, const void *data, size_t len, mode_t mode, bool durable) {
    _cleanup_(file_closep) int fd = -1;
    _cleanup_free_ char *dir = NULL;
    const char *name;
    int r = split(path, &dir, &name);

    if (r < 0)
        return r;
    fd = file_dir_open(dir);
    return fd < 0 ? fd : file_write_at(fd, name, data, len, mode, durable);
}

int file_remove_at(int dir_fd, const char *name) {
    if (unlinkat(dir_fd, name, 0) < 0)
        return errno == ENOENT ? 0 : -errno;
    return fsync(dir_fd) < 0 ? -errno : 0;
}

/* ---- making directories ---- */

/* Proves that a file can be made in it. */
static int probe_dir(int dir_fd) {
    char name[NAME_MAX + 1];
    _cleanup_(file_closep) int fd = make_temporary(dir_fd, PROBE, name);

    if (fd < 0)
        return fd;
    return unlinkat(dir_fd, name, 0) < 0 ? -errno : 0;
}

/* Gives a directory that was just made its owner and mode, and puts it on the disk. */
static int settle_dir(int parent_fd, int fd, mode_t mode) {
    int r = give_to_owner_of(parent_fd, fd);

    if (r < 0)
        return r;
    return fchmod(fd, mode) < 0 || fsync(parent_fd) < 0 ? -errno : 0;
}

int file_ensure_dir_at(int dir_fd, const char *name, mode_t mode) {
    _cleanup_(file_closep) int fd = -1;
    bool made = mkdirat(dir_fd, name, 0700) >= 0;
    int r = 0;

    if (!made && errno != EEXIST)
        return -errno;
    fd = file_dir_open_at(dir_fd, name);
    if (fd < 0)
        return fd;
    if (made)
        r = settle_dir(dir_fd, fd, mode);
    if (r >= 0)
        r = probe_dir(fd);
    return r < 0 ? r : TAKE_FD(fd);
}

int file_ensure_dir_below(const char *dir, const char *name, mode_t mode) {
    _cleanup_(file_closep) int fd = file_dir_open(dir);

    return fd < 0 ? fd : file_ensure_dir_at(fd, name, mode);
}

int file_ensure_dir(const char *path, mode_t mode) {
    _cleanup_(file_closep) int parent = -1, fd = -1;
    _cleanup_free_ const char *plain = without_slashes(path);
    _cleanup_free_ char *dir = NULL;
    const char *name;
    int r;

    if (!plain)
        return -ENOMEM;
    fd = file_dir_open(plain);
    if (fd != -ENOENT)
        return fd < 0 ? fd : probe_dir(fd);
    r = split(plain, &dir, &name);
    if (r < 0)
        return r;
    parent = open(dir, DIR_FLAGS);
    if (parent < 0)
        return -errno;
    fd = file_ensure_dir_at(parent, name, mode);
    return fd == -ELOOP ? -ENOENT /* a link to nowhere */ : MIN(fd, 0);
}

/* ---- sweeping ---- */

/* ".NAME.tmp-XXXXXX", as make_temporary makes it; NULL: of any file, and ".probe-XXXXXX". */
static bool is_temporary(const char *entry, const char *of) {
    size_t len = strlen(entry), infix = strlen(INFIX), probe = strlen(PROBE), of_len;
    const char *random = entry + len - RANDOM_LEN;

    if (len <= RANDOM_LEN || entry[0] != '.' || strspn(random, LETTERS) != RANDOM_LEN)
        return false;
    if (!of && len == probe + RANDOM_LEN && strncmp(entry, PROBE, probe) == 0)
        return true;
    if (len <= 1 + infix + RANDOM_LEN || strncmp(random - infix, INFIX, infix) != 0)
        return false;
    of_len = len - 1 - infix - RANDOM_LEN;
    return !of || (strlen(of) == of_len && strncmp(entry + 1, of, of_len) == 0);
}

/* Does its writer live? Whatever is no regular file is none of ours. */
static bool is_abandoned(int dir_fd, const char *name) {
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    _cleanup_(file_closep) int fd =
            openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    return fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type == F_UNLCK;
}

static unsigned sweep_dir(int dir_fd, const char *of) {
    DIR *stream = file_dir_stream(dir_fd);
    struct dirent *entry;
    unsigned n = 0;

    while (stream && (entry = readdir(stream)))
        if (is_temporary(entry->d_name, of) && is_abandoned(dir_fd, entry->d_name) &&
            unlinkat(dir_fd, entry->d_name, 0) >= 0)
            n++;
    if (stream)
        (void)closedir(stream);
    return n;
}

unsigned file_sweep_at(int dir_fd) {
    return sweep_dir(dir_fd, NULL);
}

unsigned file_sweep_of(const char *path) {
    _cleanup_(file_closep) int fd = -1;
    _cleanup_free_ char *dir = NULL;
    const char *name;

    if (split(path, &dir, &name) < 0)
        return 0;
    fd = file_dir_open(dir);
    return fd < 0 ? 0 : sweep_dir(fd, name);
}

int file_modified(const char *path, uint64_t *ret_usec) {
    struct stat st;

    if (stat(path, &st) < 0)
        return -errno;
    *ret_usec = (uint64_t)MAX(st.st_mtim.tv_sec, 0) * USEC_PER_SEC + (uint64_t)st.st_mtim.tv_nsec / 1000;
    return 0;
}

char *file_join(const char *dir, const char *name) {
    size_t n = strlen(dir);
    char *s;

    if (asprintf(&s, "%s%s%s", dir, n > 0 && dir[n - 1] != '/' ? "/" : "", name) < 0)
        return NULL;
    return s;
}
