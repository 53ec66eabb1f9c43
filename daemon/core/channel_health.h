/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What is known of a channel without a message through it: may the guard send, and does anyone get it? Pure.
 */

#include "daemon/core/model_alert.h"
#include "lib/arn.h"

typedef enum ChannelVerdict {
    CHANNEL_UNCHECKED, /* it cannot be said; the text says why */
    CHANNEL_HEARD,     /* nothing is wrong */
    CHANNEL_UNHEARD,   /* it takes messages, and nobody gets them */
    CHANNEL_BROKEN,    /* it takes none */
    _CHANNEL_VERDICT_MAX,
} ChannelVerdict;

typedef struct ChannelHealth {
    ChannelVerdict verdict;
    char text[ERROR_TEXT_MAX]; /* for people, one line; escaped */
} ChannelHealth;

/* An SNS topic as AWS describes it. All is borrowed. */
typedef struct TopicFacts {
    const char *arn;
    const char *caller; /* our ARN, as GetCallerIdentity has it; "" while it is not known */
    bool gone;
    unsigned confirmed, pending; /* subscriptions */
    unsigned filtered;           /* of the confirmed: their filters drop critical alerts, for sure */
    const char *policy;          /* JSON; NULL: not known */
    const char *key;             /* KmsMasterKeyId; "": not encrypted */
    const char *key_state;       /* of KMS; "": not known */
} TopicFacts;

/* Judges by what is certain only: a statement of the policy with a condition may allow and does not deny. */
void channel_health_topic(const TopicFacts *facts, ChannelHealth *ret);

/* The ARN by which KMS knows the key of a topic: an id or alias belongs to the topic's region and account.
 * False when there is nothing to ask: no key, or too long a name. */
bool channel_health_key_arn(const char *topic_arn, const char *key, char ret[static ARN_MAX]);

/* What happened to a channel, or to the heartbeat. */
typedef enum ChannelChange {
    CHANNEL_FAILS,
    CHANNEL_WORKS,
    CHANNEL_LEFT,      /* it failed, and is not configured any more */
    CHANNEL_LOSES_ALL, /* nobody gets what it takes */
    CHANNEL_REACHES_SOMEONE,
    CHANNEL_LEFT_UNHEARD, /* nobody got what it took, and it is not configured any more */
    _CHANNEL_CHANGE_MAX
} ChannelChange;

/* The message about that. trouble: as it was reported, or is now. */
Event channel_event(ChannelChange change, const ChannelTrouble *trouble, Mode mode);

/* When the first check of a channel is due, from the start: the polls of trails come first. at_once: they
 * have come, or it is a check of ours. interval_usec: at most; 0: no such wish. */
uint64_t channel_health_first_usec(bool at_once, uint64_t interval_usec);

/* When the next check is due, from now: soon after trouble, else daily, with up to an hour of jitter from a
 * random number. error: the check itself failed. */
uint64_t channel_health_next_usec(ChannelVerdict verdict, bool error, uint64_t random);
