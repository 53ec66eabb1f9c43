/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Checks the channels without sending a message: at the start, daily, and every 5 minutes while something is
 * wrong. It reads a topic's attributes, connects to a receiver, and looks for a program. */

#include "daemon/core/channel_health.h"
#include "daemon/core/protection.h"
#include "daemon/io/channel.h"

typedef struct ChannelWatch ChannelWatch;

/* Channel number i was checked. */
typedef void (*ChannelChecked)(size_t i, const ChannelHealth *health, void *userdata);
/* Nobody receives a channel's alerts, or someone does again (text has the present state): once per change;
 * since_usec is the same for both. Negative: it could not be reported; it stays as it was until the next
 * check, which comes soon. */
typedef int (*ChannelHeardChanged)(const ChannelTrouble *trouble, bool unheard, void *userdata);

/* A topic's policy, key and subscriptions, as far as they could be read. May be taken over. */
typedef void (*ChannelTopicSeen)(const char *topic_arn, GuardParts *parts, void *userdata);

typedef struct ChannelWatchOptions {
    ChannelContext context;
    const char *caller;            /* our own ARN; "" while unknown. Read at each check */
    const ChannelConfig *channels; /* borrowed */
    size_t n_channels;
    const ChannelTrouble *unheard; /* reported before a restart or reload; used only by channel_watch_new */
    size_t n_unheard;
    uint64_t begin_usec;         /* the delay of the first check */
    bool once;                   /* each channel is checked once */
    bool subscriptions;          /* also read the filter of each subscription of a topic */
    uint64_t interval_usec;      /* at most between checks; 0: as channel_health_next_usec says */
    ChannelTopicSeen topic_seen; /* may be NULL */
    ChannelChecked checked;      /* may be NULL */
    ChannelHeardChanged changed; /* may be NULL */
    void *userdata;
} ChannelWatchOptions;

/* 0 or -ENOMEM. */
int channel_watch_new(const ChannelWatchOptions *options, ChannelWatch **ret);
/* Cancels checks in progress. NULL is allowed. */
void channel_watch_free(ChannelWatch *watch);

/* True if a check is running, or, with `once`, still to come. */
bool channel_watch_is_busy(const ChannelWatch *watch);

/* channel_watch_health: the latest result for channel i (CHANNEL_UNCHECKED and "" before the first).
 * channel_watch_unheard_usec: since when it is reported as unheard, real; 0: it is not. */
const ChannelHealth *channel_watch_health(const ChannelWatch *watch, size_t i);
uint64_t channel_watch_unheard_usec(const ChannelWatch *watch, size_t i);
/* True if it was reported as unheard, or a crash may have prevented the report (pending). The key is
 * borrowed. */
bool channel_watch_trouble(const ChannelWatch *watch, size_t i, ChannelTrouble *ret);
const char *channel_watch_key(const ChannelWatch *watch, size_t i);
