/* SPDX-License-Identifier: Apache-2.0 */
/* link: -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/baseline.h"
#include "daemon/core/selectors.h"
#include "daemon/core/settings.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "tests/unit/alloc_fail.h"

#define KEY     "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
#define ALIAS   "arn:aws:kms:eu-west-1:111122223333:alias/trails"
#define TOPIC   "arn:aws:sns:eu-west-1:111122223333:trails"
#define GROUP   "arn:aws:logs:eu-west-1:111122223333:log-group:trails"
#define INSIGHT "[{\"InsightType\":\"ApiCallRateInsight\"},{\"InsightType\":\"ApiErrorRateInsight\"}]"
#define READS   "{\"EventSelectors\":[{\"ReadWriteType\":\"ReadOnly\"}]}"
#define NO_KEYS "{\"EventSelectors\":[{\"ExcludeManagementEventSources\":[\"kms.amazonaws.com\"]}]}"
#define ONLY_S3                                                                                             \
    "{\"AdvancedEventSelectors\":[{\"FieldSelectors\":[{\"Field\":\"eventCategory\",\"Equals\":[\"Data\"]}" \
    ","                                                                                                     \
    "{\"Field\":\"resources.type\",\"Equals\":[\"AWS::S3::Object\"]}]}]}"

#define ONE(members)    "{\"EventSelectors\":[{" members "}]}"
#define TWO(one, other) "{\"EventSelectors\":[{\"ReadWriteType\":\"ReadOnly\"," one "},{" other "}]}"
#define MANAGEMENT(condition)                                                                               \
    "{\"AdvancedEventSelectors\":[{\"FieldSelectors\":[{\"Field\":\"eventCategory\",\"Equals\":["           \
    "\"Management\"]" condition "}]}]}"

static const char *const good_values[_FIELD_MAX] = {
    [FIELD_BUCKET] = "audit-logs",
    [FIELD_PREFIX] = "",
    [FIELD_KMS_KEY] = KEY,
    [FIELD_LOG_GROUP] = GROUP ":*",
    [FIELD_LOG_ROLE] = "arn:aws:iam::111122223333:role/trails",
    [FIELD_SNS_TOPIC] = TOPIC,
    [FIELD_MULTI_REGION] = "true",
    [FIELD_GLOBAL_EVENTS] = "true",
    [FIELD_VALIDATION] = "true",
    [FIELD_ORGANIZATION] = "true",
    [FIELD_RECURSIVE] = "true",
    [FIELD_SELECTORS] = SELECTORS_DEFAULT,
    [FIELD_INSIGHTS] = INSIGHT,
    [FIELD_CONFIGURATION] = "{\"MaxEventSize\":\"Large\",\"ContextKeySelectors\":[{\"Type\":\"TagContext\","
                            "\"Equals\":[\"team\",\"owner\"]}]}",
    [FIELD_TAGS] = "{\"owner\":\"security\",\"aws:cloudformation:stack-name\":\"audit\"}",
    [FIELD_UNKNOWN] = "{\"Tomorrow\":true}",
};

/* Their texts are borrowed: for what takes settings to read. */
static void put(Settings *settings, Field field, const char *value) {
    settings->values[field] = (char *)value;
}

static Settings good(void) {
    Settings settings = { 0 };

    for (unsigned i = 0; i < _FIELD_MAX; i++)
        put(&settings, (Field)i, good_values[i]);
    return settings;
}

static Expect pinned(Field field, const char *value) {
    Expect expect = { 0 };

    put(&expect.pins, field, value);
    return expect;
}

static Settings with(Field field, const char *value) {
    Settings settings = good();

    put(&settings, field, value);
    return settings;
}

/* ---- settings and drift ---- */

static void settings_own_their_texts(void **state _unused_) {
    Settings given = good(), copy = { 0 };

    assert_int_equal(settings_copy(&given, &copy), 0);
    assert_int_equal(settings_unknown(&copy), 0);
    for (unsigned i = 0; i < _FIELD_MAX; i++) {
        assert_string_equal(copy.values[i], given.values[i]);
        assert_ptr_not_equal(copy.values[i], given.values[i]);
    }
    assert_int_equal(settings_set(&copy, FIELD_BUCKET, copy.values[FIELD_BUCKET]), 0);
    assert_string_equal(copy.values[FIELD_BUCKET], "audit-logs");
    /* older partitions do not answer it */
    assert_int_equal(settings_set(&copy, FIELD_RECURSIVE, NULL), 0);
    assert_int_equal(settings_unknown(&copy), 0);
    assert_int_equal(settings_set(&copy, FIELD_TAGS, NULL), 0);
    assert_null(copy.values[FIELD_TAGS]);
    assert_int_equal(settings_unknown(&copy), FIELD_BIT(FIELD_TAGS));
    assert_true(settings_can_be_recorded(&copy));
    /* what is known stays */
    assert_int_equal(settings_set(&copy, FIELD_PREFIX, "elsewhere"), 0);
    assert_int_equal(settings_fill(&copy, &given), 0);
    assert_string_equal(copy.values[FIELD_TAGS], given.values[FIELD_TAGS]);
    assert_string_equal(copy.values[FIELD_PREFIX], "elsewhere");
    settings_done(&copy);
    assert_false(settings_can_be_recorded(&copy));
    settings_done(&copy);
    assert_null(copy.values[FIELD_BUCKET]);
}

