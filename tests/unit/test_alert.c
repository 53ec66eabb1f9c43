/* SPDX-License-Identifier: Apache-2.0 */
/* The words of alerts. With $ALERT_DOCUMENTS set to a directory the documents of all cases are also written
 * there, for tests/integration/test_schemas.py to hold against the schema. */
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

#include "daemon/core/alert_private.h"
#include "daemon/core/enum_names.h"
#include "tests/unit/alert_check.h"
#include "tests/unit/between.h"

#define TEN_BLANKS "          "
#define TEN "123456789 "

static const Gap closed = { T0, T0 + 3 * SEC };
static const Gap open_gap = { T0, 0 };

#define HELD                                                                                                \
    { ACTION_RESTART, RESULT_CONFIRMED, 1 }
#define FAILED                                                                                              \
    { ACTION_RESTART, RESULT_FAILED, 2 }
#define PENDING                                                                                             \
    { ACTION_RESTART, RESULT_PENDING, 1 }

typedef struct Case {
    const Subject *subject;
    Event event;
    const char *expected; /* without "[TrailGuard] " */
    const char *in_text[4];
    const char *not_in_text;
    bool resolved, gap, attack;
} Case;

#define STOPPED FINDING_BIT(FINDING_STOPPED)
#define LOOKUP(call)                                                                                        \
    "aws cloudtrail lookup-events --region eu-central-1 --lookup-attributes "                               \
    "AttributeKey=EventName,AttributeValue=" call "\n"

