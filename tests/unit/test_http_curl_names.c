/* SPDX-License-Identifier: Apache-2.0 */
/* Names, resolvers that hang or fail, and addresses that do not answer. */
/* link: -Wl,--wrap=getaddrinfo */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/http_curl.h"
#include "lib/util/macros.h"
#include "tests/unit/local_server.h"

#define PATIENCE_MSEC  20000U
#define NAME_LIFE_MSEC 300U

/* ---- the resolver: "hang*" never ends until it is let go, all else is as `answer` says ---- */

int __real_getaddrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **);
int __wrap_getaddrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static struct Resolver {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool hang_all, let_go;
    int error;
    const char *addresses; /* separated by blanks */
    unsigned n_asked, n_hanging, n_hanging_max;
} resolver = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static int read_addresses(const char *texts, struct addrinfo **ret) {
    const struct addrinfo numeric = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM };
    struct addrinfo **tail = ret;
    char copy[256], *save = NULL;

    snprintf(copy, sizeof(copy), "%s", texts);
    for (char *s = strtok_r(copy, " ", &save); s; s = strtok_r(NULL, " ", &save)) {
        if (__real_getaddrinfo(s, NULL, &numeric, tail) != 0)
            abort();
        tail = &(*tail)->ai_next;
    }
    return 0;
}

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret) {
    int error;

    (void)service;
    (void)hints;
    pthread_mutex_lock(&resolver.lock);
    resolver.n_asked++;
    if (resolver.hang_all || strncmp(host, "hang", 4) == 0) {
        resolver.n_hanging++;
        resolver.n_hanging_max = MAX(resolver.n_hanging_max, resolver.n_hanging);
        while (!resolver.let_go)
            pthread_cond_wait(&resolver.changed, &resolver.lock);
        resolver.n_hanging--;
        pthread_cond_broadcast(&resolver.changed);
    }
    error = resolver.error ? resolver.error : read_addresses(resolver.addresses, ret);
    pthread_mutex_unlock(&resolver.lock);
    return error;
}

static void set_resolver(bool hang_all, int error, const char *addresses) {
    pthread_mutex_lock(&resolver.lock);
    resolver.hang_all = hang_all;
    resolver.error = error;
    resolver.addresses = addresses;
    pthread_mutex_unlock(&resolver.lock);
}

static unsigned count(const unsigned *what) {
    unsigned n;

    pthread_mutex_lock(&resolver.lock);
    n = *what;
    pthread_mutex_unlock(&resolver.lock);
    return n;
}

/* So that no thread of one test is left to the next. */
static void let_all_go(void) {
    pthread_mutex_lock(&resolver.lock);
    resolver.let_go = true;
    pthread_cond_broadcast(&resolver.changed);
    while (resolver.n_hanging > 0)
        pthread_cond_wait(&resolver.changed, &resolver.lock);
    pthread_mutex_unlock(&resolver.lock);
}

/* ---- the fixture ---- */

typedef struct Fixture {
    sd_event *event;
    HttpClient *http;
    LocalServer *server;
    unsigned port;
    int dead[8];
    unsigned n_dead;
} Fixture;

typedef struct Got {
    unsigned n;
    HttpResult result;
    bool held_up;
    char error[512];
    uint64_t took_msec, begun_msec;
} Got;

