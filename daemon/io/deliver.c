/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/deliver.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/alertmanager.h"
#include "daemon/core/channel_format.h"
#include "daemon/log.h"
#include "lib/retry.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define RETRY_MIN_USEC (1 * USEC_PER_SEC)
#define RETRY_MAX_USEC (60 * USEC_PER_SEC)
/* How often a channel that refuses is retried. */
#define REFUSED_RETRY_USEC (300 * USEC_PER_SEC)
/* After this long, failures are reported through the other channels. */
#define FAILING_REPORTED_USEC (60 * USEC_PER_SEC)
#define DEADLINE_SLACK        (5 * USEC_PER_SEC)
/* What could not be reported is tried again so soon. */
#define REPORT_AGAIN_USEC (1 * USEC_PER_SEC)

typedef struct Channel {
    Deliver *deliver;
    const ChannelConfig *config; /* the engine's, which outlives us */
    char *key;
    ChannelSend *sending;
    char sending_id[65]; /* of the alert, whose entry may be dropped meanwhile; "": a refresh */
    uint64_t refresh_usec;       /* mono; when open incidents are sent again */
    unsigned reported_lost;      /* dropped alerts that the present message reports */
    uint64_t send_by_usec;       /* mono */
    LoopTimer *timer;            /* the next attempt */
    unsigned n_failed;           /* failed attempts in a row */
    uint64_t failing_since_usec; /* mono; 0 if the last attempt succeeded */
    bool failed;                 /* as reported ... */
    bool fails;                  /* ... and as it is to be */
    LoopTimer *report_timer;     /* until that is reported */
    bool by_check;               /* ... by a check only: no message was refused */
    uint64_t failed_since_usec;  /* real; when that was reported, or a crash may have prevented it; else 0 */
    char account[16];            /* ... and the account then */
    char text[ERROR_TEXT_MAX];
} Channel;

struct Deliver {
    DeliverOptions options;
    Loop *loop;
    Channel *channels;
    const char **keys;
    size_t n_channels;
    unsigned n_lost; /* dropped alerts that are not reported yet */
};

/* ---- by type ---- */

typedef int (*SendByType)(const ChannelContext *context, const ChannelConfig *channel, const Alert *alert,
                          ChannelSent sent, void *userdata, ChannelSend **ret);

static const SendByType senders[_CHANNEL_TYPE_MAX] = {
    [CHANNEL_SNS] = channel_sns_send,
    [CHANNEL_WEBHOOK] = channel_webhook_send,
    [CHANNEL_COMMAND] = channel_command_send,
    [CHANNEL_ALERTMANAGER] = channel_alertmanager_send,
};

int channel_send(const ChannelContext *context, const ChannelConfig *channel, const Alert *alert,
                 ChannelSent sent, void *userdata, ChannelSend **ret) {
    return senders[channel->type](context, channel, alert, sent, userdata, ret);
}

/* The longest time that a message of this channel can take. */
static uint64_t channel_deadline_usec(const ChannelContext *context, const ChannelConfig *channel) {
    static const uint64_t deadlines[_CHANNEL_TYPE_MAX] = {
        [CHANNEL_WEBHOOK] = CHANNEL_HTTP_USEC,
        [CHANNEL_COMMAND] = CHANNEL_COMMAND_USEC,
        [CHANNEL_ALERTMANAGER] = CHANNEL_HTTP_USEC,
    };

    return channel->type == CHANNEL_SNS ? aws_client_deadline_usec(context->aws)
                                        : deadlines[channel->type] + DEADLINE_SLACK;
}

/* How often a channel of this type sends without a new alert; 0: never. */
static uint64_t channel_refresh_usec(ChannelType type) {
    return type == CHANNEL_ALERTMANAGER ? ALERTMANAGER_RESEND_USEC : 0;
}

static void send_next(Channel *channel);

static void timer_fired(void *userdata) {
    Channel *channel = userdata;

    send_next(channel);
}

