/* SPDX-License-Identifier: Apache-2.0 */
/* The seam between AWS's JSON and the core: every member of an answer has a
 * value of its own, goes through the real call, reader and stage, and must
 * arrive in its own place: in the observation, in the settings and in the one
 * difference that the comparison then finds, in the actor. A member that is
 * dropped or mixed up fails its row. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/attribute_match.h"
#include "daemon/core/baseline.h"
#include "daemon/core/contain.h"
#include "daemon/core/enum_names.h"
#include "daemon/core/hold.h"
#include "daemon/core/settings.h"
#include "daemon/io/poll.h"
#include "daemon/io/settings_check.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"
#include "tests/unit/service_fixture.h"

#define REGION "eu-central-1"
#define ARN    "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"

/* {"NAME":VALUE,...} of rows first..end; `other` is the row that has its other
 * value, SIZE_MAX: none. */
#define ANSWER_MAX 8192

/* ---- GetTrailStatus -> Observation ---- */

#define SEEN(member) offsetof(Observation, member)
static const struct {
    const char *name, *json;
    size_t offset;
    const char *text; /* NULL: a time */
    uint64_t usec;
} status_rows[] = {
    { "StartLoggingTime", "1700000001.25", SEEN(start_usec), NULL, 1700000001250000 },
    { "StopLoggingTime", "1700000002", SEEN(stop_usec), NULL, 1700000002000000 },
    { "LatestDeliveryTime", "1700000003", SEEN(delivery_usec), NULL, 1700000003000000 },
    { "LatestDigestDeliveryTime", "1700000004", SEEN(digest_usec), NULL, 1700000004000000 },
    { "LatestDeliveryError", "\"AccessDenied\"", SEEN(delivery_error), "AccessDenied", 0 },
    { "LatestDigestDeliveryError", "\"NoSuchBucket\"", SEEN(digest_error), "NoSuchBucket", 0 },
    { "LatestCloudWatchLogsDeliveryError", "\"NoSuchGroup\"", SEEN(log_group_error), "NoSuchGroup", 0 },
    { "LatestNotificationError", "\"NoSuchTopic\"", SEEN(notification_error), "NoSuchTopic", 0 },
};

typedef struct Polled {
    unsigned n;
    Observation seen;
} Polled;

static void on_polled(const PollAnswer *answer, void *userdata) {
    Polled *polled = userdata;

    assert_true(answer->result.reachable);
    assert_int_equal(answer->n_seen, 1);
    polled->seen = answer->seen[0];
    polled->n++;
}

/* The whole stage: an answer with all rows but `without` (SIZE_MAX: none is
 * left out). */
static Observation poll_status(ServiceFixture *f, bool logging, size_t without) {
    _cleanup_strbuf_ StrBuf body = STRBUF_INIT(ANSWER_MAX);
    const char *arns[] = { ARN };
    PollRequest request = {
        .aws = f->aws, .credentials = f->credentials, .region = REGION, .arns = arns, .n_arns = 1
    };
    Polled polled = { 0 };
    Poll *poll;

    (void)strbuf_addf(&body, "{\"IsLogging\":%s", logging ? "true" : "false");
    for (size_t i = 0; i < ARRAY_SIZE(status_rows); i++)
        if (i != without)
            (void)strbuf_addf(&body, ",\"%s\":%s", status_rows[i].name, status_rows[i].json);
    assert_int_equal(strbuf_add_char(&body, '}'), 0);
    fake_http_reply(f->http, 200, strbuf_str(&body), NULL);
    assert_int_equal(poll_start(&request, on_polled, &polled, &poll), 0);
    fake_loop_advance(f->loop, 4 * aws_client_deadline_usec(f->aws));
    assert_int_equal(polled.n, 1);
    return polled.seen;
}

static bool has_arrived(const Observation *seen, size_t i) {
    const void *slot = (const char *)seen + status_rows[i].offset;

    if (status_rows[i].text)
        return strcmp(slot, status_rows[i].text) == 0;
    return *(const uint64_t *)slot == status_rows[i].usec;
}

