/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks and commands: what each receiver gets, and what its answer means. */
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
#include <jansson.h>

#include "daemon/core/channel_format.h"
#include "daemon/io/deliver.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "tests/unit/channel_fixture.h"

#define NOW_SECONDS "1795489800" /* where the fake loop begins */

/* ---- formats ---- */

static const struct {
    const char *name;
    AlertFormat format;
    EventKind event;
    const char *body, *path;
} bodies[] = {
    { "json", ALERT_FORMAT_JSON, EVENT_TRAIL_STOPPED,
      "{\"event\":\"trail.stopped\",\"trail\":{\"name\":\"main\",\"arn\":\"" ARN "\"}}", "" },
    { "slack", ALERT_FORMAT_SLACK, EVENT_TRAIL_STOPPED,
      "{\"text\":\"" SUBJECT
      "\",\"blocks\":[{\"type\":\"header\",\"text\":{\"type\":\"plain_text\",\"text\":\"" SUBJECT
      "\",\"emoji\":false}},{\"type\":\"rich_text\",\"elements\":[{\"type\":\"rich_text_preformatted\","
      "\"elements\":[{"
      "\"type\":\"text\",\"text\":\"One.\\n\\nTwo.\\n\"}]}]},{\"type\":\"context\",\"elements\":[{\"type\":"
      "\"plain_text\",\"text\":\"trail.stopped, incident " INCIDENT "\"}]}]}",
      "" },
    { "teams", ALERT_FORMAT_TEAMS, EVENT_TRAIL_STOPPED,
      "{\"type\":\"message\",\"attachments\":[{\"contentType\":\"application/vnd.microsoft.card.adaptive\","
      "\"contentUrl\":null,\"content\":{\"$schema\":\"http://adaptivecards.io/schemas/"
      "adaptive-card.json\",\"type\":"
      "\"AdaptiveCard\",\"version\":\"1.4\",\"msteams\":{\"width\":\"Full\"},\"body\":[{\"type\":"
      "\"RichTextBlock\","
      "\"inlines\":[{\"type\":\"TextRun\",\"text\":\"" SUBJECT
      "\",\"weight\":\"bolder\",\"size\":\"medium\",\"color\":\"attention\"}]},"
      "{\"type\":\"RichTextBlock\",\"spacing\":\"none\",\"inlines\":[{\"type\":\"TextRun\",\"text\":\"One."
      "\","
      "\"fontType\":\"monospace\",\"size\":\"small\"}]},"
      "{\"type\":\"RichTextBlock\",\"spacing\":\"none\",\"inlines\":[{\"type\":\"TextRun\",\"text\":\" \","
      "\"fontType\":\"monospace\",\"size\":\"small\"}]},"
      "{\"type\":\"RichTextBlock\",\"spacing\":\"none\",\"inlines\":[{\"type\":\"TextRun\",\"text\":\"Two."
      "\","
      "\"fontType\":\"monospace\",\"size\":\"small\"}]}]}}]}",
      "" },
    { "pagerduty", ALERT_FORMAT_PAGERDUTY, EVENT_TRAIL_STOPPED,
      "{\"routing_key\":\"KEY\",\"event_action\":\"trigger\",\"dedup_key\":\"" INCIDENT
      "\",\"client\":\"TrailGuard\",\"payload\":{\"summary\":\"" SUBJECT "\",\"source\":\"" ARN
      "\",\"severity\":\"critical\",\"timestamp\":\"2026-11-24T03:10:00Z\",\"component\":\"main\",\"group\":"
      "\"111122223333\",\"class\":\"trail.stopped\",\"custom_details\":{\"event\":\"trail.stopped\","
      "\"trail\":{"
      "\"name\":\"main\",\"arn\":\"" ARN "\"}}}}",
      "" },
    { "pagerduty, over", ALERT_FORMAT_PAGERDUTY, EVENT_TRAIL_RESOLVED,
      "{\"routing_key\":\"KEY\",\"event_action\":\"resolve\",\"dedup_key\":\"" INCIDENT "\"}", "" },
    { "opsgenie", ALERT_FORMAT_OPSGENIE, EVENT_TRAIL_STOPPED,
      "{\"message\":\"" SUBJECT "\",\"alias\":\"" INCIDENT
      "\",\"description\":\"One.\\n\\nTwo.\\n\",\"priority\":\"P1\",\"source\":\"TrailGuard\",\"entity\":"
      "\"" ARN
      "\",\"tags\":[\"trailguard\",\"trail.stopped\"],\"details\":{\"event\":\"trail.stopped\",\"account\":"
      "\"111122223333\",\"region\":\"eu-west-1\",\"trail\":\"main\"}}",
      "" },
    { "opsgenie, over", ALERT_FORMAT_OPSGENIE, EVENT_TARGET_REACHABLE,
      "{\"source\":\"TrailGuard\",\"note\":\"One.\\n\\nTwo.\\n\"}",
      "/" INCIDENT "/close?identifierType=alias" },
    { "chat", ALERT_FORMAT_CHAT, EVENT_TRAIL_STOPPED,
      "{\"version\":\"1.0\",\"source\":\"custom\",\"id\":\"" ID
      "\",\"content\":{\"textType\":\"client-markdown\",\"title\":\"(TrailGuard) CRITICAL main stopped in "
      "eu-west-1 "
      "(111122223333)\",\"description\":\"```\\nOne.\\n\\nTwo.\\n\\n```\",\"keywords\":[\"TrailGuard\"]},"
      "\"metadata\":{"
      "\"threadId\":\"" INCIDENT
      "\",\"summary\":\"(TrailGuard) CRITICAL main stopped in eu-west-1 (111122223333)\","
      "\"eventType\":\"trail.stopped\",\"relatedResources\":[\"" ARN
      "\"],\"additionalContext\":{\"severity\":\"critical\",\"account\":\"111122223333\",\"region\":\"eu-"
      "west-1\"}}}",
      "" },
};

