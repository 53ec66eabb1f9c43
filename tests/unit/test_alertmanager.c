/* SPDX-License-Identifier: Apache-2.0 */
/* The Alertmanager channel: what is open there, and its file. */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "daemon/core/alertmanager.h"
#include "daemon/core/channel_format.h"
#include "daemon/io/deliver.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "tests/unit/channel_fixture.h"

/* 80 characters; of the fourth in a row 15 fit. */
#define LONG_CUT  "abcdefghijklmno"
#define LONG_NAME LONG_CUT "pqrst" "abcdefghijklmnopqrst" "abcdefghijklmnopqrst" "abcdefghijklmnopqrst"

/* Plays messages into a set; gives what is sent at the end. */
static char *play(const Alert *alerts, size_t n, uint64_t step_usec, uint64_t *now_usec, char **ret_set) {
    char *set = strdup(""), *body;

    for (size_t i = 0; i < n; i++) {
        char *next;

        assert_int_equal(alertmanager_apply(set, &alerts[i], *now_usec, &next), 0);
        free(set);
        set = next;
        *now_usec += step_usec;
    }
    assert_int_equal(alertmanager_body(set, *now_usec, &body), 0);
    if (ret_set)
        *ret_set = set;
    else
        free(set);
    return body;
}

#define AM_LABELS(name, event, severity)                                                                    \
    "{\"labels\":{\"alertname\":\"" name "\",\"service\":\"trailguard\",\"event\":\"" event                 \
    "\",\"severity\":\"" severity                                                                           \
    "\",\"account\":\"111122223333\",\"region\":\"eu-west-1\",\"trail\":\"main\"},\"annotations\":{"        \
    "\"summary\":\"" SUBJECT "\",\"description\":\"The mail.\",\"incident\":\"" INCIDENT                    \
    "\",\"trail_arn\":\"" ARN "\"},\"startsAt\":\"2026-11-24T03:10:00Z\",\"endsAt\":"

static Alert am_alert(EventKind event, Severity severity, bool over) {
    Alert alert = channel_fixture_alert(event, "The mail.");

    alert.severity = severity;
    if (over)
        alert.document = (char *)"{\"resolved\":true,\"trail\":{\"name\":\"main\",\"arn\":\"" ARN "\"}}";
    return alert;
}

/* Of reopenings that were not reported one by one: the last of them is over. */
static Alert am_summary(void) {
    Alert alert = am_alert(EVENT_TRAIL_STOPPED, SEVERITY_CRITICAL, true);

    alert.ends = true;
    return alert;
}

/* Receivers that keep incidents get it as an end, and others as what it is. */
static void test_a_summary_that_ends_an_incident(void **state) {
    const AlertFilter keeps = { .min_severity = SEVERITY_CRITICAL,
                                .events = 1U << EVENT_TRAIL_MISSING,
                                .resolved = true,
                                .keeps_incidents = true },
                      reads = { .min_severity = SEVERITY_INFO };
    const Alert alert = am_summary();
    char path[ALERT_FORMAT_PATH_MAX], *body;

    (void)state;
    assert_true(alert_filter_takes(&keeps, &alert));
    assert_true(alert_filter_takes(&reads, &alert));
    assert_int_equal(alert_format_body(ALERT_FORMAT_PAGERDUTY, &alert, "key", &body), 0);
    assert_non_null(strstr(body, "\"event_action\":\"resolve\""));
    free(body);
    alert_format_path(ALERT_FORMAT_OPSGENIE, &alert, path);
    assert_non_null(strstr(path, "/close"));
}

