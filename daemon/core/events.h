/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The table of events: a row says everything about one. Journal, alerts and the documents' tables are
 * rendered from it or compared with it. */

#include "daemon/core/model.h"

struct AlertTemplate;

/* As in <syslog.h>. */
typedef enum EventLevel {
    LEVEL_ERR = 3,
    LEVEL_WARNING = 4,
    LEVEL_NOTICE = 5,
    LEVEL_INFO = 6,
} EventLevel;

/* A line of the journal. */
typedef struct EventLine {
    EventLevel level; /* 0: the end of an array */
    JournalLine line;
    const char *id; /* MESSAGE_ID, 32 hex digits. Never changes, and is never used again for something else.
                       NULL: the line is not worth finding */
    const char *text; /* with {variables}, see report_journal.c; NULL: its caller has the words */
} EventLine;

#define SEVERITY_OF_INCIDENT _SEVERITY_MAX

/* When an event is sent, and how severe it is then. In a maintenance window most are info. */
typedef struct EventCase {
    Severity severity; /* or SEVERITY_OF_INCIDENT */
    const char *when;  /* as docs/alerts.md says it; NULL: the end */
} EventCase;

#define EVENT_CASES_MAX 3

typedef struct EventRow {
    const char *name; /* on the wire: "trail.stopped" */
    EventCase cases[EVENT_CASES_MAX + 1];
    uint32_t sought;        /* FINDING_BITs whose cause a person looks for; 0: what the message is about */
    bool about_no_trail;    /* never, even where the subject names one */
    bool about_channel;     /* its detail is "CHANNEL" or "CHANNEL: text" */
    bool shows_gap;         /* the gap belongs to what is said */
    bool may_be_attack;     /* it may be the trace of someone who acts against a trail */
    bool opens_nothing;     /* no incident: it is over at once */
    const EventLine *lines; /* of the journal, of each step; NULL: none */
    const struct AlertTemplate *messages;
    const struct AlertTemplate *reminders; /* while an incident of it is open; NULL: none */
} EventRow;

/* The row of an event; kind must be one. */
const EventRow *event_row(EventKind kind);
/* "trail.stopped"; "?" when it is no event. And back: _EVENT_MAX when no event has that name. */
const char *event_to_string(EventKind kind);
EventKind event_from_string(const char *s);

/* Of the journal; never NULL. ret_kind (may be NULL): the event that it belongs to, _EVENT_MAX when it
 * belongs to none. */
const EventLine *event_line(JournalLine line, EventKind *ret_kind);

/* For log_event: level and MESSAGE_ID of a line whose words the caller has. */
#define EVENT_LINE(line) (int)event_line(line, NULL)->level, event_line(line, NULL)->id
