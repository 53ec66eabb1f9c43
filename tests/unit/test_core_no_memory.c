/* SPDX-License-Identifier: Apache-2.0 */
/* link: -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc,--wrap=strdup,--wrap=reallocarray */
/* What the core writes, each time with one allocation less that fails: each function says that there was no
 * memory, and nothing else. A message "that can never be sent" is given up, and one that was only short of
 * memory must not be. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "daemon/core/alert.h"
#include "daemon/core/alertmanager.h"
#include "daemon/core/baseline.h"
#include "daemon/core/baseline_json.h"
#include "daemon/core/channel_format.h"
#include "daemon/core/contain.h"
#include "daemon/core/events.h"
#include "daemon/core/hold.h"
#include "daemon/core/metrics.h"
#include "daemon/core/policy.h"
#include "daemon/core/protection.h"
#include "daemon/core/settings.h"
#include "lib/util/json_text.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"
#include "tests/unit/alert_check.h"
#include "tests/unit/alloc_fail.h"

#define RUNS_MAX 5000

/* Writes into *ret, which is NULL; the caller frees. */
typedef int (*Run)(char **ret);

/* Fails the first allocation and all that follow, then the second ..., then each alone. */
static void fail_each(const char *name, Run run) {
    char *whole = NULL;

    assert_int_equal(run(&whole), 0);
    for (int once = 0; once < 2; once++) {
        unsigned n = 0;
        bool failed = true;

        for (; failed; n++) {
            char *made = NULL;
            int r;

            assert_true(n < RUNS_MAX);
            (once ? alloc_fail_once : alloc_fail_after)(n);
            r = run(&made);
            failed = alloc_fail_end();
            if (r == 0 ? !text_equal(made, whole) : r != -ENOMEM || !failed)
                fail_msg("%s: %d when allocation %u fails%s: %s", name, r, n, once ? " alone" : "", made);
            free(made);
        }
        assert_true(n > 1);
    }
    free(whole);
}

/* ---- alerts ---- */

static Drift changes;
static Settings delivers;

static Event event_with_everything(void) {
    static const Containment contain = { .verdict = CONTAIN_PROPOSED,
                                         .arn = "arn:aws:iam::111122223333:user/bob",
                                         .partition = "aws",
                                         .account = ACCOUNT,
                                         .name = "bob",
                                         .n_tamperings = 3,
                                         .time_usec = T0 };
    static const ContainHold hold = { .arn = "arn:aws:iam::111122223333:user/bob",
                                      .account = ACCOUNT,
                                      .policy = "TrailGuardContain-1",
                                      .document = "{}" };
    static const Subject members[] = { { "", "", ACCOUNT, "eu-west-1" }, { "", "", ACCOUNT, "eu-west-2" } };
    Event event =
            EVENT(EVENT_TRAIL_ATTRIBUTED, PHASE_OPENED, SEVERITY_CRITICAL,
                  .findings = FINDING_BIT(FINDING_STOPPED) | FINDING_BIT(FINDING_WEAKENED),
                  .about = FINDING_BIT(FINDING_WEAKENED), .may_act = true, .gap = { T0, T0 + 60 * SEC },
                  .fields = FIELD_BIT(FIELD_PREFIX) | FIELD_BIT(FIELD_TAGS),
                  .fields_left = FIELD_BIT(FIELD_TAGS), .changes = &changes, .delivers = &delivers,
                  .contain = &contain, .hold = &hold, .cause = CAUSE_OUTAGE,
                  .members = members, .n_members = ARRAY_SIZE(members),
                  .has_actor = true, .repeats = { .count = 2, .first_usec = T0, .last_usec = T0 + SEC },
                  .contest = { .count = 3, .first_usec = T0, .last_usec = T0 + SEC });

    event.actor = (Actor){ .type = "IAMUser",
                           .arn = "arn:aws:iam::111122223333:user/bob",
                           .name = "bob",
                           .account = ACCOUNT,
                           .source_ip = "192.0.2.7",
                           .user_agent = "aws-cli/2.15",
                           .access_key = "AKIAEXAMPLE",
                           .event_id = "e1",
                           .event_name = "StopLogging",
                           .event_usec = T0 };
    return event;
}