static void test_status(void **state) {
    ServiceFixture *f = *state;

    for (size_t without = 0; without <= ARRAY_SIZE(status_rows); without++) {
        bool logging = without % 2 == 0;
        Observation seen = poll_status(f, logging, without);

        assert_int_equal(seen.kind, OBSERVED_STATUS);
        assert_int_equal(seen.is_logging, logging);
        for (size_t i = 0; i < ARRAY_SIZE(status_rows); i++)
            if (has_arrived(&seen, i) != (i != without))
                fail_msg("%s: %s", status_rows[i].name, i == without ? "from where?" : "did not arrive");
    }
}

/* ---- five answers -> Settings -> Drift ---- */

enum { TRAIL, SELECTORS, INSIGHTS, TAGS, CONFIGURATION, N_ANSWERS };

#define BASIC(type) "[{\"IncludeManagementEvents\":true,\"ReadWriteType\":\"" type "\"}]"
#define ADVANCED                                                                                            \
    "[{\"FieldSelectors\":[{\"Equals\":[\"Data\"],\"Field\":\"eventCategory\"},"                            \
    "{\"Equals\":[\"AWS::S3::Object\"],\"Field\":\"resources.type\"}]}]"
#define INSIGHT(type)  "[{\"InsightType\":\"" type "\"}]"
#define LOGS_ARN(name) "arn:aws:logs:eu-central-1:111122223333:log-group:" name ":*"
#define TAG_LIST(a, b) "[{\"Key\":\"" a "\",\"Value\":\"" b "\"}]"

/* A member, its value in AWS's JSON, and another one; what Settings has of
 * both. */
static const struct {
    int answer;
    const char *name;
    const char *json, *other_json;
    Field field;
    const char *text, *other_text;
} setting_rows[] = {
    { TRAIL, "S3BucketName", "\"logs-one\"", "\"logs-two\"", FIELD_BUCKET, "logs-one", "logs-two" },
    { TRAIL, "S3KeyPrefix", "\"prefix-one\"", "\"prefix-two\"", FIELD_PREFIX, "prefix-one", "prefix-two" },
    { TRAIL, "KmsKeyId", "\"arn:aws:kms:eu-central-1:111122223333:key/one\"", "\"\"", FIELD_KMS_KEY,
      "arn:aws:kms:eu-central-1:111122223333:key/one", "" },
    { TRAIL, "CloudWatchLogsLogGroupArn", "\"" LOGS_ARN("one") "\"", "\"" LOGS_ARN("two") "\"",
      FIELD_LOG_GROUP, LOGS_ARN("one"), LOGS_ARN("two") },
    { TRAIL, "CloudWatchLogsRoleArn", "\"arn:aws:iam::111122223333:role/one\"",
      "\"arn:aws:iam::111122223333:role/two\"", FIELD_LOG_ROLE, "arn:aws:iam::111122223333:role/one",
      "arn:aws:iam::111122223333:role/two" },
    { TRAIL, "SnsTopicARN", "\"arn:aws:sns:eu-central-1:111122223333:one\"",
      "\"arn:aws:sns:eu-central-1:111122223333:two\"", FIELD_SNS_TOPIC,
      "arn:aws:sns:eu-central-1:111122223333:one", "arn:aws:sns:eu-central-1:111122223333:two" },
    { TRAIL, "IsMultiRegionTrail", "true", "false", FIELD_MULTI_REGION, "true", "false" },
    { TRAIL, "IncludeGlobalServiceEvents", "true", "false", FIELD_GLOBAL_EVENTS, "true", "false" },
    { TRAIL, "LogFileValidationEnabled", "true", "false", FIELD_VALIDATION, "true", "false" },
    { TRAIL, "IsOrganizationTrail", "true", "false", FIELD_ORGANIZATION, "true", "false" },
    { TRAIL, "RecursiveLogging", "true", "false", FIELD_RECURSIVE, "true", "false" },
    { TRAIL, "Tomorrow", "\"one\"", "\"two\"", FIELD_UNKNOWN, "{\"Tomorrow\":\"one\"}",
      "{\"Tomorrow\":\"two\"}" },
    { SELECTORS, "EventSelectors", BASIC("All"), BASIC("WriteOnly"), FIELD_SELECTORS,
      "{\"EventSelectors\":" BASIC("All") "}", "{\"EventSelectors\":" BASIC("WriteOnly") "}" },
    { SELECTORS, "AdvancedEventSelectors", "[]", ADVANCED, FIELD_SELECTORS, NULL,
      "{\"AdvancedEventSelectors\":" ADVANCED "}" },
    { INSIGHTS, "InsightSelectors", INSIGHT("ApiCallRateInsight"), INSIGHT("ApiErrorRateInsight"),
      FIELD_INSIGHTS, INSIGHT("ApiCallRateInsight"), INSIGHT("ApiErrorRateInsight") },
    { TAGS, "TagsList", TAG_LIST("tier", "1"), TAG_LIST("tier", "2"), FIELD_TAGS, "{\"tier\":\"1\"}",
      "{\"tier\":\"2\"}" },
    { CONFIGURATION, "MaxEventSize", "\"Large\"", "\"Standard\"", FIELD_CONFIGURATION,
      "{\"MaxEventSize\":\"Large\"}", "{\"MaxEventSize\":\"Standard\"}" },
};

