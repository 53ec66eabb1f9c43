/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/cli/doctor.h"
#include "lib/util/macros.h"
#include "tests/unit/doctor_shown.h"

static void the_worst_row_is_the_exit_status(void **state _unused_) {
    static const struct {
        DoctorState rows[3];
        int status;
        const char *sum;
    } cases[] = {
        { { DOCTOR_OK, DOCTOR_OK, DOCTOR_OK }, 0, "3 ok\n" },
        { { DOCTOR_OK, DOCTOR_NOTE, DOCTOR_NOTE }, 0, "2 notes, 1 ok\n" },
        { { DOCTOR_WARNING, DOCTOR_OK, DOCTOR_NOTE }, 1, "1 warning, 1 note, 1 ok\n" },
        { { DOCTOR_UNKNOWN, DOCTOR_WARNING, DOCTOR_UNKNOWN }, 3, "2 unknown, 1 warning\n" },
        { { DOCTOR_PROBLEM, DOCTOR_UNKNOWN, DOCTOR_PROBLEM }, 2, "2 problems, 1 unknown\n" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Doctor doctor = { 0 };

        for (size_t k = 0; k < 3; k++)
            doctor_add(&doctor, DOCTOR_CLOCK, cases[i].rows[k], NULL, "row %zu", k);
        assert_int_equal(doctor_shown(&doctor, false, false), cases[i].status);
        assert_non_null(strstr(doctor_text, cases[i].sum));
        assert_int_equal(doctor_shown(&doctor, true, false), cases[i].status);
        doctor_done(&doctor);
    }
}

static void rows_stand_in_groups(void **state _unused_) {
    Doctor doctor = { 0 };

    doctor_add(&doctor, DOCTOR_TRAILS, DOCTOR_OK, NULL, "2 trails log");
    doctor_add(&doctor, DOCTOR_CONFIGURATION, DOCTOR_PROBLEM, "correct it\n", "%s",
               "bad \033[31mname\033[0m");
    doctor_add(&doctor, DOCTOR_TRAILS, DOCTOR_WARNING, NULL, "another");
    assert_int_equal(doctor_shown(&doctor, false, false), 2);
    assert_string_equal(doctor_text, "configuration\n"
                                     "  problem  bad \\x1b[31mname\\x1b[0m\n"
                                     "           -> correct it\\x0a\n"
                                     "trails\n"
                                     "  ok       2 trails log\n"
                                     "  warning  another\n"
                                     "\n"
                                     "1 problem, 1 warning, 1 ok\n");
    (void)doctor_shown(&doctor, false, true);
    assert_non_null(strstr(doctor_text, "  \033[31mproblem \033[0m bad"));
    doctor_done(&doctor);
    assert_int_equal(doctor.n, 0);
}

/* Rows that are not there are no proof that all is well. */
static void there_is_a_ceiling(void **state _unused_) {
    Doctor doctor = { 0 };

    for (size_t i = 0; i <= DOCTOR_ROWS_MAX; i++)
        doctor_add(&doctor, DOCTOR_RIGHTS, DOCTOR_OK, NULL, "row");
    assert_int_equal(doctor.n, DOCTOR_ROWS_MAX);
    assert_int_equal(doctor_shown(&doctor, false, false), 3);
    assert_non_null(strstr(doctor_text, "1000 ok; not all lines are here: out of memory, or too many\n"));
    doctor_done(&doctor);
}

/* ---- rows of a status ---- */

static const DoctorRow *row_of(const Doctor *doctor, DoctorGroup group, const char *text) {
    for (size_t i = 0; i < doctor->n; i++)
        if (doctor->rows[i].group == group && strstr(doctor->rows[i].text, text))
            return &doctor->rows[i];
    fail_msg("no row: %s", text);
    return NULL;
}

static void many_of_a_kind_are_counted(void **state _unused_) {
    enum { N = 300 };
    TrailState dark = { .known = true, .verdict = VERDICT_UNKNOWN };
    TrailState well = { .known = true, .verdict = VERDICT_LOGGING },
               stopped = { .known = true, .verdict = VERDICT_STOPPED };
    TargetState polled = { .ever_reachable = true };
    StatusTrail *trails = calloc(N, sizeof(*trails));
    StatusTarget *targets = calloc(N, sizeof(*targets));
    StatusAccount *accounts = calloc(N, sizeof(*accounts));
    Status status = {
        .trails = trails,
        .n_trails = N,
        .targets = targets,
        .n_targets = N,
        .accounts = accounts,
        .n_accounts = N,
        .record_problem = "",
        .organization_error = "",
    };
    Doctor doctor = { 0 };

    for (size_t i = 0; i < N; i++) {
        trails[i] = (StatusTrail){ .subject = { "main", "arn", "111122223333", "eu-central-1" },
                                   .state = i < 100   ? &stopped
                                            : i < 130 ? &dark
                                                      : &well,
                                   .has_baseline = i % 2 };
        targets[i] =
                (StatusTarget){ .subject = { "", "", "111122223333", "eu-central-1" }, .state = &polled };
        accounts[i] = (StatusAccount){ .id = "111122223333",
                                       .name = "",
                                       .role_arn = "arn:aws:iam::111122223333:role/x",
                                       .identity = "arn:aws:sts::111122223333:assumed-role/x/y",
                                       .state = &polled };
    }
    doctor_status(&doctor, &status);
    assert_true(doctor.n < 80);
    assert_int_equal(row_of(&doctor, DOCTOR_TRAILS, "more that are unknown: 10")->state, DOCTOR_UNKNOWN);
    assert_int_equal(row_of(&doctor, DOCTOR_TRAILS, "more that are not well: 80")->state, DOCTOR_PROBLEM);
    assert_int_equal(row_of(&doctor, DOCTOR_TRAILS, "170 trails log")->state, DOCTOR_OK);
    assert_int_equal(row_of(&doctor, DOCTOR_IDENTITY, "more roles that can be assumed: 280")->state,
                     DOCTOR_OK);
    assert_int_equal(row_of(&doctor, DOCTOR_REGIONS, "300 regions are polled")->state, DOCTOR_OK);
    assert_int_equal(row_of(&doctor, DOCTOR_BASELINES, "150 trails have a baseline")->state, DOCTOR_OK);
    assert_int_equal(row_of(&doctor, DOCTOR_CHANNELS, "no channel is configured")->state, DOCTOR_WARNING);
    doctor_done(&doctor);
    free(trails);
    free(targets);
    free(accounts);
}

/* What an installation in one account lacks is no reason to fail; and what is read one by one is not said
 * twice. */
static void what_protects_the_guard(void **state _unused_) {
    ProtectionFacts facts = { .principal = "arn:aws:iam::111122223333:user/guard",
                              .account = "111122223333",
                              .account_guarded = true };
    Doctor doctor = { 0 };

    doctor_protection_of_guard(&doctor, &facts);
    assert_int_equal(row_of(&doctor, DOCTOR_PROTECTION, "which it guards")->state, DOCTOR_NOTE);
    assert_int_equal(row_of(&doctor, DOCTOR_PROTECTION, "permissions boundary")->state, DOCTOR_NOTE);
    assert_int_equal(doctor_shown(&doctor, false, false), 0);
    assert_null(strstr(doctor_text, "heartbeat"));
    doctor_done(&doctor);

    facts.guard_checks = true;
    doctor_protection_of_guard(&doctor, &facts);
    assert_int_equal(row_of(&doctor, DOCTOR_PROTECTION, "guard_checks is on")->state, DOCTOR_OK);
    (void)doctor_shown(&doctor, false, false);
    assert_null(strstr(doctor_text, "boundary"));
    assert_null(strstr(doctor_text, "service control"));
    doctor_done(&doctor);
}

static void what_is_wrong_says_what_to_do(void **state _unused_) {
    TargetState off = { .not_enabled = true }, denied = { .unreachable = true },
                bare = { .ever_reachable = true, .cover = { .open = true } }, lost = { .unreachable = true };
    TrailState new = { .known = true, .verdict = VERDICT_LOGGING, .provisional = true };
    StatusTarget targets[] = { { .subject = { "", "", "111122223333", "af-south-1" }, .state = &off },
                               { .subject = { "", "", "111122223333", "us-east-1" }, .state = &denied },
                               { .subject = { "", "", "111122223333", "us-west-2" }, .state = &bare } };
    StatusTrail trails[] = {
        { .subject = { "new", "arn", "111122223333", "us-west-2" }, .state = &new, .provisional = true },
        { .subject = { "torn", "arn", "111122223333", "us-west-2" },
          .state = &new,
          .baseline_unreadable = true }
    };
    StatusAccount account = {
        .id = "", .name = "", .role_arn = "arn:aws:iam::444455556666:role/x", .identity = "", .state = &lost
    };
    StatusChannel channels[] = {
        { .channel = "sns:a", .text = "", .check = "not checked: denied" },
        { .channel = "sns:b", .text = "gone", .failed = true, .check = "gone" },
        { .channel = "sns:c", .text = "", .unheard = true, .check = "no subscription" }
    };
    Status status = { .targets = targets,
                      .n_targets = 3,
                      .trails = trails,
                      .n_trails = 2,
                      .accounts = &account,
                      .n_accounts = 1,
                      .channels = channels,
                      .n_channels = 3,
                      .record_problem = "x: Permission denied",
                      .has_organization = true,
                      .organization_error = "ListAccounts: denied" };
    Doctor doctor = { 0 };

    snprintf(denied.error_text, sizeof(denied.error_text),
             "with an explicit deny in a service control policy");
    snprintf(lost.error_text, sizeof(lost.error_text), "AssumeRole: denied");
    doctor_status(&doctor, &status);
    assert_int_equal(row_of(&doctor, DOCTOR_REGIONS, "not polled: af-south-1")->state, DOCTOR_NOTE);
    assert_non_null(
            strstr(row_of(&doctor, DOCTOR_REGIONS, "denied by a service control policy: with")->advice,
                   "exempt the guard"));
    assert_int_equal(row_of(&doctor, DOCTOR_REGIONS, "no trail records in us-west-2")->state,
                     DOCTOR_WARNING);
    assert_string_equal(row_of(&doctor, DOCTOR_BASELINES, "not accepted by anyone: new")->advice,
                        "if it is yours: trailguard accept NAME");
    assert_int_equal(row_of(&doctor, DOCTOR_BASELINES, "not readable: torn")->state, DOCTOR_PROBLEM);
    assert_int_equal(row_of(&doctor, DOCTOR_BASELINES, "Permission denied")->state, DOCTOR_PROBLEM);
    assert_non_null(strstr(row_of(&doctor, DOCTOR_IDENTITY, "cannot be reached: AssumeRole: denied")->advice,
                           "trailguard policy guard"));
    assert_int_equal(row_of(&doctor, DOCTOR_IDENTITY, "cannot be listed: ListAccounts")->state,
                     DOCTOR_PROBLEM);
    assert_int_equal(row_of(&doctor, DOCTOR_CHANNELS, "sns:a: not checked")->state, DOCTOR_UNKNOWN);
    assert_int_equal(row_of(&doctor, DOCTOR_CHANNELS, "sns:b: gone")->state, DOCTOR_PROBLEM);
    assert_int_equal(row_of(&doctor, DOCTOR_CHANNELS, "sns:c: no subscription")->state, DOCTOR_PROBLEM);
    doctor_done(&doctor);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_row_is_the_exit_status),
        cmocka_unit_test(rows_stand_in_groups),
        cmocka_unit_test(there_is_a_ceiling),
        cmocka_unit_test(many_of_a_kind_are_counted),
        cmocka_unit_test(what_protects_the_guard),
        cmocka_unit_test(what_is_wrong_says_what_to_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
