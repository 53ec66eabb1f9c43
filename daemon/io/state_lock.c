/* SPDX-License-Identifier: Apache-2.0 */
/* The lock is an open file description's (fcntl(2), F_OFD_SETLK): it ends with the process whatever ends it,
 * and asking who holds it does not take it for a moment, which would turn away a daemon that is just
 * starting. */
#include "daemon/io/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util/file.h"
#include "lib/util/macros.h"

#define LOCK_NAME "lock"

static int lock_open(int dir_fd, int flags) {
    _cleanup_(file_closep) int fd =
            openat(dir_fd, LOCK_NAME, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    return S_ISREG(st.st_mode) ? TAKE_FD(fd) : -EINVAL;
}

/* 0 when there is none that can be one: the holder may not have written it yet. */
static int read_pid(int fd) {
    char text[16] = "", *end;
    long pid;

    if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
        return 0;
    pid = strtol(text, &end, 10);
    return *end == '\n' && pid > 0 && pid < INT_MAX ? (int)pid : 0;
}

static int write_pid(int fd) {
    char text[16];
    int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());

    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)len, 0) < 0)
        return -errno;
    return 0;
}

/* Root that runs the daemon by hand must not leave a lock that the daemon's user cannot open. */
static void give_to_owner_of(int dir_fd, int fd) {
    struct stat st;

    if (geteuid() == 0 && fstat(dir_fd, &st) >= 0 && fchown(fd, st.st_uid, st.st_gid) < 0)
        return; /* without CAP_CHOWN it stays root's */
}

int state_lock(const char *dir, int *ret_fd, int *ret_pid) {
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    _cleanup_(file_closep) int dir_fd = file_dir_open(dir), fd = -1;
    int r;

    if (dir_fd < 0)
        return dir_fd;
    fd = lock_open(dir_fd, O_RDWR | O_CREAT);
    if (fd < 0)
        return fd;
    if (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
        if (errno != EAGAIN && errno != EACCES)
            return -errno;
        *ret_pid = read_pid(fd);
        return -EBUSY;
    }
    give_to_owner_of(dir_fd, fd);
    r = write_pid(fd);
    if (r < 0)
        return r;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int state_is_locked(const char *dir, int *ret_pid) {
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    _cleanup_(file_closep) int dir_fd = file_dir_open(dir), fd = -1;

    fd = dir_fd < 0 ? dir_fd : lock_open(dir_fd, O_RDONLY);
    if (fd == -ENOENT)
        return 0;
    if (fd < 0)
        return fd;
    if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
        return -errno;
    if (lock.l_type == F_UNLCK)
        return 0;
    *ret_pid = read_pid(fd);
    return 1;
}

bool state_lock_is_kept(const char *dir, int fd) {
    _cleanup_(file_closep) int dir_fd = file_dir_open(dir);
    struct stat ours, there;

    if (dir_fd < 0)
        return dir_fd != -ENOENT && dir_fd != -ENOTDIR && dir_fd != -ELOOP;
    if (fstat(fd, &ours) < 0)
        return true;
    if (fstatat(dir_fd, LOCK_NAME, &there, AT_SYMLINK_NOFOLLOW) < 0)
        return errno != ENOENT;
    return ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

int state_is_guarded(const char *dir, const char *runtime_dir, int *ret_pid) {
    int r = state_is_locked(dir, ret_pid), e;

    if (r > 0)
        return r;
    e = state_is_locked(runtime_dir, ret_pid);
    return e > 0 || r == 0 ? e : r;
}
