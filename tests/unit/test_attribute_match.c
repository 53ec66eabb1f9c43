/* SPDX-License-Identifier: Apache-2.0 */
/* Which recorded calls are taken for the cause of a finding, and whom they name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/attribute_match.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "tests/unit/attribute_event.h"

#define ARN    "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"
#define OTHER  "arn:aws:cloudtrail:eu-central-1:111122223333:trail/other"
#define BUCKET "example-logs"
#define KEY_ID "1111aaaa-22bb-33cc-44dd-5555eeee6666"
#define KEY    "arn:aws:kms:eu-south-1:111122223333:key/" KEY_ID
#define STORE  "cks-1234567890abcdef0"
#define GROUP  "arn:aws:logs:eu-west-1:111122223333:log-group:CloudTrail/main:*"
#define ROLE   "arn:aws:iam::111122223333:role/service-role/ToLogs"
#define TOPIC  "arn:aws:sns:eu-north-1:111122223333:deliveries"
#define OWN    "arn:aws:sts::111122223333:assumed-role/TrailGuard/i-0123456789abcdef0"

#define BIT(name) FINDING_BIT(FINDING_##name)

static const AttributeRequest main_trail = {
    .region = "eu-central-1",
    .trail_name = "main",
    .trail_arn = ARN,
    .bucket = BUCKET,
    .bucket_region = "eu-west-3",
    .key = KEY,
    .key_store = STORE,
    .log_group = GROUP,
    .log_role = ROLE,
    .topic = TOPIC,
    .own_arn = OWN,
    .from_usec = FROM,
};

/* Of the main trail, as the account sees it whose history has such calls. */
static AttributeRequest request_for(size_t call);

static Attribution take_one(const AttributeRequest *request, const CloudTrailEvent *event) {
    Attribution found = { 0 };

    attribute_take(request, event, &found);
    return found;
}

/* ---- which calls are asked for ---- */

#define DRIFT_NAMES                                                                                         \
    "CreateTrail UpdateTrail PutEventSelectors PutInsightSelectors PutEventConfiguration RemoveTags "       \
    "AddTags "
#define BUCKET_NAMES "DeleteBucket@eu-west-3 PutBucketPolicy@eu-west-3 DeleteBucketPolicy@eu-west-3 "
#define PAYER_NAME   "PutBucketRequestPayment@eu-west-3 "
#define RULE_NAMES   "PutBucketLifecycle@eu-west-3 PutBucketLifecycleConfiguration@eu-west-3 "
#define KEY_NAMES                                                                                           \
    "DisableKey@eu-south-1 ScheduleKeyDeletion@eu-south-1 DeleteImportedKeyMaterial@eu-south-1 "            \
    "DisconnectCustomKeyStore@eu-south-1 "
#define POLICY_NAME "PutKeyPolicy@eu-south-1 "
#define LOG_NAMES                                                                                           \
    "DeleteLogGroup@eu-west-1 DeleteRole@us-east-1 DeleteRolePolicy@us-east-1 DetachRolePolicy@us-east-1 "  \
    "PutRolePolicy@us-east-1 AttachRolePolicy@us-east-1 PutRolePermissionsBoundary@us-east-1 "              \
    "UpdateAssumeRolePolicy@us-east-1 "
#define TOPIC_NAMES "DeleteTopic@eu-north-1 SetTopicAttributes@eu-north-1 RemovePermission@eu-north-1 "
#define LEAVE_NAMES "LeaveOrganization@us-east-1 AcceptHandshake@us-east-1 "
#define TRUST_NAMES                                                                                         \
    "DisableAWSServiceAccess@us-east-1 DeregisterDelegatedAdministrator@us-east-1 "                         \
    "DeregisterOrganizationDelegatedAdmin DeregisterOrganizationDelegatedAdmin@us-east-1 "

#define EVERY_NAME                                                                                          \
    "StopLogging DeleteTrail " DRIFT_NAMES LEAVE_NAMES BUCKET_NAMES PAYER_NAME RULE_NAMES KEY_NAMES         \
            POLICY_NAME                                                                                     \
            LOG_NAMES TOPIC_NAMES

/* What names the trail is asked for first, in its home, whenever a call about it may be the cause. Returns
 * how many these are. */
static size_t assert_by_resource(const AttributeRequest *request, const AttributeQuestion *questions,
                                 size_t n) {
    const char *names[2];
    size_t n_names = 0;
    bool about_trail = false;

    for (size_t i = 0; i < n; i++)
        about_trail |= questions[i].about_trail;
    if (about_trail && request->trail_name && !request->foreign)
        names[n_names++] = request->trail_name;
    if (about_trail)
        names[n_names++] = request->trail_arn;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(questions[i].key == CLOUDTRAIL_LOOKUP_RESOURCE_NAME, i < n_names);
        if (i < n_names) {
            assert_string_equal(questions[i].name, names[i]);
            assert_string_equal(questions[i].region, request->region);
            assert_false(questions[i].about_trail || questions[i].late);
        }
    }
    return n_names;
}

/* "NAME" for what is asked in the trail's home, "NAME@REGION" for the rest, "+NAME" for what came late. */
static void assert_questions(const AttributeRequest *request, const char *expected) {
    AttributeQuestion questions[ATTRIBUTE_QUESTIONS_MAX];
    size_t n = attribute_questions(request, questions);
    char text[2048] = "";

    assert_true(n <= ATTRIBUTE_QUESTIONS_MAX);
    for (size_t i = assert_by_resource(request, questions, n); i < n; i++) {
        bool home = text_equal(questions[i].region, request->region);

        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s%s%s ",
                       questions[i].late ? "+" : "", questions[i].name, home ? "" : "@",
                       home ? "" : questions[i].region);
    }
    assert_string_equal(text, expected);
}

static void test_questions(void **state) {
    static const struct {
        uint32_t findings, fields;
        const char *names;
    } cases[] = {
        { 0, 0, "" },
        { 0, FIELDS_ALL, "" },
        { BIT(STOPPED), 0, "StopLogging " },
        { BIT(STOPPED), FIELD_BIT(FIELD_TAGS), "StopLogging " },
        { BIT(INTERRUPTED), 0, "StopLogging " },
        { BIT(MISSING), 0, "DeleteTrail " LEAVE_NAMES },
        { BIT(REPLACED), FIELD_BIT(FIELD_BUCKET), "DeleteTrail " },
        { BIT(WEAKENED), 0, DRIFT_NAMES },
        { BIT(CHANGED), FIELDS_ALL, DRIFT_NAMES },
        { BIT(WEAKENED), FIELD_BIT(FIELD_BUCKET), "CreateTrail UpdateTrail " },
        { BIT(WEAKENED), FIELD_BIT(FIELD_ORGANIZATION), "CreateTrail UpdateTrail " },
        { BIT(WEAKENED), FIELD_BIT(FIELD_RECURSIVE), "CreateTrail UpdateTrail " },
        { BIT(WEAKENED), FIELD_BIT(FIELD_SELECTORS), "CreateTrail PutEventSelectors " },
        { BIT(CHANGED), FIELD_BIT(FIELD_INSIGHTS), "CreateTrail PutInsightSelectors " },
        { BIT(CHANGED), FIELD_BIT(FIELD_TAGS), "CreateTrail RemoveTags AddTags " },
        { BIT(STOPPED) | BIT(CHANGED), FIELD_BIT(FIELD_VALIDATION), "StopLogging CreateTrail UpdateTrail " },
        { BIT(BUCKET), 0, BUCKET_NAMES },
        { BIT(LIFECYCLE), 0, RULE_NAMES },
        { BIT(KEY), 0, KEY_NAMES },
        { BIT(DELIVERY), FIELDS_ALL, BUCKET_NAMES PAYER_NAME KEY_NAMES POLICY_NAME },
        { BIT(DIGEST), 0, BUCKET_NAMES PAYER_NAME KEY_NAMES POLICY_NAME },
        { BIT(LOG_GROUP), 0, LOG_NAMES },
        { BIT(NOTIFICATION), 0, TOPIC_NAMES },
        { BIT(STALE) | BIT(UNREACHABLE) | FINDINGS_UNREADABLE, FIELDS_ALL, "" },
        { UINT32_MAX, FIELDS_ALL, EVERY_NAME },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AttributeRequest q = main_trail;

        q.foreign = true;
        q.findings = cases[i].findings;
        q.fields = cases[i].fields;
        assert_questions(&q, cases[i].names);
    }
}

