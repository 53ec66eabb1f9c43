/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of alert share; for nobody else. */

#include "daemon/alert.h"
#include "lib/util/strbuf.h"

#define ALERT_TEXT_MAX    (32 * 1024)
#define ALERT_WIDTH       100 /* columns of a mail */
#define ALERT_SHOWN_MAX   300 /* bytes of one foreign text that people are shown ... */
#define ALERT_FOREIGN_MAX 600 /* ... and that machines get: an ARN is whole */

/* One row a way of telling. {words} in braces are replaced, see the table of variables in alert_text.c. */
typedef struct AlertTemplate {
    const char *subject;       /* what follows the label */
    const char *subject_short; /* for when that is too long; NULL: there is no shorter one */
    const char *headline;      /* the first sentence of the mail */
    const char *loss;          /* what was lost; NULL: nothing to say */
    const char *deed;          /* what TrailGuard did; NULL: nothing to say */
    const char *advice;        /* what to do now */
} AlertTemplate;

/* Everything that the words are made from. */
typedef struct AlertSource {
    const AlertGuard *guard;
    const Subject *subject;
    const Tell *tell;
    const char *incident;
    const AlertTemplate *words;
} AlertSource;

/* alert_words.c: the row for a message. */
const AlertTemplate *alert_template(const Subject *subject, const Tell *tell);
/* Is the message about a trail, not a target, a channel or the guard? */
bool alert_is_about_trail(const Subject *subject, const Tell *tell);
/* "blind" or "uncovered": what a reminder about a target is about. */
const char *alert_target_trouble(const Tell *tell);
/* Does tell->gap belong to what is told? */
bool alert_shows_gap(const Tell *tell);
/* Could the message be the trace of somebody who acts against a trail? */
bool alert_may_be_attack(const Tell *tell);

/* alert_text.c */
int alert_subject(const AlertSource *source, char ret[static ALERT_SUBJECT_MAX]);
/* The first sentence, appended; its error is the buffer's. */
int alert_headline(const AlertSource *source, StrBuf *ret);
int alert_mail(const AlertSource *source, char **ret);

/* alert_wrap.c: appends the text with every line that is wider than ALERT_WIDTH broken at spaces, what
 * continues it being indented. Commands ("  aws ..."), lines in columns and words wider than that stay whole.
 * Its error is the buffer's. */
int alert_wrap(const char *text, StrBuf *ret);

/* alert_json.c */
int alert_document(const AlertSource *source, const char *id, char **ret);