static const Case cases[] = {
    { &trail,
      EVENT(EVENT_TRAIL_STOPPED, PHASE_OPENED, SEVERITY_CRITICAL, .resolves = true, .may_act = true,
            .gap = { T0, T0 + 3 * SEC }, .action = HELD),
      "CRITICAL org-trail stopped in eu-central-1 (111122223333), running again after 3 s",
      { "from 2026-11-23 10:02:11 UTC to 2026-11-23 10:02:14 UTC: 3 s",
        "(1 attempt) and read the status back", LOOKUP("StopLogging"), "ARN      " ARN },
      "still open",
      true,
      true,
      true },
    { &long_trail,
      EVENT(EVENT_TRAIL_STOPPED, PHASE_REOPENED, SEVERITY_CRITICAL, .resolves = true, .may_act = true,
            .gap = { T0, T0 + 3 * SEC }, .action = HELD),
      "CRITICAL a123456789b1... stopped again in ap-southeast-1 (111122223333), running again",
      { NAME_128, NULL },
      NULL,
      true,
      true,
      true },
    { &trail,
      EVENT(EVENT_TRAIL_STOPPED, PHASE_OPENED, SEVERITY_CRITICAL, .resolves = true, .may_act = true,
            .gap = { T0, T0 + 3 * SEC }),
      "CRITICAL org-trail stopped in eu-central-1 (111122223333), logging again after 3 s",
      { "was stopped, and is logging again", "Nothing: another caller started the trail", NULL },
      "read the status back",
      true,
      true,
      true },
    { &trail,
      EVENT(EVENT_TRAIL_STOPPED, PHASE_OPENED, SEVERITY_CRITICAL, .may_act = true, .findings = STOPPED,
            .gap = { T0, 0 }, .action = FAILED, .detail = "AccessDenied: no\nway"),
      "CRITICAL org-trail stopped in eu-central-1 (111122223333), restart failed",
      { "(2 attempts). That failed: AccessDenied: no\\x0away\n", "still open: 4 min 1 s so far",
        "aws cloudtrail start-logging --region eu-central-1 --name " ARN, NULL },
      NULL,
      false,
      true,
      true },
    { &trail,
      EVENT(EVENT_TRAIL_STOPPED, PHASE_OPENED, SEVERITY_CRITICAL, .may_act = true, .findings = STOPPED,
            .gap = { T0, 0 }, .action = PENDING),
      "CRITICAL org-trail stopped in eu-central-1 (111122223333), the restart is under way",
      { "is not confirmed yet", NULL },
      NULL,
      false,
      true,
      true },
    { &trail,
      EVENT(EVENT_TRAIL_STOPPED, PHASE_OPENED, SEVERITY_CRITICAL, .findings = STOPPED, .gap = { T0, 0 },
            .first_sight = true),
      "CRITICAL org-trail stopped in eu-central-1 (111122223333), not restarted",
      { "already stopped at TrailGuard's first poll. AWS says since 2026-11-23 10:02:11 UTC",
        "mode \"observe\"", NULL },
      NULL,
      false,
      true,
      true },
    { &trail,
      EVENT(EVENT_TRAIL_STOPPED, PHASE_OPENED, SEVERITY_CRITICAL, .protected = true, .findings = STOPPED,
            .first_sight = true),
      "CRITICAL org-trail stopped in eu-central-1 (111122223333), not restarted",
      { "management account", "AWS does not say since when", NULL },
      "1970",
      false,
      false,
      true },
    { &trail,
      EVENT(EVENT_TRAIL_INTERRUPTED, PHASE_OPENED, SEVERITY_CRITICAL, .resolves = true,
            .gap = { T0, T0 + 12 * SEC }),
      "CRITICAL org-trail was off for 12 s in eu-central-1 (111122223333)",
      { "between two polls", LOOKUP("StopLogging"), NULL },
      NULL,
      true,
      true,
      true },
    { &trail,
      EVENT(EVENT_TRAIL_MISSING, PHASE_OPENED, SEVERITY_CRITICAL, .findings = FINDING_BIT(FINDING_MISSING),
            .first_sight = true),
      "CRITICAL org-trail missing in eu-central-1 (111122223333), never found",
      { "TrailGuard has never found it", LOOKUP("DeleteTrail"), "create it again", NULL },
      NULL,
      false,
      false,
      true },
    { &trail,
      EVENT(EVENT_TRAIL_FAILING, PHASE_OPENED, SEVERITY_CRITICAL, .gap = { T0, T0 + SEC },
            .findings = FINDING_BIT(FINDING_DELIVERY) | FINDING_BIT(FINDING_DIGEST),
            .detail = "AccessDenied"),
      "CRITICAL org-trail cannot deliver in eu-central-1 (111122223333): AccessDenied",
      { "cannot deliver log files, digests: AccessDenied", "for 30 days", NULL },
      "The gap",
      false,
      false,
      false },
    { &trail,
      EVENT(EVENT_TRAIL_FAILING, PHASE_OPENED, SEVERITY_WARNING, .findings = FINDING_BIT(FINDING_DIGEST),
            .detail = "NoSuchBucket"),
      "WARNING org-trail cannot deliver digests in eu-central-1 (111122223333): NoSuchBucket",
      { NULL },
      NULL,
      false,
      false,
      false },
    { &trail,
      EVENT(EVENT_TRAIL_RESOLVED, PHASE_RESOLVED, SEVERITY_CRITICAL, .may_act = true,
            .gap = { T0, T0 + 240 * SEC }, .action = HELD),
      "RESOLVED org-trail logging again in eu-central-1 (111122223333) after 4 min",
      { "from 2026-11-23 10:02:11 UTC to 2026-11-23 10:06:11 UTC: 4 min", LOOKUP("StopLogging"), NULL },
      NULL,
      true,
      true,
      false },
    { &trail,
      EVENT(EVENT_TRAIL_RESOLVED, PHASE_RESOLVED, SEVERITY_WARNING),
      "RESOLVED org-trail is well again in eu-central-1 (111122223333) after 4 min",
      { NULL },
      "What was lost",
      true,
      false,
      false },
    { &trail,
      EVENT(EVENT_INCIDENT_REMINDER, PHASE_REMINDER, SEVERITY_CRITICAL, .findings = STOPPED,
            .n_reminders = 2, .may_act = true, .gap = { T0, 0 }, .action = FAILED),
      "REMINDER org-trail still stopped in eu-central-1 (111122223333), for 4 min",
      { "(2 attempts), without success so far", "still open", NULL },
      NULL,
      false,
      true,
      false },
    { &trail,
      EVENT(EVENT_INCIDENT_REMINDER, PHASE_REMINDER, SEVERITY_CRITICAL,
            .findings = FINDING_BIT(FINDING_MISSING)),
      "REMINDER org-trail still missing in eu-central-1 (111122223333), for 4 min",
      { NULL },
      NULL,
      false,
      false,
      false },
    { &trail,
      EVENT(EVENT_INCIDENT_REMINDER, PHASE_REMINDER, SEVERITY_WARNING,
            .findings = FINDING_BIT(FINDING_LOG_GROUP)),
      "REMINDER org-trail still cannot deliver in eu-central-1 (111122223333), for 4 min",
      { "still cannot deliver to CloudWatch Logs", NULL },
      NULL,
      false,
      false,
      false },
    { &trail,
      EVENT(EVENT_INCIDENT_REMINDER, PHASE_REMINDER, SEVERITY_WARNING,
            .findings = FINDING_BIT(FINDING_UNREACHABLE), .error = POLL_DENIED),
      "REMINDER still cannot poll org-trail in eu-central-1 (111122223333), for 4 min",
      { "access denied", NULL },
      NULL,
      false,
      false,
      false },
    { &target,
      EVENT(EVENT_INCIDENT_REMINDER, PHASE_REMINDER, SEVERITY_WARNING, .error = POLL_DENIED, .detail = "no"),
      "REMINDER still cannot poll eu-central-1 (111122223333), for 4 min",
      { NULL },
      "lookup-events",
      false,
      false,
      false },
    { &target,
      EVENT(EVENT_INCIDENT_REMINDER, PHASE_REMINDER, SEVERITY_WARNING),
      "REMINDER still no trail records eu-central-1 (111122223333), for 4 min",
      { NULL },
      NULL,
      false,
      false,
      false },
    { &trail,
      EVENT(EVENT_TRAIL_STOPPED, PHASE_SUMMARY, SEVERITY_CRITICAL, .resolves = true, .gap = { T0, T0 + SEC },
            .repeats = { 7, T0, T0 + 200 * SEC, 14 * SEC }),
      "CRITICAL org-trail in trouble 7 times more in eu-central-1 (111122223333), well now",
      { "7 times, summed up here", "2026-11-23 10:02:11 UTC  the first", "2026-11-23 10:05:31 UTC  the last",
        "14 s in all without recording" },
      NULL,
      true,
      true,
      true },
    { &target,
      EVENT(EVENT_TARGET_UNREACHABLE, PHASE_SUMMARY, SEVERITY_WARNING, .repeats = { 1, 0, 0, 0 }),
      "WARNING trouble 1 time more in eu-central-1 (111122223333), not well yet",
      { "1 time, summed up", NULL },
      "1970",
      false,
      false,
      false },
    { &target,
      EVENT(EVENT_TARGET_UNREACHABLE, PHASE_OPENED, SEVERITY_WARNING, .error = POLL_DENIED, .n_failed = 3,
            .detail = "AccessDeniedException: User is not authorized"),
      "WARNING cannot poll eu-central-1 (111122223333): access denied",
      { "3 polls in a row failed: AccessDeniedException: User is not authorized", "does not know", NULL },
      "lookup-events",
      false,
      false,
      false },
    { &trail,
      EVENT(EVENT_TARGET_UNREACHABLE, PHASE_OPENED, SEVERITY_CRITICAL, .error = POLL_THROTTLED,
            .n_failed = 1, .findings = FINDING_BIT(FINDING_UNREACHABLE)),
      "CRITICAL cannot poll org-trail in eu-central-1 (111122223333): throttled",
      { "1 poll in a row failed.", NULL },
      NULL,
      false,
      false,
      false },
    { &target,
      EVENT(EVENT_TARGET_REACHABLE, PHASE_RESOLVED, SEVERITY_WARNING),
      "RESOLVED can poll eu-central-1 (111122223333) again after 4 min",
      { NULL },
      NULL,
      true,
      false,
      false },
    { &trail,
      EVENT(EVENT_TARGET_REACHABLE, PHASE_RESOLVED, SEVERITY_WARNING),
      "RESOLVED can poll org-trail again in eu-central-1 (111122223333) after 4 min",
      { NULL },
      NULL,
      true,
      false,
      false },
    { &target,
      EVENT(EVENT_REGION_UNCOVERED, PHASE_OPENED, SEVERITY_WARNING),
      "WARNING no trail records eu-central-1 (111122223333)",
      { "make a trail multi-region", NULL },
      NULL,
      false,
      false,
      false },
    { &target,
      EVENT(EVENT_REGION_COVERED, PHASE_RESOLVED, SEVERITY_WARNING),
      "RESOLVED a trail records eu-central-1 (111122223333) again",
      { NULL },
      NULL,
      true,
      false,
      false },
    { &nobody,
      EVENT(EVENT_CHANNEL_FAILED, PHASE_OPENED, SEVERITY_CRITICAL,
            .detail =
                    "sns:arn:aws:sns:eu-central-1:111122223333:trailguard: NotFound: Topic does not exist"),
      "CRITICAL channel failed: topic trailguard: NotFound: Topic does not exist",
      { "NotFound: Topic does not exist", NULL },
      "Where",
      false,
      false,
      false },
    { &nobody,
      EVENT(EVENT_CHANNEL_RECOVERED, PHASE_RESOLVED, SEVERITY_WARNING, .detail = "sns:topic"),
      "RESOLVED channel works again: sns:topic",
      { NULL },
      NULL,
      true,
      false,
      false },
    { &nobody,
      EVENT(EVENT_GUARD_TEST, PHASE_OPENED, SEVERITY_INFO),
      "TEST alert from guard1",
      { NULL },
      NULL,
      true,
      false,
      false },
};

