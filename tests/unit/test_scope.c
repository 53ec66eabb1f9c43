/* SPDX-License-Identifier: Apache-2.0 */
/* What can be polled at all, in tables of cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "daemon/core/scope.h"
#include "lib/util/macros.h"

static void an_empty_list_is_believed_when_it_comes_twice(void **state _unused_) {
    static const struct {
        CoverInput in;
        enum { COVER_YES, COVER_NO, COVER_SUSPECT } cover;
    } rows[] = {
        { { .n_listed = 1, .configured = true }, COVER_YES },
        { { .n_listed = 1, .configured = true, .n_shown = 2, .suspect = true }, COVER_YES },
        { { .configured = false }, COVER_YES }, /* nobody wants to know */
        { { .configured = false, .n_shown = 1 }, COVER_YES },
        { { .configured = true }, COVER_NO }, /* none was there before */
        { { .configured = true, .n_shown = 1 }, COVER_SUSPECT },
        { { .configured = true, .n_shown = 1, .suspect = true }, COVER_NO },
        { { .configured = true, .n_shown = 1, .shown_have_trouble = true },
          COVER_YES }, /* that is reported already */
        /* so will be by the other shard; after an hour the region counts for itself */
        { { .configured = true, .shown_elsewhere = true }, COVER_YES },
        { { .configured = true, .shown_elsewhere = true, .empty_usec = SCOPE_ELSEWHERE_USEC - 1 },
          COVER_YES },
        { { .configured = true, .shown_elsewhere = true, .empty_usec = SCOPE_ELSEWHERE_USEC }, COVER_NO },
        { { .configured = true, .empty_usec = 1 }, COVER_NO },
        { { .configured = true, .n_shown = 1, .shown_elsewhere = true, .empty_usec = SCOPE_ELSEWHERE_USEC },
          COVER_SUSPECT },
        { { .configured = true, .n_shown = 1, .shown_have_trouble = true, .suspect = true }, COVER_YES },
        /* once that is reported, only a list with a trail in it ends it */
        { { .configured = true, .n_shown = 1, .uncovered = true }, COVER_NO },
        { { .configured = true, .n_shown = 1, .uncovered = true, .shown_have_trouble = true }, COVER_NO },
        { { .configured = true, .uncovered = true, .shown_elsewhere = true }, COVER_NO },
        { { .configured = true, .n_listed = 1, .uncovered = true }, COVER_YES },
        { { .uncovered = true }, COVER_YES },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        PollResult result = { 0 };

        (void)scope_take_cover(&rows[i].in, &result);
        if (result.covered != (rows[i].cover == COVER_YES) ||
            result.listed != (rows[i].cover != COVER_SUSPECT))
            fail_msg("row %zu", i);
    }
}

