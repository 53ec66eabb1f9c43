/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into the daemon by faulted.py: another clock, a system call below the state directory that fails
 * or at which the process dies, an allocation that fails. Without the variables it changes nothing.
 *
 *   FAULTS_CLOCK=FILE   8 bytes that the test changes while the daemon runs: microseconds added to the time
 *                       of day
 *   FAULTS_CALL=N       the call that writes state which is meant; each is counted, from 1
 *   FAULTS_DO=WHAT      kill, half (a write writes half, then the process dies), short (a write writes
 *                       half), or an errno
 *   FAULTS_LOG=FILE     a line for each of these calls
 *   FAULTS_RENAME=GLOB  the process dies when it is about to give a file such a path
 *   FAULTS_ALERTS=FILE  while there is such a file, no alert can be composed: there is no memory for a copy
 *                       of its subject
 *   FAULTS_ALERT=TEXT   the process dies when it is about to write down the state that says that an alert
 *                       with this text was raised: the alert is in the outbox, state.json is the one before
 *   FAULTS_FULL=FILE    while there is such a file, the disk is full: nothing is made or written below the
 *                       state directory
 *   FAULTS_MALLOC=N     the allocation that fails; FAULTS_LOG gets a line when it does, FAULTS_COUNT their
 *                       number at the end
 *   FAULTS_COUNT=FILE */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *clock_shift_usec;        /* NULL: the real clock */
static const char *state_dir, *what = "";               /* of the environment, which stays */
static const char *rename_meant;                        /* likewise; NULL: none */
static const char *no_alerts;                           /* likewise */
static const char *full;                                /* likewise */
static const char *alert_meant;                         /* likewise */
static bool alert_is_there;                             /* in the outbox */
static size_t state_len;
static unsigned long call_meant, n_calls;               /* of calls that write state */
static int log_fd = -1; /* open from the start: a call that fails must not need others */

static int open_named(const char *variable, int flags) {
    const char *path = getenv(variable);

    return path ? (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600) : -1;
}

static unsigned long number_of(const char *variable) {
    const char *text = getenv(variable);

    return text ? strtoul(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void set_up(void) {
    int fd = open_named("FAULTS_CLOCK", O_RDONLY);

    if (fd >= 0) {
        void *page = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);

        clock_shift_usec = page == MAP_FAILED ? NULL : page;
        (void)close(fd);
    }
    log_fd = open_named("FAULTS_LOG", O_WRONLY | O_CREAT | O_APPEND);
    what = getenv("FAULTS_DO") ? getenv("FAULTS_DO") : "";
    rename_meant = getenv("FAULTS_RENAME");
    no_alerts = getenv("FAULTS_ALERTS");
    full = getenv("FAULTS_FULL");
    alert_meant = getenv("FAULTS_ALERT");
    call_meant = number_of("FAULTS_CALL");
    state_dir = getenv("STATE_DIRECTORY");
    state_len = state_dir ? strlen(state_dir) : 0;
}

/* ---- the clock ---- */

static int64_t shift_usec(void) {
    return clock_shift_usec ? *clock_shift_usec : 0;
}

int clock_gettime(clockid_t id, struct timespec *ret) {
    int r = (int)syscall(SYS_clock_gettime, id, ret);

    if (r == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        int64_t nsec = ret->tv_nsec + shift_usec() % 1000000 * 1000;

        ret->tv_sec += shift_usec() / 1000000 + (nsec >= 1000000000) - (nsec < 0);
        ret->tv_nsec = (nsec + 1000000000) % 1000000000;
    }
    return r;
}

time_t time(time_t *ret) {
    struct timespec ts = { 0 };

    (void)clock_gettime(CLOCK_REALTIME, &ts);
    if (ret)
        *ret = ts.tv_sec;
    return ts.tv_sec;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone) {
    struct timespec ts = { 0 };

    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    *ret = (struct timeval){ .tv_sec = ts.tv_sec, .tv_usec = ts.tv_nsec / 1000 };
    return 0;
}

/* ---- calls that write state ---- */

static bool is_below(const char *path) {
    return state_len > 0 && strncmp(path, state_dir, state_len) == 0 &&
           (path[state_len] == '\0' || path[state_len] == '/');
}

/* Is it in the state directory? `name` may be NULL: the descriptor itself. */
static bool writes_state(int fd, const char *name, char path[static PATH_MAX]) {
    char link[64];
    ssize_t n;

    if (name && name[0] == '/') {
        (void)snprintf(path, PATH_MAX, "%s", name);
        return is_below(path);
    }
    if (fd < 0)
        return false;
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, PATH_MAX - 1);
    if (n < 0)
        return false;
    path[n] = '\0';
    return is_below(path);
}

static int errno_named(const char *name) {
    static const struct {
        const char *name;
        int number;
    } known[] = { { "ENOSPC", ENOSPC }, { "EIO", EIO },       { "EROFS", EROFS },
                  { "EACCES", EACCES }, { "EDQUOT", EDQUOT }, { "EMFILE", EMFILE } };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(name, known[i].name) == 0)
            return known[i].number;
    return 0;
}

