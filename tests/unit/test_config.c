/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/config/config_private.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "tests/unit/golden_file.h"

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

static const char *const refused[] = {
    BASE MEMBERS "shard = \"6/5\";",
    BASE MEMBERS "shard = \"0/5\";",
    BASE MEMBERS "shard = \"1/1001\";",
    BASE MEMBERS "shard = \"02/5\";",
    BASE MEMBERS "shard = \"\";",
    BASE MEMBERS "shard = 2;",
    BASE MEMBERS "shard = [ \"2/5\" ];",
    BASE "\nshard = \"2/5\";",
    BASE "accounts = ();",
    BASE "accounts = { role_arn = \"" ROLE_A "\"; };",
    BASE "accounts = ( \"" ROLE_A "\" );",
    BASE "accounts = (\n{ },\n{ name = \"x\"; } );",
    BASE "accounts = (\n{ role_arn = \"" ROLE_A "\"; },\n{ role_arn = \"" ROLE_A "\"; } );",
    BASE "accounts = (\n{ role_arn = \"" ROLE_A "\"; },\n{ role_arn = \"" ROLE_A "2\"; } );",
    BASE "accounts = (\n{ name = \"x\"; },\n{ name = \"x\"; role_arn = \"" ROLE_B "\"; } );",
    BASE "accounts = ( { external_id = \"abc\"; } );",
    BASE "accounts = ( { role_arn = \"TrailGuard\"; } );",
    BASE "accounts = ( { role_arn = \"arn:aws:iam::444455556666:user/bob\"; } );",
    BASE "accounts = ( { role_arn = 7; } );",
    BASE "accounts = ( { name = \"\"; } );",
    BASE "accounts = ( { external_id = \"a b\"; role_arn = \"" ROLE_A "\"; } );",
    BASE "accounts = ( { session_name = \"a:b\"; role_arn = \"" ROLE_A "\"; } );",
    BASE "accounts = (\n{ regions = [ \"nowhere\" ]; } );",
    BASE "accounts = ( { regions = [ ]; } );",
    BASE "accounts = ( { trails = [ \"a\", \"a\" ]; } );",
    BASE "accounts = ( { mode = \"off\"; } );",
    BASE "accounts = ( { poll_interval = 5; } );",
    /* What versions of libconfig read differently, or as nobody means it. */
    BASE "trails = [ \"main\" \"org\" ];",
    BASE "trails = [ \"main\" # c\n /* \"c\" */ \"org\" ];",
    BASE "alerts = ( \"a\" \"b\" );",
    BASE "poll_interval = 010;",
    BASE "poll_interval = 08;",
    BASE "poll_interval = 00L;",
    BASE "poll_interval = -010;",
    BASE "poll_interval = 0b101;",
    BASE "poll_interval = 0o17;",
    BASE "poll_interval = 4294967306;",
    BASE "trails = [ \"a\", ];",
    BASE "@include \"x\"",
    BASE "guards = \"" ROLE_A "\";",
    BASE "guards = \"all\";",
    BASE "guards = [\n\"TrailGuard\" ];",
    BASE "guards = [ \"arn:aws:iam::111122223333:root\" ];",
    BASE "guards = [ \"arn:aws:iam::111122223333:role/*\" ];",
    BASE "guards = [ \"" ROLE_A "\", \"" ROLE_A "\" ];",
    BASE "organization = { };",
    BASE "organization = ( );",
    BASE "organization = { role_name = \"a b\"; };",
    BASE "organization = { role_name = \"/x\"; };",
    BASE "organization = { role_name = \"arn:aws:iam::111122223333:role/x\"; };",
    BASE "organization = { role_name = \"x\"; exclude = [ 123456789012 ]; };",
    BASE "organization = { role_name = \"x\"; exclude = [ \"12345678901\" ]; };",
    BASE "organization = { role_name = \"x\"; exclude = [ 012345678901, 5 ]; };",
    BASE "expect = { bucket_owner = 012345678901; };",
    BASE "poll_interval = 10LLL;",
    BASE "organization = { role_name = \"x\"; refresh = 59; };",
    BASE "organization = { role_name = \"x\"; refresh = 86401; };",
    BASE "aws = { process_environment = [ \"A=b\" ]; };",
    BASE "aws = { process_environment = [ \"\" ]; };",
    BASE "aws = { process_environment = [ \"1A\" ]; };",
    BASE "aws = { process_environment = [ \"A B\" ]; };",
    BASE "aws = { process_environment = \"A\"; };",
    BASE "organization = { role = \"x\"; };",
    "alerts = { };",
    "alerts = ( { topic_arn = \"" TOPIC "\"; } );",
    "alerts = ( { type = \"sns\"; } );",
    "alerts = ( { type = \"webhook\"; } );",
    "alerts = ( { type = \"webhook\"; url = \"http://example.com/T0P\"; } );",
    "alerts = ( { type = \"webhook\"; url = \"https://a.example\"; url_file = \"b\"; } );",
    "alerts = ( { type = \"webhook\"; format = \"pagerduty\"; } );",
    "alerts = ( { type = \"webhook\"; format = \"slack\"; url_file = \"a\"; secret_file = \"b\"; } );",
    "alerts = ( { type = \"webhook\"; format = \"xml\"; } );",
    "alerts = ( { type = \"webhook\"; url = \"https://a.example/1\"; },\n"
    "{ type = \"webhook\"; url = \"https://a.example/2\"; } );",
    "alerts = ( { type = \"command\"; command = [ \"mail\" ]; } );",
    "alerts = ( { type = \"command\"; command = [ \"/bin/x\" ]; url = \"https://a.example\"; } );",
    "alerts = ( { type = \"sns\"; topic_arn = \"" TOPIC "\"; format = \"slack\"; } );",
    "alerts = ( { type = \"webhook\"; url = \"https://a.example\"; chat = true; } );",
    "alerts = ( { type = \"sns\"; topic_arn = \"" TOPIC "\"; events = [ \"trail.stoped\" ]; } );",
    "alerts = ( { type = \"sns\"; topic_arn = \"" TOPIC "\"; name = \"a b\"; } );",
    "alerts = ( { type = \"alertmanager\"; urls = [ \"http://am.example:9093\" ]; } );",
    "alerts = ( { type = \"alertmanager\"; } );",
    "alerts = ( { type = \"alertmanager\"; urls = [ \"https://a.example\" ]; resolved = false; } );",
    BASE "contain = { mode = \"fight\"; after = 0; max_per_day = 101; never = [ \"bob smith\", \"\" ]; };",
    BASE "attribution = false;\ncontain = { mode = \"propose\"; };",
    BASE "heartbeat = { };",
    BASE "metrics_file = \"run/metrics.prom\";",
    BASE "metrics_file = \"/srv/metrics.txt\";",
    BASE "metrics_file = \"/srv/.prom\";",
    BASE "heartbeat = { url = \"http://a.example/T0P\"; };",
    BASE "heartbeat = { url = \"https://a.example\"; interval = 0; };",
    "alerts = ( { type = \"mail\"; } );",
    "alerts = ( { type = \"sns\"; topic = \"x\"; } );",
    "alerts = ( { type = \"sns\"; topic_arn = \"x\"; } );",
    "alerts = ( { type = \"sns\"; topic_arn = \"" TOPIC "\"; },\n{ type = \"sns\"; topic_arn = \"" TOPIC
    "\"; } );",
    "mode = \"observe\";",
    BASE "poll_interval = 60;\nsettings_interval = 30;",
};

