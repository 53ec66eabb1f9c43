/* SPDX-License-Identifier: Apache-2.0 */
/* One look at what stands behind a trail: what is said of bucket, policy, lifecycle and key, and what is not
 * said when AWS does not answer. */
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

#include "daemon/io/bucket_check.h"
#include "lib/util/macros.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/service_fixture.h"
/* link: -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc */

#define REGION  "eu-central-1"
#define OWNER   "111122223333"
#define ARCHIVE "444455556666"
#define BUCKET  "example-logs"
#define KEY     "arn:aws:kms:eu-west-1:111122223333:key/1111aaaa-22bb-33cc-44dd-5555eeee6666"

#define ERROR(code)     "{\"__type\":\"" code "\",\"message\":\"no\"}"
#define XML_ERROR(code) "<Error><Code>" code "</Code><Message>no</Message></Error>"
#define RULES(rules)    "<LifecycleConfiguration>" rules "</LifecycleConfiguration>"
#define STATE(state)    "{\"KeyMetadata\":{\"KeyState\":\"" state "\"}}"

/* One rule: name, prefix, whether enabled, what it does. */
#define RULE(id, prefix, status, does)                                                                      \
    "<Rule><ID>" id "</ID><Filter><Prefix>" prefix "</Prefix></Filter><Status>" status "</Status>" does     \
    "</Rule>"
#define DAYS(days) "<Expiration><Days>" days "</Days></Expiration>"
#define DATE(date) "<Expiration><Date>" date "</Date></Expiration>"

#define STATEMENT(effect, principal, action)                                                                \
    "{\"Effect\":\"" effect "\",\"Principal\":" principal ",\"Action\":" action                             \
    ",\"Resource\":\"arn:aws:s3:::" BUCKET "/AWSLogs/" OWNER "/*\"}"
#define CLOUDTRAIL         "{\"Service\":\"cloudtrail.amazonaws.com\"}"
#define ACL_CHECK                                                                                           \
    "{\"Effect\":\"Allow\",\"Principal\":" CLOUDTRAIL ",\"Action\":\"s3:GetBucketAcl\"}"
#define POLICY(statements) "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"
/* What a statement says of other objects, or only under a condition. */
#define WITHIN(effect, principal, resource, more)                                                           \
    "{\"Effect\":\"" effect "\",\"Principal\":" principal                                                   \
    ",\"Action\":\"s3:PutObject\",\"Resource\":" resource more "}"
#define BELOW(path) "\"arn:aws:s3:::" path "\""
#define IF_MINE     ",\"Condition\":{\"StringNotEquals\":{\"aws:SourceArn\":\"arn:aws:cloudtrail:x\"}}"
#define OPEN        STATEMENT("Allow", CLOUDTRAIL, "\"s3:PutObject\"")

/* As AWS's user guide has it, for any prefix. */
#define GOOD_POLICY POLICY(ACL_CHECK "," WITHIN("Allow", CLOUDTRAIL, BELOW(BUCKET "/*"), ""))

#define CLOSED "its policy does not let CloudTrail write"

typedef struct Looking {
    ServiceFixture *f;
    bool more, known, confirmed; /* owners */
    bool owner_only;
    const char *actual_prefix;
    bool pinned;
    unsigned n_done;
    BucketSnapshot snapshot;
} Looking;

static void on_done(const BucketSnapshot *snapshot, void *userdata) {
    Looking *l = userdata;

    l->n_done++;
    l->snapshot = *snapshot;
}

static int start(Looking *l, const char *prefix, const char *key, BucketCheck **ret) {
    char bucket[] = BUCKET, region[] = REGION, owner[] = OWNER;
    BucketCheckRequest request = {
        .aws = l->f->aws,
        .credentials = l->f->credentials,
        .region = region,
        .bucket = bucket,
        .prefix = prefix,
        .account = owner,
        .key = key,
        .actual_prefix = l->actual_prefix,
        .pinned = l->pinned,
        .owner_only = l->owner_only,
        .owners = { { OWNER, l->f->credentials }, { ARCHIVE, l->f->credentials } },
        .n_owners = l->more ? 2 : 1,
        .owner_known = l->known,
        .owner_confirmed = l->confirmed,
    };
    int r = bucket_check_start(&request, on_done, l, ret);

    memset(bucket, 'x', sizeof(bucket) - 1);
    memset(region, 'x', sizeof(region) - 1);
    memset(owner, 'x', sizeof(owner) - 1);
    return r;
}

