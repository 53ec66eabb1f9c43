/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's view as one line and as status.json, and the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>

#include "daemon/io/report.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"

static TrailState states[_VERDICT_MAX];

static StatusTrail trail_of(Verdict verdict, const char *name) {
    states[verdict].verdict = verdict;
    return (StatusTrail){ .subject = { name, "arn", "111122223333", "eu-central-1" },
                          .state = &states[verdict],
                          .incident_id = "" };
}

static void assert_line(const Status *status, const char *expected) {
    char line[STATUS_LINE_MAX];

    assert_string_equal(report_status_line(status, line), expected);
}

static void the_line_says_what_is_bad(void **state _unused_) {
    const StatusTrail trails[] = { trail_of(VERDICT_LOGGING, "a"), trail_of(VERDICT_STOPPED, "b"),
                                   trail_of(VERDICT_STOPPED, "c"), trail_of(VERDICT_STOPPED, "d"),
                                   trail_of(VERDICT_STOPPED, "e") };
    const TargetState well = { .ever_reachable = true }, unreachable = { .unreachable = true },
                      unlisted = { .list_unreadable = true }, off = { .not_enabled = true };
    const StatusTarget targets[] = {
        { .subject = { "", "", "1", "eu-central-1" }, .state = &well },
        { .subject = { "", "", "2", "eu-central-1" }, .state = &unlisted },
        { .subject = { "", "", "1", "us-east-1" }, .state = &unreachable },
        { .subject = { "", "", "3", "" }, .state = &unreachable },
        { .subject = { "", "", "1", "me-south-1" }, .state = &off },
    };
    const StatusAccount accounts[] = { { .id = "1" }, { .id = "2", .left = true } };
    const StatusChannel channels[] = { { .failed = true }, { .unheard = true } };
    Status status = { .n_passes = 1,
                      .pass_duration_usec = 310000,
                      .trails = trails,
                      .n_trails = 2,
                      .targets = targets,
                      .n_targets = 1,
                      .accounts = accounts,
                      .n_accounts = 1 };

    assert_line(&(Status){ 0 }, "starting: waiting for the first pass");
    assert_line(&(Status){ .problem = "no keys\nSTATUS=well" }, "unreachable: no keys\\x0aSTATUS=well");
    assert_line(
            &status,
            "guarding 2 trails, 1 region, 1 account: 1 logging, 1 stopped (b eu-central-1); pass 0.31 s");
    status.n_trails = 5;
    status.n_targets = 5;
    status.n_accounts = 2;
    status.channels = channels;
    status.n_channels = 2;
    status.outbox_depth = 1;
    status.directory_problem = "no directory";
    assert_line(
            &status,
            "guarding 5 trails, 2 regions, 1 account: 1 logging, 4 stopped (b eu-central-1, c eu-central-1, "
            "d eu-central-1 and 1 more); unreachable: us-east-1 of 1, account 3; trails cannot be listed in "
            "eu-central-1; pass 0.31 s; no directory; 1 of 2 channels failed; nobody receives alerts "
            "through 1 of 2 channels; 1 alert waiting");
}

static void the_line_has_a_ceiling(void **state _unused_) {
    char name[400], line[STATUS_LINE_MAX];
    StatusTrail trails[3];

    memset(name, '\x1b', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(trails); i++)
        trails[i] = trail_of(VERDICT_STOPPED, name);
    (void)report_status_line(&(Status){ .n_passes = 1, .trails = trails, .n_trails = 3 }, line);
    assert_int_equal(strlen(line), STATUS_LINE_MAX - 1);
    assert_null(strchr(line, '\x1b'));
}

/* ---- status.json ---- */

static json_t *document(const Status *status) {
    json_t *root;
    char *text;

    assert_int_equal(report_status_json(status, &text), 0);
    root = json_loads(text, 0, NULL);
    assert_non_null(root);
    free(text);
    return root;
}

static void what_is_not_there_is_null_or_empty(void **state _unused_) {
    static const char *const null[] = { "problem", "organization", "state_directory" };
    static const char *const empty[] = { "accounts", "trails", "ignored", "targets", "channels" };
    json_t *root = document(&(Status){ .version = "1", .pid = 1 });

    for (size_t i = 0; i < ARRAY_SIZE(null); i++)
        assert_true(json_is_null(json_object_get(root, null[i])));
    for (size_t i = 0; i < ARRAY_SIZE(empty); i++) {
        assert_true(json_is_array(json_object_get(root, empty[i])));
        assert_int_equal(json_array_size(json_object_get(root, empty[i])), 0);
    }
    assert_true(json_is_null(json_object_get(json_object_get(root, "pass"), "ended")));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(root, "outbox"), "depth")), 0);
    json_decref(root);
}

