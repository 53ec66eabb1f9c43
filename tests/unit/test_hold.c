/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/contain.h"
#include "daemon/core/hold.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define ACCOUNT "111122223333"
#define BOB     "arn:aws:iam::" ACCOUNT ":user/staff/bob"
#define ADMIN   "arn:aws:iam::" ACCOUNT ":role/Admin"
#define BEGIN   (1774000000 * USEC_PER_SEC)
#define TOPIC   "arn:aws:sns:eu-central-1:" ACCOUNT ":alerts"

static ContainHistory history;
static const char *const topics[] = { TOPIC, "arn:aws:sns:eu-central-1:444455556666:other" };

static int setup(void **state _unused_) {
    contain_history_done(&history);
    return 0;
}

static Now at(unsigned sec) {
    return (Now){ .real_usec = BEGIN + sec * USEC_PER_SEC, .mono_usec = 1 + sec * USEC_PER_SEC };
}

static ContainHold *add(const char *arn) {
    Containment contain = { .time_usec = BEGIN, .n_tamperings = 3, .is_role = strstr(arn, ":role/") };

    (void)text_copy(contain.arn, sizeof(contain.arn), arn);
    (void)text_copy(contain.account, sizeof(contain.account), ACCOUNT);
    assert_int_equal(hold_add(&history, &contain, topics, ARRAY_SIZE(topics)), 0);
    assert_int_equal(hold_add(&history, &contain, topics, ARRAY_SIZE(topics)), -EEXIST);
    return hold_find(&history, arn);
}

static HoldNews take(ContainHold *hold, HoldAction action, HoldSeen seen, unsigned sec) {
    HoldOutcome outcome = { .action = action, .seen = seen };

    (void)text_copy(outcome.error, sizeof(outcome.error), "AccessDenied");
    return hold_take(hold, &outcome, topics, ARRAY_SIZE(topics), at(sec));
}

static void assert_news(HoldNews news, ContainStep step, bool over) {
    assert_true(news.report);
    assert_int_equal(news.step, step);
    assert_int_equal(hold_is_over(news.step), over);
}

static void the_policy_is_what_takes_the_rights(void **state _unused_) {
    const ContainHold *bob = add(BOB);

    assert_string_equal(bob->policy, "TrailGuardContain");
    assert_string_equal(bob->reason, "3 tamperings within an hour");
    assert_string_equal(hold_name(bob), "bob");
    assert_non_null(strstr(bob->document, "cloudtrail:StopLogging"));
    assert_non_null(strstr(bob->document, "\"iam:*\""));
    assert_non_null(strstr(bob->document, "\"Resource\":[\"" TOPIC "\"]"));
    assert_null(strstr(bob->document, "TokenIssueTime"));
    assert_non_null(strstr(add(ADMIN)->document, "{\"aws:TokenIssueTime\":\"2026-03-20T09:46:40Z\"}"));
    assert_true(hold_is_role(hold_find(&history, ADMIN)) && !hold_is_role(hold_find(&history, BOB)));
    /* whoever makes a user chooses its path */
    assert_false(hold_is_role(add("arn:aws:iam::" ACCOUNT ":user/:role/mallory")));
    assert_true(hold_is_role(add("arn:aws:iam::" ACCOUNT ":role/:user/mallory")));
}

/* IAM gives no room for more to a user. */
static void many_topics_are_named_as_all(void **state _unused_) {
    const char *many[16];
    Containment contain = { .time_usec = BEGIN, .arn = BOB, .account = ACCOUNT };

    for (size_t i = 0; i < ARRAY_SIZE(many); i++)
        many[i] = "arn:aws:sns:eu-central-1:" ACCOUNT
                  ":a-topic-with-a-name-that-is-rather-long-because-names-may-be"
                  "-that-long-and-even-longer-than-that";
    assert_int_equal(hold_add(&history, &contain, many, ARRAY_SIZE(many)), 0);
    assert_true(strlen(history.holds[0].document) < 2048);
    assert_null(strstr(history.holds[0].document, "a-topic"));
    assert_non_null(strstr(history.holds[0].document, "sns:DeleteTopic"));
    assert_true(hold_is_ours(&history.holds[0], history.holds[0].document));
}