static void an_empty_list_stays_suspect_until_one_is_not_empty(void **state _unused_) {
    static const struct {
        CoverInput in;
        bool suspect;
    } rows[] = {
        { { .configured = true, .n_shown = 1 }, true },
        { { .configured = true, .n_shown = 1, .suspect = true }, true },
        { { .configured = true, .n_shown = 1, .suspect = true, .shown_have_trouble = true }, true },
        { { .configured = true, .n_shown = 1, .suspect = true, .n_listed = 1 }, false },
        { { .n_shown = 1, .suspect = true }, false }, /* it is not configured any more */
        { { .configured = true }, false },
        { { .configured = true, .n_shown = 1, .shown_have_trouble = true }, false },
        { { .configured = true, .n_shown = 1, .uncovered = true }, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        PollResult result = { 0 };

        if (scope_take_cover(&rows[i].in, &result) != rows[i].suspect)
            fail_msg("row %zu", i);
    }
}

static void how_often_aws_is_asked_whether_a_region_is_enabled(void **state _unused_) {
    static const struct {
        RegionQuestion question;
        uint64_t now_usec;
        bool may;
    } rows[] = {
        { { 0 }, 1, true },
        { { .asked_usec = 1 }, SCOPE_REGION_USEC, false },
        { { .asked_usec = 1 }, 1 + SCOPE_REGION_USEC, true },
        { { .denied_until_usec = 5 }, 4, false },
        { { .denied_until_usec = 5 }, 5, true },
        { { .asked_usec = 1, .denied_until_usec = 5 }, 5, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (scope_may_ask_region(&rows[i].question, rows[i].now_usec) != rows[i].may)
            fail_msg("row %zu", i);
}

static void which_targets_and_accounts_are_rows(void **state _unused_) {
    static const struct {
        AccountScope account;
        bool row;
    } accounts[] = {
        { { .guarded = true }, false },
        { { .guarded = true, .blocked = true }, true },
        { { .guarded = true, .left = true }, true },
        { { .blocked = true }, false }, /* only keys that others are reached with */
        { { .left = true }, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(accounts); i++)
        if (scope_is_row(&accounts[i].account) != accounts[i].row)
            fail_msg("row %zu", i);
    assert_true(scope_shows_target(true, 0, false));
    assert_true(scope_shows_target(false, 1, false));
    assert_false(scope_shows_target(false, 0, false)); /* the trail that it was polled for is gone */
    assert_false(scope_shows_target(true, 1, true));
}

static void a_region_that_does_not_answer_makes_no_calls(void **state _unused_) {
    assert_true(scope_makes_calls(&(TargetState){ .ever_reachable = true }));
    assert_false(scope_makes_calls(&(TargetState){ .ever_reachable = false }));
    assert_false(scope_makes_calls(&(TargetState){ .ever_reachable = true, .unreachable = true }));
    assert_false(scope_makes_calls(&(TargetState){ .ever_reachable = true, .not_enabled = true }));
}

static void since_when_lists_are_empty(void **state _unused_) {
    assert_int_equal(scope_empty_since(0, 0, 9), 9);
    assert_int_equal(scope_empty_since(0, 5, 9), 5);
    assert_int_equal(scope_empty_since(2, 5, 9), 0);
    assert_int_equal(scope_empty_since(2, 0, 9), 0);
}

static void when_the_facts_of_a_trail_are_known(void **state _unused_) {
    for (unsigned bits = 0; bits < 8; bits++)
        assert_int_equal(scope_facts_are_known(bits & 1, bits & 2, bits & 4), bits != 0);
}

/* An attacker's own trail must not become a baseline to keep; a person's must, as soon as he says so. */
static void a_trail_that_appears_later_has_to_be_accepted(void **state _unused_) {
    for (unsigned bits = 0; bits < 32; bits++)
        for (TrustNew trust = 0; trust < _TRUST_MAX; trust++) {
            const Newcomer in = { .trust = trust,
                                  .listed_before = bits & 1,
                                  .known = bits & 2,
                                  .named = bits & 4,
                                  .missing = bits & 8,
                                  .recorded = bits & 16 };

            Newcomer namesake = in;

            assert_int_equal(newcomer_is_provisional(&in), bits == 1 && trust != TRUST_KEEP);
            namesake.namesake = true; /* the name alone is no proof */
            assert_int_equal(newcomer_is_provisional(&namesake),
                             (bits == 1 || bits == 5) && trust != TRUST_KEEP);
        }
}

static void what_was_accepted_is_never_forgotten(void **state _unused_) {
    KeptTrail trails[] = {
        { false, true, 1 }, { true, false, 2 }, { true, true, 5 }, { true, true, 3 }, { true, true, 4 },
    };

    assert_int_equal(scope_trail_to_drop(trails, ARRAY_SIZE(trails)), 3);
    trails[3].missing = false; /* it is back */
    assert_int_equal(scope_trail_to_drop(trails, ARRAY_SIZE(trails)), 4);
    trails[4].provisional = false; /* somebody accepted it */
    assert_int_equal(scope_trail_to_drop(trails, ARRAY_SIZE(trails)), 2);
    assert_int_equal(scope_trail_to_drop(trails, 2), 2);
    assert_int_equal(scope_trail_to_drop(trails, 0), 0);
}

static void the_bucket_of_a_new_trail_is_judged_by_what_is_known(void **state _unused_) {
    assert_int_equal(newcomer_destination(true, false, false), DESTINATION_USED);
    assert_int_equal(newcomer_destination(true, true, false), DESTINATION_USED);
    assert_int_equal(newcomer_destination(false, false, true), DESTINATION_UNKNOWN);
    assert_int_equal(newcomer_destination(false, true, true), DESTINATION_GUARDED);
    assert_int_equal(newcomer_destination(false, true, false), DESTINATION_FOREIGN);
}

static void a_region_is_off_only_where_nothing_says_otherwise(void **state _unused_) {
    static const struct {
        Rejection rejection;
        bool off;
    } rows[] = {
        { { .good_elsewhere = true, .opt_in = true }, true },
        { { .good_elsewhere = false, .opt_in = true }, false },
        { { .good_elsewhere = true, .opt_in = false }, false },
        { { .good_elsewhere = true, .opt_in = false, .lasts_usec = UINT64_MAX }, false },
        { { .good_elsewhere = true, .opt_in = true, .has_trails = true }, false },
        { { .good_elsewhere = true, .opt_in = true, .has_trails = true, .lasts_usec = UINT64_MAX }, false },
        { { .good_elsewhere = true, .opt_in = true, .ever_reachable = true }, false },
        { { .good_elsewhere = true,
            .opt_in = true,
            .ever_reachable = true,
            .lasts_usec = SCOPE_OFF_PROOF_USEC - 1 },
          false },
        { { .good_elsewhere = true,
            .opt_in = true,
            .ever_reachable = true,
            .lasts_usec = SCOPE_OFF_PROOF_USEC },
          true },
        { { .good_elsewhere = true, .opt_in = true, .named = true, .lasts_usec = UINT64_MAX }, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(scope_is_off(&rows[i].rejection), rows[i].off);
}

/* What AWS says of a region is proof; where it says nothing, or what nobody knows, it is as above. */
static void the_word_of_aws_decides_whether_a_region_is_off(void **state _unused_) {
    static const struct {
        Rejection rejection; /* without the status */
        bool off[7];         /* by status, as below */
    } rows[] = {
        /* DISABLED, DISABLING, ENABLED, ENABLED_BY_DEFAULT, ENABLING, a new one, none */
        { { .good_elsewhere = true, .opt_in = true }, { 1, 0, 0, 0, 0, 1, 1 } },
        { { .opt_in = true }, { 1, 0, 0, 0, 0, 0, 0 } },
        { { .good_elsewhere = true, .opt_in = true, .lasts_usec = UINT64_MAX }, { 1, 0, 0, 0, 0, 1, 1 } },
        { { .good_elsewhere = true, .opt_in = true, .ever_reachable = true }, { 1, 0, 0, 0, 0, 0, 0 } },
        { { .good_elsewhere = true, .opt_in = true, .ever_reachable = true, .lasts_usec = UINT64_MAX },
          { 1, 0, 0, 0, 0, 1, 1 } },
        { { .good_elsewhere = true, .opt_in = true, .has_trails = true, .lasts_usec = UINT64_MAX }, { 0 } },
        { { .good_elsewhere = true, .opt_in = true, .named = true, .lasts_usec = UINT64_MAX }, { 0 } },
        { { .good_elsewhere = true, .lasts_usec = UINT64_MAX }, { 0 } },
    };
    static const char *const statuses[] = { "DISABLED", "DISABLING", "ENABLED", "ENABLED_BY_DEFAULT",
                                            "ENABLING", "PAUSED",    "" };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        for (size_t k = 0; k < ARRAY_SIZE(statuses); k++) {
            Rejection rejection = rows[i].rejection;

            rejection.status = statuses[k];
            if (scope_is_off(&rejection) != rows[i].off[k])
                fail_msg("row %zu, %s", i, statuses[k]);
        }
    for (size_t k = 0; k < ARRAY_SIZE(statuses); k++)
        assert_int_equal(scope_is_proven_off(statuses[k]), k == 0);
}

static void aws_is_asked_only_where_its_word_can_matter(void **state _unused_) {
    static const struct {
        Rejection rejection;
        bool wanted;
    } rows[] = {
        { { .good_elsewhere = true, .opt_in = true }, true },
        { { .good_elsewhere = true, .opt_in = true, .has_trails = true, .ever_reachable = true }, true },
        { { .good_elsewhere = true, .opt_in = true, .named = true }, true },
        { { .opt_in = true, .named = true }, true },
        { { .opt_in = true }, false },
        { { .good_elsewhere = true }, false },
        { { .good_elsewhere = true, .named = true }, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(scope_wants_status(&rows[i].rejection), rows[i].wanted);
}

static void what_it_means_that_a_region_calls_keys_unknown(void **state _unused_) {
    static const struct {
        Rejection rejection;
        enum { UNCLEAR, FAILED, NOT_ENABLED } meaning;
    } rows[] = {
        { { .opt_in = true, .good_elsewhere = true }, NOT_ENABLED },
        { { .opt_in = true }, FAILED },
        { { .opt_in = true, .status = "DISABLED" }, NOT_ENABLED },
        { { .opt_in = true, .good_elsewhere = true, .status = "ENABLED" }, FAILED },
        /* the keys may turn out to be good elsewhere, where that would make a difference */
        { { .opt_in = true, .polls_elsewhere = true }, UNCLEAR },
        { { .opt_in = true, .polls_elsewhere = true, .status = "ENABLED" }, FAILED },
        { { .opt_in = true, .polls_elsewhere = true, .ever_reachable = true }, FAILED },
        { { .opt_in = true, .polls_elsewhere = true, .named = true }, FAILED },
        { { .polls_elsewhere = true }, FAILED },
        /* AWS may say that it is off, where that would make a difference */
        { { .opt_in = true, .good_elsewhere = true, .asking = true }, UNCLEAR },
        { { .opt_in = true, .good_elsewhere = true, .asking = true, .ever_reachable = true }, UNCLEAR },
        { { .opt_in = true, .good_elsewhere = true, .asking = true, .has_trails = true }, FAILED },
        { { .opt_in = true, .named = true, .asking = true }, FAILED },
        /* a check waits, for the answer explains the refusal */
        { { .opt_in = true, .named = true, .asking = true, .waits = true }, UNCLEAR },
        { { .opt_in = true, .named = true, .waits = true }, FAILED },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        PollResult result = { .error = POLL_CREDENTIALS };

        if (scope_take_rejection(&rows[i].rejection, &result) != (rows[i].meaning != UNCLEAR) ||
            result.not_enabled != (rows[i].meaning == NOT_ENABLED))
            fail_msg("row %zu", i);
    }
}

/* That it is off says all. */
static void what_aws_says_of_a_region_stands_beside_its_refusal(void **state _unused_) {
    static const struct {
        const char *status, *text;
    } rows[] = {
        { "ENABLED", "no such key (GetRegionOptStatus: ENABLED, the account has enabled the region, so the "
                     "keys or the way there are at fault)" },
        { "ENABLING", "no such key (GetRegionOptStatus: ENABLING, the account is turning the region on)" },
        { "DISABLING", "no such key (GetRegionOptStatus: DISABLING, the account is turning the region "
                       "off)" },
        { "DISABLED", "no such key" },
        { "PAUSED", "no such key" },
        { "", "no such key" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const Rejection rejection = { .opt_in = true, .status = rows[i].status };
        PollResult result = { .error_text = "no such key" };

        assert_true(scope_take_rejection(&rejection, &result));
        assert_string_equal(result.error_text, rows[i].text);
    }
}

static void which_regions_show_that_keys_are_good(void **state _unused_) {
    static const struct {
        bool ever_reachable, not_enabled, polled;
        unsigned n_failed;
        bool good;
    } rows[] = {
        { true, false, true, 0, true },  { true, false, false, 0, false }, /* known from the state file only
                                                                            */
        { true, false, true, 1, false }, { true, true, true, 0, false },   { false, false, true, 0, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        TargetState s = { .ever_reachable = rows[i].ever_reachable,
                          .not_enabled = rows[i].not_enabled,
                          .n_failed = rows[i].n_failed };

        assert_int_equal(scope_keys_are_good(&s, rows[i].polled), rows[i].good);
    }
}

static void a_trail_is_gone_only_by_its_own_accounts_keys(void **state _unused_) {
    static const struct {
        AccountScope account;
        bool owned, organization, proven;
    } rows[] = {
        { { .guarded = true, .identity_known = true }, true, false, true },
        { { .guarded = true, .identity_known = true }, false, true, true },
        { { .guarded = true, .identity_known = true }, false, false, false },
        { { .guarded = true }, true, false, false },
        { { .guarded = true }, false, true, false },
        { { .guarded = true, .by_role = true }, true, false, true }, /* the role's ARN says whose it is */
        /* STS does not say; the same keys have listed a trail of that account */
        { { .guarded = true, .shows_own = true }, true, false, true },
        { { .guarded = true, .shows_own = true }, false, false, true },
        { { .guarded = true, .shows_own = true }, true, true, false },
        /* what it does say counts more */
        { { .guarded = true, .shows_own = true, .identity_known = true }, false, false, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (scope_proves_absence(&rows[i].account, rows[i].owned, rows[i].organization) != rows[i].proven)
            fail_msg("row %zu", i);
}

static void what_the_keys_of_others_do_not_show_is_an_error(void **state _unused_) {
    static const struct {
        AccountScope account;
        bool owned;
        const char *error; /* NULL: it is gone */
    } rows[] = {
        { { .identity_known = true }, true, NULL },
        { { .identity_known = true }, false, "not found: the keys belong to account 444455556666" },
        { { .identity_known = false },
          true,
          "not found, and AWS has not said which account the keys belong to" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Observation seen = { .kind = OBSERVED_ABSENT };

        scope_judge_absence(&rows[i].account, "444455556666", rows[i].owned, false, &seen);
        assert_int_equal(seen.kind, rows[i].error ? OBSERVED_ERROR : OBSERVED_ABSENT);
        assert_int_equal(seen.error, rows[i].error ? POLL_CREDENTIALS : POLL_OK);
        assert_string_equal(seen.error_text, rows[i].error ? rows[i].error : "");
    }
}

static void which_lists_are_waited_for(void **state _unused_) {
    assert_true(list_is_awaited(true, true, 0, 1));
    assert_true(list_is_awaited(true, true, 2, 3));
    assert_false(list_is_awaited(false, true, 0, 1));
    assert_false(list_is_awaited(true, false, 0, 1));
    assert_false(list_is_awaited(true, true, 3, 3));
}

/* Who is not in them is not guarded: that must not be said while some are still to come. */
static void when_the_tables_are_whole(void **state _unused_) {
    for (unsigned bits = 0; bits < 16; bits++) {
        const TablesBegun begun = {
            .passes = bits & 1, .waits = bits & 2, .organization = bits & 4, .list_tried = bits & 8
        };

        assert_int_equal(scope_tables_are_whole(&begun), bits == 1 || bits == 9 || bits == 13);
    }
}

static void how_long_keys_have_been_called_unknown(void **state _unused_) {
    static const struct {
        bool rejected;
        uint64_t now_usec;
        Rejections after;
    } rows[] = {
        { false, 5, { 0 } },
        { true, 10, { .n = 1, .since_usec = 10 } },
        { true, 25, { .n = 2, .since_usec = 10 } },
        { false, 30, { 0 } }, /* one answer ends it */
        { true, 40, { .n = 1, .since_usec = 40 } },
    };
    Rejections rejections = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        scope_count_rejection(&rejections, rows[i].rejected, rows[i].now_usec);
        if (rejections.n != rows[i].after.n || rejections.since_usec != rows[i].after.since_usec)
            fail_msg("row %zu", i);
    }
}

#define DAY   (86400 * USEC_PER_SEC)
#define PAUSE (300 * USEC_PER_SEC)

/* One organization trail of another account, in the order of the rows. */
static void what_aws_can_be_asked_to_do_to_the_trail_of_another_account(void **state _unused_) {
    static const struct {
        Outcome outcome;
        uint64_t now_usec;
        bool refused;
        uint32_t not_asked; /* afterwards, as ACTION_BITs */
    } rows[] = {
        { { .action = ACTION_RESTART, .result = RESULT_FAILED, .error_code = "ThrottlingException" },
          1,
          false,
          0 },
        { { .action = ACTION_RESTART, .result = RESULT_FAILED, .error_code = "AccessDeniedException" },
          2,
          true,
          ACTION_BIT(ACTION_RESTART) },
        { { .action = ACTION_RESTORE,
            .result = RESULT_FAILED,
            .error_code = "NotOrganizationManagementAccountException" },
          3,
          true,
          ACTION_BIT(ACTION_RESTART) | ACTION_BIT(ACTION_RESTORE) },
        /* it is asked again after a pause: who may write can have changed */
        { { .action = ACTION_RECREATE, .result = RESULT_FAILED, .error_code = "InvalidNameException" },
          2 + PAUSE,
          false,
          ACTION_BIT(ACTION_RESTORE) },
        /* after each further refusal twice as long a pause, and a day at most */
        { { .action = ACTION_RESTART, .result = RESULT_FAILED, .error_code = "AccessDenied" },
          2 + PAUSE,
          true,
          ACTION_BIT(ACTION_RESTART) | ACTION_BIT(ACTION_RESTORE) },
        { { .action = ACTION_RESTORE, .result = RESULT_NONE },
          1 + 3 * PAUSE,
          false,
          ACTION_BIT(ACTION_RESTART) },
        { { .action = ACTION_RESTORE, .result = RESULT_NONE }, 2 + 3 * PAUSE, false, 0 },
        /* what it accepts once it accepts */
        { { .action = ACTION_RESTART, .result = RESULT_CONFIRMED }, 3 + DAY, false, 0 },
        { { .action = ACTION_RESTART, .result = RESULT_FAILED, .error_code = "AccessDenied" },
          4 + DAY,
          false,
          0 },
    };
    Permission permission = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (permission_take(&permission, &rows[i].outcome, rows[i].now_usec) != rows[i].refused ||
            permission_to_ask(&permission, rows[i].now_usec) != (ACTIONS_ALL & ~rows[i].not_asked))
            fail_msg("row %zu", i);
}

static void the_pause_after_a_refusal_ends_at_a_day(void **state _unused_) {
    const Outcome refused = { .action = ACTION_RESTART,
                              .result = RESULT_FAILED,
                              .error_code = "AccessDenied" };
    Permission permission = { 0 };
    uint64_t now = 1;

    for (unsigned i = 0; i < 40; i++, now += DAY)
        assert_true(permission_take(&permission, &refused, now));
    now -= DAY;
    assert_int_equal(permission_to_ask(&permission, now + DAY - 1),
                     ACTIONS_ALL & ~ACTION_BIT(ACTION_RESTART));
    assert_int_equal(permission_to_ask(&permission, now + DAY), ACTIONS_ALL);
}

static void check_short_pauses(const Outcome *refused) {
    static const uint64_t pauses_sec[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60, 60 };
    Permission permission = { 0 };
    uint64_t now = 1;

    for (unsigned i = 0; i < ARRAY_SIZE(pauses_sec); i++) {
        assert_int_equal(permission_take(&permission, refused, now), i == 0);
        now += pauses_sec[i] * USEC_PER_SEC;
        assert_int_equal(permission_to_ask(&permission, now - 1), ACTIONS_ALL & ~ACTION_BIT(ACTION_RESTART));
        assert_int_equal(permission_to_ask(&permission, now), ACTIONS_ALL);
    }
}

/* Whoever denies the guard an action for a moment gets a minute at most. */
static void a_denial_by_a_policy_is_followed_by_a_short_pause(void **state _unused_) {
    const Outcome denied = {
        .action = ACTION_RESTART,
        .result = RESULT_FAILED,
        .error_code = "AccessDeniedException",
        .error_text = "StartLogging: AccessDeniedException: User: arn:aws:iam::111122223333:role/TrailGuard "
                      "is not authorized to perform: cloudtrail:StartLogging on resource: "
                      "arn:aws:cloudtrail:eu-central-1:444455556666:trail/org with an explicit deny in an "
                      "identity-based policy",
    };

    check_short_pauses(&denied);
}

/* ... and so does whoever makes an organization's trail private for a moment. */
static void a_trail_that_was_not_there_is_asked_for_after_a_short_pause(void **state _unused_) {
    const Outcome gone = {
        .action = ACTION_RESTART,
        .result = RESULT_FAILED,
        .error_code = "TrailNotFoundException",
        .error_text = "StartLogging: TrailNotFoundException: Unknown trail: "
                      "arn:aws:cloudtrail:eu-central-1:444455556666:trail/org for the user: 111122223333",
    };

    check_short_pauses(&gone);
}

/* ---- shards ---- */

static void what_a_shard_may_be(void **state _unused_) {
    static const struct {
        const char *text;
        Shard shard; /* total 0: refused */
    } rows[] = {
        { "1/1", { 1, 1 } },
        { "2/5", { 2, 5 } },
        { "5/5", { 5, 5 } },
        { "1000/1000", { 1000, 1000 } },
        { "10/100", { 10, 100 } },
        { "0/5", { 0 } },
        { "6/5", { 0 } },
        { "1/1001", { 0 } },
        { "1001/1001", { 0 } },
        { "", { 0 } },
        { "/", { 0 } },
        { "2", { 0 } },
        { "2/", { 0 } },
        { "/5", { 0 } },
        { "2/5/6", { 0 } },
        { "2/5 ", { 0 } },
        { " 2/5", { 0 } },
        { "2 / 5", { 0 } },
        { "02/5", { 0 } },
        { "2/05", { 0 } },
        { "-2/5", { 0 } },
        { "+2/5", { 0 } },
        { "2/5x", { 0 } },
        { "a/b", { 0 } },
        { "0/0", { 0 } },
        { "4294967297/5", { 0 } },
        { "1/4294967297", { 0 } },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Shard shard = { 77, 88 };
        bool good = shard_parse(rows[i].text, &shard);

        if (good != (rows[i].shard.total > 0) || shard.number != (good ? rows[i].shard.number : 77) ||
            shard.total != (good ? rows[i].shard.total : 88))
            fail_msg("\"%s\": %d, %u/%u", rows[i].text, good, shard.number, shard.total);
    }
}

/* Computed by a program in another language from the published algorithms. A change of any of these moves
 * accounts between guards of different versions: some would be guarded by two, and some by none. */
static void accounts_keep_their_shards_for_ever(void **state _unused_) {
    static const unsigned totals[] = { 1, 2, 3, 5, 6, 16, 100, 1000 };
    static const struct {
        const char *account;
        unsigned shards[ARRAY_SIZE(totals)];
    } rows[] = {
        { "000000000000", { 1, 2, 2, 5, 5, 14, 50, 985 } },
        { "111122223333", { 1, 2, 2, 2, 2, 8, 72, 853 } },
        { "444455556666", { 1, 1, 1, 5, 5, 16, 69, 554 } },
        { "777788889999", { 1, 2, 3, 5, 5, 7, 7, 124 } },
        { "222233334444", { 1, 2, 2, 2, 2, 16, 80, 697 } },
        { "666677778888", { 1, 2, 2, 2, 6, 6, 28, 836 } },
        { "123456789012", { 1, 1, 1, 4, 4, 15, 86, 950 } },
        { "999999999999", { 1, 2, 2, 5, 5, 5, 5, 430 } },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        for (size_t k = 0; k < ARRAY_SIZE(totals); k++)
            assert_int_equal(shard_of(rows[i].account, totals[k]), rows[i].shards[k]);
}

#define N_IDS 50000U

/* Ids as AWS gives them, spread over the whole range, or one after the other. */
static void make_id(char id[static 16], unsigned i, bool in_a_row) {
    uint64_t n = in_a_row ? i : i * UINT64_C(68718952447) % UINT64_C(899999999999); /* a prime */

    (void)snprintf(id, 16, "%012llu", (unsigned long long)(UINT64_C(100000000000) + n));
}

/* Within five standard deviations of an even split. */
static void assert_even(size_t n, size_t all, unsigned parts) {
    double mean = (double)all / parts, off = (double)n - mean, variance = mean * (1.0 - 1.0 / parts);

    if (off * off > 25 * variance)
        fail_msg("%zu of %zu accounts in one of %u shards", n, all, parts);
}

static void each_account_has_exactly_one_shard_and_shards_are_alike(void **state _unused_) {
    static const unsigned totals[] = { 1, 2, 3, 5, 6, 20 };

    for (size_t t = 0; t < 2 * ARRAY_SIZE(totals); t++) {
        unsigned total = totals[t / 2];
        size_t n[20] = { 0 };

        for (unsigned i = 0; i < N_IDS; i++) {
            unsigned holders = 0;
            char id[16];

            make_id(id, i, t % 2);
            for (unsigned k = 1; k <= total; k++)
                if (shard_has(&(Shard){ k, total }, id)) {
                    holders++;
                    n[k - 1]++;
                }
            assert_int_equal(holders, 1);
        }
        for (unsigned k = 0; k < total; k++)
            assert_even(n[k], N_IDS, total);
    }
}

static void one_shard_more_takes_its_part_and_moves_nothing_else(void **state _unused_) {
    for (unsigned total = 1; total <= 12; total++) {
        size_t moved = 0;

        for (unsigned i = 0; i < N_IDS; i++) {
            unsigned before, after;
            char id[16];

            make_id(id, i, false);
            before = shard_of(id, total);
            after = shard_of(id, total + 1);
            if (after == before)
                continue;
            assert_int_equal(after, total + 1);
            moved++;
        }
        assert_even(moved, N_IDS, total + 1);
    }
}

static void without_shards_all_accounts_are_guarded(void **state _unused_) {
    assert_true(shard_has(&(Shard){ 0 }, "111122223333"));
    assert_true(shard_has(&(Shard){ 0 }, ""));
    assert_true(shard_has(&(Shard){ 1, 1 }, "111122223333"));
    assert_true(shard_has(&(Shard){ 2, 2 }, "111122223333"));
    assert_false(shard_has(&(Shard){ 1, 2 }, "111122223333"));
    for (unsigned k = 1; k <= 2; k++) /* an account that is not known yet */
        assert_false(shard_has(&(Shard){ k, 2 }, ""));
}

/* Nothing ends before it is known that nobody guards it. */
static void a_trail_ends_with_its_account_or_its_name(void **state _unused_) {
#define HERE                                                                                                \
    { .known = true, .guarded = true, .begun = true, .all_known = true }
#define GONE                                                                                                \
    { .all_known = true }
    static const struct {
        FormerTrail trail;
        Ended ended;
    } rows[] = {
        { { .account = HERE, .named = true }, ENDED_NOT },
        { { .account = HERE }, ENDED_NOT_NAMED },
        { { .account = { .known = true, .guarded = true } }, ENDED_NOT }, /* not taken up yet */
        { { .account = HERE, .named = true, .ignored = true }, ENDED_IGNORED },
        { { .account = GONE, .ignored = true, .elsewhere = true }, ENDED_IGNORED },
        { { .account = HERE, .named = true, .elsewhere = true }, ENDED_ELSEWHERE },
        { { .account = GONE }, ENDED_ACCOUNT_GONE },
        { { .account = { .elsewhere = true } }, ENDED_ELSEWHERE },
        { { .all_listed = true }, ENDED_NOT },
        /* an organization's trail may be shown by another account */
        { { .account = GONE, .organization = true }, ENDED_NOT },
        { { .account = { .known = true, .begun = true }, .organization = true }, ENDED_NOT },
        { { .account = GONE, .organization = true, .all_listed = true }, ENDED_ACCOUNT_GONE },
        { { .account = HERE, .organization = true }, ENDED_NOT_NAMED },
        { { .account = GONE, .organization = true, .elsewhere = true }, ENDED_ELSEWHERE },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (scope_trail_ended(&rows[i].trail) != rows[i].ended)
            fail_msg("row %zu", i);
    for (Ended ended = 0; ended < _ENDED_MAX; ended++)
        assert_int_equal(scope_ended_text(ended) != NULL, ended != ENDED_NOT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_list_is_believed_when_it_comes_twice),
        cmocka_unit_test(an_empty_list_stays_suspect_until_one_is_not_empty),
        cmocka_unit_test(how_often_aws_is_asked_whether_a_region_is_enabled),
        cmocka_unit_test(which_targets_and_accounts_are_rows),
        cmocka_unit_test(a_region_that_does_not_answer_makes_no_calls),
        cmocka_unit_test(when_the_facts_of_a_trail_are_known),
        cmocka_unit_test(since_when_lists_are_empty),
        cmocka_unit_test(a_trail_that_appears_later_has_to_be_accepted),
        cmocka_unit_test(what_was_accepted_is_never_forgotten),
        cmocka_unit_test(the_bucket_of_a_new_trail_is_judged_by_what_is_known),
        cmocka_unit_test(a_region_is_off_only_where_nothing_says_otherwise),
        cmocka_unit_test(the_word_of_aws_decides_whether_a_region_is_off),
        cmocka_unit_test(aws_is_asked_only_where_its_word_can_matter),
        cmocka_unit_test(what_it_means_that_a_region_calls_keys_unknown),
        cmocka_unit_test(what_aws_says_of_a_region_stands_beside_its_refusal),
        cmocka_unit_test(which_regions_show_that_keys_are_good),
        cmocka_unit_test(a_trail_is_gone_only_by_its_own_accounts_keys),
        cmocka_unit_test(what_the_keys_of_others_do_not_show_is_an_error),
        cmocka_unit_test(which_lists_are_waited_for),
        cmocka_unit_test(when_the_tables_are_whole),
        cmocka_unit_test(a_trail_ends_with_its_account_or_its_name),
        cmocka_unit_test(how_long_keys_have_been_called_unknown),
        cmocka_unit_test(what_aws_can_be_asked_to_do_to_the_trail_of_another_account),
        cmocka_unit_test(the_pause_after_a_refusal_ends_at_a_day),
        cmocka_unit_test(a_denial_by_a_policy_is_followed_by_a_short_pause),
        cmocka_unit_test(a_trail_that_was_not_there_is_asked_for_after_a_short_pause),
        cmocka_unit_test(what_a_shard_may_be),
        cmocka_unit_test(accounts_keep_their_shards_for_ever),
        cmocka_unit_test(each_account_has_exactly_one_shard_and_shards_are_alike),
        cmocka_unit_test(one_shard_more_takes_its_part_and_moves_nothing_else),
        cmocka_unit_test(without_shards_all_accounts_are_guarded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