static void a_trail_that_is_well_has_no_incident(void **state _unused_) {
    const StatusTrail trail = trail_of(VERDICT_LOGGING, "a\xff");
    json_t *root = document(&(Status){ .version = "1", .trails = &trail, .n_trails = 1 });
    const json_t *row = json_array_get(json_object_get(root, "trails"), 0);

    assert_true(json_is_null(json_object_get(row, "incident")));
    assert_true(json_is_null(json_object_get(row, "start_logging")));
    assert_true(json_is_false(json_object_get(row, "baseline")));
    assert_string_equal(json_string_value(json_object_get(row, "name")), "a?");
    assert_string_equal(json_string_value(json_object_get(row, "verdict")), "logging");
    json_decref(root);
}

/* What differed before, and does not now, is no change; a long value is cut; not set is null. */
static void changes_are_those_that_differ_now(void **state _unused_) {
    char longer[400];
    Drift changes = {
        .changes = { { .field = FIELD_BUCKET, .expected = longer, .actual = (char *)"" },
                     { .field = FIELD_PREFIX, .expected = (char *)"a", .actual = (char *)"b" } },
        .n = 2
    };
    StatusTrail trail = trail_of(VERDICT_WEAKENED, "a");
    TrailState weakened = { .verdict = VERDICT_WEAKENED,
                            .fields = FIELD_BIT(FIELD_BUCKET),
                            .incident = { .open = true, .event = EVENT_REGION_COVERED } };
    json_t *root, *list, *incident;

    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    trail.state = &weakened;
    trail.changes = &changes;
    root = document(&(Status){ .version = "1", .trails = &trail, .n_trails = 1 });
    incident = json_object_get(json_array_get(json_object_get(root, "trails"), 0), "incident");
    list = json_object_get(incident, "changes");
    assert_int_equal(json_array_size(list), 1);
    assert_true(json_is_null(json_object_get(json_array_get(list, 0), "actual")));
    assert_int_equal(json_string_length(json_object_get(json_array_get(list, 0), "expected")), 256 + 3);
    assert_true(json_is_null(json_object_get(incident, "failure")));
    assert_true(json_is_null(json_object_get(incident, "actor")));
    assert_int_equal(json_array_size(json_object_get(incident, "attack")), 0);
    json_decref(root);
}

static void the_state_of_a_target_and_of_an_account_is_one_word(void **state _unused_) {
    static const struct {
        TargetState state;
        const char *word;
    } rows[] = {
        { { .not_enabled = true, .unreachable = true }, "not enabled" },
        { { .unreachable = true, .n_failed = 5 }, "unreachable" },
        { { .n_failed = 1, .list_unreadable = true }, "failing" },
        { { .list_unreadable = true, .ever_reachable = true, .list_error_text = "denied" },
          "list unreadable" },
        { { .ever_reachable = true }, "well" },
        { { 0 }, "unknown" },
    };
    static const StatusAccount accounts[] = {
        { .id = "", .name = "", .role_arn = "", .identity = "arn", .left = true, .state = &rows[5].state },
        { .id = "",
          .name = "",
          .role_arn = "",
          .identity = "arn",
          .blocked = true,
          .state = &rows[5].state },
        { .id = "", .name = "", .role_arn = "", .identity = "arn", .state = &rows[5].state },
        { .id = "", .name = "", .role_arn = "", .identity = "", .state = &rows[5].state },
    };
    static const char *const words[] = { "left", "unreachable", "well", "unknown" };
    StatusTarget targets[ARRAY_SIZE(rows)];
    const json_t *list;
    json_t *root;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        targets[i] =
                (StatusTarget){ .subject = { "", "", "1", "r" }, .state = &rows[i].state, .identity = "" };
    root = document(&(Status){ .version = "1",
                               .targets = targets,
                               .n_targets = ARRAY_SIZE(targets),
                               .accounts = accounts,
                               .n_accounts = ARRAY_SIZE(accounts) });
    list = json_object_get(root, "targets");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_string_equal(json_string_value(json_object_get(json_array_get(list, i), "state")),
                            rows[i].word);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 3), "error")), "denied");
    assert_true(json_is_null(json_object_get(json_array_get(list, 3), "poll_interval")));
    list = json_object_get(root, "accounts");
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        assert_string_equal(json_string_value(json_object_get(json_array_get(list, i), "state")), words[i]);
    json_decref(root);
}