/* What people write who know other files. Each has all of its mistakes named. */
static const char *const foreign[] = {
    "\xef\xbb\xbf" BASE,
    "\xef\xbb\xbfmode = 1;\n" BASE,
    BASE "mode = \xe2\x80\x9cobserve\xe2\x80\x9d;",
    BASE "mode = \xe2\x80\x98obsreve\xe2\x80\x99;\nlog_level = 'info';\nregions = [ \xc2\xab"
         "eu-west-1\xc2\xbb ];",
    BASE "poll_interval = 10s;\nsettings_interval = 5 min;\nstale_after = 2h\nreminder_interval = 1 d;",
    BASE "max_restores_per_hour = 5s;\nunreachable_after = 3 times;\npoll_interval = 3 parsecs;",
    BASE "attribution = yes;\nowner_check = No;\nbucket_checks = maybe;\naws = { use_fips = on; };",
    BASE "poll_interval = 10.0;\nsettings_interval = 6e1;\nstale_after = 7200.5;\nunreachable_after = 1e30;",
    BASE "attribution = \"true\";\nbucket_checks = \"yes\";\npoll_interval = \"10\";\nstale_after = \"2h\";",
    BASE "mode = observe;\nregions = eu-central-1;\ntrails = [ main, arn:aws:cloudtrail:x ];",
    BASE "shard = 2/5;\nmaintenance = ( { from = 2026-11-24T22:00:00Z; } );",
    BASE "trails = [ \"main\", ];\nmaintenance = ( { }, );",
    BASE "@include \"/etc/trailguard.d/x.conf\"\nmode = \"observ\";",
    BASE "[trailguard]\nmode = \"observe\"\n---\npoll_interval: 10",
    "{ \"mode\": \"observe\" }\n" BASE,
    BASE "mode = \"observe;\npoll_interval = 0;",
    BASE "mode = \"observe\";;\n}\npoll_interval 5;\nunreachable_after = ;\nstale_after",
    BASE "aws = { profile = \"a\";\nuse_fips = 1;",
    BASE "trails = [ \"main\" \n /* no end",
    BASE "trails = [ \"main\",\n\"org\"\nmode = 1;\naws = { profile = \"\";\n",
    BASE "trails = [ \"main\", \"org\" ) ;\nmode = 1;",
    BASE "trails = [ \"org\" main 7 ];\nignore = [ , ];\nregions = [ \"eu-west-1\" = ];",
    BASE "guards = [ 12, { a = 1; } ];",
    BASE "accounts = [ { name = 5; } ];",
    BASE "aws = { profile = \"a\nb\"; };\n; my guard\nmode = 1;",
    BASE "accounts = ( name = \"a\"; },\n    { name = \"b\"; }; );",
    BASE "ignore = \"old\", \"older\" ];\naws = { profile = \"a\";\nsecret = 1;",
    BASE "accounts = ( { name = \"a\"; );",
    BASE "ignore = [ \"old\"\nsecret = 1;",
    BASE "mode = \"observe\";\nmode = \"restart\";\naws = { profile = \"a\"; profile = \"b\"; };",
    BASE "\xc2\xa0mode =\xc2\xa0\"observe\";\npoll_interval = 0;",
    BASE "aws = ((((((((((((((((((1))))))))))))))))));",
    "alrets = ();\npol_interval = 10;\nintervall = 7;",
    BASE "endpoint_url = \"https://a.example\";\naws = { mode = \"observe\"; pofile = \"x\"; };",
    BASE "mode = \"Observe\";\nlog_level = \"warn\";\nrestore = [ \"setting\", \"insight\", \"tags\" ];",
    BASE "regions = [ \"us-west1\", \"Frankfurt\" ];",
    BASE "regions = [ \"eu-central-1\", \"cn-north-1\", \"us-east-1\", \"us-gov-west-1\" ];",
    "alerts = ( { type = \"sns\"; topic_arn = \"arn:aws-cn:sns:eu-central-1:111122223333:trailguard\"; } );",
    "alerts = ( { type = \"sns\"; topic_arn = \"arn:aws:sns:frankfurt:111122223333:trailguard\"; } );",
    BASE "heartbeat = { url = https://hc-ping.com/SECRET; };\naws = { proxy = 'http://u:SECRET@p:1'; };",
    BASE "heartbeat = { url = \"https://hc-ping.com/SECRET\" SECRET; };",
    BASE "webhook_url = 'https://hooks.slack.com/SECRET';",
    BASE "metrics_file = \"x\";\nalerts = ();",
    "accounts = (\n{ role_arn = \"x\"; },\n{ name = 5; },\n{ } );\naws = { use_fips = true; endpoint_url = "
    "\"ftp://x\"; };",
    "organization = { role = 5; };\nshard = \"2/5\";\nheartbeat = { interval = 0; };",
    BASE "mode = \"caf\xe9\";\n\x01 = 5;",
    /* What is in a text or a comment closes and ends nothing. */
    BASE "mode \"a; b\";\npoll_interval = 0;",
    BASE "mode \"a) b\", \"}\"; poll_interval = 0;",
    BASE "mode observe /* now; later) */; poll_interval = 0;",
    BASE "aws = { profile \"a\" # not }; b\n; use_fips = 1; };\npoll_interval = 0;",
    BASE "aws = { profile a // not }; b\n; use_fips = 1; };\npoll_interval = 0;",
    BASE "heartbeat = { url 'https://hc-ping.com/SECRET'; interval = 0; };\npoll_interval = 0;",
    BASE "mode obs\"erve; poll_interval = 0;\nunreachable_after = 0;",
    /* What is behind a mistake may be there. */
    "regions = [ \"eu-west-1 ];\n" BASE,
    "/* no end\n" BASE,
    "regions:\n  - eu-west-1\n" BASE,
    "mode = \"Observe\";",
    /* A number that no version can hold has its option's bounds. */
    BASE "poll_interval = 99999999999999999999;\nstale_after = 4294967306;\naws = { proxy = 4294967306; };",
    /* Pasted blanks, and an array for "all" or the other way round. */
    BASE "trails = [ \" main\", \"main\xc2\xa0\" ];",
    BASE "regions = \"eu-west-1\";\ntrails = \"main,org\";",
    BASE "regions = \"ALL\";",
    BASE "mode = 4294967306;\nheartbeat = true;",
    BASE "heartbeat = \"https://hc-ping.com/SECRET\";",
    BASE "maintenance = ( { from = \"2026-11-25T22:00:00Z\"; until = \"2026-11-25T02:00:00Z\"; } );",
};

