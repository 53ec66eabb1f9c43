/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/protection.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "tests/unit/between.h"

/* ---- questions ---- */

static void questions(void **state _unused_) {
    static const char *const trails[] = { "arn:aws:cloudtrail:eu-central-1:111122223333:trail/a",
                                          "arn:aws:cloudtrail:eu-central-1:999900001111:trail/org" };
    static const struct {
        const char *statement;
        size_t n_actions;
        const char *resources; /* with spaces between */
        bool passes_role;
    } cases[] = {
        { "{\"Action\":\"sns:Publish\",\"Resource\":[\"arn:aws:sns:a:1:t\",\"arn:aws:sns:b:1:t\"]}", 1,
          "arn:aws:sns:a:1:t arn:aws:sns:b:1:t", false },
        { "{\"Action\":[\"cloudtrail:StartLogging\"],\"Resource\":\"arn:aws:cloudtrail:*:111122223333:"
          "trail/*\"}",
          1, "arn:aws:cloudtrail:eu-central-1:111122223333:trail/a", false },
        { "{\"Action\":[\"a:B\",\"a:C\"],\"Resource\":\"arn:aws:cloudtrail:*:*:trail/*\"}", 2,
          "arn:aws:cloudtrail:eu-central-1:111122223333:trail/a "
          "arn:aws:cloudtrail:eu-central-1:999900001111:trail/org",
          false },
        { "{\"Action\":\"a:B\",\"Resource\":\"arn:aws:cloudtrail:*:555500001111:trail/*\"}", 1,
          "arn:aws:cloudtrail:*:555500001111:trail/*", false },
        { "{\"Action\":\"iam:PassRole\",\"Resource\":\"*\"}", 1, "*", true },
        { "{\"Effect\":\"Deny\",\"Action\":\"iam:PutRolePolicy\",\"Resource\":\"arn:r\"}", 0, "", false },
        { "{\"Action\":\"a:B\"}", 1, "", false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_t *statement = json_loads(cases[i].statement, 0, NULL);
        _cleanup_strbuf_ StrBuf b = STRBUF_INIT(4096);
        RightsQuestion q;

        assert_non_null(statement);
        rights_question(statement, trails, ARRAY_SIZE(trails), &q);
        assert_int_equal(q.n_actions, cases[i].n_actions);
        assert_int_equal(q.passes_role, cases[i].passes_role);
        for (size_t k = 0; k < q.n_resources; k++)
            strbuf_addf(&b, "%s%s", k > 0 ? " " : "", q.resources[k]);
        assert_string_equal(strbuf_str(&b), cases[i].resources);
        json_decref(statement);
    }
}

/* The roles of many accounts, or their trails: more than IAM is asked about at once. */
static void a_question_has_a_ceiling(void **state _unused_) {
    static const char *const patterns[] = { "arn:aws:iam::*:role/guard",
                                            "arn:aws:cloudtrail:*:111122223333:trail/*" };

    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
        json_t *resources = json_array(), *actions = json_array(), *statement;
        const char *trails[RIGHTS_RESOURCES_MAX + 5];
        RightsQuestion q;

        for (size_t k = 0; k < ARRAY_SIZE(trails); k++)
            trails[k] = "arn:aws:cloudtrail:eu-central-1:111122223333:trail/a";
        for (size_t k = 0; k < (i == 0 ? ARRAY_SIZE(trails) : 1); k++)
            json_array_append_new(resources, json_string(patterns[i]));
        for (size_t k = 0; k < RIGHTS_ACTIONS_MAX + 5; k++)
            json_array_append_new(actions, json_string("sts:AssumeRole"));
        statement = json_pack("{s:o, s:o}", "Action", actions, "Resource", resources);
        rights_question(statement, trails, ARRAY_SIZE(trails), &q);
        assert_int_equal(q.n_actions, RIGHTS_ACTIONS_MAX);
        assert_int_equal(q.n_resources, RIGHTS_RESOURCES_MAX);
        assert_string_equal(q.resources[RIGHTS_RESOURCES_MAX - 1], i == 0 ? patterns[0] : trails[0]);
        json_decref(statement);
    }
}

