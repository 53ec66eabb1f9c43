/* SPDX-License-Identifier: Apache-2.0 */
/* The search of the event history: what is asked, how far, and what an error in the middle leaves. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/io/attribute.h"
#include "lib/util/macros.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/service_fixture.h"
/* link: -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc */

#define REGION "eu-central-1"
#define ARN    "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"
#define FROM   (1700000000 * USEC_PER_SEC)

#define ERROR(code) "{\"__type\":\"" code "\",\"message\":\"no\"}"
#define TEXT(text)  "\\\"" text "\\\""
/* One event, `at` seconds after FROM's begin; error: its errorCode. */
#define EVENT(name, user, at, error) EVENT_WITH(name, user, at, error, "")
#define EVENT_WITH(name, user, at, error, more)                                                             \
    "{\"EventName\":\"" name "\",\"EventTime\":" at ",\"Username\":\"" user "\",\"CloudTrailEvent\":\"{"    \
    TEXT("userIdentity") ":{" TEXT("type") ":" TEXT("IAMUser") "," TEXT("userName") ":" TEXT(user) "},"     \
    TEXT("errorCode") ":" TEXT(error) ","                                                                   \
    TEXT("requestParameters") ":{" TEXT("name") ":" TEXT("main") more "}}\"}"
#define EVENTS(events)      "{\"Events\":[" events "]}"
#define PAGE(events, token) "{\"Events\":[" events "],\"NextToken\":\"" token "\"}"

#define MALLORY EVENT("StopLogging", "mallory", "1700000010", "")
#define TRENT   EVENT("StopLogging", "trent", "1700000020", "")
#define REFUSED EVENT("StopLogging", "oscar", "1700000015", "AccessDenied")

typedef struct Search {
    ServiceFixture *f;
    unsigned n_done;
    Attribution found;
} Search;

static void on_done(const Attribution *found, void *userdata) {
    Search *s = userdata;

    s->n_done++;
    s->found = *found;
}

static int start(Search *s, uint32_t findings, uint32_t fields, Attribute **ret) {
    char name[] = "main", arn[] = ARN, region[] = REGION;
    const AttributeKeys keys = { .aws = s->f->aws, .credentials = s->f->credentials };
    AttributeRequest request = {
        .region = region,
        .trail_name = name,
        .trail_arn = arn,
        .bucket = "example-logs",
        .key = "arn:aws:kms:eu-west-1:111122223333:key/1",
        .log_role = "arn:aws:iam::111122223333:role/ToLogs",
        .findings = findings,
        .fields = fields,
        .from_usec = FROM,
        .until_usec = FROM + 3600 * USEC_PER_SEC,
    };
    int r = attribute_start(&keys, &request, on_done, s, ret);

    /* all copied */
    memset(name, 'x', sizeof(name) - 1);
    memset(arn, 'x', sizeof(arn) - 1);
    memset(region, 'x', sizeof(region) - 1);
    return r;
}

static Search search(ServiceFixture *f, uint32_t findings, uint32_t fields) {
    Search s = { .f = f };
    Attribute *attribute;

    assert_int_equal(start(&s, findings, fields, &attribute), 0);
    assert_int_equal(s.n_done, 0);
    fake_loop_advance(f->loop, ATTRIBUTE_CALLS_MAX * aws_client_deadline_usec(f->aws));
    assert_int_equal(s.n_done, 1);
    assert_int_equal(fake_http_n_running(f->http), 0);
    return s;
}

static void assert_asked_by(const ServiceFixture *f, unsigned i, const char *region, const char *key,
                            const char *name, const char *token) {
    const FakeRequest *r = fake_http_request(f->http, i);
    char body[512], url[128];

    (void)snprintf(body, sizeof(body),
                   "{\"LookupAttributes\":[{\"AttributeKey\":\"%s\",\"AttributeValue\":\"%s\"}],"
                   "\"StartTime\":1700000000,\"EndTime\":1700003600%s%s%s}",
                   key, name, token ? ",\"NextToken\":\"" : "", token ? token : "", token ? "\"" : "");
    (void)snprintf(url, sizeof(url), "https://cloudtrail.%s.amazonaws.com/", region);
    assert_string_equal(r->url, url);
    assert_non_null(strstr(fake_request_header(r, "x-amz-target"), ".LookupEvents"));
    assert_string_equal(r->body, body);
}

