/* SPDX-License-Identifier: Apache-2.0 */
/* All connections are in use, or as many are open as may be: which one ends, and for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>

#include <cmocka.h>

#include "lib/http_curl.h"
#include "lib/util/macros.h"
#include "tests/unit/between.h"
#include "tests/unit/local_server.h"

#define TURNS_MAX 4000U /* of 10 ms at most */

typedef struct Full {
    sd_event *event;
    HttpClient *http;
    LocalServer *servers[3];
} Full;

typedef struct Ended {
    unsigned n;
    HttpResult result;
    bool held_up;
    char error[256];
} Ended;

static int open_client(void **state, unsigned max_connections) {
    Full *f = calloc(1, sizeof(*f));
    char error[256] = "";

    assert_non_null(f);
    assert_true(sd_event_new(&f->event) >= 0);
    for (unsigned i = 0; i < ARRAY_SIZE(f->servers); i++)
        f->servers[i] = local_server_new(NULL);
    assert_int_equal(http_curl_new(f->event, &(HttpCurlOptions){ .max_connections = max_connections }, error,
                                   sizeof(error), &f->http),
                     0);
    *state = f;
    return 0;
}

static int open_two(void **state) {
    return open_client(state, 2);
}

static int open_eight(void **state) {
    return open_client(state, 8);
}

static int close_all(void **state) {
    Full *f = *state;

    http_curl_free(f->http);
    for (unsigned i = 0; i < ARRAY_SIZE(f->servers); i++)
        local_server_free(f->servers[i]);
    sd_event_unref(f->event);
    free(f);
    return 0;
}

static void note_end(const HttpResponse *response, void *userdata) {
    Ended *ended = userdata;

    ended->n++;
    ended->result = response->result;
    ended->held_up = response->held_up;
    snprintf(ended->error, sizeof(ended->error), "%s", response->error);
}

static void send_to(Full *f, unsigned server, const char *path, HttpRequest request, Ended *ended) {
    char url[128];

    snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", local_server_port(f->servers[server]), path);
    request.url = url;
    request.method = "GET";
    request.connect_timeout_usec = 5 * USEC_PER_SEC;
    request.timeout_usec = 30 * USEC_PER_SEC;
    *ended = (Ended){ 0 };
    assert_int_equal(http_submit(f->http, &request, note_end, ended, NULL), 0);
}

static void await(Full *f, const Ended *ended) {
    for (unsigned i = 0; ended->n == 0; i++) {
        assert_true(i < TURNS_MAX);
        assert_true(sd_event_run(f->event, 10 * USEC_PER_MSEC) >= 0);
    }
    assert_int_equal(ended->n, 1);
}

static void get(Full *f, unsigned server, const char *path) {
    Ended ended;

    send_to(f, server, path, (HttpRequest){ 0 }, &ended);
    await(f, &ended);
    assert_int_equal(ended.result, HTTP_ANSWERED);
}

/* libcurl reports no use of a connection whose answer is there as soon as the request is written. */
static void get_from(Full *f, unsigned server) {
    get(f, server, "/late/20");
}

static unsigned count_given_up(const Full *f) {
    HttpCurlStats stats;

    http_curl_stats(f->http, &stats);
    return (unsigned)stats.given_up;
}

/* One that hangs makes room long before its time, as soon as another waits for it. */
static void test_what_hangs_makes_room(void **state) {
    Full *f = *state;
    Ended hang, other, waiting;

    send_to(f, 0, "/hang", (HttpRequest){ 0 }, &other); /* it may not be asked again: it has its time */
    send_to(f, 1, "/hang", (HttpRequest){ .repeatable = true }, &hang);
    for (unsigned i = 0; i < 100; i++)
        assert_true(sd_event_run(f->event, 10 * USEC_PER_MSEC) >= 0);
    assert_int_equal(hang.n, 0); /* nobody waits */
    send_to(f, 2, "/echo", (HttpRequest){ 0 }, &waiting);
    await(f, &waiting);
    assert_int_equal(waiting.result, HTTP_ANSWERED);
    assert_int_equal(hang.n, 1);
    assert_int_equal(hang.result, HTTP_TIMED_OUT);
    assert_false(hang.held_up);
    assert_non_null(strstr(hang.error, "while others waited for a connection"));
    assert_int_equal(other.n, 0);
    assert_int_equal(count_given_up(f), 1);
}

/* ... but not for one that hung before. */
static void test_nothing_makes_room_for_what_is_suspect(void **state) {
    Full *f = *state;
    Ended hang[2], suspect;

    for (unsigned i = 0; i < ARRAY_SIZE(hang); i++)
        send_to(f, i, "/hang", (HttpRequest){ .repeatable = true }, &hang[i]);
    send_to(f, 2, "/echo", (HttpRequest){ .suspect = true, .repeatable = true }, &suspect);
    for (unsigned i = 0; i < 150; i++)
        assert_true(sd_event_run(f->event, 10 * USEC_PER_MSEC) >= 0);
    assert_int_equal(hang[0].n + hang[1].n + suspect.n, 0);
    assert_int_equal(count_given_up(f), 0);
}

/* A host without a connection gets one in place of the one that was not used for longest. */
static void test_the_one_idle_for_longest_makes_room(void **state) {
    Full *f = *state;

    get_from(f, 0);
    get_from(f, 1);
    get_from(f, 0);
    get_from(f, 2);
    get_from(f, 0);
    assert_int_equal(local_server_n_connections(f->servers[0]), 1);
    get_from(f, 1);
    assert_int_equal(local_server_n_connections(f->servers[1]), 2);
    assert_int_equal(local_server_n_connections(f->servers[0]), 1);
    get_from(f, 2);
    assert_int_equal(local_server_n_connections(f->servers[2]), 2);
}

static unsigned count_sockets(void) {
    unsigned n = 0;

    for (int fd = 0; fd < 256; fd++) {
        struct stat st;

        n += fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
    }
    return n;
}

/* More are opened because the first takes long. Two thousand requests later the first of them is closed. */
static void test_what_is_not_used_is_closed(void **state) {
    Full *f = *state;
    Ended ended[4];
    unsigned before, n_connections;

    for (unsigned i = 0; i < ARRAY_SIZE(ended); i++)
        send_to(f, 0, "/late/800", (HttpRequest){ 0 }, &ended[i]);
    for (unsigned i = 0; i < ARRAY_SIZE(ended); i++)
        await(f, &ended[i]);
    n_connections = local_server_n_connections(f->servers[0]);
    assert_between(n_connections, 3, 4);
    before = count_sockets();
    for (unsigned i = 0; i < 1900; i++)
        get(f, 0, "/late/1");
    assert_int_equal(count_sockets(), before);
    for (unsigned i = 0; i < 300; i++)
        get(f, 0, "/late/1");
    /* libcurl looks at its connections with a request, once a second */
    for (unsigned i = 0; i < 400 && count_sockets() > before - 2; i++) {
        get_from(f, 0);
        assert_true(sd_event_run(f->event, 10 * USEC_PER_MSEC) >= 0);
    }
    assert_true(count_sockets() <= before - 2);
    assert_int_equal(local_server_n_connections(f->servers[0]), n_connections);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_hangs_makes_room, open_two, close_all),
        cmocka_unit_test_setup_teardown(test_nothing_makes_room_for_what_is_suspect, open_two, close_all),
        cmocka_unit_test_setup_teardown(test_what_is_not_used_is_closed, open_eight, close_all),
        cmocka_unit_test_setup_teardown(test_the_one_idle_for_longest_makes_room, open_two, close_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
