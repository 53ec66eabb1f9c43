/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/bucket_check.h"

#include <errno.h>
#include <fnmatch.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arn.h"
#include "lib/endpoint.h"
#include "lib/kms.h"
#include "lib/s3.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define CLOUDTRAIL_SERVICE "cloudtrail.amazonaws.com"
#define DAY_USEC           (86400ULL * USEC_PER_SEC)

struct BucketCheck {
    BucketCheckRequest request; /* its texts are ours */
    char *texts[6];
    BucketCheckDone done;
    void *userdata;
    BucketSnapshot snapshot;
    unsigned n_pending;
    size_t at; /* in owners */
    S3Call *head_call, *rules_call, *policy_call;
    KmsCall *key_call;
    LoopTimer *timer; /* so that done is never called from inside the start */
};

static void poll_free(BucketCheck *w) {
    s3_cancel(w->head_call);
    s3_cancel(w->rules_call);
    s3_cancel(w->policy_call);
    kms_cancel(w->key_call);
    loop_cancel(aws_client_loop(w->request.aws), w->timer);
    for (size_t i = 0; i < ARRAY_SIZE(w->texts); i++)
        free(w->texts[i]);
    free(w);
}

void bucket_check_cancel(BucketCheck *poll) {
    if (poll)
        poll_free(poll);
}

static void answered(BucketCheck *w) {
    if (--w->n_pending > 0)
        return;
    w->done(&w->snapshot, w->userdata);
    poll_free(w);
}

static const struct {
    const char *operation, *action;
} calls[_UNREADABLE_MAX] = {
    [UNREADABLE_BUCKET] = { "HeadBucket", "s3:ListBucket" },
    [UNREADABLE_LIFECYCLE] = { "GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration" },
    [UNREADABLE_POLICY] = { "GetBucketPolicy", "s3:GetBucketPolicy" },
    [UNREADABLE_KEY] = { "DescribeKey", "kms:DescribeKey" },
};

/* The permission that a call needs; S3 does not always name it, and HeadBucket has no text at all. */
static void set_failure(BucketCheck *w, Unreadable what, const AwsError *error) {
    const char *bucket = w->request.bucket;
    const Partition *partition = endpoint_partition_of(w->request.region);
    char resource[AWS_RESOURCE_MAX];

    if (what == UNREADABLE_KEY)
        (void)text_copy(resource, sizeof(resource), w->request.key);
    else
        (void)snprintf(resource, sizeof(resource), "arn:%s:s3:::%.255s", partition ? partition->id : "aws",
                       bucket);
    poll_failure_set(&w->snapshot.failures[what], calls[what].operation, error, calls[what].action,
                     resource);
}

/* In error_text the first is kept. */
static void not_polled(BucketCheck *w, Unreadable what, const AwsError *error) {
    const char *name = what == UNREADABLE_KEY ? w->request.key : w->request.bucket;
    char operation[160];

    set_failure(w, what, error);
    (void)snprintf(operation, sizeof(operation), "%s of %.100s", calls[what].operation, name);
    (void)aws_error_text(error, operation, w->snapshot.failures[what].text, ERROR_TEXT_MAX);
    if (!w->snapshot.error_text[0])
        (void)text_copy(w->snapshot.error_text, sizeof(w->snapshot.error_text),
                        w->snapshot.failures[what].text);
}

static void not_asked(BucketCheck *w, Unreadable what, int r) {
    AwsError error;

    aws_error_set(&error, AWS_INTERNAL, NULL, "%s",
                  r == -EINVAL && what == UNREADABLE_BUCKET
                          ? "cannot be asked: there is no endpoint for this name"
                          : strerror(-r));
    not_polled(w, what, &error);
}

/* ---- lifecycle ---- */

static bool is_below(const char *path, const char *prefix) {
    return text_starts_with(path, prefix) || text_starts_with(prefix, path);
}

/* Could the rule take log files? They are below [PREFIX/]AWSLogs/. A "*" in a rule's prefix is a plain
 * character to S3, but whoever writes it means everything. */
static bool takes_logs_below(const char *prefix, const S3Rule *rule) {
    char logs[256 + sizeof("/AWSLogs/")];

    (void)snprintf(logs, sizeof(logs), "%.256s%sAWSLogs/", prefix, prefix[0] ? "/" : "");
    return rule->enabled && (text_equal(rule->prefix, "*") || is_below(logs, rule->prefix));
}

static bool takes_logs(const BucketCheck *w, const S3Rule *rule) {
    return takes_logs_below(w->request.prefix, rule) || takes_logs_below(w->request.actual_prefix, rule);
}

