/* SPDX-License-Identifier: Apache-2.0 */
/* Which recorded calls are ruled out as the cause by what they say themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/attribute_match.h"
#include "tests/unit/attribute_event.h"

#define ARN    "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"
#define BUCKET "example-logs"
#define KEY    "arn:aws:kms:eu-south-1:111122223333:key/1111aaaa-22bb-33cc-44dd-5555eeee6666"
#define STORE  "cks-1234567890abcdef0"

#define BIT(name) FINDING_BIT(FINDING_##name)

static const AttributeRequest main_trail = {
    .region = "eu-central-1",
    .trail_name = "main",
    .trail_arn = ARN,
    .bucket = BUCKET,
    .bucket_region = "eu-west-3",
    .key = KEY,
    .key_store = STORE,
    .own_arn = "",
    .from_usec = FROM,
};

static Attribution take_one(const AttributeRequest *request, const CloudTrailEvent *event) {
    Attribution found = { 0 };

    attribute_take(request, event, &found);
    return found;
}

/* A name alone is that of a trail of the account in whose history it is: a delegated administrator's own
 * trail may be called like the organization's. */
static void test_a_namesake_in_the_account_of_a_delegated_administrator(void **state) {
    AttributeRequest q = main_trail;
    CloudTrailEvent e = event_of("DeleteTrail", "main");

    (void)state;
    q.foreign = true;
    q.findings = BIT(MISSING) | BIT(WEAKENED);
    assert_false(take_one(&q, &e).found);
    e.error_code = (char *)"AccessDenied";
    assert_int_equal(take_one(&q, &e).n_attempts, 0);
    e = event_of("DeleteTrail", ARN);
    assert_true(take_one(&q, &e).found);
    /* but it is by name that a trail of the organization is created */
    e = event_of("CreateTrail", "main");
    e.parameters = (char *)"{\"isOrganizationTrail\":false,\"name\":\"main\"}";
    assert_false(take_one(&q, &e).found);
    e.parameters = (char *)"{\"isOrganizationTrail\":true,\"name\":\"main\"}";
    assert_true(take_one(&q, &e).found);
}

/* UpdateTrail says what it changes: one that a deployment makes a moment later has changed nothing of it. */
static void test_an_update_of_other_settings(void **state) {
    static const struct {
        Field changed;
        const char *parameters;
        bool taken;
    } cases[] = {
        { FIELD_BUCKET, "", true },
        { FIELD_BUCKET, "{\"name\":\"main\",\"s3BucketName\":\"his\"}", true },
        { FIELD_BUCKET, "{\"name\":\"main\",\"S3BucketName\":\"his\"}", true },
        { FIELD_BUCKET, "{\"name\":\"main\",\"snsTopicName\":\"\\\"s3BucketName\\\":\"}", false },
        { FIELD_BUCKET, "{\"isMultiRegionTrail\":true,\"name\":\"main\"}", false },
        { FIELD_BUCKET, "{\"isMultiRegionTrail\":true,\"name\":\"ma...", true }, /* who knows */
        { FIELD_PREFIX, "{\"name\":\"main\",\"s3KeyPrefix\":\"\"}", true },
        { FIELD_KMS_KEY, "{\"name\":\"main\",\"s3KeyPrefix\":\"\"}", false },
        { FIELD_KMS_KEY, "{\"kmsKeyId\":\"\",\"name\":\"main\"}", true },
        { FIELD_LOG_GROUP, "{\"cloudWatchLogsLogGroupArn\":\"\"}", true },
        { FIELD_LOG_GROUP, "{\"cloudWatchLogsRoleArn\":\"\"}", false },
        { FIELD_LOG_ROLE, "{\"cloudWatchLogsRoleArn\":\"\"}", true },
        { FIELD_SNS_TOPIC, "{\"snsTopicName\":\"\"}", true },
        { FIELD_MULTI_REGION, "{\"isMultiRegionTrail\":false}", true },
        { FIELD_GLOBAL_EVENTS, "{\"isMultiRegionTrail\":false}", true }, /* they follow */
        { FIELD_GLOBAL_EVENTS, "{\"includeGlobalServiceEvents\":false}", true },
        { FIELD_VALIDATION, "{\"enableLogFileValidation\":false}", true },
        { FIELD_VALIDATION, "{\"includeGlobalServiceEvents\":false}", false },
        { FIELD_ORGANIZATION, "{\"isOrganizationTrail\":false}", true },
        { FIELD_RECURSIVE, "{\"isOrganizationTrail\":false}", true }, /* nobody knows its name there */
        { FIELD_UNKNOWN, "{\"isOrganizationTrail\":false}", true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AttributeRequest q = main_trail;
        CloudTrailEvent e = event_of("UpdateTrail", ARN);

        q.findings = FINDINGS_CHANGED;
        q.fields = FIELD_BIT(cases[i].changed);
        e.parameters = (char *)cases[i].parameters;
        if (take_one(&q, &e).found != cases[i].taken)
            fail_msg("case %zu: %s", i, cases[i].parameters);
        e.error_code = (char *)"AccessDenied"; /* an attempt against the trail it is in any case */
        assert_int_equal(take_one(&q, &e).n_attempts, 1);
        e.error_code = (char *)"";
        e.omitted = true; /* AWS left them out: who knows */
        assert_true(take_one(&q, &e).found);
    }
}

/* A trail whose name is not known is known by its ARN. */
static void test_a_trail_without_a_name(void **state) {
    static const char *const names[] = { NULL, "" };
    CloudTrailEvent e = event_of("StopLogging", "main"), by_arn = event_of("StopLogging", ARN);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        AttributeRequest q = main_trail;

        q.findings = FINDING_BIT(FINDING_STOPPED);
        q.trail_name = names[i];
        assert_false(take_one(&q, &e).found);
        assert_true(take_one(&q, &by_arn).found);
    }
}

