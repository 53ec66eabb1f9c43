/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Checks the channels without sending a message: at the start and daily, and every 5 minutes while something
 * is wrong. A topic is asked for its attributes, a receiver whether it answers, a program whether it is
 * there. */

#include "daemon/core/channel_health.h"
#include "daemon/core/protection.h"
#include "daemon/io/channel.h"

typedef struct ChannelWatch ChannelWatch;

/* Channel number i was checked. */
typedef void (*ChannelChecked)(size_t i, const ChannelHealth *health, void *userdata);
/* Nobody gets what a channel takes, or someone does again (text is what holds now): once per change;
 * since_usec is the same for both. */
typedef void (*ChannelHeardChanged)(const ChannelTrouble *trouble, bool unheard, void *userdata);

/* What a topic has: its policy, key and subscriptions, as far as they could be read. May be taken over. */
typedef void (*ChannelTopicSeen)(const char *topic_arn, GuardParts *parts, void *userdata);

typedef struct ChannelWatchOptions {
    ChannelContext context;
    const char *caller;            /* our ARN; "" while it is not known. Read at each check */
    const ChannelConfig *channels; /* borrowed */
    size_t n_channels;
    const ChannelTrouble *unheard; /* reported before a restart or reload; only read by channel_watch_new */
    size_t n_unheard;
    uint64_t begin_usec;         /* the first check is so much later */
    bool once;                   /* each is checked once */
    bool subscriptions;          /* each of a topic is asked what it lets through */
    uint64_t interval_usec;      /* between checks at most; 0: as channel_health_next_usec says */
    ChannelTopicSeen topic_seen; /* may be NULL */
    ChannelChecked checked;      /* may be NULL */
    ChannelHeardChanged changed; /* may be NULL */
    void *userdata;
} ChannelWatchOptions;

/* 0 or -ENOMEM. */
int channel_watch_new(const ChannelWatchOptions *options, ChannelWatch **ret);
/* Cancels what is under way. NULL is fine. */
void channel_watch_free(ChannelWatch *watch);

/* Is a check under way, or with `once` still to come? */
bool channel_watch_is_busy(const ChannelWatch *watch);

/* Of channel number i: what the latest check found (CHANNEL_UNCHECKED and "" before the first), and since
 * when it is reported as unheard, real time; 0: it is not. */
const ChannelHealth *channel_watch_health(const ChannelWatch *watch, size_t i);
uint64_t channel_watch_unheard_usec(const ChannelWatch *watch, size_t i);
/* ... or since when a crash kept it from being reported; 0: none did. */
uint64_t channel_watch_pending_usec(const ChannelWatch *watch, size_t i);
/* What was reported of it; "" while nothing was. */
const char *channel_watch_unheard_text(const ChannelWatch *watch, size_t i);
const char *channel_watch_key(const ChannelWatch *watch, size_t i);
