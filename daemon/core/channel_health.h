/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What can be known of a channel without sending a message: whether the guard may send, and anyone receives
 * it. Pure. */

#include <stdbool.h>

#include "daemon/core/model_alert.h"
#include "lib/arn.h"

typedef enum ChannelVerdict {
    CHANNEL_UNCHECKED, /* unknown; the text has the reason */
    CHANNEL_HEARD,     /* nothing is wrong */
    CHANNEL_UNHEARD,   /* it accepts messages, but nobody receives them */
    CHANNEL_BROKEN,    /* it accepts no messages */
    _CHANNEL_VERDICT_MAX,
} ChannelVerdict;

typedef struct ChannelHealth {
    ChannelVerdict verdict;
    char text[ERROR_TEXT_MAX]; /* for people, one line; escaped */
} ChannelHealth;

/* An SNS topic as described by AWS. Everything is borrowed. */
typedef struct TopicFacts {
    const char *arn;
    const char *caller; /* our own ARN, from GetCallerIdentity; "" while unknown */
    bool gone;
    unsigned confirmed, pending; /* subscriptions */
    unsigned filtered;           /* confirmed ones whose filters certainly drop critical alerts */
    const char *policy;          /* JSON; NULL: unknown */
    const char *key;             /* KmsMasterKeyId; "": not encrypted */
    const char *key_state;       /* from KMS; "": unknown */
} TopicFacts;

/* Only counts what is certain: a policy statement with a condition may allow, but does not deny. */
void channel_health_topic(const TopicFacts *facts, ChannelHealth *ret);

/* The ARN of a topic's key for KMS: an id or alias belongs to the topic's region and account. False if there
 * is no key, or its name is too long. */
bool channel_health_key_arn(const char *topic_arn, const char *key, char ret[static ARN_MAX]);

/* What happened to a channel, or to the heartbeat. */
typedef enum ChannelChange {
    CHANNEL_FAILS,
    CHANNEL_WORKS,
    CHANNEL_LEFT,      /* it failed, and is no longer configured */
    CHANNEL_LOSES_ALL, /* nobody receives its alerts */
    CHANNEL_REACHES_SOMEONE,
    CHANNEL_LEFT_UNHEARD, /* nobody received its alerts, and it is no longer configured */
    _CHANNEL_CHANGE_MAX
} ChannelChange;

/* The message about that. trouble: as reported, or as it is now. */
Event channel_event(ChannelChange change, const ChannelTrouble *trouble, Mode mode);

/* Writes what the journal says about the change to ret, not escaped. Returns the line of the table of
 * events, or _LINE_MAX if there is none: the text is a notice. */
#define CHANNEL_NEWS_MAX (3 * ERROR_TEXT_MAX)
JournalLine channel_news(ChannelChange change, const ChannelTrouble *trouble,
                         char ret[static CHANNEL_NEWS_MAX]);

/* The delay of the first check of a channel from the start, because trails are polled first. at_once: they
 * have been polled, or it is `check`. interval_usec: the maximum; 0: none. */
uint64_t channel_health_first_usec(bool at_once, uint64_t interval_usec);

/* The delay of the next check: short after trouble, else a day, with up to an hour of jitter from a random
 * number. error: the check itself failed. */
uint64_t channel_health_next_usec(ChannelVerdict verdict, bool error, uint64_t random);

/* ---- filters ---- */

/* Filter policies of SNS subscriptions (Amazon SNS Developer Guide, "Amazon SNS message filtering").
 * Pure. */

/* Does the policy drop a critical alert about a stopped trail? Only what is certain counts: a key that no
 * alert has, or a list that does not take the alert's severity or event. What it says of accounts, regions
 * and trails may fit some, and a policy about the body is not judged. scope: "", "MessageAttributes" or
 * "MessageBody". */
bool subscription_filter_drops(const char *policy, const char *scope);
