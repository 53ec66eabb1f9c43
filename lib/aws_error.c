/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/aws_error.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/util/json_text.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/xml.h"

/* UUIDs, base64, and the ids of S3-compatible services. */
#define ID_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=.:"

#define ID_BEGIN       " (request id "
#define EXTENDED_BEGIN ", extended request id "

/* The parts of an error answer, raw. */
typedef struct Pieces {
    char code[128];
    char message[2048];
    char request_id[2 * AWS_REQUEST_ID_MAX];
    char extended_id[2 * AWS_EXTENDED_ID_MAX];
} Pieces;

/* ---- the table ---- */

static const struct {
    const char *code;
    AwsErrorClass class;
} codes[] = {
    /* Throttling, from the lists of all SDKs and per service. */
    { "BandwidthLimitExceeded", AWS_THROTTLED },
    { "EC2ThrottledException", AWS_THROTTLED },
    { "KMSThrottling", AWS_THROTTLED },
    { "KmsThrottled", AWS_THROTTLED },
    { "LimitExceededException", AWS_THROTTLED },
    { "PriorRequestNotComplete", AWS_THROTTLED },
    { "ProvisionedThroughputExceededException", AWS_THROTTLED },
    { "RequestLimitExceeded", AWS_THROTTLED },
    { "RequestThrottled", AWS_THROTTLED },
    { "RequestThrottledException", AWS_THROTTLED },
    { "SlowDown", AWS_THROTTLED },
    { "Throttled", AWS_THROTTLED },
    { "ThrottledException", AWS_THROTTLED },
    { "Throttling", AWS_THROTTLED },
    { "ThrottlingException", AWS_THROTTLED },
    { "TooManyRequestsException", AWS_THROTTLED },
    { "TransactionInProgressException", AWS_THROTTLED },

    { "DependencyTimeoutException", AWS_UNAVAILABLE },
    { "IDPCommunicationError", AWS_UNAVAILABLE },
    { "InternalError", AWS_UNAVAILABLE },
    { "InternalFailure", AWS_UNAVAILABLE },
    { "InternalServerError", AWS_UNAVAILABLE },
    { "InternalServiceError", AWS_UNAVAILABLE },
    { "InternalServiceException", AWS_UNAVAILABLE },
    { "KMSInternalException", AWS_UNAVAILABLE },
    { "KeyUnavailableException", AWS_UNAVAILABLE },
    { "RequestTimeout", AWS_UNAVAILABLE },
    { "RequestTimeoutException", AWS_UNAVAILABLE },
    { "ServiceException", AWS_UNAVAILABLE },
    { "ServiceUnavailable", AWS_UNAVAILABLE },
    { "ServiceUnavailableException", AWS_UNAVAILABLE },

    { "ExpiredToken", AWS_EXPIRED },
    { "ExpiredTokenException", AWS_EXPIRED },
    { "TokenRefreshRequired", AWS_EXPIRED },

    { "RequestExpired", AWS_SKEWED },
    { "RequestInTheFuture", AWS_SKEWED },
    { "RequestTimeTooSkewed", AWS_SKEWED },

    /* A wrong clock may also give the three signature codes: only the Date header can tell. */
    { "AuthFailure", AWS_BAD_CREDENTIALS },
    { "IncompleteSignature", AWS_BAD_CREDENTIALS },
    { "IncompleteSignatureException", AWS_BAD_CREDENTIALS },
    { "InvalidAccessKeyId", AWS_BAD_CREDENTIALS },
    { "InvalidClientTokenId", AWS_BAD_CREDENTIALS },
    { "InvalidIdentityToken", AWS_BAD_CREDENTIALS },
    { "InvalidSignatureException", AWS_BAD_CREDENTIALS },
    { "InvalidToken", AWS_BAD_CREDENTIALS },
    { "MissingAuthenticationToken", AWS_BAD_CREDENTIALS },
    { "MissingAuthenticationTokenException", AWS_BAD_CREDENTIALS },
    { "OptInRequired", AWS_BAD_CREDENTIALS },
    { "RegionDisabledException", AWS_BAD_CREDENTIALS },
    { "SignatureDoesNotMatch", AWS_BAD_CREDENTIALS },
    { "SubscriptionRequiredException", AWS_BAD_CREDENTIALS },
    { "UnrecognizedClientException", AWS_BAD_CREDENTIALS },

    { "AccessDenied", AWS_DENIED },
    { "AccessDeniedException", AWS_DENIED },
    { "AllAccessDisabled", AWS_DENIED },
    { "AuthorizationError", AWS_DENIED },
    { "AuthorizationErrorException", AWS_DENIED },
    { "IDPRejectedClaim", AWS_DENIED },
    { "InsufficientDependencyServiceAccessPermissionException", AWS_DENIED },
    { "KMSAccessDenied", AWS_DENIED },
    { "KMSAccessDeniedException", AWS_DENIED },
    { "KMSOptInRequired", AWS_DENIED },
    { "KmsAccessDenied", AWS_DENIED },
    { "KmsOptInRequired", AWS_DENIED },
    { "NotAuthorized", AWS_DENIED },
    { "UnauthorizedOperation", AWS_DENIED },

    { "AWS.SimpleQueueService.NonExistentQueue", AWS_NOT_FOUND },
    { "NoSuchBucket", AWS_NOT_FOUND },
    { "NoSuchBucketPolicy", AWS_NOT_FOUND },
    { "NoSuchLifecycleConfiguration", AWS_NOT_FOUND },
    { "NoSuchEntity", AWS_NOT_FOUND },
    { "NotFound", AWS_NOT_FOUND },
    { "NotFoundException", AWS_NOT_FOUND },
    { "QueueDoesNotExist", AWS_NOT_FOUND },
    { "ResourceNotFoundException", AWS_NOT_FOUND },
    { "TrailNotFoundException", AWS_NOT_FOUND },

    { "InvalidHomeRegionException", AWS_WRONG_REGION },
    { "PermanentRedirect", AWS_WRONG_REGION },
    { "TemporaryRedirect", AWS_WRONG_REGION },

    { "ConcurrentModificationException", AWS_CONFLICT },
    { "ConflictException", AWS_CONFLICT },
    { "OperationAborted", AWS_CONFLICT },

    /* Permanent until someone changes something. Errors about what a trail depends on (bucket, key, topic,
     * log group) are here and not under "not found", because the trail itself exists. */
    { "AWSOrganizationsNotInUseException", AWS_REFUSED },
    { "CloudTrailAccessNotEnabledException", AWS_REFUSED },
    { "CloudTrailInvalidClientTokenIdException", AWS_REFUSED },
    { "CloudWatchLogsDeliveryUnavailableException", AWS_REFUSED },
    { "EndpointDisabled", AWS_REFUSED },
    { "InsightNotEnabledException", AWS_REFUSED },
    { "InsufficientEncryptionPolicyException", AWS_REFUSED },
    { "InsufficientS3BucketPolicyException", AWS_REFUSED },
    { "InsufficientSnsTopicPolicyException", AWS_REFUSED },
    { "InvalidCloudWatchLogsLogGroupArnException", AWS_REFUSED },
    { "InvalidCloudWatchLogsRoleArnException", AWS_REFUSED },
    { "KMSDisabled", AWS_REFUSED },
    { "KMSInvalidState", AWS_REFUSED },
    { "KMSNotFound", AWS_REFUSED },
    { "KmsException", AWS_REFUSED },
    { "KmsKeyDisabledException", AWS_REFUSED },
    { "KmsKeyNotFoundException", AWS_REFUSED },
    { "MaximumNumberOfTrailsExceededException", AWS_REFUSED },
    { "NoManagementAccountSLRExistsException", AWS_REFUSED },
    { "NotOrganizationManagementAccountException", AWS_REFUSED },
    { "NotOrganizationMasterAccountException", AWS_REFUSED },
    { "OperationNotPermittedException", AWS_REFUSED },
    { "OrganizationNotInAllFeaturesModeException", AWS_REFUSED },
    { "OrganizationsNotInUseException", AWS_REFUSED },
    { "PlatformApplicationDisabled", AWS_REFUSED },
    { "S3BucketDoesNotExistException", AWS_REFUSED },
    { "TagsLimitExceededException", AWS_REFUSED },
    { "TrailAlreadyExistsException", AWS_REFUSED },
    { "UnsupportedOperationException", AWS_REFUSED },

    { "AuthorizationHeaderMalformed", AWS_INVALID },
    { "CloudTrailARNInvalidException", AWS_INVALID },
    { "InvalidAction", AWS_INVALID },
    { "InvalidArnException", AWS_INVALID },
    { "InvalidBucketName", AWS_INVALID },
    { "InvalidEventCategoryException", AWS_INVALID },
    { "InvalidEventSelectorsException", AWS_INVALID },
    { "InvalidInputException", AWS_INVALID },
    { "InvalidInsightSelectorsException", AWS_INVALID },
    { "InvalidKmsKeyIdException", AWS_INVALID },
    { "InvalidLookupAttributesException", AWS_INVALID },
    { "InvalidMaxResultsException", AWS_INVALID },
    { "InvalidNextTokenException", AWS_INVALID },
    { "InvalidParameter", AWS_INVALID },
    { "InvalidParameterCombinationException", AWS_INVALID },
    { "InvalidParameterException", AWS_INVALID },
    { "InvalidParameterValue", AWS_INVALID },
    { "InvalidS3BucketNameException", AWS_INVALID },
    { "InvalidS3PrefixException", AWS_INVALID },
    { "InvalidSecurity", AWS_INVALID },
    { "InvalidSnsTopicNameException", AWS_INVALID },
    { "InvalidTagParameterException", AWS_INVALID },
    { "InvalidTimeRangeException", AWS_INVALID },
    { "InvalidTokenException", AWS_INVALID },
    { "InvalidTrailNameException", AWS_INVALID },
    { "MalformedPolicyDocument", AWS_INVALID },
    { "PackedPolicyTooLarge", AWS_INVALID },
    { "ParameterValueInvalid", AWS_INVALID },
    { "ResourceTypeNotSupportedException", AWS_INVALID },
    { "SerializationException", AWS_INVALID },
    { "UnknownOperationException", AWS_INVALID },
    { "ValidationError", AWS_INVALID },
    { "ValidationException", AWS_INVALID },
};