static void only_the_same_policy_is_ours(void **state _unused_) {
    const ContainHold *bob = add(BOB);
    char spaced[2 * CONTAIN_DOCUMENT_MAX];

    assert_true(hold_is_ours(bob, bob->document));
    (void)snprintf(spaced, sizeof(spaced), "\n{ %s", bob->document + 1);
    assert_true(hold_is_ours(bob, spaced));
    (void)snprintf(spaced, sizeof(spaced), "%s x", bob->document);
    assert_false(hold_is_ours(bob, spaced));
    assert_false(hold_is_ours(bob, "{\"Version\":\"2012-10-17\",\"Statement\":[]}"));
    assert_false(hold_is_ours(bob, ""));
    assert_false(hold_is_ours(bob, "\xff"));
}

static void what_is_next(void **state _unused_) {
    static const struct {
        bool announced, held, given_up, released, may_put, early, failed;
        HoldAction action;
    } rows[] = {
        { .may_put = true, .action = HOLD_NOTHING },
        { .announced = true, .may_put = true, .action = HOLD_PUT },
        { .announced = true, .action = HOLD_NOTHING },
        { .announced = true, .may_put = true, .early = true, .action = HOLD_NOTHING },
        { .announced = true, .held = true, .may_put = true, .action = HOLD_CHECK },
        { .announced = true, .held = true, .action = HOLD_NOTHING },
        { .announced = true, .given_up = true, .may_put = true, .action = HOLD_NOTHING },
        { .announced = true, .held = true, .released = true, .action = HOLD_REMOVE },
        { .given_up = true, .released = true, .may_put = true, .action = HOLD_REMOVE },
        { .released = true, .action = HOLD_REMOVE },
        /* the request came while it was put, or checked: not when the next check is due */
        { .held = true, .released = true, .early = true, .action = HOLD_REMOVE },
        { .held = true, .released = true, .early = true, .failed = true, .action = HOLD_NOTHING },
        { .held = true, .released = true, .failed = true, .action = HOLD_REMOVE },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        ContainHold hold = { .announced = rows[i].announced,
                             .held = rows[i].held,
                             .given_up = rows[i].given_up };

        hold.released_by[0] = rows[i].released ? 'a' : '\0';
        hold.due_mono_usec = rows[i].early ? 2 : 1;
        hold.n_failed = rows[i].failed;
        assert_int_equal(hold_action(&hold, rows[i].may_put, 1), rows[i].action);
        hold.under_way = (struct Enforcement *)&hold;
        assert_int_equal(hold_action(&hold, rows[i].may_put, 1), HOLD_NOTHING);
    }
}

