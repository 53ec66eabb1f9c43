/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config.h"
#include "lib/util/macros.h"

#define ROLE_A "arn:aws:iam::444455556666:role/TrailGuard"
#define ROLE_B "arn:aws:iam::777788889999:role/path/TrailGuard"
#define TOPIC  "arn:aws:sns:eu-central-1:111122223333:trailguard"
#define BASE   "alerts = ();\n"

static Config *parse(const char *text) {
    char error[CONFIG_ERROR_MAX];
    Config *config = NULL;

    if (config_parse("t.conf", text, strlen(text), &config, error) < 0)
        fail_msg("%s", error);
    return config;
}

static void test_without_accounts(void **state) {
    Config *config = parse(BASE);

    (void)state;
    assert_int_equal(config->n_accounts, 0);
    assert_null(config->organization.role_name);
    assert_ptr_equal(config_account_regions(config, NULL), &config->regions);
    assert_ptr_equal(config_account_trails(config, NULL), &config->trails);
    assert_int_equal(config_account_policy(config, NULL).mode, MODE_RESTART);
    config_free(config);
}

static void test_what_an_account_overrides(void **state) {
    Config *config =
            parse(BASE "regions = [ \"eu-central-1\" ];\ntrails = [ \"main\" ];\nmode = \"observe\";\n"
                       "accounts = ( { }, { name = \"b\"; role_arn = \"" ROLE_A "\"; "
                       "external_id = \"x:/y\"; session_name = \"s-1\"; regions = \"all\"; "
                       "trails = [ \"other\" ]; mode = \"restart\"; restore = [ \"deleted\" ]; } );\n");
    const AccountConfig *base = &config->accounts[0], *role = &config->accounts[1];

    (void)state;
    assert_int_equal(config->n_accounts, 2);
    assert_null(base->role_arn);
    assert_ptr_equal(config_account_regions(config, base), &config->regions);
    assert_ptr_equal(config_account_trails(config, base), &config->trails);
    assert_int_equal(config_account_policy(config, base).mode, MODE_OBSERVE);

    assert_string_equal(role->name, "b");
    assert_string_equal(role->role_arn, ROLE_A);
    assert_string_equal(role->external_id, "x:/y");
    assert_string_equal(role->session_name, "s-1");
    assert_true(config_account_regions(config, role)->all);
    assert_int_equal(config_account_trails(config, role)->n, 1);
    assert_string_equal(config_account_trails(config, role)->items[0], "other");
    assert_int_equal(config_account_policy(config, role).mode, MODE_RESTART);
    assert_int_equal(config_account_policy(config, role).restore, RESTORE_BIT(RESTORE_DELETED));
    assert_int_equal(config_account_policy(config, base).restore, config->restore);
    assert_int_equal(config_account_policy(config, role).unreachable_after,
                     config_policy(config).unreachable_after);
    config_free(config);
}

static void test_organization(void **state) {
    Config *config =
            parse(BASE "organization = { role_name = \"path/Guard\"; exclude = ( \"123456789012\" ); };\n");

    (void)state;
    assert_string_equal(config->organization.role_name, "path/Guard");
    assert_int_equal(config->organization.exclude.n, 1);
    assert_int_equal(config->organization.refresh_sec, 3600);
    config_free(config);
}

#define SHARD_ERROR(found)                                                                                  \
    "t.conf:3: shard: " found                                                                               \
    " cannot be used; allowed: \"NUMBER/TOTAL\", such as \"2/5\": TOTAL 1..1000, NUMBER 1..TOTAL"
#define MEMBERS "organization = { role_name = \"Guard\"; };\n"

static void test_shard(void **state) {
    Config *config = parse(BASE MEMBERS "shard = \"2/5\";\n");

    (void)state;
    assert_int_equal(config->shard.number, 2);
    assert_int_equal(config->shard.total, 5);
    config_free(config);
    config = parse(BASE MEMBERS);
    assert_int_equal(config->shard.total, 0);
    config_free(config);
    config = parse(BASE "shard = \"1/1\";\naccounts = ( { } );\n");
    assert_int_equal(config->shard.total, 1);
    config_free(config);
}