/* The text as it is, with what cannot be read in a file escaped, and its errors. */
static void add_case(StrBuf *golden, const char *text) {
    char error[CONFIG_ERROR_MAX];
    Config *config = NULL;

    if (config_parse("t.conf", text, strlen(text), &config, error) >= 0)
        fail_msg("taken: %s", text);
    if (strstr(error, "SECRET"))
        fail_msg("shows what may be a password: %s", error);
    (void)strbuf_add(golden, "== ");
    for (const char *c = text; *c; c++)
        if (*c == '\n' && c[1])
            (void)strbuf_add(golden, "\n   ");
        else if (((unsigned char)*c >= 0x20 && (unsigned char)*c < 0x7f))
            (void)strbuf_add_char(golden, *c);
        else if (*c != '\n')
            (void)strbuf_addf(golden, "\\x%02x", (unsigned char)*c);
    (void)strbuf_addf(golden, "\n%s\n\n", error);
}

/* A value of each kind, for each option: every one that cannot be used is named. */
static void add_wrong_values(StrBuf *golden) {
    static const char *const values[] = { "1", "\"\"", "\"a b\"", "[ \"a b\" ]", "{ a = 1; }" };

    for (size_t i = 0; i < config_n_options; i++)
        for (size_t k = 0; k < ARRAY_SIZE(values); k++) {
            const Option *option = &config_options[i];
            const char *dot = strchr(option->name, '.'), *open = option->scope == SCOPE_FILE ? "{" : "( {",
                       *close = option->scope == SCOPE_FILE ? "}" : "} )";
            char text[256], error[CONFIG_ERROR_MAX], *line;
            Config *config = NULL;

            if (dot)
                (void)snprintf(text, sizeof(text), "%.*s = %s %s = %s; %s;\n", (int)(dot - option->name),
                               option->name, open, dot + 1, values[k], close);
            else
                (void)snprintf(text, sizeof(text), "%s = %s;\n", option->name, values[k]);
            if (config_parse("t.conf", text, strlen(text), &config, error) >= 0) {
                config_free(config);
                continue;
            }
            line = strtok(error, "\n");
            if (strstr(line, option->name))
                (void)strbuf_addf(golden, "%.*s -> %s\n", (int)strlen(text) - 1, text, line);
        }
}