static void send_later(Channel *channel, uint64_t delay_usec) {
    Loop *loop = channel->deliver->loop;

    if (loop_rearm(loop, delay_usec, timer_fired, channel, &channel->timer) < 0)
        log_line(LOG_ERR, "%s: no timer for the next attempt", channel->key);
}

static void hold_back(Channel *channel, uint64_t delay_usec, const char *by) {
    log_debug("held back: %s: next attempt in %llu ms by %s, %u failed in a row", channel->key,
              (unsigned long long)(delay_usec / USEC_PER_MSEC), by, channel->n_failed);
    send_later(channel, delay_usec);
}

/* ---- the state of the channel ---- */

static void report_again(void *userdata);

/* True: it is reported. */
static bool report_change(Channel *channel, bool failed) {
    const DeliverOptions *options = &channel->deliver->options;
    ChannelTrouble trouble = { .channel = channel->key,
                               .since_usec = channel->failed_since_usec,
                               .by_check = channel->by_check };

    channel->fails = failed;
    (void)text_copy(trouble.account, sizeof(trouble.account), channel->account);
    (void)text_copy(trouble.text, sizeof(trouble.text), channel->text);
    if (options->channel_changed && options->channel_changed(&trouble, failed, options->userdata) < 0) {
        (void)loop_rearm(channel->deliver->loop, REPORT_AGAIN_USEC, report_again, channel,
                         &channel->report_timer);
        return false;
    }
    channel->failed = failed;
    return true;
}

static void report_failed(Channel *channel) {
    if (channel->failed_since_usec == 0)
        channel_trouble_begins(&channel->deliver->options.context, &channel->failed_since_usec,
                               channel->account);
    (void)report_change(channel, true);
}

static void report_works(Channel *channel) {
    if (channel->failed && !report_change(channel, false))
        return;
    channel->fails = false;
    channel->failed_since_usec = 0;
    channel->by_check = false;
}

static void report_again(void *userdata) {
    Channel *channel = userdata;

    channel->report_timer = NULL;
    if (channel->fails && !channel->failed)
        report_failed(channel);
    else if (!channel->fails)
        report_works(channel);
}

static void works(Channel *channel) {
    channel->n_failed = 0;
    channel->failing_since_usec = 0;
    channel->text[0] = '\0';
    report_works(channel);
}

static void fails(Channel *channel, const Receipt *receipt) {
    uint64_t now_usec = loop_monotonic_usec(channel->deliver->loop);
    bool refused = receipt->kind == RECEIPT_CHANNEL_REFUSED;

    if (channel->n_failed++ == 0) {
        channel->failing_since_usec = now_usec;
        log_aws(LOG_WARNING, receipt->text, "%s: an alert was not taken, trying again: %s", channel->key,
                receipt->text);
    }
    (void)text_escaped(channel->text, sizeof(channel->text), receipt->text);
    channel->by_check = false;
    if (refused)
        hold_back(channel, REFUSED_RETRY_USEC, "the channel's refusal");
    else {
        uint64_t wait_usec = retry_backoff(RETRY_MIN_USEC, RETRY_MAX_USEC, channel->n_failed,
                                           loop_random(channel->deliver->loop));

        /* a receiver's Retry-After is respected */
        if (receipt->retry_after_usec > wait_usec)
            hold_back(channel, MIN(receipt->retry_after_usec, REFUSED_RETRY_USEC),
                      "the receiver's Retry-After");
        else
            hold_back(channel, wait_usec, "back-off");
    }
    if (!channel->failed && (refused || now_usec - channel->failing_since_usec >= FAILING_REPORTED_USEC))
        report_failed(channel);
}

void deliver_checked(Deliver *deliver, size_t i, bool broken, const char *text) {
    Channel *channel = &deliver->channels[i];

    if (!broken && channel->failed && channel->by_check)
        works(channel);
    if (!broken || channel->failed)
        return;
    (void)text_copy(channel->text, sizeof(channel->text), text);
    channel->by_check = true;
    report_failed(channel);
}

/* ---- one message ---- */

