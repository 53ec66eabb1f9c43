/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/http_curl_race.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "lib/util/macros.h"

/* As RFC 8305 has it. */
#define STAGGER_USEC (250 * USEC_PER_MSEC)

typedef struct Runner {
    CurlRace *race;
    unsigned address;
    sd_event_source *io; /* owns its socket; NULL: not started, or out */
} Runner;

struct CurlRace {
    sd_event *event;
    CurlAddresses addresses;
    unsigned port;
    CurlRaceDone done;
    void *userdata;
    sd_event_source *next_timer;
    unsigned n_started, n_out;
    Runner runners[CURL_ADDRESSES_MAX];
};

static socklen_t make_address(const char *text, unsigned port, struct sockaddr_storage *ret) {
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)ret;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)ret;

    memset(ret, 0, sizeof(*ret));
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        return sizeof(*v4);
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
        return 0;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)port);
    return sizeof(*v6);
}

/* The next one is due: after a while, or at once when the last has failed. */
static void schedule_next(CurlRace *race, uint64_t after_usec) {
    struct timespec ts = { 0 };

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    (void)sd_event_source_set_time(race->next_timer, (uint64_t)ts.tv_sec * USEC_PER_SEC +
                                                             (uint64_t)ts.tv_nsec / 1000 + after_usec);
    (void)sd_event_source_set_enabled(race->next_timer, SD_EVENT_ONESHOT);
}

static void runner_out(Runner *runner) {
    runner->io = sd_event_source_disable_unref(runner->io);
    runner->race->n_out++;
    schedule_next(runner->race, 0);
}

static int on_connected(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
    Runner *runner = userdata;
    CurlRace *race = runner->race;
    socklen_t size = sizeof(int);
    int error = 0;

    (void)source;
    (void)revents;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error != 0) {
        runner_out(runner);
        return 0;
    }
    race->done(race->addresses.texts[runner->address], race->userdata);
    return 0;
}

static int start_runner(Runner *runner) {
    CurlRace *race = runner->race;
    struct sockaddr_storage address;
    socklen_t size = make_address(race->addresses.texts[runner->address], race->port, &address);
    int fd, r;

    if (size == 0)
        return -EINVAL;
    fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)(void *)&address, size) < 0 && errno != EINPROGRESS) {
        r = -errno;
        close(fd);
        return r;
    }
    r = sd_event_add_io(race->event, &runner->io, fd, EPOLLOUT, on_connected, runner);
    if (r < 0) {
        close(fd);
        return r;
    }
    (void)sd_event_source_set_io_fd_own(runner->io, true);
    return 0;
}

static int on_next(sd_event_source *source, uint64_t usec, void *userdata) {
    CurlRace *race = userdata;
    Runner *runner;

    (void)source;
    (void)usec;
    if (race->n_out == race->addresses.n) {
        race->done(NULL, race->userdata);
        return 0;
    }
    if (race->n_started == race->addresses.n)
        return 0;
    runner = &race->runners[race->n_started++];
    *runner = (Runner){ .race = race, .address = race->n_started % race->addresses.n };
    if (start_runner(runner) < 0)
        runner_out(runner);
    else
        schedule_next(race, STAGGER_USEC);
    return 0;
}

int curl_race_new(sd_event *event, const CurlAddresses *addresses, unsigned port, CurlRaceDone done,
                  void *userdata, CurlRace **ret) {
    CurlRace *race;
    int r;

    race = calloc(1, sizeof(*race));
    if (!race)
        return -ENOMEM;
    *race = (CurlRace){
        .event = event, .addresses = *addresses, .port = port, .done = done, .userdata = userdata
    };
    r = sd_event_add_time(event, &race->next_timer, CLOCK_MONOTONIC, 0, 1, on_next, race);
    if (r < 0) {
        free(race);
        return r;
    }
    *ret = race;
    return 0;
}

void curl_race_free(CurlRace *race) {
    if (!race)
        return;
    sd_event_source_disable_unref(race->next_timer);
    for (unsigned i = 0; i < race->n_started; i++)
        sd_event_source_disable_unref(race->runners[i].io);
    free(race);
}
