/* SPDX-License-Identifier: Apache-2.0 */
/* What a log says of why nothing is done, and of why something is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/core/guard.h"
#include "lib/util/macros.h"

#define SEC 1000000ULL

static const Now now = { .mono_usec = 1000 * SEC, .real_usec = 1795428131ULL * SEC };

static const Policy policy = {
    .mode = MODE_RESTORE,
    .unreachable_after = 3,
    .restore = RESTORE_BIT(RESTORE_SETTINGS) | RESTORE_BIT(RESTORE_DELETED),
    .max_restores_per_hour = 2,
    .attribution = true,
};
static const Policy observing = { .mode = MODE_OBSERVE, .unreachable_after = 3, .max_restores_per_hour = 2 };

static const TrailFacts ours = { .writable = true };

#define STOPPED FINDING_BIT(FINDING_STOPPED)
#define MISSING FINDING_BIT(FINDING_MISSING)
#define BUCKET  FIELD_BIT(FIELD_BUCKET)

static void what_holds_it_back(void **state) {
    static const RestoreCount spent = { .n_confirmed = 2, .since_usec = 1795428131ULL * SEC - 600 * SEC };
    static const RestoreCount waiting = { .n_failures = 1, .after_mono_usec = 1004 * SEC };
    const struct {
        const Policy *policy;
        TrailFacts facts;
        TrailState s;
        const char *by;
        uint64_t until_usec;
    } cases[] = {
        { &policy, ours, { .known = true }, NULL, 0 },
        { &policy, ours, { .findings = STOPPED }, NULL, 0 },
        { &policy,
          ours,
          { .findings = STOPPED, .act_after_mono_usec = 1003 * SEC },
          "back-off after restarts that failed",
          1003 * SEC },
        { &policy,
          ours,
          { .findings = STOPPED, .act_after_mono_usec = 1003 * SEC, .acting = true },
          NULL,
          0 },
        { &observing, ours, { .findings = STOPPED }, "the configuration (mode, restore)", 0 },
        { &policy, { .writable = false }, { .findings = STOPPED }, "the trail's owner", 0 },
        { &policy,
          { .writable = true, .maintenance = true, .stop_allowed = true },
          { .findings = STOPPED },
          "a maintenance window",
          0 },
        { &policy, { .writable = true, .maintenance = true }, { .findings = STOPPED }, NULL, 0 },
        { &observing,
          { .writable = true, .maintenance = true },
          { .findings = STOPPED },
          "the configuration (mode, restore)",
          0 },
        { &policy,
          { .writable = true, .maintenance = true },
          { .fields = BUCKET },
          "a maintenance window",
          0 },
        { &policy, ours, { .fields = BUCKET }, NULL, 0 },
        { &policy, ours, { .fields = BUCKET, .provisional = true }, "nobody has accepted the trail", 0 },
        { &policy, ours, { .findings = STOPPED, .provisional = true }, NULL, 0 },
        { &policy,
          ours,
          { .fields = BUCKET, .restores = { [FIELD_BUCKET] = spent } },
          "max_restores_per_hour",
          1000 * SEC + 3000 * SEC },
        { &policy,
          ours,
          { .fields = BUCKET, .restores = { [FIELD_BUCKET] = waiting } },
          "back-off after restores that failed",
          1004 * SEC },
        { &policy, ours, { .fields = FIELD_BIT(FIELD_SELECTORS) }, "the configuration (mode, restore)", 0 },
        { &policy,
          ours,
          { .known = true, .findings = MISSING, .restores = { [_FIELD_MAX] = waiting } },
          "back-off after restores that failed",
          1004 * SEC },
        { &policy, ours, { .findings = MISSING }, "the configuration (mode, restore)", 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t until_usec = 7;
        const char *by = guard_held_back(cases[i].policy, &cases[i].facts, &cases[i].s, now, &until_usec);

        if (!cases[i].by) {
            assert_null(by);
            continue;
        }
        assert_string_equal(by, cases[i].by);
        assert_int_equal(until_usec, cases[i].until_usec);
    }
}

static void what_it_wakes_for(void **state) {
    static const struct {
        TrailState s;
        const char *reason;
    } cases[] = {
        { { .pending = { .set = true, .by_mono_usec = 999 * SEC } },
          "an alert has waited long enough for the outcome" },
        { { .pending_restore = { .set = true, .by_mono_usec = 1000 * SEC } },
          "an alert has waited long enough for the outcome" },
        { { .pending = { .set = true, .by_mono_usec = 1001 * SEC } }, "a reminder or a summary is due" },
        { { .findings = STOPPED, .act_after_mono_usec = 1000 * SEC }, "a restart or restore is due again" },
        { { .attributing = { .wanted = true } }, "a search for who did it is due" },
        { { .attributing = { .wanted = true, .seen_usec = 1795428131ULL * SEC } },
          "a reminder or a summary is due" },
        { { .attributing = { .wanted = true, .searching = true } }, "a reminder or a summary is due" },
        { { .known = true }, "a reminder or a summary is due" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(guard_wake_reason(&policy, &ours, &cases[i].s, now), cases[i].reason);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_holds_it_back),
        cmocka_unit_test(what_it_wakes_for),
    };

    return cmocka_run_group_tests_name("guard_hold", tests, NULL, NULL);
}
