/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/sns.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "tests/unit/service_fixture.h"

#define TOPIC "arn:aws:sns:eu-west-1:111122223333:alerts"
/* the longest there may be */
#define SUBJECT_99                                                                                          \
    "012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
#define BUILT_MAX (4 * SNS_MESSAGE_MAX)
#define ANSWER                                                                                              \
    "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>"        \
    "94f20ce6-13c5-43a0-9a9e-ca52d816e90b</MessageId></PublishResult><ResponseMetadata><RequestId>r-1"      \
    "</RequestId></ResponseMetadata></PublishResponse>"

static const SnsMessage plain = { .topic_arn = TOPIC, .subject = "Hello", .message = "{\"default\":\"x\"}" };

/* ---- building ---- */

static int build(const SnsMessage *message, StrBuf *ret) {
    _cleanup_free_ char *body = NULL;
    int r = operation_build(&sns_publish_operation, message, NULL, &body);

    return r < 0 ? r : strbuf_add(ret, body);
}

static void test_build(void **state) {
    static const SnsAttribute attributes[] = {
        { "severity", "critical" },
        { "empty", "" },
        { "absent", NULL },
        { "account", "111122223333" },
    };
    SnsMessage m = plain;
    StrBuf b = STRBUF_INIT(BUILT_MAX);

    (void)state;
    assert_int_equal(build(&plain, &b), 0);
    assert_string_equal(
            strbuf_str(&b),
            "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A111122223333"
            "%3Aalerts&Subject=Hello&Message=%7B%22default%22%3A%22x%22%7D&MessageStructure=json");
    strbuf_truncate(&b, 0);

    m.subject = "[a] 'b' ~c & d=e";
    m.message = "\xc3\xa9";
    m.attributes = attributes;
    m.n_attributes = ARRAY_SIZE(attributes);
    m.topic_arn = "arn:aws:sns:eu-west-1:111122223333:alerts.fifo";
    m.group_id = "trail/main";
    m.deduplication_id = "abc";
    assert_int_equal(build(&m, &b), 0);
    assert_string_equal(
            strstr(strbuf_str(&b), "&Subject"),
            "&Subject=%5Ba%5D%20%27b%27%20~c%20%26%20d%3De&Message=%C3%A9&MessageStructure=json"
            "&MessageAttributes.entry.1.Name=severity&MessageAttributes.entry.1.Value.DataType=String"
            "&MessageAttributes.entry.1.Value.StringValue=critical"
            "&MessageAttributes.entry.2.Name=account&MessageAttributes.entry.2.Value.DataType=String"
            "&MessageAttributes.entry.2.Value.StringValue=111122223333"
            "&MessageGroupId=trail%2Fmain&MessageDeduplicationId=abc");
    strbuf_done(&b);
}

static void test_build_refuses(void **state) {
    static const char *const topics[] = {
        "",
        "alerts",
        "arn:aws:sqs:eu-west-1:111122223333:alerts",
        "arn:aws:sns:eu-west-1::alerts",
        "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main",
    };
    static const char *const subjects[] = {
        "", " leading", "two\nlines", "d\xc3\xa9j\xc3\xa0", "\x7f", SUBJECT_99 "x",
    };
    static const SnsAttribute nameless = { "", "x" };
    StrBuf b = STRBUF_INIT(BUILT_MAX);
    SnsMessage m;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(topics); i++) {
        m = plain;
        m.topic_arn = topics[i];
        assert_int_equal(build(&m, &b), -EINVAL);
    }
    for (size_t i = 0; i < ARRAY_SIZE(subjects); i++) {
        m = plain;
        m.subject = subjects[i];
        assert_int_equal(build(&m, &b), -EINVAL);
    }
    m = plain;
    m.message = "";
    assert_int_equal(build(&m, &b), -EINVAL);
    m = plain;
    m.attributes = &nameless;
    m.n_attributes = 1;
    assert_int_equal(build(&m, &b), -EINVAL);
    m = plain;
    m.group_id = "";
    assert_int_equal(build(&m, &b), -EINVAL);
    m = plain;
    m.deduplication_id = "a b";
    assert_int_equal(build(&m, &b), -EINVAL);
    assert_int_equal(b.len, 0);
    m = plain;
    m.subject = SUBJECT_99;
    assert_int_equal(build(&m, &b), 0);
    strbuf_done(&b);
}

