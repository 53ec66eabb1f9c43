/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl on the event loop, against a server in this program. */
/* link: -Wl,--wrap=access */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/http_curl.h"
#include "lib/util/macros.h"
#include "tests/unit/between.h"
#include "tests/unit/local_server.h"

#define PATIENCE_SEC 20

int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);

/* As on a host without any CA bundle. */
static bool hide_bundles;

int __wrap_access(const char *path, int mode) {
    if (hide_bundles) {
        errno = ENOENT;
        return -1;
    }
    return __real_access(path, mode);
}

typedef struct Fixture {
    sd_event *event;
    HttpClient *http;
    LocalServer *plain;
    LocalServer *tls;
    LocalCa *ca;
    char dir[64];
    char bundle[96];
} Fixture;

/* What came of one exchange. */
typedef struct Got {
    Fixture *f;
    unsigned n;
    bool submitting;
    HttpResult result;
    int status;
    char body[8192];
    size_t body_len;
    char error[512];
    char header[128]; /* x-test */
    char interim[32], final[32];
    bool over_tls, held_up;
} Got;

static HttpClient *new_client(Fixture *f, const char *bundle, unsigned max_connections) {
    HttpClient *http = NULL;
    char error[256] = "";
    int r;

    r = http_curl_new(f->event,
                      &(HttpCurlOptions){
                              .ca_bundle = bundle,
                              .user_agent = "TrailGuard/test",
                              .max_connections = max_connections,
                      },
                      error, sizeof(error), &http);
    assert_string_equal(error, "");
    assert_int_equal(r, 0);
    return http;
}

