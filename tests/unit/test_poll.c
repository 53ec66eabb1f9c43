/* SPDX-License-Identifier: Apache-2.0 */
/* One look at one target, against a scripted server: how much it asks of a target that counts as blind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/guard.h"
#include "daemon/io/poll.h"
#include "lib/call.h"
#include "lib/credentials/providers.h"
#include "lib/util/macros.h"
#include "tests/unit/between.h"
#include "tests/unit/fake_http.h"
#include "tests/unit/fake_loop.h"

#define ARN(name)   "arn:aws:cloudtrail:eu-central-1:111122223333:trail/" name
#define LOGGING     "{\"IsLogging\":true}"
#define EMPTY_LIST  "{\"trailList\":[]}"
#define ERROR(code) "{\"__type\":\"" code "\",\"message\":\"no\"}"
#define N_TRAILS    4

static const char *const arns[N_TRAILS] = { ARN("one"), ARN("two"), ARN("three"), ARN("four") };

typedef struct Fixture {
    FakeLoop *loop;
    FakeHttp *http;
    AwsClient *aws;
    CredentialsProvider *credentials;
    unsigned n_done, answered;
    size_t n_missing; /* the last so many of the trails */
    PollResult result;
    bool rejected, has_trails;
    Observation seen[N_TRAILS];
    size_t n_seen;
} Fixture;

static int set_up(void **state) {
    static const AwsLimits limits = { 5 * USEC_PER_SEC, 10 * USEC_PER_SEC, 1 };
    Fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->loop = fake_loop_new();
    f->http = fake_http_new(f->loop);
    assert_int_equal(credentials_env_new(fake_loop_loop(f->loop), "AKID", "secret", NULL, &f->credentials),
                     0);
    assert_int_equal(
            aws_client_new(fake_http_client(f->http), fake_loop_loop(f->loop), &limits, NULL, &f->aws), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    Fixture *f = *state;

    credentials_provider_free(f->credentials);
    aws_client_free(f->aws);
    fake_http_free(f->http);
    fake_loop_free(f->loop);
    free(f);
    return 0;
}

static void on_done(const PollAnswer *result, void *userdata) {
    Fixture *f = userdata;

    f->n_done++;
    f->result = result->result;
    f->rejected = result->rejected;
    f->has_trails = result->trails != NULL;
    assert_int_equal(result->n_seen, N_TRAILS);
    f->n_seen = result->n_seen;
    memcpy(f->seen, result->seen, sizeof(f->seen));
}

static void result(Fixture *f, bool list, bool probe) {
    PollRequest request = {
        .aws = f->aws,
        .credentials = f->credentials,
        .region = "eu-central-1",
        .list = list,
        .probe = probe,
        .arns = arns,
        .n_arns = N_TRAILS,
        .n_missing = f->n_missing,
    };
    Poll *poll;

    f->n_done = 0;
    assert_int_equal(poll_start(&request, on_done, f, &poll), 0);
    assert_int_equal(f->n_done, 0);
    fake_loop_advance(f->loop, 60 * USEC_PER_SEC);
    assert_int_equal(f->n_done, 1);
    assert_int_equal(fake_http_n_left(f->http), 0);
}

static bool asks_for(const Fixture *f, unsigned i, const char *operation) {
    return strstr(fake_request_header(fake_http_request(f->http, i), "x-amz-target"), operation);
}

static void test_all_at_once(void **state) {
    Fixture *f = *state;

    fake_http_reply(f->http, 200, EMPTY_LIST, NULL);
    for (unsigned i = 0; i < N_TRAILS; i++)
        fake_http_reply(f->http, 200, LOGGING, NULL);
    result(f, true, false);
    assert_int_equal(fake_http_n_requests(f->http), 1 + N_TRAILS);
    assert_true(f->result.reachable && f->result.listed && f->has_trails);
}

/* Whether the list was due or not, a target that does not answer costs one request, and what was said of it
 * holds for everything that was to be asked. */
static void test_a_dead_target_is_asked_once(void **state) {
    static const struct {
        HttpResult result;
        int status;
        const char *body;
        PollError error;
        bool rejected;
    } cases[] = {
        { HTTP_CONNECT_FAILED, 0, "", POLL_UNREACHABLE, false },
        { HTTP_TIMED_OUT, 0, "", POLL_UNREACHABLE, false },
        { HTTP_TLS_FAILED, 0, "", POLL_UNREACHABLE, false },
        { HTTP_ANSWERED, 503, "<html>busy</html>", POLL_SERVICE, false },
        { HTTP_ANSWERED, 400, ERROR("ThrottlingException"), POLL_THROTTLED, false },
        { HTTP_ANSWERED, 400, ERROR("UnrecognizedClientException"), POLL_CREDENTIALS, true },
    };

    for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
        bool list = i >= ARRAY_SIZE(cases);
        const char *operation = list ? "DescribeTrails" : "GetTrailStatus";
        size_t c = i % ARRAY_SIZE(cases);
        Fixture *f;

        set_up(state);
        f = *state;
        if (cases[c].status)
            fake_http_reply(f->http, cases[c].status, cases[c].body, NULL);
        else
            fake_http_fail(f->http, cases[c].result, "it broke");
        result(f, list, true);
        assert_int_equal(fake_http_n_requests(f->http), 1);
        assert_true(asks_for(f, 0, operation));
        assert_false(f->result.reachable || f->result.listed || f->has_trails);
        assert_int_equal(f->result.error, cases[c].error);
        assert_int_equal(f->rejected, cases[c].rejected);
        assert_ptr_equal(strstr(f->result.error_text, operation), f->result.error_text);
        for (unsigned k = 0; k < N_TRAILS; k++) {
            assert_int_equal(f->seen[k].kind, OBSERVED_ERROR);
            assert_int_equal(f->seen[k].error, cases[c].error);
            assert_false(f->seen[k].target_reachable);
            assert_string_equal(f->seen[k].error_text, f->result.error_text);
        }
        tear_down(state);
    }
}

