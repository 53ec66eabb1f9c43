/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What an answer says beside its body: of what went wrong, of the time, of when to come again. Pure; private
 * to lib/call.c. */

#include "lib/aws_error.h"
#include "lib/endpoint.h"
#include "lib/http.h"

/* The error of an answer, AWS_OK for a good one; or why none came, with a hint where the client's choice of
 * endpoints may be to blame. */
void call_answer_error(const HttpResponse *response, AwsProtocol protocol, const EndpointOverrides *overrides,
                  AwsError *ret);

/* Whether AWS gives this code, among other things, for a clock that is wrong. */
bool call_answer_code_may_mean_skew(const char *code);

/* AWS's clock less ours (real_usec), by the answer's Date. Only a peer that proved who it is may set our
 * clock: false when it did not, or told no date. */
bool call_answer_skew(const HttpResponse *response, uint64_t real_usec, int64_t *ret_usec);

/* What the server asks us to wait, at real_usec; 0 when it does not. */
uint64_t call_answer_retry_after(const HttpResponse *response, uint64_t real_usec);