static void test_wrap(void **state _unused_) {
    static const struct {
        const char *text, *expected;
    } wraps[] = {
        { "", "" },
        { "short\n\nlines\n", "short\n\nlines\n" },
        { TEN TEN TEN TEN TEN TEN TEN TEN TEN "123456789 123456789 x\ny",
          TEN TEN TEN TEN TEN TEN TEN TEN TEN "123456789\n  123456789 x\ny" },
        { "  12. " TEN TEN TEN TEN TEN TEN TEN TEN TEN "end of it\n",
          "  12. " TEN TEN TEN TEN TEN TEN TEN TEN TEN "end\n      of it\n" },
        { TEN TEN TEN TEN TEN TEN TEN TEN TEN
          "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 x",
          TEN TEN TEN TEN TEN TEN TEN TEN TEN
          "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 x" },
        { NAME_128 " " NAME_128 " x", NAME_128 "\n  " NAME_128 "\n  x" },
        /* numbers that are no number of a list */
        { "192.0.2.7 " NAME_128, "192.0.2.7\n  " NAME_128 },
        { "7.", "7." },
        { TEN_BLANKS TEN_BLANKS TEN_BLANKS TEN_BLANKS TEN_BLANKS TEN_BLANKS TEN_BLANKS TEN_BLANKS TEN_BLANKS
                  TEN_BLANKS " ",
          TEN_BLANKS TEN_BLANKS TEN_BLANKS TEN_BLANKS TEN_BLANKS TEN_BLANKS TEN_BLANKS TEN_BLANKS TEN_BLANKS
                  TEN_BLANKS " " },
        { "  aws " TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN,
          "  aws " TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN },
        { "  ARN      " NAME_128, "  ARN      " NAME_128 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(wraps); i++) {
        _cleanup_strbuf_ StrBuf wrapped = STRBUF_INIT(4096);

        assert_int_equal(alert_wrap(wraps[i].text, &wrapped), 0);
        assert_string_equal(strbuf_str(&wrapped), wraps[i].expected);
    }
}

/* ---- the table ---- */

static void check_case_document(const Case *c, const Alert *alert) {
    json_t *root = load(alert->document);
    bool about_trail = c->subject->name[0] != '\0';

    assert_int_equal(json_is_true(json_object_get(root, "resolved")), c->resolved);
    assert_int_equal(json_is_object(json_object_get(root, "gap")), c->gap);
    assert_int_equal(json_array_size(json_object_get(root, "attack")), c->attack ? 2 : 0);
    assert_int_equal(json_is_object(json_object_get(root, "trail")), about_trail);
    assert_int_equal(json_is_object(json_object_get(root, "repeats")), c->event.phase == PHASE_SUMMARY);
    assert_string_equal(alert->trail, about_trail ? c->subject->name : "");
    json_decref(root);
}

static void test_cases(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const Case *c = &cases[i];
        Alert alert = compose(c->subject, &c->event);

        if (strcmp(alert.subject + strlen("[TrailGuard] "), c->expected) != 0)
            fail_msg("case %zu: %s\n    expected: %s", i, alert.subject, c->expected);
        for (size_t k = 0; k < ARRAY_SIZE(c->in_text) && c->in_text[k]; k++)
            if (!says(alert.text, c->in_text[k]))
                fail_msg("case %zu: no \"%s\" in\n%s", i, c->in_text[k], alert.text);
        if (c->not_in_text && says(alert.text, c->not_in_text))
            fail_msg("case %zu: \"%s\" in\n%s", i, c->not_in_text, alert.text);
        check_any(&alert);
        check_case_document(c, &alert);
        keep_document("alert", i, &alert);
        alert_done(&alert);
    }
}