static void assert_asked_in(const ServiceFixture *f, unsigned i, const char *region, const char *name,
                            const char *token) {
    assert_asked_by(f, i, region, "EventName", name, token);
}

static void assert_asked(const ServiceFixture *f, unsigned i, const char *name, const char *token) {
    assert_asked_in(f, i, REGION, name, token);
}

/* The searches by the trail's name, which come first, show nothing. */
#define BY_RESOURCE 2U
static void nothing_by_resource(const ServiceFixture *f) {
    for (unsigned i = 0; i < BY_RESOURCE; i++)
        fake_http_reply(f->http, 200, EVENTS(""), NULL);
}

static void test_one_kind_of_call(void **state) {
    ServiceFixture *f = *state;
    Search s;

    nothing_by_resource(f);
    fake_http_reply(f->http, 200, EVENTS(TRENT "," REFUSED "," MALLORY), NULL);
    s = search(f, FINDING_BIT(FINDING_STOPPED), 0);
    assert_int_equal(fake_http_n_requests(f->http), 3);
    assert_asked_by(f, 0, REGION, "ResourceName", "main", NULL);
    assert_asked_by(f, 1, REGION, "ResourceName", ARN, NULL);
    assert_asked(f, 2, "StopLogging", NULL);
    assert_int_equal(s.found.n_records, 3);
    assert_true(s.found.reached_usec == 0);
    assert_true(s.found.searched && s.found.found);
    assert_string_equal(s.found.actor.name, "trent");
    assert_int_equal(s.found.n_attempts, 1);
    assert_string_equal(s.found.attempts[0].name, "oscar");
    assert_string_equal(s.found.error_text, "");

    nothing_by_resource(f);
    fake_http_reply(f->http, 200, EVENTS(""), NULL);
    s = search(f, FINDING_BIT(FINDING_STOPPED), 0);
    assert_true(s.found.searched && !s.found.found);
    assert_int_equal(s.found.n_attempts, 0);
}

/* Findings that nobody's call can have caused are searched without asking. */
static void test_nothing_to_search(void **state) {
    ServiceFixture *f = *state;
    Search s = search(f, FINDING_BIT(FINDING_STALE), 0);

    assert_true(s.found.searched && !s.found.found);
    assert_int_equal(fake_http_n_requests(f->http), 0);
}

static void test_several_kinds_of_calls(void **state) {
    static const char *const names[] = { "StopLogging", "CreateTrail", "UpdateTrail", "RemoveTags",
                                         "AddTags" };
    ServiceFixture *f = *state;
    Search s;

    nothing_by_resource(f);
    fake_http_reply(f->http, 200, EVENTS(MALLORY), NULL);
    fake_http_reply(f->http, 200, EVENTS(""), NULL);
    fake_http_reply(f->http, 200,
                    EVENTS(EVENT_WITH("UpdateTrail", "trent", "1700000030", "",
                                      "," TEXT("s3BucketName") ":" TEXT("his"))),
                    NULL);
    fake_http_reply(f->http, 200, EVENTS(""), NULL);
    fake_http_reply(f->http, 200, EVENTS(EVENT("AddTags", "peggy", "1700000020", "")), NULL);
    s = search(f, FINDING_BIT(FINDING_STOPPED) | FINDING_BIT(FINDING_WEAKENED),
               FIELD_BIT(FIELD_BUCKET) | FIELD_BIT(FIELD_TAGS));
    assert_int_equal(fake_http_n_requests(f->http), BY_RESOURCE + ARRAY_SIZE(names));
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        assert_asked(f, BY_RESOURCE + i, names[i], NULL);
    assert_true(s.found.searched && s.found.found);
    assert_string_equal(s.found.actor.name, "trent");
}

/* ---- pages ---- */