static void test_alertmanager_alerts(void **state) {
    const Alert stopped = am_alert(EVENT_TRAIL_STOPPED, SEVERITY_CRITICAL, false),
                reminder = am_alert(EVENT_INCIDENT_REMINDER, SEVERITY_CRITICAL, false),
                attributed = am_alert(EVENT_TRAIL_ATTRIBUTED, SEVERITY_CRITICAL, false),
                attempted = am_alert(EVENT_TRAIL_ATTEMPTED, SEVERITY_WARNING, false),
                who_at_the_end = am_alert(EVENT_TRAIL_ATTRIBUTED, SEVERITY_CRITICAL, true),
                failing = am_alert(EVENT_TRAIL_FAILING, SEVERITY_WARNING, false),
                resolved = am_alert(EVENT_TRAIL_RESOLVED, SEVERITY_CRITICAL, true),
                repaired = am_alert(EVENT_TRAIL_STOPPED, SEVERITY_CRITICAL, true), summed_up = am_summary();
    const struct {
        const char *name;
        Alert alerts[3];
        size_t n;
        const char *body; /* NULL: nothing is sent; the clock is n minutes past 03:10 */
    } cases[] = {
        { "open",
          { stopped },
          1,
          "[" AM_LABELS("TrailGuardTrailStopped", "trail.stopped",
                        "critical") "\"2026-11-24T03:21:00Z\"}]" },
        { "a reminder is no other alert",
          { stopped, reminder },
          2,
          "[" AM_LABELS("TrailGuardTrailStopped", "trail.stopped",
                        "critical") "\"2026-11-24T03:22:00Z\"}]" },
        { "who did it is no other alert",
          { stopped, attributed },
          2,
          "[" AM_LABELS("TrailGuardTrailStopped", "trail.stopped",
                        "critical") "\"2026-11-24T03:22:00Z\"}]" },
        { "a try that AWS refused is none either",
          { stopped, attempted },
          2,
          "[" AM_LABELS("TrailGuardTrailStopped", "trail.stopped",
                        "critical") "\"2026-11-24T03:22:00Z\"}]" },
        { "over when it is known who did it: that fires for a while",
          { stopped, who_at_the_end },
          2,
          "[" AM_LABELS("TrailGuardTrailStopped", "trail.stopped",
                        "critical") "\"2026-11-24T03:11:00Z\"}," AM_LABELS("TrailGuardTrailAttributed",
                                                                          "trail.attributed",
                                                                          "critical") "\"2026-11-24T03:21:"
                                                                                      "00Z\"}]" },
        { "over",
          { stopped, resolved },
          2,
          "[" AM_LABELS("TrailGuardTrailStopped", "trail.stopped",
                        "critical") "\"2026-11-24T03:11:00Z\"}]" },
        { "another trouble ends the first",
          { failing, stopped },
          2,
          "[" AM_LABELS("TrailGuardTrailFailing", "trail.failing",
                        "warning") "\"2026-11-24T03:11:00Z\"}," AM_LABELS("TrailGuardTrailStopped",
                                                                          "trail.stopped",
                                                                          "critical") "\"2026-11-24T03:22:"
                                                                                      "00Z\"}]" },
        { "it begins again",
          { stopped, resolved, stopped },
          3,
          "[" AM_LABELS("TrailGuardTrailStopped", "trail.stopped",
                        "critical") "\"2026-11-24T03:23:00Z\"}]" },
        { "over at once: fires for a while",
          { repaired },
          1,
          "[" AM_LABELS("TrailGuardTrailStopped", "trail.stopped",
                        "critical") "\"2026-11-24T03:20:00Z\"}]" },
        { "the end of what is not known", { resolved }, 1, NULL },
        { "a summary that says it is over",
          { stopped, summed_up },
          2,
          "[" AM_LABELS("TrailGuardTrailStopped", "trail.stopped",
                        "critical") "\"2026-11-24T03:11:00Z\"}]" },
        { "a summary of what was over before: fires for a while",
          { stopped, resolved, summed_up },
          3,
          "[" AM_LABELS("TrailGuardTrailStopped", "trail.stopped",
                        "critical") "\"2026-11-24T03:22:00Z\"}]" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t now_usec = UINT64_C(1795489800) * USEC_PER_SEC;
        char *body = play(cases[i].alerts, cases[i].n, 60 * USEC_PER_SEC, &now_usec, NULL);

        if (!text_equal(body, cases[i].body))
            fail_msg("%s:\n%s\ninstead of\n%s", cases[i].name, body, cases[i].body);
        free(body);
    }
}

/* An alert about a channel has its name as a label, never the error, which has many values. */
static void test_alertmanager_names_the_channel_of_an_alert(void **state) {
    static const struct {
        const char *detail, *channel;
    } cases[] = {
        { "\"webhook hooks: 503\"", "webhook hooks" },
        { "\"webhook hooks\"", "webhook hooks" },
        { "\"\"", NULL },
        { "null", NULL },
        { "\"" LONG_NAME LONG_NAME LONG_NAME LONG_NAME ": x\"", LONG_NAME LONG_NAME LONG_NAME LONG_CUT },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Alert alert = am_alert(EVENT_CHANNEL_FAILED, SEVERITY_WARNING, false);
        uint64_t now_usec = alert.time_usec;
        char document[512];
        char *body;
        json_t *root;

        (void)snprintf(document, sizeof(document), "{\"detail\":%s}", cases[i].detail);
        alert.document = document;
        body = play(&alert, 1, USEC_PER_SEC, &now_usec, NULL);
        root = json_loads(body, 0, NULL);
        assert_true(text_equal(json_string_value(json_object_get(
                                       json_object_get(json_array_get(root, 0), "labels"), "channel")),
                               cases[i].channel));
        json_decref(root);
        free(body);
    }
}

static void test_alertmanager_forgets_what_ended_long_ago(void **state) {
    const Alert alerts[] = { am_alert(EVENT_TRAIL_STOPPED, SEVERITY_CRITICAL, false),
                             am_alert(EVENT_TRAIL_RESOLVED, SEVERITY_CRITICAL, true) };
    static const char *const damaged[] = { "[{\"incident\":", "{}", "7" };
    uint64_t now_usec = UINT64_C(1795489800) * USEC_PER_SEC;
    char *set, *later, *body = play(alerts, 2, 0, &now_usec, &set);

    (void)state;
    free(body);
    assert_int_equal(alertmanager_apply(set, NULL, now_usec + ALERTMANAGER_HOLD_USEC, &later), 0);
    assert_int_equal(alertmanager_body(later, now_usec, &body), 0);
    assert_non_null(body); /* said again, for members that were away */
    free(body);
    free(set);
    assert_int_equal(alertmanager_apply(later, NULL, now_usec + ALERTMANAGER_HOLD_USEC + 1, &set), 0);
    assert_string_equal(set, "[]");
    free(set);
    free(later);
    for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
        assert_int_equal(alertmanager_apply(damaged[i], NULL, now_usec, &set), 0);
        assert_string_equal(set, "[]");
        free(set);
    }
}