static void test_formats(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
        Alert alert = channel_fixture_alert(bodies[i].event, "One.\n\nTwo.\n");
        char path[ALERT_FORMAT_PATH_MAX], *body;

        assert_int_equal(alert_format_body(bodies[i].format, &alert, "KEY", &body), 0);
        if (strcmp(body, bodies[i].body) != 0)
            fail_msg("%s:\n%s\ninstead of\n%s", bodies[i].name, body, bodies[i].body);
        alert_format_path(bodies[i].format, &alert, path);
        assert_string_equal(path, bodies[i].path);
        free(body);
    }
}

/* All strings below a value, appended. */
static void collect(const json_t *value, const char *name, char *markup, size_t size) {
    const char *key;
    json_t *member;
    size_t i;

    if (json_is_string(value) && (strcmp(name, "text") == 0 || strcmp(name, "title") == 0 ||
                                  strcmp(name, "description") == 0 || strcmp(name, "summary") == 0))
        (void)snprintf(markup + strlen(markup), size - strlen(markup), "%s\n", json_string_value(value));
    if (json_is_object(value))
        json_object_foreach((json_t *)value, key, member) collect(member, key, markup, size);
    json_array_foreach(value, i, member) collect(member, name, markup, size);
}

/* A trail or a caller may have any name. In the formats that read markup no part of it becomes any. */
static void test_hostile_text(void **state) {
    static const char hostile[] =
            "<!channel> <@U123> <https://evil.example|click> *b* `c` ``` [x](https://evil.example) "
            "@all &amp; \" \\ </at> {{x}}";
    Alert alert = channel_fixture_alert(EVENT_TRAIL_STOPPED, hostile);
    static char text[65536];
    json_t *body;
    char *raw;

    (void)state;
    (void)text_copy(alert.subject, sizeof(alert.subject), hostile);
    for (AlertFormat format = ALERT_FORMAT_SLACK; format < _ALERT_FORMAT_MAX; format++) {
        assert_int_equal(alert_format_body(format, &alert, "KEY", &raw), 0);
        body = json_loads(raw, 0, NULL);
        assert_non_null(body);
        text[0] = '\0';
        if (format == ALERT_FORMAT_SLACK) { /* what is not in a block is read as markup */
            assert_null(strchr(json_string_value(json_object_get(body, "text")), '<'));
            assert_non_null(strstr(json_string_value(json_object_get(body, "text")), "&lt;!channel&gt;"));
            assert_null(strstr(raw, "mrkdwn"));
        } else if (format == ALERT_FORMAT_TEAMS)
            assert_null(strstr(raw, "TextBlock\"},")), assert_null(strstr(raw, "\"type\":\"TextBlock\""));
        else if (format == ALERT_FORMAT_CHAT) {
            const char *inside;

            collect(json_object_get(body, "content"), "", text, sizeof(text));
            assert_null(strchr(text, '<'));
            assert_null(strchr(text, '@'));
            inside = strstr(text, "```\n");
            assert_non_null(inside);
            assert_ptr_equal(strchr(inside + 4, '`'),
                             strstr(inside + 4, "\n```") + 1); /* only the end of the block */
        }
        json_decref(body);
        free(raw);
    }
}