static const struct {
    const char *text, *error;
} refused[] = {
    { BASE MEMBERS "shard = \"6/5\";", SHARD_ERROR("\"6/5\"") },
    { BASE MEMBERS "shard = \"0/5\";", SHARD_ERROR("\"0/5\"") },
    { BASE MEMBERS "shard = \"1/1001\";", SHARD_ERROR("\"1/1001\"") },
    { BASE MEMBERS "shard = \"02/5\";", SHARD_ERROR("\"02/5\"") },
    { BASE MEMBERS "shard = \"\";", SHARD_ERROR("\"\"") },
    { BASE MEMBERS "shard = 2;", SHARD_ERROR("2") },
    { BASE MEMBERS "shard = [ \"2/5\" ];", SHARD_ERROR("an array") },
    { BASE "\nshard = \"2/5\";",
      "t.conf:3: shard: there are no accounts to split; allowed: with organization or accounts" },
    { BASE "accounts = ();", "t.conf:2: accounts: allowed: a list of 1 to 1000 groups" },
    { BASE "accounts = { role_arn = \"" ROLE_A "\"; };", "t.conf:2: accounts: allowed: a list of 1 to" },
    { BASE "accounts = ( \"" ROLE_A "\" );", "t.conf:2: accounts: allowed: groups" },
    { BASE "accounts = (\n{ },\n{ name = \"x\"; } );", "t.conf:4: accounts: two groups without role_arn" },
    { BASE "accounts = (\n{ role_arn = \"" ROLE_A "\"; },\n{ role_arn = \"" ROLE_A "\"; } );",
      "t.conf:4: accounts: this role's account is listed twice" },
    { BASE "accounts = (\n{ role_arn = \"" ROLE_A "\"; },\n{ role_arn = \"" ROLE_A "2\"; } );",
      "t.conf:4: accounts: this role's account is listed twice" },
    { BASE "accounts = (\n{ name = \"x\"; },\n{ name = \"x\"; role_arn = \"" ROLE_B "\"; } );",
      "t.conf:4: accounts: this name is given twice" },
    { BASE "accounts = ( { external_id = \"abc\"; } );",
      "t.conf:2: accounts: external_id and session_name belong" },
    { BASE "accounts = ( { role_arn = \"TrailGuard\"; } );",
      "t.conf:2: accounts.role_arn: \"TrailGuard\" cannot be used; allowed: the ARN of an IAM role" },
    { BASE "accounts = ( { role_arn = \"arn:aws:iam::444455556666:user/bob\"; } );",
      "t.conf:2: accounts.role_arn" },
    { BASE "accounts = ( { role_arn = 7; } );", "t.conf:2: accounts.role_arn: 7 cannot be used" },
    { BASE "accounts = ( { name = \"\"; } );", "t.conf:2: accounts.name" },
    { BASE "accounts = ( { external_id = \"a b\"; role_arn = \"" ROLE_A "\"; } );",
      "t.conf:2: accounts.external_id: \"a b\" cannot be used; allowed: 2 to 1224" },
    { BASE "accounts = ( { session_name = \"a:b\"; role_arn = \"" ROLE_A "\"; } );",
      "t.conf:2: accounts.session_name: \"a:b\" cannot be used; allowed: 2 to 64" },
    { BASE "accounts = (\n{ regions = [ \"nowhere\" ]; } );", "t.conf:3: accounts.regions: \"nowhere\"" },
    { BASE "accounts = ( { regions = [ ]; } );", "t.conf:2: accounts.regions: 0 entries; allowed: 1 to" },
    { BASE "accounts = ( { trails = [ \"a\", \"a\" ]; } );", "t.conf:2: accounts.trails: \"a\"" },
    { BASE "accounts = ( { mode = \"off\"; } );",
      "t.conf:2: accounts.mode: \"off\" cannot be used; allowed: \"observe\"" },
    { BASE "accounts = ( { poll_interval = 5; } );", "t.conf:2: unknown option \"accounts.poll_interval\"; "
                                                     "allowed: name, role_arn, external_id, session_name" },
    /* What versions of libconfig read differently, or as nobody means it. */
    { BASE "trails = [ \"main\" \"org\" ];", "t.conf:2: trails: \"main\" \"org\" is one text for libconfig, "
                                             "and could be meant as two; write a comma" },
    { BASE "trails = [ \"main\" # c\n /* \"c\" */ \"org\" ];",
      "t.conf:3: trails: \"main\" \"org\" is one text" },
    { BASE "alerts = ( \"a\" \"b\" );", "t.conf:2: alerts: \"a\" \"b\" is one text" },
    { BASE "poll_interval = 010;",
      "t.conf:2: poll_interval: 010: a number with a leading zero is decimal, octal or an "
      "error, by the version of libconfig; write 10 if it is decimal" },
    { BASE "poll_interval = 08;", "write 8 if it is decimal" },
    { BASE "poll_interval = 00L;", "00L: a number with a leading zero" },
    { BASE "poll_interval = -010;", "010: a number with a leading zero" },
    { BASE "poll_interval = 0b101;", "0b101: only newer versions" },
    { BASE "poll_interval = 0o17;", "0o17: only newer versions" },
    { BASE "poll_interval = 4294967306;", "poll_interval: too large" },
    { BASE "trails = [ \"a\", ];",
      "t.conf:2: trails: only newer versions of libconfig read a comma before ]" },
    { BASE "@include \"x\"", "@include: not supported" },
    { BASE "guards = \"" ROLE_A "\";",
      "t.conf:2: guards: \"" ROLE_A "\" cannot be used; allowed: an array" },
    { BASE "guards = \"all\";", "t.conf:2: guards: \"all\" cannot be used; allowed: an array" },
    { BASE "guards = [\n\"TrailGuard\" ];",
      "t.conf:3: guards: \"TrailGuard\" cannot be used; allowed: ARNs of users" },
    { BASE "guards = [ \"arn:aws:iam::111122223333:root\" ];", "allowed: ARNs of users, roles or sessions" },
    { BASE "guards = [ \"arn:aws:iam::111122223333:role/*\" ];",
      "t.conf:2: guards: \"arn:aws:iam::111122223333:role/*\"" },
    { BASE "guards = [ \"" ROLE_A "\", \"" ROLE_A "\" ];", "t.conf:2: guards: \"" ROLE_A "\"" },
    { BASE "organization = { };", "t.conf:2: organization: needs role_name" },
    { BASE "organization = ( );", "t.conf:2: organization: allowed: a group" },
    { BASE "organization = { role_name = \"a b\"; };", "t.conf:2: organization.role_name: \"a b\"" },
    { BASE "organization = { role_name = \"/x\"; };", "t.conf:2: organization.role_name: \"/x\"" },
    { BASE "organization = { role_name = \"x\"; exclude = [ 123456789012 ]; };", "t.conf:2: " },
    { BASE "organization = { role_name = \"x\"; exclude = [ \"12345678901\" ]; };",
      "t.conf:2: organization.exclude: \"12345678901\" cannot be used; allowed: account ids of 12 digits" },
    { BASE "organization = { role_name = \"x\"; refresh = 59; };",
      "t.conf:2: organization.refresh: 59 cannot be used; allowed: a whole number, 60..86400 seconds" },
    { BASE "organization = { role_name = \"x\"; refresh = 86401; };", "t.conf:2: organization.refresh" },
    { BASE "aws = { process_environment = [ \"A=b\" ]; };",
      "t.conf:2: aws.process_environment: \"A=b\" cannot be used; allowed: names of environment variables, "
      "such as" },
    { BASE "aws = { process_environment = [ \"\" ]; };",
      "t.conf:2: aws.process_environment: \"\" cannot be used" },
    { BASE "aws = { process_environment = [ \"1A\" ]; };", "t.conf:2: aws.process_environment: \"1A\"" },
    { BASE "aws = { process_environment = [ \"A B\" ]; };", "t.conf:2: aws.process_environment: \"A B\"" },
    { BASE "aws = { process_environment = \"A\"; };",
      "t.conf:2: aws.process_environment: \"A\" cannot be used; allowed: an array" },
    { BASE "organization = { role = \"x\"; };", "allowed: role_name, exclude, refresh" },
    { "alerts = { };", "t.conf:1: alerts: allowed: a list of at most 16 groups ( { type = \"sns\";" },
    { "alerts = ( { topic_arn = \"" TOPIC "\"; } );", "t.conf:1: alerts: a channel needs a type" },
    { "alerts = ( { type = \"sns\"; } );", "t.conf:1: alerts: type \"sns\" needs topic_arn" },
    { "alerts = ( { type = \"webhook\"; } );",
      "t.conf:1: alerts: type \"webhook\" needs url = \"https://...\" or url_file = \"...\"" },
    { "alerts = ( { type = \"webhook\"; url = \"http://example.com/T0P\"; } );",
      "t.conf:1: alerts.url: \"...\" cannot be used; allowed: https://HOST[:PORT][/PATH][?QUERY], or "
      "http:// for a" },
    { "alerts = ( { type = \"webhook\"; url = \"https://a.example\"; url_file = \"b\"; } );",
      "t.conf:1: alerts: url and url_file; allowed: one of them" },
    { "alerts = ( { type = \"webhook\"; format = \"pagerduty\"; } );",
      "t.conf:1: alerts: this format needs secret_file" },
    { "alerts = ( { type = \"webhook\"; format = \"slack\"; url_file = \"a\"; secret_file = \"b\"; } );",
      "t.conf:1: alerts: secret_file: this format has no key; its URL is the secret" },
    { "alerts = ( { type = \"webhook\"; format = \"xml\"; } );",
      "t.conf:1: alerts.format: \"xml\" cannot be used; allowed: \"json\", \"slack\", \"teams\"" },
    { "alerts = ( { type = \"webhook\"; url = \"https://a.example/1\"; },\n"
      "{ type = \"webhook\"; url = \"https://a.example/2\"; } );",
      "t.conf:2: alerts: two channels are \"webhook:a.example\"; allowed: each with a name" },
    { "alerts = ( { type = \"command\"; command = [ \"mail\" ]; } );",
      "t.conf:1: alerts: type \"command\" needs command = [ \"/PATH/PROGRAM\"" },
    { "alerts = ( { type = \"command\"; command = [ \"/bin/x\" ]; url = \"https://a.example\"; } );",
      "t.conf:1: alerts: url does not belong to this type" },
    { "alerts = ( { type = \"sns\"; topic_arn = \"" TOPIC "\"; events = [ \"trail.stoped\" ]; } );",
      "t.conf:1: alerts.events: \"trail.stoped\" cannot be used; allowed: names of events" },
    { "alerts = ( { type = \"sns\"; topic_arn = \"" TOPIC "\"; name = \"a b\"; } );",
      "t.conf:1: alerts.name: \"a b\" cannot be used; allowed: 1 to 64" },
    { "alerts = ( { type = \"alertmanager\"; urls = [ \"http://am.example:9093\" ]; } );",
      "t.conf:1: alerts.urls: \"http://am.example:9093\" cannot be used; allowed: https://HOST" },
    { "alerts = ( { type = \"alertmanager\"; } );", "t.conf:1: alerts: type \"alertmanager\" needs urls" },
    { "alerts = ( { type = \"alertmanager\"; urls = [ \"https://a.example\" ]; resolved = false; } );",
      "t.conf:1: alerts: resolved = false: Alertmanager must hear" },
    { BASE "heartbeat = { };", "t.conf:2: heartbeat: needs url = \"https://...\" or url_file" },
    { BASE "heartbeat = { url = \"http://a.example/T0P\"; };",
      "t.conf:2: heartbeat.url: \"...\" cannot be used" },
    { BASE "heartbeat = { url = \"https://a.example\"; interval = 0; };",
      "t.conf:2: heartbeat.interval: 0 cannot be used; allowed: a whole number, 1..86400 seconds" },
    { "alerts = ( { type = \"mail\"; } );",
      "t.conf:1: alerts.type: \"mail\" cannot be used; allowed: \"sns\", \"webhook\"" },
    { "alerts = ( { type = \"sns\"; topic = \"x\"; } );",
      "t.conf:1: unknown option \"alerts.topic\"; allowed: type, name, topic_arn, chat, url" },
    { "alerts = ( { type = \"sns\"; topic_arn = \"x\"; } );",
      "t.conf:1: alerts.topic_arn: \"x\" cannot be used" },
    { "alerts = ( { type = \"sns\"; topic_arn = \"" TOPIC "\"; },\n{ type = \"sns\"; topic_arn = \"" TOPIC
      "\"; } );",
      "t.conf:2: alerts: this topic is listed twice" },
    { "mode = \"observe\";", "t.conf: alerts: missing; allowed: alerts = (" },
    { BASE "poll_interval = 60;\nsettings_interval = 30;",
      "t.conf:3: settings_interval: allowed: poll_interval (60) to 86400 seconds" },
};

