/* SPDX-License-Identifier: Apache-2.0 */
/* Makes one call of lib/ and prints what came of it, for test_calls.py: the request is then judged by
 * botocore's models and signer in the simulated AWS, before the daemon relies on it.
 *
 * usage: calls_helper REGION OPERATION ARGUMENT...
 *
 * End point and keys come from AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Arguments that
 * are settings or tags are JSON. Standard output is one JSON object: class, code, message, action and
 * resource (what a denial names), and result. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "lib/aws_error.h"
#include "lib/call.h"
#include "lib/cloudtrail.h"
#include "lib/credentials/providers.h"
#include "lib/http_curl.h"
#include "lib/kms.h"
#include "lib/loop_event.h"
#include "lib/s3.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define ARGUMENTS_MAX 3

typedef struct Helper {
    sd_event *event;
    Loop *loop;
    HttpClient *http;
    AwsClient *aws;
    CredentialsProvider *credentials;
    const char *region;
    char *arguments[ARGUMENTS_MAX]; /* "" when not given */
    json_t *values[ARGUMENTS_MAX];  /* of those that are JSON, NULL for the others */
    CloudTrailTag *tags;            /* strings in values */
    bool done;
} Helper;

static void die(const char *what) {
    fprintf(stderr, "calls_helper: %s\n", what);
    exit(EXIT_FAILURE);
}

/* ---- what came of it ---- */

/* Takes result, which may be NULL. */
static void finish(Helper *h, const AwsError *error, json_t *result) {
    char action[AWS_ACTION_MAX] = "", resource[AWS_RESOURCE_MAX] = "";
    json_t *answer;

    (void)aws_error_denied_action(error, action, resource);
    answer = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o*}", "class", aws_error_class_to_string(error->class),
                       "code", error->code, "message", error->message, "action", action, "resource",
                       resource, "result", result);
    if (!answer || json_dumpf(answer, stdout, JSON_COMPACT) < 0)
        die("the answer cannot be printed");
    json_decref(answer);
    h->done = true;
}

static void on_done(const AwsError *error, void *userdata) {
    finish(userdata, error, NULL);
}

static void on_text(const AwsError *error, const char *text, void *userdata) {
    finish(userdata, error, text ? json_string(text) : NULL);
}

static json_t *show_trail(const CloudTrailTrail *t) {
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:i}",
                     "Name", t->name, "TrailARN", t->arn, "HomeRegion", t->home_region, "S3BucketName",
                     t->bucket, "S3KeyPrefix", t->prefix, "SnsTopicARN", t->sns_topic,
                     "CloudWatchLogsLogGroupArn", t->log_group, "CloudWatchLogsRoleArn", t->log_role,
                     "KmsKeyId", t->kms_key, "IsMultiRegionTrail", t->multi_region,
                     "IncludeGlobalServiceEvents", t->global_events, "LogFileValidationEnabled",
                     t->validation, "IsOrganizationTrail", t->organization, "RecursiveLogging", t->recursive,
                     "HasCustomEventSelectors", t->has_custom_event_selectors, "HasInsightSelectors",
                     t->has_insight_selectors, "present", (int)t->present);
}

static void on_trails(const AwsError *error, const CloudTrailTrails *trails, void *userdata) {
    json_t *list = trails ? json_array() : NULL;

    for (size_t i = 0; trails && i < trails->n; i++)
        json_array_append_new(list, show_trail(&trails->items[i]));
    finish(userdata, error, list);
}

static void on_selectors(const AwsError *error, const CloudTrailSelectors *s, void *userdata) {
    finish(userdata, error, s ? json_pack("[s, s]", s->event_selectors, s->advanced_event_selectors) : NULL);
}

static void on_tags(const AwsError *error, const CloudTrailTags *tags, void *userdata) {
    json_t *object = tags ? json_object() : NULL;

    for (size_t i = 0; tags && i < tags->n; i++)
        json_object_set_new(object, tags->items[i].key, json_string(tags->items[i].value));
    finish(userdata, error, object);
}