static void test_long_text_is_cut(void **state) {
    static const size_t most[_ALERT_FORMAT_MAX] = { [ALERT_FORMAT_SLACK] = 4500,
                                                    [ALERT_FORMAT_TEAMS] = 28 * 1024,
                                                    [ALERT_FORMAT_PAGERDUTY] = 4096,
                                                    [ALERT_FORMAT_OPSGENIE] = 20000,
                                                    [ALERT_FORMAT_CHAT] = 10000 };
    static char text[200001];
    char *body;

    (void)state;
    for (size_t i = 0; i + 4 < sizeof(text); i += 4) /* lines of one character of three bytes */
        (void)text_copy(text + i, 5, "\xe2\x82\xac\n");
    for (AlertFormat format = ALERT_FORMAT_SLACK; format < _ALERT_FORMAT_MAX; format++) {
        Alert alert = channel_fixture_alert(EVENT_TRAIL_STOPPED, text);

        assert_int_equal(alert_format_body(format, &alert, "KEY", &body), 0);
        assert_true(strlen(body) < most[format]);
        if (format != ALERT_FORMAT_PAGERDUTY)
            assert_non_null(strstr(body, "[...]"));
        free(body);
    }
}

static void test_text_that_is_none(void **state) {
    Alert alert = channel_fixture_alert(EVENT_TRAIL_STOPPED, "\xff");
    char *body = NULL;

    (void)state;
    for (AlertFormat format = ALERT_FORMAT_SLACK; format < _ALERT_FORMAT_MAX; format++)
        if (format != ALERT_FORMAT_PAGERDUTY) /* has the document instead */
            assert_int_equal(alert_format_body(format, &alert, "KEY", &body), -EINVAL);
    alert = channel_fixture_alert(EVENT_TRAIL_STOPPED, "x");
    alert.document = (char *)"{";
    assert_int_equal(alert_format_body(ALERT_FORMAT_PAGERDUTY, &alert, "KEY", &body), -EINVAL);
    assert_null(body);
}

/* ---- which alerts a channel takes ---- */

#define EVENT(name) (UINT32_C(1) << EVENT_##name)

