/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/sts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/form.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"
#include "lib/xml.h"

#define VERSION "2011-06-15"
#define IDENTITY_BODY "Action=GetCallerIdentity&Version=" VERSION
#define IDENTITY_RESULT "GetCallerIdentityResponse/GetCallerIdentityResult/"

#define WORD "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
#define SESSION_NAME_CHARS WORD "+=,.@-"
#define EXTERNAL_ID_CHARS SESSION_NAME_CHARS ":/"
#define EXTERNAL_ID_MAX 1224
#define DURATION_MIN 900
#define DURATION_MAX 43200
/* Every byte of the longest token and of the other values may take three. */
#define BODY_MAX (3 * (STS_WEB_TOKEN_MAX + ARN_MAX + STS_SESSION_NAME_MAX + EXTERNAL_ID_MAX) + 256)

/* ---- who we are: reading ---- */

static bool account_is_valid(const char *s) {
    return strlen(s) == 12 && strspn(s, "0123456789") == 12;
}

static int fields_to_identity(const char *account, const char *arn, StsIdentity *ret) {
    StsIdentity identity;
    Arn parsed;

    if (!account || !arn || !account_is_valid(account) || arn_parse(arn, &parsed) < 0)
        return -EBADMSG;
    (void)text_copy(identity.account, sizeof(identity.account), account);
    if (!text_copy(identity.arn, sizeof(identity.arn), arn))
        return -EBADMSG;
    *ret = identity;
    return 0;
}

int sts_read_identity(const char *body, size_t len, StsIdentity *ret) {
    XmlField fields[] = {
        { .path = IDENTITY_RESULT "Account" },
        { .path = IDENTITY_RESULT "Arn" },
    };
    int r;

    r = xml_read(body, len, fields, ARRAY_SIZE(fields));
    if (r < 0)
        return -EBADMSG;
    r = fields_to_identity(fields[0].text, fields[1].text, ret);
    xml_fields_done(fields, ARRAY_SIZE(fields));
    return r;
}

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

    (void)snprintf(ret, STS_SESSION_NAME_MAX, "%s%s%s", prefix, is_set(host) ? "-" : "", is_set(host) ? host : "");
    for (s = ret; *s; s++)
        if (!strchr(SESSION_NAME_CHARS, *s))
            *s = '-';
    return ret;
}

int sts_build_assume_role(const StsRole *role, const char *token, StrBuf *ret) {
    char duration[16] = "";

    if (sts_role_problem(role))
        return -EINVAL;
    if (role->duration_sec != 0)
        (void)snprintf(duration, sizeof(duration), "%u", role->duration_sec);

    (void)form_add(ret, "Action", token ? "AssumeRoleWithWebIdentity" : "AssumeRole");
    (void)form_add(ret, "Version", VERSION);
    (void)form_add(ret, "RoleArn", role->arn);
    (void)form_add(ret, "RoleSessionName", role->session_name);
    (void)form_add(ret, "ExternalId", is_set(role->external_id) && !token ? role->external_id : NULL);
    (void)form_add(ret, "DurationSeconds", duration[0] ? duration : NULL);
    (void)form_add(ret, "WebIdentityToken", token);
    return strbuf_error(ret);
}

enum {
    FIELD_KEY,
    FIELD_SECRET,
    FIELD_TOKEN,
    FIELD_EXPIRATION,
    _FIELD_MAX,
};

static int fields_to_session(const XmlField fields[static _FIELD_MAX], const char *source,
                             Credentials **ret) {
    Credentials *credentials;
    uint64_t expires;

    for (size_t i = 0; i < _FIELD_MAX; i++)
        if (!is_set(fields[i].text))
            return -EBADMSG;
    if (timetext_parse_iso(fields[FIELD_EXPIRATION].text, &expires) < 0 || expires == 0)
        return -EBADMSG;
    credentials = credentials_new(fields[FIELD_KEY].text, fields[FIELD_SECRET].text,
                                  fields[FIELD_TOKEN].text, expires, source);
    if (!credentials)
        return -ENOMEM;
    *ret = credentials;
    return 0;
}

static int read_session_of(const char *body, size_t len, const char *const paths[static _FIELD_MAX],
                           const char *source, Credentials **ret) {
    XmlField fields[_FIELD_MAX];
    int r;

    for (size_t i = 0; i < _FIELD_MAX; i++)
        fields[i] = (XmlField){ .path = paths[i] };
    r = xml_read(body, len, fields, _FIELD_MAX);
    if (r < 0)
        return r;
    r = fields_to_session(fields, source, ret);
    xml_fields_done(fields, _FIELD_MAX);
    return r;
}

#define SESSION_PATHS(operation)                                                                            \
    {                                                                                                       \
        [FIELD_KEY] = operation "Response/" operation "Result/Credentials/AccessKeyId",                     \
        [FIELD_SECRET] = operation "Response/" operation "Result/Credentials/SecretAccessKey",              \
        [FIELD_TOKEN] = operation "Response/" operation "Result/Credentials/SessionToken",                  \
        [FIELD_EXPIRATION] = operation "Response/" operation "Result/Credentials/Expiration",               \
    }