/* Former keys are the guard's, and those of nobody else. */
static void test_the_former_identity(void **state) {
    static const char *const callers[] = { MALLET, MALLET "2" };
    CloudTrailEvent e = event_of("UpdateTrail", ARN);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(callers); i++) {
        AttributeRequest q = main_trail;

        q.findings = FINDINGS_CHANGED;
        q.former_arn = MALLET;
        q.former_until_usec = e.event_time_usec;
        e.identity.arn = (char *)callers[i];
        assert_int_equal(take_one(&q, &e).found, i != 0);
    }
}

/* Which of two policies closed the bucket is asked of policies only: of a policy and another call the newest
 * wins. */
static void test_a_policy_and_another_call(void **state) {
    static const char *const names[][2] = { { "DeleteBucket", "PutBucketPolicy" },
                                            { "PutBucketPolicy", "DeleteBucket" } };

    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_SIZE(names); i++) { /* in whichever order */
        AttributeRequest q = main_trail;
        Attribution found = { 0 };

        q.findings = FINDING_BIT(FINDING_BUCKET);
        for (unsigned k = 0; k < 2; k++) {
            unsigned of = i % 2 ? 1 - k : k;
            CloudTrailEvent e = event_of(names[i / 2][of], "");

            e.bucket = (char *)BUCKET;
            e.event_time_usec = FROM + (1 + of) * USEC_PER_SEC;
            attribute_take(&q, &e, &found);
        }
        assert_true(found.found);
        assert_string_equal(found.actor.event_name, names[i / 2][1]);
    }
}

#define BY_KEY "DisableKey DisconnectCustomKeyStore PutKeyPolicy "

/* Adds the name of the call if it is taken for the cause. */
static void add_taken(const AttributeRequest *request, const char *name, char *ret, size_t size) {
    CloudTrailEvent e = event_of(name, "");

    e.bucket = (char *)BUCKET;
    e.key = (char *)KEY;
    e.key_store = (char *)STORE;
    if (take_one(request, &e).found)
        (void)snprintf(ret + strlen(ret), size - strlen(ret), "%s ", name);
}

