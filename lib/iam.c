/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/iam.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"
#include "lib/xml.h"

#define QUESTION_MAX (64 * 1024) /* bytes */

#define IAM(name_, operation)                                                                               \
    .service = AWS_IAM, .protocol = AWS_PROTOCOL_QUERY, .version = "2010-05-08", .name = (operation),       \
    .token_name = "Marker", .deliver = name_##_deliver

/* ---- SimulatePrincipalPolicy: the question ---- */

static void add_list(StrBuf *b, const char *name, const char *const *items, size_t n) {
    char key[64];

    for (size_t i = 0; i < n; i++) {
        (void)snprintf(key, sizeof(key), "%s.member.%zu", name, i + 1);
        (void)form_add(b, key, items[i]);
    }
}

int iam_question_text(const IamQuestion *question, char **ret) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(QUESTION_MAX);
    int r;

    if (!question->principal || !question->principal[0] || question->n_actions == 0)
        return -EINVAL;
    (void)form_add(&b, "PolicySourceArn", question->principal);
    add_list(&b, "ActionNames", question->actions, question->n_actions);
    add_list(&b, "ResourceArns", question->resources, question->n_resources);
    if (question->passed_to) {
        (void)form_add(&b, "ContextEntries.member.1.ContextKeyName", "iam:PassedToService");
        (void)form_add(&b, "ContextEntries.member.1.ContextKeyType", "string");
        (void)form_add(&b, "ContextEntries.member.1.ContextKeyValues.member.1", question->passed_to);
    }
    r = strbuf_take(&b, ret);
    return r == -E2BIG ? -EINVAL : r;
}

static int fill_simulation(const void *input, StrBuf *form) {
    return strbuf_addf(form, "&MaxItems=%d&%s", IAM_SIMULATED_MAX, (const char *)input);
}

/* ---- the answer ---- */

#define ROW      "SimulatePrincipalPolicyResponse/SimulatePrincipalPolicyResult/EvaluationResults/member"
#define SPECIFIC ROW "/ResourceSpecificResults/member"

typedef struct SimulationReading {
    IamSimulation *simulation;
    AnswerFault *fault;
    IamSimulated row, specific; /* what is being read */
    bool has_decision, specific_decision;
    size_t n_specific; /* of this row: they say more than it does */
    size_t begin;      /* of this row's in the simulation */
} SimulationReading;

static int add_decision(SimulationReading *r, const IamSimulated *decision) {
    IamSimulation *s = r->simulation;

    if (s->n >= IAM_SIMULATED_MAX)
        return -E2BIG;
    return ARRAY_APPEND(s->items, s->n, *decision) ? 0 : -ENOMEM;
}

