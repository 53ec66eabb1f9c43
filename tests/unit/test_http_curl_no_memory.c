/* SPDX-License-Identifier: Apache-2.0 */
/* link: -Wl,--wrap=sd_event_add_io,--wrap=curl_multi_socket_action,--wrap=curl_multi_add_handle */
/* link: -Wl,--wrap=getaddrinfo */
/* sd-event or libcurl has no memory once: the request ends at once and says so, and the next one works. */
#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <time.h>

#include <cmocka.h>

#include "lib/http_curl.h"
#include "lib/util/macros.h"
#include "tests/unit/local_server.h"

#define TIMEOUT_USEC (30 * USEC_PER_SEC)
#define SOON_MSEC    10000 /* long before that */
#define NAME         "name.invalid"

/* How many calls of each fail from now on. */
static struct {
    unsigned add_io, socket_action, add_handle;
} failing;

static bool fails(unsigned *left) {
    bool one = *left > 0;

    *left -= one;
    return one;
}

int __real_sd_event_add_io(sd_event *event, sd_event_source **ret, int fd, uint32_t events,
                           sd_event_io_handler_t callback, void *userdata);
int __wrap_sd_event_add_io(sd_event *event, sd_event_source **ret, int fd, uint32_t events,
                           sd_event_io_handler_t callback, void *userdata);
CURLMcode __real_curl_multi_socket_action(CURLM *multi, curl_socket_t fd, int events, int *ret_running);
CURLMcode __wrap_curl_multi_socket_action(CURLM *multi, curl_socket_t fd, int events, int *ret_running);
CURLMcode __real_curl_multi_add_handle(CURLM *multi, CURL *easy);
CURLMcode __wrap_curl_multi_add_handle(CURLM *multi, CURL *easy);
int __real_getaddrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **);
int __wrap_getaddrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int __wrap_sd_event_add_io(sd_event *event, sd_event_source **ret, int fd, uint32_t events,
                           sd_event_io_handler_t callback, void *userdata) {
    return fails(&failing.add_io) ? -ENOMEM
                                  : __real_sd_event_add_io(event, ret, fd, events, callback, userdata);
}

CURLMcode __wrap_curl_multi_socket_action(CURLM *multi, curl_socket_t fd, int events, int *ret_running) {
    return fails(&failing.socket_action) ? CURLM_OUT_OF_MEMORY
                                         : __real_curl_multi_socket_action(multi, fd, events, ret_running);
}

CURLMcode __wrap_curl_multi_add_handle(CURLM *multi, CURL *easy) {
    return fails(&failing.add_handle) ? CURLM_OUT_OF_MEMORY : __real_curl_multi_add_handle(multi, easy);
}

/* Ours knows the name; libcurl's own resolver does not. */
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret) {
    return __real_getaddrinfo(strcmp(host, NAME) == 0 ? "127.0.0.1" : host, service, hints, ret);
}

typedef struct Short {
    sd_event *event;
    HttpClient *http;
    LocalServer *server;
} Short;

typedef struct Ended {
    unsigned n;
    HttpResult result;
    char error[256];
} Ended;

static int set_up(void **state) {
    Short *s = calloc(1, sizeof(*s));
    char error[256] = "";

    assert_non_null(s);
    memset(&failing, 0, sizeof(failing));
    assert_true(sd_event_new(&s->event) >= 0);
    s->server = local_server_new(NULL);
    assert_int_equal(http_curl_new(s->event, &(HttpCurlOptions){ .max_connections = 4 }, error,
                                   sizeof(error), &s->http),
                     0);
    *state = s;
    return 0;
}

static int tear_down(void **state) {
    Short *s = *state;

    http_curl_free(s->http);
    local_server_free(s->server);
    sd_event_unref(s->event);
    free(s);
    return 0;
}

static void note_end(const HttpResponse *response, void *userdata) {
    Ended *ended = userdata;

    ended->n++;
    ended->result = response->result;
    snprintf(ended->error, sizeof(ended->error), "%s", response->error);
}