/* Refused attempts since are asked for apart, and only those against the trail. */
static void test_questions_about_what_came_late(void **state) {
    AttributeRequest q = main_trail;

    (void)state;
    q.foreign = true;
    q.findings = BIT(STOPPED) | BIT(MISSING);
    q.until_usec = 100;
    for (q.late_usec = 0; q.late_usec <= 100; q.late_usec += 50)
        assert_questions(&q, "StopLogging DeleteTrail " LEAVE_NAMES);
    q.late_usec = 101;
    assert_questions(&q, "StopLogging DeleteTrail " LEAVE_NAMES "+StopLogging +DeleteTrail ");
    q.findings = BIT(BUCKET);
    assert_questions(&q, BUCKET_NAMES);
}

/* The organization's trust in CloudTrail is in the history of the account that owns its trails, a member's
 * own leaving in the member's. */
static void test_questions_about_the_organization(void **state) {
    AttributeRequest q = main_trail;

    (void)state;
    q.foreign = false;
    q.findings = BIT(WEAKENED);
    q.fields = FIELD_BIT(FIELD_ORGANIZATION);
    assert_questions(&q, "CreateTrail UpdateTrail " TRUST_NAMES);
    q.findings = BIT(MISSING);
    assert_questions(&q, "DeleteTrail ");
    q.findings = BIT(WEAKENED);
    q.region = "us-east-1";
    assert_questions(&q, "CreateTrail UpdateTrail DisableAWSServiceAccess DeregisterDelegatedAdministrator "
                         "DeregisterOrganizationDelegatedAdmin ");
    q.region = "cn-north-1";
    assert_questions(&q,
                     "CreateTrail UpdateTrail DisableAWSServiceAccess@cn-northwest-1 "
                     "DeregisterDelegatedAdministrator@cn-northwest-1 DeregisterOrganizationDelegatedAdmin "
                     "DeregisterOrganizationDelegatedAdmin@cn-northwest-1 ");
}

/* What is not known is not asked about, and where it is unknown both likely places are asked. */
static void test_questions_about_what_is_not_known(void **state) {
    AttributeRequest q = {
        .region = "eu-central-1", .trail_arn = ARN, .bucket = "", .key = "", .findings = UINT32_MAX
    };

    (void)state;
    assert_questions(&q, "StopLogging DeleteTrail " DRIFT_NAMES TRUST_NAMES);
    q = (AttributeRequest){ .region = "cn-northwest-1",
                            .trail_arn = ARN,
                            .bucket = BUCKET,
                            .bucket_region = "",
                            .key = KEY_ID,
                            .findings = BIT(LIFECYCLE) | BIT(KEY) };
    assert_questions(&q, "PutBucketLifecycle PutBucketLifecycle@cn-north-1 PutBucketLifecycleConfiguration "
                         "PutBucketLifecycleConfiguration@cn-north-1 DisableKey ScheduleKeyDeletion "
                         "DeleteImportedKeyMaterial ");
    q.region = "cn-north-1";
    assert_questions(&q, "PutBucketLifecycle PutBucketLifecycleConfiguration DisableKey ScheduleKeyDeletion "
                         "DeleteImportedKeyMaterial ");
    /* where nothing else is known, at home: a region of a partition to come, and keys of none */
    q = (AttributeRequest){ .region = "xx-nowhere-1",
                            .trail_arn = ARN,
                            .bucket = BUCKET,
                            .key = "arn:aws:kms::111122223333:key/1",
                            .findings = BIT(LIFECYCLE) | BIT(KEY) };
    assert_questions(&q, "PutBucketLifecycle PutBucketLifecycleConfiguration DisableKey ScheduleKeyDeletion "
                         "DeleteImportedKeyMaterial ");
    /* all at once, at their longest */
    q = main_trail;
    q.foreign = true;
    q.findings = UINT32_MAX;
    q.bucket_region = NULL;
    {
        AttributeQuestion questions[ATTRIBUTE_QUESTIONS_MAX];

        assert_int_equal(attribute_questions(&q, questions), 40);
        q.foreign = false;
        assert_int_equal(attribute_questions(&q, questions), 43);
        q.late_usec = 1;
        assert_int_equal(attribute_questions(&q, questions), 52);
    }
}

/* ---- each kind of call against each finding ---- */

#define STOPS   (BIT(STOPPED) | BIT(INTERRUPTED))
#define DELETES (BIT(MISSING) | BIT(REPLACED))

#define BUCKETS (BIT(BUCKET) | BIT(DELIVERY) | BIT(DIGEST))
#define KEYS    (BIT(KEY) | BIT(DELIVERY) | BIT(DIGEST))