/* Names and regions at their longest cost the subject whatever is in it, but not where it is. */
static void test_every_subject_says_where(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        for (unsigned k = 0; k < 4; k++) {
            Subject far = *cases[i].subject;
            Alert alert;

            if (far.region[0])
                far.region = k % 2 ? "ap-southeast-1" : "us-gov-west-1";
            if (far.name[0] && k < 2)
                far.name = NAME_128;
            alert = compose(&far, &cases[i].event);
            check_any(&alert);
            alert_done(&alert);
        }
}

/* Everything in the document of one alert, spelt out. */
static void test_document(void **state _unused_) {
    Alert alert = compose(&trail, &cases[0].event);
    char expected[2048];

    (void)snprintf(
            expected, sizeof(expected),
            "{\"schema\":\"trailguard.alert/1\",\"id\":\"%s\",\"incident\":\"%s\",\"sequence\":1,"
            "\"event\":\"trail.stopped\",\"severity\":\"critical\",\"time\":\"2026-11-23T10:06:12Z\","
            "\"summary\":\"org-trail in eu-central-1 (111122223333) was stopped. TrailGuard started it, and "
            "it is "
            "logging.\",\"resolved\":true,\"opened\":\"2026-11-23T10:02:12Z\",\"reopened\":null,\"account\":"
            "\"111122223333\","
            "\"region\":\"eu-central-1\",\"trail\":{\"name\":\"org-trail\",\"arn\":\"" ARN "\"},"
            "\"findings\":[],\"detail\":null,\"first_sight\":false,"
            "\"gap\":{\"from\":\"2026-11-23T10:02:11Z\",\"to\":\"2026-11-23T10:02:14Z\"},\"repeats\":null,"
            "\"contest\":null,"
            "\"action\":{\"taken\":\"restart\",\"result\":\"confirmed\",\"attempts\":1},\"actor\":null,"
            "\"fields\":[],\"fields_left\":[],\"changes\":[],\"maintenance\":false,\"drill\":false,"
            "\"restores_paused\":false,\"members\":null,\"members_total\":0,\"attack\":[\"T1562.008\","
            "\"T1685.002\"],\"guard\":{\"host\":\"guard1\",\"version\":\"0.1.0\"}}",
            alert.id, alert.incident);
    assert_string_equal(alert.document, expected);
    assert_int_equal(alert.time_usec, T0 + 241 * SEC);
    assert_string_equal(alert.account, ACCOUNT);
    assert_string_equal(alert.region, "eu-central-1");
    alert_done(&alert);
    alert_done(&alert); /* twice is fine */
}