#define LISTED(name) "{\"trailList\":[{\"Name\":\"" name "\",\"TrailARN\":\"" ARN(name) "\"}]}"

/* What is missing costs no call of its own: one list says of all of them whether they are back. */
static void test_missing_trails_are_asked_for_by_the_list(void **unused) {
    static const struct {
        size_t n_missing;
        bool probe;
        int status;
        const char *list;
        unsigned n_statuses, n_absent, n_errors;
        bool reachable, rejected;
    } cases[] = {
        { 0, false, 0, NULL, 4, 0, 0, true, false },
        { 3, false, 200, EMPTY_LIST, 1, 3, 0, true, false },
        { 3, true, 200, EMPTY_LIST, 1, 3, 0, true, false },
        { 4, false, 200, EMPTY_LIST, 0, 4, 0, true, false },
        { 3, false, 200, LISTED("three"), 2, 2, 0, true, false }, /* it is back */
        /* whoever takes the right to list away hides none that is back */
        { 2, false, 400, ERROR("AccessDeniedException"), 4, 0, 0, true, false },
        { 3, false, 400, ERROR("ThrottlingException"), 1, 0, 3, true, false },
        { 4, false, 400, ERROR("ThrottlingException"), 0, 0, 4, false, false },
        { 4, true, 400, ERROR("UnrecognizedClientException"), 0, 0, 4, false, true },
    };

    (void)unused;
    for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
        unsigned n_first = cases[c].probe ? 0 : (unsigned)(N_TRAILS - cases[c].n_missing), n_absent = 0,
                 n_errors = 0;
        void *state;
        Fixture *f;

        set_up(&state);
        f = state;
        f->n_missing = cases[c].n_missing;
        if (cases[c].list)
            fake_http_reply(f->http, cases[c].status, cases[c].list, NULL);
        for (unsigned i = 0; i < cases[c].n_statuses; i++)
            fake_http_reply(f->http, 200, LOGGING, NULL);
        result(f, false, cases[c].probe);
        assert_int_equal(fake_http_n_requests(f->http), (cases[c].list != NULL) + cases[c].n_statuses);
        for (unsigned i = n_first + 1; cases[c].list && i < fake_http_n_requests(f->http); i++)
            assert_true(asks_for(f, i, "GetTrailStatus"));
        for (unsigned i = 0; i < N_TRAILS; i++) {
            n_absent += f->seen[i].kind == OBSERVED_ABSENT;
            n_errors += f->seen[i].kind == OBSERVED_ERROR;
            if (f->seen[i].kind == OBSERVED_ERROR) /* the list's trouble is the target's */
                assert_false(f->seen[i].target_reachable);
        }
        assert_int_equal(n_absent, cases[c].n_absent);
        assert_int_equal(n_errors, cases[c].n_errors);
        assert_int_equal(f->result.reachable, cases[c].reachable);
        assert_int_equal(f->rejected, cases[c].rejected);
        tear_down(&state);
    }
}

