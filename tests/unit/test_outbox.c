/* SPDX-License-Identifier: Apache-2.0 */
/* link: -Wl,--wrap=unlinkat,--wrap=fsync */
/* The durable queue: order, ceilings, what is damaged, what cannot be read, written or removed, who has
 * acknowledged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/io/outbox.h"
#include "daemon/log.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define SUFFIX "-dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd.json"

/* ---- what the code under test calls ---- */

static char logged[8192];

static void note(const char *format, va_list ap) {
    size_t len = strlen(logged);

    (void)vsnprintf(logged + len, sizeof(logged) - len, format, ap);
}

void log_line(int level _unused_, const char *format, ...) {
    va_list ap;

    va_start(ap, format);
    note(format, ap);
    va_end(ap);
}

void log_event(int level _unused_, const char *message_id _unused_, const LogField *fields _unused_,
               size_t n_fields _unused_, const char *format, ...) {
    va_list ap;

    va_start(ap, format);
    note(format, ap);
    va_end(ap);
}

/* ---- a disk that fails once ---- */

static bool fail_unlink, fail_probe, fail_fsync; /* of an alert's file; of a temporary one; of a directory */
static bool full;                                /* as long as it is set: no file's data gets there */

int __real_unlinkat(int fd, const char *name, int flags);
int __wrap_unlinkat(int fd, const char *name, int flags);
int __real_fsync(int fd);
int __wrap_fsync(int fd);

int __wrap_unlinkat(int fd, const char *name, int flags) {
    bool *fails = text_ends_with(name, ".json") ? &fail_unlink : &fail_probe;

    if (*fails) {
        *fails = false;
        errno = EIO;
        return -1;
    }
    return __real_unlinkat(fd, name, flags);
}

int __wrap_fsync(int fd) {
    struct stat st;

    if (fail_fsync && fstat(fd, &st) >= 0 && S_ISDIR(st.st_mode)) {
        fail_fsync = false;
        errno = EIO;
        return -1;
    }
    if (full && fstat(fd, &st) >= 0 && S_ISREG(st.st_mode)) {
        errno = ENOSPC;
        return -1;
    }
    return __real_fsync(fd);
}

/* ---- a directory ---- */

static char dir[64];
static Outbox *outbox;