static int make_alert(Alert *ret) {
    Event event = event_with_everything();

    return alert_compose(&guard, &trail, &event, ret);
}

static int run_compose(char **ret) {
    Alert alert = { 0 };
    int r = make_alert(&alert);

    if (r == 0)
        *ret = TAKE_PTR(alert.document);
    alert_done(&alert);
    return r;
}

/* Its headline begins with what the message is about. */
static int run_compose_account(char **ret) {
    static const Subject account = { "", "", ACCOUNT, "" };
    Event event = event_with_everything();
    Alert made = { 0 };
    int r;

    event.about = FINDING_BIT(FINDING_MISSING);
    event.error = POLL_GONE;
    r = alert_compose(&guard, &account, &event, &made);
    if (r == 0)
        *ret = TAKE_PTR(made.text);
    alert_done(&made);
    return r;
}

static Alert alert;

static int run_envelope(char **ret) {
    return alert_sns_message(&alert, NULL, 262144, ret);
}

static AlertFormat format;

static int run_format(char **ret) {
    return alert_format_body(format, &alert, "KEY", ret);
}

static char *open_there; /* what Alertmanager has: the alert is open there already */

static int run_alertmanager_opens(char **ret) {
    return alertmanager_apply("", &alert, T0, ret);
}

static int run_alertmanager_goes_on(char **ret) {
    return alertmanager_apply(open_there, &alert, T0, ret);
}

static int run_alertmanager_check(char **ret) {
    int r = alertmanager_check(open_there);

    return r == 0 ? asprintf(ret, "good") < 0 ? -ENOMEM : 0 : r;
}

static int run_alertmanager_body(char **ret) {
    return alertmanager_body(open_there, T0, ret);
}

static void test_no_alert_is_given_up_for_want_of_memory(void **state _unused_) {
    static const char *const names[_ALERT_FORMAT_MAX] = { "json",      "slack",    "teams",
                                                          "pagerduty", "opsgenie", "chat" };
    static const struct {
        EventKind event;
        bool ends;
    } further[] = { { EVENT_TRAIL_ATTRIBUTED, false },
                    { EVENT_INCIDENT_REMINDER, false },
                    { EVENT_TRAIL_FAILING, false },
                    { EVENT_TRAIL_RESOLVED, true } };

    assert_int_equal(drift_add(&changes, FIELD_PREFIX, true, "a", "b"), 0);
    assert_int_equal(drift_add(&changes, FIELD_TAGS, false, "{\"a\":\"b\"}", "{}"), 0);
    assert_int_equal(settings_set(&delivers, FIELD_BUCKET, "elsewhere"), 0);
    fail_each("compose", run_compose);
    fail_each("compose, of an account", run_compose_account);
    assert_int_equal(make_alert(&alert), 0);
    fail_each("envelope", run_envelope);
    for (format = 0; format < _ALERT_FORMAT_MAX; format++)
        fail_each(names[format], run_format);
    fail_each("alertmanager", run_alertmanager_opens);
    assert_int_equal(alertmanager_apply("", &alert, T0, &open_there), 0);
    fail_each("alertmanager, body", run_alertmanager_body);
    fail_each("alertmanager, check", run_alertmanager_check);
    for (size_t i = 0; i < ARRAY_SIZE(further); i++) {
        alert.event = further[i].event;
        alert.ends = further[i].ends;
        fail_each(event_to_string(alert.event), run_alertmanager_goes_on);
    }
    free(open_there);
    /* longer than a chat takes it */
    free(alert.text);
    alert.text = calloc(1, 65536);
    assert_non_null(alert.text);
    memset(alert.text, 'x', 65535);
    for (format = 0; format < _ALERT_FORMAT_MAX; format++)
        fail_each(names[format], run_format);
    alert_done(&alert);
    drift_done(&changes);
    settings_done(&delivers);
}

/* ---- policies ---- */

static const char *const topics[] = { "arn:aws:sns:eu-central-1:111122223333:a" };
static const char *const roles[] = { "arn:aws:iam::444455556666:role/TrailGuard" };

static int text_of_policy(json_t *policy, char **ret) {
    *ret = policy ? json_text_dump(policy, JSON_COMPACT) : NULL;
    json_decref(policy);
    return *ret ? 0 : -ENOMEM;
}

