/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/answer.h"
#include "lib/cloudtrail.h"
#include "lib/util/macros.h"
#include "tests/unit/between.h"
#include "tests/unit/service_fixture.h"

#define REGION "eu-central-1"
#define ARN    "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"
#define TARGET "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101."

/* ---- texts that can be compared ---- */

static void test_dump(void **state) {
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "[]", "[]" },
        { "\"a\\u00e9\\n\"", "\"a\xc3\xa9\\n\"" },
        { " { \"b\" : [ 2 , 1 ] , \"a\" : { \"z\" : true , \"y\" : null } } ",
          "{\"a\":{\"z\":true},\"b\":[2,1]}" },
        { "[null,{\"a\":null}]", "[null,{}]" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_t *value = json_loads(cases[i].in, JSON_DECODE_ANY, NULL);
        size_t n = strlen(cases[i].out);
        char *text = NULL;

        assert_non_null(value);
        assert_int_equal(answer_dump(value, n, &text), 0);
        assert_string_equal(text, cases[i].out);
        free(text);
        text = NULL;
        assert_int_equal(answer_dump(value, n - 1, &text), -E2BIG);
        assert_null(text);
        json_decref(value);
    }
}

/* ---- selectors ---- */

static void test_event_selectors(void **state) {
    static const struct {
        const char *body, *basic, *advanced;
    } cases[] = {
        { "{\"TrailARN\":\"" ARN "\",\"EventSelectors\":[{\"ReadWriteType\":\"All\","
          "\"IncludeManagementEvents\":true,\"DataResources\":[],\"ExcludeManagementEventSources\":[]}]}",
          "[{\"DataResources\":[],\"ExcludeManagementEventSources\":[],\"IncludeManagementEvents\":true,"
          "\"ReadWriteType\":\"All\"}]",
          "" },
        { "{\"AdvancedEventSelectors\":[{\"Name\":\"m\",\"FieldSelectors\":[{\"Field\":\"eventCategory\","
          "\"Equals\":[\"Management\"]}]}],\"EventSelectors\":null}",
          "",
          "[{\"FieldSelectors\":[{\"Equals\":[\"Management\"],\"Field\":\"eventCategory\"}],"
          "\"Name\":\"m\"}]" },
        { "{\"EventSelectors\":[],\"AdvancedEventSelectors\":[]}", "", "" },
        { "{}", "", "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CloudTrailSelectors s;

        assert_int_equal(operation_read(&cloudtrail_get_event_selectors_operation, cases[i].body,
                                        strlen(cases[i].body), NULL, &s),
                         0);
        assert_string_equal(s.event_selectors, cases[i].basic);
        assert_string_equal(s.advanced_event_selectors, cases[i].advanced);
        cloudtrail_selectors_done(&s);
        cloudtrail_selectors_done(&s);
    }
}

static void test_selectors_that_are_none(void **state) {
    static const char *const cases[] = {
        "",
        "[]",
        "{\"EventSelectors\":{}}",
        "{\"EventSelectors\":\"x\"}",
        "{\"EventSelectors\":[{}],\"AdvancedEventSelectors\":7}",
    };
    CloudTrailSelectors s = { .event_selectors = (char *)"kept" };
    char *insights = (char *)"kept";

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(operation_read(&cloudtrail_get_event_selectors_operation, cases[i],
                                        strlen(cases[i]), NULL, &s),
                         -EBADMSG);
    assert_string_equal(s.event_selectors, "kept");
    assert_int_equal(operation_read(&cloudtrail_get_insight_selectors_operation, "{\"InsightSelectors\":{}}",
                                    23, NULL, &insights),
                     -EBADMSG);
    assert_string_equal(insights, "kept");
}

static void test_selectors_too_big(void **state) {
    size_t size = CLOUDTRAIL_SELECTORS_MAX + 100;
    char *body = malloc(size);
    int at = snprintf(body, size, "{\"EventSelectors\":[\"");
    CloudTrailSelectors s;

    (void)state;
    /* The text is the array: the string between [" and "]. */
    memset(body + at, 'x', CLOUDTRAIL_SELECTORS_MAX - 4);
    strcpy(body + at + CLOUDTRAIL_SELECTORS_MAX - 4, "\"]}");
    assert_int_equal(operation_read(&cloudtrail_get_event_selectors_operation, body, strlen(body), NULL, &s),
                     0);
    assert_int_equal(strlen(s.event_selectors), CLOUDTRAIL_SELECTORS_MAX);
    cloudtrail_selectors_done(&s);
    strcpy(body + at + CLOUDTRAIL_SELECTORS_MAX - 4, "x\"]}");
    assert_int_equal(operation_read(&cloudtrail_get_event_selectors_operation, body, strlen(body), NULL, &s),
                     -E2BIG);
    free(body);
}

static void test_insight_selectors(void **state) {
    static const char body[] = "{\"InsightSelectors\":[{\"InsightType\":\"ApiCallRateInsight\"}]}";
    char *text;

    (void)state;
    assert_int_equal(
            operation_read(&cloudtrail_get_insight_selectors_operation, body, strlen(body), NULL, &text), 0);
    assert_string_equal(text, "[{\"InsightType\":\"ApiCallRateInsight\"}]");
    free(text);
    assert_int_equal(operation_read(&cloudtrail_get_insight_selectors_operation, "{\"InsightSelectors\":[]}",
                                    23, NULL, &text),
                     0);
    assert_string_equal(text, "");
    free(text);
}

/* All but whose it is, also what this version does not know. */
static void test_event_configuration(void **state) {
    static const char body[] =
            "{\"TrailARN\":\"" ARN "\",\"Tomorrow\":{\"b\":1,\"a\":2},\"MaxEventSize\":\"Large\"}";
    char *text;

    (void)state;
    assert_int_equal(
            operation_read(&cloudtrail_get_event_configuration_operation, body, strlen(body), NULL, &text),
            0);
    assert_string_equal(text, "{\"MaxEventSize\":\"Large\",\"Tomorrow\":{\"a\":2,\"b\":1}}");
    free(text);
    assert_int_equal(operation_read(&cloudtrail_get_event_configuration_operation, "{}", 2, NULL, &text), 0);
    assert_string_equal(text, "{}");
    free(text);
    assert_int_equal(operation_read(&cloudtrail_get_event_configuration_operation, "[]", 2, NULL, &text),
                     -EBADMSG);
}

/* ---- tags ---- */

static int read_tags(const char *body, CloudTrailTags *tags, char **ret_token) {
    return operation_read_page(&cloudtrail_list_tags_operation,
                               &(AwsReply){ .body = body, .body_len = strlen(body) }, ARN, tags, ret_token,
                               NULL);
}

static void test_tags(void **state) {
    CloudTrailTags tags = { 0 };
    char *token;

    (void)state;
    assert_int_equal(
            read_tags("{\"ResourceTagList\":[{\"ResourceId\":\"other\",\"TagsList\":[{\"Key\":\"x\"}]},"
                      "{\"ResourceId\":\"" ARN "\",\"TagsList\":[{\"Key\":\"a\",\"Value\":\"1\"}]}],"
                      "\"NextToken\":\"more\"}",
                      &tags, &token),
            0);
    assert_string_equal(token, "more");
    free(token);
    assert_int_equal(read_tags("{\"ResourceTagList\":[{\"ResourceId\":\"" ARN "\",\"TagsList\":["
                               "{\"Key\":\"b\"},{\"Key\":\"c\",\"Value\":null}]}]}",
                               &tags, &token),
                     0);
    assert_null(token);
    assert_int_equal(tags.n, 3);
    assert_string_equal(tags.items[0].key, "a");
    assert_string_equal(tags.items[0].value, "1");
    assert_string_equal(tags.items[1].key, "b");
    assert_string_equal(tags.items[1].value, "");
    assert_string_equal(tags.items[2].key, "c");
    assert_int_equal(read_tags("{}", &tags, &token), 0);
    free(token);
    assert_int_equal(tags.n, 3);
    cloudtrail_tags_done(&tags);
    assert_int_equal(tags.n, 0);
}

static void test_tags_that_are_none(void **state) {
    static const char *const cases[] = {
        "",
        "[]",
        "{\"ResourceTagList\":{}}",
        "{\"ResourceTagList\":[{\"ResourceId\":7}]}",
        "{\"ResourceTagList\":[{\"ResourceId\":\"" ARN "\",\"TagsList\":7}]}",
        "{\"ResourceTagList\":[{\"ResourceId\":\"" ARN "\",\"TagsList\":[7]}]}",
        "{\"ResourceTagList\":[{\"ResourceId\":\"" ARN "\",\"TagsList\":[{\"Value\":\"a\"}]}]}",
        "{\"ResourceTagList\":[{\"ResourceId\":\"" ARN "\",\"TagsList\":[{\"Key\":\"a\",\"Value\":7}]}]}",
        "{\"ResourceTagList\":[{\"ResourceId\":\"" ARN
        "\",\"TagsList\":[{\"Key\":\"a\"}]}],\"NextToken\":7}",
    };
    CloudTrailTags tags = { 0 };
    char *token = NULL;

    (void)state;
    assert_int_equal(read_tags("{\"ResourceTagList\":[{\"ResourceId\":\"" ARN "\",\"TagsList\":["
                               "{\"Key\":\"first\"}]}]}",
                               &tags, &token),
                     0);
    free(token);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        token = NULL;
        if (read_tags(cases[i], &tags, &token) != -EBADMSG)
            fail_msg("accepted: %s", cases[i]);
        assert_null(token);
        assert_int_equal(tags.n, 1);
    }
    cloudtrail_tags_done(&tags);
}