/* Told anew from what AWS says the calls do. */
static const struct {
    const char *name;
    enum {
        TRAIL_CALL,
        BUCKET_CALL,
        KEY_CALL,
        GROUP_CALL,
        ROLE_CALL,
        TOPIC_CALL,
        STORE_CALL,
        ACCOUNT_CALL,
        TRUST_CALL
    } about;
    uint32_t causes, fields;
} calls[] = {
    { "StopLogging", TRAIL_CALL, STOPS, FIELDS_ALL },
    { "DeleteTrail", TRAIL_CALL, DELETES, FIELDS_ALL },
    { "CreateTrail", TRAIL_CALL, BIT(APPEARED) | BIT(WEAKENED) | BIT(CHANGED), FIELDS_ALL },
    { "UpdateTrail", TRAIL_CALL, FINDINGS_CHANGED,
      FIELDS_ALL & ~(FIELD_BIT(FIELD_SELECTORS) | FIELD_BIT(FIELD_INSIGHTS) |
                     FIELD_BIT(FIELD_CONFIGURATION) | FIELD_BIT(FIELD_TAGS)) },
    { "PutEventSelectors", TRAIL_CALL, FINDINGS_CHANGED, FIELD_BIT(FIELD_SELECTORS) },
    { "PutInsightSelectors", TRAIL_CALL, FINDINGS_CHANGED, FIELD_BIT(FIELD_INSIGHTS) },
    { "PutEventConfiguration", TRAIL_CALL, FINDINGS_CHANGED, FIELD_BIT(FIELD_CONFIGURATION) },
    { "RemoveTags", TRAIL_CALL, FINDINGS_CHANGED, FIELD_BIT(FIELD_TAGS) },
    { "AddTags", TRAIL_CALL, FINDINGS_CHANGED, FIELD_BIT(FIELD_TAGS) },
    { "LeaveOrganization", ACCOUNT_CALL, BIT(MISSING), FIELDS_ALL },
    { "AcceptHandshake", ACCOUNT_CALL, BIT(MISSING), FIELDS_ALL },
    { "DisableAWSServiceAccess", TRUST_CALL, FINDINGS_CHANGED, FIELD_BIT(FIELD_ORGANIZATION) },
    { "DeregisterDelegatedAdministrator", TRUST_CALL, FINDINGS_CHANGED, FIELD_BIT(FIELD_ORGANIZATION) },
    { "DeregisterOrganizationDelegatedAdmin", TRUST_CALL, FINDINGS_CHANGED, FIELD_BIT(FIELD_ORGANIZATION) },
    { "DeleteBucket", BUCKET_CALL, BUCKETS, FIELDS_ALL },
    { "DeleteBucketPolicy", BUCKET_CALL, BUCKETS, FIELDS_ALL },
    { "PutBucketPolicy", BUCKET_CALL, BUCKETS, FIELDS_ALL },
    /* CloudTrail cannot deliver to a Requester Pays bucket; nothing else shows it */
    { "PutBucketRequestPayment", BUCKET_CALL, BIT(DELIVERY) | BIT(DIGEST), FIELDS_ALL },
    { "PutBucketLifecycle", BUCKET_CALL, BIT(LIFECYCLE), FIELDS_ALL },
    { "PutBucketLifecycleConfiguration", BUCKET_CALL, BIT(LIFECYCLE), FIELDS_ALL },
    { "DisableKey", KEY_CALL, KEYS, FIELDS_ALL },
    { "ScheduleKeyDeletion", KEY_CALL, KEYS, FIELDS_ALL },
    { "DeleteImportedKeyMaterial", KEY_CALL, KEYS, FIELDS_ALL },
    { "DisconnectCustomKeyStore", STORE_CALL, KEYS, FIELDS_ALL },
    { "PutKeyPolicy", KEY_CALL, BIT(DELIVERY) | BIT(DIGEST), FIELDS_ALL },
    { "DeleteLogGroup", GROUP_CALL, BIT(LOG_GROUP), FIELDS_ALL },
    { "DeleteRole", ROLE_CALL, BIT(LOG_GROUP), FIELDS_ALL },
    { "DeleteRolePolicy", ROLE_CALL, BIT(LOG_GROUP), FIELDS_ALL },
    { "DetachRolePolicy", ROLE_CALL, BIT(LOG_GROUP), FIELDS_ALL },
    { "PutRolePolicy", ROLE_CALL, BIT(LOG_GROUP), FIELDS_ALL },
    { "AttachRolePolicy", ROLE_CALL, BIT(LOG_GROUP), FIELDS_ALL },
    { "PutRolePermissionsBoundary", ROLE_CALL, BIT(LOG_GROUP), FIELDS_ALL },
    { "UpdateAssumeRolePolicy", ROLE_CALL, BIT(LOG_GROUP), FIELDS_ALL },
    { "DeleteTopic", TOPIC_CALL, BIT(NOTIFICATION), FIELDS_ALL },
    { "SetTopicAttributes", TOPIC_CALL, BIT(NOTIFICATION), FIELDS_ALL },
    { "RemovePermission", TOPIC_CALL, BIT(NOTIFICATION), FIELDS_ALL },
    { "StartLogging", TRAIL_CALL, 0, 0 },
    { "GetTrailStatus", TRAIL_CALL, 0, 0 },
    { "stoplogging", TRAIL_CALL, 0, 0 },
    { "", TRAIL_CALL, 0, 0 },
};

/* About the main trail, or what it hangs on. */
static CloudTrailEvent event_about(size_t call) {
    CloudTrailEvent e = event_of(calls[call].name, calls[call].about == TRAIL_CALL ? "main" : "");

    switch (calls[call].about) {
    case BUCKET_CALL: e.bucket = (char *)BUCKET; break;
    case KEY_CALL: e.key = (char *)KEY_ID; break;
    case GROUP_CALL: e.log_group = (char *)"CloudTrail/main"; break;
    case ROLE_CALL: e.role = (char *)"ToLogs"; break;
    case TOPIC_CALL: e.topic = (char *)TOPIC; break;
    case STORE_CALL: e.key_store = (char *)STORE; break;
    case TRUST_CALL: e.principal = (char *)"cloudtrail.amazonaws.com"; break;
    case TRAIL_CALL:
    case ACCOUNT_CALL: break;
    }
    return e;
}

static AttributeRequest request_for(size_t call) {
    AttributeRequest q = main_trail;

    q.foreign = calls[call].about == ACCOUNT_CALL;
    return q;
}

static void test_every_call_finding_and_field(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        CloudTrailEvent e = event_about(i);

        for (Finding f = 0; f < _FINDING_MAX; f++)
            for (unsigned field = 0; field <= _FIELD_MAX; field++) {
                uint32_t fields = field < _FIELD_MAX ? FIELD_BIT(field) : 0;
                bool expected =
                        (calls[i].causes & FINDING_BIT(f)) && (!fields || (calls[i].fields & fields));
                AttributeRequest q = request_for(i);
                Attribution found;

                q.findings = FINDING_BIT(f);
                q.fields = fields;
                found = take_one(&q, &e);
                if (found.found != expected)
                    fail_msg("%s, finding %u, field %u", calls[i].name, (unsigned)f, field);
                assert_string_equal(found.actor.event_name, expected ? calls[i].name : "");
                assert_int_equal(found.n_attempts, 0);
                assert_false(found.searched); /* not for one event to say */
            }
    }
}

/* ---- about which trail, bucket, key ---- */