static void test_filter(void **state) {
    static const struct {
        AlertFilter filter;
        EventKind event;
        Severity severity;
        bool takes;
    } cases[] = {
        { { .resolved = true }, EVENT_GUARD_TEST, SEVERITY_INFO, true },
        { { .min_severity = SEVERITY_WARNING }, EVENT_GUARD_TEST, SEVERITY_INFO, false },
        { { .min_severity = SEVERITY_WARNING }, EVENT_TRAIL_FAILING, SEVERITY_WARNING, true },
        { { .events = EVENT(TRAIL_STOPPED) }, EVENT_TRAIL_STOPPED, SEVERITY_CRITICAL, true },
        { { .events = EVENT(TRAIL_STOPPED) }, EVENT_TRAIL_MISSING, SEVERITY_CRITICAL, false },
        { { .resolved = false }, EVENT_TRAIL_RESOLVED, SEVERITY_CRITICAL, false },
        { { .resolved = false }, EVENT_REGION_COVERED, SEVERITY_CRITICAL, false },
        { { .resolved = false }, EVENT_TARGET_REACHABLE, SEVERITY_CRITICAL, false },
        { { .resolved = false }, EVENT_CHANNEL_RECOVERED, SEVERITY_CRITICAL, false },
        { { .resolved = true, .events = EVENT(TRAIL_STOPPED) },
          EVENT_TRAIL_RESOLVED,
          SEVERITY_CRITICAL,
          false },
        /* what is open there must be closed there */
        { { .resolved = true, .events = EVENT(TRAIL_STOPPED), .keeps_incidents = true },
          EVENT_TRAIL_RESOLVED,
          SEVERITY_CRITICAL,
          true },
        { { .resolved = true, .min_severity = SEVERITY_CRITICAL, .keeps_incidents = true },
          EVENT_CHANNEL_RECOVERED,
          SEVERITY_WARNING,
          true },
        { { .keeps_incidents = true }, EVENT_TRAIL_RESOLVED, SEVERITY_CRITICAL, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Alert alert = { .event = cases[i].event, .severity = cases[i].severity };

        if (alert_filter_takes(&cases[i].filter, &alert) != cases[i].takes)
            fail_msg("case %zu", i);
    }
}

/* ---- sending ---- */

/* Sends, and gives the receipt that came by itself. */
static Receipt send_alert(const ServiceFixture *f, const ChannelConfig *channel, EventKind event) {
    Alert alert = channel_fixture_alert(event, "The mail.\n");
    ChannelContext context = channel_fixture_context(f);
    ChannelFixtureSent sent = { 0 };

    assert_int_equal(channel_send(&context, channel, &alert, channel_fixture_sent, &sent, NULL), 0);
    assert_int_equal(sent.n, 0); /* never from inside */
    fake_loop_run(f->loop);
    assert_int_equal(sent.n, 1);
    return sent.receipt;
}

static const char *write_secret(const char *text) {
    static char path[64];
    FILE *file;

    (void)snprintf(path, sizeof(path), "/tmp/tg-secret-%d", (int)getpid());
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return path;
}

static void test_signature(void **state) {
    const ServiceFixture *f = *state;
    const char *secret = write_secret("s3cret\n");
    const ChannelConfig channel = { .type = CHANNEL_WEBHOOK,
                                    .url = (char *)"https://soc.example/hook?a=b",
                                    .secret_file = (char *)secret };
    const FakeRequest *request;
    Receipt receipt;

    fake_http_reply(f->http, 204, "", "X-Request-Id", "r-1", NULL);
    receipt = send_alert(f, &channel, EVENT_TRAIL_STOPPED);
    assert_int_equal(receipt.kind, RECEIPT_DELIVERED);
    assert_string_equal(receipt.text, "HTTP 204, request r-1");
    assert_string_equal(receipt.request_id, "r-1");
    request = fake_http_request(f->http, 0);
    assert_string_equal(request->method, "POST");
    assert_string_equal(request->url, "https://soc.example/hook?a=b");
    assert_string_equal(fake_request_header(request, "Content-Type"), "application/json");
    assert_string_equal(fake_request_header(request, "X-TrailGuard-Id"), ID);
    assert_string_equal(fake_request_header(request, "X-TrailGuard-Event"), "trail.stopped");
    assert_string_equal(fake_request_header(request, "X-TrailGuard-Timestamp"), NOW_SECONDS);
    /* printf '%s.%s' 1795489800 BODY | openssl dgst -sha256 -hmac s3cret */
    assert_string_equal(fake_request_header(request, "X-TrailGuard-Signature"),
                        "sha256=2f170afb0d28ea63e30fb732b633f3203fa0c8ed782f5a2baa1326d4c93ae5ce");
    assert_int_equal(unlink(secret), 0);
}

static void test_without_secret_no_signature(void **state) {
    const ServiceFixture *f = *state;
    const ChannelConfig channel = { .type = CHANNEL_WEBHOOK, .url = (char *)"https://soc.example" };

    fake_http_reply(f->http, 200, "ok", NULL);
    assert_int_equal(send_alert(f, &channel, EVENT_TRAIL_STOPPED).kind, RECEIPT_DELIVERED);
    assert_null(fake_request_header(fake_http_request(f->http, 0), "X-TrailGuard-Signature"));
}

static void test_opsgenie_key_and_close(void **state) {
    const ServiceFixture *f = *state;
    const char *secret = write_secret("\xef\xbb\xbf genie-key\r\n");
    const ChannelConfig channel = { .type = CHANNEL_WEBHOOK,
                                    .format = ALERT_FORMAT_OPSGENIE,
                                    .secret_file = (char *)secret };
    const FakeRequest *request;

    fake_http_reply(f->http, 202, "{}", NULL);
    assert_int_equal(send_alert(f, &channel, EVENT_TRAIL_RESOLVED).kind, RECEIPT_DELIVERED);
    request = fake_http_request(f->http, 0);
    assert_string_equal(request->url,
                        "https://api.opsgenie.com/v2/alerts/" INCIDENT "/close?identifierType=alias");
    assert_string_equal(fake_request_header(request, "Authorization"), "GenieKey genie-key");
    assert_null(fake_request_header(request, "X-TrailGuard-Signature"));
    assert_int_equal(unlink(secret), 0);
}

/* What stands in a header could not be sent, and what signs would be another key than people think. */
static void test_a_secret_is_one_line(void **state) {
    static const AlertFormat formats[] = { ALERT_FORMAT_JSON, ALERT_FORMAT_OPSGENIE,
                                           ALERT_FORMAT_PAGERDUTY };
    const ServiceFixture *f = *state;
    const char *secret = write_secret("# the key\ns3cret\n");
    ChannelConfig channel = { .type = CHANNEL_WEBHOOK,
                              .url = (char *)"https://soc.example/hook",
                              .secret_file = (char *)secret };

    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        Receipt receipt;

        channel.format = formats[i];
        receipt = send_alert(f, &channel, EVENT_TRAIL_STOPPED);
        assert_int_equal(receipt.kind, RECEIPT_CHANNEL_REFUSED);
        assert_non_null(strstr(receipt.text, secret));
        assert_non_null(strstr(receipt.text, "allowed: one line of text"));
        assert_null(strstr(receipt.text, "s3cret"));
    }
    assert_int_equal(fake_http_n_requests(f->http), 0);
    assert_int_equal(unlink(secret), 0);
}

