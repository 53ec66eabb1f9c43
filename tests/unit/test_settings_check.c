/* SPDX-License-Identifier: Apache-2.0 */
/* One look at one trail's settings: what is asked when, in which form values come, and what a failure of one
 * call leaves of the others. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/settings.h"
#include "daemon/io/settings_check.h"
#include "lib/util/macros.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/service_fixture.h"
/* link: -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc */

#define REGION "eu-central-1"
#define ARN    "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"
#define OTHER  "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main2"

#define ERROR(code)      "{\"__type\":\"" code "\",\"message\":\"no\"}"
#define ENTRY(arn, more) "{\"Name\":\"main\",\"TrailARN\":\"" arn "\",\"S3BucketName\":\"logs\"" more "}"
#define LIST(entries)    "{\"trailList\":[" entries "]}"
#define BASIC            "[{\"IncludeManagementEvents\":true,\"ReadWriteType\":\"All\"}]"
#define ADVANCED         "[{\"Name\":\"m\"}]"
#define INSIGHTS         "[{\"InsightType\":\"ApiCallRateInsight\"}]"
#define TAGS_ANSWER                                                                                         \
    "{\"ResourceTagList\":[{\"ResourceId\":\"" ARN "\",\"TagsList\":[{\"Key\":\"tier\",\"Value\":\"1\"},"   \
    "{\"Key\":\"a\\\"b\",\"Value\":\"\"},{\"Key\":\"owner\",\"Value\":\"security\"}]}]}"
#define TAGS_TEXT "{\"a\\\"b\":\"\",\"owner\":\"security\",\"tier\":\"1\"}"

#define CONFIGURATION        "{\"MaxEventSize\":\"Large\",\"Tomorrow\":1}"
#define CONFIGURATION_ANSWER "{\"MaxEventSize\":\"Large\",\"Tomorrow\":1,\"TrailARN\":\"" ARN "\"}"

#define BIT(name) FIELD_BIT(FIELD_##name)

typedef struct Looking {
    ServiceFixture *f;
    bool has_baseline;
    unsigned n_done;
    SettingsSnapshot snapshot; /* its texts are ours */
} Looking;

static void on_done(const SettingsSnapshot *snapshot, void *userdata) {
    Looking *l = userdata;

    l->n_done++;
    settings_done(&l->snapshot.settings);
    l->snapshot = *snapshot;
    l->snapshot.settings = (Settings){ 0 };
    alloc_fail.armed = false; /* the copy is the test's own */
    assert_int_equal(settings_copy(&snapshot->settings, &l->snapshot.settings), 0);
}

static CloudTrailTrail listed_trail(void) {
    char *none = (char *)"";

    return (CloudTrailTrail){ .name = (char *)"main",
                              .arn = (char *)ARN,
                              .home_region = (char *)REGION,
                              .bucket = (char *)"logs",
                              .prefix = none,
                              .sns_topic = none,
                              .log_group = none,
                              .log_role = none,
                              .kms_key = none };
}

static SettingsCheckRequest request_of(Looking *l, const char *region, const Settings *listed) {
    return (SettingsCheckRequest){ .aws = l->f->aws,
                                   .credentials = l->f->credentials,
                                   .region = region,
                                   .arn = ARN,
                                   .listed = listed,
                                   .has_baseline = l->has_baseline,
                                   .done = on_done,
                                   .userdata = l };
}

static int start(Looking *l, const CloudTrailTrail *listed, SettingsCheck **ret) {
    char region[] = REGION, arn[] = ARN;
    Settings described = { 0 };
    SettingsCheckRequest request = request_of(l, region, listed ? &described : NULL);
    int r = listed ? observe_settings(listed, &described) : 0;

    request.arn = arn;
    if (r >= 0)
        r = settings_check_start(&request, ret);
    settings_done(&described);
    memset(region, 'x', sizeof(region) - 1);
    memset(arn, 'x', sizeof(arn) - 1);
    return r;
}