static int run_policy_guard(char **ret) {
    return text_of_policy(policy_guard(&(PolicyNeeds){ .guarded = true,
                                                .partition = "aws",
                                                .account = ACCOUNT,
                                                .mode = MODE_RESTORE,
                                                .restore = UINT32_MAX,
                                                .opt_in_regions = true,
                                                .settings = true,
                                                .attribution = true,
                                                .bucket_checks = true,
                                                .owner_check = true,
                                                .contains = true,
                                                .own = "arn:aws:iam::" ACCOUNT ":role/guard",
                                                .guard_checks = true,
                                                .topics = topics,
                                                .n_topics = 1,
                                                .roles = roles,
                                                .n_roles = 1,
                                                .organization = true }),
                          ret);
}

static int run_policy_trust(char **ret) {
    return text_of_policy(policy_trust("arn:aws:iam::111122223333:role/guard", "external"), ret);
}

static const PolicyShield shield = { .partition = "aws",
                                     .account = ACCOUNT,
                                     .organization = true,
                                     .guards = roles,
                                     .n_guards = 1,
                                     .guards_write = true,
                                     .topics = topics,
                                     .n_topics = 1 };

static int run_policy_contain(char **ret) {
    const PolicyContain contain = { topics, 1, "2026-11-29T10:00:00Z", 2048 };

    return text_of_policy(policy_contain(&contain), ret);
}

static int run_policy_deny(char **ret) {
    return text_of_policy(policy_deny(&shield), ret);
}

static int run_policy_scp(char **ret) {
    return text_of_policy(policy_scp(&shield), ret);
}

static int run_principals(char **ret) {
    PolicyPrincipals principals = { 0 };
    const PolicyPlace place = { "aws", "" };
    int r = policy_principals_add(&principals, &place, "arn:aws:sts::111122223333:assumed-role/a/b", false);

    if (r >= 0)
        r = policy_principals_add(&principals, &place, "arn:aws:iam::111122223333:user/u", true);
    if (r >= 0)
        r = policy_principals_fold(&principals);
    if (r >= 0) {
        *ret = strdup(principals.items[0]);
        r = *ret ? 0 : -ENOMEM;
    }
    policy_principals_done(&principals);
    return r;
}

static void test_policies_are_whole_or_not_there(void **state _unused_) {
    static const struct {
        const char *name;
        Run run;
    } works[] = {
        { "guard", run_policy_guard }, { "trust", run_policy_trust },    { "deny", run_policy_deny },
        { "scp", run_policy_scp },     { "principals", run_principals }, { "contain", run_policy_contain },
    };

    for (size_t i = 0; i < ARRAY_SIZE(works); i++)
        fail_each(works[i].name, works[i].run);
}

/* ---- settings ---- */

#define SELECTORS(more)                                                                                     \
    "{\"EventSelectors\":[{\"ReadWriteType\":\"All\",\"IncludeManagementEvents\":true,"                     \
    "\"DataResources\":[],\"ExcludeManagementEventSources\":[]" more "}]}"

/* As it was recorded, as AWS has it. */
static const struct {
    Field field;
    const char *recorded, *actual;
} settings[] = {
    { FIELD_BUCKET, "logs", "elsewhere" },
    { FIELD_MULTI_REGION, "false", "true" },
    { FIELD_SELECTORS, SELECTORS(""), SELECTORS(",\"New\":[\"x\"]") },
    { FIELD_INSIGHTS, "[{\"InsightType\":\"ApiCallRateInsight\"}]",
      "[{\"InsightType\":\"ApiErrorRateInsight\",\"EventCategories\":[\"Management\"]}]" },
    { FIELD_CONFIGURATION, "{\"MaxEventSize\":\"Large\"}", "{\"MaxEventSize\":\"Standard\",\"New\":\"x\"}" },
    { FIELD_TAGS, "{\"aws:x\":\"1\",\"owner\":\"a\"}", "{\"owner\":\"b\"}" },
    { FIELD_UNKNOWN, "{\"New\":\"x\",\"Same\":1}", "{\"New\":\"y\",\"Same\":1}" },
};
static Settings recorded, actual;
static size_t setting; /* the one that a run is about */

