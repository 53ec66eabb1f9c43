/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/iam.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/xml.h"

#define VERSION    "2010-05-08"
#define BODY_MAX   (64 * 1024)
#define MARKER_MAX 4096

#define IAM(name_, operation)                                                                               \
    .service = AWS_IAM, .protocol = AWS_PROTOCOL_QUERY, .name = (operation), .deliver = name_##_deliver

/* ---- SimulatePrincipalPolicy: the question ---- */

static void add_list(StrBuf *b, const char *name, const char *const *items, size_t n) {
    char key[64];

    for (size_t i = 0; i < n; i++) {
        (void)snprintf(key, sizeof(key), "%s.member.%zu", name, i + 1);
        (void)form_add(b, key, items[i]);
    }
}

int iam_question_text(const IamQuestion *question, char **ret) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(BODY_MAX);
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

static int build_simulation(const void *input, const char *token, char **ret) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(BODY_MAX + 3 * MARKER_MAX + 128);

    (void)strbuf_addf(&b, "Action=SimulatePrincipalPolicy&Version=" VERSION "&MaxItems=%d&%s",
                      IAM_SIMULATED_MAX, (const char *)input);
    (void)form_add(&b, "Marker", token);
    return strbuf_take(&b, ret);
}

/* ---- the answer ---- */

#define RESULT   "SimulatePrincipalPolicyResponse/SimulatePrincipalPolicyResult/"
#define ROW      RESULT "EvaluationResults/member"
#define SPECIFIC ROW "/ResourceSpecificResults/member"

typedef struct Reading {
    IamSimulation *simulation;
    AnswerFault *fault;
    IamSimulated row, specific; /* what is being read */
    bool has_decision, specific_decision;
    size_t n_specific; /* of this row: they say more than it does */
    size_t begin;      /* of this row's in the simulation */
    bool truncated, complete;
    char marker[MARKER_MAX];
} Reading;

static int add_decision(Reading *r, const IamSimulated *decision) {
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
static int end_row(Reading *r) {
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

static int end_specific(Reading *r) {
    IamSimulated one = r->specific;

    if (!one.resource[0] || !r->specific_decision)
        return answer_fault(r->fault, "EvalResourceDecision of a resource is missing");
    r->specific = (IamSimulated){ 0 };
    r->specific_decision = false;
    r->n_specific++;
    return add_decision(r, &one);
}

static int take_specific(Reading *r, const char *member, const char *text) {
    if (text_equal(member, "EvalResourceName") &&
        !text_copy(r->specific.resource, sizeof(r->specific.resource), text))
        return answer_fault(r->fault, "EvalResourceName is too long");
    if (text_equal(member, "EvalResourceDecision"))
        return take_decision(text, &r->specific.decision, &r->specific_decision, r->fault);
    if (text_equal(member, "PermissionsBoundaryDecisionDetail/AllowedByPermissionsBoundary"))
        r->specific.by_boundary = text_equal(text, "false");
    return 0;
}

static int take_member(Reading *r, const char *member, const char *text) {
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

static int iam_visit(const char *path, const char *text, void *userdata) {
    Reading *r = userdata;

    if (text_equal(path, SPECIFIC))
        return end_specific(r);
    if (text_starts_with(path, SPECIFIC "/"))
        return take_specific(r, path + strlen(SPECIFIC "/"), text);
    if (text_equal(path, ROW))
        return end_row(r);
    if (text_starts_with(path, ROW "/"))
        return take_member(r, path + strlen(ROW "/"), text);
    if (text_equal(path, RESULT "IsTruncated"))
        r->truncated = text_equal(text, "true");
    if (text_equal(path, RESULT "Marker") && !text_copy(r->marker, sizeof(r->marker), text))
        return answer_fault(r->fault, "Marker is too long");
    if (text_equal(path, "SimulatePrincipalPolicyResponse/SimulatePrincipalPolicyResult"))
        r->complete = true;
    return 0;
}

static int read_simulation(Answer *answer, void *value) {
    IamSimulation *simulation = value;
    Reading reading = {
        .simulation = simulation,
        .fault = answer->fault,
        .row = { .resource = "*" },
        .begin = simulation->n,
    };
    int r;

    r = xml_walk(answer->reply->body, answer->reply->body_len, iam_visit, &reading);
    if (r < 0)
        return r;
    if (!reading.complete)
        return answer_fault(answer->fault, "SimulatePrincipalPolicyResult is missing");
    if (!reading.truncated)
        return 0;
    if (!reading.marker[0])
        return answer_fault(answer->fault, "Marker is missing");
    answer->next_token = strdup(reading.marker);
    return answer->next_token ? 0 : -ENOMEM;
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
    .build = build_simulation,
    .text_input = true,
    .read = read_simulation,
    .clear = clear_simulation,
    .value_size = sizeof(IamSimulation),
};