/* Off and on: a key, an organization, more selectors can hurt, or cost. */
static void what_proves_or_records_more_strengthens(void **state _unused_) {
    static const uint32_t stronger =
            FIELD_BIT(FIELD_MULTI_REGION) | FIELD_BIT(FIELD_GLOBAL_EVENTS) | FIELD_BIT(FIELD_VALIDATION);

    for (Field f = 0; f < FIELD_SELECTORS; f++)
        for (unsigned on = 0; on < 2; on++) {
            Settings before = with(f, on ? "false" : "true"), after = with(f, on ? "true" : "false");
            Drift drift = { 0 };

            assert_int_equal(baseline_compare(&before, &after, &drift), 0);
            assert_int_equal(drift.n, 1);
            assert_int_equal(drift.changes[0].strengthens, on && (stronger & FIELD_BIT(f)));
            drift_done(&drift);
        }
}

static void drift_is_in_the_order_of_the_fields(void **state _unused_) {
    Drift drift = { 0 }, copy = { 0 };

    assert_int_equal(drift_add(&drift, FIELD_TAGS, false, "a", NULL), 0);
    assert_int_equal(drift_add(&drift, FIELD_BUCKET, true, "b", "c"), 0);
    assert_int_equal(drift_add(&drift, FIELD_SELECTORS, true, "", "d"), 0);
    assert_int_equal(drift_add(&drift, FIELD_BUCKET, true, "b", "e"), -EEXIST);
    assert_int_equal(drift_copy(&drift, &copy), 0);
    drift_done(&drift);
    assert_int_equal(drift.n, 0);
    assert_int_equal(copy.n, 3);
    assert_int_equal(copy.changes[0].field, FIELD_BUCKET);
    assert_string_equal(copy.changes[0].actual, "c");
    assert_true(copy.changes[0].loses_events);
    assert_int_equal(copy.changes[1].field, FIELD_SELECTORS);
    assert_int_equal(copy.changes[2].field, FIELD_TAGS);
    assert_string_equal(copy.changes[2].actual, "");
    assert_false(copy.changes[2].loses_events);
    drift_done(&copy);
}

/* ---- comparing ---- */

/* Nested deeper than a canonical form goes. */
#define DEEP "[[[[[[[[[[[[[[[[[[[["
#define PEED "]]]]]]]]]]]]]]]]]]]]"

