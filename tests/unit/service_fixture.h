/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What tests of typed calls start from: an AwsClient on a script of answers, and what the last callback
 * said. */

#include "lib/call.h"
#include "tests/unit/fake_http.h"
#include "tests/unit/fake_loop.h"

typedef struct ServiceFixture {
    FakeLoop *loop;
    FakeHttp *http;
    AwsClient *aws;
    CredentialsProvider *credentials;
    unsigned n_done;
    AwsError error;
    bool has_result;
    char text[4096]; /* what a test's callback made of the result */
} ServiceFixture;

/* For cmocka_unit_test_setup_teardown(); *state is the fixture. One attempt a call, a second each. */
int service_set_up(void **state);
int service_tear_down(void **state);
#define SERVICE_TEST(name) cmocka_unit_test_setup_teardown(name, service_set_up, service_tear_down)

/* The same with ten seconds each: for rows of calls that wait for their turns (lib/rate_limiter.h). */
int service_set_up_patient(void **state);
#define PATIENT_TEST(name) cmocka_unit_test_setup_teardown(name, service_set_up_patient, service_tear_down)

/* What every callback begins with. */
void service_note(ServiceFixture *f, const AwsError *error, bool has_result);

/* Runs the loop, and fails unless exactly one more callback came, with that class, and a result or none. */
void service_expect(ServiceFixture *f, int started, AwsErrorClass class, bool has_result);

/* The newest request was a JSON one, with this target and body. */
void service_assert_json(const ServiceFixture *f, const char *target, const char *body);