static int set_up(void **state _unused_) {
    (void)strcpy(dir, "/tmp/test_outbox.XXXXXX");
    logged[0] = '\0';
    full = false;
    outbox = NULL;
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state _unused_) {
    char command[128];

    outbox_close(outbox);
    (void)snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

static const char *in_dir(const char *name) {
    static char path[512];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static unsigned count(const char *name, bool hidden) {
    DIR *d = opendir(in_dir(name));
    const struct dirent *entry;
    unsigned n = 0;

    while (d && (entry = readdir(d)))
        n += (entry->d_name[0] == '.') == hidden && entry->d_type == DT_REG;
    if (d)
        (void)closedir(d);
    return n;
}

static unsigned count_files(const char *name) {
    return count(name, false);
}

static unsigned count_hidden(const char *name) {
    return count(name, true);
}

static void open_again(void) {
    char error[256] = "";

    outbox_close(outbox);
    outbox = NULL;
    if (outbox_open(dir, &outbox, error, sizeof(error)) < 0)
        fail_msg("%s", error);
}

static Alert alert_of(unsigned i, EventKind event, size_t size) {
    Alert alert = { .event = event, .severity = SEVERITY_INFO, .time_usec = 7, .text = malloc(size + 1) };

    assert_non_null(alert.text);
    memset(alert.text, 'x', size);
    alert.text[size] = '\0';
    alert.sms = strdup("sms");
    alert.document = strdup("{}");
    (void)snprintf(alert.id, sizeof(alert.id), "%064x", i);
    (void)snprintf(alert.incident, sizeof(alert.incident), "%016x", i);
    (void)snprintf(alert.subject, sizeof(alert.subject), "subject %u", i);
    return alert;
}

static int add(unsigned i, EventKind event, size_t size) {
    Alert alert = alert_of(i, event, size);
    int r = outbox_add(outbox, &alert);

    assert_null(alert.text); /* moved */
    return r;
}

static unsigned subject_of(const OutboxEntry *entry) {
    return (unsigned)atoi(outbox_entry_alert(entry)->subject + strlen("subject "));
}

/* ---- order ---- */

static void the_oldest_is_first_also_after_a_restart(void **state _unused_) {
    OutboxEntry *entry;

    open_again();
    for (unsigned i = 0; i < 12; i++)
        assert_int_equal(add(i, EVENT_TRAIL_STOPPED, 10), 0);
    assert_int_equal(add(3, EVENT_TRAIL_STOPPED, 10), 0); /* the same id again */
    assert_int_equal(outbox_depth(outbox), 12);
    open_again();
    entry = outbox_first(outbox);
    for (unsigned i = 0; i < 12; i++, entry = outbox_next(outbox, entry))
        assert_int_equal(subject_of(entry), i);
    assert_null(entry);
    assert_int_equal(add(12, EVENT_TRAIL_STOPPED, 10), 0); /* its number is the next one */
    open_again();
    assert_int_equal(outbox_depth(outbox), 13);
    assert_int_equal(subject_of(outbox_first(outbox)), 0);
    assert_string_equal(logged, "");
}

/* ---- channels ---- */

static void it_leaves_when_all_channels_have_acknowledged(void **state _unused_) {
    static const char *const channels[] = { "sns:a", "sns:b" };
    OutboxEntry *entry;

    open_again();
    assert_int_equal(add(1, EVENT_TRAIL_STOPPED, 10), 0);
    outbox_acknowledge(outbox, outbox_first(outbox), "sns:a", channels, 2);
    open_again();
    entry = outbox_first(outbox);
    assert_true(outbox_entry_is_acknowledged(entry, "sns:a"));
    assert_false(outbox_entry_is_acknowledged(entry, "sns:b"));
    outbox_sweep(outbox, NULL, 0);
    assert_int_equal(outbox_depth(outbox), 1);
    outbox_acknowledge(outbox, entry, "sns:b", channels, 2);
    assert_int_equal(outbox_depth(outbox), 0);
    assert_int_equal(count_files("outbox"), 0);

    assert_int_equal(add(2, EVENT_TRAIL_STOPPED, 10), 0);
    outbox_acknowledge(outbox, outbox_first(outbox), "sns:a", channels, 2);
    outbox_sweep(outbox, channels, 1); /* sns:b is no channel any more */
    assert_int_equal(outbox_depth(outbox), 0);
}

/* Channels of configurations long gone make room. */
static void the_list_of_channels_has_a_ceiling(void **state _unused_) {
    static const char *const never[] = { "never" };
    char key[16];

    open_again();
    assert_int_equal(add(1, EVENT_TRAIL_STOPPED, 10), 0);
    for (unsigned i = 0; i < 70; i++) {
        (void)snprintf(key, sizeof(key), "sns:%u", i);
        outbox_acknowledge(outbox, outbox_first(outbox), key, never, 1);
    }
    open_again();
    assert_int_equal(outbox_depth(outbox), 1);
    assert_false(outbox_entry_is_acknowledged(outbox_first(outbox), "sns:5"));
    assert_true(outbox_entry_is_acknowledged(outbox_first(outbox), "sns:6"));
    assert_true(outbox_entry_is_acknowledged(outbox_first(outbox), "sns:69"));
}

static void what_a_channel_refuses_is_kept_with_the_reason(void **state _unused_) {
    static const char *const channels[] = { "sns:a" };
    struct dirent **names;
    char path[512], *text;
    size_t len;

    open_again();
    assert_int_equal(add(1, EVENT_TRAIL_STOPPED, 10), 0);
    outbox_refuse(outbox, outbox_first(outbox), "sns:a", "too\nlong", channels, 1);
    assert_int_equal(outbox_depth(outbox), 0);
    assert_int_equal(count_files("outbox"), 0);
    assert_int_equal(scandir(in_dir("outbox/refused"), &names, NULL, alphasort), 3);
    (void)snprintf(path, sizeof(path), "%s/outbox/refused/%s", dir, names[2]->d_name);
    assert_int_equal(file_read(path, 10000, &text, &len), 0);
    assert_non_null(strstr(text, "\"refused\":{\"channel\":\"sns:a\",\"reason\":\"too\\\\x0along\"}"));
    free(text);
    for (int i = 0; i < 3; i++)
        free(names[i]);
    free(names);
}

/* ---- ceilings ---- */

static void reminders_are_given_up_first_and_then_the_oldest(void **state _unused_) {
    const size_t size = 900U * 1024;
    unsigned n = OUTBOX_BYTES_MAX / size;

    open_again();
    for (unsigned i = 0; i < n; i++)
        (void)add(i, i == 5 ? EVENT_INCIDENT_REMINDER : EVENT_TRAIL_STOPPED, size);
    assert_int_equal(outbox_take_lost(outbox), 0);
    (void)add(n, EVENT_TRAIL_STOPPED, size);
    assert_int_equal(outbox_take_lost(outbox), 1);
    assert_non_null(strstr(logged, "given up: subject 5"));
    (void)add(n + 1, EVENT_TRAIL_STOPPED, size);
    assert_int_equal(outbox_take_lost(outbox), 1);
    assert_int_equal(outbox_take_lost(outbox), 0);
    assert_non_null(strstr(logged, "given up: subject 0"));
    assert_int_equal(subject_of(outbox_first(outbox)), 1);
    assert_int_equal(outbox_depth(outbox), n);
}

/* Says no to this one only; it is sent all the same. */
static void one_that_is_too_big_for_a_file_waits_in_memory(void **state _unused_) {
    open_again();
    assert_int_equal(add(1, EVENT_TRAIL_STOPPED, 1024U * 1024), OUTBOX_IN_MEMORY);
    assert_int_equal(add(2, EVENT_TRAIL_STOPPED, 10), 0);
    assert_int_equal(outbox_depth(outbox), 2);
    assert_int_equal(count_files("outbox"), 1);
}

/* ---- damage ---- */

#define MEMBERS                                                                                             \
    "\"id\":\"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd\","                          \
    "\"incident\":\"eeeeeeeeeeeeeeee\",\"event\":\"trail.stopped\",\"severity\":\"info\",\"time_usec\":7,"  \
    "\"subject\":\"s\",\"text\":\"t\",\"sms\":\"s\",\"document\":\"{}\",\"account\":\"\",\"region\":\"\","  \
    "\"trail\":\"\",\"acknowledged\":[]"

static void damaged_files_are_moved_away_and_named(void **state _unused_) {
    static const struct {
        const char *from, *to, *reason;
    } rows[] = {
        { "\"eeeeeeeeeeeeeeee\"", "\"eeee\"", "incident is a text of 4 bytes, not an id of hex digits" },
        { "dddd\"", "dddg\"", "id is a text of 64 bytes, not an id of hex digits" },
        { "trail.stopped", "trail.sad", "event is \"trail.sad\", not a known word" },
        { "\"info\"", "3", "severity is 3, not a known word" },
        { ":7", ":-7", "time_usec is -7, not microseconds since 1970" },
        { "\"subject\":\"s\"", "\"subject\":\"\"", "subject is a text of 0 bytes, not" },
        { "\"subject\":\"s\"", "\"subject\":\" s\"", "subject is a text of 2 bytes, not" },
        { "\"subject\":\"s\"", "\"subject\":\"s\\n\"", "subject is a text of 2 bytes, not" },
        { "\"text\":\"t\"", "\"text\":\"\"", "text is a text of 0 bytes, not a text" },
        { "\"sms\":\"s\",", "", "sms is missing" },
        { "\"document\":\"{}\"", "\"document\":{}", "document is an object, not a text" },
        { "\"account\":\"\"", "\"account\":\"11112222333344\"", "account is a text of 14 bytes, not" },
        { "\"acknowledged\":[]", "\"acknowledged\":{}",
          "acknowledged is an object, not a list of at most 64" },
        { "\"acknowledged\":[]", "\"acknowledged\":[1]", "acknowledged[0] is 1, not a string" },
        { "outbox/1", "outbox/2", "its schema is not trailguard.outbox/1" },
        { "{", "", "line 1: " },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char text[1024] = "{\"schema\":\"trailguard.outbox/1\"," MEMBERS "}", changed[1024];
        const char *at = strstr(text, rows[i].from);

        assert_non_null(at);
        (void)snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text, rows[i].to,
                       at + strlen(rows[i].from));
        open_again();
        logged[0] = '\0';
        assert_int_equal(file_write(in_dir("outbox/00000000000000000007" SUFFIX), changed, strlen(changed),
                                    0600, false),
                         0);
        open_again();
        assert_int_equal(outbox_depth(outbox), 0);
        if (!strstr(logged, rows[i].reason))
            fail_msg("%zu: %s", i, logged);
        assert_int_equal(count_files("outbox"), 0);
        assert_int_equal(count_files("outbox/damaged"), i + 1); /* none is overwritten */
    }
}

static void names_that_are_none_are_moved_away_and_others_left_alone(void **state _unused_) {
    static const char text[] = "{\"schema\":\"trailguard.outbox/1\"," MEMBERS "}";

    open_again();
    assert_int_equal(file_write(in_dir("outbox/7.json"), "{}", 2, 0600, false), 0);
    assert_int_equal(file_write(in_dir("outbox/notes.txt"), "mine", 4, 0600, false), 0);
    assert_int_equal(
            file_write(in_dir("outbox/00000000000000000007" SUFFIX), text, strlen(text), 0600, false), 0);
    assert_int_equal(
            file_write(in_dir("outbox/00000000000000000009" SUFFIX), text, strlen(text), 0600, false), 0);
    open_again();
    assert_int_equal(outbox_depth(outbox), 1); /* one id, once */
    assert_int_equal(count_files("outbox"), 2);
    assert_int_equal(count_files("outbox/damaged"), 1);
}

/* ---- the disk ---- */

static void what_cannot_be_read_stays_and_is_read_later(void **state _unused_) {
    char target[512];

    open_again();
    assert_int_equal(add(1, EVENT_TRAIL_STOPPED, 10), 0);
    outbox_close(outbox);
    outbox = NULL;
    /* a link is not followed, which is an error of the disk, and none of the file */
    (void)snprintf(target, sizeof(target), "%s", in_dir("outbox/00000000000000000002" SUFFIX));
    assert_int_equal(symlink("/dev/null", target), 0);
    open_again();
    assert_non_null(strstr(logged, "it stays, and is read again later"));
    assert_int_equal(outbox_depth(outbox), 2);
    assert_false(outbox_try_again(outbox));
    assert_int_equal(unlink(target), 0);
    assert_true(outbox_try_again(outbox));
    assert_int_equal(outbox_depth(outbox), 1);
}

static void what_cannot_be_removed_is_removed_later(void **state _unused_) {
    open_again();
    assert_int_equal(add(1, EVENT_TRAIL_STOPPED, 10), 0);
    fail_unlink = true;
    outbox_acknowledge(outbox, outbox_first(outbox), "a", (const char *const[]){ "a" }, 1);
    assert_int_equal(outbox_depth(outbox), 0);
    assert_int_equal(count_files("outbox"), 1);
    assert_non_null(strstr(logged, "cannot be removed: Input/output error; tried again later"));
    assert_false(outbox_try_again(outbox));
    assert_int_equal(count_files("outbox"), 0);
}

static void a_probe_that_cannot_be_removed_is_swept(void **state _unused_) {
    open_again();
    fail_probe = true;
    assert_int_equal(add(1, EVENT_TRAIL_STOPPED, 10), OUTBOX_IN_MEMORY);
    assert_int_equal(count_files("outbox"), 0);
    assert_int_equal(count_hidden("outbox"), 1);
    outbox_acknowledge(outbox, outbox_first(outbox), "a", (const char *const[]){ "a" }, 1);
    assert_false(outbox_try_again(outbox));
    assert_int_equal(count_hidden("outbox"), 0);
}

/* An empty file can still be made on a full disk, and a directory opened: neither proves anything. */
static void a_full_disk_is_well_again_only_once_an_alert_is_written(void **state _unused_) {
    open_again();
    full = true;
    assert_int_equal(add(1, EVENT_TRAIL_STOPPED, 10), OUTBOX_IN_MEMORY);
    assert_non_null(strstr(logged, "cannot be written: No space left on device"));
    logged[0] = '\0';
    outbox_acknowledge(outbox, outbox_first(outbox), "a", (const char *const[]){ "a" }, 1);
    assert_int_equal(outbox_depth(outbox), 0);
    assert_false(outbox_try_again(outbox));
    assert_int_equal(add(2, EVENT_TRAIL_STOPPED, 10), OUTBOX_IN_MEMORY);
    assert_string_equal(logged, ""); /* said once, and it still holds */
    full = false;
    assert_false(outbox_try_again(outbox));
    assert_non_null(strstr(logged, "can be written again"));
    assert_int_equal(count_files("outbox"), 1);
}

/* The file is in its place, and the disk has not confirmed it. */
static void what_was_written_with_an_error_is_written_again_and_removed(void **state _unused_) {
    open_again();
    fail_fsync = true;
    assert_int_equal(add(1, EVENT_TRAIL_STOPPED, 10), OUTBOX_IN_MEMORY);
    assert_int_equal(count_files("outbox"), 1);
    outbox_acknowledge(outbox, outbox_first(outbox), "a", (const char *const[]){ "a" }, 1);
    assert_int_equal(count_files("outbox"), 0);

    fail_fsync = true;
    assert_int_equal(add(2, EVENT_TRAIL_STOPPED, 10), OUTBOX_IN_MEMORY);
    logged[0] = '\0';
    assert_false(outbox_try_again(outbox));
    assert_non_null(strstr(logged, "can be written again"));
    open_again();
    assert_int_equal(outbox_depth(outbox), 1);
}

static void a_directory_that_is_none_is_an_error_and_one_that_goes_is_made_again(void **state _unused_) {
    char error[256] = "", gone[128];

    assert_int_equal(file_write(in_dir("outbox"), "x", 1, 0600, false), 0);
    assert_true(outbox_open(dir, &outbox, error, sizeof(error)) < 0);
    assert_non_null(strstr(error, "/outbox: cannot be opened as the outbox: "));
    outbox = NULL;
    assert_int_equal(unlink(in_dir("outbox")), 0);
    open_again();
    assert_int_equal(add(1, EVENT_TRAIL_STOPPED, 10), 0);
    (void)snprintf(gone, sizeof(gone), "%s/gone", dir);
    assert_int_equal(rename(in_dir("outbox"), gone), 0);
    assert_int_equal(file_write(in_dir("outbox"), "x", 1, 0600, false), 0);
    assert_int_equal(add(2, EVENT_TRAIL_STOPPED, 10), OUTBOX_IN_MEMORY);
    assert_non_null(strstr(logged, "alerts are kept in memory and still sent"));
    assert_int_equal(outbox_depth(outbox), 2);
    assert_int_equal(unlink(in_dir("outbox")), 0);
    outbox_write_again(outbox);
    assert_non_null(strstr(logged, "can be written again"));
    assert_int_equal(count_files("outbox"), 2);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        T(the_oldest_is_first_also_after_a_restart),
        T(it_leaves_when_all_channels_have_acknowledged),
        T(the_list_of_channels_has_a_ceiling),
        T(what_a_channel_refuses_is_kept_with_the_reason),
        T(reminders_are_given_up_first_and_then_the_oldest),
        T(one_that_is_too_big_for_a_file_waits_in_memory),
        T(damaged_files_are_moved_away_and_named),
        T(names_that_are_none_are_moved_away_and_others_left_alone),
        T(what_cannot_be_read_stays_and_is_read_later),
        T(what_cannot_be_removed_is_removed_later),
        T(a_probe_that_cannot_be_removed_is_swept),
        T(a_full_disk_is_well_again_only_once_an_alert_is_written),
        T(what_was_written_with_an_error_is_written_again_and_removed),
        T(a_directory_that_is_none_is_an_error_and_one_that_goes_is_made_again),
#undef T
    };

    return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
