/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/bucket_check.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/statement.h"
#include "daemon/io/task.h"
#include "lib/arn.h"
#include "lib/endpoint.h"
#include "lib/kms.h"
#include "lib/s3.h"
#include "lib/util/json_text.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define CLOUDTRAIL_SERVICE "cloudtrail.amazonaws.com"
#define DAY_USEC           (86400ULL * USEC_PER_SEC)

/* The slots of the calls, by what they read. HeadBucket reuses its slot for one account after another. */
#define SLOT(what) ((what)-UNREADABLE_BUCKET)

struct BucketCheck {
    Task task;
    BucketCheckRequest request; /* owns its strings */
    BucketCheckDone done;
    void *userdata;
    BucketSnapshot snapshot;
    bool begun;
    size_t at; /* index into owners */
};

void bucket_check_cancel(BucketCheck *check) {
    if (!check)
        return;
    task_done(&check->task);
    free(check);
}
DEFINE_CLEANUP(BucketCheck *, bucket_check_cancel);

static void bucket_check_finish(void *userdata) {
    BucketCheck *check = userdata;

    check->done(&check->snapshot, check->userdata);
    bucket_check_cancel(check);
}

static const struct {
    const char *operation, *action;
} calls[_UNREADABLE_MAX] = {
    [UNREADABLE_BUCKET] = { "HeadBucket", "s3:ListBucket" },
    [UNREADABLE_LIFECYCLE] = { "GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration" },
    [UNREADABLE_POLICY] = { "GetBucketPolicy", "s3:GetBucketPolicy" },
    [UNREADABLE_KEY] = { "DescribeKey", "kms:DescribeKey" },
};

/* Names the permission that a call needs. S3 does not always do so, and an answer to HeadBucket has no
 * body. */
static void set_failure(BucketCheck *check, Unreadable what, const AwsError *error) {
    const char *bucket = check->request.bucket;
    const Partition *partition = endpoint_partition_of(check->request.region);
    char resource[AWS_RESOURCE_MAX];

    if (what == UNREADABLE_KEY)
        (void)text_copy(resource, sizeof(resource), check->request.key);
    else
        (void)snprintf(resource, sizeof(resource), "arn:%s:s3:::%.255s", partition ? partition->id : "aws",
                       bucket);
    observe_failure(error, calls[what].operation, calls[what].action, resource,
                    &check->snapshot.failures[what]);
}

static void not_polled(BucketCheck *check, Unreadable what, const AwsError *error) {
    const char *name = what == UNREADABLE_KEY ? check->request.key : check->request.bucket;
    char operation[160];

    set_failure(check, what, error);
    (void)snprintf(operation, sizeof(operation), "%s of %.100s", calls[what].operation, name);
    (void)aws_error_text(error, operation, check->snapshot.failures[what].text, ERROR_TEXT_MAX);
}

static void not_asked(BucketCheck *check, Unreadable what, int r) {
    AwsError error;

    aws_error_set(&error, AWS_INTERNAL, NULL, "%s",
                  r == -EINVAL && what == UNREADABLE_BUCKET
                          ? "cannot be asked: there is no endpoint for this name"
                          : strerror(-r));
    not_polled(check, what, &error);
}

/* ---- lifecycle ---- */

static bool is_below(const char *path, const char *prefix) {
    return text_starts_with(path, prefix) || text_starts_with(prefix, path);
}

/* True when the rule may delete log files, which are below [PREFIX/]AWSLogs/. A "*" in a rule's prefix is an
 * ordinary character to S3, but its author meant everything. */
static bool takes_logs_below(const char *prefix, const S3Rule *rule) {
    char logs[256 + sizeof("/AWSLogs/")];

    (void)snprintf(logs, sizeof(logs), "%.256s%sAWSLogs/", prefix, prefix[0] ? "/" : "");
    return rule->enabled && (text_equal(rule->prefix, "*") || is_below(logs, rule->prefix));
}

static bool takes_logs(const BucketCheck *check, const S3Rule *rule) {
    return takes_logs_below(check->request.prefix, rule) ||
           takes_logs_below(check->request.actual_prefix, rule);
}

