/* SPDX-License-Identifier: Apache-2.0 */
/* Trouble on trouble: for which of it the event history is searched first, and for which settings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/guard_search.h"

static void one_deed_or_two(void **unused) {
    (void)unused;
    for (unsigned same = 0; same < 2; same++) {
        Life l = curious(MODE_RESTART);

        result(&l, logging(STARTED, 0));
        stop_trail(&l);
        held(&l, EPOCH + SEC, EPOCH);
        pass_time(&l, 2 * SEC);
        result(&l, logging(EPOCH + 2 * SEC, EPOCH + SEC));   /* off once more */
        assert_true(l.state.attributing.seen_usec == EPOCH); /* the search goes on as planned */
        (void)wait_for_search(&l);
        found(&l, same ? EPOCH + SEC : EPOCH);
        assert_int_equal(l.plan.n_events, 1);
        assert_int_equal(l.state.attributing.wanted, !same);
        if (same)
            continue;
        assert_true(l.state.attributing.dedup_usec == EPOCH + SEC);
        assert_int_equal(wait_for_search(&l), 5 * SEC);
        found(&l, EPOCH + SEC);
        assert_int_equal(l.plan.events[0].kind, EVENT_TRAIL_ATTRIBUTED);
        assert_true(l.plan.events[0].dedup_usec == EPOCH + SEC);
        assert_false(l.state.attributing.wanted);
    }
}

/* Nobody is found for what closed the bucket; who deleted the trail is searched five seconds later, and the
 * older search goes on after it. Lesser trouble waits. What is done meanwhile is not its cause. */
static void worse_trouble_is_searched_first(void **unused) {
    static const uint32_t bucket = FINDING_BIT(FINDING_BUCKET), missing = FINDING_BIT(FINDING_MISSING);
    Life l = curious(MODE_OBSERVE);
    Observation seen = logging(STARTED, 0);
    uint64_t from_usec, noticed_usec, until_usec;

    (void)unused;
    result(&l, seen);
    (void)strcpy(seen.bucket_error, "x");
    result(&l, seen);
    assert_int_equal(l.state.attributing.findings, bucket);
    from_usec = l.state.attributing.from_usec;
    until_usec = l.state.attributing.until_usec;
    noticed_usec = l.now.real_usec;
    (void)wait_for_search(&l);
    found_nobody(&l);
    pass_time(&l, SEC);
    result(&l, absent());
    assert_int_equal(l.state.attributing.findings, missing);
    assert_int_equal(l.state.attributing.again_findings, bucket);
    assert_int_equal(wait_for_search(&l), 5 * SEC);
    found(&l, l.now.real_usec - 5 * SEC);
    assert_int_equal(l.plan.n_events, 1);
    assert_int_equal(l.plan.events[0].about, missing);
    assert_true(l.state.attributing.wanted);
    assert_int_equal(l.state.attributing.findings, bucket);
    assert_true(l.state.attributing.from_usec <= from_usec);
    assert_true(l.state.attributing.noticed_usec == noticed_usec);
    assert_true(l.state.attributing.until_usec == until_usec);
    assert_int_equal(wait_for_search(&l), 5 * SEC);
}

/* The state of an older version has no time for the search that waits: it is that of its own beginning. */
static void a_search_that_an_older_version_put_off(void **unused) {
    Life l = curious(MODE_OBSERVE);
    Observation seen = logging(STARTED, 0);

    (void)unused;
    result(&l, seen);
    (void)strcpy(seen.bucket_error, "x");
    result(&l, seen);
    pass_time(&l, SEC);
    result(&l, absent());
    assert_true(l.state.attributing.again_noticed_usec != 0);
    l.state.attributing.again_noticed_usec = 0;
    (void)wait_for_search(&l);
    found(&l, l.now.real_usec - SEC);
    assert_int_equal(l.state.attributing.findings, FINDING_BIT(FINDING_BUCKET));
    assert_true(l.state.attributing.noticed_usec == l.state.attributing.seen_usec);
    assert_true(l.state.attributing.seen_usec >= l.now.real_usec);
}

static void differ(Life *l, Field field) {
    Observation seen = logging(STARTED, 0);
    Drift drift = { .n = field < _FIELD_MAX,
                    .changes = { { field, true, (char *)"a", (char *)"b", false } } };

    pass_time(l, SEC);
    decide(l, (TrailInput){ .kind = GUARD_POLLED, .seen = &seen, .drift = &drift });
}

/* They were changed back, and the incident is about other trouble, or about other settings, when the search
 * has its turn. */
