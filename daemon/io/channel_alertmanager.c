/* SPDX-License-Identifier: Apache-2.0 */
/* The alertmanager channel: POSTs all open incidents to each member of a cluster. Alertmanager must be sent
 * an incident repeatedly until it ends, so the channel keeps the set of open incidents in a file of its
 * own. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/alertmanager.h"
#include "daemon/io/channel.h"
#include "daemon/io/sealed.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define SET_MAX (32 * 1024 * 1024)

typedef struct Member {
    struct AlertmanagerSend *owner;
    HttpExchange *exchange;
} Member;

typedef struct AlertmanagerSend {
    ChannelSend send;
    const ChannelContext *context;
    const ChannelConfig *channel;
    LoopTimer *timer; /* reports that nothing is open, or that the set cannot be read */
    char *path;       /* of the set; NULL: not stored */
    char *set;        /* the set to store after delivery */
    bool refresh;     /* a refresh without a new message */
    size_t n_waiting, n_took;
    Receipt worst; /* of the members that did not accept it, or of the set */
    Member members[];
} AlertmanagerSend;

static void alertmanager_free(AlertmanagerSend *a) {
    free(a->path);
    free(a->set);
}

static void alertmanager_cancel(ChannelSend *send) {
    AlertmanagerSend *a = CONTAINER_OF(send, AlertmanagerSend, send);

    for (size_t i = 0; i < a->channel->urls.n; i++)
        if (a->members[i].exchange)
            http_cancel(a->context->http, a->members[i].exchange);
    loop_cancel(a->context->loop, a->timer);
    alertmanager_free(a);
    free(a);
}

static void alertmanager_finish(AlertmanagerSend *a, const Receipt *receipt) {
    alertmanager_free(a);
    channel_finish(&a->send, receipt);
}

/* Delivered when one member accepted it: a cluster shares notifications, and each member gets everything
 * again within a minute. If the set cannot be saved it would not be sent again, so the message is
 * retried. */
static void all_answered(AlertmanagerSend *a) {
    Receipt receipt = { .kind = RECEIPT_DELIVERED };
    size_t n = a->channel->urls.n;
    int r = 0;

    if (a->n_took == 0) {
        alertmanager_finish(a, &a->worst);
        return;
    }
    if (a->path)
        r = file_write(a->path, a->set, strlen(a->set), 0600, true);
    if (r < 0) {
        receipt.kind = RECEIPT_RETRY;
        (void)snprintf(receipt.text, sizeof(receipt.text), "%.300s cannot be written: %s", a->path,
                       file_strerror(r));
    } else if (a->n_took < n)
        (void)snprintf(receipt.text, sizeof(receipt.text), "taken by %zu of %zu; %.300s", a->n_took, n,
                       a->worst.text);
    else
        (void)snprintf(receipt.text, sizeof(receipt.text), "taken by %zu of %zu", n, n);
    alertmanager_finish(a, &receipt);
}

static void on_member_answer(const HttpResponse *response, void *userdata) {
    Member *member = userdata;
    AlertmanagerSend *a = member->owner;
    const char *url = a->channel->urls.items[member - a->members];
    Receipt receipt;

    member->exchange = NULL;
    channel_http_receipt(response, NULL, loop_realtime_usec(a->context->loop), &receipt);
    if (receipt.kind == RECEIPT_DELIVERED)
        a->n_took++;
    else if (!a->worst.text[0]) {
        a->worst = receipt;
        (void)snprintf(a->worst.text, sizeof(a->worst.text), "%.100s: %.300s", url, receipt.text);
    }
    if (--a->n_waiting == 0)
        all_answered(a);
}

static void on_nothing_to_send(void *userdata) {
    AlertmanagerSend *a = userdata;
    Receipt receipt = { .kind = a->refresh ? RECEIPT_SKIPPED : RECEIPT_DELIVERED,
                        .text = "nothing is open there" };

    alertmanager_finish(a, &receipt);
}

static void on_unread_set(void *userdata) {
    AlertmanagerSend *a = userdata;

    alertmanager_finish(a, &a->worst);
}