static json_t *show_identity(const CloudTrailIdentity *i) {
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "type", i->type, "arn",
                     i->arn, "principal_id", i->principal_id, "account_id", i->account_id, "user_name",
                     i->user_name, "invoked_by", i->invoked_by, "access_key_id", i->access_key_id,
                     "issuer_arn", i->issuer_arn, "issuer_user_name", i->issuer_user_name,
                     "source_identity", i->source_identity);
}

static json_t *show_event(const CloudTrailEvent *e) {
    json_t *resources = json_array();

    for (size_t i = 0; i < e->n_resources; i++)
        json_array_append_new(resources, json_string(e->resources[i]));
    return json_pack(
            "{s:s, s:s, s:s, s:s, s:s, s:I, s:b, s:o, s:b, s:s, s:s, s:s, s:s, s:s, s:s, s:o}",
            "event_id", e->event_id, "event_name", e->event_name, "event_source", e->event_source,
            "access_key_id", e->access_key_id, "username", e->username, "event_time_usec",
            (json_int_t)e->event_time_usec, "read_only", e->read_only, "resources", resources, "whole",
            e->whole, "source_ip", e->source_ip, "user_agent", e->user_agent, "error_code", e->error_code,
            "trail", e->trail, "bucket", e->bucket, "parameters", e->parameters, "identity",
            show_identity(&e->identity));
}

static void on_events(const AwsError *error, const CloudTrailEvents *events, void *userdata) {
    json_t *list = events ? json_array() : NULL;

    for (size_t i = 0; events && i < events->n; i++)
        json_array_append_new(list, show_event(&events->items[i]));
    finish(userdata, error,
           events ? json_pack("{s:o, s:s}", "events", list, "next", events->next_token) : NULL);
}

static void on_rules(const AwsError *error, const S3Rules *rules, void *userdata) {
    json_t *list = rules ? json_array() : NULL;

    for (size_t i = 0; rules && i < rules->n; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:i}", "id", rules->items[i].id, "prefix",
                                              rules->items[i].prefix, "enabled", rules->items[i].enabled,
                                              "days", (int)rules->items[i].expiration_days));
    finish(userdata, error, list);
}

static void on_key(const AwsError *error, const KmsKey *key, void *userdata) {
    finish(userdata, error,
           key ? json_pack("{s:s, s:b}", "state", key->state, "enabled", key->enabled) : NULL);
}

/* ---- arguments that are JSON ---- */

static json_t *load(Helper *h, unsigned i) {
    h->values[i] = json_loads(h->arguments[i], JSON_DECODE_ANY, NULL);
    if (!h->values[i])
        die("an argument is not JSON");
    return h->values[i];
}

static CloudTrailChoice choice(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);

    if (!value)
        return CLOUDTRAIL_LEAVE;
    return json_is_true(value) ? CLOUDTRAIL_ON : CLOUDTRAIL_OFF;
}

static CloudTrailChanges read_changes(Helper *h, unsigned i) {
    const json_t *o = load(h, i);

    return (CloudTrailChanges){
        .bucket = json_string_value(json_object_get(o, "S3BucketName")),
        .prefix = json_string_value(json_object_get(o, "S3KeyPrefix")),
        .sns_topic = json_string_value(json_object_get(o, "SnsTopicARN")),
        .log_group = json_string_value(json_object_get(o, "CloudWatchLogsLogGroupArn")),
        .log_role = json_string_value(json_object_get(o, "CloudWatchLogsRoleArn")),
        .kms_key = json_string_value(json_object_get(o, "KmsKeyId")),
        .multi_region = choice(o, "IsMultiRegionTrail"),
        .global_events = choice(o, "IncludeGlobalServiceEvents"),
        .validation = choice(o, "LogFileValidationEnabled"),
        .organization = choice(o, "IsOrganizationTrail"),
        .recursive = choice(o, "RecursiveLogging"),
    };
}

