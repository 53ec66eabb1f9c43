/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/io/deliver.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "tests/unit/service_fixture.h"

#define TOPIC(name) "arn:aws:sns:eu-west-1:111122223333:" name
#define ANSWER                                                                                              \
    "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>"
#define ERROR(code) "<ErrorResponse><Error><Code>" code "</Code><Message>x</Message></Error></ErrorResponse>"

/* What a test starts from: an outbox in a directory of its own, and what deliver reported. */
typedef struct Post {
    ServiceFixture *f;
    char dir[64];
    Outbox *outbox;
    Deliver *deliver;
    char delivered[256]; /* "N>CHANNEL " for each alert that a channel took */
    char changed[256];   /* "CHANNEL:failed " and "CHANNEL:works " */
    uint64_t since_usec;
    bool no_memory; /* for a report */
} Post;

static void on_delivered(const Alert *alert, const char *channel, const Receipt *receipt, void *userdata) {
    Post *p = userdata;
    size_t len = strlen(p->delivered);

    assert_int_equal(receipt->kind, RECEIPT_DELIVERED);
    (void)snprintf(p->delivered + len, sizeof(p->delivered) - len, "%s>%s ", alert->sms,
                   strrchr(channel, ':') + 1);
}

static int on_changed(const ChannelTrouble *trouble, bool failed, void *userdata) {
    Post *p = userdata;
    size_t len = strlen(p->changed);

    if (p->no_memory)
        return -ENOMEM;
    assert_int_equal(failed, trouble->text[0] != '\0');
    p->since_usec = trouble->since_usec;
    (void)snprintf(p->changed + len, sizeof(p->changed) - len, "%s:%s ", strrchr(trouble->channel, ':') + 1,
                   failed ? "failed" : "works");
    return 0;
}

