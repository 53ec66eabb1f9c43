/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Shared by the files of alert, and private to them. */

#include "daemon/core/alert.h"
#include "daemon/core/events.h"
#include "lib/util/hash.h"
#include "lib/util/strbuf.h"
#include "lib/util/timetext.h"

#define ALERT_TEXT_MAX     (32 * 1024)
#define ALERT_WIDTH        100  /* columns of a mail */
#define ALERT_SHOWN_MAX    300  /* bytes of one outside text shown to people ... */
#define ALERT_FOREIGN_MAX  600  /* ... and to machines: a whole ARN fits */
#define ALERT_VALUE_MAX    1024 /* bytes of a setting's value; a longer one is truncated, and its length
                                   added */
#define ALERT_EXPANDED_MAX 4096

/* Texts shared by several messages. */
#define STILL_IN_HISTORY "The account's event history still has management events of the last 90 days."
#define ACCEPTED_ADVICE                                                                                     \
    "Nothing, if this was planned. If none of you did it, someone else has access to the guard's host."

/* A condition for a row of messages: when_NAME is true if the expression over subject and event holds. */
#define WHEN(name, holds)                                                                                   \
    static bool when_##name(const Subject *subject, const Event *event) {                                   \
        (void)subject;                                                                                      \
        (void)event;                                                                                        \
        return (holds);                                                                                     \
    }                                                                                                       \
    struct _swallow_semicolon_

/* One row per message of an event. {variables} in braces are replaced, see the tables in alert_variables.c
 * and alert_variables_who.c. */
typedef struct AlertTemplate {
    bool (*when)(const Subject *subject, const Event *event); /* NULL: if no earlier row applies */
    const char *subject;                                      /* the text after the label */
    const char *subject_short;    /* used if that is too long; NULL: there is no shorter one */
    const char *subject_shortest; /* used if that is too long even with a truncated name */
    const char *headline; /* the first sentence of the mail; NULL: ends an array that need not have a
                             match */
    const char *loss;     /* what was lost; NULL: no text */
    const char *deed;     /* what TrailGuard did; NULL: no text */
    const char *advice;   /* what to do now */
} AlertTemplate;

/* messages_*.c: the messages of each event, and its reminders. */
extern const AlertTemplate messages_stopped[], messages_contested[], messages_interrupted[],
        messages_missing[], messages_replaced[], messages_weakened[], messages_unmet[], messages_failing[],
        messages_resolved[], messages_appeared[], messages_strengthened[], messages_attributed[],
        messages_attempted[], messages_unaccepted[], messages_baseline_weak[], messages_baseline_damaged[],
        messages_baseline_accepted[], messages_unreachable[], messages_reachable[], messages_left[],
        messages_uncovered[], messages_covered[], messages_channel_failed[], messages_channel_recovered[],
        messages_channel_unheard[], messages_channel_heard[], messages_contained[], messages_released[],
        messages_rights_lost[], messages_rights_restored[], messages_guard_changed[], messages_test[],
        messages_organization_unreadable[], messages_organization_readable[];
extern const AlertTemplate reminders_stopped[], reminders_missing[], reminders_weakened[], reminders_unmet[],
        reminders_failing[], reminders_unreachable[], reminders_left[], reminders_uncovered[],
        reminders_rights_lost[], reminders_organization_unreadable[];
/* Messages that replace those of any event: it is a summary, or its target is no longer guarded. Need not
 * match. */
extern const AlertTemplate messages_any[];

/* The input of a message. */
typedef struct AlertSource {
    const AlertGuard *guard;
    const Subject *subject;
    const Event *event;
    const char *incident;
    const AlertTemplate *words;
} AlertSource;

/* The output of a template, and how much of a name or an error fits there. */
typedef struct AlertExpansion {
    const AlertSource *source;
    StrBuf *out;
    size_t cut;
} AlertExpansion;

/* A variable, and the function that appends its value. A row without a name ends a table. */
typedef struct AlertVariable {
    const char *name;
    void (*add)(const AlertExpansion *x);
} AlertVariable;

/* alert_variables_who.c: callers, and several regions or accounts. */
extern const AlertVariable alert_variables_who[];
/* messages_contain.c: identities that are contained; only in their messages. */
extern const AlertVariable alert_variables_contain[];

/* events.c: the message of an event; never NULL. */
const AlertTemplate *alert_template(const Subject *subject, const Event *event);
/* True if the message is about a trail, and not about a target, a channel or the guard. */
bool alert_is_about_trail(const Subject *subject, const Event *event);
/* True if the message mentions event->gap. */
bool alert_shows_gap(const Event *event);
/* True if the message may be a sign of an attack on a trail. */
bool alert_may_be_attack(const Event *event);

/* alert_variables.c: appends a text, with its variables replaced. */
void alert_expand(const AlertExpansion *x, const char *words);
/* Appends the first sentence. Returns the buffer's error. */
int alert_headline(const AlertSource *source, StrBuf *ret);

/* ---- alert_facts.c ---- */

/* Appends outside text, truncated to fit. */
void alert_add_foreign(const AlertExpansion *x, const char *s);
/* "2026-11-23 10:02:14 UTC", for people. Returns dst. */
const char *alert_human_time(char dst[static TIMETEXT_MAX], uint64_t usec);
/* "3 attempts" */
void alert_add_number(const AlertExpansion *x, unsigned n, const char *what);
/* Appends a line " NAME VALUE", escaped; nothing without a value. */
void alert_add_fact(const AlertExpansion *x, const char *name, const char *value);

/* The result of a change or deletion, as a text with variables. */
typedef enum OutcomePart {
    PART_CHANGE, /* in a subject, after the settings */
    PART_CHANGE_SHORT,
    PART_DELETION, /* ... after "missing" */
    PART_SENTENCE, /* the second sentence of a mail */
    PART_RESTORE,  /* what TrailGuard did about a change */
    PART_CREATION, /* ... about a deletion */
    _OUTCOME_PART_MAX,
} OutcomePart;

const char *alert_outcome(const Event *event, OutcomePart which);

/* The part of the time since the first stop of a contest without recording: 0..100. */
unsigned alert_lost_percent(const Event *event);

/* Callers, as people name them. */
void alert_add_actor(const AlertExpansion *x);
/* What is known of the caller, one fact per line. */
void alert_add_callers(const AlertExpansion *x);

/* Settings that differ. */
/* One field by its name, several by their number; or all by name. */
void alert_add_fields(const AlertExpansion *x);
void alert_add_field_names(const AlertExpansion *x, uint32_t fields);
/* What each lost, one sentence per line. */
void alert_add_losses(const AlertExpansion *x);
/* Before and after, one value per line. */
void alert_add_changes(const AlertExpansion *x);
/* True if the message is about this change. */
bool alert_shows_change(const Event *event, const Change *change);
/* Appends a setting's value in displayable form, with its length if truncated. Returns the buffer's
 * error. */
int alert_add_value(const Event *event, StrBuf *b, const char *value);

/* alert.c: appends the text, with lines over ALERT_WIDTH wrapped at spaces and continued with an indent.
 * Commands (" aws ..."), columns and longer words are not wrapped. Returns the buffer's error. */
int alert_wrap(const char *text, StrBuf *ret);

/* The event in the alert, as receivers and filters see it. */
static inline EventKind alert_event(const Event *event) {
    return event->drill ? EVENT_GUARD_DRILL : event->kind;
}

/* alert_id.c: the message's id. */
int alert_make_id(const Subject *subject, const Event *event, char ret[static HASH_HEX_SIZE]);

/* alert_json.c */
int alert_document(const AlertSource *source, const char *id, char **ret);