static uint64_t now_msec(void) {
    struct timespec ts;

    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static int set_up(void **state) {
    Fixture *f = calloc(1, sizeof(*f));
    char error[256] = "";

    assert_non_null(f);
    resolver.n_asked = resolver.n_hanging_max = 0;
    resolver.let_go = false;
    set_resolver(false, 0, "127.0.0.1");
    assert_true(sd_event_new(&f->event) >= 0);
    f->server = local_server_new(NULL);
    f->port = local_server_port(f->server);
    assert_int_equal(http_curl_new(f->event,
                                   &(HttpCurlOptions){
                                           .max_connections = 512,
                                           .connection_life_sec = 1,
                                           .name_life_usec = NAME_LIFE_MSEC * USEC_PER_MSEC,
                                   },
                                   error, sizeof(error), &f->http),
                     0);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    Fixture *f = *state;

    http_curl_free(f->http);
    let_all_go();
    local_server_free(f->server);
    while (f->n_dead > 0)
        (void)close(f->dead[--f->n_dead]);
    sd_event_unref(f->event);
    free(f);
    return 0;
}

static void on_done(const HttpResponse *response, void *userdata) {
    Got *got = userdata;

    got->n++;
    got->result = response->result;
    got->held_up = response->held_up;
    got->took_msec = now_msec() - got->begun_msec;
    snprintf(got->error, sizeof(got->error), "%s", response->error);
}

static void run_until(Fixture *f, const Got *got) {
    uint64_t start = now_msec();

    while (got->n == 0) {
        assert_true(now_msec() - start < PATIENCE_MSEC);
        assert_true(sd_event_run(f->event, 100000) >= 0);
    }
}

static void run_for(Fixture *f, unsigned msec) {
    for (uint64_t start = now_msec(); now_msec() - start < msec;)
        assert_true(sd_event_run(f->event, 5000) >= 0);
}

static void submit(Fixture *f, const char *host, const char *path, unsigned connect_msec, Got *got) {
    HttpRequest request = {
        .method = "GET",
        .connect_timeout_usec = connect_msec * USEC_PER_MSEC,
        .timeout_usec = 2 * connect_msec * USEC_PER_MSEC,
    };
    char url[256];

    snprintf(url, sizeof(url), "http://%s:%u%s", host, f->port, path);
    request.url = url;
    *got = (Got){ .begun_msec = now_msec() };
    assert_int_equal(http_submit(f->http, &request, on_done, got, NULL), 0);
    assert_int_equal(got->n, 0);
}

static void get(Fixture *f, const char *host, Got *got) {
    submit(f, host, "/echo", 10000, got);
    run_until(f, got);
}

static void assert_answered(const Got *got) {
    assert_string_equal(got->error, "");
    assert_int_equal(got->result, HTTP_ANSWERED);
}

/* ---- resolvers ---- */

static void test_a_name_that_hangs_holds_up_nobody(void **state) {
    Fixture *f = *state;
    Got hung, again, good;
    uint64_t start;

    submit(f, "hang.test", "/echo", 400, &hung);
    start = now_msec();
    get(f, "good.test", &good);
    assert_answered(&good);
    assert_true(now_msec() - start < 2000);
    run_until(f, &hung);
    assert_int_equal(hung.result, HTTP_TIMED_OUT);
    assert_false(hung.held_up);
    assert_non_null(strstr(hung.error, "could not resolve hang.test within "));
    assert_true(hung.took_msec >= 400 && hung.took_msec < 5000);

    /* A second try waits for the same thread. */
    submit(f, "hang.test", "/echo", 100, &again);
    run_until(f, &again);
    assert_int_equal(again.result, HTTP_TIMED_OUT);
    assert_int_equal(count(&resolver.n_asked), 2);

    start = now_msec();
    submit(f, "hang.test", "/echo", 10000, &again);
    run_for(f, 50);
    http_curl_free(TAKE_PTR(f->http));
    assert_true(now_msec() - start < 2000);
    assert_int_equal(again.n, 0);
    assert_int_equal(count(&resolver.n_hanging), 1);
}

static void test_a_late_answer_is_used(void **state) {
    Fixture *f = *state;
    Got got;

    submit(f, "hang.test", "/echo", 10000, &got);
    run_for(f, 100);
    assert_int_equal(got.n, 0);
    let_all_go();
    run_until(f, &got);
    assert_answered(&got);
}

static void test_threads_are_bounded_and_names_that_hang_leave_others_theirs(void **state) {
    enum { N = 300 };
    Fixture *f = *state;
    Got *hung = calloc(N, sizeof(*hung)), good;
    char host[32];

    assert_non_null(hung);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < N; i++) {
            snprintf(host, sizeof(host), "hang%u.test", i);
            submit(f, host, "/echo", 300, &hung[i]);
        }
        for (unsigned i = 0; i < N; i++) {
            run_until(f, &hung[i]);
            assert_int_equal(hung[i].result, HTTP_TIMED_OUT);
        }
    }
    assert_true(count(&resolver.n_hanging_max) <= 40);
    /* Now that they are known to be slow they may have half. */
    set_resolver(false, EAI_AGAIN, NULL);
    let_all_go();
    run_for(f, 400);
    resolver.let_go = false;
    for (unsigned i = 0; i < N; i++) {
        snprintf(host, sizeof(host), "hang%u.test", i);
        submit(f, host, "/echo", 2000, &hung[i]);
    }
    run_for(f, 100);
    assert_true(count(&resolver.n_hanging) <= 20);
    set_resolver(false, 0, "127.0.0.1");
    get(f, "good.test", &good);
    assert_answered(&good);
    assert_true(good.took_msec < 5000);
    http_curl_free(TAKE_PTR(f->http));
    free(hung);
}

