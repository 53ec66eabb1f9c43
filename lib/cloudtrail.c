/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cloudtrail.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arn.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

/* The spelling that AWS's own tools send; the answer is the same for the shorter one. */
#define TARGET_PREFIX "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101."

/* ---- readers ---- */

static int load_object(const char *body, size_t len, json_t **ret) {
    json_error_t error;
    json_t *root;

    root = json_loadb(body, len, 0, &error);
    if (!root)
        return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EBADMSG;
    if (!json_is_object(root)) {
        json_decref(root);
        return -EBADMSG;
    }
    *ret = root;
    return 0;
}

/* The member, or NULL when it is absent or null: AWS means the same by both. */
static const json_t *get_member(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);

    return json_is_null(value) ? NULL : value;
}

static int read_bool(const json_t *object, const char *name, bool *ret) {
    const json_t *value = get_member(object, name);

    if (value && !json_is_boolean(value))
        return -EBADMSG;
    *ret = value && json_is_true(value);
    return 0;
}

static int read_time(const json_t *object, const char *name, uint64_t *ret) {
    const json_t *value = get_member(object, name);

    if (value && !json_is_number(value))
        return -EBADMSG;
    *ret = value ? timetext_from_epoch(json_number_value(value)) : 0;
    return 0;
}

/* jansson refuses NUL characters inside strings by itself. */
static int read_text(const json_t *object, const char *name, const char **ret) {
    const json_t *value = get_member(object, name);

    if (value && !json_is_string(value))
        return -EBADMSG;
    *ret = value ? json_string_value(value) : "";
    return 0;
}

static int read_string(const json_t *object, const char *name, char **ret) {
    const char *text;
    int r;

    r = read_text(object, name, &text);
    if (r < 0)
        return r;
    *ret = strdup(text);
    return *ret ? 0 : -ENOMEM;
}

static int read_trail(const json_t *object, CloudTrailTrail *ret) {
    Arn arn;
    int r;

    if (!json_is_object(object))
        return -EBADMSG;
    r = read_string(object, "Name", &ret->name);
    if (r >= 0)
        r = read_string(object, "TrailARN", &ret->arn);
    if (r >= 0)
        r = read_string(object, "HomeRegion", &ret->home_region);
    if (r >= 0)
        r = read_string(object, "S3BucketName", &ret->bucket);
    if (r >= 0)
        r = read_bool(object, "IsMultiRegionTrail", &ret->multi_region);
    if (r >= 0)
        r = read_bool(object, "IsOrganizationTrail", &ret->organization);
    if (r >= 0)
        r = read_bool(object, "LogFileValidationEnabled", &ret->validation);
    if (r >= 0 && (arn_parse(ret->arn, &arn) < 0 || !arn_is_trail(&arn)))
        r = -EBADMSG;
    return r;
}

static int read_trail_list(const json_t *list, CloudTrailTrails *trails) {
    size_t n = json_array_size(list);

    if (n > CLOUDTRAIL_TRAILS_MAX)
        return -E2BIG;
    if (n == 0)
        return 0;
    trails->items = calloc(n, sizeof(*trails->items));
    if (!trails->items)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        int r;

        /* Counted first: what was read of a bad one is freed with the rest. */
        trails->n++;
        r = read_trail(json_array_get(list, i), &trails->items[i]);
        if (r < 0)
            return r;
    }
    return 0;
}

int cloudtrail_read_trails(const char *body, size_t len, CloudTrailTrails *ret) {
    CloudTrailTrails trails = { 0 };
    const json_t *list;
    json_t *root;
    int r;

    r = load_object(body, len, &root);
    if (r < 0)
        return r;
    list = json_object_get(root, "trailList");
    r = json_is_array(list) ? read_trail_list(list, &trails) : -EBADMSG;
    json_decref(root);
    if (r < 0) {
        cloudtrail_trails_done(&trails);
        return r;
    }
    *ret = trails;
    return 0;
}

