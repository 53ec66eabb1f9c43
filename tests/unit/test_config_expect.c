/* SPDX-License-Identifier: Apache-2.0 */
/* What a trail must be like, what may be written, and when changes are expected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config.h"
#include "daemon/core/settings.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"
#include "tests/unit/golden_file.h"

#define BASE "alerts = ();\n"
#define ARN  "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"
#define FROM "from = \"2026-11-24T22:00:00Z\"; "
#define TO   "until = \"2026-11-25T02:00:00+01:00\"; "

static Config *parse(const char *text) {
    char error[CONFIG_ERROR_MAX];
    Config *config = NULL;

    if (config_parse("t.conf", text, strlen(text), &config, error) < 0)
        fail_msg("%s", error);
    return config;
}

static uint64_t at(const char *iso) {
    uint64_t usec;

    assert_int_equal(timetext_parse_iso(iso, &usec), 0);
    return usec;
}

static void defaults_are_those_of_the_manual(void **state _unused_) {
    Config *config = parse(BASE);
    Policy policy = config_policy(config);

    assert_int_equal(config->mode, MODE_RESTART);
    assert_int_equal(policy.restore, RESTORE_BIT(RESTORE_SETTINGS) | RESTORE_BIT(RESTORE_SELECTORS) |
                                             RESTORE_BIT(RESTORE_INSIGHTS));
    assert_int_equal(policy.max_restores_per_hour, 30);
    assert_int_equal(policy.stale_after_usec, 7200 * USEC_PER_SEC);
    assert_true(policy.attribution);
    assert_false(config->bucket_checks);
    assert_true(config->owner_check);
    assert_false(config->guard_checks);
    assert_int_equal(config->guard_interval_sec, 86400);
    assert_int_equal(config->n_maintenance, 0);
    assert_int_equal(config->expect.management_events, MANAGEMENT_NOT_PINNED);
    for (unsigned i = 0; i < _FIELD_MAX; i++)
        assert_null(config->expect.pins.values[i]);
    assert_null(config_maintenance_at(config, "main", ARN, at("2026-11-24T22:00:00Z")));
    config_free(config);
}

static void everything_can_be_said(void **state _unused_) {
    static const char *const expected[_FIELD_MAX] = {
        [FIELD_BUCKET] = "audit.logs-1",  [FIELD_PREFIX] = "",
        [FIELD_KMS_KEY] = "alias/trails", [FIELD_LOG_GROUP] = "arn:aws:logs:x:111122223333:log-group:/a/b:*",
        [FIELD_SNS_TOPIC] = "trails",     [FIELD_MULTI_REGION] = "true",
        [FIELD_GLOBAL_EVENTS] = "true",   [FIELD_VALIDATION] = "false",
    };
    Config *config = parse(
            BASE
            "mode = \"restore\"; restore = ( \"deleted\", \"insights\" ); stale_after = 0;\n"
            "max_restores_per_hour = 7; bucket_checks = true; attribution = false; owner_check = false;\n"
            "guard_checks = true; guard_interval = 600;\n"
            "expect = { bucket = \"audit.logs-1\"; prefix = \"\"; kms_key = \"alias/trails\";\n"
            "log_group = \"arn:aws:logs:x:111122223333:log-group:/a/b:*\"; sns_topic = \"trails\";\n"
            "multi_region = true; global_events = true; validation = false;\n"
            "management_events = \"read\"; };\n");
    Policy policy = config_policy(config);

    assert_int_equal(policy.mode, MODE_RESTORE);
    assert_int_equal(policy.restore, RESTORE_BIT(RESTORE_DELETED) | RESTORE_BIT(RESTORE_INSIGHTS));
    assert_int_equal(policy.max_restores_per_hour, 7);
    assert_int_equal(policy.stale_after_usec, 0);
    assert_false(policy.attribution);
    assert_true(config->bucket_checks);
    assert_false(config->owner_check);
    assert_true(config->guard_checks);
    assert_int_equal(config->guard_interval_sec, 600);
    assert_int_equal(config->expect.management_events, MANAGEMENT_READ);
    for (unsigned i = 0; i < _FIELD_MAX; i++)
        assert_true(text_equal(config->expect.pins.values[i], expected[i]));
    config_free(config);
}

static void keys_have_four_forms(void **state _unused_) {
    static const char *const forms[] = {
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "mrk-1234abcd12ab34cd56ef1234567890ab",
        "alias/aws/x_y-z",
        "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:eu-central-1:111122223333:alias/trails",
    };

    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        char text[300];
        Config *config;

        (void)snprintf(text, sizeof(text), BASE "expect = { kms_key = \"%s\"; };", forms[i]);
        config = parse(text);
        assert_string_equal(config->expect.pins.values[FIELD_KMS_KEY], forms[i]);
        config_free(config);
    }
}

/* Whoever names a trail wins over what is for all, and whoever gives its ARN over that. */
static void pins_are_for_all_or_for_one(void **state _unused_) {
    static const struct {
        const char *name, *arn, *bucket, *validation;
        ManagementEvents management;
    } cases[] = {
        { "other", "", "all-logs", "true", MANAGEMENT_WRITE },
        { "main", "", "all-logs", "false", MANAGEMENT_ALL },
        { "main", ARN, "the-logs", "false", MANAGEMENT_ALL },
        { "other", ARN, "the-logs", "true", MANAGEMENT_WRITE },
    };
    Config *config =
            parse(BASE "expect = ( { trail = \"" ARN "\"; bucket = \"the-logs\"; },\n"
                       "{ bucket = \"all-logs\"; validation = true; management_events = \"write\"; },\n"
                       "{ trail = \"main\"; validation = false; management_events = \"all\"; } );");

    assert_int_equal(config->n_trail_expects, 2);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Expect expect;

        assert_int_equal(config_expect_of(config, cases[i].name, cases[i].arn, &expect), 0);
        assert_string_equal(expect.pins.values[FIELD_BUCKET], cases[i].bucket);
        assert_string_equal(expect.pins.values[FIELD_VALIDATION], cases[i].validation);
        assert_int_equal(expect.management_events, cases[i].management);
        assert_null(expect.pins.values[FIELD_PREFIX]);
        settings_done(&expect.pins);
    }
    config_free(config);
}

