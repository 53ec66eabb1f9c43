/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/principal_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/io/task.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* The phases in order. A step without requests ends its phase. */
typedef enum Phase {
    PHASE_BEGIN,
    PHASE_LISTS,     /* trust and boundary are known, or could not be read */
    PHASE_DOCUMENTS, /* of the listed policies, one at a time */
    PHASE_RIGHTS,
    PHASE_END,
} Phase;

enum { SLOT_FIRST, SLOT_ATTACHED, SLOT_INLINE, SLOT_KEYS, _SLOT_MAX };

struct PrincipalCheck {
    Task task;
    PrincipalCheckRequest request; /* owns its ARN */
    PrincipalChecked done;
    void *userdata;
    PrincipalFound found;
    bool is_user;
    char name[ARN_MAX];
    Phase phase;
    IamList attached, inlined; /* policies whose documents are still to be read, starting at `at` */
    size_t at;
    size_t statement; /* the next one to simulate */
    bool asked_path;
};

static void free_found(PrincipalFound *found) {
    guard_parts_done(&found->parts);
    free(found->trust);
    free(found->boundary);
    free(found->losses.items);
}

void principal_check_cancel(PrincipalCheck *check) {
    if (!check)
        return;
    task_done(&check->task);
    free(check->attached.items);
    free(check->inlined.items);
    free_found(&check->found);
    free(check);
}
DEFINE_CLEANUP(PrincipalCheck *, principal_check_cancel);

static void principal_check_finish(void *userdata) {
    PrincipalCheck *check = userdata;

    check->done(&check->found, check->userdata);
    principal_check_cancel(check);
}

static AwsCaller caller_of(const PrincipalCheck *check) {
    return (AwsCaller){ check->request.aws, check->request.credentials, check->request.region };
}

/* ---- properties and policies ---- */

static void not_read(PrincipalCheck *check, const AwsError *error, const char *operation) {
    check->found.denied |= error->class == AWS_DENIED;
    if (!check->found.unread[0])
        (void)aws_error_text(error, operation, check->found.unread, sizeof(check->found.unread));
}

static void principal_check_not_asked(PrincipalCheck *check, const char *operation, int r) {
    AwsError error;

    aws_error_set(&error, AWS_INTERNAL, NULL, "not asked: %s", strerror(-r));
    not_read(check, &error, operation);
}

/* Adds a part. Out of memory, its kind counts as unknown. */
static void add_part(PrincipalCheck *check, GuardPartKind kind, const char *name, const char *text) {
    int r = guard_parts_add(&check->found.parts, kind, name, text);

    if (r == -E2BIG)
        r = guard_parts_many(&check->found.parts, kind);
    if (r < 0) {
        check->found.parts.kinds &= ~GUARD_PART_BIT(kind);
        principal_check_not_asked(check, "remember what the guard has", r);
    }
}

static void know(PrincipalCheck *check, GuardPartKind kind) {
    check->found.parts.kinds |= GUARD_PART_BIT(kind);
}

static void forget_kind(PrincipalCheck *check, GuardPartKind kind) {
    check->found.parts.kinds &= ~GUARD_PART_BIT(kind);
}

static void take_principal(PrincipalCheck *check, const IamPrincipal *principal) {
    PrincipalFound *found = &check->found;

    (void)text_copy(found->arn, sizeof(found->arn), principal->arn);
    found->path_is_known = true;
    if (!check->request.reads)
        return;
    know(check, GUARD_PART_BOUNDARY);
    if (principal->boundary[0])
        add_part(check, GUARD_PART_BOUNDARY, principal->boundary, NULL);
    found->boundary = strdup(principal->boundary);
    if (check->is_user)
        return;
    know(check, GUARD_PART_TRUST);
    add_part(check, GUARD_PART_TRUST, "", principal->trust);
    found->trust = strdup(principal->trust);
}

static void principal_check_on_principal(const AwsError *error, const IamPrincipal *principal,
                                         void *userdata) {
    PrincipalCheck *check = userdata;

    task_answered(&check->task, SLOT_FIRST);
    if (principal)
        take_principal(check, principal);
    else if (check->request.reads)
        not_read(check, error, check->is_user ? "GetUser" : "GetRole");
    task_go_on(&check->task);
}

