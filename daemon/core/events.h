/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The table of events: each row has everything about one event. The journal, alerts and tables of the
 * documentation are made from it or compared with it. */

#include "daemon/core/model.h"

struct AlertTemplate;

/* The values of <syslog.h>. */
typedef enum EventLevel {
    LEVEL_ERR = 3,
    LEVEL_WARNING = 4,
    LEVEL_NOTICE = 5,
    LEVEL_INFO = 6,
} EventLevel;

/* A line of the journal. */
typedef struct EventLine {
    EventLevel level; /* 0: ends an array */
    JournalLine line;
    const char *id; /* MESSAGE_ID, 32 hex digits. Never changes, and is never used for anything else. NULL:
                       not needed */
    const char *text; /* with {variables}, see report_journal.c; NULL: the caller provides the text */
} EventLine;

#define SEVERITY_OF_INCIDENT _SEVERITY_MAX

/* When an event is sent, and its severity then. In a maintenance window most are info. */
typedef struct EventCase {
    Severity severity; /* or SEVERITY_OF_INCIDENT */
    const char *when;  /* as in docs/alerts.md; NULL: ends the array */
} EventCase;

#define EVENT_CASES_MAX 3

typedef struct EventRow {
    const char *name; /* on the wire: "trail.stopped" */
    EventCase cases[EVENT_CASES_MAX + 1];
    uint32_t sought;        /* FINDING_BITs whose cause a person looks for; 0: the findings of the message */
    bool about_no_trail;    /* even if the subject names one */
    bool about_channel;     /* its detail is "CHANNEL" or "CHANNEL: text" */
    bool shows_gap;         /* the message mentions the gap */
    bool may_be_attack;     /* it may be a sign of an attack on a trail */
    bool opens_nothing;     /* no incident: it is over at once */
    const EventLine *lines; /* one journal line per step; NULL: none */
    const struct AlertTemplate *messages;
    const struct AlertTemplate *reminders; /* while its incident is open; NULL: none */
} EventRow;

/* The row of an event; kind must be one. */
const EventRow *event_row(EventKind kind);
/* "trail.stopped"; "?" for no event. The inverse: _EVENT_MAX for an unknown name. */
const char *event_to_string(EventKind kind);
EventKind event_from_string(const char *s);

/* The row of a journal line; never NULL. ret_kind (may be NULL): its event, _EVENT_MAX if it belongs to
 * none. */
const EventLine *event_line(JournalLine line, EventKind *ret_kind);

/* For log_event: level and MESSAGE_ID of a line whose text the caller provides. */
#define EVENT_LINE(line) (int)event_line(line, NULL)->level, event_line(line, NULL)->id