static Looking poll_with(Looking l, const char *prefix, const char *key) {
    ServiceFixture *f = l.f;
    BucketCheck *poll;

    assert_int_equal(start(&l, prefix, key, &poll), 0);
    assert_int_equal(l.n_done, 0);
    fake_loop_advance(f->loop, 5 * aws_client_deadline_usec(f->aws));
    assert_int_equal(l.n_done, 1);
    assert_int_equal(fake_http_n_running(f->http), 0);
    assert_int_equal(fake_http_n_left(f->http), 0);
    return l;
}

static Looking snapshot(ServiceFixture *f, const char *prefix, const char *key) {
    return poll_with((Looking){ .f = f }, prefix, key);
}

static void reply_head(ServiceFixture *f) {
    fake_http_reply(f->http, 200, "", "x-amz-bucket-region", REGION, NULL);
}

static void reply_well(ServiceFixture *f) {
    reply_head(f);
    fake_http_reply(f->http, 404, XML_ERROR("NoSuchLifecycleConfiguration"), NULL);
    fake_http_reply(f->http, 200, GOOD_POLICY, NULL);
}

/* Why something could not be polled; "": all could. */
static const char *unread(const Looking *l) {
    for (Unreadable u = UNREADABLE_BUCKET; u < _UNREADABLE_MAX; u++)
        if (l->snapshot.failures[u].text[0])
            return l->snapshot.failures[u].text;
    return "";
}

static void assert_poll(const Looking *l, const char *bucket, const char *lifecycle, const char *key,
                        const char *text) {
    assert_string_equal(l->snapshot.bucket_error, bucket);
    assert_string_equal(l->snapshot.lifecycle_error, lifecycle);
    assert_string_equal(l->snapshot.key_error, key);
    assert_string_equal(unread(l), text);
}

/* ---- all is well, and what is asked ---- */

static void test_all_is_well(void **state) {
    ServiceFixture *f = *state;
    Looking l;

    reply_head(f);
    fake_http_reply(f->http, 200, STATE("Enabled"), NULL);
    fake_http_reply(f->http, 404, XML_ERROR("NoSuchLifecycleConfiguration"), NULL);
    fake_http_reply(f->http, 200, GOOD_POLICY, NULL);
    l = snapshot(f, "audit", KEY);
    assert_poll(&l, "", "", "", "");
    assert_int_equal(fake_http_n_requests(f->http), 4);
    assert_string_equal(fake_http_request(f->http, 0)->method, "HEAD");
    assert_string_equal(fake_http_request(f->http, 0)->url,
                        "https://" BUCKET ".s3." REGION ".amazonaws.com/");
    /* the key's own region */
    assert_string_equal(fake_http_request(f->http, 1)->url, "https://kms.eu-west-1.amazonaws.com/");
    assert_string_equal(fake_http_request(f->http, 1)->body, "{\"KeyId\":\"" KEY "\"}");
    assert_string_equal(fake_http_request(f->http, 2)->url,
                        "https://" BUCKET ".s3." REGION ".amazonaws.com/?lifecycle");
    assert_string_equal(fake_http_request(f->http, 3)->url,
                        "https://" BUCKET ".s3." REGION ".amazonaws.com/?policy");
    for (unsigned i = 0; i < 4; i++)
        if (i != 1)
            assert_string_equal(
                    fake_request_header(fake_http_request(f->http, i), "x-amz-expected-bucket-owner"),
                    OWNER);
}

/* No prefix, no key: NULL is as good as "". */
static void test_without_a_key(void **state) {
    ServiceFixture *f = *state;

    for (unsigned i = 0; i < 2; i++) {
        Looking l;

        reply_well(f);
        l = snapshot(f, i ? NULL : "", i ? NULL : "");
        assert_poll(&l, "", "", "", "");
        assert_int_equal(fake_http_n_requests(f->http), 3 * (i + 1));
    }
}