static void test_answers_are_used_for_a_while(void **state) {
    Fixture *f = *state;
    Got got;

    for (unsigned i = 0; i < 5; i++) {
        get(f, "Good.test", &got);
        assert_answered(&got);
    }
    assert_int_equal(count(&resolver.n_asked), 1);
    run_for(f, NAME_LIFE_MSEC + 50);
    get(f, "good.test", &got);
    assert_answered(&got);
    assert_int_equal(count(&resolver.n_asked), 2);
}

static void test_failures_are_not_remembered(void **state) {
    Fixture *f = *state;
    Got got;

    set_resolver(false, EAI_AGAIN, NULL);
    get(f, "good.test", &got);
    assert_int_equal(got.result, HTTP_RESOLVE_FAILED);
    assert_non_null(strstr(got.error, ": could not resolve good.test: "));
    set_resolver(false, 0, "127.0.0.1");
    get(f, "good.test", &got);
    assert_answered(&got);
}

static void test_known_addresses_outlive_the_resolver_but_not_the_name(void **state) {
    Fixture *f = *state;
    Got got;

    get(f, "good.test", &got);
    assert_answered(&got);
    set_resolver(false, EAI_AGAIN, NULL);
    run_for(f, NAME_LIFE_MSEC + 50);
    get(f, "good.test", &got);
    assert_answered(&got);
    set_resolver(true, 0, "127.0.0.1");
    run_for(f, 2100); /* after an error the addresses are good for that long */
    get(f, "good.test", &got);
    assert_answered(&got);
    assert_true(got.took_msec < 5000);
    let_all_go();
    set_resolver(false, EAI_NONAME, NULL);
    run_for(f, NAME_LIFE_MSEC + 50);
    get(f, "good.test", &got);
    assert_int_equal(got.result, HTTP_RESOLVE_FAILED);
}

/* RFC 6761: it is this host, where no file and no server knows the name, and where one says otherwise. */
static void test_localhost_is_not_asked_for(void **state) {
    static const char *const names[] = { "localhost", "LocalHost", "simulator.localhost" };
    Fixture *f = *state;
    Got got;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        set_resolver(false, EAI_NONAME, NULL);
        get(f, names[i], &got);
        assert_answered(&got);
        set_resolver(false, 0, "127.0.0.9");
        get(f, names[i], &got);
        assert_answered(&got);
    }
    assert_int_equal(count(&resolver.n_asked), 0);
    get(f, "notlocalhost", &got);
    assert_int_equal(got.result, HTTP_CONNECT_FAILED);
    get(f, "localhost.test", &got);
    assert_int_equal(got.result, HTTP_CONNECT_FAILED);
    assert_int_equal(count(&resolver.n_asked), 2);
}

/* Where the old address does not answer any more, the name is asked for at once. */
static void test_a_name_that_points_elsewhere_is_followed(void **state) {
    Fixture *f = *state;
    Got got;

    set_resolver(false, 0, "127.0.0.9"); /* nobody listens there */
    get(f, "good.test", &got);
    assert_int_equal(got.result, HTTP_CONNECT_FAILED);
    set_resolver(false, 0, "127.0.0.1");
    get(f, "good.test", &got);
    assert_answered(&got);
}

