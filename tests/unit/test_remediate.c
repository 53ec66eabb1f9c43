/* SPDX-License-Identifier: Apache-2.0 */
/* Actions against a scripted AWS: exactly what is written, in which order, and when it counts as held. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/baseline.h"
#include "daemon/core/settings.h"
#include "daemon/io/remediate.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/between.h"
#include "tests/unit/service_fixture.h"
/* link: -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc */

#define REGION "eu-central-1"
#define ARN    "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"
#define GROUP  "arn:aws:logs:eu-central-1:111122223333:log-group:trail:*"
#define ROLE   "arn:aws:iam::111122223333:role/Logs"
#define STOP   (1700000100 * USEC_PER_SEC)

#define ERROR(code) "{\"__type\":\"" code "\",\"message\":\"no\"}"
#define DENIED(action)                                                                                      \
    "{\"__type\":\"AccessDeniedException\",\"message\":\"User: me is not authorized to perform: " action    \
    " on "                                                                                                  \
    "resource: x\"}"
#define LOGGING "{\"IsLogging\":true,\"StartLoggingTime\":1700000200,\"StopLoggingTime\":1700000100}"
#define STOPPED "{\"IsLogging\":false,\"StartLoggingTime\":1700000000,\"StopLoggingTime\":1700000100}"
#define AGAIN   "{\"IsLogging\":false,\"StartLoggingTime\":1700000200,\"StopLoggingTime\":1700000201}"

#define BASIC "[{\"IncludeManagementEvents\":true,\"ReadWriteType\":\"All\"}]"
#define ADVANCED                                                                                            \
    "[{\"FieldSelectors\":[{\"Equals\":[\"Management\"],\"Field\":\"eventCategory\"}],\"Name\":\"m\"}]"
#define INSIGHTS "[{\"InsightType\":\"ApiCallRateInsight\"}]"

#define BIT(name) FIELD_BIT(FIELD_##name)

/* As it should be. */
static const Settings keep = { .values = {
                                       [FIELD_BUCKET] = (char *)"logs",
                                       [FIELD_PREFIX] = (char *)"audit",
                                       [FIELD_KMS_KEY] = (char *)"",
                                       [FIELD_LOG_GROUP] = (char *)GROUP,
                                       [FIELD_LOG_ROLE] = (char *)ROLE,
                                       [FIELD_SNS_TOPIC] = (char *)"",
                                       [FIELD_MULTI_REGION] = (char *)"true",
                                       [FIELD_GLOBAL_EVENTS] = (char *)"true",
                                       [FIELD_VALIDATION] = (char *)"true",
                                       [FIELD_ORGANIZATION] = (char *)"false",
                                       [FIELD_RECURSIVE] = (char *)"true",
                                       [FIELD_SELECTORS] = (char *)"{\"EventSelectors\":" BASIC "}",
                                       [FIELD_INSIGHTS] = (char *)INSIGHTS,
                                       [FIELD_CONFIGURATION] = (char *)"{\"MaxEventSize\":\"Large\"}",
                                       [FIELD_TAGS] = (char *)"{\"owner\":\"security\",\"tier\":\"1\"}",
                               } };

/* ... and as AWS says it: what a look at the settings reads, in this order. */
#define LISTED_IN(bucket)                                                                                   \
    "{\"trailList\":[{\"Name\":\"main\",\"TrailARN\":\"" ARN "\",\"HomeRegion\":\"" REGION                  \
    "\",\"S3BucketName\":\"" bucket "\",\"S3KeyPrefix\":\"audit\",\"CloudWatchLogsLogGroupArn\":\"" GROUP   \
    "\",\"CloudWatchLogsRoleArn\":\"" ROLE "\",\"IsMultiRegionTrail\":true,"                                \
    "\"IncludeGlobalServiceEvents\":true,\"LogFileValidationEnabled\":true,\"IsOrganizationTrail\":false,"  \
    "\"RecursiveLogging\":true,"                                                                            \
    "\"HasInsightSelectors\":true}]}"
#define LISTED        LISTED_IN("logs")
#define HAS_SELECTORS "{\"EventSelectors\":" BASIC "}"
#define HAS_INSIGHTS  "{\"InsightSelectors\":" INSIGHTS "}"
#define HAS_TAGS                                                                                            \
    "{\"ResourceTagList\":[{\"ResourceId\":\"" ARN "\",\"TagsList\":[{\"Key\":\"owner\",\"Value\":"         \
    "\"security\"},{\"Key\":\"tier\",\"Value\":\"1\"}]}]}"

#define CONFIGURATION     "{\"MaxEventSize\":\"Large\"}"
#define HAS_CONFIGURATION "{\"MaxEventSize\":\"Large\",\"TrailARN\":\"" ARN "\"}"

typedef struct Doing {
    ServiceFixture *f;
    const Settings *keep;
    unsigned n_done;
    Outcome outcome;
} Doing;

static uint32_t differs(const Settings *seen, void *userdata) {
    const Doing *d = userdata;
    Drift drift;
    uint32_t fields = 0;

    if (baseline_compare(d->keep, seen, &drift) < 0)
        return FIELDS_ALL;
    for (unsigned i = 0; i < drift.n; i++)
        fields |= FIELD_BIT(drift.changes[i].field);
    drift_done(&drift);
    return fields;
}

static void on_done(const Outcome *outcome, void *userdata) {
    Doing *d = userdata;

    d->n_done++;
    d->outcome = *outcome;
}

static bool foreign; /* of the trail that the next action is about */

static int start(Doing *d, Action action, const Settings *kept, const Settings *found, uint32_t fields,
                 Remediation **ret) {
    char region[] = REGION, name[] = "main", arn[] = ARN;
    RemediationRequest request = {
        .aws = d->f->aws,
        .credentials = d->f->credentials,
        .region = region,
        .name = name,
        .arn = arn,
        .foreign = foreign,
        .action = action,
        .stop_usec = STOP,
        .desired = kept,
        .actual = found,
        .fields = fields,
        .differs = differs,
        .done = on_done,
        .userdata = d,
    };
    int r;

    d->keep = kept;
    r = remediate_start(&request, ret);
    /* all copied */
    memset(region, 'x', sizeof(region) - 1);
    memset(name, 'x', sizeof(name) - 1);
    memset(arn, 'x', sizeof(arn) - 1);
    return r;
}

static Doing act(ServiceFixture *f, Action action, const Settings *kept, const Settings *found,
                 uint32_t fields) {
    Doing d = { .f = f };
    Remediation *doing;

    assert_int_equal(start(&d, action, kept, found, fields, &doing), 0);
    assert_int_equal(d.n_done, 0);
    fake_loop_advance(f->loop,
                      REMEDIATE_CALLS_MAX * aws_client_deadline_usec(f->aws) + REMEDIATE_READ_BACK_USEC);
    assert_int_equal(d.n_done, 1);
    assert_int_equal(d.outcome.action, action);
    assert_int_equal(d.outcome.result == RESULT_CONFIRMED, d.outcome.error_text[0] == '\0');
    assert_int_equal(fake_http_n_left(f->http), 0);
    return d;
}