static Post *open_post(void **state) {
    Post *p = calloc(1, sizeof(*p));
    char error[256];

    assert_non_null(p);
    service_set_up(state);
    p->f = *state;
    (void)snprintf(p->dir, sizeof(p->dir), "/tmp/tg-deliver-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    assert_int_equal(outbox_open(p->dir, &p->outbox, error, sizeof(error)), 0);
    return p;
}

static void open_deliver(Post *p, const ChannelConfig *channels, size_t n, const ChannelTrouble *failed) {
    const DeliverOptions options = {
        .context = { .aws = p->f->aws,
                     .credentials = p->f->credentials,
                     .http = fake_http_client(p->f->http),
                     .loop = fake_loop_loop(p->f->loop) },
        .outbox = p->outbox,
        .channels = channels,
        .n_channels = n,
        .failed = failed,
        .n_failed = failed ? 1 : 0,
        .channel_changed = on_changed,
        .delivered = on_delivered,
        .userdata = p,
    };

    assert_int_equal(deliver_new(&options, &p->deliver), 0);
}

static Post *open_one(void **state) {
    static const ChannelConfig channel = { .topic_arn = (char *)TOPIC("one") };
    Post *p = open_post(state);

    open_deliver(p, &channel, 1, NULL);
    return p;
}

static void close_post(Post *p, void **state) {
    char command[128];

    deliver_free(p->deliver);
    outbox_close(p->outbox);
    (void)snprintf(command, sizeof(command), "rm -r %s", p->dir);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    service_tear_down(state);
    free(p);
}

/* Its number is its place in the order, and what its SMS says. */
static void add_alert(Post *p, const Alert *kind, unsigned number, size_t size) {
    Alert alert = { .event = kind->event, .severity = kind->severity, .time_usec = number + 1 };
    char sms[16];

    (void)snprintf(alert.id, sizeof(alert.id), "%064u", number);
    (void)snprintf(alert.incident, sizeof(alert.incident), "%016u", 7U);
    (void)snprintf(alert.subject, sizeof(alert.subject), "alert %u", number);
    (void)snprintf(sms, sizeof(sms), "%u", number);
    alert.sms = strdup(sms);
    alert.text = calloc(1, size + 1);
    alert.document = strdup("{}");
    assert_non_null(alert.text);
    memset(alert.text, 'x', size);
    assert_int_equal(outbox_add(p->outbox, &alert), 0);
}

static void add(Post *p, unsigned number) {
    add_alert(p, &(Alert){ .event = EVENT_TRAIL_STOPPED, .severity = SEVERITY_CRITICAL }, number, 4);
}

static void reply_well(const Post *p, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        fake_http_reply(p->f->http, 200, ANSWER, NULL);
}

static void fail_times(const Post *p, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        fake_http_reply(p->f->http, 500, ERROR("InternalFailure"), NULL);
}

static void run(Post *p, uint64_t span_usec) {
    fake_loop_advance(p->f->loop, span_usec);
}

/* ---- order ---- */

static void test_oldest_first(void **state) {
    Post *p = open_one(state);

    for (unsigned i = 0; i < 3; i++)
        add(p, i);
    reply_well(p, 3);
    deliver_kick(p->deliver, false);
    assert_int_equal(fake_http_n_requests(p->f->http), 0); /* never from inside */
    assert_false(deliver_is_idle(p->deliver));
    run(p, 5 * USEC_PER_SEC);
    assert_string_equal(p->delivered, "0>one 1>one 2>one ");
    assert_int_equal(outbox_depth(p->outbox), 0);
    assert_true(deliver_is_idle(p->deliver));
    assert_string_equal(p->changed, "");
    close_post(p, state);
}

/* What comes later in an incident never overtakes what failed. */
static void test_order_is_kept(void **state) {
    Post *p = open_one(state);

    for (unsigned i = 0; i < 3; i++)
        add(p, i);
    reply_well(p, 1);
    fail_times(p, 2);
    fake_http_reply(p->f->http, 400, ERROR("Throttled"), NULL);
    reply_well(p, 2);
    deliver_kick(p->deliver, false);
    run(p, 30 * USEC_PER_SEC);
    assert_string_equal(p->delivered, "0>one 1>one 2>one ");
    assert_int_equal(fake_http_n_requests(p->f->http), 6);
    close_post(p, state);
}

/* One message is in flight; a further alert waits for its receipt. */
static void test_one_in_flight(void **state) {
    Post *p = open_one(state);

    add(p, 0);
    add(p, 1);
    deliver_kick(p->deliver, false);
    fake_loop_run(p->f->loop);
    deliver_kick(p->deliver, true);
    fake_loop_run(p->f->loop);
    assert_int_equal(fake_http_n_running(p->f->http), 1);
    assert_int_equal(deliver_overdue_usec(p->deliver), 0);
    close_post(p, state); /* and ends it */
}

/* ---- back-off ---- */

static void test_back_off(void **state) {
    static const unsigned seconds[] = { 1, 2, 4, 8, 16, 32, 60, 60 };
    Post *p = open_one(state);

    fake_loop_set_random(p->f->loop, UINT64_MAX);
    add(p, 0);
    fail_times(p, ARRAY_SIZE(seconds));
    reply_well(p, 1);
    deliver_kick(p->deliver, false);
    fake_loop_run(p->f->loop);
    for (unsigned i = 0; i < ARRAY_SIZE(seconds); i++) {
        assert_int_equal(fake_http_n_requests(p->f->http), i + 1);
        deliver_kick(p->deliver, false); /* a new alert does not shorten it */
        run(p, seconds[i] * USEC_PER_SEC - 2 * USEC_PER_MSEC);
        assert_int_equal(fake_http_n_requests(p->f->http), i + 1);
        run(p, 2 * USEC_PER_MSEC);
    }
    assert_string_equal(p->delivered, "0>one ");
    close_post(p, state);
}

/* Without a timer for the next attempt nothing is sent until it is to go on; no back-off is cut short. */
static void test_no_memory_for_a_timer(void **state) {
    Post *p = open_one(state);

    fake_loop_set_random(p->f->loop, UINT64_MAX);
    add(p, 0);
    fake_loop_fail_after(p->f->loop, 0);
    deliver_kick(p->deliver, false);
    run(p, 600 * USEC_PER_SEC);
    assert_int_equal(fake_http_n_requests(p->f->http), 0);
    fail_times(p, 1);
    reply_well(p, 1);
    deliver_go_on(p->deliver);
    run(p, USEC_PER_SEC / 2);
    assert_int_equal(fake_http_n_requests(p->f->http), 1);
    deliver_go_on(p->deliver);
    run(p, USEC_PER_SEC / 4);
    assert_int_equal(fake_http_n_requests(p->f->http), 1);
    run(p, USEC_PER_SEC);
    assert_string_equal(p->delivered, "0>one ");
    close_post(p, state);
}

/* Reported once when it has failed for a minute, and once when it works again, with the same beginning. */
static void test_failing_is_reported(void **state) {
    Post *p = open_one(state);
    ChannelStatus status;
    uint64_t since_usec;

    fake_loop_set_random(p->f->loop, UINT64_MAX);
    add(p, 0);
    fail_times(p, 9);
    reply_well(p, 1);
    deliver_kick(p->deliver, false);
    run(p, 50 * USEC_PER_SEC);
    assert_string_equal(p->changed, "");
    run(p, 100 * USEC_PER_SEC);
    assert_string_equal(p->changed, "one:failed ");
    since_usec = p->since_usec;
    deliver_channel_status(p->deliver, 0, &status);
    assert_true(status.failed);
    assert_int_equal(status.waiting, 1);
    assert_int_equal(status.failed_since_usec, since_usec);
    assert_non_null(strstr(status.text, "InternalFailure"));
    run(p, 300 * USEC_PER_SEC);
    assert_string_equal(p->changed, "one:failed one:works ");
    assert_int_equal(p->since_usec, since_usec);
    deliver_channel_status(p->deliver, 0, &status);
    assert_false(status.failed);
    assert_int_equal(status.waiting, 0);
    close_post(p, state);
}

/* ---- refusals ---- */

static void test_channel_refused(void **state) {
    Post *p = open_one(state);

    add(p, 0);
    for (unsigned i = 0; i < 3; i++)
        fake_http_reply(p->f->http, 404, ERROR("NotFound"), NULL);
    reply_well(p, 1);
    deliver_kick(p->deliver, false);
    fake_loop_run(p->f->loop);
    assert_string_equal(p->changed, "one:failed "); /* at once */
    run(p, 299 * USEC_PER_SEC);
    assert_int_equal(fake_http_n_requests(p->f->http), 1);
    run(p, 2 * USEC_PER_SEC);
    assert_int_equal(fake_http_n_requests(p->f->http), 2);
    deliver_kick(p->deliver, true); /* keys or network may have changed */
    fake_loop_run(p->f->loop);
    assert_int_equal(fake_http_n_requests(p->f->http), 3);
    assert_int_equal(outbox_depth(p->outbox), 1);
    deliver_kick(p->deliver, true);
    fake_loop_run(p->f->loop);
    assert_string_equal(p->delivered, "0>one ");
    assert_string_equal(p->changed, "one:failed one:works ");
    close_post(p, state);
}

/* A message that SNS will never take is set aside, and holds nothing up. It is reported, for no person gets
 * it. */
/* It stays as it was until it is reported, also where no message is sent meanwhile. */
static void test_no_memory_for_the_report(void **state) {
    Post *p = open_one(state);
    ChannelStatus status;

    p->no_memory = true;
    add(p, 0);
    fake_http_reply(p->f->http, 404, ERROR("NotFound"), NULL);
    reply_well(p, 1);
    deliver_kick(p->deliver, false);
    run(p, 3 * USEC_PER_SEC);
    deliver_channel_status(p->deliver, 0, &status);
    assert_true(!status.failed && status.failed_since_usec > 0);
    p->no_memory = false;
    run(p, 2 * USEC_PER_SEC);
    assert_string_equal(p->changed, "one:failed ");
    assert_int_equal(p->since_usec, status.failed_since_usec);
    p->no_memory = true;
    deliver_kick(p->deliver, true);
    run(p, 3 * USEC_PER_SEC);
    assert_string_equal(p->delivered, "0>one ");
    deliver_channel_status(p->deliver, 0, &status);
    assert_true(status.failed);
    p->no_memory = false;
    run(p, 2 * USEC_PER_SEC);
    assert_string_equal(p->changed, "one:failed one:works ");
    close_post(p, state);
}

static void test_message_refused(void **state) {
    Post *p = open_one(state);
    char command[128];

    add(p, 0);
    add(p, 1);
    fake_http_reply(p->f->http, 400, ERROR("InvalidParameter"), NULL);
    reply_well(p, 1);
    deliver_kick(p->deliver, false);
    run(p, USEC_PER_SEC);
    assert_string_equal(p->delivered, "1>one ");
    assert_string_equal(p->changed, "one:failed one:works ");
    assert_int_equal(outbox_depth(p->outbox), 0);
    (void)snprintf(command, sizeof(command), "test \"$(ls %s/outbox/refused | wc -l)\" = 1", p->dir);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    close_post(p, state);
}

/* ---- several channels ---- */

static void test_channels_do_not_wait(void **state) {
    static const ChannelConfig channels[] = { { .topic_arn = (char *)TOPIC("one") },
                                              { .topic_arn = (char *)TOPIC("two") } };
    Post *p = open_post(state);

    open_deliver(p, channels, 2, NULL);
    add(p, 0);
    fake_http_reply(p->f->http, 403, ERROR("AuthorizationError"), NULL);
    reply_well(p, 1);
    deliver_kick(p->deliver, false);
    run(p, USEC_PER_SEC);
    assert_string_equal(p->changed, "one:failed ");
    assert_string_equal(p->delivered, "0>two ");
    assert_int_equal(outbox_depth(p->outbox), 1);
    reply_well(p, 1);
    run(p, 300 * USEC_PER_SEC);
    assert_string_equal(p->delivered, "0>two 0>one ");
    assert_int_equal(outbox_depth(p->outbox), 0);
    close_post(p, state);
}

static void test_min_severity(void **state) {
    static const ChannelConfig channel = { .topic_arn = (char *)TOPIC("one"),
                                           .filter.min_severity = SEVERITY_WARNING };
    Post *p = open_post(state);

    open_deliver(p, &channel, 1, NULL);
    assert_false(deliver_wants(p->deliver, &(Alert){ .severity = SEVERITY_INFO }));
    assert_true(deliver_wants(p->deliver, &(Alert){ .severity = SEVERITY_WARNING }));
    add_alert(p, &(Alert){ .severity = SEVERITY_INFO }, 0, 4);
    add_alert(p, &(Alert){ .severity = SEVERITY_WARNING }, 1, 4);
    reply_well(p, 1);
    deliver_kick(p->deliver, false);
    run(p, USEC_PER_SEC);
    assert_string_equal(p->delivered, "1>one ");
    assert_int_equal(outbox_depth(p->outbox), 0);
    close_post(p, state);
}

/* ---- over a restart ---- */

/* What was reported before is not reported again, and its end is. */
static void test_failed_before(void **state) {
    static const ChannelConfig channel = { .topic_arn = (char *)TOPIC("one") };
    const ChannelTrouble before = { .channel = (char *)"sns:" TOPIC("one"),
                                    .since_usec = 77,
                                    .text = "gone" };
    Post *p = open_post(state);

    add(p, 0);
    open_deliver(p, &channel, 1, &before);
    fake_http_reply(p->f->http, 404, ERROR("NotFound"), NULL);
    reply_well(p, 1);
    deliver_kick(p->deliver, false);
    run(p, USEC_PER_SEC);
    assert_string_equal(p->changed, "");
    run(p, 300 * USEC_PER_SEC);
    assert_string_equal(p->changed, "one:works ");
    assert_int_equal(p->since_usec, 77);
    close_post(p, state);
}

/* ---- too many ---- */

/* The next message that gets through says how many were given up, and only that one. Reminders go first. */
static void test_given_up(void **state) {
    const size_t size = 1000 * 1000;
    const unsigned n = OUTBOX_BYTES_MAX / size + 4;
    Post *p = open_one(state);
    char lost[64];

    add(p, 0);
    add(p, 1);
    for (unsigned i = 0; i < n; i++)
        add_alert(p, &(Alert){ .event = EVENT_INCIDENT_REMINDER }, 2 + i, size);
    (void)snprintf(lost, sizeof(lost), "%u%%20older%%20alerts", n + 2 - outbox_depth(p->outbox));
    reply_well(p, 2);
    deliver_kick(p->deliver, false);
    run(p, USEC_PER_SEC);
    assert_string_equal(p->delivered, "0>one 1>one ");
    assert_non_null(strstr(fake_http_request(p->f->http, 0)->body, lost));
    assert_null(strstr(fake_http_request(p->f->http, 1)->body, "older%20alert"));
    close_post(p, state);
}

/* ---- checks without a message ---- */

static void test_checked(void **state) {
    Post *p = open_one(state);
    ChannelStatus status;

    deliver_checked(p->deliver, 0, false, "");
    assert_string_equal(p->changed, "");
    deliver_checked(p->deliver, 0, true, "the topic does not exist");
    deliver_checked(p->deliver, 0, true, "the topic does not exist");
    assert_string_equal(p->changed, "one:failed ");
    deliver_channel_status(p->deliver, 0, &status);
    assert_true(status.failed && status.by_check);
    assert_string_equal(status.text, "the topic does not exist");
    deliver_checked(p->deliver, 0, false, "");
    assert_string_equal(p->changed, "one:failed one:works ");
    /* a message that is taken proves more */
    deliver_checked(p->deliver, 0, true, "the topic does not exist");
    add(p, 0);
    reply_well(p, 1);
    deliver_kick(p->deliver, false);
    run(p, USEC_PER_SEC);
    assert_string_equal(p->changed, "one:failed one:works one:failed one:works ");
    /* ... as does one that is refused */
    deliver_checked(p->deliver, 0, true, "the topic does not exist");
    add(p, 1);
    fake_http_reply(p->f->http, 403, ERROR("AuthorizationError"), NULL);
    deliver_kick(p->deliver, false);
    run(p, USEC_PER_SEC);
    deliver_checked(p->deliver, 0, false, "");
    deliver_channel_status(p->deliver, 0, &status);
    assert_true(status.failed && !status.by_check);
    assert_string_equal(p->changed, "one:failed one:works one:failed one:works one:failed ");
    close_post(p, state);
}

/* ---- what must hear of an incident while it is open ---- */

static void test_open_alerts_are_sent_again(void **state) {
    const ChannelConfig channel = {
        .type = CHANNEL_ALERTMANAGER,
        .name = (char *)"am",
        .urls = { .items = (char *[]){ (char *)"https://am.example", NULL }, .n = 1 },
    };
    Post *p = open_post(state);
    const DeliverOptions options = {
        .context = { .http = fake_http_client(p->f->http),
                     .loop = fake_loop_loop(p->f->loop),
                     .state_dir = p->dir },
        .outbox = p->outbox,
        .channels = &channel,
        .n_channels = 1,
        .channel_changed = on_changed,
        .delivered = on_delivered,
        .userdata = p,
    };

    assert_int_equal(deliver_new(&options, &p->deliver), 0);
    deliver_kick(p->deliver, false);
    run(p, 300 * USEC_PER_SEC);
    assert_int_equal(fake_http_n_requests(p->f->http), 0); /* nothing is open */
    add(p, 0);
    reply_well(p, 3);
    deliver_kick(p->deliver, false);
    run(p, USEC_PER_SEC);
    assert_string_equal(p->delivered, "0>am ");
    assert_int_equal(fake_http_n_requests(p->f->http), 1);
    run(p, 58 * USEC_PER_SEC);
    assert_int_equal(fake_http_n_requests(p->f->http), 1);
    run(p, 62 * USEC_PER_SEC);
    assert_int_equal(fake_http_n_requests(p->f->http), 3); /* after 60 and 120 s */
    assert_string_equal(p->delivered, "0>am ");
    assert_string_equal(p->changed, "");
    /* also what is only repeated is reported when it fails */
    fake_http_reply(p->f->http, 400, "no", NULL);
    reply_well(p, 1);
    run(p, 60 * USEC_PER_SEC);
    assert_string_equal(p->changed, "am:failed ");
    run(p, 301 * USEC_PER_SEC);
    assert_string_equal(p->changed, "am:failed am:works ");
    close_post(p, state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oldest_first),
        cmocka_unit_test(test_order_is_kept),
        cmocka_unit_test(test_one_in_flight),
        cmocka_unit_test(test_back_off),
        cmocka_unit_test(test_no_memory_for_a_timer),
        cmocka_unit_test(test_failing_is_reported),
        cmocka_unit_test(test_channel_refused),
        cmocka_unit_test(test_message_refused),
        cmocka_unit_test(test_no_memory_for_the_report),
        cmocka_unit_test(test_open_alerts_are_sent_again),
        cmocka_unit_test(test_channels_do_not_wait),
        cmocka_unit_test(test_min_severity),
        cmocka_unit_test(test_failed_before),
        cmocka_unit_test(test_given_up),
        cmocka_unit_test(test_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