static int set_up(void **state) {
    Fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    assert_true(sd_event_new(&f->event) >= 0);
    f->ca = local_ca_new();
    f->plain = local_server_new(NULL);
    f->tls = local_server_new(f->ca);
    snprintf(f->dir, sizeof(f->dir), "/tmp/test-http-curl.XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->bundle, sizeof(f->bundle), "%s/ca.pem", f->dir);
    local_ca_write(f->ca, f->bundle);
    f->http = new_client(f, f->bundle, 8);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    Fixture *f = *state;

    http_curl_free(f->http);
    local_server_free(f->plain);
    local_server_free(f->tls);
    local_ca_free(f->ca);
    (void)unlink(f->bundle);
    (void)rmdir(f->dir);
    sd_event_unref(f->event);
    free(f);
    return 0;
}

static void copy_header(const HttpResponse *response, const char *name, char *dst, size_t size) {
    const char *value = http_header(response, name);

    snprintf(dst, size, "%s", value ? value : "(none)");
}

static void on_done(const HttpResponse *response, void *userdata) {
    Got *got = userdata;

    assert_false(got->submitting);
    assert_non_null(response->body);
    assert_non_null(response->error);
    assert_int_equal(response->body[response->body_len], '\0');
    got->n++;
    got->result = response->result;
    got->status = response->status;
    got->over_tls = response->over_tls;
    got->held_up = response->held_up;
    got->body_len = response->body_len;
    snprintf(got->body, sizeof(got->body), "%s", response->body);
    snprintf(got->error, sizeof(got->error), "%s", response->error);
    copy_header(response, "x-test", got->header, sizeof(got->header));
    copy_header(response, "X-Interim", got->interim, sizeof(got->interim));
    copy_header(response, "X-Final", got->final, sizeof(got->final));
}

/* Turns the loop until *n reaches want. */
static void run_until(Fixture *f, const unsigned *n, unsigned want) {
    time_t start = time(NULL);

    while (*n < want) {
        assert_true(time(NULL) - start < PATIENCE_SEC);
        assert_true(sd_event_run(f->event, 100000) >= 0);
    }
}

static void run_for_ms(Fixture *f, unsigned ms) {
    uint64_t now, start;

    assert_true(sd_event_now(f->event, CLOCK_MONOTONIC, &start) >= 0);
    do {
        assert_true(sd_event_run(f->event, 1000) >= 0);
        assert_true(sd_event_now(f->event, CLOCK_MONOTONIC, &now) >= 0);
    } while (now < start + ms * 1000ULL);
}

static HttpExchange *submit_to(Fixture *f, LocalServer *server, const char *scheme, const char *path,
                               HttpRequest request, HttpDone done, Got *got) {
    HttpExchange *x = NULL;
    char url[256];

    snprintf(url, sizeof(url), "%s://127.0.0.1:%u%s", scheme, local_server_port(server), path);
    request.url = url;
    request.method = request.method ? request.method : "GET";
    request.connect_timeout_usec =
            request.connect_timeout_usec ? request.connect_timeout_usec : 5 * USEC_PER_SEC;
    request.timeout_usec = request.timeout_usec ? request.timeout_usec : 10 * USEC_PER_SEC;
    got->f = f;
    got->submitting = true;
    assert_int_equal(http_submit(f->http, &request, done, got, &x), 0);
    got->submitting = false;
    memset(url, 'x', sizeof(url)); /* it was borrowed only */
    assert_non_null(x);
    return x;
}

static HttpExchange *submit(Fixture *f, const char *path, HttpDone done, Got *got) {
    return submit_to(f, f->plain, "http", path, (HttpRequest){ 0 }, done, got);
}

static void get(Fixture *f, const char *path, Got *got) {
    *got = (Got){ 0 };
    submit(f, path, on_done, got);
    run_until(f, &got->n, 1);
}

static void get_tls(Fixture *f, LocalServer *server, const char *path, Got *got) {
    *got = (Got){ 0 };
    submit_to(f, server, "https", path, (HttpRequest){ 0 }, on_done, got);
    run_until(f, &got->n, 1);
}

static void assert_answered(const Got *got, int status) {
    assert_string_equal(got->error, "");
    assert_int_equal(got->result, HTTP_ANSWERED);
    assert_int_equal(got->status, status);
}

/* ---- plain exchanges ---- */

static void test_requests_as_sent(void **state) {
    Fixture *f = *state;
    static const HttpHeader headers[] = { { "X-One", "1" },
                                          { "X-Empty", "" },
                                          { "Content-Type", "text/x" } };
    static char post_body[] = "hello=1";
    HttpRequest post = {
        .method = "POST", .headers = headers, .n_headers = 3, .body = post_body, .body_len = 7
    };
    HttpRequest put = { .method = "PUT", .headers = headers, .n_headers = 1 };
    HttpRequest head = { .method = "HEAD" };
    Got got = { 0 };

    get(f, "/echo", &got);
    assert_answered(&got, 200);
    assert_false(got.over_tls);
    assert_string_equal(got.header, "padded");
    assert_non_null(strstr(got.body, "GET /echo HTTP/1.1\r\n"));
    assert_non_null(strstr(got.body, "User-Agent: TrailGuard/test\r\n"));

    got = (Got){ 0 };
    submit_to(f, f->plain, "http", "/echo", post, on_done, &got);
    post_body[0] = 'J'; /* the client has its own copy */
    run_until(f, &got.n, 1);
    assert_answered(&got, 200);
    assert_non_null(strstr(got.body, "POST /echo HTTP/1.1\r\n"));
    assert_non_null(strstr(got.body, "X-One: 1\r\n"));
    assert_non_null(strstr(got.body, "X-Empty:\r\n"));
    assert_non_null(strstr(got.body, "Content-Type: text/x\r\n"));
    assert_non_null(strstr(got.body, "Content-Length: 7\r\n"));
    assert_non_null(strstr(got.body, "\r\n\r\nhello=1"));
    assert_null(strcasestr(got.body, "Expect:"));

    /* As instance metadata wants it: nothing in it, and no type for that. */
    got = (Got){ 0 };
    submit_to(f, f->plain, "http", "/echo", put, on_done, &got);
    run_until(f, &got.n, 1);
    assert_answered(&got, 200);
    assert_non_null(strstr(got.body, "PUT /echo HTTP/1.1\r\n"));
    assert_non_null(strstr(got.body, "Content-Length: 0\r\n"));
    assert_null(strcasestr(got.body, "Content-Type:"));
    assert_null(strcasestr(got.body, "Transfer-Encoding:"));
    assert_null(strcasestr(got.body, "Expect:"));

    got = (Got){ 0 };
    submit_to(f, f->plain, "http", "/echo", head, on_done, &got);
    run_until(f, &got.n, 1);
    assert_answered(&got, 200);
    assert_int_equal(got.body_len, 0);
    /* And the next is a GET again. */
    get(f, "/echo", &got);
    assert_non_null(strstr(got.body, "GET /echo"));
    assert_null(strstr(got.body, "X-One"));
}

static void test_large_body_is_sent_whole(void **state) {
    Fixture *f = *state;
    size_t len = 20000;
    char *body = malloc(len);
    Got got = { 0 };

    assert_non_null(body);
    memset(body, 'b', len);
    submit_to(f, f->plain, "http", "/echo", (HttpRequest){ .method = "POST", .body = body, .body_len = len },
              on_done, &got);
    free(body);
    run_until(f, &got.n, 1);
    assert_answered(&got, 200);
    assert_true(got.body_len > len);
    assert_null(strcasestr(got.body, "Expect:"));
}

static void test_answers_as_read(void **state) {
    static const struct {
        const char *path;
        HttpResult result;
        int status;
    } cases[] = {
        { "/status/204", HTTP_ANSWERED, 204 },
        { "/status/301", HTTP_ANSWERED, 301 },
        { "/status/404", HTTP_ANSWERED, 404 },
        { "/status/503", HTTP_ANSWERED, 503 },
        { "/status/600", HTTP_MALFORMED, 0 },
        { "/big/1048576", HTTP_ANSWERED, 200 },
        { "/big/1048577", HTTP_TOO_BIG, 0 },
        { "/headers/15000", HTTP_ANSWERED, 200 },
        { "/headers/17000", HTTP_TOO_BIG, 0 },
        { "/hints/15000", HTTP_ANSWERED, 200 },
        { "/hints/70000", HTTP_TOO_BIG, 0 },
        { "/mute", HTTP_BROKEN, 0 },
        { "/cut", HTTP_BROKEN, 0 },
        { "/noise", HTTP_MALFORMED, 0 },
        { "/close", HTTP_ANSWERED, 200 },
    };
    Fixture *f = *state;
    char origin[64];
    Got got;

    snprintf(origin, sizeof(origin), "127.0.0.1:%u: ", local_server_port(f->plain));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        get(f, cases[i].path, &got);
        if (got.result != cases[i].result)
            fail_msg("%s: %s (%s)", cases[i].path, http_result_to_string(got.result), got.error);
        assert_int_equal(got.status, cases[i].status);
        if (cases[i].result == HTTP_ANSWERED)
            continue;
        assert_ptr_equal(strstr(got.error, origin), got.error);
        assert_int_equal(got.body_len, 0);
        assert_false(got.over_tls);
    }
}