static int submit(Short *s, const char *host, const char *path, Ended *ended) {
    char url[128];

    snprintf(url, sizeof(url), "http://%s:%u%s", host, local_server_port(s->server), path);
    *ended = (Ended){ 0 };
    return http_submit(s->http,
                       &(HttpRequest){ .method = "GET",
                                       .url = url,
                                       .connect_timeout_usec = TIMEOUT_USEC,
                                       .timeout_usec = TIMEOUT_USEC },
                       note_end, ended, NULL);
}

static uint64_t now_msec(void) {
    struct timespec ts;

    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void await_end(Short *s, const Ended *ended) {
    uint64_t start = now_msec();

    while (ended->n == 0) {
        assert_true(now_msec() - start < SOON_MSEC);
        assert_true(sd_event_run(s->event, 100 * USEC_PER_MSEC) >= 0);
    }
    assert_int_equal(ended->n, 1);
}

static void await(Short *s, const Ended *ended, HttpResult result) {
    await_end(s, ended);
    if (ended->result != result)
        fail_msg("%d in place of %d: %s", (int)ended->result, (int)result, ended->error);
    if (result == HTTP_INTERNAL)
        assert_non_null(strstr(ended->error, "out of memory"));
}

static void test_a_socket_that_cannot_be_watched(void **state) {
    Short *s = *state;
    Ended ended;

    failing.add_io = 1;
    assert_int_equal(submit(s, "127.0.0.1", "/late/20", &ended), 0);
    /* newer ones of libcurl ask for the socket once more, and get the answer */
    await_end(s, &ended);
    if (ended.result != HTTP_ANSWERED)
        await(s, &ended, HTTP_INTERNAL);
    assert_int_equal(failing.add_io, 0);
    assert_int_equal(submit(s, "127.0.0.1", "/late/20", &ended), 0);
    await(s, &ended, HTTP_ANSWERED);
}

/* Those whose sockets are watched go on. */
static void test_libcurl_cannot_go_on(void **state) {
    Short *s = *state;
    Ended before, ended;
    uint64_t start = now_msec();

    assert_int_equal(submit(s, "127.0.0.1", "/late/1000", &before), 0);
    while (now_msec() - start < 500 && local_server_n_requests(s->server) == 0)
        assert_true(sd_event_run(s->event, 10 * USEC_PER_MSEC) >= 0);
    assert_int_equal(before.n, 0);
    failing.socket_action = 1;
    assert_int_equal(submit(s, "127.0.0.1", "/late/20", &ended), 0);
    await(s, &ended, HTTP_INTERNAL);
    assert_int_equal(failing.socket_action, 0);
    await(s, &before, HTTP_ANSWERED);
    assert_int_equal(submit(s, "127.0.0.1", "/late/20", &ended), 0);
    await(s, &ended, HTTP_ANSWERED);
}

/* What libcurl was given and had no memory for it is given again: it must not ask for the name itself. */
static void test_addresses_are_given_again(void **state) {
    Short *s = *state;
    Ended ended;

    failing.socket_action = 1;
    assert_int_equal(submit(s, NAME, "/late/20", &ended), 0);
    await(s, &ended, HTTP_INTERNAL);
    assert_int_equal(submit(s, NAME, "/late/20", &ended), 0);
    await(s, &ended, HTTP_ANSWERED);
}

static void test_addresses_are_given_again_after_no_start(void **state) {
    Short *s = *state;
    Ended ended;

    failing.add_handle = 1;
    assert_int_equal(submit(s, NAME, "/late/20", &ended), 0);
    await(s, &ended, HTTP_INTERNAL);
    assert_int_equal(submit(s, NAME, "/late/20", &ended), 0);
    await(s, &ended, HTTP_ANSWERED);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(test_a_socket_that_cannot_be_watched),
        T(test_libcurl_cannot_go_on),
        T(test_addresses_are_given_again),
        T(test_addresses_are_given_again_after_no_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
