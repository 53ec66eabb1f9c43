/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/call_answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define RETRY_AFTER_MAX_SEC 86400

/* Names of hosts are made by a rule; whether AWS runs them, only a name server knows. */
static const char *hint(const EndpointOverrides *o, HttpResult result) {
    if (result != HTTP_RESOLVE_FAILED || (!o->fips && !o->dual_stack))
        return "";
    return o->fips ? " (AWS has FIPS endpoints in few regions; see use_fips)"
                   : " (AWS may have no dual-stack endpoint there; see use_dualstack)";
}

void call_answer_error(const HttpResponse *response, AwsProtocol protocol, const EndpointOverrides *overrides,
                       AwsError *ret) {
    size_t len;

    aws_error_from_response(response, protocol, ret);
    len = strlen(ret->message);
    (void)text_copy(ret->message + len, sizeof(ret->message) - len, hint(overrides, response->result));
}

bool call_answer_code_may_mean_skew(const char *code) {
    static const char *const codes[] = {
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "AuthFailure",
    };

    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (strcmp(code, codes[i]) == 0)
            return true;
    return false;
}

bool call_answer_skew(const HttpResponse *response, uint64_t real_usec, int64_t *ret_usec) {
    const char *date = http_header(response, "date");
    uint64_t server;

    if (!response->over_tls || !date || timetext_parse_http(date, &server) < 0 || server == 0)
        return false;
    *ret_usec = (int64_t)server - (int64_t)real_usec;
    return true;
}

/* AWS's own header counts milliseconds. */
uint64_t call_answer_retry_after(const HttpResponse *response, uint64_t real_usec) {
    const char *ms = http_header(response, "x-amz-retry-after");
    const char *value = ms ? ms : http_header(response, "retry-after");
    uint64_t at;
    char *end = NULL;
    unsigned long long n;

    if (!value)
        return 0;
    if (*value < '0' || *value > '9')
        return timetext_parse_http(value, &at) == 0 && at > real_usec ? at - real_usec : 0;
    errno = 0;
    n = strtoull(value, &end, 10);
    if (errno != 0 || *end || n > RETRY_AFTER_MAX_SEC * 1000ULL)
        n = RETRY_AFTER_MAX_SEC;
    return n * (ms ? USEC_PER_MSEC : USEC_PER_SEC);
}