/* One page with n tags. */
static char *page_of(size_t n, const char *token) {
    size_t size = 200 + 12 * n;
    char *body = malloc(size), *p = body;

    p += sprintf(p, "{\"NextToken\":\"%s\",\"ResourceTagList\":[{\"ResourceId\":\"" ARN "\",\"TagsList\":[",
                 token);
    for (size_t i = 0; i < n; i++)
        p += sprintf(p, "%s{\"Key\":\"k\"}", i > 0 ? "," : "");
    strcpy(p, "]}]}");
    return body;
}

static void test_too_many_tags(void **state) {
    _cleanup_free_ char *full = page_of(CLOUDTRAIL_TAGS_MAX, ""), *one = page_of(1, "");
    CloudTrailTags tags = { 0 };
    char *token;

    (void)state;
    assert_int_equal(read_tags(full, &tags, &token), 0);
    free(token);
    assert_int_equal(read_tags(one, &tags, &token), -E2BIG);
    assert_int_equal(tags.n, CLOUDTRAIL_TAGS_MAX);
    cloudtrail_tags_done(&tags);
}

static void test_builders(void **state) {
    char *body;

    (void)state;
    assert_int_equal(operation_build(&cloudtrail_get_event_selectors_operation, ARN, NULL, &body), 0);
    assert_string_equal(body, "{\"TrailName\":\"" ARN "\"}");
    free(body);
    assert_int_equal(operation_build(&cloudtrail_list_tags_operation, ARN, NULL, &body), 0);
    assert_string_equal(body, "{\"ResourceIdList\":[\"" ARN "\"]}");
    free(body);
    assert_int_equal(operation_build(&cloudtrail_list_tags_operation, ARN, "a\"b", &body), 0);
    assert_string_equal(body, "{\"ResourceIdList\":[\"" ARN "\"],\"NextToken\":\"a\\\"b\"}");
    free(body);
    body = NULL;
    assert_int_equal(operation_build(&cloudtrail_get_event_selectors_operation, "\xff", NULL, &body),
                     -EINVAL);
    assert_int_equal(operation_build(&cloudtrail_list_tags_operation, ARN, "\xff", &body), -EINVAL);
    assert_null(body);
}