static void the_search_is_about_the_settings_that_were_changed(void **unused) {
    static const uint32_t key = FIELD_BIT(FIELD_KMS_KEY), selectors = FIELD_BIT(FIELD_SELECTORS);
    Observation broken = logging(STARTED, 0);
    Life l = curious(MODE_OBSERVE);
    uint64_t noticed_usec;

    (void)unused;
    (void)strcpy(broken.bucket_error, "x");
    differ(&l, _FIELD_MAX);
    differ(&l, FIELD_KMS_KEY);
    differ(&l, _FIELD_MAX);
    pass_time(&l, SEC);
    result(&l, broken);
    assert_int_equal(l.state.incident.fields, 0);
    assert_int_equal(l.state.attributing.fields, key);
    differ(&l, _FIELD_MAX);
    differ(&l, FIELD_SELECTORS);
    assert_int_equal(l.state.attributing.fields, key);
    assert_int_equal(l.state.attributing.again_fields, selectors);
    noticed_usec = l.now.real_usec;
    (void)wait_for_search(&l);
    found(&l, EPOCH);
    assert_true(l.state.attributing.wanted);
    assert_int_equal(l.state.attributing.fields, selectors);
    assert_int_equal(l.state.attributing.again_fields, 0);
    assert_true(l.state.attributing.noticed_usec == noticed_usec);
}

/* The search for whoever deleted the trail comes first, and the one for who changed it goes on after it. */
static void worse_trouble_keeps_the_settings_that_are_searched(void **unused) {
    static const uint32_t key = FIELD_BIT(FIELD_KMS_KEY);
    Life l = curious(MODE_OBSERVE);

    (void)unused;
    differ(&l, _FIELD_MAX);
    differ(&l, FIELD_KMS_KEY);
    pass_time(&l, SEC);
    result(&l, absent());
    assert_int_equal(l.state.attributing.fields, 0);
    (void)wait_for_search(&l);
    found(&l, l.now.real_usec - 5 * SEC);
    assert_int_equal(l.state.attributing.fields, key);
}

/* A message that waits for the restore takes a further setting with it, and so does the search. */
static void a_further_setting_is_searched_with_the_first(void **unused) {
    Life l = curious(MODE_RESTORE);
    Observation seen = logging(STARTED, 0);
    Drift both = { .n = 2, .changes = { { FIELD_KMS_KEY, true, (char *)"a", (char *)"b", false },
                                        { FIELD_PREFIX, true, (char *)"a", (char *)"b", false } } };

    (void)unused;
    differ(&l, _FIELD_MAX);
    differ(&l, FIELD_KMS_KEY);
    assert_true(l.state.pending_restore.set);
    l.state.incident.restore.result = RESULT_NONE; /* none is under way: the comparison counts */
    decide(&l, (TrailInput){ .kind = GUARD_POLLED, .seen = &seen, .drift = &both });
    assert_int_equal(l.state.attributing.fields, FIELD_BIT(FIELD_KMS_KEY) | FIELD_BIT(FIELD_PREFIX));
}

/* The search for who changed the first setting has its turn after that for who stopped the trail. */
static void a_further_setting_is_searched_after_worse_trouble(void **unused) {
    static const uint32_t key = FIELD_BIT(FIELD_KMS_KEY), prefix = FIELD_BIT(FIELD_PREFIX);
    Life l = curious(MODE_RESTORE);
    const Attributing *at = &l.state.attributing;
    Observation seen = logging(EPOCH + 2 * SEC, EPOCH + SEC);
    Drift drift = { .n = 1, .changes = { { FIELD_KMS_KEY, true, (char *)"a", (char *)"b", false },
                                         { FIELD_PREFIX, true, (char *)"a", (char *)"b", false } } };

    (void)unused;
    differ(&l, _FIELD_MAX);
    stop_trail(&l);
    held(&l, seen.start_usec, seen.stop_usec);
    pass_time(&l, 2 * SEC);
    decide(&l, (TrailInput){ .kind = GUARD_POLLED, .seen = &seen, .drift = &drift });
    assert_true(l.state.pending_restore.set);
    assert_int_equal(at->findings, FINDING_BIT(FINDING_STOPPED));
    assert_int_equal(at->again_fields, key);
    l.state.incident.restore.result = RESULT_NONE; /* none is under way: the comparison counts */
    drift.n = 2;
    decide(&l, (TrailInput){ .kind = GUARD_POLLED, .seen = &seen, .drift = &drift });
    assert_int_equal(at->fields, 0);
    assert_int_equal(at->again_fields, key | prefix);
    (void)wait_for_search(&l);
    found(&l, EPOCH);
    assert_true(at->wanted);
    assert_int_equal(at->fields, key | prefix);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_deed_or_two),
        cmocka_unit_test(worse_trouble_is_searched_first),
        cmocka_unit_test(a_search_that_an_older_version_put_off),
        cmocka_unit_test(the_search_is_about_the_settings_that_were_changed),
        cmocka_unit_test(worse_trouble_keeps_the_settings_that_are_searched),
        cmocka_unit_test(a_further_setting_is_searched_with_the_first),
        cmocka_unit_test(a_further_setting_is_searched_after_worse_trouble),
    };

    return cmocka_run_group_tests_name("guard_attribute_order", tests, NULL, NULL);
}
