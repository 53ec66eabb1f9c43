/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a trail's bucket is asked about, what it has to be like, and whose it can be: tables of cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/bucket_plan.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define OWN   "111122223333"
#define OTHER "444455556666"
#define THIRD "777788889999"

#define TEXT(field, text) [field] = (char *)(text)
#define BUCKET(name)      TEXT(FIELD_BUCKET, name)

static const Settings none, logs = { { BUCKET("logs") } }, evil = { { BUCKET("evil") } },
                            empty = { { BUCKET("") } };

static void when_a_bucket_is_asked_about(void **state _unused_) {
    enum { NO, OWNER, WHOLE };
    const struct {
        BucketFacts facts;
        int asked;
    } rows[] = {
        { { .bucket_checks = true, .owner_check = true, .recorded = true }, WHOLE },
        { { .bucket_checks = true, .recorded = true }, WHOLE },
        { { .owner_check = true, .recorded = true }, OWNER },
        { { .recorded = true }, NO },
        /* one question at a time */
        { { .bucket_checks = true, .recorded = true, .under_way = true }, NO },
        /* whose it is could not be found out, and is not asked again; of another bucket it is */
        { { .owner_check = true, .recorded = true, .unasked = "logs" }, NO },
        { { .owner_check = true, .recorded = true, .unasked = "others" }, OWNER },
        { { .bucket_checks = true, .owner_check = true, .recorded = true, .unasked = "logs" }, WHOLE },
        /* without a baseline nothing says what it has to be like; a check shows what is there */
        { { .bucket_checks = true }, NO },
        { { .bucket_checks = true, .once = true }, WHOLE },
        { { .owner_check = true, .once = true }, OWNER },
        { { .once = true }, NO },
        /* of one that nobody has accepted the message names the owner, and nothing more is asked */
        { { .bucket_checks = true, .recorded = true, .provisional = true }, NO },
        { { .bucket_checks = true, .recorded = true, .provisional = true, .message_waits = true }, OWNER },
        { { .recorded = true, .provisional = true, .message_waits = true }, NO },
        { { .bucket_checks = true, .recorded = true, .message_waits = true }, WHOLE },
        /* no bucket, or none known */
        { { .bucket_checks = true, .recorded = true, .desired = &none }, NO },
        { { .bucket_checks = true, .recorded = true, .desired = &empty }, NO },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        BucketFacts facts = rows[i].facts;
        BucketPlan plan;

        facts.unasked = facts.unasked ? facts.unasked : "";
        facts.baseline = facts.actual = &logs;
        facts.desired = facts.desired ? facts.desired : &logs;
        plan = bucket_plan(&facts);
        if ((!plan.asked ? NO : plan.owner_only ? OWNER : WHOLE) != rows[i].asked)
            fail_msg("row %zu", i);
        assert_int_equal(plan.bucket != NULL, rows[i].asked != NO);
    }
}

