/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/iam_principal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"
#include "lib/xml.h"

#define VERSION    "2010-05-08"
#define BODY_MAX   (16 * 1024)
#define MARKER_MAX 4096

/* ---- the questions ---- */

static int iam_principal_build(const char *action, const char *parameter, const char *value,
                               const char *token, char **ret) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(BODY_MAX);

    (void)form_add(&b, "Action", action);
    (void)form_add(&b, "Version", VERSION);
    (void)form_add(&b, parameter, value);
    (void)form_add(&b, "Marker", token);
    return strbuf_take(&b, ret);
}

/* A builder by name. */
#define BY_NAME(operation, parameter)                                                                       \
    static int build_##operation(const void *input, const char *token, char **ret) {                        \
        return iam_principal_build(#operation, (parameter), input, token, ret);                             \
    }                                                                                                       \
    struct _swallow_semicolon_
BY_NAME(GetRole, "RoleName");
BY_NAME(GetUser, "UserName");
BY_NAME(ListAttachedRolePolicies, "RoleName");
BY_NAME(ListAttachedUserPolicies, "UserName");
BY_NAME(ListRolePolicies, "RoleName");
BY_NAME(ListUserPolicies, "UserName");
BY_NAME(ListAccessKeys, "UserName");
BY_NAME(GetPolicy, "PolicyArn");

#define IAM(name_, operation)                                                                               \
    .service = AWS_IAM, .protocol = AWS_PROTOCOL_QUERY, .name = #operation, .build = build_##operation,     \
    .deliver = name_##_deliver

/* ---- principals ---- */

enum { FIELD_ARN, FIELD_TRUST, FIELD_BOUNDARY, _FIELD_MAX };

/* Takes the texts of the fields over. */
static int take_principal(Answer *answer, XmlField fields[static _FIELD_MAX], const char *kind,
                          IamPrincipal *ret) {
    Arn arn;

    if (!fields[FIELD_ARN].text || arn_parse(fields[FIELD_ARN].text, &arn) < 0 ||
        !text_equal(arn.service, "iam") || !text_starts_with(arn.resource, kind))
        return answer_fault(answer->fault, "Arn is missing");
    if (fields[FIELD_TRUST].text && !form_decode(fields[FIELD_TRUST].text))
        return answer_fault(answer->fault, "AssumeRolePolicyDocument is not percent-encoded");
    ret->arn = TAKE_PTR(fields[FIELD_ARN].text);
    ret->trust = fields[FIELD_TRUST].text ? TAKE_PTR(fields[FIELD_TRUST].text) : strdup("");
    ret->boundary = fields[FIELD_BOUNDARY].text ? TAKE_PTR(fields[FIELD_BOUNDARY].text) : strdup("");
    return ret->trust && ret->boundary ? 0 : -ENOMEM;
}

static int read_principal(Answer *answer, XmlField fields[static _FIELD_MAX], const char *kind,
                          IamPrincipal *ret) {
    int r = xml_read(answer->reply->body, answer->reply->body_len, fields, _FIELD_MAX);

    if (r < 0)
        return r;
    r = take_principal(answer, fields, kind, ret);
    xml_fields_done(fields, _FIELD_MAX);
    return r;
}

#define ROLE "GetRoleResponse/GetRoleResult/Role/"
#define USER "GetUserResponse/GetUserResult/User/"

static int iam_principal_read_role(Answer *answer, void *value) {
    XmlField fields[_FIELD_MAX] = {
        [FIELD_ARN] = { .path = ROLE "Arn" },
        [FIELD_TRUST] = { .path = ROLE "AssumeRolePolicyDocument" },
        [FIELD_BOUNDARY] = { .path = ROLE "PermissionsBoundary/PermissionsBoundaryArn" },
    };

    return read_principal(answer, fields, "role/", value);
}

static int iam_principal_read_user(Answer *answer, void *value) {
    XmlField fields[_FIELD_MAX] = {
        [FIELD_ARN] = { .path = USER "Arn" },
        [FIELD_TRUST] = { .path = USER "AssumeRolePolicyDocument" }, /* it has none */
        [FIELD_BOUNDARY] = { .path = USER "PermissionsBoundary/PermissionsBoundaryArn" },
    };

    return read_principal(answer, fields, "user/", value);
}

static void clear_principal(void *value) {
    IamPrincipal *principal = value;

    free(principal->arn);
    free(principal->trust);
    free(principal->boundary);
    *principal = (IamPrincipal){ 0 };
}

#define PRINCIPAL_VALUE .clear = clear_principal, .value_size = sizeof(IamPrincipal)

const AwsOperation iam_get_role_operation = {
    IAM(iam_get_role, GetRole),
    .read = iam_principal_read_role,
    PRINCIPAL_VALUE,
};