static int ask_principal(PrincipalCheck *check) {
    AwsCaller caller = caller_of(check);
    OperationCall **call = &check->task.calls[SLOT_FIRST];

    return check->is_user ? iam_get_user(&caller, check->name, principal_check_on_principal, check, call)
                          : iam_get_role(&caller, check->name, principal_check_on_principal, check, call);
}

static bool take_list(IamList *to, const IamList *from) {
    to->items = calloc(from->n + 1, sizeof(*to->items));
    if (!to->items)
        return false;
    if (from->n > 0)
        memcpy(to->items, from->items, from->n * sizeof(*to->items));
    to->n = from->n;
    return true;
}

static void listed(PrincipalCheck *check, const AwsError *error, const IamList *list, IamList *to,
                   GuardPartKind kind, const char *operation) {
    if (!list)
        not_read(check, error, operation);
    else if (take_list(to, list))
        know(check, kind);
    else
        principal_check_not_asked(check, operation, -ENOMEM);
}

static void on_attached(const AwsError *error, const IamList *list, void *userdata) {
    PrincipalCheck *check = userdata;

    task_answered(&check->task, SLOT_ATTACHED);
    listed(check, error, list, &check->attached, GUARD_PART_ATTACHED,
           check->is_user ? "ListAttachedUserPolicies" : "ListAttachedRolePolicies");
    task_go_on(&check->task);
}

static void on_inline(const AwsError *error, const IamList *list, void *userdata) {
    PrincipalCheck *check = userdata;

    task_answered(&check->task, SLOT_INLINE);
    listed(check, error, list, &check->inlined, GUARD_PART_INLINE,
           check->is_user ? "ListUserPolicies" : "ListRolePolicies");
    task_go_on(&check->task);
}

static void take_key(PrincipalCheck *check, const IamListed *listed_key) {
    PrincipalFound *found = &check->found;

    add_part(check, GUARD_PART_KEY, listed_key->name, listed_key->active ? "active" : "inactive");
    if (found->n_keys >= PRINCIPAL_KEYS_MAX)
        return;
    found->keys[found->n_keys] =
            (PrincipalKey){ .active = listed_key->active, .created_usec = listed_key->created_usec };
    (void)text_copy(found->keys[found->n_keys].id, sizeof(found->keys[0].id), listed_key->name);
    found->n_keys++;
}

static void on_keys(const AwsError *error, const IamList *list, void *userdata) {
    PrincipalCheck *check = userdata;

    task_answered(&check->task, SLOT_KEYS);
    if (list)
        know(check, GUARD_PART_KEY);
    else
        not_read(check, error, "ListAccessKeys");
    for (size_t i = 0; list && i < list->n; i++)
        take_key(check, &list->items[i]);
    task_go_on(&check->task);
}

static void asked(PrincipalCheck *check, int r, const char *operation) {
    if (task_asked(&check->task, r) < 0)
        principal_check_not_asked(check, operation, r);
}

static void ask_lists(PrincipalCheck *check) {
    AwsCaller caller = caller_of(check);
    OperationCall **calls = check->task.calls;
    const char *name = check->name;

    if (check->is_user) {
        asked(check,
              iam_list_attached_user_policies(&caller, name, on_attached, check, &calls[SLOT_ATTACHED]),
              "ListAttachedUserPolicies");
        asked(check, iam_list_user_policies(&caller, name, on_inline, check, &calls[SLOT_INLINE]),
              "ListUserPolicies");
        asked(check, iam_list_access_keys(&caller, name, on_keys, check, &calls[SLOT_KEYS]),
              "ListAccessKeys");
        return;
    }
    asked(check, iam_list_attached_role_policies(&caller, name, on_attached, check, &calls[SLOT_ATTACHED]),
          "ListAttachedRolePolicies");
    asked(check, iam_list_role_policies(&caller, name, on_inline, check, &calls[SLOT_INLINE]),
          "ListRolePolicies");
}

/* ---- documents ---- */