static void judge_rule(BucketCheck *w, const S3Rule *rule) {
    uint64_t now_usec = loop_realtime_usec(aws_client_loop(w->request.aws));
    bool by_days = rule->expiration_days != 0 && rule->expiration_days < BUCKET_CHECK_DAYS_MIN;
    bool by_date = rule->expiration_usec != 0 &&
                   rule->expiration_usec < now_usec + BUCKET_CHECK_DAYS_MIN * DAY_USEC;

    if (w->snapshot.lifecycle_error[0] || !takes_logs(w, rule) || (!by_days && !by_date))
        return;
    if (by_days)
        (void)snprintf(w->snapshot.lifecycle_error, sizeof(w->snapshot.lifecycle_error),
                       "rule %.30s deletes after %u day%s", rule->id[0] ? rule->id : "without a name",
                       rule->expiration_days, rule->expiration_days == 1 ? "" : "s");
    else
        (void)snprintf(w->snapshot.lifecycle_error, sizeof(w->snapshot.lifecycle_error),
                       "rule %.30s deletes by a date", rule->id[0] ? rule->id : "without a name");
}

static void rules_done(const AwsError *error, const S3Rules *rules, void *userdata) {
    BucketCheck *w = userdata;

    w->rules_call = NULL;
    if (error->class != AWS_OK)
        not_polled(w, UNREADABLE_LIFECYCLE, error);
    for (size_t i = 0; error->class == AWS_OK && i < rules->n; i++)
        judge_rule(w, &rules->items[i]);
    answered(w);
}

/* ---- policy ---- */

/* Conditions are not evaluated, and AWS's own delivery error will tell of what is left open here: an Allow
 * counts where it could hold, a Deny only where it must. */
typedef enum Sure { MAYBE, SURELY } Sure;

typedef bool (*Fits)(const char *text, const char *with);

/* A text, or one of an array of them. */
static bool any(const json_t *value, Fits fits, const char *with) {
    const char *text = json_string_value(value);

    for (size_t i = 0; i < json_array_size(value); i++)
        if (any(json_array_get(value, i), fits, with))
            return true;
    return text && fits(text, with);
}

/* A pattern with "*" and "?", whose case does not matter (AWS IAM User Guide, "IAM JSON policy elements:
 * Action"). */
static bool is_pattern_of(const char *text, const char *action) {
    return fnmatch(text, action, FNM_NOESCAPE | FNM_CASEFOLD) == 0;
}

/* What a pattern of S3 ARNs says of objects: "BUCKET/KEY". */
static const char *objects_of(const char *text) {
    const char *path = strstr(text, ":::");

    return path ? path + strlen(":::") : text;
}

static bool may_cover(const char *text, const char *logs) {
    const char *path = objects_of(text);

    return strncmp(logs, path, MIN(strcspn(path, "*?"), strlen(logs))) == 0;
}

static bool covers(const char *text, const char *logs) {
    const char *path = objects_of(text);
    size_t len = strcspn(path, "*?");

    return text_equal(path + len, "*") && strncmp(logs, path, len) == 0;
}

/* Log files of an organization are not in a folder of the account. */
static bool is_about_logs(const BucketCheck *w, const char *prefix, const json_t *resource, Sure sure) {
    char logs[64 + 256 + 16 + sizeof("//AWSLogs//CloudTrail/")];

    (void)snprintf(logs, sizeof(logs), "%.63s/%.256s%sAWSLogs/", w->request.bucket, prefix,
                   prefix[0] ? "/" : "");
    if (sure == MAYBE)
        return any(resource, may_cover, logs);
    (void)snprintf(logs + strlen(logs), sizeof(logs) - strlen(logs), "%.12s/CloudTrail/",
                   w->request.account);
    return any(resource, covers, logs);
}

static bool is_about_cloudtrail(const json_t *principal) {
    const json_t *service = json_object_get(principal, "Service");

    return any(principal, text_equal, "*") || any(json_object_get(principal, "AWS"), text_equal, "*") ||
           any(service, text_equal, "*") || any(service, text_equal, CLOUDTRAIL_SERVICE);
}

static bool counts(const BucketCheck *w, const char *prefix, const json_t *s, Sure sure) {
    if (sure == SURELY && json_object_get(s, "Condition"))
        return false;
    if (!is_about_cloudtrail(json_object_get(s, "Principal")))
        return false;
    if (!any(json_object_get(s, "Action"), is_pattern_of, "s3:PutObject") &&
        !(sure == MAYBE && json_object_get(s, "NotAction")))
        return false;
    return is_about_logs(w, prefix, json_object_get(s, "Resource"), sure) ||
           (sure == MAYBE && json_object_get(s, "NotResource"));
}