const AwsOperation iam_get_user_operation = {
    IAM(iam_get_user, GetUser),
    .read = iam_principal_read_user,
    PRINCIPAL_VALUE,
};

/* ---- lists ---- */

typedef struct Reading {
    IamList *list;
    AnswerFault *fault;
    IamListed row; /* what is being read */
    bool truncated, complete;
    char marker[MARKER_MAX];
} Reading;

static int add_row(Reading *r, const char *text) {
    /* the name of an inline policy is the text of its member */
    if (!r->row.name[0] && !text_copy(r->row.name, sizeof(r->row.name), text))
        return answer_fault(r->fault, "a name is too long");
    if (!r->row.name[0])
        return answer_fault(r->fault, "a name is missing");
    if (r->list->n >= IAM_LIST_MAX)
        return -E2BIG;
    if (!ARRAY_APPEND(r->list->items, r->list->n, r->row))
        return -ENOMEM;
    r->row = (IamListed){ 0 };
    return 0;
}

static int visit(const char *path, const char *text, void *userdata) {
    Reading *r = userdata;

    if (text_ends_with(path, "/member"))
        return add_row(r, text);
    if ((text_ends_with(path, "/member/PolicyArn") || text_ends_with(path, "/member/AccessKeyId")) &&
        !text_copy(r->row.name, sizeof(r->row.name), text))
        return answer_fault(r->fault, "a name is too long");
    if (text_ends_with(path, "/member/Status"))
        r->row.active = text_equal(text, "Active");
    if (text_ends_with(path, "/member/CreateDate") && timetext_parse_lenient(text, &r->row.created_usec) < 0)
        r->row.created_usec = 0;
    if (text_ends_with(path, "Result/IsTruncated"))
        r->truncated = text_equal(text, "true");
    if (text_ends_with(path, "Result/Marker") && !text_copy(r->marker, sizeof(r->marker), text))
        return answer_fault(r->fault, "Marker is too long");
    r->complete |= text_ends_with(path, "Result") && strchr(path, '/') == strrchr(path, '/');
    return 0;
}

static int iam_principal_read_list(Answer *answer, void *value) {
    Reading reading = { .list = value, .fault = answer->fault };
    int r = xml_walk(answer->reply->body, answer->reply->body_len, visit, &reading);

    if (r < 0)
        return r;
    if (!reading.complete)
        return answer_fault(answer->fault, "the result is missing");
    if (!reading.truncated)
        return 0;
    if (!reading.marker[0])
        return answer_fault(answer->fault, "Marker is missing");
    answer->next_token = strdup(reading.marker);
    return answer->next_token ? 0 : -ENOMEM;
}

static void iam_principal_clear_list(void *value) {
    IamList *list = value;

    free(list->items);
    *list = (IamList){ 0 };
}

#define LIST(name_, operation)                                                                              \
    const AwsOperation name_##_operation = {                                                                \
        IAM(name_, operation),                                                                              \
        .text_input = true,                                                                                 \
        .read = iam_principal_read_list,                                                                    \
        .pages_max = 10,                                                                                    \
        .clear = iam_principal_clear_list,                                                                  \
        .value_size = sizeof(IamList),                                                                      \
    }

LIST(iam_list_attached_role_policies, ListAttachedRolePolicies);
LIST(iam_list_attached_user_policies, ListAttachedUserPolicies);
LIST(iam_list_role_policies, ListRolePolicies);
LIST(iam_list_user_policies, ListUserPolicies);
LIST(iam_list_access_keys, ListAccessKeys);

/* ---- GetPolicy ---- */

static int iam_principal_read_policy(Answer *answer, void *value) {
    XmlField fields[] = { { .path = "GetPolicyResponse/GetPolicyResult/Policy/PolicyId" },
                          { .path = "GetPolicyResponse/GetPolicyResult/Policy/DefaultVersionId" } };
    IamManaged *policy = value;
    int r = xml_read(answer->reply->body, answer->reply->body_len, fields, ARRAY_SIZE(fields));

    if (r < 0)
        return r;
    if (!fields[0].text || !fields[1].text || !text_copy(policy->id, sizeof(policy->id), fields[0].text) ||
        !text_copy(policy->version, sizeof(policy->version), fields[1].text))
        r = answer_fault(answer->fault, "PolicyId or DefaultVersionId is missing");
    xml_fields_done(fields, ARRAY_SIZE(fields));
    return r;
}

const AwsOperation iam_get_policy_operation = {
    IAM(iam_get_policy, GetPolicy),
    .read = iam_principal_read_policy,
    .value_size = sizeof(IamManaged),
};