static void test_a_target_that_is_back_is_asked_everything(void **state) {
    Fixture *f = *state;

    for (unsigned i = 0; i < N_TRAILS; i++)
        fake_http_reply(f->http, 200, LOGGING, NULL);
    result(f, false, true);
    assert_int_equal(fake_http_n_requests(f->http), N_TRAILS);
    assert_true(f->result.reachable);
    for (unsigned k = 0; k < N_TRAILS; k++)
        assert_true(f->seen[k].kind == OBSERVED_STATUS && f->seen[k].is_logging);

    fake_http_reply(f->http, 200, EMPTY_LIST, NULL);
    for (unsigned i = 0; i < N_TRAILS; i++)
        fake_http_reply(f->http, 200, LOGGING, NULL);
    result(f, true, true);
    assert_int_equal(fake_http_n_requests(f->http), 2 * N_TRAILS + 1);
    assert_true(f->result.listed && f->has_trails);
}

/* What is wrong with the one trail that happened to be asked about must not hide the others. */
static void test_one_trail_does_not_speak_for_all(void **state) {
    static const struct {
        const char *body;
        bool list; /* ... is asked for at the end, to tell its trouble from the target's */
    } cases[] = {
        { ERROR("AccessDeniedException"), true },
        { ERROR("TrailNotFoundException"), true },
        { ERROR("UnsupportedOperationException"), false },
        { "not JSON", false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Fixture *f;

        set_up(state);
        f = *state;
        fake_http_reply(f->http, *cases[i].body == '{' ? 400 : 200, cases[i].body, NULL);
        for (unsigned k = 1; k < N_TRAILS; k++)
            fake_http_reply(f->http, 200, LOGGING, NULL);
        if (cases[i].list)
            fake_http_reply(f->http, 200, EMPTY_LIST, NULL);
        result(f, false, true);
        assert_int_equal(fake_http_n_requests(f->http), N_TRAILS + cases[i].list);
        assert_true(f->result.reachable);
        assert_int_not_equal(f->seen[0].kind, OBSERVED_STATUS);
        for (unsigned k = 1; k < N_TRAILS; k++)
            assert_int_equal(f->seen[k].kind, OBSERVED_STATUS);
        tear_down(state);
    }
}

/* What stands in for AWS may know a trail by its name alone. Of an organization's trail it would be a
 * namesake of our own. */
static void test_a_trail_that_is_listed_and_not_found_is_asked_for_by_its_name(void **state) {
#define LISTED_AS(more) "{\"trailList\":[{\"TrailARN\":\"" ARN("one") "\"" more "}]}"
    static const struct {
        const char *list, *by_name;
        ObservationKind kind;
    } cases[] = {
        { LISTED_AS(""), LOGGING, OBSERVED_STATUS },
        { LISTED_AS(",\"IsOrganizationTrail\":false"), LOGGING, OBSERVED_STATUS },
        { LISTED_AS(""), ERROR("TrailNotFoundException"), OBSERVED_ERROR },
        { LISTED_AS(",\"IsOrganizationTrail\":true"), NULL, OBSERVED_ERROR },
        { EMPTY_LIST, NULL, OBSERVED_ABSENT },
    };

    for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
        size_t c = i / 2;
        bool list = i % 2, again = cases[c].by_name;
        Fixture *f;

        set_up(state);
        f = *state;
        if (list)
            fake_http_reply(f->http, 200, cases[c].list, NULL);
        fake_http_reply(f->http, 400, ERROR("TrailNotFoundException"), NULL);
        for (unsigned k = 1; k < N_TRAILS; k++)
            fake_http_reply(f->http, 200, LOGGING, NULL);
        if (!list)
            fake_http_reply(f->http, 200, cases[c].list, NULL);
        if (again)
            fake_http_reply(f->http, strstr(cases[c].by_name, "__type") ? 400 : 200, cases[c].by_name, NULL);
        result(f, list, false);
        assert_int_equal(fake_http_n_requests(f->http), N_TRAILS + 1 + again);
        if (again)
            assert_string_equal(fake_http_request(f->http, N_TRAILS + 1)->body, "{\"Name\":\"one\"}");
        assert_int_equal(f->seen[0].kind, cases[c].kind);
        tear_down(state);
    }
}

/* From AWS's JSON to what the guard knows and decides, every field with a value of its own, so that none can
 * be lost or stand in for another. */
