/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "lib/aws_error.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"

#define LINE_MAX_BYTES  4096
#define FIELDS_MAX      16
#define FIELD_MAX_BYTES 2048

/* One log a process. */
static struct {
    int level;
    bool to_journal;
    const char *program;
} log_state = { .level = LOG_INFO };

/* systemd says in $JOURNAL_STREAM which stream is connected to the journal; a redirected stderr is not it
 * (systemd.exec(5)). */
static bool stderr_is_journal(void) {
    const char *stream = getenv("JOURNAL_STREAM");
    char actual[64];
    struct stat st;

    if (!stream || fstat(STDERR_FILENO, &st) < 0)
        return false;
    (void)snprintf(actual, sizeof(actual), "%llu:%llu", (unsigned long long)st.st_dev,
                   (unsigned long long)st.st_ino);
    return strcmp(stream, actual) == 0;
}

void log_open(const char *program) {
    log_state.program = program;
    log_state.to_journal = stderr_is_journal();
}

void log_set_level(int level) {
    log_state.level = level;
}

int log_level(void) {
    return log_state.level;
}

static void to_stderr(const char *line) {
    if (log_state.program)
        fprintf(stderr, "%s: %s\n", log_state.program, line);
    else
        fprintf(stderr, "%s\n", line);
}

static void add_field(struct iovec *iov, char (*texts)[FIELD_MAX_BYTES], int *n, const char *name,
                      const char *value) {
    int len;

    if (!value || !value[0] || *n >= FIELDS_MAX)
        return;
    len = snprintf(texts[*n], FIELD_MAX_BYTES, "%s=%s", name, value);
    if (len < 0)
        return;
    iov[*n] = (struct iovec){ .iov_base = texts[*n],
                              .iov_len = MIN((size_t)len, (size_t)FIELD_MAX_BYTES - 1) };
    (*n)++;
}

static int to_journal(int level, const char *message_id, const LogField *fields, size_t n_fields,
                      const char *line) {
    const char priority[] = { (char)('0' + level), '\0' };
    char texts[FIELDS_MAX][FIELD_MAX_BYTES];
    _cleanup_strbuf_ StrBuf message = STRBUF_INIT(2 * LINE_MAX_BYTES);
    struct iovec iov[FIELDS_MAX + 1];
    int n = 0;

    add_field(iov, texts, &n, "PRIORITY", priority);
    add_field(iov, texts, &n, "SYSLOG_IDENTIFIER", log_state.program ? log_state.program : "trailguard");
    add_field(iov, texts, &n, "MESSAGE_ID", message_id);
    for (size_t i = 0; i < n_fields; i++)
        add_field(iov, texts, &n, fields[i].name, fields[i].value);
    if (strbuf_add(&message, "MESSAGE=") < 0 || strbuf_add(&message, line) < 0)
        return -1;
    iov[n++] = (struct iovec){ .iov_base = message.data, .iov_len = message.len };
    return sd_journal_sendv(iov, n);
}

/* Newlines and other control bytes would forge lines. Text that was escaped before stays as it is. */
static void make_printable(char *line) {
    for (unsigned char *c = (unsigned char *)line; *c; c++)
        if (*c < 0x20 || *c == 0x7f)
            *c = '?';
}

static void emit(int level, const char *message_id, const LogField *fields, size_t n_fields,
                 const char *format, va_list ap) __attribute__((format(printf, 5, 0)));

static void emit(int level, const char *message_id, const LogField *fields, size_t n_fields,
                 const char *format, va_list ap) {
    char line[LINE_MAX_BYTES];

    if (level > log_state.level)
        return;
    (void)vsnprintf(line, sizeof(line), format, ap);
    make_printable(line);
    if (!log_state.to_journal || to_journal(level, message_id, fields, n_fields, line) < 0)
        to_stderr(line);
}

void log_line(int level, const char *format, ...) {
    va_list ap;

    va_start(ap, format);
    emit(level, NULL, NULL, 0, format, ap);
    va_end(ap);
}

void log_aws(int level, const char *text, const char *format, ...) {
    char id[AWS_REQUEST_ID_MAX];
    const LogField field = { "AWS_REQUEST_ID", aws_error_text_id(text, id) };
    va_list ap;

    va_start(ap, format);
    emit(level, NULL, &field, 1, format, ap);
    va_end(ap);
}

void log_event(int level, const char *message_id, const LogField *fields, size_t n_fields,
               const char *format, ...) {
    va_list ap;

    va_start(ap, format);
    emit(level, message_id, fields, n_fields, format, ap);
    va_end(ap);
}