static void test_pagerduty_key_is_in_the_body(void **state) {
    const ServiceFixture *f = *state;
    const char *secret = write_secret("R0UTE");
    const ChannelConfig channel = { .type = CHANNEL_WEBHOOK,
                                    .format = ALERT_FORMAT_PAGERDUTY,
                                    .secret_file = (char *)secret };
    Receipt receipt;

    fake_http_reply(f->http, 400,
                    "{\"status\":\"invalid event\",\"errors\":[\"Invalid routing key R0UTE\"]}", NULL);
    receipt = send_alert(f, &channel, EVENT_TRAIL_STOPPED);
    assert_int_equal(receipt.kind, RECEIPT_CHANNEL_REFUSED); /* not the message's fault */
    assert_string_equal(receipt.text, "HTTP 400");           /* what repeats the key is not quoted */
    assert_string_equal(fake_http_request(f->http, 0)->url, "https://events.pagerduty.com/v2/enqueue");
    assert_non_null(strstr(fake_http_request(f->http, 0)->body, "\"routing_key\":\"R0UTE\""));
    assert_int_equal(unlink(secret), 0);
}

static void test_url_file(void **state) {
    static const struct {
        const char *content;
        const char *error; /* NULL: sent */
    } cases[] = {
        { "https://hooks.slack.com/services/T0/B0/X\n", NULL },
        { "http://127.0.0.1:8080/x", NULL },
        { "http://hooks.slack.com/services/T0/B0/X", "allowed: https://HOST" },
        { "hooks.slack.com", "allowed: https://HOST" },
        { "\n", "allowed: one line of text" },
        { "https://a.example/x\nhttps://b.example/y", "allowed: one line of text" },
        { "https://a.example/x\rhttps://b.example/y", "allowed: one line of text" },
        { "https://a.example/x\tand more", "allowed: one line of text" },
        { "\xef\xbb\xbfhttps://a.example/x\r\n", NULL }, /* as Windows saves it */
        { "\xef\xbb\xbf\n", "allowed: one line of text" },
        { " \t\n https://a.example/x \t\r\n\r\n", NULL },
    };
    const ServiceFixture *f = *state;
    unsigned n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *path = write_secret(cases[i].content);
        const ChannelConfig channel = { .type = CHANNEL_WEBHOOK,
                                        .format = ALERT_FORMAT_SLACK,
                                        .url_file = (char *)path };
        Receipt receipt;

        if (!cases[i].error)
            fake_http_reply(f->http, 200, "ok", NULL);
        receipt = send_alert(f, &channel, EVENT_TRAIL_STOPPED);
        assert_int_equal(receipt.kind, cases[i].error ? RECEIPT_CHANNEL_REFUSED : RECEIPT_DELIVERED);
        if (cases[i].error) {
            assert_non_null(strstr(receipt.text, cases[i].error));
            assert_non_null(strstr(receipt.text, path));
            assert_null(strstr(receipt.text, "slack.com/services"));
        } else
            n++;
        assert_int_equal(fake_http_n_requests(f->http), n);
        assert_int_equal(unlink(path), 0);
        if (i == 0) { /* gone: read at each use */
            receipt = send_alert(f, &channel, EVENT_TRAIL_STOPPED);
            assert_int_equal(receipt.kind, RECEIPT_CHANNEL_REFUSED);
            assert_non_null(strstr(receipt.text, "cannot be read: No such file"));
        }
    }
}