static void one_field_at_a_time(void **state _unused_) {
    static const struct {
        Field field;
        const char *was, *now; /* NULL was: as good() has it */
        int differs, loses;
    } cases[] = {
        /* each attack on a setting */
        { FIELD_BUCKET, NULL, "mallory", 1, 1 },
        { FIELD_PREFIX, NULL, "elsewhere", 1, 1 },
        { FIELD_PREFIX, "here", "", 1, 1 },
        { FIELD_KMS_KEY, NULL, "", 1, 0 },
        { FIELD_KMS_KEY, NULL, "arn:aws:kms:eu-west-1:999999999999:key/1234abcd-12ab-34cd-56ef-1234567890ab",
          1, 0 },
        { FIELD_KMS_KEY, "", KEY, 1, 0 },
        { FIELD_LOG_GROUP, NULL, "", 1, 0 },
        { FIELD_LOG_GROUP, NULL, GROUP "-2:*", 1, 0 },
        { FIELD_LOG_ROLE, NULL, "", 1, 0 },
        { FIELD_SNS_TOPIC, NULL, "", 1, 0 },
        { FIELD_SNS_TOPIC, NULL, "arn:aws:sns:eu-west-1:999999999999:trails", 1, 0 },
        { FIELD_MULTI_REGION, NULL, "false", 1, 1 },
        { FIELD_GLOBAL_EVENTS, NULL, "false", 1, 1 },
        { FIELD_ORGANIZATION, NULL, "false", 1, 1 },
        { FIELD_VALIDATION, NULL, "false", 1, 0 },
        { FIELD_VALIDATION, "false", "maybe", 1, 0 },
        { FIELD_KMS_KEY, "arn:odd", "arn:other", 1, 0 },
        { FIELD_CONFIGURATION, "not JSON", "neither", 1, 0 },
        { FIELD_CONFIGURATION, "[1]", "[2]", 1, 0 },
        { FIELD_UNKNOWN, "not JSON", "neither", 1, 0 },
        { FIELD_UNKNOWN, "{\"a\":1}", "not JSON", 1, 0 },
        { FIELD_UNKNOWN, "[1]", "[2]", 1, 0 },
        { FIELD_UNKNOWN, "{\"a\":1}", "[2]", 1, 0 },
        { FIELD_TAGS, "{\"a\":" DEEP "1" PEED "}", "{\"a\":" DEEP "2" PEED "}", 1, 0 },
        { FIELD_TAGS, "{\"a\":" DEEP "1" PEED "}", "{\"a\":" DEEP "1" PEED "}", 0, 0 },
        { FIELD_RECURSIVE, NULL, "false", 1, 1 },
        { FIELD_RECURSIVE, "false", "true", 1, 0 },
        { FIELD_SELECTORS, NULL, READS, 1, 1 },
        { FIELD_SELECTORS, READS, SELECTORS_DEFAULT, 1, 0 },
        { FIELD_INSIGHTS, NULL, "[]", 1, 0 },
        { FIELD_INSIGHTS, NULL, "", 1, 0 },
        { FIELD_INSIGHTS, NULL, "[{\"InsightType\":\"ApiCallRateInsight\"}]", 1, 0 },
        { FIELD_INSIGHTS, "[{\"InsightType\":\"a\"}]",
          "[{\"InsightType\":\"a\",\"EventCategories\":[\"Data\"]}]", 1, 0 },
        { FIELD_CONFIGURATION, NULL, "{}", 1, 0 },
        { FIELD_CONFIGURATION, NULL, "{\"MaxEventSize\":\"Large\"}", 1, 0 },
        { FIELD_CONFIGURATION, "{}", "{\"AggregationConfigurations\":[{\"EventCategory\":\"Data\"}]}", 1,
          0 },
        { FIELD_TAGS, NULL, "{\"owner\":\"mallory\"}", 1, 0 },
        { FIELD_TAGS, NULL, "{}", 1, 0 },
        { FIELD_TAGS, "not JSON", "not JSON either", 1, 0 },
        /* what is wider than before */
        { FIELD_MULTI_REGION, "false", "true", 1, 0 },
        { FIELD_ORGANIZATION, "false", "true", 1, 0 },
        /* the same by another name */
        { FIELD_KMS_KEY, "1234abcd-12ab-34cd-56ef-1234567890ab", KEY, 0, 0 },
        { FIELD_KMS_KEY, "alias/trails", ALIAS, 0, 0 },
        { FIELD_KMS_KEY, "alias/trails", "alias/others", 1, 0 },
        { FIELD_KMS_KEY, "alias/trails", KEY, 0, 0 }, /* only KMS knows */
        { FIELD_KMS_KEY, "alias/trails", "", 1, 0 },
        { FIELD_KMS_KEY, "4321abcd-12ab-34cd-56ef-1234567890ab", KEY, 1, 0 },
        { FIELD_LOG_GROUP, GROUP, GROUP ":*", 0, 0 },
        { FIELD_LOG_GROUP, GROUP ":*", GROUP, 0, 0 },
        { FIELD_SNS_TOPIC, "trails", TOPIC, 0, 0 },
        { FIELD_SNS_TOPIC, "trail", TOPIC, 1, 0 },
        { FIELD_SNS_TOPIC, "", TOPIC, 1, 0 },
        { FIELD_INSIGHTS, NULL,
          "[{\"InsightType\":\"ApiErrorRateInsight\",\"EventCategories\":[]},"
          "{\"EventCategories\":[\"Management\"],\"InsightType\":\"ApiCallRateInsight\"}]",
          0, 0 },
        { FIELD_CONFIGURATION, NULL,
          "{\"ContextKeySelectors\":[{\"Equals\":[\"owner\",\"team\"],\"Type\":\"TagContext\"}],"
          "\"AggregationConfigurations\":[],\"MaxEventSize\":\"Large\"}",
          0, 0 },
        { FIELD_CONFIGURATION, "", "{\"MaxEventSize\":\"Standard\",\"ContextKeySelectors\":null}", 0, 0 },
        /* members that this version does not know: new ones are no difference by themselves */
        { FIELD_CONFIGURATION, "{}", "{\"Tomorrow\":1}", 0, 0 },
        { FIELD_CONFIGURATION, "{\"Tomorrow\":1}", "{\"Tomorrow\":2}", 1, 0 },
        { FIELD_CONFIGURATION, "{\"ContextKeySelectors\":[{\"Type\":\"a\"}]}",
          "{\"ContextKeySelectors\":[{\"Type\":\"a\",\"Tomorrow\":1}]}", 0, 0 },
        { FIELD_INSIGHTS, "[{\"InsightType\":\"a\"}]", "[{\"InsightType\":\"a\",\"Tomorrow\":[\"x\"]}]", 0,
          0 },
        { FIELD_INSIGHTS, "[{\"InsightType\":\"a\",\"Tomorrow\":[\"x\"]}]",
          "[{\"InsightType\":\"a\",\"Tomorrow\":[\"y\"]}]", 1, 0 },
        { FIELD_SELECTORS, NULL, "{\"EventSelectors\":[{\"Tomorrow\":1}]}", 0, 0 },
        { FIELD_SELECTORS, ONE("\"Tomorrow\":1"), ONE("\"Tomorrow\":1,\"IncludeManagementEvents\":true"), 0,
          0 },
        { FIELD_SELECTORS, ONE("\"Tomorrow\":1"), ONE("\"Tomorrow\":2"), 1, 1 },
        { FIELD_SELECTORS, ONE("\"Tomorrow\":1"), ONE("\"Tomorrow\":1,\"ReadWriteType\":\"ReadOnly\""), 1,
          1 },
        /* a flag that is left out says nothing, a text that is left out is not set */
        { FIELD_SELECTORS, ONE("\"Tomorrow\":true"), ONE(""), 0, 0 },
        { FIELD_SELECTORS, ONE("\"Tomorrow\":\"arn\""), ONE(""), 1, 1 },
        /* no default: a list that selects, and anything in a condition */
        { FIELD_SELECTORS, NULL, ONE("\"Tomorrow\":[]"), 0, 0 },
        { FIELD_SELECTORS, NULL, ONE("\"Tomorrow\":[\"x\"]"), 1, 1 },
        { FIELD_SELECTORS, MANAGEMENT(""), MANAGEMENT(",\"Matches\":[]"), 0, 0 },
        { FIELD_SELECTORS, MANAGEMENT(""), MANAGEMENT(",\"Matches\":[\"x\"]"), 1, 1 },
        { FIELD_SELECTORS, MANAGEMENT(""), MANAGEMENT(",\"Matches\":\"x\""), 1, 1 },
        { FIELD_SELECTORS, MANAGEMENT(",\"Matches\":[\"x\"]"), MANAGEMENT(",\"Matches\":[\"x\"]"), 0, 0 },
        { FIELD_SELECTORS, MANAGEMENT(",\"Matches\":[\"x\"]"), MANAGEMENT(""), 1, 1 },
        { FIELD_UNKNOWN, "{}", "{\"Tomorrow\":true}", 0, 0 },
        { FIELD_UNKNOWN, NULL, "{}", 0, 0 },
        { FIELD_UNKNOWN, NULL, "{\"Tomorrow\":true,\"Late\":1}", 0, 0 },
        { FIELD_UNKNOWN, NULL, "{\"Tomorrow\":false}", 1, 0 },
        { FIELD_UNKNOWN, "{\"Tomorrow\":\"arn\"}", "{}", 1, 0 },
        /* which has which matters */
        { FIELD_SELECTORS, TWO("\"Tomorrow\":1", "\"Tomorrow\":2"), TWO("\"Tomorrow\":2", "\"Tomorrow\":1"),
          1, 1 },
        { FIELD_INSIGHTS, "", "[]", 0, 0 },
        { FIELD_TAGS, NULL, "{\"owner\":\"security\"}", 0, 0 },
        { FIELD_TAGS, "", "{}", 0, 0 },
        { FIELD_TAGS, "{}", "{\"aws:servicecatalog:x\":\"y\"}", 0, 0 },
        { FIELD_TAGS, "not JSON", "not JSON", 0, 0 },
        { FIELD_SELECTORS, NULL, "{\"EventSelectors\":[{}]}", 0, 0 },
        { FIELD_SELECTORS, NULL, SETTINGS_TOO_LONG, 1, 1 },
        /* not looked at, or not answered */
        { FIELD_BUCKET, NULL, NULL, 0, 0 },
        { FIELD_SELECTORS, NULL, NULL, 0, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Settings baseline = cases[i].was ? with(cases[i].field, cases[i].was) : good(),
                 seen = with(cases[i].field, cases[i].now);
        Drift drift = { 0 };

        assert_int_equal(baseline_compare(&baseline, &seen, &drift), 0);
        if (drift.n != (unsigned)cases[i].differs)
            fail_msg("case %zu: %u differences", i, drift.n);
        if (drift.n > 0) {
            assert_int_equal(drift.changes[0].field, cases[i].field);
            assert_int_equal(drift.changes[0].loses_events, cases[i].loses);
            assert_false(drift.changes[0].strengthens && drift.changes[0].loses_events);
            assert_string_equal(drift.changes[0].expected, baseline.values[cases[i].field]);
            assert_string_equal(drift.changes[0].actual, cases[i].now);
        }
        drift_done(&drift);

        /* and with the baseline not known */
        baseline = with(cases[i].field, NULL);
        assert_int_equal(baseline_compare(&baseline, &seen, &drift), 0);
        assert_int_equal(drift.n, 0);
    }
}

/* Of many unknown settings only those that differ are named. */
static void a_change_of_an_unknown_setting_is_named_alone(void **state _unused_) {
    Settings baseline = with(FIELD_UNKNOWN, "{\"A\":1,\"B\":[\"x\"],\"C\":\"c\"}"),
             seen = with(FIELD_UNKNOWN, "{\"A\":1,\"B\":[\"y\"],\"D\":2}");
    Drift drift = { 0 };

    assert_int_equal(baseline_compare(&baseline, &seen, &drift), 0);
    assert_int_equal(drift.n, 1);
    assert_string_equal(drift.changes[0].expected, "{\"B\":[\"x\"],\"C\":\"c\"}");
    assert_string_equal(drift.changes[0].actual, "{\"B\":[\"y\"]}");
    drift_done(&drift);
}

/* What is seen takes the place of what is recorded when nothing but such members is new. */
static void new_members_are_taken(void **state _unused_) {
    static const struct {
        Field field;
        const char *baseline, *seen, *names;
        int taken;
    } cases[] = {
        { FIELD_SELECTORS, SELECTORS_DEFAULT, ONE("\"Tomorrow\":1"), "EventSelectors.Tomorrow", 1 },
        { FIELD_SELECTORS, ONE("\"Tomorrow\":1"), ONE("\"Tomorrow\":1"), "", 0 },
        { FIELD_SELECTORS, ONE("\"Tomorrow\":1"), ONE("\"Tomorrow\":2,\"Late\":3"), "EventSelectors.Late",
          0 },
        { FIELD_SELECTORS, ONE("\"Early\":1"), ONE("\"Late\":1"), "EventSelectors.Late", 0 },
        { FIELD_SELECTORS, READS, ONE("\"Tomorrow\":1"), "EventSelectors.Tomorrow", 0 },
        { FIELD_SELECTORS, NULL, ONE("\"Tomorrow\":[\"x\"],\"Late\":1"),
          "EventSelectors.Tomorrow, EventSelectors.Late", -1 },
        { FIELD_INSIGHTS, INSIGHT, "[]", "", 0 },
        { FIELD_CONFIGURATION, "{}", "{\"Tomorrow\":{\"a\":[]}}", "EventConfiguration.Tomorrow", 1 },
        { FIELD_TAGS, "{}", "{\"Tomorrow\":\"x\"}", "", 0 },
        { FIELD_UNKNOWN, "{}", "{\"Tomorrow\":\"x\"}", "Tomorrow", 1 },
        { FIELD_UNKNOWN, "{\"Tomorrow\":\"x\"}", "{\"Tomorrow\":\"y\",\"Late\":1}", "Late", 0 },
        { FIELD_SELECTORS, "not JSON", "not JSON", "", 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_strbuf_ StrBuf names = STRBUF_INIT(1024);
        int n = baseline_new_members(cases[i].field, cases[i].baseline, cases[i].seen, &names);

        assert_true((n > 0) == (cases[i].names[0] != '\0'));
        assert_string_equal(strbuf_str(&names), cases[i].names);
        if (cases[i].taken >= 0)
            assert_int_equal(baseline_takes_members(cases[i].field, cases[i].baseline, cases[i].seen),
                             cases[i].taken);
    }
}

/* Pacu's "minimize" is one UpdateTrail. */
static void many_fields_at_once(void **state _unused_) {
    Settings baseline = good(), seen = good();
    static const Field changed[] = { FIELD_KMS_KEY,   FIELD_LOG_GROUP,    FIELD_LOG_ROLE,
                                     FIELD_SNS_TOPIC, FIELD_MULTI_REGION, FIELD_GLOBAL_EVENTS,
                                     FIELD_VALIDATION };
    Drift drift = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(changed); i++)
        put(&seen, changed[i], changed[i] >= FIELD_MULTI_REGION ? "false" : "");
    assert_int_equal(baseline_compare(&baseline, &seen, &drift), 0);
    assert_int_equal(drift.n, ARRAY_SIZE(changed));
    for (size_t i = 0; i < drift.n; i++) {
        assert_int_equal(drift.changes[i].field, changed[i]);
        assert_int_equal(drift.changes[i].loses_events,
                         changed[i] == FIELD_MULTI_REGION || changed[i] == FIELD_GLOBAL_EVENTS);
    }
    drift_done(&drift);
}

/* ---- pins ---- */

static Settings effective(const Settings *recorded, const Expect *expect) {
    Settings settings = { 0 };

    assert_int_equal(baseline_effective(recorded, expect, &settings), 0);
    return settings;
}

static void a_pin_wins(void **state _unused_) {
    static const struct {
        Field field;
        const char *recorded, *pin, *expected;
    } cases[] = {
        { FIELD_BUCKET, "mallory", "audit-logs", "audit-logs" },
        { FIELD_PREFIX, "x", "", "" },
        { FIELD_MULTI_REGION, "true", "false", "false" },
        { FIELD_VALIDATION, "false", "true", "true" },
        { FIELD_BUCKET, NULL, "audit-logs", "audit-logs" },
        { FIELD_BUCKET, "audit-logs", NULL, "audit-logs" },
        { FIELD_BUCKET, NULL, NULL, NULL },
        /* the recording is the more exact one */
        { FIELD_SNS_TOPIC, TOPIC, "trails", TOPIC },
        { FIELD_SNS_TOPIC, "", "trails", "trails" },
        { FIELD_SNS_TOPIC, TOPIC, "", "" },
        { FIELD_SNS_TOPIC, TOPIC, "arn:aws:sns:eu-west-1:444455556666:trails",
          "arn:aws:sns:eu-west-1:444455556666:trails" },
        { FIELD_KMS_KEY, KEY, "1234abcd-12ab-34cd-56ef-1234567890ab", KEY },
        { FIELD_KMS_KEY, KEY, "alias/trails", KEY },
        { FIELD_KMS_KEY, "", "alias/trails", "alias/trails" },
        { FIELD_LOG_GROUP, GROUP ":*", GROUP, GROUP ":*" },
        { FIELD_LOG_GROUP, "", GROUP, GROUP ":*" },
        { FIELD_LOG_GROUP, GROUP "-2:*", GROUP ":*", GROUP ":*" },
        { FIELD_LOG_GROUP, GROUP ":*", "", "" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Settings recorded = with(cases[i].field, cases[i].recorded), made;
        Expect expect = pinned(cases[i].field, cases[i].pin);

        made = effective(&recorded, &expect);
        if (!text_equal(made.values[cases[i].field], cases[i].expected))
            fail_msg("case %zu: %s", i, made.values[cases[i].field]);
        settings_done(&made);
    }
}

static void a_pinned_name_still_sees_another_accounts_topic(void **state _unused_) {
    Settings recorded = good(), seen = with(FIELD_SNS_TOPIC, "arn:aws:sns:eu-west-1:999999999999:trails"),
             made;
    Expect expect = pinned(FIELD_SNS_TOPIC, "trails");
    Drift drift = { 0 };

    made = effective(&recorded, &expect);
    assert_int_equal(baseline_compare(&made, &seen, &drift), 0);
    assert_int_equal(drift.n, 1);
    drift_done(&drift);
    settings_done(&made);
}

static void all_regions_bring_global_events(void **state _unused_) {
    Settings recorded = good(), made;
    Expect expect = pinned(FIELD_MULTI_REGION, "true");

    put(&recorded, FIELD_MULTI_REGION, "false");
    put(&recorded, FIELD_GLOBAL_EVENTS, "false");
    made = effective(&recorded, &expect);
    assert_string_equal(made.values[FIELD_MULTI_REGION], "true");
    assert_string_equal(made.values[FIELD_GLOBAL_EVENTS], "true");
    settings_done(&made);
    /* unless that is pinned, too */
    put(&expect.pins, FIELD_GLOBAL_EVENTS, "false");
    made = effective(&recorded, &expect);
    assert_string_equal(made.values[FIELD_GLOBAL_EVENTS], "false");
    settings_done(&made);
}

static void the_owner_of_the_bucket_can_be_pinned(void **state _unused_) {
    Settings recorded = good(), made;
    Expect expect = { 0 };

    put(&recorded, SETTING_BUCKET_OWNER, "111122223333");
    put(&expect.pins, SETTING_BUCKET_OWNER, "444455556666");
    made = effective(&recorded, &expect);
    assert_string_equal(made.values[SETTING_BUCKET_OWNER], "444455556666");
    settings_done(&made);
}

/* The one tag of a drill, and nothing else. */
static void one_tag_more(void **state _unused_) {
    static char much[CANONICAL_SIZE_MAX + 2];
    const struct {
        Field field;
        const char *was, *now;
        bool adds;
    } rows[] = {
        { FIELD_TAGS, "", "{\"k\":\"v\"}", true },
        { FIELD_TAGS, "{\"o\":\"1\"}", "{\"k\":\"v\",\"o\":\"1\",\"aws:x\":\"y\"}", true },
        { FIELD_TAGS, "{\"o\":\"1\"}", "{\"k\":\"v\"}", false },
        { FIELD_TAGS, "{}", "{\"k\":\"w\"}", false },
        { FIELD_TAGS, "{}", "{\"k\":7}", false },
        { FIELD_TAGS, "{}", "[\"k\"]", false },
        { FIELD_TAGS, "[]", "{\"k\":\"v\"}", false },
        { FIELD_TAGS, "no JSON", "{\"k\":\"v\"}", false },
        { FIELD_TAGS, much, "{\"k\":\"v\"}", false },
        { FIELD_BUCKET, "", "{\"k\":\"v\"}", false },
    };

    memset(much, ' ', sizeof(much) - 1);
    much[0] = '{';
    much[1] = '}';
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const Drift drift = { .changes = { { .field = rows[i].field,
                                             .expected = (char *)rows[i].was,
                                             .actual = (char *)rows[i].now } },
                              .n = 1 };

        assert_int_equal(baseline_adds_tag(&drift, "k", "v"), rows[i].adds);
    }
}

/* More than any setting can have is compared as it stands. */
static void what_is_too_long_is_compared_as_text(void **state _unused_) {
    static char one[CANONICAL_SIZE_MAX + 2], other[CANONICAL_SIZE_MAX + 2];
    Settings baseline = { .values = { [FIELD_TAGS] = one } };
    Settings actual = { .values = { [FIELD_TAGS] = other } };
    Drift drift;

    memset(one, 'x', sizeof(one) - 1);
    memset(other, 'x', sizeof(other) - 1);
    assert_int_equal(baseline_compare(&baseline, &actual, &drift), 0);
    assert_int_equal(drift.n, 0);
    drift_done(&drift);
    other[CANONICAL_SIZE_MAX] = 'y';
    assert_int_equal(baseline_compare(&baseline, &actual, &drift), 0);
    assert_int_equal(drift.n, 1);
    drift_done(&drift);
}

static void pinned_management_events_are_the_least(void **state _unused_) {
    static const struct {
        const char *recorded;
        ManagementEvents pin;
        const char *expected; /* NULL: as recorded */
    } cases[] = {
        { SELECTORS_DEFAULT, MANAGEMENT_ALL, NULL },
        { SELECTORS_DEFAULT, MANAGEMENT_WRITE, NULL },
        { READS, MANAGEMENT_NOT_PINNED, NULL },
        { READS, MANAGEMENT_READ, NULL },
        { READS, MANAGEMENT_WRITE, SELECTORS_DEFAULT },
        { READS, MANAGEMENT_ALL, SELECTORS_DEFAULT },
        { NO_KEYS, MANAGEMENT_ALL, SELECTORS_DEFAULT },
        { "", MANAGEMENT_READ, SELECTORS_DEFAULT },
        { NULL, MANAGEMENT_READ, NULL },
        { "not JSON", MANAGEMENT_ALL, NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Settings recorded = with(FIELD_SELECTORS, cases[i].recorded), made;
        Expect expect = { .management_events = cases[i].pin };
        const char *expected = cases[i].expected ? cases[i].expected : cases[i].recorded;

        made = effective(&recorded, &expect);
        if (!text_equal(made.values[FIELD_SELECTORS], expected))
            fail_msg("case %zu: %s", i, made.values[FIELD_SELECTORS]);
        settings_done(&made);
    }
}

/* Making good what is pinned must not cost the data events that were recorded. */
static void data_events_stay_with_a_pin(void **state _unused_) {
    Settings recorded = with(FIELD_SELECTORS, ONLY_S3), made;
    Expect expect = { .management_events = MANAGEMENT_WRITE };
    SelectorsVerdict verdict;

    made = effective(&recorded, &expect);
    assert_int_equal(selectors_compare(ONLY_S3, made.values[FIELD_SELECTORS], &verdict), 0);
    assert_true(verdict.differs && !verdict.loses);
    assert_int_equal(selectors_compare(SELECTORS_DEFAULT, made.values[FIELD_SELECTORS], &verdict), 0);
    assert_false(verdict.loses);
    settings_done(&made);
}

/* ---- weak baselines ---- */

static void weak_baselines_are_told(void **state _unused_) {
    static const struct {
        Field field;
        const char *value, *reasons;
    } cases[] = {
        { FIELD_BUCKET, "x", "" },
        { FIELD_SELECTORS, "", "records no management events" },
        { FIELD_SELECTORS, ONLY_S3, "records no management events" },
        { FIELD_SELECTORS, READS, "records only management events that read" },
        { FIELD_SELECTORS, "{\"EventSelectors\":[{\"ReadWriteType\":\"WriteOnly\"}]}",
          "records only management events that write" },
        { FIELD_SELECTORS, NO_KEYS, "" },
        { FIELD_SELECTORS, "x", "has event selectors that this version does not understand" },
        { FIELD_VALIDATION, "false", "log file validation is off" },
        { FIELD_MULTI_REGION, "false", "covers a single region only" },
        { FIELD_MULTI_REGION, NULL, "" },
        { FIELD_SELECTORS, NULL, "" },
    };
    Settings all = with(FIELD_SELECTORS, READS), nothing = { 0 };
    StrBuf b = STRBUF_INIT(1000), small = STRBUF_INIT(10);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Settings settings = with(cases[i].field, cases[i].value);

        assert_int_equal(baseline_weaknesses(&settings, &b), cases[i].reasons[0] ? 1 : 0);
        assert_string_equal(strbuf_str(&b), cases[i].reasons);
        strbuf_done(&b);
    }
    put(&all, FIELD_VALIDATION, "false");
    put(&all, FIELD_MULTI_REGION, "false");
    assert_int_equal(baseline_weaknesses(&all, &b), 3);
    assert_string_equal(strbuf_str(&b),
                        "records only management events that read; log file validation is off; "
                        "covers a single region only");
    strbuf_done(&b);
    assert_int_equal(baseline_weaknesses(&nothing, &b), 0);
    assert_int_equal(baseline_weaknesses(&all, &small), -E2BIG);
    strbuf_done(&small);
}

/* ---- canonical texts ---- */

static void one_text_for_all_that_mean_the_same(void **state _unused_) {
    static const struct {
        const char *text, *canonical; /* NULL: refused */
    } cases[] = {
        { "{}", "{}" },
        { "[]", "[]" },
        { " { \"b\" : 1, \"a\" : [ 2, 1, 2 ] } ", "{\"a\":[1,2],\"b\":1}" },
        { "{\"a\":null,\"b\":[],\"c\":{}}", "{\"c\":{}}" },
        { "[{\"x\":[3,1]},{\"x\":[1,3]}]", "[{\"x\":[1,3]}]" },
        { "[\"\\u00e4\",\"a\"]", "[\"a\",\"\xc3\xa4\"]" },
        { "[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]", "[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]" },
        { "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", NULL },
        { "1", NULL },
        { "", NULL },
        { "{\"a\":1", NULL },
        { "{\"a\":1} x", NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *made = NULL;

        assert_int_equal(canonical_json(cases[i].text, &made), cases[i].canonical ? 0 : -EINVAL);
        if (cases[i].canonical)
            assert_string_equal(made, cases[i].canonical);
        else
            assert_null(made);
    }
}

static void without_memory_nothing_is_said(void **state _unused_) {
    Settings recorded = with(FIELD_SELECTORS, ONLY_S3), seen = with(FIELD_TAGS, "{\"owner\":\"mallory\"}");
    Expect expect = pinned(FIELD_LOG_GROUP, GROUP "-2");
    unsigned n;

    expect.management_events = MANAGEMENT_ALL;
    for (n = 0;; n++) {
        Settings made = { 0 };
        Drift drift = { 0 };
        int r, q;

        alloc_fail_after(n);
        r = baseline_effective(&recorded, &expect, &made);
        q = baseline_compare(&recorded, &seen, &drift);
        if (!alloc_fail_end()) {
            assert_true(r == 0 && q == 0 && drift.n == 2 && settings_unknown(&made) == 0);
            settings_done(&made);
            drift_done(&drift);
            break;
        }
        assert_true(r == 0 || (r == -ENOMEM && !made.values[FIELD_BUCKET]));
        assert_true(q == 0 || (q == -ENOMEM && drift.n == 0));
        settings_done(&made);
        drift_done(&drift);
    }
    assert_true(n > 5);
}

static void weak_baselines_are_named_together(void **state _unused_) {
    static const struct {
        size_t n;
        const char *end;
    } rows[] = {
        { 1, "t0 eu-central-1 111122223333" },
        { 2, "111122223333, t1 eu-central-1 111122223333" },
        { 8, ", t7 eu-central-1 111122223333" },
        { 9, ", t7 eu-central-1 111122223333 and 1 more, see the journal" },
        { 12, ", t7 eu-central-1 111122223333 and 4 more, see the journal" },
    };
    static const char *const names[] = { "t0", "t1", "t2", "t3", "t4",  "t5",
                                         "t6", "t7", "t8", "t9", "t10", "t11" };
    Subject trails[ARRAY_SIZE(names)];

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        trails[i] = (Subject){
            .name = names[i], .arn = "", .region = "eu-central-1", .account = "111122223333"
        };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_strbuf_ StrBuf b = STRBUF_INIT(1024);
        size_t end = strlen(rows[i].end);

        assert_int_equal(baseline_name_weak(trails, rows[i].n, &b), 0);
        assert_true(strlen(strbuf_str(&b)) >= end);
        assert_string_equal(strbuf_str(&b) + strlen(strbuf_str(&b)) - end, rows[i].end);
    }
    {
        _cleanup_strbuf_ StrBuf small = STRBUF_INIT(40);

        assert_int_equal(baseline_name_weak(trails, 3, &small), -E2BIG);
    }
}

/* A key that moves into another account is its owner's to open. */
static void where_a_key_moves_to(void **state) {
#define KEY_IN(account) "arn:aws:kms:eu-central-1:" account ":key/1234abcd-12ab-34cd-56ef-1234567890ab"
    static const struct {
        Field field;
        const char *was, *now;
        const char *into; /* NULL: it did not move */
    } rows[] = {
        { FIELD_KMS_KEY, KEY_IN("111122223333"), KEY_IN("999988887777"), "999988887777" },
        { FIELD_KMS_KEY, "", KEY_IN("999988887777"), "999988887777" },
        { FIELD_KMS_KEY, "alias/trails", KEY_IN("999988887777"), "999988887777" },
        { FIELD_KMS_KEY, KEY_IN("999988887777"), KEY_IN("444455556666"), "444455556666" },
        { FIELD_KMS_KEY, KEY_IN("999988887777"), KEY_IN("111122223333"), NULL },
        { FIELD_KMS_KEY, KEY_IN("999988887777"), "arn:aws:kms:eu-central-1:999988887777:alias/x", NULL },
        { FIELD_KMS_KEY, KEY_IN("111122223333"), "", NULL },
        { FIELD_KMS_KEY, KEY_IN("111122223333"), KEY_IN(""), NULL },
        { FIELD_KMS_KEY, KEY_IN("111122223333"), "1234abcd-12ab-34cd-56ef-1234567890ab", NULL },
        { FIELD_SNS_TOPIC, "", "arn:aws:sns:eu-central-1:999988887777:t", NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const Change change = { .field = rows[i].field,
                                .expected = (char *)rows[i].was,
                                .actual = (char *)rows[i].now };
        Arn key = { 0 };

        if (baseline_key_moved(&change, "111122223333", &key) != (rows[i].into != NULL) ||
            !text_equal(key.account, rows[i].into ? rows[i].into : ""))
            fail_msg("row %zu", i);
    }
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_a_key_moves_to),
        cmocka_unit_test(settings_own_their_texts),
        cmocka_unit_test(drift_is_in_the_order_of_the_fields),
        cmocka_unit_test(what_proves_or_records_more_strengthens),
        cmocka_unit_test(one_field_at_a_time),
        cmocka_unit_test(new_members_are_taken),
        cmocka_unit_test(a_change_of_an_unknown_setting_is_named_alone),
        cmocka_unit_test(many_fields_at_once),
        cmocka_unit_test(a_pin_wins),
        cmocka_unit_test(a_pinned_name_still_sees_another_accounts_topic),
        cmocka_unit_test(all_regions_bring_global_events),
        cmocka_unit_test(the_owner_of_the_bucket_can_be_pinned),
        cmocka_unit_test(one_tag_more),
        cmocka_unit_test(what_is_too_long_is_compared_as_text),
        cmocka_unit_test(pinned_management_events_are_the_least),
        cmocka_unit_test(data_events_stay_with_a_pin),
        cmocka_unit_test(weak_baselines_are_told),
        cmocka_unit_test(weak_baselines_are_named_together),
        cmocka_unit_test(one_text_for_all_that_mean_the_same),
        cmocka_unit_test(without_memory_nothing_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