static void test_what_is_refused(void **state) {
    StrBuf golden = STRBUF_INIT(GOLDEN_TEXT_LEN), values = STRBUF_INIT(GOLDEN_TEXT_LEN);
    unsigned n_wrong;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
        add_case(&golden, foreign[i]);
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
        add_case(&golden, refused[i]);
    add_wrong_values(&values);
    n_wrong = golden_check("errors.config.txt", &golden) + golden_check("errors.values.txt", &values);
    strbuf_done(&golden);
    strbuf_done(&values);
    assert_true(n_wrong == 0 || golden_updates());
}

static void test_a_file_that_is_no_text(void **state) {
    static const char text[] = "\xff\xfe"
                               "a\0=\0";
    char error[CONFIG_ERROR_MAX];
    Config *config = NULL;

    (void)state;
    assert_int_equal(config_parse("t.conf", text, sizeof(text), &config, error), -EINVAL);
    assert_string_equal(error, "t.conf: a NUL byte: this is no text; save it as UTF-8");
}

/* Each mistake of a file is a line, in the order of the file; far too many are counted. */
static void test_all_mistakes_are_named(void **state) {
    char error[CONFIG_ERROR_MAX], text[8192] = BASE;
    Config *config = NULL;
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < 300; i++)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "nonsense%zu = 1;\n", i);
    assert_int_equal(config_parse("t.conf", text, strlen(text), &config, error), -EINVAL);
    for (const char *line = error; line; line = strchr(line + 1, '\n'))
        n++;
    assert_non_null(strstr(error, "t.conf:2:1: unknown option \"nonsense0\"; allowed: regions,"));
    assert_non_null(strstr(error, "\nt.conf:3:1: unknown option \"nonsense1\"; allowed: regions,"));
    assert_true(n > 20 && n < 102);
    (void)snprintf(text, sizeof(text), "\nt.conf: %zu more mistakes", 300 - (n - 1));
    assert_true(text_ends_with(error, text));
}