static void test_answers(void **state) {
    static const struct {
        int status;
        const char *retry_after;
        ReceiptKind kind;
        uint64_t after_sec;
        const char *text;
    } cases[] = {
        { 200, NULL, RECEIPT_DELIVERED, 0, "HTTP 200" },
        { 202, NULL, RECEIPT_DELIVERED, 0, "HTTP 202" },
        { 302, NULL, RECEIPT_CHANNEL_REFUSED, 0, "HTTP 302: no" },
        { 400, NULL, RECEIPT_MESSAGE_REFUSED, 0, "HTTP 400: no" },
        { 401, NULL, RECEIPT_CHANNEL_REFUSED, 0, "HTTP 401: no" },
        { 403, "5", RECEIPT_CHANNEL_REFUSED, 0, "HTTP 403: no" },
        { 404, NULL, RECEIPT_CHANNEL_REFUSED, 0, "HTTP 404: no" },
        { 408, NULL, RECEIPT_RETRY, 0, "HTTP 408: no" },
        { 410, NULL, RECEIPT_CHANNEL_REFUSED, 0, "HTTP 410: no" },
        { 413, NULL, RECEIPT_MESSAGE_REFUSED, 0, "HTTP 413: no" },
        { 429, "30", RECEIPT_RETRY, 30, "HTTP 429: no" },
        { 429, "99999999999999999999", RECEIPT_RETRY, 3600, "HTTP 429: no" },
        { 429, "soon", RECEIPT_RETRY, 0, "HTTP 429: no" },
        { 429, "-5", RECEIPT_RETRY, 0, "HTTP 429: no" },
        { 500, NULL, RECEIPT_RETRY, 0, "HTTP 500: no" },
        { 503, "Tue, 24 Nov 2026 03:11:00 GMT", RECEIPT_RETRY, 61, "HTTP 503: no" },
        { 503, "Tue, 24 Nov 2026 03:09:00 GMT", RECEIPT_RETRY, 0, "HTTP 503: no" },
    };
    const ServiceFixture *f = *state;
    const ChannelConfig channel = { .type = CHANNEL_WEBHOOK,
                                    .url = (char *)"https://soc.example/T0PSECRET" };
    Receipt receipt;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        if (cases[i].retry_after)
            fake_http_reply(f->http, cases[i].status, "no", "Retry-After", cases[i].retry_after, NULL);
        else
            fake_http_reply(f->http, cases[i].status, "no", NULL);
        receipt = send_alert(f, &channel, EVENT_TRAIL_STOPPED);
        if (receipt.kind != cases[i].kind || receipt.retry_after_usec != cases[i].after_sec * USEC_PER_SEC)
            fail_msg("status %d: kind %d, after %llu", cases[i].status, (int)receipt.kind,
                     (unsigned long long)receipt.retry_after_usec);
        assert_string_equal(receipt.text, cases[i].text);
    }
    /* a 200 is a receipt, whatever it says */
    fake_http_reply(f->http, 200, "\x1f\x8b\x08", "Content-Encoding", "br", NULL);
    assert_int_equal(send_alert(f, &channel, EVENT_TRAIL_STOPPED).kind, RECEIPT_DELIVERED);
    fake_http_reply(f->http, 500, "\x1f\x8b\x08", "Content-Encoding", "br", NULL);
    receipt = send_alert(f, &channel, EVENT_TRAIL_STOPPED);
    assert_int_equal(receipt.kind, RECEIPT_RETRY);
    assert_string_equal(receipt.text,
                        "HTTP 500: it comes with Content-Encoding br, which was not requested");
    fake_http_fail(f->http, HTTP_TLS_FAILED, "soc.example: certificate has expired");
    receipt = send_alert(f, &channel, EVENT_TRAIL_STOPPED);
    assert_int_equal(receipt.kind, RECEIPT_RETRY);
    assert_string_equal(receipt.text, "soc.example: certificate has expired");
}

