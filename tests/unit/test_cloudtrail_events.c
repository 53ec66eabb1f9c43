/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cloudtrail.h"
#include "lib/util/macros.h"
#include "tests/unit/between.h"
#include "tests/unit/service_fixture.h"

#define REGION "eu-central-1"
#define ARN    "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"
#define TARGET "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101."

/* ---- the request ---- */

static void test_build(void **state) {
    static char long_value[2002];
    static const struct {
        CloudTrailLookup lookup;
        const char *body;
    } cases[] = {
        { { 0 }, "{}" },
        { { .value = "not used" }, "{}" },
        { { .key = CLOUDTRAIL_LOOKUP_RESOURCE_NAME, .value = ARN },
          "{\"LookupAttributes\":[{\"AttributeKey\":\"ResourceName\",\"AttributeValue\":\"" ARN "\"}]}" },
        { { .key = CLOUDTRAIL_LOOKUP_EVENT_NAME,
            .value = "StopLogging",
            .start_usec = 1735689600999999,
            .end_usec = 1735689601000001,
            .max_results = 50,
            .next_token = "t" },
          "{\"LookupAttributes\":[{\"AttributeKey\":\"EventName\",\"AttributeValue\":\"StopLogging\"}],"
          "\"StartTime\":1735689600,\"EndTime\":1735689602,\"MaxResults\":50,\"NextToken\":\"t\"}" },
        { { .key = CLOUDTRAIL_LOOKUP_READ_ONLY, .value = "false", .next_token = "", .end_usec = 2000000 },
          "{\"LookupAttributes\":[{\"AttributeKey\":\"ReadOnly\",\"AttributeValue\":\"false\"}],"
          "\"EndTime\":2}" },
        { { .key = CLOUDTRAIL_LOOKUP_EVENT_ID }, NULL },
        { { .key = CLOUDTRAIL_LOOKUP_EVENT_ID, .value = "" }, NULL },
        { { .key = CLOUDTRAIL_LOOKUP_EVENT_ID, .value = long_value }, NULL },
        { { .key = CLOUDTRAIL_LOOKUP_EVENT_ID, .value = "\xff" }, NULL },
        { { .key = _CLOUDTRAIL_LOOKUP_MAX, .value = "x" }, NULL },
        { { .max_results = 51 }, NULL },
        { { .start_usec = 2, .end_usec = 1 }, NULL },
        { { .next_token = "\xff" }, NULL },
    };

    (void)state;
    memset(long_value, 'x', sizeof(long_value) - 1);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *body = NULL;

        assert_int_equal(operation_build(&cloudtrail_lookup_events_operation, &cases[i].lookup, NULL, &body),
                         cases[i].body ? 0 : -EINVAL);
        if (cases[i].body)
            assert_string_equal(body, cases[i].body);
        free(body);
    }
}

/* ---- the answer ---- */

/* An answer with one event: the members around the record, and the record. */
static void read_one(const char *outer, const char *record, CloudTrailEvents *ret) {
    json_t *event = json_loads(outer, 0, NULL);
    json_t *root;
    char *body;

    assert_non_null(event);
    if (record)
        assert_int_equal(json_object_set_new(event, "CloudTrailEvent", json_string(record)), 0);
    root = json_pack("{s:[o]}", "Events", event);
    assert_non_null(root);
    body = json_dumps(root, 0);
    json_decref(root);
    assert_int_equal(operation_read(&cloudtrail_lookup_events_operation, body, strlen(body), NULL, ret), 0);
    free(body);
    assert_int_equal(ret->n, 1);
}