static int copy_trail(const CloudTrailTrail *from, CloudTrailTrail *ret) {
    *ret = *from;
    ret->name = strdup(from->name);
    ret->arn = strdup(from->arn);
    ret->home_region = strdup(from->home_region);
    ret->bucket = strdup(from->bucket);
    return ret->name && ret->arn && ret->home_region && ret->bucket ? 0 : -ENOMEM;
}

int cloudtrail_trails_copy(const CloudTrailTrails *trails, CloudTrailTrails *ret) {
    CloudTrailTrails copy = { .items = calloc(trails->n + 1, sizeof(*copy.items)) };

    if (!copy.items)
        return -ENOMEM;
    while (copy.n < trails->n) {
        int r = copy_trail(&trails->items[copy.n], &copy.items[copy.n]);

        copy.n++;
        if (r < 0) {
            cloudtrail_trails_done(&copy);
            return r;
        }
    }
    *ret = copy;
    return 0;
}

void cloudtrail_trails_done(CloudTrailTrails *trails) {
    for (size_t i = 0; i < trails->n; i++) {
        free(trails->items[i].name);
        free(trails->items[i].arn);
        free(trails->items[i].home_region);
        free(trails->items[i].bucket);
    }
    free(trails->items);
    *trails = (CloudTrailTrails){ 0 };
}

static int read_status_times(const json_t *root, CloudTrailStatus *s) {
    const struct {
        const char *name;
        uint64_t *value;
    } times[] = {
        { "StartLoggingTime", &s->start_logging_usec },
        { "StopLoggingTime", &s->stop_logging_usec },
        { "LatestDeliveryTime", &s->latest_delivery_usec },
        { "LatestDigestDeliveryTime", &s->latest_digest_delivery_usec },
    };

    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        int r = read_time(root, times[i].name, times[i].value);

        if (r < 0)
            return r;
    }
    return 0;
}

static int read_status_errors(const json_t *root, CloudTrailStatus *s) {
    const struct {
        const char *name;
        char *value;
        size_t size;
    } errors[] = {
        { "LatestDeliveryError", s->delivery_error, sizeof(s->delivery_error) },
        { "LatestDigestDeliveryError", s->digest_error, sizeof(s->digest_error) },
        { "LatestCloudWatchLogsDeliveryError", s->log_group_error, sizeof(s->log_group_error) },
        { "LatestNotificationError", s->notification_error, sizeof(s->notification_error) },
    };

    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        const char *text;
        int r;

        r = read_text(root, errors[i].name, &text);
        if (r < 0)
            return r;
        (void)text_copy(errors[i].value, errors[i].size, text);
    }
    return 0;
}

int cloudtrail_read_status(const char *body, size_t len, CloudTrailStatus *ret) {
    CloudTrailStatus s = { 0 };
    json_t *root;
    int r;

    r = load_object(body, len, &root);
    if (r < 0)
        return r;
    r = get_member(root, "IsLogging") ? read_bool(root, "IsLogging", &s.is_logging) : -EBADMSG;
    if (r >= 0)
        r = read_status_times(root, &s);
    if (r >= 0)
        r = read_status_errors(root, &s);
    json_decref(root);
    if (r >= 0)
        *ret = s;
    return r;
}

/* ---- builders ---- */

int cloudtrail_build_name(const char *arn, char **ret) {
    json_t *root;
    char *text;

    root = json_pack("{s:s}", "Name", arn);
    if (!root)
        return -EINVAL;
    text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    if (!text)
        return -ENOMEM;
    *ret = text;
    return 0;
}

/* ---- calls ---- */

struct CloudTrailCall {
    AwsCall *call;
    void (*finish)(CloudTrailCall *call, const AwsReply *reply);
    union {
        CloudTrailTrailsDone trails;
        CloudTrailStatusDone status;
        CloudTrailDone plain;
    } done;
    void *userdata;
};

static void set_bad_answer(AwsError *e, int r, const AwsReply *reply) {
    if (r == -ENOMEM)
        aws_error_set(e, AWS_INTERNAL, "", "out of memory");
    else
        aws_error_set(e, AWS_BAD_ANSWER, "", "the answer is not what CloudTrail promises");
    (void)text_copy(e->request_id, sizeof(e->request_id), reply->request_id);
}

