/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded by virtual.py: a clock on which hours pass at once. It goes on as the real one does while an
 * answer is on its way or a timer is due. When the daemon has nothing to do it jumps to the next timer. Each
 * process that has the same file has the same clock. Without the variables it changes nothing.
 *
 *   CLOCK_PAGE=FILE  two numbers of 8 bytes, in microseconds: how far the clocks are ahead of the real ones,
 *                    and how far ahead they may get
 *   CLOCK_DRIVES=1   this process is the one whose waits make the clock jump
 *
 * An answer is on its way from connect() or send() on a socket until recv() on it: what the daemon calls is
 * on this machine. One that is not there after PATIENCE_NSEC of real time does not hold the clock. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NSEC_PER_SEC  INT64_C(1000000000)
#define FDS           1024
#define TIMERS        16
#define SLICE_NSEC    INT64_C(1000000)
#define PATIENCE_NSEC (5 * NSEC_PER_SEC)
#define NEVER         INT64_MAX

typedef struct Page {
    volatile int64_t ahead_usec, limit_usec;
} Page;

static Page *page;                    /* NULL: the real clock */
static bool drives;                   /* of the environment */
static int64_t awaited_nsec[FDS];     /* real, since when an answer is on its way; 0: none is */
static int64_t heard_nsec;            /* real, when the last bytes came: more may follow at once */
static struct {
    int fd; /* + 1; 0: free */
    clockid_t id;
    struct itimerspec at; /* of this clock */
} timers[TIMERS];
static int64_t armed_usec; /* how far ahead the clocks were when the timers were armed */