AwsErrorClass aws_error_classify(const char *code) {
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (text_equal(codes[i].code, code))
            return codes[i].class;
    return _AWS_ERROR_CLASS_MAX;
}

const char *aws_error_class_to_string(AwsErrorClass class) {
    static const char *const names[_AWS_ERROR_CLASS_MAX] = {
        [AWS_OK] = "ok",
        [AWS_THROTTLED] = "throttled",
        [AWS_HELD_BACK] = "held back",
        [AWS_UNAVAILABLE] = "unavailable",
        [AWS_UNREACHABLE] = "unreachable",
        [AWS_TIMED_OUT] = "timed out",
        [AWS_TLS] = "TLS failed",
        [AWS_BAD_ANSWER] = "bad answer",
        [AWS_EXPIRED] = "credentials expired",
        [AWS_SKEWED] = "clock is off",
        [AWS_BAD_CREDENTIALS] = "bad credentials",
        [AWS_NO_CREDENTIALS] = "no credentials",
        [AWS_DENIED] = "denied",
        [AWS_NOT_FOUND] = "not found",
        [AWS_WRONG_REGION] = "wrong region",
        [AWS_CONFLICT] = "conflict",
        [AWS_REFUSED] = "refused",
        [AWS_INVALID] = "invalid request",
        [AWS_CANCELLED] = "cancelled",
        [AWS_INTERNAL] = "internal error",
    };

    if ((size_t)class >= ARRAY_SIZE(names))
        return "unknown error";
    return names[class];
}