/* Does a statement with this effect let CloudTrail write, or keep it from that? */
static bool says(const BucketCheck *w, const char *prefix, const json_t *policy, const char *effect,
                 Sure sure) {
    const json_t *statements = json_object_get(policy, "Statement");
    size_t n = json_is_array(statements) ? json_array_size(statements) : 1;

    for (size_t i = 0; i < n; i++) {
        const json_t *s = json_is_array(statements) ? json_array_get(statements, i) : statements;

        if (text_equal(json_string_value(json_object_get(s, "Effect")), effect) &&
            counts(w, prefix, s, sure))
            return true;
    }
    return false;
}

static bool lets_write(const BucketCheck *w, const char *prefix, const json_t *policy) {
    return says(w, prefix, policy, "Allow", MAYBE) && !says(w, prefix, policy, "Deny", SURELY);
}

/* Where only one of two prefixes is closed, people must know which. */
static void judge_prefixes(BucketCheck *w, const json_t *policy) {
    bool desired = lets_write(w, w->request.prefix, policy),
         actual = lets_write(w, w->request.actual_prefix, policy);
    const char *which = "";

    if (desired && actual)
        return;
    if (desired)
        which = " to the trail's prefix";
    else if (actual)
        which = w->request.pinned ? " to the pinned prefix" : " to the recorded prefix";
    (void)snprintf(w->snapshot.bucket_error, sizeof(w->snapshot.bucket_error),
                   "its policy does not let CloudTrail write%s", which);
}

/* text is JSON, or "" when there is no policy. */
static void judge_policy(BucketCheck *w, const char *text) {
    json_t *policy = text[0] ? json_loads(text, 0, NULL) : NULL;

    if (!text[0])
        (void)text_copy(w->snapshot.bucket_error, sizeof(w->snapshot.bucket_error), "it has no policy");
    else if (!policy)
        not_asked(w, UNREADABLE_POLICY, -ENOMEM);
    else
        judge_prefixes(w, policy);
    json_decref(policy);
}

static void policy_done(const AwsError *error, const char *text, void *userdata) {
    BucketCheck *w = userdata;

    w->policy_call = NULL;
    if (error->class != AWS_OK)
        not_polled(w, UNREADABLE_POLICY, error);
    else
        judge_policy(w, text);
    answered(w);
}

/* ---- the bucket ---- */

static void ask_about_bucket(BucketCheck *w) {
    const BucketCheckRequest *q = &w->request;
    const BucketOwner *owner = &q->owners[w->at];
    int r;

    w->n_pending++;
    r = s3_get_lifecycle(q->aws, owner->credentials, w->snapshot.region, q->bucket, owner->id, rules_done, w,
                         &w->rules_call);
    if (r < 0) {
        not_asked(w, UNREADABLE_LIFECYCLE, r);
        w->n_pending--;
    }
    w->n_pending++;
    r = s3_get_policy(q->aws, owner->credentials, w->snapshot.region, q->bucket, owner->id, policy_done, w,
                      &w->policy_call);
    if (r < 0) {
        not_asked(w, UNREADABLE_POLICY, r);
        w->n_pending--;
    }
}

static void head_done(const AwsError *error, const char *region, void *userdata);

/* What cannot be asked at all is no fault of the bucket: false, and head_done is not called. */
static bool ask_whose_it_is(BucketCheck *w) {
    const BucketCheckRequest *q = &w->request;
    const BucketOwner *owner = &q->owners[w->at];
    int r = s3_head_bucket(q->aws, owner->credentials, q->region, q->bucket, owner->id, head_done, w,
                           &w->head_call);

    if (r < 0)
        not_asked(w, UNREADABLE_BUCKET, r);
    else
        w->snapshot.n_heads++;
    return r >= 0;
}

static void confirmed(BucketCheck *w, const char *region) {
    const BucketOwner *owners = w->request.owners;

    (void)text_copy(w->snapshot.region, sizeof(w->snapshot.region), region);
    (void)text_copy(w->snapshot.owner, sizeof(w->snapshot.owner), owners[w->at].id);
    if (w->request.owner_known && w->at > 0)
        (void)snprintf(w->snapshot.bucket_error, sizeof(w->snapshot.bucket_error),
                       "it belongs to %.12s, not to %.12s", owners[w->at].id, owners[0].id);
    else {
        w->snapshot.found = true;
        w->snapshot.n_heads = 1; /* the owner is known from now on */
        ask_about_bucket(w);
    }
}