/* The set has a ceiling; the oldest goes first. */
static void test_alertmanager_has_a_ceiling(void **state) {
    const Alert alert = am_alert(EVENT_TRAIL_STOPPED, SEVERITY_CRITICAL, false);
    uint64_t now_usec = UINT64_C(1795489800) * USEC_PER_SEC;
    json_t *list = json_array(), *first, *last;
    char *set, *next;

    (void)state;
    for (int i = 0; i < ALERTMANAGER_ALERTS_MAX; i++)
        assert_int_equal(json_array_append_new(list, json_pack("{s:s, s:i, s:{s:i}}", "incident", "x",
                                                               "ends", 0, "labels", "n", i)),
                         0);
    set = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    assert_int_equal(alertmanager_apply(set, &alert, now_usec, &next), 0);
    list = json_loads(next, 0, NULL);
    assert_int_equal(json_array_size(list), ALERTMANAGER_ALERTS_MAX);
    first = json_object_get(json_array_get(list, 0), "labels");
    last = json_array_get(list, ALERTMANAGER_ALERTS_MAX - 1);
    assert_int_equal(json_integer_value(json_object_get(first, "n")), 1);
    assert_string_equal(json_string_value(json_object_get(last, "incident")), INCIDENT);
    json_decref(list);
    free(set);
    free(next);
}

