/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/http_curl_resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "lib/util/macros.h"

/* For the whole process: after a reload, threads of the old client may still hang. The unit's TasksMax=
 * leaves room for child processes besides them. */
#define THREADS_MAX      40U
#define THREADS_SLOW_MAX (THREADS_MAX / 2)
#define STACK_SIZE       (256 * 1024)
/* An older query does not prevent a new one. */
#define QUERY_LOST_USEC (60 * USEC_PER_SEC)
/* How long addresses are used while the resolver fails, and how soon it is asked again. */
#define OLD_MAX_USEC   (24 * 3600 * USEC_PER_SEC)
#define OLD_RETRY_USEC (2 * USEC_PER_SEC)
#define ENTRIES_MAX    1024U

/* Where threads put their answers. Freed when the last thread and the resolver have released it. */
typedef struct Mailbox {
    pthread_mutex_t lock;
    unsigned n_refs;
    bool closed;
    int event_fd;
    struct Query *answered;
} Mailbox;

typedef struct Query {
    struct Query *next;
    Mailbox *box;
    uint64_t number;
    int error, error_number; /* from getaddrinfo */
    CurlAddresses addresses;
    char host[CURL_HOST_MAX];
} Query;

typedef struct Entry {
    struct Entry *next;
    uint64_t asked_number; /* the running query; 0: none */
    uint64_t asked_usec;
    bool waiting; /* for a thread */
    bool slow;
    uint64_t fresh_until_usec, old_until_usec;
    uint64_t used_usec;
    CurlAddresses addresses;
    char host[CURL_HOST_MAX];
} Entry;

struct CurlResolver {
    uint64_t life_usec;
    CurlResolved resolved;
    void *userdata;
    unsigned n_refs;
    bool closed;
    Mailbox *box;
    sd_event_source *io;
    uint64_t last_number;
    Entry *entries;
    unsigned n_entries;
};

static atomic_uint n_threads;