#define LONG_LINE (128UL * 1024)

/* It is read in a moment: the columns of its values are counted once. */
static void test_one_long_line(void **state) {
    char error[CONFIG_ERROR_MAX], *text = malloc(LONG_LINE + 1);
    size_t len = (size_t)sprintf(text, "%s", BASE "trails = [ 1");
    clock_t start = clock();
    Config *config = NULL;
    double took_sec;

    (void)state;
    while (len + 8 < LONG_LINE)
        len += (size_t)sprintf(text + len, ", 1");
    len += (size_t)sprintf(text + len, " ];");
    assert_int_equal(config_parse("t.conf", text, len, &config, error), -EINVAL);
    assert_non_null(strstr(error, "t.conf:2:10: trails: "));
    took_sec = (double)(clock() - start) / CLOCKS_PER_SEC;
#ifdef __SANITIZE_ADDRESS__ /* which is several times as slow */
    took_sec = 0;
#endif
    assert_true(took_sec < 5);
    free(text);
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

/* Root's verbs read what the unit gets by LoadCredential=. */
static void test_a_bare_name_of_a_file(void **state) {
    static const char text[] = BASE "aws = { credentials_file = \"keys\"; config_file = \"./config\"; };";
    static const struct {
        const char *directory, *keys;
    } cases[] = { { NULL, "/etc/trailguard/keys" },
                  { "", "/etc/trailguard/keys" },
                  { "/run/credentials/x", "/run/credentials/x/keys" } };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char error[CONFIG_ERROR_MAX];
        Config *config = NULL;

        if (cases[i].directory)
            assert_int_equal(setenv("CREDENTIALS_DIRECTORY", cases[i].directory, 1), 0);
        if (config_parse("t.conf", text, strlen(text), &config, error) < 0)
            fail_msg("%s", error);
        assert_string_equal(config->aws.credentials_file, cases[i].keys);
        assert_string_equal(config->aws.config_file, "./config");
        config_free(config);
    }
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
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

static void check_hidden(const char *text, const char *option) {
    for (const char *at = text; (at = strstr(at, option)); at += strlen(option))
        if (memmem(at, strcspn(at, "\n;"), "SECRET", strlen("SECRET")))
            fail_msg("shows what may be a password: %.100s", at);
}

/* Reads, dumps, and reads the dump: both dumps are the same. False when the text cannot be used. */
static bool comes_back(const char *text) {
    char error[CONFIG_ERROR_MAX], *a, *b;
    Config *first, *second;

    if (config_parse("t.conf", text, strlen(text), &first, error) < 0)
        return false;
    a = dump(first);
    if (config_parse("dump", a, strlen(a), &second, error) < 0)
        fail_msg("%s\nfrom\n%s", error, text);
    b = dump(second);
    assert_string_equal(a, b);
    check_hidden(a, " url = \"");
    check_hidden(a, " proxy = \"");
    free(a);
    free(b);
    config_free(first);
    config_free(second);
    return true;
}

/* Each option of the sample, without its "#", and the sample itself. */
static void test_the_sample_comes_back(void **state) {
    FILE *sample = fopen("conf/trailguard.conf", "re");
    StrBuf whole = STRBUF_INIT(CONFIG_SIZE_MAX), block = STRBUF_INIT(CONFIG_SIZE_MAX);
    char line[512];
    unsigned n = 0;
    int open = 0;

    (void)state;
    assert_non_null(sample);
    while (fgets(line, sizeof(line), sample)) {
        bool alerts = strstr(line, "alerts = (");

        (void)strbuf_add(&whole, line);
        if (line[0] != '#' || (open == 0 && !strchr("abcdefghijklmnopqrstuvwxyz", line[1])) ||
            (open == 0 && alerts))
            continue;
        if (open == 0)
            (void)strbuf_add(&block, strstr(line, "shard") ? "accounts = ( { } );\n" BASE : BASE);
        (void)strbuf_add(&block, line + 1);
        for (const char *c = strchr(line + 1, '#') ? "" : line; *c; c++)
            open += (*c == '(' || *c == '{') - (*c == ')' || *c == '}');
        if (open > 0)
            continue;
        if (!comes_back(strbuf_str(&block)))
            fail_msg("the sample has a mistake:\n%s", strbuf_str(&block));
        strbuf_done(&block);
        block = (StrBuf)STRBUF_INIT(CONFIG_SIZE_MAX);
        n++;
    }
    assert_true(n >= 20);
    assert_true(comes_back(strbuf_str(&whole)));
    (void)fclose(sample);
    strbuf_done(&whole);
    strbuf_done(&block);
}

/* Texts that some option takes. */
static const char *const taken[] = {
    ROLE_A,
    TOPIC,
    "trailguard",
    "a \\\"b\\\" \\\\ \\x09",
    "111122223333",
    "https://a.example/SECRET?SECRET",
    "http://u:SECRET@proxy.example:3128",
    "eu-central-1",
    "/usr/bin/x",
    "2026-11-24T22:00:00Z",
    "2026-11-25T02:00:00+01:00",
    "2/5",
    "trail.*",
    "arn:aws:logs:eu-central-1:111122223333:log-group:x:*",
    "1234abcd-12ab-34cd-56ef-1234567890ab",
};

static unsigned pick(uint64_t *seed, size_t n) {
    *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)((*seed >> 33) % n);
}