static void finish_trails(CloudTrailCall *call, const AwsReply *reply) {
    CloudTrailTrails trails = { 0 };
    AwsError error = reply->error;
    int r;

    if (error.class == AWS_OK) {
        r = cloudtrail_read_trails(reply->body, reply->body_len, &trails);
        if (r < 0)
            set_bad_answer(&error, r, reply);
    }
    call->done.trails(&error, error.class == AWS_OK ? &trails : NULL, call->userdata);
    cloudtrail_trails_done(&trails);
}

static void finish_status(CloudTrailCall *call, const AwsReply *reply) {
    CloudTrailStatus status;
    AwsError error = reply->error;
    int r;

    if (error.class == AWS_OK) {
        r = cloudtrail_read_status(reply->body, reply->body_len, &status);
        if (r < 0)
            set_bad_answer(&error, r, reply);
    }
    call->done.status(&error, error.class == AWS_OK ? &status : NULL, call->userdata);
}

static void finish_plain(CloudTrailCall *call, const AwsReply *reply) {
    call->done.plain(&reply->error, call->userdata);
}

static void on_reply(const AwsReply *reply, void *userdata) {
    CloudTrailCall *call = userdata;
    CloudTrailCall ended = *call;

    free(call);
    ended.finish(&ended, reply);
}

/* Takes template by value; *ret gets its place on the heap. */
static int start(AwsClient *client, CredentialsSource *credentials, const char *region, const char *target,
                 const char *body, CloudTrailCall template, CloudTrailCall **ret) {
    CloudTrailCall *call;
    int r;

    call = malloc(sizeof(*call));
    if (!call)
        return -ENOMEM;
    *call = template;
    r = aws_call(client, credentials,
                 &(AwsRequest){
                         .service = AWS_CLOUDTRAIL,
                         .region = region,
                         .protocol = AWS_PROTOCOL_JSON,
                         .target = target,
                         .body = body,
                         .body_len = strlen(body),
                 },
                 on_reply, call, &call->call);
    if (r < 0) {
        free(call);
        return r;
    }
    if (ret)
        *ret = call;
    return 0;
}

int cloudtrail_describe_trails(AwsClient *client, CredentialsSource *credentials, const char *region,
                               CloudTrailTrailsDone done, void *userdata, CloudTrailCall **ret) {
    CloudTrailCall template = { .finish = finish_trails, .done.trails = done, .userdata = userdata };

    return start(client, credentials, region, TARGET_PREFIX "DescribeTrails",
                 "{\"includeShadowTrails\":true}", template, ret);
}

static int start_by_arn(AwsClient *client, CredentialsSource *credentials, const char *region,
                        const char *target, const char *arn, CloudTrailCall template, CloudTrailCall **ret) {
    _cleanup_free_ char *body = NULL;
    int r;

    r = cloudtrail_build_name(arn, &body);
    if (r < 0)
        return r;
    return start(client, credentials, region, target, body, template, ret);
}

int cloudtrail_get_trail_status(AwsClient *client, CredentialsSource *credentials, const char *region,
                                const char *arn, CloudTrailStatusDone done, void *userdata,
                                CloudTrailCall **ret) {
    CloudTrailCall template = { .finish = finish_status, .done.status = done, .userdata = userdata };

    return start_by_arn(client, credentials, region, TARGET_PREFIX "GetTrailStatus", arn, template, ret);
}

int cloudtrail_start_logging(AwsClient *client, CredentialsSource *credentials, const char *region,
                             const char *arn, CloudTrailDone done, void *userdata, CloudTrailCall **ret) {
    CloudTrailCall template = { .finish = finish_plain, .done.plain = done, .userdata = userdata };

    return start_by_arn(client, credentials, region, TARGET_PREFIX "StartLogging", arn, template, ret);
}

void cloudtrail_cancel(CloudTrailCall *call) {
    if (!call)
        return;
    aws_call_cancel(call->call);
    free(call);
}