static uint64_t now_usec(void) {
    struct timespec ts = { 0 };

    (void)clock_gettime(CLOCK_BOOTTIME, &ts);
    return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

bool curl_is_address(const char *text) {
    struct in6_addr address;

    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

/* ---- the mailbox, shared by both sides ---- */

static void mailbox_unref(Mailbox *box) {
    bool last;

    pthread_mutex_lock(&box->lock);
    last = --box->n_refs == 0;
    pthread_mutex_unlock(&box->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&box->lock);
    free(box);
}

static Mailbox *mailbox_new(void) {
    Mailbox *box;

    box = calloc(1, sizeof(*box));
    if (!box)
        return NULL;
    box->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (box->event_fd < 0 || pthread_mutex_init(&box->lock, NULL) != 0) {
        if (box->event_fd >= 0)
            close(box->event_fd);
        free(box);
        return NULL;
    }
    box->n_refs = 1;
    return box;
}

static Query *mailbox_take_all(Mailbox *box) {
    Query *all;

    pthread_mutex_lock(&box->lock);
    all = box->answered;
    box->answered = NULL;
    pthread_mutex_unlock(&box->lock);
    return all;
}

static void free_queries(Query *q) {
    Query *next;

    for (; q; q = next) {
        next = q->next;
        free(q);
    }
}

static void mailbox_close(Mailbox *box) {
    pthread_mutex_lock(&box->lock);
    box->closed = true;
    close(box->event_fd);
    pthread_mutex_unlock(&box->lock);
    free_queries(mailbox_take_all(box));
    mailbox_unref(box);
}

/* ---- runs in a thread: must not use the resolver ---- */

static unsigned count_family(const struct addrinfo *list, int family) {
    unsigned n = 0;

    for (; list; list = list->ai_next)
        n += list->ai_family == family;
    return n;
}

static const void *address_of(const struct addrinfo *info) {
    if (info->ai_family == AF_INET)
        return &((const struct sockaddr_in *)(const void *)info->ai_addr)->sin_addr;
    return &((const struct sockaddr_in6 *)(const void *)info->ai_addr)->sin6_addr;
}

/* In the resolver's order. Each family keeps half of the room if the other has many addresses. */
static void take_addresses(const struct addrinfo *list, CurlAddresses *ret) {
    static const int families[] = { AF_INET, AF_INET6 };
    unsigned left[ARRAY_SIZE(families)];

    for (size_t f = 0; f < ARRAY_SIZE(families); f++)
        left[f] = count_family(list, families[!f]) > 0 ? CURL_ADDRESSES_MAX / 2 : CURL_ADDRESSES_MAX;
    for (; list; list = list->ai_next)
        for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
            if (list->ai_family != families[f] || left[f] == 0)
                continue;
            if (inet_ntop(families[f], address_of(list), ret->texts[ret->n], INET6_ADDRSTRLEN)) {
                ret->n++;
                left[f]--;
            }
        }
}

static void look_up(Query *q) {
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;

    q->error = getaddrinfo(q->host, NULL, &hints, &list);
    q->error_number = q->error == EAI_SYSTEM ? errno : 0;
    if (q->error != 0)
        return;
    take_addresses(list, &q->addresses);
    freeaddrinfo(list);
    if (q->addresses.n == 0)
        q->error = EAI_NONAME;
}

static void *run(void *arg) {
    const uint64_t one = 1;
    Query *q = arg;
    Mailbox *box = q->box;

    look_up(q);
    (void)atomic_fetch_sub(&n_threads, 1);
    pthread_mutex_lock(&box->lock);
    if (!box->closed) {
        q->next = box->answered;
        box->answered = q;
        q = NULL;
        (void)!write(box->event_fd, &one, sizeof(one));
    }
    pthread_mutex_unlock(&box->lock);
    free(q);
    mailbox_unref(box);
    return NULL;
}

/* Blocks all signals in the thread: they belong to the loop. 0 or a positive errno. */
static int start_detached(Query *q) {
    sigset_t all, before;
    pthread_attr_t attr;
    pthread_t thread;
    int e;

    e = pthread_attr_init(&attr);
    if (e != 0)
        return e;
    (void)sigfillset(&all);
    (void)pthread_attr_setstacksize(&attr, STACK_SIZE);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    e = pthread_create(&thread, &attr, run, q);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return e;
}

/* ---- entries ---- */

static Entry *find(const CurlResolver *r, const char *host) {
    Entry *e;

    for (e = r->entries; e; e = e->next)
        if (strcmp(e->host, host) == 0)
            break;
    return e;
}

/* Drops the least recently used entry without a query. */
static void drop_one(CurlResolver *r) {
    Entry **oldest = NULL;

    for (Entry **p = &r->entries; *p; p = &(*p)->next)
        if ((*p)->asked_number == 0 && !(*p)->waiting && (!oldest || (*p)->used_usec < (*oldest)->used_usec))
            oldest = p;
    if (oldest) {
        Entry *e = *oldest;

        *oldest = e->next;
        r->n_entries--;
        free(e);
    }
}

static Entry *find_or_add(CurlResolver *r, const char *host) {
    Entry *e = find(r, host);

    if (e)
        return e;
    if (strlen(host) >= sizeof(e->host))
        return NULL;
    if (r->n_entries >= ENTRIES_MAX)
        drop_one(r);
    e = calloc(1, sizeof(*e));
    if (!e)
        return NULL;
    (void)snprintf(e->host, sizeof(e->host), "%s", host);
    e->next = r->entries;
    r->entries = e;
    r->n_entries++;
    return e;
}

/* ---- queries ---- */

static int start_query(CurlResolver *r, Entry *e) {
    Query *q;
    int error;

    q = calloc(1, sizeof(*q));
    if (!q)
        return ENOMEM;
    (void)snprintf(q->host, sizeof(q->host), "%s", e->host);
    q->box = r->box;
    q->number = ++r->last_number;
    pthread_mutex_lock(&r->box->lock);
    r->box->n_refs++;
    pthread_mutex_unlock(&r->box->lock);
    (void)atomic_fetch_add(&n_threads, 1);
    error = start_detached(q);
    if (error != 0) {
        (void)atomic_fetch_sub(&n_threads, 1);
        mailbox_unref(r->box);
        free(q);
        return error;
    }
    e->asked_number = r->last_number;
    e->asked_usec = now_usec();
    return 0;
}

static bool may_start(const Entry *e) {
    return atomic_load(&n_threads) < (e->slow ? THREADS_SLOW_MAX : THREADS_MAX);
}

/* Starts waiting queries; repeated whenever a thread ends. */
static void resolve_start_waiting(CurlResolver *r) {
    for (Entry *e = r->entries; e; e = e->next)
        if (e->waiting && may_start(e) && start_query(r, e) == 0)
            e->waiting = false;
}

int curl_resolver_ask(CurlResolver *r, const char *host) {
    Entry *e = find_or_add(r, host);

    if (!e)
        return -ENOMEM;
    e->used_usec = now_usec();
    if (e->asked_number != 0 && e->used_usec - e->asked_usec < QUERY_LOST_USEC)
        return 0;
    e->waiting = true;
    resolve_start_waiting(r);
    return 0;
}

static bool is_final(int error) {
    return error == EAI_NONAME
#ifdef EAI_NODATA
           || error == EAI_NODATA
#endif
            ;
}

/* Addresses that worked stay in use while the resolver fails, because TLS authenticates the peer. A name
 * that does not exist any more is dropped. */
static const char *take_answer(CurlResolver *r, Entry *e, const Query *q) {
    uint64_t now = now_usec();

    e->asked_number = 0;
    if (q->error == 0) {
        e->slow = false;
        e->addresses = q->addresses;
        e->fresh_until_usec = now + r->life_usec;
        e->old_until_usec = now + OLD_MAX_USEC;
        return NULL;
    }
    if (is_final(q->error))
        e->addresses.n = 0;
    else if (e->addresses.n > 0 && now < e->old_until_usec) {
        e->fresh_until_usec = now + OLD_RETRY_USEC;
        return NULL;
    }
    return q->error == EAI_SYSTEM ? strerror(q->error_number) : gai_strerror(q->error);
}

static void resolver_unref(CurlResolver *r) {
    if (--r->n_refs == 0)
        free(r);
}

static int on_answers(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
    CurlResolver *r = userdata;
    uint64_t count;
    Query *all, *q;

    (void)source;
    (void)revents;
    (void)!read(fd, &count, sizeof(count));
    all = mailbox_take_all(r->box);
    r->n_refs++;
    for (q = all; q && !r->closed; q = q->next) {
        Entry *e = find(r, q->host);

        if (e && (e->asked_number == q->number || q->error == 0))
            r->resolved(q->host, take_answer(r, e, q), r->userdata);
    }
    if (!r->closed)
        resolve_start_waiting(r);
    resolver_unref(r);
    free_queries(all);
    return 0;
}

/* ---- the interface ---- */

int curl_resolver_new(sd_event *event, uint64_t life_usec, CurlResolved resolved, void *userdata,
                      CurlResolver **ret) {
    CurlResolver *r;
    int error;

    r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    *r = (CurlResolver){ .life_usec = life_usec, .resolved = resolved, .userdata = userdata, .n_refs = 1 };
    r->box = mailbox_new();
    error = r->box ? sd_event_add_io(event, &r->io, r->box->event_fd, EPOLLIN, on_answers, r) : -ENOMEM;
    if (error < 0) {
        curl_resolver_free(r);
        return error;
    }
    *ret = r;
    return 0;
}

void curl_resolver_free(CurlResolver *r) {
    Entry *next;

    if (!r)
        return;
    r->closed = true;
    r->io = sd_event_source_disable_unref(r->io);
    if (r->box)
        mailbox_close(r->box);
    for (Entry *e = r->entries; e; e = next) {
        next = e->next;
        free(e);
    }
    r->entries = NULL;
    resolver_unref(r);
}

/* RFC 6761, 6.3: these names mean this host, whatever a server says. /etc/hosts may be missing. */
static bool is_localhost(const char *host) {
    size_t len = strlen(host), n = strlen("localhost");

    if (len > 0 && host[len - 1] == '.')
        len--;
    return len >= n && strncmp(host + len - n, "localhost", n) == 0 &&
           (len == n || host[len - n - 1] == '.');
}

CurlNameState curl_resolver_find(const CurlResolver *r, const char *host, CurlAddresses *ret) {
    Entry *e = find(r, host);
    uint64_t now = now_usec();

    if (is_localhost(host)) {
        *ret = (CurlAddresses){ .n = 2, .texts = { "::1", "127.0.0.1" } };
        return CURL_NAME_FRESH;
    }
    if (!e || e->addresses.n == 0 || now >= e->old_until_usec)
        return CURL_NAME_UNKNOWN;
    e->used_usec = now;
    *ret = e->addresses;
    return now < e->fresh_until_usec ? CURL_NAME_FRESH : CURL_NAME_OLD;
}

void curl_resolver_expire(CurlResolver *r, const char *host) {
    Entry *e = find(r, host);

    if (e)
        e->fresh_until_usec = 0;
}

void curl_resolver_give_up(CurlResolver *r, const char *host) {
    Entry *e = find(r, host);

    if (e)
        e->slow = true;
}

void curl_resolver_prefer(CurlResolver *r, const char *host, const char *address) {
    Entry *e = find(r, host);
    char first[INET6_ADDRSTRLEN];

    for (unsigned i = 1; e && i < e->addresses.n; i++) {
        if (strcmp(e->addresses.texts[i], address) != 0)
            continue;
        memcpy(first, e->addresses.texts[i], sizeof(first));
        memmove(e->addresses.texts[1], e->addresses.texts[0], i * sizeof(first));
        memcpy(e->addresses.texts[0], first, sizeof(first));
        return;
    }
}

/* ==== races: which address accepts first ==== */

/* As recommended by RFC 8305. */
#define STAGGER_USEC (250 * USEC_PER_MSEC)

typedef struct Runner {
    CurlRace *race;
    unsigned address;
    sd_event_source *io; /* owns its socket; NULL: not started, or failed */
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

/* Schedules the next attempt: after a while, or at once after a failure. */
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