/* The next request on the same job has the usual ceiling again. */
static void test_long_answers(void **state) {
    Fixture *f = *state;
    static const struct {
        const char *path;
        bool long_answer;
        HttpResult result;
    } cases[] = {
        { "/big/1048577", true, HTTP_ANSWERED },  { "/big/1048577", false, HTTP_TOO_BIG },
        { "/big/3145728", true, HTTP_ANSWERED },  { "/big/3145729", true, HTTP_TOO_BIG },
        { "/big/1048576", false, HTTP_ANSWERED },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Got got = { 0 };

        submit_to(f, f->plain, "http", cases[i].path, (HttpRequest){ .long_answer = cases[i].long_answer },
                  on_done, &got);
        run_until(f, &got.n, 1);
        assert_int_equal(got.result, cases[i].result);
    }
}

static void test_interim_answer_leaves_no_trace(void **state) {
    Fixture *f = *state;
    Got got;

    get(f, "/interim", &got);
    assert_answered(&got, 200);
    assert_string_equal(got.interim, "(none)");
    assert_string_equal(got.final, "yes");
}

/* libcurl refuses it from some version on; before that we leave the header out. */
static void test_nul_in_header(void **state) {
    Fixture *f = *state;
    Got got;

    get(f, "/nul", &got);
    assert_int_equal(got.n, 1);
    assert_true(got.result == HTTP_ANSWERED || got.result == HTTP_MALFORMED);
}

static void test_unreachable(void **state) {
    static const struct {
        const char *url;
        HttpResult result;
        const char *origin;
    } cases[] = {
        { "http://127.0.0.1:1/", HTTP_CONNECT_FAILED, "127.0.0.1:1: " },
        { "https://127.0.0.1:1/", HTTP_CONNECT_FAILED, "127.0.0.1:1: " },
        /* A label of 64 characters cannot be asked for, so nothing leaves this host. */
        { "http://0123456789012345678901234567890123456789012345678901234567890123.invalid/",
          HTTP_RESOLVE_FAILED, ".invalid:80: " },
    };
    Fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        HttpRequest request = { .method = "GET", .url = cases[i].url };
        Got got = { .f = f };

        request.connect_timeout_usec = request.timeout_usec = 5 * USEC_PER_SEC;
        assert_int_equal(http_submit(f->http, &request, on_done, &got, NULL), 0);
        run_until(f, &got.n, 1);
        if (got.result != cases[i].result)
            fail_msg("%s: %s (%s)", cases[i].url, http_result_to_string(got.result), got.error);
        assert_non_null(strstr(got.error, cases[i].origin));
    }
}

static void test_timeout(void **state) {
    Fixture *f = *state;
    Got got = { 0 };

    submit_to(f, f->plain, "http", "/hang", (HttpRequest){ .timeout_usec = 150 * USEC_PER_MSEC }, on_done,
              &got);
    run_until(f, &got.n, 1);
    assert_int_equal(got.result, HTTP_TIMED_OUT);
}

static void test_refused_requests(void **state) {
    static const HttpHeader bad[] = {
        { "X-A", "b\r\nX-Evil: 1" }, { "X-A\r\nX-Evil", "1" }, { "X A", "1" }, { "X-A:", "1" }, { "", "1" },
        { "X-A", "b\nc" },
    };
    static const char *const urls[] = {
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "127.0.0.1",
        "http://",
        "http:///x",
        "http://:80/",
        "http://user:password@127.0.0.1/",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/\r\nx: y",
        "",
    };
    Fixture *f = *state;
    HttpRequest good = {
        .method = "GET",
        .url = "http://127.0.0.1:1/",
        .connect_timeout_usec = 1000,
        .timeout_usec = 1000,
    };
    HttpRequest r;
    HttpCurlStats stats;
    Got got = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
        r = good;
        r.url = urls[i];
        assert_int_equal(http_submit(f->http, &r, on_done, &got, NULL), -EINVAL);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        r = good;
        r.headers = &bad[i];
        r.n_headers = 1;
        assert_int_equal(http_submit(f->http, &r, on_done, &got, NULL), -EINVAL);
    }
    r = good;
    r.method = "DELETE";
    assert_int_equal(http_submit(f->http, &r, on_done, &got, NULL), -EINVAL);
    r = good;
    r.timeout_usec = 0;
    assert_int_equal(http_submit(f->http, &r, on_done, &got, NULL), -EINVAL);
    r = good;
    r.connect_timeout_usec = 0;
    assert_int_equal(http_submit(f->http, &r, on_done, &got, NULL), -EINVAL);
    run_for_ms(f, 20);
    assert_int_equal(got.n, 0);
    http_curl_stats(f->http, &stats);
    assert_int_equal(stats.exchanges, 0);
    /* The handle that was refused is fit for use. */
    get(f, "/echo", &got);
    assert_answered(&got, 200);
}

/* ---- connections ---- */

static void test_connection_is_used_again(void **state) {
    Fixture *f = *state;
    HttpCurlStats stats;
    Got got;

    for (unsigned i = 0; i < 10; i++) {
        get(f, "/echo", &got);
        assert_answered(&got, 200);
    }
    assert_int_equal(local_server_n_connections(f->plain), 1);
    http_curl_stats(f->http, &stats);
    assert_int_equal(stats.exchanges, 10);
    assert_int_equal(stats.connections, 1);
    assert_int_equal(stats.ca_reads, 1);
}