static void judge_rule(BucketCheck *check, const S3Rule *rule) {
    uint64_t now_usec = loop_realtime_usec(check->task.loop);
    bool by_days = rule->expiration_days != 0 && rule->expiration_days < BUCKET_CHECK_DAYS_MIN;
    bool by_date = rule->expiration_usec != 0 &&
                   rule->expiration_usec < now_usec + BUCKET_CHECK_DAYS_MIN * DAY_USEC;

    if (check->snapshot.lifecycle_error[0] || !takes_logs(check, rule) || (!by_days && !by_date))
        return;
    if (by_days)
        (void)snprintf(check->snapshot.lifecycle_error, sizeof(check->snapshot.lifecycle_error),
                       "rule %.30s deletes after %u day%s", rule->id[0] ? rule->id : "without a name",
                       rule->expiration_days, rule->expiration_days == 1 ? "" : "s");
    else
        (void)snprintf(check->snapshot.lifecycle_error, sizeof(check->snapshot.lifecycle_error),
                       "rule %.30s deletes by a date", rule->id[0] ? rule->id : "without a name");
}

static void rules_done(const AwsError *error, const S3Rules *rules, void *userdata) {
    BucketCheck *check = userdata;

    task_answered(&check->task, SLOT(UNREADABLE_LIFECYCLE));
    if (error->class != AWS_OK)
        not_polled(check, UNREADABLE_LIFECYCLE, error);
    for (size_t i = 0; error->class == AWS_OK && i < rules->n; i++)
        judge_rule(check, &rules->items[i]);
    task_go_on(&check->task);
}

/* ---- policy ---- */

/* Conditions are not evaluated: AWS's own delivery error covers those cases. An Allow counts when it may
 * apply, a Deny only when it certainly applies. */
typedef enum Sure { MAYBE, SURELY } Sure;

/* Returns the "BUCKET/KEY" part of a pattern of S3 ARNs. */
static const char *objects_of(const char *text) {
    const char *path = strstr(text, ":::");

    return path ? path + strlen(":::") : text;
}

static bool may_cover(const char *text, const void *with) {
    const char *logs = with;
    const char *path = objects_of(text);

    return strncmp(logs, path, MIN(strcspn(path, "*?"), strlen(logs))) == 0;
}

static bool covers(const char *text, const void *with) {
    const char *logs = with;
    const char *path = objects_of(text);
    size_t len = strcspn(path, "*?");

    return text_equal(path + len, "*") && strncmp(logs, path, len) == 0;
}

/* Log files of an organization are not in the account's own folder. */
static bool is_about_logs(const BucketCheck *check, const char *prefix, const json_t *resource, Sure sure) {
    char logs[64 + 256 + 16 + sizeof("//AWSLogs//CloudTrail/")];

    (void)snprintf(logs, sizeof(logs), "%.63s/%.256s%sAWSLogs/", check->request.bucket, prefix,
                   prefix[0] ? "/" : "");
    if (sure == MAYBE)
        return statement_any_fits(resource, may_cover, logs);
    (void)snprintf(logs + strlen(logs), sizeof(logs) - strlen(logs), "%.12s/CloudTrail/",
                   check->request.account);
    return statement_any_fits(resource, covers, logs);
}

static bool counts(const BucketCheck *check, const char *prefix, const json_t *s, Sure sure) {
    if (sure == SURELY && json_object_get(s, "Condition"))
        return false;
    if (!statement_is_about_service(json_object_get(s, "Principal"), CLOUDTRAIL_SERVICE))
        return false;
    if (!statement_names_action(json_object_get(s, "Action"), "s3:PutObject") &&
        !(sure == MAYBE && json_object_get(s, "NotAction")))
        return false;
    return is_about_logs(check, prefix, json_object_get(s, "Resource"), sure) ||
           (sure == MAYBE && json_object_get(s, "NotResource"));
}

/* True when a statement with this effect applies to CloudTrail's writes. */
static bool says(const BucketCheck *check, const char *prefix, const json_t *policy, const char *effect,
                 Sure sure) {
    const json_t *statements = json_object_get(policy, "Statement");
    size_t n = json_is_array(statements) ? json_array_size(statements) : 1;

    for (size_t i = 0; i < n; i++) {
        const json_t *s = json_is_array(statements) ? json_array_get(statements, i) : statements;

        if (text_equal(json_string_value(json_object_get(s, "Effect")), effect) &&
            counts(check, prefix, s, sure))
            return true;
    }
    return false;
}