static void snapshot(Looking *l, const CloudTrailTrail *listed) {
    unsigned before = l->n_done;
    SettingsCheck *poll;

    assert_int_equal(start(l, listed, &poll), 0);
    assert_int_equal(l->n_done, before);
    fake_loop_advance(l->f->loop, 4 * aws_client_deadline_usec(l->f->aws));
    assert_int_equal(l->n_done, before + 1);
    assert_int_equal(fake_http_n_left(l->f->http), 0);
    assert_int_equal(l->snapshot.failed == 0, l->snapshot.error_text[0] == '\0');
    assert_int_equal(l->snapshot.failed == 0, l->snapshot.error == POLL_OK);
}

static void reply(ServiceFixture *f, const char *body) {
    fake_http_reply(f->http, strstr(body, "__type") ? 400 : 200, body, NULL);
}

static void assert_asked(const ServiceFixture *f, unsigned i, const char *operation, const char *body) {
    const FakeRequest *r = fake_http_request(f->http, i);

    assert_string_equal(r->url, "https://cloudtrail." REGION ".amazonaws.com/");
    assert_string_equal(strrchr(fake_request_header(r, "x-amz-target"), '.') + 1, operation);
    if (body)
        assert_string_equal(r->body, body);
}

static void assert_value(const Looking *l, Field field, const char *value) {
    const char *seen = l->snapshot.settings.values[field];

    if (value)
        assert_string_equal(seen ? seen : "unknown", value);
    else
        assert_null(seen);
}

/* ---- what the list says ---- */

static void test_listed(void **state) {
    static const struct {
        unsigned flag;
        Field field;
        size_t offset;
    } flags[] = {
        { CLOUDTRAIL_MULTI_REGION, FIELD_MULTI_REGION, offsetof(CloudTrailTrail, multi_region) },
        { CLOUDTRAIL_GLOBAL_EVENTS, FIELD_GLOBAL_EVENTS, offsetof(CloudTrailTrail, global_events) },
        { CLOUDTRAIL_VALIDATION, FIELD_VALIDATION, offsetof(CloudTrailTrail, validation) },
        { CLOUDTRAIL_ORGANIZATION, FIELD_ORGANIZATION, offsetof(CloudTrailTrail, organization) },
        { CLOUDTRAIL_RECURSIVE, FIELD_RECURSIVE, offsetof(CloudTrailTrail, recursive) },
    };
    CloudTrailTrail t = listed_trail();
    Settings s;

    (void)state;
    t.prefix = (char *)"p";
    t.kms_key = (char *)"k";
    t.log_group = (char *)"g";
    t.log_role = (char *)"r";
    t.sns_topic = (char *)"t";
    assert_int_equal(observe_settings(&t, &s), 0);
    assert_string_equal(s.values[FIELD_BUCKET], "logs");
    assert_string_equal(s.values[FIELD_PREFIX], "p");
    assert_string_equal(s.values[FIELD_KMS_KEY], "k");
    assert_string_equal(s.values[FIELD_LOG_GROUP], "g");
    assert_string_equal(s.values[FIELD_LOG_ROLE], "r");
    assert_string_equal(s.values[FIELD_SNS_TOPIC], "t");
    for (Field f = FIELD_MULTI_REGION; f < FIELD_UNKNOWN; f++)
        assert_null(s.values[f]);
    assert_string_equal(s.values[FIELD_UNKNOWN], "{}");
    settings_done(&s);
    t.others = (char *)"{\"Tomorrow\":1}";
    assert_int_equal(observe_settings(&t, &s), 0);
    assert_string_equal(s.values[FIELD_UNKNOWN], t.others);
    settings_done(&s);

    /* a flag that is there, on or off, and alone */
    for (size_t i = 0; i < 2 * ARRAY_SIZE(flags); i++) {
        bool on = i % 2;

        t = listed_trail();
        t.present = flags[i / 2].flag;
        *(bool *)((char *)&t + flags[i / 2].offset) = on;
        assert_int_equal(observe_settings(&t, &s), 0);
        for (Field f = FIELD_MULTI_REGION; f < FIELD_UNKNOWN; f++)
            if (f == flags[i / 2].field)
                assert_string_equal(s.values[f], on ? "true" : "false");
            else
                assert_null(s.values[f]);
        settings_done(&s);
    }
}