/* A value that fits the option's kind; whether it may be used is for the reader. */
static void add_value(StrBuf *b, const Option *option, uint64_t *seed) {
    size_t n_words = 0;

    while (option->words && option->words[n_words])
        n_words++;
    switch (option->kind) {
    case OPTION_NUMBER:
        (void)strbuf_addf(b, "%u", option->min + pick(seed, option->max - option->min + 1U));
        break;
    case OPTION_BOOL:
    case OPTION_SWITCH:
    case OPTION_PIN_BOOL: (void)strbuf_add(b, pick(seed, 2) ? "true" : "false"); break;
    case OPTION_WORD: (void)strbuf_addf(b, "\"%s\"", option->words[pick(seed, n_words)]); break;
    case OPTION_WORDS: (void)strbuf_addf(b, "[ \"%s\" ]", option->words[pick(seed, n_words)]); break;
    case OPTION_LIST: (void)strbuf_addf(b, "( \"%s\" )", taken[pick(seed, ARRAY_SIZE(taken))]); break;
    default: (void)strbuf_addf(b, "\"%s\"", taken[pick(seed, ARRAY_SIZE(taken))]); break;
    }
}

/* Rows of one group, or of the file: each member with a chance of one in `rarely`. */
static void add_members(StrBuf *b, const char *group, unsigned rarely, uint64_t *seed) {
    size_t n = strlen(group);

    for (size_t i = 0; i < config_n_options; i++) {
        const Option *option = &config_options[i];
        const char *dot = strchr(option->name, '.');
        StrBuf value = STRBUF_INIT(4096);
        bool grouped = option->kind == OPTION_GROUP || option->kind == OPTION_GROUPS;

        if ((n > 0 ? !dot || (size_t)(dot - option->name) != n || strncmp(option->name, group, n) != 0
                   : !!dot) ||
            pick(seed, rarely) > 0)
            continue;
        if (grouped) {
            (void)strbuf_add(&value, option->kind == OPTION_GROUPS ? "( { " : "{ ");
            add_members(&value, option->name, 3, seed);
            (void)strbuf_add(&value, option->kind == OPTION_GROUPS ? "} )" : "}");
        } else
            add_value(&value, option, seed);
        (void)strbuf_addf(b, "%s = %s; ", dot ? dot + 1 : option->name, strbuf_str(&value));
        strbuf_done(&value);
    }
}

/* Options with values at random: whatever can be read comes back. TEST_SEED makes others. */
static void test_any_dump_comes_back(void **state) {
    const char *given = getenv("TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 1;
    unsigned used[2] = { 0 };

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        StrBuf text = STRBUF_INIT(64 * 1024);

        add_members(&text, "", 20, &seed);
        if (!strstr(strbuf_str(&text), "alerts = "))
            (void)strbuf_add(&text, BASE);
        used[comes_back(strbuf_str(&text))]++;
        strbuf_done(&text);
    }
    assert_true(used[true] > 500);
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
        cmocka_unit_test(test_all_mistakes_are_named),
        cmocka_unit_test(test_one_long_line),
        cmocka_unit_test(test_a_file_that_is_no_text),
        cmocka_unit_test(test_what_every_version_reads_alike),
        cmocka_unit_test(test_a_bare_name_of_a_file),
        cmocka_unit_test(test_a_dump_reads_back_to_the_same),
        cmocka_unit_test(test_the_sample_comes_back),
        cmocka_unit_test(test_any_dump_comes_back),
        cmocka_unit_test(test_a_dump_names_every_option_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