static void test_about_what(void **state) {
    static const struct {
        const char *name, *trail, *bucket, *resource;
        bool ours;
    } cases[] = {
        { "StopLogging", "main", "", "", true },
        { "StopLogging", ARN, "", "", true },
        { "StopLogging", "", "", ARN,
          true }, /* a record that could not be read, but for the answer's own part */
        { "StopLogging", "other", "", "", false },
        { "StopLogging", OTHER, "", OTHER, false },
        { "StopLogging", "mai", "", "", false },
        { "StopLogging", "main2", "", "", false },
        { "StopLogging", "Main", "", "", false },
        { "StopLogging", "", "", "", false },
        { "StopLogging", "", "", "main", false }, /* a bucket may have that name */
        { "StopLogging", "", BUCKET, BUCKET, false },
        { "AddTags", ARN, "", "", true },
        { "DeleteBucket", "", BUCKET, "", true },
        { "DeleteBucket", "", "", BUCKET, true },
        { "DeleteBucket", "", "example-logs-2", "", false },
        { "DeleteBucket", "main", "", ARN, false },
        { "DeleteBucket", "", "", "", false },
        { "PutBucketLifecycle", "", BUCKET, "", true }, /* stratus-red-team's lifecycle rule */
        { "PutBucketLifecycle", "", "elsewhere", "elsewhere", false },
        { "DisableKey", "", "", KEY, true },
        { "DisableKey", "", "", KEY_ID, true },
        { "ScheduleKeyDeletion", "", "", KEY_ID, true },
        { "ScheduleKeyDeletion", "", "", "9999aaaa-22bb-33cc-44dd-5555eeee6666", false },
        { "DisableKey", "main", BUCKET, "", false },
        { "DeleteRole", "", "", ROLE, true },
        { "DeleteRole", "", "", "ToLogs", false },
        { "DeleteTopic", "", "", TOPIC, true },
        { "DeleteTopic", "", "", TOPIC "2", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CloudTrailEvent e = event_of(cases[i].name, cases[i].trail);
        char *resources[] = { (char *)"something else", (char *)cases[i].resource };
        AttributeRequest q = main_trail;

        q.findings = UINT32_MAX;
        q.foreign = false;
        e.bucket = (char *)cases[i].bucket;
        e.resources = resources;
        e.n_resources = 2;
        if (take_one(&q, &e).found != cases[i].ours)
            fail_msg("case %zu: %s", i, cases[i].name);
    }
}

/* Of what stands in for AWS: an event without its record, which names its trail among the resources. */
static void test_an_event_without_a_record(void **state) {
    char *resources[] = { (char *)"main" };
    CloudTrailEvent e = event_of("StopLogging", "");
    AttributeRequest q = main_trail;

    (void)state;
    q.findings = UINT32_MAX;
    e.identity.type = e.identity.arn = e.identity.user_name = (char *)"";
    e.username = (char *)"mallory";
    e.resources = resources;
    e.n_resources = 1;
    assert_false(take_one(&q, &e).found);
    e.whole = false;
    assert_true(take_one(&q, &e).found);
    assert_string_equal(take_one(&q, &e).actor.name, "mallory");
    resources[0] = (char *)"other";
    assert_false(take_one(&q, &e).found);
}

/* What is not known matches nothing, least of all what an event leaves out. */
static void test_nothing_known_of_bucket_and_key(void **state) {
    AttributeRequest q = { .trail_name = "main",
                           .trail_arn = ARN,
                           .bucket = "",
                           .key = "",
                           .log_group = "",
                           .log_role = "",
                           .topic = "",
                           .own_arn = "",
                           .findings = UINT32_MAX };
    char *resources[] = { (char *)"" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        CloudTrailEvent e = event_of(calls[i].name, "");

        e.resources = resources;
        e.n_resources = 1;
        assert_false(take_one(&q, &e).found);
    }
}

static void test_log_groups(void **state) {
    static const struct {
        const char *arn, *name;
        bool ours;
    } cases[] = {
        { GROUP, "CloudTrail/main", true },
        { "arn:aws:logs:eu-west-1:111122223333:log-group:CloudTrail/main", "CloudTrail/main", true },
        { GROUP, "CloudTrail", false },
        { GROUP, "CloudTrail/main2", false },
        { GROUP, "", false },
        { "arn:aws:logs:eu-west-1:111122223333:log-group::*", "", false },
        { "CloudTrail/main", "CloudTrail/main", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CloudTrailEvent e = event_of("DeleteLogGroup", "");
        AttributeRequest q = main_trail;

        q.findings = BIT(LOG_GROUP);
        q.log_group = cases[i].arn;
        e.log_group = (char *)cases[i].name;
        assert_int_equal(take_one(&q, &e).found, cases[i].ours);
    }
}

/* To a member, its own leaving is the reason; an account's own trail does not go with it. */
static void test_leaving(void **state) {
    CloudTrailEvent e = event_of("LeaveOrganization", "");
    AttributeRequest q = main_trail;

    (void)state;
    q.foreign = true;
    q.findings = BIT(MISSING);
    assert_true(take_one(&q, &e).found);
    q.foreign = false;
    assert_false(take_one(&q, &e).found);
}

/* What ends the organization's trust in other services, or in other key stores, is no cause. */
static void test_trust_and_key_stores(void **state) {
    static const struct {
        const char *name, *principal, *source, *store;
        bool ours;
    } cases[] = {
        { "DisableAWSServiceAccess", "cloudtrail.amazonaws.com", "organizations.amazonaws.com", "", true },
        { "DisableAWSServiceAccess", "config.amazonaws.com", "organizations.amazonaws.com", "", false },
        { "DisableAWSServiceAccess", "", "organizations.amazonaws.com", "", false },
        { "DeregisterDelegatedAdministrator", "cloudtrail.amazonaws.com", "organizations.amazonaws.com", "",
          true },
        { "DeregisterDelegatedAdministrator", "sso.amazonaws.com", "organizations.amazonaws.com", "",
          false },
        { "DeregisterOrganizationDelegatedAdmin", "", "cloudtrail.amazonaws.com", "", true },
        { "DeregisterOrganizationDelegatedAdmin", "", "backup.amazonaws.com", "", false },
        { "DisconnectCustomKeyStore", "", "kms.amazonaws.com", STORE, true },
        { "DisconnectCustomKeyStore", "", "kms.amazonaws.com", STORE "1", false },
        { "DisconnectCustomKeyStore", "", "kms.amazonaws.com", "", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CloudTrailEvent e = event_of(cases[i].name, "");
        AttributeRequest q = main_trail;

        q.foreign = false;
        q.findings = BIT(WEAKENED) | BIT(KEY);
        q.fields = FIELD_BIT(FIELD_ORGANIZATION);
        e.principal = (char *)cases[i].principal;
        e.event_source = (char *)cases[i].source;
        e.key_store = (char *)cases[i].store;
        if (take_one(&q, &e).found != cases[i].ours)
            fail_msg("case %zu: %s", i, cases[i].name);
    }
}

static void test_when(void **state) {
    AttributeRequest q = main_trail;
    CloudTrailEvent e = event_of("StopLogging", "main");

    (void)state;
    q.findings = BIT(STOPPED);
    e.event_time_usec = FROM - USEC_PER_SEC;
    assert_false(take_one(&q, &e).found);
    e.error_code = (char *)"AccessDenied";
    assert_int_equal(take_one(&q, &e).n_attempts, 0);
    e.event_time_usec = FROM;
    assert_int_equal(take_one(&q, &e).n_attempts, 1);
    e.error_code = (char *)"";
    assert_true(take_one(&q, &e).found);
    q.until_usec = FROM;
    assert_true(take_one(&q, &e).found);
    q.until_usec = FROM - 1;
    assert_false(take_one(&q, &e).found);
    q.until_usec = 0; /* any time */
    assert_true(take_one(&q, &e).found);
    e.event_time_usec = 0; /* AWS did not say */
    assert_false(take_one(&q, &e).found);
}

/* What the guard writes is no attack; what it never does is one, whoever signs it. */
static void test_own(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        CloudTrailEvent e = event_about(i);
        bool writes = calls[i].about == TRAIL_CALL && (calls[i].causes & (FINDINGS_CHANGED | BIT(APPEARED)));
        AttributeRequest q = request_for(i);

        q.findings = UINT32_MAX;
        e.identity.arn = (char *)OWN;
        assert_int_equal(take_one(&q, &e).found, calls[i].causes != 0 && !writes);
        e.error_code = (char *)"AccessDenied";
        assert_int_equal(take_one(&q, &e).n_attempts, calls[i].causes != 0 && !writes);
        e.error_code = (char *)"";
        /* another session of the same role is not us */
        e.identity.arn = (char *)OWN "1";
        assert_int_equal(take_one(&q, &e).found, calls[i].causes != 0);
        /* by the keys before these we were, up to the change */
        q.former_arn = e.identity.arn;
        q.former_until_usec = e.event_time_usec;
        assert_int_equal(take_one(&q, &e).found, calls[i].causes != 0 && !writes);
        q.former_until_usec--;
        assert_int_equal(take_one(&q, &e).found, calls[i].causes != 0);
        q.former_arn = "";
        /* nobody is not us either */
        q.own_arn = e.identity.arn = (char *)"";
        assert_int_equal(take_one(&q, &e).found, calls[i].causes != 0);
    }
}

/* What a guard that the configuration names writes is nobody's deed either, nor is what it is refused. */
static void test_guards(void **state) {
    char *const guards[] = { (char *)"arn:aws:iam::111122223333:user/guard",
                             (char *)"arn:aws:iam::111122223333:role/TrailGuard" };
    static const struct {
        const char *caller;
        bool named;
    } callers[] = {
        { "arn:aws:iam::111122223333:user/guard", true },
        { OWN "1", true }, /* another session of that role */
        { "arn:aws:iam::111122223333:user/guard2", false },
        { "arn:aws:sts::444455556666:assumed-role/TrailGuard/x", false },
        { MALLET, false },
        { "", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
        for (size_t k = 0; k < ARRAY_SIZE(callers); k++) {
            CloudTrailEvent e = event_about(i);
            bool writes =
                    calls[i].about == TRAIL_CALL && (calls[i].causes & (FINDINGS_CHANGED | BIT(APPEARED)));
            bool expected = calls[i].causes != 0 && !(writes && callers[k].named);
            AttributeRequest q = request_for(i);
            Attribution found;

            q.findings = UINT32_MAX;
            q.own_arn = k % 2 ? OWN : "";
            q.guards = guards;
            q.n_guards = ARRAY_SIZE(guards);
            e.identity.arn = (char *)callers[k].caller;
            e.user_agent = (char *)"TrailGuard/1.2.3";
            found = take_one(&q, &e);
            if (found.found != expected)
                fail_msg("%s by %s", calls[i].name, callers[k].caller);
            /* what a caller calls itself is a hint, where a guard would have called it */
            assert_int_equal(found.actor.unnamed_guard, expected && writes);
            e.error_code = (char *)"AccessDenied";
            found = take_one(&q, &e);
            assert_int_equal(found.n_attempts, expected);
            assert_int_equal(found.attempts[0].unnamed_guard, expected && writes);
            e.user_agent = (char *)"aws-cli/2 TrailGuard/1";
            assert_false(take_one(&q, &e).attempts[0].unnamed_guard);
        }
}

/* The record of a call with long parameters names no trail: its caller is the cause for want of another. */
static void test_parameters_that_were_left_out(void **state) {
    AttributeRequest q = main_trail;
    CloudTrailEvent left_out = event_of("PutEventSelectors", ""), named = event_of("PutEventSelectors", ARN);
    char *other = (char *)OTHER;

    (void)state;
    q.findings = BIT(CHANGED);
    q.fields = FIELD_BIT(FIELD_SELECTORS);
    assert_false(take_one(&q, &left_out).found);
    left_out.omitted = true;
    left_out.event_time_usec = FROM + USEC_PER_SEC;
    assert_true(take_one(&q, &left_out).found && take_one(&q, &left_out).actor.omitted);
    named.identity.user_name = (char *)"carl";
    for (unsigned i = 0; i < 2; i++) { /* in whichever order */
        Attribution found = take_one(&q, i == 0 ? &left_out : &named);

        attribute_take(&q, i == 0 ? &named : &left_out, &found);
        assert_string_equal(found.actor.name, "carl");
        assert_false(found.actor.omitted);
    }
    left_out.error_code = (char *)"AccessDenied";
    assert_int_equal(take_one(&q, &left_out).n_attempts, 0);
    left_out.error_code = (char *)"";
    left_out.resources = &other;
    left_out.n_resources = 1;
    assert_false(take_one(&q, &left_out).found);
    left_out.n_resources = 0;
    left_out.trail = other;
    assert_false(take_one(&q, &left_out).found);
    left_out = event_of("DeleteBucket", "");
    left_out.omitted = true;
    q.findings = BIT(BUCKET);
    assert_false(take_one(&q, &left_out).found);
}

/* ---- several ---- */

static void test_the_newest_wins(void **state) {
    static const unsigned order[][3] = { { 1, 2, 3 }, { 3, 2, 1 }, { 2, 3, 1 } };
    AttributeRequest q = main_trail;

    (void)state;
    q.findings = BIT(STOPPED) | BIT(MISSING);
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        Attribution found = { 0 };

        for (unsigned k = 0; k < 3; k++) {
            CloudTrailEvent e = event_of(order[i][k] == 3 ? "DeleteTrail" : "StopLogging", "main");

            e.event_time_usec = FROM + order[i][k] * USEC_PER_SEC;
            attribute_take(&q, &e, &found);
        }
        assert_true(found.found);
        assert_string_equal(found.actor.event_name, "DeleteTrail");
        assert_true(found.actor.event_usec == FROM + 3 * USEC_PER_SEC);
    }
}

/* A call after the trouble was seen is no cause of it, however new. With a clock that is behind AWS's every
 * call is. */
static void test_what_came_after_it_was_seen(void **state) {
    static const struct {
        unsigned seen, first, second, wins; /* seconds */
    } cases[] = {
        { 30, 10, 37, 10 }, { 30, 10, 20, 20 }, { 30, 10, 32, 32 }, { 5, 10, 20, 20 }, { 0, 10, 37, 37 },
    };

    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
        unsigned times[] = { cases[i / 2].first, cases[i / 2].second };
        Attribution found = { 0 };
        AttributeRequest q = main_trail;

        q.findings = BIT(CHANGED);
        q.fields = FIELD_BIT(FIELD_ORGANIZATION);
        q.seen_usec = cases[i / 2].seen ? FROM + cases[i / 2].seen * USEC_PER_SEC : 0;
        for (unsigned k = 0; k < 2; k++) {
            CloudTrailEvent e = event_of("UpdateTrail", "main");

            e.event_time_usec = FROM + times[i % 2 ? 1 - k : k] * USEC_PER_SEC;
            attribute_take(&q, &e, &found);
        }
        assert_true(found.found);
        assert_int_equal(found.actor.event_usec, FROM + cases[i / 2].wins * USEC_PER_SEC);
    }
}

/* A record that names no key is about none, least of all where our key has no last part. */
static void test_a_key_without_a_last_part(void **state) {
    static const char *const keys[] = { "arn:aws:kms:eu-central-1:111122223333:key/", KEY_ID };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        CloudTrailEvent e = event_of("DisableKey", "");
        char *resources[] = { (char *)"" };
        AttributeRequest q = main_trail;

        q.findings = BIT(KEY);
        q.key = keys[i];
        assert_false(take_one(&q, &e).found);
        e.resources = resources;
        e.n_resources = 1;
        assert_false(take_one(&q, &e).found);
        resources[0] = (char *)keys[i];
        assert_true(take_one(&q, &e).found);
    }
}

/* AWS accepts StopLogging of a trail that is stopped, too: whoever calls it later stopped nothing. The time
 * of a stop is that of calls that stop only: of others the newest wins. */
static void test_a_stop_and_another_call(void **state) {
    static const struct {
        const char *first, *second;
        unsigned wins; /* seconds */
    } cases[] = {
        { "StopLogging", "DeleteTrail", 20 },
        { "DeleteTrail", "StopLogging", 20 },
        { "StopLogging", "StopLogging", 10 },
    };
    AttributeRequest q = main_trail;

    (void)state;
    q.findings = BIT(STOPPED) | BIT(MISSING);
    q.stop_usec = FROM + 10 * USEC_PER_SEC;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CloudTrailEvent first = event_of(cases[i].first, "main"), second = event_of(cases[i].second, "main");
        Attribution found = { 0 };

        first.event_time_usec = FROM + 10 * USEC_PER_SEC;
        second.event_time_usec = FROM + 20 * USEC_PER_SEC;
        attribute_take(&q, &first, &found);
        attribute_take(&q, &second, &found);
        assert_int_equal(found.actor.event_usec, FROM + cases[i].wins * USEC_PER_SEC);
    }
}