static void acknowledge(Channel *channel, OutboxEntry *entry) {
    Deliver *deliver = channel->deliver;

    outbox_acknowledge(deliver->options.outbox, entry, channel->key, deliver->keys, deliver->n_channels);
}

static void delivered(Channel *channel, const Receipt *receipt) {
    Deliver *deliver = channel->deliver;
    const DeliverOptions *options = &deliver->options;
    OutboxEntry *entry = outbox_find(options->outbox, channel->sending_id);

    if (channel->reported_lost > 0)
        deliver->n_lost -= MIN(deliver->n_lost, channel->reported_lost);
    if (entry && options->delivered)
        options->delivered(outbox_entry_alert(entry), channel->key, receipt, options->userdata);
    /* looked up again: the callback may have added an alert that pushed this one out */
    entry = outbox_find(options->outbox, channel->sending_id);
    if (entry)
        acknowledge(channel, entry);
    send_later(channel, 0);
    works(channel);
}

/* The channel answered, so its next message is worth an attempt, but it is not proven to work. The other
 * channels report the refused message, because nobody gets it here. */
static void message_refused(Channel *channel, const Receipt *receipt) {
    Deliver *deliver = channel->deliver;
    OutboxEntry *entry = outbox_find(deliver->options.outbox, channel->sending_id);

    channel->n_failed = 0;
    channel->failing_since_usec = 0;
    if (entry)
        outbox_refuse(deliver->options.outbox, entry, channel->key, receipt->text, deliver->keys,
                      deliver->n_channels);
    channel->by_check = false;
    send_later(channel, 0);
    if (channel->failed)
        return;
    (void)text_escaped(channel->text, sizeof(channel->text), receipt->text);
    report_failed(channel);
}

static void refresh_in_time(Channel *channel) {
    channel->refresh_usec =
            loop_monotonic_usec(channel->deliver->loop) + channel_refresh_usec(channel->config->type);
}

/* A refused refresh may be accepted next time: there is no message to set aside. */
static void refreshed(Channel *channel, const Receipt *receipt) {
    Receipt failed = *receipt;

    if (receipt->kind == RECEIPT_DELIVERED || receipt->kind == RECEIPT_SKIPPED) {
        refresh_in_time(channel);
        send_later(channel, 0);
        if (receipt->kind == RECEIPT_DELIVERED)
            works(channel);
        return;
    }
    if (failed.kind == RECEIPT_MESSAGE_REFUSED)
        failed.kind = RECEIPT_CHANNEL_REFUSED;
    fails(channel, &failed);
}

static void deliver_sent(const Receipt *receipt, void *userdata) {
    Channel *channel = userdata;

    assert(receipt->kind < _RECEIPT_MAX && (receipt->kind != RECEIPT_SKIPPED || !channel->sending_id[0]));
    channel->sending = NULL;
    if (!channel->sending_id[0]) {
        refreshed(channel, receipt);
        return;
    }
    if (channel->deliver->options.tried)
        channel->deliver->options.tried(channel->key, receipt->kind, channel->deliver->options.userdata);
    if (receipt->kind == RECEIPT_DELIVERED) {
        refresh_in_time(channel);
        delivered(channel, receipt);
    } else if (receipt->kind == RECEIPT_MESSAGE_REFUSED)
        message_refused(channel, receipt);
    else
        fails(channel, receipt);
}

/* The oldest alert that this channel has not acknowledged. Alerts that its filter excludes are acknowledged
 * on the way. */
static OutboxEntry *next_entry(Channel *channel) {
    Outbox *outbox = channel->deliver->options.outbox;
    OutboxEntry *entry = outbox_first(outbox), *next;

    for (; entry; entry = next) {
        next = outbox_next(outbox, entry);
        if (outbox_entry_is_acknowledged(entry, channel->key))
            continue;
        if (alert_filter_takes(&channel->config->filter, outbox_entry_alert(entry)))
            return entry;
        acknowledge(channel, entry);
    }
    return NULL;
}