static AwsErrorClass class_of_status(int status) {
    if (status == 429)
        return AWS_THROTTLED;
    if (status == 408 || status >= 500)
        return AWS_UNAVAILABLE;
    if (status == 401 || status == 403)
        return AWS_DENIED;
    /* A 404 without a code of AWS comes from a proxy, and must not mean "the trail is gone". */
    return status >= 400 ? AWS_INVALID : AWS_BAD_ANSWER;
}

static AwsErrorClass class_of_result(HttpResult result) {
    static const AwsErrorClass classes[_HTTP_RESULT_MAX] = {
        [HTTP_RESOLVE_FAILED] = AWS_UNREACHABLE,
        [HTTP_CONNECT_FAILED] = AWS_UNREACHABLE,
        [HTTP_TLS_FAILED] = AWS_TLS,
        [HTTP_TIMED_OUT] = AWS_TIMED_OUT,
        [HTTP_BROKEN] = AWS_UNREACHABLE,
        [HTTP_TOO_BIG] = AWS_BAD_ANSWER,
        [HTTP_MALFORMED] = AWS_BAD_ANSWER,
        [HTTP_INTERNAL] = AWS_INTERNAL,
    };

    return (size_t)result < ARRAY_SIZE(classes) ? classes[result] : AWS_INTERNAL;
}