static void test_the_stop_of_that_time_wins(void **state) {
    static const struct {
        unsigned stop_ms, times[3], wins;
    } cases[] = {
        { 11600, { 11, 13, 40 }, 11 }, /* the history has whole seconds */
        { 11600, { 40, 13, 11 }, 11 },
        { 11600, { 11, 12, 12 }, 11 },
        { 11600, { 5, 11, 12 }, 11 },
        { 11000, { 12, 10, 30 }, 10 }, /* begun before it */
        { 11000, { 10, 30, 12 }, 10 },
        { 11000, { 1, 12, 30 }, 12 },
        { 0, { 11, 13, 40 }, 40 }, /* not known */
    };
    AttributeRequest q = main_trail;

    (void)state;
    q.findings = BIT(STOPPED);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Attribution found = { 0 };

        q.stop_usec = cases[i].stop_ms != 0 ? FROM + cases[i].stop_ms * USEC_PER_MSEC : 0;
        for (unsigned k = 0; k < 3; k++) {
            CloudTrailEvent e = event_of("StopLogging", "main");

            e.event_time_usec = FROM + cases[i].times[k] * USEC_PER_SEC;
            attribute_take(&q, &e, &found);
        }
        if (found.actor.event_usec != FROM + cases[i].wins * USEC_PER_SEC)
            fail_msg("case %zu: %llu", i,
                     (unsigned long long)((found.actor.event_usec - FROM) / USEC_PER_SEC));
    }
}