static CloudTrailTags read_tags(Helper *h, unsigned i) {
    json_t *object = load(h, i), *value;
    const char *key;
    size_t n = 0;

    h->tags = calloc(json_object_size(object) + 1, sizeof(*h->tags));
    if (!h->tags)
        die("out of memory");
    json_object_foreach(object, key, value) h->tags[n++] =
            (CloudTrailTag){ (char *)key, (char *)json_string_value(value) };
    return (CloudTrailTags){ h->tags, n };
}

/* ---- operations ---- */

#define CALL(h) (h)->aws, (h)->credentials, (h)->region

static int describe_trails(Helper *h) {
    return cloudtrail_describe_trails(&(AwsCaller){ CALL(h) }, NULL, on_trails, h, NULL);
}

static int start_logging(Helper *h) {
    return cloudtrail_start_logging(&(AwsCaller){ CALL(h) }, h->arguments[0], on_done, h, NULL);
}

static int get_event_selectors(Helper *h) {
    return cloudtrail_get_event_selectors(&(AwsCaller){ CALL(h) }, h->arguments[0], on_selectors, h, NULL);
}

static int get_insight_selectors(Helper *h) {
    return cloudtrail_get_insight_selectors(&(AwsCaller){ CALL(h) }, h->arguments[0], on_text, h, NULL);
}

static int list_tags(Helper *h) {
    return cloudtrail_list_tags(&(AwsCaller){ CALL(h) }, h->arguments[0], on_tags, h, NULL);
}

static int update_trail(Helper *h) {
    const CloudTrailChanges changes = read_changes(h, 1);

    return cloudtrail_update_trail(&(AwsCaller){ CALL(h) },
                                   &(CloudTrailWrite){ .trail = h->arguments[0], .changes = &changes },
                                   on_done, h, NULL);
}

static int create_trail(Helper *h) {
    const CloudTrailChanges settings = read_changes(h, 1);
    const CloudTrailTags tags = read_tags(h, 2);

    return cloudtrail_create_trail(
            &(AwsCaller){ CALL(h) },
            &(CloudTrailWrite){ .trail = h->arguments[0], .changes = &settings, .tags = &tags }, on_done, h,
            NULL);
}

static int put_event_selectors(Helper *h) {
    const CloudTrailSelectors selectors = { h->arguments[1], h->arguments[2] };

    return cloudtrail_put_event_selectors(
            &(AwsCaller){ CALL(h) }, &(CloudTrailWrite){ .trail = h->arguments[0], .selectors = &selectors },
            on_done, h, NULL);
}

static int put_insight_selectors(Helper *h) {
    return cloudtrail_put_insight_selectors(
            &(AwsCaller){ CALL(h) }, &(CloudTrailWrite){ .trail = h->arguments[0], .text = h->arguments[1] },
            on_done, h, NULL);
}

static int add_tags(Helper *h) {
    const CloudTrailTags tags = read_tags(h, 1);

    return cloudtrail_add_tags(&(AwsCaller){ CALL(h) },
                               &(CloudTrailWrite){ .trail = h->arguments[0], .tags = &tags }, on_done, h,
                               NULL);
}

static int remove_tags(Helper *h) {
    const CloudTrailTags tags = read_tags(h, 1);

    return cloudtrail_remove_tags(&(AwsCaller){ CALL(h) },
                                  &(CloudTrailWrite){ .trail = h->arguments[0], .tags = &tags }, on_done, h,
                                  NULL);
}

/* By resource name; with a second argument so many at most, with a third the page that follows. */
static int lookup_events(Helper *h) {
    const CloudTrailLookup lookup = {
        .key = *h->arguments[0] ? CLOUDTRAIL_LOOKUP_RESOURCE_NAME : CLOUDTRAIL_LOOKUP_ALL,
        .value = h->arguments[0],
        .start_usec = 1000000000 * USEC_PER_SEC,
        .end_usec = 4000000000 * USEC_PER_SEC,
        .max_results = (unsigned)strtoul(h->arguments[1], NULL, 10),
        .next_token = h->arguments[2],
    };

    return cloudtrail_lookup_events(&(AwsCaller){ CALL(h) }, &lookup, on_events, h, NULL);
}

