/* SPDX-License-Identifier: Apache-2.0 */
/* Channels other than SNS: what each receiver gets, and what its answer means. */
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

#include "daemon/core/alertmanager.h"
#include "daemon/core/channel_format.h"
#include "daemon/io/deliver.h"
#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "tests/unit/service_fixture.h"

#define NOW_SECONDS "1795489800" /* where the fake loop begins */
#define ID          "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define INCIDENT    "fedcba9876543210"
#define ARN         "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"
#define SUBJECT     "[TrailGuard] CRITICAL main stopped in eu-west-1 (111122223333)"

static Alert make_alert(EventKind event, const char *text) {
    return (Alert){
        .id = ID,
        .incident = INCIDENT,
        .event = event,
        .severity = SEVERITY_CRITICAL,
        .time_usec = UINT64_C(1795489800) * USEC_PER_SEC,
        .subject = SUBJECT,
        .text = (char *)text,
        .sms = (char *)"main stopped",
        .document =
                (char *)"{\"event\":\"trail.stopped\",\"trail\":{\"name\":\"main\",\"arn\":\"" ARN "\"}}",
        .account = "111122223333",
        .region = "eu-west-1",
        .trail = "main",
    };
}

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
        Alert alert = make_alert(bodies[i].event, "One.\n\nTwo.\n");
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
    Alert alert = make_alert(EVENT_TRAIL_STOPPED, hostile);
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
        Alert alert = make_alert(EVENT_TRAIL_STOPPED, text);

        assert_int_equal(alert_format_body(format, &alert, "KEY", &body), 0);
        assert_true(strlen(body) < most[format]);
        if (format != ALERT_FORMAT_PAGERDUTY)
            assert_non_null(strstr(body, "[...]"));
        free(body);
    }
}

static void test_text_that_is_none(void **state) {
    Alert alert = make_alert(EVENT_TRAIL_STOPPED, "\xff");
    char *body = NULL;

    (void)state;
    for (AlertFormat format = ALERT_FORMAT_SLACK; format < _ALERT_FORMAT_MAX; format++)
        if (format != ALERT_FORMAT_PAGERDUTY) /* has the document instead */
            assert_int_equal(alert_format_body(format, &alert, "KEY", &body), -EINVAL);
    alert = make_alert(EVENT_TRAIL_STOPPED, "x");
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

typedef struct Sent {
    unsigned n;
    Receipt receipt;
} Sent;

static void on_sent(const Receipt *receipt, void *userdata) {
    Sent *sent = userdata;

    sent->n++;
    sent->receipt = *receipt;
}

static ChannelContext context_of(const ServiceFixture *f) {
    return (ChannelContext){ .aws = f->aws,
                             .credentials = f->credentials,
                             .http = fake_http_client(f->http),
                             .loop = fake_loop_loop(f->loop) };
}

/* Sends, and gives the receipt that came by itself. */
static Receipt send_alert(const ServiceFixture *f, const ChannelConfig *channel, EventKind event) {
    Alert alert = make_alert(event, "The mail.\n");
    ChannelContext context = context_of(f);
    Sent sent = { 0 };

    assert_int_equal(channel_send(&context, channel, &alert, on_sent, &sent, NULL), 0);
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
    const char *secret = write_secret("genie-key");
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
        { "https://a.example/x\nhttps://b.example/y", "allowed: https://HOST" },
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
    Alert alert = make_alert(EVENT_TRAIL_STOPPED, "x");
    ChannelContext context = context_of(f);
    Sent sent = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(channels); i++) {
        ChannelSend *send = NULL;

        assert_int_equal(channel_send(&context, &channels[i], &alert, on_sent, &sent, &send), 0);
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
    Alert alert = make_alert(EVENT_TRAIL_RESOLVED, "Line\nline\n");
    ChannelContext context = context_of(f);
    Sent sent = { 0 };

    setenv("AWS_SECRET_ACCESS_KEY", "T0PSECRET", 1);
    assert_int_equal(channel_send(&context, &mail_command, &alert, on_sent, &sent, NULL), 0);
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
    Alert alert = make_alert(EVENT_TRAIL_STOPPED, "x");
    ChannelContext context = context_of(f);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Sent sent = { 0 };

        assert_int_equal(channel_send(&context, &mail_command, &alert, on_sent, &sent, NULL), 0);
        fake_loop_end_child(f->loop, cases[i].ending, cases[i].code, NULL, cases[i].errors);
        fake_loop_run(f->loop);
        assert_int_equal(sent.n, 1);
        assert_int_equal(sent.receipt.kind, cases[i].kind);
        assert_string_equal(sent.receipt.text, cases[i].text);
    }
}