/* ---- what is asked ---- */

static void test_everything(void **state) {
    static const char *const values[_FIELD_MAX] = {
        "logs",    "",
        "",        "",
        "",        "",
        "true",    "true",
        "false",   NULL,
        NULL,      "{\"EventSelectors\":" BASIC "}",
        INSIGHTS,  CONFIGURATION,
        TAGS_TEXT, [FIELD_UNKNOWN] = "{}",
    };
    Looking l = { .f = *state };

    reply(l.f,
          LIST(ENTRY(OTHER, "") "," ENTRY(ARN, ",\"IsMultiRegionTrail\":true,\"IncludeGlobalServiceEvents\""
                                               ":true,\"LogFileValidationEnabled\":false,"
                                               "\"HasInsightSelectors\":true")));
    reply(l.f, "{\"EventSelectors\":" BASIC "}");
    reply(l.f, "{\"InsightSelectors\":" INSIGHTS "}");
    reply(l.f, TAGS_ANSWER);
    reply(l.f, CONFIGURATION_ANSWER);
    snapshot(&l, NULL);
    assert_int_equal(fake_http_n_requests(l.f->http), 5);
    assert_asked(l.f, 0, "DescribeTrails", NULL);
    assert_asked(l.f, 1, "GetEventSelectors", "{\"TrailName\":\"" ARN "\"}");
    assert_asked(l.f, 2, "GetInsightSelectors", "{\"TrailName\":\"" ARN "\"}");
    assert_asked(l.f, 3, "ListTags", "{\"ResourceIdList\":[\"" ARN "\"]}");
    assert_asked(l.f, 4, "GetEventConfiguration", "{\"TrailName\":\"" ARN "\"}");
    assert_false(l.snapshot.gone);
    assert_int_equal(l.snapshot.failed, 0);
    for (Field f = 0; f < _FIELD_MAX; f++)
        assert_value(&l, f, values[f]);
    settings_done(&l.snapshot.settings);
}

static void test_what_was_just_listed_is_not_asked(void **state) {
    Looking l = { .f = *state };
    CloudTrailTrail t = listed_trail();

    /* Insights are only asked for when there may be some */
    t.present = CLOUDTRAIL_INSIGHT_SELECTORS;
    reply(l.f, "{\"EventSelectors\":" BASIC "}");
    reply(l.f, TAGS_ANSWER);
    reply(l.f, CONFIGURATION_ANSWER);
    snapshot(&l, &t);
    assert_asked(l.f, 0, "GetEventSelectors", NULL);
    assert_asked(l.f, 1, "ListTags", NULL);
    assert_value(&l, FIELD_BUCKET, "logs");
    assert_value(&l, FIELD_INSIGHTS, "[]");

    for (unsigned i = 0; i < 2; i++) {
        t.has_insight_selectors = i == 0;
        t.present = i == 0 ? CLOUDTRAIL_INSIGHT_SELECTORS : 0; /* the second time AWS does not say */
        reply(l.f, "{\"EventSelectors\":" BASIC "}");
        reply(l.f, i == 0 ? "{\"InsightSelectors\":" INSIGHTS "}" : ERROR("InsightNotEnabledException"));
        reply(l.f, TAGS_ANSWER);
        reply(l.f, CONFIGURATION_ANSWER);
        snapshot(&l, &t);
        assert_asked(l.f, 4 + 4 * i, "GetInsightSelectors", NULL);
        assert_value(&l, FIELD_INSIGHTS, i == 0 ? INSIGHTS : "[]");
    }
    settings_done(&l.snapshot.settings);
}

/* ---- forms of values ---- */

