/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Delivers alerts from the outbox to the channels, each at its own speed: oldest first, one message at a
 * time, retries with back-off (1..60 s), a refused channel at most every 5 minutes. */

#include "daemon/io/channel.h"
#include "daemon/io/outbox.h"

typedef struct Deliver Deliver;

/* A channel stopped working (failed: refused, or failing for 60 s) or works again (then text is ""). Called
 * once per change; since_usec is the same for both. Negative: it could not be reported; the channel stays as
 * it was, and this is called again soon. */
typedef int (*DeliverChannelChanged)(const ChannelTrouble *trouble, bool failed, void *userdata);
/* A channel accepted an alert: for the journal. */
typedef void (*DeliverDone)(const Alert *alert, const char *channel, const Receipt *receipt, void *userdata);

/* An attempt to send an alert has ended, with any result. */
typedef void (*DeliverTried)(const char *channel, ReceiptKind receipt, void *userdata);

typedef struct DeliverOptions {
    ChannelContext context;
    Outbox *outbox;
    const ChannelConfig *channels; /* borrowed */
    size_t n_channels;
    const ChannelTrouble *failed; /* reported before a restart or reload; used only by deliver_new */
    size_t n_failed;
    DeliverChannelChanged channel_changed;
    DeliverDone delivered;
    DeliverTried tried; /* NULL: not counted */
    void *userdata;
} DeliverOptions;

int deliver_new(const DeliverOptions *options, Deliver **ret);
/* Cancels running sends; the alerts stay in the outbox. NULL is allowed. */
void deliver_free(Deliver *deliver);

/* True if any channel takes this alert. Otherwise it must not be put into the outbox, because no channel
 * would ever acknowledge it. */
bool deliver_wants(const Deliver *deliver, const Alert *alert);

/* New alerts are waiting, or keys or the network may have changed (now: also ends back-offs). Returns at
 * once. */
void deliver_kick(Deliver *deliver, bool now);
/* Resumes channels whose timer could not be created without memory. */
void deliver_go_on(Deliver *deliver);

/* True if nothing is being sent and nothing could be sent now. */
bool deliver_is_idle(const Deliver *deliver);
/* How far the worst running attempt is past its deadline (0: none is): for the watchdog. */
uint64_t deliver_overdue_usec(const Deliver *deliver);

/* The result of a check of channel i: if it would take no message, it counts as failing until a check
 * succeeds or a message is accepted. The results of real messages take precedence. */
void deliver_checked(Deliver *deliver, size_t i, bool broken, const char *text);

typedef struct ChannelStatus {
    const char *channel; /* its key, from config_channel_key() */
    bool failed;
    uint64_t failed_since_usec; /* real; while failed, or if a crash may have prevented the report */
    char account[16];           /* ... and the account then, see ChannelTrouble */
    bool by_check;              /* ... found by a check only */
    unsigned waiting;
    char text[ERROR_TEXT_MAX];
} ChannelStatus;
size_t deliver_n_channels(const Deliver *deliver);
void deliver_channel_status(const Deliver *deliver, size_t i, ChannelStatus *ret);

/* ---- one message through one channel, without the outbox: for deliver itself and test-alert ---- */

/* Sends a message. alert NULL: what a receiver must get regularly (channel_refresh_usec); RECEIPT_SKIPPED if
 * there is nothing. sent is called exactly once, never from inside, and frees *ret. 0, or -errno without a
 * call of sent: -E2BIG for a message that the channel cannot take, -EINVAL for an unusable channel. */
int channel_send(const ChannelContext *context, const ChannelConfig *channel, const Alert *alert,
                 ChannelSent sent, void *userdata, ChannelSend **ret);