static void test_attempts(void **state) {
    /* seconds, in the order in which they come; what is kept */
    static const struct {
        unsigned n, times[8];
        const char *kept;
    } cases[] = {
        { 1, { 5 }, "5 " },
        { 3, { 3, 2, 1 }, "1 2 3 " },
        { 3, { 1, 2, 3 }, "1 2 3 " },
        { 4, { 4, 1, 3, 2 }, "1 2 3 4 " },
        { 6, { 6, 5, 4, 3, 2, 1 }, "3 4 5 6 " },
        { 6, { 1, 2, 3, 4, 5, 6 }, "3 4 5 6 " },
        { 8, { 4, 8, 1, 5, 7, 2, 6, 3 }, "5 6 7 8 " },
        { 5, { 2, 2, 2, 2, 3 }, "2 2 2 3 " },
        { 5, { 9, 8, 7, 6, 1 }, "6 7 8 9 " },
    };
    AttributeRequest q = main_trail;

    (void)state;
    q.findings = BIT(STOPPED);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Attribution found = { 0 };
        char text[64] = "";

        for (unsigned k = 0; k < cases[i].n; k++) {
            CloudTrailEvent e = event_of("StopLogging", "main");
            char id[24];

            (void)snprintf(id, sizeof(id), "event-%u", k);
            e.event_id = id;
            e.event_time_usec = FROM + cases[i].times[k] * USEC_PER_SEC;
            e.error_code = (char *)"AccessDenied";
            attribute_take(&q, &e, &found);
        }
        assert_false(found.found);
        for (unsigned k = 0; k < found.n_attempts; k++)
            (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%u ",
                           (unsigned)((found.attempts[k].event_usec - FROM) / USEC_PER_SEC));
        assert_string_equal(text, cases[i].kept);
        assert_string_equal(found.attempts[0].error_code, "AccessDenied");
    }
}

/* A call that several searches show, say by the trail's name and by its ARN, was made once. */
static void test_an_attempt_that_is_shown_twice(void **state) {
    AttributeRequest q = main_trail;
    Attribution found = { 0 };

    (void)state;
    q.findings = BIT(STOPPED);
    for (unsigned i = 0; i < 4; i++) {
        CloudTrailEvent e = event_of("StopLogging", "main");

        e.event_id = (char *)(i % 2 ? "event-1" : "event-0");
        e.event_time_usec = FROM + i % 2 * USEC_PER_SEC;
        e.error_code = (char *)"AccessDenied";
        attribute_take(&q, &e, &found);
    }
    assert_int_equal(found.n_attempts, 2);
    assert_string_equal(found.attempts[0].event_id, "event-0");
    assert_string_equal(found.attempts[1].event_id, "event-1");
}

/* Refused tries, older or newer, do not hide who did it. */
static void test_attempts_beside_a_deed(void **state) {
    AttributeRequest q = main_trail;
    Attribution found = { 0 };

    (void)state;
    q.findings = BIT(STOPPED);
    for (unsigned i = 0; i < 3; i++) {
        CloudTrailEvent e = event_of("StopLogging", "main");

        e.event_time_usec = FROM + i * USEC_PER_SEC;
        e.error_code = (char *)(i == 1 ? "" : "InsufficientDependencyServiceAccessPermissionException");
        attribute_take(&q, &e, &found);
    }
    assert_true(found.found && found.actor.event_usec == FROM + USEC_PER_SEC);
    assert_string_equal(found.actor.error_code, "");
    assert_int_equal(found.n_attempts, 2);
}

/* ---- whom they name ---- */

