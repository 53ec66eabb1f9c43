/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The log: the journal with fields if stderr is connected to it ($JOURNAL_STREAM), else plain lines on
 * stderr. Logging never blocks on the journal: lines that it does not accept are counted, and its next line
 * has the number.
 *
 * Levels: err - the guard cannot do its work and a person is needed; warning - trouble with a trail or
 * target, or something was refused; notice - trouble ended, starts and stops; info - facts worth reading
 * once; debug - every call. */

#include <stdbool.h>
#include <stddef.h>
#include <syslog.h>

typedef struct LogField {
    const char *name;  /* "TRAIL_ARN" */
    const char *value; /* NULL or "": the field is left out */
} LogField;

/* Chooses the journal or stderr; reads $JOURNAL_STREAM. Without a call everything goes to stderr. program:
 * prefix of plain lines, or NULL. */
void log_open(const char *program);
/* From now on lines go to stderr. */
void log_close(void);
/* Messages with a priority number above level (LOG_ERR..LOG_DEBUG) are dropped. Default LOG_INFO. */
void log_set_level(int level);
int log_level(void);

/* One line. Control bytes in the finished line are replaced by "?". */
void log_line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same at LOG_DEBUG; at a higher level the arguments are not evaluated. */
#define log_debug(...)                                                                                      \
    do {                                                                                                    \
        if (log_level() >= LOG_DEBUG)                                                                       \
            log_line(LOG_DEBUG, __VA_ARGS__);                                                               \
    } while (0)

/* A line about an answer of AWS. text ends as aws_error_text() wrote it; its request id goes into the field
 * AWS_REQUEST_ID. */
void log_aws(int level, const char *text, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A line with a MESSAGE_ID (32 hex digits, from the table of events; NULL: none) and fields, which are left
 * out on plain stderr. */
void log_event(int level, const char *message_id, const LogField *fields, size_t n_fields,
               const char *format, ...) __attribute__((format(printf, 5, 6)));