static void test_what_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        char error[CONFIG_ERROR_MAX];
        Config *config = NULL;

        if (config_parse("t.conf", refused[i].text, strlen(refused[i].text), &config, error) >= 0)
            fail_msg("taken: %s", refused[i].text);
        if (!strstr(error, refused[i].error))
            fail_msg("%s\nsays     %s\ninstead of %s", refused[i].text, error, refused[i].error);
    }
}

/* What only looks like it. */
static void test_what_every_version_reads_alike(void **state) {
    static const char *const texts[] = {
        "alerts = ( );\ntrails = [ \"abc\", \"010.08\" ];\n# 010 \"a\" \"b\"\n// [ \"a\", ]\n/* 08 */",
        "alerts = ( );\naws = { profile = \"a\" \"b\"; };",
        "alerts = ( );\naws = { profile = \"a\\\" \"; ca_bundle = \"/b\"; };",
        "alerts = ( );\npoll_interval = 10; stale_after = 0;",
        "alerts = ( );\npoll_interval = 0x0a;",
        "alerts = ( );\nexpect = { validation = true; };",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        char error[CONFIG_ERROR_MAX];
        Config *config = NULL;

        if (config_parse("t.conf", texts[i], strlen(texts[i]), &config, error) < 0)
            fail_msg("%s: %s", texts[i], error);
        config_free(config);
    }
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

static void test_a_dump_reads_back_to_the_same(void **state) {
    static const char *const texts[] = {
        BASE,
        BASE "accounts = ( { } );",
        BASE "accounts = ( { name = \"a \\\"q\\\" \\\\\"; mode = \"observe\"; restore = [ ]; }, { role_arn "
             "= \"" ROLE_A "\"; "
             "external_id = \"e-1\"; regions = \"all\"; trails = [ \"one\", \"two\" ]; } );",
        BASE "organization = { role_name = \"Guard\"; exclude = [ \"123456789012\", \"210987654321\" ]; "
             "refresh = "
             "60; };",
        BASE "guards = [ \"" ROLE_A "\", \"arn:aws:iam::*:user/guard\" ];",
        BASE "guards = ( );",
        BASE "aws = { profile = \"x\"; process_environment = [ \"VAULT_ADDR\", \"_x1\" ]; };\n"
             "accounts = ( { role_arn = \"" ROLE_B "\"; } );\n"
             "organization = { role_name = \"a/b\"; };",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        Config *first = parse(texts[i]), *second;
        char *a = dump(first), *b;

        second = parse(a);
        b = dump(second);
        assert_string_equal(a, b);
        assert_int_equal(first->n_accounts, second->n_accounts);
        for (size_t k = 0; k < first->n_accounts; k++) {
            assert_int_equal(first->accounts[k].mode, second->accounts[k].mode);
            assert_int_equal(first->accounts[k].restore, second->accounts[k].restore);
            assert_int_equal(first->accounts[k].regions.all, second->accounts[k].regions.all);
            assert_int_equal(first->accounts[k].trails.n, second->accounts[k].trails.n);
        }
        free(a);
        free(b);
        config_free(first);
        config_free(second);
    }
}

/* Those of a group are named, too, when it is not there. */
static void test_a_dump_names_every_option_once(void **state) {
    static const char *const names[] = {
        "poll_interval", "accounts.name",    "accounts.restore", "expect.trail", "expect.management_events",
        "aws.profile",   "maintenance = ()", "alerts = ()",      "log_level",
    };
    Config *config = parse(BASE);
    char *text = dump(config);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *first = strstr(text, names[i]);

        if (!first || strstr(first + 1, names[i]))
            fail_msg("%s: not once in\n%s", names[i], text);
    }
    free(text);
    config_free(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_accounts),
        cmocka_unit_test(test_what_an_account_overrides),
        cmocka_unit_test(test_organization),
        cmocka_unit_test(test_shard),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_what_every_version_reads_alike),
        cmocka_unit_test(test_a_dump_reads_back_to_the_same),
        cmocka_unit_test(test_a_dump_names_every_option_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