/* AWS closes idle connections without a word. */
static void test_connection_that_died_idle(void **state) {
    Fixture *f = *state;
    Got got;

    for (unsigned i = 0; i < 5; i++) {
        get(f, "/drop", &got);
        assert_answered(&got, 200);
    }
    assert_int_equal(local_server_n_connections(f->plain), 5);
}

static void test_many_at_once_share_few_connections(void **state) {
    Fixture *f = *state;
    unsigned total = 0;
    static Got got[300];

    memset(got, 0, sizeof(got));
    for (unsigned i = 0; i < ARRAY_SIZE(got); i++)
        submit(f, "/echo", on_done, &got[i]);
    for (unsigned i = 0; i < ARRAY_SIZE(got); i++) {
        run_until(f, &got[i].n, 1);
        assert_answered(&got[i], 200);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(got); i++)
        total += got[i].n;
    assert_int_equal(total, ARRAY_SIZE(got));
    assert_between(local_server_n_connections(f->plain), 1, 8);
    assert_int_equal(local_server_n_requests(f->plain), ARRAY_SIZE(got));
}

/* Eight connections, ten hosts, over and over. */
static void test_more_hosts_than_connections(void **state) {
    Fixture *f = *state;
    LocalServer *servers[10];
    static Got got[10];

    for (unsigned i = 0; i < ARRAY_SIZE(servers); i++)
        servers[i] = local_server_new(NULL);
    for (unsigned round = 0; round < 3; round++) {
        memset(got, 0, sizeof(got));
        for (unsigned i = 0; i < ARRAY_SIZE(servers); i++)
            submit_to(f, servers[i], "http", "/echo", (HttpRequest){ 0 }, on_done, &got[i]);
        for (unsigned i = 0; i < ARRAY_SIZE(servers); i++) {
            run_until(f, &got[i].n, 1);
            assert_answered(&got[i], 200);
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(servers); i++)
        local_server_free(servers[i]);
}

/* One after the other, so that there is never more than one exchange: the idle connections stay all the
 * same. */
static void test_idle_connections_are_kept(void **state) {
    Fixture *f = *state;
    LocalServer *servers[7];
    Got got;

    for (unsigned i = 0; i < ARRAY_SIZE(servers); i++)
        servers[i] = local_server_new(NULL);
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < ARRAY_SIZE(servers); i++) {
            got = (Got){ 0 };
            submit_to(f, servers[i], "http", "/echo", (HttpRequest){ 0 }, on_done, &got);
            run_until(f, &got.n, 1);
            assert_answered(&got, 200);
        }
    for (unsigned i = 0; i < ARRAY_SIZE(servers); i++) {
        assert_int_equal(local_server_n_connections(servers[i]), 1);
        local_server_free(servers[i]);
    }
}

/* Each host is asked for more at once than it can have connections, and none takes another's: as many are
 * opened in all as there may be, and none twice. */
static void test_bursts_keep_connections(void **state) {
    Fixture *f = *state;
    LocalServer *servers[6];
    static Got got[6][20];
    unsigned n_connections = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(servers); i++)
        servers[i] = local_server_new(NULL);
    for (unsigned round = 0; round < 12; round++) {
        memset(got, 0, sizeof(got));
        for (unsigned n = 0; n < ARRAY_SIZE(got[0]); n++)
            for (unsigned i = 0; i < ARRAY_SIZE(servers); i++)
                submit_to(f, servers[i], "http", "/echo", (HttpRequest){ .host_slot = 1 + i }, on_done,
                          &got[i][n]);
        for (unsigned n = 0; n < ARRAY_SIZE(got[0]); n++)
            for (unsigned i = 0; i < ARRAY_SIZE(servers); i++) {
                run_until(f, &got[i][n].n, 1);
                assert_answered(&got[i][n], 200);
            }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(servers); i++) {
        n_connections += local_server_n_connections(servers[i]);
        local_server_free(servers[i]);
    }
    assert_between(n_connections, ARRAY_SIZE(servers), 8);
}

/* All end in one wake-up, and nothing comes after it. */
static void test_many_end_at_once(void **state) {
    Fixture *f = *state;
    static Got got[8];
    HttpRequest request = { .timeout_usec = 200 * USEC_PER_MSEC };

    memset(got, 0, sizeof(got));
    for (unsigned i = 0; i < ARRAY_SIZE(got); i++)
        submit_to(f, f->plain, "http", "/hang", request, on_done, &got[i]);
    for (unsigned i = 0; i < ARRAY_SIZE(got); i++) {
        run_until(f, &got[i].n, 1);
        assert_int_equal(got[i].result, HTTP_TIMED_OUT);
    }
}

/* Who waits for a connection runs out of time on time, and whoever is behind gets the connection that
 * becomes free. */