/* The alert's mail with a line about dropped alerts; NULL when out of memory. */
static char *text_with_lost(const Alert *alert, unsigned n_lost) {
    char *text;

    if (asprintf(&text,
                 "%s\nBefore this message %u older alert%s had to be given up: too many were waiting.\n",
                 alert->text, n_lost, n_lost == 1 ? "" : "s") < 0)
        return NULL;
    return text;
}

static int start(Channel *channel, const Alert *alert) {
    Deliver *deliver = channel->deliver;
    const DeliverOptions *options = &deliver->options;
    _cleanup_free_ char *text = NULL;
    Alert message = *alert;

    channel->reported_lost = 0;
    deliver->n_lost += outbox_take_lost(options->outbox);
    if (deliver->n_lost > 0 && (text = text_with_lost(alert, deliver->n_lost))) {
        message.text = text;
        channel->reported_lost = deliver->n_lost;
    }
    memcpy(channel->sending_id, alert->id, sizeof(channel->sending_id));
    channel->send_by_usec =
            loop_monotonic_usec(deliver->loop) + channel_deadline_usec(&options->context, channel->config);
    return channel_send(&options->context, channel->config, &message, deliver_sent, channel,
                        &channel->sending);
}

/* Turns the errno of a start into a channel's answer. */
static ReceiptKind kind_of_errno(int error) {
    if (error == -E2BIG)
        return RECEIPT_MESSAGE_REFUSED;
    return error == -EINVAL ? RECEIPT_CHANNEL_REFUSED : RECEIPT_RETRY;
}

/* No alert waits: sends open incidents again, when due. */
static void refresh(Channel *channel) {
    const DeliverOptions *options = &channel->deliver->options;
    uint64_t now_usec = loop_monotonic_usec(channel->deliver->loop);
    int r;

    if (channel_refresh_usec(channel->config->type) == 0)
        return;
    if (now_usec < channel->refresh_usec) {
        send_later(channel, channel->refresh_usec - now_usec);
        return;
    }
    channel->sending_id[0] = '\0';
    channel->send_by_usec = now_usec + channel_deadline_usec(&options->context, channel->config);
    r = channel_send(&options->context, channel->config, NULL, deliver_sent, channel, &channel->sending);
    if (r < 0) {
        Receipt receipt = { .kind = kind_of_errno(r) };

        (void)snprintf(receipt.text, sizeof(receipt.text), "cannot be sent: %s", strerror(-r));
        deliver_sent(&receipt, channel);
    }
}

static void send_next(Channel *channel) {
    const OutboxEntry *entry;
    int r;

    if (channel->sending)
        return;
    entry = next_entry(channel);
    if (!entry) {
        refresh(channel);
        return;
    }
    log_debug("wake-up: %s: an alert waits: %s", channel->key, outbox_entry_alert(entry)->subject);
    r = start(channel, outbox_entry_alert(entry));
    if (r < 0) {
        Receipt receipt = { .kind = kind_of_errno(r) };

        (void)snprintf(receipt.text, sizeof(receipt.text), "cannot be sent: %s", strerror(-r));
        deliver_sent(&receipt, channel);
    }
}

/* ---- all channels ---- */

static int copy_channel(Deliver *deliver, const ChannelConfig *from) {
    Channel *channel = &deliver->channels[deliver->n_channels];

    channel->deliver = deliver;
    channel->config = from;
    channel->key = config_channel_key(from);
    deliver->keys[deliver->n_channels++] = channel->key;
    return channel->key ? 0 : -ENOMEM;
}

/* Earlier reports are not repeated, and their end will be reported. */
static void remember_failed(Deliver *deliver, const ChannelTrouble *trouble) {
    for (size_t i = 0; i < deliver->n_channels; i++) {
        Channel *channel = &deliver->channels[i];

        if (!text_equal(channel->key, trouble->channel))
            continue;
        channel->failed = channel->fails = !trouble->pending;
        channel->failed_since_usec = trouble->since_usec;
        (void)text_copy(channel->account, sizeof(channel->account), trouble->account);
        if (trouble->pending)
            continue;
        channel->by_check = trouble->by_check;
        (void)text_copy(channel->text, sizeof(channel->text), trouble->text);
    }
}