static void test_forms(void **state) {
    static const struct {
        Field field;
        const char *answer, *value;
    } cases[] = {
        { FIELD_SELECTORS, "{\"EventSelectors\":" BASIC "}", "{\"EventSelectors\":" BASIC "}" },
        { FIELD_SELECTORS, "{\"AdvancedEventSelectors\":" ADVANCED "}",
          "{\"AdvancedEventSelectors\":" ADVANCED "}" },
        { FIELD_SELECTORS, "{\"EventSelectors\":[],\"AdvancedEventSelectors\":" ADVANCED "}",
          "{\"AdvancedEventSelectors\":" ADVANCED "}" },
        { FIELD_SELECTORS, "{\"EventSelectors\":[],\"AdvancedEventSelectors\":[]}",
          "{\"EventSelectors\":[]}" },
        { FIELD_SELECTORS, "{}", "{\"EventSelectors\":[]}" },
        { FIELD_INSIGHTS, "{\"InsightSelectors\":" INSIGHTS "}", INSIGHTS },
        { FIELD_INSIGHTS, "{\"InsightSelectors\":[]}", "[]" },
        { FIELD_INSIGHTS, "{}", "[]" },
        { FIELD_TAGS, TAGS_ANSWER, TAGS_TEXT },
        { FIELD_TAGS, "{\"ResourceTagList\":[]}", "{}" },
        { FIELD_TAGS,
          "{\"ResourceTagList\":[{\"ResourceId\":\"" OTHER "\",\"TagsList\":[{\"Key\":\"a\"}]}]}", "{}" },
    };
    Looking l = { .f = *state };
    CloudTrailTrail t = listed_trail();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        reply(l.f, cases[i].field == FIELD_SELECTORS ? cases[i].answer : "{}");
        reply(l.f, cases[i].field == FIELD_INSIGHTS ? cases[i].answer : "{}");
        reply(l.f, cases[i].field == FIELD_TAGS ? cases[i].answer : "{}");
        reply(l.f, "{}");
        snapshot(&l, &t);
        assert_int_equal(l.snapshot.failed, 0);
        assert_value(&l, cases[i].field, cases[i].value);
    }
    settings_done(&l.snapshot.settings);
}

/* ---- failures ---- */

/* With a baseline, and without one. body NULL: an answer that is too big to be read. */
static void selectors_differ_or_are_unreadable(void **state, const char *body) {
    CloudTrailTrail t = listed_trail();

    for (unsigned has_baseline = 0; has_baseline < 2; has_baseline++) {
        Looking l;

        service_set_up_patient(state);
        l = (Looking){ .f = *state, .has_baseline = has_baseline };
        if (body)
            reply(l.f, body);
        else
            fake_http_fail(l.f->http, HTTP_TOO_BIG, "too big");
        reply(l.f, "{}");
        reply(l.f, "{}");
        reply(l.f, CONFIGURATION_ANSWER);
        snapshot(&l, &t);
        assert_value(&l, FIELD_SELECTORS, has_baseline ? SETTINGS_TOO_LONG : NULL);
        assert_int_equal(l.snapshot.failed, has_baseline ? 0 : BIT(SELECTORS));
        assert_int_equal(settings_can_be_recorded(&l.snapshot.settings), !has_baseline);
        settings_done(&l.snapshot.settings);
        service_tear_down(state);
    }
}

/* Padded past what is read they differ from any baseline; without one they are unreadable. */
static void test_selectors_that_are_too_long(void **state) {
    size_t size = CLOUDTRAIL_SELECTORS_MAX + 128;
    char *body = malloc(size), *padding = malloc(CLOUDTRAIL_SELECTORS_MAX + 1);

    memset(padding, 'x', CLOUDTRAIL_SELECTORS_MAX);
    padding[CLOUDTRAIL_SELECTORS_MAX] = '\0';
    (void)snprintf(body, size, "{\"EventSelectors\":[{\"ReadWriteType\":\"%s\"}]}", padding);
    selectors_differ_or_are_unreadable(state, body);
    free(body);
    free(padding);
}

/* The same for an answer of which not even the bytes are read. */
static void test_selectors_that_are_too_big(void **state) {
    selectors_differ_or_are_unreadable(state, NULL);
}

