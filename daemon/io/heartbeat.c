/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/heartbeat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"
#include "lib/retry.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* Delay before the next signal after a failure, unless passes are rarer. */
#define AGAIN_USEC (15 * USEC_PER_SEC)
/* Failing is reported after this long, a refusal at once. */
#define FAILING_REPORTED_USEC (60 * USEC_PER_SEC)
#define JITTER_PART           10 /* of the interval, so that the signals of many hosts spread out */

struct Heartbeat {
    HeartbeatOptions options;
    HttpExchange *exchange;
    LoopTimer *timer;            /* sends the first signal */
    StrBuf url;                  /* of the current request */
    uint64_t due_usec;           /* mono */
    bool starting;              /* the first signal is being sent; the first complete pass is due after it */
    uint64_t failing_since_usec; /* mono; 0: the last signal succeeded */
    bool failed;                 /* as last reported */
    uint64_t failed_since_usec;  /* real time of the report, or of a failure that a crash kept from being
                                    reported; else 0 */
    char account[16];            /* ... whose it was then */
};

static void heartbeat_report(Heartbeat *h, bool failed, const char *text) {
    ChannelTrouble trouble = { .channel = (char *)HEARTBEAT_KEY };

    if (failed && h->failed_since_usec == 0)
        channel_trouble_begins(&h->options.context, &h->failed_since_usec, h->account);
    trouble.since_usec = h->failed_since_usec;
    (void)text_copy(trouble.account, sizeof(trouble.account), h->account);
    (void)text_escaped(trouble.text, sizeof(trouble.text), text);
    if (h->options.changed(&trouble, failed, h->options.userdata) >= 0)
        h->failed = failed;
}

static void signal_ended(Heartbeat *h, const Receipt *receipt) {
    Loop *loop = h->options.context.loop;
    bool starting = h->starting;
    uint64_t now_usec = loop_monotonic_usec(loop), interval = h->options.config->interval_sec * USEC_PER_SEC;

    h->starting = false;
    if (receipt->kind == RECEIPT_DELIVERED) {
        h->failing_since_usec = 0;
        h->due_usec =
                starting ? 0 : now_usec + interval - retry_jitter(interval / JITTER_PART, loop_random(loop));
        if (h->failed)
            heartbeat_report(h, false, "");
        if (!h->failed)
            h->failed_since_usec = 0;
        return;
    }
    h->due_usec = now_usec + MIN(interval, MAX(AGAIN_USEC, receipt->retry_after_usec));
    if (h->failing_since_usec == 0) {
        h->failing_since_usec = now_usec;
        log_line(LOG_WARNING, HEARTBEAT_KEY ": a signal was not taken, trying again: %s", receipt->text);
    }
    if (!h->failed &&
        (receipt->kind == RECEIPT_CHANNEL_REFUSED || receipt->kind == RECEIPT_MESSAGE_REFUSED ||
         now_usec - h->failing_since_usec >= FAILING_REPORTED_USEC))
        heartbeat_report(h, true, receipt->text);
}

/* The URL is as secret as a password: anyone who has it can keep the dead man's switch quiet. */
static void on_heartbeat_answer(const HttpResponse *response, void *userdata) {
    Heartbeat *h = userdata;
    Receipt receipt;

    h->exchange = NULL;
    channel_http_receipt(response, strbuf_str(&h->url), loop_realtime_usec(h->options.context.loop),
                         &receipt);
    strbuf_done(&h->url);
    signal_ended(h, &receipt);
}

/* Reads the URL and appends a path to its own, before a query. */
static int read_url(Heartbeat *h, const char *path, Receipt *receipt) {
    const HeartbeatConfig *config = h->options.config;
    ChannelConfig where = { .url = config->url, .url_file = config->url_file };
    _cleanup_strbuf_ StrBuf base = STRBUF_INIT(4096);
    size_t n, len;
    int r = channel_read_url(&where, NULL, &base, receipt);

    if (r < 0)
        return r;
    n = len = strcspn(strbuf_str(&base), "?");
    while (path[0] && n > 0 && base.data[n - 1] == '/')
        n--;
    h->url = STRBUF_INIT(4096);
    h->url.wipe = true;
    (void)strbuf_add_mem(&h->url, base.data, n);
    (void)strbuf_add(&h->url, path);
    return strbuf_add(&h->url, strbuf_str(&base) + len);
}

