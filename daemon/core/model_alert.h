/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A finished message, which channels take it, and the result of sending it. Plain data, as in model.h. */

#include "daemon/core/model.h"

#define ALERT_SUBJECT_MAX 100

/* A finished message. Owns its strings; free with alert_done. */
typedef struct Alert {
    char id[65];       /* deduplication id: 64 hex digits, equal for two guards that find the same */
    char incident[17]; /* 16 hex digits */
    EventKind event;
    Severity severity;
    bool ends; /* the last message about an incident that earlier messages reported */
    uint64_t time_usec;
    char subject[ALERT_SUBJECT_MAX];          /* printable ASCII */
    char *text;                               /* the text of the mail */
    char *sms;                                /* one short line, ASCII */
    char *document;                           /* the JSON document trailguard.alert/1, compact */
    char account[13], region[32], trail[129]; /* "" if it is about none; for filters and FIFO groups */
} Alert;

/* The format that a receiver expects. */
typedef enum AlertFormat {
    ALERT_FORMAT_JSON, /* the document as it is */
    ALERT_FORMAT_SLACK,
    ALERT_FORMAT_TEAMS,
    ALERT_FORMAT_PAGERDUTY,
    ALERT_FORMAT_OPSGENIE,
    ALERT_FORMAT_CHAT, /* Amazon Q Developer in chat applications, behind SNS */
    _ALERT_FORMAT_MAX,
} AlertFormat;

/* Which alerts a channel takes. */
typedef struct AlertFilter {
    Severity min_severity;
    uint64_t events;      /* bits by EventKind; 0: all */
    bool resolved;        /* also messages that end an incident */
    bool keeps_incidents; /* the receiver keeps open incidents: it gets each end, whatever the other members
                             say */
} AlertFilter;

typedef enum ReceiptKind {
    RECEIPT_DELIVERED,
    RECEIPT_SKIPPED,         /* the channel's filter excludes it */
    RECEIPT_RETRY,           /* failed; to be retried soon */
    RECEIPT_CHANNEL_REFUSED, /* the channel is gone or denied: keep the alert, retry rarely, report through
                                the others */
    RECEIPT_MESSAGE_REFUSED, /* the channel will never accept this message: set it aside */
    _RECEIPT_MAX,
} ReceiptKind;

/* The name of the heartbeat among the channels. */
#define HEARTBEAT_KEY "heartbeat"

/* A channel that was reported as failed or unheard, and not as recovered yet. */
typedef struct ChannelTrouble {
    char *channel;             /* key, "sns:arn:..."; owned by whoever holds the value */
    uint64_t since_usec;       /* real; when it was reported: the incident's mark */
    char account[16];          /* of the base credentials, as known then: part of the incident's id */
    bool by_check;             /* found by a check, not by a refused message */
    bool pending;              /* the alert may not be in the outbox yet */
    char text[ERROR_TEXT_MAX]; /* the error, escaped */
} ChannelTrouble;

typedef struct Receipt {
    ReceiptKind kind;
    uint64_t retry_after_usec;       /* requested by the receiver; 0: not */
    char text[ERROR_TEXT_MAX];       /* the message id or the error; raw */
    char request_id[REQUEST_ID_MAX]; /* AWS's; or "" */
} Receipt;