static void test_in_part(void **state) {
    static const struct {
        const char *selectors, *insights, *tags;
        uint32_t failed;
        PollError error;
        const char *text;
    } cases[] = {
        { ERROR("AccessDeniedException"), "{}", "{}", BIT(SELECTORS), POLL_DENIED,
          "GetEventSelectors: AccessDeniedException: no" },
        { "{}", ERROR("AccessDeniedException"), "{}", BIT(INSIGHTS), POLL_DENIED,
          "GetInsightSelectors: AccessDeniedException: no" },
        { "{}", "{}", ERROR("ThrottlingException"), BIT(TAGS), POLL_THROTTLED,
          "ListTags: ThrottlingException: no" },
        { ERROR("AccessDeniedException"), "{}", ERROR("ThrottlingException"), BIT(SELECTORS) | BIT(TAGS),
          POLL_DENIED, "GetEventSelectors: AccessDeniedException: no" },
        { "{}", ERROR("ThrottlingException"), ERROR("AccessDeniedException"), BIT(INSIGHTS) | BIT(TAGS),
          POLL_THROTTLED, "GetInsightSelectors: ThrottlingException: no" },
        { "[]", "{}", "{}", BIT(SELECTORS), POLL_BAD_ANSWER, NULL },
    };
    CloudTrailTrail t = listed_trail();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Looking l;

        service_set_up_patient(state);
        l = (Looking){ .f = *state };
        reply(l.f, cases[i].selectors);
        reply(l.f, cases[i].insights);
        reply(l.f, cases[i].tags);
        reply(l.f, CONFIGURATION_ANSWER);
        snapshot(&l, &t);
        assert_int_equal(l.snapshot.failed, cases[i].failed);
        assert_int_equal(l.snapshot.error, cases[i].error);
        if (cases[i].text)
            assert_string_equal(l.snapshot.error_text, cases[i].text);
        assert_false(l.snapshot.gone);
        for (Field f = FIELD_SELECTORS; f < FIELD_UNKNOWN; f++)
            assert_int_equal(l.snapshot.settings.values[f] == NULL, (l.snapshot.failed & FIELD_BIT(f)) != 0);
        assert_value(&l, FIELD_BUCKET, "logs");
        settings_done(&l.snapshot.settings);
        service_tear_down(state);
    }
}

/* "Not here" is another answer than "not you", or than no answer. */
static void test_a_configuration_that_aws_does_not_show(void **state) {
    static const struct {
        const char *answer;
        bool unsupported;
    } cases[] = {
        { ERROR("UnsupportedOperationException"), true },
        { ERROR("OperationNotPermittedException"), true },
        { ERROR("NoManagementAccountSLRExistsException"), true },
        { ERROR("UnknownOperationException"), true },
        { ERROR("InvalidParameterException"), true }, /* of a stand-in: nothing is wrong with the call */
        { ERROR("AccessDeniedException"), false },
        { ERROR("ThrottlingException"), false },
        { "[]", false },
    };
    CloudTrailTrail t = listed_trail();

    t.present = CLOUDTRAIL_INSIGHT_SELECTORS;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Looking l;

        service_set_up_patient(state);
        l = (Looking){ .f = *state };
        reply(l.f, "{}");
        reply(l.f, TAGS_ANSWER);
        reply(l.f, cases[i].answer);
        snapshot(&l, &t);
        assert_int_equal(l.snapshot.failed, BIT(CONFIGURATION));
        assert_value(&l, FIELD_CONFIGURATION, NULL);
        assert_int_equal(l.snapshot.failures[UNREADABLE_CONFIGURATION].unsupported, cases[i].unsupported);
        settings_done(&l.snapshot.settings);
        service_tear_down(state);
    }
}

