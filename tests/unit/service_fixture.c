/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/service_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/credentials/providers.h"
#include "lib/util/macros.h"

/* Longer than all pages of a call wait for their turns (lib/rate_limiter.c), and than the next call would.
 */
#define TURNS_USEC (10 * USEC_PER_SEC)

static int set_up(void **state, uint64_t timeout_usec) {
    const AwsLimits limits = { timeout_usec, timeout_usec, 1 };
    ServiceFixture *f = calloc(1, sizeof(*f));

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

int service_set_up(void **state) {
    return set_up(state, USEC_PER_SEC);
}

int service_set_up_patient(void **state) {
    return set_up(state, 10 * USEC_PER_SEC);
}

int service_tear_down(void **state) {
    ServiceFixture *f = *state;

    credentials_provider_free(f->credentials);
    aws_client_free(f->aws);
    fake_http_free(f->http);
    fake_loop_free(f->loop);
    free(f);
    return 0;
}

void service_note(ServiceFixture *f, const AwsError *error, bool has_result) {
    f->n_done++;
    f->error = *error;
    f->has_result = has_result;
    assert_int_equal(has_result, error->class == AWS_OK);
    assert_int_equal(error->class == AWS_OK, error->message[0] == '\0');
}

void service_expect(ServiceFixture *f, int started, AwsErrorClass class, bool has_result) {
    unsigned before = f->n_done;

    assert_int_equal(started, 0);
    fake_loop_advance(f->loop, TURNS_USEC);
    assert_int_equal(f->n_done, before + 1);
    assert_string_equal(aws_error_class_to_string(f->error.class), aws_error_class_to_string(class));
    assert_int_equal(f->has_result, has_result);
}

void service_assert_json(const ServiceFixture *f, const char *target, const char *body) {
    const FakeRequest *r = fake_http_request(f->http, fake_http_n_requests(f->http) - 1);

    assert_string_equal(r->method, "POST");
    assert_string_equal(fake_request_header(r, "content-type"), "application/x-amz-json-1.1");
    assert_string_equal(fake_request_header(r, "x-amz-target"), target);
    assert_string_equal(r->body, body);
}
