/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of channels without a message through them: the decision, and the checks that lead to it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/io/channel_check.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "tests/unit/between.h"
#include "tests/unit/service_fixture.h"

#define TOPIC    "arn:aws:sns:eu-west-1:111122223333:alerts"
#define CALLER   "arn:aws:sts::111122223333:assumed-role/guard/session"
#define STRANGER "arn:aws:sts::444455556666:assumed-role/guard/session"
#define ROLE     "arn:aws:iam::444455556666:role/guard"

/* ---- the decision ---- */

#define STATEMENT(effect, principal, action, rest)                                                          \
    "{\"Statement\":[{\"Effect\":\"" effect "\",\"Principal\":" principal ",\"Action\":" action rest "}]}"
#define DENIES  "the topic's policy denies sns:Publish to the guard"
#define FOREIGN "the topic belongs to another account, and its policy does not allow the guard sns:Publish"
#define ONE     "1 confirmed subscription"

static const struct {
    TopicFacts facts;
    ChannelVerdict verdict;
    const char *text;
} topics[] = {
    { { .confirmed = 1 }, CHANNEL_HEARD, ONE },
    { { .confirmed = 2, .pending = 1 },
      CHANNEL_HEARD,
      "2 confirmed subscriptions; 1 waits for confirmation" },
    { { .confirmed = 0 }, CHANNEL_UNHEARD, "the topic has no confirmed subscription" },
    { { .pending = 2 },
      CHANNEL_UNHEARD,
      "the topic has no confirmed subscription; 2 wait for confirmation" },
    { { .gone = true }, CHANNEL_BROKEN, "the topic does not exist" },
    { { .confirmed = 2, .filtered = 1 },
      CHANNEL_HEARD,
      "2 confirmed subscriptions, 1 of which drops critical alerts" },
    { { .confirmed = 3, .filtered = 2, .pending = 1 },
      CHANNEL_HEARD,
      "3 confirmed subscriptions, 2 of which drop critical alerts; 1 waits for confirmation" },
    { { .confirmed = 1, .filtered = 1 },
      CHANNEL_UNHEARD,
      "the filter policy of each confirmed subscription drops critical alerts" },
    { { .arn = "events", .confirmed = 1 }, CHANNEL_UNCHECKED, "it is no topic" },
    /* keys */
    { { .confirmed = 1, .key = "k", .key_state = "Enabled" }, CHANNEL_HEARD, ONE },
    { { .confirmed = 1, .key = "k", .key_state = "" }, CHANNEL_HEARD, ONE },
    { { .confirmed = 1, .key = "k", .key_state = "Disabled" },
      CHANNEL_BROKEN,
      "the topic's KMS key k is Disabled" },
    { { .confirmed = 0, .key = "k", .key_state = "PendingDeletion" },
      CHANNEL_BROKEN,
      "the topic's KMS key k is PendingDeletion" },
    { { .confirmed = 1, .key = "alias/aws/sns" }, CHANNEL_HEARD, ONE },
    { { .confirmed = 1, .key = "alias/aws/sns", .caller = "" }, CHANNEL_HEARD, ONE }, /* not known whose */
    { { .confirmed = 1,
        .key = "alias/aws/sns",
        .caller = STRANGER,
        .policy = STATEMENT("Allow", "\"*\"", "\"sns:Publish\"", "") },
      CHANNEL_BROKEN,
      "the topic is encrypted with its account's alias/aws/sns, which no other account may use" },
    /* policies that deny */
    { { .confirmed = 1, .policy = STATEMENT("Deny", "\"*\"", "\"sns:Publish\"", "") },
      CHANNEL_BROKEN,
      DENIES },
    { { .confirmed = 1,
        .policy = STATEMENT("Deny", "{\"AWS\":\"*\"}", "[\"sns:Subscribe\",\"SNS:PUBLISH\"]", "") },
      CHANNEL_BROKEN,
      DENIES },
    { { .confirmed = 1, .policy = STATEMENT("Deny", "\"*\"", "[\"sns:Get*\",\"sns:Pub*\"]", "") },
      CHANNEL_BROKEN,
      DENIES },
    { { .confirmed = 1, .policy = STATEMENT("Deny", "\"*\"", "\"SNS:Publis?\"", "") },
      CHANNEL_BROKEN,
      DENIES },
    { { .confirmed = 1, .policy = STATEMENT("Deny", "{\"AWS\":[\"111122223333\"]}", "\"*\"", "") },
      CHANNEL_BROKEN,
      DENIES },
    { { .confirmed = 1,
        .policy = STATEMENT("Deny", "{\"AWS\":\"arn:aws:iam::111122223333:root\"}", "\"sns:*\"", "") },
      CHANNEL_BROKEN,
      DENIES },
    { { .confirmed = 1,
        .policy = STATEMENT("Deny", "{\"AWS\":\"arn:aws:iam::111122223333:role/guard\"}", "\"sns:*\"", "") },
      CHANNEL_BROKEN,
      DENIES },
    { { .confirmed = 1,
        .policy = "{\"Statement\":{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"sns:Publish\"}}" },
      CHANNEL_BROKEN,
      DENIES },
    /* ... others, or not for sure */
    { { .confirmed = 1,
        .policy = STATEMENT("Deny", "{\"AWS\":\"arn:aws:iam::444455556666:root\"}", "\"sns:*\"", "") },
      CHANNEL_HEARD,
      ONE },
    { { .confirmed = 1,
        .policy = STATEMENT("Deny", "{\"AWS\":\"arn:aws:s3::111122223333:root\"}", "\"sns:*\"", "") },
      CHANNEL_HEARD,
      ONE },
    { { .confirmed = 1, .policy = STATEMENT("Deny", "{\"AWS\":\"nonsense\"}", "\"sns:*\"", "") },
      CHANNEL_HEARD,
      ONE },
    { { .confirmed = 1, .policy = "{\"Statement\":[{\"Effect\":\"Deny\",\"Action\":\"sns:*\"}]}" },
      CHANNEL_HEARD,
      ONE },
    { { .confirmed = 1,
        .caller = "not an ARN",
        .policy = STATEMENT("Deny", "{\"AWS\":\"111122223333\"}", "\"sns:*\"", "") },
      CHANNEL_HEARD,
      ONE },
    { { .confirmed = 1, .policy = STATEMENT("Deny", "{\"AWS\":\"444455556666\"}", "\"*\"", "") },
      CHANNEL_HEARD,
      ONE },
    { { .confirmed = 1,
        .policy = STATEMENT("Deny", "{\"AWS\":\"arn:aws:iam::111122223333:role/other\"}", "\"*\"", "") },
      CHANNEL_HEARD,
      ONE },
    { { .confirmed = 1, .policy = STATEMENT("Deny", "\"*\"", "\"sns:Subscribe\"", "") },
      CHANNEL_HEARD,
      ONE },
    { { .confirmed = 1, .policy = STATEMENT("Deny", "\"*\"", "\"sns:*\"", ",\"Condition\":{}") },
      CHANNEL_HEARD,
      ONE },
    { { .confirmed = 1,
        .caller = "",
        .policy = STATEMENT("Deny", "{\"AWS\":\"111122223333\"}", "\"sns:*\"", "") },
      CHANNEL_HEARD,
      ONE },
    { { .confirmed = 1, .policy = "not JSON" }, CHANNEL_HEARD, ONE },
    { { .confirmed = 1, .policy = "[]" }, CHANNEL_HEARD, ONE },
    { { .confirmed = 1, .policy = "{\"Statement\":[7,null,{}]}" }, CHANNEL_HEARD, ONE },
    /* another account's topic needs an allowance */
    { { .confirmed = 1,
        .caller = STRANGER,
        .policy = STATEMENT("Allow", "{\"AWS\":\"111122223333\"}", "\"sns:*\"", "") },
      CHANNEL_BROKEN,
      FOREIGN },
    { { .confirmed = 1, .caller = STRANGER, .policy = STATEMENT("Allow", "\"*\"", "\"sns:Subscribe\"", "") },
      CHANNEL_BROKEN,
      FOREIGN },
    { { .confirmed = 1,
        .caller = STRANGER,
        .policy = STATEMENT("Allow", "{\"AWS\":\"" ROLE "\"}", "\"sns:Publish\"", "") },
      CHANNEL_HEARD,
      ONE },
    { { .confirmed = 1,
        .caller = STRANGER,
        .policy = STATEMENT("Allow", "\"*\"", "\"sns:Publish\"", ",\"Condition\":{}") },
      CHANNEL_HEARD,
      ONE },
    { { .confirmed = 1, .caller = STRANGER }, CHANNEL_HEARD, ONE }, /* the policy is not known */
};