/* The answer's members; row `other` has its other value. */
static void add_members(StrBuf *b, int answer, size_t other) {
    const char *between = "";

    for (size_t i = 0; i < ARRAY_SIZE(setting_rows); i++) {
        if (setting_rows[i].answer != answer)
            continue;
        (void)strbuf_addf(b, "%s\"%s\":%s", between, setting_rows[i].name,
                          i == other ? setting_rows[i].other_json : setting_rows[i].json);
        between = ",";
    }
}

static void on_checked(const SettingsSnapshot *snapshot, void *userdata) {
    assert_int_equal(snapshot->failed, 0);
    assert_int_equal(settings_copy(&snapshot->settings, userdata), 0);
}

static Settings check_settings(ServiceFixture *f, size_t other) {
    static const struct {
        const char *before, *after;
    } frames[N_ANSWERS] = {
        [TRAIL] = { "{\"trailList\":[{\"Name\":\"main\",\"TrailARN\":\"" ARN "\",\"HomeRegion\":\"" REGION
                    "\",\"HasInsightSelectors\":true,",
                    "}]}" },
        [SELECTORS] = { "{\"TrailARN\":\"" ARN "\",", "}" },
        [INSIGHTS] = { "{\"TrailARN\":\"" ARN "\",", "}" },
        [TAGS] = { "{\"ResourceTagList\":[{\"ResourceId\":\"" ARN "\",", "}]}" },
        [CONFIGURATION] = { "{\"TrailARN\":\"" ARN "\",", "}" },
    };
    StrBuf bodies[N_ANSWERS];
    Settings settings = { 0 };
    SettingsCheckRequest request = { .aws = f->aws,
                                     .credentials = f->credentials,
                                     .region = REGION,
                                     .arn = ARN,
                                     .done = on_checked,
                                     .userdata = &settings };
    SettingsCheck *check;

    for (int a = 0; a < N_ANSWERS; a++) {
        bodies[a] = STRBUF_INIT(ANSWER_MAX);
        (void)strbuf_add(&bodies[a], frames[a].before);
        add_members(&bodies[a], a, other);
        assert_int_equal(strbuf_add(&bodies[a], frames[a].after), 0);
        fake_http_reply(f->http, 200, strbuf_str(&bodies[a]), NULL);
    }
    assert_int_equal(settings_check_start(&request, &check), 0);
    fake_loop_advance(f->loop, 6 * aws_client_deadline_usec(f->aws));
    assert_int_equal(fake_http_n_left(f->http), 0);
    for (int a = 0; a < N_ANSWERS; a++)
        strbuf_done(&bodies[a]);
    return settings;
}