/* AWS leaves out what is too long, and says so in their place. */
static void test_omitted_parameters(void **state) {
#define OMITTED                                                                                             \
    "\"requestParameters\":{\"reason\":\"requestParameters too large\",\"omitted\":\"true\","               \
    "\"originalSize\":\"149893\"}"
    CloudTrailEvents events;

    (void)state;
    read_one("{}", "{" OMITTED ",\"responseElements\":{\"trailARN\":\"" ARN "\"}}", &events);
    assert_true(events.items[0].omitted);
    assert_string_equal(events.items[0].trail, ARN);
    cloudtrail_events_done(&events);
    read_one("{}", "{" OMITTED ",\"responseElements\":null}", &events);
    assert_true(events.items[0].omitted && events.items[0].whole);
    assert_string_equal(events.items[0].trail, "");
    cloudtrail_events_done(&events);
    read_one("{}",
             "{\"requestParameters\":{\"name\":\"main\"},\"responseElements\":{\"trailARN\":\"" ARN "\"}}",
             &events);
    assert_false(events.items[0].omitted);
    assert_string_equal(events.items[0].trail, "main");
    cloudtrail_events_done(&events);
}

static void test_role_session(void **state) {
    CloudTrailEvents events;
    const CloudTrailEvent *e;

    (void)state;
    read_one("{\"EventId\":\"1f3f\",\"EventName\":\"StopLogging\",\"ReadOnly\":\"false\",\"AccessKeyId\":"
             "\"ASIAEXAMPLE\",\"EventTime\":1.735689784E9,\"EventSource\":\"cloudtrail.amazonaws.com\","
             "\"Username\":\"mallory\",\"Resources\":[{\"ResourceType\":\"AWS::CloudTrail::Trail\","
             "\"ResourceName\":\"" ARN "\"},{\"ResourceType\":null,\"ResourceName\":\"main\"},{}]}",
             "{\"eventVersion\":\"1.10\",\"userIdentity\":{\"type\":\"AssumedRole\",\"principalId\":"
             "\"AROAEXAMPLE:mallory\",\"arn\":\"arn:aws:sts::111122223333:assumed-role/admin/mallory\","
             "\"accountId\":\"111122223333\",\"accessKeyId\":\"ASIAEXAMPLE\",\"sessionContext\":{"
             "\"sessionIssuer\":{\"type\":\"Role\",\"principalId\":\"AROAEXAMPLE\",\"arn\":"
             "\"arn:aws:iam::111122223333:role/"
             "admin\",\"accountId\":\"111122223333\",\"userName\":\"admin\"},"
             "\"webIdFederationData\":{},\"sourceIdentity\":\"m@example.com\",\"attributes\":{"
             "\"creationDate\":\"2025-01-01T00:00:00Z\",\"mfaAuthenticated\":\"true\"}}},"
             "\"eventTime\":\"2025-01-01T00:03:04Z\",\"eventSource\":\"cloudtrail.amazonaws.com\","
             "\"eventName\":\"StopLogging\",\"awsRegion\":\"eu-central-1\",\"sourceIPAddress\":"
             "\"203.0.113.7\",\"userAgent\":\"aws-cli/2.15\",\"requestParameters\":{\"name\":\"" ARN "\"},"
             "\"responseElements\":null,\"requestID\":\"r-1\",\"eventID\":\"1f3f\",\"readOnly\":false,"
             "\"eventType\":\"AwsApiCall\",\"managementEvent\":true,\"recipientAccountId\":\"111122223333\","
             "\"eventCategory\":\"Management\",\"tlsDetails\":{}}",
             &events);
    e = &events.items[0];
    assert_true(e->whole);
    assert_string_equal(e->event_id, "1f3f");
    assert_string_equal(e->event_name, "StopLogging");
    assert_string_equal(e->event_source, "cloudtrail.amazonaws.com");
    assert_string_equal(e->access_key_id, "ASIAEXAMPLE");
    assert_string_equal(e->username, "mallory");
    assert_true(e->event_time_usec == 1735689784000000);
    assert_false(e->read_only);
    assert_int_equal(e->n_resources, 2);
    assert_string_equal(e->resources[0], ARN);
    assert_string_equal(e->resources[1], "main");
    assert_string_equal(e->source_ip, "203.0.113.7");
    assert_string_equal(e->user_agent, "aws-cli/2.15");
    assert_string_equal(e->error_code, "");
    assert_string_equal(e->request_id, "r-1");
    assert_string_equal(e->trail, ARN);
    assert_string_equal(e->parameters, "{\"name\":\"" ARN "\"}");
    assert_string_equal(e->identity.type, "AssumedRole");
    assert_string_equal(e->identity.arn, "arn:aws:sts::111122223333:assumed-role/admin/mallory");
    assert_string_equal(e->identity.principal_id, "AROAEXAMPLE:mallory");
    assert_string_equal(e->identity.account_id, "111122223333");
    assert_string_equal(e->identity.access_key_id, "ASIAEXAMPLE");
    assert_string_equal(e->identity.issuer_arn, "arn:aws:iam::111122223333:role/admin");
    assert_string_equal(e->identity.issuer_user_name, "admin");
    assert_string_equal(e->identity.source_identity, "m@example.com");
    assert_string_equal(events.next_token, "");
    cloudtrail_events_done(&events);
}

