/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/sns.h"
#include "lib/util/macros.h"
#include "tests/unit/service_fixture.h"

#define TOPIC "arn:aws:sns:eu-west-1:111122223333:alerts"
#define LIST(members, tail)                                                                                 \
    "<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions>" members             \
    "</Subscriptions>" tail "</ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>"
#define MEMBER(arn)                                                                                         \
    "<member><TopicArn>" TOPIC "</TopicArn><Protocol>email</Protocol><SubscriptionArn>" arn                 \
    "</SubscriptionArn><Endpoint>a@example.com</Endpoint></member>"
#define ATTRIBUTES(entries)                                                                                 \
    "<GetSubscriptionAttributesResponse><GetSubscriptionAttributesResult><Attributes>" entries              \
    "</Attributes></GetSubscriptionAttributesResult></GetSubscriptionAttributesResponse>"
#define ENTRY(key, value) "<entry><key>" key "</key><value>" value "</value></entry>"

static void on_list(const AwsError *error, const SnsSubscriptions *list, void *userdata) {
    ServiceFixture *f = userdata;
    size_t n = 0;

    service_note(f, error, list != NULL);
    f->text[0] = '\0';
    for (size_t i = 0; list && i < list->n; i++)
        n += (size_t)snprintf(f->text + n, sizeof(f->text) - n, "%s%s %s", i > 0 ? " " : "",
                              list->items[i].protocol, list->items[i].arn);
}

static void on_filter(const AwsError *error, const SnsFilter *filter, void *userdata) {
    ServiceFixture *f = userdata;

    service_note(f, error, filter != NULL);
    snprintf(f->text, sizeof(f->text), "%s|%s", filter ? filter->scope : "", filter ? filter->policy : "");
}

static void lists(void **state) {
    ServiceFixture *f = *state;
    AwsCaller caller = { f->aws, f->credentials, "us-east-1" };
    static const char *const bad[] = { "<ListSubscriptionsByTopicResponse/>", LIST(MEMBER(""), ""), "x" };

    fake_http_reply(f->http, 200, LIST(MEMBER(TOPIC ":1"), "<NextToken>a b</NextToken>"), NULL);
    fake_http_reply(f->http, 200, LIST(MEMBER("PendingConfirmation"), ""), NULL);
    service_expect(f, sns_list_subscriptions_by_topic(&caller, TOPIC, on_list, f, NULL), AWS_OK, true);
    assert_string_equal(f->text, "email " TOPIC ":1 email PendingConfirmation");
    assert_string_equal(fake_http_request(f->http, 0)->url, "https://sns.eu-west-1.amazonaws.com/");
    assert_non_null(strstr(fake_http_request(f->http, 1)->body, "&NextToken=a%20b"));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        fake_http_reply(f->http, 200, bad[i], NULL);
        service_expect(f, sns_list_subscriptions_by_topic(&caller, TOPIC, on_list, f, NULL), AWS_BAD_ANSWER,
                       false);
    }
}

static void on_many(const AwsError *error, const SnsSubscriptions *list, void *userdata) {
    ServiceFixture *f = userdata;

    service_note(f, error, list != NULL);
    (void)snprintf(f->text, sizeof(f->text), "%zu", list ? list->n : 0);
}

/* Whoever subscribes so often must not keep all from being read; and is not followed page by page. */
static void the_first_of_very_many(void **state) {
    ServiceFixture *f = *state;
    AwsCaller caller = { f->aws, f->credentials, "us-east-1" };
    char members[100 * sizeof(MEMBER(TOPIC ":1"))] = "", *pages[SNS_SUBSCRIPTIONS_MAX / 100];

    for (size_t i = 0; i < 100; i++)
        (void)strcat(members, MEMBER(TOPIC ":1"));
    for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
        assert_true(asprintf(&pages[i], LIST("%s", "<NextToken>page %zu</NextToken>"), members, i) > 0);
        fake_http_reply(f->http, 200, pages[i], NULL);
    }
    service_expect(f, sns_list_subscriptions_by_topic(&caller, TOPIC, on_many, f, NULL), AWS_OK, true);
    assert_string_equal(f->text, "1000");
    for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
        free(pages[i]);
}

static void filters(void **state) {
    ServiceFixture *f = *state;
    AwsCaller caller = { f->aws, f->credentials, "us-east-1" };

    fake_http_reply(f->http, 200,
                    ATTRIBUTES(ENTRY("Protocol", "email")
                                       ENTRY("FilterPolicy", "{&quot;severity&quot;:[&quot;info&quot;]}")
                                               ENTRY("FilterPolicyScope", "MessageAttributes")),
                    NULL);
    service_expect(f, sns_get_subscription_attributes(&caller, TOPIC ":1", on_filter, f, NULL), AWS_OK,
                   true);
    assert_string_equal(f->text, "MessageAttributes|{\"severity\":[\"info\"]}");
    fake_http_reply(f->http, 200, ATTRIBUTES(ENTRY("Protocol", "email")), NULL);
    service_expect(f, sns_get_subscription_attributes(&caller, TOPIC ":1", on_filter, f, NULL), AWS_OK,
                   true);
    assert_string_equal(f->text, "|");
    fake_http_reply(f->http, 200, ATTRIBUTES(""), NULL);
    service_expect(f, sns_get_subscription_attributes(&caller, TOPIC ":1", on_filter, f, NULL),
                   AWS_BAD_ANSWER, false);
}

int main(void) {
    const struct CMUnitTest tests[] = { SERVICE_TEST(lists), SERVICE_TEST(the_first_of_very_many),
                                        SERVICE_TEST(filters) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