static bool lets_write(const BucketCheck *check, const char *prefix, const json_t *policy) {
    return says(check, prefix, policy, "Allow", MAYBE) && !says(check, prefix, policy, "Deny", SURELY);
}

/* When only one of the two prefixes is denied, the message must say which. */
static void judge_prefixes(BucketCheck *check, const json_t *policy) {
    bool desired = lets_write(check, check->request.prefix, policy),
         actual = lets_write(check, check->request.actual_prefix, policy);
    const char *which = "";

    if (desired && actual)
        return;
    if (desired)
        which = " to the trail's prefix";
    else if (actual)
        which = check->request.pinned ? " to the pinned prefix" : " to the recorded prefix";
    (void)snprintf(check->snapshot.bucket_error, sizeof(check->snapshot.bucket_error),
                   "its policy does not let CloudTrail write%s", which);
}

/* text is JSON, or "" when the bucket has no policy. */
static void judge_policy(BucketCheck *check, const char *text) {
    json_t *policy = NULL;

    if (text[0])
        (void)json_text_parse(text, strlen(text), 0, NULL, &policy);

    if (!text[0])
        (void)text_copy(check->snapshot.bucket_error, sizeof(check->snapshot.bucket_error),
                        "it has no policy");
    else if (!policy)
        not_asked(check, UNREADABLE_POLICY, -ENOMEM);
    else
        judge_prefixes(check, policy);
    json_decref(policy);
}

static void policy_done(const AwsError *error, const char *text, void *userdata) {
    BucketCheck *check = userdata;

    task_answered(&check->task, SLOT(UNREADABLE_POLICY));
    if (error->class != AWS_OK)
        not_polled(check, UNREADABLE_POLICY, error);
    else
        judge_policy(check, text);
    task_go_on(&check->task);
}

/* ---- the bucket ---- */

static void asked(BucketCheck *check, Unreadable what, int r) {
    if (task_asked(&check->task, r) < 0)
        not_asked(check, what, r);
}

static void ask_about_bucket(BucketCheck *check) {
    const BucketCheckRequest *q = &check->request;
    const BucketOwner *owner = &q->owners[check->at];
    const char *region = check->snapshot.region;

    asked(check, UNREADABLE_LIFECYCLE,
          s3_get_lifecycle(&(AwsCaller){ q->aws, owner->credentials, region },
                           &(AwsBucket){ q->bucket, owner->id }, rules_done, check,
                           &check->task.calls[SLOT(UNREADABLE_LIFECYCLE)]));
    asked(check, UNREADABLE_POLICY,
          s3_get_policy(&(AwsCaller){ q->aws, owner->credentials, region },
                        &(AwsBucket){ q->bucket, owner->id }, policy_done, check,
                        &check->task.calls[SLOT(UNREADABLE_POLICY)]));
}

static void head_done(const AwsError *error, const char *region, void *userdata);

/* A request that cannot even be sent is not the bucket's fault. */
static void ask_whose_it_is(BucketCheck *check) {
    const BucketCheckRequest *q = &check->request;
    const BucketOwner *owner = &q->owners[check->at];
    int r = s3_head_bucket(&(AwsCaller){ q->aws, owner->credentials, q->region },
                           &(AwsBucket){ q->bucket, owner->id }, head_done, check,
                           &check->task.calls[SLOT(UNREADABLE_BUCKET)]);

    asked(check, UNREADABLE_BUCKET, r);
    check->snapshot.n_heads += r >= 0;
}

static void confirmed(BucketCheck *check, const char *region) {
    const BucketOwner *owners = check->request.owners;

    (void)text_copy(check->snapshot.region, sizeof(check->snapshot.region), region);
    (void)text_copy(check->snapshot.owner, sizeof(check->snapshot.owner), owners[check->at].id);
    if (check->request.owner_known && check->at > 0)
        (void)snprintf(check->snapshot.bucket_error, sizeof(check->snapshot.bucket_error),
                       "it belongs to %.12s, not to %.12s", owners[check->at].id, owners[0].id);
    else {
        check->snapshot.n_heads = 1; /* the owner is known now */
        check->snapshot.found = !check->request.owner_only;
        if (check->snapshot.found)
            ask_about_bucket(check);
    }
}