/* What stands in for AWS does not have every call. */
static void test_calls_that_are_not_there(void **state) {
    static const struct {
        int status;
        const char *answer;
        uint32_t unsupported;
    } cases[] = {
        { 400, ERROR("UnknownOperationException"), 0xf },
        { 400, ERROR("InvalidAction"), 0xf },
        { 404, "<!doctype html>", 0xf },
        { 405, "", 0xf },
        { 501, ERROR("InternalFailure"), 0xf },
        { 400, ERROR("InvalidParameterException"), 0xf },
        { 400, "", 0xf },
        { 400, ERROR("UnsupportedOperationException"), 1u << UNREADABLE_CONFIGURATION },
        { 500, "<!doctype html>", 1u << UNREADABLE_CONFIGURATION },
        { 404, ERROR("TrailNotFoundException"), 0 },
        { 500, ERROR("InternalFailure"), 0 },
        { 503, "<!doctype html>", 0 },
    };
    CloudTrailTrail t = listed_trail();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint32_t unsupported = 0;
        Looking l;

        service_set_up_patient(state);
        l = (Looking){ .f = *state };
        for (unsigned k = 0; k < 4; k++)
            fake_http_reply(l.f->http, cases[i].status, cases[i].answer, NULL);
        snapshot(&l, &t);
        assert_int_equal(l.snapshot.failed, BIT(SELECTORS) | BIT(INSIGHTS) | BIT(TAGS) | BIT(CONFIGURATION));
        for (Unreadable u = 0; u < UNREADABLE_BUCKET; u++)
            unsupported |= (uint32_t)l.snapshot.failures[u].unsupported << u;
        if (unsupported != cases[i].unsupported)
            fail_msg("case %zu: %x", i, unsupported);
        settings_done(&l.snapshot.settings);
        service_tear_down(state);
    }
}