static void assert_arrived(size_t row, const Settings *settings, const char *text) {
    const char *value = settings->values[setting_rows[row].field];

    if (text && !text_equal(value, text))
        fail_msg("%s: %s instead of %s", setting_rows[row].name, value ? value : "nothing", text);
}

static void assert_only_change(size_t row, const Settings *expected, const Settings *actual) {
    Drift drift = { 0 };

    assert_int_equal(baseline_compare(expected, actual, &drift), 0);
    if (drift.n != 1 || drift.changes[0].field != setting_rows[row].field)
        fail_msg("%s: %u changes, the first of %s", setting_rows[row].name, drift.n,
                 drift.n > 0 ? field_to_string(drift.changes[0].field) : "nothing");
    if (setting_rows[row].text)
        assert_string_equal(drift.changes[0].expected, setting_rows[row].text);
    assert_string_equal(drift.changes[0].actual, setting_rows[row].other_text);
    drift_done(&drift);
}

static void test_settings(void **state) {
    ServiceFixture *f = *state;
    Settings expected = check_settings(f, SIZE_MAX);
    uint32_t tested = 0;

    for (size_t i = 0; i < ARRAY_SIZE(setting_rows); i++) {
        Settings actual = check_settings(f, i);

        assert_arrived(i, &expected, setting_rows[i].text);
        assert_arrived(i, &actual, setting_rows[i].other_text);
        assert_only_change(i, &expected, &actual);
        settings_done(&actual);
        tested |= FIELD_BIT(setting_rows[i].field);
    }
    /* A field that is added to the model needs a row. */
    assert_int_equal(tested, FIELDS_ALL);
    settings_done(&expected);
}

/* ---- LookupEvents -> CloudTrailEvent -> Actor ---- */

#define ACTOR(member) offsetof(Actor, member)
#define RECORD                                                                                              \
    "{\"awsRegion\":\"eu-central-1\",\"sourceIPAddress\":\"198.51.100.7\","                                 \
    "\"userAgent\":\"an agent\","                                                                           \
    "\"errorCode\":\"AccessDenied\",\"requestParameters\":{\"name\":\"" ARN "\"},\"userIdentity\":{"        \
    "\"type\":\"IAMUser\",\"arn\":\"arn:aws:iam::444455556666:user/"                                        \
    "bob\",\"accountId\":\"444455556666\","                                                                 \
    "\"userName\":\"bob\",\"invokedBy\":\"config.amazonaws.com\","                                          \
    "\"accessKeyId\":\"AKIDINNER\","                                                                        \
    "\"sessionContext\":{\"sourceIdentity\":\"alice\",\"sessionIssuer\":{\"arn\":\"arn:aws:iam::"           \
    "444455556666:role/R\"}},\"onBehalfOf\":{"                                                              \
    "\"userId\":\"user-1\","                                                                                \
    "\"identityStoreArn\":\"arn:aws:identitystore::111122223333:identitystore/"                             \
    "d-1\"},"                                                                                               \
    "\"invokedByDelegate\":{\"accountId\":\"777788889999\"}}}"

static const struct {
    const char *name, *text;
    size_t offset;
} actor_rows[] = {
    { "EventId", "event-1", ACTOR(event_id) },
    { "EventName", "StopLogging", ACTOR(event_name) },
    { "sourceIPAddress", "198.51.100.7", ACTOR(source_ip) },
    { "userAgent", "an agent", ACTOR(user_agent) },
    { "errorCode", "AccessDenied", ACTOR(error_code) },
    { "type", "IAMUser", ACTOR(type) },
    { "arn", "arn:aws:iam::444455556666:user/bob", ACTOR(arn) },
    { "accountId", "444455556666", ACTOR(account) },
    { "userName", "bob", ACTOR(name) },
    { "invokedBy", "config.amazonaws.com", ACTOR(invoked_by) },
    { "accessKeyId", "AKIDINNER", ACTOR(access_key) },
    { "sessionIssuer", "arn:aws:iam::444455556666:role/R", ACTOR(issuer) },
    { "sourceIdentity", "alice", ACTOR(source_identity) },
    { "userId", "user-1", ACTOR(on_behalf_of) },
    { "identityStoreArn", "arn:aws:identitystore::111122223333:identitystore/d-1", ACTOR(identity_store) },
    { "invokedByDelegate", "777788889999", ACTOR(delegate) },
};