/* As `release --list` and the status show it. A release is what people wait for. */
static void a_state_has_a_word(void **state _unused_) {
    static const struct {
        bool held, given_up, released;
        const char *word;
    } rows[] = {
        { false, false, false, "not contained yet" }, { true, false, false, "contained" },
        { false, true, false, "given up" },           { true, false, true, "being released" },
        { false, true, true, "being released" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        ContainHold hold = { .held = rows[i].held, .given_up = rows[i].given_up };

        hold.released_by[0] = rows[i].released ? 'a' : '\0';
        assert_string_equal(hold_state_word(&hold), rows[i].word);
    }
}

static void a_failure_is_reported_once_and_tried_again_more_and_more_slowly(void **state _unused_) {
    ContainHold *bob = add(BOB);
    uint64_t before = 0;

    assert_news(take(bob, HOLD_PUT, HOLD_SEEN_NOTHING, 0), CONTAIN_STEP_FAILED, false);
    assert_string_equal(bob->error, "AccessDenied");
    for (unsigned i = 0; i < 10; i++) {
        uint64_t wait = bob->due_mono_usec - 1;

        assert_true(wait >= before && wait <= 300 * USEC_PER_SEC);
        before = wait;
        assert_false(take(bob, HOLD_PUT, HOLD_SEEN_ABSENT, 0).report);
    }
    assert_int_equal(before, 300 * USEC_PER_SEC);
    assert_news(take(bob, HOLD_PUT, HOLD_SEEN_OURS, 9), CONTAIN_STEP_HELD, false);
    assert_string_equal(bob->error, "");
    assert_int_equal(bob->n_failed, 0);
}

static void what_others_wrote_stays_and_ours_comes_beside_it(void **state _unused_) {
    ContainHold *bob = add(BOB);

    assert_false(take(bob, HOLD_PUT, HOLD_SEEN_OTHER, 0).report);
    assert_string_equal(bob->policy, "TrailGuardContain-2");
    for (unsigned i = 0; i < 4; i++)
        assert_false(take(bob, HOLD_PUT, HOLD_SEEN_OTHER, 0).report);
    assert_string_equal(bob->policy, "TrailGuardContain-6");
    assert_news(take(bob, HOLD_PUT, HOLD_SEEN_OTHER, 0), CONTAIN_STEP_FAILED, false);
}

static void it_is_put_again_five_times_a_day(void **state _unused_) {
    ContainHold *admin = add(ADMIN);
    Containment contain = { .time_usec = BEGIN + 3600 * USEC_PER_SEC, .arn = ADMIN, .account = ACCOUNT };

    assert_news(take(admin, HOLD_PUT, HOLD_SEEN_OURS, 0), CONTAIN_STEP_HELD, false);
    assert_false(take(admin, HOLD_CHECK, HOLD_SEEN_OURS, 10).report);
    assert_false(take(admin, HOLD_CHECK, HOLD_SEEN_NOTHING, 20).report);
    assert_true(admin->held);
    for (unsigned i = 1; i < HOLD_PUTS_MAX; i++) {
        assert_news(take(admin, HOLD_CHECK, i % 2 ? HOLD_SEEN_ABSENT : HOLD_SEEN_OTHER, 100 * i),
                    CONTAIN_STEP_REMOVED, false);
        assert_false(admin->held);
        /* whoever took the role since then is out, too */
        assert_null(strstr(admin->document, "09:46:40Z"));
        assert_news(take(admin, HOLD_PUT, HOLD_SEEN_OURS, 100 * i + 1), CONTAIN_STEP_HELD, false);
    }
    assert_news(take(admin, HOLD_CHECK, HOLD_SEEN_ABSENT, 900), CONTAIN_STEP_GIVEN_UP, false);
    assert_int_equal(hold_action(admin, true, UINT64_MAX), HOLD_NOTHING);
    assert_int_equal(hold_add(&history, &contain, NULL, 0), 0); /* attacks again */
    assert_false(admin->given_up || admin->announced);
    assert_int_equal(history.n_holds, 1);
}

static void a_new_day_has_puts_of_its_own(void **state _unused_) {
    ContainHold *bob = add(BOB);

    for (unsigned i = 0; i < 3 * HOLD_PUTS_MAX; i++) {
        assert_news(take(bob, HOLD_PUT, HOLD_SEEN_OURS, i * 30000), CONTAIN_STEP_HELD, false);
        assert_news(take(bob, HOLD_CHECK, HOLD_SEEN_ABSENT, i * 30000 + 1), CONTAIN_STEP_REMOVED, false);
    }
}

/* Five within a day are too many; not the fifth of a day that is over. */
static void what_is_removed_the_day_after_is_put_again(void **state _unused_) {
    ContainHold *bob = add(BOB);

    for (unsigned i = 0; i < HOLD_PUTS_MAX; i++) {
        assert_news(take(bob, HOLD_PUT, HOLD_SEEN_OURS, 100 * i), CONTAIN_STEP_HELD, false);
        if (i < HOLD_PUTS_MAX - 1)
            assert_news(take(bob, HOLD_CHECK, HOLD_SEEN_ABSENT, 100 * i + 50), CONTAIN_STEP_REMOVED, false);
    }
    assert_news(take(bob, HOLD_CHECK, HOLD_SEEN_ABSENT, 24 * 3600 + 1), CONTAIN_STEP_REMOVED, false);
    assert_false(bob->given_up);
}

static void a_release_does_not_wait_for_the_next_try(void **state _unused_) {
    ContainHold hold = { .due_mono_usec = 99, .n_failed = 3 };

    hold_release(&hold, "root on host");
    assert_string_equal(hold.released_by, "root on host");
    assert_true(hold.due_mono_usec == 0 && hold.n_failed == 0);
}

static void an_end(void **state _unused_) {
    ContainHold *bob = add(BOB);
    const HoldOutcome gone = { .action = HOLD_PUT, .gone = true };

    assert_news(hold_take(bob, &gone, NULL, 0, at(0)), CONTAIN_STEP_GONE, true);
    assert_news(take(bob, HOLD_REMOVE, HOLD_SEEN_OTHER, 0), CONTAIN_STEP_STUCK, false);
    assert_false(take(bob, HOLD_REMOVE, HOLD_SEEN_OURS, 0).report);
    assert_news(take(bob, HOLD_REMOVE, HOLD_SEEN_ABSENT, 0), CONTAIN_STEP_RELEASED, true);
    bob->given_up = true; /* then what is there is not the guard's */
    assert_news(take(bob, HOLD_REMOVE, HOLD_SEEN_OTHER, 0), CONTAIN_STEP_RELEASED, true);
    bob->n_failed = 0; /* but its own goes */
    assert_news(take(bob, HOLD_REMOVE, HOLD_SEEN_OURS, 0), CONTAIN_STEP_STUCK, false);
    assert_false(take(bob, HOLD_NOTHING, HOLD_SEEN_OURS, 0).report);
}

static void names(void **state _unused_) {
    bool several;
    const ContainHold *bob;

    assert_null(hold_meant(&history, "user/bob", "", &several)); /* of nobody */
    (void)add(BOB);
    (void)add(ADMIN);
    bob = hold_find(&history, BOB);
    assert_ptr_equal(hold_meant(&history, "user/bob", "", &several), bob);
    assert_ptr_equal(hold_meant(&history, BOB, NULL, &several), bob);
    assert_ptr_equal(hold_meant(&history, "role/Admin", ACCOUNT, &several), hold_find(&history, ADMIN));
    assert_null(hold_meant(&history, "role/bob", "", &several));
    assert_null(hold_meant(&history, "bob", "", &several));
    assert_null(hold_meant(&history, "user/bob", "444455556666", &several));
    assert_false(several);
    (void)add("arn:aws:iam::444455556666:user/bob");
    assert_null(hold_meant(&history, "user/bob", "", &several));
    assert_true(several);
    hold_drop(&history, &history.holds[0]);
    assert_non_null(hold_meant(&history, "user/bob", "", &several));
    assert_int_equal(history.n_holds, 2);
}

/* People copy it as root, and IAM takes any printable character in a path. */
static void the_command_that_releases_runs_nothing_else(void **state _unused_) {
    char command[HOLD_COMMAND_MAX];

    assert_string_equal(
            hold_release_command(add("arn:aws:iam::" ACCOUNT ":role/$(reboot)/;reboot;/Admin"), command),
            "sudo trailguard release --account " ACCOUNT " role/Admin");
    assert_string_equal(hold_release_command(add(BOB), command),
                        "sudo trailguard release --account " ACCOUNT " user/bob");
}

static void the_table_has_a_ceiling(void **state _unused_) {
    Containment contain = { .time_usec = BEGIN, .account = ACCOUNT };

    for (unsigned i = 0; i <= CONTAIN_HOLDS_MAX; i++) {
        (void)snprintf(contain.arn, sizeof(contain.arn), "arn:aws:iam::" ACCOUNT ":user/u%u", i);
        assert_int_equal(hold_add(&history, &contain, NULL, 0), i < CONTAIN_HOLDS_MAX ? 0 : -ENOSPC);
    }
}

/* Not while it is being released: nothing is going to be put. */
static void when_it_is_announced(void **state _unused_) {
    static const struct {
        bool announced, released, may_put, now;
    } rows[] = {
        { false, false, true, true },
        { false, false, false, false },
        { true, false, true, false },
        { false, true, true, false },
        { true, true, true, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        ContainHold hold = { .announced = rows[i].announced };

        hold.released_by[0] = rows[i].released ? 'a' : '\0';
        if (hold_is_to_be_announced(&hold, rows[i].may_put) != rows[i].now)
            fail_msg("row %zu", i);
    }
}

static void what_is_said_of_each_step(void **state _unused_) {
    static const struct {
        EventKind kind;
        JournalLine line;
    } rows[_CONTAIN_STEP_MAX] = {
        [CONTAIN_STEP_ABOUT] = { EVENT_IDENTITY_CONTAINED, LINE_CONTAIN_ABOUT },
        [CONTAIN_STEP_HELD] = { EVENT_IDENTITY_CONTAINED, LINE_CONTAIN_HELD },
        [CONTAIN_STEP_FAILED] = { EVENT_IDENTITY_CONTAINED, LINE_CONTAIN_FAILED },
        [CONTAIN_STEP_REMOVED] = { EVENT_IDENTITY_CONTAINED, LINE_CONTAIN_REMOVED },
        [CONTAIN_STEP_GIVEN_UP] = { EVENT_IDENTITY_CONTAINED, LINE_CONTAIN_GIVEN_UP },
        [CONTAIN_STEP_GONE] = { EVENT_IDENTITY_RELEASED, LINE_CONTAIN_GONE },
        [CONTAIN_STEP_RELEASED] = { EVENT_IDENTITY_RELEASED, LINE_CONTAIN_RELEASED },
        [CONTAIN_STEP_STUCK] = { EVENT_IDENTITY_CONTAINED, LINE_CONTAIN_STUCK },
    };
    const ContainHold *bob = add(BOB);

    for (unsigned step = 0; step < _CONTAIN_STEP_MAX; step++) {
        Event event = hold_event(bob, step, "AccessDenied", MODE_RESTART);
        bool contained = rows[step].kind == EVENT_IDENTITY_CONTAINED;
        JournalEntry entry;

        hold_entry(bob, step, "AccessDenied", &entry);
        assert_int_equal(entry.line, rows[step].line);
        assert_string_equal(entry.detail, BOB ", because of 3 tamperings within an hour; AccessDenied");
        assert_int_equal(event.kind, rows[step].kind);
        assert_int_equal(event.severity, contained ? SEVERITY_CRITICAL : SEVERITY_WARNING);
        assert_int_equal(event.step, step);
        assert_ptr_equal(event.hold, bob);
        assert_true(event.dedup_usec == BEGIN && event.opened_usec == BEGIN);
        assert_string_equal(event.detail, "AccessDenied");
    }
}

static void a_step_without_more_to_say(void **state _unused_) {
    JournalEntry entry;

    hold_entry(add(ADMIN), CONTAIN_STEP_HELD, "", &entry);
    assert_string_equal(entry.detail, ADMIN ", because of 3 tamperings within an hour");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_policy_is_what_takes_the_rights, setup),
        cmocka_unit_test_setup(many_topics_are_named_as_all, setup),
        cmocka_unit_test_setup(only_the_same_policy_is_ours, setup),
        cmocka_unit_test_setup(what_is_next, setup),
        cmocka_unit_test(a_state_has_a_word),
        cmocka_unit_test_setup(a_failure_is_reported_once_and_tried_again_more_and_more_slowly, setup),
        cmocka_unit_test_setup(what_others_wrote_stays_and_ours_comes_beside_it, setup),
        cmocka_unit_test_setup(it_is_put_again_five_times_a_day, setup),
        cmocka_unit_test_setup(a_new_day_has_puts_of_its_own, setup),
        cmocka_unit_test_setup(what_is_removed_the_day_after_is_put_again, setup),
        cmocka_unit_test(a_release_does_not_wait_for_the_next_try),
        cmocka_unit_test_setup(an_end, setup),
        cmocka_unit_test_setup(names, setup),
        cmocka_unit_test_setup(the_command_that_releases_runs_nothing_else, setup),
        cmocka_unit_test_setup(the_table_has_a_ceiling, setup),
        cmocka_unit_test(when_it_is_announced),
        cmocka_unit_test_setup(what_is_said_of_each_step, setup),
        cmocka_unit_test_setup(a_step_without_more_to_say, setup),
    };
    int r = cmocka_run_group_tests(tests, NULL, NULL);

    contain_history_done(&history);
    return r;
}