static void test_every_field_of_a_status_reaches_the_decision(void **unused) {
    static const char json[] =
            "{\"IsLogging\":true,\"StartLoggingTime\":1735689601,\"StopLoggingTime\":1735689602,"
            "\"LatestDeliveryTime\":1735689603,\"LatestDigestDeliveryTime\":1735689604,"
            "\"LatestDeliveryError\":\"E1\",\"LatestDigestDeliveryError\":\"E2\","
            "\"LatestCloudWatchLogsDeliveryError\":\"E3\",\"LatestNotificationError\":\"E4\"}";
    static const Policy policy = { .mode = MODE_OBSERVE,
                                   .unreachable_after = 3,
                                   .stale_after_usec = 600 * USEC_PER_SEC };
    static const TrailFacts facts = { .writable = true, .validation = true };
    Now now = { 1735689604 * USEC_PER_SEC + policy.stale_after_usec, 1 };
    TrailState state = guard_trail_init();
    CloudTrailStatus status;
    Observation seen;
    Plan plan;

    (void)unused;
    assert_int_equal(
            operation_read(&cloudtrail_get_trail_status_operation, json, sizeof(json) - 1, NULL, &status),
            0);
    seen = observe_status(&status);
    assert_int_equal(seen.kind, OBSERVED_STATUS);
    assert_true(seen.is_logging);
    assert_string_equal(seen.delivery_error, "E1");
    assert_string_equal(seen.digest_error, "E2");
    assert_string_equal(seen.log_group_error, "E3");
    assert_string_equal(seen.notification_error, "E4");
    guard_trail(&policy, &facts, &state, &(TrailInput){ .kind = GUARD_POLLED, .seen = &seen }, now, &plan,
                &state);
    assert_true(state.start_usec == 1735689601 * USEC_PER_SEC);
    assert_true(state.stop_usec == 1735689602 * USEC_PER_SEC);
    assert_true(state.delivery_usec == 1735689603 * USEC_PER_SEC);
    assert_true(state.digest_usec == 1735689604 * USEC_PER_SEC);
    assert_int_equal(state.findings, FINDING_BIT(FINDING_DELIVERY) | FINDING_BIT(FINDING_DIGEST) |
                                             FINDING_BIT(FINDING_LOG_GROUP) |
                                             FINDING_BIT(FINDING_NOTIFICATION));
    now.real_usec += USEC_PER_SEC; /* now the digest, the newest of them, is older than stale_after */
    guard_trail(&policy, &facts, &state, &(TrailInput){ .kind = GUARD_POLLED, .seen = &seen }, now, &plan,
                &state);
    assert_true(state.findings & FINDING_BIT(FINDING_STALE));
}

static void on_answered(size_t i, const Observation *seen, void *userdata) {
    Fixture *f = userdata;

    assert_int_equal(f->n_done, 0);
    assert_int_equal(seen->kind, OBSERVED_STATUS);
    assert_true(seen->target_reachable);
    f->answered |= 1u << i;
}

/* Statuses that were answered are given at once; the list and the status that failed wait for the end. */
static void test_answers_are_given_when_they_come(void **state) {
    Fixture *f = *state;
    PollRequest request = { f->aws, f->credentials, "eu-central-1", true, false, arns, N_TRAILS,
                            0,      on_answered };
    Poll *poll;

    fake_http_fail(f->http, HTTP_TIMED_OUT, "no answer");
    fake_http_reply(f->http, 400, ERROR("TrailNotFoundException"), NULL);
    for (unsigned i = 1; i < N_TRAILS; i++)
        fake_http_reply(f->http, 200, LOGGING, NULL);
    assert_int_equal(poll_start(&request, on_done, f, &poll), 0);
    fake_loop_advance(f->loop, 60 * USEC_PER_SEC);
    assert_int_equal(f->n_done, 1);
    assert_int_equal(f->answered, 0xe);
    assert_true(f->result.reachable && !f->result.listed);
}

#define N_MANY 300

typedef struct Many {
    char texts[N_MANY][128];
    const char *arns[N_MANY];
    unsigned n_done, n_status, n_held_back, n_errors;
    PollResult result;
} Many;

static void on_many(const PollAnswer *answer, void *userdata) {
    Many *many = userdata;

    many->n_done++;
    many->result = answer->result;
    for (size_t i = 0; i < answer->n_seen; i++) {
        many->n_status += answer->seen[i].kind == OBSERVED_STATUS;
        many->n_held_back += answer->seen[i].held_back;
        many->n_errors += answer->seen[i].kind == OBSERVED_ERROR;
    }
}

