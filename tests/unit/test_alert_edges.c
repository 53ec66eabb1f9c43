/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences of alerts for what comes seldom, each with the value that decides about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/alert_private.h"
#include "daemon/core/settings.h"
#include "lib/util/text.h"
#include "tests/unit/alert_check.h"

#define PREFIX   FIELD_BIT(FIELD_PREFIX)
#define STOPPED_ FINDING_BIT(FINDING_STOPPED)

static const Subject account = { "", "", ACCOUNT, "" };

typedef struct Row {
    const char *name;
    const Subject *subject;
    Event event;
    const char *says;     /* in the mail or the subject */
    const char *says_not; /* NULL: nothing */
} Row;

static void check(const Row *row) {
    Alert alert = compose(row->subject, &row->event);

    if (row->says && !says(alert.text, row->says) && !strstr(alert.subject, row->says))
        fail_msg("%s: no \"%s\" in %s\n%s", row->name, row->says, alert.subject, alert.text);
    if (row->says_not && (says(alert.text, row->says_not) || strstr(alert.subject, row->says_not)))
        fail_msg("%s: \"%s\" in %s\n%s", row->name, row->says_not, alert.subject, alert.text);
    check_subject(alert.subject);
    check_subject(alert.sms);
    check_text(alert.text);
    alert_done(&alert);
}

#define UNREACHABLE(...)                                                                                    \
    EVENT(EVENT_TARGET_UNREACHABLE, PHASE_OPENED, SEVERITY_WARNING, .mode = MODE_RESTART,                   \
          .findings = FINDING_BIT(FINDING_UNREACHABLE), .about = FINDING_BIT(FINDING_UNREACHABLE),          \
          .error = POLL_DENIED, .n_failed = 3, __VA_ARGS__)

