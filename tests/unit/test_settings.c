/* SPDX-License-Identifier: Apache-2.0 */
/* link: -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc */
/* Differences that are kept, and members of settings that this version does not know. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "daemon/core/settings.h"
#include "lib/util/json_text.h"
#include "lib/util/macros.h"
#include "tests/unit/alloc_fail.h"

/* ---- differences ---- */

static Drift drift_of(const char *actual) {
    Drift drift = { 0 };

    assert_int_equal(drift_add(&drift, FIELD_PREFIX, false, NULL, actual), 0);
    assert_string_equal(drift.changes[0].expected, "");
    return drift;
}

static void differences_are_kept_until_others_are(void **state _unused_) {
    Drift *kept = NULL, drift = drift_of("a");

    assert_int_equal(drift_kept(kept)->n, 0);
    assert_int_equal(drift_keep(&kept, &(Drift){ 0 }), 0);
    assert_null(kept);
    assert_int_equal(drift_keep(&kept, &drift), 0);
    assert_int_equal(drift.n, 0);
    assert_string_equal(drift_kept(kept)->changes[0].actual, "a");

    drift = drift_of("b");
    alloc_fail_after(0);
    assert_int_equal(drift_keep(&kept, &drift), -ENOMEM);
    assert_true(alloc_fail_end());
    assert_string_equal(drift_kept(kept)->changes[0].actual, "a");
    assert_string_equal(drift.changes[0].actual, "b");
    assert_int_equal(drift_keep(&kept, &drift), 0);
    assert_string_equal(drift_kept(kept)->changes[0].actual, "b");
    assert_int_equal(drift_keep(&kept, &(Drift){ 0 }), 0);
    assert_null(kept);
}

/* ---- texts ---- */

static void what_is_too_long_has_no_canonical_text(void **state _unused_) {
    _cleanup_free_ char *text = malloc(CANONICAL_SIZE_MAX + 2);

    assert_non_null(text);
    for (unsigned over = 0; over < 2; over++) {
        _cleanup_free_ char *made = NULL;

        memset(text, ' ', CANONICAL_SIZE_MAX + 1);
        memcpy(text, "[1]", strlen("[1]"));
        text[CANONICAL_SIZE_MAX + over] = '\0';
        assert_int_equal(canonical_json(text, &made), over ? -EINVAL : 0);
    }
}

/* ---- members that this version does not know; texts with ' for " ---- */

static json_t *load(const char *quoted) {
    _cleanup_free_ char *text = strdup(quoted);
    json_t *value;

    assert_non_null(text);
    for (char *p = text; *p; p++)
        if (*p == '\'')
            *p = '"';
    value = json_loads(text, 0, NULL);
    if (!value)
        fail_msg("%s", quoted);
    return value;
}

static void assert_same(const json_t *value, const char *quoted) {
    json_t *expected = load(quoted);

    if (!json_equal(value, expected)) {
        _cleanup_free_ char *text = json_dumps(value, JSON_COMPACT);

        fail_msg("%s instead of %s", text, quoted);
    }
    json_decref(expected);
}

/* What a value may be, and where. */
static const struct {
    const char *value;
    bool is_nothing, is_scalar;
    bool is_flag; /* what AWS always shows once it knows it */
} values[] = {
    { "null", true, true, true },     { "false", true, true, true },      { "''", true, true, true },
    { "[]", true, true, true },       { "{}", true, true, true },         { "true", false, true, true },
    { "1", false, true, true },       { "1.5", false, true, true },       { "'x'", false, true, false },
    { "['x']", false, false, false }, { "{'x':1}", false, false, false },
};

static void what_may_be_a_default_passes(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        char text[64];
        json_t *object;

        (void)snprintf(text, sizeof(text), "{'Type':'t','New':%s}", values[i].value);
        object = load(text);
        assert_int_equal(unknown_members_pass(UNKNOWN_IN_RESOURCE, object), values[i].is_nothing);
        assert_true(unknown_members_pass("UnknownSettings", object));
        (void)json_object_del(object, "Type");
        assert_int_equal(unknown_members_pass(UNKNOWN_IN_BASIC, object), values[i].is_scalar);
        json_decref(object);
    }
}

#define BASIC(s) "{'EventSelectors':[" s "]}"

/* Of the baseline and of what AWS shows each has what the other has not. */
static void what_one_side_lacks_is_passed_over(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        char with[64], other[64];
        json_t *a, *b;

        (void)snprintf(with, sizeof(with), BASIC("{'Old':%s}"), values[i].value);
        (void)snprintf(other, sizeof(other), BASIC("{'New':%s}"), values[i].value);
        a = load(with);
        b = load(other);
        assert_int_equal(unknown_members_align(FIELD_SELECTORS, a, b), 0);
        assert_same(a, values[i].is_flag ? BASIC("{}") : with);
        assert_same(b, values[i].is_scalar ? BASIC("{}") : other);
        json_decref(a);
        json_decref(b);
    }
}

