/* SPDX-License-Identifier: Apache-2.0 */
/* What is rarely there, or more than is shown: texts for it are whole, and nobody waits for a name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "daemon/core/channel_format.h"
#include "daemon/core/contain.h"
#include "lib/util/strbuf.h"
#include "tests/unit/alert_check.h"

#define MANY 250 /* more than a mail (100) or a document (200) names */

static void more_members_than_are_shown_are_counted(void **state _unused_) {
    static Subject members[MANY];
    Event event = EVENT(EVENT_TARGET_UNREACHABLE, PHASE_OPENED, SEVERITY_WARNING, .cause = CAUSE_OUTAGE,
                        .error = POLL_UNREACHABLE, .detail = "DescribeTrails: timed out", .members = members,
                        .n_members = MANY);
    Alert alert;
    json_t *root;

    for (size_t i = 0; i < MANY; i++) /* the account of some is not known yet */
        members[i] = (Subject){ "", "", i % 2 ? ACCOUNT : "", "eu-central-1" };
    alert = compose(&(Subject){ "", "", "", "eu-central-1" }, &event);
    root = load(alert.document);
    assert_int_equal(json_integer_value(json_object_get(root, "members_total")), MANY);
    assert_int_equal(json_array_size(json_object_get(root, "members")), 200);
    assert_non_null(strstr(alert.text, "not known yet"));
    assert_true(says(alert.text, " and 150 more"));
    json_decref(root);
    alert_done(&alert);
}

static Alert bare(void) {
    return (Alert){ .event = EVENT_GUARD_TEST,
                    .severity = SEVERITY_INFO,
                    .subject = "s",
                    .text = (char *)"t",
                    .sms = (char *)"s",
                    .document = (char *)"{\"trail\":null}" };
}

static void an_alert_about_nothing_in_particular_is_about_the_guard(void **state _unused_) {
    static const struct {
        const char *account, *region, *source;
    } cases[] = {
        { "", "", "\"source\":\"trailguard\"" },
        { ACCOUNT, "", "\"source\":\"" ACCOUNT "\"" },
        { "", "eu-central-1", "\"source\":\"eu-central-1\"" },
        { ACCOUNT, "eu-central-1", "\"source\":\"" ACCOUNT "/eu-central-1\"" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Alert alert = bare();
        char *body = NULL;

        (void)strcpy(alert.account, cases[i].account);
        (void)strcpy(alert.region, cases[i].region);
        assert_int_equal(alert_format_body(ALERT_FORMAT_PAGERDUTY, &alert, "KEY", &body), 0);
        if (!strstr(body, cases[i].source))
            fail_msg("no %s in %s", cases[i].source, body);
        free(body);
    }
}

static void text_that_is_not_utf8_is_found_wherever_it_is(void **state _unused_) {
    Alert alert = bare();

    assert_true(alert_is_utf8(&alert));
    alert.sms = (char *)"\xff";
    assert_false(alert_is_utf8(&alert));
    alert = bare();
    alert.document = (char *)"\xff";
    assert_false(alert_is_utf8(&alert));
    alert = bare();
    (void)strcpy(alert.subject, "\xff");
    assert_false(alert_is_utf8(&alert));
}

static void one_tampering_is_one(void **state _unused_) {
    static const struct {
        Containment contain;
        const char *reason;
    } cases[] = {
        { { .n_tamperings = 1 }, "1 tampering within an hour" },
        { { .n_tamperings = 2 }, "2 tamperings within an hour" },
        { { .war = true }, "a war: it stops a trail again after each restart" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_strbuf_ StrBuf b = STRBUF_INIT(256);

        assert_int_equal(contain_reason(&cases[i].contain, &b), 0);
        assert_string_equal(strbuf_str(&b), cases[i].reason);
    }
}

static void a_name_that_is_too_long_for_its_command_gives_none(void **state _unused_) {
    Containment contain = { .account = ACCOUNT };
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(8);

    assert_int_equal(contain_commands(&contain, true, &b), -E2BIG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_members_than_are_shown_are_counted),
        cmocka_unit_test(an_alert_about_nothing_in_particular_is_about_the_guard),
        cmocka_unit_test(text_that_is_not_utf8_is_found_wherever_it_is),
        cmocka_unit_test(one_tampering_is_one),
        cmocka_unit_test(a_name_that_is_too_long_for_its_command_gives_none),
    };

    return cmocka_run_group_tests_name("core_edges", tests, NULL, NULL);
}
