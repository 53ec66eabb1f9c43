/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/enforce.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/io/task.h"
#include "lib/iam.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* IAM is eventually consistent: for some seconds a read may not show the latest write. */
#define READ_AGAIN_USEC (1500ULL * 1000)
#define READS_MAX       6U
#define CHECKS_MAX      2U /* of the previous state: one host may lag behind */

struct Enforcement {
    Task task;
    EnforceRequest request;
    ContainHold hold;
    bool is_role;
    bool wrote;       /* the policy was put or removed */
    unsigned n_reads; /* since the write, or since the start */
    bool over;
    HoldOutcome outcome;
};

_Static_assert(READS_MAX + 2 <= ENFORCE_CALLS_MAX, "each read and the write are calls");

void enforce_cancel(Enforcement *e) {
    if (!e)
        return;
    task_done(&e->task);
    free(e);
}
DEFINE_CLEANUP(Enforcement *, enforce_cancel);

static void finish(void *userdata) {
    Enforcement *e = userdata;

    e->request.done(e->hold.arn, &e->outcome, e->request.userdata);
    enforce_cancel(e);
}

static IamPolicy policy_of(const Enforcement *e) {
    return (IamPolicy){ .owner = hold_name(&e->hold), .name = e->hold.policy, .document = e->hold.document };
}

static AwsCaller caller_of(const Enforcement *e) {
    return (AwsCaller){ e->request.aws, e->request.credentials, e->request.region };
}

static const char *call_name(const Enforcement *e, bool read) {
    if (read)
        return e->is_role ? "GetRolePolicy" : "GetUserPolicy";
    if (e->request.action == HOLD_PUT)
        return e->is_role ? "PutRolePolicy" : "PutUserPolicy";
    return e->is_role ? "DeleteRolePolicy" : "DeleteUserPolicy";
}

static void fail(Enforcement *e, const char *why) {
    e->over = true;
    (void)text_copy(e->outcome.error, sizeof(e->outcome.error), why);
}

static void fail_call(Enforcement *e, const AwsError *error, bool read) {
    e->over = true;
    (void)aws_error_text(error, call_name(e, read), e->outcome.error, sizeof(e->outcome.error));
}

static void enforce_wrote(const AwsError *error, void *userdata) {
    Enforcement *e = userdata;

    task_answered(&e->task, 0);
    e->wrote = true;
    e->n_reads = 0;
    /* a policy that is already gone counts as removed */
    if (error->class == AWS_NOT_FOUND && e->request.action == HOLD_PUT)
        e->outcome.gone = true;
    if (error->class != AWS_OK && (error->class != AWS_NOT_FOUND || e->request.action == HOLD_PUT)) {
        e->outcome.seen = HOLD_SEEN_NOTHING;
        fail_call(e, error, false);
    }
    task_go_on(&e->task);
}

static void write_policy(Enforcement *e) {
    AwsCaller caller = caller_of(e);
    IamPolicy policy = policy_of(e);
    int (*const put)(const AwsCaller *, const IamPolicy *, void (*)(const AwsError *, void *), void *,
                     OperationCall **) = e->is_role ? iam_put_role_policy : iam_put_user_policy;
    int (*const take)(const AwsCaller *, const IamPolicy *, void (*)(const AwsError *, void *), void *,
                      OperationCall **) = e->is_role ? iam_delete_role_policy : iam_delete_user_policy;
    int r = task_asked(&e->task, (e->request.action == HOLD_PUT ? put : take)(
                                         &caller, &policy, enforce_wrote, e, &e->task.calls[0]));

    if (r < 0)
        fail(e, strerror(-r));
}

/* Decides whether the last read is the outcome, or to read again, or to write. */
static void judge(Enforcement *e) {
    HoldAction action = e->request.action;
    HoldSeen seen = e->outcome.seen;
    HoldSeen wanted = action == HOLD_REMOVE ? HOLD_SEEN_ABSENT : HOLD_SEEN_OURS;
    bool may_change = action == HOLD_CHECK ? e->n_reads < CHECKS_MAX : e->wrote && e->n_reads < READS_MAX;

    if (seen == wanted || (action == HOLD_CHECK && seen == HOLD_SEEN_ABSENT && !may_change))
        e->over = true; /* or others removed it: not a failure */
    else if (!e->wrote && action == HOLD_PUT && seen == HOLD_SEEN_ABSENT)
        write_policy(e);
    else if (!e->wrote && action == HOLD_REMOVE && seen == HOLD_SEEN_OURS)
        write_policy(e);
    else if (seen == HOLD_SEEN_OTHER)
        fail(e, "a policy of that name says something else, and is not the guard's");
    else if (!may_change)
        fail(e, action == HOLD_REMOVE ? "AWS accepted it, but still shows the policy"
                                      : "AWS accepted it, but does not show the policy");
    else if (task_after(&e->task, READ_AGAIN_USEC) < 0)
        fail(e, "out of memory");
}

static int see(Enforcement *e, const char *document) {
    int ours = document[0] ? hold_is_ours(&e->hold, document) : 0;

    if (ours >= 0)
        e->outcome.seen = !document[0] ? HOLD_SEEN_ABSENT : ours ? HOLD_SEEN_OURS : HOLD_SEEN_OTHER;
    return ours;
}

static void enforce_read_policy(const AwsError *error, const char *document, void *userdata) {
    Enforcement *e = userdata;

    task_answered(&e->task, 0);
    e->n_reads++;
    e->outcome.seen = HOLD_SEEN_NOTHING;
    if (error->class != AWS_OK)
        fail_call(e, error, true);
    else if (see(e, document) < 0)
        fail(e, "out of memory");
    else
        judge(e);
    task_go_on(&e->task);
}

static void go_on(void *userdata) {
    Enforcement *e = userdata;
    AwsCaller caller = caller_of(e);
    IamPolicy policy = policy_of(e);
    int r;

    if (e->over)
        return;
    r = task_asked(
            &e->task,
            e->is_role ? iam_get_role_policy(&caller, &policy, enforce_read_policy, e, &e->task.calls[0])
                       : iam_get_user_policy(&caller, &policy, enforce_read_policy, e, &e->task.calls[0]));
    if (r < 0)
        fail(e, strerror(-r));
}

int enforce_start(const EnforceRequest *request, Enforcement **ret) {
    _cleanup_(enforce_cancelp) Enforcement *e = calloc(1, sizeof(*e));
    int r;

    if (!e)
        return -ENOMEM;
    e->request = *request;
    e->hold = *request->hold;
    e->is_role = hold_is_role(&e->hold);
    e->outcome.action = request->action;
    r = task_init(&e->task, request->aws, 1, go_on, finish, e);
    if (r >= 0)
        r = task_keep(&e->task, &e->request.region);
    if (r >= 0)
        r = task_after(&e->task, 0);
    if (r >= 0)
        *ret = TAKE_PTR(e);
    return r;
}