static void vital_rights(void **state _unused_) {
    static const struct {
        const char *action;
        bool vital, optional;
    } cases[] = {
        { "cloudtrail:DescribeTrails", true, false }, { "cloudtrail:GetTrailStatus", true, false },
        { "cloudtrail:StartLogging", true, false },   { "cloudtrail:LookupEvents", false, false },
        { "sns:Publish", true, false },               { "sns:GetTopicAttributes", false, false },
        { "sts:AssumeRole", true, false },            { "s3:ListBucket", false, false },
        { "iam:GetRole", false, false },              { "account:GetRegionOptStatus", false, true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(right_is_vital(cases[i].action), cases[i].vital);
        assert_int_equal(right_is_optional(cases[i].action), cases[i].optional);
    }
}

/* ---- losses ---- */

#define MANY 12

static void losses(void **state _unused_) {
    static const struct {
        const char *actions[MANY];
        const char *text; /* how it begins */
        Severity severity;
        unsigned n;
    } cases[] = {
        { { NULL }, "", SEVERITY_WARNING, 0 },
        { { "account:GetRegionOptStatus" }, "", SEVERITY_WARNING, 0 },
        { { "s3:ListBucket" }, "s3:ListBucket on arn:x (denied)", SEVERITY_WARNING, 1 },
        { { "s3:ListBucket", "sns:Publish" },
          "s3:ListBucket on arn:x (denied), sns:Publish on arn:x (denied)",
          SEVERITY_CRITICAL,
          2 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        GuardLoss items[MANY] = { 0 };
        GuardLosses all = { .items = items };
        GuardLossReport report;

        for (; all.n < MANY && cases[i].actions[all.n]; all.n++) {
            items[all.n].why = "denied";
            (void)text_copy(items[all.n].action, sizeof(items[0].action), cases[i].actions[all.n]);
            (void)text_copy(items[all.n].resource, sizeof(items[0].resource), "arn:x");
        }
        guard_losses_report(&all, &report);
        assert_string_equal(report.text, cases[i].text);
        assert_int_equal(report.severity, cases[i].severity);
        assert_int_equal(report.n, cases[i].n);
    }
}

/* AWS lets nobody limit it. */
static void a_right_without_a_resource_is_one_on_all(void **state _unused_) {
    GuardLoss item = { .action = "cloudtrail:DescribeTrails", .why = "denied" };
    GuardLossReport report;

    guard_losses_report(&(GuardLosses){ &item, 1 }, &report);
    assert_string_equal(report.text, "cloudtrail:DescribeTrails on * (denied)");
    assert_int_equal(report.severity, SEVERITY_CRITICAL);
}

static void many_losses_are_counted(void **state _unused_) {
    GuardLoss items[50];
    GuardLosses all = { items, ARRAY_SIZE(items) };
    GuardLossReport report;

    for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
        items[i] = (GuardLoss){ .why = "not allowed by any policy" };
        memset(items[i].action, 'a', 100);
        memset(items[i].resource, 'r', 30);
    }
    guard_losses_report(&all, &report);
    assert_int_equal(report.n, 50);
    assert_true(text_ends_with(report.text, " and 48 more"));
}

static void losses_are_reported_once(void **state _unused_) {
    static const struct {
        GuardLossReport found;
        RightsChange change;
        unsigned sequence;
    } steps[] = {
        { { .n = 0 }, RIGHTS_SAME, 0 },
        { { .n = 1, .mark = 1, .severity = SEVERITY_WARNING }, RIGHTS_LOST, 1 },
        { { .n = 1, .mark = 1, .severity = SEVERITY_WARNING }, RIGHTS_SAME, 1 },
        { { .n = 1, .mark = 2, .severity = SEVERITY_WARNING }, RIGHTS_SAME, 1 },
        { { .n = 2, .mark = 3, .severity = SEVERITY_WARNING }, RIGHTS_LOST, 2 },
        { { .n = 1, .mark = 4, .severity = SEVERITY_CRITICAL }, RIGHTS_LOST, 3 },
        { { .n = 1, .mark = 1, .severity = SEVERITY_WARNING }, RIGHTS_SAME, 3 },
        { { .n = 0 }, RIGHTS_RESTORED, 3 },
    };
    GuardRecord record = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        assert_int_equal(guard_rights_take(&record, &steps[i].found, 100 + i), steps[i].change);
        assert_int_equal(record.sequence, steps[i].sequence);
        assert_int_equal(record.lost_usec, i == 0 ? 0 : 101);
    }
    assert_true(record.simulated);
    assert_int_equal(record.severity, SEVERITY_CRITICAL);
}

/* The time of the incident is noted before it counts as reported: after a crash in between it is the same.
 */
static void a_loss_has_its_mark_before_it_is_reported(void **state _unused_) {
    GuardLossReport lost = { .n = 1, .mark = 1, .severity = SEVERITY_CRITICAL }, none = { 0 };
    GuardRecord record = { 0 };

    assert_false(guard_rights_found(&record, &none, 100));
    assert_true(guard_rights_found(&record, &lost, 101));
    assert_int_equal(record.found_usec, 101);
    assert_int_equal(record.lost_usec, 0);
    assert_true(guard_rights_found(&record, &lost, 202));
    assert_int_equal(guard_rights_take(&record, &lost, 202), RIGHTS_LOST);
    assert_int_equal(record.lost_usec, 101);
    assert_false(guard_rights_found(&record, &lost, 303));
    guard_rights_end(&record);
    assert_true(guard_rights_found(&record, &lost, 404));
    assert_false(guard_rights_found(&record, &none, 505));
    assert_true(guard_rights_found(&record, &lost, 606));
    assert_int_equal(record.found_usec, 606);
}