static void test_names_of_callers(void **state) {
    static const struct {
        CloudTrailIdentity who;
        const char *username, *name;
    } cases[] = {
        { { .type = (char *)"IAMUser", .user_name = (char *)"bob", .principal_id = (char *)"AIDAEXAMPLE" },
          "bob",
          "bob" },
        { { .type = (char *)"Root", .principal_id = (char *)"111122223333" }, "root", "root" },
        { { .type = (char *)"Root", .user_name = (char *)"my-alias" }, "", "root" },
        { { .type = (char *)"AssumedRole",
            .principal_id = (char *)"AROAEXAMPLE:alice",
            .issuer_user_name = (char *)"Admin" },
          "alice",
          "Admin/alice" },
        { { .type = (char *)"AssumedRole",
            .principal_id = (char *)"AROAEXAMPLE:alice@example.org",
            .issuer_user_name = (char *)"AWSReservedSSO_AdministratorAccess_0123456789abcdef" },
          "",
          "AWSReservedSSO_AdministratorAccess_0123456789abcdef/alice@example.org" },
        { { .type = (char *)"AssumedRole",
            .principal_id = (char *)"AROAEXAMPLE",
            .issuer_user_name = (char *)"Admin" },
          "",
          "Admin" },
        { { .type = (char *)"AssumedRole", .principal_id = (char *)"AROAEXAMPLE:alice" },
          "",
          "a role/alice" },
        { { .type = (char *)"AssumedRole" }, "alice", "a role" },
        { { .type = (char *)"AssumedRole",
            .principal_id = (char *)"AROAEXAMPLE:alice",
            .arn = (char *)"arn:aws:sts::111122223333:assumed-role/Deploy/alice" },
          "",
          "Deploy/alice" },
        { { .type = (char *)"AWSService", .invoked_by = (char *)"config.amazonaws.com" },
          "",
          "config.amazonaws.com" },
        { { .type = (char *)"FederatedUser", .principal_id = (char *)"111122223333:carol" },
          "carol",
          "carol" },
        { { .type = (char *)"SAMLUser",
            .user_name = (char *)"dave",
            .principal_id = (char *)"provider:dave" },
          "",
          "dave" },
        { { .type = (char *)"WebIdentityUser", .user_name = (char *)"eve" }, "", "eve" },
        { { .type = (char *)"AWSAccount",
            .account_id = (char *)"444455556666",
            .principal_id = (char *)"AIDAOTHER" },
          "",
          "account 444455556666" },
        { { .type = (char *)"AWSAccount",
            .account_id = (char *)"444455556666",
            .invoked_by = (char *)"cloudformation.amazonaws.com" },
          "",
          "cloudformation.amazonaws.com" },
        { { .type = (char *)"IdentityCenterUser", .account_id = (char *)"111122223333" },
          "frank@example.org",
          "frank@example.org" },
        { { .type = (char *)"Unknown" }, "", "" },
        { { .type = (char *)"" }, "somebody", "somebody" }, /* a record that could not be read */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CloudTrailEvent e = blank_event();
        char *none = (char *)"";
        Actor actor;

        e.identity = cases[i].who;
        char **texts[] = { &e.identity.type,
                           &e.identity.arn,
                           &e.identity.principal_id,
                           &e.identity.account_id,
                           &e.identity.user_name,
                           &e.identity.invoked_by,
                           &e.identity.access_key_id,
                           &e.identity.issuer_user_name,
                           &e.identity.source_identity,
                           &e.identity.on_behalf_of,
                           &e.identity.identity_store,
                           &e.identity.delegate };
        for (size_t k = 0; k < ARRAY_SIZE(texts); k++)
            if (!*texts[k])
                *texts[k] = none;
        e.username = (char *)cases[i].username;
        attribute_actor(&e, &actor);
        assert_string_equal(actor.name, cases[i].name);
        assert_string_equal(actor.type, e.identity.type);
        assert_string_equal(actor.account, e.identity.account_id);
        assert_string_equal(actor.invoked_by, e.identity.invoked_by);
    }
}

static void test_changes_of_the_guard(void **state) {
    static const struct {
        const char *source, *name, *error, *arn;
        uint64_t usec;
        bool is;
    } cases[] = {
        { "iam.amazonaws.com", "PutRolePolicy", "", "x", FROM, true },
        { "iam.amazonaws.com", "DetachUserPolicy", "", "x", FROM, true },
        { "sns.amazonaws.com", "SetSubscriptionAttributes", "", "x", FROM, true },
        { "sns.amazonaws.com", "Unsubscribe", "", "x", FROM, true },
        { "iam.amazonaws.com", "GetRole", "", "x", FROM, false },
        { "iam.amazonaws.com", "PutRolePolicy", "AccessDenied", "x", FROM, false },
        { "iam.amazonaws.com", "PutRolePolicy", "", "x", FROM - 1, false },
        { "iam.amazonaws.com", "PutRolePolicy", "", "guard", FROM, false },
        { "iam.amazonaws.com", "PutRolePolicy", "", "", FROM, true },
        { "sts.amazonaws.com", "DeleteRole", "", "x", FROM, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CloudTrailEvent e = blank_event();

        e.event_source = (char *)cases[i].source;
        e.event_name = (char *)cases[i].name;
        e.error_code = (char *)cases[i].error;
        e.event_time_usec = cases[i].usec;
        e.identity.arn = (char *)cases[i].arn;
        if (attribute_is_guard_change(&e, "guard", FROM) != cases[i].is)
            fail_msg("%s", cases[i].name);
        /* while the guard does not know who it is, nobody is */
        if (attribute_is_guard_change(&e, "", FROM) != (cases[i].is || text_equal(cases[i].arn, "guard")))
            fail_msg("%s, own ARN not known", cases[i].name);
    }
}

static void test_facts(void **state) {
    CloudTrailEvent e = event_of("StopLogging", "main");
    static char much[2000];
    Actor actor;

    (void)state;
    e.event_id = (char *)"0aa1";
    e.source_ip = (char *)"203.0.113.9";
    e.user_agent = (char *)"stratus-red-team_0b8a5d4e";
    e.error_code = (char *)"AccessDenied";
    e.access_key_id = (char *)"AKIAOUTER";
    attribute_actor(&e, &actor);
    assert_string_equal(actor.arn, MALLET);
    assert_string_equal(actor.event_id, "0aa1");
    assert_string_equal(actor.event_name, "StopLogging");
    assert_string_equal(actor.source_ip, "203.0.113.9");
    assert_string_equal(actor.user_agent, "stratus-red-team_0b8a5d4e");
    assert_string_equal(actor.error_code, "AccessDenied");
    assert_string_equal(actor.access_key, "AKIAOUTER");
    assert_true(actor.event_usec == FROM);
    e.identity.access_key_id = (char *)"ASIAINNER";
    attribute_actor(&e, &actor);
    assert_string_equal(actor.access_key, "ASIAINNER");

    /* cut, whatever a caller called itself */
    memset(much, 'x', sizeof(much) - 1);
    e.user_agent = e.source_ip = e.event_id = e.identity.user_name = much;
    attribute_actor(&e, &actor);
    assert_int_equal(strlen(actor.name), sizeof(actor.name) - 1);
    assert_int_equal(strlen(actor.source_ip), sizeof(actor.source_ip) - 1);
    e.identity.type = (char *)"AssumedRole";
    e.identity.issuer_user_name = e.identity.principal_id = much;
    attribute_actor(&e, &actor);
    assert_int_equal(strlen(actor.name), sizeof(actor.name) - 1);
}

/* ---- an account that left its organization ---- */

#define MEMBER "777788889999"
#define RECORD "AccountDepartedOrganization"

static AttributeRequest member_request(uint32_t findings, bool own_history) {

    return (AttributeRequest){
        .region = "eu-central-1",
        .trail_name = "",
        .trail_arn = "",
        .member = MEMBER,
        .reads_member = own_history,
        .own_arn = OWN,
        .from_usec = FROM,
        .findings = findings,
    };
}

static void test_questions_about_a_member(void **state) {
    static const char departs[] = "RemoveAccountFromOrganization@us-east-1 CloseAccount@us-east-1 "
                                  "AccountDepartedOrganization@us-east-1 ";
    AttributeRequest left = member_request(BIT(MISSING), false), own = member_request(BIT(MISSING), true),
                     unreachable = member_request(BIT(UNREACHABLE), false);
    AttributeQuestion questions[ATTRIBUTE_QUESTIONS_MAX];
    char text[512];
    size_t n;

    (void)state;
    assert_questions(&left, departs);
    (void)snprintf(text, sizeof(text), LEAVE_NAMES "%s", departs);
    assert_questions(&own, text);
    (void)snprintf(text, sizeof(text), "%sMoveAccount@us-east-1 ", departs);
    assert_questions(&unreachable, text);
    own.region = "cn-north-1";
    n = attribute_questions(&own, questions);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(questions[i].region, "cn-northwest-1");
        assert_int_equal(questions[i].of_member, i < 2);
    }
}