static void test_cancel(void **state) {
    const ServiceFixture *f = *state;
    const ChannelConfig channels[] = {
        { .type = CHANNEL_WEBHOOK, .url = (char *)"https://soc.example/" },
        { .type = CHANNEL_WEBHOOK, .url_file = (char *)"/nonexistent" },
        { .type = CHANNEL_COMMAND, .command = { .items = (char *[]){ (char *)"/bin/true", NULL }, .n = 1 } },
    };
    Alert alert = channel_fixture_alert(EVENT_TRAIL_STOPPED, "x");
    ChannelContext context = channel_fixture_context(f);
    ChannelFixtureSent sent = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(channels); i++) {
        ChannelSend *send = NULL;

        assert_int_equal(channel_send(&context, &channels[i], &alert, channel_fixture_sent, &sent, &send),
                         0);
        channel_cancel(send);
        fake_loop_advance(f->loop, 60 * USEC_PER_SEC);
    }
    channel_cancel(NULL);
    assert_int_equal(sent.n, 0);
    assert_int_equal(fake_loop_n_children(f->loop), 0);
}

/* ---- commands ---- */

static const ChannelConfig mail_command = {
    .type = CHANNEL_COMMAND,
    .command = { .items = (char *[]){ (char *)"/usr/bin/mail", (char *)"", (char *)"; rm -rf $HOME", NULL },
                 .n = 3 },
};

static void test_command_gets(void **state) {
    const ServiceFixture *f = *state;
    Alert alert = channel_fixture_alert(EVENT_TRAIL_RESOLVED, "Line\nline\n");
    ChannelContext context = channel_fixture_context(f);
    ChannelFixtureSent sent = { 0 };

    setenv("AWS_SECRET_ACCESS_KEY", "T0PSECRET", 1);
    assert_int_equal(channel_send(&context, &mail_command, &alert, channel_fixture_sent, &sent, NULL), 0);
    unsetenv("AWS_SECRET_ACCESS_KEY");
    assert_string_equal(fake_loop_child_arguments(f->loop), "/usr/bin/mail\n\n; rm -rf $HOME");
    assert_string_equal(
            fake_loop_child_environment(f->loop),
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nLANG=C.UTF-8\n"
            "TRAILGUARD_ID=" ID "\nTRAILGUARD_INCIDENT=" INCIDENT "\nTRAILGUARD_EVENT=trail.resolved\n"
            "TRAILGUARD_SEVERITY=critical\nTRAILGUARD_RESOLVED=1\nTRAILGUARD_TIME=2026-11-24T03:10:00Z\n"
            "TRAILGUARD_ACCOUNT=111122223333\nTRAILGUARD_REGION=eu-west-1\nTRAILGUARD_TRAIL=main\n"
            "TRAILGUARD_SUBJECT=" SUBJECT "\nTRAILGUARD_TEXT=Line\nline\n\nTRAILGUARD_SMS=main stopped");
    fake_loop_end_child(f->loop, LOOP_EXITED, 0, NULL, "queued as 4711\nand more\n");
    fake_loop_run(f->loop);
    assert_int_equal(sent.receipt.kind, RECEIPT_DELIVERED);
    assert_string_equal(sent.receipt.text, "exit status 0: queued as 4711");
}