static int text_of_drift(Drift *drift, char **ret) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(16384);

    for (unsigned i = 0; i < drift->n; i++)
        (void)strbuf_addf(&b, "%d %d %d %s %s\n", drift->changes[i].field, drift->changes[i].loses_events,
                          drift->changes[i].strengthens, drift->changes[i].expected,
                          drift->changes[i].actual);
    drift_done(drift);
    return strbuf_take(&b, ret);
}

static int run_compare(char **ret) {
    Drift drift = { 0 };
    int r = baseline_compare(&recorded, &actual, &drift);

    return r < 0 ? r : text_of_drift(&drift, ret);
}

static int run_judge(char **ret) {
    Drift drift = { 0 };
    int r = baseline_judge(&recorded, &recorded, 0, &actual, &drift);

    return r < 0 ? r : text_of_drift(&drift, ret);
}

static int run_compare_texts(char **ret) {
    const Settings was = { .values = { [FIELD_SELECTORS] = (char *)"a" } },
                   is = { .values = { [FIELD_SELECTORS] = (char *)"b" } };
    Drift drift = { 0 };
    int r = baseline_compare(&was, &is, &drift);

    return r < 0 ? r : text_of_drift(&drift, ret);
}

static int run_effective(char **ret) {
    Settings made = { 0 };
    Expect expect = { .management_events = MANAGEMENT_ALL };
    Drift drift = { 0 };
    int r;

    expect.pins.values[SETTING_BUCKET_OWNER] = (char *)"444455556666";
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
        if (settings[i].field < FIELD_SELECTORS)
            expect.pins.values[settings[i].field] = (char *)settings[i].actual;
    r = baseline_effective(&recorded, &expect, &made);
    if (r >= 0)
        r = baseline_compare(&recorded, &made, &drift);
    settings_done(&made);
    return r < 0 ? r : text_of_drift(&drift, ret);
}

static int text_of_number(int number, char **ret) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(64);

    if (number < 0)
        return number;
    (void)strbuf_addf(&b, "%d", number);
    return strbuf_take(&b, ret);
}

static int run_takes_members(char **ret) {
    return text_of_number(baseline_takes_members(settings[setting].field, settings[setting].recorded,
                                                 settings[setting].actual),
                          ret);
}

static int run_new_members(char **ret) {
    _cleanup_strbuf_ StrBuf names = STRBUF_INIT(4096);
    int r = baseline_new_members(settings[setting].field, settings[setting].recorded,
                                 settings[setting].actual, &names);

    return r < 0 ? r : strbuf_take(&names, ret);
}

static int run_weaknesses(char **ret) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(4096);
    int r = baseline_weaknesses(&recorded, &b);

    return r < 0 ? r : strbuf_take(&b, ret);
}

static int run_configuration(char **ret) {
    return event_configuration_to_write(settings[4].recorded, settings[4].actual, ret);
}

/* More than jansson's arrays have room for at first. */
#define TEN(begin, end)                                                                                     \
    "[" begin "0" end "," begin "1" end "," begin "2" end "," begin "3" end "," begin "4" end "," begin "5" \
    end "," begin "6" end "," begin "7" end "," begin "8" end "," begin "9" end "]"

static int run_canonical(char **ret) {
    return canonical_json(TEN("", ""), ret);
}

static json_t *many;

static int run_many_values(char **ret) {
    bool differ = true;
    int r = unknown_members_differ(FIELD_INSIGHTS, many, many, &differ);

    return r < 0 ? r : text_of_number(differ, ret);
}

static int run_drift_copy(char **ret) {
    Drift drift = { 0 }, copy = { 0 };
    int r = baseline_compare(&recorded, &actual, &drift);

    if (r >= 0)
        r = drift_copy(&drift, &copy);
    drift_done(&drift);
    return r < 0 ? r : text_of_drift(&copy, ret);
}

static BaselineRecord record;
static char *file; /* the text of the record */
static size_t file_len;

static int run_write_baseline(char **ret) {
    size_t len;

    return baseline_json_write(&record, ret, &len);
}