/* ---- reading bodies ---- */

/* "com.amazonaws.cloudtrail.v20131101#TrailNotFoundException:http://..." -> "TrailNotFoundException". */
static void take_code(char *dst, size_t size, const char *raw) {
    const char *hash;
    char text[512];

    (void) text_copy(text, sizeof(text), raw);
    text[strcspn(text, ":")] = '\0';
    hash = strrchr(text, '#');
    (void) text_copy(dst, size, hash ? hash + 1 : text);
}

/* The first of the members that is a non-empty text. */
static const char *json_text(const json_t *object, const char *const *keys) {
    const char *s = NULL;

    for (; *keys && !(s && *s); keys++)
        s = json_string_value(json_object_get(object, *keys));
    return s ? s : "";
}

/* True when a code was found. */
static bool aws_error_read_json(const HttpResponse *response, Pieces *p) {
    /* AWS's JSON protocol has "__type"; its REST protocol and substitutes for AWS have the others, perhaps
     * inside "Error" as in XML */
    static const char *const code_keys[] = { "__type", "code", "Code", NULL };
    static const char *const text_keys[] = { "message", "Message", NULL };
    json_auto_t *root = NULL;
    const json_t *object;

    /* a NUL in the message must not hide the code; the message ends there */
    if (json_text_parse(response->body, response->body_len, JSON_ALLOW_NUL, NULL, &root) < 0 ||
        !json_is_object(root))
        return false;

    object = json_object_get(root, "Error");
    object = json_is_object(object) && !json_object_get(root, "__type") ? object : root;
    take_code(p->code, sizeof(p->code), json_text(object, code_keys));
    (void) text_copy(p->message, sizeof(p->message), json_text(object, text_keys));
    return p->code[0] != '\0';
}

static bool read_xml(const HttpResponse *response, Pieces *p) {
    XmlField fields[] = {
        { .path = "*/Error/Code" },
        { .path = "*/Error/Message" },
        { .path = "*/RequestId" },
        { .path = "*/HostId" },
    };

    if (xml_read(response->body, response->body_len, fields, ARRAY_SIZE(fields)) < 0)
        return false;

    take_code(p->code, sizeof(p->code), fields[0].text);
    (void) text_copy(p->message, sizeof(p->message), fields[1].text);
    (void) text_copy(p->request_id, sizeof(p->request_id), fields[2].text);
    (void) text_copy(p->extended_id, sizeof(p->extended_id), fields[3].text);
    xml_fields_done(fields, ARRAY_SIZE(fields));
    return p->code[0] != '\0';
}

/* A proxy or load balancer may answer in the other format. */
static bool read_body(const HttpResponse *response, AwsProtocol protocol, Pieces *p) {
    if (protocol != AWS_PROTOCOL_JSON && protocol != AWS_PROTOCOL_REST_JSON)
        return read_xml(response, p) || aws_error_read_json(response, p);
    return aws_error_read_json(response, p) || read_xml(response, p);
}

static void read_headers(const HttpResponse *response, Pieces *p) {
    const char *type = http_header(response, "x-amzn-ErrorType");
    const char *id = http_header(response, "x-amzn-RequestId");
    const char *extended = http_header(response, "x-amz-id-2");

    if (p->code[0] == '\0' && type)
        take_code(p->code, sizeof(p->code), type);
    if (!id)
        id = http_header(response, "x-amz-request-id");
    if (id)
        (void) text_copy(p->request_id, sizeof(p->request_id), id);
    if (extended)
        (void) text_copy(p->extended_id, sizeof(p->extended_id), extended);
}

/* ---- messages ---- */

/* Some services quote the request as they would have signed it, including the session token: the message is
 * cut before that. */
static void cut_message(char *message) {
    static const char *const markers[] = { "canonical string", "canonical request", "string-to-sign",
                                           "string to sign", "aws4-hmac-sha256", "x-amz-security-token" };
    size_t n;

    n = strspn(message, " \t\r\n");
    memmove(message, message + n, strlen(message + n) + 1);
    message[strcspn(message, "\r\n")] = '\0';

    for (size_t i = 0; i < ARRAY_SIZE(markers); i++) {
        char *found = strcasestr(message, markers[i]);

        if (found)
            (void) snprintf(found, strlen(found) + 1, "...");
    }

    n = strlen(message);
    while (n > 0 && strchr(" \t", message[n - 1]))
        message[--n] = '\0';
}