/* The rest is asked where the bucket is. */
static void test_a_bucket_elsewhere(void **state) {
    ServiceFixture *f = *state;
    Looking l;

    fake_http_reply(f->http, 301, "", "x-amz-bucket-region", "us-west-2", NULL);
    fake_http_reply(f->http, 200, "", "x-amz-bucket-region", "us-west-2", NULL);
    fake_http_reply(f->http, 404, XML_ERROR("NoSuchLifecycleConfiguration"), NULL);
    fake_http_reply(f->http, 200, GOOD_POLICY, NULL);
    l = snapshot(f, "", NULL);
    assert_poll(&l, "", "", "", "");
    assert_string_equal(fake_http_request(f->http, 2)->url,
                        "https://" BUCKET ".s3.us-west-2.amazonaws.com/?lifecycle");
    assert_string_equal(fake_http_request(f->http, 3)->url,
                        "https://" BUCKET ".s3.us-west-2.amazonaws.com/?policy");
}

/* ---- the bucket ---- */

static void test_the_bucket_itself(void **state) {
    static const struct {
        HttpResult result;
        int status;
        const char *bucket, *text;
    } cases[] = {
        { HTTP_ANSWERED, 404, "it is gone", "" },
        { HTTP_ANSWERED, 403, "", NULL },
        { HTTP_CONNECT_FAILED, 0, "", "HeadBucket of " BUCKET ": it broke" },
        { HTTP_TIMED_OUT, 0, "", "HeadBucket of " BUCKET ": it broke" },
        { HTTP_ANSWERED, 503, "", NULL },
        { HTTP_ANSWERED, 400, "", NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ServiceFixture *f;
        Looking l;

        service_set_up_patient(state);
        f = *state;
        if (cases[i].result == HTTP_ANSWERED)
            fake_http_reply(f->http, cases[i].status, "", "x-amz-request-id", "r", NULL);
        else
            fake_http_fail(f->http, cases[i].result, "it broke");
        l = snapshot(f, "", NULL);
        assert_poll(&l, cases[i].bucket, "", "", cases[i].text ? cases[i].text : unread(&l));
        /* either something is wrong, or nothing is said and why */
        assert_int_equal(l.snapshot.bucket_error[0] == '\0', unread(&l)[0] != '\0');
        assert_int_equal(fake_http_n_requests(f->http), 1);
        service_tear_down(state);
    }
}

/* A bucket in a log archive account is no fault; that it changed hands is one, as far as S3 says so. */
static void test_owners(void **state) {
    static const struct {
        bool known, confirmed, first, second; /* which of the two S3 confirms */
        const char *owner, *bucket;
        bool is_told; /* that it cannot be checked */
    } cases[] = {
        { false, false, true, false, OWNER, "", false },
        { false, false, false, true, ARCHIVE, "", false },
        { false, false, false, false, "", "", true },
        { true, true, true, false, OWNER, "", false },
        { true, true, false, true, ARCHIVE, "it belongs to " ARCHIVE ", not to " OWNER, false },
        { true, true, false, false, "", "it was " OWNER "'s; now S3 refuses to say whose it is", false },
        { true, false, false, true, ARCHIVE, "it belongs to " ARCHIVE ", not to " OWNER, false },
        { true, false, false, false, "", "", true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ServiceFixture *f;
        Looking l;

        service_set_up_patient(state);
        f = *state;
        if (!cases[i].first)
            fake_http_reply(f->http, 403, "", "x-amz-request-id", "r", NULL);
        if (!cases[i].first && !cases[i].second)
            fake_http_reply(f->http, 403, "", "x-amz-request-id", "r", NULL);
        else if (cases[i].owner[0] && !cases[i].bucket[0])
            reply_well(f);
        else
            reply_head(f);
        l = poll_with(
                (Looking){ .f = f, .more = true, .known = cases[i].known, .confirmed = cases[i].confirmed },
                "", NULL);
        assert_string_equal(l.snapshot.owner, cases[i].owner);
        assert_string_equal(l.snapshot.bucket_error, cases[i].bucket);
        assert_int_equal(unread(&l)[0] != '\0', cases[i].is_told);
        assert_string_equal(fake_request_header(fake_http_request(f->http, cases[i].first ? 0 : 1),
                                                "x-amz-expected-bucket-owner"),
                            cases[i].first ? OWNER : ARCHIVE);
        service_tear_down(state);
    }
}

/* One HeadBucket, and nothing else. */
static void test_the_owner_alone(void **state) {
    ServiceFixture *f = *state;
    Looking l;

    reply_head(f);
    l = poll_with((Looking){ .f = f, .owner_only = true, .known = true, .confirmed = true }, "", KEY);
    assert_int_equal(fake_http_n_requests(f->http), 1);
    assert_string_equal(fake_request_header(fake_http_request(f->http, 0), "x-amz-expected-bucket-owner"),
                        OWNER);
    assert_poll(&l, "", "", "", "");
    assert_string_equal(l.snapshot.owner, OWNER);
    assert_string_equal(l.snapshot.region, REGION);
    assert_false(l.snapshot.found); /* the rest was not asked for */

    fake_http_reply(f->http, 403, "", NULL);
    l = poll_with((Looking){ .f = f, .owner_only = true, .known = true, .confirmed = true }, "", KEY);
    assert_poll(&l, "it was " OWNER "'s; now S3 refuses to say whose it is", "", "", "");
    assert_int_equal(fake_http_n_requests(f->http), 2);
}

/* ---- its policy ---- */

static void test_policy(void **state) {
    static const struct {
        int status;
        const char *policy, *bucket;
    } cases[] = {
        { 200, GOOD_POLICY, "" },
        { 200, POLICY(ACL_CHECK "," OPEN), "" },
        { 404, XML_ERROR("NoSuchBucketPolicy"), "it has no policy" },
        { 200, POLICY(""), CLOSED },
        { 200, POLICY(ACL_CHECK), CLOSED },
        { 200, "{}", CLOSED },
        { 200, "{\"Statement\":" STATEMENT("Allow", CLOUDTRAIL, "\"s3:PutObject\"") "}", "" },
        { 200, POLICY(STATEMENT("Allow", CLOUDTRAIL, "[\"s3:GetBucketAcl\",\"s3:PutObject\"]")), "" },
        { 200, POLICY(STATEMENT("Allow", CLOUDTRAIL, "\"s3:Put*\"")), "" },
        { 200, POLICY(STATEMENT("Allow", CLOUDTRAIL, "\"s3:*\"")), "" },
        { 200, POLICY(STATEMENT("Allow", CLOUDTRAIL, "\"*\"")), "" },
        { 200, POLICY(STATEMENT("Allow", CLOUDTRAIL, "\"s3:PutObject*\"")), "" },
        { 200, POLICY(STATEMENT("Allow", CLOUDTRAIL, "[\"s3:G*\",\"S3:putobject\"]")), "" },
        { 200, POLICY(STATEMENT("Allow", CLOUDTRAIL, "\"s3:?utObject\"")), "" },
        { 200,
          POLICY(STATEMENT("Allow", CLOUDTRAIL, "\"s3:PutObject\"") "," STATEMENT("Deny", CLOUDTRAIL,
                                                                                  "\"s3:P*\"")),
          CLOSED },
        { 200, POLICY(STATEMENT("Allow", CLOUDTRAIL, "\"s3:PutObjectAcl\"")), CLOSED },
        { 200, POLICY(STATEMENT("Allow", CLOUDTRAIL, "\"s3:Get*\"")), CLOSED },
        { 200, POLICY(STATEMENT("Allow", CLOUDTRAIL, "7")), CLOSED },
        { 200,
          POLICY(STATEMENT("Allow",
                           "{\"Service\":[\"config.amazonaws.com\","
                           "\"cloudtrail.amazonaws.com\"]}",
                           "\"s3:PutObject\"")),
          "" },
        { 200, POLICY(STATEMENT("Allow", "{\"Service\":\"config.amazonaws.com\"}", "\"s3:PutObject\"")),
          CLOSED },
        { 200, POLICY(STATEMENT("Allow", "{\"AWS\":\"arn:aws:iam::" OWNER ":root\"}", "\"s3:*\"")), CLOSED },
        { 200, POLICY(STATEMENT("Deny", CLOUDTRAIL, "\"s3:PutObject\"")), CLOSED },
        { 200,
          POLICY(STATEMENT("Allow", CLOUDTRAIL, "\"s3:PutObject\"") "," STATEMENT("Deny", CLOUDTRAIL,
                                                                                  "\"s3:*\"")),
          CLOSED },
        { 200,
          POLICY(STATEMENT("Deny", "{\"Service\":\"*\"}",
                           "\"s3:PutObject\"") "," STATEMENT("Allow", CLOUDTRAIL, "\"s3:PutObject\"")),
          CLOSED },
        /* what keeps others out, as everybody's policy does that wants TLS */
        { 200,
          POLICY(STATEMENT("Allow", CLOUDTRAIL,
                           "\"s3:PutObject\"") ","
                                               "{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:*"
                                               "\",\"Resource\":\"*\",\"Condition\":"
                                               "{\"Bool\":{\"aws:SecureTransport\":\"false\"}}}"),
          "" },
        { 200,
          POLICY(STATEMENT("Allow", CLOUDTRAIL, "\"s3:PutObject\"") "," STATEMENT("Deny", CLOUDTRAIL,
                                                                                  "\"s3:DeleteObject\"")),
          "" },
        { 200, POLICY(OPEN "," WITHIN("Deny", CLOUDTRAIL, BELOW(BUCKET "/*"), IF_MINE)), "" },
        { 200, POLICY(WITHIN("Allow", CLOUDTRAIL, BELOW(BUCKET "/*"), IF_MINE)), "" },
        /* everybody is CloudTrail too */
        { 200, POLICY(OPEN "," WITHIN("Deny", "\"*\"", BELOW(BUCKET "/*"), "")), CLOSED },
        { 200, POLICY(OPEN "," WITHIN("Deny", "{\"AWS\":\"*\"}", BELOW(BUCKET "/AWSLogs/*"), "")), CLOSED },
        { 200, POLICY(OPEN "," WITHIN("Deny", "{\"AWS\":\"" OWNER "\"}", BELOW(BUCKET "/*"), "")), "" },
        { 200, POLICY(WITHIN("Allow", "\"*\"", BELOW(BUCKET "/*"), "")), "" },
        /* where the log files are, and where not */
        { 200,
          POLICY(OPEN "," WITHIN("Deny", CLOUDTRAIL, BELOW(BUCKET "/AWSLogs/" OWNER "/CloudTrail/*"), "")),
          CLOSED },
        { 200, POLICY(OPEN "," WITHIN("Deny", CLOUDTRAIL, "[" BELOW("x/*") ",\"*\"]", "")), CLOSED },
        { 200, POLICY(OPEN "," WITHIN("Deny", CLOUDTRAIL, BELOW(BUCKET "/AWSLogs/999988887777/*"), "")),
          "" },
        { 200, POLICY(OPEN "," WITHIN("Deny", CLOUDTRAIL, BELOW(BUCKET "/*/secret"), "")), "" },
        { 200, POLICY(OPEN "," WITHIN("Deny", CLOUDTRAIL, BELOW(BUCKET), "")), "" },
        { 200, POLICY(WITHIN("Allow", CLOUDTRAIL, BELOW(BUCKET "/elsewhere/AWSLogs/*"), "")), CLOSED },
        { 200, POLICY(WITHIN("Allow", CLOUDTRAIL, BELOW("another-bucket/*"), "")), CLOSED },
        { 200, POLICY(WITHIN("Allow", CLOUDTRAIL, BELOW(BUCKET "/AWSLogs/o-abc/*"), "")), "" },
        { 200, POLICY(WITHIN("Allow", CLOUDTRAIL, "7", "")), CLOSED },
        { 200,
          POLICY("{\"Effect\":\"Allow\",\"Principal\":\"*\",\"NotAction\":\"s3:Get*\",\"NotResource\":"
                 "\"x\"}"),
          "" },
        { 200,
          POLICY(OPEN
                 ",{\"Effect\":\"Deny\",\"Principal\":\"*\",\"NotAction\":\"s3:Get*\",\"Resource\":\"*\"}"),
          "" },
        { 200, POLICY("null,7,[]," STATEMENT("Allow", CLOUDTRAIL, "\"s3:PutObject\"")), "" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ServiceFixture *f;
        Looking l;

        service_set_up_patient(state);
        f = *state;
        reply_head(f);
        fake_http_reply(f->http, 200, RULES(""), NULL);
        fake_http_reply(f->http, cases[i].status, cases[i].policy, NULL);
        l = snapshot(f, "", NULL);
        if (strcmp(l.snapshot.bucket_error, cases[i].bucket) != 0)
            fail_msg("case %zu: \"%s\" of %s", i, l.snapshot.bucket_error, cases[i].policy);
        assert_poll(&l, cases[i].bucket, "", "", "");
        service_tear_down(state);
    }
}

/* Below "a" CloudTrail may write; below "b" it may not. */
#define ONLY_A                                                                                              \
    POLICY("{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"cloudtrail.amazonaws.com\"},\"Action\":"     \
           "\"s3:PutObject\","                                                                              \
           "\"Resource\":\"arn:aws:s3:::" BUCKET "/a/AWSLogs/" OWNER "/*\"}")

static void test_both_prefixes_are_judged(void **state) {
    static const struct {
        const char *desired, *actual, *rules;
        bool pinned;
        const char *bucket, *lifecycle;
    } cases[] = {
        { "a", "a", RULES(""), true, "", "" },
        { "a", NULL, RULES(""), true, "", "" },
        { "b", "b", RULES(""), true, CLOSED, "" },
        { "b", "c", RULES(""), true, CLOSED, "" },
        { "b", "a", RULES(""), true, CLOSED " to the pinned prefix", "" },
        { "b", "a", RULES(""), false, CLOSED " to the recorded prefix", "" },
        { "a", "b", RULES(""), true, CLOSED " to the trail's prefix", "" },
        { "a", "", RULES(""), false, CLOSED " to the trail's prefix", "" },
        { "a", "b", RULES(RULE("nuke", "b/", "Enabled", DAYS("1"))), true, CLOSED " to the trail's prefix",
          "rule nuke deletes after 1 day" },
        { "b", "a", RULES(RULE("nuke", "b/", "Enabled", DAYS("1"))), true, CLOSED " to the pinned prefix",
          "rule nuke deletes after 1 day" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ServiceFixture *f;
        Looking l;

        service_set_up_patient(state);
        f = *state;
        reply_head(f);
        fake_http_reply(f->http, 200, cases[i].rules, NULL);
        fake_http_reply(f->http, 200, ONLY_A, NULL);
        l = poll_with((Looking){ .f = f, .actual_prefix = cases[i].actual, .pinned = cases[i].pinned },
                      cases[i].desired, NULL);
        if (strcmp(l.snapshot.bucket_error, cases[i].bucket) != 0 ||
            strcmp(l.snapshot.lifecycle_error, cases[i].lifecycle) != 0)
            fail_msg("case %zu: \"%s\", \"%s\"", i, l.snapshot.bucket_error, l.snapshot.lifecycle_error);
        service_tear_down(state);
    }
}

/* ---- its lifecycle ---- */

#define ONE_DAY(prefix) RULES(RULE("nuke", prefix, "Enabled", DAYS("1")))
#define NUKED           "rule nuke deletes after 1 day"

/* The fake's time is 2026-11-24. */
static void test_lifecycle(void **state) {
    static const struct {
        const char *prefix, *rules, *error;
    } cases[] = {
        { "", RULES(""), "" },
        { "", ONE_DAY(""), NUKED },
        { "", ONE_DAY("*"), NUKED }, /* stratus-red-team */
        { "audit", ONE_DAY("*"), NUKED },
        { "", ONE_DAY("AWSLogs/"), NUKED },
        { "", ONE_DAY("AWSLogs/" OWNER "/CloudTrail/" REGION "/"), NUKED },
        { "", ONE_DAY("AWS"), NUKED },
        { "", ONE_DAY("AWSLogs2/"), "" },
        { "", ONE_DAY("audit/"), "" },
        { "audit", ONE_DAY("audit/"), NUKED },
        { "audit", ONE_DAY("audit/AWSLogs/" OWNER "/"), NUKED },
        { "audit", ONE_DAY("aud"), NUKED },
        { "audit", ONE_DAY("AWSLogs/"), "" },
        { "audit", ONE_DAY("audit2/"), "" },
        { "audit", ONE_DAY("audit/tmp/"), "" },
        { "", RULES(RULE("nuke", "", "Disabled", DAYS("1"))), "" },
        { "", RULES(RULE("nuke", "", "Enabled", DAYS("2"))), "rule nuke deletes after 2 days" },
        { "", RULES(RULE("soon", "", "Enabled", DAYS("29"))), "rule soon deletes after 29 days" },
        { "", RULES(RULE("month", "", "Enabled", DAYS("30"))), "" },
        { "", RULES(RULE("years", "", "Enabled", DAYS("2555"))), "" },
        { "", RULES("<Rule><Prefix/><Status>Enabled</Status>" DAYS("1") "</Rule>"),
          "rule without a name deletes after 1 day" },
        { "", RULES(RULE("date", "", "Enabled", DATE("2020-01-01T00:00:00.000Z"))),
          "rule date deletes by a date" },
        { "", RULES(RULE("date", "", "Enabled", DATE("2026-12-23T00:00:00.000Z"))),
          "rule date deletes by a date" },
        { "", RULES(RULE("date", "", "Enabled", DATE("2026-12-25T00:00:00.000Z"))), "" },
        { "",
          RULES(RULE("move", "", "Enabled",
                     "<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>")),
          "" },
        { "",
          RULES(RULE("month", "", "Enabled", DAYS("30")) RULE("nuke", "", "Enabled", DAYS("1"))
                        RULE("also", "", "Enabled", DAYS("2"))),
          NUKED },
        { "", RULES(RULE("a-name-that-is-longer-than-anybody-would-read", "", "Enabled", DAYS("29"))),
          "rule a-name-that-is-longer-than-any deletes after 29 days" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ServiceFixture *f;
        Looking l;

        service_set_up_patient(state);
        f = *state;
        reply_head(f);
        fake_http_reply(f->http, 200, cases[i].rules, NULL);
        fake_http_reply(f->http, 200, GOOD_POLICY, NULL);
        l = snapshot(f, cases[i].prefix, NULL);
        if (strcmp(l.snapshot.lifecycle_error, cases[i].error) != 0)
            fail_msg("case %zu: \"%s\"", i, l.snapshot.lifecycle_error);
        assert_poll(&l, "", cases[i].error, "", "");
        service_tear_down(state);
    }
}

/* ---- the key ---- */

static void test_key(void **state) {
    static const struct {
        const char *key;
        HttpResult result;
        int status; /* 0: not asked */
        const char *body, *error, *text;
    } cases[] = {
        { KEY, HTTP_ANSWERED, 200, STATE("Enabled"), "", "" },
        { KEY, HTTP_ANSWERED, 200, STATE("Disabled"), "Disabled", "" },
        { KEY, HTTP_ANSWERED, 200, STATE("PendingDeletion"), "PendingDeletion", "" },
        { KEY, HTTP_ANSWERED, 200, STATE("PendingImport"), "PendingImport", "" },
        { KEY, HTTP_ANSWERED, 400, ERROR("NotFoundException"), "NotFoundException", "" },
        { KEY, HTTP_ANSWERED, 400, ERROR("AccessDeniedException"), "",
          "DescribeKey of " KEY ": AccessDeniedException: no" },
        { KEY, HTTP_CONNECT_FAILED, 0, "it broke", "", "DescribeKey of " KEY ": it broke" },
        { "no ARN", HTTP_ANSWERED, 0, NULL, "", "DescribeKey of no ARN: Invalid argument" },
        { "arn:aws:kms:mars:111122223333:key/1", HTTP_ANSWERED, 0, NULL, "",
          "DescribeKey of arn:aws:kms:mars:111122223333:key/1: Invalid argument" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ServiceFixture *f;
        Looking l;

        service_set_up_patient(state);
        f = *state;
        reply_head(f);
        if (cases[i].status)
            fake_http_reply(f->http, cases[i].status, cases[i].body, NULL);
        else if (cases[i].result != HTTP_ANSWERED)
            fake_http_fail(f->http, cases[i].result, cases[i].body);
        fake_http_reply(f->http, 200, RULES(""), NULL);
        fake_http_reply(f->http, 200, GOOD_POLICY, NULL);
        l = snapshot(f, "", cases[i].key);
        assert_poll(&l, "", "", cases[i].error, cases[i].text);
        service_tear_down(state);
    }
}

/* ---- what cannot be looked at ---- */

/* Nothing is said of what was not seen; the rest is, and the first reason is kept. */
static void test_in_part(void **state) {
    static const struct {
        int rules_status, policy_status;
        const char *rules, *policy, *bucket, *lifecycle, *text;
    } cases[] = {
        { 403, 200, XML_ERROR("AccessDenied"), POLICY(""), CLOSED, "",
          "GetBucketLifecycleConfiguration of " BUCKET ": AccessDenied: no" },
        { 200, 403, ONE_DAY(""), XML_ERROR("AccessDenied"), "", NUKED,
          "GetBucketPolicy of " BUCKET ": AccessDenied: no" },
        { 503, 403, XML_ERROR("SlowDown"), XML_ERROR("AccessDenied"), "", "",
          "GetBucketLifecycleConfiguration of " BUCKET ": SlowDown: no" },
        { 404, 404, XML_ERROR("NoSuchBucket"), XML_ERROR("NoSuchBucket"), "", "",
          "GetBucketLifecycleConfiguration of " BUCKET ": NoSuchBucket: no" }, /* deleted just now */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ServiceFixture *f;
        Looking l;

        service_set_up_patient(state);
        f = *state;
        reply_head(f);
        fake_http_reply(f->http, cases[i].rules_status, cases[i].rules, NULL);
        fake_http_reply(f->http, cases[i].policy_status, cases[i].policy, NULL);
        l = snapshot(f, "", NULL);
        assert_poll(&l, cases[i].bucket, cases[i].lifecycle, "", cases[i].text);
        service_tear_down(state);
    }
}

static void test_names_that_are_none(void **state) {
    ServiceFixture *f = *state;
    Looking l = { .f = f };
    BucketCheckRequest request = { .aws = f->aws,
                                   .credentials = f->credentials,
                                   .region = REGION,
                                   .bucket = "no/bucket",
                                   .account = OWNER,
                                   .owners = { { OWNER, f->credentials } },
                                   .n_owners = 1 };
    BucketCheck *poll;

    assert_int_equal(bucket_check_start(&request, on_done, &l, &poll), 0);
    assert_int_equal(l.n_done, 0);
    fake_loop_run(f->loop);
    assert_int_equal(l.n_done, 1);
    assert_poll(&l, "", "", "",
                "HeadBucket of no/bucket: cannot be asked: there is no endpoint for this name");
}

/* ---- the end before the end ---- */

static void script(ServiceFixture *f) {
    reply_head(f);
    fake_http_reply(f->http, 200, STATE("Disabled"), NULL);
    fake_http_reply(f->http, 200, ONE_DAY(""), NULL);
    fake_http_reply(f->http, 200, POLICY(""), NULL);
}

static void test_cancelled_anywhere(void **state) {
    bool over = false;

    bucket_check_cancel(NULL);
    for (unsigned n = 0; !over; n++) {
        Looking l = { 0 };
        BucketCheck *poll;

        assert_true(n < 50);
        service_set_up_patient(state);
        l.f = *state;
        fake_http_set_delay(l.f->http, USEC_PER_MSEC);
        script(l.f);
        assert_int_equal(start(&l, "", KEY, &poll), 0);
        for (unsigned i = 0; i < n && l.n_done == 0; i++)
            assert_true(fake_loop_next(l.f->loop));
        over = l.n_done > 0;
        if (!over)
            bucket_check_cancel(poll);
        assert_int_equal(fake_http_n_running(l.f->http), 0);
        fake_loop_advance(l.f->loop, 100 * USEC_PER_SEC);
        assert_int_equal(l.n_done, over);
        service_tear_down(state);
    }
}

/* No trouble is made up for want of memory, jansson's included. */
static void test_no_memory(void **state) {
    bool failed = true;

    json_set_alloc_funcs(malloc, free);
    for (unsigned n = 0; failed; n++) {
        Looking l = { 0 };
        BucketCheck *poll;
        int r;

        assert_true(n < 2000);
        service_set_up_patient(state);
        l.f = *state;
        reply_head(l.f);
        fake_http_reply(l.f->http, 200, STATE("Enabled"), NULL);
        fake_http_reply(l.f->http, 200, RULES(""), NULL);
        fake_http_reply(l.f->http, 200, GOOD_POLICY, NULL);
        alloc_fail_once(n);
        r = start(&l, "", KEY, &poll);
        if (r == 0)
            fake_loop_run(l.f->loop);
        failed = alloc_fail_end();
        assert_true(r == 0 || r == -ENOMEM);
        fake_loop_advance(l.f->loop, 100 * USEC_PER_SEC);
        assert_int_equal(l.n_done, r == 0);
        /* a call that did not begin leaves its answer to the next */
        if (r == 0 && fake_http_n_requests(l.f->http) == 4)
            assert_poll(&l, "", "", "", failed ? unread(&l) : "");
        service_tear_down(state);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        PATIENT_TEST(test_all_is_well),
        PATIENT_TEST(test_without_a_key),
        PATIENT_TEST(test_a_bucket_elsewhere),
        cmocka_unit_test(test_the_bucket_itself),
        cmocka_unit_test(test_owners),
        PATIENT_TEST(test_the_owner_alone),
        cmocka_unit_test(test_both_prefixes_are_judged),
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_lifecycle),
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_in_part),
        PATIENT_TEST(test_names_that_are_none),
        cmocka_unit_test(test_cancelled_anywhere),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