/* Each member gets it; one that takes it is enough, and the receipt says so. */
static void test_alertmanager_cluster(void **state) {
    static const struct {
        int first, second;
        ReceiptKind kind;
        const char *text;
    } cases[] = {
        { 200, 200, RECEIPT_DELIVERED, "taken by 2 of 2" },
        { 200, 503, RECEIPT_DELIVERED, "taken by 1 of 2; https://b.example/am/: HTTP 503: x" },
        { 503, 200, RECEIPT_DELIVERED, "taken by 1 of 2; https://a.example: HTTP 503: x" },
        { 503, 503, RECEIPT_RETRY, "https://a.example: HTTP 503: x" },
        { 404, 404, RECEIPT_CHANNEL_REFUSED, "https://a.example: HTTP 404: x" },
    };
    const ServiceFixture *f = *state;
    const ChannelConfig channel = { .type = CHANNEL_ALERTMANAGER,
                                    .urls = { .items = (char *[]){ (char *)"https://a.example",
                                                                   (char *)"https://b.example/am/", NULL },
                                              .n = 2 } };
    ChannelContext context = channel_fixture_context(f);
    Alert alert = am_alert(EVENT_TRAIL_STOPPED, SEVERITY_CRITICAL, false);
    char dir[] = "/tmp/tg-am-XXXXXX", command[64];

    assert_non_null(mkdtemp(dir));
    context.state_dir = dir;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ChannelFixtureSent sent = { 0 };

        fake_http_reply(f->http, cases[i].first, "x", NULL);
        fake_http_reply(f->http, cases[i].second, "x", NULL);
        assert_int_equal(channel_send(&context, &channel, &alert, channel_fixture_sent, &sent, NULL), 0);
        fake_loop_run(f->loop);
        assert_int_equal(sent.n, 1);
        assert_int_equal(sent.receipt.kind, cases[i].kind);
        assert_string_equal(sent.receipt.text, cases[i].text);
    }
    assert_string_equal(fake_http_request(f->http, 0)->url, "https://a.example/api/v2/alerts");
    assert_string_equal(fake_http_request(f->http, 1)->url, "https://b.example/am/api/v2/alerts");
    (void)snprintf(command, sizeof(command), "rm -r %s", dir);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
}

static char *one_url[] = { (char *)"https://a.example", NULL };
static const ChannelConfig alone = { .type = CHANNEL_ALERTMANAGER, .urls = { .items = one_url, .n = 1 } };

/* A set that cannot be kept would be forgotten: the message is sent again. */
static void test_alertmanager_set_that_cannot_be_written(void **state) {
    const ServiceFixture *f = *state;
    ChannelContext context = channel_fixture_context(f);
    Alert alert = am_alert(EVENT_TRAIL_STOPPED, SEVERITY_CRITICAL, false);
    ChannelFixtureSent sent = { 0 };

    context.state_dir = "/nonexistent";
    fake_http_reply(f->http, 200, "", NULL);
    assert_int_equal(channel_send(&context, &alone, &alert, channel_fixture_sent, &sent, NULL), 0);
    fake_loop_run(f->loop);
    assert_int_equal(sent.receipt.kind, RECEIPT_RETRY);
    assert_non_null(strstr(sent.receipt.text, "cannot be written: No such file"));
}