static Poll *poll_many(Fixture *f, Many *many) {
    PollRequest request = {
        f->aws, f->credentials, "eu-central-1", false, false, many->arns, N_MANY, 0, NULL
    };
    Poll *poll;

    for (size_t i = 0; i < N_MANY; i++) {
        (void)snprintf(many->texts[i], sizeof(many->texts[i]), ARN("trail-%zu"), i);
        many->arns[i] = many->texts[i];
    }
    assert_int_equal(poll_start(&request, on_many, many, &poll), 0);
    return poll;
}

/* At 5 reads a second 300 trails take a minute, and a call has 10 s: the wait for our own turn is no
 * failure. */
static void test_more_trails_than_a_deadline_has_turns_for(void **state) {
    static Many many;
    Fixture *f = *state;

    for (unsigned i = 0; i < N_MANY; i++)
        fake_http_reply(f->http, 200, LOGGING, NULL);
    (void)poll_many(f, &many);
    fake_loop_advance(f->loop, 5 * USEC_PER_SEC);
    assert_between(fake_http_n_requests(f->http), 20, 40);
    fake_loop_advance(f->loop, 70 * USEC_PER_SEC);
    assert_int_equal(many.n_done, 1);
    assert_int_equal(many.n_status, N_MANY);
    assert_true(many.result.reachable);
}

/* A target that dies meanwhile is not asked for each of them. */
static void test_many_trails_of_a_dead_target(void **state) {
    static Many many;
    Fixture *f = *state;

    for (unsigned i = 0; i < N_MANY; i++)
        fake_http_fail(f->http, HTTP_TIMED_OUT, "no answer");
    (void)poll_many(f, &many);
    fake_loop_advance(f->loop, 30 * USEC_PER_SEC);
    assert_int_equal(many.n_done, 1);
    assert_int_equal(many.n_errors, N_MANY);
    assert_between(fake_http_n_requests(f->http), 1, 2 * POLL_ASKED_MAX);
    assert_false(many.result.reachable || many.result.held_back);
    assert_int_equal(many.result.error, POLL_UNREACHABLE);
}

static void ignore_status(const AwsError *error, const CloudTrailStatus *status, void *userdata) {
    (void)error;
    (void)status;
    (void)userdata;
}

/* Others have taken all turns of the next minutes: AWS was not asked, and nothing is said about the
 * target. */
static void test_held_back_by_others_is_no_failure(void **state) {
    static Many many;
    Fixture *f = *state;
    const AwsCaller caller = { f->aws, f->credentials, "eu-central-1" };

    for (unsigned i = 0; i < 200; i++) {
        fake_http_reply(f->http, 200, LOGGING, NULL);
        assert_int_equal(cloudtrail_get_trail_status(&caller, ARN("other"), ignore_status, NULL, NULL), 0);
    }
    fake_loop_run(f->loop);
    (void)poll_many(f, &many);
    fake_loop_run(f->loop);
    assert_int_equal(many.n_done, 1);
    assert_int_equal(many.n_held_back, N_MANY);
    assert_true(many.result.held_back);
    assert_false(many.result.reachable);
    fake_loop_advance(f->loop, 60 * USEC_PER_SEC);
}

static void test_cancelled_while_probing(void **state) {
    Fixture *f = *state;
    PollRequest request = { f->aws, f->credentials, "eu-central-1", true, true, arns, N_TRAILS, 0, NULL };
    Poll *poll;

    poll_cancel(NULL);
    assert_int_equal(poll_start(&request, on_done, f, &poll), 0);
    poll_cancel(poll);
    assert_int_equal(poll_start(&request, on_done, f, &poll), 0);
    fake_loop_run(f->loop);
    assert_int_equal(fake_http_n_running(f->http), 1);
    poll_cancel(poll);
    assert_int_equal(fake_http_n_running(f->http), 0);
    fake_loop_advance(f->loop, 60 * USEC_PER_SEC);
    assert_int_equal(f->n_done, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(test_all_at_once),
        T(test_answers_are_given_when_they_come),
        cmocka_unit_test(test_every_field_of_a_status_reaches_the_decision),
        cmocka_unit_test(test_a_dead_target_is_asked_once),
        cmocka_unit_test(test_missing_trails_are_asked_for_by_the_list),
        T(test_a_target_that_is_back_is_asked_everything),
        cmocka_unit_test(test_one_trail_does_not_speak_for_all),
        cmocka_unit_test(test_a_trail_that_is_listed_and_not_found_is_asked_for_by_its_name),
        T(test_more_trails_than_a_deadline_has_turns_for),
        T(test_many_trails_of_a_dead_target),
        T(test_held_back_by_others_is_no_failure),
        T(test_cancelled_while_probing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