/* As of any other incident: after the interval, while it lasts, and with what is lost then. */
static void reminders_of_lost_rights(void **state _unused_) {
    static const uint64_t hour = 3600 * USEC_PER_SEC;
    GuardLossReport two = { .n = 2, .mark = 1, .severity = SEVERITY_CRITICAL, .text = "a, b" },
                    one = { .n = 1, .mark = 2, .severity = SEVERITY_WARNING, .text = "b" }, none = { 0 };
    GuardRecord record = { 0 };

    assert_false(guard_rights_remind(&record, hour, 10 * hour)); /* nothing is lost */
    assert_int_equal(guard_rights_take(&record, &two, 10 * hour), RIGHTS_LOST);
    assert_false(guard_rights_remind(&record, 0, 30 * hour)); /* reminder_interval = 0 */
    assert_false(guard_rights_remind(&record, hour, 11 * hour - 1));
    assert_true(guard_rights_remind(&record, hour, 11 * hour));
    assert_int_equal(record.n_reminders, 1);
    assert_int_equal(record.sequence, 2);
    assert_false(guard_rights_remind(&record, hour, 11 * hour + 1));
    assert_int_equal(guard_rights_take(&record, &one, 11 * hour + 2), RIGHTS_SAME);
    assert_int_equal(record.n_lost_now, 1);
    assert_string_equal(record.lost, "b");
    assert_true(guard_rights_remind(&record, hour, 12 * hour));
    assert_false(guard_rights_remind(&record, hour, 5 * hour)); /* the clock was set back ... */
    assert_true(guard_rights_remind(&record, hour, 6 * hour));  /* ... and does not silence it */

    assert_int_equal(guard_rights_take(&record, &none, 12 * hour + 1), RIGHTS_RESTORED);
    assert_false(guard_rights_remind(&record, hour, 20 * hour)); /* its end is about to be reported */
    guard_rights_end(&record);
    assert_int_equal(record.lost_usec, 0);
    assert_int_equal(record.n_reminders, 0);
    assert_string_equal(record.lost, "");
    assert_int_equal(guard_rights_take(&record, &two, 21 * hour), RIGHTS_LOST);
    assert_int_equal(record.sequence, 1);
}

static void kinds_have_names(void **state _unused_) {
    for (unsigned kind = 0; kind < _GUARD_PART_MAX; kind++)
        assert_int_equal(guard_part_from_string(guard_part_to_string(kind)), kind);
    assert_string_equal(guard_part_to_string(GUARD_PART_INLINE), "inline_policy");
    assert_string_equal(guard_part_to_string(_GUARD_PART_MAX), "?");
    assert_int_equal(guard_part_from_string("group_policy"), _GUARD_PART_MAX);
}

static void when_it_is_checked_again(void **state _unused_) {
    static const uint64_t day = 86400 * USEC_PER_SEC;

    assert_int_equal(guard_check_next_usec(day, true, 0), 300 * USEC_PER_SEC);
    assert_int_equal(guard_check_next_usec(10 * USEC_PER_SEC, true, 0), 10 * USEC_PER_SEC);
    assert_int_equal(guard_check_next_usec(day, false, 0), day);
    for (uint64_t i = 0; i < 1000; i++)
        assert_between(guard_check_next_usec(day, false, i * 7919 * USEC_PER_SEC), day - day / 24, day);
}

static void a_denial_of_the_question_may_be_the_loss(void **state _unused_) {
    GuardRecord asked = { .simulated = true }, never = { 0 };
    GuardLossReport report;

    assert_false(guard_losses_of_denial(&never, true, "denied", &report)); /* it never had that right */
    assert_false(guard_losses_of_denial(&asked, false, "throttled", &report));
    assert_true(guard_losses_of_denial(&asked, true, "denied", &report));
    assert_true(report.n == 1 && report.severity == SEVERITY_CRITICAL && report.mark != 0);
    assert_string_equal(report.text, "IAM may not be asked any more, so every right may be gone: denied");
}

#define USER      "arn:aws:iam::111122223333:user/staff/guard"
#define ROOT      "arn:aws:iam::111122223333:root"
#define ROLE      "arn:aws:iam::111122223333:role/guard"
#define PATH_ROLE "arn:aws:iam::111122223333:role/path/guard"

