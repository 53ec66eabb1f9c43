/* SPDX-License-Identifier: Apache-2.0 */
/* When the organization's list of accounts counts as unreadable, and when that is said again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/core/scope.h"
#include "lib/util/macros.h"

#define SEC USEC_PER_SEC

/* Lists that fail at these seconds; the one that is reported, from 1; 0: none. */
static const struct {
    const char *name;
    unsigned after;
    unsigned at[6];
    unsigned n, reported;
} failures[] = {
    { "one is a hiccup", 3, { 1000 }, 1, 0 },
    { "two as well", 3, { 1000, 1015 }, 2, 0 },
    { "the third counts", 3, { 1000, 1015, 1045 }, 3, 3 },
    { "and once only", 3, { 1000, 1015, 1045, 1105, 1225, 1465 }, 6, 3 },
    { "the first counts where that is wanted", 1, { 1000, 1015 }, 2, 1 },
    { "after 5 minutes, however many are wanted", 100, { 1000, 1015, 1045, 1299, 1300, 1500 }, 6, 5 },
    { "not because the clock was set back", 100, { 1000, 10, 20 }, 3, 0 },
};

static void which_failure_is_reported(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
        AccountListTrouble trouble = { 0 };
        unsigned reported = 0;

        for (unsigned k = 0; k < failures[i].n; k++)
            if (account_list_failed(&trouble, k == 0 ? "" : "111122223333", k == 0 ? "first" : "denied",
                                    failures[i].after, failures[i].at[k] * SEC)) {
                if (reported != 0)
                    fail_msg("%s: reported twice", failures[i].name);
                reported = k + 1;
                account_list_reported(&trouble, failures[i].at[k] * SEC);
            }
        if (reported != failures[i].reported)
            fail_msg("%s: reported the failure %u, not %u", failures[i].name, reported,
                     failures[i].reported);
        assert_int_equal(trouble.n_failed, failures[i].n);
        assert_int_equal(trouble.since_usec, failures[i].at[0] * SEC); /* the mark stays */
        assert_string_equal(trouble.account, ""); /* the keys came later: the incident's id stays, too */
        assert_string_equal(trouble.error, failures[i].n == 1 ? "first" : "denied");
    }
}

static void a_message_that_was_lost_is_made_again(void **state _unused_) {
    AccountListTrouble trouble = { 0 };

    assert_true(account_list_failed(&trouble, "111122223333", "denied", 1, 1000 * SEC));
    assert_true(account_list_failed(&trouble, "111122223333", "denied", 1, 1015 * SEC));
    account_list_reported(&trouble, 1015 * SEC);
    assert_false(account_list_failed(&trouble, "111122223333", "denied", 1, 1045 * SEC));
}

static void reminders(void **state _unused_) {
    static const uint64_t hour = 3600 * SEC;
    AccountListTrouble trouble = { 0 };

    assert_false(account_list_reminds(&trouble, hour, 20 * hour)); /* it can be read */
    assert_false(account_list_failed(&trouble, "111122223333", "denied", 3, 10 * hour));
    assert_false(account_list_reminds(&trouble, hour, 20 * hour)); /* not reported yet */
    account_list_reported(&trouble, 10 * hour);
    assert_int_equal(trouble.n_reminders, 0);
    assert_false(account_list_reminds(&trouble, 0, 30 * hour)); /* reminder_interval = 0 */
    assert_false(account_list_reminds(&trouble, hour, 11 * hour - 1));
    assert_true(account_list_reminds(&trouble, hour, 11 * hour));
    account_list_reported(&trouble, 11 * hour);
    assert_int_equal(trouble.n_reminders, 1);
    assert_int_equal(trouble.sequence, 2);
    assert_false(account_list_reminds(&trouble, hour, 11 * hour + 1));
    assert_false(account_list_reminds(&trouble, hour, 5 * hour)); /* the clock was set back ... */
    assert_true(account_list_reminds(&trouble, hour, 6 * hour));  /* ... and does not silence it */
}

static void when_it_is_read_again(void **state _unused_) {
    assert_true(account_list_is_due(true, false, 5, 5));
    assert_false(account_list_is_due(true, false, 5, 4));
    assert_false(account_list_is_due(true, true, 5, 5));
    assert_false(account_list_is_due(false, false, 0, 5)); /* the first try comes with our identity */
}

/* Its id is made of the incident's mark and the number. */
static void a_reminder_that_is_made_again_is_the_same(void **state _unused_) {
    AccountListTrouble trouble = { .n_failed = 3, .since_usec = 7, .sequence = 1 };
    Event event = { .kind = EVENT_INCIDENT_REMINDER, .phase = PHASE_REMINDER, .dedup_usec = 7 };

    for (unsigned i = 0; i < 2; i++) {
        account_list_complete(&trouble, &event);
        assert_true(event.n_reminders == 1 && event.sequence == 2 && event.dedup_usec == 7);
        assert_int_equal(event.still, EVENT_ORGANIZATION_UNREADABLE);
    }
    account_list_reported(&trouble, 200);
    account_list_complete(&trouble, &event);
    assert_true(event.n_reminders == 2 && event.sequence == 3);
    event = (Event){ .kind = EVENT_ORGANIZATION_READABLE, .phase = PHASE_RESOLVED };
    account_list_complete(&trouble, &event);
    assert_true(event.n_reminders == 0 && event.still == 0 && event.sequence == 3);
}

static void how_its_end_is_said(void **state _unused_) {
    static const struct {
        AccountListTrouble trouble;
        bool forgotten;
        AccountListEnd end;
    } rows[] = {
        { { 0 }, false, ACCOUNT_LIST_SILENT },
        { { .n_failed = 2 }, false, ACCOUNT_LIST_IN_LINE },
        { { .n_failed = 2 }, true, ACCOUNT_LIST_SILENT },
        { { .n_failed = 3, .sequence = 1 }, false, ACCOUNT_LIST_REPORTED },
        { { .n_failed = 3, .sequence = 1 }, true, ACCOUNT_LIST_REPORTED },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (account_list_end(&rows[i].trouble, rows[i].forgotten) != rows[i].end)
            fail_msg("row %zu", i);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_failure_is_reported),
        cmocka_unit_test(a_message_that_was_lost_is_made_again),
        cmocka_unit_test(reminders),
        cmocka_unit_test(when_it_is_read_again),
        cmocka_unit_test(a_reminder_that_is_made_again_is_the_same),
        cmocka_unit_test(how_its_end_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