static CloudTrailEvent member_event(const char *name, const char *parameters, const char *details) {
    CloudTrailEvent e = event_of(name, "");

    e.parameters = (char *)parameters;
    e.details = (char *)details;
    return e;
}

/* AWS documents the method and the time of a record, and not what its member for the account is called. */
static void test_events_about_a_member(void **state) {
    static const struct {
        const char *name, *parameters, *details;
        uint32_t findings;
        bool found;
    } cases[] = {
        { "RemoveAccountFromOrganization", "{\"accountId\":\"" MEMBER "\"}", "", BIT(MISSING), true },
        { "RemoveAccountFromOrganization", "{\"accountId\":\"222233334444\"}", "", BIT(MISSING), false },
        { "RemoveAccountFromOrganization", "", "", BIT(MISSING), false },
        { "CloseAccount", "{\"accountId\":\"" MEMBER "\"}", "", BIT(MISSING), true },
        { RECORD, "", "{\"accountId\":\"" MEMBER "\"}", BIT(MISSING), true },
        { RECORD, "", "{\"memberAccountId\":\"" MEMBER "\",\"x\":1}", BIT(MISSING), true },
        { RECORD, "", "{\"accountId\":\"222233334444\",\"managementAccountId\":\"111122223333\"}",
          BIT(MISSING), false },
        { RECORD, "", "{\"accountId\":\"9" MEMBER "\"}", BIT(MISSING), false },
        { "MoveAccount", "{\"accountId\":\"" MEMBER "\"}", "", BIT(UNREACHABLE), true },
        { "MoveAccount", "{\"accountId\":\"" MEMBER "\"}", "", BIT(MISSING), false },
        { "InviteAccountToOrganization", "{\"target\":{\"id\":\"" MEMBER "\"}}", "", BIT(MISSING), false },
        { "AccountJoinedOrganization", "", "{\"accountId\":\"" MEMBER "\"}", BIT(MISSING), false },
        { "StopLogging", "{\"accountId\":\"" MEMBER "\"}", "", BIT(MISSING), false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AttributeRequest q = member_request(cases[i].findings, false);
        CloudTrailEvent e = member_event(cases[i].name, cases[i].parameters, cases[i].details);

        if (take_one(&q, &e).found != cases[i].found)
            fail_msg("%zu: %s", i, cases[i].name);
    }
}

/* AWS's record has no caller: the call that came with it says more, in whichever order they are found; but a
 * record of today is not the deed of whoever made a call of yesterday. */
static void test_a_call_says_more_than_the_record_of_it(void **state) {
    static const struct {
        int64_t call_sec;
        const char *name;
    } cases[] = {
        { 0, "mallory" }, { -500, "mallory" }, { 5, "mallory" }, { -700, "organizations.amazonaws.com" }
    };

    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
        AttributeRequest q = member_request(BIT(MISSING), false);
        CloudTrailEvent call = member_event("RemoveAccountFromOrganization",
                                            "{\"accountId\":\"" MEMBER "\"}", ""),
                        record = member_event(RECORD, "", "{\"accountId\":\"" MEMBER "\"}");
        Attribution found = { 0 };

        q.from_usec = 0;
        call.event_time_usec = FROM + (uint64_t)(cases[i / 2].call_sec * (int64_t)USEC_PER_SEC);
        record.identity = blank_event().identity;
        record.identity.invoked_by = (char *)"organizations.amazonaws.com";
        record.departure = (char *)"REMOVED";
        attribute_take(&q, i % 2 ? &call : &record, &found);
        attribute_take(&q, i % 2 ? &record : &call, &found);
        assert_string_equal(found.actor.name, cases[i / 2].name);
        assert_string_equal(found.actor.type,
                            text_equal(found.actor.name, "mallory") ? "IAMUser" : "AWSService");
        assert_string_equal(found.actor.departure, text_equal(found.actor.name, "mallory") ? "" : "REMOVED");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_questions),
        cmocka_unit_test(test_questions_about_what_came_late),
        cmocka_unit_test(test_questions_about_the_organization),
        cmocka_unit_test(test_questions_about_what_is_not_known),
        cmocka_unit_test(test_every_call_finding_and_field),
        cmocka_unit_test(test_questions_about_a_member),
        cmocka_unit_test(test_events_about_a_member),
        cmocka_unit_test(test_a_call_says_more_than_the_record_of_it),
        cmocka_unit_test(test_about_what),
        cmocka_unit_test(test_an_event_without_a_record),
        cmocka_unit_test(test_nothing_known_of_bucket_and_key),
        cmocka_unit_test(test_log_groups),
        cmocka_unit_test(test_leaving),
        cmocka_unit_test(test_trust_and_key_stores),
        cmocka_unit_test(test_when),
        cmocka_unit_test(test_own),
        cmocka_unit_test(test_guards),
        cmocka_unit_test(test_parameters_that_were_left_out),
        cmocka_unit_test(test_the_newest_wins),
        cmocka_unit_test(test_what_came_after_it_was_seen),
        cmocka_unit_test(test_the_stop_of_that_time_wins),
        cmocka_unit_test(test_a_stop_and_another_call),
        cmocka_unit_test(test_a_key_without_a_last_part),
        cmocka_unit_test(test_attempts),
        cmocka_unit_test(test_an_attempt_that_is_shown_twice),
        cmocka_unit_test(test_attempts_beside_a_deed),
        cmocka_unit_test(test_names_of_callers),
        cmocka_unit_test(test_changes_of_the_guard),
        cmocka_unit_test(test_facts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