static int run_read_baseline(char **ret) {
    BaselineRecord read = { 0 };
    char reason[256];
    int r = baseline_json_read(file, file_len, &read, reason, sizeof(reason));
    Drift drift = { 0 };

    if (r >= 0)
        r = baseline_compare(&read.latest.settings, &actual, &drift);
    baseline_record_done(&read);
    return r < 0 ? r : text_of_drift(&drift, ret);
}

static void test_no_setting_is_judged_without_memory(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        assert_int_equal(settings_set(&recorded, settings[i].field, settings[i].recorded), 0);
        assert_int_equal(settings_set(&actual, settings[i].field, settings[i].actual), 0);
    }
    fail_each("compare", run_compare);
    fail_each("judge", run_judge);
    fail_each("effective", run_effective);
    fail_each("compare, no JSON", run_compare_texts);
    for (setting = 0; setting < ARRAY_SIZE(settings); setting++)
        if (settings[setting].field >= FIELD_SELECTORS) {
            fail_each("members that are taken", run_takes_members);
            fail_each("members that are new", run_new_members);
        }
    fail_each("weaknesses", run_weaknesses);
    fail_each("canonical", run_canonical);
    many = json_loads(TEN("{\"New\":", "}"), 0, NULL);
    assert_non_null(many);
    fail_each("many values", run_many_values);
    json_decref(many);
    fail_each("drift, copied", run_drift_copy);
    fail_each("configuration", run_configuration);
    record =
            (BaselineRecord){ .arn = (char *)ARN, .latest = { .recorded_usec = T0, .by = (char *)"guard" } };
    record.latest.settings = recorded;
    assert_int_equal(baseline_json_write(&record, &file, &file_len), 0);
    fail_each("baseline, written", run_write_baseline);
    fail_each("baseline, read", run_read_baseline);
    free(file);
    settings_done(&recorded);
    settings_done(&actual);
}

/* ---- what is kept ---- */

static int run_metrics(void) {
    Metrics *metrics = metrics_new();
    int r = -ENOMEM;

    /* what there is no memory for is not counted */
    metrics_count_event(metrics, EVENT_TRAIL_STOPPED, SEVERITY_CRITICAL);
    metrics_observe(metrics, METRICS_REQUEST_TIME, "cloudtrail", 5);
    metrics_add_channel(metrics, "sns");
    if (metrics && metrics->timers[METRICS_REQUEST_TIME].n == 1 &&
        metrics->counters[METRICS_DELIVERIES].n > 1)
        r = 0;
    metrics_free(metrics);
    return r;
}

static int run_contain(char **ret) {
    static const ContainPolicy policy = { .mode = CONTAIN_PROPOSE, .after = 1, .max_per_day = 5 };
    const Event event = event_with_everything();
    ContainDeed deed = {
        .actor = &event.actor, .account = ACCOUNT, .incident = "0123456789abcdef", .tampers = true
    };
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(8192);
    ContainHistory history = { 0 };
    Containment contain;
    int r = contain_take(&policy, &history, &deed, T0, &contain);

    if (r >= 0)
        r = contain_commands(&contain, false, &b);
    if (r >= 0)
        r = strbuf_take(&b, ret);
    contain_history_done(&history);
    return r;
}

/* A second one takes nothing from the first. */
static int run_hold(char **ret) {
    static const Containment contains[] = {
        { .arn = "arn:aws:iam::" ACCOUNT ":user/bob",
          .account = ACCOUNT,
          .n_tamperings = 3,
          .time_usec = T0 },
        { .arn = "arn:aws:iam::" ACCOUNT ":role/Admin", .account = ACCOUNT, .war = true, .time_usec = T0 },
    };
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(16384);
    ContainHistory history = { 0 };
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(contains); i++) {
        r = hold_add(&history, &contains[i], topics, 1);
        assert_int_equal(history.n_holds, i + (r >= 0));
    }
    for (size_t i = 0; r >= 0 && i < history.n_holds; i++)
        r = strbuf_addf(&b, "%s %s %s\n", history.holds[i].arn, history.holds[i].reason,
                        history.holds[i].document);
    if (r >= 0)
        r = strbuf_take(&b, ret);
    contain_history_done(&history);
    return r;
}

static ContainHold held;

/* A policy that others wrote must not be taken for one that is only short of memory, nor the other way
 * round. */
