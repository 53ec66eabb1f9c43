/* SPDX-License-Identifier: Apache-2.0 */
/* release.json: what `trailguard release` writes is what the daemon reads, and nothing else counts. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/io/release_file.h"
#include "daemon/io/request_file.h"
#include "lib/util/macros.h"

#define ARN           "arn:aws:iam::111122223333:user/bob"
#define REQUEST(more) "{\"schema\": \"trailguard.release/1\", \"arn\": \"" ARN "\", \"by\": \"ann\"" more "}"

static char dir[64], path[128];

static int set_up(void **state _unused_) {
    (void)snprintf(dir, sizeof(dir), "/tmp/test_release_file.XXXXXX");
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/" RELEASE_FILE, dir);
    return 0;
}

static int tear_down(void **state _unused_) {
    (void)unlink(path);
    return rmdir(dir);
}

static void put(const char *text, size_t len, mode_t mode) {
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void assert_refused(const char *why) {
    ReleaseFile file = { .arn = "as before" };
    char reason[256] = "";

    assert_int_equal(release_file_read(dir, &file, reason, sizeof(reason)), -EINVAL);
    assert_string_equal(reason, why);
    assert_string_equal(file.arn, "as before");
}

static void what_is_written_is_read(void **state _unused_) {
    const ReleaseFile wanted = { .arn = ARN, .by = "ann by sudo \"x\" \303\244" };
    ReleaseFile file;
    char reason[256] = "";
    struct stat st;

    assert_int_equal(release_file_read(dir, &file, reason, sizeof(reason)), -ENOENT);
    assert_int_equal(release_file_write(dir, &wanted), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(release_file_read(dir, &file, reason, sizeof(reason)), 0);
    assert_string_equal(file.arn, wanted.arn);
    assert_string_equal(file.by, wanted.by);
    assert_string_equal(reason, "");
    assert_int_equal(release_file_remove(dir), 0);
    assert_int_equal(release_file_remove(dir), 0);
    assert_int_equal(release_file_read(dir, &file, reason, sizeof(reason)), -ENOENT);
}

static void only_a_request_counts(void **state _unused_) {
    static const struct {
        const char *text, *why;
    } cases[] = {
        { "", "it is no request of trailguard release" },
        { "nothing", "it is no request of trailguard release" },
        { "[]", "it is no request of trailguard release" },
        { "{}", "it is no request of trailguard release" },
        { REQUEST(", \"more\": 1"), "it is no request of trailguard release" },
        { REQUEST(", \"by\": \"eve\""), "it is no request of trailguard release" },
        { REQUEST("") "x", "it is no request of trailguard release" },
        { "{\"schema\": \"trailguard.release/1\", \"arn\": \"" ARN "\"}",
          "it is no request of trailguard release" },
        { "{\"schema\": \"trailguard.release/1\", \"arn\": 7, \"by\": \"ann\"}",
          "it is no request of trailguard release" },
        { "{\"schema\": \"trailguard.drill/1\", \"arn\": \"" ARN "\", \"by\": \"ann\"}",
          "it is no request of trailguard release" },
        { "{\"schema\": \"trailguard.release/1\", \"arn\": \"a\\u0000b\", \"by\": \"ann\"}",
          "it is no request of trailguard release" },
        { "{\"schema\": \"trailguard.release/1\", \"arn\": \"a\377\", \"by\": \"ann\"}",
          "it is no request of trailguard release" },
        { "{\"schema\": \"trailguard.release/1\", \"arn\": \"\", \"by\": \"ann\"}",
          "a member is empty, or too long" },
        { "{\"schema\": \"trailguard.release/1\", \"arn\": \"" ARN "\", \"by\": \"\"}",
          "a member is empty, or too long" },
    };
    ReleaseFile file;
    char reason[256];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        put(cases[i].text, strlen(cases[i].text), 0600);
        assert_refused(cases[i].why);
    }
    put(REQUEST("") "\0x", sizeof(REQUEST("") "\0x"), 0600);
    assert_refused("it is no request of trailguard release");
    put(REQUEST(""), strlen(REQUEST("")), 0600);
    assert_int_equal(release_file_read(dir, &file, reason, sizeof(reason)), 0);
}

static void what_is_too_long_counts_for_nothing(void **state _unused_) {
    char text[REQUEST_FILE_MAX + 2], name[sizeof(((ReleaseFile *)0)->by) + 1];

    (void)memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    (void)snprintf(text, sizeof(text),
                   "{\"schema\": \"trailguard.release/1\", \"arn\": \"" ARN "\", \"by\": \"%s\"}", name);
    put(text, strlen(text), 0600);
    assert_refused("a member is empty, or too long");
    (void)memset(text, ' ', sizeof(text));
    put(text, sizeof(text), 0600);
    assert_refused("it is larger than 4096 bytes");
}

/* The daemon's user and root have the directory to themselves; whoever got in otherwise is not obeyed. */
static void only_who_may_is_obeyed(void **state _unused_) {
    char target[160];
    ReleaseFile file;
    char reason[256] = "";

    put(REQUEST(""), strlen(REQUEST("")), 0620);
    assert_refused("others may write to it");
    put(REQUEST(""), strlen(REQUEST("")), 0602);
    assert_refused("others may write to it");
    if (geteuid() == 0) {
        put(REQUEST(""), strlen(REQUEST("")), 0600);
        assert_int_equal(chown(path, 12345, 0), 0);
        assert_refused("it belongs neither to root nor to the daemon's user");
    }
    assert_int_equal(unlink(path), 0);
    (void)snprintf(target, sizeof(target), "%s/target", dir);
    assert_int_equal(symlink(target, path), 0);
    assert_refused("it is no regular file");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_refused("it is no regular file");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(release_file_read("/nonexistent", &file, reason, sizeof(reason)), -ENOENT);
    assert_true(release_file_write("/nonexistent", &(ReleaseFile){ .arn = ARN, .by = "ann" }) < 0);
    assert_true(release_file_remove("/nonexistent") < 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_a_request_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_long_counts_for_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_who_may_is_obeyed, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
