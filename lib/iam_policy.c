/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/iam_policy.h"

#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/xml.h"

#define VERSION  "2010-05-08"
#define BODY_MAX (64 * 1024)

#define IAM(name_, operation)                                                                               \
    .service = AWS_IAM, .protocol = AWS_PROTOCOL_QUERY, .name = (operation), .deliver = name_##_deliver

/* ---- questions ---- */

static int build(const char *operation, const char *kind, const IamPolicy *policy, bool puts, char **ret) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(BODY_MAX);

    (void)form_add(&b, "Action", operation);
    (void)form_add(&b, "Version", VERSION);
    (void)form_add(&b, kind, policy->owner);
    (void)form_add(&b, "PolicyName", policy->name);
    (void)form_add(&b, "PolicyDocument", puts ? policy->document : NULL);
    return strbuf_take(&b, ret);
}

#define BUILDER(name_, operation, kind, puts)                                                               \
    static int name_(const void *input, const char *token _unused_, char **ret) {                           \
        return build(operation, kind, input, puts, ret);                                                    \
    }

BUILDER(build_get_user, "GetUserPolicy", "UserName", false)
BUILDER(build_get_role, "GetRolePolicy", "RoleName", false)
BUILDER(build_put_user, "PutUserPolicy", "UserName", true)
BUILDER(build_put_role, "PutRolePolicy", "RoleName", true)
BUILDER(build_delete_user, "DeleteUserPolicy", "UserName", false)
BUILDER(build_delete_role, "DeleteRolePolicy", "RoleName", false)

/* ---- the answer ---- */

static int read_document(Answer *answer, const char *path, void *value) {
    XmlField field = { .path = path };
    int r = xml_read(answer->reply->body, answer->reply->body_len, &field, 1);

    if (r < 0)
        return r;
    if (!field.text || !field.text[0] || !form_decode(field.text)) {
        xml_fields_done(&field, 1);
        return answer_fault(answer->fault, "PolicyDocument is missing, or not percent-encoded");
    }
    *(char **)value = field.text;
    return 0;
}

static int read_user(Answer *answer, void *value) {
    return read_document(answer, "GetUserPolicyResponse/GetUserPolicyResult/PolicyDocument", value);
}

static int iam_policy_read_role(Answer *answer, void *value) {
    return read_document(answer, "GetRolePolicyResponse/GetRolePolicyResult/PolicyDocument", value);
}

/* ---- rows ---- */

const AwsOperation iam_get_user_policy_operation = {
    IAM(iam_get_user_policy, "GetUserPolicy"),
    .build = build_get_user,
    .read = read_user,
    .none = "NoSuchEntity",
    OPERATION_TEXT_VALUE,
};

const AwsOperation iam_get_role_policy_operation = {
    IAM(iam_get_role_policy, "GetRolePolicy"),
    .build = build_get_role,
    .read = iam_policy_read_role,
    .none = "NoSuchEntity",
    OPERATION_TEXT_VALUE,
};

const AwsOperation iam_put_user_policy_operation = {
    IAM(iam_put_user_policy, "PutUserPolicy"),
    .build = build_put_user,
};

const AwsOperation iam_put_role_policy_operation = {
    IAM(iam_put_role_policy, "PutRolePolicy"),
    .build = build_put_role,
};

const AwsOperation iam_delete_user_policy_operation = {
    IAM(iam_delete_user_policy, "DeleteUserPolicy"),
    .build = build_delete_user,
};

const AwsOperation iam_delete_role_policy_operation = {
    IAM(iam_delete_role_policy, "DeleteRolePolicy"),
    .build = build_delete_role,
};