static void test_pages(void **state) {
    ServiceFixture *f = *state;
    Search s;

    nothing_by_resource(f);
    fake_http_reply(f->http, 200, PAGE("", "t1"), NULL);
    fake_http_reply(f->http, 200, PAGE(MALLORY, "t2"), NULL);
    fake_http_reply(f->http, 200, EVENTS(REFUSED), NULL);
    s = search(f, FINDING_BIT(FINDING_STOPPED), 0);
    assert_int_equal(fake_http_n_requests(f->http), BY_RESOURCE + 3);
    assert_asked(f, 2, "StopLogging", NULL);
    assert_asked(f, 3, "StopLogging", "t1");
    assert_asked(f, 4, "StopLogging", "t2");
    assert_string_equal(s.found.actor.name, "mallory");
    assert_int_equal(s.found.n_attempts, 1);
    assert_int_equal(s.found.n_records, 2);
}

#define ELSEWHERE(at)                                                                                       \
    "{\"EventName\":\"StopLogging\",\"EventTime\":" at                                                      \
    ",\"Username\":\"eve\",\"CloudTrailEvent\":\"{" TEXT("requestParameters") ":{" TEXT("name") ":" TEXT(   \
            "no-such-trail") "}}\"}"

/* Calls about trails that do not exist fill page after page: the search goes on behind them, and once the
 * search by the trail's own name has found who it was, one page is enough. */
static void test_calls_about_other_trails_hide_nobody(void **state) {
    for (unsigned by_resource = 0; by_resource < 2; by_resource++) {
        ServiceFixture *f;
        Search s;

        service_set_up_patient(state);
        f = *state;
        fake_http_reply(f->http, 200, by_resource ? EVENTS(MALLORY) : EVENTS(""), NULL);
        fake_http_reply(f->http, 200, EVENTS(""), NULL);
        for (unsigned i = 0; i < (by_resource ? 1 : ATTRIBUTE_PAGES_MAX - 1); i++)
            fake_http_reply(f->http, 200, PAGE(ELSEWHERE("1700000050"), "more"), NULL);
        if (!by_resource)
            fake_http_reply(f->http, 200, EVENTS(MALLORY), NULL);
        s = search(f, FINDING_BIT(FINDING_STOPPED), 0);
        assert_int_equal(fake_http_n_requests(f->http),
                         BY_RESOURCE + (by_resource ? 1 : ATTRIBUTE_PAGES_MAX));
        assert_string_equal(s.found.actor.name, "mallory");
        assert_int_equal(s.found.n_records, by_resource ? 2 : ATTRIBUTE_PAGES_MAX);
        assert_true(s.found.reached_usec == 0);
        service_tear_down(state);
    }
}

/* Whoever fills the history does not make us read all of it at once, and does not keep us from the next
 * kind. The next search is told how far back this one got, and begins there. */
static void test_endless_pages(void **state) {
    ServiceFixture *f = *state;
    Search s;
    AttributeRequest request = { .region = REGION,
                                 .trail_arn = ARN,
                                 .findings = FINDING_BIT(FINDING_STOPPED),
                                 .from_usec = FROM,
                                 .until_usec = FROM + 3600 * USEC_PER_SEC,
                                 .reached_usec = FROM + 50 * USEC_PER_SEC,
                                 .late_usec = FROM + 3700 * USEC_PER_SEC };
    const AttributeKeys keys = { .aws = f->aws, .credentials = f->credentials };
    Attribute *attribute;

    nothing_by_resource(f);
    for (unsigned i = 0; i < 2 * ATTRIBUTE_PAGES_MAX; i++)
        fake_http_reply(f->http, 200, PAGE(ELSEWHERE("1700000050"), "more"), NULL);
    s = search(f, FINDING_BIT(FINDING_STOPPED) | FINDING_BIT(FINDING_MISSING), 0);
    assert_int_equal(fake_http_n_requests(f->http), BY_RESOURCE + 2 * ATTRIBUTE_PAGES_MAX);
    assert_asked(f, 41, "StopLogging", "more");
    assert_asked(f, 42, "DeleteTrail", NULL);
    assert_true(s.found.searched && !s.found.found);
    assert_true(s.found.reached_usec == FROM + 50 * USEC_PER_SEC);

    fake_http_reply(f->http, 200, EVENTS(""), NULL);
    fake_http_reply(f->http, 200, EVENTS(""), NULL);
    fake_http_reply(f->http, 200, PAGE(ELSEWHERE("1700003601"), "more"), NULL);
    assert_int_equal(attribute_start(&keys, &request, on_done, &s, &attribute), 0);
    fake_loop_advance(f->loop, 100 * USEC_PER_SEC);
    assert_int_equal(s.n_done, 2);
    assert_int_equal(fake_http_n_requests(f->http), BY_RESOURCE + 2 * ATTRIBUTE_PAGES_MAX + 3);
    assert_non_null(
            strstr(fake_http_request(f->http, 83)->body, "\"StartTime\":1700000000,\"EndTime\":1700000050"));
    /* one page of what came late, and nothing is left unread with the rest */
    assert_non_null(
            strstr(fake_http_request(f->http, 84)->body, "\"StartTime\":1700003600,\"EndTime\":1700003700"));
    assert_true(s.found.reached_usec == 0);
}