static int take_decision(const char *text, IamDecision *ret, bool *ret_known, AnswerFault *fault) {
    static const char *const words[] = {
        [IAM_ALLOWED] = "allowed", [IAM_NOT_ALLOWED] = "implicitDeny", [IAM_DENIED] = "explicitDeny"
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (text_equal(words[i], text)) {
            *ret = (IamDecision)i;
            *ret_known = true;
            return 0;
        }
    return answer_fault(fault, "EvalDecision is no decision");
}

/* A row of all of its resources stands behind the rows of each; the action and what the organization says of
 * it is known only now. */
static int end_row(SimulationReading *r) {
    int result = 0;

    if (!r->row.action[0] || !r->has_decision)
        return answer_fault(r->fault, "%s of a decision is missing",
                            r->row.action[0] ? "EvalDecision" : "EvalActionName");
    if (r->n_specific == 0)
        result = add_decision(r, &r->row);
    for (size_t i = r->begin; r->n_specific > 0 && i < r->simulation->n; i++) {
        IamSimulated *one = &r->simulation->items[i];

        (void)text_copy(one->action, sizeof(one->action), r->row.action);
        one->by_organization = r->row.by_organization;
        one->by_boundary |= r->row.by_boundary;
    }
    r->row = (IamSimulated){ .resource = "*" };
    r->has_decision = false;
    r->n_specific = 0;
    r->begin = r->simulation->n;
    return result;
}

static int end_specific(SimulationReading *r) {
    IamSimulated one = r->specific;

    if (!one.resource[0] || !r->specific_decision)
        return answer_fault(r->fault, "EvalResourceDecision of a resource is missing");
    r->specific = (IamSimulated){ 0 };
    r->specific_decision = false;
    r->n_specific++;
    return add_decision(r, &one);
}

static int take_specific(SimulationReading *r, const char *member, const char *text) {
    if (text_equal(member, "EvalResourceName") &&
        !text_copy(r->specific.resource, sizeof(r->specific.resource), text))
        return answer_fault(r->fault, "EvalResourceName is too long");
    if (text_equal(member, "EvalResourceDecision"))
        return take_decision(text, &r->specific.decision, &r->specific_decision, r->fault);
    if (text_equal(member, "PermissionsBoundaryDecisionDetail/AllowedByPermissionsBoundary"))
        r->specific.by_boundary = text_equal(text, "false");
    return 0;
}

static int take_member(SimulationReading *r, const char *member, const char *text) {
    if (text_equal(member, "EvalActionName") && !text_copy(r->row.action, sizeof(r->row.action), text))
        return answer_fault(r->fault, "EvalActionName is too long");
    if (text_equal(member, "EvalResourceName") && text[0] &&
        !text_copy(r->row.resource, sizeof(r->row.resource), text))
        return answer_fault(r->fault, "EvalResourceName is too long");
    if (text_equal(member, "EvalDecision"))
        return take_decision(text, &r->row.decision, &r->has_decision, r->fault);
    if (text_equal(member, "OrganizationsDecisionDetail/AllowedByOrganizations"))
        r->row.by_organization = text_equal(text, "false");
    if (text_equal(member, "PermissionsBoundaryDecisionDetail/AllowedByPermissionsBoundary"))
        r->row.by_boundary = text_equal(text, "false");
    return 0;
}

static int visit_simulation(const char *path, const char *text, void *userdata) {
    SimulationReading *r = userdata;

    if (text_equal(path, SPECIFIC))
        return end_specific(r);
    if (text_starts_with(path, SPECIFIC "/"))
        return take_specific(r, path + strlen(SPECIFIC "/"), text);
    if (text_equal(path, ROW))
        return end_row(r);
    if (text_starts_with(path, ROW "/"))
        return take_member(r, path + strlen(ROW "/"), text);
    return 0;
}

static int read_simulation(Answer *answer, void *value) {
    IamSimulation *simulation = value;
    SimulationReading reading = {
        .simulation = simulation,
        .fault = answer->fault,
        .row = { .resource = "*" },
        .begin = simulation->n,
    };

    return operation_walk(answer, visit_simulation, &reading);
}

const char *iam_why_not(const IamSimulated *one) {
    if (one->by_organization)
        return "denied by a service control policy";
    if (one->by_boundary)
        return "not allowed by the permissions boundary";
    return one->decision == IAM_DENIED ? "denied by a statement" : "not allowed by any policy";
}

void iam_simulation_done(IamSimulation *simulation) {
    free(simulation->items);
    *simulation = (IamSimulation){ 0 };
}

static void clear_simulation(void *value) {
    iam_simulation_done(value);
}

const AwsOperation iam_simulate_principal_policy_operation = {
    IAM(iam_simulate_principal_policy, "SimulatePrincipalPolicy"),
    .fill = fill_simulation,
    .text_input = true,
    .read = read_simulation,
    .clear = clear_simulation,
    .value_size = sizeof(IamSimulation),
};

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

static int read_role(Answer *answer, void *value) {
    XmlField fields[_FIELD_MAX] = {
        [FIELD_ARN] = { .path = ROLE "Arn" },
        [FIELD_TRUST] = { .path = ROLE "AssumeRolePolicyDocument" },
        [FIELD_BOUNDARY] = { .path = ROLE "PermissionsBoundary/PermissionsBoundaryArn" },
    };

    return read_principal(answer, fields, "role/", value);
}

static int read_user(Answer *answer, void *value) {
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
    IAM(iam_get_role, "GetRole"),
    .member = "RoleName",
    .read = read_role,
    PRINCIPAL_VALUE,
};

const AwsOperation iam_get_user_operation = {
    IAM(iam_get_user, "GetUser"),
    .member = "UserName",
    .read = read_user,
    PRINCIPAL_VALUE,
};

/* ---- lists ---- */

typedef struct ListReading {
    IamList *list;
    AnswerFault *fault;
    IamListed row; /* what is being read */
} ListReading;

static int add_row(ListReading *r, const char *text) {
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

static int iam_visit_list(const char *path, const char *text, void *userdata) {
    ListReading *r = userdata;

    if (text_ends_with(path, "/member"))
        return add_row(r, text);
    if ((text_ends_with(path, "/member/PolicyArn") || text_ends_with(path, "/member/AccessKeyId")) &&
        !text_copy(r->row.name, sizeof(r->row.name), text))
        return answer_fault(r->fault, "a name is too long");
    if (text_ends_with(path, "/member/Status"))
        r->row.active = text_equal(text, "Active");
    if (text_ends_with(path, "/member/CreateDate") && timetext_parse_lenient(text, &r->row.created_usec) < 0)
        r->row.created_usec = 0;
    return 0;
}

static int iam_read_list(Answer *answer, void *value) {
    ListReading reading = { .list = value, .fault = answer->fault };

    return operation_walk(answer, iam_visit_list, &reading);
}

static void clear_list(void *value) {
    IamList *list = value;

    free(list->items);
    *list = (IamList){ 0 };
}

#define LIST(name_, operation, member_)                                                                     \
    const AwsOperation name_##_operation = {                                                                \
        IAM(name_, operation),                                                                              \
        .member = (member_),                                                                                \
        .read = iam_read_list,                                                                              \
        .pages_max = 10,                                                                                    \
        .clear = clear_list,                                                                                \
        .value_size = sizeof(IamList),                                                                      \
    }

LIST(iam_list_attached_role_policies, "ListAttachedRolePolicies", "RoleName");
LIST(iam_list_attached_user_policies, "ListAttachedUserPolicies", "UserName");
LIST(iam_list_role_policies, "ListRolePolicies", "RoleName");
LIST(iam_list_user_policies, "ListUserPolicies", "UserName");
LIST(iam_list_access_keys, "ListAccessKeys", "UserName");

/* ---- GetPolicy ---- */

static int read_managed_policy(Answer *answer, void *value) {
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
    IAM(iam_get_policy, "GetPolicy"),
    .member = "PolicyArn",
    .read = read_managed_policy,
    .value_size = sizeof(IamManaged),
};

/* ---- inline policies ---- */

static int fill_policy(const char *kind, const IamPolicy *policy, const char *document, StrBuf *form) {
    (void)form_add(form, kind, policy->owner);
    (void)form_add(form, "PolicyName", policy->name);
    return form_add(form, "PolicyDocument", document);
}

static int fill_user(const void *input, StrBuf *form) {
    return fill_policy("UserName", input, NULL, form);
}

static int fill_role(const void *input, StrBuf *form) {
    return fill_policy("RoleName", input, NULL, form);
}

static int fill_put_user(const void *input, StrBuf *form) {
    return fill_policy("UserName", input, ((const IamPolicy *)input)->document, form);
}

static int fill_put_role(const void *input, StrBuf *form) {
    return fill_policy("RoleName", input, ((const IamPolicy *)input)->document, form);
}

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

static int read_user_policy(Answer *answer, void *value) {
    return read_document(answer, "GetUserPolicyResponse/GetUserPolicyResult/PolicyDocument", value);
}

static int read_role_policy(Answer *answer, void *value) {
    return read_document(answer, "GetRolePolicyResponse/GetRolePolicyResult/PolicyDocument", value);
}

const AwsOperation iam_get_user_policy_operation = {
    IAM(iam_get_user_policy, "GetUserPolicy"),
    .fill = fill_user,
    .read = read_user_policy,
    .none = "NoSuchEntity",
    OPERATION_TEXT_VALUE,
};

const AwsOperation iam_get_role_policy_operation = {
    IAM(iam_get_role_policy, "GetRolePolicy"),
    .fill = fill_role,
    .read = read_role_policy,
    .none = "NoSuchEntity",
    OPERATION_TEXT_VALUE,
};

const AwsOperation iam_put_user_policy_operation = {
    IAM(iam_put_user_policy, "PutUserPolicy"),
    .fill = fill_put_user,
};

const AwsOperation iam_put_role_policy_operation = {
    IAM(iam_put_role_policy, "PutRolePolicy"),
    .fill = fill_put_role,
};

const AwsOperation iam_delete_user_policy_operation = {
    IAM(iam_delete_user_policy, "DeleteUserPolicy"),
    .fill = fill_user,
};

const AwsOperation iam_delete_role_policy_operation = {
    IAM(iam_delete_role_policy, "DeleteRolePolicy"),
    .fill = fill_role,
};