static void how_far_back_a_change_is_searched(void **state _unused_) {
    static const struct {
        GuardPage page;
        GuardSearchStep step;
        bool unread;
    } rows[] = {
        { { .n_pages = 1 }, GUARD_SEARCH_ENDS, false },
        { { .n_pages = 1, .has_next = true }, GUARD_SEARCH_GOES_ON, true },
        { { .n_pages = 39, .has_next = true }, GUARD_SEARCH_GOES_ON, true },
        { { .n_pages = 40, .has_next = true }, GUARD_SEARCH_ENDS, true },
        { { .n_pages = 40 }, GUARD_SEARCH_ENDS, false },
        { { .n_pages = 3, .failed = true }, GUARD_SEARCH_ENDS, true },
        { { .n_pages = 3, .failed = true, .too_big = true }, GUARD_SEARCH_SHRINKS, true },
        { { .n_pages = 40, .failed = true, .too_big = true }, GUARD_SEARCH_ENDS, true },
        /* no smaller one is asked for */
        { { .n_pages = 3, .failed = true, .too_big = true, .small = true }, GUARD_SEARCH_ENDS, true },
        { { .n_pages = 3, .small = true, .has_next = true }, GUARD_SEARCH_GOES_ON, true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        bool unread = !rows[i].unread;

        if (guard_search_step(&rows[i].page, &unread) != rows[i].step || unread != rows[i].unread)
            fail_msg("row %zu", i);
    }
}

static void which_user_or_role_is_asked_about(void **state _unused_) {
    assert_string_equal(guard_principal_of(NULL, USER), USER);
    assert_string_equal(guard_principal_of(NULL, ROOT), "");
    assert_string_equal(guard_principal_of(NULL, ""), "");
    /* what is assumed has its path in the configuration, and is never the root user */
    assert_string_equal(guard_principal_of(PATH_ROLE, ROLE), PATH_ROLE);
    assert_string_equal(guard_principal_of(ROLE, ROOT), ROLE);
}

static void whom_the_keys_were_of_is_kept_until_they_change(void **state _unused_) {
    Identities who = { 0 };

    assert_true(identities_take(&who, USER, 5)); /* the first ones took nobody's place */
    assert_string_equal(who.latest, USER);
    assert_string_equal(who.former, "");
    assert_int_equal(who.former_until_usec, 0);
    assert_false(identities_take(&who, USER, 6));
    assert_int_equal(who.former_until_usec, 0);
    assert_true(identities_take(&who, ROLE, 7));
    assert_string_equal(who.latest, ROLE);
    assert_string_equal(who.former, USER);
    assert_int_equal(who.former_until_usec, 7);
    assert_true(identities_take(&who, USER, 9));
    assert_string_equal(who.former, ROLE);
    assert_int_equal(who.former_until_usec, 9);
}

static void whose_access_is_checked(void **state _unused_) {
    static const struct {
        GuardPrincipal principal;
        bool checkable;
    } rows[] = {
        { { .identity = USER, .guarded = true }, true },
        { { .identity = USER, .guarded = true, .by_role = true }, true },
        /* the base credentials open the roles of others, also where their own account is not guarded */
        { { .identity = USER }, true },
        { { .identity = USER, .by_role = true }, false },
        { { .identity = "", .guarded = true }, false },
        { { .identity = ROOT, .guarded = true }, false },
        { { .identity = USER, .guarded = true, .blocked = true }, false },
        { { .identity = USER, .guarded = true, .left = true }, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(guard_is_checkable(&rows[i].principal), rows[i].checkable);
}

#define SEC USEC_PER_SEC

static void how_far_apart_checks_are(void **state _unused_) {
    static const uint64_t day = 86400 * SEC;

    assert_int_equal(guard_check_gap_usec(day, 1), 20 * SEC);
    assert_int_equal(guard_check_gap_usec(day, 1000), 20 * SEC);
    assert_int_equal(guard_check_gap_usec(60 * SEC, 7), 4 * SEC); /* each has its turn within the interval */
    assert_int_equal(guard_check_gap_usec(60 * SEC, 1), 20 * SEC);
}

static void a_denial_brings_a_check_forward(void **state _unused_) {
    static const struct {
        uint64_t due, begun, interval, wanted; /* in seconds; it is 1000 now */
    } rows[] = {
        { 9000, 0, 86400, 1002 },
        { 9000, 500, 86400, 1002 },
        { 9000, 700, 86400, 1002 },
        /* the last one is young: it has just read all this */
        { 9000, 701, 86400, 1001 },
        { 9000, 1000, 86400, 1300 },
        { 9000, 990, 60, 1050 },
        /* one that is due before stays */
        { 1001, 0, 86400, 1001 },
        { 1100, 1000, 86400, 1100 },
        { 0, 0, 86400, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (guard_check_wanted_usec(rows[i].due * SEC, rows[i].begun * SEC, rows[i].interval * SEC,
                                    1000 * SEC) != rows[i].wanted * SEC)
            fail_msg("row %zu", i);
}

/* ---- parts ---- */

/* "KIND NAME TEXT" for each, with "|" between; TEXT "-": none. */
static void parts_of(const char *words, uint32_t known, GuardParts *ret) {
    static const char *const names[_GUARD_PART_MAX] = { "trust",  "boundary", "attached", "inline",
                                                        "key",    "policy",   "kms",      "subscription" };
    char copy[1024], *rest = copy;

    *ret = (GuardParts){ .kinds = known };
    assert_true(text_copy(copy, sizeof(copy), words));
    for (char *one = strsep(&rest, "|"); one && one[0]; one = strsep(&rest, "|")) {
        const char *kind = strsep(&one, " "), *name = strsep(&one, " ");
        unsigned k = 0;

        while (k < _GUARD_PART_MAX && !text_equal(names[k], kind))
            k++;
        assert_true(k < _GUARD_PART_MAX);
        assert_int_equal(guard_parts_add(ret, k, text_equal(name, ".") ? "" : name,
                                         text_equal(one, "-") ? NULL : one),
                         0);
    }
}

#define ALL (GUARD_PART_BIT(_GUARD_PART_MAX) - 1)

static void changes(void **state _unused_) {
    static const struct {
        const char *before, *now, *text;
        Severity severity;
        uint32_t known; /* now */
    } cases[] = {
        { "trust . a|inline guard x", "inline guard x|trust . a", "", SEVERITY_WARNING, ALL },
        { "trust . {\"a\":1,\"b\":2}", "trust . { \"b\": 2, \"a\": 1 }", "", SEVERITY_WARNING, ALL },
        { "trust . a", "trust . b", "the trust policy was changed", SEVERITY_CRITICAL, ALL },
        { "inline guard x", "inline guard y", "the inline policy guard was changed", SEVERITY_WARNING, ALL },
        { "inline guard x", "inline guard x|inline AWSRevokeOlderSessions y",
          "the inline policy AWSRevokeOlderSessions was added", SEVERITY_CRITICAL, ALL },
        { "inline AWSRevokeOlderSessions y", "",
          "the inline policy AWSRevokeOlderSessions was removed", SEVERITY_WARNING, ALL },
        { "attached arn:p v1", "", "the attached policy arn:p was removed", SEVERITY_WARNING, ALL },
        { "", "boundary arn:b -", "the permissions boundary arn:b was added", SEVERITY_CRITICAL, ALL },
        { "key AKIAEXAMPLE0001 Active", "key AKIAEXAMPLE0001 Active|key AKIAEXAMPLE0002 Active",
          "the access key AKIA...0002 was added", SEVERITY_WARNING, ALL },
        { "key AKIAEXAMPLE0001 Active", "key AKIAEXAMPLE0001 Inactive",
          "the access key AKIA...0001 was changed", SEVERITY_WARNING, ALL },
        { "", "key short Active", "the access key short was added", SEVERITY_WARNING, ALL },
        { "subscription email:1 -|policy . a", "policy . b",
          "the topic's policy was changed; the subscription email:1 was removed", SEVERITY_WARNING, ALL },
        { "kms alias/x -", "", "the topic's KMS key alias/x was removed", SEVERITY_WARNING, ALL },
        /* what cannot be read now has not changed */
        { "trust . a|inline guard x", "trust . b", "the trust policy was changed", SEVERITY_CRITICAL,
          GUARD_PART_BIT(GUARD_PART_TRUST) },
        { "trust . a", "", "", SEVERITY_WARNING, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_strbuf_ StrBuf b = STRBUF_INIT(4096);
        GuardParts before, now;
        Severity severity;
        unsigned n;

        parts_of(cases[i].before, ALL, &before);
        parts_of(cases[i].now, cases[i].known, &now);
        n = guard_parts_compare(&before, &now, &b, &severity);
        assert_string_equal(strbuf_str(&b), cases[i].text);
        assert_int_equal(severity, cases[i].severity);
        assert_int_equal(n > 0, cases[i].text[0] != '\0');
        guard_parts_done(&before);
        guard_parts_done(&now);
    }
}

static void unread_kinds_stay(void **state _unused_) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(4096);
    GuardParts record, now, again;
    Severity severity;

    parts_of("trust . a|inline guard x", ALL, &record);
    parts_of("trust . b", GUARD_PART_BIT(GUARD_PART_TRUST), &now);
    assert_int_equal(guard_parts_merge(&record, &now), 0);
    assert_int_equal(now.n, 0);
    parts_of("trust . b|inline guard y", ALL, &again);
    assert_int_equal(guard_parts_compare(&record, &again, &b, &severity), 1);
    assert_string_equal(strbuf_str(&b), "the inline policy guard was changed");
    strbuf_truncate(&b, 0);
    record.kinds = GUARD_PART_BIT(GUARD_PART_TRUST); /* nor what could not be read before */
    assert_int_equal(guard_parts_compare(&record, &again, &b, &severity), 0);
    assert_string_equal(strbuf_str(&b), "");
    guard_parts_done(&record);
    guard_parts_done(&again);
}

static void a_ceiling(void **state _unused_) {
    GuardParts parts = { 0 };

    for (size_t i = 0; i < GUARD_PARTS_MAX; i++)
        assert_int_equal(guard_parts_add(&parts, GUARD_PART_INLINE, "x", NULL), 0);
    assert_int_equal(guard_parts_add(&parts, GUARD_PART_INLINE, "x", NULL), -E2BIG);
    assert_int_equal(guard_parts_many(&parts, GUARD_PART_INLINE), 0);
    assert_int_equal(guard_parts_add(&parts, GUARD_PART_INLINE, "y", NULL), 0); /* one of the many */
    assert_int_equal(parts.n, 1);
    guard_parts_done(&parts);
}

/* They hide nothing: that there are so many is the change, once, and so is that they are fewer again. */
static void more_than_can_be_compared(void **state _unused_) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(1024);
    GuardParts few, many;
    Severity severity;

    parts_of("trust . a|inline one x|inline two y", ALL, &few);
    parts_of("trust . a|inline one x|inline two y", ALL, &many);
    assert_int_equal(guard_parts_many(&many, GUARD_PART_INLINE), 0);
    assert_int_equal(guard_parts_compare(&few, &many, &b, &severity), 1);
    assert_string_equal(strbuf_str(&b), "there are more inline policies than TrailGuard can compare");
    assert_int_equal(severity, SEVERITY_CRITICAL);
    assert_int_equal(guard_parts_compare(&many, &many, &b, &severity), 0);
    strbuf_truncate(&b, 0);
    assert_int_equal(guard_parts_compare(&many, &few, &b, &severity), 1);
    assert_string_equal(strbuf_str(&b), "there are few enough inline policies to be compared again");
    /* the other kinds are compared as ever, and what could not be read is no change */
    strbuf_truncate(&b, 0);
    (void)strcpy(many.items[0].digest, "another");
    assert_int_equal(guard_parts_compare(&few, &many, &b, &severity), 2);
    assert_string_equal(strbuf_str(&b), "there are more inline policies than TrailGuard can compare; "
                                        "the trust policy was changed");
    many.kinds = GUARD_PART_BIT(GUARD_PART_TRUST);
    assert_int_equal(guard_parts_compare(&few, &many, &b, &severity), 1);
    /* two kinds */
    strbuf_truncate(&b, 0);
    many.kinds = ALL;
    assert_int_equal(guard_parts_many(&many, GUARD_PART_TRUST), 0);
    assert_int_equal(guard_parts_compare(&few, &many, &b, &severity), 2);
    assert_string_equal(strbuf_str(&b), "there are more trust policies than TrailGuard can compare; "
                                        "there are more inline policies than TrailGuard can compare");
    guard_parts_done(&few);
    guard_parts_done(&many);
}

/* ---- trust ---- */

#define TRUST(principal, more)                                                                              \
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":" principal             \
    ",\"Action\":\"sts:AssumeRole\"" more "}]}"
#define CONDITION ",\"Condition\":{\"StringEquals\":{\"sts:ExternalId\":\"x\"}}"

static void trust(void **state _unused_) {
    static const struct {
        const char *policy;
        const char *problem; /* how it begins; NULL: none */
    } cases[] = {
        { TRUST("{\"AWS\":\"arn:aws:iam::111122223333:role/hub\"}", ""), NULL },
        { TRUST("{\"Service\":\"ec2.amazonaws.com\"}", ""), NULL },
        { TRUST("\"*\"", ""), "anyone" },
        { TRUST("{\"AWS\":[\"arn:aws:iam::111122223333:role/hub\",\"*\"]}", ""), "anyone" },
        { TRUST("{\"AWS\":\"*\"}", CONDITION), NULL },
        { TRUST("{\"AWS\":\"*\"}", ",\"Condition\":{}"), "anyone" },
        { TRUST("{\"AWS\":\"arn:aws:iam::111122223333:root\"}", ""), "every administrator" },
        { TRUST("{\"AWS\":\"111122223333\"}", ""), "every administrator" },
        { TRUST("{\"AWS\":\"arn:aws:iam::111122223333:root\"}", CONDITION), NULL },
        { "{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\"}}", "anyone" },
        { "{\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":\"*\"}]}", NULL },
        { "{\"Statement\":[{\"Effect\":\"Allow\",\"NotPrincipal\":{\"AWS\":\"x\"}}]}", "it names who" },
        { "{\"Statement\":[{\"Effect\":\"Allow\"}]}", NULL },
        { "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"111122223333\"}},"
          "{\"Effect\":\"Allow\",\"Principal\":\"*\"}]}",
          "every administrator" },
        { "", "it cannot" },
        { "{}", "it cannot" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *problem = protection_trust_problem(cases[i].policy);

        if (cases[i].problem ? !text_starts_with(problem, cases[i].problem) : problem != NULL)
            fail_msg("%s: %s", cases[i].policy, problem ? problem : "none");
    }
}

static void messages_about_rights(void **state _unused_) {
    GuardRecord record = { .lost_usec = 5, .sequence = 1, .severity = SEVERITY_CRITICAL, .lost = "a, b" };
    Event event = guard_rights_event(&record, PHASE_OPENED, NULL, MODE_RESTART);

    assert_int_equal(event.kind, EVENT_GUARD_RIGHTS_LOST);
    assert_int_equal(event.phase, PHASE_OPENED);
    assert_int_equal(event.severity, SEVERITY_CRITICAL);
    assert_int_equal(event.sequence, 1);
    assert_true(event.incident_dedup_usec == 5 && event.dedup_usec == 5 && event.opened_usec == 5);
    assert_string_equal(event.detail, "a, b");
    assert_false(event.forgotten);
    /* one that has grown */
    record.sequence = 2;
    event = guard_rights_event(&record, PHASE_OPENED, NULL, MODE_RESTART);
    assert_true(event.incident_dedup_usec == 5 && event.dedup_usec == 6);
    record.reported_usec = 11;
    record.n_reminders = 3;
    event = guard_rights_event(&record, PHASE_REMINDER, NULL, MODE_RESTART);
    assert_int_equal(event.kind, EVENT_INCIDENT_REMINDER);
    assert_int_equal(event.still, EVENT_GUARD_RIGHTS_LOST);
    assert_int_equal(event.n_reminders, 3);
    assert_true(event.incident_dedup_usec == 5 && event.dedup_usec == 5);
    assert_string_equal(event.detail, "a, b");
    event = guard_rights_event(&record, PHASE_RESOLVED, NULL, MODE_RESTART);
    assert_int_equal(event.kind, EVENT_GUARD_RIGHTS_RESTORED);
    assert_int_equal(event.sequence, 3);
    assert_true(event.dedup_usec == 5 && !event.forgotten && event.n_reminders == 0 && event.still == 0);
    assert_string_equal(event.detail, "IAM would allow all that the guard needs again");
    event = guard_rights_event(&record, PHASE_RESOLVED, "guard_checks is off", MODE_RESTART);
    assert_true(event.forgotten);
    assert_string_equal(event.detail, "guard_checks is off");
}

static void a_message_about_a_change(void **state _unused_) {
    const Actor actor = { .arn = USER };
    const GuardRecord record = { .arn = ROLE, .read_usec = 5 }, later = { .arn = ROLE, .read_usec = 6 },
                      other = { .arn = USER, .read_usec = 5 };
    const GuardChange unknown = { SEVERITY_WARNING, "a key was added", NULL, 40, true },
                      known = { SEVERITY_CRITICAL, "the trust policy was changed", &actor, 3, false };
    Event event = guard_change_event(&record, &unknown, MODE_RESTART);

    assert_int_equal(event.kind, EVENT_GUARD_CHANGED);
    assert_int_equal(event.phase, PHASE_OPENED);
    assert_int_equal(event.severity, SEVERITY_WARNING);
    assert_int_equal(event.mode, MODE_RESTART);
    assert_int_equal(event.n_records, 40);
    assert_true(event.unread && !event.has_actor);
    assert_string_equal(event.detail, "a key was added");
    event = guard_change_event(&record, &known, MODE_OBSERVE);
    assert_int_equal(event.severity, SEVERITY_CRITICAL);
    assert_true(event.has_actor && !event.unread);
    assert_string_equal(event.actor.arn, USER);
    /* found again after a crash it is the same message */
    assert_true(event.dedup_usec == guard_change_event(&record, &unknown, MODE_RESTART).dedup_usec);
    assert_true(event.dedup_usec != guard_change_event(&later, &known, MODE_OBSERVE).dedup_usec);
    assert_true(event.dedup_usec != guard_change_event(&other, &known, MODE_OBSERVE).dedup_usec);
}

static void when_checks_begin_and_are_looked_for(void **state _unused_) {
    assert_true(guard_check_begin_usec(3600 * USEC_PER_SEC) == 10 * USEC_PER_SEC);
    assert_true(guard_check_begin_usec(4 * USEC_PER_SEC) == USEC_PER_SEC); /* of a test */
    assert_true(guard_check_wait_usec(105, 100) == 5);
    assert_true(guard_check_wait_usec(3600 * USEC_PER_SEC, 100) == 60 * USEC_PER_SEC);
    assert_true(guard_check_wait_usec(100, 105) == 0);
}

static void where_changes_are_recorded(void **state _unused_) {
    static const struct {
        const char *arn, *home, *region, *name;
    } rows[] = {
        { "arn:aws:iam::111122223333:user/staff/guard", "eu-central-1", "us-east-1", "guard" },
        { "arn:aws:iam::111122223333:role/guard", "us-east-1", "us-east-1", "guard" },
        { "arn:aws-cn:iam::111122223333:role/guard", "cn-northwest-1", "cn-north-1", "guard" },
        { "arn:aws:sns:eu-west-1:111122223333:alerts", "eu-central-1", "eu-west-1",
          "arn:aws:sns:eu-west-1:111122223333:alerts" },
        { "guard", "eu-central-1", "us-east-1", "guard" },
        { "guard", "xx-nowhere-1", "xx-nowhere-1", "guard" }, /* a partition to come */
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        GuardHistory history;

        guard_history_of(rows[i].arn, rows[i].home, &history);
        assert_string_equal(history.region, rows[i].region);
        assert_string_equal(history.name, rows[i].name);
    }
}

static void whose_record_it_is(void **state _unused_) {
    static const struct {
        const char *principal, *name;
    } rows[] = {
        { USER, USER }, { ROLE, ROLE }, { PATH_ROLE, ROLE }, { "", "" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char name[ARN_MAX];

        guard_record_name(rows[i].principal, name);
        assert_string_equal(name, rows[i].name);
    }
}

#define TOPIC   "arn:aws:sns:eu-central-1:111122223333:alerts"
#define ANOTHER "the guard uses another user or role there"

static void which_records_are_of_nobody_any_more(void **state _unused_) {
    static const char *const topics[] = { "arn:aws:sns:eu-central-1:111122223333:other", TOPIC };
    static const struct {
        const char *arn;
        bool unchecked, base;
        size_t n_topics;
        const char *account_ended;
        const char *used[2];
        size_t n_used;
        const char *why;
    } rows[] = {
        { .arn = USER, .used = { USER }, .n_used = 1 },
        { .arn = USER, .used = { ROLE }, .n_used = 1, .why = ANOTHER },
        { .arn = USER, .used = { ROLE, USER }, .n_used = 2 },
        { .arn = USER, .used = { ROLE, ROLE }, .n_used = 2, .why = ANOTHER },
        /* not known yet */
        { .arn = USER, .used = { "" }, .n_used = 1 },
        { .arn = USER, .used = { ROLE, "" }, .n_used = 2 },
        { .arn = USER },
        { .arn = "no ARN" },
        /* the base credentials need their rights in any account */
        { .arn = USER, .used = { USER }, .n_used = 1, .account_ended = "gone", .why = "gone" },
        { .arn = USER, .used = { USER }, .n_used = 1, .account_ended = "gone", .base = true },
        { .arn = USER,
          .used = { ROLE },
          .n_used = 1,
          .account_ended = "gone",
          .base = true,
          .why = ANOTHER },
        { .arn = TOPIC, .n_topics = 2, .account_ended = "gone" },
        { .arn = TOPIC, .n_topics = 1, .why = "`alerts` does not have the topic any more" },
        { .arn = USER, .used = { USER }, .n_used = 1, .unchecked = true, .why = "guard_checks is off" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *why = guard_record_why_ended(&(GuardRecordUse){
                .arn = rows[i].arn,
                .checks = !rows[i].unchecked,
                .topics = topics,
                .n_topics = rows[i].n_topics,
                .base = rows[i].base,
                .account_ended = rows[i].account_ended,
                .used = rows[i].used,
                .n_used = rows[i].n_used,
        });

        if (!text_equal(why, rows[i].why))
            fail_msg("row %zu: %s", i, why ? why : "none");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions),
        cmocka_unit_test(vital_rights),
        cmocka_unit_test(changes),
        cmocka_unit_test(a_question_has_a_ceiling),
        cmocka_unit_test(kinds_have_names),
        cmocka_unit_test(a_right_without_a_resource_is_one_on_all),
        cmocka_unit_test(losses),
        cmocka_unit_test(many_losses_are_counted),
        cmocka_unit_test(losses_are_reported_once),
        cmocka_unit_test(reminders_of_lost_rights),
        cmocka_unit_test(a_loss_has_its_mark_before_it_is_reported),
        cmocka_unit_test(when_it_is_checked_again),
        cmocka_unit_test(a_denial_of_the_question_may_be_the_loss),
        cmocka_unit_test(whose_access_is_checked),
        cmocka_unit_test(which_user_or_role_is_asked_about),
        cmocka_unit_test(how_far_back_a_change_is_searched),
        cmocka_unit_test(whom_the_keys_were_of_is_kept_until_they_change),
        cmocka_unit_test(how_far_apart_checks_are),
        cmocka_unit_test(a_denial_brings_a_check_forward),
        cmocka_unit_test(unread_kinds_stay),
        cmocka_unit_test(a_ceiling),
        cmocka_unit_test(more_than_can_be_compared),
        cmocka_unit_test(trust),
        cmocka_unit_test(messages_about_rights),
        cmocka_unit_test(a_message_about_a_change),
        cmocka_unit_test(when_checks_begin_and_are_looked_for),
        cmocka_unit_test(where_changes_are_recorded),
        cmocka_unit_test(whose_record_it_is),
        cmocka_unit_test(which_records_are_of_nobody_any_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