static int post_to(AlertmanagerSend *a, Member *member, const char *base, const char *body) {
    static const HttpHeader headers[] = { { "Content-Type", "application/json" } };
    _cleanup_strbuf_ StrBuf url = STRBUF_INIT(4096);
    int r = strbuf_addf(&url, "%s%sapi/v2/alerts", base, text_ends_with(base, "/") ? "" : "/");

    member->owner = a;
    if (r < 0)
        return r;
    return http_submit(a->context->http,
                       &(HttpRequest){ .method = "POST",
                                       .url = strbuf_str(&url),
                                       .headers = headers,
                                       .n_headers = ARRAY_SIZE(headers),
                                       .body = body,
                                       .body_len = strlen(body),
                                       .connect_timeout_usec = CHANNEL_CONNECT_USEC,
                                       .timeout_usec = CHANNEL_HTTP_USEC },
                       on_member_answer, member, &member->exchange);
}

/* Renames a damaged file. Reminders bring back what is open. */
static int set_damaged_aside(AlertmanagerSend *a, int dir_fd, int error, char **ret) {
    char line[ERROR_TEXT_MAX];
    int r = damaged_file(dir_fd, a->path, error, error == -EINVAL ? "no set of alerts" : "", SET_MAX,
                         loop_realtime_usec(a->context->loop), line, sizeof(line));

    if (r >= 0) {
        free(*ret);
        *ret = NULL;
    }
    return r;
}

/* Reads the open incidents as of the last delivered message. Returns "" when there is no file yet. */
static int load_set(AlertmanagerSend *a, char **ret) {
    _cleanup_(file_closep) int fd = -1;
    _cleanup_free_ char *key = NULL;
    char hash[HASH_HEX_SIZE], name[64];
    size_t len;
    int r;

    *ret = NULL;
    if (!a->context->state_dir)
        return 0;
    key = config_channel_key(a->channel);
    r = key ? hash_sha256_hex(key, strlen(key), hash) : -ENOMEM;
    if (r < 0)
        return r;
    (void)snprintf(name, sizeof(name), "alertmanager-%.16s.json", hash);
    a->path = file_join(a->context->state_dir, name);
    if (!a->path)
        return -ENOMEM;
    fd = file_dir_open(a->context->state_dir);
    r = fd < 0 ? fd : file_read_at(fd, name, SET_MAX, ret, &len);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    r = alertmanager_check(*ret);
    return r < 0 ? set_damaged_aside(a, fd, r, ret) : 0;
}

/* Without the set, the incidents in it would never be resolved, so nothing is sent until it can be read.
 * Never the message's fault, whatever the errno. */
static int refuse_set(AlertmanagerSend *a, int error) {
    a->worst = (Receipt){ .kind = RECEIPT_RETRY };
    (void)snprintf(a->worst.text, sizeof(a->worst.text), "%.300s cannot be read: %s", a->path,
                   error == -EINVAL ? "not a regular file" : file_strerror(error));
    return loop_after(a->context->loop, 0, on_unread_set, a, &a->timer);
}

static int alertmanager_start(AlertmanagerSend *a, const Alert *alert) {
    uint64_t now_usec = loop_realtime_usec(a->context->loop);
    _cleanup_free_ char *before = NULL, *body = NULL;
    int r = load_set(a, &before);

    a->refresh = !alert;
    if (r < 0)
        return r == -ENOMEM ? r : refuse_set(a, r);
    r = alertmanager_apply(before ? before : "", alert, now_usec, &a->set);
    if (r >= 0)
        r = alertmanager_body(a->set, now_usec, &body);
    if (r < 0)
        return r == -EINVAL ? -E2BIG : r;
    if (!body)
        return loop_after(a->context->loop, 0, on_nothing_to_send, a, &a->timer);
    for (size_t i = 0; r >= 0 && i < a->channel->urls.n; i++) {
        r = post_to(a, &a->members[i], a->channel->urls.items[i], body);
        a->n_waiting += r >= 0;
    }
    return r;
}

int channel_alertmanager_send(const ChannelContext *context, const ChannelConfig *channel,
                              const Alert *alert, ChannelSent sent, void *userdata, ChannelSend **ret) {
    AlertmanagerSend *a = calloc(1, sizeof(*a) + channel->urls.n * sizeof(a->members[0]));
    int r;

    if (!a)
        return -ENOMEM;
    a->send = (ChannelSend){ .sent = sent, .userdata = userdata, .cancel = alertmanager_cancel };
    a->context = context;
    a->channel = channel;
    r = alertmanager_start(a, alert);
    if (r < 0) {
        alertmanager_cancel(&a->send);
        return r;
    }
    if (ret)
        *ret = &a->send;
    return 0;
}