/* S3's code says whether bucket or key is to blame. */
static void test_what_the_delivery_error_rules_out(void **state) {
    static const struct {
        const char *code, *taken;
    } cases[] = {
        { "", "DeleteBucket PutBucketPolicy PutBucketRequestPayment " BY_KEY },
        { "AccessDenied", "DeleteBucket PutBucketPolicy PutBucketRequestPayment " BY_KEY },
        { "NoSuchBucket", "DeleteBucket " },
        { "KMS.DisabledException", BY_KEY },
    };

    static const char *const calls[] = {
        "DeleteBucket", "PutBucketPolicy",          "PutBucketRequestPayment",
        "DisableKey",   "DisconnectCustomKeyStore", "PutKeyPolicy",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char taken[256] = "", with_checks[256] = "";
        AttributeRequest q = main_trail;

        q.delivery_code = cases[i].code;
        for (size_t call = 0; call < ARRAY_SIZE(calls); call++) {
            q.findings = BIT(DELIVERY);
            add_taken(&q, calls[call], taken, sizeof(taken));
            /* of what S3 says of the bucket itself no delivery error says anything */
            q.findings = BIT(DELIVERY) | BIT(BUCKET) | BIT(KEY);
            add_taken(&q, calls[call], with_checks, sizeof(with_checks));
        }
        assert_string_equal(taken, cases[i].taken);
        assert_non_null(strstr(with_checks, "DeleteBucket PutBucketPolicy "));
        assert_non_null(strstr(with_checks, "DisableKey DisconnectCustomKeyStore "));
    }
}

/* Whoever makes the bucket's owner pay, as almost every bucket has it, breaks nothing. */
static void test_who_pays(void **state) {
    AttributeRequest q = main_trail;
    CloudTrailEvent e = event_of("PutBucketRequestPayment", "");

    (void)state;
    q.findings = BIT(DELIVERY);
    e.bucket = (char *)BUCKET;
    e.parameters = (char *)"{\"RequestPaymentConfiguration\":{\"Payer\":\"Requester\"}}";
    assert_true(take_one(&q, &e).found);
    e.parameters = (char *)"{\"RequestPaymentConfiguration\":{\"Payer\":\"BucketOwner\"}}";
    assert_false(take_one(&q, &e).found);
    e.event_name = (char *)"PutBucketPolicy"; /* nobody hides behind these words */
    assert_true(take_one(&q, &e).found);
}

#define OPEN_BUCKET                                                                                         \
    "{\"bucketPolicy\":{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:*\","       \
    "\"Resource\":\"*\"}}}"
#define CLOSED_BUCKET "{\"bucketPolicy\":{\"Statement\":[]}}"
#define UNREAD_BUCKET "{\"bucketPolicy\":{\"Statement\":[..."
#define OPEN_KEY                                                                                            \
    "{\"policy\":\"{\\\"Statement\\\":{\\\"Effect\\\":\\\"Allow\\\",\\\"Principal\\\":\\\"*\\\","           \
    "\\\"Action\\\":\\\"*\\\"}}\"}"
#define CLOSED_KEY "{\"policy\":\"{\\\"Statement\\\":[]}\"}"

typedef struct Written {
    const char *name, *parameters;
    unsigned second;
} Written;

/* The second of the call that is taken for the cause, of calls in the order of the history: of one name
 * after the other, and the newest of it first. 0: none. */
static unsigned cause_of(const AttributeRequest *request, const Written *calls, size_t n) {
    Attribution found = { 0 };

    for (size_t i = 0; i < n && calls[i].name; i++) {
        CloudTrailEvent e = event_of(calls[i].name, "");

        e.bucket = (char *)BUCKET;
        e.key = (char *)KEY;
        e.parameters = (char *)calls[i].parameters;
        e.event_time_usec = FROM + calls[i].second * USEC_PER_SEC;
        attribute_take(request, &e, &found);
    }
    return found.found ? (unsigned)((found.actor.event_usec - FROM) / USEC_PER_SEC) : 0;
}

#define PUT(parameters, second)                                                                             \
    { "PutBucketPolicy", parameters, second }
#define PUT_KEY(parameters, second)                                                                         \
    { "PutKeyPolicy", parameters, second }
#define DELETE(second)                                                                                      \
    { "DeleteBucketPolicy", "", second }