static void on_managed(const AwsError *error, const IamManaged *policy, void *userdata) {
    PrincipalCheck *check = userdata;
    const char *arn = check->attached.items[check->at++].name;
    char version[sizeof(policy->id) + sizeof(policy->version) + 1];

    task_answered(&check->task, SLOT_FIRST);
    if (policy) {
        (void)snprintf(version, sizeof(version), "%s %s", policy->id, policy->version);
        add_part(check, GUARD_PART_ATTACHED, arn, version);
    } else {
        not_read(check, error, "GetPolicy");
        forget_kind(check, GUARD_PART_ATTACHED);
    }
    task_go_on(&check->task);
}

static void on_document(const AwsError *error, const char *document, void *userdata) {
    PrincipalCheck *check = userdata;
    const char *name = check->inlined.items[check->at++ - check->attached.n].name;

    task_answered(&check->task, SLOT_FIRST);
    if (document && document[0]) /* otherwise it was deleted since it was listed */
        add_part(check, GUARD_PART_INLINE, name, document);
    else if (!document) {
        not_read(check, error, check->is_user ? "GetUserPolicy" : "GetRolePolicy");
        forget_kind(check, GUARD_PART_INLINE);
    }
    task_go_on(&check->task);
}

/* Returns false when no document is left. */
static bool ask_next_document(PrincipalCheck *check) {
    AwsCaller caller = caller_of(check);
    OperationCall **call = &check->task.calls[SLOT_FIRST];
    IamPolicy which = { .owner = check->name };

    if (check->at >= check->attached.n + check->inlined.n || check->at >= GUARD_PARTS_MAX)
        return false;
    if (check->at < check->attached.n) {
        asked(check, iam_get_policy(&caller, check->attached.items[check->at].name, on_managed, check, call),
              "GetPolicy");
        return true;
    }
    which.name = check->inlined.items[check->at - check->attached.n].name;
    asked(check,
          check->is_user ? iam_get_user_policy(&caller, &which, on_document, check, call)
                         : iam_get_role_policy(&caller, &which, on_document, check, call),
          check->is_user ? "GetUserPolicy" : "GetRolePolicy");
    return true;
}

/* Records the kinds that were not read completely: a request failed, or there were too many parts. */
static void leave_unread(PrincipalCheck *check) {
    const struct {
        GuardPartKind kind;
        size_t end;
    } lists[] = { { GUARD_PART_ATTACHED, check->attached.n },
                  { GUARD_PART_INLINE, check->attached.n + check->inlined.n } };

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        if (check->at < lists[i].end && (check->at < GUARD_PARTS_MAX ||
                                         guard_parts_many(&check->found.parts, lists[i].kind) < 0))
            forget_kind(check, lists[i].kind);
}

/* ---- rights ---- */

static bool is_allowed(const IamSimulated *row) {
    return row->decision == IAM_ALLOWED && !row->by_organization;
}

static void add_loss(GuardLosses *losses, const IamSimulated *row) {
    GuardLoss *loss = &losses->items[losses->n++];

    *loss = (GuardLoss){ .why = iam_why_not(row) };
    (void)text_copy(loss->action, sizeof(loss->action), row->action);
    (void)text_copy(loss->resource, sizeof(loss->resource), row->resource);
}

/* Takes all of an answer or none of it: a missing entry would look like a right that is granted. */
static int take_simulation(PrincipalFound *found, const IamSimulation *simulation) {
    GuardLosses *losses = &found->losses;
    GuardLoss *grown = reallocarray(losses->items, losses->n + simulation->n + 1, sizeof(*grown));

    if (!grown)
        return -ENOMEM;
    losses->items = grown;
    for (size_t i = 0; i < simulation->n; i++)
        if (is_allowed(&simulation->items[i]))
            found->n_allowed++;
        else if (losses->n < PRINCIPAL_LOSSES_MAX)
            add_loss(losses, &simulation->items[i]);
    return 0;
}

/* A session's ARN lacks the role's path, so IAM may not find the role by it; then the role itself is
 * requested for its path. */
static bool wants_path(PrincipalCheck *check, const AwsError *error) {
    if (error->class != AWS_NOT_FOUND || check->found.path_is_known || check->is_user || check->asked_path)
        return false;
    check->asked_path = true;
    return task_asked(&check->task, ask_principal(check)) >= 0;
}

