/* SPDX-License-Identifier: Apache-2.0 */
/* Slips of the pen in trailguard.conf: each mistake is one line, and hides no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config_private.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define BASE  "alerts = ();\n"
#define TOPIC "arn:aws:sns:eu-central-1:111122223333:trailguard"
#define ROLE  "arn:aws:iam::444455556666:role/TrailGuard"

/* A file, and all that is said of it. */
static const struct {
    const char *text, *said;
} slips[] = {
    /* A bracket that is missing. The last mistake of the file is its own, and is seen. */
    { "aws = {\n    profile = \"x\";\n\nmode = \"observe\";\n" BASE "poll_interval = 0;\n",
      "t.conf:1:7: syntax error: aws: this { is not closed; write } before mode in line 4\n"
      "t.conf:6:17: poll_interval: 0 cannot be used; allowed: a whole number, 1..3600 seconds" },
    { "accounts = (\n    { name = \"a\";\n    { name = \"b\"; role_arn = \"" ROLE "\"; }\n);\n" BASE,
      "t.conf:2:5: syntax error: accounts: this { is not closed; write } before the { in line 3" },
    { "accounts = (\n    { name = \"a\";,\n    { name = \"b\"; role_arn = \"" ROLE "\"; }\n);\n" BASE,
      "t.conf:2:5: syntax error: accounts: this { is not closed; write } before the , in line 2" },
    { "alerts = ( { type = \"sns\"; topic_arn = \"" TOPIC "\"; );\nmode = \"observe\";\n",
      "t.conf:1:12: syntax error: alerts: this { is not closed; write } before the ) in line 1" },
    { "alerts = ( { type = \"sns\"; topic_arn = \"" TOPIC "\"; };\nmode = \"observ\";\n",
      "t.conf:1:10: syntax error: alerts: this ( is not closed; write ) before the ; in line 1\n"
      "t.conf:2:8: mode: \"observ\" cannot be used; did you mean \"observe\"? allowed: \"observe\", "
      "\"restart\", \"restore\"" },
    { "regions = [ \"eu-central-1\", \"us-east-1\";\n" BASE,
      "t.conf:1:11: syntax error: regions: this [ is not closed; write ] before the ; in line 1" },
    { "accounts = ( { name = \"a\"; regions = [ \"eu-central-1\" }, { name = \"b\"; role_arn = \"" ROLE
      "\"; } );\n" BASE,
      "t.conf:1:38: syntax error: accounts.regions: this [ is not closed; write ] before the } in line 1" },
    { "regions = \"eu-central-1\", \"us-east-1\" ];\n" BASE,
      "t.conf:1:11: syntax error: regions: an array needs brackets; write [ before this" },
    { "accounts = ( name = \"a\"; role_arn = \"" ROLE "\"; },\n { name = \"b\"; } );\n" BASE,
      "t.conf:1:14: syntax error: accounts: an entry needs braces; write { before this" },
    { "alerts = { type = \"sns\"; topic_arn = \"" TOPIC "\"; },\n    { type = \"pigeon\"; } );\n",
      "t.conf:1:10: alerts: a group cannot be used; allowed: a list of at most 16 groups ( { type = "
      "\"sns\"; topic_arn = \"...\"; } ), or ()\n"
      "t.conf:2:14: alerts.type: \"pigeon\" cannot be used; allowed: \"sns\", \"webhook\", \"command\", "
      "\"alertmanager\"" },
    /* A bracket of another kind. */
    { "aws = { profile = \"x\"; );\n" BASE "mode = \"observe\";\n",
      "t.conf:1:24: syntax error: aws: found ) where } is expected" },
    { "alerts = ( { type = \"command\"; command = [ \"/bin/x\" ); } );\n",
      "t.conf:1:53: syntax error: alerts.command: found ) where ] is expected" },
    { "regions = ( \"eu-central-1\" ];\n" BASE,
      "t.conf:1:28: syntax error: regions: found ] where ) is expected" },
    /* A quotation mark that is missing. */
    { BASE "mode = \"observe;\nlog_level = \"info\";\n",
      "t.conf:2:8: syntax error: mode: this string has no closing quotation mark; write \"observe\"" },
    { BASE "mode = observe\";\nlog_level = \"info\";\n",
      "t.conf:2:8: mode: a string needs quotation marks; write \"observe\"" },
    { BASE "regions = [ \"eu-central-1, \"us-east-1\" ];\n",
      "t.conf:2:13: syntax error: regions: this string has no closing quotation mark; write "
      "\"eu-central-1\"" },
    { BASE "regions = [ \"eu-central-1\", us-east-1\" ];\n",
      "t.conf:2:29: regions: a string needs quotation marks; write \"us-east-1\"" },
    { BASE "regions = [ \"eu-central-1\", \"us-east-1 ];\n",
      "t.conf:2:29: syntax error: regions: this string has no closing quotation mark; write \"us-east-1\"" },
    { "alerts = ( { type = \"sns; topic_arn = \"" TOPIC "\"; } );\n",
      "t.conf:1:21: syntax error: alerts.type: this string has no closing quotation mark; write \"sns\"" },
    { "alerts = ( { type = \"sns\"; topic_arn = \"" TOPIC "; } );\nmode = \"observe\";\n",
      "t.conf:1:40: syntax error: alerts.topic_arn: this string has no closing quotation mark; write "
      "\"" TOPIC "\"" },
    { BASE "aws = { profile = \"guard  # ours\n};\nmode = \"observe\";\r\n",
      "t.conf:2:19: syntax error: aws.profile: this string has no closing quotation mark; write \"guard\"" },
    { BASE "heartbeat = { url = \"https://hc-ping.com/SECRET; };\n",
      "t.conf:2:21: syntax error: heartbeat.url: this string has no closing quotation mark; write \"...\"" },
    { BASE "aws = { profile = \"a\nb\"; };\nmode = 1;\n",
      "t.conf:2:19: aws.profile: a string must end on its line; write \\n for a line break in it\n"
      "t.conf:4:8: mode: 1 cannot be used; allowed: \"observe\", \"restart\", \"restore\"" },
    /* Two options of one name: the second is read too. */
    { BASE "mode = \"observe\";\nmode = \"restrat\";\n",
      "t.conf:3:1: mode: given twice, first in line 2; take one out\n"
      "t.conf:3:8: mode: \"restrat\" cannot be used; did you mean \"restart\"? allowed: \"observe\", "
      "\"restart\", \"restore\"" },
    { "regions = [ \"eu-central-1\" ];\nregions = [ \"us-east1\" ];\n",
      "t.conf:2:1: regions: given twice, first in line 1; take one out\n"
      "t.conf:2:13: regions: \"us-east1\" cannot be used; did you mean \"us-east-1\"? allowed: names of AWS "
      "regions such as \"eu-central-1\", or \"all\" instead of the array\n"
      "t.conf: alerts: missing; allowed: alerts = ( { type = \"sns\"; topic_arn = \"arn:...\"; } ); or "
      "alerts = (); for none" },
    { BASE "accounts = ( { } );\naccounts = ( { name = \"a\"; }, { name = 5; } );\n",
      "t.conf:3:1: accounts: given twice, first in line 2; take one out\n"
      "t.conf:3:40: accounts.name: 5 cannot be used; allowed: a text that is not empty" },
    { BASE "expect = { validation = true; };\nexpect = { validation = 1; };\n",
      "t.conf:3:1: expect: given twice, first in line 2; take one out\n"
      "t.conf:3:25: expect.validation: 1 cannot be used; allowed: true, false" },
    { BASE "expect = { bucket = \"logs-a\"; };\nexpect = { bucket = \"logs-b\"; };\n",
      "t.conf:3:1: expect: given twice, first in line 2; take one out" },
    { BASE "aws = { profile = \"a\"; process_environment = [ \"A\" ]; };\n"
           "aws = { profile = \"b\"; process_environment = [ \"A b\" ]; };\n",
      "t.conf:3:1: aws: given twice, first in line 2; take one out\n"
      "t.conf:3:48: aws.process_environment: \"A b\" cannot be used; allowed: names of environment "
      "variables, such as \"VAULT_ADDR\"; the values are those of TrailGuard's own environment" },
    /* Punctuation. */
    { BASE "mode = \"observe\";\n; my guard\n", "t.conf:3:1: this ; begins no comment; write # instead" },
    { BASE "aws = { profile = \"x\"; } };\nmode = 1;\n",
      "t.conf:2:26: syntax error: this } closes nothing; remove it\n"
      "t.conf:3:8: mode: 1 cannot be used; allowed: \"observe\", \"restart\", \"restore\"" },
    { BASE "regions = [ \"eu-central-1\" \"us-east1\" ];\n",
      "t.conf:2:28: syntax error: regions: a comma is missing before this; libconfig would join the two "
      "texts\n"
      "t.conf:2:28: regions: \"us-east1\" cannot be used; did you mean \"us-east-1\"? allowed: names of AWS "
      "regions such as \"eu-central-1\", or \"all\" instead of the array" },
    { BASE "mode \"observ\";\n",
      "t.conf:2:6: syntax error: mode: found a text where = is expected\n"
      "t.conf:2:6: mode: \"observ\" cannot be used; did you mean \"observe\"? allowed: \"observe\", "
      "\"restart\", \"restore\"" },
    { BASE "aws {\n    profile = 7;\n};\n",
      "t.conf:2:5: syntax error: aws: found { where = is expected\n"
      "t.conf:3:15: aws.profile: 7 cannot be used; allowed: a text that is not empty" },
    { BASE "accounts = ( { name = \"a\"; }; { name = \"b\"; role_arn = \"" ROLE "\"; } );\n",
      "t.conf:2:29: syntax error: accounts: found ; where a comma is expected" },
    { BASE "accounts = ( { name = \"a\"; }; );\n",
      "t.conf:2:29: syntax error: accounts: this ; ends nothing; remove it" },
    { BASE "accounts = ( { name = \"a\"; } { name = \"b\"; role_arn = \"" ROLE "\"; } );\n",
      "t.conf:2:30: syntax error: accounts: a comma is missing before this" },
    /* What is no text. */
    { BASE "regions = eu-central-1;\n",
      "t.conf:2:11: regions: \"eu-central-1\" cannot be used; write [ \"eu-central-1\" ]; allowed: an array "
      "[ \"...\" ], or \"all\"" },
    { BASE "regions = all;\n", "t.conf:2:11: regions: a string needs quotation marks; write \"all\"" },
    { BASE "poll_interval = ten;\n",
      "t.conf:2:17: poll_interval: \"ten\" cannot be used; allowed: a whole number, 1..3600 seconds" },
    { BASE "trails = [ arn:aws:cloudtrail:eu-central-1:111122223333:trail/main,\n main ];\n",
      "t.conf:2:12: trails: a string needs quotation marks; write "
      "\"arn:aws:cloudtrail:eu-central-1:111122223333:trail/main\"\n"
      "t.conf:3:2: trails: a string needs quotation marks; write \"main\"" },
    { BASE "alerts = ( { type = \"webhook\"; url = https://a.example/SECRET?y=1&z; } );\n",
      "t.conf:2:1: alerts: given twice, first in line 1; take one out\n"
      "t.conf:2:38: alerts.url: a string needs quotation marks; write \"...\"" },
};

static void test_each_slip_is_one_line(void **state _unused_) {
    unsigned n_wrong = 0;

    for (size_t i = 0; i < ARRAY_SIZE(slips); i++) {
        char error[CONFIG_ERROR_MAX];
        Config *config = NULL;

        if (config_parse("t.conf", slips[i].text, strlen(slips[i].text), &config, error) >= 0) {
            config_free(config);
            (void)snprintf(error, sizeof(error), "nothing");
        }
        if (text_equal(error, slips[i].said))
            continue;
        print_error("%s\nis said to have:\n%s\nand not:\n%s\n\n", slips[i].text, error, slips[i].said);
        n_wrong++;
    }
    assert_int_equal(n_wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_slip_is_one_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