static void windows_open_and_close(void **state _unused_) {
    Config *config = parse(BASE "maintenance = ( { " FROM TO "reason = \"first\"; },\n"
                                "{ trail = \"main\"; " FROM
                                "until = \"2026-11-25T00:00:00Z\"; stop_allowed = true; },\n"
                                "{ trail = \"" ARN "\"; " FROM
                                "until = \"2026-12-24T22:00:00Z\"; reason = \"third\"; } );\n");
    static const struct {
        const char *name, *arn, *at;
        int window; /* -1: none */
    } cases[] = {
        { "other", "", "2026-11-24T21:59:59Z", -1 },
        { "other", "", "2026-11-24T22:00:00Z", 0 },
        { "other", "", "2026-11-25T00:59:59Z", 0 },
        { "other", "", "2026-11-25T01:00:00Z", -1 },
        { "main", "", "2026-11-24T22:00:00Z", 1 },
        { "main", ARN, "2026-11-24T23:59:59Z", 1 }, /* the one that allows stopping */
        { "main", ARN, "2026-11-25T00:00:00Z", 2 }, /* the one that ends last */
        { "main", "", "2026-11-25T00:00:00Z", 0 },
        { "main", "arn:aws:cloudtrail:us-east-1:111122223333:trail/main", "2026-11-25T01:00:00Z", -1 },
        { "main", ARN, "2026-12-24T21:59:59Z", 2 },
        { "main", ARN, "2026-12-24T22:00:00Z", -1 },
    };

    assert_int_equal(config->n_maintenance, 3);
    assert_string_equal(config->maintenance[0].reason, "first");
    assert_false(config->maintenance[0].stop_allowed);
    assert_null(config->maintenance[1].reason);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const MaintenanceConfig *open =
                config_maintenance_at(config, cases[i].name, cases[i].arn, at(cases[i].at));

        if (open != (cases[i].window < 0 ? NULL : &config->maintenance[cases[i].window]))
            fail_msg("case %zu", i);
    }
    config_free(config);
}

static const char *const refused[] = {
    BASE "mode = \"restor\";",
    BASE "restore = \"settings\";",
    BASE "restore = [ \"settings\",\n\"all\" ];",
    BASE "restore = [ \"settings\", \"settings\" ];",
    BASE "restore = [ 1 ];",
    BASE "stale_after = 599;",
    BASE "stale_after = 604801;",
    BASE "stale_after = -1;",
    BASE "max_restores_per_hour = 0;",
    BASE "max_restores_per_hour = 1001;",
    BASE "bucket_checks = 1;",
    BASE "expect = [];",
    BASE "expect = { trail = \"main\"; };",
    BASE "expect = (\n1 );",
    BASE "expect = (\n{ trail = 1; } );",
    BASE "expect = (\n{ trail = \"-x-\"; } );",
    BASE "expect = ( { trail = \"main\"; },\n{ trail = \"main\"; } );",
    BASE "expect = ( { validation = true; },\n{ } );",
    BASE "expect = ( { trail = \"main\";\nbucket = \"a/b\"; } );",
    BASE "expect = ( { global_events = false; }, { trail = \"main\"; multi_region = true; } );",
    BASE "expect = {\nmulti_regoin = true; };",
    BASE "expect = { validation = \"true\"; };",
    BASE "expect = { bucket = \"a/b\"; };",
    BASE "expect = { bucket = \"\"; };",
    BASE "expect = { prefix = 5; };",
    BASE "expect = { prefix = \"a\\x0ab\"; };",
    BASE "expect = { kms_key = \"trails\"; };",
    BASE "expect = { kms_key = \"arn:aws:sns:eu-central-1:111122223333:trails\"; };",
    BASE "expect = { kms_key = \"arn:aws:kms:eu-central-1:111122223333:key/x\"; };",
    BASE "expect = { kms_key = \"alias/\"; };",
    BASE "expect = { log_group = \"trails\"; };",
    BASE "expect = { sns_topic = \"a b\"; };",
    BASE "expect = { sns_topic = \"arn:aws:sqs:eu-central-1:111122223333:trails\"; };",
    BASE "expect = { management_events = \"writes\"; };",
    BASE "expect = { multi_region = true; global_events = false; };",
    BASE "maintenance = {};",
    BASE "maintenance = (\n\"now\" );",
    BASE "maintenance = (\n{ " FROM " } );",
    BASE "maintenance = ( { " TO " } );",
    BASE "maintenance = ( { " FROM "until = \"2026-11-24T22:00:00Z\"; } );",
    BASE "maintenance = ( { " FROM "until = \"2026-12-24T22:00:01Z\"; } );",
    BASE "maintenance = ( { " FROM "\nuntil = \"2026-11-25T22:00:00\"; } );",
    BASE "maintenance = ( { from = \"2026-11-24T22:00:00.5Z\"; " TO " } );",
    BASE "maintenance = ( { from = 5; " TO " } );",
    BASE "maintenance = ( { " FROM TO "trail = \"-x-\"; } );",
    BASE "maintenance = ( { " FROM TO "trail = 5; } );",
    BASE "maintenance = ( { " FROM TO "reason = \"\"; } );",
    BASE "maintenance = ( { " FROM TO "stop_allowed = 1; } );",
    BASE "maintenance = ( { " FROM TO "stop = true; } );",
};