static void test_waiting_for_a_connection(void **state) {
    Fixture *f = *state;
    Got hanging = { 0 }, late = { 0 }, patient = { 0 };
    static const HttpHeader headers[] = { { "X-One", "1" } };
    char body[] = "hello=1";
    HttpRequest post = { .method = "POST", .headers = headers, .n_headers = 1, .body = body, .body_len = 7 };
    HttpRequest bad = { .method = "GET", .connect_timeout_usec = 1000, .timeout_usec = 1000 };
    HttpExchange *x;

    http_curl_free(f->http);
    f->http = new_client(f, f->bundle, 1);
    x = submit(f, "/hang", on_done, &hanging);
    submit_to(f, f->plain, "http", "/echo", (HttpRequest){ .timeout_usec = 200 * USEC_PER_MSEC }, on_done,
              &late);
    submit_to(f, f->plain, "http", "/echo", post, on_done, &patient);
    body[0] = 'J'; /* the client has its own copy */
    bad.url = "http://127.0.0.1/a b";
    assert_int_equal(http_submit(f->http, &bad, on_done, &patient, NULL), -EINVAL);
    run_until(f, &late.n, 1);
    assert_ptr_equal(strstr(late.error, "127.0.0.1:"), late.error);
    assert_int_equal(late.result, HTTP_TIMED_OUT);
    assert_non_null(strstr(late.error, "waiting for a free connection"));
    assert_int_equal(patient.n, 0);
    http_cancel(f->http, x);
    run_until(f, &patient.n, 1);
    assert_answered(&patient, 200);
    assert_non_null(strstr(patient.body, "POST /echo HTTP/1.1\r\n"));
    assert_non_null(strstr(patient.body, "X-One: 1\r\n"));
    assert_non_null(strstr(patient.body, "\r\n\r\nhello=1"));
    assert_int_equal(hanging.n, 0);
}

/* A host where everything hangs leaves the others their connections; its own wait behind it. */
static void test_host_slots(void **state) {
    Fixture *f = *state;
    HttpRequest hang = { .timeout_usec = 30 * USEC_PER_SEC, .host_slot = 1 };
    HttpRequest late = { .timeout_usec = 1500 * USEC_PER_MSEC, .host_slot = 1 };
    Got hanging[8] = { 0 }, own = { 0 }, others[4] = { 0 };

    /* 8 connections: 4 a host slot */
    for (unsigned i = 0; i < ARRAY_SIZE(hanging); i++)
        submit_to(f, f->plain, "http", "/hang", hang, on_done, &hanging[i]);
    submit_to(f, f->plain, "http", "/echo", late, on_done, &own);
    for (unsigned i = 0; i < ARRAY_SIZE(others); i++)
        submit_to(f, f->plain, "http", "/echo",
                  (HttpRequest){ .host_slot = i < 2   ? 2 + i
                                              : i < 3 ? 0
                                                      : UINT32_MAX },
                  on_done, &others[i]);
    for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
        run_until(f, &others[i].n, 1);
        assert_answered(&others[i], 200);
        assert_false(others[i].held_up);
    }
    assert_int_equal(own.n, 0);
    run_until(f, &own.n, 1);
    assert_int_equal(own.result, HTTP_TIMED_OUT);
    assert_true(own.held_up);
    for (unsigned i = 0; i < ARRAY_SIZE(hanging); i++)
        assert_int_equal(hanging[i].n, 0);
    assert_between(local_server_n_connections(f->plain), 5, 4 + ARRAY_SIZE(others));
}

/* Who did not answer before gets little, wherever it is. */
static void test_suspect_hosts(void **state) {
    Fixture *f = *state;
    HttpRequest hang = { .timeout_usec = USEC_PER_SEC, .suspect = true };
    Got hanging[3] = { 0 }, other = { 0 };

    for (unsigned i = 0; i < ARRAY_SIZE(hanging); i++) {
        hang.host_slot = 1 + i;
        /* those that wait for its place end first, also on a slow machine */
        if (i > 0)
            hang.timeout_usec = 200 * USEC_PER_MSEC;
        submit_to(f, f->plain, "http", "/hang", hang, on_done, &hanging[i]);
    }
    submit_to(f, f->plain, "http", "/echo", (HttpRequest){ .host_slot = 1 }, on_done, &other);
    run_until(f, &other.n, 1);
    assert_answered(&other, 200);
    for (unsigned i = 0; i < ARRAY_SIZE(hanging); i++) {
        run_until(f, &hanging[i].n, 1);
        assert_int_equal(hanging[i].result, HTTP_TIMED_OUT);
        assert_int_equal(hanging[i].held_up, i > 0);
    }
    assert_int_equal(local_server_n_connections(f->plain), 2);
}

typedef struct Turn {
    Got got;
    unsigned *n_done, at; /* the how many-th it was */
    Fixture *f;
    bool again;
} Turn;

static void on_turn(const HttpResponse *response, void *userdata);

static void take_turn(Turn *turn) {
    submit_to(turn->f, turn->f->plain, "http", "/echo", (HttpRequest){ .host_slot = 5 }, on_turn,
              &turn->got);
}

static void on_turn(const HttpResponse *response, void *userdata) {
    Turn *turn = (Turn *)userdata; /* its got comes first */

    on_done(response, &turn->got);
    turn->at = (*turn->n_done)++;
    if (turn->again) {
        turn->again = false;
        take_turn(turn);
    }
}

/* Whoever waits is not overtaken by what a callback submits. */
static void test_host_slots_are_queues(void **state) {
    Fixture *f = *state;
    unsigned n_done = 0;
    Turn turns[40] = { 0 };

    http_curl_free(f->http);
    f->http = new_client(f, f->bundle, 2); /* one a host slot */
    for (unsigned i = 0; i < ARRAY_SIZE(turns); i++) {
        turns[i] = (Turn){ .n_done = &n_done, .f = f, .again = i == 0 };
        take_turn(&turns[i]);
    }
    run_until(f, &n_done, ARRAY_SIZE(turns) + 1);
    for (unsigned i = 0; i < ARRAY_SIZE(turns); i++) {
        assert_answered(&turns[i].got, 200);
        assert_int_equal(turns[i].at, i > 0 ? i : ARRAY_SIZE(turns));
    }
    assert_int_equal(local_server_n_connections(f->plain), 1);
}