static void reply(ServiceFixture *f, const char *body) {
    fake_http_reply(f->http, 200, body, NULL);
}

static void refuse(ServiceFixture *f, const char *body) {
    fake_http_reply(f->http, 400, body, NULL);
}

static void reply_settings(ServiceFixture *f, const char *listed) {
    reply(f, listed);
    reply(f, HAS_SELECTORS);
    reply(f, HAS_INSIGHTS);
    reply(f, HAS_TAGS);
    reply(f, HAS_CONFIGURATION);
}

static const char *operation_of(const ServiceFixture *f, unsigned i) {
    return strrchr(fake_request_header(fake_http_request(f->http, i), "x-amz-target"), '.') + 1;
}

/* The i-th request was this one; body NULL: any. */
static void assert_asked(const ServiceFixture *f, unsigned i, const char *operation, const char *body) {
    assert_string_equal(operation_of(f, i), operation);
    assert_string_equal(fake_http_request(f->http, i)->url, "https://cloudtrail." REGION ".amazonaws.com/");
    if (body)
        assert_string_equal(fake_http_request(f->http, i)->body, body);
}

/* The operations that write, of all that was asked. */
static const char *written(const ServiceFixture *f, char *ret, size_t size) {
    ret[0] = '\0';
    for (unsigned i = 0; i < fake_http_n_requests(f->http); i++) {
        const char *operation = operation_of(f, i);

        if (strncmp(operation, "Get", 3) != 0 && strncmp(operation, "Describe", 8) != 0 &&
            strncmp(operation, "List", 4) != 0)
            (void)snprintf(ret + strlen(ret), size - strlen(ret), "%s ", operation);
    }
    return ret;
}

static void assert_written(const ServiceFixture *f, const char *operations) {
    char text[256];

    assert_string_equal(written(f, text, sizeof(text)), operations);
}

/* ---- RESTART ---- */

static void test_restart(void **state) {
    static const struct {
        const char *first, *then; /* NULL: not needed */
        bool is_logging;
    } cases[] = {
        { LOGGING, NULL, true },
        { STOPPED, LOGGING, true }, /* it shows late */
        { ERROR("AccessDeniedException"), LOGGING, true },
        { AGAIN, NULL, false }, /* started by us and stopped again: not for us to judge */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ServiceFixture *f;
        Doing d;

        service_set_up_patient(state);
        f = *state;
        reply(f, "{}");
        fake_http_reply(f->http, strstr(cases[i].first, "__type") ? 400 : 200, cases[i].first, NULL);
        if (cases[i].then)
            reply(f, cases[i].then);
        d = act(f, ACTION_RESTART, NULL, NULL, 0);
        assert_asked(f, 0, "StartLogging", "{\"Name\":\"" ARN "\"}");
        assert_asked(f, 1, "GetTrailStatus", NULL);
        assert_int_equal(fake_http_n_requests(f->http), 2 + (cases[i].then != NULL));
        assert_int_equal(d.outcome.result, RESULT_CONFIRMED);
        assert_int_equal(d.outcome.seen.kind, OBSERVED_STATUS);
        assert_int_equal(d.outcome.seen.is_logging, cases[i].is_logging);
        assert_true(d.outcome.seen.start_usec == 1700000200 * USEC_PER_SEC);
        service_tear_down(state);
    }
}

