/* SPDX-License-Identifier: Apache-2.0 */
/* link: -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc,--wrap=readdir */
/* A directory that cannot be read to its end has no short list: what is not listed would count as never
 * recorded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/core/settings.h"
#include "daemon/io/baseline_file.h"
#include "daemon/io/state.h"
#include "daemon/log.h"
#include "lib/util/macros.h"
#include "tests/unit/alloc_fail.h"

#define NOW       (1795514531 * USEC_PER_SEC)
#define ARN(name) "arn:aws:cloudtrail:eu-central-1:111122223333:trail/" name

static char dir[64], logged[512];
static unsigned left; /* entries that can still be read; UINT_MAX: all */

void log_line(int level, const char *format, ...) {
    va_list ap;

    (void)level;
    va_start(ap, format);
    (void)vsnprintf(logged, sizeof(logged), format, ap);
    va_end(ap);
}

struct dirent *__real_readdir(DIR *stream);
struct dirent *__wrap_readdir(DIR *stream);
struct dirent *__wrap_readdir(DIR *stream) {
    if (left == 0) {
        errno = EIO;
        return NULL;
    }
    left -= left != UINT_MAX;
    return __real_readdir(stream);
}

static int set_up(void **state _unused_) {
    left = UINT_MAX;
    logged[0] = '\0';
    (void)strcpy(dir, "/tmp/test_directory.XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state _unused_) {
    char command[128];

    (void)snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

static void record(const char *arn) {
    Settings settings = { 0 };

    for (unsigned i = 0; i < _FIELD_MAX; i++)
        settings.values[i] = (char *)(i >= FIELD_MULTI_REGION && i <= FIELD_RECURSIVE ? "true" : "");
    settings.values[FIELD_BUCKET] = (char *)"logs";
    assert_int_equal(baseline_file_record(dir, arn, &settings, "guard", NOW), 0);
}

static int list(size_t *ret_n) {
    char **arns;
    int r = baseline_file_list(dir, &arns, ret_n);

    assert_int_equal(!arns, *ret_n == 0);
    for (size_t i = 0; i < *ret_n; i++)
        free(arns[i]);
    free(arns);
    return r;
}

static void a_list_of_baselines_is_whole_or_an_error(void **state _unused_) {
    size_t n;

    record(ARN("one"));
    record(ARN("two"));
    for (unsigned i = 0; i < 4; i++) { /* "." and ".." too */
        left = i;
        assert_int_equal(list(&n), -EIO);
        assert_int_equal(n, 0);
    }
    left = UINT_MAX;
    assert_int_equal(list(&n), 0);
    assert_int_equal(n, 2);
}

static void without_memory_it_is_an_error_too(void **state _unused_) {
    bool failed = true;

    record(ARN("one"));
    record(ARN("two"));
    for (unsigned i = 0; failed; i++) {
        size_t n;
        int r;

        assert_true(i < 10000);
        alloc_fail_after(i);
        r = list(&n);
        failed = alloc_fail_end();
        assert_int_equal(r, failed ? -ENOMEM : 0);
        assert_int_equal(n, failed ? 0 : 2);
    }
}

static void intents_that_cannot_be_listed_are_in_the_journal(void **state _unused_) {
    StateTable table = { 0 };
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/intents", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    left = 1;
    assert_int_equal(state_intents_load(dir, NOW, &table), 0);
    assert_non_null(strstr(logged, "/intents: cannot be read: Input/output error"));
    state_table_done(&table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_list_of_baselines_is_whole_or_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_memory_it_is_an_error_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(intents_that_cannot_be_listed_are_in_the_journal, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