/* All kinds of trouble at once, and an endless history: every kind of call is asked for, and it ends in
 * time. */
static void test_ceiling_of_calls(void **state) {
    ServiceFixture *f = *state;
    Search s;

    for (unsigned i = 0; i < ATTRIBUTE_CALLS_MAX; i++)
        fake_http_reply(f->http, 200, PAGE("", "more"), NULL);
    s = search(f, UINT32_MAX, FIELDS_ALL);
    assert_int_equal(fake_http_n_requests(f->http), ATTRIBUTE_CALLS_MAX);
    assert_asked_by(f, 2, REGION, "ResourceName", "main", "more");
    assert_asked_by(f, ATTRIBUTE_PAGES_MAX, REGION, "ResourceName", ARN, NULL);
    assert_asked_in(f, ATTRIBUTE_CALLS_MAX - 2, "us-east-1", "PutRolePermissionsBoundary", NULL);
    assert_asked_in(f, ATTRIBUTE_CALLS_MAX - 1, "us-east-1", "UpdateAssumeRolePolicy", NULL);
    assert_true(s.found.searched);
}

/* ---- errors ---- */

/* Long records of other calls must not hide one: the same is asked for in small pages, and what does not fit
 * even so keeps no other question from being asked. */
static void test_pages_that_are_too_big(void **state) {
    ServiceFixture *f = *state;
    Search s;

    fake_http_fail(f->http, HTTP_TOO_BIG, "too big");
    fake_http_reply(f->http, 200, PAGE("", "t1"), NULL);
    fake_http_fail(f->http, HTTP_TOO_BIG, "too big");
    fake_http_fail(f->http, HTTP_TOO_BIG, "too big");
    fake_http_fail(f->http, HTTP_TOO_BIG, "too big");
    fake_http_reply(f->http, 200, EVENTS(MALLORY), NULL);
    s = search(f, FINDING_BIT(FINDING_STOPPED), 0);
    assert_int_equal(fake_http_n_requests(f->http), 6);
    assert_asked_by(f, 0, REGION, "ResourceName", "main", NULL);
    for (unsigned i = 1; i < 6; i++)
        assert_int_equal(strstr(fake_http_request(f->http, i)->body, "\"MaxResults\":5") != NULL,
                         i == 1 || i == 2 || i == 4);
    assert_non_null(strstr(fake_http_request(f->http, 2)->body, "\"NextToken\":\"t1\""));
    assert_asked_by(f, 3, REGION, "ResourceName", ARN, NULL);
    assert_asked(f, 5, "StopLogging", NULL);
    assert_true(s.found.searched && s.found.found);
    assert_string_equal(s.found.actor.name, "mallory");
}