/* What was closed already nobody can close. */
static void test_who_closed_a_policy_first(void **state) {
    static const struct {
        Written calls[12];
        unsigned cause;
    } cases[] = {
        { { PUT(OPEN_BUCKET, 2) }, 0 },
        { { PUT(CLOSED_BUCKET, 3), PUT(CLOSED_BUCKET, 2) }, 2 },
        { { PUT(CLOSED_BUCKET, 2), PUT(CLOSED_BUCKET, 3) }, 2 },
        { { PUT(CLOSED_BUCKET, 4), PUT(OPEN_BUCKET, 3), PUT(CLOSED_BUCKET, 2) }, 4 },
        { { PUT(OPEN_BUCKET, 4), PUT(CLOSED_BUCKET, 3), PUT(CLOSED_BUCKET, 2) }, 2 },
        { { PUT(CLOSED_BUCKET, 3), DELETE(2) }, 2 },
        { { PUT(CLOSED_BUCKET, 4), PUT(OPEN_BUCKET, 3), DELETE(2) }, 4 },
        { { PUT(CLOSED_BUCKET, 5), PUT(OPEN_BUCKET, 3), DELETE(4), DELETE(2) }, 4 },
        /* a policy that nobody can read is taken for the cause where no other is surely it */
        { { PUT(UNREAD_BUCKET, 3), PUT(CLOSED_BUCKET, 2) }, 2 },
        { { PUT(CLOSED_BUCKET, 3), PUT(UNREAD_BUCKET, 2) }, 3 },
        { { PUT(UNREAD_BUCKET, 4), PUT(OPEN_BUCKET, 3), PUT(CLOSED_BUCKET, 2) }, 4 },
        { { PUT(UNREAD_BUCKET, 3), PUT(UNREAD_BUCKET, 2) }, 3 },
        { { PUT_KEY(CLOSED_KEY, 4), PUT_KEY(CLOSED_KEY, 3), PUT_KEY(OPEN_KEY, 2) }, 3 },
        /* a bucket that is open opens no key */
        { { PUT(OPEN_BUCKET, 3), PUT_KEY(CLOSED_KEY, 4), PUT_KEY(CLOSED_KEY, 2) }, 2 },
        { { PUT(CLOSED_BUCKET, 2), PUT_KEY(CLOSED_KEY, 3) }, 3 },
        /* more openings than are kept: the newest count */
        { { PUT(CLOSED_BUCKET, 20), PUT(OPEN_BUCKET, 19), PUT(OPEN_BUCKET, 9), PUT(OPEN_BUCKET, 8),
            PUT(OPEN_BUCKET, 7), PUT(OPEN_BUCKET, 6), PUT(OPEN_BUCKET, 5), PUT(OPEN_BUCKET, 4),
            PUT(OPEN_BUCKET, 3), PUT(OPEN_BUCKET, 2), DELETE(10) },
          20 },
    };
    AttributeRequest q = main_trail;

    (void)state;
    q.findings = BIT(DELIVERY);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (cause_of(&q, cases[i].calls, ARRAY_SIZE(cases[i].calls)) != cases[i].cause)
            fail_msg("case %zu", i);
}

/* ---- one of several, and nobody can say which ---- */

static void take_call(const AttributeRequest *request, const char *name, const char *parameters,
                      const char *user, unsigned second, Attribution *found) {
    CloudTrailEvent e = event_of(name, "");
    char arn[64];

    (void)snprintf(arn, sizeof(arn), "arn:aws:iam::111122223333:user/%s", user);
    e.identity.arn = arn;
    e.identity.user_name = (char *)user;
    e.bucket = (char *)BUCKET;
    e.key = (char *)KEY;
    e.role = (char *)"logs";
    e.omitted = text_equal(parameters, "omitted");
    if (!e.omitted && text_equal(name, "PutEventSelectors"))
        e.trail = (char *)ARN;
    e.parameters = (char *)parameters;
    e.event_time_usec = FROM + second * USEC_PER_SEC;
    attribute_take(request, &e, found);
}

typedef struct Made {
    const char *name, *parameters, *user;
    unsigned second;
} Made;