/* ---- calls ---- */

static void on_selectors(const AwsError *error, const CloudTrailSelectors *selectors, void *userdata) {
    ServiceFixture *f = userdata;

    service_note(f, error, selectors != NULL);
    if (selectors)
        snprintf(f->text, sizeof(f->text), "%s|%s", selectors->event_selectors,
                 selectors->advanced_event_selectors);
}

static void on_insights(const AwsError *error, const char *insight_selectors, void *userdata) {
    ServiceFixture *f = userdata;

    service_note(f, error, insight_selectors != NULL);
    snprintf(f->text, sizeof(f->text), "%s", insight_selectors ? insight_selectors : "none");
}

static void on_tags(const AwsError *error, const CloudTrailTags *tags, void *userdata) {
    ServiceFixture *f = userdata;
    char *p = f->text;

    service_note(f, error, tags != NULL);
    for (size_t i = 0; tags && i < tags->n; i++)
        p += sprintf(p, "%s=%s ", tags->items[i].key, tags->items[i].value);
}

static int get_selectors(ServiceFixture *f) {
    return cloudtrail_get_event_selectors(&(AwsCaller){ f->aws, f->credentials, REGION }, ARN, on_selectors,
                                          f, NULL);
}

static int get_insights(ServiceFixture *f) {
    return cloudtrail_get_insight_selectors(&(AwsCaller){ f->aws, f->credentials, REGION }, ARN, on_insights,
                                            f, NULL);
}