static void test_denied_user(void **state) {
    CloudTrailEvents events;
    const CloudTrailEvent *e;

    (void)state;
    read_one("{\"EventId\":\"2\",\"EventName\":\"PutEventSelectors\",\"ReadOnly\":\"true\"}",
             "{\"userIdentity\":{\"type\":\"IAMUser\",\"userName\":\"bob\",\"invokedBy\":"
             "\"cloudformation.amazonaws.com\",\"sessionContext\":{\"attributes\":{\"mfaAuthenticated\":"
             "\"false\"}}},\"errorCode\":\"AccessDenied\",\"errorMessage\":\"User: bob is not authorized\","
             "\"requestParameters\":{\"trailName\":\"main\",\"eventSelectors\":[{\"z\":1,\"a\":null}]},"
             "\"responseElements\":null}",
             &events);
    e = &events.items[0];
    assert_true(e->whole);
    assert_true(e->read_only);
    assert_string_equal(e->username, "");
    assert_string_equal(e->access_key_id, "");
    assert_int_equal(e->event_time_usec, 0);
    assert_int_equal(e->n_resources, 0);
    assert_string_equal(e->error_code, "AccessDenied");
    assert_string_equal(e->trail, "main");
    assert_string_equal(e->parameters, "{\"eventSelectors\":[{\"z\":1}],\"trailName\":\"main\"}");
    assert_string_equal(e->identity.user_name, "bob");
    assert_string_equal(e->identity.invoked_by, "cloudformation.amazonaws.com");
    assert_string_equal(e->identity.issuer_arn, "");
    cloudtrail_events_done(&events);
}