/* "bob 2, carl 3": the candidates, else "bob" who it was. */
static const char *conclusion_of(const AttributeRequest *request, const Made *calls, size_t n,
                                 bool backwards, char dst[static 512]) {
    Attribution found = { 0 };
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        const Made *c = &calls[backwards ? n - 1 - i : i];

        if (c->name)
            take_call(request, c->name, c->parameters, c->user, c->second, &found);
    }
    attribute_conclude(request, &found);
    (void)snprintf(dst, 512, "%s%s", found.actor.name, found.incomplete ? "?" : "");
    for (unsigned i = 0; i < found.n_candidates; i++)
        len += (size_t)snprintf(dst + len, 512 - len, "%s%s %u", i > 0 ? ", " : "", found.candidates[i].name,
                                (unsigned)((found.candidates[i].event_usec - FROM) / USEC_PER_SEC));
    assert_true(found.n_candidates != 1 && (found.n_candidates == 0 || found.incomplete));
    return dst;
}

#define SELECT(parameters, user, second)                                                                    \
    { "PutEventSelectors", parameters, user, second }
#define ROLE(name, user, second)                                                                            \
    { name, "{}", user, second }
#define POLICY(parameters, user, second)                                                                    \
    { "PutBucketPolicy", parameters, user, second }
#define KEY_POLICY(parameters, user, second)                                                                \
    { "PutKeyPolicy", parameters, user, second }

/* In whichever order the history shows them. */
static void assert_conclusion(const AttributeRequest *request, const Made *calls, size_t n, const char *is) {
    char dst[512];

    for (unsigned backwards = 0; backwards < 2; backwards++)
        assert_string_equal(conclusion_of(request, calls, n, backwards, dst), is);
}

static void test_candidates(void **state) {
    static const struct {
        Made calls[4];
        const char *is;
    } cases[] = {
        { { POLICY(CLOSED_BUCKET, "bob", 2) }, "bob" },
        { { POLICY(UNREAD_BUCKET, "bob", 2) }, "bob?" },
        { { POLICY(UNREAD_BUCKET, "carl", 3), POLICY(UNREAD_BUCKET, "bob", 2) }, "bob 2, carl 3" },
        /* one caller alone is in no doubt */
        { { POLICY(UNREAD_BUCKET, "bob", 3), POLICY(UNREAD_BUCKET, "bob", 2) }, "bob?" },
        /* what surely closes it names its caller, unless it may have been closed before */
        { { POLICY(UNREAD_BUCKET, "carl", 3), POLICY(CLOSED_BUCKET, "bob", 2) }, "bob" },
        { { POLICY(CLOSED_BUCKET, "carl", 3), POLICY(UNREAD_BUCKET, "bob", 2) }, "bob 2, carl 3" },
        { { POLICY(CLOSED_BUCKET, "carl", 4), POLICY(OPEN_BUCKET, "eve", 3),
            POLICY(UNREAD_BUCKET, "bob", 2) },
          "carl" },
        { { KEY_POLICY(UNREAD_BUCKET, "carl", 3), POLICY(CLOSED_BUCKET, "bob", 2) }, "bob" },
        { { POLICY(UNREAD_BUCKET, "carl", 3), KEY_POLICY(CLOSED_KEY, "bob", 2) }, "bob" },
        { { KEY_POLICY(UNREAD_BUCKET, "carl", 3), POLICY(UNREAD_BUCKET, "bob", 2) }, "bob 2, carl 3" },
        /* opened since, and then written by somebody else */
        { { POLICY(UNREAD_BUCKET, "carl", 4), POLICY(OPEN_BUCKET, "eve", 3),
            POLICY(CLOSED_BUCKET, "bob", 2) },
          "bob 2, carl 4" },
    };
    AttributeRequest q = main_trail;

    (void)state;
    q.findings = BIT(DELIVERY);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_conclusion(&q, cases[i].calls, ARRAY_SIZE(cases[i].calls), cases[i].is);
}

static void test_candidates_of_other_kinds(void **state) {
    static const Made roles[] = { ROLE("AttachRolePolicy", "carl", 3), ROLE("DetachRolePolicy", "bob", 2) },
                      gone[] = { ROLE("DeleteRole", "bob", 3), ROLE("AttachRolePolicy", "carl", 2) },
                      left_out[] = { SELECT("omitted", "bob", 3), SELECT("{}", "carl", 2) },
                      named[] = { SELECT("{}", "bob", 3), SELECT("omitted", "carl", 2) };
    AttributeRequest q = main_trail;

    (void)state;
    q.log_role = "arn:aws:iam::111122223333:role/logs";
    q.findings = BIT(LOG_GROUP);
    assert_conclusion(&q, roles, 2, "bob 2, carl 3");
    assert_conclusion(&q, gone, 2, "bob");
    q.findings = BIT(CHANGED);
    q.fields = FIELD_BIT(FIELD_SELECTORS);
    assert_conclusion(&q, left_out, 2, "carl 2, bob 3");
    assert_conclusion(&q, named, 2, "bob");
}

