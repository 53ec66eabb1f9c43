/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/arn.h"
#include "lib/util/macros.h"

static void parses(void **state _unused_) {
    static const struct {
        const char *text, *partition, *service, *region, *account, *resource, *name;
    } cases[] = {
        { "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main", "aws", "cloudtrail", "eu-central-1",
          "111122223333", "trail/main", "main" },
        { "arn:aws-us-gov:sns:us-gov-west-1:111122223333:alerts", "aws-us-gov", "sns", "us-gov-west-1",
          "111122223333", "alerts", "alerts" },
        { "arn:aws:iam::111122223333:role/path/to/Guard", "aws", "iam", "", "111122223333",
          "role/path/to/Guard", "Guard" },
        { "arn:aws:s3:::bucket", "aws", "s3", "", "", "bucket", "bucket" },
        { "arn:aws:sts::111122223333:assumed-role/R/S", "aws", "sts", "", "111122223333", "assumed-role/R/S",
          "S" },
        { "arn:aws:logs:eu-west-1:111122223333:log-group:a:b", "aws", "logs", "eu-west-1", "111122223333",
          "log-group:a:b", "log-group:a:b" },
        { "arn:aws:x:::trailing/", "aws", "x", "", "", "trailing/", "" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Arn arn;

        assert_int_equal(arn_parse(cases[i].text, &arn), 0);
        assert_string_equal(arn.partition, cases[i].partition);
        assert_string_equal(arn.service, cases[i].service);
        assert_string_equal(arn.region, cases[i].region);
        assert_string_equal(arn.account, cases[i].account);
        assert_string_equal(arn.resource, cases[i].resource);
        assert_string_equal(arn_name(&arn), cases[i].name);
    }
}

static void refuses(void **state _unused_) {
    static const char *const bad[] = {
        NULL,
        "",
        "arn",
        "arn:",
        "arn:aws:sns:eu-west-1:111122223333",  /* no resource */
        "arn:aws:sns:eu-west-1:111122223333:", /* an empty one */
        "ARN:aws:sns:eu-west-1:111122223333:x",
        " arn:aws:sns:eu-west-1:111122223333:x",
        "arn::sns:eu-west-1:111122223333:x",
        "arn:aws::eu-west-1:111122223333:x",
        "arn:aws:sns:eu-west-1:11112222333:x",
        "arn:aws:sns:eu-west-1:1111222233334:x",
        "arn:aws:sns:eu-west-1:11112222333a:x",
        "arn:aws:sns:eu-west-1:aws:x",
        "arn:AWS:sns:eu-west-1:111122223333:x",
        "arn:aws:s.ns:eu-west-1:111122223333:x",
        "arn:aws:sns:eu/west:111122223333:x",
        "arn:aws:sns:eu-west-1:111122223333:x\ny",
        "arn:aws:sns:eu-west-1:111122223333:x\x7f",
        "arn:aaaaaaaaaaaaaaaaaaaaaaaa:sns:eu-west-1:111122223333:x",
        "arn:aws:ssssssssssssssssssssssssssssssss:eu-west-1:111122223333:x",
        "arn:aws:sns:rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr:111122223333:x",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        Arn arn = { .partition = "untouched" };

        if (arn_parse(bad[i], &arn) != -EINVAL)
            fail_msg("%s was taken", bad[i]);
        assert_string_equal(arn.partition, "untouched");
    }
}

static void length_is_bounded(void **state _unused_) {
    char text[ARN_MAX + 1];
    Arn arn;

    memset(text, 'x', sizeof(text));
    memcpy(text, "arn:aws:s3:::", strlen("arn:aws:s3:::"));
    text[ARN_MAX - 1] = '\0';
    assert_int_equal(arn_parse(text, &arn), 0);
    text[ARN_MAX - 1] = 'x';
    text[ARN_MAX] = '\0';
    assert_int_equal(arn_parse(text, &arn), -EINVAL);
}

static void knows_trails_and_topics(void **state _unused_) {
    static const struct {
        const char *text;
        bool trail, topic;
    } cases[] = {
        { "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main", true, false },
        { "arn:aws:cloudtrail:eu-central-1:111122223333:trail/", false, false },
        { "arn:aws:cloudtrail:eu-central-1:111122223333:trail/a/b", false, false },
        { "arn:aws:cloudtrail:eu-central-1:111122223333:eventdatastore/main", false, false },
        { "arn:aws:cloudtrail::111122223333:trail/main", false, false },
        { "arn:aws:cloudtrail:eu-central-1::trail/main", false, false },
        { "arn:aws:sns:eu-central-1:111122223333:trail/main", false, false },
        { "arn:aws:sns:eu-central-1:111122223333:alerts", false, true },
        { "arn:aws:sns:eu-central-1:111122223333:Al_er-ts9.fifo", false, true },
        { "arn:aws:sns:eu-central-1:111122223333:.fifo", false, false },
        { "arn:aws:sns:eu-central-1:111122223333:a.b", false, false },
        { "arn:aws:sns:eu-central-1:111122223333:a.fifo.fifo", false, false },
        { "arn:aws:sns:eu-central-1:111122223333:alerts:subscription", false, false },
        { "arn:aws:sns::111122223333:alerts", false, false },
        { "arn:aws:sns:eu-central-1::alerts", false, false },
        { "arn:aws:sqs:eu-central-1:111122223333:alerts", false, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Arn arn;

        assert_int_equal(arn_parse(cases[i].text, &arn), 0);
        if (arn_is_trail(&arn) != cases[i].trail || arn_is_topic(&arn) != cases[i].topic)
            fail_msg("%s is taken for something else", cases[i].text);
    }
}

static void topic_names_are_bounded(void **state _unused_) {
    for (int n = 255; n <= 258; n++) {
        char text[ARN_MAX], name[300];
        Arn arn;

        memset(name, 'x', sizeof(name));
        (void)snprintf(text, sizeof(text), "arn:aws:sns:eu-west-1:111122223333:%.*s", n, name);
        assert_int_equal(arn_parse(text, &arn), 0);
        assert_int_equal(arn_is_topic(&arn), n <= 256);
    }
}

static void trail_names(void **state _unused_) {
    static const struct {
        const char *name;
        bool valid;
    } cases[] = {
        { "abc", true },
        { "ab", false },
        { "A-b_c.9", true },
        { "a--b", false },
        { "a-_b", false },
        { "a.-b", false },
        { "-abc", false },
        { "abc.", false },
        { "a b", false },
        { "a/b", false },
        { "caf\xc3\xa9", false },
        { "192.168.5.4", false },
        { "192.168.5", true },
        { "192.168.5.4.3", true },
        { "192.168.5.x", true },
        { "1.1.1.1a", true },
        { "", false },
        { NULL, false },
        { "999.999.999.999", false },
    };
    char name[130];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (arn_trail_name_is_valid(cases[i].name) != cases[i].valid)
            fail_msg("\"%s\" should be %s", cases[i].name, cases[i].valid ? "valid" : "invalid");

    memset(name, 'x', sizeof(name));
    name[129] = '\0';
    assert_false(arn_trail_name_is_valid(name));
    name[128] = '\0';
    assert_true(arn_trail_name_is_valid(name));
}

#define A1 "arn:aws:iam::111122223333:"
#define S1 "arn:aws:sts::111122223333:assumed-role/"

static void principals(void **state _unused_) {
    static const struct {
        const char *principal, *caller;
        bool valid, is;
    } cases[] = {
        { A1 "user/guard", A1 "user/guard", true, true },
        { A1 "user/path/guard", A1 "user/path/guard", true, true },
        { A1 "user/path/guard", A1 "user/guard", true, false },
        { A1 "user/guard", A1 "user/guard2", true, false },
        { A1 "user/guard", A1 "user/Guard", true, false },
        { A1 "user/guard", "arn:aws:iam::444455556666:user/guard", true, false },
        { A1 "user/guard", "arn:aws-cn:iam::111122223333:user/guard", true, false },
        { A1 "user/guard", S1 "guard/session", true, false },
        { A1 "user/guard", A1 "role/guard", true, false },
        { A1 "user/guard", "", true, false },
        { A1 "user/guard", NULL, true, false },
        { A1 "role/TrailGuard", S1 "TrailGuard/trailguard-host", true, true },
        { A1 "role/TrailGuard", A1 "role/TrailGuard", true, true },
        { A1 "role/a/path/TrailGuard", S1 "TrailGuard/i-0123456789abcdef0", true, true },
        { A1 "role/TrailGuard", S1 "TrailGuard2/x", true, false },
        { A1 "role/TrailGuard", S1 "TrailGuar/x", true, false },
        { A1 "role/TrailGuard", S1 "x/TrailGuard", true, false },
        { A1 "role/TrailGuard", "arn:aws:sts::444455556666:assumed-role/TrailGuard/x", true, false },
        { "arn:aws:iam::*:role/TrailGuard", "arn:aws:sts::444455556666:assumed-role/TrailGuard/x", true,
          true },
        { "arn:aws:iam::*:role/TrailGuard", "arn:aws-cn:sts::444455556666:assumed-role/TrailGuard/x", true,
          false },
        { "arn:aws:iam::*:role/TrailGuard", "arn:aws:iam::*:role/TrailGuard", true, false },
        { "arn:aws:iam::*:user/guard", "arn:aws:iam::444455556666:user/guard", true, true },
        { S1 "TrailGuard/host-a", S1 "TrailGuard/host-a", true, true },
        { S1 "TrailGuard/host-a", S1 "TrailGuard/host-b", true, false },
        { "arn:aws:sts::*:assumed-role/TrailGuard/host-a", S1 "TrailGuard/host-a", true, true },
        { A1 "root", A1 "root", false, false },
        { A1 "user/", A1 "user/", false, false },
        { A1 "user/*", A1 "user/guard", false, false },
        { A1 "role/Trail*", S1 "TrailGuard/x", false, false },
        { "arn:*:iam::111122223333:user/guard", A1 "user/guard", false, false },
        { "arn:aws:iam:eu-west-1:111122223333:user/guard", A1 "user/guard", false, false },
        { "arn:aws:iam:::user/guard", A1 "user/guard", false, false },
        { S1 "TrailGuard", S1 "TrailGuard", false, false },
        { S1 "TrailGuard/", S1 "TrailGuard/x", false, false },
        { S1 "a/b/c", S1 "a/b/c", false, false },
        { "arn:aws:sts::111122223333:federated-user/guard", "", false, false },
        { "111122223333", "111122223333", false, false },
        { "TrailGuard", "TrailGuard", false, false },
        { "*", A1 "user/guard", false, false },
        { "::*:", A1 "user/guard", false, false },
        { "", "", false, false },
        { NULL, NULL, false, false },
    };
    char much[ARN_MAX + 32];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        if (arn_principal_is_valid(cases[i].principal) != cases[i].valid)
            fail_msg("%zu: %s should be %s", i, cases[i].principal, cases[i].valid ? "valid" : "invalid");
        if (arn_principal_is(cases[i].principal, cases[i].caller) != cases[i].is)
            fail_msg("%zu: %s, %s", i, cases[i].principal, cases[i].caller);
    }
    for (size_t n = ARN_MAX - 32; n < sizeof(much); n++) {
        (void)snprintf(much, sizeof(much), "arn:aws:iam::*:user/%0*d/guard", (int)n - 26, 0);
        assert_int_equal(arn_principal_is_valid(much), n + 11 < ARN_MAX);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(principals),
        cmocka_unit_test(parses),
        cmocka_unit_test(refuses),
        cmocka_unit_test(length_is_bounded),
        cmocka_unit_test(knows_trails_and_topics),
        cmocka_unit_test(topic_names_are_bounded),
        cmocka_unit_test(trail_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
