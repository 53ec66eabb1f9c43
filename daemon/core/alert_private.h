/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of alert share; for nobody else. */

#include "daemon/core/alert.h"
#include "lib/util/strbuf.h"
#include "lib/util/timetext.h"

#define ALERT_TEXT_MAX     (32 * 1024)
#define ALERT_WIDTH        100  /* columns of a mail */
#define ALERT_SHOWN_MAX    300  /* bytes of one foreign text that people are shown ... */
#define ALERT_FOREIGN_MAX  600  /* ... and that machines get: an ARN is whole */
#define ALERT_VALUE_MAX    1024 /* bytes of a setting's value; what is longer is cut, and its length named */
#define ALERT_EXPANDED_MAX 4096

/* One row a way of telling. {words} in braces are replaced, see the table of variables in alert_variables.c.
 */
typedef struct AlertTemplate {
    const char *subject;       /* what follows the label */
    const char *subject_short; /* for when that is too long; NULL: there is no shorter one */
    const char *subject_shortest;
    const char *headline; /* the first sentence of the mail */
    const char *loss;     /* what was lost; NULL: nothing to say */
    const char *deed;     /* what TrailGuard did; NULL: nothing to say */
    const char *advice;   /* what to do now */
} AlertTemplate;

/* The rows of the table of messages. */
typedef enum Telling {
    TELLING_RESTARTED,
    TELLING_STARTED_BY_OTHERS,
    TELLING_RESTART_FAILED,
    TELLING_RESTART_PENDING,
    TELLING_OBSERVED,
    TELLING_STOP_ALLOWED,
    TELLING_PROTECTED,
    TELLING_INTERRUPTED,
    TELLING_MISSING,
    TELLING_NEVER_FOUND,
    TELLING_RETURNED,
    TELLING_RECREATED,
    TELLING_REPLACED,
    TELLING_WEAKENED,
    TELLING_UNMET,
    TELLING_UNMET_RESTORED,
    TELLING_FAILING,
    TELLING_STALE,
    TELLING_BUCKET,
    TELLING_LIFECYCLE,
    TELLING_KEY,
    TELLING_ATTRIBUTED,
    TELLING_NOBODY,
    TELLING_NOT_SEARCHED,
    TELLING_ATTEMPTED,
    TELLING_BASELINE_WEAK,
    TELLING_BASELINES_WEAK,
    TELLING_BASELINE_DAMAGED,
    TELLING_BASELINE_ACCEPTED,
    TELLING_GONE_ACCEPTED,
    TELLING_UNREACHABLE_TRAIL,
    TELLING_UNREACHABLE_TARGET,
    TELLING_UNREADABLE,
    TELLING_LIST_UNREADABLE,
    TELLING_LIST_READABLE,
    TELLING_UNREACHABLE_ACCOUNT,
    TELLING_LEFT,
    TELLING_ACCOUNT_ATTRIBUTED,
    TELLING_ACCOUNT_DEPARTED,
    TELLING_ACCOUNT_NOBODY,
    TELLING_ACCOUNT_NOT_SEARCHED,
    TELLING_UNCOVERED,
    TELLING_LOGGING_AGAIN,
    TELLING_THERE_AGAIN,
    TELLING_AS_BEFORE,
    TELLING_ACCEPTED_AS_IS,
    TELLING_MET,
    TELLING_WELL_AGAIN,
    TELLING_FORGOTTEN,
    TELLING_FORGOTTEN_TARGET,
    TELLING_READABLE,
    TELLING_REACHABLE_TRAIL,
    TELLING_REACHABLE_TARGET,
    TELLING_COVERED,
    TELLING_STILL_STOPPED,
    TELLING_STILL_STOP_ALLOWED,
    TELLING_STILL_PROTECTED,
    TELLING_STILL_MISSING,
    TELLING_STILL_NEVER_FOUND,
    TELLING_STILL_WEAKENED,
    TELLING_STILL_UNMET,
    TELLING_STILL_FAILING,
    TELLING_STILL_STALE,
    TELLING_STILL_BUCKET,
    TELLING_STILL_LIFECYCLE,
    TELLING_STILL_KEY,
    TELLING_STILL_UNREACHABLE_TRAIL,
    TELLING_STILL_UNREACHABLE_TARGET,
    TELLING_STILL_UNREADABLE,
    TELLING_STILL_LIST_UNREADABLE,
    TELLING_STILL_UNREACHABLE_ACCOUNT,
    TELLING_STILL_LEFT,
    TELLING_STILL_UNCOVERED,
    TELLING_REPEATED_TRAIL,
    TELLING_REPEATED_TARGET,
    TELLING_CHANNEL_FAILED,
    TELLING_CHANNEL_RECOVERED,
    TELLING_TEST,
    _TELLING_MAX,
} Telling;

extern const AlertTemplate alert_templates[_TELLING_MAX];

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

/* events.c: the row for a message. */
const AlertTemplate *alert_template(const Subject *subject, const Event *event);
/* Is the message about a trail, not a target, a channel or the guard? */
bool alert_is_about_trail(const Subject *subject, const Event *event);
/* "blind" or "uncovered": what a reminder about a target is about. */
const char *alert_target_trouble(const Event *event);
/* Does event->gap belong to what is told? */
bool alert_shows_gap(const Event *event);
/* Could the message be the trace of somebody who acts against a trail? */
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

/* events.c: what became of a change or of a deletion, as words with variables. */
typedef enum AlertFate {
    ALERT_FATE_CHANGE, /* what a subject says after the settings */
    ALERT_FATE_CHANGE_SHORT,
    ALERT_FATE_DELETION, /* ... after "missing" */
    ALERT_FATE_OUTCOME,  /* the second sentence of a mail */
    ALERT_FATE_PUT_BACK, /* what TrailGuard did about a change */
    ALERT_FATE_CREATED,  /* ... about a deletion */
    _ALERT_FATE_MAX,
} AlertFate;

const char *alert_fate(const Event *event, AlertFate which);

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

/* alert_json.c */
int alert_document(const AlertSource *source, const char *id, char **ret);