static void test_command_hangs_or_is_not_there(void **state) {
    const ServiceFixture *f = *state;
    Alert alert = make_alert(EVENT_TRAIL_STOPPED, "x");
    ChannelContext context = context_of(f);
    Sent sent = { 0 };

    assert_int_equal(channel_send(&context, &mail_command, &alert, on_sent, &sent, NULL), 0);
    fake_loop_advance(f->loop, 30 * USEC_PER_SEC);
    assert_int_equal(sent.receipt.kind, RECEIPT_RETRY);
    assert_string_equal(sent.receipt.text, "killed after 30 s");
    fake_loop_fail_spawn(f->loop, -ENOENT);
    assert_int_equal(channel_send(&context, &mail_command, &alert, on_sent, &sent, NULL), 0);
    fake_loop_run(f->loop);
    assert_int_equal(sent.n, 2);
    assert_int_equal(sent.receipt.kind, RECEIPT_CHANNEL_REFUSED);
    assert_string_equal(sent.receipt.text, "/usr/bin/mail cannot be started: No such file or directory");
}

/* ---- Alertmanager ---- */

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
    Alert alert = make_alert(event, "The mail.");

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
    ChannelContext context = context_of(f);
    Alert alert = am_alert(EVENT_TRAIL_STOPPED, SEVERITY_CRITICAL, false);
    char dir[] = "/tmp/tg-am-XXXXXX", command[64];

    assert_non_null(mkdtemp(dir));
    context.state_dir = dir;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Sent sent = { 0 };

        fake_http_reply(f->http, cases[i].first, "x", NULL);
        fake_http_reply(f->http, cases[i].second, "x", NULL);
        assert_int_equal(channel_send(&context, &channel, &alert, on_sent, &sent, NULL), 0);
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

/* A set that cannot be kept would be forgotten: the message is sent again. */
static void test_alertmanager_set_that_cannot_be_written(void **state) {
    const ServiceFixture *f = *state;
    const ChannelConfig channel = { .type = CHANNEL_ALERTMANAGER,
                                    .urls = { .items = (char *[]){ (char *)"https://a.example", NULL },
                                              .n = 1 } };
    ChannelContext context = context_of(f);
    Alert alert = am_alert(EVENT_TRAIL_STOPPED, SEVERITY_CRITICAL, false);
    Sent sent = { 0 };

    context.state_dir = "/nonexistent";
    fake_http_reply(f->http, 200, "", NULL);
    assert_int_equal(channel_send(&context, &channel, &alert, on_sent, &sent, NULL), 0);
    fake_loop_run(f->loop);
    assert_int_equal(sent.receipt.kind, RECEIPT_RETRY);
    assert_non_null(strstr(sent.receipt.text, "cannot be written: No such file"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_hostile_text),
        cmocka_unit_test(test_long_text_is_cut),
        cmocka_unit_test(test_text_that_is_none),
        cmocka_unit_test(test_filter),
        cmocka_unit_test(test_a_summary_that_ends_an_incident),
        cmocka_unit_test(test_alertmanager_alerts),
        cmocka_unit_test(test_alertmanager_names_the_channel_of_an_alert),
        cmocka_unit_test(test_alertmanager_forgets_what_ended_long_ago),
        cmocka_unit_test(test_alertmanager_has_a_ceiling),
        SERVICE_TEST(test_alertmanager_cluster),
        SERVICE_TEST(test_alertmanager_set_that_cannot_be_written),
        SERVICE_TEST(test_signature),
        SERVICE_TEST(test_without_secret_no_signature),
        SERVICE_TEST(test_opsgenie_key_and_close),
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
