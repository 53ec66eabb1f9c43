/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/sts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/xml.h"

#define IDENTITY_RESULT "GetCallerIdentityResponse/GetCallerIdentityResult/"

#define WORD               "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
#define SESSION_NAME_CHARS WORD "+=,.@-"
#define EXTERNAL_ID_CHARS  SESSION_NAME_CHARS ":/"
#define EXTERNAL_ID_MAX    1224
#define DURATION_MIN       900
#define DURATION_MAX       43200

/* ---- who we are: reading ---- */

static bool account_is_valid(const char *s) {
    return strlen(s) == 12 && strspn(s, "0123456789") == 12;
}

static int sts_take_identity(const XmlField *account, const XmlField *arn, StsIdentity *ret,
                             AnswerFault *fault) {
    Arn parsed;

    if (!account->text || !account_is_valid(account->text))
        return answer_fault(fault, "Account is missing");
    if (!arn->text || arn_parse(arn->text, &parsed) < 0 || !text_copy(ret->arn, sizeof(ret->arn), arn->text))
        return answer_fault(fault, "Arn is missing");
    (void)text_copy(ret->account, sizeof(ret->account), account->text);
    return 0;
}

static int read_identity(Answer *answer, void *value) {
    XmlField fields[] = {
        { .path = IDENTITY_RESULT "Account" },
        { .path = IDENTITY_RESULT "Arn" },
    };
    int r;

    r = xml_read(answer->reply->body, answer->reply->body_len, fields, ARRAY_SIZE(fields));
    if (r < 0)
        return r;
    r = sts_take_identity(&fields[0], &fields[1], value, answer->fault);
    xml_fields_done(fields, ARRAY_SIZE(fields));
    return r;
}

#define STS(name_, operation)                                                                               \
    .service = AWS_STS, .protocol = AWS_PROTOCOL_QUERY, .version = "2011-06-15", .name = (operation),       \
    .deliver = name_##_deliver

const AwsOperation sts_get_caller_identity_operation = {
    STS(sts_get_caller_identity, "GetCallerIdentity"),
    .read = read_identity,
    .value_size = sizeof(StsIdentity),
};

/* ---- a role's session: checking, building, reading ---- */

static bool consists_of(const char *s, size_t min, size_t max, const char *chars) {
    size_t n = s ? strlen(s) : 0;

    return n >= min && n <= max && strspn(s ? s : "", chars) == n;
}

static bool is_set(const char *s) {
    return s && *s;
}

const char *sts_role_problem(const StsRole *role) {
    Arn arn;

    if (!role->arn || arn_parse(role->arn, &arn) < 0 || !arn_is_role(&arn))
        return "the role must be an ARN such as arn:aws:iam::111122223333:role/NAME";
    if (!consists_of(role->session_name, 2, STS_SESSION_NAME_MAX - 1, SESSION_NAME_CHARS))
        return "the session name must be 2 to 64 of A-Z a-z 0-9 _+=,.@-";
    if (is_set(role->external_id) && !consists_of(role->external_id, 2, EXTERNAL_ID_MAX, EXTERNAL_ID_CHARS))
        return "the external id must be 2 to 1224 of A-Z a-z 0-9 _+=,.@:/-";
    if (role->duration_sec != 0 && (role->duration_sec < DURATION_MIN || role->duration_sec > DURATION_MAX))
        return "the duration must be 900 to 43200 seconds";
    return NULL;
}

const char *sts_session_name(char ret[static STS_SESSION_NAME_MAX], const char *prefix, const char *host) {
    char *s;

    (void)snprintf(ret, STS_SESSION_NAME_MAX, "%s%s%s", prefix, is_set(host) ? "-" : "",
                   is_set(host) ? host : "");
    for (s = ret; *s; s++)
        if (!strchr(SESSION_NAME_CHARS, *s))
            *s = '-';
    return ret;
}