static void test_restart_that_does_not_show(void **state) {
    static const struct {
        const char *status;
        const char *text;
    } cases[] = {
        { STOPPED, "StartLogging: accepted, but the trail still does not log after 5 s" },
        { ERROR("AccessDeniedException"),
          "StartLogging: accepted, but GetTrailStatus: AccessDeniedException: no" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t before_usec;
        ServiceFixture *f;
        Doing d = { 0 };
        Remediation *doing;

        service_set_up_patient(state);
        d.f = f = *state;
        reply(f, "{}");
        for (unsigned k = 0; k < 30; k++)
            fake_http_reply(f->http, strstr(cases[i].status, "__type") ? 400 : 200, cases[i].status, NULL);
        before_usec = loop_monotonic_usec(fake_loop_loop(f->loop));
        assert_int_equal(start(&d, ACTION_RESTART, NULL, NULL, 0, &doing), 0);
        while (d.n_done == 0)
            assert_true(fake_loop_next(f->loop));
        assert_between(loop_monotonic_usec(fake_loop_loop(f->loop)) - before_usec, 3 * USEC_PER_SEC,
                       REMEDIATE_READ_BACK_USEC);
        assert_between(fake_http_n_requests(f->http), 5, 12); /* less and less often */
        assert_int_equal(d.outcome.result, RESULT_FAILED);
        assert_string_equal(d.outcome.error_text, cases[i].text);
        assert_written(f, "StartLogging ");
        service_tear_down(state);
    }
}

static void test_restart_that_is_refused(void **state) {
    ServiceFixture *f = *state;
    Doing d;

    refuse(f, ERROR("AccessDeniedException"));
    d = act(f, ACTION_RESTART, NULL, NULL, 0);
    assert_int_equal(fake_http_n_requests(f->http), 1);
    assert_int_equal(d.outcome.result, RESULT_FAILED);
    assert_string_equal(d.outcome.error_text, "StartLogging: AccessDeniedException: no");
    fake_http_fail(f->http, HTTP_TIMED_OUT, "no answer");
    d = act(f, ACTION_RESTART, NULL, NULL, 0);
    assert_string_equal(d.outcome.error_text, "StartLogging: no answer");
}

/* moto 5 fails inside for an ARN; others do not find it, or say that it is no name. */
static void test_restart_of_a_trail_that_is_known_by_its_name(void **state) {
    static const struct {
        int status;
        const char *answer;
        bool foreign, again;
    } cases[] = {
        { 500, "<!doctype html><title>500 Internal Server Error</title>", false, true },
        { 500, ERROR("InternalError"), false, true },
        { 400, ERROR("TrailNotFoundException"), false, true },
        { 400, ERROR("InvalidTrailNameException"), false, true },
        { 404, "", false, true },
        { 500, ERROR("InternalFailure"), false, false },
        { 400, ERROR("AccessDeniedException"), false, false },
        { 400, ERROR("InvalidHomeRegionException"), false, false },
        { 400, ERROR("TrailNotFoundException"), true, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ServiceFixture *f;
        Doing d;

        print_message("case %zu\n", i);
        service_set_up_patient(state);
        f = *state;
        fake_http_reply(f->http, cases[i].status, cases[i].answer, NULL);
        if (cases[i].again) {
            reply(f, "{}");
            reply(f, LOGGING);
        }
        foreign = cases[i].foreign;
        d = act(f, ACTION_RESTART, NULL, NULL, 0);
        foreign = false;
        assert_asked(f, 0, "StartLogging", "{\"Name\":\"" ARN "\"}");
        if (cases[i].again)
            assert_asked(f, 1, "StartLogging", "{\"Name\":\"main\"}");
        if (cases[i].again)
            assert_asked(f, 2, "GetTrailStatus", "{\"Name\":\"main\"}");
        assert_int_equal(fake_http_n_requests(f->http), cases[i].again ? 3 : 1);
        assert_int_equal(d.outcome.result, cases[i].again ? RESULT_CONFIRMED : RESULT_FAILED);
        service_tear_down(state);
    }
}

static void test_restart_that_is_refused_by_name_too(void **state) {
    ServiceFixture *f = *state;
    Doing d;

    refuse(f, ERROR("TrailNotFoundException"));
    refuse(f, ERROR("TrailNotFoundException"));
    d = act(f, ACTION_RESTART, NULL, NULL, 0);
    assert_int_equal(fake_http_n_requests(f->http), 2);
    assert_string_equal(d.outcome.error_text, "StartLogging: TrailNotFoundException: no");
}

/* ---- RESTORE ---- */

#define NAME "\"Name\":\"" ARN "\""

/* One UpdateTrail with what differs, and with what AWS takes only together. */
static void test_update_trail(void **state) {
    static const struct {
        uint32_t fields;
        const char *body;
    } cases[] = {
        { BIT(BUCKET), "{" NAME ",\"S3BucketName\":\"logs\"}" },
        { BIT(PREFIX), "{" NAME ",\"S3KeyPrefix\":\"audit\"}" },
        { BIT(KMS_KEY), "{" NAME ",\"KmsKeyId\":\"\"}" },
        { BIT(SNS_TOPIC), "{" NAME ",\"SnsTopicName\":\"\"}" },
        { BIT(VALIDATION), "{" NAME ",\"EnableLogFileValidation\":true}" },
        { BIT(ORGANIZATION), "{" NAME ",\"IsOrganizationTrail\":false}" },
        { BIT(RECURSIVE), "{" NAME ",\"RecursiveLogging\":true}" },
        { BIT(MULTI_REGION), "{" NAME ",\"IsMultiRegionTrail\":true,\"IncludeGlobalServiceEvents\":true}" },
        { BIT(GLOBAL_EVENTS), "{" NAME ",\"IsMultiRegionTrail\":true,\"IncludeGlobalServiceEvents\":true}" },
        { BIT(LOG_GROUP),
          "{" NAME ",\"CloudWatchLogsLogGroupArn\":\"" GROUP "\",\"CloudWatchLogsRoleArn\":\"" ROLE "\"}" },
        { BIT(LOG_ROLE),
          "{" NAME ",\"CloudWatchLogsLogGroupArn\":\"" GROUP "\",\"CloudWatchLogsRoleArn\":\"" ROLE "\"}" },
        { BIT(BUCKET) | BIT(VALIDATION),
          "{" NAME ",\"S3BucketName\":\"logs\",\"EnableLogFileValidation\":true}" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ServiceFixture *f;
        Doing d;

        service_set_up_patient(state);
        f = *state;
        reply(f, "{}");
        reply_settings(f, LISTED);
        d = act(f, ACTION_RESTORE, &keep, &keep, cases[i].fields);
        assert_int_equal(d.outcome.result, RESULT_CONFIRMED);
        assert_int_equal(d.outcome.fields_left, 0);
        assert_asked(f, 0, "UpdateTrail", cases[i].body);
        assert_written(f, "UpdateTrail ");
        service_tear_down(state);
    }
}

static void test_every_setting_at_once(void **state) {
    ServiceFixture *f = *state;
    Doing d;

    reply(f, "{}");
    reply_settings(f, LISTED);
    d = act(f, ACTION_RESTORE, &keep, &keep, BIT(SELECTORS) - 1);
    assert_int_equal(d.outcome.result, RESULT_CONFIRMED);
    assert_written(f, "UpdateTrail ");
    assert_asked(
            f, 0, "UpdateTrail",
            "{" NAME ",\"S3BucketName\":\"logs\",\"S3KeyPrefix\":\"audit\",\"SnsTopicName\":\"\","
            "\"CloudWatchLogsLogGroupArn\":\"" GROUP "\",\"CloudWatchLogsRoleArn\":\"" ROLE
            "\",\"KmsKeyId\":\"\",\"IsMultiRegionTrail\":true,\"IncludeGlobalServiceEvents\":true,"
            "\"EnableLogFileValidation\":true,\"IsOrganizationTrail\":false,\"RecursiveLogging\":true}");
}

static void test_selectors_and_insights(void **state) {
    static const struct {
        Field field;
        const char *kept, *operation, *body;
    } cases[] = {
        { FIELD_SELECTORS, "{\"EventSelectors\":" BASIC "}", "PutEventSelectors",
          "{\"TrailName\":\"" ARN "\",\"EventSelectors\":" BASIC "}" },
        { FIELD_SELECTORS, "{\"AdvancedEventSelectors\":" ADVANCED "}", "PutEventSelectors",
          "{\"TrailName\":\"" ARN "\",\"AdvancedEventSelectors\":" ADVANCED "}" },
        { FIELD_INSIGHTS, INSIGHTS, "PutInsightSelectors",
          "{\"TrailName\":\"" ARN "\",\"InsightSelectors\":" INSIGHTS "}" },
        { FIELD_INSIGHTS, "[]", "PutInsightSelectors",
          "{\"TrailName\":\"" ARN "\",\"InsightSelectors\":[]}" },
        { FIELD_CONFIGURATION, CONFIGURATION, "PutEventConfiguration",
          "{\"MaxEventSize\":\"Large\",\"TrailName\":\"" ARN "\"}" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Settings kept = keep, found = keep;
        ServiceFixture *f;
        Doing d;

        service_set_up_patient(state);
        f = *state;
        kept.values[cases[i].field] = (char *)cases[i].kept;
        reply(f, "{}");
        reply(f, LISTED);
        reply(f, strstr(cases[i].kept, "Advanced") ? cases[i].kept : HAS_SELECTORS);
        reply(f, strcmp(cases[i].kept, "[]") == 0 ? "{\"InsightSelectors\":[]}" : HAS_INSIGHTS);
        reply(f, HAS_TAGS);
        reply(f, HAS_CONFIGURATION);
        found.values[FIELD_CONFIGURATION] = (char *)"{}";
        d = act(f, ACTION_RESTORE, &kept, &found, FIELD_BIT(cases[i].field));
        assert_int_equal(d.outcome.result, RESULT_CONFIRMED);
        assert_int_equal(fake_http_n_requests(f->http), 6);
        assert_asked(f, 0, cases[i].operation, cases[i].body);
        service_tear_down(state);
    }
}

#define TAGS(list) "{\"ResourceId\":\"" ARN "\",\"TagsList\":[" list "]}"
#define OWNER      "{\"Key\":\"owner\",\"Value\":\"security\"}"
#define TIER       "{\"Key\":\"tier\",\"Value\":\"1\"}"

static void test_tags(void **state) {
    static const struct {
        const char *found, *removed, *added; /* NULL: nothing */
        const char *kept;                    /* NULL: as always */
    } cases[] = {
        { "{}", NULL, TAGS(OWNER "," TIER), NULL },
        { "{\"owner\":\"security\"}", NULL, TAGS(TIER), NULL },
        { "{\"owner\":\"security\",\"tier\":\"9\"}", NULL, TAGS(TIER), NULL },
        { "{\"owner\":\"security\",\"tier\":\"1\",\"mine\":\"x\"}", TAGS("{\"Key\":\"mine\"}"), NULL, NULL },
        { "{\"tier\":\"9\",\"mine\":\"x\"}", TAGS("{\"Key\":\"mine\"}"), TAGS(OWNER "," TIER), NULL },
        /* AWS's own are neither taken away nor written */
        { "{\"owner\":\"security\",\"aws:cloudformation:stack-id\":\"s\"}", NULL, TAGS(TIER), NULL },
        { "{\"owner\":\"security\"}", NULL, TAGS(TIER),
          "{\"aws:createdBy\":\"x\",\"owner\":\"security\",\"tier\":\"1\"}" },
        { "{\"owner\":\"security\",\"tier\":\"1\"}", NULL, NULL, NULL },
        /* what is there is not known: nothing is taken away */
        { NULL, NULL, TAGS(OWNER "," TIER), NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Settings kept = keep, found = keep;
        unsigned n = 0;
        ServiceFixture *f;
        Doing d;

        service_set_up_patient(state);
        f = *state;
        found.values[FIELD_TAGS] = (char *)cases[i].found;
        if (cases[i].kept)
            kept.values[FIELD_TAGS] = (char *)cases[i].kept;
        if (cases[i].removed)
            reply(f, "{}");
        if (cases[i].added)
            reply(f, "{}");
        reply_settings(f, LISTED);
        d = act(f, ACTION_RESTORE, &kept, &found, BIT(TAGS));
        assert_int_equal(d.outcome.result, RESULT_CONFIRMED);
        if (cases[i].removed)
            assert_asked(f, n++, "RemoveTags", cases[i].removed);
        if (cases[i].added)
            assert_asked(f, n++, "AddTags", cases[i].added);
        assert_asked(f, n, "DescribeTrails", NULL);
        service_tear_down(state);
    }
}

/* Everything differs: each kind of write once, in one order. */
static void test_restore_everything(void **state) {
    Settings found = keep;
    ServiceFixture *f = *state;
    Doing d;

    found.values[FIELD_TAGS] = (char *)"{\"mine\":\"x\"}";
    for (unsigned i = 0; i < 5; i++)
        reply(f, "{}");
    reply_settings(f, LISTED);
    d = act(f, ACTION_RESTORE, &keep, &found, FIELDS_ALL);
    assert_int_equal(d.outcome.result, RESULT_CONFIRMED);
    assert_written(f, "UpdateTrail PutEventSelectors PutInsightSelectors RemoveTags AddTags ");
}

/* What the settings to keep do not know is not written, whatever is asked for. */
static void test_unknown_fields_are_not_written(void **state) {
    Settings kept = { .values = { [FIELD_VALIDATION] = (char *)"true" } }, found = keep;
    ServiceFixture *f = *state;
    Doing d;

    found.values[FIELD_TAGS] = (char *)"{\"mine\":\"x\"}";
    reply(f, "{}");
    reply_settings(f, LISTED);
    d = act(f, ACTION_RESTORE, &kept, &found, FIELDS_ALL);
    assert_int_equal(d.outcome.result, RESULT_CONFIRMED);
    assert_written(f, "UpdateTrail ");
    assert_asked(f, 0, "UpdateTrail", "{" NAME ",\"EnableLogFileValidation\":true}");

    /* a flag's companion */
    kept = (Settings){ .values = { [FIELD_GLOBAL_EVENTS] = (char *)"false" } };
    reply(f, "{}");
    reply_settings(f, LISTED);
    kept.values[FIELD_GLOBAL_EVENTS] = (char *)"true";
    d = act(f, ACTION_RESTORE, &kept, &found, BIT(GLOBAL_EVENTS));
    assert_int_equal(d.outcome.result, RESULT_CONFIRMED);
    assert_asked(f, 6, "UpdateTrail", "{" NAME ",\"IncludeGlobalServiceEvents\":true}");
}

/* ---- reading settings back ---- */

static void test_it_shows_late(void **state) {
    ServiceFixture *f = *state;
    Doing d;

    reply(f, "{}");
    reply_settings(f, LISTED_IN("mallorys"));
    reply_settings(f, LISTED_IN("mallorys"));
    reply_settings(f, LISTED);
    d = act(f, ACTION_RESTORE, &keep, &keep, BIT(BUCKET));
    assert_int_equal(d.outcome.result, RESULT_CONFIRMED);
    assert_int_equal(d.outcome.fields_left, 0);
    assert_written(f, "UpdateTrail ");
}

/* Only what was written has to show; the rest is told. */
static void test_others_differ(void **state) {
    ServiceFixture *f = *state;
    Doing d;

    reply(f, "{}");
    reply_settings(f, LISTED_IN("mallorys"));
    d = act(f, ACTION_RESTORE, &keep, &keep, BIT(VALIDATION));
    assert_int_equal(d.outcome.result, RESULT_CONFIRMED);
    assert_int_equal(d.outcome.fields_left, BIT(BUCKET));
}

static void test_it_never_shows(void **state) {
    static const struct {
        const char *listed; /* NULL: the look fails */
        uint32_t left;
        const char *text;
    } cases[] = {
        { LISTED_IN("mallorys"), BIT(BUCKET),
          "UpdateTrail: AWS accepted it, and does not show it after 5 s" },
        { "{\"trailList\":[]}", 0, "UpdateTrail: AWS accepted it, and does not show it after 5 s" },
        { NULL, FIELDS_ALL & ~FIELDS_UNWRITABLE,
          "UpdateTrail: accepted, but DescribeTrails: AccessDeniedException: no" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t before_usec;
        ServiceFixture *f;
        Doing d = { 0 };
        Remediation *doing;

        service_set_up_patient(state);
        d.f = f = *state;
        reply(f, "{}");
        for (unsigned k = 0; k < 20; k++)
            if (!cases[i].listed)
                refuse(f, ERROR("AccessDeniedException"));
            else if (strstr(cases[i].listed, "S3BucketName"))
                reply_settings(f, cases[i].listed);
            else
                reply(f, cases[i].listed);
        before_usec = loop_monotonic_usec(fake_loop_loop(f->loop));
        assert_int_equal(start(&d, ACTION_RESTORE, &keep, &keep, BIT(BUCKET), &doing), 0);
        while (d.n_done == 0)
            assert_true(fake_loop_next(f->loop));
        assert_true(loop_monotonic_usec(fake_loop_loop(f->loop)) - before_usec <=
                    REMEDIATE_READ_BACK_USEC + USEC_PER_SEC);
        assert_int_equal(d.outcome.result, RESULT_FAILED);
        assert_int_equal(d.outcome.fields_left, cases[i].left);
        assert_string_equal(d.outcome.error_text, cases[i].text);
        assert_written(f, "UpdateTrail ");
        service_tear_down(state);
    }
}

/* What could not be looked at does not count as held, but only what was written has to be seen. */
static void test_read_back_in_part(void **state) {
    ServiceFixture *f = *state;
    Doing d;

    for (unsigned i = 0; i < 2; i++) {
        reply(f, "{}");
        reply(f, LISTED);
        refuse(f, ERROR("AccessDeniedException")); /* GetEventSelectors */
        reply(f, HAS_INSIGHTS);
        reply(f, HAS_TAGS);
        reply(f, HAS_CONFIGURATION);
        if (i > 0)
            reply_settings(f, LISTED);
        d = act(f, ACTION_RESTORE, &keep, &keep, i == 0 ? BIT(BUCKET) : BIT(SELECTORS));
        assert_int_equal(d.outcome.result, RESULT_CONFIRMED);
    }
    assert_int_equal(fake_http_n_requests(f->http), 6 + 11);
}

/* A write that fails for other reasons than its fields ends it: the rest is for the next try. */
static void test_a_refused_write_ends_it(void **state) {
    static const char *const operations[] = { "UpdateTrail", "PutEventSelectors", "PutInsightSelectors",
                                              "RemoveTags", "AddTags" };

    for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
        Settings found = keep;
        char text[128];
        ServiceFixture *f;
        Doing d;

        service_set_up_patient(state);
        f = *state;
        found.values[FIELD_TAGS] = (char *)"{\"mine\":\"x\"}";
        for (size_t k = 0; k < i; k++)
            reply(f, "{}");
        refuse(f, ERROR("ConflictException"));
        d = act(f, ACTION_RESTORE, &keep, &found, FIELDS_ALL);
        assert_int_equal(d.outcome.result, RESULT_FAILED);
        (void)snprintf(text, sizeof(text), "%s: ConflictException: no", operations[i]);
        assert_string_equal(d.outcome.error_text, text);
        assert_int_equal(fake_http_n_requests(f->http), i + 1);
        assert_int_equal(d.outcome.fields_left, FIELDS_ALL);
        service_tear_down(state);
    }
}

/* What AWS will not take keeps nothing else from being written. */
static void test_refused_fields_are_left_out(void **state) {
    static const struct {
        uint32_t fields;
        const char *answers[8];     /* to the writes */
        const char *written, *body; /* the last UpdateTrail's, NULL: any */
        const char *text;
        bool polled_at;
    } cases[] = {
        { BIT(KMS_KEY) | BIT(BUCKET) | BIT(MULTI_REGION) | BIT(SELECTORS),
          { ERROR("KmsKeyDisabledException"), "{}", "{}" },
          "UpdateTrail UpdateTrail PutEventSelectors ",
          "{" NAME
          ",\"S3BucketName\":\"logs\",\"IsMultiRegionTrail\":true,\"IncludeGlobalServiceEvents\":true}",
          "UpdateTrail: KmsKeyDisabledException: no",
          true },
        /* one after the other; the first is told */
        { BIT(KMS_KEY) | BIT(BUCKET) | BIT(PREFIX) | BIT(SNS_TOPIC),
          { ERROR("InsufficientSnsTopicPolicyException"), ERROR("S3BucketDoesNotExistException"), "{}" },
          "UpdateTrail UpdateTrail UpdateTrail ",
          "{" NAME ",\"KmsKeyId\":\"\"}",
          "UpdateTrail: InsufficientSnsTopicPolicyException: no",
          true },
        /* group and role go together, and so they are left out */
        { BIT(LOG_GROUP) | BIT(VALIDATION),
          { ERROR("InvalidCloudWatchLogsRoleArnException"), "{}" },
          "UpdateTrail UpdateTrail ",
          "{" NAME ",\"EnableLogFileValidation\":true}",
          "UpdateTrail: InvalidCloudWatchLogsRoleArnException: no",
          true },
        /* about nothing that was asked: all of that call, and of that only */
        { BIT(VALIDATION) | BIT(SELECTORS) | BIT(INSIGHTS),
          { ERROR("InsufficientS3BucketPolicyException"), "{}", "{}" },
          "UpdateTrail PutEventSelectors PutInsightSelectors ",
          NULL,
          "UpdateTrail: InsufficientS3BucketPolicyException: no",
          true },
        { FIELDS_ALL,
          { ERROR("AccessDeniedException"), ERROR("InvalidEventSelectorsException"), "{}", "{}",
            ERROR("AccessDeniedException") },
          "UpdateTrail PutEventSelectors PutInsightSelectors RemoveTags AddTags ",
          NULL,
          "UpdateTrail: AccessDeniedException: no",
          true },
        /* without the right to the role: without the role */
        { BIT(BUCKET) | BIT(LOG_ROLE),
          { DENIED("iam:PassRole"), "{}" },
          "UpdateTrail UpdateTrail ",
          "{" NAME ",\"S3BucketName\":\"logs\"}",
          "UpdateTrail: AccessDeniedException: User: me is not authorized to perform: iam:PassRole on "
          "resource: x",
          true },
        /* about the key or the topic's key: each by itself, and only that of the topic is refused */
        { BIT(SNS_TOPIC) | BIT(KMS_KEY) | BIT(BUCKET) | BIT(SELECTORS),
          { ERROR("KmsKeyNotFoundException"), "{}", "{}", ERROR("KmsKeyNotFoundException"), "{}" },
          "UpdateTrail UpdateTrail UpdateTrail UpdateTrail PutEventSelectors ",
          "{" NAME ",\"SnsTopicName\":\"\"}",
          "UpdateTrail: KmsKeyNotFoundException: no",
          true },
        /* AWS does not say about what: the bucket first */
        { BIT(SNS_TOPIC) | BIT(BUCKET) | BIT(PREFIX) | BIT(GLOBAL_EVENTS),
          { ERROR("InvalidParameterCombinationException"), ERROR("InvalidS3PrefixException"), "{}",
            ERROR("OfTomorrowException"), "{}" },
          "UpdateTrail UpdateTrail UpdateTrail UpdateTrail UpdateTrail ",
          "{" NAME ",\"SnsTopicName\":\"\"}",
          "UpdateTrail: InvalidParameterCombinationException: no",
          true },
        /* the right to something that this version does not know */
        { BIT(SNS_TOPIC) | BIT(VALIDATION),
          { DENIED("sns:Tomorrow"), "{}", DENIED("sns:Tomorrow") },
          "UpdateTrail UpdateTrail UpdateTrail ",
          "{" NAME ",\"SnsTopicName\":\"\"}",
          "UpdateTrail: AccessDeniedException: User: me is not authorized to perform: sns:Tomorrow on "
          "resource: x",
          true },
        /* the call itself is denied: no part of it is tried */
        { BIT(SNS_TOPIC) | BIT(BUCKET),
          { DENIED("cloudtrail:UpdateTrail") },
          "UpdateTrail ",
          NULL,
          "UpdateTrail: AccessDeniedException: User: me is not authorized to perform: "
          "cloudtrail:UpdateTrail on resource: x",
          false },
        /* nor when the answer is none of AWS's */
        { BIT(SNS_TOPIC) | BIT(BUCKET),
          { "{\"__type\":\"\",\"message\":\"no\"}" },
          "UpdateTrail ",
          NULL,
          "UpdateTrail: no",
          false },
        /* nothing was written: nothing is read back */
        { BIT(KMS_KEY),
          { ERROR("KmsKeyDisabledException") },
          "UpdateTrail ",
          NULL,
          "UpdateTrail: KmsKeyDisabledException: no",
          false },
        { BIT(BUCKET) | BIT(SELECTORS),
          { ERROR("AccessDeniedException"), ERROR("AccessDeniedException") },
          "UpdateTrail PutEventSelectors ",
          NULL,
          "UpdateTrail: AccessDeniedException: no",
          false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Settings found = keep;
        ServiceFixture *f;
        unsigned last = 0;
        Doing d;

        service_set_up_patient(state);
        f = *state;
        found.values[FIELD_TAGS] = (char *)"{\"mine\":\"x\"}";
        for (unsigned k = 0; k < ARRAY_SIZE(cases[i].answers) && cases[i].answers[k]; k++)
            fake_http_reply(f->http, strstr(cases[i].answers[k], "__type") ? 400 : 200, cases[i].answers[k],
                            NULL);
        if (cases[i].polled_at)
            reply_settings(f, LISTED);
        d = act(f, ACTION_RESTORE, &keep, &found, cases[i].fields);
        assert_int_equal(d.outcome.result, RESULT_FAILED);
        assert_string_equal(d.outcome.error_text, cases[i].text);
        assert_written(f, cases[i].written);
        while (last + 1 < fake_http_n_requests(f->http) &&
               text_equal(operation_of(f, last + 1), "UpdateTrail"))
            last++;
        assert_asked(f, last, "UpdateTrail", cases[i].body);
        service_tear_down(state);
    }
}

/* What is left is what the read-back shows, of all fields. */
static void test_what_refused_fields_leave(void **state) {
    Settings kept = keep;
    ServiceFixture *f = *state;
    Doing d;

    kept.values[FIELD_KMS_KEY] = (char *)"arn:aws:kms:eu-central-1:111122223333:key/1";
    refuse(f, ERROR("KmsKeyDisabledException"));
    reply(f, "{}");
    reply_settings(f, LISTED_IN("mallorys")); /* not yet */
    reply_settings(f, LISTED);
    d = act(f, ACTION_RESTORE, &kept, &keep, BIT(KMS_KEY) | BIT(BUCKET));
    assert_int_equal(d.outcome.result, RESULT_FAILED);
    assert_int_equal(d.outcome.fields_left, BIT(KMS_KEY));
    refuse(f, ERROR("KmsKeyDisabledException"));
    d = act(f, ACTION_RESTORE, &kept, &keep, BIT(KMS_KEY));
    assert_int_equal(d.outcome.fields_left, FIELDS_ALL);
}

/* A baseline that was damaged is not written. */
static void test_values_that_are_none(void **state) {
    static const struct {
        Field field;
        const char *value, *text;
    } cases[] = {
        { FIELD_SELECTORS, "not JSON", "PutEventSelectors: Invalid argument" },
        { FIELD_SELECTORS, "{}", "PutEventSelectors: Invalid argument" },
        { FIELD_SELECTORS, "{\"EventSelectors\":" BASIC ",\"AdvancedEventSelectors\":" ADVANCED "}",
          "PutEventSelectors: Invalid argument" },
        { FIELD_INSIGHTS, "{}", "PutInsightSelectors: Invalid argument" },
        { FIELD_TAGS, "not JSON", "RemoveTags: Invalid argument" },
    };
    ServiceFixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Settings kept = keep;
        Doing d;

        kept.values[cases[i].field] = (char *)cases[i].value;
        d = act(f, ACTION_RESTORE, &kept, &keep, FIELD_BIT(cases[i].field));
        assert_int_equal(d.outcome.result, RESULT_FAILED);
        assert_string_equal(d.outcome.error_text, cases[i].text);
    }
    assert_int_equal(fake_http_n_requests(f->http), 0);
}

/* ---- RECREATE ---- */

#define CREATED                                                                                             \
    "{\"Name\":\"main\",\"S3BucketName\":\"logs\",\"S3KeyPrefix\":\"audit\","                               \
    "\"CloudWatchLogsLogGroupArn\":\"" GROUP "\",\"CloudWatchLogsRoleArn\":\"" ROLE                         \
    "\",\"IsMultiRegionTrail\":true,\"IncludeGlobalServiceEvents\":true,\"EnableLogFileValidation\":true,"  \
    "\"IsOrganizationTrail\":false,\"RecursiveLogging\":true,\"TagsList\":[" OWNER "," TIER "]}"

static void test_recreate(void **state) {
    static const char *const order[] = {
        "CreateTrail",           "StartLogging",   "PutEventSelectors",    "PutInsightSelectors",
        "PutEventConfiguration", "GetTrailStatus", "DescribeTrails",       "GetEventSelectors",
        "GetInsightSelectors",   "ListTags",       "GetEventConfiguration"
    };
    ServiceFixture *f = *state;
    Doing d;

    for (unsigned i = 0; i < 5; i++)
        reply(f, "{}");
    reply(f, LOGGING);
    reply_settings(f, LISTED);
    d = act(f, ACTION_RECREATE, &keep, NULL, 0);
    assert_int_equal(fake_http_n_requests(f->http), ARRAY_SIZE(order));
    for (unsigned i = 0; i < ARRAY_SIZE(order); i++)
        assert_asked(f, i, order[i], i == 0 ? CREATED : NULL);
    assert_int_equal(d.outcome.result, RESULT_CONFIRMED);
    assert_int_equal(d.outcome.fields_left, 0);
    assert_true(d.outcome.seen.is_logging);
}

/* A trail of which only the list's part is known, or whose Insights were off. */
static void test_recreate_the_little_that_is_known(void **state) {
    Settings kept = { .values = { [FIELD_BUCKET] = (char *)"logs" } };
    ServiceFixture *f = *state;
    Doing d;

    for (unsigned i = 0; i < 2; i++) {
        reply(f, "{}");
        reply(f, "{}");
        reply(f, LOGGING);
        reply(f, LISTED);
        reply(f, HAS_SELECTORS);
        reply(f, HAS_INSIGHTS);
        reply(f, "{\"ResourceTagList\":[]}");
        reply(f, "{}");
        d = act(f, ACTION_RECREATE, &kept, NULL, 0);
        assert_int_equal(d.outcome.result, RESULT_CONFIRMED);
        assert_asked(f, 8 * i, "CreateTrail", "{\"Name\":\"main\",\"S3BucketName\":\"logs\"}");
        assert_asked(f, 8 * i + 2, "GetTrailStatus", NULL);
        kept.values[FIELD_KMS_KEY] = kept.values[FIELD_SNS_TOPIC] = (char *)"";
        kept.values[FIELD_TAGS] = (char *)"{\"aws:createdBy\":\"x\"}";
    }
    kept.values[FIELD_INSIGHTS] = (char *)"[]";
    reply(f, "{}");
    reply(f, "{}");
    reply(f, LOGGING);
    reply(f, LISTED);
    reply(f, HAS_SELECTORS);
    reply(f, "{\"InsightSelectors\":[]}");
    reply(f, "{\"ResourceTagList\":[]}");
    reply(f, "{}");
    d = act(f, ACTION_RECREATE, &kept, NULL, 0);
    assert_int_equal(d.outcome.result, RESULT_CONFIRMED);

    kept.values[FIELD_BUCKET] = NULL;
    d = act(f, ACTION_RECREATE, &kept, NULL, 0);
    assert_string_equal(d.outcome.error_text, "CreateTrail: Invalid argument");
}

static void test_recreate_that_is_refused(void **state) {
    static const struct {
        unsigned n_good;
        const char *code, *text;
    } cases[] = {
        { 0, ERROR("TrailAlreadyExistsException"), "CreateTrail: TrailAlreadyExistsException: no" },
        { 0, ERROR("AccessDeniedException"), "CreateTrail: AccessDeniedException: no" },
        { 0, ERROR("S3BucketDoesNotExistException"), "CreateTrail: S3BucketDoesNotExistException: no" },
        { 0, ERROR("InsufficientS3BucketPolicyException"),
          "CreateTrail: InsufficientS3BucketPolicyException: no" },
        { 1, ERROR("AccessDeniedException"), "StartLogging: AccessDeniedException: no" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ServiceFixture *f;
        Doing d;

        service_set_up_patient(state);
        f = *state;
        for (unsigned k = 0; k < cases[i].n_good; k++)
            reply(f, "{}");
        refuse(f, cases[i].code);
        d = act(f, ACTION_RECREATE, &keep, NULL, 0);
        assert_int_equal(d.outcome.result, RESULT_FAILED);
        assert_string_equal(d.outcome.error_text, cases[i].text);
        assert_int_equal(fake_http_n_requests(f->http), cases[i].n_good + 1);
        service_tear_down(state);
    }
}

/* A trail without its key, or with other selectors, records more than none. */
static void test_recreate_without_what_is_refused(void **state) {
    Settings kept = keep;
    ServiceFixture *f = *state;
    Doing d;

    kept.values[FIELD_KMS_KEY] = (char *)"arn:aws:kms:eu-central-1:111122223333:key/1";
    refuse(f, ERROR("KmsException"));
    reply(f, "{}");                                     /* CreateTrail */
    reply(f, "{}");                                     /* StartLogging */
    refuse(f, ERROR("InvalidEventSelectorsException")); /* PutEventSelectors */
    reply(f, "{}");                                     /* PutInsightSelectors */
    reply(f, "{}");                                     /* PutEventConfiguration */
    reply(f, LOGGING);
    reply(f, LISTED);
    reply(f, "{\"AdvancedEventSelectors\":" ADVANCED "}");
    reply(f, HAS_INSIGHTS);
    reply(f, HAS_TAGS);
    reply(f, HAS_CONFIGURATION);
    d = act(f, ACTION_RECREATE, &kept, NULL, 0);
    assert_non_null(strstr(fake_http_request(f->http, 0)->body, "KmsKeyId"));
    assert_asked(f, 1, "CreateTrail", CREATED);
    assert_int_equal(d.outcome.result, RESULT_CONFIRMED);
    assert_int_equal(d.outcome.fields_left & BIT(KMS_KEY), BIT(KMS_KEY));
    assert_int_equal(d.outcome.fields_left & ~(BIT(KMS_KEY) | BIT(SELECTORS)), 0);
}

/* Nor does a right that the guard lacks for a part of it, or a key that AWS does not say whose it is. */
static void test_recreate_without_a_right(void **state) {
    static const struct {
        const char *answers[3], *without[3];
        uint32_t left;
    } cases[] = {
        { { DENIED("iam:PassRole") }, { "CloudWatchLogs" }, BIT(LOG_GROUP) | BIT(LOG_ROLE) },
        { { DENIED("cloudtrail:AddTags") }, { "TagsList" }, BIT(TAGS) },
        { { ERROR("KmsKeyNotFoundException"), ERROR("KmsKeyNotFoundException"),
            ERROR("InvalidTagParameterException") },
          { "KmsKeyId", "SnsTopicName", "TagsList" },
          BIT(KMS_KEY) | BIT(SNS_TOPIC) | BIT(TAGS) },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Settings kept = keep;
        ServiceFixture *f;
        unsigned n = 0;
        Doing d;

        service_set_up_patient(state);
        f = *state;
        if (cases[i].left & BIT(KMS_KEY))
            kept.values[FIELD_KMS_KEY] = (char *)"arn:aws:kms:eu-central-1:111122223333:key/1";
        if (cases[i].left & BIT(SNS_TOPIC))
            kept.values[FIELD_SNS_TOPIC] = (char *)"arn:aws:sns:eu-central-1:111122223333:topic";
        for (; n < 3 && cases[i].answers[n]; n++)
            refuse(f, cases[i].answers[n]);
        for (unsigned k = 0; k < 5; k++)
            reply(f, "{}"); /* CreateTrail, StartLogging, selectors, Insights, configuration */
        reply(f, LOGGING);
        reply(f, LISTED);
        reply(f, "{\"EventSelectors\":" BASIC "}");
        reply(f, HAS_INSIGHTS);
        reply(f, HAS_TAGS);
        reply(f, HAS_CONFIGURATION);
        d = act(f, ACTION_RECREATE, &kept, NULL, 0);
        for (unsigned k = 0; k < n; k++) {
            assert_non_null(strstr(fake_http_request(f->http, k)->body, cases[i].without[k]));
            assert_null(strstr(fake_http_request(f->http, n)->body, cases[i].without[k]));
        }
        assert_string_equal(operation_of(f, n), "CreateTrail");
        assert_non_null(strstr(fake_http_request(f->http, n)->body, "\"S3BucketName\":\"logs\""));
        assert_string_equal(operation_of(f, n + 1), "StartLogging");
        assert_int_equal(d.outcome.result, RESULT_CONFIRMED);
        service_tear_down(state);
    }
}

/* Whoever fills the quota is named, as far as a list says it; trails that live elsewhere take a place here,
 * too. */
static void test_recreate_past_the_quota(void **state) {
    static const struct {
        const char *list, *text;
    } cases[] = {
        { "{\"trailList\":[{\"Name\":\"squat-1\",\"HomeRegion\":\"" REGION
          "\",\"TrailARN\":\"arn:aws:cloudtrail:" REGION
          ":111122223333:trail/squat-1\"},{\"Name\":\"far\",\"HomeRegion\":\"sa-east-1\",\"TrailARN\":"
          "\"arn:aws:cloudtrail:sa-east-1:111122223333:trail/"
          "far\"},{\"Name\":\"squat-2\",\"HomeRegion\":\"" REGION
          "\",\"TrailARN\":\"arn:aws:cloudtrail:" REGION ":111122223333:trail/squat-2\"}]}",
          "CreateTrail: MaximumNumberOfTrailsExceededException: its place is taken by squat-1, "
          "far (of sa-east-1), squat-2" },
        { NULL, "CreateTrail: MaximumNumberOfTrailsExceededException: no" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ServiceFixture *f;
        Doing d;

        service_set_up_patient(state);
        f = *state;
        refuse(f, ERROR("MaximumNumberOfTrailsExceededException"));
        if (cases[i].list)
            reply(f, cases[i].list);
        else
            refuse(f, ERROR("AccessDeniedException"));
        d = act(f, ACTION_RECREATE, &keep, NULL, 0);
        assert_int_equal(d.outcome.result, RESULT_FAILED);
        assert_string_equal(d.outcome.error_text, cases[i].text);
        service_tear_down(state);
    }
}

/* ---- the end before the end ---- */

static void script(ServiceFixture *f, Action action) {
    static const unsigned n_writes[_ACTION_MAX] = {
        [ACTION_RESTART] = 1, [ACTION_RESTORE] = 6, [ACTION_RECREATE] = 5
    };

    for (unsigned i = 0; i < n_writes[action]; i++)
        reply(f, "{}");
    if (action != ACTION_RESTORE)
        reply(f, LOGGING);
    if (action != ACTION_RESTART)
        reply_settings(f, LISTED);
}

static int start_whole(Doing *d, Action action, Remediation **ret) {
    Settings found = keep;

    found.values[FIELD_CONFIGURATION] = (char *)"{}";
    found.values[FIELD_TAGS] = (char *)"{\"mine\":\"x\"}";
    script(d->f, action);
    return start(d, action, &keep, &found, action == ACTION_RESTORE ? FIELDS_ALL : 0, ret);
}

static void test_cancelled_anywhere(void **state) {
    remediate_cancel(NULL);
    for (Action action = ACTION_RESTART; action <= ACTION_RECREATE; action++) {
        bool over = false;

        for (unsigned n = 0; !over; n++) {
            Doing d = { 0 };
            Remediation *doing;

            assert_true(n < 100);
            service_set_up_patient(state);
            d.f = *state;
            assert_int_equal(start_whole(&d, action, &doing), 0);
            for (unsigned i = 0; i < n && d.n_done == 0; i++)
                assert_true(fake_loop_next(d.f->loop));
            over = d.n_done > 0;
            if (!over)
                remediate_cancel(doing);
            assert_int_equal(fake_http_n_running(d.f->http), 0);
            fake_loop_advance(d.f->loop, 100 * USEC_PER_SEC);
            assert_int_equal(d.n_done, over);
            service_tear_down(state);
        }
    }
}

static void test_no_memory(void **state) {
    for (Action action = ACTION_RESTART; action <= ACTION_RECREATE; action++) {
        bool failed = true;

        for (unsigned n = 0; failed; n++) {
            Doing d = { 0 };
            Remediation *doing;
            int r;

            assert_true(n < 3000);
            service_set_up_patient(state);
            d.f = *state;
            script(d.f, action); /* once more, for what is read again */
            alloc_fail_once(n);
            r = start_whole(&d, action, &doing);
            if (r == 0)
                fake_loop_advance(d.f->loop, 60 * USEC_PER_SEC);
            failed = alloc_fail_end();
            assert_true(r == 0 || r == -ENOMEM);
            assert_int_equal(d.n_done, r == 0);
            if (r == 0)
                assert_int_equal(d.outcome.result == RESULT_FAILED, d.outcome.error_text[0] != '\0');
            if (!failed)
                assert_int_equal(d.outcome.result, RESULT_CONFIRMED);
            service_tear_down(state);
        }
    }
}

static void test_no_action(void **state) {
    Doing d = { .f = *state };
    Remediation *doing;

    assert_int_equal(start(&d, ACTION_NONE, &keep, &keep, FIELDS_ALL, &doing), -EINVAL);
    assert_int_equal(start(&d, _ACTION_MAX, &keep, &keep, FIELDS_ALL, &doing), -EINVAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_restart_that_does_not_show),
        PATIENT_TEST(test_restart_that_is_refused),
        cmocka_unit_test(test_restart_of_a_trail_that_is_known_by_its_name),
        PATIENT_TEST(test_restart_that_is_refused_by_name_too),
        cmocka_unit_test(test_update_trail),
        PATIENT_TEST(test_every_setting_at_once),
        cmocka_unit_test(test_selectors_and_insights),
        cmocka_unit_test(test_tags),
        PATIENT_TEST(test_restore_everything),
        PATIENT_TEST(test_unknown_fields_are_not_written),
        PATIENT_TEST(test_it_shows_late),
        PATIENT_TEST(test_others_differ),
        cmocka_unit_test(test_it_never_shows),
        PATIENT_TEST(test_read_back_in_part),
        cmocka_unit_test(test_a_refused_write_ends_it),
        cmocka_unit_test(test_refused_fields_are_left_out),
        PATIENT_TEST(test_what_refused_fields_leave),
        PATIENT_TEST(test_values_that_are_none),
        PATIENT_TEST(test_recreate),
        PATIENT_TEST(test_recreate_the_little_that_is_known),
        PATIENT_TEST(test_recreate_without_what_is_refused),
        cmocka_unit_test(test_recreate_that_is_refused),
        cmocka_unit_test(test_recreate_without_a_right),
        cmocka_unit_test(test_recreate_past_the_quota),
        cmocka_unit_test(test_cancelled_anywhere),
        cmocka_unit_test(test_no_memory),
        PATIENT_TEST(test_no_action),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
