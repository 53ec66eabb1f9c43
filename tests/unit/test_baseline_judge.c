/* SPDX-License-Identifier: Apache-2.0 */
/* What a difference from the settings to keep is, where some of them are pinned: a table of cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/core/baseline.h"
#include "daemon/core/settings.h"
#include "lib/util/macros.h"

typedef struct Case {
    Field field;
    const char *recorded, *pin, *actual; /* pin NULL: it is not pinned; recorded NULL: not known */
    bool differs, as_recorded, strengthens;
} Case;

static const Case cases[] = {
    { .field = FIELD_BUCKET, .recorded = "logs", .actual = "logs" },
    { .field = FIELD_BUCKET, .recorded = "logs", .actual = "evil", .differs = true },
    /* a new pin: nobody changed the trail */
    { .field = FIELD_BUCKET,
      .recorded = "logs",
      .pin = "vault",
      .actual = "logs",
      .differs = true,
      .as_recorded = true },
    { .field = FIELD_BUCKET, .recorded = "logs", .pin = "vault", .actual = "evil", .differs = true },
    { .field = FIELD_BUCKET, .recorded = "logs", .pin = "vault", .actual = "vault" },
    { .field = FIELD_BUCKET, .pin = "vault", .actual = "logs", .differs = true, .as_recorded = true },
    /* more is proven than was recorded ... */
    { .field = FIELD_VALIDATION,
      .recorded = "false",
      .actual = "true",
      .differs = true,
      .strengthens = true },
    { .field = FIELD_VALIDATION, .recorded = "true", .actual = "false", .differs = true },
    /* ... unless the configuration says otherwise */
    { .field = FIELD_VALIDATION, .recorded = "false", .pin = "false", .actual = "true", .differs = true },
    { .field = FIELD_VALIDATION,
      .recorded = "true",
      .pin = "false",
      .actual = "true",
      .differs = true,
      .as_recorded = true },
};

static void what_a_difference_is(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const Case *c = &cases[i];
        Settings recorded = { 0 }, desired = { 0 }, actual = { 0 };
        Drift drift = { 0 };
        bool right;

        recorded.values[c->field] = (char *)c->recorded;
        desired.values[c->field] = (char *)(c->pin ? c->pin : c->recorded);
        actual.values[c->field] = (char *)c->actual;
        assert_int_equal(
                baseline_judge(&recorded, &desired, c->pin ? FIELD_BIT(c->field) : 0, &actual, &drift), 0);
        right = drift.n == c->differs &&
                (drift.n == 0 || (drift.changes[0].as_recorded == c->as_recorded &&
                                  drift.changes[0].strengthens == c->strengthens));
        drift_done(&drift);
        if (!right)
            fail_msg("row %zu", i);
    }
}

/* A pin of one field says nothing of another. */
static void each_field_has_its_own_pin(void **state _unused_) {
    const Settings recorded = { .values = { [FIELD_MULTI_REGION] = (char *)"false",
                                            [FIELD_VALIDATION] = (char *)"false" } },
                   actual = { .values = { [FIELD_MULTI_REGION] = (char *)"true",
                                          [FIELD_VALIDATION] = (char *)"true" } };
    Drift drift = { 0 };

    assert_int_equal(baseline_judge(&recorded, &recorded, FIELD_BIT(FIELD_VALIDATION), &actual, &drift), 0);
    assert_int_equal(drift.n, 2);
    assert_true(drift.changes[0].field == FIELD_MULTI_REGION && drift.changes[0].strengthens);
    assert_true(drift.changes[1].field == FIELD_VALIDATION && !drift.changes[1].strengthens);
    drift_done(&drift);
}

static void each_set_of_pins_has_a_mark(void **state _unused_) {
    static char a[] = "a", b[] = "b";
    Expect none = { 0 }, bucket = { .pins.values[FIELD_BUCKET] = a },
           prefix = { .pins.values[FIELD_PREFIX] = a }, other = { .pins.values[FIELD_BUCKET] = b },
           events = { .management_events = MANAGEMENT_ALL },
           both = { .pins.values[FIELD_BUCKET] = a, .management_events = MANAGEMENT_ALL };
    const Expect *sets[] = { &none, &bucket, &prefix, &other, &events, &both };

    assert_int_equal(baseline_pinned(&none), 0);
    assert_int_equal(baseline_pinned(&both), FIELD_BIT(FIELD_BUCKET));
    assert_true(baseline_pins_mark(&none) == 0);
    for (size_t i = 1; i < ARRAY_SIZE(sets); i++) {
        uint64_t mark = baseline_pins_mark(sets[i]);

        assert_true(mark != 0 && mark <= INT64_MAX && mark == baseline_pins_mark(sets[i]));
        for (size_t k = 0; k < i; k++)
            assert_true(mark != baseline_pins_mark(sets[k]));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_difference_is),
        cmocka_unit_test(each_field_has_its_own_pin),
        cmocka_unit_test(each_set_of_pins_has_a_mark),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