static void the_guard_itself_is_in_it(void **state _unused_) {
    ContainHold holds[] = { { .arn = "arn:aws:iam::111122223333:role/$(reboot)/Admin",
                              .account = "111122223333",
                              .reason = "a war",
                              .since_usec = USEC_PER_SEC,
                              .held = true,
                              .policy = "TrailGuardContain" },
                            { .arn = "arn:aws:iam::111122223333:user/bob",
                              .account = "111122223333",
                              .since_usec = USEC_PER_SEC,
                              .error = "denied" } };
    GuardRecord records[] = { { .arn = "arn:aws:iam::111122223333:user/guard", .simulated = true },
                              { .arn = "arn:aws:iam::444455556666:role/TrailGuard",
                                .lost_usec = USEC_PER_SEC,
                                .severity = SEVERITY_CRITICAL,
                                .n_lost_now = 2,
                                .lost = "a\033, b" } };
    Status status = { .holds = holds,
                      .n_holds = 2,
                      .n_contained = 2,
                      .guard = records,
                      .n_guard = 2,
                      .n_rights_lost = 2,
                      .n_passes = 1 };
    json_t *d = document(&status), *contained = json_object_get(d, "contained"),
           *lost = json_object_get(d, "rights_lost");
    char line[STATUS_LINE_MAX];

    assert_int_equal(json_array_size(contained), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(contained, 0), "state")),
                        "contained");
    /* a path may have what a shell would run, a name may not */
    assert_string_equal(json_string_value(json_object_get(json_array_get(contained, 0), "release")),
                        "sudo trailguard release --account 111122223333 role/Admin");
    assert_string_equal(json_string_value(json_object_get(json_array_get(contained, 1), "state")),
                        "not contained yet");
    assert_int_equal(json_array_size(lost), 1); /* the other one has all of its rights */
    assert_string_equal(json_string_value(json_object_get(json_array_get(lost, 0), "account")),
                        "444455556666");
    assert_string_equal(json_string_value(json_object_get(json_array_get(lost, 0), "text")), "a\\x1b, b");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(lost, 0), "count")), 2);
    assert_non_null(strstr(report_status_line(&status, line),
                           "; the guard lacks 2 rights; 2 identities are contained"));
    json_decref(d);
}

static void the_file_can_be_read_by_all(void **state _unused_) {
    char dir[] = "/tmp/test_status.XXXXXX", path[64];
    struct stat st;

    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/status.json", dir);
    assert_int_equal(report_status_write(&(Status){ .version = "1" }, dir), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
    assert_int_equal(report_status_write(&(Status){ .version = "1" }, dir), -ENOENT);
}

/* Each STATUS= wakes the service manager: how long a pass took is said again only when it matters. */
static void systemd_hears_only_of_what_has_changed(void **state _unused_) {
    static const struct {
        const char *line;
        bool sent;
    } rows[] = {
        { "guarding 2 trails: 2 logging; pass 0.31 s", true },
        { "guarding 2 trails: 2 logging; pass 0.31 s", false },
        { "guarding 2 trails: 2 logging; pass 1.30 s", false },
        { "guarding 2 trails: 2 logging; pass 1.31 s", true },
        { "guarding 2 trails: 2 logging; pass 0.32 s", false },
        { "guarding 2 trails: 1 logging, 1 stopped (b); pass 0.32 s", true },
        { "guarding 2 trails: 1 logging, 1 stopped (b); pass 0.32 s; 1 alert waiting", true },
        { "unreachable: no keys", true },
        { "unreachable: no keys", false },
        { "guarding 2 trails: 2 logging; pass 0.31 s", true },
    };
    char dir[] = "/tmp/test_status.XXXXXX", got[STATUS_LINE_MAX + 16], wanted[STATUS_LINE_MAX + 16];
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_non_null(mkdtemp(dir));
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", dir);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        ssize_t len;

        report_systemd_status(rows[i].line);
        len = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);
        if ((len >= 0) != rows[i].sent)
            fail_msg("row %zu: %zd", i, len);
        if (len < 0)
            continue;
        got[len] = '\0';
        (void)snprintf(wanted, sizeof(wanted), "STATUS=%s", rows[i].line);
        assert_string_equal(got, wanted);
    }
    assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
    (void)close(fd);
    assert_int_equal(unlink(address.sun_path), 0);
    assert_int_equal(rmdir(dir), 0);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_says_what_is_bad),
        cmocka_unit_test(the_line_has_a_ceiling),
        cmocka_unit_test(what_is_not_there_is_null_or_empty),
        cmocka_unit_test(a_trail_that_is_well_has_no_incident),
        cmocka_unit_test(changes_are_those_that_differ_now),
        cmocka_unit_test(the_state_of_a_target_and_of_an_account_is_one_word),
        cmocka_unit_test(the_guard_itself_is_in_it),
        cmocka_unit_test(the_file_can_be_read_by_all),
        cmocka_unit_test(systemd_hears_only_of_what_has_changed),
    };

    return cmocka_run_group_tests_name("report_status", tests, NULL, NULL);
}