static int list_tags(ServiceFixture *f) {
    return cloudtrail_list_tags(&(AwsCaller){ f->aws, f->credentials, REGION }, ARN, on_tags, f, NULL);
}

static void test_selector_calls(void **state) {
    ServiceFixture *f = *state;

    fake_http_reply(f->http, 200, "{\"EventSelectors\":[{\"ReadWriteType\":\"All\"}]}", NULL);
    service_expect(f, get_selectors(f), AWS_OK, true);
    assert_string_equal(f->text, "[{\"ReadWriteType\":\"All\"}]|");
    service_assert_json(f, TARGET "GetEventSelectors", "{\"TrailName\":\"" ARN "\"}");

    fake_http_reply(f->http, 200, "{\"InsightSelectors\":[{\"InsightType\":\"x\"}]}", NULL);
    service_expect(f, get_insights(f), AWS_OK, true);
    assert_string_equal(f->text, "[{\"InsightType\":\"x\"}]");
    service_assert_json(f, TARGET "GetInsightSelectors", "{\"TrailName\":\"" ARN "\"}");

    fake_http_reply(f->http, 400, "{\"__type\":\"InsightNotEnabledException\",\"Message\":\"none\"}", NULL);
    service_expect(f, get_insights(f), AWS_OK, true);
    assert_string_equal(f->text, "");
}

static void test_selector_calls_that_fail(void **state) {
    ServiceFixture *f = *state;

    fake_http_reply(f->http, 200, "{\"EventSelectors\":7}", "x-amzn-requestid", "id-7", NULL);
    service_expect(f, get_selectors(f), AWS_BAD_ANSWER, false);
    assert_string_equal(f->error.request_id, "id-7");
    fake_http_reply(f->http, 400, "{\"__type\":\"TrailNotFoundException\",\"Message\":\"x\"}", NULL);
    service_expect(f, get_selectors(f), AWS_NOT_FOUND, false);
    fake_http_reply(f->http, 400, "{\"__type\":\"AccessDeniedException\",\"Message\":\"x\"}", NULL);
    service_expect(f, get_insights(f), AWS_DENIED, false);
    fake_http_reply(f->http, 200, "busy", NULL);
    service_expect(f, get_insights(f), AWS_BAD_ANSWER, false);
    assert_int_equal(cloudtrail_get_event_selectors(&(AwsCaller){ f->aws, f->credentials, "mars" }, ARN,
                                                    on_selectors, f, NULL),
                     -EINVAL);
}

