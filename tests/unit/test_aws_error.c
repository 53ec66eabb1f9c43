/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "lib/aws_error.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"

#define JSON  AWS_PROTOCOL_JSON
#define QUERY AWS_PROTOCOL_QUERY

static AwsError error_of(int status, AwsProtocol protocol, const HttpHeader *headers, size_t n_headers,
                         const char *body) {
    HttpResponse response = {
        .result = HTTP_ANSWERED,
        .status = status,
        .body = body,
        .body_len = strlen(body),
        .headers = headers,
        .n_headers = n_headers,
        .over_tls = true,
        .error = "",
    };
    AwsError e;

    memset(&e, 0x55, sizeof(e));
    aws_error_from_response(&response, protocol, &e);
    assert_int_equal(e.http_status, status);
    return e;
}

static void reads_bodies(void **state _unused_) {
    static const struct {
        int status;
        AwsProtocol protocol;
        const char *body;
        AwsErrorClass class;
        const char *code, *message;
    } cases[] = {
        { 400, JSON, "{\"__type\":\"TrailNotFoundException\",\"message\":\"Unknown trail: main\"}",
          AWS_NOT_FOUND, "TrailNotFoundException", "Unknown trail: main" },
        { 400, JSON,
          "{\"__type\":\"com.amazonaws.cloudtrail.v20131101#InvalidHomeRegionException\","
          "\"Message\":\"no\"}",
          AWS_WRONG_REGION, "InvalidHomeRegionException", "no" },
        { 400, JSON, "{\"__type\":\"a#ThrottlingException:http://x.example/y#z\",\"message\":\"slow\"}",
          AWS_THROTTLED, "ThrottlingException", "slow" },
        { 400, JSON, "{\"message\":\"\",\"Message\":\"second\",\"__type\":\"Weird\"}", AWS_INVALID, "Weird",
          "second" },
        { 500, JSON, "{\"__type\":\"NobodyKnows\"}", AWS_UNAVAILABLE, "NobodyKnows", "HTTP 500" },
        { 400, JSON, "{\"__type\":17,\"message\":{\"a\":1}}", AWS_INVALID, "", "HTTP 400" },
        { 400, JSON, "{\"code\":\"TrailNotFoundException\",\"message\":\"a\"}", AWS_NOT_FOUND,
          "TrailNotFoundException", "a" },
        { 404, JSON, "{\"Error\":{\"Code\":\"TrailNotFoundException\",\"Message\":\"b\"}}", AWS_NOT_FOUND,
          "TrailNotFoundException", "b" },
        { 400, JSON, "{\"__type\":\"ThrottlingException\",\"code\":\"X\",\"Error\":{\"Code\":\"Y\"}}",
          AWS_THROTTLED, "ThrottlingException", "HTTP 400" },
        { 400, JSON, "{\"Error\":\"no\"}", AWS_INVALID, "", "HTTP 400" },
        { 400, JSON, "[\"__type\"]", AWS_INVALID, "", "HTTP 400" },
        { 400, JSON, "{\"message\":\"only that\"}", AWS_INVALID, "", "only that" },
        { 400, JSON, "{\"__type\":\"AccessDeniedException\",\"message\":\"for\\u0000 you\"}", AWS_DENIED,
          "AccessDeniedException", "for" },
        { 403, QUERY,
          "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>"
          "<Code>ExpiredToken</Code><Message>The security token included in the request is expired</Message>"
          "</Error><RequestId>rid-1</RequestId></ErrorResponse>",
          AWS_EXPIRED, "ExpiredToken", "The security token included in the request is expired" },
        { 404, QUERY, "<Error><Code>NoSuchBucket</Code><Message>gone</Message></Error>", AWS_NOT_FOUND,
          "NoSuchBucket", "gone" },
        { 400, QUERY, "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>", AWS_THROTTLED,
          "Throttling", "HTTP 400" },
        /* The other protocol's language. */
        { 503, JSON, "<ErrorResponse><Error><Code>ServiceUnavailable</Code></Error></ErrorResponse>",
          AWS_UNAVAILABLE, "ServiceUnavailable", "HTTP 503" },
        { 400, QUERY, "{\"__type\":\"AccessDeniedException\",\"Message\":\"no\"}", AWS_DENIED,
          "AccessDeniedException", "no" },
        /* Nothing to read. */
        { 500, JSON, "", AWS_UNAVAILABLE, "", "HTTP 500" },
        { 501, JSON, "{\"__type\":\"InternalFailure\",\"message\":\"not yet implemented\"}", AWS_INVALID,
          "InternalFailure", "not yet implemented" },
        { 501, QUERY, "", AWS_INVALID, "", "HTTP 501" },
        { 429, JSON, "", AWS_THROTTLED, "", "HTTP 429" },
        { 408, JSON, "", AWS_UNAVAILABLE, "", "HTTP 408" },
        { 401, JSON, "", AWS_DENIED, "", "HTTP 401" },
        { 403, JSON, "", AWS_DENIED, "", "HTTP 403" },
        { 404, JSON, "", AWS_INVALID, "", "HTTP 404" }, /* not "the trail is gone" */
        { 301, JSON, "", AWS_BAD_ANSWER, "", "HTTP 301" },
        { 100, JSON, "", AWS_BAD_ANSWER, "", "HTTP 100" },
        { 599, QUERY, "<ErrorResponse><Error><Code>Cut", AWS_UNAVAILABLE, "", "HTTP 599" },
        { 400, JSON, "{\"__type\":\"TrailNotFoundExcep", AWS_INVALID, "", "HTTP 400" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AwsError e = error_of(cases[i].status, cases[i].protocol, NULL, 0, cases[i].body);

        assert_string_equal(e.code, cases[i].code);
        assert_string_equal(e.message, cases[i].message);
        assert_string_equal(aws_error_class_to_string(e.class), aws_error_class_to_string(cases[i].class));
    }
}

/* CloudTrail's model gave its errors other statuses than 400 in 2026: the code decides, whatever stands
 * beside it. */
static void the_code_decides_and_not_the_status(void **state _unused_) {
    static const struct {
        const char *code;
        AwsErrorClass class;
    } cases[] = {
        { "TrailNotFoundException", AWS_NOT_FOUND },
        { "S3BucketDoesNotExistException", AWS_REFUSED },
        { "OrganizationsNotInUseException", AWS_REFUSED },
        { "AccessDeniedException", AWS_DENIED },
        { "ThrottlingException", AWS_THROTTLED },
        { "ConflictException", AWS_CONFLICT },
        { "InsufficientS3BucketPolicyException", AWS_REFUSED },
        { "InsufficientSnsTopicPolicyException", AWS_REFUSED },
        { "MaximumNumberOfTrailsExceededException", AWS_REFUSED },
        { "NoManagementAccountSLRExistsException", AWS_REFUSED },
        { "NotOrganizationManagementAccountException", AWS_REFUSED },
    };
    static const int statuses[] = { 400, 403, 404, 409, 429, 500, 503 };

    for (size_t i = 0; i < ARRAY_SIZE(cases) * ARRAY_SIZE(statuses); i++) {
        const char *code = cases[i / ARRAY_SIZE(statuses)].code;
        char body[128];
        AwsError e;

        (void)snprintf(body, sizeof(body), "{\"__type\":\"%s\"}", code);
        e = error_of(statuses[i % ARRAY_SIZE(statuses)], JSON, NULL, 0, body);
        assert_string_equal(e.code, code);
        assert_int_equal(e.class, cases[i / ARRAY_SIZE(statuses)].class);
    }
}

static void reads_headers(void **state _unused_) {
    static const HttpHeader json[] = { { "x-amzn-requestid", "rid-2" },
                                       { "X-Amzn-ErrorType", "AccessDeniedException:http://x.example/" } };
    static const HttpHeader s3[] = { { "x-amz-request-id", "rid-3" } };
    AwsError e;

    e = error_of(400, JSON, json, 2, "");
    assert_string_equal(e.code, "AccessDeniedException");
    assert_int_equal(e.class, AWS_DENIED);
    assert_string_equal(e.request_id, "rid-2");

    e = error_of(400, JSON, json, 2, "{\"__type\":\"ConflictException\"}"); /* the body wins */
    assert_string_equal(e.code, "ConflictException");
    assert_int_equal(e.class, AWS_CONFLICT);

    e = error_of(404, QUERY, s3, 1, "<Error><Code>NoSuchBucket</Code><RequestId>body</RequestId></Error>");
    assert_string_equal(e.request_id, "rid-3");
    e = error_of(404, QUERY, NULL, 0, "<Error><Code>NoSuchBucket</Code><RequestId>body</RequestId></Error>");
    assert_string_equal(e.request_id, "body");

    e = error_of(200, JSON, json, 2, "{\"__type\":\"AccessDeniedException\"}");
    assert_int_equal(e.class, AWS_OK);
    assert_string_equal(e.code, "");
    assert_string_equal(e.message, "");
    assert_string_equal(e.request_id, "rid-2");
    assert_int_equal(error_of(299, JSON, NULL, 0, "").class, AWS_OK);
}

static void pages_that_are_not_awss(void **state _unused_) {
    static const HttpHeader html[] = { { "Content-Type", "text/html; charset=utf-8" } };
    static const HttpHeader plain[] = { { "content-type", "text/plain" } };
    static const HttpHeader zipped[] = { { "Content-Type", "text/plain" },
                                         { "Content-Encoding", "gzip" } };
    static const HttpHeader odd[] = { { "content-encoding", "x\033[2J0123456789012345678901234567890" } };
    AwsError e;

    e = error_of(503, JSON, zipped, 2, "\x1f\x8b\x08");
    assert_int_equal(e.class, AWS_UNAVAILABLE);
    assert_string_equal(e.message, "HTTP 503 (text/plain): it comes with Content-Encoding gzip, which was "
                                   "not requested");
    assert_string_equal(error_of(503, JSON, zipped, 2, "").message, "HTTP 503 (text/plain)");
    e = error_of(503, JSON, odd, 1, "?"); /* cut, and no control characters */
    assert_null(strchr(e.message, '\033'));
    assert_non_null(strstr(e.message, ", which was not requested"));
    e = error_of(403, JSON, (HttpHeader[]){ { "Content-Encoding", "identity" } }, 1, "no JSON");
    assert_string_equal(e.message, "HTTP 403");

    e = error_of(503, JSON, html, 1, "<html><head><title>503</title></head><body><hr>nginx</body></html>");
    assert_int_equal(e.class, AWS_UNAVAILABLE);
    assert_string_equal(e.message, "HTTP 503 (text/html)");
    assert_string_equal(e.code, "");

    e = error_of(502, QUERY, plain, 1, "\n upstream connect error\nsecond line");
    assert_string_equal(e.message, "HTTP 502 (text/plain): upstream connect error");
}

/* What an administrator needs of a denial is at its head: who may not do what. */
static void long_messages_keep_their_head(void **state _unused_) {
    static const char head[] =
            "User: arn:aws:sts::111122223333:assumed-role/TrailGuard/trailguard-host is not authorized to "
            "perform: cloudtrail:StartLogging on resource: "
            "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main with an explicit deny";
    _cleanup_strbuf_ StrBuf body = STRBUF_INIT(100000);
    AwsError e;

    strbuf_addf(&body, "{\"__type\":\"AccessDeniedException\",\"Message\":\"%s", head);
    for (int i = 0; i < 1000; i++)
        strbuf_add(&body, " and so on");
    strbuf_add(&body, "\"}");
    e = error_of(400, JSON, NULL, 0, strbuf_str(&body));
    assert_int_equal(e.class, AWS_DENIED);
    assert_true(text_starts_with(e.message, head));
    assert_true(text_ends_with(e.message, "..."));
    assert_int_equal(strlen(e.message), sizeof(e.message) - 1);
}

static void everything_is_escaped(void **state _unused_) {
    static const HttpHeader headers[] = { { "x-amzn-RequestId", "a\x1b[0m\xff" } };
    AwsError e;

    e = error_of(400, JSON, headers, 1,
                 "{\"__type\":\"Bad\\u001bCode\",\"message\":\"a\\u202e\\u001b[31m\\\\ \\u0085\"}");
    assert_string_equal(e.code, "Bad\\x1bCode");
    assert_string_equal(e.message, "a\\u202e\\x1b[31m\\\\ \\u0085");
    assert_string_equal(e.request_id, ""); /* see ids_of_odd_content() */

    aws_error_set(&e, AWS_BAD_ANSWER, "a\nb", "%s", "c\nd");
    assert_int_equal(e.class, AWS_BAD_ANSWER);
    assert_int_equal(e.http_status, 0);
    assert_string_equal(e.code, "a\\x0ab");
    assert_string_equal(e.message, "c\\x0ad");
    assert_string_equal(e.request_id, "");
    aws_error_set(&e, AWS_CANCELLED, NULL, "cancelled");
    assert_string_equal(e.code, "");
}

/* An id is whole and well-formed, or it is none. */
static void ids_of_odd_content(void **state _unused_) {
    static const struct {
        const char *id, *shown;
    } cases[] = {
        { "4442587FB7D0A2F9", "4442587FB7D0A2F9" },
        { "0f2b9a61-7c5d-4e8f-9a3b-1c2d3e4f5a6b", "0f2b9a61-7c5d-4e8f-9a3b-1c2d3e4f5a6b" },
        { "tx00000f-0065.a_b+c/d=:e", "tx00000f-0065.a_b+c/d=:e" },
        { "", "" },
        { "a b", "" },
        { "a\x1b[0m", "" },
        { "a\nb", "" },
        { "a)", "" },
        { "\xc3\xa4", "" },
        { "012345678901234567890123456789012345678901234567890123456789012",
          "012345678901234567890123456789012345678901234567890123456789012" },
        { "0123456789012345678901234567890123456789012345678901234567890123", "" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        HttpHeader header = { "x-amzn-RequestId", cases[i].id };
        AwsError e = error_of(400, JSON, &header, 1, "{\"__type\":\"X\"}");

        assert_string_equal(e.request_id, cases[i].shown);
        e = error_of(200, JSON, &header, 1, "{}");
        assert_string_equal(e.request_id, cases[i].shown);
    }
    assert_string_equal(error_of(400, JSON, NULL, 0, "{\"__type\":\"X\"}").request_id, "");
}

static void ids_of_s3(void **state _unused_) {
    static const HttpHeader headers[] = { { "x-amz-request-id", "4442587FB7D0A2F9" },
                                          { "x-amz-id-2", "vlR7PnpV2Ce81l0PRw6j/UpOCFJT=" } };
    char text[200], id[AWS_REQUEST_ID_MAX], cut[AWS_EXTENDED_ID_MAX + 1];
    HttpHeader longer[] = { headers[0], { "x-amz-id-2", cut } };
    AwsError e;

    e = error_of(403, AWS_PROTOCOL_S3, headers, 2,
                 "<Error><Code>AccessDenied</Code><Message>No</Message></Error>");
    assert_string_equal(aws_error_text(&e, "HeadBucket", text, sizeof(text)),
                        "HeadBucket: AccessDenied: No (request id 4442587FB7D0A2F9, extended request id "
                        "vlR7PnpV2Ce81l0PRw6j/UpOCFJT=)");
    assert_string_equal(aws_error_text_id(text, id), "4442587FB7D0A2F9");

    e = error_of(403, AWS_PROTOCOL_S3, NULL, 0,
                 "<Error><Code>AccessDenied</Code><Message>No</Message><RequestId>R</RequestId><HostId>H=</"
                 "HostId></Error>");
    assert_string_equal(aws_error_text(&e, NULL, text, sizeof(text)),
                        "AccessDenied: No (request id R, extended request id H=)");

    memset(cut, 'x', sizeof(cut) - 1);
    cut[sizeof(cut) - 1] = '\0';
    e = error_of(403, AWS_PROTOCOL_S3, longer, 2, "");
    assert_string_equal(e.extended_id, "");
    assert_string_equal(aws_error_text(&e, "HeadBucket", text, sizeof(text)),
                        "HeadBucket: HTTP 403 (request id 4442587FB7D0A2F9)");
}

#define SAID(...) { __VA_ARGS__, false, false }

static void texts(void **state _unused_) {
    static const struct {
        AwsError error;
        const char *operation, *text;
    } cases[] = {
        { SAID(AWS_DENIED, 400, "AccessDeniedException", "No", "r-1", ""),
          "StartLogging",
          "StartLogging: AccessDeniedException: No (request id r-1)" },
        { SAID(AWS_DENIED, 400, "AccessDeniedException", "No", "r-1", ""),
          NULL,
          "AccessDeniedException: No (request id r-1)" },
        { SAID(AWS_UNREACHABLE, 0, "", "connection refused", "", ""),
          "Publish",
          "Publish: connection refused" },
        { SAID(AWS_INVALID, 400, "X", "", "r-1", ""), "Publish", "Publish: X (request id r-1)" },
        { SAID(AWS_THROTTLED, 400, "", "", "r-1", ""), "Publish", "Publish: throttled (request id r-1)" },
        { SAID(AWS_CANCELLED, 0, "", "", "", ""), NULL, "cancelled" },
        { SAID(AWS_NO_CREDENTIALS, 0, "AccessDenied", "role r: AccessDenied: No (request id r-2)", "", ""),
          "GetTrailStatus",
          "role r: AccessDenied: No (request id r-2)" },
        { SAID(AWS_DENIED, 403, "A", "B", "", "extended alone says nothing"), NULL, "A: B" },
    };
    char text[100];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(aws_error_text(&cases[i].error, cases[i].operation, text, sizeof(text)),
                            cases[i].text);
}

/* The message gives way, never the id; and nothing is written past the end. */
static void short_texts(void **state _unused_) {
    AwsError e = { .class = AWS_DENIED, .code = "Code", .request_id = "0123456789" };
    char text[128], id[AWS_REQUEST_ID_MAX];

    memset(e.message, 'm', sizeof(e.message) - 1);
    for (size_t size = 1; size < sizeof(text) - 1; size++) {
        memset(text, 'X', sizeof(text));
        (void)aws_error_text(&e, "Operation", text, size);
        assert_int_equal(text[size], 'X');
        assert_true(strlen(text) < size);
        if (size > strlen("Operation: Code: mmm... (request id 0123456789)"))
            assert_string_equal(aws_error_text_id(text, id), "0123456789");
    }
    (void)aws_error_text(&e, "Operation", text, 50);
    assert_string_equal(text, "Operation: Code: mmmmm... (request id 0123456789)");
}

static void ids_in_texts(void **state _unused_) {
    static const struct {
        const char *text, *id;
    } cases[] = {
        { "", "" },
        { "StartLogging: X: no", "" },
        { "X (request id r-1)", "r-1" },
        { "X (request id r-1) and more", "" }, /* not what aws_error_text() writes */
        { "X (request id forged) (request id r-1)", "r-1" },
        { "X (request id )", "" },
        { "X (request id a b)", "" },
        { "X (request id r-1", "" },
        { "X (request id r-1, extended request id h=)", "r-1" },
        { "X (request id r-1, and h=)", "" },
    };
    char id[AWS_REQUEST_ID_MAX];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(aws_error_text_id(cases[i].text, id), cases[i].id);
}

static void another_meaning(void **state _unused_) {
    AwsError e = { .class = AWS_OK, .http_status = 200, .request_id = "r-1", .extended_id = "h" };

    aws_error_change(&e, AWS_BAD_ANSWER, "", "not %s", "good");
    assert_int_equal(e.class, AWS_BAD_ANSWER);
    assert_int_equal(e.http_status, 200);
    assert_string_equal(e.message, "not good");
    assert_string_equal(e.request_id, "r-1");
    assert_string_equal(e.extended_id, "h");
    aws_error_set(&e, AWS_INTERNAL, "", "still %s", e.message);
    assert_string_equal(e.message, "still not good");
    assert_string_equal(e.request_id, "");
}

/* Answers that quote the signed request, where the session token is. */
static void secrets_stay_out(void **state _unused_) {
    static const char *const bodies[] = {
        "{\"__type\":\"InvalidSignatureException\",\"message\":\"The request signature does not match."
        "\\n\\nThe Canonical String for this request should have been\\n'POST\\n"
        "x-amz-security-token:SECRET'\"}",
        "{\"__type\":\"InvalidSignatureException\",\"message\":\"The request signature does not match. "
        "The Canonical String for this request should have been 'POST / x-amz-security-token:SECRET'\"}",
        "{\"__type\":\"IncompleteSignatureException\",\"message\":\"'x' not a valid key=value pair in "
        "Authorization header: 'AWS4-HMAC-SHA256 Credential=AKID, Signature=SECRET'.\"}",
        "{\"__type\":\"Other\",\"message\":\"header X-Amz-Security-Token SECRET is odd\"}",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
        AwsError e = error_of(403, JSON, NULL, 0, bodies[i]);

        assert_null(strstr(e.message, "SECRET"));
        assert_true(strlen(e.message) > 5);
    }
}

static void hostile_json_is_survived(void **state _unused_) {
    _cleanup_strbuf_ StrBuf deep = STRBUF_INIT(1000000);

    for (int i = 0; i < 200000; i++)
        strbuf_add(&deep, "{\"a\":");
    assert_string_equal(error_of(400, JSON, NULL, 0, strbuf_str(&deep)).message, "HTTP 400");
    strbuf_truncate(&deep, 0);
    for (int i = 0; i < 200000; i++)
        strbuf_add(&deep, "[");
    assert_string_equal(error_of(400, JSON, NULL, 0, strbuf_str(&deep)).message, "HTTP 400");
}

static void exchanges_that_failed(void **state _unused_) {
    static const struct {
        HttpResult result;
        AwsErrorClass class;
    } cases[] = {
        { HTTP_RESOLVE_FAILED, AWS_UNREACHABLE },
        { HTTP_CONNECT_FAILED, AWS_UNREACHABLE },
        { HTTP_TLS_FAILED, AWS_TLS },
        { HTTP_TIMED_OUT, AWS_TIMED_OUT },
        { HTTP_BROKEN, AWS_UNREACHABLE },
        { HTTP_TOO_BIG, AWS_BAD_ANSWER },
        { HTTP_MALFORMED, AWS_BAD_ANSWER },
        { HTTP_INTERNAL, AWS_INTERNAL },
        { _HTTP_RESULT_MAX, AWS_INTERNAL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        HttpResponse response = { .result = cases[i].result, .body = "", .error = "sts.example: no\n" };
        AwsError e;

        aws_error_from_response(&response, JSON, &e);
        assert_int_equal(e.class, cases[i].class);
        assert_int_equal(e.http_status, 0);
        assert_string_equal(e.code, "");
        assert_string_equal(e.message, "sts.example: no\\x0a");
    }
}

static void sorts_codes(void **state _unused_) {
    static const struct {
        const char *code;
        AwsErrorClass class;
    } cases[] = {
        { "ThrottlingException", AWS_THROTTLED },
        { "KMSThrottling", AWS_THROTTLED },
        { "PriorRequestNotComplete", AWS_THROTTLED },
        { "InternalFailure", AWS_UNAVAILABLE },
        { "RequestTimeout", AWS_UNAVAILABLE },
        { "ExpiredToken", AWS_EXPIRED },
        { "ExpiredTokenException", AWS_EXPIRED },
        { "RequestExpired", AWS_SKEWED },
        { "RequestTimeTooSkewed", AWS_SKEWED },
        { "SignatureDoesNotMatch", AWS_BAD_CREDENTIALS },
        { "UnrecognizedClientException", AWS_BAD_CREDENTIALS },
        { "OptInRequired", AWS_BAD_CREDENTIALS },
        { "AccessDenied", AWS_DENIED },
        { "AuthorizationError", AWS_DENIED },
        { "NotFound", AWS_NOT_FOUND },
        { "TrailNotFoundException", AWS_NOT_FOUND },
        { "S3BucketDoesNotExistException", AWS_REFUSED }, /* the trail itself is there */
        { "InvalidHomeRegionException", AWS_WRONG_REGION },
        { "ConflictException", AWS_CONFLICT },
        { "NotOrganizationMasterAccountException", AWS_REFUSED },
        { "UnsupportedOperationException", AWS_REFUSED },
        { "InvalidTrailNameException", AWS_INVALID },
        { "SerializationException", AWS_INVALID },
        { "throttlingexception", _AWS_ERROR_CLASS_MAX },
        { "", _AWS_ERROR_CLASS_MAX },
        { NULL, _AWS_ERROR_CLASS_MAX },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (aws_error_classify(cases[i].code) != cases[i].class)
            fail_msg("%s is sorted wrongly", cases[i].code);
}

static void every_value_has_a_name(void **state _unused_) {
    for (int i = 0; i < _AWS_ERROR_CLASS_MAX; i++) {
        assert_non_null(aws_error_class_to_string((AwsErrorClass)i));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(aws_error_class_to_string((AwsErrorClass)i),
                                    aws_error_class_to_string((AwsErrorClass)j));
    }
    assert_non_null(aws_error_class_to_string((AwsErrorClass)-1));
    assert_non_null(aws_error_class_to_string(_AWS_ERROR_CLASS_MAX));
    for (int i = 0; i < _HTTP_RESULT_MAX; i++)
        assert_non_null(http_result_to_string((HttpResult)i));
    assert_non_null(http_result_to_string(_HTTP_RESULT_MAX));
}

static void finds_headers(void **state _unused_) {
    static const HttpHeader headers[] = { { "Date", "one" }, { "date", "two" } };
    HttpResponse response = { .headers = headers, .n_headers = 2 };

    assert_string_equal(http_header(&response, "DATE"), "one");
    assert_null(http_header(&response, "dat"));
    response.n_headers = 0;
    assert_null(http_header(&response, "date"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_bodies),
        cmocka_unit_test(the_code_decides_and_not_the_status),
        cmocka_unit_test(reads_headers),
        cmocka_unit_test(pages_that_are_not_awss),
        cmocka_unit_test(long_messages_keep_their_head),
        cmocka_unit_test(everything_is_escaped),
        cmocka_unit_test(ids_of_odd_content),
        cmocka_unit_test(ids_of_s3),
        cmocka_unit_test(texts),
        cmocka_unit_test(short_texts),
        cmocka_unit_test(ids_in_texts),
        cmocka_unit_test(another_meaning),
        cmocka_unit_test(secrets_stay_out),
        cmocka_unit_test(hostile_json_is_survived),
        cmocka_unit_test(exchanges_that_failed),
        cmocka_unit_test(sorts_codes),
        cmocka_unit_test(every_value_has_a_name),
        cmocka_unit_test(finds_headers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