/* AWS counts message and attributes together, unencoded: name, type and value. */
static void test_build_size(void **state) {
    char *text = malloc(SNS_MESSAGE_MAX + 2);
    SnsAttribute attribute = { "name", "value" };
    SnsMessage m = plain;
    StrBuf b = STRBUF_INIT(BUILT_MAX), small = STRBUF_INIT(100);

    (void)state;
    assert_non_null(text);
    memset(text, '%', SNS_MESSAGE_MAX + 1);
    text[SNS_MESSAGE_MAX + 1] = '\0';
    m.message = text;
    assert_int_equal(build(&m, &b), -E2BIG);
    text[SNS_MESSAGE_MAX] = '\0';
    assert_int_equal(build(&m, &b), 0);
    strbuf_truncate(&b, 0);
    m.attributes = &attribute;
    m.n_attributes = 1;
    assert_int_equal(build(&m, &b), -E2BIG);
    text[SNS_MESSAGE_MAX - 14] = '\0';
    assert_int_equal(build(&m, &b), -E2BIG);
    text[SNS_MESSAGE_MAX - 15] = '\0';
    assert_int_equal(build(&m, &b), 0);
    assert_int_equal(build(&plain, &small), -E2BIG);
    strbuf_done(&b);
    strbuf_done(&small);
    free(text);
}

/* ---- reading ---- */

static void test_read(void **state) {
    static const char *const bad[] = {
        "",
        "{}",
        "{\"MessageId\":7}",
        "{\"MessageId\":\"\"}",
        "[\"MessageId\"]",
        "<html>busy</html>",
        "<Other><PublishResult><MessageId>x</MessageId></PublishResult></Other>",
        "<PublishResponse><PublishResult><MessageId>x</MessageId></PublishResult>",
    };
    /* taken, whatever it is called */
    static const struct {
        const char *body, *id;
    } good[] = {
        { "<PublishResponse/>", "" },
        { "<PublishResponse><PublishResult><MessageId></MessageId></PublishResult></PublishResponse>", "" },
        { "<PublishResponse><PublishResult><MessageId>"
          "0123456789012345678901234567890123456789012345678901234567890123"
          "</MessageId></PublishResult></PublishResponse>",
          "" },
        { "{\"MessageId\":\"m-1\"}", "m-1" },
    };
    char id[64] = "untouched";

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (operation_read(&sns_publish_operation, bad[i], strlen(bad[i]), NULL, id) != -EBADMSG)
            fail_msg("accepted: %s", bad[i]);
    assert_string_equal(id, "untouched");
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        if (operation_read(&sns_publish_operation, good[i].body, strlen(good[i].body), NULL, id) != 0)
            fail_msg("refused: %s", good[i].body);
        assert_string_equal(id, good[i].id);
    }
    assert_int_equal(operation_read(&sns_publish_operation, ANSWER, strlen(ANSWER), NULL, id), 0);
    assert_string_equal(id, "94f20ce6-13c5-43a0-9a9e-ca52d816e90b");
}

/* ---- the call ---- */

static void on_done(const AwsError *error, const char *message_id, void *userdata) {
    ServiceFixture *f = userdata;

    service_note(f, error, message_id != NULL);
    (void)text_copy(f->text, sizeof(f->text), message_id ? message_id : "");
}

static void test_call(void **state) {
    ServiceFixture *f = *state;
    const FakeRequest *r;

    fake_http_reply(f->http, 200, ANSWER, NULL);
    assert_int_equal(sns_publish(&(AwsCaller){ .client = f->aws, .credentials = f->credentials }, &plain,
                                 on_done, f, NULL),
                     0);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 1);
    assert_int_equal(f->error.class, AWS_OK);
    assert_string_equal(f->text, "94f20ce6-13c5-43a0-9a9e-ca52d816e90b");
    r = fake_http_request(f->http, 0);
    assert_string_equal(r->url, "https://sns.eu-west-1.amazonaws.com/"); /* the topic's own region */
    assert_string_equal(fake_request_header(r, "content-type"),
                        "application/x-www-form-urlencoded; charset=utf-8");
    assert_non_null(strstr(fake_request_header(r, "authorization"), "/eu-west-1/sns/aws4_request"));
    assert_null(fake_request_header(r, "x-amz-target"));

    fake_http_reply(f->http, 200, "<html/>", NULL);
    assert_int_equal(sns_publish(&(AwsCaller){ .client = f->aws, .credentials = f->credentials }, &plain,
                                 on_done, f, NULL),
                     0);
    fake_loop_run(f->loop);
    assert_int_equal(f->error.class, AWS_BAD_ANSWER);

    fake_http_reply(
            f->http, 404,
            "<ErrorResponse xmlns=\"x\"><Error><Type>Sender</Type><Code>NotFound</Code><Message>Topic does"
            " not exist</Message></Error><RequestId>r-2</RequestId></ErrorResponse>",
            NULL);
    assert_int_equal(sns_publish(&(AwsCaller){ .client = f->aws, .credentials = f->credentials }, &plain,
                                 on_done, f, NULL),
                     0);
    fake_loop_run(f->loop);
    assert_int_equal(f->error.class, AWS_NOT_FOUND);
    assert_string_equal(f->error.code, "NotFound");
    assert_int_equal(f->n_done, 3);
}

