/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that put, read and remove the policy of one who is contained: each answer of AWS, and what is
 * made of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/io/enforce.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/service_fixture.h"
/* link: -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc */

#define BOB      "arn:aws:iam::111122223333:user/staff/bob"
#define ADMIN    "arn:aws:iam::111122223333:role/Admin"
#define DOCUMENT "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
#define OURS     "%7B%22Statement%22%3A%5B%5D%2C%22Version%22%3A%222012-10-17%22%7D" /* written otherwise */
#define THEIRS   "%7B%22Version%22%3A%222012-10-17%22%7D"

#define GOT(kind, document)                                                                                 \
    "<Get" kind "PolicyResponse><Get" kind "PolicyResult><PolicyDocument>" document                         \
    "</PolicyDocument></Get" kind "PolicyResult></Get" kind "PolicyResponse>"
#define ERROR(code)                                                                                         \
    "<ErrorResponse><Error><Type>Sender</Type><Code>" code                                                  \
    "</Code><Message>no</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"

typedef struct Doing {
    ServiceFixture *f;
    unsigned n_done;
    char arn[ACTOR_ARN_MAX];
    HoldOutcome outcome;
} Doing;

static void on_done(const char *arn, const HoldOutcome *outcome, void *userdata) {
    Doing *d = userdata;

    d->n_done++;
    d->outcome = *outcome;
    (void)text_copy(d->arn, sizeof(d->arn), arn);
}

static int start(Doing *d, const char *arn, HoldAction action, Enforcement **ret) {
    ContainHold hold = { .policy = "TrailGuardContain", .document = DOCUMENT };
    char region[] = "us-east-1";
    EnforceRequest request = { .aws = d->f->aws,
                               .credentials = d->f->credentials,
                               .region = region,
                               .hold = &hold,
                               .action = action,
                               .done = on_done,
                               .userdata = d };
    int r;

    (void)text_copy(hold.arn, sizeof(hold.arn), arn);
    r = enforce_start(&request, ret);
    (void)memset(&hold, 'x', sizeof(hold)); /* both are ours again */
    (void)memset(region, 'x', sizeof(region) - 1);
    return r;
}

static Doing do_it(ServiceFixture *f, const char *arn, HoldAction action) {
    Doing d = { .f = f };
    Enforcement *e;

    assert_int_equal(start(&d, arn, action, &e), 0);
    assert_int_equal(d.n_done, 0);
    fake_loop_advance(f->loop, ENFORCE_CALLS_MAX * aws_client_deadline_usec(f->aws) + 60 * USEC_PER_SEC);
    assert_int_equal(d.n_done, 1);
    assert_int_equal(fake_http_n_running(f->http), 0);
    assert_int_equal(fake_http_n_left(f->http), 0);
    assert_int_equal(d.outcome.action, action);
    assert_string_equal(d.arn, arn);
    return d;
}

static void none(ServiceFixture *f) {
    fake_http_reply(f->http, 404, ERROR("NoSuchEntity"), NULL);
}

static void done(ServiceFixture *f) {
    fake_http_reply(f->http, 200, "<Response/>", NULL);
}

static void got(ServiceFixture *f, const char *answer) {
    fake_http_reply(f->http, 200, answer, NULL);
}

static void assert_asked(const ServiceFixture *f, unsigned i, const char *part) {
    if (!strstr(fake_http_request(f->http, i)->body, part))
        fail_msg("%u: %s is not in %s", i, part, fake_http_request(f->http, i)->body);
}

/* ---- put ---- */

static void it_is_put_and_read_back(void **state) {
    ServiceFixture *f = *state;
    Doing d;

    none(f);
    done(f);
    got(f, GOT("User", OURS));
    d = do_it(f, BOB, HOLD_PUT);
    assert_int_equal(d.outcome.seen, HOLD_SEEN_OURS);
    assert_string_equal(d.outcome.error, "");
    assert_asked(f, 0, "Action=GetUserPolicy&Version=2010-05-08&UserName=bob&PolicyName=TrailGuardContain");
    assert_asked(f, 1, "Action=PutUserPolicy");
    assert_asked(f, 1, "UserName=bob&PolicyName=TrailGuardContain&PolicyDocument=%7B%22Version");
    assert_asked(f, 2, "Action=GetUserPolicy");
}

static void what_is_there_is_not_written_over(void **state) {
    ServiceFixture *f = *state;
    Doing d;

    got(f, GOT("Role", THEIRS));
    d = do_it(f, ADMIN, HOLD_PUT);
    assert_int_equal(d.outcome.seen, HOLD_SEEN_OTHER);
    assert_non_null(strstr(d.outcome.error, "says something else"));
    assert_int_equal(fake_http_n_requests(f->http), 1);
    got(f, GOT("Role", OURS)); /* a crash came between this write and its record */
    d = do_it(f, ADMIN, HOLD_PUT);
    assert_int_equal(d.outcome.seen, HOLD_SEEN_OURS);
    assert_int_equal(fake_http_n_requests(f->http), 2);
    assert_asked(f, 1, "Action=GetRolePolicy&Version=2010-05-08&RoleName=Admin");
}

