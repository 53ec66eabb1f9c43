/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Brings alerts from the outbox to the channels, each channel at its own pace: oldest first, one message in
 * flight, retries with back-off (1..60 s), a refused channel every 5 minutes at most. */

#include "daemon/io/channel.h"
#include "daemon/io/outbox.h"

typedef struct Deliver Deliver;

/* A channel stopped working (failed: refused, or failing for 60 s) or works again (text is "" then). Called
 * once per change; since_usec is the same for both. */
typedef void (*DeliverChannelChanged)(const ChannelTrouble *trouble, bool failed, void *userdata);
/* An alert was taken by a channel: for the journal. */
typedef void (*DeliverDone)(const Alert *alert, const char *channel, const Receipt *receipt, void *userdata);

/* An attempt to send an alert has ended, however it did. */
typedef void (*DeliverTried)(const char *channel, ReceiptKind receipt, void *userdata);

typedef struct DeliverOptions {
    ChannelContext context;
    Outbox *outbox;
    const ChannelConfig *channels; /* borrowed */
    size_t n_channels;
    const ChannelTrouble *failed; /* reported before a restart or reload; only read by deliver_new */
    size_t n_failed;
    DeliverChannelChanged channel_changed;
    DeliverDone delivered;
    DeliverTried tried; /* NULL: nobody counts */
    void *userdata;
} DeliverOptions;

int deliver_new(const DeliverOptions *options, Deliver **ret);
/* Cancels what is in flight; the alerts stay in the outbox. NULL is fine. */
void deliver_free(Deliver *deliver);

/* Does any channel take this alert? What none takes does not belong into the outbox: nobody would ever
 * acknowledge it. */
bool deliver_wants(const Deliver *deliver, const Alert *alert);

/* New alerts are waiting, or keys and network may have changed (now: also skip back-offs). Returns at once.
 */
void deliver_kick(Deliver *deliver, bool now);
/* Goes on with channels whose timer there was no memory for. */
void deliver_go_on(Deliver *deliver);

/* Nothing in flight and nothing that could be sent right now. */
bool deliver_is_idle(const Deliver *deliver);
/* How long the worst attempt in flight is past its deadline (0: none is): for the watchdog. */
uint64_t deliver_overdue_usec(const Deliver *deliver);

/* What a check without a message found of channel number i: that it takes none counts as failing, until a
 * check finds no more fault or a message is taken. What its messages themselves were answered stands above a
 * check. */
void deliver_checked(Deliver *deliver, size_t i, bool broken, const char *text);

typedef struct ChannelStatus {
    const char *channel; /* key, as config_channel_key() makes it */
    bool failed;
    uint64_t failed_since_usec; /* real; while failed, or where a crash kept it from being reported */
    bool by_check;              /* ... and by a check alone */
    unsigned waiting;
    char text[ERROR_TEXT_MAX];
} ChannelStatus;
size_t deliver_n_channels(const Deliver *deliver);
void deliver_channel_status(const Deliver *deliver, size_t i, ChannelStatus *ret);

/* ---- one message through one channel, without the outbox: what deliver itself uses, and test-alert ---- */

/* Sends. alert NULL: what a receiver must hear from time to time (channel_refresh_usec), and RECEIPT_SKIPPED
 * when there is nothing. sent is called exactly once, never from inside, and frees *ret. 0, or -errno and
 * then sent is not called: -E2BIG for a message that the channel cannot take, -EINVAL for a channel that
 * cannot be used. */
int channel_send(const ChannelContext *context, const ChannelConfig *channel, const Alert *alert,
                 ChannelSent sent, void *userdata, ChannelSend **ret);