/* Counts a call, and answers whether it is the one that is meant. */
static bool is_meant(const char *call, int fd, const char *name) {
    char path[PATH_MAX];
    int saved = errno;
    bool meant = false;

    if (writes_state(fd, name, path)) {
        meant = ++n_calls == call_meant;
        if (log_fd >= 0)
            (void)dprintf(log_fd, "%lu %s %s%s%s%s\n", n_calls, call, path, name ? " " : "",
                          name ? name : "", meant ? " MEANT" : "");
    }
    errno = saved;
    return meant;
}

static bool is_full(int fd, const char *name) {
    char path[PATH_MAX];

    if (!full || access(full, F_OK) < 0 || !writes_state(fd, name, path))
        return false;
    errno = ENOSPC;
    return true;
}

/* Fails the call with an errno, true; or ends the process. */
static bool refuses(const char *call, int fd, const char *name) {
    if (!is_meant(call, fd, name))
        return false;
    if (strcmp(what, "kill") == 0 || strcmp(what, "half") == 0)
        (void)raise(SIGKILL);
    errno = errno_named(what);
    return errno != 0;
}

static int open_for(int dir_fd, const char *path, int flags, mode_t mode) {
    if (flags & (O_CREAT | O_TRUNC) && (is_full(dir_fd, path) || refuses("open", dir_fd, path)))
        return -1;
    return (int)syscall(SYS_openat, dir_fd, path, flags, mode);
}

static mode_t mode_of(int flags, va_list arguments) {
    return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0;
}

int openat(int dir_fd, const char *path, int flags, ...) {
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_for(dir_fd, path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_for(AT_FDCWD, path, flags, mode);
}

ssize_t write(int fd, const void *data, size_t len) {
    if (is_full(fd, NULL))
        return -1;
    if (is_meant("write", fd, NULL)) {
        bool half = strcmp(what, "half") == 0;

        if (strcmp(what, "kill") == 0)
            (void)raise(SIGKILL);
        errno = errno_named(what);
        if (errno != 0)
            return -1;
        len = half || strcmp(what, "short") == 0 ? (len + 1) / 2 : len;
        len = (size_t)syscall(SYS_write, fd, data, len);
        if (half)
            (void)raise(SIGKILL);
        return (ssize_t)len;
    }
    return syscall(SYS_write, fd, data, len);
}

int fsync(int fd) {
    return refuses("fsync", fd, NULL) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fchmod(int fd, mode_t mode) {
    return refuses("fchmod", fd, NULL) ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

int fchown(int fd, uid_t owner, gid_t group) {
    return refuses("fchown", fd, NULL) ? -1 : (int)syscall(SYS_fchown, fd, owner, group);
}

int mkdirat(int dir_fd, const char *path, mode_t mode) {
    if (is_full(dir_fd, path) || refuses("mkdir", dir_fd, path))
        return -1;
    return (int)syscall(SYS_mkdirat, dir_fd, path, mode);
}

int unlinkat(int dir_fd, const char *path, int flags) {
    return refuses("unlink", dir_fd, path) ? -1 : (int)syscall(SYS_unlinkat, dir_fd, path, flags);
}

int unlink(const char *path) {
    return unlinkat(AT_FDCWD, path, 0);
}

int ftruncate(int fd, off_t length) {
    return refuses("truncate", fd, NULL) ? -1 : (int)syscall(SYS_ftruncate, fd, length);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset) {
    return refuses("pwrite", fd, NULL) ? -1 : (ssize_t)syscall(SYS_pwrite64, fd, data, len, offset);
}

static bool is_path(int dir_fd, const char *name, const char *glob) {
    char link[64], path[PATH_MAX + NAME_MAX + 2];
    ssize_t n;

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", dir_fd);
    n = readlink(link, path, PATH_MAX);
    if (n < 0)
        return false;
    (void)snprintf(path + n, sizeof(path) - (size_t)n, "/%s", name);
    return fnmatch(glob, path, 0) == 0;
}

/* An alert's file is a few kilobytes. */
static bool holds_alert(int dir_fd, const char *name) {
    static char text[256 * 1024];
    int fd = (int)syscall(SYS_openat, dir_fd, name, O_RDONLY | O_CLOEXEC, 0);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;

    if (fd >= 0)
        (void)close(fd);
    return n > 0 && memmem(text, (size_t)n, alert_meant, strlen(alert_meant));
}

static bool is_state_file(const char *name) {
    const char *slash = strrchr(name, '/');

    return strcmp(slash ? slash + 1 : name, "state.json") == 0;
}

static void end_after_alert(int from_fd, const char *from, const char *to) {
    if (alert_is_there && is_state_file(to))
        (void)raise(SIGKILL);
    alert_is_there = alert_is_there || (!is_state_file(to) && holds_alert(from_fd, from));
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags) {
    if (rename_meant && is_path(to_fd, to, rename_meant))
        (void)raise(SIGKILL);
    if (alert_meant)
        end_after_alert(from_fd, from, to);
    return refuses("rename", to_fd, to) ? -1 : (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to) {
    return renameat2(from_fd, from, to_fd, to, 0);
}

char *strdup(const char *text) {
    if (no_alerts && strncmp(text, "[TrailGuard]", 12) == 0 && access(no_alerts, F_OK) == 0) {
        errno = ENOMEM;
        return NULL;
    }
    return strndup(text, strlen(text));
}
