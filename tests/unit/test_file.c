/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "tests/unit/between.h"

static char dir[64];

/* A path in the test's own directory. Two are alive at a time. */
static const char *in_dir(const char *name) {
    static char paths[2][400];
    static int turn;
    char *path = paths[turn ^= 1];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
    return path;
}

static int make_dir(void **state _unused_) {
    (void)snprintf(dir, sizeof(dir), "/tmp/trailguard-file-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int count_entries(const char *path) {
    DIR *d = opendir(path);
    struct dirent *e;
    int n = 0;

    assert_non_null(d);
    while ((e = readdir(d)))
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

/* Empties the directory (one level of directories in it) and removes it. */
static int remove_dir(void **state _unused_) {
    DIR *d = opendir(dir);
    struct dirent *e;

    (void)chmod(dir, 0700);
    while (d && (e = readdir(d)))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            if (unlink(in_dir(e->d_name)) < 0)
                (void)rmdir(in_dir(e->d_name));
    if (d)
        closedir(d);
    return rmdir(dir);
}

static void assert_content(const char *path, const char *expected) {
    char *text;
    size_t len;

    assert_int_equal(file_read(path, 1000000, &text, &len), 0);
    assert_int_equal(len, strlen(expected));
    assert_string_equal(text, expected);
    file_free_secret(text, len);
}

static int open_test_dir(void) {
    int fd = file_dir_open(dir);

    assert_true(fd >= 0);
    return fd;
}

static void reads_back_what_was_written(void **state _unused_) {
    for (int durable = 0; durable < 2; durable++) {
        assert_int_equal(file_write(in_dir("a"), "first", 5, 0600, durable), 0);
        assert_content(in_dir("a"), "first");
        assert_int_equal(file_write(in_dir("a"), "second", 6, 0600, durable), 0);
        assert_content(in_dir("a"), "second");
        assert_int_equal(file_write(in_dir("a"), NULL, 0, 0600, durable), 0);
        assert_content(in_dir("a"), "");
    }
    assert_int_equal(count_entries(dir), 1);
}

static void a_new_file_replaces_nothing(void **state _unused_) {
    _cleanup_(file_closep) int fd = open_test_dir();

    for (int durable = 0; durable < 2; durable++) {
        assert_int_equal(file_write_new_at(fd, "a", "first", 5, 0600, durable), durable ? -EEXIST : 0);
        assert_int_equal(file_write_new_at(fd, "a", "second", 6, 0600, durable), -EEXIST);
        assert_content(in_dir("a"), "first");
    }
    assert_int_equal(symlink("nowhere", in_dir("l")), 0);
    assert_int_equal(file_write_new_at(fd, "l", "x", 1, 0600, false), -EEXIST);
    assert_int_equal(count_entries(dir), 2);
}

static void a_rename_to_a_new_name_replaces_nothing(void **state _unused_) {
    _cleanup_(file_closep) int fd = open_test_dir();

    assert_int_equal(file_rename_new_at(fd, "a", fd, "b"), -ENOENT);
    assert_int_equal(file_write_at(fd, "a", "a", 1, 0600, false), 0);
    assert_int_equal(file_rename_new_at(fd, "a", fd, "b"), 0);
    assert_int_equal(file_write_at(fd, "a", "a2", 2, 0600, false), 0);
    assert_int_equal(file_rename_new_at(fd, "a", fd, "b"), -EEXIST);
    assert_content(in_dir("a"), "a2");
    assert_content(in_dir("b"), "a");
}

static void mode_is_exact(void **state _unused_) {
    mode_t old = umask(077), mode = 0;
    char *text;
    size_t len;

    assert_int_equal(file_write(in_dir("m"), "x", 1, 0644, false), 0);
    umask(old);
    assert_int_equal(file_read_mode(in_dir("m"), 10, &text, &len, &mode), 0);
    assert_int_equal(mode, 0644);
    free(text);
    assert_int_equal(file_write(in_dir("m"), "x", 1, 0600, false), 0);
    assert_int_equal(file_read_mode(in_dir("m"), 10, &text, &len, &mode), 0);
    assert_int_equal(mode, 0600);
    free(text);
}

static void reading_has_a_ceiling(void **state _unused_) {
    char *text = (char *)"untouched";
    size_t len = 42;

    for (size_t size = 0; size < 300; size++) {
        char data[300];

        memset(data, 'x', sizeof(data));
        assert_int_equal(file_write(in_dir("s"), data, size, 0600, false), 0);
        assert_int_equal(file_read(in_dir("s"), size, &text, &len), 0);
        assert_int_equal(len, size);
        assert_int_equal(strlen(text), size);
        free(text);
        text = (char *)"untouched";
        if (size > 0)
            assert_int_equal(file_read(in_dir("s"), size - 1, &text, &len), -E2BIG);
        assert_string_equal(text, "untouched");
    }
    assert_int_equal(file_read(in_dir("s"), SIZE_MAX, &text, &len), -EINVAL);
}

/* Files of /proc say that they are empty: the loop has to find out. */
static void reads_files_without_a_size(void **state _unused_) {
    char *text;
    size_t len;

    assert_int_equal(file_read("/proc/self/maps", 1000000, &text, &len), 0);
    assert_between(len, 200, 1000000);
    assert_int_equal(strlen(text), len);
    free(text);
    assert_int_equal(file_read("/proc/self/maps", 100, &text, &len), -E2BIG);
}

static void reads_only_regular_files(void **state _unused_) {
    char *text = (char *)"untouched";
    size_t len;

    assert_int_equal(file_read(dir, 100, &text, &len), -EINVAL);
    assert_int_equal(file_read("/dev/null", 100, &text, &len), -EINVAL);
    assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
    assert_int_equal(file_read(in_dir("fifo"), 100, &text, &len), -EINVAL); /* and does not wait */
    assert_int_equal(file_read(in_dir("none"), 100, &text, &len), -ENOENT);
    assert_string_equal(text, "untouched");
}

static void bad_paths_are_refused(void **state _unused_) {
    char name[300];

    memset(name, 'n', 250);
    name[250] = '\0';
    assert_int_equal(file_write(in_dir(name), "x", 1, 0600, true), -ENAMETOOLONG);
    assert_int_equal(file_write(in_dir("none/x"), "x", 1, 0600, true), -ENOENT);
    assert_int_equal(file_write(in_dir("slash/"), "x", 1, 0600, true), -EINVAL);
    assert_int_equal(file_write("", "x", 1, 0600, true), -EINVAL);
    assert_int_equal(count_entries(dir), 0);
}

/* rename() fails, because a directory is in the way. */
static void failed_rename_leaves_nothing(void **state _unused_) {
    assert_int_equal(mkdir(in_dir("d"), 0700), 0);
    assert_int_equal(file_write(in_dir("d"), "x", 1, 0600, true), -EISDIR);
    assert_int_equal(count_entries(dir), 1);
}

/* write() fails half way: a limit on file size stands for the full disk. */
static void failed_write_leaves_the_old_file(void **state _unused_) {
    static char big[100000];
    struct rlimit old, small;

    assert_int_equal(file_write(in_dir("f"), "old", 3, 0600, true), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    small = (struct rlimit){ .rlim_cur = 4096, .rlim_max = old.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(file_write(in_dir("f"), big, sizeof(big), 0600, true), -EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_content(in_dir("f"), "old");
    assert_int_equal(count_entries(dir), 1);
}

static void writes_in_the_working_directory(void **state _unused_) {
    char old[4096];

    assert_non_null(getcwd(old, sizeof(old)));
    assert_int_equal(chdir(dir), 0);
    assert_int_equal(file_write("bare", "x", 1, 0600, true), 0);
    assert_content("bare", "x");
    assert_int_equal(unlink("bare"), 0);
    assert_int_equal(chdir(old), 0);
    assert_int_equal(count_entries(dir), 0);
}

static void removes(void **state _unused_) {
    _cleanup_(file_closep) int fd = open_test_dir();

    assert_int_equal(file_write(in_dir("r"), "x", 1, 0600, false), 0);
    assert_int_equal(file_remove_at(fd, "r"), 0);
    assert_int_equal(file_remove_at(fd, "r"), 0);
    assert_int_equal(count_entries(dir), 0);
    assert_int_equal(mkdir(in_dir("d"), 0700), 0);
    assert_int_equal(file_remove_at(fd, "d"), -EISDIR);
}

static void ensures_directories(void **state _unused_) {
    mode_t old = umask(077);
    struct stat st;

    assert_int_equal(file_ensure_dir(in_dir("d"), 0755), 0);
    umask(old);
    assert_int_equal(stat(in_dir("d"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    assert_int_equal(file_ensure_dir(in_dir("d"), 0700), 0); /* there already: mode stays */
    assert_int_equal(stat(in_dir("d"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    assert_int_equal(count_entries(in_dir("d")), 0); /* the probe is gone */
    assert_int_equal(file_ensure_dir(in_dir("e/"), 0700), 0);

    assert_int_equal(file_write(in_dir("f"), "x", 1, 0600, false), 0);
    assert_int_equal(file_ensure_dir(in_dir("f"), 0700), -ENOTDIR);
    assert_int_equal(file_ensure_dir(in_dir("none/d"), 0700), -ENOENT);
    assert_int_equal(symlink("nowhere", in_dir("l")), 0);
    assert_int_equal(file_ensure_dir(in_dir("l"), 0700), -ENOENT);
}

/* ---- below a directory of another user ---- */

static void no_link_is_followed_below_a_directory(void **state _unused_) {
    _cleanup_(file_closep) int fd = open_test_dir();
    char *text = (char *)"untouched";
    struct stat st;
    size_t len;

    assert_int_equal(file_write(in_dir("target"), "secret", 6, 0600, false), 0);
    assert_int_equal(symlink("target", in_dir("l")), 0);
    assert_int_equal(file_read_at(fd, "l", 100, &text, &len), -ELOOP);
    assert_string_equal(text, "untouched");
    assert_int_equal(file_write_at(fd, "l", "new", 3, 0600, true), 0);
    assert_int_equal(lstat(in_dir("l"), &st), 0);
    assert_true(S_ISREG(st.st_mode)); /* the link is replaced */
    assert_content(in_dir("target"), "secret");

    assert_int_equal(mkdir(in_dir("d"), 0700), 0);
    assert_int_equal(symlink("d", in_dir("dl")), 0);
    assert_int_equal(file_dir_open_at(fd, "dl"), -ELOOP);
    assert_int_equal(file_dir_open_below(dir, "dl"), -ELOOP);
    assert_int_equal(file_ensure_dir_at(fd, "dl", 0700), -ELOOP);
    assert_int_equal(file_ensure_dir_below(dir, "dl", 0700), -ELOOP);
    assert_int_equal(file_dir_open_at(fd, "target"), -ENOTDIR);
    assert_string_equal(file_strerror(-ELOOP), "a symbolic link, which is not followed");
    assert_string_equal(file_strerror(-ENOENT), strerror(ENOENT));
}

/* systemd makes /var/lib/NAME a link of root's to private/NAME. */
static void a_link_to_the_directory_is_followed_when_root_or_we_own_it(void **state _unused_) {
    static const char *const paths[] = { "l", "l/", "l2", "absolute" };
    struct stat direct, st;

    assert_int_equal(mkdir(in_dir("d"), 0700), 0);
    assert_int_equal(stat(in_dir("d"), &direct), 0);
    assert_int_equal(symlink("d", in_dir("l")), 0);
    assert_int_equal(symlink("l", in_dir("l2")), 0);
    assert_int_equal(symlink(in_dir("d"), in_dir("absolute")), 0);
    assert_int_equal(symlink("self", in_dir("self")), 0);
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        _cleanup_(file_closep) int fd = file_dir_open(in_dir(paths[i]));

        assert_true(fd >= 0);
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_ino, direct.st_ino);
        assert_int_equal(file_ensure_dir(in_dir(paths[i]), 0700), 0);
    }
    assert_int_equal(file_dir_open(in_dir("self")), -ELOOP);
    if (geteuid() != 0)
        return;
    assert_int_equal(lchown(in_dir("l"), 12345, 12345), 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(file_dir_open(in_dir(paths[i])), -ELOOP);
        assert_int_equal(file_ensure_dir(in_dir(paths[i]), 0700), -ELOOP);
    }
    assert_int_equal(file_write(in_dir("l/f"), "x", 1, 0600, false), -ELOOP);
}

static void sweeps_what_a_crash_has_left_and_nothing_else(void **state _unused_) {
    static const struct {
        const char *name;
        bool swept;
    } cases[] = {
        { ".state.json.tmp-aB3xYz", true },
        { ".111122223333_eu-central-1_org-trail.json.tmp-000000", true },
        { ".probe-aB3xYz", true },
        { ".state.json.tmp-aB3xY", false },
        { ".state.json.tmp-aB3xYzz", false },
        { ".state.json.tmp-aB3x_z", false },
        { "state.json.tmp-aB3xYz", false },
        { ".tmp-aB3xYz", false },
        { ".state.json.damaged-aB3xYz", false },
        { ".probe-aB3xYzz", false },
        { "probe-aB3xYz", false },
        { ".x", false },
        { "state.json", false },
    };
    _cleanup_(file_closep) int fd = open_test_dir(), held = -1;
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    unsigned n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(file_write(in_dir(cases[i].name), "x", 1, 0600, false), 0);
        n += cases[i].swept;
    }
    assert_int_equal(mkdir(in_dir(".d.tmp-aB3xYz"), 0700), 0);
    assert_int_equal(symlink("state.json", in_dir(".l.tmp-aB3xYz")), 0);
    assert_int_equal(mkfifo(in_dir(".fifo.tmp-aB3xYz"), 0600), 0);
    /* a writer that lives holds it */
    held = open(in_dir(".held.tmp-aB3xYz"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(held >= 0);
    assert_int_equal(fcntl(held, F_OFD_SETLK, &lock), 0);

    assert_int_equal(file_sweep_at(fd), n);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(access(in_dir(cases[i].name), F_OK), cases[i].swept ? -1 : 0);
    assert_int_equal(count_entries(dir), (int)(ARRAY_SIZE(cases) - n) + 4);
    file_closep(&held);
    held = -1;
    assert_int_equal(file_sweep_at(fd), 1);
}

/* Other programs write there too. */
static void sweeps_the_leftovers_of_one_file_in_a_shared_directory(void **state _unused_) {
    static const struct {
        const char *name;
        bool swept;
    } cases[] = {
        { ".guard.prom.tmp-aB3xYz", true },        { ".guard.prom.tmp-000000", true },
        { ".other.prom.tmp-aB3xYz", false },       { ".my.guard.prom.tmp-aB3xYz", false },
        { ".guard.prom.tmp-aB3xYz.tmp-1", false }, { ".guard.prom.tmp-x.tmp-aB3xYz", false },
        { ".guard.promX.tmp-aB3xYz", false },      { ".guard.prom.tmp-aB3xY", false },
        { ".probe-aB3xYz", false },                { "guard.prom", false },
    };
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    _cleanup_(file_closep) int held = -1;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(file_write(in_dir(cases[i].name), "x", 1, 0600, false), 0);
    assert_int_equal(mkdir(in_dir(".guard.prom.tmp-aB3xYd"), 0700), 0);
    assert_int_equal(symlink("guard.prom", in_dir(".guard.prom.tmp-aB3xYl")), 0);
    held = open(in_dir(".guard.prom.tmp-aB3xYh"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(held >= 0);
    assert_int_equal(fcntl(held, F_OFD_SETLK, &lock), 0);

    assert_int_equal(file_sweep_of(in_dir("guard.prom")), 2);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(access(in_dir(cases[i].name), F_OK), cases[i].swept ? -1 : 0);
    assert_int_equal(count_entries(dir), (int)ARRAY_SIZE(cases) - 2 + 3);
    assert_int_equal(file_sweep_of("/nonexistent/trailguard/guard.prom"), 0);
}

/* Root's verbs write where the daemon's user has to go on. */
static void files_get_the_owner_of_their_directory(void **state _unused_) {
    struct stat st;

    if (geteuid() != 0)
        skip();
    assert_int_equal(file_write(in_dir("f"), "x", 1, 0600, false), 0);
    assert_int_equal(stat(in_dir("f"), &st), 0);
    assert_int_equal(st.st_uid, 0);

    assert_int_equal(chown(dir, 12345, 23456), 0);
    assert_int_equal(file_write(in_dir("f"), "x", 1, 0640, true), 0);
    assert_int_equal(stat(in_dir("f"), &st), 0);
    assert_int_equal(st.st_uid, 12345);
    assert_int_equal(st.st_gid, 23456);
    assert_int_equal(st.st_mode & 07777, 0640);

    assert_int_equal(file_ensure_dir(in_dir("d"), 02750), 0);
    assert_int_equal(stat(in_dir("d"), &st), 0);
    assert_int_equal(st.st_uid, 12345);
    assert_int_equal(st.st_mode & 07777, 02750);
}

static void says_when_a_directory_cannot_be_written(void **state _unused_) {
    if (geteuid() == 0) { /* root may write everywhere except where the kernel says no */
        assert_int_equal(file_ensure_dir("/proc", 0700), -ENOENT);
        return;
    }
    assert_int_equal(file_ensure_dir(in_dir("d"), 0500), -EACCES);
}

static void joins(void **state _unused_) {
    static const struct {
        const char *dir, *name, *expected;
    } cases[] = {
        { "/var/lib", "x", "/var/lib/x" },
        { "/var/lib/", "x", "/var/lib/x" },
        { "/", "x", "/x" },
        { "", "x", "x" },
        { ".", "x", "./x" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *path = file_join(cases[i].dir, cases[i].name);

        assert_string_equal(path, cases[i].expected);
    }
}

#define in_a_directory(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void) {
    const struct CMUnitTest tests[] = {
        in_a_directory(reads_back_what_was_written),
        in_a_directory(a_new_file_replaces_nothing),
        in_a_directory(a_rename_to_a_new_name_replaces_nothing),
        in_a_directory(mode_is_exact),
        in_a_directory(reading_has_a_ceiling),
        in_a_directory(reads_files_without_a_size),
        in_a_directory(reads_only_regular_files),
        in_a_directory(bad_paths_are_refused),
        in_a_directory(failed_rename_leaves_nothing),
        in_a_directory(failed_write_leaves_the_old_file),
        in_a_directory(writes_in_the_working_directory),
        in_a_directory(removes),
        in_a_directory(ensures_directories),
        in_a_directory(no_link_is_followed_below_a_directory),
        in_a_directory(a_link_to_the_directory_is_followed_when_root_or_we_own_it),
        in_a_directory(sweeps_what_a_crash_has_left_and_nothing_else),
        in_a_directory(sweeps_the_leftovers_of_one_file_in_a_shared_directory),
        in_a_directory(files_get_the_owner_of_their_directory),
        in_a_directory(says_when_a_directory_cannot_be_written),
        cmocka_unit_test(joins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