static void where_log_files_have_to_get_through(void **state _unused_) {
    static const Settings recorded = { { BUCKET("logs"), TEXT(FIELD_PREFIX, "a"),
                                         TEXT(FIELD_KMS_KEY, "key") } },
                          pinned = { { BUCKET("logs"), TEXT(FIELD_PREFIX, "b") } },
                          moved = { { BUCKET("logs"), TEXT(FIELD_PREFIX, "c") } },
                          elsewhere = { { BUCKET("evil"), TEXT(FIELD_PREFIX, "c") } };
    static const struct {
        const Settings *baseline, *desired, *actual;
        bool recorded, once;
        const char *bucket, *prefix, *actual_prefix, *key;
        bool pinned;
    } rows[] = {
        { &recorded, &recorded, &recorded, true, false, "logs", "a", "a", "key", false },
        { &recorded, &recorded, &moved, true, false, "logs", "a", "c", "key", false },
        /* a prefix of another bucket says nothing about this one */
        { &recorded, &recorded, &elsewhere, true, false, "logs", "a", NULL, "key", false },
        { &recorded, &recorded, &none, true, false, "logs", "a", NULL, "key", false },
        { &recorded, &pinned, &recorded, true, false, "logs", "b", "a", NULL, true },
        /* a check goes by what has to be, where that is known */
        { &recorded, &recorded, &moved, true, true, "logs", "a", "c", "key", false },
        { &none, &none, &elsewhere, false, true, "evil", "c", "c", NULL, true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const BucketFacts facts = {
            .bucket_checks = true,
            .recorded = rows[i].recorded,
            .once = rows[i].once,
            .unasked = "",
            .baseline = rows[i].baseline,
            .desired = rows[i].desired,
            .actual = rows[i].actual,
        };
        const BucketPlan plan = bucket_plan(&facts);

        if (!plan.asked || !text_equal(plan.bucket, rows[i].bucket) ||
            !text_equal(plan.prefix, rows[i].prefix) ||
            !text_equal(plan.actual_prefix, rows[i].actual_prefix) || !text_equal(plan.key, rows[i].key) ||
            plan.pinned != rows[i].pinned)
            fail_msg("row %zu", i);
    }
}

static void whose_a_bucket_can_be(void **state _unused_) {
    static const struct {
        const char *recorded, *desired, *account, *prefix;
        const char *guarded[3];
        const char *order; /* the ids, one after another */
        bool known, confirmed;
    } rows[] = {
        /* the trail's account first; then who is guarded */
        { NULL, NULL, OWN, NULL, { 0 }, OWN, false, true },
        { NULL, NULL, OWN, NULL, { OTHER, OWN, THIRD }, OWN OTHER THIRD, false, true },
        /* an account that is not known yet, and what is no id */
        { NULL, NULL, OWN, NULL, { "", "1234", OTHER }, OWN OTHER, false, true },
        /* a prefix often names an account */
        { NULL, NULL, OWN, OTHER, { THIRD }, OWN OTHER THIRD, false, true },
        { NULL, NULL, OWN, "logs/" OTHER "/" THIRD, { 0 }, OWN OTHER THIRD, false, true },
        { NULL, NULL, OWN, "x" OTHER "x", { 0 }, OWN OTHER, false, true },
        { NULL, NULL, OWN, OTHER "0/12345678901/2026", { 0 }, OWN, false, true },
        { NULL, NULL, OWN, "", { 0 }, OWN, false, true },
        /* whose it has to be comes first; only a recording is what S3 confirmed */
        { OTHER, OTHER, OWN, NULL, { 0 }, OTHER OWN, true, true },
        { NULL, OTHER, OWN, NULL, { 0 }, OTHER OWN, true, false },
        { THIRD, OTHER, OWN, NULL, { THIRD }, OTHER OWN THIRD, true, false },
        { OWN, OWN, OWN, OWN, { OWN }, OWN, true, true },
        { "12", "12", OWN, NULL, { 0 }, OWN, false, true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const Settings baseline = { .values = { [SETTING_BUCKET_OWNER] = (char *)rows[i].recorded } },
                       desired = { .values = { [SETTING_BUCKET_OWNER] = (char *)rows[i].desired } };
        char order[12 * BUCKET_OWNERS_MAX + 1] = "";
        BucketOwners owners;

        bucket_owners_begin(&baseline, &desired, rows[i].account, rows[i].prefix, &owners);
        for (size_t k = 0; k < ARRAY_SIZE(rows[i].guarded) && rows[i].guarded[k]; k++)
            bucket_owners_add(&owners, rows[i].guarded[k]);
        for (size_t k = 0; k < owners.n; k++)
            (void)strcat(order, owners.ids[k]);
        if (!text_equal(order, rows[i].order) || owners.known != rows[i].known ||
            owners.confirmed != rows[i].confirmed)
            fail_msg("row %zu: %s", i, order);
    }
}

static void no_more_are_asked_about_than_there_is_room_for(void **state _unused_) {
    BucketOwners owners;
    char id[13];

    bucket_owners_begin(&none, &none, OWN, NULL, &owners);
    for (unsigned i = 0; i < 2 * BUCKET_OWNERS_MAX; i++) {
        (void)snprintf(id, sizeof(id), "%012u", i);
        bucket_owners_add(&owners, id);
    }
    assert_int_equal(owners.n, BUCKET_OWNERS_MAX);
    assert_string_equal(owners.ids[0], OWN);
    assert_string_equal(owners.ids[1], "000000000000");
}

static void the_first_confirmed_owner_of_the_recorded_bucket_is_recorded(void **state _unused_) {
    static const Settings owned = { { BUCKET("logs"), TEXT(SETTING_BUCKET_OWNER, OWN) } };
    static const struct {
        const Settings *baseline, *desired;
        const char *owner;
        bool recorded;
    } rows[] = {
        { &logs, &logs, OWN, true },
        { &logs, &logs, "", false },      /* S3 did not say */
        { &owned, &owned, OTHER, false }, /* another one than before is trouble, and no recording */
        { &logs, &evil, OWN, false },     /* of the bucket that a pin names */
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(bucket_owner_is_to_record(rows[i].baseline, rows[i].desired, rows[i].owner),
                         rows[i].recorded);
}

static void when_the_settings_say_which_bucket_it_is(void **state _unused_) {
    for (unsigned bits = 0; bits < 8; bits++) {
        bool once = bits & 1, recorded = bits & 2, provisional = bits & 4;

        assert_int_equal(bucket_follows_settings(once, recorded, provisional),
                         provisional || (once && !recorded));
    }
}

static void which_bucket_is_asked_about(void **state _unused_) {
    assert_string_equal(bucket_asked(&logs, &evil), "logs");
    assert_string_equal(bucket_asked(&none, &evil), "evil");
    assert_null(bucket_asked(&none, &none));
}

static void how_many_calls_a_bucket_takes(void **state _unused_) {
    assert_int_equal(bucket_calls(1, true, false, "key"), 3);
    assert_int_equal(bucket_calls(1, true, true, "key"), 4);
    assert_int_equal(bucket_calls(1, true, true, ""), 3);
    assert_int_equal(bucket_calls(1, true, true, NULL), 3);
    assert_int_equal(bucket_calls(5, false, false, NULL), 5); /* it is nobody's that we know */
}

static void whose_a_bucket_is_need_not_be_known(void **state _unused_) {
    static const struct {
        bool bucket_checks, known, failed, out_of_reach;
    } rows[] = {
        { false, false, true, true },
        { false, false, false, false },
        /* it answered before, or all of it was asked for */
        { false, true, true, false },
        { true, false, true, false },
        { true, true, true, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(bucket_owner_is_out_of_reach(rows[i].bucket_checks, rows[i].known, rows[i].failed),
                         rows[i].out_of_reach);
}

/* Only what is polled again can be seen to be over. */
static void what_was_found_or_unreadable_stays_so_over_a_restart(void **state _unused_) {
#define FOUND (FINDING_BIT(FINDING_BUCKET) | FINDING_BIT(FINDING_LIFECYCLE) | FINDING_BIT(FINDING_KEY))
#define UNREAD(what) FINDING_BIT(FINDING_UNREADABLE(UNREADABLE_##what))
    static const struct {
        BucketResume in;
        bool bucket, lifecycle, key; /* are still in trouble */
        unsigned unread;             /* bits, by Unreadable */
    } rows[] = {
        { { .findings = 0, .bucket_checks = true }, false, false, false, 0 },
        { { .findings = FOUND, .bucket_checks = true }, true, true, true, 0 },
        { { .findings = FINDING_BIT(FINDING_KEY), .bucket_checks = true, .owner_check = true },
          false,
          false,
          true,
          0 },
        /* that asks for the bucket alone */
        { { .findings = FOUND, .owner_check = true }, true, false, false, 0 },
        { { .findings = FOUND }, false, false, false, 0 },
        { { .findings = UNREAD(TAGS) }, false, false, false, 1U << UNREADABLE_TAGS },
        { { .findings = UNREAD(BUCKET) | UNREAD(KEY), .bucket_checks = true },
          false,
          false,
          false,
          1U << UNREADABLE_BUCKET | 1U << UNREADABLE_KEY },
        { { .findings = UNREAD(BUCKET) | UNREAD(KEY), .owner_check = true },
          false,
          false,
          false,
          1U << UNREADABLE_BUCKET },
        { { .findings = UNREAD(BUCKET) | UNREAD(KEY) }, false, false, false, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        unsigned n_failed[_UNREADABLE_MAX] = { [UNREADABLE_TAGS] = 7 };
        BucketResume in = rows[i].in;
        Observation seen = { 0 };

        in.unreachable_after = 3;
        bucket_resume(&in, &seen, n_failed);
        if ((seen.bucket_error[0] != '\0') != rows[i].bucket ||
            (seen.lifecycle_error[0] != '\0') != rows[i].lifecycle ||
            (seen.key_error[0] != '\0') != rows[i].key)
            fail_msg("row %zu", i);
        for (Unreadable u = 0; u < _UNREADABLE_MAX; u++) {
            bool unread = rows[i].unread & 1U << u;

            assert_int_equal(n_failed[u], unread ? 3 : 0);
            assert_string_equal(seen.unreadable[u], unread ? "not read since the start" : "");
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(when_a_bucket_is_asked_about),
        cmocka_unit_test(where_log_files_have_to_get_through),
        cmocka_unit_test(whose_a_bucket_can_be),
        cmocka_unit_test(no_more_are_asked_about_than_there_is_room_for),
        cmocka_unit_test(the_first_confirmed_owner_of_the_recorded_bucket_is_recorded),
        cmocka_unit_test(when_the_settings_say_which_bucket_it_is),
        cmocka_unit_test(which_bucket_is_asked_about),
        cmocka_unit_test(how_many_calls_a_bucket_takes),
        cmocka_unit_test(whose_a_bucket_is_need_not_be_known),
        cmocka_unit_test(what_was_found_or_unreadable_stays_so_over_a_restart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