static int run_is_ours(char **ret) {
    char spaced[2 * CONTAIN_DOCUMENT_MAX];

    (void)snprintf(spaced, sizeof(spaced), "\n{ %s", held.document + 1);
    return text_of_number(hold_is_ours(&held, spaced), ret);
}

/* What is taken off is put again, be it a little later. */
static void a_policy_is_put_again_after_memory_was_short(void **state _unused_) {
    const HoldOutcome removed = { .action = HOLD_CHECK, .seen = HOLD_SEEN_ABSENT };
    const Now now = { .real_usec = T0, .mono_usec = SEC };
    ContainHold hold = held;
    HoldNews news;

    hold.held = true;
    alloc_fail_after(0);
    news = hold_take(&hold, &removed, topics, 1, now);
    assert_true(alloc_fail_end());
    assert_true(news.report && news.step == CONTAIN_STEP_REMOVED && !hold_is_over(news.step));
    assert_int_equal(hold.due_mono_usec, now.mono_usec + 5 * SEC);
    assert_string_equal(hold.document, held.document);
    assert_int_equal(hold_action(&hold, true, hold.due_mono_usec), HOLD_PUT);
}

static void holds_are_whole_or_not_there(void **state _unused_) {
    static const Containment contain = { .arn = "arn:aws:iam::" ACCOUNT ":user/bob", .account = ACCOUNT };
    ContainHistory history = { 0 };

    fail_each("hold", run_hold);
    assert_int_equal(hold_add(&history, &contain, topics, 1), 0);
    held = history.holds[0];
    held.announced = true;
    contain_history_done(&history);
    fail_each("hold, ours", run_is_ours);
}

static void test_what_is_kept(void **state _unused_) {
    fail_each("contain", run_contain);
    for (unsigned n = 0;; n++) {
        int r;

        alloc_fail_after(n);
        r = run_metrics();
        if (!alloc_fail_end()) {
            assert_int_equal(r, 0);
            break;
        }
    }
}

/* Another form of the same policy would pass for a change that somebody made. */
static int run_digest(char **ret) {
    GuardParts parts = { 0 };
    int r = guard_parts_add(&parts, GUARD_PART_TRUST, "", "{\"b\": [1, 2], \"a\": \"x\\u00e4\"}");

    if (r >= 0) {
        *ret = strdup(parts.items[0].digest);
        r = *ret ? 0 : -ENOMEM;
    }
    guard_parts_done(&parts);
    return r;
}

static int run_many(char **ret) {
    GuardParts parts = { 0 };
    int r = guard_parts_many(&parts, GUARD_PART_INLINE);

    if (r >= 0) {
        *ret = strdup(parts.items[0].name);
        r = *ret ? 0 : -ENOMEM;
    }
    guard_parts_done(&parts);
    return r;
}

/* What was not read this time is taken over from the record. */
static int run_merge(char **ret) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(4096);
    GuardParts parts = { .kinds = GUARD_PART_BIT(GUARD_PART_TRUST) }, now = { 0 };
    int r = guard_parts_add(&parts, GUARD_PART_TRUST, "", NULL);

    if (r >= 0)
        r = guard_parts_merge(&parts, &now);
    for (size_t i = 0; r >= 0 && i < parts.n; i++)
        r = strbuf_add(&b, guard_part_to_string(parts.items[i].kind));
    guard_parts_done(&parts);
    guard_parts_done(&now);
    return r < 0 ? r : strbuf_take(&b, ret);
}

static void the_digest_of_a_policy_is_of_one_form(void **state _unused_) {
    fail_each("digest", run_digest);
    fail_each("many", run_many);
    fail_each("merge", run_merge);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_digest_of_a_policy_is_of_one_form),
        cmocka_unit_test(test_no_alert_is_given_up_for_want_of_memory),
        cmocka_unit_test(test_policies_are_whole_or_not_there),
        cmocka_unit_test(test_no_setting_is_judged_without_memory),
        cmocka_unit_test(test_what_is_kept),
        cmocka_unit_test(holds_are_whole_or_not_there),
        cmocka_unit_test(a_policy_is_put_again_after_memory_was_short),
    };

    return cmocka_run_group_tests_name("core_no_memory", tests, NULL, NULL);
}