/* ---- identities ---- */

static void id_of(const Subject *subject, Event event, char ret[static 65]) {
    Alert alert = compose(subject, &event);

    memcpy(ret, alert.id, 65);
    alert_done(&alert);
}

static void test_ids_equal(void **state _unused_) {
    Event stopped = EVENT(EVENT_TRAIL_STOPPED, PHASE_OPENED, SEVERITY_CRITICAL, .findings = STOPPED);
    Event other = stopped;
    char a[65], b[65];

    id_of(&trail, stopped, a);
    /* another guard, later, saw only that it had been off, as a reopening, as its third message */
    other.kind = EVENT_TRAIL_INTERRUPTED;
    other.phase = PHASE_REOPENED;
    other.time_usec += SEC;
    other.opened_usec += SEC;
    other.sequence = 3;
    other.resolves = true;
    other.gap = closed;
    id_of(&trail, other, b);
    assert_string_equal(a, b);
    /* one polled while the trail was gone, the other when it was there again */
    other.kind = EVENT_TRAIL_MISSING;
    id_of(&trail, other, a);
    assert_string_not_equal(a, b);
    other.kind = EVENT_TRAIL_REPLACED;
    other.phase = PHASE_OPENED;
    id_of(&trail, other, b);
    assert_string_equal(a, b);
}

static void test_ids_differ(void **state _unused_) {
    static const Subject same_name_elsewhere = { "org-trail",
                                                 "arn:aws:cloudtrail:eu-west-1:111122223333:trail/org-trail",
                                                 ACCOUNT, "eu-west-1" };
    static const Subject nameless_1 = { "a", "", "1", "eu" }, nameless_2 = { "", "", "1", "eua" };
    const struct {
        const Subject *subject;
        Event event;
    } all[] = {
        { &trail, EVENT(EVENT_TRAIL_STOPPED, PHASE_OPENED, SEVERITY_CRITICAL) },
        { &same_name_elsewhere, EVENT(EVENT_TRAIL_STOPPED, PHASE_OPENED, SEVERITY_CRITICAL) },
        { &nameless_1, EVENT(EVENT_TRAIL_STOPPED, PHASE_OPENED, SEVERITY_CRITICAL) },
        { &nameless_2, EVENT(EVENT_TRAIL_STOPPED, PHASE_OPENED, SEVERITY_CRITICAL) },
        { &trail, EVENT(EVENT_TRAIL_MISSING, PHASE_OPENED, SEVERITY_CRITICAL) },
        { &trail, EVENT(EVENT_TRAIL_FAILING, PHASE_OPENED, SEVERITY_CRITICAL) },
        { &trail, EVENT(EVENT_TARGET_UNREACHABLE, PHASE_OPENED, SEVERITY_CRITICAL) },
        { &trail, EVENT(EVENT_TRAIL_RESOLVED, PHASE_RESOLVED, SEVERITY_CRITICAL) },
        { &trail, EVENT(EVENT_TRAIL_STOPPED, PHASE_SUMMARY, SEVERITY_CRITICAL) },
        { &trail, EVENT(EVENT_INCIDENT_REMINDER, PHASE_REMINDER, SEVERITY_CRITICAL, .n_reminders = 1) },
        { &trail, EVENT(EVENT_INCIDENT_REMINDER, PHASE_REMINDER, SEVERITY_CRITICAL, .n_reminders = 2) },
        { &trail, { .kind = EVENT_TRAIL_STOPPED, .severity = SEVERITY_CRITICAL, .dedup_usec = T0 + 1 } },
        { &target, EVENT(EVENT_TARGET_UNREACHABLE, PHASE_OPENED, SEVERITY_WARNING) },
        { &target, EVENT(EVENT_REGION_UNCOVERED, PHASE_OPENED, SEVERITY_WARNING) },
        { &target, EVENT(EVENT_TARGET_REACHABLE, PHASE_RESOLVED, SEVERITY_WARNING) },
        { &target, EVENT(EVENT_REGION_COVERED, PHASE_RESOLVED, SEVERITY_WARNING) },
        { &target, EVENT(EVENT_INCIDENT_REMINDER, PHASE_REMINDER, SEVERITY_WARNING, .detail = "denied") },
        { &target, EVENT(EVENT_INCIDENT_REMINDER, PHASE_REMINDER, SEVERITY_WARNING) },
        { &nobody, EVENT(EVENT_CHANNEL_FAILED, PHASE_OPENED, SEVERITY_WARNING, .detail = "sns:a: x") },
        { &nobody, EVENT(EVENT_CHANNEL_FAILED, PHASE_OPENED, SEVERITY_WARNING, .detail = "sns:b: x") },
        { &nobody, EVENT(EVENT_CHANNEL_RECOVERED, PHASE_RESOLVED, SEVERITY_WARNING, .detail = "sns:a") },
        { &nobody, EVENT(EVENT_GUARD_TEST, PHASE_OPENED, SEVERITY_INFO) },
    };
    char ids[ARRAY_SIZE(all)][65];

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        id_of(all[i].subject, all[i].event, ids[i]);
        for (size_t k = 0; k < i; k++)
            if (strcmp(ids[i], ids[k]) == 0)
                fail_msg("%zu and %zu have the same id", i, k);
    }
}