/* One damaged event must not hide the others, nor itself. */
static void test_damaged_records(void **state) {
    static const struct {
        const char *record, *parameters;
    } cases[] = {
        { NULL, "" },
        { "", "" },
        { "{", "" },
        { "[]", "" },
        { "7", "" },
        { "{\"userIdentity\":{\"type\":7}}", "" },
        { "{\"sourceIPAddress\":[\"203.0.113.7\"]}", "" },
        { "{\"userAgent\":{},\"requestParameters\":{\"name\":7}}", "{\"name\":7}" },
        { "{\"errorCode\":true,\"requestParameters\":\"text\"}", "\"text\"" },
        { "{\"userAgent\":1,\"requestParameters\":[]}", "[]" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CloudTrailEvents events;

        read_one("{\"EventId\":\"1\",\"EventName\":\"StopLogging\",\"EventTime\":1}", cases[i].record,
                 &events);
        assert_false(events.items[0].whole);
        assert_string_equal(events.items[0].event_id, "1");
        assert_true(events.items[0].event_time_usec == 1000000);
        assert_string_equal(events.items[0].source_ip, "");
        assert_string_equal(events.items[0].trail, "");
        assert_string_equal(events.items[0].parameters, cases[i].parameters);
        assert_string_equal(events.items[0].identity.type, "");
        cloudtrail_events_done(&events);
    }
}

static void test_damaged_members(void **state) {
    static const char body[] =
            "{\"Events\":[7,null,{\"EventId\":7,\"EventTime\":\"now\",\"ReadOnly\":true,"
            "\"Resources\":{\"a\":1}},{\"EventId\":\"4\",\"Resources\":[7,{\"ResourceName\":"
            "null},{\"ResourceName\":\"r\"}],\"CloudTrailEvent\":{}}],\"NextToken\":\"t\"}";
    CloudTrailEvents events;

    (void)state;
    assert_int_equal(operation_read(&cloudtrail_lookup_events_operation, body, strlen(body), NULL, &events),
                     0);
    assert_int_equal(events.n, 4);
    for (size_t i = 0; i < 3; i++) {
        assert_false(events.items[i].whole);
        assert_string_equal(events.items[i].event_id, "");
        assert_int_equal(events.items[i].n_resources, 0);
    }
    assert_string_equal(events.items[3].event_id, "4");
    assert_int_equal(events.items[3].n_resources, 1);
    assert_string_equal(events.items[3].resources[0], "r");
    assert_string_equal(events.next_token, "t");
    cloudtrail_events_done(&events);
}

static void test_answers_that_are_none(void **state) {
    static const char *const cases[] = {
        "", "[]", "{\"Events\":{}}", "{\"Events\":\"\"}", "{\"Events\":[],\"NextToken\":7}", "busy",
    };
    CloudTrailEvents events = { .n = 42 };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(operation_read(&cloudtrail_lookup_events_operation, cases[i], strlen(cases[i]),
                                        NULL, &events),
                         -EBADMSG);
    assert_int_equal(events.n, 42);
    assert_int_equal(operation_read(&cloudtrail_lookup_events_operation, "{}", 2, NULL, &events), 0);
    assert_int_equal(events.n, 0);
    cloudtrail_events_done(&events);
}

/* Who pads his policy is not to be read less than who does not: S3 takes 20 KB, KMS 32 KB. */
static void test_a_long_policy_is_whole(void **state) {
    static char id[32 * 1024], record[sizeof(id) + 200];
    CloudTrailEvents events;
    const CloudTrailEvent *e;

    (void)state;
    memset(id, 'x', sizeof(id) - 1);
    snprintf(record, sizeof(record),
             "{\"requestParameters\":{\"bucketPolicy\":{\"Id\":\"%s\",\"Statement\":[]}}}", id);
    read_one("{}", record, &events);
    e = &events.items[0];
    assert_true(strlen(e->parameters) > sizeof(id));
    assert_string_equal(e->parameters + strlen(e->parameters) - 18, "\",\"Statement\":[]}}");
    cloudtrail_events_done(&events);
}

static void test_ceilings(void **state) {
    static char text[CLOUDTRAIL_EVENT_PARAMETERS_MAX + 1000],
            record[CLOUDTRAIL_EVENT_PARAMETERS_MAX + 2000], body[4096];
    CloudTrailEvents events;
    const CloudTrailEvent *e;
    size_t at;

    (void)state;
    /* Three bytes a character, none of them cut in two. */
    for (at = 0; at + 3 < sizeof(text); at += 3)
        memcpy(text + at, "\xe2\x82\xac", 3);
    text[at] = '\0';
    snprintf(record, sizeof(record), "{\"userAgent\":\"%s\",\"requestParameters\":{\"name\":\"main\"}}",
             text);
    read_one("{}", record, &events);
    e = &events.items[0];
    assert_int_equal(strlen(e->user_agent), CLOUDTRAIL_EVENT_TEXT_MAX - 1);
    assert_string_equal(e->parameters, "{\"name\":\"main\"}");
    cloudtrail_events_done(&events);

    snprintf(record, sizeof(record), "{\"requestParameters\":{\"name\":\"main\",\"policy\":\"%s\"}}", text);
    read_one("{}", record, &events);
    e = &events.items[0];
    assert_true(e->whole);
    assert_between(strlen(e->parameters), CLOUDTRAIL_EVENT_PARAMETERS_MAX - 3,
                   CLOUDTRAIL_EVENT_PARAMETERS_MAX);
    assert_string_equal(e->parameters + strlen(e->parameters) - 6, "\xe2\x82\xac...");
    cloudtrail_events_done(&events);

    at = (size_t)snprintf(body, sizeof(body), "{\"Resources\":[{\"ResourceName\":\"0\"}");
    for (unsigned i = 1; i <= CLOUDTRAIL_EVENT_RESOURCES_MAX; i++)
        at += (size_t)snprintf(body + at, sizeof(body) - at, ",{\"ResourceName\":\"%u\"}", i);
    snprintf(body + at, sizeof(body) - at, "]}");
    read_one(body, "{}", &events);
    assert_int_equal(events.items[0].n_resources, CLOUDTRAIL_EVENT_RESOURCES_MAX);
    cloudtrail_events_done(&events);

    at = (size_t)snprintf(body, sizeof(body), "{\"Events\":[{}");
    for (unsigned i = 1; i < CLOUDTRAIL_LOOKUP_RESULTS_MAX; i++)
        at += (size_t)snprintf(body + at, sizeof(body) - at, ",{}");
    snprintf(body + at, sizeof(body) - at, "]}");
    assert_int_equal(operation_read(&cloudtrail_lookup_events_operation, body, strlen(body), NULL, &events),
                     0);
    assert_int_equal(events.n, CLOUDTRAIL_LOOKUP_RESULTS_MAX);
    cloudtrail_events_done(&events);
    snprintf(body + at, sizeof(body) - at, ",{}]}");
    assert_int_equal(operation_read(&cloudtrail_lookup_events_operation, body, strlen(body), NULL, &events),
                     -E2BIG);
}

/* ---- the call ---- */

static void on_events(const AwsError *error, const CloudTrailEvents *events, void *userdata) {
    ServiceFixture *f = userdata;

    service_note(f, error, events != NULL);
    if (events)
        snprintf(f->text, sizeof(f->text), "%zu %s", events->n, events->next_token);
}

static int look_up(ServiceFixture *f, const CloudTrailLookup *lookup) {
    return cloudtrail_lookup_events(&(AwsCaller){ f->aws, f->credentials, REGION }, lookup, on_events, f,
                                    NULL);
}

static void test_call(void **state) {
    ServiceFixture *f = *state;
    const CloudTrailLookup lookup = { .key = CLOUDTRAIL_LOOKUP_RESOURCE_NAME, .value = "main" };

    fake_http_reply(f->http, 200, "{\"Events\":[{}],\"NextToken\":\"t\"}", NULL);
    service_expect(f, look_up(f, &lookup), AWS_OK, true);
    assert_string_equal(f->text, "1 t");
    service_assert_json(f, TARGET "LookupEvents",
                        "{\"LookupAttributes\":[{\"AttributeKey\":\"ResourceName\",\"AttributeValue\":"
                        "\"main\"}]}");
    fake_http_reply(f->http, 200, "{\"Events\":7}", NULL);
    service_expect(f, look_up(f, &lookup), AWS_BAD_ANSWER, false);
    fake_http_reply(f->http, 400, "{\"__type\":\"ThrottlingException\",\"message\":\"x\"}", NULL);
    service_expect(f, look_up(f, &lookup), AWS_THROTTLED, false);
    assert_int_equal(look_up(f, &(CloudTrailLookup){ .max_results = 99 }), -EINVAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_build),           cmocka_unit_test(test_role_session),
        cmocka_unit_test(test_omitted_parameters),
        cmocka_unit_test(test_denied_user),     cmocka_unit_test(test_damaged_records),
        cmocka_unit_test(test_damaged_members), cmocka_unit_test(test_answers_that_are_none),
        cmocka_unit_test(test_a_long_policy_is_whole),
        cmocka_unit_test(test_ceilings),        SERVICE_TEST(test_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
