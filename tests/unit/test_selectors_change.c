/* SPDX-License-Identifier: Apache-2.0 */
/* What a change of event selectors means, in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "daemon/core/selectors_change.h"
#include "lib/util/text.h"
#include "tests/unit/selector_texts.h"

#define WRITES       BASIC("{'ReadWriteType':'WriteOnly','IncludeManagementEvents':true}")
#define NO_KMS       BASIC("{'ExcludeManagementEventSources':['kms.amazonaws.com']}")
#define NO_MANAGEMENT BASIC("{'IncludeManagementEvents':false}")
#define ONLY_IAM     FIELDS_OF(MANAGEMENT "," IS("eventSource", "iam.amazonaws.com"))

static void each_change_is_named(void **state _unused_) {
    static const struct {
        const char *expected, *actual, *meaning;
    } cases[] = {
        { EVERYTHING, NO_MANAGEMENT, "management events no longer recorded" },
        { EVERYTHING, BASIC(""), "management events no longer recorded" },
        { EVERYTHING, WRITES, "only write management events recorded" },
        { EVERYTHING, BASIC("{'ReadWriteType':'ReadOnly'}"), "only read management events recorded" },
        { EVERYTHING, ONLY_IAM, "management events recorded only in part" },
        { EVERYTHING, NO_KMS, "kms.amazonaws.com excluded" },
        { EVERYTHING,
          BASIC("{'ExcludeManagementEventSources':['kms.amazonaws.com','rdsdata.amazonaws.com']}"),
          "kms.amazonaws.com, rdsdata.amazonaws.com excluded" },
        { EVERYTHING, BASIC("{'ExcludeManagementEventSources':['a','b','c','d','e']}"),
          "a, b, c and 2 more excluded" },
        { WITH_S3, EVERYTHING, "AWS::S3::Object data events no longer recorded" },
        { WITH_DATA, FIELDS_OF(MANAGEMENT),
          "AWS::S3::Object data events no longer recorded; AWS::Lambda::Function data events no longer "
          "recorded" },
        { WITH_S3, NO_MANAGEMENT,
          "management events no longer recorded; AWS::S3::Object data events no longer recorded" },
        { WITH_S3,
          BASIC("{'DataResources':[{'Type':'AWS::S3::Object','Values':['" BUCKET "']}]}"),
          "some events no longer recorded" },
        /* what is recorded besides does not hide a loss */
        { WRITES, BASIC("{'ReadWriteType':'ReadOnly'}"), "only read management events recorded" },
        { NO_MANAGEMENT, EVERYTHING, "management events recorded" },
        { WRITES, EVERYTHING, "all management events recorded" },
        { NO_KMS, EVERYTHING, "kms.amazonaws.com no longer excluded" },
        /* the same, and what is not understood */
        { EVERYTHING, FIELDS_OF(MANAGEMENT), "" },
        { EVERYTHING, BASIC("{'NewMember':true}"), "" },
        { EVERYTHING, "no JSON", "" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *expected = json_of(cases[i].expected), *actual = json_of(cases[i].actual);
        const Change change = { .field = FIELD_SELECTORS, .expected = expected, .actual = actual };
        char meaning[CHANGE_MEANING_MAX];

        if (!text_equal(change_meaning(&change, meaning), cases[i].meaning))
            fail_msg("%s\n-> %s\n'%s', not '%s'", expected, actual, meaning, cases[i].meaning);
    }
}

static void other_fields_have_no_meaning_but_their_name(void **state _unused_) {
    const Change change = { .field = FIELD_BUCKET, .expected = (char *)"a", .actual = (char *)"b" };
    char meaning[CHANGE_MEANING_MAX] = "x";

    assert_string_equal(change_meaning(&change, meaning), "");
}

/* Whoever names many sources with long names does not get more room. */
static void a_long_meaning_is_cut(void **state _unused_) {
    char actual[2048] = "{\"EventSelectors\":[{\"ExcludeManagementEventSources\":[";
    char meaning[CHANGE_MEANING_MAX];
    _cleanup_free_ char *expected = json_of(EVERYTHING);
    const Change change = { .field = FIELD_SELECTORS, .expected = expected, .actual = actual };

    for (unsigned i = 0; i < 3; i++)
        (void)snprintf(actual + strlen(actual), sizeof(actual) - strlen(actual), "%s\"%u%0200u\"",
                       i > 0 ? "," : "", i, 0U);
    (void)snprintf(actual + strlen(actual), sizeof(actual) - strlen(actual), "]}]}");
    assert_true(text_ends_with(change_meaning(&change, meaning), "..."));
    assert_int_equal(strlen(meaning), CHANGE_MEANING_MAX - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_change_is_named),
        cmocka_unit_test(other_fields_have_no_meaning_but_their_name),
        cmocka_unit_test(a_long_meaning_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