/* No fault of the message: it must not be set aside. No link is followed. */
static void test_alertmanager_set_that_cannot_be_read(void **state) {
    const ServiceFixture *f = *state;
    ChannelContext context = channel_fixture_context(f);
    Alert alert = am_alert(EVENT_TRAIL_STOPPED, SEVERITY_CRITICAL, false);
    char dir[] = "/tmp/tg-am-XXXXXX", path[96], hash[HASH_HEX_SIZE];
    const char *reasons[] = { "not a regular file", "a symbolic link" };
    char *key = config_channel_key(&alone);

    assert_non_null(mkdtemp(dir));
    context.state_dir = dir;
    assert_non_null(key);
    assert_int_equal(hash_sha256_hex(key, strlen(key), hash), 0);
    (void)snprintf(path, sizeof(path), "%s/alertmanager-%.16s.json", dir, hash);
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
        ChannelFixtureSent sent = { 0 };

        assert_int_equal(i == 0 ? mkdir(path, 0700) : symlink("elsewhere", path), 0);
        assert_int_equal(channel_send(&context, &alone, &alert, channel_fixture_sent, &sent, NULL), 0);
        fake_loop_run(f->loop);
        assert_int_equal(sent.receipt.kind, RECEIPT_RETRY);
        assert_non_null(strstr(sent.receipt.text, path));
        assert_non_null(strstr(sent.receipt.text, reasons[i]));
        assert_int_equal(remove(path), 0);
    }
    assert_int_equal(fake_http_n_requests(f->http), 0);
    assert_int_equal(rmdir(dir), 0);
    free(key);
}

/* Kept, and said in one line: what is open there is in it. */
static void test_alertmanager_set_that_is_damaged(void **state) {
    static const char *const damaged[] = { "[{\"incident\":", "{}", "", "[{}]", "[1]" };
    const ServiceFixture *f = *state;
    ChannelContext context = channel_fixture_context(f);
    Alert alert = am_alert(EVENT_TRAIL_STOPPED, SEVERITY_CRITICAL, false);
    char dir[] = "/tmp/tg-am-XXXXXX", path[96], hash[HASH_HEX_SIZE], pattern[128];
    char *key = config_channel_key(&alone);
    glob_t kept;

    assert_non_null(mkdtemp(dir));
    context.state_dir = dir;
    assert_int_equal(hash_sha256_hex(key, strlen(key), hash), 0);
    (void)snprintf(path, sizeof(path), "%s/alertmanager-%.16s.json", dir, hash);
    (void)snprintf(pattern, sizeof(pattern), "%s.damaged-*", path);
    for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
        ChannelFixtureSent sent = { 0 };
        char *text;
        size_t len;

        assert_int_equal(file_write(path, damaged[i], strlen(damaged[i]), 0600, false), 0);
        fake_http_reply(f->http, 200, "", NULL);
        assert_int_equal(channel_send(&context, &alone, &alert, channel_fixture_sent, &sent, NULL), 0);
        fake_loop_run(f->loop);
        assert_int_equal(sent.receipt.kind, RECEIPT_DELIVERED);
        assert_int_equal(glob(pattern, 0, NULL, &kept), 0);
        assert_int_equal(kept.gl_pathc, 1);
        assert_int_equal(file_read(kept.gl_pathv[0], 1000, &text, &len), 0);
        assert_string_equal(text, damaged[i]);
        free(text);
        assert_int_equal(remove(kept.gl_pathv[0]), 0);
        globfree(&kept);
        assert_int_equal(file_read(path, 10000, &text, &len), 0);
        assert_non_null(strstr(text, alert.incident));
        free(text);
        assert_int_equal(remove(path), 0);
    }
    assert_int_equal(rmdir(dir), 0);
    free(key);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_summary_that_ends_an_incident),
        cmocka_unit_test(test_alertmanager_alerts),
        cmocka_unit_test(test_alertmanager_names_the_channel_of_an_alert),
        cmocka_unit_test(test_alertmanager_forgets_what_ended_long_ago),
        cmocka_unit_test(test_alertmanager_has_a_ceiling),
        SERVICE_TEST(test_alertmanager_cluster),
        SERVICE_TEST(test_alertmanager_set_that_cannot_be_written),
        SERVICE_TEST(test_alertmanager_set_that_cannot_be_read),
        SERVICE_TEST(test_alertmanager_set_that_is_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
