/* SPDX-License-Identifier: Apache-2.0 */
/* The log as the journal gets it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/log.h"
#include "lib/util/macros.h"

/* link: -Wl,--wrap=sendto -Wl,--wrap=send */

/* ---- what the code under test calls ---- */

static struct {
    unsigned n;
    char text[8192];   /* the fields of the last entry, each between two line breaks */
    char before[8192]; /* of the one before */
    int error;         /* what the next ones are answered; 0: taken */
    char stream[8192]; /* what stderr got */
    int stream_error;
} journal;

ssize_t __wrap_sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to,
                      socklen_t size);
ssize_t __wrap_send(int fd, const void *data, size_t len, int flags);

static ssize_t refuse(int error) {
    errno = error;
    return -1;
}

ssize_t __wrap_sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to,
                      socklen_t size) {
    const struct sockaddr_un *address = (const struct sockaddr_un *)(const void *)to;

    assert_true(fd > STDERR_FILENO && size == sizeof(*address));
    assert_string_equal(address->sun_path, "/run/systemd/journal/socket");
    assert_int_equal(flags & (MSG_DONTWAIT | MSG_NOSIGNAL), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (journal.error)
        return refuse(journal.error);
    assert_true(len + 2 < sizeof(journal.text));
    journal.n++;
    memcpy(journal.before, journal.text, sizeof(journal.text));
    journal.text[0] = '\n';
    memcpy(journal.text + 1, data, len);
    journal.text[len + 1] = '\0';
    return (ssize_t)len;
}

ssize_t __wrap_send(int fd, const void *data, size_t len, int flags) {
    assert_int_equal(fd, STDERR_FILENO);
    assert_int_equal(flags & (MSG_DONTWAIT | MSG_NOSIGNAL), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (journal.stream_error)
        return refuse(journal.stream_error);
    memcpy(journal.stream, data, len);
    journal.stream[len] = '\0';
    return (ssize_t)len;
}

/* ---- helpers ---- */

static bool has(const char *field) {
    char line[1024];

    (void)snprintf(line, sizeof(line), "\n%s\n", field);
    return strstr(journal.text, line) != NULL;
}

static int set_up(void **state) {
    char stream[64];
    struct stat st;

    (void)state;
    memset(&journal, 0, sizeof(journal));
    assert_return_code(fstat(STDERR_FILENO, &st), 0);
    (void)snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
                   (unsigned long long)st.st_ino);
    assert_return_code(setenv("JOURNAL_STREAM", stream, 1), 0);
    log_open(NULL);
    log_set_level(LOG_INFO);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    log_close();
    return 0;
}

/* ---- tests ---- */

static void fields(void **state) {
    const LogField some[] = { { "AWS_REGION", "eu-central-1" },
                              { "AWS_ACCOUNT", "" },
                              { "TRAIL_ARN", NULL } };

    (void)state;
    log_event(LOG_ERR, "0123456789abcdef0123456789abcdef", some, ARRAY_SIZE(some), "a line\n%d", 7);
    assert_int_equal(journal.n, 1);
    assert_true(has("PRIORITY=3"));
    assert_true(has("MESSAGE_ID=0123456789abcdef0123456789abcdef"));
    assert_true(has("AWS_REGION=eu-central-1"));
    assert_true(has("MESSAGE=a line?7"));
    assert_null(strstr(journal.text, "AWS_ACCOUNT"));
    assert_null(strstr(journal.text, "TRAIL_ARN"));
}

static void what_aws_said_has_its_request_id(void **state) {
    static const char text[] = "ListAccounts: AccessDeniedException: No (request id r-1)";

    (void)state;
    log_aws(LOG_WARNING, text, "cannot list: %s; going on", text);
    assert_true(
            has("MESSAGE=cannot list: ListAccounts: AccessDeniedException: No (request id r-1); going on"));
    assert_true(has("AWS_REQUEST_ID=r-1"));
    log_aws(LOG_WARNING, "connection refused", "cannot list: %s", "connection refused (request id r-1)");
    assert_null(strstr(journal.text, "AWS_REQUEST_ID"));
}

static void levels(void **state) {
    (void)state;
    log_line(LOG_DEBUG, "no");
    assert_int_equal(journal.n, 0);
    log_set_level(LOG_DEBUG);
    log_line(LOG_DEBUG, "yes");
    assert_int_equal(journal.n, 1);
    assert_true(has("PRIORITY=7"));
}

/* No field is made of what someone else has written. */
static void no_line_break_forges_a_field(void **state) {
    const LogField some[] = { { "PRINCIPAL_ARN", "x\nPRIORITY=0\rMESSAGE=all is well" } };

    (void)state;
    log_event(LOG_ERR, "0123456789abcdef0123456789abcdef", some, ARRAY_SIZE(some), "a\nPRIORITY=7");
    assert_true(has("PRINCIPAL_ARN=x?PRIORITY=0?MESSAGE=all is well"));
    assert_true(has("MESSAGE=a?PRIORITY=7"));
    assert_true(has("PRIORITY=3"));
    assert_false(has("PRIORITY=0") || has("PRIORITY=7"));
}

/* journald does not read: nobody waits for it, and it hears how much it has missed. */
static void a_journal_that_is_stuck_is_not_waited_for(void **state) {
    (void)state;
    journal.error = EAGAIN;
    for (int i = 0; i < 3; i++)
        log_line(LOG_ERR, "lost");
    assert_int_equal(journal.n, 0);
    assert_string_equal(journal.stream, ""); /* which is the journal's, too */
    journal.error = 0;
    log_line(LOG_ERR, "next");
    assert_int_equal(journal.n, 2);
    assert_true(has("MESSAGE=next"));
    log_line(LOG_ERR, "one more");
    assert_int_equal(journal.n, 3); /* said once */
}

static void what_was_lost_is_counted(void **state) {
    (void)state;
    journal.error = EAGAIN;
    log_line(LOG_ERR, "lost");
    log_line(LOG_ERR, "lost");
    journal.error = ECONNREFUSED; /* another journald begins */
    journal.stream_error = EAGAIN;
    log_line(LOG_ERR, "lost");
    journal.error = 0;
    log_set_level(LOG_WARNING);
    log_line(LOG_ERR, "x");
    assert_int_equal(journal.n, 2);
    assert_true(has("MESSAGE=x"));
    assert_non_null(
            strstr(journal.before, "\nMESSAGE=lines lost, because the journal did not take them: 3\n"));
    assert_non_null(strstr(journal.before, "\nPRIORITY=4\n"));
}

static void without_a_journal_its_stream_gets_the_lines(void **state) {
    (void)state;
    journal.error = ENOENT;
    log_line(LOG_ERR, "a line");
    assert_string_equal(journal.stream, "trailguard: a line\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fields, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_aws_said_has_its_request_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(levels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_line_break_forges_a_field, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_journal_that_is_stuck_is_not_waited_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_lost_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_journal_its_stream_gets_the_lines, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