static void on_events(const AwsError *error, const CloudTrailEvents *events, void *userdata) {
    const AttributeRequest request = { .region = REGION,
                                       .trail_name = "main",
                                       .trail_arn = ARN,
                                       .own_arn = "",
                                       .findings = FINDING_BIT(FINDING_STOPPED) };
    Attribution *found = userdata;

    assert_int_equal(error->class, AWS_OK);
    assert_int_equal(events->n, 1);
    attribute_take(&request, &events->items[0], found);
}

/* A record travels as a text inside the answer. */
static void add_quoted(StrBuf *b, const char *json) {
    for (; *json; json++) {
        if (*json == '"')
            (void)strbuf_add_char(b, '\\');
        (void)strbuf_add_char(b, *json);
    }
}

static void test_events(void **state) {
    _cleanup_strbuf_ StrBuf body = STRBUF_INIT(ANSWER_MAX);
    ServiceFixture *f = *state;
    CloudTrailLookup lookup = { .key = CLOUDTRAIL_LOOKUP_EVENT_NAME, .value = "StopLogging" };
    Attribution found = { 0 };

    (void)strbuf_add(&body, "{\"Events\":[{\"EventId\":\"event-1\",\"EventName\":\"StopLogging\","
                            "\"EventSource\":\"cloudtrail.amazonaws.com\",\"AccessKeyId\":"
                            "\"AKIDOUTER\","
                            "\"Username\":\"carol\",\"EventTime\":1700000005,\"CloudTrailEvent\":\"");
    add_quoted(&body, RECORD);
    assert_int_equal(strbuf_add(&body, "\"}]}"), 0);
    fake_http_reply(f->http, 200, strbuf_str(&body), NULL);
    assert_int_equal(cloudtrail_lookup_events(&(AwsCaller){ f->aws, f->credentials, REGION }, &lookup,
                                              on_events, &found, NULL),
                     0);
    fake_loop_advance(f->loop, 4 * aws_client_deadline_usec(f->aws));
    assert_int_equal(found.n_attempts, 1);
    for (size_t i = 0; i < ARRAY_SIZE(actor_rows); i++)
        if (strcmp((const char *)&found.attempts[0] + actor_rows[i].offset, actor_rows[i].text) != 0)
            fail_msg("%s did not arrive: %s", actor_rows[i].name,
                     (const char *)&found.attempts[0] + actor_rows[i].offset);
    assert_true(found.attempts[0].event_usec == 1700000005000000);
}

/* ---- LookupEvents -> who is to be contained ---- */

#define WHOSE_MAX 640
/* AWS allows a path of 512 characters, its slashes included, and a name of 64. The path has another's name
 * where a text of 255 bytes would end. */
static const char *longest_arn(const char *kind, char ret[static WHOSE_MAX]) {
    int begin = snprintf(ret, WHOSE_MAX, "arn:aws-us-gov:iam::111122223333:%s/", kind);
    int end = begin - 1 + 512;

    memset(ret + begin, 'p', (size_t)(end - begin));
    memcpy(ret + 255 - strlen("/alice"), "/alice/", strlen("/alice/"));
    (void)snprintf(ret + end - 1, (size_t)(WHOSE_MAX - end + 1), "/mallory%057d", 7);
    return ret;
}

static void on_tampering(const AwsError *error, const CloudTrailEvents *events, void *userdata) {
    assert_int_equal(error->class, AWS_OK);
    assert_int_equal(events->n, 1);
    attribute_actor(&events->items[0], userdata);
}