static const char *owner(const Helper *h) {
    return *h->arguments[1] ? h->arguments[1] : NULL;
}

static int head_bucket(Helper *h) {
    return s3_head_bucket(&(AwsCaller){ CALL(h) }, &(AwsBucket){ h->arguments[0], owner(h) }, on_text, h,
                          NULL);
}

static int get_lifecycle(Helper *h) {
    return s3_get_lifecycle(&(AwsCaller){ CALL(h) }, &(AwsBucket){ h->arguments[0], owner(h) }, on_rules, h,
                            NULL);
}

static int get_policy(Helper *h) {
    return s3_get_policy(&(AwsCaller){ CALL(h) }, &(AwsBucket){ h->arguments[0], owner(h) }, on_text, h,
                         NULL);
}

static int describe_key(Helper *h) {
    return kms_describe_key(&(AwsCaller){ CALL(h) }, h->arguments[0], on_key, h, NULL);
}

static const struct {
    const char *name;
    int (*start)(Helper *h);
} operations[] = {
    { "describe_trails", describe_trails },
    { "start_logging", start_logging },
    { "get_event_selectors", get_event_selectors },
    { "get_insight_selectors", get_insight_selectors },
    { "list_tags", list_tags },
    { "update_trail", update_trail },
    { "create_trail", create_trail },
    { "put_event_selectors", put_event_selectors },
    { "put_insight_selectors", put_insight_selectors },
    { "add_tags", add_tags },
    { "remove_tags", remove_tags },
    { "lookup_events", lookup_events },
    { "head_bucket", head_bucket },
    { "get_lifecycle", get_lifecycle },
    { "get_policy", get_policy },
    { "describe_key", describe_key },
};

/* ---- running ---- */

static void open_client(Helper *h) {
    static const AwsLimits limits = { 5 * USEC_PER_SEC, 20 * USEC_PER_SEC, 2 };
    const EndpointOverrides overrides = { .url = getenv("AWS_ENDPOINT_URL") };
    const HttpCurlOptions options = {
        .ca_bundle = getenv("AWS_CA_BUNDLE"),
        .user_agent = "calls_helper/1",
        .max_connections = 4,
    };
    char error[256];

    if (sd_event_new(&h->event) < 0 || loop_event_new(h->event, &h->loop) < 0)
        die("no event loop");
    if (http_curl_new(h->event, &options, error, sizeof(error), &h->http) < 0)
        die(error);
    if (credentials_env_new(h->loop, getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"), NULL,
                            &h->credentials) < 0 ||
        aws_client_new(h->http, h->loop, &limits, &overrides, &h->aws) < 0)
        die("no client");
}

static void close_client(Helper *h) {
    aws_client_free(h->aws);
    credentials_provider_free(h->credentials);
    http_curl_free(h->http);
    loop_event_free(h->loop);
    sd_event_unref(h->event);
    for (unsigned i = 0; i < ARGUMENTS_MAX; i++)
        json_decref(h->values[i]);
    free(h->tags);
}

int main(int argc, char **argv) {
    static char empty[] = "";
    Helper h = { 0 };
    int r = 1;

    if (argc < 3 || argc > 3 + ARGUMENTS_MAX)
        die("usage: calls_helper REGION OPERATION ARGUMENT...");
    h.region = argv[1];
    for (int i = 0; i < ARGUMENTS_MAX; i++)
        h.arguments[i] = 3 + i < argc ? argv[3 + i] : empty;
    open_client(&h);
    for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
        if (text_equal(operations[i].name, argv[2]))
            r = operations[i].start(&h);
    if (r != 0)
        die(r > 0 ? "no such operation" : "the call could not be begun");
    while (!h.done)
        if (sd_event_run(h.event, UINT64_MAX) < 0)
            die("the loop failed");
    close_client(&h);
    return EXIT_SUCCESS;
}
