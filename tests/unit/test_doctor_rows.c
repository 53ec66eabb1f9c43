/* SPDX-License-Identifier: Apache-2.0 */
/* What `check --doctor` says of a pass and of the guard's own users and roles, as people read it:
 * tests/golden/shown.doctor.pass.txt. test_doctor_texts.py has the rows that need calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/cli/doctor.h"
#include "daemon/core/enum_names.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "tests/unit/doctor_shown.h"
#include "tests/unit/golden_file.h"

#define MAIN    "111122223333"
#define MEMBER  "444455556666"
#define USER    "arn:aws:iam::111122223333:user/guard"
#define ROLE    "arn:aws:iam::444455556666:role/TrailGuard"
#define SESSION "arn:aws:sts::444455556666:assumed-role/TrailGuard/trailguard-host"
#define TOPIC   "sns:arn:aws:sns:eu-central-1:111122223333:trailguard"
#define MANY    21 /* one more than are shown one by one */
#define DAY     (86400 * USEC_PER_SEC)

static void write_page(StrBuf *golden, const char *title, Doctor *doctor) {
    int status = doctor_shown(doctor, false, false);

    (void)strbuf_addf(golden, "%s== %s\n%sexit status %d\n", golden->len > 0 ? "\n" : "", title, doctor_text,
                      status);
    doctor_done(doctor);
}

static void write_status(StrBuf *golden, const char *title, const Status *status) {
    Doctor doctor = { 0 };

    doctor_status(&doctor, status);
    write_page(golden, title, &doctor);
}