/* Commands stay on their lines: a person copies them into a shell. */
static void test_contain_has_the_commands(void **state _unused_) {
    Containment contain = { .verdict = CONTAIN_PROPOSED,
                            .arn = "arn:aws:iam::111122223333:role/path/Admin",
                            .partition = "aws",
                            .account = ACCOUNT,
                            .name = "Admin",
                            .is_role = true,
                            .n_tamperings = 3,
                            .time_usec = T0};
    Event event = EVENT(EVENT_TRAIL_ATTRIBUTED, PHASE_OPENED, SEVERITY_CRITICAL, .has_actor = true,
                        .actor = { .type = "AssumedRole", .name = "Admin/eve", .event_id = "e1" });
    Alert without = compose(&trail, &event), with;
    json_t *root = load(without.document), *member;

    assert_null(json_object_get(root, "contain"));
    assert_null(strstr(without.text, "contain"));
    json_decref(root);
    event.contain = &contain;
    with = compose(&trail, &event);
    assert_string_equal(with.id, without.id);
    check_widths(with.text);
    assert_non_null(strstr(with.text,
                           "\nHow to contain it\n  TrailGuard proposes to deny changes of trails and of IAM "
                           "to\n  arn:aws:iam::111122223333:role/path/Admin. Reason: 3 tamperings within "));
    assert_non_null(strstr(with.text, "The first of them ends all sessions of the role,"));
    assert_non_null(strstr(with.text,
                           "\n  trailguard policy deny --account 111122223333 >TrailGuardContain.json\n"
                           "  aws iam put-role-policy --role-name=Admin --policy-name TrailGuardContain "
                           "--policy-document '{"));
    assert_non_null(strstr(with.text, "\"2026-11-23T10:02:11Z\"}}}]}'\n  aws iam create-policy "));
    assert_non_null(strstr(with.text, "\n  To undo it:\n  aws iam detach-role-policy --role-name=Admin "));
    root = load(with.document);
    member = json_object_get(root, "contain");
    assert_string_equal(json_string_value(json_object_get(member, "kind")), "role");
    assert_string_equal(json_string_value(json_object_get(member, "reason")), "3 tamperings within an hour");
    assert_int_equal(json_array_size(json_object_get(member, "commands")), 4);
    assert_int_equal(json_array_size(json_object_get(member, "undo")), 3);
    json_decref(root);
    assert_null(strstr(with.text, "not sure enough"));
    alert_done(&with);
    contain.why_not = "max_per_day is reached"; /* in mode enforce */
    with = compose(&trail, &event);
    assert_non_null(strstr(with.text, "is not sure enough: max_per_day is reached.\n"));
    alert_done(&with);
    alert_done(&without);
}

/* Of every event: the id changes with each part of the fact, and with nothing that two guards, or one before
 * and after a crash, may see differently. */
static void test_ids_of_all_events(void **state _unused_) {
    for (EventKind e = 0; e < _EVENT_MAX; e++) {
        bool follow_up = e == EVENT_TRAIL_ATTRIBUTED || e == EVENT_TRAIL_ATTEMPTED;
        EventPhase kind = e == EVENT_INCIDENT_REMINDER ? PHASE_REMINDER : PHASE_OPENED;
        const Event fact = EVENT(e, kind, SEVERITY_WARNING, .n_reminders = 1, .has_actor = follow_up,
                                 .actor = { .name = "bob", .event_id = "e1" }, .detail = "x");
        Event same = fact, others[] = { fact, fact, fact, fact };
        char id[65], other[65];

        same.sequence = 9;
        same.time_usec += SEC;
        same.opened_usec += SEC;
        same.resolves = true;
        same.severity = SEVERITY_CRITICAL;
        same.n_failed = 7;
        same.action.attempts = 3;
        same.fields_left = FIELD_BIT(FIELD_TAGS);
        id_of(&trail, fact, id);
        id_of(&trail, same, other);
        assert_string_equal(id, other);
        others[0].dedup_usec++;
        others[1].kind = e == EVENT_TRAIL_MISSING || e == EVENT_TRAIL_REPLACED ? EVENT_TRAIL_FAILING
                                                                               : EVENT_TRAIL_MISSING;
        others[1].phase = PHASE_OPENED;
        (void)strcpy(others[2].actor.event_id, follow_up ? "e2" : "e1");
        others[3].n_reminders = kind == PHASE_REMINDER ? 2 : 1;
        for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
            bool differs = i < 2 || (i == 2 && follow_up) || (i == 3 && kind == PHASE_REMINDER);

            id_of(&trail, others[i], other);
            if ((strcmp(id, other) != 0) != differs)
                fail_msg("event %d, other fact %zu: %s", (int)e, i, differs ? "the same id" : "another id");
        }
    }
}