/* S3 refuses alike to say that a bucket is another's and that it may not be asked. What was confirmed once
 * and is not any more is a change; what never was cannot be checked. */
static void nobody_confirmed(BucketCheck *w, const AwsError *error) {
    AwsError said = *error;

    (void)text_copy(said.message, sizeof(said.message),
                    "whose it is cannot be checked with the keys of any guarded account");
    if (w->request.owner_known && w->request.owner_confirmed) {
        (void)snprintf(w->snapshot.bucket_error, sizeof(w->snapshot.bucket_error),
                       "it was %.12s's; now S3 refuses to say whose it is", w->request.owners[0].id);
        set_failure(w, UNREADABLE_BUCKET, error);
        w->snapshot.failures[UNREADABLE_BUCKET].text[0] = '\0'; /* it is reported as that already */
    } else
        not_polled(w, UNREADABLE_BUCKET, &said);
}

static void head_done(const AwsError *error, const char *region, void *userdata) {
    BucketCheck *w = userdata;

    w->head_call = NULL;
    if (error->class == AWS_OK) {
        confirmed(w, region);
    } else if (error->class == AWS_NOT_FOUND)
        (void)text_copy(w->snapshot.bucket_error, sizeof(w->snapshot.bucket_error), "it is gone");
    else if (error->class == AWS_DENIED && ++w->at < w->request.n_owners) {
        if (ask_whose_it_is(w))
            return;
    } else if (error->class == AWS_DENIED)
        nobody_confirmed(w, error);
    else
        not_polled(w, UNREADABLE_BUCKET, error);
    answered(w);
}

/* ---- the key ---- */

static void key_done(const AwsError *error, const KmsKey *key, void *userdata) {
    BucketCheck *w = userdata;

    w->key_call = NULL;
    if (error->class == AWS_OK) {
        if (!key->enabled)
            (void)text_copy(w->snapshot.key_error, sizeof(w->snapshot.key_error), key->state);
        (void)text_copy(w->snapshot.key_store, sizeof(w->snapshot.key_store), key->store);
    } else if (error->class == AWS_NOT_FOUND)
        (void)text_copy(w->snapshot.key_error, sizeof(w->snapshot.key_error), error->code);
    else
        not_polled(w, UNREADABLE_KEY, error);
    answered(w);
}

static void ask_key(BucketCheck *w) {
    const BucketCheckRequest *q = &w->request;
    Arn arn;
    int r = arn_parse(q->key, &arn);

    w->n_pending++;
    if (r >= 0)
        r = kms_describe_key(q->aws, q->credentials, arn.region, q->key, key_done, w, &w->key_call);
    if (r < 0) {
        not_asked(w, UNREADABLE_KEY, r);
        w->n_pending--;
    }
}

/* ---- starting ---- */

static void begin(void *userdata) {
    BucketCheck *w = userdata;

    w->timer = NULL;
    w->n_pending = 1; /* ours until everything is asked */
    if (ask_whose_it_is(w))
        w->n_pending++;
    if (w->request.key[0])
        ask_key(w);
    answered(w);
}

/* The texts of the request in copies of our own; NULL becomes "". */
static int copy_texts(BucketCheck *w) {
    const char **texts[] = { &w->request.region,  &w->request.bucket, &w->request.prefix,
                             &w->request.account, &w->request.key,    &w->request.actual_prefix };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        w->texts[i] = strdup(*texts[i] ? *texts[i] : "");
        if (!w->texts[i])
            return -ENOMEM;
        *texts[i] = w->texts[i];
    }
    return 0;
}

int bucket_check_start(const BucketCheckRequest *request, BucketCheckDone done, void *userdata,
                       BucketCheck **ret) {
    BucketCheck *w = request->n_owners > 0 ? calloc(1, sizeof(*w)) : NULL;
    int r;

    if (request->n_owners == 0)
        return -EINVAL;
    if (!w)
        return -ENOMEM;
    w->request = *request;
    w->done = done;
    w->userdata = userdata;
    if (!request->actual_prefix)
        w->request.actual_prefix = request->prefix;
    r = copy_texts(w);
    if (r >= 0)
        r = loop_after(aws_client_loop(request->aws), 0, begin, w, &w->timer);
    if (r < 0) {
        poll_free(w);
        return r;
    }
    *ret = w;
    return 0;
}