int deliver_new(const DeliverOptions *options, Deliver **ret) {
    Deliver *deliver = calloc(1, sizeof(*deliver));
    int r = 0;

    if (!deliver)
        return -ENOMEM;
    deliver->options = *options;
    deliver->loop = options->context.loop;
    deliver->channels = calloc(options->n_channels + 1, sizeof(*deliver->channels));
    deliver->keys = calloc(options->n_channels + 1, sizeof(*deliver->keys));
    if (!deliver->channels || !deliver->keys)
        r = -ENOMEM;
    for (size_t i = 0; r >= 0 && i < options->n_channels; i++)
        r = copy_channel(deliver, &options->channels[i]);
    if (r < 0) {
        deliver_free(deliver);
        return r;
    }
    for (size_t i = 0; i < options->n_failed; i++)
        remember_failed(deliver, &options->failed[i]);
    outbox_sweep(options->outbox, deliver->keys, deliver->n_channels);
    *ret = deliver;
    return 0;
}

void deliver_free(Deliver *deliver) {
    if (!deliver)
        return;
    for (size_t i = 0; deliver->channels && i < deliver->n_channels; i++) {
        Channel *channel = &deliver->channels[i];

        channel_cancel(channel->sending);
        loop_cancel(deliver->loop, channel->timer);
        loop_cancel(deliver->loop, channel->report_timer);
        free(channel->key);
    }
    free(deliver->channels);
    free(deliver->keys);
    free(deliver);
}

bool deliver_wants(const Deliver *deliver, const Alert *alert) {
    for (size_t i = 0; i < deliver->n_channels; i++)
        if (alert_filter_takes(&deliver->channels[i].config->filter, alert))
            return true;
    return false;
}

void deliver_kick(Deliver *deliver, bool now) {
    for (size_t i = 0; i < deliver->n_channels; i++) {
        Channel *channel = &deliver->channels[i];

        /* a channel in back-off continues by itself */
        if (channel->sending || (channel->n_failed > 0 && !now))
            continue;
        send_later(channel, 0);
    }
}

void deliver_go_on(Deliver *deliver) {
    for (size_t i = 0; i < deliver->n_channels; i++)
        if (!deliver->channels[i].sending && !deliver->channels[i].timer)
            send_later(&deliver->channels[i], 0);
}

static unsigned count_waiting(const Deliver *deliver, const char *key) {
    Outbox *outbox = deliver->options.outbox;
    unsigned n = 0;

    for (const OutboxEntry *entry = outbox_first(outbox); entry; entry = outbox_next(outbox, entry))
        n += !outbox_entry_is_acknowledged(entry, key);
    return n;
}

bool deliver_is_idle(const Deliver *deliver) {
    for (size_t i = 0; i < deliver->n_channels; i++) {
        const Channel *channel = &deliver->channels[i];

        if (channel->sending ||
            (channel->n_failed == 0 && channel->timer && count_waiting(deliver, channel->key) > 0))
            return false;
    }
    return true;
}

uint64_t deliver_overdue_usec(const Deliver *deliver) {
    uint64_t now_usec = loop_monotonic_usec(deliver->loop), worst = 0;

    for (size_t i = 0; i < deliver->n_channels; i++)
        if (deliver->channels[i].sending && now_usec > deliver->channels[i].send_by_usec)
            worst = MAX(worst, now_usec - deliver->channels[i].send_by_usec);
    return worst;
}

size_t deliver_n_channels(const Deliver *deliver) {
    return deliver->n_channels;
}

void deliver_channel_status(const Deliver *deliver, size_t i, ChannelStatus *ret) {
    const Channel *channel = &deliver->channels[i];

    *ret = (ChannelStatus){
        .channel = channel->key,
        .failed = channel->failed,
        .failed_since_usec = channel->failed_since_usec,
        .by_check = channel->by_check,
        .waiting = count_waiting(deliver, channel->key),
    };
    (void)text_copy(ret->account, sizeof(ret->account), channel->account);
    (void)text_copy(ret->text, sizeof(ret->text), channel->text);
}