/* S3 gives the same error for a bucket of another account and for missing permission. If the owner was
 * confirmed before, a refusal is a change; otherwise ownership cannot be checked. */
static void nobody_confirmed(BucketCheck *check, const AwsError *error) {
    AwsError said = *error;

    (void)text_copy(said.message, sizeof(said.message),
                    "whose it is cannot be checked with the keys of any guarded account");
    if (check->request.owner_known && check->request.owner_confirmed) {
        (void)snprintf(check->snapshot.bucket_error, sizeof(check->snapshot.bucket_error),
                       "it was %.12s's; now S3 refuses to say whose it is", check->request.owners[0].id);
        set_failure(check, UNREADABLE_BUCKET, error);
        check->snapshot.failures[UNREADABLE_BUCKET].text[0] = '\0'; /* already reported as such */
    } else
        not_polled(check, UNREADABLE_BUCKET, &said);
}

static void head_done(const AwsError *error, const char *region, void *userdata) {
    BucketCheck *check = userdata;

    task_answered(&check->task, SLOT(UNREADABLE_BUCKET));
    if (error->class == AWS_OK)
        confirmed(check, region);
    else if (error->class == AWS_NOT_FOUND)
        (void)text_copy(check->snapshot.bucket_error, sizeof(check->snapshot.bucket_error), "it is gone");
    else if (error->class == AWS_DENIED && ++check->at < check->request.n_owners)
        ask_whose_it_is(check);
    else if (error->class == AWS_DENIED)
        nobody_confirmed(check, error);
    else
        not_polled(check, UNREADABLE_BUCKET, error);
    task_go_on(&check->task);
}

/* ---- the key ---- */

static void key_done(const AwsError *error, const KmsKey *key, void *userdata) {
    BucketCheck *check = userdata;

    task_answered(&check->task, SLOT(UNREADABLE_KEY));
    if (error->class == AWS_OK) {
        if (!key->enabled)
            (void)text_copy(check->snapshot.key_error, sizeof(check->snapshot.key_error), key->state);
        (void)text_copy(check->snapshot.key_store, sizeof(check->snapshot.key_store), key->store);
    } else if (error->class == AWS_NOT_FOUND)
        (void)text_copy(check->snapshot.key_error, sizeof(check->snapshot.key_error), error->code);
    else
        not_polled(check, UNREADABLE_KEY, error);
    task_go_on(&check->task);
}

static void bucket_check_ask_key(BucketCheck *check) {
    const BucketCheckRequest *q = &check->request;
    Arn arn;
    int r = arn_parse(q->key, &arn);

    if (r >= 0)
        r = kms_describe_key(&(AwsCaller){ q->aws, q->credentials, arn.region }, q->key, key_done, check,
                             &check->task.calls[SLOT(UNREADABLE_KEY)]);
    asked(check, UNREADABLE_KEY, r);
}

/* ---- starting ---- */

static void bucket_check_go_on(void *userdata) {
    BucketCheck *check = userdata;

    if (check->begun)
        return;
    check->begun = true;
    ask_whose_it_is(check);
    if (check->request.key[0] && !check->request.owner_only)
        bucket_check_ask_key(check);
}

static int prepare(BucketCheck *check) {
    BucketCheckRequest *q = &check->request;
    const char **texts[] = { &q->region, &q->bucket, &q->prefix, &q->actual_prefix, &q->account, &q->key };
    int r = task_init(&check->task, q->aws, SLOT(_UNREADABLE_MAX), bucket_check_go_on, bucket_check_finish,
                      check);

    if (!q->actual_prefix)
        q->actual_prefix = q->prefix;
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(texts); i++)
        r = task_keep(&check->task, texts[i]);
    return r < 0 ? r : task_after(&check->task, 0);
}

int bucket_check_start(const BucketCheckRequest *request, BucketCheckDone done, void *userdata,
                       BucketCheck **ret) {
    _cleanup_(bucket_check_cancelp) BucketCheck *check = NULL;
    int r;

    if (request->n_owners == 0)
        return -EINVAL;
    check = calloc(1, sizeof(*check));
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