static void test_incident_ids(void **state _unused_) {
    Event first = EVENT(EVENT_TRAIL_STOPPED, PHASE_OPENED, SEVERITY_CRITICAL);
    Event last = EVENT(EVENT_TRAIL_RESOLVED, PHASE_RESOLVED, SEVERITY_CRITICAL);
    char id[17], other[17];
    Alert a, b;

    last.dedup_usec += 10 * SEC;
    a = compose(&trail, &first);
    b = compose(&trail, &last);
    assert_string_equal(a.incident, b.incident);
    assert_int_equal(alert_incident_id(&trail, T0, id), 0);
    assert_string_equal(a.incident, id);
    assert_int_equal(strspn(id, "0123456789abcdef"), 16);
    assert_int_equal(alert_incident_id(&trail, T0 + 1, other), 0);
    assert_string_not_equal(id, other);
    assert_int_equal(alert_incident_id(&target, T0, other), 0);
    assert_string_not_equal(id, other);
    alert_done(&b);
    last.incident_of = &target; /* what is reported in the incident that it shares with others */
    b = compose(&trail, &last);
    assert_string_equal(b.incident,
                        alert_incident_id(&target, last.incident_dedup_usec, other) < 0 ? "" : other);
    assert_string_equal(b.trail, a.trail);
    alert_done(&a);
    alert_done(&b);
}

/* ---- hostile text ---- */

static const char *const hostile[] = {
    "line\nbreak\r\nSubject: x",
    "\x01\x02\x7f\x1b[31mred",
    "\xc3\xa9t\xc3\xa9 \xe2\x80\xae gnp",
    "broken \xff\xc3",
    "{name}{arn}{detail}",
    "$(reboot)`x`;&&|'\"\\",
    "--profile",
    NAME_128,
    "%s%n%d",
    "]]></x>",
};

static void test_hostile_text(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        for (size_t k = 0; k < ARRAY_SIZE(hostile); k++) {
            const char *bad = hostile[k];
            Subject subject = { cases[i].subject->name[0] ? bad : "", cases[i].subject->arn[0] ? bad : "",
                                bad, bad };
            AlertGuard host = { bad, bad };
            Event event = cases[i].event;
            Alert alert;

            (void)snprintf(event.detail, sizeof(event.detail), "%s%s", bad, bad);
            assert_int_equal(alert_compose(&host, &subject, &event, &alert), 0);
            if (strchr(bad, '{')) {
                /* shown, not replaced */
                assert_null(strstr(alert.subject, "org-trail"));
                alert_done(&alert);
                continue;
            }
            check_any(&alert);
            assert_null(strstr(alert.text, "AttributeValue=$"));
            assert_null(strstr(alert.text, "AttributeValue=-"));
            for (const char *s = alert.trail; *s; s++)
                assert_between(*s, 0x21, 0x7e);
            alert_done(&alert);
        }
}

static uint64_t seed = 88172645463325252ULL;

