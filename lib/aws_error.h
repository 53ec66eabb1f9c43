/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Errors of AWS calls as values, and the table that classifies AWS's error codes. Pure. Sources: the error
 * lists of the service API references; the retry and clock-skew lists of AWS's SDKs. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/http.h"

typedef enum AwsErrorClass {
    AWS_OK,
    AWS_THROTTLED,         /* retry later */
    AWS_HELD_BACK,         /* not sent: our rate limiter had no slot in time */
    AWS_UNAVAILABLE,       /* 5xx and similar: retry */
    AWS_UNREACHABLE,       /* connection failed or lost, name not found */
    AWS_TIMED_OUT,         /* no answer before the deadline */
    AWS_TLS,               /* certificate or handshake */
    AWS_BAD_ANSWER,        /* an unreadable 200, too big, not HTTP, or a redirect */
    AWS_EXPIRED,           /* credentials have expired: fetch new ones */
    AWS_SKEWED,            /* our clock and AWS's differ */
    AWS_BAD_CREDENTIALS,  /* unknown key or bad signature; also the answer of a region that is not enabled */
    AWS_NO_CREDENTIALS,    /* no provider has any, or a provider failed */
    AWS_DENIED,            /* denied by IAM, an SCP or a resource policy */
    AWS_NOT_FOUND,         /* the trail, topic etc. does not exist */
    AWS_WRONG_REGION,      /* a write outside the trail's home region, or a bucket in another region */
    AWS_CONFLICT,          /* another change is in progress: retry later */
    AWS_REFUSED,  /* permanently refused for this resource (organization trail from a member, unsupported) */
    AWS_INVALID,           /* our request is wrong */
    AWS_CANCELLED,
    AWS_INTERNAL,          /* out of memory or a bug here */
    _AWS_ERROR_CLASS_MAX,
} AwsErrorClass;

#define AWS_REQUEST_ID_MAX  64
#define AWS_EXTENDED_ID_MAX 128

/* AWS Support asks for the request ids. They are "" when they do not fit or contain unusual characters. */
typedef struct AwsError {
    AwsErrorClass class;
    int http_status;        /* 0 without an answer */
    char code[64];          /* AWS's code, escaped; or "" */
    char message[448];      /* for people: one line, escaped, without secrets */
    char request_id[AWS_REQUEST_ID_MAX];
    char extended_id[AWS_EXTENDED_ID_MAX]; /* S3's second id */
    bool too_big;           /* AWS_BAD_ANSWER: larger than is accepted */
    bool too_long;          /* AWS_BAD_ANSWER: valid, but a list or string is longer than is accepted */
} AwsError;

typedef enum AwsProtocol {
    AWS_PROTOCOL_JSON,      /* awsJson1_1 */
    AWS_PROTOCOL_REST_JSON, /* restJson1: the path names the operation, x-amzn-ErrorType the error code */
    AWS_PROTOCOL_QUERY,     /* a form is sent, XML returned */
    AWS_PROTOCOL_S3,        /* a URL is sent, XML or headers returned */
} AwsProtocol;

/* Classifies an answer. A status of 2xx is AWS_OK, with the request id. Otherwise reads code and message
 * from the body (JSON `__type`, `message` or `Message`, with the x-amzn-ErrorType header as fallback; or
 * XML; `protocol` says which to try first). HTML or an empty body gives "HTTP 503 (text/html)". Unknown
 * codes are classified by HTTP status: 429 throttled, 408 and 5xx unavailable, 401 and 403 denied, other 4xx
 * invalid, the rest bad answer. An exchange that failed (result not HTTP_ANSWERED) is classified by its
 * result, with its error text as the message.
 *
 * The message ends at its first line break, and before any quote of the signed request, which contains the
 * session token. */
void aws_error_from_response(const HttpResponse *response, AwsProtocol protocol, AwsError *ret);

/* Sets an error that did not come from AWS. format is a printf format; the result is escaped. code may be
 * NULL. */
void aws_error_set(AwsError *e, AwsErrorClass class, const char *code, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/* Changes the meaning of an answer after reading it. The answer's status and ids stay. */
void aws_error_change(AwsError *e, AwsErrorClass class, const char *code, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/* Formats an error for people: "OPERATION: CODE: MESSAGE (request id ID)", for S3 with ", extended request
 * id ID" inside the parentheses. Unknown parts are left out; so is operation (may be NULL) when the call was
 * not sent for lack of credentials. The message is shortened to fit size. Returns dst. */
const char *aws_error_text(const AwsError *e, const char *operation, char *dst, size_t size);

/* Returns the request id at the end of such a text, or "". */
const char *aws_error_text_id(const char *text, char ret[static AWS_REQUEST_ID_MAX]);

/* Returns the class of a bare code ("ThrottlingException"), or _AWS_ERROR_CLASS_MAX for an unknown one. */
AwsErrorClass aws_error_classify(const char *code);

/* "throttled", "denied", ... Never NULL. */
const char *aws_error_class_to_string(AwsErrorClass class);

/* The missing permission, as far as the text of a denial names it. Pure. Source: AWS IAM User Guide,
 * "Troubleshoot access denied error messages". */
#define AWS_ACTION_MAX 128      /* bytes with the NUL */
#define AWS_RESOURCE_MAX 320

/* Extracts action and resource from "User: ... is not authorized to perform: cloudtrail:StartLogging on
 * resource: arn:...". The resource is "" when the text names none or was cut inside it. Both are single
 * printable words. Returns false and writes nothing when e is not a denial or names no action. */
bool aws_error_denied_action(const AwsError *e, char ret_action[static AWS_ACTION_MAX],
                             char ret_resource[static AWS_RESOURCE_MAX]);
