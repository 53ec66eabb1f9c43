/* SPDX-License-Identifier: Apache-2.0 */
/* The log as the journal gets it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/log.h"
#include "lib/util/macros.h"

/* ---- what the code under test calls ---- */

static struct {
    unsigned n;
    char text[8192]; /* the fields of the last entry, each between two line breaks */
} journal;

int sd_journal_sendv(const struct iovec *iov, int n);

int sd_journal_sendv(const struct iovec *iov, int n) {
    size_t at = 1;

    journal.n++;
    journal.text[0] = '\n';
    for (int i = 0; i < n; i++) {
        assert_true(at + iov[i].iov_len + 2 < sizeof(journal.text));
        memcpy(journal.text + at, iov[i].iov_base, iov[i].iov_len);
        at += iov[i].iov_len;
        journal.text[at++] = '\n';
    }
    journal.text[at] = '\0';
    return 0;
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(fields, set_up),
        cmocka_unit_test_setup(what_aws_said_has_its_request_id, set_up),
        cmocka_unit_test_setup(levels, set_up),
    };

    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