static void test_errors(void **state) {
    static const struct {
        const char *first; /* NULL: the first call is the one that fails */
        HttpResult result;
        int status;
        const char *body;
        bool searched;
        const char *text;
    } cases[] = {
        { NULL, HTTP_ANSWERED, 400, ERROR("AccessDeniedException"), false,
          "LookupEvents in " REGION ": AccessDeniedException: no" },
        { EVENTS(""), HTTP_ANSWERED, 400, ERROR("ThrottlingException"), false,
          "LookupEvents in " REGION ": ThrottlingException: no" },
        { EVENTS(MALLORY), HTTP_ANSWERED, 400, ERROR("AccessDeniedException"), true,
          "LookupEvents in " REGION ": AccessDeniedException: no" },
        { EVENTS(REFUSED), HTTP_ANSWERED, 400, ERROR("AccessDeniedException"), false,
          "LookupEvents in " REGION ": AccessDeniedException: no" },
        { PAGE(MALLORY, "t"), HTTP_CONNECT_FAILED, 0, "it broke", true,
          "LookupEvents in " REGION ": it broke" },
        { NULL, HTTP_CONNECT_FAILED, 0, "it broke", false, "LookupEvents in " REGION ": it broke" },
        { EVENTS(MALLORY), HTTP_TIMED_OUT, 0, "no answer", true, "LookupEvents in " REGION ": no answer" },
        { NULL, HTTP_ANSWERED, 200, "[]", false, NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ServiceFixture *f;
        Search s;

        service_set_up_patient(state);
        f = *state;
        if (cases[i].first) {
            nothing_by_resource(f);
            fake_http_reply(f->http, 200, cases[i].first, NULL);
        }
        if (cases[i].result == HTTP_ANSWERED)
            fake_http_reply(f->http, cases[i].status, cases[i].body, NULL);
        else
            fake_http_fail(f->http, cases[i].result, cases[i].body);
        s = search(f, FINDING_BIT(FINDING_STOPPED) | FINDING_BIT(FINDING_MISSING), 0);
        assert_int_equal(s.found.searched, cases[i].searched);
        assert_int_equal(s.found.found, cases[i].searched);
        assert_int_equal(s.found.throttled, strstr(cases[i].body, "Throttling") != NULL);
        assert_string_equal(s.found.actor.name, cases[i].searched ? "mallory" : "");
        assert_int_equal(s.found.n_attempts, cases[i].first && strstr(cases[i].first, "oscar"));
        if (cases[i].text)
            assert_string_equal(s.found.error_text, cases[i].text);
        assert_ptr_equal(strstr(s.found.error_text, "LookupEvents in " REGION ": "), s.found.error_text);
        /* it goes no further */
        assert_int_equal(fake_http_n_requests(f->http), 1 + (cases[i].first ? BY_RESOURCE + 1 : 0));
        service_tear_down(state);
    }
}

/* A region that refuses is asked no more, and keeps nobody from being found in another. */
static void test_regions(void **state) {
    static const struct {
        const char *name, *region, *body; /* NULL: refused */
    } asked[] = {
        { "DeleteBucket", REGION, NULL },
        { "DeleteBucket", "us-east-1", EVENTS("") },
        { "PutBucketPolicy", "us-east-1", EVENTS("") },
        { "DeleteBucketPolicy", "us-east-1", NULL },
        { "DisableKey", "eu-west-1", EVENTS("") },
        { "ScheduleKeyDeletion", "eu-west-1",
          EVENTS("{\"EventName\":\"ScheduleKeyDeletion\",\"EventTime\":1700000010,\"Username\":\"mallory\","
                 "\"Resources\":[{\"ResourceName\":\"arn:aws:kms:eu-west-1:111122223333:key/1\"}]}") },
        { "DeleteImportedKeyMaterial", "eu-west-1", EVENTS("") },
        { "PutKeyPolicy", "eu-west-1", EVENTS("") },
    };

    for (unsigned found = 0; found < 2; found++) {
        ServiceFixture *f;
        Search s;

        service_set_up_patient(state);
        f = *state;
        for (unsigned i = 0; i < ARRAY_SIZE(asked); i++) {
            bool none = i == 5 && !found;

            fake_http_reply(f->http, asked[i].body ? 200 : 400,
                            none            ? EVENTS("")
                            : asked[i].body ? asked[i].body
                                            : ERROR("AccessDeniedException"),
                            NULL);
        }
        s = search(f, FINDING_BIT(FINDING_DELIVERY), 0);
        assert_int_equal(fake_http_n_requests(f->http), ARRAY_SIZE(asked));
        for (unsigned i = 0; i < ARRAY_SIZE(asked); i++)
            assert_asked_in(f, i, asked[i].region, asked[i].name, NULL);
        assert_int_equal(s.found.searched, found);
        assert_int_equal(s.found.found, found);
        assert_string_equal(s.found.actor.name, found ? "mallory" : "");
        assert_string_equal(s.found.error_text, "LookupEvents in " REGION ": AccessDeniedException: no");
        service_tear_down(state);
    }
}

static void test_a_region_that_is_none(void **state) {
    ServiceFixture *f = *state;
    Search s = { .f = f };
    const AttributeKeys keys = { .aws = f->aws, .credentials = f->credentials };
    AttributeRequest request = {
        .region = "mars", .trail_name = "main", .trail_arn = ARN, .findings = FINDING_BIT(FINDING_STOPPED)
    };
    Attribute *attribute;

    assert_int_equal(attribute_start(&keys, &request, on_done, &s, &attribute), 0);
    fake_loop_run(f->loop);
    assert_int_equal(s.n_done, 1);
    assert_false(s.found.searched || s.found.found);
    assert_string_equal(s.found.error_text, "LookupEvents in mars: Invalid argument");
}

/* ---- the end before the end ---- */

/* After n steps of the loop, for each n until the search is over. */
static void test_cancelled_anywhere(void **state) {
    bool over = false;

    attribute_cancel(NULL);
    for (unsigned n = 0; !over; n++) {
        Attribute *attribute;
        Search s = { 0 };

        assert_true(n < 50);
        service_set_up_patient(state);
        s.f = *state;
        nothing_by_resource(s.f);
        fake_http_reply(s.f->http, 200, PAGE(MALLORY, "t"), NULL);
        fake_http_reply(s.f->http, 200, EVENTS(""), NULL);
        fake_http_reply(s.f->http, 200, EVENTS(""), NULL);
        assert_int_equal(
                start(&s, FINDING_BIT(FINDING_STOPPED) | FINDING_BIT(FINDING_MISSING), 0, &attribute), 0);
        for (unsigned i = 0; i < n && s.n_done == 0; i++)
            assert_true(fake_loop_next(s.f->loop));
        over = s.n_done > 0;
        if (!over)
            attribute_cancel(attribute);
        assert_int_equal(fake_http_n_running(s.f->http), 0);
        fake_loop_advance(s.f->loop, 100 * USEC_PER_SEC);
        assert_int_equal(s.n_done, over);
        service_tear_down(state);
    }
}

/* Either it does not start, or it says so, or it finds who it was. */
static void test_no_memory(void **state) {
    bool failed = true;

    for (unsigned n = 0; failed; n++) {
        Attribute *attribute;
        Search s = { 0 };
        int r;

        assert_true(n < 1000);
        service_set_up_patient(state);
        s.f = *state;
        nothing_by_resource(s.f);
        fake_http_reply(s.f->http, 200, EVENTS(MALLORY), NULL);
        alloc_fail_once(n);
        r = start(&s, FINDING_BIT(FINDING_STOPPED), 0, &attribute);
        if (r == 0)
            fake_loop_run(s.f->loop);
        failed = alloc_fail_end();
        if (r < 0)
            assert_int_equal(r, -ENOMEM);
        else
            fake_loop_advance(s.f->loop, 60 * USEC_PER_SEC);
        assert_int_equal(s.n_done, r == 0);
        if (r == 0 && !s.found.searched)
            assert_true(s.found.error_text[0] != '\0');
        if (!failed)
            assert_string_equal(s.found.actor.name, "mallory");
        service_tear_down(state);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        PATIENT_TEST(test_one_kind_of_call),
        PATIENT_TEST(test_nothing_to_search),
        PATIENT_TEST(test_several_kinds_of_calls),
        PATIENT_TEST(test_pages),
        cmocka_unit_test(test_calls_about_other_trails_hide_nobody),
        PATIENT_TEST(test_pages_that_are_too_big),
        PATIENT_TEST(test_endless_pages),
        PATIENT_TEST(test_ceiling_of_calls),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_regions),
        PATIENT_TEST(test_a_region_that_is_none),
        cmocka_unit_test(test_cancelled_anywhere),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