/* The media type alone: "text/html; charset=utf-8" -> "text/html". */
static void media_type(const HttpResponse *response, char *dst, size_t size) {
    const char *type = http_header(response, "content-type");

    (void) text_copy(dst, size, type);
    dst[strcspn(dst, "; \t")] = '\0';
}

/* For answers in an unknown format. The first line of plain text is shown. */
static void describe(const HttpResponse *response, Pieces *p) {
    char type[64], head[160] = "", coding[HTTP_CODING_MAX];

    media_type(response, type, sizeof(type));
    if (http_coding_fault(response, coding)[0])
        (void) text_copy(head, sizeof(head), coding);
    else if (text_equal(type, "text/plain"))
        (void) text_copy(head, sizeof(head), response->body);
    cut_message(head);

    (void) snprintf(p->message, sizeof(p->message), "HTTP %d%s%s%s%s%s", response->status,
                    type[0] ? " (" : "", type, type[0] ? ")" : "", head[0] ? ": " : "", head);
}

/* A truncated id would mislead people. */
static void take_id(char *dst, size_t size, const char *id) {
    bool good = id[strspn(id, ID_CHARACTERS)] == '\0';

    if (!good || !text_copy(dst, size, id))
        dst[0] = '\0';
}

static void fill(AwsError *e, const Pieces *p) {
    text_escaped(e->code, sizeof(e->code), p->code);
    text_escaped(e->message, sizeof(e->message), p->message);
    take_id(e->request_id, sizeof(e->request_id), p->request_id);
    take_id(e->extended_id, sizeof(e->extended_id), p->extended_id);
}

void aws_error_from_response(const HttpResponse *response, AwsProtocol protocol, AwsError *ret) {
    AwsError e = { .class = AWS_OK, .http_status = response->status };
    Pieces p = { 0 };

    if (response->result != HTTP_ANSWERED) {
        e.class = class_of_result(response->result);
        e.too_big = response->result == HTTP_TOO_BIG;
        text_escaped(e.message, sizeof(e.message),
                     *response->error ? response->error : http_result_to_string(response->result));
        *ret = e;
        return;
    }

    if (response->status < 200 || response->status > 299) {
        (void) read_body(response, protocol, &p);
        read_headers(response, &p);
        cut_message(p.message);
        /* "not implemented" is final, whatever the code */
        e.class = response->status == 501 ? AWS_INVALID : aws_error_classify(p.code);
        if (e.class == _AWS_ERROR_CLASS_MAX)
            e.class = class_of_status(response->status);
        if (p.message[0] == '\0')
            describe(response, &p);
    } else
        read_headers(response, &p);

    if (e.class == AWS_OK)
        p.code[0] = '\0';
    fill(&e, &p);
    *ret = e;
}

static void set(AwsError *e, AwsErrorClass class, const char *code, const char *format, va_list args)
        __attribute__((format(printf, 4, 0)));

static void set(AwsError *e, AwsErrorClass class, const char *code, const char *format, va_list args) {
    char message[1024];

    (void) vsnprintf(message, sizeof(message), format, args);
    e->class = class;
    text_escaped(e->code, sizeof(e->code), code);
    text_escaped(e->message, sizeof(e->message), message);
}

void aws_error_set(AwsError *e, AwsErrorClass class, const char *code, const char *format, ...) {
    AwsError error = { 0 };
    va_list args;

    va_start(args, format);
    set(&error, class, code, format, args);
    va_end(args);
    *e = error;
}

void aws_error_change(AwsError *e, AwsErrorClass class, const char *code, const char *format, ...) {
    va_list args;

    va_start(args, format);
    set(e, class, code, format, args);
    va_end(args);
}

/* ---- texts ---- */

static void write_ids(const AwsError *e, char *dst, size_t size) {
    bool extended = e->request_id[0] && e->extended_id[0];

    dst[0] = '\0';
    if (e->request_id[0])
        (void) snprintf(dst, size, ID_BEGIN "%s%s%s)", e->request_id, extended ? EXTENDED_BEGIN : "",
                        extended ? e->extended_id : "");
}

