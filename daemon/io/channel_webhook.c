/* SPDX-License-Identifier: Apache-2.0 */
/* The webhook channel: each alert is one POST and yields one receipt. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/channel_format.h"
#include "daemon/core/events.h"
#include "daemon/io/channel.h"
#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define HEADERS_MAX 6
#define BODY_MAX    (512 * 1024) /* PagerDuty's limit, the highest one known */

typedef struct WebhookSend {
    ChannelSend send;
    const ChannelContext *context;
    HttpExchange *exchange;
    LoopTimer *timer; /* reports a failure before the request */
    Receipt receipt;
    StrBuf url, secret;
} WebhookSend;

/* The default URL of each format's receiver. */
static const char *const format_urls[_ALERT_FORMAT_MAX] = {
    [ALERT_FORMAT_PAGERDUTY] = "https://events.pagerduty.com/v2/enqueue",
    [ALERT_FORMAT_OPSGENIE] = "https://api.opsgenie.com/v2/alerts",
};

const char *channel_webhook_url(AlertFormat format) {
    return format_urls[format];
}

static void webhook_finish(WebhookSend *w, const Receipt *receipt) {
    strbuf_done(&w->url);
    strbuf_done(&w->secret);
    channel_finish(&w->send, receipt);
}

static void on_answer(const HttpResponse *response, void *userdata) {
    WebhookSend *w = userdata;
    Receipt receipt;

    channel_http_receipt(response, w->secret.len > 0 ? strbuf_str(&w->secret) : NULL,
                         loop_realtime_usec(w->context->loop), &receipt);
    if (w->url.len > 0 && strstr(receipt.text, strbuf_str(&w->url)))
        (void)snprintf(receipt.text, sizeof(receipt.text), "HTTP %d", response->status);
    webhook_finish(w, &receipt);
}

static void on_failed_start(void *userdata) {
    WebhookSend *w = userdata;

    webhook_finish(w, &w->receipt);
}

static void webhook_cancel(ChannelSend *send) {
    WebhookSend *w = CONTAINER_OF(send, WebhookSend, send);

    if (w->exchange)
        http_cancel(w->context->http, w->exchange);
    loop_cancel(w->context->loop, w->timer);
    strbuf_done(&w->url);
    strbuf_done(&w->secret);
    free(w);
}

/* Signs "TIME.BODY", so that a replayed request cannot carry a new time. */
static int sign_body(const StrBuf *secret, const char *time, const char *body,
                     char ret[static HASH_HEX_SIZE + 7]) {
    _cleanup_strbuf_ StrBuf text = STRBUF_INIT(BODY_MAX + 64);
    uint8_t digest[HASH_SIZE];
    int r = strbuf_addf(&text, "%s.%s", time, body);

    if (r >= 0)
        r = hash_hmac_sha256(secret->data, secret->len, text.data, text.len, digest);
    if (r < 0)
        return r;
    (void)text_copy(ret, 8, "sha256=");
    hash_hex(digest, ret + 7);
    return 0;
}

static int post(WebhookSend *w, const ChannelConfig *channel, const Alert *alert, const char *body) {
    char time[24], signature[HASH_HEX_SIZE + 7], key[4096 + 16];
    HttpHeader headers[HEADERS_MAX] = { { "Content-Type", "application/json" },
                                        { "X-TrailGuard-Id", alert->id },
                                        { "X-TrailGuard-Event", event_to_string(alert->event) },
                                        { "X-TrailGuard-Timestamp", time } };
    size_t n = 4;
    int r = 0;

    (void)snprintf(time, sizeof(time), "%llu",
                   (unsigned long long)(loop_realtime_usec(w->context->loop) / USEC_PER_SEC));
    if (channel->format == ALERT_FORMAT_OPSGENIE) {
        (void)snprintf(key, sizeof(key), "GenieKey %s", strbuf_str(&w->secret));
        headers[n++] = (HttpHeader){ "Authorization", key };
    } else if (channel->format != ALERT_FORMAT_PAGERDUTY && channel->secret_file) {
        r = sign_body(&w->secret, time, body, signature);
        headers[n++] = (HttpHeader){ "X-TrailGuard-Signature", signature };
    }
    if (r >= 0)
        r = http_submit(w->context->http,
                        &(HttpRequest){ .method = "POST",
                                        .url = strbuf_str(&w->url),
                                        .headers = headers,
                                        .n_headers = n,
                                        .body = body,
                                        .body_len = strlen(body),
                                        .connect_timeout_usec = CHANNEL_CONNECT_USEC,
                                        .timeout_usec = CHANNEL_HTTP_USEC },
                        on_answer, w, &w->exchange);
    hash_wipe(key, sizeof(key));
    return r;
}

/* Returns 1 when the receipt says what is wrong. */
static int webhook_start(WebhookSend *w, const ChannelConfig *channel, const Alert *alert) {
    char path[ALERT_FORMAT_PATH_MAX], *body = NULL;
    int r;

    if (channel_read_url(channel, channel_webhook_url(channel->format), &w->url, &w->receipt) < 0 ||
        (channel->secret_file && channel_read_secret(channel->secret_file, &w->secret, &w->receipt) < 0))
        return 1;
    alert_format_path(channel->format, alert, path);
    r = strbuf_add(&w->url, path);
    if (r >= 0)
        r = alert_format_body(channel->format, alert, strbuf_str(&w->secret), &body);
    if (r < 0)
        return r == -EINVAL ? -E2BIG : r; /* this message can never be sent, which is not the channel's
                                             fault */
    r = strlen(body) > BODY_MAX ? -E2BIG : post(w, channel, alert, body);
    hash_wipe(body, strlen(body));
    free(body);
    return r;
}

int channel_webhook_send(const ChannelContext *context, const ChannelConfig *channel, const Alert *alert,
                         ChannelSent sent, void *userdata, ChannelSend **ret) {
    WebhookSend *w = calloc(1, sizeof(*w));
    int r;

    if (!w)
        return -ENOMEM;
    w->send = (ChannelSend){ .sent = sent, .userdata = userdata, .cancel = webhook_cancel };
    w->context = context;
    r = webhook_start(w, channel, alert);
    if (r == 1)
        r = loop_after(context->loop, 0, on_failed_start, w, &w->timer);
    if (r < 0) {
        webhook_cancel(&w->send);
        return r;
    }
    if (ret)
        *ret = &w->send;
    return 0;
}