/* The history has whole seconds. */
static void test_two_that_close_a_policy_in_one_second(void **state) {
    AttributeRequest q = main_trail;
    Attribution found = { 0 };

    (void)state;
    q.findings = BIT(DELIVERY);
    take_call(&q, "PutBucketPolicy", CLOSED_BUCKET, "carl", 2, &found);
    take_call(&q, "DeleteBucketPolicy", "", "bob", 2, &found);
    take_call(&q, "PutBucketPolicy", CLOSED_BUCKET, "eve", 3, &found);
    attribute_conclude(&q, &found);
    assert_true(found.n_candidates == 2 && found.incomplete);
    assert_string_equal(found.candidates[0].name, "carl");
    assert_string_equal(found.candidates[1].name, "bob");
}

/* Many calls of one caller hide no other, and many callers are too many to list; whoever is taken for the
 * cause is on the list. */
static void test_many_candidates(void **state) {
    AttributeRequest q = main_trail;
    Attribution found = { 0 };

    (void)state;
    q.findings = BIT(DELIVERY);
    for (unsigned i = 0; i < 100; i++)
        take_call(&q, "PutBucketPolicy", UNREAD_BUCKET, "bob", 10 + (i * 37) % 100, &found);
    take_call(&q, "PutBucketPolicy", UNREAD_BUCKET, "carl", 5, &found);
    attribute_conclude(&q, &found);
    assert_int_equal(found.n_candidates, 3);
    assert_false(found.more_candidates);
    assert_string_equal(found.candidates[0].name, "carl");
    assert_true(found.candidates[1].event_usec == FROM + 10 * USEC_PER_SEC);
    assert_true(found.candidates[2].event_usec == FROM + 109 * USEC_PER_SEC);
    found = (Attribution){ 0 };
    for (unsigned i = 0; i < 20; i++) {
        char user[] = { (char)('a' + i), '\0' };

        take_call(&q, "PutBucketPolicy", UNREAD_BUCKET, user, 10 + i, &found);
    }
    attribute_conclude(&q, &found);
    assert_int_equal(found.n_candidates, CANDIDATES_MAX);
    assert_true(found.more_candidates);
    assert_string_equal(found.candidates[CANDIDATES_MAX - 1].name, "t");
}

/* The same record comes with several questions. */
static void test_a_call_counts_once(void **state) {
    AttributeRequest q = main_trail;
    Attribution found = { 0 };

    (void)state;
    q.findings = BIT(DELIVERY);
    for (unsigned i = 0; i < 6; i++)
        take_call(&q, "PutBucketPolicy", UNREAD_BUCKET, i % 2 ? "bob" : "carl", 2, &found);
    attribute_conclude(&q, &found);
    assert_int_equal(found.n_candidates, 2);
    found = (Attribution){ 0 };
    attribute_conclude(&q, &found);
    assert_false(found.found || found.incomplete);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_namesake_in_the_account_of_a_delegated_administrator),
        cmocka_unit_test(test_an_update_of_other_settings),
        cmocka_unit_test(test_a_trail_without_a_name),
        cmocka_unit_test(test_the_former_identity),
        cmocka_unit_test(test_a_policy_and_another_call),
        cmocka_unit_test(test_what_the_delivery_error_rules_out),
        cmocka_unit_test(test_who_pays),
        cmocka_unit_test(test_who_closed_a_policy_first),
        cmocka_unit_test(test_candidates),
        cmocka_unit_test(test_candidates_of_other_kinds),
        cmocka_unit_test(test_two_that_close_a_policy_in_one_second),
        cmocka_unit_test(test_many_candidates),
        cmocka_unit_test(test_a_call_counts_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