/* ... but by what is urgent, in its own order. */
static void test_what_is_urgent_is_next(void **state) {
    static const unsigned at[] = { 0, 3, 4, 5, 1, 6, 2, 7 };
    Fixture *f = *state;
    unsigned n_done = 0;
    Turn turns[ARRAY_SIZE(at)] = { 0 };

    http_curl_free(f->http);
    f->http = new_client(f, f->bundle, 1);
    for (unsigned i = 0; i < ARRAY_SIZE(turns); i++) {
        turns[i] = (Turn){ .n_done = &n_done, .f = f };
        submit_to(f, f->plain, "http", "/echo", (HttpRequest){ .urgent = i == 4 || i == 6 }, on_turn,
                  &turns[i].got);
    }
    run_until(f, &n_done, ARRAY_SIZE(turns));
    for (unsigned i = 0; i < ARRAY_SIZE(turns); i++) {
        assert_answered(&turns[i].got, 200);
        assert_int_equal(turns[i].at, at[i]);
    }
    assert_int_equal(local_server_n_connections(f->plain), 1);
}

static int family_of(int fd) {
    struct sockaddr_storage address = { 0 };
    socklen_t len = sizeof(address);

    return getsockname(fd, (struct sockaddr *)&address, &len) < 0 ? AF_UNSPEC : address.ss_family;
}

/* Children of ours must not inherit connections. */
static void test_sockets_are_closed_on_exec(void **state) {
    Fixture *f = *state;
    unsigned n_sockets = 0;
    Got got;

    get(f, "/echo", &got);
    get_tls(f, f->tls, "/echo", &got);
    for (int fd = 3; fd < 256; fd++) {
        struct stat st;

        /* libcurl wakes its own threads by local sockets, over which it has the say. */
        if (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode) || family_of(fd) != AF_INET)
            continue;
        n_sockets++;
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    }
    assert_true(n_sockets >= 4);
}

static void use_proxy(Fixture *f, const char *proxy, const char *no_proxy) {
    char error[256] = "";

    http_curl_free(f->http);
    assert_int_equal(http_curl_new(f->event,
                                   &(HttpCurlOptions){ .ca_bundle = f->bundle,
                                                       .proxy = proxy,
                                                       .no_proxy = no_proxy,
                                                       .max_connections = 1 },
                                   error, sizeof(error), &f->http),
                     0);
}

/* Nothing listens at the proxy: what gets through went without it. */
static void test_who_goes_through_the_proxy(void **state) {
    Fixture *f = *state;
    HttpRequest direct = { .direct = true };
    Got got;

    use_proxy(f, "http://127.0.0.1:1", NULL);
    get_tls(f, f->tls, "/echo", &got);
    assert_int_equal(got.result, HTTP_CONNECT_FAILED);
    got = (Got){ 0 };
    submit_to(f, f->tls, "https", "/echo", direct, on_done, &got);
    run_until(f, &got.n, 1);
    assert_answered(&got, 200);
    get(f, "/echo", &got);
    assert_answered(&got, 200);

    use_proxy(f, "http://127.0.0.1:1", "example.com,127.0.0.1");
    get_tls(f, f->tls, "/echo", &got);
    assert_answered(&got, 200);
}

/* The environment is the business of whoever makes the client. */
static void test_environment_is_not_asked(void **state) {
    static const char *const names[] = { "http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY" };
    char proxy[64];
    Fixture *f = *state;
    Got got;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        assert_int_equal(setenv(names[i], "http://127.0.0.1:1", 1), 0);
    assert_int_equal(setenv("NO_PROXY", "*", 1), 0);
    get(f, "/echo", &got);
    assert_answered(&got, 200);
    get_tls(f, f->tls, "/echo", &got);
    assert_answered(&got, 200);
    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", local_server_port(f->plain));
    use_proxy(f, proxy, NULL);
    get_tls(f, f->tls, "/echo", &got);
    assert_int_equal(got.result, HTTP_CONNECT_FAILED);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        (void)unsetenv(names[i]);
    (void)unsetenv("NO_PROXY");
}

/* The plain server takes CONNECT for a request like others, and has no page of that name. */
static void test_proxy_that_refuses(void **state) {
    Fixture *f = *state;
    char proxy[64], expected[128];
    Got got;

    snprintf(proxy, sizeof(proxy), "http://user:hunter2@127.0.0.1:%u/", local_server_port(f->plain));
    use_proxy(f, proxy, NULL);
    get_tls(f, f->tls, "/echo", &got);
    assert_int_equal(got.result, HTTP_CONNECT_FAILED);
    assert_int_equal(local_server_n_connections(f->tls), 0);
    assert_int_equal(local_server_n_requests(f->plain), 1);
    snprintf(expected, sizeof(expected), ": the proxy 127.0.0.1:%u refused to connect: HTTP 4",
             local_server_port(f->plain));
    assert_non_null(strstr(got.error, expected));
    assert_null(strstr(got.error, "hunter2"));
}

/* ---- callbacks that do everything ---- */

static void test_cancel(void **state) {
    Fixture *f = *state;
    Got got = { 0 }, other = { 0 };
    HttpExchange *x;

    /* At once, before libcurl saw it; and while the server thinks. */
    http_cancel(f->http, submit(f, "/echo", on_done, &got));
    x = submit(f, "/hang", on_done, &got);
    submit(f, "/echo", on_done, &other);
    run_until(f, &other.n, 1);
    http_cancel(f->http, x);
    run_for_ms(f, 50);
    assert_int_equal(got.n, 0);
}