/* The name points elsewhere while a connection is in use without a pause. */
static void test_connections_end(void **state) {
    Fixture *f = *state;
    unsigned n_first;
    Got got;

    for (uint64_t start = now_msec(); now_msec() - start < 300;)
        get(f, "good.test", &got);
    n_first = local_server_n_connections(f->server);
    for (uint64_t start = now_msec(); local_server_n_connections(f->server) == n_first;) {
        assert_true(now_msec() - start < PATIENCE_MSEC);
        get(f, "good.test", &got);
        assert_answered(&got);
        run_for(f, 50);
    }
    set_resolver(false, 0, "127.0.0.9");
    for (uint64_t start = now_msec(); got.result == HTTP_ANSWERED;) {
        assert_true(now_msec() - start < PATIENCE_MSEC);
        get(f, "good.test", &got);
        run_for(f, 50);
    }
    assert_int_equal(got.result, HTTP_CONNECT_FAILED);
}

/* ---- several addresses ---- */

/* Listens with a full queue, so that the kernel drops what comes. */
static void add_dead(Fixture *f, const char *address) {
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)f->port) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)f->port) };
    bool is_v6 = strchr(address, ':');
    struct sockaddr *sa = is_v6 ? (struct sockaddr *)(void *)&v6 : (struct sockaddr *)(void *)&v4;
    socklen_t size = is_v6 ? sizeof(v6) : sizeof(v4);
    int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(inet_pton(sa->sa_family, address, is_v6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr),
                     1);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, sa, size), 0);
    assert_int_equal(listen(fd, 0), 0);
    f->dead[f->n_dead++] = fd;
    fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, sa, size), 0);
    f->dead[f->n_dead++] = fd;
}

static bool has_ipv6(void) {
    struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)(void *)&address, sizeof(address)) == 0;

    if (fd >= 0)
        (void)close(fd);
    return has;
}

static void test_dead_addresses_cost_little(void **state) {
    static const char *const orders[] = {
        "127.0.0.2 127.0.0.3 127.0.0.1", "127.0.0.2 127.0.0.1 127.0.0.3",
        "127.0.0.1 127.0.0.2 127.0.0.3", "127.0.0.9 127.0.0.2 127.0.0.1", /* refused, dead, alive */
        "::1 127.0.0.2 127.0.0.1",
    };
    Fixture *f = *state;
    Got many[5];

    add_dead(f, "127.0.0.2");
    add_dead(f, "127.0.0.3");
    if (has_ipv6())
        add_dead(f, "::1");
    for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
        char host[32];

        set_resolver(false, 0, orders[i]);
        snprintf(host, sizeof(host), "host%zu.test", i);
        for (size_t k = 0; k < ARRAY_SIZE(many); k++)
            submit(f, host, "/echo", 10000, &many[k]);
        for (size_t k = 0; k < ARRAY_SIZE(many); k++) {
            run_until(f, &many[k]);
            assert_answered(&many[k]);
            if (many[k].took_msec >= 3500)
                fail_msg("%s: took %llu ms", orders[i], (unsigned long long)many[k].took_msec);
        }
    }
}

static void test_where_all_addresses_are_dead_it_times_out(void **state) {
    Fixture *f = *state;
    Got got;

    add_dead(f, "127.0.0.2");
    add_dead(f, "127.0.0.3");
    set_resolver(false, 0, "127.0.0.2 127.0.0.3");
    submit(f, "dead.test", "/echo", 1500, &got);
    run_until(f, &got);
    assert_int_equal(got.result, HTTP_TIMED_OUT);
    assert_true(got.took_msec < 4000);
}

/* A server that is slow to answer is no dead address. */
static void test_a_slow_answer_starts_no_second_connection(void **state) {
    Fixture *f = *state;
    Got got;

    set_resolver(false, 0, "127.0.0.1 127.0.0.2");
    submit(f, "slow.test", "/hang", 700, &got);
    run_until(f, &got);
    assert_int_equal(got.result, HTTP_TIMED_OUT);
    assert_int_equal(local_server_n_connections(f->server), 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(test_a_name_that_hangs_holds_up_nobody),
        T(test_a_late_answer_is_used),
        T(test_threads_are_bounded_and_names_that_hang_leave_others_theirs),
        T(test_answers_are_used_for_a_while),
        T(test_failures_are_not_remembered),
        T(test_known_addresses_outlive_the_resolver_but_not_the_name),
        T(test_localhost_is_not_asked_for),
        T(test_a_name_that_points_elsewhere_is_followed),
        T(test_connections_end),
        T(test_dead_addresses_cost_little),
        T(test_where_all_addresses_are_dead_it_times_out),
        T(test_a_slow_answer_starts_no_second_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