static void on_simulation(const AwsError *error, const IamSimulation *simulation, void *userdata) {
    PrincipalCheck *check = userdata;
    PrincipalFound *found = &check->found;

    task_answered(&check->task, SLOT_FIRST);
    if (simulation && take_simulation(found, simulation) < 0) {
        aws_error_set(&found->error, AWS_INTERNAL, NULL, "the answer was not kept: out of memory");
        check->phase = PHASE_END;
    } else if (simulation)
        check->statement++;
    else if (!wants_path(check, error)) {
        found->error = *error;
        check->phase = PHASE_END;
    }
    task_go_on(&check->task);
}

static int simulate(PrincipalCheck *check, const RightsQuestion *question) {
    AwsCaller caller = caller_of(check);
    _cleanup_free_ char *text = NULL;
    const IamQuestion q = {
        .principal = check->found.arn,
        .actions = question->actions,
        .n_actions = question->n_actions,
        .resources = question->resources,
        .n_resources = question->n_resources,
        .passed_to = question->passes_role ? "cloudtrail.amazonaws.com" : NULL,
    };
    int r = iam_question_text(&q, &text);

    return r < 0 ? r
                 : iam_simulate_principal_policy(&caller, text, on_simulation, check,
                                                 &check->task.calls[SLOT_FIRST]);
}

static void simulate_next(PrincipalCheck *check) {
    const json_t *statements = check->request.statements;
    RightsQuestion question = { 0 };
    int r;

    for (; check->statement < json_array_size(statements); check->statement++) {
        rights_question(json_array_get(statements, check->statement), check->request.trails,
                        check->request.n_trails, &question);
        if (question.n_actions > 0)
            break;
    }
    if (check->statement >= json_array_size(statements)) {
        check->found.simulated = json_array_size(statements) > 0;
        check->phase = PHASE_END;
        return;
    }
    r = task_asked(&check->task, simulate(check, &question));
    if (r < 0) {
        aws_error_set(&check->found.error, AWS_INTERNAL, NULL, "not asked: %s", strerror(-r));
        check->phase = PHASE_END;
    }
}

/* ---- sequence ---- */

static void principal_check_go_on(void *userdata) {
    PrincipalCheck *check = userdata;

    if (check->phase == PHASE_BEGIN) {
        check->phase = check->request.reads ? PHASE_LISTS : PHASE_RIGHTS;
        if (check->request.reads) {
            asked(check, ask_principal(check), check->is_user ? "GetUser" : "GetRole");
            if (task_waits(&check->task))
                return;
        }
    }
    if (check->phase == PHASE_LISTS) {
        check->phase = PHASE_DOCUMENTS;
        ask_lists(check);
        if (task_waits(&check->task))
            return;
    }
    if (check->phase == PHASE_DOCUMENTS) {
        if (ask_next_document(check) && task_waits(&check->task))
            return;
        leave_unread(check);
        check->phase = PHASE_RIGHTS;
    }
    if (check->phase == PHASE_RIGHTS)
        simulate_next(check);
}

/* ---- starting ---- */

static int prepare(PrincipalCheck *check) {
    PrincipalCheckRequest *q = &check->request;
    Arn arn;
    int r = arn_parse(q->arn, &arn);

    if (r < 0 || !text_equal(arn.service, "iam"))
        return -EINVAL;
    check->is_user = text_starts_with(arn.resource, "user/");
    if (!check->is_user && !text_starts_with(arn.resource, "role/"))
        return -EINVAL;
    (void)text_copy(check->name, sizeof(check->name), arn_name(&arn));
    (void)text_copy(check->found.arn, sizeof(check->found.arn), q->arn);
    check->found.path_is_known = q->path_is_known;
    r = task_init(&check->task, q->aws, _SLOT_MAX, principal_check_go_on, principal_check_finish, check);
    return r < 0 ? r : task_after(&check->task, 0);
}

int principal_check_start(const PrincipalCheckRequest *request, PrincipalChecked done, void *userdata,
                          PrincipalCheck **ret) {
    _cleanup_(principal_check_cancelp) PrincipalCheck *check = calloc(1, sizeof(*check));
    int r;

    if (!check)
        return -ENOMEM;
    check->request = *request;
    check->done = done;
    check->userdata = userdata;
    r = prepare(check);
    if (r >= 0)
        *ret = TAKE_PTR(check);
    return r;
}
