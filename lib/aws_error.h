/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What went wrong with an AWS call, as a value; and the one table that sorts AWS's error codes into classes.
 * Pure. Sources: the error lists of the service API references, and the retry and clock-skew lists of AWS's
 * SDKs. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/http.h"

typedef enum AwsErrorClass {
    AWS_OK,
    AWS_THROTTLED,         /* worth another try, later */
    AWS_HELD_BACK,         /* AWS was not asked: our own rate limiter has no turn in time */
    AWS_UNAVAILABLE,       /* 5xx and their kin: worth another try */
    AWS_UNREACHABLE,       /* no connection, name not found, connection lost */
    AWS_TIMED_OUT,         /* no answer within the deadline */
    AWS_TLS,               /* certificate or handshake */
    AWS_BAD_ANSWER,        /* 200 that cannot be read, too big, not HTTP, a redirect */
    AWS_EXPIRED,           /* credentials were good once: fetch new ones */
    AWS_SKEWED,            /* our clock and AWS's differ */
    AWS_BAD_CREDENTIALS,   /* unknown key, bad signature; also what a region that is not enabled answers */
    AWS_NO_CREDENTIALS,    /* no provider had any, or one failed */
    AWS_DENIED,            /* IAM, SCP or resource policy says no */
    AWS_NOT_FOUND,         /* trail, topic, ... is not there */
    AWS_WRONG_REGION,      /* a write outside the trail's home region, or a bucket that lives elsewhere */
    AWS_CONFLICT,          /* another change is under way: later */
    AWS_REFUSED,           /* permanent for this resource (organization trail from a member, unsupported) */
    AWS_INVALID,           /* our request was wrong */
    AWS_CANCELLED,
    AWS_INTERNAL,          /* out of memory or a bug here */
    _AWS_ERROR_CLASS_MAX,
} AwsErrorClass;

#define AWS_REQUEST_ID_MAX  64
#define AWS_EXTENDED_ID_MAX 128

/* The ids are what AWS's support asks for: "" unless they consist of letters, digits and punctuation that
 * real ones have, and fit. */
typedef struct AwsError {
    AwsErrorClass class;
    int http_status;        /* 0 when there was no answer */
    char code[64];          /* AWS's code, or "" ; escaped */
    char message[448];      /* for people, one line; escaped; no secrets */
    char request_id[AWS_REQUEST_ID_MAX];
    char extended_id[AWS_EXTENDED_ID_MAX]; /* S3's second one */
    bool too_big;           /* AWS_BAD_ANSWER: more bytes than are read */
    bool too_long;          /* AWS_BAD_ANSWER: a good one, but for a list or text longer than is taken */
} AwsError;

typedef enum AwsProtocol {
    AWS_PROTOCOL_JSON,      /* awsJson1_1 */
    AWS_PROTOCOL_REST_JSON, /* restJson1: the operation is in the path, its code in x-amzn-ErrorType */
    AWS_PROTOCOL_QUERY,     /* form in, XML out */
    AWS_PROTOCOL_S3,        /* the URL in, XML or headers out */
} AwsProtocol;

/* Sorts an answer: status 2xx is AWS_OK, with the request id. Else reads code and message from the body
 * (JSON `__type`, `message` or `Message`, the x-amzn-ErrorType header as a fallback; or XML; `protocol` says
 * which to try first), from HTML or nothing too ("HTTP 503 (text/html)"), and looks the code up; unknown
 * codes by HTTP status (429 throttled, 408 and 5xx unavailable, 401 and 403 denied, other 4xx invalid, the
 * rest bad answer). An exchange that failed (result not HTTP_ANSWERED) is sorted by its result, with its
 * error text as the message.
 *
 * A message ends at its first line break, and before anything that quotes the signed request back, since
 * that holds the session token. */
void aws_error_from_response(const HttpResponse *response, AwsProtocol protocol, AwsError *ret);

/* Fills an error that did not come from AWS. message is a printf format; the result is escaped. code may be
 * NULL. */
void aws_error_set(AwsError *e, AwsErrorClass class, const char *code, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/* Gives an answer another meaning, as its reader found it: the status and the ids of the answer stay. */
void aws_error_change(AwsError *e, AwsErrorClass class, const char *code, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/* The one text of an error, for people: "OPERATION: CODE: MESSAGE (request id ID)", with ", extended request
 * id ID" inside the parentheses for S3; what is not known is left out, and so is the operation (which may be
 * NULL) of a call that was not sent for want of credentials. Where size is too small the message is
 * shortened. Returns dst. */
const char *aws_error_text(const AwsError *e, const char *operation, char *dst, size_t size);

/* The request id at the end of such a text; "" when there is none. Returns ret. */
const char *aws_error_text_id(const char *text, char ret[static AWS_REQUEST_ID_MAX]);

/* The class of a bare code ("ThrottlingException"), or _AWS_ERROR_CLASS_MAX when it is not in the table. */
AwsErrorClass aws_error_classify(const char *code);

/* "throttled", "denied", ... Never NULL. */
const char *aws_error_class_to_string(AwsErrorClass class);

/* Which permission was missing, as far as AWS says so in the text of a denial. Pure. Source: AWS IAM User
 * Guide, "Troubleshoot access denied error messages". */
#define AWS_ACTION_MAX 128      /* bytes with the NUL */
#define AWS_RESOURCE_MAX 320

/* From "User: ... is not authorized to perform: cloudtrail:StartLogging on resource: arn:...": the action,
 * and the resource, "" when the text names none or was cut inside it. Both are single printable words.
 * False, and then nothing is written, when e is no denial or its text names no action. */
bool aws_error_denied_action(const AwsError *e, char ret_action[static AWS_ACTION_MAX],
                             char ret_resource[static AWS_RESOURCE_MAX]);
