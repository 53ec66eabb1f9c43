/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/io/deliver.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "tests/unit/service_fixture.h"

#define TOPIC "arn:aws:sns:eu-west-1:111122223333:alerts"
#define ANSWER                                                                                              \
    "<PublishResponse><PublishResult><MessageId>94f20ce6</MessageId></PublishResult><ResponseMetadata>"     \
    "<RequestId>r-1</RequestId></ResponseMetadata></PublishResponse>"
#define ERROR(code, message)                                                                                \
    "<ErrorResponse><Error><Type>Sender</Type><Code>" code "</Code><Message>" message                       \
    "</Message></Error><RequestId>r-9</RequestId></ErrorResponse>"

static const Alert alert = {
    .id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    .incident = "0123456789abcdef",
    .event = EVENT_TRAIL_STOPPED,
    .severity = SEVERITY_CRITICAL,
    .subject = "CRITICAL: main stopped",
    .text = (char *)"The mail.",
    .sms = (char *)"main stopped",
    .document = (char *)"{}",
    .account = "111122223333",
    .region = "eu-west-1",
    .trail = "main trail",
};

typedef struct Sent {
    unsigned n;
    Receipt receipt;
} Sent;

static void on_sent(const Receipt *receipt, void *userdata) {
    Sent *sent = userdata;

    sent->n++;
    sent->receipt = *receipt;
}

static Sent send_to(ServiceFixture *f, const char *topic) {
    const ChannelConfig channel = { .topic_arn = (char *)topic };
    Sent sent = { 0 };

    assert_int_equal(channel_send(&(ChannelContext){ .aws = f->aws, .credentials = f->credentials },
                                  &channel, &alert, on_sent, &sent, NULL),
                     0);
    assert_int_equal(sent.n, 0); /* never from inside */
    fake_loop_advance(f->loop, 10 * USEC_PER_SEC);
    assert_int_equal(sent.n, 1);
    return sent;
}

/* ---- receipts ---- */

static const struct {
    int status; /* 0: no answer at all */
    const char *body;
    ReceiptKind kind;
} receipts[] = {
    { 200, ANSWER, RECEIPT_DELIVERED },
    { 200, "<html>busy</html>", RECEIPT_RETRY },
    { 200, "", RECEIPT_RETRY },
    { 0, NULL, RECEIPT_RETRY },
    { 403, ERROR("AuthorizationError", "no"), RECEIPT_CHANNEL_REFUSED },
    { 404, ERROR("NotFound", "Topic does not exist"), RECEIPT_CHANNEL_REFUSED },
    { 400, ERROR("KMSDisabled", "key"), RECEIPT_CHANNEL_REFUSED },
    { 429, ERROR("Throttled", "slow"), RECEIPT_RETRY },
    { 400, ERROR("KMSThrottling", "slow"), RECEIPT_RETRY },
    { 500, ERROR("InternalFailure", "oops"), RECEIPT_RETRY },
    { 503, "Service Unavailable", RECEIPT_RETRY },
    { 403, ERROR("ExpiredToken", "old"), RECEIPT_RETRY },
    { 403, ERROR("InvalidClientTokenId", "unknown"), RECEIPT_RETRY },
    /* only what SNS says about the message itself sets the message aside */
    { 400, ERROR("InvalidParameter", "Invalid parameter: Message too long"), RECEIPT_MESSAGE_REFUSED },
    { 400, ERROR("ParameterValueInvalid", "attribute"), RECEIPT_MESSAGE_REFUSED },
    { 400, ERROR("ValidationError", "bad"), RECEIPT_MESSAGE_REFUSED },
    { 400, ERROR("InvalidParameter", "Invalid parameter: TopicArn"), RECEIPT_CHANNEL_REFUSED },
    { 400, ERROR("InvalidSecurity", "how it is asked"), RECEIPT_CHANNEL_REFUSED },
    { 400, "<html>a proxy</html>", RECEIPT_RETRY },
};

static void test_receipts(void **state) {
    for (size_t i = 0; i < ARRAY_SIZE(receipts); i++) {
        ServiceFixture *f;
        Sent sent;

        service_set_up_patient(state);
        f = *state;
        if (receipts[i].status)
            fake_http_reply(f->http, receipts[i].status, receipts[i].body, "x-amzn-requestid", "r-1", NULL);
        else
            fake_http_fail(f->http, HTTP_CONNECT_FAILED, "Connection refused");
        sent = send_to(f, TOPIC);
        if (sent.receipt.kind != receipts[i].kind)
            fail_msg("%d %s: receipt %d", receipts[i].status, receipts[i].body, sent.receipt.kind);
        if (sent.receipt.kind == RECEIPT_DELIVERED) {
            assert_string_equal(sent.receipt.text, "94f20ce6");
            assert_string_equal(sent.receipt.request_id, "r-1");
        } else
            assert_int_not_equal(sent.receipt.text[0], '\0');
        service_tear_down(state);
    }
}

/* Code, message and request id are what a person needs to find out why. */
static void test_error_text(void **state) {
    ServiceFixture *f = *state;
    Sent sent;

    fake_http_reply(f->http, 403, ERROR("AuthorizationError", "not yours"), NULL);
    sent = send_to(f, TOPIC);
    assert_non_null(strstr(sent.receipt.text, "AuthorizationError"));
    assert_non_null(strstr(sent.receipt.text, "not yours"));
    assert_string_equal(sent.receipt.request_id, "r-9");
}

/* ---- the message ---- */

static void test_attributes(void **state) {
    static const char *const parts[] = {
        "Name=severity&MessageAttributes.entry.1.Value.DataType=String"
        "&MessageAttributes.entry.1.Value.StringValue=critical",
        "StringValue=trail.stopped",
        "StringValue=111122223333",
        "StringValue=eu-west-1",
        "StringValue=main%20trail",
        "&Subject=CRITICAL%3A%20main%20stopped",
    };
    ServiceFixture *f = *state;
    const char *body;

    fake_http_reply(f->http, 200, ANSWER, NULL);
    (void)send_to(f, TOPIC);
    body = fake_http_request(f->http, 0)->body;
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        assert_non_null(strstr(body, parts[i]));
    assert_null(strstr(body, "MessageGroupId"));
}

/* A queue behind a FIFO topic gets a trail's alerts in their order, each once. */
static void test_fifo(void **state) {
    ServiceFixture *f = *state;
    const char *body;

    fake_http_reply(f->http, 200, ANSWER, NULL);
    (void)send_to(f, TOPIC ".fifo");
    body = fake_http_request(f->http, 0)->body;
    assert_non_null(strstr(body, "MessageGroupId=main_trail"));
    assert_non_null(strstr(body, "MessageDeduplicationId=0123456789abcdef"));
}

/* ---- the end before the end ---- */

static void test_cancel(void **state) {
    const ChannelConfig channel = { .topic_arn = (char *)TOPIC };
    ServiceFixture *f = *state;
    ChannelSend *send;
    Sent sent = { 0 };

    channel_cancel(NULL);
    assert_int_equal(channel_send(&(ChannelContext){ .aws = f->aws, .credentials = f->credentials },
                                  &channel, &alert, on_sent, &sent, &send),
                     0);
    fake_loop_run(f->loop);
    channel_cancel(send);
    assert_int_equal(fake_http_n_running(f->http), 0);
    fake_loop_advance(f->loop, 60 * USEC_PER_SEC);
    assert_int_equal(sent.n, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_receipts), SERVICE_TEST(test_error_text), SERVICE_TEST(test_attributes),
        SERVICE_TEST(test_fifo),         SERVICE_TEST(test_cancel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