static void test_call_refused_and_cancelled(void **state) {
    ServiceFixture *f = *state;
    SnsMessage m = plain;
    OperationCall *call;

    m.topic_arn = "arn:aws:sns:mars:111122223333:alerts";
    assert_int_equal(sns_publish(&(AwsCaller){ .client = f->aws, .credentials = f->credentials }, &m,
                                 on_done, f, NULL),
                     -EINVAL);
    operation_cancel(NULL);
    assert_int_equal(sns_publish(&(AwsCaller){ .client = f->aws, .credentials = f->credentials }, &plain,
                                 on_done, f, &call),
                     0);
    fake_loop_run(f->loop);
    assert_int_equal(fake_http_n_running(f->http), 1);
    operation_cancel(call);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 0);
}

/* ---- GetTopicAttributes ---- */

#define ENTRY(key, value) "<entry><key>" key "</key><value>" value "</value></entry>"
#define TOPIC_ANSWER(entries)                                                                               \
    "<GetTopicAttributesResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">"                       \
    "<GetTopicAttributesResult><Attributes>" entries "</Attributes></GetTopicAttributesResult>"             \
    "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetTopicAttributesResponse>"

static void on_topic(const AwsError *error, const SnsTopic *topic, void *userdata) {
    service_note(userdata, error, topic != NULL);
}

static void test_topic_is_asked_for(void **state) {
    ServiceFixture *f = *state;
    AwsCaller caller = { f->aws, f->credentials, "eu-central-1" };
    char *body;

    assert_int_equal(operation_build(&sns_get_topic_attributes_operation, TOPIC, NULL, &body), 0);
    assert_string_equal(body,
                        "Action=GetTopicAttributes&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1"
                        "%3A111122223333%3Aalerts");
    free(body);
    assert_int_equal(sns_get_topic_attributes(&caller, "alerts", on_topic, f, NULL), -EINVAL);
    assert_int_equal(sns_get_topic_attributes(&caller, TOPIC ":1", on_topic, f, NULL), -EINVAL);
    assert_int_equal(f->n_done, 0);
}

/* Longer than an ARN may be. */
#define TEN_TIMES(x) x x x x x x x x x x
#define LONG_KEY     TEN_TIMES(TEN_TIMES(TEN_TIMES("key")))

static void test_topic_is_read(void **state) {
    static const char full[] =
            TOPIC_ANSWER(ENTRY("Policy", "{&quot;Version&quot;:1}") ENTRY("SubscriptionsConfirmed", "2")
                                 ENTRY("SubscriptionsPending", "1") ENTRY("KmsMasterKeyId", "alias/aws/sns")
                                         ENTRY("DisplayName", "SubscriptionsConfirmed"));
    static const struct {
        const char *body, *fault;
    } bad[] = {
        { TOPIC_ANSWER(""), "SubscriptionsConfirmed is missing" },
        { TOPIC_ANSWER(ENTRY("SubscriptionsPending", "1")), "SubscriptionsConfirmed is missing" },
        { TOPIC_ANSWER(ENTRY("SubscriptionsConfirmed", "")), "SubscriptionsConfirmed is no number" },
        { TOPIC_ANSWER(ENTRY("SubscriptionsConfirmed", "-1")), "SubscriptionsConfirmed is no number" },
        { TOPIC_ANSWER(ENTRY("SubscriptionsPending", "99999999999")), "SubscriptionsPending is no number" },
        { TOPIC_ANSWER(ENTRY("Policy", "{}") ENTRY("SubscriptionsConfirmed", "many")),
          "SubscriptionsConfirmed is no number" },
        { TOPIC_ANSWER(ENTRY("KmsMasterKeyId", LONG_KEY)), "KmsMasterKeyId is too long" },
        { "<html/>", "SubscriptionsConfirmed is missing" },
        { "", "" },
    };
    SnsTopic topic = { 0 };

    (void)state;
    assert_int_equal(operation_read(&sns_get_topic_attributes_operation, full, strlen(full), NULL, &topic),
                     0);
    assert_int_equal(topic.confirmed, 2);
    assert_int_equal(topic.pending, 1);
    assert_string_equal(topic.key, "alias/aws/sns");
    assert_string_equal(topic.policy, "{\"Version\":1}");
    free(topic.policy);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        const AwsReply reply = { .body = bad[i].body, .body_len = strlen(bad[i].body) };
        AnswerFault fault = { "" };
        char *token = NULL;

        topic = (SnsTopic){ 0 };
        assert_int_equal(operation_read_page(&sns_get_topic_attributes_operation, &reply, NULL, &topic,
                                             &token, &fault),
                         -EBADMSG);
        assert_string_equal(fault.text, bad[i].fault);
        free(token);
        free(topic.policy); /* a page that is wrong leaves the value to its owner */
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_build),
        cmocka_unit_test(test_build_refuses),
        cmocka_unit_test(test_build_size),
        cmocka_unit_test(test_read),
        SERVICE_TEST(test_topic_is_asked_for),
        cmocka_unit_test(test_topic_is_read),
        SERVICE_TEST(test_call),
        SERVICE_TEST(test_call_refused_and_cancelled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