/* Without the list nothing else is asked. */
static void test_no_list(void **state) {
    static const struct {
        HttpResult result;
        const char *body;
        bool gone;
        PollError error;
        const char *text;
    } cases[] = {
        { HTTP_ANSWERED, LIST(""), true, POLL_OK, "" },
        { HTTP_ANSWERED, LIST(ENTRY(OTHER, "")), true, POLL_OK, "" },
        { HTTP_ANSWERED, ERROR("AccessDeniedException"), false, POLL_DENIED,
          "DescribeTrails: AccessDeniedException: no" },
        { HTTP_CONNECT_FAILED, "it broke", false, POLL_UNREACHABLE, "DescribeTrails: it broke" },
        { HTTP_TIMED_OUT, "no answer", false, POLL_UNREACHABLE, "DescribeTrails: no answer" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Looking l;

        service_set_up_patient(state);
        l = (Looking){ .f = *state };
        if (cases[i].result == HTTP_ANSWERED)
            reply(l.f, cases[i].body);
        else
            fake_http_fail(l.f->http, cases[i].result, cases[i].body);
        snapshot(&l, NULL);
        assert_int_equal(fake_http_n_requests(l.f->http), 1);
        assert_int_equal(l.snapshot.gone, cases[i].gone);
        assert_int_equal(l.snapshot.failed, cases[i].gone ? 0 : FIELDS_ALL);
        assert_int_equal(l.snapshot.error, cases[i].error);
        assert_string_equal(l.snapshot.error_text, cases[i].text);
        for (Field f = 0; f < _FIELD_MAX; f++)
            assert_value(&l, f, NULL);
        service_tear_down(state);
    }
}

static void test_a_region_that_is_none(void **state) {
    Looking l = { .f = *state };
    Settings listed = { 0 };
    SettingsCheck *poll;

    for (unsigned i = 0; i < 2; i++) {
        SettingsCheckRequest request = request_of(&l, "mars", i ? &listed : NULL);

        assert_int_equal(settings_check_start(&request, &poll), 0);
        fake_loop_run(l.f->loop);
        assert_int_equal(l.n_done, i + 1);
        assert_int_equal(l.snapshot.failed,
                         i ? BIT(SELECTORS) | BIT(INSIGHTS) | BIT(CONFIGURATION) | BIT(TAGS) : FIELDS_ALL);
        assert_string_equal(l.snapshot.error_text,
                            i ? "GetEventSelectors: Invalid argument" : "DescribeTrails: Invalid argument");
    }
    settings_done(&l.snapshot.settings);
}

/* Another account's organization trail. */
static void test_tags_that_aws_does_not_tell_are_not_asked_for(void **state) {
    Looking l = { .f = *state };
    SettingsCheckRequest request = request_of(&l, REGION, NULL);
    SettingsCheck *poll;

    request.no_tags = true;
    reply(l.f, LIST(ENTRY(ARN, "")));
    reply(l.f, "{\"EventSelectors\":" BASIC "}");
    reply(l.f, "{\"InsightSelectors\":" INSIGHTS "}");
    reply(l.f, CONFIGURATION_ANSWER);
    assert_int_equal(settings_check_start(&request, &poll), 0);
    fake_loop_run(l.f->loop);
    assert_int_equal(l.n_done, 1);
    assert_int_equal(l.snapshot.failed, 0);
    assert_value(&l, FIELD_TAGS, NULL);
    assert_int_equal(fake_http_n_requests(l.f->http), 4);
    settings_done(&l.snapshot.settings);
}

/* ---- the end before the end ---- */

static void script(ServiceFixture *f) {
    reply(f, LIST(ENTRY(ARN, "")));
    reply(f, "{\"EventSelectors\":" BASIC "}");
    reply(f, "{\"InsightSelectors\":" INSIGHTS "}");
    reply(f, TAGS_ANSWER);
    reply(f, CONFIGURATION_ANSWER);
}

static void test_cancelled_anywhere(void **state) {
    bool over = false;

    settings_check_cancel(NULL);
    for (unsigned n = 0; !over; n++) {
        Looking l = { 0 };
        SettingsCheck *poll;

        assert_true(n < 50);
        service_set_up_patient(state);
        l.f = *state;
        fake_http_set_delay(l.f->http, USEC_PER_MSEC);
        script(l.f);
        assert_int_equal(start(&l, NULL, &poll), 0);
        for (unsigned i = 0; i < n && l.n_done == 0; i++)
            assert_true(fake_loop_next(l.f->loop));
        over = l.n_done > 0;
        if (!over)
            settings_check_cancel(poll);
        assert_int_equal(fake_http_n_running(l.f->http), 0);
        fake_loop_advance(l.f->loop, 100 * USEC_PER_SEC);
        assert_int_equal(l.n_done, over);
        settings_done(&l.snapshot.settings);
        service_tear_down(state);
    }
}

/* Each field is there, or counts as failed. */
static void test_no_memory(void **state) {
    bool failed = true;

    for (unsigned n = 0; failed; n++) {
        uint32_t known = 0;
        Looking l = { 0 };
        SettingsCheck *poll;
        int r;

        assert_true(n < 2000);
        service_set_up_patient(state);
        l.f = *state;
        script(l.f);
        alloc_fail_once(n);
        r = start(&l, NULL, &poll);
        if (r == 0)
            fake_loop_run(l.f->loop);
        failed = alloc_fail_end();
        assert_true(r == 0 || r == -ENOMEM);
        fake_loop_advance(l.f->loop, 100 * USEC_PER_SEC);
        assert_int_equal(l.n_done, r == 0);
        for (Field f = 0; f < _FIELD_MAX; f++)
            if (l.snapshot.settings.values[f])
                known |= FIELD_BIT(f);
        assert_false(l.snapshot.gone);
        if (r == 0) /* the list tells no flags */
            assert_int_equal((known | l.snapshot.failed) | (BIT(SELECTORS) - BIT(MULTI_REGION)), FIELDS_ALL);
        assert_int_equal(known & l.snapshot.failed, 0);
        if (!failed)
            assert_int_equal(l.snapshot.failed, 0);
        settings_done(&l.snapshot.settings);
        service_tear_down(state);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listed),
        PATIENT_TEST(test_everything),
        PATIENT_TEST(test_what_was_just_listed_is_not_asked),
        PATIENT_TEST(test_forms),
        cmocka_unit_test(test_selectors_that_are_too_long),
        cmocka_unit_test(test_selectors_that_are_too_big),
        cmocka_unit_test(test_in_part),
        cmocka_unit_test(test_a_configuration_that_aws_does_not_show),
        cmocka_unit_test(test_calls_that_are_not_there),
        cmocka_unit_test(test_no_list),
        PATIENT_TEST(test_a_region_that_is_none),
        PATIENT_TEST(test_tags_that_aws_does_not_tell_are_not_asked_for),
        cmocka_unit_test(test_cancelled_anywhere),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