/* Only the lines that count. */
static void write_counted(StrBuf *golden, const char *title, Doctor *doctor, const char *mark) {
    char *rest = doctor_text;

    (void)doctor_shown(doctor, false, false);
    (void)strbuf_addf(golden, "\n== %s\n", title);
    for (const char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
        if (strstr(line, mark))
            (void)strbuf_addf(golden, "%s\n", line);
    doctor_done(doctor);
}

/* ---- a pass ---- */

#define ABOUT(name, region)                                                                                 \
    { (name), "arn", MAIN, (region) }

static void add_small(StrBuf *golden) {
    TrailState logging = { .known = true, .verdict = VERDICT_LOGGING };
    TargetState polled = { .ever_reachable = true };
    StatusTarget target = { .subject = ABOUT("", "eu-central-1"), .state = &polled };
    StatusTrail trail = { .subject = ABOUT("org-trail", "eu-central-1"),
                          .state = &logging,
                          .has_baseline = true };
    StatusChannel channel = { .channel = TOPIC, .text = "", .check = "1 confirmed subscription" };
    Status status = { .targets = &target,
                      .n_targets = 1,
                      .trails = &trail,
                      .n_trails = 1,
                      .channels = &channel,
                      .n_channels = 1,
                      .record_problem = "",
                      .organization_error = "" };

    write_status(golden, "one trail in one region", &status);
    trail.has_baseline = false;
    status.n_ignored = 2;
    write_status(golden, "no baseline yet, and two trails ignored", &status);
}

static void add_all_wrong(StrBuf *golden) {
    TargetState off = { .not_enabled = true }, denied = { .unreachable = true },
                closed = { .unreachable = true }, silent = { .unreachable = true },
                bare = { .ever_reachable = true, .cover = { .open = true } }, lost = { .unreachable = true };
    TrailState stopped = { .known = true, .verdict = VERDICT_STOPPED },
               dark = { .known = true, .verdict = VERDICT_UNKNOWN };
    StatusTarget targets[] = { { .subject = ABOUT("", "af-south-1"), .state = &off },
                               { .subject = ABOUT("", "us-east-1"), .state = &denied },
                               { .subject = ABOUT("", "eu-south-1"), .state = &closed },
                               { .subject = ABOUT("", "eu-west-1"), .state = &silent },
                               { .subject = ABOUT("", "us-west-2"), .state = &bare } };
    StatusTrail trails[] = {
        { .subject = ABOUT("new", "us-west-2"), .state = &stopped, .provisional = true },
        { .subject = ABOUT("torn", "us-east-1"), .state = &dark, .baseline_unreadable = true },
    };
    StatusAccount accounts[] = {
        { .id = MEMBER, .name = "", .role_arn = ROLE, .identity = SESSION, .state = &bare },
        { .id = "",
          .name = "",
          .role_arn = "arn:aws:iam::777788889999:role/Lost",
          .identity = "",
          .state = &lost },
        { .id = "777788889999", .name = "", .role_arn = ROLE, .identity = "", .state = &lost, .left = true },
    };
    StatusChannel channels[] = {
        { .channel = "sns:a", .text = "", .check = "not checked: denied" },
        { .channel = "sns:b",
          .text = "Publish: NotFound: Topic does not exist",
          .failed = true,
          .check = "gone" },
        { .channel = "sns:c",
          .text = "",
          .unheard = true,
          .check = "the topic has no confirmed subscription; 1 waits for confirmation" },
    };
    Status status = { .targets = targets,
                      .n_targets = ARRAY_SIZE(targets),
                      .trails = trails,
                      .n_trails = ARRAY_SIZE(trails),
                      .accounts = accounts,
                      .n_accounts = ARRAY_SIZE(accounts),
                      .channels = channels,
                      .n_channels = ARRAY_SIZE(channels),
                      .record_problem = "/var/lib/trailguard/state.json: Permission denied",
                      .has_organization = true,
                      .organization_error = "ListAccounts: AccessDeniedException" };

    (void)text_copy(denied.error_text, sizeof(denied.error_text),
                    "DescribeTrails: AccessDenied: with an explicit deny in a service control policy");
    (void)text_copy(closed.error_text, sizeof(closed.error_text),
                    "DescribeTrails: UnrecognizedClientException (GetRegionOptStatus: DISABLED)");
    silent.error = POLL_UNREACHABLE;
    (void)text_copy(lost.error_text, sizeof(lost.error_text), "AssumeRole: AccessDenied");
    write_status(golden, "all that can be wrong", &status);
}

static void add_no_trails(StrBuf *golden) {
    TargetState polled = { .ever_reachable = true }, silent = { .unreachable = true };
    StatusTarget target = { .subject = ABOUT("", "eu-central-1"), .state = &polled };
    Status status = { .targets = &target, .n_targets = 1, .record_problem = "", .organization_error = "" };

    write_status(golden, "no trail, and no channel", &status);
    target.state = &silent;
    for (PollError error = POLL_DENIED; error < POLL_GONE; error++) {
        silent.error = error;
        (void)snprintf(silent.error_text, sizeof(silent.error_text), "DescribeTrails: %s",
                       poll_error_to_string(error));
        write_status(golden, "no trail where AWS answered", &status);
    }
}

static void add_many(StrBuf *golden) {
    TrailState stopped = { .known = true, .verdict = VERDICT_STOPPED },
               dark = { .known = true, .verdict = VERDICT_UNKNOWN },
               well = { .known = true, .verdict = VERDICT_LOGGING };
    TargetState polled = { .ever_reachable = true }, silent = { .unreachable = true };
    StatusTrail trails[3 * MANY];
    StatusTarget targets[2 * MANY];
    StatusAccount accounts[MANY];
    Doctor doctor = { 0 };
    Status status = { .trails = trails,
                      .n_trails = ARRAY_SIZE(trails),
                      .targets = targets,
                      .n_targets = ARRAY_SIZE(targets),
                      .accounts = accounts,
                      .n_accounts = ARRAY_SIZE(accounts),
                      .record_problem = "",
                      .organization_error = "" };

    for (size_t i = 0; i < ARRAY_SIZE(trails); i++)
        trails[i] = (StatusTrail){ .subject = ABOUT("main", "eu-central-1"),
                                   .state = i < MANY       ? &stopped
                                            : i < 2 * MANY ? &dark
                                                           : &well,
                                   .has_baseline = i >= MANY };
    for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
        targets[i] = (StatusTarget){ .subject = ABOUT("", "eu-central-1"),
                                     .state = i < MANY ? &silent : &polled };
    for (size_t i = 0; i < ARRAY_SIZE(accounts); i++)
        accounts[i] = (StatusAccount){
            .id = MEMBER, .name = "", .role_arn = ROLE, .identity = SESSION, .state = &polled
        };
    doctor_status(&doctor, &status);
    write_counted(golden, "more of each kind than are shown one by one", &doctor, ": 1");
}

/* ---- the guard's own users and roles ---- */

static void write_found(StrBuf *golden, const char *title, PrincipalFound *found) {
    Doctor doctor = { 0 };

    (void)text_copy(found->arn, sizeof(found->arn), found->trust ? ROLE : USER);
    doctor_protection(&doctor, found, 1000 * DAY);
    write_page(golden, title, &doctor);
}

static void add_protection(StrBuf *golden) {
    char none[] = "", boundary[] = "arn:aws:iam::444455556666:policy/Boundary";
    char narrow[] = "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\","
                    "\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:user/guard\"}}]}";
    char wide[] =
            "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\",\"Principal\":\"*\"}]}";
    const GuardParts keys = { .kinds = GUARD_PART_BIT(GUARD_PART_KEY) };

    write_found(golden, "a role that is well protected",
                &(PrincipalFound){ .trust = narrow, .boundary = boundary });
    write_found(
            golden, "a role that anyone may assume",
            &(PrincipalFound){ .trust = wide, .boundary = none, .unread = "GetRolePolicy: AccessDenied" });
    write_found(golden, "a user with two keys, an old one among them",
                &(PrincipalFound){ .parts = keys,
                                   .keys = { { "AKIAIOSFODNN7EXAMPLE", true, 800 * DAY },
                                             { "AKIAI44QH8DHBEXAMPLE", true, 990 * DAY } },
                                   .n_keys = 2 });
    write_found(golden, "a user with one key",
                &(PrincipalFound){ .parts = keys,
                                   .keys = { { "AKIAI44QH8DHBEXAMPLE", true, 990 * DAY } },
                                   .n_keys = 1 });
    write_found(golden, "a user without a key", &(PrincipalFound){ .parts = keys });
}

static void add_too_many_rows(StrBuf *golden) {
    Doctor doctor = { 0 };

    for (size_t i = 0; i <= DOCTOR_ROWS_MAX; i++)
        doctor_add(&doctor, DOCTOR_RIGHTS, DOCTOR_OK, NULL, "row");
    write_counted(golden, "more rows than are kept", &doctor, "1000");
}

static void each_row_is_golden(void **state _unused_) {
    StrBuf golden = STRBUF_INIT(GOLDEN_TEXT_LEN);

    add_small(&golden);
    add_all_wrong(&golden);
    add_no_trails(&golden);
    add_many(&golden);
    add_protection(&golden);
    add_too_many_rows(&golden);
    if (golden_check("shown.doctor.pass.txt", &golden) != 0)
        assert_true(golden_updates());
    strbuf_done(&golden);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_row_is_golden) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