static HttpExchange *to_cancel[20];
static unsigned n_cancelled;

/* Cancels all others, those included that have ended and were not told yet. */
static void cancel_others(const HttpResponse *response, void *userdata) {
    Got *got = userdata;
    unsigned me = (unsigned)atoi(got->interim);

    on_done(response, got);
    to_cancel[me] = NULL;
    for (unsigned i = 0; i < ARRAY_SIZE(to_cancel); i++)
        if (to_cancel[i]) {
            http_cancel(got->f->http, TAKE_PTR(to_cancel[i]));
            n_cancelled++;
        }
}

static void test_cancel_from_inside_done(void **state) {
    Fixture *f = *state;
    static Got got[ARRAY_SIZE(to_cancel)];
    Got after;
    unsigned total = 0;

    memset(got, 0, sizeof(got));
    n_cancelled = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(got); i++) {
        snprintf(got[i].interim, sizeof(got[i].interim), "%u", i);
        to_cancel[i] = submit(f, "/echo", cancel_others, &got[i]);
    }
    run_until(f, &n_cancelled, ARRAY_SIZE(got) - 1);
    run_for_ms(f, 50);
    for (unsigned i = 0; i < ARRAY_SIZE(got); i++)
        total += got[i].n;
    assert_int_equal(total, 1);
    get(f, "/echo", &after);
    assert_answered(&after, 200);
}

static void submit_next(const HttpResponse *response, void *userdata) {
    Got *got = userdata;

    on_done(response, got);
    if (got->n < 50)
        submit(got->f, "/echo", submit_next, got);
}

static void test_submit_from_inside_done(void **state) {
    Fixture *f = *state;
    Got got = { 0 };

    submit(f, "/echo", submit_next, &got);
    run_until(f, &got.n, 50);
    assert_answered(&got, 200);
    assert_int_equal(local_server_n_connections(f->plain), 1);
}

static void free_client(const HttpResponse *response, void *userdata) {
    Got *got = userdata;

    http_curl_free(TAKE_PTR(got->f->http));
    /* What was given to the callback is good until it returns. */
    on_done(response, got);
}

static void test_free_from_inside_done(void **state) {
    Fixture *f = *state;
    Got first = { 0 };
    static Got others[20];

    memset(others, 0, sizeof(others));
    submit_to(f, f->tls, "https", "/echo", (HttpRequest){ 0 }, free_client, &first);
    for (unsigned i = 0; i < ARRAY_SIZE(others); i++)
        submit(f, "/hang", on_done, &others[i]);
    run_until(f, &first.n, 1);
    assert_answered(&first, 200);
    run_for_ms(f, 20);
    for (unsigned i = 0; i < ARRAY_SIZE(others); i++)
        assert_int_equal(others[i].n, 0);
}

static void test_free_from_inside_a_timeout(void **state) {
    Fixture *f = *state;
    Got hanging = { 0 }, waiting = { 0 }, other = { 0 };

    http_curl_free(f->http);
    f->http = new_client(f, f->bundle, 1);
    submit(f, "/hang", on_done, &hanging);
    submit_to(f, f->plain, "http", "/echo", (HttpRequest){ .timeout_usec = 50 * USEC_PER_MSEC }, free_client,
              &waiting);
    submit_to(f, f->plain, "http", "/echo", (HttpRequest){ .timeout_usec = 50 * USEC_PER_MSEC }, on_done,
              &other);
    run_until(f, &waiting.n, 1);
    assert_int_equal(waiting.result, HTTP_TIMED_OUT);
    run_for_ms(f, 20);
    assert_int_equal(hanging.n + other.n, 0);
}

static void test_free_with_everything_under_way(void **state) {
    Fixture *f = *state;
    static Got got[30];

    memset(got, 0, sizeof(got));
    for (unsigned i = 0; i < ARRAY_SIZE(got); i++)
        submit_to(f, i % 2 ? f->tls : f->plain, i % 2 ? "https" : "http", "/hang", (HttpRequest){ 0 },
                  on_done, &got[i]);
    run_for_ms(f, 50);
    http_curl_free(TAKE_PTR(f->http));
    run_for_ms(f, 20);
    for (unsigned i = 0; i < ARRAY_SIZE(got); i++)
        assert_int_equal(got[i].n, 0);
}

/* ---- TLS ---- */

static void test_tls_is_verified(void **state) {
    Fixture *f = *state;
    LocalCa *stranger = local_ca_new();
    LocalServer *other = local_server_new(stranger);
    HttpRequest request = { .method = "GET", .connect_timeout_usec = 5 * USEC_PER_SEC };
    HttpCurlStats stats;
    char url[64];
    Got got;

    get_tls(f, f->tls, "/echo", &got);
    assert_answered(&got, 200);
    assert_true(got.over_tls);

    get_tls(f, other, "/echo", &got);
    assert_int_equal(got.result, HTTP_TLS_FAILED);
    assert_false(got.over_tls);
    get(f, "/echo", &got);
    assert_answered(&got, 200);
    http_curl_stats(f->http, &stats);
    assert_int_equal(stats.tls_answers, 1); /* neither the one that failed nor the plain one */
    assert_int_equal(local_server_n_requests(other), 0);

    /* The right CA, the wrong name. */
    snprintf(url, sizeof(url), "https://localhost:%u/echo", local_server_port(f->tls));
    request.url = url;
    request.timeout_usec = 5 * USEC_PER_SEC;
    got = (Got){ 0 };
    assert_int_equal(http_submit(f->http, &request, on_done, &got, NULL), 0);
    run_until(f, &got.n, 1);
    assert_int_equal(got.result, HTTP_TLS_FAILED);
    assert_int_equal(local_server_n_requests(f->tls), 1);

    local_server_free(other);
    local_ca_free(stranger);
}