static void test_tags_page_by_page(void **state) {
    ServiceFixture *f = *state;
    char pages[30][64];
    unsigned n;

    fake_http_reply(f->http, 200,
                    "{\"ResourceTagList\":[{\"ResourceId\":\"" ARN "\",\"TagsList\":["
                    "{\"Key\":\"a\",\"Value\":\"1\"}]}],\"NextToken\":\"t1\"}",
                    NULL);
    fake_http_reply(f->http, 200, "{\"ResourceTagList\":[],\"NextToken\":\"t2\"}", NULL);
    fake_http_reply(f->http, 200,
                    "{\"ResourceTagList\":[{\"ResourceId\":\"" ARN "\",\"TagsList\":["
                    "{\"Key\":\"b\",\"Value\":\"2\"}]}]}",
                    NULL);
    service_expect(f, list_tags(f), AWS_OK, true);
    assert_string_equal(f->text, "a=1 b=2 ");
    assert_int_equal(fake_http_n_requests(f->http), 3);
    assert_string_equal(fake_http_request(f->http, 0)->body, "{\"ResourceIdList\":[\"" ARN "\"]}");
    service_assert_json(f, TARGET "ListTags", "{\"ResourceIdList\":[\"" ARN "\"],\"NextToken\":\"t2\"}");

    /* What came before an error is not the whole. */
    fake_http_reply(f->http, 200, "{\"NextToken\":\"t1\"}", NULL);
    fake_http_reply(f->http, 400, "{\"__type\":\"ThrottlingException\",\"message\":\"x\"}", NULL);
    service_expect(f, list_tags(f), AWS_THROTTLED, false);
    fake_http_reply(f->http, 200, "{\"NextToken\":\"t1\"}", NULL);
    fake_http_reply(f->http, 200, "[]", NULL);
    service_expect(f, list_tags(f), AWS_BAD_ANSWER, false);

    /* Pages without end. */
    n = fake_http_n_requests(f->http);
    for (unsigned i = 0; i < ARRAY_SIZE(pages); i++) {
        snprintf(pages[i], sizeof(pages[i]), "{\"NextToken\":\"again%u\"}", i);
        fake_http_reply(f->http, 200, pages[i], NULL);
    }
    service_expect(f, list_tags(f), AWS_BAD_ANSWER, false);
    assert_between(fake_http_n_requests(f->http), n + 10, n + 29);
    assert_string_equal(f->error.message, "the answer to ListTags is bad: it is longer than any can be");
}

static void test_cancelled_between_pages(void **state) {
    ServiceFixture *f = *state;
    OperationCall *call;

    fake_http_reply(f->http, 200, "{\"NextToken\":\"t1\"}", NULL);
    assert_int_equal(
            cloudtrail_list_tags(&(AwsCaller){ f->aws, f->credentials, REGION }, ARN, on_tags, f, &call), 0);
    fake_loop_run(f->loop);
    assert_int_equal(fake_http_n_requests(f->http), 2);
    assert_int_equal(fake_http_n_running(f->http), 1);
    operation_cancel(call);
    fake_loop_run(f->loop);
    assert_int_equal(f->n_done, 0);
    assert_int_equal(fake_http_n_running(f->http), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dump),
        cmocka_unit_test(test_event_selectors),
        cmocka_unit_test(test_selectors_that_are_none),
        cmocka_unit_test(test_selectors_too_big),
        cmocka_unit_test(test_insight_selectors),
        cmocka_unit_test(test_event_configuration),
        cmocka_unit_test(test_tags),
        cmocka_unit_test(test_tags_that_are_none),
        cmocka_unit_test(test_too_many_tags),
        cmocka_unit_test(test_builders),
        SERVICE_TEST(test_selector_calls),
        SERVICE_TEST(test_selector_calls_that_fail),
        SERVICE_TEST(test_tags_page_by_page),
        SERVICE_TEST(test_cancelled_between_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