const char *aws_error_text(const AwsError *e, const char *operation, char *dst, size_t size) {
    char ids[sizeof(ID_BEGIN) + sizeof(EXTENDED_BEGIN) + AWS_REQUEST_ID_MAX + AWS_EXTENDED_ID_MAX];
    bool sent = e->class != AWS_NO_CREDENTIALS; /* otherwise the message has the source without credentials,
                                                   and the reason */
    const char *code = sent ? e->code : "", *message = e->message;
    size_t n_head, n_ids;

    if (!message[0] && !code[0])
        message = aws_error_class_to_string(e->class);
    if (!sent || !operation)
        operation = "";
    write_ids(e, ids, sizeof(ids));
    n_ids = strlen(ids);
    (void) snprintf(dst, size, "%s%s%s%s", operation, operation[0] ? ": " : "", code,
                    code[0] && message[0] ? ": " : "");
    n_head = strlen(dst);
    if (n_head + n_ids + 1 > size)
        return dst;
    text_escaped(dst + n_head, size - n_head - n_ids, message);
    memcpy(dst + strlen(dst), ids, n_ids + 1);
    return dst;
}

/* The last one, because AWS's message may contain the same words. */
static const char *find_ids(const char *text) {
    const char *found = NULL;

    for (const char *at = strstr(text, ID_BEGIN); at; at = strstr(at + 1, ID_BEGIN))
        found = at;
    return found;
}

const char *aws_error_text_id(const char *text, char ret[static AWS_REQUEST_ID_MAX]) {
    const char *ids = find_ids(text), *end;
    size_t n;

    ret[0] = '\0';
    if (!ids)
        return ret;
    ids += strlen(ID_BEGIN);
    n = strspn(ids, ID_CHARACTERS);
    end = ids + n;
    if (text_starts_with(end, EXTENDED_BEGIN))
        end += strlen(EXTENDED_BEGIN) + strspn(end + strlen(EXTENDED_BEGIN), ID_CHARACTERS);
    if (n > 0 && n < AWS_REQUEST_ID_MAX && strcmp(end, ")") == 0)
        (void) text_copy(ret, n + 1, ids);
    return ret;
}

/* ---- denials ---- */

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"
#define PERFORM "not authorized to perform: "
#define ON      "on resource: "

/* "service:Action"; its length, or 0. */
static size_t action_length(const char *s) {
    size_t service = strspn(s, LETTERS DIGITS "-");
    size_t name;

    if (service == 0 || s[service] != ':')
        return 0;
    name = strspn(s + service + 1, LETTERS DIGITS);
    return name > 0 ? service + 1 + name : 0;
}

/* The word up to white space, without the quotes that some services put around it; 0 if there is none, or
 * the text was truncated inside it. */
static size_t resource_length(const char **s) {
    bool quoted = **s == '"';
    size_t n;

    *s += quoted;
    n = strcspn(*s, quoted ? "\" " : " ");
    if (quoted && (*s)[n] != '"')
        return 0;
    /* aws_error.h: a message that was too long ends in "...", sometimes followed by the request id. */
    if (n >= 3 && strncmp(*s + n - 3, "...", 3) == 0)
        return 0;
    while (n > 0 && strchr(".,;", (*s)[n - 1]))
        n--;
    return n;
}

bool aws_error_denied_action(const AwsError *e, char ret_action[static AWS_ACTION_MAX],
                             char ret_resource[static AWS_RESOURCE_MAX]) {
    const char *action = strstr(e->message, PERFORM), *resource;
    size_t n_action, n_resource = 0;

    if (e->class != AWS_DENIED || !action)
        return false;
    action += strlen(PERFORM);
    n_action = action_length(action);
    if (n_action == 0 || n_action >= AWS_ACTION_MAX)
        return false;
    /* Only directly after the action; otherwise it belongs to something else. */
    resource = action + n_action;
    resource += strspn(resource, " ");
    if (text_starts_with(resource, ON)) {
        resource += strlen(ON);
        n_resource = resource_length(&resource);
    }
    if (n_resource >= AWS_RESOURCE_MAX)
        n_resource = 0;
    (void) text_copy(ret_action, n_action + 1, action);
    (void) text_copy(ret_resource, n_resource + 1, resource);
    return true;
}