/* A peer that speaks no TLS, and one that hangs up, during the handshake: only the first says something
 * about it. */
static void test_tls_without_tls(void **state) {
    Fixture *f = *state;
    Got got;

    get_tls(f, f->plain, "/echo", &got);
    assert_true(got.result == HTTP_TLS_FAILED || got.result == HTTP_BROKEN || got.result == HTTP_TIMED_OUT);
}

static void test_reconnects_resume_and_read_no_bundle(void **state) {
    Fixture *f = *state;
    HttpCurlStats stats;
    Got got;

    /* Nobody can open what is not there. */
    assert_int_equal(unlink(f->bundle), 0);
    for (unsigned i = 0; i < 20; i++) {
        get_tls(f, f->tls, "/close", &got);
        assert_answered(&got, 200);
    }
    assert_int_equal(local_server_n_connections(f->tls), 20);
    assert_int_equal(local_server_n_resumed(f->tls), 19);
    http_curl_stats(f->http, &stats);
    assert_int_equal(stats.connections, 20);
    assert_int_equal(stats.ca_reads, 1);
}

/* libcurl by itself remembers sessions of five or eight peers; there are more regions than that. */
static void test_many_hosts_resume(void **state) {
    Fixture *f = *state;
    LocalServer *servers[20];
    Got got;

    for (unsigned i = 0; i < ARRAY_SIZE(servers); i++)
        servers[i] = local_server_new(f->ca);
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < ARRAY_SIZE(servers); i++) {
            get_tls(f, servers[i], "/close", &got);
            assert_answered(&got, 200);
        }
    for (unsigned i = 0; i < ARRAY_SIZE(servers); i++) {
        assert_int_equal(local_server_n_connections(servers[i]), 3);
        assert_int_equal(local_server_n_resumed(servers[i]), 2);
        local_server_free(servers[i]);
    }
}

static void test_bundles_that_cannot_be_used(void **state) {
    static const struct {
        const char *text;
        int error;
        const char *message;
    } cases[] = {
        { NULL, -ENOENT, "ca.pem: No such file or directory" },
        { "", -EINVAL, "holds no certificate" },
        { "no certificate here\n", -EINVAL, "holds no certificate" },
        { "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", -EINVAL, "cannot be read" },
    };
    Fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        HttpClient *http = NULL;
        char error[256] = "";
        FILE *file;

        (void)unlink(f->bundle);
        if (cases[i].text) {
            file = fopen(f->bundle, "w");
            assert_non_null(file);
            assert_true(fputs(cases[i].text, file) >= 0);
            assert_int_equal(fclose(file), 0);
        }
        assert_int_equal(http_curl_new(f->event,
                                       &(HttpCurlOptions){ .ca_bundle = f->bundle, .max_connections = 1 },
                                       error, sizeof(error), &http),
                         cases[i].error);
        assert_null(http);
        assert_non_null(strstr(error, f->bundle));
        assert_non_null(strstr(error, cases[i].message));
    }
}

static void test_host_without_any_bundle(void **state) {
    Fixture *f = *state;
    Got got;

    http_curl_free(f->http);
    hide_bundles = true;
    f->http = new_client(f, NULL, 4);
    hide_bundles = false;
    get(f, "/echo", &got);
    assert_answered(&got, 200);
    get_tls(f, f->tls, "/echo", &got);
    assert_int_equal(got.result, HTTP_TLS_FAILED);
    assert_non_null(strstr(got.error, "no CA bundle found"));
    assert_int_equal(local_server_n_requests(f->tls), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(test_requests_as_sent),
        T(test_large_body_is_sent_whole),
        T(test_answers_as_read),
        T(test_long_answers),
        T(test_interim_answer_leaves_no_trace),
        T(test_nul_in_header),
        T(test_unreachable),
        T(test_timeout),
        T(test_refused_requests),
        T(test_connection_is_used_again),
        T(test_connection_that_died_idle),
        T(test_many_at_once_share_few_connections),
        T(test_more_hosts_than_connections),
        T(test_bursts_keep_connections),
        T(test_idle_connections_are_kept),
        T(test_many_end_at_once),
        T(test_waiting_for_a_connection),
        T(test_host_slots),
        T(test_suspect_hosts),
        T(test_host_slots_are_queues),
        T(test_what_is_urgent_is_next),
        T(test_sockets_are_closed_on_exec),
        T(test_who_goes_through_the_proxy),
        T(test_environment_is_not_asked),
        T(test_proxy_that_refuses),
        T(test_cancel),
        T(test_cancel_from_inside_done),
        T(test_submit_from_inside_done),
        T(test_free_from_inside_done),
        T(test_free_from_inside_a_timeout),
        T(test_free_with_everything_under_way),
        T(test_tls_is_verified),
        T(test_tls_without_tls),
        T(test_reconnects_resume_and_read_no_bundle),
        T(test_many_hosts_resume),
        T(test_bundles_that_cannot_be_used),
        T(test_host_without_any_bundle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
