/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/aws_error.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"

#define LINE_MAX_BYTES  4096
#define FIELD_MAX_BYTES 2048
#define ENTRY_MAX_BYTES (64 * 1024) /* far below the limit of a datagram */
#define JOURNAL_SOCKET  "/run/systemd/journal/socket"

/* There is one log per process. */
static struct {
    int level;
    bool to_journal;
    int journal_fd;
    unsigned n_lost; /* lines that the journal did not accept since the last accepted one */
    const char *program;
} log_state = { .level = LOG_INFO, .journal_fd = -1 };

/* $JOURNAL_STREAM says which stream systemd connected to the journal; a redirected stderr is another one
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

void log_close(void) {
    if (log_state.journal_fd >= 0)
        (void)close(log_state.journal_fd);
    log_state.journal_fd = -1;
    log_state.to_journal = false;
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

/* Newlines and other control bytes could forge lines and fields. Escaped text is not changed. */
static void make_printable(char *line) {
    for (unsigned char *c = (unsigned char *)line; *c; c++)
        if (*c < 0x20 || *c == 0x7f)
            *c = '?';
}

/* ---- the journal ---- */

static void add_field(StrBuf *entry, const char *name, const char *value) {
    char text[FIELD_MAX_BYTES];

    if (!value || !value[0])
        return;
    (void)text_copy(text, sizeof(text), value);
    make_printable(text);
    (void)strbuf_addf(entry, "%s=%s\n", name, text);
}

/* sd_journal_sendv blocks while the journal reads nothing, for instance because its disk does not write. A
 * trail must not stay stopped for that. The format is that of https://systemd.io/JOURNAL_NATIVE_PROTOCOL/. 0
 * or -errno. */
static int send_entry(const StrBuf *entry) {
    static const struct sockaddr_un journal = { .sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET };

    if (strbuf_error(entry) < 0)
        return strbuf_error(entry);
    if (log_state.journal_fd < 0)
        log_state.journal_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (log_state.journal_fd < 0)
        return -errno;
    return sendto(log_state.journal_fd, entry->data, entry->len, MSG_DONTWAIT | MSG_NOSIGNAL,
                  (const struct sockaddr *)&journal, sizeof(journal)) < 0
                   ? -errno
                   : 0;
}

static int to_journal(int level, const char *message_id, const LogField *fields, size_t n_fields,
                      const char *line) {
    const char priority[] = { (char)('0' + level), '\0' };
    _cleanup_strbuf_ StrBuf entry = STRBUF_INIT(ENTRY_MAX_BYTES);

    add_field(&entry, "PRIORITY", priority);
    add_field(&entry, "SYSLOG_IDENTIFIER", log_state.program ? log_state.program : "trailguard");
    add_field(&entry, "MESSAGE_ID", message_id);
    for (size_t i = 0; i < n_fields; i++)
        add_field(&entry, fields[i].name, fields[i].value);
    (void)strbuf_addf(&entry, "MESSAGE=%s\n", line);
    return send_entry(&entry);
}

/* The stream behind stderr also belongs to the journal, and must not block either. */
static bool to_journals_stream(const char *line) {
    _cleanup_strbuf_ StrBuf text = STRBUF_INIT(2 * LINE_MAX_BYTES);

    if (strbuf_addf(&text, "%s: %s\n", log_state.program ? log_state.program : "trailguard", line) < 0)
        return false;
    return send(STDERR_FILENO, text.data, text.len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)text.len;
}

static int report_lost(void) {
    char line[80];
    int r;

    if (log_state.n_lost == 0)
        return 0;
    (void)snprintf(line, sizeof(line), "lines lost, because the journal did not take them: %u",
                   log_state.n_lost);
    r = to_journal(LOG_WARNING, NULL, NULL, 0, line);
    if (r >= 0)
        log_state.n_lost = 0;
    return r;
}

/* Lines that the journal does not accept at once are counted, not retried: alerts have everything that
 * matters. */
static void log_to_journal(int level, const char *message_id, const LogField *fields, size_t n_fields,
                           const char *line) {
    int r = report_lost();

    if (r != -EAGAIN)
        r = to_journal(level, message_id, fields, n_fields, line);
    if (r < 0 && (r == -EAGAIN || !to_journals_stream(line)))
        log_state.n_lost++;
}

/* ---- lines ---- */

static void emit(int level, const char *message_id, const LogField *fields, size_t n_fields,
                 const char *format, va_list ap) __attribute__((format(printf, 5, 0)));

static void emit(int level, const char *message_id, const LogField *fields, size_t n_fields,
                 const char *format, va_list ap) {
    char line[LINE_MAX_BYTES];

    if (level > log_state.level)
        return;
    (void)vsnprintf(line, sizeof(line), format, ap);
    make_printable(line);
    if (log_state.to_journal)
        log_to_journal(level, message_id, fields, n_fields, line);
    else
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