__attribute__((constructor)) static void set_up(void) {
    const char *path = getenv("CLOCK_PAGE");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *found = fd < 0 ? MAP_FAILED :
                           mmap(NULL, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    page = found == MAP_FAILED ? NULL : found;
    drives = page && getenv("CLOCK_DRIVES");
    if (fd >= 0)
        (void)syscall(SYS_close, fd);
}

/* ---- the clocks ---- */

static int64_t ahead_nsec(clockid_t id) {
    if (!page || id == CLOCK_PROCESS_CPUTIME_ID || id == CLOCK_THREAD_CPUTIME_ID)
        return 0;
    return page->ahead_usec * 1000;
}

static int64_t nsec_of(const struct timespec *ts) {
    return ts->tv_sec * NSEC_PER_SEC + ts->tv_nsec;
}

static struct timespec timespec_of(int64_t nsec) {
    return (struct timespec){ nsec / NSEC_PER_SEC, nsec % NSEC_PER_SEC };
}

static int64_t real_nsec(clockid_t id) {
    struct timespec ts = { 0 };

    (void)syscall(SYS_clock_gettime, id, &ts);
    return nsec_of(&ts);
}

int clock_gettime(clockid_t id, struct timespec *ret) {
    int r = (int)syscall(SYS_clock_gettime, id, ret);

    if (r == 0)
        *ret = timespec_of(nsec_of(ret) + ahead_nsec(id));
    return r;
}

time_t time(time_t *ret) {
    time_t now = (real_nsec(CLOCK_REALTIME) + ahead_nsec(CLOCK_REALTIME)) / NSEC_PER_SEC;

    if (ret)
        *ret = now;
    return now;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone) {
    int64_t now = real_nsec(CLOCK_REALTIME) + ahead_nsec(CLOCK_REALTIME);

    (void)zone;
    *ret = (struct timeval){ now / NSEC_PER_SEC, now % NSEC_PER_SEC / 1000 };
    return 0;
}

/* ---- answers on their way ---- */

static void await(int fd, bool begins) {
    if (drives && fd >= 0 && fd < FDS)
        awaited_nsec[fd] = begins ? real_nsec(CLOCK_MONOTONIC) : 0;
}

int connect(int fd, const struct sockaddr *address, socklen_t len) {
    await(fd, address->sa_family == AF_INET || address->sa_family == AF_INET6);
    return (int)syscall(SYS_connect, fd, address, len);
}

ssize_t send(int fd, const void *data, size_t size, int flags) {
    ssize_t n = syscall(SYS_sendto, fd, data, size, flags, NULL, 0);

    if (n > 0)
        await(fd, true);
    return n;
}

ssize_t recv(int fd, void *data, size_t size, int flags) {
    ssize_t n = syscall(SYS_recvfrom, fd, data, size, flags, NULL, NULL);

    if (drives && n >= 0 && !(flags & MSG_PEEK)) {
        await(fd, false);
        heard_nsec = real_nsec(CLOCK_MONOTONIC);
    }
    return n;
}

int close(int fd) {
    await(fd, false);
    for (size_t i = 0; drives && i < TIMERS; i++)
        if (timers[i].fd == fd + 1)
            timers[i].fd = 0;
    return (int)syscall(SYS_close, fd);
}

static bool is_busy(void) {
    int64_t now = real_nsec(CLOCK_MONOTONIC);

    if (now < heard_nsec + SLICE_NSEC)
        return true;
    for (size_t i = 0; i < FDS; i++)
        if (awaited_nsec[i] != 0 && now < awaited_nsec[i] + PATIENCE_NSEC)
            return true;
    return false;
}

/* ---- timers ---- */

static int arm(size_t i, struct itimerspec *old) {
    struct itimerspec real = timers[i].at;
    int64_t nsec = nsec_of(&real.it_value) - ahead_nsec(timers[i].id);

    if (nsec_of(&real.it_value) != 0)
        real.it_value = timespec_of(nsec > 0 ? nsec : 1);
    return (int)syscall(SYS_timerfd_settime, timers[i].fd - 1, TFD_TIMER_ABSTIME, &real, old);
}

int timerfd_create(clockid_t id, int flags) {
    int fd = (int)syscall(SYS_timerfd_create, id, flags);

    for (size_t i = 0; drives && fd >= 0 && i < TIMERS; i++)
        if (timers[i].fd == 0) {
            timers[i].fd = fd + 1;
            timers[i].id = id;
            timers[i].at = (struct itimerspec){ 0 };
            break;
        }
    return fd;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *at, struct itimerspec *old) {
    for (size_t i = 0; drives && i < TIMERS; i++)
        if (timers[i].fd == fd + 1 && flags & TFD_TIMER_ABSTIME) {
            timers[i].at = *at;
            return arm(i, old);
        }
    return (int)syscall(SYS_timerfd_settime, fd, flags, at, old);
}

static void arm_again(void) {
    if (page->ahead_usec == armed_usec)
        return;
    armed_usec = page->ahead_usec;
    for (size_t i = 0; i < TIMERS; i++)
        if (timers[i].fd != 0)
            (void)arm(i, NULL);
}

/* From now to the first timer, or the end of the wait. */
static int64_t left_nsec(int64_t end_nsec) {
    int64_t now = real_nsec(CLOCK_MONOTONIC) + ahead_nsec(CLOCK_MONOTONIC);
    int64_t left = end_nsec == NEVER ? NEVER : end_nsec - now;

    for (size_t i = 0; i < TIMERS; i++) {
        int64_t at = timers[i].fd == 0 ? 0 : nsec_of(&timers[i].at.it_value);

        if (at != 0 && at - real_nsec(timers[i].id) - ahead_nsec(timers[i].id) < left)
            left = at - real_nsec(timers[i].id) - ahead_nsec(timers[i].id);
    }
    return left;
}

static bool jump(int64_t left) {
    int64_t room = page->limit_usec - page->ahead_usec, usec = left / 1000 + 1;

    if (left <= 0 || left == NEVER || room <= 0 || is_busy())
        return false;
    page->ahead_usec += usec < room ? usec : room;
    return true;
}

/* ---- waiting ---- */

static int wait_real(int fd, struct epoll_event *events, int max, int64_t nsec, const sigset_t *mask) {
    struct timespec timeout = timespec_of(nsec);

    return (int)syscall(SYS_epoll_pwait2, fd, events, max, nsec == NEVER ? NULL : &timeout, mask,
                        sizeof(uint64_t));
}

int epoll_pwait2(int fd, struct epoll_event *events, int max, const struct timespec *timeout,
                 const sigset_t *mask) {
    int64_t nsec = timeout ? nsec_of(timeout) : NEVER, end = NEVER;

    if (!drives)
        return wait_real(fd, events, max, nsec, mask);
    if (timeout)
        end = real_nsec(CLOCK_MONOTONIC) + ahead_nsec(CLOCK_MONOTONIC) + nsec;
    for (bool jumped = true;;) {
        int64_t left;
        int r;

        arm_again();
        left = left_nsec(end);
        r = wait_real(fd, events, max, jumped || left <= 0 ? 0 : left < SLICE_NSEC ? left : SLICE_NSEC,
                      mask);
        if (r != 0)
            return r;
        left = left_nsec(end);
        if (end != NEVER && end <= real_nsec(CLOCK_MONOTONIC) + ahead_nsec(CLOCK_MONOTONIC))
            return 0;
        jumped = jump(left);
    }
}

int epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms) {
    struct timespec timeout = timespec_of(timeout_ms * INT64_C(1000000));

    return epoll_pwait2(fd, events, max, timeout_ms < 0 ? NULL : &timeout, NULL);
}