static void mistakes_are_named(void **state _unused_) {
    StrBuf golden = STRBUF_INIT(GOLDEN_TEXT_LEN);

    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        char error[CONFIG_ERROR_MAX];
        Config *config = NULL;

        if (config_parse("t.conf", refused[i], strlen(refused[i]), &config, error) >= 0)
            fail_msg("taken: %s", refused[i]);
        (void)strbuf_addf(&golden, "== %s\n%s\n\n", refused[i], error);
    }
    if (golden_check("errors.expect.txt", &golden) != 0)
        assert_true(golden_updates());
    strbuf_done(&golden);
}

static char *dump(const Config *config) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    assert_int_equal(config_dump(config, out), 0);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void a_dump_reads_back_to_the_same(void **state _unused_) {
    static const char *const texts[] = {
        BASE,
        BASE "restore = [ ]; expect = { };",
        BASE
        "mode = \"restore\"; restore = [ \"deleted\" ]; stale_after = 600; max_restores_per_hour = 1000;",
        BASE "expect = ( );",
        BASE "expect = ( { trail = \"" ARN "\"; bucket = \"b-1\"; },\n{ validation = true; },\n"
             "{ trail = \"main\"; validation = false; management_events = \"write\"; } );",
        BASE "expect = { prefix = \"a \\\"b\\\\\"; validation = false; management_events = \"all\"; };",
        BASE "maintenance = ( { " FROM TO "reason = \"a \\\"q\\\"\"; }, { trail = \"" ARN "\"; " FROM TO
             "stop_allowed = true; } );",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        Config *first = parse(texts[i]), *second;
        char *a = dump(first), *b;

        second = parse(a);
        b = dump(second);
        assert_string_equal(a, b);
        assert_int_equal(first->restore, second->restore);
        assert_int_equal(first->n_maintenance, second->n_maintenance);
        for (size_t k = 0; k < first->n_maintenance; k++) {
            assert_int_equal(first->maintenance[k].until_usec, second->maintenance[k].until_usec);
            assert_true(text_equal(first->maintenance[k].reason, second->maintenance[k].reason));
            assert_true(text_equal(first->maintenance[k].trail, second->maintenance[k].trail));
        }
        assert_int_equal(first->n_trail_expects, second->n_trail_expects);
        for (unsigned k = 0; k < _FIELD_MAX; k++)
            assert_true(text_equal(first->expect.pins.values[k], second->expect.pins.values[k]));
        free(a);
        free(b);
        config_free(first);
        config_free(second);
    }
}

static void whether_the_base_credentials_own_account_is_guarded(void **state _unused_) {
    AccountConfig with_role = { .role_arn = (char *)"arn:aws:iam::111122223333:role/guard" };
    AccountConfig without = { 0 };
    const struct {
        Config config;
        bool guarded;
    } rows[] = {
        { { 0 }, true },
        { { .accounts = &without, .n_accounts = 1 }, true },
        /* only the listed groups are guarded */
        { { .accounts = &with_role, .n_accounts = 1 }, false },
        { { .accounts = &with_role, .n_accounts = 1, .organization.role_name = (char *)"guard" }, true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(config_guards_base(&rows[i].config), rows[i].guarded);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(whether_the_base_credentials_own_account_is_guarded),
        cmocka_unit_test(defaults_are_those_of_the_manual),
        cmocka_unit_test(everything_can_be_said),
        cmocka_unit_test(keys_have_four_forms),
        cmocka_unit_test(pins_are_for_all_or_for_one),
        cmocka_unit_test(windows_open_and_close),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(a_dump_reads_back_to_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
