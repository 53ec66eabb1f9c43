/* SPDX-License-Identifier: Apache-2.0 */
/* Words of enums: each is read as the value that it was written for, and a value out of range has none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/core/enum_names.h"
#include "lib/util/macros.h"

/* A pair of functions that takes any number in the place of its enum. */
#define DEFINE_PAIR(name, Type)                                                                             \
    static const char *name##_to(unsigned value) {                                                          \
        return name##_to_string((Type)value);                                                               \
    }                                                                                                       \
    static unsigned name##_from(const char *word) {                                                         \
        return (unsigned)name##_from_string(word);                                                          \
    }                                                                                                       \
    struct _swallow_semicolon_

DEFINE_PAIR(mode, Mode);
DEFINE_PAIR(cause, CauseKind);
DEFINE_PAIR(field, Field);
DEFINE_PAIR(severity, Severity);
DEFINE_PAIR(verdict, Verdict);
DEFINE_PAIR(finding, Finding);
DEFINE_PAIR(poll_error, PollError);
DEFINE_PAIR(action, Action);
DEFINE_PAIR(action_result, ActionResult);
DEFINE_PAIR(drill_actor, DrillActor);

static void words_are_read_as_they_are_written(void **state _unused_) {
    static const struct {
        const char *(*to)(unsigned value);
        unsigned (*from)(const char *word);
        unsigned max;
    } cases[] = {
        { mode_to, mode_from, _MODE_MAX },
        { cause_to, cause_from, _CAUSE_MAX },
        { field_to, field_from, _FIELD_MAX },
        { severity_to, severity_from, _SEVERITY_MAX },
        { verdict_to, verdict_from, _VERDICT_MAX },
        { finding_to, finding_from, _FINDING_MAX },
        { poll_error_to, poll_error_from, _POLL_ERROR_MAX },
        { action_to, action_from, _ACTION_MAX },
        { action_result_to, action_result_from, _RESULT_MAX },
        { drill_actor_to, drill_actor_from, _DRILL_ACTOR_MAX },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        for (unsigned value = 0; value < cases[i].max; value++)
            assert_int_equal(cases[i].from(cases[i].to(value)), value);
        assert_string_equal(cases[i].to(cases[i].max), "?");
        assert_int_equal(cases[i].from("?"), cases[i].max);
        assert_int_equal(cases[i].from(NULL), cases[i].max);
    }
}

static void what_is_only_written_has_no_word_out_of_range(void **state _unused_) {
    assert_string_equal(unreadable_to_string(_UNREADABLE_MAX), "?");
    assert_string_equal(destination_to_string(_DESTINATION_MAX), "?");
    assert_string_equal(alert_format_to_string(_ALERT_FORMAT_MAX), "?");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_read_as_they_are_written),
        cmocka_unit_test(what_is_only_written_has_no_word_out_of_range),
    };

    return cmocka_run_group_tests_name("enum_names", tests, NULL, NULL);
}