static void test_topics(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(topics); i++) {
        TopicFacts facts = topics[i].facts;
        ChannelHealth health = { .verdict = _CHANNEL_VERDICT_MAX };

        facts.arn = facts.arn ? facts.arn : TOPIC;
        facts.caller = facts.caller ? facts.caller : CALLER;
        facts.key = facts.key ? facts.key : "";
        facts.key_state = facts.key_state ? facts.key_state : "";
        channel_health_topic(&facts, &health);
        if (health.verdict != topics[i].verdict || !text_equal(health.text, topics[i].text))
            fail_msg("row %zu: %d \"%s\" instead of %d \"%s\"", i, (int)health.verdict, health.text,
                     (int)topics[i].verdict, topics[i].text);
    }
}

static void test_key_arns(void **state) {
    static const struct {
        const char *key, *arn;
    } cases[] = {
        { "0000-11", "arn:aws:kms:eu-west-1:111122223333:key/0000-11" },
        { "alias/mine", "arn:aws:kms:eu-west-1:111122223333:alias/mine" },
        { "arn:aws:kms:eu-west-1:444455556666:key/1", "arn:aws:kms:eu-west-1:444455556666:key/1" },
        { "", NULL },
    };
    char arn[ARN_MAX], longest[ARN_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(channel_health_key_arn(TOPIC, cases[i].key, arn), cases[i].arn != NULL);
        if (cases[i].arn)
            assert_string_equal(arn, cases[i].arn);
    }
    memset(longest, 'k', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_false(channel_health_key_arn(TOPIC, longest, arn));
    assert_false(channel_health_key_arn("events", "0000-11", arn));
}

static void test_first(void **state) {
    static const struct {
        bool at_once;
        uint64_t interval_sec, first_sec;
    } rows[] = { { true, 0, 0 }, { true, 5, 0 }, { false, 0, 60 }, { false, 5, 5 }, { false, 3600, 60 } };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(channel_health_first_usec(rows[i].at_once, rows[i].interval_sec * USEC_PER_SEC),
                         rows[i].first_sec * USEC_PER_SEC);
}

static void test_next(void **state) {
    (void)state;
    assert_int_equal(channel_health_next_usec(CHANNEL_HEARD, false, 0), 24 * 3600 * USEC_PER_SEC);
    assert_between(channel_health_next_usec(CHANNEL_HEARD, false, UINT64_MAX), 23 * 3600 * USEC_PER_SEC,
                   24 * 3600 * USEC_PER_SEC);
    assert_int_equal(channel_health_next_usec(CHANNEL_UNCHECKED, false, 0), 24 * 3600 * USEC_PER_SEC);
    assert_int_equal(channel_health_next_usec(CHANNEL_UNCHECKED, true, 0), 300 * USEC_PER_SEC);
    assert_int_equal(channel_health_next_usec(CHANNEL_UNHEARD, false, 0), 300 * USEC_PER_SEC);
    assert_int_equal(channel_health_next_usec(CHANNEL_BROKEN, false, 0), 300 * USEC_PER_SEC);
}

/* ---- the checks ---- */

#define ENTRY(key, value) "<entry><key>" key "</key><value>" value "</value></entry>"
#define ATTRIBUTES(entries)                                                                                 \
    "<GetTopicAttributesResponse><GetTopicAttributesResult><Attributes>" entries                            \
    "</Attributes></GetTopicAttributesResult></GetTopicAttributesResponse>"
#define SUBSCRIBED(n) ATTRIBUTES(ENTRY("SubscriptionsConfirmed", n))
#define ERROR(code)                                                                                         \
    "<ErrorResponse><Error><Code>" code "</Code><Message>x</Message></Error></ErrorResponse>"
/* The list of who is subscribed, which is asked for where nobody is counted. */
#define LIST(members)                                                                                       \
    "<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions>" members             \
    "</Subscriptions></ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>"
#define MEMBER(arn) "<member><SubscriptionArn>" arn "</SubscriptionArn><Protocol>sqs</Protocol></member>"
#define DAY           (24 * 3600 * USEC_PER_SEC)

/* "VERDICT text; " for each check, and "UNHEARD text; " or "heard text; " for each change. */
typedef struct Story {
    bool no_memory; /* for a report */
    ServiceFixture *f;
    ChannelWatch *watch;
    char text[2048];
    uint64_t since_usec;
} Story;

static void tell(Story *s, const char *what, const char *text) {
    size_t len = strlen(s->text);

    (void)snprintf(s->text + len, sizeof(s->text) - len, "%s %s; ", what, text);
}

static void on_checked(size_t i, const ChannelHealth *health, void *userdata) {
    static const char *const names[] = { "unchecked", "good", "silent", "broken" };

    assert_int_equal(i, 0);
    tell(userdata, names[health->verdict], health->text);
}

static int on_changed(const ChannelTrouble *trouble, bool unheard, void *userdata) {
    Story *s = userdata;

    if (s->no_memory)
        return -ENOMEM;
    assert_non_null(strchr(trouble->channel, ':'));
    if (!unheard)
        assert_int_equal(trouble->since_usec, s->since_usec);
    s->since_usec = trouble->since_usec;
    tell(s, unheard ? "UNHEARD" : "HEARD", trouble->text);
    return 0;
}

static Story begin(void **state) {
    return (Story){ .f = *state };
}

static void open_watch(Story *s, const ChannelConfig *channel, const ChannelTrouble *unheard, bool once) {
    const ChannelWatchOptions options = {
        .context = { .aws = s->f->aws,
                     .credentials = s->f->credentials,
                     .http = fake_http_client(s->f->http),
                     .loop = fake_loop_loop(s->f->loop) },
        .caller = CALLER,
        .channels = channel,
        .n_channels = 1,
        .unheard = unheard,
        .n_unheard = unheard ? 1 : 0,
        .begin_usec = once ? 0 : USEC_PER_SEC,
        .once = once,
        .checked = on_checked,
        .changed = on_changed,
        .userdata = s,
    };

    assert_int_equal(channel_watch_new(&options, &s->watch), 0);
}

static void expect_story(Story *s, const char *text) {
    assert_string_equal(s->text, text);
    s->text[0] = '\0';
}

static const ChannelConfig topic_channel = { .topic_arn = (char *)TOPIC };

static void test_topic_nobody_subscribed_to(void **state) {
    Story s = begin(state);
    ChannelTrouble trouble;

    fake_http_reply(s.f->http, 200, SUBSCRIBED("0"), NULL);
    fake_http_reply(s.f->http, 200, LIST(MEMBER("PendingConfirmation")), NULL);
    fake_http_reply(s.f->http, 200, SUBSCRIBED("0"), NULL);
    fake_http_reply(s.f->http, 403, ERROR("AuthorizationError"), NULL);
    fake_http_reply(s.f->http, 200, SUBSCRIBED("1"), NULL);
    fake_http_reply(s.f->http, 200, SUBSCRIBED("1"), NULL);
    open_watch(&s, &topic_channel, NULL, false);
    fake_loop_run(s.f->loop);
    expect_story(&s, ""); /* trails first */
    fake_loop_advance(s.f->loop, 2 * USEC_PER_SEC);
    expect_story(&s, "silent the topic has no confirmed subscription; UNHEARD the topic has no confirmed "
                     "subscription; ");
    assert_true(channel_watch_unheard_usec(s.watch, 0) > 0);
    assert_true(channel_watch_trouble(s.watch, 0, &trouble));
    assert_string_equal(trouble.text, "the topic has no confirmed subscription");
    assert_string_equal(channel_watch_key(s.watch, 0), "sns:" TOPIC);
    fake_loop_advance(s.f->loop, 300 * USEC_PER_SEC); /* reported once */
    expect_story(&s, "silent the topic has no confirmed subscription; ");
    fake_loop_advance(s.f->loop, 300 * USEC_PER_SEC);
    expect_story(&s, "good 1 confirmed subscription; HEARD 1 confirmed subscription; ");
    assert_int_equal(channel_watch_unheard_usec(s.watch, 0), 0);
    fake_loop_advance(s.f->loop, DAY - 10 * USEC_PER_SEC);
    expect_story(&s, "");
    fake_loop_advance(s.f->loop, 20 * USEC_PER_SEC);
    expect_story(&s, "good 1 confirmed subscription; ");
    assert_int_equal(fake_http_n_requests(s.f->http), 6);
    channel_watch_free(s.watch);
}

/* moto 5 counts nobody, whoever is subscribed. */
static void test_topic_whose_subscriptions_are_not_counted(void **state) {
    Story s = begin(state);

    fake_http_reply(s.f->http, 200, SUBSCRIBED("0"), NULL);
    fake_http_reply(s.f->http, 200, LIST(MEMBER(TOPIC ":1") MEMBER("PendingConfirmation")), NULL);
    open_watch(&s, &topic_channel, NULL, false);
    fake_loop_advance(s.f->loop, 2 * USEC_PER_SEC);
    expect_story(&s, "good 1 confirmed subscription; ");
    assert_int_equal(fake_http_n_requests(s.f->http), 2);
    channel_watch_free(s.watch);
}

static void test_no_memory_for_the_report(void **state) {
    Story s = begin(state);
    ChannelTrouble trouble;

    s.no_memory = true;
    for (unsigned i = 0; i < 2; i++) {
        fake_http_reply(s.f->http, 200, SUBSCRIBED("0"), NULL);
        fake_http_reply(s.f->http, 200, LIST(""), NULL);
    }
    fake_http_reply(s.f->http, 200, SUBSCRIBED("3"), NULL);
    fake_http_reply(s.f->http, 200, SUBSCRIBED("3"), NULL);
    open_watch(&s, &topic_channel, NULL, false);
    fake_loop_advance(s.f->loop, 2 * USEC_PER_SEC);
    assert_int_equal(channel_watch_unheard_usec(s.watch, 0), 0);
    assert_true(channel_watch_trouble(s.watch, 0, &trouble) && trouble.pending);
    s.no_memory = false;
    fake_loop_advance(s.f->loop, 60 * USEC_PER_SEC); /* it is checked again soon */
    assert_int_equal(channel_watch_unheard_usec(s.watch, 0), trouble.since_usec);
    s.no_memory = true;
    fake_loop_advance(s.f->loop, 300 * USEC_PER_SEC);
    assert_int_equal(channel_watch_unheard_usec(s.watch, 0), trouble.since_usec);
    s.no_memory = false;
    fake_loop_advance(s.f->loop, 60 * USEC_PER_SEC);
    assert_int_equal(channel_watch_unheard_usec(s.watch, 0), 0);
    channel_watch_free(s.watch);
}

static void test_unheard_before(void **state) {
    ChannelTrouble before = { .channel = (char *)"sns:" TOPIC, .since_usec = 4711, .text = "nobody" };
    Story s = begin(state);

    s.since_usec = 4711;
    fake_http_reply(s.f->http, 200, SUBSCRIBED("0"), NULL);
    fake_http_reply(s.f->http, 200, LIST(""), NULL);
    fake_http_reply(s.f->http, 200, SUBSCRIBED("3"), NULL);
    open_watch(&s, &topic_channel, &before, false);
    assert_int_equal(channel_watch_unheard_usec(s.watch, 0), 4711);
    fake_loop_advance(s.f->loop, 2 * USEC_PER_SEC);
    expect_story(&s, "silent the topic has no confirmed subscription; ");
    fake_loop_advance(s.f->loop, 300 * USEC_PER_SEC);
    expect_story(&s, "good 3 confirmed subscriptions; HEARD 3 confirmed subscriptions; ");
    channel_watch_free(s.watch);
}

/* What cannot be asked ends nothing and begins nothing. */
static void test_topic_that_cannot_be_checked(void **state) {
    ChannelTrouble before = { .channel = (char *)"sns:" TOPIC, .since_usec = 4711 };
    Story s = begin(state);

    fake_http_reply(s.f->http, 403, ERROR("AuthorizationError"), NULL);
    fake_http_reply(s.f->http, 404, ERROR("NotFound"), NULL);
    open_watch(&s, &topic_channel, &before, false);
    fake_loop_advance(s.f->loop, 2 * USEC_PER_SEC);
    expect_story(&s, "unchecked not checked: GetTopicAttributes: AuthorizationError: x; ");
    fake_loop_advance(s.f->loop, 3600 * USEC_PER_SEC);
    assert_int_equal(fake_http_n_requests(s.f->http), 1); /* denied: tomorrow */
    fake_loop_advance(s.f->loop, DAY);
    expect_story(&s, "broken the topic does not exist; ");
    assert_int_equal(channel_watch_unheard_usec(s.watch, 0), 4711);
    channel_watch_free(s.watch);
}

static void test_topic_with_a_key(void **state) {
    Story s = begin(state);

    fake_http_reply(s.f->http, 200,
                    ATTRIBUTES(ENTRY("KmsMasterKeyId", "alias/k") ENTRY("SubscriptionsConfirmed", "1")),
                    NULL);
    fake_http_reply(s.f->http, 200, "{\"KeyMetadata\":{\"KeyState\":\"Disabled\"}}", NULL);
    open_watch(&s, &topic_channel, NULL, true);
    assert_true(channel_watch_is_busy(s.watch));
    fake_loop_advance(s.f->loop, USEC_PER_SEC);
    expect_story(&s, "broken the topic's KMS key alias/k is Disabled; ");
    assert_string_equal(fake_http_request(s.f->http, 1)->body,
                        "{\"KeyId\":\"arn:aws:kms:eu-west-1:111122223333:alias/k\"}");
    assert_false(channel_watch_is_busy(s.watch));
    fake_loop_advance(s.f->loop, 2 * DAY); /* once */
    assert_int_equal(fake_http_n_requests(s.f->http), 2);
    channel_watch_free(s.watch);
}

/* Any answer of a web service will do; one that does not answer is asked again before that counts. */
static void test_receivers(void **state) {
    const ChannelConfig webhook = { .type = CHANNEL_WEBHOOK,
                                    .url = (char *)"https://soc.example/T0PSECRET" };
    Story s = begin(state);

    fake_http_reply(s.f->http, 405, "no", NULL);
    open_watch(&s, &webhook, NULL, false);
    fake_loop_advance(s.f->loop, 2 * USEC_PER_SEC);
    expect_story(&s, "good it answers; ");
    assert_string_equal(fake_http_request(s.f->http, 0)->method, "HEAD");
    assert_string_equal(fake_http_request(s.f->http, 0)->url, "https://soc.example/T0PSECRET");
    fake_http_fail(s.f->http, HTTP_TLS_FAILED, "certificate of https://soc.example/T0PSECRET has expired");
    fake_loop_advance(s.f->loop, DAY);
    expect_story(&s, "");
    fake_http_fail(s.f->http, HTTP_TLS_FAILED, "certificate of https://soc.example/T0PSECRET has expired");
    fake_loop_advance(s.f->loop, 60 * USEC_PER_SEC);
    assert_null(strstr(s.text, "T0PSECRET"));
    assert_true(text_starts_with(s.text, "broken "));
    s.text[0] = '\0';
    fake_http_reply(s.f->http, 200, "", NULL);
    fake_loop_advance(s.f->loop, 300 * USEC_PER_SEC);
    expect_story(&s, "good it answers; ");
    channel_watch_free(s.watch);
}

static void test_cluster(void **state) {
    const ChannelConfig cluster = {
        .type = CHANNEL_ALERTMANAGER,
        .urls = { .items = (char *[]){ (char *)"https://a.example", (char *)"https://b.example/am/", NULL },
                  .n = 2 },
    };
    Story s = begin(state);

    fake_http_reply(s.f->http, 503, "starting", NULL);
    fake_http_reply(s.f->http, 200, "OK", NULL);
    open_watch(&s, &cluster, NULL, true);
    fake_loop_advance(s.f->loop, USEC_PER_SEC);
    expect_story(&s, "good 1 of 2 answer; https://a.example: HTTP 503: starting; ");
    assert_string_equal(fake_http_request(s.f->http, 0)->url, "https://a.example/-/ready");
    assert_string_equal(fake_http_request(s.f->http, 1)->url, "https://b.example/am/-/ready");
    channel_watch_free(s.watch);
    fake_http_fail(s.f->http, HTTP_CONNECT_FAILED, "connection refused");
    fake_http_reply(s.f->http, 500, "", NULL);
    open_watch(&s, &cluster, NULL, true);
    fake_loop_advance(s.f->loop, USEC_PER_SEC);
    expect_story(&s, "broken https://a.example: connection refused; ");
    channel_watch_free(s.watch);
}

static void test_programs(void **state) {
    static const struct {
        const char *program, *story;
    } cases[] = {
        { "/bin/sh", "good the program is there; " },
        { "/etc/passwd", "broken /etc/passwd cannot be executed: Permission denied; " },
        { "/nonexistent/mail", "broken /nonexistent/mail cannot be executed: No such file or directory; " },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const ChannelConfig channel = { .type = CHANNEL_COMMAND,
                                        .command = { .items = (char *[]){ (char *)cases[i].program, NULL },
                                                     .n = 1 } };
        Story s = begin(state);

        open_watch(&s, &channel, NULL, true);
        fake_loop_run(s.f->loop);
        expect_story(&s, cases[i].story);
        channel_watch_free(s.watch);
    }
}

/* A URL in a file that is gone is a channel that takes nothing. */
static void test_url_that_cannot_be_read(void **state) {
    const ChannelConfig channel = { .type = CHANNEL_WEBHOOK, .url_file = (char *)"/nonexistent" };
    Story s = begin(state);

    open_watch(&s, &channel, NULL, true);
    fake_loop_run(s.f->loop);
    expect_story(&s, "broken /nonexistent cannot be read: No such file or directory; ");
    channel_watch_free(s.watch);
}

static void test_end_during_a_check(void **state) {
    const ChannelConfig webhook = { .type = CHANNEL_WEBHOOK, .url = (char *)"https://soc.example/" };
    const ChannelConfig *channels[] = { &topic_channel, &webhook };

    for (size_t i = 0; i < ARRAY_SIZE(channels); i++) {
        Story s = begin(state);

        open_watch(&s, channels[i], NULL, false);
        channel_watch_free(s.watch);
        open_watch(&s, channels[i], NULL, false);
        fake_loop_advance(s.f->loop, USEC_PER_SEC);
        assert_int_equal(fake_http_n_running(s.f->http), 1);
        channel_watch_free(s.watch);
        expect_story(&s, "");
    }
    channel_watch_free(NULL);
}

/* What is reported of a change: the end of what was reported is its second message. */
static void test_changes(void **state _unused_) {
    static const struct {
        EventKind kind;
        EventPhase phase;
        Severity severity;
        bool forgotten;
    } rows[_CHANNEL_CHANGE_MAX] = {
        [CHANNEL_FAILS] = { EVENT_CHANNEL_FAILED, PHASE_OPENED, SEVERITY_CRITICAL, false },
        [CHANNEL_WORKS] = { EVENT_CHANNEL_RECOVERED, PHASE_RESOLVED, SEVERITY_WARNING, false },
        [CHANNEL_LEFT] = { EVENT_CHANNEL_RECOVERED, PHASE_RESOLVED, SEVERITY_WARNING, true },
        [CHANNEL_LOSES_ALL] = { EVENT_CHANNEL_UNHEARD, PHASE_OPENED, SEVERITY_CRITICAL, false },
        [CHANNEL_REACHES_SOMEONE] = { EVENT_CHANNEL_HEARD, PHASE_RESOLVED, SEVERITY_CRITICAL, false },
        [CHANNEL_LEFT_UNHEARD] = { EVENT_CHANNEL_HEARD, PHASE_RESOLVED, SEVERITY_CRITICAL, true },
    };
    char key[] = "sns:" TOPIC;
    ChannelTrouble trouble = { .channel = key, .since_usec = 7, .text = "it is gone" };

    for (ChannelChange change = 0; change < _CHANNEL_CHANGE_MAX; change++) {
        Event event = channel_event(change, &trouble, MODE_RESTART);

        assert_int_equal(event.kind, rows[change].kind);
        assert_int_equal(event.phase, rows[change].phase);
        assert_int_equal(event.severity, rows[change].severity);
        assert_int_equal(event.sequence, rows[change].phase == PHASE_RESOLVED ? 2 : 1);
        assert_int_equal(event.forgotten, rows[change].forgotten);
        assert_true(event.incident_dedup_usec == 7 && event.dedup_usec == 7 && event.opened_usec == 7);
        assert_int_equal(event.mode, MODE_RESTART);
        assert_string_equal(event.detail, "sns:" TOPIC ": it is gone");
    }
    trouble.text[0] = '\0';
    assert_string_equal(channel_event(CHANNEL_LEFT, &trouble, MODE_RESTART).detail, "sns:" TOPIC);
}

static void test_what_the_journal_says(void **state _unused_) {
    static const struct {
        const char *channel;
        ChannelChange change;
        JournalLine line;
        const char *text;
    } rows[] = {
        { "sns:x", CHANNEL_FAILS, LINE_CHANNEL_FAILED,
          "alerts by sns:x fail: it is gone; they are kept and tried again" },
        { "sns:x", CHANNEL_WORKS, LINE_CHANNEL_RECOVERED, "alerts by sns:x get through again" },
        { "sns:x", CHANNEL_LEFT, _LINE_MAX, "sns:x: failed, and is not configured any more" },
        { "sns:x", CHANNEL_LOSES_ALL, LINE_CHANNEL_UNHEARD,
          "nobody receives alerts through sns:x: it is gone" },
        { "sns:x", CHANNEL_REACHES_SOMEONE, LINE_CHANNEL_HEARD,
          "alerts by sns:x reach someone again: it is gone" },
        { "sns:x", CHANNEL_LEFT_UNHEARD, _LINE_MAX,
          "sns:x: nobody got its alerts, and is not configured any more" },
        { HEARTBEAT_KEY, CHANNEL_FAILS, LINE_CHANNEL_FAILED,
          "the heartbeat fails: it is gone; it goes on at its interval" },
        { HEARTBEAT_KEY, CHANNEL_WORKS, LINE_CHANNEL_RECOVERED, "the heartbeat reaches its switch again" },
        { HEARTBEAT_KEY, CHANNEL_LEFT, _LINE_MAX, "heartbeat: failed, and is not configured any more" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const ChannelTrouble trouble = { .channel = (char *)rows[i].channel, .text = "it is gone" };
        char text[CHANNEL_NEWS_MAX];

        assert_int_equal(channel_news(rows[i].change, &trouble, text), rows[i].line);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_topics),
        cmocka_unit_test(test_key_arns),
        cmocka_unit_test(test_first),
        cmocka_unit_test(test_next),
        SERVICE_TEST(test_topic_nobody_subscribed_to),
        SERVICE_TEST(test_topic_whose_subscriptions_are_not_counted),
        SERVICE_TEST(test_unheard_before),
        SERVICE_TEST(test_no_memory_for_the_report),
        SERVICE_TEST(test_topic_that_cannot_be_checked),
        SERVICE_TEST(test_topic_with_a_key),
        SERVICE_TEST(test_receivers),
        SERVICE_TEST(test_cluster),
        SERVICE_TEST(test_programs),
        SERVICE_TEST(test_url_that_cannot_be_read),
        SERVICE_TEST(test_end_during_a_check),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_what_the_journal_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