static Containment contained(ServiceFixture *f, const char *identity) {
    _cleanup_strbuf_ StrBuf record = STRBUF_INIT(ANSWER_MAX), body = STRBUF_INIT(ANSWER_MAX);
    CloudTrailLookup lookup = { .key = CLOUDTRAIL_LOOKUP_EVENT_NAME, .value = "StopLogging" };
    const ContainPolicy policy = { .mode = CONTAIN_PROPOSE,
                                   .after = 1,
                                   .max_per_day = 9,
                                   .own = { "arn:aws:iam::111122223333:user/guard" } };
    ContainHistory history = { 0 };
    Containment contain = { 0 };
    Actor actor = { 0 };

    (void)strbuf_addf(&record, "{\"requestParameters\":{\"name\":\"" ARN "\"},\"userIdentity\":{%s}}",
                      identity);
    (void)strbuf_add(&body, "{\"Events\":[{\"EventId\":\"event-1\",\"EventName\":\"StopLogging\","
                            "\"EventTime\":1700000005,\"CloudTrailEvent\":\"");
    add_quoted(&body, strbuf_str(&record));
    assert_int_equal(strbuf_add(&body, "\"}]}"), 0);
    fake_http_reply(f->http, 200, strbuf_str(&body), NULL);
    assert_int_equal(cloudtrail_lookup_events(&(AwsCaller){ f->aws, f->credentials, REGION }, &lookup,
                                              on_tampering, &actor, NULL),
                     0);
    fake_loop_advance(f->loop, 4 * aws_client_deadline_usec(f->aws));
    assert_int_equal(contain_take(&policy, &history,
                                  &(ContainDeed){ .actor = &actor,
                                                  .account = "111122223333",
                                                  .incident = "incident",
                                                  .tampers = true,
                                                  .writable = true },
                                  1700000006000000, &contain),
                     0);
    contain_history_done(&history);
    return contain;
}

static void assert_name_and_reason(const JournalEntry *entry, const char *name) {
    const char *at = strstr(entry->detail, "/.../");

    assert_non_null(at);
    assert_true(text_starts_with(at + strlen("/.../"), name));
    assert_true(text_starts_with(at + strlen("/.../") + strlen(name), ", because of "));
    assert_null(strstr(entry->detail, "alice"));
}

static void test_containment(void **state) {
    static const char *const kinds[] = { "user", "role" };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        char arn[WHOSE_MAX], identity[2 * WHOSE_MAX];
        ContainHold hold = { .reason = "a reason" };
        Containment contain;
        JournalEntry entry;

        (void)longest_arn(kinds[i], arn);
        (void)snprintf(
                identity, sizeof(identity),
                i == 0 ? "\"type\":\"IAMUser\",\"arn\":\"%s\",\"accountId\":\"111122223333\""
                       : "\"type\":\"AssumedRole\",\"arn\":\"arn:aws-us-gov:sts::111122223333:assumed-role/"
                         "mallory/s\",\"accountId\":\"111122223333\",\"sessionContext\":{"
                         "\"sessionIssuer\":{\"type\":\"Role\",\"arn\":\"%s\"}}",
                arn);
        contain = contained(*state, identity);
        assert_int_equal(contain.verdict, CONTAIN_PROPOSED);
        assert_string_equal(contain.arn, arn);
        assert_string_equal(contain.name, strrchr(arn, '/') + 1);
        /* nor may the journal's line end in another's name, or before the reason */
        contain_entry(&contain, &(Actor){ 0 }, &entry);
        assert_name_and_reason(&entry, contain.name);
        (void)text_copy(hold.arn, sizeof(hold.arn), contain.arn);
        hold_entry(&hold, CONTAIN_STEP_HELD, "", &entry);
        assert_name_and_reason(&entry, contain.name);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        PATIENT_TEST(test_status),
        PATIENT_TEST(test_settings),
        SERVICE_TEST(test_events),
        SERVICE_TEST(test_containment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