static void what_aws_does_not_show_is_read_again(void **state) {
    ServiceFixture *f = *state;
    Doing d;

    none(f);
    done(f);
    none(f);
    none(f);
    got(f, GOT("User", OURS));
    d = do_it(f, BOB, HOLD_PUT);
    assert_int_equal(d.outcome.seen, HOLD_SEEN_OURS);

    none(f);
    done(f);
    for (unsigned i = 0; i < 6; i++)
        none(f);
    d = do_it(f, BOB, HOLD_PUT);
    assert_int_equal(d.outcome.seen, HOLD_SEEN_ABSENT);
    assert_string_equal(d.outcome.error, "AWS accepted it, but does not show the policy");
    /* the second of two guards wrote over it at the same moment */
    none(f);
    done(f);
    got(f, GOT("User", THEIRS));
    d = do_it(f, BOB, HOLD_PUT);
    assert_int_equal(d.outcome.seen, HOLD_SEEN_OTHER);
}

static void each_refusal_of_a_put(void **state) {
    ServiceFixture *f = *state;
    static const struct {
        int status;
        const char *answer, *error;
        bool gone;
    } cases[] = {
        { 404, ERROR("NoSuchEntity"), "PutUserPolicy: NoSuchEntity: no", true },
        { 403, ERROR("AccessDenied"), "PutUserPolicy: AccessDenied: no", false },
        { 409, ERROR("LimitExceeded"), "PutUserPolicy: LimitExceeded: no", false },
        { 400, ERROR("MalformedPolicyDocument"), "PutUserPolicy: MalformedPolicyDocument: no", false },
        { 400, ERROR("UnmodifiableEntity"), "PutUserPolicy: UnmodifiableEntity: no", false },
        { 500, "<html>", "PutUserPolicy: ", false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Doing d;

        none(f);
        fake_http_reply(f->http, cases[i].status, cases[i].answer, NULL);
        d = do_it(f, BOB, HOLD_PUT);
        assert_int_equal(d.outcome.seen, HOLD_SEEN_NOTHING);
        assert_int_equal(d.outcome.gone, cases[i].gone);
        if (!text_starts_with(d.outcome.error, cases[i].error))
            fail_msg("%zu: %s", i, d.outcome.error);
    }
    none(f);
    fake_http_fail(f->http, HTTP_CONNECT_FAILED, "no route");
    assert_non_null(strstr(do_it(f, BOB, HOLD_PUT).outcome.error, "no route"));
}

/* ---- what cannot be read ---- */

static void each_failure_of_a_read(void **state) {
    ServiceFixture *f = *state;
    static const struct {
        int status;
        const char *answer, *error;
    } cases[] = {
        { 403, ERROR("AccessDenied"), "AccessDenied" },
        { 200, "", "GetUserPolicy" },
        { 200, "<html>", "GetUserPolicy" },
        { 200, GOT("Role", OURS), "PolicyDocument is missing" },
        { 200, GOT("User", ""), "PolicyDocument is missing" },
        { 200, GOT("User", "%7"), "not percent-encoded" },
        { 200, "<!DOCTYPE a [<!ENTITY b \"c\">]>" GOT("User", "&b;"), "GetUserPolicy" },
        { 503, ERROR("ServiceUnavailable"), "ServiceUnavailable" },
    };
    static const HoldAction actions[] = { HOLD_PUT, HOLD_CHECK, HOLD_REMOVE };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        for (size_t k = 0; k < ARRAY_SIZE(actions); k++) {
            unsigned before = fake_http_n_requests(f->http);
            Doing d;

            fake_http_reply(f->http, cases[i].status, cases[i].answer, NULL);
            d = do_it(f, BOB, actions[k]);
            assert_int_equal(d.outcome.seen, HOLD_SEEN_NOTHING);
            if (!strstr(d.outcome.error, cases[i].error))
                fail_msg("%zu: %s", i, d.outcome.error);
            assert_int_equal(fake_http_n_requests(f->http), before + 1); /* nothing is written blindly */
        }
    /* text that is no policy at all is somebody else's */
    got(f, GOT("User", "%22%1b%5B31m"));
    assert_int_equal(do_it(f, BOB, HOLD_CHECK).outcome.seen, HOLD_SEEN_OTHER);
}

/* ---- check and remove ---- */

static void a_check_believes_only_a_second_answer_that_it_is_gone(void **state) {
    ServiceFixture *f = *state;
    Doing d;

    got(f, GOT("User", OURS));
    assert_int_equal(do_it(f, BOB, HOLD_CHECK).outcome.seen, HOLD_SEEN_OURS);
    none(f);
    got(f, GOT("User", OURS));
    assert_int_equal(do_it(f, BOB, HOLD_CHECK).outcome.seen, HOLD_SEEN_OURS);
    none(f);
    none(f);
    d = do_it(f, BOB, HOLD_CHECK);
    assert_int_equal(d.outcome.seen, HOLD_SEEN_ABSENT);
    assert_string_equal(d.outcome.error, "");
}

static void it_is_removed_and_read_back(void **state) {
    ServiceFixture *f = *state;
    Doing d;

    got(f, GOT("Role", OURS));
    done(f);
    got(f, GOT("Role", OURS)); /* one host is behind */
    none(f);
    d = do_it(f, ADMIN, HOLD_REMOVE);
    assert_int_equal(d.outcome.seen, HOLD_SEEN_ABSENT);
    assert_asked(f, 1,
                 "Action=DeleteRolePolicy&Version=2010-05-08&RoleName=Admin&PolicyName=TrailGuardContain");

    none(f); /* others were faster */
    assert_int_equal(do_it(f, ADMIN, HOLD_REMOVE).outcome.seen, HOLD_SEEN_ABSENT);
    got(f, GOT("Role", OURS));
    none(f); /* in between */
    none(f);
    assert_int_equal(do_it(f, ADMIN, HOLD_REMOVE).outcome.seen, HOLD_SEEN_ABSENT);

    got(f, GOT("Role", THEIRS));
    d = do_it(f, ADMIN, HOLD_REMOVE);
    assert_int_equal(d.outcome.seen, HOLD_SEEN_OTHER);
    assert_non_null(strstr(d.outcome.error, "not the guard's"));
    got(f, GOT("Role", OURS));
    fake_http_reply(f->http, 403, ERROR("AccessDenied"), NULL);
    d = do_it(f, ADMIN, HOLD_REMOVE);
    assert_true(text_starts_with(d.outcome.error, "DeleteRolePolicy: AccessDenied"));
    got(f, GOT("Role", OURS));
    done(f);
    for (unsigned i = 0; i < 6; i++)
        got(f, GOT("Role", OURS));
    assert_string_equal(do_it(f, ADMIN, HOLD_REMOVE).outcome.error,
                        "AWS accepted it, but still shows the policy");
}

/* ---- an end at any time ---- */

static void it_can_be_cancelled(void **state) {
    ServiceFixture *f = *state;
    Doing d = { .f = f };
    Enforcement *e;

    assert_int_equal(start(&d, BOB, HOLD_PUT, &e), 0);
    enforce_cancel(e);
    none(f);
    assert_int_equal(start(&d, BOB, HOLD_PUT, &e), 0);
    fake_loop_advance(f->loop, USEC_PER_SEC); /* the put waits for its answer */
    assert_int_equal(fake_http_n_running(f->http), 1);
    enforce_cancel(e);
    enforce_cancel(NULL);
    fake_loop_advance(f->loop, 600 * USEC_PER_SEC);
    assert_int_equal(d.n_done, 0);
}

/* What was not done says so; what was put is never taken for absent. */
static void without_memory_it_ends_all_the_same(void **state) {
    bool failed = true;

    for (unsigned n = 0; failed; n++) {
        Doing d = { 0 };
        Enforcement *e;
        int r;

        assert_true(n < 2000);
        service_set_up(state);
        d.f = *state;
        none(d.f);
        done(d.f);
        got(d.f, GOT("User", OURS));
        alloc_fail_once(n);
        r = start(&d, BOB, HOLD_PUT, &e);
        if (r == 0)
            fake_loop_advance(d.f->loop, 100 * USEC_PER_SEC);
        failed = alloc_fail_end();
        assert_true(r == 0 || r == -ENOMEM);
        fake_loop_advance(d.f->loop, 100 * USEC_PER_SEC);
        assert_int_equal(d.n_done, r == 0);
        assert_true(r < 0 || d.outcome.error[0] || d.outcome.seen == HOLD_SEEN_OURS);
        assert_true(failed || d.outcome.seen == HOLD_SEEN_OURS);
        service_tear_down(state);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SERVICE_TEST(it_is_put_and_read_back),
        SERVICE_TEST(what_is_there_is_not_written_over),
        SERVICE_TEST(what_aws_does_not_show_is_read_again),
        SERVICE_TEST(each_refusal_of_a_put),
        SERVICE_TEST(each_failure_of_a_read),
        SERVICE_TEST(a_check_believes_only_a_second_answer_that_it_is_gone),
        SERVICE_TEST(it_is_removed_and_read_back),
        SERVICE_TEST(it_can_be_cancelled),
        cmocka_unit_test(without_memory_it_ends_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