static int fill_session(const StsRole *role, const char *external_id, StrBuf *form) {
    char duration[16] = "";

    if (sts_role_problem(role))
        return -EINVAL;
    if (role->duration_sec != 0)
        (void)snprintf(duration, sizeof(duration), "%u", role->duration_sec);
    (void)form_add(form, "RoleArn", role->arn);
    (void)form_add(form, "RoleSessionName", role->session_name);
    (void)form_add(form, "ExternalId", is_set(external_id) ? external_id : NULL);
    return form_add(form, "DurationSeconds", duration[0] ? duration : NULL);
}

static int fill_assume_role(const void *input, StrBuf *form) {
    const StsRole *role = input;

    return fill_session(role, role->external_id, form);
}

static int fill_web_identity(const void *input, StrBuf *form) {
    const StsWebIdentity *identity = input;
    int r;

    if (!is_set(identity->token) || strlen(identity->token) > STS_WEB_TOKEN_MAX)
        return -EINVAL;
    r = fill_session(&identity->role, NULL, form);
    return r < 0 ? r : form_add(form, "WebIdentityToken", identity->token);
}

/* AWS tells the end by its own clock; what keeps the session goes by ours. */
static uint64_t by_our_clock(uint64_t aws_usec, int64_t offset_usec) {
    if (offset_usec < 0)
        return aws_usec + (uint64_t)-offset_usec;
    return aws_usec > (uint64_t)offset_usec ? aws_usec - (uint64_t)offset_usec : 1;
}

static const char *const session_members[] = { "AccessKeyId", "SecretAccessKey", "SessionToken",
                                               "Expiration" };

static int take_session(const Answer *answer, const XmlField fields[static 4], const char *source,
                        Credentials **ret) {
    uint64_t expires;

    for (size_t i = 0; i < ARRAY_SIZE(session_members); i++)
        if (!is_set(fields[i].text))
            return answer_fault(answer->fault, "%s is missing", session_members[i]);
    if (answer_time(fields[3].text, &expires) < 0 || expires == 0)
        return answer_fault(answer->fault, "Expiration is no time");
    *ret = credentials_new(fields[0].text, fields[1].text, fields[2].text,
                           by_our_clock(expires, answer->reply->clock_offset_usec), source);
    return *ret ? 0 : -ENOMEM;
}

#define SESSION_FIELDS(operation)                                                                           \
    {                                                                                                       \
        { .path = operation "Response/" operation "Result/Credentials/AccessKeyId" },                       \
                { .path = operation "Response/" operation "Result/Credentials/SecretAccessKey" },           \
                { .path = operation "Response/" operation "Result/Credentials/SessionToken" },              \
                { .path = operation "Response/" operation "Result/Credentials/Expiration" },                \
    }

static int read_session(const Answer *answer, XmlField fields[static 4], const char *source,
                        Credentials **ret) {
    int r;

    r = xml_read(answer->reply->body, answer->reply->body_len, fields, ARRAY_SIZE(session_members));
    if (r < 0)
        return r;
    r = take_session(answer, fields, source, ret);
    xml_fields_done(fields, ARRAY_SIZE(session_members));
    return r;
}

static int read_assume_role(Answer *answer, void *value) {
    XmlField fields[] = SESSION_FIELDS("AssumeRole");

    return read_session(answer, fields, "assume_role", value);
}

static int read_web_identity(Answer *answer, void *value) {
    XmlField fields[] = SESSION_FIELDS("AssumeRoleWithWebIdentity");

    return read_session(answer, fields, "web_identity", value);
}

static void clear_session(void *value) {
    credentials_unref(*(Credentials **)value);
}

const AwsOperation sts_assume_role_operation = {
    STS(sts_assume_role, "AssumeRole"),
    .fill = fill_assume_role,
    .hurried = true,
    .read = read_assume_role,
    .clear = clear_session,
    .value_size = sizeof(Credentials *),
    .by_pointer = true,
};
const AwsOperation sts_assume_role_with_web_identity_operation = {
    STS(sts_assume_role_with_web_identity, "AssumeRoleWithWebIdentity"),
    .fill = fill_web_identity,
    .hurried = true,
    .read = read_web_identity,
    .clear = clear_session,
    .value_size = sizeof(Credentials *),
    .by_pointer = true,
};