static void send_signal(Heartbeat *h, const char *path, const char *body) {
    static const HttpHeader headers[] = { { "Content-Type", "text/plain; charset=utf-8" } };
    bool post = h->options.config->style == HEARTBEAT_HEALTHCHECKS;
    Receipt receipt = { .kind = RECEIPT_RETRY, .text = "it cannot be sent" };
    int r = read_url(h, path, &receipt);

    if (r >= 0)
        r = http_submit(h->options.context.http,
                        &(HttpRequest){ .method = post ? "POST" : "GET",
                                        .url = strbuf_str(&h->url),
                                        .headers = headers,
                                        .n_headers = post ? ARRAY_SIZE(headers) : 0,
                                        .body = post ? body : NULL,
                                        .body_len = post ? strlen(body) : 0,
                                        .connect_timeout_usec = CHANNEL_CONNECT_USEC,
                                        .timeout_usec = CHANNEL_HTTP_USEC },
                        on_heartbeat_answer, h, &h->exchange);
    if (r >= 0)
        return;
    strbuf_done(&h->url);
    signal_ended(h, &receipt);
}

static void signal_start(void *userdata) {
    Heartbeat *h = userdata;

    if (h->exchange || h->options.config->style != HEARTBEAT_HEALTHCHECKS)
        return;
    h->starting = true;
    send_signal(h, "/start", "TrailGuard begins to poll");
}

int heartbeat_new(const HeartbeatOptions *options, Heartbeat **ret) {
    Heartbeat *h = calloc(1, sizeof(*h));

    if (!h)
        return -ENOMEM;
    h->options = *options;
    h->failed_since_usec = options->before.since_usec;
    (void)text_copy(h->account, sizeof(h->account), options->before.account);
    h->failed = h->failed_since_usec != 0 && !options->before.pending;
    if (loop_after(options->context.loop, 0, signal_start, h, &h->timer) < 0) {
        free(h);
        return -ENOMEM;
    }
    *ret = h;
    return 0;
}

void heartbeat_free(Heartbeat *heartbeat) {
    if (!heartbeat)
        return;
    if (heartbeat->exchange)
        http_cancel(heartbeat->options.context.http, heartbeat->exchange);
    loop_cancel(heartbeat->options.context.loop, heartbeat->timer);
    strbuf_done(&heartbeat->url);
    free(heartbeat);
}

bool heartbeat_trouble(const Heartbeat *heartbeat, ChannelTrouble *ret) {
    if (!heartbeat || heartbeat->failed_since_usec == 0)
        return false;
    *ret = (ChannelTrouble){ .channel = (char *)HEARTBEAT_KEY,
                             .since_usec = heartbeat->failed_since_usec,
                             .pending = !heartbeat->failed };
    (void)text_copy(ret->account, sizeof(ret->account), heartbeat->account);
    return true;
}

bool heartbeat_is_due(const Heartbeat *heartbeat) {
    return heartbeat && !heartbeat->exchange &&
           loop_monotonic_usec(heartbeat->options.context.loop) >= heartbeat->due_usec;
}

void heartbeat_pass(Heartbeat *heartbeat, PassResult result, const char *line) {
    if (!heartbeat_is_due(heartbeat) || result == PASS_INCOMPLETE)
        return;
    if (result == PASS_COMPLETE)
        send_signal(heartbeat, "", line);
    else if (heartbeat->options.config->style == HEARTBEAT_HEALTHCHECKS)
        send_signal(heartbeat, "/fail", line);
}