static void test_command_ends(void **state) {
    static const struct {
        LoopEnding ending;
        int code;
        const char *errors;
        ReceiptKind kind;
        const char *text;
    } cases[] = {
        { LOOP_EXITED, 0, "", RECEIPT_DELIVERED, "exit status 0" },
        { LOOP_EXITED, 1, "no such host\n", RECEIPT_RETRY, "exit status 1: no such host" },
        { LOOP_EXITED, 75, "try later", RECEIPT_RETRY, "exit status 75: try later" },
        { LOOP_EXITED, 65, "bad data", RECEIPT_MESSAGE_REFUSED, "exit status 65: bad data" },
        { LOOP_SIGNALLED, 11, "", RECEIPT_RETRY, "ended by signal 11" },
        { LOOP_TOO_MUCH, 0, "", RECEIPT_RETRY, "killed: it wrote more than 65536 bytes" },
        { LOOP_LOST, EIO, "", RECEIPT_RETRY, "its end was lost: Input/output error" },
    };
    const ServiceFixture *f = *state;
    Alert alert = channel_fixture_alert(EVENT_TRAIL_STOPPED, "x");
    ChannelContext context = channel_fixture_context(f);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ChannelFixtureSent sent = { 0 };

        assert_int_equal(channel_send(&context, &mail_command, &alert, channel_fixture_sent, &sent, NULL),
                         0);
        fake_loop_end_child(f->loop, cases[i].ending, cases[i].code, NULL, cases[i].errors);
        fake_loop_run(f->loop);
        assert_int_equal(sent.n, 1);
        assert_int_equal(sent.receipt.kind, cases[i].kind);
        assert_string_equal(sent.receipt.text, cases[i].text);
    }
}

static void test_command_hangs_or_is_not_there(void **state) {
    const ServiceFixture *f = *state;
    Alert alert = channel_fixture_alert(EVENT_TRAIL_STOPPED, "x");
    ChannelContext context = channel_fixture_context(f);
    ChannelFixtureSent sent = { 0 };

    assert_int_equal(channel_send(&context, &mail_command, &alert, channel_fixture_sent, &sent, NULL), 0);
    fake_loop_advance(f->loop, 30 * USEC_PER_SEC);
    assert_int_equal(sent.receipt.kind, RECEIPT_RETRY);
    assert_string_equal(sent.receipt.text, "killed after 30 s");
    fake_loop_fail_spawn(f->loop, -ENOENT);
    assert_int_equal(channel_send(&context, &mail_command, &alert, channel_fixture_sent, &sent, NULL), 0);
    fake_loop_run(f->loop);
    assert_int_equal(sent.n, 2);
    assert_int_equal(sent.receipt.kind, RECEIPT_CHANNEL_REFUSED);
    assert_string_equal(sent.receipt.text, "/usr/bin/mail cannot be started: No such file or directory");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_hostile_text),
        cmocka_unit_test(test_long_text_is_cut),
        cmocka_unit_test(test_text_that_is_none),
        cmocka_unit_test(test_filter),
        SERVICE_TEST(test_signature),
        SERVICE_TEST(test_without_secret_no_signature),
        SERVICE_TEST(test_opsgenie_key_and_close),
        SERVICE_TEST(test_a_secret_is_one_line),
        SERVICE_TEST(test_pagerduty_key_is_in_the_body),
        SERVICE_TEST(test_url_file),
        SERVICE_TEST(test_answers),
        SERVICE_TEST(test_cancel),
        SERVICE_TEST(test_command_gets),
        SERVICE_TEST(test_command_ends),
        SERVICE_TEST(test_command_hangs_or_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