static void what_is_tried_without_a_poll(void **state _unused_) {
    static const Row rows[] = {
        { "not ours", &trail, UNREACHABLE(.protected = true, .n_unpolled_restarts = 2), NULL,
          "StartLogging" },
        { "may not", &trail, UNREACHABLE(.may_act = false), NULL, "StartLogging" },
        { "will", &trail, UNREACHABLE(.may_act = true),
          "In case the trail is stopped, it sends StartLogging", NULL },
        { "did", &trail, UNREACHABLE(.may_act = true, .n_unpolled_restarts = 2, .unpolled_accepted = true),
          "it has sent StartLogging 2 times, every 30 s. AWS accepted the last one.", NULL },
        { "did, and may not any more", &trail, UNREACHABLE(.n_unpolled_restarts = 1),
          "it has sent StartLogging 1 time, every 30 s. AWS did not accept the last one.", NULL },
        { "a region", &target, UNREACHABLE(.may_act = false),
          "In case trails are stopped, it sends StartLogging", NULL },
        { "an account", &account, UNREACHABLE(.may_act = false), NULL, "StartLogging" },
        { "nowhere", &nobody, UNREACHABLE(.may_act = false), "an unknown region", "()" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check(&rows[i]);
}

static void a_gap_whose_begin_is_not_known(void **state _unused_) {
    static const Row rows[] = {
        { "begin and end", &trail,
          EVENT(EVENT_TRAIL_STOPPED, PHASE_OPENED, SEVERITY_CRITICAL, .about = STOPPED_,
                .gap = { T0, T0 + 3 * SEC }, .action = { ACTION_RESTART, RESULT_CONFIRMED, 1 }),
          "running again after 3 s", NULL },
        { "no begin", &trail,
          EVENT(EVENT_TRAIL_STOPPED, PHASE_OPENED, SEVERITY_CRITICAL, .about = STOPPED_,
                .gap = { 0, T0 + 3 * SEC }, .action = { ACTION_RESTART, RESULT_CONFIRMED, 1 }),
          "running again", "running again after" },
        { "no end", &trail,
          EVENT(EVENT_TRAIL_RESOLVED, PHASE_RESOLVED, SEVERITY_CRITICAL, .resolves = true, .about = STOPPED_,
                .gap = { T0, 0 }),
          "logging again", " 1970" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check(&rows[i]);
}

static void the_share_that_a_contest_lost(void **state _unused_) {
    static const struct {
        Repeats contest;
        unsigned percent;
    } rows[] = {
        { { .count = 3, .first_usec = T0, .last_usec = T0 + 100 * SEC, .total_usec = 25 * SEC }, 25 },
        { { .count = 3, .first_usec = T0, .last_usec = T0 + 100 * SEC, .total_usec = 125 * SEC }, 100 },
        /* the clock was set back: all that is known of is the loss */
        { { .count = 3, .first_usec = T0 + 200 * SEC, .last_usec = T0 + 100 * SEC, .total_usec = SEC },
          100 },
        { { .count = 3, .first_usec = T0 + 100 * SEC, .last_usec = T0 + 100 * SEC }, 100 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Event event = { .kind = EVENT_TRAIL_CONTESTED,
                        .time_usec = T0 + 50 * SEC,
                        .contest = rows[i].contest };

        assert_int_equal(alert_lost_percent(&event), rows[i].percent);
    }
}

static void what_cannot_be_read_fits_a_subject(void **state _unused_) {
#define UNREAD(findings_)                                                                                   \
    EVENT(EVENT_TARGET_UNREACHABLE, PHASE_OPENED, SEVERITY_WARNING, .mode = MODE_RESTART,                   \
          .findings = (findings_), .about = (findings_), .error = POLL_DENIED, .detail = "denied")
    static const Row rows[] = {
        { "one", &long_trail, UNREAD(FINDING_BIT(FINDING_KEY_UNREADABLE)), "cannot read KMS key", NULL },
        { "two", &long_trail,
          UNREAD(FINDING_BIT(FINDING_CONFIGURATION_UNREADABLE) | FINDING_BIT(FINDING_LIFECYCLE_UNREADABLE)),
          "cannot read settings", NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check(&rows[i]);
}

static void a_reason_that_nobody_gave(void **state _unused_) {
    static const Row rows[] = {
        { "none", &trail,
          EVENT(EVENT_TRAIL_RESOLVED, PHASE_RESOLVED, SEVERITY_CRITICAL, .resolves = true,
                .forgotten = true),
          "is no longer guarded: no reason is known.", NULL },
        { "stale, and a maintenance window is over", &trail,
          EVENT(EVENT_TRAIL_FAILING, PHASE_OPENED, SEVERITY_CRITICAL, .findings = FINDING_BIT(FINDING_STALE),
                .about = FINDING_BIT(FINDING_STALE)),
          "AWS reports no error, but it delivers nothing.", NULL },
        { "a topic", &nobody,
          EVENT(EVENT_CHANNEL_FAILED, PHASE_OPENED, SEVERITY_WARNING,
                .detail = "sns:arn:aws:sns:eu-central-1:111122223333:ops: AuthorizationError"),
          "topic ops: AuthorizationError", NULL },
        { "an odd topic", &nobody,
          EVENT(EVENT_CHANNEL_FAILED, PHASE_OPENED, SEVERITY_WARNING, .detail = "sns:arn:odd"), "topic odd",
          NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check(&rows[i]);
}

#define UNMET(...)                                                                                          \
    EVENT(EVENT_EXPECTATION_UNMET, PHASE_OPENED, SEVERITY_WARNING, .mode = MODE_RESTORE, .may_act = true,   \
          .about = FINDING_BIT(FINDING_UNMET), .unmet = true, .fields = PREFIX, __VA_ARGS__)
#define LEFT .findings = FINDING_BIT(FINDING_UNMET), .fields_left = PREFIX

static void what_became_of_a_pin(void **state _unused_) {
    static const Row rows[] = {
        { "reconfigured", &trail, UNMET(.reconfigured = true),
          "the configuration changed, and the trail meets it", NULL },
        { "accepted", &trail, UNMET(.accepted = true), "the trail's settings were accepted as its baseline",
          NULL },
        { "accepted, and differs", &trail, UNMET(LEFT, .accepted = true),
          "another action on this trail comes first", "accepted as its baseline" },
        { "set", &trail,
          UNMET(.restore = { ACTION_RESTORE, RESULT_CONFIRMED, 1 },
                .action = { ACTION_RESTORE, RESULT_CONFIRMED, 1 }),
          "Set it as configured (1 attempt) and read it back: confirmed.", NULL },
        { "by another", &trail, UNMET(.resolves = true), "another caller set it as configured", NULL },
        { "paused", &trail, UNMET(LEFT, .restores_paused = true, .n_restores = 3),
          "It writes this setting again when the hour is over.", NULL },
        { "in part", &trail,
          UNMET(LEFT, .restore = { ACTION_RESTORE, RESULT_CONFIRMED, 1 },
                .action = { ACTION_RESTORE, RESULT_CONFIRMED, 1 }),
          "Set what it may (1 attempt) and read it back. Still not as configured: S3KeyPrefix.", NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check(&rows[i]);
}

/* A restart that held says nothing of settings that another caller changed back. */
static void what_another_changed_back_is_not_restored(void **state _unused_) {
    static char before[] = "a", after[] = "b";
    static const Drift changes = {
        .changes = { { .field = FIELD_PREFIX, .expected = before, .actual = after } }, .n = 1
    };
    static const Row rows[] = {
        { "restored", &trail,
          EVENT(EVENT_TRAIL_RESOLVED, PHASE_RESOLVED, SEVERITY_CRITICAL, .resolves = true, .fields = PREFIX,
                .changes = &changes, .mode = MODE_RESTORE, .action = { ACTION_RESTORE, RESULT_CONFIRMED, 1 },
                .restore = { ACTION_RESTORE, RESULT_CONFIRMED, 1 }),
          "S3KeyPrefix, restored", NULL },
        { "restarted", &trail,
          EVENT(EVENT_TRAIL_RESOLVED, PHASE_RESOLVED, SEVERITY_CRITICAL, .resolves = true, .fields = PREFIX,
                .changes = &changes, .mode = MODE_RESTORE, .gap = { T0, T0 + SEC },
                .action = { ACTION_RESTART, RESULT_CONFIRMED, 1 }),
          "S3KeyPrefix, changed back", "S3KeyPrefix, restored" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check(&rows[i]);
}

/* The message waited for a restore that another action put off; meanwhile a person agreed. */
static void what_people_agreed_to_before_it_was_reported(void **state _unused_) {
#define WEAKENED(...)                                                                                       \
    EVENT(EVENT_TRAIL_WEAKENED, PHASE_OPENED, SEVERITY_WARNING, .mode = MODE_RESTORE, .may_act = true,      \
          .resolves = true, .about = FINDING_BIT(FINDING_CHANGED), .fields = PREFIX, __VA_ARGS__)
    static const Row rows[] = {
        { "accepted", &trail, WEAKENED(.accepted = true), "It was accepted as the baseline.",
          "another caller" },
        { "configured", &trail, WEAKENED(.reconfigured = true),
          "The configuration changed, and the trail meets it.", "another caller" },
        { "neither", &trail, WEAKENED(.n_restores = 0), "another caller", "accepted as the baseline" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check(&rows[i]);
}

/* What was accepted are settings: a trail that was deleted was not accepted with them. */
static void a_deletion_is_not_accepted_with_settings(void **state _unused_) {
    static const Row row = { "back", &trail,
                             EVENT(EVENT_TRAIL_RESOLVED, PHASE_RESOLVED, SEVERITY_CRITICAL, .resolves = true,
                                   .about = FINDING_BIT(FINDING_MISSING), .accepted = true,
                                   .mode = MODE_RESTORE),
                             NULL, "accepted" };

    check(&row);
}

static void a_new_trail_and_where_it_delivers(void **state _unused_) {
    static Settings delivers;
    const Row rows[] = {
        { "watched", &trail,
          EVENT(EVENT_TRAIL_APPEARED, PHASE_OPENED, SEVERITY_WARNING, .about = FINDING_BIT(FINDING_APPEARED),
                .delivers = &delivers, .provisional = true, .mode = MODE_RESTART),
          "starts it when it is stopped", NULL },
        { "not ours", &trail,
          EVENT(EVENT_TRAIL_APPEARED, PHASE_OPENED, SEVERITY_WARNING, .about = FINDING_BIT(FINDING_APPEARED),
                .delivers = &delivers, .provisional = true, .mode = MODE_RESTART, .protected = true),
          "Polls it, and reports when it is stopped", "starts it" },
    };

    assert_int_equal(settings_set(&delivers, FIELD_BUCKET, "elsewhere"), 0);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        check(&rows[i]); /* neither a prefix nor a log group is known */
    }
    settings_done(&delivers);
}

static void what_was_done_to_an_account(void **state _unused_) {
    static const struct {
        const char *call, *deed;
    } rows[] = {
        { "CloseAccount", "was closed by" },
        { "LeaveOrganization", "was taken out of the organization by" },
        { "SomethingThatAwsAdded", "was taken out of the organization by" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Event event = EVENT(EVENT_TRAIL_ATTRIBUTED, PHASE_OPENED, SEVERITY_CRITICAL,
                            .about = FINDING_BIT(FINDING_MISSING), .error = POLL_GONE, .has_actor = true,
                            .actor = { .type = "IAMUser", .name = "bob" });
        Row row = { rows[i].call, &account, event, rows[i].deed, NULL };

        (void)text_copy(row.event.actor.event_name, sizeof(row.event.actor.event_name), rows[i].call);
        check(&row);
    }
}

/* Organizations has one region in a partition; of a region that nobody knows the partition is not known. */
static void where_calls_to_organizations_are_searched(void **state _unused_) {
    static const struct {
        const char *region, *searched;
    } rows[] = {
        { "eu-central-1", "--region us-east-1" },
        { "us-gov-east-1", "--region us-gov-west-1" },
        { "nowhere", "--region us-east-1" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Subject subject = trail;
        Row row = { rows[i].region, &subject,
                    EVENT(EVENT_TRAIL_WEAKENED, PHASE_OPENED, SEVERITY_CRITICAL,
                          .about = FINDING_BIT(FINDING_WEAKENED), .findings = FINDING_BIT(FINDING_WEAKENED),
                          .fields = FIELD_BIT(FIELD_ORGANIZATION),
                          .fields_left = FIELD_BIT(FIELD_ORGANIZATION)),
                    rows[i].searched, NULL };

        subject.region = rows[i].region;
        check(&row);
    }
}

static void what_a_creation_did(void **state _unused_) {
    static const struct {
        uint32_t about;
        const char *deed, *not;
    } rows[] = {
        { FINDING_BIT(FINDING_CHANGED), "recreated by", NULL },
        { FINDING_BIT(FINDING_APPEARED), "created by", "deleted" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Row row = { "a creation", &trail,
                    EVENT(EVENT_TRAIL_ATTRIBUTED, PHASE_OPENED, SEVERITY_CRITICAL, .about = rows[i].about,
                          .has_actor = true,
                          .actor = { .type = "IAMUser", .name = "bob", .event_name = "CreateTrail" }),
                    rows[i].deed, rows[i].not };

        check(&row);
    }
}

static void a_time_that_no_calendar_has(void **state _unused_) {
    static const struct {
        uint64_t usec;
        const char *text;
    } rows[] = {
        { 0, "an unknown time" },
        { UINT64_MAX, "an unknown time" },
        { 1800000000 * USEC_PER_SEC, "2027-01-15 08:00:00 UTC" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char text[TIMETEXT_MAX];

        assert_string_equal(alert_human_time(text, rows[i].usec), rows[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_tried_without_a_poll),
        cmocka_unit_test(a_time_that_no_calendar_has),
        cmocka_unit_test(a_gap_whose_begin_is_not_known),
        cmocka_unit_test(the_share_that_a_contest_lost),
        cmocka_unit_test(what_cannot_be_read_fits_a_subject),
        cmocka_unit_test(a_reason_that_nobody_gave),
        cmocka_unit_test(what_became_of_a_pin),
        cmocka_unit_test(what_another_changed_back_is_not_restored),
        cmocka_unit_test(what_people_agreed_to_before_it_was_reported),
        cmocka_unit_test(a_deletion_is_not_accepted_with_settings),
        cmocka_unit_test(a_new_trail_and_where_it_delivers),
        cmocka_unit_test(what_was_done_to_an_account),
        cmocka_unit_test(what_a_creation_did),
        cmocka_unit_test(where_calls_to_organizations_are_searched),
    };

    return cmocka_run_group_tests_name("alert_edges", tests, NULL, NULL);
}
