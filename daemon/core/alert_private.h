/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of alert share; for nobody else. */

#include "daemon/core/alert.h"
#include "daemon/core/events.h"
#include "lib/util/strbuf.h"
#include "lib/util/timetext.h"

#define ALERT_TEXT_MAX     (32 * 1024)
#define ALERT_WIDTH        100  /* columns of a mail */
#define ALERT_SHOWN_MAX    300  /* bytes of one foreign text that people are shown ... */
#define ALERT_FOREIGN_MAX  600  /* ... and that machines get: an ARN is whole */
#define ALERT_VALUE_MAX    1024 /* bytes of a setting's value; what is longer is cut, and its length named */
#define ALERT_EXPANDED_MAX 4096

/* Words that several messages have. */
#define STILL_IN_HISTORY "The account's event history still has management events of the last 90 days."
#define ACCEPTED_ADVICE                                                                                     \
    "Nothing, if this was planned. If none of you did it, someone else has access to the guard's host."

/* A condition of a row of messages: when_NAME, true when the expression over subject and event holds. */
#define WHEN(name, holds)                                                                                   \
    static bool when_##name(const Subject *subject, const Event *event) {                                   \
        (void)subject;                                                                                      \
        (void)event;                                                                                        \
        return (holds);                                                                                     \
    }                                                                                                       \
    struct _swallow_semicolon_

/* One row a message of an event. {words} in braces are replaced, see the tables of variables in
 * alert_variables.c and alert_variables_who.c. */
typedef struct AlertTemplate {
    bool (*when)(const Subject *subject, const Event *event); /* NULL: whenever no row before it fits */
    const char *subject;                                      /* what follows the label */
    const char *subject_short;    /* for when that is too long; NULL: there is no shorter one */
    const char *subject_shortest; /* for when that is too long even with a cut name */
    const char *headline; /* the first sentence of the mail; NULL: the end of an array that may not fit */
    const char *loss;     /* what was lost; NULL: nothing to say */
    const char *deed;     /* what TrailGuard did; NULL: nothing to say */
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
/* What any event may have instead: it sums up, or its target is no longer guarded. May not fit. */
extern const AlertTemplate messages_any[];

/* Everything that the words are made from. */
typedef struct AlertSource {
    const AlertGuard *guard;
    const Subject *subject;
    const Event *event;
    const char *incident;
    const AlertTemplate *words;
} AlertSource;

/* Where a template is expanded to, and how much of a name or an error fits there. */
typedef struct AlertExpansion {
    const AlertSource *source;
    StrBuf *out;
    size_t cut;
} AlertExpansion;

/* What stands in braces, and what is appended instead. A table ends with a row without a name. */
typedef struct AlertVariable {
    const char *name;
    void (*add)(const AlertExpansion *x);
} AlertVariable;

/* alert_variables_who.c: callers, and several regions or accounts. */
extern const AlertVariable alert_variables_who[];
/* messages_contain.c: identities that are contained; only in their messages. */
extern const AlertVariable alert_variables_contain[];

/* events.c: the message for an event; never NULL. */
const AlertTemplate *alert_template(const Subject *subject, const Event *event);
/* Is the message about a trail, not a target, a channel or the guard? */
bool alert_is_about_trail(const Subject *subject, const Event *event);
/* Does event->gap belong to what is said? */
bool alert_shows_gap(const Event *event);
/* Could the message be the trace of someone who acts against a trail? */
bool alert_may_be_attack(const Event *event);

/* alert_variables.c: words with variables in braces, appended. */
void alert_expand(const AlertExpansion *x, const char *words);
/* The first sentence, appended; its error is the buffer's. */
int alert_headline(const AlertSource *source, StrBuf *ret);

/* ---- alert_facts.c ---- */

/* Foreign text, cut to what fits. */
void alert_add_foreign(const AlertExpansion *x, const char *s);
/* "2026-11-23 10:02:14 UTC": for people. Returns dst. */
const char *alert_human_time(char dst[static TIMETEXT_MAX], uint64_t usec);
/* "3 attempts" */
void alert_add_number(const AlertExpansion *x, unsigned n, const char *what);
/* A line "  NAME     VALUE", escaped; nothing when there is no value. */
void alert_add_fact(const AlertExpansion *x, const char *name, const char *value);

/* What became of a change or of a deletion, as words with variables. */
typedef enum OutcomePart {
    PART_CHANGE, /* what a subject says after the settings */
    PART_CHANGE_SHORT,
    PART_DELETION, /* ... after "missing" */
    PART_SENTENCE, /* the second sentence of a mail */
    PART_RESTORE,  /* what TrailGuard did about a change */
    PART_CREATION, /* ... about a deletion */
    _OUTCOME_PART_MAX,
} OutcomePart;

const char *alert_outcome(const Event *event, OutcomePart which);

/* Of the time since the first stop of a contest: 0..100. */
unsigned alert_lost_percent(const Event *event);

/* Callers, as a person would name them. */
void alert_add_actor(const AlertExpansion *x);
/* What is known of the caller, a fact a line. */
void alert_add_actor_facts(const AlertExpansion *x);

/* Settings that differ. */
/* One of them by its name, more of them by their number; or all by their names. */
void alert_add_fields(const AlertExpansion *x);
void alert_add_field_names(const AlertExpansion *x, uint32_t fields);
/* What was lost by each, a sentence a line. */
void alert_add_losses(const AlertExpansion *x);
/* Before and after, a value a line. */
void alert_add_changes(const AlertExpansion *x);
/* Is this change one that the message is about? */
bool alert_shows_change(const Event *event, const Change *change);
/* A setting's value made fit to be shown, appended; cut values name their length. Returns the buffer's
 * error. */
int alert_add_value(const Event *event, StrBuf *b, const char *value);

/* alert.c: appends the text with every line that is wider than ALERT_WIDTH broken at spaces, what continues
 * it being indented. Commands ("  aws ..."), lines in columns and words wider than that stay whole. Its
 * error is the buffer's. */
int alert_wrap(const char *text, StrBuf *ret);

/* What receivers and their filters know the message as. */
static inline EventKind alert_event(const Event *event) {
    return event->drill ? EVENT_GUARD_DRILL : event->kind;
}

/* alert_json.c */
int alert_document(const AlertSource *source, const char *id, char **ret);