static void values_are_compared_object_by_object_where_they_are_several(void **state _unused_) {
    static const struct {
        const char *a, *b;
        bool differ;
    } cases[] = {
        { "[{'New':1}]", "[{'New':1}]", false },
        { "[{'New':1}]", "[{'New':2}]", true },
        { "[{'New':1},{'New':1}]", "[{'New':1}]", false }, /* one value */
        { "[{'New':1}]", "[{'New':1},{'New':2},{'New':1}]", true },
        { "[{'New':1},{'New':2},{'New':1}]", "[{'New':1}]", true },
        { "[{'InsightType':'a','New':1},{'InsightType':'b','New':2}]",
          "[{'InsightType':'a','New':2},{'InsightType':'b','New':1}]", true },
        { "[{'InsightType':'a','New':1},{'InsightType':'b','New':2}]",
          "[{'InsightType':'a','New':1},{'InsightType':'b','New':2}]", false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_t *a = load(cases[i].a), *b = load(cases[i].b);
        bool differ = !cases[i].differ;

        assert_int_equal(unknown_members_differ(FIELD_INSIGHTS, a, b, &differ), 0);
        if (differ != cases[i].differ)
            fail_msg("%s, %s", cases[i].a, cases[i].b);
        json_decref(a);
        json_decref(b);
    }
}

/* What AWS shows and nobody has recorded stays as it is when the rest is put back. */
static void what_is_written_has_what_aws_shows(void **state _unused_) {
    static const struct {
        const char *value, *from, *filled;
    } cases[] = {
        { BASIC("{},{}"), BASIC("{'New':1}"), BASIC("{'New':1},{'New':1}") },
        { BASIC("{}"), BASIC("{'New':1},{'New':2}"), BASIC("{}") },           /* which? */
        { BASIC("{'New':2},{}"), BASIC("{'New':1}"), BASIC("{'New':2},{}") }, /* it was recorded */
        { BASIC("{}"), BASIC("{'New':['x']}"), BASIC("{}") },                 /* nobody's default */
        { BASIC("{'DataResources':[{'Type':'t'}]}"), BASIC("{'DataResources':[{'New':null}]}"),
          BASIC("{'DataResources':[{'Type':'t','New':null}]}") },
        /* the other form was put there */
        { BASIC("{}"), "{'AdvancedEventSelectors':[{'New':1}]}", BASIC("{}") },
        { "{'AdvancedEventSelectors':[{}]}", BASIC("{'New':1}"), "{'AdvancedEventSelectors':[{}]}" },
        { "{'EventSelectors':1}", BASIC("{'New':1}"), "{'EventSelectors':1}" },
        { BASIC("1,[{}]"), BASIC("{'New':1}"), BASIC("1,[{}]") },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_t *value = load(cases[i].value), *from = load(cases[i].from);

        assert_int_equal(unknown_members_fill(FIELD_SELECTORS, value, from), 0);
        assert_same(value, cases[i].filled);
        json_decref(value);
        json_decref(from);
    }
}

static void all_of_them_can_be_left_out(void **state _unused_) {
    json_t *value =
            load(BASIC("{'ReadWriteType':'All','New':1,'DataResources':[{'Type':'t','Odd':['x']}]}"));

    unknown_members_drop(FIELD_SELECTORS, value);
    assert_same(value, BASIC("{'ReadWriteType':'All','DataResources':[{'Type':'t'}]}"));
    json_decref(value);
}

static void what_of_the_incident_differs_no_more_is_added(void **state _unused_) {
    Drift now = { 0 }, before = { 0 };

    assert_int_equal(drift_add(&now, FIELD_PREFIX, true, "a", "c"), 0);
    assert_int_equal(drift_add(&before, FIELD_PREFIX, false, "a", "b"), 0);
    assert_int_equal(drift_add(&before, FIELD_BUCKET, true, "x", "y"), 0);
    drift_add_missing(&now, &before);
    assert_int_equal(now.n, 2);
    assert_int_equal(now.changes[0].field, FIELD_BUCKET);
    assert_true(now.changes[0].loses_events);
    assert_string_equal(now.changes[0].actual, "y");
    assert_string_equal(now.changes[1].actual, "c");
    drift_done(&now);
    drift_done(&before);
}

static void which_fields_could_not_be_read(void **state _unused_) {
    static char some[] = "{}";
    static const uint32_t configuration = FIELD_BIT(FIELD_CONFIGURATION), tags = FIELD_BIT(FIELD_TAGS);
    Settings settings = { 0 };

    for (Field f = 0; f < _FIELD_MAX; f++)
        settings.values[f] = some;
    assert_int_equal(settings_lacking(&settings, true, false), 0);
    settings.values[FIELD_TAGS] = settings.values[FIELD_CONFIGURATION] = NULL;
    assert_int_equal(settings_lacking(&settings, false, false), tags);
    assert_int_equal(settings_lacking(&settings, true, false), tags | configuration);
    assert_int_equal(settings_lacking(&settings, true, true), configuration);
    assert_int_equal(settings_lacking(&settings, false, true), 0);
    settings.values[FIELD_BUCKET] = NULL;
    assert_int_equal(settings_lacking(&settings, false, true), FIELD_BIT(FIELD_BUCKET));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences_are_kept_until_others_are),
        cmocka_unit_test(what_is_too_long_has_no_canonical_text),
        cmocka_unit_test(what_may_be_a_default_passes),
        cmocka_unit_test(what_one_side_lacks_is_passed_over),
        cmocka_unit_test(values_are_compared_object_by_object_where_they_are_several),
        cmocka_unit_test(what_is_written_has_what_aws_shows),
        cmocka_unit_test(all_of_them_can_be_left_out),
        cmocka_unit_test(what_of_the_incident_differs_no_more_is_added),
        cmocka_unit_test(which_fields_could_not_be_read),
    };

    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
