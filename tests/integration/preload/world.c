/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into the daemon by test_world.py: names that change, and a machine that was suspended. Without
 * the variables it changes nothing.
 *
 *   WORLD_NAMES=FILE   what names below simaws.test are: addresses, or "again" (the resolver fails), "none"
 *                      (there is no such name), "hang"; read at each question
 *   WORLD_SLEPT=FILE   8 bytes that the test changes while the daemon runs: microseconds that the machine
 *                      has slept. CLOCK_BOOTTIME and the time of day have gone on meanwhile,
 *                      CLOCK_MONOTONIC has not */
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define DOMAIN    ".simaws.test"
#define TIMERS    4
#define SLICE_NSEC 20000000

typedef int (*GetAddrInfo)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static const volatile int64_t *slept_usec; /* NULL: it has not */

__attribute__((constructor)) static void set_up(void) {
    const char *path = getenv("WORLD_SLEPT");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *page = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);

    slept_usec = page == MAP_FAILED ? NULL : page;
    if (fd >= 0)
        (void)close(fd);
}

/* ---- names ---- */

static void read_names(char ret[static 256]) {
    int fd = open(getenv("WORLD_NAMES"), O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, ret, 255);

    ret[n < 0 ? 0 : n] = '\0';
    if (fd >= 0)
        (void)close(fd);
}

static int resolve(GetAddrInfo real, char *names, const struct addrinfo *hints, struct addrinfo **ret) {
    struct addrinfo numeric = *hints, **tail = ret;

    numeric.ai_flags |= AI_NUMERICHOST;
    *ret = NULL;
    for (char *rest = names, *name; (name = strsep(&rest, " \n"));) {
        if (!*name || real(name, NULL, &numeric, tail) != 0)
            continue;
        while (*tail)
            tail = &(*tail)->ai_next;
    }
    return *ret ? 0 : EAI_NONAME;
}

int getaddrinfo(const char *restrict host, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict ret) {
    GetAddrInfo real;
    size_t len = host ? strlen(host) : 0;
    char names[256];

    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (!getenv("WORLD_NAMES") || len < strlen(DOMAIN) || strcmp(host + len - strlen(DOMAIN), DOMAIN) != 0)
        return real(host, service, hints, ret);
    for (read_names(names); strncmp(names, "hang", 4) == 0; read_names(names))
        (void)usleep(20000);
    if (strncmp(names, "again", 5) == 0)
        return EAI_AGAIN;
    return strncmp(names, "none", 4) == 0 ? EAI_NONAME : resolve(real, names, hints, ret);
}

/* ---- time ---- */

static int64_t slept_nsec(void) {
    return slept_usec ? *slept_usec * 1000 : 0;
}

static void add(struct timespec *ts, int64_t nsec) {
    int64_t sum = ts->tv_nsec + nsec % 1000000000;

    ts->tv_sec += nsec / 1000000000 + (sum >= 1000000000) - (sum < 0);
    ts->tv_nsec = (sum + 1000000000) % 1000000000;
}

int clock_gettime(clockid_t id, struct timespec *ret) {
    int r = (int)syscall(SYS_clock_gettime, id, ret);

    if (r == 0 && (id == CLOCK_BOOTTIME || id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        add(ret, slept_nsec());
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

/* ---- timers on CLOCK_BOOTTIME, which the kernel fires when the machine wakes up ---- */

static struct {
    int fd; /* + 1; 0: free */
    struct itimerspec at;
} timers[TIMERS];
static int64_t armed_for_nsec;

static int arm(int fd, const struct itimerspec *at, struct itimerspec *old) {
    struct itimerspec real = *at;

    if (real.it_value.tv_sec != 0 || real.it_value.tv_nsec != 0)
        add(&real.it_value, -slept_nsec());
    if (real.it_value.tv_sec < 0)
        real.it_value = (struct timespec){ 0, 1 };
    return (int)syscall(SYS_timerfd_settime, fd, TFD_TIMER_ABSTIME, &real, old);
}

int timerfd_create(clockid_t id, int flags) {
    int fd = (int)syscall(SYS_timerfd_create, id, flags);

    for (size_t i = 0; fd >= 0 && id == CLOCK_BOOTTIME && i < TIMERS; i++)
        if (timers[i].fd == 0) {
            timers[i].fd = fd + 1;
            break;
        }
    return fd;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *at, struct itimerspec *old) {
    for (size_t i = 0; i < TIMERS; i++)
        if (timers[i].fd == fd + 1 && flags & TFD_TIMER_ABSTIME) {
            timers[i].at = *at;
            return arm(fd, at, old);
        }
    return (int)syscall(SYS_timerfd_settime, fd, flags, at, old);
}

static void arm_again(void) {
    if (slept_nsec() == armed_for_nsec)
        return;
    armed_for_nsec = slept_nsec();
    for (size_t i = 0; i < TIMERS; i++)
        if (timers[i].fd != 0)
            (void)arm(timers[i].fd - 1, &timers[i].at, NULL);
}

/* In slices, so that a sleep is noticed. */
int epoll_pwait2(int fd, struct epoll_event *events, int max, const struct timespec *timeout,
                 const sigset_t *mask) {
    int64_t left = timeout ? timeout->tv_sec * 1000000000 + timeout->tv_nsec : INT64_MAX;

    for (;;) {
        struct timespec slice = { 0, left < SLICE_NSEC ? left : SLICE_NSEC };
        int r;

        arm_again();
        r = (int)syscall(SYS_epoll_pwait2, fd, events, max, &slice, mask, sizeof(uint64_t));
        left -= slice.tv_nsec;
        if (r != 0 || left <= 0)
            return r;
    }
}

int epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms) {
    struct timespec timeout = { timeout_ms / 1000, timeout_ms % 1000 * 1000000L };

    return epoll_pwait2(fd, events, max, timeout_ms < 0 ? NULL : &timeout, NULL);
}