static uint64_t rnd(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void fill(char *dst, size_t size) {
    size_t n = rnd() % size;

    for (size_t i = 0; i < n; i++) {
        dst[i] = (char)(1 + rnd() % 255);
        if (dst[i] == '{')
            dst[i] = '(';
    }
    dst[n] = '\0';
}

static void test_random(void **state _unused_) {
    for (unsigned i = 0; i < 600; i++) {
        char name[200], arn[600], account[20], region[60], host[300];
        Subject subject = { name, arn, account, region };
        AlertGuard somebody = { host, "1" };
        Event event = { 0 };
        Alert alert;

        fill(name, sizeof(name));
        fill(arn, sizeof(arn));
        fill(account, sizeof(account));
        fill(region, sizeof(region));
        fill(host, sizeof(host));
        fill(event.detail, sizeof(event.detail));
        event.kind = (EventKind)(rnd() % _EVENT_MAX);
        event.phase = (EventPhase)(rnd() % _EVENT_PHASE_MAX);
        event.severity = (Severity)(rnd() % _SEVERITY_MAX);
        event.dedup_usec = rnd();
        event.opened_usec = T0 + rnd() % T0;
        event.time_usec = T0 + rnd() % T0;
        event.findings = (uint32_t)rnd();
        event.gap = (Gap){ rnd() % 3 ? T0 + rnd() % T0 : 0, rnd() % 2 ? T0 / 2 + rnd() % T0 : 0 };
        event.action = (ActionReport){ (Action)(rnd() % _ACTION_MAX), (ActionResult)(rnd() % _RESULT_MAX),
                                       (unsigned)rnd() };
        event.repeats = (Repeats){ (unsigned)rnd(), T0, T0, rnd() };
        event.error = (PollError)(rnd() % _POLL_ERROR_MAX);
        event.resolves = rnd() & 1;
        event.may_act = rnd() & 1;
        event.protected = rnd() & 1;
        event.first_sight = rnd() & 1;
        assert_int_equal(alert_compose(&somebody, &subject, &event, &alert), 0);
        check_any(&alert);
        alert_done(&alert);
    }
}

static void test_refuses_nonsense(void **state _unused_) {
    Event event = cases[0].event;
    Alert alert;

    event.kind = _EVENT_MAX;
    assert_int_equal(alert_compose(&guard, &trail, &event, &alert), -EINVAL);
    event = cases[0].event;
    event.phase = _EVENT_PHASE_MAX;
    assert_int_equal(alert_compose(&guard, &trail, &event, &alert), -EINVAL);
    event = cases[0].event;
    event.severity = _SEVERITY_MAX;
    assert_int_equal(alert_compose(&guard, &trail, &event, &alert), -EINVAL);
}

/* An open gap must not be told as a closed one, whatever the clocks say. */
static void test_clock_behind(void **state _unused_) {
    Event event = EVENT(EVENT_TRAIL_STOPPED, PHASE_OPENED, SEVERITY_CRITICAL, .findings = STOPPED,
                        .may_act = true, .gap = open_gap, .action = FAILED);
    Alert alert;

    event.time_usec = T0 - 10 * SEC;
    alert = compose(&trail, &event);
    assert_non_null(strstr(alert.text, "still open: 0 s so far"));
    alert_done(&alert);
}

/* ---- SNS ---- */

static void test_sns_message(void **state _unused_) {
    static const char *const documents[] = { "sqs", "lambda", "http", "https" };
    Alert alert = compose(&trail, &cases[0].event);
    char *message;
    json_t *root;

    assert_int_equal(alert_sns_message(&alert, NULL, 262144, &message), 0);
    root = load(message);
    free(message);
    assert_int_equal(json_object_size(root), 7);
    assert_string_equal(json_string_value(json_object_get(root, "default")), alert.text);
    assert_string_equal(json_string_value(json_object_get(root, "email")), alert.text);
    assert_string_equal(json_string_value(json_object_get(root, "sms")), alert.sms);
    for (size_t i = 0; i < ARRAY_SIZE(documents); i++)
        assert_string_equal(json_string_value(json_object_get(root, documents[i])), alert.document);
    json_decref(root);
    /* what chat applications want in place of it */
    assert_int_equal(alert_sns_message(&alert, "{\"version\":\"1.0\"}", 262144, &message), 0);
    root = load(message);
    free(message);
    assert_string_equal(json_string_value(json_object_get(root, "https")), "{\"version\":\"1.0\"}");
    assert_string_equal(json_string_value(json_object_get(root, "http")), alert.document);
    json_decref(root);
    alert_done(&alert);
}

static void test_sns_message_is_cut(void **state _unused_) {
    Alert alert = compose(&trail, &cases[0].event);
    char *longer = calloc(1, 300001), *message;
    const char *text;
    json_t *root;

    assert_non_null(longer);
    for (size_t i = 0; i < 150000; i++)
        memcpy(longer + 2 * i, "\xc3\xa9", 2);
    free(alert.text);
    alert.text = longer;
    assert_int_equal(alert_sns_message(&alert, NULL, 100000, &message), 0);
    assert_between(strlen(message), 20000, 100000);
    root = load(message);
    text = json_string_value(json_object_get(root, "email"));
    assert_memory_equal(text, longer, strlen(text));
    json_decref(root);
    free(message);
    assert_int_equal(alert_sns_message(&alert, NULL, 4 * strlen(alert.document), &message), -E2BIG);
    memcpy(longer, "\xff", 1);
    assert_int_equal(alert_sns_message(&alert, NULL, 262144, &message), -EINVAL);
    alert_done(&alert);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_every_subject_says_where),
        cmocka_unit_test(test_document),
        cmocka_unit_test(test_ids_equal),
        cmocka_unit_test(test_ids_differ),
        cmocka_unit_test(test_contain_has_the_commands),
        cmocka_unit_test(test_ids_of_all_events),
        cmocka_unit_test(test_incident_ids),
        cmocka_unit_test(test_hostile_text),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_refuses_nonsense),
        cmocka_unit_test(test_clock_behind),
        cmocka_unit_test(test_sns_message),
        cmocka_unit_test(test_sns_message_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