int sts_read_session(const char *body, size_t len, const char *source, Credentials **ret) {
    static const char *const paths[][_FIELD_MAX] = {
        SESSION_PATHS("AssumeRole"),
        SESSION_PATHS("AssumeRoleWithWebIdentity"),
    };
    int r = -EBADMSG;

    for (size_t i = 0; i < ARRAY_SIZE(paths) && r == -EBADMSG; i++)
        r = read_session_of(body, len, paths[i], source, ret);
    return r;
}

/* ---- the calls ---- */

static void set_bad_answer(AwsError *e, int r, const char *missing) {
    if (r == -ENOMEM)
        aws_error_change(e, AWS_INTERNAL, "", "out of memory");
    else
        aws_error_change(e, AWS_BAD_ANSWER, "", "STS's answer holds no %s", missing);
}

static void finish_identity(const TypedCall *call, const AwsReply *reply) {
    AwsError error = reply->error;
    StsIdentity identity;
    int r;

    if (error.class == AWS_OK) {
        r = sts_read_identity(reply->body, reply->body_len, &identity);
        if (r < 0)
            set_bad_answer(&error, r, "identity");
    }
    ((StsIdentityDone)call->done)(&error, error.class == AWS_OK ? &identity : NULL, call->userdata);
}

/* AWS tells the end by its own clock; what keeps the session goes by ours. */
static uint64_t by_our_clock(uint64_t aws_usec, int64_t offset_usec) {
    if (offset_usec < 0)
        return aws_usec + (uint64_t)-offset_usec;
    return aws_usec > (uint64_t)offset_usec ? aws_usec - (uint64_t)offset_usec : 1;
}

static void finish_session(const TypedCall *call, const AwsReply *reply) {
    Credentials *credentials = NULL;
    AwsError error = reply->error;
    int r;

    if (error.class == AWS_OK) {
        r = sts_read_session(reply->body, reply->body_len, call->state, &credentials);
        if (r < 0)
            set_bad_answer(&error, r, "session");
        else
            credentials->expires_usec = by_our_clock(credentials->expires_usec, reply->clock_offset_usec);
    }
    ((StsSessionDone)call->done)(&error, credentials, call->userdata);
    credentials_unref(credentials);
}

static int start(AwsClient *client, CredentialsSource *credentials, const char *region, const char *body,
                 uint64_t deadline_usec, const TypedCall *template, StsCall **ret) {
    return typed_call(client, credentials,
                      &(AwsRequest){
                              .service = AWS_STS,
                              .region = region,
                              .protocol = AWS_PROTOCOL_QUERY,
                              .body = body,
                              .body_len = strlen(body),
                              .deadline_usec = deadline_usec,
                      },
                      template, ret);
}

int sts_get_caller_identity(AwsClient *client, CredentialsSource *credentials, const char *region,
                            StsIdentityDone done, void *userdata, StsCall **ret) {
    static const TypedOperation operation = { .finish = finish_identity };
    const TypedCall template = { .operation = &operation, .done = (TypedDone)done, .userdata = userdata };

    return start(client, credentials, region, IDENTITY_BODY, 0, &template, ret);
}

/* source, a literal, names the keys' origin; it is the call's state. */
static int start_session(AwsClient *client, CredentialsSource *credentials, const char *region,
                         const StsRole *role, const char *token, const char *source, StsSessionDone done,
                         void *userdata, StsCall **ret) {
    static const TypedOperation operation = { .finish = finish_session };
    const TypedCall template = {
        .operation = &operation, .state = (char *)source, .done = (TypedDone)done, .userdata = userdata
    };
    _cleanup_strbuf_ StrBuf body = STRBUF_INIT(BODY_MAX);
    int r;

    body.wipe = true;
    r = sts_build_assume_role(role, token, &body);
    if (r < 0)
        return r == -E2BIG ? -EINVAL : r;
    return start(client, credentials, region, strbuf_str(&body), aws_client_deadline_usec(client) / 2,
                 &template, ret);
}

int sts_assume_role(AwsClient *client, CredentialsSource *credentials, const char *region,
                    const StsRole *role, StsSessionDone done, void *userdata, StsCall **ret) {
    return start_session(client, credentials, region, role, NULL, "assume_role", done, userdata, ret);
}

int sts_assume_role_with_web_identity(AwsClient *client, const char *region, const StsRole *role,
                                      const char *token, StsSessionDone done, void *userdata,
                                      StsCall **ret) {
    if (!is_set(token) || strlen(token) > STS_WEB_TOKEN_MAX)
        return -EINVAL;
    return start_session(client, NULL, region, role, token, "web_identity", done, userdata, ret);
}

void sts_cancel(StsCall *call) {
    typed_call_cancel(call);
}
